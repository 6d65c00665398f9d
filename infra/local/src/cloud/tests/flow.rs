//! The way of an event: commit, stream, relay, bus, queue, consumer; its failures; the clock.

use super::*;
use jiff::SignedDuration;
use std::sync::atomic::{AtomicUsize, Ordering};

fn orders(seen: &Seen) -> Vec<u64> {
    let mut orders: Vec<u64> = seen.all().iter().map(|event| event["order"].as_u64().unwrap()).collect();
    orders.sort_unstable();
    orders
}

#[tokio::test]
async fn what_is_committed_reaches_the_consumer_of_its_event() {
    let (cloud, seen) = wired().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    for number in 0..25 {
        commit(&client, number).await;
    }
    let settled = cloud.settle().await.unwrap();
    assert_eq!(orders(&seen), (0..25).collect::<Vec<_>>());
    assert_eq!((settled.failures, settled.waiting, settled.dead, settled.stuck_streams), (0, 0, 0, 0));
    assert_eq!(cloud.settle().await.unwrap().invocations, 0);
}

#[tokio::test]
async fn functions_must_match_the_template_in_both_directions() {
    let (cloud, seen) = wired().await;
    let missing = cloud.check_wired().unwrap_err().to_string();
    assert_eq!(missing, "functions of the template without a handler: orders");
    cloud.register("orders", seen.bodies());
    cloud.check_wired().unwrap();
    cloud.register("stray", seen.bodies());
    assert_eq!(
        cloud.check_wired().unwrap_err().to_string(),
        "handlers that the template does not know: stray"
    );
}

#[tokio::test]
async fn a_function_gets_its_environment_with_the_globals_under_it() {
    let cloud = in_memory().await;
    let environment = cloud.environment("orders").unwrap();
    let url = "https://sqs.us-east-1.amazonaws.com/000000000000/souk-MailQueue";
    let expected = [("BUS", "souk"), ("QUEUE", url), ("TABLE", "souk-Table")];
    assert_eq!(environment, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    assert!(cloud.environment("unknown").is_err());
}

#[tokio::test]
async fn only_the_failed_messages_of_a_batch_come_again_after_their_time() {
    let cloud = in_memory().await;
    let (seen, failed) = (Seen::default(), AtomicUsize::new(0));
    let noted = seen.clone();
    let consumer = handler(move |event| {
        let mut failures = Vec::new();
        for record in event["Records"].as_array().unwrap() {
            let body: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
            if body["order"] == 3 && failed.fetch_add(1, Ordering::SeqCst) == 0 {
                failures.push(json!({ "itemIdentifier": record["messageId"] }));
            } else {
                let receives = &record["attributes"]["ApproximateReceiveCount"];
                noted.push(json!({ "order": body["order"], "receives": receives }));
            }
        }
        Ok(json!({ "batchItemFailures": failures }))
    });
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", consumer);
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    for number in 0..6 {
        commit(&client, number).await;
    }
    let settled = cloud.settle().await.unwrap();
    assert_eq!((orders(&seen), settled.waiting), (vec![0, 1, 2, 4, 5], 1));
    cloud.advance(SignedDuration::from_secs(59)).await.unwrap();
    assert_eq!(seen.len(), 5);
    cloud.advance(SignedDuration::from_secs(1)).await.unwrap();
    assert_eq!(orders(&seen), vec![0, 1, 2, 3, 4, 5]);
    assert_eq!(seen.all().last().unwrap()["receives"], "2");
}

#[tokio::test]
async fn a_message_that_fails_too_often_lies_with_the_dead_letters_until_it_is_replayed() {
    let (cloud, seen) = wired().await;
    let tried = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tried);
    cloud.register(
        "mail",
        handler(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            panic!("a bug")
        }),
    );
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    commit(&client, 7).await;
    let settled = cloud.settle_with_retries().await.unwrap();
    assert_eq!((tried.load(Ordering::SeqCst), settled.failures, settled.dead, settled.waiting), (3, 3, 1, 0));
    let letter = cloud.dead_letters().unwrap().remove(0);
    assert_eq!((letter.queue.as_str(), letter.origin.as_deref()), ("souk-MailDead", Some("souk-MailQueue")));

    // Sent back it is as new: older than its queue keeps anything, it fails once more and is still there.
    cloud.advance(SignedDuration::from_hours(5 * 24)).await.unwrap();
    assert_eq!(cloud.replay_dead_letters("souk-MailDead").unwrap(), 1);
    cloud.advance(SignedDuration::from_secs(1)).await.unwrap();
    cloud.register("mail", seen.bodies());
    let settled = cloud.settle_with_retries().await.unwrap();
    assert_eq!((orders(&seen), settled.dead), (vec![7], 0));
    assert!(cloud.replay_dead_letters("souk-MailQueue").is_err());
}

#[tokio::test]
async fn a_poison_record_is_isolated_told_of_and_passed() {
    let (cloud, seen) = wired().await;
    let good = relay(&cloud);
    cloud.register(
        "outbox",
        Arc::new(move |event: Value| {
            let poison = event.to_string().contains(r#"{\"order\":5}"#);
            if poison { async { Err("poison".to_owned()) }.boxed() } else { good(event) }
        }),
    );
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    for number in 0..12 {
        commit(&client, number).await;
    }
    let first = cloud.settle().await.unwrap();
    assert_eq!(first.stuck_streams, 1);
    let settled = cloud.settle_with_retries().await.unwrap();
    assert_eq!(orders(&seen), [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
    assert_eq!((settled.dead, settled.stuck_streams), (1, 0));
    let letter = cloud.dead_letters().unwrap().remove(0);
    let body: Value = serde_json::from_str(&letter.body).unwrap();
    assert_eq!((letter.queue.as_str(), letter.origin), ("souk-OutboxDead", None));
    assert_eq!(body["DDBStreamBatchInfo"]["batchSize"], 1);
    assert_eq!(body["requestContext"]["condition"], "RetryAttemptsExhausted");
}

#[tokio::test]
async fn a_restart_loses_no_event_wherever_it_comes() {
    let folder = tempfile::tempdir().unwrap();
    let time = clock();
    {
        let cloud = in_folder(folder.path(), time.clone()).await;
        let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
        for number in 0..4 {
            commit(&client, number).await;
        }
    }
    {
        let cloud = in_folder(folder.path(), time.clone()).await;
        cloud.register("outbox", relay(&cloud));
        cloud.register("mail", handler(|_| Err("not now".to_owned())));
        cloud.settle().await.unwrap();
        assert_eq!(cloud.queue_depth("souk-MailQueue").unwrap(), (0, 4, 0));
    }
    let cloud = in_folder(folder.path(), time).await;
    let seen = Seen::default();
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", seen.bodies());
    assert_eq!(cloud.settle().await.unwrap().waiting, 4);
    cloud.advance(SignedDuration::from_secs(60)).await.unwrap();
    assert_eq!(orders(&seen), vec![0, 1, 2, 3]);
}

#[tokio::test]
async fn a_folder_belongs_to_one_cloud_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = in_folder(folder.path(), clock()).await;
    let place = Place::Folder(folder.path().to_owned());
    let second = Cloud::open(template(), place.clone(), clock()).await;
    assert!(matches!(second, Err(CloudError::InUse(_))), "{second:?}");
    drop(first);
    Cloud::open(template(), place, clock()).await.unwrap();
}

#[tokio::test]
async fn a_message_in_work_at_a_kill_comes_again_after_the_restart() {
    let folder = tempfile::tempdir().unwrap();
    let time = clock();
    let (started, mut starts) = tokio::sync::mpsc::unbounded_channel();
    let killed = in_folder(folder.path(), time.clone()).await;
    killed.register("outbox", relay(&killed));
    killed.register(
        "mail",
        Arc::new(move |_| {
            started.send(()).unwrap();
            futures::future::pending().boxed()
        }),
    );
    commit(&aws_sdk_dynamodb::Client::new(&killed.sdk_config("orders")), 1).await;
    let running = killed.clone();
    let _working = tokio::spawn(async move { running.settle().await });
    starts.recv().await.unwrap();
    // What a kill would leave behind at this moment.
    let left = tempfile::tempdir().unwrap();
    for name in ["tables.sqlite", "tables.sqlite-wal", "cloud.sqlite", "cloud.sqlite-wal"] {
        std::fs::copy(folder.path().join(name), left.path().join(name)).unwrap();
    }

    let cloud = in_folder(left.path(), time).await;
    let seen = Seen::default();
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", seen.bodies());
    cloud.settle().await.unwrap();
    assert_eq!(orders(&seen), vec![1]);
}

#[tokio::test]
async fn the_stream_is_trimmed_behind_its_readers_and_goes_on() {
    let (cloud, seen) = wired().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    for number in 0..3 {
        commit(&client, number).await;
    }
    cloud.settle().await.unwrap();
    cloud.inner.trim("souk-Table").unwrap();
    assert_eq!(cloud.inner.dynamo.records("souk-Table", 0, 100, &[]).unwrap().len(), 1);
    commit(&client, 3).await;
    cloud.settle().await.unwrap();
    assert_eq!(orders(&seen), vec![0, 1, 2, 3]);
}

#[tokio::test]
async fn advancing_steps_through_every_occurrence_of_every_schedule() {
    let cloud = in_memory().await;
    let seen = Seen::default();
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", seen.events(Value::Null));
    let settled = cloud.settle().await.unwrap();
    assert_eq!(settled.invocations, 0, "nothing runs for the past at the first start");
    cloud.advance(SignedDuration::from_hours(24)).await.unwrap();
    let runs: Vec<String> = seen
        .all()
        .iter()
        .map(|event| format!("{} {}", event["at"].as_str().unwrap(), event["job"].as_str().unwrap()))
        .collect();
    let expected = [
        "2026-11-23T11:00:00Z often",
        "2026-11-23T17:00:00Z often",
        "2026-11-23T23:00:00Z often",
        "2026-11-24T03:00:00Z daily",
        "2026-11-24T05:00:00Z often",
    ];
    assert_eq!(runs, expected);
    assert_eq!(cloud.time().now().to_string(), "2026-11-24T05:00:00Z");
}

#[tokio::test]
async fn a_schedule_that_dozes_passes_over_runs_while_none_of_its_work_is_due() {
    let cloud = in_memory().await;
    let (seen, client) = (Seen::default(), aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders")));
    cloud.register("outbox", relay(&cloud));
    cloud.register("mail", seen.events(Value::Null));
    cloud.doze("mail", "DUE#mail#", |key| key.split('#').next()?.parse().ok());
    let works = [
        ("DUE#mail#1", "2026-11-23T20:00:00Z#late"),
        ("DUE#mail#0", "2026-11-23T16:30:00Z#early"),
        ("DUE#other#0", "2026-11-23T06:00:00Z#another's"),
    ];
    for (part, sort) in works {
        let put = client.put_item().table_name("souk-Table").item("PK", text(part)).item("SK", text(sort));
        put.send().await.unwrap();
    }
    cloud.advance(SignedDuration::from_hours(24)).await.unwrap();
    let runs: Vec<Value> = seen.all().iter().map(|event| event["at"].clone()).collect();
    let expected =
        ["2026-11-23T17:00:00Z", "2026-11-23T23:00:00Z", "2026-11-24T03:00:00Z", "2026-11-24T05:00:00Z"];
    assert_eq!(runs, expected, "the run at eleven would have found nothing");

    for (part, sort) in works {
        let gone = client.delete_item().table_name("souk-Table").key("PK", text(part)).key("SK", text(sort));
        gone.send().await.unwrap();
    }
    cloud.advance(SignedDuration::from_hours(24)).await.unwrap();
    assert_eq!(seen.len(), expected.len(), "nothing is due any more");
}

#[tokio::test]
async fn in_the_background_new_work_is_done_at_once() {
    let (cloud, _) = wired().await;
    let (arrived, mut arrivals) = tokio::sync::mpsc::unbounded_channel();
    cloud.register(
        "mail",
        handler(move |event| {
            arrived.send(event).unwrap();
            Ok(json!({ "batchItemFailures": [] }))
        }),
    );
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = cloud.clone();
    let running =
        tokio::spawn(
            async move { running.run_until_stopped(async { stopped.await.unwrap_or_default() }).await },
        );
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    commit(&client, 1).await;
    assert_eq!(arrivals.recv().await.unwrap()["Records"][0]["body"], r#"{"order":1}"#);
    commit(&client, 2).await;
    assert_eq!(arrivals.recv().await.unwrap()["Records"][0]["body"], r#"{"order":2}"#);
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
}
