//! The catalog: categories, products with variants, offers; changed only by who has seen what is there.

use http::Method;
use serde_json::{Value, json};
use souk::api::Answer;
use tests::*;

async fn patch(shop: &Shop, path: &str, body: &Value, if_match: Option<&str>) -> Answer {
    let header = if_match.map(|tag| ("if-match", tag));
    shop.api.send_with(Method::PATCH, path, &body.to_string(), header.as_slice()).await
}

async fn product(shop: &Shop, body: Value) -> String {
    let mut product = json!({"title": "Mug", "variants": [{}]});
    product.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    at(&shop.done("/v1/products", &product).await, "/id").to_owned()
}

#[tokio::test]
async fn a_change_is_made_by_who_has_seen_what_is_there() {
    let shop = Shop::open().await;
    let path = format!("/v1/products/{}", product(&shop, json!({})).await);
    assert_problem(&patch(&shop, &path, &json!({"title": "Cup"}), None).await, 428, "precondition_required");
    let tag = shop.api.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
    let changed = patch(&shop, &path, &json!({"title": "Cup"}), Some(&tag)).await;
    assert_eq!((changed.status.as_u16(), changed.text("/title")), (200, "Cup"), "{}", changed.body);
    assert_problem(&patch(&shop, &path, &json!({"title": "Jug"}), Some(&tag)).await, 409, "stale");
    assert_problem(&patch(&shop, &path, &json!({"titel": "Jug"}), Some("*")).await, 400, "malformed_request");
}

#[tokio::test]
async fn a3_1_patch_replaces_what_it_names_and_leaves_the_rest() {
    let shop = Shop::open().await;
    for handle in ["mugs", "gifts"] {
        shop.done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
    }
    let body = json!({"description": "Fired twice.\nGlazed once.", "categories": ["mugs"]});
    let path = format!("/v1/products/{}", product(&shop, body).await);
    let next = patch(&shop, &path, &json!({"categories": ["gifts", "mugs"]}), Some("*")).await;
    assert_eq!(next.body["categories"], json!(["gifts", "mugs"]));
    assert_eq!(next.text("/description"), "Fired twice.\nGlazed once.");
    let next = patch(&shop, &path, &json!({"description": null}), Some("*")).await;
    assert_eq!(next.body.get("description"), None);
    assert_problem(&patch(&shop, &path, &json!({"title": 7}), Some("*")).await, 400, "malformed_request");
    let unknown = patch(&shop, &path, &json!({"categories": ["toys"]}), Some("*")).await;
    assert_problem(&unknown, 422, "invalid_value");
    assert_eq!(unknown.text("/errors/0/field"), "categories[0]");
    shop.settle().await;
    let of = shop.get("/v1/products?category=gifts").await;
    assert_eq!(of["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn variants_stay_because_offers_and_orders_name_them() {
    let shop = Shop::open().await;
    let variants = json!([{"values": ["red"]}, {"values": ["blue"], "gtin": "6291041500213", "weight": 380}]);
    let path =
        format!("/v1/products/{}", product(&shop, json!({"axes": ["color"], "variants": variants})).await);
    let fewer = json!({"variants": [{"number": 1, "values": ["red"]}]});
    assert_problem(&patch(&shop, &path, &fewer, Some("*")).await, 409, "variant_missing");
    let kept = |number: u16, value: &str| json!({"number": number, "values": [value]});
    let more = json!({"variants": [kept(2, "navy"), {"values": ["green"]}, kept(1, "red")]});
    let next = patch(&shop, &path, &more, Some("*")).await;
    let numbers: Vec<&Value> =
        next.body["variants"].as_array().unwrap().iter().map(|variant| &variant["number"]).collect();
    assert_eq!(numbers, [2, 3, 1]);
    let same = json!({"variants": [kept(1, "x"), kept(2, "x"), kept(3, "y")]});
    assert_problem(&patch(&shop, &path, &same, Some("*")).await, 422, "variant_values_same");
}

#[tokio::test]
async fn a3_3_merchant_and_sku_are_unique_and_a_repeat_is_the_same_offer() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mug = product(&shop, json!({})).await;
    let body = json!({"merchant": alma, "product": mug, "sku": "mug", "price": eur("14.50")});
    let first = shop.api.post("/v1/offers", &body, "first").await;
    assert_eq!(first.status, 201, "{}", first.body);
    let again = shop.api.post("/v1/offers", &body, "first").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, first.text("/id")));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    shop.refused("/v1/offers", &body, 409, "sku_taken").await;
    let found = shop.get(&format!("/v1/offers?merchant={alma}&sku=mug")).await;
    assert_eq!(at(&found, "/items/0/id"), first.text("/id"));
    shop.settle().await;
    let sellers = shop.get(&format!("/v1/offers?product={mug}")).await;
    assert_eq!(sellers["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_offer_is_refused_for_everything_that_is_wrong_with_it_at_once() {
    let shop = Shop::open().await;
    let price = json!({"amount": "-1", "currency": "USD"});
    let bad = json!({"merchant": "mer_00000000", "product": "prd_00000000", "sku": "", "price": price});
    let answer = shop.refused("/v1/offers", &bad, 422, "invalid_value").await;
    let fields: Vec<&str> =
        answer.body["errors"].as_array().unwrap().iter().map(|error| at(error, "/field")).collect();
    assert_eq!(fields, ["sku", "merchant", "product", "price"]);
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mug = product(&shop, json!({})).await;
    let body = |variant: u16| {
        let price = eur("1.00");
        json!({"merchant": alma, "product": mug, "variant": variant, "sku": "mug", "price": price})
    };
    shop.refused("/v1/offers", &body(2), 422, "unknown_variant").await;
    let archived =
        patch(&shop, &format!("/v1/products/{mug}"), &json!({"status": "archived"}), Some("*")).await;
    assert_eq!(archived.status, 200);
    shop.refused("/v1/offers", &body(1), 409, "product_archived").await;
}

#[tokio::test]
async fn a5_5_a_placed_order_keeps_its_price_when_the_offer_gets_another() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    let order = shop.place("A-1", json!([line(&alma, "mug", 2, "10.00")]), json!({})).await;
    let path = format!("/v1/offers/{mug}");
    let changed = patch(&shop, &path, &json!({"price": eur("99.00"), "status": "paused"}), Some("*")).await;
    assert_eq!(eur_at(&changed.body, "/price"), "99.00");
    let order = shop.order(at(&order, "/id")).await;
    assert_eq!(eur_at(&order, "/totals/items"), "20.00");
}

#[tokio::test]
async fn a_category_lies_in_the_tree_and_never_below_itself() {
    let shop = Shop::open().await;
    for (handle, parent) in [("home", Value::Null), ("kitchen", json!("home")), ("mugs", json!("kitchen"))] {
        shop.done("/v1/categories", &json!({"handle": handle, "name": handle, "parent": parent})).await;
    }
    let body = json!({"handle": "toys", "name": "Toys", "parent": "games"});
    shop.refused("/v1/categories", &body, 422, "invalid_value").await;
    shop.refused("/v1/categories", &json!({"handle": "mugs", "name": "M"}), 409, "category_taken").await;
    shop.refused("/v1/categories", &json!({"handle": "Mugs!", "name": "M"}), 422, "invalid_value").await;
    let circle = patch(&shop, "/v1/categories/home", &json!({"parent": "mugs"}), Some("*")).await;
    assert_problem(&circle, 409, "category_circle");
    let root = patch(&shop, "/v1/categories/mugs", &json!({"parent": null, "name": "Mugs"}), Some("*")).await;
    assert_eq!((root.text("/name"), root.body.get("parent")), ("Mugs", None));
    assert_problem(&shop.api.get("/v1/categories/toys").await, 404, "not_found");
}

#[tokio::test]
async fn a_product_named_by_its_keeper_is_there_once() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let body = json!({"merchant": alma, "external_id": "P-7", "title": "Mug", "variants": [{}]});
    shop.done("/v1/products", &body).await;
    shop.refused("/v1/products", &body, 409, "external_id_taken").await;
    product(&shop, json!({"external_id": "P-7"})).await;
}
