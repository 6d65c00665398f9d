//! Orders that nobody has paid: due work from placement, canceled in the night after their days (A10(5)).

use crate::changes::parts_of;
use domain::id::{MarketplaceId, OrderId};
use domain::order::{Cancellation, expire};
use domain::{Decision, Money, text::Reason};
use edge::{Again, World};
use events::order::{OrderUnpaidV1, announce};
use events::{Context, Envelope, merchant_order};
use table::payment::PaidOrder;
use table::{Commit, Story};

/// A part was made by the split, between load and commit.
#[derive(Debug)]
struct SplitBefore;

pub(crate) fn payload(order: &str) -> Option<OrderUnpaidV1> {
    Some(OrderUnpaidV1 { order: order.parse().ok()? })
}

/// `order.unpaid.v1`: canceled, unless something was paid or named meanwhile. A second delivery finds it canceled.
pub(crate) async fn cancel(world: World, event: Envelope<OrderUnpaidV1>) -> Result<(), Again> {
    let m: &MarketplaceId = &event.marketplace;
    let id: &OrderId = &event.data.order;
    let Some(PaidOrder { whole, payments }) = world.table.paid_order(m, id).await? else {
        return Err(Again::Early(id.to_string()));
    };
    let (held, now) = (&whole.order, world.now());
    let reason: Reason =
        "not paid in time".parse().map_err(|_| Again::Refused("there is no reason".to_owned()))?;
    let parts = parts_of(&whole)?;
    let taken = Money::sum(held.value.currency, payments.iter().map(|payment| payment.value.captured()))?;
    let Decision::New(Cancellation { order, parts: facts }) =
        expire(&held.value, &parts, taken, reason, now)?
    else {
        return Ok(());
    };
    let context = Context::follows(&event, now, "orders");
    let next = held.value.clone().apply(&order.fact);
    let story = Story::new(announce(&held.value, &next, &order)).posting(order.posting);
    let mut commit = Commit::new(m, &context).change_order(held, &next, story);
    for (position, before) in parts.into_iter().enumerate() {
        let fact = facts.iter().find(|(of, _)| *of == position).map(|(_, fact)| fact);
        let after = fact.map_or_else(|| before.clone(), |fact| before.clone().apply(fact));
        let mut told = fact.map_or(Ok(Vec::new()), |fact| merchant_order::announce(&before, &after, fact))?;
        commit = match whole.parts.get(position) {
            Some(part) if fact.is_some() => commit.change(part, &after, after.id.as_str(), Story::new(told)),
            Some(_) => commit,
            None => {
                told.splice(0..0, merchant_order::created(&next.id, &before)?);
                commit.begin(&after, after.id.as_str(), Story::new(told), SplitBefore)
            }
        };
    }
    commit.send(&world.table).await?;
    Ok(())
}
