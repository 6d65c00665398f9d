//! Pages. Every list is a query of one partition (or of a day's few shards), mostly newest first, with an
//! opaque cursor.

use crate::key::{DAY_SHARDS, Index, Place};
use crate::record::{Item, Record, from_item};
use crate::{Fault, Held, Key, Table, text};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::id::MarketplaceId;
use futures::future::try_join_all;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::de::DeserializeOwned;

/// A page of a list and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<Cursor>,
}

/// Where a list goes on: the sort key after which the next page begins. Opaque outside: hex of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(String);

/// The most days that one request of a day list looks at; the cursor goes on from there.
const DAYS_MAX: i32 = 62;

/// Items that one page of a scan looks at.
const SCAN_PAGE: i32 = 2_000;

impl Cursor {
    /// Reads what [`Display`](std::fmt::Display) wrote; anything else is no cursor.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 1024 || !text.is_ascii() {
            return None;
        }
        let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..text.len()).step_by(2).map(byte).collect();
        String::from_utf8(bytes?).ok().filter(|text| !text.is_empty()).map(Self)
    }

    /// After a thing of a moment, in a list that is ordered by time.
    pub(crate) fn at(at: Timestamp, id: &str) -> Self {
        Self(format!("{}#{id}", crate::key::millis(at)))
    }

    /// The page after it begins with the thing of a place, if there is one.
    pub(crate) fn right_above(place: &Place) -> Self {
        Self(format!("{} ", place.sk))
    }

    /// A place in one of several lists that follow each other: which list, and where in it; its begin, if none.
    pub(crate) fn head(list: &str, after: Option<&Self>) -> Self {
        Self(format!("{list}|{}", after.map_or("", |cursor| cursor.0.as_str())))
    }

    /// What [`head`](Self::head) has put together.
    pub(crate) fn within(&self) -> Option<(&str, Option<Self>)> {
        let (list, after) = self.0.split_once('|')?;
        Some((list, Some(after).filter(|after| !after.is_empty()).map(|after| Self(after.to_owned()))))
    }

    /// The moment at its head, in lists that are ordered by time: 13 digits.
    pub(crate) fn moment(&self) -> Option<Timestamp> {
        let millis = self.0.split('#').next()?;
        let digits = millis.len() == 13 && millis.bytes().all(|byte| byte.is_ascii_digit());
        Timestamp::from_millisecond(millis.parse().ok().filter(|_| digits)?).ok()
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.bytes().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Which list: a partition of an index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    index: Index,
    pk: String,
    /// Whether its order is that of moments, or that of names.
    by_time: bool,
    /// Whether it begins with the smallest.
    ascending: bool,
}

impl List {
    /// By time: where things of a moment have their place.
    pub(crate) fn of(place: Place) -> Self {
        Self { index: place.index, pk: place.pk, by_time: true, ascending: false }
    }

    /// By name.
    pub(crate) fn new(index: Index, pk: String) -> Self {
        Self { index, pk, by_time: false, ascending: false }
    }

    /// From the smallest to the greatest: pages whose order is that of places in them.
    pub(crate) fn ascending(self) -> Self {
        Self { ascending: true, ..self }
    }
}

/// An item that a scan came across.
#[derive(Debug, Clone)]
pub struct Found(Item);

impl Found {
    /// The value and its marketplace, if it is of this kind.
    pub fn read<R: Record>(&self) -> Result<Option<(MarketplaceId, R)>, Fault> {
        if self.0.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) != Some(R::KIND) {
            return Ok(None);
        }
        let m = Key::marketplace_of(&Key::of_item(&self.0).pk);
        let value = from_item::<R>(self.0.clone())?.value;
        Ok(m.map(|m| (m, value)))
    }

    /// The outbox entry, if it is one.
    pub fn outbox_entry(&self) -> Result<Option<crate::outbox::Entry>, Fault> {
        crate::outbox::Entry::read(&self.0)
    }

    /// The stock item, if it is one: marketplace, the tail of its offer's id, and what it says.
    pub fn stock(&self) -> Option<(MarketplaceId, String, domain::stock::Bin)> {
        let (offer, stock) = crate::stock::stock_of(&self.0)?;
        Some((Key::marketplace_of(&Key::of_item(&self.0).pk)?, offer, stock))
    }

    /// The count of a code's uses, if it is one: the code's name as it is compared.
    pub fn uses_of_code(&self) -> Option<(String, u64)> {
        crate::discount::uses_of(&self.0)
    }

    /// The ledger total, if it is one: marketplace, account, currency and balance.
    pub fn ledger_total(&self) -> Option<(MarketplaceId, String, String, crate::ledger::Balance)> {
        crate::ledger::total_of(&self.0)
    }
}

impl Table {
    /// A page of summaries, newest (greatest sort key) first, or as the list says.
    pub async fn list<R: Record>(
        &self,
        list: &List,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<R::Summary>, Fault> {
        if list.by_time && after.is_some_and(|cursor| cursor.moment().is_none()) {
            return Err(Fault::ForeignCursor);
        }
        let rows = self.index_rows(list, limit, after).await?;
        let next = (rows.len() > usize::from(limit)).then(|| rows.get(usize::from(limit).saturating_sub(1)));
        let next = next.flatten().map(|(sk, _)| Cursor(sk.clone()));
        let items: Result<Vec<_>, _> =
            rows.into_iter().take(usize::from(limit)).map(|(_, item)| summary::<R>(item)).collect();
        Ok(Page { items: items?, next })
    }

    /// A page of a list that is kept by day and shard: from `to` back to `from`, both inclusive.
    pub(crate) async fn list_days<R: Record>(
        &self,
        m: &MarketplaceId,
        name: &str,
        days: (Date, Date),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<R::Summary>, Fault> {
        let (from, to) = days;
        let limit = usize::from(limit);
        let start = match after {
            Some(cursor) => domain::payout::day(cursor.moment().ok_or(Fault::ForeignCursor)?).min(to),
            None => to,
        };
        let mut rows: Vec<(String, Item)> = Vec::new();
        let mut day = start;
        for _ in 0..DAYS_MAX {
            if day < from || rows.len() > limit {
                break;
            }
            // All shards at once: a quiet marketplace's list is long in days and short in rows.
            let shard = |shard| {
                let list = List::new(Index::Gsi2, Place::day_partition(m, name, day, shard));
                let left = u16::try_from(limit).unwrap_or(u16::MAX);
                async move { self.index_rows(&list, left, after).await }
            };
            let mut of_day = try_join_all((0..DAY_SHARDS).map(shard)).await?.concat();
            of_day.sort_by(|(a, _), (b, _)| b.cmp(a));
            rows.extend(of_day);
            day = day.saturating_sub(1.day());
        }
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = match rows.last() {
            Some((sk, _)) if more || day >= from => Some(Cursor(sk.clone())),
            None if day >= from => end_of(day).map(Cursor),
            Some(_) | None => None,
        };
        let items: Result<Vec<_>, _> = rows.into_iter().map(|(_, item)| summary::<R>(item)).collect();
        Ok(Page { items: items?, next })
    }

    /// Up to `limit + 1` rows of an index partition in the list's order: the one too many tells that there are more.
    async fn index_rows(
        &self,
        list: &List,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Vec<(String, Item)>, Fault> {
        let (pk, sk) = (list.index.pk(), list.index.sk());
        let condition = match after {
            Some(_) if list.ascending => format!("{pk} = :pk AND {sk} > :after"),
            Some(_) => format!("{pk} = :pk AND {sk} < :after"),
            None => format!("{pk} = :pk"),
        };
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .index_name(list.index.name())
            .key_condition_expression(condition)
            .set_expression_attribute_values(Some(
                after
                    .map(|cursor| (":after".to_owned(), text(&cursor.0)))
                    .into_iter()
                    .chain([(":pk".to_owned(), text(&list.pk))])
                    .collect(),
            ))
            .scan_index_forward(list.ascending)
            .limit(i32::from(limit).saturating_add(1))
            .send()
            .await
            .map_err(|error| Fault::call("list", error))?;
        let key = |item: &Item| item.get(sk).and_then(|v| v.as_s().ok()).cloned().unwrap_or_default();
        Ok(answer.items.unwrap_or_default().into_iter().map(|item| (key(&item), item)).collect())
    }

    /// Items of one partition with `from < SK ≤ to`, strongly consistent. A cursor outside of that is of another list.
    pub(crate) async fn range(
        &self,
        pk: &str,
        (from, to): (&str, &str),
        limit: u16,
        after: Option<&Cursor>,
        forward: bool,
    ) -> Result<(Vec<Item>, Option<Cursor>), Fault> {
        if after.is_some_and(|cursor| !(from..=to).contains(&cursor.0.as_str())) {
            return Err(Fault::ForeignCursor);
        }
        let (from, to) = match after {
            Some(cursor) if forward => (cursor.0.as_str(), to),
            Some(cursor) => (from, cursor.0.as_str()),
            None => (from, to),
        };
        let answer = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("PK = :pk AND SK BETWEEN :from AND :to")
            .expression_attribute_values(":pk", text(pk))
            .expression_attribute_values(":from", text(from))
            .expression_attribute_values(":to", text(to))
            .consistent_read(true)
            .scan_index_forward(forward)
            .limit(i32::from(limit).saturating_add(2))
            .send()
            .await
            .map_err(|error| Fault::call("read a range", error))?;
        // An answer also ends at 1 MB: then there is more, however few items came.
        let cut = answer.last_evaluated_key.is_some();
        let mut items = answer.items.unwrap_or_default();
        // BETWEEN includes both ends; the cursor's own item was on the page before.
        items.retain(|item| after.is_none_or(|cursor| Key::of_item(item).sk != cursor.0));
        let more = cut || items.len() > usize::from(limit);
        items.truncate(usize::from(limit));
        let next = if more { items.last().map(|item| Cursor(Key::of_item(item).sk)) } else { None };
        Ok((items, next))
    }

    /// All values of one kind in a range of a partition, by pages of `limit`.
    pub(crate) async fn records<R: Record>(
        &self,
        pk: &str,
        range: (&str, &str),
        limit: u16,
        after: Option<&Cursor>,
        forward: bool,
    ) -> Result<Page<Held<R>>, Fault> {
        let (items, next) = self.range(pk, range, limit, after, forward).await?;
        let items: Result<Vec<_>, _> = items.into_iter().map(from_item).collect();
        Ok(Page { items: items?, next })
    }

    /// Everything in the table, by pages. Only for an operator's command: it scans.
    pub async fn scan_all(&self, after: Option<&Cursor>) -> Result<Page<Found>, Fault> {
        let (items, next) = self.scan(None, after).await?;
        Ok(Page { items: items.into_iter().map(Found).collect(), next })
    }

    /// Items of one kind, or all, from the whole table, by pages. Never on a request or a schedule.
    pub(crate) async fn scan(
        &self,
        kind: Option<&str>,
        after: Option<&Cursor>,
    ) -> Result<(Vec<Item>, Option<Cursor>), Fault> {
        let start = after.and_then(|cursor| {
            let (pk, sk) = cursor.0.split_once('\n')?;
            Some(Key { pk: pk.to_owned(), sk: sk.to_owned() }.item())
        });
        let answer = self
            .client
            .scan()
            .table_name(&self.name)
            .set_filter_expression(kind.map(|_| "kind = :kind".to_owned()))
            .set_expression_attribute_values(kind.map(|kind| [(":kind".to_owned(), text(kind))].into()))
            .set_exclusive_start_key(start)
            // The embedded engine reads everything behind the cursor where no limit is named.
            .limit(SCAN_PAGE)
            .send()
            .await
            .map_err(|error| Fault::call("scan", error))?;
        let next = answer.last_evaluated_key.map(|key| Key::of_item(&key));
        let next = next.map(|key| Cursor(format!("{}\n{}", key.pk, key.sk)));
        Ok((answer.items.unwrap_or_default(), next))
    }
}

/// A cursor that lies after everything of `day`, so that a list goes on with it.
fn end_of(day: Date) -> Option<String> {
    let end = day.saturating_add(1.day()).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(crate::key::millis(end))
}

fn summary<R: Record>(mut item: Item) -> Result<R::Summary, Fault> {
    let value = item.remove("summary").unwrap_or(AttributeValue::Null(true));
    from_value(value).map_err(|source| Fault::Shape { kind: R::KIND, source })
}

fn from_value<T: DeserializeOwned>(value: AttributeValue) -> Result<T, serde_dynamo::Error> {
    serde_dynamo::from_attribute_value(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_anything_else_is_none() {
        let cursor = Cursor("1483617680000#ord_é".to_owned());
        assert_eq!(Cursor::parse(&cursor.to_string()), Some(cursor));
        for text in ["", "x", "zz", "1", "ff", "é"] {
            assert_eq!(Cursor::parse(text), None, "{text}");
        }
    }
}
