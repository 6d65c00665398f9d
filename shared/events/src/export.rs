//! What is told of exports: that one is asked for, and what has become of it.

use crate::{Announced, payloads};
use domain::id::{ExportId, MerchantId};
use domain::pim::export::Export;

payloads! {
    /// A file of offers for a channel is to be made.
    "export.requested.v1" ExportRequestedV1 {
        export: ExportId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
    }

    /// The file is there, or why it is not.
    "export.finished.v1" ExportFinishedV1 {
        export: ExportId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        status: String,
    }
}

/// The first thing said of an export.
pub fn export_requested(export: &Export) -> Announced {
    Announced::of(&ExportRequestedV1 { export: export.id.clone(), merchant: export.merchant.clone() })
}

/// The last.
pub fn export_finished(export: &Export) -> Announced {
    let (id, merchant, status) = (export.id.clone(), export.merchant.clone(), export.stage.word().to_owned());
    Announced::of(&ExportFinishedV1 { export: id, merchant, status })
}
