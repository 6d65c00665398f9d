//! The outbox: one append-only item per changed thing and commit, beside that thing. Events, postings and the audit
//! trail in one; the relay makes events of it, the ledger its totals.

use crate::commit::Story;
use crate::key::Key;
use crate::record::Item;
use crate::{Cursor, Fault, Page, Table, number, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::MarketplaceId;
use domain::ledger::Posting;
use domain::stock::Movement;
use events::{Announced, Change, Context, Envelope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// The `kind` of outbox items, which the stream's filter names.
pub const KIND: &str = "outbox.1";

/// An outbox item as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub marketplace: MarketplaceId,
    pub subject: String,
    pub step: u64,
    pub context: Context,
    pub facts: Vec<Announced>,
    pub postings: Vec<Posting>,
    pub movements: Vec<Movement>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    at: Timestamp,
    actor: String,
    cause: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlation: Option<String>,
    facts: Vec<Announced>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    postings: Vec<Posting>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    movements: Vec<Movement>,
}

impl Entry {
    /// The events of this entry. The same entry always makes the same ones.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let Self { marketplace, subject, step, context, facts, .. } = self;
        Change { marketplace, subject, step: *step, context, facts }.envelopes()
    }

    /// What names it among all outbox items.
    pub fn id(&self) -> String {
        format!("{}.{}", self.subject, self.step)
    }

    /// Reads an item image, as a stream or a query shows it. None where it is no outbox item.
    pub fn read(item: &HashMap<String, AttributeValue>) -> Result<Option<Self>, Fault> {
        let text = |name: &str| item.get(name).and_then(|v| v.as_s().ok());
        if text("kind").map(String::as_str) != Some(KIND) {
            return Ok(None);
        }
        let wrong = |found: &str| Fault::Kind { want: KIND, found: found.to_owned() };
        let step = item.get("step").and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
        let pk = text("PK").ok_or_else(|| wrong("an item without key"))?;
        let marketplace = Key::marketplace_of(pk).ok_or_else(|| wrong(pk))?;
        let (Some(subject), Some(step), Some(value)) = (text("subject"), step, item.get("value")) else {
            return Err(wrong("an item without subject, step or value"));
        };
        let stored: Stored = serde_dynamo::from_attribute_value(value.clone())
            .map_err(|source| Fault::Shape { kind: KIND, source })?;
        let Stored { at, actor, cause, correlation, facts, postings, movements } = stored;
        let correlation = correlation.unwrap_or_else(|| cause.clone());
        let context = Context { at, actor, cause, correlation };
        Ok(Some(Self { marketplace, subject: subject.clone(), step, context, facts, postings, movements }))
    }
}

pub(crate) fn to_item(
    of: &Key,
    subject: &str,
    step: u64,
    context: &Context,
    story: &Story,
) -> Result<Item, Fault> {
    let stored = Stored {
        at: context.at,
        actor: context.actor.clone(),
        cause: context.cause.clone(),
        correlation: (context.correlation != context.cause).then(|| context.correlation.clone()),
        facts: story.facts.clone(),
        postings: story.postings.clone(),
        movements: story.movements.clone(),
    };
    let mut item = Key::outbox(of, step).item();
    item.insert("kind".to_owned(), text(KIND));
    item.insert("subject".to_owned(), text(subject));
    item.insert("step".to_owned(), number(step));
    let value = serde_dynamo::to_attribute_value(stored);
    item.insert("value".to_owned(), value.map_err(|source| Fault::Shape { kind: KIND, source })?);
    Ok(item)
}

impl Table {
    /// The outbox item under exactly this key, for a replay of what could not be handled.
    pub async fn outbox_entry(&self, key: &Key) -> Result<Option<Entry>, Fault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::call("load an outbox item", error))?;
        answer.item.map_or(Ok(None), |item| Entry::read(&item))
    }

    /// The audit trail of everything in one partition, oldest first: an order with its parts, or a merchant.
    pub async fn story(&self, of: &Key, limit: u16, after: Option<&Cursor>) -> Result<Page<Entry>, Fault> {
        let (items, next) = self.range(&of.pk, ("EVT#", "EVT#~"), limit, after, true).await?;
        let entries: Result<Vec<_>, _> = items.iter().map(Entry::read).collect();
        Ok(Page { items: entries?.into_iter().flatten().collect(), next })
    }

    /// Every outbox item of the table, by pages. Only for an operator's command: it scans.
    pub async fn scan_outbox(&self, after: Option<&Cursor>) -> Result<Page<Entry>, Fault> {
        let (items, next) = self.scan(Some(KIND), after).await?;
        let entries: Result<Vec<_>, _> = items.iter().map(Entry::read).collect();
        Ok(Page { items: entries?.into_iter().flatten().collect(), next })
    }
}
