//! What everybody may fetch of assets: where it lies in the bucket, its address, and how it is shown to those who shop.
//!
//! What was made of a file lies under `media/`, below its asset and the number of its file; its name follows from its
//! content, so an address never shows anything else. Absent on purpose: the bucket itself.

use crate::World;
use crate::world::Unset;
use domain::asset::shown::{Cover, Shown};
use domain::asset::{File, Kind, Picture, Rendition, Size};
use domain::id::{AssetId, MarketplaceId};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that was made of an asset's files.
pub fn below(m: &MarketplaceId, asset: &AssetId) -> String {
    format!("media/{m}/{asset}/")
}

/// Everything that was made of one of them.
pub fn below_file(m: &MarketplaceId, asset: &AssetId, file: u32) -> String {
    format!("{}{file}/", below(m, asset))
}

/// Where a file is sent to, and found by what tells of it.
pub fn sent(m: &MarketplaceId, asset: &AssetId, file: u32) -> String {
    format!("sent/{m}/{asset}/{file}")
}

/// Where everybody fetches what is shown.
#[derive(Debug, Clone)]
pub struct Front {
    address: String,
}

/// Where what was made of one file is fetched.
#[derive(Debug, Clone)]
pub struct Shelf {
    below: String,
}

impl Front {
    /// That which a variable of the function names.
    ///
    /// # Errors
    /// If the template does not set it.
    pub fn of(world: &World, variable: &str) -> Result<Self, Unset> {
        Ok(Self { address: world.variable(variable)?.trim_end_matches('/').to_owned() })
    }

    pub fn shelf(&self, m: &MarketplaceId, asset: &AssetId, file: u32) -> Shelf {
        Shelf { below: format!("{}/{}", self.address, below_file(m, asset, file)) }
    }

    /// A product's assets as shoppers see them at a moment, in order; what has not come or may not be shown is left
    /// out.
    pub fn shown(&self, m: &MarketplaceId, assets: &[Shown], now: Timestamp) -> Vec<MediaView> {
        assets.iter().filter_map(|shown| self.one(m, shown, now)).collect()
    }

    /// Addresses of pictures as they may be shown at a moment, in their largest size, as JPEG.
    pub fn pictures(&self, m: &MarketplaceId, assets: &[Shown], now: Timestamp) -> Vec<String> {
        let largest = |shown: &Shown| {
            let media = shown.at(now)?;
            let picture = match &media.kind {
                Kind::Picture(picture) => picture,
                Kind::Video { .. } | Kind::Model { .. } | Kind::Document { .. } => return None,
            };
            let made = picture.renditions.iter().max_by_key(|made| made.width)?;
            Some(self.shelf(m, &shown.asset, media.file).address(&made.jpeg.sha256, "jpg"))
        };
        assets.iter().filter_map(largest).collect()
    }

    /// One asset as shoppers see it at a moment.
    pub fn one(&self, m: &MarketplaceId, shown: &Shown, now: Timestamp) -> Option<MediaView> {
        let media = shown.at(now)?;
        let shelf = self.shelf(m, &shown.asset, media.file);
        let words = shown.alt.iter().map(|(locale, words)| (locale.to_string(), words.to_string()));
        Some(MediaView {
            id: shown.asset.to_string(),
            alt: words.collect(),
            ..MediaView::of(&shelf, &media.kind)
        })
    }

    /// The picture of a product in a list, where it may be shown at a moment.
    pub fn cover(&self, m: &MarketplaceId, cover: Option<&Cover>, now: Timestamp) -> Option<CoverView> {
        let cover = cover.filter(|cover| cover.is_shown(now))?;
        let shelf = self.shelf(m, &cover.asset, cover.file);
        let sizes = cover.sizes.iter().map(|made| SizeView::of(&shelf, made)).collect();
        Some(CoverView { blur_hash: cover.blur_hash.to_string(), sizes })
    }
}

impl Front {
    /// The smallest size of that picture, in the format that every reader of mail shows.
    pub fn thumbnail(&self, m: &MarketplaceId, cover: Option<&Cover>, now: Timestamp) -> Option<String> {
        let cover = cover.filter(|cover| cover.is_shown(now))?;
        let smallest = cover.sizes.first()?;
        Some(self.shelf(m, &cover.asset, cover.file).address(&smallest.jpeg.sha256, "jpg"))
    }
}

impl Shelf {
    pub fn address(&self, name: impl std::fmt::Display, extension: &str) -> String {
        format!("{}{name}.{extension}", self.below)
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetSizeView"))]
pub struct SizeView {
    pub size: Size,
    pub width: u32,
    pub height: u32,
    pub webp: String,
    pub jpeg: String,
}

impl SizeView {
    pub fn of(shelf: &Shelf, made: &Rendition) -> Self {
        let Rendition { size, width, height, webp, jpeg } = made;
        let (webp, jpeg) = (shelf.address(&webp.sha256, "webp"), shelf.address(&jpeg.sha256, "jpg"));
        Self { size: *size, width: *width, height: *height, webp, jpeg }
    }
}

/// The first picture of a product, in its small sizes; what it shows is what the product is called.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CoverView {
    /// Colors to show until it is there: <https://blurha.sh>.
    blur_hash: String,
    /// The smallest first.
    sizes: Vec<SizeView>,
}

/// A picture, film, model or document beside a product or a review.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MediaView {
    id: String,
    /// `picture`, `video`, `model` or `document`.
    kind: &'static str,
    /// What it shows, in words, by language.
    alt: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    height: Option<u32>,
    /// Colors to show until it is there: <https://blurha.sh>.
    #[serde(skip_serializing_if = "Option::is_none")]
    blur_hash: Option<String>,
    /// Of a picture, the smallest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    sizes: Vec<SizeView>,
    /// Of a picture that is larger than its largest size: the manifest of its tiles (Deep Zoom).
    #[serde(skip_serializing_if = "Option::is_none")]
    zoom: Option<String>,
    /// Of anything but a picture: the file itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    milliseconds: Option<u64>,
}

impl MediaView {
    fn of(shelf: &Shelf, kind: &Kind) -> Self {
        let whole = |kind, file: &File, extension| Self {
            kind,
            url: Some(shelf.address(&file.sha256, extension)),
            ..Self::default()
        };
        match kind {
            Kind::Picture(picture) => Self::picture(shelf, picture),
            Kind::Video { milliseconds, width, height, codec: _, shown } => Self {
                milliseconds: Some(*milliseconds),
                width: Some(*width),
                height: Some(*height),
                ..whole("video", shown, "mp4")
            },
            Kind::Model { shown, .. } => whole("model", shown, "glb"),
            Kind::Document { shown } => whole("document", shown, "pdf"),
        }
    }

    fn picture(shelf: &Shelf, picture: &Picture) -> Self {
        Self {
            kind: "picture",
            width: Some(picture.width),
            height: Some(picture.height),
            blur_hash: Some(picture.blur_hash.to_string()),
            sizes: picture.renditions.iter().map(|made| SizeView::of(shelf, made)).collect(),
            zoom: picture.zoom.as_ref().map(|zoom| shelf.address(&zoom.name, "dzi")),
            ..Self::default()
        }
    }
}
