//! A gateway that is somebody else's: a server on this machine that speaks like Stripe, and sees what is committed.

use axum::Router;
use domain::gateway::Method;
use domain::payment::{Payment, State, Waits};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::Market;
use souk::cloud::Pace;
use std::sync::{Arc, Mutex, OnceLock};
use table::Key;
use tests::paying::{Tender, payment_id};
use tests::{HOLD_DAYS, START, Shop, at, eur_at, marketplace_id, moment, part};

/// What the server saw: method and path, and the payment as it was committed by then.
type Seen = Arc<Mutex<Vec<(String, Option<Payment>)>>>;

/// Answers a request to the gateway, from its method, path and how many of the kind came before.
type Answers = fn(&str, usize) -> (u16, Value);

/// A shop whose cards go to a server that answers so.
async fn open(answers: Answers) -> (Shop, Seen) {
    let (seen, market) = (Seen::default(), Arc::new(OnceLock::<Market>::new()));
    let (heard, inside) = (Arc::clone(&seen), Arc::clone(&market));
    let answer = move |request: axum::extract::Request| {
        let (heard, inside) = (Arc::clone(&heard), Arc::clone(&inside));
        async move {
            let what = format!("{} {}", request.method(), request.uri().path());
            let order = domain::id::OrderId::of_cart(&cart());
            let table = &inside.get().unwrap().world.table;
            let id = payment_id(order.as_str(), 1).parse().unwrap();
            let key = Key::payment(&marketplace_id(), &id).unwrap();
            let held = table.load::<Payment>(&key).await.unwrap().map(|held| held.value);
            let mut heard = heard.lock().unwrap();
            let before = heard.iter().filter(|(seen, _)| *seen == what).count();
            let (status, body) = answers(&what, before);
            heard.push((what, held));
            (axum::http::StatusCode::from_u16(status).unwrap(), body.to_string())
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let parameters =
        [("Gateways", "stripe"), ("StripeAddress", address.as_str()), ("StripeKey", "sk_test_1")];
    let opened = Market::in_memory_with(moment(START), Pace::Ordered, &parameters).await.unwrap();
    market.set(opened.clone()).ok().unwrap();
    (Shop::open_in(opened, HOLD_DAYS).await, seen)
}

fn cart() -> domain::id::CartId {
    domain::id::CartId::from_bits(domain::id::derive(&["cart", "c1"]))
}

async fn bought(shop: &Shop) -> String {
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let card = Tender {
        method: Method::Card,
        gateway: "stripe",
        token: "pm_card_visa",
        minor: 20_00,
        part: Some(1),
    };
    shop.bought("c1", &[(&alma, 2, 10_00)], &[card]).await
}

fn intent(status: &str) -> (u16, Value) {
    (200, json!({"id": "pi_1", "status": status}))
}

#[tokio::test]
async fn a9_2_the_attempt_is_committed_before_the_gateway_is_called_and_nothing_is_open_meanwhile() {
    let (shop, seen) = open(|what, _| match what {
        "POST /v1/payment_intents" => intent("requires_capture"),
        _ => intent("succeeded"),
    })
    .await;
    let order = bought(&shop).await;
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(eur_at(&shop.payment(&order, 1).await, "/captured"), "20.00");
    let seen = seen.lock().unwrap().clone();
    let calls: Vec<&str> = seen.iter().map(|(what, _)| what.as_str()).collect();
    let of_card = ["GET /v1/payment_methods/pm_card_visa", "POST /v1/customers"];
    assert_eq!(calls[..2], of_card);
    assert_eq!(calls[2..], ["POST /v1/payment_intents", "POST /v1/payment_intents/pi_1/capture"]);
    for (what, held) in &seen {
        let attempt = &held.as_ref().unwrap().attempts[usize::from(what.ends_with("/capture"))];
        assert!(matches!(attempt.state, State::Open { waits: Waits::Answer, .. }), "{what}: {attempt:?}");
    }
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_gateway_that_fails_and_has_taken_the_money_is_asked_and_takes_it_once() {
    let (shop, seen) = open(|what, before| match (what, before) {
        ("POST /v1/payment_intents", _) => intent("requires_capture"),
        ("POST /v1/payment_intents/pi_1/capture", _) => (500, json!({"error": {"type": "api_error"}})),
        ("GET /v1/payment_intents/pi_1", 0) => (200, json!("garbage")),
        _ => intent("succeeded"),
    })
    .await;
    let order = bought(&shop).await;
    shop.fulfill(&part(&order, 1)).await;
    let minutes =
        async |minutes| shop.market.cloud.advance(SignedDuration::from_mins(minutes)).await.unwrap();
    assert_eq!(at(&shop.payment(&order, 1).await, "/attempts/1/status"), "open");
    minutes(5).await;
    assert_eq!(at(&shop.payment(&order, 1).await, "/attempts/1/status"), "open", "garbage says nothing");
    minutes(55).await;
    let payment = shop.payment(&order, 1).await;
    assert_eq!(
        (at(&payment, "/attempts/1/status"), eur_at(&payment, "/captured")),
        ("approved", "20.00".to_owned())
    );
    let captures = seen.lock().unwrap().iter().filter(|(what, _)| what.ends_with("/capture")).count();
    assert_eq!(captures, 1);
    shop.books_are_right().await;
}
