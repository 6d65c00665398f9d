//! The marketplace itself: opening it, and the audit trail of what happens in it.
//!
//! Routes: `/v1/marketplace`, `/v1/audit/{id}`. Reads: marketplace, outbox items. Writes: marketplaces, operators, API
//! keys, issuers (when one is opened). Emits: `marketplace.opened.v1`.

mod audit;
mod open;

pub use open::{OpenAlready, Opening, open_marketplace};

use axum::Router;
use axum::routing::get;
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let routes =
        Router::new().route("/v1/marketplace", get(open::show)).route("/v1/audit/{id}", get(audit::trail));
    Function::new("admin", world).routes(routes)
}
