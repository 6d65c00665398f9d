//! What changes between the steps of a checkout, and the largest carts: the total that was agreed to is what is paid.

use serde_json::{Value, json};
use tests::storefront::*;
use tests::*;

/// The total that the gate answers to one that has changed.
async fn total_now(market: &Storefront, cart: &str) -> String {
    let refused = market.pay(cart, "57.15", "tok_approved").await;
    assert_problem(&refused, 409, "cart_changed");
    eur_at(&refused.body, "/total")
}

async fn unmet_now(market: &Storefront, cart: &str, total: &str) -> Vec<String> {
    let refused = market.pay(cart, total, "tok_approved").await;
    assert_problem(&refused, 409, "checkout_incomplete");
    refused.body["unmet"].as_array().unwrap().iter().map(|one| at(one, "/code").to_owned()).collect()
}

#[tokio::test]
async fn a_delivery_option_that_is_gone_or_dearer_stops_the_payment() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let mut rates = delivery_rates();
    rates["zones"][0]["rates"][0]["price"] = json!({"flat": eur("6.90")});
    market.shop.done(&format!("/v1/delivery/{}/set", market.alma), &rates).await;
    assert_eq!(total_now(&market, &cart).await, "59.15");
    rates["zones"][0]["rates"].as_array_mut().unwrap().remove(0);
    market.shop.done(&format!("/v1/delivery/{}/set", market.alma), &rates).await;
    assert_eq!(unmet_now(&market, &cart, "52.25").await, ["delivery_stale"]);
    let express = json!({"delivery": [{"merchant": market.alma, "service": "express"}]});
    let shown = market.edit(&cart, &express).await;
    assert_eq!(eur_at(&shown, "/totals/total"), "64.25");
    assert_eq!(market.pay(&cart, "64.25", "tok_approved").await.status, 201);
}

#[tokio::test]
async fn a_merchant_that_closes_and_an_offer_that_is_withdrawn_stop_the_payment() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let because = json!({"reason": "a trial"});
    market.shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &because).await;
    assert_eq!(unmet_now(&market, &cart, "57.15").await, ["lines_unavailable"]);
    market.shop.done(&format!("/v1/merchants/{}/reopen", market.birch), &because).await;
    let paused = json!({"status": "paused"}).to_string();
    let path = format!("/v1/offers/{}", market.mug);
    market.shop.api.send_with(http::Method::PATCH, &path, &paused, &[("if-match", "*")]).await.ok().unwrap();
    assert_eq!(unmet_now(&market, &cart, "57.15").await, ["lines_unavailable"]);
    // Without the line the rest can be had: 7.35, 20.00 and twice 4.90.
    market.edit(&cart, &json!({"set": [{"line": 1, "quantity": 0}]})).await;
    assert_eq!(market.pay(&cart, "37.15", "tok_approved").await.status, 201);
    market.shop.settle().await;
    // What was held for the line that went is anybody's again.
    assert_eq!(market.shop.stock(&market.mug).await, (100, 0, 100));
}

#[tokio::test]
async fn a_tax_that_is_added_changes_the_total_and_one_that_is_included_does_not() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let rates = json!({"rates": [{"from": "2021-01-01", "treatment": "reduced", "percent": "7"}]});
    market.shop.done("/v1/tax/rates/DE/set", &rates).await;
    let shown = market.show(&cart).await;
    // 7/107 of 20.00, 7.35 and 20.00 and of twice 4.90: 1.31 + 0.48 + 1.31 + 0.32 + 0.32.
    assert_eq!(
        (eur_at(&shown, "/totals/total"), eur_at(&shown, "/totals/tax")),
        ("57.15".into(), "3.74".into())
    );
    let rules = json!({"prices": "added", "rounding": "line", "reverse_charge": true});
    market.shop.done("/v1/tax/set-rules", &rules).await;
    // 7 % of the same, each rounded: 1.40 + 0.51 + 1.40 + 0.34 + 0.34.
    assert_eq!(total_now(&market, &cart).await, "61.14");
    let paid = market.pay(&cart, "61.14", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    let order = market.shop.order(paid.text("/order/id")).await;
    assert_eq!(
        (eur_at(&order, "/totals/total"), eur_at(&order, "/totals/delivery")),
        ("61.14".into(), "10.48".into())
    );
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a5_5_what_was_agreed_to_is_paid_though_the_price_changes_while_the_gateway_is_silent() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_timeout_approved").await.status, 202);
    let changed = json!({"price": eur("99.00")}).to_string();
    let path = format!("/v1/offers/{}", market.mug);
    market.shop.api.send_with(http::Method::PATCH, &path, &changed, &[("if-match", "*")]).await.ok().unwrap();
    let confirmed = market.checkout(&cart, "confirm", &json!({})).await;
    assert_eq!(confirmed.text("/status"), "completed", "{}", confirmed.body);
    market.shop.settle().await;
    let order = market.shop.order(confirmed.text("/order/id")).await;
    assert_eq!(eur_at(&order, "/totals/total"), "57.15");
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn nothing_is_held_for_ever_while_nobody_knows() {
    let market = Storefront::stocked(2).await;
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_timeout_approved").await.status, 202);
    // Ten minutes and an hour later the stock is still this cart's; nobody else gets it.
    market.shop.wait_until("2026-03-02T09:04:00Z").await;
    let other = market.ready().await;
    assert_problem(&market.pay(&other, "57.15", "tok_approved").await, 409, "checkout_incomplete");
    // The schedule asks five minutes after the call, and the order is placed without the customer.
    market.shop.wait_until("2026-03-02T09:20:00Z").await;
    let shown = market.show(&cart).await;
    assert_eq!(at(&shown, "/status"), "completed");
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_thousand_units_of_one_offer_are_one_line() {
    let market = Storefront::stocked(1_000).await;
    let cart = market.cart().await;
    market.edit(&cart, &json!({"add": [{"offer": market.scarf, "quantity": 1_000}]})).await;
    let delivery = json!([{"merchant": market.birch, "service": "standard"}]);
    let edit = json!({"contact": contact(), "address": address(), "delivery": delivery});
    let shown = market.edit(&cart, &edit).await;
    // Goods for more than 50.00 travel free.
    assert_eq!(eur_at(&shown, "/totals/total"), "20000.00");
    let paid = market.pay(&cart, "20000.00", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.scarf).await, (1_000, 1_000, 0));
}

#[tokio::test]
async fn the_largest_cart_80_lines_of_32_merchants_is_placed_in_one_transaction() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (mut add, mut delivery): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for n in 0..32 {
        let merchant = shop.merchant(&format!("m{n}"), json!({"every": "day"})).await;
        shop.done(&format!("/v1/delivery/{merchant}/set"), &delivery_rates()).await;
        for line in 0..if n < 16 { 3 } else { 2 } {
            let offer = shop.stocked(&merchant, &format!("sku-{line}"), 5).await;
            add.push(json!({"offer": offer, "quantity": 1}));
        }
        delivery.push(json!({"merchant": merchant, "service": "standard"}));
    }
    let cart = market.cart().await;
    market.edit(&cart, &json!({"add": add})).await;
    let edit = json!({"contact": contact(), "address": address(), "delivery": delivery});
    let shown = market.edit(&cart, &edit).await;
    // 80 × 10.00 and 32 × 4.90.
    assert_eq!(eur_at(&shown, "/totals/total"), "956.80");
    let paid = market.pay(&cart, "956.80", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    let order = shop.order(paid.text("/order/id")).await;
    assert_eq!(order["merchant_orders"].as_array().unwrap().len(), 32);
    // One line more, or one merchant more, is refused with the limit.
    let cart = market.cart().await;
    add.push(json!({"offer": market.mug, "quantity": 1}));
    let refused = market.try_edit(&cart, &json!({"add": add})).await;
    assert_problem(&refused, 422, "cart_line_count");
    assert!(refused.text("/detail").contains("80"), "{}", refused.body);
    let of_each: Vec<Value> =
        (0..32).map(|n| add[if n < 16 { n * 3 } else { 48 + (n - 16) * 2 }].clone()).collect();
    market.edit(&cart, &json!({"add": of_each})).await;
    let refused = market.try_edit(&cart, &json!({"add": [{"offer": market.mug, "quantity": 1}]})).await;
    assert_problem(&refused, 422, "cart_merchant_count");
    assert!(refused.text("/detail").contains("32"), "{}", refused.body);
}

#[tokio::test]
async fn a_cart_whose_stock_lies_in_too_many_places_is_told_so_before_it_is_charged_and_can_be_made_smaller()
{
    let market = Storefront::open().await;
    let shop = &market.shop;
    let mut goods = Vec::new();
    for line in 0..80 {
        let offer = shop.offer(&market.alma, &format!("sku-{line}"), "1.00").await;
        shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": if line < 5 { 40 } else { 1 }}))
            .await;
        goods.push(offer);
    }
    shop.settle().await;
    // Thirteen shoppers who hold one of each make the first five hot: four bins of each, and nobody buys.
    for _ in 0..13 {
        let cart = market.cart().await;
        let add: Vec<Value> = goods[..5].iter().map(|offer| json!({"offer": offer, "quantity": 1})).collect();
        market.edit(&cart, &json!({"add": add})).await;
        let held = market.checkout(&cart, "hold", &json!({})).await;
        assert!(held.body["held_until"].is_string(), "{}", held.body);
    }
    shop.wait_minutes(11).await;
    // All 40 of each lie in four places: 5 × 4 + 75 holds, 3 writes of the payment, 5 beside them.
    let cart = market.cart().await;
    let quantity = |line: usize| if line < 5 { 40 } else { 1 };
    let add = goods.iter().enumerate().map(|(at, offer)| json!({"offer": offer, "quantity": quantity(at)}));
    market.edit(&cart, &json!({"add": add.collect::<Vec<Value>>()})).await;
    let delivery = json!([{"merchant": market.alma, "service": "standard"}]);
    market.edit(&cart, &json!({"contact": contact(), "address": address(), "delivery": delivery})).await;
    for _ in 0..2 {
        let refused = market.pay(&cart, "275.00", "tok_approved").await;
        assert_problem(&refused, 409, "order_too_large");
        assert!(refused.text("/detail").contains("103 writes of at most 100"), "{}", refused.body);
    }
    let order = domain::id::OrderId::of_cart(&cart.parse().unwrap());
    let payments = shop.get(&format!("/v1/payments?order={order}")).await;
    assert_eq!(payments["items"], json!([]), "nothing was tried");
    // What was taken for it is the cart's for ten minutes, and then anybody's, without anybody's doing.
    let shown = market.guest.get(&format!("/v1/checkouts/{cart}")).await;
    assert_eq!((shown.text("/status"), shop.stock(&goods[0]).await), ("open", (40, 0, 0)));
    assert_eq!(shown.text("/held_until"), "2026-03-02T09:21:00Z");
    shop.wait_minutes(11).await;
    for offer in [&goods[0], &goods[4], &goods[79]] {
        let (on_hand, allocated, available) = shop.stock(offer).await;
        assert_eq!((allocated, available), (0, on_hand));
    }
    // Smaller, it is placed: one of the hot ones less takes four places less.
    market.edit(&cart, &json!({"set": [{"line": 1, "quantity": 0}]})).await;
    let paid = market.pay(&cart, "235.00", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    assert_eq!((shop.stock(&goods[0]).await, shop.stock(&goods[1]).await), ((40, 0, 40), (40, 40, 0)));
    shop.books_are_right().await;
}
