//! What is told of webhooks: endpoints, not messages.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::id::{MerchantId, WebhookDeliveryId, WebhookEndpointId};
use domain::webhook::{Endpoint, Stage, Suspension};

payloads! {
    /// An endpoint is new, was changed, paused, resumed or removed, or has another secret: `status` is how it is now.
    "webhook.endpoint_changed.v1" WebhookEndpointChangedV1 {
        endpoint: WebhookEndpointId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// `active`, `paused` or `removed`.
        status: String,
        /// Whether its secret is another.
        rotated: bool,
    }

    /// Nothing is sent to the endpoint any more, until somebody resumes it: look after its receiver.
    "webhook.endpoint_suspended.v1" WebhookEndpointSuspendedV1 {
        endpoint: WebhookEndpointId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        reason: Suspension,
        since: Instant,
    }

    /// Work, not news: a message is to be tried again. Goes through a queue of its own, never over the bus.
    "webhook.due.v1" WebhookDueV1 { delivery: WebhookDeliveryId }
}

/// How an endpoint is now.
pub fn endpoint(now: &Endpoint, rotated: bool) -> Announced {
    let (endpoint, merchant) = (now.id.clone(), now.merchant.clone());
    let changed = |status: &str| {
        let (endpoint, merchant) = (endpoint.clone(), merchant.clone());
        Announced::of(&WebhookEndpointChangedV1 { endpoint, merchant, status: status.to_owned(), rotated })
    };
    match now.stage {
        Stage::Active => changed("active"),
        Stage::Paused => changed("paused"),
        Stage::Removed { .. } => changed("removed"),
        Stage::Suspended { since, reason } => {
            let since = since.into();
            Announced::of(&WebhookEndpointSuspendedV1 { endpoint, merchant, reason, since })
        }
    }
}
