//! What goes wrong between functions and AWS, and around functions, as a seed says.
//!
//! Every call of AWS takes a while on tokio's clock, which stands still but for such waits: so tasks overtake each
//! other as the seed has it, in one thread. Of a call the request may be lost, or the answer; it may be refused, or
//! take longer than anybody waits; the caller may be gone before it or after it. Of an invocation what was done may
//! be lost, a batch may come twice, backwards, or without one of its messages.

use super::planted::Planted;
use super::stage::OPERATOR;
use crate::cloud::{Called, Handler, in_the_way};
use crate::market::{Build, NotOpen, Outside};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use edge::Function;
use fastrand::Rng;
use futures::FutureExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What may happen to a call of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    LostRequest,
    LostAnswer,
    Throttled,
    Conflict,
    Failed,
    Slow,
    CrashBefore,
    CrashAfter,
}

/// What may happen to an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivery {
    NotBegun,
    OutcomeLost,
    Twice,
    Backwards,
    OneHeldBack,
}

const CALLS: [(Call, &str); 8] = [
    (Call::LostRequest, "request lost"),
    (Call::LostAnswer, "answer lost"),
    (Call::Throttled, "throttled"),
    (Call::Conflict, "transaction conflict"),
    (Call::Failed, "failed with 500"),
    (Call::Slow, "slower than any time-out"),
    (Call::CrashBefore, "crash before a call"),
    (Call::CrashAfter, "crash after a call"),
];
const DELIVERIES: [(Delivery, &str); 5] = [
    (Delivery::NotBegun, "invocation not begun"),
    (Delivery::OutcomeLost, "outcome of an invocation lost"),
    (Delivery::Twice, "batch delivered twice"),
    (Delivery::Backwards, "batch delivered backwards"),
    (Delivery::OneHeldBack, "message held back"),
];

/// How likely each of them is, in thousandths.
#[derive(Debug, Clone, Copy)]
struct Weather {
    calls: [u32; 8],
    deliveries: [u32; 5],
}

impl Weather {
    /// Some days are stormy in one way, some in another, some are fair.
    fn of(dice: &mut Rng) -> Self {
        let mut any = |of: &[u32]| dice.choice(of).copied().unwrap_or_default();
        let mut calls = [0; 8];
        calls.iter_mut().for_each(|one| *one = any(&[0, 0, 2, 5, 10, 25]));
        // Twenty-five seconds are long: few of them suffice.
        calls[5] = any(&[0, 0, 1, 2]);
        let mut deliveries = [0; 5];
        deliveries.iter_mut().for_each(|one| *one = any(&[0, 10, 40, 120]));
        Self { calls, deliveries }
    }

    fn drawn<T: Copy>(
        dice: &mut Rng,
        likely: &[u32],
        what: &[(T, &'static str)],
    ) -> Option<(T, &'static str)> {
        let mut left = dice.u32(0..1_000);
        for (likely, what) in likely.iter().zip(what) {
            match left.checked_sub(*likely) {
                None => return Some(*what),
                Some(less) => left = less,
            }
        }
        None
    }
}

/// A message that was delivered once: to whom, and the event.
type Old = (&'static str, Value);

/// The function that calls addresses of others.
const WEBHOOKS: &str = "webhooks";
/// A receiver that is always there.
pub(super) const STEADY: &str = "http://127.0.0.1:9001/steady";
/// One that fails and is slow.
pub(super) const MOODY: &str = "http://127.0.0.1:9001/moody";
/// Where merchants' own systems hear.
pub(super) const EARS: [&str; 2] = ["http://127.0.0.1:9001/alma", "http://127.0.0.1:9001/birch"];
/// One that takes nothing.
pub(super) const DEAF: &str = "http://127.0.0.1:9001/deaf";

/// Old messages that are remembered.
const OLD_MAX: usize = 200;

#[derive(Debug)]
struct State {
    dice: Mutex<Rng>,
    weather: Weather,
    rough: AtomicBool,
    plant: Option<Planted>,
    happened: Mutex<BTreeMap<&'static str, u64>>,
    old: Mutex<Vec<Old>>,
    heard: Mutex<Vec<(webhooks::Sent, u16)>>,
    /// The row that all worlds draw their ids from.
    seed: u64,
    drawn: Arc<AtomicU64>,
}

/// What stands between. Clones are the same one.
#[derive(Debug, Clone)]
pub(super) struct Seam(Arc<State>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seam {
    /// Fair weather at first.
    pub(super) fn of(seed: u64, plant: Option<Planted>) -> Self {
        // The SDK's own pauses.
        fastrand::seed(seed);
        let mut dice = Rng::with_seed(seed ^ 0x7EA5);
        let weather = Weather::of(&mut dice);
        Self(Arc::new(State {
            dice: Mutex::new(dice),
            weather,
            rough: AtomicBool::new(false),
            plant,
            happened: Mutex::default(),
            old: Mutex::default(),
            heard: Mutex::default(),
            seed,
            drawn: Arc::default(),
        }))
    }

    pub(super) fn rough(&self, rough: bool) {
        self.0.rough.store(rough, Ordering::SeqCst);
    }

    pub(super) fn roll(&self, sides: u32) -> u32 {
        lock(&self.0.dice).u32(0..sides.max(1))
    }

    /// How often what went wrong.
    pub(super) fn happened(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.0.happened).clone()
    }

    fn note(&self, what: &'static str) {
        let mut happened = lock(&self.0.happened);
        let count = happened.entry(what).or_default();
        *count = count.saturating_add(1);
    }

    /// A client that never hears an answer, and has to ask again.
    pub(super) fn loses_answer(&self) -> bool {
        let lost = self.0.rough.load(Ordering::SeqCst) && self.roll(1_000) < 40;
        if lost {
            self.note("answer lost on the way to a client");
        }
        lost
    }

    /// A message of the past, which a queue delivers once more.
    pub(super) fn old(&self, pick: u32) -> Option<Old> {
        let old = lock(&self.0.old);
        let place = usize::try_from(pick).ok()?.checked_rem(old.len())?;
        old.get(place).cloned()
    }

    /// So long, on tokio's clock.
    async fn takes(&self, milliseconds: std::ops::Range<u32>) {
        let long = self.roll(50) == 0;
        let by =
            milliseconds.start.saturating_add(self.roll(milliseconds.end.saturating_sub(milliseconds.start)));
        let by = if long { by.saturating_mul(40) } else { by };
        tokio::time::sleep(Duration::from_millis(u64::from(by))).await;
    }

    /// Puts a function into the cloud, behind this.
    pub(super) fn around(
        &self,
        name: &'static str,
        build: Build,
        mut outside: Outside,
    ) -> Result<Handler, NotOpen> {
        // Clocks of machines differ by seconds.
        let apart = i64::from(self.roll(4_001)).saturating_sub(2_000);
        outside.clock = outside.clock.apart(SignedDuration::from_millis(apart));
        let seam = self.clone();
        outside.config = in_the_way(outside.config, move |request, aws| {
            let seam = seam.clone();
            async move { seam.call(name, request, &aws).await }
        });
        let begun = Begun { seam: self.clone(), name, build, outside };
        let instance = Arc::new(Mutex::new(begun.function()?));
        let (seam, begun) = (self.clone(), Arc::new(begun));
        Ok(Arc::new(move |event| {
            let (seam, begun, instance) = (seam.clone(), Arc::clone(&begun), Arc::clone(&instance));
            Box::pin(async move { seam.deliver(name, &begun, &instance, event).await })
        }))
    }

    /// Receivers of webhooks: one always answers, one has moods, one never hears.
    fn receivers(&self) -> webhooks::Played {
        let seam = self.clone();
        Arc::new(move |sent| {
            let seam = seam.clone();
            Box::pin(async move {
                seam.takes(1..20).await;
                let rough = seam.0.rough.load(Ordering::SeqCst);
                let mood = seam.roll(6);
                let code = match sent.address.as_str() {
                    MOODY if rough && mood == 0 => 500,
                    DEAF => 404,
                    _ => 200,
                };
                let slow = rough && mood == 1 && sent.address == MOODY;
                lock(&seam.0.heard).push((sent, code));
                if slow {
                    tokio::time::sleep(Duration::from_secs(12)).await;
                }
                code
            })
        })
    }

    /// What receivers of webhooks were sent, each with the answer.
    pub(super) fn heard(&self) -> Vec<(webhooks::Sent, u16)> {
        lock(&self.0.heard).clone()
    }

    /// A call of AWS by a function.
    async fn call(
        &self,
        function: &'static str,
        mut request: HttpRequest,
        aws: &SharedHttpConnector,
    ) -> Called {
        let target = request.headers().get("x-amz-target").unwrap_or_default().to_owned();
        self.takes(1..6).await;
        let drawn = self.0.rough.load(Ordering::SeqCst).then(|| {
            let mut dice = lock(&self.0.dice);
            Weather::drawn(&mut dice, &self.0.weather.calls, &CALLS)
        });
        let fits = |call: Call| call != Call::Conflict || target.ends_with(".TransactWriteItems");
        let drawn = drawn.flatten().filter(|(call, _)| fits(*call));
        if let Some((_, what)) = drawn {
            self.note(what);
        }
        match drawn.map(|(call, _)| call) {
            Some(Call::CrashBefore) => resume_unwind(Box::new("gone")),
            Some(Call::LostRequest) => return Err(lost()),
            Some(Call::Throttled) if target.is_empty() => {
                return refused(429, "TooManyRequestsException", None);
            }
            Some(Call::Throttled) => return refused(400, "ThrottlingException", None),
            Some(Call::Failed) => return refused(500, "InternalServerError", None),
            Some(Call::Conflict) => return conflict(&request),
            Some(Call::LostAnswer | Call::Slow | Call::CrashAfter) | None => {}
        }
        let after = self.0.plant.and_then(|plant| plant.request(function, &target, &mut request));
        let mut answer = aws.call(request).await;
        self.takes(1..4).await;
        if let (Some(after), Ok(200)) = (after, answer.as_ref().map(|answer| answer.status().as_u16())) {
            if self.0.rough.load(Ordering::SeqCst) && self.roll(20) == 0 {
                resume_unwind(Box::new("gone"));
            }
            answer = aws.call(after).await;
        }
        match drawn.map(|(call, _)| call) {
            Some(Call::CrashAfter) => resume_unwind(Box::new("gone")),
            Some(Call::LostAnswer) => Err(lost()),
            Some(Call::Slow) => {
                tokio::time::sleep(Duration::from_secs(25)).await;
                answer
            }
            Some(Call::CrashBefore | Call::LostRequest | Call::Throttled | Call::Failed | Call::Conflict)
            | None => answer,
        }
    }

    async fn deliver(
        &self,
        name: &'static str,
        begun: &Begun,
        instance: &Mutex<Function>,
        mut event: Value,
    ) -> Result<Value, String> {
        self.takes(1..5).await;
        if let Some(plant) = self.0.plant {
            plant.event(&mut event, OPERATOR);
        }
        let records = event.get("Records").and_then(Value::as_array).map_or(0, Vec::len);
        let queue = event.pointer("/Records/0/eventSource").and_then(Value::as_str) == Some("aws:sqs");
        let from = event.pointer("/Records/0/eventSourceARN").and_then(Value::as_str).unwrap_or_default();
        let (unordered, called) = (queue && !from.ends_with(".fifo"), event.get("routeKey").is_some());
        if unordered {
            let mut old = lock(&self.0.old);
            if old.len() < OLD_MAX {
                old.push((name, event.clone()));
            }
        }
        let drawn = self.0.rough.load(Ordering::SeqCst).then(|| {
            let mut dice = lock(&self.0.dice);
            Weather::drawn(&mut dice, &self.0.weather.deliveries, &DELIVERIES)
        });
        let fits = |delivery: Delivery| match delivery {
            Delivery::NotBegun | Delivery::OutcomeLost => true,
            Delivery::Twice => !called,
            Delivery::Backwards | Delivery::OneHeldBack => unordered && records > 1,
        };
        let drawn = drawn.flatten().filter(|(delivery, _)| fits(*delivery));
        if let Some((_, what)) = drawn {
            self.note(what);
        }
        let drawn = drawn.map(|(delivery, _)| delivery);
        let mut held_back = None;
        if let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut) {
            if drawn == Some(Delivery::Backwards) {
                records.reverse();
            }
            if drawn == Some(Delivery::OneHeldBack) {
                held_back = records.pop();
            }
        }
        if drawn == Some(Delivery::NotBegun) {
            return Err("the invocation was not begun".to_owned());
        }
        let mut answer = self.run(begun, instance, event.clone()).await;
        if drawn == Some(Delivery::Twice) {
            answer = self.run(begun, instance, event).await;
        }
        if drawn == Some(Delivery::OutcomeLost) {
            return Err("the outcome was lost".to_owned());
        }
        if let (Ok(answer), Some(held)) = (&mut answer, held_back) {
            fail(answer, &held);
        }
        match self.0.plant {
            Some(plant) => plant.answer(answer),
            None => answer,
        }
    }

    /// One invocation; after a crash the next one begins anew, with nothing remembered.
    async fn run(&self, begun: &Begun, instance: &Mutex<Function>, event: Value) -> Result<Value, String> {
        let function = lock(instance).clone();
        let call = AssertUnwindSafe(async move { function.call(event).await }).catch_unwind();
        match call.await {
            Ok(answer) => answer.map_err(|error| edge::chain(error.as_ref())),
            Err(_gone) => {
                let fresh = begun.function().map_err(|error| edge::chain(&error))?;
                *lock(instance) = fresh;
                Err("the process is gone".to_owned())
            }
        }
    }
}

/// Says in an answer that a message failed.
fn fail(answer: &mut Value, message: &Value) {
    let id = message.get("messageId").cloned().unwrap_or_default();
    let one = json!({ "itemIdentifier": id });
    match answer.get_mut("batchItemFailures").and_then(Value::as_array_mut) {
        Some(failures) => failures.push(one),
        None => *answer = json!({ "batchItemFailures": [one] }),
    }
}

/// A function that can be begun again.
struct Begun {
    seam: Seam,
    name: &'static str,
    build: Build,
    outside: Outside,
}

impl Begun {
    fn function(&self) -> Result<Function, NotOpen> {
        let State { seed, drawn, .. } = &*self.seam.0;
        let world = self.outside.clone().world()?.with_drawn_ids(*seed, Arc::clone(drawn));
        // Only a stand-in answers on this clock.
        Ok(if self.name == WEBHOOKS {
            webhooks::function_played(&world, self.seam.receivers())
        } else {
            (self.build)(&world)
        })
    }
}

/// The client tries again after this by itself, with the same token.
fn lost() -> ConnectorError {
    ConnectorError::io("the line is cut".into())
}

/// As the service says it: in the body, and in a head for those whose bodies have no type.
fn refused(status: u16, kind: &str, reasons: Option<Value>) -> Called {
    let mut body = json!({ "__type": kind, "message": "It is too much at once." });
    if let (Some(body), Some(reasons)) = (body.as_object_mut(), reasons) {
        body.insert("CancellationReasons".to_owned(), reasons);
    }
    let built = http::Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    let built = built.header("x-amzn-errortype", kind).body(SdkBody::from(body.to_string()));
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    HttpResponse::try_from(built.map_err(|error| user(error.into()))?).map_err(|error| user(error.into()))
}

/// Somebody else writes the transaction's first item just now.
fn conflict(request: &HttpRequest) -> Called {
    let body = request.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
    let items = body.as_ref().and_then(|body| body.pointer("/TransactItems")?.as_array().map(Vec::len));
    let mut reasons = vec![json!({ "Code": "None" }); items.unwrap_or(1)];
    if let Some(first) = reasons.first_mut() {
        *first = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" });
    }
    refused(400, "TransactionCanceledException", Some(Value::Array(reasons)))
}
