//! Whole invocations in `events/invoke/`, as AWS would send them, for `cargo lambda invoke --data-file`.
//!
//! They are not written by hand: a recorder stands in for the function while the local cloud, wired by the template,
//! delivers a sample through bus, queue, stream, gateway or schedule. So what is recorded is also proof of the wiring.

use crate::catalog::{at, marketplace, named, order};
use crate::files::{REPAIR, compare, none, pretty, read, stems, updating};
use crate::wiring::open;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use axum::body::Bytes;
use domain::Money;
use domain::id::{CustomerId, MerchantId};
use domain::ledger::Account;
use domain::order::{Intake, Line, Order, Payment};
use events::{Context, Envelope};
use http::Request;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::Market;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use table::{Commit, Story};

/// How an invocation comes about.
#[derive(Debug, Clone, Copy)]
enum By {
    /// An event on the bus, through its rule and queue.
    Bus(&'static str),
    /// A message that a function sends to the queue in this variable of its environment.
    Queue(&'static str, &'static str),
    /// A commit, through the table's stream.
    Stream,
    /// A request.
    Get(&'static str),
    Schedule,
}

/// File, function, and how it is invoked.
const INVOCATIONS: [(&str, &str, By); 44] = [
    ("abandoned-cart", "abandoned-cart", By::Queue("cart.reminder_due.v1", "ABANDONED_CART_QUEUE")),
    ("abandoned-cart.schedule", "abandoned-cart", By::Schedule),
    ("admin", "admin", By::Get("/v1/marketplace")),
    ("cart", "cart", By::Get("/v1/carts/crt_00000000000000000000000001")),
    ("catalog", "catalog", By::Bus("product.described.v1")),
    ("catalog.get", "catalog", By::Get("/v1/products")),
    ("checkout", "checkout", By::Bus("payment.authorized.v1")),
    ("customers", "customers", By::Get("/v1/customers/me")),
    ("delivery", "delivery", By::Get("/v1/delivery/mer_00000000000000000000000002")),
    ("dunning", "dunning", By::Bus("invoice.payment_failed.v1")),
    ("dunning.schedule", "dunning", By::Schedule),
    ("fulfillment", "fulfillment", By::Bus("order.paid.v1")),
    ("fx", "fx", By::Get("/v1/fx/rates")),
    ("inventory", "inventory", By::Bus("merchant_order.canceled.v1")),
    ("invoices", "invoices", By::Bus("invoice.opened.v1")),
    ("ledger", "ledger", By::Stream),
    ("imports", "imports", By::Bus("import.advanced.v1")),
    ("media", "media", By::Bus("asset.deleted.v1")),
    ("media.schedule", "media", By::Schedule),
    ("merchants", "merchants", By::Get("/v1/merchants")),
    ("notifications", "notifications", By::Bus("dunning.changed.v1")),
    ("order-split", "order-split", By::Bus("order.placed.v1")),
    ("orders", "orders", By::Bus("merchant_order.rejected.v1")),
    ("orders.schedule", "orders", By::Schedule),
    ("outbox", "outbox", By::Stream),
    ("payment", "payment", By::Bus("merchant_order.shipped.v1")),
    ("payment.schedule", "payment", By::Schedule),
    ("payout", "payout", By::Queue("payout.due.v1", "PAYOUT_QUEUE")),
    ("payout.schedule", "payout", By::Schedule),
    ("promotions", "promotions", By::Get("/v1/promotions/codes")),
    ("recurring-billing", "recurring-billing", By::Queue("subscription.due.v1", "RECURRING_BILLING_QUEUE")),
    ("recurring-billing.schedule", "recurring-billing", By::Schedule),
    ("review-collection", "review-collection", By::Queue("review.request_due.v1", "REVIEW_COLLECTION_QUEUE")),
    ("review-collection.schedule", "review-collection", By::Schedule),
    ("subscriptions", "subscriptions", By::Get("/v1/subscriptions/plans")),
    ("exports", "exports", By::Bus("export.requested.v1")),
    ("duplicates", "duplicates", By::Bus("product.created.v1")),
    (
        "scheduled-changes",
        "scheduled-changes",
        By::Queue("scheduled_change.due.v1", "SCHEDULED_CHANGES_QUEUE"),
    ),
    ("scheduled-changes.schedule", "scheduled-changes", By::Schedule),
    ("collections", "collections", By::Bus("collection.changed.v1")),
    ("wish-lists", "wish-lists", By::Bus("stock.received.v1")),
    ("tax", "tax", By::Get("/v1/tax/rules")),
    ("webhooks", "webhooks", By::Bus("order.paid.v1")),
    ("webhooks.schedule", "webhooks", By::Schedule),
];

/// In the place of a key; whoever invokes puts a real one there.
const BEARER: &str = "Bearer sk_local_put_a_key_here";

/// What the function is sent, once.
async fn recorded(function: &str, by: By) -> Value {
    let market = open().await;
    let heard: Arc<Mutex<Vec<Value>>> = Arc::default();
    let template = market.cloud.template().clone();
    for name in template.functions.keys() {
        let heard = (name == function).then(|| Arc::clone(&heard));
        let recorder = move |event: Value| {
            if let Some(heard) = &heard {
                heard.lock().unwrap().push(event);
            }
            let answer = json!({ "statusCode": 204, "batchItemFailures": [] });
            Box::pin(async move { Ok(answer) }) as futures::future::BoxFuture<'static, _>
        };
        market.cloud.register(name, Arc::new(recorder));
    }
    cause(&market, function, by).await;
    market.cloud.settle().await.unwrap();
    let event = heard.lock().unwrap().first().cloned();
    let mut event = event.unwrap_or_else(|| {
        panic!("{by:?} does not reach {function}: look at its events in infra/template.yaml")
    });
    // The engine takes these from the time of day and from chance.
    for (member, value) in [
        ("dynamodb/ApproximateCreationDateTime", json!(at(0).as_second())),
        ("dynamodb/SequenceNumber", json!("100000000000000000001")),
        ("eventID", json!("00000000000000000000000000000001")),
    ] {
        if let Some(found) = event.pointer_mut(&format!("/Records/0/{member}")) {
            *found = value;
        }
    }
    event
}

async fn cause(market: &Market, function: &str, by: By) {
    match by {
        By::Bus(event) => {
            let environment = market.cloud.environment("outbox").unwrap();
            let entry =
                PutEventsRequestEntry::builder().source("souk").detail_type(event).detail(body(event));
            let entry = entry.event_bus_name(&environment["BUS"]).build();
            let bus = aws_sdk_eventbridge::Client::new(&market.world.aws);
            let answer = bus.put_events().entries(entry).send().await.unwrap();
            assert_eq!(answer.failed_entry_count(), 0);
        }
        By::Queue(event, variable) => {
            let environment = market.cloud.environment(function).unwrap();
            let queue = aws_sdk_sqs::Client::new(&market.world.aws);
            let queue = queue.send_message().queue_url(&environment[variable]).message_body(body(event));
            queue.send().await.unwrap();
        }
        By::Stream => place(market).await,
        By::Get(path) => {
            let request = Request::get(path).header("authorization", BEARER).header("user-agent", "souk");
            market.cloud.http(request.body(Bytes::new()).unwrap()).await;
        }
        By::Schedule => {
            market.cloud.advance(SignedDuration::from_hours(24)).await.unwrap();
        }
    }
}

/// A sample in one line, members in the order of the type.
fn body(event: &str) -> String {
    let sample: Value = serde_json::from_str(&named(event).sample).unwrap();
    sample.to_string()
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn line(number: u16, merchant: u128, quantity: u32, price: i64, delivery: i64) -> Line {
    Line {
        number,
        merchant: MerchantId::from_bits(merchant),
        sku: format!("sku-{number}").parse().unwrap(),
        offer: None,
        allocations: None,
        title: None,
        category: None,
        quantity,
        unit_price: eur(price),
        delivery: eur(delivery),
        fees: Vec::new(),
        priced: None,
    }
}

/// The order of the samples.
fn sample_order() -> Order {
    let payment = Payment { method: "card".parse().unwrap(), amount: eur(43_90), reference: None };
    let intake = Intake {
        id: order(),
        channel: "web".parse().unwrap(),
        external_id: Some("1001".parse().unwrap()),
        customer: Some(CustomerId::from_bits(4)),
        currency: "EUR".parse().unwrap(),
        placed_at: at(9),
        lines: vec![line(1, 2, 2, 14_50, 4_90), line(2, 3, 1, 10_00, 0)],
        delivery: eur(0),
        payments: vec![payment],
        fingerprint: "0123456789abcdef".to_owned(),
        bought: None,
        rates: Vec::new(),
    };
    Order::place(intake).unwrap()
}

/// Commits the order of the samples as intake would.
async fn place(market: &Market) {
    let order = sample_order();
    let envelope: Envelope = serde_json::from_str(&named("order.placed.v1").sample).unwrap();
    let Envelope { at, actor, cause, correlation, .. } = envelope;
    let context = Context { at, actor, cause, correlation };
    let story = Story::new(events::order::placed(&order).unwrap()).posting(order.sale().unwrap());
    let m = marketplace();
    let commit = Commit::new(&m, &context).begin(&order, order.id.as_str(), story, ());
    commit.send(&market.world.table).await.unwrap();
}

#[test]
fn the_sample_of_a_placed_order_is_what_the_order_of_the_samples_tells() {
    let told = events::order::placed(&sample_order()).unwrap();
    let sample: Envelope = serde_json::from_str(&named("order.placed.v1").sample).unwrap();
    assert_eq!(told.first().map(|fact| &fact.data), Some(&sample.data));
}

#[tokio::test]
async fn invocations_are_what_the_wiring_sends() {
    let mut drift = Vec::new();
    for (file, function, by) in INVOCATIONS {
        let event = recorded(function, by).await;
        drift.extend(compare(&format!("events/invoke/{file}.json"), &pretty(&event)));
    }
    none(drift, REPAIR);
}

#[tokio::test]
async fn every_function_of_the_template_has_an_invocation_and_every_file_a_function() {
    let market = open().await;
    let invoked: BTreeSet<String> =
        INVOCATIONS.iter().map(|(_, function, _)| (*function).to_owned()).collect();
    let functions: BTreeSet<String> = market.cloud.template().functions.keys().cloned().collect();
    assert_eq!(invoked, functions, "give the function an entry in INVOCATIONS, in tests/contract/invoke.rs");
    let files: Vec<String> = INVOCATIONS.iter().map(|(file, ..)| (*file).to_owned()).collect();
    let stray = stems("events/invoke", ".json").into_iter().filter(|stem| !files.contains(stem));
    none(stray, "delete these files from events/invoke, or give them an entry in tests/contract/invoke.rs");
}

async fn answer(market: &Market, file: &str, function: &str) -> Value {
    let event = serde_json::from_str(&read(&format!("events/invoke/{file}.json"))).unwrap();
    let answer = market.cloud.invoke(function, event).await;
    answer.unwrap_or_else(|error| panic!("{function} does not take events/invoke/{file}.json: {error}"))
}

#[tokio::test]
async fn every_function_takes_its_invocation() {
    if updating() {
        return;
    }
    for (file, function, by) in INVOCATIONS {
        let market = open().await;
        let answer = answer(&market, file, function).await;
        match by {
            // The placeholder is no key: the function looked at it.
            By::Get(_) => {
                assert_eq!(answer["statusCode"], 401, "{file}: {answer}");
                let asked: Value =
                    serde_json::from_str(&read(&format!("events/invoke/{file}.json"))).unwrap();
                let problem: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
                assert_eq!(problem["trace_id"], asked["requestContext"]["requestId"], "{file}: {answer}");
            }
            By::Bus(_) | By::Queue(..) | By::Stream => {
                assert!(answer["batchItemFailures"].is_array(), "{file}: {answer}")
            }
            By::Schedule => assert_eq!(answer, Value::Null, "{file}"),
        }
    }
}

#[tokio::test]
async fn the_recorded_stream_and_queues_carry_an_order_from_the_outbox_to_its_opened_parts() {
    if updating() {
        return;
    }
    let market = open().await;
    place(&market).await;
    let fine = json!([]);
    assert_eq!(answer(&market, "outbox", "outbox").await["batchItemFailures"], fine);
    let split = market.cloud.template().consumers.iter().find(|source| source.function == "order-split");
    let (visible, ..) = market.cloud.queue_depth(&split.unwrap().queue).unwrap();
    assert_eq!(visible, 1, "the relay's event waits for the split");
    assert_eq!(answer(&market, "ledger", "ledger").await["batchItemFailures"], fine);
    let unearned = market.world.table.account(&marketplace(), &Account::Unearned).await.unwrap();
    assert_eq!(unearned["EUR"].credits, 43_90);
    assert_eq!(answer(&market, "order-split", "order-split").await["batchItemFailures"], fine);
    assert_eq!(answer(&market, "fulfillment", "fulfillment").await["batchItemFailures"], fine);
    let whole = market.world.table.whole_order(&marketplace(), &order()).await.unwrap().unwrap();
    assert_eq!(whole.parts.len(), 2);
}
