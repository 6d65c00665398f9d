//! `merchant_order.rejected.v1` and `shipment.lost.v1`: the customer gets back what will not be delivered.

use domain::id::MerchantOrderId;
use domain::order::{self, Order};
use domain::text::Reason;
use edge::{Again, World};
use events::merchant_order::{MerchantOrderRejectedV1, ShipmentLostV1};
use events::order::{Instant, announce};
use events::{Amount, Context, Envelope};
use table::{Commit, Held, Story, Uncommitted};

/// The event was handled by an earlier delivery.
#[derive(Debug)]
struct HandledBefore;

pub(crate) async fn rejected(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Result<(), Again> {
    let MerchantOrderRejectedV1 { merchant_order, value, reason, rejected_at, .. } = event.data.clone();
    pay_back(world, &event, Undelivered { merchant_order, value, reason, at: rejected_at }).await
}

pub(crate) async fn lost(world: World, event: Envelope<ShipmentLostV1>) -> Result<(), Again> {
    let ShipmentLostV1 { merchant_order, value, lost_at, .. } = event.data.clone();
    let reason = "the parcel was lost".to_owned();
    pay_back(world, &event, Undelivered { merchant_order, value, reason, at: lost_at }).await
}

/// Units of a part that were paid for and will not come.
struct Undelivered {
    merchant_order: MerchantOrderId,
    value: Amount,
    reason: String,
    at: Instant,
}

async fn pay_back<P>(world: World, event: &Envelope<P>, undelivered: Undelivered) -> Result<(), Again> {
    let m = &event.marketplace;
    let Undelivered { merchant_order, value, reason, at } = undelivered;
    let refuse = || Again::Refused(format!("`{merchant_order}` has no order"));
    let (id, _) = merchant_order.place().ok_or_else(refuse)?;
    let Some(whole) = world.table.whole_order(m, &id).await? else {
        return Err(Again::Early(id.to_string()));
    };
    let held: &Held<Order> = &whole.order;
    let value = value.money(held.value.currency).map_err(Again::Refused)?;
    let reason: Reason = reason.parse().map_err(|_| Again::Refused("it has no reason".to_owned()))?;
    let nothing_left = whole.parts.iter().all(|part| part.value.is_canceled());
    let decided = order::give_back(&held.value, value, nothing_left, reason, at.0)?;

    let next = held.value.clone().apply(&decided.fact);
    let context = Context::follows(event, world.now(), "orders");
    let story = Story::new(announce(&held.value, &next, &decided)).posting(decided.posting.clone());
    let commit = Commit::new(m, &context).change_order(held, &next, story);
    match commit.mark("orders", &event.id, HandledBefore).send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(HandledBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
