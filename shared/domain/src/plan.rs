//! A plan: what customers subscribe to, and on which terms.
//!
//! Terms are versions: a new one never touches running subscriptions; each keeps the version that it began with until
//! somebody changes it. A version never changes.
//!
//! What a period costs: the price, with `included` units in it, then unit by unit along the tiers (graduated). Without
//! tiers no more than the included units can be had. Invariants: one plan has one currency and one kind of thing that
//! is sold; amounts are zero or more.

use crate::currency::Currency;
use crate::dunning;
use crate::id::{MerchantId, PlanId};
use crate::money::{Money, MoneyError};
use crate::order::QUANTITY_MAX;
use crate::period::{BadInterval, Interval, Proration};
use crate::text::{Category, ExternalId, Name, Sku, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub const TIERS_MAX: usize = 20;
pub const TRIAL_DAYS_MAX: u16 = 730;
/// Entitlements or kinds of goods of one plan.
pub const ITEMS_MAX: usize = 20;
/// Of one kind of goods, for each unit.
pub const GOODS_MAX: u32 = 1_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub id: PlanId,
    pub external_id: ExternalId,
    pub name: Name,
    pub currency: Currency,
    /// The newest version, counted from 1: who subscribes now gets it.
    pub version: u32,
    /// Nobody can subscribe any more; who has it keeps it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub closed: bool,
}

/// One version of a plan's terms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub plan: PlanId,
    pub version: u32,
    pub published_at: Timestamp,
    pub interval: Interval,
    pub price: Money,
    /// Units that the price includes.
    pub included: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
    #[serde(default)]
    pub trial_days: u16,
    /// With the first charge, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub setup_fee: Option<Money>,
    pub proration: Proration,
    /// What the tax is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    pub gives: Gives,
    pub dunning: dunning::Policy,
}

/// Units beyond the included ones, up to `up_to` of them in all; the last tier has no end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tier {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<u32>,
    pub unit_price: Money,
}

/// What a period gives.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gives {
    /// What other systems ask for: features of a service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<Word>,
    /// Media that may be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Word>,
    /// What is sent with each renewal, at its price of the day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub goods: Vec<Goods>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goods {
    pub merchant: MerchantId,
    pub sku: Sku,
    /// Of each unit of the subscription.
    pub quantity: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlanKind"))]
pub enum Kind {
    Product,
    Service,
    Content,
    /// Goods, and something that is no goods.
    Hybrid,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTerms {
    #[error(transparent)]
    Interval(#[from] BadInterval),
    #[error("`{0}` is negative or of another currency than the plan")]
    Amount(&'static str),
    #[error(
        "there are at most {TIERS_MAX} tiers, each goes further than the one before, and only the last has \
         no end; without any, some units are included"
    )]
    Tiers,
    #[error("a trial has at most {TRIAL_DAYS_MAX} days")]
    Trial,
    #[error("a plan gives something, and at most {ITEMS_MAX} of a kind")]
    Gives,
    #[error("goods cost what their offers do: the plan's own price is for what else it gives")]
    Goods,
    #[error(transparent)]
    Dunning(#[from] dunning::BadPolicy),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotPriced {
    #[error("the quantity is 1 to {QUANTITY_MAX}, not {0}")]
    Quantity(u32),
    #[error("the plan has at most {most} units, not {asked}")]
    TooMany { asked: u32, most: u32 },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Gives {
    pub fn kind(&self) -> Kind {
        match (self.goods.is_empty(), self.features.is_empty(), self.media.is_empty()) {
            (false, true, true) => Kind::Product,
            (false, _, _) => Kind::Hybrid,
            (true, true, false) => Kind::Content,
            (true, _, _) => Kind::Service,
        }
    }
}

impl Terms {
    /// Terms that may be published for a plan of this currency.
    pub fn check(&self, currency: Currency) -> Result<(), BadTerms> {
        self.interval.check()?;
        let fits = |amount: Money| amount.currency == currency && amount.minor >= 0;
        if !fits(self.price) {
            return Err(BadTerms::Amount("price"));
        }
        if self.setup_fee.is_some_and(|fee| !fits(fee)) {
            return Err(BadTerms::Amount("setup_fee"));
        }
        if self.tiers.iter().any(|tier| !fits(tier.unit_price)) {
            return Err(BadTerms::Amount("tiers"));
        }
        let ends: Vec<u32> = self.tiers.iter().map(|tier| tier.up_to.unwrap_or(u32::MAX)).collect();
        let rising = ends.windows(2).all(|two| matches!(two, [one, next] if one < next));
        // What has neither could be published and not bought; goods alone are priced by their shops.
        let units = self.included > 0 || !ends.is_empty();
        let nothing = self.gives.kind() != Kind::Product && !units;
        if self.tiers.len() > TIERS_MAX || !rising || ends.first() == Some(&0) || nothing {
            return Err(BadTerms::Tiers);
        }
        if self.trial_days > TRIAL_DAYS_MAX {
            return Err(BadTerms::Trial);
        }
        let Gives { features, media, goods } = &self.gives;
        let many = [features.len(), media.len(), goods.len()];
        if many.iter().all(|many| *many == 0) || many.iter().any(|many| *many > ITEMS_MAX) {
            return Err(BadTerms::Gives);
        }
        if goods.iter().any(|one| !(1..=GOODS_MAX).contains(&one.quantity)) {
            return Err(BadTerms::Gives);
        }
        let costs = self.price.minor > 0 || !self.tiers.is_empty() || self.setup_fee.is_some();
        if self.gives.kind() == Kind::Product && costs {
            return Err(BadTerms::Goods);
        }
        Ok(self.dunning.check()?)
    }

    /// What a whole period costs for a quantity, as priced: with or without tax as the marketplace's prices are.
    pub fn price_of(&self, quantity: u32) -> Result<Money, NotPriced> {
        if !(1..=QUANTITY_MAX).contains(&quantity) {
            return Err(NotPriced::Quantity(quantity));
        }
        let mut price = self.price;
        if self.gives.kind() == Kind::Product {
            return Ok(price);
        }
        let mut left = quantity.saturating_sub(self.included);
        let mut below = 0;
        for tier in &self.tiers {
            let room = tier.up_to.unwrap_or(u32::MAX).saturating_sub(below);
            let units = left.min(room);
            price = price.plus(tier.unit_price.times(units)?)?;
            left = left.saturating_sub(units);
            below = tier.up_to.unwrap_or(u32::MAX);
        }
        if left > 0 {
            return Err(NotPriced::TooMany { asked: quantity, most: quantity.saturating_sub(left) });
        }
        Ok(price)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::order::tests::{eur, id};

    fn terms(price: i64, included: u32, tiers: &[(Option<u32>, i64)]) -> Terms {
        Terms {
            plan: id("pln_00000001"),
            version: 1,
            published_at: Timestamp::UNIX_EPOCH,
            interval: Interval::MONTH,
            price: eur(price),
            included,
            tiers: tiers.iter().map(|(up_to, unit)| Tier { up_to: *up_to, unit_price: eur(*unit) }).collect(),
            trial_days: 14,
            setup_fee: None,
            proration: Proration::Second,
            category: None,
            gives: Gives { features: vec!["seats".parse().unwrap()], ..Gives::default() },
            dunning: dunning::Policy::default(),
        }
    }

    #[test]
    fn a_period_costs_its_price_and_the_units_beyond_it_along_the_tiers() {
        let starter = terms(19_00, 3, &[]);
        assert_eq!(starter.price_of(3), Ok(eur(19_00)));
        assert_eq!(starter.price_of(4), Err(NotPriced::TooMany { asked: 4, most: 3 }));
        assert_eq!(starter.price_of(0), Err(NotPriced::Quantity(0)));
        // 5 included, 5 more at 4.00, then 3.00 each.
        let tiered = terms(30_00, 5, &[(Some(5), 4_00), (None, 3_00)]);
        let prices = [(1, 30_00), (5, 30_00), (6, 34_00), (10, 50_00), (12, 56_00)];
        for (quantity, price) in prices {
            assert_eq!(tiered.price_of(quantity), Ok(eur(price)), "{quantity}");
        }
        assert_eq!(terms(0, 0, &[(None, 10_00)]).price_of(3), Ok(eur(30_00)), "by the seat");
    }

    #[test]
    fn terms_that_make_no_sense_are_not_published() {
        let eur_of = id("EUR");
        let good = terms(19_00, 3, &[]);
        assert_eq!(good.check(eur_of), Ok(()));
        assert_eq!(good.check(id("USD")), Err(BadTerms::Amount("price")));
        assert_eq!(terms(-1, 0, &[]).check(eur_of), Err(BadTerms::Amount("price")));
        for tiers in [&[(Some(5), 1), (Some(5), 1)][..], &[(None, 1), (Some(5), 1)], &[(Some(0), 1)], &[]] {
            assert_eq!(terms(0, 0, tiers).check(eur_of), Err(BadTerms::Tiers), "{tiers:?}");
        }
        assert_eq!(Terms { trial_days: 731, ..good.clone() }.check(eur_of), Err(BadTerms::Trial));
        assert_eq!(Terms { gives: Gives::default(), ..good.clone() }.check(eur_of), Err(BadTerms::Gives));
        let goods = vec![Goods { merchant: id("mer_00000001"), sku: id("tea"), quantity: 1 }];
        let gives = Gives { goods, ..Gives::default() };
        assert_eq!(Terms { gives: gives.clone(), ..good.clone() }.check(eur_of), Err(BadTerms::Goods));
        // Goods alone have no units of their own to price.
        assert_eq!(Terms { gives, ..terms(0, 0, &[]) }.check(eur_of), Ok(()));
        let interval = Interval { every: crate::period::Unit::Year, count: 9 };
        assert_eq!(Terms { interval, ..good }.check(eur_of), Err(BadTerms::Interval(BadInterval)));
    }
}
