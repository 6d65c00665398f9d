//! Carts: any field in any order, one put each, priced anew with what is wrong and what is missing.

use serde_json::{Value, json};
use tests::storefront::*;
use tests::*;

fn codes(cart: &Value, list: &str) -> Vec<String> {
    let list = cart[list].as_array().unwrap();
    list.iter().map(|one| at(one, "/code").to_owned()).collect()
}

#[tokio::test]
async fn a_guest_fills_a_cart_from_many_merchants_and_sees_what_is_missing() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    assert_eq!(codes(&market.show(&cart).await, "unmet"), ["cart_empty", "contact_missing"]);
    let filled = market.edit(&cart, &json!({"add": market.goods()})).await;
    assert_eq!(eur_at(&filled, "/totals/total"), "47.35");
    assert_eq!(
        codes(&filled, "unmet"),
        ["contact_missing", "address_missing", "delivery_missing", "payment_missing"]
    );
    let steps: Vec<&str> = filled["unmet"].as_array().unwrap().iter().map(|one| at(one, "/step")).collect();
    assert_eq!(steps, ["contact", "address", "delivery", "payment"]);
    // The cheapest first; goods of 27.35 weigh nothing known.
    let options = filled["parts"][0]["options"].as_array().unwrap();
    let offered: Vec<_> = options.iter().map(|one| (at(one, "/service"), eur_at(one, "/price"))).collect();
    assert_eq!(offered, [("standard", "4.90".to_owned()), ("express", "12.00".to_owned())]);

    let delivery = json!([
        {"merchant": market.alma, "service": "standard"},
        {"merchant": market.birch, "service": "express"},
    ]);
    let chosen = market.edit(&cart, &json!({"delivery": delivery})).await;
    // 47.35 + 4.90 + 12.00, and the tax in it: 3.19 + 1.17 + 0.78 and 3.19 + 1.92.
    assert_eq!(
        (eur_at(&chosen, "/totals/total"), eur_at(&chosen, "/totals/tax")),
        ("64.25".into(), "10.25".into())
    );
    assert_eq!(codes(&chosen, "explanation"), ["items", "delivery", "delivery", "tax"]);
    let whole = market.edit(&cart, &json!({"contact": contact(), "address": address()})).await;
    assert_eq!(codes(&whole, "unmet"), ["payment_missing"]);
    assert_eq!(whole["lines"][0]["tax"]["reason"], "standard");
    assert_eq!(market.show(&cart).await, whole);
}

#[tokio::test]
async fn an_edit_is_one_put_and_happens_once_however_often_it_is_sent() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    let path = format!("/v1/carts/{cart}/edit");
    let edit = json!({"add": [{"offer": market.mug, "quantity": 1}]});
    let first = market.guest.post(&path, &edit, "click-1").await;
    assert_eq!(first.body["lines"][0]["quantity"], 1);
    let again = market.guest.post(&path, &edit, "click-1").await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &first.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_problem(
        &market.guest.post(&path, &json!({"set": [{"line": 1, "quantity": 9}]}), "click-1").await,
        422,
        "idempotency_key_reused",
    );
    // Another click is another unit, on the same line.
    let second = market.guest.post(&path, &edit, "click-2").await;
    assert_eq!(second.body["lines"].as_array().unwrap().len(), 1);
    assert_eq!(second.body["lines"][0]["quantity"], 2);
    // Made twice under one key it is one cart.
    let open = json!({"country": "DE"});
    let key = "5b0c7f4e-9d3a-4b52-8a53-1c1e6c0f7a11";
    let one = market.guest.post("/v1/carts", &open, key).await;
    let two = market.guest.post("/v1/carts", &open, key).await;
    assert_eq!((one.status.as_u16(), two.status.as_u16()), (201, 200));
    assert_eq!(one.body["id"], two.body["id"]);
    // What others may think of too would give them each other's carts.
    let guessed = market.guest.post("/v1/carts", &open, "open-1").await;
    assert_problem(&guessed, 400, "idempotency_key_malformed");
    // The cart is its one item: nothing is told of it.
    let tail = cart.trim_start_matches("crt_");
    let items = market.shop.contents().await.into_keys().filter(|(pk, _)| pk.contains(tail));
    assert_eq!(items.map(|(_, sk)| sk).collect::<Vec<_>>(), ["CRT"]);
}

#[tokio::test]
async fn what_changes_between_steps_is_told_on_the_line() {
    let market = Storefront::stocked(3).await;
    let shop = &market.shop;
    let cart = market.ready().await;
    let changed = json!({"price": eur("11.00")}).to_string();
    let path = format!("/v1/offers/{}", market.mug);
    shop.api.send_with(http::Method::PATCH, &path, &changed, &[("if-match", "*")]).await.ok().unwrap();
    let paused = json!({"status": "paused"}).to_string();
    let path = format!("/v1/offers/{}", market.bowl);
    shop.api.send_with(http::Method::PATCH, &path, &paused, &[("if-match", "*")]).await.ok().unwrap();
    market.edit(&cart, &json!({"set": [{"line": 3, "quantity": 4}]})).await;
    let shown = market.show(&cart).await;
    let problems = |line: usize| {
        let list = shown["lines"][line]["problems"].as_array().unwrap();
        list.iter().map(|one| at(one, "/code").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        [problems(0), problems(1), problems(2)],
        [["price_changed"], ["unavailable"], ["insufficient_stock"]]
    );
    assert_eq!(shown["lines"][2]["problems"][0]["available"], 3);
    assert_eq!(codes(&shown, "unmet"), ["lines_unavailable", "payment_missing"]);
    shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &json!({"reason": "a trial"})).await;
    let shown = market.show(&cart).await;
    assert_eq!(at(&shown["lines"][2], "/problems/0/code"), "unavailable");
    // What cannot be bought is not put in.
    let refused = market.try_edit(&cart, &json!({"add": [{"offer": market.scarf, "quantity": 1}]})).await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(at(&refused.body, "/errors/0/code"), "unavailable");
}

#[tokio::test]
async fn a_signed_in_persons_cart_is_theirs_and_a_guests_can_be_taken_along() {
    let market = Storefront::open().await;
    let (ines, omar) = (market.shop.person("ines"), market.shop.person("omar"));
    let cart = market.ready().await;
    let claimed = ines.post(&format!("/v1/carts/{cart}/claim"), &json!({}), "").await;
    assert_eq!((claimed.status.as_u16(), at(&claimed.body, "/id")), (200, cart.as_str()));
    for other in [&omar, &market.guest] {
        assert_problem(&other.get(&format!("/v1/carts/{cart}")).await, 404, "not_found");
        let edit = other.post(&format!("/v1/carts/{cart}/edit"), &json!({}), "").await;
        assert_problem(&edit, 404, "not_found");
    }
    assert_eq!(ines.get(&format!("/v1/carts/{cart}")).await.status, 200);
    // Systems do not shop, a guest cannot claim, and nobody comes in without a key.
    assert_problem(&market.shop.api.get(&format!("/v1/carts/{cart}")).await, 403, "forbidden");
    let other = market.cart().await;
    assert_problem(
        &market.guest.post(&format!("/v1/carts/{other}/claim"), &json!({}), "").await,
        403,
        "forbidden",
    );
    for key in ["pk_unknown", ""] {
        let answer = market.shop.calls_as(key).get(&format!("/v1/carts/{other}")).await;
        assert_problem(&answer, 401, "unauthenticated");
    }
    // A secret key is no publishable key, nor the other way round.
    let secret = [("souk-key", SECRET)];
    let nobody = market.shop.calls_as("");
    let answer = nobody.send_with(http::Method::GET, &format!("/v1/carts/{other}"), "", &secret).await;
    assert_problem(&answer, 401, "unauthenticated");
    let bearer = [("authorization", "Bearer pk_shop")];
    let answer = nobody.send_with(http::Method::GET, "/v1/orders", "", &bearer).await;
    assert_problem(&answer, 401, "unauthenticated");
}

#[tokio::test]
async fn an_abandoned_cart_is_gone_after_its_days() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    market.shop.wait_days(30).await;
    assert_eq!(market.guest.get(&format!("/v1/carts/{cart}")).await.status, 200);
    market.shop.wait_days(1).await;
    assert_problem(&market.guest.get(&format!("/v1/carts/{cart}")).await, 404, "not_found");
}

#[tokio::test]
async fn a_bad_edit_hears_of_everything_that_is_wrong_and_changes_nothing() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let before = market.show(&cart).await;
    let edit = json!({
        "add": [{"offer": "off_nothing", "quantity": 1}, {"merchant": market.alma, "quantity": 1}],
        "set": [{"line": 1, "quantity": -1}, {"line": 2, "quantity": 1_000_001}],
        "contact": {"email": "nobody"},
        "address": {"country": "DE", "name": " ", "lines": [], "postal_code": "1"},
        "tax_id": "DE1",
        "delivery": [{"merchant": "alma", "service": "standard"}],
    });
    let refused = market.try_edit(&cart, &edit).await;
    assert_problem(&refused, 422, "invalid_value");
    let fields: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| at(error, "/field")).collect();
    for field in [
        "add[0].offer",
        "add[1].offer",
        "set[0].quantity",
        "set[1].quantity",
        "contact.email",
        "address.name",
        "address.lines",
        "address.postal_code",
        "delivery[0].merchant",
        "tax_id",
    ] {
        assert!(fields.contains(&field), "{field} is not among {fields:?}");
    }
    for (edit, code) in [
        (json!({"set": [{"line": 9, "quantity": 1}]}), "unknown_line"),
        (json!({"add": vec![json!({"offer": market.mug, "quantity": 1}); 81]}), "cart_line_count"),
        (json!({"set": [{"line": 1, "quantity": 1_000_000}], "add": market.goods()}), "cart_quantity"),
    ] {
        assert_problem(&market.try_edit(&cart, &edit).await, 422, code);
    }
    assert_problem(&market.try_edit(&cart, &json!({"price": "1"})).await, 400, "malformed_request");
    assert_problem(&market.guest.get("/v1/carts/crt_00000000").await, 404, "not_found");
    assert_problem(
        &market.guest.post("/v1/carts", &json!({"country": "Germany"}), "").await,
        422,
        "invalid_value",
    );
    assert_eq!(market.show(&cart).await, before);
    // Names of people are what they say they are.
    let name = "Zoë <script>alert(1)</script> 王";
    let mut named = address();
    named["name"] = json!(name);
    let edited = market.edit(&cart, &json!({"address": named})).await;
    assert_eq!(at(&edited, "/address/name"), name);
}

#[tokio::test]
async fn one_order_has_at_most_so_many_of_an_offer_as_its_merchant_allows() {
    let market = Storefront::open().await;
    let api = &market.shop.api;
    let path = format!("/v1/offers/{}", market.mug);
    let limit = async |limit: i64| {
        let body = json!({"order_limit": limit}).to_string();
        api.send_with(http::Method::PATCH, &path, &body, &[("if-match", "*")]).await
    };
    let cart = market.ready().await;
    assert_eq!(limit(1).await.ok().unwrap()["order_limit"], 1);
    let shown = market.show(&cart).await;
    let told =
        json!([{"code": "over_limit", "detail": "2 are wanted, and one order may have 1", "limit": 1}]);
    assert_eq!(shown["lines"][0]["problems"], told);
    assert_eq!(codes(&shown, "unmet"), ["lines_unavailable", "payment_missing"]);
    assert_problem(&market.pay(&cart, "57.15", "tok_approved").await, 409, "checkout_incomplete");
    let one = market.edit(&cart, &json!({"set": [{"line": 1, "quantity": 1}]})).await;
    assert_eq!(codes(&one, "unmet"), ["payment_missing"]);
    assert_problem(&limit(-1).await, 422, "invalid_value");
    assert_problem(&limit(1_000_001).await, 422, "invalid_value");
    assert_eq!(limit(0).await.ok().unwrap()["order_limit"], Value::Null);
}

#[tokio::test]
async fn an_edit_whose_amounts_cannot_be_summed_is_refused_and_not_kept() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    let dear = market.shop.offer(&market.alma, "dear", "10000000000000.00").await;
    market.shop.settle().await;
    let before = market.show(&cart).await;
    let edit = json!({"add": [{"offer": dear, "quantity": 10_000}]});
    assert_problem(&market.try_edit(&cart, &edit).await, 422, "amount_out_of_range");
    assert_eq!(market.show(&cart).await, before);
}

/// The product of an offer is this by now, and all that follows from it.
async fn product_is(shop: &Shop, offer: &str, change: &Value) -> String {
    let product = at(&shop.get(&format!("/v1/offers/{offer}")).await, "/product").to_owned();
    let path = format!("/v1/products/{product}");
    shop.api
        .send_with(http::Method::PATCH, &path, &change.to_string(), &[("if-match", "*")])
        .await
        .ok()
        .unwrap();
    shop.settle().await;
    product
}

#[tokio::test]
async fn what_is_of_a_draft_or_an_archived_product_can_neither_be_added_nor_paid() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    for status in ["draft", "archived"] {
        product_is(&market.shop, &market.mug, &json!({"status": status})).await;
        let shown = market.show(&cart).await;
        assert_eq!(at(&shown["lines"][0], "/problems/0/code"), "unavailable");
        assert_eq!(codes(&shown, "unmet"), ["lines_unavailable", "payment_missing"]);
        let add = json!({"add": [{"offer": market.mug, "quantity": 1}]});
        let refused = market.try_edit(&cart, &add).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(at(&refused.body, "/errors/0/code"), "unavailable");
        let total = eur_at(&shown, "/totals/total");
        let refused = market.pay(&cart, &total, "tok_approved").await;
        assert_problem(&refused, 409, "checkout_incomplete");
        assert_eq!(codes(&refused.body, "unmet"), ["lines_unavailable"]);
    }
    product_is(&market.shop, &market.mug, &json!({"status": "active"})).await;
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
}

#[tokio::test]
async fn an_offer_is_made_while_its_product_is_a_draft_and_sold_once_that_is_active() {
    let market = Storefront::open().await;
    let (shop, cart) = (&market.shop, market.cart().await);
    let draft = json!({"merchant": market.alma, "title": "Jug", "status": "draft", "variants": [{}]});
    let jug = at(&shop.done("/v1/products", &draft).await, "/id").to_owned();
    let price = eur("9.00");
    let offer =
        json!({"merchant": market.alma, "product": jug, "sku": "jug", "price": price, "keeps_stock": false});
    let offer = at(&shop.done("/v1/offers", &offer).await, "/id").to_owned();
    let add = json!({"add": [{"offer": offer, "quantity": 1}]});
    let refused = market.try_edit(&cart, &add).await;
    assert_eq!(at(&refused.body, "/errors/0/code"), "unavailable");
    shop.settle().await;
    product_is(shop, &offer, &json!({"status": "active"})).await;
    assert_eq!(eur_at(&market.edit(&cart, &add).await, "/totals/total"), "9.00");
}

#[tokio::test]
async fn a_change_of_a_products_category_or_weight_reaches_its_offers_however_its_events_come() {
    let market = Storefront::open().await;
    let (shop, m) = (&market.shop, marketplace_id());
    for handle in ["mugs", "gifts"] {
        shop.done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
    }
    let offer = || async {
        let key = table::Key::offer(&m, &market.mug.parse().unwrap());
        shop.market.world.table.load::<domain::catalog::Offer>(&key).await.unwrap().unwrap().value
    };
    let light = json!({"categories": ["mugs"], "variants": [{"number": 1, "weight": 250}]});
    product_is(shop, &market.mug, &light).await;
    let found = offer().await;
    assert_eq!((found.category, found.grams), (Some("mugs".parse().unwrap()), Some(250)));
    let heavy =
        json!({"title": "Big mug", "categories": ["gifts"], "variants": [{"number": 1, "weight": 900}]});
    let product = product_is(shop, &market.mug, &heavy).await;
    let found = offer().await;
    assert_eq!((found.category, found.grams), (Some("gifts".parse().unwrap()), Some(900)));
    assert_eq!((found.title.as_str(), found.price.minor), ("Big mug", 10_00));
    // What came first comes again, and last.
    let before = shop.contents().await;
    let mut events = [shop.events(&product).await, shop.events(&market.mug).await].concat();
    events.retain(|event| ["product.changed.v1", "offer.created.v1"].contains(&event.name.as_str()));
    assert_eq!(events.len(), 3);
    for event in events.iter().rev().chain(&events) {
        let body = serde_json::to_string(event).unwrap();
        let answer = shop.market.cloud.invoke("catalog", batch(&[body])).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]), "{}", event.name);
    }
    assert!(shop.contents().await == before, "a repeat has changed something");
}
