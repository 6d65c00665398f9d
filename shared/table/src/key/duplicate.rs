//! Keys of what products are recognized by, and of pairs that may be one.
//!
//! What a product is recognized by lies beside it, after `EVT#`, so that a trail does not read it.

use crate::key::{Index, Key, Place};
use domain::id::{DuplicateId, MarketplaceId, ProductId};
use jiff::Timestamp;

impl Key {
    pub fn recognition(m: &MarketplaceId, product: &ProductId) -> Self {
        Self::new(Self::product(m, product).pk, "TRAITS")
    }

    /// A product under one of what it is recognized by.
    pub fn bearer(m: &MarketplaceId, mark: &str, product: &ProductId) -> Self {
        Self::new(Self::bearers(m, mark), format!("PRD#{product}"))
    }

    pub(crate) fn bearers(m: &MarketplaceId, mark: &str) -> String {
        format!("{m}#TRAIT#{mark}")
    }

    pub(crate) const BEARERS: (&'static str, &'static str) = ("PRD#", "PRD#~");

    pub fn duplicate(m: &MarketplaceId, id: &DuplicateId) -> Self {
        Self::new(format!("{m}#DUP#{}", id.tail()), "DUP")
    }
}

impl Place {
    /// Sparse: pairs of which nobody has said what they are.
    pub(crate) fn open_duplicate(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi3, format!("{m}#DUPWAIT"), at, id)
    }
}
