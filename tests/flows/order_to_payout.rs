//! From an order of two merchants to money in their banks, to the cent.

use aws_sdk_s3::config::Builder;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::*;

/// Alma sells 3 mugs at 16.30 with 4.95 of delivery, and a plate at 0.10; Birch two novels at 9.99; the order
/// as a whole has 10.00 of delivery. Items 48.90 + 19.98 + 0.10 = 68.98, delivery 14.95, in all 83.93.
fn cart(alma: &str, birch: &str) -> Value {
    let mut mugs = line(alma, "mug", 3, "16.30");
    mugs["delivery"] = eur("4.95");
    let mut novels = line(birch, "novel", 2, "9.99");
    novels["category"] = json!("books");
    json!([mugs, novels, line(alma, "plate", 1, "0.10")])
}

/// Alma is paid daily; Birch on Mondays, 7.5 % of books and 0.25 per item.
async fn two_merchants(shop: &Shop) -> (String, String) {
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "week", "weekday": 1})).await;
    let conditions = json!({
        "schedule": {"every": "week", "weekday": 1},
        "commission": [
            {"fee": "commission", "category": "books", "percent": "7.5"},
            {"fee": "handling", "per_item": eur("0.25")},
        ],
    });
    shop.done(&format!("/v1/merchants/{birch}/set-conditions"), &conditions).await;
    (alma, birch)
}

async fn place(shop: &Shop, alma: &str, birch: &str) -> Value {
    let payments = json!([
        {"method": "card", "amount": eur("50.00"), "reference": "ch_1"},
        {"method": "voucher", "amount": eur("33.93")},
    ]);
    shop.place("A-1", cart(alma, birch), json!({"delivery": eur("10.00"), "payments": payments})).await
}

/// Alma's parcels arrive on Wednesday the 4th and Thursday the 5th, Birch's on the 5th.
async fn deliver(shop: &Shop, order: &str) {
    let (of_alma, of_birch) = (part(order, 1), part(order, 2));
    let first = shop.ship(&of_alma, "T-1", json!([{"line": 1, "quantity": 2}])).await;
    let second = shop.ship(&of_alma, "T-2", json!([])).await;
    shop.wait_until("2026-03-04T10:00:00Z").await;
    shop.deliver(&of_alma, &first).await;
    shop.wait_until("2026-03-05T10:00:00Z").await;
    shop.deliver(&of_alma, &second).await;
    shop.fulfill(&of_birch).await;
}

fn accounts(balances: &[(&str, &str)]) -> BTreeMap<String, String> {
    balances.iter().map(|(name, balance)| ((*name).to_owned(), (*balance).to_owned())).collect()
}

#[tokio::test]
async fn an_order_is_split_to_the_cent_and_fees_are_rounded_half_up_per_line() {
    let shop = Shop::open().await;
    let (alma, birch) = two_merchants(&shop).await;
    let placed = place(&shop, &alma, &birch).await;
    let order = at(&placed, "/id");
    assert_eq!(at(&placed, "/status"), "awaiting_payment");
    assert_eq!(placed["merchant_orders"], json!([]), "the split is an event away");
    let totals =
        |view: &Value| ["items", "delivery", "total", "paid"].map(|n| eur_at(view, &format!("/totals/{n}")));
    assert_eq!(totals(&placed), ["68.98", "14.95", "83.93", "83.93"]);
    assert_eq!(placed.get("exception"), None);
    // 15 % of 48.90 is 7.335, 7.5 % of 19.98 is 1.4985, 15 % of 0.10 is 0.015.
    let fee = |line: usize, fee: usize| {
        let pointer = format!("/lines/{line}/fees/{fee}");
        (at(&placed, &format!("{pointer}/fee")).to_owned(), eur_at(&placed, &format!("{pointer}/amount")))
    };
    let fees = [fee(0, 0), fee(1, 0), fee(1, 1), fee(2, 0)];
    let expected =
        [("commission", "7.34"), ("commission", "1.50"), ("handling", "0.50"), ("commission", "0.02")];
    assert_eq!(fees, expected.map(|(fee, amount)| (fee.to_owned(), amount.to_owned())));

    shop.settle().await;
    let split = shop.order(order).await;
    let parts = json!([
        {"id": part(order, 1), "merchant": alma, "status": "awaiting_payment"},
        {"id": part(order, 2), "merchant": birch, "status": "awaiting_payment"},
    ]);
    assert_eq!(split["merchant_orders"], parts);
    // Of the order's 10.00 Alma's 49.00 of 68.98 carry 7.1035…, Birch's 19.98 carry 2.8965…: the
    // larger remainder takes the cent.
    let of =
        |view: &Value| ["items", "delivery", "fees", "net"].map(|n| eur_at(view, &format!("/totals/{n}")));
    let (of_alma, of_birch) =
        (shop.merchant_order(&part(order, 1)).await, shop.merchant_order(&part(order, 2)).await);
    assert_eq!(of(&of_alma), ["49.00", "12.05", "7.36", "53.69"]);
    assert_eq!(of(&of_birch), ["19.98", "2.90", "2.00", "20.88"]);
    assert_eq!(
        (eur_at(&of_alma, "/delivery"), eur_at(&of_birch, "/delivery")),
        ("7.10".into(), "2.90".into())
    );
    // A10(1): 49.00 + 12.05 + 19.98 + 2.90 = 83.93, what the customer pays.
    assert_eq!(shop.accounts().await, accounts(&[("receivable", "83.93"), ("unearned", "-83.93")]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_merchant_order_ships_once_it_is_paid_and_earns_once_it_has_arrived() {
    let shop = Shop::open().await;
    let (alma, birch) = two_merchants(&shop).await;
    let order = at(&place(&shop, &alma, &birch).await, "/id").to_owned();
    shop.settle().await;
    let ship = format!("/v1/merchant-orders/{}/ship", part(&order, 1));
    let parcel = json!({"carrier": "dhl", "tracking_number": "T-1"});
    shop.refused(&ship, &parcel, 409, "merchant_order_unpaid").await;

    shop.pay(&order).await;
    let paid = shop.order(&order).await;
    assert_eq!((at(&paid, "/status"), at(&paid, "/paid_at")), ("paid", START));
    assert_eq!(at(&paid, "/merchant_orders/0/status"), "open");
    assert_eq!(shop.accounts().await, accounts(&[("cash", "83.93"), ("unearned", "-83.93")]));

    deliver(&shop, &order).await;
    let delivered = shop.order(&order).await;
    assert_eq!(at(&delivered, "/merchant_orders/0/status"), "delivered");
    assert_eq!(at(&delivered, "/merchant_orders/1/status"), "delivered");
    let earned = accounts(&[("cash", "83.93"), ("payable", "-74.57"), ("commission", "-9.36")]);
    assert_eq!(shop.accounts().await, earned);
    let told = shop.told(&order).await;
    let expected = [
        "merchant_order.created.v1",
        "merchant_order.opened.v1",
        "merchant_order.shipped.v1",
        "merchant_order.shipped.v1",
        "shipment.delivered.v1",
        "shipment.delivered.v1",
        "merchant_order.delivered.v1",
        "merchant_order.created.v1",
        "merchant_order.opened.v1",
        "merchant_order.shipped.v1",
        "shipment.delivered.v1",
        "merchant_order.delivered.v1",
        "order.placed.v1",
        "order.paid.v1",
    ];
    assert_eq!(told, expected);
    shop.books_are_right().await;
}

#[tokio::test]
async fn earnings_are_paid_out_after_the_hold_on_the_days_of_each_merchants_schedule() {
    let shop = Shop::open().await;
    let (alma, birch) = two_merchants(&shop).await;
    let order = at(&place(&shop, &alma, &birch).await, "/id").to_owned();
    shop.settle().await;
    shop.pay(&order).await;
    deliver(&shop, &order).await;
    // Another small order of Alma's, delivered the same day: 5.00 − 0.75.
    let other = shop.delivered_order("A-2", json!([line(&alma, "cup", 1, "5.00")])).await;

    // Delivered on the 5th, held three days: payable on the 8th, claimed an hour after that day has ended.
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "57.94".into()));
    shop.wait_until("2026-03-09T00:59:00Z").await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "57.94".into()));
    assert_eq!(shop.payouts(&alma).await, Vec::<Value>::new());
    shop.wait_until("2026-03-09T01:00:00Z").await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "0.00".into()));
    // The 9th is a Monday, so Birch is paid too.
    let (to_alma, to_birch) = (shop.payouts(&alma).await, shop.payouts(&birch).await);
    assert_eq!((to_alma.len(), to_birch.len()), (1, 1));
    let (to_alma, to_birch) = (at(&to_alma[0], "/id"), at(&to_birch[0], "/id"));
    assert_eq!(to_alma, format!("pyo_{}20260308", alma.trim_start_matches("mer_")));

    let payout = shop.get(&format!("/v1/payouts/{to_alma}")).await;
    let sums = ["amount", "items", "delivery", "fees"].map(|name| eur_at(&payout, &format!("/{name}")));
    assert_eq!(sums, ["57.94", "54.00", "12.05", "8.11"]);
    assert_eq!((payout["orders"].as_u64(), payout["entries"].as_u64()), (Some(2), Some(2)));
    assert_eq!((at(&payout, "/status"), at(&payout, "/through")), ("sent", "2026-03-08"));
    assert_eq!((at(&payout, "/iban"), payout.get("from")), (iban("alma").masked().as_str(), None));
    let payout = shop.get(&format!("/v1/payouts/{to_birch}")).await;
    assert_eq!(eur_at(&payout, "/amount"), "20.88");

    // The statement, page by page: Σ lines = the payout to the cent (A12(1)).
    let mut lines = BTreeMap::new();
    let mut path = format!("/v1/payouts/{to_alma}/lines?limit=1");
    let mut pages = 0;
    loop {
        let page = shop.get(&path).await;
        for line in page["items"].as_array().unwrap() {
            assert_eq!((at(line, "/kind"), at(line, "/payable_day")), ("earning", "2026-03-08"));
            lines.insert(at(line, "/cause").to_owned(), eur_at(line, "/amount"));
        }
        pages += 1;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/payouts/{to_alma}/lines?limit=1&cursor={next}");
    }
    let expected = [(part(&order, 1), "53.69".to_owned()), (part(&other, 1), "4.25".to_owned())];
    assert_eq!((pages, lines), (2, expected.into()));

    let on_the_way =
        accounts(&[("cash", "88.93"), ("commission", "-10.11"), ("payouts_in_transit", "-78.82")]);
    assert_eq!(shop.accounts().await, on_the_way);
    for payout in [to_alma, to_birch] {
        shop.done(&format!("/v1/payouts/{payout}/confirm"), &json!({})).await;
    }
    shop.settle().await;
    assert_eq!(shop.accounts().await, accounts(&[("cash", "10.11"), ("commission", "-10.11")]));
    let told = shop.told(&alma).await;
    assert_eq!(told[told.len() - 3..], ["payout.created.v1", "payout.sent.v1", "payout.paid.v1"]);
    shop.books_are_right().await;
}

#[tokio::test]
async fn the_bank_gets_a_credit_transfer_file_for_each_payout() {
    let shop = Shop::open().await;
    let alma = shop.merchant("Alma & Söhne", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "100.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();

    let config = Builder::from(&shop.market.cloud.sdk_config("bank")).force_path_style(true).build();
    let bank = aws_sdk_s3::Client::from_conf(config);
    let bucket = shop.market.cloud.environment("payout").unwrap()["DOCUMENTS"].clone();
    let key = format!("{}/payouts/2026-03-05/{payout}.xml", marketplace_id());
    let file = bank.get_object().bucket(&bucket).key(&key).send().await.unwrap();
    assert_eq!(file.content_type(), Some("application/xml"));
    let file = String::from_utf8(file.body.collect().await.unwrap().to_vec()).unwrap();
    let id = payout.trim_start_matches("pyo_");
    for element in [
        format!("<MsgId>{id}</MsgId>"),
        "<CreDtTm>2026-03-06T01:00:00Z</CreDtTm>".to_owned(),
        "<CtrlSum>85.00</CtrlSum>".to_owned(),
        format!("<EndToEndId>{id}</EndToEndId>"),
        r#"<InstdAmt Ccy="EUR">85.00</InstdAmt>"#.to_owned(),
        "<Nm>Alma &amp; Söhne</Nm>".to_owned(),
        format!("<IBAN>{}</IBAN>", iban("Alma & Söhne").as_str()),
        "<Ustrd>Payout through 2026-03-05</Ustrd>".to_owned(),
    ] {
        assert!(file.contains(&element), "{element} is not in\n{file}");
    }
    let files = bank.list_objects_v2().bucket(&bucket).send().await.unwrap();
    assert_eq!(files.key_count(), Some(1));
}

#[tokio::test]
async fn a12_2_a_new_commission_changes_no_order_that_is_placed() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let old = shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let conditions = json!({
        "schedule": {"every": "day"},
        "commission": [{"fee": "commission", "percent": "50"}],
    });
    shop.done(&format!("/v1/merchants/{alma}/set-conditions"), &conditions).await;
    let new = shop.paid_order("A-2", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.fulfill(&part(&old, 1)).await;
    assert_eq!(shop.balance(&alma).await.1, "8.50");
    shop.fulfill(&part(&new, 1)).await;
    assert_eq!(shop.balance(&alma).await.1, "13.50");
    shop.books_are_right().await;
}

/// The message that a merchant's run is due.
fn payout_due(merchant: &str, cause: &str, at: &str) -> Value {
    json!({
        "id": cause,
        "name": "payout.due.v1",
        "marketplace": marketplace_id(),
        "at": at,
        "subject": cause,
        "step": 0,
        "actor": "system:payout",
        "cause": cause,
        "correlation": cause,
        "data": {"merchant": merchant},
    })
}

#[tokio::test]
async fn a_payout_run_that_a_slow_clock_hears_too_early_comes_again() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    let before = shop.contents().await;
    let due = payout_due(&alma, "due:early", "2026-03-06T01:00:00Z");
    let answer = shop.market.cloud.invoke("payout", batch(&[due.to_string()])).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().map(Vec::len), Some(1), "taken, and nothing was paid");
    assert!(shop.contents().await == before, "it has changed something");
    shop.wait_days(5).await;
    assert_eq!(eur_at(&shop.payouts(&alma).await[0], "/amount"), "8.50");
    let answer = shop.market.cloud.invoke("payout", batch(&[due.to_string()])).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a12_3_a_payout_that_is_due_again_finds_its_own_claim() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_days(5).await;
    let paid = shop.payouts(&alma).await;
    assert_eq!((paid.len(), eur_at(&paid[0], "/amount").as_str()), (1, "8.50"));
    let before = shop.contents().await;
    let created =
        shop.events(&alma).await.into_iter().find(|event| event.name == "payout.created.v1").unwrap();
    let due = payout_due(&alma, &created.cause, &created.at.to_string());
    for _ in 0..3 {
        let answer = shop.market.cloud.invoke("payout", batch(&[due.to_string()])).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]));
    }
    assert!(shop.contents().await == before, "a repeat changes nothing");
    shop.books_are_right().await;
}
