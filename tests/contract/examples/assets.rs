//! The part of the story in which a picture comes to be shown.

use super::Story;
use aws_sdk_s3::primitives::ByteStream;
use http::Method;
use serde_json::{Value, json};
use tests::at;
use tests::picturing::png;

impl Story {
    /// A merchant's picture: sent, described, listed by a product, replaced, gone.
    pub(super) async fn showing(&mut self, alma: &str) {
        let file = png(2, 2);
        let new = json!({
            "merchant": alma, "name": "mug_01.png", "content_type": "image/png", "length": file.len(),
        });
        let asset = self.tell("assets.create", &[], new).await;
        self.signed_for_ever("assets.create");
        let id = at(&asset, "/id").to_owned();
        self.send(&asset, file.clone()).await;
        let words = json!({
            "alt": {"en": "A mug of stoneware, sand", "de": "Ein Becher aus Steinzeug, sandfarben"},
            "rights": {"holder": "Studio Alma", "since": "2026-01-01T00:00:00Z", "until": "2028-01-01T00:00:00Z"},
        });
        self.tell("assets.change", &[&id], words).await;
        self.show("assets.show", &[&id], "").await;
        let product = json!({"merchant": alma, "title": "A mug to be seen", "variants": [{}]});
        let product = self.shop.done("/v1/products", &product).await;
        let sheet = format!("/v1/products/{}/sheet", at(&product, "/id"));
        let listed = json!({"assets": [id]}).to_string();
        let answer = self.shop.api.send_with(Method::PATCH, &sheet, &listed, &[("if-match", "*")]).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.shop.settle().await;
        self.show("assets.usages", &[&id], "").await;
        self.show("assets.list", &[], &format!("?merchant={alma}")).await;
        let other = json!({"content_type": "image/png", "length": 5});
        let asset = self.tell("assets.replace", &[&id], other).await;
        self.signed_for_ever("assets.replace");
        self.send(&asset, b"<svg>".to_vec()).await;
        let waits = json!({
            "merchant": alma, "name": "jug_01.png", "content_type": "image/png", "length": file.len(),
        });
        let waits = self.shop.done("/v1/assets", &waits).await;
        self.send(&waits, file.clone()).await;
        let spare = json!({
            "merchant": alma, "name": "mug_02.png", "content_type": "image/png", "length": file.len(),
        });
        let spare = self.shop.done("/v1/assets", &spare).await;
        self.tell("assets.delete", &[at(&spare, "/id")], json!({})).await;
    }

    /// A file to the bucket, where a browser would put it.
    pub(super) async fn send(&self, asset: &Value, bytes: Vec<u8>) {
        let url = at(asset, "/upload/url");
        let path = url.split('?').next().and_then(|url| url.splitn(4, '/').nth(3)).expect("an address");
        let (bucket, key) = path.split_once('/').expect("a bucket and a key");
        let config = aws_sdk_s3::config::Builder::from(&self.shop.market.world.aws).force_path_style(true);
        let client = aws_sdk_s3::Client::from_conf(config.build());
        let put = client.put_object().bucket(bucket).key(key).body(ByteStream::from(bytes));
        put.send().await.expect("the bucket takes it");
        self.shop.settle().await;
    }
}
