//! What a gateway takes back after it was done.

use super::*;

#[test]
fn an_authorization_that_lapses_while_its_order_counts_on_it_is_renewed_or_shown_until_nobody_needs_it() {
    let fixed = Capabilities { renewal: false, ..FULL };
    let shown = |payment: &Payment| payment.alerts().cloned().collect::<Vec<_>>();
    let expiring = Alert::Expiring { authorization: 1 };
    let alerted = |payment: Payment, at| match alert(&payment, expiring.clone(), at) {
        Decision::New(fact) => payment.apply(&fact),
        Decision::Already => panic!("it was told"),
    };
    for (before, rest) in [(authorized(), 10_000), (captured(), 60_00)] {
        let lapsed = walk_at(before.clone(), &[tell(1, Outcome::Lapsed)], at(9));
        assert_eq!(agenda(&lapsed, FULL), [(at(1), Duty::Renew { authorization: 1 })]);
        assert_eq!(next_look(&lapsed, FULL, at(9)), Some(at(9)));
        let Ok(Decision::New(fact)) = take_up(&lapsed, &Duty::Renew { authorization: 1 }, at(9)) else {
            panic!("a renewal")
        };
        let renewing = lapsed.clone().apply(&fact);
        let number = renewing.attempts.last().unwrap().number;
        let again = Outcome::Approved { reference: id("ref-3"), expires_at: Some(at(2 * WEEK)) };
        let renewed = walk_at(renewing.clone(), &[tell(number, again)], at(9));
        assert_eq!((renewed.left(), renewed.lapsed_early()), (eur(rest), None));
        assert!(matches!(answer(&renewed, &capture(2, 60_00), at(9)), Ok(Decision::New(_))));
        // Declined, or at a gateway that cannot: a person sees it, also who has heard before that it would end.
        let refused = walk_at(renewing, &[tell(number, declined("stolen_card"))], at(9));
        assert_eq!(agenda(&refused, FULL), [(at(1), Duty::Alert(expiring.clone()))]);
        assert_eq!(agenda(&lapsed, fixed), [(at(1), Duty::Alert(expiring.clone()))]);
        let told = alerted(before, at(WEEK - 24));
        let told = walk_at(told, &[tell(1, Outcome::Lapsed)], at(WEEK - 20));
        assert_eq!((shown(&told), agenda(&told, fixed)), (vec![expiring.clone()], vec![]));
        assert_eq!(shown(&walk(told, &[Step::Close])), []);
    }
    // What we gave up ourselves, or took the last of, or what no order knows of, has lapsed rightly.
    let last = Step::Capture { part: 2, amount: 30_00, last: true };
    for steps in [
        vec![Step::Void(1), tell(2, approved()), tell(1, Outcome::Lapsed)],
        vec![Step::Void(1), tell(1, Outcome::Lapsed), tell(2, declined("payment_intent_unexpected_state"))],
        vec![last, tell(2, approved()), tell(1, Outcome::Lapsed)],
    ] {
        let over = walk(authorized(), &steps);
        assert_eq!((over.lapsed_early(), agenda(&over, FULL)), (None, vec![]), "{steps:?}");
    }
    let unknown = walk(card(), &[Authorize("tok_visa"), tell(1, approved()), tell(1, Outcome::Lapsed)]);
    assert_eq!(unknown.lapsed_early(), None);
}

#[test]
fn another_authorization_is_another_chance_for_a_capture_that_was_declined() {
    let failed = walk(authorized(), &[capture(1, 40_00), tell(2, declined("insufficient_funds"))]);
    let told = Duty::Alert(Alert::CaptureFailed { attempt: 2 });
    assert_eq!(agenda(&failed, FULL)[0].1, told);
    let again = Outcome::Approved { reference: id("ref-3"), expires_at: Some(at(2 * WEEK)) };
    let renewed = |life| walk_at(life, &[Authorize("tok_visa"), tell(3, again.clone())], at(WEEK - 24));
    let duty = (at(WEEK - 24), Duty::Capture { attempt: 2 });
    assert!(agenda(&renewed(failed.clone()), FULL).contains(&duty));
    // Whoever was told of it sees it until the money was taken, not only until it is tried again.
    let Decision::New(fact) = alert(&failed, Alert::CaptureFailed { attempt: 2 }, at(2)) else {
        panic!("it is news")
    };
    let retried = walk_at(renewed(failed.apply(&fact)), &[capture(1, 40_00)], at(WEEK - 24));
    assert_eq!(retried.alerts().count(), 1);
    assert_eq!(walk_at(retried, &[tell(4, approved())], at(WEEK - 24)).alerts().count(), 0);
    // Nobody knows whether it was taken: a person has decided to go on without.
    let asked = |ask| Tell(2, Outcome::Unknown, Some(ask));
    let unknown = [vec![capture(1, 40_00)], (1..=7).map(asked).collect(), vec![Step::GiveUp(2)]].concat();
    let given_up = renewed(walk(authorized(), &unknown));
    let due = agenda(&given_up, FULL);
    assert!(due.iter().all(|(_, duty)| !matches!(duty, Duty::Capture { .. })), "{due:?}");
}

#[test]
fn a_refund_that_comes_back_after_it_had_left_is_owed_again() {
    let sent = walk(captured(), &[returns("rma-1", 10_00), Step::Refund(1)]);
    let (left, back) = (tell(3, approved()), tell(3, declined("lost_or_stolen_card")));
    let done = walk(sent.clone(), std::slice::from_ref(&left));
    let Ok(Decision::New(fact)) = answer(&done, &back, at(2)) else { panic!("it is news") };
    assert_eq!(shown(&done.posting(&fact).unwrap()), "gateway_clearing 10.00, refunds_payable -10.00");
    let failed = done.clone().apply(&fact);
    assert!(matches!(failed.refund_stage(&failed.refunds[0]), RefundStage::Failed { .. }));
    let alert = Duty::Alert(Alert::RefundFailed { refund: 1 });
    assert_eq!(agenda(&failed, FULL)[0], (at(2), alert));
    assert!(matches!(answer(&failed, &Step::Redirect(1), at(3)), Ok(Decision::New(_))));
    // In whatever order and how often it is told; and a question that was too early says nothing against either.
    let early = tell(3, declined("not_received"));
    let truth = |life: &Payment| (life.refund_stage(&life.refunds[0]), life.books());
    for (told, want) in [
        (vec![back.clone(), left.clone(), early.clone(), left.clone()], &failed),
        (vec![early.clone(), left.clone(), back.clone(), early.clone()], &failed),
        (vec![early.clone(), left.clone(), early.clone()], &done),
    ] {
        let life = walk_at(sent.clone(), &told, at(1));
        assert_eq!(truth(&life).1, truth(want).1, "{told:?}");
        let executed = matches!(truth(&life).0, RefundStage::Executed { .. });
        assert_eq!(executed, std::ptr::eq(want, &done), "{told:?}");
    }
}

#[test]
fn a_refund_that_arrives_twice_is_booked_twice_and_shown() {
    let asked = |attempt| move |ask| Tell(attempt, Outcome::Unknown, Some(ask));
    let silent: Vec<Step> = (1..=7).map(asked(3)).collect();
    let sent = [vec![returns("rma-1", 10_00), Step::Refund(1)], silent, vec![Step::GiveUp(3)]].concat();
    let redirected = walk(walk(captured(), &sent), &[Step::Redirect(1)]);
    let arrives = tell(3, approved());
    // Before the credit is given: it is not given any more.
    let first = walk(redirected.clone(), std::slice::from_ref(&arrives));
    assert_eq!((first.executed(To::Original), first.executed(To::StoreCredit)), (10_00, 0));
    assert_eq!(answer(&first, &Step::Refund(1), at(3)), Ok(Decision::Already));
    assert_eq!((first.credit().given, agenda(&first, FULL).len()), (eur(0), 1), "the renewal alone");
    // After it: the customer has it twice, and owes one of them.
    let credited = walk(redirected, &[Step::Refund(1), tell(4, approved())]);
    assert_eq!((credited.credit().given, credited.executed(To::Original)), (eur(10_00), 0));
    let Ok(Decision::New(fact)) = answer(&credited, &arrives, at(4)) else { panic!("it is news") };
    assert_eq!(shown(&credited.posting(&fact).unwrap()), "gateway_clearing -10.00, refunds_payable 10.00");
    let twice = credited.apply(&fact);
    let alert = Alert::RefundedTwice { refund: 1 };
    assert_eq!(agenda(&twice, FULL)[0], (at(4), Duty::Alert(alert.clone())));
    let Decision::New(fact) = super::alert(&twice, alert.clone(), at(5)) else { panic!("it is news") };
    let told = twice.apply(&fact);
    assert_eq!(told.alerts().collect::<Vec<_>>(), [&alert]);
    // The gateway's has come back: once is right.
    let back = walk(told, &[tell(3, declined("lost_or_stolen_card"))]);
    assert_eq!((back.alerts().count(), back.executed(To::Original)), (0, 0));
    // Said not to have come, so it was sent again; both have arrived.
    let again =
        [returns("rma-1", 10_00), Step::Refund(1), tell(3, declined("not_received")), Step::Refund(1)];
    let both = walk(captured(), &[&again[..], &[tell(4, approved()), arrives]].concat());
    assert_eq!((both.executed(To::Original), both.arrived(&both.refunds[0]).len()), (20_00, 2));
    assert_eq!(agenda(&both, FULL)[0].1, Duty::Alert(alert));
}

#[test]
fn a_merchant_order_that_is_captured_twice_is_shown_and_the_rest_still_has_room() {
    let again = [capture(1, 40_00), tell(2, declined("not_received")), capture(1, 40_00)];
    let retried = walk(authorized(), &again);
    let once = walk(retried.clone(), &[tell(3, approved())]);
    let Ok(Decision::New(fact)) = answer(&once, &tell(2, approved()), at(2)) else { panic!("it is news") };
    assert_eq!(shown(&once.posting(&fact).unwrap()), "gateway_clearing 40.00, refunds_payable -40.00");
    let twice = once.apply(&fact);
    assert_eq!((twice.captured(), twice.kept(), twice.stray()), (eur(80_00), eur(40_00), eur(40_00)));
    assert_eq!(walk(retried, &[tell(2, approved()), tell(3, approved())]).books(), twice.books());
    // A person sees it; the 20.00 that are left there are too little for the 60.00 to come.
    let stray = (at(2), Duty::Alert(Alert::Stray { amount: eur(40_00) }));
    let renew = (at(1), Duty::Renew { authorization: 1 });
    assert_eq!(agenda(&twice, FULL), [renew.clone(), stray.clone()]);
    let unable = Capabilities { renewal: false, ..FULL };
    assert_eq!(agenda(&twice, unable)[0].1, Duty::Alert(Alert::Expiring { authorization: 1 }));
    let renewed = walk(twice, &[Authorize("tok_visa"), tell(4, approved())]);
    assert_eq!((renewed.attempt(4).unwrap().amount, renewed.left()), (eur(60_00), eur(60_00)));
    assert_eq!(agenda(&renewed, FULL)[0].1, Duty::Void { authorization: 1 });
    let back = Step::Grant { cause: "twice", amount: 40_00, stray: true };
    let rest =
        walk(renewed, &[capture(2, 60_00), tell(5, approved()), back, Step::Refund(1), tell(6, approved())]);
    assert_eq!((rest.kept(), rest.uncaptured(), rest.awaits_approval()), (eur(10_000), eur(0), eur(0)));
    let moved = rest.books().map(|(account, minor)| (account.to_string(), minor));
    assert_eq!(moved[0], ("gateway_clearing".to_owned(), 10_000));
    // Of a closed payment nothing more is asked for, nor where the rest was given up.
    let canceled = [Step::Void(1), tell(4, Outcome::Unknown)];
    let before = walk(authorized(), &[&again[..], &[tell(3, approved())]].concat());
    let voiding = walk(before.clone(), &[&canceled[..], &[tell(2, approved())]].concat());
    for over in [walk(before, &[Step::Close, tell(2, approved())]), voiding] {
        assert!(!agenda(&over, FULL).contains(&renew));
    }
    // Where both halves were as much as the authorization, nothing of it is left.
    let halves = [capture(1, 50_00), tell(2, declined("not_received")), capture(1, 50_00)];
    let used_up = walk(authorized(), &[&halves[..], &[tell(3, approved()), tell(2, approved())]].concat());
    assert_eq!((used_up.in_force(), used_up.uncaptured()), (None, eur(50_00)));
    assert_eq!(agenda(&used_up, FULL)[0], renew);
}

#[test]
fn a_promise_that_is_broken_or_falls_short_is_shown_until_the_money_is_there() {
    let transfer = open(opening(Method::BankTransfer, 10_000), at(0)).unwrap();
    let promised = Outcome::Promised { reference: id("ref-1") };
    let transfer = walk(transfer, &[Authorize("tok_visa"), tell(1, promised), Step::Finalize]);
    assert_eq!((transfer.missing(), agenda(&transfer, FULL).len()), (eur(0), 0));
    for (told, missing) in
        [(paid(95_00), 5_00), (declined("account_closed"), 10_000), (Outcome::Lapsed, 10_000)]
    {
        let short = walk(transfer.clone(), &[tell(1, told)]);
        let alert = Alert::Missing { amount: eur(missing) };
        assert_eq!(agenda(&short, FULL).last().unwrap().1, Duty::Alert(alert.clone()));
        let Decision::New(fact) = super::alert(&short, alert.clone(), at(2)) else { panic!("it is news") };
        let shown = short.apply(&fact);
        assert_eq!(shown.alerts().collect::<Vec<_>>(), [&alert]);
        assert_eq!(walk(shown.clone(), &[tell(1, paid(10_000))]).alerts().count(), 0);
        assert_eq!(walk(shown, &[Step::Close]).alerts().count(), 0);
    }
}

#[test]
fn what_goes_well_late_concerns_its_order() {
    let concerned = |before: &Payment, step: &Step| {
        let Ok(Decision::New(fact)) = answer(before, step, at(3)) else { panic!("it is news") };
        concerns_order(before, &before.clone().apply(&fact))
    };
    let begun = walk(authorized(), &[capture(1, 40_00)]);
    assert!(!concerned(&begun, &tell(2, approved())), "whoever has called goes on by itself");
    let mut last = begun.clone();
    last.attempts.last_mut().unwrap().state =
        State::Open { waits: Waits::Question, asked: Asked { times: 7, last: at(2) } };
    assert!(concerned(&last, &tell(2, approved())), "nobody asks any more");
    let failed = walk(begun, &[tell(2, declined("insufficient_funds"))]);
    assert!(concerned(&failed, &tell(2, approved())));
    let again = Outcome::Approved { reference: id("ref-3"), expires_at: Some(at(2 * WEEK)) };
    let renewing = walk_at(authorized(), &[Authorize("tok_visa")], at(WEEK - 24));
    assert!(concerned(&renewing, &tell(2, again.clone())));
    assert!(!concerned(&walk(renewing, &[Step::Close]), &tell(2, again)), "nobody waits for it any more");
    let first = walk(card(), &[Authorize("tok_visa")]);
    assert!(!concerned(&first, &tell(1, approved())), "its checkout looks at it");
}
