//! A gateway without memory: the token says what happens, and its references carry the token on to later calls.
//!
//! It takes every call that was committed for received, so a question is answered as the call would have been.

use crate::{NotANotice, Notice, signature};
use domain::gateway::{Capabilities, Decline, GatewayToken, Method, Outcome, Request};
use domain::id::{AttemptId, MarketplaceId};
use domain::text::Word;
use domain::{Currency, Money};
use edge::{Clock, World};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An authorization ends after so many hours.
const HOURS: i64 = 7 * 24;

#[derive(Debug, Clone)]
pub struct Sandbox {
    clock: Clock,
    /// Of notices; none are taken without one.
    secret: Option<Arc<str>>,
    /// One capture per authorization, no renewal.
    single: bool,
}

/// A notice's body.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Body {
    marketplace: MarketplaceId,
    attempt: AttemptId,
    outcome: Outcome,
}

impl Sandbox {
    pub(crate) fn of(world: &World, single: bool) -> Self {
        let secret = world.variable("SANDBOX_SECRET").ok().filter(|secret| !secret.is_empty());
        Self { clock: world.clock.clone(), secret: secret.map(Arc::from), single }
    }

    pub(crate) fn name(&self) -> &'static str {
        if self.single { "sandbox-single" } else { "sandbox" }
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        Capabilities { multi_capture: !self.single, renewal: !self.single }
    }

    pub(crate) fn call(&self, request: &Request) -> Outcome {
        match request {
            Request::Ask { about, .. } => self.answer(about, true),
            Request::Authorize { .. }
            | Request::Capture { .. }
            | Request::Void { .. }
            | Request::Refund { .. }
            | Request::Credit { .. } => self.answer(request, false),
        }
    }

    fn answer(&self, request: &Request, asked: bool) -> Outcome {
        match request {
            Request::Authorize { key, method, token, amount, off_session, capture, .. } => {
                let script = script(*method, token.as_ref());
                // What happens only where nobody is there.
                let script = match script.strip_prefix("away_") {
                    Some(away) if *off_session => away,
                    Some(_) => "approved",
                    None => &script,
                };
                let outcome = self.authorize(key, script, *amount, asked);
                if let (Outcome::Approved { reference, .. }, true) = (&outcome, *capture) {
                    return Outcome::Captured { reference: reference.clone(), amount: *amount };
                }
                outcome
            }
            Request::Capture { key, authorization, .. } => later(key, authorization, "capture_", asked),
            Request::Refund { key, authorization, .. } => later(key, authorization, "refund_", asked),
            Request::Void { key, authorization } => later(key, authorization, "void_", asked),
            Request::Credit { key, .. } => approved(key, "", None),
            Request::Ask { .. } => Outcome::Unknown,
        }
    }

    fn authorize(&self, key: &AttemptId, script: &str, amount: Money, asked: bool) -> Outcome {
        let for_hours = |hours: i64| {
            let ends = self.clock.now().checked_add(SignedDuration::from_hours(hours));
            approved(key, script, ends.ok())
        };
        let (word, rest) = script.split_once('_').unwrap_or((script, ""));
        match (word, rest) {
            ("timeout", _) if !asked => Outcome::Unknown,
            ("unknown", _) => Outcome::Unknown,
            ("approved" | "visa" | "wallet" | "bnpl", "")
            | ("timeout", "approved")
            | ("capture" | "refund" | "void", _) => for_hours(HOURS),
            ("hours", hours) => hours.parse().map_or_else(|_| declined("no_such_token"), for_hours),
            ("timeout", "lost") => declined("not_received"),
            ("timeout", "declined") => declined("insufficient_funds"),
            ("declined", code) if !code.is_empty() => declined(code),
            // `fails_2_insufficient_funds`: the first two tries of an order, then it is approved.
            ("fails", rest) => match rest.split_once('_').map(|(times, code)| (times.parse::<u16>(), code)) {
                Some((Ok(times), code)) if tries(key).is_some_and(|number| number <= times) => declined(code),
                Some((Ok(_), _)) => for_hours(HOURS),
                Some((Err(_), _)) | None => declined("no_such_token"),
            },
            ("credit", "") => approved(key, script, None),
            ("voucher", balance) if balance.parse().is_ok_and(|left: i64| left >= amount.minor) => {
                approved(key, script, None)
            }
            ("voucher", _) => declined("insufficient_funds"),
            ("paid", "") => with(key, script, |reference| Outcome::Captured { reference, amount }),
            ("transfer", "") => with(key, script, |reference| Outcome::Promised { reference }),
            // `action_void_unknown`: what becomes of the void, if nobody confirms it.
            ("action", rest) if rest.is_empty() || rest.starts_with("void_") => {
                let kept = if rest.is_empty() { script } else { rest };
                match format!("https://sandbox.example/confirm/{key}").parse() {
                    Ok(url) => with(key, kept, |reference| Outcome::RequiresAction { reference, url }),
                    Err(_) => Outcome::Unknown,
                }
            }
            (_, _) => declined("no_such_token"),
        }
    }

    /// What a person tells in the place of customer or bank, in the gateway's own words.
    pub fn reference(key: &AttemptId, method: Method, token: Option<&GatewayToken>) -> Option<Word> {
        named(key, &script(method, token))
    }

    /// A notice as it would come, signed, for whoever plays the gateway.
    pub fn notice(
        secret: &str,
        notice: &Notice,
        id: &str,
        at: Timestamp,
    ) -> (String, [(&'static str, String); 3]) {
        let Notice { marketplace, attempt, outcome } = notice.clone();
        let body = serde_json::to_string(&Body { marketplace, attempt, outcome }).unwrap_or_default();
        let headers = signature::standard(secret, id, at, body.as_bytes());
        (body, headers)
    }

    pub(crate) fn read_notice(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Notice>, NotANotice> {
        signature::holds_standard(self.secret.as_ref().ok_or(NotANotice::NoSecret)?, headers, body, now)?;
        let Body { marketplace, attempt, outcome } =
            serde_json::from_slice(body).map_err(|_| NotANotice::Unreadable)?;
        Ok(vec![Notice { marketplace, attempt, outcome }])
    }
}

/// What the token says, without its prefix; where there is none the method says it.
fn script(method: Method, token: Option<&GatewayToken>) -> String {
    let by_method = match method {
        Method::BankTransfer => "transfer",
        Method::Card | Method::Wallet | Method::Bnpl | Method::Voucher | Method::StoreCredit => {
            "declined_token_missing"
        }
    };
    let said = token.map(|token| token.as_str().strip_prefix("tok_").unwrap_or("none"));
    said.unwrap_or(by_method).to_owned()
}

pub(crate) fn balance(token: &GatewayToken, currency: Currency) -> Option<Money> {
    let minor = token.as_str().strip_prefix("tok_voucher_")?.parse().ok()?;
    Some(Money::new(minor, currency))
}

/// A call that acts on an authorization, whose reference carries the token.
fn later(key: &AttemptId, authorization: &Word, word: &str, asked: bool) -> Outcome {
    let script = authorization.as_str().split_once('.').map_or("", |(_, script)| script);
    match script.strip_prefix(word) {
        Some("unknown") => Outcome::Unknown,
        Some("timeout" | "lost") if !asked => Outcome::Unknown,
        Some("lost") => declined("not_received"),
        Some("declined") => declined("insufficient_funds"),
        Some("fault") => declined("processing_error"),
        Some(_) | None => approved(key, "", None),
    }
}

/// The number of a try among those of its order: each payment of it, each attempt of that.
fn tries(key: &AttemptId) -> Option<u16> {
    let (payment, attempt) = key.place()?;
    let (_, number) = payment.place()?;
    Some(u16::from(number).saturating_sub(1).saturating_add(attempt))
}

/// The attempt and the script: up to 42 characters, a dot, and as much as a reference holds.
fn named(key: &AttemptId, script: &str) -> Option<Word> {
    let script: String = script.chars().take(63_usize.saturating_sub(key.as_str().len())).collect();
    let text = if script.is_empty() { key.to_string() } else { format!("{key}.{script}") };
    text.parse().ok()
}

fn with(key: &AttemptId, script: &str, outcome: impl FnOnce(Word) -> Outcome) -> Outcome {
    named(key, script).map_or(Outcome::Unknown, outcome)
}

fn approved(key: &AttemptId, script: &str, expires_at: Option<Timestamp>) -> Outcome {
    with(key, script, |reference| Outcome::Approved { reference, expires_at })
}

fn declined(code: &str) -> Outcome {
    match code.parse() {
        Ok(code) => Outcome::Declined { decline: Decline::of(code) },
        Err(_) => Outcome::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::id::{OrderId, PaymentId};

    fn sandbox() -> Sandbox {
        let clock = Clock::manual("2026-03-02T09:00:00Z".parse().unwrap());
        Sandbox { clock, secret: Some("whsec_c2VjcmV0".into()), single: false }
    }

    fn key(number: u16) -> AttemptId {
        AttemptId::of(&PaymentId::of(&OrderId::from_bits(7), 1), number)
    }

    fn authorize(token: &str) -> Request {
        Request::Authorize {
            key: key(1),
            order: OrderId::from_bits(7),
            method: Method::Card,
            token: Some(token.parse().unwrap()),
            amount: Money::new(10_00, "EUR".parse().unwrap()),
            off_session: false,
            capture: false,
        }
    }

    fn said(outcome: &Outcome) -> String {
        match outcome {
            Outcome::Unknown => "unknown".to_owned(),
            Outcome::RequiresAction { url, .. } => format!("action {url}"),
            Outcome::Promised { .. } => "promised".to_owned(),
            Outcome::Approved { expires_at: Some(ends), .. } => format!("approved until {ends}"),
            Outcome::Approved { .. } => "approved".to_owned(),
            Outcome::Captured { amount, .. } => format!("captured {amount}"),
            Outcome::Declined { decline } => format!("declined {}", decline.code),
            Outcome::Lapsed => "lapsed".to_owned(),
        }
    }

    fn ask(about: Request) -> Request {
        Request::Ask { reference: None, about: Box::new(about), called: sandbox().clock.now() }
    }

    #[test]
    fn the_token_says_what_happens() {
        let week = "approved until 2026-03-09T09:00:00Z";
        for (token, answer, later) in [
            ("tok_approved", week, week),
            ("tok_wallet", week, week),
            ("tok_bnpl", week, week),
            ("tok_hours_36", "approved until 2026-03-03T21:00:00Z", "approved until 2026-03-03T21:00:00Z"),
            ("tok_paid", "captured 10.00 EUR", "captured 10.00 EUR"),
            ("tok_voucher_1000", "approved", "approved"),
            ("tok_voucher_999", "declined insufficient_funds", "declined insufficient_funds"),
            ("tok_transfer", "promised", "promised"),
            ("tok_declined_stolen_card", "declined stolen_card", "declined stolen_card"),
            ("tok_timeout_approved", "unknown", week),
            ("tok_timeout_declined", "unknown", "declined insufficient_funds"),
            ("tok_timeout_lost", "unknown", "declined not_received"),
            ("tok_unknown", "unknown", "unknown"),
            ("tok_capture_declined", week, week),
            ("tok_fails_1_do_not_honor", "declined do_not_honor", "declined do_not_honor"),
            ("tok_fails_0_do_not_honor", week, week),
            ("tok_fails_often", "declined no_such_token", "declined no_such_token"),
            ("tok_away_declined_lost_card", week, week),
            ("tok_of_nobody", "declined no_such_token", "declined no_such_token"),
            ("pm_card_visa", "declined no_such_token", "declined no_such_token"),
        ] {
            assert_eq!(said(&sandbox().call(&authorize(token))), answer, "{token}");
            assert_eq!(said(&sandbox().call(&ask(authorize(token)))), later, "{token}, asked");
        }
        let confirm = format!("action https://sandbox.example/confirm/{}", key(1));
        for token in ["tok_action", "tok_action_void_unknown"] {
            assert_eq!(said(&sandbox().call(&authorize(token))), confirm, "{token}");
        }
    }

    #[test]
    fn money_is_taken_along_where_it_is_asked_for_and_some_tokens_mind_who_is_there() {
        let with = |token: &str, off_session, capture| {
            said(&sandbox().call(&Request::Authorize {
                key: key(1),
                order: OrderId::from_bits(7),
                method: Method::Card,
                token: Some(token.parse().unwrap()),
                amount: Money::new(10_00, "EUR".parse().unwrap()),
                off_session,
                capture,
            }))
        };
        assert_eq!(with("tok_approved", true, true), "captured 10.00 EUR");
        assert_eq!(with("tok_away_declined_lost_card", true, true), "declined lost_card");
        assert_eq!(with("tok_away_declined_lost_card", false, true), "captured 10.00 EUR");
        assert_eq!(with("tok_timeout_approved", true, true), "unknown");
    }

    #[test]
    fn a_later_call_ends_as_the_token_of_its_authorization_says() {
        for (token, answer, later) in [
            ("tok_approved", "approved", "approved"),
            ("tok_capture_declined", "declined insufficient_funds", "declined insufficient_funds"),
            ("tok_capture_fault", "declined processing_error", "declined processing_error"),
            ("tok_capture_timeout", "unknown", "approved"),
            ("tok_capture_lost", "unknown", "declined not_received"),
            ("tok_capture_unknown", "unknown", "unknown"),
            ("tok_refund_declined", "approved", "approved"),
        ] {
            let Outcome::Approved { reference, .. } = sandbox().call(&authorize(token)) else {
                panic!("{token}")
            };
            let amount = Money::new(4_00, "EUR".parse().unwrap());
            let capture = Request::Capture { key: key(2), authorization: reference, amount, last: false };
            assert_eq!(said(&sandbox().call(&capture)), answer, "{token}");
            assert_eq!(said(&sandbox().call(&ask(capture))), later, "{token}, asked");
        }
    }

    #[test]
    fn a_notice_that_is_signed_is_read_and_any_other_refused() {
        let notice = Notice {
            marketplace: MarketplaceId::from_bits(1),
            attempt: key(1),
            outcome: Outcome::Captured {
                reference: "r".parse().unwrap(),
                amount: Money::new(5, "EUR".parse().unwrap()),
            },
        };
        let now: Timestamp = "2026-11-25T21:00:00Z".parse().unwrap();
        let (body, headers) = Sandbox::notice("whsec_c2VjcmV0", &notice, "msg_1", now);
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        assert_eq!(sandbox().read_notice(&headers, body.as_bytes(), now), Ok(vec![notice]));
        assert!(sandbox().read_notice(&headers, b"{}", now).is_err());
        let silent = Sandbox { secret: None, ..sandbox() };
        assert_eq!(silent.read_notice(&headers, body.as_bytes(), now), Err(NotANotice::NoSecret));
    }
}
