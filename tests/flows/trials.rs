//! Trials that end: whoever will be charged is told before, once, unless it was canceled.

use serde_json::json;
use souk::cloud::Mail;
use tests::subscribing::{Subscriptions, publish, terms};
use tests::*;

/// Ines in a trial of so many days, that ends on 2 March and so many days, at 9:00.
async fn trying(days: u32) -> (Subscriptions, String) {
    let market = Subscriptions::open().await;
    let mut trial = terms("19.00");
    (trial["trial_days"], trial["setup_fee"]) = (json!(days), eur("5.00"));
    publish(&market.shop, "starter", trial).await;
    let id = market.subscribe("starter", "tok_approved").await;
    (market, id)
}

fn letters(market: &Subscriptions) -> Vec<Mail> {
    let mails = market.shop.market.cloud.mails().unwrap().into_iter();
    mails.filter(|mail| mail.header("Subject").starts_with("Your free time ends on")).collect()
}

#[tokio::test]
async fn a_trial_of_two_weeks_is_told_of_three_days_before_its_end_with_what_it_will_cost() {
    let (market, id) = trying(14).await;
    market.shop.wait_until("2026-03-13T08:59:00Z").await;
    assert_eq!(letters(&market), []);
    market.shop.wait_until("2026-03-13T09:06:00Z").await;
    let [letter] = letters(&market).try_into().unwrap();
    assert_eq!(letter.header("Subject"), "Your free time ends on 16 March 2026");
    assert!(
        letter.text().contains("€24.00 are charged then, and your subscription goes on"),
        "{}",
        letter.text()
    );
    assert_eq!(market.bills(&id).await, []);
    market.shop.wait_until("2026-03-16T09:06:00Z").await;
    assert_eq!(market.bills(&id).await, [("paid", "24.00".to_owned())], "as it was told");
    market.shop.wait_days(40).await;
    assert_eq!(letters(&market).len(), 1, "once");
    market.books_are_right().await;
}

#[tokio::test]
async fn a_trial_of_six_days_is_told_of_two_days_before_and_one_of_a_day_never() {
    let (market, _) = trying(6).await;
    market.shop.wait_until("2026-03-06T08:59:00Z").await;
    assert_eq!(letters(&market), []);
    market.shop.wait_until("2026-03-06T09:06:00Z").await;
    assert_eq!(letters(&market).len(), 1);
    let (market, _) = trying(1).await;
    market.shop.wait_days(5).await;
    assert_eq!(letters(&market), []);
}

#[tokio::test]
async fn who_has_canceled_is_not_told_and_who_takes_that_back_in_time_is() {
    let (market, id) = trying(14).await;
    market.act(&id, "cancel", json!({"at": "period_end"})).await;
    market.shop.wait_until("2026-03-14T09:00:00Z").await;
    market.act(&id, "uncancel", json!({})).await;
    market.shop.wait_days(30).await;
    assert_eq!(letters(&market), [], "whoever takes it back has just seen the date");
    let (market, id) = trying(14).await;
    market.act(&id, "cancel", json!({"at": "period_end"})).await;
    market.act(&id, "uncancel", json!({})).await;
    market.shop.wait_days(30).await;
    assert_eq!(letters(&market).len(), 1);
}

/// The message of due work comes three times, the event of it too, and each in the wrong order.
#[tokio::test]
async fn however_often_a_trial_comes_up_it_is_told_of_once() {
    let (market, id) = trying(14).await;
    let shop = &market.shop;
    shop.wait_until("2026-03-13T09:06:00Z").await;
    let told = shop.contents().await;
    let due: domain::id::SubscriptionId = id.parse().unwrap();
    let table = &shop.market.world.table;
    for _ in 0..3 {
        table.subscription_is_due(&marketplace_id(), &due, shop.market.clock.now()).await.unwrap();
        shop.wait_minutes(10).await;
    }
    assert_eq!(letters(&market).len(), 1);
    let after = shop.contents().await;
    assert_eq!(told.len(), after.len(), "nothing is written");
}
