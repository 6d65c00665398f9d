//! What mugs say on the web, in German and in English.

use super::Story;
use serde_json::json;
use tests::at;

impl Story {
    pub(super) async fn describing(&mut self, product: &str) {
        let web = json!({"locales": ["de", "en"], "currency": "EUR"});
        self.tell("sales_channels.set", &["web"], web).await;
        let title = json!({
            "kind": {"is": "text", "max": 150}, "scope": {"per_locale": true},
            "labels": {"de": "Titel", "en": "Title"}, "group": "basics",
        });
        self.tell("attributes.set", &["title"], title).await;
        let glaze = json!({"kind": {"is": "option", "choices": [
            {"code": "sand", "labels": {"de": "Sand", "en": "Sand"}}, {"code": "slate"},
        ]}});
        self.tell("attributes.set", &["glaze"], glaze).await;
        let height = json!({"kind": {"is": "measure", "dimension": "length", "unit": "cm"}});
        self.tell("attributes.set", &["height"], height).await;
        let mug = json!({
            "labels": {"en": "Mugs"}, "axes": ["glaze"], "label": "title",
            "attributes": {
                "title": {"required": ["web"]}, "glaze": {"required": ["web"]}, "height": {"required": []},
            },
        });
        self.tell("families.set", &["mug"], mug).await;
        for list in ["sales_channels.list", "attributes.list", "families.list"] {
            self.show(list, &[], "").await;
        }
        self.show("sales_channels.show", &["web"], "").await;
        self.show("attributes.show", &["glaze"], "").await;
        self.show("families.show", &["mug"], "").await;
        let says = json!({
            "reason": "seen at the potter's", "family": "mug",
            "values": {
                "title": [{"locale": "de", "data": "Becher aus Steinzeug"}],
                "height": [{"data": {"amount": "9.5", "unit": "cm"}}],
            },
            "variants": {
                "1": {"values": {"glaze": [{"data": "sand"}]}},
                "2": {"values": {"glaze": [{"data": "slate"}]}},
            },
        });
        self.tell("sheets.change", &[product], says).await;
        let again = json!({"version": 1, "reason": "the new glaze was not taken up"});
        let other = json!({"values": {"height": [{"data": "10"}]}}).to_string();
        let path = format!("/v1/products/{product}/sheet");
        let seen = [("if-match", "*")];
        let said = self.shop.api.send_with(http::Method::PATCH, &path, &other, &seen).await;
        assert_eq!(said.status, 200, "{}", said.body);
        self.tell("sheets.restore", &[product], again).await;
        self.show("sheets.show", &[product], "").await;
        self.show("sheets.history", &[product], "?limit=2").await;
        self.tell("products.publish", &[product], json!({"channel": "web"})).await;
    }

    /// Alma wants her mugs to say more; what waits for a person is confirmed, declined, or taken back.
    pub(super) async fn proposing(&mut self, alma: &str, product: &str) {
        let policy = json!({
            "product": "review", "price": "automatic", "title": "review", "family": "review",
            "assets": "automatic", "attributes": {"glaze": "review"}, "otherwise": "automatic",
        });
        self.tell("proposals.set_policy", &[], policy).await;
        self.show("proposals.policy", &[], "").await;
        let title = |title: &str| {
            let values = json!({"title": [{"locale": "en", "data": title}], "height": [{"data": "9"}]});
            json!({"merchant": alma, "says": {"reason": "as the potter calls it", "values": values}})
        };
        let mut ids = Vec::new();
        for words in ["Stoneware cup", "Stoneware mug", "MUG!!! BEST PRICE"] {
            let proposal = self.tell("proposals.submit", &[product], title(words)).await;
            ids.push(at(&proposal, "/id").to_owned());
        }
        self.tell("proposals.cancel", &[&ids[0]], json!({})).await;
        self.tell("proposals.confirm", &[&ids[1]], json!({})).await;
        // One alone: what is of one moment is listed in the order of chance.
        self.show("proposals.list", &[], "").await;
        self.tell("proposals.decline", &[&ids[2]], json!({"reason": "a title is no advertisement"})).await;
        self.show("proposals.show", &[&ids[2]], "").await;
    }
}
