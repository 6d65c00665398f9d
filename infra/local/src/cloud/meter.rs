//! What the table's calls would cost: calls and capacity units by function and operation.

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
    /// Hundredths of read units.
    pub read_units: u64,
    /// Hundredths of write units.
    pub write_units: u64,
}

/// The counters of a cloud.
#[derive(Debug, Default)]
pub struct Meter {
    lines: Mutex<BTreeMap<(String, String), Count>>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    calls: u64,
    read: u64,
    write: u64,
}

impl Meter {
    /// Everything since the last take, in order of label and operation; the counters start anew.
    #[must_use]
    pub fn take(&self) -> Vec<MeterLine> {
        let taken = std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner));
        let line = |((label, operation), count): ((String, String), Count)| MeterLine {
            label,
            operation,
            calls: count.calls,
            read_units: count.read,
            write_units: count.write,
        };
        taken.into_iter().map(line).collect()
    }

    pub(super) fn count(&self, label: &str, operation: &str, units: Units) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let count = lines.entry((label.to_owned(), operation.to_owned())).or_default();
        count.calls = count.calls.saturating_add(1);
        count.read = count.read.saturating_add(units.read);
        count.write = count.write.saturating_add(units.write);
    }
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
}
