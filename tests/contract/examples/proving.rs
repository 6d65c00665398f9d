//! The part of the story in which those ask who are nobody's people: a gateway's system, whoever has the link of a
//! message, and the person whom the deployment names.

use super::{Example, Story};
use domain::gateway::Outcome;
use domain::message::digest_of;
use edge::Clock;
use edge::links::Purpose;
use gateway::{Notice, Sandbox};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::Market;
use souk::api::Answer;
use souk::cloud::Pace;
use souk::market::SANDBOX_SECRET;
use tests::paying::{attempt_id, card};
use tests::{OPERATOR, START, Shop, marketplace_id, moment};

impl Story {
    /// What was asked goes well, and is told.
    fn proved(&mut self, name: &str, body: Value, mut answer: Answer) {
        assert!(answer.status.is_success(), "{name}: {} {}", answer.status, answer.body);
        if let Some(secret) = answer.body.pointer_mut("/api_key") {
            *secret = json!(format!("sk_{}", "0".repeat(64)));
        }
        let example = Example { body: Some(body), status: answer.status.as_u16(), answer: answer.body };
        self.told.insert(name.to_owned(), example);
    }

    pub(super) async fn proving(&mut self, alma: &str) {
        let order = self.shop.cart_order("asked", &[(alma, 1, 10_00)]);
        self.shop.begin_payments(&order.id, &[card("tok_action", 10_00)]).await;
        let attempt = attempt_id(order.id.as_str(), 1, 1);
        let reference = attempt.as_str().parse().expect("a reference");
        let outcome = Outcome::Approved { reference, expires_at: None };
        let notice = Notice { marketplace: marketplace_id(), attempt, outcome };
        // Signatures go by the clock of the machine.
        let now = Clock::System.now();
        let (body, _) = Sandbox::notice(SANDBOX_SECRET, &notice, "story", now);
        let body = serde_json::from_str(&body).expect("a notice is JSON");
        let answer = self.shop.notify(&notice, SANDBOX_SECRET, now).await;
        self.proved("gateways.notify", body, answer);

        let reader = "reader@post.example".parse().expect("an address");
        let digest = digest_of(&reader).expect("a digest");
        let until = self.shop.market.clock.now() + SignedDuration::from_hours(24);
        let link = self.shop.link(Purpose::Unsubscribe, &digest.to_string(), until).await;
        let path = format!("/v1/unsubscribe/{link}");
        let answer = self.shop.calls_as("").post(&path, &json!({}), "").await;
        self.proved("messages.unsubscribe", json!({}), answer);

        let empty = Market::in_memory(moment(START), Pace::Ordered).await.expect("a market");
        let founder = Shop::in_market(empty).person(OPERATOR);
        let corner = json!({"name": "Corner", "currency": "EUR", "locale": "de-AT"});
        let answer = founder.post("/v1/marketplaces", &corner, "").await;
        self.proved("marketplaces.open", corner, answer);
    }
}
