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
