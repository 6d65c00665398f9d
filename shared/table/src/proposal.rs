//! Where lies what merchants propose, and which of it waits for a person.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{MarketplaceId, MerchantId, ProductId, ProposalId};
use domain::pim::proposal::{About, Policy, Proposal, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What lists show of a proposal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposalSummary {
    pub id: ProposalId,
    pub merchant: MerchantId,
    pub product: ProductId,
    pub proposed_at: Timestamp,
    /// The word of its stage.
    pub status: String,
}

impl Record for Proposal {
    const KIND: &'static str = "proposal.1";
    type Summary = ProposalSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::proposal(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let (at, id) = (self.proposed_at, self.id.as_str());
        let mut places = vec![Place::proposal_of(m, &self.merchant, at, id)];
        places.extend((self.stage == Stage::Pending).then(|| Place::pending_proposal(m, at, id)));
        places
    }

    fn summary(&self) -> Option<ProposalSummary> {
        let product = match &self.about {
            About::Product { product, .. } => product.id.clone(),
            About::Change { product, .. } => product.clone(),
        };
        let (id, merchant, status) = (self.id.clone(), self.merchant.clone(), self.stage.word().to_owned());
        Some(ProposalSummary { id, merchant, product, proposed_at: self.proposed_at, status })
    }
}

/// What is done at once of what merchants propose, and what waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProposalPolicy(pub Policy);

impl Record for ProposalPolicy {
    const KIND: &'static str = "proposal_policy.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::proposal_policy(m)
    }
}

impl Table {
    /// A merchant's proposals, or without one those that wait for a person; the last first.
    pub async fn proposals(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ProposalSummary>, Fault> {
        let place = match merchant {
            Some(merchant) => Place::proposal_of(m, merchant, Timestamp::UNIX_EPOCH, ""),
            None => Place::pending_proposal(m, Timestamp::UNIX_EPOCH, ""),
        };
        self.list::<Proposal>(&List::of(place), limit, after).await
    }
}
