//! A body without card numbers: where people pay, a number in any field is refused before anything else reads it.
//!
//! Not for bodies with tracking numbers or article numbers: one in ten of those looks like a card's.

use crate::objects::Objects;
use domain::gateway::{NotAToken, looks_like_card_number};
use serde::de::{DeserializeOwned, Error};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// `Command<Cardless<Body>>` takes what `Command<Body>` takes, but for card numbers, which it does not show.
#[derive(Debug, Clone)]
pub struct Cardless<T>(pub T);

impl<'de, T: DeserializeOwned> Deserialize<'de> for Cardless<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if has_card_number(&value) {
            return Err(D::Error::custom(NotAToken::CardNumber));
        }
        T::deserialize(Objects(value)).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> schemars::JsonSchema for Cardless<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        T::json_schema(generator)
    }
}

fn has_card_number(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) => false,
        Value::Number(number) => looks_like_card_number(&number.to_string()),
        Value::String(text) => looks_like_card_number(text),
        Value::Array(items) => items.iter().any(has_card_number),
        Value::Object(members) => {
            members.iter().any(|(name, value)| looks_like_card_number(name) || has_card_number(value))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        reason: Value,
    }

    #[test]
    fn a_card_number_anywhere_is_refused_and_not_shown() {
        for body in [
            json!({"reason": "4242 4242 4242 4242"}),
            json!({"reason": 4_242_424_242_424_242_u64}),
            json!({"reason": [{"deep": "card 4242-4242-4242-4242"}]}),
            json!({"4242424242424242": "x", "reason": "x"}),
            json!({"unknown": "4242424242424242"}),
        ] {
            let said = format!("{:?}", serde_json::from_value::<Cardless<Body>>(body).unwrap_err());
            assert!(said.contains("card number") && !said.contains("4242"), "{said}");
        }
        let fine = serde_json::from_value::<Cardless<Body>>(json!({"reason": "order 4242"})).unwrap();
        assert_eq!(fine.0.reason, "order 4242");
    }
}
