//! What goes wrong between functions and AWS, and around functions, as a seed says.
//!
//! Every call of AWS takes a while on tokio's clock, which stands still but for such waits: so tasks overtake each
//! other as the seed has it, in one thread. The marketplace's clock goes with it. Of a call the request may be lost,
//! or the answer; it may be refused, done in part, take longer than the function may, or be done after that; the
//! caller may be gone before it or after it. Of an invocation what was done may be lost, a batch may come twice,
//! backwards, or without one of its messages. What there is to go wrong is in `faults.rs`.

use super::faults::{
    CALLS, Call, DELIVERIES, Delivery, Undone, Weather, conflict, fail, failed, less, lost, throttled,
};
use super::planted::Planted;
use super::stage::OPERATOR;
use crate::cloud::{Called, Handler, in_the_way};
use crate::market::{Build, Market, NotOpen, Outside};
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use edge::{Clock, Function};
use fastrand::Rng;
use futures::FutureExt;
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

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

/// The marketplace's clock, and how far it has followed tokio's; and how long each function may take.
#[derive(Debug)]
struct Pace {
    clock: Clock,
    followed: Mutex<Instant>,
    limits: BTreeMap<String, Duration>,
}

#[derive(Debug)]
struct State {
    dice: Mutex<Rng>,
    /// None while the clock stands still.
    pace: OnceLock<Pace>,
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
            pace: OnceLock::new(),
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

    /// From now on the marketplace's clock goes with tokio's.
    pub(super) fn goes_with(&self, market: &Market) {
        let functions = &market.cloud.template().functions;
        let limit = |timeout: u32| Duration::from_secs(u64::from(timeout));
        let limits = functions.iter().map(|(name, function)| (name.clone(), limit(function.timeout)));
        let (clock, followed) = (market.clock.clone(), Mutex::new(Instant::now()));
        self.0.pace.get_or_init(|| Pace { clock, followed, limits: limits.collect() });
    }

    /// Whoever looks at the clock now sees what tokio's says.
    pub(super) fn keep_up(&self) {
        let Some(pace) = self.0.pace.get() else { return };
        let mut followed = lock(&pace.followed);
        let passed = Instant::now().saturating_duration_since(*followed).as_millis();
        // The clock knows milliseconds; what is less is followed later.
        let passed = u32::try_from(passed).unwrap_or(u32::MAX);
        *followed = followed.checked_add(Duration::from_millis(u64::from(passed))).unwrap_or(*followed);
        pace.clock.advance(SignedDuration::from_millis(i64::from(passed)));
    }

    /// Longer than a function may take.
    fn too_long(&self, function: &str) -> Duration {
        let limit = self.0.pace.get().and_then(|pace| pace.limits.get(function).copied());
        limit.unwrap_or_default().saturating_add(Duration::from_secs(1))
    }

    pub(super) fn rough(&self, rough: bool) {
        self.0.rough.store(rough, Ordering::SeqCst);
    }

    pub(super) fn roll(&self, sides: u32) -> u32 {
        lock(&self.0.dice).u32(0..sides.max(1))
    }

    /// Of lengths of time; none if there is none.
    pub(super) fn one_of(&self, steps: &[u32]) -> u32 {
        lock(&self.0.dice).choice(steps).copied().unwrap_or_default()
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
        self.keep_up();
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
        let drawn = drawn.flatten().filter(|(call, _)| call.fits(&target));
        if let Some((_, what)) = drawn {
            self.note(what);
        }
        let drawn = drawn.map(|(call, _)| call);
        let mut undone = None;
        match drawn {
            Some(Call::CrashBefore) => resume_unwind(Box::new("gone")),
            Some(Call::LostRequest) => return Err(lost()),
            Some(Call::Throttled) => return throttled(&target),
            Some(Call::Failed) => return failed(),
            Some(Call::Conflict) => return conflict(&target, &request),
            Some(Call::Partly) => {
                let forgotten = self.0.plant.is_some_and(|plant| plant.forgets_a_part(function));
                undone =
                    less(&target, &mut request).map(|undone| if forgotten { undone.taken() } else { undone });
            }
            Some(Call::Late) => return self.late(function, request, aws).await,
            Some(Call::LostAnswer | Call::Slow | Call::CrashAfter) | None => {}
        }
        if let Some(alone) = undone.as_ref().and_then(Undone::alone) {
            return alone;
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
        match drawn {
            Some(Call::CrashAfter) => resume_unwind(Box::new("gone")),
            Some(Call::LostAnswer) => return Err(lost()),
            Some(Call::Slow) => self.stays(function).await,
            Some(
                Call::CrashBefore
                | Call::LostRequest
                | Call::Throttled
                | Call::Failed
                | Call::Conflict
                | Call::Partly
                | Call::Late,
            )
            | None => {}
        }
        match undone {
            Some(undone) => undone.tell(answer?),
            None => answer,
        }
    }

    /// Nobody waits so long for a function.
    async fn stays(&self, function: &str) {
        tokio::time::sleep(self.too_long(function)).await;
        self.keep_up();
    }

    /// The request is on its way when the function is given up, and is done then: nobody hears of it.
    async fn late(&self, function: &str, request: HttpRequest, aws: &SharedHttpConnector) -> Called {
        let more = Duration::from_millis(u64::from(self.roll(3_000)));
        let after = self.too_long(function).saturating_add(more);
        let (seam, aws) = (self.clone(), aws.clone());
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            seam.keep_up();
            let _unheard = aws.call(request).await;
        });
        self.stays(function).await;
        Err(lost())
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
