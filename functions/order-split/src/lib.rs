//! `order.placed.v1`: the order becomes one merchant order per merchant.
//!
//! Reads: order. Writes: merchant orders, all in one transaction. Emits: `merchant_order.created.v1`, and
//! `merchant_order.opened.v1` where the order is paid already. The parts are a pure function of the order and their
//! ids follow from its own, so a second delivery, or a cancellation that came first, finds its work done.

use domain::order::split;
use edge::{Again, Function, World};
use events::order::OrderPlacedV1;
use events::{Context, Envelope, merchant_order::created};
use table::{Commit, Key, Story, Uncommitted};

pub fn function(world: &World) -> Function {
    Function::new("order-split", world).on(handle)
}

/// The parts are there: made by another delivery or by a cancellation.
#[derive(Debug)]
struct SplitBefore;

async fn handle(world: World, event: Envelope<OrderPlacedV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let Some(held) = world.table.load(&Key::order(m, &event.data.order)).await? else {
        return Err(Again::Early(event.data.order.to_string()));
    };
    let order: domain::order::Order = held.value;
    let parts = split(&order)?;

    let context = Context::follows(&event, world.now(), "order-split");
    let mut commit = Commit::new(m, &context);
    for part in &parts {
        let story = Story::new(created(&order.id, part)?);
        commit = commit.begin(part, part.id.as_str(), story, SplitBefore);
    }
    match commit.send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(SplitBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
