//! More buyers than units, through the whole checkout: carts, holds, payments and what they cause, all at once.

use domain::stock::Levels;
use souk::burst::{Burst, Plan, burst};
use std::collections::BTreeMap;
use tests::Unwatched;

async fn come(plan: Plan) -> Burst {
    let burst = burst(plan, &Unwatched).await.unwrap();
    assert_eq!(burst.wrong(), Vec::<String>::new());
    burst
}

#[tokio::test]
async fn a7_1_two_hundred_buyers_of_ten_units_give_exactly_ten_orders() {
    let burst = come(Plan { buyers: 200, units: 10, clients: 50, abandon: 0 }).await;
    assert_eq!((burst.orders.len(), burst.abandoned, burst.rushes.len()), (10, 0, 1));
    assert_eq!(burst.refused, BTreeMap::from([("insufficient_stock".to_owned(), 190)]));
    assert_eq!(burst.stock, Levels { on_hand: 10, allocated: 10, available: 0 });
}

#[tokio::test]
async fn units_whose_buyers_left_are_sold_to_those_who_come_again() {
    let burst = come(Plan { buyers: 40, units: 10, clients: 20, abandon: 50 }).await;
    assert!(burst.abandoned > 0, "nobody has left a hold");
    assert_eq!((burst.orders.len(), burst.rushes.len()), (10, 2));
    let refused = 40 - 10 - burst.abandoned;
    assert_eq!(burst.refused, BTreeMap::from([("insufficient_stock".to_owned(), refused)]));
    assert_eq!(burst.stock, Levels { on_hand: 10, allocated: 10, available: 0 });
}

#[tokio::test]
async fn a_burst_with_more_units_than_buyers_leaves_the_rest() {
    let burst = come(Plan { buyers: 3, units: 5, clients: 3, abandon: 0 }).await;
    assert_eq!((burst.orders.len(), burst.refused.len()), (3, 0));
    assert_eq!(burst.stock, Levels { on_hand: 5, allocated: 3, available: 2 });
}
