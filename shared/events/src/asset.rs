//! What is told of assets: that there is one, what its files came to, that it is gone. What it is called and whose
//! rights it has stays in the table.

use crate::{Announced, payloads};
use domain::asset::{Asset, Fact, Kind, Unusable};
use domain::id::{AssetId, MerchantId};

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
        file: u32,
        reason: Unusable,
    }

    /// Its name, words or rights are others, or another file may be sent: `file` is the newest that was asked for.
    "asset.changed.v1" AssetChangedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        file: u32,
    }

    /// It is gone for good, and so is whatever was made of its files.
    "asset.deleted.v1" AssetDeletedV1 {
        asset: AssetId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
    }
}

pub fn created(asset: &Asset) -> Announced {
    Announced::of(&AssetCreatedV1 { asset: asset.id.clone(), merchant: asset.merchant.clone() })
}

/// What has happened to an asset that is now as it is given.
pub fn announce(now: &Asset, fact: &Fact) -> Announced {
    let (asset, merchant, file) = (now.id.clone(), now.merchant.clone(), now.file);
    match fact {
        Fact::FileAwaited { .. } | Fact::Described { .. } => {
            Announced::of(&AssetChangedV1 { asset, merchant, file })
        }
        Fact::FileReady { media, .. } => {
            let kind = match media.kind {
                Kind::Picture(_) => "picture",
                Kind::Video { .. } => "video",
                Kind::Model { .. } => "model",
                Kind::Document { .. } => "document",
            };
            Announced::of(&AssetReadyV1 { asset, merchant, file: media.file, kind: kind.to_owned() })
        }
        Fact::FileRefused { why, .. } => {
            Announced::of(&AssetRefusedV1 { asset, merchant, file, reason: *why })
        }
        Fact::Deleted { .. } => Announced::of(&AssetDeletedV1 { asset, merchant }),
    }
}
