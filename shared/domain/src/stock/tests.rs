use super::*;
use proptest::prelude::*;

fn offer(number: u128) -> OfferId {
    OfferId::from_bits(number)
}

fn place(name: &str) -> Location {
    name.parse().unwrap()
}

fn shelf(number: u128, location: &str, available: i64) -> Shelf {
    Shelf { offer: offer(number), location: place(location), bin: 0, available }
}

fn taken(allocations: &[Allocation]) -> Vec<(&str, u32)> {
    allocations.iter().map(|one| (one.location.as_str(), one.quantity)).collect()
}

#[test]
fn a7_2_two_lines_on_one_offer_are_summed_first() {
    let mut shelves = Shelves::new(vec![shelf(1, "main", 5)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 3)), [("main", 3)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 3)), [("main", 2)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 1)), []);
}

#[test]
fn one_location_that_has_all_is_taken_before_two_that_have_parts() {
    let mut shelves = Shelves::new(vec![shelf(1, "a", 2), shelf(1, "b", 4), shelf(2, "a", 9)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 4)), [("b", 4)]);
    let mut shelves = Shelves::new(vec![shelf(1, "a", 2), shelf(1, "b", 4)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 5)), [("b", 4), ("a", 1)]);
    let mut shelves = Shelves::new(vec![shelf(1, "b", 2), shelf(1, "a", 2)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 1)), [("a", 1)]);
}

#[test]
fn what_is_promised_beyond_the_count_is_never_promised_again() {
    let mut shelves = Shelves::new(vec![shelf(1, "main", -3)]);
    assert_eq!(taken(&shelves.allocate(&offer(1), 1)), []);
}

#[test]
fn one_order_takes_from_no_more_items_than_a_transaction_holds() {
    let many: Vec<Shelf> = (0..200).map(|n| shelf(n, "main", 1)).collect();
    let mut shelves = Shelves::new(many);
    let taken: usize = (0..200).map(|n| shelves.allocate(&offer(n), 1).len()).sum();
    assert_eq!(taken, SHELVES_MAX);
}

/// on hand · allocated · available.
fn effect(change: &Change) -> (i64, i64, i64) {
    let Levels { on_hand, allocated, available } = change.effect();
    (on_hand, allocated, available)
}

#[test]
fn a7_3_physical_stock_moves_only_at_received_shipped_and_adjusted() {
    let reason: Reason = "broken".parse().unwrap();
    assert_eq!(effect(&Change::Received { quantity: 5 }), (5, 0, 5));
    assert_eq!(effect(&Change::Allocated { quantity: 3 }), (0, 3, -3));
    assert_eq!(effect(&Change::Released { quantity: 1 }), (0, -1, 1));
    assert_eq!(effect(&Change::Shipped { quantity: 2 }), (-2, -2, 0));
    assert_eq!(effect(&Change::Adjusted { by: -2, reason }), (-2, 0, -2));
}

#[test]
fn a7_4_adjusted_needs_a_reason_and_leaves_no_less_than_nothing() {
    let reason: Reason = "counted".parse().unwrap();
    assert!("".parse::<Reason>().is_err());
    let bins = [bin(0, (3, 3, 0))];
    assert_eq!(found(adjust(&bins, -3, &reason)), [(0, -3)], "promised units may be missing too");
    assert_eq!(adjust(&bins, -4, &reason), Err(Refused::BelowZero { by: -4, on_hand: 3 }));
    assert_eq!(adjust(&bins, 0, &reason), Err(Refused::Nothing));
    assert_eq!(found(adjust(&[], 2, &reason)), [(0, 2)], "more may be found where nothing was known");
}

/// A bin at `main` with so many units on hand, allocated and available; the rest is held.
fn bin(number: u8, (on_hand, allocated, available): (i64, i64, i64)) -> Bin {
    let levels = Levels { on_hand, allocated, available };
    Bin { levels, revision: 1, ..Bin::empty(place("main"), number) }
}

fn found(adjusted: Result<Vec<(u8, Change)>, Refused>) -> Vec<(u8, i32)> {
    let by = |(bin, change)| {
        let Change::Adjusted { by, .. } = change else { panic!("{change:?}") };
        (bin, by)
    };
    adjusted.unwrap().into_iter().map(by).collect()
}

#[test]
fn a_count_of_less_takes_what_is_free_in_all_bins_before_what_is_promised() {
    let reason: Reason = "counted".parse().unwrap();
    let bins = [bin(0, (5, 3, 2)), bin(1, (4, 0, 4)), bin(2, (1, 1, 0))];
    assert_eq!(found(adjust(&bins, -5, &reason)), [(0, -1), (1, -4)]);
    // 6 are free, the 7th is promised.
    assert_eq!(found(adjust(&bins, -7, &reason)), [(0, -3), (1, -4)]);
    assert_eq!(found(adjust(&bins, -10, &reason)), [(0, -5), (1, -4), (2, -1)]);
    assert_eq!(adjust(&bins, -11, &reason), Err(Refused::BelowZero { by: -11, on_hand: 10 }));
    assert_eq!(found(adjust(&bins, 9, &reason)), [(0, 9)]);
}

#[test]
fn a_movement_is_kept_as_before_bins_and_holds_unless_it_has_them() {
    let one = |quantity| Allocation { location: place("main"), bin: 0, quantity };
    let plain = Movement::of(&offer(1), one(3), |quantity| Change::Allocated { quantity });
    let id = offer(1);
    let text = format!(r#"{{"offer":"{id}","location":"main","change":"allocated","quantity":3}}"#);
    assert_eq!(serde_json::to_string(&plain).unwrap(), text);
    assert_eq!(serde_json::from_str::<Movement>(&text).unwrap(), plain);
    let cart = CartId::from_bits(7);
    let held = Movement { bin: 2, ..plain }.held_by(&cart);
    let text = text.replace(r#""change""#, &format!(r#""bin":2,"held_by":"{cart}","change""#));
    assert_eq!(serde_json::to_string(&held).unwrap(), text);
    assert_eq!(serde_json::from_str::<Movement>(&text).unwrap(), held);
}

#[test]
fn of_two_locations_with_several_bins_the_fuller_is_taken_first_and_there_the_fullest_bin() {
    let shelf = |location: &str, bin, available| Shelf { bin, ..shelf(1, location, available) };
    let all = || vec![shelf("a", 0, 4), shelf("b", 0, 2), shelf("b", 1, 3)];
    let taken = |quantity| {
        let taken = Shelves::new(all()).allocate(&offer(1), quantity).into_iter();
        taken.map(|one| (one.location.to_string(), one.bin, one.quantity)).collect::<Vec<_>>()
    };
    let named = |location: &str, bin, quantity| (location.to_owned(), bin, quantity);
    assert_eq!(taken(3), [named("b", 1, 3)]);
    assert_eq!(taken(5), [named("b", 1, 3), named("b", 0, 2)]);
    assert_eq!(taken(8), [named("b", 1, 3), named("b", 0, 2), named("a", 0, 3)]);
}

#[test]
fn what_a_cart_holds_is_what_its_order_takes_and_no_more() {
    let hold = |bin, quantity| Hold { offer: offer(1), location: place("main"), bin, quantity };
    let mut shelves = Shelves::held(&[hold(0, 2), hold(3, 4)]);
    let taken: Vec<_> =
        shelves.allocate(&offer(1), 5).into_iter().map(|one| (one.bin, one.quantity)).collect();
    assert_eq!(taken, [(3, 4), (0, 1)]);
    assert_eq!(allocated(&shelves.allocate(&offer(1), 3)), 1);
    assert_eq!(allocated(&shelves.allocate(&offer(2), 1)), 0);
}

#[test]
fn the_first_promised_leave_first() {
    let mut held = vec![
        Allocation { location: place("a"), bin: 0, quantity: 2 },
        Allocation { location: place("b"), bin: 0, quantity: 3 },
    ];
    assert_eq!(taken(&take_first(&mut held, 3)), [("a", 2), ("b", 1)]);
    assert_eq!(taken(&held), [("b", 2)]);
    assert_eq!(taken(&take_first(&mut held, 9)), [("b", 2)]);
    assert!(held.is_empty());
}

proptest! {
    /// However demand is spread over lines, no more is promised than is there, and all of it if it is asked for.
    #[test]
    fn no_more_is_promised_than_is_there(
        stock in prop::collection::vec((0_u128..3, 0_i64..20), 0..8),
        demand in prop::collection::vec((0_u128..3, 1_u32..20), 0..8),
    ) {
        let shelves: Vec<Shelf> =
            stock.iter().enumerate().map(|(at, (of, units))| shelf(*of, &format!("l{at}"), *units)).collect();
        let mut left = Shelves::new(shelves);
        let mut promised = [0_i64; 3];
        for (of, quantity) in &demand {
            let got = allocated(&left.allocate(&offer(*of), *quantity));
            prop_assert!(got <= *quantity);
            promised[usize::try_from(*of).unwrap()] += i64::from(got);
        }
        for of in 0..3_u128 {
            let there: i64 = stock.iter().filter(|(other, _)| *other == of).map(|(_, units)| units).sum();
            let asked: i64 =
                demand.iter().filter(|(other, _)| *other == of).map(|(_, units)| i64::from(*units)).sum();
            prop_assert_eq!(promised[usize::try_from(of).unwrap()], there.min(asked));
        }
    }
}
