//! A customer: the account, what the person has agreed to, where things go; and how the person is forgotten.
//!
//! [`Customer`] has nothing in it by which a person is known. Whatever has is a [`Profile`], or the [`Person`] of an
//! order, and lies sealed under a key of the customer's own: erasure is the end of that key.
//!
//! `registered ⇄ erased`: who was erased may sign up again and finds nothing of before. Invariants: a consent keeps
//! the moment at which it was given or taken back, and saying the same again moves no moment (A16(1)); a number of an
//! address is never given again; orders are no part of this and stay (A16(3)).

use crate::Decision;
use crate::address::Address;
use crate::cart::Contact;
use crate::id::CustomerId;
use crate::text::{Email, Locale, PersonName, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Addresses of one customer.
pub const ADDRESSES_MAX: usize = 20;
/// Changes of mind that are kept of each purpose, the last ones.
pub const CONSENTS_KEPT: usize = 10;

/// The part that anybody may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customer {
    pub id: CustomerId,
    pub stage: Stage,
    /// Oldest first; what counts of a purpose is its last one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Registered { since: Timestamp },
    Erased { since: Timestamp },
}

/// What a customer may be asked to agree to. Without a yes it is a no.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConsentPurpose"))]
pub enum Purpose {
    MarketingEmail,
    MarketingPhone,
    Personalization,
}

impl Purpose {
    pub const ALL: [Self; 3] = [Self::MarketingEmail, Self::MarketingPhone, Self::Personalization];
}

/// A yes or a no, and when it was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub purpose: Purpose,
    pub given: bool,
    pub at: Timestamp,
}

/// What only the holder of the data key reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub name: PersonName,
    pub email: Email,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    #[serde(default)]
    pub book: AddressBook,
}

/// Who has ordered and where it goes, as it is sealed with an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub contact: Option<Contact>,
    pub address: Option<Address>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Registered { at: Timestamp },
    ConsentChanged { consents: Vec<Consent> },
    Erased { at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a customer has at most {ADDRESSES_MAX} addresses")]
    AddressCount,
    #[error("there is no such address")]
    NoAddress,
}

impl Customer {
    pub fn registered(id: CustomerId, at: Timestamp) -> Self {
        Self { id, stage: Stage::Registered { since: at }, consents: Vec::new() }
    }

    /// What counts of a purpose; none where nothing was said.
    pub fn said(&self, purpose: Purpose) -> Option<&Consent> {
        self.consents.iter().rev().find(|consent| consent.purpose == purpose)
    }

    /// Whether the customer agrees, at this moment (A16(1)).
    pub fn agrees(&self, purpose: Purpose) -> bool {
        let registered = matches!(self.stage, Stage::Registered { .. });
        registered && self.said(purpose).is_some_and(|consent| consent.given)
    }

    /// As it counts after a stop by the link of a message: that was a no, unless a yes was said since. So it is seen,
    /// and whoever agrees once more has said something new.
    #[must_use]
    pub fn stopped(self, at: Timestamp) -> Self {
        let purpose = Purpose::MarketingEmail;
        if !self.said(purpose).is_some_and(|said| said.given && said.at <= at) {
            return self;
        }
        let no = Consent { purpose, given: false, at };
        self.apply(&Fact::ConsentChanged { consents: vec![no] })
    }

    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        match fact {
            Fact::Registered { at } => Self::registered(self.id, *at),
            Fact::ConsentChanged { consents } => {
                self.consents.extend_from_slice(consents);
                for purpose in Purpose::ALL {
                    self.forget_oldest(purpose);
                }
                self
            }
            Fact::Erased { at } => {
                Self { id: self.id, stage: Stage::Erased { since: *at }, consents: Vec::new() }
            }
        }
    }

    fn forget_oldest(&mut self, purpose: Purpose) {
        let count = self.consents.iter().filter(|consent| consent.purpose == purpose).count();
        let mut over = count.saturating_sub(CONSENTS_KEPT);
        self.consents.retain(|consent| {
            let goes = over > 0 && consent.purpose == purpose;
            over = over.saturating_sub(usize::from(goes));
            !goes
        });
    }
}

/// What is new of what is said now: the same again is no news and keeps its moment.
pub fn consent(customer: &Customer, said: &[(Purpose, bool)], at: Timestamp) -> Decision<Fact> {
    let differs = |(purpose, given): &&(Purpose, bool)| {
        customer.said(*purpose).is_none_or(|before| before.given != *given)
    };
    let fresh = said.iter().filter(differs);
    let consents: Vec<Consent> =
        fresh.map(|(purpose, given)| Consent { purpose: *purpose, given: *given, at }).collect();
    if consents.is_empty() { Decision::Already } else { Decision::New(Fact::ConsentChanged { consents }) }
}

/// Forgets a person. `has_key`: something of the person's may still be read, with an account or without one.
pub fn erase(customer: Option<&Customer>, has_key: bool, at: Timestamp) -> Decision<Fact> {
    match customer.map(|customer| &customer.stage) {
        Some(Stage::Erased { .. }) if !has_key => Decision::Already,
        Some(Stage::Registered { .. } | Stage::Erased { .. }) | None => Decision::New(Fact::Erased { at }),
    }
}

/// A customer's addresses; one of them is where things go if nothing else is said.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressBook {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<Entry>,
    /// Numbers go on from here.
    #[serde(default)]
    pub last: u16,
    /// The number of the one that is meant if nothing is said; there is one as soon as there is an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub number: u16,
    pub address: Address,
}

impl AddressBook {
    /// One more; an address that is there already is not kept twice.
    pub fn add(&self, address: Address, default: bool) -> Result<Self, Refused> {
        let mut next = self.clone();
        let there = self.entries.iter().find(|entry| entry.address == address).map(|entry| entry.number);
        let number = match there {
            Some(number) => number,
            None if self.entries.len() >= ADDRESSES_MAX => return Err(Refused::AddressCount),
            None => {
                next.last = self.last.checked_add(1).ok_or(Refused::AddressCount)?;
                next.entries.push(Entry { number: next.last, address });
                next.last
            }
        };
        if default || next.default.is_none() {
            next.default = Some(number);
        }
        Ok(next)
    }

    /// Another address in the place of one.
    pub fn set(&self, number: u16, address: Address) -> Result<Self, Refused> {
        let mut next = self.clone();
        let entry = next.entries.iter_mut().find(|entry| entry.number == number);
        entry.ok_or(Refused::NoAddress)?.address = address;
        Ok(next)
    }

    /// The oldest that is left becomes the default where that goes.
    pub fn remove(&self, number: u16) -> Result<Self, Refused> {
        let mut next = self.clone();
        next.entries.retain(|entry| entry.number != number);
        if next.entries.len() == self.entries.len() {
            return Err(Refused::NoAddress);
        }
        if self.default == Some(number) {
            next.default = next.entries.first().map(|entry| entry.number);
        }
        Ok(next)
    }

    pub fn prefer(&self, number: u16) -> Result<Self, Refused> {
        let known = self.entries.iter().any(|entry| entry.number == number);
        if known { Ok(Self { default: Some(number), ..self.clone() }) } else { Err(Refused::NoAddress) }
    }
}

#[cfg(test)]
mod tests;
