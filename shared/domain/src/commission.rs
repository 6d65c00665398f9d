//! What the marketplace keeps: fee rules, and the fees they freeze on a line at placement.
//!
//! An operator orders the rules; for each fee the first rule that matches a line wins, a merchant's rules before the
//! marketplace's. Several fees may apply to one line. Invariant: a frozen fee never changes (A12(2)); a line's fees
//! are computed on its item total, never on delivery, half-up per fee.

use crate::money::{Money, MoneyError};
use crate::text::{Category, Word};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One rule of an ordered list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Which fee it sets: `commission`, `listing`, … One fee is charged at most once per line.
    pub fee: Word,
    /// Only lines of this category; none means every line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    pub charge: Charge,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// Percent of the line's item total: `15` is 15 %.
    Percent(Decimal),
    /// Per unit sold.
    PerItem(Money),
}

/// What a rule came to on one line, frozen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    pub fee: Word,
    pub amount: Money,
}

/// Why a rule is refused when it is set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadRule {
    #[error("{0} % is not between 0 and 100")]
    Percent(Decimal),
    #[error("{0} is negative")]
    Negative(Money),
    #[error("{0} rules are more than {RULES_MAX}")]
    TooMany(usize),
}

/// A list longer than this belongs into categories.
pub const RULES_MAX: usize = 100;

/// A list that may be stored: each percent within 0 to 100, no negative amount.
pub fn check(rules: &[Rule]) -> Result<(), BadRule> {
    if rules.len() > RULES_MAX {
        return Err(BadRule::TooMany(rules.len()));
    }
    rules.iter().try_for_each(|rule| match &rule.charge {
        Charge::Percent(percent) if *percent < Decimal::ZERO || *percent > Decimal::ONE_HUNDRED => {
            Err(BadRule::Percent(*percent))
        }
        Charge::PerItem(amount) if amount.minor < 0 => Err(BadRule::Negative(*amount)),
        Charge::Percent(_) | Charge::PerItem(_) => Ok(()),
    })
}

/// The fees of a line of `quantity` units worth `items` in all. A fixed fee is what `convert` makes of that of all
/// units, so that it is rounded once; in another currency than the items' it is an error.
pub fn freeze<'a, E: From<MoneyError>>(
    rules: impl IntoIterator<Item = &'a Rule>,
    category: Option<&Category>,
    items: Money,
    quantity: u32,
    convert: impl Fn(Money) -> Result<Money, E>,
) -> Result<Vec<Fee>, E> {
    let mut fees: Vec<Fee> = Vec::new();
    for rule in rules {
        let matches = rule.category.is_none() || rule.category.as_ref() == category;
        if !matches || fees.iter().any(|fee| fee.fee == rule.fee) {
            continue;
        }
        let amount = match &rule.charge {
            Charge::Percent(percent) => items.percent(*percent)?,
            Charge::PerItem(each) => Money::zero(items.currency).plus(convert(each.times(quantity)?)?)?,
        };
        fees.push(Fee { fee: rule.fee.clone(), amount });
    }
    Ok(fees)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    fn rule(fee: &str, category: Option<&str>, charge: Charge) -> Rule {
        Rule { fee: fee.parse().unwrap(), category: category.map(|c| c.parse().unwrap()), charge }
    }

    fn freeze(
        rules: impl IntoIterator<Item = impl std::borrow::Borrow<Rule>>,
        category: Option<&Category>,
        items: Money,
        quantity: u32,
    ) -> Result<Vec<Fee>, MoneyError> {
        let rules: Vec<Rule> = rules.into_iter().map(|rule| rule.borrow().clone()).collect();
        super::freeze(&rules, category, items, quantity, Ok)
    }

    fn amounts(fees: &[Fee]) -> Vec<(&str, i64)> {
        fees.iter().map(|fee| (fee.fee.as_str(), fee.amount.minor)).collect()
    }

    #[test]
    fn the_first_rule_that_matches_wins_for_each_fee() {
        let rules = [
            rule("commission", Some("books"), Charge::Percent(Decimal::from(8))),
            rule("commission", None, Charge::Percent(Decimal::from(15))),
            rule("commission", None, Charge::Percent(Decimal::from(99))),
            rule("handling", None, Charge::PerItem(eur(25))),
        ];
        let books = "books".parse().unwrap();
        let fees = freeze(&rules, Some(&books), eur(10_00), 2).unwrap();
        assert_eq!(amounts(&fees), [("commission", 80), ("handling", 50)]);
        let fees = freeze(&rules, None, eur(10_00), 2).unwrap();
        assert_eq!(amounts(&fees), [("commission", 150), ("handling", 50)]);
    }

    #[test]
    fn a_merchants_rules_come_before_the_marketplaces() {
        let own = [rule("commission", None, Charge::Percent(Decimal::from(5)))];
        let all = [rule("commission", None, Charge::Percent(Decimal::from(15)))];
        let fees = freeze(own.iter().chain(&all), None, eur(1_00), 1).unwrap();
        assert_eq!(amounts(&fees), [("commission", 5)]);
    }

    #[test]
    fn a_rule_out_of_bounds_is_refused_when_it_is_set() {
        let percent = |p: &str| rule("commission", None, Charge::Percent(p.parse().unwrap()));
        assert!(check(&[percent("0"), percent("100"), percent("12.5")]).is_ok());
        assert!(matches!(check(&[percent("100.01")]), Err(BadRule::Percent(_))));
        assert!(matches!(check(&[percent("-1")]), Err(BadRule::Percent(_))));
        assert!(matches!(check(&[rule("x", None, Charge::PerItem(eur(-1)))]), Err(BadRule::Negative(_))));
        assert!(matches!(check(&vec![percent("1"); 101]), Err(BadRule::TooMany(101))));
    }

    #[test]
    fn a_fixed_fee_of_another_currency_is_an_error_not_a_number() {
        let rules = [rule("handling", None, Charge::PerItem(Money::new(25, "USD".parse().unwrap())))];
        assert!(freeze(&rules, None, eur(10_00), 2).is_err());
    }
}
