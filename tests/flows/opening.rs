//! A marketplace opens through the API: by the one person whom the deployment names, once for each issuer.

use edge::World;
use serde_json::{Value, json};
use souk::Market;
use souk::api::{Answer, Api};
use souk::cloud::Pace;
use souk::issuer::{AUDIENCE, ISSUER};
use std::sync::Arc;
use tests::*;

/// A cloud in which nothing is open yet.
async fn empty() -> Shop {
    Shop::in_market(Market::in_memory(moment(START), Pace::Ordered).await.unwrap())
}

fn body() -> Value {
    json!({"name": "Corner", "currency": "EUR", "locale": "de-AT"})
}

async fn open(api: &Api, body: &Value) -> Answer {
    api.post("/v1/marketplaces", body, "").await
}

#[tokio::test]
async fn the_deployments_operator_opens_a_marketplace_and_it_sells() {
    let shop = empty().await;
    let operator = shop.person(OPERATOR);
    assert_problem(&operator.get("/v1/marketplace").await, 401, "unauthenticated");
    let opened = open(&operator, &body()).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    assert_eq!((opened.text("/marketplace/locale"), opened.text("/issuer")), ("de-AT", ISSUER));
    assert_eq!(opened.text("/operator"), edge::identity::subject(ISSUER, OPERATOR));
    assert_eq!(opened.body["marketplace"]["hold_days"], 14);

    // The person operates it at once, and so does the key.
    let shown = operator.get("/v1/marketplace").await;
    assert_eq!(shown.body, opened.body["marketplace"]);
    let system = shop.calls_as(opened.text("/api_key"));
    assert_eq!(system.post("/v1/merchants", &json!({"name": "alma"}), "k").await.status, 201);
    let told = shop.market.world.table.scan_outbox(None).await.unwrap().items;
    let first = told.iter().flat_map(table::outbox::Entry::envelopes).find(|event| event.step == 1);
    assert_eq!(first.unwrap().marketplace.as_str(), opened.text("/marketplace/id"));
    shop.settle().await;
}

#[tokio::test]
async fn a_repeat_is_recognized_and_shows_no_secret_again() {
    let shop = empty().await;
    let operator = shop.person(OPERATOR);
    let opened = open(&operator, &body()).await;
    let before = shop.contents().await;
    let again = open(&operator, &body()).await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["idempotent-replayed"]),
        (200, &"true".parse().unwrap())
    );
    assert_eq!(
        (&again.body["marketplace"], &again.body["api_key"]),
        (&opened.body["marketplace"], &Value::Null)
    );
    let other = json!({"name": "Other", "currency": "EUR", "locale": "de-AT"});
    assert_problem(&open(&operator, &other).await, 409, "issuer_taken");
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn a_second_marketplace_has_an_issuer_of_its_own() {
    let shop = empty().await;
    let operator = shop.person(OPERATOR);
    let first = open(&operator, &body()).await;
    let mut second = body();
    second["name"] = json!("Second");
    second["issuer"] = json!({
        "issuer": "https://login.second.example", "audience": "second", "subject": "zoe",
        "jwks_uri": "https://login.second.example/jwks.json",
    });
    let charge = json!({"fee": "commission", "percent": "8"});
    second["settings"] = json!({"hold_days": 2, "commission": [charge], "critical_balance": eur("10.00")});
    let opened = open(&operator, &second).await;
    assert_eq!(opened.status, 201, "{}", opened.body);
    assert_eq!(opened.text("/operator"), edge::identity::subject("https://login.second.example", "zoe"));
    assert_ne!(opened.body["marketplace"]["id"], first.body["marketplace"]["id"]);
    // Each key sees its own; the person's token leads to the first.
    let seen = shop.calls_as(opened.text("/api_key")).get("/v1/marketplace").await;
    assert_eq!((seen.text("/name"), &seen.body["hold_days"]), ("Second", &json!(2)));
    assert_eq!(operator.get("/v1/marketplace").await.text("/name"), "Corner");

    // A second marketplace may not take the issuer of the first.
    second["name"] = json!("Third");
    assert_problem(&open(&operator, &second).await, 409, "issuer_taken");
}

#[tokio::test]
async fn nobody_else_opens_a_marketplace() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let hour = jiff::SignedDuration::from_hours(1);
    let issuer = &shop.market.issuer;
    let elsewhere = issuer.token_of("https://evil.example", AUDIENCE, OPERATOR, hour).unwrap();
    let late = issuer.token(OPERATOR, -hour).unwrap();
    let aside = issuer.token_of(ISSUER, "elsewhere", OPERATOR, hour).unwrap();
    for (bearer, status, code) in [
        (issuer.token("somebody", hour).unwrap(), 403, "forbidden"),
        (elsewhere, 403, "forbidden"),
        (SECRET.to_owned(), 403, "forbidden"),
        (late, 401, "unauthenticated"),
        (aside, 401, "unauthenticated"),
        ("x".to_owned(), 401, "unauthenticated"),
        (String::new(), 401, "unauthenticated"),
    ] {
        assert_problem(&open(&shop.calls_as(bearer), &body()).await, status, code);
    }
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn bad_values_of_an_opening_are_told_all_at_once() {
    let shop = empty().await;
    let mut bad = body();
    bad["locale"] = json!("de_AT");
    bad["settings"] = json!({"hold_days": 400, "commission": [], "critical_balance": eur("-1.00")});
    bad["issuer"] = json!({"issuer": "http://x.example", "audience": "", "subject": "a#b", "jwks_uri": "x"});
    let answer = open(&shop.person(OPERATOR), &bad).await;
    assert_problem(&answer, 422, "invalid_value");
    let fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| at(error, "/field")).collect();
    let settings = ["settings.critical_balance", "settings.hold_days"];
    let issuer = ["issuer.issuer", "issuer.jwks_uri", "issuer.audience", "issuer.subject"];
    assert_eq!(fields, [&["locale"][..], &settings, &issuer].concat());
    let odd = json!({"name": "x", "currency": "EUR", "locale": "de", "id": "mkt_00000000"});
    assert_problem(&open(&shop.person(OPERATOR), &odd).await, 400, "malformed_request");
}

#[tokio::test]
async fn a_deployment_that_names_nobody_opens_nothing_and_says_which_parameter_to_set() {
    let shop = empty().await;
    for (variable, parameter) in
        [("OPERATOR_SUBJECT", "OperatorSubject"), ("OPERATOR_ISSUER", "OperatorIssuer")]
    {
        let mut environment = shop.market.cloud.environment("admin").unwrap();
        environment.insert(variable.to_owned(), String::new());
        let aws = shop.market.cloud.sdk_config("admin");
        let (clock, keys) = (shop.market.clock.clone(), shop.market.world.keys.clone());
        let function = admin::function(&World::new(aws, environment, clock, keys).unwrap());
        let call = move |event| {
            let function = function.clone();
            let answer = async move { function.call(event).await.map_err(|error| error.to_string()) };
            Box::pin(answer) as futures::future::BoxFuture<'static, _>
        };
        shop.market.cloud.register("admin", Arc::new(call));
        let answer = open(&shop.person(OPERATOR), &body()).await;
        assert_problem(&answer, 403, "forbidden");
        assert!(answer.text("/detail").contains(parameter), "{}", answer.body);
    }
    assert!(shop.contents().await.is_empty());
}
