use super::*;
use crate::order::tests::{at, eur, id};
use jiff::ToSpan;
use proptest::prelude::*;

fn minutes(minutes: i64) -> Timestamp {
    at(0).checked_add(minutes.minutes()).unwrap()
}

/// A cart of 89.50 with everything that the gate requires.
fn ready() -> Checkout {
    let given = Given {
        contact: true,
        ships: true,
        address: true,
        delivery: Delivery::Chosen,
        problems: vec![],
        lines: 3,
        covered: eur(89_50),
    };
    Checkout { cart: id("crt_00000001"), total: eur(89_50), given, stage: Stage::Open }
}

#[derive(Debug, Clone, Copy)]
enum Do {
    Edit,
    Lock,
    LockOldTotal,
    Attempt,
    Unlock,
    UnlockHeld,
    Complete,
}

const ALL: [(&str, Do); 7] = [
    ("edit", Do::Edit),
    ("lock", Do::Lock),
    ("lock, old total", Do::LockOldTotal),
    ("attempt", Do::Attempt),
    ("unlock", Do::Unlock),
    ("unlock, held", Do::UnlockHeld),
    ("complete", Do::Complete),
];

fn answer(checkout: &Checkout, step: Do, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match step {
        Do::Edit => edit(checkout, now),
        Do::Lock => lock(checkout, checkout.total, now),
        Do::LockOldTotal => lock(checkout, eur(80_00), now),
        Do::Attempt => attempt(checkout, since(checkout), now),
        Do::Unlock => unlock(checkout, false, now),
        Do::UnlockHeld => unlock(checkout, true, now),
        Do::Complete => complete(checkout, now),
    }
}

fn since(checkout: &Checkout) -> Timestamp {
    if let Stage::Locked(lock) = checkout.stage { lock.since } else { at(0) }
}

fn walk(steps: &[Do]) -> Checkout {
    steps.iter().fold(ready(), |checkout, step| match answer(&checkout, *step, at(0)) {
        Ok(Decision::New(fact)) => checkout.apply(&fact),
        Ok(Decision::Already) | Err(_) => checkout,
    })
}

#[test]
fn every_stage_answers_every_step() {
    let lives: [(&str, &[Do], i64); 6] = [
        ("open", &[], 1),
        ("locked, 1 min", &[Do::Lock], 1),
        ("locked, 5 min", &[Do::Lock], 5),
        ("attempted, 1 min", &[Do::Lock, Do::Attempt], 1),
        ("attempted, 5 d", &[Do::Lock, Do::Attempt], 5 * 24 * 60),
        ("completed", &[Do::Lock, Do::Attempt, Do::Complete], 1),
    ];
    let mut page = String::new();
    for (stage, life, minute) in lives {
        let checkout = walk(life);
        for (name, step) in ALL {
            let line = match answer(&checkout, step, minutes(minute)) {
                Ok(Decision::New(fact)) => serde_json::to_string(&fact).unwrap(),
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("{stage:<17}{name:<16}{line}\n"));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a8_1_completing_twice_gives_one_order() {
    let once = walk(&[Do::Lock, Do::Attempt, Do::Complete]);
    assert_eq!(answer(&once, Do::Complete, at(9)), Ok(Decision::Already));
    assert_eq!(answer(&once, Do::Lock, at(9)), Ok(Decision::Already));
    // Two who have read the same cart name the same order.
    let both = [1, 2].map(|hour| answer(&walk(&[Do::Lock]), Do::Complete, at(hour)));
    for fact in both {
        let Ok(Decision::New(Fact::Completed { order, .. })) = fact else { panic!("completed") };
        assert_eq!(order, OrderId::of_cart(&id("crt_00000001")));
    }
}

#[test]
fn a8_2_another_total_than_expected_is_refused_with_the_current_one() {
    let refused = lock(&ready(), eur(80_00), at(0));
    assert_eq!(refused, Err(Refused::CartChanged { expected: eur(80_00), total: eur(89_50) }));
    let dollars = Money::new(89_50, id("USD"));
    assert!(matches!(lock(&ready(), dollars, at(0)), Err(Refused::CartChanged { .. })));
}

#[test]
fn a8_3_a_cart_in_payment_is_not_changed_and_a_stale_lock_gives_way_after_5_minutes() {
    let locked = walk(&[Do::Lock]);
    let held = Refused::Locked { locked_until: minutes(5) };
    let almost = minutes(5).checked_sub(1.millisecond()).unwrap();
    for step in [Do::Edit, Do::Lock] {
        assert_eq!(answer(&locked, step, almost), Err(held.clone()));
        assert!(matches!(answer(&locked, step, minutes(5)), Ok(Decision::New(_))));
    }
}

#[test]
fn a_lock_with_an_attempt_waits_for_its_outcome_however_long() {
    let pinned = walk(&[Do::Lock, Do::Attempt]);
    for step in [Do::Edit, Do::Lock, Do::UnlockHeld] {
        assert_eq!(answer(&pinned, step, at(24 * 30)), Err(Refused::Pinned));
    }
    let Ok(Decision::New(fact)) = answer(&pinned, Do::Unlock, at(1)) else { panic!("declined") };
    assert_eq!(pinned.apply(&fact).stage, Stage::Open);
}

#[test]
fn who_comes_back_after_the_lock_was_reclaimed_does_not_pay() {
    let first = walk(&[Do::Lock]);
    let Ok(Decision::New(fact)) = answer(&first, Do::Lock, minutes(6)) else { panic!("reclaimed") };
    let second = first.apply(&fact);
    assert_eq!(attempt(&second, at(0), minutes(7)), Err(Refused::NotLocked));
    assert!(matches!(attempt(&second, minutes(6), minutes(7)), Ok(Decision::New(_))));
}

#[test]
fn a8_6_a_cart_with_money_on_it_is_not_forgotten() {
    assert!(ready().may_be_forgotten(at(0)));
    assert!(!walk(&[Do::Lock]).may_be_forgotten(minutes(4)));
    assert!(walk(&[Do::Lock]).may_be_forgotten(minutes(5)));
    assert!(!walk(&[Do::Lock, Do::Attempt]).may_be_forgotten(at(24 * 365)));
}

#[test]
fn the_gate_names_everything_that_is_missing_with_its_step() {
    let nothing = Given {
        contact: false,
        ships: true,
        address: false,
        delivery: Delivery::Missing,
        problems: vec![
            LineProblem { line: 1, problem: Problem::InsufficientStock { available: 2 } },
            LineProblem { line: 3, problem: Problem::Unavailable },
        ],
        lines: 3,
        covered: eur(30_00),
    };
    let missing = unmet(eur(89_50), &nothing);
    let shown: Vec<_> = missing.iter().map(|one| (one.step(), serde_json::to_string(one).unwrap())).collect();
    let want = [
        (
            Step::Cart,
            concat!(
                r#"{"code":"lines_unavailable","lines":[{"line":1,"problem":"insufficient_stock","available":2},"#,
                r#"{"line":3,"problem":"unavailable"}]}"#,
            ),
        ),
        (Step::Contact, r#"{"code":"contact_missing"}"#),
        (Step::Address, r#"{"code":"address_missing"}"#),
        (Step::Delivery, r#"{"code":"delivery_missing"}"#),
        (Step::Payment, r#"{"code":"payment_missing","missing":"59.50","currency":"EUR"}"#),
    ];
    assert_eq!(shown, want.map(|(step, text)| (step, text.to_owned())));
    let refused = lock(&Checkout { given: nothing, ..ready() }, eur(89_50), at(0));
    assert_eq!(refused, Err(Refused::Incomplete(missing)));
}

#[test]
fn what_is_not_carried_needs_no_address_and_what_costs_nothing_no_payment() {
    let Checkout { given, .. } = ready();
    let service =
        Given { ships: false, address: false, delivery: Delivery::Missing, covered: eur(0), ..given.clone() };
    assert_eq!(unmet(eur(0), &service), []);
    let stale = Given { delivery: Delivery::Stale, ..given.clone() };
    assert_eq!(unmet(eur(89_50), &stale), [Unmet::DeliveryStale]);
    let empty = Given { lines: 0, ..given.clone() };
    assert_eq!(unmet(eur(0), &empty), [Unmet::CartEmpty]);
    let dollars = Given { covered: Money::new(100_000, id("USD")), ..given };
    assert!(
        matches!(&unmet(eur(89_50), &dollars)[..], [Unmet::PaymentMissing { missing, .. }] if missing == "89.50")
    );
}

proptest! {
    /// Two customers' tabs and the schedule on one cart: an order comes only through a lock that nobody else had.
    #[test]
    fn no_life_changes_a_cart_whose_payment_is_in_flight(
        life in prop::collection::vec((0_usize..7, 0_i64..400), 0..30),
    ) {
        let (mut checkout, mut now) = (ready(), 0);
        for (step, later) in life {
            now += later;
            let (_, step) = ALL[step];
            let at = at(0).checked_add(now.seconds()).unwrap();
            let Ok(Decision::New(fact)) = answer(&checkout, step, at) else { continue };
            let pinned = matches!(checkout.stage, Stage::Locked(lock) if lock.attempted);
            let held = matches!(checkout.stage, Stage::Locked(lock) if lock.is_held(at));
            match (step, &fact) {
                (Do::Edit | Do::Lock | Do::LockOldTotal, _) => prop_assert!(!held, "{fact:?}"),
                (Do::UnlockHeld, Fact::Unlocked { .. }) => prop_assert!(!pinned),
                (Do::Complete, _) => prop_assert!(matches!(checkout.stage, Stage::Locked(_))),
                (Do::Attempt | Do::Unlock | Do::UnlockHeld, _) => {}
            }
            prop_assert!(!matches!(checkout.stage, Stage::Completed { .. }), "an order is an end");
            checkout = checkout.apply(&fact);
        }
    }
}
