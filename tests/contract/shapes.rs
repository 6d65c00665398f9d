//! Every kind of item that the marketplace has ever stored keeps one golden item in `shared/table/golden`, for ever:
//! what was written once must read (`shared/table/src/record/tests.rs` reads them).
//!
//! `UPDATE=1` writes the golden item of a kind that has none, from the life of the examples; one that is there is never
//! written again.

use crate::examples::told;
use crate::files::{none, pretty, root, stems, updating};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use tests::{assert_problem, at};

/// As DynamoDB's own JSON spells an item.
fn spelled(item: &HashMap<String, AttributeValue>) -> Value {
    item.iter().map(|(name, value)| (name.clone(), spell(value))).collect::<Map<_, _>>().into()
}

fn spell(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(flag) => json!({ "BOOL": flag }),
        AttributeValue::Null(flag) => json!({ "NULL": flag }),
        AttributeValue::L(items) => json!({ "L": items.iter().map(spell).collect::<Vec<_>>() }),
        AttributeValue::M(members) => json!({ "M": spelled(members) }),
        AttributeValue::B(_) | AttributeValue::Bs(_) | AttributeValue::Ns(_) | AttributeValue::Ss(_) | _ => {
            panic!("no record stores {value:?}")
        }
    }
}

#[tokio::test]
async fn every_kind_of_item_has_a_golden_one() {
    let mut fullest: BTreeMap<String, String> = BTreeMap::new();
    let shop = told().await.shop;
    let gone = shop.get("/v1/merchants?external_id=cedar").await;
    let gone = format!("/v1/merchants/{}/reopen", at(&gone, "/items/0/id"));
    assert_problem(&shop.post(&gone, &json!({})).await, 409, "merchant_transition");
    for item in shop.contents().await.into_values() {
        let kind = item["kind"].as_s().expect("an item has a kind").clone();
        let text = pretty(&spelled(&item));
        let held = fullest.entry(kind).or_default();
        if text.len() > held.len() {
            *held = text;
        }
    }
    assert!(fullest.len() > 20, "the life of the examples stores most kinds: {:?}", fullest.keys());
    let golden = stems("shared/table/golden", ".json");
    let missing: Vec<&String> = fullest.keys().filter(|kind| !golden.contains(kind)).collect();
    if updating() {
        for kind in missing {
            std::fs::write(root().join(format!("shared/table/golden/{kind}.json")), &fullest[kind]).unwrap();
        }
        return;
    }
    none(
        missing.into_iter().map(|kind| format!("{kind} has no golden item")),
        "run with UPDATE=1 once; the file then stays as it is for ever",
    );
}
