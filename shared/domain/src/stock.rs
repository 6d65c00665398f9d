//! Stock of an offer at a location: its levels, the movements that are their only writers, what an order may take.
//!
//! Invariants: available = on hand − allocated − active holds (A7(1)); physical stock moves only at received, shipped
//! and adjusted (A7(3)); a movement is never edited, a reversal is a counter-row (A7(4)). Who may move stock is not
//! here.
//!
//! `hold.rs` what carts keep for a while and how a cart gets its units · `bin.rs` the stock item, and the rule by which
//! the stock of a hot offer comes to lie in several.

pub mod bin;
pub mod hold;

pub use bin::{Bin, Held, Stock};
pub use hold::{Hold, Short};

use crate::id::{CartId, OfferId};
use crate::text::{Location, Reason};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A transaction must hold an order, its story and every stock item that it takes from.
pub const SHELVES_MAX: usize = 90;

/// One change of one stock item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    pub offer: OfferId,
    pub location: Location,
    #[serde(default, skip_serializing_if = "bin::is_first")]
    pub bin: u8,
    /// The cart whose hold becomes this promise: its units are off the shelf already. The whole hold goes with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_by: Option<CartId>,
    #[serde(flatten)]
    pub change: Change,
}

impl Movement {
    /// Units of an allocation that move.
    pub fn of(offer: &OfferId, from: Allocation, change: fn(u32) -> Change) -> Self {
        let Allocation { location, bin, quantity } = from;
        Self { offer: offer.clone(), location, bin, held_by: None, change: change(quantity) }
    }

    /// The same promise, out of what a cart holds.
    #[must_use]
    pub fn held_by(self, cart: &CartId) -> Self {
        Self { held_by: Some(cart.clone()), ..self }
    }
}

/// What moves, in units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StockChange"))]
pub enum Change {
    /// Goods have come in.
    Received { quantity: u32 },
    /// Promised to an order.
    Allocated { quantity: u32 },
    /// Promised no more.
    Released { quantity: u32 },
    /// Allocated goods have left.
    Shipped { quantity: u32 },
    /// A count found more or less than was known.
    Adjusted { by: i32, reason: Reason },
}

/// How many units there are; or, of a movement, by how many they change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Levels {
    /// Below zero where more has left than was ever known.
    pub on_hand: i64,
    pub allocated: i64,
    /// Below zero where a count found less than was promised.
    pub available: i64,
}

impl Levels {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            on_hand: self.on_hand.saturating_add(other.on_hand),
            allocated: self.allocated.saturating_add(other.allocated),
            available: self.available.saturating_add(other.available),
        }
    }
}

impl Change {
    /// By how much the levels change.
    pub fn effect(&self) -> Levels {
        match self {
            Self::Received { quantity } => {
                let by = i64::from(*quantity);
                Levels { on_hand: by, allocated: 0, available: by }
            }
            Self::Allocated { quantity } => {
                let by = i64::from(*quantity);
                Levels { on_hand: 0, allocated: by, available: by.saturating_neg() }
            }
            Self::Released { quantity } => {
                let by = i64::from(*quantity);
                Levels { on_hand: 0, allocated: by.saturating_neg(), available: by }
            }
            Self::Shipped { quantity } => {
                let by = i64::from(*quantity).saturating_neg();
                Levels { on_hand: by, allocated: by, available: 0 }
            }
            Self::Adjusted { by, .. } => {
                let by = i64::from(*by);
                Levels { on_hand: by, allocated: 0, available: by }
            }
        }
    }

    /// Takes another change of the same kind and reason into itself; false where it is of another.
    pub fn absorb(&mut self, other: &Self) -> bool {
        match (self, other) {
            (Self::Received { quantity }, Self::Received { quantity: more })
            | (Self::Allocated { quantity }, Self::Allocated { quantity: more })
            | (Self::Released { quantity }, Self::Released { quantity: more })
            | (Self::Shipped { quantity }, Self::Shipped { quantity: more }) => {
                *quantity = quantity.saturating_add(*more);
                true
            }
            (Self::Adjusted { by, reason }, Self::Adjusted { by: more, reason: why }) if reason == why => {
                *by = by.saturating_add(*more);
                true
            }
            (
                Self::Received { .. }
                | Self::Allocated { .. }
                | Self::Released { .. }
                | Self::Shipped { .. }
                | Self::Adjusted { .. },
                _,
            ) => false,
        }
    }

    /// The levels that must be there for it, at least. A promise needs what is available; a count takes what it finds
    /// missing, promised or not; what has left is not refused.
    pub fn needs(&self) -> Levels {
        let zero = Levels::default();
        match self {
            Self::Received { .. } => zero,
            Self::Allocated { quantity } => Levels { available: i64::from(*quantity), ..zero },
            Self::Released { quantity } | Self::Shipped { quantity } => {
                Levels { allocated: i64::from(*quantity), ..zero }
            }
            Self::Adjusted { by, .. } => Levels { on_hand: i64::from(*by).saturating_neg().max(0), ..zero },
        }
    }
}

/// Units of a line that are promised from one stock item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    pub location: Location,
    #[serde(default, skip_serializing_if = "bin::is_first")]
    pub bin: u8,
    pub quantity: u32,
}

impl From<&Hold> for Allocation {
    fn from(hold: &Hold) -> Self {
        Self { location: hold.location.clone(), bin: hold.bin, quantity: hold.quantity }
    }
}

/// Σ of allocations.
pub fn allocated(allocations: &[Allocation]) -> u32 {
    allocations.iter().fold(0, |sum, allocation| sum.saturating_add(allocation.quantity))
}

/// Takes up to `quantity` units off the front: the first promised leave first.
pub fn take_first(allocations: &mut Vec<Allocation>, quantity: u32) -> Vec<Allocation> {
    let mut taken = Vec::new();
    let mut left = quantity;
    for allocation in allocations.iter_mut() {
        let part = allocation.quantity.min(left);
        if part > 0 {
            taken.push(Allocation { quantity: part, ..allocation.clone() });
            allocation.quantity -= part;
            left -= part;
        }
    }
    allocations.retain(|allocation| allocation.quantity > 0);
    taken
}

/// What is available in one bin when an order is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub offer: OfferId,
    pub location: Location,
    pub bin: u8,
    pub available: i64,
}

/// Shelves that an order takes from, line after line: a second line on one offer finds what the first has left, so
/// demand is summed before anything is written (A7(2)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelves {
    shelves: Vec<Shelf>,
    touched: Vec<(OfferId, Location, u8)>,
}

impl Shelves {
    pub fn new(shelves: Vec<Shelf>) -> Self {
        Self { shelves, touched: Vec::new() }
    }

    /// What a cart holds, and nothing else, for the order that it becomes.
    pub fn held(holds: &[Hold]) -> Self {
        let shelf = |hold: &Hold| {
            let Hold { offer, location, bin, quantity } = hold.clone();
            Shelf { offer, location, bin, available: i64::from(quantity) }
        };
        Self::new(holds.iter().map(shelf).collect())
    }

    /// Up to `quantity` units of an offer: from one location where one has them all (the fullest), else from the
    /// fullest on; there from its fullest bin on. What is missing is a shortage. Ties go to the first by name.
    pub fn allocate(&mut self, offer: &OfferId, quantity: u32) -> Vec<Allocation> {
        let of_offer = |shelf: &&Shelf| shelf.offer == *offer;
        let at_location = |location: &Location| -> i64 {
            let here = self.shelves.iter().filter(of_offer).filter(|shelf| shelf.location == *location);
            here.fold(0, |sum: i64, shelf| sum.saturating_add(shelf.available.max(0)))
        };
        let ranked = self.shelves.iter().enumerate().filter(|(_, shelf)| of_offer(shelf));
        let mut order: Vec<_> = ranked
            .map(|(at, shelf)| {
                let (total, available) = (at_location(&shelf.location), shelf.available);
                ((Reverse(total), shelf.location.clone(), Reverse(available), shelf.bin), at)
            })
            .collect();
        order.sort();
        let (mut left, mut taken) = (quantity, Vec::new());
        for (_, at) in order {
            let Some(shelf) = self.shelves.get_mut(at) else { continue };
            let part = u32::try_from(shelf.available.max(0)).unwrap_or(u32::MAX).min(left);
            let place = (shelf.offer.clone(), shelf.location.clone(), shelf.bin);
            let known = self.touched.contains(&place);
            if part == 0 || (!known && self.touched.len() >= SHELVES_MAX) {
                continue;
            }
            if !known {
                self.touched.push(place);
            }
            shelf.available = shelf.available.saturating_sub(i64::from(part));
            let (location, bin) = (shelf.location.clone(), shelf.bin);
            taken.push(Allocation { location, bin, quantity: part });
            left -= part;
        }
        taken
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{by} units cannot go: {on_hand} are on hand")]
    BelowZero { by: i32, on_hand: i64 },
    #[error("an adjustment changes something: 0 units do not")]
    Nothing,
}

/// A count at one location found `by` more or less; what is on hand cannot be less than nothing. More lies in the first
/// bin; less is taken where it is not promised, the fullest bin first, then wherever it is.
pub fn adjust(bins: &[Bin], by: i32, reason: &Reason) -> Result<Vec<(u8, Change)>, Refused> {
    if by == 0 {
        return Err(Refused::Nothing);
    }
    if by > 0 {
        return Ok(vec![(0, Change::Adjusted { by, reason: reason.clone() })]);
    }
    let on_hand = bins.iter().fold(0, |sum: i64, bin| sum.saturating_add(bin.levels.on_hand));
    if on_hand.saturating_add(i64::from(by)) < 0 {
        return Err(Refused::BelowZero { by, on_hand });
    }
    let mut order: Vec<&Bin> = bins.iter().collect();
    order.sort_by_key(|bin| (Reverse(bin.levels.available), bin.number));
    let mut left = i64::from(by).saturating_neg();
    let mut parts: BTreeMap<u8, i64> = BTreeMap::new();
    let free = order.iter().map(|bin| (bin, bin.levels.available.min(bin.levels.on_hand)));
    for (bin, most) in free.chain(order.iter().map(|bin| (bin, bin.levels.on_hand))) {
        let part = parts.entry(bin.number).or_default();
        let more = most.saturating_sub(*part).clamp(0, left);
        *part = part.saturating_add(more);
        left = left.saturating_sub(more);
    }
    let less = |(bin, part): (u8, i64)| {
        let by = i32::try_from(part.saturating_neg()).ok().filter(|by| *by < 0)?;
        Some((bin, Change::Adjusted { by, reason: reason.clone() }))
    };
    Ok(parts.into_iter().filter_map(less).collect())
}

#[cfg(test)]
mod tests;
