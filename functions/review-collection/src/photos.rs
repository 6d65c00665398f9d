//! Photos of reviews: assets of the marketplace that are their reviews', sent by their authors straight to its bucket.
//!
//! An address to send to is signed for one type and one length and is good for some minutes. `media` looks at what
//! comes and draws it anew; the review keeps what is shown of it. Told twice, late or out of order, it is settled as
//! the asset is then. Whoever takes a review back takes its photos with it.

use crate::change::story;
use bucket::Bucket;
use domain::Decision;
use domain::asset::Asset;
use domain::id::{AssetId, MarketplaceId, ReviewId};
use domain::review::{Fact, Refused, Review};
use domain::text::Name;
use edge::command::Overtaken;
use edge::shown::sent;
use edge::{Again, Check, Command, Problem, Reply, World};
use events::asset::{AssetChangedV1, AssetDeletedV1, AssetEndedV1, AssetReadyV1, AssetRefusedV1};
use events::{Context, Envelope};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use table::asset::{AssetUse, User};
use table::{Commit, Held, Key, Story};

/// Of one file.
const BYTES_MAX: usize = 8_000_000;
/// So long something can be sent.
const SENT_WITHIN: Duration = Duration::from_secs(600);
const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// A picture that is to be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SendPhoto"))]
pub(crate) struct PhotoBody {
    /// Its place in the review, 1 to 5.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::review::PHOTOS_MAX)))]
    number: i64,
    /// `image/jpeg`, `image/png` or `image/webp`.
    #[cfg_attr(feature = "schema", schemars(extend("enum" = TYPES)))]
    content_type: String,
    /// Its bytes, at most 8,000,000.
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = BYTES_MAX)))]
    length: i64,
}

/// Where to send it with a PUT and these headers; what came of it is seen in the review.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PhotoAddress"))]
pub(crate) struct SendView {
    url: String,
    headers: BTreeMap<String, String>,
    /// In real time, also where the clock of a sandbox has been moved.
    expires_at: String,
}

pub(crate) async fn send(
    world: &World,
    command: &Command<PhotoBody>,
    id: &ReviewId,
) -> Result<Reply<SendView>, Problem> {
    let body = &command.body;
    let mut check = Check::new();
    if !TYPES.contains(&body.content_type.as_str()) {
        check.wrong("content_type", "unknown", format!("want one of {}", TYPES.join(", ")));
    }
    if !usize::try_from(body.length).is_ok_and(|length| (1..=BYTES_MAX).contains(&length)) {
        check.wrong("length", "range", format!("{} is not between 1 and {BYTES_MAX}", body.length));
    }
    let number = u8::try_from(body.number).unwrap_or_default();
    check.done()?;
    let fresh = AssetId::from_bits(world.fresh());
    let (asset, file) = world.until_free(|| awaited(world, command, (id, number), &fresh)).await?;
    let key = sent(&command.caller.marketplace, &asset, file);
    let bucket = Bucket::of(world, "MEDIA")?;
    let room = bucket.room(&key, (&body.content_type, body.length), SENT_WITHIN).await?;
    let expires_at = room.expires_at.to_string();
    Ok(Reply::ok(SendView { url: room.url, headers: room.headers, expires_at }))
}

/// The asset that the photo is, and which of its files is waited for: review and asset change together.
async fn awaited(
    world: &World,
    command: &Command<PhotoBody>,
    (id, number): (&ReviewId, u8),
    fresh: &AssetId,
) -> Result<(AssetId, u32), Problem> {
    let m = &command.caller.marketplace;
    let key = Key::review(m, id);
    let held = world.table.load::<Review>(&key).await?.ok_or_else(|| Problem::not_found("review"))?;
    let now = world.now();
    let decided = held.value.await_photo(number, fresh);
    let ahead = matches!(decided, Ok(Decision::New(_)));
    if command.repeats(world, held.revision(), ahead).await? {
        return waiting(world, m, &held.value, number).await;
    }
    let fact = match command.audited(world, &key, id.as_str(), decided).await? {
        Decision::Already => return waiting(world, m, &held.value, number).await,
        Decision::New(fact) => fact,
    };
    let next = held.value.clone().apply(fact.clone());
    let of = next.photo(number).and_then(|photo| photo.asset.clone()).ok_or_else(Problem::internal)?;
    let before = world.table.load::<Asset>(&Key::asset(m, &of)).await?;
    let context = command.context(now);
    let told = story(Some(&held.value), &next, &fact);
    let commit = Commit::new(m, &context).review(Some(&held), &next, told, Overtaken);
    let (commit, file) = match before {
        None => {
            let name: Name = format!("photo {number}").parse().map_err(|_| Problem::internal())?;
            let asset = Asset::of_review(of.clone(), (id.clone(), number), name, now);
            let created = Story::new([events::asset::created(&asset)]);
            let by = AssetUse { asset: of.clone(), by: User::Review(id.clone()), since: now };
            let commit = commit.begin(&asset, of.as_str(), created, Overtaken).put_any(&by);
            (commit, asset.file)
        }
        Some(before) => {
            let fact = before.value.replace(now)?;
            let asset = before.value.clone().apply(fact.clone());
            let replaced = Story::new([events::asset::announce(&asset, &fact)]);
            (commit.change(&before, &asset, of.as_str(), replaced), asset.file)
        }
    };
    command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
    Ok((of, file))
}

/// The file that was asked for before. What has come meanwhile is known here in a moment.
async fn waiting(
    world: &World,
    m: &MarketplaceId,
    review: &Review,
    number: u8,
) -> Result<(AssetId, u32), Problem> {
    let of = review.photo(number).and_then(|photo| photo.asset.clone()).ok_or(Refused::PlaceTaken)?;
    let asset = world.table.load::<Asset>(&Key::asset(m, &of)).await?.map(|held| held.value);
    match asset {
        Some(asset) if asset.awaits(asset.file) => Ok((of, asset.file)),
        Some(asset) if asset.media.is_some() => Err(Refused::PlaceTaken.into()),
        Some(_) | None => Err(Problem::busy()),
    }
}

pub(crate) async fn ready(world: World, event: Envelope<AssetReadyV1>) -> Result<(), Again> {
    settle(&world, &event, &event.data.asset, event.data.review.as_ref()).await
}

pub(crate) async fn refused(world: World, event: Envelope<AssetRefusedV1>) -> Result<(), Again> {
    settle(&world, &event, &event.data.asset, event.data.review.as_ref()).await
}

pub(crate) async fn changed(world: World, event: Envelope<AssetChangedV1>) -> Result<(), Again> {
    settle(&world, &event, &event.data.asset, event.data.review.as_ref()).await
}

pub(crate) async fn ended(world: World, event: Envelope<AssetEndedV1>) -> Result<(), Again> {
    settle(&world, &event, &event.data.asset, event.data.review.as_ref()).await
}

pub(crate) async fn deleted(world: World, event: Envelope<AssetDeletedV1>) -> Result<(), Again> {
    settle(&world, &event, &event.data.asset, event.data.review.as_ref()).await
}

/// Something has happened to an asset; where it is a review's photo, the review shows it as it is now.
async fn settle<T>(
    world: &World,
    event: &Envelope<T>,
    asset: &AssetId,
    review: Option<&ReviewId>,
) -> Result<(), Again> {
    let Some(review) = review else { return Ok(()) };
    let m = &event.marketplace;
    let (review, key) = (Key::review(m, review), Key::asset(m, asset));
    let mut read = world.table.read(&[review.clone(), key.clone()]).await?;
    let (Some(held), Some(asset)) = (read.take::<Review>(&review)?, read.take::<Asset>(&key)?) else {
        return Ok(());
    };
    let Decision::New(fact) = held.value.settle_photo(&asset.value) else { return Ok(()) };
    let next = held.value.clone().apply(fact.clone());
    let context = Context::follows(event, world.now(), "review-collection");
    let commit = Commit::new(m, &context).review(Some(&held), &next, Story::default(), Overtaken);
    let commit = match fact {
        Fact::PhotoGone { .. } => commit.delete(Key::asset_of_review(m, &asset.value.id, &held.value.id)),
        Fact::Written { .. }
        | Fact::Published { .. }
        | Fact::Rejected { .. }
        | Fact::Withdrawn { .. }
        | Fact::Replied { .. }
        | Fact::ReplyEdited { .. }
        | Fact::Helped
        | Fact::Claimed { .. }
        | Fact::Unnamed
        | Fact::PhotoAwaited { .. }
        | Fact::PhotoJudged { .. } => commit,
    };
    Ok(commit.send(&world.table).await?)
}

/// The photos of a review that its author takes back are deleted with it.
pub(crate) async fn take_back<'a>(
    world: &World,
    m: &MarketplaceId,
    mut commit: Commit<'a, Overtaken>,
    review: &Review,
    now: Timestamp,
) -> Result<Commit<'a, Overtaken>, Problem> {
    let assets = review.photos.iter().filter_map(|photo| photo.asset.as_ref());
    let keys: Vec<Key> = assets.map(|asset| Key::asset(m, asset)).collect();
    let held: Vec<Held<Asset>> = world.table.load_all(&keys).await?;
    for held in &held {
        if let Decision::New(fact) = held.value.delete(now) {
            let next = held.value.clone().apply(fact.clone());
            let gone: Story = Story::new([events::asset::announce(&next, &fact)]);
            commit = commit.change(held, &next, next.id.as_str(), gone);
        }
    }
    Ok(commit)
}
