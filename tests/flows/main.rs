//! Journeys through the whole marketplace, one a file: real functions, real clients, the embedded engine.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its cause"
)]

mod assets;
mod assets_refused;
mod audit;
mod bad_input;
mod between_steps;
mod burst;
mod cancel_and_refund;
mod cart;
mod catalog;
mod checkout;
mod clock;
mod currencies;
mod customers;
mod dead_letters;
mod deliveries;
mod deliveries_failing;
mod delivery;
mod discounts;
mod dunning;
mod edges;
mod events;
mod exceptions;
mod faults;
mod gateway;
mod holds;
mod identity;
mod if_match;
mod index_lag;
mod invoices;
mod merchants;
mod merging;
mod messages;
mod messages_carried;
mod messages_returned;
mod messages_settings;
mod numbers;
mod opening;
mod order_to_payout;
mod outward_cuts;
mod overrides;
mod payments;
mod pictures;
mod pictures_cuts;
mod proposals;
mod races;
mod recurring;
mod reminders;
mod renewals;
mod replay;
mod reviews;
mod reviews_asked;
mod reviews_badly;
mod reviews_photos;
mod reviews_read;
mod samples;
mod sending;
mod settled;
mod sheets;
mod shop;
mod stock;
mod store_credit;
mod subscribers;
mod subscribing_badly;
mod subscriptions;
mod tax;
mod texts;
mod trials;
mod turnstile;
mod watch;
mod webhooks;
mod wishes;
