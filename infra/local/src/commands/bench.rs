//! `cargo souk bench`: known numbers. Every benchmark prints a table, writes the same as JSON where it is asked to, and
//! fails where something should be true and is not.

use super::bar::Bar;
use super::reminders::Reminders;
use super::renditions::Renditions;
use super::renewals::Renewals;
use super::{Done, Failed, must_be_writable, root, say};
use clap::{Args, Subcommand};
use serde::Serialize;
use souk::bench::chart::chart;
use souk::bench::cold::cold;
use souk::bench::cost::cost;
use souk::bench::growth::growth;
use souk::bench::orders::orders;
use souk::bench::spike::{Plan, spike};
use souk::bench::{Figures, Measured};
use std::path::{Path, PathBuf};
use std::process::Command;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench cost
  cargo souk bench cost --json -
  cargo run --release -p souk -- bench orders --json figures/orders.json
  cargo run --release -p souk -- bench growth --sizes 1000,100000 --data /tmp --json figures/growth.json
  cargo run --release -p souk -- bench spike --buyers 10000 --units 100 --seconds 10
  cargo souk bench cold
  cargo souk bench chart --from figures --into infra/performance.svg
  cargo souk bench renewals --due 10000
  cargo souk bench reminders --open 10000 --due 1000
  cargo souk bench media photo.jpg")]
pub(crate) struct Bench {
    #[command(flatten)]
    out: Out,
    #[command(subcommand)]
    what: What,
}

/// Where figures go beside the table.
#[derive(Debug, Args)]
pub(super) struct Out {
    /// Write the figures to this file too; `-` prints them instead of the table.
    #[arg(long, global = true, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Out {
    fn printed(&self) -> bool {
        self.json.as_deref().is_some_and(|path| path == Path::new("-"))
    }

    /// A file that is written at the end of a long run has a folder to go to.
    fn check(&self) -> Done {
        self.json.as_deref().filter(|_| !self.printed()).map_or(Ok(()), must_be_writable)
    }

    /// What was found, in its three ways.
    pub(super) fn tell(
        &self,
        name: &str,
        table: &[String],
        figures: impl Serialize,
        wrong: &[String],
    ) -> Done {
        let text = serde_json::to_string_pretty(&Figures::of(name, figures))?;
        if self.printed() {
            say(text);
        } else {
            table.iter().for_each(say);
            if let Some(path) = &self.json {
                std::fs::write(path, text + "\n")
                    .map_err(|error| Failed::new(format!("{}: {error}", path.display())))?;
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(Failed::new(wrong.join("\n"))) }
    }

    fn measured<M: Measured>(&self, measured: &M) -> Done {
        self.tell(M::NAME, &measured.table(), measured, &measured.wrong())
    }
}

#[derive(Debug, Subcommand)]
enum What {
    /// Complete checkouts through the API: orders per second, and how long each step takes.
    Orders {
        /// Shoppers at once.
        #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
        clients: Vec<usize>,
        #[arg(long, default_value_t = 500)]
        orders: usize,
        /// Carts, offers and orders that lie in the table already.
        #[arg(long, default_value_t = 1_000)]
        filled: usize,
    },
    /// What one order takes of AWS, from the cart to the bank's file, step by step, and what a million of them cost at
    /// list prices. Fails if that is more than $85 up to the split.
    Cost,
    /// Cost and time of the main operations as the table grows. Fails if a checkout costs 5 % more at one size than at
    /// another, or a page of a category or a collection takes more than three calls of the table.
    Growth {
        /// Products with their offers, and as many orders, in rising order.
        #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000])]
        sizes: Vec<usize>,
    },
    /// Many buyers of few units, through the API. Fails if there are not exactly as many orders as units, or somebody
    /// was refused too early.
    #[command(after_help = "Examples:
  cargo souk bench spike --buyers 1000 --units 100 --abandon 20")]
    Spike {
        #[arg(long, default_value_t = 10_000)]
        buyers: usize,
        #[arg(long, default_value_t = 100)]
        units: u32,
        /// Within so many seconds all come to the checkout.
        #[arg(long, default_value_t = 10)]
        seconds: u32,
        /// Buyers who are served at once; the others wait in line.
        #[arg(long, default_value_t = 16)]
        clients: usize,
        /// Of 100 who hold a unit, so many leave it; when their holds are over, the others come again.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        abandon: u8,
    },
    /// From the start of each function's release binary to its first question for work, beside an empty function and
    /// one that makes the table's client only.
    Cold,
    /// A picture of the latest figures of each kind in a folder.
    Chart {
        /// Where the files are that `--json` has written.
        #[arg(long, value_name = "DIR")]
        from: PathBuf,
        #[arg(long, value_name = "FILE", default_value = "infra/performance.svg")]
        into: PathBuf,
    },
    /// Many subscriptions that are due in the same minute, until all is paid, told and posted. Fails if one of them has
    /// not exactly one new invoice, or a renewal takes more than 20 write units.
    Renewals(Renewals),
    /// Carts that were left and are due in one hour, among many that are not, until the last mail is written. Fails if
    /// one of them has not exactly one mail, or takes the run more than 3 read units.
    Reminders(Reminders),
    /// All renditions of a picture: seconds and peak memory, beside `vips` and ImageMagick where they are installed.
    Media(Renditions),
}

impl Bench {
    /// `data`: below it lies what is too much for memory.
    pub(crate) async fn run(self, data: &Path) -> Done {
        let Self { out, what } = self;
        out.check()?;
        let bar = Bar::default();
        match what {
            What::Orders { clients, orders: many, filled } => {
                out.measured(&orders(&clients, many, filled).await?)
            }
            What::Cost => out.measured(&cost().await?),
            What::Growth { sizes } => {
                if !sizes.is_sorted() || sizes.first().is_none_or(|first| *first < 2) {
                    return Err(Failed::new("--sizes: want sizes from 2 on, in rising order"));
                }
                let growth = growth(&sizes, data, &bar).await?;
                bar.done();
                out.measured(&growth)
            }
            What::Spike { buyers, units, seconds, clients, abandon } => {
                let spike = spike(Plan { buyers, units, clients, seconds, abandon }, &bar).await?;
                bar.done();
                out.measured(&spike)
            }
            What::Cold => out.measured(&cold(&built()?).await?),
            What::Chart { from, into } => {
                must_be_writable(&into)?;
                std::fs::write(&into, chart(&from)?)?;
                say(format!("drawn into {}", into.display()));
                Ok(())
            }
            What::Renewals(renewals) => renewals.run(&out).await,
            What::Reminders(reminders) => reminders.run(&out).await,
            What::Media(renditions) => renditions.run(&out).await,
        }
    }
}

/// Builds what is measured, with cargo's own progress; answers the folder of the binaries.
fn built() -> Result<PathBuf, Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root()).args(["build", "--release", "--package", "souk"]);
    build.args(["--example", "empty", "--example", "client"]);
    for (name, _) in souk::market::functions() {
        build.args(["--package", name, "--bin", name]);
    }
    if !build.status()?.success() {
        return Err(Failed::new("the functions are not built").hint("cargo's own words stand above"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release"))
}
