//! Order management: intake, reading and listing, payment, cancellation, refunds, exceptions.
//!
//! Routes: `/v1/orders…`. Consumes: `merchant_order.rejected.v1` pays rejected units back. Reads: marketplace,
//! merchants, overrides, orders with their parts. Writes: orders; their parts where an order is canceled or refunded;
//! the merchant's entry that a refund or a completion is. Emits: `order.*.v1`, `merchant_order.canceled.v1`,
//! `merchant_order.refunded.v1`, `override.used.v1`.
//!
//! Intake is idempotent by name: an order of a channel is (channel, external id), for ever, and its id is derived from
//! both; so it needs no idempotency record, and a repeat with another content is refused.

mod changes;
mod intake;
mod rejected;
mod show;

use axum::Router;
use axum::routing::{get, post};
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/orders", get(show::list).post(intake::place))
        .route("/v1/orders/{id}", get(show::one))
        .route("/v1/orders/{id}/pay", post(changes::pay))
        .route("/v1/orders/{id}/cancel", post(changes::cancel))
        .route("/v1/orders/{id}/refund", post(changes::refund))
        .route("/v1/orders/{id}/resolve-exception", post(changes::resolve_exception));
    Function::new("orders", world).routes(routes).on(rejected::pay_back)
}
