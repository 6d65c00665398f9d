//! One item: keys for DynamoDB, a revision for writers, the value for us, a small summary for lists.

use crate::key::{Key, Place, expires};
use crate::{Fault, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::MarketplaceId;
use jiff::Timestamp;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::HashMap;

pub(crate) type Item = HashMap<String, AttributeValue>;

/// A whole number of an item, such as a count.
pub(crate) fn whole<T: std::str::FromStr>(item: &Item, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// A value that has a place in the table.
pub trait Record: Serialize + DeserializeOwned {
    /// Name and version of the stored shape, like `order.1`; a reader that meets another kind stops.
    const KIND: &'static str;
    /// What lists show of it; the indexes project nothing else.
    type Summary: Serialize + DeserializeOwned;

    fn key(&self, m: &MarketplaceId) -> Key;

    /// Further places to find it, at most one per index.
    fn places(&self, _m: &MarketplaceId) -> Vec<Place> {
        Vec::new()
    }

    fn summary(&self) -> Option<Self::Summary> {
        None
    }

    /// When it may be forgotten; none is never.
    fn expires_at(&self) -> Option<Timestamp> {
        None
    }
}

/// A value as it was when read. Only a held value can be replaced, so no write can forget to say which revision it saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held<R> {
    pub value: R,
    pub(crate) revision: u64,
}

impl<R> Held<R> {
    /// What this process has just written as `revision`, without reading it again.
    pub fn written(value: R, revision: u64) -> Self {
        Self { value, revision }
    }

    /// The revision that was read: the ETag of an answer.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The revision the next change will have; names the events of that change.
    pub fn next_step(&self) -> u64 {
        self.revision.saturating_add(1)
    }
}

pub(crate) fn to_item<R: Record>(m: &MarketplaceId, record: &R, revision: u64) -> Result<Item, Fault> {
    let shape = |source| Fault::Shape { kind: R::KIND, source };
    let mut item = record.key(m).item();
    item.insert("kind".to_owned(), text(R::KIND));
    item.insert("revision".to_owned(), number(revision));
    item.insert("value".to_owned(), serde_dynamo::to_attribute_value(record).map_err(shape)?);
    item.extend(record.expires_at().map(expires));
    for place in record.places(m) {
        place.write(&mut item);
    }
    if let Some(summary) = record.summary() {
        item.insert("summary".to_owned(), serde_dynamo::to_attribute_value(summary).map_err(shape)?);
    }
    Ok(item)
}

pub(crate) fn from_item<R: Record>(mut item: Item) -> Result<Held<R>, Fault> {
    let found = item.get("kind").and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
    if found != R::KIND {
        return Err(Fault::Kind { want: R::KIND, found });
    }
    let revision = item.get("revision").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
    let (Some(revision), Some(value)) = (revision, item.remove("value")) else {
        return Err(Fault::Kind { want: R::KIND, found: "an item without revision or value".to_owned() });
    };
    let value =
        serde_dynamo::from_attribute_value(value).map_err(|source| Fault::Shape { kind: R::KIND, source })?;
    Ok(Held { value, revision })
}

#[cfg(test)]
mod tests;
