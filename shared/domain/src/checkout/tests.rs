use super::*;
use crate::order::tests::{at, eur, id};

/// A cart of 89.50 with everything that the gate requires.
fn ready() -> Gate {
    let given = Given {
        contact: true,
        ships: true,
        address: true,
        delivery: Delivery::Chosen,
        problems: vec![],
        lines: 3,
        covered: eur(89_50),
    };
    Gate { total: eur(89_50), given }
}

#[test]
fn a8_2_another_total_than_expected_is_refused_with_the_current_one() {
    assert_eq!(ready().pass(eur(89_50)), Ok(()));
    let refused = Refused::CartChanged { expected: eur(80_00), total: eur(89_50) };
    assert_eq!(ready().pass(eur(80_00)), Err(refused));
    let dollars = Money::new(89_50, id("USD"));
    assert!(matches!(ready().pass(dollars), Err(Refused::CartChanged { .. })));
}

#[test]
fn a8_3_only_an_open_cart_is_free_to_be_changed() {
    assert_eq!(Stage::Open.must_be_open(), Ok(()));
    assert_eq!(Stage::Locked { since: at(0) }.must_be_open(), Err(Refused::Locked));
    let order: OrderId = id("ord_00000001");
    let completed = Stage::Completed { order: order.clone(), since: at(0) };
    assert_eq!(completed.must_be_open(), Err(Refused::Completed(order)));
}

#[test]
fn the_gate_names_everything_that_is_missing_with_its_step() {
    let nothing = Given {
        contact: false,
        ships: true,
        address: false,
        delivery: Delivery::Missing,
        problems: vec![
            LineProblem { line: 1, problem: Problem::InsufficientStock { available: 2 } },
            LineProblem { line: 3, problem: Problem::Unavailable },
        ],
        lines: 3,
        covered: eur(30_00),
    };
    let gate = Gate { given: nothing, ..ready() };
    let missing = gate.unmet();
    let shown: Vec<_> = missing.iter().map(|one| (one.step(), serde_json::to_string(one).unwrap())).collect();
    let want = [
        (
            Step::Cart,
            concat!(
                r#"{"code":"lines_unavailable","lines":[{"line":1,"problem":"insufficient_stock","available":2},"#,
                r#"{"line":3,"problem":"unavailable"}]}"#,
            ),
        ),
        (Step::Contact, r#"{"code":"contact_missing"}"#),
        (Step::Address, r#"{"code":"address_missing"}"#),
        (Step::Delivery, r#"{"code":"delivery_missing"}"#),
        (Step::Payment, r#"{"code":"payment_missing","missing":"59.50","currency":"EUR"}"#),
    ];
    assert_eq!(shown, want.map(|(step, text)| (step, text.to_owned())));
    assert_eq!(gate.pass(eur(89_50)), Err(Refused::Incomplete(missing)));
}

#[test]
fn what_is_not_carried_needs_no_address_and_what_costs_nothing_no_payment() {
    let Gate { given, .. } = ready();
    let unmet = |total, given: &Given| Gate { total, given: given.clone() }.unmet();
    let service =
        Given { ships: false, address: false, delivery: Delivery::Missing, covered: eur(0), ..given.clone() };
    assert_eq!(unmet(eur(0), &service), []);
    let stale = Given { delivery: Delivery::Stale, ..given.clone() };
    assert_eq!(unmet(eur(89_50), &stale), [Unmet::DeliveryStale]);
    let empty = Given { lines: 0, ..given.clone() };
    assert_eq!(unmet(eur(0), &empty), [Unmet::CartEmpty]);
    let dollars = Given { covered: Money::new(100_000, id("USD")), ..given };
    assert!(
        matches!(&unmet(eur(89_50), &dollars)[..], [Unmet::PaymentMissing { missing, .. }] if missing == "89.50")
    );
}
