//! Samples and schemas in `events/`, and its README, against the types.

use crate::catalog::{Entry, catalog};
use crate::files::{REPAIR, compare, none, pretty, read, root, stems, updating};
use crate::{schema, wiring};
use events::audience::{MERCHANTS, OPERATORS};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every text of the form `"word.word.v1"` in the sources of `shared/events`.
fn declared() -> BTreeSet<String> {
    let folder = root().join("shared/events/src");
    let files = std::fs::read_dir(folder).expect("shared/events is there").map(|entry| entry.unwrap().path());
    let texts = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let texts: Vec<String> = texts.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let literals =
        texts.iter().flat_map(|text| text.lines()).filter_map(|line| line.trim().strip_prefix('"'));
    literals
        .filter_map(|rest| Some(rest.split_once('"')?.0))
        .filter(|name| is_name(name))
        .map(str::to_owned)
        .collect()
}

/// `thing.happened.v1`
fn is_name(text: &str) -> bool {
    let parts: Vec<&str> = text.split('.').collect();
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let version = |part: &&str| part.strip_prefix('v').is_some_and(|n| n.parse::<u16>().is_ok_and(|n| n > 0));
    matches!(parts.as_slice(), [thing, fact, at] if word(thing) && word(fact) && version(at))
}

#[test]
fn every_declared_event_is_in_the_catalog() {
    let catalog = catalog();
    let named: BTreeSet<String> = catalog.iter().map(|entry| entry.name.to_owned()).collect();
    assert_eq!(named.len(), catalog.len(), "an event has one sample");
    let declared = declared();
    assert!(declared.contains("order.placed.v1"), "the declarations are found");
    let missing = declared.difference(&named).map(|name| format!("{name} has no sample"));
    let strange = named.difference(&declared).map(|name| format!("{name} is not found in shared/events/src"));
    let repair = "give every event of shared/events an entry in tests/contract/catalog.rs";
    none(missing.chain(strange), repair);
}

/// Versions that were published stay readable: what an old sample says, the type still understands.
fn still_understood(entry: &Entry) -> Option<String> {
    let path = format!("events/{}.json", entry.name);
    let text = std::fs::read_to_string(root().join(&path)).ok()?;
    let before: Value = serde_json::from_str(&text).expect("a sample is JSON");
    match (entry.again)(&text) {
        Err(error) => Some(format!("{path}: {error}")),
        Ok(after) if after != before => Some(format!("{path}: the type drops or changes a part of it")),
        Ok(_) => None,
    }
}

#[test]
fn samples_and_schemas_are_those_of_the_types() {
    let catalog = catalog();
    let repair = "a published version never changes: declare the new shape as the next version beside it; \
                  or, if nobody has seen this one yet, delete the sample first";
    none(catalog.iter().filter_map(still_understood), repair);
    let drift = catalog.iter().flat_map(|Entry { name, sample, schema, .. }| {
        let sample = compare(&format!("events/{name}.json"), sample);
        let schema = compare(&format!("events/{name}.schema.json"), &pretty(schema));
        sample.into_iter().chain(schema)
    });
    none(drift, REPAIR);
}

#[test]
fn a_sample_fits_its_schema_and_a_broken_one_does_not() {
    if updating() {
        return;
    }
    for entry in catalog() {
        let sample: Value = serde_json::from_str(&read(&format!("events/{}.json", entry.name))).unwrap();
        let schema: Value =
            serde_json::from_str(&read(&format!("events/{}.schema.json", entry.name))).unwrap();
        assert_eq!(schema::complaints(&schema, &sample), Vec::<String>::new(), "{}", entry.name);
        assert_eq!(sample.get("name").and_then(Value::as_str), Some(entry.name));
        let members = sample.get("data").and_then(Value::as_object).unwrap();
        for missing in ["id", "name", "at", "data"] {
            let mut broken = sample.clone();
            broken.as_object_mut().unwrap().remove(missing);
            assert!(!schema::complaints(&schema, &broken).is_empty(), "{} without {missing}", entry.name);
        }
        for member in members.keys() {
            let mut broken = sample.clone();
            broken["data"][member] = Value::from(vec![Value::Null]);
            assert!(
                !schema::complaints(&schema, &broken).is_empty(),
                "{} with a strange {member}",
                entry.name
            );
        }
    }
}

#[test]
fn no_file_is_left_of_an_event_that_is_gone() {
    let names: BTreeSet<String> = catalog().iter().map(|entry| entry.name.to_owned()).collect();
    let files = stems("events", ".json").into_iter().map(|stem| stem.trim_end_matches(".schema").to_owned());
    let stray = files.filter(|stem| !names.contains(stem)).map(|stem| format!("events/{stem}.json"));
    none(stray, "delete it; but an event that was ever published keeps its type, its sample and its schema");
}

/// Who hears of what at an address of its own is decided by kinds: of each somebody has to say whose business it is.
#[test]
fn a1_2_of_every_event_it_is_said_whether_it_is_a_merchants_own() {
    let mut complaints = Vec::new();
    let catalog = catalog();
    for entry in &catalog {
        let sample: Value = serde_json::from_str(&entry.sample).unwrap();
        let (own, others) = (MERCHANTS.contains(&entry.name), OPERATORS.contains(&entry.name));
        // Work lies in queues of its own, where nobody listens.
        match (entry.subject == "due", own, others) {
            (true, false, false) | (false, true, false) | (false, false, true) => {}
            _ => complaints.push(format!("{}: on one of the two lists, and work on none", entry.name)),
        }
        let data = &sample["data"];
        if own && (data["merchant"].as_str().is_none() || data.to_string().matches("mer_").count() != 1) {
            complaints.push(format!("{}: a merchant's own names it as `merchant`, and no other", entry.name));
        }
    }
    let known: BTreeSet<&str> = catalog.iter().map(|entry| entry.name).collect();
    let strange = MERCHANTS.iter().chain(&OPERATORS).filter(|name| !known.contains(*name));
    complaints.extend(strange.map(|name| format!("{name}: there is no such event")));
    none(complaints, "say whose it is in shared/events/src/audience.rs");
}

/// The rows of the README's table of events, by the event: subject and consumers as they stand there.
fn rows() -> BTreeMap<String, (String, BTreeSet<String>)> {
    let text = std::fs::read_to_string(root().join("events/README.md")).unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<&str> = line.strip_prefix('|')?.split('|').map(str::trim).collect();
        let [event, _, subject, consumers, ..] = cells.as_slice() else { return None };
        let name = event.split('`').nth(1)?;
        let consumers = consumers.split(',').map(|one| one.trim().trim_matches('`').to_owned());
        let consumers = consumers.filter(|one| !one.is_empty()).collect();
        is_name(name).then(|| (name.to_owned(), ((*subject).to_owned(), consumers)))
    });
    rows.collect()
}

/// What the README calls a subject.
fn word(prefix: &str) -> &'static str {
    match prefix {
        "mkt" => "marketplace",
        "mer" => "merchant",
        "cus" => "customer",
        "ord" => "order",
        "mor" => "merchant order",
        "pay" => "payment",
        "pyo" => "payout",
        "key" => "API key",
        "ovr" => "override",
        "pln" => "plan",
        "sub" => "subscription",
        "inv" => "invoice",
        "issuer" => "issuer of invoices",
        "wai" => "wait for an offer",
        "flw" => "person with a cart",
        "reminder" => "reminders",
        "message" => "messages",
        "sup" => "mail address",
        "dunning" => "dunning case",
        "rev" => "review",
        "asking" => "review request",
        "report" => "report of a review",
        "reviews" => "review policy",
        "due" => "due run",
        "category" => "category",
        "collection" => "collection",
        "dup" => "pair of products",
        "sch" => "scheduled change",
        "exp" => "export",
        "attribute" => "attribute",
        "family" => "family",
        "sales" => "sales channel",
        "prp" => "proposal",
        "proposal" => "proposals",
        "fx" => "exchange rates",
        "tax" => "tax",
        "discount" => "discount",
        "prd" => "product",
        "off" => "offer",
        "mov" => "movement",
        "operator" => "operator",
        "whe" => "webhook endpoint",
        "ast" => "asset",
        "imp" => "import",
        "import" => "import profile",
        "member" => "member",
        other => panic!("the subject {other}… has no word in tests/contract/events.rs"),
    }
}

#[tokio::test]
async fn the_readme_tells_every_event_with_its_subject_and_who_consumes_it() {
    let rows = rows();
    let heard = wiring::consumers().await;
    let complaints = catalog().into_iter().filter_map(|entry| {
        let subject = word(&entry.subject);
        let consumers = heard.get(entry.name).cloned().unwrap_or_default();
        let names: Vec<String> = consumers.iter().map(|name| format!("`{name}`")).collect();
        let want = format!("| `{}` | … | {subject} | {} |", entry.name, names.join(", "));
        match rows.get(entry.name) {
            Some(row) if *row == (subject.to_owned(), consumers) => None,
            Some(_) | None => Some(want),
        }
    });
    none(complaints, "give these events their row in events/README.md");
    let names: Vec<&str> = catalog().iter().map(|entry| entry.name).collect();
    let strange = rows.keys().filter(|name| !names.contains(&name.as_str())).cloned();
    none(strange, "delete the rows of events that do not exist from events/README.md");
}
