//! The terms of a plan, as bodies and answers spell them.

use domain::dunning::Policy;
use domain::id::{MerchantId, PlanId};
use domain::period::{Interval, Proration, Unit};
use domain::plan::{BadTerms, Gives, Goods, Terms, Tier};
use domain::text::{Category, Sku, Word};
use domain::{Currency, Money};
use edge::Check;
use events::Amount;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a plan costs and gives.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlanTerms"))]
pub(crate) struct TermsBody {
    interval: IntervalBody,
    /// Of a period, with the included units. With or without tax as the marketplace's prices are.
    price: Amount,
    #[serde(default)]
    included: u32,
    /// What further units cost, graduated; without tiers none can be had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::plan::TIERS_MAX)))]
    tiers: Vec<TierBody>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(max = domain::plan::TRIAL_DAYS_MAX)))]
    trial_days: u16,
    /// With the first charge, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    setup_fee: Option<Amount>,
    /// How a change within a period is reckoned.
    proration: Proration,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    tax_category: Option<String>,
    /// What other systems ask for: features of a service.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::plan::ITEMS_MAX)))]
    features: Vec<String>,
    /// Media that may be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::plan::ITEMS_MAX)))]
    media: Vec<String>,
    /// What is sent with each renewal, at its price of the day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::plan::ITEMS_MAX)))]
    goods: Vec<GoodsBody>,
    /// How failed payments are dealt with; tries on days 1, 3 and 7 if not said.
    #[serde(default)]
    dunning: Policy,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Interval"))]
struct IntervalBody {
    every: Unit,
    /// At most three years together.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::period::COUNT_MAX)))]
    count: u16,
}

fn one() -> u16 {
    1
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlanTier"))]
struct TierBody {
    /// So many units beyond the included ones, counted from the first of them; the last tier has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    up_to: Option<u32>,
    unit_price: Amount,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlanGoods"))]
struct GoodsBody {
    #[cfg_attr(feature = "schema", schemars(with = "MerchantId"))]
    merchant: String,
    #[cfg_attr(feature = "schema", schemars(with = "Sku"))]
    sku: String,
    /// For each unit of the subscription.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::plan::GOODS_MAX)))]
    quantity: u32,
}

impl TermsBody {
    pub(crate) fn of(terms: &Terms) -> Self {
        let words = |words: &[Word]| words.iter().map(ToString::to_string).collect();
        let Gives { features, media, goods } = &terms.gives;
        let tier = |tier: &Tier| TierBody { up_to: tier.up_to, unit_price: tier.unit_price.into() };
        let sent = |one: &Goods| GoodsBody {
            merchant: one.merchant.to_string(),
            sku: one.sku.to_string(),
            quantity: one.quantity,
        };
        Self {
            interval: IntervalBody { every: terms.interval.every, count: terms.interval.count },
            price: terms.price.into(),
            included: terms.included,
            tiers: terms.tiers.iter().map(tier).collect(),
            trial_days: terms.trial_days,
            setup_fee: terms.setup_fee.map(Amount::from),
            proration: terms.proration,
            tax_category: terms.category.as_ref().map(ToString::to_string),
            features: words(features),
            media: words(media),
            goods: goods.iter().map(sent).collect(),
            dunning: terms.dunning.clone(),
        }
    }

    /// The first version of these terms, if they make sense in the plan's currency.
    pub(crate) fn read(
        &self,
        check: &mut Check,
        (plan, currency): (PlanId, Currency),
        now: Timestamp,
    ) -> Option<Terms> {
        let price = check.money("terms.price", &self.price, currency);
        let fee = |fee| check.money("terms.setup_fee", fee, currency);
        let setup_fee = self.setup_fee.as_ref().map(fee);
        let category = check.maybe::<Category>("terms.tax_category", self.tax_category.as_deref());
        let features = check.all::<Word>("terms.features", &self.features);
        let media = check.all::<Word>("terms.media", &self.media);
        let tiers = (self.tiers.iter().enumerate()).filter_map(|(at, tier)| {
            let unit_price =
                check.money(format!("terms.tiers[{at}].unit_price"), &tier.unit_price, currency)?;
            Some(Tier { up_to: tier.up_to, unit_price })
        });
        let tiers: Vec<Tier> = tiers.collect();
        let goods = (self.goods.iter().enumerate()).filter_map(|(at, one)| {
            let merchant = check.parse::<MerchantId>(format!("terms.goods[{at}].merchant"), &one.merchant);
            let sku = check.parse::<Sku>(format!("terms.goods[{at}].sku"), &one.sku);
            Some(Goods { merchant: merchant?, sku: sku?, quantity: one.quantity })
        });
        let goods: Vec<Goods> = goods.collect();
        let setup_fee: Option<Money> = match setup_fee {
            Some(None) => return None,
            Some(fee) => fee,
            None => None,
        };
        let terms = Terms {
            plan,
            version: 1,
            published_at: now,
            interval: Interval { every: self.interval.every, count: self.interval.count },
            price: price?,
            included: self.included,
            tiers,
            trial_days: self.trial_days,
            setup_fee,
            proration: self.proration,
            category,
            gives: Gives { features, media, goods },
            dunning: self.dunning.clone(),
        };
        match terms.check(currency) {
            Ok(()) => Some(terms),
            Err(bad) => {
                let field = match &bad {
                    BadTerms::Interval(_) => "terms.interval",
                    BadTerms::Amount(_) => "terms.price",
                    BadTerms::Tiers => "terms.tiers",
                    BadTerms::Trial => "terms.trial_days",
                    BadTerms::Gives => "terms.features",
                    BadTerms::Goods => "terms.goods",
                    BadTerms::Dunning(_) => "terms.dunning",
                };
                check.wrong(field, "range", bad);
                None
            }
        }
    }
}
