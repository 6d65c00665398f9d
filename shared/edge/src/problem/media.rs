//! Refusals of files that are sent, in the words of the API: assets, and catalogs to import.

use super::Problem;
use domain::pim::exchange::BadProfile;
use domain::{asset, import};

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

impl From<import::Refused> for Problem {
    fn from(refused: import::Refused) -> Self {
        use import::Refused as R;
        let (status, code, title) = match refused {
            R::Ended(_) => (409, "import_ended", "The import has ended"),
        };
        Self::new(status, code, title).with(refused)
    }
}

impl From<BadProfile> for Problem {
    fn from(bad: BadProfile) -> Self {
        let (code, title) = match bad {
            BadProfile::Count(_) => ("import_profile_size", "The profile has too few mappings, or too many"),
            BadProfile::Steps(_) | BadProfile::Named(_) | BadProfile::Twice(..) | BadProfile::Kind(..) => {
                ("import_profile_mapping", "A mapping cannot be read so")
            }
        };
        Self::new(422, code, title).with(bad)
    }
}
