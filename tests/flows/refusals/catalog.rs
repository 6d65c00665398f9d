//! Products, what they are described with, and what they say: what is refused of it.

use crate::assets::Gallery;
use crate::duplicates::Twins;
use http::Method;
use serde_json::{Map, Value, json};
use souk::api::Answer;
use tests::picturing::png;
use tests::*;

async fn patch(shop: &Shop, path: &str, body: &Value) -> Answer {
    shop.api.send_with(Method::PATCH, path, &body.to_string(), &[("if-match", "*")]).await
}

#[tokio::test]
async fn a_product_has_axes_categories_and_variants_within_bounds_and_each_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for number in 0..21 {
        let handle = format!("c-{number}");
        shop.done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
    }
    let all: Vec<String> = (0..21).map(|number| format!("c-{number}")).collect();
    let red = json!({"values": ["red"]});
    let many: Vec<Value> = (0..251).map(|number| json!({"values": [format!("v{number}")]})).collect();
    let shirt = json!({"merchant": alma, "title": "Shirt", "axes": ["color"], "variants": [red]});
    let with = |name: &str, value: Value| {
        let mut body = shirt.clone();
        body[name] = value;
        body
    };
    let cases = [
        ("variant_count", with("variants", json!([])), "a product has 1 to 250 variants, not 0"),
        ("variant_count", with("variants", json!(many)), "a product has 1 to 250 variants, not 251"),
        ("product_axes", with("axes", json!(["color", "color"])), "at most 4 axes, each named once"),
        ("product_axes", with("axes", json!(["a", "b", "c", "d", "e"])), "at most 4 axes, each named once"),
        ("product_categories", with("categories", json!(all)), "in at most 20 categories, each once"),
        (
            "product_categories",
            with("categories", json!(["c-1", "c-1"])),
            "in at most 20 categories, each once",
        ),
        ("variant_values", with("axes", json!([])), "variant 1 has 1 values for 0 axes"),
    ];
    for (code, body, why) in &cases {
        let refused = shop.refused("/v1/products", body, 422, code).await;
        assert!(refused.text("/detail").contains(why), "{}", refused.body);
    }
    let path = format!("/v1/products/{}", at(&shop.done("/v1/products", &shirt).await, "/id"));
    // Of a product that is there, a variant that is not named is missing, however many there are.
    for (code, body, _) in cases.iter().filter(|(code, ..)| *code != "variant_count") {
        let name =
            ["variants", "axes", "categories"].into_iter().find(|name| body[name] != shirt[name]).unwrap();
        assert_problem(&patch(&shop, &path, &json!({name: body[name]})).await, 422, code);
    }
    let twice = json!({"variants": [{"number": 1, "values": ["red"]}, {"number": 1, "values": ["blue"]}]});
    let refused = patch(&shop, &path, &twice).await;
    assert_problem(&refused, 422, "variant_twice");
    assert_eq!(refused.text("/detail"), "variant 1 is named twice");
}

/// Labels in so many languages, each of some 200 bytes.
fn labels(count: usize) -> Map<String, Value> {
    let letter = |number: usize| char::from(b'a' + u8::try_from(number % 26).unwrap());
    let locale = |number: usize| format!("{}{}{}", letter(number / 676), letter(number / 26), letter(number));
    (0..count).map(|number| (locale(number), json!("x".repeat(190)))).collect()
}

#[tokio::test]
async fn attributes_families_and_channels_have_no_more_texts_than_fit() {
    let shop = Shop::open().await;
    let text = json!({"kind": {"is": "text", "max": 50}, "labels": labels(1_100)});
    shop.refused("/v1/attributes/title/set", &text, 422, "attribute_too_large").await;
    shop.done("/v1/attributes/title/set", &json!({"kind": {"is": "text", "max": 50}})).await;
    let family = json!({"attributes": {"title": {}}, "labels": labels(1_100)});
    shop.refused("/v1/families/shirt/set", &family, 422, "family_too_large").await;
    let channel = json!({"locales": ["en"], "currency": "EUR"});
    for number in 0..50 {
        shop.done(&format!("/v1/sales-channels/c-{number}/set"), &channel).await;
    }
    let refused = shop.refused("/v1/sales-channels/one-more/set", &channel, 409, "sales_channel_count").await;
    assert_eq!(refused.text("/detail"), "at most 50");
    shop.done("/v1/sales-channels/c-7/set", &channel).await;
}

#[tokio::test]
async fn a_product_says_as_much_as_fits_and_changes_in_parts() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let locales: Vec<String> = labels(40).keys().cloned().collect();
    shop.done("/v1/sales-channels/web/set", &json!({"locales": locales, "currency": "EUR"})).await;
    let story = json!({"kind": {"is": "text", "max": 10_000}, "scope": {"per_locale": true}});
    shop.done("/v1/attributes/story/set", &story).await;
    let product = json!({"merchant": alma, "title": "Mug", "variants": [{}]});
    let product = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
    let path = format!("/v1/products/{product}/sheet");
    let says = |count: usize, letter: &str| {
        let texts =
            locales.iter().take(count).map(|locale| json!({"locale": locale, "data": letter.repeat(10_000)}));
        json!({"values": {"story": texts.collect::<Vec<_>>()}})
    };
    let refused = patch(&shop, &path, &says(31, "x")).await;
    assert_problem(&refused, 422, "sheet_too_large");
    assert!(refused.text("/detail").contains("more than the 307200 that fit"), "{}", refused.body);
    let first = patch(&shop, &path, &says(20, "x")).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let refused = patch(&shop, &path, &says(20, "y")).await;
    assert_problem(&refused, 422, "sheet_change_too_large");
    assert!(refused.text("/detail").ends_with("make it in parts"), "{}", refused.body);
}

#[tokio::test]
async fn a_collection_has_each_chosen_product_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let product = json!({"merchant": alma, "title": "Mug", "variants": [{}]});
    let product = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
    let body = json!({"members": {"by": "hand", "products": [product, product]}, "order": "chosen"});
    shop.refused("/v1/collections/mugs/set", &body, 422, "collection_products").await;
}

#[tokio::test]
async fn a_picture_is_described_in_few_words_and_languages() {
    let gallery = Gallery::open().await;
    let asset = gallery.sent("image/png", &png(2, 2)).await;
    let path = format!("/v1/assets/{}", at(&asset, "/id"));
    let alt = |count: usize, words: &str| {
        let alt: Map<String, Value> =
            labels(count).into_iter().map(|(locale, _)| (locale, json!(words))).collect();
        json!({"alt": alt})
    };
    assert_problem(&patch(&gallery.shop, &path, &alt(51, "a mug")).await, 422, "asset_locales");
    let refused = patch(&gallery.shop, &path, &alt(50, &"x".repeat(51))).await;
    assert_problem(&refused, 422, "asset_words");
    assert_eq!(
        refused.text("/detail"),
        "the descriptions of an asset have at most 2500 bytes in all, not 2550"
    );
}

#[tokio::test]
async fn what_is_archived_becomes_no_other_product() {
    let all = Twins::open().await;
    let (keep, gone, pair) = all.paired().await;
    let archived = patch(&all.shop, &format!("/v1/products/{gone}"), &json!({"status": "archived"})).await;
    assert_eq!(archived.status, 200, "{}", archived.body);
    let merge = format!("/v1/duplicates/{pair}/merge");
    let refused = all.shop.refused(&merge, &json!({"keep": keep}), 409, "unmergeable").await;
    assert_eq!(refused.text("/detail"), format!("{gone} is archived"));
}
