//! The audit trail: the changes of a thing, and what was asked of it that its state does not allow.

use crate::key::Key;
use crate::outbox::Entry;
use crate::{Cursor, Fault, Page, Table, text};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The `kind` of refusals.
pub const KIND: &str = "refusal.1";

/// Somebody asked for what the state of a thing does not allow (A1(3)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub subject: String,
    pub at: Timestamp,
    pub actor: String,
    /// The request's id.
    pub request: String,
    /// Method and path.
    pub action: String,
    /// The problem's code and detail, as the caller heard them.
    pub code: String,
    pub why: String,
}

/// One line of a trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    Refused(Refusal),
    Changed(Entry),
}

impl Table {
    /// Keeps a refusal in the partition of its subject's whole. Only ever added: time and request name it.
    pub async fn keep_refusal(&self, whole: &Key, refusal: &Refusal) -> Result<(), Fault> {
        let mut item = Key::refusal(whole, refusal.at, &refusal.request).item();
        item.insert("kind".to_owned(), text(KIND));
        let value = serde_dynamo::to_attribute_value(refusal);
        item.insert("value".to_owned(), value.map_err(|source| Fault::Shape { kind: KIND, source })?);
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(|error| Fault::call("keep a refusal", error))?;
        Ok(())
    }

    /// Everything in one partition that was refused, then everything that was changed, each oldest first: of an order
    /// with its parts, of a merchant with its payouts.
    pub async fn trail(&self, of: &Key, limit: u16, after: Option<&Cursor>) -> Result<Page<Line>, Fault> {
        let (items, next) = self.range(&of.pk, Key::TRAIL, limit, after, true).await?;
        let mut lines = Vec::with_capacity(items.len());
        for mut item in items {
            let kind = item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str);
            // Other things lie between the two, such as how far a merchant's days are claimed.
            match Entry::read(&item)? {
                Some(entry) => lines.push(Line::Changed(entry)),
                None if kind != Some(KIND) => {}
                None => {
                    let value =
                        item.remove("value").unwrap_or(aws_sdk_dynamodb::types::AttributeValue::Null(true));
                    let refusal = serde_dynamo::from_attribute_value(value);
                    lines.push(Line::Refused(refusal.map_err(|source| Fault::Shape { kind: KIND, source })?));
                }
            }
        }
        Ok(Page { items: lines, next })
    }
}
