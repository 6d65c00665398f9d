//! The part of the story in which carts are left, things are wished for, and people are written to.

use super::Story;
use serde_json::json;
use tests::at;

impl Story {
    /// A list of things for later, shown to others; and something that is sold out.
    pub(super) async fn wishing(&mut self, alma: &str) {
        let cart =
            self.shop.guest().post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
        let list = self.tell("wish_lists.open", &[], json!({"name": "For the new kitchen"})).await;
        let list = at(&list, "/id").to_owned();
        let mug = self.shop.get(&format!("/v1/offers?merchant={alma}")).await;
        let mug = at(&mug, "/items/0/id").to_owned();
        let wishes = json!({"add": [{"offer": mug, "quantity": 2}]});
        self.tell("wish_lists.edit", &[&list], wishes).await;
        self.show("wish_lists.show", &[&list], "").await;
        let link = self.tell("wish_lists.share", &[&list], json!({})).await;
        self.show("wish_lists.shared", &[at(&link, "/token")], "").await;
        self.tell("wish_lists.unshare", &[&list], json!({})).await;
        self.tell("wish_lists.to_cart", &[&list], json!({"cart": cart, "items": [1]})).await;
        self.tell("wish_lists.from_cart", &[&list], json!({"cart": cart, "lines": [1]})).await;
        let ines = self.shop.person("ines");
        ines.post("/v1/wish-lists", &json!({"name": "Later"}), "").await.ok().expect("a list");
        self.show("wish_lists.list", &[], "").await;
        let rare = self.shop.stocked(alma, "rare", 1).await;
        self.shop.done(&format!("/v1/stock/{rare}/adjust"), &json!({"by": -1, "reason": "broken"})).await;
        self.tell("stock_alerts.wait", &[], json!({"offer": rare})).await;
        self.show("stock_alerts.list", &[], "").await;
        self.tell("stock_alerts.cancel", &[&rare], json!({})).await;
        let omar = self.shop.person("omar");
        omar.post("/v1/stock-alerts", &json!({"offer": rare}), "").await.ok().expect("omar waits");
    }

    /// A guest leaves a cart, is reminded, comes back and orders; answers the order.
    pub(super) async fn left_behind(&mut self, alma: &str) -> String {
        let night = json!({"start": "21:00", "end": "08:00"});
        let incentive = json!({"percent": "10", "valid_hours": 72});
        let policy = json!({
            "steps": [{"after_minutes": 60}, {"after_minutes": 1440, "incentive": incentive}],
            "hold_out_percent": 0, "quiet_hours": night, "time_zone": "Europe/Berlin",
            "max_messages": 4, "max_messages_days": 7, "attribution_days": 7,
        });
        self.tell("abandoned_carts.set_policy", &[], policy).await;
        self.show("abandoned_carts.policy", &[], "").await;
        let cart = self.shop.left_cart(alma, "omar@post.example").await;
        self.shop.wait_days(3).await;
        let link = self.shop.cart_link(&cart).await;
        self.tell("carts.restore", &[&link], json!({})).await;
        let order = self.shop.pay_left(&cart, alma).await;
        self.show("abandoned_carts.list", &[], "").await;
        self.show("abandoned_carts.recovered", &[], "").await;
        self.show("abandoned_carts.figures", &[], "").await;
        self.writing(alma).await;
        order
    }

    /// Who gets which message, in whose words, and who is left alone.
    async fn writing(&mut self, alma: &str) {
        let rule = json!({"kind": "payout", "reader": "operators", "channels": ["email"]});
        let routing =
            json!({"rules": [rule], "operators": ["ops@shop.example"], "reply_to": "help@shop.example"});
        self.tell("messages.set_routing", &[], routing).await;
        self.show("messages.routing", &[], "").await;
        let contact = json!({"emails": ["hello@alma.example"], "locale": "de-AT"});
        self.tell("messages.set_contact", &[alma], contact).await;
        self.show("messages.contact", &[alma], "").await;
        let shown = self.show("message_templates.show", &["shipped", "en"], "").await;
        let source =
            json!({"subject": "On its way: {{ number }}", "mjml": shown["mjml"], "text": shown["text"]});
        self.tell("message_templates.preview", &["shipped", "en"], source.clone()).await;
        self.tell("message_templates.save", &["shipped", "en"], source).await;
        self.tell("message_templates.reset", &["shipped", "en"], json!({})).await;
        self.show("message_templates.versions", &["shipped", "en"], "").await;
        self.tell("message_templates.restore", &["shipped", "en"], json!({"version": 1})).await;
        self.tell("suppressions.add", &[], json!({"email": "nobody@post.example"})).await;
        self.shop.settle().await;
        self.show("suppressions.list", &[], "").await;
    }
}
