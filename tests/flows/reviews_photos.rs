//! Photos of reviews: sent to a signed address, looked at as what nobody trusts, drawn anew, shown.

use crate::assets::{held, is_upright};
use crate::sending::{send_file, walk};
use axum::body::Bytes;
use http::{Method, Request};
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

/// What a browser gets at the front door.
async fn fetched(shop: &Shop, url: &str) -> Option<Vec<u8>> {
    let path = url.strip_prefix("http://127.0.0.1:8080").expect("shown at the front door");
    let request = Request::builder().method(Method::GET).uri(path).body(Bytes::new()).unwrap();
    let answer = shop.market.cloud.http(request).await;
    (answer.status() == 200).then(|| answer.body().to_vec())
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
    let sizes = shown["photos"][0]["sizes"].as_array().unwrap();
    assert_eq!(sizes.len(), 3);
    for size in sizes {
        for (format, begins) in [("/jpeg", b"\xff\xd8\xff".as_slice()), ("/webp", b"RIF".as_slice())] {
            let kept = fetched(shop, at(size, format)).await.unwrap();
            assert_eq!(&kept[..3], begins, "it was drawn anew");
            assert!(!kept.windows(3).any(|bytes| bytes == b"ben"));
        }
    }
    let sent = at(&to, "/url").split('?').next().unwrap().rsplit_once("/sent/").unwrap().1.to_owned();
    let folder = shop.market.cloud.folder();
    let left = walk(folder).into_iter().filter(|path| path.contains(&format!("/sent/{sent}"))).count();
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

#[tokio::test]
async fn a_photo_is_an_asset_that_no_list_shows_and_goes_when_an_operator_or_its_author_takes_it_away() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    let file = png(2, 2);
    for number in [1, 2] {
        let to = scene.address(number, file.len()).await;
        assert_eq!(send_file(shop, &to, &file).await, 200);
    }
    let photos = scene.photos().await;
    assert_eq!(photos.len(), 2);
    let [first, second] = [0, 1].map(|at: usize| photos[at]["photo"].clone());
    assert_eq!(shop.get("/v1/assets").await["items"], json!([]));
    let path = format!("/v1/assets/{}", at(&first, "/id"));
    let users = shop.get(&format!("{path}/usages")).await;
    let review = scene.public().await;
    assert_eq!(users["items"][0]["review"], review["id"]);
    shop.refused(&format!("{path}/delete"), &json!({}), 409, "asset_shown").await;
    shop.done(&format!("{path}/delete"), &json!({"force": true})).await;
    assert_eq!(scene.photos().await.len(), 1);
    assert_eq!(scene.public().await["photos"].as_array().map(Vec::len), Some(1));
    assert_eq!(shop.get(&format!("{path}/usages")).await["items"], json!([]));
    assert_eq!(fetched(shop, at(&first, "/sizes/0/jpeg")).await, None);
    // Its place is free again.
    let to = scene.address(1, file.len()).await;
    assert_eq!(send_file(shop, &to, &file).await, 200);
    let photos = scene.photos().await;
    let places: Vec<Option<u64>> = photos.iter().map(|photo| photo["number"].as_u64()).collect();
    assert_eq!(places, [Some(1), Some(2)]);
    // Whoever takes a review back takes its photos with it.
    shop.guest().post(&format!("{}/withdraw", scene.link), &json!({}), "").await.ok().unwrap();
    shop.settle().await;
    assert_eq!(fetched(shop, at(&second, "/sizes/0/jpeg")).await, None);
    let left: Vec<String> = walk(&shop.market.cloud.folder().join("s3/souk-mediafiles/media"));
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn a_film_at_an_address_for_a_photo_is_no_picture() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    let film = [&[0, 0, 0, 16][..], b"ftypisom\0\0\0\0"].concat();
    for (file, why) in [(film, "not_a_picture"), (b"GIF89a\x01\0\x01\0\0\0\0;".to_vec(), "not_a_picture")] {
        let to = scene.address(1, file.len()).await;
        assert_eq!(send_file(shop, &to, &file).await, 200);
        let photos = scene.photos().await;
        assert_eq!((at(&photos[0], "/status"), at(&photos[0], "/refused")), ("refused", why));
    }
}

#[tokio::test]
async fn a_photo_is_turned_as_its_camera_was_held_and_nothing_of_the_camera_is_left() {
    let scene = Reviewed::open().await;
    let shop = &scene.market.shop;
    for (number, orientation) in [(1, 3), (2, 6), (3, 8)] {
        let file = held(orientation);
        let to = scene.address(number, file.len()).await;
        assert_eq!(send_file(shop, &to, &file).await, 200);
    }
    let photos = scene.photos().await;
    assert_eq!(photos.len(), 3);
    for photo in &photos {
        for format in ["/photo/sizes/2/jpeg", "/photo/sizes/2/webp"] {
            let kept = fetched(shop, at(photo, format)).await.unwrap();
            assert!(is_upright(&kept), "{photo}");
            assert!(!kept.windows(4).any(|four| four == b"Exif"));
        }
    }
}
