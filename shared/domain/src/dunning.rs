//! Dunning: what happens when a renewal's payment fails, step by step, until it is recovered or the service ends.
//!
//! A case is one invoice that failed. What is next follows from the case and its policy alone ([`Case::next`]), so
//! that a run may come twice, late or not at all. A soft decline is tried again on the policy's days; a fault of the
//! gateway within minutes, and that counts as no try; a hard decline not at all: another means of payment is asked for.
//! Consequences come by time from the first failure, whatever is tried: restricted, then canceled.
//!
//! `open → recovered | exhausted`. Absent on purpose: the messages themselves. Every step is an event, and whoever
//! writes to people listens.

use crate::gateway::Class;
use crate::id::{CustomerId, InvoiceId, PlanId, SubscriptionId};
use crate::money::Money;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How a plan deals with failed payments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DunningPolicy"))]
pub struct Policy {
    /// Days after the first failure on which a soft decline is tried again: as many tries as there are days.
    #[cfg_attr(
        feature = "schema",
        schemars(length(max = TRIES_MAX), inner(range(min = 1, max = DAYS_MAX - 1)))
    )]
    pub retry_days: Vec<u16>,
    /// Minutes after a fault of the gateway, one after the other; after the last it counts as a soft decline.
    #[cfg_attr(feature = "schema", schemars(length(max = TRIES_MAX), inner(range(min = 1))))]
    pub fault_minutes: Vec<u16>,
    /// Days after the first failure from which the service is not given any more.
    #[cfg_attr(feature = "schema", schemars(range(max = DAYS_MAX)))]
    pub restrict_after_days: u16,
    /// Days after the first failure at which the subscription ends.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = DAYS_MAX)))]
    pub cancel_after_days: u16,
}

impl Default for Policy {
    fn default() -> Self {
        let (retry_days, fault_minutes) = (vec![1, 3, 7], vec![5, 30, 120]);
        Self { retry_days, fault_minutes, restrict_after_days: 10, cancel_after_days: 21 }
    }
}

/// Tries of one kind that a policy may name.
pub const TRIES_MAX: usize = 8;
const DAYS_MAX: u16 = 120;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    #[error("`{0}` names at most {TRIES_MAX} tries, each later than the one before, at least 1")]
    Tries(&'static str),
    #[error("the last try comes before the end, a restriction not after it, the end within {DAYS_MAX} days")]
    Order,
}

impl Policy {
    pub fn check(&self) -> Result<(), BadPolicy> {
        let rising = |tries: &[u16]| tries.windows(2).all(|two| matches!(two, [one, next] if one < next));
        let fits = |tries: &[u16]| tries.len() <= TRIES_MAX && tries.first() != Some(&0) && rising(tries);
        if !fits(&self.retry_days) {
            return Err(BadPolicy::Tries("retry_days"));
        }
        if !fits(&self.fault_minutes) {
            return Err(BadPolicy::Tries("fault_minutes"));
        }
        let last = self.retry_days.last().copied().unwrap_or_default();
        let ordered = last < self.cancel_after_days && self.restrict_after_days <= self.cancel_after_days;
        if ordered && self.cancel_after_days <= DAYS_MAX { Ok(()) } else { Err(BadPolicy::Order) }
    }
}

/// One invoice whose payment failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    pub invoice: InvoiceId,
    pub subscription: SubscriptionId,
    pub customer: CustomerId,
    pub plan: PlanId,
    pub due: Money,
    pub opened_at: Timestamp,
    pub policy: Policy,
    /// What the last failure was.
    pub class: Class,
    pub failed_at: Timestamp,
    /// Attempts of the payment that failed: a failure that was counted before is no news.
    pub failures: u16,
    /// The policy's days whose tries are spent: they failed, or the day went by.
    pub tries: u16,
    /// Faults in a row that are tried again within minutes.
    pub faults: u16,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Open,
    Recovered {
        since: Timestamp,
    },
    /// The subscription has ended and the invoice is written off, or nothing was owed any more.
    Exhausted {
        since: Timestamp,
    },
}

/// What time brings to an open case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DunningDuty"))]
pub enum Duty {
    Retry,
    Restrict,
    Cancel,
}

/// What has happened, for whoever writes to the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DunningStep"))]
pub enum Step {
    /// The payment failed and will be tried again by itself.
    RetryScheduled,
    /// The payment failed and needs another means of payment, or the customer's confirmation.
    NewMethodNeeded,
    /// No try is left; the service ends when the time is over.
    LastWarning,
    Restricted,
    Recovered,
    Exhausted,
}

impl Case {
    /// The first failure of an invoice's payment.
    pub fn open(of: Failed, class: Class, now: Timestamp) -> Self {
        let Failed { invoice, subscription, customer, plan, due, policy, failures } = of;
        let minutes = class == Class::Fault && !policy.fault_minutes.is_empty();
        Self {
            invoice,
            subscription,
            customer,
            plan,
            due,
            opened_at: now,
            policy,
            class,
            failed_at: now,
            failures,
            tries: 0,
            faults: u16::from(minutes),
            stage: Stage::Open,
            restricted_at: None,
        }
    }

    pub fn is_open(&self) -> bool {
        self.stage == Stage::Open
    }

    /// One failure more: `failures` attempts have failed by now; or the last of them in another way than was known, as
    /// its customer has confirmed it meanwhile. None where that was counted before.
    pub fn failed(&self, class: Class, failures: u16, now: Timestamp) -> Option<Self> {
        if !self.is_open() || (failures, class) == (self.failures, self.class) || failures < self.failures {
            return None;
        }
        // A try on a day that ends in a fault is not spent, as long as minutes are left.
        let again = class == Class::Fault && usize::from(self.faults) < self.policy.fault_minutes.len();
        let (faults, tries) =
            if again { (self.faults.saturating_add(1), self.tries) } else { (0, self.days_gone_by(now)) };
        Some(Self { class, failures, faults, tries, failed_at: now, ..self.clone() })
    }

    /// Days of the policy that have come, so that what failed now was their try. A run that is late spends several:
    /// what was just declined is not tried again at once.
    fn days_gone_by(&self, now: Timestamp) -> u16 {
        let come = self.policy.retry_days.iter().filter(|day| self.days_after(**day) <= now).count();
        u16::try_from(come).unwrap_or(u16::MAX).max(self.tries)
    }

    fn days_after(&self, days: u16) -> Timestamp {
        let days = SignedDuration::from_hours(24 * i64::from(days));
        self.opened_at.saturating_add(days).unwrap_or(Timestamp::MAX)
    }

    /// When the payment is tried again by itself.
    pub fn retry_at(&self) -> Option<Timestamp> {
        if !self.is_open() {
            return None;
        }
        match self.class {
            Class::Hard => None,
            Class::Fault if self.faults > 0 => {
                let minutes = self.policy.fault_minutes.get(usize::from(self.faults) - 1)?;
                let wait = SignedDuration::from_mins(i64::from(*minutes));
                Some(self.failed_at.saturating_add(wait).unwrap_or(Timestamp::MAX))
            }
            Class::Fault | Class::Soft => {
                let day = self.policy.retry_days.get(usize::from(self.tries))?;
                Some(self.days_after(*day).max(self.failed_at))
            }
        }
    }

    /// What comes next, and when; of two at one moment the one that takes more comes later.
    pub fn next(&self) -> Option<(Timestamp, Duty)> {
        if !self.is_open() {
            return None;
        }
        let retry = self.retry_at().map(|at| (at, Duty::Retry));
        [retry, self.consequence()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// The consequence that comes next, whatever is tried.
    pub fn consequence(&self) -> Option<(Timestamp, Duty)> {
        let policy = &self.policy;
        let next = match self.restricted_at {
            None => (self.days_after(policy.restrict_after_days), Duty::Restrict),
            Some(_) => (self.ends_at(), Duty::Cancel),
        };
        self.is_open().then_some(next)
    }

    /// When the subscription ends, if nothing is paid until then.
    pub fn ends_at(&self) -> Timestamp {
        self.days_after(self.policy.cancel_after_days)
    }

    /// The try that is next, of how many: "attempt 2 of 3". None where no day is left, or nothing is tried by itself.
    pub fn attempt(&self) -> Option<(u16, usize)> {
        let all = self.policy.retry_days.len();
        let left = self.retry_at().is_some() && usize::from(self.tries) < all;
        left.then(|| (self.tries.saturating_add(1), all))
    }

    /// What the last failure means for the customer.
    pub fn step(&self) -> Step {
        match self.stage {
            Stage::Recovered { .. } => Step::Recovered,
            Stage::Exhausted { .. } => Step::Exhausted,
            Stage::Open if self.restricted_at.is_some() => Step::Restricted,
            Stage::Open if self.class == Class::Hard => Step::NewMethodNeeded,
            Stage::Open if self.retry_at().is_none() => Step::LastWarning,
            Stage::Open => Step::RetryScheduled,
        }
    }

    /// Restricted once, and only while it is open.
    #[must_use]
    pub fn restricted(&self, now: Timestamp) -> Self {
        let since = self.is_open().then_some(now);
        Self { restricted_at: self.restricted_at.or(since), ..self.clone() }
    }

    /// The money is there, by whatever way. What has ended cannot be recovered.
    pub fn recovered(&self, now: Timestamp) -> Option<Self> {
        self.is_open().then(|| Self { stage: Stage::Recovered { since: now }, ..self.clone() })
    }

    pub fn exhausted(&self, now: Timestamp) -> Option<Self> {
        self.is_open().then(|| Self { stage: Stage::Exhausted { since: now }, ..self.clone() })
    }
}

/// What a case is opened for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    pub invoice: InvoiceId,
    pub subscription: SubscriptionId,
    pub customer: CustomerId,
    pub plan: PlanId,
    pub due: Money,
    pub policy: Policy,
    pub failures: u16,
}

#[cfg(test)]
mod tests;
