//! `If-Match` on a POST: it binds the request to what the caller has seen, and stands for no idempotency key.

use http::Method;
use serde_json::{Value, json};
use souk::api::Answer;
use tests::*;

async fn post_seen(shop: &Shop, path: &str, body: &Value, seen: &str, key: &str) -> Answer {
    let headers = [("if-match", seen), ("idempotency-key", key)];
    let headers = if key.is_empty() { &headers[..1] } else { &headers[..] };
    shop.api.send_with(Method::POST, path, &body.to_string(), headers).await
}

async fn etag(shop: &Shop, path: &str) -> String {
    shop.api.get(path).await.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_system_needs_an_idempotency_key_for_a_post_whatever_it_has_seen() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    let reject = format!("/v1/merchant-orders/{}/reject", part(&order, 1));
    let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "out of stock"});
    let call = json!({"channel": "phone", "lines": [line(&alma, "mug", 1, "10.00")]});
    let before = shop.contents().await;
    for seen in ["*", "\"2\"", "\"9\""] {
        let answer = post_seen(&shop, &reject, &body, seen, "").await;
        assert_problem(&answer, 400, "idempotency_key_missing");
        let answer = post_seen(&shop, "/v1/orders", &call, seen, "").await;
        assert_problem(&answer, 400, "idempotency_key_missing");
    }
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn a_post_that_has_seen_another_revision_is_stale_and_changes_nothing() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let paid = shop.delivered_order("A-0", json!([line(&alma, "mug", 2, "10.00")])).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let part = part(&order, 1);
    let settings = json!({"hold_days": 4, "commission": [], "critical_balance": eur("1.00")});
    let reject = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "out of stock"});
    let because = json!({"reason": "late"});
    let conditions = json!({"schedule": {"every": "day"}, "commission": []});
    for (thing, action, body) in [
        (format!("/v1/merchant-orders/{part}"), "reject", reject),
        (
            format!("/v1/merchant-orders/{part}"),
            "ship",
            json!({"carrier": "dhl", "tracking_number": "T-1", "lines": [{"line": 1, "quantity": 1}]}),
        ),
        (format!("/v1/orders/{order}"), "cancel", because.clone()),
        (format!("/v1/payouts/{payout}"), "fail", because.clone()),
        (format!("/v1/merchants/{alma}"), "set-conditions", conditions),
        (format!("/v1/merchants/{alma}"), "suspend", because),
        ("/v1/marketplace".to_owned(), "set-settings", settings),
    ] {
        let path = format!("{thing}/{action}");
        let (before, seen) = (shop.contents().await, etag(&shop, &thing).await);
        let answer = post_seen(&shop, &path, &body, "\"99\"", &shop.fresh()).await;
        assert_eq!((answer.status.as_u16(), answer.text("/code")), (409, "stale"), "{path} {}", answer.body);
        assert!(shop.contents().await == before, "{path} was stale and wrote something");
        let key = shop.fresh();
        let done = post_seen(&shop, &path, &body, &seen, &key).await;
        assert_eq!(done.status, 200, "{path}: {}", done.body);
        // A repeat names the revision that it was made for.
        let again = post_seen(&shop, &path, &body, &seen, &key).await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &done.body), "{path}");
        shop.settle().await;
    }
    assert_eq!(at(&shop.order(&paid).await, "/status"), "paid");
    shop.books_are_right().await;
}
