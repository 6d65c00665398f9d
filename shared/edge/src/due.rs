//! A schedule's work: what is due goes to the function's own queue, one message per thing.
//!
//! A run hands on all that is due by its minute: what a missed or a cut run has left is caught up. It works on all
//! shards at once, for on the first of a month many thousands are due in one minute and a run has seconds.

use crate::world::Unset;
use crate::{Again, World};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use events::{Announced, Change, Context, Payload};
use futures::future::join_all;
use jiff::Timestamp;
use serde_json::Value;
use table::due::{Due, Work};

/// SQS's bound of one call.
const MESSAGES_MAX: usize = 10;
/// So many are in the queue before they are deleted, five calls and two; a crash between hands them on twice.
const SENT_AT_ONCE: usize = 50;

/// Hands on what is due to the queue that the environment names. Due items are deleted once the queue has them; a crash
/// before that hands them on twice, so whoever hears of them finds the second time nothing to do.
pub async fn hand_on<P: Payload>(
    world: World,
    input: Value,
    work: Work,
    queue: Result<String, Unset>,
    payload: fn(&str) -> Option<P>,
) -> Result<(), Again> {
    let refuse = || Again::Refused(format!("{input} has no `scheduled_at`"));
    let at: Timestamp = input
        .get("scheduled_at")
        .and_then(Value::as_str)
        .and_then(|at| at.parse().ok())
        .ok_or_else(refuse)?;
    let client = Client::new(&world.aws);
    let queue = queue.map_err(|unset| Again::call("find the queue of due work", unset))?;
    let shards = (0..work.shards()).map(async |shard| {
        loop {
            let (due, more) = world.table.due(work, shard, at).await?;
            for some in due.chunks(SENT_AT_ONCE) {
                for batch in some.chunks(MESSAGES_MAX) {
                    send(&client, &queue, batch, payload).await?;
                }
                world.table.are_handed_on(some).await?;
            }
            if !more {
                return Ok(());
            }
        }
    });
    // A shard that fails keeps none of the others.
    join_all(shards).await.into_iter().collect()
}

async fn send<P: Payload>(
    client: &Client,
    queue: &str,
    batch: &[Due],
    payload: fn(&str) -> Option<P>,
) -> Result<(), Again> {
    let mut entries = Vec::with_capacity(batch.len());
    for (position, due) in batch.iter().enumerate() {
        // What no payload can be made of was never put there by the table.
        let Some(payload) = payload(&due.thing) else { continue };
        let body = message(due, &payload)?;
        let entry = SendMessageBatchRequestEntry::builder().id(position.to_string()).message_body(body);
        entries.push(entry.build().map_err(|error| Again::call("build a message", error))?);
    }
    if entries.is_empty() {
        return Ok(());
    }
    let sent = client.send_message_batch().queue_url(queue).set_entries(Some(entries)).send().await;
    let sent = sent.map_err(|error| Again::call("send due work", error))?;
    match sent.failed().first() {
        None => Ok(()),
        Some(failed) => Err(Again::Refused(format!("the queue did not take due work: {}", failed.code()))),
    }
}

/// The same due item always makes the same message.
fn message<P: Payload>(due: &Due, payload: &P) -> Result<String, Again> {
    let Due { work, marketplace, thing, minute: at, .. } = due;
    let cause = format!("due:{thing}:{}", at.strftime("%Y-%m-%dT%H:%M"));
    let actor = format!("system:{}", work.word());
    let context = Context { at: *at, actor, cause: cause.clone(), correlation: cause.clone() };
    let facts = [Announced::of(payload)];
    let change = Change { marketplace, subject: &cause, step: 0, context: &context, facts: &facts };
    serde_json::to_string(&change.envelopes().first()).map_err(Again::Unreadable)
}
