//! Collections: what is in them follows from what products are, whoever changes what in whichever order.

use crate::recurring::cuts::{CUTS, Cuts};
use http::Method;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use std::collections::BTreeSet;
use tests::*;

/// A marketplace in which alma sells, with a category below another.
struct Shelves {
    shop: Shop,
    alma: String,
}

impl Shelves {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        for (handle, parent) in [("home", json!(null)), ("mugs", json!("home")), ("toys", json!(null))] {
            shop.done("/v1/categories", &json!({"handle": handle, "name": handle, "parent": parent})).await;
        }
        shop.settle().await;
        Self { shop, alma }
    }

    /// Answers the product's id.
    async fn product(&self, title: &str, category: &str) -> String {
        let body = json!({"merchant": self.alma, "title": title, "categories": [category], "variants": [{}]});
        at(&self.shop.done("/v1/products", &body).await, "/id").to_owned()
    }

    async fn offer(&self, product: &str, price: &str) -> String {
        let price = json!({"amount": price, "currency": "EUR"});
        let body = json!({"merchant": self.alma, "product": product, "sku": product, "price": price});
        at(&self.shop.done("/v1/offers", &body).await, "/id").to_owned()
    }

    /// A product with an offer; answers both ids.
    async fn goods(&self, title: &str, category: &str, price: &str) -> (String, String) {
        let product = self.product(title, category).await;
        let offer = self.offer(&product, price).await;
        (product, offer)
    }

    async fn set(&self, code: &str, body: &Value) {
        self.shop.done(&format!("/v1/collections/{code}/set"), body).await;
    }

    async fn patch(&self, path: &str, body: &Value) {
        let headers = [("if-match", "*")];
        self.shop.api.send_with(Method::PATCH, path, &body.to_string(), &headers).await.ok().unwrap();
    }

    async fn price(&self, offer: &str, price: &str) {
        let body = json!({"price": {"amount": price, "currency": "EUR"}});
        self.patch(&format!("/v1/offers/{offer}"), &body).await;
    }

    /// Titles in the order of the collection's page, for operators.
    async fn within(&self, code: &str) -> Vec<String> {
        self.shop.settle().await;
        titles(&self.shop.get(&format!("/v1/collections/{code}/products?limit=100")).await["items"])
    }
}

fn titles(items: &Value) -> Vec<String> {
    items.as_array().unwrap().iter().map(|item| at(item, "/title").to_owned()).collect()
}

fn by_rule(order: &str, conditions: Value) -> Value {
    json!({"members": {"by": "rule", "must": "all", "conditions": conditions}, "order": order})
}

/// At home, for 20 EUR at the most, the cheapest first.
fn cheap_home() -> Value {
    let max = json!({"amount": "20.00", "currency": "EUR"});
    by_rule("price_up", json!([{"on": "category", "any": ["home"]}, {"on": "price", "max": max}]))
}

async fn shown(guest: &Api, code: &str) -> Answer {
    guest.get(&format!("/v1/shop/collections/{code}/products")).await
}

#[tokio::test]
async fn a_rule_has_what_it_holds_for_whatever_changes() {
    let all = Shelves::open().await;
    let (mug, of_mug) = all.goods("Mug", "mugs", "12.00").await;
    let (bowl, of_bowl) = all.goods("Bowl", "home", "9.00").await;
    all.goods("Robot", "toys", "5.00").await;
    all.shop.settle().await;
    // What was there before the rule, and what comes after it.
    all.set("cheap", &cheap_home()).await;
    assert_eq!(all.within("cheap").await, ["Bowl", "Mug"]);
    all.goods("Lamp", "home", "20.00").await;
    all.goods("Sofa", "home", "20.01").await;
    all.product("Vase", "home").await;
    assert_eq!(all.within("cheap").await, ["Bowl", "Mug", "Lamp"]);
    all.price(&of_bowl, "13.00").await;
    assert_eq!(all.within("cheap").await, ["Mug", "Bowl", "Lamp"]);
    all.price(&of_mug, "30.00").await;
    all.patch(&format!("/v1/products/{bowl}"), &json!({"title": "Large bowl"})).await;
    assert_eq!(all.within("cheap").await, ["Large bowl", "Lamp"]);
    all.price(&of_mug, "3.00").await;
    all.patch(&format!("/v1/products/{bowl}"), &json!({"status": "archived"})).await;
    assert_eq!(all.within("cheap").await, ["Mug", "Lamp"]);
    all.patch(&format!("/v1/products/{mug}"), &json!({"categories": ["toys"]})).await;
    assert_eq!(all.within("cheap").await, ["Lamp"]);
    all.patch(&format!("/v1/products/{mug}"), &json!({"categories": ["mugs"]})).await;
    all.patch("/v1/categories/mugs", &json!({"parent": null})).await;
    assert_eq!(all.within("cheap").await, ["Lamp"], "mugs lie below nothing now");
    all.patch("/v1/categories/mugs", &json!({"parent": "home"})).await;
    assert_eq!(all.within("cheap").await, ["Mug", "Lamp"]);
    all.shop.done(&format!("/v1/merchants/{}/suspend", all.alma), &json!({"reason": "a trial"})).await;
    assert_eq!(all.within("cheap").await, Vec::<String>::new(), "nobody sells them");
    all.shop.done(&format!("/v1/merchants/{}/reopen", all.alma), &json!({})).await;
    assert_eq!(all.within("cheap").await, ["Mug", "Lamp"]);
    // Another rule, none, and one again under the same name.
    all.set("cheap", &by_rule("title", json!([{"on": "category", "any": ["toys"]}]))).await;
    assert_eq!(all.within("cheap").await, ["Robot"]);
    all.shop.done("/v1/collections/cheap/delete", &json!({})).await;
    all.shop.settle().await;
    assert_problem(&all.shop.api.get("/v1/collections/cheap").await, 404, "not_found");
    assert_eq!(all.shop.get("/v1/collections").await["items"], json!([]));
    let kept = all.shop.contents().await;
    assert!(kept.values().all(|item| item["kind"].as_s().unwrap() != "collection_member.1"));
    all.set("cheap", &cheap_home()).await;
    assert_eq!(all.within("cheap").await, ["Mug", "Lamp"]);
}

#[tokio::test]
async fn a_price_in_another_currency_takes_nothing_out_of_a_collection_and_goes_before_none_of_its_own() {
    let all = Shelves::open().await;
    let (mug, _) = all.goods("Mug", "mugs", "15.00").await;
    all.goods("Bowl", "home", "16.00").await;
    let lamp = all.product("Lamp", "home").await;
    let body =
        json!({"name": "cedar", "external_id": "cedar", "currency": "USD", "schedule": {"every": "day"}});
    let cedar = at(&all.shop.done("/v1/merchants", &body).await, "/id").to_owned();
    all.shop.done(&format!("/v1/merchants/{cedar}/approve"), &json!({})).await;
    for (product, price) in [(&mug, "12.00"), (&lamp, "1.00")] {
        let price = json!({"amount": price, "currency": "USD"});
        let body = json!({"merchant": cedar, "product": product, "sku": product, "price": price});
        all.shop.done("/v1/offers", &body).await;
    }
    all.set("cheap", &cheap_home()).await;
    let dollars = json!({"amount": "12.00", "currency": "USD"});
    all.set("dollars", &by_rule("price_down", json!([{"on": "price", "max": dollars}]))).await;
    all.set("home", &by_rule("price_up", json!([{"on": "category", "any": ["home"]}]))).await;
    assert_eq!(all.within("cheap").await, ["Mug", "Bowl"]);
    assert_eq!(all.within("dollars").await, ["Mug", "Lamp"]);
    assert_eq!(all.within("home").await, ["Mug", "Bowl", "Lamp"]);
    let page = shown(&all.shop.guest(), "home").await.ok().unwrap();
    let prices: Vec<_> = page["items"].as_array().unwrap().iter().map(|item| &item["price"]).collect();
    let [euros, dollar] =
        [json!({"amount": "15.00", "currency": "EUR"}), json!({"amount": "1.00", "currency": "USD"})];
    assert_eq!((prices[0], prices[2]), (&euros, &dollar));
}

#[tokio::test]
async fn a_rule_asks_what_a_product_says_who_made_it_and_who_sells_it() {
    let all = Shelves::open().await;
    let shop = &all.shop;
    shop.done("/v1/sales-channels/web/set", &json!({"locales": ["en"], "currency": "EUR"})).await;
    let length = json!({"kind": {"is": "measure", "dimension": "length", "unit": "cm"}});
    shop.done("/v1/attributes/height/set", &length).await;
    shop.done("/v1/attributes/brand/set", &json!({"kind": {"is": "text", "max": 50}})).await;
    let (tall, _) = all.goods("Tall mug", "mugs", "9.00").await;
    let (low, _) = all.goods("Low mug", "mugs", "8.00").await;
    let says = |height: &str, brand: &str| {
        let height = json!([{"data": height}]);
        json!({"values": {"height": height, "brand": [{"data": brand}]}})
    };
    let height = json!([{"on": "attribute", "attribute": "height", "min": "4", "unit": "in"}]);
    all.set("tall", &by_rule("title", height)).await;
    all.set("ember", &by_rule("title", json!([{"on": "brand", "any": ["Ember"]}]))).await;
    all.set("almas", &by_rule("title", json!([{"on": "merchant", "any": [all.alma]}]))).await;
    all.patch(&format!("/v1/products/{tall}/sheet"), &says("12", "Ember")).await;
    all.patch(&format!("/v1/products/{low}/sheet"), &says("10", "Frost")).await;
    assert_eq!(all.within("tall").await, ["Tall mug"], "4 in are 10.16 cm");
    assert_eq!(all.within("ember").await, ["Tall mug"]);
    assert_eq!(all.within("almas").await, ["Low mug", "Tall mug"]);
    all.patch(&format!("/v1/products/{low}/sheet"), &says("11", "Ember")).await;
    assert_eq!(all.within("tall").await, ["Low mug", "Tall mug"]);
    assert_eq!(all.within("ember").await, ["Low mug", "Tall mug"]);
}

#[tokio::test]
async fn what_is_chosen_by_hand_stands_as_it_was_chosen() {
    let all = Shelves::open().await;
    let mut ids = Vec::new();
    for title in ["A", "B", "C"] {
        ids.push(all.product(title, "toys").await);
    }
    let chosen = |products: &[&String]| {
        let members = json!({"by": "hand", "products": products});
        json!({"members": members, "order": "chosen", "labels": {"de": "Unsere"}})
    };
    all.set("ours", &chosen(&[&ids[2], &ids[0]])).await;
    assert_eq!(all.within("ours").await, ["C", "A"]);
    all.set("ours", &chosen(&[&ids[1], &ids[0], &ids[2]])).await;
    assert_eq!(all.within("ours").await, ["B", "A", "C"]);
    all.set("ours", &chosen(&[&ids[2]])).await;
    assert_eq!(all.within("ours").await, ["C"]);
    let page = all.shop.guest().get("/v1/shop/collections").await.ok().unwrap();
    assert_eq!(page["items"], json!([{"code": "ours", "labels": {"de": "Unsere"}}]));
}

#[tokio::test]
async fn a_collection_can_be_looked_at_before_its_days_and_is_shown_on_them_alone() {
    let all = Shelves::open().await;
    all.goods("Mug", "mugs", "12.00").await;
    let mut sale = cheap_home();
    sale["from"] = json!("2026-03-10T00:00:00Z");
    sale["until"] = json!("2026-03-12T00:00:00Z");
    all.set("sale", &sale).await;
    assert_eq!(all.within("sale").await, ["Mug"]);
    assert_eq!(all.shop.get("/v1/collections/sale").await["on"], json!(false));
    let guest = all.shop.guest();
    assert_problem(&shown(&guest, "sale").await, 404, "not_found");
    assert_eq!(guest.get("/v1/shop/collections").await.body["items"], json!([]));
    all.shop.wait_until("2026-03-10T00:00:00Z").await;
    let page = shown(&guest, "sale").await.ok().unwrap();
    assert_eq!(titles(&page["items"]), ["Mug"]);
    assert_eq!(eur_at(&page, "/items/0/price"), "12.00");
    assert_eq!(guest.get("/v1/shop/collections").await.body["items"][0]["until"], "2026-03-12T00:00:00Z");
    all.shop.wait_until("2026-03-12T00:00:00Z").await;
    assert_problem(&shown(&guest, "sale").await, 404, "not_found");
}

#[tokio::test]
async fn what_is_new_leaves_by_itself_when_its_days_are_over() {
    let all = Shelves::open().await;
    all.set("new", &by_rule("newest", json!([{"on": "new", "days": 7}]))).await;
    all.product("First", "toys").await;
    all.shop.wait_days(3).await;
    all.product("Second", "toys").await;
    assert_eq!(all.within("new").await, ["Second", "First"]);
    all.shop.wait_days(5).await;
    assert_eq!(all.within("new").await, ["Second"]);
    let page = shown(&all.shop.guest(), "new").await.ok().unwrap();
    assert_eq!(titles(&page["items"]), ["Second"]);
}

#[tokio::test]
async fn a_rule_is_tried_before_it_is_kept_some_products_at_a_time() {
    let all = Shelves::open().await;
    for number in 0..5 {
        let category = if number % 2 == 0 { "mugs" } else { "toys" };
        all.goods(&format!("Thing {number}"), category, "5.00").await;
    }
    all.shop.settle().await;
    let members = &cheap_home()["members"];
    let (mut found, mut cursor, mut looked_at) = (BTreeSet::new(), json!(null), 0);
    loop {
        let body = json!({"members": members, "limit": 2, "cursor": cursor});
        let before = all.shop.contents().await;
        let tried = all.shop.done("/v1/collections/check", &body).await;
        assert!(all.shop.contents().await == before, "a trial writes nothing");
        found.extend(titles(&tried["products"]));
        looked_at += tried["looked_at"].as_u64().unwrap();
        match tried.get("next") {
            Some(next) => cursor = next.clone(),
            None => break,
        }
    }
    assert_eq!(looked_at, 5);
    assert_eq!(Vec::from_iter(found), ["Thing 0", "Thing 2", "Thing 4"]);
    // At another moment.
    let new = json!({"by": "rule", "must": "all", "conditions": [{"on": "new", "days": 1}]});
    let later = json!({"members": new, "at": "2026-03-20T00:00:00Z"});
    assert_eq!(all.shop.done("/v1/collections/check", &later).await["products"], json!([]));
}

#[tokio::test]
async fn a_page_of_a_collection_is_two_calls_and_has_every_product_once_in_order() {
    let all = Shelves::open().await;
    let (guest, mut costs) = (all.shop.guest(), Vec::new());
    all.set("cheap", &cheap_home()).await;
    let path = "/v1/shop/collections/cheap/products?limit=20";
    // The first request of a moment asks whose key the storefront's is.
    guest.get(path).await.ok().unwrap();
    for round in 0..2 {
        for number in 0..30 {
            let price = format!("{}.{number:02}", 10 + round);
            all.goods(&format!("Mug {round}-{number}"), "mugs", &price).await;
        }
        all.shop.settle().await;
        let _before = all.shop.market.cloud.meter().take();
        let page = guest.get(path).await.ok().unwrap();
        assert_eq!(page["items"].as_array().unwrap().len(), 20);
        let lines = all.shop.market.cloud.meter().take();
        costs.push(
            lines.iter().filter(|line| line.label == "collections").map(|line| line.calls).sum::<u64>(),
        );
    }
    assert_eq!(costs, [2, 2]);
    let (mut prices, mut path) = (Vec::new(), "/v1/shop/collections/cheap/products?limit=7".to_owned());
    loop {
        let page = guest.get(&path).await.ok().unwrap();
        let items = page["items"].as_array().unwrap();
        prices.extend((0..items.len()).map(|n| eur_at(&page, &format!("/items/{n}/price"))));
        match page.get("next") {
            Some(next) => {
                let next = next.as_str().unwrap();
                path = format!("/v1/shop/collections/cheap/products?limit=7&cursor={next}");
            }
            None => break,
        }
    }
    let want: Vec<String> = (0..60).map(|n| format!("{}.{:02}", 10 + n / 30, n % 30)).collect();
    assert_eq!(prices, want);
}

#[tokio::test]
async fn what_cannot_be_kept_is_refused_with_its_place() {
    let all = Shelves::open().await;
    let bad = |conditions: Value| by_rule("title", conditions);
    let text = |field: &str, code: &str| json!([[field, code]]);
    for (body, fields) in [
        (
            bad(json!([{"on": "category", "any": ["No Handle"]}])),
            text("members.conditions[0].any[0]", "format"),
        ),
        (bad(json!([{"on": "merchant", "any": ["alma"]}])), text("members.conditions[0].any[0]", "format")),
        (
            bad(json!([{"on": "attribute", "attribute": "size", "any": ["m"], "min": "1"}])),
            text("members.conditions[0]", "one_of"),
        ),
        (
            bad(json!([{"on": "attribute", "attribute": "size", "min": "many", "unit": "ell"}])),
            json!([["members.conditions[0].min", "format"], ["members.conditions[0].unit", "format"]]),
        ),
        (
            bad(json!([{"on": "price", "min": {"amount": "1.001", "currency": "EUR"}}])),
            text("members.conditions[0].min", "amount"),
        ),
        (
            json!({"members": {"by": "hand", "products": ["x"]}, "order": "chosen"}),
            text("members.products[0]", "format"),
        ),
    ] {
        let refused = all.shop.refused("/v1/collections/x/set", &body, 422, "invalid_value").await;
        let errors = refused.body["errors"].as_array().unwrap().iter();
        let errors: Vec<Value> = errors.map(|error| json!([error["field"], error["code"]])).collect();
        assert_eq!(json!(errors), fields, "{body}");
    }
    let eur = |amount: &str| json!({"amount": amount, "currency": "EUR"});
    for (body, code) in [
        (bad(json!([])), "collection_rule"),
        (bad(json!([{"on": "new", "days": 0}])), "collection_rule"),
        (bad(json!([{"on": "price", "min": eur("2.00"), "max": eur("1.00")}])), "collection_rule"),
        (
            json!({"members": {"by": "hand", "products": []}, "order": "chosen",
            "from": "2026-03-02T00:00:00Z", "until": "2026-03-01T00:00:00Z"}),
            "collection_dates",
        ),
    ] {
        all.shop.refused("/v1/collections/x/set", &body, 422, code).await;
    }
    all.shop.refused("/v1/collections/x/delete", &json!({}), 404, "not_found").await;
    for path in ["/v1/collections/x/products", "/v1/collections/No", "/v1/shop/collections/x/products"] {
        assert_problem(
            &all.shop.api.get(path).await,
            if path.contains("shop") { 403 } else { 404 },
            if path.contains("shop") { "forbidden" } else { "not_found" },
        );
    }
    for number in 0..90 {
        all.set(&format!("c{number}"), &json!({"members": {"by": "hand", "products": []}, "order": "title"}))
            .await;
    }
    let more = json!({"members": {"by": "hand", "products": []}, "order": "title"});
    all.shop.refused("/v1/collections/x/set", &more, 409, "collection_count").await;
}

/// Prices go up and down while every write of the function goes wrong in every way, once.
#[tokio::test]
async fn whatever_write_goes_wrong_a_product_is_where_it_belongs() {
    let all = Shelves::open().await;
    let (_, of_mug) = all.goods("Mug", "mugs", "12.00").await;
    all.set("cheap", &cheap_home()).await;
    all.set(
        "dear",
        &by_rule(
            "title",
            json!([{"on": "price",
        "min": {"amount": "20.01", "currency": "EUR"}}]),
        ),
    )
    .await;
    assert_eq!(all.within("cheap").await, ["Mug"]);
    let cuts = Cuts::in_the_way_of(&all.shop, &[("collections", None)]);
    let mut dear = false;
    for nth in 1..=2 {
        for cut in CUTS {
            dear = !dear;
            cuts.cut(nth, cut);
            all.price(&of_mug, if dear { "25.00" } else { "12.00" }).await;
            all.shop.market.cloud.settle().await.unwrap();
            assert!(nth > 1 || cuts.has_come(), "{cut:?}");
            cuts.none();
            all.shop.market.cloud.advance(jiff::SignedDuration::from_hours(8)).await.unwrap();
            let (cheap, costly) = (all.within("cheap").await, all.within("dear").await);
            let want: (&[&str], &[&str]) = if dear { (&[], &["Mug"]) } else { (&["Mug"], &[]) };
            assert_eq!(
                (cheap, costly),
                (
                    want.0.iter().map(ToString::to_string).collect(),
                    want.1.iter().map(ToString::to_string).collect()
                ),
                "{nth} {cut:?}"
            );
        }
    }
}

#[tokio::test]
async fn a18_1_events_of_products_come_in_any_order_and_as_often_as_they_like() {
    let all = Shelves::open().await;
    all.set("cheap", &cheap_home()).await;
    let (mug, of_mug) = all.goods("Mug", "mugs", "30.00").await;
    for price in ["12.00", "25.00", "19.00"] {
        all.price(&of_mug, price).await;
    }
    assert_eq!(all.within("cheap").await, ["Mug"]);
    let before = all.shop.contents().await;
    let mut events = all.shop.events(&mug).await;
    events.reverse();
    for _ in 0..3 {
        for event in &events {
            let body = serde_json::to_string(event).unwrap();
            let answer = all.shop.market.cloud.invoke("collections", batch(&[body])).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]), "{}", event.name);
        }
    }
    assert!(all.shop.contents().await == before, "a repeat has changed something");
}
