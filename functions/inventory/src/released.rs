//! `merchant_order.canceled.v1` and `merchant_order.rejected.v1`: promised stock is free again.
//!
//! The release is a document whose id follows from the event, so a second delivery finds it there.

use domain::id::{MarketplaceId, MerchantId, MovementId, derive};
use edge::{Again, World};
use events::merchant_order::{MerchantOrderCanceledV1, MerchantOrderRejectedV1};
use events::stock::{StockReleasedV1, StockUnits};
use events::{Announced, Context, Envelope};
use table::{Commit, Key, Story, Uncommitted};

/// An earlier delivery has released it.
#[derive(Debug)]
struct ReleasedBefore;

pub(crate) async fn of_canceled(world: World, event: Envelope<MerchantOrderCanceledV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "inventory");
    let MerchantOrderCanceledV1 { merchant, released, .. } = event.data;
    release(&world, &event.marketplace, &context, merchant, released).await
}

pub(crate) async fn of_rejected(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "inventory");
    let MerchantOrderRejectedV1 { merchant, released, .. } = event.data;
    release(&world, &event.marketplace, &context, merchant, released).await
}

async fn release(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    merchant: MerchantId,
    units: Vec<StockUnits>,
) -> Result<(), Again> {
    if units.is_empty() {
        return Ok(());
    }
    let id = MovementId::from_bits(derive(&["release", m.as_str(), &context.cause]));
    let told = StockReleasedV1 { movement: id.clone(), merchant, units: units.clone() };
    let movements = units.into_iter().map(StockUnits::release).collect();
    let story = Story::new([Announced::of(&told)]).moving(movements);
    let commit = Commit::new(m, context);
    let commit = commit.document(&Key::movement(m, None, &id), id.as_str(), story, ReleasedBefore);
    match commit.send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(ReleasedBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
