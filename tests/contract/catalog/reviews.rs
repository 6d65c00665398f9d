//! Samples of what is told of reviews: a line is asked about, reviewed, published, answered, and in the end rejected.

use super::{Entry, Told, entry, instant, merchant, order, part, person};
use domain::id::{CustomerId, OfferId, ProductId, ReviewId};
use domain::review::Cause;
use events::review::{
    MerchantRatingChangedV1, ReviewPolicyChangedV1, ReviewPublishedV1, ReviewRejectedV1, ReviewRepliedV1,
    ReviewReportedV1, ReviewRequestDueV1, ReviewRequestedV1, ReviewSubmittedV1, ReviewWithdrawnV1,
};

const DAY: i64 = 24 * 60;

fn review() -> ReviewId {
    ReviewId::of(&order(), 1)
}

fn product() -> Option<ProductId> {
    Some(ProductId::from_bits(12))
}

pub(super) fn reviews() -> Vec<Entry> {
    let due = format!("due:{}:2026-01-15T09:00", part(1));
    let own = format!("person:{}", edge::identity::subject("https://login.example", "carla"));
    let (id, merchant, order) = (review(), merchant(), order());
    let seller = format!("person:{}", edge::identity::subject("https://login.example", "anna"));
    vec![
        entry(
            Told::new(&due, 0, 10 * DAY, "system:review").because(&due),
            ReviewRequestDueV1 { order: order.clone(), merchant_order: part(1) },
        ),
        entry(
            Told::new(format!("asking-{}", part(1)), 1, 10 * DAY, "system:review-collection").because(&due),
            ReviewRequestedV1 {
                order: order.clone(),
                merchant_order: part(1),
                merchant: merchant.clone(),
                customer: Some(CustomerId::from_bits(4)),
                lines: vec![1],
                reviews: vec![id.clone()],
                reminder: false,
                until: instant(123 * DAY),
            },
        ),
        entry(
            Told::new(&id, 1, 11 * DAY, &own),
            ReviewSubmittedV1 {
                review: id.clone(),
                order: order.clone(),
                merchant: merchant.clone(),
                product: product(),
                stars: 4,
                waits: false,
            },
        ),
        entry(
            Told::new(&id, 1, 11 * DAY, &own).second(),
            ReviewPublishedV1 {
                review: id.clone(),
                order: order.clone(),
                merchant: merchant.clone(),
                product: product(),
                offer: Some(OfferId::from_bits(13)),
                stars: 4,
            },
        ),
        entry(
            Told::new(&id, 1, 11 * DAY, &own).third(),
            MerchantRatingChangedV1 { merchant: merchant.clone(), cause: "review".to_owned() },
        ),
        entry(
            Told::new(&id, 2, 12 * DAY, seller),
            ReviewRepliedV1 {
                review: id.clone(),
                order,
                merchant: merchant.clone(),
                product: product(),
                edited: false,
            },
        ),
        entry(
            Told::new(format!("report-{id}"), 1, 13 * DAY, &own),
            ReviewReportedV1 { review: id.clone(), merchant: merchant.clone() },
        ),
        entry(
            Told::new(&id, 3, 14 * DAY, person()),
            ReviewRejectedV1 {
                review: id.clone(),
                merchant: merchant.clone(),
                reasons: vec![Cause::Advertising],
            },
        ),
        entry(Told::new(&id, 4, 15 * DAY, own), ReviewWithdrawnV1 { review: id.clone(), merchant }),
        entry(Told::new("reviews", 1, 0, person()), ReviewPolicyChangedV1 { version: 1 }),
    ]
}
