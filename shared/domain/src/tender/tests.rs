use super::*;
use crate::order::tests::{at, eur, id};
use crate::payment;
use proptest::prelude::*;

const ONCE: Capabilities = Capabilities { multi_capture: false, renewal: false };
const OFTEN: Capabilities = Capabilities { multi_capture: true, renewal: true };

fn tender(method: Method, limit: Option<i64>) -> Tender {
    Tender { method, gateway: OFTEN, limit: limit.map(eur) }
}

fn euros(minors: &[i64]) -> Vec<Money> {
    minors.iter().copied().map(eur).collect()
}

fn sum(amounts: &[Money]) -> i64 {
    amounts.iter().map(|amount| amount.minor).sum()
}

#[test]
fn stored_value_is_taken_first_and_then_cards_in_the_order_given() {
    let first = tender(Method::Card, Some(20_00));
    let tenders = [first, tender(Method::Wallet, None), tender(Method::Voucher, Some(30_00))];
    assert_eq!(cover(eur(89_50), &tenders), Ok(euros(&[20_00, 39_50, 30_00])));
    assert_eq!(cover(eur(40_00), &tenders), Ok(euros(&[10_00, 0, 30_00])));
}

#[test]
fn a_voucher_larger_than_the_total_keeps_the_rest() {
    let tenders = [tender(Method::Card, None), tender(Method::Voucher, Some(10_000))];
    assert_eq!(cover(eur(89_50), &tenders), Ok(euros(&[0, 89_50])));
    let planned = plan(&euros(&[57_68, 31_82]), &tenders, id("EUR")).unwrap();
    assert_eq!(planned, [Planned { tender: 1, part: None, amount: eur(89_50) }], "the card is not asked");
}

#[test]
fn what_is_not_covered_is_named() {
    let tenders = [tender(Method::Voucher, Some(30_00)), tender(Method::Card, Some(20_00))];
    let short = Refused::Short { total: eur(89_50), missing: eur(39_50) };
    assert_eq!(cover(eur(89_50), &tenders), Err(short));
    assert!(matches!(cover(eur(-1), &tenders), Err(Refused::Money(MoneyError::Negative(_)))));
    let dollars = Tender { limit: Some(Money::new(1, id("USD"))), ..tenders[0] };
    assert!(matches!(cover(eur(1), &[dollars]), Err(Refused::Money(MoneyError::Mixed { .. }))));
}

#[test]
fn a6_6_a_total_of_zero_needs_no_payment() {
    assert_eq!(cover(eur(0), &[]), Ok(vec![]));
    assert_eq!(plan(&euros(&[0]), &[tender(Method::Card, None)], id("EUR")), Ok(vec![]));
}

#[test]
fn a_gateway_that_captures_once_gets_a_payment_for_each_merchant_order() {
    // 57.68 + 31.82 = 89.50, of which a voucher pays 60.00: all of the first part and 2.32 of the second.
    let card = Tender { gateway: ONCE, ..tender(Method::Card, None) };
    let tenders = [card, tender(Method::Voucher, Some(60_00))];
    let planned = |tender, part, minor| Planned { tender, part, amount: eur(minor) };
    let parts = euros(&[57_68, 31_82]);
    let all = plan(&parts, &tenders, id("EUR")).unwrap();
    assert_eq!(all, [planned(1, None, 60_00), planned(0, Some(2), 29_50)]);
    let alone = plan(&parts, &[card], id("EUR")).unwrap();
    assert_eq!(alone, [planned(0, Some(1), 57_68), planned(0, Some(2), 31_82)]);
}

#[test]
fn each_part_is_paid_by_the_same_payments_whatever_ships_first() {
    let rows = shares(&euros(&[57_68, 31_82]), &euros(&[60_00, 29_50])).unwrap();
    assert_eq!(rows, [euros(&[57_68, 0]), euros(&[232, 29_50])]);
    // Of the second part a bowl of 9.00 is canceled: the card is spared.
    assert_eq!(captures(eur(22_82), &rows[1]), Ok(euros(&[232, 20_50])));
    let short = Refused::Short { total: eur(40_00), missing: eur(8_18) };
    assert_eq!(captures(eur(40_00), &rows[1]), Err(short));
}

#[test]
fn a_refund_goes_back_in_proportion_and_never_beyond_what_a_payment_gave() {
    assert_eq!(refunds(eur(10_00), &euros(&[60_00, 30_00])), Ok(euros(&[6_67, 3_33])));
    assert_eq!(refunds(eur(90_00), &euros(&[60_00, 30_00])), Ok(euros(&[60_00, 30_00])));
    assert_eq!(refunds(eur(1), &euros(&[1, 1])), Ok(euros(&[1, 0])));
    assert_eq!(refunds(eur(0), &euros(&[0, 0])), Ok(euros(&[0, 0])));
    let exceeds = Refused::ExceedsCaptured { asked: eur(90_01), left: eur(90_00) };
    assert_eq!(refunds(eur(90_01), &euros(&[60_00, 30_00])), Err(exceeds));
}

#[test]
fn what_a_declined_card_leaves_open_is_left_to_authorize() {
    use payment::tests::{Step, approved, opening, walk_at};
    let open = |method, minor| payment::open(opening(method, minor), at(0)).unwrap();
    let held =
        |payment| walk_at(payment, &[Step::Authorize("tok_visa"), Step::Tell(1, approved(), None)], at(1));
    let voucher = held(open(Method::Voucher, 30_00));
    let card = open(Method::Card, 59_50);
    assert_eq!(left_to_authorize(eur(89_50), &[voucher.clone(), card.clone()]), Ok(eur(59_50)));
    assert_eq!(left_to_authorize(eur(89_50), &[voucher.clone(), held(card.clone())]), Ok(eur(0)));
    let lost = walk_at(held(card), &[Step::Tell(1, crate::gateway::Outcome::Lapsed, None)], at(2));
    assert_eq!(left_to_authorize(eur(89_50), &[voucher, lost]), Ok(eur(59_50)));
}

fn any_tenders() -> impl Strategy<Value = Vec<Tender>> {
    let methods = vec![Method::Card, Method::Voucher, Method::Wallet, Method::StoreCredit];
    let limit = prop::option::weighted(0.7, 0_i64..10_000);
    let one = (prop::sample::select(methods), limit, any::<bool>()).prop_map(|(method, limit, often)| {
        Tender { gateway: if often { OFTEN } else { ONCE }, ..tender(method, limit) }
    });
    prop::collection::vec(one, 0..6)
}

proptest! {
    #[test]
    fn what_is_covered_sums_to_the_total_within_all_limits(total in 0_i64..30_000, tenders in any_tenders()) {
        match cover(eur(total), &tenders) {
            Ok(given) => {
                prop_assert_eq!(sum(&given), total);
                for (given, tender) in given.iter().zip(&tenders) {
                    prop_assert!(given.minor >= 0 && tender.limit.is_none_or(|limit| given.minor <= limit.minor));
                }
                // A card is asked for something only when all stored value is used up.
                let unused = |one: (&Tender, &Money)| one.0.method.is_stored_value() && one.0.limit != Some(*one.1);
                let asked = |one: (&Tender, &Money)| !one.0.method.is_stored_value() && one.1.minor > 0;
                let mut pairs = tenders.iter().zip(&given);
                prop_assert!(!(pairs.clone().any(unused) && pairs.any(asked)));
            }
            Err(refused) => {
                let offered: i64 = tenders.iter().map(|one| one.limit.map_or(total, |limit| limit.minor)).sum();
                let (total, missing) = (eur(total), eur(total - offered));
                prop_assert_eq!(refused, Refused::Short { total, missing });
            }
        }
    }

    #[test]
    fn the_plan_pays_every_part_and_every_row_and_column_sums(
        parts in prop::collection::vec(0_i64..50_00, 1..6),
        mut tenders in any_tenders(),
    ) {
        tenders.push(tender(Method::Card, None));
        let parts = euros(&parts);
        let planned = plan(&parts, &tenders, id("EUR")).unwrap();
        let amounts: Vec<Money> = planned.iter().map(|one| one.amount).collect();
        prop_assert_eq!(sum(&amounts), sum(&parts));
        let rows = shares(&parts, &amounts).unwrap();
        for (number, (row, part)) in (1_u8..).zip(rows.iter().zip(&parts)) {
            prop_assert_eq!(sum(row), part.minor);
            // What is bound to a part pays that part alone.
            for (paid, payment) in row.iter().zip(&planned) {
                prop_assert!(paid.minor == 0 || payment.part.is_none_or(|own| own == number), "{planned:?} {rows:?}");
            }
        }
        for (column, amount) in amounts.iter().enumerate() {
            prop_assert_eq!(rows.iter().map(|row| row[column].minor).sum::<i64>(), amount.minor);
        }
    }

    #[test]
    fn refunds_one_after_the_other_give_everything_back_and_no_more(
        captured in prop::collection::vec(0_i64..10_000, 1..6),
        cuts in prop::collection::vec(0_i64..40_00, 0..12),
    ) {
        let mut left = euros(&captured);
        for cut in cuts {
            let cut = eur(cut.min(sum(&left)));
            let back = refunds(cut, &left).unwrap();
            prop_assert_eq!(sum(&back), cut.minor);
            for (left, back) in left.iter_mut().zip(back) {
                *left = left.minus(back).unwrap();
                prop_assert!(back.minor >= 0 && left.minor >= 0);
            }
        }
        let rest = refunds(eur(sum(&left)), &left).unwrap();
        prop_assert_eq!(rest, left);
    }
}
