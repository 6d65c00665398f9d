//! Samples of what is told of assets: a merchant's picture comes, is replaced by what is none, and goes.

use super::{Entry, Told, entry, merchant, person};
use domain::asset::Unusable;
use domain::id::AssetId;
use events::asset::{AssetChangedV1, AssetCreatedV1, AssetDeletedV1, AssetReadyV1, AssetRefusedV1};

pub(super) fn assets() -> Vec<Entry> {
    let id = AssetId::from_bits(14);
    let (asset, merchant) = (id.clone(), Some(merchant()));
    let sent = |file: u32| format!("object:sent/{}/{id}/{file}", super::marketplace());
    let kind = "picture".to_owned();
    vec![
        entry(Told::new(&id, 1, 1, person()), {
            AssetCreatedV1 { asset: asset.clone(), merchant: merchant.clone() }
        }),
        entry(Told::new(&id, 2, 2, "system:media").because(sent(1)), {
            AssetReadyV1 { asset: asset.clone(), merchant: merchant.clone(), file: 1, kind }
        }),
        entry(Told::new(&id, 3, 3, person()), {
            AssetChangedV1 { asset: asset.clone(), merchant: merchant.clone(), file: 2 }
        }),
        entry(Told::new(&id, 4, 4, "system:media").because(sent(2)), {
            let reason = Unusable::UnknownType;
            AssetRefusedV1 { asset: asset.clone(), merchant: merchant.clone(), file: 2, reason }
        }),
        entry(Told::new(&id, 5, 5, person()), AssetDeletedV1 { asset, merchant }),
    ]
}
