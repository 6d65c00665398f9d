//! Scheduled changes: what a product is to say from a moment to come.
//!
//! Routes: `/v1/scheduled-changes…`. Schedule: every five minutes, what is due goes to the function's own queue.
//! Consumes: `scheduled_change.due.v1` from that. Reads: products with their sheets, attributes, families, sales
//! channels. Writes: scheduled changes, sheets with their versions. Emits: `scheduled_change.changed.v1`,
//! `product.described.v1`.
//!
//! A plan is a difference against what was said when it was made. If that has become something else at its time, the
//! change fails and says what: nobody's later word is overwritten.

mod perform;
mod plan;
mod show;

use edge::{Function, Routes, World, due};
use events::catalog::ScheduledChangeDueV1;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/scheduled-changes", plan::plan)
        .merchants(
            "catalog:write",
            "scheduled_changes.plan",
            "A product is to say something else from a moment on",
        )
        .get("/v1/scheduled-changes", show::list)
        .merchants(
            "catalog:read",
            "scheduled_changes.list",
            "Changes of a product or of a merchant's, or all that wait",
        )
        .get("/v1/scheduled-changes/{id}", show::one)
        .merchants("catalog:read", "scheduled_changes.show", "A change, and what it would meet now")
        .post("/v1/scheduled-changes/{id}/cancel", plan::cancel)
        .merchants("catalog:write", "scheduled_changes.cancel", "It is not made after all");
    Function::new("scheduled-changes", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("SCHEDULED_CHANGES_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(ScheduledChangeDueV1 { change: id.parse().ok()? });
            due::hand_on(world, input, Work::SheetChange, queue, payload).await
        })
        .on(perform::due)
}
