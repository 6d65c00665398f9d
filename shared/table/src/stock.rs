//! Where stock lies: flat counter items per offer and location, written by movements and by the holds of carts.
//!
//! A movement is kept in the story of what causes it, in the same transaction; `available` is stored, so that a
//! promise is one conditional update and never a read that another writer overtakes (A7(1)). A hold is one such update
//! too (`stock/hold.rs`): it is in the item's `holds` under its cart, with its end, and has no story. A hot offer has
//! several items at a location (`stock/spread.rs`), which only the first knows: `more`.

mod hold;
mod spread;

use crate::key::Key;
use crate::outbox::Entry;
use crate::record::{Item, whole};
use crate::{Cursor, Fault, Loaded, Page, Table, number, text};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::catalog::Offer;
use domain::id::{CartId, MarketplaceId, OfferId};
use domain::stock::bin::by_location;
use domain::stock::{Bin, Held, Levels, Movement, Shelf, Shelves, Stock};
use domain::text::Location;
use futures::future::try_join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(crate) use hold::Hot;

const KIND: &str = "stock.1";

/// Ends of holds are kept in milliseconds, so they are compared in them.
fn whole_millis(at: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at)
}

fn read(item: &Item) -> Option<Bin> {
    let (location, number) = Key::of_item(item).bin()?;
    let level = |name: &str| whole(item, name).unwrap_or(0_i64);
    let levels =
        Levels { on_hand: level("on_hand"), allocated: level("allocated"), available: level("available") };
    let mut holds = BTreeMap::new();
    for (cart, hold) in item.get("holds").and_then(|holds| holds.as_m().ok()).into_iter().flatten() {
        let hold = hold.as_m().ok()?;
        let until = Timestamp::from_millisecond(whole(hold, "until")?).ok()?;
        holds.insert(cart.parse::<CartId>().ok()?, Held { quantity: whole(hold, "quantity")?, until });
    }
    let (revision, more) = (whole(item, "revision").unwrap_or(0), whole(item, "more").unwrap_or(0));
    Some(Bin { location, number, revision, more, levels, holds })
}

/// What an item says of its offer, if it is stock: for checks that read everything.
pub(crate) fn stock_of(item: &Item) -> Option<(String, Bin)> {
    if item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) != Some(KIND) {
        return None;
    }
    let pk = Key::of_item(item).pk;
    Some((pk.rsplit('#').next()?.to_owned(), read(item)?))
}

/// What a transaction does to one stock item.
#[derive(Debug, Default)]
struct Sum {
    effect: Levels,
    needs: Levels,
    /// Holds that become promises, whole.
    held: BTreeMap<CartId, u32>,
}

impl Sum {
    /// As if one came after the other: what one brings the next may use, what one takes the next must find besides.
    fn then(&mut self, movement: &Movement) {
        let (mut effect, mut need) = (movement.change.effect(), movement.change.needs());
        if let Some(cart) = &movement.held_by {
            // The hold has taken them already.
            let held = self.held.entry(cart.clone()).or_default();
            *held = held.saturating_add(u32::try_from(need.available).unwrap_or(u32::MAX));
            (effect.available, need.available) = (0, 0);
        }
        let more = |need: i64, before: i64| if need > 0 { need.saturating_sub(before) } else { 0 };
        self.needs.on_hand = self.needs.on_hand.max(more(need.on_hand, self.effect.on_hand));
        self.needs.allocated = self.needs.allocated.max(more(need.allocated, self.effect.allocated));
        self.needs.available = self.needs.available.max(more(need.available, self.effect.available));
        self.effect = self.effect.plus(effect);
    }
}

/// A write of a stock item; `of_hold`: its condition names a cart's hold.
pub(crate) struct Write {
    pub(crate) action: TransactWriteItem,
    pub(crate) of_hold: bool,
}

/// What all movements of a transaction come to, by stock item: DynamoDB takes one write per item, and demand is summed
/// before it is written (A7(2)).
pub(crate) fn writes(m: &MarketplaceId, movements: &[Movement], table: &str) -> Result<Vec<Write>, Fault> {
    let mut sums: BTreeMap<Key, Sum> = BTreeMap::new();
    for movement in movements {
        let key = Key::stock(m, &movement.offer, &movement.location, movement.bin);
        sums.entry(key).or_default().then(movement);
    }
    let write = |(key, sum): (Key, Sum)| {
        let of_hold = !sum.held.is_empty();
        Ok(Write { action: write(&key, &sum, None, table)?, of_hold })
    };
    sums.into_iter().map(write).collect()
}

/// `more`: how many bins beside the first there were and are now.
fn write(key: &Key, sum: &Sum, more: Option<(u8, u8)>, table: &str) -> Result<TransactWriteItem, Fault> {
    let Sum { effect, needs, held } = sum;
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(key.item()))
        .expression_attribute_values(":kind", text(KIND))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":on_hand", number(effect.on_hand))
        .expression_attribute_values(":allocated", number(effect.allocated))
        .expression_attribute_values(":available", number(effect.available));
    let needed = [("on_hand", needs.on_hand), ("allocated", needs.allocated), ("available", needs.available)];
    let (mut conditions, mut sets, mut removes) = (Vec::new(), vec!["kind = :kind"], Vec::new());
    for (name, need) in needed.into_iter().filter(|(_, need)| *need > 0) {
        conditions.push(format!("{name} >= :need_{name}"));
        update = update.expression_attribute_values(format!(":need_{name}"), number(need));
    }
    for (at, (cart, quantity)) in held.iter().enumerate() {
        conditions.push(format!("holds.#h{at}.quantity = :h{at}"));
        removes.push(format!("holds.#h{at}"));
        update = update
            .expression_attribute_names(format!("#h{at}"), cart.as_str())
            .expression_attribute_values(format!(":h{at}"), number(quantity));
    }
    if removes.is_empty() {
        sets.push("holds = if_not_exists(holds, :none)");
        update = update.expression_attribute_values(":none", AttributeValue::M([].into()));
    }
    if let Some((before, after)) = more {
        sets.push("more = :more");
        let none = if before == 0 { "attribute_not_exists(more)" } else { "more = :before" };
        conditions.push(none.to_owned());
        update = update.expression_attribute_values(":more", number(after));
        if before > 0 {
            update = update.expression_attribute_values(":before", number(before));
        }
    }
    let removes = if removes.is_empty() { String::new() } else { format!("REMOVE {} ", removes.join(", ")) };
    let update = update.update_expression(format!(
        "SET {} {removes}ADD on_hand :on_hand, allocated :allocated, available :available, revision :one",
        sets.join(", ")
    ));
    let conditions = (!conditions.is_empty()).then(|| conditions.join(" AND "));
    let update = update.set_condition_expression(conditions).build();
    let update = update.map_err(|error| Fault::build("build a stock write", error))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

pub(crate) fn places(offer: &Offer) -> &[Location] {
    if offer.keeps_stock { &offer.locations } else { &[] }
}

/// The first bin of every place where stock of these offers may lie. What is read under these keys is made whole by
/// [`Table::whole_stock`].
pub fn keys_of<'a>(m: &MarketplaceId, offers: impl IntoIterator<Item = &'a Offer>) -> Vec<Key> {
    offers.into_iter().flat_map(|offer| keys_at(m, &offer.id, places(offer))).collect()
}

/// The same of an offer of which only its places are known so far.
pub fn keys_at(m: &MarketplaceId, offer: &OfferId, places: &[Location]) -> impl Iterator<Item = Key> {
    places.iter().map(move |place| Key::stock(m, offer, place, 0))
}

/// The keys of the further bins of a location.
fn further(m: &MarketplaceId, offer: &OfferId, first: &Bin) -> Vec<Key> {
    (1..=first.more).map(|bin| Key::stock(m, offer, &first.location, bin)).collect()
}

impl Loaded {
    /// All bins of an offer, those of a location together; an empty one where nothing has come in yet.
    pub fn bins(&self, m: &MarketplaceId, offer: &Offer) -> Vec<Bin> {
        let bin = |location: &Location, number: u8| {
            let item = self.found.get(&Key::stock(m, &offer.id, location, number));
            item.and_then(read).unwrap_or_else(|| Bin::empty(location.clone(), number))
        };
        let mut bins = Vec::new();
        for location in places(offer) {
            let first = bin(location, 0);
            let more = 1..=first.more;
            bins.push(first);
            bins.extend(more.map(|number| bin(location, number)));
        }
        bins
    }

    /// How much of an offer a cart can have: what is free, and what it holds itself. None where no stock is kept.
    pub fn available(
        &self,
        m: &MarketplaceId,
        offer: &Offer,
        cart: Option<&CartId>,
        now: Timestamp,
    ) -> Option<u32> {
        let now = whole_millis(now);
        let could = |bin: &Bin| {
            let own = cart.map_or(0, |cart| bin.own(cart));
            own.saturating_add(u32::try_from(bin.free(cart, now).max(0)).unwrap_or(u32::MAX))
        };
        let bins = self.bins(m, offer);
        offer.keeps_stock.then(|| bins.iter().fold(0, |sum: u32, bin| sum.saturating_add(could(bin))))
    }
}

impl Table {
    /// Reads what is missing of the stock of these offers, once its [first bins](keys_of) are read: the further bins of
    /// hot ones. No call where none is hot.
    pub async fn whole_stock<'a>(
        &self,
        m: &MarketplaceId,
        mut read: Loaded,
        offers: impl IntoIterator<Item = &'a Offer>,
    ) -> Result<Loaded, Fault> {
        let mut keys = Vec::new();
        for offer in offers {
            for first in read.bins(m, offer).iter().filter(|bin| bin.more > 0) {
                self.hot.learns(Key::stock(m, &offer.id, &first.location, 0), first.more);
                let unread = further(m, &offer.id, first).into_iter();
                keys.extend(unread.filter(|key| !read.found.contains_key(key)));
            }
        }
        if !keys.is_empty() {
            read.found.extend(self.read(&keys).await?.found);
        }
        Ok(read)
    }

    /// How much a cart can have of each of these offers that keep stock, from one batch read (two if one is hot).
    pub async fn available(
        &self,
        m: &MarketplaceId,
        offers: &[Offer],
        cart: Option<&CartId>,
        now: Timestamp,
    ) -> Result<BTreeMap<OfferId, u32>, Fault> {
        let read = self.read_stock(m, offers).await?;
        let of = |offer: &Offer| Some((offer.id.clone(), read.available(m, offer, cart, now)?));
        Ok(offers.iter().filter_map(of).collect())
    }

    async fn read_stock(&self, m: &MarketplaceId, offers: &[Offer]) -> Result<Loaded, Fault> {
        let keys = keys_of(m, offers);
        if keys.is_empty() {
            return Ok(Loaded::default());
        }
        self.whole_stock(m, self.read(&keys).await?, offers).await
    }

    /// What is on the shelves of these offers now, in one batch read; none where there is no offer. Who asks may take
    /// it, so holds whose time is over are dropped.
    pub async fn shelves(
        &self,
        m: &MarketplaceId,
        offers: &[Offer],
        now: Timestamp,
    ) -> Result<Shelves, Fault> {
        let (read, now) = (self.read_stock(m, offers).await?, whole_millis(now));
        let bins =
            offers.iter().flat_map(|offer| read.bins(m, offer).into_iter().map(move |bin| (offer, bin)));
        let shelf = |(offer, bin): (&Offer, Bin)| {
            let offer = offer.id.clone();
            async move {
                let bin = self.without_expired(m, &offer, bin, now).await?;
                let Bin { location, number: bin, levels, .. } = bin;
                Ok::<_, Fault>(Shelf { offer, location, bin, available: levels.available })
            }
        };
        Ok(Shelves::new(try_join_all(bins.map(shelf)).await?))
    }

    /// All bins of an offer, strongly consistent.
    pub async fn bins(&self, m: &MarketplaceId, offer: &OfferId) -> Result<Vec<Bin>, Fault> {
        let (pk, mut bins, mut after) = (Key::offer(m, offer).pk, Vec::new(), None);
        loop {
            let (items, next) = self.range(&pk, Key::stock_range(), 100, after.as_ref(), true).await?;
            bins.extend(items.iter().filter_map(read));
            match next {
                Some(next) => after = Some(next),
                None => return Ok(bins),
            }
        }
    }

    /// The stock of an offer at all its locations, strongly consistent.
    pub async fn stock(
        &self,
        m: &MarketplaceId,
        offer: &OfferId,
        now: Timestamp,
    ) -> Result<Vec<Stock>, Fault> {
        Ok(by_location(&self.bins(m, offer).await?, whole_millis(now)))
    }

    /// An offer's changes, receipts and adjustments, oldest first within each.
    pub async fn offer_story(
        &self,
        m: &MarketplaceId,
        offer: &OfferId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Entry>, Fault> {
        self.story(&Key::offer(m, offer), limit, after).await
    }
}

#[cfg(test)]
mod tests;
