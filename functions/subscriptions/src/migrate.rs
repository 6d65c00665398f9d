//! `POST /v1/plans/{id}/migrate`: running subscriptions of a plan take its newest terms with their next period.
//!
//! A page at a time, as the plan's list goes; whoever asks again finds what is done already. Nothing is charged now:
//! each renews on the terms that it changes to, and `subscription.changed.v1` tells so before that.

use crate::plans::find;
use crate::start::problem;
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::{PlanId, SubscriptionId};
use domain::subscription::{Next, Refused, Stage, Subscription, Target, When, change};
use edge::query::Paging;
use edge::{Again, Check, Command, Problem, Reply, World};
use gateway::{Gateways, Till};
use serde::{Deserialize, Serialize};
use table::Key;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MigratePlan"))]
pub(crate) struct MigrateBody {
    /// Subscriptions of a page, 1 to 100; 20 if not said.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^([1-9][0-9]?|100)$")))]
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

/// What became of a page.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MigratedPage"))]
pub(crate) struct MigratedView {
    /// Those that renew on the newest terms from now on.
    migrated: Vec<String>,
    /// Those that do so already, or have ended.
    untouched: u32,
    /// Those that cannot, and why.
    refused: Vec<RefusedView>,
    /// More of the plan's subscriptions.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NotMigrated"))]
struct RefusedView {
    subscription: String,
    /// As `POST /v1/subscriptions/{id}/change` would say it.
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

pub(crate) async fn migrate(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<MigrateBody>,
) -> Result<Reply<MigratedView>, Problem> {
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let body = &command.body;
    let paging = Paging::read(&mut check, body.limit.as_deref(), body.cursor.as_deref());
    check.done()?;
    let id: PlanId = id.parse().map_err(|_| Problem::not_found("plan"))?;
    let plan = find(&world, m, &id).await?;
    let gateways = Gateways::of(&world);
    let till = Till { world: &world, gateways: &gateways, m, context: command.context(world.now()) };
    let page = world.table.subscriptions_of_plan(m, &id, paging.limit, paging.after.as_ref()).await?;
    let mut view = MigratedView { next: page.next.map(|next| next.to_string()), ..MigratedView::default() };
    for row in page.items {
        let target = Target { plan: id.clone(), version: plan.version, quantity: row.quantity };
        match world.until_free(|| one(&till, &row.id, &target)).await? {
            One::Migrated => view.migrated.push(row.id.to_string()),
            One::Untouched => view.untouched = view.untouched.saturating_add(1),
            One::Refused(refused) => {
                let (subscription, code) = (row.id.to_string(), refused.code);
                view.refused.push(RefusedView {
                    subscription,
                    code,
                    detail: refused.detail.map(String::from),
                });
            }
        }
    }
    Ok(Reply::ok(view))
}

enum One {
    Migrated,
    Untouched,
    Refused(Box<Problem>),
}

async fn one(till: &Till<'_>, id: &SubscriptionId, target: &Target) -> Result<One, Problem> {
    let (table, now) = (&till.world.table, till.world.now());
    let held = table.load::<Subscription>(&Key::subscription(till.m, id)).await?;
    let held = held.ok_or_else(Problem::busy)?;
    let (plan, version) = (&held.value.plan, held.value.version);
    let over = matches!(held.value.stage, Stage::Ended { .. });
    if over || *plan != target.plan || version == target.version {
        return Ok(One::Untouched);
    }
    // A change that waits stays as its customer has asked for it, on the new terms where it is of this plan.
    let quantity = match &held.value.next {
        Some(Next::Change(waits)) if waits.plan != target.plan => {
            return Ok(One::Refused(Box::new(Refused::ChangeWaits.into())));
        }
        Some(Next::Change(waits)) => waits.quantity,
        Some(Next::Cancel | Next::Skip) | None => held.value.quantity,
    };
    let target = Target { quantity, ..target.clone() };
    let billing = table.billing(till.m, &held.value, &target).await?;
    let decided =
        change(&held.value, (&billing.terms, target.quantity), When::PeriodEnd, &billing.taxes(), now);
    let step = match decided {
        Ok(Decision::New(step)) => step,
        Ok(Decision::Already) => return Ok(One::Untouched),
        Err(refused) => return Ok(One::Refused(Box::new(refused.into()))),
    };
    let taken = till.take(Some(&held), &step, (false, false), |commit| commit).await;
    taken.map_err(|again: Again| problem(again))?;
    Ok(One::Migrated)
}
