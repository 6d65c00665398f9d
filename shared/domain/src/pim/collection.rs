//! Collections: products that belong together on a page, chosen by hand or by rules.
//!
//! A rule is a list of conditions of which all must hold, or any. Whether a collection has a product
//! ([`Collection::has`]) and whether it is on ([`Collection::is_on`]) are apart, so what will be on can be looked
//! at before; `at` is the moment that is asked about, now or to come. A page's order never depends on chance:
//! equals stand by their ids.

use crate::currency::Currency;
use crate::id::{MerchantId, ProductId};
use crate::money::{MAX_MINOR, Money};
use crate::pim::attribute::{Labels, Place, decimal};
use crate::pim::data::Data;
use crate::pim::measure::{Measure, Unit};
use crate::pim::sheet::Content;
use crate::text::{Category, Code, Word};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub const CONDITIONS_MAX: usize = 20;
/// What one condition lists.
pub const LISTED_MAX: usize = 100;
/// Products that are chosen by hand.
pub const CHOSEN_MAX: usize = 1_000;
/// Characters of titles that are compared.
const TITLE_COMPARED: usize = 60;
/// Milliseconds; the year 5138.
const MOMENT_MAX: i64 = 99_999_999_999_999;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub code: Code,
    #[serde(default, skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    pub members: Members,
    pub order: Order,
    /// Since when it is on; always, if none is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// From then on it is not on any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Members {
    Chosen(Vec<ProductId>),
    Rule(Rule),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub must: Must,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CollectionMust"))]
pub enum Must {
    All,
    Any,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub enum Condition {
    /// In one of them, or below it.
    Category {
        any: BTreeSet<Category>,
    },
    Attribute {
        attribute: Code,
        #[serde(default)]
        place: Place,
        test: Test,
    },
    Brand {
        any: BTreeSet<Word>,
    },
    /// The lowest price of its offers in that currency, both ends included.
    Price {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Money>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Money>,
    },
    /// Offered by one of them.
    Merchant {
        any: BTreeSet<MerchantId>,
    },
    /// Since then, and before that.
    Created {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// Not older than so many days.
    New {
        days: u16,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    Filled,
    /// It is one of these, or has one of them.
    Any(BTreeSet<Data>),
    /// A number, or a measure in the unit; both ends included.
    Between {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Decimal>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Decimal>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<Unit>,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CollectionOrder"))]
pub enum Order {
    /// As they were chosen; a rule's by their titles.
    Chosen,
    Newest,
    PriceUp,
    PriceDown,
    Title,
}

/// What rules ask of a product.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub product: &'a ProductId,
    pub title: &'a str,
    /// Its categories with all that they lie below.
    pub categories: &'a BTreeSet<Category>,
    pub content: &'a Content,
    pub brand: Option<&'a Word>,
    /// The lowest of its offers in each currency, as [`lowest`] puts them: the first is shown.
    pub prices: &'a [Money],
    /// The marketplace's currency.
    pub home: Option<Currency>,
    pub merchants: &'a BTreeSet<MerchantId>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadCollection {
    #[error("a rule has 1 to {CONDITIONS_MAX} conditions, not {0}")]
    Conditions(usize),
    #[error("condition {0} asks for nothing, for too much, or for a smallest above the largest")]
    Condition(usize),
    #[error("condition {0} has prices in {1} and {2}")]
    Currencies(usize, Currency, Currency),
    #[error("at most {CHOSEN_MAX} products are chosen by hand, each once")]
    Chosen,
    #[error("it would end before it begins")]
    Dates,
}

impl Collection {
    /// A collection that may be kept.
    pub fn check(&self) -> Result<(), BadCollection> {
        if self.from.zip(self.until).is_some_and(|(from, until)| until <= from) {
            return Err(BadCollection::Dates);
        }
        match &self.members {
            Members::Chosen(products) => {
                let once = products.iter().collect::<BTreeSet<_>>().len() == products.len();
                if once && products.len() <= CHOSEN_MAX { Ok(()) } else { Err(BadCollection::Chosen) }
            }
            Members::Rule(rule) => rule.check(),
        }
    }

    pub fn is_on(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.until.is_none_or(|until| at < until)
    }

    /// Whether the product is in it, on or not.
    pub fn has(&self, facts: &Facts<'_>, at: Timestamp) -> bool {
        match &self.members {
            Members::Chosen(products) => products.contains(facts.product),
            Members::Rule(rule) => matches(rule, facts, at),
        }
    }

    /// Where a product stands in it: texts whose order is the collection's, of which no two are the same.
    pub fn place(&self, facts: &Facts<'_>) -> String {
        let title = title(facts.title);
        let by = match (self.order, &self.members) {
            (Order::Chosen, Members::Chosen(products)) => {
                let place = products.iter().position(|product| product == facts.product);
                format!("{:04}", place.unwrap_or(CHOSEN_MAX))
            }
            (Order::Chosen, Members::Rule(_)) | (Order::Title, _) => title,
            (Order::Newest, _) => {
                format!("{:014}", MOMENT_MAX.saturating_sub(facts.created_at.as_millisecond().max(0)))
            }
            (Order::PriceUp, _) => facts.by_price(|minor| minor),
            (Order::PriceDown, _) => facts.by_price(|minor| MAX_MINOR.saturating_sub(minor)),
        };
        format!("{by}\u{1}{}", facts.product)
    }

    /// When a product that is in it at a moment leaves it, only because time goes by.
    pub fn leaves_at(&self, facts: &Facts<'_>, at: Timestamp) -> Option<Timestamp> {
        let Members::Rule(rule) = &self.members else { return None };
        let end = |condition: &Condition| match condition {
            Condition::New { days } => facts.created_at.checked_add(window(*days)).ok(),
            Condition::Category { .. }
            | Condition::Attribute { .. }
            | Condition::Brand { .. }
            | Condition::Price { .. }
            | Condition::Merchant { .. }
            | Condition::Created { .. } => None,
        };
        // A product is new until its window ends, that moment included.
        let after = |end: Timestamp| end.checked_add(SignedDuration::from_millis(1)).ok();
        let mut ends: Vec<Timestamp> = rule.conditions.iter().filter_map(end).filter_map(after).collect();
        ends.sort_unstable();
        ends.into_iter().find(|end| *end > at && !matches(rule, facts, *end))
    }
}

impl Facts<'_> {
    /// Prices of one currency are compared, the marketplace's first. What has no price stands last, whichever way.
    fn by_price(&self, order: impl Fn(i64) -> i64) -> String {
        let Some(Money { minor, currency }) = self.prices.first().copied() else { return "~".to_owned() };
        let minor = format!("{:016}", order(minor.clamp(0, MAX_MINOR)));
        match self.home {
            Some(home) if home != currency => format!("}}{}{minor}", currency.code()),
            Some(_) | None => minor,
        }
    }
}

/// The lowest price in each currency, that of the marketplace first.
pub fn lowest(prices: impl IntoIterator<Item = Money>, home: Option<Currency>) -> Vec<Money> {
    let mut lowest = BTreeMap::<Currency, Money>::new();
    for price in prices {
        let least = lowest.entry(price.currency).or_insert(price);
        least.minor = least.minor.min(price.minor);
    }
    let mut lowest: Vec<Money> = lowest.into_values().collect();
    lowest.sort_by_key(|price| price.rank(home));
    lowest
}

/// As titles are compared: whatever their capitals, by their beginning.
fn title(title: &str) -> String {
    title.chars().flat_map(char::to_lowercase).take(TITLE_COMPARED).collect()
}

fn window(days: u16) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

impl Rule {
    /// A rule that asks for something.
    pub fn check(&self) -> Result<(), BadCollection> {
        if !(1..=CONDITIONS_MAX).contains(&self.conditions.len()) {
            return Err(BadCollection::Conditions(self.conditions.len()));
        }
        for (at, condition) in self.conditions.iter().enumerate() {
            if let Condition::Price { min: Some(min), max: Some(max) } = condition
                && min.currency != max.currency
            {
                return Err(BadCollection::Currencies(at, min.currency, max.currency));
            }
            if !condition.asks() {
                return Err(BadCollection::Condition(at));
            }
        }
        Ok(())
    }
}

/// Whether one end is there, and the ends are in order.
fn bounded<T: PartialOrd>(min: Option<T>, max: Option<T>) -> bool {
    match (min, max) {
        (None, None) => false,
        (Some(min), Some(max)) => min <= max,
        (Some(_), None) | (None, Some(_)) => true,
    }
}

impl Condition {
    fn asks(&self) -> bool {
        let listed = |count: usize| (1..=LISTED_MAX).contains(&count);
        match self {
            Self::Category { any } => listed(any.len()),
            Self::Brand { any } => listed(any.len()),
            Self::Merchant { any } => listed(any.len()),
            Self::Price { min, max } => bounded(min.map(|min| min.minor), max.map(|max| max.minor)),
            Self::Created { from, until } => bounded(*from, *until),
            Self::New { days } => *days > 0,
            Self::Attribute { test, .. } => match test {
                Test::Filled => true,
                Test::Any(any) => listed(any.len()),
                Test::Between { min, max, .. } => bounded(*min, *max),
            },
        }
    }

    fn holds(&self, facts: &Facts<'_>, at: Timestamp) -> bool {
        match self {
            Self::Category { any } => !any.is_disjoint(facts.categories),
            Self::Brand { any } => facts.brand.is_some_and(|brand| any.contains(brand)),
            Self::Merchant { any } => !any.is_disjoint(facts.merchants),
            Self::Price { min, max } => facts.prices.iter().any(|price| {
                let known = |end: &Money| end.currency == price.currency;
                min.is_none_or(|min| known(&min) && min.minor <= price.minor)
                    && max.is_none_or(|max| known(&max) && price.minor <= max.minor)
            }),
            Self::Created { from, until } => {
                from.is_none_or(|from| from <= facts.created_at)
                    && until.is_none_or(|until| facts.created_at < until)
            }
            Self::New { days } => {
                let age = at.duration_since(facts.created_at);
                age >= SignedDuration::ZERO && age <= window(*days)
            }
            Self::Attribute { attribute, place, test } => {
                facts.content.value(None, attribute, place).is_some_and(|data| test.holds(data))
            }
        }
    }
}

impl Test {
    fn holds(&self, data: &Data) -> bool {
        match self {
            Self::Filled => true,
            Self::Any(any) => {
                any.contains(data)
                    || data.as_list().is_some_and(|list| list.iter().any(|one| any.contains(one)))
            }
            Self::Between { min, max, unit } => amount(data, *unit).is_some_and(|amount| {
                min.is_none_or(|min| min <= amount) && max.is_none_or(|max| amount <= max)
            }),
        }
    }
}

/// The number that is said, or the measure's in the unit.
fn amount(data: &Data, unit: Option<Unit>) -> Option<Decimal> {
    let Some(unit) = unit else { return decimal(data.as_text()?) };
    let map = data.as_map()?;
    let amount = decimal(map.get("amount")?.as_text()?)?;
    let said = Measure { amount, unit: map.get("unit")?.as_text()?.parse().ok()? };
    Some(said.convert(unit).ok()?.amount)
}

/// Whether a product is what the rule asks for, at a moment.
pub fn matches(rule: &Rule, facts: &Facts<'_>, at: Timestamp) -> bool {
    let holds = |condition: &Condition| condition.holds(facts, at);
    match rule.must {
        Must::All => rule.conditions.iter().all(holds),
        Must::Any => rule.conditions.iter().any(holds),
    }
}

#[cfg(test)]
mod tests;
