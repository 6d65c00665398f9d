//! Who hears of what: the functions' own words against the template's rules and queues.

use crate::catalog::catalog;
use crate::files::{folders, none};
use crate::template::Raw;
use edge::{Function, World};
use serde_json::Value;
use souk::Market;
use souk::cloud::Pace;
use std::collections::{BTreeMap, BTreeSet};

/// Every function, built for a marketplace.
pub(crate) fn functions(market: &Market) -> Vec<Function> {
    let built = souk::market::functions().map(|(name, build)| {
        let environment = market.cloud.environment(name).expect("the template has the function");
        let (aws, keys) = (market.cloud.sdk_config(name), market.world.keys.clone());
        let world = World::new(aws, environment, market.clock.clone(), keys).expect("the table is named");
        let function = build(&world);
        assert_eq!(function.name(), name, "a function goes by the name of its crate");
        function
    });
    built.into()
}

/// The events that each function takes from queues, as its code says.
fn handled(market: &Market) -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let functions = functions(market).into_iter();
    functions.map(|function| (function.name(), function.handles().into_iter().collect())).collect()
}

pub(crate) async fn open() -> Market {
    Market::in_memory(crate::catalog::at(0), Pace::Ordered).await.expect("the marketplace opens")
}

/// The functions that hear of an event, by the event.
pub(crate) async fn consumers() -> BTreeMap<String, BTreeSet<String>> {
    let mut consumers: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (function, events) in handled(&open().await) {
        for event in events {
            consumers.entry(event.to_owned()).or_default().insert(function.to_owned());
        }
    }
    consumers
}

/// Rules: the events they name and the queues they send to.
fn rules(raw: &Raw) -> Vec<(String, Vec<String>, Vec<String>)> {
    let rules = raw.of_type("AWS::Events::Rule").into_iter();
    rules
        .filter(|(_, rule)| !is_of_aws(rule))
        .map(|(logical, rule)| {
            (logical.to_owned(), texts(&rule["EventPattern"]["detail-type"]), targets(rule))
        })
        .collect()
}

/// Whether a rule is about what AWS itself tells, in its own words: files that come to a bucket, mail that comes back.
fn is_of_aws(rule: &Value) -> bool {
    let (source, told) =
        (texts(&rule["EventPattern"]["source"]), texts(&rule["EventPattern"]["detail-type"]));
    (source == ["aws.s3"] && told == ["Object Created"])
        || (source == ["aws.ses"] && told == ["Email Bounced", "Email Complaint Received"])
}

fn targets(rule: &Value) -> Vec<String> {
    let targets = rule["Targets"].as_array().into_iter().flatten();
    targets.filter_map(|target| Raw::referred(&target["Arn"])).collect()
}

/// The functions that read each queue.
fn readers(raw: &Raw) -> BTreeMap<String, Vec<String>> {
    let mut readers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (_, name, function) in raw.functions() {
        for event in function["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            if event["Type"] == "SQS"
                && let Some(queue) = Raw::referred(&event["Properties"]["Queue"])
            {
                readers.entry(queue).or_default().push(name.clone());
            }
        }
    }
    readers
}

fn texts(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn every_folder_of_functions_is_a_function_of_the_template_and_of_the_local_cloud() {
    let raw = Raw::read();
    let folders: BTreeSet<String> = folders("functions").into_iter().collect();
    let template: BTreeSet<String> = raw.functions().into_iter().map(|(_, name, _)| name).collect();
    let here: BTreeSet<String> =
        souk::market::functions().iter().map(|(name, _)| (*name).to_owned()).collect();
    let missing = |from: &BTreeSet<String>, place: &str| -> Vec<String> {
        folders
            .symmetric_difference(from)
            .map(|name| format!("{name}: in functions/ or in {place}, not in both"))
            .collect()
    };
    let complaints = [missing(&template, "infra/template.yaml"), missing(&here, "tests/contract/wiring.rs")];
    none(
        complaints.concat(),
        "a function is a folder in functions/, a resource of the template and an entry of functions() in \
         infra/local/src/market.rs",
    );
    let code = raw.functions().into_iter().filter_map(|(logical, name, function)| {
        let want = format!("../target/lambda/{name}");
        (function["CodeUri"] != want.as_str()).then(|| format!("{logical}: CodeUri is not {want}"))
    });
    none(code, "`cargo lambda build` puts binaries there: correct the CodeUri in infra/template.yaml");
    let crates = folders.iter().filter(|name| {
        let cargo = crate::files::read(&format!("functions/{name}/Cargo.toml"));
        !cargo.contains(&format!("name = \"{name}\""))
    });
    none(crates.cloned(), "a crate in functions/ is named after its folder, and so is its binary");
}

/// Opening checks that handlers and functions of the template are the same.
#[tokio::test]
async fn the_local_cloud_wires_every_function_of_the_template() {
    let market = open().await;
    let template: BTreeSet<&str> = market.cloud.template().functions.keys().map(String::as_str).collect();
    assert_eq!(template, souk::market::functions().iter().map(|(name, _)| *name).collect());
}

#[tokio::test]
async fn every_rule_names_events_that_exist_and_sends_them_to_queues_as_they_are() {
    let raw = Raw::read();
    let (readers, functions) = (readers(&raw), functions(&open().await));
    let takes_every = functions.iter().filter(|function| function.takes_every()).map(Function::name);
    let takes_every: BTreeSet<String> = takes_every.map(str::to_owned).collect();
    assert_eq!(takes_every, BTreeSet::from(["webhooks".to_owned()]), "whoever takes every event says so");
    let known: BTreeSet<&str> = catalog().iter().map(|entry| entry.name).collect();
    let mut complaints = Vec::new();
    for (logical, rule) in raw.of_type("AWS::Events::Rule") {
        let events = texts(&rule["EventPattern"]["detail-type"]);
        if is_of_aws(rule) {
            continue;
        }
        let strange = events.iter().filter(|name| !known.contains(name.as_str()));
        complaints.extend(strange.map(|name| format!("{logical}: there is no event {name}")));
        let heard_by =
            targets(rule).into_iter().flat_map(|queue| readers.get(&queue).cloned().unwrap_or_default());
        if events.is_empty() && !heard_by.into_iter().all(|reader| takes_every.contains(&reader)) {
            complaints.push(format!("{logical}: names no detail-type, so it takes every event"));
        }
        if texts(&rule["EventPattern"]["source"]) != ["souk"] {
            complaints.push(format!("{logical}: its source is not [souk]"));
        }
        for target in rule["Targets"].as_array().into_iter().flatten() {
            if target["InputPath"] != "$.detail" {
                complaints
                    .push(format!("{logical}: a target without `InputPath: $.detail` gets no bare envelope"));
            }
            let queue = Raw::referred(&target["Arn"]).unwrap_or_default();
            if raw.resource(&queue)["Type"] != "AWS::SQS::Queue" {
                complaints.push(format!("{logical}: {queue} is no queue; a rule sends to queues only"));
            }
        }
    }
    none(complaints, "correct the rule in infra/template.yaml; detail-types are the names in events/");
}

#[tokio::test]
async fn every_consumer_handles_exactly_the_events_that_its_rules_route_to_it() {
    let raw = Raw::read();
    let (rules, readers) = (rules(&raw), readers(&raw));
    let mut complaints = Vec::new();
    let market = open().await;
    let functions = functions(&market).into_iter();
    let keyed: BTreeSet<&str> =
        functions.filter(Function::takes_keys).map(|function| function.name()).collect();
    for (function, handled) in handled(&market) {
        let queues = readers.iter().filter(|(_, readers)| readers.iter().any(|reader| reader == function));
        let queues: BTreeSet<&String> = queues.map(|(queue, _)| queue).collect();
        let routed: BTreeSet<&str> = rules
            .iter()
            .filter(|(_, _, targets)| targets.iter().any(|target| queues.contains(target)))
            .flat_map(|(_, events, _)| events.iter().map(String::as_str))
            .collect();
        let unheard = routed.iter().filter(|event| !handled.contains(*event));
        complaints
            .extend(unheard.map(|event| format!("{function}: {event} is routed to it and has no `.on`")));
        // Work, not news: it comes from a function that has the queue's address, not from the bus.
        let direct = queues.iter().any(|queue| raw.is_addressed(queue));
        let idle = handled.iter().filter(|event| !routed.contains(*event) && !direct);
        complaints
            .extend(idle.map(|event| format!("{function}: handles {event} and no rule routes it there")));
        if (handled.is_empty() && !keyed.contains(function)) != queues.is_empty() {
            complaints.push(format!("{function}: has a queue or handles events or keys, not both"));
        }
    }
    none(
        complaints,
        "make the rule in infra/template.yaml and the `.on(…)` in the function's lib.rs say the same",
    );
}

/// The policy of the queues is one for all, and names the bus here: a rule of another is to be named.
#[test]
fn every_rule_may_send_to_the_queues_that_it_names() {
    let raw = Raw::read();
    let policy = &raw.resource("QueuePolicy")["Properties"];
    let may = &policy["PolicyDocument"]["Statement"][0]["Condition"]["ArnLike"]["aws:SourceArn"];
    let may: Vec<String> = may.as_array().into_iter().flatten().filter_map(Raw::referred).collect();
    let strange = raw.of_type("AWS::Events::Rule").into_iter().filter(|(logical, rule)| {
        let of_here = Raw::referred(&rule["EventBusName"]).as_deref() == Some("Bus");
        !of_here && !may.iter().any(|name| name == logical)
    });
    let complaints = strange.map(|(logical, _)| format!("{logical} is of another bus, and may not send"));
    none(complaints, "name its Arn in the condition of QueuePolicy in infra/template.yaml");
}

#[test]
fn every_queue_that_is_no_dead_letter_queue_has_one_reader() {
    let raw = Raw::read();
    let (readers, dead) = (readers(&raw), raw.dead_letter_queues());
    let queues = raw.of_type("AWS::SQS::Queue").into_iter().map(|(logical, _)| logical.to_owned());
    let complaints = queues.filter_map(|queue| match readers.get(&queue).map_or(0, Vec::len) {
        0 if dead.contains(&queue) => None,
        1 if !dead.contains(&queue) => None,
        count => Some(format!("{queue} has {count} readers")),
    });
    none(complaints, "two readers of one queue take each other's messages; give each function its own");
}

/// There is no IAM in the local cloud: what a policy forgets would be found on AWS only, what it has too much never.
#[tokio::test]
async fn every_call_that_a_function_makes_of_the_table_is_one_that_its_policy_allows() {
    let shop = crate::examples::told().await.shop;
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in shop.market.cloud.meter().take() {
        // A transaction is allowed by its writes, and every commit puts.
        let action = if line.operation == "TransactWriteItems" { "PutItem" } else { &line.operation };
        used.entry(line.label).or_default().insert(format!("dynamodb:{action}"));
    }
    let raw = Raw::read();
    let mut complaints = Vec::new();
    for (logical, name, function) in raw.functions() {
        let used = used.remove(&name).unwrap_or_default();
        let allowed: BTreeSet<String> =
            Raw::statements(function).flat_map(|statement| texts(&statement["Action"])).collect();
        let forgotten = used.iter().filter(|action| !allowed.contains(*action));
        complaints.extend(forgotten.map(|action| format!("{logical}: calls {action}, and may not")));
        // The roles of a person are a query; the story's caller is a system.
        let reads = ["dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan"];
        let idle = reads.iter().filter(|action| allowed.contains(**action) && !used.contains(**action));
        complaints.extend(idle.map(|action| format!("{logical}: may call {action}, and never does")));
    }
    none(complaints, "correct infra/template.yaml");
}
