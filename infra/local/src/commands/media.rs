//! `cargo souk media check`: every file that is shown against the assets that show it.

use super::{Done, Failed, say};
use clap::{Args, Subcommand};
use edge::World;
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct Media {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Find files that no asset shows, and files that are shown and not there.
    #[command(after_help = "Examples:
  cargo souk media check
  cargo souk media check --repair")]
    Check {
        /// Take away what no asset shows.
        #[arg(long)]
        repair: bool,
    },
}

impl Media {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let What::Check { repair } = self.what;
        let market = super::open(data).await?;
        market.cloud.settle_with_retries().await?;
        let (aws, environment) = (market.cloud.sdk_config("media"), market.cloud.environment("media")?);
        let world = World::new(aws, environment, market.clock.clone(), market.world.keys.clone())?;
        let found = ::media::check(&world, repair).await?;
        found.stray.iter().for_each(|name| say(format!("stray    {name}")));
        found.lacking.iter().for_each(|name| say(format!("missing  {name}")));
        let (stray, missing) = (found.stray.len(), found.lacking.len());
        say(format!("{} files, {stray} that no asset shows, {missing} missing", found.files));
        if missing == 0 && (stray == 0 || repair) {
            return Ok(());
        }
        let failed = Failed::new("files and assets do not agree");
        Err(if missing == 0 {
            failed.hint("cargo souk media check --repair takes them away")
        } else {
            failed
        })
    }
}
