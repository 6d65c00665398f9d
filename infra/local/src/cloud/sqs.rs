//! SQS: the JSON protocol over the store, and the shape of messages.

use md5::{Digest, Md5};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Inner;
use super::protocol::Answer;
use super::store::{Message, New, StoreError};
use super::template::{Queue, arn, queue_url};

/// SQS refuses more in one message or batch.
const BYTES: usize = 256 * 1_024;
const BATCH: usize = 10;

/// Why a request is refused.
enum Refused {
    NoSuchQueue(String),
    Invalid(String),
    Batch(&'static str, String),
    Receipt(String),
    Operation(String),
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

type Result<T> = std::result::Result<T, Refused>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    #[serde(default)]
    id: String,
    message_body: String,
    delay_seconds: Option<u32>,
    message_attributes: Option<Value>,
    message_group_id: Option<String>,
    message_deduplication_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entries<T> {
    entries: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u32>,
    wait_time_seconds: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    #[serde(default)]
    id: String,
    receipt_handle: String,
    #[serde(default)]
    visibility_timeout: u32,
}

impl Inner {
    /// Answers one request of SQS's JSON protocol.
    pub(super) async fn sqs(&self, operation: &str, body: &[u8]) -> std::result::Result<Answer, StoreError> {
        let outcome = match serde_json::from_slice::<Value>(body) {
            Ok(request) if operation == "ReceiveMessage" => self.receive_messages(&request).await,
            Ok(request) => self.sqs_operation(operation, &request),
            Err(error) => Err(Refused::Invalid(error.to_string())),
        };
        match outcome {
            Ok(answer) => Ok(Answer::json(&answer)),
            Err(refused) => refusal(refused),
        }
    }

    fn sqs_operation(&self, operation: &str, request: &Value) -> Result<Value> {
        match operation {
            "SendMessage" => self.send_message(request),
            "SendMessageBatch" => self.send_batch(request),
            "DeleteMessage" => self.delete_message(request),
            "DeleteMessageBatch" => {
                self.each(request, |receipt| Ok(self.store.delete(&[receipt_of(receipt)?])?))
            }
            "ChangeMessageVisibility" => self.change_visibility(request),
            "ChangeMessageVisibilityBatch" => self.each(request, |receipt| self.hide(receipt)),
            "GetQueueUrl" => {
                let name = request.get("QueueName").and_then(Value::as_str).unwrap_or_default();
                self.named(name).map(|queue| json!({ "QueueUrl": queue_url(&queue.name) }))
            }
            "GetQueueAttributes" => self.queue_attributes(request),
            "ListQueues" => {
                let prefix = request.get("QueueNamePrefix").and_then(Value::as_str).unwrap_or_default();
                let names = self.template.queues.keys().filter(|name| name.starts_with(prefix));
                Ok(json!({ "QueueUrls": names.map(|name| queue_url(name)).collect::<Vec<_>>() }))
            }
            "PurgeQueue" => {
                self.store.purge(&self.queue(request)?.name)?;
                Ok(json!({}))
            }
            "StartMessageMoveTask" => self.start_move(request),
            other => Err(Refused::Operation(other.to_owned())),
        }
    }

    fn named(&self, name: &str) -> Result<&Queue> {
        self.template.queues.get(name).ok_or_else(|| Refused::NoSuchQueue(name.to_owned()))
    }

    fn queue(&self, request: &Value) -> Result<&Queue> {
        let url = request.get("QueueUrl").and_then(Value::as_str).unwrap_or_default();
        self.named(url.rsplit('/').next().unwrap_or_default())
    }

    fn send_message(&self, request: &Value) -> Result<Value> {
        let queue = self.queue(request)?;
        let message = new(queue, read(request)?)?;
        let digest = md5_hex(&message.body);
        let ids = self.send(&[message])?;
        Ok(json!({ "MessageId": ids.first().copied().map(message_id), "MD5OfMessageBody": digest }))
    }

    fn send_batch(&self, request: &Value) -> Result<Value> {
        let queue = self.queue(request)?;
        let entries = batch::<Send>(request, |entry| &entry.id)?;
        if entries.iter().map(|entry| entry.message_body.len()).sum::<usize>() > BYTES {
            let words = "The length of all the messages put together is more than the limit.";
            return Err(Refused::Batch("BatchRequestTooLong", words.to_owned()));
        }
        let (mut names, mut messages, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for entry in entries {
            let name = entry.id.clone();
            match new(queue, entry) {
                Ok(message) => {
                    names.push((name, md5_hex(&message.body)));
                    messages.push(message);
                }
                Err(Refused::Invalid(words)) => failed.push(json!({
                    "Id": name, "SenderFault": true, "Code": "InvalidParameterValue", "Message": words,
                })),
                Err(other) => return Err(other),
            }
        }
        let ids = self.send(&messages)?;
        let sent = names.into_iter().zip(ids).map(|((name, digest), id)| {
            json!({ "Id": name, "MessageId": message_id(id), "MD5OfMessageBody": digest })
        });
        Ok(json!({ "Successful": sent.collect::<Vec<_>>(), "Failed": failed }))
    }

    async fn receive_messages(&self, request: &Value) -> Result<Value> {
        let queue = self.queue(request)?;
        let wanted: Receive = read(request)?;
        let limit = wanted.max_number_of_messages.unwrap_or(1).clamp(1, BATCH);
        let hidden = wanted.visibility_timeout.unwrap_or(queue.visibility);
        let step = std::time::Duration::from_millis(200);
        let mut looks = wanted.wait_time_seconds.unwrap_or(0).min(20).saturating_mul(5);
        loop {
            let now = self.time.millis();
            let found = self.store.receive(queue, limit, now, now.saturating_add(seconds(hidden)), false)?;
            if !found.is_empty() || looks == 0 {
                let messages: Vec<Value> = found.iter().map(as_received).collect();
                return Ok(if messages.is_empty() { json!({}) } else { json!({ "Messages": messages }) });
            }
            looks = looks.saturating_sub(1);
            tokio::time::sleep(step).await;
        }
    }

    fn delete_message(&self, request: &Value) -> Result<Value> {
        self.queue(request)?;
        self.store.delete(&[receipt_of(&read(request)?)?])?;
        Ok(json!({}))
    }

    fn change_visibility(&self, request: &Value) -> Result<Value> {
        self.queue(request)?;
        self.hide(&read(request)?)?;
        Ok(json!({}))
    }

    fn hide(&self, receipt: &Receipt) -> Result<usize> {
        let until = self.time.millis().saturating_add(seconds(receipt.visibility_timeout));
        let changed = self.store.release(&[receipt_of(receipt)?], until)?;
        self.ring_all();
        Ok(changed)
    }

    fn each(&self, request: &Value, act: impl Fn(&Receipt) -> Result<usize>) -> Result<Value> {
        self.queue(request)?;
        let (mut done, mut failed) = (Vec::new(), Vec::new());
        for receipt in batch::<Receipt>(request, |receipt| &receipt.id)? {
            match act(&receipt) {
                Ok(_) => done.push(json!({ "Id": receipt.id })),
                Err(Refused::Receipt(words)) => failed.push(json!({
                    "Id": receipt.id, "SenderFault": true, "Code": "ReceiptHandleIsInvalid", "Message": words,
                })),
                Err(other) => return Err(other),
            }
        }
        Ok(json!({ "Successful": done, "Failed": failed }))
    }

    fn queue_attributes(&self, request: &Value) -> Result<Value> {
        let queue = self.queue(request)?;
        let depth = self.store.depth(&queue.name, self.time.millis())?;
        let mut all = Map::new();
        for (name, value) in [
            ("QueueArn", arn("sqs", &queue.name)),
            ("ApproximateNumberOfMessages", depth.visible.to_string()),
            ("ApproximateNumberOfMessagesNotVisible", depth.hidden.to_string()),
            ("ApproximateNumberOfMessagesDelayed", depth.delayed.to_string()),
            ("VisibilityTimeout", queue.visibility.to_string()),
            ("MessageRetentionPeriod", queue.retention.to_string()),
            ("DelaySeconds", queue.delay.to_string()),
        ] {
            all.insert(name.to_owned(), value.into());
        }
        if let Some((dead, most)) = &queue.redrive {
            let policy = json!({ "deadLetterTargetArn": arn("sqs", dead), "maxReceiveCount": most });
            all.insert("RedrivePolicy".to_owned(), policy.to_string().into());
        }
        if queue.fifo {
            all.insert("FifoQueue".to_owned(), "true".into());
        }
        let wanted = request.get("AttributeNames").and_then(Value::as_array).cloned().unwrap_or_default();
        if !wanted.iter().any(|name| name == "All") {
            all.retain(|name, _| wanted.iter().any(|wanted| wanted == name));
        }
        Ok(json!({ "Attributes": all }))
    }

    fn start_move(&self, request: &Value) -> Result<Value> {
        let name = |member| {
            let arn: Option<&str> = request.get(member).and_then(Value::as_str);
            arn.map(|arn| arn.rsplit(':').next().unwrap_or_default())
        };
        let dead = self.named(name("SourceArn").unwrap_or_default())?;
        let target = name("DestinationArn").map(|target| self.named(target)).transpose()?;
        self.store.move_back(&dead.name, target.map(|queue| queue.name.as_str()), self.time.millis())?;
        self.ring_all();
        Ok(json!({ "TaskHandle": dead.name }))
    }
}

fn read<T: DeserializeOwned>(request: &Value) -> Result<T> {
    T::deserialize(request).map_err(|error| Refused::Invalid(error.to_string()))
}

fn batch<T: DeserializeOwned>(request: &Value, id: impl Fn(&T) -> &String) -> Result<Vec<T>> {
    let entries = read::<Entries<T>>(request)?.entries;
    if entries.is_empty() {
        return Err(Refused::Batch("EmptyBatchRequest", "There should be at least one entry.".to_owned()));
    }
    if entries.len() > BATCH {
        let words =
            format!("Maximum number of entries per request are {BATCH}. You have sent {}.", entries.len());
        return Err(Refused::Batch("TooManyEntriesInBatchRequest", words));
    }
    let mut ids: Vec<_> = entries.iter().map(id).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Refused::Batch("BatchEntryIdsNotDistinct", "Two entries have the same Id.".to_owned()));
    }
    Ok(entries)
}

fn new(queue: &Queue, send: Send) -> Result<New> {
    let invalid = |words: &str| Err(Refused::Invalid(words.to_owned()));
    if send.message_body.is_empty() || send.message_body.len() > BYTES {
        return invalid("The message must contain between 1 and 262144 bytes.");
    }
    let dedup = match (queue.fifo, send.message_deduplication_id) {
        (false, _) => None,
        (true, _) if send.message_group_id.is_none() => {
            return invalid("The request must contain the parameter MessageGroupId.");
        }
        (true, Some(id)) => Some(id),
        (true, None) if queue.content_dedup => Some(dedup_id(&send.message_body)),
        (true, None) => {
            return invalid("The queue needs a MessageDeduplicationId or content based deduplication.");
        }
    };
    Ok(New {
        queue: queue.name.clone(),
        body: send.message_body,
        attributes: send.message_attributes.map(|attributes| attributes.to_string()),
        group: send.message_group_id.filter(|_| queue.fifo),
        dedup,
        delay: seconds(send.delay_seconds.unwrap_or(queue.delay)),
    })
}

/// Milliseconds of so many seconds.
pub(super) fn seconds(count: u32) -> i64 {
    i64::from(count).saturating_mul(1_000)
}

/// A message's id in SQS's form; the same in every run, because it is made of its number.
pub(super) fn message_id(id: i64) -> String {
    Uuid::from_u64_pair(0x0000_736f_756b_4000, id.unsigned_abs() | 0x8000_0000_0000_0000).to_string()
}

/// A receipt names the message and which receive of it.
pub(super) fn receipt(message: &Message) -> String {
    format!("{}.{}", message.id, message.received)
}

fn receipt_of(receipt: &Receipt) -> Result<(i64, i64)> {
    let parts = receipt
        .receipt_handle
        .split_once('.')
        .and_then(|(id, received)| Some((id.parse::<i64>().ok()?, received.parse::<i64>().ok()?)));
    parts.ok_or_else(|| Refused::Receipt("The input receipt handle is not valid.".to_owned()))
}

/// The system attributes of a message.
pub(super) fn system_attributes(message: &Message) -> Map<String, Value> {
    let mut all = Map::new();
    let mut set = |name: &str, value: String| all.insert(name.to_owned(), value.into());
    set("ApproximateReceiveCount", message.received.to_string());
    set("SentTimestamp", message.sent.to_string());
    set("SenderId", "AIDALOCAL".to_owned());
    set("ApproximateFirstReceiveTimestamp", message.first.to_string());
    if let Some(group) = &message.group {
        set("MessageGroupId", group.clone());
        set("SequenceNumber", format!("{:020}", message.id));
    }
    if let Some(dedup) = &message.dedup {
        set("MessageDeduplicationId", dedup.clone());
    }
    all
}

fn as_received(message: &Message) -> Value {
    let own = message.attributes.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "MessageId": message_id(message.id),
        "ReceiptHandle": receipt(message),
        "MD5OfBody": md5_hex(&message.body),
        "Body": message.body,
        "Attributes": system_attributes(message),
        "MessageAttributes": own.unwrap_or_else(|| json!({})),
    })
}

pub(super) fn md5_hex(text: &str) -> String {
    hex(&Md5::digest(text))
}

/// A deduplication id made of a text; SQS takes SHA-256, but nobody sees which hash it is.
pub(super) fn dedup_id(text: &str) -> String {
    md5_hex(text)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn refusal(refused: Refused) -> std::result::Result<Answer, StoreError> {
    const OLD: &str = "AWS.SimpleQueueService.";
    let (kind, query, words) = match refused {
        Refused::NoSuchQueue(name) => (
            "QueueDoesNotExist",
            format!("{OLD}NonExistentQueue"),
            format!("The specified queue {name} does not exist."),
        ),
        Refused::Invalid(words) => {
            ("InvalidParameterValueException", "InvalidParameterValue".to_owned(), words)
        }
        Refused::Batch(kind, words) => (kind, format!("{OLD}{kind}"), words),
        Refused::Receipt(words) => ("ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid".to_owned(), words),
        Refused::Operation(name) => (
            "UnsupportedOperation",
            format!("{OLD}UnsupportedOperation"),
            format!("{name} is not understood."),
        ),
        Refused::Store(error) => return Err(error),
    };
    let mut answer = Answer::error(400, &format!("com.amazonaws.sqs#{kind}"), &words);
    answer.query_error = Some(format!("{query};Sender"));
    Ok(answer)
}
