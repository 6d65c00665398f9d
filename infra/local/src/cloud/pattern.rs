//! Event patterns, shared by the rules of the bus and the filters of event sources.
//!
//! Owns the subset of EventBridge's content filters that the template uses: exact values, `prefix`, `suffix`,
//! `equals-ignore-case`, `exists`, `anything-but` (values or a prefix) and `numeric`. Any other filter is an
//! error when the pattern is read.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde_json::Value;

/// A pattern that an event matches or not.
#[derive(Debug, Clone)]
pub struct Pattern(Node);

#[derive(Debug, Clone)]
enum Node {
    Members(BTreeMap<String, Node>),
    AnyOf(Vec<Test>),
}

#[derive(Debug, Clone)]
enum Test {
    Exact(Value),
    Prefix(String),
    Suffix(String),
    IgnoreCase(String),
    Exists(bool),
    AnythingBut(Vec<Value>),
    NotPrefix(String),
    Numeric(Vec<(Comparison, f64)>),
}

#[derive(Debug, Clone, Copy)]
enum Comparison {
    Less,
    AtMost,
    Equal,
    AtLeast,
    Greater,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// With words for whoever wrote the pattern, if a filter in it is not understood.
    pub fn read(pattern: &Value) -> Result<Self, String> {
        match node(pattern)? {
            members @ Node::Members(_) => Ok(Self(members)),
            Node::AnyOf(_) => Err("a pattern is an object".to_owned()),
        }
    }

    /// Whether the event matches.
    #[must_use]
    pub fn matches(&self, event: &Value) -> bool {
        fits(&self.0, Some(event))
    }

    /// Whether an event may match whose JSON `contains` these pieces. "No" is certain, and costs no reading of JSON.
    #[must_use]
    pub fn may_match(&self, contains: impl Fn(&str) -> bool) -> bool {
        may_fit(&self.0, &contains)
    }
}

fn may_fit(node: &Node, contains: &dyn Fn(&str) -> bool) -> bool {
    match node {
        Node::Members(members) => members.values().all(|inner| may_fit(inner, contains)),
        Node::AnyOf(tests) => tests.iter().any(|test| match test {
            Test::Exact(text @ Value::String(_)) => contains(&text.to_string()),
            Test::Exact(_)
            | Test::Prefix(_)
            | Test::Suffix(_)
            | Test::IgnoreCase(_)
            | Test::Exists(_)
            | Test::AnythingBut(_)
            | Test::NotPrefix(_)
            | Test::Numeric(_) => true,
        }),
    }
}

fn node(pattern: &Value) -> Result<Node, String> {
    match pattern {
        Value::Object(members) => members
            .iter()
            .map(|(key, inner)| {
                if key.starts_with('$') {
                    return Err(format!("{key} is not understood in a pattern"));
                }
                Ok((key.clone(), node(inner)?))
            })
            .collect::<Result<_, String>>()
            .map(Node::Members),
        Value::Array(tests) => tests.iter().map(test).collect::<Result<_, _>>().map(Node::AnyOf),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            Err(format!("{other} stands in a pattern where a list of values belongs"))
        }
    }
}

fn test(value: &Value) -> Result<Test, String> {
    let Some(object) = value.as_object() else { return Ok(Test::Exact(value.clone())) };
    let not_understood = || format!("the filter {value} is not understood");
    let (Some((name, argument)), 1) = (object.iter().next(), object.len()) else {
        return Err(not_understood());
    };
    match (name.as_str(), argument) {
        ("prefix", Value::String(text)) => Ok(Test::Prefix(text.clone())),
        ("suffix", Value::String(text)) => Ok(Test::Suffix(text.clone())),
        ("equals-ignore-case", Value::String(text)) => Ok(Test::IgnoreCase(text.to_lowercase())),
        ("exists", Value::Bool(wanted)) => Ok(Test::Exists(*wanted)),
        ("anything-but", Value::Array(values)) => Ok(Test::AnythingBut(values.clone())),
        ("anything-but", Value::Object(inner)) => match inner.get("prefix") {
            Some(Value::String(text)) if inner.len() == 1 => Ok(Test::NotPrefix(text.clone())),
            _ => Err(not_understood()),
        },
        ("anything-but", single @ (Value::String(_) | Value::Number(_))) => {
            Ok(Test::AnythingBut(vec![single.clone()]))
        }
        ("numeric", Value::Array(parts)) => parts
            .chunks(2)
            .map(comparison)
            .collect::<Option<_>>()
            .map(Test::Numeric)
            .ok_or_else(not_understood),
        _ => Err(not_understood()),
    }
}

fn comparison(pair: &[Value]) -> Option<(Comparison, f64)> {
    let [operator, bound] = pair else { return None };
    let operator = match operator.as_str()? {
        "<" => Comparison::Less,
        "<=" => Comparison::AtMost,
        "=" => Comparison::Equal,
        ">=" => Comparison::AtLeast,
        ">" => Comparison::Greater,
        _ => return None,
    };
    Some((operator, bound.as_f64()?))
}

fn fits(node: &Node, value: Option<&Value>) -> bool {
    match node {
        Node::Members(members) => match value {
            // A list of objects matches if any of its members does.
            Some(Value::Array(items)) => items.iter().any(|item| fits(node, Some(item))),
            other => members.iter().all(|(key, inner)| fits(inner, other.and_then(|object| object.get(key)))),
        },
        Node::AnyOf(tests) => tests.iter().any(|test| passes(test, value)),
    }
}

fn passes(test: &Test, value: Option<&Value>) -> bool {
    let value = match (test, value) {
        (Test::Exists(wanted), found) => return found.is_some() == *wanted,
        (_, None) => return false,
        (_, Some(Value::Array(items))) => return items.iter().any(|item| passes(test, Some(item))),
        (_, Some(value)) => value,
    };
    let text = value.as_str();
    match test {
        Test::Exact(wanted) => value == wanted,
        Test::Prefix(prefix) => text.is_some_and(|text| text.starts_with(prefix)),
        Test::Suffix(suffix) => text.is_some_and(|text| text.ends_with(suffix)),
        Test::IgnoreCase(wanted) => text.is_some_and(|text| text.to_lowercase() == *wanted),
        Test::Exists(wanted) => *wanted,
        Test::AnythingBut(values) => !values.contains(value),
        Test::NotPrefix(prefix) => text.is_some_and(|text| !text.starts_with(prefix)),
        Test::Numeric(bounds) => value
            .as_f64()
            .is_some_and(|number| bounds.iter().all(|(operator, bound)| compares(*operator, number, *bound))),
    }
}

fn compares(operator: Comparison, number: f64, bound: f64) -> bool {
    let order = number.partial_cmp(&bound);
    match operator {
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::AtMost => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Equal => order == Some(Ordering::Equal),
        Comparison::AtLeast => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_pattern_matches_what_eventbridge_says_it_matches() {
        let event = json!({
            "source": "souk", "detail-type": "order.placed.v1",
            "detail": {
                "total": 12, "tags": ["a", "b"], "none": null, "items": [{ "sku": "x" }, { "sku": "y" }],
            },
        });
        let table = [
            (json!({ "source": ["souk"] }), true),
            (json!({ "source": ["other", "souk"] }), true),
            (json!({ "source": ["other"] }), false),
            (json!({ "source": ["souk"], "detail-type": ["order.paid.v1"] }), false),
            (json!({ "detail-type": [{ "prefix": "order." }] }), true),
            (json!({ "detail-type": [{ "suffix": ".v2" }] }), false),
            (json!({ "detail-type": [{ "equals-ignore-case": "ORDER.placed.V1" }] }), true),
            (json!({ "detail": { "total": [12] } }), true),
            (json!({ "detail": { "total": ["12"] } }), false),
            (json!({ "detail": { "total": [{ "numeric": [">", 10, "<=", 12] }] } }), true),
            (json!({ "detail": { "total": [{ "numeric": ["<", 12] }] } }), false),
            (json!({ "detail": { "tags": ["b"] } }), true),
            (json!({ "detail": { "tags": ["c"] } }), false),
            (json!({ "detail": { "items": { "sku": ["y"] } } }), true),
            (json!({ "detail": { "missing": [{ "exists": false }] } }), true),
            (json!({ "detail": { "missing": { "deep": [{ "exists": false }] } } }), true),
            (json!({ "detail": { "total": [{ "exists": true }] } }), true),
            (json!({ "detail": { "none": [null] } }), true),
            (json!({ "detail": { "total": [{ "anything-but": [1, 2] }] } }), true),
            (json!({ "source": [{ "anything-but": "souk" }] }), false),
            (json!({ "source": [{ "anything-but": { "prefix": "aws" } }] }), true),
        ];
        for (pattern, expected) in table {
            assert_eq!(Pattern::read(&pattern).unwrap().matches(&event), expected, "{pattern}");
        }
    }

    #[test]
    fn a_filter_that_is_not_understood_is_an_error_that_names_it() {
        for pattern in [
            json!({ "source": "souk" }),
            json!({ "source": [{ "wildcard": "*" }] }),
            json!({ "$or": [] }),
            json!({ "source": [{ "numeric": ["<"] }] }),
            json!(["souk"]),
        ] {
            assert!(Pattern::read(&pattern).is_err(), "{pattern}");
        }
    }
}
