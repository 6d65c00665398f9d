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
        self.show("shop.sheet", &[product], "?channel=web&locale=de&units=imperial").await;
    }

    /// What mugs are called in German is the agency's to say.
    pub(super) async fn translating(&mut self, product: &str) {
        let says = json!({"values": {"title": [{"locale": "en", "data": "Stoneware mug"}]}}).to_string();
        let path = format!("/v1/products/{product}/sheet");
        let seen = [("if-match", "*")];
        let said = self.shop.api.send_with(http::Method::PATCH, &path, &says, &seen).await;
        assert_eq!(said.status, 200, "{}", said.body);
        self.show("translations.list", &[product], "?source_locale=en&target_locale=de").await;
        let rows = self
            .shop
            .get(&format!("/v1/products/{product}/translations?source_locale=en&target_locale=de"))
            .await;
        let row = json!({
            "path": "values/title/de", "of": rows["rows"][0]["of"], "target": "Steinzeugbecher", "done": true,
        });
        let take = json!({"source_locale": "en", "rows": [row], "reason": "from the agency"});
        self.tell("translations.take", &[product], take).await;
    }

    /// From spring on mugs are a little higher, then not.
    pub(super) async fn scheduling(&mut self, product: &str) {
        let says = json!({"reason": "the new mold", "values": {"height": [{"data": "11"}]}});
        let plan = json!({"product": product, "due": "2026-04-01T00:00:00Z", "says": says});
        let planned = self.tell("scheduled_changes.plan", &[], plan).await;
        let id = at(&planned, "/id").to_owned();
        self.show("scheduled_changes.list", &[], "").await;
        self.show("scheduled_changes.show", &[&id], "").await;
        self.tell("scheduled_changes.cancel", &[&id], json!({})).await;
    }

    /// A file of what is sold on the web, and one of what it says there in German, for the agency.
    pub(super) async fn exporting(&mut self) {
        let web = json!({"channel": "web", "locale": "en", "format": "json_lines", "attributes": ["height"]});
        self.tell("exports.ask", &[], web).await;
        self.shop.settle().await;
        self.show("exports.list", &[], "").await;
        let german =
            json!({"channel": "web", "locale": "de", "format": "csv", "translations": {"all": true}});
        let export = self.shop.done("/v1/exports", &german).await;
        self.shop.settle().await;
        self.show("exports.show", &[at(&export, "/id")], "").await;
        self.signed_for_ever("exports.show");
    }

    /// The same mug was described twice; somebody says so.
    pub(super) async fn doubling(&mut self, product: &str) {
        let number = json!({"variants": [
            {"number": 1, "values": ["sand"], "weight": 380, "gtin": "4006381333931"},
            {"number": 2, "values": ["slate"], "weight": 380},
        ]});
        let path = format!("/v1/products/{product}");
        let seen = [("if-match", "*")];
        let said = self.shop.api.send_with(http::Method::PATCH, &path, &number.to_string(), &seen).await;
        assert_eq!(said.status, 200, "{}", said.body);
        let mut pairs = Vec::new();
        for title in ["Sand-colored mug", "Mug from the potter's"] {
            // An id that is made of a name stands in the same order every time.
            let twin = json!({"title": title, "external_id": title, "variants": [{"gtin": "4006381333931"}]});
            self.shop.done("/v1/products", &twin).await;
            self.shop.settle().await;
            let open = self.shop.get("/v1/duplicates").await;
            let id = at(&open, "/items/0/id").to_owned();
            if pairs.is_empty() {
                self.show("duplicates.list", &[], "").await;
                self.show("duplicates.show", &[&id], "").await;
                self.tell("duplicates.merge", &[&id], json!({"keep": product, "variants": {"1": 1}})).await;
                self.shop.settle().await;
            } else {
                self.tell("duplicates.dismiss", &[&id], json!({"reason": "hers are handmade"})).await;
            }
            pairs.push(id);
        }
    }

    /// Mugs for little money stand together in spring.
    pub(super) async fn gathering(&mut self) {
        let price = json!({"on": "price", "max": {"amount": "20.00", "currency": "EUR"}});
        let conditions = json!([{"on": "category", "any": ["mugs"]}, price]);
        let members = json!({"by": "rule", "must": "all", "conditions": conditions});
        self.tell("collections.check", &[], json!({"members": members, "limit": 1})).await;
        let spring =
            json!({"labels": {"de": "Frühling", "en": "Spring"}, "members": members, "order": "price_up"});
        self.tell("collections.set", &["spring"], spring).await;
        self.shop.settle().await;
        for list in ["collections.list", "shop.collections"] {
            self.show(list, &[], "").await;
        }
        for of in ["collections.show", "collections.products", "shop.collection_products"] {
            self.show(of, &["spring"], "").await;
        }
        let old = json!({"members": {"by": "hand", "products": []}, "order": "chosen"});
        self.shop.done("/v1/collections/old/set", &old).await;
        self.tell("collections.delete", &["old"], json!({})).await;
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
        let bowl = json!({
            "merchant": alma,
            "new_product": {"title": "Stoneware bowl", "variants": [{}]},
            "says": {"reason": "from the same clay", "values": {"height": [{"data": "6"}]}},
        });
        let bowl = self.tell("proposals.submit_product", &[], bowl).await;
        let cancel = format!("/v1/proposals/{}/cancel", at(&bowl, "/id"));
        self.shop.done(&cancel, &json!({})).await;
        self.tell("proposals.cancel", &[&ids[0]], json!({})).await;
        self.tell("proposals.confirm", &[&ids[1]], json!({})).await;
        // One alone: what is of one moment is listed in the order of chance.
        self.show("proposals.list", &[], "").await;
        self.tell("proposals.decline", &[&ids[2]], json!({"reason": "a title is no advertisement"})).await;
        self.show("proposals.show", &[&ids[2]], "").await;
    }
}
