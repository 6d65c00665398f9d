use super::*;
use crate::order::tests::{at, eur, house, id, line, placed};
use crate::order::{Order, split};
use crate::payment::To;
use crate::stock::{Levels, Shelf};
use proptest::prelude::*;

/// Three mugs (43.50, delivery 2.00, fees 6.53) and a bowl (9.00, fees 1.35); 3.18 of the order's delivery.
fn unpaid() -> MerchantOrder {
    split(&house(&[])).unwrap().remove(0)
}

fn units(of: &[(u16, u32)]) -> Vec<Units> {
    of.iter().map(|(line, quantity)| Units { line: *line, quantity: *quantity }).collect()
}

fn parcel(part: &MerchantOrder, tracking: &str) -> ShipmentId {
    ShipmentId::from_bits(derive(&["shipment", part.id.as_str(), "dhl", tracking]))
}

/// Anything that can come at a merchant order.
#[derive(Debug, Clone)]
enum Step {
    Open,
    Accept(Vec<u16>),
    Reject(Vec<Units>),
    Ship(&'static str, Vec<Units>),
    Track(&'static str, Tracking, i64),
    CancelRest,
    Refund(Vec<Units>, bool),
}

fn answer(part: &MerchantOrder, step: &Step) -> Result<Decision<Fact>, Refused> {
    let reason = id::<Reason>("asked");
    match step.clone() {
        Step::Open => Ok(open(part, at(1))),
        Step::Accept(lines) => accept(part, &lines),
        Step::Reject(lines) => reject(part, lines, reason, at(2)).map(Decision::New),
        Step::Ship(tracking, lines) => ship(part, id("dhl"), id(tracking), lines, Shelves::default(), at(3)),
        Step::Track(tracking, status, hour) => track(part, &parcel(part, tracking), status, at(hour)),
        Step::CancelRest => Ok(cancel_rest(part, &reason, at(4))?.map_or(Decision::Already, Decision::New)),
        Step::Refund(lines, delivery) => {
            refund(part, RefundLines { lines, delivery, to: To::Original, reason }).map(Decision::New)
        }
    }
}

fn walk(part: MerchantOrder, steps: &[Step]) -> MerchantOrder {
    steps.iter().fold(part, |part, step| match answer(&part, step) {
        Ok(Decision::New(fact)) => part.apply(&fact),
        Ok(Decision::Already) | Err(_) => part,
    })
}

fn arrived(tracking: &'static str, hour: i64) -> Step {
    Step::Track(tracking, Tracking::Delivered, hour)
}

/// The life of a merchant order on one page, with the stage that a fact leads to.
#[test]
fn every_stage_answers_every_step() {
    let mugs = || Step::Ship("trk-1", units(&[(1, 2)]));
    let rest = || Step::Ship("trk-2", vec![]);
    let lives: [(&str, Vec<Step>); 9] = [
        ("awaiting payment", vec![]),
        ("open", vec![Step::Open]),
        ("accepted", vec![Step::Open, Step::Accept(vec![])]),
        ("partly shipped", vec![Step::Open, mugs()]),
        ("partly delivered", vec![Step::Open, mugs(), rest(), arrived("trk-2", 5)]),
        ("shipped", vec![Step::Open, mugs(), rest()]),
        ("delivered", vec![Step::Open, mugs(), rest(), arrived("trk-1", 6), arrived("trk-2", 5)]),
        ("1 lost", vec![Step::Open, mugs(), Step::Track("trk-1", Tracking::Lost, 5)]),
        ("canceled", vec![Step::Open, Step::CancelRest]),
    ];
    let steps = [
        ("open", Step::Open),
        ("accept all", Step::Accept(vec![])),
        ("accept line 9", Step::Accept(vec![9])),
        ("reject 1 mug", Step::Reject(units(&[(1, 1)]))),
        ("reject all", Step::Reject(units(&[(1, 3), (2, 1)]))),
        ("ship 2 mugs", mugs()),
        ("ship 2 again, 1", Step::Ship("trk-1", units(&[(1, 1)]))),
        ("ship the rest", rest()),
        ("ship other, 1 mug", Step::Ship("trk-3", units(&[(1, 1)]))),
        ("ship other, rest", Step::Ship("trk-3", vec![])),
        ("1 in transit", Step::Track("trk-1", Tracking::InTransit, 9)),
        ("1 delivered", arrived("trk-1", 9)),
        ("9 delivered", arrived("trk-9", 9)),
        ("1 lost", Step::Track("trk-1", Tracking::Lost, 9)),
        ("cancel the rest", Step::CancelRest),
        ("refund 1 mug", Step::Refund(units(&[(1, 1)]), true)),
        ("refund 4 mugs", Step::Refund(units(&[(1, 4)]), false)),
    ];
    let mut page = String::new();
    for (stage, life) in &lives {
        let part = walk(unpaid(), life);
        for (name, step) in &steps {
            let line = match answer(&part, step) {
                Ok(Decision::New(fact)) => {
                    let after = part.clone().apply(&fact);
                    let stage = if after.stage == part.stage {
                        String::new()
                    } else {
                        format!(" -> {}", serde_json::to_string(&after.stage).unwrap())
                    };
                    serde_json::to_string(&fact).unwrap() + &stage
                }
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("{stage:<17}{name:<18}{line}\n"));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn whom_it_goes_to_is_shown_from_payment_until_two_weeks_after_delivery() {
    let far = at(24 * 365);
    assert!(!unpaid().shows_recipient(at(0)));
    let open = walk(unpaid(), &[Step::Open]);
    assert!(
        open.shows_recipient(at(1)) && open.shows_recipient(far),
        "late as it may be, it has to be shipped"
    );
    let everything = units(&[(1, 3), (2, 1)]);
    let sent = walk(open.clone(), &[Step::Ship("T-1", everything)]);
    assert!(sent.shows_recipient(far));
    let there = walk(sent, &[arrived("T-1", 10)]);
    assert_eq!(there.stage, Stage::Delivered { since: at(10) });
    let end = 10 + 14 * 24;
    assert!(there.shows_recipient(at(end - 1)) && !there.shows_recipient(at(end)));
    assert!(!walk(open, &[Step::CancelRest]).shows_recipient(at(4)));
}

#[test]
fn what_is_named_must_be_there_and_named_once() {
    let part = walk(unpaid(), &[Step::Open]);
    let cases: [(&[(u16, u32)], Refused); 5] = [
        (&[], Refused::NoLine),
        (&[(9, 1)], Refused::UnknownLine(9)),
        (&[(1, 1), (2, 1), (1, 1)], Refused::LineTwice(1)),
        (&[(1, 0)], Refused::Units { line: 1, asked: 0, left: 3 }),
        (&[(2, 1), (1, 4)], Refused::Units { line: 1, asked: 4, left: 3 }),
    ];
    for (lines, refused) in cases {
        assert_eq!(answer(&part, &Step::Reject(units(lines))), Err(refused.clone()));
        if !lines.is_empty() {
            assert_eq!(answer(&part, &Step::Ship("trk-1", units(lines))), Err(refused));
        }
    }
}

#[test]
fn a11_4_a_late_in_transit_changes_nothing() {
    let part = walk(unpaid(), &[Step::Open, Step::Ship("trk-1", vec![]), arrived("trk-1", 9)]);
    for hour in [0, 8, 9, 500] {
        let late = Step::Track("trk-1", Tracking::InTransit, hour);
        assert_eq!(answer(&part, &late), Ok(Decision::Already));
    }
    // Nor does a second "delivered" with another time: the first is the one that the earning was made with.
    assert_eq!(answer(&part, &arrived("trk-1", 7)), Ok(Decision::Already));
    assert_eq!(part.stage, Stage::Delivered { since: at(9) });
}

#[test]
fn a_part_is_delivered_when_its_last_parcel_was_whatever_came_first_to_us() {
    let (one, two) = (Step::Ship("trk-1", units(&[(1, 3)])), Step::Ship("trk-2", units(&[(2, 1)])));
    let shipped = walk(unpaid(), &[Step::Open, one, two]);
    for told in [["trk-1", "trk-2"], ["trk-2", "trk-1"]] {
        let hour = |tracking| if tracking == "trk-1" { 20 } else { 10 };
        let part = walk(shipped.clone(), &told.map(|tracking| arrived(tracking, hour(tracking))));
        assert_eq!(part.stage, Stage::Delivered { since: at(20) });
    }
    // A parcel cannot arrive before it left.
    let part = walk(unpaid(), &[Step::Open, Step::Ship("trk-1", vec![]), arrived("trk-1", -9)]);
    assert_eq!(part.stage, Stage::Delivered { since: at(3) });
}

#[test]
fn the_same_tracking_number_is_another_parcel_at_another_carrier_or_part() {
    let part = walk(unpaid(), &[Step::Open, Step::Ship("trk-1", units(&[(1, 1)]))]);
    let other = ship(&part, id("ups"), id("trk-1"), units(&[(1, 1)]), Shelves::default(), at(3));
    assert!(matches!(other, Ok(Decision::New(Fact::Shipped { .. }))));
    let lamp = split(&house(&[])).unwrap().remove(1);
    assert_ne!(parcel(&part, "trk-1"), parcel(&lamp, "trk-1"));
}

#[test]
fn a_merchant_order_has_no_more_parcels_than_an_item_can_hold() {
    let mut part = split(&placed(vec![line(1, 1, 201, 1_00, 0)], 0, &[])).unwrap().remove(0);
    part = part.apply(&Fact::Opened { at: at(1) });
    for number in 0..SHIPMENTS_MAX {
        let Ok(Decision::New(fact)) =
            ship(&part, id("dhl"), id(&format!("trk-{number}")), units(&[(1, 1)]), Shelves::default(), at(3))
        else {
            panic!("parcel {number}")
        };
        part = part.apply(&fact);
    }
    assert_eq!(answer(&part, &Step::Ship("trk-x", vec![])), Err(Refused::ShipmentCount));
    // A repeat of a parcel that left is no news even then.
    assert_eq!(answer(&part, &Step::Ship("trk-1", vec![])), Ok(Decision::Already));
}

#[test]
fn a12_2_what_is_canceled_takes_its_share_of_fees_and_delivery_along() {
    // One of three mugs is rejected: items 43.50 − 14.50 + 9.00; delivery of the line 2.00 in thirds 0.67,
    // 0.67, 0.66, so 2.00 − 0.67 + 3.18 of the order; fees 6.53 in thirds 2.18, 2.18, 2.17, so
    // 6.53 − 2.18 + 1.35.
    let part = walk(unpaid(), &[Step::Open, Step::Reject(units(&[(1, 1)]))]);
    let earned = part.earned().unwrap();
    assert_eq!((earned.items, earned.delivery, earned.fees), (eur(38_00), eur(4_51), eur(5_70)));
    assert_eq!((earned.gross, earned.net), (eur(42_51), eur(36_81)));
    // Without a unit left there is nothing to bring: the order's delivery goes back too.
    let part = walk(part, &[Step::Reject(units(&[(1, 2), (2, 1)]))]);
    assert_eq!(part.stage, Stage::Canceled { since: at(2) });
    assert_eq!((part.worth().unwrap(), part.earned().unwrap().fees), (eur(0), eur(0)));
}

#[test]
fn what_ends_without_its_rest_after_all_else_came_back_keeps_no_delivery() {
    let some = Step::Ship("trk-1", units(&[(1, 2)]));
    let come = walk(unpaid(), &[Step::Open, some, Step::Ship("trk-2", vec![]), arrived("trk-1", 9)]);
    let back = |delivery| Step::Refund(units(&[(1, 2)]), delivery);
    let lost = Step::Track("trk-2", Tracking::Lost, 10);
    // Two of three mugs came back with 2.00 of delivery: a mug for 14.50, a bowl for 9.00 and 3.18 are under way.
    let returned = walk(come.clone(), &[back(true)]);
    assert_eq!((returned.worth().unwrap(), returned.owed().unwrap()), (eur(26_68), eur(26_68)));
    let returned = walk(returned, std::slice::from_ref(&lost));
    assert_eq!(returned.stage, Stage::Delivered { since: at(9) });
    let nothing = Earned::zero(returned.currency);
    assert_eq!((returned.earned().unwrap(), returned.kept().unwrap()), (nothing, nothing));
    // Without their delivery: that of two mugs, 2.00 − 0.67, and the order's stay.
    let kept = walk(come, &[back(false), lost]);
    assert_eq!((kept.worth().unwrap(), kept.owed().unwrap()), (eur(4_51), eur(4_51)));
}

#[test]
fn what_is_canceled_behind_the_last_parcel_completes_the_part() {
    let some = Step::Ship("trk-1", units(&[(1, 2)]));
    let part = walk(unpaid(), &[Step::Open, some, arrived("trk-1", 9)]);
    assert!(matches!(part.stage, Stage::Open { .. }));
    for end in [Step::CancelRest, Step::Reject(units(&[(1, 1), (2, 1)]))] {
        let part = walk(part.clone(), &[end]);
        assert!(matches!(part.stage, Stage::Delivered { .. }));
        // Two of three mugs: 29.00, and 2.00 − 0.67 + 3.18 delivery, less 6.53 − 2.18 fees.
        assert_eq!(part.earned().unwrap().net, eur(29_00 + 4_51 - 4_35));
    }
}

#[test]
fn a12_6_an_earning_is_the_customers_money_in_two_hands() {
    let part = walk(unpaid(), &[Step::Open, Step::Ship("trk-1", vec![]), arrived("trk-1", 9)]);
    let posting = part.earned().unwrap().posting(&part).unwrap();
    let entries: Vec<_> =
        posting.entries().map(|(account, amount)| (account.to_string(), amount.minor)).collect();
    let want = [("unearned", 57_68), ("payable:mer_00000001", -49_80), ("commission", -7_88)];
    assert_eq!(entries, want.map(|(account, minor)| (account.to_owned(), minor)));
}

#[test]
fn nothing_happens_to_a_part_before_it_is_open() {
    let part = unpaid().apply(&Fact::Opened { at: at(7) });
    let canceled = walk(part.clone(), &[Step::Reject(units(&[(1, 3), (2, 1)]))]);
    assert_eq!(canceled.stage, Stage::Canceled { since: at(7) });
    let shipped = walk(part, &[Step::Ship("trk-1", vec![])]);
    assert_eq!(shipped.shipments[0].shipped_at, at(7));
}

#[test]
fn a_part_born_of_a_paid_order_is_open() {
    let order: Order = house(&[]).apply(&crate::order::Fact::Paid { at: at(7), payments: vec![] });
    assert_eq!(split(&order).unwrap()[0].stage, Stage::Open { since: at(7) });
}

fn any_units() -> impl Strategy<Value = Vec<Units>> {
    prop::collection::vec((1_u16..4, 0_u32..4).prop_map(|(line, quantity)| Units { line, quantity }), 0..3)
}

fn any_step() -> impl Strategy<Value = Step> {
    let parcels = || prop::sample::select(vec!["trk-1", "trk-2", "trk-3"]);
    let status = prop_oneof![1 => Just(Tracking::InTransit), 3 => Just(Tracking::Delivered), 1 => Just(Tracking::Lost)];
    prop_oneof![
        2 => Just(Step::Open),
        1 => prop::collection::vec(0_u16..4, 0..3).prop_map(Step::Accept),
        3 => any_units().prop_map(Step::Reject),
        6 => (parcels(), any_units()).prop_map(|(tracking, lines)| Step::Ship(tracking, lines)),
        6 => (parcels(), status, 0_i64..90)
            .prop_map(|(tracking, status, hour)| Step::Track(tracking, status, hour)),
        1 => Just(Step::CancelRest),
        4 => (any_units(), any::<bool>()).prop_map(|(lines, delivery)| Step::Refund(lines, delivery)),
    ]
}

/// A part with one to three lines to which nothing has happened.
fn any_new_part() -> impl Strategy<Value = MerchantOrder> {
    let lines = prop::collection::vec((1_u32..5, 0_i64..10_000, 0_i64..5_00), 1..4);
    (lines, 0_i64..10_00).prop_map(|(lines, delivery)| {
        let build = |(number, (quantity, price, cost))| line(number, 1, quantity, price, cost);
        let order = placed((1..).zip(lines).map(build).collect(), delivery, &[]);
        split(&order).unwrap().remove(0)
    })
}

/// A part in any stage.
fn any_part() -> impl Strategy<Value = MerchantOrder> {
    (any_new_part(), any_life()).prop_map(|(part, life)| walk(part, &life))
}

/// Whatever has left arrives, and the rest is canceled.
fn to_the_end() -> Vec<Step> {
    vec![Step::CancelRest, arrived("trk-1", 9), arrived("trk-2", 9), arrived("trk-3", 9)]
}

/// Random lives seldom come to an end by themselves, so some are brought there and go on.
fn any_life() -> impl Strategy<Value = Vec<Step>> {
    let steps = || prop::collection::vec(any_step(), 0..15);
    (any::<bool>(), steps(), any::<bool>(), steps()).prop_map(|(paid, before, ends, after)| {
        let first = if paid { vec![Step::Open] } else { vec![] };
        let end = if ends { to_the_end() } else { vec![] };
        [first, before, end, after].concat()
    })
}

/// Delivered, and nothing is refunded yet.
fn is_fresh(part: &MerchantOrder) -> bool {
    matches!(part.stage, Stage::Delivered { .. }) && part.lines.iter().all(|line| line.progress.refunded == 0)
}

/// The units of a part's lines, told from its parcels too.
fn check_units(part: &MerchantOrder) -> Result<(), TestCaseError> {
    for line in &part.lines {
        let Progress { shipped, delivered, canceled, refunded, .. } = line.progress;
        prop_assert!(shipped + canceled <= line.quantity, "{line:?}");
        prop_assert!(delivered <= shipped, "{line:?}");
        prop_assert!(refunded <= delivered, "{line:?}");
        prop_assert!(line.progress.refunded_early <= refunded, "{line:?}");
        let sent = |arrived: bool| {
            let there = part.shipments.iter().filter(|parcel| parcel.lost_at.is_none());
            let parcels = there.filter(|parcel| !arrived || parcel.delivered_at.is_some());
            let lines = parcels.flat_map(|parcel| &parcel.lines).filter(|units| units.line == line.number);
            lines.map(|units| units.quantity).sum::<u32>()
        };
        prop_assert_eq!((sent(false), sent(true)), (shipped, delivered));
    }
    let over = |line: &Line| line.progress.delivered + line.progress.canceled == line.quantity;
    match part.stage {
        Stage::AwaitingPayment => prop_assert!(part.shipments.is_empty()),
        Stage::Open { .. } => prop_assert!(!part.lines.iter().all(over), "a complete part is still open"),
        Stage::Delivered { .. } => prop_assert!(part.lines.iter().all(over) && !part.is_canceled()),
        Stage::Canceled { .. } => {
            prop_assert!(part.is_canceled() && part.shipments.iter().all(|parcel| parcel.lost_at.is_some()));
        }
    }
    Ok(())
}

/// A part whose first line has stock for two of three units, in two places; the second line's has run out.
fn kept() -> MerchantOrder {
    let mut part = unpaid();
    let offers = [1, 2].map(OfferId::from_bits);
    let held = [vec![promised("a", 1), promised("b", 1)], vec![]];
    for ((line, offer), held) in part.lines.iter_mut().zip(offers).zip(held) {
        (line.offer, line.allocations) = (Some(offer), Some(held));
    }
    part.apply(&Fact::Opened { at: at(1) })
}

fn promised(location: &str, quantity: u32) -> Allocation {
    Allocation { location: id(location), bin: 0, quantity }
}

fn shelves(units: i64) -> Shelves {
    let shelf =
        |offer| Shelf { offer: OfferId::from_bits(offer), location: id("c"), bin: 0, available: units };
    Shelves::new(vec![shelf(1), shelf(2)])
}

fn packed(part: &MerchantOrder, lines: &[(u16, u32)], stock: i64) -> Result<Fact, Refused> {
    match ship(part, id("dhl"), id("trk"), units(lines), shelves(stock), at(3))? {
        Decision::New(fact) => Ok(fact),
        Decision::Already => panic!("a new parcel"),
    }
}

fn moves(part: &MerchantOrder, fact: &Fact) -> Vec<String> {
    let told = |one: &Movement| format!("{} {:?}", one.location, one.change);
    movements(part, fact).iter().map(told).collect()
}

#[test]
fn a7_3_shipping_converts_an_existing_allocation() {
    let part = kept();
    let fact = packed(&part, &[(1, 2)], 0).unwrap();
    assert_eq!(moves(&part, &fact), ["a Shipped { quantity: 1 }", "b Shipped { quantity: 1 }"]);
    let after = part.apply(&fact);
    assert_eq!((after.lines[0].allocations.clone(), after.lines[0].short()), (Some(vec![]), 1));
}

#[test]
fn what_was_short_leaves_from_what_has_come_in_since_or_not_at_all() {
    let part = kept();
    assert_eq!(packed(&part, &[(1, 3)], 0), Err(Refused::OutOfStock { line: 1, short: 1 }));
    let fact = packed(&part, &[(1, 3)], 5).unwrap();
    let told = [
        "c Allocated { quantity: 1 }",
        "a Shipped { quantity: 1 }",
        "b Shipped { quantity: 1 }",
        "c Shipped { quantity: 1 }",
    ];
    assert_eq!(moves(&part, &fact), told);
}

#[test]
fn canceled_units_give_back_the_last_promised_after_those_that_have_none() {
    let part = kept();
    let cancel = |quantity| {
        let (lines, reason) = (units(&[(1, quantity)]), id("asked"));
        Fact::Canceled { at: at(2), lines, reason, by_merchant: true }
    };
    assert_eq!(moves(&part, &cancel(1)), Vec::<String>::new());
    assert_eq!(moves(&part, &cancel(2)), ["b Released { quantity: 1 }"]);
    assert_eq!(moves(&part, &cancel(3)), ["b Released { quantity: 1 }", "a Released { quantity: 1 }"]);
}

proptest! {
    /// Whatever becomes of a part, its stock follows: what it holds is what is allocated, what has left is shipped,
    /// and at the end nothing is held.
    #[test]
    fn the_stock_of_a_part_is_all_accounted_for(
        life in prop::collection::vec((0_u8..3, 1_u16..3, 1_u32..4, 0_i64..3), 0..12),
    ) {
        let mut part = kept();
        let (mut levels, mut parcel) = (Levels { allocated: 2, ..Levels::default() }, 0);
        for (step, line, quantity, stock) in life {
            parcel += 1;
            let lines = units(&[(line, quantity)]);
            let fact = match step {
                0 => reject(&part, lines, id("asked"), at(2)).ok(),
                1 => match ship(&part, id("dhl"), id(&format!("t{parcel}")), lines, shelves(stock), at(3)) {
                    Ok(Decision::New(fact)) => Some(fact),
                    Ok(Decision::Already) | Err(_) => None,
                },
                _ => cancel_rest(&part, &id("asked"), at(4)).unwrap().filter(|_| parcel > 9),
            };
            let Some(fact) = fact else { continue };
            for movement in movements(&part, &fact) {
                levels = levels.plus(movement.change.effect());
            }
            part = part.apply(&fact);
            let of = |line: &Line| line.allocations.as_deref().map_or(0, allocated);
            let held: u32 = part.lines.iter().map(of).sum();
            let shipped: u32 = part.lines.iter().map(|line| line.progress.shipped).sum();
            prop_assert_eq!(levels.allocated, i64::from(held));
            prop_assert_eq!(levels.on_hand, -i64::from(shipped));
            prop_assert!(part.lines.iter().all(|line| line.to_ship() >= of(line)));
        }
        if let Some(fact) = cancel_rest(&part, &id("asked"), at(5)).unwrap() {
            for movement in movements(&part, &fact) {
                levels = levels.plus(movement.change.effect());
            }
        }
        prop_assert_eq!(levels.allocated, 0);
    }
}

proptest! {
    #[test]
    fn units_are_shipped_canceled_delivered_and_refunded_once(part in any_part(), life in any_life()) {
        let mut part = part;
        check_units(&part)?;
        for step in &life {
            part = walk(part, std::slice::from_ref(step));
            check_units(&part)?;
        }
    }

    #[test]
    fn a12_3_an_end_is_final(part in any_part(), life in any_life()) {
        let part = walk(part, &to_the_end());
        prop_assert!(matches!(part.stage, Stage::Delivered { .. } | Stage::Canceled { .. }), "{part:?}");
        let after = walk(part.clone(), &life);
        prop_assert_eq!(&after.stage, &part.stage);
        prop_assert_eq!(after.earned(), part.earned());
    }

    /// Left out: rejections and refunds, where each asks for more units.
    #[test]
    fn a_repeated_step_is_no_news(
        part in any_part(),
        step in any_step().prop_filter("adds", |step| !matches!(step, Step::Reject(_) | Step::Refund(..))),
    ) {
        let part = walk(part, std::slice::from_ref(&step));
        let again = answer(&part, &step);
        prop_assert!(!matches!(again, Ok(Decision::New(_))), "{again:?}");
    }

    #[test]
    fn in_transit_is_never_news(part in any_part(), hour in 0_i64..90) {
        for tracking in ["trk-1", "trk-2", "trk-3"] {
            let told = answer(&part, &Step::Track(tracking, Tracking::InTransit, hour));
            prop_assert!(!matches!(told, Ok(Decision::New(_))), "{told:?}");
        }
    }

    #[test]
    fn no_stage_is_older_than_the_one_before(part in any_part(), step in any_step()) {
        let since = |part: &MerchantOrder| match part.stage {
            Stage::AwaitingPayment => part.placed_at,
            Stage::Open { since } | Stage::Delivered { since } | Stage::Canceled { since } => since,
        };
        prop_assert!(since(&walk(part.clone(), &[step])) >= since(&part));
    }

    /// Unit by unit or at once, in the end all that was earned on the lines has gone back, to the cent.
    #[test]
    fn a10_2_the_refunds_of_all_units_are_what_the_lines_earned(
        part in any_part().prop_map(|part| walk(part, &to_the_end())).prop_filter("fresh", is_fresh),
        one_by_one in any::<bool>(),
    ) {
        let mut part = part;
        let earned = part.earned().unwrap();
        let (mut items, mut delivery, mut fees) = (0, 0, 0);
        for line in part.lines.clone().iter().filter(|line| line.progress.delivered > 0) {
            let (times, each) =
                if one_by_one { (line.progress.delivered, 1) } else { (1, line.progress.delivered) };
            for _ in 0..times {
                let fact = answer(&part, &Step::Refund(units(&[(line.number, each)]), true));
                let Ok(Decision::New(fact)) = fact else { panic!("{fact:?}") };
                if let Fact::Refunded { items: a, delivery: b, fees: c, .. } = &fact {
                    (items, delivery, fees) = (items + a.minor, delivery + b.minor, fees + c.minor);
                }
                part = part.apply(&fact);
            }
        }
        prop_assert_eq!((items, fees), (earned.items.minor, earned.fees.minor));
        prop_assert_eq!(delivery, earned.delivery.minor, "with the last unit goes the order's own delivery");
    }

    /// Whatever comes last: where each unit was canceled, lost, or paid back with delivery, the part's own goes too.
    #[test]
    fn nothing_is_owed_for_a_part_of_which_nothing_is_left(part in any_new_part(), life in any_life()) {
        let with_delivery = |step| {
            if let Step::Refund(lines, _) = step { Step::Refund(lines, true) } else { step }
        };
        let life: Vec<Step> = life.into_iter().map(with_delivery).chain(to_the_end()).collect();
        let part = walk(part, &life);
        let left = |line: &Line| (line.number, line.progress.delivered - line.progress.refunded);
        let left = part.lines.iter().map(left).filter(|(_, units)| *units > 0);
        let left: Vec<(u16, u32)> = left.collect();
        let part = walk(part, &[Step::Refund(units(&left), true)]);
        prop_assert_eq!(part.kept().unwrap(), Earned::zero(part.currency));
    }
}
