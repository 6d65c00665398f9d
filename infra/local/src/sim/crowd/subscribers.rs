//! Customers with accounts, who subscribe and change their minds.

use super::{Crowd, Promise};
use crate::api::Api;
use crate::sim::acts::Wish;
use crate::sim::stage::text;
use serde_json::{Value, json};

fn card(token: &str) -> Value {
    json!({"method": "card", "token": token})
}

impl Crowd<'_> {
    pub(super) fn customer(&self, place: usize) -> Option<Api> {
        self.customers.get(place).map(|token| self.api(token))
    }

    pub(super) async fn subscribe(&self, customer: usize, token: &str) -> Option<()> {
        let body = json!({
            "plan": self.stage.plan,
            "address": {
                "country": "DE", "name": "Sample", "lines": ["Lindenweg 5"], "city": "Berlin",
                "postal_code": "10969",
            },
            "payment": card(token),
        });
        let begun = self.done(&self.customer(customer)?, "/v1/subscriptions", &body).await?;
        let subscription = text(&begun, "/id");
        let mut seen = self.seen();
        seen.subscriptions.push((customer, subscription.clone()));
        seen.promises.push(Promise::Subscribed { subscription });
        Some(())
    }

    pub(super) async fn change(&self, pick: u32, wish: Wish) -> Option<()> {
        let (customer, subscription) = self.picked(pick, |seen| &seen.subscriptions)?;
        let (verb, body) = match wish {
            Wish::More => ("change", json!({"quantity": 2})),
            Wish::Pause => ("pause", json!({})),
            Wish::Resume => ("resume", json!({})),
            Wish::Cancel => ("cancel", json!({"at": "period_end"})),
            Wish::OtherCard(token) => ("set-payment-method", json!({"payment": card(token)})),
            Wish::Pay => ("pay", json!({})),
        };
        let path = format!("/v1/subscriptions/{subscription}/{verb}");
        self.post(&self.customer(customer)?, &path, &body).await.map(drop)
    }
}
