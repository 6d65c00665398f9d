//! Recurring billing: what time brings to subscriptions, at any number of them.
//!
//! Schedule: every five minutes, hands due subscriptions to a queue, one message each. Consumes: `subscription.due.v1`
//! from that; `invoice.paid.v1` of first invoices; `customer.erased.v1`. Reads: subscriptions, plans, tax rates,
//! invoices. Writes: subscriptions, invoices with their payments; deletes addresses. Emits: `subscription.changed.v1`,
//! `subscription.trial_ending.v1`, `subscription.goods_due.v1`, `invoice.*.v1`.
//!
//! A renewal is one transaction (subscription, invoice, payment with its first attempt) and one call of the gateway,
//! so a period is charged once: whoever comes second finds the next period. While an invoice is open its subscription
//! does not renew; `dunning` brings it back when it is paid.

mod due;
mod heard;

use edge::{Function, World, due as work};
use events::subscription::SubscriptionDueV1;
use gateway::Gateways;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let gateways = Gateways::of(world);
    let [paid, erased] = [(); 2].map(|()| gateways.clone());
    Function::new("recurring-billing", world)
        .schedule(|world, input| async move {
            let queue = world.variable("RECURRING_BILLING_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(SubscriptionDueV1 { subscription: id.parse().ok()? });
            work::hand_on(world, input, Work::Subscription, queue, payload).await
        })
        .on(move |world, event| due::due(world, gateways.clone(), event))
        .on(move |world, event| heard::paid(world, paid.clone(), event))
        .on(move |world, event| heard::erased(world, erased.clone(), event))
}
