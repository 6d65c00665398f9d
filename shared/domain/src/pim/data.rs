//! A value as JSON has it, without floats: decimals are texts, so that nothing is rounded on its way.
//!
//! One form for values at rest, in the API, in changes and in imports. Objects are sorted, so the same value is always
//! the same bytes. `Null` is only said in edits: what is kept has none.

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Data {
    Null,
    Bool(bool),
    Whole(i64),
    Text(String),
    List(Vec<Data>),
    Map(BTreeMap<String, Data>),
}

/// What kind of JSON a value is. Numbers may be written as texts, so both are one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Nothing,
    Truth,
    Scalar,
    List,
    Object,
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nothing => "null",
            Self::Truth => "true or false",
            Self::Scalar => "a text or number",
            Self::List => "an array",
            Self::Object => "an object",
        })
    }
}

/// An edit has another type than what it would edit; `at` is within the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeChange {
    pub at: String,
    pub was: Shape,
    pub is: Shape,
}

impl Data {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn map<const N: usize>(parts: [(&str, Self); N]) -> Self {
        Self::Map(parts.into_iter().map(|(name, data)| (name.to_owned(), data)).collect())
    }

    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Whole(_) | Self::List(_) | Self::Map(_) => None,
        }
    }

    pub fn as_map(&self) -> Option<&BTreeMap<String, Self>> {
        match self {
            Self::Map(map) => Some(map),
            Self::Null | Self::Bool(_) | Self::Whole(_) | Self::Text(_) | Self::List(_) => None,
        }
    }

    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::List(list) => Some(list),
            Self::Null | Self::Bool(_) | Self::Whole(_) | Self::Text(_) | Self::Map(_) => None,
        }
    }

    pub fn shape(&self) -> Shape {
        match self {
            Self::Null => Shape::Nothing,
            Self::Bool(_) => Shape::Truth,
            Self::Whole(_) | Self::Text(_) => Shape::Scalar,
            Self::List(_) => Shape::List,
            Self::Map(_) => Shape::Object,
        }
    }

    /// A3(1): objects merge, scalars and arrays are replaced, null removes, another type is refused. Every refusal is
    /// told, not the first alone.
    pub fn merge(&self, edit: &Self) -> Result<Self, Vec<TypeChange>> {
        let mut refused = Vec::new();
        let merged = self.merge_at(edit, "", &mut refused);
        if refused.is_empty() { Ok(merged) } else { Err(refused) }
    }

    fn merge_at(&self, edit: &Self, at: &str, refused: &mut Vec<TypeChange>) -> Self {
        if let (Self::Map(before), Self::Map(edits)) = (self, edit) {
            let mut merged = before.clone();
            for (name, edit) in edits {
                let at = if at.is_empty() { name.clone() } else { format!("{at}/{name}") };
                match (merged.get(name), edit) {
                    (_, Self::Null) => {
                        merged.remove(name);
                    }
                    (Some(part), edit) => {
                        let part = part.merge_at(edit, &at, refused);
                        merged.insert(name.clone(), part);
                    }
                    (None, edit) => {
                        merged.insert(name.clone(), edit.without_nulls());
                    }
                }
            }
            return Self::Map(merged);
        }
        if self.shape() != edit.shape() {
            refused.push(TypeChange { at: at.to_owned(), was: self.shape(), is: edit.shape() });
        }
        edit.without_nulls()
    }

    /// What an edit leaves where nothing was before.
    #[must_use]
    pub fn without_nulls(&self) -> Self {
        match self {
            Self::Map(parts) => {
                let kept = parts.iter().filter(|(_, part)| **part != Self::Null);
                Self::Map(kept.map(|(name, part)| (name.clone(), part.without_nulls())).collect())
            }
            Self::Null | Self::Bool(_) | Self::Whole(_) | Self::Text(_) | Self::List(_) => self.clone(),
        }
    }

    /// 64 bits of SHA-256, in hex: enough to see that a value is no longer what it was.
    pub fn digest(&self) -> String {
        let mut written = String::new();
        self.write(&mut written);
        crate::id::sha256_hex(written.as_bytes()).chars().take(16).collect()
    }

    /// Each part with its kind and length before it, so that different values are different texts.
    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push('n'),
            Self::Bool(truth) => out.push_str(if *truth { "t" } else { "f" }),
            Self::Whole(number) => out.push_str(&format!("i{number};")),
            Self::Text(text) => out.push_str(&format!("s{}:{text}", text.len())),
            Self::List(items) => {
                out.push_str(&format!("l{}:", items.len()));
                items.iter().for_each(|item| item.write(out));
            }
            Self::Map(parts) => {
                out.push_str(&format!("m{}:", parts.len()));
                for (name, part) in parts {
                    out.push_str(&format!("s{}:{name}", name.len()));
                    part.write(out);
                }
            }
        }
    }

    /// Bytes of its JSON.
    pub fn size(&self) -> usize {
        match self {
            Self::Null | Self::Bool(true) => 4,
            Self::Bool(false) => 5,
            Self::Whole(number) => number.to_string().len(),
            Self::Text(text) => text_size(text),
            Self::List(items) => enclosed(items.iter().map(Self::size)),
            Self::Map(parts) => enclosed(parts.iter().map(|(name, part)| text_size(name) + 1 + part.size())),
        }
    }
}

/// Bytes of a JSON array or object with parts of these sizes.
pub(crate) fn enclosed(sizes: impl Iterator<Item = usize>) -> usize {
    let (count, sum) = sizes.fold((0_usize, 0_usize), |(count, sum), size| (count + 1, sum + size));
    2 + sum + count.saturating_sub(1)
}

/// Bytes of a text in JSON: quotes and escapes included.
pub(crate) fn text_size(text: &str) -> usize {
    let escaped = |c: char| match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        '\0'..='\u{1f}' => 6,
        other => other.len_utf8(),
    };
    2 + text.chars().map(escaped).sum::<usize>()
}

impl Serialize for Data {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Whole(number) => serializer.serialize_i64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => items.serialize(serializer),
            Self::Map(parts) => parts.serialize(serializer),
        }
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Data {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Data".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let part = generator.subschema_for::<Self>();
        schemars::json_schema!({
            "description": "Any JSON; decimals are texts like \"2.5\".",
            "type": ["null", "boolean", "integer", "string", "array", "object"],
            "format": "int64",
            "items": part,
            "additionalProperties": part,
            "propertyNames": { "minLength": 1 },
        })
    }
}

struct AnyData;

impl<'de> Visitor<'de> for AnyData {
    type Value = Data;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON whose decimals are texts like \"2.5\"")
    }

    fn visit_unit<E: Error>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_none<E: Error>(self) -> Result<Data, E> {
        Ok(Data::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<Data, D::Error> {
        Data::deserialize(inner)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<Data, E> {
        Ok(Data::Bool(truth))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Data, E> {
        Ok(Data::Whole(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Data, E> {
        i64::try_from(number).map(Data::Whole).map_err(|_| E::custom("the number is too large: write a text"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Data, E> {
        Ok(Data::text(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Data, E> {
        Ok(Data::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Data, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Data::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<Data, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, part)) = parts.next_entry::<String, Data>()? {
            // DynamoDB has no place for it.
            if name.is_empty() {
                return Err(A::Error::custom("a name is empty"));
            }
            if map.insert(name.clone(), part).is_some() {
                return Err(A::Error::custom(format!("`{name}` is named twice")));
            }
        }
        Ok(Data::Map(map))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn json(text: &str) -> Data {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a3_1_objects_merge_scalars_and_arrays_are_replaced_and_null_removes() {
        let table = [
            (r#"{"a":1,"b":{"c":"x","d":true}}"#, r#"{"b":{"c":"y"}}"#, r#"{"a":1,"b":{"c":"y","d":true}}"#),
            (r#"{"a":[1,2,3]}"#, r#"{"a":[4]}"#, r#"{"a":[4]}"#),
            (r#"{"a":1,"b":2}"#, r#"{"a":null,"z":null}"#, r#"{"b":2}"#),
            (r#"{"a":1}"#, r#"{"n":{"x":null,"y":1}}"#, r#"{"a":1,"n":{"y":1}}"#),
            ("{}", r#"{"n":{"x":{"y":null,"z":[1]}}}"#, r#"{"n":{"x":{"z":[1]}}}"#),
            (r#""6.5""#, "7", "7"),
        ];
        for (before, edit, after) in table {
            assert_eq!(json(before).merge(&json(edit)), Ok(json(after)), "{before} and {edit}");
        }
    }

    #[test]
    fn a3_1_every_change_of_type_is_refused_at_once() {
        let refused = json(r#"{"a":[1],"b":{"c":true},"d":"x"}"#)
            .merge(&json(r#"{"a":"1","b":{"c":{"e":1}},"d":"y"}"#))
            .unwrap_err();
        let at = |at: &str, was, is| TypeChange { at: at.to_owned(), was, is };
        assert_eq!(refused, [at("a", Shape::List, Shape::Scalar), at("b/c", Shape::Truth, Shape::Object)]);
    }

    #[test]
    fn a_decimal_is_a_text_and_a_name_is_something_and_stands_once() {
        let refused = |text| serde_json::from_str::<Data>(text).unwrap_err().to_string();
        assert_eq!(refused(r#"{"":1}"#), "a name is empty at line 1 column 6");
        assert_eq!(
            refused("2.5"),
            "invalid type: floating point `2.5`, expected JSON whose decimals are texts like \"2.5\" \
             at line 1 column 3"
        );
        assert!(refused(r#"{"a":1,"a":2}"#).starts_with("`a` is named twice"));
        assert!(refused("18446744073709551615").starts_with("the number is too large: write a text"));
    }

    pub(crate) fn any_data() -> impl Strategy<Value = Data> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Data::Bool),
            any::<i64>().prop_map(Data::Whole),
            ".{0,8}|[\u{0}-\u{20}\"\\\\]{0,4}".prop_map(Data::Text),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Data::List),
                prop::collection::btree_map("[a-c]{1,2}", inner, 0..4).prop_map(Data::Map),
            ]
        })
    }

    proptest! {
        #[test]
        fn the_size_is_that_of_the_json_which_reads_back(data in any_data()) {
            let text = serde_json::to_string(&data).unwrap();
            prop_assert_eq!(data.size(), text.len());
            prop_assert_eq!(json(&text), data);
        }

        #[test]
        fn different_values_have_different_digests(one in any_data(), two in any_data()) {
            prop_assert_eq!(one == two, one.digest() == two.digest());
        }

        #[test]
        fn a_patch_twice_is_a_patch_once(before in any_data(), edit in any_data()) {
            if let Ok(once) = before.merge(&edit) {
                prop_assert_eq!(once.merge(&edit), Ok(once));
            }
        }
    }
}
