//! Orders whose payments and lines differ: merchants earn all the same, a person finds out why.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::*;

fn paid(amount: &str) -> Value {
    json!({"payments": [{"method": "card", "amount": eur(amount)}]})
}

fn accounts(balances: &[(&str, &str)]) -> BTreeMap<String, String> {
    balances.iter().map(|(name, balance)| ((*name).to_owned(), (*balance).to_owned())).collect()
}

/// State, kind and difference of an order's exception.
fn exception(order: &Value) -> (String, String, String) {
    let word = |name: &str| at(order, &format!("/exception/{name}")).to_owned();
    (word("state"), word("kind"), eur_at(order, "/exception/difference"))
}

fn words(state: &str, kind: &str, difference: &str) -> (String, String, String) {
    (state.to_owned(), kind.to_owned(), difference.to_owned())
}

async fn open_exceptions(shop: &Shop) -> Vec<String> {
    let list = shop.get("/v1/orders?exception=open").await;
    list["items"].as_array().unwrap().iter().map(|order| at(order, "/id").to_owned()).collect()
}

#[tokio::test]
async fn an_order_that_is_paid_too_much_waits_for_a_person_and_its_merchant_does_not() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let placed = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), paid("25.00")).await;
    let order = at(&placed, "/id");
    assert_eq!(exception(&placed), words("open", "payment_differs", "5.00"));
    shop.settle().await;
    let open = [("receivable", "25.00"), ("unearned", "-20.00"), ("exceptions", "-5.00")];
    assert_eq!(shop.accounts().await, accounts(&open));

    shop.pay(order).await;
    shop.fulfill(&part(order, 1)).await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "17.00".into()));
    assert_eq!(open_exceptions(&shop).await, [order]);

    let resolve = format!("/v1/orders/{order}/resolve-exception");
    shop.refused(&resolve, &json!({}), 400, "malformed_request").await;
    shop.refused(&resolve, &json!({"reason": ""}), 422, "invalid_value").await;
    let resolved = shop.done(&resolve, &json!({"reason": "a tip, says the customer"})).await;
    assert_eq!(exception(&resolved), words("resolved", "payment_differs", "0.00"));
    shop.settle().await;
    let settled =
        [("cash", "25.00"), ("payable", "-17.00"), ("commission", "-3.00"), ("adjustments", "-5.00")];
    assert_eq!(shop.accounts().await, accounts(&settled));
    assert_eq!(open_exceptions(&shop).await, Vec::<String>::new());

    let events = shop.events(order).await;
    let of = |name: &str| events.iter().find(|event| event.name == name).unwrap();
    let raised = json!({"order": order, "kind": "payment_differs", "difference": eur("5.00")});
    assert_eq!(of("order.exception_raised.v1").data, raised);
    let event = of("order.exception_resolved.v1");
    assert!(event.actor.starts_with("key:key_"), "{}", event.actor);
    let said = json!({"order": order, "reason": "a tip, says the customer", "by": event.actor});
    assert_eq!(event.data, said);
    // Saying it twice is no news.
    let before = shop.contents().await;
    let again = shop.post(&resolve, &json!({"reason": "another"})).await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["idempotent-replayed"]),
        (200, &"true".parse().unwrap())
    );
    assert!(shop.contents().await == before);
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_that_is_paid_too_little_stands_on_the_other_side() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let placed = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), paid("19.99")).await;
    let order = at(&placed, "/id");
    assert_eq!(exception(&placed), words("open", "payment_differs", "-0.01"));
    shop.settle().await;
    shop.pay(order).await;
    shop.fulfill(&part(order, 1)).await;
    let earned = [("cash", "19.99"), ("exceptions", "0.01"), ("payable", "-17.00"), ("commission", "-3.00")];
    assert_eq!(shop.accounts().await, accounts(&earned));
    shop.done(&format!("/v1/orders/{order}/resolve-exception"), &json!({"reason": "written off"})).await;
    shop.settle().await;
    let settled =
        [("cash", "19.99"), ("adjustments", "0.01"), ("payable", "-17.00"), ("commission", "-3.00")];
    assert_eq!(shop.accounts().await, accounts(&settled));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_without_lines_is_an_exception_that_its_cancellation_closes() {
    let shop = Shop::open().await;
    let placed = shop.place("A-1", json!([]), paid("12.34")).await;
    let order = at(&placed, "/id");
    assert_eq!(exception(&placed), words("open", "no_lines", "12.34"));
    shop.settle().await;
    shop.pay(order).await;
    let view = shop.order(order).await;
    assert_eq!((at(&view, "/status"), &view["merchant_orders"]), ("paid", &json!([])));
    assert_eq!(exception(&view), words("open", "no_lines", "12.34"));
    assert_eq!(open_exceptions(&shop).await, [order]);
    assert_eq!(shop.accounts().await, accounts(&[("cash", "12.34"), ("exceptions", "-12.34")]));

    let canceled = shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "unavailable"})).await;
    assert_eq!(
        (at(&canceled, "/status"), eur_at(&canceled, "/totals/refunded")),
        ("canceled", "12.34".into())
    );
    assert_eq!(exception(&canceled), words("resolved", "no_lines", "0.00"));
    shop.settle().await;
    assert_eq!(open_exceptions(&shop).await, Vec::<String>::new());
    assert_eq!(shop.accounts().await, accounts(&[]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_whole_cancellation_gives_back_what_was_paid_and_closes_the_exception() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for (name, amount) in [("A-1", "25.00"), ("A-2", "15.00")] {
        let placed = shop.place(name, json!([line(&alma, "mug", 2, "10.00")]), paid(amount)).await;
        let order = at(&placed, "/id");
        shop.settle().await;
        shop.pay(order).await;
        let canceled =
            shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
        assert_eq!(at(&canceled, "/status"), "canceled");
        assert_eq!(eur_at(&canceled, "/totals/refunded"), amount, "everything that was paid goes back");
        assert_eq!(exception(&canceled), words("resolved", "payment_differs", "0.00"));
        shop.settle().await;
    }
    assert_eq!(open_exceptions(&shop).await, Vec::<String>::new());
    assert_eq!(shop.accounts().await, accounts(&[]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_payment_that_comes_in_as_due_explains_the_difference_and_another_one_makes_it() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let placed = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), paid("19.00")).await;
    let order = at(&placed, "/id");
    shop.settle().await;
    let view = shop.done(&format!("/v1/orders/{order}/pay"), &paid("20.00")).await;
    assert_eq!(exception(&view), words("resolved", "payment_differs", "0.00"));

    let placed = shop.place("A-2", json!([line(&alma, "mug", 2, "10.00")]), json!({})).await;
    let order = at(&placed, "/id");
    shop.settle().await;
    assert_eq!(placed.get("exception"), None);
    let view = shop.done(&format!("/v1/orders/{order}/pay"), &paid("18.00")).await;
    assert_eq!(exception(&view), words("open", "payment_differs", "-2.00"));
    shop.settle().await;
    assert_eq!(open_exceptions(&shop).await, [order]);
    let expected = [("cash", "38.00"), ("unearned", "-40.00"), ("exceptions", "2.00")];
    assert_eq!(shop.accounts().await, accounts(&expected));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_without_exception_has_nothing_to_resolve() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let path = format!("/v1/orders/{order}/resolve-exception");
    shop.refused(&path, &json!({"reason": "none"}), 409, "order_no_exception").await;
}
