//! Checkout: the one gate between a cart and its order, and the lock that keeps a cart as it is while money is coming.
//!
//! Data may be given in any order; the gate says what is missing and in which step it is given, to the storefront as to
//! itself. `open → locked → open | completed`: the cart is locked by the transaction that begins the first attempts of
//! its payments. So no lock is without an attempt that it could outlive (A8(3)), and only what becomes of them opens
//! it, however long that takes: their outcome is asked for, see [`crate::payment::next_ask`].
//!
//! Absent on purpose: prices, stock and addresses themselves. Who asks has looked at them. What a cart becomes in each
//! stage is in `cart/pay.rs`.

use crate::id::OrderId;
use crate::money::Money;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A cart as the gate sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gate {
    pub total: Money,
    pub given: Given,
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
    /// Attempts to pay the cart as it is are committed.
    Locked {
        since: Timestamp,
    },
    Completed {
        order: OrderId,
        since: Timestamp,
    },
}

impl Stage {
    /// Refuses while payment is on its way (A8(3)), and for good once there is an order.
    pub fn must_be_open(&self) -> Result<(), Refused> {
        match self {
            Self::Open => Ok(()),
            Self::Locked { .. } => Err(Refused::Locked),
            Self::Completed { order, .. } => Err(Refused::Completed(order.clone())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("payment is under way: the cart waits for its outcome")]
    Locked,
    #[error("the cart costs {total} now, not {expected}")]
    CartChanged { expected: Money, total: Money },
    #[error("{} requirements are not met", .0.len())]
    Incomplete(Vec<Unmet>),
    #[error("the cart has become order {0}")]
    Completed(OrderId),
}

impl Gate {
    /// Everything that is missing, in the order of the steps.
    pub fn unmet(&self) -> Vec<Unmet> {
        let Self { total, given } = self;
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
        let missing = total.minus(given.covered).unwrap_or(*total);
        if missing.minor > 0 {
            let Money { currency, .. } = missing;
            unmet.push(Unmet::PaymentMissing { missing: missing.decimal().to_string(), currency });
        }
        unmet
    }

    /// The customer completes the checkout for what it is `expected` to cost.
    pub fn pass(&self, expected: Money) -> Result<(), Refused> {
        if expected != self.total {
            return Err(Refused::CartChanged { expected, total: self.total });
        }
        match self.unmet() {
            unmet if unmet.is_empty() => Ok(()),
            unmet => Err(Refused::Incomplete(unmet)),
        }
    }
}

#[cfg(test)]
mod tests;
