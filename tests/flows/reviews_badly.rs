//! Reviews by those who must not, about what they must not, and with words that are no words.

use edge::links::{Link, Purpose};
use serde_json::json;
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;

async fn arrived() -> (Storefront, String) {
    let market = Storefront::open().await;
    let order = market.order().await;
    market.shop.fulfill(&part(&order, 1)).await;
    (market, order)
}

#[tokio::test]
async fn a_forged_an_expired_and_another_links_token_open_nothing_and_a_replayed_one_writes_one_review() {
    let (market, order) = arrived().await;
    let (shop, id) = (&market.shop, review_id(&order, 1));
    let good = shop.review_link(&id).await;
    let world = &shop.market.world;
    let cart = Link { purpose: Purpose::Cart, about: id.clone(), until: moment("2027-01-01T00:00:00Z") };
    let cart = cart.sign(world, &marketplace_id()).await.unwrap();
    let expired = shop.review_link_until(&id, "2026-03-01T00:00:00Z").await;
    let before = shop.contents().await;
    for (token, status, code) in [
        (forged(&good), 404, "not_found"),
        (format!("{}x", &good[..good.len() - 1]), 404, "not_found"),
        (good[..good.len() - 4].to_owned(), 404, "not_found"),
        ("x".to_owned(), 404, "not_found"),
        (cart, 404, "not_found"),
        (expired, 410, "link_expired"),
    ] {
        let path = format!("/v1/review-links/{token}");
        assert_problem(&shop.guest().get(&path).await, status, code);
        assert_problem(&shop.guest().post(&path, &json!({"stars": 1}), "").await, status, code);
    }
    assert!(shop.contents().await == before, "nothing was written");
    for _ in 0..3 {
        shop.review(&id, 4, "So it is").await;
    }
    assert_eq!(shop.public_stars(&format!("merchant={}", market.alma)).await, [4]);
}

#[tokio::test]
async fn a_request_that_is_repeated_takes_back_nothing_that_was_written_since() {
    let (market, order) = arrived().await;
    let (shop, id) = (&market.shop, review_id(&order, 1));
    let link = format!("/v1/review-links/{}", shop.review_link(&id).await);
    let record = format!("/v1/reviews/{id}/record");
    for (who, path, made) in [(shop.guest(), link, 201), (shop.api.clone(), record, 200)] {
        let write = async |stars: i64, key: &str| who.post(&path, &json!({"stars": stars}), key).await;
        let first = write(4, "first").await;
        assert_eq!((first.status.as_u16(), &first.body["stars"]), (made, &json!(4)), "{path}");
        let again = write(4, "first").await;
        assert_eq!((&again.body, &again.headers["etag"]), (&first.body, &first.headers["etag"]));
        assert_eq!(again.headers["idempotent-replayed"], "true");
        assert_eq!(write(2, "second").await.body["stars"], 2);
        shop.settle().await;
        let before = shop.contents().await;
        let again = write(4, "first").await;
        assert_eq!((again.status.as_u16(), &again.body["stars"]), (200, &json!(2)), "{path}");
        assert_eq!(again.headers["idempotent-replayed"], "true");
        for (stars, key) in [(3, "first"), (4, "second")] {
            assert_problem(&write(stars, key).await, 422, "idempotency_key_reused");
        }
        assert!(shop.contents().await == before, "nothing was written");
    }
    assert_problem(
        &shop.api.post(&format!("/v1/reviews/{id}/record"), &json!({"stars": 1}), "").await,
        400,
        "idempotency_key_missing",
    );
}

#[tokio::test]
async fn a_complaint_that_was_closed_may_come_again_and_one_that_is_open_stays_as_it_is() {
    let (market, order) = arrived().await;
    let (shop, id) = (&market.shop, review_id(&order, 1));
    shop.review(&id, 5, "Good").await;
    let (report, close) = (format!("/v1/reviews/{id}/report"), format!("/v1/reviews/{id}/close-report"));
    for who in [shop.guest(), shop.person("omar")] {
        let complain =
            async |reason: &str, key: &str| who.post(&report, &json!({"reason": reason}), key).await;
        let first = complain("spam", "first").await;
        assert_eq!((first.status.as_u16(), first.text("/reason")), (201, "spam"));
        let open = complain("an insult", "").await;
        assert_eq!((open.status.as_u16(), open.text("/status")), (200, "open"));
        assert_eq!(open.text("/reason"), "an insult", "nobody is shown what another has said");
        shop.settle().await;
        let reports = shop.get("/v1/reviews/reports").await;
        assert_eq!(reports["items"], json!([first.body]), "it stays as it is");
        let closed = shop.done(&close, &json!({"report": first.text("/id")})).await;
        let repeated = complain("spam", "first").await;
        assert_eq!((repeated.status.as_u16(), &repeated.body), (200, &closed), "asked before");
        assert_problem(&complain("an insult", "first").await, 422, "idempotency_key_reused");
        shop.settle().await;
        assert_eq!(shop.get("/v1/reviews/reports").await["items"], json!([]));
        shop.wait_minutes(1).await;
        let again = complain("an insult", "again").await;
        assert_eq!((again.status.as_u16(), again.text("/id")), (201, first.text("/id")));
        assert_eq!(
            (again.text("/reason"), again.text("/at")),
            ("an insult", shop.market.clock.now().to_string().as_str())
        );
        shop.settle().await;
        assert_eq!(shop.get("/v1/reviews/reports").await["items"], json!([again.body]));
        shop.done(&close, &json!({"report": first.text("/id")})).await;
    }
}

#[tokio::test]
async fn markup_in_words_and_names_stays_text_and_bad_words_are_named() {
    let (market, order) = arrived().await;
    let (shop, id) = (&market.shop, review_id(&order, 1));
    let path = format!("/v1/review-links/{}", shop.review_link(&id).await);
    let text = "<script>alert(1)</script> & \"quotes\"\nsecond line";
    let name = "<img src=x onerror=alert(1)>";
    let written = shop.guest().post(&path, &json!({"stars": 3, "text": text, "name": name}), "").await;
    assert_eq!((written.text("/text"), written.text("/name")), (text, name), "to the letter");
    for (body, field) in [
        (json!({"stars": 0}), "stars"),
        (json!({"stars": 6}), "stars"),
        (json!({"stars": -1}), "stars"),
        (json!({"stars": 3, "text": ""}), "text"),
        (json!({"stars": 3, "text": "x".repeat(4_001)}), "text"),
        (json!({"stars": 3, "text": "a\u{0}b"}), "text"),
        (json!({"stars": 3, "text": "a\u{202e}b"}), "text"),
        (json!({"stars": 3, "name": "a\nb"}), "name"),
    ] {
        let answer = shop.guest().post(&path, &body, "").await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(answer.text("/errors/0/field"), field, "{body}");
    }
    for body in [json!({}), json!({"stars": 4.5}), json!({"stars": "5"}), json!({"stars": 5, "html": "x"})] {
        assert_problem(&shop.guest().post(&path, &body, "").await, 400, "malformed_request");
    }
}

#[tokio::test]
async fn a_customer_reviews_lines_of_own_orders_only_and_votes_once_and_not_for_itself() {
    let (market, order) = arrived().await;
    let (shop, id) = (&market.shop, review_id(&order, 1));
    let (ines, omar) = (shop.person("ines"), shop.person("omar"));
    let own = format!("/v1/reviews/own/{id}");
    assert_problem(&ines.get(&own).await, 404, "not_found");
    assert_problem(&ines.post(&own, &json!({"stars": 1}), "").await, 404, "not_found");
    shop.review(&id, 5, "Good").await;
    let helpful = format!("/v1/reviews/{id}/helpful");
    for (who, count) in [(&ines, 1), (&ines, 1), (&omar, 2), (&omar, 2)] {
        let answer = who.post(&helpful, &json!({}), "").await;
        assert_eq!((answer.status.as_u16(), answer.body["helpful"].as_u64()), (200, Some(count)));
    }
    let report = format!("/v1/reviews/{id}/report");
    for reason in ["spam", "spam again"] {
        assert!(shop.guest().post(&report, &json!({"reason": reason}), "").await.status.is_success());
    }
    shop.settle().await;
    let reports = shop.get("/v1/reviews/reports").await;
    assert_eq!(reports["items"].as_array().unwrap().len(), 1, "guests' complaints are one");
    let close = json!({"report": reports["items"][0]["id"]});
    shop.done(&format!("/v1/reviews/{id}/close-report"), &close).await;
    shop.settle().await;
    assert_eq!(shop.get("/v1/reviews/reports").await["items"], json!([]));
    // Bought and signed in: the review is the author's own.
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let delivery = json!([{"merchant": market.alma, "service": "standard"}]);
    let edit = json!({
        "add": [{"offer": market.mug, "quantity": 1}], "contact": tests::storefront::contact(),
        "address": tests::storefront::address(), "delivery": delivery,
    });
    ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    let paid = tests::storefront::by_card("14.90", "tok_approved");
    let paid = ines.post(&format!("/v1/checkouts/{cart}/pay"), &paid, "").await.ok().unwrap();
    shop.settle().await;
    let bought = at(&paid, "/order/id").to_owned();
    shop.fulfill(&part(&bought, 1)).await;
    let id = review_id(&bought, 1);
    let own = format!("/v1/reviews/own/{id}");
    assert_eq!(ines.post(&own, &json!({"stars": 3}), "").await.status, 201);
    assert_problem(&omar.get(&own).await, 404, "not_found");
    assert_problem(&ines.post(&format!("/v1/reviews/{id}/helpful"), &json!({}), "").await, 409, "own_review");
    shop.settle().await;
    let list = ines.get("/v1/reviews/own").await;
    assert_eq!((list.body["items"].as_array().unwrap().len(), list.text("/items/0/id")), (1, id.as_str()));
    // Forgotten: what was said stays, and says no more who it was.
    ines.post(&own, &json!({"stars": 3, "name": "Ines"}), "").await.ok().unwrap();
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    shop.settle().await;
    ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    shop.settle().await;
    let kept = shop.get(&format!("/v1/reviews/{id}")).await;
    assert_eq!((kept["stars"].as_i64(), kept.get("name")), (Some(3), None));
    ines.post(&format!("{own}/withdraw"), &json!({}), "").await.ok().unwrap();
    assert_eq!(shop.rating(&format!("merchants/{}", market.alma)).await, (1, "5.00".to_owned()));
}
