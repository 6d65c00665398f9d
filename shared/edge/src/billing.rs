//! How invoices, credit notes and what pays them are shown, also before they exist.

use domain::MoneyError;
use domain::gateway::Class;
use domain::invoice::{Cause, Invoice, Kind, Line, What};
use domain::payment::{Payment, Stage};
use events::Amount;
use jiff::Timestamp;
use serde::Serialize;

/// An invoice or a credit note.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Invoice"))]
pub struct DocumentView {
    pub id: String,
    /// Gapless in its year; none until it is given, and in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    kind: Kind,
    cause: Cause,
    /// `open`, `paid`, `void` or `uncollectible`; of a credit note `issued`.
    status: &'static str,
    /// The document that charged what this one credits.
    #[serde(skip_serializing_if = "Option::is_none")]
    corrects: Option<String>,
    subscription: String,
    customer: String,
    opened_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<String>,
    lines: Vec<LineView>,
    subtotal: Amount,
    tax: Amount,
    total: Amount,
    /// What the subscription's credit has paid; of a credit note what it has given, less than zero.
    credit: Amount,
    due: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InvoiceLine"))]
struct LineView {
    what: What,
    plan: String,
    quantity: u32,
    /// The service time that it is for: from here …
    starts_at: String,
    /// … up to here.
    ends_at: String,
    /// Without the tax; less than zero where it is credited.
    base: Amount,
    tax: Amount,
    tax_percent: String,
    /// Why it bears this tax: `standard`, `reduced`, `reverse_charge`, …
    tax_reason: &'static str,
    total: Amount,
}

impl LineView {
    fn of(line: &Line) -> Result<Self, MoneyError> {
        Ok(Self {
            what: line.what,
            plan: line.plan.to_string(),
            quantity: line.quantity,
            starts_at: line.period.from.to_string(),
            ends_at: line.period.until.to_string(),
            base: line.base.into(),
            tax: line.tax.into(),
            tax_percent: line.percent.normalize().to_string(),
            tax_reason: line.reason.word(),
            total: line.total()?.into(),
        })
    }
}

impl DocumentView {
    pub fn of(invoice: &Invoice) -> Result<Self, MoneyError> {
        use domain::invoice::Stage as S;
        let paid_at = match invoice.stage {
            S::Paid { since } => Some(since.to_string()),
            S::Open | S::Void { .. } | S::Uncollectible { .. } => None,
        };
        Ok(Self {
            id: invoice.id.to_string(),
            number: invoice.number.map(|number| number.to_string()),
            kind: invoice.kind,
            cause: invoice.cause,
            status: invoice.status(),
            corrects: invoice.corrected().map(|id| id.to_string()),
            subscription: invoice.subscription.to_string(),
            customer: invoice.customer.to_string(),
            opened_at: invoice.opened_at.to_string(),
            paid_at,
            lines: invoice.lines.iter().map(LineView::of).collect::<Result<_, _>>()?,
            subtotal: invoice.subtotal()?.into(),
            tax: invoice.tax()?.into(),
            total: invoice.total()?.into(),
            credit: invoice.credit.into(),
            due: invoice.due()?.into(),
        })
    }
}

/// Where the payment of an invoice stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InvoicePayment"))]
pub struct CollectionView {
    payment: String,
    /// `captured`: paid. `declined`: it will be tried again, or another means of payment is needed. `requires_action`:
    /// the customer confirms at `action_url`. `authorizing`, `unknown`: the gateway is asked.
    pub status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    /// The gateway's word for a decline.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Class>,
    /// When the gateway is asked next.
    #[serde(skip_serializing_if = "Option::is_none")]
    asked_at: Option<String>,
}

impl CollectionView {
    pub fn of(payment: &Payment) -> Self {
        let stage = payment.stage();
        let (mut action_url, mut code, mut class, mut asked_at) = (None, None, None, None);
        match &stage {
            Stage::RequiresAction { url } => action_url = Some(url.to_string()),
            Stage::Declined { decline: Some(decline) } => {
                code = Some(decline.code.to_string());
                class = Some(decline.class);
            }
            Stage::Unknown { next_ask, .. } => asked_at = next_ask.map(|at: Timestamp| at.to_string()),
            Stage::Declined { decline: None }
            | Stage::Created
            | Stage::Authorizing
            | Stage::Promised
            | Stage::Authorized { .. }
            | Stage::Captured { .. }
            | Stage::Released => {}
        }
        let status = table::payment::payment_status(&stage);
        Self { payment: payment.id.to_string(), status, action_url, code, class, asked_at }
    }
}
