//! Payments after checkout: captures as parts ship, releases, refunds, questions to gateways, what a person decides.
//!
//! Routes: `/v1/payments…`, `/v1/gateways/…`. Schedule: every five minutes, hands due payments to a queue. Consumes:
//! `payment.due.v1` from that, `payment.refund_granted.v1` and `payment.refund_redirected.v1`; what became of a part:
//! `merchant_order.shipped.v1`, `.canceled`, `.rejected`, `.refunded` and `shipment.lost.v1`. Reads: orders with their
//! parts and payments. Writes: payments, the store credit that they give and take. Emits: `payment.*.v1`,
//! `store_credit.changed.v1`.
//!
//! 1. A call of a gateway is an attempt: it is committed, made, and what is told of it is committed; no transaction is
//!    open meanwhile (A9(2)), and after a crash in between the schedule asks.
//! 2. What is due follows from order, parts and payments alone (`domain::settlement`), or from the payment alone (its
//!    agenda), so that every message may come twice and in any order.
//! 3. Webhook, response and question are told in one way and joined (A9(4)).

mod changes;
mod notices;
mod settle;
mod show;
mod work;

use edge::{Function, Routes, World, due};
use events::payment::PaymentDueV1;
use gateway::Gateways;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let [of_parts, of_payments] = [(); 2].map(|()| Gateways::of(world));
    let (due, redirected) = (of_payments.clone(), of_payments.clone());
    let [canceled, rejected, lost, refunded] = [(); 4].map(|()| of_parts.clone());
    Function::new("payment", world)
        .routes(routes())
        .schedule(|world, input| async move {
            let queue = world.variable("PAYMENT_QUEUE").map(str::to_owned);
            let payload = |payment: &str| Some(PaymentDueV1 { payment: payment.parse().ok()? });
            due::hand_on(world, input, Work::Payment, queue, payload).await
        })
        .on(move |world, event| work::due(world, due.clone(), event))
        .on(move |world, event| work::granted(world, of_payments.clone(), event))
        .on(move |world, event| work::redirected(world, redirected.clone(), event))
        .on(move |world, event| settle::shipped(world, of_parts.clone(), event))
        .on(move |world, event| settle::canceled(world, canceled.clone(), event))
        .on(move |world, event| settle::rejected(world, rejected.clone(), event))
        .on(move |world, event| settle::lost(world, lost.clone(), event))
        .on(move |world, event| settle::refunded(world, refunded.clone(), event))
}

fn routes() -> Routes {
    Routes::new()
        .get("/v1/payments", show::list)
        .operators(
            "payments:read",
            "payments.list",
            "Payments of an order, or those that a person has to look at",
        )
        .get("/v1/payments/{id}", show::one)
        .operators("payments:read", "payments.show", "A payment with its attempts and refunds")
        .post("/v1/payments/{id}/refund", changes::refund)
        .operators("payments:write", "payments.refund", "Money goes back, beside what canceled goods cost")
        .post("/v1/payments/{id}/approve-refund", changes::approve_refund)
        .operators("payments:write", "payments.approve_refund", "Money that fits nothing may go back")
        .post("/v1/payments/{id}/redirect-refund", changes::redirect_refund)
        .operators("payments:write", "payments.redirect_refund", "A refund becomes store credit")
        .post("/v1/payments/{id}/give-up", changes::give_up)
        .operators("payments:write", "payments.give_up", "Nobody knows what became of a call: go on without")
        .post("/v1/gateways/{gateway}/webhooks", notices::webhook)
        .signed("gateways.notify", "A gateway tells what became of an attempt")
        .post("/v1/gateways/{gateway}/tell", notices::tell)
        .operators("payments:write", "gateways.tell", "Play the customer or the bank, at the sandbox")
}
