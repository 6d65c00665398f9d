//! Mistakes that are planted to see that they are found: requests, answers and messages are rewritten on their way, as
//! if a function had been written carelessly. No function has a word of this.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use serde_json::{Value, json};

/// A mistake that a careless hand makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// Consumers do not note which event they have handled.
    NoMark,
    /// The ledger's totals count what they have counted.
    LedgerCountsTwice,
    /// Stock is moved without a look at what is there.
    StockUnconditional,
    /// Events are written after what they tell of, by a call of their own.
    EventOutside,
    /// A message that failed is taken for handled.
    FailureSwallowed,
    /// What was asked before is done again.
    NoIdempotency,
    /// Whose part of an order it is, nobody asks.
    EverybodysOrders,
    /// A part of an order is placed again over the one that is under way.
    SplitAgain,
    /// What was decided on a part or an order that has changed since is written all the same.
    StalePart,
    /// The same of carts.
    StaleCart,
    /// Which part a capture was for is not noted.
    CapturesTwice,
    /// How far a merchant is paid is not noted.
    PaysOutTwice,
    /// Of the events that come to webhooks at once one is forgotten.
    WebhookForgotten,
    /// Whoever waits is crossed out, and not told.
    WaitForgotten,
    /// A wish list that has changed since is written all the same.
    StaleList,
    /// How many orders may have a code is not looked at.
    CodeUnlimited,
    /// What a letter is about is read as it was a moment ago.
    StaleLetter,
    /// Letters are given to the carrier twice.
    LetterTwice,
    /// Which events the bus has not taken is not looked at.
    PartForgotten,
}

/// All of them, each with what is wrong.
pub const PLANTED: [Planted; 19] = [
    Planted::NoMark,
    Planted::LedgerCountsTwice,
    Planted::StockUnconditional,
    Planted::EventOutside,
    Planted::FailureSwallowed,
    Planted::NoIdempotency,
    Planted::EverybodysOrders,
    Planted::SplitAgain,
    Planted::StalePart,
    Planted::StaleCart,
    Planted::CapturesTwice,
    Planted::PaysOutTwice,
    Planted::WebhookForgotten,
    Planted::WaitForgotten,
    Planted::StaleList,
    Planted::CodeUnlimited,
    Planted::StaleLetter,
    Planted::LetterTwice,
    Planted::PartForgotten,
];

const TRANSACTION: &str = ".TransactWriteItems";
/// Where the carrier of letters takes them.
const LETTERS: &str = "/v2/email/outbound-emails";

/// What a write is about.
struct About<'a> {
    sort: &'a str,
    kind: &'a str,
}

impl<'a> About<'a> {
    fn of(write: &'a Value) -> Self {
        let at = |name: &str| {
            let of = ["Put", "Update", "Delete"].iter().find_map(|action| write.get(action)).unwrap_or(write);
            let item = of.get("Item").or_else(|| of.get("Key"));
            item.and_then(|item| item.pointer(&format!("/{name}/S")))
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        Self { sort: at("SK"), kind: at("kind") }
    }
}

impl Planted {
    /// What it is called on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoMark => "no-mark",
            Self::LedgerCountsTwice => "ledger-counts-twice",
            Self::StockUnconditional => "stock-unconditional",
            Self::EventOutside => "event-outside",
            Self::FailureSwallowed => "failure-swallowed",
            Self::NoIdempotency => "no-idempotency",
            Self::EverybodysOrders => "everybodys-orders",
            Self::SplitAgain => "split-again",
            Self::StalePart => "stale-part",
            Self::StaleCart => "stale-cart",
            Self::CapturesTwice => "captures-twice",
            Self::PaysOutTwice => "pays-out-twice",
            Self::WebhookForgotten => "webhook-forgotten",
            Self::WaitForgotten => "wait-forgotten",
            Self::StaleList => "stale-list",
            Self::CodeUnlimited => "code-unlimited",
            Self::StaleLetter => "stale-letter",
            Self::LetterTwice => "letter-twice",
            Self::PartForgotten => "part-forgotten",
        }
    }

    /// What becomes of a write of this function: false where it is left out.
    fn keeps(self, function: &str, write: &Value) -> bool {
        let about = About::of(write);
        let mark = about.kind.starts_with("seen.");
        match self {
            Self::NoMark => !mark || function == "ledger",
            Self::LedgerCountsTwice => !mark || function != "ledger",
            Self::NoIdempotency => !about.kind.starts_with("idempotency."),
            Self::PaysOutTwice => !about.kind.starts_with("claimed."),
            Self::WaitForgotten => function != "wish-lists" || !about.sort.starts_with("EVT#"),
            Self::StockUnconditional
            | Self::EventOutside
            | Self::FailureSwallowed
            | Self::EverybodysOrders
            | Self::SplitAgain
            | Self::StalePart
            | Self::StaleCart
            | Self::CapturesTwice
            | Self::WebhookForgotten
            | Self::StaleList
            | Self::CodeUnlimited
            | Self::StaleLetter
            | Self::LetterTwice
            | Self::PartForgotten => true,
        }
    }

    /// Whether the condition of this write is forgotten.
    fn forgets(self, function: &str, write: &Value) -> bool {
        let About { sort, .. } = About::of(write);
        let part = sort == "ORD" || sort.starts_with("MOR#");
        match self {
            Self::StockUnconditional => sort.starts_with("STK#"),
            Self::SplitAgain => part && function == "order-split",
            Self::StalePart => part && function != "order-split",
            Self::StaleCart => sort == "CRT",
            Self::StaleList => sort == "WSH",
            Self::CodeUnlimited => sort == "USE",
            Self::NoMark
            | Self::LedgerCountsTwice
            | Self::EventOutside
            | Self::FailureSwallowed
            | Self::NoIdempotency
            | Self::EverybodysOrders
            | Self::CapturesTwice
            | Self::PaysOutTwice
            | Self::WebhookForgotten
            | Self::WaitForgotten
            | Self::StaleLetter
            | Self::LetterTwice
            | Self::PartForgotten => false,
        }
    }

    /// Rewrites a request to the table; answers one that has to follow it, if any.
    pub(super) fn request(
        self,
        function: &str,
        target: &str,
        request: &mut HttpRequest,
    ) -> Option<HttpRequest> {
        if self == Self::LetterTwice && request.uri().ends_with(LETTERS) {
            return request.try_clone();
        }
        let transaction = target.ends_with(TRANSACTION);
        let read = request.body().bytes().and_then(|bytes| serde_json::from_slice::<Value>(bytes).ok());
        let mut body = read.filter(|_| transaction || target.ends_with("Item"))?;
        if !transaction {
            let stale = self == Self::StaleLetter && function == "notifications" && trust(&mut body);
            if stale || (self.forgets(function, &body) && forget(&mut body)) {
                *request.body_mut() = SdkBody::from(body.to_string());
            }
            return None;
        }
        let writes = body.get_mut("TransactItems").and_then(Value::as_array_mut)?;
        let (before, mut told) = (writes.len(), Vec::new());
        writes.retain(|write| self.keeps(function, write));
        if self == Self::EventOutside {
            told = writes.extract_if(.., |write| About::of(write).sort.starts_with("EVT#")).collect();
            if writes.is_empty() {
                writes.append(&mut told);
            }
        }
        let mut changed = before != writes.len();
        for write in writes.iter_mut() {
            changed |= self == Self::CapturesTwice && misplace(write);
            let forgets = self.forgets(function, write);
            for action in ["Put", "Update", "Delete"].into_iter().filter(|_| forgets) {
                changed |= write.get_mut(action).is_some_and(forget);
            }
        }
        if changed {
            *request.body_mut() = SdkBody::from(body.to_string());
        }
        if told.is_empty() {
            return None;
        }
        if let Some(body) = body.as_object_mut() {
            body.insert("TransactItems".to_owned(), Value::Array(told));
            body.remove("ClientRequestToken");
        }
        let mut after = request.try_clone()?;
        *after.body_mut() = SdkBody::from(body.to_string());
        Some(after)
    }

    /// Whether what AWS has not done of a call is told as done.
    pub(super) fn forgets_a_part(self, function: &str) -> bool {
        self == Self::PartForgotten && function == "outbox"
    }

    /// What a function's answer becomes.
    pub(super) fn answer(self, answer: Result<Value, String>) -> Result<Value, String> {
        match (self, answer) {
            (Self::FailureSwallowed, Ok(answer)) if answer.get("batchItemFailures").is_some() => {
                Ok(json!({ "batchItemFailures": [] }))
            }
            (_, answer) => answer,
        }
    }

    /// What a function is asked becomes.
    pub(super) fn event(self, event: &mut Value, operator: &str) {
        let of_parts = |event: &Value| {
            let path = event.get("rawPath").and_then(Value::as_str).unwrap_or_default();
            path.starts_with("/v1/merchant-orders/")
        };
        let from = event.pointer("/Records/0/eventSourceARN").and_then(Value::as_str).unwrap_or_default();
        if self == Self::WebhookForgotten
            && from.ends_with("WebhooksQueue")
            && let Some(records) = event.get_mut("Records").and_then(Value::as_array_mut)
            && records.len() > 1
        {
            records.pop();
        }
        if self == Self::EverybodysOrders
            && of_parts(event)
            && let Some(bearer) = event.pointer_mut("/headers/authorization")
        {
            *bearer = json!(format!("Bearer {operator}"));
        }
    }
}

/// A condition that always holds, and still names all that the request does.
fn forget(write: &mut Value) -> bool {
    let Some(condition) = write.get_mut("ConditionExpression") else { return false };
    let text = condition.as_str().unwrap_or_default();
    *condition = json!(format!("({text}) OR attribute_exists(PK) OR attribute_not_exists(PK)"));
    true
}

/// Reads in one go that may be behind.
fn trust(request: &mut Value) -> bool {
    let tables = request.get_mut("RequestItems").and_then(Value::as_object_mut);
    let mut asked = tables.into_iter().flatten().filter_map(|(_, table)| table.get_mut("ConsistentRead"));
    asked.any(|consistent| std::mem::replace(consistent, json!(false)) == json!(true))
}

/// Notes a capture that went well under a part that there is not.
fn misplace(write: &mut Value) -> bool {
    let attempts = write.pointer_mut("/Put/Item/value/M/attempts/L").and_then(Value::as_array_mut);
    let mut some = false;
    for attempt in attempts.into_iter().flatten() {
        let well = attempt.pointer("/M/state/M/is/S").and_then(Value::as_str) == Some("approved");
        if let Some(part) = attempt.pointer_mut("/M/call/M/part/N").filter(|_| well) {
            *part = json!("99");
            some = true;
        }
    }
    some
}
