//! Samples of what is told of webhooks.

use super::{Entry, Told, entry, instant, merchant, person};
use domain::id::{WebhookDeliveryId, WebhookEndpointId};
use domain::webhook::Suspension;
use events::webhook::{WebhookDueV1, WebhookEndpointChangedV1, WebhookEndpointSuspendedV1};

const DAY: i64 = 24 * 60;

/// A merchant's endpoint has another secret, then nothing but failures.
pub(super) fn webhooks() -> Vec<Entry> {
    let endpoint = WebhookEndpointId::from_bits(12);
    let delivery = WebhookDeliveryId::of(&endpoint, "mor_0000000000000000000000000501.1");
    let due = format!("due:{delivery}:2026-01-05T09:11");
    let (of_endpoint, merchant) = (endpoint.clone(), Some(merchant()));
    vec![
        entry(
            Told::new(&endpoint, 2, 1, person()),
            WebhookEndpointChangedV1 {
                endpoint: of_endpoint,
                merchant: merchant.clone(),
                status: "active".to_owned(),
                rotated: true,
            },
        ),
        entry(Told::new(&due, 0, 11, "system:webhook").because(&due), WebhookDueV1 { delivery }),
        entry(
            Told::new(&endpoint, 4, 5 * DAY, "system:webhooks").because(format!("{due}.0")),
            WebhookEndpointSuspendedV1 {
                endpoint,
                merchant,
                reason: Suspension::Failing,
                since: instant(5 * DAY),
            },
        ),
    ]
}
