//! What did not arrive: tried again, given up, replayed; endpoints that are suspended, paused and resumed.

use super::*;
use domain::webhook::{Delivery, Endpoint};
use table::Key;

/// What a message's status is, and the codes of its tries.
async fn state(shop: &Shop, id: &str) -> (String, Vec<u64>) {
    let shown = delivery(shop, id).await;
    let tries = shown["tries"].as_array().unwrap().iter().map(|one| one["code"].as_u64().unwrap_or(0));
    (at(&shown, "/status").to_owned(), tries.collect())
}

#[tokio::test]
async fn what_fails_is_tried_again_with_the_same_id_and_text_until_it_arrives() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (_, secret) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    receiver.answers_with(500, ("x-odd", "1"), "out of order");
    happens(&shop, "mugs").await;
    let first = receiver.take();
    let id = first[0].id().to_owned();
    assert_eq!(state(&shop, &id).await, ("pending".to_owned(), vec![500]));
    let shown = delivery(&shop, &id).await;
    assert_eq!(
        (at(&shown, "/tries/0/answer"), at(&shown, "/next_at")),
        ("out of order", "2026-03-02T09:01:00Z")
    );
    shop.wait_until("2026-03-02T09:01:00Z").await;
    assert_eq!(receiver.take().len(), 1);
    shop.wait_until("2026-03-02T09:05:00Z").await;
    assert_eq!(receiver.take().len(), 0);
    receiver.answers(204);
    shop.wait_until("2026-03-02T09:06:00Z").await;
    let last = receiver.take();
    assert_eq!((last[0].id(), &last[0].text), (id.as_str(), &first[0].text));
    assert!(last[0].holds(&secret));
    assert_eq!(state(&shop, &id).await, ("delivered".to_owned(), vec![500, 500, 204]));
    shop.wait_days(5).await;
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn after_ten_tries_a_message_has_failed_and_after_five_days_its_endpoint_is_suspended() {
    let (shop, receiver, other) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    endpoint(&shop, &other, &["webhook.endpoint_suspended.v1"], json!({})).await;
    receiver.answers(503);
    happens(&shop, "mugs").await;
    shop.wait_days(4).await;
    let got = receiver.take();
    assert_eq!(got.len(), 10);
    assert_eq!(state(&shop, got[0].id()).await, ("failed".to_owned(), vec![503; 10]));
    assert_eq!(at(&delivery(&shop, got[0].id()).await, "/failed_for"), "exhausted");
    let failing = shop.get(&format!("{ENDPOINTS}/{id}")).await;
    assert_eq!((at(&failing, "/status"), at(&failing, "/failing_since")), ("active", "2026-03-02T09:00:00Z"));
    happens(&shop, "cups").await;
    assert_eq!(other.names(), Vec::<String>::new());
    shop.wait_days(2).await;
    let suspended = shop.get(&format!("{ENDPOINTS}/{id}")).await;
    assert_eq!((at(&suspended, "/status"), at(&suspended, "/suspended_for")), ("suspended", "failing"));
    let told = other.take();
    let body: Value = serde_json::from_str(&told[0].text).unwrap();
    assert_eq!(
        (told.len(), at(&body, "/data/endpoint"), at(&body, "/data/reason")),
        (1, id.as_str(), "failing")
    );
    receiver.take();
    happens(&shop, "bowls").await;
    assert_eq!(receiver.take().len(), 0, "nothing is sent to who is suspended");
    receiver.answers(204);
    assert_eq!(at(&act(&shop, &id, "resume").await, "/status"), "active");
    shop.settle().await;
    happens(&shop, "plates").await;
    assert_eq!(receiver.names(), ["category.changed.v1"]);
}

#[tokio::test]
async fn who_answers_410_wants_no_more() {
    let (shop, receiver, other) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["*"], json!({})).await;
    endpoint(&shop, &other, &["webhook.*"], json!({})).await;
    shop.done("/v1/messages/routing", &json!({"operators": ["ops@shop.example"]})).await;
    shop.settle().await;
    for quiet in [&receiver, &other] {
        quiet.take();
    }
    receiver.answers(410);
    happens(&shop, "mugs").await;
    assert_eq!(receiver.names(), ["category.changed.v1"]);
    assert_eq!(other.names(), ["webhook.endpoint_suspended.v1"]);
    let suspended = shop.get(&format!("{ENDPOINTS}/{id}")).await;
    assert_eq!((at(&suspended, "/status"), at(&suspended, "/suspended_for")), ("suspended", "gone"));
    let failed = log(&shop, &id, "&status=failed").await;
    assert_eq!((failed.len(), at(&failed[0], "/failed_for")), (1, "gone"));
    shop.wait_days(4).await;
    assert_eq!(receiver.names(), Vec::<String>::new());
    let story = shop.get(&format!("/v1/audit/{id}")).await;
    assert_eq!(at(&story, "/items/1/facts/0/name"), "webhook.endpoint_suspended.v1");
    // Told by mail too, once, and with no more of the address than its host.
    let mails = shop.market.cloud.mails().unwrap();
    let [mail] = mails.as_slice() else { panic!("{} mails", mails.len()) };
    let address = at(&suspended, "/address");
    let host = address.trim_start_matches("http://").split('/').next().unwrap();
    assert_eq!(mail.to, ["ops@shop.example"]);
    assert_eq!(
        mail.header("Subject"),
        format!("Nothing is sent to your webhook endpoint at {host} any more")
    );
    assert!(mail.text().contains("it wants no more (410)") && mail.text().contains(&id), "{}", mail.text());
    assert!(!mail.raw.contains(address), "{}", mail.raw);
}

#[tokio::test]
async fn what_is_changed_of_a_suspended_endpoint_is_told_as_a_change_and_not_as_a_suspension() {
    let (shop, receiver, other) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    endpoint(&shop, &other, &["webhook.*"], json!({})).await;
    shop.done("/v1/messages/routing", &json!({"operators": ["ops@shop.example"]})).await;
    receiver.answers(410);
    happens(&shop, "mugs").await;
    other.take();
    act(&shop, &id, "rotate").await;
    let (path, wanted) = (format!("{ENDPOINTS}/{id}"), json!({"events": ["order.*"]}).to_string());
    shop.settle().await;
    let if_match = [("if-match", "*")];
    shop.api.send_with(http::Method::PATCH, &path, &wanted, &if_match).await.ok().unwrap();
    shop.settle().await;
    let told: Vec<Value> = other.take().iter().map(|got| serde_json::from_str(&got.text).unwrap()).collect();
    let told: Vec<(&str, &Value)> = told.iter().map(|one| (at(one, "/type"), &one["data"])).collect();
    let changed = |rotated| json!({"endpoint": id, "status": "suspended", "rotated": rotated});
    let name = "webhook.endpoint_changed.v1";
    assert_eq!(told, [(name, &changed(true)), (name, &changed(false))]);
    assert_eq!(shop.market.cloud.mails().unwrap().len(), 1, "that nothing is sent any more is said once");
    assert_eq!(at(&shop.get(&path).await, "/status"), "suspended");
}

#[tokio::test]
async fn a_receiver_may_ask_for_more_time() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    receiver.answers_with(429, ("retry-after", "3600"), "");
    happens(&shop, "mugs").await;
    receiver.take();
    shop.wait_minutes(59).await;
    assert_eq!(receiver.take().len(), 0);
    shop.wait_minutes(1).await;
    assert_eq!(receiver.take().len(), 1);
}

#[tokio::test]
async fn what_happens_during_a_pause_is_kept_and_replayed() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    act(&shop, &id, "pause").await;
    shop.settle().await;
    happens(&shop, "mugs").await;
    shop.wait_minutes(1).await;
    happens(&shop, "cups").await;
    assert_eq!(receiver.take().len(), 0);
    let failed = log(&shop, &id, "&status=failed").await;
    assert!(failed.len() == 2 && failed.iter().all(|one| one["failed_for"] == "paused"));
    let replay = format!("{ENDPOINTS}/{id}/replay");
    let since = |at: &str| json!({"since": at});
    shop.refused(&replay, &since("2026-03-02T09:01:00Z"), 409, "webhook_endpoint_not_active").await;
    act(&shop, &id, "resume").await;
    shop.settle().await;
    assert_eq!(receiver.take().len(), 0);
    let some = shop.done(&replay, &since("2026-03-02T09:01:00Z")).await;
    assert_eq!(some, json!({"replayed": 1, "more": false}));
    shop.wait_minutes(1).await;
    assert_eq!(receiver.take().len(), 1);
    let rest = shop.done(&replay, &since("2026-03-02T09:00:00Z")).await;
    assert_eq!(rest, json!({"replayed": 1, "more": false}));
    shop.wait_minutes(1).await;
    let got = receiver.take();
    assert!(got.len() == 1 && got[0].text.contains("category-mugs"));
    let again = shop.done(&replay, &since("2026-03-02T09:00:00Z")).await;
    assert_eq!(again, json!({"replayed": 0, "more": false}));
    assert_eq!(log(&shop, &id, "&status=failed").await, Vec::<Value>::new());
}

#[tokio::test]
async fn one_message_is_sent_again_at_once_under_its_id() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    happens(&shop, "mugs").await;
    let first = receiver.take();
    let path = format!("/v1/webhook-deliveries/{}/replay", first[0].id());
    receiver.answers(500);
    let again = shop.api.post(&path, &json!({}), "again").await;
    assert_eq!((again.status.as_u16(), again.text("/status")), (200, "pending"));
    let got = receiver.take();
    assert_eq!((got.len(), got[0].id(), &got[0].text), (1, first[0].id(), &first[0].text));
    let repeated = shop.api.post(&path, &json!({}), "again").await;
    assert_eq!(repeated.status.as_u16(), 200);
    assert_eq!(receiver.take().len(), 0, "a repeat of the request sends nothing");
    receiver.answers(204);
    shop.wait_minutes(1).await;
    assert_eq!(receiver.take().len(), 1);
    assert_eq!(state(&shop, first[0].id()).await, ("delivered".to_owned(), vec![204, 500, 204]));
    act(&shop, &id, "remove").await;
    shop.refused(&path, &json!({}), 404, "not_found").await;
}

#[tokio::test]
async fn a_trial_is_sent_at_once_and_never_again_and_says_nothing_about_its_endpoint() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, secret) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    for (status, want) in [(410, "failed"), (500, "failed"), (200, "delivered")] {
        receiver.answers(status);
        let tried = act(&shop, &id, "test").await;
        assert_eq!((at(&tried, "/status"), at(&tried, "/type")), (want, "webhook.test"), "{status}");
        let got = receiver.take();
        assert!(got.len() == 1 && got[0].holds(&secret));
    }
    shop.wait_days(1).await;
    assert_eq!(receiver.take().len(), 0);
    let shown = shop.get(&format!("{ENDPOINTS}/{id}")).await;
    assert!(shown["status"] == "active" && shown.get("failing_since").is_none());
    let replayed = shop.done(&format!("{ENDPOINTS}/{id}/replay"), &json!({"since": START})).await;
    assert_eq!(replayed["replayed"], 0);
}

#[tokio::test]
async fn a_call_whose_end_nobody_has_seen_is_made_again_a_minute_later_under_the_same_id() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    act(&shop, &id, "pause").await;
    happens(&shop, "mugs").await;
    let event = envelope(&shop, "category.changed.v1").await;
    act(&shop, &id, "resume").await;
    shop.settle().await;
    // As it lies there after a crash between the claim and the call.
    let (table, m) = (&shop.market.world.table, marketplace_id());
    let key = Key::webhook_endpoint(&m, &id.parse().unwrap());
    let known = table.load::<Endpoint>(&key).await.unwrap().unwrap().value;
    let begun = Delivery::new(
        &known,
        "category-mugs.1",
        "category.changed.v1",
        "{}".to_owned(),
        shop.market.clock.now(),
    );
    let held = table.load::<Delivery>(&Key::webhook_delivery(&m, &begun.id)).await.unwrap().unwrap();
    let begun = Delivery { body: held.value.body.clone(), ..begun };
    table.put(&m, Some(&held), &begun).await.unwrap();
    let early = hear(&shop, std::slice::from_ref(&event)).await;
    assert_eq!(early, json!({"batchItemFailures": [{"itemIdentifier": "message-0"}]}));
    assert_eq!(receiver.take().len(), 0, "another may be calling");
    shop.wait_minutes(1).await;
    assert_eq!(hear(&shop, std::slice::from_ref(&event)).await, json!({"batchItemFailures": []}));
    let got = receiver.take();
    assert_eq!((got.len(), got[0].id()), (1, begun.id.as_str()));
    assert_eq!(hear(&shop, &[event]).await, json!({"batchItemFailures": []}));
    assert_eq!(receiver.take().len(), 0);
}

#[tokio::test]
async fn one_slow_or_broken_receiver_keeps_no_message_from_the_others() {
    let (shop, well) = (Shop::open().await, Receiver::open().await);
    let gone = json!({"address": "http://127.0.0.1:1/", "events": ["*"]});
    shop.done(ENDPOINTS, &gone).await;
    endpoint(&shop, &well, &["category.*"], json!({})).await;
    happens(&shop, "mugs").await;
    assert_eq!(well.names(), ["category.changed.v1"]);
}
