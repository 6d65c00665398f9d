//! JSON Schema of an event: made from its type, and the small part of the language that it uses, checked.
//!
//! The checker stops at a keyword that it does not know, so a schema never says more than is checked here.

use crate::files::none;
use domain::Currency;
use domain::catalog::Gtin;
use domain::id::MerchantId;
use domain::merchant::Iban;
use domain::period::Zone;
use domain::place::Country;
use domain::says::PercentOff;
use domain::text::{Category, Channel, Email, Locale, Opinion, PersonName, Sku, Text, WebAddress};
use domain::webhook::Pattern;
use events::{Envelope, Payload};
use jiff::Timestamp;
use jiff::civil::Date;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};
use std::str::FromStr;

/// The schema of an event's envelope, with what the types cannot say: its name, and which texts are times.
pub(crate) fn of<P: Payload + JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Envelope<P>>().to_value();
    sharpen(&mut schema);
    let told = schema["properties"]["data"]["$ref"].as_str().and_then(|data| data.strip_prefix('#'));
    let says = told.and_then(|pointer| schema.pointer(pointer)?.get("description")).cloned();
    let root = schema.as_object_mut().expect("a schema of a struct is an object");
    root.remove("description");
    root.extend(says.map(|says| ("description".to_owned(), says)));
    root.insert("$id".to_owned(), format!("urn:souk:event:{}", P::NAME).into());
    root.insert("title".to_owned(), P::NAME.into());
    let name = root.get_mut("properties").and_then(|all| all.get_mut("name"));
    *name.expect("an envelope has a name") = json!({ "const": P::NAME });
    schema
}

/// Gives texts that are times and days their format.
fn sharpen(schema: &mut Value) {
    for (pointer, format) in [
        ("/properties/at", "date-time"),
        ("/$defs/Instant", "date-time"),
        ("/$defs/PayoutCreatedV1/properties/through", "date"),
    ] {
        if let Some(text) = schema.pointer_mut(pointer) {
            text["format"] = format.into();
        }
    }
}

/// What in `value` the schema does not allow; empty if all is well.
pub(crate) fn complaints(schema: &Value, value: &Value) -> Vec<String> {
    complaints_within(schema, schema, value)
}

/// The same for a schema in a document, to which its references lead.
pub(crate) fn complaints_within(root: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { root, found: &mut found }.value(schema, value, "$");
    found
}

struct Check<'a> {
    root: &'a Value,
    found: &'a mut Vec<String>,
}

pub(crate) const AMOUNT: &str = r"^-?[0-9]+(\.[0-9]+)?$";

/// Words about a schema that bind no value.
const SILENT: [&str; 6] = ["$schema", "$id", "$defs", "title", "description", "default"];

impl Check<'_> {
    fn must(&mut self, holds: bool, at: &str, word: &str) {
        if !holds {
            self.found.push(format!("{at}: {word}"));
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, at: &str) {
        let Some(members) = schema.as_object() else {
            return self.must(schema == &Value::Bool(true), at, "nothing is allowed here");
        };
        for (keyword, wanted) in members.iter().filter(|(keyword, _)| !SILENT.contains(&keyword.as_str())) {
            self.keyword(members, keyword, wanted, value, at);
        }
    }

    fn keyword(
        &mut self,
        schema: &Map<String, Value>,
        keyword: &str,
        wanted: &Value,
        value: &Value,
        at: &str,
    ) {
        let list = || wanted.as_array().map(Vec::as_slice).unwrap_or_default();
        let word = || format!("{keyword} is {wanted}, found {value}");
        match keyword {
            "$ref" => {
                let pointer = wanted.as_str().and_then(|text| text.strip_prefix('#')).unwrap_or("/none");
                match self.root.pointer(pointer) {
                    Some(target) => self.value(target, value, at),
                    None => self.must(false, at, &format!("{wanted} leads nowhere")),
                }
            }
            "type" => {
                let types = if wanted.is_array() { list() } else { std::slice::from_ref(wanted) };
                self.must(types.iter().any(|name| is(name, value)), at, &word());
            }
            "const" => self.must(wanted == value, at, &word()),
            "enum" => self.must(list().contains(value), at, &word()),
            "anyOf" | "oneOf" => {
                let root = self.root;
                let fits = list().iter().filter(|one| {
                    let mut found = Vec::new();
                    Check { root, found: &mut found }.value(one, value, at);
                    found.is_empty()
                });
                let count = fits.count();
                self.must(count == 1 || (count > 1 && keyword == "anyOf"), at, &word());
            }
            // Of numbers alone: a schema may take other things beside them.
            "minimum" => self.must(number(value).is_none_or(|n| Some(n) >= number(wanted)), at, &word()),
            "maximum" => self.must(number(value).is_none_or(|n| Some(n) <= number(wanted)), at, &word()),
            "items" => {
                for (position, item) in value.as_array().into_iter().flatten().enumerate() {
                    self.value(wanted, item, &format!("{at}[{position}]"));
                }
            }
            "prefixItems" => {
                for (position, (schema, item)) in
                    list().iter().zip(value.as_array().into_iter().flatten()).enumerate()
                {
                    self.value(schema, item, &format!("{at}[{position}]"));
                }
            }
            "minLength" | "maxLength" => {
                let count = value.as_str().map_or(0, |text| text.chars().count());
                let bound = usize::try_from(number(wanted).unwrap_or_default()).unwrap_or_default();
                self.must(if keyword == "minLength" { count >= bound } else { count <= bound }, at, &word());
            }
            "minItems" | "maxItems" => {
                let (count, bound) =
                    (value.as_array().map_or(0, Vec::len), number(wanted).unwrap_or_default());
                let bound = usize::try_from(bound).unwrap_or_default();
                self.must(if keyword == "minItems" { count >= bound } else { count <= bound }, at, &word());
            }
            "minProperties" | "maxProperties" => {
                let (count, bound) =
                    (value.as_object().map_or(0, Map::len), number(wanted).unwrap_or_default());
                let bound = usize::try_from(bound).unwrap_or_default();
                self.must(
                    if keyword == "minProperties" { count >= bound } else { count <= bound },
                    at,
                    &word(),
                );
            }
            "pattern" => self.must(matches(wanted, value), at, &word()),
            "properties" => {
                for (name, schema) in wanted.as_object().into_iter().flatten() {
                    if let Some(member) = value.get(name) {
                        self.value(schema, member, &format!("{at}.{name}"));
                    }
                }
            }
            "required" => {
                for name in list().iter().filter_map(Value::as_str) {
                    self.must(value.get(name).is_some(), at, &format!("{name} is missing"));
                }
            }
            "propertyNames" => {
                for name in value.as_object().into_iter().flat_map(Map::keys) {
                    self.value(wanted, &json!(name), &format!("{at} {name}"));
                }
            }
            "patternProperties" => {
                for (pattern, schema) in wanted.as_object().into_iter().flatten() {
                    let fits = |(name, _): &(&String, &Value)| matches(&json!(pattern), &json!(name));
                    for (name, member) in value.as_object().into_iter().flatten().filter(fits) {
                        self.value(schema, member, &format!("{at}.{name}"));
                    }
                }
            }
            "additionalProperties" => {
                let known = schema.get("properties").and_then(Value::as_object);
                let patterns = schema.get("patternProperties").and_then(Value::as_object);
                for (name, member) in value.as_object().into_iter().flatten() {
                    let fits = |pattern: &String| matches(&json!(pattern), &json!(name));
                    let fits = patterns.is_some_and(|patterns| patterns.keys().any(fits));
                    if !fits && !known.is_some_and(|known| known.contains_key(name)) {
                        self.value(wanted, member, &format!("{at}.{name}"));
                    }
                }
            }
            "format" => self.must(formatted(wanted, value), at, &word()),
            other => self.must(false, at, &format!("the checker does not know the keyword {other}")),
        }
    }
}

fn number(value: &Value) -> Option<i128> {
    value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
}

fn is(name: &Value, value: &Value) -> bool {
    match name.as_str() {
        Some("null") => value.is_null(),
        Some("boolean") => value.is_boolean(),
        Some("string") => value.is_string(),
        Some("integer") => number(value).is_some(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        Some(_) | None => false,
    }
}

fn matches(pattern: &Value, value: &Value) -> bool {
    let pattern = pattern.as_str().and_then(|pattern| regex_lite::Regex::new(pattern).ok());
    pattern.is_some_and(|pattern| value.as_str().is_some_and(|text| pattern.is_match(text)))
}

fn formatted(format: &Value, value: &Value) -> bool {
    let reads = |read: fn(&str) -> bool| value.as_str().is_some_and(read);
    match format.as_str() {
        Some("date-time") => reads(|text| text.parse::<Timestamp>().is_ok()),
        Some("date") => reads(|text| text.parse::<Date>().is_ok()),
        Some("time-zone") => reads(|text| text.parse::<Zone>().is_ok()),
        Some("gtin") => reads(|text| text.parse::<Gtin>().is_ok()),
        Some("iban") => reads(|text| text.parse::<Iban>().is_ok()),
        Some("int8") => number(value).is_some_and(|number| i8::try_from(number).is_ok()),
        Some("int32") => number(value).is_some_and(|number| i32::try_from(number).is_ok()),
        Some("int64") => number(value).is_none_or(|number| i64::try_from(number).is_ok()),
        Some("uint8") => number(value).is_some_and(|number| u8::try_from(number).is_ok()),
        Some("uint16") => number(value).is_some_and(|number| u16::try_from(number).is_ok()),
        Some("uint32") => number(value).is_some_and(|number| u32::try_from(number).is_ok()),
        Some("uint64") => number(value).is_some_and(|number| u64::try_from(number).is_ok()),
        Some(_) | None => false,
    }
}

#[test]
fn the_checker_sees_what_is_wrong() {
    let schema = json!({
        "type": "object",
        "required": ["at", "of"],
        "properties": {
            "at": { "type": "string", "format": "date-time" },
            "of": { "$ref": "#/$defs/of" },
            "n": { "type": "integer", "format": "uint8", "minimum": 0 },
        },
        "$defs": { "of": { "enum": ["a", "b"] } },
    });
    let fine = json!({ "at": "2026-01-05T09:00:00Z", "of": "a", "n": 255, "new": true });
    assert_eq!(complaints(&schema, &fine), Vec::<String>::new());
    for wrong in [
        json!({ "at": "2026-01-05T09:00:00Z" }),
        json!({ "at": "yesterday", "of": "a" }),
        json!({ "at": "2026-01-05T09:00:00Z", "of": "c" }),
        json!({ "at": "2026-01-05T09:00:00Z", "of": "a", "n": -1 }),
        json!({ "at": "2026-01-05T09:00:00Z", "of": "a", "n": 256 }),
        json!([]),
    ] {
        assert!(!complaints(&schema, &wrong).is_empty(), "{wrong}");
    }
    assert!(!complaints(&json!({ "contains": "a" }), &json!("a")).is_empty(), "unknown keywords are told");
}

/// Of these texts, which a type takes and its schema does not, or the other way round.
fn differing<T: FromStr + JsonSchema>() -> Vec<String> {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let long = "a".repeat(10_001);
    let texts = [
        "",
        " ",
        "a",
        "a b",
        " a",
        "a ",
        "a\n",
        "a\nb",
        "a\tb",
        "a\u{0}b",
        "a\u{7f}b",
        "\u{a0}a",
        "\u{3000}",
        "\u{2028}a",
        "a\u{2028}b",
        "a\u{202e}b",
        "Größe 38",
        "王",
        "web",
        "Web",
        "a_b-3",
        "de",
        "de-AT",
        "de_AT",
        "sr-Latn-RS",
        "german",
        "EUR",
        "XAU",
        "eur",
        "DE",
        "XI",
        "UTC",
        "Europe/Berlin",
        "a@b.example",
        "a@b",
        "@b.example",
        "a@.b",
        "a@b.",
        "a@b@c.d",
        "a b@c.example",
        "a,b@c.example",
        "https://a",
        "https://",
        "http://a",
        "https://a b",
        "https://a\u{a0}b",
        "tok_a:1",
        "tok",
        "mer_00000001",
        "mer_0000001",
        "mer_0000000A",
        "ord_00000001",
        "4006381333931",
        "4006381333932",
        "DE89370400440532013000",
        "DE88370400440532013000",
        "order.*",
        "order.paid.v1",
        "order",
        "*",
        "a.*.b",
        &long,
        &long[..500],
        &long[..64],
        &long[..65],
    ];
    let name = std::any::type_name::<T>();
    let differ = |text: &&&str| text.parse::<T>().is_ok() != complaints(&schema, &json!(text)).is_empty();
    texts.iter().filter(differ).map(|text| format!("{name}: {text:.40?}")).collect()
}

#[test]
fn a_texts_schema_says_what_its_type_takes() {
    let differing = [
        differing::<Category>(),
        differing::<Channel>(),
        differing::<Country>(),
        differing::<Currency>(),
        differing::<Email>(),
        differing::<Gtin>(),
        differing::<Iban>(),
        differing::<Locale>(),
        differing::<MerchantId>(),
        differing::<Opinion>(),
        differing::<Pattern>(),
        differing::<PersonName>(),
        differing::<Sku>(),
        differing::<Text>(),
        differing::<WebAddress>(),
        differing::<Zone>(),
    ];
    none(
        differing.concat(),
        "the schema of the type says more or less than its check: `domain::text` has both",
    );
}

#[test]
fn what_is_taken_off_is_more_than_nothing_and_at_most_everything() {
    let schema =
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<PercentOff>().to_value();
    let taken = |text: &&str| complaints(&schema, &json!(text)).is_empty();
    let fine =
        ["0.0001", "0.05", "00.1", "0.9999", "1", "05", "9.5", "10.0000", "99.9999", "100", "100.0000"];
    let wrong = ["0", "00", "0.0", "0.0000", "0.00001", "100.0001", "101", "-1", "", ".5", "1."];
    let told = |text: &&str| (*text).to_owned();
    none(fine.iter().filter(|text| !taken(text)).map(told), "these take something off");
    none(
        wrong.iter().filter(|text| taken(text)).map(told),
        "these take nothing off, or more than everything",
    );
}
