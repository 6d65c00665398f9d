//! What is told: the envelope and the public facts, versioned, each with a sample and schema in `events/`.
//!
//! Invariant: a published version never changes. A field may be added if readers can live without it; anything else
//! is a new version beside the old one. These types are not the domain's: a rename there must not reach a subscriber.
//! No personal data: events carry ids.
//!
//! The string `Payload::NAME` is the detail-type on the bus, the file name of sample and schema, and the rule's word.

pub mod access;
mod amount;
pub mod asset;
pub mod audience;
pub mod cart;
pub mod catalog;
pub mod credit;
pub mod customer;
pub mod delivery;
pub mod discount;
pub mod export;
pub mod fx;
pub mod import;
pub mod invoice;
pub mod merchant;
pub mod merchant_order;
pub mod message;
pub mod order;
pub mod overrides;
pub mod payment;
pub mod payout;
pub mod review;
pub mod stock;
pub mod subscription;
pub mod tax;
pub mod webhook;

pub use amount::Amount;

use domain::id::MarketplaceId;
use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// One kind of event at one version.
pub trait Payload: Serialize + DeserializeOwned {
    /// Detail-type on the bus.
    const NAME: &'static str;
}

/// What every event says about itself. Delivered at least once, in any order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Envelope<T = Value> {
    /// Made of subject and step, so the same fact told twice has one id.
    pub id: String,
    pub name: String,
    pub marketplace: MarketplaceId,
    /// When it was committed.
    #[cfg_attr(feature = "schema", schemars(with = "String"))]
    pub at: Timestamp,
    /// The thing it is about.
    pub subject: String,
    /// The subject's revision that this fact made: rising, with gaps.
    pub step: u64,
    /// Who caused it: `person:<subject>`, `key:<id>` or `system:<function>`.
    pub actor: String,
    /// The request or event that led here.
    pub cause: String,
    /// The first request of the chain.
    pub correlation: String,
    pub data: T,
}

/// Why something is told: everything in an envelope that is not the fact itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    pub at: Timestamp,
    pub actor: String,
    pub cause: String,
    pub correlation: String,
}

impl Context {
    /// The context of what follows from an event.
    pub fn follows<T>(event: &Envelope<T>, at: Timestamp, function: &str) -> Self {
        Self {
            at,
            actor: format!("system:{function}"),
            cause: event.id.clone(),
            correlation: event.correlation.clone(),
        }
    }
}

/// A public fact before it has an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    pub name: String,
    pub data: Value,
}

impl Announced {
    /// Payloads are plain data: what cannot be written as JSON is told as null, which no schema allows.
    pub fn of<T: Payload>(data: &T) -> Self {
        Self { name: T::NAME.to_owned(), data: serde_json::to_value(data).unwrap_or_default() }
    }
}

/// The facts of one change of one subject, as they lie in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change<'a> {
    pub marketplace: &'a MarketplaceId,
    pub subject: &'a str,
    pub step: u64,
    pub context: &'a Context,
    pub facts: &'a [Announced],
}

impl Change<'_> {
    /// The events of this change: the first is `<subject>.<step>`, further ones `.2`, `.3`.
    pub fn envelopes(&self) -> Vec<Envelope> {
        let id = |n: usize| match n {
            0 => format!("{}.{}", self.subject, self.step),
            n => format!("{}.{}.{}", self.subject, self.step, n + 1),
        };
        let envelope = |(n, fact): (usize, &Announced)| Envelope {
            id: id(n),
            name: fact.name.clone(),
            marketplace: self.marketplace.clone(),
            at: self.context.at,
            subject: self.subject.to_owned(),
            step: self.step,
            actor: self.context.actor.clone(),
            cause: self.context.cause.clone(),
            correlation: self.context.correlation.clone(),
            data: fact.data.clone(),
        };
        self.facts.iter().enumerate().map(envelope).collect()
    }
}

/// Declares public payloads and their names.
macro_rules! payloads {
    ($(
        $(#[$doc:meta])*
        $name:literal $type:ident { $($(#[$field_attr:meta])* $field:ident: $kind:ty),* $(,)? }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
            #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
            pub struct $type { $($(#[$field_attr])* pub $field: $kind),* }

            impl crate::Payload for $type {
                const NAME: &'static str = $name;
            }
        )*
    };
}
pub(crate) use payloads;
