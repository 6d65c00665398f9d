//! `cargo souk reset`: back to an empty data folder.

use super::{Done, Failed, say};
use clap::Args;
use souk::cloud::{LOCK, alone_in};
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct Reset {
    /// Do it without asking again.
    #[arg(long)]
    yes: bool,
}

impl Reset {
    pub(crate) fn run(self, data: &Path) -> Done {
        if !data.exists() {
            say(format!("{} is not there: nothing to delete", data.display()));
            return Ok(());
        }
        if !data.join(LOCK).is_file() {
            let reason = format!("{} is no data folder of a marketplace", data.display());
            return Err(Failed::new(reason).hint("nothing is deleted; name one with --data DIR"));
        }
        // Nobody goes on in what is not there any more.
        let _alone = alone_in(data)?;
        if !self.yes {
            return Err(Failed::new(format!("this deletes {} with everything in it", data.display()))
                .hint("say `cargo souk reset --yes`"));
        }
        std::fs::remove_dir_all(data)?;
        say(format!("{} is deleted", data.display()));
        Ok(())
    }
}
