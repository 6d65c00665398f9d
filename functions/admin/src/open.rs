//! A marketplace opens: its settings, its first operator, the issuer of its tokens, a first API key.
//!
//! `POST /v1/marketplaces` is for one person, whom the deployment's parameters name; there is no marketplace yet that
//! could know a role. An issuer belongs to one marketplace and the marketplace's id follows from it, so that a repeat
//! is recognized by what it asks for.

use crate::settings::{MarketplaceView, SettingsBody};
use axum::extract::{FromRequest, Request, State};
use domain::Currency;
use domain::id::{ApiKeyId, MarketplaceId, derive, sha256_hex};
use domain::marketplace::{Marketplace, Settings};
use domain::text::Name;
use edge::command::read_body;
use edge::identity::{bearer, issuer_of, proven, subject};
use edge::routes::{Input, Schema, TraceId};
use edge::{Check, Problem, Reply, World};
use events::merchant::MarketplaceOpenedV1;
use events::{Announced, Context};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use table::access::{ApiKey, Issuer, Operator};
use table::{Commit, Key, Story, Uncommitted};

/// Everything that a marketplace begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    pub marketplace: Marketplace,
    /// Whose tokens are trusted, if people sign in.
    pub issuer: Option<Issuer>,
    /// Subjects (see [`edge::identity::subject`]) that operate it.
    pub operators: Vec<String>,
    /// Secrets of systems, by name; only their digests are stored.
    pub keys: Vec<(String, String)>,
}

/// It is open already, or its issuer belongs to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAlready;

/// Opens a marketplace, in one transaction, as whoever owns the table.
pub async fn open_marketplace(world: &World, opening: Opening) -> Result<(), Uncommitted<OpenAlready>> {
    let (actor, cause) = ("system:admin".to_owned(), format!("open:{}", opening.marketplace.id));
    let context = Context { at: world.now(), actor, correlation: cause.clone(), cause };
    open_for(world, &context, opening).await
}

async fn open_for(
    world: &World,
    context: &Context,
    opening: Opening,
) -> Result<(), Uncommitted<OpenAlready>> {
    let m = opening.marketplace.id.clone();
    let told =
        MarketplaceOpenedV1 { marketplace: m.clone(), currency: opening.marketplace.currency.to_string() };
    let story = Story::new([Announced::of(&told)]);
    let mut commit = Commit::new(&m, context).begin(&opening.marketplace, m.as_str(), story, OpenAlready);
    if let Some(issuer) = &opening.issuer {
        commit = commit.add(issuer, OpenAlready);
    }
    for subject in opening.operators {
        commit = commit.add(&Operator { subject, scopes: vec!["*".to_owned()] }, OpenAlready);
    }
    for (name, secret) in opening.keys {
        // A storefront's key lets guests in; every other one may do everything.
        let publishable = secret.starts_with("pk_");
        let key = ApiKey {
            id: ApiKeyId::from_bits(world.fresh()),
            digest: sha256_hex(secret.as_bytes()),
            marketplace: m.clone(),
            name,
            scopes: if publishable { Vec::new() } else { vec!["*".to_owned()] },
            merchant: None,
            publishable,
            revoked_at: None,
        };
        commit = commit.add(&key, OpenAlready);
    }
    commit.send(&world.table).await
}

/// A request of the person who runs the deployment.
#[derive(Debug)]
pub(crate) struct Founding<T> {
    body: T,
    /// The person at the deployment's issuer (`sub`).
    founder: String,
    issuer: String,
    audience: String,
    jwks_uri: String,
    request: String,
}

impl<T: Schema> Input for Founding<T> {
    type Words = T;
    const HAS_BODY: bool = true;
}

impl<T: DeserializeOwned + Send> FromRequest<World> for Founding<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, world: &World) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let TraceId(request) = parts.extensions.remove().ok_or_else(Problem::internal)?;
        let wanted = named("OperatorSubject", world.variable("OPERATOR_SUBJECT"))?;
        let issuer = named("OperatorIssuer", world.variable("OPERATOR_ISSUER"))?;
        let audience = named("OperatorAudience", world.variable("OPERATOR_AUDIENCE"))?;
        let jwks_uri = named("OperatorJwksUri", world.variable("OPERATOR_JWKS_URI"))?;
        let stranger = || Problem::forbidden("only the deployment's operator opens marketplaces");
        let token = bearer(&parts.headers)?;
        if token.starts_with("sk_") || issuer_of(token)? != issuer {
            return Err(stranger());
        }
        let trusted = Issuer {
            issuer: issuer.clone(),
            audience: audience.clone(),
            marketplace: id_for(&issuer),
            jwks_uri: jwks_uri.clone(),
        };
        let founder = proven(world, token, &trusted).await?;
        if founder != wanted {
            return Err(stranger());
        }
        let (body, _) = read_body(body).await?;
        Ok(Self { body, founder, issuer, audience, jwks_uri, request })
    }
}

/// A parameter of the template that must have been given.
fn named(parameter: &str, value: Result<&str, edge::world::Unset>) -> Result<String, Problem> {
    let value = value.map_err(|unset| Problem::fault(&unset))?;
    if value.is_empty() {
        let why = format!("deploy with the parameter {parameter} to say who opens marketplaces");
        return Err(Problem::forbidden(why));
    }
    Ok(value.to_owned())
}

/// The one marketplace of an issuer.
fn id_for(issuer: &str) -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["marketplace of", issuer]))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Open {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// ISO 4217; all prices, orders and payouts are in it.
    #[cfg_attr(feature = "schema", schemars(with = "Currency"))]
    currency: String,
    /// BCP 47, like `de-AT`.
    #[cfg_attr(feature = "schema", schemars(with = "domain::text::Locale"))]
    locale: String,
    #[serde(default)]
    settings: Option<SettingsBody>,
    /// Who signs its people's tokens; the deployment's own issuer, if not said.
    #[serde(default)]
    issuer: Option<IssuerBody>,
}

/// An issuer for a further marketplace: each belongs to one.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct IssuerBody {
    /// The `iss` of its tokens.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^https://.{1,192}$")))]
    issuer: String,
    /// The `aud` of its tokens.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200), regex(pattern = "^[^#]*$")))]
    audience: String,
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^https://.{1,192}$")))]
    jwks_uri: String,
    /// The first operator's `sub` there.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200), regex(pattern = "^[^#]*$")))]
    subject: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OpenedView {
    marketplace: MarketplaceView,
    issuer: String,
    /// The first operator, as `POST /v1/operators` names people.
    operator: String,
    /// The secret of a first API key that may do everything; only in the answer that opens the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
}

pub(crate) async fn open(
    State(world): State<World>,
    founding: Founding<Open>,
) -> Result<Reply<OpenedView>, Problem> {
    let (marketplace, issuer, operator) = read(&founding)?;
    let secret = world.secret("sk_").map_err(|error| Problem::fault(&error))?;
    let context = Context {
        at: world.now(),
        actor: format!("person:{}", subject(&founding.issuer, &founding.founder)),
        cause: founding.request.clone(),
        correlation: founding.request.clone(),
    };
    let opening = Opening {
        marketplace: marketplace.clone(),
        issuer: Some(issuer.clone()),
        operators: vec![operator.clone()],
        keys: vec![("first".to_owned(), secret.clone())],
    };
    let view = |marketplace: &Marketplace, api_key| {
        let (marketplace, issuer) = (MarketplaceView::of(marketplace), issuer.issuer.clone());
        OpenedView { marketplace, issuer, operator: operator.clone(), api_key }
    };
    match open_for(&world, &context, opening).await {
        Ok(()) => return Ok(Reply::created(view(&marketplace, Some(secret))).revision(1)),
        Err(Uncommitted::Refused(OpenAlready)) => {}
        Err(Uncommitted::Busy) => return Err(Problem::busy()),
        Err(Uncommitted::Fault(fault)) => return Err(fault.into()),
    }
    // What an operator has set since does not make a repeat another request.
    let held = world.table.load::<Issuer>(&Key::issuer(&issuer.issuer)).await?;
    let same_issuer = held.is_some_and(|held| held.value == issuer);
    let held = world.table.marketplace(&marketplace.id).await?;
    match held.filter(|held| same_issuer && is_that(&held.value, &marketplace)) {
        Some(held) => Ok(Reply::ok(view(&held.value, None)).revision(held.revision()).replayed()),
        None => Err(Problem::new(409, "issuer_taken", "The issuer belongs to another marketplace")
            .with("an issuer's people sign in to one marketplace: name another `issuer`")),
    }
}

fn is_that(held: &Marketplace, asked: &Marketplace) -> bool {
    let named = |marketplace: &Marketplace| {
        (marketplace.name.clone(), marketplace.currency, marketplace.locale.clone())
    };
    named(held) == named(asked)
}

/// From words to the marketplace, its issuer and its first operator.
fn read(founding: &Founding<Open>) -> Result<(Marketplace, Issuer, String), Problem> {
    let body = &founding.body;
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &body.name);
    let currency = check.parse::<Currency>("currency", &body.currency);
    let subtags = |text: &str| {
        text.split('-')
            .all(|tag| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric()))
    };
    if !subtags(&body.locale) || body.locale.len() > 35 {
        check.wrong("locale", "format", "want a BCP 47 tag like `en` or `de-AT`");
    }
    let settings = match (&body.settings, currency) {
        (Some(settings), Some(currency)) => settings.read(&mut check, "settings.", currency),
        (None, Some(currency)) => Some(Settings::first(currency)),
        (Some(_) | None, None) => None,
    };
    if let Some(other) = &body.issuer {
        for (field, text) in [("issuer", &other.issuer), ("jwks_uri", &other.jwks_uri)] {
            if !text.starts_with("https://") || text.len() > 200 {
                let message = "want an address that begins with https://, up to 200 characters";
                check.wrong(format!("issuer.{field}"), "format", message);
            }
        }
        for (field, text) in [("audience", &other.audience), ("subject", &other.subject)] {
            if text.is_empty() || text.len() > 200 || text.contains('#') {
                let message = "want 1 to 200 characters without `#`";
                check.wrong(format!("issuer.{field}"), "format", message);
            }
        }
    }
    check.done()?;
    let (Some(name), Some(currency), Some(settings)) = (name, currency, settings) else {
        return Err(Problem::internal());
    };
    let own = IssuerBody {
        issuer: founding.issuer.clone(),
        audience: founding.audience.clone(),
        jwks_uri: founding.jwks_uri.clone(),
        subject: founding.founder.clone(),
    };
    let IssuerBody { issuer, audience, jwks_uri, subject: sub } = body.issuer.clone().unwrap_or(own);
    let (id, operator) = (id_for(&issuer), subject(&issuer, &sub));
    let issuer = Issuer { issuer, audience, marketplace: id.clone(), jwks_uri };
    let marketplace =
        Marketplace { id, name, currency, locale: body.locale.clone(), settings, merchant_terms: Vec::new() };
    Ok((marketplace, issuer, operator))
}
