use super::*;
use crate::cart::{Contact, Line};
use crate::id::{MerchantId, OfferId};
use crate::money::Money;
use crate::place::Place;
use proptest::prelude::*;

/// A Monday, ten in the morning in Berlin.
const EDITED: &str = "2026-03-02T09:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn after(hours: i64) -> Timestamp {
    at(EDITED) + SignedDuration::from_hours(hours)
}

fn m() -> MarketplaceId {
    MarketplaceId::from_bits(1)
}

/// With the first policy's steps of 1, 24 and 72 hours, and nobody asleep.
fn policy() -> Policy {
    Policy { quiet: None, ..Policy::first() }
}

fn cart(bits: u128) -> Cart {
    let place = Place { country: "DE".parse().unwrap(), region: None, postal: None };
    let mut cart = Cart::open(CartId::from_bits(bits), "EUR".parse().unwrap(), None, place, at(EDITED));
    cart.contact = Some(Contact {
        email: Some("ines@post.example".parse().unwrap()),
        phone: None,
        agreed_at: Some(at(EDITED)),
    });
    cart.zone = Some("Europe/Berlin".parse().unwrap());
    cart.lines.push(Line {
        number: 1,
        offer: OfferId::from_bits(1),
        merchant: MerchantId::from_bits(1),
        quantity: 1,
        added_at: Money::new(10_00, cart.currency),
    });
    cart.followed(&m())
}

fn looked(policy: &Policy, cart: &Cart, held: Option<&FollowUp>, now: Timestamp) -> Look {
    look(policy, Seen { cart, held, wanted: true }, now)
}

/// What is written at a look, which it must be.
fn written(look: Look) -> Write {
    match look {
        Look::Write(write) => *write,
        other @ (Look::Over | Look::Later(_) | Look::Ends(_)) => panic!("{other:?}"),
    }
}

fn begun(policy: &Policy, cart: &Cart) -> FollowUp {
    written(looked(policy, cart, None, after(1))).next
}

#[test]
fn a_cart_is_left_after_the_first_delay_and_then_a_step_at_a_time() {
    let (policy, cart) = (policy(), cart(1));
    assert_eq!(looked(&policy, &cart, None, at("2026-03-02T09:59:59Z")), Look::Later(after(1)));
    let first = written(looked(&policy, &cart, None, after(1)));
    assert_eq!((first.step, first.then, first.incentive), (Some(0), Some(after(24)), None));
    let held = first.next;
    // The same message once more.
    assert_eq!(looked(&policy, &cart, Some(&held), after(1)), Look::Later(after(24)));
    let second = written(looked(&policy, &cart, Some(&held), after(24)));
    assert_eq!((second.step, second.then), (Some(1), Some(after(72))));
    let third = written(looked(&policy, &cart, Some(&second.next), after(72)));
    let five = Incentive { benefit: Benefit::Percent(Decimal::from(5)), valid_hours: 72 };
    assert_eq!((third.step, third.then, third.incentive), (Some(2), None, Some(five)));
    assert_eq!(looked(&policy, &cart, Some(&third.next), after(500)), Look::Over);
}

#[test]
fn an_edit_moves_what_comes_and_repeats_nothing() {
    let (policy, cart) = (policy(), cart(1));
    let held = begun(&policy, &cart);
    let edited = Cart { edited_at: after(20), ..cart };
    // A day after the edit, not after the cart was first left.
    assert_eq!(looked(&policy, &edited, Some(&held), after(24)), Look::Later(after(44)));
    assert_eq!(written(looked(&policy, &edited, Some(&held), after(44))).step, Some(1));
}

#[test]
fn a_late_look_writes_one_step_and_keeps_its_distance_to_the_next() {
    let (policy, cart) = (policy(), cart(1));
    let late = written(looked(&policy, &cart, None, after(100)));
    assert_eq!((late.step, late.then), (Some(0), Some(after(123))));
    assert_eq!(looked(&policy, &cart, Some(&late.next), after(101)), Look::Later(after(123)));
}

#[test]
fn every_reason_to_stop_stops_at_once() {
    let (policy, cart) = (policy(), cart(1));
    let held = begun(&policy, &cart);
    let order = OrderId::from_bits(1);
    let ordered = Cart { stage: CartStage::Completed { order, since: after(2) }, ..cart.clone() };
    let empty = Cart { lines: Vec::new(), ..cart.clone() };
    for (cart, wanted, why) in
        [(&ordered, true, Stop::Ordered), (&empty, true, Stop::Empty), (&cart, false, Stop::NotWanted)]
    {
        let stopped = look(&policy, Seen { cart, held: Some(&held), wanted }, after(24));
        let stage = Stage::Stopped { why, since: after(24) };
        assert_eq!(stopped, Look::Ends(FollowUp { stage, ..held.clone() }), "{why:?}");
        let before_any = look(&policy, Seen { cart, held: None, wanted }, after(24));
        assert_eq!(before_any, Look::Over, "{why:?}");
    }
}

#[test]
fn a16_2_recovery_mail_stops_on_order_placed() {
    let (policy, cart) = (policy(), cart(1));
    let held = begun(&policy, &cart);
    let order = OrderId::from_bits(3);
    let recovered = held.ordered(&policy, &cart.id, &order, after(5)).unwrap();
    assert_eq!(recovered.stage, Stage::Recovered { order: order.clone(), since: after(5) });
    assert_eq!(looked(&policy, &cart, Some(&recovered), after(24)), Look::Over);
    // Once; not of another cart; not before it began, nor later than the policy's seven days.
    assert_eq!(recovered.ordered(&policy, &cart.id, &order, after(6)), None);
    assert_eq!(held.ordered(&policy, &CartId::from_bits(9), &order, after(5)), None);
    assert_eq!(held.ordered(&policy, &cart.id, &order, after(0)), None);
    assert!(held.ordered(&policy, &cart.id, &order, after(1 + 7 * 24)).is_some());
    assert_eq!(held.ordered(&policy, &cart.id, &order, after(2 + 7 * 24)), None);
}

#[test]
fn a_cart_that_fills_again_goes_on_with_the_step_that_was_next() {
    let (policy, cart) = (policy(), cart(1));
    let held = begun(&policy, &cart);
    let stopped = FollowUp { stage: Stage::Stopped { why: Stop::Empty, since: after(2) }, ..held };
    let again = Cart { edited_at: after(30), ..cart };
    let next = written(looked(&policy, &again, Some(&stopped), after(54)));
    assert_eq!((next.step, next.next.stage), (Some(1), Stage::Open));
}

#[test]
fn nobody_is_written_to_in_the_night_of_where_they_are() {
    let night = Quiet { from: Time::constant(21, 0, 0, 0), until: Time::constant(8, 0, 0, 0) };
    let noon = Quiet { from: Time::constant(12, 0, 0, 0), until: Time::constant(14, 0, 0, 0) };
    for (quiet, zone, edited, looked_at, want) in [
        // 22:30 in Berlin: eight in the morning there, in winter.
        (
            night,
            "Europe/Berlin",
            "2026-03-02T20:30:00Z",
            "2026-03-02T21:30:00Z",
            Some("2026-03-03T07:00:00Z"),
        ),
        // Three in the morning: the same day.
        (
            night,
            "Europe/Berlin",
            "2026-03-03T01:00:00Z",
            "2026-03-03T02:00:00Z",
            Some("2026-03-03T07:00:00Z"),
        ),
        // The same moment is evening in New York.
        (night, "America/New_York", "2026-03-02T20:30:00Z", "2026-03-02T21:30:00Z", None),
        // The night in which the clocks leap: eight is an hour sooner.
        (
            night,
            "Europe/Berlin",
            "2026-03-28T20:30:00Z",
            "2026-03-28T21:30:00Z",
            Some("2026-03-29T06:00:00Z"),
        ),
        // The night in which they fall back.
        (
            night,
            "Europe/Berlin",
            "2026-10-24T19:30:00Z",
            "2026-10-24T20:30:00Z",
            Some("2026-10-25T07:00:00Z"),
        ),
        // The first quiet minute, and the first that is not.
        (night, "UTC", "2026-03-02T20:00:00Z", "2026-03-02T21:00:00Z", Some("2026-03-03T08:00:00Z")),
        (night, "UTC", "2026-03-02T20:00:00Z", "2026-03-03T08:00:00Z", None),
        (noon, "UTC", "2026-03-02T10:00:00Z", "2026-03-02T13:59:00Z", Some("2026-03-02T14:00:00Z")),
        (noon, "UTC", "2026-03-02T10:00:00Z", "2026-03-02T14:00:00Z", None),
    ] {
        let policy = Policy { quiet: Some(quiet), ..policy() };
        let zone = Some(zone.parse().unwrap());
        let cart = Cart { zone, edited_at: at(edited), ..cart(1) };
        let look = looked(&policy, &cart, None, at(looked_at));
        match want {
            Some(want) => assert_eq!(look, Look::Later(at(want)), "{looked_at}"),
            None => assert_eq!(written(look).step, Some(0), "{looked_at}"),
        }
    }
}

#[test]
fn the_end_of_the_quiet_hours_that_the_clock_leaps_over_comes_as_much_later() {
    // Half past two does not exist on this day: the wall shows half past three at 01:30 UTC.
    let quiet = Quiet { from: Time::constant(23, 0, 0, 0), until: Time::constant(2, 30, 0, 0) };
    let policy = Policy { quiet: Some(quiet), ..policy() };
    let cart = Cart { edited_at: at("2026-03-28T22:00:00Z"), ..cart(1) };
    let look = looked(&policy, &cart, None, at("2026-03-28T23:30:00Z"));
    assert_eq!(look, Look::Later(at("2026-03-29T01:30:00Z")));
}

#[test]
fn where_the_shopper_is_is_the_policy_s_guess_if_the_cart_does_not_know() {
    let policy = Policy { zone: "Asia/Tokyo".parse().unwrap(), ..Policy::first() };
    let cart = Cart { zone: None, edited_at: at("2026-03-02T11:30:00Z"), ..cart(1) };
    // 21:30 in Tokyo.
    let look = looked(&policy, &cart, None, at("2026-03-02T12:30:00Z"));
    assert_eq!(look, Look::Later(at("2026-03-02T23:00:00Z")));
}

#[test]
fn the_cap_counts_reminders_of_all_carts_of_a_person() {
    let policy = Policy { cap: Cap { messages: 2, days: 7 }, ..policy() };
    let (first, other) = (cart(1), Cart { edited_at: after(30), ..cart(2) });
    let held = begun(&policy, &first);
    let held = written(looked(&policy, &first, Some(&held), after(24))).next;
    // Written after 1 and 24 hours: the first leaves the seven days after 169 hours.
    let look = looked(&policy, &other, Some(&held), after(31));
    assert_eq!(look, Look::Later(after(1 + 7 * 24)));
    let free = written(looked(&policy, &other, Some(&held), after(1 + 7 * 24)));
    assert_eq!(free.next.before, [after(1), after(24)]);
    assert_eq!((free.step, free.next.cart), (Some(0), other.id));
}

#[test]
fn who_is_held_out_is_counted_and_gets_nothing() {
    let policy = Policy { hold_out_percent: 100, ..policy() };
    let cart = cart(1);
    let write = written(looked(&policy, &cart, None, after(1)));
    assert_eq!((write.step, write.then, &write.next.written), (None, None, &Vec::new()));
    assert_eq!(looked(&policy, &cart, Some(&write.next), after(24)), Look::Over);
    assert!(write.next.ordered(&policy, &cart.id, &OrderId::from_bits(1), after(30)).is_some());
    // By chance, the same for a cart at every look: of a thousand some ten of a hundred.
    let drawn = |bits: u128| Arm::of(&CartId::from_bits(bits), 10) == Arm::HeldOut;
    let held_out = (0..1000).filter(|bits| drawn(*bits)).count();
    assert!((70..130).contains(&held_out), "{held_out}");
    assert!((0..1000).all(|bits| Arm::of(&CartId::from_bits(bits), 0) == Arm::Reminded));
}

#[test]
fn a_cart_whose_payment_is_on_its_way_is_looked_at_again() {
    let cart = Cart { stage: CartStage::Locked { since: after(1) }, ..cart(1) };
    assert_eq!(looked(&policy(), &cart, None, after(1)), Look::Later(after(2)));
}

#[test]
fn looks_at_a_cart_that_stays_locked_are_twice_as_far_apart_each_time_and_never_two_for_one() {
    let cart = Cart { stage: CartStage::Locked { since: after(1) }, ..cart(1) };
    // After 1, 2, 4 and 8 hours, 128 and 256; a message that comes a second time, minutes later, finds the same.
    for (now, next) in [(2, 3), (3, 5), (5, 9), (129, 257)] {
        for late in [0, 7] {
            let now = after(now) + SignedDuration::from_mins(late);
            assert_eq!(looked(&policy(), &cart, None, now), Look::Later(after(next)));
        }
    }
}

#[test]
fn what_a_subscription_orders_reminds_nobody() {
    let renews = Some((crate::id::SubscriptionId::from_bits(1), 2));
    let cart = Cart { renews, ..cart(1) };
    assert!(!cart.may_be_followed());
    assert_eq!(looked(&policy(), &cart, None, after(1)), Look::Over);
}

#[test]
fn a16_1_a_guest_who_has_not_agreed_is_not_followed() {
    let cart = cart(1);
    assert!(cart.may_be_followed());
    let contact = cart.contact.clone().map(|contact| Contact { agreed_at: None, ..contact });
    assert!(!Cart { contact, ..cart }.may_be_followed());
}

#[test]
fn a_policy_that_makes_no_sense_is_refused_with_what_is_wrong() {
    let with = |change: fn(&mut Policy)| {
        let mut policy = policy();
        change(&mut policy);
        policy.check().map_err(|bad| bad.to_string())
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(with(|policy| policy.steps.clear()), Ok(()));
    for (change, why) in [
        (
            (|policy| policy.steps[1].after = 60) as fn(&mut Policy),
            "step 1 comes after 60 minutes: want more than the step before, at most 28 days",
        ),
        (
            |policy| policy.steps[2].after = 28 * 24 * 60 + 1,
            "step 2 comes after 40321 minutes: want more than the step before, at most 28 days",
        ),
        (|policy| policy.steps = vec![policy.steps[0].clone(); 7], "7 steps: want at most 6"),
        (
            |policy| policy.steps[2].incentive.as_mut().unwrap().valid_hours = 0,
            "step 2: its code is good for 1 to 720 hours",
        ),
        (|policy| policy.hold_out_percent = 101, "101 percent are held out: want 0 to 100"),
        (|policy| policy.cap.messages = 0, "0 reminders in 7 days: want 1 to 30 in 1 to 365 days"),
        (|policy| policy.attributed_days = 0, "0 days after it an order still counts: want 1 to 60"),
    ] {
        assert_eq!(with(change), Err(why.to_owned()));
    }
    let eight = Time::constant(8, 0, 0, 0);
    let all_day = Policy { quiet: Some(Quiet { from: eight, until: eight }), ..policy() };
    assert_eq!(all_day.check(), Err(BadPolicy::Quiet(eight)));
}

#[test]
fn a_mailbox_is_one_however_it_is_spelled() {
    let [a, b] = ["Ines@Post.example", "ines@post.example"].map(|email| email.parse().unwrap());
    assert_eq!(FollowUpId::of(&m(), &a), FollowUpId::of(&m(), &b));
    assert_ne!(FollowUpId::of(&m(), &a), FollowUpId::of(&MarketplaceId::from_bits(2), &a));
}

proptest! {
    /// Looks at any times write each step once, in order, never in quiet hours, never closer than the policy has them.
    #[test]
    fn looks_at_any_times_write_each_step_once(gaps in proptest::collection::vec(1_i64..2_000, 1..80)) {
        let policy = Policy::first();
        let cart = cart(1);
        let (mut held, mut now): (Option<FollowUp>, Timestamp) = (None, at(EDITED));
        let mut told = Vec::new();
        for minutes in gaps {
            now += SignedDuration::from_mins(minutes);
            // Twice each: the second one finds nothing to do.
            for turn in 0..2 {
                match looked(&policy, &cart, held.as_ref(), now) {
                    Look::Write(write) => {
                        prop_assert_eq!(turn, 0);
                        told.push((write.step.unwrap(), now));
                        held = Some(write.next);
                    }
                    Look::Later(at) => prop_assert!(at > now),
                    Look::Over | Look::Ends(_) => {}
                }
            }
        }
        let delays = [1, 24, 72].map(SignedDuration::from_hours);
        for (n, (step, at)) in told.iter().enumerate() {
            prop_assert_eq!(*step, n);
            prop_assert!(at.duration_since(cart.edited_at) >= delays[n]);
            let hour = cart.zone.as_ref().unwrap().wall(*at).hour();
            prop_assert!((8..21).contains(&hour));
            if let Some((_, before)) = n.checked_sub(1).map(|before| told[before]) {
                prop_assert!(at.duration_since(before) >= delays[n] - delays[n - 1]);
            }
        }
    }
}
