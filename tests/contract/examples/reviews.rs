//! The part of the story in which goods are reviewed.

use super::Story;
use serde_json::json;
use tests::reviewing::review_id;
use tests::{at, part};

impl Story {
    /// A guest reviews a mug by a link, and everybody has something to say about it.
    pub(super) async fn reviewing(&mut self, alma: &str, order: &str) {
        let policy = json!({
            "ask_after_days": 5, "by_category": [{"category": "mugs", "days": 7}], "remind_after_days": 7,
            "answer_within_days": 120, "publishes_clean": true, "words": ["swindle"], "late_after_days": 3,
            "weights": {"reviews": 60, "shipped_on_time": 15, "not_canceled": 15, "not_disputed": 10},
        });
        self.tell("reviews.set_policy", &[], policy).await;
        self.show("reviews.policy", &[], "").await;
        self.shop.fulfill(&part(order, 1)).await;
        self.shop.wait_days(8).await;
        let id = review_id(order, 1);
        let link = self.shop.review_link(&id).await;
        self.show("review_links.show", &[&link], "").await;
        let written = json!({"stars": 4, "text": "Heavy, and it keeps the tea warm.", "name": "Omar"});
        let review = self.tell("review_links.write", &[&link], written).await;
        let photo = json!({"number": 1, "content_type": "image/jpeg", "length": 240_112});
        self.tell("review_links.send_photo", &[&link], photo).await;
        self.signed_for_ever("review_links.send_photo");
        self.tell("reviews.helpful", &[&id], json!({})).await;
        let report = json!({"reason": "it names another shop"});
        let report = self.tell("reviews.report", &[&id], report).await;
        self.show("reviews.reports", &[], "").await;
        self.tell("reviews.close_report", &[&id], json!({"report": report["id"]})).await;
        self.tell("reviews.reply", &[&id], json!({"text": "Thank you!"})).await;
        self.tell("reviews.edit_reply", &[&id], json!({"text": "Thank you, Omar!"})).await;
        self.show("reviews.list", &[], &format!("?merchant={alma}")).await;
        self.show("ratings.product", &[at(&review, "/product")], "").await;
        self.show("ratings.merchant", &[alma], "").await;
        let adjustment = json!({"points": -5, "reason": "answers buyers after weeks"});
        self.tell("reviews.adjust_score", &[alma], adjustment).await;
        self.show("reviews.score", &[alma], "").await;
        let rejected = json!({"reasons": ["off_topic"], "note": "It is about the carrier"});
        self.tell("reviews.reject", &[&id], rejected).await;
        self.tell("reviews.publish", &[&id], json!({})).await;
        self.show("reviews.show", &[&id], "").await;
        self.tell("review_links.withdraw", &[&link], json!({})).await;
        let elsewhere = json!({"stars": 5, "occurred_at": "2026-03-03T10:00:00Z"});
        self.tell("reviews.record", &[&id], elsewhere).await;
    }

    /// A customer who has signed in writes, and a person looks at it first.
    pub(super) async fn reviewing_own(&mut self, order: &str) {
        let id = review_id(order, 1);
        self.show("reviews.show_own", &[&id], "").await;
        let written = json!({"stars": 2, "text": "A swindle: it was chipped."});
        self.tell("reviews.write_own", &[&id], written).await;
        let photo = json!({"number": 1, "content_type": "image/webp", "length": 90_001});
        self.tell("reviews.send_own_photo", &[&id], photo).await;
        self.signed_for_ever("reviews.send_own_photo");
        self.show("reviews.pending", &[], "").await;
        self.show("reviews.list_own", &[], "").await;
        self.tell("reviews.withdraw_own", &[&id], json!({})).await;
    }
}
