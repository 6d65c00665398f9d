//! Pictures whose every write may go wrong, and whose every message may come three times and reversed: what is shown
//! is the same, and nothing lies in the bucket that nobody shows.

use crate::assets::Gallery;
use crate::recurring::cuts::{CUTS, Cut, Cuts, install};
use crate::sending::send_file;
use events::Envelope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;
use table::due::Work;
use tests::picturing::png;
use tests::*;

/// What goes wrong: which write, and how; none of them at first.
type Case = Option<(usize, Cut)>;

/// Writes that could go wrong, and whether the one that was to has.
type Seen = (usize, bool);

/// Every write of a function goes wrong once in every way; `run` looks itself whether what came of it is right.
async fn cut_everywhere(
    (function, work): (&'static str, Option<Work>),
    fewest: usize,
    run: impl AsyncFn(&Gallery, &Cuts, Case, usize) -> Seen,
) {
    let gallery = Gallery::open().await;
    let cuts = Cuts::in_the_way_of(&gallery.shop, &[(function, work)]);
    let quiet = async |case: Case| {
        cuts.none();
        let settled = gallery.shop.market.cloud.settle().await.unwrap();
        assert_eq!((settled.waiting, settled.dead, settled.stuck_streams), (0, 0, 0), "{case:?}");
        gallery.has_no_strays().await;
    };
    let (writes, _) = run(&gallery, &cuts, None, 0).await;
    assert!(writes >= fewest, "{writes} writes");
    quiet(None).await;
    let mut number = 0;
    for nth in 1..=writes {
        let mut came = false;
        for cut in CUTS {
            number += 1;
            let case = Some((nth, cut));
            came |= run(&gallery, &cuts, case, number).await.1;
            quiet(case).await;
        }
        Cuts::must_have_come(came, nth, writes);
    }
}

fn trouble(cuts: &Cuts, case: Case) {
    match case {
        None => cuts.none(),
        Some((nth, cut)) => cuts.cut(nth, cut),
    }
}

/// From here on nothing goes wrong any more.
fn well(cuts: &Cuts) -> Seen {
    let seen = (cuts.writes(), cuts.has_come());
    cuts.none();
    seen
}

impl Gallery {
    async fn has_no_strays(&self) {
        let market = &self.shop.market;
        let environment = market.cloud.environment("media").unwrap();
        let (aws, keys) = (market.cloud.sdk_config("media"), market.world.keys.clone());
        let world = edge::World::new(aws, environment, market.clock.clone(), keys).unwrap();
        let found = media::check(&world, false).await.unwrap();
        assert_eq!((found.stray, found.lacking), (Vec::new(), Vec::new()));
        assert_eq!(self.files("sent/"), Vec::<String>::new());
    }

    /// Time goes by, and what fails is tried again.
    async fn pass(&self, minutes: i64) {
        self.shop.market.cloud.settle().await.unwrap();
        self.shop.market.cloud.advance(SignedDuration::from_mins(minutes)).await.unwrap();
    }

    /// An asset of this name whose file is there, and was not looked at yet.
    async fn arriving(&self, name: &str) -> String {
        let asset = self.waiting(name).await;
        assert_eq!(send_file(&self.shop, &asset["upload"], &png(2, 2)).await, 200);
        at(&asset, "/id").to_owned()
    }

    async fn waiting(&self, name: &str) -> Value {
        let new = json!({
            "merchant": self.alma, "name": name, "content_type": "image/png", "length": png(2, 2).len(),
        });
        self.shop.done("/v1/assets", &new).await
    }

    async fn used_by(&self, asset: &str) -> Vec<String> {
        let page = self.shop.get(&format!("/v1/assets/{asset}/usages")).await;
        page["items"].as_array().unwrap().iter().map(|user| at(user, "/product").to_owned()).collect()
    }
}

#[tokio::test]
async fn pictures_are_linked_shown_and_taken_away_though_every_write_of_the_catalog_may_fail() {
    cut_everywhere(("catalog", None), 4, async |gallery, cuts, case, number| {
        let sku = format!("TEE{number}");
        let product = gallery.product(&sku, None).await;
        trouble(cuts, case);
        let second = gallery.arriving(&format!("{sku}_2.png")).await;
        gallery.pass(60).await;
        let first = gallery.arriving(&format!("{sku}_1.png")).await;
        gallery.pass(60).await;
        assert_eq!(gallery.seen_ids(&product).await, [first.clone(), second.clone()], "{case:?}");
        assert_eq!(gallery.used_by(&first).await, std::slice::from_ref(&product), "{case:?}");
        gallery.shop.done(&format!("/v1/assets/{first}/delete"), &json!({"force": true})).await;
        gallery.pass(60).await;
        assert_eq!(gallery.seen_ids(&product).await, std::slice::from_ref(&second), "{case:?}");
        assert_eq!(gallery.listed(&product).await, std::slice::from_ref(&second), "{case:?}");
        assert_eq!(gallery.used_by(&first).await, Vec::<String>::new(), "{case:?}");
        let told = gallery.shop.told(&first).await;
        let linked = told.iter().filter(|name| *name == "asset.linked.v1").count();
        assert_eq!(linked, 1, "{case:?}: {told:?}");
        well(cuts)
    })
    .await;
}

#[tokio::test]
async fn a_picture_waits_for_its_goods_though_every_write_of_the_catalog_may_fail() {
    cut_everywhere(("catalog", None), 1, async |gallery, cuts, case, number| {
        let sku = format!("CUP{number}");
        trouble(cuts, case);
        let picture = gallery.arriving(&format!("{sku}_1.png")).await;
        gallery.pass(60).await;
        let seen = well(cuts);
        let product = gallery.product(&sku, None).await;
        assert_eq!(gallery.seen_ids(&product).await, [picture], "{case:?}");
        seen
    })
    .await;
}

#[tokio::test]
async fn goods_find_the_pictures_that_wait_for_them_though_every_write_of_the_catalog_may_fail() {
    cut_everywhere(("catalog", None), 2, async |gallery, cuts, case, number| {
        let sku = format!("CAP{number}");
        let pictures =
            [gallery.picture(&format!("{sku}_1.png")).await, gallery.picture(&format!("{sku}_2.png")).await];
        let product = json!({
            "merchant": gallery.alma, "external_id": sku, "title": "Cap", "variants": [{}],
        });
        let product = gallery.shop.done("/v1/products", &product).await;
        trouble(cuts, case);
        gallery.pass(60).await;
        let seen = well(cuts);
        assert_eq!(gallery.seen_ids(at(&product, "/id")).await, pictures, "{case:?}");
        seen
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_looked_at_and_ends_with_its_rights_though_every_write_of_media_may_fail() {
    cut_everywhere(("media", Some(Work::Rights)), 4, async |gallery, cuts, case, number| {
        let asset = gallery.waiting(&format!("picture {number}")).await;
        let path = format!("/v1/assets/{}", at(&asset, "/id"));
        let until = gallery.shop.market.clock.now() + SignedDuration::from_hours(6);
        gallery.patch(&path, &json!({"rights": {"until": until.to_string()}})).await;
        trouble(cuts, case);
        assert_eq!(send_file(&gallery.shop, &asset["upload"], &png(2, 2)).await, 200);
        gallery.pass(120).await;
        let ready = gallery.shop.get(&path).await;
        assert_eq!(at(&ready, "/status"), "ready", "{case:?}");
        assert_eq!(gallery.fetch(at(&ready, "/shown/sizes/0/jpeg")).await.0, 200, "{case:?}");
        gallery.pass(8 * 60).await;
        let ended = gallery.shop.get(&path).await;
        assert_eq!((at(&ended, "/status"), ended.get("shown")), ("ended", None), "{case:?}");
        assert_eq!(gallery.files("media/"), Vec::<String>::new(), "{case:?}");
        let told = ["created", "changed", "ready", "ended"].map(|word| format!("asset.{word}.v1"));
        assert_eq!(gallery.shop.told(at(&asset, "/id")).await, told, "{case:?}");
        well(cuts)
    })
    .await;
}

/// The events of these subjects that the catalog hears of.
async fn heard(shop: &Shop, subjects: &[String]) -> Vec<Envelope> {
    let mut events = Vec::new();
    for subject in subjects {
        events.extend(shop.events(subject).await);
    }
    let names = [
        "product.created.v1",
        "product.described.v1",
        "offer.created.v1",
        "asset.ready.v1",
        "asset.changed.v1",
        "asset.deleted.v1",
    ];
    events.retain(|event| names.contains(&event.name.as_str()));
    events
}

#[tokio::test]
async fn what_the_catalog_is_told_three_times_and_backwards_is_shown_once_and_in_order() {
    let gallery = Gallery::open().await;
    let shop = &gallery.shop;
    let deaf = |_| {
        let answer = json!({"batchItemFailures": []});
        Box::pin(async move { Ok(answer) }) as futures::future::BoxFuture<'static, _>
    };
    let product = gallery.product("bag", Some("BAG")).await;
    let offers = shop.get(&format!("/v1/offers?product={product}")).await;
    shop.market.cloud.register("catalog", Arc::new(deaf));
    let mut pictures = Vec::new();
    for place in [3, 1, 2] {
        pictures.push(gallery.picture(&format!("BAG_{place}.png")).await);
    }
    shop.done(&format!("/v1/assets/{}/delete", pictures[0]), &json!({"force": true})).await;
    shop.settle().await;
    let subjects = [vec![product.clone(), at(&offers, "/items/0/id").to_owned()], pictures.clone()].concat();
    let events = heard(shop, &subjects).await;
    assert_eq!(events.len(), 6, "product, offer, three pictures, one that is gone");
    let (config, clock) = (shop.market.cloud.sdk_config("catalog"), shop.market.clock.clone());
    install(shop, "catalog", None, config, clock);
    for _ in 0..2 {
        for event in events.iter().rev() {
            let one = batch(&[serde_json::to_string(event).unwrap()]);
            for _ in 0..3 {
                let answer = shop.market.cloud.invoke("catalog", one.clone()).await.unwrap();
                assert_eq!(answer["batchItemFailures"], json!([]), "{}", event.name);
            }
        }
        shop.settle().await;
        let shown = [pictures[1].clone(), pictures[2].clone()];
        assert_eq!(gallery.seen_ids(&product).await, shown);
        assert_eq!(gallery.listed(&product).await, shown);
        let history = shop.get(&format!("/v1/products/{product}/sheet/history")).await;
        assert_eq!(history["items"].as_array().map(Vec::len), Some(2), "each was linked once");
    }
    gallery.has_no_strays().await;
}
