//! What one order costs: table calls and capacity units by step, from the engine's own ConsumedCapacity; and what
//! all benchmarks count by.

use crate::api::{Api, Refusal};
use crate::cloud::{CloudError, Pace};
use crate::demo::{self, NoDemo};
use crate::market::{Market, NotOpen};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Calls and hundredths of capacity units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub calls: u64,
    pub read: u64,
    pub write: u64,
}

impl Cost {
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            read: self.read.saturating_add(other.read),
            write: self.write.saturating_add(other.write),
        }
    }

    /// The part of one of so many; calls too are in hundredths then.
    #[must_use]
    pub fn of_one(&self, many: usize) -> Self {
        let many = u64::try_from(many).unwrap_or(1).max(1);
        let each = |sum: u64| sum.checked_div(many).unwrap_or_default();
        Self { calls: each(self.calls.saturating_mul(100)), read: each(self.read), write: each(self.write) }
    }
}

/// Why a measurement stops.
#[derive(Debug, thiserror::Error)]
pub enum NotMeasured {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] CloudError),
    #[error(transparent)]
    Demo(#[from] NoDemo),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("the table failed")]
    Table(#[from] table::Fault),
}

/// What functions have done since the last look; what the local cloud and this benchmark did themselves left out.
pub(crate) fn costs(market: &Market) -> BTreeMap<String, Cost> {
    let mut costs: BTreeMap<String, Cost> = BTreeMap::new();
    for line in market.cloud.meter().take() {
        if !["souk", "(tcp)"].contains(&line.label.as_str()) {
            let cost = costs.entry(line.label).or_default();
            *cost = cost.plus(&Cost { calls: line.calls, read: line.read_units, write: line.write_units });
        }
    }
    costs
}

/// The most that this process has had in memory so far.
pub(crate) fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// How long this process has worked so far, on all threads: user and system time.
#[must_use]
pub fn worked() -> Option<std::time::Duration> {
    // Fields 14 and 15 of proc(5), in hundredths of a second; the name before them may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    let ticks =
        rest.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap_or_default());
    Some(std::time::Duration::from_millis(ticks.sum::<u64>().saturating_mul(10)))
}

/// The sample lacks something that it should have.
pub(crate) fn missing(what: &str) -> NotMeasured {
    NoDemo::Word(format!("the sample has no {what}")).into()
}

/// One order of 3 lines from 2 merchants travels alone; each step's cost, in order.
pub async fn cost() -> Result<Vec<(String, Cost)>, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Ordered).await?;
    let secret = "sk_bench";
    demo::seed(&market, secret).await?;
    market.cloud.settle_with_retries().await?;
    let _seeding = market.cloud.meter().take();
    let api = Api::new(&market.cloud, secret);
    let mut steps = Vec::new();

    let line = |merchant: &str, sku: &str, price: &str| {
        json!({
            "merchant_external_id": merchant,
            "sku": sku,
            "title": "A sample item of the benchmark",
            "quantity": 1,
            "unit_price": {"amount": price, "currency": "EUR"},
            "delivery": {"amount": "3.90", "currency": "EUR"},
        })
    };
    let order = json!({
        "channel": "bench",
        "external_id": "order-1",
        "customer_external_id": "customer-1",
        "lines": [
            line("alma", "stoneware-mug-sand", "14.50"),
            line("alma", "salad-bowl", "22.00"),
            line("ember", "assam-100-g", "9.00"),
        ],
        "payments": [{"method": "card", "amount": {"amount": "57.20", "currency": "EUR"}}],
    });
    let placed = api.post("/v1/orders", &order, "").await.ok()?;
    steps.push(("intake".to_owned(), taken(&market, &[])));
    market.cloud.settle_with_retries().await?;
    let (ledger, rest) = taken_apart(&market);
    steps.push(("split".to_owned(), rest));
    let mut totals = ledger;

    let id = text(&placed, "/id");
    api.post(&format!("/v1/orders/{id}/pay"), &json!({}), "pay").await.ok()?;
    steps.push(("payment".to_owned(), taken(&market, &[])));
    market.cloud.settle_with_retries().await?;
    let (ledger, rest) = taken_apart(&market);
    steps.push(("opening of the merchant orders".to_owned(), rest));
    totals = totals.plus(&ledger);

    let whole = api.get(&format!("/v1/orders/{id}")).await.ok()?;
    let parts: Vec<String> = [0, 1].map(|n| text(&whole, &format!("/merchant_orders/{n}/id"))).into();
    let _look = market.cloud.meter().take();
    let mut shipments = Vec::new();
    for part in &parts {
        let body = json!({"carrier": "post", "tracking_number": part});
        let shipped = api.post(&format!("/v1/merchant-orders/{part}/ship"), &body, part).await.ok()?;
        shipments.push(text(&shipped, "/shipments/0/id"));
    }
    steps.push(("shipping, 2 parcels".to_owned(), taken(&market, &[])));
    for (part, shipment) in parts.iter().zip(&shipments) {
        let path = format!("/v1/merchant-orders/{part}/shipments/{shipment}/track");
        api.post(&path, &json!({"status": "delivered"}), &format!("d-{part}")).await.ok()?;
    }
    steps.push(("delivery and earnings".to_owned(), taken(&market, &[])));
    market.cloud.settle_with_retries().await?;
    let (ledger, rest) = taken_apart(&market);
    steps.push(("relay of the events".to_owned(), rest));
    totals = totals.plus(&ledger);

    market.advance(SignedDuration::from_hours(24 * 18)).await?;
    let (ledger, rest) = taken_apart(&market);
    steps.push(("payouts, 18 nights of due runs".to_owned(), rest));
    totals = totals.plus(&ledger);
    steps.push(("ledger totals, all steps".to_owned(), totals));
    Ok(steps)
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Everything metered since the last look, but for some functions.
pub(crate) fn taken(market: &Market, but: &[&str]) -> Cost {
    let lines = market.cloud.meter().take();
    let lines = lines.iter().filter(|line| !but.contains(&line.label.as_str()));
    lines.fold(Cost::default(), |sum, line| {
        sum.plus(&Cost { calls: line.calls, read: line.read_units, write: line.write_units })
    })
}

/// The ledger's projection apart from the rest.
fn taken_apart(market: &Market) -> (Cost, Cost) {
    let (mut ledger, mut rest) = (Cost::default(), Cost::default());
    for line in market.cloud.meter().take() {
        let sum = if line.label == "ledger" { &mut ledger } else { &mut rest };
        *sum = sum.plus(&Cost { calls: line.calls, read: line.read_units, write: line.write_units });
    }
    (ledger, rest)
}
