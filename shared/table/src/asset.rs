//! Where assets lie: one item each, and a list per keeper; who shows each of them; what products show.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::asset::naming::NamedAsset;
use domain::asset::shown::Gallery;
use domain::asset::{Asset, Kind, Rights, Size, Stage};
use domain::id::{AssetId, MarketplaceId, MerchantId, ProductId, ReviewId};
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

/// Whether a list of its keeper's shows it: photos of reviews are found by their reviews.
fn is_listed(asset: &Asset) -> bool {
    !asset.is_deleted() && asset.review.is_none()
}

impl Record for Asset {
    const KIND: &'static str = "asset.1";
    type Summary = AssetSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::asset(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        if !is_listed(self) {
            return Vec::new();
        }
        vec![Place::asset(m, self.merchant.as_ref(), self.created_at, self.id.as_str())]
    }

    fn summary(&self) -> Option<AssetSummary> {
        is_listed(self).then(|| AssetSummary {
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

/// Who shows an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum User {
    Product(ProductId),
    Review(ReviewId),
}

/// That somebody shows an asset: written with what is shown, so that both are there or none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetUse {
    pub asset: AssetId,
    pub by: User,
    pub since: Timestamp,
}

impl Record for AssetUse {
    const KIND: &'static str = "asset_use.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        match &self.by {
            User::Product(product) => Key::asset_of_product(m, &self.asset, product),
            User::Review(review) => Key::asset_of_review(m, &self.asset, review),
        }
    }
}

impl Record for NamedAsset {
    const KIND: &'static str = "asset_name.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::asset_name(m, &self.asset)
    }
}

/// That an asset waits for goods of a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssetWaits {
    pub asset: AssetId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub name: String,
}

impl Record for AssetWaits {
    const KIND: &'static str = "asset_waits.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::asset_waits(m, self.merchant.as_ref(), &self.name, &self.asset)
    }
}

impl Record for Gallery {
    const KIND: &'static str = "gallery.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::gallery(m, &self.product)
    }
}

impl Table {
    /// Who shows an asset: products, then reviews.
    pub async fn asset_uses(
        &self,
        m: &MarketplaceId,
        asset: &AssetId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AssetUse>, Fault> {
        self.uses(m, asset, Key::ASSET_USES, limit, after).await
    }

    /// The products that show an asset.
    pub async fn asset_products(
        &self,
        m: &MarketplaceId,
        asset: &AssetId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AssetUse>, Fault> {
        self.uses(m, asset, Key::ASSET_PRODUCTS, limit, after).await
    }

    async fn uses(
        &self,
        m: &MarketplaceId,
        asset: &AssetId,
        range: (&str, &str),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AssetUse>, Fault> {
        let pk = Key::asset(m, asset).pk;
        let page = self.records::<AssetUse>(&pk, range, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value).collect(), next: page.next })
    }

    /// Assets of a keeper that wait for goods of this name.
    pub async fn assets_waiting_for(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        name: &str,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AssetWaits>, Fault> {
        let pk = Key::assets_waiting(m, merchant, name);
        let page = self.records::<AssetWaits>(&pk, Key::NAMED_ASSETS, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value).collect(), next: page.next })
    }

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
