//! The part of the story in which a merchant's system is told of what happens.

use super::Story;
use serde_json::json;
use tests::{at, line};

impl Story {
    /// A merchant's system hears of what happens to the merchant.
    pub(super) async fn listening(&mut self, alma: &str) {
        let events = ["merchant_order.*", "payout.*", "offer.changed.v1"];
        let words = json!({"merchant": alma, "address": receiver().await, "events": events});
        let id = at(&self.tell("webhook_endpoints.create", &[], words).await, "/id").to_owned();
        self.show("webhook_endpoints.list", &[], &format!("?merchant={alma}")).await;
        let words = json!({"events": ["merchant_order.*"], "description": "the warehouse"});
        self.tell("webhook_endpoints.change", &[&id], words).await;
        self.tell("webhook_endpoints.rotate", &[&id], json!({})).await;
        let trial = self.tell("webhook_endpoints.test", &[&id], json!({})).await;
        self.show("webhook_deliveries.list", &[&id], "").await;
        self.show("webhook_deliveries.show", &[at(&trial, "/id")], "").await;
        self.tell("webhook_deliveries.replay", &[at(&trial, "/id")], json!({})).await;
        let since = json!({"since": "2026-03-02T09:00:00Z"});
        self.tell("webhook_endpoints.replay", &[&id], since).await;
        self.tell("webhook_endpoints.pause", &[&id], json!({})).await;
        let lines = json!([line(alma, "mug", 1, "10.00")]);
        let order = at(&self.shop.place("W-1", lines, json!({})).await, "/id").to_owned();
        self.shop.settle().await;
        self.shop.pay(&order).await;
        self.tell("webhook_endpoints.resume", &[&id], json!({})).await;
        self.show("webhook_endpoints.show", &[&id], "").await;
        self.tell("webhook_endpoints.remove", &[&id], json!({})).await;
    }
}

/// A receiver that takes everything; its address.
async fn receiver() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("there is a port");
    let address = format!("http://{}/souk", listener.local_addr().expect("it has an address"));
    let take = axum::Router::new().fallback(async || axum::http::StatusCode::NO_CONTENT);
    tokio::spawn(async move { axum::serve(listener, take).await });
    address
}
