//! What is told of carts and wishes: that somebody is to be written to, and what came of it. Never a cart's own id: a
//! guest's is the guest's key.

use crate::order::Instant;
use crate::{Amount, payloads};
use domain::id::{CustomerId, FollowUpId, OfferId, OrderId, ProductId};
use domain::reminder::Arm;

payloads! {
    /// Work, not news: a person's newest cart was left long enough to be looked at. Goes through the function's own
    /// queue, never over the bus.
    "cart.reminder_due.v1" CartReminderDueV1 { follow_up: FollowUpId }

    /// A reminder of the cart that this person left is to be written: whoever writes to people listens.
    "cart.reminded.v1" CartRemindedV1 {
        follow_up: FollowUpId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<CustomerId>,
        /// 1 is the first.
        number: u8,
        of: u8,
        /// For this cart alone, and used once.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code_until: Option<Instant>,
    }

    /// A cart that was left has become an order.
    "cart.recovered.v1" CartRecoveredV1 {
        follow_up: FollowUpId,
        order: OrderId,
        arm: Arm,
        /// Reminders that were written before.
        reminders: u8,
        total: Amount,
    }

    /// An offer that was gone can be had again, and this customer wants to know: write once.
    "offer.back_in_stock.v1" OfferBackInStockV1 { offer: OfferId, product: ProductId, customer: CustomerId }

    /// How carts are followed up is new; it binds looks from now on.
    "cart.reminders_set.v1" CartRemindersSetV1 { steps: u8, hold_out_percent: u8 }
}
