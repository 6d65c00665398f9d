//! Carts, shipments, stock, reviews and keys: what is refused of it.

use http::Method;
use serde_json::{Value, json};
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;

#[tokio::test]
async fn a_cart_chooses_no_delivery_of_a_merchant_that_it_has_nothing_of() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    market.edit(&cart, &json!({"add": [{"offer": market.mug, "quantity": 1}]})).await;
    let delivery = json!({"delivery": [{"merchant": market.birch, "service": "standard"}]});
    assert_problem(&market.try_edit(&cart, &delivery).await, 422, "unknown_merchant");
}

#[tokio::test]
async fn an_offer_lies_in_twenty_places_and_a_shipment_takes_from_ninety_shelves() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mut lines = Vec::new();
    for number in 0..5 {
        let sku = format!("mug-{number}");
        let offer = shop.offer(&alma, &sku, "10.00").await;
        for place in 0..20 {
            let body = json!({"location": format!("p-{place}"), "quantity": 1});
            shop.done(&format!("/v1/stock/{offer}/receive"), &body).await;
        }
        let one_more = json!({"location": "elsewhere", "quantity": 1});
        shop.refused(&format!("/v1/stock/{offer}/receive"), &one_more, 409, "location_count").await;
        lines.push(line(&alma, &sku, 20, "10.00"));
    }
    let order = shop.paid_order("A-1", json!(lines)).await;
    let ship = format!("/v1/merchant-orders/{}/ship", part(&order, 1));
    let parcel = json!({"carrier": "dhl", "tracking_number": "t1", "lines": []});
    let refused = shop.refused(&ship, &parcel, 409, "shelf_count").await;
    assert_eq!(refused.text("/detail"), "the lines lie on 100 shelves: ship those of at most 90 at once");
    let four: Vec<Value> = (1..5).map(|line| json!({"line": line, "quantity": 20})).collect();
    shop.ship(&part(&order, 1), "t1", json!(four)).await;
    shop.ship(&part(&order, 1), "t2", json!([])).await;
}

#[tokio::test]
async fn a_merchant_order_goes_in_two_hundred_parcels_and_no_more() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 201, "1.00")])).await;
    let path = format!("/v1/merchant-orders/{}/ship", part(&order, 1));
    let parcel = |number: usize| {
        let lines = [json!({"line": 1, "quantity": 1})];
        json!({"carrier": "dhl", "tracking_number": format!("t{number}"), "lines": lines})
    };
    for number in 0..200 {
        shop.done(&path, &parcel(number)).await;
    }
    shop.refused(&path, &parcel(200), 409, "shipment_count").await;
}

#[tokio::test]
async fn a_review_is_answered_once_it_is_published_and_its_reply_is_edited_twenty_times() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let order = market.order().await;
    shop.fulfill(&part(&order, 1)).await;
    let (waits, published) = (review_id(&order, 1), review_id(&order, 2));
    shop.review(&waits, 2, "See www.elsewhere").await;
    shop.review(&published, 4, "").await;
    let path = |id: &str, verb: &str| format!("/v1/reviews/{id}/{verb}");
    shop.key("sk_alma", &["reviews:write"], Some(&market.alma)).await;
    let alma = shop.calls_as("sk_alma");
    let text = |text: &str| json!({"text": text});
    let sorry = alma.post(&path(&waits, "reply"), &text("Sorry"), "1").await;
    assert_problem(&sorry, 409, "review_not_published");
    let edit = async |words: String| {
        let (body, any) = (text(&words).to_string(), [("if-match", "*")]);
        alma.send_with(Method::PATCH, &path(&published, "reply"), &body, &any).await
    };
    assert_problem(&edit("Thank you".to_owned()).await, 409, "review_no_reply");
    let first = alma.post(&path(&published, "reply"), &text("Thank you"), "2").await;
    assert!(first.status.is_success(), "{}", first.body);
    for number in 0..20 {
        let edited = edit(format!("Thank you {number}")).await;
        assert_eq!(edited.status, 200, "{}", edited.body);
    }
    assert_problem(&edit("Thank you again".to_owned()).await, 409, "reply_edit_count");
}

#[tokio::test]
async fn a_key_whose_secret_was_shown_is_not_shown_again() {
    let shop = Shop::open().await;
    let body = json!({"name": "till", "scopes": ["orders:read"]});
    let issued = shop.api.post("/v1/api-keys", &body, "once").await;
    assert!(issued.status.is_success(), "{}", issued.body);
    let again = shop.api.post("/v1/api-keys", &body, "once").await;
    assert_problem(&again, 409, "api_key_issued");
    assert!(again.text("/detail").contains("revoke the key"), "{}", again.body);
}
