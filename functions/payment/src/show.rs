//! Payments as operators see them.

use axum::extract::{Path, State};
use domain::Money;
use domain::gateway::{Decline, Method};
use domain::id::{AttemptId, OrderId, PaymentId};
use domain::payment::{Attempt, Call, Payment, Refund, RefundStage, Stage, State as Told, To};
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::payment::{PaymentSummary, payment_status, payment_summary};
use table::{Held, Key, Page};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "GatewayPayment"))]
pub(crate) struct PaymentView {
    id: String,
    order: String,
    method: Method,
    gateway: String,
    /// `created`, `authorizing`, `requires_action`, `unknown`, `promised`, `declined`, `authorized`, `captured` or
    /// `released`.
    status: &'static str,
    amount: Amount,
    /// The merchant order that it pays alone, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u8>,
    /// Everything that was taken from the customer.
    captured: Amount,
    /// What may still be captured.
    left: Amount,
    /// What may still be granted as a refund.
    refundable: Amount,
    /// Money that fits nothing and waits for somebody to send it back.
    awaits_approval: Amount,
    /// When the authorization ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// When the gateway is asked next what became of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_question_at: Option<String>,
    /// The order has taken note of it.
    finalized: bool,
    /// Since when nothing more is wanted of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    created_at: String,
    /// What a person has to look at: `unresolved`, `not_finalized`, `expiring`, `capture_failed`, `refund_failed`,
    /// `refunded_twice`, `missing`, `stray`.
    alerts: Vec<&'static str>,
    attempts: Vec<AttemptView>,
    refunds: Vec<RefundView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PaymentAttempt"))]
pub(crate) struct AttemptView {
    /// What the gateway knows the call by.
    id: String,
    number: u16,
    /// `authorize`, `capture`, `void` or `refund`.
    call: &'static str,
    /// The merchant order whose money a capture takes, by its number in the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<u8>,
    /// The refund that is sent, by its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund: Option<u16>,
    amount: Amount,
    at: String,
    /// `open`, `promised`, `given_up`, `declined`, `approved` or `captured`.
    status: &'static str,
    /// Why it was declined.
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<DeclineView>,
    /// What the gateway calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// When its status was told.
    #[serde(skip_serializing_if = "Option::is_none")]
    told_at: Option<String>,
    /// Both success and decline were told.
    contradicted: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PaymentDecline"))]
pub(crate) struct DeclineView {
    /// The gateway's word.
    code: String,
    class: domain::gateway::Class,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PaymentRefund"))]
pub(crate) struct RefundView {
    number: u16,
    /// What it is for: the same cause is the same refund.
    cause: String,
    amount: Amount,
    to: To,
    reason: String,
    by: String,
    /// Of money that fitted nothing.
    stray: bool,
    /// `granted`, `executing`, `unknown`, `executed` or `failed`.
    status: &'static str,
    /// How often the customer has it: once at the most, unless a call has arrived that nobody reckoned with any more.
    times: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<DeclineView>,
    granted_at: String,
    /// How long the customer has waited for the money, or had to.
    age_seconds: i64,
}

fn decline(decline: &Decline) -> DeclineView {
    DeclineView { code: decline.code.to_string(), class: decline.class }
}

fn shown(at: Timestamp) -> String {
    at.to_string()
}

impl PaymentView {
    pub(crate) fn of(payment: &Payment, now: Timestamp) -> Self {
        let stage = payment.stage();
        let expires_at = if let Stage::Authorized { until, .. } = &stage { *until } else { None };
        let asked = if let Stage::Unknown { next_ask, .. } = &stage { *next_ask } else { None };
        let amount = |money: Money| Amount::from(money);
        Self {
            id: payment.id.to_string(),
            order: payment.order.to_string(),
            method: payment.method,
            gateway: payment.gateway.to_string(),
            status: payment_status(&stage),
            amount: amount(payment.amount),
            part: payment.part,
            captured: amount(payment.captured()),
            left: amount(payment.left()),
            refundable: amount(payment.refundable()),
            awaits_approval: amount(payment.awaits_approval()),
            expires_at: expires_at.map(shown),
            next_question_at: asked.map(shown),
            finalized: payment.finalized,
            closed_at: payment.closed.map(|closed| shown(closed.at)),
            created_at: shown(payment.created_at),
            alerts: payment.alerts().map(domain::payment::Alert::word).collect(),
            attempts: payment.attempts.iter().map(|one| attempt(payment, one)).collect(),
            refunds: payment.refunds.iter().map(|one| refund(payment, one, now)).collect(),
        }
    }
}

fn attempt(payment: &Payment, attempt: &Attempt) -> AttemptView {
    let (status, declined) = match &attempt.state {
        Told::Open { .. } => ("open", None),
        Told::Promised => ("promised", None),
        Told::GivenUp { .. } => ("given_up", None),
        Told::Declined { decline } => ("declined", Some(decline)),
        Told::Approved { .. } => ("approved", None),
        Told::Captured { .. } => ("captured", None),
    };
    let (call, part, refund) = match attempt.call {
        Call::Authorize => ("authorize", None, None),
        Call::Capture { part, .. } => ("capture", Some(part), None),
        Call::Void { .. } => ("void", None, None),
        Call::Refund { refund } => ("refund", None, Some(refund)),
    };
    AttemptView {
        id: AttemptId::of(&payment.id, attempt.number).to_string(),
        number: attempt.number,
        call,
        part,
        refund,
        amount: attempt.amount.into(),
        at: shown(attempt.at),
        status,
        decline: declined.map(decline),
        reference: attempt.reference.as_ref().map(ToString::to_string),
        told_at: attempt.told_at.map(shown),
        contradicted: attempt.contradicted,
    }
}

fn refund(payment: &Payment, refund: &Refund, now: Timestamp) -> RefundView {
    let (stage, arrived) = (payment.refund_stage(refund), payment.arrived(refund));
    let (status, declined) = match &stage {
        RefundStage::Granted => ("granted", None),
        RefundStage::Executing => ("executing", None),
        RefundStage::Unknown => ("unknown", None),
        RefundStage::Executed { .. } => ("executed", None),
        RefundStage::Failed { decline } => ("failed", decline.as_ref()),
    };
    RefundView {
        number: refund.number,
        cause: refund.cause.to_string(),
        amount: refund.amount.into(),
        to: arrived.first().map_or(refund.to, |one| refund.way_of(one)),
        reason: refund.reason.to_string(),
        by: refund.by.clone(),
        stray: refund.stray,
        status,
        times: u16::try_from(arrived.len()).unwrap_or(u16::MAX),
        decline: declined.map(decline),
        granted_at: shown(refund.at),
        age_seconds: payment.refund_age(refund, now).as_secs(),
    }
}

/// The payment's id and key, or a 404.
pub(crate) fn place(m: &domain::id::MarketplaceId, id: &str) -> Result<(PaymentId, Key), Problem> {
    let unknown = || Problem::not_found("payment");
    let id: PaymentId = id.parse().map_err(|_| unknown())?;
    let key = Key::payment(m, &id).ok_or_else(unknown)?;
    Ok((id, key))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<PaymentView>, Problem> {
    let (_, key) = place(&query.caller.marketplace, &id)?;
    let held: Held<Payment> = world.table.load(&key).await?.ok_or_else(|| Problem::not_found("payment"))?;
    Ok(Reply::ok(PaymentView::of(&held.value, world.now())).revision(held.revision()))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose payments; without it those that a person has to look at, newest first.
    #[cfg_attr(feature = "schema", schemars(with = "Option<OrderId>"))]
    order: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said. An order's payments are one page.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PaymentRow {
    id: String,
    order: String,
    method: Method,
    gateway: String,
    status: String,
    amount: Amount,
    created_at: String,
    /// What a person has to look at.
    alerts: Vec<String>,
}

fn row(summary: PaymentSummary) -> PaymentRow {
    PaymentRow {
        id: summary.id.to_string(),
        order: summary.order.to_string(),
        method: summary.method,
        gateway: summary.gateway.to_string(),
        status: summary.status,
        amount: summary.amount.into(),
        created_at: shown(summary.created_at),
        alerts: summary.alerts,
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<PaymentRow>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let order = check.maybe::<OrderId>("order", which.order.as_deref());
    check.done()?;
    let page = match order {
        Some(order) => {
            let payments = world.table.payments(m, &order).await?;
            Page { items: payments.iter().map(|held| payment_summary(&held.value)).collect(), next: None }
        }
        None => world.table.alerted_payments(m, paging.limit, paging.after.as_ref()).await?,
    };
    Ok(Reply::ok(Listing::of(page, row)))
}
