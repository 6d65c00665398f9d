//! What is told of discounts: that a code or a customer's agreements read differently now.

use crate::payloads;
use domain::id::CustomerId;

payloads! {
    /// A code is new, reads differently, or takes nothing off any more; placed orders keep what they have.
    "discount.code_changed.v1" DiscountCodeChangedV1 { code: String, open: bool }

    /// What is agreed with a customer is new; placed orders keep what they have.
    "discount.agreements_changed.v1" DiscountAgreementsChangedV1 { customer: CustomerId }
}
