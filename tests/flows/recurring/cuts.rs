//! Functions whose writes go wrong: each write of theirs can be the one that is not done, or not heard of, or the last.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use edge::World;
use souk::cloud::{Called, Handler, in_the_way};
use souk::market::functions;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use table::Key;
use table::due::{Work, due_at};
use tests::Shop;
use tokio::task::yield_now;

/// What is wrong with a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// It is not done, and said to have failed.
    NotDone,
    /// It is done, and said to have failed.
    NotHeard,
    /// Who was about to write is gone.
    GoneBefore,
    /// Who wrote is gone before it hears of it.
    GoneAfter,
}

pub(crate) const CUTS: [Cut; 4] = [Cut::NotDone, Cut::NotHeard, Cut::GoneBefore, Cut::GoneAfter];

const WRITES: [&str; 6] =
    ["PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem", "SendMessageBatch"];

/// Functions that charge, and the work that their schedules hand on.
const NAMES: [(&str, Option<Work>); 5] = [
    ("checkout", None),
    ("dunning", Some(Work::Dunning)),
    ("payment", Some(Work::Payment)),
    ("recurring-billing", Some(Work::Subscription)),
    ("subscriptions", None),
];

#[derive(Debug, Default)]
struct State {
    writes: usize,
    next: Option<(usize, Cut)>,
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Cuts(Arc<Mutex<State>>);

impl Cuts {
    /// From now on everything that charges writes through here.
    pub(crate) fn in_the_way(shop: &Shop) -> Self {
        Self::in_the_way_of(shop, &NAMES)
    }

    /// From now on these functions write through here.
    pub(crate) fn in_the_way_of(shop: &Shop, names: &[(&'static str, Option<Work>)]) -> Self {
        let cuts = Self::default();
        for (name, work) in names {
            let config = cuts.of(shop.market.cloud.sdk_config(name));
            install(shop, name, *work, config, shop.market.clock.clone());
        }
        cuts
    }

    fn of(&self, config: SdkConfig) -> SdkConfig {
        let cuts = self.clone();
        in_the_way(config, move |request, aws| cuts.clone().call(request, aws))
    }

    /// The `nth` write from now on goes wrong, counted from 1.
    pub(crate) fn cut(&self, nth: usize, cut: Cut) {
        *self.0.lock().unwrap() = State { writes: 0, next: Some((nth, cut)) };
    }

    /// Writes are counted from here; none goes wrong.
    pub(crate) fn none(&self) {
        *self.0.lock().unwrap() = State::default();
    }

    pub(crate) fn writes(&self) -> usize {
        self.0.lock().unwrap().writes
    }

    /// Some cut of the `nth` of so many writes came. Of the last ones none need to: how many there are differs by some,
    /// because a look that is on the list already is not put again.
    pub(crate) fn must_have_come(came: bool, nth: usize, writes: usize) {
        assert!(came || nth + 3 > writes, "write {nth} of {writes} never came");
    }

    pub(crate) fn has_come(&self) -> bool {
        self.0.lock().unwrap().next.is_none()
    }

    fn takes(&self, target: &str) -> Option<Cut> {
        WRITES.iter().find(|write| target.ends_with(*write))?;
        let mut state = self.0.lock().unwrap();
        state.writes += 1;
        let (_, cut) = state.next.filter(|(nth, _)| *nth == state.writes)?;
        state.next = None;
        Some(cut)
    }

    async fn call(self, request: HttpRequest, aws: SharedHttpConnector) -> Called {
        let cut = self.takes(request.headers().get("x-amz-target").unwrap_or_default());
        match cut {
            Some(Cut::GoneBefore) => panic!("gone"),
            Some(Cut::NotDone) => return Err(lost()),
            Some(Cut::NotHeard | Cut::GoneAfter) | None => {}
        }
        let answer = aws.call(request).await;
        match cut {
            Some(Cut::GoneAfter) => panic!("gone"),
            Some(Cut::NotHeard) => Err(lost()),
            Some(Cut::GoneBefore | Cut::NotDone) | None => answer,
        }
    }
}

/// One call that waits, before it is made, until others have done something.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stop(Arc<AtomicU8>);

impl Stop {
    const REACHED: u8 = 1;
    const OVER: u8 = 2;

    /// The configuration whose first call that `this` is true of waits.
    pub(crate) fn before(
        config: SdkConfig,
        this: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> (Self, SdkConfig) {
        let stop = Self::default();
        let own = stop.clone();
        let config = in_the_way(config, move |request, aws| {
            let state = &own.0;
            let stops = state.load(Ordering::SeqCst) < Self::REACHED && this(&request);
            if stops {
                state.store(Self::REACHED, Ordering::SeqCst);
            }
            let own = own.clone();
            async move {
                while stops && own.0.load(Ordering::SeqCst) < Self::OVER {
                    yield_now().await;
                }
                aws.call(request).await
            }
        });
        (stop, config)
    }

    pub(crate) async fn is_reached(&self) {
        for _ in 0..10_000_000 {
            if self.0.load(Ordering::SeqCst) >= Self::REACHED {
                return;
            }
            yield_now().await;
        }
        panic!("the call does not come");
    }

    pub(crate) fn is_over(&self) {
        self.0.store(Self::OVER, Ordering::SeqCst);
    }
}

/// What a call is of the table, such as `GetItem`.
pub(crate) fn is_a(request: &HttpRequest, call: &str) -> bool {
    request.headers().get("x-amz-target").is_some_and(|target| target.ends_with(&format!(".{call}")))
}

/// A function with a configuration and a clock of its own; its schedule still passes over runs without work.
pub(crate) fn install(
    shop: &Shop,
    name: &'static str,
    work: Option<Work>,
    config: SdkConfig,
    clock: edge::Clock,
) {
    let (cloud, world) = (&shop.market.cloud, &shop.market.world);
    let own = World::new(config, cloud.environment(name).unwrap(), clock, world.keys.clone());
    let functions = functions();
    let (_, build) = functions.iter().find(|(of, _)| *of == name).unwrap();
    let function = build(&own.unwrap());
    let handler: Handler = Arc::new(move |event| {
        let function = function.clone();
        Box::pin(async move { function.call(event).await.map_err(|error| edge::chain(error.as_ref())) })
    });
    cloud.register(name, handler);
    if let Some(work) = work {
        cloud.doze(name, Key::due_partitions(work), due_at);
    }
}

/// No client tries again after this by itself.
fn lost() -> ConnectorError {
    ConnectorError::user("the line is cut".into())
}
