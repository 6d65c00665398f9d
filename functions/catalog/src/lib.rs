//! What is sold and what is said of it: categories, products with variants, their sheets, and merchants' offers.
//!
//! Routes: `/v1/categories…`, `/v1/products…`, `/v1/offers…`, `/v1/shop/…`, `/v1/attributes…`, `/v1/families…`,
//! `/v1/sales-channels…`, `/v1/proposals…`. Consumes: `product.described.v1`, `asset.ready.v1`, `asset.changed.v1`,
//! `asset.ended.v1`, `asset.deleted.v1` for what products show; `product.created.v1`, `offer.created.v1` for what is
//! named after them; `product.changed.v1`, `offer.created.v1` for offers that follow their products. Reads: categories,
//! products, sheets and their versions, attributes, families, sales channels, proposals, offers and their stock,
//! assets, merchants, marketplace. Writes: categories, products, sheets and their versions, what products show, who
//! shows an asset and what its name came to, attributes, families, sales channels, proposals, offers. Emits:
//! `category.changed.v1`, `product.*.v1`, `offer.*.v1`, `attribute.changed.v1`, `family.changed.v1`,
//! `sales_channel.changed.v1`, `proposal.*.v1`, `asset.linked.v1`, `asset.unlinked.v1`.
//!
//! A product is kept by a merchant or by the marketplace and may be offered by every merchant; only its keeper writes
//! it. Stock of offers is `inventory`'s. `/v1/shop/…` is what shoppers see of all this, guests too.

mod attributes;
mod categories;
mod families;
mod follow;
mod naming;
mod offers;
mod pictures;
mod products;
mod proposals;
mod sales_channels;
mod sheets;
mod shop;
mod shop_sheet;
mod translations;

use edge::{Function, Routes, World};
use serde::Deserialize;

pub fn function(world: &World) -> Function {
    let routes = Routes::new()
        .get("/v1/categories", categories::list)
        .everyone("catalog:read", "categories.list", "The category tree, node by node")
        .create("/v1/categories", categories::create)
        .operators("catalog:write", "categories.create", "A new category")
        .get("/v1/categories/{handle}", categories::one)
        .everyone("catalog:read", "categories.show", "A category")
        .patch("/v1/categories/{handle}", categories::change)
        .operators("catalog:write", "categories.change", "A category gets another name or place")
        .get("/v1/products", products::list)
        .everyone("catalog:read", "products.list", "Products, newest first; all or of one category")
        .create("/v1/products", products::create)
        .merchants("catalog:write", "products.create", "A new product with its variants")
        .get("/v1/products/{id}", products::one)
        .everyone("catalog:read", "products.show", "A product")
        .patch("/v1/products/{id}", products::change)
        .merchants("catalog:write", "products.change", "A product's keeper changes it")
        .get("/v1/products/{id}/sheet", sheets::one)
        .merchants("catalog:read", "sheets.show", "What a product says, and how completely and well")
        .patch("/v1/products/{id}/sheet", sheets::change)
        .merchants("catalog:write", "sheets.change", "A product says something else")
        .get("/v1/products/{id}/sheet/history", sheets::history)
        .merchants("catalog:read", "sheets.history", "Who changed what of it, when and why; the last first")
        .post("/v1/products/{id}/sheet/restore", sheets::restore)
        .merchants("catalog:write", "sheets.restore", "A product says again what it said in a version")
        .get("/v1/products/{id}/translations", translations::rows)
        .merchants("catalog:read", "translations.list", "What a product says in one language beside another")
        .post("/v1/products/{id}/translations/take", translations::take_all)
        .merchants("catalog:write", "translations.take", "Rows come back from a translator")
        .post("/v1/products/{id}/publish", sheets::publish)
        .merchants("catalog:write", "products.publish", "A product that says enough is shown")
        .create("/v1/products/{id}/proposals", proposals::propose)
        .merchants("catalog:write", "proposals.submit", "A merchant wants a product to say something else")
        .create("/v1/proposals", proposals::propose_product)
        .merchants(
            "catalog:write",
            "proposals.submit_product",
            "A merchant wants the marketplace to keep a product",
        )
        .get("/v1/proposals", proposals::list)
        .merchants("catalog:read", "proposals.list", "A merchant's proposals, or all that wait for a person")
        .get("/v1/proposals/policy", proposals::policy)
        .operators("catalog:read", "proposals.policy", "What of proposals is done at once, and what waits")
        .post("/v1/proposals/set-policy", proposals::set_policy)
        .operators("catalog:write", "proposals.set_policy", "Something else waits for a person from now on")
        .get("/v1/proposals/{id}", proposals::one)
        .merchants("catalog:read", "proposals.show", "A proposal")
        .post("/v1/proposals/{id}/confirm", proposals::confirm)
        .operators("catalog:write", "proposals.confirm", "What was proposed is said from now on")
        .post("/v1/proposals/{id}/decline", proposals::decline)
        .operators("catalog:write", "proposals.decline", "What was proposed is not said, and why")
        .post("/v1/proposals/{id}/cancel", proposals::cancel)
        .merchants("catalog:write", "proposals.cancel", "The merchant does not want it any more")
        .get("/v1/attributes", attributes::list)
        .everyone("catalog:read", "attributes.list", "What can be said of products")
        .get("/v1/attributes/{code}", attributes::one)
        .everyone("catalog:read", "attributes.show", "An attribute")
        .post("/v1/attributes/{code}/set", attributes::set)
        .operators("catalog:write", "attributes.set", "An attribute is new, or reads differently")
        .get("/v1/families", families::list)
        .everyone("catalog:read", "families.list", "Kinds of products")
        .get("/v1/families/{code}", families::one)
        .everyone("catalog:read", "families.show", "What products of one kind say, and must say where")
        .post("/v1/families/{code}/set", families::set_one)
        .operators("catalog:write", "families.set", "A family is new, or demands something else")
        .get("/v1/sales-channels", sales_channels::list)
        .everyone("catalog:read", "sales_channels.list", "Where products are shown")
        .get("/v1/sales-channels/{code}", sales_channels::one)
        .everyone("catalog:read", "sales_channels.show", "A sales channel, and its languages")
        .post("/v1/sales-channels/{code}/set", sales_channels::set_one)
        .operators("catalog:write", "sales_channels.set", "A sales channel is new, or speaks other languages")
        .get("/v1/offers", offers::list)
        .merchants("catalog:read", "offers.list", "Offers of a product or of a merchant")
        .create("/v1/offers", offers::create)
        .merchants("catalog:write", "offers.create", "A merchant sells a variant")
        .get("/v1/offers/{id}", offers::one)
        .merchants("catalog:read", "offers.show", "An offer")
        .patch("/v1/offers/{id}", offers::change)
        .merchants("catalog:write", "offers.change", "An offer gets another price or status")
        .get("/v1/shop/categories", categories::list)
        .shoppers("shop.categories", "The category tree, node by node, for those who shop")
        .get("/v1/shop/products", shop::list)
        .shoppers("shop.products", "Products that are for sale, newest first; all or of one category")
        .get("/v1/shop/products/{id}", shop::one)
        .shoppers("shop.product", "A product, and who sells which variant for how much")
        .get("/v1/shop/products/{id}/sheet", shop_sheet::one)
        .shoppers(
            "shop.sheet",
            "What a product says on a channel, in the reader's language, units and currency",
        );
    Function::new("catalog", world)
        .routes(routes)
        .on(pictures::described)
        .on(pictures::ready)
        .on(pictures::changed)
        .on(pictures::ended)
        .on(pictures::deleted)
        .on(naming::created)
        .on(follow::changed)
        .on(naming::offered)
}

/// A member of a PATCH that may also be taken away: absent is unchanged, null is none.
fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
