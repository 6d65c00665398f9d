//! What merchants do with their part of an order: accept, reject, ship; and what carriers tell of parcels.
//!
//! Routes: `/v1/merchant-orders…`. Consumes: `order.paid.v1` opens the parts. Reads: merchant orders, merchant,
//! marketplace, stock of lines that are short, orders with who has ordered. Writes: merchant orders, the stock that
//! leaves, and the merchant's earning when a part is complete. Emits: `merchant_order.*.v1`, `shipment.delivered.v1`,
//! `shipment.lost.v1`. Rejected and lost units are paid back by `orders`, which hears of them.

mod changes;
mod recipient;
mod show;

use domain::Decision;
use domain::merchant_order::{MerchantOrder, open};
use edge::{Again, Function, Routes, World};
use events::order::OrderPaidV1;
use events::{Context, Envelope, merchant_order::announce};
use table::{Commit, Key, Story};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/merchant-orders", show::list)
        .merchants("fulfillment:read", "merchant_orders.list", "A merchant's parts of orders, newest first")
        .get("/v1/merchant-orders/{id}", show::one)
        .merchants("fulfillment:read", "merchant_orders.show", "A merchant's part of an order")
        .get("/v1/merchant-orders/{id}/recipient", recipient::show)
        .merchants("fulfillment:read", "merchant_orders.recipient", "Whom the merchant ships to")
        .post("/v1/merchant-orders/{id}/accept", changes::accept)
        .merchants("fulfillment:write", "merchant_orders.accept", "The merchant will deliver these lines")
        .post("/v1/merchant-orders/{id}/reject", changes::reject)
        .merchants("fulfillment:write", "merchant_orders.reject", "The merchant cannot deliver these units")
        .post("/v1/merchant-orders/{id}/ship", changes::ship)
        .merchants("fulfillment:write", "merchant_orders.ship", "A parcel is on its way")
        .post("/v1/merchant-orders/{id}/shipments/{shipment}/track", changes::track)
        .merchants("fulfillment:write", "merchant_orders.track", "What the carrier tells of a parcel");
    Function::new("fulfillment", world).routes(routes).on(open_parts)
}

/// The order is paid: its parts may ship. Comes again while the split is still under way.
async fn open_parts(world: World, event: Envelope<OrderPaidV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let ids = &event.data.merchant_orders;
    let keys: Vec<Key> = ids.iter().filter_map(|id| Key::merchant_order(m, id)).collect();
    let parts = world.table.load_all::<MerchantOrder>(&keys).await?;
    if parts.len() < ids.len() {
        return Err(Again::Early(format!("a merchant order of {}", event.data.order)));
    }

    let context = Context::follows(&event, world.now(), "fulfillment");
    let mut commit = Commit::<()>::new(m, &context);
    for held in &parts {
        let Decision::New(fact) = open(&held.value, event.data.paid_at.0) else { continue };
        let next = held.value.clone().apply(&fact);
        let story = Story::new(announce(&held.value, &next, &fact)?);
        commit = commit.change(held, &next, next.id.as_str(), story);
    }
    commit.send(&world.table).await?;
    Ok(())
}
