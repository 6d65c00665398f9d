//! What is told of invoices and credit notes: ids and amounts, never whom they are addressed to.

use crate::order::Instant;
use crate::{Amount, Announced, payloads};
use domain::MoneyError;
use domain::gateway::Class;
use domain::id::{CustomerId, InvoiceId, PaymentId, SubscriptionId};
use domain::invoice::{Cause, Invoice, Kind};
use domain::payment::Payment;

payloads! {
    /// A document was made: an invoice, which a payment is tried for if something is `due`, or a credit note.
    "invoice.opened.v1" InvoiceOpenedV1 {
        invoice: InvoiceId,
        subscription: SubscriptionId,
        customer: CustomerId,
        kind: Kind,
        cause: Cause,
        total: Amount,
        /// What credit has not paid.
        due: Amount,
        period_from: Instant,
        period_until: Instant,
    }

    /// The money is there.
    "invoice.paid.v1" InvoicePaidV1 {
        invoice: InvoiceId,
        subscription: SubscriptionId,
        customer: CustomerId,
        payment: PaymentId,
        cause: Cause,
        amount: Amount,
        /// Something had gone wrong before: a decline, a customer who had to confirm, an answer that did not come.
        recovers: bool,
    }

    /// The payment was declined, its customer did not confirm it (`not_confirmed`), or nobody knows and a person has
    /// given up (`given_up`).
    "invoice.payment_failed.v1" InvoicePaymentFailedV1 {
        invoice: InvoiceId,
        payment: PaymentId,
        code: String,
        class: Class,
        /// Attempts that have failed, with this one.
        failures: u16,
    }

    /// The customer has to confirm the payment.
    "invoice.action_required.v1" InvoiceActionRequiredV1 { invoice: InvoiceId, payment: PaymentId }

    /// Nothing came of what it was for, or another document took its place: as if it had never been made.
    "invoice.voided.v1" InvoiceVoidedV1 { invoice: InvoiceId, subscription: SubscriptionId }

    /// Another legal entity issues what is printed from now on, or its address or tax id is another.
    "invoice.issuer_changed.v1" InvoiceIssuerChangedV1 { country: String }

    /// Nobody will pay it.
    "invoice.written_off.v1" InvoiceWrittenOffV1 {
        invoice: InvoiceId, subscription: SubscriptionId, amount: Amount,
    }
}

/// The first thing said of a document.
pub fn opened(invoice: &Invoice) -> Result<Announced, MoneyError> {
    Ok(Announced::of(&InvoiceOpenedV1 {
        invoice: invoice.id.clone(),
        subscription: invoice.subscription.clone(),
        customer: invoice.customer.clone(),
        kind: invoice.kind,
        cause: invoice.cause,
        total: invoice.total()?.into(),
        due: invoice.due()?.into(),
        period_from: invoice.period.from.into(),
        period_until: invoice.period.until.into(),
    }))
}

/// An invoice that its payment has paid; `before` is the payment as it was until then.
pub fn paid(invoice: &Invoice, before: &Payment) -> Result<Announced, MoneyError> {
    Ok(Announced::of(&InvoicePaidV1 {
        invoice: invoice.id.clone(),
        subscription: invoice.subscription.clone(),
        customer: invoice.customer.clone(),
        payment: before.id.clone(),
        cause: invoice.cause,
        amount: invoice.due()?.into(),
        recovers: before.in_trouble(),
    }))
}

pub fn voided(invoice: &Invoice) -> Announced {
    let (invoice, subscription) = (invoice.id.clone(), invoice.subscription.clone());
    Announced::of(&InvoiceVoidedV1 { invoice, subscription })
}

pub fn written_off(invoice: &Invoice) -> Result<Announced, MoneyError> {
    let (id, subscription) = (invoice.id.clone(), invoice.subscription.clone());
    Ok(Announced::of(&InvoiceWrittenOffV1 { invoice: id, subscription, amount: invoice.due()?.into() }))
}
