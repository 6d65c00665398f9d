//! Several writers at once: one wins, the others hear what has become of the thing.
//!
//! Every call to AWS lets the other racers go first, so racers who start together load together and commit
//! together; each race is run with later and later starts, so that its calls meet in every way.

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::HttpConnector;
use edge::{Function, World};
use events::Envelope;
use futures::future::{BoxFuture, join_all};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::api::Answer;
use souk::cloud::in_the_way;
use std::sync::Arc;
use tests::*;
use tokio::task::yield_now;

/// How many calls the second racer lets pass before it starts; a request makes about four.
const HEAD_STARTS: usize = 6;

/// A configuration whose clients let others go first.
pub(crate) fn polite(config: SdkConfig) -> SdkConfig {
    in_the_way(config, |request, aws| async move {
        yield_now().await;
        aws.call(request).await
    })
}

type Build = fn(&World) -> Function;

/// A shop whose functions are polite.
pub(crate) async fn open() -> Shop {
    let shop = Shop::open().await;
    let builds: [(&str, Build); 7] = [
        ("cart", cart::function),
        ("catalog", catalog::function),
        ("merchants", merchants::function),
        ("orders", orders::function),
        ("order-split", order_split::function),
        ("fulfillment", fulfillment::function),
        ("payout", payout::function),
    ];
    for (name, build) in builds {
        let cloud = &shop.market.cloud;
        let config = polite(cloud.sdk_config(name));
        let (clock, keys) = (shop.market.clock.clone(), shop.market.world.keys.clone());
        let function = build(&World::new(config, cloud.environment(name).unwrap(), clock, keys).unwrap());
        let handler = move |event| -> BoxFuture<'static, Result<Value, String>> {
            let function = function.clone();
            Box::pin(async move { function.call(event).await.map_err(|error| error.to_string()) })
        };
        cloud.register(name, Arc::new(handler));
    }
    shop
}

/// Runs all to their end, the n-th with n head starts let pass; answers in their order.
pub(crate) async fn at_once<T>(racers: Vec<BoxFuture<'_, T>>, head_start: usize) -> Vec<T> {
    let late = racers.into_iter().enumerate().map(|(n, racer)| async move {
        for _ in 0..n * head_start {
            yield_now().await;
        }
        racer.await
    });
    join_all(late).await
}

/// A request to each path with its body and a key of its own, at once.
async fn posts(shop: &Shop, requests: Vec<(String, Value)>, head_start: usize) -> Vec<Answer> {
    let racers = requests.into_iter().map(|(path, body)| -> BoxFuture<'_, Answer> {
        Box::pin(async move { shop.post(&path, &body).await })
    });
    at_once(racers.collect(), head_start).await
}

fn statuses(answers: &[Answer]) -> Vec<u16> {
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
    statuses.sort_unstable();
    statuses
}

async fn count(shop: &Shop, order: &str, name: &str) -> usize {
    shop.told(order).await.iter().filter(|told| *told == name).count()
}

async fn message(shop: &Shop, order: &str, name: &str) -> String {
    let events: Vec<Envelope> = shop.events(order).await;
    serde_json::to_string(events.iter().find(|event| event.name == name).unwrap()).unwrap()
}

#[tokio::test]
async fn two_cancellations_at_once_give_the_money_back_once() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let order = shop.paid_order(&format!("A-{round}"), json!([line(&alma, "mug", 2, "10.00")])).await;
        let request = (format!("/v1/orders/{order}/cancel"), json!({"reason": "changed mind"}));
        let answers = posts(&shop, vec![request.clone(), request], round).await;
        assert_eq!(statuses(&answers), [200, 200]);
        let replayed = answers.iter().filter(|answer| answer.headers.contains_key("idempotent-replayed"));
        assert_eq!(replayed.count(), 1);
        shop.settle().await;
        let view = shop.order(&order).await;
        assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("canceled", "20.00".into()));
        assert_eq!(count(&shop, &order, "order.canceled.v1").await, 1);
        assert_eq!(count(&shop, &order, "merchant_order.canceled.v1").await, 1);
    }
    assert_eq!(shop.accounts().await, [].into());
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_cancellation_against_the_split_leaves_canceled_parts_whoever_comes_first() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    let lines = json!([line(&alma, "mug", 2, "10.00"), line(&birch, "novel", 1, "5.00")]);
    for (round, split_first) in (0..HEAD_STARTS).flat_map(|round| [(round, true), (round, false)]) {
        let name = format!("A-{round}-{split_first}");
        let order = at(&shop.place(&name, lines.clone(), json!({})).await, "/id").to_owned();
        let placed = batch(&[message(&shop, &order, "order.placed.v1").await]);
        let path = format!("/v1/orders/{order}/cancel");
        let because = json!({"reason": "changed mind"});
        let mut racers: Vec<BoxFuture<'_, Value>> = vec![
            Box::pin(async { shop.post(&path, &because).await.body }),
            Box::pin(async { shop.market.cloud.invoke("order-split", placed).await.unwrap() }),
        ];
        // Either may come first.
        if split_first {
            racers.reverse();
        }
        let mut answers = at_once(racers, round).await;
        if split_first {
            answers.reverse();
        }
        assert_eq!(at(&answers[0], "/status"), "canceled");
        assert_eq!(answers[1]["batchItemFailures"], json!([]));
        shop.settle().await;
        let view = shop.order(&order).await;
        assert_eq!(at(&view, "/status"), "canceled");
        assert_eq!(at(&view, "/merchant_orders/0/status"), "canceled");
        assert_eq!(at(&view, "/merchant_orders/1/status"), "canceled");
        assert_eq!(count(&shop, &order, "merchant_order.created.v1").await, 2);
        assert_eq!(count(&shop, &order, "merchant_order.canceled.v1").await, 2);
    }
    assert_eq!(shop.accounts().await, [].into());
    shop.books_are_right().await;
}

#[tokio::test]
async fn units_are_shipped_once_however_many_parcels_claim_them() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let order = shop.paid_order(&format!("A-{round}"), json!([line(&alma, "mug", 2, "10.00")])).await;
        let path = format!("/v1/merchant-orders/{}", part(&order, 1));
        let parcel = |tracking: &str| {
            let lines = json!([{"line": 1, "quantity": 2}]);
            (format!("{path}/ship"), json!({"carrier": "dhl", "tracking_number": tracking, "lines": lines}))
        };
        let answers = posts(&shop, vec![parcel("T-1"), parcel("T-2")], round).await;
        assert_eq!(statuses(&answers), [200, 409]);
        let refused = answers.iter().find(|answer| answer.status == 409).unwrap();
        assert_problem(refused, 409, "line_units");
        let view = shop.merchant_order(&part(&order, 1)).await;
        assert_eq!(
            (&view["lines"][0]["shipped"], view["shipments"].as_array().unwrap().len()),
            (&json!(2), 1)
        );
        shop.settle().await;
        // The same parcel at once is one parcel.
        let again = shop.paid_order(&format!("B-{round}"), json!([line(&alma, "mug", 2, "10.00")])).await;
        let body = json!({"carrier": "dhl", "tracking_number": "T-3"});
        let request = (format!("/v1/merchant-orders/{}/ship", part(&again, 1)), body);
        let answers = posts(&shop, vec![request.clone(), request], round).await;
        assert_eq!(statuses(&answers), [200, 200]);
        assert_eq!(count(&shop, &again, "merchant_order.shipped.v1").await, 1);
    }
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_cancellation_against_a_parcel_moves_every_unit_one_way() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for (round, parcel_first) in (0..HEAD_STARTS).flat_map(|round| [(round, true), (round, false)]) {
        let name = format!("A-{round}-{parcel_first}");
        let order = shop.paid_order(&name, json!([line(&alma, "mug", 2, "10.00")])).await;
        let parcel = json!({"carrier": "dhl", "tracking_number": "T", "lines": [{"line": 1, "quantity": 1}]});
        let mut requests = vec![
            (format!("/v1/orders/{order}/cancel"), json!({"reason": "changed mind"})),
            (format!("/v1/merchant-orders/{}/ship", part(&order, 1)), parcel),
        ];
        if parcel_first {
            requests.reverse();
        }
        let mut answers = posts(&shop, requests, round).await;
        if parcel_first {
            answers.reverse();
        }
        shop.settle().await;
        assert_eq!(answers[0].status, 200);
        let (shipped, canceled, refunded) = match answers[1].status.as_u16() {
            200 => (1, 1, "10.00"),
            409 => (0, 2, "20.00"),
            other => panic!("{other} {}", answers[1].body),
        };
        let line = shop.merchant_order(&part(&order, 1)).await["lines"][0].clone();
        assert_eq!((&line["shipped"], &line["canceled"]), (&json!(shipped), &json!(canceled)));
        assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), refunded);
    }
    shop.books_are_right().await;
}

#[tokio::test]
async fn ten_intakes_of_the_same_name_at_once_make_one_order() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let body = order_body(&format!("A-{round}"), json!([line(&alma, "mug", 2, "10.00")]), json!({}));
        let answers = posts(&shop, vec![("/v1/orders".to_owned(), body); 10], round).await;
        assert_eq!(statuses(&answers), [200, 200, 200, 200, 200, 200, 200, 200, 200, 201]);
        let order = answers[0].text("/id").to_owned();
        assert!(answers.iter().all(|answer| answer.text("/id") == order));
        shop.settle().await;
        assert_eq!(count(&shop, &order, "order.placed.v1").await, 1);
    }
    assert_eq!(shop.accounts().await["receivable"], format!("{}.00", 20 * HEAD_STARTS));
    // Two contents under one name: one is the order, the other is refused.
    let body = |quantity| order_body("B-1", json!([line(&alma, "mug", quantity, "10.00")]), json!({}));
    let path = || "/v1/orders".to_owned();
    let answers = posts(&shop, vec![(path(), body(1)), (path(), body(2))], 0).await;
    assert_eq!(statuses(&answers), [201, 409]);
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn one_idempotency_key_that_comes_several_times_at_once_has_one_effect() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let order = shop.paid_order(&format!("A-{round}"), json!([line(&alma, "mug", 9, "1.00")])).await;
        let path = format!("/v1/merchant-orders/{}/reject", part(&order, 1));
        let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "broken"});
        let once = format!("once-{round}");
        let racers =
            (0..3).map(|_| -> BoxFuture<'_, Answer> { Box::pin(shop.api.post(&path, &body, &once)) });
        let answers = at_once(racers.collect(), round).await;
        assert_eq!(statuses(&answers), [200, 200, 200]);
        let manual = json!({"channel": "phone", "lines": [line(&alma, "mug", 1, "1.00")]});
        let racers = (0..3)
            .map(|_| -> BoxFuture<'_, Answer> { Box::pin(shop.api.post("/v1/orders", &manual, &once)) });
        let answers = at_once(racers.collect(), round).await;
        assert_eq!(statuses(&answers), [200, 200, 201]);
        assert!(answers.iter().all(|answer| answer.text("/id") == answers[0].text("/id")), "{answers:?}");
        let invite = json!({"name": "Birch", "external_id": format!("birch-{round}")});
        let racers = (0..3)
            .map(|_| -> BoxFuture<'_, Answer> { Box::pin(shop.api.post("/v1/merchants", &invite, &once)) });
        let answers = at_once(racers.collect(), round).await;
        assert_eq!(statuses(&answers), [200, 200, 201]);
        assert!(answers.iter().all(|answer| answer.text("/id") == answers[0].text("/id")), "{answers:?}");
        shop.settle().await;
        let line = shop.merchant_order(&part(&order, 1)).await["lines"][0].clone();
        assert_eq!(line["canceled"], json!(1));
        assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "1.00");
    }
    shop.books_are_right().await;
}

#[tokio::test]
async fn the_last_unit_is_refunded_once() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let order =
            shop.delivered_order(&format!("A-{round}"), json!([line(&alma, "mug", 1, "10.00")])).await;
        let lines = json!([{"line": 1, "quantity": 1}]);
        let body = json!({"merchant_order": part(&order, 1), "lines": lines, "reason": "broken"});
        let request = (format!("/v1/orders/{order}/refund"), body);
        let answers = posts(&shop, vec![request.clone(), request], round).await;
        assert_eq!(statuses(&answers), [200, 409]);
        shop.settle().await;
        assert_eq!(eur_at(&shop.order(&order).await, "/totals/refunded"), "10.00");
    }
    assert_eq!(shop.accounts().await, [].into());
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_payout_that_is_due_twice_at_once_is_made_once() {
    let shop = open().await;
    for round in 0..HEAD_STARTS {
        let alma = shop.merchant(&format!("alma-{round}"), json!({"every": "day"})).await;
        shop.delivered_order(&format!("A-{round}"), json!([line(&alma, "mug", 2, "10.00")])).await;
        shop.wait_days(3).await;
        // To the morning after the payable day, past the schedule: the test brings its messages itself.
        shop.market.clock.advance(SignedDuration::from_hours(24));
        assert_eq!(shop.payouts(&alma).await, Vec::<Value>::new());
        let due = |id: &str| {
            let (id, m) = (format!("due:{alma}:{id}"), marketplace_id());
            let envelope = json!({
                "id": format!("{id}.0"), "name": "payout.due.v1", "marketplace": m, "at": START,
                "subject": id, "step": 0, "actor": "system:payout", "cause": id, "correlation": id,
                "data": {"merchant": alma},
            });
            batch(&[envelope.to_string()])
        };
        let racers = [due("x"), due("x"), due("y")].map(|due| -> BoxFuture<'_, Value> {
            Box::pin(async { shop.market.cloud.invoke("payout", due).await.unwrap() })
        });
        for answer in at_once(racers.into(), round).await {
            assert_eq!(answer["batchItemFailures"], json!([]));
        }
        let payouts = shop.payouts(&alma).await;
        assert_eq!((payouts.len(), eur_at(&payouts[0], "/amount")), (1, "17.00".into()));
        assert_eq!(at(&payouts[0], "/status"), "sent");
        shop.wait_days(2).await;
        assert_eq!(shop.payouts(&alma).await.len(), 1);
        assert_eq!(count(&shop, &alma, "payout.created.v1").await, 1);
        assert_eq!(count(&shop, &alma, "payout.sent.v1").await, 1);
    }
    shop.books_are_right().await;
}

#[tokio::test]
async fn a7_1_a_hundred_orders_of_a_channel_and_one_unit_promise_it_once() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let offer = shop.stocked(&alma, "mug", 1).await;
    let request = |n: usize| {
        let lines = json!([line(&alma, "mug", 1, "10.00")]);
        ("/v1/orders".to_owned(), order_body(&format!("A-{n}"), lines, json!({})))
    };
    let answers = posts(&shop, (0..100).map(request).collect(), 0).await;
    // A channel has sold it: nobody is refused, and what is not there is told.
    assert_eq!(statuses(&answers), vec![201; 100]);
    let mut short = 0;
    for answer in &answers {
        let order = answer.text("/id");
        short += count(&shop, order, "order.shortage_raised.v1").await;
    }
    // On hand, allocated, available.
    assert_eq!((short, shop.stock(&offer).await), (99, (1, 1, 0)));
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a1_5_an_exception_is_resolved_exactly_once() {
    let shop = open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for round in 0..HEAD_STARTS {
        let more = json!({"payments": [{"method": "card", "amount": eur("9.00")}]});
        let name = format!("A-{round}");
        let order = shop.place(&name, json!([line(&alma, "mug", 1, "10.00")]), more).await;
        let order = at(&order, "/id").to_owned();
        let request = |why: &str| (format!("/v1/orders/{order}/resolve-exception"), json!({"reason": why}));
        let answers = posts(&shop, vec![request("a discount"), request("a loss")], round).await;
        assert_eq!(statuses(&answers), [200, 200]);
        assert_eq!(count(&shop, &order, "order.exception_resolved.v1").await, 1);
    }
    shop.settle().await;
    let resolved = shop.accounts().await["adjustments"].clone();
    assert_eq!(resolved, format!("{HEAD_STARTS}.00"));
    shop.books_are_right().await;
}
