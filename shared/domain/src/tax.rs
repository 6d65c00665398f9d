//! Tax on sales: which rate holds for a line, what it comes to, and who owes it.
//!
//! Rates are rows that an operator edits and imports: area, category, first day, treatment. The smallest area with a
//! row for the line decides (a region's rows stand instead of the country's); within it the category's own row comes
//! before the one for all, and of those the latest that has begun. No row is no silence: the line says
//! `not_configured`. Invariants: every line has a reason, also at 0 %; with tax included, net + tax = gross.
//!
//! Absent on purpose: value limits of deemed supply, and whether a tax id is registered: the offices know.

pub mod id;
pub mod table;

use crate::money::{Money, MoneyError};
use crate::place::{Area, Country, Place, nearest};
use crate::text::Category;
use id::TaxId;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One row of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub area: Area,
    /// Only lines of this category; none means every line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// The first day; it holds until a later row of the same area and category.
    pub from: Date,
    pub treatment: Treatment,
}

/// What the law does with a line. Only what is taxed has a percentage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    Standard(Decimal),
    Reduced(Decimal),
    ZeroRated,
    Exempt,
    OutsideScope,
}

/// Why a line bears the tax that it bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    Standard,
    Reduced,
    ZeroRated,
    Exempt,
    /// The buyer, a business of another member state, declares the tax.
    ReverseCharge,
    OutsideScope,
    /// The table has no row: nobody has decided yet.
    NotConfigured,
}

impl Reason {
    /// The stable word for API and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Reduced => "reduced",
            Self::ZeroRated => "zero_rated",
            Self::Exempt => "exempt",
            Self::ReverseCharge => "reverse_charge",
            Self::OutsideScope => "outside_scope",
            Self::NotConfigured => "not_configured",
        }
    }
}

/// How prices and roundings are meant; stored on the order (A8(4)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mode {
    pub prices: Prices,
    pub rounding: Rounding,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prices {
    /// The tax is in the price.
    Included,
    /// The tax comes on top.
    Added,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// Once, on the line.
    Line,
    /// On each unit.
    Unit,
}

/// What an operator has decided about tax.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub rates: Vec<Rate>,
    pub mode: Mode,
    pub delivery: DeliveryTax,
    /// Where the marketplace owes the tax instead of the merchant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deemed: Vec<Deemed>,
    /// Whether businesses of other member states buy net.
    pub reverse_charge: bool,
}

/// What the price of delivery is taxed as.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryTax {
    /// A category of its own.
    Category(Category),
    /// Whatever is delivered: split by the value of the goods.
    Goods,
}

/// Sales into an area for which the marketplace is the supplier in the eyes of the law.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deemed {
    pub area: Area,
    pub sellers: Sellers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sellers {
    All,
    /// Only those outside the destination's tax territory.
    Abroad,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwedBy {
    Merchant,
    Marketplace,
    /// Under reverse charge.
    Customer,
}

impl OwedBy {
    /// The stable word for API and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Merchant => "merchant",
            Self::Marketplace => "marketplace",
            Self::Customer => "customer",
        }
    }
}

impl Prices {
    /// The stable word for API and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Included => "included",
            Self::Added => "added",
        }
    }
}

impl Rounding {
    /// The stable word for API and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::Unit => "unit",
        }
    }
}

/// From whom, to whom, where and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sale<'a> {
    pub seller: Country,
    pub buyer: Option<&'a TaxId>,
    pub place: &'a Place,
    pub on: Date,
}

/// The tax of one line, also where it is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    pub reason: Reason,
    pub percent: Decimal,
    /// Without the tax.
    pub base: Money,
    pub amount: Money,
    pub owed_by: OwedBy,
}

/// What the law takes of an amount: taken once, so that what is credited mirrors what was charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levy {
    pub prices: Prices,
    /// Of the table, also where nobody is charged with it.
    pub percent: Decimal,
    pub reason: Reason,
    pub owed_by: OwedBy,
}

impl Levy {
    /// The tax of a line that is charged with `charged`.
    pub fn line(
        &self,
        category: Option<&Category>,
        charged: Money,
        (units, rounding): (u32, Rounding),
    ) -> Result<TaxLine, MoneyError> {
        let Self { prices, percent, reason, owed_by } = *self;
        let tax = Mode { prices, rounding }.tax(charged, units, percent)?;
        let base = match prices {
            Prices::Included => charged.minus(tax)?,
            Prices::Added => charged,
        };
        let category = category.cloned();
        if reason == Reason::ReverseCharge {
            let (percent, amount) = (Decimal::ZERO, Money::zero(charged.currency));
            return Ok(TaxLine { category, reason, percent, base, amount, owed_by });
        }
        Ok(TaxLine { category, reason, percent, base, amount: tax, owed_by })
    }
}

/// Why a table of rates is refused; rows are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRate {
    #[error("row {row}: {percent} % is not between 0 and 100")]
    Percent { row: usize, percent: Decimal },
    #[error("row {row} says again what row {first} says: same area, category and first day")]
    Twice { row: usize, first: usize },
}

/// A table that may be stored.
pub fn check(rates: &[Rate]) -> Result<(), BadRate> {
    let mut seen = std::collections::BTreeMap::new();
    for (row, rate) in (1..).zip(rates) {
        let percent = rate.treatment.percent();
        if percent < Decimal::ZERO || percent > Decimal::ONE_HUNDRED {
            return Err(BadRate::Percent { row, percent });
        }
        if let Some(first) = seen.insert((&rate.area, &rate.category, rate.from), row) {
            return Err(BadRate::Twice { row, first });
        }
    }
    Ok(())
}

/// The row that holds for a line on a day.
pub fn rate_for<'a>(
    rates: &'a [Rate],
    place: &Place,
    category: Option<&Category>,
    on: Date,
) -> Option<&'a Rate> {
    let about = |rate: &&Rate| rate.category.is_none() || rate.category.as_ref() == category;
    let begun = rates.iter().filter(|rate| rate.from <= on).filter(about);
    let near = nearest(begun, |rate| std::slice::from_ref(&rate.area), place);
    near.into_iter().max_by_key(|rate| (rate.category.is_some(), rate.from))
}

impl Treatment {
    fn percent(self) -> Decimal {
        match self {
            Self::Standard(percent) | Self::Reduced(percent) => percent,
            Self::ZeroRated | Self::Exempt | Self::OutsideScope => Decimal::ZERO,
        }
    }

    fn reason(self) -> Reason {
        match self {
            Self::Standard(_) => Reason::Standard,
            Self::Reduced(_) => Reason::Reduced,
            Self::ZeroRated => Reason::ZeroRated,
            Self::Exempt => Reason::Exempt,
            Self::OutsideScope => Reason::OutsideScope,
        }
    }
}

impl Mode {
    /// The tax on what is charged for `units` equal units.
    fn tax(self, charged: Money, units: u32, percent: Decimal) -> Result<Money, MoneyError> {
        let of = |amount: Money| match self.prices {
            Prices::Added => amount.percent(percent),
            Prices::Included => {
                let gross = Decimal::ONE_HUNDRED.checked_add(percent);
                let part = amount.decimal().checked_mul(percent).and_then(|part| part.checked_div(gross?));
                Money::round(part.ok_or(MoneyError::Overflow)?, amount.currency)
            }
        };
        match self.rounding {
            Rounding::Unit if units > 1 => {
                // Equal units carry at most two amounts, one minor unit apart; the dearer ones come first.
                let (dear, cheap) =
                    (charged.share(1, units), charged.minus(charged.share(units - 1, units))?);
                let more = u32::try_from(charged.minus(cheap.times(units)?)?.minor);
                let more = more.map_err(|_| MoneyError::Overflow)?;
                of(dear)?.times(more)?.plus(of(cheap)?.times(units.saturating_sub(more))?)
            }
            Rounding::Unit | Rounding::Line => of(charged),
        }
    }
}

impl Policy {
    /// The tax of a line that is charged with `charged`, discounts taken off. With tax included, a buyer under reverse
    /// charge pays the base alone.
    pub fn line(
        &self,
        sale: &Sale<'_>,
        category: Option<&Category>,
        charged: Money,
        units: u32,
    ) -> Result<TaxLine, MoneyError> {
        self.levy(sale, category).line(category, charged, (units, self.mode.rounding))
    }

    /// What holds for every line of a category in a sale.
    pub fn levy(&self, sale: &Sale<'_>, category: Option<&Category>) -> Levy {
        let row = rate_for(&self.rates, sale.place, category, sale.on).map(|rate| rate.treatment);
        let percent = row.map_or(Decimal::ZERO, Treatment::percent);
        let reason = row.map_or(Reason::NotConfigured, Treatment::reason);
        let prices = self.mode.prices;
        if percent > Decimal::ZERO && self.reverse_charge && sale.crosses_a_border_between_businesses() {
            return Levy { prices, percent, reason: Reason::ReverseCharge, owed_by: OwedBy::Customer };
        }
        Levy { prices, percent, reason, owed_by: self.owed_by(sale) }
    }

    fn owed_by(&self, sale: &Sale<'_>) -> OwedBy {
        let deemed = |deemed: &Deemed| {
            deemed.area.covers(sale.place)
                && match deemed.sellers {
                    Sellers::All => true,
                    Sellers::Abroad => !sale.seller.one_tax_territory(&sale.place.country),
                }
        };
        if self.deemed.iter().any(deemed) { OwedBy::Marketplace } else { OwedBy::Merchant }
    }
}

impl Sale<'_> {
    /// Goods leave one member state of the Union for another, to a business that is registered outside the first.
    fn crosses_a_border_between_businesses(&self) -> bool {
        let abroad = |country: Country| country.in_union() && country != self.seller;
        self.seller.in_union()
            && abroad(self.place.country)
            && self.buyer.is_some_and(|buyer| abroad(buyer.country()))
    }
}

impl TaxLine {
    /// What the customer pays for the line.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.base.plus(self.amount)
    }
}

#[cfg(test)]
mod tests;
