//! Order management: intake, reading and listing, payment, cancellation, refunds, exceptions.
//!
//! Routes: `/v1/orders…`. Schedule: nightly, hands on orders that have waited too long for their payment.
//! Consumes: `order.unpaid.v1` from that, cancels them; `merchant_order.rejected.v1` and `shipment.lost.v1`: what will
//! not be delivered is paid back; `payment.captured.v1` and `payment.authorized.v1`: a promised transfer has come in,
//! or a card beside it is secured again.
//! Reads: marketplace, merchants, overrides, offers and their stock, orders with their parts and payments. Writes:
//! orders, the stock that they take, uses of codes that a canceled one had; their parts where an order is canceled or
//! refunded; the merchant's entry that a refund or a completion is. Emits: `order.*.v1`, `merchant_order.canceled.v1`,
//! `merchant_order.refunded.v1`, `override.used.v1`.
//!
//! Intake is idempotent by name: an order of a channel is (channel, external id), for ever, and its id is derived from
//! both; so it needs no idempotency record, and a repeat with another content is refused.

mod changes;
mod intake;
mod secured;
mod show;
mod undelivered;
mod unpaid;

use edge::{Function, Routes, World, due};
use table::due::Work;

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/orders", show::list)
        .operators(
            "orders:read",
            "orders.list",
            "Orders, newest first: by day, customer, merchant, name or exception",
        )
        .create("/v1/orders", intake::place)
        .operators("orders:write", "orders.place", "An order from a channel, or one taken on the phone")
        .get("/v1/orders/{id}", show::one)
        .operators("orders:read", "orders.show", "An order with its parts")
        .post("/v1/orders/{id}/pay", changes::pay)
        .operators("orders:write", "orders.pay", "The promised money is there: the parts may ship")
        .post("/v1/orders/{id}/cancel", changes::cancel)
        .operators("orders:write", "orders.cancel", "What is not shipped is canceled")
        .post("/v1/orders/{id}/refund", changes::refund)
        .operators("orders:write", "orders.refund", "Delivered units are paid back")
        .post("/v1/orders/{id}/resolve-exception", changes::resolve_exception)
        .operators(
            "orders:write",
            "orders.resolve_exception",
            "A person has explained why payments and lines differ",
        );
    Function::new("orders", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("ORDERS_QUEUE").map(str::to_owned);
            due::hand_on(world, input, Work::Unpaid, queue, unpaid::payload).await
        })
        .on(undelivered::rejected)
        .on(undelivered::lost)
        .on(unpaid::cancel)
        .on(secured::captured)
        .on(secured::authorized)
}
