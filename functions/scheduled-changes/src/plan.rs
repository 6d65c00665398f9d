//! A change is planned, and taken back.

use crate::show::{ScheduledView, loaded, view};
use axum::extract::{Path, State};
use domain::id::{MarketplaceId, ProductId, ScheduledChangeId};
use domain::pim::history::{Diff, Scheduled};
use domain::pim::scheduled::{ScheduledChange, Stage};
use domain::text::Reason;
use edge::identity::Reach;
use edge::sheet::ChangeSheet;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::catalog::scheduled_change_changed;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use table::due::Work;
use table::seen::Seen;
use table::{Commit, Story};

/// Two years: whoever plans further ahead has mistyped a year.
const AHEAD_MAX: SignedDuration = SignedDuration::from_hours(2 * 366 * 24);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlanChange {
    #[cfg_attr(feature = "schema", schemars(with = "ProductId"))]
    product: String,
    /// From when on; it is made within five minutes of it.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Moment"))]
    due: String,
    /// As a change of the sheet.
    says: ChangeSheet,
}

/// A product that the caller keeps, with what it says.
async fn own(world: &World, m: &MarketplaceId, reach: &Reach, product: &ProductId) -> Result<Seen, Problem> {
    let seen = Seen::load(&world.table, m, product).await?;
    let seen = seen.filter(|seen| reach.keeps(seen.product.merchant.as_ref()));
    seen.ok_or_else(|| Problem::not_found("product of yours"))
}

/// It must be sayable now: what is wrong with it is told to whoever plans it, and not to nobody in the night.
pub(crate) async fn plan(
    State(world): State<World>,
    command: Command<PlanChange>,
) -> Result<Reply<ScheduledView>, Problem> {
    let m = &command.caller.marketplace;
    let PlanChange { product, due, says } = &command.body;
    let now = world.now();
    let mut check = Check::new();
    let product = check.parse::<ProductId>("product", product);
    if let Some(product) = &product {
        own(&world, m, &command.reach, product).await?;
    }
    let due = check.parse::<Timestamp>("due", due);
    if let Some(due) = due {
        if due <= now {
            check.wrong("due", "past", format!("{due} is not after now ({now})"));
        } else if due.duration_since(now) > AHEAD_MAX {
            check.wrong("due", "range", format!("{due} is more than two years ahead"));
        }
    }
    let reason = check.maybe::<Reason>("says.reason", says.reason.as_deref());
    let patch = says.patch()?;
    check.done()?;
    let (Some(product), Some(due)) = (product, due) else { return Err(Problem::internal()) };
    let fresh = ScheduledChangeId::from_bits(world.fresh());
    let (world, command, product, patch, reason) = (&world, &command, &product, &patch, &reason);
    world
        .until_free(|| async {
            let made = async {
                let seen = own(world, m, &command.reach, product).await?;
                seen.product.unmerged()?;
                let model = world.table.words(m, &seen.sheet, patch).await?;
                let next = seen.patched(patch, &model)?;
                let diff = Diff::between(&seen.sheet.content, &next.content);
                if diff.is_empty() {
                    let mut check = Check::new();
                    check.wrong("says", "required", "the product says so already");
                    check.done()?;
                }
                Ok::<_, Problem>((seen, diff))
            };
            let made = made.await;
            if let Some(asked) = command.before(world, made.is_ok()).await? {
                let id: ScheduledChangeId = asked.resource.parse().map_err(|_| Problem::internal())?;
                let (held, seen) = loaded(world, m, &command.reach, &id).await?;
                return Ok(Reply::ok(view(&held.value, &seen.sheet)).revision(held.revision()).replayed());
            }
            let (seen, diff) = made?;
            let plan = Scheduled { due, by: command.caller.actor.clone(), reason: reason.clone(), diff };
            let change = ScheduledChange {
                id: fresh.clone(),
                product: product.clone(),
                merchant: seen.product.merchant.clone(),
                planned_at: now,
                plan,
                stage: Stage::Waiting,
            };
            let context = command.context(now);
            let (subject, story) = (change.id.to_string(), Story::new([scheduled_change_changed(&change)]));
            let commit = command.remember(Commit::new(m, &context), now, 201, &subject, Overtaken);
            let commit = commit.begin(&change, &subject, story, Overtaken);
            commit.due(Work::SheetChange, &subject, due).send(&world.table).await?;
            Ok(Reply::created(view(&change, &seen.sheet)).revision(1))
        })
        .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CancelChange {}

pub(crate) async fn cancel(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<CancelChange>,
) -> Result<Reply<ScheduledView>, Problem> {
    let m = &command.caller.marketplace;
    let id = &crate::show::id(&id)?;
    let (world, command) = (&world, &command);
    world
        .until_free(|| async {
            let (held, seen) = loaded(world, m, &command.reach, id).await?;
            let now = world.now();
            let next = held.value.canceled(&command.caller.actor, now);
            if command.repeats(world, held.revision(), next.is_ok()).await? {
                return Ok(Reply::ok(view(&held.value, &seen.sheet)).revision(held.revision()).replayed());
            }
            let next = next?;
            let context = command.context(now);
            let story = Story::new([scheduled_change_changed(&next)]);
            let commit = Commit::new(m, &context).change(&held, &next, id.as_str(), story);
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(&next, &seen.sheet)).revision(held.next_step()))
        })
        .await
}
