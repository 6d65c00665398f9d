//! Refusals of assets, in the words of the API.

use super::Problem;
use domain::asset;

impl From<asset::Refused> for Problem {
    fn from(refused: asset::Refused) -> Self {
        use asset::Refused as R;
        let (status, code, title) = match refused {
            R::Deleted => (409, "asset_deleted", "The asset is deleted"),
            R::Locales => (422, "asset_locales", "The asset is described in too many languages"),
            R::Words(_) => (422, "asset_words", "The asset is described in too many words"),
            R::Rights => (422, "asset_rights", "The rights end before they begin"),
        };
        Self::new(status, code, title).with(refused)
    }
}
