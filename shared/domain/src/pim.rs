//! What is said of products: the catalog's words, and how they come to be right.
//!
//! [`crate::catalog`] keeps what is sold (products, variants, offers); this says the rest of it. What a product says is
//! a flat map from [`sheet::Path`] to [`data::Data`], so that a change, its history, its review and its restoration are
//! all the same thing: paths with what was there before and what is there after.
//!
//! | module | owns |
//! |---|---|
//! | [`data`] | values as JSON without floats, how they merge, what they weigh |
//! | [`rich`] | the few tags of formatted text |
//! | [`measure`] | units and their exact conversion |
//! | [`local`] | values as people of a place read them: their units, their currency |
//! | [`attribute`] | typed attributes, where they have values, and what is wrong with one |
//! | [`family`] | what a kind of product must say per channel: completeness and publishing |
//! | [`quality`] | how well a product is described, with reasons |
//! | [`sheet`] | what one product says, and how it is patched |
//! | [`history`] | changes, restoration of any version |
//! | [`scheduled`] | a change that waits for its time |
//! | [`translation`] | what was translated from what, and is stale |
//! | [`proposal`] | what merchants propose, and what waits for a person |
//! | [`collection`] | products by hand or by rules, and since when |
//! | [`likeness`] | which products may be the same, and how two become one |
//! | [`duplicate`] | such a pair, until somebody has said what it is |
//! | [`exchange`] | rows of others into patches, and lines for the files of others |
//! | [`export`] | one row per offer for a channel, and the job that makes a file of them |
//! | [`feed`] | what Google Merchant wants of a product, and what it lacks |

pub mod attribute;
pub mod collection;
pub mod data;
pub mod duplicate;
pub mod exchange;
pub mod export;
pub mod family;
pub mod feed;
pub mod history;
pub mod likeness;
pub mod local;
pub mod measure;
pub mod proposal;
pub mod quality;
pub mod rich;
pub mod scheduled;
pub mod sheet;
pub mod translation;
