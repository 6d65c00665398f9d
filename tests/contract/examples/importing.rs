//! The part of the story in which a catalog comes as a file.

use super::Story;
use serde_json::json;
use tests::at;

impl Story {
    /// A source's profile, a file of two rows of which one is wrong, and one that nobody sends.
    pub(super) async fn importing(&mut self, alma: &str) {
        let profile = json!({"mappings": [
            {"from": {"column": "id"}, "to": {"field": "external_id"}, "required": true},
            {"from": {"column": "merchant"}, "to": {"field": "merchant"}},
            {"from": {"column": "name"}, "to": {"field": "title"}, "steps": ["trim", {"cut": 200}]},
            {"from": {"column": "id"}, "to": {"field": "sku"}},
            {"from": {"column": "price"}, "to": {"field": "price"}, "steps": ["decimal_comma", {"money": "EUR"}]},
            {"from": {"columns": "attr_"}, "to": {"named": {"kind": {"is": "text", "max": 200}}}, "steps": ["trim"]},
        ]});
        self.tell("import_profiles.set", &["shop_export"], profile).await;
        self.show("import_profiles.show", &["shop_export"], "").await;
        self.show("import_profiles.list", &[], "").await;
        let file =
            "id;merchant;name;price;attr_glaze\n17;alma;Mug, round;14,50;matte\n18;alma;;12,00;shiny\n";
        let new = json!({
            "name": "mugs.csv", "profile": "shop_export", "format": "csv", "bytes": file.len(),
        });
        let import = self.tell("imports.create", &[], new.clone()).await;
        self.signed_for_ever("imports.create");
        let id = at(&import, "/id").to_owned();
        self.send(&import, file.into()).await;
        self.show("imports.show", &[&id], "").await;
        self.show("imports.errors", &[&id], "").await;
        let spare = json!({
            "merchant": alma, "name": "mugs.csv", "profile": "shop_export", "format": "csv", "bytes": 9,
        });
        let spare = self.shop.done("/v1/imports", &spare).await;
        self.tell("imports.cancel", &[at(&spare, "/id")], json!({})).await;
        self.show("imports.list", &[], "").await;
    }
}
