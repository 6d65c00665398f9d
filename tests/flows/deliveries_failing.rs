//! Goods that a subscription sends while the table, the gateway, the queues and the machines misbehave: a period is one
//! order, what is ordered is paid once, and stock is held for nobody.

use crate::faults::stripe::{Call, Fault, Stripe};
use crate::races::polite;
use crate::recurring::cuts::{CUTS, Cuts, Stop, install, is_a};
use domain::subscription::Stage;
use futures::future::{join, join_all};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::api::Api;
use souk::cloud::Handler;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use table::Key;
use tests::storefront::Storefront;
use tests::subscribing::{Subscriptions, publish, sign_up};
use tests::*;
use tokio::task::yield_now;

const UNITS: i64 = 500;
const CARD: &str = "pm_card_visa";
/// A box in minor units, Alma's part and Birch's, each with 4.90 of delivery: this gateway captures once, so each is
/// paid apart.
const PARTS: [i64; 2] = [14_90, 44_90];

/// A shop with a plan that sends a mug and two scarves by the week, and a gateway of somebody else's.
struct Scene {
    market: Subscriptions,
    gateway: Stripe,
    cuts: Cuts,
    mug: String,
    scarf: String,
    people: AtomicUsize,
    /// Orders that have shipped.
    shipped: Mutex<BTreeSet<String>>,
}

/// Somebody with a box by the week.
struct Subscriber {
    api: Api,
    id: String,
}

impl Scene {
    async fn open() -> Self {
        let (gateway, shop) = Stripe::shop().await;
        let Storefront { shop, alma, birch, mug, scarf, .. } = Storefront::open_in(shop, UNITS).await;
        let market = Subscriptions::open_in(shop).await;
        let terms = json!({
            "interval": {"every": "week"}, "price": eur("0.00"), "proration": "none",
            "goods": [
                {"merchant": alma, "sku": "mug", "quantity": 1},
                {"merchant": birch, "sku": "scarf", "quantity": 2},
            ],
        });
        publish(&market.shop, "box", terms).await;
        market.shop.settle().await;
        let cuts = Cuts::in_the_way(&market.shop);
        let (people, shipped) = (AtomicUsize::new(0), Mutex::default());
        Self { market, gateway, cuts, mug, scarf, people, shipped }
    }

    fn shop(&self) -> &Shop {
        &self.market.shop
    }

    /// Time goes by, and what fails is tried again.
    async fn pass(&self, by: SignedDuration) {
        self.shop().market.cloud.advance(by).await.unwrap();
    }

    /// Somebody subscribes while `trouble` is there, and again with the same key where nothing was heard. If nothing
    /// comes of it, it is no subscription, and nothing is in the way of another one.
    async fn first(&self, trouble: impl FnOnce()) -> Subscriber {
        let name = format!("person-{}", self.people.fetch_add(1, Ordering::SeqCst));
        let api = sign_up(self.shop(), &name).await.0;
        self.shop().settle().await;
        let (key, body) = (self.shop().fresh(), self.market.body("box", CARD));
        trouble();
        let mut answer = api.post("/v1/subscriptions", &body, &key).await;
        if answer.status.is_server_error() {
            answer = api.post("/v1/subscriptions", &body, &key).await;
        }
        self.pass(SignedDuration::from_hours(30)).await;
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.body);
        let id = answer.text("/id").to_owned();
        if let Stage::Ended { .. } = self.market.kept(&id).await.stage {
            assert_eq!(self.orders(&api).await, [] as [String; 0]);
            let again = api.post("/v1/subscriptions", &body, &self.shop().fresh()).await;
            assert!(again.status.is_success(), "{} {}", again.status, again.body);
            self.shop().settle().await;
            return Subscriber { api, id: again.text("/id").to_owned() };
        }
        Subscriber { api, id }
    }

    /// A minute before the next box is due.
    async fn just_before(&self, of: &Subscriber) {
        let due = self.market.kept(&of.id).await.due_at().unwrap().unwrap();
        let missing = due.duration_since(self.shop().market.clock.now()) - SignedDuration::from_mins(1);
        self.pass(missing).await;
    }

    /// Time brings the next box while `trouble` is there.
    async fn renews(&self, of: &Subscriber, trouble: impl FnOnce()) {
        self.just_before(of).await;
        trouble();
        self.pass(SignedDuration::from_hours(48)).await;
    }

    async fn orders(&self, api: &Api) -> Vec<String> {
        let listed = api.get("/v1/customers/me/orders?limit=100").await;
        assert_eq!(listed.status, 200, "{}", listed.body);
        listed.body["items"].as_array().unwrap().iter().map(|one| at(one, "/id").to_owned()).collect()
    }

    /// It runs, has had `boxes` orders, and the next one is ahead; what was ordered and not shipped yet is shipped.
    async fn has_had(&self, of: &Subscriber, boxes: usize, case: impl Debug) {
        assert!(self.gateway.has_misbehaved(), "{case:?}");
        let kept = self.market.kept(&of.id).await;
        assert_eq!((&kept.stage, &kept.sending), (&Stage::Active, &None), "{case:?}");
        assert!(kept.due_at().unwrap().unwrap() > self.shop().market.clock.now(), "{case:?}");
        let orders = self.orders(&of.api).await;
        assert_eq!(orders.len(), boxes, "{case:?}: one order a period");
        assert_eq!(kept.number, u32::try_from(boxes - 1).unwrap(), "{case:?}: no period without");
        for order in orders {
            if !self.shipped.lock().unwrap().insert(order.clone()) {
                continue;
            }
            let view = self.shop().order(&order).await;
            let stands = (at(&view, "/status"), eur_at(&view, "/totals/total"));
            assert_eq!(stands, ("paid", "59.80".to_owned()), "{case:?}: {view}");
            for number in 1..=2 {
                self.shop().fulfill(&part(&order, number)).await;
            }
        }
    }

    /// What customers have paid is what was placed, and neither stock nor money is anywhere it does not belong.
    async fn all_is_right(&self, case: impl Debug) {
        self.pass(SignedDuration::from_mins(90)).await;
        let placed = i64::try_from(self.shipped.lock().unwrap().len()).unwrap();
        let intents = self.gateway.intents();
        let mut taken: Vec<i64> = intents.iter().map(|one| one.received).filter(|sum| *sum > 0).collect();
        taken.sort_unstable();
        let want = PARTS.iter().flat_map(|part| (0..placed).map(|_| *part)).collect::<Vec<i64>>();
        assert_eq!(taken, want, "{case:?}: captured is what was placed");
        let open = intents.iter().filter(|one| one.status == "requires_capture").count();
        assert_eq!(open, 0, "{case:?}: an authorization is left");
        for (offer, each) in [(&self.mug, 1), (&self.scarf, 2)] {
            let left = UNITS - each * placed;
            assert_eq!(self.shop().stock(offer).await, (left, 0, left), "{case:?}: held for nobody");
        }
        assert_eq!(self.shop().market.cloud.dead_letters().unwrap(), [], "{case:?}");
        self.market.books_are_right().await;
    }

    /// What a subscription has told of its goods, as queues have it.
    async fn goods_due(&self, of: &Subscriber) -> Vec<String> {
        let key = Key::subscription(&marketplace_id(), &of.id.parse().unwrap());
        let page = self.shop().market.world.table.story(&key, 500, None).await.unwrap();
        let told = page.items.iter().flat_map(table::outbox::Entry::envelopes);
        let due = told.filter(|one| one.name == "subscription.goods_due.v1");
        due.map(|one| serde_json::to_string(&one).unwrap()).collect()
    }

    async fn hears(&self, bodies: &[String]) {
        let answer = self.shop().market.cloud.invoke("checkout", batch(bodies)).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]));
    }
}

#[tokio::test]
async fn first_goods_whose_every_write_may_fail_are_ordered_and_paid_once_or_never() {
    let scene = Scene::open().await;
    let of = scene.first(|| scene.cuts.none()).await;
    let writes = scene.cuts.writes();
    scene.has_had(&of, 1, "nothing fails").await;
    for nth in 1..=writes {
        let mut came = false;
        for cut in CUTS {
            let of = scene.first(|| scene.cuts.cut(nth, cut)).await;
            came |= scene.cuts.has_come();
            scene.cuts.none();
            scene.has_had(&of, 1, (nth, cut)).await;
            // No more of it: boxes of all of them would be many.
            let path = format!("/v1/subscriptions/{}/cancel", of.id);
            let canceled = of.api.post(&path, &json!({"at": "now"}), "").await;
            assert_eq!(canceled.status, 200, "{}", canceled.body);
        }
        scene.shop().settle().await;
        let path = format!("/v1/subscriptions/{}/cancel", of.id);
        assert_eq!(of.api.post(&path, &json!({"at": "now"}), "").await.status, 200);
        scene.all_is_right(nth).await;
        Cuts::must_have_come(came, nth, writes);
    }
}

#[tokio::test]
async fn a13_3_goods_of_a_renewal_whose_every_write_may_fail_are_one_order() {
    let scene = Scene::open().await;
    let of = scene.first(|| scene.cuts.none()).await;
    scene.renews(&of, || scene.cuts.none()).await;
    let writes = scene.cuts.writes();
    assert!(writes >= 5, "due, the period, the hold, the gate, the placing: {writes}");
    let mut boxes = 2;
    scene.has_had(&of, boxes, "nothing fails").await;
    for nth in 1..=writes {
        let mut came = false;
        for cut in CUTS {
            scene.renews(&of, || scene.cuts.cut(nth, cut)).await;
            came |= scene.cuts.has_come();
            scene.cuts.none();
            boxes += 1;
            scene.has_had(&of, boxes, (nth, cut)).await;
        }
        scene.all_is_right(nth).await;
        Cuts::must_have_come(came, nth, writes);
    }
}

/// What a gateway does to the call of one part, the other's being well.
const GATEWAY_FAULTS: [Fault; 7] = [
    Fault::Says(500, ""),
    Fault::Says(200, "<html><body>Bad gateway</body></html>"),
    Fault::Breaks,
    Fault::Fails(500, "{\"error\": {\"type\": \"api_error\"}}"),
    Fault::Fails(402, "{\"error\": {\"type\": \"card_error\", \"decline_code\": \"insufficient_funds\"}}"),
    Fault::TellsFirst(1),
    Fault::TellsFirst(2),
];

#[tokio::test]
async fn a9_1_goods_whose_payment_fails_breaks_off_or_is_told_twice_are_paid_once() {
    let scene = Scene::open().await;
    let of = scene.first(|| scene.cuts.none()).await;
    let mut boxes = 1;
    for fault in GATEWAY_FAULTS {
        for calls in [1, 2] {
            let trouble = || scene.gateway.misbehaves(Call::Authorize, &vec![fault; calls]);
            scene.renews(&of, trouble).await;
            boxes += 1;
            scene.has_had(&of, boxes, (fault, calls)).await;
        }
        let first = scene.first(|| scene.gateway.misbehaves(Call::Authorize, &[fault])).await;
        scene.has_had(&first, 1, ("first", fault)).await;
        let path = format!("/v1/subscriptions/{}/cancel", first.id);
        assert_eq!(first.api.post(&path, &json!({"at": "now"}), "").await.status, 200);
        scene.all_is_right(fault).await;
        // What was told is told again, the last first: no news.
        for intent in scene.gateway.intents().iter().rev().take(6) {
            assert_eq!(scene.gateway.notice(intent, SignedDuration::ZERO).await.status, 200);
        }
        scene.all_is_right(("told again", fault)).await;
    }
}

#[tokio::test]
async fn a18_1_goods_that_are_due_three_times_or_again_when_newer_ones_are_ordered_are_one_order() {
    let scene = Scene::open().await;
    let of = scene.first(|| scene.cuts.none()).await;
    for boxes in 2..=4 {
        scene.renews(&of, || scene.cuts.none()).await;
        scene.has_had(&of, boxes, boxes).await;
        let told = scene.goods_due(&of).await;
        assert_eq!(told.len(), boxes);
        for body in told.iter().rev() {
            for _ in 0..3 {
                scene.hears(&[body.clone(), body.clone()]).await;
            }
        }
        scene.shop().settle().await;
        scene.has_had(&of, boxes, ("again", boxes)).await;
        scene.all_is_right(boxes).await;
    }
    // Nor does what comes when it has ended bring anything.
    let path = format!("/v1/subscriptions/{}/cancel", of.id);
    assert_eq!(of.api.post(&path, &json!({"at": "now"}), "").await.status, 200);
    scene.hears(&scene.goods_due(&of).await).await;
    assert_eq!(scene.orders(&of.api).await.len(), 4);
    scene.all_is_right("ended").await;
}

#[tokio::test]
async fn a13_3_two_workers_on_the_goods_of_one_period_place_one_order() {
    let scene = Scene::open().await;
    let of = scene.first(|| scene.cuts.none()).await;
    let cloud = &scene.shop().market.cloud;
    for head_start in 0..12 {
        // Nobody hears of the goods but the test.
        let deaf: Handler = Arc::new(|_| Box::pin(async { Ok(json!({"batchItemFailures": []})) }));
        cloud.register("checkout", deaf);
        scene.renews(&of, || scene.cuts.none()).await;
        let told = scene.goods_due(&of).await;
        let due = batch(&told[told.len() - 1..]);
        let clock = scene.shop().market.clock.clone();
        install(scene.shop(), "checkout", None, polite(cloud.sdk_config("checkout")), clock);
        let workers = (0..2).map(|worker: usize| {
            let due: Value = due.clone();
            async move {
                for _ in 0..worker * head_start {
                    yield_now().await;
                }
                cloud.invoke("checkout", due).await.unwrap()
            }
        });
        join_all(workers).await;
        scene.pass(SignedDuration::from_mins(30)).await;
        scene.has_had(&of, head_start + 2, head_start).await;
        scene.all_is_right(head_start).await;
    }
}

#[tokio::test]
async fn who_cancels_while_goods_are_ordered_has_no_order_and_pays_nothing() {
    let scene = Scene::open().await;
    let market = &scene.shop().market;
    // Before they are looked at, before it is asked whether they are awaited, and before it is told of their order.
    for nth in 1..=3 {
        let of = scene.first(|| scene.cuts.none()).await;
        scene.has_had(&of, 1, nth).await;
        // Nobody hears of the goods but the test.
        let deaf: Handler = Arc::new(|_| Box::pin(async { Ok(json!({"batchItemFailures": []})) }));
        market.cloud.register("checkout", deaf);
        scene.renews(&of, || scene.cuts.none()).await;
        let told = scene.goods_due(&of).await;
        let (tail, reads) = (of.id["sub_".len()..].to_owned(), AtomicUsize::new(0));
        let (stop, config) = Stop::before(market.cloud.sdk_config("checkout"), move |request| {
            let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
            let reads_it = is_a(request, "GetItem") && body.contains(&tail);
            reads_it && reads.fetch_add(1, Ordering::SeqCst) + 1 == nth
        });
        install(scene.shop(), "checkout", None, config, market.clock.clone());
        let cancels = async {
            stop.is_reached().await;
            let path = format!("/v1/subscriptions/{}/cancel", of.id);
            assert_eq!(of.api.post(&path, &json!({"at": "now"}), "").await.status, 200);
            stop.is_over();
        };
        join(scene.hears(&told[told.len() - 1..]), cancels).await;
        scene.all_is_right(nth).await;
        assert_eq!(scene.orders(&of.api).await.len(), 1, "before its read {nth}");
    }
}
