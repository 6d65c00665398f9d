//! A shopper of the benchmarks: from an empty cart to a paid order at the sample's storefront, each request timed.

use super::{NotMeasured, micros, percentile, thousandths};
use crate::api::{Api, Refusal};
use crate::demo;
use crate::market::Market;
use domain::id::{MerchantId, OfferId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a shopper does, in this order.
pub const STEPS: [&str; 5] = ["open a cart", "lines", "address, delivery", "hold the stock", "pay, place"];

/// A place in [`STEPS`].
#[derive(Debug, Clone, Copy)]
enum Doing {
    Open,
    Lines,
    Address,
    Hold,
    Pay,
}

/// How long the requests of a step took, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    pub p50: u64,
    pub p99: u64,
    pub slowest: u64,
}

impl Times {
    pub fn of(mut all: Vec<u64>) -> Self {
        all.sort_unstable();
        Self { p50: percentile(&all, 50), p99: percentile(&all, 99), slowest: percentile(&all, 100) }
    }
}

/// The requests of a step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub step: String,
    #[serde(flatten)]
    pub microseconds: Times,
}

/// Lines of steps.
pub fn table(steps: &[Step]) -> Vec<String> {
    let head = format!("{:<20} {:>10} {:>10} {:>10}", "step", "p50", "p99", "slowest");
    let line = |Step { step, microseconds: Times { p50, p99, slowest } }: &Step| {
        let [p50, p99, slowest] = [p50, p99, slowest].map(|time| format!("{} ms", thousandths(*time)));
        format!("{step:<20} {p50:>10} {p99:>10} {slowest:>10}")
    };
    std::iter::once(head).chain(steps.iter().map(line)).collect()
}

/// Notes how long each request took. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<[Vec<u64>; 5]>>);

impl Watch {
    fn note(&self, step: Doing, took: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = noted.get_mut(step as usize) {
            of.push(micros(took));
        }
    }

    /// By [`STEPS`].
    pub fn steps(&self) -> Vec<Step> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let step =
            |(step, all): (&str, Vec<u64>)| Step { step: step.to_owned(), microseconds: Times::of(all) };
        STEPS.into_iter().zip(noted).map(step).collect()
    }
}

/// What the sample sells.
#[derive(Debug, Clone)]
pub struct Goods {
    pub(crate) merchant: MerchantId,
    pub(crate) sku: &'static str,
}

impl Goods {
    /// `merchant`: its name in other systems.
    pub async fn find(market: &Market, merchant: &str, sku: &'static str) -> Result<Self, NotMeasured> {
        let api = Api::new(&market.cloud, "sk_bench");
        let answer = api.get(&format!("/v1/merchants?external_id={merchant}")).await;
        let missing = |_| demo::NoDemo::Word(format!("the merchant {merchant} of the sample is missing"));
        Ok(Self { merchant: answer.text("/items/0/id").parse().map_err(missing)?, sku })
    }

    pub fn offer(&self) -> OfferId {
        OfferId::of(&demo::marketplace_id(), &self.merchant, self.sku)
    }
}

/// A guest whose cart lacks nothing but the payment.
#[derive(Debug, Clone)]
pub struct Shopper {
    api: Api,
    watch: Watch,
    cart: String,
    total: Value,
}

impl Shopper {
    /// Opens a cart, puts one unit of each into it, says where it goes and how.
    pub async fn ready(api: &Api, watch: &Watch, name: &str, basket: &[Goods]) -> Result<Self, Refusal> {
        Self::open(api, watch).await?.fill(basket).await?.address(name, basket).await
    }

    /// An empty cart.
    pub async fn open(api: &Api, watch: &Watch) -> Result<Self, Refusal> {
        let mut shopper =
            Self { api: api.clone(), watch: watch.clone(), cart: String::new(), total: Value::Null };
        let cart = shopper.post(Doing::Open, "/v1/carts", &json!({"country": "DE"})).await?;
        shopper.cart = cart.pointer("/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(shopper)
    }

    /// One unit of each.
    pub async fn fill(self, basket: &[Goods]) -> Result<Self, Refusal> {
        let unit = |goods: &Goods| json!({"merchant": goods.merchant, "sku": goods.sku, "quantity": 1});
        let add: Vec<Value> = basket.iter().map(unit).collect();
        self.post(Doing::Lines, &self.edit(), &json!({"add": add})).await?;
        Ok(self)
    }

    /// Where it goes and how.
    pub async fn address(mut self, name: &str, basket: &[Goods]) -> Result<Self, Refusal> {
        let address = json!({
            "country": "DE", "name": "Sample", "lines": ["Lindenweg 5"], "city": "Berlin",
            "postal_code": "10969",
        });
        let mut merchants: Vec<&MerchantId> = basket.iter().map(|goods| &goods.merchant).collect();
        merchants.dedup();
        let by = |merchant: &MerchantId| json!({"merchant": merchant, "service": "standard"});
        let delivery: Vec<Value> = merchants.into_iter().map(by).collect();
        let contact = json!({"email": format!("{name}@shopper.example")});
        let body = json!({"contact": contact, "address": address, "delivery": delivery});
        let mut ready = self.post(Doing::Address, &self.edit(), &body).await?;
        self.total = ready.pointer_mut("/totals/total").map(Value::take).unwrap_or_default();
        Ok(self)
    }

    fn edit(&self) -> String {
        format!("/v1/carts/{}/edit", self.cart)
    }

    /// Answers the checkout: what is `unmet` but the payment cannot be had.
    pub async fn hold(&self) -> Result<Value, Refusal> {
        self.post(Doing::Hold, &format!("/v1/checkouts/{}/hold", self.cart), &json!({})).await
    }

    /// Answers the order.
    pub async fn pay(&self) -> Result<String, Refusal> {
        let card = json!({"method": "card", "token": "tok_approved"});
        let body = json!({"expected_total": self.total, "payments": [card]});
        let paid = self.post(Doing::Pay, &format!("/v1/checkouts/{}/pay", self.cart), &body).await?;
        Ok(paid.pointer("/order/id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    async fn post(&self, step: Doing, path: &str, body: &Value) -> Result<Value, Refusal> {
        let began = Instant::now();
        let answer = self.api.post(path, body, "").await;
        self.watch.note(step, began.elapsed());
        answer.ok()
    }
}
