//! Delivery is at least once and in any order: the state does not notice. What nobody can handle is kept and
//! can be replayed.

use aws_sdk_dynamodb::types::AttributeValue;
use events::Envelope;
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use souk::Market;
use tests::*;

/// Hands messages to a function; answers which it wants again.
async fn hand(shop: &Shop, function: &str, bodies: &[String]) -> Vec<String> {
    let answer = shop.market.cloud.invoke(function, batch(bodies)).await.expect("the batch is answered");
    let failures = answer["batchItemFailures"].as_array().unwrap();
    failures.iter().map(|failure| at(failure, "/itemIdentifier").to_owned()).collect()
}

/// The events of an order by name, as messages.
async fn messages(shop: &Shop, order: &str, name: &str) -> Vec<String> {
    let events = shop.events(order).await;
    let named = events.iter().filter(|event| event.name == name);
    named.map(|event| serde_json::to_string(event).unwrap()).collect()
}

/// What an order and its parts come to, without their ids.
async fn state(shop: &Shop, order: &str) -> Value {
    let view = shop.order(order).await;
    let mut parts = Vec::new();
    for part in view["merchant_orders"].as_array().unwrap() {
        let part = shop.merchant_order(at(part, "/id")).await;
        parts.push(json!([part["merchant"], part["status"], part["totals"], part["lines"]]));
    }
    json!([view["status"], view["totals"], view["exception"], parts])
}

fn queue(shop: &Shop, logical: &str) -> String {
    let queues = &shop.market.cloud.template().queues;
    queues.keys().find(|name| name.contains(logical)).expect("the queue is in the template").clone()
}

async fn send(shop: &Shop, logical: &str, body: &str) {
    let client = aws_sdk_sqs::Client::new(&shop.market.cloud.sdk_config("test"));
    let found = client.get_queue_url().queue_name(queue(shop, logical)).send().await.unwrap();
    client.send_message().queue_url(found.queue_url.unwrap()).message_body(body).send().await.unwrap();
}

/// An attribute as a stream spells it.
fn spelled(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({"S": text}),
        AttributeValue::N(number) => json!({"N": number}),
        AttributeValue::Bool(truth) => json!({"BOOL": truth}),
        AttributeValue::L(list) => json!({"L": list.iter().map(spelled).collect::<Vec<_>>()}),
        AttributeValue::M(map) => {
            let members: Map<_, _> = map.iter().map(|(name, value)| (name.clone(), spelled(value))).collect();
            json!({"M": members})
        }
        AttributeValue::Null(_) => json!({"NULL": true}),
        AttributeValue::B(_) | AttributeValue::Bs(_) | AttributeValue::Ns(_) | AttributeValue::Ss(_) | _ => {
            panic!("the table keeps no {value:?}")
        }
    }
}

/// All outbox items as a stream's batch, the youngest first.
async fn stream_reversed(shop: &Shop) -> Value {
    let contents = shop.contents().await;
    let outbox = contents.values().filter(|item| item["kind"] == AttributeValue::S("outbox.1".to_owned()));
    let record = |(n, item): (usize, &std::collections::HashMap<String, AttributeValue>)| {
        let image: Map<_, _> = item.iter().map(|(name, value)| (name.clone(), spelled(value))).collect();
        json!({
            "eventID": format!("{n}"),
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_772_442_000,
                "Keys": {"PK": image["PK"], "SK": image["SK"]},
                "NewImage": image,
                "SequenceNumber": format!("{n:021}"),
                "SizeBytes": 1,
                "StreamViewType": "NEW_IMAGE",
            },
        })
    };
    json!({"Records": outbox.rev().enumerate().map(record).collect::<Vec<_>>()})
}

#[tokio::test]
async fn a18_1_an_event_that_comes_three_times_is_handled_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    let reject = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "out of stock"});
    shop.done(&format!("/v1/merchant-orders/{}/reject", part(&order, 1)), &reject).await;
    shop.settle().await;
    let before = shop.contents().await;
    for (function, name) in [
        ("order-split", "order.placed.v1"),
        ("fulfillment", "order.paid.v1"),
        ("orders", "merchant_order.rejected.v1"),
    ] {
        let message = messages(&shop, &order, name).await.remove(0);
        let thrice = vec![message; 3];
        assert_eq!(hand(&shop, function, &thrice).await, Vec::<String>::new(), "{function}");
    }
    shop.settle().await;
    assert!(shop.contents().await == before, "a repeat has changed something");
    assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "10.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a18_1_events_in_reverse_order_come_to_the_same_state() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = json!([line(&alma, "mug", 3, "10.00"), line(&birch, "novel", 2, "7.00")]);
    let reject = |line: u16| json!({"lines": [{"line": line, "quantity": 1}], "reason": "out of stock"});

    let natural = shop.paid_order("A-1", lines.clone()).await;
    for number in [1, 2] {
        let path = format!("/v1/merchant-orders/{}/reject", part(&natural, number));
        shop.done(&path, &reject(number.into())).await;
        shop.settle().await;
    }

    // Nothing settles here: every message is handed over by the test, the later one first.
    let reversed = at(&shop.place("A-2", lines, json!({})).await, "/id").to_owned();
    shop.done(&format!("/v1/orders/{reversed}/pay"), &json!({})).await;
    let paid = messages(&shop, &reversed, "order.paid.v1").await;
    let placed = messages(&shop, &reversed, "order.placed.v1").await;
    assert_eq!(hand(&shop, "fulfillment", &paid).await, ["message-0"], "there are no parts to open yet");
    assert_eq!(hand(&shop, "order-split", &placed).await, Vec::<String>::new());
    assert_eq!(hand(&shop, "fulfillment", &paid).await, Vec::<String>::new());
    for number in [1, 2] {
        let path = format!("/v1/merchant-orders/{}/reject", part(&reversed, number));
        shop.done(&path, &reject(number.into())).await;
    }
    let mut rejected = messages(&shop, &reversed, "merchant_order.rejected.v1").await;
    rejected.reverse();
    assert_eq!(rejected.len(), 2);
    assert_eq!(hand(&shop, "orders", &rejected).await, Vec::<String>::new());
    assert_eq!(state(&shop, &reversed).await, state(&shop, &natural).await);

    let handed = shop.order(&reversed).await;
    shop.settle().await;
    assert_eq!(shop.order(&reversed).await, handed, "the queues tell nothing new");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_whole_history_that_is_told_again_backward_changes_nothing() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = json!([line(&alma, "mug", 3, "10.00"), line(&birch, "novel", 2, "7.00")]);
    let order = shop.delivered_order("A-1", lines.clone()).await;
    let canceled = shop.paid_order("A-2", lines.clone()).await;
    shop.done(&format!("/v1/orders/{canceled}/cancel"), &json!({"reason": "changed mind"})).await;
    let rejected = shop.paid_order("A-3", lines).await;
    let body = json!({"lines": [{"line": 2, "quantity": 1}], "reason": "out of stock"});
    shop.done(&format!("/v1/merchant-orders/{}/reject", part(&rejected, 2)), &body).await;
    shop.wait_days(5).await;
    let body =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "x"});
    shop.done(&format!("/v1/orders/{order}/refund"), &body).await;
    shop.settle().await;

    let before = shop.contents().await;
    let all = stream_reversed(&shop).await;
    assert!(all["Records"].as_array().unwrap().len() > 25);
    for function in ["ledger", "outbox", "outbox"] {
        let answer = shop.market.cloud.invoke(function, all.clone()).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{function}");
    }
    shop.settle().await;
    assert!(shop.contents().await == before, "a repeat has changed something");
    shop.books_are_right().await;
}

#[tokio::test]
async fn only_the_message_that_fails_comes_again() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order =
        at(&shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await, "/id").to_owned();
    let good = messages(&shop, &order, "order.placed.v1").await.remove(0);
    let unreadable = good.replace("merchant_orders", "merchant_ordres");
    let unknown = good.replace("order.placed.v1", "order.placed.v9");
    let stray = good.replace(&order, "ord_00000000000000000000000000");
    let bodies = ["no JSON".to_owned(), unreadable, good, unknown, stray, "[]".to_owned(), String::new()];
    let again = hand(&shop, "order-split", &bodies).await;
    assert_eq!(again, ["message-0", "message-1", "message-3", "message-4", "message-5", "message-6"]);
    assert_eq!(at(&shop.order(&order).await, "/merchant_orders/0/status"), "awaiting_payment");
}

#[tokio::test]
async fn a_poison_message_ends_in_the_dead_letter_queue_and_can_be_replayed() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    // An event of an order that is not there, as if its region were late: in the end it comes.
    let real =
        at(&shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await, "/id").to_owned();
    shop.settle().await;
    let m = marketplace_id();
    let order = domain::id::OrderId::of_channel(&m, "web", "A-2").to_string();
    let poison = messages(&shop, &real, "order.placed.v1").await.remove(0).replace(&real, &order);
    send(&shop, "OrderSplitQueue", &poison).await;
    // Five receives, 120 seconds apart.
    let settled = shop.market.cloud.settle().await.unwrap();
    assert_eq!((settled.failures, settled.waiting, settled.dead), (1, 1, 0));
    let settled = shop.market.cloud.advance(SignedDuration::from_secs(4 * 120 - 1)).await.unwrap();
    assert_eq!((settled.failures, settled.waiting, settled.dead), (3, 1, 0));
    let settled = shop.market.cloud.advance(SignedDuration::from_secs(121)).await.unwrap();
    assert_eq!((settled.failures, settled.waiting, settled.dead), (1, 0, 1));
    let letters = shop.market.cloud.dead_letters().unwrap();
    assert_eq!((letters.len(), &letters[0].body), (1, &poison));
    assert_eq!(letters[0].origin, Some(queue(&shop, "OrderSplitQueue")));

    // Replayed too early it comes back; once the order is there it goes through.
    let dead = queue(&shop, "OrderSplitDead");
    assert_eq!(shop.market.cloud.replay_dead_letters(&dead).unwrap(), 1);
    let settled = shop.market.cloud.settle_with_retries().await.unwrap();
    assert_eq!((settled.failures, settled.dead), (5, 1));
    shop.place("A-2", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await;
    assert_eq!(shop.market.cloud.replay_dead_letters(&dead).unwrap(), 1);
    shop.settle().await;
    assert_eq!(at(&shop.order(&order).await, "/merchant_orders/0/status"), "awaiting_payment");
    assert_eq!(shop.market.cloud.dead_letters().unwrap(), []);
    shop.books_are_right().await;
}

#[tokio::test]
async fn a18_4_what_was_committed_before_a_crash_is_told_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let order = {
        let market = Market::open(folder.path(), Some(moment(START))).await.unwrap();
        let shop = Shop::open_in(market, HOLD_DAYS).await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        shop.settle().await;
        let placed = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), json!({})).await;
        assert_eq!(placed["merchant_orders"], json!([]));
        at(&placed, "/id").to_owned()
        // The process ends here: the order and its event are in one commit, and nobody has read it.
    };
    let told: Vec<Envelope> = {
        let shop = Shop::in_market(Market::open(folder.path(), None).await.unwrap());
        assert_eq!(shop.order(&order).await["merchant_orders"], json!([]));
        shop.settle().await;
        let view = shop.order(&order).await;
        assert_eq!(at(&view, "/merchant_orders/0/id"), part(&order, 1));
        let totals = shop.accounts().await;
        assert_eq!(totals["receivable"], "20.00");
        shop.books_are_right().await;
        shop.events(&order).await
    };
    let shop = Shop::in_market(Market::open(folder.path(), None).await.unwrap());
    shop.settle().await;
    assert_eq!(shop.events(&order).await, told, "a restart tells nothing twice");
    shop.books_are_right().await;
}
