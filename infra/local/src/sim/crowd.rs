//! People who act: each act is a few calls through the front door, repeated with the same key while no answer comes.
//!
//! What the API has promised somebody is kept, and so is what it should not have said.

mod listeners;
mod outsiders;
mod payers;
mod subscribers;
mod wishers;

use super::Troubled;
use super::acts::{Act, Purchase, Tab};
use super::seam::Seam;
use super::stage::{MERCHANTS, OPERATOR, STOREFRONT, Stage, exchange, text, tokens};
use crate::api::{Answer, Api};
use crate::market::Market;
use domain::id::{MerchantOrderId, OrderId};
use futures::future::join;
use serde_json::{Value, json};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a client asks before it gives up.
const PATIENCE: u32 = 5;

/// People do something with one of so many, the newest.
const NEWEST: usize = 3;

/// What somebody was told, and may rely on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Promise {
    /// An order was placed for so many cents.
    Placed { order: OrderId, total: String },
    /// A parcel of a part was taken.
    Shipped { part: String, shipment: String },
    /// So many units have come in, or may have where nobody heard.
    Received { offer: usize, units: u32, heard: bool },
    /// A cart has one unit more than when somebody began to pay for it: so many in all.
    Edited { cart: String, units: u32 },
    /// A subscription has begun.
    Subscribed { subscription: String },
    /// A list has one unit of an offer more, or may have where nobody heard.
    Wished { list: String, offer: usize, heard: bool },
    /// A customer will hear when an offer can be had again.
    Waits { customer: usize, offer: usize, heard: bool },
}

/// What an operator gives back by hand for one cause, in cents.
pub(super) const GIVEN: i64 = 1_00;

/// A cart whose payment is under way or waits, and what it comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Waiting {
    cart: String,
    account: Option<usize>,
    total: String,
}

#[derive(Debug, Default)]
struct Seen {
    /// Orders that somebody knows of.
    orders: Vec<OrderId>,
    /// Carts whose payment is under way or waits.
    waiting: Vec<Waiting>,
    /// Parts and their parcels, each with its merchant's place.
    parcels: Vec<(usize, String, String)>,
    /// Subscriptions, each with its customer's place.
    subscriptions: Vec<(usize, String)>,
    /// Wish lists, each with its customer's place.
    lists: Vec<(usize, String)>,
    promises: Vec<Promise>,
    wrong: Vec<String>,
    /// Keys of requests, so that each has its own.
    asked: u64,
}

/// Everybody.
#[derive(Debug)]
pub(super) struct Crowd<'a> {
    market: &'a Market,
    stage: &'a Stage,
    seam: &'a Seam,
    /// Tokens of those who have signed in.
    customers: Vec<String>,
    seen: Mutex<Seen>,
}

impl<'a> Crowd<'a> {
    pub(super) fn of(market: &'a Market, stage: &'a Stage, seam: &'a Seam) -> Result<Self, Troubled> {
        let customers = tokens(market)?;
        Ok(Self { market, stage, seam, customers, seen: Mutex::default() })
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn promises(&self) -> Vec<Promise> {
        self.seen().promises.clone()
    }

    /// What the API should not have said.
    pub(super) fn wrong(&self) -> Vec<String> {
        self.seen().wrong.clone()
    }

    fn api(&self, bearer: &str) -> Api {
        Api::new(&self.market.cloud, bearer)
    }

    /// As a shopper sees it, with an account or without.
    fn shop(&self, account: Option<usize>) -> Option<Api> {
        account.map_or_else(|| Some(self.api(STOREFRONT)), |customer| self.customer(customer))
    }

    fn merchant(&self, of: usize) -> Api {
        self.api(MERCHANTS.get(of).map(|(_, secret, _)| *secret).unwrap_or_default())
    }

    fn key(&self) -> String {
        let mut seen = self.seen();
        seen.asked = seen.asked.saturating_add(1);
        format!("act-{:032}", seen.asked)
    }

    /// The answer, once one comes that is no failure of ours.
    async fn ask(&self, api: &Api, path: &str, body: Option<&Value>) -> Option<Answer> {
        let key = self.key();
        for attempt in 1..=PATIENCE {
            let answer = match body {
                Some(body) => api.post(path, body, &key).await,
                None => api.get(path).await,
            };
            if !self.seam.loses_answer() && answer.status.as_u16() < 500 {
                return Some(answer);
            }
            tokio::time::sleep(Duration::from_millis(u64::from(attempt.saturating_mul(150)))).await;
        }
        None
    }

    async fn post(&self, api: &Api, path: &str, body: &Value) -> Option<Answer> {
        self.ask(api, path, Some(body)).await
    }

    /// A success's body.
    async fn done(&self, api: &Api, path: &str, body: &Value) -> Option<Value> {
        self.post(api, path, body).await?.ok().ok()
    }

    async fn get(&self, api: &Api, path: &str) -> Option<Value> {
        self.ask(api, path, None).await?.ok().ok()
    }

    /// One act; whatever is in its way ends it.
    pub(super) async fn act(&self, act: &Act) {
        let _ended = match act {
            Act::Buy(purchase) => self.buy(purchase).await,
            Act::Confirm { pick } => self.confirm(*pick).await,
            Act::Told { pick, said, twice } => self.told(*pick, said, *twice).await,
            Act::Ship { pick, all } => self.ship(*pick, *all).await,
            Act::Reject { pick } => self.reject(*pick).await,
            Act::Track { pick, lost } => self.track(*pick, *lost).await,
            Act::Cancel { pick } => self.cancel(*pick).await,
            Act::Refund { pick } => self.refund(*pick).await,
            Act::GiveBack { pick, cause } => self.give_back(*pick, *cause).await,
            Act::GiveUp { pick } => self.give_up(*pick).await,
            Act::Notice { pick, said } => self.notice(*pick, said).await,
            Act::Settle { pick } => self.settle(*pick).await,
            Act::Exchange { cents } => self.exchange(*cents).await,
            Act::Bank { pick, pays } => self.bank(*pick, *pays).await,
            Act::Subscribe { customer, card } => self.subscribe(*customer, card).await,
            Act::Change { pick, wish } => self.change(*pick, *wish).await,
            Act::Keep { customer, offer, twice } => self.keep(*customer, *offer, *twice).await,
            Act::Wait { customer, offer } => self.wait(*customer, *offer).await,
            Act::Listen { merchant, ear } => self.listen(*merchant, *ear).await,
            Act::Elsewhere { number } => self.elsewhere(*number).await,
            Act::Stranger { pick } => self.stranger(*pick).await,
            Act::Receive { offer, units } => self.receive(*offer, *units).await,
            Act::Spy { pick } => self.spy(*pick).await,
            Act::Again { pick } => self.again(*pick).await,
        };
    }

    async fn buy(&self, purchase: &Purchase) -> Option<()> {
        let Purchase { shopper, account, lines, currency, codes, leaves, tab, .. } = purchase;
        let shop = self.shop(*account)?;
        let opened = json!({"country": "DE", "currency": currency});
        let cart = text(&self.done(&shop, "/v1/carts", &opened).await?, "/id");
        let offers = lines.iter().filter_map(|(offer, quantity)| {
            let (merchant, id) = self.stage.offers.get(*offer)?;
            Some((*merchant, json!({"offer": id, "quantity": quantity})))
        });
        let (mut merchants, add): (Vec<usize>, Vec<Value>) = offers.unzip();
        merchants.sort_unstable();
        merchants.dedup();
        let by = |of: usize| json!({"merchant": self.stage.merchants.get(of), "service": "standard"});
        let edit = json!({
            "add": &add,
            "codes": {"add": codes},
            "contact": {"email": format!("shopper-{shopper}@post.example")},
            "address": {
                "country": "DE", "name": "Sample", "lines": ["Lindenweg 5"], "city": "Berlin",
                "postal_code": "10969",
            },
            "delivery": merchants.into_iter().map(by).collect::<Vec<_>>(),
        });
        let ready = self.done(&shop, &format!("/v1/carts/{cart}/edit"), &edit).await?;
        let total = ready.pointer("/totals/total").cloned()?;
        let hold = self.done(&shop, &format!("/v1/checkouts/{cart}/hold"), &json!({})).await;
        if *leaves {
            return None;
        }
        let _held = hold?;
        let pays = async || self.pay(&shop, &cart, &total, purchase).await;
        let beside = async {
            match tab {
                Tab::Closed => None,
                Tab::Pays => pays().await,
                Tab::Edits => {
                    let more = json!({"add": [{"offer": add.first()?.get("offer")?, "quantity": 1}]});
                    self.done(&shop, &format!("/v1/carts/{cart}/edit"), &more).await?;
                    let units = lines.iter().map(|(_, quantity)| quantity).sum::<u32>().saturating_add(1);
                    self.seen().promises.push(Promise::Edited { cart: cart.clone(), units });
                    Some(())
                }
            }
        };
        join(pays(), beside).await.0
    }

    /// Somebody has heard of an order.
    fn placed(&self, body: &Value, total: &str) {
        let Ok(order) = text(body, "/order/id").parse::<OrderId>() else { return };
        let mut seen = self.seen();
        if !seen.orders.contains(&order) {
            seen.orders.push(order.clone());
        }
        seen.promises.push(Promise::Placed { order, total: total.to_owned() });
    }

    /// One of the newest: so people meet at the same things.
    fn picked<T: Clone>(&self, pick: u32, of: impl Fn(&Seen) -> &Vec<T>) -> Option<T> {
        let seen = self.seen();
        let all = of(&seen);
        let back = usize::try_from(pick).ok()?.checked_rem(all.len().min(NEWEST))?;
        all.iter().rev().nth(back).cloned()
    }

    async fn confirm(&self, pick: u32) -> Option<()> {
        let Waiting { cart, account, total } = self.picked(pick, |seen| &seen.waiting)?;
        let path = format!("/v1/checkouts/{cart}/confirm");
        let confirmed = self.done(&self.shop(account)?, &path, &json!({})).await?;
        self.placed(&confirmed, &total);
        Some(())
    }

    /// A part of an order and its merchant's place.
    async fn part(&self, pick: u32) -> Option<(usize, String)> {
        let order = self.picked(pick, |seen| &seen.orders)?;
        let shown = self.get(&self.api(OPERATOR), &format!("/v1/orders/{order}")).await?;
        let parts = shown.pointer("/merchant_orders").and_then(Value::as_array)?;
        let part = payers::one_of(parts, pick >> 16)?;
        let merchant = text(part, "/merchant");
        let of = self.stage.merchants.iter().position(|id| *id == merchant)?;
        Some((of, text(part, "/id")))
    }

    /// The lines of which something is left to ship, each with how many units.
    async fn left(&self, of: usize, part: &str) -> Option<Vec<(u64, u64)>> {
        Some(left_of(&self.get(&self.merchant(of), &format!("/v1/merchant-orders/{part}")).await?))
    }

    async fn ship(&self, pick: u32, all: bool) -> Option<()> {
        let (of, part) = self.part(pick).await?;
        self.pack(of, &part, pick, all).await
    }

    async fn pack(&self, of: usize, part: &str, pick: u32, all: bool) -> Option<()> {
        let left = self.left(of, part).await?;
        let (line, _) = *left.first()?;
        let lines = if all { json!([]) } else { json!([{"line": line, "quantity": 1}]) };
        let tracking = format!("{pick}-{}", self.seen().asked);
        let body = json!({"carrier": "post", "tracking_number": tracking, "lines": lines});
        let path = format!("/v1/merchant-orders/{part}/ship");
        let view = self.done(&self.merchant(of), &path, &body).await?;
        let shipments = view.pointer("/shipments").and_then(Value::as_array)?;
        let own = shipments.iter().find(|one| text(one, "/tracking_number") == tracking)?;
        let (part, shipment) = (part.to_owned(), text(own, "/id"));
        let mut seen = self.seen();
        seen.parcels.push((of, part.clone(), shipment.clone()));
        seen.promises.push(Promise::Shipped { part, shipment });
        Some(())
    }

    async fn reject(&self, pick: u32) -> Option<()> {
        let (of, part) = self.part(pick).await?;
        let (line, _) = *self.left(of, &part).await?.first()?;
        let body = json!({"lines": [{"line": line, "quantity": 1}], "reason": "broken"});
        self.post(&self.merchant(of), &format!("/v1/merchant-orders/{part}/reject"), &body).await.map(drop)
    }

    async fn track(&self, pick: u32, lost: bool) -> Option<()> {
        let (of, part, shipment) = self.picked(pick, |seen| &seen.parcels)?;
        self.arrived(of, &part, &shipment, lost).await
    }

    async fn arrived(&self, of: usize, part: &str, shipment: &str, lost: bool) -> Option<()> {
        let path = format!("/v1/merchant-orders/{part}/shipments/{shipment}/track");
        let status = if lost { "lost" } else { "delivered" };
        self.post(&self.merchant(of), &path, &json!({"status": status})).await.map(drop)
    }

    async fn cancel(&self, pick: u32) -> Option<()> {
        let order = self.picked(pick, |seen| &seen.orders)?;
        let path = format!("/v1/orders/{order}/cancel");
        self.post(&self.api(OPERATOR), &path, &json!({"reason": "changed mind"})).await.map(drop)
    }

    async fn refund(&self, pick: u32) -> Option<()> {
        let order = self.picked(pick, |seen| &seen.orders)?;
        let (of, part) = self.part(pick).await?;
        let shown = self.get(&self.merchant(of), &format!("/v1/merchant-orders/{part}")).await?;
        let lines = shown.pointer("/lines").and_then(Value::as_array)?;
        let line = payers::one_of(lines, pick >> 8)?;
        let (delivery, to) = (pick & 64 == 0, if pick & 128 == 0 { "original" } else { "store_credit" });
        let body = json!({
            "merchant_order": part, "lines": [{"line": line.get("line"), "quantity": 1}],
            "delivery": delivery, "to": to, "reason": "broken",
        });
        self.post(&self.api(OPERATOR), &format!("/v1/orders/{order}/refund"), &body).await.map(drop)
    }

    /// What a dollar is worth today.
    pub(super) async fn exchange(&self, cents: u32) -> Option<()> {
        let rates = exchange(self.market.clock.now(), cents);
        self.post(&self.api(OPERATOR), "/v1/fx/set-rates", &rates).await.map(drop)
    }

    /// Banks answer for the newest payouts.
    pub(super) async fn banks(&self) {
        for pick in 0..self.stage.merchants.len() {
            let pays = self.seam.roll(3) > 0;
            let _answered = self.bank(u32::try_from(pick).unwrap_or_default(), pays).await;
        }
    }

    async fn bank(&self, pick: u32, pays: bool) -> Option<()> {
        let place = usize::try_from(pick).ok()?.checked_rem(self.stage.merchants.len())?;
        let (api, merchant) = (self.api(OPERATOR), self.stage.merchants.get(place)?);
        let shown = self.get(&api, &format!("/v1/payouts?merchant={merchant}")).await?;
        let payout = text(&shown, "/items/0/id");
        let (verb, body) =
            if pays { ("confirm", json!({})) } else { ("fail", json!({"reason": "the account is closed"})) };
        self.post(&api, &format!("/v1/payouts/{payout}/{verb}"), &body).await.map(drop)
    }

    async fn receive(&self, offer: usize, units: u32) -> Option<()> {
        let (of, id) = self.stage.offers.get(offer)?;
        let path = format!("/v1/stock/{id}/receive");
        let answer = self.post(&self.merchant(*of), &path, &json!({"quantity": units})).await;
        let heard = answer.as_ref().is_some_and(|answer| answer.status.is_success());
        if heard || answer.is_none() {
            self.seen().promises.push(Promise::Received { offer, units, heard });
        }
        Some(())
    }

    async fn again(&self, pick: u32) -> Option<()> {
        let (function, event) = self.seam.old(pick)?;
        self.market.cloud.invoke(function, event).await.ok().map(drop)
    }

    /// Everything that can be shipped is shipped, and everything on its way arrives.
    pub(super) async fn finish(&self, orders: &[OrderId]) {
        for order in orders {
            let shown = self.get(&self.api(OPERATOR), &format!("/v1/orders/{order}")).await;
            let parts = shown.as_ref().and_then(|shown| shown.pointer("/merchant_orders")?.as_array());
            for (number, part) in (1_u8..).zip(parts.into_iter().flatten()) {
                let merchant = text(part, "/merchant");
                let of = self.stage.merchants.iter().position(|id| *id == merchant).unwrap_or_default();
                let id = MerchantOrderId::of(order, number).to_string();
                self.finish_part(of, &id, u32::from(number)).await;
            }
        }
    }

    async fn finish_part(&self, of: usize, part: &str, number: u32) {
        let api = self.merchant(of);
        let path = format!("/v1/merchant-orders/{part}");
        let mut shown = self.get(&api, &path).await.unwrap_or_default();
        if !left_of(&shown).is_empty() {
            // What is short of stock cannot be shipped; it is rejected.
            if self.pack(of, part, number, true).await.is_none() {
                let left = self.left(of, part).await.unwrap_or_default();
                let lines: Vec<Value> =
                    left.iter().map(|(line, left)| json!({"line": line, "quantity": left})).collect();
                if !lines.is_empty() {
                    let body = json!({"lines": lines, "reason": "not there"});
                    let _shown = self.post(&api, &format!("{path}/reject"), &body).await;
                }
            }
            shown = self.get(&api, &path).await.unwrap_or_default();
        }
        for shipment in shown.pointer("/shipments").and_then(Value::as_array).into_iter().flatten() {
            let under_way = shipment.get("delivered_at").is_none_or(Value::is_null)
                && shipment.get("lost_at").is_none_or(Value::is_null);
            if under_way {
                let _told = self.arrived(of, part, &text(shipment, "/id"), false).await;
            }
        }
    }
}

/// The lines of a part of which something is left to ship, each with how many units.
fn left_of(part: &Value) -> Vec<(u64, u64)> {
    let count = |line: &Value, name: &str| line.get(name).and_then(Value::as_u64).unwrap_or_default();
    let lines = part.pointer("/lines").and_then(Value::as_array).into_iter().flatten();
    let left = lines.map(|line| {
        let gone = count(line, "shipped").saturating_add(count(line, "canceled"));
        (count(line, "line").max(count(line, "number")), count(line, "quantity").saturating_sub(gone))
    });
    left.filter(|(_, left)| *left > 0).collect()
}
