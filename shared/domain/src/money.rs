//! Money: a whole number of a currency's minor unit.
//!
//! Invariant: amounts of different currencies never meet; sums never wrap; nothing passes through a float.
//! There is no `+` on [`Money`]: the caller must say what a failed sum means.

use crate::currency::Currency;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// An amount, possibly negative. At rest it is the pair `[minor, currency]`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(i64, Currency)", into = "(i64, Currency)")]
pub struct Money {
    /// Minor units: cents for EUR, yen for JPY.
    pub minor: i64,
    pub currency: Currency,
}

/// Why amounts could not be brought together, or a text is no amount.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{right} cannot be added to {left}: one sum has one currency")]
    Mixed { left: Currency, right: Currency },
    #[error("the amount does not fit: at most {MAX_MINOR} minor units")]
    Overflow,
    #[error("`{text}` is not a decimal amount like 19.99")]
    NotANumber { text: String },
    #[error("`{text}` has more decimals than {currency} has ({exponent})")]
    Decimals { text: String, currency: Currency, exponent: u8 },
    #[error("{0} is negative where only zero or more makes sense")]
    Negative(Money),
}

/// The largest amount taken from outside, in minor units: a thousand of them still sum without wrapping.
pub const MAX_MINOR: i64 = 1_000_000_000_000_000;

impl Money {
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    pub const fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a decimal text exactly; more decimals than the currency has are refused, not rounded.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let shown = || text.chars().take(40).collect::<String>();
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.bytes().filter(|b| *b == b'.').count() <= 1
            && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
            && digits.starts_with(|c: char| c.is_ascii_digit())
            && digits.ends_with(|c: char| c.is_ascii_digit());
        let refuse = || MoneyError::NotANumber { text: shown() };
        if !plain {
            return Err(refuse());
        }
        let (_, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        if decimals.trim_end_matches('0').len() > usize::from(currency.exponent()) {
            return Err(MoneyError::Decimals { text: shown(), currency, exponent: currency.exponent() });
        }
        if digits.len() > 28 {
            return Err(MoneyError::Overflow);
        }
        let value = Decimal::from_str_exact(text).map_err(|_| refuse())?;
        Self::round(value, currency)
    }

    /// The one place where a computed value becomes money: half-up (away from zero at the midpoint), as A12(1).
    pub fn round(value: Decimal, currency: Currency) -> Result<Self, MoneyError> {
        let scale = Decimal::from(10_i64.pow(u32::from(currency.exponent())));
        let minor = value
            .checked_mul(scale)
            .map(|v| v.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero))
            .and_then(|v| i64::try_from(v).ok())
            .filter(|minor| minor.unsigned_abs() <= MAX_MINOR.unsigned_abs())
            .ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, currency })
    }

    /// The exact value in major units.
    pub fn decimal(self) -> Decimal {
        Decimal::new(self.minor, u32::from(self.currency.exponent()))
    }

    /// `percent` of this, rounded half-up.
    pub fn percent(self, percent: Decimal) -> Result<Self, MoneyError> {
        let share = self.decimal().checked_mul(percent).and_then(|v| v.checked_div(Decimal::ONE_HUNDRED));
        Self::round(share.ok_or(MoneyError::Overflow)?, self.currency)
    }

    /// By what prices are put in order that nobody converts: those in `home` before others, each currency for itself.
    pub fn rank(self, home: Option<Currency>) -> (bool, Currency, i64) {
        (home != Some(self.currency), self.currency, self.minor)
    }

    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed { left: self.currency, right: other.currency });
        }
        let minor = self.minor.checked_add(other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.plus(other.negated())
    }

    #[must_use]
    pub const fn negated(self) -> Self {
        Self { minor: self.minor.saturating_neg(), ..self }
    }

    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_mul(i64::from(count)).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// Sums amounts of one currency; the empty sum is zero of `currency`.
    pub fn sum(currency: Currency, amounts: impl IntoIterator<Item = Self>) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::plus)
    }

    /// Zero or more, or an error that says which amount was negative.
    pub fn not_negative(self) -> Result<Self, MoneyError> {
        if self.minor < 0 { Err(MoneyError::Negative(self)) } else { Ok(self) }
    }

    /// Allocates by weight with largest remainder; the first wins ties. Parts sum to the whole.
    /// Where all weights are zero the parts are as equal as can be.
    pub fn allocate(self, weights: &[u64]) -> Vec<Self> {
        let even = weights.iter().all(|w| *w == 0);
        let weight = |w: u64| if even { 1 } else { i128::from(w) };
        let all: i128 = weights.iter().map(|w| weight(*w)).sum();
        if all == 0 {
            return Vec::new();
        }
        let whole = i128::from(self.minor);
        let mut parts: Vec<(i128, i128)> = weights
            .iter()
            .map(|w| ((whole * weight(*w)).div_euclid(all), (whole * weight(*w)).rem_euclid(all)))
            .collect();
        let mut left = whole - parts.iter().map(|(share, _)| share).sum::<i128>();
        let mut order: Vec<usize> = (0..parts.len()).collect();
        order.sort_by_key(|i| (-parts[*i].1, *i));
        for i in order {
            if left == 0 {
                break;
            }
            parts[i].0 += 1;
            left -= 1;
        }
        let fit = |share: i128| i64::try_from(share).unwrap_or_default();
        parts.into_iter().map(|(share, _)| Self { minor: fit(share), ..self }).collect()
    }

    /// `part` of `whole` of this, rounded half-up (away from zero at the midpoint), as A12(1); all of it where there is
    /// no whole. What is beyond the ends counts as the end.
    #[must_use]
    pub fn fraction(self, part: i128, whole: i128) -> Self {
        if part >= whole {
            return self;
        }
        let (part, whole) = (part.max(0), whole.max(1));
        let share = i128::from(self.minor).unsigned_abs().saturating_mul(part.unsigned_abs());
        let half = whole.unsigned_abs() / 2;
        let rounded = share.saturating_add(half) / whole.unsigned_abs();
        let minor = i64::try_from(rounded).unwrap_or(i64::MAX);
        Self { minor: if self.minor < 0 { -minor } else { minor }, ..self }
    }

    /// What the first `units` of `all` equal units carry: the sum of an even [`allocate`](Self::allocate), without
    /// building it. So `share(a, n)` plus the rest is always the whole.
    pub fn share(self, units: u32, all: u32) -> Self {
        if all == 0 || units >= all {
            return self;
        }
        let (units, all) = (i64::from(units), i64::from(all));
        let (each, rest) = (self.minor.div_euclid(all), self.minor.rem_euclid(all));
        let minor = each.saturating_mul(units).saturating_add(rest.min(units));
        Self { minor, ..self }
    }
}

/// A sum that may be larger than any amount, as the decimal text of a currency.
pub fn decimal_text(minor: i128, currency: Currency) -> String {
    let places = usize::from(currency.exponent());
    let digits = format!("{:0>width$}", minor.unsigned_abs(), width = places.saturating_add(1));
    let sign = if minor < 0 { "-" } else { "" };
    match digits.split_at_checked(digits.len().saturating_sub(places)) {
        Some((whole, decimals)) if places > 0 => format!("{sign}{whole}.{decimals}"),
        Some(_) | None => format!("{sign}{digits}"),
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.decimal(), self.currency)
    }
}

impl std::fmt::Debug for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl From<(i64, Currency)> for Money {
    fn from((minor, currency): (i64, Currency)) -> Self {
        Self { minor, currency }
    }
}

impl From<Money> for (i64, Currency) {
    fn from(money: Money) -> Self {
        (money.minor, money.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    fn eur(minor: i64) -> Money {
        Money::new(minor, currency("EUR"))
    }

    #[test]
    fn a5_1_a_computed_amount_rounds_to_the_exponent_of_its_currency() {
        for (value, code, want) in
            [("10.2", "JPY", "10 JPY"), ("19.999", "USD", "20.00 USD"), ("1.2345", "KWD", "1.235 KWD")]
        {
            let rounded = Money::round(value.parse().unwrap(), currency(code)).unwrap();
            assert_eq!(rounded.to_string(), want);
        }
    }

    #[test]
    fn a12_1_a_midpoint_rounds_half_up_not_to_even() {
        assert_eq!(Money::round("0.125".parse().unwrap(), currency("EUR")).unwrap(), eur(13));
        assert_eq!(eur(4890).percent(Decimal::from(15)).unwrap(), eur(734)); // 7.335
        assert_eq!(eur(10).percent(Decimal::from(15)).unwrap(), eur(2)); // 0.015
        assert_eq!(eur(-10).percent(Decimal::from(15)).unwrap(), eur(-2));
    }

    #[test]
    fn an_input_amount_is_taken_exactly_or_refused() {
        let read = |text| Money::parse(text, currency("EUR"));
        assert_eq!(read("19.99"), Ok(eur(1999)));
        assert_eq!(read("48.9"), Ok(eur(4890)));
        assert_eq!(read("48.900"), Ok(eur(4890)));
        assert_eq!(read("-0.01"), Ok(eur(-1)));
        assert!(matches!(read("19.999"), Err(MoneyError::Decimals { .. })));
        assert!(matches!(read("123456789012345678901234567890"), Err(MoneyError::Overflow)));
        assert!(matches!(read("10000000000000.01"), Err(MoneyError::Overflow)));
        for text in ["", "-", ".", "1.", ".5", "1e3", "+1", " 1", "1,5", "NaN", "1.2.3", "０"] {
            assert!(matches!(read(text), Err(MoneyError::NotANumber { .. })), "{text}");
        }
    }

    #[test]
    fn a_fraction_rounds_half_up_and_never_leaves_the_whole() {
        let of = |minor: i64, part, whole| eur(minor).fraction(part, whole).minor;
        assert_eq!([of(1000, 15, 30), of(10, 1, 4), of(9, 1, 2), of(-9, 1, 2)], [500, 3, 5, -5]);
        assert_eq!([of(100, -1, 3), of(100, 4, 3), of(100, 0, 0), of(100, 1, 3)], [0, 100, 100, 33]);
        assert_eq!(of(MAX_MINOR, i128::from(i64::MAX) - 1, i128::from(i64::MAX)), MAX_MINOR);
    }

    #[test]
    fn currencies_never_meet() {
        let (left, right) = (currency("EUR"), currency("USD"));
        assert_eq!(eur(1).plus(Money::new(1, right)), Err(MoneyError::Mixed { left, right }));
    }

    #[test]
    fn the_first_wins_ties_of_an_allocation() {
        assert_eq!(eur(100).allocate(&[1, 1, 1]), [eur(34), eur(33), eur(33)]);
        assert_eq!(eur(2).allocate(&[0, 0, 0]), [eur(1), eur(1), eur(0)]);
        assert_eq!(eur(5).allocate(&[7, 0, 3]), [eur(4), eur(0), eur(1)]); // 3.5 and 1.5: a tie
        assert_eq!(eur(-100).allocate(&[1, 1, 1]), [eur(-33), eur(-33), eur(-34)]);
        assert_eq!(eur(1).allocate(&[]), []);
    }

    proptest! {
        #[test]
        fn an_allocation_sums_to_the_whole(
            minor in -MAX_MINOR..MAX_MINOR,
            weights in prop::collection::vec(0_u64..1 << 50, 1..40),
        ) {
            let parts = eur(minor).allocate(&weights);
            prop_assert_eq!(Money::sum(currency("EUR"), parts.iter().copied()).unwrap(), eur(minor));
            let all: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            for (part, weight) in parts.iter().zip(&weights).filter(|_| all > 0) {
                let off = i128::from(part.minor) * all - i128::from(minor) * i128::from(*weight);
                prop_assert!(off.abs() < all, "a part is more than one unit away from its exact share");
            }
        }

        #[test]
        fn a_share_is_the_sum_of_the_first_units_of_an_even_allocation(
            minor in 0_i64..100_000,
            all in 1_u32..50,
            units in 0_u32..50,
        ) {
            let units = units.min(all);
            let even = eur(minor).allocate(&vec![1; usize::try_from(all).unwrap()]);
            let first = Money::sum(currency("EUR"), even.into_iter().take(usize::try_from(units).unwrap())).unwrap();
            prop_assert_eq!(eur(minor).share(units, all), first);
        }

        #[test]
        fn a_shown_amount_reads_back(
            minor in -MAX_MINOR..MAX_MINOR,
            code in prop::sample::select(vec!["JPY", "EUR", "KWD"]),
        ) {
            let money = Money::new(minor, currency(code));
            prop_assert_eq!(Money::parse(&money.decimal().to_string(), currency(code)), Ok(money));
            prop_assert_eq!(decimal_text(i128::from(minor), currency(code)), money.decimal().to_string());
        }
    }
}
