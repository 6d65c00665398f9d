//! The log of messages: what came of each try, a trial, and what is sent again.

use crate::act::Nothing;
use crate::call::Receivers;
use crate::deliver::Round;
use crate::endpoints::owned;
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::{MarketplaceId, WebhookDeliveryId};
use domain::webhook::{Answer as Came, Delivery, Endpoint, Stage, State as Is, Trouble, Try, Turn, Why};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Again, Check, Command, Listing, Overtaken, Problem, Query, Reply, World};
use futures::future::try_join_all;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use table::webhook::DeliverySummary;
use table::{Commit, Fault, Held, Key};

/// The name of what is sent to see whether it arrives; no event is called so.
const TRIAL: &str = "webhook.test";
/// Messages that one request looks at to send them again, in pages of so many.
const PAGE: u16 = 100;
const PAGES_MAX: usize = 5;

/// A message to an endpoint, as lists show it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookDeliverySummary"))]
pub(crate) struct LineView {
    /// The `webhook-id` of every try.
    id: String,
    endpoint: String,
    /// The event's id.
    event: String,
    #[serde(rename = "type")]
    name: String,
    created_at: String,
    /// `pending`, `delivered` or `failed`.
    status: &'static str,
    /// When it is tried next.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// Why it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failed_for: Option<Why>,
    /// The HTTP status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
}

/// A message to an endpoint.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookDelivery"))]
pub(crate) struct DeliveryView {
    #[serde(flatten)]
    line: LineView,
    /// What is sent.
    body: Value,
    /// The last twelve tries, oldest first.
    tries: Vec<TryView>,
}

/// What came of a try.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookTry"))]
struct TryView {
    at: String,
    milliseconds: u32,
    /// The HTTP status, if there was an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    /// Its first kilobyte.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer: Option<String>,
    /// Why there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    trouble: Option<Trouble>,
}

fn line(summary: DeliverySummary) -> LineView {
    let DeliverySummary { id, endpoint, event, name, created_at, state, code } = summary;
    let (status, next_at, failed_for) = match state {
        Is::Calling { .. } => ("pending", None, None),
        Is::Waiting { at, .. } => ("pending", Some(at.to_string()), None),
        Is::Delivered { .. } => ("delivered", None, None),
        Is::Failed { why, .. } => ("failed", None, Some(why)),
    };
    let (id, endpoint, created_at) = (id.to_string(), endpoint.to_string(), created_at.to_string());
    LineView { id, endpoint, event, name, created_at, status, next_at, failed_for, code }
}

fn tried(call: &Try) -> TryView {
    let (code, answer, trouble) = match &call.answer {
        Came::Status { code, body } => (Some(*code), Some(body.clone()), None),
        Came::None(trouble) => (None, None, Some(*trouble)),
    };
    TryView { at: call.at.to_string(), milliseconds: call.milliseconds, code, answer, trouble }
}

fn view(delivery: &Delivery) -> Result<DeliveryView, Problem> {
    let summary = table::Record::summary(delivery).ok_or_else(Problem::internal)?;
    let body = serde_json::from_str(&delivery.body).map_err(|error| Problem::fault(&error))?;
    Ok(DeliveryView { line: line(summary), body, tries: delivery.tries.iter().map(tried).collect() })
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// `failed`: only what has failed.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^failed$")))]
    status: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<Which>,
) -> Result<Reply<Listing<LineView>>, Problem> {
    let m = &query.caller.marketplace;
    let endpoint = owned(&world, m, &query.reach, &id).await?.value;
    let Which { status, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    if status.as_deref().is_some_and(|status| status != "failed") {
        check.wrong("status", "unknown", "want `failed`, or nothing for all");
    }
    check.done()?;
    let (failed, after) = (status.is_some(), paging.after.as_ref());
    let page = world.table.webhook_deliveries(m, &endpoint.id, failed, paging.limit, after).await?;
    Ok(Reply::ok(Listing::of(page, line)))
}

/// A message whose endpoint the caller may see.
async fn found(
    world: &World,
    m: &MarketplaceId,
    reach: &Reach,
    id: &str,
) -> Result<(Held<Delivery>, Endpoint), Problem> {
    let unknown = || Problem::not_found("webhook delivery");
    let id: WebhookDeliveryId = id.parse().map_err(|_| unknown())?;
    let key = Key::webhook_delivery(m, &id);
    let held = world.table.load_live::<Delivery>(&key, world.now()).await?.ok_or_else(unknown)?;
    let endpoint = owned(world, m, reach, held.value.endpoint.as_str()).await.map_err(|_| unknown())?;
    Ok((held, endpoint.value))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<DeliveryView>, Problem> {
    let (held, _) = found(&world, &query.caller.marketplace, &query.reach, &id).await?;
    Ok(Reply::ok(view(&held.value)?).revision(held.revision()))
}

/// What a message that cannot be handled in a queue means for whoever asks.
fn refused(again: &Again) -> Problem {
    match again {
        Again::Busy | Again::Fault(Fault::Busy) => Problem::busy(),
        Again::Fault(_)
        | Again::Unreadable(_)
        | Again::Unknown(_)
        | Again::Early(_)
        | Again::Refused(_)
        | Again::Call { .. } => Problem::fault(again),
    }
}

/// Calls a message that this request has the claim of.
async fn call<T>(
    world: &World,
    command: &Command<T>,
    held: Held<Delivery>,
    endpoint: &Endpoint,
) -> Result<Held<Delivery>, Problem> {
    let receivers = Receivers::of(world);
    let (m, context) = (&command.caller.marketplace, command.context(world.now()));
    let round = Round { world, receivers: &receivers, m, context };
    round.call(held, Some(endpoint)).await.map_err(|again| refused(&again))
}

/// A message that says nothing, sent while the caller waits. The request names it: asked again, it is shown.
pub(crate) async fn test(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Result<Reply<DeliveryView>, Problem> {
    let (m, now) = (&command.caller.marketplace, world.now());
    let endpoint = owned(&world, m, &command.reach, &id).await?.value;
    command.asked_before(&world).await?;
    let named = command.key_and_body().map_or(command.request.as_str(), |(key, _)| key);
    let event = format!("test-{named}");
    let body = json!({
        "type": TRIAL, "timestamp": now.to_string(), "id": event, "marketplace": m,
        "subject": endpoint.id, "step": 0, "data": {"endpoint": endpoint.id},
    });
    let delivery = Delivery::new(&endpoint, &event, TRIAL, body.to_string(), now);
    let delivery = Delivery { trial: true, ..delivery };
    match world.table.put(m, None, &delivery).await {
        Ok(revision) => {
            let held = call(&world, &command, Held::written(delivery, revision), &endpoint).await?;
            Ok(Reply::created(view(&held.value)?).revision(held.revision()))
        }
        Err(Fault::Busy) => {
            let (held, _) = found(&world, m, &command.reach, delivery.id.as_str()).await?;
            Ok(Reply::ok(view(&held.value)?).revision(held.revision()).replayed())
        }
        Err(fault) => Err(fault.into()),
    }
}

fn is_active(endpoint: &Endpoint) -> Result<(), Problem> {
    let why = match endpoint.stage {
        Stage::Active => return Ok(()),
        Stage::Paused => "it is paused; resume it first",
        Stage::Suspended { .. } => "it is suspended; resume it first",
        Stage::Removed { .. } => "it is removed",
    };
    Err(Problem::new(409, "webhook_endpoint_not_active", "The webhook endpoint is not active").with(why))
}

/// Sends a message again while the caller waits; what is under way is shown as it is.
pub(crate) async fn replay(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Result<Reply<DeliveryView>, Problem> {
    let m = &command.caller.marketplace;
    let claimed = world
        .until_free(|| async {
            let (held, endpoint) = found(&world, m, &command.reach, &id).await?;
            let now = world.now();
            let next = match held.value.clone().replay(now) {
                Decision::New(next) => next.turn(now),
                Decision::Already => Turn::Over,
            };
            let as_it_is = command.asked_before(&world).await?.is_some();
            let Turn::Call(next) = next else { return Ok((held, endpoint, false)) };
            if as_it_is {
                return Ok((held, endpoint, false));
            }
            is_active(&endpoint)?;
            // Gone before the call has an end, nobody comes back to it but whoever is due then.
            if let Is::Calling { until, .. } = next.state {
                world.table.webhook_is_due(m, &next.id, until).await?;
            }
            let context = command.context(now);
            let commit = Commit::<Overtaken>::new(m, &context).replace(&held, &next);
            command.remember(commit, now, 200, &id, Overtaken).send(&world.table).await?;
            Ok::<_, Problem>((Held::written(next, held.next_step()), endpoint, true))
        })
        .await?;
    match claimed {
        (held, endpoint, true) => {
            let held = call(&world, &command, held, &endpoint).await?;
            Ok(Reply::ok(view(&held.value)?).revision(held.revision()))
        }
        (held, _, false) => Ok(Reply::ok(view(&held.value)?).revision(held.revision()).replayed()),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplayWebhookDeliveries"))]
pub(crate) struct Since {
    /// A moment like `2026-11-23T08:00:00Z`: messages of events from then on.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Moment"))]
    since: String,
}

/// How many are sent again within a minute or two.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplayedWebhookDeliveries"))]
pub(crate) struct Replayed {
    replayed: u32,
    /// Whether there are more: ask again.
    more: bool,
}

/// Puts all that has failed since a moment on the list of due work, the youngest first. Asked again, it finds those
/// that are left.
pub(crate) async fn replay_failed(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Since>,
) -> Result<Reply<Replayed>, Problem> {
    let m = &command.caller.marketplace;
    let endpoint = owned(&world, m, &command.reach, &id).await?.value;
    command.asked_before(&world).await?;
    let mut check = Check::new();
    let since = check.parse::<Timestamp>("since", &command.body.since);
    check.done()?;
    let Some(since) = since else { return Err(Problem::internal()) };
    is_active(&endpoint)?;
    let (mut replayed, mut after) = (0_u32, None);
    for _ in 0..PAGES_MAX {
        let page = world.table.webhook_deliveries(m, &endpoint.id, true, PAGE, after.as_ref()).await?;
        let older = page.items.iter().any(|found| found.created_at < since);
        let wanted = page.items.iter().filter(|found| found.created_at >= since && found.name != TRIAL);
        let keys: Vec<Key> = wanted.map(|found| Key::webhook_delivery(m, &found.id)).collect();
        replayed = replayed.saturating_add(again(&world, m, &keys).await?);
        after = page.next;
        if older || after.is_none() {
            return Ok(Reply::ok(Replayed { replayed, more: false }));
        }
    }
    Ok(Reply::ok(Replayed { replayed, more: true }))
}

/// Those of the messages that are not under way will be called with the next run.
async fn again(world: &World, m: &MarketplaceId, keys: &[Key]) -> Result<u32, Problem> {
    let now = world.now();
    let held = world.table.load_all::<Delivery>(keys).await?;
    let changes: Vec<(Held<Delivery>, Delivery)> = held
        .into_iter()
        .filter_map(|held| match held.value.clone().replay(now) {
            Decision::New(next) => Some((held, next)),
            Decision::Already => None,
        })
        .collect();
    try_join_all(changes.iter().map(|(_, next)| world.table.webhook_is_due(m, &next.id, now))).await?;
    // Whatever another has changed meanwhile is under way.
    let done = world.table.put_each(m, &changes).await;
    Ok(u32::try_from(done.iter().filter(|one| one.is_ok()).count()).unwrap_or(u32::MAX))
}
