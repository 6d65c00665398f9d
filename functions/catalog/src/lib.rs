//! What is sold: categories, products with variants, and merchants' offers of them.
//!
//! Routes: `/v1/categories…`, `/v1/products…`, `/v1/offers…`. Reads: categories, products, offers, merchants,
//! marketplace. Writes: categories, products, offers. Emits: `category.changed.v1`, `product.*.v1`, `offer.*.v1`.
//!
//! A product is kept by a merchant or by the marketplace and may be offered by every merchant; only its keeper writes
//! it. Stock of offers is `inventory`'s.

mod categories;
mod offers;
mod products;

use axum::Router;
use axum::routing::get;
use edge::{Function, World};
use serde::Deserialize;

pub fn function(world: &World) -> Function {
    let routes = Router::new()
        .route("/v1/categories", get(categories::list).post(categories::create))
        .route("/v1/categories/{handle}", get(categories::one).patch(categories::change))
        .route("/v1/products", get(products::list).post(products::create))
        .route("/v1/products/{id}", get(products::one).patch(products::change))
        .route("/v1/offers", get(offers::list).post(offers::create))
        .route("/v1/offers/{id}", get(offers::one).patch(offers::change));
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
