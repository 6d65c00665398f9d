//! Patterns, the slow way to failure, and when an endpoint is given up.

use super::*;
use proptest::prelude::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + minutes * 60).unwrap()
}

fn endpoint() -> Endpoint {
    Endpoint {
        id: WebhookEndpointId::from_bits(1),
        merchant: None,
        address: "https://hooks.example/".to_owned(),
        description: None,
        events: vec!["*".parse().unwrap()],
        stage: Stage::Active,
        secret: "whsec_new".to_owned(),
        earlier: None,
        failing_since: None,
        created_at: at(0),
    }
}

fn delivery() -> Delivery {
    Delivery::new(&endpoint(), "ord_1.2", "order.paid.v1", "{}".to_owned(), at(0))
}

fn call(code: u16, minute: i64) -> Try {
    Try { at: at(minute), answer: Answer::Status { code, body: String::new() }, milliseconds: 12 }
}

#[test]
fn a_pattern_is_a_name_or_its_beginning_up_to_a_point() {
    for (pattern, name, want) in [
        ("order.paid.v1", "order.paid.v1", true),
        ("order.paid.v1", "order.paid.v2", false),
        ("order.*", "order.paid.v1", true),
        ("order.*", "order_page.seen.v1", false),
        ("order.paid.*", "order.paid.v2", true),
        ("order.paid.*", "order.paid_late.v1", false),
        ("*", "payout.sent.v1", true),
    ] {
        assert_eq!(pattern.parse::<Pattern>().unwrap().wants(name), want, "{pattern} {name}");
    }
    let long = format!("{}.*", "a".repeat(100));
    for odd in [
        "",
        "order",
        "order*",
        "or*.paid.v1",
        "*.paid.v1",
        "order..v1",
        "Order.*",
        "order.**",
        "a.b.c.d",
        &long,
    ] {
        assert_eq!(odd.parse::<Pattern>(), Err(NotAPattern), "{odd}");
    }
}

#[test]
fn nine_tries_more_within_four_days_then_it_has_failed() {
    let (mut one, mut now, mut minutes) = (delivery(), at(0), Vec::new());
    for _ in 0..9 {
        one = one.answered(call(500, 0), None, now);
        let State::Waiting { at: next, .. } = one.state else { panic!("{:?}", one.state) };
        minutes.push(next.duration_since(now).as_mins());
        assert_eq!(one.turn(now), Turn::Early(next));
        now = next;
        let Turn::Call(claimed) = one.turn(now) else { panic!("its time has come") };
        one = claimed;
    }
    assert_eq!(minutes, [1, 5, 30, 120, 300, 600, 840, 1200, 1440]);
    assert_eq!(now.duration_since(at(0)).as_mins(), 4536, "three days and some hours");
    let last = one.answered(call(500, 0), None, now);
    assert_eq!(last.state, State::Failed { at: now, why: Why::Exhausted });
    assert_eq!(last.tries.len(), 10);
    assert_eq!(last.turn(now), Turn::Over);
}

#[test]
fn only_a_2xx_delivers_and_a_410_ends_it() {
    for (code, want) in [(200, Verdict::Taken), (204, Verdict::Taken), (299, Verdict::Taken)] {
        assert_eq!(call(code, 0).answer.verdict(), want, "{code}");
        assert_eq!(delivery().answered(call(code, 0), None, at(1)).state, State::Delivered { at: at(1) });
    }
    for code in [100, 199, 300, 301, 302, 307, 308, 400, 404, 429, 500, 503, 599] {
        assert_eq!(call(code, 0).answer.verdict(), Verdict::Not, "{code}");
    }
    let gone = delivery().answered(call(410, 0), None, at(1));
    assert_eq!(gone.state, State::Failed { at: at(1), why: Why::Gone });
}

#[test]
fn retry_after_is_heeded_up_to_a_day_and_never_shortens_a_pause() {
    for (asked, want) in [(0, 1), (1, 1), (59, 1), (3600, 60), (86_400, 1440), (9_999_999, 1440)] {
        let asked = SignedDuration::from_secs(asked);
        let waits = delivery().answered(call(503, 0), Some(asked), at(0));
        assert_eq!(waits.state, State::Waiting { at: at(want), tried: 1 }, "{asked:?}");
    }
}

#[test]
fn two_messages_about_one_delivery_make_one_call() {
    let one = delivery();
    assert_eq!(one.turn(at(0)), Turn::Taken);
    let Turn::Call(taken_over) = one.turn(at(1)) else { panic!("a claim is good for a minute") };
    assert_eq!(taken_over.state, State::Calling { until: at(2), tried: 0 });
    assert_eq!(taken_over.turn(at(1)), Turn::Taken);
}

#[test]
fn a_replay_begins_anew_and_keeps_the_id_and_the_text() {
    let failed = Delivery { state: State::Failed { at: at(9), why: Why::Exhausted }, ..delivery() };
    let Decision::New(again) = failed.clone().replay(at(10)) else { panic!("it may be replayed") };
    assert_eq!(again.state, State::Waiting { at: at(10), tried: 0 });
    assert_eq!((&again.id, &again.body), (&failed.id, &failed.body));
    assert_eq!(again.replay(at(11)), Decision::Already);
}

#[test]
fn a_delivery_whose_caller_never_came_back_may_be_replayed() {
    let calling = Delivery { state: State::Calling { until: at(1), tried: 3 }, ..delivery() };
    assert_eq!(calling.clone().replay(at(0)), Decision::Already);
    let Decision::New(again) = calling.replay(at(1)) else { panic!("nobody is at it") };
    assert_eq!(again.state, State::Waiting { at: at(1), tried: 0 });
}

#[test]
fn for_a_day_after_a_rotation_both_secrets_sign() {
    let changed = endpoint().rotated("whsec_newer".to_owned(), at(0));
    assert_eq!(changed.secrets(at(0)), ["whsec_newer", "whsec_new"]);
    assert_eq!(changed.secrets(at(24 * 60 - 1)), ["whsec_newer", "whsec_new"]);
    assert_eq!(changed.secrets(at(24 * 60)), ["whsec_newer"]);
    let twice = changed.rotated("whsec_newest".to_owned(), at(5));
    assert_eq!(twice.secrets(at(6)), ["whsec_newest", "whsec_newer"]);
}

#[test]
fn an_endpoint_is_given_up_after_five_days_of_failures_or_a_410() {
    let Decision::New(failing) = endpoint().heard(Verdict::Not, at(0)) else { panic!("it is noted") };
    assert_eq!((failing.stage, failing.failing_since), (Stage::Active, Some(at(0))));
    let days = |days: i64| at(days * 24 * 60);
    assert_eq!(
        failing.clone().heard(Verdict::Not, days(5) - SignedDuration::from_secs(1)),
        Decision::Already
    );
    let Decision::New(given_up) = failing.clone().heard(Verdict::Not, days(5)) else { panic!("given up") };
    assert_eq!(given_up.stage, Stage::Suspended { since: days(5), reason: Suspension::Failing });
    let Decision::New(well) = failing.heard(Verdict::Taken, days(4)) else { panic!("it is well again") };
    assert_eq!(well, endpoint());
    let Decision::New(gone) = endpoint().heard(Verdict::Gone, at(3)) else { panic!("it is gone") };
    assert_eq!(gone.stage, Stage::Suspended { since: at(3), reason: Suspension::Gone });
    assert_eq!(gone.clone().heard(Verdict::Not, days(9)), Decision::Already);
    let Decision::New(again) = given_up.resume() else { panic!("it may be resumed") };
    assert_eq!(again, endpoint());
}

#[test]
fn what_is_due_at_a_paused_suspended_or_removed_endpoint_is_kept_as_failed() {
    let since = at(1);
    for (stage, why) in [
        (Stage::Paused, Why::Paused),
        (Stage::Suspended { since, reason: Suspension::Gone }, Why::Suspended),
        (Stage::Removed { at: since }, Why::Removed),
    ] {
        let state = delivery().held_back(&stage, at(2)).unwrap().state;
        assert_eq!(state, State::Failed { at: at(2), why });
    }
    assert_eq!(delivery().held_back(&Stage::Active, at(2)), None);
}

proptest! {
    /// However its receiver answers, a delivery ends, its log is bounded, and its id and text stay.
    #[test]
    fn every_delivery_ends(codes in prop::collection::vec(100_u16..600, 1..40)) {
        let (first, mut now) = (delivery(), at(0));
        let mut one = first.clone();
        let mut calls = 0;
        for code in codes {
            let Turn::Call(claimed) = one.turn(now.max(at(1))) else { break };
            calls += 1;
            one = claimed.answered(call(code, 0), None, now);
            if let State::Waiting { at, .. } = one.state { now = at; }
        }
        prop_assert!(calls <= 10 && one.tries.len() <= 12);
        prop_assert_eq!((one.id, one.body), (first.id, first.body));
    }
}
