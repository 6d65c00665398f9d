//! Goods: ordered once for each period, tried again where that fails, with an end.

use super::*;
use crate::gateway::Class;

/// Its first delivery is ordered; the second is due and on its way.
fn renewing(terms: &Terms) -> Life {
    let mut life = running(terms);
    assert_eq!(ordering(&mut life, on("2027-05-01")), Change::Renewed);
    life
}

/// Time brings goods to be ordered, and nobody has done so yet.
fn ordering(life: &mut Life, now: Timestamp) -> Change {
    let Ok(Renewal::Due(step)) = renew(&life.held, &life.own_terms(), &life.taxes, now) else {
        panic!("it is due")
    };
    assert_eq!(step.goods, Some(Period { from: on("2027-05-01"), until: on("2027-06-01") }));
    life.held = step.next;
    step.change
}

fn failed(life: &mut Life, why: NotSent, now: Timestamp) -> String {
    let decision = not_sent(&life.held, life.held.number, why, &tea().dunning, now);
    life.decided(decision)
}

fn retry_at(life: &Life) -> Option<Timestamp> {
    life.held.sending.as_ref()?.retry_at
}

/// When it was tried last.
fn last(life: &Life) -> Timestamp {
    let days = [on("2027-05-01"), on("2027-05-02"), on("2027-05-04"), on("2027-05-08")];
    days[usize::from(life.held.sending.as_ref().map_or(0, |sending| sending.tries)).min(3)]
}

#[test]
fn a_subscription_begins_when_its_first_goods_are_ordered() {
    let step = start(asked("UTC"), &tea(), &taxes(&UNTAXED), on("2027-04-01")).unwrap();
    assert_eq!(step.next.status(), "incomplete");
    assert!(!step.next.gives(on("2027-04-01")));
    assert_eq!(activate(&step.next), Decision::Already, "no invoice begins it");
    let Decision::New(begun) = sent(&step.next, 0) else { panic!("it begins") };
    assert_eq!((begun.next.status(), begun.change), ("active", Change::Activated));
    assert_eq!(sent(&begun.next, 0), Decision::Already);
    let soft = NotSent::Declined(Class::Soft);
    let Decision::New(never) = not_sent(&step.next, 0, soft, &tea().dunning, on("2027-04-01")) else {
        panic!("it ends")
    };
    assert_eq!(never.next.stage, Stage::Ended { since: on("2027-04-01"), why: Ended::NeverPaid });
}

#[test]
fn goods_beside_a_service_wait_for_the_first_invoice() {
    let step = start(asked("UTC"), &club(), &taxes(&UNTAXED), on("2027-04-01")).unwrap();
    assert_eq!((step.goods, step.next.status()), (None, "incomplete"));
    let Decision::New(begun) = activate(&step.next) else { panic!("it begins") };
    assert_eq!(begun.goods, Some(Period { from: on("2027-04-01"), until: on("2027-05-01") }));
}

#[test]
fn a13_3_nothing_renews_or_changes_while_goods_are_on_their_way() {
    let mut life = renewing(&tea());
    let now = on("2027-07-01");
    assert_eq!(renew(&life.held, &tea(), &life.taxes, now), Ok(Renewal::NotDue));
    assert_eq!(skip(&life.held, &tea(), on("2027-05-02")), Err(Refused::Sending));
    assert_eq!(pause(&life.held, None, None, on("2027-05-02")), Err(Refused::Sending));
    assert_eq!(sent(&life.held, 0), Decision::Already, "an old message");
    let decision = sent(&life.held, 1);
    assert_eq!(life.decided(decision), "Sent");
    assert_eq!(life.renew(now), "Renewed", "what was held back is made up for");
}

#[test]
fn goods_that_cannot_be_had_are_tried_on_the_days_of_the_policy_and_then_left_out() {
    let mut life = renewing(&tea());
    for day in ["2027-05-02", "2027-05-04", "2027-05-08"] {
        let now = last(&life);
        assert_eq!(failed(&mut life, NotSent::Unavailable, now), "SendingFailed");
        assert_eq!(retry_at(&life), Some(on(day)));
        assert_eq!(failed(&mut life, NotSent::Unavailable, on(day)), "already", "told twice");
        assert_eq!(ordering(&mut life, on(day)), Change::SendingRetried);
    }
    assert_eq!(failed(&mut life, NotSent::Unavailable, on("2027-05-08")), "NotSent");
    assert_eq!((life.held.status(), life.held.due_at()), ("active", Ok(Some(on("2027-06-01")))));
}

#[test]
fn goods_that_are_not_paid_end_the_subscription_with_the_last_day_of_the_policy() {
    let soft = NotSent::Declined(Class::Soft);
    let mut life = renewing(&tea());
    for day in ["2027-05-02", "2027-05-04", "2027-05-08", "2027-05-22"] {
        let now = last(&life);
        assert_eq!(failed(&mut life, soft, now), "SendingFailed");
        assert_eq!(retry_at(&life), Some(on(day)));
        assert_eq!(ordering(&mut life, on(day)), Change::SendingRetried);
    }
    assert_eq!(failed(&mut life, soft, on("2027-05-22")), "Ended");
    assert_eq!(life.held.stage, Stage::Ended { since: on("2027-05-22"), why: Ended::Unpaid });
}

#[test]
fn another_means_of_payment_is_tried_at_once() {
    let mut life = renewing(&tea());
    assert_eq!(failed(&mut life, NotSent::Declined(Class::Hard), on("2027-05-01")), "SendingFailed");
    assert_eq!(retry_at(&life), Some(on("2027-05-22")), "asked for until the end");
    let means = Means { token: Some(id("tok_other")), ..life.held.means.clone() };
    let Ok(Decision::New(step)) = set_means(&life.held, means) else { panic!("another card") };
    assert_eq!((step.change, step.goods.is_some()), (Change::PaymentMethodSet, true));
    assert_eq!(step.next.sending.map(|sending| (sending.retry_at, sending.tries)), Some((None, 1)));
}

#[test]
fn a_try_that_is_due_takes_nothing_away_from_who_leaves_with_the_period() {
    let mut life = renewing(&club());
    assert_eq!(failed(&mut life, NotSent::Unavailable, on("2027-05-01")), "SendingFailed");
    life.cancel(When::PeriodEnd, on("2027-05-01"));
    assert_eq!(life.held.due_at(), Ok(Some(on("2027-05-02"))));
    assert!(life.held.gives(on("2027-05-03")));
    assert!(!life.held.gives(on("2027-06-01")));
}

#[test]
fn who_cancels_gets_no_goods_that_are_not_ordered_yet() {
    let mut life = renewing(&tea());
    failed(&mut life, NotSent::Unavailable, on("2027-05-01"));
    assert_eq!(life.cancel(When::Now(None), on("2027-05-02")), "Ended");
    assert_eq!((life.held.sending.clone(), sent(&life.held, 1)), (None, Decision::Already));
}

/// It waits for another card until after the period's end, which its customer leaves with.
fn leaving() -> Life {
    let mut life = renewing(&tea());
    declined(&mut life, on("2027-05-01"));
    assert_eq!(life.cancel(When::PeriodEnd, on("2027-05-02")), "CancellationScheduled");
    life
}

/// For good, and asked for during 60 days.
fn declined(life: &mut Life, now: Timestamp) {
    let policy = crate::dunning::Policy { cancel_after_days: 60, ..tea().dunning };
    let decision = not_sent(&life.held, 1, NotSent::Declined(Class::Hard), &policy, now);
    assert_eq!(life.decided(decision), "SendingFailed");
    assert_eq!(retry_at(life), Some(on("2027-06-30")));
}

#[test]
fn who_leaves_with_the_period_is_sent_and_charged_nothing_after_it() {
    for late in [on("2027-06-01"), on("2027-07-02")] {
        let mut life = leaving();
        assert_eq!(life.held.due_at(), Ok(Some(on("2027-06-01"))));
        assert_eq!(life.renew(at("2027-05-31T23:59:59Z")), "not due");
        assert_eq!(life.renew(late), "Ended");
        assert_eq!(life.held.stage, Stage::Ended { since: on("2027-06-01"), why: Ended::Canceled });
        assert_eq!((life.held.sending.clone(), life.sent.len()), (None, 1));
    }
}

#[test]
fn a_try_that_is_under_way_at_the_end_of_the_period_is_told_before_it_ends() {
    for paid in [true, false] {
        let mut life = leaving();
        let means = Means { token: Some(id("tok_other")), ..life.held.means.clone() };
        let Ok(Decision::New(step)) = set_means(&life.held, means) else { panic!("another card") };
        life.held = step.next;
        assert_eq!(life.renew(on("2027-06-01")), "not due");
        if paid {
            let decision = sent(&life.held, 1);
            assert_eq!(life.decided(decision), "Sent");
        } else {
            declined(&mut life, on("2027-06-01"));
        }
        assert_eq!(life.held.due_at(), Ok(Some(on("2027-06-01"))));
        assert_eq!(life.renew(on("2027-06-01")), "Ended");
        assert_eq!(life.held.stage, Stage::Ended { since: on("2027-06-01"), why: Ended::Canceled });
    }
}
