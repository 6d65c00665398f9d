//! Where a checkout stands.

use axum::extract::{Path, State};
use domain::Money;
use domain::cart::{Cart, Wares};
use domain::checkout::Stage;
use domain::gateway::{Class, Method};
use domain::id::{OrderId, SubscriptionId};
use domain::payment::{self, Payment};
use edge::query::None as NoParameters;
use edge::sealed::order_page;
use edge::shopping::{AtHand, UnmetView};
use edge::{Problem, Query, Reply, World};
use events::Amount;
use jiff::Timestamp;
use serde::Serialize;
use table::payment::payment_status;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Checkout"))]
pub(crate) struct CheckoutView {
    cart: String,
    /// `open`; `processing` while the outcome of a payment is not known; `requires_action` while the customer has to
    /// confirm at a payment's address; `completed` with its order.
    status: &'static str,
    /// What is to be paid: send it as `expected_total`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Amount>,
    /// Everything that is missing, with the step in which it is given; what remains for a page to ask.
    unmet: Vec<UnmetView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_until: Option<String>,
    /// Those of the last try.
    payments: Vec<PaymentView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<PlacedView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CheckoutPayment"))]
struct PaymentView {
    id: String,
    method: Method,
    amount: Amount,
    /// `authorizing`, `requires_action`, `unknown`, `promised`, `declined`, `authorized`, `captured` or `released`.
    status: &'static str,
    /// Where the customer confirms.
    #[serde(skip_serializing_if = "Option::is_none")]
    action_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decline: Option<DeclineView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Decline"))]
struct DeclineView {
    /// The gateway's word.
    code: String,
    /// `soft`: the same may work later; `hard`: another means of payment is needed; `fault`: not the customer's doing.
    class: Class,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PlacedOrder"))]
struct PlacedView {
    id: String,
    /// The order's page, for whoever has the link.
    page: String,
    /// That began with it.
    #[serde(skip_serializing_if = "Option::is_none")]
    subscription: Option<String>,
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CheckoutView>, Problem> {
    let held = AtHand::to_see(&world, &query.caller, &id).await?.cart;
    let view = current(&world, &query.caller.marketplace, &held.value).await?;
    Ok(Reply::ok(view).revision(held.revision()))
}

/// A cart's checkout with everything that is to be read for it.
pub(crate) async fn current(
    world: &World,
    m: &domain::id::MarketplaceId,
    cart: &Cart,
) -> Result<CheckoutView, Problem> {
    let now = world.now();
    let payments = match cart.payments {
        0 => Vec::new(),
        _ => world.table.payments(m, &OrderId::of_cart(&cart.id)).await?,
    };
    let payments: Vec<Payment> = payments.into_iter().map(|held| held.value).collect();
    let wares = match &cart.stage {
        Stage::Completed { .. } => None,
        Stage::Open | Stage::Locked { .. } => Some(world.table.wares_and_stock(m, cart, &[], now).await?),
    };
    CheckoutView::of(cart, wares.as_ref(), &payments, now)
}

impl CheckoutView {
    /// `payments`: all of the cart's; those of the last try are shown.
    pub(crate) fn of(
        cart: &Cart,
        wares: Option<&Wares>,
        payments: &[Payment],
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let shown = last_try(payments);
        let asked =
            shown.iter().any(|payment| matches!(payment.stage(), payment::Stage::RequiresAction { .. }));
        let (status, order) = match &cart.stage {
            Stage::Open => ("open", None),
            Stage::Locked { .. } if asked => ("requires_action", None),
            Stage::Locked { .. } => ("processing", None),
            Stage::Completed { order, .. } => {
                let begun = cart.subscribes.as_ref().map(|_| SubscriptionId::of_cart(&cart.id).to_string());
                let (id, page) = (order.to_string(), order_page(order, &cart.id));
                let placed = PlacedView { id, page, subscription: begun };
                ("completed", Some(placed))
            }
        };
        let (mut total, mut missing) = (None, Vec::new());
        if let Some(draft) = &cart.draft {
            total = Some(draft.total()?.into());
        } else if let Some(wares) = wares {
            let gate = cart.gate(&cart.quote(wares, now)?, Money::zero(cart.currency));
            total = Some(gate.total.into());
            missing = gate.unmet();
        }
        Ok(Self {
            cart: cart.id.to_string(),
            status,
            total,
            unmet: missing.into_iter().map(UnmetView::from).collect(),
            held_until: cart.held_until.map(|at| at.to_string()),
            payments: shown.into_iter().map(view).collect(),
            order,
        })
    }
}

/// Payments that are not given up for a later try; of those that are, the last.
fn last_try(payments: &[Payment]) -> Vec<&Payment> {
    let open: Vec<&Payment> = payments.iter().filter(|payment| payment.closed.is_none()).collect();
    if !open.is_empty() {
        return open;
    }
    let last = payments.last().map(|payment| payment.created_at);
    payments.iter().filter(|payment| Some(payment.created_at) == last).collect()
}

fn view(payment: &Payment) -> PaymentView {
    let stage = payment.stage();
    let (mut action_url, mut decline) = (None, None);
    match &stage {
        payment::Stage::RequiresAction { url } => action_url = Some(url.to_string()),
        payment::Stage::Declined { decline: Some(told) } => {
            decline = Some(DeclineView { code: told.code.to_string(), class: told.class });
        }
        payment::Stage::Created
        | payment::Stage::Authorizing
        | payment::Stage::Unknown { .. }
        | payment::Stage::Promised
        | payment::Stage::Declined { decline: None }
        | payment::Stage::Authorized { .. }
        | payment::Stage::Captured { .. }
        | payment::Stage::Released => {}
    }
    PaymentView {
        id: payment.id.to_string(),
        method: payment.method,
        amount: payment.amount.into(),
        status: payment_status(&stage),
        action_url,
        decline,
    }
}
