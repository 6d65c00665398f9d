//! Codes that are for so many orders: who gets the last use, and when one is free again.

use futures::future::join_all;
use serde_json::{Value, json};
use tests::storefront::*;
use tests::*;

/// Five euros off for so many orders: 57.15 become 52.15.
async fn five_for(market: &Storefront, orders: u32) {
    let five = json!({"name": "FIVE", "amount": eur("5.00"), "usage_limit": orders});
    let set = market.shop.done("/v1/promotions/set-code", &five).await;
    assert_eq!(set["usage_limit"], json!(orders));
}

/// A ready cart with the code typed in.
async fn with_five(market: &Storefront) -> String {
    let cart = market.ready().await;
    market.edit(&cart, &json!({"codes": {"add": ["five"]}})).await;
    cart
}

async fn used(market: &Storefront) -> Value {
    market.shop.get("/v1/promotions/code?name=five").await["used"].clone()
}

/// Whether the code holds in a cart, and what the cart comes to.
async fn state(market: &Storefront, cart: &str) -> (Value, String) {
    let cart = market.show(cart).await;
    (cart["codes"][0]["reason"].clone(), eur_at(&cart, "/totals/total"))
}

/// A merchant cannot deliver its part.
async fn reject(market: &Storefront, order: &str, number: u8) {
    let lines = if number == 1 {
        json!([{"line": 1, "quantity": 2}, {"line": 2, "quantity": 1}])
    } else {
        json!([{"line": 3, "quantity": 1}])
    };
    let path = format!("/v1/merchant-orders/{}/reject", part(order, number));
    market.shop.done(&path, &json!({"lines": lines, "reason": "broken"})).await;
    market.shop.settle().await;
}

#[tokio::test]
async fn a6_2_a_limit_of_7_under_100_parallel_completions_gives_exactly_7_redemptions() {
    let market = Storefront::stocked(400).await;
    five_for(&market, 7).await;
    let carts = join_all((0..100).map(|_| with_five(&market))).await;
    let paid = join_all(carts.iter().map(|cart| market.pay(cart, "52.15", "tok_approved"))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = paid.iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), refused.len()), (7, 93));
    for answer in refused {
        assert_problem(answer, 409, "cart_changed");
        assert_eq!(answer.body["total"], eur("57.15"));
    }
    assert_eq!(used(&market).await, json!(7));
    // Whoever was too late is told why, and pays what it costs then.
    let late = carts.iter().zip(&paid).find(|(_, answer)| answer.status == 409).unwrap().0;
    assert_eq!(state(&market, late).await, (json!("used_up"), "57.15".to_owned()));
    assert_eq!(market.pay(late, "57.15", "tok_approved").await.status, 201);
    assert_eq!(used(&market).await, json!(7));
    market.shop.settle().await;
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a6_3_an_order_that_is_canceled_gives_its_use_back_and_one_that_is_canceled_in_part_keeps_it() {
    let market = Storefront::open().await;
    five_for(&market, 1).await;
    let (first, second) = (with_five(&market).await, with_five(&market).await);
    let order = market.pay(&first, "52.15", "tok_approved").await.text("/order/id").to_owned();
    market.shop.settle().await;
    assert_eq!(state(&market, &second).await, (json!("used_up"), "57.15".to_owned()));
    // Alma cannot deliver its part; Birch's is canceled by an operator after that.
    let because = json!({"reason": "broken"});
    reject(&market, &order, 1).await;
    assert_eq!(used(&market).await, json!(1));
    market.shop.done(&format!("/v1/orders/{order}/cancel"), &because).await;
    market.shop.settle().await;
    assert_eq!(used(&market).await, json!(0));
    // Asked again it is no news, and nothing is given back twice.
    market.shop.done(&format!("/v1/orders/{order}/cancel"), &because).await;
    assert_eq!(used(&market).await, json!(0));
    assert_eq!(state(&market, &second).await, (Value::Null, "52.15".to_owned()));
    let order = market.pay(&second, "52.15", "tok_approved").await.text("/order/id").to_owned();
    market.shop.settle().await;
    // The last of two rejections cancels as well.
    for number in [1, 2] {
        assert_eq!(used(&market).await, json!(1));
        reject(&market, &order, number).await;
    }
    assert_eq!(used(&market).await, json!(0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_use_is_taken_with_the_payment_kept_while_nobody_knows_and_given_back_if_it_fails() {
    let market = Storefront::open().await;
    five_for(&market, 1).await;
    let (first, second) = (with_five(&market).await, with_five(&market).await);
    let declined = market.pay(&first, "52.15", "tok_declined_insufficient_funds").await;
    assert_problem(&declined, 402, "payment_declined");
    assert_eq!(used(&market).await, json!(0));
    assert_eq!(market.pay(&first, "52.15", "tok_timeout_lost").await.status, 202);
    assert_eq!(used(&market).await, json!(1));
    // Its own use does not stand in its way, but in that of others.
    assert_eq!(state(&market, &first).await, (Value::Null, "52.15".to_owned()));
    assert_problem(&market.pay(&second, "52.15", "tok_approved").await, 409, "cart_changed");
    assert_problem(&market.checkout(&first, "confirm", &json!({})).await, 402, "payment_declined");
    assert_eq!(used(&market).await, json!(0));
    assert_eq!(market.pay(&first, "52.15", "tok_timeout_approved").await.status, 202);
    market.shop.wait_minutes(120).await;
    assert_eq!(market.show(&first).await["status"], "completed");
    assert_eq!(used(&market).await, json!(1));
}

#[tokio::test]
async fn an_order_for_nothing_takes_a_use_with_its_placing() {
    let market = Storefront::open().await;
    let all = json!({"name": "five", "percent": "100", "usage_limit": 1});
    market.shop.done("/v1/promotions/set-code", &all).await;
    market.shop.done("/v1/promotions/set-code", &json!({"name": "BRING", "free_delivery": true})).await;
    let carts = join_all((0..4).map(|_| with_five(&market))).await;
    for cart in &carts {
        market.edit(cart, &json!({"codes": {"add": ["BRING"]}})).await;
    }
    let body = json!({"expected_total": eur("0.00")});
    let paid = join_all(carts.iter().map(|cart| market.checkout(cart, "pay", &body))).await;
    let (placed, refused): (Vec<_>, Vec<_>) = paid.iter().partition(|answer| answer.status == 201);
    assert_eq!((placed.len(), refused.len()), (1, 3));
    for answer in refused {
        assert_problem(answer, 409, "cart_changed");
        // 57.15 with delivery for 9.80, which has a code of its own.
        assert_eq!(answer.body["total"], eur("47.35"));
    }
    assert_eq!(used(&market).await, json!(1));
    market.shop.settle().await;
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_code_that_takes_nothing_off_is_not_used() {
    let market = Storefront::open().await;
    five_for(&market, 1).await;
    market.shop.done("/v1/promotions/set-code", &json!({"name": "ALL", "percent": "100"})).await;
    let cart = market.ready().await;
    // Codes apply in the order in which they were given: nothing is left for the second.
    let shown = market.edit(&cart, &json!({"codes": {"add": ["ALL", "FIVE"]}})).await;
    assert_eq!(eur_at(&shown, "/codes/1/amount"), "0.00");
    assert_eq!(market.pay(&cart, "9.80", "tok_approved").await.status, 201);
    assert_eq!(used(&market).await, json!(0));
}

#[tokio::test]
async fn a_limit_is_a_whole_number_of_orders_and_counts_from_the_next_look_at_a_cart() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let with = |limit: Value| json!({"name": "FIVE", "amount": eur("5.00"), "usage_limit": limit});
    for limit in [json!(-1), json!("1"), json!(1.5), json!(4_294_967_296_u64)] {
        shop.refused("/v1/promotions/set-code", &with(limit), 400, "malformed_request").await;
    }
    let zero = shop.refused("/v1/promotions/set-code", &with(json!(0)), 422, "invalid_value").await;
    assert_eq!(zero.body["errors"][0]["field"], "usage_limit");
    let customer = subscribing::sign_up(shop, "ines").await.1;
    let agreements = json!({"agreements": [with(json!(1))]});
    let path = format!("/v1/promotions/agreements/{customer}/set");
    let refused = shop.refused(&path, &agreements, 422, "invalid_value").await;
    assert_eq!(refused.body["errors"][0]["field"], "agreements[0].usage_limit");

    // No limit, nothing is counted.
    shop.done("/v1/promotions/set-code", &with(Value::Null)).await;
    let cart = with_five(&market).await;
    assert_eq!(market.pay(&cart, "52.15", "tok_approved").await.status, 201);
    assert_eq!(used(&market).await, Value::Null);
    five_for(&market, 2).await;
    assert_eq!(used(&market).await, json!(0));
    let carts = [with_five(&market).await, with_five(&market).await];
    assert_eq!(market.pay(&carts[0], "52.15", "tok_approved").await.status, 201);
    // Fewer than there are: nobody loses one, and nobody gets one more.
    five_for(&market, 1).await;
    assert_eq!(state(&market, &carts[1]).await.0, json!("used_up"));
    shop.settle().await;
    let listed = shop.get("/v1/promotions/codes").await;
    assert_eq!((&listed["items"][0]["used"], &listed["items"][0]["usage_limit"]), (&json!(1), &json!(1)));
    shop.done("/v1/promotions/close-code", &json!({"name": "FIVE"})).await;
    assert_eq!(state(&market, &carts[1]).await.0, json!("closed"));
}
