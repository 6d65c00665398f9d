//! Plans: published whole, by their external id; terms that differ are a new version.

use crate::terms::TermsBody;
use axum::extract::{Path, State};
use domain::Currency;
use domain::id::{MarketplaceId, PlanId};
use domain::plan::{Kind, Plan, Terms};
use domain::subscription::Target;
use domain::text::{ExternalId, Name};
use edge::change::change;
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::subscription::PlanChangedV1;
use serde::{Deserialize, Serialize};
use table::{Commit, Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Plan"))]
pub(crate) struct PlanView {
    id: String,
    external_id: String,
    name: String,
    /// The newest version of its terms: who subscribes now gets it.
    version: u32,
    /// `open` or `closed`.
    status: &'static str,
    kind: Kind,
    terms: TermsBody,
}

impl PlanView {
    fn of(plan: &Plan, terms: &Terms) -> Self {
        Self {
            id: plan.id.to_string(),
            external_id: plan.external_id.to_string(),
            name: plan.name.to_string(),
            version: terms.version,
            status: status(plan),
            kind: terms.gives.kind(),
            terms: TermsBody::of(terms),
        }
    }
}

fn status(plan: &Plan) -> &'static str {
    if plan.closed { "closed" } else { "open" }
}

fn told(plan: &Plan) -> Story {
    let (id, version, open) = (plan.id.clone(), plan.version, !plan.closed);
    Story::new([Announced::of(&PlanChangedV1 { plan: id, version, open })])
}

/// The newest terms of a plan.
async fn newest(world: &World, m: &MarketplaceId, plan: &Plan) -> Result<Terms, Problem> {
    let target = Target { plan: plan.id.clone(), version: plan.version, quantity: 1 };
    world.table.terms(m, &target).await?.ok_or_else(Problem::internal)
}

/// A plan that people ask for, by its id.
pub(crate) async fn find(world: &World, m: &MarketplaceId, id: &PlanId) -> Result<Plan, Problem> {
    let held = world.table.load::<Plan>(&Key::plan(m, id)).await?;
    Ok(held.ok_or_else(|| Problem::not_found("plan"))?.value)
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PublishPlan"))]
pub(crate) struct PublishBody {
    /// Names the plan, for ever.
    #[cfg_attr(feature = "schema", schemars(with = "ExternalId"))]
    external_id: String,
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// ISO 4217; a plan keeps its currency.
    #[cfg_attr(feature = "schema", schemars(with = "Currency"))]
    currency: String,
    terms: TermsBody,
}

/// Terms that differ from the newest become the next version; else the plan is answered as it is.
pub(crate) async fn publish(
    State(world): State<World>,
    command: Command<PublishBody>,
) -> Result<Reply<PlanView>, Problem> {
    let (m, body, now) = (&command.caller.marketplace, &command.body, world.now());
    let mut check = Check::new();
    let external_id = check.parse::<ExternalId>("external_id", &body.external_id);
    let name = check.parse::<Name>("name", &body.name);
    let currency = check.parse::<Currency>("currency", &body.currency);
    let id = external_id.as_ref().map(|external_id| PlanId::named(m, external_id.as_str()));
    let named = id.zip(currency);
    let terms = named.and_then(|named| body.terms.read(&mut check, named, now));
    check.done()?;
    let (Some(terms), Some(name), Some(external_id), Some(currency)) = (terms, name, external_id, currency)
    else {
        return Err(Problem::internal());
    };
    known_goods(&world, m, &terms).await?;
    let key = Key::plan(m, &terms.plan);
    world
        .until_free(|| async {
            let held = world.table.load::<Plan>(&key).await?;
            let before = match &held {
                Some(held) => Some(newest(&world, m, &held.value).await?),
                None => None,
            };
            if held.as_ref().is_some_and(|held| held.value.currency != currency) {
                let mut check = Check::new();
                check.wrong("currency", "conflict", "the plan has another currency, and keeps it");
                check.done()?;
            }
            let version = before.as_ref().map_or(0, |before| before.version);
            let same = before.as_ref().is_some_and(|before| {
                *before == Terms { version, published_at: before.published_at, ..terms.clone() }
            });
            let version = if same { version } else { version.saturating_add(1) };
            let terms = match before {
                Some(before) if same => before,
                Some(_) | None => Terms { version, ..terms.clone() },
            };
            let (name, external_id) = (name.clone(), external_id.clone());
            let plan = Plan { id: terms.plan.clone(), external_id, name, currency, version, closed: false };
            let revision = held.as_ref().map_or(0, table::Held::revision);
            let news = held.as_ref().is_none_or(|held| held.value != plan);
            let repeats = command.repeats(&world, revision, news).await?;
            if let Some(held) = held.as_ref().filter(|_| repeats || !news) {
                let terms = newest(&world, m, &held.value).await?;
                return Ok(Reply::ok(PlanView::of(&held.value, &terms)).revision(revision).replayed());
            }
            let context = command.context(now);
            let commit = Commit::new(m, &context);
            let commit = match &held {
                Some(held) => commit.change(held, &plan, plan.id.as_str(), told(&plan)),
                None => commit.begin(&plan, plan.id.as_str(), told(&plan), Overtaken),
            };
            let commit = if same { commit } else { commit.add(&terms, Overtaken) };
            command.remember(commit, now, 200, plan.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(PlanView::of(&plan, &terms)).revision(revision.saturating_add(1)))
        })
        .await
}

/// Goods are offered here.
async fn known_goods(world: &World, m: &MarketplaceId, terms: &Terms) -> Result<(), Problem> {
    let keys = terms.gives.goods.iter().map(|one| {
        let offer = domain::id::OfferId::of(m, &one.merchant, one.sku.as_str());
        Key::offer(m, &offer)
    });
    let keys: Vec<Key> = keys.collect();
    let mut read = world.table.read(&keys).await?;
    let mut check = Check::new();
    for (at, key) in keys.iter().enumerate() {
        if read.take::<domain::catalog::Offer>(key)?.is_none() {
            check.wrong(format!("terms.goods[{at}].sku"), "unknown", "the merchant offers no such goods");
        }
    }
    check.done()
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<PlanView>, Problem> {
    let m = &query.caller.marketplace;
    let id: PlanId = id.parse().map_err(|_| Problem::not_found("plan"))?;
    let held = world.table.load::<Plan>(&Key::plan(m, &id)).await?;
    let held = held.ok_or_else(|| Problem::not_found("plan"))?;
    let terms = newest(&world, m, &held.value).await?;
    Ok(Reply::ok(PlanView::of(&held.value, &terms)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlanRow {
    id: String,
    external_id: String,
    name: String,
    currency: String,
    version: u32,
    /// `open` or `closed`.
    status: &'static str,
}

fn row(plan: &Plan) -> PlanRow {
    PlanRow {
        id: plan.id.to_string(),
        external_id: plan.external_id.to_string(),
        name: plan.name.to_string(),
        currency: plan.currency.to_string(),
        version: plan.version,
        status: status(plan),
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<PlanRow>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.plans(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |plan| row(&plan))))
}

/// Open plans with what they cost, for those who shop.
pub(crate) async fn offered(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<PlanView>>, Problem> {
    let m = &query.caller.marketplace;
    let paging = query.parameters.read()?;
    let page = world.table.plans(m, paging.limit, paging.after.as_ref()).await?;
    let open: Vec<Plan> = page.items.into_iter().filter(|plan| !plan.closed).collect();
    let keys: Vec<Key> = open.iter().map(|plan| Key::terms(m, &plan.id, plan.version)).collect();
    let mut read = world.table.read(&keys).await?;
    let mut items = Vec::with_capacity(open.len());
    for (plan, key) in open.iter().zip(&keys) {
        if let Some(terms) = read.take::<Terms>(key)? {
            items.push(PlanView::of(plan, &terms.value));
        }
    }
    Ok(Reply::ok(Listing { items, next: page.next.map(|next| next.to_string()) }))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlanVersion {
    version: u32,
    published_at: String,
    terms: TermsBody,
}

pub(crate) async fn versions(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<PlanVersion>>, Problem> {
    let m = &query.caller.marketplace;
    let id: PlanId = id.parse().map_err(|_| Problem::not_found("plan"))?;
    find(&world, m, &id).await?;
    let paging = query.parameters.read()?;
    let page = world.table.versions(m, &id, paging.limit, paging.after.as_ref()).await?;
    let row = |held: table::Held<Terms>| PlanVersion {
        version: held.value.version,
        published_at: held.value.published_at.to_string(),
        terms: TermsBody::of(&held.value),
    };
    Ok(Reply::ok(Listing::of(page, row)))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ClosePlan"))]
pub(crate) struct CloseBody {}

/// Publishing it again opens it.
pub(crate) async fn close(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<CloseBody>,
) -> Result<Reply<PlanRow>, Problem> {
    let m = &command.caller.marketplace;
    let id: PlanId = id.parse().map_err(|_| Problem::not_found("plan"))?;
    let decide = |before: Plan| async move {
        if before.closed {
            return Ok(None);
        }
        let next = Plan { closed: true, ..before };
        let story = told(&next);
        Ok(Some((next, story)))
    };
    change(&world, &command, (&Key::plan(m, &id), id.as_str(), "plan"), decide, row).await
}
