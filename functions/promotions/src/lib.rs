//! Promotions: codes that take something off, and what is agreed with single customers.
//!
//! Routes: `/v1/promotions/…`. Reads: codes and their uses, agreements, merchants, customers' accounts. Writes: codes
//! and agreements. Emits: `discount.code_changed.v1`, `discount.agreements_changed.v1`.
//!
//! What a cart has of them is decided by `domain::discount` whenever it is priced, from what is kept here: a change
//! counts from the next look at a cart, and never for an order. A name may be in any script, so it stands in bodies and
//! queries and not in paths. What is absent on purpose stands at the head of `domain::discount`.

mod agreements;
mod codes;
mod grant;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/promotions/codes", codes::list)
        .operators("promotions:read", "promotions.codes", "The codes of the marketplace")
        .get("/v1/promotions/code", codes::one)
        .operators("promotions:read", "promotions.code", "A code by its name")
        .post("/v1/promotions/set-code", codes::set_code)
        .operators("promotions:write", "promotions.set_code", "A code, all of it at once; it is open then")
        .post("/v1/promotions/close-code", codes::close_code)
        .operators("promotions:write", "promotions.close_code", "The code takes nothing off any more")
        .get("/v1/promotions/agreements/{customer}", agreements::show)
        .operators("promotions:read", "promotions.agreements", "What is agreed with a customer")
        .post("/v1/promotions/agreements/{customer}/set", agreements::set_agreements)
        .operators(
            "promotions:write",
            "promotions.set_agreements",
            "All that is agreed with a customer, at once",
        );
    Function::new("promotions", world).routes(routes)
}
