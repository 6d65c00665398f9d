//! The catalog as guests see it: what is for sale, by whom, for how much, and whether it can be had.

use http::Method;
use serde_json::{Value, json};
use tests::storefront::Storefront;
use tests::*;

async fn patch(shop: &Shop, path: &str, body: Value) {
    let answer = shop.api.send_with(Method::PATCH, path, &body.to_string(), &[("if-match", "*")]).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    shop.settle().await;
}

async fn product_of(shop: &Shop, offer: &str) -> String {
    at(&shop.get(&format!("/v1/offers/{offer}")).await, "/product").to_owned()
}

async fn seen(market: &Storefront, path: &str) -> Value {
    let answer = market.guest.get(path).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.body
}

fn titles(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|row| at(row, "/title")).collect()
}

#[tokio::test]
async fn guests_see_active_products_and_never_a_draft_or_what_is_archived() {
    let market = Storefront::open().await;
    let [mug, bowl] =
        [product_of(&market.shop, &market.mug).await, product_of(&market.shop, &market.bowl).await];
    patch(&market.shop, &format!("/v1/products/{mug}"), json!({"status": "draft"})).await;
    patch(&market.shop, &format!("/v1/products/{bowl}"), json!({"status": "archived"})).await;
    let list = seen(&market, "/v1/shop/products").await;
    assert_eq!(titles(&list), ["scarf"]);
    for hidden in [mug, bowl, "prd_00000000000000000000000000".to_owned(), "x".to_owned()] {
        let answer = market.guest.get(&format!("/v1/shop/products/{hidden}")).await;
        assert_problem(&answer, 404, "not_found");
    }
}

#[tokio::test]
async fn offers_stand_by_their_prices_those_in_the_marketplace_s_currency_first() {
    let market = Storefront::open().await;
    let (shop, mug) = (&market.shop, product_of(&market.shop, &market.mug).await);
    let body =
        json!({"name": "cedar", "external_id": "cedar", "currency": "USD", "schedule": {"every": "day"}});
    let cedar = at(&shop.done("/v1/merchants", &body).await, "/id").to_owned();
    shop.done(&format!("/v1/merchants/{cedar}/approve"), &json!({})).await;
    for (merchant, amount, currency) in [(&cedar, "7.00", "USD"), (&market.birch, "11.00", "EUR")] {
        let price = json!({"amount": amount, "currency": currency});
        let body = json!({"merchant": merchant, "product": mug, "sku": "becher", "price": price});
        shop.done("/v1/offers", &body).await;
    }
    shop.settle().await;
    let page = seen(&market, &format!("/v1/shop/products/{mug}")).await;
    let offers = page["variants"][0]["offers"].as_array().unwrap();
    let prices: Vec<_> =
        offers.iter().map(|offer| [at(offer, "/price/amount"), at(offer, "/price/currency")]).collect();
    assert_eq!(prices, [["10.00", "EUR"], ["11.00", "EUR"], ["7.00", "USD"]]);
}

#[tokio::test]
async fn pages_and_categories_show_every_product_once() {
    let market = Storefront::open().await;
    market.shop.done("/v1/categories", &json!({"handle": "mugs", "name": "Mugs"})).await;
    let mug = product_of(&market.shop, &market.mug).await;
    patch(&market.shop, &format!("/v1/products/{mug}"), json!({"categories": ["mugs"]})).await;
    assert_eq!(titles(&seen(&market, "/v1/shop/products?category=mugs").await), ["mug"]);
    let tree = seen(&market, "/v1/shop/categories").await;
    assert_eq!(tree["items"], json!([{"handle": "mugs", "name": "Mugs"}]));
    let (mut found, mut next) = (Vec::new(), "/v1/shop/products?limit=2".to_owned());
    loop {
        let page = seen(&market, &next).await;
        found.extend(titles(&page).into_iter().map(str::to_owned));
        let Some(cursor) = page["next"].as_str() else { break };
        next = format!("/v1/shop/products?limit=2&cursor={cursor}");
    }
    found.sort_unstable();
    assert_eq!(found, ["bowl", "mug", "scarf"]);
}

#[tokio::test]
async fn a_product_shows_its_offers_the_cheapest_first_and_of_stock_only_whether_there_is_any() {
    let market = Storefront::stocked(2).await;
    let (shop, mug) = (&market.shop, product_of(&market.shop, &market.mug).await);
    let dear = json!({"merchant": market.birch, "product": mug, "sku": "cup", "price": eur("9.50")});
    let cup = at(&shop.done("/v1/offers", &dear).await, "/id").to_owned();
    shop.settle().await;
    let path = format!("/v1/shop/products/{mug}");
    let offer = |id: &str, merchant: &str, name: &str, sku: &str, price: &str, available: bool| {
        json!({
            "id": id, "merchant": merchant, "merchant_name": name, "sku": sku, "price": eur(price),
            "available": available,
        })
    };
    let of_birch = offer(&cup, &market.birch, "birch", "cup", "9.50", false);
    let of_alma = |available: bool| offer(&market.mug, &market.alma, "alma", "mug", "10.00", available);
    let variant = |offers: Value| json!([{"number": 1, "values": [], "offers": offers}]);
    let page = seen(&market, &path).await;
    let want = json!({
        "id": mug, "title": "mug", "categories": [], "axes": [], "media": [],
        "variants": variant(json!([of_birch, of_alma(true)])),
    });
    assert_eq!(page, want);
    // Whoever holds the last one leaves none to see.
    let cart = market.cart().await;
    market.edit(&cart, &json!({"add": [{"offer": market.mug, "quantity": 2}]})).await;
    assert_eq!(market.checkout(&cart, "hold", &json!({})).await.status, 200);
    let none = variant(json!([of_birch, of_alma(false)]));
    assert_eq!(seen(&market, &path).await["variants"], none);
    // A merchant that takes no orders sells nothing, and neither does an offer that is paused.
    let because = json!({"reason": "parcels come late"});
    shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &because).await;
    assert_eq!(seen(&market, &path).await["variants"], variant(json!([of_alma(false)])));
    patch(shop, &format!("/v1/offers/{}", market.mug), json!({"status": "paused"})).await;
    assert_eq!(seen(&market, &path).await["variants"], variant(json!([])));
}

#[tokio::test]
async fn a_list_is_one_query() {
    let market = Storefront::open().await;
    let calls = || market.shop.market.cloud.meter().take().iter().map(|line| line.calls).sum::<u64>();
    // The first request of a moment asks whose key the storefront's is.
    seen(&market, "/v1/shop/products").await;
    calls();
    seen(&market, "/v1/shop/products").await;
    assert_eq!(calls(), 1);
}

#[tokio::test]
async fn a_products_page_is_three_calls_however_many_offer_it() {
    let market = Storefront::open().await;
    let mug = product_of(&market.shop, &market.mug).await;
    for (name, price) in [("cedar", "9.00"), ("dune", "11.00")] {
        let merchant = market.shop.merchant(name, json!({"every": "day"})).await;
        let price = json!({"amount": price, "currency": "EUR"});
        let offer = json!({"merchant": merchant, "product": mug, "sku": name, "price": price});
        let offer = at(&market.shop.done("/v1/offers", &offer).await, "/id").to_owned();
        market.shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": 1})).await;
    }
    market.shop.settle().await;
    seen(&market, "/v1/shop/products").await;
    let _before = market.shop.market.cloud.meter().take();
    let page = seen(&market, &format!("/v1/shop/products/{mug}")).await;
    assert_eq!(page["variants"][0]["offers"].as_array().unwrap().len(), 3);
    let lines = market.shop.market.cloud.meter().take();
    let of_catalog = lines.iter().filter(|line| line.label == "catalog");
    // The product with its pictures beside the index of its offers; then offers, merchants and stock together.
    assert_eq!(of_catalog.map(|line| line.calls).sum::<u64>(), 3);
}
