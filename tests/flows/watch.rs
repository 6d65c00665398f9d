//! Functions that run outside the local cloud's process, as under `cargo lambda watch`: what they are called with, what
//! they call, their clock and their issuer's keys all pass a socket.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use domain::id::MarketplaceId;
use edge::identity::Keys;
use edge::{Clock, Function, World};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use table::access::{Issuer, Operator};
use tests::*;
use tokio::net::TcpListener;

const ELSEWHERE: &str = "http://elsewhere";

/// A tiny runner in the place of `cargo lambda watch`: functions by name, and who was called.
#[derive(Clone)]
struct Runner {
    functions: Arc<BTreeMap<&'static str, (World, Function)>>,
    called: Arc<Mutex<Vec<String>>>,
}

/// Listens on a free port of the loopback; answers the address.
async fn serve(router: Router) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn call(
    State(runner): State<Runner>,
    Path(name): Path<String>,
    body: String,
) -> Result<String, (StatusCode, String)> {
    runner.called.lock().unwrap().push(name.clone());
    let failed = |error: &dyn std::fmt::Display| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string());
    let (world, function) = runner.functions.get(name.as_str()).ok_or_else(|| failed(&"no such function"))?;
    world.clock.refresh().await.map_err(|error| failed(&error))?;
    let event = serde_json::from_str(&body).map_err(|error| failed(&error))?;
    function.call(event).await.map(|answer| answer.to_string()).map_err(|error| failed(&error))
}

/// A runner with these functions, which reach the shop's cloud over TCP only.
async fn runner(shop: &Shop, names: &[&str]) -> (Runner, String) {
    let cloud = shop.market.cloud.clone();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws_side = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { cloud.serve_aws(listener, Router::new()).await });
    let of_clients = shop.market.cloud.sdk_config("test");
    let aws = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .endpoint_url(&aws_side)
        .region(of_clients.region().cloned())
        .credentials_provider(of_clients.credentials_provider().unwrap())
        .load()
        .await;
    let mut functions = BTreeMap::new();
    for (name, build) in souk::market::functions().into_iter().filter(|(name, _)| names.contains(name)) {
        let environment = shop.market.cloud.environment_outside(name).unwrap();
        let clock = Clock::served(&format!("{aws_side}/_souk/clock"));
        let world = World::new(aws.clone(), environment, clock, Keys::over_https()).unwrap();
        functions.insert(name, (world.clone(), build(&world)));
    }
    let runner = Runner { functions: Arc::new(functions), called: Arc::default() };
    let routes = Router::new().route("/2015-03-31/functions/{name}/invocations", post(call));
    (runner.clone(), serve(routes.with_state(runner)).await)
}

/// An operator of another issuer, whose keys are read over HTTP; answers the token.
async fn operator_from_elsewhere(shop: &Shop) -> String {
    let jwks = shop.market.issuer.jwks();
    let keys = serve(Router::new().route("/keys", get(move || async { jwks }))).await;
    let marketplace: MarketplaceId = marketplace_id();
    let (issuer, audience) = (ELSEWHERE.to_owned(), "shop".to_owned());
    shop.keep(&Issuer { issuer, audience, marketplace, jwks_uri: format!("{keys}/keys") }).await;
    let subject = edge::identity::subject(ELSEWHERE, "ana");
    shop.keep(&Operator { subject, scopes: vec!["*".to_owned()] }).await;
    let hour = jiff::SignedDuration::from_hours(1);
    shop.market.issuer.token_of(ELSEWHERE, "shop", "ana", hour).unwrap()
}

#[tokio::test]
async fn requests_and_batches_of_a_watched_function_go_to_the_runner_and_keep_the_clouds_time() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let (runner, address) = runner(&shop, &["orders", "order-split"]).await;
    shop.market.cloud.watch("orders", &address).unwrap();
    shop.market.cloud.watch("order-split", &address).unwrap();
    let ana = shop.calls_as(operator_from_elsewhere(&shop).await);

    shop.wait_days(3).await;
    let body = order_body("A-1", json!([line(&alma, "mug", 2, "10.00")]), json!({}));
    let placed = ana.post("/v1/orders", &body, "").await.ok().unwrap();
    let placed_at = at(&placed, "/placed_at");
    assert!(placed_at.starts_with("2026-03-05T09:00:0"), "{placed_at} is by the clock that was moved");
    shop.settle().await;
    // Three nights' schedules of orders before, then the request and the batch.
    let called = runner.called.lock().unwrap().clone();
    assert_eq!(called.iter().filter(|name| *name == "orders").count(), 3 * 3 + 1);
    assert_eq!(called.last().map(String::as_str), Some("order-split"));
    let order = at(&placed, "/id").to_owned();
    shop.pay(&order).await;
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(eur_at(&shop.order(&order).await, "/totals/total"), "20.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_runner_that_fails_or_is_not_there_fails_the_invocation() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let (_, address) = runner(&shop, &[]).await;
    shop.market.cloud.watch("order-split", &address).unwrap();
    let order =
        at(&shop.place("A-1", json!([line(&alma, "mug", 1, "10.00")]), json!({})).await, "/id").to_owned();
    let settled = shop.market.cloud.settle().await.unwrap();
    assert_eq!((settled.failures, settled.waiting), (1, 1), "the message comes again");
    assert_eq!(shop.order(&order).await["merchant_orders"], json!([]));

    shop.market.cloud.watch("orders", "http://127.0.0.1:1").unwrap();
    let refused = shop.market.cloud.invoke("orders", json!({})).await.unwrap_err();
    assert!(refused.contains("is `cargo lambda watch` running?"), "{refused}");
    let answer = shop.api.get("/v1/orders").await;
    assert_eq!((answer.status.as_u16(), &answer.body["message"]), (500, &json!("Internal Server Error")));
    let unknown = shop.market.cloud.watch("basket", &address).unwrap_err();
    assert_eq!(unknown.to_string(), "the template has no function basket");
}
