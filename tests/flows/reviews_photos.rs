//! Photos of reviews: sent to a signed address, looked at as what nobody trusts, drawn anew, shown.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::reviewing::review_id;
use tests::storefront::Storefront;
use tests::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where signed addresses of files lead.
const FILES: &str = "127.0.0.1:8081";

/// Sends a file to an address of a review's photo, as a browser does; answers the status.
async fn send_file(shop: &Shop, to: &Value, bytes: &[u8]) -> u16 {
    let headers: BTreeMap<String, String> = serde_json::from_value(to["headers"].clone()).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{headers}Content-Length: {}\r\n", bytes.len());
    files(shop, "PUT", at(to, "/url"), &head, bytes).await.0
}

/// What lies at a signed address.
async fn fetch_file(shop: &Shop, url: &str) -> (u16, Vec<u8>) {
    files(shop, "GET", url, "", &[]).await
}

async fn files(shop: &Shop, method: &str, url: &str, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let path = url.strip_prefix(&format!("http://{FILES}")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cloud = shop.market.cloud.clone();
    let served = tokio::spawn(async move { cloud.serve_aws(listener, axum::Router::new()).await });
    let mut browser = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {FILES}\r\nConnection: close\r\n{head}\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    browser.write_all(body).await.unwrap();
    let mut said = Vec::new();
    browser.read_to_end(&mut said).await.unwrap();
    served.abort();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&said[9..12]).parse().unwrap();
    (status, said[end + 4..].to_vec())
}

/// Two by two, red; made by hand, so that the tests need no painter.
fn png(width: u32, height: u32) -> Vec<u8> {
    let header = [width.to_be_bytes().to_vec(), height.to_be_bytes().to_vec(), vec![8, 2, 0, 0, 0]].concat();
    let pixels: [u8; 14] = [0, 255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0];
    let mut data = vec![0x78, 0x01, 1, 14, 0, 241, 255];
    data.extend_from_slice(&pixels);
    let sum = pixels.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    data.extend_from_slice(&((sum.1 << 16) | sum.0).to_be_bytes());
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [
        signature,
        chunk(b"IHDR", &header),
        chunk(b"tEXt", b"Author\0ben"),
        chunk(b"IDAT", &data),
        chunk(b"IEND", &[]),
    ]
    .concat()
}

fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let body = [kind.as_slice(), data].concat();
    let crc =
        body.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 }
            })
        });
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [length.as_slice(), &body, &(!crc).to_be_bytes()].concat()
}

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

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
    found
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
