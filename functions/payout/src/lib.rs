//! Payouts: due runs, claims, statements, and the order to the bank.
//!
//! Routes: `/v1/payouts…`, `/v1/balances/{merchant}`. Schedule: nightly, hands due merchants to a queue. Consumes:
//! `payout.due.v1` from that queue. Reads: marketplace, merchant, its entries, claimed days. Writes: payouts, claimed
//! days, the entry of a returned payout; pain.001 files in the documents bucket. Emits: `payout.*.v1`,
//! `merchant.balance_critical.v1`.
//!
//! Claim and sending are two commits: a crash between them leaves a payout `created`, and the next delivery of the due
//! message sends it under the same id (A12(3)).

mod bank;
mod changes;
mod due;
mod run;
mod show;

use axum::Router;
use axum::routing::{get, post};
use edge::{Function, World};

pub fn function(world: &World) -> Function {
    let bank = bank::Bank::new(world);
    let routes = Router::new()
        .route("/v1/payouts", get(show::list))
        .route("/v1/payouts/{id}", get(show::one))
        .route("/v1/payouts/{id}/lines", get(show::lines))
        .route("/v1/payouts/{id}/confirm", post(changes::confirm))
        .route("/v1/payouts/{id}/fail", post(changes::fail))
        .route("/v1/balances/{merchant}", get(show::balance));
    Function::new("payout", world)
        .routes(routes)
        .schedule(due::hand_on)
        .on(move |world, event| run::run(world, bank.clone(), event))
}
