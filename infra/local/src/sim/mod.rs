//! The whole marketplace under faults, as a seed says: the real functions, the real SDK clients, the template's
//! wiring, in one thread, on one clock that stands still but for what is waited for.
//!
//! `acts.rs` what people do · `crowd.rs` how they do it, and what they were promised · `seam.rs` and `faults.rs` what
//! goes wrong between functions and AWS · `planted.rs` mistakes that have to be found · `laws.rs` what must be true ·
//! `wire.rs` what gateways are asked · `stage.rs` where it begins · `shrink.rs` the shortest history that still fails.
//!
//! A run is a history of rounds. In a round people act side by side, at once or over hours, while messages are
//! delivered and schedules run; then time goes on without them. At the end people act in fair weather: what lies in
//! dead-letter queues is sent again, everything is shipped, rough days go by, and every law is looked at. The same seed
//! is the same run: the same items in the table, byte for byte.

mod acts;
mod crowd;
mod faults;
mod laws;
mod planted;
mod seam;
mod shrink;
mod stage;
mod wire;

pub use acts::{Act, Ear, Round, Tab, Wish};
pub use faults::faults;
pub use planted::{PLANTED, Planted};
pub use shrink::shrink;
pub use stage::Stage;

use crate::api::Refusal;
use crate::cloud::{CloudError, Lags, Place};
use crate::demo::NoDemo;
use crate::market::{Market, NotOpen};
use crowd::Crowd;
use futures::FutureExt;
use futures::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use laws::Whole;
use seam::Seam;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use wire::Wire;

/// In minutes.
const A_DAY: i64 = 1_440;
/// Schedules run every five minutes, and at night.
const DOT_MS: i64 = 5 * 60_000;

/// Why a simulation cannot go on: not what it looks for.
#[derive(Debug, thiserror::Error)]
pub enum Troubled {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("the table failed")]
    Table(#[from] table::Fault),
    #[error("a folder or the runtime failed")]
    File(#[from] std::io::Error),
    #[error("a word is refused: {0}")]
    Word(String),
    #[error(transparent)]
    Sample(#[from] NoDemo),
}

impl Troubled {
    fn word(error: impl std::fmt::Display) -> Self {
        Self::Word(error.to_string())
    }
}

/// What is lived through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub seed: u64,
    pub history: Vec<Round>,
    pub planted: Option<Planted>,
    /// Whether the whole table is to be digested at the end.
    pub traced: bool,
}

impl Plan {
    /// What a seed says, in so many rounds of fewer acts than `most`.
    #[must_use]
    pub fn of(seed: u64, rounds: usize, most: usize) -> Self {
        Self { seed, history: acts::history(seed, rounds, most), planted: None, traced: false }
    }
}

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub orders: usize,
    /// How often what went wrong.
    pub faults: BTreeMap<&'static str, u64>,
    /// A digest of the whole table, where the plan asks for one.
    pub trace: String,
    /// Every law that does not hold; empty as it should be.
    pub broken: Vec<String>,
    /// What was told of the orders that those name.
    pub story: Vec<String>,
}

/// Lives through a history, in this thread.
///
/// # Errors
/// If the marketplace does not open, or the local cloud itself fails.
pub fn live(stage: &Stage, plan: &Plan) -> Result<Run, Troubled> {
    // Tokio's clock stands, and goes on by itself to whatever is waited for when nothing else can be done.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    let wire = Wire::default();
    let _listens = wire.listen();
    runtime.block_on(lived(stage, plan, &wire))
}

/// Makes where every run begins, in this thread.
///
/// # Errors
/// As [`Stage::make`].
pub fn stage() -> Result<Stage, Troubled> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?;
    runtime.block_on(Stage::make())
}

async fn lived(stage: &Stage, plan: &Plan, wire: &Wire) -> Result<Run, Troubled> {
    let seam = Seam::of(plan.seed, plan.planted);
    let rim = |name, build, outside| seam.around(name, build, outside);
    let market = Market::with_rim(Place::CopyOf(stage.folder()), stage::start(), &rim).await?;
    // On some days replicas and indexes are behind, on some far.
    let behind =
        [0, 5, 25].get(usize::try_from(plan.seed % 3).unwrap_or_default()).copied().unwrap_or_default();
    if behind > 0 {
        market.cloud.lag(Lags::Reads, behind)?;
    }
    let crowd = Crowd::of(&market, stage, &seam)?;
    seam.goes_with(&market);
    let (mut broken, mut whole) = (Vec::new(), Whole::default());
    seam.rough(true);
    for round in &plan.history {
        act_out(&market, &crowd, &seam, round).await?;
        go_on(&market, &seam, SignedDuration::from_mins(round.minutes)).await?;
        // Somebody looks at what was given up at least every few days, as it is not kept for ever.
        // And at what currencies are worth, as nothing is sold at a rate of last week.
        if round.minutes >= A_DAY {
            resend(&market)?;
            let _set = crowd.exchange(seam.roll(10)).await;
        }
        if seam.roll(4) == 0 {
            whole = Whole::read(&market).await?;
            broken = laws::always(&market, &whole, wire)?;
        }
        broken.extend(crowd.wrong());
        if !broken.is_empty() {
            break;
        }
    }
    seam.rough(false);
    if broken.is_empty() {
        to_the_end(&market, &crowd, &seam).await?;
        whole = Whole::read(&market).await?;
        broken = laws::quiet(&market, stage, &whole, &crowd.promises(), (&seam, wire)).await?;
        broken.extend(crowd.wrong());
        broken.sort();
        broken.dedup();
    }
    if !broken.is_empty() {
        whole = Whole::read(&market).await?;
    }
    let (orders, story) = (whole.orders.len(), whole.stories(&broken));
    let trace = if plan.traced { laws::trace(&market)? } else { String::new() };
    Ok(Run { orders, faults: seam.happened(), trace, broken, story })
}

/// Whatever is open comes to its end, some of it days before the rest: so merchants are paid in more than one night.
async fn to_the_end(market: &Market, crowd: &Crowd<'_>, seam: &Seam) -> Result<(), Troubled> {
    // Whatever hangs is asked about, and becomes an order or nothing.
    come_to_rest(market).await?;
    go_on(market, seam, SignedDuration::from_hours(2)).await?;
    come_to_rest(market).await?;
    // A gateway that has no answer is asked for five days.
    for (last, days) in [(false, 4), (true, 6)] {
        let orders = laws::orders(market)?.into_iter().enumerate();
        let orders = orders.filter(|(place, _)| last || place % 2 == 0).map(|(_, order)| order);
        let orders: Vec<_> = orders.collect();
        beside(market, seam, &STEPS[..1], crowd.finish(&orders)).await?;
        come_to_rest(market).await?;
        // Holds end, earnings become payable, the nightly runs pay them, whatever the weather.
        seam.rough(true);
        go_on(market, seam, SignedDuration::from_hours(24 * days)).await?;
        seam.rough(false);
        come_to_rest(market).await?;
        beside(market, seam, &STEPS[..1], crowd.banks()).await?;
        come_to_rest(market).await?;
    }
    crowd.restock().await;
    come_to_rest(market).await
}

/// Time goes on, through every schedule and time-out on the way.
async fn go_on(market: &Market, seam: &Seam, by: SignedDuration) -> Result<(), Troubled> {
    let passes = |until: Timestamp| async move {
        seam.keep_up();
        let wait = Duration::try_from(until.duration_since(market.clock.now())).unwrap_or_default();
        tokio::time::sleep(wait).await;
        seam.keep_up();
    };
    seam.keep_up();
    market.cloud.go_on(by, passes).await?;
    Ok(())
}

/// How long nothing is delivered, in milliseconds: while all people act within seconds the first, else any of them.
const STEPS: [u32; 4] = [60, 1_000, 20_000, 200_000];

/// People act while messages are delivered, and schedules run.
async fn act_out(market: &Market, crowd: &Crowd<'_>, seam: &Seam, round: &Round) -> Result<(), Troubled> {
    if round.on_the_dot {
        let passed = market.clock.now().as_millisecond().rem_euclid(DOT_MS);
        let missing = DOT_MS.saturating_sub(passed).saturating_sub(i64::from(STEPS[0]));
        go_on(market, seam, SignedDuration::from_millis(missing)).await?;
    }
    let acting = join_all(round.acts.iter().map(|(at, act)| async move {
        tokio::time::sleep(Duration::from_millis(u64::from(*at))).await;
        crowd.act(act).await;
    }));
    let steps = if round.acts.iter().any(|(at, _)| *at > 10_000) { &STEPS[..] } else { &STEPS[..1] };
    beside(market, seam, steps, acting.map(drop)).await
}

/// While this goes on, deliveries and schedules do, in steps of a length that is drawn each time.
async fn beside(
    market: &Market,
    seam: &Seam,
    steps: &[u32],
    acting: impl Future<Output = ()>,
) -> Result<(), Troubled> {
    let over = AtomicBool::new(false);
    let acting = acting.map(|()| over.store(true, Ordering::SeqCst));
    let delivering = async {
        let minute = || market.clock.now().as_second().div_euclid(60);
        let mut looked = minute();
        while !over.load(Ordering::SeqCst) {
            seam.keep_up();
            if looked == minute() {
                market.cloud.settle().await?;
            } else {
                // Something may have come due.
                looked = minute();
                market.cloud.advance(SignedDuration::ZERO).await?;
            }
            tokio::time::sleep(Duration::from_millis(seam.one_of(steps).into())).await;
        }
        Ok::<(), CloudError>(())
    };
    let ((), delivered) = join(acting, delivering).await;
    Ok(delivered?)
}

/// Until nothing is deliverable; what was given up is sent again, as an operator would.
async fn come_to_rest(market: &Market) -> Result<(), Troubled> {
    for _ in 0..3 {
        market.cloud.settle_with_retries().await?;
        if resend(market)? == 0 {
            break;
        }
    }
    Ok(())
}

/// Sends again what was given up; answers how much that is.
fn resend(market: &Market) -> Result<usize, Troubled> {
    let letters = market.cloud.dead_letters()?;
    let mut queues: Vec<String> = letters.iter().map(|letter| letter.queue.clone()).collect();
    queues.dedup();
    for queue in queues {
        market.cloud.replay_dead_letters(&queue)?;
    }
    Ok(letters.len())
}
