//! Where lies what products are recognized by, and which pairs may be one.
//!
//! A product stands under each of its marks, so that others with the same find it; its recognition says under which,
//! and in which pairs it is.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{DuplicateId, MarketplaceId, ProductId};
use domain::pim::duplicate::{Duplicate, Stage};
use domain::pim::likeness::Traits;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a product is recognized by, under which marks it stands, and in which pairs it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognition {
    pub product: ProductId,
    pub traits: Traits,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub marks: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub pairs: BTreeSet<DuplicateId>,
}

/// A product under one of its marks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bearer {
    pub mark: String,
    pub product: ProductId,
}

/// What lists show of a pair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DuplicateSummary {
    pub id: DuplicateId,
    pub products: [ProductId; 2],
    pub found_at: Timestamp,
}

impl Record for Recognition {
    const KIND: &'static str = "recognition.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::recognition(m, &self.product)
    }
}

impl Record for Bearer {
    const KIND: &'static str = "bearer.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::bearer(m, &self.mark, &self.product)
    }
}

impl Record for Duplicate {
    const KIND: &'static str = "duplicate.1";
    type Summary = DuplicateSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::duplicate(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        match self.stage {
            Stage::Open => vec![Place::open_duplicate(m, self.found_at, self.id.as_str())],
            Stage::Gone { .. } | Stage::Dismissed { .. } | Stage::Merged { .. } => Vec::new(),
        }
    }

    fn summary(&self) -> Option<DuplicateSummary> {
        let (id, products, found_at) = (self.id.clone(), self.products.clone(), self.found_at);
        Some(DuplicateSummary { id, products, found_at })
    }
}

impl Table {
    /// Pairs of which nobody has said what they are, the last first.
    pub async fn open_duplicates(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<DuplicateSummary>, Fault> {
        let list = List::of(Place::open_duplicate(m, Timestamp::UNIX_EPOCH, ""));
        self.list::<Duplicate>(&list, limit, after).await
    }

    /// Some of the products that stand under a mark, strongly consistent.
    pub async fn bearers(&self, m: &MarketplaceId, mark: &str, limit: u16) -> Result<Vec<ProductId>, Fault> {
        let pk = Key::bearers(m, mark);
        let page = self.records::<Bearer>(&pk, Key::BEARERS, limit, None, true).await?;
        Ok(page.items.into_iter().map(|held| held.value.product).collect())
    }
}
