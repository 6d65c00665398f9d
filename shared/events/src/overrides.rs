//! What is told of overrides: granted, revoked, and each time that one let something go ahead.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::id::OverrideId;
use domain::overrides::{Override, Policy};

payloads! {
    /// A manager has set a policy aside for one subject; the evidence stands with the override.
    "override.granted.v1" OverrideGrantedV1 {
        r#override: OverrideId, policy: Policy, subject: String, reason: String, expires_at: Instant,
    }

    /// The policy binds again.
    "override.revoked.v1" OverrideRevokedV1 { r#override: OverrideId, policy: Policy, subject: String }

    /// What this change would have been refused for was set aside by this override.
    "override.used.v1" OverrideUsedV1 { r#override: OverrideId, policy: Policy, subject: String }
}

pub fn granted(by: &Override) -> Announced {
    Announced::of(&OverrideGrantedV1 {
        r#override: by.id.clone(),
        policy: by.policy,
        subject: by.subject.to_string(),
        reason: by.reason.to_string(),
        expires_at: by.expires_at.into(),
    })
}

pub fn revoked(by: &Override) -> Announced {
    let (r#override, policy, subject) = (by.id.clone(), by.policy, by.subject.to_string());
    Announced::of(&OverrideRevokedV1 { r#override, policy, subject })
}

/// Stands in the story of whatever went ahead.
pub fn used(by: &Override) -> Announced {
    let (r#override, policy, subject) = (by.id.clone(), by.policy, by.subject.to_string());
    Announced::of(&OverrideUsedV1 { r#override, policy, subject })
}
