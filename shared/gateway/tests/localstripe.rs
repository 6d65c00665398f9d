//! The Stripe client against localstripe, which `tests/outside/stripe.sh` starts; see the README there.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop with its cause")]

use axum::Router;
use axum::routing::post;
use domain::Money;
use domain::gateway::{Method, Outcome, Request};
use domain::id::{AttemptId, MarketplaceId, OrderId, PaymentId};
use domain::text::Word;
use edge::Clock;
use gateway::{Gateway, Notice, PATIENCE, Secret, Stripe};
use serde_json::Value;
use std::time::Duration;
use tokio::sync::mpsc;

const KEY: &str = "sk_test_12345";
const WEBHOOK: &str = "whsec_of_the_test";

fn address() -> String {
    std::env::var("LOCALSTRIPE").unwrap()
}

fn stripe() -> Gateway {
    let aws = aws_types::SdkConfig::builder().build();
    let [key, webhook] = [KEY, WEBHOOK].map(|text| Secret::new(text, &aws));
    Gateway::Stripe(Stripe::at(&address(), key, webhook, PATIENCE))
}

fn market() -> MarketplaceId {
    MarketplaceId::from_bits(1)
}

fn key(payment: u8, number: u16) -> AttemptId {
    AttemptId::of(&PaymentId::of(&OrderId::from_bits(7), payment), number)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

async fn posted(path: &str, form: &str) -> Value {
    let request = reqwest::Client::new().post(format!("{}{path}", address()));
    let request = request.header("authorization", format!("Bearer {KEY}"));
    let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
    let body = request.send().await.unwrap().text().await.unwrap();
    serde_json::from_str(&body).unwrap_or_default()
}

/// A payment method of one of Stripe's test cards, made as a browser would.
async fn token(card: &str) -> String {
    let form = format!("type=card&card[number]={card}&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123");
    posted("/v1/payment_methods", &form).await["id"].as_str().unwrap().to_owned()
}

fn authorize(payment: u8, token: &str, minor: i64) -> Request {
    let (order, token) = (OrderId::from_bits(7), Some(token.parse().unwrap()));
    let (method, amount) = (Method::Card, eur(minor));
    Request::Authorize {
        key: key(payment, 1),
        order,
        method,
        token,
        amount,
        off_session: false,
        capture: false,
    }
}

async fn call(request: &Request) -> Outcome {
    stripe().call(&market(), request).await
}

async fn ask(reference: &Word, about: &Request) -> Outcome {
    let (reference, about) = (Some(reference.clone()), Box::new(about.clone()));
    call(&Request::Ask { reference, about, called: Clock::System.now() }).await
}

fn approved(outcome: &Outcome) -> Word {
    let Outcome::Approved { reference, .. } = outcome else { panic!("{outcome:?}") };
    reference.clone()
}

fn code(outcome: &Outcome) -> String {
    let Outcome::Declined { decline } = outcome else { panic!("{outcome:?}") };
    decline.code.to_string()
}

#[tokio::test]
#[ignore = "needs localstripe: tests/outside/stripe.sh"]
async fn a_card_is_authorized_captured_in_part_and_refunded() {
    let authorization = authorize(1, &token("4242424242424242").await, 50_00);
    let intent = approved(&call(&authorization).await);
    assert!(intent.as_str().starts_with("pi_"));
    assert_eq!(approved(&ask(&intent, &authorization).await), intent);
    let capture = |number, minor| Request::Capture {
        key: key(1, number),
        authorization: intent.clone(),
        amount: eur(minor),
        last: true,
    };
    assert_eq!(code(&ask(&intent, &capture(2, 20_00)).await), "not_received");
    assert!(matches!(call(&capture(2, 50_01)).await, Outcome::Declined { .. }), "more than is authorized");
    assert_eq!(approved(&call(&capture(3, 20_00)).await).as_str(), key(1, 3).as_str());
    assert_eq!(approved(&ask(&intent, &capture(3, 20_00)).await).as_str(), key(1, 3).as_str());
    assert_eq!(
        approved(&ask(&intent, &authorization).await),
        intent,
        "a capture of ours is none that came along"
    );
    // There is no second one.
    assert_eq!(code(&call(&capture(4, 5_00)).await), "payment_intent_unexpected_state");
    let refund = Request::Refund { key: key(1, 5), authorization: intent.clone(), amount: eur(7_50) };
    assert_eq!(code(&ask(&intent, &refund).await), "not_received");
    let refunded = approved(&call(&refund).await);
    assert!(refunded.as_str().starts_with("re_"));
    assert_eq!(approved(&ask(&refunded, &refund).await), refunded);
}

#[tokio::test]
#[ignore = "needs localstripe: tests/outside/stripe.sh"]
async fn what_is_not_captured_is_released() {
    let authorization = authorize(2, &token("4242424242424242").await, 50_00);
    let intent = approved(&call(&authorization).await);
    let void = Request::Void { key: key(2, 2), authorization: intent.clone() };
    assert_eq!(code(&ask(&intent, &void).await), "not_received");
    assert_eq!(approved(&call(&void).await).as_str(), key(2, 2).as_str());
    assert_eq!(approved(&ask(&intent, &void).await).as_str(), key(2, 2).as_str());
    assert_eq!(ask(&intent, &authorization).await, Outcome::Lapsed);
}

/// Twice, for the second finds the payment method attached.
#[tokio::test]
#[ignore = "needs localstripe: tests/outside/stripe.sh"]
async fn an_authorization_is_renewed_without_its_customer() {
    let token = token("4242424242424242").await;
    let first = approved(&call(&authorize(7, &token, 50_00)).await);
    for number in [2, 3] {
        let (order, token) = (OrderId::from_bits(7), Some(token.parse().unwrap()));
        let (key, method, amount) = (key(7, number), Method::Card, eur(30_00));
        let again =
            Request::Authorize { key, order, method, token, amount, off_session: true, capture: false };
        let renewed = approved(&call(&again).await);
        assert_ne!(renewed, first);
        assert_eq!(approved(&ask(&renewed, &again).await), renewed);
    }
}

#[tokio::test]
#[ignore = "needs localstripe: tests/outside/stripe.sh"]
async fn cards_that_are_declined_or_want_a_confirmation_say_so() {
    let declined = call(&authorize(3, &token("4000000000000341").await, 10_00)).await;
    assert_eq!(code(&declined), "card_declined");
    let confirm = call(&authorize(4, &token("4000002760003184").await, 10_00)).await;
    assert_eq!(code(&confirm), "authentication_required", "localstripe names no address");
    assert!(matches!(call(&authorize(5, "pm_of_nobody", 10_00)).await, Outcome::Declined { .. }));
}

/// Signed by localstripe, over the bytes that it sends.
#[tokio::test]
#[ignore = "needs localstripe: tests/outside/stripe.sh"]
async fn a_notice_of_a_capture_proves_itself_and_names_the_capture() {
    let (heard, mut notices) = mpsc::unbounded_channel::<Vec<Notice>>();
    let hear = move |headers: http::HeaderMap, body: axum::body::Bytes| {
        let heard = heard.clone();
        async move {
            let read = stripe().read_notice(&headers, &body, Clock::System.now()).await.unwrap();
            let forged = stripe().read_notice(&headers, b"{}", Clock::System.now()).await;
            assert!(forged.is_err(), "the signature is that of its body");
            heard.send(read).unwrap();
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", post(hear))).await });
    posted(
        "/_config/webhooks/test",
        &format!("url={url}&secret={WEBHOOK}&events[]=payment_intent.succeeded"),
    )
    .await;
    let intent = approved(&call(&authorize(6, &token("4242424242424242").await, 50_00)).await);
    let capture = Request::Capture { key: key(6, 2), authorization: intent, amount: eur(20_00), last: true };
    approved(&call(&capture).await);
    // Others capture too.
    let told = loop {
        let read = tokio::time::timeout(Duration::from_secs(20), notices.recv()).await.unwrap().unwrap();
        if let Some(notice) = read.into_iter().find(|notice| notice.attempt == key(6, 2)) {
            break notice;
        }
    };
    assert_eq!((told.marketplace, approved(&told.outcome).as_str()), (market(), key(6, 2).as_str()));
}
