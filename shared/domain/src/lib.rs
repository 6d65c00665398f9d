//! What a marketplace may do, as pure functions of (state, command, now).
//!
//! Invariant: nothing here waits, reads a clock, draws a random number or knows AWS. Time, ids and loaded state
//! come in as arguments; facts and refusals go out. Only ids and events pass between the contexts below.
//!
//! | context | owns |
//! |---|---|
//! | [`marketplace`] | the tenant and its settings |
//! | [`merchant`] | who sells: life cycle, terms, members, payout account |
//! | [`overrides`] | a manager's word against a policy: who, why, on what evidence, until when |
//! | [`commission`] | fee rules, frozen on a line at placement |
//! | [`order`] | what a customer bought: intake, payment, cancellation, refunds, exceptions |
//! | [`merchant_order`] | one merchant's part of an order, up to its delivery and earning |
//! | [`payout`] | from earnings to money in the merchant's bank |
//! | [`ledger`] | double entry: every movement of money, balanced |

pub mod commission;
pub mod currency;
pub mod id;
pub mod ledger;
pub mod marketplace;
pub mod merchant;
pub mod merchant_order;
pub mod money;
pub mod order;
pub mod overrides;
pub mod payout;
pub mod text;

pub use currency::Currency;
pub use money::{Money, MoneyError};

/// What a decision changes. A repeated command is no error: it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<F> {
    New(F),
    Already,
}
