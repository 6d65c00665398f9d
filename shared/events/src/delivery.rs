//! What is told of delivery: that a merchant's table is new, not how it reads now.

use crate::payloads;
use domain::id::MerchantId;

payloads! {
    /// What a merchant delivers where, when and for how much is new; it counts from the next question on.
    "delivery.rates_changed.v1" DeliveryRatesChangedV1 { merchant: MerchantId }
}
