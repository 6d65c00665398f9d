//! Keys of collections and of what is in them.
//!
//! All collections share a partition: whoever looks at a product needs every one of them. Where a product is lies
//! beside it, after `EVT#`, so that a trail does not read it.

use crate::key::{Index, Key, Place};
use domain::id::{MarketplaceId, ProductId};
use domain::text::Code;

impl Key {
    pub fn collection(m: &MarketplaceId, code: &Code) -> Self {
        Self::new(Self::collections(m), format!("COL#{code}"))
    }

    pub(crate) fn collections(m: &MarketplaceId) -> String {
        format!("{m}#COLS")
    }

    /// The bounds of the collections, without their stories.
    pub(crate) const COLLECTIONS: (&'static str, &'static str) = ("COL#", "COL#~");

    pub fn collection_member(m: &MarketplaceId, code: &Code, product: &ProductId) -> Self {
        Self::new(Self::collection_members(m, code), format!("MEM#{product}"))
    }

    pub(crate) fn collection_members(m: &MarketplaceId, code: &Code) -> String {
        format!("{m}#COL#{code}")
    }

    pub(crate) const COLLECTION_MEMBERS: (&'static str, &'static str) = ("MEM#", "MEM#~");

    pub fn placement(m: &MarketplaceId, product: &ProductId) -> Self {
        Self::new(Self::product(m, product).pk, "PLACED")
    }
}

impl Place {
    /// In the order of the collection's page.
    pub(crate) fn collection_member(m: &MarketplaceId, code: &Code, place: &str) -> Self {
        Self { index: Index::Gsi1, pk: Self::collection_page(m, code), sk: place.to_owned() }
    }

    pub(crate) fn collection_page(m: &MarketplaceId, code: &Code) -> String {
        format!("{m}#COLPAGE#{code}")
    }
}
