//! How fast it is: run by hand in a release build.

use super::*;
use std::time::Instant;

const ORDERS: usize = 2_000;
const STEPS: u64 = 8;

/// A commit of five items and the outbox item that leads to the next one.
async fn step(client: &aws_sdk_dynamodb::Client, order: u64, step: u64) -> Result<(), String> {
    let put = |sort: String, kind: &str, event: String| {
        let put = Put::builder()
            .table_name("souk-Table")
            .item("PK", text(format!("order#{order}")))
            .item("SK", text(sort))
            .item("GSI1PK", text(format!("day#{}", order % 16)))
            .item("kind", text(kind))
            .item("note", text("x".repeat(300)))
            .item("event", text(event));
        TransactWriteItem::builder().put(put.build().unwrap()).build()
    };
    let mut items: Vec<_> = (0..5).map(|line| put(format!("L#{line}"), "line.1", String::new())).collect();
    let event = json!({ "order": order, "step": step }).to_string();
    items.push(put(format!("EVT#{step}"), "outbox.1", event));
    let get = client.get_item().table_name("souk-Table").consistent_read(true);
    let get = get.key("PK", text(format!("order#{order}"))).key("SK", text("L#0"));
    get.send().await.map_err(|error| format!("{error:?}"))?;
    let commit = client.transact_write_items().set_transact_items(Some(items)).send().await;
    commit.map(|_| ()).map_err(|error| format!("{error:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, not a proof: cargo test -p souk --release -- --ignored --nocapture"]
async fn orders_of_eight_commits_pass_at_more_than_a_hundred_a_second() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = Cloud::open(template(), Place::Folder(folder.path().to_owned()), clock()).await.unwrap();
    cloud.register("outbox", relay(&cloud));
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("mail"));
    let consumer = client.clone();
    cloud.register(
        "mail",
        Arc::new(move |event: Value| {
            let client = consumer.clone();
            async move {
                for record in event["Records"].as_array().into_iter().flatten() {
                    let event: Value = serde_json::from_str(record["body"].as_str().unwrap()).unwrap();
                    let (order, done) = (event["order"].as_u64().unwrap(), event["step"].as_u64().unwrap());
                    if done < STEPS {
                        step(&client, order, done + 1).await?;
                    }
                }
                Ok(json!({ "batchItemFailures": [] }))
            }
            .boxed()
        }),
    );
    let start = Instant::now();
    for order in 0..ORDERS {
        step(&client, order as u64, 1).await.unwrap();
    }
    let placed = start.elapsed();
    let settled = cloud.settle().await.unwrap();
    let all = start.elapsed();
    let memory = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = memory.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned();
    eprintln!(
        "{ORDERS} orders of {STEPS} commits: placed in {placed:?}, settled in {all:?}, {settled:?}, {peak}"
    );
    assert_eq!((settled.failures, settled.waiting, settled.dead), (0, 0, 0));
    assert!(all.as_secs() < 20, "{all:?}");
}
