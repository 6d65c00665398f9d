//! Subscriptions: plans and their versions, what customers subscribe to, and every change of it with its preview.
//!
//! Routes: `/v1/plans…`, `/v1/subscriptions…`, `/v1/entitlements`. Reads: plans, subscriptions, their invoices and
//! payments, tax rates. Writes: plans, subscriptions, invoices with their payments. Emits: `plan.changed.v1`,
//! `subscription.changed.v1`, `subscription.goods_due.v1`, `invoice.*.v1`.
//!
//! A change is a pure decision (`domain::subscription`), committed with its document and the first attempt of its
//! payment; then the gateway is called. A preview is the same decision, not committed. Customers have the same rights
//! for what is theirs as operators have for all. Time brings the rest: `recurring-billing`, `dunning`.
//! `checkout` orders goods, and begins subscriptions with orders that have their goods in them.

mod act;
mod entitlements;
mod migrate;
mod plans;
mod show;
mod start;
mod terms;

use edge::{Function, Routes, World};

const WRITE: &str = "subscriptions:write";
const READ: &str = "subscriptions:read";

pub fn function(world: &World) -> Function {
    Function::new("subscriptions", world).routes(changes(reading(plans(Routes::new()))))
}

fn plans(routes: Routes) -> Routes {
    routes
        .get("/v1/plans", plans::list)
        .operators(READ, "plans.list", "All plans")
        .post("/v1/plans/publish", plans::publish)
        .operators(WRITE, "plans.publish", "A plan, or new terms of it; running subscriptions keep theirs")
        .get("/v1/plans/{id}", plans::one)
        .operators(READ, "plans.show", "A plan with its newest terms")
        .get("/v1/plans/{id}/versions", plans::versions)
        .operators(READ, "plans.versions", "The versions of a plan's terms, newest first")
        .post("/v1/plans/{id}/close", plans::close)
        .operators(WRITE, "plans.close", "Nobody can subscribe to it any more")
        .post("/v1/plans/{id}/migrate", migrate::migrate)
        .operators(
            WRITE,
            "plans.migrate",
            "Running subscriptions take its newest terms with their next period",
        )
        .get("/v1/subscriptions/plans", plans::offered)
        .shoppers("plans.offered", "The plans that one can subscribe to")
}

fn reading(routes: Routes) -> Routes {
    routes
        .create("/v1/subscriptions", start::start)
        .or_later()
        .owners(WRITE, "subscriptions.start", "A customer subscribes to a plan")
        .get("/v1/subscriptions", show::list)
        .owners(READ, "subscriptions.list", "Subscriptions of a customer or to a plan, newest first")
        .get("/v1/subscriptions/{id}", show::one)
        .owners(READ, "subscriptions.show", "A subscription")
        .get("/v1/subscriptions/{id}/upcoming", show::upcoming)
        .owners(READ, "subscriptions.upcoming", "The invoice that the next renewal will make, as things are")
        .post("/v1/subscriptions/{id}/check", act::check)
        .owners(READ, "subscriptions.check", "What a change would do and cost, to the cent; changes nothing")
        .get("/v1/entitlements", entitlements::list)
        .owners(READ, "entitlements.list", "What a customer's subscriptions give now, and up to when")
}

fn changes(routes: Routes) -> Routes {
    routes
        .post("/v1/subscriptions/{id}/change", act::change)
        .owners(
            WRITE,
            "subscriptions.change",
            "Another plan, version or quantity, now or at the period's end",
        )
        .post("/v1/subscriptions/{id}/pause", act::pause)
        .owners(
            WRITE,
            "subscriptions.pause",
            "Nothing is given or charged, until a date or until it is resumed",
        )
        .post("/v1/subscriptions/{id}/resume", act::resume)
        .owners(WRITE, "subscriptions.resume", "It goes on; what is left of the period is charged")
        .post("/v1/subscriptions/{id}/cancel", act::cancel)
        .owners(WRITE, "subscriptions.cancel", "It ends, at once or with its period")
        .post("/v1/subscriptions/{id}/uncancel", act::uncancel)
        .owners(WRITE, "subscriptions.uncancel", "A cancellation that waits is taken back")
        .post("/v1/subscriptions/{id}/skip", act::skip)
        .owners(WRITE, "subscriptions.skip", "The next delivery does not come, and is not charged")
        .post("/v1/subscriptions/{id}/deliver-on", act::deliver_on)
        .owners(
            WRITE,
            "subscriptions.deliver_on",
            "The next delivery, and those after it, come on another day",
        )
        .post("/v1/subscriptions/{id}/set-address", act::set_address)
        .owners(WRITE, "subscriptions.set_address", "Whom invoices are addressed to, and where it is taxed")
        .post("/v1/subscriptions/{id}/set-payment-method", act::set_payment_method)
        .owners(
            WRITE,
            "subscriptions.set_payment_method",
            "What renewals are paid with; an open invoice is tried at once",
        )
        .post("/v1/subscriptions/{id}/pay", act::pay)
        .or_later()
        .owners(WRITE, "subscriptions.pay", "An open invoice is tried again now")
}
