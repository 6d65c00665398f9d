//! What one order costs: a shopper's order of 3 lines from 2 merchants, alone, from the first look at a product up to
//! the bank's file, step by step; and what AWS asks for a million of them. Nights are less what they cost without it.
//!
//! Calls of the table and units are the engine's own ConsumedCapacity; everything else is counted where the local cloud
//! hands it over. An order that is alone shares no batch with another one: each message is a send, a receive, a delete
//! and an invocation of its own, so a busy marketplace pays less. Milliseconds are taken from the number of calls
//! ([`OWN_MS`], [`CALL_MS`]), because this machine is neither Lambda nor a network away from its table.

use super::prices::{AS_OF, Of, PRICES, REGION};
use super::shopper::{Goods, STEPS, Shopper, Watch};
use super::{
    CALL_MS, LOG_BYTES, Measured, NotMeasured, OWN_MS, TRACED, Work, missing, orders, places, worked_by,
    worked_by_all,
};
use crate::api::Api;
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use domain::id::OfferId;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use table::Key;

/// What a million orders may cost up to and with their split, in dollars: everything that a placed order causes but
/// mail.
pub const MOST: u32 = 85;
/// What a gateway is waited for.
const GATEWAY_MS: u64 = 500;
/// Days until the last payout: delivery is held for 14.
const NIGHTS: i64 = 18;
/// Functions whose work is mail, whatever it is about.
const MAIL: [&str; 3] = ["abandoned-cart", "notifications", "review-collection"];
/// The operator's key.
const SECRET: &str = "sk_bench";

/// What a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// What shoppers look at; no order.
    Browsing,
    /// From the open cart to merchants who may ship.
    ToTheSplit,
    Shipment,
    Payout,
    /// Reminders, confirmations, requests for reviews.
    Mail,
}

impl Part {
    pub const ALL: [Self; 5] = [Self::Browsing, Self::ToTheSplit, Self::Shipment, Self::Payout, Self::Mail];

    pub fn word(self) -> &'static str {
        match self {
            Self::Browsing => "a look at a product",
            Self::ToTheSplit => "up to the split",
            Self::Shipment => "shipment",
            Self::Payout => "payout",
            Self::Mail => "mail",
        }
    }
}

/// One row: a request, or what a function did because of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    pub part: Part,
    pub step: String,
    #[serde(flatten)]
    pub work: Work,
    /// For a million.
    pub dollars: Decimal,
}

/// A part's rows together.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sum {
    pub part: Part,
    #[serde(flatten)]
    pub work: Work,
    /// For a million, by service.
    pub by_service: BTreeMap<String, Decimal>,
    pub dollars: Decimal,
}

/// What an order costs.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Bill {
    pub region: String,
    pub prices_as_of: String,
    pub assumed: Vec<String>,
    pub rows: Vec<Row>,
    pub sums: Vec<Sum>,
    /// A whole order, in dollars for a million: all parts but browsing.
    pub dollars: Decimal,
    pub most_up_to_the_split: Decimal,
}

impl Bill {
    fn of(rows: Vec<Row>) -> Self {
        let sum = |part: Part| {
            let rows = rows.iter().filter(|row| row.part == part);
            let work = rows.fold(Work::default(), |sum, row| sum.plus(&row.work));
            let (by_service, dollars) = (work.usage.by_service(), work.usage.per_million());
            Sum { part, work, by_service, dollars }
        };
        let sums: Vec<Sum> = Part::ALL.into_iter().map(sum).collect();
        let dollars =
            sums.iter().filter(|sum| sum.part != Part::Browsing).map(|sum| sum.dollars).sum::<Decimal>();
        Self {
            region: REGION.to_owned(),
            prices_as_of: AS_OF.to_owned(),
            assumed: assumed(),
            rows,
            sums,
            dollars,
            most_up_to_the_split: MOST.into(),
        }
    }

    pub fn sum(&self, part: Part) -> Decimal {
        self.sums.iter().filter(|sum| sum.part == part).map(|sum| sum.dollars).sum()
    }
}

fn assumed() -> Vec<String> {
    vec![
        "the order is alone: no batch has a second message; a batch is one receive and one delete".to_owned(),
        format!(
            "an invocation takes {OWN_MS} ms and {CALL_MS} ms for each call of AWS, at the template's memory"
        ),
        format!(
            "a call of the gateway takes {GATEWAY_MS} ms: one when the order is paid, one for each parcel"
        ),
        format!("an invocation logs {LOG_BYTES} bytes, and {TRACED} of a hundred are traced"),
        "prices for Arm, first tier, free tiers not counted; no storage, no polls of empty queues".to_owned(),
    ]
}

impl Measured for Bill {
    const NAME: &'static str = "cost";

    fn table(&self) -> Vec<String> {
        let Self { region, prices_as_of, .. } = self;
        let mut lines = vec![
            "An order of 3 lines from 2 merchants, from the cart to the bank's file; dollars for a million,"
                .to_owned(),
            format!("list prices of {region} as of {prices_as_of}:\n"),
            format!(
                "{:<38} {:>5} {:>7} {:>7} {:>6} {:>7} {:>4} {:>5} {:>6} {:>5} {:>8}",
                "step", "calls", "reads", "writes", "invoc.", "GB-s", "API", "SQS", "events", "mails", "$"
            ),
        ];
        for sum in &self.sums {
            for row in self.rows.iter().filter(|row| row.part == sum.part) {
                lines.push(line(&format!("  {}", row.step), &row.work, row.dollars));
            }
            lines.push(line(sum.part.word(), &sum.work, sum.dollars));
            let said = |(name, dollars): (&String, &Decimal)| format!("{name} {}", places(*dollars, 2));
            let by: Vec<String> = sum.by_service.iter().map(said).collect();
            lines.push(format!("    = {}", by.join(", ")));
        }
        let (split, whole) = (places(self.sum(Part::ToTheSplit), 2), places(self.dollars, 2));
        lines.push(String::new());
        lines.push(format!("a million orders: ${split} up to the split (at most ${MOST}), ${whole} in all"));
        lines.push("Taken for granted:".to_owned());
        lines.extend(self.assumed.iter().map(|line| format!("  {line}")));
        lines.push("Prices:".to_owned());
        for price in &PRICES {
            let dollars = places(Decimal::new(i64::try_from(price.micros).unwrap_or(i64::MAX), 6), 4);
            let (service, unit, source) = (price.service, price.unit, price.source);
            lines.push(format!("  {service:<13} {unit:<24} ${dollars:>12} a million  {source}"));
        }
        lines
    }

    fn wrong(&self) -> Vec<String> {
        let split = self.sum(Part::ToTheSplit);
        let over = split > self.most_up_to_the_split;
        over.then(|| format!("${} up to the split is more than ${MOST}", places(split, 2)))
            .into_iter()
            .collect()
    }
}

fn line(name: &str, work: &Work, dollars: Decimal) -> String {
    let get = |of: Of, to: u32| places(work.usage.get(of), to);
    format!(
        "{name:<38} {:>5} {:>7} {:>7} {:>6} {:>7} {:>4} {:>5} {:>6} {:>5} {:>8}",
        places(work.table_calls, 0),
        get(Of::ReadUnits, 1),
        get(Of::WriteUnits, 1),
        get(Of::Invocations, 0),
        get(Of::GigabyteSeconds, 3),
        get(Of::ApiRequests, 0),
        get(Of::QueueRequests, 0),
        get(Of::Events, 0),
        get(Of::Mails, 0),
        places(dollars, 2),
    )
}

/// One order travels alone; each step's cost, in order.
pub async fn cost() -> Result<Bill, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Ordered).await?;
    demo::seed(&market, SECRET).await?;
    market.cloud.settle_with_retries().await?;
    // Runs that the sample's merchants have asked for by changing their schedules.
    market.advance(SignedDuration::from_hours(24 * 40)).await?;
    let nothing = nights(&market).await?;
    let mut noted = Rows { market: &market, rows: Vec::new() };
    let basket = orders::basket(&market).await?;
    let product = look(&market, &basket).await?;
    let (shop, operator) = (Api::new(&market.cloud, STOREFRONT), Api::new(&market.cloud, SECRET));
    let _before = worked_by(&market);

    shop.get(&format!("/v1/shop/products/{product}")).await.ok()?;
    noted.request(Part::Browsing, "a product with its offers", 0);
    let cart = Shopper::open(&shop, &Watch::default()).await?;
    noted.request(Part::ToTheSplit, STEPS[0], 0);
    let cart = cart.fill(&basket).await?;
    noted.request(Part::ToTheSplit, STEPS[1], 0);
    let cart = cart.address("alone", &basket).await?;
    noted.request(Part::ToTheSplit, STEPS[2], 0);
    cart.hold().await?;
    noted.request(Part::ToTheSplit, STEPS[3], 0);
    let order = cart.pay().await?;
    noted.request(Part::ToTheSplit, STEPS[4], 1);
    noted.settle(Part::ToTheSplit).await?;

    let whole = operator.get(&format!("/v1/orders/{order}")).await.ok()?;
    let _look = worked_by(&market);
    let parts: Vec<String> = [0, 1].map(|n| text(&whole, &format!("/merchant_orders/{n}/id"))).into();
    let mut shipments = Vec::new();
    for part in &parts {
        let body = json!({"carrier": "post", "tracking_number": part});
        let shipped = operator.post(&format!("/v1/merchant-orders/{part}/ship"), &body, part).await.ok()?;
        shipments.push(text(&shipped, "/shipments/0/id"));
    }
    noted.request(Part::Shipment, "ship 2 parcels", 2);
    noted.settle(Part::Shipment).await?;
    for (part, shipment) in parts.iter().zip(&shipments) {
        let path = format!("/v1/merchant-orders/{part}/shipments/{shipment}/track");
        operator.post(&path, &json!({"status": "delivered"}), &format!("d-{part}")).await.ok()?;
    }
    noted.request(Part::Shipment, "deliver 2 parcels", 0);
    noted.settle(Part::Shipment).await?;

    for (name, work) in nights(&market).await? {
        let work = work.minus(nothing.get(&name).unwrap_or(&Work::default()));
        noted.add(Part::Payout, &name, &work);
    }
    Ok(Bill::of(noted.rows))
}

/// What functions do in the nights until the last payout.
async fn nights(market: &Market) -> Result<BTreeMap<String, Work>, NotMeasured> {
    let _before = worked_by(market);
    market.advance(SignedDuration::from_hours(24 * NIGHTS)).await?;
    market.cloud.settle_with_retries().await?;
    Ok(worked_by(market))
}

/// The product of the first of them.
async fn look(market: &Market, basket: &[Goods]) -> Result<String, NotMeasured> {
    let first: OfferId = basket.first().ok_or_else(|| missing("basket"))?.offer();
    let key = Key::offer(&demo::marketplace_id(), &first);
    let offer =
        market.world.table.load::<domain::catalog::Offer>(&key).await?.ok_or_else(|| missing("offer"))?;
    Ok(offer.value.product.to_string())
}

/// What was noted so far.
struct Rows<'a> {
    market: &'a Market,
    rows: Vec<Row>,
}

impl Rows<'_> {
    fn row(&mut self, part: Part, step: &str, work: Work) {
        let part = if MAIL.contains(&step) { Part::Mail } else { part };
        let dollars = work.usage.per_million();
        if !dollars.is_zero() {
            self.rows.push(Row { part, step: step.to_owned(), work, dollars });
        }
    }

    /// Requests since the last look, which called the gateway so often, in it or behind it.
    fn request(&mut self, part: Part, step: &str, gateway: u64) {
        let memory = self.market.cloud.template().function("payment").map_or(0, |function| function.memory);
        let work = worked_by_all(self.market).waiting(gateway.saturating_mul(GATEWAY_MS), memory);
        self.row(part, step, work);
    }

    /// All that follows, by function; one that was there before gets it added.
    async fn settle(&mut self, part: Part) -> Result<(), NotMeasured> {
        self.market.cloud.settle_with_retries().await?;
        for (name, work) in worked_by(self.market) {
            self.add(part, &name, &work);
        }
        Ok(())
    }

    fn add(&mut self, part: Part, name: &str, work: &Work) {
        let mail = MAIL.contains(&name);
        match self.rows.iter_mut().find(|row| row.step == name && (row.part == part || mail)) {
            Some(row) => {
                row.work = row.work.plus(work);
                row.dollars = row.work.usage.per_million();
            }
            None => self.row(part, name, work.clone()),
        }
    }
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}
