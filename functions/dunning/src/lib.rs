//! Dunning: renewals whose payment failed, step by step, until they are recovered or the subscription ends.
//!
//! Routes: `/v1/dunning…`. Schedule: every five minutes, hands due cases to a queue. Consumes: `dunning.due.v1` from
//! that; `invoice.payment_failed.v1`, `invoice.action_required.v1`; `invoice.paid.v1` where something had gone wrong
//! before. Reads: invoices, payments, subscriptions, plans. Writes: cases and the month's figures; payments that are
//! tried again; subscriptions that are restricted, restored or ended, and their invoices. Emits:
//! `dunning.changed.v1`.
//!
//! What is next follows from the case and its policy (`domain::dunning`), so every message may come twice, late or
//! out of order. Absent on purpose: messages to people; every step is an event.

mod case;
mod due;
mod show;

use edge::{Function, Routes, World, due as work};
use events::subscription::DunningDueV1;
use gateway::Gateways;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let gateways = Gateways::of(world);
    let [failed, asked, paid] = [(); 3].map(|()| gateways.clone());
    let routes = Routes::new()
        .get("/v1/dunning", show::list)
        .operators(
            "subscriptions:read",
            "dunning.list",
            "Cases that are open, or ended in a month, the last first",
        )
        .get("/v1/dunning/figures", show::figures)
        .operators(
            "subscriptions:read",
            "dunning.figures",
            "What of a month's failed payments was recovered and lost",
        )
        .get("/v1/dunning/cases/{invoice}", show::one)
        .operators("subscriptions:read", "dunning.show", "The case of an invoice");
    Function::new("dunning", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("DUNNING_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(DunningDueV1 { invoice: id.parse().ok()? });
            work::hand_on(world, input, Work::Dunning, queue, payload).await
        })
        .on(move |world, event| due::due(world, gateways.clone(), event))
        .on(move |world, event| case::failed(world, failed.clone(), event))
        .on(move |world, event| case::action_required(world, asked.clone(), event))
        .on(move |world, event| case::paid(world, paid.clone(), event))
}
