//! Journeys through the whole marketplace, one a file: real functions, real clients, the embedded engine.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its cause"
)]

mod bad_input;
mod cancel_and_refund;
mod events;
mod exceptions;
mod identity;
mod opening;
mod order_to_payout;
mod races;
mod replay;
mod samples;
