//! Who is left alone: the way out of a message, and the list of addresses that are not written to.
//!
//! An address is on the list by its digest: the list names nobody, and stays when somebody is forgotten.

use axum::extract::{FromRequest, Path, Request, State};
use domain::message::{Suppressed, Suppression, digest_of};
use domain::text::{Email, Sha256};
use edge::links::{Link, Purpose, marketplace_of};
use edge::query::PageOf;
use edge::routes::Input;
use edge::{Check, Command, Listing, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use table::{Fault, Key};

/// A mail program posts a form, a page JSON: nothing in either is read, for the link says it all.
#[derive(Debug)]
pub(crate) struct Unread;

#[derive(Debug, Clone, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Unsubscribe"))]
pub(crate) struct Nothing {}

impl Input for Unread {
    type Words = Nothing;
    const HAS_BODY: bool = true;
}

impl FromRequest<World> for Unread {
    type Rejection = Problem;

    async fn from_request(_: Request, _: &World) -> Result<Self, Problem> {
        Ok(Self)
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Suppression"))]
pub(crate) struct SuppressionView {
    /// SHA-256 of the address in lower case.
    digest: String,
    why: Suppressed,
    since: String,
}

fn view(of: Suppression) -> SuppressionView {
    SuppressionView { digest: of.digest.to_string(), why: of.why, since: of.at.to_string() }
}

/// By the link of a message (RFC 8058): asked again, it is so already.
pub(crate) async fn unsubscribe(
    State(world): State<World>,
    Path(token): Path<String>,
    _: Unread,
) -> Result<Reply<SuppressionView>, Problem> {
    let none = || Problem::not_found("link");
    let m = marketplace_of(&token).ok_or_else(none)?;
    let link = Link::open(&world, &m, Purpose::Unsubscribe, &token).await?;
    let digest: Sha256 = link.about.parse().map_err(|_| none())?;
    let fresh = Suppression { digest, why: Suppressed::Unsubscribed, at: world.now() };
    stop(&world, &m, fresh).await.map(view).map(Reply::ok)
}

/// What is stronger than a reader's own stop stays; a stop of before becomes one of now.
async fn stop(
    world: &World,
    m: &domain::id::MarketplaceId,
    fresh: Suppression,
) -> Result<Suppression, Problem> {
    let key = Key::suppression(m, &fresh.digest);
    let kept = world
        .until_free(|| async {
            let held = world.table.load::<Suppression>(&key).await?;
            if let Some(held) = &held
                && (held.value.why != Suppressed::Unsubscribed || held.value.at >= fresh.at)
            {
                return Ok::<_, Busy>(held.value.clone());
            }
            world.table.put(m, held.as_ref(), &fresh).await?;
            Ok(fresh.clone())
        })
        .await;
    kept.map_err(|Busy(fault)| fault.into())
}

/// A fault of the table, tried again while it is busy.
#[derive(Debug)]
struct Busy(Fault);

impl From<Fault> for Busy {
    fn from(fault: Fault) -> Self {
        Self(fault)
    }
}

impl edge::world::MaybeBusy for Busy {
    fn is_busy(&self) -> bool {
        matches!(self.0, Fault::Busy)
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<SuppressionView>>, Problem> {
    let paging = query.parameters.read()?;
    let m = &query.caller.marketplace;
    let page = world.table.suppressions(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, view)))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SuppressAddress"))]
pub(crate) struct AddBody {
    /// Kept as its digest only.
    email: String,
}

/// Nothing at all is sent there any more.
pub(crate) async fn add(
    State(world): State<World>,
    command: Command<AddBody>,
) -> Result<Reply<SuppressionView>, Problem> {
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let email = check.parse::<Email>("email", &command.body.email);
    check.done()?;
    let digest = email.as_ref().and_then(digest_of).ok_or_else(Problem::internal)?;
    command.asked_before(&world).await?;
    let key = Key::suppression(m, &digest);
    let held = world.table.load::<Suppression>(&key).await?;
    if let Some(held) = held.as_ref().filter(|held| held.value.why == Suppressed::ByHand) {
        return Ok(Reply::ok(view(held.value.clone())).replayed());
    }
    let fresh = Suppression { digest, why: Suppressed::ByHand, at: world.now() };
    world.table.put(m, held.as_ref(), &fresh).await?;
    Ok(Reply::ok(view(fresh)))
}
