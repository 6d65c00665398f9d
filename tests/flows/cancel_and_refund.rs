//! Money on its way back: cancellation, rejection, refunds, claw-backs, payouts that fail.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::paying::payment_id;
use tests::storefront::Storefront;
use tests::*;

fn accounts(balances: &[(&str, &str)]) -> BTreeMap<String, String> {
    balances.iter().map(|(name, balance)| ((*name).to_owned(), (*balance).to_owned())).collect()
}

async fn cancel(shop: &Shop, order: &str) -> Value {
    let view = shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    view
}

async fn refund(shop: &Shop, order: &str, lines: Value) -> Value {
    let body = json!({"merchant_order": part(order, 1), "lines": lines, "reason": "broken"});
    let view = shop.done(&format!("/v1/orders/{order}/refund"), &body).await;
    shop.settle().await;
    view
}

#[tokio::test]
async fn an_order_that_is_canceled_before_its_split_has_the_same_parts_all_canceled() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = json!([line(&alma, "mug", 2, "10.00"), line(&birch, "novel", 1, "5.00")]);
    let order = at(&shop.place("A-1", lines, json!({})).await, "/id").to_owned();
    let canceled = shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
    assert_eq!(at(&canceled, "/status"), "canceled");
    assert_eq!(eur_at(&canceled, "/totals/refunded"), "0.00", "nothing was paid yet");
    let before = shop.order(&order).await;
    shop.settle().await;
    assert_eq!(shop.order(&order).await, before, "the split finds its work done");
    for number in [1, 2] {
        assert_eq!(at(&shop.merchant_order(&part(&order, number)).await, "/status"), "canceled");
    }
    let told = shop.told(&order).await;
    let of_part = ["merchant_order.created.v1", "merchant_order.canceled.v1"];
    assert_eq!(told, [&of_part[..], &of_part[..], &["order.placed.v1", "order.canceled.v1"][..]].concat());
    assert_eq!(shop.accounts().await, accounts(&[]));
    shop.refused(&format!("/v1/orders/{order}/pay"), &json!({}), 409, "order_canceled").await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_that_is_canceled_after_payment_gives_everything_back() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mut mug = line(&alma, "mug", 3, "3.33");
    mug["delivery"] = eur("1.00");
    let order =
        at(&shop.place("A-1", json!([mug]), json!({"delivery": eur("2.50")})).await, "/id").to_owned();
    shop.settle().await;
    shop.pay(&order).await;
    assert_eq!(eur_at(&cancel(&shop, &order).await, "/totals/refunded"), "13.49");
    assert_eq!(shop.accounts().await, accounts(&[]));
    assert_eq!(at(&shop.merchant_order(&part(&order, 1)).await, "/status"), "canceled");
    let ship = format!("/v1/merchant-orders/{}/ship", part(&order, 1));
    let parcel = json!({"carrier": "dhl", "tracking_number": "T-1"});
    shop.refused(&ship, &parcel, 409, "merchant_order_canceled").await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "0.00".into()));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_partly_shipped_order_is_canceled_for_the_rest_and_earns_for_what_has_left() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    // Three share 10.02 of items, 1.00 of delivery and 1.50 of fees: the canceled two carry the first cents.
    let mut mug = line(&alma, "mug", 3, "3.34");
    mug["delivery"] = eur("1.00");
    let order = shop.paid_order("A-1", json!([mug])).await;
    let of_alma = part(&order, 1);
    let shipment = shop.ship(&of_alma, "T-1", json!([{"line": 1, "quantity": 1}])).await;
    // Items 10.02: 6.68 for two; delivery 1.00: 0.34 + 0.33 = 0.67; fees 1.50: 1.00.
    let view = cancel(&shop, &order).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("paid", "7.35".into()));
    let again = format!("/v1/orders/{order}/cancel");
    shop.refused(&again, &json!({"reason": "all"}), 409, "order_nothing_to_cancel").await;
    shop.deliver(&of_alma, &shipment).await;
    let part = shop.merchant_order(&of_alma).await;
    assert_eq!(at(&part, "/status"), "delivered");
    let sums = ["items", "delivery", "fees", "net"].map(|name| eur_at(&part, &format!("/totals/{name}")));
    assert_eq!(sums, ["3.34", "0.33", "0.50", "3.17"]);
    let left = [("cash", "3.67"), ("payable", "-3.17"), ("commission", "-0.50")];
    assert_eq!(shop.accounts().await, accounts(&left));
    shop.books_are_right().await;
}

#[tokio::test]
async fn the_last_cancellation_of_an_order_whose_rest_has_arrived_makes_the_earning() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let shipment = shop.ship(&part(&order, 1), "T-1", json!([{"line": 1, "quantity": 1}])).await;
    shop.deliver(&part(&order, 1), &shipment).await;
    assert_eq!(shop.balance(&alma).await.1, "0.00", "a unit is still to come");
    let view = cancel(&shop, &order).await;
    assert_eq!(at(&view, "/merchant_orders/0/status"), "delivered");
    assert_eq!(eur_at(&view, "/totals/refunded"), "10.00");
    assert_eq!(shop.balance(&alma).await.1, "8.50");
    shop.wait_days(5).await;
    assert_eq!(eur_at(&shop.payouts(&alma).await[0], "/amount"), "8.50");
    shop.books_are_right().await;
}

#[tokio::test]
async fn what_a_merchant_rejects_is_paid_back_to_the_customer_through_the_event() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = json!([line(&alma, "mug", 2, "10.00"), line(&birch, "novel", 1, "5.00")]);
    let order = shop.paid_order("A-1", lines).await;
    let (of_alma, of_birch) = (part(&order, 1), part(&order, 2));
    let reject = |part: &str| format!("/v1/merchant-orders/{part}/reject");
    let one = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "out of stock"});
    shop.done(&reject(&of_alma), &one).await;
    assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "0.00", "the event is under way");
    shop.settle().await;
    assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "10.00");
    let three = json!({"lines": [{"line": 1, "quantity": 3}], "reason": "out of stock"});
    shop.refused(&reject(&of_alma), &three, 409, "line_units").await;
    let other = json!({"lines": [{"line": 2, "quantity": 1}], "reason": "out of stock"});
    shop.refused(&reject(&of_alma), &other, 422, "unknown_line").await;

    shop.fulfill(&of_alma).await;
    assert_eq!(shop.balance(&alma).await.1, "8.50");
    shop.done(&reject(&of_birch), &json!({"lines": [{"line": 2, "quantity": 1}], "reason": "lost"})).await;
    shop.settle().await;
    let view = shop.order(&order).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("paid", "15.00".into()));
    assert_eq!(at(&view, "/merchant_orders/1/status"), "canceled");
    let left = [("cash", "10.00"), ("payable", "-8.50"), ("commission", "-1.50")];
    assert_eq!(shop.accounts().await, accounts(&left));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_that_all_merchants_reject_is_canceled() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let body = json!({"lines": [{"line": 1, "quantity": 2}], "reason": "out of stock"});
    shop.done(&format!("/v1/merchant-orders/{}/reject", part(&order, 1)), &body).await;
    shop.settle().await;
    let view = shop.order(&order).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("canceled", "20.00".into()));
    assert_eq!(shop.accounts().await, accounts(&[]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_refund_before_the_payout_is_netted_in_it() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 4, "10.00")])).await;
    let view = refund(&shop, &order, json!([{"line": 1, "quantity": 1}])).await;
    assert_eq!(eur_at(&view, "/totals/refunded"), "10.00");
    // 34.00 earned, payable on the 5th; 8.50 taken back, payable at once: what cannot be paid waits.
    shop.wait_until("2026-03-04T12:00:00Z").await;
    assert_eq!(shop.payouts(&alma).await, Vec::<Value>::new());
    assert_eq!(shop.balance(&alma).await, ("-8.50".into(), "34.00".into()));
    shop.wait_until("2026-03-06T01:00:00Z").await;
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (1, "25.50".into()));
    let lines = shop.get(&format!("/v1/payouts/{}/lines", at(&payouts[0], "/id"))).await;
    let lines = lines["items"].as_array().unwrap().clone();
    let shown: Vec<_> = lines.iter().map(|line| (at(line, "/kind"), eur_at(line, "/amount"))).collect();
    assert_eq!(shown, [("refund", "-8.50".to_owned()), ("earning", "34.00".to_owned())]);
    assert_eq!(eur_at(&lines[0], "/fees"), "-1.50", "the marketplace gives its commission back");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a12_4_a_refund_after_the_payout_nets_with_the_next_one_and_waits_while_the_balance_is_negative() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_until("2026-03-06T01:00:00Z").await;
    assert_eq!(eur_at(&shop.payouts(&alma).await[0], "/amount"), "17.00");

    refund(&shop, &order, json!([{"line": 1, "quantity": 1}])).await;
    refund(&shop, &order, json!([{"line": 1, "quantity": 1}])).await;
    shop.wait_until("2026-03-08T09:00:00Z").await;
    assert_eq!(shop.balance(&alma).await, ("-17.00".into(), "0.00".into()));
    assert_eq!(shop.payouts(&alma).await.len(), 1, "a negative balance stays unclaimed");
    let more =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "x"});
    shop.refused(&format!("/v1/orders/{order}/refund"), &more, 409, "line_units").await;

    // 8.50 is not enough, 25.50 is.
    shop.delivered_order("A-2", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_until("2026-03-13T09:00:00Z").await;
    assert_eq!(shop.balance(&alma).await, ("-8.50".into(), "0.00".into()));
    assert_eq!(shop.payouts(&alma).await.len(), 1);
    shop.delivered_order("A-3", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_until("2026-03-18T09:00:00Z").await;
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (2, "8.50".into()));
    let payout = shop.get(&format!("/v1/payouts/{}", at(&payouts[0], "/id"))).await;
    assert_eq!((at(&payout, "/from"), payout["entries"].as_u64()), ("2026-03-06", Some(4)));
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "0.00".into()));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_refund_with_delivery_gives_the_orders_share_back_with_the_last_unit() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mut mug = line(&alma, "mug", 2, "10.00");
    mug["delivery"] = eur("3.00");
    let order =
        at(&shop.place("A-1", json!([mug]), json!({"delivery": eur("4.00")})).await, "/id").to_owned();
    shop.settle().await;
    shop.pay(&order).await;
    shop.fulfill(&part(&order, 1)).await;
    let path = format!("/v1/orders/{order}/refund");
    let one = json!({
        "merchant_order": part(&order, 1),
        "lines": [{"line": 1, "quantity": 1}],
        "delivery": true,
        "reason": "broken",
    });
    assert_eq!(eur_at(&shop.done(&path, &one).await, "/totals/refunded"), "13.00");
    assert_eq!(eur_at(&shop.done(&path, &one).await, "/totals/refunded"), "27.00");
    shop.settle().await;
    assert_eq!(shop.accounts().await, accounts(&[]));
    shop.books_are_right().await;
}

#[tokio::test]
async fn the_orders_share_goes_back_where_the_last_unit_never_comes_and_all_others_came_back_with_delivery() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mut mug = line(&alma, "mug", 2, "10.00");
    mug["delivery"] = eur("3.00");
    for end in ["lost", "rejected", "canceled"] {
        let placed = shop.place(end, json!([mug]), json!({"delivery": eur("4.00")})).await;
        let order = at(&placed, "/id").to_owned();
        shop.settle().await;
        shop.pay(&order).await;
        let of_alma = part(&order, 1);
        let one = json!([{"line": 1, "quantity": 1}]);
        let first = shop.ship(&of_alma, &format!("{end}-1"), one.clone()).await;
        shop.deliver(&of_alma, &first).await;
        let back = json!({"merchant_order": of_alma, "lines": one, "delivery": true, "reason": "broken"});
        let view = shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
        assert_eq!(eur_at(&view, "/totals/refunded"), "13.00");
        if end == "lost" {
            let second = shop.ship(&of_alma, "lost-2", json!([])).await;
            let track = format!("/v1/merchant-orders/{of_alma}/shipments/{second}/track");
            shop.done(&track, &json!({"status": "lost"})).await;
        } else if end == "rejected" {
            let reject = format!("/v1/merchant-orders/{of_alma}/reject");
            shop.done(&reject, &json!({"lines": one, "reason": "none left"})).await;
        } else {
            cancel(&shop, &order).await;
        }
        shop.settle().await;
        // 10.00 of the unit and 4.00 of the order's delivery.
        assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "27.00", "{end}");
        assert_eq!(at(&shop.merchant_order(&of_alma).await, "/status"), "delivered", "{end}");
        assert_eq!(shop.accounts().await, accounts(&[]), "{end}");
        assert_eq!(shop.balance(&alma).await, ("0.00".into(), "0.00".into()), "{end}");
    }
    shop.books_are_right().await;
}

#[tokio::test]
async fn what_has_not_arrived_is_not_refunded() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let of =
        |part: &str| json!({"merchant_order": part, "lines": [{"line": 1, "quantity": 1}], "reason": "x"});
    let path = format!("/v1/orders/{order}/refund");
    shop.refused(&path, &of(&part(&order, 1)), 409, "line_units").await;
    let other = shop.delivered_order("A-2", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.refused(&path, &of(&part(&other, 1)), 404, "not_found").await;
}

#[tokio::test]
async fn what_has_arrived_is_refunded_while_another_parcel_is_under_way() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    let first = shop.ship(&part(&order, 1), "T-1", json!([{"line": 1, "quantity": 2}])).await;
    shop.deliver(&part(&order, 1), &first).await;
    let one =
        json!({"merchant_order": part(&order, 1), "lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &one).await;
    shop.settle().await;
    // Nothing is earned yet, so nothing is taken back from anybody: 10.00 of 30.00 left.
    assert_eq!(shop.accounts().await, accounts(&[("cash", "20.00"), ("unearned", "-20.00")]));
    shop.fulfill(&part(&order, 1)).await;
    // 15 % of what stayed.
    assert_eq!(
        shop.accounts().await,
        accounts(&[("cash", "20.00"), ("payable", "-17.00"), ("commission", "-3.00")])
    );
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "17.00".into()));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_lost_parcel_is_paid_back_and_a_later_word_changes_nothing() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order =
        shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00"), line(&alma, "jug", 1, "5.00")])).await;
    let mugs = shop.ship(&part(&order, 1), "T-1", json!([{"line": 1, "quantity": 2}])).await;
    let track = format!("/v1/merchant-orders/{}/shipments/{mugs}/track", part(&order, 1));
    shop.done(&track, &json!({"status": "lost"})).await;
    let found = shop.done(&track, &json!({"status": "delivered"})).await;
    assert_eq!((at(&found, "/status"), found.pointer("/shipments/0/delivered_at")), ("open", None));
    shop.settle().await;
    let canceled = shop.order(&order).await;
    assert_eq!((at(&canceled, "/status"), eur_at(&canceled, "/totals/refunded")), ("paid", "20.00".into()));
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "4.25".into()));
    assert!(shop.told(&order).await.contains(&"order.canceled.v1".to_owned()));
    shop.books_are_right().await;

    // With the last parcel the order itself is over.
    let other = shop.paid_order("A-2", json!([line(&alma, "mug", 1, "10.00")])).await;
    let parcel = shop.ship(&part(&other, 1), "T-2", json!([])).await;
    let track = format!("/v1/merchant-orders/{}/shipments/{parcel}/track", part(&other, 1));
    let lost = shop.done(&track, &json!({"status": "lost"})).await;
    assert_eq!(at(&lost, "/status"), "canceled");
    shop.settle().await;
    assert_eq!(at(&shop.order(&other).await, "/status"), "canceled");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a12_5_a_payout_that_fails_after_success_opens_the_debt_and_the_next_one_carries_it() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_until("2026-03-06T01:00:00Z").await;
    let first = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let path = format!("/v1/payouts/{first}");
    shop.done(&format!("{path}/confirm"), &json!({})).await;
    shop.settle().await;
    assert_eq!(shop.accounts().await, accounts(&[("cash", "3.00"), ("commission", "-3.00")]));
    let failed = shop.done(&format!("{path}/fail"), &json!({"reason": "account closed"})).await;
    assert_eq!((at(&failed, "/status"), at(&failed, "/reason")), ("failed", "account closed"));
    shop.settle().await;
    let open = [("cash", "20.00"), ("payable", "-17.00"), ("commission", "-3.00")];
    assert_eq!(shop.accounts().await, accounts(&open));
    shop.refused(&format!("{path}/confirm"), &json!({}), 409, "payout_failed").await;
    let events = shop.events(&alma).await;
    let failed = events.iter().find(|event| event.name == "payout.failed.v1").unwrap();
    assert_eq!(failed.data["after_success"], true);

    shop.delivered_order("A-2", json!([line(&alma, "mug", 1, "1.00")])).await;
    shop.wait_until("2026-03-08T01:00:00Z").await;
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (2, "17.00".into()));
    let lines = shop.get(&format!("/v1/payouts/{}/lines", at(&payouts[0], "/id"))).await;
    assert_eq!(at(&lines, "/items/0/kind"), "payout_returned");
    assert_eq!(at(&lines, "/items/0/cause"), first);
    shop.wait_until("2026-03-10T01:00:00Z").await;
    assert_eq!(eur_at(&shop.payouts(&alma).await[0], "/amount"), "0.85");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_payout_that_the_bank_refuses_at_once_is_carried_by_the_next_too() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_until("2026-03-06T01:00:00Z").await;
    let first = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    shop.done(&format!("/v1/payouts/{first}/fail"), &json!({"reason": "no such account"})).await;
    shop.settle().await;
    assert_eq!(shop.balance(&alma).await, ("0.00".into(), "17.00".into()));
    shop.wait_until("2026-03-08T01:00:00Z").await;
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (2, "17.00".into()));
    assert_ne!(at(&payouts[0], "/id"), first);
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_merchant_that_owes_more_than_the_limit_is_told_of_once_a_run() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "100.00")])).await;
    shop.wait_until("2026-03-06T01:00:00Z").await;
    refund(&shop, &order, json!([{"line": 1, "quantity": 1}])).await;
    // Payable on the 7th, so the run of the 8th sees it.
    shop.wait_until("2026-03-08T00:59:00Z").await;
    let critical =
        |told: Vec<String>| told.iter().filter(|name| *name == "merchant.balance_critical.v1").count();
    assert_eq!(critical(shop.told(&alma).await), 0);
    shop.wait_until("2026-03-08T02:00:00Z").await;
    let events = shop.events(&alma).await;
    let event = events.iter().find(|event| event.name == "merchant.balance_critical.v1").unwrap();
    assert_eq!(event.data, json!({"merchant": alma, "balance": eur("-85.00")}));
    assert_eq!(critical(shop.told(&alma).await), 1);
    assert_eq!(shop.payouts(&alma).await.len(), 1);
    shop.books_are_right().await;
}

#[tokio::test]
async fn a2_5_without_an_active_account_a_payout_is_blocked_and_paid_after_activation() {
    let shop = Shop::open().await;
    let alma = shop.merchant_without_account("alma", json!({"every": "day"})).await;
    shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_until("2026-03-06T02:00:00Z").await;
    assert_eq!(shop.payouts(&alma).await, Vec::<Value>::new());
    assert_eq!(shop.balance(&alma).await, ("17.00".into(), "0.00".into()));
    let events = shop.events(&alma).await;
    let blocked = events.iter().find(|event| event.name == "payout.blocked.v1").unwrap();
    assert_eq!(blocked.data, json!({"merchant": alma, "balance": eur("17.00")}));

    // An account that is not verified is not enough, one that is blocked neither.
    let path = format!("/v1/merchants/{alma}");
    shop.done(&format!("{path}/set-payout-account"), &json!({"holder": "alma", "iban": iban("alma")})).await;
    shop.wait_until("2026-03-07T02:00:00Z").await;
    shop.done(&format!("{path}/block-payout-account"), &json!({"reason": "name differs"})).await;
    shop.wait_until("2026-03-08T02:00:00Z").await;
    assert_eq!(shop.payouts(&alma).await, Vec::<Value>::new());
    let told = shop.told(&alma).await;
    assert_eq!(told.iter().filter(|name| *name == "payout.blocked.v1").count(), 3);

    let because = json!({"reason": "the bank has confirmed the name"});
    shop.done(&format!("{path}/activate-payout-account"), &because).await;
    shop.wait_until("2026-03-09T02:00:00Z").await;
    let events = shop.events(&alma).await;
    let last = events.iter().rev().find(|event| event.name == "merchant.payout_account_changed.v1").unwrap();
    assert_eq!((at(&last.data, "/state"), &last.data["reason"]), ("active", &because["reason"]));
    let payouts = shop.payouts(&alma).await;
    assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (1, "17.00".into()));
    shop.books_are_right().await;
}

/// The largest cancellation: of every part a unit has arrived, so each is completed by it and earns.
#[tokio::test]
async fn a_cancellation_may_complete_32_merchant_orders_at_once() {
    let shop = Shop::open().await;
    let mut lines = Vec::new();
    for n in 0..32 {
        let merchant = shop.merchant_without_account(&format!("m{n}"), json!({"every": "day"})).await;
        lines.push(line(&merchant, "mug", 2, "1.00"));
    }
    let order = shop.paid_order("A-1", json!(lines)).await;
    for number in 1..=32 {
        let of = part(&order, number);
        let shipment = shop.ship(&of, "T", json!([{"line": number, "quantity": 1}])).await;
        shop.deliver(&of, &shipment).await;
    }
    let view = cancel(&shop, &order).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("paid", "32.00".into()));
    let left = [("cash", "32.00"), ("payable", "-27.20"), ("commission", "-4.80")];
    assert_eq!(shop.accounts().await, accounts(&left));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a10_5_an_order_of_which_nothing_is_paid_in_time_is_canceled_and_gives_its_stock_back() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mug = shop.stocked(&alma, "mug", 9).await;
    let lines = || json!([line(&alma, "mug", 2, "10.00")]);
    let place = async |name: &str, more: Value| at(&shop.place(name, lines(), more).await, "/id").to_owned();
    let unpaid = place("A-1", json!({})).await;
    let paid = shop.paid_order("A-2", lines()).await;
    // A payment that is named and not confirmed is an attempt.
    let attempted = place("A-3", json!({"payments": [{"method": "card", "amount": eur("20.00")}]})).await;
    shop.settle().await;
    assert_eq!(shop.stock(&mug).await, (9, 6, 3));

    shop.wait_until("2026-03-10T00:30:00Z").await;
    assert_eq!(
        at(&shop.order(&unpaid).await, "/status"),
        "awaiting_payment",
        "its seventh day was yesterday"
    );
    shop.wait_until("2026-03-10T01:30:00Z").await;
    let view = shop.order(&unpaid).await;
    assert_eq!(
        (at(&view, "/status"), at(&view, "/merchant_orders/0/status")),
        ("canceled", "canceled"),
        "{view}"
    );
    let canceled = shop.events(&unpaid).await.into_iter().find(|event| event.name == "order.canceled.v1");
    let canceled = canceled.unwrap();
    assert_eq!(
        (at(&canceled.data, "/reason"), canceled.actor.as_str()),
        ("not paid in time", "system:orders")
    );
    assert_eq!(at(&shop.order(&paid).await, "/status"), "paid");
    assert_eq!(at(&shop.order(&attempted).await, "/status"), "awaiting_payment");
    assert_eq!(shop.stock(&mug).await, (9, 4, 5));

    // The setting binds what is placed afterwards: 0 waits for ever.
    let settings =
        json!({"hold_days": 3, "commission": [], "unpaid_days": 0, "critical_balance": eur("50.00")});
    shop.done("/v1/marketplace/set-settings", &settings).await;
    let patient = place("A-4", json!({})).await;
    shop.wait_days(30).await;
    assert_eq!(at(&shop.order(&patient).await, "/status"), "awaiting_payment");
    let due = shop.contents().await.into_keys().filter(|(pk, _)| pk.starts_with("DUE#unpaid"));
    assert_eq!(due.count(), 0, "what was handed on is gone");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a10_5_a_transfer_that_never_comes_keeps_its_goods_for_the_days_and_is_stray_when_it_does_come() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let card = json!({"method": "card", "token": "tok_approved", "amount": eur("20.00")});
    let transfer = json!({"method": "bank_transfer"});
    let mut orders = Vec::new();
    for payments in [json!([transfer]), json!([card, transfer]), json!([transfer])] {
        let cart = market.ready().await;
        let pay = json!({"expected_total": eur("57.15"), "payments": payments});
        let paid = market.checkout(&cart, "pay", &pay).await;
        assert_eq!(paid.status, 201, "{}", paid.body);
        orders.push(paid.text("/order/id").to_owned());
    }
    shop.settle().await;
    let [promised, beside, begun]: [String; 3] = orders.try_into().unwrap();
    let arrives = |order: &str, amount: &str| {
        let payment = payment_id(order, 1);
        json!({"payment": payment, "said": "arrive", "amount": eur(amount)})
    };
    shop.done("/v1/gateways/sandbox/tell", &arrives(&begun, "4.00")).await;
    shop.settle().await;
    let stand = async || {
        let [a, b, c] = [&promised, &beside, &begun].map(|order| shop.order(order));
        [a.await, b.await, c.await].map(|order| at(&order, "/status").to_owned())
    };
    shop.wait_until("2026-03-10T00:30:00Z").await;
    assert_eq!(stand().await, ["awaiting_payment"; 3], "their seventh day was yesterday");
    assert_eq!(shop.stock(&market.mug).await, (100, 6, 94));
    shop.wait_until("2026-03-10T01:30:00Z").await;
    // Of the third something is paid: a person decides.
    assert_eq!(stand().await, ["canceled", "canceled", "awaiting_payment"]);
    assert_eq!(shop.stock(&market.mug).await, (100, 2, 98));
    shop.wait_minutes(10).await;
    for (order, number) in [(&promised, 1), (&beside, 1), (&beside, 2)] {
        let payment = shop.payment(order, number).await;
        assert_eq!((at(&payment, "/status"), eur_at(&payment, "/captured")), ("released", "0.00".into()));
    }
    shop.done("/v1/gateways/sandbox/tell", &arrives(&promised, "57.15")).await;
    shop.settle().await;
    let late = shop.payment(&promised, 1).await;
    assert_eq!(
        (eur_at(&late, "/captured"), eur_at(&late, "/awaits_approval")),
        ("57.15".into(), "57.15".into())
    );
    assert_eq!(at(&shop.order(&promised).await, "/status"), "canceled");
    shop.books_are_right().await;
}
