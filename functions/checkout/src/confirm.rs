//! A checkout that had to wait goes on: the customer is back from the gateway's page, or an event tells the outcome.

use crate::conclude::{Concluded, Told, conclude};
use crate::pay::answer;
use crate::show::{CheckoutView, current};
use axum::extract::{Path, State};
use domain::checkout::Stage;
use domain::id::{MarketplaceId, OrderId, PaymentId};
use domain::payment::Payment;
use edge::shopping::AtHand;
use edge::{Again, Command, Problem, Reply, World};
use events::payment::{
    PaymentAuthorizedV1, PaymentCapturedV1, PaymentDeclinedV1, PaymentPromisedV1, PaymentVoidedV1,
};
use events::{Context, Envelope};
use futures::future::join_all;
use gateway::Gateways;
use jiff::Timestamp;
use serde::Deserialize;
use table::Key;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConfirmPayment"))]
pub(crate) struct Confirm {}

/// Asks the gateways now what became of attempts that are open, but for calls that may still be under way. Whether a
/// notice was there first makes no difference.
pub(crate) async fn confirm(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Confirm>,
) -> Result<Reply<CheckoutView>, Problem> {
    let m = &command.caller.marketplace;
    let held = AtHand::to_see(&world, &command.caller, &id).await?.cart;
    let Stage::Locked { .. } = held.value.stage else {
        return Ok(Reply::ok(current(&world, m, &held.value).await?).replayed());
    };
    let gateways = Gateways::of(&world);
    let payments = world.table.payments(m, &OrderId::of_cart(&held.value.id)).await?;
    let open = payments.iter().map(|held| &held.value).filter(|payment| payment.closed.is_none());
    let now = world.now();
    let asked = open.map(|payment| ask(&gateways, m, payment, now));
    let told: Vec<Told> = join_all(asked).await.into_iter().flatten().collect();
    let context = command.context(now);
    match conclude(&world, m, &context, &held.value.id, None, &told).await? {
        Concluded::Placed(cart, payments) => {
            Ok(Reply::ok(CheckoutView::of(&cart, None, &payments, world.now())?))
        }
        other @ (Concluded::Waits(..) | Concluded::Failed(_) | Concluded::SoldOut) => answer(&world, other),
    }
}

/// What became of the payment's open attempt; the schedule's own questions are not counted by this one.
async fn ask(gateways: &Gateways, m: &MarketplaceId, payment: &Payment, now: Timestamp) -> Option<Told> {
    let attempt = payment.attempts.iter().rev().find(|attempt| attempt.state.is_open())?;
    if attempt.is_under_way(now) {
        return None;
    }
    let (gateway, question) = (gateways.find(payment.gateway.as_str())?, payment.question(attempt)?);
    let outcome = gateway.call(m, &question).await;
    Some(Told { payment: payment.id.clone(), attempt: attempt.number, outcome, ask: None })
}

macro_rules! consumers {
    ($($name:ident $payload:ident)*) => {
        $(pub(crate) async fn $name(world: World, event: Envelope<$payload>) -> Result<(), Again> {
            go_on(&world, &event, &event.data.payment).await
        })*
    };
}

consumers! {
    authorized PaymentAuthorizedV1
    promised PaymentPromisedV1
    captured PaymentCapturedV1
    declined PaymentDeclinedV1
    voided PaymentVoidedV1
}

/// The cart of the payment, judged anew. Most events find an order that is placed, or a cart that is free.
async fn go_on<P>(world: &World, event: &Envelope<P>, payment: &PaymentId) -> Result<(), Again> {
    let m = &event.marketplace;
    let key = Key::payment(m, payment).ok_or_else(|| Again::Refused(format!("{payment} names no order")))?;
    let held = world.table.load::<Payment>(&key).await?.ok_or_else(|| Again::Early(payment.to_string()))?;
    let Payment { cart: Some(cart), finalized: false, closed: None, .. } = held.value else { return Ok(()) };
    let context = Context::follows(event, world.now(), "checkout");
    match conclude(world, m, &context, &cart, None, &[]).await {
        Ok(_) => Ok(()),
        // The cart is gone: the money stays with its payment, whose agenda shows it to a person.
        Err(problem) if problem.status == 404 => Ok(()),
        Err(problem) => Err(again(&problem)),
    }
}

/// What a request would be told brings a message again.
pub(crate) fn again(problem: &Problem) -> Again {
    Again::Refused(format!("{}: {problem:?}", problem.code))
}
