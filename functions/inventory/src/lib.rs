//! Stock of offers, by location: receipts, adjustments, levels; and what canceled orders give back.
//!
//! Routes: `/v1/stock/{offer}…`. Consumes: `merchant_order.canceled.v1`, `merchant_order.rejected.v1`. Reads: offers
//! and their stock. Writes: stock, offers where a location is new. Emits: `stock.received.v1`, `stock.adjusted.v1`,
//! `stock.released.v1`.
//!
//! Movements are the only writers of stock. Orders allocate in their own transaction and parcels take theirs with
//! them; a cancellation may touch more items than one transaction holds beside it, so its stock comes back from here.

mod released;
mod stock;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/stock/{offer}", stock::show)
        .merchants("inventory:read", "stock.show", "An offer's stock at all its locations")
        .post("/v1/stock/{offer}/receive", stock::receive)
        .merchants("inventory:write", "stock.receive", "Goods have come in")
        .post("/v1/stock/{offer}/adjust", stock::adjust)
        .merchants("inventory:write", "stock.adjust", "A count found more or less")
        .get("/v1/stock/{offer}/movements", stock::movements)
        .merchants("inventory:read", "stock.movements", "Receipts and adjustments of an offer");
    Function::new("inventory", world).routes(routes).on(released::of_canceled).on(released::of_rejected)
}
