//! Rates of exchange: in which currencies the marketplace sells, and what one comes to in another.
//!
//! Routes: `/v1/fx/…`. Reads and writes: the sheet of rates. Emits: `fx.rates_changed.v1`.
//!
//! Carts are priced by them and orders freeze them (`domain::fx`); here the operator, or a feed of theirs, keeps them.
//! Absent on purpose: where rates come from, and rates that nobody has put there. The inverse of a rate is no rate.

mod rates;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/fx/rates", rates::show)
        .operators("fx:read", "fx.rates", "All rates of exchange")
        .post("/v1/fx/set-rates", rates::set_rates)
        .operators(
            "fx:write",
            "fx.set_rates",
            "All rates of exchange at once; orders keep those of their day",
        );
    Function::new("fx", world).routes(routes)
}
