//! Store credit: refunds that become a balance, and carts that are paid with it.

use serde_json::{Value, json};
use souk::api::{Answer, Api};
use tests::paying::payment_id;
use tests::storefront::*;
use tests::*;

/// A storefront whose shopper has signed in.
async fn signed_in(units: i64) -> Storefront {
    let mut market = Storefront::stocked(units).await;
    market.guest = market.shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    assert_eq!(market.guest.post("/v1/customers/me", &sign_up, "").await.status, 201);
    market
}

/// Balance and what may be spent of it.
async fn credit(person: &Api) -> (String, String) {
    let answer = person.get("/v1/customers/me/store-credit").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    if answer.body["balances"] == json!([]) {
        return ("0.00".to_owned(), "0.00".to_owned());
    }
    (eur_at(&answer.body, "/balances/0/balance"), eur_at(&answer.body, "/balances/0/available"))
}

fn so(balance: &str, available: &str) -> (String, String) {
    (balance.to_owned(), available.to_owned())
}

/// One mug of Alma's part.
fn a_mug(order: &str, to: &str) -> Value {
    let lines = json!([{"line": 1, "quantity": 1}]);
    json!({"merchant_order": part(order, 1), "lines": lines, "reason": "broken", "to": to})
}

/// A shopper with 10.00: a mug was paid back.
async fn with_credit() -> Storefront {
    let market = signed_in(100).await;
    let order = market.order().await;
    market.shop.fulfill(&part(&order, 1)).await;
    market.shop.done(&format!("/v1/orders/{order}/refund"), &a_mug(&order, "store_credit")).await;
    market.shop.settle().await;
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    market
}

/// Pays a cart with credit first and a card for the rest.
async fn pay(market: &Storefront, cart: &str, token: &str) -> Answer {
    let payments = json!([{"method": "card", "token": token}, {"method": "store_credit"}]);
    let body = json!({"expected_total": eur("57.15"), "payments": payments});
    market.checkout(cart, "pay", &body).await
}

#[tokio::test]
async fn a_refund_as_credit_is_the_customers_balance_and_another_goes_to_the_card() {
    let market = signed_in(100).await;
    let (shop, order) = (&market.shop, market.order().await);
    shop.fulfill(&part(&order, 1)).await;
    let path = format!("/v1/orders/{order}/refund");
    for _ in 0..2 {
        let answer = shop.api.post(&path, &a_mug(&order, "store_credit"), "once").await;
        assert!(answer.status.is_success(), "{}", answer.body);
        shop.settle().await;
    }
    shop.done(&path, &a_mug(&order, "original")).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    let refunds = payment["refunds"].as_array().unwrap().iter();
    let refunds: Vec<_> =
        refunds.map(|one| (eur_at(one, "/amount"), at(one, "/to"), at(one, "/status"))).collect();
    let done = |to| ("10.00".to_owned(), to, "executed");
    assert_eq!(refunds, [done("store_credit"), done("original")]);
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    let accounts = shop.accounts().await;
    // 32.25 of Alma's part were captured, 10.00 went back to the card.
    assert_eq!(
        (accounts["store_credit"].as_str(), accounts["gateway_clearing"].as_str()),
        ("-10.00", "22.25")
    );
    // Nobody else sees it, and who never had any has none.
    assert_eq!(credit(&shop.person("omar")).await, so("0.00", "0.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_guest_has_no_credit_until_the_order_is_on_an_account() {
    let market = Storefront::open().await;
    let (shop, cart) = (&market.shop, market.ready().await);
    let paid = market.pay(&cart, "57.15", "tok_refund_declined").await;
    let order = paid.text("/order/id").to_owned();
    shop.settle().await;
    shop.fulfill(&part(&order, 1)).await;
    let (refund, payment) = (format!("/v1/orders/{order}/refund"), payment_id(&order, 1));
    shop.refused(&refund, &a_mug(&order, "store_credit"), 409, "no_account").await;
    let more = json!({"amount": eur("1.00"), "reason": "a scratch", "to": "store_credit"});
    shop.refused(&format!("/v1/payments/{payment}/refund"), &more, 409, "no_account").await;
    // The card takes nothing back: the guest signs up, takes the order along, and has the money.
    shop.done(&refund, &a_mug(&order, "original")).await;
    shop.settle().await;
    let redirect = format!("/v1/payments/{payment}/redirect-refund");
    shop.refused(&redirect, &json!({"refund": 1}), 409, "no_account").await;
    let ines = shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    assert_eq!(ines.post("/v1/customers/me", &sign_up, "").await.status, 201);
    assert_eq!(ines.post("/v1/customers/me/claim-order", &json!({"cart": cart}), "").await.status, 200);
    shop.done(&redirect, &json!({"refund": 1})).await;
    shop.settle().await;
    assert_eq!(credit(&ines).await, so("10.00", "10.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn credit_pays_first_is_promised_once_and_taken_as_parts_leave() {
    let market = with_credit().await;
    let (shop, one, two) = (&market.shop, market.ready().await, market.ready().await);
    let paid = pay(&market, &one, "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    let payments = paid.body["payments"].as_array().unwrap();
    let payments: Vec<_> = payments.iter().map(|one| (at(one, "/method"), eur_at(one, "/amount"))).collect();
    assert_eq!(payments, [("store_credit", "10.00".to_owned()), ("card", "47.15".to_owned())]);
    assert_eq!(credit(&market.guest).await, so("10.00", "0.00"));
    // For another cart there is none: the card alone pays it.
    let paid_alone = pay(&market, &two, "tok_approved").await;
    assert_eq!(paid_alone.body["payments"].as_array().unwrap().len(), 1, "{}", paid_alone.body);
    shop.settle().await;
    let order = paid.text("/order/id").to_owned();
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(credit(&market.guest).await, so("0.00", "0.00"));
    assert!(!shop.accounts().await.contains_key("store_credit"));
    // What was paid with credit goes back to it, in proportion: 10.00 of 32.25 for a mug of 10.00.
    shop.done(&format!("/v1/orders/{order}/refund"), &a_mug(&order, "original")).await;
    shop.settle().await;
    assert_eq!(credit(&market.guest).await, so("3.10", "3.10"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn two_carts_at_once_do_not_spend_the_same_credit() {
    let market = with_credit().await;
    let alone = |cart: String| {
        let market = &market;
        async move {
            let payments = json!([
                {"method": "store_credit", "amount": eur("10.00")},
                {"method": "card", "token": "tok_approved"},
            ]);
            let body = json!({"expected_total": eur("57.15"), "payments": payments});
            let paid = market.checkout(&cart, "pay", &body).await;
            assert_eq!(paid.status, 201, "{}", paid.body);
            let payments = paid.body["payments"].as_array().unwrap().iter();
            payments.filter(|one| one["method"] == "store_credit").count()
        }
    };
    let (one, two) = (market.ready().await, market.ready().await);
    let (one, two) = tokio::join!(alone(one), alone(two));
    assert_eq!(one + two, 1, "one of the two had it");
    market.shop.settle().await;
    assert_eq!(credit(&market.guest).await, so("10.00", "0.00"));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn credit_comes_back_when_the_payment_fails_is_given_up_or_nothing_ships() {
    let market = with_credit().await;
    let (shop, cart) = (&market.shop, market.ready().await);
    let declined = pay(&market, &cart, "tok_declined_stolen_card").await;
    assert_problem(&declined, 402, "payment_declined");
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    // While nobody knows of the card it stays promised; when the gateway says no it is free.
    assert_eq!(pay(&market, &cart, "tok_timeout_declined").await.status, 202);
    assert_eq!(credit(&market.guest).await, so("10.00", "0.00"));
    shop.settle().await;
    shop.wait_minutes(5).await;
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    let paid = pay(&market, &cart, "tok_timeout_approved").await;
    assert_eq!(paid.status, 202);
    shop.settle().await;
    shop.wait_minutes(5).await;
    let order = at(&market.show(&cart).await, "/order").to_owned();
    assert_eq!(credit(&market.guest).await, so("10.00", "0.00"));
    // Canceled before anything has left.
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed my mind"})).await;
    shop.settle().await;
    shop.wait_minutes(5).await;
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    // A parcel that is lost gives it back too.
    let cart = market.ready().await;
    let paid = pay(&market, &cart, "tok_approved").await;
    shop.settle().await;
    let part = part(paid.text("/order/id"), 1);
    let shipment = shop.ship(&part, "a1", json!([])).await;
    assert_eq!(credit(&market.guest).await, so("0.00", "0.00"));
    let track = format!("/v1/merchant-orders/{part}/shipments/{shipment}/track");
    shop.done(&track, &json!({"status": "lost"})).await;
    shop.settle().await;
    assert_eq!(credit(&market.guest).await, so("10.00", "10.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_cart_without_an_account_or_with_too_little_is_told_what_is_missing() {
    let market = with_credit().await;
    let only = json!({"expected_total": eur("57.15"), "payments": [{"method": "store_credit"}]});
    let cart = market.ready().await;
    let refused = market.checkout(&cart, "pay", &only).await;
    assert_problem(&refused, 409, "checkout_incomplete");
    assert_eq!(at(&refused.body, "/unmet/0/missing"), "47.15");
    let guest = Storefront { guest: market.shop.guest(), ..market };
    let cart = guest.ready().await;
    let refused = guest.checkout(&cart, "pay", &only).await;
    assert_problem(&refused, 409, "checkout_incomplete");
    assert_eq!(at(&refused.body, "/unmet/0/missing"), "57.15");
}
