//! How it begins, and what each period covers.

use super::*;

/// Begun and renewed through so many periods: what each invoice covers, days alone.
fn days(terms: &Terms, begun: &str, many: usize) -> Vec<String> {
    let mut life = Life::begin(terms, asked("Europe/Berlin"), taxes(&UNTAXED), at(begun));
    while life.documents.len() < many {
        let (due, number) = (life.held.due_at().unwrap().unwrap(), life.held.number);
        assert_eq!(life.renew(due), "Renewed: charge 10.00; due 10.00");
        assert_eq!((life.held.number, life.renew(due).as_str()), (number + 1, "not due"));
    }
    let day = |wall: &str| wall[2..10].to_owned();
    let covers = life.documents.iter().map(|one| life.covers(one));
    covers.map(|text| text.split(" – ").map(day).collect::<Vec<_>>().join("/")).collect()
}

#[test]
fn a13_2_from_the_31st_of_january_each_invoice_covers_up_to_the_last_of_the_month() {
    let covers = days(&ten(), "2027-01-30T23:00:00Z", 24);
    assert_eq!(
        covers.join(" "),
        "27-01-31/27-02-28 27-02-28/27-03-31 27-03-31/27-04-30 27-04-30/27-05-31 27-05-31/27-06-30 \
         27-06-30/27-07-31 27-07-31/27-08-31 27-08-31/27-09-30 27-09-30/27-10-31 27-10-31/27-11-30 \
         27-11-30/27-12-31 27-12-31/28-01-31 28-01-31/28-02-29 28-02-29/28-03-31 28-03-31/28-04-30 \
         28-04-30/28-05-31 28-05-31/28-06-30 28-06-30/28-07-31 28-07-31/28-08-31 28-08-31/28-09-30 \
         28-09-30/28-10-31 28-10-31/28-11-30 28-11-30/28-12-31 28-12-31/29-01-31"
    );
}

#[test]
fn a13_2_years_from_a_leap_day_end_on_the_28th_until_there_is_a_29th_again() {
    let covers = days(&every(1, Unit::Year, ten()), "2028-02-28T23:00:00Z", 5);
    assert_eq!(
        covers.join(" "),
        "28-02-29/29-02-28 29-02-28/30-02-28 30-02-28/31-02-28 31-02-28/32-02-29 32-02-29/33-02-28"
    );
}

#[test]
fn weeks_and_quarters_are_counted_from_where_it_began() {
    let covers = days(&every(2, Unit::Week, ten()), "2027-03-20T23:00:00Z", 3);
    assert_eq!(covers.join(" "), "27-03-21/27-04-04 27-04-04/27-04-18 27-04-18/27-05-02");
    let covers = days(&every(1, Unit::Quarter, ten()), "2026-11-29T23:00:00Z", 4);
    assert_eq!(covers.join(" "), "26-11-30/27-02-28 27-02-28/27-05-30 27-05-30/27-08-30 27-08-30/27-11-30");
}

#[test]
fn a_trial_may_end_in_the_night_when_the_clocks_change() {
    // 14 days after a 02:30 in Berlin. On 28 March 2027 there is none: 03:30. On 31 October there are two: the first.
    for (begun, ends, then) in [
        ("2027-03-14T01:30:00Z", "2027-03-28T01:30:00Z", "2027-03-28T03:30:00 – 2027-04-28T02:30:00"),
        ("2027-10-17T00:30:00Z", "2027-10-31T00:30:00Z", "2027-10-31T02:30:00 – 2027-11-30T02:30:00"),
    ] {
        let trial = Start { trial: true, ..asked("Europe/Berlin") };
        let mut life = Life::begin(&ten(), trial, taxes(&UNTAXED), at(begun));
        assert_eq!((life.held.status(), life.documents.len()), ("trialing", 0));
        assert_eq!(life.held.due_at(), Ok(Some(at(ends))));
        assert_eq!(life.renew(at(ends).checked_sub(SignedDuration::from_nanos(1)).unwrap()), "not due");
        assert_eq!(life.renew(at(ends)), "Renewed: charge 10.00; due 10.00");
        assert_eq!(life.covered(), then);
        assert_eq!(life.documents[0].lines[0].period.from, at(ends));
    }
}

#[test]
fn what_begins_in_the_hour_that_comes_twice_begins_when_it_does() {
    // 02:30 in Berlin for the second time, on 31 October 2027.
    let (second, november) = (at("2027-10-31T01:30:00Z"), at("2027-11-30T01:30:00Z"));
    let life = Life::begin(&ten(), asked("Europe/Berlin"), taxes(&UNTAXED), second);
    assert_eq!(life.held.period(), Ok(Period { from: second, until: november }));
    // So does a period of another interval, and one that a delivery was moved to.
    let week = every(1, Unit::Week, terms("pln_00000007", 7_00));
    let mut life = Life::begin(&ten(), asked("Europe/Berlin"), taxes(&UNTAXED), on("2027-10-10"));
    life.change(&week, 1, second);
    assert_eq!(life.held.period(), Ok(Period { from: second, until: at("2027-11-07T01:30:00Z") }));
    let mut life = Life::begin(&tea(), asked("Europe/Berlin"), taxes(&UNTAXED), on("2027-10-10"));
    let decision = deliver_on(&life.held, &tea(), second, on("2027-10-11")).unwrap();
    life.decided(decision);
    life.renew(second);
    assert_eq!(life.held.period(), Ok(Period { from: second, until: november }));
    let stored = serde_json::to_value(&life.held).unwrap();
    assert_eq!(serde_json::from_value::<Subscription>(stored).unwrap(), life.held);
}

#[test]
fn a_setup_fee_comes_with_the_first_charge_once() {
    let plan = Terms { setup_fee: Some(eur(15_00)), ..ten() };
    let mut life = running(&plan);
    assert_eq!(written(&life.documents[0]), "setup 15.00, charge 10.00; due 25.00");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; due 10.00");
    // After a trial, and not in it; whatever it has become in the trial.
    let trial = Start { trial: true, ..asked("UTC") };
    let mut life = Life::begin(&ten(), trial, taxes(&UNTAXED), on("2027-04-01"));
    assert_eq!(life.change(&Terms { version: 2, ..plan }, 3, on("2027-04-10")), "Changed");
    assert_eq!(life.renew(on("2027-04-15")), "Renewed: setup 15.00, charge 30.00; due 45.00");
    assert_eq!(life.covered(), "2027-04-15T00:00:00 – 2027-05-15T00:00:00");
    assert_eq!(life.renew(on("2027-05-15")), "Renewed: charge 30.00; due 30.00");
}

#[test]
fn a_trial_changes_and_ends_without_a_charge() {
    let trial = || Start { trial: true, ..asked("UTC") };
    let begin = || Life::begin(&ten(), trial(), taxes(&UNTAXED), on("2027-04-01"));
    let year = every(1, Unit::Year, terms("pln_00000120", 12_000));
    let mut life = begin();
    assert_eq!(life.change(&year, 1, on("2027-04-10")), "Changed");
    assert_eq!(life.held.due_at(), Ok(Some(on("2027-04-15"))));
    assert_eq!(life.renew(on("2027-04-15")), "Renewed: charge 120.00; due 120.00");
    assert_eq!(life.covered(), "2027-04-15T00:00:00 – 2028-04-15T00:00:00");
    let mut life = begin();
    assert_eq!(life.change_at_end(&year, 1, on("2027-04-10")), "ChangeScheduled");
    assert_eq!(life.renew(on("2027-04-15")), "Renewed: charge 120.00; due 120.00");
    let mut life = begin();
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-04-10")), "CancellationScheduled");
    assert!(life.held.gives(at("2027-04-14T23:59:59Z")) && !life.held.gives(on("2027-04-15")));
    assert_eq!(life.renew(on("2027-04-15")), "Ended");
    assert!(life.documents.is_empty());
    let none = Terms { trial_days: 0, ..ten() };
    let life = Life::begin(&none, trial(), taxes(&UNTAXED), on("2027-04-01"));
    assert_eq!((life.held.status(), life.documents.len()), ("active", 1));
}

#[test]
fn a_first_payment_that_does_not_come_within_a_day_leaves_no_subscription() {
    let begun = on("2027-04-01");
    let step = start(asked("UTC"), &ten(), &taxes(&UNTAXED), begun).unwrap();
    assert_eq!(
        (shown(&step).as_str(), step.next.status()),
        ("Started: charge 10.00; due 10.00", "incomplete")
    );
    assert!(!step.next.gives(begun) && step.next.valid_until().is_none());
    assert_eq!(step.next.last_document(), Some(InvoiceId::of(&step.next.id, 1)));
    let renewed = |now| renew(&step.next, &ten(), &taxes(&UNTAXED), now).unwrap();
    assert_eq!(renewed(at("2027-04-01T23:59:59Z")), Renewal::NotDue);
    let Renewal::Due(over) = renewed(on("2027-04-02")) else { panic!("it is over") };
    assert_eq!(over.next.stage, Stage::Ended { since: on("2027-04-02"), why: Ended::NeverPaid });
    assert_eq!((activate(&over.next), over.document), (Decision::Already, None));
    // What costs nothing has no first payment.
    let free = start(asked("UTC"), &terms("pln_00000000", 0), &taxes(&UNTAXED), begun).unwrap();
    assert_eq!((shown(&free).as_str(), free.next.status()), ("Started", "active"));
    assert_eq!(free.next.last_document(), None);
}

#[test]
fn a_late_run_makes_one_invoice_for_each_period_missed() {
    let mut life = running(&ten());
    let now = on("2027-07-10");
    let mut told = Vec::new();
    while life.held.due_at().unwrap().unwrap() <= now {
        told.push(life.renew(now));
        told.push(life.covered());
    }
    let renewed = "Renewed: charge 10.00; due 10.00";
    let covers = [
        "2027-05-01T00:00:00 – 2027-06-01T00:00:00",
        "2027-06-01T00:00:00 – 2027-07-01T00:00:00",
        "2027-07-01T00:00:00 – 2027-08-01T00:00:00",
    ];
    assert_eq!(told, [renewed, covers[0], renewed, covers[1], renewed, covers[2]]);
    assert!(life.documents.iter().skip(1).all(|one| one.opened_at == now));
}

#[test]
fn a13_3_a_clock_that_jumps_back_renews_nothing_twice() {
    let mut life = running(&ten());
    life.renew(on("2027-05-01"));
    for now in [on("2027-05-01"), at("2027-04-30T23:59:59Z"), on("2027-04-01"), on("1970-01-01")] {
        assert_eq!(life.renew(now), "not due", "{now}");
    }
    assert_eq!((life.documents.len(), life.held.number), (2, 1));
}

#[test]
fn a_renewal_that_is_late_takes_nothing_away() {
    let life = running(&ten());
    assert!(life.held.gives(on("2027-05-03")));
    assert_eq!(life.held.valid_until(), Some(on("2027-05-01")));
}

#[test]
fn a_period_ends_before_time_does() {
    let year = every(3, Unit::Year, ten());
    let late = start(asked("UTC"), &year, &taxes(&UNTAXED), at("9998-01-01T00:00:00Z"));
    assert_eq!(late, Err(Refused::OutOfTime(OutOfTime)));
}

#[test]
fn documents_are_numbered_within_the_subscription_and_are_a_million_at_most() {
    let mut life = running(&ten());
    life.change(&ten(), 2, on("2027-04-16"));
    life.renew(on("2027-05-01"));
    let ids: Vec<String> = life.documents.iter().map(|one| one.id.to_string()).collect();
    assert_eq!(ids, ["inv_00000001000001", "inv_00000001000002", "inv_00000001000003"]);
    life.held.documents = DOCUMENTS_MAX;
    let refused = renew(&life.held, &ten(), &life.taxes, on("2027-06-01"));
    assert_eq!(refused, Err(Refused::DocumentCount));
}

#[test]
fn what_it_brings_in_a_month_is_a_twelfth_of_a_year() {
    for (count, unit, want) in [
        (1, Unit::Month, 12_00),
        (1, Unit::Year, 1_00),
        (1, Unit::Quarter, 4_00),
        (1, Unit::Week, 52_00),
        (2, Unit::Week, 26_00),
        (2, Unit::Year, 50),
    ] {
        let plan = every(count, unit, terms("pln_00000001", 12_00));
        let mut life = running(&plan);
        assert_eq!(life.held.monthly(&plan), Ok(eur(want)), "{count} {unit:?}");
        life.pause(None, on("2027-04-02"));
        assert_eq!(life.held.monthly(&plan), Ok(eur(0)));
    }
}
