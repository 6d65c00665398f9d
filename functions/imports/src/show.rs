//! How imports are shown, to whom, and what was wrong with their rows.

use axum::extract::{Path, State};
use domain::id::{ImportId, MarketplaceId};
use domain::import::{BadCell, BadRow, Counts, Format, Import, Of, Stage};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Listing, PageOf, PageOfKeeper, Problem, Query, Reply, World};
use serde::Serialize;
use std::collections::BTreeMap;
use table::import::ImportSummary;
use table::{Held, Key};

/// Rows, by what became of them.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportCounts {
    rows: u32,
    created: u32,
    changed: u32,
    unchanged: u32,
    refused: u32,
}

fn counts(counts: Counts) -> ImportCounts {
    let Counts { rows, created, changed, unchanged, refused } = counts;
    ImportCounts { rows, created, changed, unchanged, refused }
}

/// Where its file can be sent, by a PUT with these headers.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportUpload"))]
pub(crate) struct Upload {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) expires_at: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportView {
    id: String,
    /// Absent: the operators'.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    name: String,
    profile: String,
    of: Of,
    format: Format,
    dry_run: bool,
    requested_at: String,
    /// `awaiting_file`, `running`, `done`, `failed` or `canceled`.
    status: String,
    /// Since when it is that.
    since: String,
    /// Why it failed: file, line and byte, where there are such, and what helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    counts: ImportCounts,
    /// While it runs: parts that are written, of how many.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Upload>,
}

impl ImportView {
    pub(crate) fn with(self, upload: Upload) -> Self {
        Self { upload: Some(upload), ..self }
    }
}

pub(crate) fn view(import: &Import) -> ImportView {
    let (since, reason, progress) = match &import.stage {
        Stage::AwaitingFile { since } | Stage::Done { since } | Stage::Canceled { since } => {
            (since, None, None)
        }
        Stage::Running { since, parts, reached, .. } => (since, None, Some((*reached, *parts))),
        Stage::Failed { since, why } => (since, Some(why.to_string()), None),
    };
    ImportView {
        id: import.id.to_string(),
        merchant: import.merchant.as_ref().map(ToString::to_string),
        name: import.name.to_string(),
        profile: import.profile.to_string(),
        of: import.of,
        format: import.format,
        dry_run: import.dry_run,
        requested_at: import.requested_at.to_string(),
        status: import.stage.word().to_owned(),
        since: since.to_string(),
        reason,
        counts: counts(import.counts),
        reached: progress.map(|(reached, _)| reached),
        parts: progress.map(|(_, parts)| parts),
        upload: None,
    }
}

/// Another's import is not there.
pub(crate) async fn kept(
    world: &World,
    m: &MarketplaceId,
    reach: &Reach,
    id: &str,
) -> Result<Held<Import>, Problem> {
    let unknown = || Problem::not_found("import");
    let id: ImportId = id.parse().map_err(|_| unknown())?;
    let held = world.table.load::<Import>(&Key::import(m, &id)).await?;
    held.filter(|held| reach.keeps(held.value.merchant.as_ref())).ok_or_else(unknown)
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ImportView>, Problem> {
    let held = kept(&world, &query.caller.marketplace, &query.reach, &id).await?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportRow {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    name: String,
    requested_at: String,
    status: String,
    dry_run: bool,
    counts: ImportCounts,
}

fn row(summary: ImportSummary) -> ImportRow {
    let ImportSummary { id, merchant, name, requested_at, status, dry_run, counts: all } = summary;
    ImportRow {
        id: id.to_string(),
        merchant: merchant.map(|merchant| merchant.to_string()),
        name: name.to_string(),
        requested_at: requested_at.to_string(),
        status,
        dry_run,
        counts: counts(all),
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOfKeeper>,
) -> Result<Reply<Listing<ImportRow>>, Problem> {
    let (merchant, Paging { limit, after }) = query.kept()?;
    let m = &query.caller.marketplace;
    let page = world.table.imports(m, merchant.as_ref(), limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}

/// What is wrong with a cell, or with the row as a whole.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportFlaw {
    /// Absent: it is about the row.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// What the cell has; cut, where it is long.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    /// What is wrong.
    message: String,
    /// What to do.
    todo: String,
}

/// A row that was refused. The first thousand of an import are kept, for 90 days.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ImportError {
    /// Of an archive, or the whole.
    file: String,
    /// Counted from 1; of a workbook its row.
    line: u64,
    flaws: Vec<ImportFlaw>,
}

fn error(row: BadRow) -> ImportError {
    let flaw = |BadCell { column, value, wrong, todo }| ImportFlaw { column, value, message: wrong, todo };
    ImportError { file: row.file, line: row.line, flaws: row.flaws.into_iter().map(flaw).collect() }
}

pub(crate) async fn errors(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ImportError>>, Problem> {
    let m = &query.caller.marketplace;
    let import = kept(&world, m, &query.reach, &id).await?;
    let paging = query.parameters.read()?;
    let page = world.table.bad_rows(m, &import.value.id, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, error)))
}
