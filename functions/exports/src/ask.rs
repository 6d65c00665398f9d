//! An export is asked for, and looked at.

use crate::file::{bucket, file_name, left_out_name};
use axum::extract::{Path, State};
use domain::id::{ExportId, MarketplaceId};
use domain::pim::export::{ATTRIBUTES_MAX, Counts, Export, Format, Stage, Translations};
use domain::text::{Channel, Code, Locale};
use edge::change::{Fresh, create};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Command, Listing, PageOfKeeper, Problem, Query, Reply, World};
use events::export::export_requested;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;
use table::export::ExportSummary;
use table::{Held, Key, Story};

/// So long a file can be fetched with one address.
const GOOD_FOR: Duration = Duration::from_secs(15 * 60);

/// Where a file is fetched.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ExportFile {
    url: String,
    expires_at: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ExportCounts {
    /// Rows that say something.
    set: u64,
    /// Rows that say that an offer is there no more.
    removed: u64,
    /// Offers that are as they were in the export before; they are not in the file.
    unchanged: u64,
    /// Offers that the channel does not take; the other file says why.
    left_out: u64,
    bytes: u64,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExportTranslations"))]
pub(crate) struct TranslationsView {
    source_locale: String,
    all: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Export"))]
pub(crate) struct ExportView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    channel: String,
    locale: String,
    format: Format,
    attributes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// What is to be translated is in it, instead of what is for sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    translations: Option<TranslationsView>,
    asked_at: String,
    /// `waiting`, `done` or `failed`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    finished_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<ExportCounts>,
    /// Why it has failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<ExportFile>,
    /// What the channel does not take: JSON Lines, an offer with its reasons on each.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<ExportFile>,
}

fn view(export: &Export) -> ExportView {
    let (since, counts, why) = match &export.stage {
        Stage::Waiting => (None, None, None),
        Stage::Done { since, counts } => (Some(since), Some(*counts), None),
        Stage::Failed { since, why } => (Some(since), None, Some(why)),
    };
    let counts = counts.map(|Counts { set, removed, unchanged, left_out, bytes }| ExportCounts {
        set,
        removed,
        unchanged,
        left_out,
        bytes,
    });
    ExportView {
        id: export.id.to_string(),
        merchant: export.merchant.as_ref().map(ToString::to_string),
        channel: export.channel.to_string(),
        locale: export.locale.to_string(),
        format: export.format,
        attributes: export.attributes.iter().map(ToString::to_string).collect(),
        since: export.since.as_ref().map(ToString::to_string),
        translations: export
            .translations
            .as_ref()
            .map(|of| TranslationsView { source_locale: of.from.to_string(), all: of.all }),
        asked_at: export.asked_at.to_string(),
        status: export.stage.word(),
        finished_at: since.map(ToString::to_string),
        counts,
        why: why.map(ToString::to_string),
        file: None,
        left_out: None,
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AskExport {
    /// Whose offers; an operator may leave it out: then everybody's. Of translations: whose products.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Channel"))]
    channel: String,
    /// One of the channel's. Of translations: the one to translate into.
    #[cfg_attr(feature = "schema", schemars(with = "Locale"))]
    locale: String,
    format: Format,
    /// Which attributes each row has, beside what every row has; at most 100. Of translations: which attributes have
    /// rows, all if none are named.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Code>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = ATTRIBUTES_MAX)))]
    attributes: Vec<String>,
    /// An earlier export of the same kind: only what is different since. Not for Google, which takes a feed as the
    /// whole of what is offered; nor of translations, which say what is open each time.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExportId>"))]
    since: Option<String>,
    /// A file for translators: a row per text of a product, with its source beside it, that an import `of` translations
    /// takes back. Drafts of products have rows too; of a merchant, those of the products that it keeps and offers.
    #[serde(default)]
    translations: Option<AskTranslations>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AskExportOfTranslations"))]
pub(crate) struct AskTranslations {
    /// The language of the source; the marketplace's own, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    source_locale: Option<String>,
    /// What is done and what is a draft, too; else only what is missing or stale.
    #[serde(default)]
    all: bool,
}

/// Which translations are asked for, into a language.
fn translations(
    check: &mut Check,
    body: &AskExport,
    own: Option<Locale>,
    into: Option<&Locale>,
) -> Option<Translations> {
    let AskTranslations { source_locale, all } = body.translations.as_ref()?;
    if body.format == Format::GoogleXml {
        check.wrong("format", "format", "a feed has nothing that is to be translated");
    }
    if body.since.is_some() {
        check.wrong("since", "forbidden", "of translations each file has what is open");
    }
    let from = match source_locale {
        Some(source) => check.parse::<Locale>("translations.source_locale", source),
        None => own.or_else(|| {
            check.wrong("translations.source_locale", "required", "say the language of the source");
            None
        }),
    };
    if from.is_some() && from.as_ref() == into {
        check.wrong("locale", "same", "want another language than that of the source");
    }
    Some(Translations { from: from?, all: *all })
}

/// An export that may be asked for: every bad value is told at once.
async fn read(world: &World, m: &MarketplaceId, reach: &Reach, body: &AskExport) -> Result<Export, Problem> {
    let mut check = Check::new();
    let merchant = reach.keeper(&mut check, body.merchant.as_deref())?;
    let channel = check.parse::<Channel>("channel", &body.channel);
    let locale = check.parse::<Locale>("locale", &body.locale);
    let attributes = check.all::<Code>("attributes", &body.attributes);
    let since = check.maybe::<ExportId>("since", body.since.as_deref());
    if body.attributes.len() > ATTRIBUTES_MAX {
        let message = format!("want at most {ATTRIBUTES_MAX}, not {}", body.attributes.len());
        check.wrong("attributes", "range", message);
    }
    if body.since.is_some() && body.format == Format::GoogleXml {
        check.wrong("since", "format", "Google takes a feed as the whole of what is offered");
    }
    let mut model = world.table.model(m, &[], attributes.iter().cloned().collect::<BTreeSet<_>>()).await?;
    for (at, code) in attributes.iter().enumerate() {
        if !model.attributes.contains_key(code) {
            check.wrong(format!("attributes[{at}]"), "unknown", format!("there is no attribute `{code}`"));
        }
    }
    if let Some(channel) = &channel {
        match model.channels.get(channel) {
            None => check.wrong("channel", "unknown", format!("there is no sales channel `{channel}`")),
            Some(found) => {
                if let Some(locale) = locale.as_ref().filter(|locale| !found.locales.contains(locale)) {
                    check.wrong("locale", "unknown", format!("`{channel}` does not speak {locale}"));
                }
            }
        }
    }
    if let Some(since) = since.as_ref().filter(|_| body.translations.is_none()) {
        let earlier = world.table.load::<Export>(&Key::export(m, since)).await?.map(|held| held.value);
        let same = |earlier: &Export| {
            (&earlier.merchant, Some(&earlier.channel), Some(&earlier.locale), earlier.format)
                == (&merchant, channel.as_ref(), locale.as_ref(), body.format)
                && earlier.attributes == attributes
                && earlier.translations.is_none()
        };
        match earlier {
            Some(earlier) if same(&earlier) => {}
            Some(_) => check.wrong("since", "other", format!("{since} is of another kind")),
            None => check.wrong("since", "unknown", format!("there is no export {since}")),
        }
    }
    let translations = translations(&mut check, body, model.source.take(), locale.as_ref());
    check.done()?;
    let (Some(channel), Some(locale)) = (channel, locale) else { return Err(Problem::internal()) };
    Ok(Export {
        id: ExportId::from_bits(world.fresh()),
        merchant,
        channel,
        locale,
        format: body.format,
        attributes,
        since,
        translations,
        asked_at: world.now(),
        stage: Stage::Waiting,
    })
}

pub(crate) async fn ask(
    State(world): State<World>,
    command: Command<AskExport>,
) -> Result<Reply<ExportView>, Problem> {
    let reach = command.reach.clone();
    let m = &command.caller.marketplace;
    let key = |id: &str| Some(Key::export(m, &id.parse().ok()?));
    let make = || async {
        let export = read(&world, m, &reach, &command.body).await?;
        let (id, story) = (export.id.to_string(), Story::new([export_requested(&export)]));
        Ok(Fresh { thing: export, id, story })
    };
    create(&world, &command, key, make, |_| Problem::internal(), view).await
}

async fn loaded(world: &World, m: &MarketplaceId, reach: &Reach, id: &str) -> Result<Held<Export>, Problem> {
    let missing = || Problem::not_found("export");
    let id: ExportId = id.parse().map_err(|_| missing())?;
    let held = world.table.load::<Export>(&Key::export(m, &id)).await?;
    held.filter(|held| reach.keeps(held.value.merchant.as_ref())).ok_or_else(missing)
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ExportView>, Problem> {
    let m = &query.caller.marketplace;
    let held = loaded(&world, m, &query.reach, &id).await?;
    let mut shown = view(&held.value);
    if matches!(held.value.stage, Stage::Done { .. }) {
        let bucket = bucket(&world)?;
        let fetched = async |name: String| {
            let address = bucket.address(&name, GOOD_FOR).await?;
            let expires_at = address.expires_at.to_string();
            Ok::<_, Problem>(Some(ExportFile { url: address.url, expires_at }))
        };
        shown.file = fetched(file_name(m, &held.value)).await?;
        shown.left_out = fetched(left_out_name(m, &held.value.id)).await?;
    }
    Ok(Reply::ok(shown).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ExportRow {
    id: String,
    channel: String,
    format: Format,
    asked_at: String,
    status: String,
}

fn row(ExportSummary { id, channel, format, asked_at, status }: ExportSummary) -> ExportRow {
    let (id, channel, asked_at) = (id.to_string(), channel.to_string(), asked_at.to_string());
    ExportRow { id, channel, format, asked_at, status }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOfKeeper>,
) -> Result<Reply<Listing<ExportRow>>, Problem> {
    let (merchant, Paging { limit, after }) = query.kept()?;
    let page =
        world.table.exports(&query.caller.marketplace, merchant.as_ref(), limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
