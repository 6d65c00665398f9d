//! What products say: attributes, families and channels, sheets with their history, and what may be shown of them.

use crate::races::{at_once, open as polite_shop};
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use tests::*;

/// A product of alma's with two variants, and the words to describe it with.
pub(crate) struct Described {
    pub(crate) shop: Shop,
    pub(crate) alma: String,
    pub(crate) path: String,
}

async fn declare(shop: &Shop) {
    for (channel, locales) in [("web", json!(["de", "en"])), ("app", json!(["de"]))] {
        let body = json!({"locales": locales, "currency": "EUR"});
        shop.done(&format!("/v1/sales-channels/{channel}/set"), &body).await;
    }
    let choices = json!([{"code": "wash"}, {"code": "iron"}, {"code": "bleach"}]);
    for (code, body) in [
        ("title", json!({"kind": {"is": "text", "max": 150}, "scope": {"per_locale": true}})),
        ("height", json!({"kind": {"is": "measure", "dimension": "length", "unit": "cm"}})),
        ("care", json!({"kind": {"is": "options", "choices": choices}})),
        ("color", json!({"kind": {"is": "text", "max": 20}})),
    ] {
        shop.done(&format!("/v1/attributes/{code}/set"), &body).await;
    }
    let family = json!({"label": "title", "axes": ["color"], "attributes": {
        "title": {"required": ["web", "app"]}, "height": {"required": ["web"]}, "care": {}, "color": {},
    }});
    shop.done("/v1/families/shirt/set", &family).await;
}

impl Described {
    async fn open_in(shop: Shop) -> Self {
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        declare(&shop).await;
        let product = json!({"merchant": alma, "title": "Shirt", "axes": ["color"], "status": "draft",
            "variants": [{"values": ["red"]}, {"values": ["blue"], "gtin": "6291041500213"}]});
        let product = shop.done("/v1/products", &product).await;
        let path = format!("/v1/products/{}", at(&product, "/id"));
        Self { shop, alma, path }
    }

    pub(crate) async fn open() -> Self {
        Self::open_in(Shop::open().await).await
    }

    async fn patch_as(&self, api: &Api, body: &Value, headers: &[(&str, &str)]) -> Answer {
        api.send_with(Method::PATCH, &format!("{}/sheet", self.path), &body.to_string(), headers).await
    }

    pub(crate) async fn patch(&self, body: Value) -> Answer {
        self.patch_as(&self.shop.api, &body, &[("if-match", "*")]).await
    }

    pub(crate) async fn says(&self, body: Value) -> Value {
        let answer = self.patch(body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    pub(crate) async fn sheet(&self) -> Value {
        self.shop.get(&format!("{}/sheet", self.path)).await
    }

    pub(crate) async fn history(&self) -> Vec<Value> {
        let page = self.shop.get(&format!("{}/sheet/history?limit=100", self.path)).await;
        page["items"].as_array().unwrap().clone()
    }

    /// What lies in the table, as it lies there.
    async fn kept(&self) -> AttributeValue {
        let contents = self.shop.contents().await;
        let item = contents.values().find(|item| item["kind"].as_s().is_ok_and(|kind| kind == "sheet.1"));
        item.unwrap()["value"].as_m().unwrap()["sheet"].as_m().unwrap()["content"].clone()
    }

    async fn publish(&self, channel: &str) -> Answer {
        self.shop.post(&format!("{}/publish", self.path), &json!({"channel": channel})).await
    }
}

/// Field and code of everything that is wrong.
fn wrongs(answer: &Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().expect("it says what is wrong");
    errors.iter().map(|error| (at(error, "/field"), at(error, "/code"))).collect()
}

pub(crate) fn first_shirt() -> Value {
    json!({"family": "shirt", "assets": ["ast_00000000000000000000000001"], "values": {
        "title": [{"locale": "de", "data": "Hemd"}, {"locale": "en", "data": "Shirt"}],
        "height": [{"data": "70.50"}],
        "care": [{"data": ["iron", "wash"]}],
    }})
}

#[tokio::test]
async fn a3_1_objects_merge_scalars_and_arrays_are_replaced_and_null_removes() {
    let all = Described::open().await;
    let said = all.says(first_shirt()).await;
    assert_eq!(said["version"], 1);
    // A bare number is taken in the attribute's unit; options stand in their declared order.
    assert_eq!(said["values"]["height"], json!([{"data": {"amount": "70.5", "unit": "cm"}}]));
    assert_eq!(said["values"]["care"], json!([{"data": ["wash", "iron"]}]));
    let said = all
        .says(json!({"values": {
            "height": [{"data": {"amount": "72"}}],
            "care": [{"data": ["bleach"]}],
            "title": [{"locale": "en", "data": null}],
        }}))
        .await;
    assert_eq!(
        said["values"],
        json!({
            "height": [{"data": {"amount": "72", "unit": "cm"}}],
            "care": [{"data": ["bleach"]}],
            "title": [{"locale": "de", "data": "Hemd"}],
        })
    );
    assert_eq!((at(&said, "/family"), &said["version"]), ("shirt", &json!(2)));
    let said = all.says(json!({"values": {"care": null}, "assets": null})).await;
    assert_eq!((said["values"].get("care"), &said["assets"]), (None, &json!([])));
}

#[tokio::test]
async fn a3_1_another_type_is_refused_and_all_that_is_wrong_is_told_with_its_place() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let before = all.shop.contents().await;
    let refused = all
        .patch(json!({"values": {
            "height": [{"data": ["72"]}],
            "care": [{"data": ["fly"]}],
            "ghost": [{"data": 1}],
            "title": [{"locale": "fr", "data": "Chemise"}, {"data": "Hemd"}],
        }, "variants": {"3": {"values": {"color": [{"data": "red"}]}}}}))
        .await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(
        wrongs(&refused),
        [
            ("values/care/0", "unknown"),
            ("values/ghost", "unknown"),
            ("values/height", "type_change"),
            ("values/title", "scope"),
            ("values/title/fr", "unknown"),
            ("variants/3/values/color", "unknown"),
        ]
    );
    let message = at(&refused.body, "/errors/2/message");
    assert_eq!(message, "it is an object, and cannot become an array");
    for (body, want) in [
        (json!({"family": "hat"}), ("family", "unknown")),
        (json!({"family": 7}), ("family", "type")),
        (json!({"assets": ["ast_1", "x"]}), ("assets/0", "unknown")),
        (json!({"values": null}), ("values", "type")),
        (json!({"values": {"Title": []}}), ("values/Title", "format")),
        (json!({"values": {"title": "Hemd"}}), ("values/title", "type")),
        (json!({"values": {"title": [{"locale": "de"}]}}), ("values/title/0", "required")),
        (json!({"variants": {"0": {}}}), ("variants/0", "format")),
        (json!({"reason": ""}), ("reason", "format")),
    ] {
        let refused = all.patch(body.clone()).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(wrongs(&refused), [want], "{body}");
    }
    let float = all.patch(json!({"values": {"height": [{"data": 70.5}]}})).await;
    assert_problem(&float, 400, "malformed_request");
    assert_problem(&all.patch(json!({"title": "Hemd"})).await, 400, "malformed_request");
    assert!(all.shop.contents().await == before, "what was refused wrote something");
}

#[tokio::test]
async fn a3_2_completeness_is_per_channel_and_locale_from_required_attributes_of_the_family_alone() {
    let all = Described::open().await;
    let figures = |said: &Value| -> Vec<String> {
        let cells = said["completeness"].as_array().unwrap();
        let cell = |cell: &Value| {
            let (channel, locale) = (at(cell, "/channel"), at(cell, "/locale"));
            format!("{channel} {locale} {} of {}: {}", cell["percent"], cell["required"], cell["missing"])
        };
        cells.iter().map(cell).collect()
    };
    let said = all.says(json!({"values": {"title": [{"locale": "de", "data": "Hemd"}]}})).await;
    assert_eq!((&said["completeness"], &said["quality"]), (&json!([]), &json!([])), "of no family");
    let said = all.says(json!({"family": "shirt"})).await;
    assert_eq!(
        figures(&said),
        ["app de 100 of 1: []", "web de 50 of 2: [\"height\"]", "web en 0 of 2: [\"height\",\"title\"]",]
    );
    let said = all.says(json!({"values": {"height": [{"data": "70"}], "care": [{"data": ["wash"]}]}})).await;
    let want = ["app de 100 of 1: []", "web de 100 of 2: []", "web en 50 of 2: [\"title\"]"];
    assert_eq!(figures(&said), want);
    assert_eq!(figures(&all.sheet().await), want);
    // The family demands less: nothing of the product changes, and less is missing.
    let less = json!({"label": "title", "attributes": {"title": {"required": ["app"]}}});
    all.shop.done("/v1/families/shirt/set", &less).await;
    let want = ["app de 100 of 1: []", "web de 100 of 0: []", "web en 100 of 0: []"];
    assert_eq!(figures(&all.sheet().await), want);
    let quality = &all.sheet().await["quality"][0];
    assert_eq!((at(quality, "/channel"), at(quality, "/locale")), ("app", "de"));
    assert_eq!(
        quality["reasons"][3],
        json!({"rule": "gtin", "points": 7, "of": 15, "have": 1, "want": 2}),
        "{quality}"
    );
}

#[tokio::test]
async fn a3_5_restoring_a_version_yields_byte_equal_values_and_is_a_version_of_its_own() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let (first, kept) = (all.sheet().await, all.kept().await);
    all.says(json!({"reason": "it shrinks", "values": {"height": [{"data": "68"}], "care": null}})).await;
    all.says(json!({"family": null, "variants": {"2": {"values": {"color": [{"data": "navy"}]}}}})).await;
    let restore = format!("{}/sheet/restore", all.path);
    let again = all.shop.done(&restore, &json!({"version": 1, "reason": "it does not"})).await;
    assert_eq!(again["version"], 4);
    for part in ["family", "assets", "values", "variants", "completeness", "quality"] {
        assert_eq!(again[part], first[part], "{part}");
    }
    assert!(all.kept().await == kept, "what lies there is what lay there");
    let history = all.history().await;
    let told: Vec<_> = history.iter().map(|one| (one["version"].clone(), one["reason"].clone())).collect();
    let (none, text) = (Value::Null, |text: &str| json!(text));
    assert_eq!(
        told,
        [
            (json!(4), text("it does not")),
            (json!(3), none.clone()),
            (json!(2), text("it shrinks")),
            (json!(1), none),
        ]
    );
    assert_eq!(
        history[2]["diff"],
        json!([
            {"path": "values/care", "before": ["wash", "iron"]},
            {"path": "values/height", "before": {"amount": "70.5", "unit": "cm"},
                "after": {"amount": "68", "unit": "cm"}},
        ])
    );
    assert_eq!(at(&history[2], "/at"), START);
    assert!(at(&history[2], "/by").starts_with("key:"), "{}", history[2]);
    // Version 0 is the blank one; what is so already is no version more.
    assert_eq!(all.shop.done(&restore, &json!({"version": 0})).await["values"], json!({}));
    assert_eq!(all.shop.done(&restore, &json!({"version": 5})).await["version"], 5);
    let none = all.shop.post(&restore, &json!({"version": 6})).await;
    assert_problem(&none, 422, "invalid_value");
    assert_eq!(wrongs(&none), [("version", "unknown")]);
}

#[tokio::test]
async fn history_is_paged_from_the_last_to_the_first_and_no_trail_reads_it() {
    let all = Described::open().await;
    for height in 1..=5 {
        all.says(json!({"values": {"height": [{"data": height}]}})).await;
    }
    let path = format!("{}/sheet/history?limit=2", all.path);
    let (mut seen, mut next) = (Vec::new(), String::new());
    loop {
        let page = all.shop.get(&format!("{path}{next}")).await;
        seen.extend(page["items"].as_array().unwrap().iter().map(|one| one["version"].clone()));
        match page["next"].as_str() {
            Some(cursor) => next = format!("&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    let product = all.path.rsplit('/').next().unwrap();
    let mut told = vec!["product.created.v1"];
    told.extend(["product.described.v1"; 5]);
    assert_eq!(all.shop.told(product).await, told);
}

#[tokio::test]
async fn a_change_is_made_by_who_has_seen_what_is_said_and_a_repeat_is_one_change() {
    let all = Described::open().await;
    let path = format!("{}/sheet", all.path);
    let blank = all.shop.api.get(&path).await;
    assert_eq!((&blank.headers["etag"], &blank.body["version"]), (&"\"0\"".parse().unwrap(), &json!(0)));
    assert_problem(&all.patch_as(&all.shop.api, &first_shirt(), &[]).await, 428, "precondition_required");
    let headers = [("if-match", "\"0\""), ("idempotency-key", "one")];
    let first = all.patch_as(&all.shop.api, &first_shirt(), &headers).await;
    assert_eq!((first.status.as_u16(), &first.headers["etag"]), (200, &"\"1\"".parse().unwrap()));
    let again = all.patch_as(&all.shop.api, &first_shirt(), &headers).await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = json!({"assets": []});
    let reused = all.patch_as(&all.shop.api, &other, &headers).await;
    assert_problem(&reused, 422, "idempotency_key_reused");
    let stale = all.patch_as(&all.shop.api, &other, &[("if-match", "\"0\"")]).await;
    assert_problem(&stale, 409, "stale");
    // What is said already is no change.
    assert_eq!(all.says(first_shirt()).await["version"], 1);
    let restore = format!("{path}/restore");
    let body = json!({"version": 0});
    let back = all.shop.api.post(&restore, &body, "back").await;
    all.says(first_shirt()).await;
    let again = all.shop.api.post(&restore, &body, "back").await;
    assert_eq!((back.body["version"].clone(), again.body["version"].clone()), (json!(2), json!(3)));
    assert_eq!(all.history().await.len(), 3);
}

#[tokio::test]
async fn two_patches_at_once_are_two_versions_and_neither_is_lost() {
    let all = Described::open_in(polite_shop().await).await;
    for round in 0..6 {
        let (before, all) = (all.history().await.len(), &all);
        let patch = |body: Value| -> BoxFuture<'_, Answer> { Box::pin(all.patch(body)) };
        let height = json!({"values": {"height": [{"data": round + 1}]}});
        let title = json!({"values": {"title": [{"locale": "de", "data": format!("Hemd {round}")}]}});
        let answers = at_once(vec![patch(height), patch(title)], round).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{answers:?}");
        let history = all.history().await;
        assert_eq!(history.len(), before + 2);
        let said = all.sheet().await;
        assert_eq!(said["version"], history.len());
        assert_eq!(said["values"]["height"][0]["data"]["amount"], (round + 1).to_string());
        assert_eq!(said["values"]["title"][0]["data"], format!("Hemd {round}"));
        // Of two who have seen the same, one comes too late.
        let seen = format!("\"{}\"", history.len());
        let seen = [("if-match", seen.as_str())];
        let title = |word: &str| json!({"values": {"title": [{"locale": "en", "data": word}]}});
        let bodies = [title(&format!("Shirt {round}")), title(&format!("Blouse {round}"))];
        let racers = bodies
            .iter()
            .map(|body| -> BoxFuture<'_, Answer> { Box::pin(all.patch_as(&all.shop.api, body, &seen)) });
        let answers = at_once(racers.collect(), round).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
    }
}

#[tokio::test]
async fn a_product_is_shown_once_it_says_what_its_family_demands_on_the_channel() {
    let all = Described::open().await;
    let status = async || at(&all.shop.get(&all.path).await, "/status").to_owned();
    all.says(json!({"family": "shirt", "values": {"title": [{"locale": "en", "data": "Shirt"}]}})).await;
    let refused = all.publish("web").await;
    assert_problem(&refused, 409, "product_not_complete");
    let missing = [("values/height", "missing"), ("values/title", "missing"), ("values/height", "missing")];
    assert_eq!(wrongs(&refused), missing);
    assert_eq!(at(&refused.body, "/errors/1/message"), "web needs it in de");
    let active = json!({"status": "active"}).to_string();
    let seen = [("if-match", "*")];
    let by_patch = all.shop.api.send_with(Method::PATCH, &all.path, &active, &seen).await;
    assert_problem(&by_patch, 409, "product_not_complete");
    assert_eq!(status().await, "draft");
    all.says(json!({"values": {"height": [{"data": "70"}]}})).await;
    assert_problem(&all.publish("app").await, 409, "product_not_complete");
    // In English all is said; that German is missing stands in nobody's way.
    assert_eq!(all.publish("web").await.body["status"], "active");
    assert_eq!(status().await, "active");
    let unknown = all.publish("fair").await;
    assert_problem(&unknown, 422, "invalid_value");
    assert_eq!(wrongs(&unknown), [("channel", "unknown")]);
}

#[tokio::test]
async fn a_product_without_a_family_is_shown_as_ever_and_an_archived_one_is_not() {
    let all = Described::open().await;
    assert_eq!(all.publish("web").await.body["status"], "active");
    let archive = json!({"status": "archived"}).to_string();
    let seen = [("if-match", "*")];
    assert_eq!(all.shop.api.send_with(Method::PATCH, &all.path, &archive, &seen).await.status, 200);
    assert_problem(&all.publish("web").await, 409, "product_archived");
}

#[tokio::test]
async fn a_merchant_describes_its_own_products_and_anothers_is_not_there() {
    let all = Described::open().await;
    let birch = all.shop.merchant("birch", json!({"every": "day"})).await;
    let scopes = ["catalog:write"];
    all.shop.key("sk_alma", &scopes, Some(&all.alma)).await;
    all.shop.key("sk_birch", &scopes, Some(&birch)).await;
    let (own, other) = (all.shop.calls_as("sk_alma"), all.shop.calls_as("sk_birch"));
    let seen = [("if-match", "*")];
    assert_eq!(all.patch_as(&own, &first_shirt(), &seen).await.status, 200);
    let before = all.shop.contents().await;
    assert_problem(&all.patch_as(&other, &first_shirt(), &seen).await, 404, "not_found");
    for part in ["sheet", "sheet/history"] {
        assert_problem(&other.get(&format!("{}/{part}", all.path)).await, 404, "not_found");
        assert_eq!(own.get(&format!("{}/{part}", all.path)).await.status, 200);
    }
    for (part, body) in [("sheet/restore", json!({"version": 0})), ("publish", json!({"channel": "web"}))] {
        let answer = other.post(&format!("{}/{part}", all.path), &body, &all.shop.fresh()).await;
        assert_problem(&answer, 404, "not_found");
    }
    let body = json!({"kind": {"is": "date"}});
    assert_problem(&own.post("/v1/attributes/made/set", &body, "k").await, 403, "forbidden");
    assert!(all.shop.contents().await == before, "what was refused wrote something");
    let neighbor = all.shop.neighbor().await;
    assert_problem(&neighbor.get(&format!("{}/sheet", all.path)).await, 404, "not_found");
}

#[tokio::test]
async fn what_an_attribute_means_stays_and_its_options_may_change() {
    let shop = Shop::open().await;
    declare(&shop).await;
    let kind = |kind: Value| json!({ "kind": kind });
    for (code, body, why) in [
        ("title", kind(json!({"is": "text", "max": 150})), "whether its values differ by locale or channel"),
        ("care", kind(json!({"is": "option", "choices": [{"code": "wash"}]})), "it is options and stays so"),
        (
            "height",
            kind(json!({"is": "measure", "dimension": "mass", "unit": "kg"})),
            "it is measure and stays so",
        ),
    ] {
        let path = format!("/v1/attributes/{code}/set");
        let refused = shop.refused(&path, &body, 409, "attribute_fixed").await;
        assert!(at(&refused.body, "/detail").starts_with(why), "{}", refused.body);
    }
    let more =
        kind(json!({"is": "options", "choices": [{"code": "wash"}, {"code": "iron"}, {"code": "dry"}]}));
    let set = shop.done("/v1/attributes/care/set", &more).await;
    assert_eq!(set["kind"]["choices"][2]["code"], "dry");
    assert_eq!(shop.get("/v1/attributes/care").await, set);
    shop.settle().await;
    let page = shop.get("/v1/attributes?limit=3").await;
    let codes: Vec<&str> = page["items"].as_array().unwrap().iter().map(|row| at(row, "/code")).collect();
    assert_eq!(codes, ["title", "height", "color"]);
    let next = shop.get(&format!("/v1/attributes?limit=3&cursor={}", at(&page, "/next"))).await;
    assert_eq!((at(&next, "/items/0/code"), at(&next, "/items/0/is")), ("care", "options"));
}

#[tokio::test]
async fn words_that_make_no_sense_are_refused() {
    let shop = Shop::open().await;
    declare(&shop).await;
    let kind = |kind: Value| json!({ "kind": kind });
    for (code, body, field) in [
        ("Color", kind(json!({"is": "text", "max": 9})), "code"),
        ("a", kind(json!({"is": "number", "min": "x"})), "kind.min"),
        ("a", kind(json!({"is": "measure", "dimension": "length", "unit": "elle"})), "kind.unit"),
        ("a", kind(json!({"is": "option", "choices": [{"code": "A b"}]})), "kind.choices[0].code"),
        (
            "a",
            kind(json!({"is": "table", "columns": [{"code": "!", "kind": {"is": "boolean"}}]})),
            "kind.columns[0].code",
        ),
        ("a", json!({"kind": {"is": "date"}, "labels": {"x y": "A"}}), "labels.x y"),
        ("a", json!({"kind": {"is": "date"}, "group": "A"}), "group"),
    ] {
        let refused = shop.refused(&format!("/v1/attributes/{code}/set"), &body, 422, "invalid_value").await;
        assert_eq!(wrongs(&refused).first().map(|wrong| wrong.0), Some(field), "{body}");
    }
    for bad in [
        json!({"is": "text", "max": 0}),
        json!({"is": "text", "max": 10_001}),
        json!({"is": "number", "decimals": 10}),
        json!({"is": "number", "min": "2", "max": "1"}),
        json!({"is": "measure", "dimension": "mass", "unit": "cm"}),
        json!({"is": "option", "choices": []}),
        json!({"is": "options", "choices": [{"code": "a"}, {"code": "a"}]}),
        json!({"is": "table", "columns": [{"code": "a", "kind": {"is": "money"}}]}),
    ] {
        shop.refused("/v1/attributes/a/set", &kind(bad), 422, "attribute_kind").await;
    }
    for odd in [json!({"is": "color"}), json!({"is": "text"}), json!({"is": "date", "max": 1})] {
        shop.refused("/v1/attributes/a/set", &kind(odd), 400, "malformed_request").await;
    }
    for attributes in [json!({}), json!({"ghost": {}}), json!({"care": {"required": ["fair"]}})] {
        let body = json!({ "attributes": attributes });
        shop.refused("/v1/families/hat/set", &body, 422, "family_attributes").await;
    }
    let foreign = json!({"attributes": {"care": {}}, "label": "title"});
    shop.refused("/v1/families/hat/set", &foreign, 422, "family_attributes").await;
    let axis = json!({"attributes": {"title": {}}, "axes": ["title"]});
    shop.refused("/v1/families/hat/set", &axis, 422, "family_attributes").await;
    for locales in [json!([]), json!(["de", "de"])] {
        let body = json!({"locales": locales, "currency": "EUR"});
        shop.refused("/v1/sales-channels/fair/set", &body, 422, "sales_channel_locales").await;
    }
    let body = json!({"locales": ["nowhere at all"], "currency": "EURO"});
    let refused = shop.refused("/v1/sales-channels/Fair/set", &body, 422, "invalid_value").await;
    let fields: Vec<&str> = wrongs(&refused).into_iter().map(|wrong| wrong.0).collect();
    assert_eq!(fields, ["code", "locales[0]", "currency"]);
    for nothing in ["attributes/ghost", "families/ghost", "sales-channels/ghost"] {
        assert_problem(&shop.api.get(&format!("/v1/{nothing}")).await, 404, "not_found");
    }
}

#[tokio::test]
async fn what_a_product_says_is_told_without_saying_it() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let product = all.path.rsplit('/').next().unwrap();
    let mut events = all.shop.events(product).await;
    events.retain(|event| event.name == "product.described.v1");
    let [event] = events.as_slice() else { panic!("one change is told once: {events:?}") };
    assert_eq!((event.id.clone(), event.step), (format!("{product}-sheet.1"), 1));
    let attributes = ["care", "height", "title"];
    let data = json!({"product": product, "merchant": all.alma, "version": 1, "attributes": attributes});
    assert_eq!(event.data, data);
}

/// Sheet, version, story and the request's record, each within a kilobyte, at two units a kilobyte in a transaction.
#[tokio::test]
async fn a_change_of_a_small_sheet_takes_eight_write_units_and_a_look_at_it_four_calls() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let metered = || {
        let lines = all.shop.market.cloud.meter().take();
        lines.into_iter().filter(|line| line.label == "catalog").collect::<Vec<_>>()
    };
    let _before = metered();
    let change = json!({"values": {"height": [{"data": "71"}]}});
    let headers = [("if-match", "*"), ("idempotency-key", "units")];
    assert_eq!(all.patch_as(&all.shop.api, &change, &headers).await.status, 200);
    let lines = metered();
    let units: u64 = lines.iter().map(|line| line.write_units).sum();
    assert_eq!(units, 8_00, "{lines:?} hundredths of write units");
    all.sheet().await;
    let lines = metered();
    let calls: u64 = lines.iter().filter(|line| line.operation != "GetItem").map(|line| line.calls).sum();
    assert_eq!(calls, 4, "{lines:?}: product and sheet, channels, family, its attributes");
}

#[tokio::test]
async fn a_shopper_reads_what_the_channel_shows_in_the_language_units_and_currency_of_the_place() {
    let all = Described::open().await;
    let shop = &all.shop;
    let labels = json!({"de": "Höhe"});
    let height = json!({"kind": {"is": "measure", "dimension": "length", "unit": "cm"}, "labels": labels});
    shop.done("/v1/attributes/height/set", &height).await;
    shop.done("/v1/attributes/deposit/set", &json!({"kind": {"is": "money"}})).await;
    let rate = json!({"base": "EUR", "quote": "USD", "rate": "1.10", "as_of": "2026-03-01", "source": "ECB"});
    shop.done("/v1/fx/set-rates", &json!({"rates": [rate]})).await;
    all.says(first_shirt()).await;
    all.says(json!({"values": {"deposit": [{"data": {"amount": "2.00", "currency": "EUR"}}]}})).await;
    all.says(json!({"variants": {"2": {"values": {"color": [{"data": "navy"}]}}}})).await;
    assert_eq!(all.publish("web").await.status, 200);
    let guest = shop.guest();
    let path = all.path.replace("/v1/products", "/v1/shop/products");
    let read = guest.get(&format!("{path}/sheet?channel=web&locale=de&units=imperial&currency=USD")).await;
    let read = read.ok().unwrap();
    assert_eq!(
        read["values"],
        json!([
            {"attribute": "care", "label": "care", "data": ["wash", "iron"]},
            {"attribute": "deposit", "label": "deposit", "data": {"amount": "2.20", "currency": "USD",
                "original": {"amount": "2.00", "currency": "EUR"},
                "by": {"rate": "1.1", "as_of": "2026-03-01", "source": "ECB"}}},
            {"attribute": "height", "label": "Höhe", "data": {"amount": "27.76", "unit": "in"}},
            {"attribute": "title", "label": "title", "data": "Hemd"},
        ])
    );
    assert_eq!(read["variants"], json!({"2": [{"attribute": "color", "label": "color", "data": "navy"}]}));
    let read = guest.get(&format!("{path}/sheet?channel=web&locale=en")).await.ok().unwrap();
    let values = read["values"].as_array().unwrap();
    assert_eq!(
        (&values[2]["data"], &values[3]["data"]),
        (&json!({"amount": "70.5", "unit": "cm"}), &json!("Shirt"))
    );
    for (asked, field) in [
        ("", "channel"),
        ("?channel=radio&locale=de", "channel"),
        ("?channel=app&locale=en", "locale"),
        ("?channel=web&locale=de&units=old", "units"),
        ("?channel=web&locale=de&currency=X", "currency"),
    ] {
        let refused = guest.get(&format!("{path}/sheet{asked}")).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(at(&refused.body, "/errors/0/field"), field, "{asked}");
    }
}
