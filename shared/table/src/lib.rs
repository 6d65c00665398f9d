//! The one table: load, and commit what was decided.
//!
//! Invariant: only this crate names a key or writes an expression; every partition key but the due index, keys and
//! issuers begins with the marketplace's id, so a forgotten filter cannot leak. There is no repository trait: tests
//! run this code against a DynamoDB in the process.
//!
//! `key.rs` every key and access pattern · `record.rs` an item and its value · `commit.rs` one atomic write ·
//! `list.rs` pages · one file of records per context.

pub mod access;
pub mod audit;
pub mod catalog;
pub mod commit;
pub mod due;
pub mod key;
pub mod ledger;
pub mod list;
pub mod merchant;
pub mod order;
pub mod outbox;
pub mod overrides;
pub mod payout;
pub mod record;
pub mod stock;

pub use commit::{Commit, Story, Uncommitted};
pub use key::Key;
pub use list::{Cursor, Page};
pub use record::{Held, Record};

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use domain::id::MarketplaceId;
use record::Item;
use std::collections::{HashMap, HashSet};

/// A handle to the table; cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) name: String,
}

/// The table let us down; nobody's request was wrong. Display says what we were doing; the cause is in `source`, once.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{doing} failed")]
    Call { doing: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("an item of kind `{kind}` has another shape")]
    Shape { kind: &'static str, source: serde_dynamo::Error },
    #[error("wanted an item of kind `{want}`, found `{found}`")]
    Kind { want: &'static str, found: String },
    #[error("a commit of {0} writes: DynamoDB takes at most 100")]
    TooManyWrites(usize),
    #[error("the table answers with unread keys, again and again")]
    Unread,
}

impl Fault {
    pub(crate) fn call(
        doing: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Call { doing, source: source.into() }
    }
}

/// What one batch read brought, by its place.
#[derive(Debug, Default)]
pub struct Loaded {
    found: HashMap<Key, Item>,
}

impl Loaded {
    /// The value under a key, once; none if there is nothing, or it was taken.
    pub fn take<R: Record>(&mut self, key: &Key) -> Result<Option<Held<R>>, Fault> {
        self.found.remove(key).map(record::from_item).transpose()
    }
}

/// DynamoDB's own bound of one batch read.
const BATCH_MAX: usize = 100;

impl Table {
    pub fn new(client: aws_sdk_dynamodb::Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into() }
    }

    /// What is there now. Reads that lead to a decision are strongly consistent.
    pub async fn load<R: Record>(&self, key: &Key) -> Result<Option<Held<R>>, Fault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::call("load", error))?;
        answer.item.map(record::from_item).transpose()
    }

    /// Many at once, strongly consistent, in the order of `keys`; what is not there is absent. Duplicate keys are read
    /// once.
    pub async fn load_all<R: Record>(&self, keys: &[Key]) -> Result<Vec<Held<R>>, Fault> {
        let mut read = self.read(keys).await?;
        keys.iter().filter_map(|key| read.take(key).transpose()).collect()
    }

    /// Things of many kinds in one batch read, strongly consistent: all that a decision needs and that has a known
    /// place.
    pub async fn read(&self, keys: &[Key]) -> Result<Loaded, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        let wanted: HashSet<&Key> = keys.iter().collect();
        let wanted: Vec<&Key> = wanted.into_iter().collect();
        for batch in wanted.chunks(BATCH_MAX) {
            let mut left: Vec<Item> = batch.iter().map(|key| key.item()).collect();
            let mut rounds = 0;
            while !left.is_empty() {
                rounds += 1;
                if rounds > 8 {
                    return Err(Fault::Unread);
                }
                let asked = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut left)))
                    .consistent_read(true)
                    .build()
                    .map_err(|error| Fault::call("build a batch read", error))?;
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.name, asked)
                    .send()
                    .await
                    .map_err(|error| Fault::call("load a batch", error))?;
                for item in answer.responses.unwrap_or_default().remove(&self.name).unwrap_or_default() {
                    found.insert(Key::of_item(&item), item);
                }
                let unread = answer.unprocessed_keys.unwrap_or_default().remove(&self.name);
                left = unread.map(|keys| keys.keys).unwrap_or_default();
            }
        }
        Ok(Loaded { found })
    }

    /// The whole of a marketplace's settings, or none: the tenant does not exist.
    pub async fn marketplace(
        &self,
        id: &MarketplaceId,
    ) -> Result<Option<Held<domain::marketplace::Marketplace>>, Fault> {
        self.load(&Key::marketplace(id)).await
    }

    /// One cheap call that opens the connection during init, so that the first request does not pay for it.
    pub async fn warm(&self) {
        let key = Key { pk: "WARM".to_owned(), sk: "WARM".to_owned() };
        let _answer = self.client.get_item().table_name(&self.name).set_key(Some(key.item())).send().await;
    }
}

pub(crate) fn text(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(crate) fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
