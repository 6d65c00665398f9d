use super::*;
use crate::gateway::{Decline, Outcome};
use crate::order::tests::{eur, id};
use crate::payment::settle;
use crate::tax::{OwedBy, Prices};

fn on(day: &str) -> Timestamp {
    format!("{day}T00:00:00Z").parse().unwrap()
}

/// Of 20.00 with 19 % on top, of which credit pays 3.80.
fn invoice() -> Invoice {
    let percent = Decimal::from(19);
    let (prices, reason, owed_by) = (Prices::Added, Reason::Standard, OwedBy::Marketplace);
    let levy = Levy { prices, percent, reason, owed_by };
    let period = Period { from: on("2027-04-01"), until: on("2027-05-01") };
    let line = Line::of(What::Charge, (&id("pln_00000001"), 2), period, eur(20_00), &levy).unwrap();
    Invoice {
        id: id("inv_00000001000002"),
        subscription: id("sub_00000001"),
        customer: id("cus_00000001"),
        kind: Kind::Invoice,
        cause: Cause::Renewal,
        period,
        lines: vec![line],
        credit: eur(3_80),
        opened_at: on("2027-04-01"),
        bill_to: None,
        corrects: None,
        number: None,
        stage: Stage::Open,
    }
}

fn charged(invoice: &Invoice) -> Payment {
    let means =
        Means { gateway: id("sandbox"), method: crate::gateway::Method::Card, token: Some(id("tok_visa")) };
    invoice.charge(&means, (1, true), on("2027-04-01")).unwrap()
}

fn told(payment: &Payment, outcome: Outcome) -> Payment {
    match settle(payment, 1, outcome, None, on("2027-04-01")).unwrap() {
        Decision::New(fact) => payment.clone().apply(&fact),
        Decision::Already => payment.clone(),
    }
}

fn captured(minor: i64) -> Outcome {
    Outcome::Captured { reference: id("ref-1"), amount: eur(minor) }
}

#[test]
fn a13_6_subtotal_and_tax_are_the_total_and_credit_is_no_part_of_it() {
    let invoice = invoice();
    let sums = [invoice.subtotal(), invoice.tax(), invoice.total(), invoice.due()];
    assert_eq!(sums.map(|sum| sum.unwrap().minor), [20_00, 3_80, 23_80, 20_00]);
}

#[test]
fn a_payment_of_what_is_due_pays_it_once() {
    let invoice = invoice();
    let payment = charged(&invoice);
    assert_eq!((payment.amount, payment.invoice.as_ref()), (eur(20_00), Some(&invoice.id)));
    assert!(payment.off_session && payment.finalized);
    let now = on("2027-04-02");
    assert_eq!(invoice.paid_by(&payment, now), Ok(None), "nothing is known yet");
    let declined = Outcome::Declined { decline: Decline::of(id("insufficient_funds")) };
    for outcome in [Outcome::Unknown, declined, captured(19_99)] {
        assert_eq!(invoice.paid_by(&told(&payment, outcome.clone()), now), Ok(None), "{outcome:?}");
    }
    let paid = invoice.paid_by(&told(&payment, captured(20_00)), now).unwrap().unwrap();
    assert_eq!((paid.status(), &paid.stage), ("paid", &Stage::Paid { since: now }));
    assert_eq!(paid.paid_by(&told(&payment, captured(20_00)), now), Ok(None), "twice is no news");
    for over in [invoice.voided(now).unwrap().unwrap().0, invoice.written_off(now).unwrap().unwrap().0] {
        assert_eq!(over.paid_by(&told(&payment, captured(20_00)), now), Ok(None), "{}", over.status());
    }
}

#[test]
fn nothing_is_charged_where_credit_has_paid_it_all() {
    let invoice = Invoice { credit: eur(23_80), ..invoice() };
    let means = Means { gateway: id("sandbox"), method: crate::gateway::Method::Card, token: None };
    let refused = invoice.charge(&means, (1, true), on("2027-04-01"));
    assert_eq!(refused, Err(payment::Refused::NoAmount));
}
