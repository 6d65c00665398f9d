//! `cargo souk tax import`: rates from files, through the front door.

use super::{Done, Failed, open, say, secret};
use clap::{Args, Subcommand};
use souk::api::Api;
use souk::{demo, rates};
use std::path::{Path, PathBuf};

#[derive(Debug, Args)]
pub(crate) struct Tax {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Set the sheets of rates from sales_tax_rates.json and eu_vat_rates_data.json, in the form of the packages
    /// sales-tax and eu-vat-rates-data.
    #[command(after_help = "Examples:
  cargo souk tax import ../rates
  cargo souk tax import ../rates --country DE --country US")]
    Import {
        /// The folder with one of the files, or both.
        folder: PathBuf,
        /// Only this country; all, if not said.
        #[arg(long, value_name = "CODE")]
        country: Vec<String>,
    },
}

impl Tax {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let What::Import { folder, country: only } = self.what;
        let found = rates::read(&folder)?;
        if let Some(odd) = only.iter().find(|code| !found.sheets.contains_key(*code)) {
            return Err(Failed::new(format!("the files say nothing of `{odd}`"))
                .hint("name a country of ISO 3166-1 in capitals, like DE"));
        }
        let market = open(data).await?;
        let secret = secret(&market, "demo.key")?;
        demo::seed(&market, &secret).await?;
        let api = Api::new(&market.cloud, secret);
        let sheets = found.sheets.iter().filter(|(code, _)| only.is_empty() || only.contains(code));
        let (mut fresh, mut same, mut rows) = (0_usize, 0_usize, 0_usize);
        for (code, body) in sheets {
            // The sheet's own content names the request: the same file twice changes nothing.
            let key = domain::id::sha256_hex(format!("{code}{body}").as_bytes());
            let answer = api.post(&format!("/v1/tax/rates/{code}/set"), body, &key).await;
            let again = answer.headers.contains_key("idempotent-replayed");
            (fresh, same) =
                if again { (fresh, same.saturating_add(1)) } else { (fresh.saturating_add(1), same) };
            let set = answer.ok()?;
            let set = set.pointer("/rates").and_then(serde_json::Value::as_array).map_or(0, Vec::len);
            rows = rows.saturating_add(set);
        }
        market.cloud.settle_with_retries().await?;
        say(format!("{fresh} sheets are new, {same} were so already; {rows} rates in all"));
        if only.is_empty() && !found.left_out.is_empty() {
            say(format!("left out, no countries of ISO 3166-1: {}", found.left_out.join(", ")));
        }
        Ok(())
    }
}
