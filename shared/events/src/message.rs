//! What is told of messages to people: never to whom.

use crate::payloads;
use domain::message::{Kind, Suppressed};

payloads! {
    /// Who gets which message by which way is new; it binds what is written from now on.
    "message.routing_changed.v1" MessageRoutingChangedV1 { rules: u16 }

    /// A marketplace's own text is in force, or (`builtin`) the platform's again.
    "message.template_saved.v1" MessageTemplateSavedV1 {
        kind: Kind, locale: String, version: u32, builtin: bool,
    }

    /// An address is left alone from now on: told by its digest, as the list has it.
    "message.address_suppressed.v1" AddressSuppressedV1 { digest: String, why: Suppressed }
}
