//! Renewals whose payment fails: tried again, recovered, restricted, ended; each step can be seen.

use serde_json::{Value, json};
use souk::cloud::Fate;
use tests::subscribing::*;
use tests::*;

/// The open cases, or those that ended in a month.
async fn cases(market: &Subscriptions, query: &str) -> Vec<Value> {
    let list = market.shop.get(&format!("/v1/dunning{query}")).await;
    list["items"].as_array().unwrap().clone()
}

/// Step, the next try of how many, and when something comes next.
fn stands(case: &Value) -> (String, u64, String) {
    (at(case, "/step").to_owned(), case["attempt"].as_u64().unwrap_or(0), at(case, "/next_at").to_owned())
}

fn so(step: &str, attempt: u64, next: &str) -> (String, u64, String) {
    (step.to_owned(), attempt, next.to_owned())
}

/// Ines has the plan since 2 March; its renewal is due on 2 April, 09:00, and the run of 09:00 finds it.
async fn renewed(token: &str) -> (Subscriptions, String) {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", token).await;
    market.shop.wait_until("2026-04-02T09:01:00Z").await;
    (market, id)
}

#[tokio::test]
async fn a_soft_decline_is_tried_again_on_days_1_3_and_7_and_recovered() {
    let (market, id) = renewed("tok_away_fails_2_insufficient_funds").await;
    let open = cases(&market, "").await;
    assert_eq!(open.len(), 1);
    assert_eq!(stands(&open[0]), so("retry_scheduled", 1, "2026-04-03T09:00:00Z"));
    assert_eq!(open[0]["attempts"], json!(3));
    market.shop.wait_until("2026-04-03T09:01:00Z").await;
    assert_eq!(stands(&cases(&market, "").await[0]), so("retry_scheduled", 2, "2026-04-05T09:00:00Z"));
    market.shop.wait_until("2026-04-05T09:01:00Z").await;
    assert_eq!(cases(&market, "").await, [] as [Value; 0]);
    let ended = cases(&market, "?ended_in=2026-04").await;
    assert_eq!((ended.len(), at(&ended[0], "/step")), (1, "recovered"));
    let paid = ("paid", "10.00".to_owned());
    assert_eq!(market.bills(&id).await, [paid.clone(), paid]);
    let figures = market.shop.get("/v1/dunning/figures?month=2026-04").await;
    assert_eq!(eur_at(&figures, "/currencies/0/recovered_amount"), "10.00");
    market.books_are_right().await;
}

#[tokio::test]
async fn a_hard_decline_is_not_tried_again_and_a_new_card_recovers_it_at_once() {
    let (market, id) = renewed("tok_away_declined_stolen_card").await;
    assert_eq!(stands(&cases(&market, "").await[0]), so("new_method_needed", 0, "2026-04-12T09:00:00Z"));
    market.shop.wait_days(3).await;
    let refused = market.try_act(&id, "change", json!({"plan": market.plan("twenty")})).await;
    assert_problem(&refused, 409, "invoice_open");
    let set = market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    assert_eq!(at(&set, "/document/status"), "paid");
    assert_eq!(cases(&market, "").await, [] as [Value; 0]);
    assert_eq!(market.bills(&id).await.len(), 2);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_letter_that_is_late_says_nothing_of_a_payment_that_has_come_meanwhile() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_away_declined_stolen_card").await;
    let cloud = &market.shop.market.cloud;
    let subjects = || {
        let mails = cloud.mails().unwrap();
        mails.iter().map(|mail| mail.header("Subject")).collect::<Vec<_>>()
    };
    // The carrier takes nothing when the renewal fails.
    cloud.trouble_mail([Fate::Throttled]);
    let missing = moment("2026-04-02T09:01:00Z").duration_since(market.shop.market.clock.now());
    cloud.advance(missing).await.unwrap();
    assert_eq!(subjects(), [] as [&str; 0]);
    let set = market.try_act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    assert_eq!((set.status.as_u16(), set.text("/document/status")), (200, "paid"));
    cloud.advance(jiff::SignedDuration::from_hours(1)).await.unwrap();
    assert_eq!(subjects(), ["Your payment has arrived"]);
    let list = market.shop.get("/v1/messages?from=2026-04-01").await;
    let late = list["items"].as_array().unwrap().iter().find(|one| at(one, "/status") != "sent").unwrap();
    assert_eq!((at(late, "/status"), at(late, "/not_sent_because")), ("not_sent", "over"));
    market.shop.settle().await;
}

#[tokio::test]
async fn the_last_warning_names_the_day_on_which_the_subscription_ends() {
    let (market, _) = renewed("tok_away_declined_insufficient_funds").await;
    market.shop.wait_until("2026-04-09T09:01:00Z").await;
    assert_eq!(stands(&cases(&market, "").await[0]), so("last_warning", 0, "2026-04-12T09:00:00Z"));
    let mails = market.shop.market.cloud.mails().unwrap();
    assert_eq!(mails.len(), 4, "a letter for the renewal, and for each of three tries");
    let warning = mails[3].text();
    assert!(warning.contains("It ends on 23 April 2026."), "{warning}");
}

#[tokio::test]
async fn what_is_never_paid_is_restricted_on_day_10_and_ends_on_day_21_written_off() {
    let (market, id) = renewed("tok_away_declined_stolen_card").await;
    let entitled = async || {
        let list = market.ines.get("/v1/entitlements").await;
        list.body["items"][0]["active"].as_bool().unwrap()
    };
    market.shop.wait_until("2026-04-12T08:00:00Z").await;
    assert!(entitled().await, "for ten days");
    market.shop.wait_until("2026-04-12T09:01:00Z").await;
    assert!(!entitled().await);
    assert_eq!(stands(&cases(&market, "").await[0]), so("restricted", 0, "2026-04-23T09:00:00Z"));
    market.shop.wait_until("2026-04-23T09:01:00Z").await;
    let shown = market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "unpaid"));
    assert_eq!(market.bills(&id).await[1], ("uncollectible", "10.00".to_owned()));
    assert_eq!(market.shop.accounts().await["bad_debts"], "10.00");
    market.shop.wait_days(40).await;
    assert_eq!(market.bills(&id).await.len(), 2, "what has ended is not charged");
    market.books_are_right().await;
}

/// Ines has paid ten for March; half of it is used when a change to twenty is declined.
async fn changed_unpaid() -> (Subscriptions, String) {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.act(&id, "set-payment-method", json!({"payment": card("tok_declined_stolen_card")})).await;
    market.shop.wait_minutes(31 * 12 * 60).await;
    let changed = market.act(&id, "change", json!({"plan": market.plan("twenty")})).await;
    assert_eq!((at(&changed, "/document/status"), at(&changed, "/document/due/amount")), ("open", "5.00"));
    (market, id)
}

#[tokio::test]
async fn who_cancels_after_a_change_that_was_declined_has_what_was_paid_before_and_not_used() {
    let (market, id) = changed_unpaid().await;
    market.shop.wait_days(3).await;
    let now = json!({"at": "now"});
    let asked = market.try_act(&id, "check", json!({"cancel": now})).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let canceled = market.act(&id, "cancel", now).await;
    // Three of 31 days of the 20.00: 1.94 were used, 8.06 not.
    for answer in [&asked.body, &canceled] {
        let lines = Subscriptions::lines(&answer["document"]);
        assert_eq!(lines, [billed("credit", "-5.00"), billed("charge", "10.00"), billed("credit", "-8.06")]);
        assert_eq!((at(answer, "/status"), eur_at(answer, "/credit")), ("ended", "3.06".to_owned()));
    }
    let bills = [("paid", "10.00"), ("void", "5.00"), ("issued", "-3.06")];
    assert_eq!(market.bills(&id).await, bills.map(|(status, total)| (status, total.to_owned())));
    let ended = cases(&market, "?ended_in=2026-03").await;
    assert_eq!((ended.len(), at(&ended[0], "/step")), (1, "exhausted"));
    let accounts = market.shop.accounts().await;
    assert_eq!((&*accounts["subscription_credit"], accounts.get("bad_debts")), ("-3.06", None));
    market.books_are_right().await;
}

#[tokio::test]
async fn a_change_that_is_never_paid_is_written_off_once_more_is_used_than_was_paid() {
    let (market, id) = changed_unpaid().await;
    market.shop.wait_days(22).await;
    assert_eq!(at(&market.show(&id).await, "/end"), "unpaid");
    let bills = [("paid", "10.00"), ("uncollectible", "5.00")];
    assert_eq!(market.bills(&id).await, bills.map(|(status, total)| (status, total.to_owned())));
    assert_eq!(market.shop.accounts().await["bad_debts"], "5.00");
    market.books_are_right().await;
}

#[tokio::test]
async fn a_fault_of_the_gateway_is_tried_again_within_minutes_and_spends_no_try() {
    let (market, id) = renewed("tok_away_fails_1_processing_error").await;
    let open = cases(&market, "").await;
    assert_eq!(stands(&open[0]), so("retry_scheduled", 1, "2026-04-02T09:05:00Z"));
    market.shop.wait_minutes(10).await;
    assert_eq!(cases(&market, "").await, [] as [Value; 0]);
    assert_eq!(market.bills(&id).await[1].0, "paid");
}

#[tokio::test]
async fn a_renewal_that_was_due_meanwhile_is_made_up_for_once_the_first_is_paid() {
    let market = Subscriptions::open().await;
    let mut weekly = terms("10.00");
    weekly["interval"] = json!({"every": "week"});
    publish(&market.shop, "weekly", weekly).await;
    let id = market.subscribe("weekly", "tok_away_declined_stolen_card").await;
    // Due on 9 March, declined; on 16 March the next one would be.
    market.shop.wait_until("2026-03-17T09:00:00Z").await;
    assert_eq!(market.bills(&id).await.len(), 2, "nobody owes for two periods");
    market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    market.shop.wait_minutes(10).await;
    let paid = ("paid", "10.00".to_owned());
    assert_eq!(market.bills(&id).await, [paid.clone(), paid.clone(), paid]);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_first_payment_that_is_declined_leaves_nothing_behind() {
    let market = Subscriptions::open().await;
    let body = market.body("ten", "tok_declined_insufficient_funds");
    let declined = market.ines.post("/v1/subscriptions", &body, "").await;
    assert_problem(&declined, 402, "payment_declined");
    market.shop.settle().await;
    assert_eq!(market.shop.accounts().await.len(), 0);
    assert_eq!(cases(&market, "").await, [] as [Value; 0]);
    let id = market.subscribe("ten", "tok_approved").await;
    let twice = market.ines.post("/v1/subscriptions", &market.body("ten", "tok_approved"), "").await;
    assert_problem(&twice, 409, "already_subscribed");
    assert_eq!(market.bills(&id).await, [("paid", "10.00".to_owned())]);
    market.books_are_right().await;
}
