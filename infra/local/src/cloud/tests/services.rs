//! The services by themselves, through the SDK's real clients, in the process and over TCP.

use super::super::connector::KEY;
use super::*;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName, SendMessageBatchRequestEntry};

#[tokio::test]
async fn a_repeated_transaction_takes_effect_once_and_another_under_its_token_is_refused() {
    let cloud = in_memory().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    let send = |amount: &str| {
        let update = aws_sdk_dynamodb::types::Update::builder()
            .table_name("souk-Table")
            .key("PK", text("stock"))
            .key("SK", text("stock"))
            .update_expression("ADD units :n")
            .expression_attribute_values(":n", AttributeValue::N(amount.to_owned()))
            .build()
            .unwrap();
        let item = TransactWriteItem::builder().update(update).build();
        client.transact_write_items().client_request_token("one").transact_items(item).send()
    };
    send("2").await.unwrap();
    send("2").await.unwrap();
    let other = send("3").await.unwrap_err().into_service_error();
    assert!(matches!(other, TransactWriteItemsError::IdempotentParameterMismatchException(_)), "{other:?}");
    let get = client.get_item().table_name("souk-Table").key("PK", text("stock")).key("SK", text("stock"));
    let item = get.send().await.unwrap().item.unwrap();
    assert_eq!(item["units"], AttributeValue::N("2".to_owned()));
}

#[tokio::test]
async fn table_calls_are_metered_by_who_made_them() {
    let cloud = in_memory().await;
    commit(&aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders")), 1).await;
    let reader = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("catalog"));
    let key = |get: aws_sdk_dynamodb::operation::get_item::builders::GetItemFluentBuilder| {
        get.table_name("souk-Table").key("PK", text("order#1")).key("SK", text("order"))
    };
    key(reader.get_item()).send().await.unwrap();
    key(reader.get_item()).consistent_read(true).send().await.unwrap();
    let lines: Vec<_> = cloud
        .meter()
        .take()
        .into_iter()
        .map(|line| (line.label, line.operation, line.calls, line.read_units, line.write_units))
        .collect();
    let expected = [
        ("catalog".to_owned(), "GetItem".to_owned(), 2, 150, 0),
        ("orders".to_owned(), "TransactWriteItems".to_owned(), 1, 0, 400),
    ];
    assert_eq!(lines, expected);
    assert!(cloud.meter().take().is_empty());
}

#[tokio::test]
async fn malformed_requests_are_answers_in_awss_words() {
    let cloud = in_memory().await;
    for (target, body, kind) in [
        ("DynamoDB_20120810.PutItem", "{", "SerializationException"),
        ("DynamoDB_20120810.PutItem", "{}", "ValidationException"),
        (
            "DynamoDB_20120810.GetItem",
            r#"{"TableName":"nowhere","Key":{"PK":{"S":"a"}}}"#,
            "ResourceNotFoundException",
        ),
        ("DynamoDB_20120810.Fly", "{}", "UnknownOperationException"),
        ("AmazonSQS.SendMessage", "{}", "QueueDoesNotExist"),
        ("AmazonSQS.SendMessage", "nonsense", "InvalidParameterValueException"),
        ("AWSEvents.PutEvents", r#"{"Entries":[]}"#, "ValidationException"),
        ("AWSEvents.PutRule", "{}", "UnknownOperationException"),
    ] {
        let request = http::Request::builder().method("POST").uri("/").header("x-amz-target", target);
        let request = request.body(axum::body::Bytes::from_static(body.as_bytes())).unwrap();
        let response = cloud.inner.aws("test", request).await;
        let answer: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(response.status(), 400, "{target} {body}");
        assert!(answer["__type"].as_str().unwrap().ends_with(kind), "{target} {body}: {answer}");
    }
}

#[tokio::test]
async fn a_queue_keeps_the_promises_of_sqs() {
    let cloud = in_memory().await;
    let client = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
    let url = client.get_queue_url().queue_name("souk-MediaQueue").send().await.unwrap().queue_url.unwrap();
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("x").build().unwrap();
    let sent = client.send_message().queue_url(&url).message_body("one").message_attributes("a", attribute);
    sent.send().await.unwrap();
    let receive = || client.receive_message().queue_url(&url).max_number_of_messages(10);
    let first = receive().send().await.unwrap().messages.unwrap().remove(0);
    assert_eq!(
        (first.body(), first.message_attributes().unwrap()["a"].string_value()),
        (Some("one"), Some("x"))
    );
    assert_eq!(first.md5_of_body.as_deref(), Some("f97c5d29941bfb1b2fdab0874906ab82"));
    assert!(receive().send().await.unwrap().messages.is_none());
    let handle = first.receipt_handle.unwrap();
    let change =
        client.change_message_visibility().queue_url(&url).receipt_handle(&handle).visibility_timeout(0);
    change.send().await.unwrap();
    let again = receive().send().await.unwrap().messages.unwrap().remove(0);
    client.delete_message().queue_url(&url).receipt_handle(&handle).send().await.unwrap();
    let hidden =
        client.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::All).send().await;
    let hidden = hidden.unwrap().attributes.unwrap();
    assert_eq!(
        hidden[&QueueAttributeName::ApproximateNumberOfMessagesNotVisible],
        "1",
        "an old receipt is void"
    );
    let delete = client.delete_message().queue_url(&url).receipt_handle(again.receipt_handle.unwrap());
    delete.send().await.unwrap();
    assert_eq!(cloud.queue_depth("souk-MediaQueue").unwrap(), (0, 0, 0));

    let entry = |id: &str| SendMessageBatchRequestEntry::builder().id(id).message_body("x").build().unwrap();
    let eleven = (0..11).map(|id| entry(&id.to_string())).collect();
    let refused =
        client.send_message_batch().queue_url(&url).set_entries(Some(eleven)).send().await.unwrap_err();
    assert!(refused.into_service_error().is_too_many_entries_in_batch_request());
    let unknown = client.get_queue_url().queue_name("unknown").send().await.unwrap_err();
    assert!(unknown.into_service_error().is_queue_does_not_exist());
}

#[tokio::test]
async fn a_group_of_a_fifo_queue_waits_for_its_first_and_a_repetition_is_dropped() {
    let cloud = in_memory().await;
    let client = aws_sdk_sqs::Client::new(&cloud.sdk_config("test"));
    let url = client.get_queue_url().queue_name("souk-Numbers.fifo").send().await.unwrap().queue_url.unwrap();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a1")] {
        client
            .send_message()
            .queue_url(&url)
            .message_group_id(group)
            .message_body(body)
            .send()
            .await
            .unwrap();
    }
    let next = || async {
        let received =
            client.receive_message().queue_url(&url).max_number_of_messages(1).send().await.unwrap();
        received.messages.and_then(|mut messages| messages.pop())
    };
    let first = next().await.unwrap();
    let second = next().await.unwrap();
    assert_eq!((first.body(), second.body()), (Some("a1"), Some("b1")));
    assert!(next().await.is_none());
    let receipt = first.receipt_handle.unwrap();
    client.delete_message().queue_url(&url).receipt_handle(receipt).send().await.unwrap();
    assert_eq!(next().await.unwrap().body(), Some("a2"));
}

#[tokio::test]
async fn each_entry_of_put_events_has_an_outcome_of_its_own() {
    let cloud = in_memory().await;
    let client = aws_sdk_eventbridge::Client::new(&cloud.sdk_config("test"));
    let entry = |bus: &str, detail: &str| {
        let entry = PutEventsRequestEntry::builder().source("souk").detail_type("order.placed.v1");
        entry.event_bus_name(bus).detail(detail).build()
    };
    let entries = vec![entry("souk", r#"{"order":1}"#), entry("souk", "nonsense"), entry("nowhere", "{}")];
    let put = client.put_events().set_entries(Some(entries)).send().await.unwrap();
    let codes: Vec<_> = put.entries().iter().map(|entry| entry.error_code().unwrap_or("-")).collect();
    assert_eq!((put.failed_entry_count(), codes), (2, vec!["-", "MalformedDetail", "InvalidArgument"]));
    assert_eq!(cloud.queue_depth("souk-MailQueue").unwrap(), (1, 0, 0));
    let large = entry("souk", &json!({ "x": "x".repeat(256 * 1_024) }).to_string());
    assert!(client.put_events().entries(large).send().await.is_err());
}

#[tokio::test]
async fn an_object_is_kept_and_its_event_reaches_the_queue() {
    let cloud = in_memory().await;
    let client = aws_sdk_s3::Client::new(&cloud.sdk_config("media"));
    let body = aws_sdk_s3::primitives::ByteStream::from_static(b"picture");
    let put = client.put_object().bucket("souk-media").key("a/b 1.png").content_type("image/png").body(body);
    put.send().await.unwrap();
    let got = client.get_object().bucket("souk-media").key("a/b 1.png").send().await.unwrap();
    assert_eq!(got.content_type(), Some("image/png"));
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"picture");
    let message = cloud.inner.store.peek("souk-MediaQueue", 1).unwrap().remove(0);
    let detail: Value = serde_json::from_str(&message.body).unwrap();
    assert_eq!((&detail["object"]["key"], &detail["object"]["size"]), (&json!("a/b 1.png"), &json!(7)));
    assert!(client.get_object().bucket("souk-media").key("none").send().await.is_err());
}

#[tokio::test]
async fn the_aws_side_and_the_api_are_served_over_tcp() {
    let cloud = in_memory().await;
    cloud.register("orders", handler(|_| Ok(json!({ "statusCode": 200, "body": "hello" }))));
    let aws = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (aws_port, api_port) = (aws.local_addr().unwrap().port(), api.local_addr().unwrap().port());
    let serving = cloud.clone();
    tokio::spawn(async move { serving.serve_aws(aws, axum::Router::new()).await });
    let serving = cloud.clone();
    tokio::spawn(async move { serving.serve_api(api, axum::Router::new()).await });

    let credentials = aws_sdk_sqs::config::Credentials::new(KEY, KEY, None, None, "test");
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_sqs::config::Region::new("us-east-1"))
        .credentials_provider(credentials)
        .endpoint_url(format!("http://127.0.0.1:{aws_port}"))
        .build();
    let queues = aws_sdk_sqs::Client::from_conf(config).list_queues().send().await.unwrap();
    assert_eq!(queues.queue_urls().len(), 5);
    assert!(get(aws_port, "/_souk/clock").await.ends_with(r#"{"now":"2026-11-23T05:00:00Z"}"#));
    assert!(get(api_port, "/anything").await.ends_with("hello"));
}

#[tokio::test]
async fn a_browser_puts_an_object_through_a_presigned_link() {
    let cloud = in_memory().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = cloud.clone();
    tokio::spawn(async move { serving.serve_aws(listener, axum::Router::new()).await });
    let config =
        cloud.sdk_config("media").into_builder().endpoint_url(format!("http://127.0.0.1:{port}")).build();
    let client = aws_sdk_s3::Client::new(&config);
    let hour = std::time::Duration::from_secs(3_600);
    let hour = aws_sdk_s3::presigning::PresigningConfig::expires_in(hour).unwrap();
    let link = client.put_object().bucket("souk-media").key("photo").presigned(hour).await.unwrap();
    let path = link.uri().strip_prefix(&format!("http://127.0.0.1:{port}")).unwrap();
    let shop = "origin: https://shop.example\r\n";
    let preflight = ask(port, "OPTIONS", path, shop, "").await;
    assert!(preflight.contains("access-control-allow-methods: PUT"), "{preflight}");
    let put = ask(port, "PUT", path, shop, "pixels").await;
    assert!(put.starts_with("HTTP/1.1 200"), "{put}");
    assert!(put.contains("access-control-allow-origin: https://shop.example"), "{put}");
    let got = client.get_object().bucket("souk-media").key("photo").send().await.unwrap();
    assert_eq!(got.body.collect().await.unwrap().to_vec(), b"pixels");
    let forged = ask(port, "PUT", &path.replace("photo", "other"), "", "pixels").await;
    assert!(forged.starts_with("HTTP/1.1 403"), "{forged}");
}

async fn get(port: u16, path: &str) -> String {
    ask(port, "GET", path, "", "").await
}

async fn ask(port: u16, method: &str, path: &str, headers: &str, body: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n");
    let request = format!("{head}{headers}content-length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
