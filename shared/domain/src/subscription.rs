//! A subscription: one customer's running agreement on a plan, charged in advance period by period.
//!
//! Every decision is a pure function that answers a [`Step`]: the subscription after it, what is to be told, and the
//! invoice or credit note that belongs to it. A preview is the same function, not committed, so it equals what follows
//! to the cent.
//!
//! What is charged for the time that runs now is [`Covered`]. A change credits what of it is not used (never more than
//! was charged goes back, A13(4)) and charges what is new for the rest of the period. A credit stays with the
//! subscription and pays what comes next (A13(1)).
//!
//! `incomplete → trialing | active ⇄ paused → ended`. Invariants: a period begins once, because its number rises with
//! the subscription's revision (A13(3)); periods touch; amounts are of the plan's one currency.
//! Absent on purpose: whether an invoice is paid (that is [`crate::invoice`]) and what follows if not
//! ([`crate::dunning`]). While an invoice is open its subscription does not renew and does not change.

mod bill;
mod change;
mod goods;
mod renew;
mod trial;
pub use bill::{Covered, Taxes};
pub use change::{
    When, cancel, change, deliver_on, end, forgo_change, give_up, pause, resume, set_means, set_place, skip,
    uncancel,
};
pub use goods::{NotSent, Sending, not_sent, sent, start_sent};
pub use renew::{Renewal, Start, activate, renew, start};
pub use trial::warns_at;

use crate::currency::Currency;
use crate::gateway::{GatewayToken, Method};
use crate::id::{CustomerId, InvoiceId, PlanId, SubscriptionId};
use crate::invoice::{self, Invoice};
use crate::money::{Money, MoneyError};
use crate::payment::{self, Payment};
use crate::period::{Cycle, OutOfTime, Period};
use crate::place::Place;
use crate::plan::{NotPriced, Terms};
use crate::tax::id::TaxId;
use crate::text::Word;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// So long a first payment may take; then there was no subscription.
pub const INCOMPLETE_LIMIT: SignedDuration = SignedDuration::from_hours(24);
/// Documents of one subscription, as its invoices' ids have room for.
pub const DOCUMENTS_MAX: u32 = 999_999;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscription {
    pub id: SubscriptionId,
    pub customer: CustomerId,
    pub plan: PlanId,
    pub version: u32,
    pub quantity: u32,
    pub stage: Stage,
    pub cycle: Cycle,
    /// The number of the running period; of a trial, of the one that follows it.
    pub number: u32,
    /// Where the running period ends, and those after it are counted from, if that was moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub covered: Option<Covered>,
    /// What credit notes have given and no invoice has taken.
    pub credit: Money,
    /// What happens at the end of the period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Next>,
    /// Goods that are to be sent and are not ordered yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sending: Option<Sending>,
    pub means: Means,
    /// Where it is taxed.
    pub place: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
    /// Whom invoices are addressed to, by the digest that the recipient is kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_to: Option<Word>,
    /// Invoices and credit notes that were made.
    #[serde(default)]
    pub documents: u32,
    /// From then on the service is not given, because it is not paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restricted: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// The first payment is on its way; without it there was no subscription.
    Incomplete {
        since: Timestamp,
    },
    Trialing {
        until: Timestamp,
        /// When its customer is told that it ends.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        warns_at: Option<Timestamp>,
    },
    Active,
    Paused {
        since: Timestamp,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    Ended {
        since: Timestamp,
        why: Ended,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SubscriptionEnd"))]
pub enum Ended {
    Canceled,
    /// The first payment did not come.
    NeverPaid,
    /// A renewal could not be collected.
    Unpaid,
    /// Nobody can read any more who the customer was.
    Erased,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Next {
    Cancel,
    Change(Target),
    /// The period goes by without goods; what else the plan gives is charged.
    Skip,
}

/// A plan's version and how many of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub plan: PlanId,
    pub version: u32,
    pub quantity: u32,
}

/// How renewals are paid: what the gateway has kept of the customer's means of payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Means {
    pub gateway: Word,
    pub method: Method,
    /// None where there is nothing yet: a gateway declines that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<GatewayToken>,
}

/// What a decision has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub next: Subscription,
    pub change: Change,
    pub document: Option<Invoice>,
    /// Goods are to be sent for this period.
    pub goods: Option<Period>,
}

impl Step {
    /// The payment of its document, with the first attempt begun; none where nothing is due.
    pub fn payment(&self, off_session: bool, now: Timestamp) -> Result<Option<Payment>, payment::Refused> {
        let open = self.document.as_ref().filter(|document| document.stage == invoice::Stage::Open);
        open.map(|document| document.charge(&self.next.means, (1, off_session), now)).transpose()
    }
}

/// What is told of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SubscriptionChange"))]
pub enum Change {
    Started,
    Activated,
    Renewed,
    Skipped,
    Changed,
    /// At the end of the period.
    ChangeScheduled,
    ChangeWithdrawn,
    Paused,
    Resumed,
    CancellationScheduled,
    CancellationWithdrawn,
    SkipScheduled,
    DeliveryMoved,
    /// The period's goods are ordered.
    Sent,
    /// They could not be had, or not be paid: it is tried again.
    SendingFailed,
    SendingRetried,
    /// They will not come: what is tried again has an end.
    NotSent,
    PaymentMethodSet,
    AddressSet,
    Restricted,
    Restored,
    Ended,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the subscription has ended")]
    Ended,
    #[error("its first payment is on its way: wait for it, or cancel")]
    Incomplete,
    #[error("it is paused: resume it first")]
    Paused,
    #[error("it is not paused")]
    NotPaused,
    #[error("nothing is charged in a trial, so there is nothing to pause: cancel it, or let it begin")]
    Trialing,
    #[error("it ends with its period: withdraw the cancellation first")]
    EndsSoon,
    #[error("a change waits for the end of the period: withdraw it first, by a change to what it is")]
    ChangeWaits,
    #[error("no cancellation waits for the end of the period")]
    NotCanceled,
    #[error("the period is over and its renewal on the way: try again in some minutes")]
    RenewalDue,
    #[error("a plan in {wanted} cannot take the place of one in {has}")]
    Currency { has: Currency, wanted: Currency },
    #[error("without proration another interval begins with the next period: ask for the end of the period")]
    NoProration,
    #[error("{0} is not a moment within the running period and the last quarter of an hour")]
    AsOf(Timestamp),
    #[error("a pause ends after it begins, not at {0}")]
    PauseEnd(Timestamp),
    #[error("the goods of the running period are being ordered: wait for them, or cancel")]
    Sending,
    #[error("only what is sent can be skipped or sent on another day")]
    NoGoods,
    #[error("the next delivery is after now and within the length of two periods, not {0}")]
    DeliveryDay(Timestamp),
    #[error("a subscription has at most {DOCUMENTS_MAX} invoices and credit notes")]
    DocumentCount,
    #[error(transparent)]
    Priced(#[from] NotPriced),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    OutOfTime(#[from] OutOfTime),
}

impl Subscription {
    pub fn currency(&self) -> Currency {
        self.credit.currency
    }

    /// The document that was made last, if there is one: while it is open nothing renews and nothing changes.
    pub fn last_document(&self) -> Option<InvoiceId> {
        (self.documents > 0).then(|| InvoiceId::of(&self.id, self.documents))
    }

    /// The period that runs, whatever of it is charged; of a trial the time up to its end.
    pub fn period(&self) -> Result<Period, OutOfTime> {
        let period = self.cycle.period(self.number)?;
        Ok(Period { until: self.moved.unwrap_or(period.until), ..period })
    }

    /// When time brings something by itself: the end of the trial, of the period, of a pause. Goods that failed are
    /// tried again first, but not after the end of a period that its customer leaves with.
    pub fn due_at(&self) -> Result<Option<Timestamp>, OutOfTime> {
        Ok(match &self.stage {
            Stage::Incomplete { since } => Some(since.saturating_add(INCOMPLETE_LIMIT).unwrap_or(*since)),
            Stage::Trialing { until, .. } => Some(*until),
            Stage::Active => {
                let until = self.period()?.until;
                let retry = self.sending.as_ref().and_then(|sending| sending.retry_at);
                let leaves = self.next == Some(Next::Cancel);
                Some(retry.map_or(until, |retry| if leaves { retry.min(until) } else { retry }))
            }
            Stage::Paused { until, .. } => *until,
            Stage::Ended { .. } => None,
        })
    }

    /// What the next renewal is priced by.
    pub fn renews_as(&self) -> Target {
        match &self.next {
            Some(Next::Change(target)) => target.clone(),
            Some(Next::Cancel | Next::Skip) | None => self.target(),
        }
    }

    pub fn target(&self) -> Target {
        Target { plan: self.plan.clone(), version: self.version, quantity: self.quantity }
    }

    /// Whether what the plan gives may be used now. A renewal that is late takes nothing away; an end that was asked
    /// for holds from its moment on.
    pub fn gives(&self, now: Timestamp) -> bool {
        if self.restricted.is_some() {
            return false;
        }
        let ends = self.next == Some(Next::Cancel);
        let over = || self.valid_until().is_some_and(|at| at <= now);
        match self.stage {
            Stage::Trialing { .. } | Stage::Active => !(ends && over()),
            Stage::Incomplete { .. } | Stage::Paused { .. } | Stage::Ended { .. } => false,
        }
    }

    /// Up to when what is given is paid, or free.
    pub fn valid_until(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Trialing { until, .. } => Some(*until),
            Stage::Active => self.period().ok().map(|period| period.until),
            Stage::Incomplete { .. } | Stage::Paused { .. } | Stage::Ended { .. } => None,
        }
    }

    /// The stable word for API and lists.
    pub fn status(&self) -> &'static str {
        match self.stage {
            Stage::Incomplete { .. } => "incomplete",
            Stage::Trialing { .. } => "trialing",
            Stage::Active => "active",
            Stage::Paused { .. } => "paused",
            Stage::Ended { .. } => "ended",
        }
    }

    /// What it brings in a month, as priced; what is not charged now brings nothing.
    pub fn monthly(&self, terms: &Terms) -> Result<Money, NotPriced> {
        let price = terms.price_of(self.quantity)?;
        let (times, periods) = terms.interval.per_year();
        let active = matches!(self.stage, Stage::Active);
        let year = price.times(if active { times } else { 0 })?;
        Ok(year.fraction(1, i128::from(periods.saturating_mul(12))))
    }
}

#[cfg(test)]
mod tests;
