//! What is told of catalogs that come as files: that one may be sent, how far it is, what became of it.

use crate::{Announced, payloads};
use domain::id::{ImportId, MerchantId};
use domain::import::{Fact, Import, Stage};

payloads! {
    /// A file may be sent.
    "import.created.v1" ImportCreatedV1 {
        import: ImportId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        profile: String,
        dry_run: bool,
    }

    /// The file is cut into parts, or one more of them is written; the next one may be.
    "import.advanced.v1" ImportAdvancedV1 {
        import: ImportId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// Parts that are written, of how many.
        reached: u32,
        parts: u32,
        /// That are written.
        rows: u32,
    }

    /// It is done, or ended before: what was written by then stays.
    "import.finished.v1" ImportFinishedV1 {
        import: ImportId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        /// `done`, `failed` or `canceled`.
        status: String,
        dry_run: bool,
        rows: u32,
        created: u32,
        changed: u32,
        unchanged: u32,
        refused: u32,
    }

    /// How a source's rows are read is new, or another.
    "import_profile.changed.v1" ImportProfileChangedV1 {
        profile: String,
    }
}

pub fn created(import: &Import) -> Announced {
    Announced::of(&ImportCreatedV1 {
        import: import.id.clone(),
        merchant: import.merchant.clone(),
        profile: import.profile.to_string(),
        dry_run: import.dry_run,
    })
}

/// What has happened to an import that is now as it is given.
pub fn announce(now: &Import, fact: &Fact) -> Announced {
    let (import, merchant) = (now.id.clone(), now.merchant.clone());
    match (fact, &now.stage) {
        (Fact::Begun { .. } | Fact::Advanced { .. }, Stage::Running { parts, reached, .. }) => {
            let (reached, parts, rows) = (*reached, *parts, now.counts.rows);
            Announced::of(&ImportAdvancedV1 { import, merchant, reached, parts, rows })
        }
        (
            Fact::Begun { .. } | Fact::Advanced { .. } | Fact::Failed { .. } | Fact::Canceled { .. },
            Stage::AwaitingFile { .. }
            | Stage::Running { .. }
            | Stage::Done { .. }
            | Stage::Failed { .. }
            | Stage::Canceled { .. },
        ) => Announced::of(&ImportFinishedV1 {
            import,
            merchant,
            status: now.stage.word().to_owned(),
            dry_run: now.dry_run,
            rows: now.counts.rows,
            created: now.counts.created,
            changed: now.counts.changed,
            unchanged: now.counts.unchanged,
            refused: now.counts.refused,
        }),
    }
}
