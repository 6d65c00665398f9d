//! What is told of assets: that there is one, what its files came to, that it is gone. What it is called and whose
//! rights it has stays in the table.

use crate::{Announced, payloads};
use domain::asset::naming::{Match, NamedAsset, Unlinked};
use domain::asset::{Asset, Fact, Kind, Unusable};
use domain::id::{AssetId, MerchantId, ProductId, ReviewId};

payloads! {
    /// An asset is there, and its first file may be sent.
    "asset.created.v1" AssetCreatedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
    }

    /// A file was looked at, and what was made of it is shown from now on.
    "asset.ready.v1" AssetReadyV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Of a photo of a review: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewId>,
        /// Which of its files, counted from 1.
        file: u32,
        /// `picture`, `video`, `model` or `document`.
        kind: String,
    }

    /// A file was looked at and is not taken; what was shown before still is.
    "asset.refused.v1" AssetRefusedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Of a photo of a review: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewId>,
        file: u32,
        reason: Unusable,
    }

    /// Its name, words or rights are others, its rights have begun, or another file may be sent: `file` is the newest
    /// that was asked for.
    "asset.changed.v1" AssetChangedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Of a photo of a review: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewId>,
        file: u32,
    }

    /// Its rights have ended: what was made of its file is gone, and another may be sent.
    "asset.ended.v1" AssetEndedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Of a photo of a review: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewId>,
    }

    /// Its name is that of goods: it is one of their pictures from now on.
    "asset.linked.v1" AssetLinkedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        product: ProductId,
    }

    /// Its name may be that of goods, and it does not become theirs: nothing is called so yet, or `why` is said.
    "asset.unlinked.v1" AssetUnlinkedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// What it was looked for under.
        names: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        product: Option<ProductId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<Unlinked>,
    }

    /// The rights of an asset begin or end: whether they do is looked up in the asset.
    "asset.rights_due.v1" AssetRightsDueV1 { asset: AssetId }

    /// It is gone for good, and so is whatever was made of its files.
    "asset.deleted.v1" AssetDeletedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Of a photo of a review: whose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        review: Option<ReviewId>,
    }
}

pub fn created(asset: &Asset) -> Announced {
    Announced::of(&AssetCreatedV1 { asset: asset.id.clone(), merchant: asset.merchant.clone() })
}

/// What has happened to an asset that is now as it is given.
pub fn announce(now: &Asset, fact: &Fact) -> Announced {
    let (asset, merchant, file) = (now.id.clone(), now.merchant.clone(), now.file);
    let review = now.review.as_ref().map(|(review, _)| review.clone());
    match fact {
        Fact::FileAwaited { .. } | Fact::Described { .. } | Fact::RightsBegan => {
            Announced::of(&AssetChangedV1 { asset, merchant, review, file })
        }
        Fact::FileReady { media, .. } => {
            let kind = match media.kind {
                Kind::Picture(_) => "picture",
                Kind::Video { .. } => "video",
                Kind::Model { .. } => "model",
                Kind::Document { .. } => "document",
            };
            let (file, kind) = (media.file, kind.to_owned());
            Announced::of(&AssetReadyV1 { asset, merchant, review, file, kind })
        }
        Fact::FileRefused { why, .. } => {
            Announced::of(&AssetRefusedV1 { asset, merchant, review, file, reason: *why })
        }
        Fact::RightsEnded { .. } => Announced::of(&AssetEndedV1 { asset, merchant, review }),
        Fact::Deleted { .. } => Announced::of(&AssetDeletedV1 { asset, merchant, review }),
    }
}

/// What came of an asset's name.
pub fn named(named: &NamedAsset) -> Announced {
    let (asset, merchant) = (named.asset.clone(), named.merchant.clone());
    match &named.matched {
        Match::Linked { product, .. } => {
            Announced::of(&AssetLinkedV1 { asset, merchant, product: product.clone() })
        }
        Match::Waiting { names } => {
            let names = names.clone();
            Announced::of(&AssetUnlinkedV1 { asset, merchant, names, product: None, why: None })
        }
        Match::Unlinked { names, product, why } => {
            let (names, product) = (names.clone(), Some(product.clone()));
            Announced::of(&AssetUnlinkedV1 { asset, merchant, names, product, why: Some(*why) })
        }
    }
}
