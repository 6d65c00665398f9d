//! Samples of what is told of plans, subscriptions, their invoices, and renewals that could not be collected.

use super::{Entry, Told, at, entry, eur, instant, marketplace, person};
use domain::dunning::Step;
use domain::gateway::Class;
use domain::id::{CartId, CustomerId, InvoiceId, OrderId, PaymentId, PlanId, SubscriptionId};
use domain::invoice::{Cause, Kind};
use domain::subscription::Change;
use events::invoice::{
    InvoiceActionRequiredV1, InvoiceIssuerChangedV1, InvoiceOpenedV1, InvoicePaidV1, InvoicePaymentFailedV1,
    InvoiceVoidedV1, InvoiceWrittenOffV1,
};
use events::subscription::{
    DunningChangedV1, DunningDueV1, PlanChangedV1, SubscriptionChangedV1, SubscriptionDueV1,
    SubscriptionGoodsDueV1, SubscriptionTrialEndingV1,
};

/// The minutes of January, and of February up to the 5th: a period.
const MONTH: i64 = 31 * 24 * 60;
const DAY: i64 = 24 * 60;

fn plan() -> PlanId {
    PlanId::named(&marketplace(), "studio")
}

fn subscription() -> SubscriptionId {
    SubscriptionId::from_bits(11)
}

fn invoice(number: u32) -> InvoiceId {
    InvoiceId::of(&subscription(), number)
}

fn payment(number: u32) -> PaymentId {
    PaymentId::of(&OrderId::of_invoice(&invoice(number)), 1)
}

/// A plan, who subscribes to it, and three invoices: paid, collected late, and never.
pub(super) fn subscriptions() -> Vec<Entry> {
    let own = format!("person:{}", edge::identity::subject("https://login.example", "carla"));
    let due = format!("due:{}:2026-02-05T09:00", subscription());
    vec![
        entry(Told::new(plan(), 1, 0, person()), PlanChangedV1 { plan: plan(), version: 1, open: true }),
        entry(
            Told::new(subscription(), 1, 10, own),
            SubscriptionChangedV1 {
                subscription: subscription(),
                customer: CustomerId::from_bits(4),
                change: Change::Started,
                status: "incomplete".to_owned(),
                plan: plan(),
                version: 1,
                quantity: 3,
                valid_until: Some(instant(MONTH)),
            },
        ),
        entry(
            Told::new(subscription(), 2, MONTH, "system:recurring-billing"),
            SubscriptionGoodsDueV1 {
                subscription: subscription(),
                customer: CustomerId::from_bits(4),
                number: 1,
                cart: CartId::of_renewal(&subscription(), 1),
            },
        ),
        entry(
            Told::new(
                format!("{}-trial-{}", subscription(), at(MONTH).as_millisecond()),
                1,
                MONTH - 3 * DAY,
                "system:recurring-billing",
            ),
            SubscriptionTrialEndingV1 {
                subscription: subscription(),
                customer: CustomerId::from_bits(4),
                plan: plan(),
                ends_at: at(MONTH).into(),
            },
        ),
        entry(
            Told::new(&due, 0, MONTH, "system:subscription").because(&due),
            SubscriptionDueV1 { subscription: subscription() },
        ),
    ]
}

pub(super) fn invoices() -> Vec<Entry> {
    let renewed = |step, minutes| {
        Told::new(invoice(2), step, minutes, "system:recurring-billing")
            .because(format!("due:{}:2026-02-05T09:00.0", subscription()))
    };
    let told = |step, minutes| Told::new(payment(2), step, minutes, "system:recurring-billing");
    let customer = CustomerId::from_bits(4);
    vec![
        entry(
            renewed(1, MONTH),
            InvoiceOpenedV1 {
                invoice: invoice(2),
                subscription: subscription(),
                customer: customer.clone(),
                kind: Kind::Invoice,
                cause: Cause::Renewal,
                total: eur("30.00"),
                due: eur("25.00"),
                period_from: instant(MONTH),
                period_until: instant(2 * MONTH - 3 * DAY),
            },
        ),
        entry(
            told(2, MONTH),
            InvoicePaymentFailedV1 {
                invoice: invoice(2),
                payment: payment(2),
                code: "insufficient_funds".to_owned(),
                class: Class::Soft,
                failures: 1,
            },
        ),
        entry(told(4, MONTH + DAY), InvoiceActionRequiredV1 { invoice: invoice(2), payment: payment(2) }),
        entry(
            told(6, MONTH + 3 * DAY),
            InvoicePaidV1 {
                invoice: invoice(2),
                subscription: subscription(),
                customer,
                payment: payment(2),
                cause: Cause::Renewal,
                amount: eur("25.00"),
                recovers: true,
            },
        ),
        entry(
            Told::new(invoice(1), 2, DAY, "system:recurring-billing"),
            InvoiceVoidedV1 { invoice: invoice(1), subscription: subscription() },
        ),
        entry(Told::new("issuer", 1, 0, person()), InvoiceIssuerChangedV1 { country: "DE".to_owned() }),
        entry(
            Told::new(invoice(3), 2, 2 * MONTH + 21 * DAY, "system:dunning"),
            InvoiceWrittenOffV1 { invoice: invoice(3), subscription: subscription(), amount: eur("30.00") },
        ),
    ]
}

pub(super) fn dunning() -> Vec<Entry> {
    let due = format!("due:{}:2026-02-06T09:00", invoice(2));
    let failed = format!("{}.2", payment(2));
    vec![
        entry(
            Told::new(format!("dunning-{}", invoice(2)), 1, MONTH, "system:dunning").because(failed),
            DunningChangedV1 {
                invoice: invoice(2),
                subscription: subscription(),
                customer: CustomerId::from_bits(4),
                step: Step::RetryScheduled,
                due: eur("25.00"),
                attempt: Some(1),
                of: Some(3),
                next_at: Some(instant(MONTH + DAY)),
            },
        ),
        entry(
            Told::new(&due, 0, MONTH + DAY, "system:dunning").because(&due),
            DunningDueV1 { invoice: invoice(2) },
        ),
    ]
}
