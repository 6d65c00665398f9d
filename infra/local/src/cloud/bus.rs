//! EventBridge: events come in through PutEvents, rules copy them into queues.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::meter::pieces;
use super::protocol::Answer;
use super::store::{New, StoreError};
use super::template::{ACCOUNT, REGION, Rule, Target};
use super::{Inner, sqs};

/// AWS takes no more entries, and no more bytes, in one request.
const ENTRIES: usize = 10;
const BYTES: usize = 256 * 1_024;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    #[serde(default)]
    source: String,
    #[serde(default)]
    detail_type: String,
    #[serde(default)]
    detail: String,
    event_bus_name: Option<String>,
    time: Option<Value>,
    #[serde(default)]
    resources: Vec<String>,
}

/// One entry's outcome: its event's id, or an error's code and words.
type Outcome = Result<String, (&'static str, String)>;

impl Inner {
    /// Answers one request of EventBridge's JSON protocol.
    pub(super) fn events(&self, operation: &str, body: &[u8], label: &str) -> Result<Answer, StoreError> {
        if operation != "PutEvents" {
            return Ok(Answer::error(400, "UnknownOperationException", operation));
        }
        let request: Request = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return Ok(Answer::error(400, "SerializationException", &error.to_string())),
        };
        let count = request.entries.len();
        if count == 0 || count > ENTRIES {
            let words = format!("{count} entries were sent; between 1 and {ENTRIES} are taken.");
            return Ok(Answer::error(400, "ValidationException", &words));
        }
        if request.entries.iter().map(size).sum::<usize>() > BYTES {
            let words = "Total size of the entries in the request is over the limit.";
            return Ok(Answer::error(400, "ValidationException", words));
        }
        let mut messages = Vec::new();
        let outcomes: Vec<Outcome> =
            request.entries.iter().map(|entry| self.take_entry(entry, &mut messages)).collect();
        let taken = request.entries.iter().zip(&outcomes).filter(|(_, outcome)| outcome.is_ok());
        let taken: u64 = taken.map(|(entry, _)| pieces(size(entry))).sum();
        self.meter.uses(label, |used| used.events = used.events.saturating_add(taken));
        self.deliver_each(&messages)?;
        let entries: Vec<Value> = outcomes
            .iter()
            .map(|outcome| match outcome {
                Ok(id) => json!({ "EventId": id }),
                Err((code, words)) => json!({ "ErrorCode": code, "ErrorMessage": words }),
            })
            .collect();
        let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
        Ok(Answer::json(&json!({ "FailedEntryCount": failed, "Entries": entries })))
    }

    fn take_entry(&self, entry: &Entry, messages: &mut Vec<New>) -> Outcome {
        for (name, value) in
            [("Source", &entry.source), ("DetailType", &entry.detail_type), ("Detail", &entry.detail)]
        {
            if value.is_empty() {
                return Err((
                    "InvalidArgument",
                    format!("Parameter {name} is not valid. Reason: it is required."),
                ));
            }
        }
        let detail: Map<String, Value> = serde_json::from_str(&entry.detail)
            .map_err(|error| ("MalformedDetail", format!("Detail is malformed: {error}")))?;
        let bus = entry.event_bus_name.as_deref().unwrap_or("default");
        let bus = bus.rsplit('/').next().unwrap_or_default();
        if !self.template.buses.iter().any(|known| known == bus) {
            return Err(("InvalidArgument", format!("Event bus {bus} does not exist.")));
        }
        let time = entry.time.as_ref().and_then(Value::as_i64);
        let time = time.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        let id = self.next_id();
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": entry.detail_type,
            "source": entry.source,
            "account": ACCOUNT,
            "time": whole_seconds(time.unwrap_or_else(|| self.time.now())),
            "region": REGION,
            "resources": entry.resources,
            "detail": detail,
        });
        messages.extend(self.matched(bus, &event, &id));
        Ok(id)
    }

    /// An event of AWS's own, such as S3's, to the default bus.
    pub(super) fn announce(
        &self,
        kind: &str,
        source: &str,
        resource: &str,
        detail: &Value,
    ) -> Result<(), StoreError> {
        let id = self.next_id();
        let event = json!({
            "version": "0",
            "id": id,
            "detail-type": kind,
            "source": source,
            "account": ACCOUNT,
            "time": whole_seconds(self.time.now()),
            "region": REGION,
            "resources": [resource],
            "detail": detail,
        });
        self.deliver_each(&self.matched("default", &event, &id))
    }

    /// Rules send each message by itself; whoever reads the queue has caused it.
    fn deliver_each(&self, messages: &[New]) -> Result<(), StoreError> {
        for message in messages {
            let reader = self.template.consumers.iter().find(|source| source.queue == message.queue);
            let sent = pieces(message.body.len());
            let label = reader.map_or("(nobody)", |source| source.function.as_str());
            self.meter.uses(label, |used| used.queue = used.queue.saturating_add(sent));
        }
        self.send(messages).map(|_| ())
    }

    fn matched(&self, bus: &str, event: &Value, id: &str) -> Vec<New> {
        let listens = |rule: &&Rule| rule.enabled && rule.bus == bus && rule.pattern.matches(event);
        let targets = self.template.rules.iter().filter(listens).flat_map(|rule| &rule.targets);
        targets.filter_map(|target| message(target, event, id)).collect()
    }
}

/// What a target gets; an input path that leads nowhere gives nothing, as on AWS.
fn message(target: &Target, event: &Value, id: &str) -> Option<New> {
    let input = target.input_path.iter().try_fold(event, |value, member| value.get(member))?;
    Some(New {
        queue: target.queue.clone(),
        body: input.to_string(),
        group: target.group.clone(),
        dedup: target.group.as_ref().map(|_| sqs::dedup_id(id)),
        ..New::default()
    })
}

fn size(entry: &Entry) -> usize {
    let resources: usize = entry.resources.iter().map(String::len).sum();
    entry.source.len()
        + entry.detail_type.len()
        + entry.detail.len()
        + resources
        + if entry.time.is_some() { 14 } else { 0 }
}

/// AWS writes the time of an event without a fraction.
pub(super) fn whole_seconds(time: jiff::Timestamp) -> String {
    jiff::Timestamp::from_second(time.as_second()).unwrap_or(time).to_string()
}
