//! Due work: what is to be done at a minute to come, all marketplaces together, so that idle ones cost no reads.
//!
//! An item names its thing and nothing else; what is to be done is decided when it is handed on, from the thing as it
//! is then. So a run that finds nothing is harmless, and nobody has to take work back. The minute leads the sort key:
//! one query per shard finds all that is due by now, however long ago a run was missed.

use crate::key::{Key, minute, minute_of};
use crate::{Fault, Table, WRITTEN_AT_ONCE, text};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{DeleteRequest, WriteRequest};
use domain::id::MarketplaceId;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The kind of a due item; its keys say everything.
pub const DUE: &str = "due.1";

/// Items that are read of one shard at once.
const DUE_AT_ONCE: u16 = 250;

/// Items that are counted at once.
const LOOKED_AT: u16 = 5_000;

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// A merchant's earnings are to be paid out.
    Payout,
    /// An order that waits for its payment has waited long enough.
    Unpaid,
    /// Something of a payment is due: a question to its gateway, a release, another try.
    Payment,
    /// The end of a subscription's period, trial or pause has come, or that of a trial is near.
    Subscription,
    /// Something of a dunning case is due: another try, a consequence.
    Dunning,
    /// A cart was left long enough to be looked at.
    Reminder,
    /// A webhook message is to be tried again.
    Webhook,
    /// A product is to say something else.
    SheetChange,
    /// Somebody is to be asked, or reminded, what they think of what was delivered.
    Review,
    /// The rights of an asset begin or end.
    Rights,
}

impl Work {
    /// Its word in keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Payout => "payout",
            Self::Unpaid => "unpaid",
            Self::Payment => "payment",
            Self::Subscription => "subscription",
            Self::Dunning => "dunning",
            Self::Reminder => "reminder",
            Self::Webhook => "webhook",
            Self::SheetChange => "sheet-change",
            Self::Review => "review",
            Self::Rights => "rights",
        }
    }

    /// Over so many partitions it spreads. A partition takes a thousand writes a second; a run looks at all of them,
    /// also where there is nothing. Many subscriptions end their periods in one minute, that of the first of a month;
    /// carts are left by the thousand.
    pub const fn shards(self) -> u8 {
        match self {
            Self::Payout
            | Self::Unpaid
            | Self::Payment
            | Self::Dunning
            | Self::Webhook
            | Self::SheetChange
            | Self::Review
            | Self::Rights => 4,
            Self::Subscription | Self::Reminder => 16,
        }
    }
}

/// One thing that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    pub work: Work,
    pub marketplace: MarketplaceId,
    /// The id of what it is about.
    pub thing: String,
    /// The minute that the work was put under; names the message of it.
    pub minute: Timestamp,
    /// Its own item.
    pub(crate) key: Key,
}

/// Due work that this process has put. Nobody takes it back before its time: it is there, and putting it again would
/// be a write in vain.
#[derive(Debug, Clone, Default)]
pub(crate) struct Put(Arc<Mutex<HashSet<Key>>>);

/// So many are remembered, then it begins anew.
const REMEMBERED: usize = 10_000;

impl Put {
    fn known(&self) -> MutexGuard<'_, HashSet<Key>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn knows(&self, key: &Key) -> bool {
        self.known().contains(key)
    }

    pub(crate) fn learns(&self, key: Key) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(key);
    }
}

/// When work is due whose item has this sort key.
pub fn due_at(sort_key: &str) -> Option<Timestamp> {
    minute_of(sort_key.split('#').next()?)
}

impl Table {
    /// Something of what is due in a shard by the minute of `at`, oldest first, and whether there is more of it.
    pub async fn due(&self, work: Work, shard: u8, at: Timestamp) -> Result<(Vec<Due>, bool), Fault> {
        let (pk, end) = (Key::due_partition(work, shard), format!("{}#~", minute(at)));
        let (items, next) = self.range(&pk, (" ", &end), DUE_AT_ONCE, None, true).await?;
        let due = items.iter().filter_map(|item| {
            let key = Key::of_item(item);
            let mut parts = key.sk.splitn(3, '#');
            let (minute, m, thing) = (parts.next()?, parts.next()?, parts.next()?);
            let (minute, marketplace, thing) = (minute_of(minute)?, m.parse().ok()?, thing.to_owned());
            Some(Due { work, marketplace, thing, minute, key })
        });
        Ok((due.collect(), next.is_some()))
    }

    /// How much is due in each shard by the minute of `at`: an operator's look.
    pub async fn due_by_shard(&self, work: Work, at: Timestamp) -> Result<Vec<usize>, Fault> {
        let end = format!("{}#~", minute(at));
        let mut shards = Vec::new();
        for shard in 0..work.shards() {
            let (pk, mut many, mut after) = (Key::due_partition(work, shard), 0, None);
            loop {
                let (items, next) = self.range(&pk, (" ", &end), LOOKED_AT, after.as_ref(), true).await?;
                many += items.len();
                match next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
            shards.push(many);
        }
        Ok(shards)
    }

    /// Puts due work before what causes it, outside of the transaction: a run that finds nothing is harmless, and no
    /// two commits meet on this item.
    pub(crate) async fn put_due(&self, key: &Key) -> Result<(), Fault> {
        let mut item = key.item();
        item.insert("kind".to_owned(), text(DUE));
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(|error| Fault::call("put due work", error))?;
        Ok(())
    }

    /// Due work that has been handed on; deleting it twice is no error.
    pub async fn are_handed_on(&self, due: &[Due]) -> Result<(), Fault> {
        for batch in due.chunks(WRITTEN_AT_ONCE) {
            let delete = |due: &Due| {
                let delete = DeleteRequest::builder().set_key(Some(due.key.item())).build()?;
                Ok(WriteRequest::builder().delete_request(delete).build())
            };
            let asked: Result<Vec<WriteRequest>, BuildError> = batch.iter().map(delete).collect();
            let asked = asked.map_err(|error| Fault::build("build a batch of deletes", error))?;
            self.write_batch(asked).await?;
        }
        Ok(())
    }
}

/// The hour under which a day's work is put: 01:00 UTC, an hour after the day before has ended.
pub fn night(day: Date) -> Timestamp {
    let midnight = day.to_zoned(jiff::tz::TimeZone::UTC).map(|zoned| zoned.timestamp());
    midnight.and_then(|at| at.checked_add(1.hour())).unwrap_or(Timestamp::MAX)
}
