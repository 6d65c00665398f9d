//! Who sells: application and invitation, terms, approval, suspension, closures, the end; payout account, fee rules and
//! payout schedule.
//!
//! Routes: `/v1/merchants…`. Reads: merchants, marketplace, overrides, roles, lists of open merchant orders and of
//! payouts. Writes: merchants, the mark of their external id, their first member. Emits: `merchant.*.v1`,
//! `member.changed.v1`, `override.used.v1`.

mod changes;
mod invite;
mod join;
mod show;
mod standing;

use axum::Router;
use axum::routing::{get, post};
use domain::id::MarketplaceId;
use domain::marketplace::Marketplace;
use edge::{Function, Problem, World};

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/merchants", get(show::list).post(invite::invite))
        .route("/v1/merchants/apply", post(join::apply))
        .route("/v1/merchants/{id}", get(show::one))
        .route("/v1/merchants/{id}/invite", post(invite::again))
        .route("/v1/merchants/{id}/accept-invitation", post(join::accept))
        .route("/v1/merchants/{id}/accept-terms", post(standing::accept))
        .route("/v1/merchants/{id}/set-closures", post(standing::set_closures))
        .route("/v1/merchants/{id}/approve", post(changes::approve))
        .route("/v1/merchants/{id}/suspend", post(changes::suspend))
        .route("/v1/merchants/{id}/reopen", post(changes::reopen))
        .route("/v1/merchants/{id}/close", post(changes::close))
        .route("/v1/merchants/{id}/terminate", post(changes::terminate))
        .route("/v1/merchants/{id}/set-terms", post(changes::set_terms))
        .route("/v1/merchants/{id}/set-payout-account", post(changes::set_payout_account))
        .route("/v1/merchants/{id}/activate-payout-account", post(changes::activate_payout_account))
        .route("/v1/merchants/{id}/block-payout-account", post(changes::block_payout_account));
    Function::new("merchants", world).routes(routes)
}

/// The settings that decide what is asked of a merchant.
async fn load_marketplace(world: &World, m: &MarketplaceId) -> Result<Marketplace, Problem> {
    let held = world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))?;
    Ok(held.value)
}
