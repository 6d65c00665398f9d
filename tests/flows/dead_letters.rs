//! What could not be handled: an operator sees it, and sends it back when its cause is gone.

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::cloud::Handler;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tests::*;

async fn send(shop: &Shop, logical: &str, body: &str) {
    let client = aws_sdk_sqs::Client::new(&shop.market.cloud.sdk_config("test"));
    let queues = &shop.market.cloud.template().queues;
    let name = queues.keys().find(|name| name.ends_with(logical)).expect("the queue is in the template");
    let found = client.get_queue_url().queue_name(name).send().await.unwrap();
    client.send_message().queue_url(found.queue_url.unwrap()).message_body(body).send().await.unwrap();
}

/// An event of an order that is not there yet.
async fn early(shop: &Shop, real: &str, external_id: &str) -> (String, String) {
    let order = domain::id::OrderId::of_channel(&marketplace_id(), "web", external_id).to_string();
    let event = shop.events(real).await.into_iter().find(|event| event.name == "order.placed.v1").unwrap();
    (serde_json::to_string(&event).unwrap().replace(real, &order), order)
}

async fn letters(shop: &Shop, queue: &str) -> Vec<Value> {
    shop.get(&format!("/v1/dead-letters/{queue}")).await["items"].as_array().unwrap().clone()
}

/// How many messages each queue has.
async fn counts(shop: &Shop) -> Vec<(String, u64)> {
    let list = shop.get("/v1/dead-letters").await;
    let items = list["items"].as_array().unwrap().iter();
    let count = items.map(|item| (at(item, "/queue").to_owned(), item["messages"].as_u64().unwrap()));
    count.filter(|(_, count)| *count > 0).collect()
}

#[tokio::test]
async fn an_operator_sees_dead_letters_and_sends_them_back() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let real = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let (message, order) = early(&shop, &real, "A-2").await;
    assert_eq!(counts(&shop).await, []);
    send(&shop, "OrderSplitQueue", &message).await;
    let settled = shop.market.cloud.settle_with_retries().await.unwrap();
    assert_eq!((settled.failures, settled.dead), (5, 1));
    assert_eq!(counts(&shop).await, [("order-split".to_owned(), 1)]);
    for look in 1..=2 {
        let found = letters(&shop, "order-split").await;
        assert_eq!(found.len(), 1, "looking {look} times takes nothing away");
        assert_eq!((at(&found[0], "/event"), at(&found[0], "/subject")), ("order.placed.v1", order.as_str()));
        assert!(found[0]["received"].as_u64().unwrap() >= look);
    }
    assert_eq!(letters(&shop, "orders").await, Vec::<Value>::new());

    shop.place("A-2", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await;
    let sent = shop.done("/v1/dead-letters/order-split/replay", &json!({})).await;
    assert_eq!(sent, json!({"sent_back": 1}));
    shop.settle().await;
    assert_eq!(at(&shop.order(&order).await, "/merchant_orders/0/status"), "awaiting_payment");
    assert_eq!(counts(&shop).await, []);
    assert_eq!(shop.done("/v1/dead-letters/order-split/replay", &json!({})).await, json!({"sent_back": 0}));
}

#[tokio::test]
async fn letters_of_another_marketplace_and_of_nobody_stay_where_they_are() {
    let shop = Shop::open().await;
    let neighbor = shop.neighbor().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let real = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let (message, _) = early(&shop, &real, "A-2").await;
    for body in [&message, "no JSON", &message.replace(marketplace_id().as_str(), "mkt_00000000")] {
        send(&shop, "OrdersDead", body).await;
    }
    assert_eq!(letters(&shop, "orders").await.len(), 1);
    assert_eq!(neighbor.get("/v1/dead-letters/orders").await.body["items"], json!([]));
    let replay = "/v1/dead-letters/orders/replay";
    assert_eq!(neighbor.post(replay, &json!({}), "k").await.body, json!({"sent_back": 0}));
    assert_eq!(shop.done(replay, &json!({})).await, json!({"sent_back": 1}));
    assert_eq!(counts(&shop).await, [("orders".to_owned(), 2)]);
    assert_eq!(shop.market.cloud.dead_letters().unwrap().len(), 2);
}

#[tokio::test]
async fn what_s3_tells_of_files_and_ses_of_mail_is_its_marketplaces_too() {
    let shop = Shop::open().await;
    let neighbor = shop.neighbor().await;
    let m = marketplace_id();
    let file = |key: String| json!({"bucket": {"name": "files"}, "object": {"key": key, "size": 7}});
    let (asset, import, message) =
        ("ast_00000000000000000000000099", "imp_00000000000000000000000099", "msg_1");
    let picture = format!("sent/{m}/{asset}/1");
    let catalog = format!("sent/{m}/{import}");
    let report = json!({
        "eventType": "Complaint", "mail": {
            "timestamp": "2026-03-02T09:59:00Z", "messageId": "0100-1",
            "tags": {"marketplace": [m], "message": [message]},
        },
    });
    let all = [
        ("media", "MediaDead", file(picture.clone()), ("file", picture.as_str(), asset)),
        ("imports", "ImportsDead", file(catalog.clone()), ("file", catalog.as_str(), import)),
        ("notifications", "NotificationsDead", report, ("mail_report", "0100-1", message)),
    ];
    for (queue, logical, body, want) in &all {
        send(&shop, logical, &body.to_string()).await;
        let [found] = letters(&shop, queue).await.try_into().unwrap();
        assert_eq!((at(&found, "/event"), at(&found, "/event_id"), at(&found, "/subject")), *want, "{queue}");
        let path = format!("/v1/dead-letters/{queue}");
        assert_eq!(neighbor.get(&path).await.body["items"], json!([]));
        let replay = format!("{path}/replay");
        assert_eq!(neighbor.post(&replay, &json!({}), "k").await.body, json!({"sent_back": 0}));
        assert_eq!(shop.done(&replay, &json!({})).await, json!({"sent_back": 1}), "{queue}");
        shop.settle().await;
    }
    assert_eq!(counts(&shop).await, []);
}

#[tokio::test]
async fn many_dead_letters_are_sent_back_at_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let real = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let event = shop.events(&real).await.into_iter().find(|event| event.name == "order.placed.v1").unwrap();
    for _ in 0..23 {
        send(&shop, "OrderSplitDead", &serde_json::to_string(&event).unwrap()).await;
    }
    assert_eq!(letters(&shop, "order-split").await.len(), 23);
    let sent = shop.done("/v1/dead-letters/order-split/replay", &json!({})).await;
    assert_eq!(sent, json!({"sent_back": 23}));
    shop.settle().await;
}

#[tokio::test]
async fn what_cannot_be_sent_back_or_is_nobodys_business_is_refused() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.member("ann", &alma, &["*"]).await;
    shop.key("sk_reader", &["dead_letters:read"], None).await;
    shop.refused("/v1/dead-letters/nothing/replay", &json!({}), 404, "not_found").await;
    let reader = shop.calls_as("sk_reader");
    assert_eq!(reader.get("/v1/dead-letters").await.status, 200);
    assert_problem(&reader.post("/v1/dead-letters/orders/replay", &json!({}), "k").await, 403, "forbidden");
    assert_problem(&shop.person("ann").get("/v1/dead-letters").await, 403, "forbidden");
}

/// The function itself, which fails as a whole while it is down.
fn failing_while(shop: &Shop, name: &str, down: &Arc<AtomicBool>) -> Handler {
    let functions = souk::market::functions();
    let (_, build) = functions.iter().find(|(known, _)| *known == name).expect("there is such a function");
    let (cloud, keys) = (&shop.market.cloud, shop.market.world.keys.clone());
    let environment = cloud.environment(name).unwrap();
    let world = edge::World::new(cloud.sdk_config(name), environment, shop.market.clock.clone(), keys);
    let (function, down) = (build(&world.unwrap()), Arc::clone(down));
    Arc::new(move |event| {
        let (function, down) = (function.clone(), down.load(Ordering::SeqCst));
        Box::pin(async move {
            if down {
                return Err("an outage".to_owned());
            }
            function.call(event).await.map_err(|error| edge::chain(error.as_ref()))
        })
    })
}

#[tokio::test]
async fn an_outage_of_hours_loses_no_event_and_no_posting() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let down = Arc::new(AtomicBool::new(true));
    for name in ["outbox", "ledger"] {
        shop.market.cloud.register(name, failing_while(&shop, name, &down));
    }
    let placed = shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await;
    let order = at(&placed, "/id");
    let settled = shop.market.cloud.advance(SignedDuration::from_hours(20)).await.unwrap();
    assert_eq!((settled.dead, settled.stuck_streams), (0, 2));
    down.store(false, Ordering::SeqCst);
    shop.market.cloud.advance(SignedDuration::from_mins(2)).await.unwrap();
    shop.settle().await;
    assert_eq!(at(&shop.order(order).await, "/merchant_orders/0/status"), "awaiting_payment");
    assert_eq!(shop.accounts().await["receivable"], "10.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_outage_of_a_day_leaves_its_traces_with_the_dead_letters() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.settle().await;
    shop.market.cloud.register("outbox", failing_while(&shop, "outbox", &Arc::new(AtomicBool::new(true))));
    shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await;
    let settled = shop.market.cloud.advance(SignedDuration::from_hours(24)).await.unwrap();
    assert_eq!((settled.dead, settled.stuck_streams), (1, 0));
    assert_eq!(counts(&shop).await, [("outbox".to_owned(), 1)]);
    assert_eq!(letters(&shop, "outbox").await, Vec::<Value>::new(), "a pointer names no marketplace");
}

/// A copy of the item that placed the order, under a key and a step of its own.
async fn copied(shop: &Shop, order: &str) -> std::collections::HashMap<String, AttributeValue> {
    let id = AttributeValue::S(order.to_owned());
    let contents = shop.contents().await.into_values();
    let mut of_order = contents.filter(|item| item.get("subject") == Some(&id));
    let mut item = of_order.next().expect("the order has a story");
    item.insert("SK".to_owned(), AttributeValue::S("EVT#9-copy".to_owned()));
    item.insert("step".to_owned(), AttributeValue::N("77".to_owned()));
    item
}

async fn put(shop: &Shop, item: std::collections::HashMap<String, AttributeValue>) {
    let client = aws_sdk_dynamodb::Client::new(&shop.market.cloud.sdk_config("test"));
    let name = shop.market.world.variable("TABLE").unwrap();
    client.put_item().table_name(name).set_item(Some(item)).send().await.unwrap();
}

#[tokio::test]
async fn an_item_that_nobody_can_read_stops_nothing_behind_it_and_is_handled_once_it_can() {
    let shop = Shop::open().await;
    let neighbor = shop.neighbor().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let placed = shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await;
    let order = at(&placed, "/id");
    shop.settle().await;
    let good = copied(&shop, order).await;
    let mut bad = good.clone();
    bad.insert("value".to_owned(), AttributeValue::S("scrawl".to_owned()));
    put(&shop, bad).await;
    let placed = shop.place("A-2", json!([line(&alma, "mug", 2, "10.00")]), json!({})).await;
    let settled = shop.market.cloud.settle().await.unwrap();
    assert_eq!((settled.failures, settled.dead, settled.stuck_streams), (0, 2, 0));
    assert_eq!(
        at(&shop.order(at(&placed, "/id")).await, "/merchant_orders/0/status"),
        "awaiting_payment",
        "what came behind it went on"
    );
    for queue in ["outbox", "ledger"] {
        let found = letters(&shop, queue).await;
        assert_eq!(found.len(), 1, "{queue}");
        assert_eq!(at(&found[0], "/event"), "item");
        assert!(at(&found[0], "/event_id").ends_with(" EVT#9-copy"), "{}", found[0]);
        let replay = format!("/v1/dead-letters/{queue}/replay");
        assert_eq!(neighbor.get(&format!("/v1/dead-letters/{queue}")).await.body["items"], json!([]));
        assert_eq!(neighbor.post(&replay, &json!({}), "k").await.body, json!({"sent_back": 0}));
        // Still unreadable, it comes back.
        assert_eq!(shop.done(&replay, &json!({})).await, json!({"sent_back": 1}));
    }
    let settled = shop.market.cloud.settle_with_retries().await.unwrap();
    assert_eq!((settled.failures, settled.dead), (10, 2));

    put(&shop, good).await;
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&heard);
    let recorder: Handler = Arc::new(move |event| {
        noted.lock().unwrap().push(at(&event, "/Records/0/body").to_owned());
        Box::pin(async { Ok(json!({"batchItemFailures": []})) })
    });
    shop.market.cloud.register("order-split", recorder);
    for queue in ["outbox", "ledger"] {
        let sent = shop.done(&format!("/v1/dead-letters/{queue}/replay"), &json!({})).await;
        assert_eq!(sent, json!({"sent_back": 1}), "{queue}");
    }
    shop.settle().await;
    let told: Value = serde_json::from_str(&heard.lock().unwrap()[0]).unwrap();
    assert_eq!(at(&told, "/id"), format!("{order}.77"));
    assert_eq!(shop.accounts().await["receivable"], "40.00", "10.00 twice, and 20.00");
    assert_eq!(counts(&shop).await, []);
}
