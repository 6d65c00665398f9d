//! Customers who subscribe: plans of a shop, and what its subscriptions are asked for.

use crate::{Shop, at, eur};
use domain::id::SubscriptionId;
use domain::subscription::Subscription;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use table::Key;

/// A shop with plans by the month, `ten` at 10.00 and `twenty` at 20.00, and Ines, who has signed in.
#[derive(Debug)]
pub struct Subscriptions {
    pub shop: Shop,
    pub ines: Api,
    pub customer: String,
}

/// What a plan by the month costs, by the unit.
pub fn terms(price: &str) -> Value {
    json!({
        "interval": {"every": "month"}, "price": eur(price), "included": 1, "tiers": [{"unit_price": eur(price)}],
        "proration": "second", "features": ["seats"],
    })
}

/// Where Ines's invoices go.
pub fn address() -> Value {
    json!({"country": "DE", "name": "Ines Groß", "lines": ["Lindenweg 5"], "city": "Berlin", "postal_code": "10969"})
}

/// What a line of a document says: its kind, and its amount with tax.
pub fn billed(what: &str, total: &str) -> (String, String) {
    (what.to_owned(), total.to_owned())
}

pub fn card(token: &str) -> Value {
    json!({"method": "card", "token": token})
}

impl Subscriptions {
    pub async fn open() -> Self {
        Self::open_in(Shop::open().await).await
    }

    pub async fn open_in(shop: Shop) -> Self {
        for (name, price) in [("ten", "10.00"), ("twenty", "20.00")] {
            publish(&shop, name, terms(price)).await;
        }
        let (ines, customer) = sign_up(&shop, "ines").await;
        Self { shop, ines, customer }
    }

    /// The id of a plan, by its external id.
    pub fn plan(&self, name: &str) -> String {
        domain::id::PlanId::named(&crate::marketplace_id(), name).to_string()
    }

    pub fn body(&self, plan: &str, token: &str) -> Value {
        json!({"plan": self.plan(plan), "address": address(), "payment": card(token)})
    }

    /// Ines subscribes, and it runs.
    pub async fn subscribe(&self, plan: &str, token: &str) -> String {
        let answer = self.ines.post("/v1/subscriptions", &self.body(plan, token), "").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        self.shop.settle().await;
        answer.text("/id").to_owned()
    }

    pub async fn show(&self, id: &str) -> Value {
        let answer = self.ines.get(&format!("/v1/subscriptions/{id}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// A change that goes through.
    pub async fn act(&self, id: &str, verb: &str, body: Value) -> Value {
        let answer = self.try_act(id, verb, body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.shop.settle().await;
        answer.body
    }

    pub async fn try_act(&self, id: &str, verb: &str, body: Value) -> Answer {
        self.ines.post(&format!("/v1/subscriptions/{id}/{verb}"), &body, "").await
    }

    /// Lines of a document: what, base with tax, from, to.
    pub fn lines(document: &Value) -> Vec<(String, String)> {
        let lines = document["lines"].as_array().expect("a document has lines").iter();
        lines.map(|line| (at(line, "/what").to_owned(), at(line, "/total/amount").to_owned())).collect()
    }

    /// The subscription as it is kept.
    pub async fn kept(&self, id: &str) -> Subscription {
        let id: SubscriptionId = id.parse().expect("an id");
        let key = Key::subscription(&crate::marketplace_id(), &id);
        self.shop.market.world.table.load(&key).await.expect("the table answers").expect("it is there").value
    }

    /// All documents as they are kept, the first first.
    pub async fn documents(&self, id: &str) -> Vec<domain::invoice::Invoice> {
        let id: SubscriptionId = id.parse().expect("an id");
        let m = crate::marketplace_id();
        let page =
            self.shop.market.world.table.invoices_of(&m, &id, 100, None).await.expect("the table answers");
        page.items.into_iter().rev().map(|held| held.value).collect()
    }

    /// Each document: kind, status, total, due.
    pub async fn bills(&self, id: &str) -> Vec<(&'static str, String)> {
        let documents = self.documents(id).await;
        documents
            .iter()
            .map(|one| (one.status(), one.total().expect("it sums").decimal().to_string()))
            .collect()
    }

    /// What the ledger says of invoices agrees with the subscriptions; everything is posted.
    pub async fn books_are_right(&self) {
        self.shop.books_are_right().await;
    }
}

pub async fn publish(shop: &Shop, name: &str, terms: Value) -> Value {
    let body = json!({"external_id": name, "name": name, "currency": "EUR", "terms": terms});
    shop.done("/v1/plans/publish", &body).await
}

/// A person with an account.
pub async fn sign_up(shop: &Shop, sub: &str) -> (Api, String) {
    let person = shop.person(sub);
    let body = json!({"name": "Ines Groß", "email": "ines@post.example"});
    let answer = person.post("/v1/customers/me", &body, "").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    let id = answer.text("/id").to_owned();
    (person, id)
}
