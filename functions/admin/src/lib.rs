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

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/marketplaces", open::open)
        .founder("marketplaces.open", "The deployment's operator opens a marketplace")
        .get("/v1/marketplace", settings::show)
        .operators("marketplace:read", "marketplace.show", "The caller's marketplace and its settings")
        .post("/v1/marketplace/set-settings", settings::set)
        .operators("marketplace:write", "marketplace.set_settings", "All settings at once")
        .post("/v1/marketplace/set-merchant-terms", settings::set_merchant_terms)
        .operators("marketplace:write", "marketplace.set_merchant_terms", "What merchants must agree to")
        .get("/v1/overrides", overrides::list)
        .operators("overrides:read", "overrides.list", "Managers' words against policies, newest first")
        .create("/v1/overrides", overrides::grant)
        .operators("overrides:write", "overrides.grant", "A policy is set aside for one subject, for a while")
        .post("/v1/overrides/{id}/revoke", overrides::revoke)
        .operators("overrides:write", "overrides.revoke", "The policy holds again")
        .get("/v1/dead-letters", letters::queues)
        .operators("dead_letters:read", "dead_letters.queues", "Where messages that cannot be handled end")
        .get("/v1/dead-letters/{queue}", letters::list)
        .operators("dead_letters:read", "dead_letters.list", "Messages of the caller's marketplace there")
        .post("/v1/dead-letters/{queue}/replay", letters::replay)
        .operators("dead_letters:write", "dead_letters.replay", "They are sent back to be handled")
        .get("/v1/api-keys", keys::list)
        .operators("access:read", "api_keys.list", "API keys, without their secrets")
        .create("/v1/api-keys", keys::issue)
        .operators("access:write", "api_keys.issue", "A key for a system; its secret is shown this once")
        .post("/v1/api-keys/{id}/revoke", keys::revoke)
        .operators("access:write", "api_keys.revoke", "The key opens nothing any more")
        .post("/v1/operators", people::set_operator)
        .operators("access:write", "operators.set", "What a person may do as an operator")
        .post("/v1/members", people::set_member)
        .merchants("merchants:write", "members.set", "What a person may do for a merchant")
        .get("/v1/members", people::members)
        .merchants("merchants:read", "members.list", "A merchant's members")
        .get("/v1/audit/{id}", audit::trail)
        .operators(
            "audit:read",
            "audit.trail",
            "The story of an object with that of its whole, and what was refused of it",
        );
    Function::new("admin", world).routes(routes)
}
