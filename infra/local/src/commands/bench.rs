//! `cargo souk bench`: what an order costs.

use super::{Done, say};
use clap::{Args, Subcommand};
use souk::bench::{Cost, cost};

#[derive(Debug, Args)]
pub(crate) struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Table calls, read and write units of one order from intake to payout, by step.
    Cost,
}

impl Bench {
    pub(crate) async fn run(self) -> Done {
        let What::Cost = self.what;
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
