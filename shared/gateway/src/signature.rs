//! Signatures over the raw bytes of a notice, HMAC-SHA256: as Standard Webhooks has it, and as Stripe has it.
//!
//! Compared in constant time; the moment that is signed along may be five minutes away from real time, either way.

use crate::NotANotice;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use edge::signed;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

/// How far the sender's clock may be away, and how long a notice may travel.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<&'a str, NotANotice> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.ok_or(NotANotice::Unproven("a header of the signature is missing"))
}

fn fresh(seconds: &str, now: Timestamp) -> Result<(), NotANotice> {
    let at = seconds.parse().ok().and_then(|seconds: i64| Timestamp::from_second(seconds).ok());
    let at = at.ok_or(NotANotice::Unproven("it names no moment"))?;
    if at.duration_since(now).abs() > TOLERANCE {
        return Err(NotANotice::Unproven("it was signed more than five minutes from now"));
    }
    Ok(())
}

/// The headers of a Standard Webhooks message.
pub fn standard(secret: &str, id: &str, at: Timestamp, body: &[u8]) -> [(&'static str, String); 3] {
    signed::headers(&[secret], id, at, body)
}

/// Whether a Standard Webhooks message is signed with the secret; one of several signatures is enough.
pub fn holds_standard(
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), NotANotice> {
    let (id, seconds) = (header(headers, "webhook-id")?, header(headers, "webhook-timestamp")?);
    fresh(seconds, now)?;
    let (key, signed) = (signed::key(secret), signed::content(id, seconds, body));
    let given = header(headers, "webhook-signature")?.split(' ');
    let tags = given.filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
    any_holds(&key, &signed, tags)
}

/// The value of Stripe's header `Stripe-Signature`.
pub fn stripe(secret: &str, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second().to_string();
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, &[seconds.as_bytes(), b".", body].concat());
    let hex: String = tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// Whether `Stripe-Signature` holds: `t=<seconds>,v1=<hex>`, several `v1` while a secret is changed.
pub fn holds_stripe(
    secret: &str,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), NotANotice> {
    let given = header(headers, "stripe-signature")?;
    let named = |name: &'static str| given.split(',').filter_map(move |pair| pair.trim().strip_prefix(name));
    let seconds = named("t=").next().ok_or(NotANotice::Unproven("it names no moment"))?;
    fresh(seconds, now)?;
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    any_holds(&key, &[seconds.as_bytes(), b".", body].concat(), named("v1=").filter_map(hex))
}

fn any_holds(
    key: &hmac::Key,
    signed: &[u8],
    mut tags: impl Iterator<Item = Vec<u8>>,
) -> Result<(), NotANotice> {
    match tags.any(|tag| hmac::verify(key, signed, &tag).is_ok()) {
        true => Ok(()),
        false => Err(NotANotice::Unproven("no signature is that of its body")),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let byte = |at: usize| u8::from_str_radix(text.get(at..at.checked_add(2)?)?, 16).ok();
    (0..text.len()).step_by(2).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn headers(of: &[(&'static str, String)]) -> HeaderMap {
        of.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn by_stripe(secret: &str, body: &[u8]) -> HeaderMap {
        headers(&[("stripe-signature", stripe(secret, at(0), body))])
    }

    /// The example of the Standard Webhooks specification, published with its libraries.
    #[test]
    fn a_message_is_signed_as_standard_webhooks_has_it() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let at = Timestamp::from_second(1_614_265_330).unwrap();
        let body = br#"{"test": 2432232314}"#;
        let [_, _, (_, signature)] = standard(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, body);
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn only_the_very_body_with_the_very_secret_holds() {
        let (secret, body) = ("whsec_c2VjcmV0", b"{\"a\": 1}".as_slice());
        let good = headers(&standard(secret, "msg_1", at(0), body));
        assert_eq!(holds_standard(secret, &good, body, at(0)), Ok(()));
        let unproven = Err(NotANotice::Unproven("no signature is that of its body"));
        assert_eq!(holds_standard(secret, &good, b"{\"a\":1}", at(0)), unproven);
        assert_eq!(holds_standard("whsec_b3RoZXI=", &good, body, at(0)), unproven);
        let mut other = good.clone();
        other.insert("webhook-id", "msg_2".parse().unwrap());
        assert_eq!(holds_standard(secret, &other, body, at(0)), unproven);
        other.remove("webhook-id");
        assert!(holds_standard(secret, &other, body, at(0)).is_err());
        assert_eq!(holds_stripe("whsec_x", &by_stripe("whsec_x", body), body, at(0)), Ok(()));
        assert_eq!(holds_stripe("whsec_y", &by_stripe("whsec_x", body), body, at(0)), unproven);
        assert_eq!(holds_stripe("whsec_x", &by_stripe("whsec_x", b"other"), body, at(0)), unproven);
    }

    #[test]
    fn while_a_secret_is_changed_one_of_two_signatures_is_enough() {
        let body = b"{}".as_slice();
        let [(_, id), (_, seconds), (_, old)] = standard("whsec_b2xk", "msg_1", at(0), body);
        let [_, _, (_, new)] = standard("whsec_bmV3", "msg_1", at(0), body);
        let both = headers(&[
            ("webhook-id", id),
            ("webhook-timestamp", seconds),
            ("webhook-signature", format!("{old} v2,eA== {new}")),
        ]);
        for secret in ["whsec_b2xk", "whsec_bmV3"] {
            assert_eq!(holds_standard(secret, &both, body, at(0)), Ok(()));
        }
        let twice = format!("{},v1={}", stripe("old", at(0), body), &stripe("new", at(0), body)[16..]);
        let twice = headers(&[("stripe-signature", twice)]);
        assert_eq!(holds_stripe("new", &twice, body, at(0)), Ok(()));
    }

    #[test]
    fn a_clock_may_be_five_minutes_off_and_no_more() {
        let body = b"{}".as_slice();
        let good = headers(&standard("s", "msg_1", at(0), body));
        for (off, fine) in [(0, true), (300, true), (-300, true), (301, false), (-301, false)] {
            assert_eq!(holds_standard("s", &good, body, at(off)).is_ok(), fine, "{off}");
            assert_eq!(holds_stripe("s", &by_stripe("s", body), body, at(off)).is_ok(), fine, "{off}");
        }
        let odd = headers(&[("stripe-signature", "t=soon,v1=00".to_owned())]);
        assert!(holds_stripe("s", &odd, body, at(0)).is_err());
    }
}
