//! Messages that come three times, late or reversed, and workers, requests and clocks that meet over one subscription.

use super::{CARD, Scene, Subscriber};
use crate::faults::stripe::{Call, Fault};
use crate::races::polite;
use crate::recurring::cuts::{CUTS, Stop, install, is_a};
use domain::id::{OrderId, PaymentId};
use domain::invoice::Stage as InvoiceStage;
use domain::subscription::Stage;
use events::Envelope;
use futures::future::{BoxFuture, join, join_all};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use table::Key;
use table::due::Work;
use table::outbox::Entry;
use tests::*;
use tokio::task::yield_now;

/// How many calls the second lets pass before it starts.
const HEAD_STARTS: usize = 8;

/// The message that a subscription's time has come, as the schedule sends it.
fn due(id: &str, at: Timestamp) -> String {
    let cause = format!("due:{id}:{}", at.strftime("%Y-%m-%dT%H:%M"));
    let envelope = json!({
        "id": format!("{cause}.0"), "name": "subscription.due.v1", "marketplace": marketplace_id(), "at": at,
        "subject": cause, "step": 0, "actor": "system:subscription", "cause": cause, "correlation": cause,
        "data": {"subscription": id},
    });
    envelope.to_string()
}

impl Scene {
    /// What one function does with messages; answers how many it wants again.
    async fn hears(&self, function: &str, messages: &[String]) -> usize {
        let answer = self.shop().market.cloud.invoke(function, batch(messages)).await.unwrap();
        answer["batchItemFailures"].as_array().unwrap().len()
    }

    /// Everything that was told of a subscription, its invoices and their payments, the first first.
    async fn told(&self, id: &str) -> Vec<Envelope> {
        let m = marketplace_id();
        let mut keys = vec![Key::subscription(&m, &id.parse().unwrap())];
        for document in self.market.documents(id).await {
            let order = OrderId::of_invoice(&document.id);
            keys.push(Key::payment(&m, &PaymentId::of(&order, 1)).unwrap());
        }
        let mut entries: Vec<Entry> = Vec::new();
        for key in keys {
            let story = self.shop().market.world.table.story(&key, 500, None).await.unwrap();
            entries.extend(story.items);
        }
        entries.sort_by_key(|entry| entry.context.at);
        entries.iter().flat_map(Entry::envelopes).collect()
    }

    /// From now on a function lets others go first, and runs by a clock so far from that of the others.
    fn by_its_own_clock(&self, name: &'static str, off: SignedDuration) {
        let work = match name {
            "recurring-billing" => Some(Work::Subscription),
            "dunning" => Some(Work::Dunning),
            "payment" => Some(Work::Payment),
            _ => None,
        };
        let shop = self.shop();
        let clock = if off.is_zero() {
            shop.market.clock.clone()
        } else {
            edge::Clock::manual(shop.market.clock.now() + off)
        };
        install(shop, name, work, polite(shop.market.cloud.sdk_config(name)), clock);
    }

    async fn due_at(&self, of: &Subscriber) -> Timestamp {
        self.market.kept(&of.id).await.due_at().unwrap().unwrap()
    }

    /// What is being charged settles, and is right.
    async fn ends_well(&self, of: &Subscriber, case: impl std::fmt::Debug) {
        self.shop().market.cloud.settle().await.unwrap();
        self.pass(SignedDuration::from_hours(26)).await;
        self.is_right(&of.id, &case).await;
        self.all_is_right(&case).await;
    }
}

/// Both at once, the second with so many head starts let pass.
async fn meet<'a, T>(first: BoxFuture<'a, T>, second: BoxFuture<'a, T>, head_start: usize) -> Vec<T> {
    let racers = [(0, first), (head_start, second)].map(|(waits, racer)| async move {
        for _ in 0..waits {
            yield_now().await;
        }
        racer.await
    });
    join_all(racers).await
}

#[tokio::test]
async fn a13_3_a_due_message_that_comes_three_times_early_late_or_old_charges_a_period_once() {
    let scene = Scene::open().await;
    let of = scene.subscriber().await;
    scene.just_before(&of.id).await;
    let first = scene.due_at(&of).await;
    // Whoever sent it has a clock that is ahead: it comes again.
    let messages = vec![due(&of.id, first); 3];
    assert_eq!(scene.hears("recurring-billing", &messages).await, 3);
    assert_eq!(scene.market.bills(&of.id).await.len(), 1);
    scene.minutes(2).await;
    assert_eq!(scene.market.bills(&of.id).await.len(), 2);
    assert_eq!(scene.hears("recurring-billing", &messages).await, 0);
    scene.ends_well(&of, "three times").await;
    scene.just_before(&of.id).await;
    let second = scene.due_at(&of).await;
    scene.minutes(2).await;
    // The newer, then the older, then both.
    let messages = [second, first, first, second].map(|at| due(&of.id, at));
    assert_eq!(scene.hears("recurring-billing", &messages).await, 0);
    assert_eq!(scene.market.bills(&of.id).await.len(), 3);
    scene.ends_well(&of, "reversed").await;
    assert_eq!(scene.gateway.count(Call::Authorize), 3);
}

#[tokio::test]
async fn a18_1_what_was_told_may_come_three_times_and_reversed() {
    let scene = Scene::open().await;
    let of = scene.subscriber().await;
    scene.just_before(&of.id).await;
    scene.gateway.misbehaves(Call::Authorize, &[super::NO_FUNDS, super::NO_FUNDS]);
    scene.minutes(2).await;
    let names = ["invoice.paid.v1", "invoice.payment_failed.v1"];
    let bodies = async |scene: &Scene| -> Vec<String> {
        let told = scene.told(&of.id).await.into_iter();
        let heard = told.filter(|event| names.contains(&event.name.as_str()));
        heard.map(|event| serde_json::to_string(&event).unwrap()).collect()
    };
    let cases = async |scene: &Scene| scene.shop().get("/v1/dunning").await["items"].clone();
    let one = cases(&scene).await;
    assert_eq!((one[0]["attempt"].as_u64(), one.as_array().unwrap().len()), (Some(1), 1));
    for _ in 0..2 {
        let mut messages = bodies(&scene).await;
        messages.reverse();
        assert_eq!(scene.hears("dunning", &messages).await, 0);
        assert_eq!(cases(&scene).await, one, "a failure that was counted is no news");
    }
    // The second failure, then the try that is approved; then all of it, the last first.
    scene.pass(SignedDuration::from_hours(24)).await;
    assert_eq!(cases(&scene).await[0]["attempt"].as_u64(), Some(2));
    scene.pass(SignedDuration::from_hours(48)).await;
    assert_eq!(cases(&scene).await, json!([]));
    let mut messages = bodies(&scene).await;
    messages.reverse();
    for _ in 0..3 {
        assert_eq!(scene.hears("dunning", &messages).await, 0);
        assert_eq!(scene.hears("recurring-billing", &messages[..1]).await, 0);
    }
    scene.ends_well(&of, "reversed").await;
    let ended = scene.shop().get("/v1/dunning?ended_in=2026-03").await;
    assert_eq!(ended["items"].as_array().unwrap().len(), 1, "no case is opened by what is old");
}

/// A subscriber whose renewal has failed just now; nothing of that is delivered.
async fn failed(scene: &Scene) -> Subscriber {
    let of = scene.subscriber().await;
    scene.just_before(&of.id).await;
    scene.gateway.misbehaves(Call::Authorize, &[super::NO_FUNDS]);
    scene.by_its_own_clock("recurring-billing", SignedDuration::from_mins(2));
    assert_eq!(scene.hears("recurring-billing", &[due(&of.id, scene.due_at(&of).await)]).await, 0);
    scene.by_its_own_clock("recurring-billing", SignedDuration::ZERO);
    of
}

#[tokio::test]
async fn a_payment_that_is_heard_of_before_its_failure_opens_no_case() {
    let scene = Scene::open().await;
    let of = failed(&scene).await;
    let paid = of.api.post(&format!("/v1/subscriptions/{}/pay", of.id), &json!({}), "").await;
    assert_eq!(paid.status, 200, "{}", paid.body);
    let mut told = scene.told(&of.id).await;
    told.retain(|event| event.name.starts_with("invoice.pa"));
    told.reverse();
    let messages: Vec<String> = told.iter().map(|event| serde_json::to_string(event).unwrap()).collect();
    assert_eq!(scene.hears("dunning", &messages).await, 0);
    assert_eq!(scene.shop().get("/v1/dunning?ended_in=2026-03").await["items"], json!([]));
    scene.ends_well(&of, "paid first").await;
}

#[tokio::test]
async fn an_invoice_that_is_paid_while_its_failure_is_counted_has_no_case() {
    let scene = Scene::open().await;
    let of = failed(&scene).await;
    let told = async |name: &str| -> Vec<String> {
        let told = scene.told(&of.id).await.into_iter().filter(|event| event.name == name);
        told.map(|event| serde_json::to_string(&event).unwrap()).collect()
    };
    let failed = told("invoice.payment_failed.v1").await;
    assert_eq!(failed.len(), 1);
    // The case is about to be opened when the money comes and is heard of.
    let market = &scene.shop().market;
    let config = market.cloud.sdk_config("dunning");
    let (stop, config) = Stop::before(config, |request| is_a(request, "TransactWriteItems"));
    install(scene.shop(), "dunning", Some(Work::Dunning), config, market.clock.clone());
    let pays = async {
        stop.is_reached().await;
        let paid = of.api.post(&format!("/v1/subscriptions/{}/pay", of.id), &json!({}), "").await;
        assert_eq!(paid.status, 200, "{}", paid.body);
        let paid = told("invoice.paid.v1").await;
        assert_eq!(scene.hears("dunning", &paid[paid.len() - 1..]).await, 0);
        stop.is_over();
    };
    assert_eq!(join(scene.hears("dunning", &failed), pays).await.0, 0);
    scene.ends_well(&of, "paid meanwhile").await;
    assert_eq!(scene.shop().get("/v1/dunning?ended_in=2026-03").await["items"], json!([]));
}

#[tokio::test]
async fn a13_3_two_workers_on_one_subscription_charge_a_period_once() {
    let scene = Scene::open().await;
    let of = scene.subscriber().await;
    for head_start in 0..HEAD_STARTS {
        scene.just_before(&of.id).await;
        let message = [due(&of.id, scene.due_at(&of).await)];
        scene.by_its_own_clock("recurring-billing", SignedDuration::from_mins(2));
        let (one, two) =
            (scene.hears("recurring-billing", &message), scene.hears("recurring-billing", &message));
        meet(Box::pin(one), Box::pin(two), head_start).await;
        scene.by_its_own_clock("recurring-billing", SignedDuration::ZERO);
        scene.ends_well(&of, head_start).await;
        assert_eq!(scene.market.bills(&of.id).await.len(), head_start + 2);
    }
    assert_eq!(scene.gateway.count(Call::Authorize), HEAD_STARTS + 1, "the gateway is called once for each");
}

/// What the gateway has taken all the same goes back, or is shown to somebody.
#[tokio::test]
async fn who_leaves_between_two_tries_of_a_renewal_has_paid_nothing_unseen() {
    let scene = Scene::open().await;
    let mut taken = 0;
    for nth in 1..=4 {
        for cut in CUTS {
            let of = scene.subscriber().await;
            scene.just_before(&of.id).await;
            let message = batch(&[due(&of.id, scene.due_at(&of).await)]);
            let market = &scene.shop().market;
            market.clock.advance(SignedDuration::from_mins(1));
            scene.cuts.cut(nth, cut);
            let _gone = market.cloud.invoke("recurring-billing", message).await;
            scene.cuts.none();
            let cancel = format!("/v1/subscriptions/{}/cancel", of.id);
            let left = of.api.post(&cancel, &json!({"at": "now"}), "").await;
            assert_eq!(left.status, 200, "{nth} {cut:?}: {}", left.body);
            let given_up = scene.market.documents(&of.id).await.into_iter().filter(|one| {
                matches!(one.stage, InvoiceStage::Void { .. } | InvoiceStage::Uncollectible { .. })
            });
            taken += given_up.map(|one| scene.taken_for(&one)).sum::<i64>();
            scene.pass(SignedDuration::from_hours(48)).await;
            scene.is_right(&of.id, (nth, cut)).await;
        }
    }
    assert!(taken > 0, "none was charged, and given up unheard of");
}

#[tokio::test]
async fn clocks_that_jump_back_or_differ_charge_nothing_twice_and_forget_nothing() {
    let scene = Scene::open().await;
    let of = scene.subscriber().await;
    let mut bills = 1;
    for minutes in [-3 * 24 * 60, -60, -5, 5, 60] {
        scene.just_before(&of.id).await;
        let at = scene.due_at(&of).await;
        scene.minutes(2).await;
        bills += 1;
        for name in ["recurring-billing", "dunning", "payment"] {
            scene.by_its_own_clock(name, SignedDuration::from_mins(minutes));
        }
        // The period is over for nobody, or its message is old.
        scene.hears("recurring-billing", &[due(&of.id, at), due(&of.id, at)]).await;
        assert_eq!(scene.market.bills(&of.id).await.len(), bills, "{minutes}");
        for name in ["recurring-billing", "dunning", "payment"] {
            scene.by_its_own_clock(name, SignedDuration::ZERO);
        }
        scene.ends_well(&of, minutes).await;
    }
}

#[tokio::test]
async fn a_question_to_the_gateway_is_not_lost_on_a_machine_whose_clock_is_behind() {
    let scene = Scene::open().await;
    scene.by_its_own_clock("payment", SignedDuration::from_mins(-3));
    scene.gateway.misbehaves(Call::Authorize, &[Fault::Says(500, "")]);
    let api = scene.person().await;
    let answer = scene.subscribes(&api, "").await;
    assert_eq!((answer.status.as_u16(), answer.text("/status")), (202, "incomplete"));
    let id = answer.text("/id").to_owned();
    // The schedule hands the question on, and who gets it believes that it is too early.
    scene.minutes(6).await;
    assert_eq!(scene.market.kept(&id).await.status(), "incomplete");
    scene.by_its_own_clock("payment", SignedDuration::ZERO);
    scene.minutes(8).await;
    assert_eq!(scene.market.kept(&id).await.stage, Stage::Active);
    scene.is_right(&id, "behind").await;
    scene.all_is_right("behind").await;
}

#[tokio::test]
async fn two_subscribes_at_once_are_one_subscription_with_one_charge() {
    let scene = Scene::open().await;
    scene.by_its_own_clock("subscriptions", SignedDuration::ZERO);
    for head_start in 0..HEAD_STARTS {
        let (api, before) = (scene.person().await, scene.gateway.intents().len());
        let body = scene.market.body("weekly", CARD);
        for keys in [["one", "other"], ["third", "third"]] {
            let [first, second] = keys.map(|key| {
                let (api, body, key) = (&api, &body, format!("{key}-{head_start}"));
                Box::pin(async move { api.post("/v1/subscriptions", body, &key).await })
            });
            let answers = meet(first, second, head_start).await;
            let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
            statuses.sort_unstable();
            let same = keys[0] == keys[1];
            assert_eq!(statuses, if same { [409, 409] } else { [201, 409] }, "{head_start}: {answers:?}");
            for refused in answers.iter().filter(|answer| answer.status == 409) {
                assert_eq!(refused.text("/code"), "already_subscribed");
            }
        }
        assert_eq!(scene.gateway.intents().len(), before + 1);
    }
    scene.shop().market.cloud.settle().await.unwrap();
    scene.all_is_right("two at once").await;
}

/// What a customer asks for while its renewal is being charged.
const REQUESTS: [(&str, &str); 6] = [
    ("change", r#"{"quantity": 2}"#),
    ("change", r#"{"quantity": 3, "at": "period_end"}"#),
    ("pause", "{}"),
    ("set-payment-method", r#"{"payment": {"method": "card", "token": "pm_card_other"}}"#),
    ("cancel", r#"{"at": "now"}"#),
    ("cancel", r#"{"at": "period_end"}"#),
];

#[tokio::test]
async fn a13_3_whatever_is_asked_for_while_a_renewal_runs_no_period_is_charged_twice_or_given_away() {
    let scene = Scene::open().await;
    scene.by_its_own_clock("subscriptions", SignedDuration::ZERO);
    for (verb, body) in REQUESTS {
        let body: Value = serde_json::from_str(body).unwrap();
        for (head_start, request_first) in [(0, true), (3, true), (1, false), (5, false)] {
            let of = scene.subscriber().await;
            scene.just_before(&of.id).await;
            let message = [due(&of.id, scene.due_at(&of).await)];
            scene.by_its_own_clock("recurring-billing", SignedDuration::from_mins(2));
            let path = format!("/v1/subscriptions/{}/{verb}", of.id);
            let asks: BoxFuture<'_, u16> =
                Box::pin(async { of.api.post(&path, &body, "").await.status.as_u16() });
            let runs: BoxFuture<'_, u16> = Box::pin(async {
                scene.hears("recurring-billing", &message).await;
                0
            });
            let (first, second) = if request_first { (asks, runs) } else { (runs, asks) };
            let answers = meet(first, second, head_start).await;
            let case = (verb, &body, head_start, request_first, answers);
            assert!(case.4.iter().all(|status| [0, 200, 409].contains(status)), "{case:?}");
            scene.by_its_own_clock("recurring-billing", SignedDuration::ZERO);
            scene.shop().market.cloud.settle().await.unwrap();
            scene.minutes(120).await;
            scene.is_paid_as_it_says(&of.id, &case).await;
            // It is left alone from here on.
            of.api.post(&format!("/v1/subscriptions/{}/cancel", of.id), &json!({"at": "now"}), "").await;
        }
        scene.shop().market.cloud.settle().await.unwrap();
        scene.all_is_right((verb, &body)).await;
    }
}

/// The next number of a row that looks random and is always the same.
fn next(seed: &mut u64) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap()
}

#[tokio::test]
async fn whatever_happens_in_whatever_order_what_is_paid_is_what_the_gateway_has_taken() {
    for first in 1..=4 {
        let (scene, mut seed) = (Scene::open().await, first);
        let of = scene.subscriber().await;
        let mut story = Vec::new();
        for step in 0..30 {
            let (what, how) = (next(&mut seed) % 10, next(&mut seed));
            story.push((what, how % 8));
            let path = |verb: &str| format!("/v1/subscriptions/{}/{verb}", of.id);
            let key = format!("{first}-{step}");
            let post = async |verb: &str, body: Value| {
                for _ in 0..=(how % 2) {
                    let answer = of.api.post(&path(verb), &body, &key).await;
                    let expected = [200, 202, 402, 409, 422, 500, 503];
                    assert!(expected.contains(&answer.status.as_u16()), "{story:?}: {answer:?}");
                }
            };
            match what {
                0 => scene.cuts.cut(1 + how % 7, CUTS[how % 4]),
                1 => scene.gateway.misbehaves(Call::Authorize, &[super::GATEWAY_FAULTS[how % 8]]),
                2 => scene.gateway.misbehaves(Call::Authorize, &[super::NO_FUNDS]),
                3 => post("change", json!({"quantity": 1 + how % 5})).await,
                4 => post("pause", json!({})).await,
                5 => post("resume", json!({})).await,
                6 => post("pay", json!({})).await,
                7 => {
                    let word = ["card", "wallet"][how % 2];
                    post("set-payment-method", json!({"payment": {"method": word, "token": CARD}})).await;
                }
                _ => scene.pass(SignedDuration::from_hours(1 + i64::try_from(how % 96).unwrap())).await,
            }
        }
        // Troubles are over; what waits for them does not come.
        scene.cuts.none();
        scene.gateway.behaves();
        of.api.post(&format!("/v1/subscriptions/{}/resume", of.id), &json!({}), "").await;
        scene.pass(SignedDuration::from_hours(8 * 24)).await;
        scene.is_paid_as_it_says(&of.id, (first, &story)).await;
        scene.all_is_right((first, &story)).await;
        let stage = scene.market.kept(&of.id).await.stage;
        assert!(matches!(stage, Stage::Active | Stage::Paused { .. }), "{first}: {stage:?} {story:?}");
    }
}
