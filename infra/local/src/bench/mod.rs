//! `cargo souk bench`: known numbers. One shape for all: figures that tell themselves as a table, and go into a file
//! with the machine and the command that they are of.
//!
//! `orders.rs` how fast shoppers are served · `cost.rs` what an order costs, at `prices.rs` · `growth.rs` whether that
//! stays so as the table grows · `spike.rs` many buyers and few units · `cold.rs` how fast a function starts ·
//! `shopper.rs` what a shopper does · `chart.rs` a picture of the figures.

pub mod chart;
pub mod cold;
pub mod cost;
pub mod growth;
pub mod orders;
pub mod prices;
pub mod shopper;
pub mod spike;

use crate::api::Refusal;
use crate::cloud::CloudError;
use crate::demo::NoDemo;
use crate::market::{Market, NotOpen};
use jiff::Timestamp;
use prices::{Of, Usage};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a benchmark has found.
pub trait Measured: Serialize {
    /// Its command: `souk bench NAME`.
    const NAME: &'static str;

    /// Lines for people.
    fn table(&self) -> Vec<String>;

    /// Every sentence that should be true and is not.
    fn wrong(&self) -> Vec<String> {
        Vec::new()
    }
}

/// The same for files: with where it comes from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figures<T> {
    pub bench: String,
    pub command: String,
    pub at: Timestamp,
    pub machine: Machine,
    pub figures: T,
}

impl<T: Serialize> Figures<T> {
    /// Measured by this process, now.
    pub fn of(bench: &str, figures: T) -> Self {
        let command = command(std::env::args().skip(1));
        let at = edge::Clock::System.now();
        Self { bench: bench.to_owned(), command, at, machine: Machine::here(), figures }
    }
}

/// The words of a command but for where its files lie.
fn command(words: impl Iterator<Item = String>) -> String {
    let (mut said, mut words) = ("souk".to_owned(), words);
    while let Some(word) = words.next() {
        if ["--json", "--data"].contains(&word.as_str()) {
            let _place = words.next();
        } else if !word.starts_with("--json=") && !word.starts_with("--data=") {
            said.push(' ');
            said.push_str(&word);
        }
    }
    said
}

/// What was measured on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Machine {
    pub processor: String,
    pub cores: usize,
    pub memory_gib: u64,
    pub architecture: String,
    /// `release` or `dev`.
    pub build: String,
}

impl Machine {
    fn here() -> Self {
        let line = |file: &str, name: &str| {
            let text = std::fs::read_to_string(file).unwrap_or_default();
            let found = text.lines().find_map(|line| line.strip_prefix(name)?.split_once(':'));
            found.map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = line("/proc/meminfo", "MemTotal");
        let memory: u64 = memory.trim_end_matches("kB").trim().parse().unwrap_or_default();
        Self {
            processor: line("/proc/cpuinfo", "model name"),
            cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            memory_gib: memory.div_ceil(1_024 * 1_024),
            architecture: std::env::consts::ARCH.to_owned(),
            build: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
        }
    }
}

impl std::fmt::Display for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { processor, cores, memory_gib, architecture, build } = self;
        write!(f, "{processor} {architecture}, {cores} cores, {memory_gib} GiB, {build} build")
    }
}

/// Calls and hundredths of capacity units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub calls: u64,
    pub read: u64,
    pub write: u64,
}

impl Cost {
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            read: self.read.saturating_add(other.read),
            write: self.write.saturating_add(other.write),
        }
    }

    /// The part of one of so many; calls too are in hundredths then.
    #[must_use]
    pub fn of_one(&self, many: usize) -> Self {
        let many = u64::try_from(many).unwrap_or(1).max(1);
        let each = |sum: u64| sum.checked_div(many).unwrap_or_default();
        Self { calls: each(self.calls.saturating_mul(100)), read: each(self.read), write: each(self.write) }
    }
}

/// Why a measurement stops.
#[derive(Debug, thiserror::Error)]
pub enum NotMeasured {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Demo(#[from] NoDemo),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("the table failed")]
    Table(#[from] table::Fault),
}

/// Labels of calls that are no function's: the benchmark's own, and whoever calls the AWS side by a socket.
const OURS: [&str; 2] = ["souk", "(tcp)"];

/// What functions have done since the last look; what the local cloud and this benchmark did themselves left out.
pub(crate) fn costs(market: &Market) -> BTreeMap<String, Cost> {
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    for line in market.cloud.meter().take() {
        if !OURS.contains(&line.label.as_str()) {
            let cost = costs.entry(line.label).or_default();
            *cost = cost.plus(&Cost { calls: line.calls, read: line.read_units, write: line.write_units });
        }
    }
    costs
}

/// A handler works a millisecond or two here; on the sixth of a processor that 256 MB have, an invocation
/// is taken for so many milliseconds.
pub const OWN_MS: u64 = 10;
/// A call of AWS is taken for so many: the table answers in single digits, a transaction in some more.
pub const CALL_MS: u64 = 7;
/// Lambda's own three lines of an invocation, with what CloudWatch adds to each; functions log what goes wrong only.
pub const LOG_BYTES: u64 = 600;
/// Of a hundred invocations, X-Ray's own rule records so many; the first of each second is left out.
pub const TRACED: u32 = 5;

/// What AWS would put on the bill of a time's work, and the calls of the table in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    pub table_calls: Decimal,
    pub usage: Usage,
}

impl Work {
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self { table_calls: self.table_calls + other.table_calls, usage: self.usage.plus(&other.usage) }
    }

    #[must_use]
    pub fn minus(&self, other: &Self) -> Self {
        let calls = (self.table_calls - other.table_calls).max(Decimal::ZERO);
        Self { table_calls: calls, usage: self.usage.minus(&other.usage) }
    }

    #[must_use]
    pub fn of_one(&self, many: usize) -> Self {
        let table_calls = self.table_calls / Decimal::from(many.max(1));
        Self { table_calls, usage: self.usage.of_one(many) }
    }

    /// So many milliseconds of waiting for somebody else.
    #[must_use]
    pub fn waiting(self, milliseconds: u64, megabytes: u32) -> Self {
        let Self { table_calls, usage } = self;
        Self {
            table_calls,
            usage: usage.with(Of::GigabyteSeconds, gigabyte_seconds(milliseconds, megabytes)),
        }
    }
}

fn gigabyte_seconds(milliseconds: u64, megabytes: u32) -> Decimal {
    Decimal::from(milliseconds) * Decimal::from(megabytes) / Decimal::from(1_024 * 1_000)
}

/// What functions have done since the last look, for the bill, by function.
pub fn worked_by(market: &Market) -> BTreeMap<String, Work> {
    let mut all: BTreeMap<String, Work> = BTreeMap::new();
    for line in market.cloud.meter().take() {
        let Work { table_calls, usage } = std::mem::take(all.entry(line.label.clone()).or_default());
        let usage = usage.with(Of::WriteUnits, Decimal::new(signed(line.write_units), 2));
        let usage = usage.with(Of::ReadUnits, Decimal::new(signed(line.read_units), 2));
        all.insert(line.label, Work { table_calls: table_calls + Decimal::from(line.calls), usage });
    }
    for (label, used) in market.cloud.meter().take_used() {
        let memory = market.cloud.template().function(&label).map_or(0, |function| function.memory);
        let own = OWN_MS.saturating_mul(used.invocations);
        let milliseconds = own.saturating_add(CALL_MS.saturating_mul(used.calls));
        let logged = Decimal::from(LOG_BYTES.saturating_mul(used.invocations));
        let traced = Decimal::from(used.invocations) * Decimal::from(TRACED) / Decimal::ONE_HUNDRED;
        let work = all.entry(label).or_default();
        work.usage = [
            (Of::Invocations, used.invocations.into()),
            (Of::GigabyteSeconds, gigabyte_seconds(milliseconds, memory)),
            (Of::ApiRequests, used.requests.into()),
            (Of::GigabytesOut, Decimal::from(used.answered) / Decimal::from(1_000_000_000)),
            (Of::QueueRequests, used.queue.into()),
            (Of::Events, used.events.into()),
            (Of::ScheduledRuns, used.scheduled.into()),
            (Of::FilesPut, used.puts.into()),
            (Of::FilesFetched, used.gets.into()),
            (Of::Mails, used.mails.into()),
            (Of::GigabytesLogged, logged / Decimal::from(1_000_000_000)),
            (Of::Traces, traced),
        ]
        .into_iter()
        .fold(std::mem::take(&mut work.usage), |usage, (of, many)| usage.with(of, many));
    }
    all.retain(|label, _| !OURS.contains(&label.as_str()));
    all
}

/// All of it together.
pub fn worked_by_all(market: &Market) -> Work {
    worked_by(market).values().fold(Work::default(), |sum, work| sum.plus(work))
}

fn signed(many: u64) -> i64 {
    i64::try_from(many).unwrap_or(i64::MAX)
}

/// The most that this process has had in memory so far.
pub(crate) fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// How long this process has worked so far, on all threads: user and system time.
#[must_use]
pub fn worked() -> Option<std::time::Duration> {
    // Fields 14 and 15 of proc(5), in hundredths of a second; the name before them may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks =
        rest.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or_default());
    Some(std::time::Duration::from_millis(ticks.sum::<u64>().saturating_mul(10)))
}

/// The sample lacks something that it should have.
pub(crate) fn missing(what: &str) -> NotMeasured {
    NoDemo::Word(format!("the sample has no {what}")).into()
}

/// Thousandths as a decimal with one place: microseconds as milliseconds, milliseconds as seconds.
pub(crate) fn thousandths(many: u64) -> String {
    format!("{}.{}", many.div_euclid(1_000), many.rem_euclid(1_000).div_euclid(100))
}

/// With so many places.
pub(crate) fn places(number: Decimal, places: u32) -> String {
    let width = usize::try_from(places).unwrap_or_default();
    format!(
        "{:.width$}",
        number.round_dp_with_strategy(places, rust_decimal::RoundingStrategy::MidpointAwayFromZero)
    )
}

/// So many a second, with one place.
pub(crate) fn per_second(many: usize, micros: u64) -> Decimal {
    (Decimal::from(many) * Decimal::from(1_000_000) / Decimal::from(micros.max(1))).round_dp(1)
}

pub(crate) fn micros(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// So many percent of them are no more; nothing of nothing.
pub(crate) fn percentile(sorted: &[u64], percent: usize) -> u64 {
    let place = sorted.len().saturating_mul(percent).div_euclid(100).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_say_the_command_without_the_places_of_its_files() {
        let words = |line: &str| command(line.split(' ').map(str::to_owned));
        assert_eq!(
            words("bench growth --data /a --sizes 10,100 --json=b"),
            "souk bench growth --sizes 10,100"
        );
        assert_eq!(words("--json - bench cost"), "souk bench cost");
    }

    /// By hand: 250 ms at 256 MB are 0.25 × 0.25; 1,000 ms at 1,024 MB are one.
    #[test]
    fn time_by_memory_is_gigabyte_seconds() {
        assert_eq!(gigabyte_seconds(250, 256), Decimal::new(625, 4));
        assert_eq!(gigabyte_seconds(1_000, 1_024), Decimal::ONE);
    }

    #[test]
    fn percentiles_are_of_what_is_there() {
        let hundred: Vec<u64> = (1..=100).collect();
        assert_eq!([0, 50, 99, 100].map(|percent| percentile(&hundred, percent)), [1, 51, 100, 100]);
        assert_eq!((percentile(&[7], 99), percentile(&[], 50)), (7, 0));
    }
}
