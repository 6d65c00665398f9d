//! Many buyers and few units, through the real checkout: exactly as many orders as units, and nobody refused too early.
//!
//! 1. every buyer fills a cart with one unit of the hot offer, until nothing is missing but the payment;
//! 2. the rush: all go to the checkout, so many at once; who gets a hold pays, or leaves it as the plan has it;
//! 3. if units were left behind in holds, the clock moves past them, and who was refused comes again.
//!
//! A refusal is too early where a unit can still be had after it: within a rush nothing comes back, so it was there
//! before as well. Absent on purpose: the network.

use super::shopper::{Goods, Shopper, Step, Watch, table};
use super::{Measured, NotMeasured, micros, thousandths};
use crate::api::{Api, Refusal};
use crate::books::Books;
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use crate::replay::Progress;
use domain::cart::HELD;
use domain::catalog::Offer;
use domain::id::derive;
use domain::stock::Levels;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use table::Key;

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Plan {
    pub buyers: usize,
    pub units: u32,
    /// Buyers whose requests are on their way at once; others wait in line.
    pub clients: usize,
    /// Within so many seconds all come to the checkout.
    pub seconds: u32,
    /// Of 100 who get a hold, so many leave it.
    pub abandon: u8,
}

/// What a spike came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Spike {
    pub plan: Plan,
    pub orders: usize,
    /// Buyers who left their hold.
    pub abandoned: usize,
    /// Buyers who got nothing in the end, by what they were told.
    pub refused: BTreeMap<String, usize>,
    /// Refusals after which a unit could still be had.
    pub too_early: usize,
    /// Writes that were refused because of what another one had written, so that something was decided again.
    pub retries: u64,
    /// Milliseconds.
    pub filling: u64,
    /// Milliseconds of each rush: the second is of those who came again.
    pub rushes: Vec<u64>,
    pub steps: Vec<Step>,
    pub bins: usize,
    pub stock: Levels,
    /// Σ debits − Σ credits, in minor units.
    pub balance: i128,
    /// What the books have to say against it.
    pub faults: Vec<String>,
}

impl Spike {
    /// As many as there are units, or as there are buyers who want to pay.
    pub fn expected(&self) -> usize {
        let willing = self.plan.buyers.saturating_sub(self.abandoned);
        usize::try_from(self.plan.units).unwrap_or(usize::MAX).min(willing)
    }
}

impl Measured for Spike {
    const NAME: &'static str = "spike";

    fn table(&self) -> Vec<String> {
        let Plan { buyers, units, clients, seconds, abandon } = self.plan;
        let took: Vec<String> = self.rushes.iter().map(|time| format!("{} s", thousandths(*time))).collect();
        let mut lines = vec![
            format!("{buyers} buyers of {units} units within {seconds} s, {clients} at once"),
            format!("of 100 who hold a unit, {abandon} leave it"),
            format!("carts filled in {} s", thousandths(self.filling)),
            format!("all at the checkout, and what was sold delivered on, in {}", took.join(" and ")),
            String::new(),
        ];
        lines.extend(table(&self.steps));
        let refused: Vec<String> =
            self.refused.iter().map(|(code, count)| format!("{count} {code}")).collect();
        lines.push(String::new());
        lines.push(format!("orders {} of {}, holds left {}", self.orders, self.expected(), self.abandoned));
        lines.push(format!("refused {}; writes decided again {}", refused.join(", "), self.retries));
        let Levels { available, .. } = self.stock;
        lines.push(format!("available {available} in {} bins, ledger off by {}", self.bins, self.balance));
        lines
    }

    /// Every sentence that should be true and is not.
    fn wrong(&self) -> Vec<String> {
        let mut wrong = self.faults.clone();
        let (orders, expected) = (self.orders, self.expected());
        let mut must = |is: bool, sentence: String| wrong.extend((!is).then_some(sentence));
        must(orders == expected, format!("{orders} orders instead of {expected}"));
        must(self.too_early == 0, format!("{} buyers were refused too early", self.too_early));
        must(self.balance == 0, format!("the ledger is off by {} minor units", self.balance));
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        let units = i64::from(self.plan.units);
        let sold = Levels { on_hand: units, allocated: count(orders), available: units - count(orders) };
        must(self.stock == sold, format!("the stock is {:?} instead of {sold:?}", self.stock));
        wrong
    }
}

/// The hot offer and who sells it.
const HOT: (&str, &str) = ("alma", "stoneware-mug-sand");

/// What became of a buyer at the checkout.
enum Came {
    Bought(String),
    Left,
    Refused { shopper: Box<Shopper>, code: String },
}

/// Where the buyers come to.
#[derive(Clone)]
struct Sale {
    market: Market,
    offer: Arc<Offer>,
    /// No unit can be had any more in this rush.
    gone: Arc<AtomicBool>,
}

/// In a sample marketplace of its own.
pub async fn spike(plan: Plan, progress: &impl Progress) -> Result<Spike, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, "sk_bench").await?;
    market.cloud.settle_with_retries().await?;
    let goods = Goods::find(&market, HOT.0, HOT.1).await?;
    let sale = Sale::of(market, &goods, plan.units).await?;
    let (watch, began) = (Watch::default(), Instant::now());
    let shoppers = sale.fill(plan, &goods, &watch, progress).await?;
    let filling = micros(began.elapsed()).div_euclid(1_000);
    let _filling = sale.market.cloud.meter().take();
    let (mut orders, mut abandoned, mut too_early) = (BTreeSet::new(), 0_usize, 0_usize);
    let (mut refused, mut rushes, mut coming) = (BTreeMap::new(), Vec::new(), shoppers);
    for (name, abandon) in [("buyers", plan.abandon), ("again", 0)] {
        let began = Instant::now();
        let all = std::mem::take(&mut coming);
        let came = sale.rush(all, Plan { abandon, ..plan }, (name, progress)).await?;
        rushes.push(micros(began.elapsed()).div_euclid(1_000));
        refused.clear();
        for (came, early) in came {
            too_early = too_early.saturating_add(usize::from(early));
            match came {
                Came::Bought(order) => _ = orders.insert(order),
                Came::Left => abandoned = abandoned.saturating_add(1),
                Came::Refused { shopper, code } => {
                    coming.push(*shopper);
                    let known: &mut usize = refused.entry(code).or_default();
                    *known = known.saturating_add(1);
                }
            }
        }
        if abandoned == 0 || coming.is_empty() {
            break;
        }
        sale.market.advance(HELD.saturating_add(SignedDuration::from_secs(1))).await?;
    }
    let Sale { market, offer, .. } = sale;
    let retries = decided_again(&market);
    let bins = market.world.table.bins(&demo::marketplace_id(), &offer.id).await?;
    let stock = bins.iter().fold(Levels::default(), |sum, bin| sum.plus(bin.levels));
    let books = Books::check(&market).await?;
    Ok(Spike {
        plan,
        orders: orders.len(),
        abandoned,
        refused,
        too_early,
        retries,
        filling,
        rushes,
        steps: watch.steps(),
        bins: bins.len(),
        stock,
        balance: books.accounts.values().map(|balance| balance.debits - balance.credits).sum(),
        faults: books.faults,
    })
}

impl Sale {
    /// Exactly so many units are on the shelf.
    async fn of(market: Market, goods: &Goods, units: u32) -> Result<Self, NotMeasured> {
        let (m, id) = (demo::marketplace_id(), goods.offer());
        let bins = market.world.table.bins(&m, &id).await?;
        let there: i64 = bins.iter().map(|bin| bin.levels.on_hand).sum();
        let by = i64::from(units) - there;
        if by != 0 {
            let body = json!({"by": by, "reason": "counted"});
            let api = Api::new(&market.cloud, "sk_bench");
            api.post(&format!("/v1/stock/{id}/adjust"), &body, "spike-units").await.ok()?;
        }
        market.cloud.settle_with_retries().await?;
        let missing = || demo::NoDemo::Word("the hot offer of the sample is missing".to_owned());
        let offer = market.world.table.load::<Offer>(&Key::offer(&m, &id)).await?.ok_or_else(missing)?.value;
        Ok(Self { market, offer: Arc::new(offer), gone: Arc::default() })
    }

    /// Everybody's cart, in no order.
    async fn fill(
        &self,
        plan: Plan,
        goods: &Goods,
        watch: &Watch,
        progress: &impl Progress,
    ) -> Result<Vec<Shopper>, NotMeasured> {
        let api = Api::new(&self.market.cloud, STOREFRONT);
        let fill = |n: usize| {
            let (api, watch, basket) = (api.clone(), watch.clone(), [goods.clone()]);
            tokio::spawn(async move { Shopper::ready(&api, &watch, &format!("buyer-{n}"), &basket).await })
        };
        let mut filling = stream::iter(0..plan.buyers).map(fill).buffer_unordered(plan.clients.max(1));
        let mut shoppers = Vec::with_capacity(plan.buyers);
        while let Some(done) = filling.next().await {
            shoppers.push(done.map_err(|error| demo::NoDemo::Word(error.to_string()))??);
            progress.step("carts", shoppers.len(), plan.buyers);
        }
        Ok(shoppers)
    }

    /// All of them at the checkout, so many at once; deliveries go on beside them. Answers what became of each, and
    /// whether that was too early.
    async fn rush(
        &self,
        shoppers: Vec<Shopper>,
        plan: Plan,
        (name, progress): (&str, &impl Progress),
    ) -> Result<Vec<(Came, bool)>, NotMeasured> {
        self.gone.store(false, Ordering::Relaxed);
        let (of, mut all, came) = (shoppers.len(), Vec::with_capacity(shoppers.len()), Instant::now());
        let cloud = self.market.cloud.clone();
        let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
        let come = |(n, shopper): (usize, Shopper)| {
            let (sale, leaves) = (self.clone(), leaves(n, plan.abandon));
            let at = came.checked_add(arrival(n, of, plan.seconds));
            tokio::spawn(async move {
                tokio::time::sleep_until(at.unwrap_or(came).into()).await;
                sale.come(shopper, leaves).await
            })
        };
        let mut coming = stream::iter(shoppers).enumerate().map(come).buffer_unordered(plan.clients.max(1));
        while let Some(done) = coming.next().await {
            all.push(done.map_err(|error| demo::NoDemo::Word(error.to_string()))??);
            progress.step(name, all.len(), of);
        }
        pump.abort();
        self.market.cloud.settle_with_retries().await?;
        Ok(all)
    }

    async fn come(&self, shopper: Shopper, leaves: bool) -> Result<(Came, bool), NotMeasured> {
        let tried = async {
            let held = shopper.hold().await.map_err(|refusal| code(&refusal))?;
            match short(&held) {
                Some(code) => Err(code),
                None if leaves => Ok(Came::Left),
                None => shopper.pay().await.map(Came::Bought).map_err(|refusal| code(&refusal)),
            }
        };
        match tried.await {
            Ok(came) => Ok((came, false)),
            Err(code) => Ok((Came::Refused { shopper: Box::new(shopper), code }, self.is_left().await?)),
        }
    }

    /// Whether a unit can be had.
    async fn is_left(&self) -> Result<bool, NotMeasured> {
        if self.gone.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let (m, now) = (demo::marketplace_id(), self.market.clock.now());
        let offers = std::slice::from_ref(self.offer.as_ref());
        let available = self.market.world.table.available(&m, offers, None, now).await?;
        let left = available.values().any(|units| *units > 0);
        self.gone.fetch_or(!left, Ordering::Relaxed);
        Ok(left)
    }
}

/// When the n-th of so many comes: evenly over the time.
fn arrival(n: usize, of: usize, seconds: u32) -> Duration {
    let (n, of) = (u64::try_from(n).unwrap_or_default(), u64::try_from(of).unwrap_or_default());
    Duration::from_millis(
        n.saturating_mul(u64::from(seconds)).saturating_mul(1_000).checked_div(of).unwrap_or(0),
    )
}

/// What was refused by a condition or in conflict since the last look, and decided again.
fn decided_again(market: &Market) -> u64 {
    let lines = market.cloud.meter().take();
    let writes = ["TransactWriteItems", "UpdateItem", "PutItem"];
    lines.iter().filter(|line| writes.contains(&line.operation.as_str())).map(|line| line.refused).sum()
}

/// Whether the n-th who comes would leave a hold: the same ones each time.
fn leaves(n: usize, abandon: u8) -> bool {
    derive(&["leaves", &n.to_string()]).rem_euclid(100) < u128::from(abandon)
}

/// What a checkout lacks that no shopper can give.
fn short(checkout: &Value) -> Option<String> {
    let unmet = checkout.pointer("/unmet").and_then(Value::as_array)?;
    let short = unmet.iter().find(|one| one.pointer("/step").and_then(Value::as_str) == Some("cart"))?;
    let word = short.pointer("/lines/0/problem").or_else(|| short.pointer("/code"));
    Some(word.and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn code(refusal: &Refusal) -> String {
    let code = refusal.body.pointer("/code").and_then(Value::as_str);
    code.map_or_else(|| refusal.status.to_string(), str::to_owned)
}
