//! Translations: what a product says in one language beside what it says in another, and rows that come back.
//!
//! A row carries the digest of its source there and back: what was translated from something else than is said now is
//! refused, row by row, and the rest is taken.

use crate::products;
use crate::sheets::load;
use axum::extract::{Path, State};
use domain::catalog::Product;
use domain::id::ProductId;
use domain::pim::data::Data;
use domain::pim::sheet::Path as At;
use domain::pim::translation::{Incoming, NotTaken, Row, Status, rows as side_by_side, take};
use domain::text::{Code, Locale, Reason};
use edge::{Check, Command, Overtaken, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use table::Commit;

/// Rows of one request.
const ROWS_MAX: usize = 1_000;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Between {
    /// The language of the source; the marketplace's own, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    source_locale: Option<String>,
    /// The language to translate into.
    #[cfg_attr(feature = "schema", schemars(with = "Locale"))]
    target_locale: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TranslationRow {
    /// Where the translation stands, or will: `values/title/de`.
    path: String,
    source: Data,
    /// The digest of the source; it comes back with the translation.
    of: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Data>,
    /// The digest of `target`; it comes back too.
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    /// `stale`: the source says something else than what it was translated from.
    status: Status,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Translations {
    product: String,
    source_locale: String,
    target_locale: String,
    rows: Vec<TranslationRow>,
}

fn row(Row { path, source, of, target, status }: Row) -> TranslationRow {
    let was = target.as_ref().map(Data::digest);
    TranslationRow { path: path.to_string(), source, of, target, was, status }
}

pub(crate) async fn rows(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<Between>,
) -> Result<Reply<Translations>, Problem> {
    let m = &query.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let seen = load(&world, m, &id, |product| products::own(product, &query.reach)).await?;
    let Between { source_locale, target_locale } = &query.parameters;
    let mut check = Check::new();
    let from = match source_locale {
        Some(source) => check.parse::<Locale>("source_locale", source),
        None => world.table.model(m, &[], BTreeSet::new()).await?.source,
    };
    let to = check.parse::<Locale>("target_locale", target_locale);
    if from.is_some() && from == to {
        check.wrong("target_locale", "same", "want another language than that of the source");
    }
    check.done()?;
    let (Some(from), Some(to)) = (from, to) else { return Err(Problem::internal()) };
    let rows = side_by_side(&seen.sheet.content, &from, &to).into_iter().map(row).collect();
    let (product, source_locale, target_locale) = (id.to_string(), from.to_string(), to.to_string());
    let view = Translations { product, source_locale, target_locale, rows };
    Ok(Reply::ok(view).revision(seen.revision()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TranslatedRow {
    #[cfg_attr(
        feature = "schema",
        schemars(regex(
            pattern = concat!(
                "^(variants/[1-9][0-9]{0,2}/)?values/[a-z0-9_-]{1,64}",
                "(/([A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*)?(/([a-z0-9_-]{1,32})?)?)?$"
            )
        ))
    )]
    path: String,
    of: String,
    /// As the row went out: left out, where there was no translation.
    #[serde(default)]
    was: Option<String>,
    /// Null takes the translation away.
    target: Data,
    /// Whether somebody stands by it; else it is a draft.
    #[serde(default)]
    done: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TakeTranslations {
    #[cfg_attr(feature = "schema", schemars(with = "Locale"))]
    source_locale: String,
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = ROWS_MAX)))]
    rows: Vec<TranslatedRow>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    reason: Option<String>,
}

/// A row that was not taken.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RefusedRow {
    /// Counted from 0, as it came.
    row: u32,
    /// `changed`: the source says something else by now; `gone`: it says nothing; `overtaken`: the translation says
    /// something else; `no_target`; `invalid_value`.
    code: &'static str,
    message: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TakenTranslations {
    product: String,
    /// Of the sheet, after it.
    version: u32,
    taken: u32,
    refused: Vec<RefusedRow>,
}

fn refused((row, why): &(usize, NotTaken)) -> RefusedRow {
    let code = match why {
        NotTaken::NoTarget => "no_target",
        NotTaken::Gone => "gone",
        NotTaken::Changed => "changed",
        NotTaken::Overtaken => "overtaken",
        NotTaken::Refused(_) => "invalid_value",
    };
    RefusedRow { row: count(*row), code, message: why.to_string() }
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

fn read(body: &TakeTranslations) -> Result<(Locale, Vec<Incoming>, Option<Reason>), Problem> {
    let mut check = Check::new();
    let from = check.parse::<Locale>("source_locale", &body.source_locale);
    let reason = check.maybe::<Reason>("reason", body.reason.as_deref());
    if !(1..=ROWS_MAX).contains(&body.rows.len()) {
        check.wrong("rows", "range", format!("want 1 to {ROWS_MAX} rows, not {}", body.rows.len()));
    }
    let mut rows = Vec::with_capacity(body.rows.len());
    for (at, TranslatedRow { path, of, was, target, done }) in body.rows.iter().enumerate().take(ROWS_MAX) {
        let path = check.parse::<At>(format!("rows[{at}].path"), path);
        let (of, was, target, done) = (of.clone(), was.clone(), target.clone(), *done);
        rows.extend(path.map(|path| Incoming { path, of, was, target, done }));
    }
    check.done()?;
    Ok((from.ok_or_else(Problem::internal)?, rows, reason))
}

pub(crate) async fn take_all(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<TakeTranslations>,
) -> Result<Reply<TakenTranslations>, Problem> {
    let m = &command.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let own = |product: &Product| products::own(product, &command.reach);
    load(&world, m, &id, own).await?;
    let (from, rows, reason) = read(&command.body)?;
    let (world, command, id) = (&world, &command, &id);
    let (from, rows, reason) = (&from, &rows, reason.as_ref());
    world
        .until_free(|| async {
            let seen = load(world, m, id, own).await?;
            let families: Vec<Code> = seen.sheet.content.family().into_iter().collect();
            let attributes = rows.iter().filter_map(|row| match &row.path {
                At::Value(slot) | At::Translation(slot) => Some(slot.attribute.clone()),
                At::Family | At::Assets => None,
            });
            let model = world.table.model(m, &families, attributes.collect()).await?;
            let (sheet, not) = take(&seen.sheet, rows, from, &model, &seen.numbers())?;
            let view = |version: u32| TakenTranslations {
                product: id.to_string(),
                version,
                taken: count(rows.len().saturating_sub(not.len())),
                refused: not.iter().map(refused).collect(),
            };
            let news = sheet != seen.sheet;
            if command.repeats(world, seen.revision(), news).await? || !news {
                return Ok(Reply::ok(view(seen.sheet.version)).revision(seen.revision()).replayed());
            }
            seen.product.unmerged()?;
            let (now, version) = (world.now(), sheet.version);
            let context = command.context(now);
            let commit = Commit::new(m, &context);
            let commit = seen.rewrite(commit, &context, (sheet, &model), (reason, Overtaken));
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(version)).revision(seen.revision().saturating_add(1)))
        })
        .await
}
