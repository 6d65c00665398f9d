//! What others rely on: the event catalog against the types, invocations against the functions, the template against
//! the crates.
//!
//! `catalog.rs` a sample of every event · `events.rs` samples and schemas in `events/` · `schema.rs` JSON Schema, made
//! and checked · `invoke.rs` whole invocations in `events/invoke/` · `template.rs` the template · `wiring.rs` who
//! hears of what · `openapi.rs` the API's contract, `examples.rs` a story of its examples, `refusals.rs` its refusals
//! by code · `permissions.rs` who may what of it · `router.rs` the routes of `cargo lambda watch` · `shapes.rs` a
//! golden item of every stored kind. With `UPDATE=1` files are rewritten, without it a difference fails.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends at what it cannot do")]

mod catalog;
mod events;
mod examples;
mod files;
mod invoke;
mod openapi;
mod permissions;
mod refusals;
mod router;
mod schema;
mod shapes;
mod template;
mod wiring;
