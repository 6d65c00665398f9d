//! Queues → functions: Lambda's event source mapping for SQS.
//!
//! A batch is received, handed over and deleted where it went well. What failed stays hidden for the queue's
//! visibility time-out, on the cloud's clock, and goes to the dead-letter queue after its last receive.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tokio::task::JoinSet;

use super::meter::pieces;
use super::store::{Message, Store};
use super::stream::Work;
use super::template::{Queue, QueueSource, REGION, arn};
use super::{CloudError, Inner, Pace, sqs};

/// Batches of one queue at once, if its source does not say fewer; a FIFO queue has one.
const WORKERS: usize = 4;

/// What a function said of a batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// All went well.
    Done,
    /// The places in the batch that failed.
    Failed(BTreeSet<usize>),
    /// The whole batch failed.
    All,
}

/// Reads a function's answer as Lambda does: a failure that names nothing in the batch fails all of it.
pub(super) fn verdict(answer: Result<Value, String>, ids: &[String], partial: bool) -> Verdict {
    let answer = match answer {
        Err(_) => return Verdict::All,
        Ok(answer) if partial => answer,
        Ok(_) => return Verdict::Done,
    };
    let failures = match answer.get("batchItemFailures") {
        None | Some(Value::Null) => return Verdict::Done,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Verdict::All,
    };
    let places: Option<BTreeSet<usize>> = failures
        .iter()
        .map(|failure| {
            let id = failure.get("itemIdentifier").and_then(Value::as_str)?;
            ids.iter().position(|known| known == id)
        })
        .collect();
    match places {
        None => Verdict::All,
        Some(places) if places.is_empty() => Verdict::Done,
        Some(places) => Verdict::Failed(places),
    }
}

impl Inner {
    /// Delivers what is visible now: several batches at once, each on a thread of its own.
    pub(super) async fn drain_queue(self: &Arc<Self>, source: &QueueSource) -> Result<Work, CloudError> {
        let Some(queue) = self.template.queues.get(&source.queue) else { return Ok(Work::default()) };
        if !self.store.ready(&queue.name, self.time.millis())? {
            return Ok(Work::default());
        }
        if queue.fifo || self.pace == Pace::Ordered {
            return self.work_queue(source, queue).await;
        }
        let mut workers = JoinSet::new();
        for _ in 0..source.at_once.map_or(WORKERS, |most| most.clamp(1, WORKERS)) {
            let (inner, source, queue) = (Arc::clone(self), source.clone(), queue.clone());
            workers.spawn(async move { inner.work_queue(&source, &queue).await });
        }
        let mut work = Work::default();
        while let Some(done) = workers.join_next().await {
            work.add(done.unwrap_or_else(|error| Err(CloudError::Unwired(error.to_string())))?);
        }
        Ok(work)
    }

    async fn work_queue(&self, source: &QueueSource, queue: &Queue) -> Result<Work, CloudError> {
        let mut work = Work::default();
        loop {
            let _busy = self.busy();
            let now = self.time.millis();
            let until = now.saturating_add(sqs::seconds(queue.visibility));
            let received = self.store.receive(queue, source.batch, now, until, true)?;
            if received.is_empty() {
                return Ok(work);
            }
            // One receive and one delete a batch, as Lambda's pollers do it.
            let bytes = received.iter().map(|message| message.body.len()).sum();
            let requests = pieces(bytes).saturating_add(1);
            self.meter.uses(&source.function, |used| used.queue = used.queue.saturating_add(requests));
            let mut held = Held { store: &self.store, receipts: receipts(&received), now };
            let (batch, unwanted): (Vec<_>, Vec<_>) =
                received.into_iter().partition(|one| wanted(source, one));
            self.store.delete(&receipts(&unwanted))?;
            if !batch.is_empty() {
                work.invocations = work.invocations.saturating_add(1);
                let verdict = self.hand_over(source, queue, &batch).await;
                work.failures = work.failures.saturating_add(usize::from(verdict != Verdict::Done));
                let (done, failed) = split(&batch, &verdict);
                self.store.delete(&done)?;
                self.store.release(&failed, until)?;
            }
            held.receipts.clear();
        }
    }

    async fn hand_over(&self, source: &QueueSource, queue: &Queue, batch: &[Message]) -> Verdict {
        let from = arn("sqs", &queue.name);
        let records: Vec<Value> = batch.iter().map(|message| record(message, &from)).collect();
        let ids: Vec<String> = batch.iter().map(|message| sqs::message_id(message.id)).collect();
        let answer = self.invoke(&source.function, json!({ "Records": records })).await;
        if let Err(error) = &answer {
            tracing::warn!(function = source.function, error, messages = batch.len(), "a batch failed");
        }
        verdict(answer, &ids, source.partial)
    }
}

/// Messages in work; whoever drops the work gives them back at once.
struct Held<'a> {
    store: &'a Store,
    receipts: Vec<(i64, i64)>,
    now: i64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if self.receipts.is_empty() {
            return;
        }
        if let Err(error) = self.store.release(&self.receipts, self.now) {
            tracing::error!(error = &error as &dyn std::error::Error, "messages in work stay hidden");
        }
    }
}

fn receipts(messages: &[Message]) -> Vec<(i64, i64)> {
    messages.iter().map(|message| (message.id, message.received)).collect()
}

type Receipts = Vec<(i64, i64)>;

fn split(batch: &[Message], verdict: &Verdict) -> (Receipts, Receipts) {
    let failed = |place: usize| match verdict {
        Verdict::Done => false,
        Verdict::Failed(places) => places.contains(&place),
        Verdict::All => true,
    };
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (place, receipt) in receipts(batch).into_iter().enumerate() {
        if failed(place) { left.push(receipt) } else { done.push(receipt) }
    }
    (done, left)
}

/// A filter sees the body as JSON where it is JSON.
fn wanted(source: &QueueSource, message: &Message) -> bool {
    if source.filters.is_empty() {
        return true;
    }
    let body = serde_json::from_str(&message.body).unwrap_or_else(|_| Value::from(message.body.as_str()));
    let event = json!({ "body": body });
    source.filters.iter().any(|filter| filter.matches(&event))
}

fn record(message: &Message, from: &str) -> Value {
    json!({
        "messageId": sqs::message_id(message.id),
        "receiptHandle": sqs::receipt(message),
        "body": message.body,
        "attributes": sqs::system_attributes(message),
        "messageAttributes": message_attributes(message),
        "md5OfBody": sqs::md5_hex(&message.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": from,
        "awsRegion": REGION,
    })
}

/// Lambda writes the members of an attribute in another case than SQS.
fn message_attributes(message: &Message) -> Value {
    let own =
        message.attributes.as_deref().and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
    let convert = |(name, attribute): (String, Value)| {
        let mut members = json!({ "stringListValues": [], "binaryListValues": [] });
        for (from, to) in
            [("StringValue", "stringValue"), ("BinaryValue", "binaryValue"), ("DataType", "dataType")]
        {
            if let (Some(value), Some(members)) = (attribute.get(from), members.as_object_mut()) {
                members.insert(to.to_owned(), value.clone());
            }
        }
        (name, members)
    };
    Value::Object(own.unwrap_or_default().into_iter().map(convert).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_fails_what_it_names_and_everything_when_it_names_nothing_known() {
        let ids = ["a".to_owned(), "b".to_owned()];
        let failures = |names: Value| Ok(json!({ "batchItemFailures": names }));
        let table = [
            (Ok(Value::Null), Verdict::Done),
            (failures(json!([])), Verdict::Done),
            (failures(json!([{ "itemIdentifier": "b" }])), Verdict::Failed([1].into())),
            (failures(json!([{ "itemIdentifier": "c" }])), Verdict::All),
            (failures(json!([{ "itemIdentifier": "" }])), Verdict::All),
            (failures(json!([{}])), Verdict::All),
            (Err("boom".to_owned()), Verdict::All),
        ];
        for (answer, expected) in table {
            assert_eq!(verdict(answer.clone(), &ids, true), expected, "{answer:?}");
        }
        assert_eq!(verdict(failures(json!([{ "itemIdentifier": "b" }])), &ids, false), Verdict::Done);
    }
}
