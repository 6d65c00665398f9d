//! A shopper of the benchmarks: from an empty cart to a paid order at the sample's storefront, each request timed.

use crate::api::{Api, Refusal};
use crate::bench::NotMeasured;
use crate::demo;
use crate::market::Market;
use domain::id::{MerchantId, OfferId};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What a shopper does, in this order.
pub const STEPS: [&str; 5] = ["open a cart", "lines", "address, delivery", "hold the stock", "pay, place"];

/// A place in [`STEPS`].
#[derive(Debug, Clone, Copy)]
enum Step {
    Open,
    Lines,
    Address,
    Hold,
    Pay,
}

/// How long the requests of a step took.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Half of them were answered within it.
    pub half: Duration,
    /// 99 of 100 were.
    pub most: Duration,
    /// All were.
    pub slowest: Duration,
}

/// Notes how long each request took. Clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Watch(Arc<Mutex<[Vec<Duration>; 5]>>);

impl Watch {
    fn note(&self, step: Step, took: Duration) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = noted.get_mut(step as usize) {
            of.push(took);
        }
    }

    /// By [`STEPS`].
    pub fn times(&self) -> [Times; 5] {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone().map(times)
    }
}

fn times(mut all: Vec<Duration>) -> Times {
    all.sort_unstable();
    let at = |percent: usize| {
        let place = all.len().saturating_mul(percent).div_euclid(100).min(all.len().saturating_sub(1));
        all.get(place).copied().unwrap_or_default()
    };
    Times { half: at(50), most: at(99), slowest: at(100) }
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
        let mut shopper =
            Self { api: api.clone(), watch: watch.clone(), cart: String::new(), total: Value::Null };
        let cart = shopper.post(Step::Open, "/v1/carts", &json!({"country": "DE"})).await?;
        shopper.cart = cart.pointer("/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let edit = format!("/v1/carts/{}/edit", shopper.cart);
        let unit = |goods: &Goods| json!({"merchant": goods.merchant, "sku": goods.sku, "quantity": 1});
        let add: Vec<Value> = basket.iter().map(unit).collect();
        shopper.post(Step::Lines, &edit, &json!({"add": add})).await?;
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
        let mut ready = shopper.post(Step::Address, &edit, &body).await?;
        shopper.total = ready.pointer_mut("/totals/total").map(Value::take).unwrap_or_default();
        Ok(shopper)
    }

    /// Answers the checkout: what is `unmet` but the payment cannot be had.
    pub async fn hold(&self) -> Result<Value, Refusal> {
        self.post(Step::Hold, &format!("/v1/checkouts/{}/hold", self.cart), &json!({})).await
    }

    /// Answers the order.
    pub async fn pay(&self) -> Result<String, Refusal> {
        let card = json!({"method": "card", "token": "tok_approved"});
        let body = json!({"expected_total": self.total, "payments": [card]});
        let paid = self.post(Step::Pay, &format!("/v1/checkouts/{}/pay", self.cart), &body).await?;
        Ok(paid.pointer("/order/id").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    async fn post(&self, step: Step, path: &str, body: &Value) -> Result<Value, Refusal> {
        let began = Instant::now();
        let answer = self.api.post(path, body, "").await;
        self.watch.note(step, began.elapsed());
        answer.ok()
    }
}
