//! Merchants whose systems hear of their own events.

use super::Crowd;
use crate::sim::acts::Ear;
use crate::sim::seam::EARS;
use crate::sim::stage::text;
use serde_json::{Value, json};

impl Crowd<'_> {
    /// The first of them opens the endpoint, whatever it is.
    pub(super) async fn listen(&self, merchant: usize, ear: Ear) -> Option<()> {
        let (api, address) = (self.merchant(merchant), *EARS.get(merchant)?);
        let shown = self.get(&api, "/v1/webhook-endpoints").await?;
        let endpoints = shown.pointer("/items").and_then(Value::as_array);
        let Some(endpoint) = endpoints.and_then(|all| all.first()) else {
            let body = json!({"address": address, "events": ["merchant_order.opened.*", "payout.sent.*"]});
            return self.post(&api, "/v1/webhook-endpoints", &body).await.map(drop);
        };
        let path = format!("/v1/webhook-endpoints/{}", text(endpoint, "/id"));
        let (verb, body) = match ear {
            Ear::Pause => ("pause", json!({})),
            Ear::Resume => ("resume", json!({})),
            Ear::Rotate => ("rotate", json!({})),
            Ear::Remove => ("remove", json!({})),
            Ear::Replay => ("replay", json!({"since": "2026-03-01T00:00:00Z"})),
        };
        self.post(&api, &format!("{path}/{verb}"), &body).await.map(drop)
    }
}
