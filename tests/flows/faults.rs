//! Whole checkouts while the gateway is late, fails, talks nonsense or says everything twice, and while clocks differ:
//! nothing is charged twice, nothing is held for ever, no money is without its order.

pub(crate) mod stripe;

use crate::faults::stripe::{Call, Fault, Intent, Stripe};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::cloud::Handler;
use std::sync::Arc;
use tests::paying::payment_id;
use tests::storefront::*;
use tests::*;

/// The parts of a ready cart in minor units, Alma's and Birch's: this gateway captures once, so each is paid apart.
const PARTS: [i64; 2] = [32_25, 24_90];
const CARD: &str = "pm_card_visa";

/// A storefront whose cards go to a gateway of somebody else's.
struct Scene {
    market: Storefront,
    gateway: Stripe,
}

impl Scene {
    async fn open() -> Self {
        let (gateway, shop) = Stripe::shop().await;
        let market = Storefront::open_in(shop, 100).await;
        Self { market, gateway }
    }

    /// Pays a ready cart while the gateway's authorizations misbehave so; answers the cart and the status.
    async fn pay(&self, faults: &[Fault]) -> (String, u16) {
        self.gateway.misbehaves(Call::Authorize, faults);
        let cart = self.market.ready().await;
        let paid = self.market.pay(&cart, "57.15", CARD).await;
        assert!(self.gateway.has_misbehaved());
        (cart, paid.status.as_u16())
    }

    /// Nobody knows: the cart can neither be changed nor paid again.
    async fn nobody_knows(&self, cart: &str) {
        let before = self.gateway.count(Call::Authorize);
        assert_problem(&self.market.pay(cart, "57.15", CARD).await, 409, "payment_in_flight");
        assert_problem(&self.market.try_edit(cart, &json!({"set": []})).await, 409, "payment_in_flight");
        assert_eq!(self.gateway.count(Call::Authorize), before, "nobody asks for money again");
    }

    async fn minutes(&self, minutes: i64) {
        self.market.shop.settle().await;
        self.market.shop.wait_minutes(minutes).await;
    }

    async fn status(&self, cart: &str) -> String {
        at(&self.market.show(cart).await, "/status").to_owned()
    }

    /// The cart is its order: paid, and authorized once; answers the order's id.
    async fn is_placed(&self, cart: &str) -> String {
        self.market.shop.settle().await;
        let shown = self.market.show(cart).await;
        assert_eq!(at(&shown, "/status"), "completed", "{shown}");
        let order = at(&shown, "/order").to_owned();
        let view = self.market.shop.order(&order).await;
        assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/total")), ("paid", "57.15".to_owned()));
        assert_eq!(self.promised_for(&order), PARTS);
        order
    }

    /// The cart is free, nothing is authorized for it any more, and another card pays it.
    async fn is_free(&self, cart: &str) -> String {
        assert_eq!(self.status(cart).await, "open");
        let order = domain::id::OrderId::of_cart(&cart.parse().unwrap()).to_string();
        assert_eq!(self.promised_for(&order), [0_i64; 0]);
        let paid = self.market.pay(cart, "57.15", CARD).await;
        assert_eq!(paid.status, 201, "{}", paid.body);
        self.is_placed(cart).await
    }

    /// What customers have promised for an order, or paid, by the gateway's own books.
    fn promised_for(&self, order: &str) -> Vec<i64> {
        let payments: Vec<String> = (1..=40).map(|number| payment_id(order, number)).collect();
        let intents = self.gateway.intents().into_iter();
        let over = |intent: &Intent| ["canceled", "requires_payment_method"].contains(&intent.status);
        let live = intents.filter(|intent| !over(intent) && payments.contains(&intent.payment()));
        live.map(|intent| intent.amount).collect()
    }

    /// The orders ship, and all is right.
    async fn all_ships(&self, orders: &[String]) {
        for order in orders {
            for number in 1..=2 {
                self.market.shop.fulfill(&part(order, number)).await;
            }
        }
        self.all_is_right(orders).await;
    }

    /// Orders that have shipped are paid once, and neither stock nor money is anywhere it does not belong.
    async fn all_is_right(&self, orders: &[String]) {
        let shop = &self.market.shop;
        self.minutes(90).await;
        assert!(self.gateway.has_misbehaved());
        let taken = self.gateway.intents().into_iter().map(|intent| intent.received);
        let count = i64::try_from(orders.len()).unwrap();
        assert_eq!(taken.sum::<i64>(), 57_15 * count, "captured at the gateway");
        let open = self.gateway.intents().into_iter().filter(|intent| intent.status == "requires_capture");
        assert_eq!(open.count(), 0, "an authorization is left");
        for order in orders {
            let mut captured = Vec::new();
            for payment in shop.get(&format!("/v1/payments?order={order}")).await["items"].as_array().unwrap()
            {
                let payment = shop.get(&format!("/v1/payments/{}", at(payment, "/id"))).await;
                captured.push(eur_at(&payment, "/captured"));
            }
            captured.retain(|amount| amount != "0.00");
            captured.sort();
            assert_eq!(captured, ["24.90", "32.25"], "what was taken belongs to its order");
        }
        for (offer, each) in [(&self.market.mug, 2), (&self.market.bowl, 1), (&self.market.scarf, 1)] {
            let sold = each * count;
            assert_eq!(shop.stock(offer).await, (100 - sold, 0, 100 - sold), "stock is held for nobody");
        }
        let accounts = shop.accounts().await;
        assert!(!accounts.contains_key("receivable"), "{accounts:?}");
        shop.books_are_right().await;
    }
}

/// Answers that say nothing, though the call is done.
const NONSENSE: [Fault; 7] = [
    Fault::Says(200, "<html><body>Bad gateway</body></html>"),
    Fault::Says(200, "{\"id\": \"pi_1\", \"status\": \"requires_cap"),
    Fault::Says(200, "{\"id\": 7, \"status\": [\"requires_capture\"]}"),
    Fault::Says(200, "[{\"id\": \"pi_1\"}]"),
    Fault::Says(200, "{\"id\": \"pi_1\", \"status\": \"perhaps\"}"),
    Fault::Says(200, ""),
    Fault::Breaks,
];

#[tokio::test]
async fn a_gateway_that_answers_after_30_seconds_is_not_waited_for_and_charges_once() {
    let scene = Scene::open().await;
    // Both parts are called for at once, and given up together after ten seconds of real time: patience is the client's
    // own. The answers come to nobody.
    let (cart, status) = scene.pay(&[Fault::Late, Fault::Late]).await;
    assert_eq!(status, 202);
    scene.gateway.everybody_has_gone();
    scene.nobody_knows(&cart).await;
    scene.minutes(5).await;
    let order = scene.is_placed(&cart).await;
    assert_eq!(scene.gateway.count(Call::Authorize), 2);
    scene.all_ships(&[order]).await;
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_and_what_it_has_done_all_the_same_is_the_payment() {
    let scene = Scene::open().await;
    let mut orders = Vec::new();
    let down = Fault::Says(503, "{\"error\": {\"type\": \"api_error\"}}");
    for faults in [&[Fault::Says(500, "")][..], &[Fault::Says(502, "<html>"), down]] {
        let (cart, status) = scene.pay(faults).await;
        assert_eq!(status, 202, "{faults:?}");
        scene.nobody_knows(&cart).await;
        // The first questions fail too: the order waits for an hour, and loses nothing.
        let questions = [Fault::Fails(500, ""), Fault::Fails(504, "{}")];
        scene.gateway.misbehaves(Call::Ask, &questions[..faults.len()]);
        scene.minutes(5).await;
        scene.nobody_knows(&cart).await;
        scene.minutes(55).await;
        orders.push(scene.is_placed(&cart).await);
    }
    assert_eq!(scene.gateway.count(Call::Authorize), 4);
    scene.all_ships(&orders).await;
}

#[tokio::test]
async fn a_gateway_that_fails_and_has_done_nothing_frees_the_cart_when_it_has_said_so() {
    let scene = Scene::open().await;
    let mut orders = Vec::new();
    let fails = Fault::Fails(500, "{\"error\": {\"type\": \"api_error\"}}");
    for faults in [&[fails][..], &[fails, fails]] {
        let (cart, status) = scene.pay(faults).await;
        assert_eq!(status, 202, "{faults:?}");
        scene.nobody_knows(&cart).await;
        // Where one of the two was authorized it goes back as soon as it is known that the other was not.
        scene.minutes(5).await;
        scene.minutes(5).await;
        orders.push(scene.is_free(&cart).await);
    }
    scene.all_ships(&orders).await;
}

#[tokio::test]
async fn nonsense_from_a_gateway_says_nothing_and_the_customer_who_asks_gets_the_order() {
    let scene = Scene::open().await;
    let mut orders = Vec::new();
    for nonsense in NONSENSE {
        let (cart, status) = scene.pay(&[nonsense]).await;
        assert_eq!(status, 202, "{nonsense:?}");
        scene.nobody_knows(&cart).await;
        // Nor does nonsense in the answer to a question say anything.
        scene.gateway.misbehaves(Call::Ask, &[nonsense]);
        let confirmed = scene.market.checkout(&cart, "confirm", &json!({})).await;
        assert_eq!(confirmed.status, 202, "{nonsense:?}: {}", confirmed.body);
        let confirmed = scene.market.checkout(&cart, "confirm", &json!({})).await;
        assert_eq!((confirmed.status.as_u16(), confirmed.text("/status")), (200, "completed"));
        orders.push(scene.is_placed(&cart).await);
    }
    assert_eq!(scene.gateway.count(Call::Authorize), 2 * NONSENSE.len());
    // Each capture is told in nonsense too, found out by asking, and made once.
    scene.gateway.misbehaves(Call::Capture, &[NONSENSE, NONSENSE].concat());
    scene.all_ships(&orders).await;
    assert_eq!(scene.gateway.count(Call::Capture), 2 * NONSENSE.len());
}

#[tokio::test]
async fn a9_4_what_a_gateway_tells_before_its_answer_and_twice_is_one_order() {
    let scene = Scene::open().await;
    // Notices before the answer, each once; twice; and where the answer then says nothing.
    let mut orders = Vec::new();
    for faults in [[Fault::TellsFirst(1); 2], [Fault::TellsFirst(2); 2]] {
        let (cart, status) = scene.pay(&faults).await;
        assert_eq!(status, 201, "{faults:?}");
        orders.push(scene.is_placed(&cart).await);
    }
    let (cart, status) = scene.pay(&[Fault::Says(500, ""), Fault::Breaks]).await;
    assert_eq!(status, 202);
    let intents: Vec<Intent> = scene.gateway.intents().into_iter().skip(4).collect();
    for intent in [&intents[1], &intents[1], &intents[0], &intents[0], &intents[1]] {
        assert_eq!(scene.gateway.notice(intent, SignedDuration::ZERO).await.status, 200);
    }
    orders.push(scene.is_placed(&cart).await);
    assert_eq!(scene.gateway.count(Call::Ask), 2 + 4 + 5, "each notice of one, for when it ends");
    scene.all_ships(&orders).await;
    // All of it once more, when the goods are there and the money is taken: no news.
    let told = scene.market.shop.told(&orders[2]).await;
    for intent in intents.iter().chain(&scene.gateway.intents()) {
        assert_eq!(scene.gateway.notice(intent, SignedDuration::ZERO).await.status, 200);
    }
    scene.all_is_right(&orders).await;
    assert_eq!(scene.market.shop.told(&orders[2]).await, told);
}

#[tokio::test]
async fn an_authorization_that_is_heard_of_when_the_cart_was_paid_otherwise_goes_back() {
    let scene = Scene::open().await;
    let (cart, _) = scene.pay(&[Fault::Says(500, ""), Fault::Fails(500, "")]).await;
    // The gateway does not find at first what it has.
    scene.gateway.misbehaves(Call::Ask, &[Fault::Says(200, "{\"data\": []}"); 2]);
    scene.minutes(5).await;
    let paid = scene.market.pay(&cart, "57.15", CARD).await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    let late = scene.gateway.intents()[0].clone();
    assert_eq!((late.amount, late.status), (PARTS[0], "requires_capture"));
    assert_eq!(scene.gateway.notice(&late, SignedDuration::ZERO).await.status, 200);
    scene.minutes(5).await;
    assert_eq!(scene.gateway.intents()[0].status, "canceled");
    let order = scene.is_placed(&cart).await;
    scene.all_ships(&[order]).await;
}

#[tokio::test]
async fn a_call_that_may_be_under_way_is_not_asked_about_and_what_it_holds_for_a_free_cart_goes_back() {
    let scene = Scene::open().await;
    scene.gateway.misbehaves(Call::Authorize, &[Fault::Late; 2]);
    let cart = scene.market.ready().await;
    let confirm = || async { scene.market.checkout(&cart, "confirm", &json!({})).await };
    let meanwhile = async {
        scene.gateway.is_called(Call::Authorize, 2).await;
        // The customer comes back to the page while it is still paying.
        let early = confirm().await;
        assert_eq!((early.status.as_u16(), scene.gateway.count(Call::Ask)), (202, 0), "{}", early.body);
        scene.market.shop.wait_until("2026-03-02T09:01:01Z").await;
        // By now it cannot be, as all know; and the gateway does not find what it has.
        scene.gateway.misbehaves(Call::Ask, &[Fault::Says(200, "{\"data\": []}"); 2]);
        assert_problem(&confirm().await, 402, "payment_declined");
        scene.gateway.everybody_has_gone();
    };
    let (paid, ()) = futures::join!(scene.market.pay(&cart, "57.15", CARD), meanwhile);
    assert_problem(&paid, 402, "payment_declined");
    assert_eq!(scene.gateway.intents().iter().map(|intent| intent.amount).sum::<i64>(), 57_15);
    scene.minutes(5).await;
    let order = scene.is_free(&cart).await;
    scene.all_ships(&[order]).await;
}

#[tokio::test]
async fn stock_that_is_held_for_days_while_nobody_knows_is_free_in_minutes_where_the_card_was_declined() {
    // The gateway tells it while it is still called, and its answer says nothing; the cart has heard it too, or not.
    for heard in [false, true] {
        let scene = Scene::open().await;
        scene.gateway.misbehaves(Call::Authorize, &[Fault::Declines; 2]);
        let cart = scene.market.ready().await;
        let meanwhile = async {
            scene.gateway.is_called(Call::Authorize, 2).await;
            for intent in scene.gateway.intents() {
                assert_eq!(scene.gateway.notice(&intent, SignedDuration::ZERO).await.status, 200);
            }
            if heard {
                scene.market.shop.settle().await;
            }
            scene.gateway.everybody_has_gone();
        };
        let (paid, ()) = futures::join!(scene.market.pay(&cart, "57.15", CARD), meanwhile);
        assert_problem(&paid, 402, "payment_declined");
        let mug = &scene.market.mug;
        assert_eq!(scene.market.shop.stock(mug).await, (100, 0, 98), "heard {heard}");
        scene.minutes(11).await;
        assert_eq!(scene.market.shop.stock(mug).await, (100, 0, 100), "heard {heard}");
        let order = scene.is_free(&cart).await;
        scene.all_ships(&[order]).await;
    }
}

#[tokio::test]
async fn a_notice_may_be_stamped_minutes_ahead_or_behind_and_one_that_is_too_far_off_is_not_needed() {
    let scene = Scene::open().await;
    let mut orders = Vec::new();
    for (off, fine) in [(4, true), (-4, true), (6, false), (-6, false)] {
        let (cart, status) = scene.pay(&[Fault::Says(500, ""); 2]).await;
        assert_eq!(status, 202);
        for intent in scene.gateway.intents().iter().rev().take(2) {
            let heard = scene.gateway.notice(intent, SignedDuration::from_mins(off)).await;
            assert_eq!(heard.status, if fine { 200 } else { 401 }, "{off} minutes off");
        }
        if !fine {
            scene.nobody_knows(&cart).await;
            scene.minutes(5).await;
        }
        orders.push(scene.is_placed(&cart).await);
    }
    scene.all_ships(&orders).await;
}

/// From now on a function runs by a clock of its own, so far from that of the others.
fn runs_by_its_own_clock(shop: &Shop, name: &str, off: SignedDuration) {
    let (cloud, world) = (&shop.market.cloud, &shop.market.world);
    let clock = edge::Clock::manual(world.now() + off);
    let own =
        edge::World::new(cloud.sdk_config(name), cloud.environment(name).unwrap(), clock, world.keys.clone());
    let functions = souk::market::functions();
    let (_, build) = functions.iter().find(|(of, _)| *of == name).unwrap();
    let function = build(&own.unwrap());
    let handler: Handler = Arc::new(move |event: Value| {
        let function = function.clone();
        Box::pin(async move { function.call(event).await.map_err(|error| edge::chain(error.as_ref())) })
    });
    cloud.register(name, handler);
}

#[tokio::test]
async fn a7_1_machines_whose_clocks_differ_never_sell_one_unit_twice() {
    for minutes in [-15, -9, -4, 4, 9, 15] {
        let market = Storefront::stocked(2).await;
        let (shop, off) = (&market.shop, SignedDuration::from_mins(minutes));
        let (one, two) = (market.ready().await, market.ready().await);
        assert_eq!(market.checkout(&one, "hold", &json!({})).await.status, 200);
        // The second cart's machine sees the hold as over, or as longer than it is; whoever has the units pays.
        runs_by_its_own_clock(shop, "checkout", off);
        let second = market.pay(&two, "57.15", "tok_approved").await;
        runs_by_its_own_clock(shop, "checkout", SignedDuration::ZERO);
        let first = market.pay(&one, "57.15", "tok_approved").await;
        let (paid, code) = if minutes > 10 {
            (&second, at(&first.body, "/code"))
        } else {
            (&first, at(&second.body, "/code"))
        };
        assert_eq!(paid.status, 201, "{minutes}: {}", paid.body);
        assert!(matches!(code, "checkout_incomplete" | "sold_out"), "{minutes}: {code}");
        shop.settle().await;
        shop.wait_minutes(15).await;
        let order = paid.text("/order/id");
        assert_eq!(at(&shop.order(order).await, "/status"), "paid");
        assert_eq!(shop.stock(&market.mug).await, (2, 2, 0), "{minutes}");
        let orders = shop.get("/v1/orders?from=2026-03-01&to=2026-03-03").await;
        assert_eq!(orders["items"].as_array().unwrap().len(), 1);
        // Who was too late has nothing authorized any more.
        let late = if minutes > 10 { &one } else { &two };
        let checkout = market.guest.get(&format!("/v1/checkouts/{late}")).await;
        let payments = checkout.body["payments"].as_array().unwrap().iter();
        assert!(payments.map(|one| at(one, "/status")).all(|status| status == "released"));
        shop.books_are_right().await;
    }
}

#[tokio::test]
async fn a_lock_binds_machines_whose_clocks_differ() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_timeout_approved").await.status, 202);
    for minutes in [-15, -6, 6, 15] {
        for name in ["cart", "checkout"] {
            runs_by_its_own_clock(shop, name, SignedDuration::from_mins(minutes));
        }
        assert_problem(&market.pay(&cart, "57.15", "tok_approved").await, 409, "payment_in_flight");
        assert_problem(&market.try_edit(&cart, &json!({"set": []})).await, 409, "payment_in_flight");
    }
    // Whichever clock the answer meets, it is one order.
    runs_by_its_own_clock(shop, "payment", SignedDuration::from_mins(-4));
    assert_eq!(market.checkout(&cart, "confirm", &json!({})).await.text("/status"), "completed");
    shop.settle().await;
    let order = at(&market.show(&cart).await, "/order").to_owned();
    shop.fulfill(&part(&order, 1)).await;
    shop.fulfill(&part(&order, 2)).await;
    assert_eq!(eur_at(&shop.payment(&order, 1).await, "/captured"), "57.15");
    assert_eq!(shop.stock(&market.mug).await, (98, 0, 98));
    shop.books_are_right().await;
}
