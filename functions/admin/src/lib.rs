//! The marketplace itself: opening it, its settings, who may do what, and the audit trail.
//!
//! Routes: `/v1/marketplace…`, `/v1/api-keys…`, `/v1/operators`, `/v1/members`, `/v1/audit/{id}`. Reads: marketplace,
//! API keys, roles, outbox items. Writes: marketplaces, operators, members, API keys; issuers when one is opened.
//! Emits: `marketplace.*.v1`, `api_key.*.v1`, `operator.changed.v1`, `member.changed.v1`.

mod audit;
mod keys;
mod open;
mod people;
mod settings;

pub use open::{OpenAlready, Opening, open_marketplace};

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/marketplace", settings::show)
        .operators("marketplace:read", "marketplace.show", "The caller's marketplace and its settings")
        .post("/v1/marketplace/set-settings", settings::set)
        .operators("marketplace:write", "marketplace.set_settings", "All settings at once")
        .get("/v1/api-keys", keys::list)
        .operators("access:read", "api_keys.list", "API keys, without their secrets")
        .create("/v1/api-keys", keys::issue)
        .operators("access:write", "api_keys.issue", "A key for a system; its secret is shown this once")
        .post("/v1/api-keys/{id}/revoke", keys::revoke)
        .operators("access:write", "api_keys.revoke", "The key opens nothing any more")
        .post("/v1/operators", people::set_operator)
        .operators("access:write", "operators.set", "What a person may do as an operator")
        .post("/v1/members", people::set_member)
        .operators("access:write", "members.set", "What a person may do for a merchant")
        .get("/v1/audit/{id}", audit::trail)
        .operators(
            "audit:read",
            "audit.trail",
            "The story of an order with its parts, or of a merchant with its payouts",
        );
    Function::new("admin", world).routes(routes)
}
