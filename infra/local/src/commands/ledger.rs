//! `cargo souk ledger check`: every account against its sources.

use super::{Done, Failed, say};
use clap::{Args, Subcommand};
use domain::money::decimal_text;
use souk::books::Books;
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Ledger {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Sum all postings, compare projected totals and merchants' entries with them.
    #[command(after_help = "Examples:
  cargo souk ledger check
  cargo souk ledger check --replay tests/history")]
    Check {
        /// The marketplace of a replay instead of the sample's.
        #[arg(long, value_name = "DIR")]
        replay: Option<PathBuf>,
    },
}

impl Ledger {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let What::Check { replay } = self.what;
        let data = match replay {
            Some(history) => {
                let folder = super::replay::folder(data, &history);
                if !folder.is_dir() {
                    let reason = format!("{} was not replayed here", history.display());
                    return Err(Failed::new(reason).hint("cargo souk replay DIR does it; --data says where"));
                }
                folder
            }
            None => data.to_owned(),
        };
        let market = super::open(&data).await?;
        market.cloud.settle_with_retries().await?;
        let books = Books::check(&market).await?;
        say(format!("{} outbox items with {} postings", books.outbox_items, books.postings));
        say(format!("{:<20} {:>18} {:>18} {:>18}  currency", "account", "debits", "credits", "balance"));
        for ((_, account, currency), balance) in &books.accounts {
            let unit = currency.parse()?;
            let text = |minor| decimal_text(minor, unit);
            let off = balance.debits.saturating_sub(balance.credits);
            say(format!(
                "{account:<20} {:>18} {:>18} {:>18}  {currency}",
                text(balance.debits),
                text(balance.credits),
                text(off)
            ));
        }
        if books.faults.is_empty() {
            say("the books balance, and everything derived equals its source");
            return Ok(());
        }
        Err(Failed::new(books.faults.join("\n")))
    }
}
