//! Where assets lie: one item each, and a list per keeper.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::asset::{Asset, Kind, Rights, Size, Stage};
use domain::id::{AssetId, MarketplaceId, MerchantId};
use domain::text::{Name, Sha256, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What lists show of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetSummary {
    pub id: AssetId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub name: Name,
    pub created_at: Timestamp,
    pub file: u32,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Glance>,
}

/// What is shown of it, in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Glance {
    /// Which file it was.
    pub file: u32,
    pub kind: Shows,
    /// The smallest size of a picture, as JPEG.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbnail: Option<Sha256>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blur_hash: Option<Word>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shows {
    Picture,
    Video,
    Model,
    Document,
}

impl Shows {
    pub fn of(kind: &Kind) -> Self {
        match kind {
            Kind::Picture(_) => Self::Picture,
            Kind::Video { .. } => Self::Video,
            Kind::Model { .. } => Self::Model,
            Kind::Document { .. } => Self::Document,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Picture => "picture",
            Self::Video => "video",
            Self::Model => "model",
            Self::Document => "document",
        }
    }
}

fn glance(asset: &Asset) -> Option<Glance> {
    let media = asset.media.as_ref()?;
    let (thumbnail, blur_hash) = match &media.kind {
        Kind::Picture(picture) => {
            let smallest = picture.renditions.iter().find(|made| made.size == Size::Thumbnail);
            (smallest.map(|made| made.jpeg.sha256.clone()), Some(picture.blur_hash.clone()))
        }
        Kind::Video { .. } | Kind::Model { .. } | Kind::Document { .. } => (None, None),
    };
    Some(Glance { file: media.file, kind: Shows::of(&media.kind), thumbnail, blur_hash })
}

fn is_deleted(asset: &Asset) -> bool {
    matches!(asset.stage, Stage::Deleted { .. })
}

impl Record for Asset {
    const KIND: &'static str = "asset.1";
    type Summary = AssetSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::asset(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        if is_deleted(self) {
            return Vec::new();
        }
        vec![Place::asset(m, self.merchant.as_ref(), self.created_at, self.id.as_str())]
    }

    fn summary(&self) -> Option<AssetSummary> {
        (!is_deleted(self)).then(|| AssetSummary {
            id: self.id.clone(),
            merchant: self.merchant.clone(),
            name: self.name.clone(),
            created_at: self.created_at,
            file: self.file,
            stage: self.stage.clone(),
            rights: self.rights.clone(),
            shown: glance(self),
        })
    }
}

impl Table {
    /// The assets of a merchant, or of the marketplace itself, the youngest first.
    pub async fn assets(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AssetSummary>, Fault> {
        let list = List::of(Place::asset(m, merchant, Timestamp::UNIX_EPOCH, ""));
        self.list::<Asset>(&list, limit, after).await
    }
}
