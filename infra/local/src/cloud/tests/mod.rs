//! Toy functions on a toy template: what AWS promises, kept by the local cloud.

mod flow;
mod gateway;
mod pace;
mod reads;
mod services;
mod turns;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use futures::FutureExt;
use serde_json::{Value, json};

use super::{Cloud, CloudError, Handler, Pace, Place, Template, Time};

const START: &str = "2026-11-23T05:00:00Z";

fn template() -> Template {
    Template::read(include_str!("toy.yaml"), &BTreeMap::new()).unwrap()
}

fn clock() -> Time {
    Time::standing(START.parse().unwrap())
}

async fn in_memory() -> Cloud {
    Cloud::open(template(), Place::Memory, clock()).await.unwrap()
}

async fn in_folder(folder: &Path, time: Time) -> Cloud {
    Cloud::open_at(template(), Place::Folder(folder.to_owned()), time, Pace::Ordered).await.unwrap()
}

/// A handler of a synchronous decision.
fn handler(act: impl Fn(Value) -> Result<Value, String> + Send + Sync + 'static) -> Handler {
    let act = Arc::new(act);
    Arc::new(move |event| {
        let act = Arc::clone(&act);
        async move { act(event) }.boxed()
    })
}

/// Everything a handler was given.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Value>>>);

impl Seen {
    fn push(&self, value: Value) {
        self.0.lock().unwrap().push(value);
    }

    fn all(&self) -> Vec<Value> {
        self.0.lock().unwrap().clone()
    }

    fn len(&self) -> usize {
        self.all().len()
    }

    /// A handler that notes each message body of a queue batch.
    fn bodies(&self) -> Handler {
        let seen = self.clone();
        handler(move |event| {
            for record in event["Records"].as_array().into_iter().flatten() {
                seen.push(serde_json::from_str(record["body"].as_str().unwrap()).unwrap());
            }
            Ok(json!({ "batchItemFailures": [] }))
        })
    }

    /// A handler that notes each event.
    fn events(&self, answer: Value) -> Handler {
        let seen = self.clone();
        handler(move |event| {
            seen.push(event);
            Ok(answer.clone())
        })
    }
}

/// A relay as the real one works: outbox items from the stream to the bus, with the real SDK.
fn relay(cloud: &Cloud) -> Handler {
    let client = aws_sdk_eventbridge::Client::new(&cloud.sdk_config("outbox"));
    Arc::new(move |event| {
        let client = client.clone();
        async move {
            let mut entries = Vec::new();
            for record in event["Records"].as_array().into_iter().flatten() {
                let event = record["dynamodb"]["NewImage"]["event"]["S"].as_str().ok_or("no event")?;
                let entry = PutEventsRequestEntry::builder().source("souk").detail_type("order.placed.v1");
                entries.push(entry.detail(event).event_bus_name("souk").build());
            }
            for chunk in entries.chunks(10) {
                let put = client.put_events().set_entries(Some(chunk.to_vec())).send().await;
                let put = put.map_err(|error| format!("{error:?}"))?;
                assert_eq!(put.failed_entry_count(), 0, "{put:?}");
            }
            Ok(json!({ "batchItemFailures": [] }))
        }
        .boxed()
    })
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// One order as a function commits it: the thing and its outbox item in one transaction.
async fn commit(client: &aws_sdk_dynamodb::Client, number: usize) {
    let put = |sort: &str, kind: &str, event: &str| {
        let put = Put::builder()
            .table_name("souk-Table")
            .item("PK", text(format!("order#{number}")))
            .item("SK", text(sort))
            .item("kind", text(kind))
            .item("event", text(event));
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let event = json!({ "order": number }).to_string();
    let items = vec![put("order", "order.1", ""), put("EVT#1", "outbox.1", &event)];
    client.transact_write_items().set_transact_items(Some(items)).send().await.unwrap();
}

async fn wired() -> (Cloud, Seen) {
    let cloud = in_memory().await;
    let seen = Seen::default();
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", seen.bodies());
    (cloud, seen)
}
