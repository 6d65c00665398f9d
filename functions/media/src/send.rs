//! Permission to send a file: of a new asset, or in the place of the one that is there.

use crate::change::change;
use crate::made::TAKEN;
use crate::place;
use crate::show::{AssetView, Upload, kept, view};
use axum::extract::{Path, State};
use domain::Decision;
use domain::asset::Asset;
use domain::id::{AssetId, MarketplaceId};
use domain::merchant::Merchant;
use domain::text::Name;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use std::time::Duration;
use table::{Commit, Key, Story};

/// So long something can be sent.
const SENT_WITHIN: Duration = Duration::from_secs(600);

/// An asset whose file is to be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CreateAsset"))]
pub(crate) struct Create {
    /// Of the file, as its keeper calls it.
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// A merchant's; the marketplace's own, if an operator does not say it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// `image/jpeg`, `image/png`, `image/webp`, `image/gif`, `video/mp4`, `model/gltf-binary` or `application/pdf`.
    /// What the file is, its content says.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = TAKEN.map(|(taken, _)| taken))))]
    content_type: String,
    /// Its bytes: of pictures and documents at most 25,000,000, of models 50,000,000, of films 200,000,000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::made::VIDEO_MAX)))]
    length: i64,
}

/// Another file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReplaceAsset"))]
pub(crate) struct Replace {
    /// As when an asset is made.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = TAKEN.map(|(taken, _)| taken))))]
    content_type: String,
    /// As when an asset is made.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = crate::made::VIDEO_MAX)))]
    length: i64,
}

fn fits(check: &mut Check, content_type: &str, length: i64) {
    let Some((_, most)) = TAKEN.iter().find(|(taken, _)| *taken == content_type) else {
        let taken: Vec<&str> = TAKEN.iter().map(|(taken, _)| *taken).collect();
        check.wrong("content_type", "unknown", format!("want one of {}", taken.join(", ")));
        return;
    };
    if !usize::try_from(length).is_ok_and(|length| (1..=*most).contains(&length)) {
        check.wrong("length", "range", format!("{length} is not between 1 and {most}"));
    }
}

/// An asset with the address to send its newest file to, where one is waited for.
async fn sendable(
    world: &World,
    m: &MarketplaceId,
    asset: &Asset,
    (content_type, length): (&str, i64),
) -> Result<AssetView, Problem> {
    let shown = view(world, m, asset)?;
    if !asset.awaits(asset.file) {
        return Ok(shown);
    }
    let key = edge::shown::sent(m, &asset.id, asset.file);
    let room = place::bucket(world)?.room(&key, (content_type, length), SENT_WITHIN).await?;
    let expires_at = room.expires_at.to_string();
    Ok(shown.with(Upload { url: room.url, headers: room.headers, expires_at }))
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<Create>,
) -> Result<Reply<AssetView>, Problem> {
    let (m, body) = (&command.caller.marketplace, &command.body);
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &body.name);
    let merchant = command.reach.keeper(&mut check, body.merchant.as_deref())?;
    fits(&mut check, &body.content_type, body.length);
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    let name = name.ok_or_else(Problem::internal)?;
    let file = (body.content_type.as_str(), body.length);
    let now = world.now();
    let asset = Asset::begin(AssetId::from_bits(world.fresh()), merchant, name, now);
    world
        .until_free(|| async {
            if let Some(asked) = command.asked_before(&world).await? {
                let held = kept(&world, m, &command.reach, &asked.resource).await?;
                let shown = sendable(&world, m, &held.value, file).await?;
                return Ok(Reply::ok(shown).revision(held.revision()).replayed());
            }
            let context = command.context(now);
            let story = Story::new([events::asset::created(&asset)]);
            let commit = Commit::new(m, &context).begin(&asset, asset.id.as_str(), story, Overtaken);
            command.remember(commit, now, 201, asset.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::created(sendable(&world, m, &asset, file).await?).revision(1))
        })
        .await
}

pub(crate) async fn replace(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Replace>,
) -> Result<Reply<AssetView>, Problem> {
    let body = &command.body;
    // Looked at only once it is known that the asset is the caller's.
    let decide = |before: &Asset| {
        let mut check = Check::new();
        fits(&mut check, &body.content_type, body.length);
        check.done()?;
        Ok(Decision::New(before.replace(world.now())?))
    };
    let (asset, reply) = change(&world, &command, &id, decide).await?;
    let file = (body.content_type.as_str(), body.length);
    let shown = sendable(&world, &command.caller.marketplace, &asset, file).await?;
    Ok(reply.with(shown))
}
