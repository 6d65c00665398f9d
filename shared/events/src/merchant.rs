//! What is told of merchants and marketplaces.

use crate::{Announced, payloads};
use domain::id::{MarketplaceId, MerchantId};
use domain::merchant::Merchant;

payloads! {
    /// A marketplace is open for its merchants.
    "marketplace.opened.v1" MarketplaceOpenedV1 { marketplace: MarketplaceId, currency: String }

    /// A merchant is known and waits for approval.
    "merchant.invited.v1" MerchantInvitedV1 {
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
    }

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
        merchant: MerchantId, state: String,
    }

    /// Fee rules or payout schedule are new; they bind what is placed or earned from now on.
    "merchant.terms_changed.v1" MerchantTermsChangedV1 { merchant: MerchantId }
}

/// The first thing said of a merchant.
pub fn invited(merchant: &Merchant) -> Announced {
    Announced::of(&MerchantInvitedV1 {
        merchant: merchant.id.clone(),
        external_id: merchant.external_id.as_ref().map(|id| id.as_str().to_owned()),
    })
}
