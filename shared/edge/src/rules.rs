//! Fee rules as a body spells them: of the marketplace and of a merchant alike.

use crate::check::Check;
use domain::Currency;
use domain::commission::{self, Charge, Rule};
use domain::text::{Category, Word};
use events::Amount;
use serde::{Deserialize, Serialize};

/// A fee rule in a body: either `percent` of the item total or an amount `per_item`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FeeRule"))]
pub struct RuleBody {
    /// Which fee it sets, a word of yours: `commission`, `listing`. One fee is charged at most once per line.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    fee: String,
    /// Only lines of this category; every line, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    category: Option<String>,
    /// Decimal text, 0 to 100.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Percent>"))]
    percent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per_item: Option<Amount>,
}

impl RuleBody {
    pub fn of(rule: &Rule) -> Self {
        let (percent, per_item) = match &rule.charge {
            Charge::Percent(percent) => (Some(percent.to_string()), None),
            Charge::PerItem(amount) => (None, Some((*amount).into())),
        };
        let category = rule.category.as_ref().map(ToString::to_string);
        Self { fee: rule.fee.to_string(), category, percent, per_item }
    }

    /// The rules of a list, or what is wrong with them.
    pub fn read(check: &mut Check, field: &str, bodies: &[Self], currency: Currency) -> Vec<Rule> {
        let mut rules = Vec::with_capacity(bodies.len());
        for (position, body) in bodies.iter().enumerate() {
            let at = |name: &str| format!("{field}[{position}].{name}");
            let fee = check.parse::<Word>(at("fee"), &body.fee);
            let category = check.maybe::<Category>(at("category"), body.category.as_deref());
            let charge = match (&body.percent, &body.per_item) {
                (Some(percent), None) => check.parse(at("percent"), percent).map(Charge::Percent),
                (None, Some(amount)) => check.money(at("per_item"), amount, currency).map(Charge::PerItem),
                (None, None) | (Some(_), Some(_)) => {
                    check.wrong(at("percent"), "required", "give either `percent` or `per_item`");
                    None
                }
            };
            if let (Some(fee), Some(charge)) = (fee, charge) {
                rules.push(Rule { fee, category, charge });
            }
        }
        if let Err(error) = commission::check(&rules) {
            check.wrong(field, "range", error);
        }
        rules
    }
}
