//! Refusals, held against the contract: what a test is refused has to be told of in `infra/openapi.json`, by operation.
//!
//! `contract/refusals.json` says which operation refuses what, beside what every one does. `UPDATE=1` adds to it what
//! tests have seen, and takes nothing away; the contract is made from it (`contract/openapi.rs`).

use serde_json::{Value, json};
use souk::api::Answer;
use std::path::Path;
use std::sync::{LazyLock, Mutex};

static CONTRACT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../infra/openapi.json")).unwrap());

/// Whether this run rewrites what it would otherwise compare.
pub fn updating() -> bool {
    std::env::var_os("UPDATE").is_some_and(|value| value == "1")
}

/// An answer that is the problem document of this status and code.
pub fn assert_problem(answer: &Answer, status: u16, code: &str) {
    let told = format!("{} {:?} {}", answer.status, answer.headers, answer.body);
    assert_eq!((answer.status.as_u16(), answer.text("/code")), (status, code), "{told}");
    assert_eq!(answer.headers["content-type"], "application/problem+json", "{told}");
    assert_eq!(answer.text("/type"), format!("/problems/{}", code.replace('_', "-")), "{told}");
    assert!(!answer.text("/title").is_empty(), "{told}");
    assert_eq!(answer.body["status"], status, "{told}");
    // The gateway's own refusals have none.
    assert!(status == 413 || !answer.text("/trace_id").is_empty(), "{told}");
    assert!(
        in_contract(&answer.asked, status),
        "{} in infra/openapi.json has no {status}: {told}",
        answer.asked
    );
    let Some(operation) =
        operation(&answer.asked).filter(|operation| !codes(operation, status).contains(&code))
    else {
        return;
    };
    assert!(
        updating(),
        "{} in infra/openapi.json has no {status} `{code}`: run this test and then the contract's with UPDATE=1",
        answer.asked
    );
    remember(operation["operationId"].as_str().unwrap(), status, code);
}

/// Whether the contract says that this may be the answer, where it knows the operation.
pub(crate) fn in_contract(asked: &str, status: u16) -> bool {
    operation(asked).is_none_or(|operation| operation["responses"].get(status.to_string()).is_some())
}

/// The operation that was asked for by a method and a path.
fn operation(asked: &str) -> Option<&'static Value> {
    let (method, path) = asked.split_once(' ').unwrap();
    let path = path.split('?').next().unwrap();
    let fits = |template: &str| {
        let (said, asked) = (template.split('/'), path.split('/'));
        let alike = said.clone().count() == asked.clone().count();
        alike
            && said
                .zip(asked)
                .all(|(said, asked)| said == asked || said.starts_with('{') && !asked.is_empty())
    };
    let paths = CONTRACT["paths"].as_object().unwrap();
    // A path of its own comes before one with a name in it, as in the router.
    let known =
        paths.get(path).or_else(|| paths.iter().find(|(template, _)| fits(template)).map(|(_, path)| path));
    known.and_then(|path| path.get(method.to_lowercase()))
}

/// What an operation refuses with a status, by code.
fn codes(operation: &'static Value, status: u16) -> Vec<&'static str> {
    let response = &operation["responses"][status.to_string()];
    let shared = response["$ref"].as_str().and_then(|place| CONTRACT.pointer(place.trim_start_matches('#')));
    let schema = &shared.unwrap_or(response)["content"]["application/problem+json"]["schema"];
    let codes = schema.pointer("/properties/code/examples").and_then(Value::as_array);
    codes.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Adds to `contract/refusals.json`.
fn remember(operation: &str, status: u16, code: &str) {
    static FILE: Mutex<()> = Mutex::new(());
    let _alone = FILE.lock();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("contract/refusals.json");
    let mut held: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let codes = &mut held[operation][status.to_string()];
    if codes.is_null() {
        *codes = json!([]);
    }
    let codes = codes.as_array_mut().unwrap();
    codes.push(code.into());
    codes.sort_by(|left, right| left.as_str().cmp(&right.as_str()));
    codes.dedup();
    std::fs::write(&path, serde_json::to_string_pretty(&held).unwrap() + "\n").unwrap();
}
