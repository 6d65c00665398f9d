//! What would be on the bill: calls of the table with their capacity units, by function and operation; and what else
//! functions use of AWS, counted as AWS counts it.
//!
//! Absent on purpose: what costs by the hour or where nothing happens, such as storage, alarms and polls of queues that
//! are empty.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What one function did with one operation since the last look. Units are hundredths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeterLine {
    /// The function's short name, or whatever its configuration was asked for with.
    pub label: String,
    /// The operation, such as `TransactWriteItems`.
    pub operation: String,
    /// How often, refusals included.
    pub calls: u64,
    /// Those of them that were refused: by a condition, in conflict, malformed.
    pub refused: u64,
    /// Hundredths of read units.
    pub read_units: u64,
    /// Hundredths of write units.
    pub write_units: u64,
}

/// What one function used beside the table since the last look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Used {
    /// Invocations of it.
    pub invocations: u64,
    /// Calls of any service of AWS that it made, the table included.
    pub calls: u64,
    /// Requests that the HTTP API passed to it, in pieces of 512 KB.
    pub requests: u64,
    /// Bytes of bodies that the HTTP API answered.
    pub answered: u64,
    /// Requests of SQS in pieces of 64 KB: what it sent; what rules sent to its queues; a receive and a delete for
    /// each batch that came from them.
    pub queue: u64,
    /// Events that it put on a bus, in pieces of 64 KB.
    pub events: u64,
    /// Runs of its schedules.
    pub scheduled: u64,
    /// Files that it put, listed or copied.
    pub puts: u64,
    /// Files that it fetched.
    pub gets: u64,
    /// Mails that it sent.
    pub mails: u64,
}

/// The counters of a cloud.
#[derive(Debug, Default)]
pub struct Meter {
    lines: Mutex<BTreeMap<(String, String), Count>>,
    used: Mutex<BTreeMap<String, Used>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    calls: u64,
    refused: u64,
    read: u64,
    write: u64,
}

impl Meter {
    /// Everything of the table since the last take, in order of label and operation; the counters start anew.
    #[must_use]
    pub fn take(&self) -> Vec<MeterLine> {
        let taken = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let line = |((label, operation), count): ((String, String), Count)| MeterLine {
            label,
            operation,
            calls: count.calls,
            refused: count.refused,
            read_units: count.read,
            write_units: count.write,
        };
        taken.into_iter().map(line).collect()
    }

    /// Everything else since the last look at it, by function.
    #[must_use]
    pub fn take_used(&self) -> BTreeMap<String, Used> {
        std::mem::take(&mut *self.used.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// `units`: none where the call was refused.
    pub(super) fn count(&self, label: &str, operation: &str, units: Option<Units>) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lines.entry((label.to_owned(), operation.to_owned())).or_default();
        let Units { read, write } = units.unwrap_or_default();
        count.calls = count.calls.saturating_add(1);
        count.refused = count.refused.saturating_add(u64::from(units.is_none()));
        count.read = count.read.saturating_add(read);
        count.write = count.write.saturating_add(write);
    }

    pub(super) fn uses(&self, label: &str, note: impl FnOnce(&mut Used)) {
        note(self.used.lock().unwrap_or_else(PoisonError::into_inner).entry(label.to_owned()).or_default());
    }
}

/// What SQS and EventBridge count: pieces of 64 KB, one at the least.
pub(super) fn pieces(bytes: usize) -> u64 {
    pieces_of(64, bytes)
}

/// Pieces of so many KB, one at the least.
pub(super) fn pieces_of(kilobytes: usize, bytes: usize) -> u64 {
    u64::try_from(bytes.div_ceil(kilobytes.saturating_mul(1_024)).max(1)).unwrap_or(u64::MAX)
}

/// Hundredths of capacity units of one call.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Units {
    pub(super) read: u64,
    pub(super) write: u64,
}

/// Hundredths of the engine's figure, through its decimal text so that nothing is rounded by arithmetic.
pub(super) fn hundredths(units: f64) -> u64 {
    let text = format!("{units:.2}");
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_hundredths() {
        for (units, expected) in [(0.0, 0), (0.5, 50), (1.0, 100), (12.25, 1_225), (2000.0, 200_000)] {
            assert_eq!(hundredths(units), expected);
        }
    }

    #[test]
    fn what_is_sent_counts_by_pieces_of_64_kilobytes() {
        for (bytes, want) in [(0, 1), (1, 1), (65_536, 1), (65_537, 2), (262_144, 4)] {
            assert_eq!(pieces(bytes), want, "{bytes}");
        }
        assert_eq!((pieces_of(512, 524_288), pieces_of(512, 524_289)), (1, 2));
    }

    #[test]
    fn a_look_at_the_meter_begins_anew() {
        let meter = Meter::default();
        meter.count("cart", "PutItem", Some(Units { read: 0, write: 1_00 }));
        meter.count("cart", "PutItem", None);
        meter.uses("cart", |used| used.invocations += 1);
        let lines = meter.take();
        assert_eq!(
            lines.iter().map(|line| (line.calls, line.refused, line.write_units)).collect::<Vec<_>>(),
            [(2, 1, 1_00)]
        );
        assert_eq!(meter.take_used().get("cart"), Some(&Used { invocations: 1, ..Used::default() }));
        assert!(meter.take().is_empty() && meter.take_used().is_empty());
    }
}
