//! Cancellations, and deliveries that do not come or come on another day.

use super::*;

#[test]
fn canceled_now_what_is_not_used_is_credited_and_not_sent_back() {
    let mut life = running(&ten());
    assert_eq!(life.cancel(When::Now(None), on("2027-04-16")), "Ended: credit -5.00; given 5.00");
    assert_eq!(life.held.stage, Stage::Ended { since: on("2027-04-16"), why: Ended::Canceled });
    assert_eq!((life.held.credit, life.held.due_at()), (eur(5_00), Ok(None)));
    assert!(!life.held.gives(on("2027-04-16")));
    // Twice is no error and credits nothing again.
    for when in [When::Now(None), When::PeriodEnd] {
        assert_eq!(life.cancel(when, on("2027-04-17")), "already");
    }
    assert_eq!(life.renew(on("2027-05-01")), "not due");
}

#[test]
fn canceled_at_the_end_of_the_period_it_is_given_up_to_there_to_the_second() {
    let mut life = running(&ten());
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-16")), "CancellationScheduled");
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-17")), "already");
    assert!(life.held.gives(at("2027-04-30T23:59:59Z")));
    assert!(!life.held.gives(on("2027-05-01")), "however late its end is seen");
    assert_eq!(life.renew(on("2027-05-03")), "Ended");
    assert_eq!(life.held.stage, Stage::Ended { since: on("2027-05-01"), why: Ended::Canceled });
    assert_eq!((life.documents.len(), life.held.credit), (1, eur(0)));
}

#[test]
fn a_cancellation_is_taken_back_before_it_holds() {
    let mut life = running(&ten());
    let uncancel = |life: &Life, now| uncancel(&life.held, now);
    assert_eq!(uncancel(&life, on("2027-04-16")), Err(Refused::NotCanceled));
    life.cancel(When::PeriodEnd, on("2027-04-16"));
    assert_eq!(uncancel(&life, on("2027-05-01")), Err(Refused::RenewalDue));
    let step = uncancel(&life, at("2027-04-30T23:59:59Z")).unwrap();
    assert_eq!(life.take(step), "CancellationWithdrawn");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; due 10.00");
    life.cancel(When::PeriodEnd, on("2027-05-16"));
    assert_eq!(life.cancel(When::Now(None), on("2027-05-16")), "Ended: credit -5.16; given 5.16");
    assert_eq!(uncancel(&life, on("2027-05-16")), Err(Refused::Ended));
}

#[test]
fn a_cancellation_takes_the_place_of_a_change_that_waits() {
    let mut life = running(&ten());
    life.change_at_end(&twenty(), 1, on("2027-04-10"));
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-16")), "CancellationScheduled");
    assert_eq!(life.renew(on("2027-05-01")), "Ended");
}

#[test]
fn what_is_paused_incomplete_or_overdue_can_be_canceled() {
    let mut life = running(&ten());
    life.pause(Some(on("2027-06-01")), on("2027-04-16"));
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-20")), "Ended", "a pause has no period to wait for");
    assert_eq!(life.held.credit, eur(5_00));
    let step = start(asked("UTC"), &ten(), &life.taxes, on("2027-04-01")).unwrap();
    life.held = step.next;
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-01")), "Ended");
    // The period is over and was used: nothing of it is left, and no other has begun.
    let mut life = running(&ten());
    assert_eq!(life.cancel(When::Now(None), on("2027-05-03")), "Ended");
    let mut life = running(&ten());
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-05-03")), "CancellationScheduled");
    assert_eq!(life.renew(on("2027-05-03")), "Ended");
}

#[test]
fn a_cancellation_holds_from_the_moment_of_its_preview() {
    let mut life = running(&ten());
    let seen = on("2027-04-16");
    assert_eq!(
        life.cancel(When::Now(Some(seen)), at("2027-04-16T00:10:00Z")),
        "Ended: credit -5.00; given 5.00"
    );
    assert_eq!(life.held.stage, Stage::Ended { since: seen, why: Ended::Canceled });
    let life = running(&ten());
    let late = cancel(&life.held, None, When::Now(Some(seen)), at("2027-04-16T00:20:00Z"));
    assert_eq!(late, Err(Refused::AsOf(seen)));
}

#[test]
fn what_ends_unpaid_gives_nothing_back() {
    let life = running(&ten());
    let step = end(&life.held, Ended::Unpaid, on("2027-04-16"));
    assert_eq!((shown(&step).as_str(), step.next.credit, step.next.covered), ("Ended", eur(0), None));
}

/// What is given up at a moment, and the credit that the customer has then.
fn given_up(life: &Life, at: Timestamp) -> (String, Money) {
    let owed = life.documents.last().unwrap();
    let step = give_up(&life.held, owed, Ended::Unpaid, (at, at)).unwrap();
    assert_eq!(step.next.stage, Stage::Ended { since: at, why: Ended::Unpaid });
    let whole = step.document.as_ref().map(|document| (document.due().unwrap(), &document.stage));
    assert!(whole.is_none_or(|whole| whole == (eur(0), &invoice::Stage::Paid { since: at })));
    (shown(&step), step.next.credit)
}

#[test]
fn what_was_paid_before_a_change_that_nobody_pays_pays_for_what_was_used_of_it() {
    let mut life = running(&ten());
    assert_eq!(life.change(&twenty(), 1, on("2027-04-16")), "Changed: credit -5.00, charge 10.00; due 5.00");
    // Ten are paid; 5.00 of the one plan were used, and two days or five of the other at 0.67.
    for (day, want, credit) in [
        ("2027-04-18", "Ended: credit -5.00, charge 10.00, credit -8.67; given 3.67", 3_67),
        ("2027-04-21", "Ended: credit -5.00, charge 10.00, credit -6.67; given 1.67", 1_67),
        // Eight of them cost more than was left.
        ("2027-04-24", "Ended", 0),
    ] {
        assert_eq!(given_up(&life, on(day)), (want.to_owned(), eur(credit)));
    }
    // Who cancels has the same.
    let (owed, now) = (life.documents.last().unwrap(), on("2027-04-18"));
    let Ok(Decision::New(step)) = cancel(&life.held, Some(owed), When::Now(None), now) else {
        panic!("it ends");
    };
    assert_eq!(shown(&step), "Ended: credit -5.00, charge 10.00, credit -8.67; given 3.67");
    assert_eq!(step.document.unwrap().corrected().as_ref(), Some(&owed.id));
}

#[test]
fn credit_that_an_unpaid_renewal_took_pays_for_what_was_used_of_it() {
    let mut life = running(&twenty());
    life.change(&ten(), 1, on("2027-04-16"));
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; taken 5.00, due 5.00");
    let want = "Ended: charge 10.00, credit -9.68; taken 0.32, due 0.00".to_owned();
    assert_eq!(given_up(&life, on("2027-05-02")), (want, eur(4_68)));
    assert_eq!(given_up(&life, on("2027-05-20")), ("Ended".to_owned(), eur(0)), "6.13 were used");
    // Of a whole period that nobody paid there is nothing to give back.
    let mut life = running(&ten());
    life.renew(on("2027-05-01"));
    assert_eq!(
        given_up(&life, on("2027-05-01")),
        ("Ended: charge 10.00, credit -10.00; due 0.00".to_owned(), eur(0))
    );
    assert_eq!(given_up(&life, on("2027-05-02")), ("Ended".to_owned(), eur(0)));
}

#[test]
fn a_skipped_delivery_is_not_sent_and_the_one_after_it_is() {
    let mut life = running(&tea());
    assert_eq!((life.documents.len(), life.sent.len()), (0, 1));
    let decision = skip(&life.held, &tea(), on("2027-04-10")).unwrap();
    assert_eq!(life.decided(decision), "SkipScheduled");
    assert_eq!(skip(&life.held, &tea(), on("2027-04-10")), Ok(Decision::Already));
    assert_eq!(life.renew(on("2027-05-01")), "Skipped");
    assert_eq!((life.sent.len(), life.held.number), (1, 1));
    assert_eq!(life.renew(on("2027-06-01")), "Renewed");
    assert_eq!(life.sent[1], Period { from: on("2027-06-01"), until: on("2027-07-01") });
}

#[test]
fn a_skip_leaves_out_the_goods_and_not_the_charge_for_what_goes_on() {
    let mut life = running(&club());
    let decision = skip(&life.held, &club(), on("2027-04-10")).unwrap();
    life.decided(decision);
    assert_eq!(life.renew(on("2027-05-01")), "Skipped: charge 10.00; due 10.00");
    assert!(life.held.gives(on("2027-05-02")));
    assert_eq!(life.sent.len(), 1);
}

#[test]
fn a_skip_is_withdrawn_before_anything_else_changes() {
    let mut life = running(&tea());
    let now = on("2027-04-10");
    let decision = skip(&life.held, &tea(), now).unwrap();
    life.decided(decision);
    for when in [When::Now(None), When::PeriodEnd] {
        assert_eq!(life.refused((&ten(), 1), when, now), Refused::ChangeWaits, "no service for nothing");
    }
    assert_eq!(pause(&life.held, None, None, now), Err(Refused::ChangeWaits));
    assert_eq!(life.change(&tea(), 1, now), "ChangeWithdrawn");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed");
    assert_eq!(life.sent.len(), 2);
}

#[test]
fn what_cannot_be_skipped_is_refused() {
    let (now, due) = (on("2027-04-10"), on("2027-05-01"));
    assert_eq!(skip(&running(&ten()).held, &ten(), now), Err(Refused::NoGoods));
    let mut life = running(&tea());
    assert_eq!(skip(&life.held, &tea(), due), Err(Refused::RenewalDue));
    life.change_at_end(&tea(), 2, now);
    assert_eq!(skip(&life.held, &tea(), now), Err(Refused::ChangeWaits));
    life.cancel(When::PeriodEnd, now);
    assert_eq!(skip(&life.held, &tea(), now), Err(Refused::EndsSoon));
    life.cancel(When::Now(None), now);
    assert_eq!(skip(&life.held, &tea(), now), Err(Refused::Ended));
}

#[test]
fn a_delivery_on_another_day_is_what_those_after_it_are_counted_from() {
    let mut life = Life::begin(&tea(), asked("UTC"), taxes(&UNTAXED), on("2027-01-31"));
    let now = on("2027-02-10");
    let moved = |life: &mut Life, day| {
        let decision = deliver_on(&life.held, &tea(), on(day), now).unwrap();
        life.decided(decision)
    };
    assert_eq!(moved(&mut life, "2027-02-28"), "already");
    assert_eq!(moved(&mut life, "2027-03-05"), "DeliveryMoved");
    assert_eq!(moved(&mut life, "2027-03-05"), "already");
    assert_eq!(life.renew(on("2027-02-28")), "not due");
    // Back where it was it is as if it had never been moved: the 31st stays.
    assert_eq!(moved(&mut life, "2027-02-28"), "DeliveryMoved");
    assert_eq!(life.renew(on("2027-02-28")), "Renewed");
    assert_eq!(life.held.due_at(), Ok(Some(on("2027-03-31"))));
    let decision = deliver_on(&life.held, &tea(), on("2027-03-10"), on("2027-03-01")).unwrap();
    life.decided(decision);
    assert_eq!(life.renew(on("2027-03-10")), "Renewed");
    assert_eq!(life.sent.last(), Some(&Period { from: on("2027-03-10"), until: on("2027-04-10") }));
}

#[test]
fn a_day_of_delivery_is_to_come_and_not_far() {
    let life = running(&tea());
    let (now, past, far) = (on("2027-04-10"), on("2027-04-09"), at("2027-06-01T00:00:00.001Z"));
    let asked_for = |day| deliver_on(&life.held, &tea(), day, now);
    for day in [past, now, far] {
        assert_eq!(asked_for(day), Err(Refused::DeliveryDay(day)));
    }
    assert!(asked_for(on("2027-06-01")).is_ok());
    // The first delivery after a trial: its end, and a period more.
    let trial = Start { trial: true, ..asked("UTC") };
    let mut life = Life::begin(&tea(), trial, taxes(&UNTAXED), on("2027-04-01"));
    let late = at("2027-05-15T00:00:00.001Z");
    assert_eq!(deliver_on(&life.held, &tea(), late, now), Err(Refused::DeliveryDay(late)));
    let decision = deliver_on(&life.held, &tea(), on("2027-05-15"), now).unwrap();
    life.decided(decision);
    assert_eq!((life.held.due_at(), life.held.status()), (Ok(Some(on("2027-05-15"))), "trialing"));
    life.renew(on("2027-05-15"));
    assert_eq!(life.sent, [Period { from: on("2027-05-15"), until: on("2027-06-15") }]);
}

#[test]
fn what_is_more_than_goods_is_not_given_longer_for_the_same_price() {
    let (now, day) = (on("2027-04-10"), on("2027-05-20"));
    for plan in [ten(), club(), without_proration(club())] {
        let trial = Start { trial: true, ..asked("UTC") };
        for start in [asked("UTC"), trial] {
            let life = Life::begin(&plan, start, taxes(&UNTAXED), on("2027-04-01"));
            assert_eq!(deliver_on(&life.held, &plan, day, now), Err(Refused::NoGoods));
        }
    }
    // Nor does a service that takes the place of goods last until the day that these were moved to.
    let mut life = running(&tea());
    let decision = deliver_on(&life.held, &tea(), on("2027-06-01"), now).unwrap();
    life.decided(decision);
    assert_eq!(life.change(&ten(), 1, now), "Changed: charge 10.00; due 10.00");
    assert_eq!(life.covered(), "2027-04-10T00:00:00 – 2027-05-10T00:00:00");
    life.cancel(When::PeriodEnd, now);
    assert_eq!(deliver_on(&life.held, &tea(), day, now), Err(Refused::EndsSoon));
}

#[test]
fn means_and_places_are_set_once_and_for_what_has_not_ended() {
    let mut life = running(&ten());
    let means = Means { gateway: id("books"), method: Method::Card, token: Some(id("tok_visa")) };
    let place = Place { country: id("FR"), region: None, postal: None };
    for again in [false, true] {
        let (by, to) =
            (set_means(&life.held, means.clone()), set_place(&life.held, (place.clone(), None, None)));
        assert_eq!((by == Ok(Decision::Already), to == Ok(Decision::Already)), (again, again));
        if let (Ok(Decision::New(by)), Ok(Decision::New(to))) = (by, to) {
            assert_eq!((by.change, to.change), (Change::PaymentMethodSet, Change::AddressSet));
            life.held = Subscription { place: to.next.place, ..by.next };
        }
    }
    life.cancel(When::Now(None), on("2027-04-02"));
    assert_eq!(set_means(&life.held, means), Err(Refused::Ended));
    assert_eq!(set_place(&life.held, (place, None, None)), Err(Refused::Ended));
}

#[test]
fn a_restriction_is_told_once_and_so_is_its_end() {
    let mut life = running(&ten());
    let (then, later) = (on("2027-04-11"), on("2027-04-12"));
    let restrict = |life: &mut Life, since| {
        let decision = life.held.restrict(since);
        life.decided(decision)
    };
    assert_eq!(restrict(&mut life, None), "already");
    assert_eq!(restrict(&mut life, Some(then)), "Restricted");
    assert_eq!(restrict(&mut life, Some(later)), "already");
    assert_eq!((life.held.restricted, life.held.gives(later)), (Some(then), false));
    assert_eq!(restrict(&mut life, None), "Restored");
    assert!(life.held.gives(later));
    life.cancel(When::Now(None), later);
    assert_eq!(restrict(&mut life, Some(later)), "already");
}
