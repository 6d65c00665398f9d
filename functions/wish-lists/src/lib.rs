//! Wish lists, shared by link, moved to a cart and back; and who waits for an offer to be there again.
//!
//! Routes: `/v1/wish-lists…`, `/v1/shared-wish-lists/{token}`, `/v1/stock-alerts…`. Consumes: `stock.received.v1`,
//! `stock.adjusted.v1`, `stock.released.v1`, `offer.changed.v1`, `merchant.status_changed.v1`,
//! `merchant.closures_changed.v1`, `customer.erased.v1`. Reads: offers and their stock, merchants, carts, how carts are
//! followed up. Writes: wish lists, carts that things are moved to and from, which of them is followed, who waits.
//! Emits: `offer.back_in_stock.v1`.
//!
//! A guest's list is whose who knows its id, as a guest's cart is. A list is one item and a change is one conditional
//! put; what moves to a cart or from one is one transaction of both. Absent on purpose: events of a list, for nobody
//! follows one; the message to who waits, which `notifications` writes.

mod back;
mod edit;
mod forget;
mod moves;
mod share;
mod show;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/wish-lists", edit::open)
        .shoppers("wish_lists.open", "An empty wish list")
        .get("/v1/wish-lists", show::list)
        .persons("wish_lists.list", "The person's own wish lists")
        .get("/v1/wish-lists/{id}", show::one)
        .shoppers("wish_lists.show", "A wish list, with what has changed of its things since they came in")
        .post("/v1/wish-lists/{id}/edit", edit::edit)
        .shoppers("wish_lists.edit", "Its name, things that come in, things that go out")
        .post("/v1/wish-lists/{id}/share", share::share)
        .shoppers("wish_lists.share", "A link with which others see it; an earlier one is good no more")
        .post("/v1/wish-lists/{id}/unshare", share::unshare)
        .shoppers("wish_lists.unshare", "Nobody else sees it any more")
        .get("/v1/shared-wish-lists/{token}", share::shared)
        .shoppers("wish_lists.shared", "A wish list that its owner shows")
        .post("/v1/wish-lists/{id}/to-cart", moves::to_cart)
        .shoppers("wish_lists.to_cart", "Things go from the list into a cart")
        .post("/v1/wish-lists/{id}/from-cart", moves::from_cart)
        .shoppers("wish_lists.from_cart", "Lines of a cart go onto the list")
        .create("/v1/stock-alerts", back::wait)
        .persons("stock_alerts.wait", "The person wants to know when an offer can be had again")
        .get("/v1/stock-alerts", back::list)
        .persons("stock_alerts.list", "What the person waits for")
        .post("/v1/stock-alerts/{offer}/cancel", back::cancel)
        .persons("stock_alerts.cancel", "The person waits no more");
    Function::new("wish-lists", world)
        .routes(routes)
        .on(back::received)
        .on(back::adjusted)
        .on(back::released)
        .on(back::changed)
        .on(back::status_changed)
        .on(back::closures_changed)
        .on(forget::erased)
}
