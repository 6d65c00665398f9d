//! Buyers are asked for their reviews after delivery, once per line, and reminded once.

use events::Envelope;
use serde_json::{Value, json};
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;

/// What was asked about an order: lines, and whether it was a reminder.
async fn asked(shop: &Shop, order: &str) -> Vec<(Value, bool)> {
    let events = shop.events(order).await.into_iter();
    let asked = events.filter(|event: &Envelope| event.name == "review.requested.v1");
    asked.map(|event| (event.data["lines"].clone(), event.data["reminder"] == true)).collect()
}

#[tokio::test]
async fn each_line_is_asked_about_some_days_after_its_own_delivery_and_reminded_once() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let order = market.order().await;
    shop.wait_days(20).await;
    assert_eq!(asked(shop, &order).await, [], "nothing has arrived");
    shop.fulfill(&part(&order, 1)).await;
    shop.wait_days(6).await;
    assert_eq!(asked(shop, &order).await, []);
    shop.wait_days(1).await;
    shop.wait_minutes(5).await;
    assert_eq!(asked(shop, &order).await, [(json!([1, 2]), false)]);
    // One of the two is reviewed: only the other is asked for again.
    shop.review(&review_id(&order, 1), 5, "").await;
    shop.wait_days(7).await;
    shop.wait_minutes(5).await;
    assert_eq!(asked(shop, &order).await, [(json!([1, 2]), false), (json!([2]), true)]);
    shop.wait_days(60).await;
    assert_eq!(asked(shop, &order).await.len(), 2, "never again");
}

#[tokio::test]
async fn what_went_back_is_not_asked_about_and_what_a_category_needs_longer_for_is_asked_later() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let order = market.order().await;
    let alma = part(&order, 1);
    shop.fulfill(&alma).await;
    let back = json!({"merchant_order": alma, "lines": [{"line": 1, "quantity": 2}], "reason": "chipped"});
    shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
    let mut policy = shop.get("/v1/reviews/policy").await;
    (policy["ask_after_days"], policy["remind_after_days"]) = (json!(10), json!(0));
    shop.done("/v1/reviews/set-policy", &policy).await;
    shop.wait_days(9).await;
    assert_eq!(asked(shop, &order).await, [], "the rules of now count");
    shop.wait_days(2).await;
    assert_eq!(asked(shop, &order).await, [(json!([2]), false)]);
    shop.wait_days(40).await;
    assert_eq!(asked(shop, &order).await.len(), 1, "no reminder is wanted here");
    // The other merchant's parcel arrives long after: its line is asked about by itself.
    shop.fulfill(&part(&order, 2)).await;
    shop.wait_days(11).await;
    assert_eq!(asked(shop, &order).await, [(json!([2]), false), (json!([3]), false)]);
}

#[tokio::test]
async fn deliveries_that_are_told_three_times_and_backward_ask_once() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let order = market.order().await;
    shop.fulfill(&part(&order, 1)).await;
    let events = shop.events(&order).await;
    let handled = ["shipment.delivered.v1", "merchant_order.delivered.v1", "merchant_order.shipped.v1"];
    let told = events.iter().filter(|event| handled.contains(&event.name.as_str()));
    let told: Vec<String> = told.map(|event| serde_json::to_string(event).unwrap()).collect();
    assert!(told.len() >= 3);
    let again: Vec<String> = [&told, &told, &told].into_iter().flatten().rev().cloned().collect();
    let tell = async || {
        let answer = shop.market.cloud.invoke("review-collection", batch(&again)).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]));
    };
    let score = shop.get(&format!("/v1/reviews/scores/{}", market.alma)).await;
    tell().await;
    assert_eq!(shop.get(&format!("/v1/reviews/scores/{}", market.alma)).await, score, "counted once");
    shop.wait_days(8).await;
    assert_eq!(asked(shop, &order).await.len(), 1);
    tell().await;
    shop.wait_minutes(10).await;
    assert_eq!(asked(shop, &order).await.len(), 1);
    tell().await;
    shop.wait_days(30).await;
    assert_eq!(asked(shop, &order).await.len(), 2, "and one reminder");
}
