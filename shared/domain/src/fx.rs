//! Exchange rates: one currency in terms of another on a day, with the margin that is added shown beside it.
//!
//! A converted amount always carries what it was and the rate it came by; nothing converts silently. The one rounding
//! is [`Money::round`], half-up. The rate is frozen with the order: its merchants settle and pay back at that one.

use crate::currency::Currency;
use crate::money::{Money, MoneyError};
use crate::text::Word;
use jiff::ToSpan;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// One `base` is `rate` of `quote`, before the margin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FxRate {
    pub base: Currency,
    pub quote: Currency,
    pub rate: Decimal,
    pub as_of: Date,
    /// What the marketplace adds for the risk: `2` makes 100 into 102.
    pub margin_percent: Decimal,
    /// Who says so, like `ECB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Word>,
}

/// Rates of one marketplace.
pub const RATES_MAX: usize = 400;

/// A rate of exchange that is older is no rate.
pub const RATE_DAYS: u16 = 7;

/// All rates of a marketplace, of every pair and day that its operator has put there.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    pub rates: Vec<FxRate>,
}

/// An amount in another currency, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Converted {
    pub original: Money,
    /// With the margin in it.
    pub amount: Money,
    pub margin: Money,
    pub rate: FxRate,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FxError {
    #[error("there is no rate from {from} to {to} for that day")]
    NoRate { from: Currency, to: Currency },
    #[error("the latest rate from {from} to {to} is of {as_of}: too old")]
    Stale { from: Currency, to: Currency, as_of: Date },
    #[error("{0} is no rate: want two currencies, and more than zero")]
    Rate(Decimal),
    #[error("{0} % is no margin: want 0 to 100")]
    Margin(Decimal),
    #[error("{from} is less than the smallest amount of {to}")]
    Vanishes { from: Money, to: Currency },
    #[error("the pair {from} to {to} stands there twice for {as_of}")]
    Twice { from: Currency, to: Currency, as_of: Date },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Sheet {
    /// A sheet that may be stored; else the row (from 0) and what is wrong with it.
    pub fn check(&self) -> Result<(), (usize, FxError)> {
        for (row, rate) in self.rates.iter().enumerate() {
            rate.check().map_err(|bad| (row, bad))?;
            let same = |other: &FxRate| {
                (other.base, other.quote, other.as_of) == (rate.base, rate.quote, rate.as_of)
            };
            if self.rates.iter().take(row).any(same) {
                return Err((row, FxError::Twice { from: rate.base, to: rate.quote, as_of: rate.as_of }));
            }
        }
        Ok(())
    }
}

/// The latest rate of a day or of up to [`RATE_DAYS`] days before it.
pub fn find(rates: &[FxRate], from: Currency, to: Currency, on: Date) -> Result<&FxRate, FxError> {
    let known = rates.iter().filter(|rate| rate.base == from && rate.quote == to && rate.as_of <= on);
    let rate = known.max_by_key(|rate| rate.as_of).ok_or(FxError::NoRate { from, to })?;
    if rate.as_of < on.saturating_sub(i64::from(RATE_DAYS).days()) {
        return Err(FxError::Stale { from, to, as_of: rate.as_of });
    }
    Ok(rate)
}

impl FxRate {
    /// A rate that may be stored.
    pub fn check(&self) -> Result<(), FxError> {
        if self.rate <= Decimal::ZERO || self.base == self.quote {
            return Err(FxError::Rate(self.rate));
        }
        if self.margin_percent < Decimal::ZERO || self.margin_percent > Decimal::ONE_HUNDRED {
            return Err(FxError::Margin(self.margin_percent));
        }
        Ok(())
    }

    /// The rate with the margin in it.
    fn charged(&self) -> Result<Decimal, MoneyError> {
        let margin = Decimal::ONE_HUNDRED.checked_add(self.margin_percent);
        let rate = margin.and_then(|margin| self.rate.checked_mul(margin)?.checked_div(Decimal::ONE_HUNDRED));
        rate.ok_or(MoneyError::Overflow)
    }

    /// An amount of `base` in `quote`. Something never becomes nothing.
    pub fn convert(&self, original: Money) -> Result<Converted, FxError> {
        let in_to = |rate: Decimal| {
            let value = original.decimal().checked_mul(rate).ok_or(MoneyError::Overflow)?;
            Money::round(value, self.quote)
        };
        if original.currency != self.base {
            return Err(MoneyError::Mixed { left: self.base, right: original.currency }.into());
        }
        self.check()?;
        let amount = in_to(self.charged()?)?;
        if amount.minor == 0 && original.minor != 0 {
            return Err(FxError::Vanishes { from: original, to: self.quote });
        }
        let margin = amount.minus(in_to(self.rate)?)?;
        Ok(Converted { original, amount, margin, rate: self.clone() })
    }

    /// What `charged`, an amount of `quote` with the margin in it, is to the one who sells in `base`.
    pub fn own(&self, charged: Money) -> Result<Money, MoneyError> {
        if charged.currency != self.quote {
            return Err(MoneyError::Mixed { left: self.quote, right: charged.currency });
        }
        let own = charged.decimal().checked_div(self.charged()?).ok_or(MoneyError::Overflow)?;
        Money::round(own, self.base)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;
    use proptest::prelude::*;

    fn money(minor: i64, code: &str) -> Money {
        Money::new(minor, code.parse().unwrap())
    }

    fn rate(base: &str, quote: &str, rate: &str, margin: &str) -> FxRate {
        let [base, quote] = [base, quote].map(|code| code.parse().unwrap());
        let [rate, margin_percent] = [rate, margin].map(|text| text.parse().unwrap());
        FxRate { base, quote, rate, as_of: date(2026, 3, 2), margin_percent, source: None }
    }

    #[test]
    fn a_converted_amount_shows_its_margin() {
        for (original, to, by, margin, want, shown) in [
            (money(10_00, "USD"), "EUR", "0.92", "2", "9.38 EUR", "0.18 EUR"), // 9.384 against 9.20
            (money(10_00, "USD"), "EUR", "0.92", "0", "9.20 EUR", "0.00 EUR"),
            (money(19_99, "EUR"), "JPY", "161.37", "1.5", "3274 JPY", "48 JPY"), // 3274.17 and 3225.79
            (money(1500, "JPY"), "KWD", "0.00205", "0", "3.075 KWD", "0.000 KWD"),
            (money(1_005, "KWD"), "USD", "3.25", "3", "3.36 USD", "0.09 USD"), // 3.3642 and 3.26625
            (money(0, "USD"), "EUR", "0.92", "2", "0.00 EUR", "0.00 EUR"),
        ] {
            let converted = rate(original.currency.code(), to, by, margin).convert(original).unwrap();
            assert_eq!(
                (converted.amount.to_string(), converted.margin.to_string()),
                (want.into(), shown.into())
            );
        }
    }

    #[test]
    fn something_never_becomes_nothing_and_currencies_never_meet() {
        let to_eur = rate("JPY", "EUR", "0.0062", "0");
        let vanishes = FxError::Vanishes { from: money(1, "JPY"), to: to_eur.quote };
        assert_eq!(rate("JPY", "EUR", "0.0049", "0").convert(money(1, "JPY")), Err(vanishes));
        assert_eq!(to_eur.convert(money(1, "JPY")).unwrap().amount, money(1, "EUR"));
        assert!(matches!(to_eur.convert(money(1, "USD")), Err(FxError::Money(MoneyError::Mixed { .. }))));
        assert!(matches!(rate("JPY", "EUR", "0", "0").convert(money(1, "JPY")), Err(FxError::Rate(_))));
        assert!(matches!(rate("EUR", "EUR", "1", "0").check(), Err(FxError::Rate(_))));
        assert!(matches!(rate("JPY", "EUR", "1", "-1").check(), Err(FxError::Margin(_))));
    }

    #[test]
    fn a_sheet_says_each_pair_once_a_day() {
        let day = |day| FxRate { as_of: date(2026, 3, day), ..rate("USD", "EUR", "0.92", "2") };
        assert_eq!(Sheet { rates: vec![day(2), day(3)] }.check(), Ok(()));
        let (row, twice) = Sheet { rates: vec![day(2), day(3), day(2)] }.check().unwrap_err();
        assert_eq!(
            (row, twice.to_string().as_str()),
            (2, "the pair USD to EUR stands there twice for 2026-03-02")
        );
        let same = Sheet { rates: vec![day(2), rate("EUR", "EUR", "1", "0")] };
        assert!(matches!(same.check(), Err((1, FxError::Rate(_)))));
    }

    #[test]
    fn the_latest_rate_of_a_day_is_taken_unless_it_is_too_old() {
        let on = |day| FxRate { as_of: date(2026, 3, day), ..rate("USD", "EUR", "0.92", "2") };
        let rates = [on(2), on(9), on(5)];
        let [usd, eur] = ["USD", "EUR"].map(|code| code.parse().unwrap());
        let found = |day| find(&rates, usd, eur, date(2026, 3, day)).map(|rate| rate.as_of.day());
        assert_eq!(found(4), Ok(2));
        assert_eq!(found(8), Ok(5));
        assert_eq!(found(16), Ok(9));
        assert_eq!(found(17), Err(FxError::Stale { from: usd, to: eur, as_of: date(2026, 3, 9) }));
        assert_eq!(found(1), Err(FxError::NoRate { from: usd, to: eur }));
        assert_eq!(find(&rates, eur, usd, date(2026, 3, 9)), Err(FxError::NoRate { from: eur, to: usd }));
    }

    proptest! {
        #[test]
        fn what_is_converted_and_settled_is_what_it_was(minor in 1_i64..100_000_000, margin in 0_i64..1_000) {
            // The other currency is the finer one, so nothing is lost on the way.
            let by = FxRate { margin_percent: Decimal::new(margin, 2), ..rate("EUR", "KWD", "3.3", "0") };
            let converted = by.convert(money(minor, "EUR")).unwrap();
            prop_assert_eq!(by.own(converted.amount).unwrap(), money(minor, "EUR"));
        }
    }
}
