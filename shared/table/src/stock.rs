//! Where stock lies: one flat counter item per offer and location, written by movements and by nothing else.
//!
//! A movement is kept in the story of what causes it, in the same transaction; `available` is stored, so that a
//! promise is one conditional update and never a read that another writer overtakes (A7(1)).

use crate::key::Key;
use crate::outbox::Entry;
use crate::record::Item;
use crate::{Cursor, Fault, Loaded, Page, Table, number, text};
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::id::{MarketplaceId, OfferId};
use domain::stock::{Levels, Movement, Shelf, Shelves};
use domain::text::Location;
use std::collections::BTreeMap;

const KIND: &str = "stock.1";

/// The stock of an offer at one location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    pub location: Location,
    pub levels: Levels,
    /// Units that carts hold for a while.
    pub held: i64,
}

fn read(item: &Item) -> Option<Stock> {
    let level = |name: &str| item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok());
    let level = |name: &str| level(name).unwrap_or(0_i64);
    let location = Key::of_item(item).location()?;
    let levels =
        Levels { on_hand: level("on_hand"), allocated: level("allocated"), available: level("available") };
    let promised = levels.allocated.saturating_add(levels.available);
    Some(Stock { location, levels, held: levels.on_hand.saturating_sub(promised) })
}

/// What an item says of its offer, if it is stock: for checks that read everything.
pub(crate) fn stock_of(item: &Item) -> Option<(String, Stock)> {
    if item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) != Some(KIND) {
        return None;
    }
    let pk = Key::of_item(item).pk;
    Some((pk.rsplit('#').next()?.to_owned(), read(item)?))
}

/// What all movements of a transaction come to, by stock item: DynamoDB takes one write per item, and demand is summed
/// before it is written (A7(2)).
pub(crate) fn writes(
    m: &MarketplaceId,
    movements: &[Movement],
    table: &str,
) -> Result<Vec<TransactWriteItem>, Fault> {
    let mut sums: BTreeMap<Key, (Levels, Levels)> = BTreeMap::new();
    for movement in movements {
        let (effect, needs) = sums.entry(Key::stock(m, &movement.offer, &movement.location)).or_default();
        // As if one came after the other: what one brings the next may use, what one takes the next must find besides.
        let need = movement.change.needs();
        let more = |need: i64, before: i64| if need > 0 { need.saturating_sub(before) } else { 0 };
        needs.on_hand = needs.on_hand.max(more(need.on_hand, effect.on_hand));
        needs.allocated = needs.allocated.max(more(need.allocated, effect.allocated));
        needs.available = needs.available.max(more(need.available, effect.available));
        *effect = effect.plus(movement.change.effect());
    }
    sums.into_iter().map(|(key, (effect, needs))| write(&key, effect, needs, table)).collect()
}

fn write(key: &Key, effect: Levels, needs: Levels, table: &str) -> Result<TransactWriteItem, Fault> {
    let mut update = Update::builder()
        .table_name(table)
        .set_key(Some(key.item()))
        .update_expression(
            "SET kind = :kind, holds = if_not_exists(holds, :none) \
             ADD on_hand :on_hand, allocated :allocated, available :available, revision :one",
        )
        .expression_attribute_values(":kind", text(KIND))
        .expression_attribute_values(":none", AttributeValue::M([].into()))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":on_hand", number(effect.on_hand))
        .expression_attribute_values(":allocated", number(effect.allocated))
        .expression_attribute_values(":available", number(effect.available));
    let needed = [("on_hand", needs.on_hand), ("allocated", needs.allocated), ("available", needs.available)];
    let mut conditions = Vec::new();
    for (name, need) in needed.into_iter().filter(|(_, need)| *need > 0) {
        conditions.push(format!("{name} >= :need_{name}"));
        update = update.expression_attribute_values(format!(":need_{name}"), number(need));
    }
    if !conditions.is_empty() {
        update = update.condition_expression(conditions.join(" AND "));
    }
    let update = update.build().map_err(|error| Fault::build("build a stock write", error))?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Every place where stock of these offers may lie.
pub fn keys_of<'a>(m: &MarketplaceId, offers: impl IntoIterator<Item = &'a Offer>) -> Vec<Key> {
    let kept = offers.into_iter().filter(|offer| offer.keeps_stock);
    kept.flat_map(|offer| offer.locations.iter().map(|place| Key::stock(m, &offer.id, place))).collect()
}

impl Loaded {
    /// What a cart could have of each offer whose stock is counted, its own holds among it.
    pub(crate) fn available(&self, m: &MarketplaceId, cart: &Cart, offers: &[Offer]) -> Vec<(OfferId, u32)> {
        let of = |offer: &Offer| {
            let places =
                offer.locations.iter().filter_map(|place| self.found.get(&Key::stock(m, &offer.id, place)));
            let free = places.filter_map(read).map(|stock| stock.levels.available.max(0)).sum::<i64>();
            let held = cart.holds.iter().filter(|hold| hold.offer == offer.id);
            let held = held.map(|hold| i64::from(hold.quantity)).sum::<i64>();
            (offer.id.clone(), u32::try_from(free.saturating_add(held)).unwrap_or(u32::MAX))
        };
        offers.iter().filter(|offer| offer.keeps_stock).map(of).collect()
    }

    /// The shelves of these offers, from what was read under [`keys_of`] them.
    pub fn shelves<'a>(&self, m: &MarketplaceId, offers: impl IntoIterator<Item = &'a Offer>) -> Shelves {
        let mut shelves = Vec::new();
        for offer in offers {
            for location in &offer.locations {
                let item = self.found.get(&Key::stock(m, &offer.id, location));
                let Some(stock) = item.and_then(read) else { continue };
                let (offer, location) = (offer.id.clone(), location.clone());
                shelves.push(Shelf { offer, location, available: stock.levels.available });
            }
        }
        Shelves::new(shelves)
    }
}

impl Table {
    /// What is on the shelves of these offers now, in one batch read; none where there is no offer.
    pub async fn shelves(&self, m: &MarketplaceId, offers: &[Offer]) -> Result<Shelves, Fault> {
        let keys = keys_of(m, offers);
        if keys.is_empty() {
            return Ok(Shelves::default());
        }
        Ok(self.read(&keys).await?.shelves(m, offers))
    }

    /// The stock of an offer at all its locations, strongly consistent.
    pub async fn stock(&self, m: &MarketplaceId, offer: &OfferId) -> Result<Vec<Stock>, Fault> {
        let (items, _) = self.range(&Key::offer(m, offer).pk, Key::stock_range(), 100, None, true).await?;
        Ok(items.iter().filter_map(read).collect())
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
