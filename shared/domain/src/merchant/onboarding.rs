//! How a merchant comes in: the invitation, the accepted terms, and the checklist before approval.
//!
//! Invariant: the checklist is evaluated when it is read and never stored. What becomes incomplete after approval is
//! shown and suspends nobody (A2(1)).

use super::{Merchant, PayoutAccount, Refused};
use crate::Decision;
use crate::marketplace::{Document, Marketplace};
use crate::text::Sha256;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// How long an invitation's secret opens the door.
pub const INVITATION_DAYS: i64 = 14;
/// The youngest acceptances that a merchant keeps with it; its story keeps all.
const ACCEPTANCES_MAX: usize = 8;

/// What can be asked of a merchant before it is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Requirement {
    /// The document that is effective now is accepted; required as soon as there is one.
    Terms,
    /// Somebody has verified the payout account.
    PayoutAccount,
}

/// One line of the checklist.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Checked {
    pub requirement: Requirement,
    pub met: bool,
    pub required: bool,
}

/// A document accepted: which version, by whom and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    pub sha256: Sha256,
    pub effective_at: Timestamp,
    pub at: Timestamp,
    pub by: String,
}

/// The secret that lets a first person in, known by its digest only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// SHA-256 of the secret in hex.
    pub digest: String,
    pub expires_at: Timestamp,
    /// Whom it has let in; it lets in nobody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_by: Option<String>,
}

impl Requirement {
    pub const ALL: [Self; 2] = [Self::Terms, Self::PayoutAccount];

    /// The stable word for API and problems.
    pub fn word(self) -> &'static str {
        match self {
            Self::Terms => "terms",
            Self::PayoutAccount => "payout_account",
        }
    }
}

/// There is no such requirement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no requirement: want `terms` or `payout_account`")]
pub struct NoRequirement(String);

impl std::str::FromStr for Requirement {
    type Err = NoRequirement;
    fn from_str(text: &str) -> Result<Self, NoRequirement> {
        let found = Self::ALL.into_iter().find(|known| known.word() == text);
        found.ok_or_else(|| NoRequirement(text.chars().take(40).collect()))
    }
}

impl Invitation {
    pub fn new(digest: String, at: Timestamp) -> Self {
        let expires_at = at.saturating_add(SignedDuration::from_hours(24 * INVITATION_DAYS));
        Self { digest, expires_at: expires_at.unwrap_or(Timestamp::MAX), accepted_by: None }
    }
}

impl Merchant {
    pub fn has_accepted(&self, document: &Document) -> Option<&Acceptance> {
        self.accepted_terms.iter().find(|accepted| {
            accepted.sha256 == document.sha256 && accepted.effective_at == document.effective_at
        })
    }

    /// What is asked of it at `now`, and whether it is done.
    pub fn checklist(&self, marketplace: &Marketplace, now: Timestamp) -> Vec<Checked> {
        let document = marketplace.terms_at(now);
        let line = |requirement| {
            let (met, asked) = match requirement {
                Requirement::Terms => (
                    document.is_none_or(|document| self.has_accepted(document).is_some()),
                    document.is_some(),
                ),
                Requirement::PayoutAccount => (matches!(self.account, PayoutAccount::Active { .. }), false),
            };
            let required = asked || marketplace.settings.requirements.contains(&requirement);
            Checked { requirement, met, required }
        };
        Requirement::ALL.map(line).into()
    }

    /// What is required and not done.
    pub fn missing(&self, marketplace: &Marketplace, now: Timestamp) -> Vec<Requirement> {
        let list = self.checklist(marketplace, now).into_iter();
        list.filter(|line| line.required && !line.met).map(|line| line.requirement).collect()
    }
}

/// A member accepts the document with this hash: the effective one, or the one that comes next.
pub fn accept_terms(
    merchant: &Merchant,
    marketplace: &Marketplace,
    sha256: &Sha256,
    by: &str,
    at: Timestamp,
) -> Result<Decision<Acceptance>, Refused> {
    let offered = marketplace.terms_at(at).into_iter().chain(marketplace.terms_after(at));
    let document = offered.filter(|document| document.sha256 == *sha256);
    let Some(document) = document.min_by_key(|document| merchant.has_accepted(document).is_some()) else {
        return Err(Refused::OtherTerms);
    };
    if merchant.has_accepted(document).is_some() {
        return Ok(Decision::Already);
    }
    let (sha256, effective_at) = (document.sha256.clone(), document.effective_at);
    Ok(Decision::New(Acceptance { sha256, effective_at, at, by: by.to_owned() }))
}

/// A person presents an invitation's secret. Whoever does not know it hears of nothing.
pub fn accept_invitation(
    merchant: &Merchant,
    digest: &str,
    by: &str,
    at: Timestamp,
) -> Result<Decision<Invitation>, Refused> {
    let Some(invitation) = merchant.invitation.as_ref().filter(|known| known.digest == digest) else {
        return Err(Refused::NoInvitation);
    };
    match &invitation.accepted_by {
        Some(person) if person == by => Ok(Decision::Already),
        Some(_) => Err(Refused::InvitationUsed),
        None if invitation.expires_at <= at => Err(Refused::InvitationExpired),
        None => Ok(Decision::New(Invitation { accepted_by: Some(by.to_owned()), ..invitation.clone() })),
    }
}

impl Merchant {
    #[must_use]
    pub fn accepting(mut self, acceptance: Acceptance) -> Self {
        self.accepted_terms.push(acceptance);
        let old = self.accepted_terms.len().saturating_sub(ACCEPTANCES_MAX);
        self.accepted_terms.drain(..old);
        self
    }
}
