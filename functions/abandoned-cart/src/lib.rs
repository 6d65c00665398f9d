//! Abandoned carts: when a reminder is written, to whom not, and what reminders bring.
//!
//! Routes: `/v1/abandoned-carts…`. Schedule: every five minutes, hands carts that are due for a look to a queue.
//! Consumes: `cart.reminder_due.v1` from that; `order.placed.v1`. Reads: carts, accounts, orders, how the marketplace
//! reminds. Writes: a person's sequence, codes for one cart, recovered orders, the month's figures. Emits:
//! `cart.reminded.v1`, `cart.recovered.v1`, `cart.reminders_set.v1`.
//!
//! What is due is decided when it is due, from the cart as it is then (`domain::reminder`): so nothing has to be taken
//! back when a cart is ordered, emptied or edited, and a message may come twice, late or out of order. Carts that
//! nobody has left are never read. Absent on purpose: the message itself; `notifications` writes it, and looks once
//! more whether the person still wants it.

mod due;
mod placed;
mod policy;
mod show;

use edge::{Function, Routes, World, due as work};
use events::cart::CartReminderDueV1;
use table::due::Work;

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/abandoned-carts", show::list)
        .operators(
            "reminders:read",
            "abandoned_carts.list",
            "Sequences that began in a month, the last first",
        )
        .get("/v1/abandoned-carts/recovered", show::recovered)
        .operators(
            "reminders:read",
            "abandoned_carts.recovered",
            "Orders of a month whose carts had been left, the last first",
        )
        .get("/v1/abandoned-carts/figures", show::figures)
        .operators(
            "reminders:read",
            "abandoned_carts.figures",
            "What came of a month's left carts, with reminders and without",
        )
        .get("/v1/abandoned-carts/policy", policy::show)
        .operators("reminders:read", "abandoned_carts.policy", "How carts are followed up")
        .post("/v1/abandoned-carts/policy", policy::set)
        .operators(
            "reminders:write",
            "abandoned_carts.set_policy",
            "How carts are followed up from now on, all of it at once",
        );
    Function::new("abandoned-cart", world)
        .routes(routes)
        .schedule(|world, input| async move {
            let queue = world.variable("ABANDONED_CART_QUEUE").map(str::to_owned);
            let payload = |id: &str| Some(CartReminderDueV1 { follow_up: id.parse().ok()? });
            work::hand_on(world, input, Work::Reminder, queue, payload).await
        })
        .on(due::due)
        .on(placed::placed)
}
