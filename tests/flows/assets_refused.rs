//! Files that are not taken: why is said on the asset, with the figure or the place, and nothing is shown of them.

use crate::assets::Gallery;
use crate::sending::send_file;
use serde_json::json;
use tests::picturing::png;
use tests::*;

#[tokio::test]
async fn bombs_what_is_cut_off_mislabelled_or_scripted_are_refused_with_the_reason() {
    let gallery = Gallery::open().await;
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>".to_vec();
    let mut bombed = b"GIF89a\x01\0\x01\0\0\0\0".to_vec();
    for _ in 0..301 {
        bombed.extend_from_slice(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0");
    }
    bombed.push(0x3b);
    let cut = png(2, 2)[..60].to_vec();
    for (file, said_to_be, reason, words) in [
        (png(100_000, 100_000), "image/png", "too_many_pixels", "10000000000 pixels"),
        (bombed, "image/gif", "too_many_pixels", "301 frames are more than 300"),
        (cut, "image/png", "broken", "the file is cut off"),
        (b"<!doctype html><script>1</script>".to_vec(), "image/jpeg", "unknown_type", "HTML is a page"),
        (svg, "image/png", "unknown_type", "SVG may carry script"),
        (vec![0, 1, 2, 3], "video/mp4", "unknown_type", "it begins with 00 01 02 03"),
    ] {
        let asset = gallery.sent(said_to_be, &file).await;
        assert_eq!((at(&asset, "/status"), at(&asset, "/refused/reason")), ("refused", reason));
        assert!(at(&asset, "/refused/message").contains(words), "{}", asset["refused"]);
        assert_eq!(asset.get("shown"), None);
        let told = gallery.shop.told(at(&asset, "/id")).await;
        assert_eq!(told, ["asset.created.v1", "asset.refused.v1"]);
    }
    assert_eq!((gallery.files("media/"), gallery.files("sent/")), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn a_file_is_what_its_content_says_whatever_it_was_said_to_be() {
    let gallery = Gallery::open().await;
    let asset = gallery.sent("image/jpeg", &png(2, 2)).await;
    assert_eq!((at(&asset, "/status"), at(&asset, "/shown/kind")), ("ready", "picture"));
    let document = gallery.sent("image/png", b"%PDF-1.7\n%%EOF").await;
    assert_eq!(at(&document, "/shown/kind"), "document");
    let (status, headers, _) = gallery.fetch(at(&document, "/shown/url")).await;
    let said = |name: &str| headers[name].to_str().unwrap().to_owned();
    assert_eq!((status, said("content-disposition").as_str()), (200, "attachment"));
    assert_eq!(
        (said("content-type").as_str(), said("x-content-type-options").as_str()),
        ("application/pdf", "nosniff")
    );
}

#[tokio::test]
async fn what_takes_the_place_of_a_picture_and_is_none_leaves_it_shown() {
    let gallery = Gallery::open().await;
    let first = gallery.sent("image/png", &png(2, 2)).await;
    let path = format!("/v1/assets/{}/replace", at(&first, "/id"));
    let replaced = gallery.shop.done(&path, &json!({"content_type": "image/png", "length": 5})).await;
    assert_eq!(send_file(&gallery.shop, &replaced["upload"], b"<svg>").await, 200);
    gallery.shop.settle().await;
    let after = gallery.asset(at(&first, "/id")).await;
    assert_eq!((at(&after, "/status"), &after["shown"]), ("refused", &first["shown"]));
    assert_eq!(gallery.fetch(at(&after, "/shown/sizes/0/jpeg")).await.0, 200);
}

#[tokio::test]
async fn an_address_takes_nothing_but_the_type_and_the_length_that_it_was_signed_for() {
    let gallery = Gallery::open().await;
    let file = png(2, 2);
    let asset = gallery.awaited("image/png", file.len()).await;
    assert_eq!(send_file(&gallery.shop, &asset["upload"], &[file.clone(), vec![0]].concat()).await, 403);
    let mut other = asset["upload"].clone();
    other["headers"]["content-type"] = json!("text/html");
    assert_eq!(send_file(&gallery.shop, &other, &file).await, 403);
    assert_eq!(at(&gallery.asset(at(&asset, "/id")).await, "/status"), "awaited");
    for (content_type, length, field) in [
        ("image/svg+xml", 9_i64, "content_type"),
        ("image/png", 25_000_001, "length"),
        ("model/gltf-binary", 50_000_001, "length"),
        ("image/png", 0, "length"),
    ] {
        let body = json!({"name": "mug", "content_type": content_type, "length": length});
        let answer = gallery.shop.refused("/v1/assets", &body, 422, "invalid_value").await;
        assert_eq!(answer.text("/errors/0/field"), field);
    }
}

#[tokio::test]
async fn nobody_fetches_what_was_sent_or_climbs_out_of_what_is_shown() {
    let gallery = Gallery::open().await;
    let asset = gallery.awaited("image/png", 9).await;
    let sent = at(&asset, "/upload/url").split('?').next().unwrap().rsplit_once("/sent/").unwrap().1;
    for path in [
        format!("/sent/{sent}"),
        format!("/media/../sent/{sent}"),
        format!("/media/%2e%2e/sent/{sent}"),
        "/media/".to_owned(),
        "/media/nothing".to_owned(),
    ] {
        let status = gallery.fetch(&format!("http://127.0.0.1:8080{path}")).await.0;
        assert!([403, 404].contains(&status), "{path}: {status}");
    }
}

#[tokio::test]
async fn another_merchants_asset_is_not_there() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.key("sk_birch", &["assets:write"], Some(&birch)).await;
    let stranger = shop.calls_as("sk_birch");
    let asset = gallery.sent("image/png", &png(2, 2)).await;
    let path = format!("/v1/assets/{}", at(&asset, "/id"));
    assert_problem(&stranger.get(&path).await, 404, "not_found");
    let own = json!({"name": "hero", "content_type": "image/png", "length": 9});
    let marketplaces = shop.done("/v1/assets", &own).await;
    let path = format!("/v1/assets/{}", at(&marketplaces, "/id"));
    assert_problem(&stranger.get(&path).await, 404, "not_found");
    let theirs = stranger.post("/v1/assets", &own, "a").await;
    assert_eq!((theirs.status.as_u16(), theirs.text("/merchant")), (201, birch.as_str()));
}
