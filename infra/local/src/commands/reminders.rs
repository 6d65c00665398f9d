//! `cargo souk bench reminders`: carts that fall due in one hour, among many that do not.

use super::bar::Bar;
use super::bench::Out;
use super::shares::{Spread, by_function, mebibytes, rate, seconds, table_of, units};
use super::{Done, Failed};
use clap::Args;
use serde_json::{Value, json};
use souk::reminders::{Reminders as Figures, reminders};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench reminders --open 10000 --due 1000
  cargo run --release -p souk -- bench reminders --json figures.json")]
pub(crate) struct Reminders {
    /// Open carts whose shoppers may be reminded.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    open: u32,
    /// Of these, so many are due within the hour.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    due: u32,
}

impl Reminders {
    pub(super) async fn run(self, out: &Out) -> Done {
        let Self { open, due } = self;
        if due > open {
            let reason = format!("--due {due} of --open {open} carts: want at most all of them");
            return Err(Failed::new(reason));
        }
        let bar = Bar::default();
        let seen = reminders(usize::try_from(open)?, usize::try_from(due)?, &bar).await?;
        bar.done();
        let Spread { fewest, most, mean, share } = Spread::of(&seen.shards);
        let seeding = seconds(&seen.seeding);
        let mut lines = vec![
            format!("{open} open carts, put there in {seeding}; {due} due in one hour"),
            format!(
                "in {} shards: {fewest} to {most}, {mean} on average, the fullest with {share} % of all",
                seen.shards.len()
            ),
            format!(
                "the hour, all mails written, in {}: {} reminders/s\n",
                seconds(&seen.took),
                rate(seen.due, &seen.took)
            ),
        ];
        lines.extend(table_of("of one reminder", seen.due, &seen.costs));
        lines.push(format!("\nmemory at its peak {}", mebibytes(seen.memory)));
        out.tell("reminders", &lines, figures(&seen), &seen.wrong())
    }
}

fn figures(seen: &Figures) -> Value {
    json!({
        "open": seen.open,
        "due": seen.due,
        "shards": seen.shards,
        "milliseconds": {"seeding": seen.seeding.as_millis(), "hour": seen.took.as_millis()},
        "reminders_per_second": rate(seen.due, &seen.took),
        "of_one": by_function(seen.due, &seen.costs),
        "run": units(&seen.run().of_one(seen.due)),
        "memory_kib": seen.memory,
    })
}
