//! `payment.captured.v1`: a promised transfer has come in. `payment.authorized.v1`: a card beside it is secured again.
//! Once the whole order is there, its parts may ship.

use domain::Decision;
use domain::id::OrderId;
use domain::money::Money;
use domain::order::{Stage, pay};
use domain::payment;
use edge::{Again, World};
use events::order::announce;
use events::payment::{PaymentAuthorizedV1, PaymentCapturedV1};
use events::{Context, Envelope};
use table::payment::PaidOrder;
use table::{Commit, Story};

pub(crate) async fn captured(world: World, event: Envelope<PaymentCapturedV1>) -> Result<(), Again> {
    open(&world, &event, &event.data.order).await
}

pub(crate) async fn authorized(world: World, event: Envelope<PaymentAuthorizedV1>) -> Result<(), Again> {
    open(&world, &event, &event.data.order).await
}

/// Most find the order open already, or a part of its money still missing.
async fn open<P>(world: &World, event: &Envelope<P>, id: &OrderId) -> Result<(), Again> {
    let m = &event.marketplace;
    // Money may come before its order: a checkout that is not through yet looks at its payments itself.
    let Some(PaidOrder { whole, payments }) = world.table.paid_order(m, id).await? else { return Ok(()) };
    let held = &whole.order;
    if held.value.stage != Stage::AwaitingPayment || held.value.bought.is_none() {
        return Ok(());
    }
    let known = payments.iter().filter(|payment| payment.value.finalized);
    // A promise is secured too; here only what is there counts.
    let come = known.filter(|payment| payment.value.stage() != payment::Stage::Promised);
    let there = Money::sum(held.value.currency, come.map(|payment| payment.value.secured()))?;
    if there.minus(held.value.paid()?)?.minor < 0 {
        return Ok(());
    }
    let now = world.now();
    let Decision::New(decided) = pay(&held.value, Vec::new(), now)? else { return Ok(()) };
    let next = held.value.clone().apply(&decided.fact);
    let context = Context::follows(event, now, "orders");
    let story = Story::new(announce(&held.value, &next, &decided)).posting(decided.posting);
    let commit: Commit<'_, edge::Overtaken> =
        Commit::new(m, &context).change(held, &next, next.id.as_str(), story);
    Ok(commit.send(&world.table).await?)
}
