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
mod run;
mod show;

use edge::{Function, Routes, World, due};
use events::payout::PayoutDueV1;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/payouts", show::list)
        .merchants("payouts:read", "payouts.list", "Payouts, newest first: of a merchant, or of days")
        .get("/v1/payouts/{id}", show::one)
        .merchants("payouts:read", "payouts.show", "A payout with the totals of its statement")
        .get("/v1/payouts/{id}/lines", show::lines)
        .merchants("payouts:read", "payouts.lines", "The lines of a payout's statement")
        .post("/v1/payouts/{id}/confirm", changes::confirm)
        .operators("payouts:write", "payouts.confirm", "The bank has paid")
        .post("/v1/payouts/{id}/fail", changes::fail)
        .operators("payouts:write", "payouts.fail", "The bank could not pay: the debt is open again")
        .get("/v1/balances/{merchant}", show::balance)
        .merchants("payouts:read", "balances.show", "What a merchant has earned and no payout has claimed");
    Function::new("payout", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("PAYOUT_QUEUE").map(str::to_owned);
            let payload = |merchant: &str| Some(PayoutDueV1 { merchant: merchant.parse().ok()? });
            due::hand_on(world, input, Work::Payout, queue, payload).await
        })
        .on(run::run)
}
