//! One atomic write: changed things, what is told of them, and what moves with them.
//!
//! Each write carries what its refusal means, so a canceled transaction comes back as the caller's own word ("the id
//! is taken"), not as a place in a list of reasons. State and story cannot be written apart: [`Commit::begin`] and
//! [`Commit::change`] take both.

use crate::due::{DUE, Work};
use crate::key::{Key, expires};
use crate::record::{Held, Item, Record, to_item};
use crate::{Fault, Table, number, outbox, stock, text};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem, Update};
use domain::id::MarketplaceId;
use domain::ledger::Posting;
use domain::stock::Movement;
use events::{Announced, Context};
use jiff::Timestamp;
use std::fmt::Debug;

/// DynamoDB's own bound.
const WRITES_MAX: usize = 100;

/// What one change of one thing tells and moves: its outbox item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    pub facts: Vec<Announced>,
    pub postings: Vec<Posting>,
    /// Stock, moved in the same transaction.
    pub movements: Vec<Movement>,
}

impl Story {
    pub fn new(facts: impl IntoIterator<Item = Announced>) -> Self {
        Self { facts: facts.into_iter().collect(), ..Self::default() }
    }

    #[must_use]
    pub fn moving(mut self, movements: Vec<Movement>) -> Self {
        self.movements.extend(movements);
        self
    }

    /// A posting that moves nothing is not kept.
    #[must_use]
    pub fn posting(mut self, posting: Posting) -> Self {
        if !posting.is_empty() {
            self.postings.push(posting);
        }
        self
    }
}

/// Writes that all happen or none, in one marketplace, for one reason. `C` is what the caller calls a refusal.
#[derive(Debug)]
#[must_use = "a commit does nothing until it is sent"]
pub struct Commit<'a, C> {
    marketplace: &'a MarketplaceId,
    context: &'a Context,
    writes: Vec<(Write, Option<C>)>,
    movements: Vec<Movement>,
    unheld: Option<C>,
    fault: Option<Fault>,
}

#[derive(Debug)]
enum Write {
    Put {
        item: Item,
        condition: Condition,
    },
    Delete {
        key: Key,
    },
    /// A flat counter item: `ADD` of whole numbers.
    Add {
        key: Key,
        amounts: Vec<(&'static str, i128)>,
        kind: &'static str,
        /// What must have been less before; nothing counted yet is.
        below: Option<(&'static str, u64)>,
    },
}

#[derive(Debug)]
enum Condition {
    New,
    /// New, or one that may be forgotten: TTL may lag by days, so expiry stands in the condition.
    NewOrExpired {
        now: i64,
    },
    Unchanged {
        since: u64,
    },
    Any,
}

/// Why a commit did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Uncommitted<C: Debug> {
    /// A condition did not hold and nothing was written. Sending it again will not help.
    #[error("refused: {0:?}")]
    Refused(C),
    /// Someone else is writing, or the table is hot. Load again, decide again.
    #[error("the table is busy")]
    Busy,
    #[error("the commit failed")]
    Fault(#[from] Fault),
}

impl<'a, C: Debug> Commit<'a, C> {
    pub fn new(marketplace: &'a MarketplaceId, context: &'a Context) -> Self {
        Self { marketplace, context, writes: Vec::new(), movements: Vec::new(), unheld: None, fault: None }
    }

    /// A thing that is not there yet, and its first story.
    pub fn begin<R: Record>(self, thing: &R, subject: &str, story: Story, refusal: C) -> Self {
        let item = to_item(self.marketplace, thing, 1);
        let key = thing.key(self.marketplace);
        self.put(item, Condition::New, Some(refusal)).tell(&key, subject, 1, story)
    }

    /// As [`begin`](Self::begin), for a thing whose own partition has no tenant: its story lies with `whole`.
    pub fn begin_under<R: Record>(
        self,
        thing: &R,
        whole: &Key,
        subject: &str,
        story: Story,
        refusal: C,
    ) -> Self {
        let item = to_item(self.marketplace, thing, 1);
        self.put(item, Condition::New, Some(refusal)).tell(&whole.part(subject), subject, 1, story)
    }

    /// As [`change`](Self::change), for a thing whose own partition has no tenant: its story lies with `whole`.
    pub fn change_under<R: Record>(
        self,
        held: &Held<R>,
        next: &R,
        whole: &Key,
        subject: &str,
        story: Story,
    ) -> Self {
        let step = held.next_step();
        let item = to_item(self.marketplace, next, step);
        let condition = Condition::Unchanged { since: held.revision };
        self.put(item, condition, None).tell(&whole.part(subject), subject, step, story)
    }

    /// A held thing, changed, and the story that says so. Busy if it changed meanwhile: what was decided on is stale.
    pub fn change<R: Record>(self, held: &Held<R>, next: &R, subject: &str, story: Story) -> Self {
        debug_assert_eq!(
            held.value.key(self.marketplace),
            next.key(self.marketplace),
            "a thing stays in its place"
        );
        let (step, key) = (held.next_step(), next.key(self.marketplace));
        let item = to_item(self.marketplace, next, step);
        self.put(item, Condition::Unchanged { since: held.revision }, None).tell(&key, subject, step, story)
    }

    /// A document that is nothing but its story, such as a receipt of goods: its id names it, so a repeat is refused.
    pub fn document(mut self, place: &Key, subject: &str, story: Story, refusal: C) -> Self {
        let item = outbox::to_item(place, subject, 1, self.context, &story);
        self.movements.extend(story.movements);
        self.put(item, Condition::New, Some(refusal))
    }

    /// An item that is only ever added: an entry, a mark, a name that must be unique.
    pub fn add<R: Record>(self, record: &R, refusal: C) -> Self {
        let item = to_item(self.marketplace, record, 1);
        self.put(item, Condition::New, Some(refusal))
    }

    /// A held item that tells nothing by itself, replaced.
    pub fn replace<R: Record>(self, held: &Held<R>, next: &R) -> Self {
        let item = to_item(self.marketplace, next, held.next_step());
        self.put(item, Condition::Unchanged { since: held.revision }, None)
    }

    /// An item that is added unless a live one is there; forgotten after `until`.
    pub fn add_until<R: Record>(self, record: &R, until: Timestamp, refusal: C) -> Self {
        let now = self.context.at.as_second();
        let item = to_item(self.marketplace, record, 1).map(|mut item| {
            item.extend([expires(until)]);
            item
        });
        self.put(item, Condition::NewOrExpired { now }, Some(refusal))
    }

    /// "Event E was handled by function F", for 30 days: longer than queue, dead-letter queue and replay.
    pub fn mark(mut self, function: &str, event: &str, refusal: C) -> Self {
        let mut item = Key::seen(self.marketplace, function, event).item();
        item.insert("kind".to_owned(), text("seen.1"));
        item.extend([expires(self.context.at + jiff::SignedDuration::from_hours(30 * 24))]);
        self.writes.push((Write::Put { item, condition: Condition::New }, Some(refusal)));
        self
    }

    /// What it is called where a hold that a movement [names](Movement::held_by) is gone, or is of another quantity.
    pub fn unless_held(mut self, refusal: C) -> Self {
        self.unheld = Some(refusal);
        self
    }

    /// An item that tells nothing and is the same whoever writes it: named by what it says.
    pub fn put_any<R: Record>(self, record: &R) -> Self {
        let item = to_item(self.marketplace, record, 1);
        self.put(item, Condition::Any, None)
    }

    pub(crate) fn marketplace(&self) -> &'a MarketplaceId {
        self.marketplace
    }

    /// Adds whole numbers to a counter item. No event of its own, no condition.
    pub(crate) fn count(mut self, key: Key, kind: &'static str, amounts: Vec<(&'static str, i128)>) -> Self {
        self.writes.push((Write::Add { key, amounts, kind, below: None }, None));
        self
    }

    /// Counts one more of what there may be at most `limit` of: refused where there are.
    pub(crate) fn count_up_to(
        mut self,
        (key, kind): (Key, &'static str),
        name: &'static str,
        limit: u64,
        refusal: C,
    ) -> Self {
        let below = Some((name, limit));
        self.writes.push((Write::Add { key, amounts: vec![(name, 1)], kind, below }, Some(refusal)));
        self
    }

    /// Work that is due some time on, written with its cause; once, where it is due twice in one minute.
    pub fn due(mut self, work: Work, thing: &str, run: Timestamp) -> Self {
        let key = Key::due(self.marketplace, work, thing, run);
        let puts = |write: &Write| matches!(write, Write::Put { item, .. } if Key::of_item(item) == key);
        if self.writes.iter().any(|(write, _)| puts(write)) {
            return self;
        }
        let mut item = key.item();
        item.insert("kind".to_owned(), text(DUE));
        self.writes.push((Write::Put { item, condition: Condition::Any }, None));
        self
    }

    pub fn delete(mut self, key: Key) -> Self {
        self.writes.push((Write::Delete { key }, None));
        self
    }

    fn tell(mut self, key: &Key, subject: &str, step: u64, story: Story) -> Self {
        self.movements.extend_from_slice(&story.movements);
        match outbox::to_item(key, subject, step, self.context, &story) {
            Ok(item) => self.writes.push((Write::Put { item, condition: Condition::Any }, None)),
            Err(fault) => self.fault = self.fault.or(Some(fault)),
        }
        self
    }

    fn put(mut self, item: Result<Item, Fault>, condition: Condition, refusal: Option<C>) -> Self {
        match item {
            Ok(item) => self.writes.push((Write::Put { item, condition }, refusal)),
            Err(fault) => self.fault = self.fault.or(Some(fault)),
        }
        self
    }

    /// All or nothing. The SDK's request token makes its own retries safe.
    pub async fn send(self, table: &Table) -> Result<(), Uncommitted<C>> {
        if let Some(fault) = self.fault {
            return Err(fault.into());
        }
        if self.writes.is_empty() {
            return Ok(());
        }
        let mut items = Vec::with_capacity(self.writes.len());
        let mut refusals = Vec::with_capacity(self.writes.len());
        for (write, refusal) in self.writes {
            items.push(write.action(&table.name)?);
            refusals.push(refusal);
        }
        // Stock that is not there any more was decided on stale levels: no word of its own, load again. Only a hold
        // that is gone has one.
        let (mut unheld, mut of_holds) = (self.unheld, Vec::new());
        for stock::Write { action, of_hold } in stock::writes(self.marketplace, &self.movements, &table.name)?
        {
            if of_hold {
                of_holds.push(items.len());
            }
            items.push(action);
        }
        refusals.resize_with(items.len(), || None);
        if items.len() > WRITES_MAX {
            return Err(Fault::TooManyWrites(items.len()).into());
        }
        let Err(error) = table.client.transact_write_items().set_transact_items(Some(items)).send().await
        else {
            return Ok(());
        };
        match verdict(error.as_service_error()) {
            // A write without a word is one of a held revision: what was decided on is stale.
            Verdict::Refused(at) if at < refusals.len() => {
                let unheld = if of_holds.contains(&at) { unheld.take() } else { None };
                let word = refusals.swap_remove(at).or(unheld);
                Err(word.map_or(Uncommitted::Busy, Uncommitted::Refused))
            }
            Verdict::Busy => Err(Uncommitted::Busy),
            Verdict::Refused(_) | Verdict::Unknown => Err(Fault::call("commit", error).into()),
        }
    }
}

impl Write {
    fn action(self, table: &str) -> Result<TransactWriteItem, Fault> {
        let build = |error| Fault::build("build a write", error);
        let action = TransactWriteItem::builder();
        Ok(match self {
            Self::Put { item, condition } => {
                let put = Put::builder().table_name(table).set_item(Some(item));
                action.put(condition.on(put).build().map_err(build)?)
            }
            Self::Delete { key } => {
                let delete = Delete::builder().table_name(table).set_key(Some(key.item()));
                action.delete(delete.build().map_err(build)?)
            }
            Self::Add { key, amounts, kind, below } => {
                let mut update = Update::builder().table_name(table).set_key(Some(key.item()));
                let mut sums = Vec::new();
                for (name, amount) in amounts {
                    sums.push(format!("{name} :{name}"));
                    update = update.expression_attribute_values(format!(":{name}"), number(amount));
                }
                if let Some((name, limit)) = below {
                    let condition = format!("attribute_not_exists({name}) OR {name} < :limit");
                    update = update
                        .condition_expression(condition)
                        .expression_attribute_values(":limit", number(limit));
                }
                let expression = format!("SET kind = :kind ADD {}", sums.join(", "));
                let update = update.expression_attribute_values(":kind", text(kind));
                action.update(update.update_expression(expression).build().map_err(build)?)
            }
        }
        .build())
    }
}

impl Condition {
    fn on(
        self,
        put: aws_sdk_dynamodb::types::builders::PutBuilder,
    ) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        match self {
            Self::Any => put,
            Self::New => put.condition_expression("attribute_not_exists(PK)"),
            Self::NewOrExpired { now } => put
                .condition_expression("attribute_not_exists(PK) OR expires < :now")
                .expression_attribute_values(":now", AttributeValue::N(now.to_string())),
            Self::Unchanged { since } => put
                .condition_expression("revision = :since")
                .expression_attribute_values(":since", AttributeValue::N(since.to_string())),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Refused(usize),
    Busy,
    Unknown,
}

/// Reasons come in the order of the writes, "None" for those that were fine. A conflict outranks a refusal: what we
/// would refuse on was read while another was writing.
fn verdict(error: Option<&TransactWriteItemsError>) -> Verdict {
    match error {
        Some(TransactWriteItemsError::TransactionCanceledException(canceled)) => {
            let codes: Vec<&str> =
                canceled.cancellation_reasons().iter().map(|r| r.code().unwrap_or("None")).collect();
            let busy = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"];
            if codes.iter().any(|code| busy.contains(code)) {
                return Verdict::Busy;
            }
            let refused = codes.iter().position(|code| *code == "ConditionalCheckFailed");
            refused.map_or(Verdict::Unknown, Verdict::Refused)
        }
        Some(
            TransactWriteItemsError::TransactionInProgressException(_)
            | TransactWriteItemsError::ProvisionedThroughputExceededException(_)
            | TransactWriteItemsError::RequestLimitExceeded(_)
            | TransactWriteItemsError::ThrottlingException(_),
        ) => Verdict::Busy,
        _ => Verdict::Unknown,
    }
}

#[cfg(test)]
mod tests;
