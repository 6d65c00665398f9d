//! `cargo souk clock`: the marketplace's time.

use super::{Done, Failed, ask_running, open, say};
use clap::{Args, Subcommand};
use jiff::{SignedDuration, Span, SpanRelativeTo};
use std::path::Path;

#[derive(Debug, Args)]
pub(crate) struct Clock {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Move it on, through every schedule on the way.
    #[command(after_help = "Examples:
  cargo souk clock advance 7d
  cargo souk clock advance \"2 weeks\"")]
    Advance {
        /// How far: 7d, 36h, 90min, "2 weeks".
        by: String,
    },
    /// Print it.
    Show,
}

impl Clock {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let by = match &self.what {
            What::Show => SignedDuration::ZERO,
            What::Advance { by } => duration(by)?,
        };
        if let Some(now) = ask_running(data, &format!("advance?seconds={}", by.as_secs())).await? {
            say(now);
            return Ok(());
        }
        let market = open(data).await?;
        market.advance(by).await?;
        say(market.clock.now());
        Ok(())
    }
}

fn duration(text: &str) -> Result<SignedDuration, Failed> {
    let refuse = || {
        Failed::new(format!("`{text}` is no duration"))
            .hint("write 7d, 36h, 90min or \"2 weeks\", up to ten years")
    };
    let span: Span = text.parse().map_err(|_| refuse())?;
    let by = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| refuse())?;
    if by.is_negative() || by > SignedDuration::from_hours(24 * 3653) {
        return Err(refuse());
    }
    Ok(by)
}
