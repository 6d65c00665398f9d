//! What is told of plans, subscriptions, and renewals that could not be collected.

use crate::order::Instant;
use crate::{Amount, Announced, payloads};
use domain::dunning;
use domain::id::{CartId, CustomerId, InvoiceId, PlanId, SubscriptionId};
use domain::subscription::{Change, Subscription};

payloads! {
    /// A plan is new or has new terms; running subscriptions keep theirs. Not `open`: nobody can subscribe any more.
    "plan.changed.v1" PlanChangedV1 { plan: PlanId, version: u32, open: bool }

    /// Something about a subscription is new: `change` says what. A renewal that changes nothing else is told by its
    /// invoice alone.
    "subscription.changed.v1" SubscriptionChangedV1 {
        subscription: SubscriptionId,
        customer: CustomerId,
        change: Change,
        /// `incomplete`, `trialing`, `active`, `paused` or `ended`.
        status: String,
        plan: PlanId,
        version: u32,
        quantity: u32,
        /// Up to when it is paid, or free.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        valid_until: Option<Instant>,
    }

    /// A trial ends soon, and charges begin: told once of each end, and not where it was canceled.
    "subscription.trial_ending.v1" SubscriptionTrialEndingV1 {
        subscription: SubscriptionId,
        customer: CustomerId,
        plan: PlanId,
        ends_at: Instant,
    }

    /// Goods of a period are to be ordered: they become the order of this cart.
    "subscription.goods_due.v1" SubscriptionGoodsDueV1 {
        subscription: SubscriptionId,
        customer: CustomerId,
        /// The period's number in the subscription.
        number: u32,
        cart: CartId,
    }

    /// Work, not news: the end of a period, a trial or a pause has come, or that of a trial is near. Goes through the
    /// function's own queue, never over the bus.
    "subscription.due.v1" SubscriptionDueV1 { subscription: SubscriptionId }

    /// A renewal's payment failed, and what follows: whoever writes to the customer listens.
    "dunning.changed.v1" DunningChangedV1 {
        invoice: InvoiceId,
        subscription: SubscriptionId,
        customer: CustomerId,
        step: dunning::Step,
        due: Amount,
        /// The try that comes next, of how many; none where nothing is tried by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u16>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<u16>,
        /// When something comes next: a try, a restriction, the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        next_at: Option<Instant>,
    }

    /// Work, not news: something of a dunning case is due. Goes through the function's own queue, never over the bus.
    "dunning.due.v1" DunningDueV1 { invoice: InvoiceId }
}

/// What a step of a subscription is called outside.
pub fn announce(after: &Subscription, change: Change) -> Announced {
    Announced::of(&SubscriptionChangedV1 {
        subscription: after.id.clone(),
        customer: after.customer.clone(),
        change,
        status: after.status().to_owned(),
        plan: after.plan.clone(),
        version: after.version,
        quantity: after.quantity,
        valid_until: after.valid_until().map(Instant::from),
    })
}

/// That a step has goods to be ordered.
pub fn goods_due(after: &Subscription) -> Announced {
    Announced::of(&SubscriptionGoodsDueV1 {
        subscription: after.id.clone(),
        customer: after.customer.clone(),
        number: after.number,
        cart: CartId::of_renewal(&after.id, after.number),
    })
}

/// Where a case stands after a change of it.
pub fn dunned(case: &dunning::Case) -> Announced {
    let attempt = case.attempt();
    Announced::of(&DunningChangedV1 {
        invoice: case.invoice.clone(),
        subscription: case.subscription.clone(),
        customer: case.customer.clone(),
        step: case.step(),
        due: case.due.into(),
        attempt: attempt.map(|(next, _)| next),
        of: attempt.and_then(|(_, of)| u16::try_from(of).ok()),
        next_at: case.next().map(|(at, _)| at.into()),
    })
}
