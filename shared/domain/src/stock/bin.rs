//! The stock item, and the rule by which the stock of a hot offer comes to lie in several.
//!
//! What lies at a location lies in bins. There is one, number 0, until the offer is hot; then 4, 16 or 64, each a whole
//! stock item with levels and holds of its own, so that buyers do not wait for one another at a single item. The rule:
//!
//! 1. A location is crowded when its first bin keeps 12 live holds for each stage that it has reached (12 with one bin,
//!    24 with 4, 36 with 16), or was in somebody's way more than once in one hold, and has 16 units to give away.
//! 2. The hold that meets a crowd spreads it: every bin keeps a quarter of what is available in it and gives three
//!    quarters to three new ones, in one transaction. Nothing physical moves, so there is no movement and no event.
//! 3. Bins are never taken away: a sold-out one costs a read, and returning units come back to the bin they were in.
//!    Goods that come in are spread over all bins where there are 4 for each, else they lie in the first.

use super::{Change, Levels};
use crate::id::CartId;
use crate::text::Location;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// As many bins as a location can have: a transaction must hold them all.
pub const BINS_MAX: u8 = 64;
/// Live holds in the first bin that make a crowd, for each stage.
const CROWD: usize = 12;
/// An expression of DynamoDB names no more holds than this.
const DROPS_MAX: usize = 40;
/// A bin is worth having for this many units.
const UNITS: u32 = 4;

pub fn is_first(bin: &u8) -> bool {
    *bin == 0
}

/// What one cart keeps off the shelf, and how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    pub quantity: u32,
    /// Afterwards its units are free for others, who take the hold away as they take the units. Until somebody does, it
    /// is still good for its own cart.
    pub until: Timestamp,
}

/// One stock item as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bin {
    pub location: Location,
    pub number: u8,
    /// Rises with every write; 0 where there is nothing yet.
    pub revision: u64,
    /// How many bins there are beside the first, which alone knows.
    pub more: u8,
    pub levels: Levels,
    pub holds: BTreeMap<CartId, Held>,
}

impl Bin {
    pub fn empty(location: Location, number: u8) -> Self {
        Self { location, number, revision: 0, more: 0, levels: Levels::default(), holds: BTreeMap::new() }
    }

    /// Holds whose time is over, the oldest first, as many as one write takes away. A cart's own is none to itself.
    pub fn expired(&self, cart: Option<&CartId>, now: Timestamp) -> Vec<(CartId, Held)> {
        let over = |(of, held): &(&CartId, &Held)| held.until < now && Some(*of) != cart;
        let mut expired: Vec<_> =
            self.holds.iter().filter(over).map(|(of, held)| (of.clone(), *held)).collect();
        expired.sort_by_key(|(_, held)| held.until);
        expired.truncate(DROPS_MAX);
        expired
    }

    /// What a cart holds here, expired or not.
    pub fn own(&self, cart: &CartId) -> u32 {
        self.holds.get(cart).map_or(0, |held| held.quantity)
    }

    /// What is here for somebody: available, and what nobody holds any more; not what the cart holds itself.
    pub fn free(&self, cart: Option<&CartId>, now: Timestamp) -> i64 {
        let over = self.expired(cart, now).into_iter();
        over.fold(self.levels.available, |sum, (_, held)| sum.saturating_add(i64::from(held.quantity)))
    }

    /// Units that live holds keep.
    pub fn held(&self, now: Timestamp) -> i64 {
        let live = self.holds.values().filter(|held| held.until >= now);
        live.fold(0, |sum, held| sum.saturating_add(i64::from(held.quantity)))
    }
}

/// The stock of an offer at one location: A7(1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    pub location: Location,
    pub levels: Levels,
    /// Units that carts hold for a while.
    pub held: i64,
}

/// What the bins come to at each location, by name.
pub fn by_location(bins: &[Bin], now: Timestamp) -> Vec<Stock> {
    let mut sums: BTreeMap<&Location, (Levels, i64)> = BTreeMap::new();
    for bin in bins {
        let (levels, held) = sums.entry(&bin.location).or_default();
        *levels = levels.plus(Levels { available: bin.free(None, now), ..bin.levels });
        *held = held.saturating_add(bin.held(now));
    }
    let stock =
        |(location, (levels, held)): (&Location, _)| Stock { location: location.clone(), levels, held };
    sums.into_iter().map(stock).collect()
}

/// Where goods that come in are put.
pub fn receive(bins: &[Bin], quantity: u32) -> Vec<(u8, Change)> {
    let count = u32::try_from(bins.len()).unwrap_or(u32::MAX).max(1);
    let share = quantity / count;
    if count == 1 || share < UNITS {
        return vec![(0, Change::Received { quantity })];
    }
    let rest = quantity % count;
    let part = |bin: &Bin| share.saturating_add(if bin.number == 0 { rest } else { 0 });
    bins.iter().map(|bin| (bin.number, Change::Received { quantity: part(bin) })).collect()
}

/// Whether the first bin is in everybody's way and has units to give away. `in_the_way`: it was so to the asker.
pub fn is_crowded(first: &Bin, in_the_way: bool, now: Timestamp) -> bool {
    let bins = first.more.saturating_add(1);
    let stage = usize::try_from(bins.ilog(4)).unwrap_or_default().saturating_add(1);
    let live = first.holds.values().filter(|held| held.until >= now).count();
    let worth = first.levels.available >= i64::from(UNITS.saturating_mul(4));
    first.number == 0 && bins < BINS_MAX && worth && (in_the_way || live >= CROWD.saturating_mul(stage))
}

/// What one bin gives to each of three new ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    pub from: u8,
    pub to: [u8; 3],
    pub units: u32,
}

/// Four bins of each of a location's bins.
pub fn spread(bins: &[Bin]) -> Vec<Share> {
    let count = u8::try_from(bins.len()).unwrap_or(u8::MAX);
    let share = |bin: &Bin| {
        let to = [1, 2, 3].map(|times: u8| count.saturating_mul(times).saturating_add(bin.number));
        let units = u32::try_from(bin.levels.available.max(0) / 4).unwrap_or_default();
        Share { from: bin.number, to, units }
    };
    bins.iter().map(share).collect()
}

#[cfg(test)]
mod tests;
