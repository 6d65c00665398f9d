//! Billing periods: where they begin and end, in the customer's time zone.
//!
//! A boundary is always counted from the anchor (anchor + n intervals), never from the boundary before: 31 January,
//! 28 February, 31 March (A13(2)). A boundary is a time of day on a wall: it stays at that time across changes of
//! daylight saving, and where the clock skips it, it is as much later as the clock jumps. Periods touch: no gap, no
//! overlap. Source of the arithmetic: `jiff`, with the time zone database that is compiled in.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// The longest interval, in months; 52 weeks are 12 of them.
const MONTHS_MAX: u32 = 36;
/// The most units that an interval may count: weeks.
pub const COUNT_MAX: u32 = MONTHS_MAX * 13 / 3;

/// A time zone of the IANA database, like `Europe/Berlin`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "TimeZone", with = "String", extend("format" = "time-zone", "maxLength" = 64))
)]
pub struct Zone(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no time zone of the IANA database: want one like `Europe/Berlin`")]
pub struct NotAZone(String);

impl Zone {
    pub fn utc() -> Self {
        Self("UTC".to_owned())
    }

    fn rules(&self) -> TimeZone {
        TimeZone::get(&self.0).unwrap_or(TimeZone::UTC)
    }

    /// What the clock on the wall shows.
    pub fn wall(&self, at: Timestamp) -> DateTime {
        at.to_zoned(self.rules()).datetime()
    }

    pub fn date(&self, at: Timestamp) -> Date {
        self.wall(at).date()
    }

    /// When the clock on the wall shows it: the first time where it does so twice, as much later as the clock jumps
    /// where it never does.
    pub fn moment(&self, wall: DateTime) -> Result<Timestamp, OutOfTime> {
        wall.to_zoned(self.rules()).map(|zoned| zoned.timestamp()).map_err(|_| OutOfTime)
    }

    /// The second time, where it does so twice.
    fn moment_again(&self, wall: DateTime) -> Result<Timestamp, OutOfTime> {
        let zoned = self.rules().to_ambiguous_zoned(wall).later();
        zoned.map(|zoned| zoned.timestamp()).map_err(|_| OutOfTime)
    }
}

impl TryFrom<String> for Zone {
    type Error = NotAZone;
    fn try_from(text: String) -> Result<Self, NotAZone> {
        let named = text.len() <= 64 && TimeZone::get(&text).is_ok_and(|zone| zone.iana_name().is_some());
        if named { Ok(Self(text)) } else { Err(NotAZone(text.chars().take(64).collect())) }
    }
}

impl std::str::FromStr for Zone {
    type Err = NotAZone;
    fn from_str(text: &str) -> Result<Self, NotAZone> {
        Self::try_from(text.to_owned())
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.0
    }
}

impl std::fmt::Display for Zone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// A boundary would lie beyond the year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the period would end after the year 9999")]
pub struct OutOfTime;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "IntervalUnit"))]
pub enum Unit {
    Week,
    Month,
    Quarter,
    Year,
}

/// How long a period is: `count` of a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    pub every: Unit,
    pub count: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an interval is one unit or more, and at most three years")]
pub struct BadInterval;

impl Interval {
    pub const MONTH: Self = Self { every: Unit::Month, count: 1 };
    pub const YEAR: Self = Self { every: Unit::Year, count: 1 };

    pub fn check(self) -> Result<(), BadInterval> {
        let count = u32::from(self.count);
        let months = match self.every {
            Unit::Week => (count * 3).div_ceil(13),
            Unit::Month => count,
            Unit::Quarter => count * 3,
            Unit::Year => count * 12,
        };
        if count > 0 && months <= MONTHS_MAX { Ok(()) } else { Err(BadInterval) }
    }

    fn times(self, n: u32) -> Result<Span, OutOfTime> {
        let count = i64::from(n) * i64::from(self.count);
        let span = match self.every {
            Unit::Week => Span::new().try_weeks(count),
            Unit::Month => Span::new().try_months(count),
            Unit::Quarter => Span::new().try_months(count * 3),
            Unit::Year => Span::new().try_years(count),
        };
        span.map_err(|_| OutOfTime)
    }

    /// How often it comes in 12 months, as twelfths of a period: what monthly revenue is reckoned by.
    pub fn per_year(self) -> (u32, u32) {
        let count = u32::from(self.count);
        match self.every {
            Unit::Week => (52, count),
            Unit::Month => (12, count),
            Unit::Quarter => (4, count),
            Unit::Year => (1, count),
        }
    }
}

/// From one boundary up to the next, which is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Period {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// The boundaries of a subscription: its anchor on the wall, and the periods that are counted from there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cycle {
    pub zone: Zone,
    /// Where the first period begins, as the clock on the customer's wall shows it.
    pub anchor: DateTime,
    /// It begins when the clock shows the anchor for the second time: in the night when summer time ends.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    pub interval: Interval,
    /// The number of the period that begins at the anchor; numbers only ever rise.
    pub first: u32,
}

impl Cycle {
    /// Counted from a time of day on the wall.
    pub fn from_wall(zone: Zone, anchor: DateTime, interval: Interval) -> Self {
        Self { zone, anchor, again: false, interval, first: 0 }
    }

    /// Counted anew from a moment, at which the period of this number begins.
    pub fn from_moment(zone: Zone, at: Timestamp, interval: Interval, first: u32) -> Result<Self, OutOfTime> {
        let anchor = zone.wall(at);
        let again = zone.moment(anchor)? != at;
        Ok(Self { zone, anchor, again, interval, first })
    }

    /// Where the period of this number begins.
    pub fn boundary(&self, number: u32) -> Result<Timestamp, OutOfTime> {
        if self.again && number <= self.first {
            return self.zone.moment_again(self.anchor);
        }
        let span = self.interval.times(number.saturating_sub(self.first))?;
        self.zone.moment(self.anchor.checked_add(span).map_err(|_| OutOfTime)?)
    }

    pub fn period(&self, number: u32) -> Result<Period, OutOfTime> {
        let until = self.boundary(number.checked_add(1).ok_or(OutOfTime)?)?;
        Ok(Period { from: self.boundary(number)?, until })
    }

    /// The period, not before `from`, that a moment lies in.
    pub fn number_at(&self, at: Timestamp, from: u32) -> Result<u32, OutOfTime> {
        let mut number = from;
        while self.boundary(number.checked_add(1).ok_or(OutOfTime)?)? <= at {
            number += 1;
        }
        Ok(number)
    }
}

/// So many days of the customer's later, at the same time of day.
pub fn days_later(wall: DateTime, days: u16) -> Result<DateTime, OutOfTime> {
    wall.checked_add(i64::from(days).days()).map_err(|_| OutOfTime)
}

/// How time is divided where a charge is for a part of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Proration {
    Second,
    /// Whole days of the customer's; a day belongs to what begins on it.
    Day,
    /// Not at all: what is paid is paid, what is new costs from the next period on.
    None,
}

/// How much of `period` lies before `at`, as (part, whole); none and all at its ends.
pub(crate) fn elapsed(period: Period, at: Timestamp, mode: Proration, zone: &Zone) -> (i128, i128) {
    let seconds = |from: Timestamp, to: Timestamp| to.duration_since(from).as_nanos();
    let days = |from: Timestamp, to: Timestamp| {
        let between = zone.date(from).until(zone.date(to)).map(|span| span.get_days());
        i128::from(between.unwrap_or_default())
    };
    match mode {
        Proration::Second => (seconds(period.from, at), seconds(period.from, period.until)),
        Proration::Day => (days(period.from, at), days(period.from, period.until)),
        Proration::None => (1, 1),
    }
}

#[cfg(test)]
mod tests;
