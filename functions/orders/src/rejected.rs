//! `merchant_order.rejected.v1`: the customer gets back what the merchant cannot deliver.

use domain::order::{self, Order};
use domain::text::Reason;
use edge::{Again, World};
use events::merchant_order::MerchantOrderRejectedV1;
use events::{Context, Envelope, order::announce};
use table::{Commit, Story, Uncommitted};

/// The event was handled by an earlier delivery.
#[derive(Debug)]
struct HandledBefore;

pub(crate) async fn pay_back(world: World, event: Envelope<MerchantOrderRejectedV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let data = &event.data;
    let refuse = || Again::Refused(format!("`{}` has no order", data.merchant_order));
    let (id, _) = data.merchant_order.place().ok_or_else(refuse)?;
    let Some(whole) = world.table.whole_order(m, &id).await? else {
        return Err(Again::Early(id.to_string()));
    };
    let held: &table::Held<Order> = &whole.order;
    let value = data.value.money(held.value.currency).map_err(Again::Refused)?;
    let reason: Reason = data.reason.parse().map_err(|_| Again::Refused("it has no reason".to_owned()))?;
    let nothing_left = whole.parts.iter().all(|part| part.value.is_canceled());
    let decided = order::refund_rejected(&held.value, value, nothing_left, reason, data.rejected_at.0)?;

    let next = held.value.clone().apply(&decided.fact);
    let context = Context::follows(&event, world.now(), "orders");
    let story = Story::new(announce(&held.value, &next, &decided)).posting(decided.posting.clone());
    let commit = Commit::new(m, &context).change(held, &next, next.id.as_str(), story);
    match commit.mark("orders", &event.id, HandledBefore).send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(HandledBefore)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
