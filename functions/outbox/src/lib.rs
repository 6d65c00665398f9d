//! The relay: new outbox items of the table's stream become events on the bus.
//!
//! Reads: the stream (inserts of kind `outbox.1`), and by its key what was set aside and is sent back. Writes nothing.
//! Emits: every event of every outbox item, at least once, under the id that it always has. Every result of PutEvents
//! is read. An item whose events were not taken for a passing reason is named in the answer and comes again, for as
//! long as the stream keeps it; what cannot be read, or is refused for what it is, is set aside by its key.

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use edge::function::Image;
use edge::stream::set_aside;
use edge::{Again, Function, World};
use events::Envelope;
use table::Key;
use table::outbox::Entry;

/// EventBridge's bounds of one call.
const ENTRIES_MAX: usize = 10;
const BYTES_MAX: usize = 256 * 1024;
/// What the bus knows us as; rules name it.
const SOURCE: &str = "souk";
/// The bus's words for an entry that it will never take; its other words pass.
const REFUSALS: [&str; 2] = ["InvalidArgument", "MalformedDetail"];

/// Tags of what the bus did not take.
#[derive(Debug, Default)]
struct Untaken {
    /// For a passing reason.
    again: Vec<usize>,
    /// For what they are.
    never: Vec<usize>,
}

impl Untaken {
    fn add(&mut self, more: Self) {
        self.again.extend(more.again);
        self.never.extend(more.never);
    }

    fn count(&self) -> usize {
        self.again.len().saturating_add(self.never.len())
    }
}

pub fn function(world: &World) -> Function {
    let (bus, letters) = (Client::new(&world.aws), aws_sdk_sqs::Client::new(&world.aws));
    Function::new("outbox", world)
        .stream(move |world, images| relay(bus.clone(), letters.clone(), world, images))
        .sent_back(sent_back)
}

/// Tells events again, for an operator; answers how many the bus did not take.
pub async fn tell(world: &World, events: Vec<Envelope>) -> usize {
    let client = Client::new(&world.aws);
    publish(&client, world, events.into_iter().enumerate().collect()).await.count()
}

/// Sends the events of each image; answers the positions of those that must come again.
async fn relay(bus: Client, letters: aws_sdk_sqs::Client, world: World, images: Vec<Image>) -> Vec<usize> {
    let mut untaken = Untaken::default();
    let mut waiting: Vec<(usize, Envelope)> = Vec::new();
    for (position, image) in images.iter().enumerate() {
        match Entry::read(image) {
            Ok(Some(entry)) => waiting.extend(entry.envelopes().into_iter().map(|event| (position, event))),
            Ok(None) => {}
            Err(error) => {
                tracing::error!(error = edge::chain(&error), "an outbox item cannot be read");
                untaken.never.push(position);
            }
        }
    }
    untaken.add(publish(&bus, &world, waiting).await);
    let Untaken { mut again, mut never } = untaken;
    never.sort_unstable();
    never.dedup();
    // What comes again anyway is set aside then.
    never.retain(|position| !again.contains(position));
    again.extend(set_aside(&letters, world.variable("DEAD"), &images, never).await);
    again.sort_unstable();
    again.dedup();
    again
}

/// Sends the events of an item that was set aside; all of them, since a repeat is known by its id.
async fn sent_back(world: World, key: Key) -> Result<(), Again> {
    let early = || Again::Early(key.to_string());
    let entry = world.table.outbox_entry(&key).await?.ok_or_else(early)?;
    match tell(&world, entry.envelopes()).await {
        0 => Ok(()),
        count => Err(Again::Refused(format!("the bus did not take {count} of its events"))),
    }
}

/// Publishes events and answers the tags of those that the bus did not take.
async fn publish(client: &Client, world: &World, events: Vec<(usize, Envelope)>) -> Untaken {
    let mut untaken = Untaken::default();
    let mut batch: Vec<(usize, PutEventsRequestEntry)> = Vec::new();
    let mut bytes: usize = 0;
    for (tag, event) in events {
        let (entry, size) = match entry(world, &event) {
            Ok(made) => made,
            Err(again) => {
                tracing::error!(error = edge::chain(&again), event = event.id, "an event cannot be sent");
                untaken.again.push(tag);
                continue;
            }
        };
        if size > BYTES_MAX {
            tracing::error!(size, event = event.id, "an event is too large for the bus");
            untaken.never.push(tag);
            continue;
        }
        if batch.len() == ENTRIES_MAX || bytes.saturating_add(size) > BYTES_MAX {
            untaken.add(put(client, std::mem::take(&mut batch)).await);
            bytes = 0;
        }
        bytes = bytes.saturating_add(size);
        batch.push((tag, entry));
    }
    untaken.add(put(client, batch).await);
    untaken
}

fn entry(world: &World, event: &Envelope) -> Result<(PutEventsRequestEntry, usize), Again> {
    let detail = serde_json::to_string(event).map_err(Again::Unreadable)?;
    let bus = world.variable("BUS").map_err(|unset| Again::call("find the bus", unset))?;
    let size = detail.len().saturating_add(event.name.len()).saturating_add(SOURCE.len());
    let entry = PutEventsRequestEntry::builder().source(SOURCE).detail_type(&event.name).detail(detail);
    Ok((entry.event_bus_name(bus).build(), size))
}

async fn put(client: &Client, batch: Vec<(usize, PutEventsRequestEntry)>) -> Untaken {
    let mut untaken = Untaken::default();
    if batch.is_empty() {
        return untaken;
    }
    let (tags, entries): (Vec<usize>, Vec<PutEventsRequestEntry>) = batch.into_iter().unzip();
    match client.put_events().set_entries(Some(entries)).send().await {
        Err(error) => {
            tracing::warn!(error = edge::chain(&error), "the bus did not answer");
            untaken.again = tags;
        }
        Ok(answer) => {
            // One result per entry, in their order; a missing result is a failure too.
            for (position, tag) in tags.into_iter().enumerate() {
                match answer.entries().get(position).map(|result| result.error_code()) {
                    Some(None) => {}
                    Some(Some(code)) if REFUSALS.contains(&code) => untaken.never.push(tag),
                    Some(Some(_)) | None => untaken.again.push(tag),
                }
            }
        }
    }
    if untaken.count() > 0 {
        let (again, never) = (untaken.again.len(), untaken.never.len());
        tracing::warn!(again, never, "the bus did not take some events");
    }
    untaken
}
