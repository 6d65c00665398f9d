//! How merchants deliver, as far as events tell: each order counted once for each thing, however often it is told.

use domain::id::{MerchantId, MerchantOrderId};
use domain::merchant_order::MerchantOrder;
use edge::{Again, World};
use events::merchant_order::{MerchantOrderOpenedV1, MerchantOrderRejectedV1, MerchantOrderShippedV1};
use events::{Context, Envelope};
use table::review::Counted;
use table::{Commit, Key, Uncommitted};

/// It was counted before.
#[derive(Debug)]
struct CountedBefore;

pub(crate) async fn opened(world: World, event: Envelope<MerchantOrderOpenedV1>) -> Result<(), Again> {
    let MerchantOrderOpenedV1 { merchant_order, merchant } = &event.data;
    count(&world, &event, (merchant_order, merchant, "opened"), Counted::Opened).await
}

/// The first parcel of an order; further ones do not count, however late they come.
pub(crate) async fn shipped(world: World, event: Envelope<MerchantOrderShippedV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let MerchantOrderShippedV1 { merchant_order, merchant, shipment, .. } = &event.data;
    let early = || Again::Early(merchant_order.to_string());
    let key = Key::merchant_order(m, merchant_order).ok_or_else(early)?;
    let part = world.table.load::<MerchantOrder>(&key).await?.ok_or_else(early)?.value;
    let Some(first) = part.shipments.first().filter(|first| first.id == *shipment) else { return Ok(()) };
    let (policy, _) = world.table.review_policy(m).await?;
    let late = policy.is_late(part.placed_at, first.shipped_at);
    count(&world, &event, (merchant_order, merchant, "shipped"), Counted::Shipped { late }).await
}

pub(crate) async fn rejected(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Result<(), Again> {
    let MerchantOrderRejectedV1 { merchant_order, merchant, .. } = &event.data;
    count(&world, &event, (merchant_order, merchant, "canceled"), Counted::Canceled).await
}

async fn count<P>(
    world: &World,
    event: &Envelope<P>,
    (part, merchant, what): (&MerchantOrderId, &MerchantId, &str),
    counted: Counted,
) -> Result<(), Again> {
    let context = Context::follows(event, world.now(), "review-collection");
    let commit = Commit::new(&event.marketplace, &context).conduct(merchant, counted);
    let mark = format!("{part}-{what}");
    match commit.mark("review-collection", &mark, CountedBefore).send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(CountedBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
