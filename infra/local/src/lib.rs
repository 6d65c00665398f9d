//! The local cloud: the whole marketplace in one process, wired by `infra/template.yaml`.
//!
//! `cloud/` an AWS in one process, which knows nothing of commerce · `market.rs` the functions in that cloud, a clock
//! and an issuer · `api.rs` calls through the front door · `demo/` a sample marketplace · `replay/` a real order
//! history · `imports.rs` catalogs from files · `subscribers/` a year of subscriptions · `books.rs` the ledger,
//! checked · `rates.rs` rates of tax from files · `bench/` known numbers: orders, cost, growth, a spike, cold starts ·
//! `renewals.rs` many subscriptions due at once · `reminders.rs` carts that are left, among many · `renditions.rs` what
//! is made of a picture, beside others.
//! The command line is `main.rs` and `commands/`.

pub mod api;
pub mod bench;
pub mod books;
pub mod cloud;
pub mod demo;
pub mod imports;
pub mod issuer;
pub mod market;
pub mod rates;
pub mod reminders;
pub mod renditions;
pub mod renewals;
pub mod replay;
pub mod sim;
pub mod subscribers;

pub use market::Market;
