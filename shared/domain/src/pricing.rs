//! What a basket costs: the one function that computes every total, and says how each came about.
//!
//! | step | what |
//! |---|---|
//! | 1 | items: quantity × unit price, in the cart's currency |
//! | 2 | discounts of a category or a merchant, then those of the whole order (A6(4)), each on what the former left |
//! | 3 | delivery per merchant, as chosen, less free delivery |
//! | 4 | tax of each line and of each delivery |
//! | 5 | totals per merchant; their sum is what the customer pays (A10(1)) |
//!
//! Invariants: a discount is split over its lines by largest remainder, ties by index, and Σ shares = the discount
//! (A6(1)); no line goes below zero (A6(6)); a line's total is the truth, its unit price derived (A8(5)); a price of
//! another currency carries its conversion; the same basket always comes to the same.
//!
//! Absent on purpose: which codes hold ([`crate::discount`]) and what stacks with what. Lines with problems are counted
//! like all others: the customer sees what was in the basket, and the gate before the payment refuses.

mod compute;
mod explain;
pub use compute::price;
pub use explain::Component;

use crate::currency::Currency;
use crate::delivery::{Parcel, Service};
use crate::fx::{Converted, FxError, FxRate};
use crate::id::{MerchantId, OfferId};
use crate::money::{Money, MoneyError};
use crate::order::{LINES_MAX, MERCHANTS_MAX, QUANTITY_MAX};
use crate::place::{Country, Place};
use crate::tax::id::TaxId;
use crate::tax::{Mode, TaxLine};
use crate::text::{Category, Word};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Discounts on one basket.
pub const DISCOUNTS_MAX: usize = 20;

/// What is to be priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basket {
    pub currency: Currency,
    pub lines: Vec<Line>,
    /// One for each merchant of the lines.
    pub sellers: Vec<Seller>,
    /// In the order in which they apply within their step.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Discount>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name in the basket.
    pub number: u16,
    pub merchant: MerchantId,
    pub offer: OfferId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    pub quantity: u32,
    pub price: Price,
    /// What the unit cost when it came into the basket.
    pub price_when_added: Money,
    /// The most units that one basket may have of the offer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Units that can be had; none where stock is not counted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u32>,
    /// Of one unit.
    pub grams: u32,
    pub status: Status,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Buyable,
    /// Withdrawn, or its merchant does not sell.
    Unavailable,
}

/// An amount in the cart's currency: as offered, or converted in the open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    Offered(Money),
    Converted(Converted),
}

impl Price {
    pub fn amount(&self) -> Money {
        match self {
            Self::Offered(amount) => *amount,
            Self::Converted(converted) => converted.amount,
        }
    }

    fn rate(&self) -> Option<&FxRate> {
        match self {
            Self::Offered(_) => None,
            Self::Converted(converted) => Some(&converted.rate),
        }
    }
}

/// A merchant as the basket needs to know it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    pub merchant: MerchantId,
    /// Where it sells from, in the eyes of the tax office.
    pub country: Country,
    /// None as long as none is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Chosen>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub service: Service,
    pub price: Price,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discount {
    pub source: Source,
    pub benefit: Benefit,
    pub scope: Scope,
    pub borne_by: BorneBy,
}

/// Where a discount comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Code(Word),
    Agreement(Word),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Benefit {
    /// Of the items in scope: `10` is 10 %.
    Percent(Decimal),
    /// Off the items in scope together, at most what is left of them.
    Amount(Money),
    /// For every merchant with a line in scope.
    FreeDelivery,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    Category(Category),
    Merchant(MerchantId),
    Order,
}

/// Whose earning a discount lessens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BorneBy {
    Merchant,
    Marketplace,
}

/// Where the basket goes, and who buys it when. The place may be an estimate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Destination {
    pub place: Place,
    pub on: Date,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub buyer: Option<TaxId>,
}

/// The answer. Lines and merchants stand in the basket's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Priced {
    pub currency: Currency,
    pub mode: Mode,
    pub lines: Vec<PricedLine>,
    pub merchants: Vec<PricedMerchant>,
    pub totals: Totals,
    /// Their contributions sum to the total.
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    pub number: u16,
    pub merchant: MerchantId,
    pub quantity: u32,
    pub price: Price,
    /// Quantity × price.
    pub items: Money,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Share>,
    pub tax: TaxLine,
    pub total: Money,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
}

/// What a line or a delivery has of a discount.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub source: Source,
    pub amount: Money,
    pub borne_by: BorneBy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedMerchant {
    pub merchant: MerchantId,
    /// Of everything in its part.
    pub grams: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<PricedDelivery>,
    pub totals: Totals,
    /// At which it settles in its own currency, where its prices were converted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<FxRate>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedDelivery {
    pub service: Service,
    pub price: Price,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Share>,
    /// One for each category that it is taxed as.
    pub taxes: Vec<TaxLine>,
    pub total: Money,
}

/// total = items + delivery − discount − relief, and + tax where prices are without it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub items: Money,
    pub delivery: Money,
    /// On items and delivery.
    pub discount: Money,
    /// What the marketplace bears of the discount.
    pub supported: Money,
    pub tax: Money,
    /// Tax that stands in the prices and is not owed, the buyer being under reverse charge.
    pub relief: Money,
    pub total: Money,
}

/// Why a line cannot be bought as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Problem {
    #[error("{available} can be had, {wanted} are wanted")]
    InsufficientStock { wanted: u64, available: u32 },
    #[error("{wanted} are wanted, and one order may have {limit}")]
    OverLimit { wanted: u64, limit: u32 },
    #[error("it is not for sale")]
    Unavailable,
    #[error("its price was {was} when it was added and is {now}")]
    PriceChanged { was: Money, now: Money },
}

impl Problem {
    /// A changed price is to be seen; the others stop the purchase.
    pub fn stops(&self) -> bool {
        match self {
            Self::InsufficientStock { .. } | Self::OverLimit { .. } | Self::Unavailable => true,
            Self::PriceChanged { .. } => false,
        }
    }
}

/// Why a basket has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a basket has at most {LINES_MAX} lines, not {0}")]
    LineCount(usize),
    #[error("a basket has at most {MERCHANTS_MAX} merchants, not {0}")]
    MerchantCount(usize),
    #[error("a basket has at most {DISCOUNTS_MAX} discounts, not {0}")]
    DiscountCount(usize),
    #[error("two lines have the number {0}")]
    Number(u16),
    #[error("line {line} has quantity {quantity}: want 1 to {QUANTITY_MAX}")]
    Quantity { line: u16, quantity: u32 },
    #[error("{0} sells in the basket, but nothing is known of it")]
    NoSeller(MerchantId),
    #[error("{0} % is no discount: want 0 to 100")]
    Percent(Decimal),
    #[error("prices of {0} are converted at more than one rate")]
    TwoRates(MerchantId),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Fx(#[from] FxError),
}

impl Priced {
    /// Whether the gate before the payment may open, as far as lines go.
    pub fn stopped(&self) -> bool {
        self.lines.iter().flat_map(|line| &line.problems).any(Problem::stops)
    }
}

impl PricedLine {
    /// What one unit comes to, for showing: the total is the truth (A8(5)).
    pub fn unit_total(&self) -> Result<Money, MoneyError> {
        let each = self.total.decimal().checked_div(Decimal::from(self.quantity));
        Money::round(each.ok_or(MoneyError::Overflow)?, self.total.currency)
    }
}

impl PricedMerchant {
    /// What is to be brought, in the merchant's currency: what its delivery rates ask for. Of the basket's `lines` its
    /// own count at the prices that it has set, not at what those come to there and back.
    pub fn parcel(&self, lines: &[PricedLine]) -> Result<Parcel, FxError> {
        let of_delivery = self.delivery.iter().flat_map(|delivery| &delivery.discounts);
        let of_delivery = Money::sum(self.totals.total.currency, of_delivery.map(|share| share.amount))?;
        let discount = self.totals.discount.minus(of_delivery)?;
        let value = match &self.rate {
            Some(rate) => {
                let mut goods = Money::zero(rate.base);
                for line in lines.iter().filter(|line| line.merchant == self.merchant) {
                    let each = match &line.price {
                        Price::Converted(converted) => converted.original,
                        Price::Offered(seen) => rate.own(*seen)?,
                    };
                    goods = goods.plus(each.times(line.quantity)?)?;
                }
                goods.minus(rate.own(discount)?)?
            }
            None => self.totals.items.minus(discount)?,
        };
        Ok(Parcel { grams: self.grams, value })
    }
}

#[cfg(test)]
pub(crate) mod tests;
