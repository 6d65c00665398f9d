//! Stock of offers, by location: receipts, adjustments, levels; and what canceled orders give back.
//!
//! Routes: `/v1/stock/{offer}…`. Consumes: `merchant_order.canceled.v1`, `merchant_order.rejected.v1`. Reads: offers
//! and their stock. Writes: stock, offers where a location is new. Emits: `stock.received.v1`, `stock.adjusted.v1`.
//!
//! Movements are the only writers of stock. Orders allocate in their own transaction and parcels take theirs with
//! them; a cancellation may touch more items than one transaction holds beside it, so its stock comes back from here.

mod released;
mod stock;

use axum::Router;
use axum::routing::{get, post};
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/stock/{offer}", get(stock::show))
        .route("/v1/stock/{offer}/receive", post(stock::receive))
        .route("/v1/stock/{offer}/adjust", post(stock::adjust))
        .route("/v1/stock/{offer}/movements", get(stock::movements));
    Function::new("inventory", world).routes(routes).on(released::of_canceled).on(released::of_rejected)
}
