//! Who may see and do what: scopes, merchants' people, tokens that prove nothing. That each operation asks for its own
//! scope is proven in `contract/permissions.rs`, from the tables of routes.

use jiff::SignedDuration;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};
use souk::api::Answer;
use souk::issuer::{AUDIENCE, ISSUER};
use table::access::ApiKey;
use tests::*;

/// A shop with a merchant that was paid once.
async fn paid_shop() -> (Shop, String, String, String) {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    (shop, alma, order, payout)
}

#[tokio::test]
async fn write_implies_read_and_one_scope_opens_no_other_door() {
    let (shop, alma, order, payout) = paid_shop().await;
    shop.key("sk_orders", &["orders:write"], None).await;
    shop.key("sk_reader", &["orders:read"], None).await;
    let (writer, reader) = (shop.calls_as("sk_orders"), shop.calls_as("sk_reader"));
    for path in ["/v1/orders".to_owned(), format!("/v1/orders/{order}")] {
        assert_eq!(writer.get(&path).await.status, 200, "{path}");
        assert_eq!(reader.get(&path).await.status, 200, "{path}");
    }
    let body = order_body("A-2", json!([line(&alma, "mug", 1, "1.00")]), json!({}));
    assert_problem(&reader.post("/v1/orders", &body, "k").await, 403, "forbidden");
    assert_eq!(writer.post("/v1/orders", &body, "k").await.status, 201);
    for path in [
        format!("/v1/payouts/{payout}"),
        format!("/v1/balances/{alma}"),
        "/v1/merchants".to_owned(),
        "/v1/ledger/accounts".to_owned(),
        format!("/v1/audit/{order}"),
    ] {
        assert_problem(&writer.get(&path).await, 403, "forbidden");
    }
}

#[tokio::test]
async fn a1_2_to_a_merchants_people_another_merchants_things_are_not_there() {
    let (shop, alma, order, payout) = paid_shop().await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.member("ann", &alma, &["fulfillment:write", "payouts:read", "merchants:read"]).await;
    shop.member("bob", &birch, &["fulfillment:write", "payouts:read", "merchants:read"]).await;
    shop.key("sk_birch", &["fulfillment:write", "payouts:read", "merchants:read"], Some(&birch)).await;
    let open = shop.paid_order("A-2", json!([line(&alma, "mug", 1, "10.00")])).await;
    let (ann, bob, system) = (shop.person("ann"), shop.person("bob"), shop.calls_as("sk_birch"));
    let paths = [
        format!("/v1/merchant-orders/{}", part(&order, 1)),
        format!("/v1/merchant-orders?merchant={alma}"),
        format!("/v1/payouts/{payout}"),
        format!("/v1/payouts/{payout}/lines"),
        format!("/v1/payouts?merchant={alma}"),
        format!("/v1/balances/{alma}"),
        format!("/v1/merchants/{alma}"),
    ];
    for path in &paths {
        assert_eq!(ann.get(path).await.status, 200, "{path}");
        assert_problem(&bob.get(path).await, 404, "not_found");
        assert_problem(&system.get(path).await, 404, "not_found");
    }
    // Not there either: nothing tells a foreign id from an invented one.
    let foreign = bob.get(&format!("/v1/merchant-orders/{}", part(&open, 1))).await;
    let invented =
        bob.get(&format!("/v1/merchant-orders/{}", part("ord_00000000000000000000000000", 1))).await;
    let told = |mut answer: Answer| {
        assert!(answer.body["trace_id"].take().is_string(), "{}", answer.body);
        answer.body
    };
    assert_eq!(told(foreign), told(invented));

    let before = shop.contents().await;
    let path = format!("/v1/merchant-orders/{}", part(&open, 1));
    let parcel = json!({"carrier": "dhl", "tracking_number": "T-1"});
    for (step, body) in [
        ("accept", json!({})),
        ("ship", parcel.clone()),
        ("reject", json!({"lines": [{"line": 1, "quantity": 1}], "reason": "x"})),
    ] {
        assert_problem(&bob.post(&format!("{path}/{step}"), &body, "").await, 404, "not_found");
        assert_problem(&system.post(&format!("{path}/{step}"), &body, "k").await, 404, "not_found");
    }
    assert!(shop.contents().await == before);
    let shipped = ann.post(&format!("{path}/ship"), &parcel, "").await;
    assert_eq!(shipped.status, 200, "people need no idempotency key: {}", shipped.body);
    let events = shop.events(&open).await;
    let told = events.iter().find(|event| event.name == "merchant_order.shipped.v1").unwrap();
    assert_eq!(told.actor, format!("person:{}", edge::identity::subject(ISSUER, "ann")));

    // What belongs to the whole marketplace is an operator's.
    for path in ["/v1/orders".to_owned(), format!("/v1/orders/{order}"), format!("/v1/audit/{order}")] {
        assert_problem(&ann.get(&path).await, 403, "forbidden");
    }
    assert_problem(&ann.get("/v1/merchants").await, 403, "forbidden");
    assert_problem(
        &ann.post(&format!("/v1/payouts/{payout}/confirm"), &json!({}), "").await,
        403,
        "forbidden",
    );
}

#[tokio::test]
async fn a_person_with_two_memberships_sees_both_merchants_with_the_scopes_of_each() {
    let (shop, alma, order, payout) = paid_shop().await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let cedar = shop.merchant("cedar", json!({"every": "day"})).await;
    shop.member("ann", &alma, &["payouts:read", "fulfillment:read"]).await;
    shop.member("ann", &birch, &["fulfillment:write"]).await;
    let ann = shop.person("ann");
    assert_eq!(ann.get(&format!("/v1/payouts/{payout}")).await.status, 200);
    assert_eq!(ann.get(&format!("/v1/balances/{alma}")).await.status, 200);
    assert_problem(&ann.get(&format!("/v1/balances/{birch}")).await, 404, "not_found");
    for (merchant, status) in [(&alma, 200), (&birch, 200), (&cedar, 404)] {
        let answer = ann.get(&format!("/v1/merchant-orders?merchant={merchant}")).await;
        assert_eq!(answer.status, status, "{merchant}");
    }
    let unnamed = ann.get("/v1/merchant-orders").await;
    assert_problem(&unnamed, 422, "invalid_value");
    // Alma may only be read.
    let of_alma = format!("/v1/merchant-orders/{}", part(&order, 1));
    assert_eq!(ann.get(&of_alma).await.status, 200);
    assert_problem(&ann.post(&format!("{of_alma}/accept"), &json!({}), "").await, 404, "not_found");
    let of_birch = shop.paid_order("A-2", json!([line(&birch, "novel", 1, "10.00")])).await;
    let accept = format!("/v1/merchant-orders/{}/accept", part(&of_birch, 1));
    assert_eq!(ann.post(&accept, &json!({}), "").await.status, 200);
}

/// Base 64 as JSON web tokens have it.
fn base64url(bytes: &[u8]) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..=chunk.len() {
            let place = usize::try_from(bits >> (18 - 6 * digit) & 63).unwrap();
            text.push(char::from(alphabet[place]));
        }
    }
    text
}

#[tokio::test]
async fn a_token_that_proves_nothing_is_a_401_problem() {
    let shop = Shop::open().await;
    let issuer = &shop.market.issuer;
    let (hour, past) = (SignedDuration::from_hours(1), SignedDuration::from_hours(-1));
    let good = issuer.token(OPERATOR, hour).unwrap();
    assert_eq!(shop.calls_as(&good).get("/v1/orders").await.status, 200);

    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!("{good}") };
    let other = issuer.token("somebody", hour).unwrap();
    let stolen = other.split('.').nth(1).unwrap();
    let none = base64url(br#"{"alg":"none","typ":"JWT","kid":"local"}"#);
    // The public key as a shared secret, in both forms an attacker would find it in.
    let jwks: Value = serde_json::from_str(&issuer.jwks()).unwrap();
    let public = at(&jwks, "/keys/0/x").to_owned();
    let body: Value = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": OPERATOR, "iat": 1_772_442_000, "exp": 4_102_444_800_i64,
    });
    let confused = |secret: &[u8], kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::HS256) };
        jsonwebtoken::encode(&header, &body, &EncodingKey::from_secret(secret)).unwrap()
    };
    let tokens = [
        ("expired", issuer.token(OPERATOR, past).unwrap()),
        ("another audience", issuer.token_of(ISSUER, "elsewhere", OPERATOR, hour).unwrap()),
        ("an unknown issuer", issuer.token_of("https://evil.example", AUDIENCE, OPERATOR, hour).unwrap()),
        ("claims of another token", format!("{header}.{stolen}.{signature}")),
        ("a changed signature", format!("{header}.{claims}.{}", base64url(&[0; 64]))),
        ("no signature", format!("{header}.{claims}.")),
        ("alg none", format!("{none}.{claims}.")),
        ("alg none with a signature", format!("{none}.{claims}.{signature}")),
        ("HS256 with the public key", confused(public.as_bytes(), Some("local"))),
        ("HS256 with the key set", confused(issuer.jwks().as_bytes(), Some("local"))),
        ("HS256 without a key id", confused(public.as_bytes(), None)),
        ("an unknown key id", confused(public.as_bytes(), Some("other"))),
        ("two parts", format!("{header}.{claims}")),
        ("no token", "x".to_owned()),
        ("an unknown key", "sk_unknown".to_owned()),
        ("half a key", SECRET[..SECRET.len() - 1].to_owned()),
    ];
    let before = shop.contents().await;
    for (name, token) in tokens {
        let answer = shop.calls_as(&token).get("/v1/orders").await;
        assert_eq!((name, answer.status.as_u16()), (name, 401), "{}", answer.body);
        assert_eq!(answer.headers["www-authenticate"], "Bearer");
        assert_problem(&answer, 401, "unauthenticated");
        assert!(!answer.body.to_string().contains(&token), "{name}: the answer shows the token");
    }
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn a_good_token_of_somebody_without_a_role_is_forbidden() {
    let shop = Shop::open().await;
    assert_problem(&shop.person("stranger").get("/v1/orders").await, 403, "forbidden");
}

#[tokio::test]
async fn a_revoked_key_is_unknown() {
    let shop = Shop::open().await;
    let key = ApiKey {
        revoked_at: Some(moment(START)),
        digest: domain::id::sha256_hex(b"sk_old"),
        ..shop.key("sk_new", &["*"], None).await
    };
    shop.keep(&key).await;
    assert_eq!(shop.calls_as("sk_new").get("/v1/orders").await.status, 200);
    assert_problem(&shop.calls_as("sk_old").get("/v1/orders").await, 401, "unauthenticated");
}

#[tokio::test]
async fn nobody_takes_a_key_with_scopes_that_he_does_not_have_himself() {
    let shop = Shop::open().await;
    let whole = shop.key("sk_whole", &["*"], None).await;
    let small = shop.key("sk_small", &["orders:read"], None).await;
    shop.key("sk_access", &["access:write", "orders:read"], None).await;
    shop.settle().await;
    let access = shop.calls_as("sk_access");
    let revoke =
        async |key: &ApiKey| access.post(&format!("/v1/api-keys/{}/revoke", key.id), &json!({}), "").await;
    assert_problem(&revoke(&whole).await, 403, "forbidden");
    assert_eq!(shop.calls_as("sk_whole").get("/v1/orders").await.status, 200);
    assert_eq!(revoke(&small).await.status, 200);
    assert_problem(&shop.calls_as("sk_small").get("/v1/orders").await, 401, "unauthenticated");
}

#[tokio::test]
async fn a_revoked_publishable_key_is_unknown_ten_seconds_later() {
    let shop = Shop::open().await;
    let key = shop.done("/v1/api-keys", &json!({"name": "window", "scopes": [], "publishable": true})).await;
    shop.settle().await;
    let window = shop.calls_as(at(&key, "/secret"));
    assert_eq!(window.post("/v1/carts", &json!({"country": "DE"}), "").await.status, 201);
    shop.done(&format!("/v1/api-keys/{}/revoke", at(&key, "/id")), &json!({})).await;
    assert_eq!(window.post("/v1/carts", &json!({"country": "DE"}), "").await.status, 201);
    shop.market.clock.advance(SignedDuration::from_secs(10));
    assert_problem(&window.post("/v1/carts", &json!({"country": "DE"}), "").await, 401, "unauthenticated");
}

#[tokio::test]
async fn who_gives_access_gives_and_takes_only_what_he_has_himself() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    shop.key("sk_access", &["access:write", "orders:write"], None).await;
    let access = shop.calls_as("sk_access");
    let role = |sub: &str, scopes: Value| json!({"issuer": ISSUER, "subject": sub, "scopes": scopes});
    let member = |scopes: Value| {
        let mut body = role("ann", scopes);
        body["merchant"] = json!(alma);
        body
    };
    let key = |scopes: Value| json!({"name": "robot", "scopes": scopes});
    let key_of_alma = |scopes: Value| json!({"name": "robot", "scopes": scopes, "merchant": alma});
    for (path, body) in [
        ("/v1/api-keys", key(json!(["*"]))),
        ("/v1/api-keys", key(json!(["orders:read", "payouts:read"]))),
        ("/v1/api-keys", key_of_alma(json!(["payouts:read"]))),
        ("/v1/operators", role("ann", json!(["*"]))),
        ("/v1/operators", role("ann", json!(["ledger:read"]))),
        // Nor is anybody else's role his to take.
        ("/v1/operators", role(OPERATOR, json!([]))),
    ] {
        let before = shop.contents().await;
        assert_problem(&access.post(path, &body, &shop.fresh()).await, 403, "forbidden");
        assert!(shop.contents().await == before, "{path} {body}");
    }
    for (path, body, status) in [
        ("/v1/api-keys", key(json!(["orders:read", "access:write"])), 201),
        ("/v1/api-keys", key_of_alma(json!(["orders:write"])), 201),
        ("/v1/operators", role("ann", json!(["orders:read"])), 200),
        ("/v1/operators", role("ann", json!([])), 200),
    ] {
        let answer = access.post(path, &body, &shop.fresh()).await;
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
    }
    // The whole set at once: what is no scope, what is twice, what is too much.
    for (scopes, field, code) in [
        (json!(["orders:read", "orders:read"]), "scopes[1]", "twice"),
        (json!(["orders:fly"]), "scopes[0]", "unknown"),
        (json!(vec!["orders:read"; 51]), "scopes", "range"),
    ] {
        let bodies = [
            ("/v1/api-keys", key(scopes.clone())),
            ("/v1/operators", role("ann", scopes.clone())),
            ("/v1/members", member(scopes.clone())),
        ];
        for (path, body) in bodies {
            let answer = shop.refused(path, &body, 422, "invalid_value").await;
            let error = &answer.body["errors"][0];
            assert_eq!((at(error, "/field"), at(error, "/code")), (field, code), "{path} {scopes}");
        }
    }
}
