//! Where imports lie, with what each of them is read by and what was wrong with its rows; and profiles of sources.

use crate::key::{Index, Key, Place};
use domain::id::{ImportId, MarketplaceId, MerchantId};
use domain::text::Code;
use jiff::Timestamp;

impl Key {
    pub fn import(m: &MarketplaceId, id: &ImportId) -> Self {
        Self::new(format!("{m}#IMP#{}", id.tail()), "IMP")
    }

    /// How an import's rows are read, as it was when it was asked for.
    pub fn profile_of_import(m: &MarketplaceId, id: &ImportId) -> Self {
        Self::new(Self::import(m, id).pk, "PRF")
    }

    /// A row that was refused, in the order of the file.
    pub fn bad_row(m: &MarketplaceId, id: &ImportId, number: u32) -> Self {
        Self::new(Self::import(m, id).pk, format!("ROW#{number:07}"))
    }

    pub(crate) const BAD_ROWS: (&'static str, &'static str) = ("ROW#", "ROW#~");

    pub fn import_profile(m: &MarketplaceId, code: &Code) -> Self {
        Self::new(Self::import_profiles(m), format!("IPF#{code}"))
    }

    pub(crate) fn import_profiles(m: &MarketplaceId) -> String {
        format!("{m}#IPFS")
    }

    pub(crate) const IMPORT_PROFILES: (&'static str, &'static str) = ("IPF#", "IPF#~");
}

impl Place {
    /// The operators' own are the marketplace's.
    pub(crate) fn import(m: &MarketplaceId, merchant: Option<&MerchantId>, at: Timestamp, id: &str) -> Self {
        let keeper = merchant.map_or("*", MerchantId::tail);
        Self::new(Index::Gsi2, format!("{m}#IMPS#{keeper}"), at, id)
    }
}
