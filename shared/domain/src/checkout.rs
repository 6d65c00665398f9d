//! Checkout: the one gate between a cart and its order, and the lock that holds the cart while money is on its way.
//!
//! Data may be given in any order; the gate says what is missing and in which step it is given, to the storefront as to
//! itself. `open → locked → open | completed`: the lock is taken before the first attempt of a payment. For five
//! minutes nobody else gets it; after that it is reclaimable, but never while an attempt is open, however long that
//! takes (its outcome is asked for, see [`crate::payment::next_ask`]).
//!
//! Absent on purpose: prices, stock and addresses themselves. Who asks has looked at them.

use crate::Decision;
use crate::id::{CartId, OrderId};
use crate::money::Money;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// So long a lock without an attempt keeps others out.
pub const LOCK: SignedDuration = SignedDuration::from_mins(5);

/// A cart on its way to an order, as the gate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkout {
    pub cart: CartId,
    pub total: Money,
    pub given: Given,
    pub stage: Stage,
}

/// What is there of what the gate requires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// An address of e-mail or a telephone number to write to.
    pub contact: bool,
    /// Something has to be carried: address and delivery are required.
    pub ships: bool,
    pub address: bool,
    pub delivery: Delivery,
    /// Lines that cannot be had as they are. None at all in an empty cart either.
    pub problems: Vec<LineProblem>,
    pub lines: usize,
    /// What the chosen means of payment cover.
    pub covered: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    Missing,
    /// Chosen for another address or other lines.
    Stale,
    Chosen,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LineProblem {
    pub line: u16,
    #[serde(flatten)]
    pub problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Problem {
    InsufficientStock { available: u32 },
    OverLimit { limit: u32 },
    Unavailable,
}

/// A step of the checkout, for the storefront to lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Step {
    Cart,
    Contact,
    Address,
    Delivery,
    Payment,
}

/// What the gate requires and does not find.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Unmet {
    CartEmpty,
    LinesUnavailable { lines: Vec<LineProblem> },
    ContactMissing,
    AddressMissing,
    DeliveryMissing,
    DeliveryStale,
    PaymentMissing { missing: String, currency: crate::Currency },
}

impl Unmet {
    pub fn step(&self) -> Step {
        match self {
            Self::CartEmpty | Self::LinesUnavailable { .. } => Step::Cart,
            Self::ContactMissing => Step::Contact,
            Self::AddressMissing => Step::Address,
            Self::DeliveryMissing | Self::DeliveryStale => Step::Delivery,
            Self::PaymentMissing { .. } => Step::Payment,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Open,
    Locked(Lock),
    Completed { order: OrderId, since: Timestamp },
}

/// Payment is in flight for the cart as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub since: Timestamp,
    pub locked_until: Timestamp,
    /// An attempt is committed: only its outcome opens the lock (A8(6)).
    pub attempted: bool,
}

impl Lock {
    pub fn is_held(&self, now: Timestamp) -> bool {
        self.attempted || now < self.locked_until
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Locked { lock: Lock },
    Attempted { at: Timestamp },
    Unlocked { at: Timestamp },
    Completed { order: OrderId, at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("payment is under way: the cart cannot be changed before {locked_until}")]
    Locked { locked_until: Timestamp },
    #[error("payment is under way: the cart waits for its outcome")]
    Pinned,
    #[error("the cart costs {total} now, not {expected}")]
    CartChanged { expected: Money, total: Money },
    #[error("{} requirements are not met", .0.len())]
    Incomplete(Vec<Unmet>),
    #[error("the cart is not locked for payment")]
    NotLocked,
    #[error("the cart has become order {0}")]
    Completed(OrderId),
}

impl Checkout {
    /// The only place that changes a checkout.
    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        self.stage = match (fact, self.stage) {
            (Fact::Locked { lock }, _) => Stage::Locked(*lock),
            (Fact::Attempted { .. }, Stage::Locked(lock)) => Stage::Locked(Lock { attempted: true, ..lock }),
            (Fact::Attempted { .. }, stage @ (Stage::Open | Stage::Completed { .. })) => stage,
            (Fact::Unlocked { .. }, _) => Stage::Open,
            (Fact::Completed { order, at }, _) => Stage::Completed { order: order.clone(), since: *at },
        };
        self
    }

    /// Whether an abandoned cart may be forgotten: never with money on it (A8(6)).
    pub fn may_be_forgotten(&self, now: Timestamp) -> bool {
        match &self.stage {
            Stage::Open | Stage::Completed { .. } => true,
            Stage::Locked(lock) => !lock.is_held(now),
        }
    }
}

/// Refuses while payment is on its way (A8(3)), and for good once there is an order.
pub fn must_be_free(stage: &Stage, now: Timestamp) -> Result<(), Refused> {
    match stage {
        Stage::Open => Ok(()),
        Stage::Locked(lock) if lock.attempted => Err(Refused::Pinned),
        Stage::Locked(lock) if lock.is_held(now) => Err(Refused::Locked { locked_until: lock.locked_until }),
        Stage::Locked(_) => Ok(()),
        Stage::Completed { order, .. } => Err(Refused::Completed(order.clone())),
    }
}

/// Everything that is missing, in the order of the steps.
pub fn unmet(total: Money, given: &Given) -> Vec<Unmet> {
    let mut unmet = Vec::new();
    if given.lines == 0 {
        unmet.push(Unmet::CartEmpty);
    }
    if !given.problems.is_empty() {
        unmet.push(Unmet::LinesUnavailable { lines: given.problems.clone() });
    }
    if !given.contact {
        unmet.push(Unmet::ContactMissing);
    }
    if given.ships && !given.address {
        unmet.push(Unmet::AddressMissing);
    }
    match given.delivery {
        Delivery::Missing if given.ships => unmet.push(Unmet::DeliveryMissing),
        Delivery::Stale if given.ships => unmet.push(Unmet::DeliveryStale),
        Delivery::Missing | Delivery::Stale | Delivery::Chosen => {}
    }
    // Another currency covers nothing.
    let missing = total.minus(given.covered).unwrap_or(total);
    if missing.minor > 0 {
        let Money { currency, .. } = missing;
        unmet.push(Unmet::PaymentMissing { missing: missing.decimal().to_string(), currency });
    }
    unmet
}

/// The cart is about to be edited. A lock that has run out without an attempt gives way (A8(3)).
pub fn edit(checkout: &Checkout, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    must_be_free(&checkout.stage, now)?;
    Ok(match checkout.stage {
        Stage::Locked(_) => Decision::New(Fact::Unlocked { at: now }),
        Stage::Open | Stage::Completed { .. } => Decision::Already,
    })
}

/// The customer completes the checkout for what it is `expected` to cost: the gate, and the lock for the payment. Of
/// a cart that is completed it is no news (A8(1)).
pub fn lock(checkout: &Checkout, expected: Money, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match must_be_free(&checkout.stage, now) {
        Ok(()) => {}
        Err(Refused::Completed(_)) => return Ok(Decision::Already),
        Err(refused) => return Err(refused),
    }
    if expected != checkout.total {
        return Err(Refused::CartChanged { expected, total: checkout.total });
    }
    let unmet = unmet(checkout.total, &checkout.given);
    if !unmet.is_empty() {
        return Err(Refused::Incomplete(unmet));
    }
    let locked_until = now.saturating_add(LOCK).unwrap_or(now);
    let lock = Lock { since: now, locked_until, attempted: false };
    Ok(Decision::New(Fact::Locked { lock }))
}

/// The first attempt is committed, in the same transaction as this. `since` names the lock that it was decided under:
/// who comes back after another has reclaimed it, is refused.
pub fn attempt(checkout: &Checkout, since: Timestamp, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match &checkout.stage {
        Stage::Locked(lock) if lock.since != since => Err(Refused::NotLocked),
        Stage::Locked(lock) if lock.attempted => Ok(Decision::Already),
        Stage::Locked(_) => Ok(Decision::New(Fact::Attempted { at: now })),
        Stage::Open => Err(Refused::NotLocked),
        Stage::Completed { order, .. } => Err(Refused::Completed(order.clone())),
    }
}

/// The payment came to nothing: the cart is free again. `held`: an attempt is open, or money is authorized still.
pub fn unlock(checkout: &Checkout, held: bool, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match &checkout.stage {
        Stage::Locked(_) if held => Err(Refused::Pinned),
        Stage::Locked(_) => Ok(Decision::New(Fact::Unlocked { at: now })),
        Stage::Open => Ok(Decision::Already),
        Stage::Completed { order, .. } => Err(Refused::Completed(order.clone())),
    }
}

/// The payment is authorized or promised, or nothing was to be paid: the cart becomes its one order. The gate was
/// passed when the lock was taken, and the cart has not changed since.
pub fn complete(checkout: &Checkout, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match &checkout.stage {
        Stage::Locked(_) => {
            Ok(Decision::New(Fact::Completed { order: OrderId::of_cart(&checkout.cart), at: now }))
        }
        Stage::Open => Err(Refused::NotLocked),
        Stage::Completed { .. } => Ok(Decision::Already),
    }
}

#[cfg(test)]
mod tests;
