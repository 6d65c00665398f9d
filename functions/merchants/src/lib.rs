//! Who sells: invitation, approval, suspension, the end; payout account, fee rules and payout schedule.
//!
//! Routes: `/v1/merchants…`. Reads: merchants, marketplace, lists of open merchant orders and payouts. Writes:
//! merchants and the mark of their external id. Emits: `merchant.*.v1`.

mod changes;
mod invite;
mod show;

use axum::Router;
use axum::routing::{get, post};
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/merchants", get(show::list).post(invite::invite))
        .route("/v1/merchants/{id}", get(show::one))
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
