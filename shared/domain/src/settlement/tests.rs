use super::*;
use crate::Decision;
use crate::gateway::{Class, Decline, Method, Outcome};
use crate::id::{CustomerId, OrderId};
use crate::merchant_order::{self, RefundLines, Tracking, Units};
use crate::order::tests::{at, eur, id, line};
use crate::order::{self, Bought, Intake};
use crate::payment::{
    Fact, Grant, Opening, Stage, To, begin_authorize, begin_capture, begin_void, close, finalize, grant,
    open, settle,
};
use crate::place::Place;
use crate::stock::Shelves;
use crate::tax::{Mode, Prices, Rounding};
use proptest::prelude::*;

/// Two merchants: 2 × 10.00 with 5.00 delivery, and 3 × 7.00: 25.00 and 21.00.
fn order() -> Order {
    let lines = vec![line(1, 1, 2, 10_00, 5_00), line(2, 2, 3, 7_00, 0)];
    let placed = Order::place(Intake {
        id: id("ord_00000001"),
        channel: id("web"),
        external_id: None,
        customer: None,
        currency: id("EUR"),
        placed_at: at(0),
        lines,
        delivery: eur(0),
        payments: Vec::new(),
        fingerprint: String::new(),
        bought: None,
        rates: Vec::new(),
    });
    let bought = Bought {
        cart: id("crt_00000001"),
        mode: Mode { prices: Prices::Included, rounding: Rounding::Line },
        to: Place { country: id("DE"), region: None, postal: None },
        tax_id: None,
        deliveries: Vec::new(),
        redemptions: Vec::new(),
    };
    Order { bought: Some(bought), customer: Some(id("cus_00000001")), ..placed.unwrap() }.secured()
}

fn told(payment: Payment, decided: Decision<Fact>, outcome: impl Fn(&str) -> Outcome) -> Payment {
    let Decision::New(fact @ Fact::Begun { .. }) = decided else { return payment };
    let payment = payment.apply(&fact);
    let number = payment.attempts.last().unwrap().number;
    let outcome = outcome(&format!("ref-{number}"));
    match settle(&payment, number, outcome, None, at(1)).unwrap() {
        Decision::New(fact) => payment.apply(&fact),
        Decision::Already => payment,
    }
}

fn approved(reference: &str) -> Outcome {
    Outcome::Approved { reference: id(reference), expires_at: None }
}

/// Authorized, and its order knows.
fn paid(number: u8, amount: i64, part: Option<u8>, along: bool) -> Payment {
    let order: OrderId = id("ord_00000001");
    let (method, gateway, token) = (Method::Card, id("sandbox"), Some(id("tok_visa")));
    let opened = open(
        Opening {
            order,
            cart: None,
            invoice: None,
            off_session: false,
            number,
            method,
            gateway,
            token,
            amount: eur(amount),
            part,
        },
        at(0),
    )
    .unwrap();
    let begun = begin_authorize(&opened, None, at(0)).unwrap();
    let captured = |reference: &str| Outcome::Captured { reference: id(reference), amount: eur(amount) };
    let payment = if along { told(opened, begun, captured) } else { told(opened, begun, approved) };
    let Decision::New(fact) = finalize(&payment, at(1)).unwrap() else { panic!("finalized") };
    payment.apply(&fact)
}

/// What is due is done, and goes well: all grants of a look in one transaction, else the first of the rest.
fn carry_out(order: &Order, parts: &[MerchantOrder], payments: &mut [Payment]) {
    for _ in 0..20 {
        let todo = due(order, parts, payments).unwrap();
        let grants = todo.iter().filter(|due| matches!(due, Due::Grant { .. })).count();
        if todo.is_empty() {
            return;
        }
        for one in todo.into_iter().take(grants.max(1)) {
            do_one(one, payments);
        }
    }
    panic!("never done: {:?}", due(order, parts, payments));
}

fn do_one(one: Due, payments: &mut [Payment]) {
    let (Due::Capture { payment: position, .. }
    | Due::Void { payment: position, .. }
    | Due::Grant { payment: position, .. }
    | Due::Close { payment: position }) = one;
    let held = payments[position].clone();
    payments[position] = match one {
        Due::Capture { part, amount, last, .. } => {
            let begun = begin_capture(&held, part, amount, last, at(2)).unwrap();
            told(held, begun, approved)
        }
        Due::Void { authorization, .. } => {
            let begun = begin_void(&held, authorization, at(2)).unwrap();
            told(held, begun, approved)
        }
        Due::Grant { cause, amount, to, .. } => {
            let (reason, by) = (id("owed"), "system".into());
            let granted = grant(&held, Grant { cause, amount, to, reason, by, stray: false }, at(2));
            let Ok(Decision::New(fact)) = granted else { panic!("{granted:?}") };
            held.apply(&fact)
        }
        Due::Close { .. } => match close(&held, at(2)) {
            Decision::New(fact) => held.apply(&fact),
            Decision::Already => panic!("closed twice"),
        },
    };
}

fn all(part: &MerchantOrder) -> Vec<Units> {
    let rest = part.lines.iter().filter(|line| line.to_ship() > 0);
    rest.map(|line| Units { line: line.number, quantity: line.to_ship() }).collect()
}

fn ship(part: &mut MerchantOrder, tracking: &str, lines: Vec<Units>) {
    let shipped = merchant_order::ship(part, id("dhl"), id(tracking), lines, Shelves::default(), at(3));
    if let Ok(Decision::New(fact)) = shipped {
        *part = part.clone().apply(&fact);
    }
}

fn cancel(part: &mut MerchantOrder, lines: Vec<Units>) {
    if let Ok(fact) = merchant_order::reject(part, lines, id("none left"), at(3)) {
        *part = part.clone().apply(&fact);
    }
}

fn sums(payments: &[Payment]) -> Vec<(i64, i64)> {
    let granted = |one: &Payment| one.refunds.iter().map(|refund| refund.amount.minor).sum();
    payments.iter().map(|one| (one.captured().minor, granted(one))).collect()
}

#[test]
fn a9_6_a_part_is_captured_once_when_its_last_unsent_unit_has_left() {
    let (order, mut payments) = (order(), vec![paid(1, 46_00, None, false)]);
    let mut parts = split(&order).unwrap();
    assert_eq!(due(&order, &[], &payments), Ok(vec![]));
    ship(&mut parts[0], "t1", vec![Units { line: 1, quantity: 1 }]);
    assert_eq!(due(&order, &parts, &payments), Ok(vec![]), "one unit is still to come");
    ship(&mut parts[0], "t2", vec![]);
    let capture = Due::Capture { payment: 0, part: 1, amount: eur(25_00), last: false };
    assert_eq!(due(&order, &parts, &payments), Ok(vec![capture]));
    carry_out(&order, &parts, &mut payments);
    assert_eq!(sums(&payments), [(25_00, 0)]);
    // Of the second part one unit is canceled, the others leave: the rest of the authorization goes with the capture.
    cancel(&mut parts[1], vec![Units { line: 2, quantity: 1 }]);
    ship(&mut parts[1], "t3", vec![]);
    let capture = Due::Capture { payment: 0, part: 2, amount: eur(14_00), last: true };
    assert_eq!(due(&order, &parts, &payments), Ok(vec![capture]));
    carry_out(&order, &parts, &mut payments);
    assert_eq!((sums(&payments), payments[0].left()), (vec![(39_00, 0)], eur(0)));
}

#[test]
fn a_capture_that_failed_keeps_the_authorization_for_its_next_try() {
    let (order, mut payments) = (order(), vec![paid(1, 46_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[0], "t1", vec![]);
    let begun = begin_capture(&payments[0], 1, eur(25_00), false, at(2)).unwrap();
    let fault = |_: &str| Outcome::Declined { decline: Decline::of(id("processing_error")) };
    payments[0] = told(payments[0].clone(), begun, fault);
    ship(&mut parts[1], "t2", vec![]);
    let capture = |last| Due::Capture { payment: 0, part: 2, amount: eur(21_00), last };
    assert_eq!(due(&order, &parts, &payments), Ok(vec![capture(false)]));
    let begun = begin_capture(&payments[0], 2, eur(21_00), false, at(2)).unwrap();
    payments[0] = told(payments[0].clone(), begun, approved);
    assert_eq!((payments[0].left(), due(&order, &parts, &payments)), (eur(25_00), Ok(vec![])));
    let again = begin_capture(&payments[0], 1, eur(25_00), false, at(4)).unwrap();
    payments[0] = told(payments[0].clone(), again, approved);
    assert_eq!((sums(&payments), due(&order, &parts, &payments)), (vec![(46_00, 0)], Ok(vec![])));
}

#[test]
fn what_never_ships_is_released() {
    let (order, mut payments) = (order(), vec![paid(1, 46_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[0], "t1", vec![]);
    carry_out(&order, &parts, &mut payments);
    let rest = all(&parts[1]);
    cancel(&mut parts[1], rest);
    assert_eq!(due(&order, &parts, &payments), Ok(vec![Due::Void { payment: 0, authorization: 1 }]));
    carry_out(&order, &parts, &mut payments);
    assert_eq!(payments[0].stage(), Stage::Captured { amount: eur(25_00) });
    // Where nothing ships at all the payment is closed, and its agenda releases it.
    let (mut payments, mut parts) = (vec![paid(1, 46_00, None, false)], split(&order).unwrap());
    for part in &mut parts {
        let rest = all(part);
        cancel(part, rest);
    }
    assert_eq!(due(&order, &parts, &payments), Ok(vec![Due::Close { payment: 0 }]));
    carry_out(&order, &parts, &mut payments);
    assert_eq!(sums(&payments), [(0, 0)]);
}

#[test]
fn split_tenders_pay_the_parts_in_their_order_and_get_their_share_back() {
    // 30.00 pay the first part and 5.00 of the second, 16.00 the rest of it.
    let (order, mut payments) = (order(), vec![paid(1, 30_00, None, false), paid(2, 16_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    let both = [(0, 5_00, false), (1, 16_00, true)];
    let both = both.map(|(payment, minor, last)| Due::Capture { payment, part: 2, amount: eur(minor), last });
    assert_eq!(due(&order, &parts, &payments), Ok(both.to_vec()));
    carry_out(&order, &parts, &mut payments);
    // The parcel is lost: 21.00 go back, to each what it gave.
    let shipment = parts[1].shipments[0].id.clone();
    let Ok(Decision::New(fact)) = merchant_order::track(&parts[1], &shipment, Tracking::Lost, at(4)) else {
        panic!("lost")
    };
    parts[1] = parts[1].clone().apply(&fact);
    let cause = |before: i64| id::<Word>(&format!("mor_0000000102:{before}"));
    let back = [(0, 5_00), (1, 16_00)];
    let back = back.map(|(payment, minor)| Due::Grant {
        payment,
        cause: cause(0),
        amount: eur(minor),
        to: To::Original,
    });
    let Ok(todo) = due(&order, &parts, &payments) else { panic!("due") };
    assert_eq!(todo, [back.to_vec(), vec![Due::Close { payment: 1 }]].concat());
    carry_out(&order, &parts, &mut payments);
    assert_eq!(sums(&payments), [(5_00, 5_00), (16_00, 16_00)]);
}

#[test]
fn a10_2_a_part_refund_goes_back_in_proportion_to_what_is_left() {
    let (order, mut payments) = (order(), vec![paid(1, 30_00, None, false), paid(2, 16_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    carry_out(&order, &parts, &mut payments);
    let shipment = parts[1].shipments[0].id.clone();
    let Ok(Decision::New(fact)) = merchant_order::track(&parts[1], &shipment, Tracking::Delivered, at(4))
    else {
        panic!("delivered")
    };
    parts[1] = parts[1].clone().apply(&fact);
    let mut one_back = || {
        let lines = vec![Units { line: 2, quantity: 1 }];
        let request = RefundLines { lines, delivery: true, to: To::Original, reason: id("broken") };
        let (_, fact) = order::refund(&order, &parts[1], request, at(5)).unwrap();
        parts[1] = parts[1].clone().apply(&fact);
        carry_out(&order, &parts, &mut payments);
        sums(&payments)
    };
    // 7.00 of 21.00 by 5.00 : 16.00 are 1.667 and 5.333; then by 3.33 : 10.67 again.
    assert_eq!(one_back(), [(5_00, 1_67), (16_00, 5_33)]);
    assert_eq!(one_back(), [(5_00, 3_34), (16_00, 10_66)]);
    assert_eq!(one_back(), [(5_00, 5_00), (16_00, 16_00)]);
}

/// 5.00 of the second part by a voucher that was captured, 16.00 by a card whose gateway does not answer.
#[test]
fn what_is_too_much_goes_back_without_waiting_for_a_capture_that_nobody_answers() {
    let (order, mut payments) = (order(), vec![paid(1, 30_00, None, false), paid(2, 16_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    let captures = due(&order, &parts, &payments).unwrap();
    do_one(captures[0].clone(), &mut payments);
    let Ok(Decision::New(open)) = begin_capture(&payments[1], 2, eur(16_00), true, at(2)) else {
        panic!("begun")
    };
    payments[1] = payments[1].clone().apply(&open);
    let shipment = parts[1].shipments[0].id.clone();
    let delivered = merchant_order::track(&parts[1], &shipment, Tracking::Delivered, at(4));
    let Ok(Decision::New(fact)) = delivered else { panic!("delivered") };
    parts[1] = parts[1].clone().apply(&fact);
    let mut back = |quantity: u32, payments: &mut Vec<Payment>| {
        let lines = vec![Units { line: 2, quantity }];
        let request = RefundLines { lines, delivery: true, to: To::Original, reason: id("broken") };
        let (_, fact) = order::refund(&order, &parts[1], request, at(5)).unwrap();
        parts[1] = parts[1].clone().apply(&fact);
        carry_out(&order, &parts, payments);
        sums(payments)
    };
    // 7.00 are owed, and 5.00 are known to be there; then nothing is owed.
    assert_eq!(back(2, &mut payments), [(5_00, 0), (0, 0)]);
    assert_eq!(back(1, &mut payments), [(5_00, 5_00), (0, 0)]);
    // The card's answer comes after all.
    let answer = settle(&payments[1], 2, approved("late"), None, at(6)).unwrap();
    let Decision::New(fact) = answer else { panic!("answered") };
    payments[1] = payments[1].clone().apply(&fact);
    carry_out(&order, &parts, &mut payments);
    assert_eq!(sums(&payments), [(5_00, 5_00), (16_00, 16_00)]);
}

#[test]
fn what_a_customer_takes_as_store_credit_is_granted_as_such_beside_what_goes_back() {
    let (order, mut payments) = (order(), vec![paid(1, 46_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    carry_out(&order, &parts, &mut payments);
    let shipment = parts[1].shipments[0].id.clone();
    let delivered = merchant_order::track(&parts[1], &shipment, Tracking::Delivered, at(4));
    let Ok(Decision::New(fact)) = delivered else { panic!("delivered") };
    parts[1] = parts[1].clone().apply(&fact);
    // Nobody looks between two refunds: one unit as credit, one to the card.
    let early = RefundLines { lines: vec![], delivery: true, to: To::StoreCredit, reason: id("broken") };
    assert_eq!(order::refund(&order, &parts[0], early, at(5)), Err(order::Refused::NotTaken));
    for to in [To::StoreCredit, To::Original] {
        let lines = vec![Units { line: 2, quantity: 1 }];
        let request = RefundLines { lines, delivery: true, to, reason: id("broken") };
        let (_, fact) = order::refund(&order, &parts[1], request, at(5)).unwrap();
        parts[1] = parts[1].clone().apply(&fact);
    }
    carry_out(&order, &parts, &mut payments);
    let granted: Vec<_> =
        payments[0].refunds.iter().map(|one| (one.cause.as_str(), one.to, one.amount)).collect();
    let want =
        [("mor_0000000102:0c", To::StoreCredit, eur(7_00)), ("mor_0000000102:700", To::Original, eur(7_00))];
    assert_eq!(granted, want);
    let guests = CustomerId::of_guest(&id("crt_00000001"));
    let guests = Order { customer: Some(guests), ..order.clone() };
    let again = || {
        let (lines, reason) = (vec![Units { line: 2, quantity: 1 }], id("broken"));
        RefundLines { lines, delivery: true, to: To::StoreCredit, reason }
    };
    assert_eq!(order::refund(&guests, &parts[1], again(), at(5)), Err(order::Refused::NoAccount));
    let channels = Order { bought: None, ..order };
    assert_eq!(order::refund(&channels, &parts[1], again(), at(5)), Err(order::Refused::NotOurMoney));
}

#[test]
fn what_becomes_store_credit_before_anybody_looked_is_captured_all_the_same() {
    let (order, mut payments) = (order(), vec![paid(1, 46_00, None, false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    let shipment = parts[1].shipments[0].id.clone();
    let delivered = merchant_order::track(&parts[1], &shipment, Tracking::Delivered, at(4));
    let Ok(Decision::New(fact)) = delivered else { panic!("delivered") };
    parts[1] = parts[1].clone().apply(&fact);
    let lines = vec![Units { line: 2, quantity: 1 }];
    let request = RefundLines { lines, delivery: true, to: To::StoreCredit, reason: id("broken") };
    let (_, fact) = order::refund(&order, &parts[1], request, at(5)).unwrap();
    parts[1] = parts[1].clone().apply(&fact);
    // 21.00 and not 14.00: 7.00 of them are to be credit.
    let capture = Due::Capture { payment: 0, part: 2, amount: eur(21_00), last: false };
    assert_eq!(due(&order, &parts, &payments), Ok(vec![capture]));
    carry_out(&order, &parts, &mut payments);
    assert_eq!(sums(&payments), [(21_00, 7_00)]);
    assert_eq!(payments[0].refunds[0].to, To::StoreCredit);
}

#[test]
fn what_came_back_before_its_capture_went_well_is_wanted_no_more() {
    let (order, payment) = (order(), paid(1, 21_00, Some(2), false));
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    let shipment = parts[1].shipments[0].id.clone();
    let Ok(Decision::New(fact)) = merchant_order::track(&parts[1], &shipment, Tracking::Delivered, at(4))
    else {
        panic!("delivered")
    };
    parts[1] = parts[1].clone().apply(&fact);
    let begun = begin_capture(&payment, 2, eur(21_00), true, at(2)).unwrap();
    let decline = Decline { code: id("insufficient_funds"), class: Class::Soft };
    let failed = told(payment, begun, |_| Outcome::Declined { decline: decline.clone() });
    let mut back = |quantity, to| {
        let lines = vec![Units { line: 2, quantity }];
        let request = RefundLines { lines, delivery: true, to, reason: id("broken") };
        let (_, fact) = order::refund(&order, &parts[1], request, at(5)).unwrap();
        parts[1] = parts[1].clone().apply(&fact);
        due(&order, &parts, std::slice::from_ref(&failed))
    };
    assert_eq!(back(2, To::Original), Ok(vec![]), "the third is still to be paid");
    assert_eq!(back(1, To::Original), Ok(vec![Due::Close { payment: 0 }]));
}

#[test]
fn a_payment_that_pays_a_part_alone_is_captured_for_that_part() {
    let (order, mut payments) =
        (order(), vec![paid(1, 25_00, Some(1), false), paid(2, 21_00, Some(2), false)]);
    let mut parts = split(&order).unwrap();
    ship(&mut parts[1], "t1", vec![]);
    let capture = Due::Capture { payment: 1, part: 2, amount: eur(21_00), last: true };
    assert_eq!(due(&order, &parts, &payments), Ok(vec![capture]));
    carry_out(&order, &parts, &mut payments);
    let rest = all(&parts[0]);
    cancel(&mut parts[0], rest);
    assert_eq!(due(&order, &parts, &payments), Ok(vec![Due::Close { payment: 0 }]));
}

#[test]
fn what_the_order_does_not_know_of_is_left_alone() {
    let (order, mut parts) = (order(), split(&order()).unwrap());
    let unknown = Payment { finalized: false, ..paid(1, 46_00, None, true) };
    let rest = all(&parts[0]);
    cancel(&mut parts[0], rest);
    ship(&mut parts[1], "t1", vec![]);
    assert_eq!(due(&order, &parts, &[unknown]), Ok(vec![]));
}

/// What may happen to a part.
#[derive(Debug, Clone)]
enum Step {
    Ship(usize, u32),
    Cancel(usize, u32),
    Deliver(usize),
    Lose(usize),
    Refund(usize, u32, bool, To),
}

fn any_step() -> impl Strategy<Value = Step> {
    let (part, units) = (0_usize..2, 1_u32..4);
    prop_oneof![
        3 => (part.clone(), units.clone()).prop_map(|(part, units)| Step::Ship(part, units)),
        2 => (part.clone(), units.clone()).prop_map(|(part, units)| Step::Cancel(part, units)),
        3 => part.clone().prop_map(Step::Deliver),
        1 => part.clone().prop_map(Step::Lose),
        2 => (part, units, any::<bool>(), prop::sample::select(vec![To::Original, To::StoreCredit]))
            .prop_map(|(part, units, with, to)| Step::Refund(part, units, with, to)),
    ]
}

fn walk(order: &Order, parts: &mut [MerchantOrder], step: &Step, nth: usize) {
    let (Step::Ship(at_part, _)
    | Step::Cancel(at_part, _)
    | Step::Deliver(at_part)
    | Step::Lose(at_part)
    | Step::Refund(at_part, ..)) = step;
    let part = &mut parts[*at_part];
    let number = part.lines[0].number;
    let some = |quantity: u32| vec![Units { line: number, quantity }];
    let on_way = part.shipments.iter().find(|one| one.delivered_at.is_none() && one.lost_at.is_none());
    let on_way = on_way.map(|shipment| shipment.id.clone());
    let track = |part: &MerchantOrder, how| match on_way
        .as_ref()
        .map(|shipment| merchant_order::track(part, shipment, how, at(4)))
    {
        Some(Ok(Decision::New(fact))) => part.clone().apply(&fact),
        Some(_) | None => part.clone(),
    };
    match step {
        Step::Ship(_, units) => ship(part, &format!("t{nth}"), some(*units)),
        Step::Cancel(_, units) => cancel(part, some(*units)),
        Step::Deliver(_) => *part = track(part, Tracking::Delivered),
        Step::Lose(_) => *part = track(part, Tracking::Lost),
        Step::Refund(_, units, delivery, to) => {
            let (lines, delivery, to) = (some(*units), *delivery, *to);
            let request = RefundLines { lines, delivery, to, reason: id("broken") };
            if let Ok((_, fact)) = order::refund(order, part, request, at(5)) {
                *part = part.clone().apply(&fact);
            }
        }
    }
}

proptest! {
    /// However a life goes, and however seldom anybody looks: what was taken and not given back is what is owed for the
    /// parts that have left.
    #[test]
    fn what_is_kept_is_what_is_owed(
        steps in prop::collection::vec((any_step(), any::<bool>()), 0..20),
        tender in prop_oneof![Just(None), (1_i64..46_00).prop_map(Some)],
        along in any::<bool>(),
    ) {
        let order = order();
        let mut parts = split(&order).unwrap();
        let mut payments = match tender {
            None => vec![paid(1, 46_00, None, along)],
            Some(first) => vec![paid(1, first, None, false), paid(2, 46_00 - first, None, along)],
        };
        for (nth, (step, looks)) in steps.iter().enumerate() {
            walk(&order, &mut parts, step, nth);
            if *looks {
                carry_out(&order, &parts, &mut payments);
            }
        }
        carry_out(&order, &parts, &mut payments);
        prop_assert_eq!(due(&order, &parts, &payments), Ok(vec![]));
        prop_assert!(payments.iter().all(|payment| payment.stray() == eur(0)));
        // Store credit is what was asked for as such, whatever else went back.
        let refunds = payments.iter().flat_map(|payment| &payment.refunds);
        let credit = refunds.filter(|refund| refund.to == To::StoreCredit).map(|refund| refund.amount.minor);
        let asked = parts.iter().filter_map(|part| part.credited).map(|credited| credited.minor);
        prop_assert_eq!(credit.sum::<i64>(), asked.sum::<i64>());
        let worth: Vec<Money> = split(&order).unwrap().iter().map(|part| part.worth().unwrap()).collect();
        let rows = rows(&worth, &payments).unwrap();
        let kept: i64 = sums(&payments).iter().map(|(captured, granted)| captured - granted).sum();
        // Of a part of which units may still ship only what came along is there.
        let owed = |part: &MerchantOrder, row: &Vec<Money>| -> i64 {
            let owed = part.owed().unwrap().minor;
            if part.is_canceled() || part.lines.iter().all(|line| line.to_ship() == 0) {
                return owed;
            }
            let came = payments.iter().zip(row).filter(|(payment, _)| payment.came_along());
            came.map(|(_, share)| share.minor).sum::<i64>().min(owed)
        };
        let owed: i64 = parts.iter().zip(&rows).map(|(part, row)| owed(part, row)).sum();
        prop_assert_eq!(kept, owed);
    }
}
