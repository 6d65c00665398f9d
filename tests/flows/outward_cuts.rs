//! Functions that reach out to people and systems, whose every write may go wrong, and whose every message may come
//! three times and reversed: what comes of it is the same, nothing goes out twice, nothing is lost.

use crate::recurring::cuts::{CUTS, Cut, Cuts, install};
use crate::webhooks::{Receiver, endpoint};
use events::Envelope;
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::cloud::Mail;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use table::due::Work;
use tests::storefront::Storefront;
use tests::*;

/// What goes wrong: which write, and how; none of them at first.
pub(crate) type Case = Option<(usize, Cut)>;

/// A storefront with one function in the way of which something is.
pub(crate) struct Scene {
    store: Storefront,
    cuts: Cuts,
    runs: AtomicUsize,
}

impl Scene {
    pub(crate) async fn open(function: &'static str, work: Option<Work>) -> Self {
        let store = Storefront::open().await;
        let cuts = Cuts::in_the_way_of(&store.shop, &[(function, work)]);
        Self { store, cuts, runs: AtomicUsize::new(0) }
    }

    pub(crate) fn shop(&self) -> &Shop {
        &self.store.shop
    }

    pub(crate) fn store(&self) -> &Storefront {
        &self.store
    }

    /// From here on, one write goes wrong.
    pub(crate) fn trouble(&self, case: Case) {
        match case {
            None => self.cuts.none(),
            Some((nth, cut)) => self.cuts.cut(nth, cut),
        }
    }

    /// A number of its own for every run.
    pub(crate) fn run(&self) -> usize {
        self.runs.fetch_add(1, Ordering::SeqCst)
    }

    /// Time goes by, and what fails is tried again.
    pub(crate) async fn pass(&self, minutes: i64) {
        self.shop().market.cloud.settle().await.unwrap();
        self.shop().market.cloud.advance(SignedDuration::from_mins(minutes)).await.unwrap();
    }

    /// All is well at the end of a run.
    async fn is_quiet(&self, case: Case) {
        self.cuts.none();
        let settled = self.shop().market.cloud.settle().await.unwrap();
        assert_eq!((settled.waiting, settled.dead, settled.stuck_streams), (0, 0, 0), "{case:?}");
    }
}

/// Every write goes wrong once in every way; `run` looks itself whether what came of it is right.
pub(crate) async fn cut_everywhere(scene: &Scene, fewest: usize, run: impl AsyncFn(&Scene, Case)) {
    run(scene, None).await;
    let writes = scene.cuts.writes();
    assert!(writes >= fewest, "{writes} writes");
    scene.is_quiet(None).await;
    for nth in 1..=writes {
        let mut came = false;
        for cut in CUTS {
            let case = Some((nth, cut));
            run(scene, case).await;
            came |= scene.cuts.has_come();
            scene.is_quiet(case).await;
        }
        Cuts::must_have_come(came, nth, writes);
    }
}

fn mails(shop: &Shop, of: impl Fn(&Mail) -> bool) -> Vec<Mail> {
    shop.market.cloud.mails().unwrap().into_iter().filter(of).collect()
}

fn names_of(mails: &[Mail]) -> BTreeSet<String> {
    mails.iter().map(|mail| mail.header("Message-ID")).collect()
}

#[tokio::test]
async fn a_confirmation_whose_every_write_may_fail_is_one_message_and_is_known_to_be_sent() {
    let scene = Scene::open("notifications", None).await;
    cut_everywhere(&scene, 2, async |scene, case| {
        let cart = scene.store.ready().await;
        scene.trouble(case);
        let paid = scene.store.pay(&cart, "57.15", "tok_approved").await;
        scene.pass(60).await;
        let order = paid.text("/order/id").to_owned();
        let sent = mails(scene.shop(), |mail| mail.header("Subject") == format!("Your order {order}"));
        assert_eq!(names_of(&sent).len(), 1, "{case:?}");
        // Only where nobody could know that it went it goes again, under the same name.
        let unknown = matches!(case, Some((2, Cut::NotDone | Cut::GoneBefore)));
        assert_eq!(sent.len(), if unknown { 2 } else { 1 }, "{case:?}");
        let shown = scene.shop().get("/v1/messages?limit=1").await;
        assert_eq!(at(&shown, "/items/0/status"), "sent", "{case:?}");
    })
    .await;
}

#[tokio::test]
async fn a_reminder_whose_every_write_may_fail_goes_once_or_is_known_not_to_be_known() {
    let scene = Scene::open("notifications", None).await;
    let one = json!({
        "steps": [{"after_minutes": 60}], "hold_out_percent": 0, "time_zone": "UTC", "max_messages": 4,
        "max_messages_days": 7, "attribution_days": 7,
    });
    scene.shop().done("/v1/abandoned-carts/policy", &one).await;
    cut_everywhere(&scene, 2, async |scene, case| {
        let address = format!("reader-{}@post.example", scene.run());
        scene.shop().left_cart(&scene.store.alma, &address).await;
        scene.trouble(case);
        scene.pass(3 * 60).await;
        let sent = mails(scene.shop(), |mail| mail.to == [address.clone()]);
        // Before the first write nothing is known of it, so it goes; after it nobody knows whether it has gone.
        let lost = matches!(case, Some((1, Cut::NotHeard | Cut::GoneAfter)));
        assert_eq!(sent.len(), usize::from(!lost), "{case:?}");
        let shown = scene.shop().get("/v1/messages?limit=1").await;
        let unknown = lost || matches!(case, Some((2, Cut::NotDone | Cut::GoneBefore)));
        let status = if unknown { "not_sent" } else { "sent" };
        assert_eq!(at(&shown, "/items/0/status"), status, "{case:?}");
    })
    .await;
}

#[tokio::test]
async fn whoever_waits_for_goods_is_told_once_though_every_write_may_fail() {
    let scene = Scene::open("wish-lists", None).await;
    let stock = format!("/v1/stock/{}", scene.store.mug);
    scene.shop().done(&format!("{stock}/adjust"), &json!({"by": -100, "reason": "broken"})).await;
    cut_everywhere(&scene, 1, async |scene, case| {
        let name = format!("reader-{}", scene.run());
        let (person, address) = (scene.shop().person(&name), format!("{name}@post.example"));
        let sign_up = json!({"name": name, "email": address});
        person.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
        person.post("/v1/stock-alerts", &json!({"offer": scene.store.mug}), "").await.ok().unwrap();
        scene.trouble(case);
        scene.shop().done(&format!("{stock}/receive"), &json!({"quantity": 3})).await;
        scene.pass(60).await;
        assert_eq!(mails(scene.shop(), |mail| mail.to == [address.clone()]).len(), 1, "{case:?}");
        scene.shop().done(&format!("{stock}/adjust"), &json!({"by": -3, "reason": "broken"})).await;
        scene.pass(30).await;
        assert_eq!(person.get("/v1/stock-alerts").await.body["items"], json!([]), "{case:?}");
    })
    .await;
}

#[tokio::test]
async fn a_parcel_is_asked_about_once_though_every_write_may_fail() {
    let scene = Scene::open("review-collection", Some(Work::Review)).await;
    let mut policy = scene.shop().get("/v1/reviews/policy").await;
    (policy["ask_after_days"], policy["remind_after_days"]) = (json!(1), json!(0));
    scene.shop().done("/v1/reviews/set-policy", &policy).await;
    cut_everywhere(&scene, 3, async |scene, case| {
        let order = scene.store.order().await;
        let part = part(&order, 1);
        scene.trouble(case);
        let body = json!({"carrier": "dhl", "tracking_number": format!("all-{part}"), "lines": []});
        let shipped = scene.shop().done(&format!("/v1/merchant-orders/{part}/ship"), &body).await;
        let path = format!("/v1/merchant-orders/{part}/shipments/{}/track", at(&shipped, "/shipments/0/id"));
        scene.shop().done(&path, &json!({"status": "delivered"})).await;
        scene.pass(26 * 60).await;
        let events = scene.shop().events(&order).await.into_iter();
        let asked: Vec<Value> = events
            .filter(|event| event.name == "review.requested.v1")
            .map(|event| event.data["lines"].clone())
            .collect();
        assert_eq!(asked, [json!([1, 2])], "{case:?}");
    })
    .await;
    let letters = mails(scene.shop(), |mail| mail.header("Subject") == "How was it?");
    assert_eq!(letters.len(), names_of(&letters).len(), "a letter for each parcel, and no more");
}

#[tokio::test]
async fn a_webhook_whose_every_write_may_fail_arrives_under_one_id() {
    let scene = Scene::open("webhooks", Some(Work::Webhook)).await;
    let receiver = Receiver::open().await;
    let (id, _) = endpoint(scene.shop(), &receiver, &["category.*"], json!({})).await;
    cut_everywhere(&scene, 2, async |scene, case| {
        let handle = format!("handle-{}", scene.run());
        scene.trouble(case);
        scene.shop().done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
        scene.pass(60).await;
        let got = receiver.take();
        let ids: BTreeSet<&str> = got.iter().map(crate::webhooks::Got::id).collect();
        assert_eq!(ids.len(), 1, "{case:?}");
        let unknown = matches!(case, Some((2.., _)));
        assert!(got.len() == 1 || (unknown && got.len() == 2), "{case:?}: {}", got.len());
        let log = scene.shop().get(&format!("/v1/webhook-endpoints/{id}/deliveries?limit=1")).await;
        assert_eq!(at(&log, "/items/0/status"), "delivered", "{case:?}");
    })
    .await;
}

#[tokio::test]
async fn a_webhook_that_is_sent_again_by_hand_arrives_and_is_known_to_have_though_every_write_may_fail() {
    let scene = Scene::open("webhooks", Some(Work::Webhook)).await;
    let receiver = Receiver::open().await;
    endpoint(scene.shop(), &receiver, &["category.*"], json!({})).await;
    cut_everywhere(&scene, 3, async |scene, case| {
        let handle = format!("handle-{}", scene.run());
        scene.shop().done("/v1/categories", &json!({"handle": handle, "name": handle})).await;
        scene.shop().settle().await;
        let [first] = receiver.take().try_into().unwrap();
        let (path, key) = (format!("/v1/webhook-deliveries/{}", first.id()), scene.shop().fresh());
        scene.trouble(case);
        // Who hears of no good end asks once more.
        for _ in 0..2 {
            scene.shop().api.post(&format!("{path}/replay"), &json!({}), &key).await;
        }
        scene.pass(60).await;
        let got = receiver.take();
        assert!(got.iter().all(|got| got.id() == first.id()), "{case:?}");
        // Only where nobody knows of the call it is made again.
        let unknown = matches!(case, Some((3, Cut::NotDone | Cut::GoneBefore)));
        assert_eq!(got.len(), if unknown { 2 } else { 1 }, "{case:?}");
        assert_eq!(at(&scene.shop().get(&path).await, "/status"), "delivered", "{case:?}");
    })
    .await;
}

/// A storefront in which a function hears nothing until it is sent messages by hand.
async fn deaf(function: &'static str) -> Storefront {
    let store = Storefront::open().await;
    let deaf = |_| {
        let answer = json!({"batchItemFailures": []});
        Box::pin(async move { Ok(answer) }) as futures::future::BoxFuture<'static, _>
    };
    store.shop.market.cloud.register(function, Arc::new(deaf));
    store
}

/// The function hears again, and gets these: the last first, each three times.
async fn backwards(shop: &Shop, (function, work): (&'static str, Option<Work>), events: &[Envelope]) {
    install(shop, function, work, shop.market.cloud.sdk_config(function), shop.market.clock.clone());
    for event in events.iter().rev() {
        let body = serde_json::to_string(event).unwrap();
        for _ in 0..3 {
            let one = batch(std::slice::from_ref(&body));
            let answer = shop.market.cloud.invoke(function, one).await.unwrap();
            assert_eq!(answer["batchItemFailures"], json!([]), "{}", event.name);
        }
    }
    shop.settle().await;
}

/// What an order's story has of these kinds.
async fn story(shop: &Shop, order: &str, names: &[&str]) -> Vec<Envelope> {
    let events = shop.events(order).await.into_iter();
    events.filter(|event| names.contains(&event.name.as_str())).collect()
}

#[tokio::test]
async fn what_is_told_three_times_and_backwards_is_written_once() {
    let store = deaf("notifications").await;
    let shop = &store.shop;
    let order = store.order().await;
    shop.fulfill(&part(&order, 1)).await;
    let names =
        ["order.placed.v1", "merchant_order.opened.v1", "merchant_order.shipped.v1", "shipment.delivered.v1"];
    let events = story(shop, &order, &names).await;
    assert_eq!(events.len(), 5, "placed, opened twice, shipped, delivered");
    for _ in 0..2 {
        backwards(shop, ("notifications", None), &events).await;
        let sent = mails(shop, |mail| mail.to == ["ines@post.example"]);
        assert_eq!((sent.len(), names_of(&sent).len()), (3, 3));
        assert_eq!(shop.get("/v1/messages").await["items"].as_array().unwrap().len(), 3);
    }
}

#[tokio::test]
async fn what_is_told_three_times_and_backwards_is_asked_about_once() {
    let store = deaf("review-collection").await;
    let shop = &store.shop;
    let order = store.order().await;
    shop.fulfill(&part(&order, 1)).await;
    let names = [
        "merchant_order.opened.v1",
        "merchant_order.shipped.v1",
        "merchant_order.delivered.v1",
        "shipment.delivered.v1",
    ];
    let events = story(shop, &order, &names).await;
    for _ in 0..2 {
        backwards(shop, ("review-collection", Some(Work::Review)), &events).await;
        shop.wait_days(30).await;
        let asked = story(shop, &order, &["review.requested.v1"]).await;
        let reminders: Vec<&Value> = asked.iter().map(|event| &event.data["reminder"]).collect();
        assert_eq!(reminders, [&json!(false), &json!(true)], "asked once, and reminded once");
    }
}

#[tokio::test]
async fn what_is_told_three_times_and_backwards_arrives_once() {
    let store = deaf("webhooks").await;
    let (shop, receiver) = (&store.shop, Receiver::open().await);
    let order = store.order().await;
    install(
        shop,
        "webhooks",
        Some(Work::Webhook),
        shop.market.cloud.sdk_config("webhooks"),
        shop.market.clock.clone(),
    );
    endpoint(shop, &receiver, &["order.*", "merchant_order.*"], json!({})).await;
    let events = story(shop, &order, &["order.placed.v1", "merchant_order.opened.v1"]).await;
    assert_eq!(events.len(), 3);
    for times in [3, 0] {
        backwards(shop, ("webhooks", Some(Work::Webhook)), &events).await;
        let got = receiver.take();
        assert_eq!(got.len(), times, "{got:?}");
    }
}

#[tokio::test]
async fn stock_that_is_told_of_three_times_and_backwards_is_told_to_who_waits_once() {
    let store = deaf("wish-lists").await;
    let shop = &store.shop;
    let stock = format!("/v1/stock/{}", store.mug);
    shop.done(&format!("{stock}/adjust"), &json!({"by": -100, "reason": "broken"})).await;
    install(shop, "wish-lists", None, shop.market.cloud.sdk_config("wish-lists"), shop.market.clock.clone());
    let ines = shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    ines.post("/v1/stock-alerts", &json!({"offer": store.mug}), "").await.ok().unwrap();
    shop.done(&format!("{stock}/receive"), &json!({"quantity": 3})).await;
    shop.done(&format!("{stock}/adjust"), &json!({"by": 2, "reason": "found"})).await;
    shop.settle().await;
    let page = shop.market.world.table.scan_outbox(None).await.unwrap();
    let events = page.items.iter().flat_map(table::outbox::Entry::envelopes);
    let names = ["stock.received.v1", "stock.adjusted.v1"];
    let events: Vec<Envelope> = events.filter(|event| names.contains(&event.name.as_str())).collect();
    assert!(events.len() >= 2);
    for _ in 0..2 {
        backwards(shop, ("wish-lists", None), &events).await;
        assert_eq!(mails(shop, |mail| mail.to == ["ines@post.example"]).len(), 1);
    }
}
