//! The part of the story in which merchants come by themselves or are asked to, and people are written to.

use super::{Example, Story};
use domain::id::sha256_hex;
use serde_json::{Value, json};
use tests::at;

impl Story {
    /// One applies, another is invited, and both accept what they must.
    pub(super) async fn joining(&mut self) {
        let terms = sha256_hex(b"the terms of March");
        let document = json!({"url": "https://shop.example/terms", "sha256": terms});
        self.tell("marketplace.set_merchant_terms", &[], document).await;
        let invitation =
            json!({"name": "fern", "external_id": "fern", "schedule": {"every": "month", "day": 1}});
        let fern = at(&self.shop.done("/v1/merchants", &invitation).await, "/id").to_owned();
        let again = self.tell("merchants.invite_again", &[&fern], json!({})).await;
        let secret = json!({"secret": at(&again, "/invitation/secret")});
        self.tell("merchants.accept_invitation", &[&fern], secret).await;
        // An operator's key does not accept for a merchant's people.
        let (accept, body) = (format!("/v1/merchants/{fern}/accept-terms"), json!({"sha256": terms}));
        let accepted = self.shop.person("ines").post(&accept, &body, "").await;
        let (status, answer) = (accepted.status.as_u16(), accepted.body);
        assert_eq!(status, 200, "{answer}");
        self.told.insert("merchants.accept_terms".to_owned(), Example { body: Some(body), status, answer });
        let closures = json!({"closures": [{"from": "2026-12-24", "to": "2027-01-02"}]});
        self.tell("merchants.set_closures", &[&fern], closures).await;
        let messages = self.show("messages.list", &[], "?limit=2").await;
        self.show("messages.show", &[at(&messages, "/items/0/id")], "").await;
        for name in ["messages.list", "messages.show"] {
            still(&mut self.told.get_mut(name).expect("it was told").answer);
        }
    }

    /// One applies, who is nobody's yet.
    pub(super) async fn applying(&mut self) {
        let corner = json!({"name": "Corner Pottery", "external_id": "corner"});
        self.tell("merchants.apply", &[], corner).await;
    }
}

/// What a carrier calls a message, where a list goes on and how a link is signed is not the same twice.
fn still(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match (name.as_str(), value.as_str()) {
                    ("reference", Some(_)) => *value = json!("00000000-0000-4000-8000-000000000001"),
                    ("next", Some(_)) => *value = json!("31373734393437363030"),
                    ("text", Some(text)) => {
                        *value = text.split('\n').map(unsigned).collect::<Vec<_>>().join("\n").into()
                    }
                    (_, _) => still(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(still),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn unsigned(line: &str) -> String {
    match line.rsplit_once('/') {
        Some((link, signature)) if signature.len() == 43 => format!("{link}/{}", "A".repeat(43)),
        Some(_) | None => line.to_owned(),
    }
}
