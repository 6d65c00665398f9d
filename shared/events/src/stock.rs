//! What is told of stock. Promises to orders are told by the orders, their end here as well; a counter has no events of
//! its own.

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

    /// What was promised to a part of an order is free again: canceled, or rejected by its merchant.
    "stock.released.v1" StockReleasedV1 {
        movement: MovementId, merchant: MerchantId, units: Vec<StockUnits>,
    }
}

/// So many units of an offer at a location; of one whose stock lies in several bins, in which of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StockUnits {
    pub offer: OfferId,
    pub location: Location,
    #[serde(default, skip_serializing_if = "domain::stock::bin::is_first")]
    pub bin: u8,
    pub quantity: u32,
}

impl StockUnits {
    /// What a movement releases, if it does.
    pub fn released(movement: Movement) -> Option<Self> {
        let Movement { offer, location, bin, change, .. } = movement;
        match change {
            Change::Released { quantity } => Some(Self { offer, location, bin, quantity }),
            Change::Received { .. }
            | Change::Allocated { .. }
            | Change::Shipped { .. }
            | Change::Adjusted { .. } => None,
        }
    }

    /// The release as a movement.
    pub fn release(self) -> Movement {
        let Self { offer, location, bin, quantity } = self;
        let change = Change::Released { quantity };
        Movement { offer, location, bin, held_by: None, change }
    }
}
