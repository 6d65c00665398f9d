//! What may go wrong with a call of AWS and with an invocation, how likely it is on a day, and how AWS says it.
//!
//! When it does is `seam.rs`'s. Each of them has a name, under which it is counted.

use crate::cloud::Called;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use fastrand::Rng;
use serde_json::{Value, json};

/// What may happen to a call of AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    LostRequest,
    LostAnswer,
    Throttled,
    Conflict,
    Failed,
    Slow,
    Late,
    Partly,
    CrashBefore,
    CrashAfter,
}

/// What may happen to an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    NotBegun,
    OutcomeLost,
    Twice,
    Backwards,
    OneHeldBack,
}

pub(super) const CALLS: [(Call, &str); 10] = [
    (Call::LostRequest, "request lost"),
    (Call::LostAnswer, "answer lost"),
    (Call::Throttled, "throttled"),
    (Call::Conflict, "transaction conflict"),
    (Call::Failed, "failed with 500"),
    (Call::Slow, "slower than the time-out"),
    (Call::Late, "done after the time-out"),
    (Call::Partly, "done in part"),
    (Call::CrashBefore, "crash before a call"),
    (Call::CrashAfter, "crash after a call"),
];
pub(super) const DELIVERIES: [(Delivery, &str); 5] = [
    (Delivery::NotBegun, "invocation not begun"),
    (Delivery::OutcomeLost, "outcome of an invocation lost"),
    (Delivery::Twice, "batch delivered twice"),
    (Delivery::Backwards, "batch delivered backwards"),
    (Delivery::OneHeldBack, "message held back"),
];

/// Calls of which AWS may do a part.
const IN_PARTS: [&str; 4] = [".PutEvents", ".BatchGetItem", ".BatchWriteItem", ".SendMessageBatch"];

/// All that may go wrong, by the names under which a run counts it.
pub fn faults() -> impl Iterator<Item = &'static str> {
    CALLS.iter().map(|(_, name)| *name).chain(DELIVERIES.iter().map(|(_, name)| *name))
}

/// How likely each of them is, in thousandths.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weather {
    pub(super) calls: [u32; 10],
    pub(super) deliveries: [u32; 5],
}

impl Weather {
    /// Some days are stormy in one way, some in another, some are fair.
    pub(super) fn of(dice: &mut Rng) -> Self {
        let mut any = |of: &[u32]| dice.choice(of).copied().unwrap_or_default();
        let calls = CALLS.map(|(call, _)| match call {
            // Whoever waits so long does nothing else: few of them suffice.
            Call::Slow | Call::Late => any(&[0, 0, 1, 2]),
            Call::LostRequest
            | Call::LostAnswer
            | Call::Throttled
            | Call::Conflict
            | Call::Failed
            | Call::Partly
            | Call::CrashBefore
            | Call::CrashAfter => any(&[0, 0, 2, 5, 10, 25]),
        });
        Self { calls, deliveries: DELIVERIES.map(|_| any(&[0, 10, 40, 120])) }
    }

    pub(super) fn drawn<T: Copy>(
        dice: &mut Rng,
        likely: &[u32],
        what: &[(T, &'static str)],
    ) -> Option<(T, &'static str)> {
        let mut left = dice.u32(0..1_000);
        for (likely, what) in likely.iter().zip(what) {
            match left.checked_sub(*likely) {
                None => return Some(*what),
                Some(less) => left = less,
            }
        }
        None
    }
}

impl Call {
    /// Whether AWS does this to such a call.
    pub(super) fn fits(self, target: &str) -> bool {
        match self {
            Self::Conflict => conflicts(target).is_some(),
            Self::Partly => IN_PARTS.iter().any(|name| target.ends_with(name)),
            Self::LostRequest
            | Self::LostAnswer
            | Self::Throttled
            | Self::Failed
            | Self::Slow
            | Self::Late
            | Self::CrashBefore
            | Self::CrashAfter => true,
        }
    }
}

/// How DynamoDB says that somebody else writes an item just now: whether in a transaction's reasons.
fn conflicts(target: &str) -> Option<bool> {
    let one = [".PutItem", ".UpdateItem", ".DeleteItem"].iter().any(|name| target.ends_with(name));
    one.then_some(false).or_else(|| target.ends_with(".TransactWriteItems").then_some(true))
}

/// The client tries again after this by itself, with the same token.
pub(super) fn lost() -> ConnectorError {
    ConnectorError::io("the line is cut".into())
}

pub(super) fn throttled(target: &str) -> Called {
    if target.is_empty() {
        return refused(429, "TooManyRequestsException", None);
    }
    refused(400, "ThrottlingException", None)
}

pub(super) fn failed() -> Called {
    refused(500, "InternalServerError", None)
}

/// Somebody else writes the item just now, or the transaction's first one.
pub(super) fn conflict(target: &str, request: &HttpRequest) -> Called {
    if conflicts(target) == Some(false) {
        return refused(400, "TransactionConflictException", None);
    }
    let items =
        body_of(request.body()).and_then(|body| body.pointer("/TransactItems")?.as_array().map(Vec::len));
    let mut reasons = vec![json!({ "Code": "None" }); items.unwrap_or(1)];
    if let Some(first) = reasons.first_mut() {
        *first = json!({ "Code": "TransactionConflict", "Message": "Transaction is ongoing for the item" });
    }
    refused(400, "TransactionCanceledException", Some(Value::Array(reasons)))
}

/// As the service says it: in the body, and in a head for those whose bodies have no type.
fn refused(status: u16, kind: &str, reasons: Option<Value>) -> Called {
    let mut body = json!({ "__type": kind, "message": "It is too much at once." });
    if let (Some(body), Some(reasons)) = (body.as_object_mut(), reasons) {
        body.insert("CancellationReasons".to_owned(), reasons);
    }
    answered(status, Some(kind), &body)
}

fn answered(status: u16, kind: Option<&str>, body: &Value) -> Called {
    let mut built =
        http::Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    if let Some(kind) = kind {
        built = built.header("x-amzn-errortype", kind);
    }
    let user = |error: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(error);
    let built = built.body(SdkBody::from(body.to_string())).map_err(|error| user(error.into()))?;
    HttpResponse::try_from(built).map_err(|error| user(error.into()))
}

fn body_of(body: &SdkBody) -> Option<Value> {
    body.bytes().and_then(|bytes| serde_json::from_slice(bytes).ok())
}

/// What AWS has not done of a call.
#[derive(Debug)]
pub(super) struct Undone {
    /// Where it stands in the answer, and as what.
    place: &'static str,
    what: Value,
    /// Nothing is left to be done.
    whole: bool,
}

/// Takes the last entry out of a request.
pub(super) fn less(target: &str, request: &mut HttpRequest) -> Option<Undone> {
    let mut body = body_of(request.body())?;
    let undone = if target.ends_with(".PutEvents") {
        let entries = body.get_mut("Entries")?.as_array_mut()?;
        entries.pop()?;
        let what = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "It is too much at once." });
        Undone { place: "Entries", what, whole: entries.is_empty() }
    } else if target.ends_with(".SendMessageBatch") {
        let entries = body.get_mut("Entries")?.as_array_mut()?;
        let id = entries.pop()?.get("Id")?.clone();
        let what = json!({ "Id": id, "Code": "InternalError", "SenderFault": false });
        Undone { place: "Failed", what, whole: entries.is_empty() }
    } else {
        let (name, of) = body.get_mut("RequestItems")?.as_object_mut()?.iter_mut().next()?;
        let name = name.clone();
        if let Some(writes) = of.as_array_mut() {
            let what = json!({ name: [writes.pop()?] });
            Undone { place: "UnprocessedItems", what, whole: writes.is_empty() }
        } else {
            let mut rest = of.clone();
            let keys = of.get_mut("Keys")?.as_array_mut()?;
            *rest.get_mut("Keys")? = json!([keys.pop()?]);
            Undone { place: "UnprocessedKeys", what: json!({ name: rest }), whole: keys.is_empty() }
        }
    };
    *request.body_mut() = SdkBody::from(body.to_string());
    Some(undone)
}

impl Undone {
    /// As if the bus had taken the event.
    pub(super) fn taken(self) -> Self {
        Self { what: json!({ "EventId": "forgotten" }), ..self }
    }

    /// The answer where nothing else was asked for.
    pub(super) fn alone(&self) -> Option<Called> {
        self.whole.then(|| answered(200, None, &self.told(json!({}))))
    }

    /// Says in an answer what has not been done.
    pub(super) fn tell(&self, answer: HttpResponse) -> Called {
        match body_of(answer.body()).filter(|_| answer.status().is_success()) {
            Some(body) => answered(200, None, &self.told(body)),
            None => Ok(answer),
        }
    }

    fn told(&self, mut answer: Value) -> Value {
        let Some(told) = answer.as_object_mut() else { return answer };
        if self.place.starts_with("Unprocessed") {
            told.insert(self.place.to_owned(), self.what.clone());
            return answer;
        }
        let list = told.entry(self.place).or_insert_with(|| json!([]));
        list.as_array_mut().into_iter().for_each(|list| list.push(self.what.clone()));
        if self.place == "Entries" {
            told.insert("FailedEntryCount".to_owned(), json!(1));
        }
        answer
    }
}

/// Says in an answer that a message failed.
pub(super) fn fail(answer: &mut Value, message: &Value) {
    let id = message.get("messageId").cloned().unwrap_or_default();
    let one = json!({ "itemIdentifier": id });
    match answer.get_mut("batchItemFailures").and_then(Value::as_array_mut) {
        Some(failures) => failures.push(one),
        None => *answer = json!({ "batchItemFailures": [one] }),
    }
}
