//! Carts: what shoppers have chosen, what it costs now, and what is still to be said before it can be ordered.
//!
//! Routes: `/v1/carts…`, `/v1/cart-links/{token}`. Reads: marketplace, offers and their stock, merchants, delivery
//! rates, tax, codes and agreements, how carts are followed up. Writes: carts, which of them is a customer's current
//! one, which one a reminder's code is for. Emits nothing: no edit is told.
//!
//! A cart is one item and an edit is one conditional put of it, with the last requests inside, so that an edit that is
//! sent twice happens once. A guest's cart is whose who knows its id, which nobody can guess; a customer's is that
//! customer's. Prices are not kept: each answer prices the cart from the offers as they are, and says what has changed.

mod claim;
mod edit;
mod restore;
mod show;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/carts", edit::open)
        .shoppers("carts.open", "An empty cart, for somewhere")
        .get("/v1/carts/{id}", show::one)
        .shoppers("carts.show", "A cart: what it costs, how it can be brought, what is missing")
        .post("/v1/carts/{id}/edit", edit::edit)
        .shoppers(
            "carts.edit",
            "Lines, contact, address, delivery, codes: any of it, in any order, all at once",
        )
        .post("/v1/carts/{id}/claim", claim::claim)
        .persons(
            "carts.claim",
            "A guest's cart becomes that of the person who has signed in, or joins the one there",
        )
        .get("/v1/carts/current", claim::current)
        .persons("carts.current", "The cart that all devices of the person share")
        .post("/v1/cart-links/{token}", restore::restore)
        .shoppers("carts.restore", "The cart of a reminder's link, opened again");
    Function::new("cart", world).routes(routes)
}
