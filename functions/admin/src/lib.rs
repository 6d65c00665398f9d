//! The marketplace itself: opening it, its settings and merchant terms, who may do what, overrides, the audit trail,
//! and what could not be handled.
//!
//! Routes: `/v1/marketplaces`, `/v1/marketplace…`, `/v1/api-keys…`, `/v1/operators`, `/v1/members`, `/v1/overrides…`,
//! `/v1/dead-letters…`, `/v1/audit/{id}`. Reads: marketplace, merchants, API keys, roles, overrides, outbox items and
//! refusals, dead-letter queues. Writes: marketplaces, operators, members, API keys, overrides; issuers when one is
//! opened; messages back to the queues that they failed in. Emits: `marketplace.*.v1`, `api_key.*.v1`,
//! `operator.changed.v1`, `member.changed.v1`, `override.granted.v1`, `override.revoked.v1`.

mod audit;
mod keys;
mod letters;
mod open;
mod overrides;
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
        .route("/v1/marketplace/set-merchant-terms", post(settings::set_merchant_terms))
        .route("/v1/overrides", get(overrides::list).post(overrides::grant))
        .route("/v1/overrides/{id}/revoke", post(overrides::revoke))
        .route("/v1/dead-letters", get(letters::queues))
        .route("/v1/dead-letters/{queue}", get(letters::list))
        .route("/v1/dead-letters/{queue}/replay", post(letters::replay))
        .route("/v1/operators", post(people::set_operator))
        .route("/v1/members", get(people::members).post(people::set_member))
        .route("/v1/audit/{id}", get(audit::trail));
    Function::new("admin", world).routes(routes)
}
