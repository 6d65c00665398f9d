//! What only old, large or early data meets.

use domain::id::MerchantOrderId;
use jiff::SignedDuration;
use serde_json::json;
use tests::*;

#[tokio::test]
async fn a_clock_that_is_a_little_ahead_is_taken_as_now() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for (name, occurred_at, placed_at) in [
        ("A-1", "2026-03-02T09:00:01Z", START),
        ("A-2", "2026-03-02T09:05:00Z", START),
        ("A-3", "2026-03-02T08:59:59Z", "2026-03-02T08:59:59Z"),
    ] {
        let more = json!({"occurred_at": occurred_at});
        let order = shop.place(name, json!([line(&alma, "mug", 1, "1.00")]), more).await;
        assert_eq!(at(&order, "/placed_at"), placed_at, "{name}");
    }
    let late = json!({"occurred_at": "2026-03-02T09:05:00.001Z"});
    let late = order_body("A-4", json!([line(&alma, "mug", 1, "1.00")]), late);
    shop.refused("/v1/orders", &late, 422, "invalid_value").await;
}

#[tokio::test]
async fn an_idempotency_key_stands_for_its_request_until_it_expires_and_then_for_another() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let call = |quantity| json!({"channel": "phone", "lines": [line(&alma, "mug", quantity, "10.00")]});
    let first = shop.api.post("/v1/orders", &call(1), "call").await;
    shop.market.cloud.advance(SignedDuration::from_hours(48)).await.unwrap();
    let again = shop.api.post("/v1/orders", &call(1), "call").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, first.text("/id")));
    shop.market.cloud.advance(SignedDuration::from_secs(1)).await.unwrap();
    let other = shop.api.post("/v1/orders", &call(2), "call").await;
    assert_eq!(other.status, 201, "{}", other.body);
    assert_ne!(other.text("/id"), first.text("/id"));
    let again = shop.api.post("/v1/orders", &call(2), "call").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, other.text("/id")));
}

#[tokio::test]
async fn an_order_is_whole_also_where_its_parts_fill_more_than_a_page() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "1.00")])).await;
    let (m, id) = (marketplace_id(), order.parse().unwrap());
    let table = &shop.market.world.table;
    let whole = table.whole_order(&m, &id).await.unwrap().unwrap();
    let part = &whole.parts[0].value;
    let lines = vec![part.lines[0].clone(); 400];
    // An answer ends at 1 MB.
    for number in 2..=20 {
        let mut large = part.clone();
        (large.id, large.lines) = (MerchantOrderId::of(&id, number), lines.clone());
        shop.keep(&large).await;
    }
    let large = table.whole_order(&m, &id).await.unwrap().expect("the order lies behind its parts");
    assert_eq!((large.parts.len(), large.order), (20, whole.order));
}

#[tokio::test]
async fn a_rare_status_is_found_behind_pages_of_others() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let lines = || json!([line(&alma, "mug", 1, "1.00")]);
    let rare = at(&shop.place("A-0", lines(), json!({})).await, "/id").to_owned();
    shop.done(&format!("/v1/orders/{rare}/cancel"), &json!({"reason": "changed mind"})).await;
    for n in 1..8 {
        let at = format!("2026-03-02T08:5{n}:00Z");
        shop.place(&format!("A-{n}"), lines(), json!({"occurred_at": at})).await;
    }
    let other = at(&shop.place("A-9", lines(), json!({})).await, "/id").to_owned();
    shop.settle().await;
    // Seven orders lie behind the two that were placed now; one request finds the only canceled one among all.
    let days = "/v1/orders?status=canceled&limit=1";
    for list in [days.to_owned(), format!("{days}&merchant={alma}")] {
        let found = shop.get(&list).await;
        assert_eq!((found["items"].as_array().unwrap().len(), at(&found, "/items/0/id")), (1, rare.as_str()));
    }
    let open = shop.get("/v1/orders?status=awaiting_payment&limit=8").await;
    assert_eq!(open["items"].as_array().unwrap().len(), 8);
    assert!(open["items"].as_array().unwrap().iter().any(|order| order["id"] == other.as_str()));
}
