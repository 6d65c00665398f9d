//! Changes that wait, and what has become of others.

use axum::extract::{Path, State};
use domain::catalog::Product;
use domain::id::{MarketplaceId, ProductId, ScheduledChangeId};
use domain::pim::data::Data;
use domain::pim::history::{Conflict, Step};
use domain::pim::scheduled::{ScheduledChange, Stage};
use domain::pim::sheet::Sheet;
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use table::scheduled::{Of, ScheduledSummary};
use table::seen::Seen;
use table::{Held, Key};

/// One thing that would be said otherwise.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlannedStep {
    /// `values/color/de/web`, `variants/2/values/color`, `family`, `assets`.
    path: String,
    /// Absent: there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Data>,
    /// Absent: there will be nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Data>,
}

/// What it was to replace is something else now.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlanConflict {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Data>,
    #[serde(skip_serializing_if = "Option::is_none")]
    found: Option<Data>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ScheduledChange"))]
pub(crate) struct ScheduledView {
    id: String,
    product: String,
    due: String,
    planned_at: String,
    planned_by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    diff: Vec<PlannedStep>,
    /// `waiting`, `done`, `failed` or `canceled`.
    status: &'static str,
    /// Why it would fail, if it were due now; of those that wait.
    conflicts: Vec<PlanConflict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    settled_at: Option<String>,
    /// The version of the sheet that it has made.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    /// Why it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

pub(crate) fn view(change: &ScheduledChange, sheet: &Sheet) -> ScheduledView {
    let step = |Step { path, before, after }: &Step| PlannedStep {
        path: path.to_string(),
        before: before.clone(),
        after: after.clone(),
    };
    let conflict = |Conflict { path, expected, found }: Conflict| PlanConflict {
        path: path.to_string(),
        expected,
        found,
    };
    let conflicts = if change.waits() { change.plan.conflicts(sheet) } else { Vec::new() };
    let (since, version, why) = match &change.stage {
        Stage::Waiting => (None, None, None),
        Stage::Done { since, version } => (Some(since), Some(*version), None),
        Stage::Failed { since, why } => (Some(since), None, Some(why)),
        Stage::Canceled { since, by: _ } => (Some(since), None, None),
    };
    ScheduledView {
        id: change.id.to_string(),
        product: change.product.to_string(),
        due: change.plan.due.to_string(),
        planned_at: change.planned_at.to_string(),
        planned_by: change.plan.by.clone(),
        reason: change.plan.reason.as_ref().map(ToString::to_string),
        diff: change.plan.diff.steps().iter().map(step).collect(),
        status: change.stage.word(),
        conflicts: conflicts.into_iter().map(conflict).collect(),
        settled_at: since.map(ToString::to_string),
        version,
        why: why.map(ToString::to_string),
    }
}

pub(crate) fn id(text: &str) -> Result<ScheduledChangeId, Problem> {
    text.parse().map_err(|_| Problem::not_found("scheduled change"))
}

/// A change of a product that the caller keeps.
pub(crate) async fn loaded(
    world: &World,
    m: &MarketplaceId,
    reach: &Reach,
    id: &ScheduledChangeId,
) -> Result<(Held<ScheduledChange>, Seen), Problem> {
    let missing = || Problem::not_found("scheduled change");
    let held = world.table.load::<ScheduledChange>(&Key::scheduled_change(m, id)).await?;
    let held = held.ok_or_else(missing)?;
    let seen = Seen::load(&world.table, m, &held.value.product).await?;
    let seen = seen.filter(|seen| reach.keeps(seen.product.merchant.as_ref()));
    Ok((held, seen.ok_or_else(missing)?))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(text): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ScheduledView>, Problem> {
    let (held, seen) = loaded(&world, &query.caller.marketplace, &query.reach, &id(&text)?).await?;
    Ok(Reply::ok(view(&held.value, &seen.sheet)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ScheduledRow {
    id: String,
    product: String,
    due: String,
    status: String,
}

fn row(ScheduledSummary { id, product, due, status }: ScheduledSummary) -> ScheduledRow {
    ScheduledRow { id: id.to_string(), product: product.to_string(), due: due.to_string(), status }
}

/// Of a product, or of a merchant's; operators may leave both out and see all that wait.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    #[cfg_attr(feature = "schema", schemars(with = "Option<ProductId>"))]
    product: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<ScheduledRow>>, Problem> {
    let Which { product, merchant, limit, cursor } = &query.parameters;
    let m = &query.caller.marketplace;
    let mut check = Check::new();
    let Paging { limit, after } = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let product = check.maybe::<ProductId>("product", product.as_deref());
    let merchant = query.reach.keeper(&mut check, merchant.as_deref())?;
    check.done()?;
    let of = match (&product, &merchant) {
        (Some(product), _) => {
            let held = world.table.load::<Product>(&Key::product(m, product)).await?;
            let held = held.filter(|held| query.reach.keeps(held.value.merchant.as_ref()));
            held.ok_or_else(|| Problem::not_found("product of yours"))?;
            Of::Product(product)
        }
        (None, Some(merchant)) => Of::Merchant(merchant),
        (None, None) => Of::Waiting,
    };
    let page = world.table.scheduled_changes(m, of, limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
