//! What is told of a payment: ids and amounts, never a token.
//!
//! How the payment of an invoice fares is told in the invoice's words (`invoice.*.v1`): it is of no order. That the
//! invoice is paid is told where both change.

use crate::invoice::{InvoiceActionRequiredV1, InvoicePaymentFailedV1};
use crate::order::Instant;
use crate::{Amount, Announced, payloads};
use domain::gateway::{Class, Method, Outcome};
use domain::id::{MerchantOrderId, OrderId, PaymentId};
use domain::payment::{Alert, Call, Fact, Payment, Refund, RefundStage, Stage, State, To};

payloads! {
    /// The customer's money is reserved, for the first time or again: `amount` of it may still be captured.
    "payment.authorized.v1" PaymentAuthorizedV1 {
        payment: PaymentId,
        order: OrderId,
        method: Method,
        gateway: String,
        amount: Amount,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Instant>,
    }

    /// The money will come by itself: a bank transfer.
    "payment.promised.v1" PaymentPromisedV1 {
        payment: PaymentId, order: OrderId, method: Method, amount: Amount,
    }

    /// The customer has to confirm first.
    "payment.action_required.v1" PaymentActionRequiredV1 {
        payment: PaymentId, order: OrderId, method: Method,
    }

    /// No authorization: the gateway declined, the customer did not confirm, or nobody knows and a person has given up
    /// (`given_up`).
    "payment.declined.v1" PaymentDeclinedV1 {
        payment: PaymentId, order: OrderId, method: Method, code: String, class: Class,
    }

    /// Money was taken: `amount` now, for one merchant order where it was captured for one; `captured` in all.
    "payment.captured.v1" PaymentCapturedV1 {
        payment: PaymentId,
        order: OrderId,
        method: Method,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant_order: Option<MerchantOrderId>,
        amount: Amount,
        captured: Amount,
    }

    /// What was not captured is the customer's again: released by us, or lapsed at the gateway.
    "payment.voided.v1" PaymentVoidedV1 { payment: PaymentId, order: OrderId, amount: Amount }

    /// Somebody, or what became of the order, has decided that money goes back.
    "payment.refund_granted.v1" PaymentRefundGrantedV1 {
        payment: PaymentId,
        order: OrderId,
        refund: u16,
        cause: String,
        amount: Amount,
        to: To,
        stray: bool,
    }

    /// The refund becomes store credit.
    "payment.refund_redirected.v1" PaymentRefundRedirectedV1 {
        payment: PaymentId, order: OrderId, refund: u16, amount: Amount,
    }

    /// The money has gone back.
    "payment.refunded.v1" PaymentRefundedV1 {
        payment: PaymentId, order: OrderId, refund: u16, amount: Amount, to: To,
    }

    /// The order is canceled or paid otherwise: nothing more is wanted of the payment.
    "payment.closed.v1" PaymentClosedV1 { payment: PaymentId, order: OrderId }

    /// A person has to look: `unresolved`, `not_finalized`, `expiring`, `capture_failed`, `refund_failed`,
    /// `refunded_twice`, `missing` or `stray`.
    "payment.alert_raised.v1" PaymentAlertRaisedV1 {
        payment: PaymentId, order: OrderId, alert: String, amount: Amount,
    }

    /// Work, not news: something of a payment is due. Goes through the function's own queue, never over the bus.
    "payment.due.v1" PaymentDueV1 { payment: PaymentId }
}

/// What each fact is called outside. What changes nothing for anybody else, such as a call that begins or a question
/// without an answer, is not told.
pub fn announce(before: &Payment, after: &Payment, fact: &Fact) -> Vec<Announced> {
    let (payment, order) = (after.id.clone(), after.order.clone());
    match fact {
        Fact::Begun { .. } | Fact::Finalized { .. } => Vec::new(),
        Fact::Told { attempt, outcome, .. } => told(before, after, *attempt, outcome),
        Fact::GivenUp { attempt, .. } => {
            let authorizes = after.attempt(*attempt).is_some_and(|one| one.call == Call::Authorize);
            authorizes.then(|| declined(after, "given_up".to_owned(), Class::Fault)).into_iter().collect()
        }
        Fact::Granted { refunds } => {
            let granted = refunds.iter().map(|refund| PaymentRefundGrantedV1 {
                payment: payment.clone(),
                order: order.clone(),
                refund: refund.number,
                cause: refund.cause.to_string(),
                amount: refund.amount.into(),
                to: refund.to,
                stray: refund.stray,
            });
            granted.map(|granted| Announced::of(&granted)).collect()
        }
        Fact::Redirected { refund, .. } => {
            let told = after.refund(*refund).map(|held| {
                let (refund, amount) = (held.number, held.amount.into());
                Announced::of(&PaymentRefundRedirectedV1 { payment, order, refund, amount })
            });
            told.into_iter().collect()
        }
        Fact::Closed { .. } => vec![Announced::of(&PaymentClosedV1 { payment, order })],
        Fact::Alerted { alert, .. } => {
            let (amount, alert) = (concerns(after, alert).into(), alert.word().to_owned());
            let raised =
                Announced::of(&PaymentAlertRaisedV1 { payment, order, alert: alert.clone(), amount });
            // The order is told once more; a person need not look if it listens now.
            let again = (alert == Alert::NotFinalized.word()).then(|| remind(after)).flatten();
            std::iter::once(raised).chain(again).collect()
        }
    }
}

/// That the money is there, told once more to an order that has not taken note of it.
fn remind(payment: &Payment) -> Option<Announced> {
    match payment.stage() {
        Stage::Promised => Some(promised(payment)),
        Stage::Authorized { .. } => Some(authorized(payment)),
        Stage::Captured { .. } => {
            let nothing = Payment { attempts: Vec::new(), ..payment.clone() };
            Some(captured(&nothing, payment, &Call::Authorize))
        }
        Stage::Created
        | Stage::Authorizing
        | Stage::RequiresAction { .. }
        | Stage::Unknown { .. }
        | Stage::Declined { .. }
        | Stage::Released => None,
    }
}

/// How much money an alert is about.
fn concerns(payment: &Payment, alert: &Alert) -> domain::Money {
    let of = |attempt: u16| payment.attempt(attempt).map_or(payment.amount, |one| one.amount);
    match alert {
        Alert::Unresolved { attempt } | Alert::CaptureFailed { attempt } => of(*attempt),
        Alert::NotFinalized => payment.secured(),
        Alert::Expiring { .. } => payment.uncaptured(),
        Alert::RefundFailed { refund } | Alert::RefundedTwice { refund } => {
            payment.refund(*refund).map_or(payment.amount, |held| held.amount)
        }
        Alert::Missing { amount } | Alert::Stray { amount } => *amount,
    }
}

/// What is new after a telling: its words alone do not say, for it may be late, or not the first.
fn told(before: &Payment, after: &Payment, attempt: u16, outcome: &Outcome) -> Vec<Announced> {
    let (Some(was), Some(is)) = (before.attempt(attempt), after.attempt(attempt)) else { return Vec::new() };
    if was.state == is.state && was.lapsed == is.lapsed {
        return Vec::new();
    }
    let (payment, order) = (after.id.clone(), after.order.clone());
    let of_invoice = after.invoice.is_some();
    match (&is.call, outcome) {
        (Call::Authorize, Outcome::Captured { .. } | Outcome::Approved { .. } | Outcome::Promised { .. })
            if of_invoice =>
        {
            Vec::new()
        }
        (Call::Authorize, Outcome::RequiresAction { .. }) => {
            if let Some(invoice) = after.invoice.clone() {
                return vec![Announced::of(&InvoiceActionRequiredV1 { invoice, payment })];
            }
            let method = after.method;
            vec![Announced::of(&PaymentActionRequiredV1 { payment, order, method })]
        }
        (Call::Authorize, Outcome::Promised { .. }) => vec![promised(after)],
        // That it ends later than was said before is no news for anybody.
        (Call::Authorize, Outcome::Approved { .. }) => match was.state {
            State::Approved { .. } => Vec::new(),
            State::Open { .. }
            | State::Promised
            | State::GivenUp { .. }
            | State::Declined { .. }
            | State::Captured { .. } => vec![authorized(after)],
        },
        (Call::Authorize, Outcome::Declined { decline }) => {
            vec![declined(after, decline.code.to_string(), decline.class)]
        }
        (Call::Authorize, Outcome::Captured { .. })
        | (Call::Capture { .. }, Outcome::Approved { .. } | Outcome::Captured { .. }) => {
            vec![captured(before, after, &is.call)]
        }
        (Call::Authorize, Outcome::Lapsed) => {
            vec![released(after, before.left())]
        }
        (Call::Void { .. }, Outcome::Approved { .. } | Outcome::Captured { .. }) => {
            vec![released(after, is.amount)]
        }
        // It holds after all, and its checkout may have waited for just that.
        (Call::Void { authorization }, Outcome::Declined { .. })
            if !after.finalized && after.in_force().is_some_and(|held| held.number == *authorization) =>
        {
            vec![authorized(after)]
        }
        (Call::Refund { refund }, Outcome::Approved { .. } | Outcome::Captured { .. }) => {
            let done = |held: &&Refund| matches!(after.refund_stage(held), RefundStage::Executed { .. });
            let told = after.refund(*refund).filter(done).map(|held| {
                let (refund, amount, to) = (held.number, held.amount.into(), held.way_of(is));
                Announced::of(&PaymentRefundedV1 { payment, order, refund, amount, to })
            });
            told.into_iter().collect()
        }
        (
            Call::Authorize | Call::Capture { .. } | Call::Void { .. } | Call::Refund { .. },
            Outcome::Unknown
            | Outcome::RequiresAction { .. }
            | Outcome::Promised { .. }
            | Outcome::Declined { .. }
            | Outcome::Lapsed,
        ) => Vec::new(),
    }
}

fn authorized(payment: &Payment) -> Announced {
    let until = match payment.stage() {
        Stage::Authorized { until, .. } => until,
        Stage::Created
        | Stage::Authorizing
        | Stage::RequiresAction { .. }
        | Stage::Unknown { .. }
        | Stage::Promised
        | Stage::Declined { .. }
        | Stage::Captured { .. }
        | Stage::Released => None,
    };
    Announced::of(&PaymentAuthorizedV1 {
        payment: payment.id.clone(),
        order: payment.order.clone(),
        method: payment.method,
        gateway: payment.gateway.to_string(),
        amount: payment.left().into(),
        expires_at: until.map(Instant::from),
    })
}

fn promised(payment: &Payment) -> Announced {
    Announced::of(&PaymentPromisedV1 {
        payment: payment.id.clone(),
        order: payment.order.clone(),
        method: payment.method,
        amount: payment.amount.into(),
    })
}

fn declined(payment: &Payment, code: String, class: Class) -> Announced {
    if let Some(invoice) = payment.invoice.clone() {
        let (payment, failures) = (payment.id.clone(), payment.failures());
        return Announced::of(&InvoicePaymentFailedV1 { invoice, payment, code, class, failures });
    }
    let (payment, order, method) = (payment.id.clone(), payment.order.clone(), payment.method);
    Announced::of(&PaymentDeclinedV1 { payment, order, method, code, class })
}

/// What an invoice is paid with is taken at once: what is given up of it was never confirmed.
fn released(payment: &Payment, amount: domain::Money) -> Announced {
    if payment.invoice.is_some() {
        return declined(payment, "not_confirmed".to_owned(), Class::Hard);
    }
    let (payment, order) = (payment.id.clone(), payment.order.clone());
    Announced::of(&PaymentVoidedV1 { payment, order, amount: amount.into() })
}

fn captured(before: &Payment, after: &Payment, call: &Call) -> Announced {
    let part = match call {
        Call::Capture { part, .. } => Some(*part),
        Call::Authorize => after.part,
        Call::Void { .. } | Call::Refund { .. } => None,
    };
    let (was, is) = (before.captured(), after.captured());
    let now = domain::Money { minor: is.minor.saturating_sub(was.minor), ..is };
    Announced::of(&PaymentCapturedV1 {
        payment: after.id.clone(),
        order: after.order.clone(),
        method: after.method,
        merchant_order: part.map(|part| MerchantOrderId::of(&after.order, part)),
        amount: now.into(),
        captured: is.into(),
    })
}
