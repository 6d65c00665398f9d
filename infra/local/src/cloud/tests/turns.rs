//! Who calls AWS lets the others go on, unless the pace says that all go in order.

use super::*;

/// Whose call was answered, in order: two callers with three calls each, on one thread.
async fn answered(pace: Pace) -> String {
    let cloud = Cloud::open_at(template(), Place::Memory, clock(), pace).await.unwrap();
    let order = Arc::new(Mutex::new(String::new()));
    let call = |name: char| {
        let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
        let order = Arc::clone(&order);
        tokio::spawn(async move {
            for _ in 0..3 {
                let get = client.get_item().table_name("souk-Table");
                get.key("PK", text("none")).key("SK", text("none")).send().await.unwrap();
                order.lock().unwrap().push(name);
            }
        })
    };
    let (one, other) = (call('a'), call('b'));
    one.await.unwrap();
    other.await.unwrap();
    order.lock().unwrap().clone()
}

#[tokio::test]
async fn between_two_calls_of_one_all_others_have_one() {
    let answered = answered(Pace::Parallel).await;
    for round in answered.as_bytes().chunks(2) {
        assert!(round.contains(&b'a') && round.contains(&b'b'), "{answered}");
    }
}

#[tokio::test]
async fn in_order_a_caller_goes_on_until_it_has_to_wait() {
    assert_eq!(answered(Pace::Ordered).await, "aaabbb");
}
