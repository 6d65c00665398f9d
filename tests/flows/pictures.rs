//! Pictures where shoppers see them: linked to products by hand or by their names, shown while their rights last, and
//! found again by who shows them.

use crate::assets::Gallery;
use crate::sending::send_file;
use http::Method;
use serde_json::{Value, json};
use tests::picturing::png;
use tests::storefront::Storefront;
use tests::*;

impl Gallery {
    /// A product of alma's, with an offer of this SKU if it has one; answers its id.
    pub(crate) async fn product(&self, external_id: &str, sku: Option<&str>) -> String {
        let product = json!({
            "merchant": self.alma, "external_id": external_id, "title": "Mug", "variants": [{}],
        });
        let product = self.shop.done("/v1/products", &product).await;
        let id = at(&product, "/id").to_owned();
        if let Some(sku) = sku {
            let offer = json!({"merchant": self.alma, "product": id, "sku": sku, "price": eur("10.00")});
            self.shop.done("/v1/offers", &offer).await;
        }
        self.shop.settle().await;
        id
    }

    /// A picture of alma's of this name, looked at; answers its id.
    pub(crate) async fn picture(&self, name: &str) -> String {
        let file = png(2, 2);
        let new = json!({
            "merchant": self.alma, "name": name, "content_type": "image/png", "length": file.len(),
        });
        let asset = self.shop.done("/v1/assets", &new).await;
        assert_eq!(send_file(&self.shop, &asset["upload"], &file).await, 200);
        self.shop.settle().await;
        at(&asset, "/id").to_owned()
    }

    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Value {
        let sent = [("if-match", "*")];
        let answer = self.shop.api.send_with(Method::PATCH, path, &body.to_string(), &sent).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.shop.settle().await;
        answer.body
    }

    /// A product lists these assets, in this order.
    pub(crate) async fn lists(&self, product: &str, assets: &[&String]) {
        self.patch(&format!("/v1/products/{product}/sheet"), &json!({"assets": assets})).await;
    }

    /// What the sheet of a product lists.
    pub(crate) async fn listed(&self, product: &str) -> Vec<String> {
        let sheet = self.shop.get(&format!("/v1/products/{product}/sheet")).await;
        sheet["assets"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
    }

    /// What a guest sees of a product.
    pub(crate) async fn seen(&self, product: &str) -> Vec<Value> {
        let page = self.shop.guest().get(&format!("/v1/shop/products/{product}")).await.ok().unwrap();
        page["media"].as_array().unwrap().clone()
    }

    pub(crate) async fn seen_ids(&self, product: &str) -> Vec<String> {
        self.seen(product).await.iter().map(|media| at(media, "/id").to_owned()).collect()
    }

    /// The picture of the only product in the list.
    async fn cover(&self) -> Value {
        let page = self.shop.guest().get("/v1/shop/products").await.ok().unwrap();
        page["items"][0].get("cover").cloned().unwrap_or_default()
    }

    async fn users(&self, asset: &str) -> Vec<Value> {
        let page = self.shop.get(&format!("/v1/assets/{asset}/usages")).await;
        page["items"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn a_product_shows_its_pictures_in_their_order_with_sizes_and_words_and_lists_show_the_first() {
    let gallery = Gallery::open().await;
    let product = gallery.product("mug", None).await;
    let (front, back) = (gallery.picture("front").await, gallery.picture("back").await);
    assert_eq!((gallery.seen(&product).await, gallery.cover().await), (Vec::new(), Value::Null));
    gallery.lists(&product, &[&front, &back]).await;
    let seen = gallery.seen(&product).await;
    let kinds: Vec<(&str, &str)> = seen.iter().map(|one| (at(one, "/id"), at(one, "/kind"))).collect();
    assert_eq!(kinds, [(front.as_str(), "picture"), (back.as_str(), "picture")]);
    let sizes = seen[0]["sizes"].as_array().unwrap();
    let named: Vec<&str> = sizes.iter().map(|size| at(size, "/size")).collect();
    assert_eq!(named, ["thumbnail", "card", "page"]);
    assert_eq!((seen[0]["width"].as_u64(), seen[0]["height"].as_u64()), (Some(2), Some(2)));
    assert!(!at(&seen[0], "/blur_hash").is_empty());
    for format in ["/sizes/0/webp", "/sizes/2/jpeg"] {
        assert_eq!(gallery.fetch(at(&seen[0], format)).await.0, 200);
    }
    let cover = gallery.cover().await;
    assert_eq!(cover["sizes"].as_array().unwrap().len(), 2, "thumbnail and card");
    assert_eq!(cover["sizes"][0], sizes[0]);
    // Words and another order are there as soon as what told of them is worked off.
    let words = json!({"en": "The front of a mug", "de": "Ein Becher von vorn"});
    gallery.patch(&format!("/v1/assets/{front}"), &json!({"alt": words})).await;
    assert_eq!(gallery.seen(&product).await[0]["alt"], words);
    gallery.lists(&product, &[&back, &front]).await;
    assert_eq!(gallery.seen_ids(&product).await, [back.clone(), front.clone()]);
    let cover = gallery.cover().await;
    assert!(at(&cover, "/sizes/0/jpeg").contains(&back), "{cover}");
    // Another file is shown as soon as it is there, and the one before until then.
    let file = png(2, 2);
    let new = json!({"content_type": "image/png", "length": file.len()});
    let replaced = gallery.shop.done(&format!("/v1/assets/{back}/replace"), &new).await;
    gallery.shop.settle().await;
    assert!(at(&gallery.seen(&product).await[0], "/sizes/0/jpeg").contains("/1/"));
    assert_eq!(send_file(&gallery.shop, &replaced["upload"], &file).await, 200);
    gallery.shop.settle().await;
    assert!(at(&gallery.seen(&product).await[0], "/sizes/0/jpeg").contains("/2/"));
    assert!(at(&gallery.cover().await, "/sizes/0/jpeg").contains("/2/"));
    let told = gallery.shop.told(&product).await;
    let changes = told.iter().filter(|name| *name == "product.changed.v1").count();
    assert_eq!(changes, 3, "its first picture was another three times: {told:?}");
}

#[tokio::test]
async fn a_page_takes_as_many_calls_with_pictures_as_without_and_a_list_one() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let product = gallery.product("mug", Some("MUG")).await;
    let look = async |path: String| {
        let _before = shop.market.cloud.meter().take();
        shop.guest().get(&path).await.ok().unwrap();
        let lines = shop.market.cloud.meter().take();
        lines.iter().map(|line| (line.operation.clone(), line.calls)).collect::<Vec<_>>()
    };
    let pages = ["/v1/shop/products?limit=50".to_owned(), format!("/v1/shop/products/{product}")];
    // The first request of a moment asks whose key the storefront's is.
    look(pages[0].clone()).await;
    let before = [look(pages[0].clone()).await, look(pages[1].clone()).await];
    let mut assets = Vec::new();
    for place in 1..=6 {
        assets.push(gallery.picture(&format!("angle {place}")).await);
    }
    gallery.lists(&product, &assets.iter().collect::<Vec<_>>()).await;
    for number in 0..20 {
        let other = gallery.product(&format!("mug-{number}"), None).await;
        gallery.lists(&other, &[&assets[0]]).await;
    }
    assert_eq!(gallery.seen(&product).await.len(), 6);
    assert_eq!([look(pages[0].clone()).await, look(pages[1].clone()).await], before);
    let calls = |lines: &[(String, u64)]| lines.iter().map(|(_, calls)| calls).sum::<u64>();
    // A page takes one for the product and its pictures, one to find who offers it, and one for offers and merchants.
    assert_eq!(before.map(|lines| calls(&lines)), [1, 3]);
}

#[tokio::test]
async fn who_shows_an_asset_is_listed_and_what_is_shown_is_deleted_only_if_that_is_said() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let (mug, bowl) = (gallery.product("mug", None).await, gallery.product("bowl", None).await);
    let (front, back) = (gallery.picture("front").await, gallery.picture("back").await);
    assert_eq!(gallery.users(&front).await, Vec::<Value>::new());
    gallery.lists(&mug, &[&front, &back]).await;
    gallery.lists(&bowl, &[&front]).await;
    let users: Vec<String> =
        gallery.users(&front).await.iter().map(|user| at(user, "/product").to_owned()).collect();
    let mut wanted = vec![mug.clone(), bowl.clone()];
    wanted.sort();
    assert_eq!(users, wanted);
    let first = shop.get(&format!("/v1/assets/{front}/usages?limit=1")).await;
    let next = format!("/v1/assets/{front}/usages?limit=1&cursor={}", at(&first, "/next"));
    let second = shop.get(&next).await;
    assert_eq!([at(&first, "/items/0/product"), at(&second, "/items/0/product")], [&wanted[0], &wanted[1]]);
    assert_eq!(second.get("next"), None);
    let stranger = shop.calls_as("sk_birch");
    shop.merchant("birch", json!({"every": "day"})).await;
    shop.key("sk_birch", &["assets:read"], None).await;
    assert_eq!(stranger.get(&format!("/v1/assets/{front}/usages")).await.status, 200, "an operator's key");
    let delete = format!("/v1/assets/{front}/delete");
    let refused = shop.refused(&delete, &json!({}), 409, "asset_shown").await;
    assert_eq!(refused.body["places"].as_u64(), Some(2));
    gallery.lists(&bowl, &[]).await;
    assert_eq!(gallery.users(&front).await.len(), 1);
    assert_eq!(gallery.seen(&bowl).await, Vec::<Value>::new());
    let refused = shop.refused(&delete, &json!({}), 409, "asset_shown").await;
    assert_eq!(refused.body["places"].as_u64(), Some(1));
    let gone = shop.done(&delete, &json!({"force": true})).await;
    assert_eq!(at(&gone, "/status"), "deleted");
    shop.settle().await;
    assert_eq!(gallery.seen_ids(&mug).await, std::slice::from_ref(&back));
    assert_eq!(gallery.listed(&mug).await, std::slice::from_ref(&back));
    assert_eq!(gallery.users(&front).await, Vec::<Value>::new());
    let history = shop.get(&format!("/v1/products/{mug}/sheet/history")).await;
    assert_eq!(at(&history, "/items/0/reason"), "An asset was deleted");
    assert_eq!(at(&history, "/items/0/by"), "system:catalog");
    // A version that had it can be said again; it is taken away again.
    shop.done(&format!("/v1/products/{mug}/sheet/restore"), &json!({"version": 1})).await;
    shop.settle().await;
    assert_eq!(gallery.listed(&mug).await, [back]);
}

#[tokio::test]
async fn a_merchants_product_shows_no_other_merchants_assets() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let foreign = json!({"merchant": birch, "title": "Cup", "variants": [{}]});
    let foreign = at(&shop.done("/v1/products", &foreign).await, "/id").to_owned();
    let shared = json!({"title": "Pot", "variants": [{}]});
    let shared = at(&shop.done("/v1/products", &shared).await, "/id").to_owned();
    let picture = gallery.picture("front").await;
    gallery.lists(&foreign, &[&picture]).await;
    gallery.lists(&shared, &[&picture]).await;
    assert_eq!(gallery.seen(&foreign).await, Vec::<Value>::new());
    assert_eq!(gallery.seen_ids(&shared).await, std::slice::from_ref(&picture));
    let users = gallery.users(&picture).await;
    assert_eq!((users.len(), at(&users[0], "/product")), (1, shared.as_str()));
}

#[tokio::test]
async fn a_file_named_like_goods_is_their_picture_in_its_place_whichever_comes_first() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let back = gallery.picture("TEE_02.jpg").await;
    let waiting = gallery.asset(&back).await;
    assert_eq!(waiting["linked"], json!({"status": "waiting", "names": ["TEE_02", "TEE"]}));
    let told = ["asset.created.v1", "asset.ready.v1", "asset.unlinked.v1", "asset.linked.v1"];
    assert_eq!(shop.told(&back).await, told[..3]);
    // The SKU of an offer, and what a product is called.
    let tee = gallery.product("shirt", Some("TEE")).await;
    assert_eq!(gallery.listed(&tee).await, std::slice::from_ref(&back));
    assert_eq!(gallery.asset(&back).await["linked"], json!({"status": "linked", "product": tee}));
    assert_eq!(shop.told(&back).await, told);
    let detail = gallery.picture("shirt.detail.png").await;
    let main = gallery.picture("TEE.png").await;
    let front = gallery.picture("TEE-1.webp").await;
    let order = [main.clone(), front.clone(), back.clone(), detail.clone()];
    assert_eq!(gallery.listed(&tee).await, order);
    assert_eq!(gallery.seen_ids(&tee).await, order);
    // What a hand takes away stays away, whatever is told once more.
    gallery.lists(&tee, &[&detail, &main, &back]).await;
    gallery.patch(&format!("/v1/assets/{front}"), &json!({"alt": {"en": "A shirt"}})).await;
    assert_eq!(gallery.listed(&tee).await, [detail, main, back]);
    // A product that is called so, later.
    let cup = gallery.picture("CUP-12.jpg").await;
    let of_cup = gallery.product("CUP-12", None).await;
    assert_eq!(gallery.listed(&of_cup).await, [cup]);
    let history = shop.get(&format!("/v1/products/{of_cup}/sheet/history")).await;
    assert_eq!(at(&history, "/items/0/reason"), "A file is named so");
}

#[tokio::test]
async fn a_file_named_like_goods_of_another_keeper_or_of_none_says_so_and_another_name_may_fit() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    // The marketplace keeps the product, alma offers it.
    let product = json!({"title": "Pot", "variants": [{}]});
    let pot = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
    let offer = json!({"merchant": gallery.alma, "product": pot, "sku": "POT", "price": eur("10.00")});
    shop.done("/v1/offers", &offer).await;
    let picture = gallery.picture("POT_1.jpg").await;
    let said = gallery.asset(&picture).await["linked"].clone();
    assert_eq!(
        (at(&said, "/status"), at(&said, "/why"), at(&said, "/product")),
        ("unlinked", "not_kept", &*pot)
    );
    assert_eq!(gallery.listed(&pot).await, Vec::<String>::new());
    // Not named after anything.
    let plain = gallery.picture("front").await;
    assert_eq!(gallery.asset(&plain).await.get("linked"), None);
    // The name is given later.
    let mug = gallery.product("mug", None).await;
    gallery.patch(&format!("/v1/assets/{plain}"), &json!({"name": "mug_2.png"})).await;
    assert_eq!(gallery.listed(&mug).await, std::slice::from_ref(&plain));
    // Of another merchant the same name is another.
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let other = json!({"merchant": birch, "name": "mug_1.png", "content_type": "image/png", "length": 79});
    let other = shop.done("/v1/assets", &other).await;
    let file = png(2, 2);
    assert_eq!(send_file(shop, &other["upload"], &file).await, 403, "another length");
    shop.settle().await;
    assert_eq!(gallery.listed(&mug).await, [plain]);
}

#[tokio::test]
async fn what_has_no_rights_yet_or_any_more_is_not_shown_and_its_files_go_when_they_end() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let product = gallery.product("mug", None).await;
    let (front, back) = (gallery.picture("front").await, gallery.picture("back").await);
    gallery.lists(&product, &[&front, &back]).await;
    let address = at(&gallery.seen(&product).await[0], "/sizes/0/jpeg").to_owned();
    let span = json!({"since": "2026-03-10T00:00:00Z", "until": "2026-03-20T12:00:00Z"});
    gallery.patch(&format!("/v1/assets/{front}"), &json!({"rights": span})).await;
    assert_eq!(gallery.seen_ids(&product).await, std::slice::from_ref(&back));
    assert!(at(&gallery.cover().await, "/sizes/0/jpeg").contains(&back));
    assert_eq!(gallery.asset(&front).await.get("shown"), None);
    shop.wait_until("2026-03-10T00:10:00Z").await;
    assert_eq!(gallery.seen_ids(&product).await, [front.clone(), back.clone()]);
    assert!(at(&gallery.cover().await, "/sizes/0/jpeg").contains(&front));
    assert_eq!(gallery.fetch(&address).await.0, 200);
    shop.wait_until("2026-03-20T12:10:00Z").await;
    assert_eq!(gallery.seen_ids(&product).await, std::slice::from_ref(&back));
    assert!(at(&gallery.cover().await, "/sizes/0/jpeg").contains(&back));
    assert_eq!(gallery.fetch(&address).await.0, 404, "an address that somebody kept shows nothing");
    let ended = gallery.asset(&front).await;
    assert_eq!((at(&ended, "/status"), ended.get("shown")), ("ended", None));
    assert_eq!(shop.told(&front).await.iter().filter(|name| *name == "asset.ended.v1").count(), 1);
    // New rights and another file bring it back to its place.
    gallery.patch(&format!("/v1/assets/{front}"), &json!({"rights": {}})).await;
    let file = png(2, 2);
    let new = json!({"content_type": "image/png", "length": file.len()});
    let replaced = shop.done(&format!("/v1/assets/{front}/replace"), &new).await;
    assert_eq!(send_file(shop, &replaced["upload"], &file).await, 200);
    shop.settle().await;
    assert_eq!(gallery.seen_ids(&product).await, [front, back]);
    let reversed = json!({"rights": {"since": "2026-05-02T00:00:00Z", "until": "2026-05-01T00:00:00Z"}});
    let path = format!("/v1/assets/{}", gallery.picture("side").await);
    let sent = [("if-match", "*")];
    let refused = shop.api.send_with(Method::PATCH, &path, &reversed.to_string(), &sent).await;
    assert_problem(&refused, 422, "asset_rights");
}

#[tokio::test]
async fn a_letter_shows_the_picture_of_each_line_that_has_one_and_a_tile_with_its_letter_for_others() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let file = png(2, 2);
    let new = json!({
        "merchant": market.alma, "name": "mug_1.png", "content_type": "image/png", "length": file.len(),
    });
    let asset = shop.done("/v1/assets", &new).await;
    assert_eq!(send_file(shop, &asset["upload"], &file).await, 200);
    shop.settle().await;
    let asset = shop.get(&format!("/v1/assets/{}", at(&asset, "/id"))).await;
    assert_eq!(at(&asset, "/linked/status"), "linked", "{asset}");
    let order = market.order().await;
    let subject = format!("Your order {order}");
    let mails = shop.market.cloud.mails().unwrap();
    let mail = mails.iter().find(|mail| mail.header("Subject") == subject).unwrap();
    let html = mail.html().replace("&#x2f;", "/");
    let picture = format!("<img src=\"{}\"", at(&asset, "/shown/sizes/0/jpeg"));
    assert_eq!(html.matches("<img ").count(), 1, "{html}");
    assert!(html.contains(&picture), "{html}");
    assert!(html.contains(">B<") && html.contains(">S<"), "the bowl and the scarf have none: {html}");
}
