//! A file becomes what storefronts show: sent to a signed address, told of, looked at, drawn anew, fetched.

use crate::sending::{send_file, walk};
use assets::Picture;
use axum::body::Bytes;
use http::{Method, Request};
use jpeg_encoder::{ColorType, Encoder};
use serde_json::{Value, json};
use tests::picturing::png;
use tests::*;

/// A shop whose operators and merchants show things.
pub(crate) struct Gallery {
    pub(crate) shop: Shop,
    pub(crate) alma: String,
}

impl Gallery {
    pub(crate) async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        Self { shop, alma }
    }

    /// A new asset of alma's, waiting for its file.
    pub(crate) async fn awaited(&self, content_type: &str, length: usize) -> Value {
        let new = json!({
            "merchant": self.alma, "name": "mug_01", "content_type": content_type, "length": length,
        });
        self.shop.done("/v1/assets", &new).await
    }

    /// One whose file was sent and looked at.
    pub(crate) async fn sent(&self, content_type: &str, file: &[u8]) -> Value {
        let asset = self.awaited(content_type, file.len()).await;
        assert_eq!(send_file(&self.shop, &asset["upload"], file).await, 200);
        self.shop.settle().await;
        self.asset(at(&asset, "/id")).await
    }

    pub(crate) async fn asset(&self, id: &str) -> Value {
        self.shop.get(&format!("/v1/assets/{id}")).await
    }

    /// The bucket's word of a file, once more.
    async fn tell(&self, asset: &Value, size: usize) {
        let path = at(asset, "/upload/url").split('?').next().unwrap().splitn(4, '/').nth(3).unwrap();
        let (bucket, key) = path.split_once('/').unwrap();
        let body = json!({"bucket": {"name": bucket}, "object": {"key": key, "size": size}}).to_string();
        let client = aws_sdk_sqs::Client::new(&self.shop.market.world.aws);
        let found = client.get_queue_url().queue_name("souk-MediaQueue").send().await.unwrap();
        client.send_message().queue_url(found.queue_url.unwrap()).message_body(body).send().await.unwrap();
    }

    /// What a browser gets: status, headers by name, and the file.
    pub(crate) async fn fetch(&self, url: &str) -> (u16, http::HeaderMap, Vec<u8>) {
        let path = url.strip_prefix("http://127.0.0.1:8080").expect("shown at the front door");
        let request = Request::builder().method(Method::GET).uri(path).body(Bytes::new()).unwrap();
        let answer = self.shop.market.cloud.http(request).await;
        (answer.status().as_u16(), answer.headers().clone(), answer.body().to_vec())
    }

    /// Names of files in the bucket, by how they begin.
    pub(crate) fn files(&self, begins: &str) -> Vec<String> {
        let folder = self.shop.market.cloud.folder().join("s3/souk-mediafiles");
        let root = format!("{}/", folder.to_string_lossy());
        let names = walk(&folder).into_iter().map(|path| path.replace(&root, ""));
        let mut names: Vec<String> = names.filter(|name| name.starts_with(begins)).collect();
        names.sort();
        names
    }
}

/// 48 × 32, a color in each quarter: red, green, blue, yellow.
const UPRIGHT: (u32, u32) = (48, 32);
const QUARTERS: [[u8; 3]; 4] = [[220, 30, 30], [30, 160, 60], [40, 60, 200], [240, 220, 40]];

fn color(x: u32, y: u32) -> [u8; 3] {
    let right = usize::from(x >= UPRIGHT.0 / 2);
    QUARTERS[right + if y >= UPRIGHT.1 / 2 { 2 } else { 0 }]
}

/// The picture as a camera stores it that was held so: turned, with the tag that says how.
pub(crate) fn held(orientation: u8) -> Vec<u8> {
    let (w, h) = UPRIGHT;
    let turned = orientation >= 5;
    let (wide, high) = if turned { (h, w) } else { (w, h) };
    let mut pixels = vec![0; usize::try_from(wide * high * 3).unwrap()];
    for y in 0..h {
        for x in 0..w {
            let (column, row) = match orientation {
                2 => (w - 1 - x, y),
                3 => (w - 1 - x, h - 1 - y),
                4 => (x, h - 1 - y),
                5 => (y, x),
                6 => (y, w - 1 - x),
                7 => (h - 1 - y, w - 1 - x),
                8 => (h - 1 - y, x),
                _ => (x, y),
            };
            let at = usize::try_from((row * wide + column) * 3).unwrap();
            pixels[at..at + 3].copy_from_slice(&color(x, y));
        }
    }
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 95);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0, 0]);
    encoder.add_app_segment(1, exif).unwrap();
    let side = |side: u32| u16::try_from(side).unwrap();
    encoder.encode(&pixels, side(wide), side(high), ColorType::Rgb).unwrap();
    file
}

/// Whether a picture shows the quarters where they belong; an encoder is a little off.
pub(crate) fn is_upright(file: &[u8]) -> bool {
    let picture = Picture::open(file).unwrap();
    let of = |x: u32, y: u32| {
        let at = usize::try_from((y * picture.width() + x) * 3).unwrap();
        picture.bytes()[at..at + 3].to_vec()
    };
    let centers = [(12, 8), (36, 8), (12, 24), (36, 24)];
    (picture.width(), picture.height()) == UPRIGHT
        && centers.iter().zip(QUARTERS).all(|((x, y), wanted)| {
            of(*x, *y).iter().zip(wanted).all(|(found, wanted)| found.abs_diff(wanted) < 16)
        })
}

#[tokio::test]
async fn a_picture_that_was_sent_is_drawn_anew_in_three_sizes_and_shown_for_ever() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let file = png(2, 2);
    let asset = gallery.awaited("image/png", file.len()).await;
    let id = at(&asset, "/id").to_owned();
    assert_eq!((at(&asset, "/status"), asset.get("shown")), ("awaited", None));
    assert_eq!(send_file(shop, &asset["upload"], &file).await, 200);
    shop.settle().await;
    let ready = gallery.asset(&id).await;
    assert_eq!(at(&ready, "/status"), "ready", "{ready}");
    let shown = &ready["shown"];
    assert_eq!(
        (at(shown, "/kind"), shown["width"].as_u64(), shown["file"].as_u64()),
        ("picture", Some(2), Some(1))
    );
    assert_eq!(shown["bytes"].as_u64(), u64::try_from(file.len()).ok());
    let sizes = shown["sizes"].as_array().unwrap();
    let named: Vec<&str> = sizes.iter().map(|size| at(size, "/size")).collect();
    assert_eq!(named, ["thumbnail", "card", "page"]);
    for size in sizes {
        for (format, content_type) in [("/webp", "image/webp"), ("/jpeg", "image/jpeg")] {
            let (status, headers, bytes) = gallery.fetch(at(size, format)).await;
            let said = |name: &str| headers[name].to_str().unwrap().to_owned();
            assert_eq!((status, said("content-type").as_str()), (200, content_type));
            assert_eq!(said("cache-control"), "public, max-age=31536000, immutable");
            assert_eq!(Picture::open(&bytes).map(|made| (made.width(), made.height())), Ok((2, 2)));
            assert!(!bytes.windows(3).any(|three| three == b"ben"), "who made it is nobody's business");
        }
    }
    assert_eq!(gallery.files("sent/"), Vec::<String>::new(), "what was sent is not kept");
    assert_eq!(shop.told(&id).await, ["asset.created.v1", "asset.ready.v1"]);
    let listed = shop.get(&format!("/v1/assets?merchant={}", gallery.alma)).await;
    assert_eq!(at(&listed, "/items/0/shown/thumbnail"), at(&sizes[0], "/jpeg"));
    assert_eq!(shop.get("/v1/assets").await["items"], json!([]), "the marketplace's own are none");
}

#[tokio::test]
async fn the_eight_orientations_of_a_camera_come_out_upright_and_alike() {
    let gallery = Gallery::open().await;
    for orientation in 1..=8 {
        let asset = gallery.sent("image/jpeg", &held(orientation)).await;
        assert_eq!(at(&asset, "/status"), "ready", "{asset}");
        for format in ["/shown/sizes/2/jpeg", "/shown/sizes/2/webp"] {
            let (status, _, bytes) = gallery.fetch(at(&asset, format)).await;
            assert_eq!(status, 200);
            assert!(is_upright(&bytes), "held as {orientation}, {format}");
            assert!(!bytes.windows(4).any(|four| four == b"Exif"), "what a camera wrote is gone");
        }
    }
}

#[tokio::test]
async fn a_file_that_is_told_of_five_times_is_judged_once_and_leaves_nothing_behind() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let file = png(2, 2);
    let asset = gallery.awaited("image/png", file.len()).await;
    let id = at(&asset, "/id").to_owned();
    assert_eq!(send_file(shop, &asset["upload"], &file).await, 200);
    shop.settle().await;
    let (ready, shown) = (gallery.asset(&id).await, gallery.files("media/"));
    assert_eq!(shown.len(), 2, "three sizes of so small a picture are one, twice: {shown:?}");
    // Sent again, and told of again with nothing there.
    for _ in 0..5 {
        assert_eq!(send_file(shop, &asset["upload"], &file).await, 200);
        gallery.tell(&asset, file.len()).await;
    }
    shop.settle().await;
    assert_eq!((gallery.asset(&id).await, gallery.files("media/")), (ready, shown));
    assert_eq!(gallery.files("sent/"), Vec::<String>::new());
    assert_eq!(shop.told(&id).await, ["asset.created.v1", "asset.ready.v1"]);
}

#[tokio::test]
async fn until_another_file_is_there_the_one_before_is_shown_and_then_nothing_of_it_is_left() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let first = gallery.sent("image/png", &png(2, 2)).await;
    let id = at(&first, "/id").to_owned();
    let before = gallery.files("media/");
    let path = format!("/v1/assets/{id}/replace");
    let next = held(1);
    let body = json!({"content_type": "image/jpeg", "length": next.len()});
    let replaced = shop.done(&path, &body).await;
    assert_eq!((at(&replaced, "/status"), replaced["file"].as_u64()), ("awaited", Some(2)));
    assert_eq!(replaced["shown"], first["shown"]);
    // A third is asked for before the second comes: the second is too late.
    let newest = shop.done(&path, &body).await;
    assert_eq!(send_file(shop, &replaced["upload"], &next).await, 200);
    shop.settle().await;
    assert_eq!((gallery.files("media/"), gallery.files("sent/")), (before, Vec::new()));
    assert_eq!(send_file(shop, &newest["upload"], &next).await, 200);
    shop.settle().await;
    let ready = gallery.asset(&id).await;
    assert_eq!((at(&ready, "/status"), ready["shown"]["file"].as_u64()), ("ready", Some(3)));
    let left = gallery.files("media/");
    assert!(!left.is_empty() && left.iter().all(|name| name.contains("/3/")), "{left:?}");
    let gone = gallery.fetch(at(&first, "/shown/sizes/0/jpeg")).await.0;
    assert_eq!(gone, 404);
    let told = ["created", "ready", "changed", "changed", "ready"].map(|word| format!("asset.{word}.v1"));
    assert_eq!(shop.told(&id).await, told);
}

#[tokio::test]
async fn what_is_deleted_is_gone_with_everything_made_of_it_and_nothing_comes_back() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let first = gallery.sent("image/png", &png(2, 2)).await;
    let id = at(&first, "/id").to_owned();
    let body = json!({"content_type": "image/png", "length": 9});
    let awaited = shop.done(&format!("/v1/assets/{id}/replace"), &body).await;
    let gone = shop.done(&format!("/v1/assets/{id}/delete"), &json!({})).await;
    assert_eq!((at(&gone, "/status"), gone.get("shown")), ("deleted", None));
    shop.settle().await;
    assert_eq!(gallery.files("media/"), Vec::<String>::new());
    assert_eq!(send_file(shop, &awaited["upload"], b"not a png").await, 200);
    shop.settle().await;
    assert_eq!((gallery.files("media/"), gallery.files("sent/")), (Vec::new(), Vec::new()));
    shop.refused(&format!("/v1/assets/{id}/replace"), &body, 409, "asset_deleted").await;
    let listed = shop.get(&format!("/v1/assets?merchant={}", gallery.alma)).await;
    assert_eq!(listed["items"], json!([]));
    assert_eq!(shop.told(&id).await.last().map(String::as_str), Some("asset.deleted.v1"));
}

#[tokio::test]
async fn a_check_finds_what_a_crash_has_left_and_what_is_shown_and_is_not_there() {
    let gallery = Gallery::open().await;
    let market = &gallery.shop.market;
    let (aws, environment) = (market.cloud.sdk_config("media"), market.cloud.environment("media").unwrap());
    let world = edge::World::new(aws, environment, market.clock.clone(), market.world.keys.clone()).unwrap();
    let asset = gallery.sent("image/png", &png(2, 2)).await;
    let shown = gallery.files("media/");
    let found = media::check(&world, false).await.unwrap();
    assert_eq!((found.files, found.stray, found.lacking), (2, Vec::new(), Vec::new()));
    // Of an older file, of an asset that never was, and of nothing.
    let bucket = market.cloud.folder().join("s3/souk-mediafiles");
    let (m, id) = (marketplace_id(), at(&asset, "/id"));
    let never = "ast_00000000000000000000000001";
    let stray = [format!("media/{m}/{never}/1/a.jpg"), format!("media/{m}/{id}/0/a_files/0/0_0.jpg")];
    let stray = [stray.to_vec(), vec!["media/odd".to_owned()]].concat();
    for name in &stray {
        let path = bucket.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, b"left").unwrap();
    }
    std::fs::remove_file(bucket.join(&shown[0])).unwrap();
    let found = media::check(&world, true).await.unwrap();
    assert_eq!((found.files, found.lacking), (4, vec![shown[0].clone()]));
    assert_eq!(found.stray, stray);
    assert_eq!(gallery.files("media/"), [shown[1].clone()]);
    assert_eq!(media::check(&world, true).await.unwrap().stray, Vec::<String>::new());
}

#[tokio::test]
async fn a_picture_is_described_by_language_and_shown_until_its_rights_end() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let asset = gallery.sent("image/png", &png(2, 2)).await;
    let id = at(&asset, "/id");
    let path = format!("/v1/assets/{id}");
    let patch = async |body: Value| {
        let sent = [("if-match", "*")];
        shop.api.send_with(Method::PATCH, &path, &body.to_string(), &sent).await.ok().unwrap()
    };
    let alt = json!({"en": "A mug", "de": "Ein Becher"});
    let told =
        patch(json!({"alt": alt, "rights": {"holder": "Studio", "until": "2026-03-10T00:00:00Z"}})).await;
    assert_eq!((&told["alt"], at(&told, "/rights/holder")), (&alt, "Studio"));
    let fewer = patch(json!({"alt": {"de": null}})).await;
    assert_eq!((&fewer["alt"], at(&fewer, "/shown/kind")), (&json!({"en": "A mug"}), "picture"));
    let free = patch(json!({"rights": {}})).await;
    assert_eq!((free.get("rights"), at(&free, "/shown/kind")), (None, "picture"));
    patch(json!({"rights": {"until": "2026-03-10T00:00:00Z"}})).await;
    shop.wait_until("2026-03-10T00:00:00Z").await;
    assert_eq!(gallery.asset(id).await.get("shown"), None, "its rights have ended");
    let listed = shop.get(&format!("/v1/assets?merchant={}", gallery.alma)).await;
    assert_eq!(listed["items"][0].get("shown"), None);
    shop.wait_minutes(10).await;
    assert_eq!(gallery.files("media/"), Vec::<String>::new(), "and what was made of it is gone");
    let new = json!({"content_type": "image/png", "length": 9});
    let again = shop.done(&format!("{path}/replace"), &new).await;
    assert_eq!(at(&again, "/status"), "awaited", "another file may be sent");
}

#[tokio::test]
async fn rights_may_begin_and_end_within_one_minute_before_the_file_comes_and_after() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let minute = json!({"since": "2026-03-10T00:00:10Z", "until": "2026-03-10T00:00:50Z"});
    let describe = async |id: &str| {
        let (path, body) = (format!("/v1/assets/{id}"), json!({"rights": minute}).to_string());
        shop.api.send_with(Method::PATCH, &path, &body, &[("if-match", "*")]).await.ok().unwrap();
    };
    let there = gallery.sent("image/png", &png(2, 2)).await;
    describe(at(&there, "/id")).await;
    let file = png(2, 2);
    let awaited = gallery.awaited("image/png", file.len()).await;
    describe(at(&awaited, "/id")).await;
    assert_eq!(send_file(shop, &awaited["upload"], &file).await, 200);
    shop.settle().await;
    assert_eq!(at(&gallery.asset(at(&awaited, "/id")).await, "/status"), "ready");
    shop.wait_until("2026-03-10T00:00:00Z").await;
    shop.wait_minutes(10).await;
    assert_eq!(gallery.files("media/"), Vec::<String>::new(), "what was made of both is gone");
}

#[tokio::test]
async fn a_large_picture_has_tiles_to_zoom_into_in_the_layout_of_deep_zoom() {
    let gallery = Gallery::open().await;
    let pixels = vec![127; 1_300 * 700 * 3];
    let mut file = Vec::new();
    Encoder::new(&mut file, 80).encode(&pixels, 1_300, 700, ColorType::Rgb).unwrap();
    let asset = gallery.sent("image/jpeg", &file).await;
    let zoom = at(&asset, "/shown/zoom");
    let (status, headers, manifest) = gallery.fetch(zoom).await;
    assert_eq!((status, headers["content-type"].to_str().unwrap()), (200, "application/xml"));
    let manifest = String::from_utf8(manifest).unwrap();
    assert!(manifest.contains("TileSize=\"510\"") && manifest.contains("Width=\"1300\""), "{manifest}");
    let tile = zoom.replace(".dzi", "_files/11/2_1.jpg");
    let (status, _, bytes) = gallery.fetch(&tile).await;
    let tile = Picture::open(&bytes).map(|tile| (tile.width(), tile.height()));
    assert_eq!((status, tile), (200, Ok((281, 191))));
    let page = Picture::open(&gallery.fetch(at(&asset, "/shown/sizes/2/jpeg")).await.2);
    assert_eq!(page.map(|page| (page.width(), page.height())), Ok((1_200, 646)));
}
