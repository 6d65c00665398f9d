//! Who is left alone: the way out of a message, and the list of addresses that are not written to.
//!
//! An address is on the list by its digest: the list names nobody, and stays when somebody is forgotten.

use axum::extract::{FromRequest, Path, Request, State};
use domain::message::{Suppressed, Suppression, digest_of, leave_alone};
use domain::text::{Email, Sha256};
use edge::links::{Link, Purpose, marketplace_of};
use edge::query::PageOf;
use edge::routes::Input;
use edge::{Check, Command, Listing, Overtaken, Problem, Query, Reply, World};
use events::message::AddressSuppressedV1;
use events::{Announced, Context};
use serde::{Deserialize, Serialize};
use table::{Commit, Held, Key, Story};

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
    let (key, subject) = (Key::suppression(&m, &fresh.digest), subject(&fresh.digest));
    let context = Context {
        at: fresh.at,
        actor: "system:notifications".to_owned(),
        cause: format!("unsubscribe:{subject}"),
        correlation: format!("unsubscribe:{subject}"),
    };
    world
        .until_free(|| async {
            let held = world.table.load::<Suppression>(&key).await?;
            let Some(next) = leave_alone(held.as_ref().map(|held| &held.value), fresh.clone()) else {
                return Ok(Reply::ok(view(held.map_or_else(|| fresh.clone(), |held| held.value))));
            };
            let commit = left_alone(Commit::new(&m, &context), held.as_ref(), &next, Overtaken);
            commit.send(&world.table).await?;
            Ok::<_, Problem>(Reply::ok(view(next)))
        })
        .await
}

/// What the story of an address is told under.
fn subject(digest: &Sha256) -> String {
    format!("sup_{digest}")
}

/// An address is on the list from now on, for this reason.
pub(crate) fn left_alone<'a, C: std::fmt::Debug>(
    commit: Commit<'a, C>,
    held: Option<&Held<Suppression>>,
    next: &Suppression,
    taken: C,
) -> Commit<'a, C> {
    let told = AddressSuppressedV1 { digest: next.digest.to_string(), why: next.why };
    let (subject, story) = (subject(&next.digest), Story::new([Announced::of(&told)]));
    match held {
        Some(held) => commit.change(held, next, &subject, story),
        None => commit.begin(next, &subject, story, taken),
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
    #[cfg_attr(feature = "schema", schemars(with = "Email"))]
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
    let (key, subject) = (Key::suppression(m, &digest), subject(&digest));
    world
        .until_free(|| async {
            let held = world.table.load::<Suppression>(&key).await?;
            let now = world.now();
            let fresh = Suppression { digest: digest.clone(), why: Suppressed::ByHand, at: now };
            let next = leave_alone(held.as_ref().map(|held| &held.value), fresh);
            let revision = held.as_ref().map_or(0, Held::revision);
            let repeats = command.repeats(&world, revision, next.is_some()).await?;
            let Some(next) = next.filter(|_| !repeats) else {
                let held = held.ok_or_else(Problem::busy)?;
                return Ok(Reply::ok(view(held.value)).replayed());
            };
            let context = command.context(now);
            let commit = command.remember(Commit::new(m, &context), now, 200, &subject, Overtaken);
            left_alone(commit, held.as_ref(), &next, Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(next)))
        })
        .await
}
