//! Items of the table's stream that fail however often they come.
//!
//! A stream waits for a failed record, and everything behind it waits too. That is right while the cause may pass; an
//! item that is itself the cause is set aside: its key goes to the reader's dead-letter queue and counts as handled.
//! Sent back, the key comes through the reader's queue, and the item is read from the table, which keeps it for ever.

use crate::function::Image;
use crate::world::Unset;
use aws_sdk_sqs::Client;
use table::Key;

/// Sends the keys of the images at these positions to a dead-letter queue; answers the positions of those that it did
/// not take, which must come again.
pub async fn set_aside(
    client: &Client,
    queue: Result<&str, Unset>,
    images: &[Image],
    positions: Vec<usize>,
) -> Vec<usize> {
    let queue = match queue {
        Ok(queue) => queue,
        Err(unset) => {
            tracing::error!(error = crate::chain(&unset), "nothing can be set aside");
            return positions;
        }
    };
    let mut left = Vec::new();
    for position in positions {
        let Some(image) = images.get(position) else { continue };
        let key = Key::of_item(image);
        tracing::error!(%key, "an item is set aside with the dead letters");
        let Ok(body) = serde_json::to_string(&key) else { continue };
        if let Err(error) = client.send_message().queue_url(queue).message_body(body).send().await {
            tracing::warn!(error = crate::chain(&error), "the dead-letter queue did not take a key");
            left.push(position);
        }
    }
    left
}
