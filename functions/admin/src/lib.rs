//! The marketplace itself: opening it, its settings, who may do what, and the audit trail.
//!
//! Routes: `/v1/marketplaces`, `/v1/marketplace…`, `/v1/api-keys…`, `/v1/operators`, `/v1/members`, `/v1/audit/{id}`. Reads: marketplace,
//! API keys, roles, outbox items. Writes: marketplaces, operators, members, API keys; issuers when one is opened.
//! Emits: `marketplace.*.v1`, `api_key.*.v1`, `operator.changed.v1`, `member.changed.v1`.

mod audit;
mod keys;
mod open;
mod people;
mod settings;

pub use open::{OpenAlready, Opening, open_marketplace};

use axum::Router;
use axum::routing::{get, post};
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/marketplaces", post(open::open))
        .route("/v1/marketplace", get(settings::show))
        .route("/v1/marketplace/set-settings", post(settings::set))
        .route("/v1/api-keys", get(keys::list).post(keys::issue))
        .route("/v1/api-keys/{id}/revoke", post(keys::revoke))
        .route("/v1/operators", post(people::set_operator))
        .route("/v1/members", post(people::set_member))
        .route("/v1/audit/{id}", get(audit::trail));
    Function::new("admin", world).routes(routes)
}
