//! Refusals of assets, in the words of the API.

use super::Problem;
use domain::asset;

impl From<asset::Refused> for Problem {
    fn from(refused: asset::Refused) -> Self {
        use asset::Refused as R;
        let (status, code, title) = match refused {
            R::Deleted => (409, "asset_deleted", "The asset is deleted"),
            R::Locales => (422, "asset_locales", "The asset is described in too many languages"),
        };
        Self::new(status, code, title).with(refused)
    }
}
