//! Keys of exports.

use crate::key::{Index, Key, Place};
use domain::id::{ExportId, MarketplaceId, MerchantId};
use jiff::Timestamp;

impl Key {
    pub fn export(m: &MarketplaceId, id: &ExportId) -> Self {
        Self::new(format!("{m}#EXP#{}", id.tail()), "EXP")
    }
}

impl Place {
    /// Of a merchant, or the marketplace's own.
    pub(crate) fn export(m: &MarketplaceId, merchant: Option<&MerchantId>, at: Timestamp, id: &str) -> Self {
        let of = merchant.map_or("*", MerchantId::tail);
        Self::new(Index::Gsi2, format!("{m}#EXPS#{of}"), at, id)
    }
}
