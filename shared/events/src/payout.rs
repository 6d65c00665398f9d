//! What is told of payouts.

use crate::order::Instant;
use crate::{Amount, Announced, payloads};
use domain::id::{MerchantId, PayoutId};
use domain::payout::{Fact, Payout};

payloads! {
    /// Work, not news: a merchant's payout is due. Goes through a queue of its own, never over the bus.
    "payout.due.v1" PayoutDueV1 { merchant: MerchantId }

    /// A range of payable days is claimed; the statement stands.
    "payout.created.v1" PayoutCreatedV1 {
        payout: PayoutId,
        merchant: MerchantId,
        /// The last day of the range.
        through: String,
        amount: Amount,
        orders: u64,
    }

    /// The bank has the order to pay.
    "payout.sent.v1" PayoutSentV1 {
        payout: PayoutId, merchant: MerchantId, amount: Amount, reference: String,
    }

    /// The bank has paid.
    "payout.paid.v1" PayoutPaidV1 { payout: PayoutId, merchant: MerchantId, amount: Amount, paid_at: Instant }

    /// The money did not arrive: the debt is open again and goes with the next payout.
    "payout.failed.v1" PayoutFailedV1 {
        payout: PayoutId, merchant: MerchantId, amount: Amount, reason: String, after_success: bool,
    }

    /// Something is due and the merchant has no active payout account.
    "payout.blocked.v1" PayoutBlockedV1 { merchant: MerchantId, balance: Amount }

    /// The merchant owes more than the marketplace's limit.
    "merchant.balance_critical.v1" MerchantBalanceCriticalV1 { merchant: MerchantId, balance: Amount }
}

/// The first thing said of a payout.
pub fn created(payout: &Payout) -> Announced {
    Announced::of(&PayoutCreatedV1 {
        payout: payout.id.clone(),
        merchant: payout.merchant.clone(),
        through: payout.through.to_string(),
        amount: payout.amount.into(),
        orders: payout.totals.orders,
    })
}

/// What each fact is called outside.
pub fn announce(payout: &Payout, fact: &Fact) -> Announced {
    let (id, merchant, amount) = (payout.id.clone(), payout.merchant.clone(), payout.amount.into());
    match fact.clone() {
        Fact::Sent { reference, .. } => {
            Announced::of(&PayoutSentV1 { payout: id, merchant, amount, reference: reference.into() })
        }
        Fact::Paid { at } => {
            Announced::of(&PayoutPaidV1 { payout: id, merchant, amount, paid_at: at.into() })
        }
        Fact::Failed { reason, after_success, .. } => Announced::of(&PayoutFailedV1 {
            payout: id,
            merchant,
            amount,
            reason: reason.into(),
            after_success,
        }),
    }
}
