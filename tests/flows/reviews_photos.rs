//! Photos of reviews: sent to a signed address, looked at as what nobody trusts, drawn anew, shown.

use crate::sending::{fetch_file, send_file, walk};
use serde_json::{Value, json};
use tests::picturing::png;
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;

struct Reviewed {
    market: Storefront,
    link: String,
}

impl Reviewed {
    async fn open() -> Self {
        let market = Storefront::open().await;
        let order = market.order().await;
        market.shop.fulfill(&part(&order, 1)).await;
        let id = review_id(&order, 1);
        market.shop.review(&id, 5, "").await;
        let link = format!("/v1/review-links/{}", market.shop.review_link(&id).await);
        Self { market, link }
    }

    async fn address(&self, number: i64, length: usize) -> Value {
        let body = json!({"number": number, "content_type": "image/png", "length": length});
        self.market.shop.guest().post(&format!("{}/photos", self.link), &body, "").await.ok().unwrap()
    }

    /// What has become of the photos.
    async fn photos(&self) -> Vec<Value> {
        self.market.shop.settle().await;
        let own = self.market.shop.guest().get(&self.link).await.body;
        own["photos"].as_array().cloned().unwrap_or_default()
    }

    async fn public(&self) -> Value {
        let path = format!("/v1/reviews?merchant={}", self.market.alma);
        self.market.shop.guest().get(&path).await.body["items"][0].clone()
    }
}

#[tokio::test]
async fn a_photo_is_drawn_anew_and_shown_and_what_was_sent_is_gone() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    let file = png(2, 2);
    let to = scene.address(1, file.len()).await;
    assert_eq!(at(&scene.photos().await[0], "/status"), "awaited");
    assert!(scene.public().await.get("photos").is_none());
    assert_eq!(send_file(shop, &to, &file).await, 200);
    let photos = scene.photos().await;
    assert_eq!(at(&photos[0], "/status"), "ready", "{photos:?}");
    let shown = scene.public().await;
    assert_eq!(
        (shown["photos"][0]["width"].as_u64(), shown["photos"][0]["height"].as_u64()),
        (Some(2), Some(2))
    );
    let (status, kept) = fetch_file(shop, at(&shown, "/photos/0/url")).await;
    assert_eq!((status, &kept[..3]), (200, b"\xff\xd8\xff".as_slice()), "it is a JPEG now");
    assert!(!kept.windows(3).any(|bytes| bytes == b"ben"));
    let sent = at(&to, "/url").split('?').next().unwrap().rsplit_once("/sent/").unwrap().1.to_owned();
    let folder = shop.market.cloud.folder();
    let left = walk(folder).into_iter().filter(|path| path.contains(&sent)).count();
    assert_eq!(left, 0, "what was sent is not kept");
    // The same address again: nobody waits for anything there.
    assert_eq!(send_file(shop, &to, &file).await, 200);
    assert_eq!(scene.photos().await.len(), 1);
    let again = json!({"number": 1, "content_type": "image/png", "length": 9});
    let again = shop.guest().post(&format!("{}/photos", scene.link), &again, "").await;
    assert_problem(&again, 409, "photo_there");
}

#[tokio::test]
async fn a_ten_gigapixel_header_and_what_is_no_picture_are_refused_and_may_be_sent_anew() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    for (file, why) in [
        (png(100_000, 100_000), "too_many_pixels"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec(), "not_a_picture"),
        (png(2, 2)[..60].to_vec(), "broken"),
    ] {
        let to = scene.address(1, file.len()).await;
        assert_eq!(send_file(shop, &to, &file).await, 200);
        let photos = scene.photos().await;
        assert_eq!((at(&photos[0], "/status"), at(&photos[0], "/refused")), ("refused", why));
        assert!(scene.public().await.get("photos").is_none());
    }
    for (body, field) in [
        (json!({"number": 1, "content_type": "image/svg+xml", "length": 9}), "content_type"),
        (json!({"number": 1, "content_type": "image/png", "length": 8_000_001}), "length"),
        (json!({"number": 1, "content_type": "image/png", "length": 0}), "length"),
    ] {
        let answer = shop.guest().post(&format!("{}/photos", scene.link), &body, "").await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(answer.text("/errors/0/field"), field);
    }
    for number in [0, 6, -1, 300] {
        let body = json!({"number": number, "content_type": "image/png", "length": 9});
        let answer = shop.guest().post(&format!("{}/photos", scene.link), &body, "").await;
        assert_problem(&answer, 409, "photo_no_place");
    }
}

#[tokio::test]
async fn an_address_takes_nothing_but_the_type_and_the_length_that_it_was_signed_for() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    let file = png(2, 2);
    let to = scene.address(2, file.len()).await;
    assert_eq!(send_file(shop, &to, &[file.clone(), vec![0]].concat()).await, 403);
    let mut other = to.clone();
    other["headers"]["content-type"] = json!("text/html");
    assert_eq!(send_file(shop, &other, &file).await, 403);
    assert_eq!(at(&scene.photos().await[0], "/status"), "awaited");
}
