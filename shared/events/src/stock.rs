//! What is told of stock. Promises to orders are told by the orders; a counter has no events of its own.

use crate::payloads;
use domain::id::{MerchantId, MovementId, OfferId};
use domain::stock::{Change, Movement};
use domain::text::Location;
use serde::{Deserialize, Serialize};

payloads! {
    /// Goods have come in.
    "stock.received.v1" StockReceivedV1 {
        movement: MovementId, merchant: MerchantId, offer: OfferId, location: Location, quantity: u32,
    }

    /// A count found `by` more or, below zero, less.
    "stock.adjusted.v1" StockAdjustedV1 {
        movement: MovementId,
        merchant: MerchantId,
        offer: OfferId,
        location: Location,
        by: i32,
        reason: String,
    }
}

/// So many units of an offer at a location.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockUnits {
    pub offer: OfferId,
    pub location: Location,
    pub quantity: u32,
}

impl StockUnits {
    /// What a movement releases, if it does.
    pub fn released(movement: Movement) -> Option<Self> {
        let Movement { offer, location, change } = movement;
        match change {
            Change::Released { quantity } => Some(Self { offer, location, quantity }),
            Change::Received { .. }
            | Change::Allocated { .. }
            | Change::Shipped { .. }
            | Change::Adjusted { .. } => None,
        }
    }

    /// The release as a movement.
    pub fn release(self) -> Movement {
        let Self { offer, location, quantity } = self;
        Movement { offer, location, change: Change::Released { quantity } }
    }
}
