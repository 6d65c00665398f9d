use super::*;
use crate::Decision;
use crate::gateway::Capabilities;
use crate::ledger::Account;
use crate::order::tests::{at, eur, id};
use jiff::ToSpan;

mod laws;
mod turns;

const FULL: Capabilities = Capabilities { multi_capture: true, renewal: true };

/// Ends a week after the Monday noon at which the tests begin.
const WEEK: i64 = 24 * 7;

fn minutes(minutes: i64) -> Timestamp {
    at(0).checked_add(minutes.minutes()).unwrap()
}

pub(crate) fn opening(method: Method, amount: i64) -> Opening {
    Opening {
        order: id("ord_00000001"),
        cart: None,
        invoice: None,
        off_session: false,
        number: 1,
        method,
        gateway: id("sandbox"),
        token: Some(id("tok_visa")),
        amount: eur(amount),
        part: None,
    }
}

fn card() -> Payment {
    open(opening(Method::Card, 10_000), at(0)).unwrap()
}

pub(crate) fn approved() -> Outcome {
    Outcome::Approved { reference: id("ref-1"), expires_at: Some(at(WEEK)) }
}

fn declined(code: &str) -> Outcome {
    Outcome::Declined { decline: Decline::of(id(code)) }
}

fn confirm() -> Outcome {
    Outcome::RequiresAction { reference: id("ref-1"), url: id("https://bank.example/3ds") }
}

fn paid(minor: i64) -> Outcome {
    Outcome::Captured { reference: id("ref-1"), amount: eur(minor) }
}

/// Anything that can come at a payment.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Authorize(&'static str),
    Capture { part: u8, amount: i64, last: bool },
    Void(u16),
    Tell(u16, Outcome, Option<u8>),
    Grant { cause: &'static str, amount: i64, stray: bool },
    Refund(u16),
    Redirect(u16),
    GiveUp(u16),
    Finalize,
    Close,
}
use Step::{Authorize, Tell};

fn capture(part: u8, amount: i64) -> Step {
    Step::Capture { part, amount, last: false }
}

fn tell(attempt: u16, outcome: Outcome) -> Step {
    Tell(attempt, outcome, None)
}

fn returns(cause: &'static str, amount: i64) -> Step {
    Step::Grant { cause, amount, stray: false }
}

fn granting(cause: &str, amount: i64, stray: bool) -> Grant {
    let (to, reason, by) = (To::Original, id("asked"), "op".to_owned());
    Grant { cause: id(cause), amount: eur(amount), to, reason, by, stray }
}

fn answer(payment: &Payment, step: &Step, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match step.clone() {
        Step::Authorize(token) => begin_authorize(payment, Some(id(token)), now),
        Step::Capture { part, amount, last } => begin_capture(payment, part, eur(amount), last, now),
        Step::Void(authorization) => begin_void(payment, authorization, now),
        Step::Tell(attempt, outcome, ask) => settle(payment, attempt, outcome, ask, now),
        Step::Grant { cause, amount, stray } => grant(payment, granting(cause, amount, stray), now),
        Step::Refund(refund) => begin_refund(payment, refund, now),
        Step::Redirect(refund) => redirect(payment, refund, now),
        Step::GiveUp(attempt) => give_up(payment, attempt, id("silence"), "op".to_owned(), now),
        Step::Finalize => finalize(payment, now),
        Step::Close => Ok(close(payment, now)),
    }
}

pub(crate) fn walk_at(payment: Payment, steps: &[Step], now: Timestamp) -> Payment {
    steps.iter().fold(payment, |payment, step| match answer(&payment, step, now) {
        Ok(Decision::New(fact)) => payment.apply(&fact),
        Ok(Decision::Already) | Err(_) => payment,
    })
}

fn walk(payment: Payment, steps: &[Step]) -> Payment {
    walk_at(payment, steps, at(1))
}

/// Authorized, and its order knows.
fn authorized() -> Payment {
    walk(card(), &[Authorize("tok_visa"), tell(1, approved()), Step::Finalize])
}

/// 40.00 of it are captured for the first merchant order.
fn captured() -> Payment {
    walk(authorized(), &[capture(1, 40_00), tell(2, approved())])
}

/// As far as a gateway was asked for five days.
fn exhausted() -> Payment {
    let asked = |ask| Tell(1, Outcome::Unknown, Some(ask));
    walk(card(), &[vec![Authorize("tok_visa")], (1..=7).map(asked).collect()].concat())
}

fn shown(posting: &Posting) -> String {
    let entry = |(account, amount): (&Account, Money)| format!("{account} {}", amount.decimal());
    posting.entries().map(entry).collect::<Vec<_>>().join(", ")
}

fn named(fact: &Fact) -> String {
    match fact {
        Fact::Begun { attempt, .. } => {
            let call = serde_json::to_string(&attempt.call).unwrap();
            format!("begun {} {call} {}", attempt.number, attempt.amount.decimal())
        }
        Fact::Told { .. } => "told".to_owned(),
        Fact::GivenUp { .. } => "given up".to_owned(),
        Fact::Granted { refunds } => {
            let from = |refund: &Refund| format!("{} of {}", refund.amount.decimal(), refund.authorization);
            format!("granted {}", refunds.iter().map(from).collect::<Vec<_>>().join(", "))
        }
        Fact::Redirected { .. } => "redirected".to_owned(),
        Fact::Finalized { .. } => "finalized".to_owned(),
        Fact::Closed { .. } => "closed".to_owned(),
        Fact::Alerted { alert, .. } => format!("alerted {}", alert.word()),
    }
}

/// The stages that the page shows, with the life that leads there.
fn lives() -> Vec<(&'static str, Payment)> {
    let begun = || walk(card(), &[Authorize("tok_visa")]);
    let told = |outcome| walk(begun(), &[tell(1, outcome)]);
    let granted = || walk(captured(), &[returns("rma-1", 10_00)]);
    vec![
        ("created", card()),
        ("authorizing", begun()),
        ("requires action", told(confirm())),
        ("unknown", told(Outcome::Unknown)),
        ("asked 7 times", exhausted()),
        ("given up", walk(exhausted(), &[Step::GiveUp(1)])),
        ("promised", told(Outcome::Promised { reference: id("ref-1") })),
        ("declined soft", told(declined("insufficient_funds"))),
        ("declined hard", told(declined("stolen_card"))),
        ("authorized", authorized()),
        ("lapsed", walk(authorized(), &[tell(1, Outcome::Lapsed)])),
        ("voided", walk(authorized(), &[Step::Void(1), tell(2, approved())])),
        ("capturing 40", walk(authorized(), &[capture(1, 40_00)])),
        ("captured 40", captured()),
        ("captured 100", walk(captured(), &[capture(2, 60_00), tell(3, approved())])),
        ("paid along", walk(begun(), &[tell(1, paid(10_000)), Step::Finalize])),
        ("refund granted", granted()),
        ("refund failed", walk(granted(), &[Step::Refund(1), tell(3, declined("expired_card"))])),
        ("refunded 10", walk(granted(), &[Step::Refund(1), tell(3, approved())])),
        ("closed", walk(authorized(), &[Step::Close])),
        ("paid, closed", walk(walk(card(), &[Authorize("tok_visa"), Step::Close]), &[tell(1, paid(10_000))])),
    ]
}

/// The life of a payment on one page: what is answered, the stage that a fact leads to, the money that it moves.
#[test]
fn every_stage_answers_every_step() {
    let steps = [
        ("authorize", Authorize("tok_visa")),
        ("authorize other", Authorize("tok_other")),
        ("1 approved", tell(1, approved())),
        ("1 declined", tell(1, declined("insufficient_funds"))),
        ("1 unknown", tell(1, Outcome::Unknown)),
        ("1 requires action", tell(1, confirm())),
        ("1 promised", tell(1, Outcome::Promised { reference: id("ref-1") })),
        ("1 paid 100", tell(1, paid(10_000))),
        ("1 paid 120", tell(1, paid(12_000))),
        ("1 lapsed", tell(1, Outcome::Lapsed)),
        ("give up 1", Step::GiveUp(1)),
        ("capture 1: 40", capture(1, 40_00)),
        ("capture 1: 50", capture(1, 50_00)),
        ("capture 3: 70", capture(3, 70_00)),
        ("last capture 4: 5", Step::Capture { part: 4, amount: 5_00, last: true }),
        ("2 approved", tell(2, approved())),
        ("2 declined", tell(2, declined("processing_error"))),
        ("void 1", Step::Void(1)),
        ("grant 10", returns("rma-1", 10_00)),
        ("grant 50", returns("rma-2", 50_00)),
        ("approve stray 100", Step::Grant { cause: "stray", amount: 10_000, stray: true }),
        ("refund 1", Step::Refund(1)),
        ("3 approved", tell(3, approved())),
        ("redirect 1", Step::Redirect(1)),
        ("finalize", Step::Finalize),
        ("close", Step::Close),
    ];
    let mut page = String::new();
    for (stage, payment) in lives() {
        let place = serde_json::to_string(&payment.stage()).unwrap();
        page.push_str(&format!("{stage}: {place}\n"));
        for (name, step) in &steps {
            let line = match answer(&payment, step, at(2)) {
                Ok(Decision::New(fact)) => {
                    let (was, after) = (payment.stage(), payment.clone().apply(&fact));
                    let moved = if was == after.stage() {
                        String::new()
                    } else {
                        format!(" -> {}", serde_json::to_string(&after.stage()).unwrap())
                    };
                    let posting = payment.posting(&fact).unwrap();
                    let money =
                        if posting.is_empty() { String::new() } else { format!(" [{}]", shown(&posting)) };
                    named(&fact) + &moved + &money
                }
                Ok(Decision::Already) => "already".to_owned(),
                Err(refused) => format!("no: {refused}"),
            };
            page.push_str(&format!("  {name:<18} {line}\n"));
        }
    }
    insta::assert_snapshot!(page);
}

#[test]
fn a_payment_at_rest_reads_back() {
    for (stage, payment) in lives() {
        let text = serde_json::to_string(&payment).unwrap();
        assert_eq!(serde_json::from_str::<Payment>(&text).unwrap(), payment, "{stage}");
    }
    let life =
        [returns("rma-1", 10_00), Step::Refund(1), tell(3, declined("expired_card")), Step::Redirect(1)];
    insta::assert_snapshot!(serde_json::to_string_pretty(&walk(captured(), &life)).unwrap());
}

#[test]
fn a9_1_unknown_blocks_a_second_charge_until_it_is_resolved() {
    let unknown = walk(card(), &[Authorize("tok_visa"), tell(1, Outcome::Unknown)]);
    for token in ["tok_visa", "tok_other"] {
        assert_eq!(answer(&unknown, &Authorize(token), at(99)), Err(Refused::Unknown(1)));
    }
    assert_eq!(answer(&unknown, &Step::Void(1), at(99)), Err(Refused::Unknown(1)));
    // The call that never got an answer, because the caller died, bars it in the same way.
    let begun = walk(card(), &[Authorize("tok_visa")]);
    assert_eq!(answer(&begun, &Authorize("tok_visa"), at(99)), Err(Refused::UnderWay(1)));
    for (outcome, free) in [(declined("not_received"), true), (approved(), false), (confirm(), false)] {
        let told = walk(unknown.clone(), &[tell(1, outcome)]);
        assert_eq!(matches!(answer(&told, &Authorize("tok_other"), at(2)), Ok(Decision::New(_))), free);
    }
}

#[test]
fn a9_1_an_unknown_capture_or_refund_blocks_its_like() {
    let life = walk(authorized(), &[capture(1, 40_00), tell(2, Outcome::Unknown)]);
    assert_eq!(answer(&life, &capture(1, 40_00), at(2)), Err(Refused::Unknown(2)));
    assert_eq!(answer(&life, &Step::Void(1), at(2)), Err(Refused::Unknown(2)));
    // Another merchant order's is free, but not beyond what is left if the unknown one has taken its money.
    assert!(matches!(answer(&life, &capture(2, 60_00), at(2)), Ok(Decision::New(_))));
    let (asked, left) = (eur(60_01), eur(60_00));
    assert_eq!(answer(&life, &capture(2, 60_01), at(2)), Err(Refused::ExceedsAuthorized { asked, left }));
    let life = walk(captured(), &[returns("rma-1", 10_00), Step::Refund(1), tell(3, Outcome::Unknown)]);
    assert_eq!(answer(&life, &Step::Refund(1), at(2)), Err(Refused::Unknown(3)));
    assert_eq!(answer(&life, &Step::Redirect(1), at(2)), Err(Refused::Unknown(3)));
    // It is asked for, neither sent again nor shown as failed.
    let due: Vec<Duty> = agenda(&life, FULL).into_iter().map(|(_, duty)| duty).collect();
    assert_eq!(due, [Duty::Ask { attempt: 3, ask: 1 }, Duty::Renew { authorization: 1 }]);
}

#[test]
fn a9_3_no_more_is_refunded_than_captured_whoever_asks() {
    let life = walk(captured(), &[returns("rma-1", 25_00)]);
    let refused = Refused::ExceedsCaptured { asked: eur(15_01), left: eur(15_00) };
    assert_eq!(answer(&life, &returns("rma-2", 15_01), at(2)), Err(refused));
    // The same cause is the same refund.
    assert_eq!(answer(&life, &returns("rma-1", 25_00), at(2)), Ok(Decision::Already));
    let refused = Refused::RefundDiffers { granted: eur(25_00), asked: eur(5_00) };
    assert_eq!(answer(&life, &returns("rma-1", 5_00), at(2)), Err(refused));
    // A refund that failed is granted all the same.
    let life = walk(life, &[Step::Refund(1), tell(3, declined("processing_error"))]);
    assert_eq!(life.refundable(), eur(15_00));
}

#[test]
fn a9_4_webhook_and_return_page_race_to_the_same_result() {
    let begun = walk(card(), &[Authorize("tok_visa")]);
    let (page, webhook) = (tell(1, confirm()), tell(1, approved()));
    let one = walk(begun.clone(), &[page.clone(), webhook.clone()]);
    assert_eq!(one.stage(), Stage::Authorized { until: Some(at(WEEK)), captured: eur(0) });
    for race in [vec![webhook.clone(), page.clone()], vec![webhook.clone(), webhook, page.clone(), page]] {
        assert_eq!(walk(begun.clone(), &race), one);
    }
}

#[test]
fn a9_5_money_without_its_order_is_told_again_and_never_goes_back_by_itself() {
    let along = walk_at(card(), &[Authorize("tok_visa"), tell(1, paid(10_000))], at(0));
    let due: Vec<Duty> = agenda(&along, FULL).into_iter().map(|(_, duty)| duty).collect();
    assert_eq!(due, [Duty::Finalize, Duty::Alert(Alert::NotFinalized)]);
    assert_eq!(agenda(&along, FULL)[1].0, minutes(15));
    assert_eq!(agenda(&walk(along.clone(), &[Step::Finalize]), FULL), []);
    // Even where its checkout is given up a person approves first.
    let closed = walk(along, &[Step::Close]);
    assert_eq!((closed.stray(), closed.awaits_approval()), (eur(10_000), eur(10_000)));
    let due = agenda(&closed, FULL);
    assert!(
        matches!(&due[..], [(_, Duty::Alert(Alert::Stray { amount }))] if *amount == eur(10_000)),
        "{due:?}"
    );
    let approved = walk(closed, &[Step::Grant { cause: "stray", amount: 10_000, stray: true }]);
    assert_eq!(agenda(&approved, FULL), [(at(1), Duty::Refund { refund: 1 })]);
}

#[test]
fn a9_6_a_merchant_order_is_captured_once() {
    assert_eq!(answer(&captured(), &capture(1, 40_00), at(2)), Ok(Decision::Already));
    let differs = Refused::CaptureDiffers { part: 1, captured: eur(40_00), asked: eur(50_00) };
    assert_eq!(answer(&captured(), &capture(1, 50_00), at(2)), Err(differs));
    // After a decline it is tried again, under another key.
    let failed = walk(authorized(), &[capture(1, 40_00), tell(2, declined("processing_error"))]);
    let Ok(Decision::New(Fact::Begun { attempt, .. })) = answer(&failed, &capture(1, 40_00), at(2)) else {
        panic!("another capture")
    };
    assert_eq!(attempt.id(&failed.id).as_str(), "att_0000000101003");
}

#[test]
fn a_success_after_a_decline_wins_and_is_shown() {
    let late = walk(
        card(),
        &[
            Authorize("tok_visa"),
            tell(1, declined("not_received")),
            Authorize("tok_visa"),
            tell(2, approved()),
            Step::Finalize,
            tell(1, approved()),
        ],
    );
    assert!(late.attempt(1).unwrap().contradicted && !late.attempt(2).unwrap().contradicted);
    // Two authorizations stand; the older one is too much.
    assert_eq!(late.in_force().unwrap().number, 2);
    assert_eq!(agenda(&late, FULL)[0], (at(1), Duty::Void { authorization: 1 }));
    // The other way around nothing changes but the mark.
    let after = walk(authorized(), &[tell(1, declined("insufficient_funds"))]);
    assert_eq!(after.stage(), authorized().stage());
    assert!(after.attempt(1).unwrap().contradicted);
    let again = answer(&after, &tell(1, declined("insufficient_funds")), at(3));
    assert_eq!(again, Ok(Decision::Already));
}

#[test]
fn a_second_payment_that_came_all_the_same_awaits_approval() {
    let twice = walk(
        card(),
        &[
            Authorize("tok_visa"),
            tell(1, declined("not_received")),
            Authorize("tok_visa"),
            tell(2, paid(10_000)),
            Step::Finalize,
        ],
    );
    let Ok(Decision::New(fact)) = answer(&twice, &tell(1, paid(10_000)), at(2)) else { panic!("news") };
    assert_eq!(shown(&twice.posting(&fact).unwrap()), "gateway_clearing 100.00, refunds_payable -100.00");
    let twice = twice.apply(&fact);
    assert_eq!(
        (twice.captured(), twice.stray(), twice.refundable()),
        (eur(20_000), eur(10_000), eur(10_000))
    );
    let both =
        walk(twice, &[Step::Grant { cause: "stray", amount: 10_000, stray: true }, returns("all", 10_000)]);
    let from: Vec<u16> = both.refunds.iter().map(|refund| refund.authorization).collect();
    assert_eq!(from, [2, 1], "each refund takes what the other left");
}

#[test]
fn a_transfer_comes_in_pieces_or_too_large() {
    let transfer = open(opening(Method::BankTransfer, 10_000), at(0)).unwrap();
    let promised = Outcome::Promised { reference: id("ref-1") };
    let transfer = walk(transfer, &[Authorize("tok_visa"), tell(1, promised), Step::Finalize]);
    assert_eq!((transfer.secured(), transfer.captured()), (eur(10_000), eur(0)));
    let half = walk(transfer, &[tell(1, paid(40_00))]);
    assert_eq!((half.captured(), half.secured(), half.stray()), (eur(40_00), eur(40_00), eur(0)));
    let more = walk(half, &[tell(1, paid(12_000)), tell(1, paid(40_00))]);
    assert_eq!((more.captured(), more.stray()), (eur(12_000), eur(20_00)));
    assert_eq!(agenda(&more, FULL).len(), 1, "the surplus is shown");
}

#[test]
fn an_authorization_is_renewed_before_it_ends_and_the_old_one_released() {
    let held = captured();
    let renewal = agenda(&held, FULL);
    assert_eq!(renewal, [(at(WEEK - 24), Duty::Renew { authorization: 1 })]);
    assert_eq!(begin_authorize(&held, None, at(WEEK - 25)), Ok(Decision::Already));
    let Ok(Decision::New(fact)) = begin_authorize(&held, None, at(WEEK - 24)) else { panic!("a renewal") };
    let renewing = held.clone().apply(&fact);
    assert_eq!(renewing.attempt(3).unwrap().amount, eur(60_00), "what is not captured yet");
    // While it is under way nothing is captured: it would be asked for twice.
    assert_eq!(answer(&renewing, &capture(2, 60_00), at(WEEK - 24)), Err(Refused::UnderWay(3)));
    let again = Outcome::Approved { reference: id("ref-3"), expires_at: Some(at(2 * WEEK)) };
    let renewed = walk_at(renewing.clone(), &[tell(3, again)], at(WEEK - 23));
    assert_eq!(renewed.left(), eur(60_00));
    assert_eq!(agenda(&renewed, FULL)[0].1, Duty::Void { authorization: 1 });
    let rest = walk_at(renewed, &[capture(2, 60_00), tell(4, approved())], at(WEEK - 22));
    assert_eq!(rest.captured(), eur(10_000));
    // Declined for good, or at a gateway that cannot: a person is told, and the old one holds to its end.
    let failed = walk_at(renewing, &[tell(3, declined("stolen_card"))], at(WEEK - 23));
    let expiring = Duty::Alert(Alert::Expiring { authorization: 1 });
    assert_eq!(agenda(&failed, FULL)[0].1, expiring);
    assert_eq!(agenda(&held, Capabilities { renewal: false, ..FULL })[0].1, expiring);
    assert!(matches!(answer(&failed, &capture(2, 60_00), at(WEEK - 1)), Ok(Decision::New(_))));
    assert_eq!(answer(&failed, &capture(2, 60_00), at(WEEK)), Err(Refused::Expired(at(WEEK))));
}

#[test]
fn a_short_authorization_is_renewed_at_half_its_time() {
    let short = Outcome::Approved { reference: id("ref-1"), expires_at: Some(at(31)) };
    let held = walk_at(card(), &[Authorize("tok_visa"), tell(1, short), Step::Finalize], at(1));
    assert_eq!(agenda(&held, FULL), [(at(16), Duty::Renew { authorization: 1 })]);
}

#[test]
fn what_never_ships_is_released() {
    let rest = walk(captured(), &[Step::Void(1), tell(3, approved())]);
    assert_eq!(rest.stage(), Stage::Captured { amount: eur(40_00) });
    assert_eq!((rest.left(), rest.secured()), (eur(0), eur(40_00)));
    assert_eq!(agenda(&rest, FULL), []);
    // So does the last capture by itself.
    let last = Step::Capture { part: 2, amount: 30_00, last: true };
    let rest = walk(captured(), &[last, tell(3, approved())]);
    assert_eq!((rest.captured(), rest.left()), (eur(70_00), eur(0)));
    assert_eq!(answer(&rest, &Step::Void(1), at(2)), Ok(Decision::Already));
    // Not while another capture may still need it.
    let busy = walk(captured(), &[capture(2, 30_00)]);
    let last = Step::Capture { part: 3, amount: 30_00, last: true };
    assert_eq!(answer(&busy, &last, at(2)), Err(Refused::UnderWay(3)));
}

#[test]
fn a_closed_payment_gives_up_what_it_holds_once_it_is_known() {
    let closed = walk(authorized(), &[Step::Close]);
    assert_eq!(agenda(&closed, FULL), [(at(1), Duty::Void { authorization: 1 })]);
    let unknown = walk(card(), &[Authorize("tok_visa"), tell(1, Outcome::Unknown), Step::Close]);
    assert!(matches!(agenda(&unknown, FULL)[..], [(_, Duty::Ask { attempt: 1, ask: 1 })]));
    let known = walk(unknown, &[tell(1, approved())]);
    assert_eq!(agenda(&known, FULL)[0].1, Duty::Void { authorization: 1 });
    assert_eq!(answer(&known, &capture(1, 40_00), at(2)), Err(Refused::Closed));
}

#[test]
fn a_customer_who_does_not_confirm_lets_the_cart_go_after_half_an_hour() {
    let waiting = walk_at(card(), &[Authorize("tok_visa"), tell(1, confirm())], at(0));
    let due = agenda(&waiting, FULL);
    assert_eq!(
        due,
        [(minutes(5), Duty::Ask { attempt: 1, ask: 1 }), (minutes(30), Duty::Void { authorization: 1 }),]
    );
    assert_eq!(answer(&waiting, &Authorize("tok_other"), at(1)), Err(Refused::WaitsForCustomer(1)));
    let gone = walk(waiting, &[Step::Void(1), tell(2, approved())]);
    assert_eq!((gone.stage(), agenda(&gone, FULL)), (Stage::Released, vec![]));
    assert!(matches!(answer(&gone, &Authorize("tok_other"), at(1)), Ok(Decision::New(_))));
}

#[test]
fn an_unknown_outcome_is_asked_for_at_5_minutes_1_hour_and_then_daily_five_times() {
    let mut payment = walk_at(card(), &[Authorize("tok_visa"), tell(1, Outcome::Unknown)], at(0));
    let mut times = Vec::new();
    for ask in 1.. {
        let (when, duty) = agenda(&payment, FULL).remove(0);
        if duty == Duty::Alert(Alert::Unresolved { attempt: 1 }) {
            break;
        }
        assert_eq!(duty, Duty::Ask { attempt: 1, ask });
        times.push(when.duration_since(at(0)).as_mins());
        let early = answer(&payment, &Step::GiveUp(1), when);
        assert_eq!(early, Err(Refused::StillAsked(1)));
        let told = Tell(1, Outcome::Unknown, Some(ask));
        // The answer may be told twice; it counts once.
        payment = walk_at(payment, &[told.clone(), told], when);
    }
    let day = 24 * 60;
    assert_eq!(times, [5, 60, 60 + day, 60 + 2 * day, 60 + 3 * day, 60 + 4 * day, 60 + 5 * day]);
    assert_eq!(payment.stage(), Stage::Unknown { asked: 7, next_ask: None });
    let given_up = walk(payment, &[Step::GiveUp(1)]);
    assert!(matches!(answer(&given_up, &Authorize("tok_visa"), at(200)), Ok(Decision::New(_))));
    // The gateway's own word holds, whenever it comes.
    assert_eq!(walk(given_up, &[tell(1, approved())]).left(), eur(10_000));
}

#[test]
fn a_question_that_is_asked_late_delays_the_next_one() {
    let late = Asked { times: 1, last: at(50) };
    assert_eq!(next_ask(late), Some(at(50).checked_add(55.minutes()).unwrap()));
    assert_eq!(next_ask(Asked { times: 7, last: at(50) }), None);
}

#[test]
fn nobody_tries_stolen_cards_here() {
    let mut payment = card();
    for number in 1..=10 {
        payment = walk(payment, &[Authorize("tok_visa"), tell(number, declined("insufficient_funds"))]);
    }
    assert_eq!(answer(&payment, &Authorize("tok_visa"), at(2)), Err(Refused::AttemptCount));
    let hard = walk(card(), &[Authorize("tok_visa"), tell(1, declined("stolen_card"))]);
    assert_eq!(answer(&hard, &Authorize("tok_visa"), at(2)), Err(Refused::DeclinedForGood));
    assert_eq!(begin_authorize(&hard, None, at(2)), Err(Refused::DeclinedForGood));
    let other = walk(hard, &[Authorize("tok_other")]);
    assert_eq!(other.token, Some(id("tok_other")));
}

#[test]
fn what_fails_by_no_fault_of_the_customer_is_tried_three_times() {
    let fault = || declined("processing_error");
    let mut life = walk(captured(), &[returns("rma-1", 10_00)]);
    for number in 3..6 {
        let (when, duty) = agenda(&life, FULL).remove(0);
        assert_eq!((when, duty), (at(1 + i64::from(number) - 3), Duty::Refund { refund: 1 }));
        life = walk_at(life, &[Step::Refund(1), tell(number, fault())], when);
    }
    assert_eq!(agenda(&life, FULL)[0].1, Duty::Alert(Alert::RefundFailed { refund: 1 }));
    // A capture of goods that have left is tried again too; a decline is for a person.
    let failed = walk(authorized(), &[capture(1, 40_00), tell(2, fault())]);
    assert_eq!(agenda(&failed, FULL)[0], (at(2), Duty::Capture { attempt: 2 }));
    let failed = walk(authorized(), &[capture(1, 40_00), tell(2, declined("insufficient_funds"))]);
    assert_eq!(agenda(&failed, FULL)[0].1, Duty::Alert(Alert::CaptureFailed { attempt: 2 }));
}

#[test]
fn a_capture_that_must_wait_for_another_does_not_hide_the_question_about_that_one() {
    let fault = || declined("not_received");
    let last = Step::Capture { part: 2, amount: 60_00, last: true };
    let both = walk(authorized(), &[capture(1, 40_00), tell(2, fault()), last, tell(3, fault())]);
    let again: Vec<_> = agenda(&both, FULL).into_iter().take(2).collect();
    assert_eq!(again, [(at(2), Duty::Capture { attempt: 2 }), (at(2), Duty::Capture { attempt: 3 })]);
    // The first is tried again and hangs; the second takes the authorization with it and waits.
    let hangs = walk_at(both, &[capture(1, 40_00)], at(2));
    assert_eq!(next_look(&hangs, FULL, at(2)), Some(minutes(2 * 60 + 5)));
    let known = walk_at(hangs, &[tell(4, approved())], minutes(2 * 60 + 5));
    assert_eq!(agenda(&known, FULL)[0], (at(2), Duty::Capture { attempt: 3 }));
}

#[test]
fn a_capture_that_nobody_tried_again_before_its_authorization_ended_is_shown() {
    let failed =
        walk_at(authorized(), &[capture(1, 40_00), tell(2, declined("not_received"))], at(WEEK - 20));
    let fixed = Capabilities { renewal: false, ..FULL };
    let expiring = (at(WEEK - 24), Duty::Alert(Alert::Expiring { authorization: 1 }));
    let ended = (at(WEEK), Duty::Alert(Alert::CaptureFailed { attempt: 2 }));
    assert_eq!(agenda(&failed, fixed), [expiring, (at(WEEK - 19), Duty::Capture { attempt: 2 }), ended]);
    let told = alert(&failed, Alert::Expiring { authorization: 1 }, at(WEEK - 19));
    let Decision::New(told) = told else { panic!("an alert") };
    let told = failed.apply(&told);
    assert_eq!(next_look(&told, fixed, at(WEEK - 20)), Some(at(WEEK - 19)));
    assert_eq!(next_look(&told, fixed, at(WEEK)), Some(at(WEEK)));
    assert_eq!(take_up(&told, &Duty::Capture { attempt: 2 }, at(WEEK)), Err(Refused::Expired(at(WEEK))));
}

#[test]
fn a_refund_knows_its_age_and_may_become_store_credit() {
    let life = walk(captured(), &[returns("rma-1", 10_00), Step::Refund(1)]);
    let age = |life: &Payment, hours| life.refund_age(&life.refunds[0], at(hours)).as_hours();
    assert_eq!((age(&life, 1), age(&life, 49)), (0, 48));
    let done = walk_at(life.clone(), &[tell(3, approved())], at(25));
    assert_eq!((age(&done, 49), age(&done, 500)), (24, 24));
    assert_eq!(answer(&done, &Step::Redirect(1), at(26)), Err(Refused::Executed));
    let failed = walk(life, &[tell(3, declined("expired_card")), Step::Redirect(1), Step::Refund(1)]);
    let request = failed.request(failed.attempt(4).unwrap());
    assert!(matches!(request, Some(Request::Credit { amount, .. }) if amount == eur(10_00)));
    let Ok(Decision::New(fact)) = answer(&failed, &tell(4, approved()), at(2)) else { panic!("executed") };
    assert_eq!(shown(&failed.posting(&fact).unwrap()), "refunds_payable 10.00, store_credit -10.00");
}

#[test]
fn a_request_names_what_it_acts_on_and_its_own_key() {
    let life = walk(captured(), &[returns("rma-1", 10_00), Step::Refund(1)]);
    let requests: Vec<Request> = life.attempts.iter().filter_map(|one| life.request(one)).collect();
    let [Request::Authorize { key, token, .. }, Request::Capture { authorization, .. }, refund] =
        &requests[..]
    else {
        panic!("{requests:?}")
    };
    assert_eq!((key.as_str(), token), ("att_0000000101001", &Some(id("tok_visa"))));
    assert_eq!(authorization.as_str(), "ref-1");
    assert!(matches!(refund, Request::Refund { authorization, .. } if authorization.as_str() == "ref-1"));
    // What the gateway never named cannot be acted on.
    let begun = walk(card(), &[Authorize("tok_visa")]);
    assert_eq!(
        life.request(&Attempt { call: Call::Void { authorization: 9 }, ..begun.attempts[0].clone() }),
        None
    );
}

#[test]
fn each_method_has_its_account() {
    for (method, account) in [
        (Method::Card, "gateway_clearing"),
        (Method::Wallet, "gateway_clearing"),
        (Method::Bnpl, "gateway_clearing"),
        (Method::BankTransfer, "cash"),
        (Method::Voucher, "vouchers"),
        (Method::StoreCredit, "store_credit"),
    ] {
        let payment = walk(open(opening(method, 10_00), at(0)).unwrap(), &[Authorize("tok_visa")]);
        let fact = Fact::Told { attempt: 1, outcome: paid(10_00), ask: None, at: at(1) };
        assert_eq!(shown(&payment.posting(&fact).unwrap()), format!("{account} 10.00, receivable -10.00"));
    }
}

#[test]
fn what_is_not_this_payments_is_an_error() {
    assert_eq!(answer(&card(), &tell(1, approved()), at(1)), Err(Refused::NoAttempt(1)));
    let dollars = Outcome::Captured { reference: id("r"), amount: Money::new(1, id("USD")) };
    assert!(matches!(answer(&authorized(), &tell(1, dollars), at(1)), Err(Refused::Money(_))));
    assert_eq!(answer(&captured(), &Step::Void(2), at(1)), Err(Refused::NoAttempt(2)));
    assert_eq!(open(opening(Method::Card, 0), at(0)), Err(Refused::NoAmount));
}
