//! Numbers of invoices: each document of a year gets one, none is left out and none is given twice, whoever gives them
//! and whatever breaks.

use aws_config::SdkConfig;
use aws_config::retry::RetryConfig;
use aws_smithy_runtime_api::client::http::HttpConnector;
use aws_smithy_runtime_api::client::result::ConnectorError;
use domain::Money;
use domain::id::{CustomerId, InvoiceId, PlanId, SubscriptionId};
use domain::invoice::{Cause, Invoice, Kind, Line, Stage, What};
use domain::period::Period;
use domain::tax::Reason;
use edge::{Function, World};
use events::{Change, Context};
use futures::future::{join, join_all};
use jiff::{SignedDuration, Timestamp};
use souk::cloud::in_the_way;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use table::{Fault, Held, Key};
use tests::*;
use tokio::task::yield_now;

/// What becomes of a call of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Well,
    NotDone,
    /// Done, and said to have failed.
    NotHeard,
}

/// The fate of the n-th call, counted from 0.
type Fates = fn(usize, usize) -> Fate;

fn well(_: usize, _: usize) -> Fate {
    Fate::Well
}

/// Who gives numbers, until its `last` call; what is not answered is not asked again.
fn giver(shop: &Shop, fates: Fates, last: usize) -> Function {
    invoices::function(&world(shop, fates, last))
}

fn world(shop: &Shop, fates: Fates, last: usize) -> World {
    let config: SdkConfig = shop.market.cloud.sdk_config("invoices");
    let calls = Arc::new(AtomicUsize::new(0));
    // Others go first before each call, and some calls go wrong.
    let config = in_the_way(config, move |request, aws| {
        let calls = calls.clone();
        async move {
            yield_now().await;
            let gone = || Err(ConnectorError::io("nobody answers".into()));
            let fate = fates(calls.fetch_add(1, Ordering::SeqCst), last);
            if fate == Fate::NotDone {
                return gone();
            }
            let answer = aws.call(request).await;
            if fate == Fate::NotHeard { gone() } else { answer }
        }
    });
    let config = config.into_builder().retry_config(RetryConfig::disabled()).build();
    let (clock, keys) = (shop.market.clock.clone(), shop.market.world.keys.clone());
    World::new(config, shop.market.cloud.environment("invoices").unwrap(), clock, keys).unwrap()
}

/// A document of a subscription of its own.
fn document(of: u128, opened_at: Timestamp) -> Invoice {
    let subscription = SubscriptionId::from_bits(of);
    let eur = |minor| Money { minor, currency: "EUR".parse().unwrap() };
    let period = Period { from: opened_at, until: opened_at + SignedDuration::from_hours(24 * 30) };
    let line = Line {
        what: What::Charge,
        plan: PlanId::from_bits(1),
        quantity: 1,
        period,
        base: eur(10_00),
        tax: eur(0),
        percent: 0.into(),
        reason: Reason::NotConfigured,
    };
    Invoice {
        id: InvoiceId::of(&subscription, 1),
        subscription,
        customer: CustomerId::from_bits(of),
        kind: Kind::Invoice,
        cause: Cause::Renewal,
        period,
        lines: vec![line],
        credit: eur(0),
        opened_at,
        bill_to: None,
        corrects: None,
        number: None,
        stage: Stage::Open,
    }
}

/// Documents of a year, a second apart, in the table.
async fn opened(shop: &Shop, year: i16, (first, count): (u128, u128)) -> Vec<Invoice> {
    let begin = moment(&format!("{year}-03-01T00:00:00Z"));
    let mut documents = Vec::new();
    for n in first..first + count {
        let at = begin + SignedDuration::from_secs(i64::try_from(n).unwrap());
        documents.push(document(u128::try_from(year).unwrap() * 1_000 + n, at));
        shop.keep(documents.last().unwrap()).await;
    }
    documents
}

/// `invoice.opened.v1` as it lies in the queue.
fn message(invoice: &Invoice) -> String {
    let word = || "test".to_owned();
    let context = Context { at: invoice.opened_at, actor: word(), cause: word(), correlation: word() };
    let facts = [events::invoice::opened(invoice).unwrap()];
    let (m, subject) = (marketplace_id(), invoice.id.as_str());
    let change = Change { marketplace: &m, subject, step: 1, context: &context, facts: &facts };
    serde_json::to_string(&change.envelopes()[0]).unwrap()
}

/// Hands messages over; answers those that come again.
async fn hand_over(giver: &Function, messages: Vec<String>) -> Vec<String> {
    let answer = giver.call(batch(&messages)).await.unwrap();
    let failures = answer["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let failed: Vec<String> = failures
        .iter()
        .map(|one| at(one, "/itemIdentifier").trim_start_matches("message-").to_owned())
        .collect();
    failed.iter().map(|place| messages[place.parse::<usize>().unwrap()].clone()).collect()
}

/// The numbers of documents, as they are kept.
async fn numbers(shop: &Shop, documents: &[Invoice]) -> Vec<String> {
    let keys: Vec<Key> =
        documents.iter().map(|one| Key::invoice(&marketplace_id(), &one.id).unwrap()).collect();
    let held: Vec<Held<Invoice>> = shop.market.world.table.load_all(&keys).await.unwrap();
    held.iter().map(|held| held.value.number.map(|number| number.to_string()).unwrap_or_default()).collect()
}

fn run(year: i16, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    numbers.map(|number| format!("{year}-{number:06}")).collect()
}

#[tokio::test]
async fn five_hundred_documents_and_four_givers_are_numbers_1_to_500_however_much_is_lost_or_comes_twice() {
    let fates: Fates = |call, _| match (call % 37, call % 53) {
        (11, _) => Fate::NotDone,
        (_, 17) => Fate::NotHeard,
        _ => Fate::Well,
    };
    let shop = Shop::open().await;
    let documents = opened(&shop, 2026, (0, 500)).await;
    // Every message twice, in an order of its own.
    let messages: Vec<String> = (0..1_000).map(|n| message(&documents[n * 379 % 500])).collect();
    let queue: VecDeque<Vec<String>> = messages.chunks(90).map(<[String]>::to_vec).collect();
    let queue = Arc::new(Mutex::new(queue));
    let workers = (0..4).map(|_| async {
        let giver = giver(&shop, fates, 0);
        loop {
            let Some(batch) = queue.lock().unwrap().pop_front() else { return };
            let again = hand_over(&giver, batch).await;
            if !again.is_empty() {
                queue.lock().unwrap().push_back(again);
            }
        }
    });
    join_all(workers).await;
    let mut given = numbers(&shop, &documents).await;
    given.sort();
    assert_eq!(given, run(2026, 1..=500));
    // Whoever comes late changes nothing.
    let late = hand_over(&giver(&shop, well, 0), messages[..90].to_vec()).await;
    assert_eq!(late, [""; 0]);
    let mut still = numbers(&shop, &documents).await;
    still.sort();
    assert_eq!(still, given);
}

/// One who gives three numbers dies at each of its calls in turn, before it or right after it; then others ask for two,
/// and only then its messages come again.
#[tokio::test]
async fn a_giver_that_dies_at_any_of_its_calls_leaves_no_gap_and_no_number_given_twice() {
    let before: Fates = |call, last| if call < last { Fate::Well } else { Fate::NotDone };
    let after: Fates = |call, last| match call.cmp(&last) {
        std::cmp::Ordering::Less => Fate::Well,
        std::cmp::Ordering::Equal => Fate::NotHeard,
        std::cmp::Ordering::Greater => Fate::NotDone,
    };
    let shop = Shop::open().await;
    let mut first_or_last = [0, 0];
    for (fates, from) in [(before, 2_100_i16), (after, 2_300)] {
        for last in 0.. {
            let year = from + i16::try_from(last).unwrap();
            let (threes, twos) = (opened(&shop, year, (0, 3)).await, opened(&shop, year, (5, 2)).await);
            let messages = threes.iter().map(message).collect();
            let again = hand_over(&giver(&shop, fates, last), messages).await;
            let died = !again.is_empty();
            let healthy = giver(&shop, well, 0);
            assert_eq!(hand_over(&healthy, twos.iter().map(message).collect()).await, [""; 0]);
            if died {
                assert_eq!(hand_over(&healthy, again).await, [""; 0]);
            }
            let (of_threes, of_twos) = (numbers(&shop, &threes).await, numbers(&shop, &twos).await);
            if of_threes == run(year, 1..=3) {
                assert_eq!(of_twos, run(year, 4..=5), "{last}");
                first_or_last[0] += 1;
            } else {
                assert_eq!((of_threes, of_twos), (run(year, 3..=5), run(year, 1..=2)), "{last}");
                first_or_last[1] += 1;
            }
            if !died {
                // Two reads, the series, the documents again, the giving, three numbers.
                assert!(last >= 6, "{last}");
                break;
            }
        }
    }
    assert!(first_or_last.iter().all(|times| *times > 2), "{first_or_last:?}");
}

#[tokio::test]
async fn documents_of_two_years_in_one_batch_get_numbers_of_their_own_years() {
    let shop = Shop::open().await;
    let at = ["2026-12-31T23:59:59.999Z", "2027-01-01T00:00:00Z", "2026-12-31T12:00:00Z"];
    let mut documents = Vec::new();
    for (n, at) in (1..).zip(at) {
        documents.push(document(n, moment(at)));
        shop.keep(documents.last().unwrap()).await;
    }
    hand_over(&giver(&shop, well, 0), documents.iter().map(message).collect()).await;
    assert_eq!(numbers(&shop, &documents).await, ["2026-000002", "2027-000001", "2026-000001"]);
}

#[tokio::test]
async fn an_unreadable_message_and_one_of_no_document_come_again_alone() {
    let shop = Shop::open().await;
    let documents = opened(&shop, 2026, (0, 2)).await;
    let (nothing, unreadable) = (message(&document(77, documents[0].opened_at)), "{".to_owned());
    let unknown = message(&documents[0]).replace("inv_", "inx_");
    let bad = [nothing, unreadable, unknown];
    let mut messages: Vec<String> = documents.iter().map(message).collect();
    messages.splice(1..1, bad.clone());
    let mut again = hand_over(&giver(&shop, well, 0), messages).await;
    again.sort();
    let mut bad = bad.to_vec();
    bad.sort();
    assert_eq!(again, bad);
    assert_eq!(numbers(&shop, &documents).await, run(2026, 1..=2));
}

/// A payment that pays a document while it gets its number, the two begun in every way apart.
#[tokio::test]
async fn a_document_that_is_paid_while_it_gets_its_number_loses_neither() {
    let shop = Shop::open().await;
    for apart in 0..16 {
        let year = 2_100 + i16::try_from(apart).unwrap();
        let documents = opened(&shop, year, (0, 1)).await;
        let wait = |calls: usize| async move {
            for _ in 0..calls {
                yield_now().await;
            }
        };
        let giving = async {
            wait(8_usize.saturating_sub(apart)).await;
            hand_over(&giver(&shop, well, 0), vec![message(&documents[0])]).await
        };
        let paying = async {
            wait(apart.saturating_sub(8)).await;
            let (world, m) = (world(&shop, well, 0), marketplace_id());
            loop {
                let held = world.table.invoice(&m, &documents[0].id).await.unwrap().unwrap();
                let since = documents[0].opened_at;
                let paid = Invoice { stage: Stage::Paid { since }, ..held.value.clone() };
                match world.table.put(&m, Some(&held), &paid).await {
                    Ok(_) => return,
                    Err(Fault::Busy) => {}
                    Err(fault) => panic!("{fault}"),
                }
            }
        };
        let (again, ()) = join(giving, paying).await;
        assert_eq!(again, [""; 0], "{apart}");
        let held =
            shop.market.world.table.invoice(&marketplace_id(), &documents[0].id).await.unwrap().unwrap();
        assert_eq!(held.value.status(), "paid", "{apart}");
        assert_eq!(held.value.number.unwrap().to_string(), format!("{year}-000001"), "{apart}");
    }
}
