//! The one table: load, and commit what was decided.
//!
//! Invariant: only this crate names a key or writes an expression; every partition key but the due index, keys and
//! issuers begins with the marketplace's id, so a forgotten filter cannot leak. There is no repository trait: tests
//! run this code against a DynamoDB in the process.
//!
//! `key.rs` every key and access pattern, `key/` those of lists and some contexts · `record.rs` an item and its value ·
//! `commit.rs` one atomic write · `list.rs` pages · one file of records per context.

pub mod access;
pub mod asset;
pub mod audit;
pub mod cart;
pub mod catalog;
pub mod collection;
pub mod commit;
pub mod credit;
pub mod delivery;
pub mod discount;
pub mod due;
pub mod dunning;
pub mod duplicate;
pub mod export;
pub mod follow_up;
pub mod fx;
pub mod import;
pub mod invoice;
pub mod key;
pub mod ledger;
pub mod list;
pub mod merchant;
pub mod message;
pub mod order;
pub mod outbox;
pub mod overrides;
pub mod payment;
pub mod payout;
pub mod person;
pub mod plan;
pub mod proposal;
pub mod record;
pub mod review;
pub mod scheduled;
pub mod seen;
pub mod sheet;
pub mod stock;
pub mod subscription;
pub mod tax;
pub mod vocabulary;
pub mod webhook;
pub mod wish_list;

pub use commit::{Commit, Story, Uncommitted};
pub use key::Key;
pub use list::{Cursor, Page};
pub use record::{Held, Record};

use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, PutRequest, WriteRequest};
use domain::id::MarketplaceId;
use futures::future::join_all;
use jiff::Timestamp;
use record::Item;
use std::collections::{HashMap, HashSet};

/// A handle to the table; cheap to clone.
#[derive(Debug, Clone)]
pub struct Table {
    pub(crate) client: aws_sdk_dynamodb::Client,
    pub(crate) name: String,
    pub(crate) put: due::Put,
    pub(crate) hot: stock::Hot,
}

/// What a call of the table came to instead of an answer: mostly that it let us down. Display says what we were doing;
/// the cause is in `source`, once.
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
    #[error("stored amounts cannot be summed")]
    Money(#[from] domain::MoneyError),
    #[error("stored amounts do not balance")]
    Unbalanced(#[from] domain::ledger::Unbalanced),
    #[error("{0} moves store credit, and it is not known whose")]
    Nobodys(String),
    /// Nothing is broken: the same call may go well in a moment.
    #[error("the table is busy")]
    Busy,
    /// The caller's to mend: the cursor was given for another list.
    #[error("the cursor is not of this list")]
    ForeignCursor,
}

/// What DynamoDB calls it where it is asked for too much at once.
const BUSY: [&str; 5] = [
    "ThrottlingException",
    "ThrottlingError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionConflictException",
];

impl Fault {
    /// Of a call that DynamoDB did not do.
    pub(crate) fn call(
        doing: &'static str,
        source: impl ProvideErrorMetadata + Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        if source.code().is_some_and(|code| BUSY.contains(&code)) {
            return Self::Busy;
        }
        Self::Call { doing, source: source.into() }
    }

    /// Of a call that could not even be written down.
    pub(crate) fn build(doing: &'static str, source: BuildError) -> Self {
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

    /// The value under a key, as often as it is asked for.
    pub fn look<R: Record>(&self, key: &Key) -> Result<Option<Held<R>>, Fault> {
        self.found.get(key).cloned().map(record::from_item).transpose()
    }

    /// Along with what another read brought.
    pub fn add(&mut self, other: Self) {
        self.found.extend(other.found);
    }
}

/// DynamoDB's own bound of one batch read.
const BATCH_MAX: usize = 100;
/// Puts by themselves that are under way at once.
const PUTS_AT_ONCE: usize = 30;
/// How often a batch is asked for what it left unread; then the table is busy, and who asks pauses.
const ROUNDS_MAX: usize = 3;
/// BatchWriteItem takes no more.
pub(crate) const WRITTEN_AT_ONCE: usize = 25;

impl Table {
    pub fn new(client: aws_sdk_dynamodb::Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), put: due::Put::default(), hot: stock::Hot::default() }
    }

    /// What is there now. Reads that lead to a decision are strongly consistent.
    pub async fn load<R: Record>(&self, key: &Key) -> Result<Option<Held<R>>, Fault> {
        self.item(key).await?.map(record::from_item).transpose()
    }

    /// As [`load`](Self::load), of what is kept for a while: the expired is not there, however late TTL takes it away.
    pub async fn load_live<R: Record>(&self, key: &Key, now: Timestamp) -> Result<Option<Held<R>>, Fault> {
        let item = self.item(key).await?.filter(|item| !key::has_expired(item, now));
        item.map(record::from_item).transpose()
    }

    async fn item(&self, key: &Key) -> Result<Option<Item>, Fault> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|error| Fault::call("load", error))?;
        Ok(answer.item)
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
        self.read_batches(keys, true).await
    }

    /// As [`read`](Self::read) for half the units, and as it was a moment ago: where what is decided is committed on
    /// the revision that was seen, or is looked at once more before it counts.
    pub async fn glance(&self, keys: &[Key]) -> Result<Loaded, Fault> {
        self.read_batches(keys, false).await
    }

    async fn read_batches(&self, keys: &[Key], consistent: bool) -> Result<Loaded, Fault> {
        let mut found = HashMap::with_capacity(keys.len());
        let wanted: HashSet<&Key> = keys.iter().collect();
        let wanted: Vec<&Key> = wanted.into_iter().collect();
        for batch in wanted.chunks(BATCH_MAX) {
            let mut left: Vec<Item> = batch.iter().map(|key| key.item()).collect();
            let mut rounds = 0;
            while !left.is_empty() {
                rounds += 1;
                if rounds > ROUNDS_MAX {
                    return Err(Fault::Busy);
                }
                let asked = KeysAndAttributes::builder()
                    .set_keys(Some(std::mem::take(&mut left)))
                    .consistent_read(consistent)
                    .build()
                    .map_err(|error| Fault::build("build a batch read", error))?;
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

    /// One thing that tells nothing, put by itself in the place of what was read, or where nothing was; answers its
    /// revision. Busy if it has changed meanwhile.
    pub async fn put<R: Record>(
        &self,
        m: &MarketplaceId,
        before: Option<&Held<R>>,
        thing: &R,
    ) -> Result<u64, Fault> {
        let revision = before.map_or(1, Held::next_step);
        let put = self.client.put_item().table_name(&self.name);
        let put = put.set_item(Some(record::to_item(m, thing, revision)?));
        let put = match before {
            None => put.condition_expression("attribute_not_exists(PK)"),
            Some(held) => put
                .condition_expression("revision = :since")
                .expression_attribute_values(":since", number(held.revision())),
        };
        match put.send().await {
            Ok(_) => Ok(revision),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Err(Fault::Busy)
            }
            Err(error) => Err(Fault::call("put", error)),
        }
    }

    /// One thing that tells nothing, put whatever was there: where the last one counts.
    pub(crate) async fn put_blindly<R: Record>(&self, m: &MarketplaceId, thing: &R) -> Result<(), Fault> {
        let put = self.client.put_item().table_name(&self.name);
        let put = put.set_item(Some(record::to_item(m, thing, 1)?));
        put.send().await.map_err(|error| Fault::call("put", error))?;
        Ok(())
    }

    /// Many of [`put`](Self::put) at once, each by itself, whatever becomes of the others; answers in their order.
    pub async fn put_each<R: Record>(
        &self,
        m: &MarketplaceId,
        changes: &[(Held<R>, R)],
    ) -> Vec<Result<u64, Fault>> {
        let mut done = Vec::with_capacity(changes.len());
        for some in changes.chunks(PUTS_AT_ONCE) {
            let puts = some.iter().map(|(held, next)| self.put(m, Some(held), next));
            done.extend(join_all(puts).await);
        }
        done
    }

    /// Many things that tell nothing, put whatever was there and without a condition: what a table is filled with.
    pub async fn fill<R: Record>(&self, m: &MarketplaceId, things: &[R]) -> Result<(), Fault> {
        for batch in things.chunks(WRITTEN_AT_ONCE) {
            let put = |thing: &R| {
                let put = PutRequest::builder().set_item(Some(record::to_item(m, thing, 1)?)).build();
                let put = put.map_err(|error| Fault::build("build a batch of puts", error))?;
                Ok(WriteRequest::builder().put_request(put).build())
            };
            self.write_batch(batch.iter().map(put).collect::<Result<_, Fault>>()?).await?;
        }
        Ok(())
    }

    /// One batch of writes, until all of it is done.
    pub(crate) async fn write_batch(&self, mut left: Vec<WriteRequest>) -> Result<(), Fault> {
        let mut rounds = 0;
        while !left.is_empty() {
            rounds += 1;
            if rounds > ROUNDS_MAX {
                return Err(Fault::Busy);
            }
            let asked = self.client.batch_write_item().request_items(&self.name, std::mem::take(&mut left));
            let answer = asked.send().await.map_err(|error| Fault::call("write a batch", error))?;
            let unprocessed = answer.unprocessed_items.unwrap_or_default().remove(&self.name);
            left = unprocessed.unwrap_or_default();
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::get_item::GetItemError;

    #[test]
    fn a_throttled_call_is_busy_and_any_other_failure_is_a_fault() {
        let failed = |code: &str| {
            Fault::call("load", GetItemError::generic(ErrorMetadata::builder().code(code).build()))
        };
        for code in BUSY {
            assert!(matches!(failed(code), Fault::Busy), "{code}");
        }
        for code in ["ValidationException", "ResourceNotFoundException", "InternalServerError", ""] {
            assert!(matches!(failed(code), Fault::Call { .. }), "{code}");
        }
    }
}
