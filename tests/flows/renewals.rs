//! Many subscriptions that renew in the same minute, as the benchmark has them; and how due work is handed on.

use crate::turnstile::{Turnstile, Way};
use edge::{Again, World, due::hand_on};
use events::subscription::SubscriptionDueV1;
use jiff::SignedDuration;
use serde_json::json;
use souk::bench::Cost;
use souk::renewals::renewals;
use table::due::Work;
use tests::subscribing::*;
use tests::{Shop, Unwatched};

#[tokio::test(flavor = "multi_thread")]
async fn a13_3_sixty_renewals_of_one_minute_are_paid_and_numbered_once_each_below_nineteen_write_units() {
    let seen = renewals(60, &Unwatched).await.unwrap();
    assert_eq!(seen.wrong(), Vec::<String>::new());
    assert_eq!((seen.paid, seen.balance), (60, 0));
    // Spread over the shards that are read, by the digests of their names.
    assert_eq!((seen.shards.len(), seen.shards.iter().sum::<usize>()), (16, 60));
    // Sixteen of its own, two for its number, and its part of moving the series.
    let Cost { write, .. } = seen.together().of_one(seen.due);
    assert!((18_00..19_00).contains(&write), "{write} hundredths");
}

/// When a subscription that began at the shop's opening renews.
const RENEWAL: &str = "2026-04-02T09:00:00Z";

/// A run of the schedule whose calls of one operation all fail; what is due after it, and what the queue has.
async fn failed_run(shop: &Shop, operation: &'static str) -> (usize, i64) {
    let (market, name) = (&shop.market, "recurring-billing");
    let environment = market.cloud.environment(name).unwrap();
    let queue = environment["RECURRING_BILLING_QUEUE"].clone();
    let config = market.cloud.sdk_config(name);
    let (config, _) = Turnstile::in_the_way(config, operation, Way::Refuses(usize::MAX));
    let keys = market.world.keys.clone();
    let world = World::new(config, environment, market.clock.clone(), keys).unwrap();
    let payload = |id: &str| Some(SubscriptionDueV1 { subscription: id.parse().ok()? });
    let input = json!({"scheduled_at": RENEWAL});
    let run: Result<(), Again> = hand_on(world, input, Work::Subscription, Ok(queue.clone()), payload).await;
    assert!(run.is_err(), "a run without {operation} went well");
    let due = market.world.table.due_by_shard(Work::Subscription, RENEWAL.parse().unwrap()).await.unwrap();
    let (visible, _, _) = market.cloud.queue_depth(queue.rsplit('/').next().unwrap()).unwrap();
    (due.iter().sum(), visible)
}

#[tokio::test]
async fn due_work_is_deleted_only_once_the_queue_has_it_and_what_is_handed_on_twice_is_charged_once() {
    let market = Subscriptions::open().await;
    let first = market.subscribe("ten", "tok_approved").await;
    let second = market.subscribe("twenty", "tok_approved").await;
    let shop = &market.shop;
    shop.wait_until("2026-04-02T08:59:00Z").await;
    shop.market.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(failed_run(shop, "SendMessageBatch").await, (2, 0));
    assert_eq!(failed_run(shop, "BatchWriteItem").await, (2, 2));
    // The schedule's own run, whose messages are the third and fourth.
    shop.wait_minutes(5).await;
    let due = shop.market.world.table.due_by_shard(Work::Subscription, RENEWAL.parse().unwrap()).await;
    assert_eq!(due.unwrap(), [0; 16]);
    for (id, price) in [(first, "10.00"), (second, "20.00")] {
        assert_eq!(market.bills(&id).await, [("paid", price.to_owned()), ("paid", price.to_owned())]);
    }
    market.books_are_right().await;
}
