//! The relay: new outbox items of the table's stream become events on the bus.
//!
//! Reads: the stream (inserts of kind `outbox.1`). Writes nothing. Emits: every event of every outbox item, at least
//! once, under the id that it always has. Every result of PutEvents is read; an item whose events were not all taken
//! is named in the answer and comes again, and what cannot be read at all ends in the relay's dead-letter queue.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use edge::function::Image;
use edge::{Again, Function, World};
use events::Envelope;
use table::outbox::Entry;

/// EventBridge's bounds of one call.
const ENTRIES_MAX: usize = 10;
const BYTES_MAX: usize = 256 * 1024;
/// What the bus knows us as; rules name it.
const SOURCE: &str = "souk";

pub fn function(world: &World) -> Function {
    let client = Client::new(&world.aws);
    Function::new("outbox", world).stream(move |world, images| relay(client.clone(), world, images))
}

/// Tells events again, for an operator; answers how many the bus did not take.
pub async fn tell(world: &World, events: Vec<Envelope>) -> usize {
    let client = Client::new(&world.aws);
    publish(&client, world, events.into_iter().enumerate().collect()).await.len()
}

/// Sends the events of each image; answers the positions of those that must come again.
async fn relay(client: Client, world: World, images: Vec<Image>) -> Vec<usize> {
    let mut failed = Vec::new();
    let mut waiting: Vec<(usize, Envelope)> = Vec::new();
    for (position, image) in images.iter().enumerate() {
        match Entry::read(image) {
            Ok(Some(entry)) => waiting.extend(entry.envelopes().into_iter().map(|event| (position, event))),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = edge::chain(&error), "an outbox item cannot be read");
                failed.push(position);
            }
        }
    }
    failed.extend(publish(&client, &world, waiting).await);
    failed.sort_unstable();
    failed.dedup();
    failed
}

/// Publishes events and answers the tags of those that the bus did not take.
async fn publish(client: &Client, world: &World, events: Vec<(usize, Envelope)>) -> Vec<usize> {
    let mut failed = Vec::new();
    let mut batch: Vec<(usize, PutEventsRequestEntry)> = Vec::new();
    let mut bytes: usize = 0;
    for (tag, event) in events {
        let (entry, size) = match entry(world, &event) {
            Ok(made) => made,
            Err(again) => {
                tracing::error!(error = edge::chain(&again), event = event.id, "an event cannot be sent");
                failed.push(tag);
                continue;
            }
        };
        if batch.len() == ENTRIES_MAX || bytes.saturating_add(size) > BYTES_MAX {
            failed.extend(put(client, std::mem::take(&mut batch)).await);
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        batch.push((tag, entry));
    }
    failed.extend(put(client, batch).await);
    failed
}

fn entry(world: &World, event: &Envelope) -> Result<(PutEventsRequestEntry, usize), Again> {
    let detail = serde_json::to_string(event).map_err(Again::Unreadable)?;
    let bus = world.variable("BUS").map_err(|unset| Again::call("find the bus", unset))?;
    let size = detail.len().saturating_add(event.name.len()).saturating_add(SOURCE.len());
    let entry = PutEventsRequestEntry::builder().source(SOURCE).detail_type(&event.name).detail(detail);
    Ok((entry.event_bus_name(bus).build(), size))
}

async fn put(client: &Client, batch: Vec<(usize, PutEventsRequestEntry)>) -> Vec<usize> {
    if batch.is_empty() {
        return Vec::new();
    }
    let (tags, entries): (Vec<usize>, Vec<PutEventsRequestEntry>) = batch.into_iter().unzip();
    match client.put_events().set_entries(Some(entries)).send().await {
        Err(error) => {
            tracing::warn!(error = edge::chain(&error), "the bus did not answer");
            tags
        }
        Ok(answer) => {
            // One result per entry, in their order; a missing result is a failure too.
            let taken = |position: usize| {
                answer.entries().get(position).is_some_and(|result| result.error_code().is_none())
            };
            let failed = tags.iter().enumerate().filter(|(position, _)| !taken(*position));
            let failed: Vec<usize> = failed.map(|(_, tag)| *tag).collect();
            if !failed.is_empty() {
                tracing::warn!(count = failed.len(), "the bus did not take some events");
            }
            failed
        }
    }
}
