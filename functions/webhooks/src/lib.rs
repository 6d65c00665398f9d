//! Webhooks: every event, to the addresses at which operators and merchants want to hear of it.
//!
//! Routes: `/v1/webhook-endpoints…`, `/v1/webhook-deliveries…`. Consumes: every event of the bus; `webhook.due.v1` from
//! its own schedule, every minute. Reads: who listens, endpoints, messages. Writes: endpoints, who listens, messages.
//! Emits: `webhook.endpoint_changed.v1`, `webhook.endpoint_suspended.v1`.
//!
//! A function of its own: it takes every event, has its own retries, and is the only one that calls addresses of
//! strangers (`guard.rs` says which, `call.rs` how). It begins no event, so nothing here goes round in circles.
//!
//! 1. A batch of events: one read of the marketplace's listeners, and of merchants' only where a merchant has any.
//! 2. For each endpoint that wants an event, the message is put with a claim: that is its first try's.
//! 3. All calls of the batch at once; what came of each is put in the message's log, and what is to be tried again on
//!    the list of due work before that.
//!
//! A merchant hears of its own facts only (`events::audience`), and nobody of who caused them. Absent on purpose: order
//! among messages, and a name resolved before its call.

mod act;
mod call;
mod deliver;
mod endpoints;
mod guard;
mod hear;
mod log;

use edge::{Function, Routes, World, due};
use events::webhook::WebhookDueV1;
use table::due::Work;

pub use call::{Played, Sent};

pub fn function(world: &World) -> Function {
    calling(world, call::Receivers::of(world))
}

/// The same with receivers that somebody plays.
pub fn function_played(world: &World, by: Played) -> Function {
    calling(world, call::Receivers::played(guard::Net::of(world), by))
}

fn calling(world: &World, receivers: call::Receivers) -> Function {
    let again = receivers.clone();
    Function::new("webhooks", world)
        .routes(routes())
        .schedule(|world, input| async move {
            let queue = world.variable("WEBHOOKS_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(WebhookDueV1 { delivery: id.parse().ok()? });
            due::hand_on(world, input, Work::Webhook, queue, payload).await
        })
        .on_every(move |world, events| hear::every(world, receivers.clone(), events))
        .on_batch(move |world, due| hear::due(world, again.clone(), due))
}

fn routes() -> Routes {
    Routes::new()
        .get("/v1/webhook-endpoints", endpoints::list)
        .merchants(
            "webhooks:read",
            "webhook_endpoints.list",
            "The endpoints of the marketplace, or a merchant's",
        )
        .create("/v1/webhook-endpoints", endpoints::create)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.create",
            "An address that hears of events; its secret is shown this once",
        )
        .get("/v1/webhook-endpoints/{id}", endpoints::one)
        .merchants("webhooks:read", "webhook_endpoints.show", "An endpoint")
        .patch("/v1/webhook-endpoints/{id}", endpoints::amend)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.change",
            "Address, events or description of an endpoint",
        )
        .post("/v1/webhook-endpoints/{id}/rotate", act::rotate)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.rotate",
            "Another secret, shown this once; the one before signs along for a day",
        )
        .post("/v1/webhook-endpoints/{id}/pause", act::pause)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.pause",
            "Nothing is sent; what happens is kept as failed, to be replayed",
        )
        .post("/v1/webhook-endpoints/{id}/resume", act::resume)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.resume",
            "It is sent to again, also after a suspension",
        )
        .create("/v1/webhook-endpoints/{id}/test", log::test)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.test",
            "A message is sent now, to see whether it arrives",
        )
        .post("/v1/webhook-endpoints/{id}/replay", log::replay_failed)
        .merchants(
            "webhooks:write",
            "webhook_endpoints.replay",
            "All that has failed since a moment is sent again",
        )
        .get("/v1/webhook-endpoints/{id}/deliveries", log::list)
        .merchants("webhooks:read", "webhook_deliveries.list", "Messages to an endpoint, the youngest first")
        .get("/v1/webhook-deliveries/{id}", log::one)
        .merchants("webhooks:read", "webhook_deliveries.show", "A message and what came of each try")
        .post("/v1/webhook-deliveries/{id}/replay", log::replay)
        .merchants("webhooks:write", "webhook_deliveries.replay", "A message is sent again, now")
        .post("/v1/webhook-endpoints/{id}/remove", act::remove)
        .merchants("webhooks:write", "webhook_endpoints.remove", "The endpoint is gone, for good")
}
