//! Overrides: a manager's recorded word that a policy does not bind one subject for a limited time.
//!
//! Invariant: who, why, on what evidence and until when stand on every one; what is no [`Policy`] cannot be overridden.
//! Whether one counts is decided when it is needed, by the time of the decision.

use crate::Decision;
use crate::id::OverrideId;
use crate::text::{Reason, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The longest time that an override may be granted for, in days.
pub const DAYS_MAX: i64 = 366;

/// Every rule that a manager may set aside, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Policy {
    /// A merchant is approved when its checklist is complete.
    MerchantRequirements,
    /// A merchant that is suspended or closed for now gets no orders.
    MerchantNotOpen,
}

impl Policy {
    pub const ALL: [Self; 2] = [Self::MerchantRequirements, Self::MerchantNotOpen];

    /// The stable word for API, keys and events.
    pub fn word(self) -> &'static str {
        match self {
            Self::MerchantRequirements => "merchant_requirements",
            Self::MerchantNotOpen => "merchant_not_open",
        }
    }
}

/// There is no such policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no policy that can be overridden")]
pub struct NoPolicy(String);

impl std::str::FromStr for Policy {
    type Err = NoPolicy;
    fn from_str(text: &str) -> Result<Self, NoPolicy> {
        let found = Self::ALL.into_iter().find(|known| known.word() == text);
        found.ok_or_else(|| NoPolicy(text.chars().take(40).collect()))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Override {
    pub id: OverrideId,
    pub policy: Policy,
    /// The id of what the policy would bind.
    pub subject: Word,
    pub reason: Reason,
    /// Where the proof lies: a document, a ticket, a call.
    pub evidence: Reason,
    pub granted_by: String,
    pub granted_at: Timestamp,
    /// From then on it does not count.
    pub expires_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revoked>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    pub at: Timestamp,
    pub by: String,
}

/// Why an override is not granted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("it would expire at {0}, which is past")]
    Expired(Timestamp),
    #[error("it would count for more than {DAYS_MAX} days")]
    TooLong,
}

/// Checks how long it would count.
pub fn check_expiry(expires_at: Timestamp, now: Timestamp) -> Result<(), Refused> {
    let left = expires_at.duration_since(now);
    if left <= SignedDuration::ZERO {
        return Err(Refused::Expired(expires_at));
    }
    if left > SignedDuration::from_hours(24 * DAYS_MAX) { Err(Refused::TooLong) } else { Ok(()) }
}

impl Override {
    /// Whether it sets the policy aside for the subject at `now`.
    pub fn counts(&self, policy: Policy, subject: &str, now: Timestamp) -> bool {
        self.policy == policy
            && self.subject.as_str() == subject
            && self.revoked.is_none()
            && now < self.expires_at
    }

    /// What it is after somebody has taken it back; once is enough.
    pub fn revoke(&self, by: &str, at: Timestamp) -> Decision<Self> {
        match self.revoked {
            Some(_) => Decision::Already,
            None => {
                let revoked = Some(Revoked { at, by: by.to_owned() });
                Decision::New(Self { revoked, ..self.clone() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hours: i64) -> Timestamp {
        "2026-03-02T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn granted() -> Override {
        Override {
            id: OverrideId::from_bits(1),
            policy: Policy::MerchantNotOpen,
            subject: "mer_1".parse().unwrap(),
            reason: "the channel has sold it".parse().unwrap(),
            evidence: "ticket 7".parse().unwrap(),
            granted_by: "person:ann".to_owned(),
            granted_at: at(0),
            expires_at: at(2),
            revoked: None,
        }
    }

    #[test]
    fn an_override_counts_for_its_policy_and_subject_until_it_expires_or_is_revoked() {
        let counts = |policy, subject, hours| granted().counts(policy, subject, at(hours));
        assert!(counts(Policy::MerchantNotOpen, "mer_1", 1));
        assert!(!counts(Policy::MerchantRequirements, "mer_1", 1));
        assert!(!counts(Policy::MerchantNotOpen, "mer_2", 1));
        assert!(!counts(Policy::MerchantNotOpen, "mer_1", 2), "the moment of expiry is past it");
        let Decision::New(revoked) = granted().revoke("person:bob", at(1)) else { panic!("it is news") };
        assert!(!revoked.counts(Policy::MerchantNotOpen, "mer_1", at(1)));
        assert_eq!(revoked.revoke("person:ann", at(2)), Decision::Already);
    }

    #[test]
    fn an_override_expires_in_the_future_and_not_too_far_away() {
        assert_eq!(check_expiry(at(0), at(0)), Err(Refused::Expired(at(0))));
        assert_eq!(check_expiry(at(1), at(0)), Ok(()));
        assert_eq!(check_expiry(at(24 * DAYS_MAX), at(0)), Ok(()));
        assert_eq!(check_expiry(at(24 * DAYS_MAX + 1), at(0)), Err(Refused::TooLong));
    }

    #[test]
    fn only_what_is_a_policy_can_be_overridden() {
        for policy in Policy::ALL {
            assert_eq!(policy.word().parse(), Ok(policy));
        }
        assert!("payout_account".parse::<Policy>().is_err());
    }
}
