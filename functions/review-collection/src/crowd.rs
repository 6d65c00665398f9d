//! What other shoppers say of a review: that it helped, or that it does not belong there.
//!
//! A vote is a signed-in customer's: a guest has no name that could be counted once. Anybody may complain; what a
//! customer says, and what all guests say, is one complaint until it is closed, so that nobody floods the operators.

use axum::extract::{Path, State};
use domain::id::{ReportId, ReviewId};
use domain::review::Review;
use domain::text::Reason;
use edge::identity::Shopper;
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::review::ReviewReportedV1;
use serde::{Deserialize, Serialize};
use table::review::{ReviewReport, ReviewVote};
use table::{Commit, Held, Key, Story, Uncommitted};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FindHelpful"))]
pub(crate) struct Helpful {}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HelpfulCount"))]
pub(crate) struct HelpfulView {
    review: String,
    /// Shoppers whom it has helped.
    helpful: u32,
}

/// The voter's mark is there.
#[derive(Debug)]
struct VotedBefore;

fn none() -> Problem {
    Problem::not_found("review")
}

async fn published(world: &World, key: &Key) -> Result<Held<Review>, Problem> {
    let held = world.table.load::<Review>(key).await?;
    held.filter(|held| held.value.is_published()).ok_or_else(none)
}

pub(crate) async fn helpful(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Helpful>,
) -> Result<Reply<HelpfulView>, Problem> {
    let (m, by) = (&command.caller.marketplace, command.caller.customer()?);
    let id: ReviewId = id.parse().map_err(|_| none())?;
    let key = Key::review(m, &id);
    let view = |review: &Review| HelpfulView { review: id.to_string(), helpful: review.helpful };
    world
        .until_free(|| async {
            let held = published(&world, &key).await?;
            if held.value.customer.as_ref() == Some(&by) {
                return Err(Problem::new(409, "own_review", "One's own review helps others"));
            }
            let (fact, now) = (held.value.help()?, world.now());
            let next = held.value.clone().apply(fact);
            let vote = ReviewVote { review: id.clone(), by: by.clone(), at: now };
            let context = command.context(now);
            let commit = Commit::new(m, &context).add(&vote, VotedBefore);
            match commit.review(Some(&held), &next, Story::default(), VotedBefore).send(&world.table).await {
                Ok(()) => Ok(Reply::ok(view(&next))),
                Err(Uncommitted::Refused(VotedBefore)) => Ok(Reply::ok(view(&held.value)).replayed()),
                Err(Uncommitted::Busy) => Err(Problem::busy()),
                Err(Uncommitted::Fault(fault)) => Err(fault.into()),
            }
        })
        .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReportReview"))]
pub(crate) struct Report {
    /// What is wrong with it, for the operators.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReviewReport"))]
pub(crate) struct ReportView {
    id: String,
    review: String,
    at: String,
    reason: String,
    /// `open` or `closed`.
    status: &'static str,
}

fn view(report: &ReviewReport) -> ReportView {
    ReportView {
        id: report.id.to_string(),
        review: report.review.to_string(),
        at: report.at.to_string(),
        reason: report.reason.to_string(),
        status: if report.closed_by.is_none() { "open" } else { "closed" },
    }
}

/// One that was closed is open again, with what is said now; one that is open stays as it is.
pub(crate) async fn report(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Report>,
) -> Result<Reply<ReportView>, Problem> {
    let m = &command.caller.marketplace;
    let id: ReviewId = id.parse().map_err(|_| none())?;
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let by = match command.caller.shopper()? {
        Shopper::Customer(customer) => customer.to_string(),
        Shopper::Guest => "guests".to_owned(),
    };
    let report = ReportId::of(&id, &by);
    let (key, subject) = (Key::review_report(m, &id, &report), format!("report-{report}"));
    world
        .until_free(|| async {
            let review = published(&world, &Key::review(m, &id)).await?.value;
            let held = world.table.load::<ReviewReport>(&key).await?;
            let closed = held.as_ref().is_none_or(|held| held.value.closed_by.is_some());
            let before = command.before(&world, closed).await?;
            if let Some(held) = held.as_ref().filter(|_| !closed || before.is_some()) {
                // Another guest's words are the operators' alone.
                let said = ReviewReport { reason: reason.clone(), ..held.value.clone() };
                return Ok(Reply::ok(view(&said)).replayed());
            }
            let now = world.now();
            let (report, reason) = (report.clone(), reason.clone());
            let report = ReviewReport { id: report, review: id.clone(), at: now, reason, closed_by: None };
            let told = Announced::of(&ReviewReportedV1 { review: id.clone(), merchant: review.merchant });
            let (context, story) = (command.context(now), Story::new([told]));
            let commit = Commit::new(m, &context);
            let commit = match &held {
                None => commit.begin(&report, &subject, story, Overtaken),
                Some(held) => commit.change(held, &report, &subject, story),
            };
            command.remember(commit, now, 201, report.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::created(view(&report)))
        })
        .await
}

/// Complaints that nobody has closed.
pub(crate) async fn reports(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ReportView>>, Problem> {
    let paging = query.parameters.read()?;
    let m = &query.caller.marketplace;
    let page = world.table.open_reports(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |report| view(&report))))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CloseReviewReport"))]
pub(crate) struct CloseReport {
    #[cfg_attr(feature = "schema", schemars(with = "ReportId"))]
    report: String,
}

/// Looked at: whatever came of it for the review is a step of the review.
pub(crate) async fn close_report(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<CloseReport>,
) -> Result<Reply<ReportView>, Problem> {
    let id: ReviewId = id.parse().map_err(|_| none())?;
    let mut check = Check::new();
    let report = check.parse::<ReportId>("report", &command.body.report);
    check.done()?;
    let Some(report) = report else { return Err(Problem::internal()) };
    let by = command.caller.actor.clone();
    let key = Key::review_report(&command.caller.marketplace, &id, &report);
    let decide = |before: ReviewReport| {
        let closed_by = Some(by.clone());
        async move {
            let next = ReviewReport { closed_by, ..before.clone() };
            Ok(before.closed_by.is_none().then(|| (next, Story::default())))
        }
    };
    let subject = format!("report-{report}");
    edge::change::change(&world, &command, (&key, &subject, "report"), decide, view).await
}
