//! What everybody reads: lists that page and never hide a review for its stars, counts that are a recount, scores that
//! anybody can reckon again.

use serde_json::{Value, json};
use tests::reviewing::review_id;
use tests::*;

/// Orders of a mug each, delivered and reviewed with these stars.
async fn reviewed(stars: &[i64]) -> (Shop, String, String) {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let offer = shop.stocked(&alma, "mug", 50).await;
    shop.settle().await;
    for (number, stars) in stars.iter().enumerate() {
        let lines = json!([line(&alma, "mug", 1, "10.00")]);
        let order = shop.delivered_order(&format!("A-{number}"), lines).await;
        shop.wait_minutes(1).await;
        assert_eq!(shop.review(&review_id(&order, 1), *stars, "").await.status, 201);
    }
    let product = shop.product_of(&offer).await;
    (shop, alma, product)
}

/// All pages of a list.
async fn all(shop: &Shop, query: &str) -> Vec<i64> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = shop.guest().get(&format!("/v1/reviews?{query}&limit=2{cursor}")).await.ok().unwrap();
        found.extend(page["items"].as_array().unwrap().iter().map(|item| item["stars"].as_i64().unwrap()));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return found,
        }
    }
}

#[tokio::test]
async fn no_order_of_the_list_hides_a_review_for_its_stars() {
    let (shop, alma, product) = reviewed(&[5, 1, 4, 5, 1, 2]).await;
    for of in [format!("product={product}"), format!("merchant={alma}")] {
        assert_eq!(all(&shop, &of).await, [2, 1, 5, 4, 1, 5], "the newest first, whatever the stars");
        assert_eq!(all(&shop, &format!("{of}&sort=newest")).await, [2, 1, 5, 4, 1, 5]);
        assert_eq!(all(&shop, &format!("{of}&sort=best")).await, [5, 5, 4, 2, 1, 1]);
        assert_eq!(all(&shop, &format!("{of}&sort=worst")).await, [1, 1, 2, 4, 5, 5]);
        assert_eq!(all(&shop, &format!("{of}&stars=1")).await, [1, 1]);
        assert_eq!(all(&shop, &format!("{of}&stars=3")).await, [] as [i64; 0]);
        let mut helpful = all(&shop, &format!("{of}&sort=helpful")).await;
        helpful.sort_unstable();
        assert_eq!(helpful, [1, 1, 2, 4, 5, 5], "all of them");
    }
    let rating = shop.guest().get(&format!("/v1/ratings/products/{product}")).await.body;
    assert_eq!((rating["count"].as_u64(), rating["mean"].as_str()), (Some(6), Some("3.00")));
    assert_eq!(rating["stars"], json!({"five": 2, "four": 1, "three": 0, "two": 1, "one": 2}));
    // A negative one helps: it goes to the top of its list.
    let worst = shop.guest().get(&format!("/v1/reviews?product={product}&sort=worst")).await;
    let id = worst.text("/items/0/id").to_owned();
    shop.person("ines").post(&format!("/v1/reviews/{id}/helpful"), &json!({}), "").await.ok().unwrap();
    shop.settle().await;
    let first = shop.guest().get(&format!("/v1/reviews?product={product}&sort=helpful")).await;
    assert_eq!(first.text("/items/0/id"), id);
    for (query, field) in [
        ("sort=newest".to_owned(), "product"),
        (format!("product={product}&merchant={alma}"), "product"),
        (format!("product={product}&stars=6"), "stars"),
        (format!("product={product}&sort=positive"), "sort"),
        (format!("product={product}&stars=5&sort=best"), "sort"),
        ("product=x".to_owned(), "product"),
    ] {
        let answer = shop.guest().get(&format!("/v1/reviews?{query}")).await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(answer.text("/errors/0/field"), field, "{query}");
    }
}

#[tokio::test]
async fn a_merchants_score_shows_what_it_is_made_of_and_an_adjustment_has_its_reason() {
    let (shop, alma, _) = reviewed(&[5, 3]).await;
    // A third order is shipped after six days, a fourth is not delivered at all.
    let line = |sku: &str| json!([line(&alma, sku, 1, "10.00")]);
    let late = shop.paid_order("L-1", line("mug")).await;
    let never = shop.paid_order("L-2", line("mug")).await;
    shop.wait_days(6).await;
    shop.ship(&part(&late, 1), "late", json!([])).await;
    let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "sold out"});
    shop.done(&format!("/v1/merchant-orders/{}/reject", part(&never, 1)), &body).await;
    shop.settle().await;
    let path = format!("/v1/reviews/scores/{alma}");
    let score = shop.get(&path).await;
    let part_of = |score: &Value, at: usize| {
        let part = &score["parts"][at];
        (part["of"].as_u64().unwrap(), part["measured"].as_u64().unwrap(), part["points"].as_u64().unwrap())
    };
    assert_eq!(part_of(&score, 0), (2, 8, 75), "(8 − 2) of 8");
    assert_eq!(part_of(&score, 1), (3, 1, 67), "one of three parcels was late");
    assert_eq!(part_of(&score, 2), (4, 1, 75));
    assert_eq!(part_of(&score, 3), (4, 0, 100));
    // (60 × 75 + 15 × 67 + 15 × 75 + 10 × 100) / 100 = 76.3.
    assert_eq!((score["computed"].as_u64(), score["rules"].as_u64()), (Some(76), Some(0)));
    let adjust = format!("{path}/adjust");
    let answer = shop.post(&adjust, &json!({"points": 101, "reason": "x"})).await;
    assert_problem(&answer, 422, "invalid_value");
    let answer = shop.post(&adjust, &json!({"points": -20, "reason": ""})).await;
    assert_problem(&answer, 422, "invalid_value");
    let adjusted = shop.done(&adjust, &json!({"points": -20, "reason": "counterfeits"})).await;
    assert_eq!((adjusted["computed"].as_u64(), adjusted["score"].as_u64()), (Some(76), Some(56)));
    assert_eq!(at(&adjusted, "/adjustment/reason"), "counterfeits");
    let public = shop.guest().get(&format!("/v1/ratings/merchants/{alma}")).await.body;
    assert_eq!(public["score"].as_u64(), Some(56));
    let weights = json!({"reviews": 1, "shipped_on_time": 0, "not_canceled": 0, "not_disputed": 0});
    let mut policy = shop.get("/v1/reviews/policy").await;
    policy["weights"] = weights;
    shop.done("/v1/reviews/set-policy", &policy).await;
    let score = shop.get(&path).await;
    assert_eq!(
        (score["computed"].as_u64(), score["rules"].as_u64()),
        (Some(75), Some(1)),
        "by the new rules"
    );
}

/// What was handled is not known any more, as after thirty days.
async fn forget_marks(shop: &Shop) {
    let client = aws_sdk_dynamodb::Client::new(&shop.market.cloud.sdk_config("test"));
    let name = shop.market.world.variable("TABLE").unwrap();
    let mark = aws_sdk_dynamodb::types::AttributeValue::S("seen.1".to_owned());
    for item in shop.contents().await.into_values().filter(|item| item.get("kind") == Some(&mark)) {
        let gone = client.delete_item().table_name(name).key("PK", item["PK"].clone());
        gone.key("SK", item["SK"].clone()).send().await.unwrap();
    }
}

#[tokio::test]
async fn a_part_whose_parcels_leave_more_than_thirty_days_apart_is_one_order_of_its_merchant() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let one = json!([{"line": 1, "quantity": 1}]);
    for (parcel, days) in [("first", 31), ("second", 0)] {
        shop.ship(&part(&order, 1), parcel, one.clone()).await;
        let score = shop.get(&format!("/v1/reviews/scores/{alma}")).await;
        let shipped = &score["parts"][1];
        assert_eq!((&shipped["of"], &shipped["measured"]), (&json!(1), &json!(0)), "{parcel}: {score}");
        shop.wait_days(days).await;
        forget_marks(&shop).await;
    }
}
