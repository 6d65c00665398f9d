use super::*;
use proptest::prelude::*;

fn at(minutes: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + 60 * minutes).unwrap()
}

fn cart(number: u128) -> CartId {
    CartId::from_bits(number)
}

fn bin(number: u8, available: i64) -> Bin {
    let levels = Levels { on_hand: available, allocated: 0, available };
    Bin { levels, revision: 1, ..Bin::empty("main".parse().unwrap(), number) }
}

/// A first bin with so many available and so many live holds of one unit.
fn first(more: u8, available: i64, live: u128) -> Bin {
    let mut bin = Bin { more, ..bin(0, available) };
    bin.holds = (0..live).map(|n| (cart(n), Held { quantity: 1, until: at(10) })).collect();
    bin.levels.on_hand += i64::try_from(live).unwrap();
    bin
}

#[test]
fn a_crowd_is_twelve_live_holds_for_each_stage_and_units_to_give_away() {
    // Further bins, available, live holds in the first one.
    for (more, available, live, crowded) in [
        (0, 16, 11, false),
        (0, 16, 12, true),
        (0, 15, 12, false),
        (3, 16, 23, false),
        (3, 16, 24, true),
        (15, 16, 35, false),
        (15, 16, 36, true),
        (63, 1_000, 99, false),
    ] {
        assert_eq!(
            is_crowded(&first(more, available, live), false, at(0)),
            crowded,
            "{more} {available} {live}"
        );
    }
    assert!(!is_crowded(&first(0, 16, 12), false, at(11)), "their time is over");
    assert!(is_crowded(&first(0, 16, 0), true, at(0)), "it was in the way");
    assert!(!is_crowded(&Bin { number: 1, ..first(0, 16, 12) }, true, at(0)), "only the first grows");
}

#[test]
fn a_spread_keeps_a_quarter_of_each_bin_and_gives_three() {
    let shares = spread(&[bin(0, 88)]);
    assert_eq!(shares, [Share { from: 0, to: [1, 2, 3], units: 22 }]);
    let shares = spread(&[bin(0, 17), bin(1, 3), bin(2, -1), bin(3, 8)]);
    let told: Vec<_> = shares.iter().map(|share| (share.to, share.units)).collect();
    assert_eq!(told, [([4, 8, 12], 4), ([5, 9, 13], 0), ([6, 10, 14], 0), ([7, 11, 15], 2)]);
}

#[test]
fn three_spreads_name_every_bin_once() {
    let mut count = 1;
    while count < BINS_MAX {
        let bins: Vec<Bin> = (0..count).map(|number| bin(number, 100)).collect();
        let mut numbers: Vec<u8> =
            (0..count).chain(spread(&bins).into_iter().flat_map(|share| share.to)).collect();
        numbers.sort_unstable();
        count *= 4;
        assert_eq!(numbers, (0..count).collect::<Vec<u8>>());
    }
    assert_eq!(count, BINS_MAX);
}

#[test]
fn goods_that_come_in_are_spread_where_there_are_enough_for_each_bin() {
    let received = |bins: &[Bin], quantity| -> Vec<(u8, u32)> {
        let told = |(bin, change)| {
            let Change::Received { quantity } = change else { panic!("{change:?}") };
            (bin, quantity)
        };
        receive(bins, quantity).into_iter().map(told).collect()
    };
    assert_eq!(received(&[], 7), [(0, 7)]);
    assert_eq!(received(&[bin(0, 5)], 7), [(0, 7)]);
    let four: Vec<Bin> = (0..4).map(|number| bin(number, 0)).collect();
    assert_eq!(received(&four, 15), [(0, 15)]);
    assert_eq!(received(&four, 18), [(0, 6), (1, 4), (2, 4), (3, 4)]);
}

#[test]
fn a7_1_the_bins_of_a_location_are_one_stock_less_active_holds() {
    let held = |minutes| Held { quantity: 2, until: at(minutes) };
    let mut bins = [bin(0, 5), bin(1, 3)];
    bins[0].levels = Levels { on_hand: 10, allocated: 1, available: 5 };
    bins[0].holds = [(cart(1), held(10)), (cart(2), held(-1))].into();
    let north = Bin { location: "north".parse().unwrap(), ..bin(0, 1) };
    let stock = by_location(&[&bins[..], &[north]].concat(), at(0));
    let told: Vec<_> = stock.iter().map(|one| (one.location.as_str(), one.levels, one.held)).collect();
    let levels = |on_hand, allocated, available| Levels { on_hand, allocated, available };
    assert_eq!(told, [("main", levels(13, 1, 10), 2), ("north", levels(1, 0, 1), 0)]);
}

proptest! {
    /// Spreading moves units and makes or loses none; no bin is left with less than a quarter.
    #[test]
    fn nothing_is_lost_by_spreading(stage in 0_u32..3, units in prop::collection::vec(-5_i64..200, 64)) {
        let count = usize::try_from(4_u32.pow(stage)).unwrap();
        let bins: Vec<Bin> = (0_u8..).zip(&units[..count]).map(|(n, units)| bin(n, *units)).collect();
        for (bin, share) in bins.iter().zip(spread(&bins)) {
            let left = bin.levels.available - 3 * i64::from(share.units);
            prop_assert!(left >= i64::from(share.units) || share.units == 0);
            prop_assert!(left <= i64::from(share.units) + 3 || share.units == 0);
        }
    }

    /// Goods that come in are all put somewhere.
    #[test]
    fn all_that_comes_in_is_there(count in 0_u8..64, quantity in 1_u32..1_000_000) {
        let bins: Vec<Bin> = (0..count).map(|number| bin(number, 0)).collect();
        let put: i64 = receive(&bins, quantity).iter().map(|(_, change)| change.effect().on_hand).sum();
        prop_assert_eq!(put, i64::from(quantity));
    }
}
