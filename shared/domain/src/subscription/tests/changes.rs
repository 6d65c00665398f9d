//! Another plan, quantity or interval: what is credited and what is charged, to the cent.

use super::*;

#[test]
fn a13_1_from_10_to_20_in_the_middle_credits_5_and_charges_10() {
    let mut life = running(&ten());
    let told = life.change(&twenty(), 1, on("2027-04-16")); // 15 of 30 days
    assert_eq!(told, "Changed: credit -5.00, charge 10.00; due 5.00");
    assert_eq!(life.covered(), "2027-04-16T00:00:00 – 2027-05-01T00:00:00");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 20.00; due 20.00");
}

#[test]
fn a13_1_a_credit_stays_with_the_subscription_and_pays_what_comes_next() {
    let mut life = running(&twenty());
    let told = life.change(&ten(), 1, on("2027-04-16"));
    assert_eq!(told, "Changed: credit -10.00, charge 5.00; given 5.00");
    assert_eq!(life.documents[1].status(), "issued");
    assert_eq!(life.documents[1].corrected(), Some(life.documents[0].id.clone()));
    assert_eq!(life.documents[0].corrected(), None);
    assert_eq!((life.held.credit, life.documents[1].due()), (eur(5_00), Ok(eur(0))));
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; taken 5.00, due 5.00");
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 10.00; due 10.00");
}

#[test]
fn up_and_down_in_one_period_charges_each_plan_for_its_days() {
    let mut life = running(&ten());
    // After 10 of 30 days. 10.00 − 3.33 used; 20.00 − 6.67 gone by.
    assert_eq!(life.change(&twenty(), 1, on("2027-04-11")), "Changed: credit -6.67, charge 13.33; due 6.66");
    // After 20 of 30 days. 20.00 − 13.33; 10.00 − 6.67.
    assert_eq!(life.change(&ten(), 1, on("2027-04-21")), "Changed: credit -6.67, charge 3.33; given 3.34");
    let corrected = life.documents.iter().map(|document| document.corrects);
    assert_eq!(corrected.collect::<Vec<_>>(), [None, Some(1), Some(2)], "each names what charged the time");
    assert_eq!(life.covered(), "2027-04-21T00:00:00 – 2027-05-01T00:00:00");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; taken 3.34, due 6.66");
}

#[test]
fn from_a_year_to_a_month_the_credit_pays_months_until_it_is_used_up() {
    let year = every(1, Unit::Year, terms("pln_00000120", 12_000));
    let mut life = Life::begin(&year, asked("UTC"), taxes(&UNTAXED), on("2027-01-01"));
    // 181 of 365 days are used: 59.5068 → 59.51.
    let told = life.change(&ten(), 1, on("2027-07-01"));
    assert_eq!(told, "Changed: credit -60.49, charge 10.00; given 50.49");
    assert_eq!(life.covered(), "2027-07-01T00:00:00 – 2027-08-01T00:00:00");
    for month in ["08", "09", "10", "11", "12"] {
        let told = life.renew(on(&format!("2027-{month}-01")));
        assert_eq!(told, "Renewed: charge 10.00; taken 10.00, due 0.00");
        assert_eq!(life.documents.last().unwrap().status(), "paid", "nothing is left for a payment");
    }
    assert_eq!(life.renew(on("2028-01-01")), "Renewed: charge 10.00; taken 0.49, due 9.51");
    assert_eq!(life.renew(on("2028-02-01")), "Renewed: charge 10.00; due 10.00");
}

#[test]
fn from_a_month_to_a_year_a_period_of_its_own_begins_at_once() {
    let mut life = running(&ten());
    let year = every(1, Unit::Year, terms("pln_00000120", 12_000));
    let told = life.change(&year, 1, on("2027-04-16"));
    assert_eq!(told, "Changed: credit -5.00, charge 120.00; due 115.00");
    assert_eq!(life.covered(), "2027-04-16T00:00:00 – 2028-04-16T00:00:00");
    assert_eq!((life.held.number, life.renew(on("2028-04-15")).as_str()), (1, "not due"));
    assert_eq!(life.renew(on("2028-04-16")), "Renewed: charge 120.00; due 120.00");
}

#[test]
fn three_seats_then_five_then_two() {
    let seats = terms("pln_00000004", 4_00);
    let start = Start { quantity: 3, ..asked("UTC") };
    let mut life = Life::begin(&seats, start, taxes(&UNTAXED), on("2027-04-01"));
    // After 6 of 30 days: of 12.00 are 9.60 left, of 20.00 are 16.00.
    assert_eq!(life.change(&seats, 5, on("2027-04-07")), "Changed: credit -9.60, charge 16.00; due 6.40");
    // After 21 of 30 days: of 20.00 are 6.00 left, of 8.00 are 2.40.
    assert_eq!(life.change(&seats, 2, on("2027-04-22")), "Changed: credit -6.00, charge 2.40; given 3.60");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 8.00; taken 3.60, due 4.40");
}

#[test]
fn units_along_the_tiers_are_prorated_as_the_whole_that_they_cost() {
    let tiers =
        vec![Tier { up_to: Some(5), unit_price: eur(4_00) }, Tier { up_to: None, unit_price: eur(3_00) }];
    let tiered = Terms { included: 5, tiers, ..thirty() };
    let start = Start { quantity: 6, ..asked("UTC") };
    let mut life = Life::begin(&tiered, start, taxes(&UNTAXED), on("2027-04-01"));
    assert_eq!(written(&life.documents[0]), "charge 34.00; due 34.00"); // 30 + 4
    // 30 + 5 × 4 + 2 × 3 = 56.
    let told = life.change(&tiered, 12, on("2027-04-16"));
    assert_eq!(told, "Changed: credit -17.00, charge 28.00; due 11.00");
    let most = Terms { version: 2, tiers: Vec::new(), ..tiered };
    let refused = life.refused((&most, 6), When::Now(None), on("2027-04-17"));
    assert_eq!(refused, Refused::Priced(NotPriced::TooMany { asked: 6, most: 5 }));
}

#[test]
fn a_currency_with_other_decimals_is_divided_in_its_own() {
    let day = on("2027-04-11"); // 10 of 30 days
    for (code, less, more, told) in [
        ("JPY", 1000, 2000, "Changed: credit -667, charge 1333; due 666"),
        ("KWD", 10_000, 20_000, "Changed: credit -6.667, charge 13.333; due 6.666"),
    ] {
        let plan = |name, minor| priced(name, Money::new(minor, id(code)));
        let mut life = running(&plan("pln_00000001", less));
        assert_eq!(life.change(&plan("pln_00000002", more), 1, day), told);
    }
}

#[test]
fn a13_5_days_are_counted_where_the_customer_lives_across_daylight_saving() {
    // New York, March 2027: 31 days, one of 23 hours. 31.00 and 62.00 are 1.00 and 2.00 a day.
    let by = |proration, plan, price| Terms { proration, ..terms(plan, price) };
    let told = |proration, zone: &str, from: &str, now: &str| {
        let (less, more) = (by(proration, "pln_00000001", 31_00), by(proration, "pln_00000002", 62_00));
        let mut life = Life::begin(&less, asked(zone), taxes(&UNTAXED), at(from));
        life.change(&more, 1, at(now))
    };
    let (march, new_york) = ("2027-03-01T05:00:00Z", "America/New_York");
    for (now, want) in [
        ("2027-03-15T03:59:59Z", "Changed: credit -18.00, charge 36.00; due 18.00"), // still the 14th
        ("2027-03-15T04:00:00Z", "Changed: credit -17.00, charge 34.00; due 17.00"),
        ("2027-03-16T03:59:59Z", "Changed: credit -17.00, charge 34.00; due 17.00"),
        ("2027-04-01T03:59:59Z", "Changed: credit -1.00, charge 2.00; due 1.00"),
    ] {
        assert_eq!(told(Proration::Day, new_york, march, now), want, "{now}");
    }
    // The same by the second: 335 of 743 hours: 13.977 and 27.954 are used.
    let by_second = told(Proration::Second, new_york, march, "2027-03-15T04:00:00Z");
    assert_eq!(by_second, "Changed: credit -17.02, charge 34.05; due 17.03");
    // Berlin, October 2027: a day of 25 hours, the 31st. Its last half hour is a whole day still.
    let autumn = told(Proration::Day, "Europe/Berlin", "2027-09-30T22:00:00Z", "2027-10-31T22:30:00Z");
    assert_eq!(autumn, "Changed: credit -1.00, charge 2.00; due 1.00");
}

#[test]
fn by_day_the_day_of_the_change_is_the_new_plans_and_a_last_part_of_a_day_is_nobodys() {
    let by_day = |terms: Terms| Terms { proration: Proration::Day, ..terms };
    let (less, more) = (by_day(ten()), by_day(twenty()));
    let begun = at("2027-04-01T10:00:00Z");
    let life = || Life::begin(&less, asked("UTC"), taxes(&UNTAXED), begun);
    let told = life().change(&more, 1, at("2027-04-01T23:00:00Z"));
    assert_eq!(told, "Changed: credit -10.00, charge 20.00; due 10.00");
    // 30 of 30 days have begun.
    assert_eq!(life().change(&more, 1, at("2027-05-01T09:00:00Z")), "Changed");
}

#[test]
fn without_proration_what_is_new_costs_from_the_next_period_on() {
    let less = without_proration(ten());
    let mut life = running(&less);
    assert_eq!(life.change(&without_proration(twenty()), 1, on("2027-04-16")), "Changed");
    assert_eq!((life.held.plan.clone(), life.held.credit), (twenty().plan, eur(0)));
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 20.00; due 20.00");
    let year = every(1, Unit::Year, without_proration(terms("pln_00000120", 12_000)));
    let refused = life.refused((&year, 1), When::Now(None), on("2027-05-16"));
    assert_eq!(refused, Refused::NoProration);
    assert_eq!(life.change_at_end(&year, 1, on("2027-05-16")), "ChangeScheduled");
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 120.00; due 120.00");
}

#[test]
fn a13_3_what_is_not_prorated_is_paid_for_its_period_through_every_change() {
    let (first, second) = (without_proration(ten()), without_proration(twenty()));
    let mut life = running(&first);
    // Also the third plan, which would be prorated, costs nothing before the next period.
    for plan in [&second, &thirty(), &first] {
        assert_eq!(life.change(plan, 1, on("2027-04-16")), "Changed");
    }
    assert_eq!(life.cancel(When::Now(None), on("2027-04-17")), "Ended", "and nothing of it goes back");
    // From a prorated plan to one that is not: neither is anything given for the rest of the period.
    let mut life = running(&ten());
    assert_eq!(life.change(&second, 1, on("2027-04-16")), "Changed");
    assert_eq!(life.change(&thirty(), 1, on("2027-04-17")), "Changed");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 30.00; due 30.00");
    assert_eq!(
        life.change(&twenty(), 1, on("2027-05-16")),
        "Changed: credit -15.48, charge 10.32; given 5.16"
    );
}

#[test]
fn plans_back_and_forth_at_one_moment_cost_nothing() {
    // Half of 5.01 and of 10.01 are no whole cents.
    let (odd, more) = (terms("pln_00000501", 5_01), terms("pln_00001001", 10_01));
    for policy in [&UNTAXED, &INCLUDED, &ADDED] {
        for now in ["2027-04-01T00:00:00Z", "2027-04-16T00:00:00Z", "2027-04-29T17:23:11.017Z"] {
            let mut life = Life::begin(&odd, asked("UTC"), taxes(policy), on("2027-04-01"));
            let paid = life.documents[0].due().unwrap().minor;
            for (terms, quantity) in [(&more, 1), (&more, 3), (&odd, 2), (&odd, 1)] {
                life.change(terms, quantity, at(now));
            }
            let due = life.documents.iter().map(|one| one.due().unwrap().minor).sum::<i64>();
            assert_eq!(due - life.held.credit.minor, paid, "{now}");
        }
    }
}

#[test]
fn a13_4_no_more_is_credited_than_the_last_charge_less_what_was_credited_of_it() {
    let mut life = running(&thirty());
    // In the first moment all of it; by a clock that was set back no more than that.
    for early in [on("2027-04-01"), on("2027-03-20")] {
        let step = change(&life.held, (&ten(), 1), When::Now(None), &life.taxes, early).unwrap();
        let Decision::New(step) = step else { panic!("nothing changed") };
        assert_eq!(shown(&step), "Changed: credit -30.00, charge 10.00; given 20.00");
    }
    // 15 of 30 days, then the clock is set back by 10: what was charged on the 16th goes back, not more.
    assert_eq!(life.change(&ten(), 1, on("2027-04-16")), "Changed: credit -15.00, charge 5.00; given 10.00");
    assert_eq!(
        life.change(&twenty(), 1, on("2027-04-06")),
        "Changed: credit -5.00, charge 10.00; taken 5.00, due 0.00"
    );
    assert_eq!(life.covered(), "2027-04-16T00:00:00 – 2027-05-01T00:00:00");
    let last = at("2027-04-30T23:59:59.999999999Z");
    assert_eq!(life.change(&thirty(), 1, last), "Changed", "what is left of it is less than half a cent");
}

#[test]
fn a_change_is_reckoned_from_the_moment_of_its_preview() {
    let mut life = running(&ten());
    let (seen, now) = (on("2027-04-16"), at("2027-04-16T00:15:00Z"));
    let when = When::Now(Some(seen));
    let refused = |when, now| life.refused((&twenty(), 1), When::Now(Some(when)), now);
    let (late, ahead) = (at("2027-04-16T00:15:00.000000001Z"), at("2027-04-16T00:15:01Z"));
    assert_eq!(refused(seen, late), Refused::AsOf(seen), "too old");
    assert_eq!(refused(ahead, now), Refused::AsOf(ahead), "to come");
    let before = at("2027-03-31T23:59:59Z");
    assert_eq!(refused(before, at("2027-04-01T00:01:00Z")), Refused::AsOf(before), "before the period");
    assert_eq!(life.change_when((&twenty(), 1), when, now), "Changed: credit -5.00, charge 10.00; due 5.00");
    assert_eq!(life.documents[1].opened_at, now);
}

#[test]
fn what_it_is_already_changes_nothing_or_withdraws_what_waits() {
    let mut life = running(&ten());
    let now = on("2027-04-16");
    assert_eq!(life.change(&ten(), 1, now), "already");
    assert_eq!(life.change_at_end(&twenty(), 2, now), "ChangeScheduled");
    assert_eq!(life.change_at_end(&twenty(), 2, now), "already");
    assert_eq!(life.held.renews_as(), Target { plan: twenty().plan, version: 1, quantity: 2 });
    assert_eq!(life.change_at_end(&ten(), 1, now), "ChangeWithdrawn");
    assert_eq!(life.renew(on("2027-05-01")), "Renewed: charge 10.00; due 10.00");
    // What is done now leaves nothing for later.
    assert_eq!(life.change_at_end(&twenty(), 2, on("2027-05-02")), "ChangeScheduled");
    life.change(&ten(), 3, on("2027-05-02"));
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 30.00; due 30.00");
}

#[test]
fn a_change_at_the_end_of_the_period_may_bring_another_rhythm() {
    let year = every(1, Unit::Year, terms("pln_00000120", 12_000));
    let mut life = Life::begin(&ten(), asked("Europe/Berlin"), taxes(&UNTAXED), at("2027-01-30T23:00:00Z"));
    assert_eq!(life.change_at_end(&year, 2, on("2027-02-10")), "ChangeScheduled");
    assert_eq!(life.renew(on("2027-02-28")), "Renewed: charge 240.00; due 240.00");
    // Counted from where it began, which is the last of February and no 31st.
    assert_eq!(life.covered(), "2027-02-28T00:00:00 – 2028-02-28T00:00:00");
}

#[test]
fn what_cannot_be_changed_is_refused() {
    let (now, new) = (on("2027-04-16"), (&twenty(), 1));
    let life = running(&ten());
    let dollars = priced("pln_00000099", Money::new(10_00, id("USD")));
    let (has, wanted) = (id("EUR"), id("USD"));
    for when in [When::Now(None), When::PeriodEnd] {
        assert_eq!(life.refused((&dollars, 1), when, now), Refused::Currency { has, wanted });
        assert_eq!(life.refused(new, when, on("2027-05-01")), Refused::RenewalDue);
        assert_eq!(life.refused((&ten(), 0), when, now), Refused::Priced(NotPriced::Quantity(0)));
    }
    let step = start(asked("UTC"), &ten(), &life.taxes, now).unwrap();
    type Bring<'a> = &'a dyn Fn(&mut Life);
    let states: [(Bring<'_>, Refused); 4] = [
        (&|life| drop(life.pause(None, now)), Refused::Paused),
        (&|life| drop(life.cancel(When::Now(None), now)), Refused::Ended),
        (&|life| drop(life.cancel(When::PeriodEnd, now)), Refused::EndsSoon),
        (&|life| life.held = step.next.clone(), Refused::Incomplete),
    ];
    for (bring, refused) in states {
        let mut life = running(&ten());
        bring(&mut life);
        assert_eq!(life.refused(new, When::Now(None), now), refused);
        assert_eq!(life.refused(new, When::PeriodEnd, now), refused);
    }
}
