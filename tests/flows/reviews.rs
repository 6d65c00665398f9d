//! Reviews: written about what has arrived, checked, published, answered, counted.

use domain::review::Review;
use serde_json::{Value, json};
use table::Key;
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::subscribing::sign_up;
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

#[tokio::test]
async fn a16_3_what_a_guest_has_written_goes_along_to_the_account_and_says_no_more_who_it_was_once_that_is_erased()
 {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let cart = market.ready().await;
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    let order = paid.text("/order/id").to_owned();
    shop.fulfill(&part(&order, 1)).await;
    let id = review_id(&order, 1);
    let path = format!("/v1/review-links/{}", shop.review_link(&id).await);
    let written = shop.guest().post(&path, &json!({"stars": 4, "name": "Ines G."}), "").await;
    assert_eq!(written.status, 201, "{}", written.body);
    let (ines, customer) = sign_up(shop, "ines").await;
    ines.post("/v1/customers/me/claim-order", &json!({"cart": cart}), "").await.ok().unwrap();
    shop.settle().await;
    assert_eq!(ines.get("/v1/reviews/own").await.text("/items/0/id"), id);
    assert_problem(&ines.post(&format!("/v1/reviews/{id}/helpful"), &json!({}), "").await, 409, "own_review");
    let public = async || {
        let list = shop.guest().get(&format!("/v1/reviews?merchant={}", market.alma)).await.ok().unwrap();
        (list["items"][0]["stars"].clone(), list["items"][0].get("name").cloned())
    };
    assert_eq!(public().await, (json!(4), Some(json!("Ines G."))));
    ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    shop.settle().await;
    assert_eq!(public().await, (json!(4), None));
    // The erasure is heard of first: the review is the guest's still when the claim is heard of, and again.
    let key = Key::review(&marketplace_id(), &id.parse().unwrap());
    let table = &shop.market.world.table;
    let kept = async || table.load::<Review>(&key).await.unwrap().unwrap();
    let events = shop.events(&order).await;
    let claimed = events.iter().find(|event| event.name == "order.claimed.v1").unwrap();
    let guest = at(&claimed.data, "/from").parse().ok();
    let held = kept().await;
    let guests = Review { customer: guest, name: "Ines G.".parse().ok(), ..held.value.clone() };
    table.put(&marketplace_id(), Some(&held), &guests).await.unwrap();
    let told = serde_json::to_string(claimed).unwrap();
    let answer = shop.market.cloud.invoke("review-collection", batch(&[told.clone(), told])).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    let now = kept().await.value;
    assert_eq!((now.customer, now.name), (customer.parse().ok(), None));
}
