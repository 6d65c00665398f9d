//! A discount as bodies spell it, whether of a code or of an agreement.

use domain::discount::{BadGrant, Grant};
use domain::id::{MarketplaceId, MerchantId};
use domain::merchant::Merchant;
use domain::pricing::{Benefit, BorneBy, Scope};
use domain::text::{Category, Word};
use edge::{Check, Problem, World};
use events::Amount;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use table::Key;

/// Exactly one of `percent`, `amount` and `free_delivery`; for everything, for one `category` or for one `merchant`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Discount"))]
pub(crate) struct GrantBody {
    /// Of a code, what is typed. Compared without case; at most 64 characters.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    name: String,
    /// Decimal text: `10` takes 10 % off, more than 0 and at most 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::PercentOff>"))]
    percent: Option<String>,
    /// Off everything that it is for together; carts of another currency do not have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    amount: Option<Amount>,
    /// The delivery of every merchant with something that it is for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    free_delivery: bool,
    /// Only goods of this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    category: Option<String>,
    /// Only goods of this merchant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// Whose earning it lessens; the merchant's only where it is for that merchant's goods.
    #[serde(default)]
    borne_by: BorneByWord,
    /// The first moment at which it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    starts_at: Option<String>,
    /// The first moment at which it does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    ends_at: Option<String>,
    /// What the goods that it is for have to cost at least, before any discount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    minimum: Option<Amount>,
    /// Of a code: so many orders have it, all together, at least 1; of an agreement nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    usage_limit: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BorneBy"))]
enum BorneByWord {
    #[default]
    Marketplace,
    Merchant,
}

impl GrantBody {
    pub(crate) fn of(grant: &Grant) -> Self {
        let (percent, amount, free_delivery) = match &grant.benefit {
            Benefit::Percent(percent) => (Some(percent.to_string()), None, false),
            Benefit::Amount(amount) => (None, Some((*amount).into()), false),
            Benefit::FreeDelivery => (None, None, true),
        };
        let (category, merchant) = match &grant.scope {
            Scope::Category(category) => (Some(category.to_string()), None),
            Scope::Merchant(merchant) => (None, Some(merchant.to_string())),
            Scope::Order => (None, None),
        };
        Self {
            name: grant.name.to_string(),
            percent,
            amount,
            free_delivery,
            category,
            merchant,
            borne_by: match grant.borne_by {
                BorneBy::Marketplace => BorneByWord::Marketplace,
                BorneBy::Merchant => BorneByWord::Merchant,
            },
            starts_at: grant.from.map(|at| at.to_string()),
            ends_at: grant.until.map(|at| at.to_string()),
            minimum: grant.least.map(Amount::from),
            usage_limit: grant.usage_limit.map(NonZeroU32::get),
        }
    }

    /// What it says, if it makes sense; `prefix` is where it stands in the body: empty, or `agreements[0].`.
    pub(crate) fn read(&self, check: &mut Check, prefix: &str) -> Option<Grant> {
        let field = |name: &str| format!("{prefix}{name}");
        let name = check.parse::<Word>(field("name"), &self.name);
        let benefit =
            check.benefit(prefix, self.percent.as_deref(), self.amount.as_ref(), self.free_delivery);
        let category = check.maybe::<Category>(field("category"), self.category.as_deref());
        let merchant = check.maybe::<MerchantId>(field("merchant"), self.merchant.as_deref());
        if self.category.is_some() && self.merchant.is_some() {
            check.wrong(
                field("category"),
                "conflict",
                "it is for a `category` or for a `merchant`, not both",
            );
        }
        let from = check.maybe::<Timestamp>(field("starts_at"), self.starts_at.as_deref());
        let until = check.maybe::<Timestamp>(field("ends_at"), self.ends_at.as_deref());
        let least = self.minimum.as_ref().and_then(|amount| check.any_money(&field("minimum"), amount));
        let usage_limit = self.usage_limit.and_then(|limit| {
            let limit = NonZeroU32::new(limit);
            if limit.is_none() {
                check.wrong(field("usage_limit"), "range", "0 orders is no limit: want 1 or more, or none");
            }
            limit
        });
        let grant = Grant {
            name: name?,
            benefit: benefit?,
            scope: match (category, merchant) {
                (Some(category), _) => Scope::Category(category),
                (None, Some(merchant)) => Scope::Merchant(merchant),
                (None, None) => Scope::Order,
            },
            borne_by: match self.borne_by {
                BorneByWord::Marketplace => BorneBy::Marketplace,
                BorneByWord::Merchant => BorneBy::Merchant,
            },
            from,
            until,
            least,
            usage_limit,
            closed: false,
        };
        match grant.check() {
            Ok(()) => Some(grant),
            Err(bad) => {
                let (name, code) = match &bad {
                    BadGrant::Percent(_) => ("percent", "range"),
                    BadGrant::Amount(_) => ("amount", "range"),
                    BadGrant::Least(_) => ("minimum", "range"),
                    BadGrant::Currencies { .. } => ("minimum", "currency"),
                    BadGrant::Period { .. } => ("ends_at", "range"),
                    BadGrant::BorneBy => ("borne_by", "conflict"),
                };
                check.wrong(field(name), code, bad);
                None
            }
        }
    }
}

/// The merchants that discounts are for have to be there: one batch read, where there are any. `at` names the field of
/// the n-th discount.
pub(crate) async fn known_merchants(
    world: &World,
    m: &MarketplaceId,
    grants: &[Grant],
    at: impl Fn(usize) -> String,
) -> Result<(), Problem> {
    let of = |grant: &Grant| match &grant.scope {
        Scope::Merchant(merchant) => Some(merchant.clone()),
        Scope::Category(_) | Scope::Order => None,
    };
    let wanted: BTreeSet<MerchantId> = grants.iter().filter_map(of).collect();
    let keys: Vec<Key> = wanted.iter().map(|merchant| Key::merchant(m, merchant)).collect();
    let found = world.table.load_all::<Merchant>(&keys).await?;
    let mut check = Check::new();
    for (n, grant) in grants.iter().enumerate() {
        if let Some(merchant) = of(grant).filter(|of| !found.iter().any(|held| held.value.id == *of)) {
            check.wrong(at(n), "unknown", format!("there is no merchant {merchant}"));
        }
    }
    check.done()
}
