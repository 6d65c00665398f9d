//! Where categories, products and offers lie, and the lists that show them.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table, stock};
use domain::Money;
use domain::asset::shown::Cover;
use domain::catalog::{CategoryNode, Offer, OfferStatus, Product, ProductStatus};
use domain::id::{MarketplaceId, MerchantId, OfferId, ProductId};
use domain::text::{Category, Location, Name, Sku};
use serde::{Deserialize, Serialize};

impl Record for CategoryNode {
    const KIND: &'static str = "category.1";
    type Summary = CategoryNode;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::category(m, &self.handle)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::category(m, &self.handle)]
    }

    fn summary(&self) -> Option<CategoryNode> {
        Some(self.clone())
    }
}

/// What lists show of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductSummary {
    pub id: ProductId,
    pub title: Name,
    pub status: ProductStatus,
    pub variants: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
}

impl Record for Product {
    const KIND: &'static str = "product.1";
    type Summary = ProductSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::product(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let mut places = vec![Place::product(m, &self.id)];
        places.extend(self.categories.first().map(|category| Place::product_in(m, category, &self.id)));
        places
    }

    fn summary(&self) -> Option<ProductSummary> {
        let (id, title, status, cover) =
            (self.id.clone(), self.title.clone(), self.status, self.cover.clone());
        Some(ProductSummary { id, title, status, variants: u16::try_from(self.variants.len()).ok()?, cover })
    }
}

/// What lists show of an offer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferSummary {
    pub id: OfferId,
    pub merchant: MerchantId,
    pub sku: Sku,
    pub product: ProductId,
    pub variant: u16,
    pub title: Name,
    pub price: Money,
    pub status: OfferStatus,
    /// Where its stock lies; nowhere, if none is kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

impl Record for Offer {
    const KIND: &'static str = "offer.1";
    type Summary = OfferSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::offer(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![
            Place::offer_of_product(m, &self.product, &self.id),
            Place::offer_of_merchant(m, &self.merchant, &self.id),
        ]
    }

    fn summary(&self) -> Option<OfferSummary> {
        let Self { id, merchant, sku, product, variant, title, price, status, .. } = self.clone();
        let locations = stock::places(self).to_vec();
        Some(OfferSummary { id, merchant, sku, product, variant, title, price, status, locations })
    }
}

impl Table {
    /// All categories, by handle from the last to the first.
    pub async fn categories(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<CategoryNode>, Fault> {
        self.list::<CategoryNode>(&List::new(Index::Gsi2, Place::categories(m)), limit, after).await
    }

    /// Products, all or those whose first category is this one.
    pub async fn products(
        &self,
        m: &MarketplaceId,
        category: Option<&Category>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ProductSummary>, Fault> {
        let list = match category {
            Some(category) => List::new(Index::Gsi1, Place::products_in(m, category)),
            None => List::new(Index::Gsi2, Place::products(m)),
        };
        self.list::<Product>(&list, limit, after).await
    }

    /// Who offers a product.
    pub async fn offers_of_product(
        &self,
        m: &MarketplaceId,
        product: &ProductId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OfferSummary>, Fault> {
        self.list::<Offer>(&List::new(Index::Gsi1, Place::offers_of_product(m, product)), limit, after).await
    }

    /// What a merchant offers.
    pub async fn offers_of_merchant(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OfferSummary>, Fault> {
        self.list::<Offer>(&List::new(Index::Gsi2, Place::offers_of_merchant(m, merchant)), limit, after)
            .await
    }
}
