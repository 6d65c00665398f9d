//! Stock from receipt to shipment: promised at placement, never twice; back with a cancellation; short but not refused.

use http::Method;
use serde_json::{Value, json};
use tests::*;

async fn seller(shop: &Shop) -> String {
    shop.merchant("alma", json!({"every": "day"})).await
}

async fn buy(shop: &Shop, name: &str, merchant: &str, sku: &str, quantity: u32) -> Value {
    let order = shop.place(name, json!([line(merchant, sku, quantity, "10.00")]), json!({})).await;
    shop.settle().await;
    order
}

#[tokio::test]
async fn a7_1_available_is_on_hand_less_allocated_from_receipt_to_shipment() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    assert_eq!(shop.stock(&mug).await, (5, 0, 5));
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    assert_eq!(shop.stock(&mug).await, (5, 3, 2));
    let first = shop.ship(&part(&order, 1), "t1", json!([{"line": 1, "quantity": 1}])).await;
    assert_eq!(shop.stock(&mug).await, (4, 2, 2));
    shop.deliver(&part(&order, 1), &first).await;
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(shop.stock(&mug).await, (2, 0, 2));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a7_2_two_lines_on_one_offer_never_take_more_than_is_there() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    let lines = json!([line(&alma, "mug", 3, "10.00"), line(&alma, "mug", 3, "10.00")]);
    let order = shop.place("A-1", lines, json!({})).await;
    assert_eq!(order["lines"][0]["short"], 0);
    assert_eq!(order["lines"][1]["short"], 1);
    assert_eq!(shop.stock(&mug).await, (5, 5, 0));
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_for_what_is_not_there_is_accepted_and_told_as_a_shortage() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 1).await;
    let order = buy(&shop, "A-1", &alma, "mug", 4).await;
    let order = at(&order, "/id");
    assert!(shop.told(order).await.contains(&"order.shortage_raised.v1".to_owned()));
    let events = shop.events(order).await;
    let raised = events.iter().find(|event| event.name == "order.shortage_raised.v1").unwrap();
    assert_eq!(raised.data["lines"], json!([{"line": 1, "merchant": alma, "offer": mug, "missing": 3}]));
    assert_eq!(shop.merchant_order(&part(order, 1)).await["lines"][0]["short"], 3);

    // What is short leaves when it has come in, and not before.
    shop.pay(order).await;
    let path = format!("/v1/merchant-orders/{}/ship", part(order, 1));
    let parcel = json!({"carrier": "dhl", "tracking_number": "t1"});
    shop.refused(&path, &parcel, 409, "out_of_stock").await;
    shop.done(&format!("/v1/stock/{mug}/receive"), &json!({"quantity": 3})).await;
    shop.done(&path, &parcel).await;
    assert_eq!(shop.stock(&mug).await, (0, 0, 0));
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_sku_that_no_offer_has_is_sold_without_stock() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "gift card", 1, "10.00")])).await;
    assert_eq!(shop.order(&order).await["lines"][0].get("offer"), None);
    let told = shop.told(&order).await;
    assert!(!told.contains(&"order.shortage_raised.v1".to_owned()));
}

#[tokio::test]
async fn a_line_takes_title_and_category_from_its_offer_and_fees_follow() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    shop.done("/v1/categories", &json!({"handle": "mugs", "name": "Mugs"})).await;
    let product = json!({"merchant": alma, "title": "Mug", "categories": ["mugs"], "axes": ["color"],
        "variants": [{"values": ["red"]}, {"values": ["blue"]}]});
    let product = shop.done("/v1/products", &product).await;
    let offer = json!({"merchant": alma, "product": product["id"], "variant": 2, "sku": "mug-blue",
        "price": eur("12.00")});
    let offer = shop.done("/v1/offers", &offer).await;
    assert_eq!(at(&offer, "/title"), "Mug (blue)");
    let order = buy(&shop, "A-1", &alma, "mug-blue", 1).await;
    assert_eq!(order["lines"][0]["title"], "Mug (blue)");
    assert_eq!(order["lines"][0]["category"], "mugs");
    assert_eq!(order["lines"][0]["offer"], offer["id"]);
    assert_eq!(eur_at(&order, "/lines/0/unit_price"), "10.00", "a channel brings its own price");
}

#[tokio::test]
async fn a_canceled_or_rejected_line_gives_its_stock_back_once() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    let order = buy(&shop, "A-1", &alma, "mug", 2).await;
    shop.done(&format!("/v1/orders/{}/cancel", at(&order, "/id")), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    assert_eq!(shop.stock(&mug).await, (5, 0, 5));

    let order = shop.paid_order("A-2", json!([line(&alma, "mug", 4, "10.00")])).await;
    let lines = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
    shop.done(&format!("/v1/merchant-orders/{}/reject", part(&order, 1)), &lines).await;
    shop.settle().await;
    assert_eq!(shop.stock(&mug).await, (5, 3, 2));

    // The event again, and again.
    let rejected = shop.events(&order).await;
    let rejected = rejected.iter().find(|event| event.name == "merchant_order.rejected.v1").unwrap();
    let body = serde_json::to_string(rejected).unwrap();
    let world = |name: &str| {
        let environment = shop.market.cloud.environment(name).unwrap();
        let (aws, keys) = (shop.market.cloud.sdk_config(name), shop.market.world.keys.clone());
        edge::World::new(aws, environment, shop.market.clock.clone(), keys).unwrap()
    };
    let inventory = inventory::function(&world("inventory"));
    for _ in 0..2 {
        let answer = inventory.call(batch(&[body.clone(), body.clone()])).await.unwrap();
        assert_eq!(answer, json!({"batchItemFailures": []}));
    }
    assert_eq!(shop.stock(&mug).await, (5, 3, 2));
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_is_filled_from_the_location_that_has_all_of_it() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 2).await;
    let receive = format!("/v1/stock/{mug}/receive");
    shop.done(&receive, &json!({"quantity": 4, "location": "north"})).await;
    buy(&shop, "A-1", &alma, "mug", 3).await;
    let view = shop.get(&format!("/v1/stock/{mug}")).await;
    assert_eq!(view["available"], 3);
    let levels =
        |at: usize| (view["locations"][at]["location"].clone(), view["locations"][at]["available"].clone());
    assert_eq!((levels(0), levels(1)), ((json!("main"), json!(2)), (json!("north"), json!(1))));
}

#[tokio::test]
async fn a7_4_an_adjustment_has_a_reason_and_is_a_row_of_its_own() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    let adjust = format!("/v1/stock/{mug}/adjust");
    shop.refused(&adjust, &json!({"by": -1}), 400, "malformed_request").await;
    shop.refused(&adjust, &json!({"by": -1, "reason": ""}), 422, "invalid_value").await;
    shop.refused(&adjust, &json!({"by": 0, "reason": "counted"}), 422, "nothing_adjusted").await;
    shop.refused(&adjust, &json!({"by": -6, "reason": "counted"}), 409, "stock_below_zero").await;
    shop.done(&adjust, &json!({"by": -2, "reason": "broken"})).await;
    shop.done(&adjust, &json!({"by": 1, "reason": "found"})).await;
    assert_eq!(shop.stock(&mug).await, (4, 0, 4));
    let list = shop.get(&format!("/v1/stock/{mug}/movements")).await;
    let mut rows: Vec<String> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let (change, by) = (&row["change"], row.get("by").or(row.get("quantity")).unwrap());
            format!("{} {by}", change.as_str().unwrap())
        })
        .collect();
    rows.sort();
    assert_eq!(rows, ["adjusted -2", "adjusted 1", "received 5"]);
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_receipt_that_is_sent_twice_counts_once() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.offer(&alma, "mug", "10.00").await;
    let path = format!("/v1/stock/{mug}/receive");
    for _ in 0..2 {
        let answer = shop.api.post(&path, &json!({"quantity": 5}), "delivery-note-7").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }
    assert_eq!(shop.stock(&mug).await, (5, 0, 5));
    let other = shop.api.post(&path, &json!({"quantity": 6}), "delivery-note-7").await;
    assert_problem(&other, 422, "idempotency_key_reused");
}

#[tokio::test]
async fn stock_is_counted_in_whole_units_of_an_offer_that_keeps_it() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let mug = shop.offer(&alma, "mug", "10.00").await;
    let receive = format!("/v1/stock/{mug}/receive");
    for quantity in [0, -1, 1_000_000_000] {
        shop.refused(&receive, &json!({"quantity": quantity}), 422, "invalid_value").await;
    }
    shop.refused(&receive, &json!({"quantity": 1, "location": "Main Hall"}), 422, "invalid_value").await;
    shop.refused("/v1/stock/off_00000000/receive", &json!({"quantity": 1}), 404, "not_found").await;
    let product = shop.done("/v1/products", &json!({"title": "Course", "variants": [{}]})).await;
    let offer = json!({"merchant": alma, "product": product["id"], "sku": "course", "keeps_stock": false,
        "price": eur("90.00")});
    let offer = at(&shop.done("/v1/offers", &offer).await, "/id").to_owned();
    shop.refused(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": 1}), 409, "no_stock_kept").await;
    let order = buy(&shop, "A-1", &alma, "course", 3).await;
    assert_eq!(order["lines"][0]["short"], 0, "what keeps no stock is never short");
}

#[tokio::test]
async fn a1_2_another_merchants_offer_and_its_stock_are_not_there() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let mug = shop.stocked(&alma, "mug", 5).await;
    shop.member("ben", &birch, &["catalog:write", "inventory:write"]).await;
    let ben = shop.person("ben");
    for path in
        [format!("/v1/offers/{mug}"), format!("/v1/stock/{mug}"), format!("/v1/stock/{mug}/movements")]
    {
        assert_problem(&ben.get(&path).await, 404, "not_found");
    }
    let receipt = ben.post(&format!("/v1/stock/{mug}/receive"), &json!({"quantity": 1}), "r").await;
    assert_problem(&receipt, 404, "not_found");
    let offer = shop.get(&format!("/v1/offers/{mug}")).await;
    let product = at(&offer, "/product");
    let seen = ben.get(&format!("/v1/products/{product}")).await;
    assert_eq!(seen.status, 200, "a product is everybody's to see and to offer");
    let body = json!({"title": "Mine"}).to_string();
    let changed =
        ben.send_with(Method::PATCH, &format!("/v1/products/{product}"), &body, &[("if-match", "*")]).await;
    assert_problem(&changed, 404, "not_found");
    let own = json!({"product": product, "sku": "mug", "price": eur("9.00")});
    let own = ben.post("/v1/offers", &own, "offer").await;
    assert_eq!((own.status.as_u16(), own.text("/merchant")), (201, birch.as_str()), "{}", own.body);
    assert_ne!(own.text("/id"), mug, "a3_3: the same SKU of two merchants");
}

#[tokio::test]
async fn a_channels_order_is_known_again_whatever_has_become_of_its_merchant() {
    let shop = Shop::open().await;
    let alma = seller(&shop).await;
    shop.stocked(&alma, "mug", 5).await;
    let body = order_body("A-1", json!([line(&alma, "mug", 2, "10.00")]), json!({}));
    let placed = shop.done("/v1/orders", &body).await;
    shop.settle().await;
    shop.done(&format!("/v1/merchants/{alma}/suspend"), &json!({"reason": "parcels come late"})).await;
    let again = shop.post("/v1/orders", &body).await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, at(&placed, "/id")), "{}", again.body);
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = order_body("A-1", json!([line(&alma, "mug", 3, "10.00")]), json!({}));
    shop.refused("/v1/orders", &other, 409, "external_id_taken").await;
    shop.refused("/v1/orders", &order_body("A-2", json!([]), json!({})), 422, "order_empty").await;
    let fresh = order_body("A-3", json!([line(&alma, "mug", 1, "10.00")]), json!({}));
    shop.refused("/v1/orders", &fresh, 422, "invalid_value").await;
}
