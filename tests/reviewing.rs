//! Short words for reviews: links as messages bring them, and what is written with them.

use crate::{Shop, at, marketplace_id, moment};
use domain::id::ReviewId;
use edge::links::{Link, Purpose};
use serde_json::{Value, json};
use souk::api::Answer;

/// The review of an order's line.
pub fn review_id(order: &str, line: u16) -> String {
    ReviewId::of(&order.parse().unwrap(), line).to_string()
}

impl Shop {
    /// The token of a message that asks about a line.
    pub async fn review_link(&self, review: &str) -> String {
        self.review_link_until(review, "2027-01-01T00:00:00Z").await
    }

    pub async fn review_link_until(&self, review: &str, until: &str) -> String {
        let link = Link { purpose: Purpose::Review, about: review.to_owned(), until: moment(until) };
        link.sign(&self.market.world, &marketplace_id()).await.unwrap()
    }

    /// What somebody without an account answers.
    pub async fn review(&self, review: &str, stars: i64, text: &str) -> Answer {
        let token = self.review_link(review).await;
        let mut body = json!({"stars": stars});
        if !text.is_empty() {
            body["text"] = json!(text);
        }
        let answer = self.guest().post(&format!("/v1/review-links/{token}"), &body, "").await;
        self.settle().await;
        answer
    }

    /// What everybody sees: stars in the order of the list.
    pub async fn public_stars(&self, query: &str) -> Vec<i64> {
        let list = self.guest().get(&format!("/v1/reviews?{query}")).await.ok().unwrap();
        list["items"].as_array().unwrap().iter().map(|item| item["stars"].as_i64().unwrap()).collect()
    }

    /// Count and mean of a product (`products/prd_…`) or a merchant.
    pub async fn rating(&self, of: &str) -> (u64, String) {
        let rating = self.guest().get(&format!("/v1/ratings/{of}")).await.ok().unwrap();
        (rating["count"].as_u64().unwrap(), rating["mean"].as_str().unwrap_or_default().to_owned())
    }

    /// The product of an offer.
    pub async fn product_of(&self, offer: &str) -> String {
        let offer: Value = self.get(&format!("/v1/offers/{offer}")).await;
        at(&offer, "/product").to_owned()
    }
}
