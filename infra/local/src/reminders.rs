//! What it takes to remind of carts that fall due in one hour, among many that do not: the run of the schedule, what is
//! read of each, and the mail.
//!
//! One cart begins through the API; the others are copies of it with mailboxes of their own, put straight into the
//! table with their due items, which for most of them lie behind the hour. Absent on purpose: the network.

use crate::api::Api;
use crate::bench::shopper::Goods;
use crate::bench::{Cost, NotMeasured, costs, memory, missing};
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use crate::replay::Progress;
use domain::cart::{Cart, Contact};
use domain::id::{CartId, derive};
use domain::reminder::{Newest, Stage};
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use table::due::Work;
use table::{Key, Table};

/// The operator's key.
const SECRET: &str = "sk_bench";
/// Carts that are put at once.
const AT_ONCE: usize = 16;
/// How often it is looked how far the mails are.
const LOOK: Duration = Duration::from_millis(250);
/// Noon of the next day: no quiet hours.
const HOUR: SignedDuration = SignedDuration::from_hours(36);
/// The first step of the policy that a marketplace begins with.
const IDLE: SignedDuration = SignedDuration::from_hours(1);
/// Looks of the carts that are not due are spread over so many minutes after the hour.
const LATER: usize = 3 * 24 * 60;
/// Hundredths of read units that a due cart may take.
const READ_MAX: u64 = 3_00;
/// Runs of the schedule, each of which looks at all shards for a unit each, also where nothing is due.
const RUNS: u64 = 13;
/// Follow-ups of a page.
const PAGE: u16 = 1_000;

/// What an hour of reminders came to.
#[derive(Debug, Clone)]
pub struct Reminders {
    pub open: usize,
    pub due: usize,
    pub seeding: Duration,
    /// Due items of the hour by shard, before it came.
    pub shards: Vec<usize>,
    /// From the beginning of the hour until the last mail lay there.
    pub took: Duration,
    /// By function, all reminders together.
    pub costs: BTreeMap<String, Cost>,
    /// The most memory that the process has had, in KiB, where the system says so.
    pub memory: Option<u64>,
    /// People who were written one step, and mailboxes with exactly one mail.
    pub reminded: usize,
    pub mailed: usize,
    pub faults: Vec<String>,
}

impl Reminders {
    /// What the reminder run takes of the table, whatever it finds left out: a look at each shard each time.
    pub fn run(&self) -> Cost {
        let all = self.costs.get("abandoned-cart").copied().unwrap_or_default();
        let looks = u64::try_from(self.shards.len()).unwrap_or_default().saturating_mul(RUNS);
        let looks = looks.saturating_mul(100);
        Cost { read: all.read.saturating_sub(looks), ..all }
    }

    /// The most that a shard of so many may have where each item falls by chance: six deviations above the average.
    pub fn share_max(&self) -> usize {
        let average = self.due.div_ceil(self.shards.len().max(1));
        average.saturating_add(average.isqrt().saturating_add(1).saturating_mul(6))
    }

    /// Every sentence that should be true and is not.
    pub fn wrong(&self) -> Vec<String> {
        let (due, mut wrong) = (self.due, self.faults.clone());
        if self.reminded != due || self.mailed != due {
            let Self { reminded, mailed, .. } = self;
            wrong.push(format!("of {due} due carts {reminded} were reminded of once, {mailed} by one mail"));
        }
        let put = self.shards.iter().sum::<usize>();
        if put != due {
            wrong.push(format!("{put} due items for {due} carts"));
        }
        let Cost { read, .. } = self.run().of_one(self.due);
        if read > READ_MAX {
            wrong.push(format!("a due cart takes {read} hundredths of read units, {READ_MAX} at the most"));
        }
        let fullest = self.shards.iter().max().copied().unwrap_or_default();
        if fullest > self.share_max() {
            wrong.push(format!("a shard has {fullest} due items, {} would be its share", self.share_max()));
        }
        wrong
    }
}

/// A sample marketplace with so many open carts, of which some fall due in one hour, and that hour.
pub async fn reminders(open: usize, due: usize, progress: &impl Progress) -> Result<Reminders, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, SECRET).await?;
    let sample = sample(&market).await?;
    let hour = Hour(start.saturating_add(HOUR).unwrap_or(start));
    market.advance_to(hour.minute(-1)).await?;
    let began = Instant::now();
    multiply(&market.world.table, &sample, (open, due), hour, progress).await?;
    let seeding = began.elapsed();
    let shards = market.world.table.due_by_shard(Work::Reminder, hour.minute(59)).await?;
    let _seeding = market.cloud.meter().take();
    let began = Instant::now();
    pass(&market, hour, due, progress).await?;
    let took = began.elapsed();
    let (costs, memory) = (costs(&market), memory());
    let (reminded, mut faults) = reminded(&market.world.table, hour).await?;
    let (mailed, more) = mailed(&market)?;
    faults.extend(more);
    faults.extend(market.cloud.dead_letters()?.iter().map(|letter| format!("set aside: {}", letter.body)));
    Ok(Reminders { open, due, seeding, shards, took, costs, memory, reminded, mailed, faults })
}

/// When it begins.
#[derive(Debug, Clone, Copy)]
struct Hour(Timestamp);

impl Hour {
    fn minute(self, n: i64) -> Timestamp {
        self.0.saturating_add(SignedDuration::from_mins(n)).unwrap_or(self.0)
    }

    /// When the nth cart is looked at: in this hour, or after the last run that belongs to it.
    fn of(self, n: usize, due: usize) -> Timestamp {
        let minute = if n < due { n.rem_euclid(60) } else { n.rem_euclid(LATER).saturating_add(65) };
        self.minute(i64::try_from(minute).unwrap_or_default())
    }
}

/// A guest's cart of one line.
async fn sample(market: &Market) -> Result<Cart, NotMeasured> {
    let api = Api::new(&market.cloud, STOREFRONT);
    let cart = api.post("/v1/carts", &json!({"country": "DE"}), "").await;
    let id: CartId = cart.text("/id").parse().map_err(|_| missing("cart"))?;
    let Goods { merchant, sku } = Goods::find(market, "alma", "stoneware-mug-sand").await?;
    let add = json!({"add": [{"merchant": merchant, "sku": sku, "quantity": 1}]});
    api.post(&format!("/v1/carts/{id}/edit"), &add, "").await.ok()?;
    market.cloud.settle_with_retries().await?;
    let held = market.world.table.load::<Cart>(&Key::cart(&demo::marketplace_id(), &id)).await?;
    Ok(held.ok_or_else(|| missing("cart"))?.value)
}

/// The same of somebody else, who has agreed to be reminded, and was last there an hour before `at`, or just now.
fn copy(sample: &Cart, n: usize, at: Timestamp, now: Timestamp) -> Result<Cart, NotMeasured> {
    let email = format!("shopper-{n}@post.example").parse().map_err(|_| missing("mailbox"))?;
    let edited_at = at.saturating_sub(IDLE).unwrap_or(now).min(now);
    let cart = Cart {
        id: CartId::from_bits(derive(&["left", &n.to_string()])),
        contact: Some(Contact { email: Some(email), phone: None, agreed_at: Some(edited_at) }),
        edited_at,
        ..sample.clone()
    };
    Ok(Cart { look_at: Some(at), ..cart.followed(&demo::marketplace_id()) })
}

/// So many of them in the table.
async fn multiply(
    table: &Table,
    sample: &Cart,
    (open, due): (usize, usize),
    hour: Hour,
    progress: &impl Progress,
) -> Result<(), NotMeasured> {
    let put = |n: usize| {
        let (table, sample, at) = (table.clone(), sample.clone(), hour.of(n, due));
        tokio::spawn(async move {
            let (m, now) = (demo::marketplace_id(), hour.minute(-1));
            let cart = copy(&sample, n, at, now)?;
            let newest = Newest::of(&cart, now).ok_or_else(|| missing("mailbox"))?;
            table.look_at_cart(&m, &newest.follow_up, at).await?;
            table.cart_is_newest(&m, &newest).await?;
            table.put(&m, None, &cart).await?;
            Ok::<_, NotMeasured>(())
        })
    };
    let mut putting = stream::iter(0..open).map(put).buffer_unordered(AT_ONCE);
    let mut there: usize = 0;
    while let Some(done) = putting.next().await {
        done.map_err(|error| demo::NoDemo::Word(error.to_string()))??;
        there = there.saturating_add(1);
        progress.step("seeded", there, open);
    }
    Ok(())
}

/// The hour, run by run of the schedule, each with its mails.
async fn pass(market: &Market, hour: Hour, due: usize, progress: &impl Progress) -> Result<(), NotMeasured> {
    let mut working = std::pin::pin!(async {
        for minute in (1..=61).step_by(5) {
            market.advance_to(hour.minute(minute)).await?;
            market.cloud.settle_with_retries().await?;
        }
        Ok::<_, NotMeasured>(())
    });
    loop {
        tokio::select! {
            done = &mut working => return done,
            () = tokio::time::sleep(LOOK) => progress.step("mailed", market.cloud.mails_sent(), due),
        }
    }
}

/// How many people have got the first step and no other since the hour began; what else was found.
async fn reminded(table: &Table, hour: Hour) -> Result<(usize, Vec<String>), NotMeasured> {
    let (mut once, mut faults, mut after): (usize, Vec<String>, _) = (0, Vec::new(), None);
    loop {
        let page = table.follow_ups(&demo::marketplace_id(), hour.0, PAGE, after.as_ref()).await?;
        for found in &page.items {
            if found.written.len() == 1 && found.stage == Stage::Open {
                once = once.saturating_add(1);
            } else {
                faults.push(format!("{}: {} steps, {:?}", found.id, found.written.len(), found.stage));
            }
        }
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok((once, faults)),
        }
    }
}

/// How many mailboxes have a mail; whoever has more than one.
fn mailed(market: &Market) -> Result<(usize, Vec<String>), NotMeasured> {
    let (mut mailboxes, mut faults) = (BTreeSet::new(), Vec::new());
    for mailbox in market.cloud.mails()?.into_iter().flat_map(|mail| mail.to) {
        if !mailboxes.insert(mailbox.clone()) {
            faults.push(format!("{mailbox} has more than one mail"));
        }
    }
    Ok((mailboxes.len(), faults))
}
