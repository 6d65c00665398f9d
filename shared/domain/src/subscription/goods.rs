//! Goods that a period gives: ordered when it begins, with their stock held before anything is charged.
//!
//! Who orders tells what came of it. What failed is tried again on the days of the plan's dunning policy; where another
//! means of payment is needed, as soon as there is one. Until then nothing renews: no delivery is left behind another.
//! Nothing is tried after the end of a period that its customer leaves with.
//! A subscription that begins with goods is incomplete until they are ordered; if they cannot be, there was none.

use super::{Change, Ended, Refused, Stage, Start, Step, Subscription, Taxes, end, start};
use crate::Decision;
use crate::dunning::Policy;
use crate::gateway::Class;
use crate::id::{CartId, SubscriptionId, derive};
use crate::plan::Terms;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Goods of a period on their way to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sending {
    /// The number of the period.
    pub number: u32,
    pub since: Timestamp,
    /// The subscription begins with them, and its customer is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub first: bool,
    /// Tries that failed.
    #[serde(default)]
    pub tries: u16,
    /// When it is tried again; none while it is being tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// Why goods are not ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSent {
    /// Sold out, not for sale, or not brought there. Nothing was charged.
    Unavailable,
    Declined(Class),
}

impl CartId {
    /// The cart that becomes the order of a period's goods: ordering twice names the same one.
    pub fn of_renewal(subscription: &SubscriptionId, number: u32) -> Self {
        Self::from_bits(derive(&["renewal", subscription.as_str(), &number.to_string()]))
    }
}

impl SubscriptionId {
    /// The one that an order begins: placing it twice names the same one.
    pub fn of_cart(cart: &CartId) -> Self {
        Self::from_bits(derive(&["subscription", cart.as_str()]))
    }
}

impl Step {
    /// With its goods on their way, if it has some. Where the first invoice is open they wait for that.
    #[must_use]
    pub(super) fn sending(mut self, now: Timestamp) -> Self {
        if self.goods.is_none() {
            return self;
        }
        let waits = matches!(self.next.stage, Stage::Incomplete { .. });
        let first = self.change == Change::Started && !waits;
        if first {
            self.next.stage = Stage::Incomplete { since: now };
        }
        let number = self.next.number;
        self.next.sending = Some(Sending { number, since: now, first, tries: 0, retry_at: None });
        self.goods = self.goods.filter(|_| !waits);
        self
    }
}

fn tried(held: &Subscription, sending: Option<Sending>, change: Change) -> Step {
    Step { next: Subscription { sending, ..held.clone() }, change, document: None, goods: None }
}

/// The order of a period's goods is placed.
pub fn sent(held: &Subscription, number: u32) -> Decision<Step> {
    match &held.sending {
        Some(sending) if sending.number == number && sending.first => {
            let next = Subscription { stage: Stage::Active, ..held.clone() };
            Decision::New(tried(&next, None, Change::Activated))
        }
        Some(sending) if sending.number == number => Decision::New(tried(held, None, Change::Sent)),
        Some(_) | None => Decision::Already,
    }
}

/// Begins with an order that has its first goods in it: nothing but the order is to be paid, and there is no trial.
pub fn start_sent(asked: Start, terms: &Terms, taxes: &Taxes<'_>, now: Timestamp) -> Result<Step, Refused> {
    let step = start(Start { trial: false, ..asked }, terms, taxes, now)?;
    let next = Subscription { stage: Stage::Active, sending: None, ..step.next };
    Ok(Step { next, goods: None, ..step })
}

/// No order came of a period's goods. What cannot be had is left out in the end; what is not paid ends it.
pub fn not_sent(
    held: &Subscription,
    number: u32,
    why: NotSent,
    policy: &Policy,
    now: Timestamp,
) -> Decision<Step> {
    let Some(sending) = held.sending.as_ref().filter(|one| one.number == number && one.retry_at.is_none())
    else {
        return Decision::Already;
    };
    if sending.first {
        return Decision::New(end(held, Ended::NeverPaid, now));
    }
    let after = |days: u16| {
        let days = SignedDuration::from_hours(24 * i64::from(days));
        sending.since.saturating_add(days).unwrap_or(Timestamp::MAX)
    };
    let ahead = policy.retry_days.iter().map(|day| after(*day)).find(|at| *at > now);
    let last = Some(after(policy.cancel_after_days)).filter(|at| *at > now);
    let retry_at = match why {
        NotSent::Unavailable => ahead,
        // Another means of payment is asked for, until the end.
        NotSent::Declined(Class::Hard) => last,
        NotSent::Declined(Class::Soft | Class::Fault) => ahead.or(last),
    };
    if retry_at.is_some() {
        let tries = sending.tries.saturating_add(1);
        return Decision::New(tried(
            held,
            Some(Sending { tries, retry_at, ..sending.clone() }),
            Change::SendingFailed,
        ));
    }
    Decision::New(match why {
        NotSent::Unavailable => tried(held, None, Change::NotSent),
        NotSent::Declined(_) => end(held, Ended::Unpaid, now),
    })
}

impl Subscription {
    /// The goods that failed are tried again, now.
    pub(super) fn resent(&self) -> Option<Step> {
        let sending = self.sending.clone().filter(|sending| sending.retry_at.is_some())?;
        let goods = self.period().ok();
        let step = tried(self, Some(Sending { retry_at: None, ..sending }), Change::SendingRetried);
        Some(Step { goods, ..step })
    }
}
