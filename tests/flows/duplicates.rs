//! Products that may be one: found by what they are recognized by, told apart or merged by a person.

use crate::assets::{Gallery, held};
use crate::recurring::cuts::{CUTS, Cuts};
use http::Method;
use serde_json::{Value, json};
use souk::api::Answer;
use tests::picturing::png;
use tests::*;

/// Two merchants' products, and the words by which they are recognized.
pub(crate) struct Twins {
    pub(crate) shop: Shop,
    alma: String,
    birch: String,
}

const GTIN: &str = "4006381333931";

impl Twins {
    pub(crate) async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        let birch = shop.merchant("birch", json!({"every": "day"})).await;
        shop.done("/v1/sales-channels/web/set", &json!({"locales": ["en"], "currency": "EUR"})).await;
        for attribute in ["brand", "mpn", "color"] {
            let text = json!({"kind": {"is": "text", "max": 50}});
            shop.done(&format!("/v1/attributes/{attribute}/set"), &text).await;
        }
        Self { shop, alma, birch }
    }

    /// A product of one variant.
    async fn product(&self, merchant: &str, title: &str, gtin: Option<&str>) -> String {
        let body = json!({"merchant": merchant, "title": title, "variants": [{"gtin": gtin}]});
        at(&self.shop.done("/v1/products", &body).await, "/id").to_owned()
    }

    async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.shop.api.send_with(Method::PATCH, path, &body.to_string(), &[("if-match", "*")]).await
    }

    async fn says(&self, product: &str, values: Value) {
        let path = format!("/v1/products/{product}/sheet");
        self.patch(&path, &json!({"values": values})).await.ok().unwrap();
    }

    async fn offer(&self, merchant: &str, product: &str, sku: &str, price: &str) -> String {
        let price = json!({"amount": price, "currency": "EUR"});
        let body = json!({"merchant": merchant, "product": product, "sku": sku, "price": price});
        at(&self.shop.done("/v1/offers", &body).await, "/id").to_owned()
    }

    /// Pairs that are open.
    async fn open_pairs(&self) -> Vec<Value> {
        self.shop.settle().await;
        self.shop.get("/v1/duplicates").await["items"].as_array().unwrap().clone()
    }

    async fn pair(&self, id: &str) -> Value {
        self.shop.get(&format!("/v1/duplicates/{id}")).await
    }

    /// Two of one GTIN, paired; answers both and the pair.
    pub(crate) async fn paired(&self) -> (String, String, String) {
        let one = self.product(&self.alma, "Mug", Some(GTIN)).await;
        let two = self.product(&self.birch, "Becher", Some(GTIN)).await;
        let pairs = self.open_pairs().await;
        assert_eq!(pairs.len(), 1);
        (one, two, at(&pairs[0], "/id").to_owned())
    }
}

#[tokio::test]
async fn products_of_one_gtin_or_one_part_number_of_one_maker_are_paired() {
    let all = Twins::open().await;
    let one = all.product(&all.alma, "Mug", Some(GTIN)).await;
    assert!(all.open_pairs().await.is_empty());
    let two = all.product(&all.birch, "Becher", Some("04006381333931")).await;
    let pairs = all.open_pairs().await;
    assert_eq!(pairs.len(), 1);
    let mut want = [one.clone(), two.clone()];
    want.sort();
    assert_eq!(pairs[0]["products"], json!(want));
    let evidence = |pair: &Value| pair["evidence"].clone();
    let pair = all.pair(at(&pairs[0], "/id")).await;
    assert_eq!(evidence(&pair), json!([{"by": "gtin", "gtin": "04006381333931"}]));
    let three = all.product(&all.alma, "Cup", None).await;
    all.says(&three, json!({"brand": [{"data": "Ember Ltd."}], "mpn": [{"data": "MG-12/b"}]})).await;
    assert_eq!(all.open_pairs().await.len(), 1);
    all.says(&two, json!({"brand": [{"data": "EMBER LTD"}], "mpn": [{"data": "mg12B"}]})).await;
    let pairs = all.open_pairs().await;
    assert_eq!(pairs.len(), 2);
    let new = pairs.iter().find(|pair| pair["products"].as_array().unwrap().contains(&json!(three))).unwrap();
    let pair = all.pair(at(new, "/id")).await;
    assert_eq!(evidence(&pair), json!([{"by": "part", "brand": "emberltd", "mpn": "mg12b"}]));
}

#[tokio::test]
async fn products_whose_pictures_look_alike_are_paired_and_others_are_not() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let mut products = Vec::new();
    // The same view, held upright and turned; and another.
    for (title, picture) in [("Flag", held(1)), ("Flagge", held(6)), ("Red", png(2, 2))] {
        let kind = if title == "Red" { "image/png" } else { "image/jpeg" };
        let asset = gallery.sent(kind, &picture).await;
        let body = json!({"merchant": gallery.alma, "title": title, "variants": [{}]});
        let product = at(&shop.done("/v1/products", &body).await, "/id").to_owned();
        let path = format!("/v1/products/{product}/sheet");
        let says = json!({"assets": [asset["id"]]}).to_string();
        shop.api.send_with(Method::PATCH, &path, &says, &[("if-match", "*")]).await.ok().unwrap();
        products.push(product);
    }
    shop.settle().await;
    let pairs = shop.get("/v1/duplicates").await["items"].as_array().unwrap().clone();
    assert_eq!(pairs.len(), 1, "{pairs:?}");
    let pair = shop.get(&format!("/v1/duplicates/{}", at(&pairs[0], "/id"))).await;
    assert_eq!(pair["evidence"][0]["by"], "picture");
    let mut want = products[..2].to_vec();
    want.sort();
    assert_eq!(pair["products"], json!(want));
}

#[tokio::test]
async fn a_pair_goes_with_what_spoke_for_it_and_stays_dismissed_once_a_person_has_said_so() {
    let all = Twins::open().await;
    let (one, _, pair) = all.paired().await;
    let gtin = |gtin: &str| json!({"variants": [{"number": 1, "gtin": gtin}]});
    let path = format!("/v1/products/{one}");
    all.patch(&path, &gtin("6291041500213")).await.ok().unwrap();
    assert!(all.open_pairs().await.is_empty());
    assert_eq!(all.pair(&pair).await["status"], "gone");
    let dismiss = format!("/v1/duplicates/{pair}/dismiss");
    all.shop.refused(&dismiss, &json!({"reason": "twins"}), 409, "duplicate_resolved").await;
    all.patch(&path, &gtin(GTIN)).await.ok().unwrap();
    assert_eq!(all.open_pairs().await.len(), 1);
    let dismissed = all.shop.done(&dismiss, &json!({"reason": "two sizes of box"})).await;
    assert_eq!((at(&dismissed, "/status"), at(&dismissed, "/reason")), ("dismissed", "two sizes of box"));
    all.patch(&path, &json!({"title": "Large mug"})).await.ok().unwrap();
    all.patch(&path, &gtin("6291041500213")).await.ok().unwrap();
    all.patch(&path, &gtin(GTIN)).await.ok().unwrap();
    assert!(all.open_pairs().await.is_empty());
    all.shop.refused(&dismiss, &json!({"reason": "again"}), 409, "duplicate_resolved").await;
}

#[tokio::test]
async fn what_is_archived_is_no_ones_duplicate() {
    let all = Twins::open().await;
    let (one, two, _) = all.paired().await;
    all.patch(&format!("/v1/products/{two}"), &json!({"status": "archived"})).await.ok().unwrap();
    assert!(all.open_pairs().await.is_empty());
    let three = all.product(&all.birch, "Tasse", Some(GTIN)).await;
    let pairs = all.open_pairs().await;
    let mut want = [one, three];
    want.sort();
    assert_eq!((pairs.len(), &pairs[0]["products"]), (1, &json!(want)));
}

#[tokio::test]
async fn of_two_products_one_stays_with_the_offers_of_both_and_the_other_leads_to_it() {
    let all = Twins::open().await;
    let (one, two, pair) = all.paired().await;
    let of_one = all.offer(&all.alma, &one, "mug", "10.00").await;
    let of_two = all.offer(&all.birch, &two, "becher", "9.00").await;
    all.shop.done(&format!("/v1/stock/{of_two}/receive"), &json!({"quantity": 3})).await;
    all.says(&one, json!({"color": [{"data": "red"}]})).await;
    all.says(&two, json!({"color": [{"data": "rot"}], "brand": [{"data": "Ember"}]})).await;
    all.patch(&format!("/v1/products/{two}"), &json!({"description": "Fired twice."})).await.ok().unwrap();
    all.shop.settle().await;
    let merge = format!("/v1/duplicates/{pair}/merge");
    let merged = all.shop.done(&merge, &json!({"keep": one})).await;
    assert_eq!((at(&merged, "/status"), at(&merged, "/kept")), ("merged", one.as_str()));
    all.shop.settle().await;
    // Nothing that the one said is replaced; what it did not say is as the other said it.
    let kept = all.shop.get(&format!("/v1/products/{one}")).await;
    assert_eq!((at(&kept, "/title"), at(&kept, "/description")), ("Mug", "Fired twice."));
    let sheet = all.shop.get(&format!("/v1/products/{one}/sheet")).await;
    assert_eq!(sheet["values"], json!({"brand": [{"data": "Ember"}], "color": [{"data": "red"}]}));
    let gone = all.shop.get(&format!("/v1/products/{two}")).await;
    assert_eq!((at(&gone, "/status"), at(&gone, "/merged_into")), ("archived", one.as_str()));
    // Whoever kept the address of the other sees the one, with the offers of both.
    let guest = all.shop.guest();
    for id in [&one, &two] {
        let shown = guest.get(&format!("/v1/shop/products/{id}")).await.ok().unwrap();
        assert_eq!(at(&shown, "/id"), one);
        let offers = shown["variants"][0]["offers"].as_array().unwrap();
        let ids: Vec<&str> = offers.iter().map(|offer| at(offer, "/id")).collect();
        assert_eq!(ids, [of_two.as_str(), of_one.as_str()], "the cheapest first");
        assert_eq!(offers[0]["available"], true);
    }
    let offer = all.shop.get(&format!("/v1/offers/{of_two}")).await;
    assert_eq!((at(&offer, "/product"), at(&offer, "/title")), (one.as_str(), "Mug"));
    assert_eq!(all.shop.stock(&of_two).await, (3, 0, 3));
    // It stays so.
    let active = all.patch(&format!("/v1/products/{two}"), &json!({"status": "active"})).await;
    assert_problem(&active, 409, "product_merged");
    let publish = format!("/v1/products/{two}/publish");
    all.shop.refused(&publish, &json!({"channel": "web"}), 409, "product_merged").await;
    all.shop.refused(&merge, &json!({"keep": two}), 409, "duplicate_resolved").await;
    assert!(all.open_pairs().await.is_empty());
}

#[tokio::test]
async fn variants_find_their_places_or_a_person_says_them() {
    let all = Twins::open().await;
    let product = |merchant: &str, axis: &str, variants: Value| {
        let axes = [axis];
        json!({"merchant": merchant, "title": "Mug", "axes": axes, "variants": variants})
    };
    let keep = json!([{"values": ["red"], "gtin": GTIN}, {"values": ["blue"]}]);
    let keep = all.shop.done("/v1/products", &product(&all.alma, "color", keep)).await;
    let gone = json!([{"values": ["blau"]}, {"values": ["rot"], "gtin": GTIN}]);
    let gone = all.shop.done("/v1/products", &product(&all.birch, "farbe", gone)).await;
    let (keep, gone) = (at(&keep, "/id"), at(&gone, "/id"));
    let blue = all
        .shop
        .done(
            "/v1/offers",
            &json!({"merchant": all.birch, "product": gone, "variant": 1,
        "sku": "blau", "price": {"amount": "5.00", "currency": "EUR"}}),
        )
        .await;
    let pair = at(&all.open_pairs().await[0], "/id").to_owned();
    let merge = format!("/v1/duplicates/{pair}/merge");
    for (variants, field, code) in [
        (json!({}), "variants.1", "required"),
        (json!({"1": 3}), "variants.1", "unknown"),
        (json!({"1": 2, "7": 1}), "variants.7", "unknown"),
        (json!({"one": 2}), "variants.one", "format"),
    ] {
        let body = json!({"keep": keep, "variants": variants});
        let refused = all.shop.refused(&merge, &body, 422, "invalid_value").await;
        let errors = &refused.body["errors"];
        assert_eq!((at(errors, "/0/field"), at(errors, "/0/code")), (field, code), "{body}");
    }
    let foreign = json!({"keep": "prd_00000000000000000000000000"});
    all.shop.refused(&merge, &foreign, 422, "invalid_value").await;
    all.shop.done(&merge, &json!({"keep": keep, "variants": {"1": 2}})).await;
    all.shop.settle().await;
    let offer = all.shop.get(&format!("/v1/offers/{}", at(&blue, "/id"))).await;
    assert_eq!(
        (at(&offer, "/product"), &offer["variant"], at(&offer, "/title")),
        (keep, &json!(2), "Mug (blue)")
    );
}

#[tokio::test]
async fn what_became_another_that_became_a_third_leads_to_the_third() {
    let all = Twins::open().await;
    let (one, two, pair) = all.paired().await;
    let offer = all.offer(&all.birch, &two, "becher", "9.00").await;
    all.shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": one})).await;
    let three = all.product(&all.birch, "Tasse", Some(GTIN)).await;
    let pairs = all.open_pairs().await;
    assert_eq!(pairs.len(), 1);
    all.shop.done(&format!("/v1/duplicates/{}/merge", at(&pairs[0], "/id")), &json!({"keep": three})).await;
    all.shop.settle().await;
    let shown = all.shop.guest().get(&format!("/v1/shop/products/{two}")).await.ok().unwrap();
    assert_eq!(at(&shown, "/id"), three);
    assert_eq!(at(&all.shop.get(&format!("/v1/offers/{offer}")).await, "/product"), three);
}

#[tokio::test]
async fn a18_1_events_of_a_merge_come_in_any_order_and_as_often_as_they_like() {
    let all = Twins::open().await;
    let (one, two, pair) = all.paired().await;
    all.offer(&all.birch, &two, "becher", "9.00").await;
    all.shop.settle().await;
    all.shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": one})).await;
    all.shop.settle().await;
    let before = all.shop.contents().await;
    let mut events = [all.shop.events(&one).await, all.shop.events(&two).await].concat();
    // Nobody's work is told by it.
    events.retain(|event| event.name != "product.merged.v1");
    events.reverse();
    for function in ["duplicates", "catalog"].repeat(3) {
        for event in &events {
            let body = serde_json::to_string(event).unwrap();
            let answer = all.shop.market.cloud.invoke(function, batch(&[body])).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]), "{function}: {}", event.name);
        }
    }
    assert!(all.shop.contents().await == before, "a repeat has changed something");
}

#[tokio::test]
async fn what_a_merged_product_had_is_the_others_alone_however_late_its_events_come() {
    let all = Twins::open().await;
    let (one, two, pair) = all.paired().await;
    let offer = all.offer(&all.birch, &two, "becher", "9.00").await;
    all.shop.settle().await;
    all.shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": one})).await;
    all.shop.settle().await;
    let events = [all.shop.events(&two).await, all.shop.events(&offer).await].concat();
    let bodies: Vec<String> = events
        .iter()
        .filter(|event| ["offer.created.v1", "product.changed.v1"].contains(&event.name.as_str()))
        .map(|event| serde_json::to_string(event).unwrap())
        .collect();
    assert_eq!(bodies.len(), 2);
    let answer = all.shop.market.cloud.invoke("collections", batch(&bodies)).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let (table, m) = (&all.shop.market.world.table, marketplace_id());
    let mut placed = Vec::new();
    for product in [&one, &two] {
        let key = table::Key::placement(&m, &product.parse().unwrap());
        let held = table.load::<table::collection::Placement>(&key).await.unwrap();
        placed.push(held.map(|held| held.value.offers.iter().map(ToString::to_string).collect::<Vec<_>>()));
    }
    assert_eq!(placed, [Some(vec![offer]), Some(vec![])]);
}

/// Every write of the functions goes wrong in every way while two are paired and merged.
#[tokio::test]
async fn whatever_write_goes_wrong_pairs_are_found_and_offers_follow() {
    let all = Twins::open().await;
    let cuts = Cuts::in_the_way_of(&all.shop, &[("duplicates", None), ("catalog", None)]);
    let mut writes = 1;
    // The first time nothing goes wrong.
    for round in 0.. {
        let case = (round > 0).then(|| ((round - 1) / 4 + 1, CUTS[(round - 1) % 4]));
        if case.is_some_and(|(nth, _)| nth > writes) {
            break;
        }
        let brand = json!({"brand": [{"data": format!("Ember {round}")}], "mpn": [{"data": "A-100"}]});
        let one = all.product(&all.alma, "Mug", None).await;
        let two = all.product(&all.birch, "Becher", None).await;
        let offer = all.offer(&all.birch, &two, &format!("sku-{round}"), "9.00").await;
        all.says(&one, brand.clone()).await;
        all.shop.settle().await;
        match case {
            None => cuts.none(),
            Some((nth, cut)) => cuts.cut(nth, cut),
        }
        let (path, says) = (format!("/v1/products/{two}/sheet"), json!({"values": brand}));
        if all.patch(&path, &says).await.status.is_server_error() {
            all.patch(&path, &says).await.ok().unwrap();
        }
        all.shop.market.cloud.settle().await.unwrap();
        all.shop.market.cloud.advance(jiff::SignedDuration::from_mins(30)).await.unwrap();
        let found = all.shop.get("/v1/duplicates").await["items"].as_array().unwrap().clone();
        assert_eq!(found.len(), 1, "{case:?}: {found:?}");
        let merge = format!("/v1/duplicates/{}/merge", at(&found[0], "/id"));
        let key = all.shop.fresh();
        let body = json!({"keep": one});
        let answer = all.shop.api.post(&merge, &body, &key).await;
        if answer.status.is_server_error() {
            all.shop.api.post(&merge, &body, &key).await.ok().unwrap();
        }
        all.shop.market.cloud.settle().await.unwrap();
        all.shop.market.cloud.advance(jiff::SignedDuration::from_mins(30)).await.unwrap();
        if case.is_none() {
            writes = cuts.writes();
            assert!(writes >= 5, "{writes}");
        }
        cuts.none();
        all.shop.settle().await;
        assert!(all.open_pairs().await.is_empty(), "{case:?}");
        assert_eq!(at(&all.shop.get(&format!("/v1/offers/{offer}")).await, "/product"), one, "{case:?}");
    }
}

#[tokio::test]
async fn of_what_has_become_another_nothing_is_said_planned_proposed_or_confirmed_any_more() {
    let all = Twins::open().await;
    let (one, two, pair) = all.paired().await;
    let due = "2026-03-05T08:00:00Z";
    let plan =
        |color: &str| json!({"product": two, "due": due, "says": {"values": {"color": [{"data": color}]}}});
    let planned = all.shop.done("/v1/scheduled-changes", &plan("rot")).await;
    let propose = format!("/v1/products/{two}/proposals");
    let brand = json!({"merchant": all.birch, "says": {"values": {"brand": [{"data": "Ember"}]}}});
    let proposed = all.shop.done(&propose, &brand).await;
    assert_eq!(at(&proposed, "/status"), "pending");
    all.shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": one})).await;
    all.shop.settle().await;
    let sheet = format!("/v1/products/{two}/sheet");
    let before = all.shop.get(&sheet).await;
    let says = all.patch(&sheet, &json!({"values": {"color": [{"data": "blau"}]}})).await;
    assert_problem(&says, 409, "product_merged");
    let why = format!("the product has become {one}: change that one");
    assert_eq!(says.text("/detail"), why);
    all.shop.refused("/v1/scheduled-changes", &plan("blau"), 409, "product_merged").await;
    all.shop.refused(&propose, &brand, 409, "product_merged").await;
    let proposal = format!("/v1/proposals/{}", at(&proposed, "/id"));
    all.shop.refused(&format!("{proposal}/confirm"), &json!({}), 409, "product_merged").await;
    assert_eq!(at(&all.shop.get(&proposal).await, "/status"), "pending");
    all.shop.wait_until("2026-03-05T08:05:00Z").await;
    let failed = all.shop.get(&format!("/v1/scheduled-changes/{}", at(&planned, "/id"))).await;
    assert_eq!((at(&failed, "/status"), at(&failed, "/why")), ("failed", why.as_str()));
    assert_eq!(all.shop.get(&sheet).await, before);
}
