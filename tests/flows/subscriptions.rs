//! Subscriptions through the API: they begin, renew, change, pause and end; to the cent, and once.

use serde_json::json;
use tests::subscribing::*;
use tests::*;

fn line(what: &str, total: &str) -> (String, String) {
    (what.to_owned(), total.to_owned())
}

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
    let want = [line("credit", "-5.00"), line("charge", "10.00")];
    assert_eq!(Subscriptions::lines(&asked.body["document"]), want);
    let changed = market.act(&id, "change", twenty).await;
    assert_eq!(Subscriptions::lines(&changed["document"]), want);
    assert_eq!((at(&changed, "/payment/status"), at(&changed, "/document/status")), ("captured", "paid"));
    let down = market.act(&id, "change", json!({"plan": market.plan("ten")})).await;
    assert_eq!(Subscriptions::lines(&down["document"]), [line("credit", "-10.00"), line("charge", "5.00")]);
    assert_eq!((at(&down, "/document/kind"), at(&down, "/credit/amount")), ("credit_note", "5.00"));
    market.shop.wait_days(16).await;
    // The next invoice takes the credit.
    let last = market.documents(&id).await.pop().unwrap();
    assert_eq!((last.total().unwrap().minor, last.due().unwrap().minor), (10_00, 5_00));
    market.books_are_right().await;
}

/// Write units (in hundredths) of the table since the last look by function, the ledger's projection left out.
fn metered(shop: &Shop) -> Vec<(String, u64, u64)> {
    let lines = shop.market.cloud.meter().take();
    let rest = lines.into_iter().filter(|line| line.label != "ledger");
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
