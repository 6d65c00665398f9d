//! Duplicates: products that may be one, found by GTIN, by brand and part number, and by how their pictures look; and
//! how one is made of two.
//!
//! Routes: `/v1/duplicates…`. Consumes: `product.created.v1`, `product.changed.v1`, `product.described.v1`. Reads:
//! products with their sheets, assets. Writes: what products are recognized by, pairs, products with their sheets that
//! are merged. Emits: `duplicate.changed.v1`, `product.merged.v1`, `product.changed.v1`, `product.described.v1`.
//!
//! Nothing is merged by itself: a pair is offered to a person. What goes is archived and names what it has become, so
//! whoever asks for it gets that; its offers follow (`catalog`).

mod look;
mod merge;
mod show;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/duplicates", show::list)
        .operators(
            "catalog:read",
            "duplicates.list",
            "Pairs of products that may be one, the last found first",
        )
        .get("/v1/duplicates/{id}", show::one)
        .operators("catalog:read", "duplicates.show", "A pair, and what speaks for it")
        .post("/v1/duplicates/{id}/dismiss", merge::dismiss)
        .operators("catalog:write", "duplicates.dismiss", "They are two, and why")
        .post("/v1/duplicates/{id}/merge", merge::merge)
        .operators("catalog:write", "duplicates.merge", "One of them becomes the other; its offers follow");
    Function::new("duplicates", world).routes(routes).on(look::created).on(look::changed).on(look::described)
}
