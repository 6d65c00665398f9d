//! Money through gateways: captured as parts ship, released, paid back; unknown, late, twice, forged.

use domain::gateway::{Method, Outcome};
use domain::id::OrderId;
use domain::payment::{Call, begin_authorize};
use edge::Clock;
use gateway::Notice;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::market::SANDBOX_SECRET;
use tests::paying::{Tender, attempt_id, card, payment_id};
use tests::storefront::Storefront;
use tests::{Shop, assert_problem, at, eur, eur_at, marketplace_id, part};

/// 2 × 10.00 of Alma and 1 × 30.00 of Birch.
async fn open() -> (Shop, String, String) {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    (shop, alma, birch)
}

async fn bought(shop: &Shop, (alma, birch): (&str, &str), token: &'static str) -> String {
    shop.bought("c1", &[(alma, 2, 10_00), (birch, 1, 30_00)], &[card(token, 50_00)]).await
}

/// Status, captured, left.
fn stands(payment: &Value) -> (String, String, String) {
    (at(payment, "/status").to_owned(), eur_at(payment, "/captured"), eur_at(payment, "/left"))
}

fn so(status: &str, captured: &str, left: &str) -> (String, String, String) {
    (status.to_owned(), captured.to_owned(), left.to_owned())
}

async fn minutes(shop: &Shop, minutes: i64) {
    shop.market.cloud.advance(SignedDuration::from_mins(minutes)).await.unwrap();
}

fn approved(order: &str, attempt: u16) -> Notice {
    let attempt = attempt_id(order, 1, attempt);
    let outcome = Outcome::Approved { reference: attempt.as_str().parse().unwrap(), expires_at: None };
    Notice { marketplace: marketplace_id(), attempt, outcome }
}

#[tokio::test]
async fn a9_6_each_part_is_captured_once_when_it_has_left() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "0.00", "50.00"));
    shop.ship(&part(&order, 1), "a1", json!([{"line": 1, "quantity": 1}])).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "0.00", "50.00"));
    shop.ship(&part(&order, 1), "a2", json!([])).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "20.00", "30.00"));
    let accounts = shop.accounts().await;
    assert_eq!((accounts["receivable"].as_str(), accounts["gateway_clearing"].as_str()), ("30.00", "20.00"));
    shop.fulfill(&part(&order, 2)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("captured", "50.00", "0.00"));
    let accounts = shop.accounts().await;
    assert!(!accounts.contains_key("receivable"), "{accounts:?}");
    assert_eq!(accounts["gateway_clearing"], "50.00");
    let told = shop.told(&order).await;
    assert_eq!(told.iter().filter(|name| *name == "payment.captured.v1").count(), 2);
    shop.books_are_right().await;
}

#[tokio::test]
async fn what_never_ships_is_released_and_nothing_is_captured_twice() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    shop.ship(&part(&order, 1), "a1", json!([])).await;
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed my mind"})).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(stands(&payment), so("captured", "20.00", "0.00"));
    assert_eq!(at(&payment, "/attempts/2/call"), "void");
    assert_eq!(payment["refunds"], json!([]));
    let accounts = shop.accounts().await;
    assert!(!accounts.contains_key("receivable"), "{accounts:?}");
    // Where nothing ships, the whole authorization goes, without anybody's doing.
    let whole = shop.bought("c2", &[(&alma, 1, 5_00)], &[card("tok_approved", 5_00)]).await;
    shop.done(&format!("/v1/orders/{whole}/cancel"), &json!({"reason": "changed my mind"})).await;
    shop.settle().await;
    minutes(&shop, 5).await;
    assert_eq!(stands(&shop.payment(&whole, 1).await), so("released", "0.00", "0.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn split_tenders_get_back_their_share_of_a_lost_parcel_and_of_a_refund() {
    let (shop, alma, birch) = open().await;
    let voucher = Tender { method: Method::Voucher, ..card("tok_voucher_1500", 15_00) };
    let tenders = [voucher, card("tok_approved", 35_00)];
    let order = shop.bought("c1", &[(&alma, 2, 10_00), (&birch, 1, 30_00)], &tenders).await;
    // Alma's 20.00: 15.00 by voucher, 5.00 by card; one of two mugs comes back: 7.50 and 2.50.
    shop.fulfill(&part(&order, 1)).await;
    let back =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
    shop.settle().await;
    let refunds = |payment: &Value| -> Vec<(String, String)> {
        let all = payment["refunds"].as_array().unwrap().iter();
        all.map(|one| (eur_at(one, "/amount"), at(one, "/status").to_owned())).collect()
    };
    let executed = |amount: &str| vec![(amount.to_owned(), "executed".to_owned())];
    assert_eq!(refunds(&shop.payment(&order, 1).await), executed("7.50"));
    assert_eq!(refunds(&shop.payment(&order, 2).await), executed("2.50"));
    // Birch's parcel is lost: 30.00 by card alone.
    let shipment = shop.ship(&part(&order, 2), "b1", json!([])).await;
    let track = format!("/v1/merchant-orders/{}/shipments/{shipment}/track", part(&order, 2));
    shop.done(&track, &json!({"status": "lost"})).await;
    shop.settle().await;
    assert_eq!(refunds(&shop.payment(&order, 2).await).last(), executed("30.00").first());
    let accounts = shop.accounts().await;
    for empty in ["receivable", "refunds_payable"] {
        assert!(!accounts.contains_key(empty), "{accounts:?}");
    }
    // 5.00 − 2.50 of the card stay; of the voucher 7.50 are used up.
    assert_eq!((accounts["gateway_clearing"].as_str(), accounts["vouchers"].as_str()), ("2.50", "7.50"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a9_1_an_unknown_outcome_bars_a_second_charge_until_the_gateway_has_said() {
    let (shop, alma, _) = open().await;
    let order = shop.cart_order("c1", &[(&alma, 1, 10_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_timeout_approved", 10_00)]).await;
    assert!(!shop.finish_checkout(order).await, "nobody knows yet");
    let payment = shop.payment(&id, 1).await;
    assert_eq!(at(&payment, "/status"), "unknown");
    assert_eq!(at(&payment, "/next_question_at"), "2026-03-02T09:05:00Z");
    let stored = shop.stored_payment(&id, 1).await;
    let again = begin_authorize(&stored, Some("tok_approved".parse().unwrap()), shop.market.clock.now());
    assert_eq!(again, Err(domain::payment::Refused::Unknown(1)));
    minutes(&shop, 4).await;
    assert_eq!(at(&shop.payment(&id, 1).await, "/status"), "unknown");
    minutes(&shop, 1).await;
    assert_eq!(stands(&shop.payment(&id, 1).await), so("authorized", "0.00", "10.00"));
    assert_eq!(shop.told(&id).await, ["payment.authorized.v1"]);
    assert_eq!(shop.stored_payment(&id, 1).await.attempts.len(), 1, "it was called once");
}

#[tokio::test]
async fn a_gateway_that_never_says_is_asked_seven_times_and_then_a_person_gives_up() {
    let (shop, alma, _) = open().await;
    let order = shop.cart_order("c1", &[(&alma, 1, 10_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_unknown", 10_00)]).await;
    shop.finish_checkout(order).await;
    let give_up =
        (format!("/v1/payments/{}/give-up", payment_id(&id, 1)), json!({"attempt": 1, "reason": "silence"}));
    assert_problem(&shop.post(&give_up.0, &give_up.1).await, 409, "payment_still_asked");
    shop.wait_days(6).await;
    let payment = shop.payment(&id, 1).await;
    assert_eq!(payment["alerts"], json!(["unresolved"]));
    let listed = shop.get("/v1/payments").await;
    assert_eq!(at(&listed, "/items/0/id"), payment_id(&id, 1));
    let payment = shop.done(&give_up.0, &give_up.1).await;
    assert_eq!((at(&payment, "/status"), &payment["alerts"]), ("declined", &json!([])));
    shop.settle().await;
    assert_eq!(shop.told(&id).await, ["payment.alert_raised.v1", "payment.declined.v1"]);
    assert_eq!(shop.get("/v1/payments").await["items"], json!([]));
}

#[tokio::test]
async fn a9_3_no_more_goes_back_than_was_captured() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    let path = format!("/v1/payments/{}/refund", payment_id(&order, 1));
    let refund =
        |amount: &str, cause: &str| json!({"amount": eur(amount), "reason": "goodwill", "cause": cause});
    shop.refused(&path, &refund("1.00", "c-1"), 409, "refund_exceeds_captured").await;
    shop.ship(&part(&order, 1), "a1", json!([])).await;
    shop.refused(&path, &refund("20.01", "c-1"), 409, "refund_exceeds_captured").await;
    shop.done(&path, &refund("12.00", "c-1")).await;
    shop.done(&path, &refund("12.00", "c-1")).await;
    shop.refused(&path, &refund("13.00", "c-1"), 409, "refund_differs").await;
    shop.refused(&path, &refund("8.01", "c-2"), 409, "refund_exceeds_captured").await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (payment["refunds"].as_array().unwrap().len(), at(&payment, "/refunds/0/status")),
        (1, "executed")
    );
    assert_eq!(eur_at(&payment, "/refundable"), "8.00");
    // The system's own causes are its own.
    assert_problem(&shop.post(&path, &refund("1.00", "mor:0")).await, 422, "invalid_value");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a9_4_webhook_and_response_in_any_order_come_to_one_result() {
    let (shop, alma, birch) = open().await;
    // Before the response: the attempt is committed and the gateway's notice is faster than its answer.
    let order = shop.cart_order("c1", &[(&alma, 2, 10_00), (&birch, 1, 30_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_approved", 50_00)]).await;
    let now = Clock::System.now();
    for _ in 0..3 {
        let answer = shop.notify(&approved(&id, 1), SANDBOX_SECRET, now).await;
        assert_eq!((answer.status.as_u16(), &answer.body["noticed"]), (200, &json!(1)));
    }
    assert!(shop.finish_checkout(order).await);
    // Late: a decline after success changes nothing but the mark for a person.
    shop.ship(&part(&id, 1), "a1", json!([])).await;
    let declined =
        Outcome::Declined { decline: domain::gateway::Decline::of("do_not_honor".parse().unwrap()) };
    let late = Notice { outcome: declined, ..approved(&id, 2) };
    assert_eq!(shop.notify(&late, SANDBOX_SECRET, now).await.status, 200);
    assert_eq!(shop.notify(&approved(&id, 2), SANDBOX_SECRET, now).await.status, 200);
    shop.settle().await;
    let payment = shop.payment(&id, 1).await;
    assert_eq!(stands(&payment), so("authorized", "20.00", "30.00"));
    assert_eq!(
        (&payment["attempts"][1]["contradicted"], payment["attempts"].as_array().unwrap().len()),
        (&json!(true), 2)
    );
    let told = shop.told(&id).await;
    let count = |name: &str| told.iter().filter(|told| *told == name).count();
    assert_eq!((count("payment.authorized.v1"), count("payment.captured.v1")), (1, 1));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a9_4_two_notices_at_once_are_one() {
    let (shop, alma, _) = open().await;
    let order = shop.cart_order("c1", &[(&alma, 1, 10_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_action", 10_00)]).await;
    let (now, notice) = (Clock::System.now(), approved(&id, 1));
    let [one, two] = [(); 2].map(|()| shop.notify(&notice, SANDBOX_SECRET, now));
    let (one, two) = futures::future::join(one, two).await;
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (200, 200));
    shop.settle().await;
    assert_eq!(shop.told(&id).await, ["payment.authorized.v1"]);
}

#[tokio::test]
async fn a9_5_money_without_its_order_is_told_again_and_alerted_and_never_goes_back_by_itself() {
    let (shop, alma, _) = open().await;
    let order = shop.cart_order("c1", &[(&alma, 1, 10_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_action", 10_00)]).await;
    assert!(!shop.finish_checkout(order).await, "the customer has to confirm");
    // The bank takes the money; the checkout never comes back for it.
    let arrived = json!({"payment": payment_id(&id, 1), "said": "arrive"});
    let payment = shop.done("/v1/gateways/sandbox/tell", &arrived).await;
    assert_eq!(stands(&payment), so("captured", "10.00", "0.00"));
    shop.settle().await;
    minutes(&shop, 15).await;
    let payment = shop.payment(&id, 1).await;
    assert_eq!((&payment["alerts"], &payment["finalized"]), (&json!(["not_finalized"]), &json!(false)));
    let told = shop.told(&id).await;
    assert_eq!(
        told,
        [
            "payment.action_required.v1",
            "payment.captured.v1",
            "payment.alert_raised.v1",
            "payment.captured.v1",
        ]
    );
    shop.wait_days(30).await;
    let payment = shop.payment(&id, 1).await;
    assert_eq!((&payment["refunds"], eur_at(&payment, "/captured")), (&json!([]), "10.00".to_owned()));
    assert_eq!(shop.told(&id).await.len(), 4, "it is told once");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a9_5_money_that_fits_nothing_goes_back_when_a_person_approves() {
    let (shop, alma, _) = open().await;
    let transfer = Tender { method: Method::BankTransfer, ..card("", 10_00) };
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[transfer]).await;
    let tell =
        |amount: &str| json!({"payment": payment_id(&order, 1), "said": "arrive", "amount": eur(amount)});
    shop.done("/v1/gateways/sandbox/tell", &tell("25.00")).await;
    shop.settle().await;
    minutes(&shop, 5).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (eur_at(&payment, "/awaits_approval"), &payment["alerts"]),
        ("15.00".to_owned(), &json!(["stray"]))
    );
    assert_eq!(payment["refunds"], json!([]));
    let accounts = shop.accounts().await;
    assert_eq!((accounts["cash"].as_str(), accounts["refunds_payable"].as_str()), ("25.00", "-15.00"));
    let approve = format!("/v1/payments/{}/approve-refund", payment_id(&order, 1));
    let back = |amount: &str| json!({"amount": eur(amount), "reason": "paid too much", "cause": "stray-1"});
    shop.refused(&approve, &back("15.01"), 409, "refund_exceeds_captured").await;
    shop.done(&approve, &back("15.00")).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!((at(&payment, "/refunds/0/status"), &payment["alerts"]), ("executed", &json!([])));
    assert_eq!(shop.accounts().await["cash"], "10.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_transfer_that_arrives_opens_the_order() {
    let (shop, alma, _) = open().await;
    let transfer = Tender { method: Method::BankTransfer, ..card("", 10_00) };
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[transfer]).await;
    assert_eq!(at(&shop.order(&order).await, "/status"), "awaiting_payment");
    let tell =
        |amount: &str| json!({"payment": payment_id(&order, 1), "said": "arrive", "amount": eur(amount)});
    shop.done("/v1/gateways/sandbox/tell", &tell("4.00")).await;
    shop.settle().await;
    assert_eq!(at(&shop.order(&order).await, "/status"), "awaiting_payment", "6.00 are missing");
    shop.done("/v1/gateways/sandbox/tell", &tell("10.00")).await;
    shop.settle().await;
    assert_eq!(at(&shop.order(&order).await, "/status"), "paid");
    shop.fulfill(&part(&order, 1)).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (stands(&payment), payment["attempts"].as_array().unwrap().len()),
        (so("captured", "10.00", "0.00"), 1)
    );
    let accounts = shop.accounts().await;
    assert!(!accounts.contains_key("receivable"), "{accounts:?}");
    assert_eq!(accounts["cash"], "10.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_opens_with_the_card_that_is_renewed_after_its_transfer_has_come() {
    let (shop, alma, _) = open().await;
    let transfer = Tender { method: Method::BankTransfer, ..card("", 6_00) };
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[card("tok_approved", 4_00), transfer]).await;
    let tell = |number, said: &str| json!({"payment": payment_id(&order, number), "said": said});
    shop.done("/v1/gateways/sandbox/tell", &tell(1, "lapse")).await;
    shop.done("/v1/gateways/sandbox/tell", &tell(2, "arrive")).await;
    shop.settle().await;
    assert_eq!(at(&shop.order(&order).await, "/status"), "awaiting_payment", "4.00 are not secured");
    minutes(&shop, 5).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "0.00", "4.00"));
    assert_eq!(at(&shop.order(&order).await, "/status"), "paid");
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("captured", "4.00", "0.00"));
    assert_eq!(stands(&shop.payment(&order, 2).await), so("captured", "6.00", "0.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_refund_that_fails_is_seen_and_becomes_store_credit() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_refund_declined").await;
    shop.fulfill(&part(&order, 1)).await;
    let back =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (at(&payment, "/refunds/0/status"), &payment["alerts"]),
        ("failed", &json!(["refund_failed"]))
    );
    shop.wait_days(2).await;
    assert_eq!(shop.payment(&order, 1).await["refunds"][0]["age_seconds"], 2 * 24 * 3600);
    let redirect = format!("/v1/payments/{}/redirect-refund", payment_id(&order, 1));
    shop.done(&redirect, &json!({"refund": 1})).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (at(&payment, "/refunds/0/status"), at(&payment, "/refunds/0/to")),
        ("executed", "store_credit")
    );
    assert_eq!(payment["alerts"], json!([]));
    assert_eq!(shop.accounts().await["store_credit"], "-10.00");
    let credit = shop.person("shopper").get("/v1/customers/me/store-credit").await;
    assert_eq!(eur_at(&credit.body, "/balances/0/available"), "10.00");
    shop.refused(&redirect, &json!({"refund": 9}), 422, "unknown_refund").await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_capture_that_fails_by_nobodys_fault_is_tried_again_and_then_seen() {
    let (shop, alma, _) = open().await;
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[card("tok_capture_fault", 10_00)]).await;
    shop.fulfill(&part(&order, 1)).await;
    let captures = |payment: &Value| {
        let attempts = payment["attempts"].as_array().unwrap();
        attempts.iter().filter(|one| one["call"] == "capture").count()
    };
    assert_eq!(captures(&shop.payment(&order, 1).await), 1);
    minutes(&shop, 180).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!((captures(&payment), &payment["alerts"]), (3, &json!(["capture_failed"])));
    // No answer, but the money was taken: found out by asking, without a second capture.
    let order = shop.bought("c2", &[(&alma, 1, 10_00)], &[card("tok_capture_timeout", 10_00)]).await;
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(eur_at(&shop.payment(&order, 1).await, "/captured"), "0.00");
    minutes(&shop, 5).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!((captures(&payment), stands(&payment)), (1, so("captured", "10.00", "0.00")));
}

#[tokio::test]
async fn an_authorization_is_renewed_before_it_ends_and_the_old_one_released() {
    let (shop, alma, _) = open().await;
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[card("tok_approved", 10_00)]).await;
    shop.wait_days(6).await;
    minutes(&shop, 5).await;
    let payment = shop.stored_payment(&order, 1).await;
    let calls: Vec<Call> = payment.attempts.iter().map(|attempt| attempt.call).collect();
    assert_eq!(calls, [Call::Authorize, Call::Authorize, Call::Void { authorization: 1 }]);
    // And once more: the look at the renewed one is not forgotten.
    shop.wait_days(8).await;
    assert_eq!(shop.stored_payment(&order, 1).await.attempts.len(), 5);
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("captured", "10.00", "0.00"));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_authorization_that_lapses_before_the_goods_leave_is_renewed_and_what_has_left_is_captured() {
    let (shop, alma, _) = open().await;
    let order = shop.bought("c1", &[(&alma, 1, 10_00)], &[card("tok_approved", 10_00)]).await;
    let lapse = json!({"payment": payment_id(&order, 1), "said": "lapse"});
    shop.done("/v1/gateways/sandbox/tell", &lapse).await;
    // The goods leave before anybody has looked.
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("released", "0.00", "0.00"));
    minutes(&shop, 5).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!((stands(&payment), &payment["alerts"]), (so("captured", "10.00", "0.00"), &json!([])));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_authorization_that_lapses_and_is_not_renewed_is_shown_as_long_as_something_of_it_is_to_ship() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_away_declined_lost_card").await;
    shop.fulfill(&part(&order, 1)).await;
    shop.done("/v1/gateways/sandbox/tell", &json!({"payment": payment_id(&order, 1), "said": "lapse"})).await;
    minutes(&shop, 5).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!((eur_at(&payment, "/captured"), &payment["alerts"]), ("20.00".into(), &json!(["expiring"])));
    let events = shop.events(&order).await;
    let raised = events.iter().find(|event| event.name == "payment.alert_raised.v1").unwrap();
    assert_eq!(raised.data["amount"], eur("30.00"));
    shop.wait_days(1).await;
    assert_eq!(shop.payment(&order, 1).await["alerts"], json!(["expiring"]));
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed my mind"})).await;
    shop.settle().await;
    assert_eq!(shop.payment(&order, 1).await["alerts"], json!([]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_refund_that_comes_back_after_it_had_left_is_owed_seen_and_becomes_store_credit() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    shop.fulfill(&part(&order, 1)).await;
    let back =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
    shop.settle().await;
    let accounts = shop.accounts().await;
    assert_eq!((accounts["gateway_clearing"].as_str(), accounts.get("refunds_payable")), ("10.00", None));
    let payment = payment_id(&order, 1);
    let failed = json!({"payment": payment, "said": "decline", "attempt": 3, "code": "lost_or_stolen_card"});
    shop.done("/v1/gateways/sandbox/tell", &failed).await;
    minutes(&shop, 5).await;
    let view = shop.payment(&order, 1).await;
    assert_eq!((at(&view, "/refunds/0/status"), &view["alerts"]), ("failed", &json!(["refund_failed"])));
    let accounts = shop.accounts().await;
    let owed = (accounts["gateway_clearing"].as_str(), accounts["refunds_payable"].as_str());
    assert_eq!(owed, ("20.00", "-10.00"));
    shop.done(&format!("/v1/payments/{payment}/redirect-refund"), &json!({"refund": 1})).await;
    shop.settle().await;
    let view = shop.payment(&order, 1).await;
    assert_eq!((at(&view, "/refunds/0/status"), &view["alerts"]), ("executed", &json!([])));
    assert_eq!(shop.accounts().await["store_credit"], "-10.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_gateway_that_captures_once_has_a_payment_for_each_merchant() {
    let (shop, alma, birch) = open().await;
    let one =
        |minor, part| Tender { gateway: "sandbox-single", part: Some(part), ..card("tok_approved", minor) };
    let market = souk::Market::in_memory_with(
        tests::moment(tests::START),
        souk::cloud::Pace::Ordered,
        &[("Gateways", "sandbox,sandbox-single")],
    );
    drop((shop, alma, birch));
    let shop = Shop::open_in(market.await.unwrap(), tests::HOLD_DAYS).await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = [(alma.as_str(), 2, 10_00), (birch.as_str(), 1, 30_00)];
    let order = shop.bought("c1", &lines, &[one(20_00, 1), one(30_00, 2)]).await;
    shop.fulfill(&part(&order, 2)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "0.00", "20.00"));
    assert_eq!(stands(&shop.payment(&order, 2).await), so("captured", "30.00", "0.00"));
    // It cannot be renewed there: a person hears of it before it ends.
    shop.wait_days(7).await;
    assert_eq!(shop.payment(&order, 1).await["alerts"], json!(["expiring"]));
}

#[tokio::test]
async fn a_notice_that_does_not_prove_itself_changes_nothing() {
    let (shop, alma, _) = open().await;
    let order = shop.cart_order("c1", &[(&alma, 1, 10_00)]);
    let id = order.id.to_string();
    shop.begin_payments(&order.id, &[card("tok_action", 10_00)]).await;
    let before = shop.contents().await;
    let now = Clock::System.now();
    let skewed = |seconds| now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
    let notice = approved(&id, 1);
    for (secret, at) in
        [("whsec_b3RoZXI=", now), (SANDBOX_SECRET, skewed(310)), (SANDBOX_SECRET, skewed(-310))]
    {
        assert_problem(&shop.notify(&notice, secret, at).await, 401, "unauthenticated");
    }
    let bare = shop.calls_as("").post("/v1/gateways/sandbox/webhooks", &json!({}), "").await;
    assert_problem(&bare, 401, "unauthenticated");
    let nobody = shop.calls_as("").post("/v1/gateways/nobody/webhooks", &json!({}), "").await;
    assert_problem(&nobody, 404, "not_found");
    // Proven, and about nothing that is here: the sender comes again, or another marketplace is meant.
    let other = OrderId::from_bits(9).to_string();
    assert_problem(&shop.notify(&approved(&other, 1), SANDBOX_SECRET, now).await, 404, "not_found");
    assert_problem(&shop.notify(&approved(&id, 7), SANDBOX_SECRET, now).await, 422, "unknown_attempt");
    let neighbor = domain::id::MarketplaceId::from_bits(domain::id::derive(&["neighbor"]));
    shop.neighbor().await;
    let foreign = Notice { marketplace: neighbor, ..notice.clone() };
    assert_problem(&shop.notify(&foreign, SANDBOX_SECRET, now).await, 404, "not_found");
    let after = shop.contents().await;
    assert!(before.iter().all(|(key, item)| after.get(key) == Some(item)), "a notice wrote something");
    // A clock that is a little off is fine.
    assert_eq!(shop.notify(&notice, SANDBOX_SECRET, skewed(200)).await.status, 200);
}

#[tokio::test]
async fn a_card_number_in_any_field_is_refused_and_kept_nowhere() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    shop.ship(&part(&order, 1), "a1", json!([])).await;
    let payment = payment_id(&order, 1);
    for number in ["4242424242424242", "4242 4242 4242 4242", "3782-822463-10005"] {
        for (word, body) in [
            ("refund", json!({"amount": eur("1.00"), "reason": format!("card {number}")})),
            ("refund", json!({"amount": eur("1.00"), "reason": "x", "cause": number})),
            ("refund", json!({"amount": eur("1.00"), "reason": "x", "card": {"number": number}})),
            ("give-up", json!({"attempt": 1, "reason": number})),
        ] {
            let answer = shop.post(&format!("/v1/payments/{payment}/{word}"), &body).await;
            assert_problem(&answer, 400, "malformed_request");
            let said = answer.body.to_string().replace([' ', '-'], "");
            assert!(!said.contains("42424242") && !said.contains("3782822463"), "{said}");
        }
        let body = json!({"payment": payment, "said": "decline", "code": number});
        assert_problem(&shop.post("/v1/gateways/sandbox/tell", &body).await, 400, "malformed_request");
    }
    let kept = format!("{:?}", shop.contents().await);
    assert!(
        !kept.contains("4242 4242") && !kept.contains("4242424242424242") && !kept.contains("3782-822463")
    );
}

#[tokio::test]
async fn an_event_that_comes_three_times_captures_once() {
    let (shop, alma, birch) = open().await;
    let order = bought(&shop, (&alma, &birch), "tok_approved").await;
    shop.ship(&part(&order, 1), "a1", json!([])).await;
    let events = shop.events(&order).await;
    let shipped = events.iter().find(|event| event.name == "merchant_order.shipped.v1").unwrap();
    let body = serde_json::to_string(shipped).unwrap();
    for _ in 0..3 {
        let answer = shop.market.cloud.invoke("payment", tests::batch(&[body.clone(), body.clone()])).await;
        assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
    }
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (stands(&payment), payment["attempts"].as_array().unwrap().len()),
        (so("authorized", "20.00", "30.00"), 2)
    );
}

#[tokio::test]
async fn a_checkout_is_captured_as_its_parts_leave_and_paid_back_as_they_are_lost() {
    let market = Storefront::open().await;
    let (shop, order) = (&market.shop, market.order().await);
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "0.00", "57.15"));
    // Alma's part: 2 × 10.00, 7.35, and 4.90 of delivery.
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("authorized", "32.25", "24.90"));
    let shipment = shop.ship(&part(&order, 2), "b1", json!([])).await;
    assert_eq!(stands(&shop.payment(&order, 1).await), so("captured", "57.15", "0.00"));
    let track = format!("/v1/merchant-orders/{}/shipments/{shipment}/track", part(&order, 2));
    shop.done(&track, &json!({"status": "lost"})).await;
    shop.settle().await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (eur_at(&payment, "/refunds/0/amount"), at(&payment, "/refunds/0/status")),
        ("24.90".to_owned(), "executed")
    );
    let accounts = shop.accounts().await;
    for empty in ["receivable", "refunds_payable", "unearned"] {
        assert!(!accounts.contains_key(empty), "{empty}: {accounts:?}");
    }
    assert_eq!(accounts["gateway_clearing"], "32.25");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_checkout_whose_gateway_is_silent_is_placed_when_the_schedule_has_asked() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let paid = market.pay(&cart, "57.15", "tok_timeout_approved").await;
    assert_eq!((paid.status.as_u16(), paid.text("/payments/0/status")), (202, "unknown"));
    let again = market.pay(&cart, "57.15", "tok_approved").await;
    assert_problem(&again, 409, "payment_in_flight");
    market.shop.settle().await;
    minutes(&market.shop, 5).await;
    let shown = market.show(&cart).await;
    let order = at(&shown, "/order").to_owned();
    assert_eq!(
        (at(&shown, "/status"), at(&market.shop.order(&order).await, "/status")),
        ("completed", "paid")
    );
    let payment = market.shop.payment(&order, 1).await;
    assert_eq!((stands(&payment), &payment["finalized"]), (so("authorized", "0.00", "57.15"), &json!(true)));
    // A customer who does not come back from the bank lets go of the cart after half an hour.
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_action").await.status, 202);
    market.shop.settle().await;
    minutes(&market.shop, 35).await;
    assert_eq!(at(&market.show(&cart).await, "/status"), "open");
    assert_eq!(market.pay(&cart, "57.15", "tok_approved").await.status, 201);
    market.shop.settle().await;
    market.shop.books_are_right().await;
}
