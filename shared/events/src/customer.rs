//! What is told of a customer: that there is an account, what was agreed to, that it is gone. Never who it is.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::customer::{Consent, Fact, Purpose};
use domain::id::CustomerId;
use serde::{Deserialize, Serialize};

payloads! {
    /// A person has signed up, for the first time or after an erasure.
    "customer.registered.v1" CustomerRegisteredV1 { customer: CustomerId, registered_at: Instant }

    /// A customer has agreed to purposes or taken that back: those that are new.
    "customer.consent_changed.v1" CustomerConsentChangedV1 { customer: CustomerId, consents: Vec<Said> }

    /// Nobody can read any more who the customer was; forget what you know of the person too.
    "customer.erased.v1" CustomerErasedV1 { customer: CustomerId, erased_at: Instant }
}

/// A yes or a no, and when it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Said {
    pub purpose: Purpose,
    pub given: bool,
    pub at: Instant,
}

/// What each fact is called outside. A new fact does not compile until it has a name here.
pub fn announce(customer: &CustomerId, fact: &Fact) -> Announced {
    let customer = customer.clone();
    match fact {
        Fact::Registered { at } => {
            Announced::of(&CustomerRegisteredV1 { customer, registered_at: (*at).into() })
        }
        Fact::ConsentChanged { consents } => {
            let said = |one: &Consent| Said { purpose: one.purpose, given: one.given, at: one.at.into() };
            let consents = consents.iter().map(said).collect();
            Announced::of(&CustomerConsentChangedV1 { customer, consents })
        }
        Fact::Erased { at } => Announced::of(&CustomerErasedV1 { customer, erased_at: (*at).into() }),
    }
}
