//! `merchant_order.canceled.v1` and `merchant_order.rejected.v1`: promised stock is free again.
//!
//! The release is a document whose id follows from the event, so a second delivery finds it there.

use domain::id::{MovementId, derive};
use edge::{Again, World};
use events::merchant_order::{MerchantOrderCanceledV1, MerchantOrderRejectedV1};
use events::stock::StockUnits;
use events::{Context, Envelope};
use table::{Commit, Key, Story, Uncommitted};

/// An earlier delivery has released it.
#[derive(Debug)]
struct ReleasedBefore;

pub(crate) async fn of_canceled(world: World, event: Envelope<MerchantOrderCanceledV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "inventory");
    release(&world, &event.marketplace, &context, event.data.released).await
}

pub(crate) async fn of_rejected(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "inventory");
    release(&world, &event.marketplace, &context, event.data.released).await
}

async fn release(
    world: &World,
    m: &domain::id::MarketplaceId,
    context: &Context,
    units: Vec<StockUnits>,
) -> Result<(), Again> {
    if units.is_empty() {
        return Ok(());
    }
    let id = MovementId::from_bits(derive(&["release", m.as_str(), &context.cause]));
    let movements = units.into_iter().map(StockUnits::release).collect();
    let story = Story::default().moving(movements);
    let commit = Commit::new(m, context);
    let commit = commit.document(&Key::movement(m, None, &id), id.as_str(), story, ReleasedBefore);
    match commit.send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(ReleasedBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
