//! What is sold: categories, products with variants, and merchants' offers of them.
//!
//! Routes: `/v1/categories…`, `/v1/products…`, `/v1/offers…`, `/v1/shop/…`. Reads: categories, products, offers and
//! their stock, merchants, marketplace. Writes: categories, products, offers. Emits: `category.changed.v1`,
//! `product.*.v1`, `offer.*.v1`.
//!
//! A product is kept by a merchant or by the marketplace and may be offered by every merchant; only its keeper writes
//! it. Stock of offers is `inventory`'s. `/v1/shop/…` is what shoppers see of all this, guests too.

mod categories;
mod offers;
mod products;
mod shop;

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
        .shoppers("shop.product", "A product, and who sells which variant for how much");
    Function::new("catalog", world).routes(routes)
}

/// A member of a PATCH that may also be taken away: absent is unchanged, null is none.
fn given<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}
