//! What is for sale leaves for a channel in a file, with what the channel does not take and why.

use crate::assets::{Gallery, held};
use crate::sending::fetch_file;
use domain::catalog::Offer;
use domain::id::OfferId;
use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use table::collection::{OFFERS_MAX, Placement};
use tests::*;

/// Alma's mug and bowl, described for the web in English.
struct Stall {
    gallery: Gallery,
    mug: String,
    of_mug: String,
    of_bowl: String,
}

impl Stall {
    async fn open() -> Self {
        let gallery = Gallery::open().await;
        let (shop, alma) = (&gallery.shop, gallery.alma.clone());
        let settings = json!({"hold_days": 3, "commission": [], "storefront": "https://shop.example/",
            "critical_balance": {"amount": "50.00", "currency": "EUR"}});
        shop.done("/v1/marketplace/set-settings", &settings).await;
        shop.done("/v1/sales-channels/web/set", &json!({"locales": ["en"], "currency": "EUR"})).await;
        for (code, body) in [
            ("title", json!({"kind": {"is": "text", "max": 150}, "scope": {"per_locale": true}})),
            ("height", json!({"kind": {"is": "measure", "dimension": "length", "unit": "cm"}})),
            ("brand", json!({"kind": {"is": "text", "max": 50}})),
            ("mpn", json!({"kind": {"is": "text", "max": 50}})),
        ] {
            shop.done(&format!("/v1/attributes/{code}/set"), &body).await;
        }
        let family = json!({"label": "title", "attributes": {"title": {"required": ["web"]}, "height": {}}});
        shop.done("/v1/families/tableware/set", &family).await;
        let goods = async |title: &str, price: &str| {
            let body = json!({"merchant": alma, "title": title, "external_id": title, "description": "Fired twice.",
                "variants": [{}]});
            let product = at(&shop.done("/v1/products", &body).await, "/id").to_owned();
            let price = json!({"amount": price, "currency": "EUR"});
            let offer = json!({"merchant": alma, "product": product, "sku": title, "price": price});
            let offer = at(&shop.done("/v1/offers", &offer).await, "/id").to_owned();
            shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": 2})).await;
            (product, offer)
        };
        let (mug, of_mug) = goods("Mug", "14.50").await;
        let (_, of_bowl) = goods("Bowl", "9.00").await;
        let all = Self { gallery, mug, of_mug, of_bowl };
        all.says(json!({"family": "tableware", "values": {
            "title": [{"locale": "en", "data": "=Stoneware mug"}], "height": [{"data": "9.5"}],
            "brand": [{"data": "Ember"}], "mpn": [{"data": "M-100"}],
        }}))
        .await;
        all.shop().settle().await;
        all
    }

    fn shop(&self) -> &Shop {
        &self.gallery.shop
    }

    async fn says(&self, body: Value) {
        let path = format!("/v1/products/{}/sheet", self.mug);
        let said =
            self.shop().api.send_with(Method::PATCH, &path, &body.to_string(), &[("if-match", "*")]).await;
        said.ok().unwrap();
    }

    /// An export that is finished.
    async fn export(&self, body: Value) -> Value {
        let asked = self.shop().done("/v1/exports", &body).await;
        assert_eq!(at(&asked, "/status"), "waiting");
        self.shop().settle().await;
        self.shop().get(&format!("/v1/exports/{}", at(&asked, "/id"))).await
    }

    async fn fetch(&self, file: &Value) -> String {
        let (status, bytes) = fetch_file(self.shop(), at(file, "/url")).await;
        assert_eq!(status, 200);
        String::from_utf8(bytes).unwrap()
    }
}

fn of(format: &str) -> Value {
    json!({"channel": "web", "locale": "en", "format": format})
}

/// Cells of a line that holds no quotes.
fn cells(line: &str) -> Vec<&str> {
    line.split(',').collect()
}

#[tokio::test]
async fn a_csv_file_has_a_row_per_offer_and_no_cell_that_a_spreadsheet_would_run() {
    let all = Stall::open().await;
    let mut body = of("csv");
    body["attributes"] = json!(["height"]);
    let made = all.export(body).await;
    assert_eq!(at(&made, "/status"), "done");
    let file = all.fetch(&made["file"]).await;
    assert_eq!(
        made["counts"],
        json!({"set": 2, "removed": 0, "unchanged": 0, "left_out": 0, "bytes": file.len()})
    );
    let mut lines: Vec<&str> = file.trim_end().split("\r\n").collect();
    let head = lines.remove(0);
    assert!(
        head.starts_with("change,id,product,external_id,variant,merchant,sku,title,description,"),
        "{head}"
    );
    assert!(head.ends_with(",link,pictures,height"), "{head}");
    lines.sort_by_key(|line| cells(line)[6].to_owned());
    let (bowl, mug) = (cells(lines[0]), cells(lines[1]));
    let link = format!("https://shop.example/#/product/{}", all.mug);
    assert_eq!(mug[..2], ["set", all.of_mug.as_str()]);
    assert_eq!(mug[6..13], ["Mug", "'=Stoneware mug", "Fired twice.", "", "", "Ember", "M-100"]);
    assert_eq!(mug[13..], ["14.50", "EUR", "true", link.as_str(), "", "9.5 cm"]);
    assert_eq!((bowl[1], bowl[7], bowl[18]), (all.of_bowl.as_str(), "Bowl", ""));
    assert_eq!(all.fetch(&made["left_out"]).await, "");
}

#[tokio::test]
async fn an_export_since_another_has_what_is_new_what_is_different_and_what_is_gone() {
    let all = Stall::open().await;
    let first = all.export(of("json_lines")).await;
    assert_eq!(first["counts"]["set"], 2);
    let since = |earlier: &Value| {
        let mut body = of("json_lines");
        body["since"] = earlier["id"].clone();
        body
    };
    let same = all.export(since(&first)).await;
    assert_eq!((&same["counts"]["unchanged"], all.fetch(&same["file"]).await), (&json!(2), String::new()));
    let price = json!({"price": {"amount": "15.00", "currency": "EUR"}}).to_string();
    let path = |offer: &str| format!("/v1/offers/{offer}");
    let seen = [("if-match", "*")];
    all.shop().api.send_with(Method::PATCH, &path(&all.of_mug), &price, &seen).await.ok().unwrap();
    let paused = json!({"status": "paused"}).to_string();
    all.shop().api.send_with(Method::PATCH, &path(&all.of_bowl), &paused, &seen).await.ok().unwrap();
    let next = all.export(since(&same)).await;
    let counts = json!([next["counts"]["set"], next["counts"]["removed"], next["counts"]["unchanged"]]);
    assert_eq!(counts, json!([1, 1, 0]));
    let file = all.fetch(&next["file"]).await;
    let lines: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((at(&lines[0], "/set/id"), at(&lines[0], "/set/price")), (all.of_mug.as_str(), "15.00"));
    assert_eq!(lines[1], json!({"removed": {"id": all.of_bowl}}));
}

#[tokio::test]
async fn an_offer_of_a_product_that_was_merged_has_one_row_and_the_export_after_it_nothing_new() {
    let all = Stall::open().await;
    let shop = all.shop();
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let mut products = Vec::new();
    for (merchant, title) in [(&all.gallery.alma, "Cup"), (&birch, "Tasse")] {
        let gtin = json!([{"gtin": "4006381333931"}]);
        let body = json!({"merchant": merchant, "title": title, "variants": gtin});
        let product = at(&shop.done("/v1/products", &body).await, "/id").to_owned();
        let price = json!({"amount": "8.00", "currency": "EUR"});
        let offer = json!({"merchant": merchant, "product": product, "sku": title, "price": price});
        shop.done("/v1/offers", &offer).await;
        products.push(product);
    }
    shop.settle().await;
    let pair = at(&shop.get("/v1/duplicates").await, "/items/0/id").to_owned();
    shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": products[0]})).await;
    shop.settle().await;
    let first = all.export(of("json_lines")).await;
    let file = all.fetch(&first["file"]).await;
    let rows = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let mut of_products: Vec<String> = rows.map(|row| at(&row, "/set/product").to_owned()).collect();
    of_products.retain(|product| *product == products[0]);
    assert_eq!((of_products.len(), &first["counts"]["set"]), (2, &json!(4)), "{file}");
    let mut since = of("json_lines");
    since["since"] = first["id"].clone();
    let next = all.export(since).await;
    let counts = ["set", "removed", "unchanged"].map(|count| next["counts"][count].as_u64().unwrap());
    assert_eq!(counts, [0, 0, 4]);
}

#[tokio::test]
async fn what_says_too_little_for_the_channel_is_left_out_with_what_is_missing() {
    let all = Stall::open().await;
    all.says(json!({"values": {"title": null}})).await;
    let made = all.export(of("csv")).await;
    assert_eq!((&made["counts"]["set"], &made["counts"]["left_out"]), (&json!(1), &json!(1)));
    let left: Value = serde_json::from_str(all.fetch(&made["left_out"]).await.trim()).unwrap();
    let reason = json!({"field": "values/title", "why": "the channel needs it"});
    assert_eq!(left, json!({"id": all.of_mug, "reasons": [reason]}));
}

#[tokio::test]
async fn google_gets_what_it_takes_and_the_rest_is_told_with_its_fields() {
    let all = Stall::open().await;
    let asset = all.gallery.sent("image/jpeg", &held(1)).await;
    all.says(json!({"assets": [asset["id"]]})).await;
    all.shop().settle().await;
    let made = all.export(of("google_xml")).await;
    let left = all.fetch(&made["left_out"]).await;
    let left: Vec<Value> = left.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let fields = |offer: &str| {
        let one = left.iter().find(|one| one["id"] == offer).unwrap();
        let reasons = one["reasons"].as_array().unwrap().iter();
        reasons.map(|reason| at(reason, "/field").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(fields(&all.of_bowl), ["image_link", "gtin"]);
    // Here pictures are shown at an address that Google does not take: http.
    assert_eq!(fields(&all.of_mug), ["image_link"]);
    let file = all.fetch(&made["file"]).await;
    assert!(file.starts_with("<?xml") && file.ends_with("</channel>\n</rss>\n"), "{file}");
}

#[tokio::test]
async fn a_price_of_another_currency_is_converted_for_the_channel_or_left_out() {
    let all = Stall::open().await;
    all.shop().done("/v1/sales-channels/us/set", &json!({"locales": ["en"], "currency": "USD"})).await;
    let body = json!({"channel": "us", "locale": "en", "format": "json_lines"});
    let made = all.export(body.clone()).await;
    assert_eq!((&made["counts"]["set"], &made["counts"]["left_out"]), (&json!(0), &json!(2)));
    let left: Value =
        serde_json::from_str(all.fetch(&made["left_out"]).await.lines().next().unwrap()).unwrap();
    assert_eq!(at(&left, "/reasons/0/why"), "there is no rate from EUR to USD for that day");
    let rate = json!({"base": "EUR", "quote": "USD", "rate": "1.10", "as_of": "2026-03-01"});
    all.shop().done("/v1/fx/set-rates", &json!({"rates": [rate]})).await;
    let made = all.export(body).await;
    let file = all.fetch(&made["file"]).await;
    let rows: Vec<Value> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mug = rows.iter().find(|row| row["set"]["id"] == all.of_mug.as_str()).unwrap();
    assert_eq!((at(mug, "/set/price"), at(mug, "/set/currency")), ("15.95", "USD"));
}

#[tokio::test]
async fn a_merchant_exports_its_own_offers_and_sees_no_others() {
    let all = Stall::open().await;
    let shop = all.shop();
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.member("ben", &birch, &["*"]).await;
    let price = json!({"amount": "8.00", "currency": "EUR"});
    let offer = json!({"merchant": birch, "product": all.mug, "sku": "becher", "price": price});
    let offer = at(&shop.done("/v1/offers", &offer).await, "/id").to_owned();
    shop.settle().await;
    let ben = shop.person("ben");
    let asked = ben.post("/v1/exports", &of("json_lines"), "a").await;
    assert_eq!((asked.status.as_u16(), asked.text("/merchant")), (201, birch.as_str()));
    shop.settle().await;
    let made = ben.get(&format!("/v1/exports/{}", asked.text("/id"))).await.ok().unwrap();
    let row: Value = serde_json::from_str(all.fetch(&made["file"]).await.trim()).unwrap();
    assert_eq!(at(&row, "/set/id"), offer);
    let whole = shop.done("/v1/exports", &of("csv")).await;
    assert_problem(&ben.get(&format!("/v1/exports/{}", at(&whole, "/id"))).await, 404, "not_found");
    assert_eq!(ben.get("/v1/exports").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_with_its_place() {
    let all = Stall::open().await;
    let first = all.export(of("csv")).await;
    let with = |name: &str, value: Value| {
        let mut body = of("json_lines");
        body[name] = value;
        body
    };
    let ghost = "exp_00000000000000000000000000";
    let mut google = of("google_xml");
    google["since"] = first["id"].clone();
    for (body, field, code) in [
        (with("channel", json!("radio")), "channel", "unknown"),
        (with("locale", json!("de")), "locale", "unknown"),
        (with("attributes", json!(["ghost"])), "attributes[0]", "unknown"),
        (with("attributes", json!(vec!["height"; 101])), "attributes", "range"),
        (with("since", json!(ghost)), "since", "unknown"),
        (with("since", first["id"].clone()), "since", "other"),
        (google, "since", "format"),
    ] {
        let refused = all.shop().refused("/v1/exports", &body, 422, "invalid_value").await;
        assert_eq!(
            (refused.text("/errors/0/field"), refused.text("/errors/0/code")),
            (field, code),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a18_1_a_file_that_is_asked_for_five_times_is_made_once() {
    let all = Stall::open().await;
    let made = all.export(of("csv")).await;
    let before = all.shop().contents().await;
    let id = at(&made, "/id");
    let told = json!({"id": "x", "name": "export.requested.v1", "marketplace": marketplace_id(), "at": START,
        "subject": "x", "step": 1, "actor": "x", "cause": "x", "correlation": "x", "data": {"export": id}});
    let answer = all.shop().market.cloud.invoke("exports", batch(&vec![told.to_string(); 5])).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert!(all.shop().contents().await == before);
}

#[tokio::test]
async fn of_a_product_that_hundreds_offer_every_offer_has_its_row() {
    let all = Stall::open().await;
    let (shop, m) = (all.shop(), marketplace_id());
    let table = &shop.market.world.table;
    let first = table::Key::offer(&m, &all.of_mug.parse().unwrap());
    let first = table.load::<Offer>(&first).await.unwrap().unwrap().value;
    let mut named = BTreeSet::new();
    for number in 1..=OFFERS_MAX + 1 {
        let sku = format!("mug-{number}");
        let id = OfferId::of(&m, &first.merchant, &sku);
        let more = Offer { id, sku: sku.parse().unwrap(), keeps_stock: false, ..first.clone() };
        shop.keep(&more).await;
        if named.len() < OFFERS_MAX {
            named.insert(more.id);
        }
    }
    let placement = table::Key::placement(&m, &first.product);
    let held = table.load::<Placement>(&placement).await.unwrap().unwrap();
    table.put(&m, Some(&held), &Placement { offers: named, ..held.value.clone() }).await.unwrap();
    shop.settle().await;
    let made = all.export(of("json_lines")).await;
    // The first, those, and the bowl.
    assert_eq!(made["counts"]["set"], json!(OFFERS_MAX + 3));
    let file = all.fetch(&made["file"]).await;
    let rows = file.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ids: BTreeSet<String> = rows.map(|row| at(&row, "/set/id").to_owned()).collect();
    assert_eq!(ids.len(), OFFERS_MAX + 3, "each once");
}
