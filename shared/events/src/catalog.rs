//! What is told of the catalog: that a thing is new or has changed, not how it reads now.

use crate::{Amount, Announced, payloads};
use domain::catalog::{Offer, OfferStatus, Product, ProductStatus};
use domain::id::{MerchantId, OfferId, ProductId};

payloads! {
    /// A category is new, or has another name or place.
    "category.changed.v1" CategoryChangedV1 {
        category: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
    }

    /// A product is known; merchants may offer it.
    "product.created.v1" ProductCreatedV1 {
        product: ProductId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        status: ProductStatus,
    }

    /// Something about a product reads differently now.
    "product.changed.v1" ProductChangedV1 { product: ProductId, status: ProductStatus }

    /// A merchant sells a variant.
    "offer.created.v1" OfferCreatedV1 {
        offer: OfferId,
        merchant: MerchantId,
        product: ProductId,
        variant: u16,
        sku: String,
        price: Amount,
        status: OfferStatus,
    }

    /// Price or status of an offer are new; placed orders keep theirs (A5(5)).
    "offer.changed.v1" OfferChangedV1 {
        offer: OfferId, merchant: MerchantId, product: ProductId, price: Amount, status: OfferStatus,
    }
}

/// The first thing said of a product.
pub fn product_created(product: &Product) -> Announced {
    let Product { id, merchant, status, .. } = product;
    Announced::of(&ProductCreatedV1 { product: id.clone(), merchant: merchant.clone(), status: *status })
}

pub fn product_changed(product: &Product) -> Announced {
    Announced::of(&ProductChangedV1 { product: product.id.clone(), status: product.status })
}

/// The first thing said of an offer.
pub fn offer_created(offer: &Offer) -> Announced {
    Announced::of(&OfferCreatedV1 {
        offer: offer.id.clone(),
        merchant: offer.merchant.clone(),
        product: offer.product.clone(),
        variant: offer.variant,
        sku: offer.sku.as_str().to_owned(),
        price: offer.price.into(),
        status: offer.status,
    })
}

pub fn offer_changed(offer: &Offer) -> Announced {
    Announced::of(&OfferChangedV1 {
        offer: offer.id.clone(),
        merchant: offer.merchant.clone(),
        product: offer.product.clone(),
        price: offer.price.into(),
        status: offer.status,
    })
}
