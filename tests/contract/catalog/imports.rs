//! Samples of what is told of catalogs that come as files: a profile, and a merchant's import from its file to its end.

use super::{Entry, Told, entry, merchant, person};
use domain::id::ImportId;
use events::import::{ImportAdvancedV1, ImportCreatedV1, ImportFinishedV1, ImportProfileChangedV1};

pub(super) fn imports() -> Vec<Entry> {
    let id = ImportId::from_bits(15);
    let (import, merchant) = (id.clone(), Some(merchant()));
    let sent = format!("object:sent/{}/{id}", super::marketplace());
    let profile = "shop_export".to_owned();
    vec![
        entry(Told::new("import_profile-shop_export", 1, 0, person()), {
            ImportProfileChangedV1 { profile: profile.clone() }
        }),
        entry(Told::new(&id, 1, 1, person()), {
            let (import, merchant) = (import.clone(), merchant.clone());
            ImportCreatedV1 { import, merchant, profile, dry_run: false }
        }),
        entry(Told::new(&id, 2, 2, "system:imports").because(sent), {
            let (import, merchant) = (import.clone(), merchant.clone());
            ImportAdvancedV1 { import, merchant, reached: 0, parts: 2, rows: 0 }
        }),
        entry(Told::new(&id, 3, 3, "system:imports").because(format!("{id}.2")), {
            let status = "done".to_owned();
            ImportFinishedV1 {
                import,
                merchant,
                status,
                dry_run: false,
                rows: 97,
                created: 90,
                changed: 4,
                unchanged: 2,
                refused: 1,
            }
        }),
    ]
}
