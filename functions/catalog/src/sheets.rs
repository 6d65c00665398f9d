//! What a product says: values of attributes for itself and its variants, its family, its pictures in order.
//!
//! A change is one transaction: the sheet as it is now, the change as a version of its history, the story. The
//! operators write every sheet, a merchant those of its own products; another's is not there.

use crate::products;
use axum::extract::{Path, State};
use domain::catalog::Product;
use domain::id::{MarketplaceId, ProductId};
use domain::pim::attribute::Place;
use domain::pim::data::Data;
use domain::pim::family::{Completeness, Model};
use domain::pim::history::{Change, Diff, Step, restore as restored};
use domain::pim::quality::{Reason as Because, Rule};
use domain::pim::sheet::{Patch, Sheet};
use domain::text::{Channel, Code, Reason};
use edge::change::change as change_one;
use edge::query::None as NoParameters;
use edge::sheet::{ChangeSheet, SheetValue, Values, VariantSheet};
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::catalog::product_changed;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use table::seen::Seen;
use table::sheet::Described;
use table::{Commit, Key, Story};

/// How much of what its family demands a product says.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CompletenessView {
    channel: String,
    locale: String,
    /// Rounded down: only what is complete has a hundred.
    percent: u8,
    required: u16,
    /// Attributes that are demanded and not said.
    missing: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct QualityReason {
    rule: Rule,
    points: u8,
    of: u8,
    have: u32,
    want: u32,
}

/// How well a channel shows the product in a language, of a hundred points, and the reason for each that is missing.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct QualityView {
    channel: String,
    locale: String,
    score: u8,
    /// The version of the rules; figures of different ones do not compare.
    rules: u8,
    reasons: Vec<QualityReason>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SheetView {
    product: String,
    /// Counted by changes; nothing said yet is 0.
    version: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    /// Ids of pictures, films and models, in the order that they are shown in.
    assets: Vec<String>,
    values: Values,
    /// What variants say otherwise, by their number.
    variants: BTreeMap<String, VariantSheet>,
    completeness: Vec<CompletenessView>,
    quality: Vec<QualityView>,
}

/// As [`Seen::load`]; what is not there, or not open to the caller, is told so.
pub(crate) async fn load(
    world: &World,
    m: &MarketplaceId,
    id: &ProductId,
    open: impl Fn(&Product) -> bool,
) -> Result<Seen, Problem> {
    let seen = Seen::load(&world.table, m, id).await?.filter(|seen| open(&seen.product));
    seen.ok_or_else(|| Problem::not_found("product of yours"))
}

fn view(seen: &Seen, sheet: &Sheet, model: &Model) -> SheetView {
    let (completeness, quality) = seen.judge(&sheet.content, model);
    let mut values: BTreeMap<Option<u16>, Values> = BTreeMap::new();
    for (slot, data) in sheet.content.values() {
        let Place { locale, channel } = &slot.place;
        let (locale, channel) =
            (locale.as_ref().map(ToString::to_string), channel.as_ref().map(ToString::to_string));
        let of = values.entry(slot.variant).or_default().entry(slot.attribute.to_string()).or_default();
        of.push(SheetValue { locale, channel, data: data.clone() });
    }
    let own = values.remove(&None).unwrap_or_default();
    let variant = |(number, values): (Option<u16>, Values)| {
        (number.unwrap_or_default().to_string(), VariantSheet { values })
    };
    let quality = completeness.cells.iter().zip(quality).map(|(cell, quality)| QualityView {
        channel: cell.channel.to_string(),
        locale: cell.locale.to_string(),
        score: quality.score,
        rules: quality.rules,
        reasons: quality.reasons.iter().map(because).collect(),
    });
    SheetView {
        product: seen.product.id.to_string(),
        version: sheet.version,
        family: sheet.content.family().map(|family| family.to_string()),
        assets: sheet.content.assets().iter().map(ToString::to_string).collect(),
        values: own,
        variants: values.into_iter().map(variant).collect(),
        quality: quality.collect(),
        completeness: completeness.cells.iter().map(cell).collect(),
    }
}

fn cell(cell: &domain::pim::family::Cell) -> CompletenessView {
    CompletenessView {
        channel: cell.channel.to_string(),
        locale: cell.locale.to_string(),
        percent: cell.percent(),
        required: cell.required,
        missing: cell.missing.iter().map(ToString::to_string).collect(),
    }
}

fn because(reason: &Because) -> QualityReason {
    let Because { rule, points, of, have, want } = *reason;
    QualityReason { rule, points, of, have, want }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<SheetView>, Problem> {
    let m = &query.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let seen = load(&world, m, &id, |product| products::own(product, &query.reach)).await?;
    let family: Vec<Code> = seen.sheet.content.family().into_iter().collect();
    let model = world.table.model(m, &family, BTreeSet::new()).await?;
    Ok(Reply::ok(view(&seen, &seen.sheet, &model)).revision(seen.revision()))
}

/// What becomes of a sheet.
enum Edit {
    Patch(Patch),
    /// Says again what this version said.
    Restore(u32),
}

impl Edit {
    /// The sheet after it, with the words that it is written in.
    async fn make(&self, world: &World, m: &MarketplaceId, seen: &Seen) -> Result<(Sheet, Model), Problem> {
        match self {
            Self::Patch(patch) => {
                let model = world.table.words(m, &seen.sheet, patch).await?;
                Ok((seen.patched(patch, &model)?, model))
            }
            Self::Restore(version) => {
                let newer = world.table.sheet_changes_since(m, &seen.product.id, *version).await?;
                let sheet = restored(&seen.sheet, *version, &newer)?;
                let families: Vec<Code> = sheet.content.family().into_iter().collect();
                let model = world.table.model(m, &families, BTreeSet::new()).await?;
                Ok((sheet, model))
            }
        }
    }
}

/// Loads, decides, commits; again while others write.
async fn write<T>(
    world: &World,
    command: &Command<T>,
    id: &str,
    reason: Option<&Reason>,
    edit: &Edit,
) -> Result<Reply<SheetView>, Problem> {
    let m = &command.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let id = &id;
    world
        .until_free(|| async {
            let seen = load(world, m, id, |product| products::own(product, &command.reach)).await?;
            let made = edit.make(world, m, &seen).await;
            let news = made.as_ref().is_ok_and(|(next, _)| *next != seen.sheet);
            if command.repeats(world, seen.revision(), news).await? || (made.is_ok() && !news) {
                let family: Vec<Code> = seen.sheet.content.family().into_iter().collect();
                let model = world.table.model(m, &family, BTreeSet::new()).await?;
                return Ok(Reply::ok(view(&seen, &seen.sheet, &model)).revision(seen.revision()).replayed());
            }
            seen.product.unmerged()?;
            let (sheet, model) = made?;
            let now = world.now();
            let context = command.context(now);
            let view = view(&seen, &sheet, &model);
            let commit =
                seen.rewrite(Commit::new(m, &context), &context, (sheet, &model), (reason, Overtaken));
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view).revision(seen.revision().saturating_add(1)))
        })
        .await
}

pub(crate) async fn change(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ChangeSheet>,
) -> Result<Reply<SheetView>, Problem> {
    let mut check = Check::new();
    let reason = check.maybe::<Reason>("reason", command.body.reason.as_deref());
    check.done()?;
    let edit = Edit::Patch(command.body.patch()?);
    write(&world, &command, &id, reason.as_ref(), &edit).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RestoreSheet {
    version: u32,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    reason: Option<String>,
}

pub(crate) async fn restore(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<RestoreSheet>,
) -> Result<Reply<SheetView>, Problem> {
    let mut check = Check::new();
    let reason = check.maybe::<Reason>("reason", command.body.reason.as_deref());
    check.done()?;
    write(&world, &command, &id, reason.as_ref(), &Edit::Restore(command.body.version)).await
}

/// One thing that a change touched.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SheetStep {
    /// `values/color/de/web`, `variants/2/values/color`, `family`, `assets`.
    path: String,
    /// Absent: there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Data>,
    /// Absent: there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Data>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SheetChange {
    /// The version that it made.
    version: u32,
    at: String,
    /// The person or the key.
    by: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    diff: Vec<SheetStep>,
}

fn told(change: Change) -> SheetChange {
    let step = |Step { path, before, after }: &Step| SheetStep {
        path: path.to_string(),
        before: before.clone(),
        after: after.clone(),
    };
    let Change { version, at, by, reason, diff } = change;
    let diff = Diff::steps(&diff).iter().map(step).collect();
    SheetChange { version, at: at.to_string(), by, reason: reason.map(|reason| reason.to_string()), diff }
}

pub(crate) async fn history(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<SheetChange>>, Problem> {
    let m = &query.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let paging = query.parameters.read()?;
    let product = world.table.load::<Product>(&Key::product(m, &id)).await?;
    if !product.is_some_and(|product| products::own(&product.value, &query.reach)) {
        return Err(Problem::not_found("product of yours"));
    }
    let page = world.table.sheet_versions(m, &id, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, told)))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PublishProduct {
    /// The sales channel on which it must be complete, in one language at the least.
    #[cfg_attr(feature = "schema", schemars(with = "Channel"))]
    channel: String,
}

/// The product is active from now on. What a product of a family must say there is said, or it stays as it is; without
/// a family nothing is demanded.
pub(crate) async fn publish(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<PublishProduct>,
) -> Result<Reply<products::ProductView>, Problem> {
    let m = &command.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let mut check = Check::new();
    let channel = check.parse::<Channel>("channel", &command.body.channel);
    check.done()?;
    let Some(channel) = channel else { return Err(Problem::internal()) };
    let key = Key::product(m, &id);
    let (world, reach, channel) = (&world, &command.reach, &channel);
    let decide = |product: Product| async move {
        if !products::own(&product, reach) {
            return Err(Problem::not_found("product of yours"));
        }
        let next = product.clone().published()?;
        complete(world, m, &product, Some(channel)).await?;
        Ok((next != product).then(|| (next.clone(), Story::new([product_changed(&next)]))))
    };
    change_one(world, &command, (&key, id.as_str(), "product"), decide, products::view).await
}

/// Whether a product says enough to be shown on a channel, or on any of them; one of no family always does.
pub(crate) async fn complete(
    world: &World,
    m: &MarketplaceId,
    product: &Product,
    channel: Option<&Channel>,
) -> Result<(), Problem> {
    let held = world.table.load::<Described>(&Key::sheet(m, &product.id)).await?;
    let content = held.map(|held| held.value.sheet.content).unwrap_or_default();
    let family: Vec<Code> = content.family().into_iter().collect();
    if channel.is_none() && family.is_empty() {
        return Ok(());
    }
    let model = world.table.model(m, &family, BTreeSet::new()).await?;
    if let Some(channel) = channel.filter(|channel| !model.channels.contains_key(*channel)) {
        let mut check = Check::new();
        check.wrong("channel", "unknown", format!("there is no sales channel `{channel}`"));
        check.done()?;
    }
    if family.is_empty() {
        return Ok(());
    }
    let numbers: Vec<u16> = product.variants.iter().map(|variant| variant.number).collect();
    let completeness = Completeness::of(&content, &model, &numbers);
    let mut refused = None;
    for channel in model.channels.keys().filter(|one| channel.is_none_or(|named| *one == named)) {
        match completeness.publishable(channel) {
            Ok(_) => return Ok(()),
            Err(why) => refused = refused.or(Some(why)),
        }
    }
    refused.map_or(Ok(()), |why| Err(why.into()))
}
