//! What Stripe's objects mean in the words of the port.

use super::{Answer, decline};
use crate::Notice;
use domain::Money;
use domain::gateway::Outcome;
use domain::id::AttemptId;
use domain::text::Word;
use jiff::Timestamp;
use serde_json::Value;

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

pub(super) fn declined(code: &str) -> Outcome {
    decline(code).map_or(Outcome::Unknown, |decline| Outcome::Declined { decline })
}

/// What an answer that is no object means. Nothing has happened where Stripe did not take the request; where it may
/// have (a 5xx, a conflict, the same key with other words) only a question tells.
fn refused(status: u16, body: &Value) -> Outcome {
    let kind = text(body, "/error/type").unwrap_or_default();
    let code = text(body, "/error/decline_code").or_else(|| text(body, "/error/code"));
    match (status, kind) {
        (_, "idempotency_error") | (409, _) | (500.., _) => Outcome::Unknown,
        (429, _) => declined("try_again_later"),
        // Our key is not accepted: nobody's card is at fault.
        (401 | 403, _) => declined("processing_error"),
        (400..=499, _) => declined(code.unwrap_or("invalid_request")),
        (_, _) => Outcome::Unknown,
    }
}

/// The object that was asked for, or what there is instead.
fn object(answer: &Answer) -> Result<&Value, Outcome> {
    match answer {
        Some((200..=299, body)) => Ok(body),
        Some((status, body)) => Err(refused(*status, body)),
        None => Err(Outcome::Unknown),
    }
}

pub(super) fn intent(answer: &Answer) -> Outcome {
    match object(answer) {
        Ok(intent) => state(intent),
        Err(outcome) => outcome,
    }
}

/// Whose a payment method is; none as long as it is nobody's.
pub(super) fn owner(answer: &Answer) -> Result<Option<Word>, Outcome> {
    let method = object(answer)?;
    text(method, "/customer").map(|id| id.parse().map_err(|_| Outcome::Unknown)).transpose()
}

pub(super) fn customer(answer: &Answer) -> Result<Word, Outcome> {
    id(object(answer)?).ok_or(Outcome::Unknown)
}

/// The intent of an attempt in a page of a list, which never came where the list ends without it; else the last one
/// of the page, after which the next page begins.
pub(super) fn listed(key: &AttemptId, answer: &Answer) -> Result<Outcome, Word> {
    let Ok(list) = object(answer) else { return Ok(Outcome::Unknown) };
    let Some(intents) = list["data"].as_array() else { return Ok(Outcome::Unknown) };
    match intents.iter().find(|intent| is_of(key, intent)) {
        Some(intent) => Ok(state(intent)),
        None if list["has_more"] == true => intents.last().and_then(id).map_or(Ok(Outcome::Unknown), Err),
        None => Ok(declined("not_received")),
    }
}

fn is_of(key: &AttemptId, object: &Value) -> bool {
    text(object, "/metadata/attempt") == Some(key.as_str())
}

/// What a payment intent says of its authorization.
fn state(intent: &Value) -> Outcome {
    let (Some(reference), Some(status)) = (id(intent), text(intent, "/status")) else {
        return Outcome::Unknown;
    };
    match status {
        "requires_capture" => Outcome::Approved { reference, expires_at: ends(intent) },
        // Captured by a call of ours: that authorization is as it was.
        "succeeded" if text(intent, "/metadata/capture").is_some() => {
            Outcome::Approved { reference, expires_at: ends(intent) }
        }
        "succeeded" => {
            received(intent).map_or(Outcome::Unknown, |amount| Outcome::Captured { reference, amount })
        }
        "requires_action" => match text(intent, "/next_action/redirect_to_url/url").map(str::parse) {
            Some(Ok(url)) => Outcome::RequiresAction { reference, url },
            // Without an address to send the browser to nobody can confirm it.
            Some(Err(_)) | None => declined("authentication_required"),
        },
        "requires_payment_method" => {
            let error = |name: &str| text(intent, &format!("/last_payment_error/{name}"));
            declined(error("decline_code").or_else(|| error("code")).unwrap_or("generic_decline"))
        }
        "canceled" => Outcome::Lapsed,
        _ => Outcome::Unknown,
    }
}

fn id(object: &Value) -> Option<Word> {
    text(object, "/id")?.parse().ok()
}

/// When the authorization ends, as the charge of a card says it.
fn ends(intent: &Value) -> Option<Timestamp> {
    let before = intent.pointer("/latest_charge/payment_method_details/card/capture_before")?;
    Timestamp::from_second(before.as_i64()?).ok()
}

fn received(intent: &Value) -> Option<Money> {
    let currency = text(intent, "/currency")?.to_uppercase().parse().ok()?;
    Some(Money::new(intent["amount_received"].as_i64()?, currency))
}

/// Of a capture, from the intent after it or from the one that was asked for. An intent has one: what another call
/// has captured, this one has not.
pub(super) fn captured(key: &AttemptId, answer: &Answer) -> Outcome {
    let intent = match object(answer) {
        Ok(intent) => intent,
        Err(outcome) => return outcome,
    };
    let by_another = text(intent, "/metadata/capture").is_some_and(|capture| capture != key.as_str());
    match text(intent, "/status") {
        Some("succeeded") if by_another => declined("payment_intent_unexpected_state"),
        Some("succeeded") => done(key),
        Some("requires_capture") => declined("not_received"),
        Some("canceled") => declined("expired_authorization"),
        Some(_) | None => Outcome::Unknown,
    }
}

/// Of a void.
pub(super) fn canceled(key: &AttemptId, answer: &Answer) -> Outcome {
    let intent = match object(answer) {
        Ok(intent) => intent,
        Err(outcome) => return outcome,
    };
    match text(intent, "/status") {
        Some("canceled") => done(key),
        Some("succeeded") => declined("payment_intent_unexpected_state"),
        Some("requires_capture" | "requires_action" | "requires_payment_method") => declined("not_received"),
        Some(_) | None => Outcome::Unknown,
    }
}

/// Stripe names neither captures nor cancellations: the attempt does.
fn done(key: &AttemptId) -> Outcome {
    let named = key.as_str().parse();
    named.map_or(Outcome::Unknown, |reference| Outcome::Approved { reference, expires_at: None })
}

pub(super) fn refund(answer: &Answer) -> Outcome {
    match object(answer) {
        Ok(refund) => refund_state(refund),
        Err(outcome) => outcome,
    }
}

fn refund_state(refund: &Value) -> Outcome {
    let Some(reference) = id(refund) else { return Outcome::Unknown };
    match text(refund, "/status") {
        Some("succeeded") => Outcome::Approved { reference, expires_at: None },
        Some("pending" | "requires_action") => Outcome::Promised { reference },
        Some("failed") => declined(text(refund, "/failure_reason").unwrap_or("refund_failed")),
        Some("canceled") => declined("refund_canceled"),
        Some(_) | None => Outcome::Unknown,
    }
}

/// The refund of an attempt among those of its intent; a whole page without it leaves the question open.
pub(super) fn refund_of(key: &AttemptId, answer: &Answer) -> Outcome {
    let Ok(list) = object(answer) else { return Outcome::Unknown };
    let Some(refunds) = list["data"].as_array() else { return Outcome::Unknown };
    match refunds.iter().find(|refund| is_of(key, refund)) {
        Some(refund) => refund_state(refund),
        None if list["has_more"] == true => Outcome::Unknown,
        None => declined("not_received"),
    }
}

/// The event of an authorization that holds.
pub(super) const AUTHORIZED: &str = "payment_intent.amount_capturable_updated";

/// What an event tells; none where it is about nothing of ours, or says nothing that is not known.
pub(super) fn notice(event: &Value) -> Option<Notice> {
    let object = event.pointer("/data/object")?;
    let marketplace = text(object, "/metadata/marketplace")?.parse().ok()?;
    let attempt: AttemptId = text(object, "/metadata/attempt")?.parse().ok()?;
    let capture = text(object, "/metadata/capture").and_then(|capture| capture.parse::<AttemptId>().ok());
    let (attempt, outcome) = match text(event, "/type")? {
        "payment_intent.succeeded" => match capture {
            Some(capture) => {
                let outcome = done(&capture);
                (capture, outcome)
            }
            None => (attempt, state(object)),
        },
        AUTHORIZED
        | "payment_intent.canceled"
        | "payment_intent.payment_failed"
        | "payment_intent.requires_action" => (attempt, state(object)),
        "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
            (attempt, refund_state(object))
        }
        _ => return None,
    };
    Some(Notice { marketplace, attempt, outcome })
}
