//! Changes of subscriptions that are refused, by the change and by its check.

use serde_json::{Value, json};
use tests::assert_problem;
use tests::subscribing::*;

/// The change and its check are refused alike.
async fn refused(market: &Subscriptions, id: &str, (verb, body): (&str, Value), code: &str) {
    let checked = market.try_act(id, "check", json!({verb.replace('-', "_"): body})).await;
    assert_problem(&checked, 409, code);
    assert_problem(&market.try_act(id, verb, body).await, 409, code);
}

#[tokio::test]
async fn a_subscription_that_ends_or_changes_with_its_period_takes_nothing_else_before() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.act(&id, "cancel", json!({"at": "period_end"})).await;
    refused(&market, &id, ("change", json!({"quantity": 2})), "subscription_ends").await;
    refused(&market, &id, ("pause", json!({})), "subscription_ends").await;
    market.act(&id, "uncancel", json!({})).await;
    market.act(&id, "change", json!({"quantity": 2, "at": "period_end"})).await;
    refused(&market, &id, ("pause", json!({})), "subscription_change_waits").await;
}

#[tokio::test]
async fn a_trial_is_neither_paused_nor_resumed() {
    let market = Subscriptions::open().await;
    let mut trial = terms("19.00");
    trial["trial_days"] = json!(14);
    publish(&market.shop, "starter", trial).await;
    let id = market.subscribe("starter", "tok_approved").await;
    refused(&market, &id, ("pause", json!({})), "subscription_trialing").await;
    refused(&market, &id, ("resume", json!({})), "subscription_not_paused").await;
}

#[tokio::test]
async fn a_period_that_is_over_is_renewed_before_anything_else_changes() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    // The schedule has not run yet.
    market.shop.market.clock.advance(jiff::SignedDuration::from_hours(31 * 24));
    refused(&market, &id, ("change", json!({"quantity": 2})), "renewal_due").await;
    refused(&market, &id, ("pause", json!({})), "renewal_due").await;
}

#[tokio::test]
async fn without_proration_another_interval_begins_with_the_next_period() {
    let market = Subscriptions::open().await;
    let mut flat = terms("10.00");
    flat["proration"] = json!("none");
    publish(&market.shop, "flat", flat).await;
    let mut yearly = terms("100.00");
    yearly["interval"] = json!({"every": "year"});
    publish(&market.shop, "yearly", yearly).await;
    let id = market.subscribe("flat", "tok_approved").await;
    let yearly = market.plan("yearly");
    refused(&market, &id, ("change", json!({"plan": yearly})), "no_proration").await;
    market.act(&id, "change", json!({"plan": yearly, "at": "period_end"})).await;
}

#[tokio::test]
async fn who_has_nothing_to_pay_with_changes_to_nothing_that_costs_something() {
    let market = Subscriptions::open().await;
    publish(&market.shop, "free", terms("0.00")).await;
    let body = json!({"plan": market.plan("free"), "address": address()});
    let begun = market.ines.post("/v1/subscriptions", &body, "").await;
    assert_eq!((begun.status.as_u16(), begun.text("/status")), (201, "active"), "{}", begun.body);
    market.shop.settle().await;
    let id = begun.text("/id");
    let change = json!({"plan": market.plan("twenty")});
    assert_problem(&market.try_act(id, "change", change.clone()).await, 409, "no_payment_method");
    market.act(id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    market.act(id, "change", change).await;
}
