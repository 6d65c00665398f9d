//! Messages that prove their sender over their raw bytes, as Standard Webhooks has it: HMAC-SHA256 of
//! `<id>.<seconds>.<body>`.
//!
//! A secret is `whsec_` and Base64. While one is changed, two sign: their signatures stand beside each other in one
//! header, and whoever knows one of the secrets is content.

use crate::world::{NoSecret, World};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

/// A fresh secret: 256 random bits.
pub fn secret(world: &World) -> Result<String, NoSecret> {
    Ok(format!("whsec_{}", STANDARD.encode(world.random::<32>()?)))
}

/// The key of a secret: what follows `whsec_` is Base64, anything else is taken as it is.
pub fn key(secret: &str) -> hmac::Key {
    let decoded = secret.strip_prefix("whsec_").and_then(|text| STANDARD.decode(text).ok());
    let bytes = decoded.unwrap_or_else(|| secret.as_bytes().to_vec());
    hmac::Key::new(hmac::HMAC_SHA256, &bytes)
}

/// What is signed.
pub fn content(id: &str, seconds: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", seconds.as_bytes(), b".", body].concat()
}

/// The headers of a message, signed with each of the secrets.
pub fn headers(secrets: &[&str], id: &str, at: Timestamp, body: &[u8]) -> [(&'static str, String); 3] {
    let seconds = at.as_second().to_string();
    let content = content(id, &seconds, body);
    let sign = |secret: &&str| format!("v1,{}", STANDARD.encode(hmac::sign(&key(secret), &content)));
    let signatures: Vec<String> = secrets.iter().map(sign).collect();
    [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds),
        ("webhook-signature", signatures.join(" ")),
    ]
}
