//! Orders that are paid through gateways, placed as a checkout places them: attempts begun, gateways called, all told.

use crate::{Shop, marketplace_id};
use domain::Decision;
use domain::Money;
use domain::gateway::Method;
use domain::id::{AttemptId, CartId, CustomerId, MerchantId, OrderId, PaymentId, derive};
use domain::order::{Bought, Intake, Line, Order};
use domain::payment::{Fact, Opening, Payment, begin_authorize, finalize, open, settle};
use domain::tax::{Mode, Prices, Rounding};
use edge::World;
use events::Context;
use gateway::{Gateways, Notice, Sandbox};
use http::Method as Verb;
use jiff::Timestamp;
use serde_json::Value;
use souk::api::Answer;
use souk::issuer::ISSUER;
use table::{Commit, Held, Key, Story};

/// A means of payment: its token, and minor units.
#[derive(Debug, Clone, Copy)]
pub struct Tender {
    pub method: Method,
    pub gateway: &'static str,
    pub token: &'static str,
    pub minor: i64,
    pub part: Option<u8>,
}

/// A card at the sandbox.
pub fn card(token: &'static str, minor: i64) -> Tender {
    Tender { method: Method::Card, gateway: "sandbox", token, minor, part: None }
}

/// Who has bought all of this: the account of the person `shopper`.
pub fn shopper() -> CustomerId {
    CustomerId::of(&marketplace_id(), &edge::identity::subject(ISSUER, "shopper"))
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

impl Shop {
    fn gateways(&self) -> Gateways {
        let (cloud, world) = (&self.market.cloud, &self.market.world);
        let environment = cloud.environment("payment").unwrap();
        let keys = world.keys.clone();
        let own = World::new(cloud.sdk_config("payment"), environment, world.clock.clone(), keys);
        Gateways::of(&own.unwrap())
    }

    fn because(&self, word: &str) -> Context {
        let (at, word) = (self.market.clock.now(), word.to_owned());
        Context { at, actor: "system:checkout".to_owned(), cause: word.clone(), correlation: word }
    }

    /// The order that a cart of this name becomes: lines of (merchant, quantity, unit price).
    pub fn cart_order(&self, name: &str, lines: &[(&str, u32, i64)]) -> Order {
        let cart = CartId::from_bits(derive(&["cart", name]));
        let line = |(number, (merchant, quantity, price)): (u16, &(&str, u32, i64))| Line {
            number,
            merchant: merchant.parse::<MerchantId>().unwrap(),
            sku: format!("sku-{number}").parse().unwrap(),
            offer: None,
            title: None,
            category: None,
            quantity: *quantity,
            allocations: None,
            unit_price: eur(*price),
            delivery: eur(0),
            fees: Vec::new(),
            priced: None,
        };
        let lines = (1_u16..).zip(lines).map(line).collect();
        let country = serde_json::from_value(serde_json::json!({"country": "DE"})).unwrap();
        let bought = Bought {
            cart: cart.clone(),
            mode: Mode { prices: Prices::Included, rounding: Rounding::Line },
            to: country,
            tax_id: None,
            deliveries: Vec::new(),
            redemptions: Vec::new(),
        };
        Order::place(Intake {
            id: OrderId::of_cart(&cart),
            channel: "storefront".parse().unwrap(),
            external_id: None,
            customer: Some(shopper()),
            currency: "EUR".parse().unwrap(),
            placed_at: self.market.clock.now(),
            lines,
            delivery: eur(0),
            payments: Vec::new(),
            fingerprint: name.to_owned(),
            bought: Some(bought),
            rates: Vec::new(),
        })
        .unwrap()
    }

    /// T1 of a checkout: payments with their first attempt, committed before anybody is called.
    pub async fn begin_payments(&self, order: &OrderId, tenders: &[Tender]) -> Vec<Payment> {
        let (m, now, context) = (marketplace_id(), self.market.clock.now(), self.because("t1"));
        let mut commit = Commit::new(&m, &context);
        let mut begun = Vec::new();
        for (number, tender) in (1_u8..).zip(tenders) {
            let payment = open(
                Opening {
                    order: order.clone(),
                    cart: None,
                    invoice: None,
                    off_session: false,
                    number,
                    method: tender.method,
                    gateway: tender.gateway.parse().unwrap(),
                    token: (!tender.token.is_empty()).then(|| tender.token.parse().unwrap()),
                    amount: eur(tender.minor),
                    part: tender.part,
                },
                now,
            )
            .unwrap();
            let Ok(Decision::New(fact)) = begin_authorize(&payment, None, now) else { panic!("it begins") };
            let payment = payment.apply(&fact);
            let capabilities = self.gateways().find(tender.gateway).unwrap().capabilities();
            let table = &self.market.world.table;
            table.payment_will_be_due(&m, (None, &payment), capabilities, now).await.unwrap();
            commit = commit.open_payment(&payment, "the payment is there");
            begun.push(payment);
        }
        commit.send(&self.market.world.table).await.unwrap();
        begun
    }

    /// Calls, and T2 of a checkout: the order is placed if all of its money is secured, else what was told is kept.
    pub async fn finish_checkout(&self, order: Order) -> bool {
        let (m, now) = (marketplace_id(), self.market.clock.now());
        let table = &self.market.world.table;
        let (mut facts, mut secured, mut promised) = (Vec::new(), true, false);
        let held: Vec<Held<Payment>> = table.payments(&m, &order.id).await.unwrap();
        for payment in &held {
            let payment = &payment.value;
            let gateway = self.gateways().find(payment.gateway.as_str()).unwrap().clone();
            let outcome = gateway.call(&m, &payment.request(&payment.attempts[0]).unwrap()).await;
            let mut own = Vec::new();
            if let Ok(Decision::New(fact)) = settle(payment, 1, outcome, None, now) {
                own.push(fact);
            }
            let after = own.iter().fold(payment.clone(), |payment, fact| payment.apply(fact));
            match finalize(&after, now) {
                Ok(Decision::New(fact)) => own.push(fact),
                Ok(Decision::Already) => {}
                Err(_) => secured = false,
            }
            promised |= after.stage() == domain::payment::Stage::Promised;
            facts.push(own);
        }
        let context = self.because("t2");
        let mut commit: Commit<'_, &str> = Commit::new(&m, &context);
        for (held, mut facts) in held.iter().zip(facts) {
            facts.retain(|fact| secured || !matches!(fact, Fact::Finalized { .. }));
            let gateway = self.gateways().find(held.value.gateway.as_str()).unwrap().capabilities();
            let after = facts.iter().fold(held.value.clone(), |payment, fact| payment.apply(fact));
            table.payment_will_be_due(&m, (Some(&held.value), &after), gateway, now).await.unwrap();
            if !facts.is_empty() {
                commit = commit.payment(held, &facts).unwrap().0;
            }
        }
        if secured {
            let order = if promised { order } else { order.secured() };
            let story = Story::new(events::order::placed(&order).unwrap()).posting(order.sale().unwrap());
            commit = commit.begin(&order, order.id.as_str(), story, "the order is there");
        }
        commit.send(table).await.unwrap();
        self.settle().await;
        secured
    }

    /// An order that is placed and paid with these; answers its id.
    pub async fn bought(&self, name: &str, lines: &[(&str, u32, i64)], tenders: &[Tender]) -> String {
        let order = self.cart_order(name, lines);
        let id = order.id.to_string();
        self.begin_payments(&order.id, tenders).await;
        assert!(self.finish_checkout(order).await, "it is paid");
        id
    }

    /// A payment as operators see it.
    pub async fn payment(&self, order: &str, number: u8) -> Value {
        self.get(&format!("/v1/payments/{}", payment_id(order, number))).await
    }

    /// A notice of the sandbox, signed at `at` with `secret`.
    pub async fn notify(&self, notice: &Notice, secret: &str, at: Timestamp) -> Answer {
        let (body, headers) = Sandbox::notice(secret, notice, &self.fresh(), at);
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.calls_as("").send_with(Verb::POST, "/v1/gateways/sandbox/webhooks", &body, &headers).await
    }

    /// What is stored of a payment.
    pub async fn stored_payment(&self, order: &str, number: u8) -> Payment {
        let id: PaymentId = payment_id(order, number).parse().unwrap();
        let key = Key::payment(&marketplace_id(), &id).unwrap();
        self.market.world.table.load::<Payment>(&key).await.unwrap().unwrap().value
    }
}

/// The id that a payment of an order has.
pub fn payment_id(order: &str, number: u8) -> String {
    PaymentId::of(&order.parse().unwrap(), number).to_string()
}

/// The id that an attempt of an order's payment has.
pub fn attempt_id(order: &str, number: u8, attempt: u16) -> AttemptId {
    AttemptId::of(&PaymentId::of(&order.parse().unwrap(), number), attempt)
}
