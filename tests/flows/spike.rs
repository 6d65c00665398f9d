//! More buyers than units, through the whole checkout: carts, holds, payments and what they cause, all at once.

use domain::stock::Levels;
use souk::bench::Measured;
use souk::bench::spike::{Plan, Spike, spike};
use std::collections::BTreeMap;
use tests::Unwatched;

async fn come(plan: Plan) -> Spike {
    let spike = spike(plan, &Unwatched).await.unwrap();
    assert_eq!(spike.wrong(), Vec::<String>::new());
    spike
}

#[tokio::test]
async fn a7_1_two_hundred_buyers_of_ten_units_give_exactly_ten_orders() {
    let spike = come(Plan { buyers: 200, units: 10, clients: 50, seconds: 0, abandon: 0 }).await;
    assert_eq!((spike.orders, spike.abandoned, spike.rushes.len()), (10, 0, 1));
    assert_eq!(spike.refused, BTreeMap::from([("insufficient_stock".to_owned(), 190)]));
    assert_eq!(spike.stock, Levels { on_hand: 10, allocated: 10, available: 0 });
}

#[tokio::test]
async fn units_whose_buyers_left_are_sold_to_those_who_come_again() {
    let spike = come(Plan { buyers: 40, units: 10, clients: 20, seconds: 0, abandon: 50 }).await;
    assert!(spike.abandoned > 0, "nobody has left a hold");
    assert_eq!((spike.orders, spike.rushes.len()), (10, 2));
    let refused = 40 - 10 - spike.abandoned;
    assert_eq!(spike.refused, BTreeMap::from([("insufficient_stock".to_owned(), refused)]));
    assert_eq!(spike.stock, Levels { on_hand: 10, allocated: 10, available: 0 });
}

#[tokio::test]
async fn a_spike_with_more_units_than_buyers_leaves_the_rest() {
    let spike = come(Plan { buyers: 3, units: 5, clients: 3, seconds: 0, abandon: 0 }).await;
    assert_eq!((spike.orders, spike.refused.len()), (3, 0));
    assert_eq!(spike.stock, Levels { on_hand: 5, allocated: 3, available: 2 });
}

#[tokio::test]
async fn forty_buyers_of_five_units_give_exactly_five_orders() {
    let spike = come(Plan { buyers: 40, units: 5, clients: 40, seconds: 0, abandon: 0 }).await;
    assert_eq!((spike.orders, spike.too_early), (5, 0));
    assert_eq!(spike.refused, BTreeMap::from([("insufficient_stock".to_owned(), 35)]));
    assert!(spike.table().iter().any(|line| line.starts_with("orders 5 of 5")), "{:#?}", spike.table());
}
