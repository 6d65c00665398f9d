//! The words of a body, checked all at once: a client hears of every bad value in one answer.

use crate::problem::{FieldError, Problem};
use domain::{Currency, Money};
use events::Amount;
use jiff::{SignedDuration, Timestamp};
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
