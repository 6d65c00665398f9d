//! What gateways tell by themselves. A notice proves itself by its signature over the raw body; marketplace and attempt
//! are those that went along with the call. It may come twice, late, before the response, or in any order.

use crate::show::{PaymentView, place};
use axum::extract::{FromRequest, Path, Request, State};
use domain::gateway::{Decline, Outcome};
use domain::id::AttemptId;
use domain::payment::{Attempt, Payment, State as Told};
use domain::text::Word;
use edge::command::Reply;
use edge::routes::{Input, TraceId};
use edge::{Again, Cardless, Check, Clock, Command, Problem, World};
use events::{Amount, Context};
use gateway::Till;
use gateway::{Gateways, NotANotice, Notice, Sandbox};
use http::HeaderMap;
use serde::{Deserialize, Serialize};

/// The most bytes of a notice.
const BODY_MAX: usize = 1_000_000;

/// A request that must prove itself.
#[derive(Debug)]
pub(crate) struct Raw {
    headers: HeaderMap,
    body: axum::body::Bytes,
    request: String,
}

/// Whatever the gateway sends; its own documents say what.
#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "GatewayNotice"))]
pub(crate) struct Words {}

impl Input for Raw {
    type Words = Words;
    const HAS_BODY: bool = true;
}

impl FromRequest<World> for Raw {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &World) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let TraceId(request) = parts.extensions.remove().ok_or_else(Problem::internal)?;
        let body = axum::body::to_bytes(body, BODY_MAX).await;
        let body = body.map_err(|_| Problem::new(413, "body_too_large", "The body is too large"))?;
        Ok(Self { headers: parts.headers, body, request })
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Noticed"))]
pub(crate) struct Noticed {
    /// How many attempts were told of.
    noticed: u32,
}

pub(crate) async fn webhook(
    State(world): State<World>,
    Path(name): Path<String>,
    raw: Raw,
) -> Result<Reply<Noticed>, Problem> {
    let gateways = Gateways::of(&world);
    let gateway = gateways.find(&name).ok_or_else(|| Problem::not_found("gateway"))?;
    // Senders know real time only.
    let read = gateway.read_notice(&raw.headers, &raw.body, Clock::System.now()).await;
    let notices = read.map_err(|error| match error {
        NotANotice::Unproven(_) => Problem::unauthenticated(&error),
        NotANotice::Unreadable => Problem::malformed(&error),
        NotANotice::NoSecret => Problem::unauthenticated("this gateway's notices cannot be proven here"),
    })?;
    for notice in &notices {
        take(&world, &gateways, notice, &format!("gateway:{name}"), &raw.request).await?;
    }
    Ok(Reply::ok(Noticed { noticed: u32::try_from(notices.len()).unwrap_or(u32::MAX) }))
}

/// One notice, joined to what is known. A payment that is not there yet is asked for again by the sender.
async fn take(
    world: &World,
    gateways: &Gateways,
    notice: &Notice,
    actor: &str,
    request: &str,
) -> Result<(), Problem> {
    let Notice { marketplace, attempt, outcome } = notice;
    let (actor, cause) = (actor.to_owned(), request.to_owned());
    let context = Context { at: world.now(), actor, correlation: cause.clone(), cause };
    let till = Till { world, gateways, m: marketplace, context };
    till.tell(attempt, outcome.clone(), None).await.map_err(|again| match again {
        Again::Busy => Problem::busy(),
        Again::Early(_) => Problem::not_found("payment"),
        Again::Fault(fault) => fault.into(),
        Again::Refused(_) => Problem::new(422, "unknown_attempt", "The payment has no such attempt"),
        Again::Unreadable(_) | Again::Unknown(_) | Again::Call { .. } => Problem::fault(&again),
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum Said {
    /// The customer confirms.
    Confirm,
    /// The customer, or the bank, says no.
    Decline,
    /// Money has arrived: `amount` in all, the whole if not said.
    Arrive,
    /// The authorization has ended at the bank.
    Lapse,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TellSandbox"))]
pub(crate) struct TellBody {
    payment: String,
    said: Said,
    /// The attempt's number in the payment; the last authorization if not said.
    #[serde(default)]
    attempt: Option<u16>,
    #[serde(default)]
    amount: Option<Amount>,
    /// The bank's word for a no.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    code: Option<String>,
}

/// A person acts as customer or bank; what is said goes the way of a notice.
pub(crate) async fn tell(
    State(world): State<World>,
    Path(name): Path<String>,
    command: Command<Cardless<TellBody>>,
) -> Result<Reply<PaymentView>, Problem> {
    // What is said twice is joined; only that a system sends a key is asked.
    command.asked_before(&world).await?;
    let gateways = Gateways::of(&world);
    let sandbox = matches!(gateways.find(&name), Some(gateway::Gateway::Sandbox(_)));
    let m = &command.caller.marketplace;
    let (_, key) = place(m, &command.body.0.payment)?;
    let held = world
        .table
        .load::<Payment>(&key)
        .await?
        .filter(|held| sandbox && held.value.gateway.as_str() == name);
    let payment = held.ok_or_else(|| Problem::not_found("payment of this sandbox"))?.value;
    let body = &command.body.0;
    let of = match body.attempt {
        Some(number) => payment.attempt(number),
        None => payment.attempts.iter().rev().find(|one| one.call == domain::payment::Call::Authorize),
    };
    let attempt =
        of.ok_or_else(|| Problem::new(422, "unknown_attempt", "The payment has no such attempt"))?;
    let id = AttemptId::of(&payment.id, attempt.number);
    let outcome = outcome(body, &payment, attempt, &id, &world)?;
    let notice = Notice { marketplace: m.clone(), attempt: id, outcome };
    take(&world, &gateways, &notice, &command.caller.actor, &command.request).await?;
    let held = world.table.load::<Payment>(&key).await?.ok_or_else(Problem::internal)?;
    Ok(Reply::ok(PaymentView::of(&held.value, world.now())).revision(held.revision()))
}

fn outcome(
    body: &TellBody,
    payment: &Payment,
    attempt: &Attempt,
    id: &AttemptId,
    world: &World,
) -> Result<Outcome, Problem> {
    let mut check = Check::new();
    let amount = match &body.amount {
        Some(amount) => check.money("amount", amount, payment.amount.currency),
        None => Some(attempt.amount),
    };
    let code = check.parse::<Word>("code", body.code.as_deref().unwrap_or("generic_decline"));
    check.done()?;
    let named = attempt.reference.clone();
    let reference = named.or_else(|| Sandbox::reference(id, payment.method, payment.token.as_ref()));
    let (Some(reference), Some(amount), Some(code)) = (reference, amount, code) else {
        return Err(Problem::internal());
    };
    let ends = match attempt.state {
        Told::Approved { expires_at } => expires_at,
        Told::Open { .. }
        | Told::Promised
        | Told::GivenUp { .. }
        | Told::Declined { .. }
        | Told::Captured { .. } => world.now().checked_add(jiff::SignedDuration::from_hours(7 * 24)).ok(),
    };
    Ok(match body.said {
        Said::Confirm => Outcome::Approved { reference, expires_at: ends },
        Said::Decline => Outcome::Declined { decline: Decline::of(code) },
        Said::Arrive => Outcome::Captured { reference, amount },
        Said::Lapse => Outcome::Lapsed,
    })
}
