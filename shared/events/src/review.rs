//! What is told of reviews: ids and stars, never what somebody wrote or is called.

use crate::order::Instant;
use crate::{Announced, payloads};
use domain::id::{CustomerId, MerchantId, MerchantOrderId, OfferId, OrderId, ProductId, ReviewId};
use domain::review::{Cause, Review};

payloads! {
    /// Work, not news: lines of a merchant order are to be asked about. Lies in a queue, never on the bus.
    "review.request_due.v1" ReviewRequestDueV1 { order: OrderId, merchant_order: MerchantOrderId }

    /// Whoever bought these lines is to be asked for a review: write to the customer. The review of a line is named by
    /// order and line, and a link about it is what opens its form.
    "review.requested.v1" ReviewRequestedV1 {
        order: OrderId,
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<CustomerId>,
        lines: Vec<u16>,
        reviews: Vec<ReviewId>,
        /// It was asked before, and nobody answered.
        reminder: bool,
        /// So long an answer is taken.
        until: Instant,
    }

    /// A review was written, or written anew; `waits`: a person has to look at it first.
    "review.submitted.v1" ReviewSubmittedV1 {
        review: ReviewId,
        order: OrderId,
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        stars: u8,
        waits: bool,
    }

    /// Everybody may read it, and it counts.
    "review.published.v1" ReviewPublishedV1 {
        review: ReviewId,
        order: OrderId,
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        offer: Option<OfferId>,
        stars: u8,
    }

    /// Nobody may read it, and it counts no more; the reasons are for its author.
    "review.rejected.v1" ReviewRejectedV1 { review: ReviewId, merchant: MerchantId, reasons: Vec<Cause> }

    /// Its author has taken it back.
    "review.withdrawn.v1" ReviewWithdrawnV1 { review: ReviewId, merchant: MerchantId }

    /// The merchant has answered, or changed its answer (`edited`).
    "review.replied.v1" ReviewRepliedV1 {
        review: ReviewId,
        order: OrderId,
        merchant: MerchantId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        edited: bool,
    }

    /// Somebody says that a review does not belong there: an operator has to look.
    "review.reported.v1" ReviewReportedV1 { review: ReviewId, merchant: MerchantId }

    /// Rules of asking, checking and rating are new; they bind what happens from now on.
    "review.policy_changed.v1" ReviewPolicyChangedV1 { version: u64 }

    /// What a merchant's rating is made of has changed: a review that counts (`review`), or an operator's adjustment
    /// (`adjustment`).
    "merchant.rating_changed.v1" MerchantRatingChangedV1 { merchant: MerchantId, cause: String }
}

/// A rating that has changed.
pub fn rating_changed(merchant: &MerchantId, cause: &str) -> Announced {
    Announced::of(&MerchantRatingChangedV1 { merchant: merchant.clone(), cause: cause.to_owned() })
}

/// What was submitted, as it stands now.
pub fn submitted(review: &Review) -> Announced {
    Announced::of(&ReviewSubmittedV1 {
        review: review.id.clone(),
        order: review.order.clone(),
        merchant: review.merchant.clone(),
        product: review.product.clone(),
        stars: review.stars.number(),
        waits: !review.is_published(),
    })
}

/// A review that has come to count.
pub fn published(review: &Review) -> Announced {
    Announced::of(&ReviewPublishedV1 {
        review: review.id.clone(),
        order: review.order.clone(),
        merchant: review.merchant.clone(),
        product: review.product.clone(),
        offer: review.offer.clone(),
        stars: review.stars.number(),
    })
}

pub fn rejected(review: &Review, reasons: &[Cause]) -> Announced {
    let (id, merchant) = (review.id.clone(), review.merchant.clone());
    Announced::of(&ReviewRejectedV1 { review: id, merchant, reasons: reasons.to_vec() })
}

pub fn withdrawn(review: &Review) -> Announced {
    let (id, merchant) = (review.id.clone(), review.merchant.clone());
    Announced::of(&ReviewWithdrawnV1 { review: id, merchant })
}

pub fn replied(review: &Review, edited: bool) -> Announced {
    Announced::of(&ReviewRepliedV1 {
        review: review.id.clone(),
        order: review.order.clone(),
        merchant: review.merchant.clone(),
        product: review.product.clone(),
        edited,
    })
}
