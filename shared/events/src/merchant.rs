//! What is told of merchants and marketplaces.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::id::{MarketplaceId, MerchantId};
use domain::merchant::{Closure, Merchant};
use serde::{Deserialize, Serialize};

payloads! {
    /// A marketplace is open for its merchants.
    "marketplace.opened.v1" MarketplaceOpenedV1 { marketplace: MarketplaceId, currency: String }

    /// A merchant is known and waits for approval.
    "merchant.invited.v1" MerchantInvitedV1 {
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    }

    /// A person has asked to sell; the merchant waits for approval.
    "merchant.applied.v1" MerchantAppliedV1 {
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
        member: String,
    }

    /// A person has come in with the invitation's secret.
    "merchant.invitation_accepted.v1" MerchantInvitationAcceptedV1 { merchant: MerchantId, member: String }

    /// A member has accepted the document with this hash.
    "merchant.terms_accepted.v1" MerchantTermsAcceptedV1 {
        merchant: MerchantId, sha256: String, effective_at: Instant, by: String,
    }

    /// Days on which the merchant takes no orders, both ends included; all of them.
    "merchant.closures_changed.v1" MerchantClosuresChangedV1 { merchant: MerchantId, closures: Vec<Days> }

    /// `pending`, `open`, `suspended`, `closing` or `terminated`.
    "merchant.status_changed.v1" MerchantStatusChangedV1 {
        merchant: MerchantId,
        from: String,
        to: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }

    /// Where payouts go has changed, or whether they may go there: `pending`, `active` or `blocked`.
    "merchant.payout_account_changed.v1" MerchantPayoutAccountChangedV1 {
        merchant: MerchantId,
        state: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    }

    /// Where the merchant reads messages, and which.
    "merchant.contact_changed.v1" MerchantContactChangedV1 { merchant: MerchantId }

    /// Fee rules or payout schedule are new; they bind what is placed or earned from now on.
    "merchant.conditions_changed.v1" MerchantConditionsChangedV1 { merchant: MerchantId }
}

/// Days of UTC, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Days {
    pub from: String,
    pub to: String,
}

/// The windows in which a merchant is closed.
pub fn closures_changed(merchant: &Merchant) -> Announced {
    let days = |closure: &Closure| Days { from: closure.from.to_string(), to: closure.to.to_string() };
    let closures = merchant.closures.iter().map(days).collect();
    Announced::of(&MerchantClosuresChangedV1 { merchant: merchant.id.clone(), closures })
}

/// The first thing said of a merchant.
pub fn invited(merchant: &Merchant) -> Announced {
    Announced::of(&MerchantInvitedV1 {
        merchant: merchant.id.clone(),
        external_id: merchant.external_id.as_ref().map(|id| id.as_str().to_owned()),
    })
}
