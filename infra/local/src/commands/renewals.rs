//! `cargo souk bench renewals`: subscriptions that are due in the same minute.

use super::bar::Bar;
use super::bench::thousandths;
use super::{Done, Failed, say};
use clap::Args;
use domain::money::decimal_text;
use serde_json::{Value, json};
use souk::bench::Cost;
use souk::renewals::{Renewals as Figures, renewals};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench renewals --due 10000
  cargo run --release -p souk -- bench renewals --json figures.json")]
pub(crate) struct Renewals {
    /// Subscriptions.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    due: u32,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Renewals {
    pub(crate) async fn run(self) -> Done {
        self.json.as_deref().map_or(Ok(()), super::must_be_writable)?;
        let bar = Bar::default();
        let seen = renewals(usize::try_from(self.due)?, &bar).await?;
        bar.done();
        let Spread { fewest, most, mean, share } = Spread::of(&seen);
        let seconds = |time: &Duration| format!("{} s", thousandths(time.as_millis()));
        say(format!(
            "{} subscriptions due in the same minute, put there in {}",
            seen.due,
            seconds(&seen.seeding)
        ));
        say(format!(
            "in {} shards: {fewest} to {most}, {mean} on average, the fullest with {share} % of all",
            seen.shards.len()
        ));
        say(format!(
            "handed on after {}, renewed after {}, all told and posted after {}: {} renewals/s\n",
            seconds(&seen.handed_on),
            seconds(&seen.renewed),
            seconds(&seen.took),
            rate(&seen)
        ));
        say(format!("{:<24} {:>8} {:>11} {:>12}", "of one renewal", "calls", "read units", "write units"));
        for (name, cost) in seen.costs.iter().map(|(name, cost)| (name.as_str(), cost)) {
            say(row(name, &seen.of_one(cost)));
        }
        say(row("together but the ledger", &seen.of_one(&seen.together())));
        let memory = seen.memory.map_or("unknown".to_owned(), |kib| format!("{} MiB", kib.div_euclid(1_024)));
        let balance = decimal_text(seen.balance, "EUR".parse()?);
        say(format!("\nmemory at its peak {memory}, ledger {balance}"));
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&figures(&seen))? + "\n";
            std::fs::write(path, text)
                .map_err(|error| Failed::new(format!("{}: {error}", path.display())))?;
        }
        match seen.wrong() {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(Failed::new(wrong.join("\n"))),
        }
    }
}

/// How evenly shards are filled.
struct Spread {
    fewest: usize,
    most: usize,
    mean: usize,
    /// Of the fullest, as percent.
    share: String,
}

impl Spread {
    fn of(seen: &Figures) -> Self {
        let most = seen.shards.iter().max().copied().unwrap_or_default();
        let tenths = most.saturating_mul(1_000).checked_div(seen.due).unwrap_or_default();
        Self {
            fewest: seen.shards.iter().min().copied().unwrap_or_default(),
            most,
            mean: seen.due.checked_div(seen.shards.len()).unwrap_or_default(),
            share: format!("{}.{}", tenths.div_euclid(10), tenths.rem_euclid(10)),
        }
    }
}

fn rate(seen: &Figures) -> String {
    let tenths = u128::try_from(seen.due).unwrap_or_default().saturating_mul(10_000);
    let tenths = tenths.checked_div(seen.took.as_millis().max(1)).unwrap_or_default();
    format!("{}.{}", tenths.div_euclid(10), tenths.rem_euclid(10))
}

fn hundredths(units: u64) -> String {
    format!("{}.{:02}", units.div_euclid(100), units.rem_euclid(100))
}

fn row(name: &str, Cost { calls, read, write }: &Cost) -> String {
    let [calls, read, write] = [calls, read, write].map(|units| hundredths(*units));
    format!("{name:<24} {calls:>8} {read:>11} {write:>12}")
}

fn figures(seen: &Figures) -> Value {
    let of_one = |cost: &Cost| {
        let Cost { calls, read, write } = seen.of_one(cost);
        json!({"calls": hundredths(calls), "read_units": hundredths(read), "write_units": hundredths(write)})
    };
    let by_function: serde_json::Map<String, Value> =
        seen.costs.iter().map(|(name, cost)| (name.clone(), of_one(cost))).collect();
    json!({
        "due": seen.due,
        "shards": seen.shards,
        "milliseconds": {
            "seeding": seen.seeding.as_millis(),
            "handed_on": seen.handed_on.as_millis(),
            "renewed": seen.renewed.as_millis(),
            "all": seen.took.as_millis(),
        },
        "renewals_per_second": rate(seen),
        "of_one": by_function,
        "together_but_the_ledger": of_one(&seen.together()),
        "memory_kib": seen.memory,
    })
}
