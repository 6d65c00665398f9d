//! Where assets lie.

use crate::key::{Index, Key, Place};
use domain::id::{AssetId, MarketplaceId, MerchantId};
use jiff::Timestamp;

impl Key {
    pub fn asset(m: &MarketplaceId, id: &AssetId) -> Self {
        Self::new(format!("{m}#AST#{}", id.tail()), "AST")
    }
}

impl Place {
    /// The marketplace itself keeps what no merchant does.
    pub(crate) fn asset(m: &MarketplaceId, merchant: Option<&MerchantId>, at: Timestamp, id: &str) -> Self {
        let keeper = merchant.map_or("*", MerchantId::tail);
        Self::new(Index::Gsi2, format!("{m}#ASTS#{keeper}"), at, id)
    }
}
