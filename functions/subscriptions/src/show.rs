//! How subscriptions are shown, and the invoice that comes next.

use axum::extract::{Path, State};
use domain::id::{CartId, OrderId, PlanId, SubscriptionId};
use domain::subscription::{Ended, Next, Renewal, Sending, Stage, Subscription, renew};
use edge::billing::{CollectionView, DocumentView};
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::subscription::SubscriptionSummary;
use table::{Held, Key};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Subscription"))]
pub(crate) struct SubscriptionView {
    id: String,
    customer: String,
    plan: String,
    version: u32,
    quantity: u32,
    /// `incomplete` until the first payment is there, then `trialing` or `active`; `paused`; `ended`.
    status: &'static str,
    /// Of the running period, or the trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    period_start: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    period_end: Option<String>,
    /// When time brings something: a charge, the end of a pause, the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// What that is, if it is no plain renewal.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<NextView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paused_until: Option<String>,
    /// From then on the service is not given, because it is not paid.
    #[serde(skip_serializing_if = "Option::is_none")]
    restricted_since: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<Ended>,
    /// Goods that are to be sent and are not ordered yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryView>,
    /// What credit notes have given and the next invoices will take.
    credit: Amount,
    time_zone: String,
    country: String,
    /// Whether renewals have something to be paid with.
    has_payment_method: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_invoice: Option<String>,
}

/// Goods on their way to an order.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SubscriptionDelivery"))]
struct DeliveryView {
    /// The checkout of this cart says where their payment stands.
    cart: String,
    /// The order that it becomes.
    order: String,
    /// Tries that failed.
    tries: u16,
    /// When the next one is made; none while one is under way.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_at: Option<String>,
}

impl DeliveryView {
    fn of(held: &Subscription, sending: &Sending) -> Self {
        let cart = CartId::of_renewal(&held.id, sending.number);
        Self {
            order: OrderId::of_cart(&cart).to_string(),
            cart: cart.to_string(),
            tries: sending.tries,
            retry_at: sending.retry_at.map(|at| at.to_string()),
        }
    }
}

/// What happens at the end of the period.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "will", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SubscriptionNext"))]
enum NextView {
    End,
    Skip,
    Change { plan: String, version: u32, quantity: u32 },
}

impl SubscriptionView {
    pub(crate) fn of(held: &Subscription) -> Self {
        let (ended_at, end) = match &held.stage {
            Stage::Ended { since, why } => (Some(since.to_string()), Some(*why)),
            Stage::Incomplete { .. } | Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {
                (None, None)
            }
        };
        let paused_until = match &held.stage {
            Stage::Paused { until, .. } => until.map(|until| until.to_string()),
            Stage::Incomplete { .. } | Stage::Trialing { .. } | Stage::Active | Stage::Ended { .. } => None,
        };
        let runs = matches!(held.stage, Stage::Active | Stage::Incomplete { .. });
        let period = held.period().ok().filter(|_| runs);
        let next = held.next.as_ref().map(|next| match next {
            Next::Cancel => NextView::End,
            Next::Skip => NextView::Skip,
            Next::Change(target) => NextView::Change {
                plan: target.plan.to_string(),
                version: target.version,
                quantity: target.quantity,
            },
        });
        Self {
            id: held.id.to_string(),
            customer: held.customer.to_string(),
            plan: held.plan.to_string(),
            version: held.version,
            quantity: held.quantity,
            status: held.status(),
            period_start: period.map(|period| period.from.to_string()),
            period_end: held.valid_until().or(period.map(|period| period.until)).map(|at| at.to_string()),
            next_at: held.due_at().ok().flatten().map(|at| at.to_string()),
            next,
            paused_until,
            restricted_since: held.restricted.map(|at| at.to_string()),
            ended_at,
            end,
            delivery: held.sending.as_ref().map(|sending| DeliveryView::of(held, sending)),
            credit: held.credit.into(),
            time_zone: held.cycle.zone.to_string(),
            country: held.place.country.to_string(),
            has_payment_method: held.means.token.is_some(),
            last_invoice: held.last_document().map(|id| id.to_string()),
        }
    }
}

/// A subscription after a change, with the invoice or credit note that was made and where its payment stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangedSubscription"))]
pub(crate) struct ChangedView {
    #[serde(flatten)]
    pub(crate) subscription: SubscriptionView,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<DocumentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) payment: Option<CollectionView>,
}

impl ChangedView {
    pub(crate) fn of(held: &Subscription) -> Self {
        Self { subscription: SubscriptionView::of(held), document: None, payment: None }
    }
}

/// A subscription that the caller may see; another's is not there.
pub(crate) async fn load<T>(
    world: &World,
    query: &Query<T>,
    id: &str,
) -> Result<Held<Subscription>, Problem> {
    let unknown = || Problem::not_found("subscription");
    let id: SubscriptionId = id.parse().map_err(|_| unknown())?;
    let key = Key::subscription(&query.caller.marketplace, &id);
    let held = world.table.load::<Subscription>(&key).await?.ok_or_else(unknown)?;
    if query.caller.owns(&query.reach, &held.value.customer) { Ok(held) } else { Err(unknown()) }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<SubscriptionView>, Problem> {
    let held = load(&world, &query, &id).await?;
    Ok(Reply::ok(SubscriptionView::of(&held.value)).revision(held.revision()))
}

/// What the next renewal will come to.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UpcomingInvoice"))]
pub(crate) struct UpcomingView {
    /// When; none where nothing will happen by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// None where nothing will be charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<DocumentView>,
}

pub(crate) async fn upcoming(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<UpcomingView>, Problem> {
    let held = load(&world, &query, &id).await?.value;
    let next_at = held.due_at()?;
    let at = match (next_at, &held.stage) {
        (Some(at), Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. }) => at,
        (Some(_) | None, _) => {
            return Ok(Reply::ok(UpcomingView { next_at: None, document: None }));
        }
    };
    let (renews, billing) = world.table.renewing(&query.caller.marketplace, &held).await?;
    let document = match renew(&renews, &billing.terms, &billing.taxes(), at)? {
        Renewal::Due(step) => step.document.as_ref().map(DocumentView::of).transpose()?,
        Renewal::NotDue => None,
    };
    Ok(Reply::ok(UpcomingView { next_at: Some(at.to_string()), document }))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose; a customer who has signed in may leave it out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::CustomerId>"))]
    customer: Option<String>,
    /// All to this plan: for operators.
    #[cfg_attr(feature = "schema", schemars(with = "Option<PlanId>"))]
    plan: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SubscriptionRow {
    id: String,
    customer: String,
    plan: String,
    quantity: u32,
    /// `incomplete`, `trialing`, `active`, `paused` or `ended`.
    status: String,
}

fn row(summary: SubscriptionSummary) -> SubscriptionRow {
    SubscriptionRow {
        id: summary.id.to_string(),
        customer: summary.customer.to_string(),
        plan: summary.plan.to_string(),
        quantity: summary.quantity,
        status: summary.status,
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<SubscriptionRow>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let plan = check.maybe::<PlanId>("plan", which.plan.as_deref());
    let customer = query.whose(&mut check, which.customer.as_deref())?;
    if customer.is_none() && plan.is_none() {
        check.wrong("customer", "required", "say whose, or to which `plan`");
    }
    if customer.is_some() && plan.is_some() {
        check.wrong("plan", "conflict", "a customer's subscriptions are listed whole: leave out the plan");
    }
    check.done()?;
    let (limit, after) = (paging.limit, paging.after.as_ref());
    let page = match (customer, plan) {
        (Some(customer), _) => world.table.subscriptions_of_customer(m, &customer, limit, after).await?,
        (None, Some(plan)) => world.table.subscriptions_of_plan(m, &plan, limit, after).await?,
        (None, None) => return Err(Problem::internal()),
    };
    Ok(Reply::ok(Listing::of(page, row)))
}
