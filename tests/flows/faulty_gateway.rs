//! Whole checkouts at a gateway that is late, fails, talks nonsense or tells twice: nothing is charged twice, nothing
//! is held for ever, and nothing is lost.

use axum::Router;
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::id::{CartId, OfferId, derive};
use edge::Clock;
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::Market;
use souk::api::Answer;
use souk::cloud::Pace;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock};
use table::Key;
use tests::storefront::*;
use tests::*;

const WEBHOOK: &str = "whsec_of_the_test";

/// What the server does with a request.
#[derive(Debug, Clone)]
enum Does {
    Says(u16, String),
    /// Not within the time that anybody waits.
    Nothing,
    /// Its notice is there before its answer, and again after it.
    Notifies,
}

/// What the server was asked: method and path, and the metadata that came with it.
type Seen = Arc<Mutex<Vec<(String, HashMap<String, String>)>>>;

fn says(body: &Value) -> Does {
    Does::Says(200, body.to_string())
}

/// A payment intent with the names that its request gave it.
fn intent(status: &str, names: &HashMap<String, String>) -> Value {
    json!({
        "id": "pi_1", "status": status, "currency": "eur", "amount_received": 0, "metadata": names,
    })
}

/// The metadata of a form.
fn names(form: &[u8]) -> HashMap<String, String> {
    let form = String::from_utf8_lossy(form).replace("%5B", "[").replace("%5D", "]");
    let pairs = form.split('&').filter_map(|pair| pair.split_once('='));
    let named = pairs.filter_map(|(name, value)| {
        let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((name.to_owned(), value.to_owned()))
    });
    named.collect()
}

/// A notice of Stripe's about an intent, signed.
async fn notify(market: &Market, intent: &Value) -> Answer {
    let body = json!({
        "type": "payment_intent.amount_capturable_updated", "data": {"object": intent},
    });
    let body = body.to_string();
    let signature = gateway::signature::stripe(WEBHOOK, Clock::System.now(), body.as_bytes());
    let api = souk::api::Api::new(&market.cloud, "");
    let headers = [("stripe-signature", signature.as_str())];
    api.send_with(http::Method::POST, "/v1/gateways/stripe/webhooks", &body, &headers).await
}

/// A storefront whose cards go to a server on this machine that `does` so with the method and path of each request.
async fn open(does: fn(&str, &HashMap<String, String>) -> Does) -> (Storefront, Seen) {
    let (seen, market) = (Seen::default(), Arc::new(OnceLock::<Market>::new()));
    let (heard, inside) = (Arc::clone(&seen), Arc::clone(&market));
    let answer = move |request: axum::extract::Request| {
        let (heard, inside) = (Arc::clone(&heard), Arc::clone(&inside));
        async move {
            let (parts, body) = request.into_parts();
            let what = format!("{} {}", parts.method, parts.uri.path());
            let mut given = names(&axum::body::to_bytes(body, 10_000).await.unwrap());
            if given.is_empty() {
                let asked = heard.lock().unwrap();
                given = asked.iter().rev().find(|(_, names)| !names.is_empty()).unwrap().1.clone();
            }
            heard.lock().unwrap().push((what.clone(), given.clone()));
            let (status, body) = match does(&what, &given) {
                Does::Says(status, body) => (status, body),
                Does::Nothing => std::future::pending().await,
                Does::Notifies => {
                    let (market, intent) = (inside.get().unwrap(), intent("requires_capture", &given));
                    for _ in 0..2 {
                        assert_eq!(notify(market, &intent).await.status, 200);
                    }
                    (200, intent.to_string())
                }
            };
            (axum::http::StatusCode::from_u16(status).unwrap(), body)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    let parameters = [
        ("Gateways", "stripe"),
        ("StripeAddress", address.as_str()),
        ("StripeKey", "sk_test_1"),
        ("StripeWebhookSecret", WEBHOOK),
    ];
    let opened = Market::in_memory_with(moment(START), Pace::Ordered, &parameters).await.unwrap();
    market.set(opened.clone()).ok().unwrap();
    (Storefront::in_shop(Shop::open_in(opened, HOLD_DAYS).await, 100).await, seen)
}

fn count(seen: &Seen, what: &str) -> usize {
    seen.lock().unwrap().iter().filter(|(asked, _)| asked == what).count()
}

async fn minutes(market: &Storefront, minutes: i64) {
    market.shop.market.cloud.advance(SignedDuration::from_mins(minutes)).await.unwrap();
    market.shop.settle().await;
}

/// A cart of Alma's goods alone, in which nothing is missing: two mugs, a bowl and 4.90 of delivery.
async fn ready(market: &Storefront) -> String {
    let cart = market.cart().await;
    let add = json!([{"offer": market.mug, "quantity": 2}, {"offer": market.bowl, "quantity": 1}]);
    let delivery = json!([{"merchant": market.alma, "service": "standard"}]);
    market.edit(&cart, &json!({"add": add})).await;
    market.edit(&cart, &json!({"contact": contact(), "address": address(), "delivery": delivery})).await;
    cart
}

async fn pay(market: &Storefront, cart: &str) -> Answer {
    market.pay(cart, "32.25", "pm_card_visa").await
}

/// One order of one authorization, with its stock promised once and its cart over.
async fn is_placed_once(market: &Storefront, cart: &str, seen: &Seen) {
    assert_eq!(market.show(cart).await["status"], "completed");
    let orders = market.shop.get("/v1/orders?from=2026-03-02&to=2026-03-03").await;
    let orders = orders["items"].as_array().unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    assert_eq!(count(seen, "POST /v1/payment_intents"), 1, "the money was asked for once");
    assert_eq!(market.shop.stock(&market.mug).await, (100, 2, 98));
    market.shop.books_are_right().await;
}

const INTENTS: &str = "POST /v1/payment_intents";
const SEARCH: &str = "GET /v1/payment_intents/search";

fn found(names: &HashMap<String, String>) -> Does {
    says(&json!({"data": [intent("requires_capture", names)]}))
}

#[tokio::test]
async fn a_gateway_that_answers_after_everybody_has_gone_is_asked_and_has_charged_once() {
    let (market, seen) = open(|what, names| match what {
        INTENTS => Does::Nothing,
        _ => found(names),
    })
    .await;
    let cart = ready(&market).await;
    let waits = pay(&market, &cart).await;
    assert_eq!((waits.status.as_u16(), waits.text("/status")), (202, "processing"));
    assert_problem(&pay(&market, &cart).await, 409, "payment_in_flight");
    minutes(&market, 5).await;
    is_placed_once(&market, &cart, &seen).await;
}

#[tokio::test]
async fn what_is_no_answer_leaves_the_cart_locked_until_the_gateway_has_said_what_it_did() {
    // With errors of its own, a conflict over the key, pages of a proxy, half of an answer, and JSON that says nothing.
    let answers: [fn(&str, &HashMap<String, String>) -> Does; 7] = [
        |what, names| if what == INTENTS { Does::Says(500, String::new()) } else { found(names) },
        |what, names| {
            if what == INTENTS { Does::Says(502, "<html>Bad Gateway".into()) } else { found(names) }
        },
        |what, names| if what == INTENTS { Does::Says(409, "{}".into()) } else { found(names) },
        |what, names| if what == INTENTS { Does::Says(200, "<html>".into()) } else { found(names) },
        |what, names| {
            if what == INTENTS { Does::Says(200, r#"{"id": "pi_1", "sta"#.into()) } else { found(names) }
        },
        |what, names| if what == INTENTS { Does::Says(200, "[1, 2]".into()) } else { found(names) },
        |what, names| if what == INTENTS { says(&json!({"id": 7, "status": ["?"]})) } else { found(names) },
    ];
    for answer in answers {
        let (market, seen) = open(answer).await;
        let cart = ready(&market).await;
        let waits = pay(&market, &cart).await;
        assert_eq!((waits.status.as_u16(), waits.text("/status")), (202, "processing"), "{}", waits.body);
        assert_problem(&market.try_edit(&cart, &json!({"set": []})).await, 409, "payment_in_flight");
        minutes(&market, 5).await;
        assert_eq!(count(&seen, SEARCH), 1);
        is_placed_once(&market, &cart, &seen).await;
    }
}

#[tokio::test]
async fn a_charge_that_never_came_to_be_frees_the_cart_and_its_stock() {
    let (market, seen) = open(|what, names| match (what, names.get("payment").map(String::as_str)) {
        // The second payment is the customer's next try.
        (INTENTS, Some(payment)) if payment.ends_with("02") => says(&intent("requires_capture", names)),
        (INTENTS, _) => Does::Says(503, "overloaded".to_owned()),
        _ => says(&json!({"data": []})),
    })
    .await;
    let cart = ready(&market).await;
    assert_eq!(pay(&market, &cart).await.status, 202);
    minutes(&market, 5).await;
    assert_eq!(market.show(&cart).await["status"], "open");
    let paid = pay(&market, &cart).await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    assert_eq!(count(&seen, INTENTS), 2);
    assert_eq!(market.shop.stock(&market.mug).await, (100, 2, 98));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_notice_before_the_answer_and_twice_places_one_order() {
    let (market, seen) = open(|what, _| match what {
        INTENTS => Does::Notifies,
        other => panic!("nobody needs to ask: {other}"),
    })
    .await;
    let cart = ready(&market).await;
    let paid = pay(&market, &cart).await;
    assert!([200, 201].contains(&paid.status.as_u16()), "{}", paid.body);
    market.shop.settle().await;
    let names = seen.lock().unwrap()[0].1.clone();
    // And once more when all is over.
    let late = notify(&market.shop.market, &intent("requires_capture", &names)).await;
    assert_eq!(late.status, 200, "{}", late.body);
    market.shop.settle().await;
    is_placed_once(&market, &cart, &seen).await;
}

/// What is in the table of an offer.
async fn offer(market: &Storefront, id: &str) -> Offer {
    let id: OfferId = id.parse().unwrap();
    let held = market.shop.market.world.table.load::<Offer>(&Key::offer(&marketplace_id(), &id)).await;
    held.unwrap().unwrap().value
}

#[tokio::test]
async fn a_function_whose_clock_is_ahead_takes_a_hold_too_early_and_nobody_is_oversold_or_charged() {
    let market = Storefront::stocked(2).await;
    let slow = market.ready().await;
    assert_eq!(market.pay(&slow, "57.15", "tok_action").await.status, 202);
    assert_eq!(market.shop.stock(&market.mug).await, (2, 0, 0));
    // In its eyes the units are anybody's again.
    let (quick, m) = (market.ready().await, marketplace_id());
    let id: CartId = quick.parse().unwrap();
    let table = &market.shop.market.world.table;
    let ahead = market.shop.market.clock.now() + SignedDuration::from_hours(24 * 40);
    let (mug, bowl, scarf) = (
        offer(&market, &market.mug).await,
        offer(&market, &market.bowl).await,
        offer(&market, &market.scarf).await,
    );
    let wanted = [(&mug, 2), (&bowl, 1), (&scarf, 1)];
    let until = ahead + SignedDuration::from_mins(10);
    let holds = table.hold(&m, &id, &wanted, &[], until, ahead).await.unwrap().unwrap();
    let held = table.load::<Cart>(&Key::cart(&m, &id)).await.unwrap().unwrap();
    let holding = held.value.clone().holding(holds, until);
    table.put(&m, Some(&held), &holding).await.unwrap();
    assert_eq!(market.pay(&quick, "57.15", "tok_approved").await.status, 201);
    // The first customer's bank approves: there is nothing left, and nothing is taken.
    let shown = market.guest.get(&format!("/v1/checkouts/{slow}")).await;
    let payment = shown.text("/payments/0/id").to_owned();
    market.shop.done("/v1/gateways/sandbox/tell", &json!({"payment": payment, "said": "confirm"})).await;
    market.shop.settle().await;
    assert_eq!(market.show(&slow).await["status"], "open");
    minutes(&market, 60).await;
    let view = market.shop.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!(at(&view, "/status"), "released");
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

/// An offer of so many units that lie in 16 bins, as those of a hot one do, with nothing held any more.
async fn hot(market: &Storefront, merchant: &str, sku: String) -> String {
    let (m, shop) = (marketplace_id(), &market.shop);
    let id = shop.stocked(merchant, &sku, 256).await;
    shop.settle().await;
    let (offer, table, now) = (offer(market, &id).await, &shop.market.world.table, shop.market.clock.now());
    let until = now + SignedDuration::from_mins(10);
    let hold = |n: u32| {
        let cart = CartId::from_bits(derive(&["hot", &sku, &n.to_string()]));
        let offer = offer.clone();
        async move { table.hold(&m, &cart, &[(&offer, 1)], &[], until, now).await.unwrap().unwrap().remove(0).bin }
    };
    let mut bins = Vec::new();
    for n in 0..96 {
        bins.push(hold.clone()(n).await);
    }
    assert!(bins.iter().any(|bin| *bin > 3), "{bins:?}");
    id
}

#[tokio::test]
async fn an_order_out_of_too_many_bins_is_refused_before_anything_is_charged() {
    let market = Storefront::open().await;
    let offers = join_all((1..=7).map(|n| hot(&market, &market.alma, format!("hot-{n}")))).await;
    minutes(&market, 11).await;
    let cart = market.cart().await;
    let add: Vec<Value> = offers.iter().map(|offer| json!({"offer": offer, "quantity": 256})).collect();
    market.edit(&cart, &json!({"add": add})).await;
    let delivery = json!([{"merchant": market.alma, "service": "standard"}]);
    let edit = json!({"contact": contact(), "address": address(), "delivery": delivery});
    let total = eur_at(&market.edit(&cart, &edit).await, "/totals/total");
    let refused = market.pay(&cart, &total, "tok_approved").await;
    assert_problem(&refused, 409, "order_too_large");
    assert!(refused.text("/detail").contains("100"), "{}", refused.body);
    let shown = market.guest.get(&format!("/v1/checkouts/{cart}")).await;
    assert_eq!(shown.body["payments"].as_array().unwrap().len(), 0, "{}", shown.body);
    assert_eq!(market.show(&cart).await["status"], "open");
    // Two lines of it less, and it goes.
    market.edit(&cart, &json!({"set": [{"line": 6, "quantity": 0}, {"line": 7, "quantity": 0}]})).await;
    let total = eur_at(&market.show(&cart).await, "/totals/total");
    let paid = market.pay(&cart, &total, "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&offers[0]).await, (256, 256, 0));
    minutes(&market, 11).await;
    assert_eq!(market.shop.stock(&offers[6]).await, (256, 0, 256));
    market.shop.books_are_right().await;
}
