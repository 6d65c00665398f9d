//! `cargo souk demo subscriptions`: a year of subscriptions, month by month.

use super::bar::Bar;
use super::{Done, Failed, say};
use clap::{Args, Subcommand};
use domain::money::decimal_text;
use serde_json::{Value, json};
use souk::subscribers::{Demonstration, Month, Scale, demonstrate, svg};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Demo {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Subscribers over months of the local clock: trials, changes, pauses, failing cards, dunning. Fails where the
    /// figures and the ledger do not agree.
    #[command(after_help = "Examples:
  cargo souk demo subscriptions
  cargo souk demo subscriptions --subscribers 100 --months 6 --seed 7 --json figures.json")]
    Subscriptions {
        #[arg(long, default_value_t = 1_000)]
        subscribers: usize,
        #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..=36))]
        months: u16,
        /// The same seed gives the same figures.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Where the picture goes; `subscriptions.svg` in the data folder if not said.
        #[arg(long, value_name = "FILE")]
        svg: Option<PathBuf>,
        /// Write the figures to this file too.
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

impl Demo {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let What::Subscriptions { subscribers, months, seed, svg: picture, json } = self.what;
        let picture = match picture {
            Some(path) => path,
            None => {
                std::fs::create_dir_all(data)?;
                data.join("subscriptions.svg")
            }
        };
        for path in [Some(&picture), json.as_ref()].into_iter().flatten() {
            super::must_be_writable(path)?;
        }
        let bar = Bar::default();
        let shown = demonstrate(Scale { subscribers, months, seed }, &bar).await?;
        bar.done();
        table(&shown);
        write(&picture, &svg(&shown.months, shown.currency))?;
        say(format!("\nThe picture: {}", picture.display()));
        if let Some(path) = &json {
            write(path, &(serde_json::to_string_pretty(&figures(&shown, seed))? + "\n"))?;
        }
        if shown.wrong.is_empty() {
            say("The figures and the ledger agree, and the books balance.");
            return Ok(());
        }
        Err(Failed::new(shown.wrong.join("\n")))
    }
}

fn write(path: &Path, text: &str) -> Done {
    std::fs::write(path, text).map_err(|error| Failed::new(format!("{}: {error}", path.display())))
}

fn table(shown: &Demonstration) {
    let amount = |minor: i64| decimal_text(i128::from(minor), shown.currency);
    say(format!(
        "{:<8} {:>6} {:>8} {:>6} {:>7} {:>6} {:>9} {:>7} {:>11} {:>12} {:>12} {:>12} {:>11} {:>6}",
        "month",
        "joined",
        "trialing",
        "active",
        "dunning",
        "paused",
        "recovered",
        "churned",
        "MRR",
        "invoiced",
        "collected",
        "credit notes",
        "written off",
        "ledger"
    ));
    for one in &shown.months {
        say(format!(
            "{:<8} {:>6} {:>8} {:>6} {:>7} {:>6} {:>9} {:>7} {:>11} {:>12} {:>12} {:>12} {:>11} {:>6}",
            one.month,
            one.joined,
            one.trialing,
            one.active,
            one.in_dunning,
            one.paused,
            one.recovered,
            one.churned,
            amount(one.mrr),
            amount(one.invoiced),
            amount(one.collected),
            amount(one.credit_notes),
            amount(one.written_off),
            amount(one.ledger)
        ));
    }
    let sum = |of: fn(&Month) -> i64| amount(shown.months.iter().map(of).sum());
    let many = |of: fn(&Month) -> usize| shown.months.iter().map(of).sum::<usize>();
    say(format!(
        "{:<8} {:>6} {:>30} {:>9} {:>7} {:>11} {:>12} {:>12} {:>12} {:>11}  {}",
        "together",
        many(|month| month.joined),
        "",
        many(|month| month.recovered),
        many(|month| month.churned),
        "",
        sum(|month| month.invoiced),
        sum(|month| month.collected),
        sum(|month| month.credit_notes),
        sum(|month| month.written_off),
        shown.currency
    ));
    let unpaid = many(|month| month.unpaid);
    let words = |all: &std::collections::BTreeMap<String, usize>| {
        all.iter().map(|(word, many)| format!("{many} {word}")).collect::<Vec<_>>().join(", ")
    };
    say(format!("\nOf those who churned, {unpaid} did not pay. What people did: {}", words(&shown.done)));
    if !shown.refused.is_empty() {
        say(format!("Refused as things were: {}", words(&shown.refused)));
    }
}

fn figures(shown: &Demonstration, seed: u64) -> Value {
    let amount = |minor: i64| decimal_text(i128::from(minor), shown.currency);
    let month = |one: &Month| {
        json!({
            "month": one.month, "subscribed": one.subscribed, "joined": one.joined, "trialing": one.trialing,
            "active": one.active, "in_dunning": one.in_dunning, "paused": one.paused, "ended": one.ended,
            "recovered": one.recovered, "churned": one.churned, "unpaid": one.unpaid,
            "mrr": amount(one.mrr), "invoiced": amount(one.invoiced), "collected": amount(one.collected),
            "credit_notes": amount(one.credit_notes), "written_off": amount(one.written_off),
            "ledger": amount(one.ledger),
        })
    };
    json!({
        "seed": seed,
        "currency": shown.currency.to_string(),
        "months": shown.months.iter().map(month).collect::<Vec<_>>(),
        "done": shown.done,
        "refused": shown.refused,
    })
}
