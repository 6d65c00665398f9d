//! Payments, refunds, store credit and payouts that are refused.

use serde_json::{Value, json};
use tests::paying::{card, payment_id};
use tests::storefront::Storefront;
use tests::*;

/// A mug of Alma's for 10.00, bought with a card and shipped: the money is taken.
async fn taken() -> (Shop, String) {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[card("tok_approved", 10_00)]).await;
    shop.fulfill(&part(&order, 1)).await;
    (shop, order)
}

fn back(amount: &str) -> Value {
    json!({"amount": eur(amount), "reason": "broken"})
}

#[tokio::test]
async fn a_refund_of_nothing_and_one_that_went_to_the_card_already_say_so() {
    let (shop, order) = taken().await;
    let path = format!("/v1/payments/{}", payment_id(&order, 1));
    for verb in ["refund", "approve-refund"] {
        let refused = shop.refused(&format!("{path}/{verb}"), &back("0.00"), 422, "payment_amount").await;
        assert_eq!(refused.text("/detail"), "a payment is of more than zero");
    }
    shop.done(&format!("{path}/refund"), &back("4.00")).await;
    shop.settle().await;
    assert_eq!(at(&shop.payment(&order, 1).await, "/refunds/0/status"), "executed");
    let redirect = format!("{path}/redirect-refund");
    shop.refused(&redirect, &json!({"refund": 1}), 409, "refund_executed").await;
}

#[tokio::test]
async fn a_payment_is_given_back_by_hand_a_hundred_times_and_what_becomes_of_its_goods_is_all_the_same() {
    let (shop, order) = taken().await;
    let path = format!("/v1/payments/{}/refund", payment_id(&order, 1));
    for _ in 0..domain::payment::REFUNDS_BY_HAND_MAX {
        shop.done(&path, &back("0.01")).await;
    }
    let refused = shop.refused(&path, &back("0.01"), 409, "payment_refund_count").await;
    assert_eq!(refused.text("/detail"), "a payment has at most 200 refunds, by hand no more than 100");
    let lines = json!([{"line": 1, "quantity": 1}]);
    let sent_back = json!({"merchant_order": part(&order, 1), "lines": lines, "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &sent_back).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (at(&payment, "/refunds/100/status"), at(&payment, "/refunds/100/amount/amount")),
        ("executed", "9.00")
    );
}

#[tokio::test]
async fn who_says_that_an_order_is_paid_is_told_that_its_gateways_say_so() {
    let (shop, order) = taken().await;
    shop.refused(&format!("/v1/orders/{order}/pay"), &json!({}), 409, "order_paid_by_gateway").await;
}

#[tokio::test]
async fn more_goes_not_back_of_an_order_than_was_paid_for_it() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let paid = json!({"payments": [{"method": "card", "amount": eur("15.00")}]});
    let placed = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), paid).await;
    let order = at(&placed, "/id");
    shop.settle().await;
    shop.pay(order).await;
    shop.fulfill(&part(order, 1)).await;
    let path = format!("/v1/orders/{order}/refund");
    let mugs = |quantity: u32| {
        let lines = json!([{"line": 1, "quantity": quantity}]);
        json!({"merchant_order": part(order, 1), "lines": lines, "reason": "broken"})
    };
    let refused = shop.refused(&path, &mugs(2), 409, "refund_exceeds_paid").await;
    assert_eq!(refused.text("/detail"), "20.00 EUR is more than the 15.00 EUR that can be refunded");
    shop.done(&path, &mugs(1)).await;
}

#[tokio::test]
async fn store_credit_is_named_once_in_a_payment() {
    let mut market = Storefront::open().await;
    market.guest = market.shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    assert_eq!(market.guest.post("/v1/customers/me", &sign_up, "").await.status, 201);
    let order = market.order().await;
    market.shop.fulfill(&part(&order, 1)).await;
    let lines = json!([{"line": 1, "quantity": 1}]);
    let back =
        json!({"merchant_order": part(&order, 1), "lines": lines, "reason": "broken", "to": "store_credit"});
    market.shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
    market.shop.settle().await;
    let cart = market.ready().await;
    let credit = json!({"method": "store_credit"});
    let payments = json!([credit, credit, {"method": "card", "token": "tok_approved"}]);
    let body = json!({"expected_total": eur("57.15"), "payments": payments});
    let refused = market.checkout(&cart, "pay", &body).await;
    assert_problem(&refused, 422, "invalid_value");
    let wrong = &refused.body["errors"][0];
    assert_eq!((at(wrong, "/field"), at(wrong, "/code")), ("payments[1].method", "twice"));
}

#[tokio::test]
async fn a_cart_is_tried_to_be_paid_forty_times_and_no_more() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let token = "tok_declined_insufficient_funds";
    let card = |amount: &str| json!({"method": "card", "token": token, "amount": eur(amount)});
    let payments = json!([card("1.00"), card("1.00"), card("1.00"), card("1.00"), card("53.15")]);
    let body = json!({"expected_total": eur("57.15"), "payments": payments});
    for _ in 0..8 {
        assert_problem(&market.checkout(&cart, "pay", &body).await, 402, "payment_declined");
        market.shop.settle().await;
    }
    let refused = market.pay(&cart, "57.15", "tok_approved").await;
    assert_problem(&refused, 409, "payment_count");
    assert_eq!(refused.text("/detail"), "at most 40");
}
