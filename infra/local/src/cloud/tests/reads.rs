//! Reads by key past the engine say what the engine says.

use super::*;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};

/// Who asks for the capacity is answered by the engine itself.
const ENGINE: ReturnConsumedCapacity = ReturnConsumedCapacity::Total;

#[tokio::test]
async fn an_item_read_by_its_key_is_what_the_engine_has() {
    let cloud = in_memory().await;
    let client = aws_sdk_dynamodb::Client::new(&cloud.sdk_config("orders"));
    let deep = AttributeValue::M([("list".to_owned(), AttributeValue::L(vec![text("ü\"\\\n")]))].into());
    let put = client.put_item().table_name("souk-Table").item("PK", text("a\"b")).item("SK", text("1#2"));
    let put = put.item("number", AttributeValue::N("12.50".to_owned())).item("deep", deep);
    let put = put.item("yes", AttributeValue::Bool(true)).item("none", AttributeValue::Null(true));
    let put = put.item("bytes", AttributeValue::B(aws_smithy_types::Blob::new([0, 255])));
    put.item("big", text("x".repeat(9_000))).send().await.unwrap();
    let key = |sort: &str| [("PK".to_owned(), text("a\"b")), ("SK".to_owned(), text(sort))];
    let _put = cloud.meter().take();
    let mut said = Vec::new();
    for capacity in [None, Some(ENGINE)] {
        for (sort, strong) in [("1#2", true), ("1#2", false), ("other", true)] {
            let get = client.get_item().table_name("souk-Table").set_key(Some(key(sort).into()));
            let got = get.consistent_read(strong).set_return_consumed_capacity(capacity.clone());
            said.push((vec![got.send().await.unwrap().item], units(&cloud)));
        }
        let keys = KeysAndAttributes::builder().keys(key("1#2").into()).keys(key("other").into());
        let keys = keys.consistent_read(true).build().unwrap();
        let get = client.batch_get_item().request_items("souk-Table", keys);
        let got = get.set_return_consumed_capacity(capacity).send().await.unwrap();
        assert!(got.unprocessed_keys.unwrap_or_default().is_empty());
        let items = got.responses.unwrap().remove("souk-Table").unwrap();
        said.push((items.into_iter().map(Some).collect(), units(&cloud)));
    }
    let engine = said.split_off(said.len() / 2);
    assert!(engine.iter().all(|(_, units)| *units > 0), "{engine:?}");
    assert_eq!(said, engine);
}

fn units(cloud: &Cloud) -> u64 {
    cloud.meter().take().iter().map(|line| line.read_units).sum()
}
