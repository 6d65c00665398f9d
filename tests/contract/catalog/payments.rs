//! Samples of what is told of a payment.

use super::{Entry, Told, entry, eur, instant, order, part, person};
use domain::gateway::{Class, Method};
use domain::id::PaymentId;
use domain::payment::To;
use events::payment::{
    PaymentActionRequiredV1, PaymentAlertRaisedV1, PaymentAuthorizedV1, PaymentCapturedV1, PaymentClosedV1,
    PaymentDeclinedV1, PaymentDueV1, PaymentPromisedV1, PaymentRefundGrantedV1, PaymentRefundRedirectedV1,
    PaymentRefundedV1, PaymentVoidedV1,
};

fn payment() -> PaymentId {
    PaymentId::of(&order(), 1)
}

/// By a gateway's answer to checkout, a webhook, the schedule, and an operator.
pub(super) fn payments() -> Vec<Entry> {
    let (method, refund) = (Method::Card, 1);
    let due = format!("due:{}:2026-01-05T09:15", payment());
    let told = |step, minutes| Told::new(payment(), step, minutes, "system:payment");
    let by_operator = |step, minutes| Told::new(payment(), step, minutes, person());
    let (payment, order) = (payment(), order());
    vec![
        entry(
            told(2, 10),
            PaymentAuthorizedV1 {
                payment: payment.clone(),
                order: order.clone(),
                method,
                gateway: "stripe".to_owned(),
                amount: eur("43.90"),
                expires_at: Some(instant(7 * 24 * 60)),
            },
        ),
        entry(
            told(2, 10),
            PaymentPromisedV1 {
                payment: payment.clone(),
                order: order.clone(),
                method: Method::BankTransfer,
                amount: eur("43.90"),
            },
        ),
        entry(
            told(2, 10),
            PaymentActionRequiredV1 { payment: payment.clone(), order: order.clone(), method },
        ),
        entry(
            told(2, 10),
            PaymentDeclinedV1 {
                payment: payment.clone(),
                order: order.clone(),
                method,
                code: "insufficient_funds".to_owned(),
                class: Class::Soft,
            },
        ),
        entry(
            told(4, 300),
            PaymentCapturedV1 {
                payment: payment.clone(),
                order: order.clone(),
                method,
                merchant_order: Some(part(1)),
                amount: eur("33.90"),
                captured: eur("33.90"),
            },
        ),
        entry(
            told(6, 400),
            PaymentVoidedV1 { payment: payment.clone(), order: order.clone(), amount: eur("10.00") },
        ),
        entry(
            told(7, 20_000),
            PaymentRefundGrantedV1 {
                payment: payment.clone(),
                order: order.clone(),
                refund,
                cause: format!("{}:0", part(1)),
                amount: eur("29.00"),
                to: To::Original,
                stray: false,
            },
        ),
        entry(
            by_operator(8, 20_100),
            PaymentRefundRedirectedV1 {
                payment: payment.clone(),
                order: order.clone(),
                refund,
                amount: eur("29.00"),
            },
        ),
        entry(
            told(10, 20_101),
            PaymentRefundedV1 {
                payment: payment.clone(),
                order: order.clone(),
                refund,
                amount: eur("29.00"),
                to: To::StoreCredit,
            },
        ),
        entry(told(3, 500), PaymentClosedV1 { payment: payment.clone(), order: order.clone() }),
        entry(
            told(3, 20),
            PaymentAlertRaisedV1 {
                payment: payment.clone(),
                order,
                alert: "unresolved".to_owned(),
                amount: eur("43.90"),
            },
        ),
        entry(Told::new(due.clone(), 0, 15, "system:payment").because(&due), PaymentDueV1 { payment }),
    ]
}
