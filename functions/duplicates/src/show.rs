//! Pairs, as operators see them.

use axum::extract::{Path, State};
use domain::id::{DuplicateId, MarketplaceId};
use domain::pim::duplicate::{Duplicate, Stage};
use domain::pim::likeness::Evidence;
use edge::query::{None as NoParameters, Paging};
use edge::{Listing, PageOf, Problem, Query, Reply, World};
use serde::Serialize;
use table::duplicate::DuplicateSummary;
use table::{Held, Key};

/// What speaks for it that two products are one.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DuplicateEvidence"))]
pub(crate) enum EvidenceBody {
    /// Both have it, here in 14 digits.
    Gtin { gtin: String },
    /// The maker's number, letters and digits alone.
    Part { brand: String, mpn: String },
    /// Two pictures differ in so few bits of 64.
    Picture { distance: u32 },
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Duplicate"))]
pub(crate) struct DuplicateView {
    id: String,
    products: [String; 2],
    evidence: Vec<EvidenceBody>,
    found_at: String,
    /// `open`; `gone`: nothing speaks for it any more; `dismissed`: they are two; `merged`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolved_by: Option<String>,
    /// Why they are two.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The one that has stayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    kept: Option<String>,
}

pub(crate) fn view(pair: &Duplicate) -> DuplicateView {
    let evidence = |evidence: &Evidence| match evidence.clone() {
        Evidence::Gtin { gtin } => EvidenceBody::Gtin { gtin },
        Evidence::Part { brand, mpn } => EvidenceBody::Part { brand, mpn },
        Evidence::Picture { distance } => EvidenceBody::Picture { distance },
    };
    let (since, by, reason, kept) = match &pair.stage {
        Stage::Open => (None, None, None, None),
        Stage::Gone { since } => (Some(since), None, None, None),
        Stage::Dismissed { since, by, reason } => (Some(since), Some(by), Some(reason), None),
        Stage::Merged { since, by, kept } => (Some(since), Some(by), None, Some(kept)),
    };
    DuplicateView {
        id: pair.id.to_string(),
        products: pair.products.each_ref().map(ToString::to_string),
        evidence: pair.evidence.iter().map(evidence).collect(),
        found_at: pair.found_at.to_string(),
        status: pair.stage.word(),
        resolved_at: since.map(ToString::to_string),
        resolved_by: by.cloned(),
        reason: reason.map(ToString::to_string),
        kept: kept.map(ToString::to_string),
    }
}

pub(crate) fn id(text: &str) -> Result<DuplicateId, Problem> {
    text.parse().map_err(|_| Problem::not_found("duplicate"))
}

pub(crate) async fn loaded(
    world: &World,
    m: &MarketplaceId,
    id: &DuplicateId,
) -> Result<Held<Duplicate>, Problem> {
    let held = world.table.load::<Duplicate>(&Key::duplicate(m, id)).await?;
    held.ok_or_else(|| Problem::not_found("duplicate"))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(text): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<DuplicateView>, Problem> {
    let held = loaded(&world, &query.caller.marketplace, &id(&text)?).await?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DuplicateRow {
    id: String,
    products: [String; 2],
    found_at: String,
}

fn row(DuplicateSummary { id, products, found_at }: DuplicateSummary) -> DuplicateRow {
    let products = products.map(|product| product.to_string());
    DuplicateRow { id: id.to_string(), products, found_at: found_at.to_string() }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<DuplicateRow>>, Problem> {
    let Paging { limit, after } = query.parameters.read()?;
    let page = world.table.open_duplicates(&query.caller.marketplace, limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
