//! What is told of webhooks: endpoints, not messages.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::id::{MerchantId, WebhookDeliveryId, WebhookEndpointId};
use domain::webhook::{Endpoint, Stage, Suspension};
use jiff::Timestamp;

payloads! {
    /// An endpoint is new, was changed, paused, resumed or removed, or has another secret: `status` is how it is now.
    "webhook.endpoint_changed.v1" WebhookEndpointChangedV1 {
        endpoint: WebhookEndpointId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// `active`, `paused`, `suspended` or `removed`.
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

/// An endpoint is new or was changed by somebody.
pub fn changed(now: &Endpoint, rotated: bool) -> Announced {
    let status = match now.stage {
        Stage::Active => "active",
        Stage::Paused => "paused",
        Stage::Suspended { .. } => "suspended",
        Stage::Removed { .. } => "removed",
    };
    let (endpoint, merchant) = (now.id.clone(), now.merchant.clone());
    Announced::of(&WebhookEndpointChangedV1 { endpoint, merchant, status: status.to_owned(), rotated })
}

/// An endpoint was given up, by itself.
pub fn suspended(now: &Endpoint, since: Timestamp, reason: Suspension) -> Announced {
    let (endpoint, merchant, since) = (now.id.clone(), now.merchant.clone(), since.into());
    Announced::of(&WebhookEndpointSuspendedV1 { endpoint, merchant, reason, since })
}
