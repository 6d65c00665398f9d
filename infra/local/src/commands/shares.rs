//! What benchmarks of due work have in common: how it is spread over shards, and each function's part of one thing.

use super::{Done, Failed};
use serde_json::{Map, Value, json};
use souk::bench::Cost;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

/// How evenly shards are filled.
pub(super) struct Spread {
    pub(super) fewest: usize,
    pub(super) most: usize,
    pub(super) mean: usize,
    /// Of the fullest, as percent.
    pub(super) share: String,
}

impl Spread {
    pub(super) fn of(shards: &[usize]) -> Self {
        let (all, most) = (shards.iter().sum::<usize>(), shards.iter().max().copied().unwrap_or_default());
        let tenths = most.saturating_mul(1_000).checked_div(all).unwrap_or_default();
        Self {
            fewest: shards.iter().min().copied().unwrap_or_default(),
            most,
            mean: all.checked_div(shards.len()).unwrap_or_default(),
            share: format!("{}.{}", tenths.div_euclid(10), tenths.rem_euclid(10)),
        }
    }
}

pub(super) fn seconds(time: &Duration) -> String {
    let millis = time.as_millis();
    format!("{}.{} s", millis.div_euclid(1_000), millis.rem_euclid(1_000).div_euclid(100))
}

pub(super) fn mebibytes(kib: Option<u64>) -> String {
    kib.map_or("unknown".to_owned(), |kib| format!("{} MiB", kib.div_euclid(1_024)))
}

/// A second.
pub(super) fn rate(many: usize, took: &Duration) -> String {
    let tenths = u128::try_from(many).unwrap_or_default().saturating_mul(10_000);
    let tenths = tenths.checked_div(took.as_millis().max(1)).unwrap_or_default();
    format!("{}.{}", tenths.div_euclid(10), tenths.rem_euclid(10))
}

fn hundredths(units: u64) -> String {
    format!("{}.{:02}", units.div_euclid(100), units.rem_euclid(100))
}

/// Each function's part of one of so many.
pub(super) fn table_of(title: &str, many: usize, costs: &BTreeMap<String, Cost>) -> Vec<String> {
    let head = format!("{title:<24} {:>8} {:>11} {:>12}", "calls", "read units", "write units");
    let rows = costs.iter().map(|(name, cost)| row(name, &cost.of_one(many)));
    std::iter::once(head).chain(rows).collect()
}

pub(super) fn row(name: &str, Cost { calls, read, write }: &Cost) -> String {
    let [calls, read, write] = [calls, read, write].map(|units| hundredths(*units));
    format!("{name:<24} {calls:>8} {read:>11} {write:>12}")
}

pub(super) fn units(Cost { calls, read, write }: &Cost) -> Value {
    json!({
        "calls": hundredths(*calls), "read_units": hundredths(*read), "write_units": hundredths(*write),
    })
}

/// [`table_of`] in JSON.
pub(super) fn by_function(many: usize, costs: &BTreeMap<String, Cost>) -> Map<String, Value> {
    costs.iter().map(|(name, cost)| (name.clone(), units(&cost.of_one(many)))).collect()
}

/// To a file, if one is named.
pub(super) fn write_figures(path: Option<&Path>, figures: &Value) -> Done {
    let Some(path) = path else { return Ok(()) };
    let text = serde_json::to_string_pretty(figures)? + "\n";
    std::fs::write(path, text).map_err(|error| Failed::new(format!("{}: {error}", path.display())))
}
