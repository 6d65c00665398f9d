//! What operators decide and merchants answer.

use crate::author::{OwnView, own_view};
use crate::change::amend;
use crate::show::{Shown, loaded};
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::ReviewId;
use domain::review::{Cause, Fact, Refused, Review, Said};
use domain::text::{Opinion, Reason};
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::Key;

/// A review as operators and its merchant see it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Review"))]
pub(crate) struct ReviewView {
    #[serde(flatten)]
    review: OwnView,
    submitted_at: String,
    delivered_at: String,
    helpful: u32,
    /// What the reply said before, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    reply_before: Vec<SaidView>,
}

/// An earlier wording of a reply.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EarlierReply"))]
pub(crate) struct SaidView {
    text: String,
    at: String,
    by: String,
}

fn view(shown: &Shown, review: &Review) -> ReviewView {
    let before = review.reply.iter().flat_map(|reply| &reply.before);
    let said =
        |said: &Said| SaidView { text: said.text.to_string(), at: said.at.to_string(), by: said.by.clone() };
    ReviewView {
        submitted_at: review.submitted_at.to_string(),
        delivered_at: review.delivered_at.to_string(),
        helpful: review.helpful,
        reply_before: before.map(said).collect(),
        review: own_view(shown, review),
    }
}

fn none() -> Problem {
    Problem::not_found("review")
}

fn named(id: &str) -> Result<ReviewId, Problem> {
    id.parse().map_err(|_| none())
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ReviewView>, Problem> {
    let m = &query.caller.marketplace;
    let held = world.table.load::<Review>(&Key::review(m, &named(&id)?)).await?;
    let held = held.filter(|held| query.reach.covers(&held.value.merchant)).ok_or_else(none)?;
    Ok(Reply::ok(view(&Shown::new(&world, m)?, &held.value)).revision(held.revision()))
}

/// What waits for a person.
pub(crate) async fn pending(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ReviewView>>, Problem> {
    let (m, paging) = (&query.caller.marketplace, query.parameters.read()?);
    let page = world.table.pending_reviews(m, paging.limit, paging.after.as_ref()).await?;
    let shown = Shown::new(&world, m)?;
    let mut items = Vec::new();
    for held in loaded(&world, m, page.items.iter().map(|row| &row.id)).await? {
        items.push(view(&shown, &held.value));
    }
    Ok(Reply::ok(Listing { items, next: page.next.map(|next| next.to_string()) }))
}

/// One change, and the review after it.
async fn decided<T>(
    world: &World,
    command: &Command<T>,
    id: &str,
    decide: impl Fn(&Review, Timestamp) -> Result<Decision<Fact>, Refused>,
) -> Result<Reply<ReviewView>, Problem> {
    let may = |review: &Review| if command.reach.covers(&review.merchant) { Ok(()) } else { Err(none()) };
    let (held, replayed) = amend(world, command, &named(id)?, may, decide).await?;
    let shown = Shown::new(world, &command.caller.marketplace)?;
    let reply = Reply::ok(view(&shown, &held.value)).revision(held.revision());
    Ok(if replayed { reply.replayed() } else { reply })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PublishReview"))]
pub(crate) struct Publish {}

pub(crate) async fn publish(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Publish>,
) -> Result<Reply<ReviewView>, Problem> {
    decided(&world, &command, &id, |review, now| review.publish(now)).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RejectReview"))]
pub(crate) struct Reject {
    /// Shown to the author; at least one. That stars are few is none.
    #[cfg_attr(feature = "schema", schemars(length(min = 1)))]
    reasons: Vec<Cause>,
    /// More for the author.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    note: Option<String>,
}

pub(crate) async fn reject(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Reject>,
) -> Result<Reply<ReviewView>, Problem> {
    let mut check = Check::new();
    let note = check.maybe::<Reason>("note", command.body.note.as_deref());
    if command.body.reasons.is_empty() {
        check.wrong("reasons", "required", "say why: its author is told");
    }
    check.done()?;
    let mut reasons = command.body.reasons.clone();
    reasons.sort_unstable();
    reasons.dedup();
    decided(&world, &command, &id, |review, now| review.reject(reasons.clone(), note.clone(), now)).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplyToReview"))]
pub(crate) struct ReplyBody {
    /// Plain text, for everybody to read.
    #[cfg_attr(feature = "schema", schemars(with = "Opinion"))]
    text: String,
}

fn said(command: &Command<ReplyBody>) -> Result<impl Fn(Timestamp) -> Said + use<>, Problem> {
    let mut check = Check::new();
    let text = check.parse::<Opinion>("text", &command.body.text);
    check.done()?;
    let (text, by) = (text.ok_or_else(Problem::internal)?, command.caller.actor.clone());
    Ok(move |at| Said { text: text.clone(), at, by: by.clone() })
}

/// Once; another word is refused (A4(2)).
pub(crate) async fn reply(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ReplyBody>,
) -> Result<Reply<ReviewView>, Problem> {
    let said = said(&command)?;
    decided(&world, &command, &id, |review, now| review.answer(said(now))).await
}

/// What it said before is kept.
pub(crate) async fn edit_reply(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ReplyBody>,
) -> Result<Reply<ReviewView>, Problem> {
    let said = said(&command)?;
    decided(&world, &command, &id, |review, now| review.edit_reply(said(now))).await
}
