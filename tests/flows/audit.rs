//! What was refused stands in the audit trail beside what was changed.

use serde_json::{Value, json};
use tests::*;

/// The lines of a trail that are refusals: subject, request, code.
fn refusals(trail: &Value) -> Vec<(&str, &str, &str)> {
    let lines = trail["items"].as_array().unwrap().iter();
    let refused = lines.filter(|line| line["refused"].is_string());
    refused.map(|line| (at(line, "/subject"), at(line, "/refused"), at(line, "/code"))).collect()
}

#[tokio::test]
async fn a1_3_a_transition_outside_the_table_fails_and_still_writes_an_audit_record() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    shop.done(&format!("/v1/payouts/{payout}/confirm"), &json!({})).await;
    shop.done(&format!("/v1/payouts/{payout}/fail"), &json!({"reason": "account closed"})).await;

    let because = json!({"reason": "x"});
    let part = part(&order, 1);
    let units = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "x"});
    let paths = [
        (format!("/v1/merchants/{alma}/terminate"), json!({}), "merchant_transition"),
        (format!("/v1/orders/{order}/cancel"), because, "order_nothing_to_cancel"),
        (format!("/v1/merchant-orders/{part}/reject"), units, "merchant_order_delivered"),
        (format!("/v1/payouts/{payout}/confirm"), json!({}), "payout_failed"),
    ];
    for (path, body, code) in &paths {
        shop.refused(path, body, 409, code).await;
    }
    let asked = |n: usize| format!("POST {}", paths[n].0);
    let of_merchant = shop.get(&format!("/v1/audit/{alma}?limit=100")).await;
    let want = [(&alma, asked(0), paths[0].2), (&payout, asked(3), paths[3].2)];
    let want: Vec<_> =
        want.iter().map(|(subject, asked, code)| (subject.as_str(), asked.as_str(), *code)).collect();
    let mut found = refusals(&of_merchant);
    found.sort_unstable();
    assert_eq!(found, want);
    let of_order = shop.get(&format!("/v1/audit/{order}?limit=100")).await;
    let want = [(&order, asked(1), paths[1].2), (&part, asked(2), paths[2].2)];
    let mut found = refusals(&of_order);
    found.sort_unstable_by_key(|(subject, ..)| subject.starts_with("mor_"));
    assert_eq!(
        found,
        want.each_ref().map(|(subject, asked, code)| (subject.as_str(), asked.as_str(), *code))
    );

    // Who, when and why stand in it, and the changes follow.
    let line = &of_order["items"][0];
    assert!(at(line, "/actor").starts_with("key:"), "{line}");
    assert_eq!(at(line, "/at"), shop.market.clock.now().to_string());
    assert!(!at(line, "/detail").is_empty() && !at(line, "/cause").is_empty(), "{line}");
    assert!(of_order["items"].as_array().unwrap().iter().any(|line| line["facts"].is_array()));
}

#[tokio::test]
async fn a_trail_is_paged_through_refusals_and_changes() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for _ in 0..3 {
        shop.refused(&format!("/v1/merchants/{alma}/terminate"), &json!({}), 409, "merchant_transition")
            .await;
    }
    let whole = shop.get(&format!("/v1/audit/{alma}?limit=100")).await["items"].clone();
    let (mut paged, mut next) = (Vec::new(), String::new());
    loop {
        let page = shop.get(&format!("/v1/audit/{alma}?limit=2{next}")).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!((json!(paged), refusals(&json!({"items": whole})).len()), (whole.clone(), 3));
}

#[tokio::test]
async fn what_is_not_understood_or_not_there_leaves_no_record() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let before = shop.contents().await;
    let path = format!("/v1/merchants/{alma}/block-payout-account");
    assert_problem(&shop.post(&path, &json!({})).await, 422, "invalid_value");
    assert_problem(&shop.post(&path, &json!({"because": 1})).await, 400, "malformed_request");
    let nobody = "/v1/merchants/mer_00000000000000000000000000/approve";
    assert_problem(&shop.post(nobody, &json!({})).await, 404, "not_found");
    shop.member("ann", &alma, &["merchants:write"]).await;
    let member = shop.contents().await.len() - before.len();
    let forbidden = shop.person("ann").post(&format!("/v1/merchants/{alma}/approve"), &json!({}), "").await;
    assert_problem(&forbidden, 403, "forbidden");
    assert_eq!(shop.contents().await.len(), before.len() + member);
}

#[tokio::test]
async fn every_object_has_a_trail() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    let product = at(&shop.get(&format!("/v1/offers/{mug}")).await, "/product").to_owned();
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let key = at(&shop.done("/v1/api-keys", &json!({"name": "x", "scopes": []})).await, "/id").to_owned();
    let market = marketplace_id().to_string();
    for id in [alma, mug, product, part(&order, 1), order, payout, key, market] {
        let trail = shop.get(&format!("/v1/audit/{id}")).await;
        assert!(!trail["items"].as_array().unwrap().is_empty(), "{id} has no trail: {trail}");
    }
    for id in ["cat_00000000000000000000000000", "nothing", "mkt_00000000000000000000000000"] {
        assert_problem(&shop.api.get(&format!("/v1/audit/{id}")).await, 404, "not_found");
    }
}
