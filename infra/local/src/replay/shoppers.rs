//! The same baskets as shoppers: through cart, delivery, checkout and the sandbox's gateway, then shipped and captured.
//!
//! Every offer costs what it cost when it was last bought, every merchant delivers for 10.00, and as much comes in as
//! will be bought. What became of an order in the record does not count: each one with lines is shipped and delivered.
//! A shopper's cart has the order's name as its idempotency key, so a repeat finds the cart and its order.

use super::{Progress, ReplayError, each, merchants, money, open, pay_out, text};
use crate::api::Api;
use crate::market::Market;
use crate::replay::rows::{History, Recorded};
use domain::Currency;
use domain::id::sha256_hex;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Shoppers at a time.
const SHOPPERS: usize = 16;
/// Orders that travel together.
const CHUNK: usize = 400;
/// What every merchant asks for delivery, in minor units.
const DELIVERY: i64 = 10_00;
/// The storefront's publishable key.
const STOREFRONT: &str = "pk_replay";
/// The file in the data folder that says that everybody has shopped.
const DONE: &str = "shopped.done";

/// What is sold: the last price, and all that will be bought; by merchant and SKU.
type Goods = BTreeMap<(String, String), (i64, u32)>;

fn goods(history: &History) -> Goods {
    let mut goods = Goods::new();
    for line in history.orders.iter().flat_map(|order| &order.lines) {
        let (price, units) = goods.entry((line.merchant.clone(), line.sku.clone())).or_default();
        *price = line.price;
        *units = units.saturating_add(1);
    }
    goods
}

/// Replays the baskets of a history; answers how many orders were new.
pub async fn shop(
    market: &Market,
    history: &History,
    secret: &str,
    progress: &impl Progress,
) -> Result<u64, ReplayError> {
    let new = Arc::new(AtomicU64::new(0));
    let done = market.cloud.folder().join(DONE);
    if !done.is_file() {
        open(market, history, secret, &[("storefront", STOREFRONT)]).await?;
        let api = Api::new(&market.cloud, secret);
        merchants(&api, history, progress).await?;
        let ids = Arc::new(stock_up(&api, history, progress).await?);
        market.cloud.settle_with_retries().await?;
        let baskets: Vec<Recorded> =
            history.orders.iter().filter(|order| !order.lines.is_empty()).cloned().collect();
        for (at, chunk) in baskets.chunks(CHUNK).enumerate() {
            travel(market, &api, &ids, chunk, &new).await?;
            progress.step("shoppers", at.saturating_mul(CHUNK).saturating_add(chunk.len()), baskets.len());
        }
        std::fs::write(&done, "").map_err(|error| ReplayError::NotOpened(error.to_string()))?;
    }
    progress.step("payouts", 0, 1);
    pay_out(market, &Api::new(&market.cloud, secret), history).await?;
    progress.step("payouts", 1, 1);
    Ok(new.load(Ordering::Relaxed))
}

/// Merchants' ids by the names of the record.
type Ids = BTreeMap<String, String>;

/// Rates, products, offers and their stock.
async fn stock_up(api: &Api, history: &History, progress: &impl Progress) -> Result<Ids, ReplayError> {
    let mut ids = Ids::new();
    for name in &history.merchants {
        let found = api.get(&format!("/v1/merchants?external_id={name}")).await.ok()?;
        ids.insert(name.clone(), text(&found, "/items/0/id"));
    }
    let currency = history.currency;
    each(SHOPPERS, ids.clone(), |(name, id)| {
        let api = api.clone();
        async move {
            let path = format!("/v1/delivery/{id}/set");
            api.post(&path, &rates(currency), &format!("delivery-{name}")).await.ok()?;
            Ok(())
        }
    })
    .await?;
    let goods: Vec<_> = goods(history).into_iter().collect();
    for (at, chunk) in goods.chunks(CHUNK).enumerate() {
        let known = chunk.iter().filter_map(|((merchant, sku), (price, units))| {
            Some((ids.get(merchant)?.clone(), sku.clone(), *price, *units))
        });
        each(SHOPPERS, known.collect::<Vec<_>>(), |offer| sell(api.clone(), currency, offer)).await?;
        progress.step("offers", at.saturating_mul(CHUNK).saturating_add(chunk.len()), goods.len());
    }
    Ok(ids)
}

fn rates(currency: Currency) -> Value {
    let price = json!({"flat": money(DELIVERY, currency)});
    let standard = json!({"service": "standard", "price": price, "transit_days": [1, 9]});
    let calendar = json!({
        "time_zone": "America/Sao_Paulo",
        "working_days": [1, 2, 3, 4, 5],
        "cut_off_hour": 14,
        "handling_days": 1,
    });
    json!({"calendar": calendar, "zones": [{"name": "everywhere", "areas": [{}], "rates": [standard]}]})
}

async fn sell(
    api: Api,
    currency: Currency,
    (merchant, sku, price, units): (String, String, i64, u32),
) -> Result<(), ReplayError> {
    let name = format!("{merchant}-{sku}");
    let product = json!({"merchant": merchant, "external_id": sku, "title": sku, "variants": [{}]});
    let product = api.post("/v1/products", &product, &format!("product-{name}")).await.ok()?;
    let offer = json!({
        "merchant": merchant, "product": text(&product, "/id"), "sku": sku, "price": money(price, currency),
    });
    let offer = api.post("/v1/offers", &offer, &format!("offer-{name}")).await.ok()?;
    let path = format!("/v1/stock/{}/receive", text(&offer, "/id"));
    api.post(&path, &json!({"quantity": units}), &format!("stock-{name}")).await.ok()?;
    Ok(())
}

/// A chunk of shoppers, from their empty carts to delivered parcels.
async fn travel(
    market: &Market,
    api: &Api,
    ids: &Arc<Ids>,
    chunk: &[Recorded],
    new: &Arc<AtomicU64>,
) -> Result<(), ReplayError> {
    let guest = Api::new(&market.cloud, STOREFRONT);
    let placed = Arc::new(std::sync::Mutex::new(Vec::new()));
    each(SHOPPERS, chunk.to_vec(), |order| {
        let (guest, ids, new, placed) =
            (guest.clone(), Arc::clone(ids), Arc::clone(new), Arc::clone(&placed));
        async move {
            let id = buy(&guest, &ids, &order, &new).await?;
            let mut placed = placed.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            placed.push((id, order.merchant_count()));
            Ok(())
        }
    })
    .await?;
    market.cloud.settle_with_retries().await?;
    let placed = std::mem::take(&mut *placed.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    each(SHOPPERS, placed, |(order, parts)| deliver(api.clone(), order, parts)).await?;
    market.cloud.settle_with_retries().await?;
    Ok(())
}

/// One shopper: fills a cart, says where it goes and how, pays; answers the order.
async fn buy(guest: &Api, ids: &Ids, order: &Recorded, new: &AtomicU64) -> Result<String, ReplayError> {
    let name = &order.name;
    let key = sha256_hex(format!("cart-{name}").as_bytes());
    let cart = guest.post("/v1/carts", &json!({"country": "BR"}), &key).await.ok()?;
    let path = text(&cart, "/id");
    if text(&cart, "/status") == "completed" {
        return Ok(text(&cart, "/order"));
    }
    let mut units: BTreeMap<(&str, &str), u32> = BTreeMap::new();
    for line in &order.lines {
        let Some(merchant) = ids.get(&line.merchant) else { continue };
        let held = units.entry((merchant, &line.sku)).or_default();
        *held = held.saturating_add(1);
    }
    let add = units
        .iter()
        .map(|((merchant, sku), quantity)| json!({"merchant": merchant, "sku": sku, "quantity": quantity}));
    let body = json!({"add": add.collect::<Vec<_>>()});
    let edit = format!("/v1/carts/{path}/edit");
    guest.post(&edit, &body, &format!("lines-{name}")).await.ok()?;
    let mut merchants: Vec<&str> = units.keys().map(|(merchant, _)| *merchant).collect();
    merchants.dedup();
    let delivery = merchants.iter().map(|of| json!({"merchant": of, "service": "standard"}));
    let body = json!({
        "contact": {"email": format!("{}@shopper.example", order.customer)},
        "address": {
            "country": "BR", "name": "Shopper", "lines": ["Rua Um 1"], "city": "Franca", "region": "SP",
            "postal_code": "14409-000",
        },
        "delivery": delivery.collect::<Vec<_>>(),
    });
    let ready = guest.post(&edit, &body, &format!("where-{name}")).await.ok()?;
    let total = ready.pointer("/totals/total").cloned().unwrap_or_default();
    let checkout = format!("/v1/checkouts/{path}");
    guest.post(&format!("{checkout}/hold"), &json!({}), "").await.ok()?;
    let card = json!({"method": "card", "token": "tok_approved"});
    let body = json!({"expected_total": total, "payments": [card]});
    let paid = guest.post(&format!("{checkout}/pay"), &body, "").await;
    new.fetch_add(u64::from(paid.status == http::StatusCode::CREATED), Ordering::Relaxed);
    Ok(text(&paid.ok()?, "/order/id"))
}

async fn deliver(api: Api, order: String, parts: u8) -> Result<(), ReplayError> {
    let refused = |error: &dyn std::fmt::Display| ReplayError::NotOpened(error.to_string());
    let order: domain::id::OrderId = order.parse().map_err(|error| refused(&error))?;
    for part in 1..=parts {
        let part = domain::id::MerchantOrderId::of(&order, part);
        let path = format!("/v1/merchant-orders/{part}");
        let parcel = json!({"carrier": "post", "tracking_number": part});
        let shipped = api.post(&format!("{path}/ship"), &parcel, &format!("ship-{part}")).await.ok()?;
        let track = format!("{path}/shipments/{}/track", text(&shipped, "/shipments/0/id"));
        api.post(&track, &json!({"status": "delivered"}), &format!("deliver-{part}")).await.ok()?;
    }
    Ok(())
}
