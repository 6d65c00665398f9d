//! Samples of what is told of assets: a merchant's picture comes, is replaced by what is none, and goes.

use super::{Entry, Told, entry, merchant, person};
use domain::asset::Unusable;
use domain::asset::naming::Unlinked;
use domain::id::{AssetId, ProductId};
use events::asset::{
    AssetChangedV1, AssetCreatedV1, AssetDeletedV1, AssetEndedV1, AssetLinkedV1, AssetReadyV1,
    AssetRefusedV1, AssetRightsDueV1, AssetUnlinkedV1,
};

pub(super) fn assets() -> Vec<Entry> {
    let id = AssetId::from_bits(14);
    let (asset, merchant) = (id.clone(), Some(merchant()));
    let sent = |file: u32| format!("object:sent/{}/{id}/{file}", super::marketplace());
    let (kind, product) = ("picture".to_owned(), ProductId::from_bits(7));
    vec![
        entry(Told::new(&id, 1, 1, person()), {
            AssetCreatedV1 { asset: asset.clone(), merchant: merchant.clone() }
        }),
        entry(Told::new(&id, 2, 2, "system:media").because(sent(1)), {
            AssetReadyV1 { asset: asset.clone(), merchant: merchant.clone(), review: None, file: 1, kind }
        }),
        entry(Told::new(&id, 3, 3, person()), {
            AssetChangedV1 { asset: asset.clone(), merchant: merchant.clone(), review: None, file: 2 }
        }),
        entry(Told::new(&id, 4, 4, "system:media").because(sent(2)), {
            let reason = Unusable::UnknownType;
            AssetRefusedV1 { asset: asset.clone(), merchant: merchant.clone(), review: None, file: 2, reason }
        }),
        entry(Told::new(format!("due:{id}:2026-02-01T00:00"), 0, 6, "system:rights"), {
            AssetRightsDueV1 { asset: asset.clone() }
        }),
        entry(Told::new(&id, 5, 7, "system:media"), {
            AssetEndedV1 { asset: asset.clone(), merchant: merchant.clone(), review: None }
        }),
        entry(Told::new(format!("{id}-name"), 1, 2, "system:catalog"), {
            let (product, why) = (Some(product.clone()), Some(Unlinked::NotKept));
            let names = vec!["MUG_01".to_owned(), "MUG".to_owned()];
            AssetUnlinkedV1 { asset: asset.clone(), merchant: merchant.clone(), names, product, why }
        }),
        entry(Told::new(format!("{id}-name"), 2, 3, "system:catalog"), {
            AssetLinkedV1 { asset: asset.clone(), merchant: merchant.clone(), product }
        }),
        entry(Told::new(&id, 6, 8, person()), AssetDeletedV1 { asset, merchant, review: None }),
    ]
}
