//! How fast renewals are worked off that fall due in the same minute: from the run of the schedule until everything is
//! paid, told and posted.
//!
//! One subscription begins through the API; the others are copies of it, of its paid invoice and of its payment, put
//! straight into the table with their due items. Absent on purpose: the network, the time that a gateway takes.

use crate::api::Api;
use crate::bench::{Cost, NotMeasured, costs, memory, missing};
use crate::books::Books;
use crate::cloud::Pace;
use crate::demo;
use crate::market::{Market, NotOpen};
use crate::replay::Progress;
use domain::id::{CustomerId, InvoiceId, MarketplaceId, OrderId, PaymentId, PlanId, SubscriptionId, derive};
use domain::invoice::{Invoice, Stage};
use domain::payment::Payment;
use domain::subscription::Subscription;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use table::due::Work;
use table::{Key, Table};

/// The operator's key.
const SECRET: &str = "sk_bench";
/// Copies that are put at once.
const AT_ONCE: usize = 16;
/// How often the queue is looked at; each look counts what lies in it.
const LOOK: Duration = Duration::from_millis(250);
/// Hundredths of write units that a renewal may take, the ledger's totals left out.
const WRITE_MAX: u64 = 20_00;

/// What so many renewals came to.
#[derive(Debug, Clone)]
pub struct Renewals {
    pub due: usize,
    pub seeding: Duration,
    /// Due items by shard.
    pub shards: Vec<usize>,
    /// Until the queue had everything, until nothing was left in it, and until all was told and posted.
    pub handed_on: Duration,
    pub renewed: Duration,
    pub took: Duration,
    /// By function, all renewals together.
    pub costs: BTreeMap<String, Cost>,
    /// The most memory that the process has had, in KiB, where the system says so.
    pub memory: Option<u64>,
    /// Subscriptions with exactly one new invoice, which is paid.
    pub paid: usize,
    /// Σ debits − Σ credits.
    pub balance: i128,
    pub faults: Vec<String>,
}

impl Renewals {
    /// All functions together, the ledger's projection left out.
    pub fn together(&self) -> Cost {
        let but_ledger = self.costs.iter().filter(|(name, _)| *name != "ledger");
        but_ledger.fold(Cost::default(), |sum, (_, cost)| sum.plus(cost))
    }

    /// Every sentence that should be true and is not.
    pub fn wrong(&self) -> Vec<String> {
        let (due, mut wrong) = (self.due, self.faults.clone());
        if self.paid != due {
            wrong.push(format!("{} of {due} subscriptions have exactly one new paid invoice", self.paid));
        }
        let put = self.shards.iter().sum::<usize>();
        if put != due {
            wrong.push(format!("{put} due items for {due} subscriptions"));
        }
        let Cost { write, .. } = self.together().of_one(self.due);
        if write > WRITE_MAX {
            wrong.push(format!("a renewal takes {write} hundredths of write units, {WRITE_MAX} at the most"));
        }
        if self.balance != 0 {
            wrong.push(format!("debits and credits differ by {} minor units", self.balance));
        }
        wrong
    }
}

/// A sample marketplace with so many subscriptions, and the minute in which all of them renew.
pub async fn renewals(due: usize, progress: &impl Progress) -> Result<Renewals, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, SECRET).await?;
    let sample = Sample::subscribe(&market).await?;
    let at = sample.due_at()?;
    let began = Instant::now();
    sample.multiply(&market.world.table, due, progress).await?;
    market.advance_to(at.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(at)).await?;
    market.cloud.settle_with_retries().await?;
    let seeding = began.elapsed();
    let shards = market.world.table.due_by_shard(Work::Subscription, at).await?;
    let _seeding = market.cloud.meter().take();
    let Run { handed_on, renewed, took } = run(&market, at, due, progress).await?;
    let (costs, memory) = (costs(&market), memory());
    let (paid, mut faults) = paid(&market.world.table).await?;
    let books = Books::check(&market).await?;
    faults.extend(books.faults);
    faults.extend(market.cloud.dead_letters()?.iter().map(|letter| format!("set aside: {}", letter.body)));
    let balance = books.accounts.values().map(|balance| balance.debits - balance.credits).sum();
    Ok(Renewals { due, seeding, shards, handed_on, renewed, took, costs, memory, paid, balance, faults })
}

/// A subscription that runs, with what its beginning has left behind.
#[derive(Debug, Clone)]
struct Sample {
    subscription: Subscription,
    invoice: Invoice,
    payment: Payment,
}

impl Sample {
    /// Through the API.
    async fn subscribe(market: &Market) -> Result<Self, NotMeasured> {
        let (m, operator) = (demo::marketplace_id(), Api::new(&market.cloud, SECRET));
        let plan = json!({"external_id": "renewed", "name": "Renewed", "currency": "EUR", "terms": {
            "interval": {"every": "month"},
            "price": {"amount": "19.00", "currency": "EUR"},
            "included": 3,
            "proration": "second",
            "features": ["products"],
        }});
        operator.post("/v1/plans/publish", &plan, "renewed").await.ok()?;
        let token =
            market.issuer.token("subscriber", SignedDuration::from_hours(1)).map_err(NotOpen::from)?;
        let person = Api::new(&market.cloud, token);
        let account = json!({"name": "Ines", "email": "ines@post.example"});
        person.post("/v1/customers/me", &account, "").await.ok()?;
        let address = json!({
            "country": "DE", "name": "Ines", "lines": ["Lindenweg 5"],
            "city": "Berlin", "postal_code": "10969",
        });
        let begin = json!({
            "plan": PlanId::named(&m, "renewed"),
            "address": address,
            "payment": {"method": "card", "token": "tok_approved"},
        });
        let begun = person.post("/v1/subscriptions", &begin, "").await;
        let id: SubscriptionId = begun.text("/id").parse().map_err(|_| missing("subscription"))?;
        begun.ok()?;
        market.cloud.settle_with_retries().await?;
        let table = &market.world.table;
        let subscription = table.load::<Subscription>(&Key::subscription(&m, &id)).await?;
        let invoice = table.invoice(&m, &InvoiceId::of(&id, 1)).await?;
        let payment = Key::payment(&m, &PaymentId::of(&OrderId::of_invoice(&InvoiceId::of(&id, 1)), 1));
        let payment = table.load::<Payment>(&payment.ok_or_else(|| missing("payment"))?).await?;
        Ok(Self {
            subscription: subscription.ok_or_else(|| missing("subscription"))?.value,
            invoice: invoice.ok_or_else(|| missing("invoice"))?.value,
            payment: payment.ok_or_else(|| missing("payment"))?.value,
        })
    }

    fn due_at(&self) -> Result<Timestamp, NotMeasured> {
        self.subscription.due_at().ok().flatten().ok_or_else(|| missing("end of a period"))
    }

    /// The same of somebody else.
    fn copy(&self, n: usize) -> Self {
        let bits = derive(&["renewed", &n.to_string()]);
        let (subscription, customer) = (SubscriptionId::from_bits(bits), CustomerId::from_bits(bits));
        let invoice = InvoiceId::of(&subscription, 1);
        let order = OrderId::of_invoice(&invoice);
        let of = Some(invoice.clone());
        Self {
            payment: Payment { id: PaymentId::of(&order, 1), order, invoice: of, ..self.payment.clone() },
            invoice: Invoice {
                id: invoice,
                subscription: subscription.clone(),
                customer: customer.clone(),
                ..self.invoice.clone()
            },
            subscription: Subscription { id: subscription, customer, ..self.subscription.clone() },
        }
    }

    async fn put(&self, table: &Table, m: &MarketplaceId) -> Result<(), table::Fault> {
        table.subscription_will_be_due(m, None, &self.subscription).await?;
        table.put(m, None, &self.subscription).await?;
        table.put(m, None, &self.invoice).await?;
        table.put(m, None, &self.payment).await?;
        Ok(())
    }

    /// So many of them in the table, itself included.
    async fn multiply(&self, table: &Table, all: usize, progress: &impl Progress) -> Result<(), NotMeasured> {
        let put = |n: usize| {
            let (table, copy) = (table.clone(), self.copy(n));
            tokio::spawn(async move { copy.put(&table, &demo::marketplace_id()).await })
        };
        let mut putting = stream::iter(1..all).map(put).buffer_unordered(AT_ONCE);
        let mut there = 1;
        while let Some(done) = putting.next().await {
            done.map_err(|error| demo::NoDemo::Word(error.to_string()))??;
            there += 1;
            progress.step("seeded", there, all);
        }
        Ok(())
    }
}

/// When what was done, from the schedule's run on.
#[derive(Debug, Default)]
struct Run {
    handed_on: Duration,
    renewed: Duration,
    took: Duration,
}

/// The clock reaches the minute. Locally all is handed on before the first is renewed.
async fn run(
    market: &Market,
    at: Timestamp,
    due: usize,
    progress: &impl Progress,
) -> Result<Run, NotMeasured> {
    let queue = market.cloud.environment("recurring-billing")?;
    let queue = queue.get("RECURRING_BILLING_QUEUE").and_then(|queue| queue.rsplit('/').next());
    let queue = queue.ok_or_else(|| missing("queue"))?;
    let (mut run, mut most, began) = (Run::default(), 0, Instant::now());
    let mut working = std::pin::pin!(async {
        market.advance_to(at).await?;
        Ok::<_, NotMeasured>(market.cloud.settle_with_retries().await?)
    });
    loop {
        tokio::select! {
            done = &mut working => {
                done?;
                break;
            }
            () = tokio::time::sleep(LOOK) => {}
        }
        let (visible, hidden, _) = market.cloud.queue_depth(queue)?;
        let lies = usize::try_from(visible.saturating_add(hidden)).unwrap_or_default();
        if lies > most {
            (most, run.handed_on) = (lies, began.elapsed());
            progress.step("handed on", lies, due);
        } else if lies > 0 {
            run.renewed = began.elapsed();
            progress.step("renewed", due.saturating_sub(lies), due);
        }
    }
    run.took = began.elapsed();
    Ok(run)
}

/// How many subscriptions have exactly one new invoice that is paid; invoices beyond that.
async fn paid(table: &Table) -> Result<(usize, Vec<String>), NotMeasured> {
    let (mut subscriptions, mut paid, mut faults) = (Vec::new(), BTreeSet::new(), Vec::new());
    let mut after = None;
    loop {
        let page = table.scan_all(after.as_ref()).await?;
        for found in &page.items {
            let subscription = found.read::<Subscription>()?.map(|(_, one)| one);
            subscriptions.extend(subscription.filter(|one| one.documents == 2).map(|one| one.id));
            let Some((_, invoice)) = found.read::<Invoice>()? else { continue };
            let number = invoice.id.place().map_or(0, |(_, number)| number);
            if !(1..=2).contains(&number) || !matches!(invoice.stage, Stage::Paid { .. }) {
                faults.push(format!("{} is one too many, or not paid: {}", invoice.id, invoice.status()));
            } else if number == 2 {
                paid.insert(invoice.id);
            }
        }
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => break,
        }
    }
    let renewed = subscriptions.iter().filter(|id| paid.contains(&InvoiceId::of(id, 2)));
    Ok((renewed.count(), faults))
}
