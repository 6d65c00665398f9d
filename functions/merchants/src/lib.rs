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

use domain::id::MarketplaceId;
use domain::marketplace::Marketplace;
use edge::{Function, Problem, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/merchants", show::list)
        .operators("merchants:read", "merchants.list", "Merchants, or the one of an external id")
        .create("/v1/merchants", invite::invite)
        .operators("merchants:write", "merchants.invite", "A merchant is invited")
        .create("/v1/merchants/apply", join::apply)
        .persons("merchants.apply", "A signed-in person asks to sell")
        .get("/v1/merchants/{id}", show::one)
        .merchants("merchants:read", "merchants.show", "A merchant")
        .post("/v1/merchants/{id}/invite", invite::again)
        .operators("merchants:write", "merchants.invite_again", "A fresh invitation; the one before is void")
        .post("/v1/merchants/{id}/accept-invitation", join::accept)
        .persons("merchants.accept_invitation", "Whoever has the secret becomes a member, once")
        .post("/v1/merchants/{id}/accept-terms", standing::accept)
        .merchants("merchants:write", "merchants.accept_terms", "A member agrees to the marketplace's terms")
        .post("/v1/merchants/{id}/set-closures", standing::set_closures)
        .merchants("merchants:write", "merchants.set_closures", "Days without new orders")
        .post("/v1/merchants/{id}/approve", changes::approve)
        .operators("merchants:write", "merchants.approve", "The merchant may sell")
        .post("/v1/merchants/{id}/suspend", changes::suspend)
        .operators("merchants:write", "merchants.suspend", "No new orders for the moment")
        .post("/v1/merchants/{id}/reopen", changes::reopen)
        .operators("merchants:write", "merchants.reopen", "The merchant may sell again")
        .post("/v1/merchants/{id}/close", changes::close)
        .operators("merchants:write", "merchants.close", "No new orders; what is open is finished")
        .post("/v1/merchants/{id}/terminate", changes::terminate)
        .operators("merchants:write", "merchants.terminate", "The end: nothing may be open any more")
        .post("/v1/merchants/{id}/set-conditions", changes::set_conditions)
        .operators(
            "merchants:write",
            "merchants.set_conditions",
            "Fee rules and payout schedule, from now on",
        )
        .post("/v1/merchants/{id}/set-payout-account", changes::set_payout_account)
        .operators("merchants:write", "merchants.set_payout_account", "A new account, to be verified")
        .post("/v1/merchants/{id}/activate-payout-account", changes::activate_payout_account)
        .operators("merchants:write", "merchants.activate_payout_account", "The account is verified")
        .post("/v1/merchants/{id}/block-payout-account", changes::block_payout_account)
        .operators("merchants:write", "merchants.block_payout_account", "Nothing is paid to the account");
    Function::new("merchants", world).routes(routes)
}

/// The settings that decide what is asked of a merchant.
async fn load_marketplace(world: &World, m: &MarketplaceId) -> Result<Marketplace, Problem> {
    let held = world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))?;
    Ok(held.value)
}
