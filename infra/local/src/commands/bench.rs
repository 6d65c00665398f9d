//! `cargo souk bench`: what an order costs, how fast shoppers are served, renewals made and
//! reminders written, what pages take, what is made of a picture, how fast a function starts.

use super::bar::Bar;
use super::pages::Pages;
use super::reminders::Reminders;
use super::renditions::Renditions;
use super::renewals::Renewals;
use super::{Done, Failed, root, say};
use clap::{Args, Subcommand};
use souk::bench::{Cost, cost};
use souk::burst::{Burst, Plan, burst};
use souk::checkouts::{filled, round};
use souk::cold::starts;
use souk::shopper::{STEPS, Times};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench cost
  cargo souk bench cold
  cargo souk bench checkouts --clients 16 --orders 1000 --filled 100000
  cargo souk bench burst --buyers 10000 --units 100 --abandon 20
  cargo souk bench renewals --due 10000
  cargo souk bench reminders --open 10000 --due 1000
  cargo souk bench pages --products 100 --products 10000
  cargo souk bench media photo.jpg")]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Table calls, read and write units of one order from intake to payout, by step.
    Cost,
    /// Complete checkouts through the API: orders per second, and how long each step takes.
    Checkouts {
        /// Shoppers at once; may stand several times.
        #[arg(long, default_values_t = [1, 16])]
        clients: Vec<usize>,
        #[arg(long, default_value_t = 500)]
        orders: usize,
        /// Carts, offers and orders that lie in the table already.
        #[arg(long, default_value_t = 1_000)]
        filled: usize,
    },
    /// Many buyers of few units, through the API: as many orders as units, nobody refused too early. Fails if not.
    #[command(after_help = "Examples:
  cargo souk bench burst --buyers 10000 --units 100 --clients 16
  cargo souk bench burst --buyers 1000 --units 100 --abandon 20")]
    Burst {
        #[arg(long, default_value_t = 10_000)]
        buyers: usize,
        #[arg(long, default_value_t = 100)]
        units: u32,
        /// Buyers at once.
        #[arg(long, default_value_t = 16)]
        clients: usize,
        /// Of 100 who hold a unit, so many leave it; when their holds are over, the others come again.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
        abandon: u8,
    },
    /// Many subscriptions that are due in the same minute, until all is paid, told and posted. Fails if one of them has
    /// not exactly one new invoice, or a renewal takes more than 20 write units.
    Renewals(Renewals),
    /// Carts that were left and are due in one hour, among many that are not, until the last mail is written. Fails if
    /// one of them has not exactly one mail, or takes the run more than 3 read units.
    Reminders(Reminders),
    /// Pages of a storefront in catalogs of several sizes: calls, read units, time. Fails if a page of a list takes
    /// more than two calls beside the one that asks whose key it is.
    Pages(Pages),
    /// All renditions of a picture: seconds and peak memory, beside `vips` and ImageMagick where they are installed.
    Media(Renditions),
    /// From the start of each function's release binary to its first question for work, beside an empty function.
    Cold,
}

impl Bench {
    pub(crate) async fn run(self) -> Done {
        match self.what {
            What::Cost => Self::cost().await,
            What::Cold => Self::cold().await,
            What::Renewals(renewals) => renewals.run().await,
            What::Reminders(reminders) => reminders.run().await,
            What::Pages(pages) => pages.run().await,
            What::Media(renditions) => renditions.run().await,
            What::Burst { buyers, units, clients, abandon } => {
                Self::burst(Plan { buyers, units, clients, abandon }).await
            }
            What::Checkouts { clients, orders, filled } => Self::checkouts(&clients, orders, filled).await,
        }
    }

    async fn checkouts(clients: &[usize], orders: usize, more: usize) -> Done {
        say(format!("Checkouts of 3 lines from 2 merchants, {more} carts, offers and orders in the table:"));
        let market = filled(more).await?;
        for clients in clients.iter().copied().filter(|clients| *clients > 0) {
            let round = round(&market, clients, orders.max(1)).await?;
            let micros = round.took.as_micros().max(1);
            let tenths = u128::try_from(round.orders).unwrap_or_default().saturating_mul(10_000_000);
            let tenths = tenths.checked_div(micros).unwrap_or_default();
            let (whole, rest) = (tenths.div_euclid(10), tenths.rem_euclid(10));
            say(format!("\n{clients} at once: {whole}.{rest} orders/s ({} orders)", round.orders));
            steps(&round.steps);
            let Cost { calls, read, write } = round.cost;
            let [read, write] = [read, write].map(|units| units.div_euclid(100));
            say(format!("of one order: {calls} calls, {read} read units, {write} write units"));
        }
        Ok(())
    }

    async fn burst(plan: Plan) -> Done {
        let Plan { buyers, units, clients, abandon } = plan;
        say(format!(
            "{buyers} buyers of {units} units, {clients} at once, {abandon} of 100 leave their hold:"
        ));
        let bar = Bar::default();
        let burst = burst(plan, &bar).await?;
        bar.done();
        let seconds = |time: &Duration| format!("{} s", thousandths(time.as_millis()));
        say(format!("\ncarts filled in {}", seconds(&burst.filling)));
        let rushes: Vec<String> = burst.rushes.iter().map(seconds).collect();
        say(format!("all at the checkout, and what was sold delivered on, in {}", rushes.join(" and ")));
        steps(&burst.steps);
        let Burst { orders, abandoned, refused, bins, stock, .. } = &burst;
        let refused: Vec<String> = refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
        say(format!("orders {}, holds left {abandoned}, refused {}", orders.len(), refused.join(", ")));
        let balance = domain::money::decimal_text(burst.balance, "EUR".parse()?);
        say(format!("available {} in {bins} bins, ledger {balance}", stock.available));
        match burst.wrong() {
            wrong if wrong.is_empty() => Ok(()),
            wrong => Err(Failed::new(wrong.join("\n"))),
        }
    }

    async fn cold() -> Done {
        let binaries = built()?;
        say("From the start of the process to the first question for work, on this machine:\n");
        say(format!(
            "{:<16} {:>10} {:>12} {:>12} {:>14}",
            "function", "binary", "fastest", "median", "above empty"
        ));
        let starts = starts(&binaries).await?;
        let empty = starts.first().map_or(0, |start| start.median);
        for start in starts {
            let above = start.median.saturating_sub(empty);
            let (size, millis) = (megabytes(start.bytes), |micros| format!("{} ms", thousandths(micros)));
            let (fastest, median, above) = (millis(start.fastest), millis(start.median), millis(above));
            say(format!("{:<16} {size:>10} {fastest:>12} {median:>12} {above:>14}", start.name));
        }
        Ok(())
    }

    async fn cost() -> Done {
        let hundredths = |units: u64| {
            let (whole, rest) =
                (units.checked_div(100).unwrap_or_default(), units.checked_rem(100).unwrap_or_default());
            format!("{whole}.{rest:02}")
        };
        say("An order of 3 lines from 2 merchants, from intake to payout, in the engine's own units:\n");
        say(format!("{:<34} {:>6} {:>11} {:>12}", "step", "calls", "read units", "write units"));
        let row = |name: &str, cost: &Cost| {
            format!(
                "{name:<34} {:>6} {:>11} {:>12}",
                cost.calls,
                hundredths(cost.read),
                hundredths(cost.write)
            )
        };
        let mut all = Cost::default();
        for (name, cost) in cost().await? {
            all = all.plus(&cost);
            say(row(&name, &cost));
        }
        say(row("together", &all));
        Ok(())
    }
}

fn steps(all: &[Times]) {
    say(format!("{:<20} {:>10} {:>10} {:>10}", "step", "p50", "p99", "slowest"));
    for (step, Times { half, most, slowest }) in STEPS.iter().zip(all) {
        let [half, most, slowest] =
            [half, most, slowest].map(|time| format!("{} ms", thousandths(time.as_micros())));
        say(format!("{step:<20} {half:>10} {most:>10} {slowest:>10}"));
    }
}

/// Builds what is measured, with cargo's own progress; answers the folder of the binaries.
fn built() -> Result<PathBuf, Failed> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.current_dir(root()).args(["build", "--release", "--package", "souk", "--example", "empty"]);
    for (name, _) in souk::market::functions() {
        build.args(["--package", name, "--bin", name]);
    }
    if !build.status()?.success() {
        return Err(Failed::new("the functions are not built").hint("cargo's own words stand above"));
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from);
    Ok(target.join("release"))
}

pub(super) fn thousandths(micros: u128) -> String {
    let rest = micros.checked_rem(1_000).unwrap_or_default();
    format!(
        "{}.{:01}",
        micros.checked_div(1_000).unwrap_or_default(),
        rest.checked_div(100).unwrap_or_default()
    )
}

fn megabytes(bytes: u64) -> String {
    let tenths = bytes.checked_div(100_000).unwrap_or_default();
    format!(
        "{}.{} MB",
        tenths.checked_div(10).unwrap_or_default(),
        tenths.checked_rem(10).unwrap_or_default()
    )
}
