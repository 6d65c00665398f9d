//! The nightly schedule, three runs an hour apart: what is due goes to the queue, one message per merchant.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use edge::{Again, World};
use events::payout::PayoutDueV1;
use events::{Announced, Change, Context};
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use table::payout::DuePayout;

/// A run looks at this many hours, the schedule's own and those before: one missed run is caught up by the next.
const HOURS: i64 = 3;
/// SQS's bound of one call.
const MESSAGES_MAX: usize = 10;

/// Due items are deleted once the queue has them; a crash before that hands them on twice, which a claim tolerates.
pub(crate) async fn hand_on(world: World, input: Value) -> Result<(), Again> {
    let refuse = || Again::Refused(format!("{input} has no `scheduled_at`"));
    let at: Timestamp = input
        .get("scheduled_at")
        .and_then(Value::as_str)
        .and_then(|at| at.parse().ok())
        .ok_or_else(refuse)?;
    let client = Client::new(&world.aws);
    for back in (0..HOURS).rev() {
        let hour = at.checked_sub(back.hours()).map_err(|error| Again::call("look back", error))?;
        let due = world.table.due_payouts(hour).await?;
        for batch in due.chunks(MESSAGES_MAX) {
            send(&world, &client, batch).await?;
            for done in batch {
                world.table.payout_is_handed_on(done).await?;
            }
        }
    }
    Ok(())
}

async fn send(world: &World, client: &Client, batch: &[DuePayout]) -> Result<(), Again> {
    let queue =
        world.variable("PAYOUT_QUEUE").map_err(|unset| Again::call("find the payout queue", unset))?;
    let mut entries = Vec::with_capacity(batch.len());
    for (position, due) in batch.iter().enumerate() {
        let entry =
            SendMessageBatchRequestEntry::builder().id(position.to_string()).message_body(message(due)?);
        entries.push(entry.build().map_err(|error| Again::call("build a message", error))?);
    }
    let sent = client.send_message_batch().queue_url(queue).set_entries(Some(entries)).send().await;
    let sent = sent.map_err(|error| Again::call("send due payouts", error))?;
    match sent.failed().first() {
        None => Ok(()),
        Some(failed) => {
            Err(Again::Refused(format!("the queue did not take a due payout: {}", failed.code())))
        }
    }
}

/// The same due item always makes the same message.
fn message(due: &DuePayout) -> Result<String, Again> {
    let at = due.hour;
    let cause = format!("due:{}:{}", due.merchant, at.strftime("%Y-%m-%dT%H"));
    let context =
        Context { at, actor: "system:payout".to_owned(), cause: cause.clone(), correlation: cause.clone() };
    let facts = [Announced::of(&PayoutDueV1 { merchant: due.merchant.clone() })];
    let change =
        Change { marketplace: &due.marketplace, subject: &cause, step: 0, context: &context, facts: &facts };
    serde_json::to_string(&change.envelopes().first()).map_err(Again::Unreadable)
}
