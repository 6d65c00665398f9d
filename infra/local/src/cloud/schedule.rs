//! Schedule expressions of EventBridge Scheduler: `rate(…)` and `cron(…)` in UTC.
//!
//! Pure: when the next run is, given the last. Absent on purpose: `at(…)`, time zones, and cron's `L`, `W`
//! and `#`.

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// When a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// `rate(5 minutes)`: counted from the first start.
    Every(SignedDuration),
    /// `cron(0 3 * * ? *)`.
    Cron(Cron),
}

/// The six fields of a cron expression as sets of bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Bit 1 is Sunday, as AWS counts.
    weekdays: u64,
    /// Bit 0 is 1970; `None` is any year.
    years: Option<[u64; 4]>,
}

/// How far ahead a cron expression is searched: beyond it, it never runs.
const HORIZON_DAYS: u32 = 366 * 8;

impl When {
    /// Reads `rate(…)` or `cron(…)`.
    ///
    /// # Errors
    /// With what is not understood.
    pub fn read(expression: &str) -> Result<Self, String> {
        let bad = || format!("the schedule {expression} is not understood");
        let (kind, rest) = expression.split_once('(').ok_or_else(bad)?;
        let inner = rest.strip_suffix(')').ok_or_else(bad)?;
        match kind {
            "rate" => {
                let (count, unit) = inner.split_once(' ').ok_or_else(bad)?;
                let count: i64 = count.parse().ok().filter(|count| *count > 0).ok_or_else(bad)?;
                let seconds = match unit {
                    "minute" | "minutes" => 60,
                    "hour" | "hours" => 3_600,
                    "day" | "days" => 86_400,
                    _ => return Err(bad()),
                };
                let every = count.checked_mul(seconds).ok_or_else(bad)?;
                Ok(Self::Every(SignedDuration::from_secs(every)))
            }
            "cron" => Cron::read(inner).map(Self::Cron).ok_or_else(bad),
            _ => Err(bad()),
        }
    }

    /// The first run after `last`, which is the last run or the first start.
    #[must_use]
    pub fn next(&self, last: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(duration) => last.checked_add(*duration).ok(),
            Self::Cron(cron) => cron.next(last),
        }
    }

    /// The last run as [`next`](Self::next) wants it, in milliseconds, once the runs up to a time are passed over.
    #[must_use]
    pub(super) fn passed(&self, last: i64, until: i64) -> i64 {
        match self {
            Self::Every(duration) => {
                let every = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX).max(1);
                let over = until.saturating_sub(last).max(0);
                last.saturating_add(over.saturating_sub(over % every))
            }
            Self::Cron(_) => last.max(until),
        }
    }
}

impl Cron {
    fn read(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays, years] = fields.as_slice() else { return None };
        Some(Self {
            minutes: bits(minutes, 0, 59, &[])?,
            hours: bits(hours, 0, 23, &[])?,
            days: bits(days, 1, 31, &[])?,
            months: bits(months, 1, 12, &MONTHS)?,
            weekdays: bits(weekdays, 1, 7, &WEEKDAYS)?,
            years: if *years == "*" { None } else { Some(year_bits(years)?) },
        })
    }

    fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let start = after.to_zoned(TimeZone::UTC).datetime();
        let mut date = start.date();
        let mut from = Some(start.time());
        for _ in 0..HORIZON_DAYS {
            if self.runs_on(date)
                && let Some(time) = self.time_after(from)
            {
                return date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
            }
            date = date.tomorrow().ok()?;
            from = None;
        }
        None
    }

    fn runs_on(&self, date: Date) -> bool {
        let year = self.years.is_none_or(|years| {
            let since = u32::try_from(date.year()).unwrap_or(0).saturating_sub(1970);
            years.get(since as usize / 64).is_some_and(|word| word >> (since % 64) & 1 == 1)
        });
        year && has(self.months, date.month())
            && has(self.days, date.day())
            && has(self.weekdays, date.weekday().to_sunday_one_offset())
    }

    /// The first time of a day after `from`, or the first of the day.
    fn time_after(&self, from: Option<Time>) -> Option<Time> {
        let first = from.map_or(0, Time::hour);
        for hour in (first..24).filter(|hour| has(self.hours, *hour)) {
            for minute in (0..60).filter(|minute| has(self.minutes, *minute)) {
                let time = Time::new(hour, minute, 0, 0).ok()?;
                if from.is_none_or(|from| time > from) {
                    return Some(time);
                }
            }
        }
        None
    }
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

fn has(bits: u64, place: i8) -> bool {
    u32::try_from(place).is_ok_and(|place| bits >> place & 1 == 1)
}

fn bits(field: &str, low: u32, high: u32, names: &[&str]) -> Option<u64> {
    let mut bits = 0;
    for value in values(field, low, high, names)? {
        bits |= 1_u64 << value;
    }
    Some(bits)
}

fn year_bits(field: &str) -> Option<[u64; 4]> {
    let mut words = [0_u64; 4];
    for year in values(field, 1970, 2199, &[])? {
        let since = year.checked_sub(1970)?;
        *words.get_mut(usize::try_from(since / 64).ok()?)? |= 1_u64 << (since % 64);
    }
    Some(words)
}

/// The values that a field such as `1-5`, `*/15` or `MON,WED` names.
fn values(field: &str, low: u32, high: u32, names: &[&str]) -> Option<Vec<u32>> {
    let number = |text: &str| {
        let named = names.iter().position(|name| name.eq_ignore_ascii_case(text));
        let value = match named {
            Some(place) => low.checked_add(u32::try_from(place).ok()?)?,
            None => text.parse().ok()?,
        };
        (low..=high).contains(&value).then_some(value)
    };
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<usize>().ok().filter(|step| *step > 0)?)),
            None => (part, None),
        };
        let (from, to) = match range.split_once('-') {
            Some((from, to)) => (number(from)?, number(to)?),
            None if range == "*" || range == "?" => (low, high),
            None => (number(range)?, if step.is_some() { high } else { number(range)? }),
        };
        all.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    (!all.is_empty()).then_some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_run_follows_the_expression() {
        let table = [
            ("rate(5 minutes)", "2026-11-23T05:34:10Z", "2026-11-23T05:39:10Z"),
            ("rate(1 hour)", "2026-11-23T05:34:10Z", "2026-11-23T06:34:10Z"),
            ("cron(0 3 * * ? *)", "2026-11-23T02:59:59Z", "2026-11-23T03:00:00Z"),
            ("cron(0 3 * * ? *)", "2026-11-23T03:00:00Z", "2026-11-24T03:00:00Z"),
            ("cron(0/15 * * * ? *)", "2026-11-23T23:45:00Z", "2026-11-24T00:00:00Z"),
            ("cron(30 8 ? * MON-FRI *)", "2026-11-27T08:30:00Z", "2026-11-30T08:30:00Z"),
            ("cron(0 0 1 * ? *)", "2026-12-15T00:00:00Z", "2027-01-01T00:00:00Z"),
            ("cron(0 0 29 FEB ? *)", "2026-12-15T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("cron(0 12 * * ? 2028)", "2026-12-15T00:00:00Z", "2028-01-01T12:00:00Z"),
        ];
        for (expression, last, next) in table {
            let when = When::read(expression).unwrap();
            assert_eq!(when.next(last.parse().unwrap()).unwrap().to_string(), next, "{expression}");
        }
    }

    #[test]
    fn an_expression_that_is_not_understood_is_an_error() {
        for text in
            ["at(2026-01-01T00:00:00)", "rate(0 minutes)", "rate(2 weeks)", "cron(0 3 L * ? *)", "cron(1 2)"]
        {
            assert!(When::read(text).is_err(), "{text}");
        }
    }
}
