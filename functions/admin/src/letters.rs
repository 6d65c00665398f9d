//! Dead letters: messages that failed too often, shown and sent back to the queue that they failed in.
//!
//! Reads and writes: the dead-letter queues that the template names. A queue is everybody's: an operator sees and sends
//! back the messages of the own marketplace, and leaves the others where they are. Whose a message is, its envelope
//! says, its item's key, the place of its file, or the tags of its mail. A message leaves its dead-letter queue after
//! it was sent back, so what comes twice is known by its event's id. Absent on purpose: an idempotency record, since
//! what was sent back is no longer there; AWS's pointers to records that the table's stream has lost, which name no
//! marketplace (they are counted).

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{Message, MessageSystemAttributeName, QueueAttributeName};
use axum::extract::{Path, State};
use domain::id::MarketplaceId;
use edge::query::None as NoParameters;
use edge::{Command, Listing, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use table::Key;

/// How long messages are hidden while they are looked at, in seconds; longer than the function may run.
const HIDDEN: i32 = 60;
/// Messages that one request looks at, at the most.
const LOOKS_MAX: usize = 500;

/// A dead-letter queue as the template names it.
#[derive(Debug, Clone)]
struct Dead {
    name: String,
    address: String,
    /// Where its messages failed.
    origin: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct QueueView {
    queue: String,
    /// Of all marketplaces, about.
    messages: u64,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct LetterView {
    id: String,
    /// Its name; `item` for an item of the table that could not be told or projected, `file` for a file that was sent,
    /// `mail_report` for what came back of a mail.
    event: String,
    /// For an item or a file, its key; for a report, the carrier's name of the mail.
    event_id: String,
    /// None for an item.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// When it was first sent, in milliseconds since 1970.
    sent: u64,
    /// How often it was received, by its consumer and by those who looked at it.
    received: u64,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ReplayView {
    sent_back: u64,
}

/// From the template: `name dead-letter-queue queue-it-failed-in`, separated by commas, and where all queues are.
fn all(world: &World) -> Result<Vec<Dead>, Problem> {
    let variable = |name| world.variable(name).map_err(|unset| Problem::fault(&unset));
    let (text, place) = (variable("DEAD_LETTERS")?, variable("QUEUES")?);
    let read = |line: &str| {
        let mut words = line.split_whitespace();
        let name = words.next()?.to_owned();
        let mut address = || Some(format!("{place}/{}", words.next()?));
        Some(Dead { name, address: address()?, origin: address()? })
    };
    Ok(text.split(',').filter_map(read).collect())
}

fn one(world: &World, name: &str) -> Result<Dead, Problem> {
    let found = all(world)?.into_iter().find(|queue| queue.name == name);
    found.ok_or_else(|| Problem::not_found("dead-letter queue"))
}

fn failed(error: impl std::error::Error) -> Problem {
    Problem::fault(&error)
}

async fn count(client: &Client, queue: &Dead) -> Result<u64, Problem> {
    let visible = QueueAttributeName::ApproximateNumberOfMessages;
    let asked = client.get_queue_attributes().queue_url(&queue.address).attribute_names(visible.clone());
    let attributes = asked.send().await.map_err(failed)?.attributes.unwrap_or_default();
    Ok(attributes.get(&visible).and_then(|count| count.parse().ok()).unwrap_or_default())
}

pub(crate) async fn queues(
    State(world): State<World>,
    _query: Query<NoParameters>,
) -> Result<Reply<Listing<QueueView>>, Problem> {
    let client = Client::new(&world.aws);
    let mut items = Vec::new();
    for queue in all(&world)? {
        let messages = count(&client, &queue).await?;
        items.push(QueueView { queue: queue.name, messages });
    }
    Ok(Reply::ok(Listing { items, next: None }))
}

/// What a message is about, and whose it is.
struct Letter {
    marketplace: String,
    event: String,
    event_id: String,
    subject: Option<String>,
}

/// Reads the envelope of an event, an item's key, or what S3 tells of files and SES of mail.
fn read(body: &Value) -> Option<Letter> {
    let text = |pointer: &str| Some(body.pointer(pointer)?.as_str()?.to_owned());
    if let Ok(key) = serde_json::from_value::<Key>(body.clone()) {
        let (marketplace, event_id) = (key.tenant()?.to_string(), key.to_string());
        return Some(Letter { marketplace, event: "item".to_owned(), event_id, subject: None });
    }
    if let Some(event_id) = text("/object/key") {
        // Files are sent to the place of their marketplace, and there of what awaits them.
        let mut parts = event_id.split('/').skip(1).map(str::to_owned);
        let (marketplace, subject) = (parts.next()?, parts.next());
        return Some(Letter { marketplace, event: "file".to_owned(), event_id, subject });
    }
    if let Some(event_id) = text("/mail/messageId") {
        let (marketplace, subject) = (text("/mail/tags/marketplace/0")?, text("/mail/tags/message/0"));
        return Some(Letter { marketplace, event: "mail_report".to_owned(), event_id, subject });
    }
    let (marketplace, event, event_id) = (text("/marketplace")?, text("/name")?, text("/id")?);
    Some(Letter { marketplace, event, event_id, subject: text("/subject") })
}

/// A message of the own marketplace.
fn own(message: &Message, m: &MarketplaceId) -> Option<LetterView> {
    let body: Value = serde_json::from_str(message.body()?).ok()?;
    let Letter { event, event_id, subject, .. } =
        read(&body).filter(|letter| letter.marketplace == m.as_str())?;
    let number = |name: MessageSystemAttributeName| {
        let attributes = message.attributes.as_ref();
        attributes.and_then(|all| all.get(&name)?.parse().ok()).unwrap_or_default()
    };
    Some(LetterView {
        id: message.message_id.clone().unwrap_or_default(),
        event,
        event_id,
        subject,
        sent: number(MessageSystemAttributeName::SentTimestamp),
        received: number(MessageSystemAttributeName::ApproximateReceiveCount),
    })
}

/// Takes every message of the queue once, up to a bound; they stay hidden until they are [`uncovered`](uncover).
async fn take(client: &Client, queue: &Dead) -> Result<Vec<Message>, Problem> {
    let there = usize::try_from(count(client, queue).await?).unwrap_or(usize::MAX);
    let mut taken: Vec<Message> = Vec::new();
    while taken.len() < there.min(LOOKS_MAX) {
        let asked = client
            .receive_message()
            .queue_url(&queue.address)
            .max_number_of_messages(10)
            .visibility_timeout(HIDDEN)
            // A long poll asks all of SQS's servers.
            .wait_time_seconds(1)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let found = asked.send().await.map_err(failed)?.messages.unwrap_or_default();
        if found.is_empty() {
            break;
        }
        taken.extend(found);
    }
    Ok(taken)
}

/// Shows messages to others again. Where this fails they come back by themselves.
async fn uncover(client: &Client, queue: &Dead, messages: &[&Message]) {
    for message in messages {
        let change = client.change_message_visibility().queue_url(&queue.address).visibility_timeout(0);
        let change = change.set_receipt_handle(message.receipt_handle.clone());
        if let Err(error) = change.send().await {
            tracing::warn!(error = edge::chain(&error), queue = queue.name, "a dead letter stays hidden");
        }
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    Path(name): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<Listing<LetterView>>, Problem> {
    let (client, queue) = (Client::new(&world.aws), one(&world, &name)?);
    let messages = take(&client, &queue).await?;
    let items = messages.iter().filter_map(|message| own(message, &query.caller.marketplace)).collect();
    uncover(&client, &queue, &messages.iter().collect::<Vec<_>>()).await;
    Ok(Reply::ok(Listing { items, next: None }))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Replay {}

pub(crate) async fn replay(
    State(world): State<World>,
    Path(name): Path<String>,
    command: Command<Replay>,
) -> Result<Reply<ReplayView>, Problem> {
    let (client, queue) = (Client::new(&world.aws), one(&world, &name)?);
    let messages = take(&client, &queue).await?;
    let (mine, others): (Vec<_>, Vec<_>) =
        messages.iter().partition(|message| own(message, &command.caller.marketplace).is_some());
    uncover(&client, &queue, &others).await;
    let mut sent_back = 0_u64;
    for message in mine {
        let again = client.send_message().queue_url(&queue.origin).set_message_body(message.body.clone());
        again.send().await.map_err(failed)?;
        let gone = client.delete_message().queue_url(&queue.address);
        gone.set_receipt_handle(message.receipt_handle.clone()).send().await.map_err(failed)?;
        sent_back = sent_back.saturating_add(1);
    }
    tracing::info!(
        actor = command.caller.actor,
        queue = queue.name,
        sent_back,
        "dead letters were sent back"
    );
    Ok(Reply::ok(ReplayView { sent_back }))
}
