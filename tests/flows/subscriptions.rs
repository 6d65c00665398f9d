//! Subscriptions through the API: they begin, renew, change, pause and end; to the cent, and once.

use serde_json::json;
use tests::subscribing::*;
use tests::*;

#[tokio::test]
async fn a_subscription_begins_with_its_first_payment_and_renews_on_its_bill_day() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let shown = market.show(&id).await;
    assert_eq!(at(&shown, "/status"), "active");
    assert_eq!(at(&shown, "/period_end"), "2026-04-02T09:00:00Z");
    assert_eq!(market.bills(&id).await, [("paid", "10.00".to_owned())]);
    for _ in 0..3 {
        market.shop.wait_days(31).await;
    }
    let paid = ("paid", "10.00".to_owned());
    assert_eq!(market.bills(&id).await, [paid.clone(), paid.clone(), paid.clone(), paid]);
    assert_eq!(at(&market.show(&id).await, "/period_end"), "2026-07-02T09:00:00Z");
    let accounts = market.shop.accounts().await;
    assert_eq!(
        (accounts["subscriptions"].as_str(), accounts["gateway_clearing"].as_str()),
        ("-40.00", "40.00")
    );
    assert_eq!(accounts.len(), 2, "{accounts:?}");
    market.books_are_right().await;
}

#[tokio::test]
async fn a13_1_an_upgrade_credits_and_charges_and_a_downgrade_leaves_credit() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    // March: 15.5 of 31 days later half of the period is used.
    market.shop.wait_minutes(31 * 12 * 60).await;
    let twenty = json!({"plan": market.plan("twenty")});
    let asked = market.try_act(&id, "check", json!({"change": twenty})).await;
    assert_eq!(asked.status, 200, "{}", asked.body);
    let want = [billed("credit", "-5.00"), billed("charge", "10.00")];
    assert_eq!(Subscriptions::lines(&asked.body["document"]), want);
    let changed = market.act(&id, "change", twenty).await;
    assert_eq!(Subscriptions::lines(&changed["document"]), want);
    assert_eq!((at(&changed, "/payment/status"), at(&changed, "/document/status")), ("captured", "paid"));
    let down = market.act(&id, "change", json!({"plan": market.plan("ten")})).await;
    assert_eq!(
        Subscriptions::lines(&down["document"]),
        [billed("credit", "-10.00"), billed("charge", "5.00")]
    );
    assert_eq!((at(&down, "/document/kind"), at(&down, "/credit/amount")), ("credit_note", "5.00"));
    market.shop.wait_days(16).await;
    // The next invoice takes the credit.
    let last = market.documents(&id).await.pop().unwrap();
    assert_eq!((last.total().unwrap().minor, last.due().unwrap().minor), (10_00, 5_00));
    market.books_are_right().await;
}

/// Write units (in hundredths) of the table since the last look by function, on the renewal's own way.
fn metered(shop: &Shop) -> Vec<(String, u64, u64)> {
    let lines = shop.market.cloud.meter().take();
    let rest = lines.into_iter().filter(|line| !BESIDE.contains(&line.label.as_str()));
    rest.map(|line| (format!("{} {}", line.label, line.operation), line.calls, line.write_units)).collect()
}

#[tokio::test]
async fn a_renewal_of_a_service_takes_twenty_write_units_at_most() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.shop.wait_until("2026-04-02T08:59:00Z").await;
    let _before = metered(&market.shop);
    market.shop.wait_until("2026-04-02T09:04:00Z").await;
    assert_eq!(market.bills(&id).await.len(), 2);
    let spent = metered(&market.shop);
    let units: u64 = spent.iter().map(|(_, _, units)| units).sum();
    assert!(units <= 20_00, "{spent:?} hundredths of write units");
}

#[tokio::test]
async fn a_trial_is_charged_at_its_end_with_the_setup_fee_and_comes_once() {
    let market = Subscriptions::open().await;
    let mut trial = terms("19.00");
    trial["trial_days"] = json!(14);
    trial["setup_fee"] = eur("5.00");
    publish(&market.shop, "starter", trial).await;
    let id = market.subscribe("starter", "tok_approved").await;
    assert_eq!((at(&market.show(&id).await, "/status"), market.bills(&id).await.len()), ("trialing", 0));
    let upcoming = market.ines.get(&format!("/v1/subscriptions/{id}/upcoming")).await;
    assert_eq!(
        (upcoming.text("/next_at"), upcoming.text("/document/total/amount")),
        ("2026-03-16T09:00:00Z", "24.00")
    );
    market.shop.wait_until("2026-03-16T09:01:00Z").await;
    assert_eq!(market.bills(&id).await, [("paid", "24.00".to_owned())]);
    market.act(&id, "cancel", json!({"at": "now"})).await;
    let again = market.subscribe("starter", "tok_approved").await;
    assert_eq!(at(&market.show(&again).await, "/status"), "active", "the trial is had");
    market.books_are_right().await;
}

#[tokio::test]
async fn a_cancellation_waits_for_the_end_of_the_period_and_can_be_taken_back_until_then() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    for _ in 0..2 {
        market.act(&id, "cancel", json!({"at": "period_end"})).await;
    }
    assert_eq!(at(&market.show(&id).await, "/next/will"), "end");
    market.act(&id, "uncancel", json!({})).await;
    let none = market.try_act(&id, "uncancel", json!({})).await;
    assert_problem(&none, 409, "subscription_not_canceled");
    market.act(&id, "cancel", json!({"at": "period_end"})).await;
    market.shop.wait_until("2026-04-02T09:01:00Z").await;
    let shown = market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/ended_at")), ("ended", "2026-04-02T09:00:00Z"));
    let ended = market.try_act(&id, "resume", json!({})).await;
    assert_problem(&ended, 409, "subscription_ended");
    assert_eq!(market.bills(&id).await.len(), 1);
}

#[tokio::test]
async fn a_pause_credits_and_its_end_comes_by_itself() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.shop.wait_minutes(31 * 12 * 60).await;
    let until = json!({"until": "2026-05-02T09:00:00Z"});
    let paused = market.act(&id, "pause", until.clone()).await;
    assert_eq!((at(&paused, "/status"), at(&paused, "/credit/amount")), ("paused", "5.00"));
    market.act(&id, "pause", until).await;
    market.shop.wait_until("2026-05-02T09:01:00Z").await;
    assert_eq!(at(&market.show(&id).await, "/status"), "active");
    let last = market.documents(&id).await.pop().unwrap();
    assert_eq!((last.total().unwrap().minor, last.due().unwrap().minor), (10_00, 5_00));
    assert_eq!(at(&market.show(&id).await, "/period_end"), "2026-06-02T09:00:00Z", "the bill day stays");
    market.books_are_right().await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_and_changes_nothing() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let stranger = sign_up(&market.shop, "omar").await.0;
    let path = format!("/v1/subscriptions/{id}");
    assert_problem(&stranger.get(&path).await, 404, "not_found");
    assert_problem(
        &stranger.post(&format!("{path}/cancel"), &json!({"at": "now"}), "").await,
        404,
        "not_found",
    );
    let before = market.shop.contents().await.len();
    let ten = market.plan("ten");
    let body = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut body = market.body("twenty", "tok_approved");
        change(&mut body);
        body
    };
    let cases = [
        (body(&|body| body["plan"] = json!("pln_00000000000000000000000000")), 404, "not_found"),
        (body(&|body| body["quantity"] = json!(0)), 422, "plan_quantity"),
        (body(&|body| body["time_zone"] = json!("Mars/Olympus")), 422, "invalid_value"),
        (body(&|body| body["address"]["country"] = json!("XX")), 422, "invalid_value"),
        (body(&|body| body["payment"]["token"] = json!("4242424242424242")), 400, "malformed_request"),
        (body(&|body| body["payment"]["method"] = json!("voucher")), 422, "invalid_value"),
        (body(&|body| body["plan"] = json!(ten)), 409, "already_subscribed"),
    ];
    for (body, status, code) in cases {
        let answer = market.ines.post("/v1/subscriptions", &body, "").await;
        assert_eq!((answer.status.as_u16(), answer.text("/code")), (status, code), "{}", answer.body);
    }
    let changes = [
        ("change", json!({"quantity": 0}), 422, "plan_quantity"),
        (
            "change",
            json!({"plan": ten, "as_of": "2030-01-01T00:00:00Z", "quantity": 2}),
            422,
            "as_of_out_of_range",
        ),
        ("pause", json!({"until": "2020-01-01T00:00:00Z"}), 422, "pause_end"),
    ];
    for (verb, body, status, code) in changes {
        assert_problem(&market.try_act(&id, verb, body).await, status, code);
    }
    assert_eq!(market.shop.contents().await.len(), before, "nothing was written");
    assert_eq!(market.bills(&id).await.len(), 1);
}

#[tokio::test]
async fn running_subscriptions_take_new_terms_when_they_are_migrated_and_not_before() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let (theo, _) = sign_up(&market.shop, "theo").await;
    let second = theo.post("/v1/subscriptions", &market.body("ten", "tok_approved"), "").await;
    let second = second.text("/id").to_owned();
    market.shop.settle().await;
    publish(&market.shop, "ten", terms("12.00")).await;
    market.shop.wait_until("2026-04-03T00:00:00Z").await;
    assert_eq!(
        market.bills(&id).await.pop(),
        Some(("paid", "10.00".to_owned())),
        "a new version touches nobody"
    );
    let leaving =
        theo.post(&format!("/v1/subscriptions/{second}/cancel"), &json!({"at": "period_end"}), "").await;
    assert_eq!(leaving.status, 200, "{}", leaving.body);
    market.shop.settle().await;
    let path = format!("/v1/plans/{}/migrate", market.plan("ten"));
    // A page holds one; what ends soon is not changed.
    let (mut migrated, mut refused, mut cursor) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let page = market.shop.done(&path, &json!({"limit": "1", "cursor": cursor})).await;
        migrated.extend(page["migrated"].as_array().unwrap().clone());
        refused.extend(page["refused"].as_array().unwrap().iter().map(|one| at(one, "/code").to_owned()));
        cursor = page["next"].as_str().map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!((migrated, refused), (vec![json!(id)], vec!["subscription_ends".to_owned()]));
    let again = market.shop.done(&path, &json!({})).await;
    assert_eq!((&again["migrated"], &again["untouched"]), (&json!([]), &json!(1)));
    market.shop.wait_until("2026-05-03T00:00:00Z").await;
    assert_eq!(market.bills(&id).await.pop(), Some(("paid", "12.00".to_owned())));
    market.shop.refused(&path, &json!({"limit": "0"}), 422, "invalid_value").await;
    market.shop.refused("/v1/plans/pln_x/migrate", &json!({}), 404, "not_found").await;
    market.books_are_right().await;
}

#[tokio::test]
async fn a_change_that_waits_outlives_a_migration_and_what_is_asked_for_besides() {
    let market = Subscriptions::open().await;
    let (id, path) = (market.subscribe("ten", "tok_approved").await, |plan: &str| {
        format!("/v1/plans/{}/migrate", market.plan(plan))
    });
    market.act(&id, "change", json!({"quantity": 2, "at": "period_end"})).await;
    publish(&market.shop, "ten", terms("12.00")).await;
    let page = market.shop.done(&path("ten"), &json!({})).await;
    assert_eq!(page["migrated"], json!([id]));
    market.shop.wait_until("2026-04-03T00:00:00Z").await;
    assert_eq!(market.bills(&id).await.pop(), Some(("paid", "24.00".to_owned())), "two, on the new terms");
    // Another plan waits: its customer has been told what that costs.
    market.act(&id, "change", json!({"plan": market.plan("twenty"), "at": "period_end"})).await;
    publish(&market.shop, "ten", terms("13.00")).await;
    let page = market.shop.done(&path("ten"), &json!({})).await;
    assert_eq!((&page["migrated"], at(&page, "/refused/0/code")), (&json!([]), "subscription_change_waits"));
    market.act(&id, "change", json!({"quantity": 1, "at": "period_end"})).await;
    market.shop.wait_until("2026-05-03T00:00:00Z").await;
    assert_eq!(market.bills(&id).await.pop(), Some(("paid", "20.00".to_owned())));
    market.books_are_right().await;
}
