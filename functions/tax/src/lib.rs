//! Tax on sales: the marketplace's rules and its rates by destination, category and day.
//!
//! Routes: `/v1/tax/…`. Reads and writes: rules and sheets of rates. Emits: `tax.rules_changed.v1`,
//! `tax.rates_changed.v1`.
//!
//! What a sale bears is decided by `domain::tax` wherever it is priced; here the tables are kept, and a quote shows
//! what they come to.

mod quote;
mod rates;
mod rules;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/tax/rules", rules::show)
        .operators("tax:read", "tax.rules", "How prices and roundings are meant, and who owes the tax")
        .post("/v1/tax/set-rules", rules::set_rules)
        .operators("tax:write", "tax.set_rules", "Other rules, from now on")
        .get("/v1/tax/rates", rates::list)
        .operators("tax:read", "tax.sheets", "The countries that have a sheet of rates")
        .get("/v1/tax/rates/{country}", rates::one)
        .operators("tax:read", "tax.sheet", "The rates of a country, or of the `world`")
        .post("/v1/tax/rates/{country}/set", rates::set_sheet)
        .operators("tax:write", "tax.set_sheet", "All rates of a country, or of the `world`, at once")
        .get("/v1/tax/quote", quote::quote)
        .operators("tax:read", "tax.quote", "What a line to a destination bears, and which row says so");
    Function::new("tax", world).routes(routes)
}
