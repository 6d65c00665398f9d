//! What a marketplace may do, as pure functions of (state, command, now).
//!
//! Invariant: nothing here waits, reads a clock, draws a random number or knows AWS. Time, ids and loaded state
//! come in as arguments; facts and refusals go out. Only ids and events pass between the contexts below.
//!
//! | context | owns |
//! |---|---|
//! | [`marketplace`] | the tenant and its settings |
//! | [`merchant`] | who sells: life cycle, terms, members, payout account |
//! | [`catalog`] | what is sold: categories, products with variants, merchants' offers |
//! | [`asset`] | files that a storefront shows: sent, looked at, replaced, deleted |
//! | [`pim`] | what is said of products: typed values per locale and channel, their history and exchange |
//! | [`import`] | a catalog that comes as a file: cut into parts, written part after part |
//! | [`stock`] | what is there: movements as the only writers, and what an order may take |
//! | [`overrides`] | a manager's word against a policy: who, why, on what evidence, until when |
//! | [`commission`] | fee rules, frozen on a line at placement |
//! | [`order`] | what a customer bought: intake, payment, cancellation, refunds, exceptions |
//! | [`merchant_order`] | one merchant's part of an order, up to its delivery and earning |
//! | [`payout`] | from earnings to money in the merchant's bank |
//! | [`gateway`] | the words of the port to those who move customers' money |
//! | [`payment`] | an order's money by one method: attempts, captures, refunds |
//! | [`credit`] | what customers have with the marketplace: given by refunds, spent at checkout |
//! | [`tender`] | who of several payments pays what, and gets what back |
//! | [`settlement`] | what became of an order, for its payments: what is captured, released, paid back |
//! | [`cart`] | what a shopper has chosen, what it costs now, and the order that it becomes |
//! | [`reminder`] | carts that were left: when their shoppers are written to, and what came of it |
//! | [`wish_list`] | what a shopper keeps for later, and shows to others |
//! | [`checkout`] | the gate between cart and order, and its lock |
//! | [`customer`] | who buys with an account: consents, addresses, and how a person is forgotten |
//! | [`plan`] [`period`] | what customers subscribe to, on which terms; periods of billing in their time zones |
//! | [`subscription`] | a customer's running agreement on a plan: charged, changed, paused, ended, to the cent |
//! | [`invoice`] | what a subscription was charged or credited, numbered without a gap |
//! | [`dunning`] | a renewal whose payment failed, until it is recovered or the service ends |
//! | [`message`] | messages to people: who gets which by which way, and who must not |
//! | [`ledger`] | double entry: every movement of money, balanced |
//! | [`place`] [`address`] | countries, areas that rows of a table are about; addresses in one spelling |
//! | [`tax`] | rates by destination, category and date; who owes the tax; tax ids |
//! | [`delivery`] | a merchant's rate table: services, prices, expected dates |
//! | [`fx`] | dated exchange rates with a visible margin |
//! | [`discount`] | what codes and agreements grant, and whether a basket has it |
//! | [`review`] | what buyers say of what was delivered: asked, checked, published, answered, rated |
//! | [`pricing`] | what a basket costs, and how each total came about |
//! | [`webhook`] | who wants to hear of which events at an address, and what became of each message |

pub mod address;
pub mod asset;
pub mod cart;
pub mod catalog;
pub mod checkout;
pub mod commission;
pub mod credit;
pub mod currency;
pub mod customer;
pub mod delivery;
pub mod discount;
pub mod dunning;
pub mod fx;
pub mod gateway;
pub mod id;
pub mod import;
pub mod invoice;
pub mod ledger;
pub mod marketplace;
pub mod merchant;
pub mod merchant_order;
pub mod message;
pub mod money;
pub mod order;
pub mod overrides;
pub mod payment;
pub mod payout;
pub mod period;
pub mod pim;
pub mod place;
pub mod plan;
pub mod pricing;
pub mod reminder;
pub mod review;
#[cfg(feature = "schema")]
pub mod says;
pub mod settlement;
pub mod stock;
pub mod subscription;
pub mod tax;
pub mod tender;
pub mod text;
pub mod webhook;
pub mod wish_list;

pub use currency::Currency;
pub use money::{Money, MoneyError};

/// What a decision changes. A repeated command is no error: it changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<F> {
    New(F),
    Already,
}
