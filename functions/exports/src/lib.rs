//! Exports: what is for sale, or to be translated, for a channel, in a file: CSV, JSON Lines, or Google's feed.
//!
//! Routes: `/v1/exports…`. Consumes: `export.requested.v1`. Reads: products with their sheets, galleries and
//! placements, offers and their stock, merchants, attributes, families, sales channels, rates of exchange, the
//! marketplace. Writes: exports; files of its bucket. Emits: `export.*.v1`.
//!
//! A file is made by one run, from what is there then. Beside it lies what the channel does not take, with the reasons,
//! and a digest per row: an export may name an earlier one and has what is different since. A file of translations is
//! taken back by `imports`. Absent on purpose: sending files anywhere; who wants one fetches it.

mod ask;
mod file;
mod make;
mod translations;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .create("/v1/exports", ask::ask)
        .merchants(
            "catalog:write",
            "exports.ask",
            "A file of what is for sale, or to be translated, is to be made for a channel",
        )
        .get("/v1/exports", ask::list)
        .merchants("catalog:read", "exports.list", "Exports of everybody's offers, or of a merchant's")
        .get("/v1/exports/{id}", ask::one)
        .merchants(
            "catalog:read",
            "exports.show",
            "An export, and where its files are fetched once they are there",
        );
    Function::new("exports", world).routes(routes).on(make::requested)
}
