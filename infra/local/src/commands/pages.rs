//! `cargo souk bench pages`: what the pages of a storefront take, in small and in large catalogs.

use super::bar::Bar;
use super::shares::write_figures;
use super::{Done, Failed, say};
use clap::Args;
use serde_json::{Value, json};
use souk::pages::{Page, pages};
use std::path::PathBuf;

/// Calls of the table that a page of a list may take, in hundredths; one of them asks whose key it is.
const CALLS_MAX: u64 = 3_00;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk bench pages --products 100 --products 10000
  cargo run --release -p souk -- bench pages --json figures.json")]
pub(crate) struct Pages {
    /// Products of the catalog, in rising order; may stand several times.
    #[arg(long, default_values_t = [100, 100_000])]
    products: Vec<usize>,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

impl Pages {
    pub(crate) async fn run(self) -> Done {
        self.json.as_deref().map_or(Ok(()), super::must_be_writable)?;
        if !self.products.is_sorted() || self.products.first().is_none_or(|first| *first < 2) {
            return Err(Failed::new("--products: want sizes from 2 on, in rising order"));
        }
        let bar = Bar::default();
        let seen = pages(&self.products, &bar).await?;
        bar.done();
        say("products  page          calls  read units  median     (one call of each asks whose key it is)");
        for Page { products, name, cost, median } in &seen {
            let decimal = |hundredths: u64| format!("{}.{:02}", hundredths / 100, hundredths % 100);
            let (calls, read) = (decimal(cost.calls), decimal(cost.read));
            say(format!("{products:>8}  {name:<12}  {calls:>5}  {read:>10}  {median:.1?}"));
        }
        write_figures(self.json.as_deref(), &Value::Array(seen.iter().map(figures).collect()))?;
        let list = |page: &&Page| matches!(page.name, "category" | "collection");
        match seen.iter().filter(list).find(|page| page.cost.calls > CALLS_MAX) {
            Some(page) => Err(Failed::new(format!("a page of a {} takes more than three calls", page.name))),
            None => Ok(()),
        }
    }
}

fn figures(page: &Page) -> Value {
    json!({
        "products": page.products,
        "page": page.name,
        "calls_in_hundredths": page.cost.calls,
        "read_units_in_hundredths": page.cost.read,
        "median_microseconds": page.median.as_micros(),
    })
}
