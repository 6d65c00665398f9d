//! How fast shoppers are served: complete checkouts through the API, step by step, beside the deliveries they cause.
//!
//! Each order is 3 lines of 2 merchants of the sample, paid by the sandbox's card. Absent on purpose: the network.

use crate::api::{Api, Refusal};
use crate::bench::{Cost, NotMeasured, taken};
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::id::{CartId, MerchantId, OfferId, OrderId, derive};
use domain::order::Order;
use domain::place::Place;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use table::Key;
use tokio::task::JoinSet;

/// What a shopper does, in this order.
pub const STEPS: [&str; 5] = ["open a cart", "3 lines", "address, delivery", "hold the stock", "pay, place"];

/// What a round of checkouts came to.
#[derive(Debug, Clone)]
pub struct Round {
    pub clients: usize,
    pub orders: usize,
    pub took: Duration,
    /// Half of the requests of a step were answered within the first, 99 of 100 within the second.
    pub steps: Vec<(Duration, Duration)>,
    /// Of one order, from its first edit up to and with its split; the ledger's totals left out.
    pub cost: Cost,
}

type Times = Arc<Mutex<Vec<Vec<Duration>>>>;

/// Opens a sample marketplace with so many carts, offers and orders more than it needs, a third each.
pub async fn filled(more: usize) -> Result<Market, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, "sk_bench").await?;
    market.cloud.settle_with_retries().await?;
    fill(&market, more).await?;
    let _seeding = market.cloud.meter().take();
    Ok(market)
}

async fn fill(market: &Market, more: usize) -> Result<(), NotMeasured> {
    let (m, table) = (demo::marketplace_id(), &market.world.table);
    let told = |error: &dyn std::fmt::Display| demo::NoDemo::Word(error.to_string());
    let country = "DE".parse().map_err(|error| told(&error))?;
    let currency = "EUR".parse().map_err(|error| told(&error))?;
    let place = Place { country, region: None, postal: None };
    let (offer, order) = samples(market).await?;
    for n in 0..more.checked_div(3).unwrap_or_default() {
        let bits = derive(&["filled", &n.to_string()]);
        let cart = Cart::open(CartId::from_bits(bits), currency, None, place.clone(), market.clock.now());
        table.put(&m, None, &cart).await?;
        table.put(&m, None, &Offer { id: OfferId::from_bits(bits), ..offer.clone() }).await?;
        table.put(&m, None, &Order { id: OrderId::from_bits(bits), ..order.clone() }).await?;
    }
    Ok(())
}

/// An offer and an order to copy: the sample's own, bought once.
async fn samples(market: &Market) -> Result<(Offer, Order), NotMeasured> {
    let times = Times::default();
    let id = shop(&Api::new(&market.cloud, STOREFRONT), "first", &merchants(market).await?, &times).await?;
    market.cloud.settle_with_retries().await?;
    let m = demo::marketplace_id();
    let missing = || demo::NoDemo::Word("the sample is incomplete".to_owned());
    let order: OrderId = id.parse().map_err(|_| missing())?;
    let order = market.world.table.load::<Order>(&Key::order(&m, &order)).await?.ok_or_else(missing)?.value;
    let offer = order.lines.first().and_then(|line| line.offer.clone()).ok_or_else(missing)?;
    let offer = market.world.table.load::<Offer>(&Key::offer(&m, &offer)).await?.ok_or_else(missing)?.value;
    Ok((offer, order))
}

/// The sample's merchants who sell what is bought, by their names.
async fn merchants(market: &Market) -> Result<[MerchantId; 2], NotMeasured> {
    let api = Api::new(&market.cloud, "sk_bench");
    let mut found = Vec::new();
    for name in ["alma", "ember"] {
        let answer = api.get(&format!("/v1/merchants?external_id={name}")).await.ok()?;
        let id = answer.pointer("/items/0/id").and_then(Value::as_str).unwrap_or_default();
        found.extend(id.parse::<MerchantId>());
    }
    let missing = || demo::NoDemo::Word("a merchant of the sample is missing".to_owned());
    Ok(found.try_into().map_err(|_: Vec<MerchantId>| missing())?)
}

/// So many orders by so many clients at once; deliveries go on beside them.
pub async fn round(market: &Market, clients: usize, orders: usize) -> Result<Round, NotMeasured> {
    stock_up(market, orders).await?;
    let sellers = Arc::new(merchants(market).await?);
    let _before = market.cloud.meter().take();
    let cloud = market.cloud.clone();
    let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
    let times = Times::default();
    let began = Instant::now();
    let mut running = JoinSet::new();
    for client in 0..clients {
        let (api, sellers, times) =
            (Api::new(&market.cloud, STOREFRONT), Arc::clone(&sellers), Arc::clone(&times));
        let own = (client..orders).step_by(clients);
        running.spawn(async move {
            for n in own {
                shop(&api, &format!("{clients}-{n}"), &sellers, &times).await?;
            }
            Ok::<(), Refusal>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done.map_err(|error| demo::NoDemo::Word(error.to_string()))??;
    }
    let took = began.elapsed();
    pump.abort();
    market.cloud.settle_with_retries().await?;
    let all = taken(market, &["ledger", "(tcp)"]);
    let count = u64::try_from(orders).unwrap_or(1).max(1);
    let each = |sum: u64| sum.checked_div(count).unwrap_or_default();
    let cost = Cost { calls: each(all.calls), read: each(all.read), write: each(all.write) };
    let steps = std::mem::take(&mut *times.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Round { clients, orders, took, steps: steps.into_iter().map(quantiles).collect(), cost })
}

fn quantiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    let at = |percent: usize| {
        let place = times.len().saturating_mul(percent).div_euclid(100).min(times.len().saturating_sub(1));
        times.get(place).copied().unwrap_or_default()
    };
    (at(50), at(99))
}

/// Enough of what is bought for everybody.
async fn stock_up(market: &Market, orders: usize) -> Result<(), NotMeasured> {
    let api = Api::new(&market.cloud, "sk_bench");
    let [alma, ember] = merchants(market).await?;
    for (merchant, sku) in [(&alma, SKUS[0]), (&alma, SKUS[1]), (&ember, SKUS[2])] {
        let offer = OfferId::of(&demo::marketplace_id(), merchant, sku);
        let path = format!("/v1/stock/{offer}/receive");
        let key = format!("stock-{sku}-{:x}", market.world.fresh());
        api.post(&path, &json!({"quantity": orders}), &key).await.ok()?;
    }
    market.cloud.settle_with_retries().await?;
    Ok(())
}

const SKUS: [&str; 3] = ["stoneware-mug-sand", "salad-bowl", "assam-100-g"];

/// One shopper; answers the order.
async fn shop(
    api: &Api,
    name: &str,
    [alma, ember]: &[MerchantId; 2],
    times: &Times,
) -> Result<String, Refusal> {
    let mut step = 0;
    let timed = async |path: String, body: Value| {
        let began = Instant::now();
        let answer = api.post(&path, &body, "").await;
        let took = began.elapsed();
        let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
        times.resize(STEPS.len(), Vec::new());
        if let Some(of) = times.get_mut(step) {
            of.push(took);
        }
        step += 1;
        answer.ok()
    };
    let mut timed = timed;
    let cart = timed("/v1/carts".to_owned(), json!({"country": "DE"})).await?;
    let cart = cart.pointer("/id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let add = [(alma, SKUS[0]), (alma, SKUS[1]), (ember, SKUS[2])];
    let add = add.map(|(merchant, sku)| json!({"merchant": merchant, "sku": sku, "quantity": 1}));
    timed(format!("/v1/carts/{cart}/edit"), json!({"add": add})).await?;
    let address = json!({
        "country": "DE", "name": "Sample", "lines": ["Lindenweg 5"], "city": "Berlin", "postal_code": "10969",
    });
    let delivery = [alma, ember].map(|of| json!({"merchant": of, "service": "standard"}));
    let contact = json!({"email": format!("{name}@shopper.example")});
    let body = json!({"contact": contact, "address": address, "delivery": delivery});
    let ready = timed(format!("/v1/carts/{cart}/edit"), body).await?;
    timed(format!("/v1/checkouts/{cart}/hold"), json!({})).await?;
    let card = json!({"method": "card", "token": "tok_approved"});
    let body = json!({"expected_total": ready.pointer("/totals/total"), "payments": [card]});
    let paid = timed(format!("/v1/checkouts/{cart}/pay"), body).await?;
    Ok(paid.pointer("/order/id").and_then(Value::as_str).unwrap_or_default().to_owned())
}
