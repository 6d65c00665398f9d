//! What an operator decides about a payment. A decision is committed and told; the gateway is called after that.

use crate::show::{PaymentView, place};
use axum::extract::{Path, State};
use domain::Decision;
use domain::order::Order;
use domain::payment::{self, Fact, Grant, Payment, Refused, To};
use domain::text::{Reason, Word};
use edge::{Cardless, Check, Command, Overtaken, Problem, Reply, World};
use events::Amount;
use gateway::{Gateways, capabilities};
use jiff::Timestamp;
use serde::Deserialize;
use table::{Commit, Key};

type Answer = Result<Reply<PaymentView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RefundPayment"))]
pub(crate) struct RefundBody {
    amount: Amount,
    /// To the means of payment if not said.
    #[serde(default)]
    to: Option<To>,
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
    /// What it is for, like a claim's number: the same cause is the same refund. The request's own id if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>", extend("pattern" = "^[^:]*$")))]
    cause: Option<String>,
}

pub(crate) async fn refund(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<RefundBody>>,
) -> Answer {
    give_back(&world, &id, &command, false).await
}

pub(crate) async fn approve_refund(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<RefundBody>>,
) -> Answer {
    give_back(&world, &id, &command, true).await
}

async fn give_back(world: &World, id: &str, command: &Command<Cardless<RefundBody>>, stray: bool) -> Answer {
    let body = &command.body.0;
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &body.reason);
    // What the system grants by itself has causes with a colon.
    let cause = body.cause.as_deref().unwrap_or(&command.request);
    let cause = check.parse::<Word>("cause", cause);
    if cause.as_ref().is_some_and(|cause| cause.as_str().contains(':')) {
        check.wrong("cause", "format", "a cause has no colon");
    }
    check.done()?;
    let (Some(reason), Some(cause)) = (reason, cause) else { return Err(Problem::internal()) };
    let by = command.caller.actor.clone();
    let to = body.to.unwrap_or(To::Original);
    let may = may_give(world, id, command, to).await?;
    change(world, id, command, |held, now| {
        let mut check = Check::new();
        let amount = check.money("amount", &body.amount, held.amount.currency);
        check.done()?;
        let Some(amount) = amount else { return Err(Problem::internal()) };
        let (cause, reason, by) = (cause.clone(), reason.clone(), by.clone());
        Ok(may
            .clone()
            .and_then(|()| payment::grant_by_hand(held, Grant { cause, amount, to, reason, by, stray }, now)))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RedirectRefund"))]
pub(crate) struct RedirectBody {
    /// The refund's number in the payment.
    refund: u16,
}

pub(crate) async fn redirect_refund(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<RedirectBody>>,
) -> Answer {
    let refund = command.body.0.refund;
    let may = may_give(&world, &id, &command, To::StoreCredit).await?;
    change(&world, &id, &command, |held, now| {
        Ok(may.clone().and_then(|()| payment::redirect(held, refund, now)))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "GiveUpPayment"))]
pub(crate) struct GiveUpBody {
    /// The attempt's number in the payment.
    attempt: u16,
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn give_up(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cardless<GiveUpBody>>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.0.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let (attempt, by) = (command.body.0.attempt, command.caller.actor.clone());
    change(&world, &id, &command, |held, now| {
        Ok(payment::give_up(held, attempt, reason.clone(), by.clone(), now))
    })
    .await
}

/// Store credit is somebody's: only an order that is on an account can have some.
async fn may_give<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    to: To,
) -> Result<Result<(), Refused>, Problem> {
    if to == To::Original {
        return Ok(Ok(()));
    }
    let m = &command.caller.marketplace;
    let (order, _) = place(m, id)?.0.place().ok_or_else(|| Problem::not_found("payment"))?;
    let order = world.table.load::<Order>(&Key::order(m, &order)).await?;
    let account = order.is_some_and(|order| order.value.account().is_some());
    Ok(if account { Ok(()) } else { Err(Refused::NoAccount) })
}

/// One fact of one payment, and what is due because of it.
async fn change<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    decide: impl Fn(&Payment, Timestamp) -> Result<Result<Decision<Fact>, Refused>, Problem>,
) -> Answer {
    let m = &command.caller.marketplace;
    let (id, key) = place(m, id)?;
    let gateways = Gateways::of(world);
    world
        .until_free(|| async {
            let held =
                world.table.load::<Payment>(&key).await?.ok_or_else(|| Problem::not_found("payment"))?;
            let now = world.now();
            let view = |payment: &Payment| Reply::ok(PaymentView::of(payment, now));
            let as_it_is = || Ok(view(&held.value).revision(held.revision()).replayed());
            let decided = decide(&held.value, now)?;
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if command.repeats(world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let decided = command.audited(world, &key, id.as_str(), decided).await?;
            let Decision::New(fact) = decided else { return as_it_is() };
            let context = command.context(now);
            let (commit, next) = Commit::new(m, &context).payment(&held, &[fact])?;
            let capabilities = capabilities(&gateways, &held.value);
            let looks = (Some(&held.value), &next);
            world.table.payment_will_be_due(m, looks, capabilities, now).await?;
            let moved = world.table.credit_moved(m, &[(&held.value, &next)]).await?;
            let commit = commit.credit(moved, Overtaken);
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(view(&next).revision(held.next_step()))
        })
        .await
}
