//! An import is asked for, and its file may be sent.

use crate::cut::{FILE_MAX, WORKBOOK_MAX};
use crate::show::{ImportView, Upload, kept, view};
use crate::{place, profiles};
use axum::extract::State;
use domain::id::{ImportId, MarketplaceId};
use domain::import::{Counts, Format, Import, Of, Stage};
use domain::merchant::Merchant;
use domain::pim::translation::file;
use domain::text::{Code, Name};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use std::time::Duration;
use table::import::ProfileOfImport;
use table::{Commit, Key, Story};

/// So long the file can be sent.
const SENT_WITHIN: Duration = Duration::from_secs(600);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CreateImport {
    /// Of the file, as its sender calls it.
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// How its rows are read, as the profile is now. Of translations it is `translations`, if not said: that reads
    /// what an export of translations has.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    profile: Option<String>,
    format: Format,
    /// Its length: of workbooks at most 20,000,000, else 200,000,000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = FILE_MAX)))]
    bytes: i64,
    /// Whose products are written. An operator may leave it out: then rows name their merchants.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// `products`, if not said; categories are the operators'.
    #[serde(default)]
    of: Of,
    /// Everything is decided and told, and nothing is written.
    #[serde(default)]
    dry_run: bool,
}

fn content_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv",
        Format::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Format::Json => "application/json",
        Format::Jsonl => "application/x-ndjson",
        Format::Zip => "application/zip",
    }
}

/// With the address to send its file to, while one is waited for.
async fn sendable(
    world: &World,
    m: &MarketplaceId,
    import: &Import,
    bytes: i64,
) -> Result<ImportView, Problem> {
    if !import.awaits_file() {
        return Ok(view(import));
    }
    let (key, about) = (place::sent(m, &import.id), (content_type(import.format), bytes));
    let room = place::bucket(world)?.room(&key, about, SENT_WITHIN).await?;
    let expires_at = room.expires_at.to_string();
    Ok(view(import).with(Upload { url: room.url, headers: room.headers, expires_at }))
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<CreateImport>,
) -> Result<Reply<ImportView>, Problem> {
    let (m, body) = (&command.caller.marketplace, &command.body);
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &body.name);
    let merchant = command.reach.keeper(&mut check, body.merchant.as_deref())?;
    let most = if body.format == Format::Xlsx { WORKBOOK_MAX } else { FILE_MAX };
    if !u64::try_from(body.bytes).is_ok_and(|bytes| (1..=most).contains(&bytes)) {
        check.wrong("bytes", "range", format!("{} is not between 1 and {most}", body.bytes));
    }
    if merchant.is_some() && body.of == Of::Categories {
        check.wrong("of", "forbidden", "categories are not a merchant's");
    }
    let unsaid = match body.of {
        Of::Translations => Some(file::PROFILE),
        Of::Products | Of::Categories => None,
    };
    if body.profile.as_deref().or(unsaid).is_none() {
        check.wrong("profile", "required", "say how its rows are read");
    }
    let profile = match check.maybe::<Code>("profile", body.profile.as_deref().or(unsaid)) {
        None => None,
        Some(code) => {
            let found = profiles::named(&world, m, &code).await?;
            if found.is_none() {
                check.wrong("profile", "unknown", format!("there is no import profile `{code}`"));
            }
            found.map(|(profile, _)| profile.0)
        }
    };
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    let (Some(name), Some(profile)) = (name, profile) else { return Err(Problem::internal()) };
    let now = world.now();
    let import = Import {
        id: ImportId::from_bits(world.fresh()),
        merchant,
        name,
        profile: profile.code.clone(),
        of: body.of,
        format: body.format,
        dry_run: body.dry_run,
        requested_at: now,
        by: command.caller.actor.clone(),
        stage: Stage::AwaitingFile { since: now },
        counts: Counts::default(),
    };
    let kept_profile = ProfileOfImport { import: import.id.clone(), profile };
    let (import, kept_profile) = (&import, &kept_profile);
    world
        .until_free(|| async {
            if let Some(asked) = command.asked_before(&world).await? {
                let held = kept(&world, m, &command.reach, &asked.resource).await?;
                let shown = sendable(&world, m, &held.value, body.bytes).await?;
                return Ok(Reply::ok(shown).revision(held.revision()).replayed());
            }
            let context = command.context(now);
            let story = Story::new([events::import::created(import)]);
            let commit = Commit::new(m, &context).begin(import, import.id.as_str(), story, Overtaken);
            let commit = commit.add(kept_profile, Overtaken);
            command.remember(commit, now, 201, import.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::created(sendable(&world, m, import, body.bytes).await?).revision(1))
        })
        .await
}
