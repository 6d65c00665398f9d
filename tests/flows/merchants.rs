//! How merchants come in, stay and go: application, invitation, terms, members, closures, the end.

use domain::id::MerchantId;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::api::Answer;
use souk::issuer::ISSUER;
use table::access::Operator;
use tests::*;

fn subject(sub: &str) -> String {
    edge::identity::subject(ISSUER, sub)
}

/// A merchant that is invited: its id and the secret for its first person.
async fn invited(shop: &Shop, name: &str) -> (String, String) {
    let view = shop.done("/v1/merchants", &json!({"name": name, "external_id": name})).await;
    (at(&view, "/id").to_owned(), at(&view, "/invitation/secret").to_owned())
}

fn hash(text: &str) -> String {
    domain::id::sha256_hex(text.as_bytes())
}

fn document(text: &str) -> Value {
    json!({"url": "https://shop.example/terms", "sha256": hash(text)})
}

/// The line of a merchant's checklist: met, required.
fn asked(view: &Value, code: &str) -> (bool, bool) {
    let list = view["requirements"].as_array().unwrap();
    let line = list.iter().find(|line| line["code"] == code).expect("the requirement is listed");
    (line["met"] == true, line["required"] == true)
}

#[tokio::test]
async fn a_signed_in_person_applies_once_and_is_the_first_member() {
    let shop = Shop::open().await;
    let ann = shop.person("ann");
    let body = json!({"name": "Alma", "external_id": "alma"});
    let applied = ann.post("/v1/merchants/apply", &body, "").await;
    assert_eq!((applied.status.as_u16(), applied.text("/status")), (201, "pending"), "{}", applied.body);
    let alma = applied.text("/id").to_owned();
    let told: Vec<_> = shop.told(&alma).await;
    assert_eq!(told, ["merchant.applied.v1"]);
    assert_eq!(ann.get(&format!("/v1/merchants/{alma}")).await.status, 200);
    assert_problem(
        &ann.post(&format!("/v1/merchants/{alma}/approve"), &json!({}), "").await,
        403,
        "forbidden",
    );

    let before = shop.contents().await;
    let again = ann.post("/v1/merchants/apply", &body, "").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, alma.as_str()));
    let other = ann.post("/v1/merchants/apply", &json!({"name": "Other"}), "").await;
    assert_problem(&other, 409, "applied_before");
    let taken = shop.person("bob").post("/v1/merchants/apply", &body, "").await;
    assert_problem(&taken, 409, "external_id_taken");
    // Systems, operators and people of other merchants do not apply.
    assert_problem(&shop.post("/v1/merchants/apply", &body).await, 403, "forbidden");
    let operator = shop.person(OPERATOR).post("/v1/merchants/apply", &json!({"name": "x"}), "").await;
    assert_problem(&operator, 409, "has_role");
    assert!(shop.contents().await == before);
    shop.done(&format!("/v1/merchants/{alma}/approve"), &json!({})).await;
    shop.settle().await;
}

#[tokio::test]
async fn two_applications_of_one_person_at_once_are_one_merchant() {
    let shop = Shop::open().await;
    let ann = shop.person("ann");
    let body = json!({"name": "Alma"});
    let asked = (0..4).map(|_| ann.post("/v1/merchants/apply", &body, ""));
    let answers = futures::future::join_all(asked).await;
    let ids: Vec<&str> = answers.iter().map(|answer| answer.text("/id")).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && !id.is_empty()), "{ids:?}");
    shop.settle().await;
    assert_eq!(shop.get("/v1/merchants").await["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_invitations_secret_lets_one_person_in_once() {
    let shop = Shop::open().await;
    let (alma, secret) = invited(&shop, "alma").await;
    let contents = format!("{:?}", shop.contents().await);
    assert!(!contents.contains(&secret), "the secret is stored");
    assert_eq!(shop.get(&format!("/v1/merchants/{alma}")).await["invitation"], Value::Null);
    let path = format!("/v1/merchants/{alma}/accept-invitation");
    let (ann, bob) = (shop.person("ann"), shop.person("bob"));
    let with = |secret: &str| json!({"secret": secret});
    assert_problem(&ann.post(&path, &with("inv_wrong"), "").await, 404, "not_found");
    let nowhere = "/v1/merchants/mer_00000000000000000000000000/accept-invitation";
    let invented = ann.post(nowhere, &with(&secret), "").await;
    let wrong = ann.post(&path, &with("x"), "").await;
    let told =
        |answer: &Answer| (answer.status, answer.text("/code").to_owned(), answer.text("/detail").to_owned());
    assert_eq!(told(&invented), told(&wrong), "nothing tells one from the other");
    assert_problem(&shop.post(&path, &with(&secret)).await, 403, "forbidden");

    assert_problem(&ann.get(&format!("/v1/merchants/{alma}")).await, 403, "forbidden");
    let accepted = ann.post(&path, &with(&secret), "").await;
    assert_eq!((accepted.status.as_u16(), accepted.text("/id")), (200, alma.as_str()), "{}", accepted.body);
    assert_eq!(ann.get(&format!("/v1/merchants/{alma}")).await.status, 200);
    assert_eq!(ann.post(&path, &with(&secret), "").await.status, 200, "a repeat of the same person");
    assert_problem(&bob.post(&path, &with(&secret), "").await, 409, "invitation_used");
    let told = shop.told(&alma).await;
    assert_eq!(told, ["merchant.invited.v1", "merchant.invitation_accepted.v1"]);
    shop.settle().await;
}

#[tokio::test]
async fn an_invitation_expires_after_14_days_and_another_takes_its_place() {
    let shop = Shop::open().await;
    let (alma, secret) = invited(&shop, "alma").await;
    let path = format!("/v1/merchants/{alma}/accept-invitation");
    shop.market.cloud.advance(SignedDuration::from_hours(14 * 24)).await.unwrap();
    let ann = shop.person("ann");
    assert_problem(&ann.post(&path, &json!({"secret": secret}), "").await, 409, "invitation_expired");
    let again = shop.done(&format!("/v1/merchants/{alma}/invite"), &json!({})).await;
    let fresh = at(&again, "/invitation/secret");
    assert_problem(&ann.post(&path, &json!({"secret": secret}), "").await, 404, "not_found");
    assert_eq!(ann.post(&path, &json!({"secret": fresh}), "").await.status, 200);
}

#[tokio::test]
async fn nobody_is_invited_into_a_merchant_that_has_begun() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let (birch, _) = invited(&shop, "birch").await;
    let invite = |merchant: &str| format!("/v1/merchants/{merchant}/invite");
    shop.done(&invite(&birch), &json!({})).await;
    let refused = shop.refused(&invite(&alma), &json!({}), 409, "merchant_transition").await;
    assert_eq!(refused.text("/detail"), "a merchant that is open cannot become invited");
}

#[tokio::test]
async fn an_operator_is_one_however_many_merchants_name_him_theirs() {
    let shop = Shop::open().await;
    for number in 1..=201 {
        shop.member("ann", MerchantId::from_bits(number).as_str(), &["orders:read"]).await;
    }
    shop.keep(&Operator { subject: subject("ann"), scopes: vec!["*".to_owned()] }).await;
    assert_eq!(shop.person("ann").get("/v1/suppressions").await.status, 200);
}

#[tokio::test]
async fn a2_1_approval_is_refused_while_a_required_requirement_is_incomplete_and_drift_suspends_nobody() {
    let shop = Shop::open().await;
    shop.done("/v1/marketplace/set-merchant-terms", &document("one")).await;
    let (alma, secret) = invited(&shop, "alma").await;
    let path = format!("/v1/merchants/{alma}");
    let ann = shop.person("ann");
    ann.post(&format!("{path}/accept-invitation"), &json!({"secret": secret}), "").await;
    let view = shop.get(&path).await;
    assert_eq!((asked(&view, "terms"), asked(&view, "payout_account")), ((false, true), (false, false)));
    let refused = shop.refused(&format!("{path}/approve"), &json!({}), 409, "merchant_requirements").await;
    assert!(refused.text("/detail").contains("terms"), "{}", refused.body);

    // An operator and a system do not accept for somebody else.
    let accept = format!("{path}/accept-terms");
    let one = json!({"sha256": hash("one")});
    assert_problem(&shop.post(&accept, &one).await, 403, "forbidden");
    assert_problem(&shop.person(OPERATOR).post(&accept, &one, "").await, 403, "forbidden");
    let other = ann.post(&accept, &json!({"sha256": hash("other")}), "").await;
    assert_problem(&other, 409, "other_terms");
    let accepted = ann.post(&accept, &one, "").await;
    assert_eq!(accepted.status, 200, "{}", accepted.body);
    let terms = &accepted.body["terms"][0];
    assert_eq!(
        (at(terms, "/accepted_by"), at(terms, "/accepted_at")),
        (format!("person:{}", subject("ann")).as_str(), START)
    );
    shop.done(&format!("{path}/approve"), &json!({})).await;

    // A newer document asks again when it is effective; until then it can be accepted already.
    let mut two = document("two");
    two["effective_at"] = json!("2026-03-04T00:00:00Z");
    shop.done("/v1/marketplace/set-merchant-terms", &two).await;
    let view = shop.get(&path).await;
    assert_eq!((asked(&view, "terms"), view["terms"].as_array().unwrap().len()), ((true, true), 2));
    shop.wait_until("2026-03-04T00:00:00Z").await;
    let drifted = shop.get(&path).await;
    let state = (asked(&drifted, "terms"), at(&drifted, "/status"), &drifted["takes_orders"]);
    assert_eq!(state, ((false, true), "open", &json!(true)));
    shop.paid_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    ann.post(&accept, &json!({"sha256": hash("two")}), "").await;
    assert_eq!(asked(&shop.get(&path).await, "terms"), (true, true));
    let past = json!({"url": "https://x.example", "sha256": hash("x"), "effective_at": START});
    shop.refused("/v1/marketplace/set-merchant-terms", &past, 422, "invalid_value").await;
}

#[tokio::test]
async fn a2_2_termination_is_refused_with_open_orders_or_payouts() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let path = format!("/v1/merchants/{alma}");
    shop.done(&format!("{path}/close"), &json!({})).await;
    let soon = format!("/v1/merchants/{}", shop.merchant("bruno", json!({"every": "day"})).await);
    shop.done(&format!("{soon}/close"), &json!({})).await;
    shop.refused(&format!("{soon}/terminate"), &json!({}), 409, "merchant_still_settling").await;
    let late = order_body("A-2", json!([line(&alma, "mug", 1, "1.00")]), json!({}));
    let answer = shop.refused("/v1/orders", &late, 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/code"), "not_open");
    let terminate = format!("{path}/terminate");
    let open = shop.refused(&terminate, &json!({}), 409, "merchant_still_open").await;
    assert!(open.text("/detail").starts_with("1 orders and 0 payouts"), "{}", open.body);
    shop.fulfill(&part(&order, 1)).await;
    shop.wait_days(1).await;
    shop.refused(&terminate, &json!({}), 409, "merchant_still_owed").await;
    shop.wait_days(4).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let open = shop.refused(&terminate, &json!({}), 409, "merchant_still_open").await;
    assert!(open.text("/detail").starts_with("0 orders and 1 payouts"), "{}", open.body);
    shop.done(&format!("/v1/payouts/{payout}/confirm"), &json!({})).await;
    let ended = shop.done(&terminate, &json!({})).await;
    assert_eq!(at(&ended, "/status"), "terminated");
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a2_3_a_closure_window_blocks_new_orders_without_changing_the_status() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let open = shop.paid_order("A-0", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.member("ann", &alma, &["merchants:write"]).await;
    shop.member("bob", &shop.merchant("birch", json!({"every": "day"})).await, &["merchants:write"]).await;
    let path = format!("/v1/merchants/{alma}/set-closures");
    let closed = json!({"closures": [{"from": "2026-03-03", "to": "2026-03-04"}]});
    assert_problem(&shop.person("bob").post(&path, &closed, "").await, 404, "not_found");
    let set = shop.person("ann").post(&path, &closed, "").await;
    assert_eq!((set.status.as_u16(), &set.body["takes_orders"]), (200, &json!(true)), "{}", set.body);
    let body = |id: &str| order_body(id, json!([line(&alma, "mug", 1, "10.00")]), json!({}));
    shop.done("/v1/orders", &body("A-1")).await;
    shop.settle().await;
    shop.wait_until("2026-03-03T00:00:00Z").await;
    let answer = shop.refused("/v1/orders", &body("A-2"), 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/code"), "not_open");
    let view = shop.get(&format!("/v1/merchants/{alma}")).await;
    assert_eq!((at(&view, "/status"), &view["takes_orders"]), ("open", &json!(false)));
    shop.fulfill(&part(&open, 1)).await;
    shop.wait_until("2026-03-05T00:00:00Z").await;
    shop.done("/v1/orders", &body("A-2")).await;
    shop.settle().await;

    let backward = json!({"closures": [{"from": "2026-03-09", "to": "2026-03-08"}, {"from": "x", "to": ""}]});
    let answer = shop.refused(&path, &backward, 422, "invalid_value").await;
    let fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| at(error, "/field")).collect();
    assert_eq!(fields, ["closures[0].to", "closures[1].from", "closures[1].to"]);
}

#[tokio::test]
async fn a_member_adds_and_removes_members_of_its_merchant_and_gives_only_what_it_has() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.member("ann", &alma, &["*"]).await;
    shop.member("bob", &alma, &["merchants:write", "fulfillment:write"]).await;
    let (ann, bob, eve) = (shop.person("ann"), shop.person("bob"), shop.person("eve"));
    let set = |sub: &str, merchant: &str, scopes: Value| {
        let role = json!({"issuer": ISSUER, "subject": sub, "merchant": merchant});
        let mut role = role.as_object().unwrap().clone();
        role.insert("scopes".to_owned(), scopes);
        Value::Object(role)
    };
    let members = format!("/v1/members?merchant={alma}");
    assert_problem(&eve.get(&members).await, 403, "forbidden");
    let added = bob.post("/v1/members", &set("eve", &alma, json!(["fulfillment:read"])), "").await;
    assert_eq!(added.status, 200, "{}", added.body);
    assert_eq!(eve.get(&format!("/v1/merchant-orders?merchant={alma}")).await.status, 200);
    // Not more than it has, not who has more, not elsewhere.
    for (body, status, code) in [
        (set("eve", &alma, json!(["payouts:read"])), 403, "forbidden"),
        (set("bob", &alma, json!(["*"])), 403, "forbidden"),
        (set("ann", &alma, json!([])), 403, "forbidden"),
        (set("eve", &birch, json!(["fulfillment:read"])), 404, "not_found"),
        (set("eve", "mer_00000000000000000000000000", json!([])), 404, "not_found"),
    ] {
        assert_problem(&bob.post("/v1/members", &body, "").await, status, code);
    }
    assert_problem(&eve.post("/v1/members", &set("eve", &alma, json!([])), "").await, 403, "forbidden");
    shop.settle().await;
    let list = ann.get(&members).await;
    let names: Vec<&str> =
        list.body["items"].as_array().unwrap().iter().map(|member| at(member, "/subject")).collect();
    let mut want = ["ann", "bob", "eve"].map(subject);
    want.sort_unstable_by(|a, b| b.cmp(a));
    assert_eq!(names, want);
    assert_problem(&ann.get(&format!("/v1/members?merchant={birch}")).await, 404, "not_found");
    assert_eq!(ann.post("/v1/members", &set("bob", &alma, json!([])), "").await.status, 200);
    assert_problem(&bob.post("/v1/members", &set("eve", &alma, json!([])), "").await, 403, "forbidden");
    shop.settle().await;
}
