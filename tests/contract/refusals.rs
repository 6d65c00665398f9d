//! Refusals in the API's contract: what every operation refuses, and what each one does beside it, by code.
//!
//! `refusals.json` says which operation refuses what. Tests add to it what they are refused (`tests/refusing.rs`), and
//! fail where it is not told of; here it is held against the sources, so that no code is forgotten and none outlives
//! its refusal. Codes are told of as examples, not as all that there ever will be: changes are additive.

use crate::files::{none, read, root};
use crate::openapi::{SCHEMAS, operations};
use crate::wiring::open;
use regex_lite::Regex;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// By operation and status.
type Told = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// A status, when it is answered, and the codes that every operation may answer.
const SHARED: [(&str, &str, &[&str]); 12] = [
    (
        "400",
        "The request cannot be read: no JSON, an unknown member, a wrong type",
        &["idempotency_key_malformed", "idempotency_key_missing", "if_match_malformed", "malformed_request"],
    ),
    ("401", "Who is asking is not known", &["unauthenticated"]),
    ("402", "The gateway has declined the payment", &[]),
    ("403", "The scope is missing, or this is for operators", &["forbidden"]),
    ("404", "There is no such thing, or it is another merchant's", &["not_found"]),
    ("409", "The state of the thing does not allow it, or it has changed", &["stale"]),
    ("410", "The link is too old, or its cart is not one of its own any more", &[]),
    ("413", "The body is larger than a million bytes", &["body_too_large"]),
    (
        "422",
        "A value is not acceptable; `errors` says which, all at once",
        &["idempotency_key_reused", "invalid_value"],
    ),
    ("428", "An `If-Match` is missing", &["precondition_required"]),
    ("500", "Something broke on our side", &["internal"]),
    ("503", "Others change the same thing at this moment", &["busy"]),
];

fn told() -> Told {
    serde_json::from_str(&read("tests/contract/refusals.json")).expect("refusals by operation and status")
}

fn problem(status: &str, about: &str, codes: &[&str]) -> Value {
    let mut schema = json!({ "$ref": format!("{SCHEMAS}Problem") });
    if !codes.is_empty() {
        schema["properties"] = json!({ "code": { "examples": codes } });
    }
    let content = json!({ "application/problem+json": { "schema": schema } });
    let mut told = json!({ "description": about, "content": content });
    let header = match status {
        "401" => Some(("WWW-Authenticate", "`Bearer`")),
        "503" => Some(("Retry-After", "Seconds")),
        _ => None,
    };
    if let Some((name, about)) = header {
        told["headers"] = json!({ name: { "description": about, "schema": { "type": "string" } } });
    }
    told
}

/// The refusals that any operation may answer.
pub(crate) fn shared() -> Value {
    let problems =
        SHARED.iter().map(|(status, about, codes)| ((*status).to_owned(), problem(status, about, codes)));
    let mut all: Map<String, Value> = problems.collect();
    let message = json!({ "type": "object", "properties": { "message": { "type": "string" } } });
    let throttled = json!({
        "description": "Too many requests, in the words of API Gateway: come again later",
        "content": { "application/json": { "schema": message } },
    });
    all.insert("429".to_owned(), throttled);
    all.into()
}

/// What an operation refuses with a status, if that is more than every one does.
pub(crate) fn of(operation: &str, status: &str) -> Option<Value> {
    let told = told();
    let own = told.get(operation)?.get(status)?;
    let (_, about, codes) = SHARED.iter().find(|(shared, ..)| *shared == status)?;
    let codes: Vec<&str> = codes.iter().copied().chain(own.iter().map(String::as_str)).collect();
    let named: Vec<String> = own.iter().map(|code| format!("`{code}`")).collect();
    Some(problem(status, &format!("{about}: {}", named.join(", ")), &codes))
}

/// Every code of a refusal in the sources of functions and of what they share: it stands behind its status or before
/// its title.
fn written() -> BTreeSet<String> {
    let code = "\"([a-z][a-z0-9_]+)\"";
    let titled = format!(r#"(?:\(|status,)\s*{code},\s*"[A-Z][a-z]* [a-z]"#);
    let refusals = [format!(r"\b4[0-9]{{2}},\s*{code}"), titled];
    let refusals = refusals.map(|pattern| Regex::new(&pattern).expect("a pattern"));
    let mut files = Vec::new();
    sources(&root().join("functions"), &mut files);
    sources(&root().join("shared"), &mut files);
    let mut found = BTreeSet::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a source is text");
        let codes = refusals.iter().flat_map(|refusal| refusal.captures_iter(&text));
        found.extend(codes.map(|code| code.extract::<1>().1[0].to_owned()));
    }
    found
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder can be read") {
        let path = entry.expect("the folder can be read").path();
        match path.extension() {
            _ if path.ends_with("tests") || path.ends_with("tests.rs") => {}
            _ if path.is_dir() => sources(&path, files),
            Some(kind) if kind == "rs" => files.push(path),
            Some(_) | None => {}
        }
    }
}

/// What no operation answers, and why.
const UNTOLD: [(&str, &str); 15] = [
    ("capture_differs", CAPTURES),
    ("capture_exceeds_authorized", CAPTURES),
    ("document_count", "nobody asks a subscription for a million documents"),
    ("method_not_allowed", "it is said of what is no operation"),
    ("order_quantity", "such a quantity is an `invalid_value` of the request before"),
    ("out_of_time", "no period ends after the year 9999 for some thousands of years"),
    ("payment_attempt_count", "an invoice gets another payment, a checkout tries each of its payments once"),
    ("payment_closed", "a checkout leaves out what is closed, and no request captures"),
    ("payment_declined_for_good", "whoever pays an invoice with it again hears `payment_declined`"),
    ("payment_expired", CAPTURES),
    ("payment_not_authorized", "a checkout concludes with what is secured, and no request captures"),
    ("payment_of_other_part", CAPTURES),
    ("payout_not_sent", "only a run that was cut short leaves a payout unsent, until the next one"),
    ("payment_short", "the gate before it says `checkout_incomplete`"),
    ("store_credit_too_little", "a payment takes at most what there is"),
];

/// Nobody waits for an answer.
const CAPTURES: &str = "events and schedules capture, renew and release; no request does";

#[test]
fn every_code_of_a_refusal_is_told_of_and_none_outlives_it() {
    let (told, written) = (told(), written());
    let shared = SHARED.iter().flat_map(|(_, _, codes)| codes.iter().copied());
    let own: BTreeSet<&str> =
        told.values().flat_map(BTreeMap::values).flatten().map(String::as_str).collect();
    let known: BTreeSet<&str> =
        shared.chain(own.iter().copied()).chain(UNTOLD.map(|(code, _)| code)).collect();
    let untold = written.iter().filter(|code| !known.contains(code.as_str()));
    let untold = untold.map(|code| format!("no operation tells of `{code}`"));
    let excused = UNTOLD.iter().map(|(code, _)| code);
    let gone = own.iter().chain(excused).filter(|code| !written.contains(**code));
    let gone = gone.map(|code| format!("`{code}` is refused nowhere in the sources"));
    none(
        untold.chain(gone),
        "give each code a test that is refused so (`assert_problem`), run it with UPDATE=1; take out what is gone",
    );
}

#[tokio::test]
async fn refusals_are_told_of_operations_that_there_are() {
    let operations = operations(&open().await);
    let names: BTreeSet<&str> = operations.iter().map(|(_, operation)| operation.name).collect();
    let unknown = told().into_keys().filter(|operation| !names.contains(operation.as_str()));
    none(
        unknown.map(|operation| format!("there is no operation {operation}")),
        "take it out of refusals.json",
    );
}
