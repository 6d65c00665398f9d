//! Pauses: nothing is given, nothing is charged, and nothing is lost.

use super::*;

#[test]
fn a_pause_across_a_renewal_credits_the_rest_and_a_resume_charges_the_rest_and_the_bill_day_stays() {
    let mut life = running(&ten());
    assert_eq!(life.pause(None, on("2027-04-16")), "Paused: credit -5.00; given 5.00");
    assert_eq!((life.held.due_at(), life.held.gives(on("2027-04-16"))), (Ok(None), false));
    assert_eq!((life.held.status(), life.held.valid_until()), ("paused", None));
    assert_eq!(life.renew(on("2027-05-01")), "not due");
    // 10 of 31 days are gone by: 3.2258 → 3.23.
    assert_eq!(life.resume(on("2027-05-11")), "Resumed: charge 6.77; taken 5.00, due 1.77");
    assert_eq!(life.covered(), "2027-05-11T00:00:00 – 2027-06-01T00:00:00");
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 10.00; due 10.00");
    assert_eq!(life.covered(), "2027-06-01T00:00:00 – 2027-07-01T00:00:00");
}

#[test]
fn a_pause_within_a_period_costs_what_was_not_paused() {
    let mut life = running(&thirty());
    assert_eq!(life.pause(None, on("2027-04-11")), "Paused: credit -20.00; given 20.00");
    assert_eq!(life.resume(on("2027-04-21")), "Resumed: charge 10.00; taken 10.00, due 0.00");
    assert_eq!((life.held.number, life.held.credit), (0, eur(10_00)));
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 30.00; taken 10.00, due 20.00");
}

#[test]
fn a_pause_that_ends_at_once_costs_nothing() {
    let mut life = running(&terms("pln_00000501", 5_01));
    // Half of 5.01 is no whole cent.
    assert_eq!(life.pause(None, on("2027-04-16")), "Paused: credit -2.50; given 2.50");
    assert_eq!(life.resume(on("2027-04-16")), "Resumed: charge 2.50; taken 2.50, due 0.00");
}

#[test]
fn a_pause_until_a_day_ends_on_it_however_late_that_is_seen() {
    let mut life = running(&thirty());
    let until = on("2027-05-11");
    assert_eq!(life.pause(Some(until), on("2027-04-16")), "Paused: credit -15.00; given 15.00");
    assert_eq!(life.held.due_at(), Ok(Some(until)));
    assert_eq!(life.renew(at("2027-05-10T23:59:59Z")), "not due");
    // 21 of 31 days: 30.00 − 9.68.
    assert_eq!(life.renew(on("2027-06-20")), "Resumed: charge 20.32; taken 15.00, due 5.32");
    assert_eq!(life.covered(), "2027-05-11T00:00:00 – 2027-06-01T00:00:00");
    assert_eq!(life.renew(on("2027-06-20")), "Renewed: charge 30.00; due 30.00");
    assert_eq!(life.renew(on("2027-06-20")), "not due");
}

#[test]
fn a_pause_of_a_paused_one_moves_its_end_and_credits_nothing_again() {
    let mut life = running(&ten());
    let now = on("2027-04-16");
    life.pause(None, now);
    assert_eq!(life.pause(None, now), "already");
    let (may, june) = (on("2027-05-16"), on("2027-06-16"));
    for until in [may, june] {
        assert_eq!(life.pause(Some(until), now), "Paused");
        assert_eq!(life.held.stage, Stage::Paused { since: now, until: Some(until) });
        assert_eq!(life.pause(Some(until), now), "already");
    }
    assert_eq!(pause(&life.held, Some(now), None, now), Err(Refused::PauseEnd(now)));
    assert_eq!(life.pause(None, now), "Paused");
    assert_eq!(life.held.due_at(), Ok(None));
}

#[test]
fn a_resume_on_the_bill_day_is_a_whole_period_and_keeps_the_31st() {
    for (proration, credited) in
        [(Proration::Second, "Paused: credit -5.71; given 5.71"), (Proration::None, "Paused")]
    {
        let plan = Terms { proration, ..ten() };
        let mut life = Life::begin(&plan, asked("UTC"), taxes(&UNTAXED), on("2027-01-31"));
        // 12 of 28 days: 4.2857 → 4.29.
        assert_eq!(life.pause(Some(on("2027-02-28")), on("2027-02-12")), credited);
        life.renew(on("2027-02-28"));
        assert_eq!(life.covered(), "2027-02-28T00:00:00 – 2027-03-31T00:00:00");
        assert_eq!(life.documents.last().unwrap().total(), Ok(eur(10_00)));
    }
}

#[test]
fn without_proration_a_pause_gives_nothing_back_and_a_later_resume_begins_a_whole_period() {
    let plan = without_proration(ten());
    let mut life = running(&plan);
    assert_eq!(life.pause(None, on("2027-04-11")), "Paused");
    assert_eq!(life.resume(on("2027-04-21")), "Resumed", "the period is paid");
    assert_eq!(life.pause(None, on("2027-04-22")), "Paused");
    assert_eq!(life.resume(on("2027-06-16")), "Resumed: charge 10.00; due 10.00");
    assert_eq!(life.covered(), "2027-06-16T00:00:00 – 2027-07-16T00:00:00");
    assert_eq!(life.renew(on("2027-07-16")), "Renewed: charge 10.00; due 10.00");
}

#[test]
fn a13_3_what_is_not_prorated_is_not_charged_again_after_a_pause() {
    // Its plan changed to one that is prorated, within a period that is paid.
    let mut life = running(&without_proration(ten()));
    life.change(&twenty(), 1, on("2027-04-06"));
    assert_eq!(life.pause(None, on("2027-04-11")), "Paused");
    assert_eq!(life.resume(on("2027-04-21")), "Resumed");
    assert_eq!(life.pause(None, on("2027-04-22")), "Paused");
    assert_eq!(life.resume(on("2027-05-11")), "Resumed: charge 13.55; due 13.55"); // 20.00 − 6.45
}

#[test]
fn goods_are_sent_once_for_a_period_and_at_once_where_the_paused_one_is_over() {
    let mut life = running(&tea());
    life.pause(None, on("2027-04-11"));
    assert_eq!(life.resume(on("2027-04-21")), "Resumed");
    assert_eq!(life.sent.len(), 1, "that of April is on its way");
    life.pause(None, on("2027-04-22"));
    assert_eq!(life.resume(on("2027-05-11")), "Resumed");
    let second = life.sent[1];
    assert_eq!((life.sent.len(), second), (2, Period { from: on("2027-05-11"), until: on("2027-06-11") }));
    assert_eq!((life.held.number, life.renew(on("2027-06-11")).as_str()), (1, "Renewed"));
    assert_eq!(life.sent.len(), 3);
}

#[test]
fn a_pause_heeds_the_day_that_a_delivery_was_moved_to() {
    // The period of April ends on 20 May instead of the 1st; then on 20 April.
    for (moved, resumed, sent) in [
        ("2027-05-20", "2027-05-11", 1), // not over
        ("2027-05-20", "2027-05-21", 2),
        ("2027-04-20", "2027-04-25", 2), // over
        ("2027-04-20", "2027-04-19", 1),
    ] {
        let mut life = running(&tea());
        let decision = deliver_on(&life.held, &tea(), on(moved), on("2027-04-11")).unwrap();
        assert_eq!(life.decided(decision), "DeliveryMoved");
        life.pause(None, on("2027-04-12"));
        life.resume(on(resumed));
        let want = if sent == 1 { moved } else { &resumed.replace("-05-", "-06-").replace("-04-", "-05-") };
        assert_eq!((life.sent.len(), life.held.due_at()), (sent, Ok(Some(on(want)))), "{moved} {resumed}");
    }
}

#[test]
fn what_cannot_be_paused_or_resumed_is_refused() {
    let now = on("2027-04-16");
    let pause = |life: &Life, now| super::pause(&life.held, None, None, now).expect_err("refused");
    let mut life = running(&ten());
    assert_eq!(super::pause(&life.held, Some(now), None, now), Err(Refused::PauseEnd(now)));
    assert_eq!(
        super::pause(&life.held, None, Some(on("2027-04-15")), now),
        Err(Refused::AsOf(on("2027-04-15")))
    );
    assert_eq!(pause(&life, on("2027-05-01")), Refused::RenewalDue);
    assert_eq!(super::resume(&life.held, &ten(), &life.taxes, (now, now)), Err(Refused::NotPaused));
    life.change_at_end(&twenty(), 1, now);
    assert_eq!(pause(&life, now), Refused::ChangeWaits);
    life.cancel(When::PeriodEnd, now);
    assert_eq!(pause(&life, now), Refused::EndsSoon);
    life.cancel(When::Now(None), now);
    assert_eq!(pause(&life, now), Refused::Ended);
    assert_eq!(super::resume(&life.held, &ten(), &life.taxes, (now, now)), Err(Refused::Ended));
    let trial = Start { trial: true, ..asked("UTC") };
    let life = Life::begin(&ten(), trial, taxes(&UNTAXED), on("2027-04-10"));
    assert_eq!(pause(&life, now), Refused::Trialing);
}

#[test]
fn a_resume_that_is_told_before_its_pause_goes_on_where_it_was_paused() {
    let mut life = running(&ten());
    life.pause(None, on("2027-04-16"));
    assert_eq!(life.resume(on("2027-04-06")), "Resumed: charge 5.00; taken 5.00, due 0.00");
}
