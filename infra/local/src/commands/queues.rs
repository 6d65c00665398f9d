//! `cargo souk dlq` and `cargo souk outbox`: what could not be handled, and telling events again.

use super::{Done, Failed, ask_running, open, say};
use clap::{Args, Subcommand};
use jiff::Timestamp;
use souk::Market;
use souk::cloud::CloudError;
use std::path::Path;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk dlq list
  cargo souk dlq replay
  cargo souk dlq replay souk-OrderSplitDead")]
pub(crate) struct Dlq {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// One line per message: queue, time, first words of the body.
    List,
    /// Send messages back to where they failed.
    Replay {
        /// Only this dead-letter queue; all if not said.
        queue: Option<String>,
    },
}

impl Dlq {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let path = match &self.what {
            What::List => "dlq/list".to_owned(),
            What::Replay { queue: Some(queue) } => format!("dlq/replay?queue={queue}"),
            What::Replay { queue: None } => "dlq/replay".to_owned(),
        };
        if let Some(told) = ask_running(data, &path).await? {
            say(told);
            return Ok(());
        }
        let market = open(data).await?;
        match self.what {
            What::List => say(list(&market)?),
            What::Replay { queue } => {
                say(replay(&market, queue.as_deref()).map_err(|error| {
                    let names = market.cloud.template().queues.keys().filter(|name| name.ends_with("Dead"));
                    let names: Vec<&str> = names.map(String::as_str).collect();
                    Failed::from(error).hint(format!("the dead-letter queues are {}", names.join(", ")))
                })?);
                market.cloud.settle_with_retries().await?;
            }
        }
        Ok(())
    }
}

pub(crate) fn list(market: &Market) -> Result<String, CloudError> {
    let letters = market.cloud.dead_letters()?;
    if letters.is_empty() {
        return Ok("all dead-letter queues are empty".to_owned());
    }
    let line = |letter: &souk::cloud::DeadLetter| {
        let words: String = letter.body.chars().take(120).collect();
        format!("{}  {:.0}  {words}", letter.queue, letter.sent)
    };
    Ok(letters.iter().map(line).collect::<Vec<_>>().join("\n"))
}

pub(crate) fn replay(market: &Market, queue: Option<&str>) -> Result<String, CloudError> {
    let mut queues: Vec<String> = match queue {
        Some(queue) => vec![queue.to_owned()],
        None => market.cloud.dead_letters()?.into_iter().map(|letter| letter.queue).collect(),
    };
    queues.dedup();
    let mut moved = 0_usize;
    for queue in queues {
        moved = moved.saturating_add(market.cloud.replay_dead_letters(&queue)?);
    }
    Ok(format!("{moved} messages sent back"))
}

#[derive(Debug, Args)]
pub(crate) struct Outbox {
    #[command(subcommand)]
    what: Resend,
}

#[derive(Debug, Subcommand)]
enum Resend {
    /// Tell all events again that were committed since a moment; consumers know them by their ids.
    #[command(after_help = "Example:\n  cargo souk outbox resend --since 2026-11-23T08:00:00Z")]
    Resend {
        /// The moment, by the marketplace's clock.
        #[arg(long, value_name = "TIME", value_parser = moment)]
        since: Timestamp,
    },
}

fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "want a time like 2026-11-23T08:00:00Z".to_owned())
}

impl Outbox {
    pub(crate) async fn run(self, data: &Path) -> Done {
        let Resend::Resend { since } = self.what;
        if let Some(told) = ask_running(data, &format!("outbox/resend?since={since}")).await? {
            say(told);
            return Ok(());
        }
        let market = open(data).await?;
        say(resend(&market, since).await?);
        market.cloud.settle_with_retries().await?;
        Ok(())
    }
}

/// The bus did not take what was told again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Untold {
    #[error("the table cannot be read")]
    Table(#[from] table::Fault),
    #[error("the bus did not take {0} events; try again: telling an event twice is harmless")]
    Bus(usize),
}

pub(crate) async fn resend(market: &Market, since: Timestamp) -> Result<String, Untold> {
    let mut after = None;
    let mut told = 0_usize;
    loop {
        let page = market.world.table.scan_outbox(after.as_ref()).await?;
        let entries: Vec<_> = page.items.into_iter().filter(|entry| entry.context.at >= since).collect();
        let events: Vec<_> = entries.iter().flat_map(table::outbox::Entry::envelopes).collect();
        told = told.saturating_add(events.len());
        let failed = outbox::tell(&market.world, events).await;
        if failed > 0 {
            return Err(Untold::Bus(failed));
        }
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(format!("{told} events told again")),
        }
    }
}
