//! Webhooks: what happens reaches the addresses that want it, signed, once, and again where it did not arrive.

mod again;
mod refused;
mod whose;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use gateway::signature::holds_standard;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tests::*;

/// What a receiver got.
#[derive(Debug, Clone)]
pub(crate) struct Got {
    path: String,
    headers: HeaderMap,
    text: String,
}

impl Got {
    fn name(&self) -> String {
        let body: Value = serde_json::from_str(&self.text).unwrap();
        at(&body, "/type").to_owned()
    }

    pub(crate) fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().unwrap()
    }

    /// Whether it is signed with a secret, by real time.
    fn holds(&self, secret: &str) -> bool {
        let now = edge::Clock::System.now();
        holds_standard(secret, &self.headers, self.text.as_bytes(), now).is_ok()
    }
}

type Answers = (u16, Option<(&'static str, String)>, String);

/// A receiver on this machine.
#[derive(Clone)]
pub(crate) struct Receiver {
    address: String,
    got: Arc<Mutex<Vec<Got>>>,
    /// How it answers from now on: status, a header, a body.
    answers: Arc<Mutex<Answers>>,
}

impl Receiver {
    pub(crate) async fn open() -> Self {
        let (got, answers) = (Arc::default(), Arc::new(Mutex::new((204, None, String::new()))));
        let (heard, how): (Arc<Mutex<Vec<Got>>>, _) = (Arc::clone(&got), Arc::clone(&answers));
        let answer = move |request: axum::extract::Request| {
            let (heard, how) = (Arc::clone(&heard), Arc::clone(&how));
            async move {
                let (parts, body) = request.into_parts();
                let bytes = axum::body::to_bytes(body, 1_000_000).await.unwrap();
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                let path = parts.uri.path().to_owned();
                heard.lock().unwrap().push(Got { path, headers: parts.headers, text });
                let (status, header, body): (u16, Option<(&'static str, String)>, String) =
                    how.lock().unwrap().clone();
                (StatusCode::from_u16(status).unwrap(), axum::response::AppendHeaders(header), body)
                    .into_response()
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        Self { address, got, answers }
    }

    fn answers(&self, status: u16) {
        *self.answers.lock().unwrap() = (status, None, String::new());
    }

    fn answers_with(&self, status: u16, header: (&'static str, &str), body: &str) {
        let header = Some((header.0, header.1.to_owned()));
        *self.answers.lock().unwrap() = (status, header, body.to_owned());
    }

    /// What it got since the last look.
    pub(crate) fn take(&self) -> Vec<Got> {
        std::mem::take(&mut *self.got.lock().unwrap())
    }

    /// The names of that, sorted.
    fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.take().iter().map(Got::name).collect();
        names.sort();
        names
    }
}

const ENDPOINTS: &str = "/v1/webhook-endpoints";

/// An endpoint of a receiver; answers its id and its secret.
pub(crate) async fn endpoint(
    shop: &Shop,
    receiver: &Receiver,
    events: &[&str],
    more: Value,
) -> (String, String) {
    let mut body = json!({"address": format!("{}/hooks", receiver.address), "events": events});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = shop.done(ENDPOINTS, &body).await;
    shop.settle().await;
    (at(&made, "/id").to_owned(), at(&made, "/secret").to_owned())
}

async fn act(shop: &Shop, id: &str, what: &str) -> Value {
    shop.done(&format!("{ENDPOINTS}/{id}/{what}"), &json!({})).await
}

async fn log(shop: &Shop, id: &str, query: &str) -> Vec<Value> {
    let list = shop.get(&format!("{ENDPOINTS}/{id}/deliveries?limit=100{query}")).await;
    list["items"].as_array().unwrap().clone()
}

async fn delivery(shop: &Shop, id: &str) -> Value {
    shop.get(&format!("/v1/webhook-deliveries/{id}")).await
}

/// A category: one fact and nothing that follows.
async fn happens(shop: &Shop, handle: &str) {
    shop.done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
    shop.settle().await;
}

/// The message of the last event of a name.
async fn envelope(shop: &Shop, name: &str) -> String {
    let page = shop.market.world.table.scan_outbox(None).await.unwrap();
    let events = page.items.iter().flat_map(table::outbox::Entry::envelopes);
    let event = events.filter(|event| event.name == name).max_by_key(|event| event.at).unwrap();
    serde_json::to_string(&event).unwrap()
}

/// The function is sent messages.
async fn hear(shop: &Shop, messages: &[String]) -> Value {
    shop.market.cloud.invoke("webhooks", batch(messages)).await.unwrap()
}

#[tokio::test]
async fn what_happens_arrives_once_signed_and_says_what_happened() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, secret) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    assert_eq!(receiver.names(), Vec::<String>::new(), "it wants no news of itself");
    happens(&shop, "mugs").await;
    let got = receiver.take();
    let [got] = got.as_slice() else { panic!("{got:?}") };
    assert!(got.holds(&secret) && !got.holds("whsec_b3RoZXI="));
    assert!(got.path == "/hooks" && got.headers["content-type"] == "application/json");
    let body: Value = serde_json::from_str(&got.text).unwrap();
    let want = json!({
        "type": "category.changed.v1",
        "timestamp": "2026-03-02T09:00:00Z",
        "id": "category-mugs.1",
        "marketplace": marketplace_id(),
        "subject": "category-mugs",
        "step": 1,
        "data": {"category": "mugs"},
    });
    assert_eq!(body, want, "nothing of who caused it");
    let log = log(&shop, &id, "").await;
    assert_eq!((log.len(), at(&log[0], "/id"), at(&log[0], "/status")), (1, got.id(), "delivered"));
    let shown = delivery(&shop, got.id()).await;
    assert_eq!((&shown["body"], &shown["tries"][0]["code"]), (&want, &json!(204)));
}

#[tokio::test]
async fn an_event_that_comes_twice_is_told_once() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    endpoint(&shop, &receiver, &["*"], json!({})).await;
    receiver.take();
    happens(&shop, "mugs").await;
    assert_eq!(receiver.names(), ["category.changed.v1"]);
    let event = envelope(&shop, "category.changed.v1").await;
    let answer = hear(&shop, &[event.clone(), event]).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(receiver.names(), Vec::<String>::new());
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, old) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    let rotated = act(&shop, &id, "rotate").await;
    let new = at(&rotated, "/secret").to_owned();
    assert_eq!(at(&rotated, "/earlier_secret_until"), "2026-03-03T09:00:00Z");
    assert!(shop.get(&format!("{ENDPOINTS}/{id}")).await.get("secret").is_none(), "it is shown once");
    happens(&shop, "mugs").await;
    let got = receiver.take();
    assert!(got[0].holds(&old) && got[0].holds(&new));
    shop.wait_days(1).await;
    happens(&shop, "cups").await;
    let got = receiver.take();
    assert!(!got[0].holds(&old) && got[0].holds(&new));
}

#[tokio::test]
async fn a_repeat_of_a_request_makes_one_endpoint_and_shows_no_secret_again() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let body = json!({"address": receiver.address, "events": ["*"], "description": "our shop"});
    let made = shop.api.post(ENDPOINTS, &body, "once").await;
    let again = shop.api.post(ENDPOINTS, &body, "once").await;
    assert_eq!((made.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(made.text("/id"), again.text("/id"));
    assert!(made.text("/secret").starts_with("whsec_") && again.body.get("secret").is_none());
    let id = made.text("/id").to_owned();
    let path = format!("{ENDPOINTS}/{id}/rotate");
    let rotated = shop.api.post(&path, &json!({}), "turn").await;
    let again = shop.api.post(&path, &json!({}), "turn").await;
    assert_ne!(rotated.text("/secret"), made.text("/secret"));
    assert!(again.body.get("secret").is_none(), "nor is it changed again");
    let path = format!("{ENDPOINTS}/{id}/test");
    let tried = shop.api.post(&path, &json!({}), "try").await;
    let again = shop.api.post(&path, &json!({}), "try").await;
    assert_eq!((tried.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(tried.body, again.body);
    let got = receiver.take();
    assert_eq!(got.iter().filter(|got| got.name() == "webhook.test").count(), 1);
    assert!(got.iter().all(|got| got.holds(rotated.text("/secret"))));
}

#[tokio::test]
async fn a_change_of_what_is_wanted_counts_from_the_next_event_on() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    let path = format!("{ENDPOINTS}/{id}");
    let etag = shop.api.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
    let body = json!({"events": ["product.created.v1", "payout.*"]}).to_string();
    let changed = shop.api.send_with(http::Method::PATCH, &path, &body, &[("if-match", etag.as_str())]).await;
    assert_eq!((changed.status.as_u16(), changed.text("/events/1")), (200, "payout.*"));
    shop.settle().await;
    happens(&shop, "mugs").await;
    assert_eq!(receiver.names(), Vec::<String>::new());
    let product = json!({"title": "Mug", "variants": [{}]});
    shop.done("/v1/products", &product).await;
    shop.settle().await;
    assert_eq!(receiver.names(), ["product.created.v1"]);
    let stale = shop.api.send_with(http::Method::PATCH, &path, &body, &[("if-match", etag.as_str())]).await;
    assert_problem(&stale, 409, "stale");
}

/// Read and write units of the function since the last look, in hundredths.
fn units(shop: &Shop) -> (u64, u64) {
    let lines = shop.market.cloud.meter().take().into_iter().filter(|line| line.label == "webhooks");
    lines.fold((0, 0), |(read, write), line| (read + line.read_units, write + line.write_units))
}

#[tokio::test]
async fn where_nobody_listens_an_event_costs_one_read_and_a_message_few_writes() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    units(&shop);
    happens(&shop, "mugs").await;
    assert_eq!(units(&shop), (100, 0));
    endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    units(&shop);
    happens(&shop, "cups").await;
    // Who listens and the endpoint; the message with its place in the list, before the call and after it.
    assert_eq!(units(&shop), (200, 400));
}
