//! Where assets lie, who shows them, and what their names wait for.
//!
//! Who shows an asset lies behind it, after its stories, so that a trail reads none of it. What waits for goods of a
//! name lies under that name, not in an index: who brings the goods must find it at once.

use crate::key::{Index, Key, Place};
use domain::id::{AssetId, MarketplaceId, MerchantId, ProductId, ReviewId};
use jiff::Timestamp;

impl Key {
    pub fn asset(m: &MarketplaceId, id: &AssetId) -> Self {
        Self::new(format!("{m}#AST#{}", id.tail()), "AST")
    }

    pub fn asset_of_product(m: &MarketplaceId, id: &AssetId, product: &ProductId) -> Self {
        Self::new(Self::asset(m, id).pk, format!("USE#PRD#{}", product.tail()))
    }

    pub fn asset_of_review(m: &MarketplaceId, id: &AssetId, review: &ReviewId) -> Self {
        Self::new(Self::asset(m, id).pk, format!("USE#REV#{}", review.tail()))
    }

    /// The bounds of all who show an asset, and of the products among them.
    pub(crate) const ASSET_USES: (&'static str, &'static str) = ("USE#", "USE#~");
    pub(crate) const ASSET_PRODUCTS: (&'static str, &'static str) = ("USE#PRD#", "USE#PRD#~");

    pub fn asset_name(m: &MarketplaceId, id: &AssetId) -> Self {
        Self::new(Self::asset(m, id).pk, "NAME")
    }

    pub fn asset_waits(m: &MarketplaceId, merchant: Option<&MerchantId>, name: &str, id: &AssetId) -> Self {
        Self::new(Self::assets_waiting(m, merchant, name), format!("WTG#{}", id.tail()))
    }

    pub(crate) fn assets_waiting(m: &MarketplaceId, merchant: Option<&MerchantId>, name: &str) -> String {
        format!("{m}#ASTNAME#{}#{name}", merchant.map_or("*", MerchantId::tail))
    }

    pub(crate) const NAMED_ASSETS: (&'static str, &'static str) = ("WTG#", "WTG#~");

    pub fn gallery(m: &MarketplaceId, product: &ProductId) -> Self {
        Self::new(Self::product(m, product).pk, "SHOWN")
    }
}

impl Place {
    /// The marketplace itself keeps what no merchant does.
    pub(crate) fn asset(m: &MarketplaceId, merchant: Option<&MerchantId>, at: Timestamp, id: &str) -> Self {
        let keeper = merchant.map_or("*", MerchantId::tail);
        Self::new(Index::Gsi2, format!("{m}#ASTS#{keeper}"), at, id)
    }
}
