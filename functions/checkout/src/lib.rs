//! Checkout: the gate between a cart and its order, the hold of its stock, the payment, and the placing, once.
//!
//! Routes: `/v1/checkouts/{cart}…`, `/v1/order-pages/{order}`. Consumes: `payment.authorized.v1`, `.promised.v1`,
//! `.captured.v1`, `.declined.v1` and `.voided.v1`: a checkout that had to wait goes on. `subscription.goods_due.v1`:
//! what a subscription sends is ordered.
//! Reads: carts, marketplace, offers and stock, merchants, delivery rates, tax, payments, orders, subscriptions, plans.
//! Writes: holds of stock, uses of codes, carts, payments, orders, who has ordered, promised store credit,
//! subscriptions. Emits: `order.placed.v1`, `payment.*.v1`, `subscription.changed.v1`.
//!
//! | step | what is committed |
//! |---|---|
//! | 1 hold | one update per stock item, for ten minutes; the cart knows where |
//! | 2 gate | cart locked with the draft of its order and the uses of its codes, payments with their first attempts begun |
//! | 3 | the gateways are called; nothing is open in the table meanwhile |
//! | 4 place | cart completed, order, who ordered, holds become allocations, payments told: one transaction |
//!
//! Where nothing is to be paid, 4 follows the gate and the cart is never locked (A6(6)).
//! Where the outcome is not known at once, step 4 waits for it: the customer comes back (`confirm`), a notice or the
//! schedule of `payment` brings it. Whoever is first places the order; the others find it placed (A8(1), A9(4)).
//! What belongs to a subscription is told to it in step 4: one that begins with the order, or sends it.

mod conclude;
mod confirm;
mod hold;
mod page;
mod pay;
mod renew;
mod show;
mod subscribe;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/checkouts/{cart}", show::one)
        .shoppers("checkouts.show", "Where a checkout stands: what is missing, its payments, its order")
        .post("/v1/checkouts/{cart}/hold", hold::hold)
        .shoppers("checkouts.hold", "The cart's stock is held for ten minutes")
        .create("/v1/checkouts/{cart}/pay", pay::pay)
        .or_later()
        .shoppers("checkouts.pay", "The cart is paid and becomes its order, once")
        .post("/v1/checkouts/{cart}/confirm", confirm::confirm)
        .or_later()
        .shoppers(
            "checkouts.confirm",
            "The customer is back: the gateway is asked what became of the payment",
        )
        .get("/v1/order-pages/{order}", page::show)
        .shoppers("order_pages.show", "An order by its signed link");
    Function::new("checkout", world)
        .routes(routes)
        .on(confirm::authorized)
        .on(confirm::promised)
        .on(confirm::captured)
        .on(confirm::declined)
        .on(confirm::voided)
        .on(renew::goods_due)
}
