//! Collections: products that belong together on a page, chosen by hand or by rules, with days on which they are on.
//!
//! Routes: `/v1/collections…`, `/v1/shop/collections…`. Consumes: `collection.changed.v1`,
//! `product.created.v1`, `product.changed.v1`, `product.described.v1`, `offer.created.v1`, `offer.changed.v1`,
//! `merchant.status_changed.v1`, `category.changed.v1`. Reads: collections, products with their sheets, offers,
//! merchants, categories, the marketplace. Writes: collections, which products are in them. Emits:
//! `collection.changed.v1`.
//!
//! Whether a product is in a collection is worked out when either of them changes, not when somebody looks: a page is
//! two reads, however many products there are. What comes in before a collection is on is there when it is.

mod change;
mod facts;
mod place;
mod show;
mod spell;

use edge::{Function, Routes, World};

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/collections", show::list)
        .operators("catalog:read", "collections.list", "Collections, on or not")
        .post("/v1/collections/check", change::check)
        .operators("catalog:read", "collections.check", "What a rule would take in, some products at a time")
        .get("/v1/collections/{code}", show::one)
        .operators("catalog:read", "collections.show", "A collection")
        .get("/v1/collections/{code}/products", show::products)
        .operators("catalog:read", "collections.products", "What is in a collection, before it is on too")
        .post("/v1/collections/{code}/set", change::set)
        .operators("catalog:write", "collections.set", "A collection is new, or has something else in it")
        .post("/v1/collections/{code}/delete", change::delete)
        .operators("catalog:write", "collections.delete", "A collection is gone; its products are not")
        .get("/v1/shop/collections", show::shop_list)
        .shoppers("shop.collections", "Collections that are on")
        .get("/v1/shop/collections/{code}/products", show::shop_products)
        .shoppers("shop.collection_products", "What is in a collection that is on, in its order");
    Function::new("collections", world)
        .routes(routes)
        .on(place::collection_changed)
        .on(place::product_created)
        .on(place::product_changed)
        .on(place::product_described)
        .on(place::offer_created)
        .on(place::offer_changed)
        .on(place::merchant_changed)
        .on(place::category_changed)
}
