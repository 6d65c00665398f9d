//! `infra/openapi.json`, OpenAPI 3.1: made from the functions' tables of routes and the types of their handlers.
//!
//! Nothing of it is written by hand but what types cannot say: the API's promises, and which texts are times and days.

use crate::examples::{Example, Examples, examples};
use crate::files::{REPAIR, compare, none, pretty, read, updating};
use crate::refusals;
use crate::schema;
use crate::wiring::{functions, open};
use edge::routes::{Audience, Operation};
use http::Method;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value, json};
use souk::Market;
use std::collections::{BTreeMap, BTreeSet};

const FILE: &str = "infra/openapi.json";
pub(crate) const SCHEMAS: &str = "#/components/schemas/";

/// What every client should know.
const ABOUT: &str = "\
Changes are additive: ignore members that you do not know. In a request null is as good as a member left \
out, but where its description says what null takes away; no answer has it. Money is a decimal text with its \
currency. Ids have a prefix that says of what. Lists page by an opaque cursor: `next` is the `cursor` of the \
next page; a page may be short and still have one.\n\n\
A refusal is a problem document (RFC 9457): branch on `code`, name `trace_id` when you ask about it. Another \
merchant's object answers 404, as if it were not there.\n\n\
`Idempotency-Key` makes a retry safe: the same key with the same body answers what was done the first time, with \
`Idempotent-Replayed: true`. `If-Match` with the `ETag` of what you have seen refuses a change of what others have \
changed since: 409 `stale`.";

/// Every operation of every function, with the function's name.
pub(crate) fn operations(market: &Market) -> Vec<(&'static str, Operation)> {
    let functions = functions(market);
    let operations = functions.iter().flat_map(|function| {
        function.operations().iter().map(|operation| (function.name(), operation.clone()))
    });
    operations.collect()
}

/// The document as the code has it.
pub(crate) fn document(operations: &[(&'static str, Operation)], examples: &Examples) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let mut paths = Map::new();
    for (function, operation) in operations {
        let mut told = operation_object(function, operation, &mut generator);
        if let Some(Example { body, status, answer }) = examples.get(operation.name) {
            show(&mut told["responses"][status.to_string()], answer);
            body.iter().for_each(|body| show(&mut told["requestBody"], body));
        }
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method.as_str().to_lowercase()] = told;
    }
    generator.subschema_for::<edge::Problem>();
    let mut schemas = Value::Object(generator.take_definitions(true));
    let types = schemas.as_object_mut().expect("definitions are an object");
    let asked = asked(&paths, types);
    for (name, schema) in types.iter_mut() {
        without_defaults(schema);
        if !asked.contains(name) {
            without_nulls(schema);
        }
    }
    types.values_mut().for_each(sharpen);
    types.values_mut().for_each(bound);
    let longest = longest(types);
    types.values_mut().for_each(|schema| named(schema, &longest));
    let mut tags: Vec<&str> = operations.iter().map(|(function, _)| *function).collect();
    tags.dedup();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Souk",
            "version": "1",
            "description": ABOUT,
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [
            { "url": "http://127.0.0.1:8080", "description": "The local cloud" },
            {
                "url": "https://{api}.execute-api.{region}.amazonaws.com",
                "description": "AWS; the stack's output `ApiUrl`",
                "variables": { "api": { "default": "api" }, "region": { "default": "eu-central-1" } },
            },
        ],
        "tags": tags.into_iter().map(tag).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": refusals::shared(),
            "securitySchemes": {
                "person": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of an issuer that the marketplace trusts; roles come from Souk.",
                },
                "storefront": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Souk-Key",
                    "description": "A publishable key (`pk_…`): names the marketplace for guests, proves nothing.",
                },
                "system": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "sk_…",
                    "description": "An API key. Its POSTs carry an `Idempotency-Key`.",
                },
            },
        },
    })
}

/// Puts an example into a body or an answer.
fn show(place: &mut Value, example: &Value) {
    place["content"]["application/json"]["example"] = example.clone();
}

/// A function, with what the first line of its code says.
fn tag(function: &str) -> Value {
    let head = read(&format!("functions/{function}/src/lib.rs"));
    let about = head.lines().next().unwrap_or_default().trim_start_matches("//! ");
    json!({ "name": function, "description": about })
}

fn operation_object(function: &str, operation: &Operation, generator: &mut SchemaGenerator) -> Value {
    let Operation { method, path, name, summary, scope, audience, creates, later, shape } = operation;
    let described = shape(generator);
    let whose = match audience {
        Audience::Operators => "operators",
        Audience::Merchants => "operators, and merchants for what is theirs",
        Audience::Everyone => "operators and merchants",
        Audience::Owners => "operators, and customers for what is theirs",
        Audience::Persons => "people who have signed in, whatever their roles",
        Audience::Shoppers => "guests of a storefront and people who have signed in",
        Audience::Founder => "the person whom the deployment's parameters name",
        Audience::Signed => "senders that sign their requests",
    };
    let (for_whom, security) = match *scope {
        "" if *audience == Audience::Shoppers => {
            (format!("For {whose}."), json!([{ "storefront": [] }, { "person": [] }]))
        }
        "" if *audience == Audience::Signed => (format!("For {whose}."), json!([])),
        "" => (format!("For {whose}."), json!([{ "person": [] }])),
        scope => {
            let security = json!([{ "person": [scope] }, { "system": [scope] }]);
            (format!("For {whose}, with the scope `{scope}`."), security)
        }
    };
    let mut parameters = path_parameters(path);
    let answers = described.answers.to_value();
    let mut responses = Map::new();
    let answer = |about: &str| success(about, &answers, method);
    if *creates {
        responses.insert("201".to_owned(), answer("Made"));
        responses.insert("200".to_owned(), answer("It was made before by the same request"));
    } else {
        responses.insert("200".to_owned(), answer("Done"));
    }
    if *later {
        responses.insert("202".to_owned(), answer("Taken in; what comes of it is known later"));
    }
    let mut refusals = vec!["400", "401", "403", "404", "422", "429", "500", "503"];
    let mut told = json!({
        "operationId": name,
        "tags": [function],
        "summary": summary,
        "description": for_whom,
        "security": security,
    });
    if described.has_body {
        let (about, pattern) = match *audience == Audience::Shoppers && !path.contains('{') {
            true => ("32 to 255 characters; a guest's must be one that nobody guesses", GUESTS_KEY),
            false => ("1 to 255 characters; API keys must send one", IDEMPOTENCY_KEY),
        };
        parameters.push(header("Idempotency-Key", false, about, pattern));
        refusals.extend(["409", "413"]);
        let required = body_is_required(described.takes.as_value(), generator);
        let content = json!({ "application/json": { "schema": described.takes } });
        told["requestBody"] = json!({ "required": required, "content": content });
    } else {
        parameters.extend(query_parameters(described.takes.to_value()));
    }
    refusals.extend(own_refusals(method, path));
    if *method == Method::PATCH {
        refusals.push("428");
        parameters.push(header("If-Match", true, "The ETag of what you have seen, or `*`", ETAG));
    }
    for status in refusals {
        let shared = json!({ "$ref": format!("#/components/responses/{status}") });
        responses.insert(status.to_owned(), refusals::of(name, status).unwrap_or(shared));
    }
    told["parameters"] = parameters.into();
    told["responses"] = responses.into();
    told
}

/// What only some refuse: who takes money now says so where there is none, a cart or a link has an end, and of what can
/// only be read the state keeps a document without its number, and a review of what has not arrived.
fn own_refusals(method: &Method, path: &str) -> Vec<&'static str> {
    let takes_money =
        ["/v1/checkouts/{cart}/confirm", "/v1/checkouts/{cart}/pay", "/v1/subscriptions/{id}/pay"];
    let about_cart = path.starts_with("/v1/carts") || path.contains("{cart}") || path.ends_with("-cart");
    // They find what the cart has become.
    let finds_it = ["/v1/carts/current", "/v1/carts/{id}/claim"].contains(&path);
    let early = path.starts_with("/v1/reviews/own/") || path == "/v1/review-links/{token}";
    let refusals = [
        ("402", takes_money.contains(&path) || path == "/v1/subscriptions" && *method == Method::POST),
        ("409", path.ends_with("/pdf") || early && *method == Method::GET),
        ("410", about_cart && !finds_it || path.contains("{token}")),
    ];
    refusals.into_iter().filter(|(_, may)| *may).map(|(status, _)| status).collect()
}

/// Visible ASCII without blanks at the ends, which HTTP takes away.
const IDEMPOTENCY_KEY: &str = "^[!-~]([ -~]{0,253}[!-~])?$";
const GUESTS_KEY: &str = "^[!-~]{32,255}$";
const ETAG: &str = r#"^(\*|"[0-9]{1,18}")$"#;

fn header(name: &str, required: bool, about: &str, pattern: &str) -> Value {
    let schema = json!({ "type": "string", "pattern": pattern });
    json!({ "name": name, "in": "header", "required": required, "description": about, "schema": schema })
}

/// How ids begin that stand behind a word of a path or under a name in it.
const IDS: [(&str, &str); 33] = [
    ("api-keys", "key_"),
    ("assets", "ast_"),
    ("cart", "crt_"),
    ("carts", "crt_"),
    ("customer", "cus_"),
    ("customers", "cus_"),
    ("duplicates", "dup_"),
    ("exports", "exp_"),
    ("imports", "imp_"),
    ("invoice", "inv_"),
    ("invoices", "inv_"),
    ("merchant", "mer_"),
    ("merchant-orders", "mor_"),
    ("merchants", "mer_"),
    ("message", "msg_"),
    ("offer", "off_"),
    ("offers", "off_"),
    ("order", "ord_"),
    ("orders", "ord_"),
    ("overrides", "ovr_"),
    ("own", "rev_"),
    ("payments", "pay_"),
    ("payouts", "pyo_"),
    ("plans", "pln_"),
    ("products", "prd_"),
    ("proposals", "prp_"),
    ("reviews", "rev_"),
    ("scheduled-changes", "sch_"),
    ("shipment", "shp_"),
    ("subscriptions", "sub_"),
    ("webhook-deliveries", "whd_"),
    ("webhook-endpoints", "whe_"),
    ("wish-lists", "wsh_"),
];

/// `{id}` in a path.
fn path_parameters(path: &str) -> Vec<Value> {
    let words: Vec<&str> = path.split('/').collect();
    let one = |pair: &[&str]| {
        let name = pair.last()?.strip_prefix('{')?.strip_suffix('}')?;
        let begins = IDS.iter().find(|(word, _)| pair.first() == Some(word) && name == "id" || *word == name);
        let pattern = match (begins, name) {
            (Some((_, prefix)), _) => Some(format!("^{prefix}[a-z0-9]{{8,40}}$")),
            (None, "code" | "handle") => Some("^[a-z0-9_-]{1,64}$".to_owned()),
            (None, "country") => Some("^[A-Z]{2}$".to_owned()),
            (None, _) => None,
        };
        let mut schema = json!({ "type": "string", "minLength": 1 });
        if let Some(pattern) = pattern {
            schema = json!({ "type": "string", "pattern": pattern });
        }
        Some(json!({ "name": name, "in": "path", "required": true, "schema": schema }))
    };
    words.windows(2).filter_map(one).collect()
}

/// The members of a query's type, each a parameter.
fn query_parameters(mut schema: Value) -> Vec<Value> {
    without_defaults(&mut schema);
    without_nulls(&mut schema);
    sharpen(&mut schema);
    bound(&mut schema);
    let required = schema["required"].take();
    let required: Vec<Value> = required.as_array().cloned().unwrap_or_default();
    let members = schema["properties"].as_object().cloned().unwrap_or_default();
    let one = |(name, mut schema): (String, Value)| {
        let about = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        if name == "limit" {
            schema = json!({ "type": "integer", "minimum": 1, "maximum": 100, "default": 20 });
        }
        // A text that nothing is good for has to be given.
        let members = schema.as_object_mut();
        let must = members.is_some_and(|schema| {
            let must = schema.get("default").is_some_and(|value| value == "");
            must && schema.remove("default").is_some()
        });
        let required = must || required.contains(&json!(name));
        let mut told = json!({ "name": name, "in": "query", "required": required, "schema": schema });
        let told_members = told.as_object_mut().expect("a parameter is an object");
        told_members.extend(about.map(|about| ("description".to_owned(), about)));
        told
    };
    members.into_iter().map(one).collect()
}

/// Whether an empty body would lack something.
fn body_is_required(schema: &Value, generator: &SchemaGenerator) -> bool {
    let name = schema["$ref"].as_str().and_then(|path| path.strip_prefix(SCHEMAS));
    let named = name.and_then(|name| generator.definitions().get(name));
    let schema = named.unwrap_or(schema);
    let all = |word: &str| schema.get(word).and_then(Value::as_array);
    let kinds = all("oneOf").or_else(|| all("anyOf"));
    all("required").is_some_and(|required| !required.is_empty())
        || kinds.is_some_and(|kinds| kinds.iter().all(|kind| body_is_required(kind, generator)))
}

fn success(about: &str, schema: &Value, method: &Method) -> Value {
    let text = |about: &str| json!({ "description": about, "schema": { "type": "string" } });
    let mut headers = Map::new();
    if !schema["$ref"].as_str().is_some_and(|name| name.ends_with("Page")) {
        headers.insert("ETag".to_owned(), text("The revision, of things that have one: for `If-Match`"));
    }
    if method != Method::GET {
        headers.insert(
            "Idempotent-Replayed".to_owned(),
            text("`true`: it was done before, by the same request"),
        );
    }
    let content = json!({ "application/json": { "schema": schema } });
    let mut told = json!({ "description": about, "content": content });
    if !headers.is_empty() {
        told["headers"] = headers.into();
    }
    told
}

/// Members of requests that may be any number of their width, and why.
const ANY_NUMBER: [(&str, &str); 9] = [
    ("Data", "what an attribute takes, it says itself"),
    ("EditWishList.remove", "a number that the API has given"),
    ("ImportStep.cut", "a text that is shorter stays as it is"),
    ("MoveToCart.items", "a number that the API has given"),
    ("PlanTerms.included", "no plan is sold in more units than a million, however many are included"),
    ("RestoreMessageTemplate.version", "a number that the API has given"),
    ("RestoreSheet.version", "a number that the API has given"),
    ("WeightBand.up_to_grams", "beyond every parcel is a band without an end"),
    ("delivery.options.grams", "a parcel that is too heavy is an answer, not a refusal"),
];

/// The types that requests are made of: in these, null is as good as nothing, or takes something away.
fn asked(paths: &Map<String, Value>, types: &Map<String, Value>) -> BTreeSet<String> {
    let operations = paths.values().filter_map(Value::as_object).flat_map(Map::values);
    let mut open: Vec<&Value> = operations.filter_map(|operation| operation.get("requestBody")).collect();
    let mut found = BTreeSet::new();
    while let Some(place) = open.pop() {
        let name = place["$ref"].as_str().and_then(|path| path.strip_prefix(SCHEMAS));
        if let Some(name) = name
            && found.insert(name.to_owned())
        {
            open.extend(types.get(name));
        }
        open.extend(place.as_object().into_iter().flat_map(Map::values));
        open.extend(place.as_array().into_iter().flatten());
    }
    found
}

/// What a member is that is left out need not be said where it is nothing.
fn without_defaults(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let nothing = |value: &Value| value.is_null() || *value == json!([]);
            if members.get("default").is_some_and(nothing) {
                members.remove("default");
            }
            members.values_mut().for_each(without_defaults);
        }
        Value::Array(items) => items.iter_mut().for_each(without_defaults),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A member of an answer that may be left out is left out: null is never answered.
fn without_nulls(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Array(types)) = members.get_mut("type") {
                types.retain(|name| name != "null");
                if let [one] = types.as_slice() {
                    let one = one.clone();
                    members.insert("type".to_owned(), one);
                }
            }
            if let Some(Value::Array(choices)) = members.get_mut("anyOf") {
                choices.retain(|choice| choice["type"] != "null");
                if let [Value::Object(one)] = choices.as_slice() {
                    let one = one.clone();
                    members.remove("anyOf");
                    members.extend(one);
                }
            }
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What the types cannot say of texts: moments, days, amounts.
fn sharpen(schema: &mut Value) {
    let Some(members) = schema.get_mut("properties").and_then(Value::as_object_mut) else { return };
    let money = members.len() == 2 && members.contains_key("amount") && members.contains_key("currency");
    let is_text = |member: &Value| {
        let types = member["type"].as_array();
        member["type"] == "string" || types.is_some_and(|types| types.contains(&json!("string")))
    };
    for (name, member) in members.iter_mut().filter(|(_, member)| is_text(member)) {
        match name.as_str() {
            "at" => member["format"] = "date-time".into(),
            name if name.ends_with("_at") => member["format"] = "date-time".into(),
            "from" | "to" | "through" | "payable_day" | "earliest" | "latest" => {
                member["format"] = "date".into()
            }
            "amount" if money => member["pattern"] = schema::AMOUNT.into(),
            "currency" => *member = currency(member),
            _ => {}
        }
    }
}

/// How long a text of a pattern may be.
fn longest(types: &Map<String, Value>) -> BTreeMap<String, Value> {
    let one =
        |schema: &Value| Some((schema["pattern"].as_str()?.to_owned(), schema.get("maxLength")?.clone()));
    let mut longest = BTreeMap::new();
    for (pattern, max) in types.values().filter_map(one) {
        let held = longest.entry(pattern).or_insert_with(|| max.clone());
        if max.as_u64() > held.as_u64() {
            *held = max;
        }
    }
    longest
}

/// Members whose names have to fit a pattern have names no longer than such texts are.
fn named(schema: &mut Value, longest: &BTreeMap<String, Value>) {
    match schema {
        Value::Object(members) => {
            let patterns = members.get("patternProperties").and_then(Value::as_object);
            let max = patterns.and_then(|patterns| longest.get(patterns.keys().next()?));
            if let Some(max) = max {
                members.insert("propertyNames".to_owned(), json!({ "maxLength": max }));
            }
            members.values_mut().for_each(|member| named(member, longest));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| named(item, longest)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The list of currencies, in the place of a text that is one.
fn currency(member: &Value) -> Value {
    let known = json!({ "$ref": format!("{SCHEMAS}Currency") });
    let mut known = match &member["type"] {
        Value::Array(_) => json!({ "anyOf": [known, { "type": "null" }] }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => known,
    };
    if let Some(about) = member.get("description") {
        known["description"] = about.clone();
    }
    known
}

/// What the width of an integer leaves it, which its format says only to those who know it.
fn bound(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let (least, most) = match members.get("format").and_then(Value::as_str) {
                Some("int32") => (json!(i32::MIN), json!(i32::MAX)),
                Some("int64") => (json!(i64::MIN), json!(i64::MAX)),
                Some("uint32") => (json!(0), json!(u32::MAX)),
                Some("uint64") => (json!(0), json!(u64::MAX)),
                Some(_) | None => (Value::Null, Value::Null),
            };
            for (name, value) in [("minimum", least), ("maximum", most)] {
                if !value.is_null() {
                    members.entry(name).or_insert(value);
                }
            }
            members.values_mut().for_each(bound);
        }
        Value::Array(items) => items.iter_mut().for_each(bound),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn the_contract_of_the_api_is_what_the_code_says() {
    let document = document(&operations(&open().await), &examples().await);
    none(compare(FILE, &pretty(&document)), REPAIR);
}

/// Names in a schema of integers whose bounds are only those of their width.
fn unbounded(name: &str, schema: &Value, found: &mut BTreeSet<String>) {
    let mut bare = json!({ "format": schema["format"] });
    bound(&mut bare);
    let same = |word: &str| bare.get(word).is_some_and(|bare| *bare == schema[word]);
    if same("minimum") && same("maximum") {
        found.insert(name.to_owned());
    }
    for (word, member) in schema.as_object().into_iter().flatten() {
        if word == "properties" {
            for (member, schema) in member.as_object().into_iter().flatten() {
                unbounded(&format!("{name}.{member}"), schema, found);
            }
        } else {
            // A kind of an enum is named by its members.
            unbounded(name, member, found);
        }
    }
    schema.as_array().into_iter().flatten().for_each(|one| unbounded(name, one, found));
}

#[tokio::test]
async fn a_number_that_is_asked_for_has_bounds_of_its_own() {
    let document = document(&operations(&open().await), &Examples::new());
    let types = document["components"]["schemas"].as_object().expect("there are schemas");
    let paths = document["paths"].as_object().expect("there are paths");
    let mut found = BTreeSet::new();
    for name in asked(paths, types) {
        unbounded(&name, &types[&name], &mut found);
    }
    for operation in paths.values().filter_map(Value::as_object).flat_map(Map::values) {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let name = format!("{}.{}", text(&operation["operationId"]), text(&parameter["name"]));
            unbounded(&name, &parameter["schema"], &mut found);
        }
    }
    let listed: BTreeSet<String> = ANY_NUMBER.iter().map(|(name, _)| (*name).to_owned()).collect();
    let repair = "say what its check takes, `schemars(range(…))`, or in ANY_NUMBER why it takes anything";
    none(found.symmetric_difference(&listed).cloned(), repair);
}

#[tokio::test]
async fn an_operation_has_a_name_of_its_own_and_says_what_it_is() {
    let operations = operations(&open().await);
    let mut names = BTreeSet::new();
    let mut complaints = Vec::new();
    for (function, Operation { name, summary, scope, audience, method, path, .. }) in &operations {
        let words: Vec<&str> = name.split('.').collect();
        let word =
            |word: &&str| word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_') && !word.is_empty();
        if !matches!(words.as_slice(), [thing, verb] if word(thing) && word(verb)) {
            complaints.push(format!("{function}: `{name}` is no name like `orders.show`"));
        }
        if !names.insert(*name) {
            complaints.push(format!("{function}: `{name}` is the name of two operations"));
        }
        if summary.is_empty() || summary.ends_with('.') {
            complaints.push(format!("{name}: say what it is in one line without a period"));
        }
        // Whoever has signed in, or the founder, needs no scope.
        let scoped = !matches!(
            audience,
            Audience::Persons | Audience::Shoppers | Audience::Founder | Audience::Signed
        );
        if scoped != edge::identity::is_scope(scope) {
            complaints.push(format!("{name}: `{scope}` is no scope"));
        }
        // A question with a body, for what does not belong into an address.
        let asks = *method == Method::GET || path.ends_with("/check");
        if scoped && asks != scope.ends_with(":read") {
            complaints
                .push(format!("{name}: {method} with `{scope}`: who reads needs :read, who writes :write"));
        }
        if !path.starts_with("/v1/") {
            complaints.push(format!("{name}: {path} does not begin with /v1/"));
        }
    }
    none(complaints, "correct the line in the `Routes` of the function's lib.rs");
    assert!(operations.len() > 30, "the operations are found");
}

#[tokio::test]
async fn a_type_of_the_contract_has_a_name_of_its_own() {
    let document = document(&operations(&open().await), &Examples::new());
    let schemas = document["components"]["schemas"].as_object().expect("there are schemas");
    let repair = "two types have this name in the contract: give one of them `schemars(rename = \"…\")`";
    let strange = |name: &&String| !name.bytes().all(|b| b.is_ascii_alphabetic());
    none(schemas.keys().filter(strange).cloned(), repair);
    if !updating() {
        assert!(schemas.contains_key("Problem") && schemas.contains_key("Order"));
    }
}
