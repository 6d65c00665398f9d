//! What is told of who may do what.

use crate::order::Instant;
use crate::payloads;
use domain::id::{ApiKeyId, MerchantId};

payloads! {
    /// A system may act; the secret was shown once and is nowhere.
    "api_key.issued.v1" ApiKeyIssuedV1 {
        api_key: ApiKeyId,
        name: String,
        scopes: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
    }

    /// The key opens nothing any more.
    "api_key.revoked.v1" ApiKeyRevokedV1 { api_key: ApiKeyId }

    /// A person may operate the marketplace, or no longer (no scopes).
    "operator.changed.v1" OperatorChangedV1 { subject: String, scopes: Vec<String> }

    /// A person may act for a merchant, or no longer (no scopes).
    "member.changed.v1" MemberChangedV1 { subject: String, merchant: MerchantId, scopes: Vec<String> }

    /// Hold, fee rules or limits are new; they bind what is committed from now on.
    "marketplace.settings_changed.v1" MarketplaceSettingsChangedV1 { hold_days: u16 }

    /// Merchants must accept this document from then on.
    "marketplace.merchant_terms_set.v1" MarketplaceMerchantTermsSetV1 {
        url: String, sha256: String, effective_at: Instant,
    }
}
