//! Taxes of what is charged and credited, and documents that add up.

use super::*;
use crate::ledger::Account;
use crate::tax::Reason;
use crate::tax::id::TaxId;

/// From 10 to 20 in the middle: the same for every kind of tax.
fn upgraded(start: Start, taxes: Taxes<'static>) -> (String, Life) {
    let mut life = Life::begin(&ten(), start, taxes, on("2027-04-01"));
    let told = life.change(&twenty(), 1, on("2027-04-16"));
    (told, life)
}

#[test]
fn a13_6_subtotal_and_tax_are_the_total_with_tax_included_added_or_owed_by_the_customer() {
    // 5.00 × 19/119 = 0.798; 10.00 × 19/119 = 1.597.
    let (told, _) = upgraded(asked("UTC"), taxes(&INCLUDED));
    assert_eq!(told, "Changed: credit -4.20+-0.80, charge 8.40+1.60; due 5.00");
    let (told, _) = upgraded(asked("UTC"), taxes(&ADDED));
    assert_eq!(told, "Changed: credit -5.00+-0.95, charge 10.00+1.90; due 5.95");
    // A business pays the price without the tax that was in it.
    let tax_id = Some(TaxId::parse(id("DE"), "734470346").unwrap());
    let abroad = |policy| Taxes { seller: id("FR"), ..taxes(policy) };
    let (told, life) = upgraded(Start { tax_id: tax_id.clone(), ..asked("UTC") }, abroad(&INCLUDED));
    assert_eq!(told, "Changed: credit -4.20, charge 8.40; due 4.20");
    let lines = life.documents.iter().flat_map(|one| &one.lines);
    assert!(lines.clone().all(|line| line.reason == Reason::ReverseCharge && line.percent.is_zero()));
    let (told, _) = upgraded(Start { tax_id, ..asked("UTC") }, abroad(&ADDED));
    assert_eq!(told, "Changed: credit -5.00, charge 10.00; due 5.00");
    let (told, life) = upgraded(asked("UTC"), taxes(&UNTAXED));
    assert_eq!(told, "Changed: credit -5.00, charge 10.00; due 5.00");
    assert_eq!(life.documents[0].lines[0].reason, Reason::NotConfigured);
}

#[test]
fn a13_6_a_credit_note_gives_back_the_tax_of_what_it_gives_back() {
    for (policy, told, sums) in [
        (&INCLUDED, "Ended: credit -4.20+-0.80; given 5.00", (-4_20, -80, -5_00)),
        (&ADDED, "Ended: credit -5.00+-0.95; given 5.95", (-5_00, -95, -5_95)),
    ] {
        let mut life = Life::begin(&ten(), asked("UTC"), taxes(policy), on("2027-04-01"));
        assert_eq!(life.cancel(When::Now(None), on("2027-04-16")), told);
        let note = &life.documents[1];
        assert_eq!((note.kind, note.status()), (Kind::CreditNote, "issued"));
        let found = (note.subtotal().unwrap(), note.tax().unwrap(), note.total().unwrap());
        assert_eq!((found.0.minor, found.1.minor, found.2.minor), sums);
    }
}

#[test]
fn what_is_credited_bears_the_tax_of_its_charge_wherever_the_customer_has_moved() {
    let mut life = Life::begin(&ten(), asked("UTC"), taxes(&ADDED), on("2027-04-01"));
    let place = Place { country: id("FR"), region: None, postal: None };
    let decision = set_place(&life.held, (place, None, None)).unwrap();
    life.decided(decision);
    // Nobody has said what France takes.
    assert_eq!(
        life.change(&twenty(), 1, on("2027-04-16")),
        "Changed: credit -5.00+-0.95, charge 10.00; due 4.05"
    );
}

#[test]
fn the_rate_of_a_charge_is_that_of_its_first_day_where_the_customer_lives() {
    static RISING: LazyLock<Policy> = LazyLock::new(|| {
        let mut policy = germany(Prices::Added);
        let treatment = Treatment::Standard(rust_decimal::Decimal::from(20));
        policy.rates.push(Rate { from: id("2027-05-01"), treatment, ..policy.rates[0].clone() });
        policy
    });
    // Midnight in Berlin is two hours before that of UTC. The run is late.
    let mut life = Life::begin(&ten(), asked("Europe/Berlin"), taxes(&RISING), at("2027-02-28T23:00:00Z"));
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 10.00+1.90; due 11.90");
    assert_eq!(life.renew(on("2027-06-01")), "Renewed: charge 10.00+2.00; due 12.00");
    assert_eq!(life.covered(), "2027-05-01T00:00:00 – 2027-06-01T00:00:00");
}

#[test]
fn a_setup_fee_is_taxed_like_the_plan() {
    let plan = Terms { setup_fee: Some(eur(15_00)), ..ten() };
    let life = Life::begin(&plan, asked("UTC"), taxes(&INCLUDED), on("2027-04-01"));
    // 15.00 × 19/119 = 2.395.
    assert_eq!(written(&life.documents[0]), "setup 12.61+2.39, charge 8.40+1.60; due 25.00");
}

/// Account and amount, debits positive.
fn entries(posting: &crate::ledger::Posting) -> Vec<(Account, i64)> {
    posting.entries().map(|(account, amount)| (account.clone(), amount.minor)).collect()
}

#[test]
fn a12_6_a_document_is_posted_as_sale_tax_and_credit() {
    use Account::{BadDebts, Receivable, SubscriptionCredit, Subscriptions, TaxPayable};
    let mut life = Life::begin(&twenty(), asked("UTC"), taxes(&ADDED), on("2027-04-01"));
    life.change(&ten(), 1, on("2027-04-16")); // −10.00 − 1.90 + 5.00 + 0.95
    life.renew(on("2027-05-01"));
    let posted: Vec<_> = life.documents.iter().map(|one| entries(&one.posting().unwrap())).collect();
    assert_eq!(
        posted,
        [
            vec![(Receivable, 23_80), (Subscriptions, -20_00), (TaxPayable, -3_80)],
            vec![(SubscriptionCredit, -5_95), (Subscriptions, 5_00), (TaxPayable, 95)],
            vec![
                (Receivable, 5_95),
                (SubscriptionCredit, 5_95),
                (Subscriptions, -10_00),
                (TaxPayable, -1_90)
            ],
        ]
    );
    let (open, now) = (&life.documents[2], on("2027-05-09"));
    let (void, back) = open.voided(now).unwrap().unwrap();
    let opposite =
        vec![(Receivable, -5_95), (SubscriptionCredit, -5_95), (Subscriptions, 10_00), (TaxPayable, 1_90)];
    assert_eq!((entries(&back), void.status()), (opposite, "void"));
    let (lost, posting) = open.written_off(now).unwrap().unwrap();
    assert_eq!(entries(&posting), [(BadDebts, 5_95), (Receivable, -5_95)]);
    assert_eq!(lost.status(), "uncollectible");
    for over in [&void, &lost, &life.documents[1]] {
        assert_eq!((over.voided(now), over.written_off(now)), (Ok(None), Ok(None)), "only what is open");
    }
}

#[test]
fn numbers_of_a_series_have_no_gap_and_a_year_of_their_own() {
    use crate::invoice::{Number, Series};
    let invoices = |numbers: &[u32]| -> Vec<InvoiceId> {
        numbers.iter().map(|number| id(&format!("inv_00000001{number:06}"))).collect()
    };
    let given = |series: &Series| -> Vec<String> {
        series.given().map(|(invoice, number)| format!("{invoice} {number}")).collect()
    };
    let new = Series::new(id("marketplace"), 2027);
    assert_eq!(given(&new), [""; 0]);
    let two = new.give(invoices(&[7, 3]));
    assert_eq!(given(&two), ["inv_00000001000007 2027-000001", "inv_00000001000003 2027-000002"]);
    let third = two.give(invoices(&[9]));
    assert_eq!(given(&third), ["inv_00000001000009 2027-000003"]);
    let many = Series { last: 999_999, ..third }.give(invoices(&[1]));
    assert_eq!(given(&many), ["inv_00000001000001 2027-1000000"]);
    for number in ["2027-000001", "2027-1000000"] {
        assert_eq!(number.parse::<Number>().unwrap().to_string(), number);
    }
    for wrong in ["", "2027", "2027-1", "2027-0000001", "2027-+00001", "-2027-000001x", "+2027-000001"] {
        assert!(wrong.parse::<Number>().is_err(), "{wrong}");
    }
}
