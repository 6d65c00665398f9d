//! Endpoints: made, shown and changed.

use crate::act::{change, told};
use crate::guard::Net;
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::{MerchantId, WebhookEndpointId};
use domain::merchant::Merchant;
use domain::text::Reason;
use domain::webhook::{ENDPOINTS_MAX, Endpoint, PATTERNS_MAX, Pattern, Stage, Suspension};
use edge::identity::Reach;
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, Overtaken, PageOfKeeper, Problem, Query, Reply, World, signed};
use serde::{Deserialize, Serialize};
use table::webhook::Listeners;
use table::{Commit, Held, Key};

/// Where somebody wants to hear of events.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookEndpoint"))]
pub(crate) struct EndpointView {
    id: String,
    /// Whose it is; the marketplace's own, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    address: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    /// Names of events, their beginnings like `order.*`, or `*`.
    events: Vec<String>,
    /// `active`, `paused` or `suspended`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_for: Option<Suspension>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suspended_at: Option<String>,
    /// Since when every try has failed; after five days it is suspended.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
    /// The secret before the last change signs along until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    earlier_secret_until: Option<String>,
    created_at: String,
    /// What messages are signed with, as Standard Webhooks has it. Only in the answer that makes or changes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

impl EndpointView {
    pub(crate) fn with(self, secret: &str) -> Self {
        Self { secret: Some(secret.to_owned()), ..self }
    }
}

pub(crate) fn view(endpoint: &Endpoint) -> EndpointView {
    let (status, suspended) = match endpoint.stage {
        Stage::Active => ("active", None),
        Stage::Paused => ("paused", None),
        Stage::Suspended { since, reason } => ("suspended", Some((since, reason))),
        Stage::Removed { .. } => ("removed", None),
    };
    EndpointView {
        id: endpoint.id.to_string(),
        merchant: endpoint.merchant.as_ref().map(ToString::to_string),
        address: endpoint.address.clone(),
        description: endpoint.description.clone(),
        events: endpoint.events.iter().map(|pattern| pattern.as_str().to_owned()).collect(),
        status,
        suspended_for: suspended.map(|(_, reason)| reason),
        suspended_at: suspended.map(|(since, _)| since.to_string()),
        failing_since: endpoint.failing_since.map(|since| since.to_string()),
        earlier_secret_until: endpoint.earlier.as_ref().map(|earlier| earlier.until.to_string()),
        created_at: endpoint.created_at.to_string(),
        secret: None,
    }
}

/// An endpoint that the caller may see; another's is not there.
pub(crate) async fn owned(
    world: &World,
    m: &domain::id::MarketplaceId,
    reach: &Reach,
    id: &str,
) -> Result<Held<Endpoint>, Problem> {
    let unknown = || Problem::not_found("webhook endpoint");
    let id: WebhookEndpointId = id.parse().map_err(|_| unknown())?;
    let held = world.table.load::<Endpoint>(&Key::webhook_endpoint(m, &id)).await?.ok_or_else(unknown)?;
    let covered = reach.keeps(held.value.merchant.as_ref());
    if covered && !held.value.is_removed() { Ok(held) } else { Err(unknown()) }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CreateWebhookEndpoint"))]
pub(crate) struct Create {
    /// Where messages go: https, a host of the public net, port 443 or one from 1024 on.
    #[cfg_attr(
        feature = "schema",
        schemars(regex(
            pattern = "^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,4})?(/[A-Za-z0-9/._~-]*)?$"
        ))
    )]
    address: String,
    /// Names of events, their beginnings like `order.*`, or `*`.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Pattern>"))]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PATTERNS_MAX)))]
    events: Vec<String>,
    /// For a merchant's own events; a merchant's caller need not say it. Without it an operator hears of everything.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    description: Option<String>,
}

/// The words of a body that an endpoint is made of.
struct Words {
    address: Option<String>,
    events: Option<Vec<Pattern>>,
    description: Option<String>,
}

fn read(
    world: &World,
    check: &mut Check,
    (address, events, description): (Option<&str>, Option<&[String]>, Option<&str>),
) -> Words {
    let address = address.and_then(|text| match Net::of(world).read(text) {
        Ok(url) => Some(url.to_string()),
        Err(error) => {
            check.wrong("address", error.code(), error);
            None
        }
    });
    let events = events.map(|texts| {
        if !(1..=PATTERNS_MAX).contains(&texts.len()) {
            check.wrong("events", "range", format!("want 1 to {PATTERNS_MAX} names or beginnings of names"));
        }
        check.all::<Pattern>("events", texts)
    });
    let description = check.maybe::<Reason>("description", description).map(|text| text.to_string());
    Words { address, events, description }
}

fn too_many() -> Problem {
    Problem::new(409, "too_many_webhook_endpoints", "There are too many webhook endpoints")
        .with(format!("an owner has {ENDPOINTS_MAX} of them at the most; remove one first"))
}

/// Whether one more may listen.
pub(crate) fn has_room(listeners: Option<&Listeners>, endpoint: &Endpoint) -> Result<(), Problem> {
    let full = listeners.is_some_and(|of| of.is_full() && !of.endpoints.contains_key(&endpoint.id));
    if full && endpoint.listens() { Err(too_many()) } else { Ok(()) }
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<Create>,
) -> Result<Reply<EndpointView>, Problem> {
    let (m, body) = (&command.caller.marketplace, &command.body);
    let mut check = Check::new();
    let merchant = command.reach.keeper(&mut check, body.merchant.as_deref())?;
    let words =
        read(&world, &mut check, (Some(&body.address), Some(&body.events), body.description.as_deref()));
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    let Words { address: Some(address), events: Some(events), description } = words else {
        return Err(Problem::internal());
    };
    let secret = signed::secret(&world).map_err(|error| Problem::fault(&error))?;
    let now = world.now();
    let endpoint = Endpoint {
        id: WebhookEndpointId::from_bits(world.fresh()),
        merchant,
        address,
        description,
        events,
        stage: Stage::Active,
        secret,
        earlier: None,
        failing_since: None,
        created_at: now,
    };
    world
        .until_free(|| async {
            if let Some(asked) = command.asked_before(&world).await? {
                let before = owned(&world, m, &command.reach, &asked.resource).await?;
                return Ok(Reply::ok(view(&before.value)).revision(before.revision()).replayed());
            }
            keep_new(&world, &command, &endpoint).await?;
            Ok(Reply::created(view(&endpoint).with(&endpoint.secret)).revision(1))
        })
        .await
}

async fn keep_new(world: &World, command: &Command<Create>, endpoint: &Endpoint) -> Result<(), Problem> {
    let (m, now) = (&command.caller.marketplace, world.now());
    let context = command.context(now);
    let key = |merchant: Option<&MerchantId>| Key::webhook_listeners(m, merchant);
    let listeners = world.table.load::<Listeners>(&key(endpoint.merchant.as_ref())).await?;
    has_room(listeners.as_ref().map(|held| &held.value), endpoint)?;
    let commit = Commit::new(m, &context);
    let commit = commit.webhook_endpoint(None, endpoint, &listeners, told(endpoint, false), || Overtaken);
    let commit = match &endpoint.merchant {
        Some(_) => commit.merchants_listen(&world.table.load(&key(None)).await?, Overtaken),
        None => commit,
    };
    let commit = command.remember(commit, now, 201, endpoint.id.as_str(), Overtaken);
    Ok(commit.send(&world.table).await?)
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOfKeeper>,
) -> Result<Reply<Listing<EndpointView>>, Problem> {
    let (merchant, paging) = query.kept()?;
    let (m, after) = (&query.caller.marketplace, paging.after.as_ref());
    let page = world.table.webhook_endpoints(m, merchant.as_ref(), paging.limit, after).await?;
    Ok(Reply::ok(Listing::of(page, |summary| view(&summary.0))))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<EndpointView>, Problem> {
    let held = owned(&world, &query.caller.marketplace, &query.reach, &id).await?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

/// What is not said stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangeWebhookEndpoint"))]
pub(crate) struct Amend {
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(regex(
            pattern = "^https?://[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,4})?(/[A-Za-z0-9/._~-]*)?$"
        ))
    )]
    address: Option<String>,
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<Pattern>>", length(min = 1, max = PATTERNS_MAX))
    )]
    events: Option<Vec<String>>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    description: Option<String>,
}

pub(crate) async fn amend(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Amend>,
) -> Result<Reply<EndpointView>, Problem> {
    let decide = |before: Endpoint| {
        let body = &command.body;
        let mut check = Check::new();
        let words = (body.address.as_deref(), body.events.as_deref(), body.description.as_deref());
        let words = read(&world, &mut check, words);
        check.done()?;
        let next = Endpoint {
            address: words.address.unwrap_or_else(|| before.address.clone()),
            events: words.events.unwrap_or_else(|| before.events.clone()),
            description: words.description.or_else(|| before.description.clone()),
            ..before.clone()
        };
        Ok(if next == before { Decision::Already } else { Decision::New(next) })
    };
    change(&world, &id, &command, decide, false).await
}
