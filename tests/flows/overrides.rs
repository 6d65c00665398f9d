//! A manager's recorded word against a policy: who, why, on what evidence, until when.

use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::*;

fn granting(policy: &str, subject: &str, expires_at: &str) -> Value {
    json!({
        "policy": policy, "subject": subject, "reason": "the channel has sold it", "evidence": "ticket 7",
        "expires_at": expires_at,
    })
}

fn order(external_id: &str, merchant: &str) -> Value {
    order_body(external_id, json!([line(merchant, "mug", 1, "10.00")]), json!({}))
}

/// A refused order says which merchant, and writes nothing.
async fn not_open(shop: &Shop, external_id: &str, merchant: &str) {
    let answer = shop.refused("/v1/orders", &order(external_id, merchant), 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/code"), "not_open", "{}", answer.body);
}

#[tokio::test]
async fn a1_4_an_override_without_reason_and_approver_fails() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let good = granting("merchant_not_open", &alma, "2026-03-03T09:00:00Z");
    for field in ["reason", "evidence"] {
        let mut empty = good.clone();
        empty[field] = json!("");
        let answer = shop.refused("/v1/overrides", &empty, 422, "invalid_value").await;
        assert_eq!(answer.text("/errors/0/field"), field);
        let mut without = good.clone();
        without.as_object_mut().unwrap().remove(field);
        shop.refused("/v1/overrides", &without, 400, "malformed_request").await;
    }
    // An approver is somebody with the scope for it.
    shop.key("sk_clerk", &["orders:write", "merchants:write", "overrides:read"], None).await;
    shop.member("ann", &alma, &["*"]).await;
    let clerk = shop.calls_as("sk_clerk");
    assert_problem(&clerk.post("/v1/overrides", &good, "k").await, 403, "forbidden");
    assert_problem(&shop.person("ann").post("/v1/overrides", &good, "").await, 403, "forbidden");
    assert_problem(&shop.calls_as("").post("/v1/overrides", &good, "").await, 401, "unauthenticated");
    assert_eq!(clerk.get("/v1/overrides").await.body["items"], json!([]));

    let odd = [
        ("policy", json!("payout_account")),
        ("subject", json!("mer_00000000000000000000000000")),
        ("subject", json!("alma")),
        ("expires_at", json!("2026-03-02T09:00:00Z")),
        ("expires_at", json!("2027-03-04T09:00:00Z")),
        ("expires_at", json!("soon")),
    ];
    for (field, value) in odd {
        let mut bad = good.clone();
        bad[field] = value;
        let answer = shop.refused("/v1/overrides", &bad, 422, "invalid_value").await;
        assert_eq!(answer.text("/errors/0/field"), field, "{}", answer.body);
    }
}

#[tokio::test]
async fn an_order_for_a_suspended_merchant_goes_ahead_while_an_override_lives() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    for merchant in [&alma, &birch] {
        shop.done(&format!("/v1/merchants/{merchant}/suspend"), &json!({})).await;
    }
    not_open(&shop, "A-1", &alma).await;
    let body = granting("merchant_not_open", &alma, "2026-03-02T10:00:00Z");
    let granted = shop.done("/v1/overrides", &body).await;
    let id = at(&granted, "/id").to_owned();
    assert!(at(&granted, "/granted_by").starts_with("key:"));

    let placed = shop.done("/v1/orders", &order("A-1", &alma)).await;
    let events = shop.events(at(&placed, "/id")).await;
    let used = events.iter().find(|event| event.name == "override.used.v1").expect("the order names it");
    assert_eq!(used.data, json!({"override": id, "policy": "merchant_not_open", "subject": alma}));
    assert_eq!(used.subject, at(&placed, "/id"));
    shop.settle().await;
    // It is for this merchant and this policy only.
    not_open(&shop, "A-2", &birch).await;

    shop.market.cloud.advance(SignedDuration::from_hours(1)).await.unwrap();
    not_open(&shop, "A-3", &alma).await;
}

#[tokio::test]
async fn a_revoked_override_does_not_count_and_the_youngest_speaks() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let closed = json!({"closures": [{"from": "2026-03-01", "to": "2026-03-05"}]});
    shop.done(&format!("/v1/merchants/{alma}/set-closures"), &closed).await;
    not_open(&shop, "A-1", &alma).await;
    let body = granting("merchant_not_open", &alma, "2026-03-05T00:00:00Z");
    let first = at(&shop.done("/v1/overrides", &body).await, "/id").to_owned();
    shop.done("/v1/orders", &order("A-1", &alma)).await;
    shop.settle().await;
    shop.market.cloud.advance(SignedDuration::from_secs(1)).await.unwrap();
    let second = at(&shop.done("/v1/overrides", &body).await, "/id").to_owned();
    shop.done(&format!("/v1/overrides/{second}/revoke"), &json!({})).await;
    not_open(&shop, "A-2", &alma).await;

    // Revoked once, by one; a repeat changes nothing.
    let before = shop.contents().await;
    let again = shop.post(&format!("/v1/overrides/{second}/revoke"), &json!({})).await;
    assert_eq!((again.status.as_u16(), again.headers.contains_key("idempotent-replayed")), (200, true));
    assert!(shop.contents().await == before);
    shop.settle().await;
    let list = shop.get("/v1/overrides").await;
    let ids: Vec<&str> = list["items"].as_array().unwrap().iter().map(|line| at(line, "/id")).collect();
    assert_eq!(ids, [&second, &first]);
    assert_eq!(
        (list["items"][0]["revoked_at"].is_string(), &list["items"][1]["revoked_at"]),
        (true, &Value::Null)
    );
    let trail = shop.get(&format!("/v1/audit/{second}")).await;
    let names: Vec<&str> =
        trail["items"].as_array().unwrap().iter().map(|line| at(line, "/facts/0/name")).collect();
    assert_eq!(names, ["override.granted.v1", "override.revoked.v1"]);
}

#[tokio::test]
async fn nobody_lets_an_order_in_for_a_merchant_that_is_pending_or_at_its_end() {
    let shop = Shop::open().await;
    let body = json!({"name": "new", "external_id": "new"});
    let pending = at(&shop.done("/v1/merchants", &body).await, "/id").to_owned();
    let closing = shop.merchant("alma", json!({"every": "day"})).await;
    shop.done(&format!("/v1/merchants/{closing}/close"), &json!({})).await;
    for merchant in [&pending, &closing] {
        let body = granting("merchant_not_open", merchant, "2026-03-05T00:00:00Z");
        shop.done("/v1/overrides", &body).await;
        not_open(&shop, "A-1", merchant).await;
    }
}

#[tokio::test]
async fn an_incomplete_checklist_is_overridden_and_the_approval_names_it() {
    let shop = Shop::open().await;
    let settings = json!({
        "hold_days": 3, "commission": [], "critical_balance": eur("50.00"), "requirements": ["payout_account"],
    });
    shop.done("/v1/marketplace/set-settings", &settings).await;
    let alma = at(&shop.done("/v1/merchants", &json!({"name": "alma"})).await, "/id").to_owned();
    let approve = format!("/v1/merchants/{alma}/approve");
    shop.refused(&approve, &json!({}), 409, "merchant_requirements").await;
    let other = granting("merchant_not_open", &alma, "2026-03-05T00:00:00Z");
    shop.done("/v1/overrides", &other).await;
    shop.refused(&approve, &json!({}), 409, "merchant_requirements").await;
    let body = granting("merchant_requirements", &alma, "2026-03-05T00:00:00Z");
    let id = shop.done("/v1/overrides", &body).await["id"].clone();
    let approved = shop.done(&approve, &json!({})).await;
    assert_eq!((at(&approved, "/status"), &approved["requirements"][1]["met"]), ("open", &json!(false)));
    let events = shop.events(&alma).await;
    let used = events.iter().find(|event| event.name == "override.used.v1").unwrap();
    assert_eq!((&used.data["override"], &used.data["policy"]), (&id, &json!("merchant_requirements")));
    shop.settle().await;
}
