//! A gateway of somebody else's: it speaks like Stripe, keeps books of its own, and misbehaves as it is told to.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use gateway::signature::stripe;
use http::Method;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::Market;
use souk::api::{Answer, Api};
use souk::cloud::Pace;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use tests::{HOLD_DAYS, START, Shop, moment};
use tokio::sync::Semaphore;

pub(crate) const SECRET: &str = "whsec_of_the_gateway";

/// A kind of call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Authorize,
    Ask,
    Capture,
    Cancel,
    /// Whose a payment method is, or to make it somebody's.
    Owner,
}

/// What is wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is done, and answered when everybody has gone.
    Late,
    /// It is done, and answered so.
    Says(u16, &'static str),
    /// It is not done, and answered so.
    Fails(u16, &'static str),
    /// It is done, and the connection breaks within the answer.
    Breaks,
    /// It is done, and told by so many notices before it is answered.
    TellsFirst(usize),
    /// The card is declined; what is answered when everybody has gone does not say so.
    Declines,
}

/// Money that a customer has promised; `received` of it was taken.
#[derive(Debug, Clone)]
pub(crate) struct Intent {
    pub(crate) id: String,
    pub(crate) amount: i64,
    pub(crate) status: &'static str,
    pub(crate) received: i64,
    /// The idempotency key of the call that made it.
    key: String,
    metadata: BTreeMap<String, String>,
}

impl Intent {
    /// The payment that it is for.
    pub(crate) fn payment(&self) -> String {
        self.metadata["payment"].clone()
    }

    fn view(&self) -> Value {
        let Self { id, amount, status, received, metadata, .. } = self;
        json!({"id": id, "object": "payment_intent", "amount": amount, "currency": "eur", "status": status,
            "amount_received": received, "metadata": metadata})
    }
}

#[derive(Default)]
struct Books {
    intents: Vec<Intent>,
    /// Each is for the next call of its kind that no earlier one is for.
    faults: Vec<(Call, Fault)>,
    /// Kind by kind, as they came.
    calls: Vec<Call>,
}

#[derive(Clone)]
pub(crate) struct Stripe {
    books: Arc<Mutex<Books>>,
    market: Arc<OnceLock<Market>>,
    everybody_has_gone: Arc<Semaphore>,
}

impl Stripe {
    /// A shop whose money all goes through it.
    pub(crate) async fn shop() -> (Self, Shop) {
        let (gateway, address) = Self::listen().await;
        let parameters = [
            ("Gateways", "stripe"),
            ("StripeAddress", address.as_str()),
            ("StripeKey", "sk_test_1"),
            ("StripeWebhookSecret", SECRET),
        ];
        let market = Market::in_memory_with(moment(START), Pace::Ordered, &parameters).await.unwrap();
        gateway.tells(&market);
        (gateway, Shop::open_in(market, HOLD_DAYS).await)
    }

    /// Listens at an address of this machine.
    async fn listen() -> (Self, String) {
        let gateway = Self {
            books: Arc::default(),
            market: Arc::default(),
            everybody_has_gone: Arc::new(Semaphore::new(0)),
        };
        let own = gateway.clone();
        let answer = move |request: Request| {
            let own = own.clone();
            async move { own.answer(request).await }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
        (gateway, address)
    }

    /// Where its notices go.
    pub(crate) fn tells(&self, market: &Market) {
        self.market.set(market.clone()).ok().unwrap();
    }

    pub(crate) fn misbehaves(&self, call: Call, faults: &[Fault]) {
        self.books.lock().unwrap().faults.extend(faults.iter().map(|fault| (call, *fault)));
    }

    /// What was to go wrong does not.
    pub(crate) fn behaves(&self) {
        self.books.lock().unwrap().faults.clear();
    }

    /// Those who wait for late answers have given up.
    pub(crate) fn everybody_has_gone(&self) {
        self.everybody_has_gone.add_permits(1_000);
    }

    pub(crate) fn intents(&self) -> Vec<Intent> {
        self.books.lock().unwrap().intents.clone()
    }

    pub(crate) fn count(&self, call: Call) -> usize {
        self.books.lock().unwrap().calls.iter().filter(|one| **one == call).count()
    }

    /// Waits until calls of a kind have come so often.
    pub(crate) async fn is_called(&self, call: Call, times: usize) {
        while self.count(call) < times {
            tokio::task::yield_now().await;
        }
    }

    /// Every fault has come.
    pub(crate) fn has_misbehaved(&self) -> bool {
        self.books.lock().unwrap().faults.is_empty()
    }

    /// Tells of an intent by a notice that is signed so far from now.
    pub(crate) async fn notice(&self, intent: &Intent, off: SignedDuration) -> Answer {
        let kind = match intent.status {
            "succeeded" => "payment_intent.succeeded",
            "canceled" => "payment_intent.canceled",
            "requires_payment_method" => "payment_intent.payment_failed",
            _ => "payment_intent.amount_capturable_updated",
        };
        let body = json!({"type": kind, "data": {"object": intent.view()}}).to_string();
        let signed = stripe(SECRET, edge::Clock::System.now() + off, body.as_bytes());
        let api = Api::new(&self.market.get().unwrap().cloud, "");
        let headers = [("stripe-signature", signed.as_str())];
        api.send_with(Method::POST, "/v1/gateways/stripe/webhooks", &body, &headers).await
    }

    async fn answer(&self, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 10_000).await.unwrap();
        let form: BTreeMap<String, String> = form_urlencoded::parse(&body).into_owned().collect();
        let key = parts.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
        let path = parts.uri.path_and_query().unwrap().to_string();
        let call = match (&parts.method, path.as_str()) {
            (_, path) if ["/v1/payment_methods/", "/v1/customers"].iter().any(|of| path.starts_with(of)) => {
                Call::Owner
            }
            (&Method::GET, _) => Call::Ask,
            (_, path) if path.ends_with("/capture") => Call::Capture,
            (_, path) if path.ends_with("/cancel") => Call::Cancel,
            (_, _) => Call::Authorize,
        };
        let fault = self.takes(call);
        if let Some(Fault::Fails(status, words)) = fault {
            return plain(status, words.to_owned());
        }
        let (done, intent) = self.done(call, &path, key, &form);
        match fault {
            None | Some(Fault::Fails(..)) => {}
            Some(Fault::Declines) => {
                let own = intent.map(|intent| intent.id);
                let decline = |intent: &mut Intent| {
                    if own.as_ref() == Some(&intent.id) {
                        intent.status = "requires_payment_method";
                    }
                };
                self.books.lock().unwrap().intents.iter_mut().for_each(decline);
                self.everybody_has_gone.acquire().await.unwrap().forget();
                return plain(500, String::new());
            }
            Some(Fault::Late) => self.everybody_has_gone.acquire().await.unwrap().forget(),
            Some(Fault::Says(status, words)) => return plain(status, words.to_owned()),
            Some(Fault::Breaks) => {
                let text = done.to_string();
                let half = Ok(Bytes::from(text[..text.len() / 2].to_owned()));
                let pieces = [half, Err(std::io::Error::other("the line is cut"))];
                return Response::new(Body::from_stream(futures::stream::iter(pieces)));
            }
            Some(Fault::TellsFirst(times)) => {
                for intent in intent.iter().cycle().take(times) {
                    let answer = self.notice(intent, SignedDuration::ZERO).await;
                    assert_eq!(answer.status, 200, "{}", answer.body);
                }
            }
        }
        plain(200, done.to_string())
    }

    fn takes(&self, call: Call) -> Option<Fault> {
        let mut books = self.books.lock().unwrap();
        books.calls.push(call);
        let at = books.faults.iter().position(|(of, _)| *of == call)?;
        Some(books.faults.remove(at).1)
    }

    /// Does what a call asks for; the same key does it once.
    fn done(
        &self,
        call: Call,
        path: &str,
        key: Option<String>,
        form: &BTreeMap<String, String>,
    ) -> (Value, Option<Intent>) {
        let mut books = self.books.lock().unwrap();
        let number = books.intents.len() + 1;
        let named = |intent: &&mut Intent| path.split(['/', '?']).any(|piece| piece == intent.id);
        let found = match (call, &key) {
            (Call::Authorize, Some(key)) => {
                let metadata = form.iter().filter_map(|(name, value)| {
                    let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
                    Some((name.to_owned(), value.clone()))
                });
                if !books.intents.iter().any(|intent| intent.key == *key) {
                    let amount = form["amount"].parse().unwrap();
                    let (status, received) = match form["capture_method"].as_str() {
                        "automatic" => ("succeeded", amount),
                        _ => ("requires_capture", 0),
                    };
                    books.intents.push(Intent {
                        id: format!("pi_{number}"),
                        amount,
                        status,
                        received,
                        key: key.clone(),
                        metadata: metadata.collect(),
                    });
                }
                books.intents.iter().find(|intent| intent.key == *key).cloned()
            }
            (Call::Ask, _) if path.starts_with("/v1/payment_intents?created") => {
                let data: Vec<Value> = books.intents.iter().rev().map(Intent::view).collect();
                return (json!({"object": "list", "has_more": false, "data": data}), None);
            }
            (Call::Owner, _) => return (json!({"id": "cus_1", "customer": "cus_1"}), None),
            (Call::Ask | Call::Authorize, _) => books.intents.iter_mut().find(named).cloned(),
            (Call::Capture, _) => {
                let intent = books.intents.iter_mut().find(named).unwrap();
                if intent.status == "requires_capture" {
                    intent.status = "succeeded";
                    intent.received = form["amount_to_capture"].parse().unwrap();
                    intent.metadata.insert("capture".to_owned(), form["metadata[capture]"].clone());
                }
                Some(intent.clone())
            }
            (Call::Cancel, _) => {
                let intent = books.intents.iter_mut().find(named).unwrap();
                if intent.status == "requires_capture" {
                    intent.status = "canceled";
                }
                Some(intent.clone())
            }
        };
        let view = found.as_ref().map_or(Value::Null, Intent::view);
        (view, found)
    }
}

fn plain(status: u16, words: String) -> Response {
    let mut response = Response::new(Body::from(words));
    *response.status_mut() = status.try_into().unwrap();
    response
}
