//! Store credit: money that customers have with the marketplace, one balance for each customer and currency.
//!
//! What a payment makes of it follows from the payment's state ([`crate::payment::Payment::credit`]): what its refunds
//! have given, what it has taken, and what it keeps for captures to come. So whatever happens to a payment moves the
//! balance by a difference, in the same transaction, once.
//!
//! Invariants: 0 ≤ held ≤ balance; Σ balances = what customers are owed on the ledger's `store_credit`.
//! Absent on purpose: vouchers. Whoever sold them counts them.

use crate::currency::Currency;
use crate::id::CustomerId;
use crate::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreCredit {
    pub customer: CustomerId,
    pub balance: Money,
    /// Of the balance, what is promised to orders and not taken yet.
    pub held: Money,
}

/// What payments come to for their customer's credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Less than zero where more was taken.
    pub given: Money,
    pub held: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("there are {left} of store credit, which is less than {asked}")]
    TooLittle { asked: Money, left: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Share {
    pub fn none(currency: Currency) -> Self {
        Self { given: Money::zero(currency), held: Money::zero(currency) }
    }

    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self { given: self.given.plus(other.given)?, held: self.held.plus(other.held)? })
    }

    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        Ok(Self { given: self.given.minus(other.given)?, held: self.held.minus(other.held)? })
    }

    pub fn is_none(self) -> bool {
        self == Self::none(self.given.currency)
    }
}

impl StoreCredit {
    pub fn none(customer: CustomerId, currency: Currency) -> Self {
        Self { customer, balance: Money::zero(currency), held: Money::zero(currency) }
    }

    /// What may be spent.
    pub fn available(&self) -> Result<Money, MoneyError> {
        self.balance.minus(self.held)
    }

    /// After payments have come to so much more than before. What has happened cannot be refused.
    pub fn moved(&self, by: Share) -> Result<Self, MoneyError> {
        let (balance, held) = (self.balance.plus(by.given)?, self.held.plus(by.held)?);
        Ok(Self { customer: self.customer.clone(), balance, held })
    }

    /// After payments have begun that are to be paid with so much of it: what is not there is promised to nobody.
    pub fn promised(&self, by: Share) -> Result<Self, Refused> {
        let (left, asked) = (self.available()?, by.held);
        if asked.minor > left.minor { Err(Refused::TooLittle { asked, left }) } else { Ok(self.moved(by)?) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::{eur, id};

    #[test]
    fn credit_is_given_promised_taken_and_never_negative() {
        let nobody = StoreCredit::none(id("cus_00000001"), id("EUR"));
        let by = |given, held| Share { given: eur(given), held: eur(held) };
        let of = |balance, held| StoreCredit { balance: eur(balance), held: eur(held), ..nobody.clone() };
        let short = |asked, left| Err(Refused::TooLittle { asked: eur(asked), left: eur(left) });
        // What is there, what is asked for, what is there then.
        let promises = [
            (of(0, 0), 1, short(1, 0)),
            (of(10_00, 0), 10_00, Ok(of(10_00, 10_00))),
            (of(10_00, 0), 10_01, short(10_01, 10_00)),
            (of(10_00, 4_00), 6_01, short(6_01, 6_00)),
            (of(10_00, 4_00), 6_00, Ok(of(10_00, 10_00))),
        ];
        for (before, asked, want) in promises {
            assert_eq!(before.promised(by(0, asked)), want, "{before:?} {asked}");
        }
        // A refund, a capture, a capture of less than was promised, a release.
        let moves = [
            (of(0, 0), by(10_00, 0), of(10_00, 0)),
            (of(10_00, 4_00), by(-4_00, -4_00), of(6_00, 0)),
            (of(10_00, 4_00), by(-3_00, -4_00), of(7_00, 0)),
            (of(10_00, 4_00), by(0, -4_00), of(10_00, 0)),
        ];
        for (before, by, want) in moves {
            assert_eq!(before.moved(by), Ok(want), "{before:?} {by:?}");
        }
    }
}
