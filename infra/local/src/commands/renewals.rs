//! `cargo souk bench renewals`: subscriptions that are due in the same minute.

use super::Done;
use super::bar::Bar;
use super::bench::Out;
use super::shares::{Spread, by_function, mebibytes, rate, row, seconds, table_of, units};
use clap::Args;
use domain::money::decimal_text;
use serde_json::{Value, json};
use souk::renewals::{Renewals as Figures, renewals};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench renewals --due 10000
  cargo run --release -p souk -- bench renewals --json figures.json")]
pub(crate) struct Renewals {
    /// Subscriptions.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    due: u32,
}

impl Renewals {
    pub(super) async fn run(self, out: &Out) -> Done {
        let bar = Bar::default();
        let seen = renewals(usize::try_from(self.due)?, &bar).await?;
        bar.done();
        let Spread { fewest, most, mean, share } = Spread::of(&seen.shards);
        let mut lines = vec![
            format!(
                "{} subscriptions due in the same minute, put there in {}",
                seen.due,
                seconds(&seen.seeding)
            ),
            format!(
                "in {} shards: {fewest} to {most}, {mean} on average, the fullest with {share} % of all",
                seen.shards.len()
            ),
            format!(
                "handed on after {}, renewed after {}, all told and posted after {}: {} renewals/s\n",
                seconds(&seen.handed_on),
                seconds(&seen.renewed),
                seconds(&seen.took),
                rate(seen.due, &seen.took)
            ),
        ];
        lines.extend(table_of("of one renewal", seen.due, &seen.costs));
        lines.push(row("together but the ledger", &seen.together().of_one(seen.due)));
        let memory = mebibytes(seen.memory);
        let balance = decimal_text(seen.balance, "EUR".parse()?);
        lines.push(format!("\nmemory at its peak {memory}, ledger {balance}"));
        out.tell("renewals", &lines, figures(&seen), &seen.wrong())
    }
}

fn figures(seen: &Figures) -> Value {
    json!({
        "due": seen.due,
        "shards": seen.shards,
        "milliseconds": {
            "seeding": seen.seeding.as_millis(),
            "handed_on": seen.handed_on.as_millis(),
            "renewed": seen.renewed.as_millis(),
            "all": seen.took.as_millis(),
        },
        "renewals_per_second": rate(seen.due, &seen.took),
        "of_one": by_function(seen.due, &seen.costs),
        "together_but_the_ledger": units(&seen.together().of_one(seen.due)),
        "memory_kib": seen.memory,
    })
}
