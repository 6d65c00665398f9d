//! How fast shoppers are served: complete checkouts through the API, step by step, beside the deliveries they cause.
//!
//! Each order is 3 lines of 2 merchants of the sample, paid by the sandbox's card. Absent on purpose: the network.

use super::prices::Of;
use super::shopper::{Goods, Shopper, Step, Watch, table};
use super::{Measured, NotMeasured, Work, micros, per_second, places, thousandths, worked_by_all};
use crate::api::{Api, Refusal};
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::id::{CartId, OfferId, OrderId, derive};
use domain::order::Order;
use domain::place::Place;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use table::Key;
use tokio::task::JoinSet;

/// What rounds of checkouts came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Orders {
    /// Carts, offers and orders that lay in the table before.
    pub filled: usize,
    pub rounds: Vec<Round>,
}

/// So many at once.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Round {
    pub clients: usize,
    pub orders: usize,
    pub microseconds: u64,
    pub orders_per_second: Decimal,
    pub steps: Vec<Step>,
    /// Of one order with all that it causes but shipping and payout.
    pub of_one: Work,
}

impl Measured for Orders {
    const NAME: &'static str = "orders";

    fn table(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "Checkouts of 3 lines from 2 merchants, {} carts, offers and orders in the table:",
            self.filled
        )];
        for Round { clients, orders, microseconds, orders_per_second, steps, of_one } in &self.rounds {
            let seconds = thousandths(microseconds.div_euclid(1_000));
            lines.push(String::new());
            lines.push(format!("{clients} at once: {orders_per_second} orders/s ({orders} in {seconds} s)"));
            lines.extend(table(steps));
            let units = [Of::ReadUnits, Of::WriteUnits].map(|of| places(of_one.usage.get(of), 1));
            let [read, write] = units;
            let calls = places(of_one.table_calls, 1);
            lines.push(format!(
                "of one order: {calls} calls of the table, {read} read and {write} write units"
            ));
        }
        lines
    }
}

/// Rounds of so many orders, by so many clients each, in a marketplace with so many things more.
pub async fn orders(clients: &[usize], orders: usize, more: usize) -> Result<Orders, NotMeasured> {
    let market = filled(more).await?;
    let mut rounds = Vec::new();
    for clients in clients.iter().copied().filter(|clients| *clients > 0) {
        rounds.push(round(&market, clients, orders.max(1)).await?);
    }
    Ok(Orders { filled: more, rounds })
}

/// Opens a sample marketplace with so many carts, offers and orders more than it needs, a third each.
async fn filled(more: usize) -> Result<Market, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, "sk_bench").await?;
    market.cloud.settle_with_retries().await?;
    fill(&market, more).await?;
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
    let (api, basket) = (Api::new(&market.cloud, STOREFRONT), basket(market).await?);
    let id = shop(&api, "first", &basket, &Watch::default()).await?;
    market.cloud.settle_with_retries().await?;
    let m = demo::marketplace_id();
    let missing = || demo::NoDemo::Word("the sample is incomplete".to_owned());
    let order: OrderId = id.parse().map_err(|_| missing())?;
    let order = market.world.table.load::<Order>(&Key::order(&m, &order)).await?.ok_or_else(missing)?.value;
    let offer = order.lines.first().and_then(|line| line.offer.clone()).ok_or_else(missing)?;
    let offer = market.world.table.load::<Offer>(&Key::offer(&m, &offer)).await?.ok_or_else(missing)?.value;
    Ok((offer, order))
}

/// What each shopper buys, one unit each.
const BASKET: [(&str, &str); 3] =
    [("alma", "stoneware-mug-sand"), ("alma", "salad-bowl"), ("ember", "assam-100-g")];

pub(super) async fn basket(market: &Market) -> Result<Vec<Goods>, NotMeasured> {
    let mut basket = Vec::new();
    for (merchant, sku) in BASKET {
        basket.push(Goods::find(market, merchant, sku).await?);
    }
    Ok(basket)
}

/// So many orders by so many clients at once; deliveries go on beside them.
async fn round(market: &Market, clients: usize, orders: usize) -> Result<Round, NotMeasured> {
    stock_up(market, orders).await?;
    let basket: Arc<[Goods]> = basket(market).await?.into();
    let _before = worked_by_all(market);
    let cloud = market.cloud.clone();
    let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
    let watch = Watch::default();
    let began = Instant::now();
    let mut running = JoinSet::new();
    for client in 0..clients {
        let (api, basket, watch) = (Api::new(&market.cloud, STOREFRONT), Arc::clone(&basket), watch.clone());
        let own = (client..orders).step_by(clients);
        running.spawn(async move {
            for n in own {
                shop(&api, &format!("{clients}-{n}"), &basket, &watch).await?;
            }
            Ok::<(), Refusal>(())
        });
    }
    while let Some(done) = running.join_next().await {
        done.map_err(|error| demo::NoDemo::Word(error.to_string()))??;
    }
    let microseconds = micros(began.elapsed());
    pump.abort();
    market.cloud.settle_with_retries().await?;
    let of_one = worked_by_all(market).of_one(orders);
    let orders_per_second = per_second(orders, microseconds);
    Ok(Round { clients, orders, microseconds, orders_per_second, steps: watch.steps(), of_one })
}

/// Enough of what is bought for everybody.
pub(super) async fn stock_up(market: &Market, orders: usize) -> Result<(), NotMeasured> {
    let api = Api::new(&market.cloud, "sk_bench");
    for goods in basket(market).await? {
        let path = format!("/v1/stock/{}/receive", goods.offer());
        let key = format!("stock-{:x}", market.world.fresh());
        api.post(&path, &json!({"quantity": orders}), &key).await.ok()?;
    }
    market.cloud.settle_with_retries().await?;
    Ok(())
}

/// One shopper; answers the order.
async fn shop(api: &Api, name: &str, basket: &[Goods], watch: &Watch) -> Result<String, Refusal> {
    let shopper = Shopper::ready(api, watch, name, basket).await?;
    shopper.hold().await?;
    shopper.pay().await
}
