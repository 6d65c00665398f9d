use super::*;
use crate::stock::Levels;
use proptest::prelude::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + 60 * minutes).unwrap()
}

fn cart(number: u128) -> CartId {
    CartId::from_bits(number)
}

/// A bin with so many on hand, of which carts hold some until a minute.
fn bin(location: &str, number: u8, on_hand: i64, holds: &[(u128, u32, i64)]) -> Bin {
    let held: i64 = holds.iter().map(|(_, quantity, _)| i64::from(*quantity)).sum();
    let levels = Levels { on_hand, allocated: 0, available: on_hand - held };
    let hold = |(of, quantity, until): &(u128, u32, i64)| {
        (cart(*of), Held { quantity: *quantity, until: at(*until) })
    };
    let holds = holds.iter().map(hold).collect();
    Bin { levels, holds, revision: 1, ..Bin::empty(location.parse().unwrap(), number) }
}

/// The steps of a plan, as `location~bin from→to` and whose holds are dropped.
fn told(plan: Plan) -> Vec<String> {
    let Plan::Steps(steps) = plan else { return vec![format!("{plan:?}")] };
    let tell = |step: &Step| {
        let drops: Vec<&str> = step.drops.iter().map(|(of, _)| &of.as_str()[29..]).collect();
        let Step { location, bin, from, to, .. } = step;
        format!("{location}~{bin} {from}→{to} {}", drops.join(",")).trim().to_owned()
    };
    steps.iter().map(tell).collect()
}

#[test]
fn a_hold_is_a_target_so_the_same_again_only_lasts_longer() {
    let bins = [bin("main", 0, 5, &[(1, 3, 10)])];
    assert_eq!(told(plan(&bins, &cart(1), 3, at(0))), ["main~0 3→3"]);
    assert_eq!(told(plan(&bins, &cart(1), 5, at(0))), ["main~0 3→5"]);
    assert_eq!(told(plan(&bins, &cart(1), 1, at(0))), ["main~0 3→1"]);
    assert_eq!(told(plan(&bins, &cart(1), 0, at(0))), ["main~0 3→0"]);
    assert_eq!(told(plan(&bins, &cart(1), 6, at(0))), ["Short { could: 5 }"]);
    assert_eq!(told(plan(&bins, &cart(2), 2, at(0))), ["main~0 0→2"]);
    assert_eq!(told(plan(&[], &cart(2), 1, at(0))), ["Short { could: 0 }"]);
}

#[test]
fn a_hold_lasts_to_its_last_moment_and_afterwards_for_its_own_cart() {
    let bins = [bin("main", 0, 2, &[(1, 2, 10)])];
    assert_eq!(told(plan(&bins, &cart(2), 1, at(10))), ["Short { could: 0 }"]);
    assert_eq!(told(plan(&bins, &cart(2), 1, at(11))), ["main~0 0→1 1"]);
    assert_eq!(told(plan(&bins, &cart(1), 2, at(11))), ["main~0 2→2"]);
}

#[test]
fn no_more_expired_holds_are_dropped_than_the_units_need_the_oldest_first() {
    let bins = [bin("main", 0, 7, &[(1, 2, 3), (2, 2, 1), (3, 2, 2), (4, 1, 10)])];
    assert_eq!(told(plan(&bins, &cart(9), 1, at(5))), ["main~0 0→1 2"]);
    assert_eq!(told(plan(&bins, &cart(9), 3, at(5))), ["main~0 0→3 2,3"]);
    assert_eq!(told(plan(&bins, &cart(9), 7, at(5))), ["Short { could: 6 }"]);
    let more = [bin("main", 0, 8, &[(1, 2, 3), (2, 2, 1)])];
    assert_eq!(told(plan(&more, &cart(9), 4, at(5))), ["main~0 0→4"]);
}

#[test]
fn one_location_that_has_all_comes_before_two_that_have_parts() {
    let bins = [bin("a", 0, 2, &[]), bin("b", 0, 4, &[])];
    assert_eq!(told(plan(&bins, &cart(1), 4, at(0))), ["b~0 0→4"]);
    assert_eq!(told(plan(&bins, &cart(1), 5, at(0))), ["a~0 0→1", "b~0 0→4"]);
    // Where the cart holds some already, if that one has all.
    let bins = [bin("a", 0, 4, &[(1, 1, 9)]), bin("b", 0, 9, &[])];
    assert_eq!(told(plan(&bins, &cart(1), 4, at(0))), ["a~0 1→4"]);
    // More is taken before anything is given back.
    assert_eq!(told(plan(&bins, &cart(1), 9, at(0))), ["b~0 0→9", "a~0 1→0"]);
}

#[test]
fn in_a_location_the_name_of_the_cart_picks_the_bin_and_units_of_several_are_held_together() {
    let bins: Vec<Bin> = (0..4).map(|number| bin("main", number, 3, &[])).collect();
    let mut met: Vec<String> = (0..40).flat_map(|n| told(plan(&bins, &cart(n), 1, at(0)))).collect();
    met.sort();
    met.dedup();
    assert_eq!(met, ["main~0 0→1", "main~1 0→1", "main~2 0→1", "main~3 0→1"]);
    assert_eq!(told(plan(&bins, &cart(1), 7, at(0))), ["main~0 0→3", "main~1 0→3", "main~2 0→1"]);
    assert_eq!(told(plan(&bins, &cart(1), 13, at(0))), ["Short { could: 12 }"]);
}

#[test]
fn an_item_that_is_full_of_live_holds_is_no_place_for_another() {
    let full: Vec<_> = (0..100).map(|n| (n, 1, 10)).collect();
    let bins = [bin("main", 0, 200, &full)];
    assert_eq!(told(plan(&bins, &cart(200), 1, at(0))), ["NoRoom"]);
    assert_eq!(told(plan(&bins, &cart(7), 2, at(0))), ["main~0 1→2"]);
    // One whose time is over makes room, though its unit is not needed.
    let over: Vec<_> = (0..100).map(|n| (n, 1, if n == 30 { -1 } else { 10 })).collect();
    let [dropped] = &told(plan(&[bin("main", 0, 200, &over)], &cart(200), 1, at(0)))[..] else { panic!() };
    assert!(dropped.starts_with("main~0 0→1 "), "{dropped}");
    let other = [bin("main", 0, 200, &full), bin("main", 1, 5, &[])];
    assert_eq!(told(plan(&other, &cart(200), 1, at(0))), ["main~1 0→1"]);
}

#[test]
fn what_a_cart_held_last_is_presumed_to_be_there_and_the_only_place_to_have_enough() {
    let (main, north): (Location, Location) = ("main".parse().unwrap(), "north".parse().unwrap());
    let (one, two) = ([main.clone()], [main.clone(), north]);
    let offer = OfferId::from_bits(1);
    let of = |bins: Option<Vec<Bin>>, wanted| told(plan(&bins.unwrap(), &cart(1), wanted, at(0)));
    assert_eq!(of(presume(&[], &one, 0, &cart(1), at(0)), 7), ["main~0 0→7"]);
    let falls_on = turn(&cart(1), 4);
    assert_eq!(of(presume(&[], &one, 3, &cart(1), at(0)), 7), [format!("main~{falls_on} 0→7")]);
    assert_eq!(presume(&[], &two, 0, &cart(1), at(0)), None);
    let held = [Hold { offer, location: main, bin: 2, quantity: 3 }];
    assert_eq!(of(presume(&held, &two, 0, &cart(1), at(0)), 3), ["main~2 3→3"]);
    assert_eq!(of(presume(&held, &two, 0, &cart(1), at(0)), 4), ["main~2 3→4"]);
}

#[test]
fn a_reading_of_several_items_is_certain_when_it_comes_twice() {
    let of = |revision| Bin { revision, ..bin("main", 0, 1, &[]) };
    let other = || bin("main", 1, 1, &[]);
    assert!(is_certain(None, &[]));
    assert!(is_certain(None, &[of(1)]));
    assert!(!is_certain(None, &[of(1), other()]));
    assert!(is_certain(Some(&[of(1), other()]), &[of(1), other()]));
    assert!(!is_certain(Some(&[of(1), other()]), &[of(2), other()]));
    assert!(!is_certain(Some(&[of(1)]), &[of(1), other()]), "a bin more: something has moved");
}

/// A write, as the table does it: whole or not at all.
fn write(bins: &mut [Bin], step: &Step, cart: &CartId, until: Timestamp, now: Timestamp) -> bool {
    let place = |bin: &&mut Bin| bin.location == step.location && bin.number == step.bin;
    let Some(bin) = bins.iter_mut().find(place) else { return false };
    let seen = |(of, held): &(CartId, Held)| bin.holds.get(of) == Some(held) && held.until < now;
    let dropped: i64 = step.drops.iter().map(|(_, held)| i64::from(held.quantity)).sum();
    let more = i64::from(step.to) - i64::from(step.from);
    if bin.own(cart) != step.from
        || !step.drops.iter().all(seen)
        || (more > 0 && bin.levels.available + dropped < more)
    {
        return false;
    }
    bin.holds.retain(|of, _| !step.drops.iter().any(|(dropped, _)| dropped == of));
    bin.holds.remove(cart);
    if step.to > 0 {
        bin.holds.insert(cart.clone(), Held { quantity: step.to, until });
    }
    bin.levels.available += dropped - more;
    bin.revision += 1;
    true
}

proptest! {
    /// Carts come and go on readings fresh and stale: no unit is held twice, none is lost; what a fresh plan says comes
    /// true, and what it refuses is not there.
    #[test]
    fn no_unit_is_held_twice_and_none_is_lost(
        stock in prop::collection::vec((0_usize..2, 0_i64..9), 1..6),
        asks in prop::collection::vec((0_u128..5, 0_u32..9, 0_i64..6, any::<bool>()), 0..40),
    ) {
        let places = ["a", "b"];
        let of = |(number, (place, units)): (u8, &(usize, i64))| bin(places[*place], number, *units, &[]);
        let mut bins: Vec<Bin> = (0_u8..).zip(&stock).map(of).collect();
        let (mut minutes, mut stale) = (0, bins.clone());
        for (number, wanted, passed, fresh) in asks {
            minutes += passed;
            let (cart, now, until) = (cart(number), at(minutes), at(minutes + 10));
            let reading = if fresh { bins.clone() } else { stale.clone() };
            match plan(&reading, &cart, wanted, now) {
                Plan::Steps(steps) => {
                    let done = steps.iter().all(|step| write(&mut bins, step, &cart, until, now));
                    let own: u32 = bins.iter().map(|bin| bin.own(&cart)).sum();
                    prop_assert!(!fresh || (done && own == wanted), "{own} of {wanted}: {steps:?}");
                }
                Plan::Short { could } => {
                    let there: i64 = reading
                        .iter()
                        .map(|bin| i64::from(bin.own(&cart)) + bin.free(Some(&cart), now))
                        .sum();
                    prop_assert_eq!((i64::from(could), could < wanted), (there, true));
                }
                Plan::NoRoom => prop_assert!(false, "five carts fill no item"),
            }
            for bin in &bins {
                let held: i64 = bin.holds.values().map(|held| i64::from(held.quantity)).sum();
                prop_assert!(bin.levels.available >= 0);
                prop_assert_eq!(bin.levels.available + held, bin.levels.on_hand);
            }
            if fresh {
                stale = bins.clone();
            }
        }
    }
}
