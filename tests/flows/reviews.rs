//! Reviews: written about what has arrived, checked, published, answered, counted.

use serde_json::{Value, json};
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;

/// An order of a guest's: two mugs and a bowl of Alma's have arrived, Birch's scarf has not.
async fn arrived() -> (Storefront, String) {
    let market = Storefront::open().await;
    let order = market.order().await;
    let alma = part(&order, 1);
    market.shop.fulfill(&alma).await;
    (market, order)
}

fn line_of(view: &Value, offer: &str) -> u16 {
    let lines = view["lines"].as_array().unwrap();
    let number = lines.iter().position(|line| line["offer"] == offer).unwrap();
    u16::try_from(number + 1).unwrap()
}

#[tokio::test]
async fn a4_1_a_review_needs_a_delivered_line_and_there_is_one_per_line() {
    let (market, order) = arrived().await;
    let shop = &market.shop;
    let view = shop.order(&order).await;
    let (mug, scarf) =
        (review_id(&order, line_of(&view, &market.mug)), review_id(&order, line_of(&view, &market.scarf)));
    assert_problem(&shop.review(&scarf, 1, "").await, 409, "not_delivered");
    let token = shop.review_link(&mug).await;
    let form = shop.guest().get(&format!("/v1/review-links/{token}")).await;
    assert_eq!(
        (form.text("/status"), form.text("/title"), form.text("/merchant_name")),
        ("none", "mug", "alma")
    );
    let first = shop.review(&mug, 4, "").await;
    assert_eq!(
        (first.status.as_u16(), first.text("/status"), first.text("/id")),
        (201, "published", mug.as_str())
    );
    let again = shop.review(&mug, 4, "").await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["idempotent-replayed"]),
        (200, &"true".parse().unwrap())
    );
    let words = shop.review(&mug, 2, "The handle came off.").await;
    assert_eq!((words.status.as_u16(), words.text("/id")), (200, mug.as_str()), "it is the same review");
    let product = format!("product={}", shop.product_of(&market.mug).await);
    assert_eq!(shop.public_stars(&product).await, [2]);
    assert_eq!(shop.rating(&format!("merchants/{}", market.alma)).await, (1, "2.00".to_owned()));
    assert_problem(&shop.review(&review_id(&order, 9), 1, "").await, 404, "not_found");
}

#[tokio::test]
async fn a4_2_a_reply_cannot_overwrite_a_reply() {
    let (market, order) = arrived().await;
    let shop = &market.shop;
    let id = review_id(&order, 1);
    shop.review(&id, 1, "Late").await;
    let path = format!("/v1/reviews/{id}/reply");
    shop.key("sk_alma", &["reviews:write"], Some(&market.alma)).await;
    shop.key("sk_birch", &["reviews:write"], Some(&market.birch)).await;
    let (alma, birch) = (shop.calls_as("sk_alma"), shop.calls_as("sk_birch"));
    let text = |text: &str| json!({"text": text});
    assert_problem(&birch.post(&path, &text("Not ours"), "1").await, 404, "not_found");
    let reply = alma.post(&path, &text("We are sorry"), "1").await;
    assert_eq!(reply.text("/reply/text"), "We are sorry");
    assert_problem(&alma.post(&path, &text("It was not us"), "2").await, 409, "review_replied");
    let edited = [("if-match", "\"2\"")];
    let edit = text("It was the carrier").to_string();
    let edited = alma.send_with(http::Method::PATCH, &path, &edit, &edited).await;
    assert_eq!(edited.text("/reply/text"), "It was the carrier", "{}", edited.body);
    assert_eq!(edited.body["reply"]["edited"], true);
    assert_eq!(edited.text("/reply_before/0/text"), "We are sorry", "its history is kept");
    shop.settle().await;
    let shown = shop.guest().get(&format!("/v1/reviews?merchant={}", market.alma)).await;
    assert_eq!(shown.text("/items/0/reply/text"), "It was the carrier");
}

#[tokio::test]
async fn a4_3_the_average_counts_published_reviews_only_and_changes_at_once_on_rejection() {
    let (market, order) = arrived().await;
    let shop = &market.shop;
    let (first, second) = (review_id(&order, 1), review_id(&order, 2));
    shop.review(&first, 5, "Good").await;
    shop.review(&second, 2, "See www.elsewhere").await;
    let merchant = format!("merchants/{}", market.alma);
    assert_eq!(shop.rating(&merchant).await, (1, "5.00".to_owned()), "what waits does not count");
    let queue = shop.get("/v1/reviews/pending").await;
    assert_eq!(at(&queue, "/items/0/id"), second);
    assert_eq!(queue["items"][0]["reasons"], json!(["link"]));
    shop.done(&format!("/v1/reviews/{second}/publish"), &json!({})).await;
    assert_eq!(shop.rating(&merchant).await, (2, "3.50".to_owned()), "without a wait for anything");
    let why = json!({"reasons": ["advertising"], "note": "It names another shop"});
    shop.done(&format!("/v1/reviews/{first}/reject"), &why).await;
    assert_eq!(shop.rating(&merchant).await, (1, "2.00".to_owned()));
    let listed = shop.guest().get(&format!("/v1/reviews?merchant={}", market.alma)).await;
    let shown: Vec<&str> =
        listed.body["items"].as_array().unwrap().iter().map(|one| at(one, "/id")).collect();
    assert!(!shown.contains(&first.as_str()), "however late an index is");
    let token = shop.review_link(&first).await;
    let own = shop.guest().get(&format!("/v1/review-links/{token}")).await;
    assert_eq!((own.text("/status"), own.text("/note")), ("rejected", "It names another shop"));
    assert_eq!(own.body["reasons"], json!(["advertising"]), "its author is told why");
    shop.settle().await;
    shop.guest().post(&format!("/v1/review-links/{token}/withdraw"), &json!({}), "").await.ok().unwrap();
    assert_problem(
        &shop.post(&format!("/v1/reviews/{first}/publish"), &json!({})).await,
        409,
        "review_withdrawn",
    );
}
