//! Where webhooks lie: endpoints, what each owner's listen to, and messages.

use crate::key::{Index, Key, Place};
use domain::id::{MarketplaceId, MerchantId, WebhookDeliveryId, WebhookEndpointId};
use jiff::Timestamp;

/// The marketplace itself owns what no merchant does.
fn owner(merchant: Option<&MerchantId>) -> &str {
    merchant.map_or("*", MerchantId::tail)
}

impl Key {
    pub fn webhook_endpoint(m: &MarketplaceId, id: &WebhookEndpointId) -> Self {
        Self::new(format!("{m}#WHE#{}", id.tail()), "WHE")
    }

    /// What the endpoints of an owner listen to: read for every event.
    pub fn webhook_listeners(m: &MarketplaceId, merchant: Option<&MerchantId>) -> Self {
        Self::new(format!("{m}#WHL#{}", owner(merchant)), "WHL")
    }

    /// A partition of its own, so that no endpoint's messages are a hot one.
    pub fn webhook_delivery(m: &MarketplaceId, id: &WebhookDeliveryId) -> Self {
        Self::new(format!("{m}#WHD#{}", id.tail()), "WHD")
    }
}

impl Place {
    pub(crate) fn webhook_endpoint(
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        at: Timestamp,
        id: &str,
    ) -> Self {
        Self::new(Index::Gsi2, format!("{m}#WHES#{}", owner(merchant)), at, id)
    }

    pub(crate) fn webhook_delivery(
        m: &MarketplaceId,
        endpoint: &WebhookEndpointId,
        at: Timestamp,
        id: &str,
    ) -> Self {
        Self::new(Index::Gsi1, format!("{m}#WHDS#{}", endpoint.tail()), at, id)
    }

    /// Sparse: what has failed, to be replayed.
    pub(crate) fn failed_webhook(
        m: &MarketplaceId,
        endpoint: &WebhookEndpointId,
        at: Timestamp,
        id: &str,
    ) -> Self {
        Self::new(Index::Gsi3, format!("{m}#WHFAILED#{}", endpoint.tail()), at, id)
    }
}
