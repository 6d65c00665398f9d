//! Answers of AWS's JSON services, as they go over the wire.

use serde_json::json;

/// What a JSON service says.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: String,
    /// SQS names its errors a second time, for clients of its older protocol.
    pub(super) query_error: Option<String>,
}

impl Answer {
    pub(super) fn ok(body: String) -> Self {
        Self { status: 200, body, query_error: None }
    }

    pub(super) fn json(body: &serde_json::Value) -> Self {
        Self::ok(body.to_string())
    }

    pub(super) fn raw(status: u16, body: String) -> Self {
        Self { status, body, query_error: None }
    }

    pub(super) fn error(status: u16, kind: &str, message: &str) -> Self {
        Self::raw(status, json!({ "__type": kind, "message": message }).to_string())
    }
}
