//! Where collections lie, what is in each of them, and where each product is.
//!
//! A product's placement says in which collections it is and what their pages show of it; members follow from it, in
//! the same transaction.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::Money;
use domain::asset::shown::Cover;
use domain::id::{MarketplaceId, OfferId, ProductId};
use domain::pim::collection::Collection;
use domain::text::{Code, Name};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Collections of one reading; a range also ends at 1 MB.
const READING: u16 = 100;

/// The most offers that a placement names; of a product that has more, the index of its offers knows the others.
pub const OFFERS_MAX: usize = 250;

/// What a collection's page shows of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub title: Name,
    pub variants: u16,
    /// The lowest of its offers, in the marketplace's currency if one has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
}

/// Where a product stands in a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stand {
    pub place: String,
    /// When it leaves only because time goes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// In which collections a product is, and who has ever offered it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Placement {
    pub product: ProductId,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub offers: BTreeSet<OfferId>,
    /// None while it is not for sale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub collections: BTreeMap<Code, Stand>,
}

/// A product in a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub collection: Code,
    pub product: ProductId,
    pub stand: Stand,
    pub shown: Shown,
}

/// What lists show of a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberSummary {
    pub product: ProductId,
    pub shown: Shown,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A code, and the collection that it names: none once that is deleted, so that a later one of that code goes on with
/// its revisions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    pub code: Code,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<Collection>,
}

impl Record for Named {
    const KIND: &'static str = "collection.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::collection(m, &self.code)
    }
}

impl Record for Placement {
    const KIND: &'static str = "placement.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::placement(m, &self.product)
    }
}

impl Record for Member {
    const KIND: &'static str = "collection_member.1";
    type Summary = MemberSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::collection_member(m, &self.collection, &self.product)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::collection_member(m, &self.collection, &self.stand.place)]
    }

    fn summary(&self) -> Option<MemberSummary> {
        let (product, shown) = (self.product.clone(), self.shown.clone());
        Some(MemberSummary { product, shown, until: self.stand.until })
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.stand.until
    }
}

impl Table {
    /// All collections by code, strongly consistent: a marketplace has at most some dozens.
    pub async fn collections(&self, m: &MarketplaceId) -> Result<Vec<Collection>, Fault> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.collections_page(m, READING, after.as_ref()).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Collections by code, page by page, strongly consistent.
    pub async fn collections_page(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Collection>, Fault> {
        let pk = Key::collections(m);
        let page = self.records::<Named>(&pk, Key::COLLECTIONS, limit, after, true).await?;
        let items = page.items.into_iter().filter_map(|held| held.value.collection);
        Ok(Page { items: items.collect(), next: page.next })
    }

    /// What is in a collection, in its order, as it was a moment ago.
    pub async fn collection_products(
        &self,
        m: &MarketplaceId,
        code: &Code,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MemberSummary>, Fault> {
        let list = List::new(Index::Gsi1, Place::collection_page(m, code)).ascending();
        self.list::<Member>(&list, limit, after).await
    }

    /// Which products are in a collection, strongly consistent, in no order that means anything.
    pub async fn collection_members(
        &self,
        m: &MarketplaceId,
        code: &Code,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ProductId>, Fault> {
        let pk = Key::collection_members(m, code);
        let page = self.records::<Member>(&pk, Key::COLLECTION_MEMBERS, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value.product).collect(), next: page.next })
    }
}
