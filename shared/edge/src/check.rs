//! The words of a body, checked all at once: a client hears of every bad value in one answer.

use crate::problem::{FieldError, Problem};
use domain::pricing::Benefit;
use domain::{Currency, Money};
use events::Amount;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use std::fmt::Display;
use std::str::FromStr;

/// How far another's clock may be ahead of ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// Collects what is wrong; [`done`](Check::done) is a 422 if anything is.
#[derive(Debug, Default)]
pub struct Check {
    errors: Vec<FieldError>,
}

impl Check {
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a bad value.
    pub fn wrong(&mut self, field: impl Display, code: &'static str, message: impl Display) {
        self.errors.push(FieldError { field: field.to_string(), code, message: message.to_string() });
    }

    /// A text that must be a `T`.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, field: impl Display, text: &str) -> Option<T> {
        match text.parse() {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(field, "format", error);
                None
            }
        }
    }

    /// A text that must be a `T` where it is given.
    pub fn maybe<T: FromStr<Err: Display>>(&mut self, field: impl Display, text: Option<&str>) -> Option<T> {
        text.and_then(|text| self.parse(field, text))
    }

    /// An amount of `currency`, zero or more.
    pub fn money(&mut self, field: impl Display, amount: &Amount, currency: Currency) -> Option<Money> {
        match amount.money(currency).and_then(|money| money.not_negative().map_err(|error| error.to_string()))
        {
            Ok(money) => Some(money),
            Err(message) => {
                self.wrong(field, "amount", message);
                None
            }
        }
    }

    /// An amount of any currency: a marketplace may have carts of several.
    pub fn any_money(&mut self, field: &str, amount: &Amount) -> Option<Money> {
        let currency = self.parse::<Currency>(format!("{field}.currency"), &amount.currency)?;
        self.money(field, amount, currency)
    }

    /// What a discount takes off: exactly one of three; `prefix` is where they stand in the body.
    pub fn benefit(
        &mut self,
        prefix: &str,
        percent: Option<&str>,
        amount: Option<&Amount>,
        free_delivery: bool,
    ) -> Option<Benefit> {
        match (percent, amount, free_delivery) {
            (Some(percent), None, false) => {
                self.parse::<Decimal>(format!("{prefix}percent"), percent).map(Benefit::Percent)
            }
            (None, Some(amount), false) => {
                self.any_money(&format!("{prefix}amount"), amount).map(Benefit::Amount)
            }
            (None, None, true) => Some(Benefit::FreeDelivery),
            (Some(_) | None, Some(_) | None, true | false) => {
                let why = "give either `percent`, `amount` or `free_delivery`";
                self.wrong(format!("{prefix}percent"), "required", why);
                None
            }
        }
    }

    /// The first moment of a month like `2026-11`, in UTC.
    pub fn month(&mut self, field: &str, text: Option<&str>) -> Option<Timestamp> {
        let text = text?;
        let day = Date::strptime("%Y-%m-%d", format!("{text}-01")).ok().filter(|_| text.len() == 7);
        let at = day.and_then(|day| day.to_zoned(TimeZone::UTC).ok()).map(|zoned| zoned.timestamp());
        if at.is_none() {
            self.wrong(field, "format", format!("`{text:.40}` is no month like 2026-11"));
        }
        at
    }

    /// A quantity from 1 to a million.
    pub fn quantity(&mut self, field: impl Display, quantity: i64) -> Option<u32> {
        let max = i64::from(domain::order::QUANTITY_MAX);
        if !(1..=max).contains(&quantity) {
            self.wrong(field, "range", format!("{quantity} is not between 1 and {max}"));
            return None;
        }
        u32::try_from(quantity).ok()
    }

    /// Every text of a list that must be `T`s; the field is named by its place.
    pub fn all<T: FromStr<Err: Display>>(&mut self, field: &str, texts: &[String]) -> Vec<T> {
        let read = |(at, text): (usize, &String)| self.parse(format!("{field}[{at}]"), text);
        texts.iter().enumerate().filter_map(read).collect()
    }

    /// When something happened elsewhere: not in the future. None given means now, and so does what another's clock
    /// took for now.
    pub fn occurred_at(&mut self, field: impl Display, text: Option<&str>, now: Timestamp) -> Timestamp {
        let Some(text) = text else { return now };
        match text.parse::<Timestamp>() {
            Ok(at) if at.duration_since(now) <= CLOCKS_DIFFER => at.min(now),
            Ok(at) => {
                self.wrong(field, "future", format!("{at} is after now ({now})"));
                now
            }
            Err(_) => {
                self.wrong(
                    field,
                    "format",
                    format!("`{text:.40}` is not a moment like 2026-11-23T08:00:00Z"),
                );
                now
            }
        }
    }

    /// A 422 with everything that was wrong, or nothing.
    pub fn done(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }
}
