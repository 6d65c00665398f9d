//! Operators' own texts: versions of a kind in a language. What is saved is compiled and filled in once before it
//! counts, so that nothing is found wrong with it when it is sent.

use crate::facts::sample;
use crate::render::{Broken, Rendered, compile, is_known, render};
use crate::words;
use axum::extract::{Path, State};
use domain::message::{Kind, locales};
use domain::text::Locale;
use edge::query::{None as NoParameters, PageOf};
use edge::{Command, Listing, Overtaken, Problem, Query, Reply, World};
use events::Announced;
use events::message::MessageTemplateSavedV1;
use serde::{Deserialize, Serialize};
use table::message::{MessageTemplate, Source, TemplateVersion};
use table::{Commit, Held, Key, Story};

/// Bytes of each part as it is written.
const PART_MAX: usize = 60_000;

/// A text of an operator's. `{{ … }}` and `{% … %}` are filled in when it is sent; what a name stands for is shown by
/// the preview.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageTemplateSource"))]
pub(crate) struct SourceBody {
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PART_MAX)))]
    subject: String,
    /// Markup of mail (MJML), compiled when it is saved.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PART_MAX)))]
    mjml: String,
    /// For those who read no HTML.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = PART_MAX)))]
    text: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageTemplate"))]
pub(crate) struct TemplateView {
    kind: Kind,
    locale: String,
    /// 0 is the platform's own.
    version: u32,
    subject: String,
    mjml: String,
    text: String,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ResetMessageTemplate"))]
pub(crate) struct Reset {}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RestoreMessageTemplate"))]
pub(crate) struct Restore {
    /// Of the list of versions.
    version: u32,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageTemplateVersion"))]
pub(crate) struct VersionView {
    version: u32,
    saved_at: String,
    /// Who saved it, as the audit trail names people and keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    saved_by: Option<String>,
    /// The platform's own was put in force again.
    builtin: bool,
    /// As it was written; absent where it was the platform's.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
}

fn none() -> Problem {
    Problem::not_found("message template")
}

fn place(kind: &str, locale: &str) -> Result<(Kind, Locale), Problem> {
    Ok((Kind::of_word(kind).ok_or_else(none)?, locale.parse().map_err(|_| none())?))
}

/// What is in force: the operator's, else the platform's; 404 where there is neither. Where there was an operator's in
/// a language that the platform has no words of, it is the platform's in the nearest.
fn view(kind: Kind, locale: &Locale, held: Option<&MessageTemplate>) -> Result<TemplateView, Problem> {
    let own = held.and_then(|held| Some((held.version, held.source.clone()?)));
    let tried = match held {
        Some(_) => locales(Some(locale.as_str()), "en"),
        None => vec![locale.to_string()],
    };
    let platform = || tried.iter().find_map(|locale| words::of(kind, locale)).map(|source| (0, source));
    let (version, source) = own.or_else(platform).ok_or_else(none)?;
    let Source { subject, mjml, text, .. } = source;
    Ok(TemplateView { kind, locale: locale.to_string(), version, subject, mjml, text })
}

impl From<Broken> for Problem {
    fn from(broken: Broken) -> Self {
        let mut check = edge::Check::new();
        check.wrong(broken.part, "template", &broken.why);
        check.done().err().unwrap_or_else(Self::internal)
    }
}

impl SourceBody {
    /// Compiled, and filled in with the sample once.
    fn read(&self, kind: Kind, locale: &Locale) -> Result<(Source, Rendered), Problem> {
        let Self { subject, mjml, text } = self.clone();
        let mut check = edge::Check::new();
        for (name, part) in [("subject", &subject), ("mjml", &mjml), ("text", &text)] {
            if part.is_empty() || part.len() > PART_MAX {
                check.wrong(name, "range", format!("1 to {PART_MAX} bytes"));
            }
        }
        check.done()?;
        let source = Source { html: compile(&mjml)?, subject, mjml, text };
        let facts = sample(kind, locale.as_str());
        let rendered = render(&source, &facts)?;
        is_known(&source, &facts)?;
        Ok((source, rendered))
    }
}

pub(crate) async fn show(
    State(world): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    query: Query<NoParameters>,
) -> Result<Reply<TemplateView>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    let key = Key::message_template(&query.caller.marketplace, kind, locale.as_str());
    let held = world.table.load::<MessageTemplate>(&key).await?;
    let reply = Reply::ok(view(kind, &locale, held.as_ref().map(|held| &held.value))?);
    Ok(match held {
        Some(held) => reply.revision(held.revision()),
        None => reply,
    })
}

/// What a text comes to with sample data; nothing is saved.
pub(crate) async fn preview(
    State(_): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    command: Command<SourceBody>,
) -> Result<Reply<Rendered>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    Ok(Reply::ok(command.body.read(kind, &locale)?.1))
}

pub(crate) async fn save(
    State(world): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    command: Command<SourceBody>,
) -> Result<Reply<TemplateView>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    let (source, _) = command.body.read(kind, &locale)?;
    put(&world, &command, kind, &locale, Some(source)).await
}

/// The platform's own is in force again; the versions stay.
pub(crate) async fn reset(
    State(world): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    command: Command<Reset>,
) -> Result<Reply<TemplateView>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    put(&world, &command, kind, &locale, None).await
}

/// What was in force and when, the newest first; a version never changes.
pub(crate) async fn versions(
    State(world): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<VersionView>>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    let paging = query.parameters.read()?;
    let (m, after) = (&query.caller.marketplace, paging.after.as_ref());
    let page = world.table.template_versions(m, (kind, &locale), paging.limit, after).await?;
    let view = |held: Held<TemplateVersion>| {
        let MessageTemplate { version, source, at, by, .. } = held.value.template;
        let builtin = source.is_none();
        let subject = source.map(|source| source.subject);
        VersionView { version, saved_at: at.to_string(), saved_by: by, builtin, subject }
    };
    Ok(Reply::ok(Listing::of(page, view)))
}

/// The text of an older version becomes the newest, and is in force at once.
pub(crate) async fn restore(
    State(world): State<World>,
    Path((kind, locale)): Path<(String, String)>,
    command: Command<Restore>,
) -> Result<Reply<TemplateView>, Problem> {
    let (kind, locale) = place(&kind, &locale)?;
    let key = Key::template_version(&command.caller.marketplace, kind, locale.as_str(), command.body.version);
    let kept = world.table.load::<TemplateVersion>(&key).await?;
    let kept = kept.ok_or_else(|| Problem::not_found("version of the message template"))?;
    put(&world, &command, kind, &locale, kept.value.template.source).await
}

async fn put<T>(
    world: &World,
    command: &Command<T>,
    kind: Kind,
    locale: &Locale,
    source: Option<Source>,
) -> Result<Reply<TemplateView>, Problem> {
    let m = &command.caller.marketplace;
    let key = Key::message_template(m, kind, locale.as_str());
    world
        .until_free(|| async {
            let held = world.table.load::<MessageTemplate>(&key).await?;
            let as_it_is = |held: &Held<MessageTemplate>| {
                Ok(Reply::ok(view(kind, locale, Some(&held.value))?).revision(held.revision()).replayed())
            };
            if command.repeats(world, held.as_ref().map_or(0, Held::revision), true).await? {
                return as_it_is(held.as_ref().ok_or_else(none)?);
            }
            let before = held.as_ref().map(|held| &held.value);
            if let Some(held) = held.as_ref().filter(|held| held.value.source == source) {
                return as_it_is(held);
            }
            let now = world.now();
            let version = before.map_or(1, |before| before.version.saturating_add(1));
            let (locale, source) = (locale.clone(), source.clone());
            let by = Some(command.caller.actor.clone());
            let next = MessageTemplate { kind, locale, version, source, at: now, by };
            let shown = view(kind, &next.locale, Some(&next))?;
            let story = Story::new([Announced::of(&MessageTemplateSavedV1 {
                kind,
                locale: next.locale.to_string(),
                version,
                builtin: next.source.is_none(),
            })]);
            let context = command.context(now);
            let subject = format!("message-{}-{}", kind.word(), next.locale);
            let commit = command.remember(Commit::new(m, &context), now, 200, &subject, Overtaken);
            let commit = commit.add(&TemplateVersion { template: next.clone() }, Overtaken);
            let commit = match &held {
                Some(held) => commit.change(held, &next, &subject, story),
                None => commit.begin(&next, &subject, story, Overtaken),
            };
            commit.send(&world.table).await?;
            Ok(Reply::ok(shown).revision(held.as_ref().map_or(1, Held::next_step)))
        })
        .await
}
