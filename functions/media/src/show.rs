//! How assets are shown to those who keep them.

use axum::extract::{Path, State};
use domain::asset::naming::{Match, NamedAsset, Unlinked};
use domain::asset::{Asset, File, Kind, Media, Picture, Rights, Stage, Unusable};
use domain::id::{AssetId, MarketplaceId};
use edge::identity::Reach;
use edge::query::None as NoParameters;
use edge::shown::{Front, Shelf, SizeView};
use edge::{Listing, PageOf, PageOfKeeper, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use table::asset::{AssetSummary, AssetUse, Shows, User};
use table::{Held, Key};

/// A picture, film, model or document that storefronts show.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Asset"))]
pub(crate) struct AssetView {
    id: String,
    /// Whose it is; the marketplace's own, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    name: String,
    /// Of the newest file: `awaited`, `ready` or `refused`; `ended` once its rights have, `deleted` when the asset is
    /// gone.
    status: &'static str,
    since: String,
    /// The newest file that was asked for, counted from 1.
    file: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedView>,
    /// What is shown; nothing before there is a file, and from the end of its rights on.
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<ShownView>,
    /// What it shows, in words, by language.
    alt: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<RightsView>,
    created_at: String,
    /// What came of its name, where that may be the name of goods; only in the answer that shows this asset alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    linked: Option<LinkView>,
    /// Where its file is to be sent; only in the answer that asks for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload: Option<Upload>,
}

impl AssetView {
    pub(crate) fn with(self, upload: Upload) -> Self {
        Self { upload: Some(upload), ..self }
    }
}

/// Where to send a file with a PUT and these headers; what came of it is seen in the asset.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetUpload"))]
pub(crate) struct Upload {
    pub(crate) url: String,
    pub(crate) headers: BTreeMap<String, String>,
    /// In real time, also where the clock of a sandbox has been moved.
    pub(crate) expires_at: String,
}

/// A file named like `SKU_01.jpg` becomes a picture of the goods of its keeper that are called so, by SKU or external
/// id, at that place.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetLinked"))]
pub(crate) struct LinkView {
    /// `linked`; `waiting` until there are goods of one of the names; `unlinked` for a reason.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<Unlinked>,
    /// What it is looked for under.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    names: Vec<String>,
}

impl LinkView {
    fn of(named: &NamedAsset) -> Self {
        let names = named.waits_for().to_vec();
        let (status, product, why) = match &named.matched {
            Match::Waiting { .. } => ("waiting", None, None),
            Match::Unlinked { product, why, .. } => ("unlinked", Some(product), Some(*why)),
            Match::Linked { product, .. } => ("linked", Some(product), None),
        };
        Self { status, product: product.map(ToString::to_string), why, names }
    }
}

/// Why the newest file is not taken.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetRefused"))]
pub(crate) struct RefusedView {
    reason: Unusable,
    /// With the figure or the place.
    message: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetRightsView"))]
pub(crate) struct RightsView {
    #[serde(skip_serializing_if = "Option::is_none")]
    holder: Option<String>,
    /// Before then it is not shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    /// From then on it is not shown, and soon what was made of its file is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// What is shown, and where it is fetched. An address never shows anything else.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetShown"))]
pub(crate) struct ShownView {
    /// `picture`, `video`, `model` or `document`.
    kind: &'static str,
    /// Which file it was.
    file: u32,
    /// SHA-256 of the file as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// Of the file as it was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Colors to show until it is there: <https://blurha.sh>.
    #[serde(skip_serializing_if = "Option::is_none")]
    blur_hash: Option<String>,
    /// Of a picture, 64 bits in hex: few differ where pictures look alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    likeness: Option<String>,
    /// Of a picture, the smallest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sizes: Vec<SizeView>,
    /// Of a picture that is larger than its largest size: the manifest of its tiles (Deep Zoom).
    #[serde(skip_serializing_if = "Option::is_none")]
    zoom: Option<String>,
    /// Of anything but a picture: the file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<String>,
    /// Of a model: the corners of the box around it, in meters.
    #[serde(skip_serializing_if = "Option::is_none")]
    bounds: Option<[[String; 3]; 2]>,
}

fn status(stage: &Stage) -> (&'static str, Timestamp, Option<RefusedView>) {
    match stage {
        Stage::Awaited { since } => ("awaited", *since, None),
        Stage::Ready { since } => ("ready", *since, None),
        Stage::Refused { since, why, said } => {
            ("refused", *since, Some(RefusedView { reason: *why, message: said.to_string() }))
        }
        Stage::Ended { since } => ("ended", *since, None),
        Stage::Deleted { since } => ("deleted", *since, None),
    }
}

fn rights(rights: Option<&Rights>) -> Option<RightsView> {
    rights.map(|rights| RightsView {
        holder: rights.holder.as_ref().map(ToString::to_string),
        since: rights.from.map(|from| from.to_string()),
        until: rights.until.map(|until| until.to_string()),
    })
}

fn picture(shelf: &Shelf, picture: &Picture) -> ShownView {
    let sizes = picture.renditions.iter().map(|made| SizeView::of(shelf, made));
    ShownView {
        width: Some(picture.width),
        height: Some(picture.height),
        blur_hash: Some(picture.blur_hash.to_string()),
        likeness: Some(format!("{:016x}", picture.likeness)),
        sizes: sizes.collect(),
        zoom: picture.zoom.as_ref().map(|zoom| shelf.address(&zoom.name, "dzi")),
        ..ShownView::default()
    }
}

fn shown(shelf: &Shelf, media: &Media) -> ShownView {
    let whole = |file: &File, extension: &str| ShownView {
        url: Some(shelf.address(&file.sha256, extension)),
        ..ShownView::default()
    };
    let view = match &media.kind {
        Kind::Picture(of) => picture(shelf, of),
        Kind::Video { milliseconds, width, height, codec, shown } => ShownView {
            milliseconds: Some(*milliseconds),
            width: Some(*width),
            height: Some(*height),
            codec: Some(codec.to_string()),
            ..whole(shown, "mp4")
        },
        Kind::Model { lowest, highest, shown } => ShownView {
            bounds: Some([lowest, highest].map(|corner| corner.map(|part| part.to_string()))),
            ..whole(shown, "glb")
        },
        Kind::Document { shown } => whole(shown, "pdf"),
    };
    ShownView {
        kind: Shows::of(&media.kind).as_str(),
        file: media.file,
        sha256: Some(media.sha256.to_string()),
        bytes: Some(media.bytes),
        ..view
    }
}

pub(crate) fn view(world: &World, m: &MarketplaceId, asset: &Asset) -> Result<AssetView, Problem> {
    let front = Front::of(world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
    let (status, since, refused) = status(&asset.stage);
    Ok(AssetView {
        id: asset.id.to_string(),
        merchant: asset.merchant.as_ref().map(ToString::to_string),
        name: asset.name.to_string(),
        status,
        since: since.to_string(),
        file: asset.file,
        refused,
        shown: asset.shown(world.now()).map(|media| shown(&front.shelf(m, &asset.id, media.file), media)),
        alt: asset.alt.iter().map(|(locale, words)| (locale.to_string(), words.to_string())).collect(),
        rights: rights(asset.rights.as_ref()),
        created_at: asset.created_at.to_string(),
        linked: None,
        upload: None,
    })
}

/// An asset in a list: of what is shown only a glance.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetInList"))]
pub(crate) struct RowView {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    name: String,
    /// `awaited`, `ready`, `refused` or `ended`.
    status: &'static str,
    since: String,
    file: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RefusedView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shown: Option<GlanceView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rights: Option<RightsView>,
    created_at: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetGlance"))]
pub(crate) struct GlanceView {
    /// `picture`, `video`, `model` or `document`.
    kind: &'static str,
    /// Of a picture: its smallest size.
    #[serde(skip_serializing_if = "Option::is_none")]
    thumbnail: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blur_hash: Option<String>,
}

fn row(front: &Front, m: &MarketplaceId, now: Timestamp, of: &AssetSummary) -> RowView {
    let (status, since, refused) = status(&of.stage);
    let allowed = Rights::allow(of.rights.as_ref(), now);
    let glance = of.shown.as_ref().filter(|_| allowed).map(|glance| {
        let shelf = front.shelf(m, &of.id, glance.file);
        GlanceView {
            kind: glance.kind.as_str(),
            thumbnail: glance.thumbnail.as_ref().map(|sha256| shelf.address(sha256, "jpg")),
            blur_hash: glance.blur_hash.as_ref().map(ToString::to_string),
        }
    });
    RowView {
        id: of.id.to_string(),
        merchant: of.merchant.as_ref().map(ToString::to_string),
        name: of.name.to_string(),
        status,
        since: since.to_string(),
        file: of.file,
        refused,
        shown: glance,
        rights: rights(of.rights.as_ref()),
        created_at: of.created_at.to_string(),
    }
}

/// Whether a caller may see an asset; another's is not there.
pub(crate) fn covers(reach: &Reach, asset: &Asset) -> bool {
    reach.keeps(asset.merchant.as_ref())
}

pub(crate) fn unknown() -> Problem {
    Problem::not_found("asset")
}

pub(crate) async fn kept(
    world: &World,
    m: &MarketplaceId,
    reach: &Reach,
    id: &str,
) -> Result<Held<Asset>, Problem> {
    let id: AssetId = id.parse().map_err(|_| unknown())?;
    let held = world.table.load::<Asset>(&Key::asset(m, &id)).await?;
    held.filter(|held| covers(reach, &held.value)).ok_or_else(unknown)
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOfKeeper>,
) -> Result<Reply<Listing<RowView>>, Problem> {
    let (merchant, paging) = query.kept()?;
    let (m, after) = (&query.caller.marketplace, paging.after.as_ref());
    let page = world.table.assets(m, merchant.as_ref(), paging.limit, after).await?;
    let front = Front::of(&world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
    Ok(Reply::ok(Listing::of(page, |summary| row(&front, m, world.now(), &summary))))
}

/// With what came of its name, in one read.
pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<AssetView>, Problem> {
    let m = &query.caller.marketplace;
    let id: AssetId = id.parse().map_err(|_| unknown())?;
    let (asset, name) = (Key::asset(m, &id), Key::asset_name(m, &id));
    let mut read = world.table.read(&[asset.clone(), name.clone()]).await?;
    let held = read.take::<Asset>(&asset)?.filter(|held| covers(&query.reach, &held.value));
    let held = held.ok_or_else(unknown)?;
    let linked = read.take::<NamedAsset>(&name)?.map(|named| LinkView::of(&named.value));
    Ok(Reply::ok(AssetView { linked, ..view(&world, m, &held.value)? }).revision(held.revision()))
}

/// Somebody who shows an asset.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetUsage"))]
pub(crate) struct UseView {
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    review: Option<String>,
    since: String,
}

fn used(by: AssetUse) -> UseView {
    let since = by.since.to_string();
    match by.by {
        User::Product(product) => UseView { product: Some(product.to_string()), review: None, since },
        User::Review(review) => UseView { product: None, review: Some(review.to_string()), since },
    }
}

pub(crate) async fn usages(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<UseView>>, Problem> {
    let m = &query.caller.marketplace;
    let held = kept(&world, m, &query.reach, &id).await?;
    let paging = query.parameters.read()?;
    let page = world.table.asset_uses(m, &held.value.id, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, used)))
}
