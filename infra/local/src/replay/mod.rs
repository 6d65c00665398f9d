//! The replay of a real order history: a folder of CSV files in the format of the Olist data set goes through the
//! front door of a marketplace of its own, to the cent.
//!
//! 1. `rows.rs` reads the files and says what is wrong with which row;
//! 2. merchants are invited, approved and given payout accounts;
//! 3. orders go in by chunks in the order of purchase: intake, approval, shipment, delivery or cancellation, each with
//!    its recorded time; the clock follows, so nothing lies in the future and payouts run on their days;
//! 4. when the last earning is payable, the clock passes the last run; scores that buyers gave are recorded as the
//!    clock passes them;
//! 5. `figures.rs` reads the result back from the table, not from the files.
//!
//! The same baskets travel as shoppers' in `shoppers.rs`.
//!
//! Every step finds its own work done when it is repeated: it can be killed and started again at any moment.

mod figures;
mod rows;
mod shoppers;

pub use figures::{Figures, MerchantFigures};
pub use rows::{BadRow, History, Recorded, Stage};
pub use shoppers::shop;

use crate::api::{Answer, Api, Refusal};
use crate::market::{Market, NotOpen};
use admin::{OpenAlready, Opening, open_marketplace};
use domain::commission::{Charge, Rule};
use domain::id::{MarketplaceId, MerchantOrderId, OrderId, ReviewId, derive};
use domain::marketplace::{Marketplace, Settings};
use domain::merchant::Iban;
use domain::{Currency, Money};
use events::Amount;
use jiff::{SignedDuration, Timestamp, ToSpan};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use table::Uncommitted;
use tokio::task::JoinSet;

/// Where the orders come from.
const CHANNEL: &str = "olist";
/// Orders that travel together.
const CHUNK: usize = 400;
/// Requests under way at once.
const AT_ONCE: usize = 8;
/// Days between delivery and the day an earning is payable.
const HOLD_DAYS: u16 = 7;
/// The marketplace's share of the item price.
const COMMISSION_PERCENT: u32 = 15;

/// Why a replay stops.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] crate::cloud::CloudError),
    #[error(transparent)]
    Refusal(#[from] Refusal),
    #[error("the table failed")]
    Table(#[from] table::Fault),
    #[error("the marketplace does not open: {0}")]
    NotOpened(String),
    #[error("a request was stopped")]
    Stopped(#[source] tokio::task::JoinError),
}

/// What is told while it runs: a step's name, how far it is, of how many.
pub trait Progress: Sync {
    fn step(&self, name: &str, done: usize, of: usize);
}

/// The marketplace that a replay makes for itself.
pub fn marketplace_id() -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["replay"]))
}

/// Replays a history into a market; what was replayed before changes nothing. Answers how many orders were new.
pub async fn replay(
    market: &Market,
    history: &History,
    secret: &str,
    progress: &impl Progress,
) -> Result<u64, ReplayError> {
    open(market, history, secret, &[]).await?;
    let api = Api::new(&market.cloud, secret);
    merchants(&api, history, progress).await?;
    tracing::info!("merchants are open");
    market.cloud.settle_with_retries().await?;
    let (mut done, new) = (0, Arc::new(AtomicU64::new(0)));
    let mut answers = Answers::default();
    for chunk in history.orders.chunks(CHUNK) {
        travel(market, &api, history, chunk, &new).await?;
        answers.arrive(chunk);
        answers.give(market, &api).await?;
        done += chunk.len();
        progress.step("orders", done, history.orders.len());
    }
    progress.step("payouts", 0, 1);
    pay_out(market, &api, history).await?;
    progress.step("payouts", 1, 1);
    if let Some(last) = history.orders.iter().filter_map(Recorded::answered_at).max() {
        market.advance_to(last).await?;
        answers.give(market, &api).await?;
    }
    Ok(new.load(Ordering::Relaxed))
}

/// `more`: keys beside the operator's.
async fn open(
    market: &Market,
    history: &History,
    secret: &str,
    more: &[(&str, &str)],
) -> Result<(), ReplayError> {
    let told = |error: &dyn std::fmt::Display| ReplayError::NotOpened(error.to_string());
    let commission = Rule {
        fee: "commission".parse().map_err(|error| told(&error))?,
        category: None,
        charge: Charge::Percent(Decimal::from(COMMISSION_PERCENT)),
    };
    let settings = Settings {
        hold_days: HOLD_DAYS,
        commission: vec![commission],
        // What history left unpaid stays so.
        unpaid_days: 0,
        critical_balance: Money::new(100_000, history.currency),
        requirements: Vec::new(),
        storefront: None,
    };
    let (id, currency) = (marketplace_id(), history.currency);
    let name = "Replay".parse().map_err(|error| told(&error))?;
    let marketplace =
        Marketplace { id, name, currency, locale: "pt-BR".to_owned(), settings, merchant_terms: Vec::new() };
    let more = more.iter().map(|(name, key)| ((*name).to_owned(), (*key).to_owned()));
    let keys = std::iter::once(("replay".to_owned(), secret.to_owned())).chain(more).collect();
    let opening = Opening { marketplace, issuer: None, operators: Vec::new(), keys };
    match open_marketplace(&market.world, opening).await {
        Ok(()) | Err(Uncommitted::Refused(OpenAlready)) => Ok(()),
        Err(error) => Err(told(&error)),
    }
}

/// Runs one request per item, so many at once on all cores, and stops at the first refusal.
async fn each<T, F, Fut>(
    at_once: usize,
    items: impl IntoIterator<Item = T>,
    request: F,
) -> Result<(), ReplayError>
where
    F: Fn(T) -> Fut,
    Fut: Future<Output = Result<(), ReplayError>> + Send + 'static,
{
    let mut running = JoinSet::new();
    for item in items {
        while running.len() >= at_once {
            finished(running.join_next().await)?;
        }
        running.spawn(request(item));
    }
    while let Some(done) = running.join_next().await {
        finished(Some(done))?;
    }
    Ok(())
}

fn finished(
    done: Option<Result<Result<(), ReplayError>, tokio::task::JoinError>>,
) -> Result<(), ReplayError> {
    match done {
        None => Ok(()),
        Some(Ok(answer)) => answer,
        Some(Err(error)) => Err(ReplayError::Stopped(error)),
    }
}

async fn merchants(api: &Api, history: &History, progress: &impl Progress) -> Result<(), ReplayError> {
    let names: Vec<&String> = history.merchants.iter().collect();
    for (n, names) in names.chunks(CHUNK).enumerate() {
        each(AT_ONCE, names.iter().map(|name| (*name).clone()), |name| merchant(api.clone(), name)).await?;
        progress.step("merchants", (n * CHUNK).saturating_add(names.len()), history.merchants.len());
    }
    Ok(())
}

/// Invited, given an account and approved: one merchant, whatever of it was done before.
async fn merchant(api: Api, name: String) -> Result<(), ReplayError> {
    // The number of a made-up account; no bank knows it.
    let digits = derive(&["iban", &name]) % 10_u128.pow(23);
    let iban = Iban::of("BR", &format!("{digits:023}P1"));
    let iban = iban.map_err(|error| ReplayError::NotOpened(error.to_string()))?;
    let shown = format!("Merchant {}", name.get(..8).unwrap_or(&name));
    let schedule = json!({"every": "month", "day": 1});
    let invite = json!({"name": shown, "external_id": name, "schedule": schedule});
    let answer = api.post("/v1/merchants", &invite, &format!("invite-{name}")).await;
    let merchant = if answer.text("/code") == "external_id_taken" {
        let found = api.get(&format!("/v1/merchants?external_id={name}")).await.ok()?;
        found.pointer("/items/0").cloned().unwrap_or_default()
    } else {
        answer.ok()?
    };
    if text(&merchant, "/status") != "pending" {
        return Ok(());
    }
    let path = format!("/v1/merchants/{}", text(&merchant, "/id"));
    let (none, account) = (json!({}), json!({"holder": shown, "iban": iban}));
    for (step, body) in
        [("set-payout-account", &account), ("activate-payout-account", &none), ("approve", &none)]
    {
        api.post(&format!("{path}/{step}"), body, &format!("{step}-{name}")).await.ok()?;
    }
    Ok(())
}

fn text(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// One chunk of orders, from intake to its recorded end. Between the steps everything that they cause is delivered.
async fn travel(
    market: &Market,
    api: &Api,
    history: &History,
    chunk: &[Recorded],
    new: &Arc<AtomicU64>,
) -> Result<(), ReplayError> {
    if let Some(latest) = chunk.iter().map(Recorded::latest).max() {
        market.advance_to(latest).await?;
    }
    let (currency, m) = (history.currency, marketplace_id());
    let orders = |of: fn(&Recorded) -> bool| chunk.iter().filter(move |order| of(order)).cloned();
    each(AT_ONCE, orders(|_| true), |order| place(api.clone(), currency, order, Arc::clone(new))).await?;
    tracing::info!("orders are placed");
    market.cloud.settle_with_retries().await?;
    each(AT_ONCE, orders(|order| order.approved_at.is_some()), |order| {
        approve(api.clone(), m.clone(), order)
    })
    .await?;
    tracing::info!("orders are paid");
    market.cloud.settle_with_retries().await?;
    each(AT_ONCE, orders(|order| order.shipped_at.is_some()), |order| ship(api.clone(), m.clone(), order))
        .await?;
    tracing::info!("orders are shipped and delivered");
    each(AT_ONCE, orders(|order| order.stage == Stage::Canceled), |order| {
        cancel(api.clone(), m.clone(), order)
    })
    .await?;
    market.cloud.settle_with_retries().await?;
    Ok(())
}

fn money(minor: i64, currency: Currency) -> Amount {
    Money::new(minor, currency).into()
}

async fn place(
    api: Api,
    currency: Currency,
    order: Recorded,
    new: Arc<AtomicU64>,
) -> Result<(), ReplayError> {
    let line = |line: &rows::RecordedLine| {
        let mut body = json!({
            "merchant_external_id": line.merchant,
            "sku": line.sku,
            "quantity": 1,
            "unit_price": money(line.price, currency),
            "delivery": money(line.freight, currency),
        });
        if let (Some(category), Some(body)) = (&line.category, body.as_object_mut()) {
            body.insert("category".to_owned(), json!(category));
        }
        body
    };
    let payment = |payment: &rows::RecordedPayment| {
        let amount = money(payment.amount, currency);
        json!({"method": payment.method, "amount": amount})
    };
    let body = json!({
        "channel": CHANNEL,
        "external_id": order.name,
        "customer_external_id": order.customer,
        "occurred_at": order.placed_at,
        "lines": order.lines.iter().map(line).collect::<Vec<_>>(),
        "payments": order.payments.iter().map(payment).collect::<Vec<_>>(),
    });
    let answer = api.post("/v1/orders", &body, "").await;
    new.fetch_add(u64::from(answer.status == http::StatusCode::CREATED), Ordering::Relaxed);
    answer.ok()?;
    Ok(())
}

fn order_id(m: &MarketplaceId, order: &Recorded) -> OrderId {
    OrderId::of_channel(m, CHANNEL, &order.name)
}

async fn approve(api: Api, m: MarketplaceId, order: Recorded) -> Result<(), ReplayError> {
    let body = json!({"occurred_at": order.approved_at});
    let path = format!("/v1/orders/{}/pay", order_id(&m, &order));
    let answer = api.post(&path, &body, &format!("pay-{}", order.name)).await;
    // Replayed before and canceled since.
    if answer.text("/code") != "order_canceled" {
        answer.ok()?;
    }
    Ok(())
}

/// Ships every part of an order and, where that is recorded, delivers it.
async fn ship(api: Api, m: MarketplaceId, order: Recorded) -> Result<(), ReplayError> {
    let id = order_id(&m, &order);
    for part in 1..=order.merchant_count() {
        let part = MerchantOrderId::of(&id, part);
        let body = json!({
            "carrier": CHANNEL,
            "tracking_number": order.name,
            "occurred_at": order.shipped_at,
        });
        let path = format!("/v1/merchant-orders/{part}");
        let key = format!("ship-{part}");
        let shipped = api.post(&format!("{path}/ship"), &body, &key).await.ok()?;
        if let Some(at) = order.delivered_at {
            let shipment = text(&shipped, "/shipments/0/id");
            let body = json!({"status": "delivered", "occurred_at": at});
            let path = format!("{path}/shipments/{shipment}/track");
            api.post(&path, &body, &format!("deliver-{part}")).await.ok()?;
        }
    }
    Ok(())
}

/// Answers to the question how it was, which wait for the clock: each is given at its recorded time, to every merchant
/// of its order.
#[derive(Default)]
struct Answers<'a> {
    waiting: Vec<&'a Recorded>,
}

impl<'a> Answers<'a> {
    /// These have arrived, or will not.
    fn arrive(&mut self, chunk: &'a [Recorded]) {
        self.waiting.extend(chunk.iter().filter(|order| order.answered_at().is_some()));
    }

    /// Those whose time has come.
    async fn give(&mut self, market: &Market, api: &Api) -> Result<(), ReplayError> {
        let now = market.clock.now();
        let due = |order: &&Recorded| order.answered_at().is_some_and(|at| at <= now);
        let (given, left) = self.waiting.drain(..).partition::<Vec<&Recorded>, _>(due);
        self.waiting = left;
        each(AT_ONCE, given.into_iter().cloned(), |order| answer(api.clone(), marketplace_id(), order))
            .await?;
        market.cloud.settle_with_retries().await?;
        Ok(())
    }
}

async fn answer(api: Api, m: MarketplaceId, order: Recorded) -> Result<(), ReplayError> {
    let Some((score, at)) = order.answer else { return Ok(()) };
    let id = order_id(&m, &order);
    for line in order.first_lines() {
        let review = ReviewId::of(&id, line);
        let body = json!({"stars": score, "occurred_at": at});
        api.post(&format!("/v1/reviews/{review}/record"), &body, &format!("answer-{review}")).await.ok()?;
    }
    Ok(())
}

async fn cancel(api: Api, m: MarketplaceId, order: Recorded) -> Result<(), ReplayError> {
    let body = json!({"reason": "recorded as canceled", "occurred_at": order.canceled_at()});
    let path = format!("/v1/orders/{}/cancel", order_id(&m, &order));
    let answer: Answer = api.post(&path, &body, &format!("cancel-{}", order.name)).await;
    answer.ok()?;
    Ok(())
}

/// The last delivery is payable a week later; when the first run of the month after that is over, everybody is paid.
/// The moment follows from the history, so a repeat does not move the clock. Then the bank confirms what it was told.
async fn pay_out(market: &Market, api: &Api, history: &History) -> Result<(), ReplayError> {
    let latest = history.orders.iter().map(Recorded::latest).max().unwrap_or_default();
    let hold = SignedDuration::from_hours(24 * i64::from(HOLD_DAYS));
    let payable = latest.saturating_add(hold).unwrap_or(Timestamp::MAX);
    let month = domain::payout::day(payable).first_of_month().saturating_add(1.month());
    tracing::info!("payouts fall due");
    market.advance_to(table::due::night(month.saturating_add(1.day()))).await?;
    market.cloud.settle_with_retries().await?;
    tracing::info!("payouts are sent");
    confirm(market, api).await
}

async fn confirm(market: &Market, api: &Api) -> Result<(), ReplayError> {
    let sent = figures::sent_payouts(market).await?;
    each(AT_ONCE, sent, |id| {
        let api = api.clone();
        async move {
            let path = format!("/v1/payouts/{id}/confirm");
            api.post(&path, &json!({}), &format!("confirm-{id}")).await.ok()?;
            Ok(())
        }
    })
    .await?;
    market.cloud.settle_with_retries().await?;
    Ok(())
}
