//! What could not be handled: an operator sees it, and sends it back when its cause is gone.

use serde_json::{Value, json};
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
    shop.refused("/v1/dead-letters/outbox/replay", &json!({}), 409, "not_replayable").await;
    shop.refused("/v1/dead-letters/nothing/replay", &json!({}), 404, "not_found").await;
    let reader = shop.calls_as("sk_reader");
    assert_eq!(reader.get("/v1/dead-letters").await.status, 200);
    assert_problem(&reader.post("/v1/dead-letters/orders/replay", &json!({}), "k").await, 403, "forbidden");
    assert_problem(&shop.person("ann").get("/v1/dead-letters").await, 403, "forbidden");
}
