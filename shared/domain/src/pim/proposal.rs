//! What merchants propose: a product, or a change of what one says.
//!
//! `pending → confirmed | declined | canceled`, exactly once (A3(4)). A marketplace's policy says field by field what
//! is done at once and what waits for a person; [`split`] parts a patch by it, and the parts together are the patch.

use crate::Decision;
use crate::catalog::Product;
use crate::id::{MerchantId, ProductId, ProposalId};
use crate::pim::sheet::{Patch, Path};
use crate::text::{Code, Reason};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proposal {
    pub id: ProposalId,
    pub merchant: MerchantId,
    pub about: About,
    pub proposed_at: Timestamp,
    /// What the merchant says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Reason>,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum About {
    Product {
        product: Box<Product>,
        says: Patch,
    },
    Change {
        product: ProductId,
        /// The version that the merchant saw.
        version: u32,
        patch: Patch,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Pending,
    Confirmed { since: Timestamp, by: String },
    Declined { since: Timestamp, by: String, reason: Reason },
    Canceled { since: Timestamp },
}

impl Stage {
    /// Its name at rest and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed { .. } => "confirmed",
            Self::Declined { .. } => "declined",
            Self::Canceled { .. } => "canceled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Confirm {
        by: String,
    },
    Decline {
        by: String,
        reason: Reason,
    },
    /// By the merchant, who alone may.
    Cancel {
        merchant: MerchantId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Confirmed { at: Timestamp, by: String },
    Declined { at: Timestamp, by: String, reason: Reason },
    Canceled { at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it is {0} already: only what is pending can be resolved")]
    Resolved(&'static str),
    #[error("it is another merchant's proposal")]
    NotYours,
}

/// What becomes of a proposal. The same word again is no news, another is refused.
pub fn decide(proposal: &Proposal, request: Request, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    if let Request::Cancel { merchant } = &request
        && *merchant != proposal.merchant
    {
        return Err(Refused::NotYours);
    }
    match (&proposal.stage, request) {
        (Stage::Pending, Request::Confirm { by }) => Ok(Decision::New(Fact::Confirmed { at: now, by })),
        (Stage::Pending, Request::Decline { by, reason }) => {
            Ok(Decision::New(Fact::Declined { at: now, by, reason }))
        }
        (Stage::Pending, Request::Cancel { .. }) => Ok(Decision::New(Fact::Canceled { at: now })),
        (Stage::Confirmed { .. }, Request::Confirm { .. })
        | (Stage::Declined { .. }, Request::Decline { .. })
        | (Stage::Canceled { .. }, Request::Cancel { .. }) => Ok(Decision::Already),
        (Stage::Confirmed { .. }, Request::Decline { .. } | Request::Cancel { .. }) => {
            Err(Refused::Resolved("confirmed"))
        }
        (Stage::Declined { .. }, Request::Confirm { .. } | Request::Cancel { .. }) => {
            Err(Refused::Resolved("declined"))
        }
        (Stage::Canceled { .. }, Request::Confirm { .. } | Request::Decline { .. }) => {
            Err(Refused::Resolved("canceled"))
        }
    }
}

impl Proposal {
    #[must_use]
    pub fn apply(self, fact: Fact) -> Self {
        let stage = match fact {
            Fact::Confirmed { at, by } => Stage::Confirmed { since: at, by },
            Fact::Declined { at, by, reason } => Stage::Declined { since: at, by, reason },
            Fact::Canceled { at } => Stage::Canceled { since: at },
        };
        Self { stage, ..self }
    }
}

/// Whether a merchant's word is done at once or waits for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ProposalWay"))]
pub enum Way {
    Automatic,
    Review,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// A product that was not there before.
    pub product: Way,
    /// The price of the merchant's own offer.
    pub price: Way,
    /// The attribute that the family calls its label, whatever its code.
    pub title: Way,
    pub family: Way,
    pub assets: Way,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub attributes: BTreeMap<Code, Way>,
    /// Attributes that are not named.
    pub otherwise: Way,
}

impl Policy {
    /// What a marketplace begins with: prices are the merchant's; what a product is (new, of which family, called what,
    /// of which brand) is looked at; the rest is done at once.
    pub fn first() -> Self {
        let brand = Code::try_from("brand".to_owned());
        Self {
            product: Way::Review,
            price: Way::Automatic,
            title: Way::Review,
            family: Way::Review,
            assets: Way::Automatic,
            attributes: brand.into_iter().map(|brand| (brand, Way::Review)).collect(),
            otherwise: Way::Automatic,
        }
    }

    /// `label` is the attribute that the product's family has for its title.
    fn of(&self, path: &Path, label: Option<&Code>) -> Way {
        match path {
            Path::Family => self.family,
            Path::Assets => self.assets,
            Path::Value(slot) | Path::Translation(slot) => self.of_attribute(&slot.attribute, label),
        }
    }

    fn of_attribute(&self, attribute: &Code, label: Option<&Code>) -> Way {
        let named = self.attributes.get(attribute).copied();
        let title = (label == Some(attribute)).then_some(self.title);
        named.or(title).unwrap_or(self.otherwise)
    }

    /// All values of a variant are removed: that waits, if anything of it would.
    fn of_variant(&self) -> Way {
        let ways = || self.attributes.values().chain([&self.title, &self.otherwise]);
        if ways().any(|way| *way == Way::Review) { Way::Review } else { Way::Automatic }
    }
}

/// What is done at once, and what waits for a person.
pub fn split(policy: &Policy, label: Option<&Code>, patch: Patch) -> (Patch, Patch) {
    let (mut now, mut later) = (Patch::default(), Patch::default());
    for (path, edit) in patch.edits {
        let part = match policy.of(&path, label) {
            Way::Automatic => &mut now,
            Way::Review => &mut later,
        };
        part.edits.insert(path, edit);
    }
    for cleared in patch.cleared {
        let way = match &cleared.attribute {
            Some(attribute) => policy.of_attribute(attribute, label),
            None => policy.of_variant(),
        };
        let part = match way {
            Way::Automatic => &mut now,
            Way::Review => &mut later,
        };
        part.cleared.insert(cleared);
    }
    (now, later)
}

#[cfg(test)]
mod tests;
