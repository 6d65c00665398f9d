//! Stock of an offer at a location: its levels, the movements that are their only writers, what an order may take.
//!
//! Invariants: available = on hand − allocated − active holds (A7(1)); physical stock moves only at received, shipped
//! and adjusted (A7(3)); a movement is never edited, a reversal is a counter-row (A7(4)). Who may move stock, and the
//! holds of carts, are not here.

use crate::id::OfferId;
use crate::text::{Location, Reason};
use serde::{Deserialize, Serialize};

/// A transaction must hold an order, its story and every stock item that it takes from.
pub const SHELVES_MAX: usize = 90;

/// One change of one stock item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    pub offer: OfferId,
    pub location: Location,
    #[serde(flatten)]
    pub change: Change,
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

/// Units of a line that are promised from one location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allocation {
    pub location: Location,
    pub quantity: u32,
}

/// Units of an offer that a cart holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub offer: OfferId,
    pub location: Location,
    pub quantity: u32,
}

impl From<&Hold> for Allocation {
    fn from(hold: &Hold) -> Self {
        Self { location: hold.location.clone(), quantity: hold.quantity }
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
            taken.push(Allocation { location: allocation.location.clone(), quantity: part });
            allocation.quantity -= part;
            left -= part;
        }
    }
    allocations.retain(|allocation| allocation.quantity > 0);
    taken
}

/// What is available at one location when an order is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    pub offer: OfferId,
    pub location: Location,
    pub available: i64,
}

/// Shelves that an order takes from, line after line: a second line on one offer finds what the first has left, so
/// demand is summed before anything is written (A7(2)).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shelves {
    shelves: Vec<Shelf>,
    touched: Vec<(OfferId, Location)>,
}

impl Shelves {
    pub fn new(shelves: Vec<Shelf>) -> Self {
        Self { shelves, touched: Vec::new() }
    }

    /// Up to `quantity` units of an offer: from one location where one has them all (the fullest), else from the
    /// fullest on. What is missing is a shortage. Ties go to the first by name.
    pub fn allocate(&mut self, offer: &OfferId, quantity: u32) -> Vec<Allocation> {
        let mut order: Vec<usize> = (0..self.shelves.len()).collect();
        order.retain(|at| self.shelves.get(*at).is_some_and(|shelf| shelf.offer == *offer));
        order.sort_by_key(|at| {
            let shelf = self.shelves.get(*at);
            shelf.map(|shelf| (std::cmp::Reverse(shelf.available), shelf.location.clone()))
        });
        let (mut left, mut taken) = (quantity, Vec::new());
        for at in order {
            let Some(shelf) = self.shelves.get_mut(at) else { continue };
            let part = u32::try_from(shelf.available.max(0)).unwrap_or(u32::MAX).min(left);
            let place = (shelf.offer.clone(), shelf.location.clone());
            let known = self.touched.contains(&place);
            if part == 0 || (!known && self.touched.len() >= SHELVES_MAX) {
                continue;
            }
            if !known {
                self.touched.push(place);
            }
            shelf.available = shelf.available.saturating_sub(i64::from(part));
            taken.push(Allocation { location: shelf.location.clone(), quantity: part });
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

/// A count found `by` more or less; what is on hand cannot be less than nothing.
pub fn adjust(levels: Levels, by: i32, reason: Reason) -> Result<Change, Refused> {
    if by == 0 {
        return Err(Refused::Nothing);
    }
    if by < 0 && levels.on_hand.saturating_add(i64::from(by)) < 0 {
        return Err(Refused::BelowZero { by, on_hand: levels.on_hand });
    }
    Ok(Change::Adjusted { by, reason })
}

#[cfg(test)]
mod tests;
