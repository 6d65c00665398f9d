//! Discounts that a code or an agreement grants: for what, from when to when, and whether a basket has them.
//!
//! A code is for whoever types it, an agreement for one customer who has signed in, by itself. Agreements come first,
//! then codes in the order in which they were given; what each comes to is computed in [`crate::pricing`].
//!
//! Invariants: names are compared without case; a merchant bears only what is on its own goods; a basket has at most
//! [`DISCOUNTS_MAX`] of them; what does not hold takes nothing off and says why.
//!
//! A code may be for so many orders, all together: an order that has something off by it takes a use when its cart is
//! paid, in one transaction with that, and gives it back if nothing comes of it or all of the order is canceled.
//!
//! Absent on purpose, until there is an engine for promotions: budgets, campaigns, uses of one customer, and which
//! discounts combine. All that hold apply, each on what the ones before it left.

use crate::money::{Money, MoneyError};
use crate::pricing::{Basket, Benefit, BorneBy, Component, DISCOUNTS_MAX, Discount, Priced, Scope, Source};
use crate::text::Word;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU32;

/// Agreements of one customer.
pub const AGREEMENTS_MAX: usize = 10;
/// Codes in one cart.
pub const CODES_MAX: usize = DISCOUNTS_MAX - AGREEMENTS_MAX;

/// A name as it is compared: without case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spelling(String);

impl Spelling {
    pub fn of(name: &Word) -> Self {
        // By way of capitals, so that letters with several small forms are one: ß and ss, σ and ς.
        Self(name.as_str().to_uppercase().to_lowercase())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What an operator has granted. The limits are those of [`Grant::check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Of a code, what is typed.
    pub name: Word,
    pub benefit: Benefit,
    pub scope: Scope,
    pub borne_by: BorneBy,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first moment at which it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// What the goods in scope have to cost at least, before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<Money>,
    /// Of a code: so many orders have it, all together. None of an agreement, which is one customer's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage_limit: Option<NonZeroU32>,
    /// Ended by an operator.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// A code as a cart meets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub grant: Grant,
    /// Orders that have it, as far as they are counted, this cart's own left out.
    pub used: u64,
}

/// A use of a code that is for so many orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Redemption {
    pub code: Word,
    /// As it was when the cart was priced.
    pub limit: NonZeroU32,
}

/// Why nobody can be granted this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadGrant {
    #[error("{0} % is no discount: want more than 0, at most 100")]
    Percent(Decimal),
    #[error("{0} off is no discount: want more than zero")]
    Amount(Money),
    #[error("{0} is no least value: want more than zero")]
    Least(Money),
    #[error("{least} is of another currency than {amount}")]
    Currencies { amount: Money, least: Money },
    #[error("it would end at {until}, and begin at {from}")]
    Period { from: Timestamp, until: Timestamp },
    #[error("a merchant bears only what is on its own goods")]
    BorneBy,
}

/// Why a discount is not given. Its code is the contract, the text is for people.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotGranted {
    #[error("there is no such code")]
    Unknown,
    #[error("it has ended")]
    Closed,
    #[error("it begins at {from}")]
    NotYet { from: Timestamp },
    #[error("it ended at {until}")]
    Over { until: Timestamp },
    #[error("it is for {limit} orders, and they have it")]
    UsedUp { limit: NonZeroU32 },
    #[error("it is not for this currency")]
    OtherCurrency,
    #[error("nothing in the cart is what it is for")]
    NothingInScope,
    #[error("it is for goods of {least} or more, and there are {value}")]
    TooLittle { least: Money, value: Money },
}

impl NotGranted {
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Closed => "closed",
            Self::NotYet { .. } => "not_yet",
            Self::Over { .. } => "over",
            Self::UsedUp { .. } => "used_up",
            Self::OtherCurrency => "other_currency",
            Self::NothingInScope => "nothing_in_scope",
            Self::TooLittle { .. } => "too_little",
        }
    }
}

/// What the table knows of the codes in a cart and of the agreements of its customer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    pub agreements: Vec<Grant>,
    /// In any order; a code that is not among them is not known.
    pub codes: Vec<Code>,
}

/// A code or an agreement, and whether the basket has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub source: Source,
    pub holds: Result<Discount, NotGranted>,
}

/// The same, with what it came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    pub source: Source,
    pub came_to: Result<Money, NotGranted>,
}

impl Grant {
    /// A grant that may be kept.
    pub fn check(&self) -> Result<(), BadGrant> {
        let amount = match &self.benefit {
            Benefit::Percent(percent) if *percent <= Decimal::ZERO || *percent > Decimal::ONE_HUNDRED => {
                return Err(BadGrant::Percent(*percent));
            }
            Benefit::Amount(amount) if amount.minor <= 0 => return Err(BadGrant::Amount(*amount)),
            Benefit::Amount(amount) => Some(*amount),
            Benefit::Percent(_) | Benefit::FreeDelivery => None,
        };
        if let Some(least) = self.least.filter(|least| least.minor <= 0) {
            return Err(BadGrant::Least(least));
        }
        if let (Some(amount), Some(least)) = (amount, self.least)
            && amount.currency != least.currency
        {
            return Err(BadGrant::Currencies { amount, least });
        }
        if let (Some(from), Some(until)) = (self.from, self.until)
            && until <= from
        {
            return Err(BadGrant::Period { from, until });
        }
        match (self.borne_by, &self.scope) {
            (BorneBy::Marketplace, _) | (BorneBy::Merchant, Scope::Merchant(_)) => Ok(()),
            (BorneBy::Merchant, Scope::Category(_) | Scope::Order) => Err(BadGrant::BorneBy),
        }
    }

    /// Why the basket does not have it, if it does not.
    fn missed(&self, basket: &Basket, now: Timestamp) -> Result<Option<NotGranted>, MoneyError> {
        if self.closed {
            return Ok(Some(NotGranted::Closed));
        }
        if let Some(from) = self.from.filter(|from| now < *from) {
            return Ok(Some(NotGranted::NotYet { from }));
        }
        if let Some(until) = self.until.filter(|until| now >= *until) {
            return Ok(Some(NotGranted::Over { until }));
        }
        let amount = match &self.benefit {
            Benefit::Amount(amount) => Some(*amount),
            Benefit::Percent(_) | Benefit::FreeDelivery => None,
        };
        if amount.iter().chain(&self.least).any(|amount| amount.currency != basket.currency) {
            return Ok(Some(NotGranted::OtherCurrency));
        }
        let mut lines = basket.lines.iter().filter(|line| self.scope.covers(line)).peekable();
        if lines.peek().is_none() {
            return Ok(Some(NotGranted::NothingInScope));
        }
        let Some(least) = self.least else { return Ok(None) };
        let value = lines.try_fold(Money::zero(basket.currency), |sum, line| {
            sum.plus(line.price.amount().times(line.quantity)?)
        })?;
        Ok((value.minor < least.minor).then_some(NotGranted::TooLittle { least, value }))
    }

    fn judged(&self, source: Source, basket: &Basket, now: Timestamp) -> Result<Judged, MoneyError> {
        let discount = || Discount {
            source: source.clone(),
            benefit: self.benefit.clone(),
            scope: self.scope.clone(),
            borne_by: self.borne_by,
        };
        let holds = self.missed(basket, now)?.map_or_else(|| Ok(discount()), Err);
        Ok(Judged { source, holds })
    }
}

impl Code {
    fn unless_used_up(&self) -> Result<(), NotGranted> {
        match self.grant.usage_limit {
            Some(limit) if self.used >= u64::from(limit.get()) => Err(NotGranted::UsedUp { limit }),
            Some(_) | None => Ok(()),
        }
    }
}

impl Grants {
    fn code(&self, name: &Word) -> Option<&Code> {
        self.codes.iter().find(|code| Spelling::of(&code.grant.name) == Spelling::of(name))
    }

    /// What an order takes with these discounts: a use of each limited code that has taken something off.
    pub fn redeemed(&self, granted: &[Granted]) -> Vec<Redemption> {
        let redeemed = granted.iter().filter_map(|Granted { source, came_to }| match (source, came_to) {
            (Source::Code(code), Ok(amount)) if amount.minor > 0 => {
                let limit = self.code(code)?.grant.usage_limit?;
                Some(Redemption { code: code.clone(), limit })
            }
            (Source::Code(_) | Source::Agreement(_), _) => None,
        });
        redeemed.collect()
    }

    /// Every agreement and every code of `codes`, in the order in which they apply.
    pub fn judge(&self, codes: &[Word], basket: &Basket, now: Timestamp) -> Result<Vec<Judged>, MoneyError> {
        let mut judged = Vec::new();
        for grant in self.agreements.iter().take(AGREEMENTS_MAX) {
            judged.push(grant.judged(Source::Agreement(grant.name.clone()), basket, now)?);
        }
        for code in codes.iter().take(CODES_MAX) {
            judged.push(match self.code(code) {
                // Told as the operator spells it.
                Some(known) => {
                    let Judged { source, holds } =
                        known.grant.judged(Source::Code(known.grant.name.clone()), basket, now)?;
                    Judged { source, holds: holds.and_then(|holds| known.unless_used_up().map(|()| holds)) }
                }
                None => Judged { source: Source::Code(code.clone()), holds: Err(NotGranted::Unknown) },
            });
        }
        Ok(judged)
    }
}

impl Granted {
    /// What was judged, with the amounts of the price that it led to.
    pub fn all(judged: Vec<Judged>, priced: &Priced) -> Vec<Self> {
        let mut amounts = priced.components.iter().filter_map(|component| match component {
            Component::Discount { amount, .. } => Some(*amount),
            Component::Items { .. }
            | Component::Delivery { .. }
            | Component::Tax { .. }
            | Component::TaxRelief { .. }
            | Component::Conversion { .. } => None,
        });
        let zero = Money::zero(priced.currency);
        let each = judged.into_iter().map(|Judged { source, holds }| {
            let came_to = holds.map(|_| amounts.next().unwrap_or(zero));
            Self { source, came_to }
        });
        each.collect()
    }
}

/// The position of an agreement whose name another one before it has.
pub fn named_twice(grants: &[Grant]) -> Option<usize> {
    let spelled: Vec<Spelling> = grants.iter().map(|grant| Spelling::of(&grant.name)).collect();
    spelled.iter().enumerate().position(|(at, name)| spelled.iter().take(at).any(|other| other == name))
}

#[cfg(test)]
mod tests;
