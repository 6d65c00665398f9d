//! `cargo souk replay`: a real order history through the front door.

use super::bar::Bar;
use super::{Done, Failed, say, secret};
use clap::Args;
use domain::id::sha256_hex;
use souk::Market;
use souk::replay::{Figures, History, replay, shop};
use std::path::{Path, PathBuf};
use std::time::Instant;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk replay tests/history
  cargo souk replay DIR --json figures.json
  cargo souk replay DIR --as storefront")]
pub(crate) struct Replay {
    /// A folder with files in the format of the Olist data set.
    history: PathBuf,
    /// How the orders come in: as a channel tells them, or as shoppers who fill carts and pay.
    #[arg(long = "as", value_name = "WAY", default_value = "channel")]
    way: Way,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    Channel,
    Storefront,
}

/// The data folder of a history: one per folder, so that histories do not mix.
pub(crate) fn folder(data: &Path, history: &Path) -> PathBuf {
    let whole = history.canonicalize().unwrap_or_else(|_| history.to_owned());
    let digest = sha256_hex(whole.to_string_lossy().as_bytes());
    let name = whole.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    data.join("replay").join(format!("{name}-{}", digest.get(..8).unwrap_or_default()))
}

impl Replay {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let history = History::read(&self.history)?;
        self.json.as_deref().map_or(Ok(()), super::must_be_writable)?;
        let start = history.start().ok_or_else(|| Failed::new("the history has no orders"))?;
        let folder = match self.way {
            Way::Channel => folder(data, &self.history),
            Way::Storefront => folder(&data.join("storefront"), &self.history),
        };
        let market = Market::open(&folder, Some(start)).await?;
        let secret = secret(&market, "replay.key")?;
        let began = Instant::now();
        let bar = Bar::default();
        // Deliveries go on beside the requests; at the end of each step the replay waits for the rest.
        let cloud = market.cloud.clone();
        let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
        let new = match self.way {
            Way::Channel => replay(&market, &history, &secret, &bar).await,
            Way::Storefront => shop(&market, &history, &secret, &bar).await,
        };
        pump.abort();
        let new = new?;
        bar.done();
        let seconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let mut figures = Figures::read(&market, history.currency).await?;
        figures.orders_per_second = new.saturating_mul(1000).checked_div(seconds).unwrap_or_default();
        if let Some(path) = &self.json {
            let text = serde_json::to_string_pretty(&figures)?;
            std::fs::write(path, text + "\n")
                .map_err(|error| Failed::new(format!("{}: {error}", path.display())))?;
        }
        table(&figures, history.currency.code());
        Ok(())
    }
}

fn table(figures: &Figures, currency: &str) {
    let scores = figures.ratings.iter().map(|(stars, orders)| format!("{stars}: {orders}"));
    let rows: [(&str, String); 14] = [
        ("orders", figures.orders.to_string()),
        ("lines", figures.lines.to_string()),
        ("merchants", figures.merchants.to_string()),
        ("merchant orders", figures.merchant_orders.to_string()),
        ("multi-merchant orders", figures.multi_merchant_orders.to_string()),
        ("exceptions", figures.exceptions.to_string()),
        ("items", format!("{} {currency}", figures.items)),
        ("freight", format!("{} {currency}", figures.freight)),
        ("payments", format!("{} {currency}", figures.payments)),
        ("commission", format!("{} {currency}", figures.commission)),
        ("payouts", format!("{} {currency}", figures.payouts)),
        ("ledger balance", format!("{} {currency}", figures.ledger_balance)),
        ("ratings", scores.collect::<Vec<_>>().join(", ")),
        ("orders per second", figures.orders_per_second.to_string()),
    ];
    for (name, value) in rows {
        say(format!("{name:<24}{value:>20}"));
    }
}
