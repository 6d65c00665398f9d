//! What is told of an order.

use crate::{Amount, Announced, payloads};
use domain::MoneyError;
use domain::id::{CustomerId, MerchantId, MerchantOrderId, OfferId, OrderId};
use domain::order::{Decided, Exception, ExceptionKind, Fact, Order};
use serde::{Deserialize, Serialize};

payloads! {
    /// An order is accepted: the gate is passed, or a channel has sold it. Merchant orders follow from it.
    "order.placed.v1" OrderPlacedV1 {
        order: OrderId,
        channel: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        external_id: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<CustomerId>,
        placed_at: Instant,
        total: Amount,
        paid: Amount,
        lines: u32,
        merchant_orders: Vec<MerchantOrderId>,
    }

    /// Work, not news: an order has waited for its payment long enough. Goes through the orders' own queue, never over
    /// the bus.
    "order.unpaid.v1" OrderUnpaidV1 { order: OrderId }

    /// The promise has become money: merchant orders may ship.
    "order.paid.v1" OrderPaidV1 { order: OrderId, paid_at: Instant, merchant_orders: Vec<MerchantOrderId> }

    /// What was not shipped is canceled; `whole`: nothing is left of the order.
    "order.canceled.v1" OrderCanceledV1 {
        order: OrderId, canceled_at: Instant, reason: String, whole: bool, refund: Amount,
    }

    /// Delivered goods are paid back.
    "order.refunded.v1" OrderRefundedV1 {
        order: OrderId, merchant: MerchantId, amount: Amount, reason: String,
    }

    /// A guest's order belongs to an account now.
    "order.claimed.v1" OrderClaimedV1 {
        order: OrderId,
        customer: CustomerId,
        /// Whose it was: the guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<CustomerId>,
    }

    /// Payments and lines differ, or there are no lines: an operator has to look.
    "order.exception_raised.v1" OrderExceptionRaisedV1 {
        order: OrderId, kind: ExceptionKind, difference: Amount,
    }

    /// A channel has sold what is not there: receive it and ship, or reject it.
    "order.shortage_raised.v1" OrderShortageRaisedV1 { order: OrderId, lines: Vec<ShortLine> }

    /// The difference is explained and has left the suspense account.
    "order.exception_resolved.v1" OrderExceptionResolvedV1 { order: OrderId, reason: String, by: String }
}

/// Units of a line that no stock was there for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShortLine {
    pub line: u16,
    pub merchant: MerchantId,
    pub offer: OfferId,
    pub missing: u32,
}

/// A moment as RFC 3339 text in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
pub struct Instant(pub jiff::Timestamp);

impl From<jiff::Timestamp> for Instant {
    fn from(at: jiff::Timestamp) -> Self {
        Self(at)
    }
}

fn parts(order: &Order) -> Vec<MerchantOrderId> {
    (1_u8..).zip(order.merchants()).map(|(number, _)| MerchantOrderId::of(&order.id, number)).collect()
}

/// The first things said of an order.
pub fn placed(order: &Order) -> Result<Vec<Announced>, MoneyError> {
    let mut facts = vec![Announced::of(&OrderPlacedV1 {
        order: order.id.clone(),
        channel: order.channel.as_str().to_owned(),
        external_id: order.external_id.as_ref().map(|id| id.as_str().to_owned()),
        customer: order.customer.clone(),
        placed_at: order.placed_at.into(),
        total: order.total()?.into(),
        paid: order.paid()?.into(),
        lines: u32::try_from(order.lines.len()).unwrap_or(u32::MAX),
        merchant_orders: parts(order),
    })];
    facts.extend(raised(None, order));
    let short = order.lines.iter().filter(|line| line.short() > 0);
    let short = short.filter_map(|line| {
        let (offer, merchant) = (line.offer.clone()?, line.merchant.clone());
        Some(ShortLine { line: line.number, merchant, offer, missing: line.short() })
    });
    let lines: Vec<ShortLine> = short.collect();
    if !lines.is_empty() {
        facts.push(Announced::of(&OrderShortageRaisedV1 { order: order.id.clone(), lines }));
    }
    Ok(facts)
}

/// An exception that was not there before.
fn raised(before: Option<&Order>, after: &Order) -> Option<Announced> {
    let was_open = before.is_some_and(|order| matches!(order.exception, Some(Exception::Open { .. })));
    match &after.exception {
        Some(Exception::Open { kind }) if !was_open => Some(Announced::of(&OrderExceptionRaisedV1 {
            order: after.id.clone(),
            kind: *kind,
            difference: after.difference.into(),
        })),
        Some(Exception::Open { .. } | Exception::Resolved { .. }) | None => None,
    }
}

/// What each fact is called outside. A new fact does not compile until it has a name here.
pub fn announce(before: &Order, after: &Order, decided: &Decided) -> Vec<Announced> {
    let order = after.id.clone();
    let told = match &decided.fact {
        Fact::Paid { at, .. } => {
            Announced::of(&OrderPaidV1 { order, paid_at: (*at).into(), merchant_orders: parts(after) })
        }
        Fact::Canceled { at, reason, whole, refund, .. } => Announced::of(&OrderCanceledV1 {
            order,
            canceled_at: (*at).into(),
            reason: reason.as_str().to_owned(),
            whole: *whole,
            refund: (*refund).into(),
        }),
        Fact::Refunded { merchant, amount, reason, .. } => Announced::of(&OrderRefundedV1 {
            order,
            merchant: merchant.clone(),
            amount: (*amount).into(),
            reason: reason.as_str().to_owned(),
        }),
        Fact::ExceptionResolved { reason, by, .. } => Announced::of(&OrderExceptionResolvedV1 {
            order,
            reason: reason.as_str().to_owned(),
            by: by.clone(),
        }),
        Fact::Claimed { customer } => Announced::of(&OrderClaimedV1 {
            order,
            customer: customer.clone(),
            from: before.customer.clone(),
        }),
    };
    std::iter::once(told).chain(raised(Some(before), after)).collect()
}
