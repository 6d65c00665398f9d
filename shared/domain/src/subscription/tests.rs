use super::*;
use crate::invoice::{Invoice, What};
use crate::order::tests::{eur, id};
use crate::period::{Interval, Proration};
use crate::plan::{Gives, Terms, Tier};
use crate::tax::Policy;
use crate::tax::table::Rules;

/// Ten a month, 20, or by the seat; without tax.
pub(crate) fn terms(plan: &str, price: i64) -> Terms {
    Terms {
        plan: id(plan),
        version: 1,
        published_at: Timestamp::UNIX_EPOCH,
        interval: Interval::MONTH,
        price: eur(price),
        included: 1,
        tiers: vec![Tier { up_to: None, unit_price: eur(price) }],
        trial_days: 14,
        setup_fee: None,
        proration: Proration::Second,
        category: None,
        gives: Gives { features: vec![id("seats")], ..Gives::default() },
        dunning: crate::dunning::Policy::default(),
    }
}

fn untaxed() -> Policy {
    Rules::first().with([])
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// Begun on 1 April 2027 at midnight UTC, paid.
fn running(terms: &Terms) -> Subscription {
    let start = Start {
        id: id("sub_00000001"),
        customer: id("cus_00000001"),
        quantity: 1,
        zone: "UTC".parse().unwrap(),
        place: Place { country: id("DE"), region: None, postal: None },
        tax_id: None,
        bill_to: None,
        means: Means { gateway: id("sandbox"), method: Method::Card, token: Some(id("tok_approved")) },
        trial: false,
    };
    let policy = untaxed();
    let taxes = Taxes { policy: &policy, seller: id("DE") };
    let step = super::start(start, terms, &taxes, at("2027-04-01T00:00:00Z")).unwrap();
    assert_eq!(step.document.unwrap().total(), Ok(terms.price));
    match activate(&step.next) {
        crate::Decision::New(step) => step.next,
        crate::Decision::Already => step.next,
    }
}

fn lines(document: &Option<Invoice>) -> Vec<(What, Money)> {
    document.iter().flat_map(|one| &one.lines).map(|line| (line.what, line.total().unwrap())).collect()
}

#[test]
fn a13_1_from_10_to_20_in_the_middle_credits_5_and_charges_10() {
    let (ten, twenty) = (terms("pln_00000001", 10_00), terms("pln_00000002", 20_00));
    let policy = untaxed();
    let taxes = Taxes { policy: &policy, seller: id("DE") };
    let now = at("2027-04-16T00:00:00Z");
    let crate::Decision::New(step) =
        change(&running(&ten), (&twenty, 1), When::Now(None), &taxes, now).unwrap()
    else {
        panic!("nothing changed")
    };
    assert_eq!(lines(&step.document), [(What::Credit, eur(-5_00)), (What::Charge, eur(10_00))]);
    assert_eq!(step.document.unwrap().due(), Ok(eur(5_00)));
}
