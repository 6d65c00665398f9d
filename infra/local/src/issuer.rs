//! The development issuer: signs tokens for people of the local marketplace. Its key never leaves the data folder.

use aws_lc_rs::signature::Ed25519KeyPair;
use jiff::SignedDuration;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::json;
use std::path::Path;

/// What its tokens say of where they come from, and for whom they are.
pub const ISSUER: &str = "http://127.0.0.1:8080/dev-issuer";
pub const AUDIENCE: &str = "souk";
/// The path of its public keys, at the API's own address.
pub const JWKS_PATH: &str = "/dev-issuer/jwks.json";
const KEY_ID: &str = "local";

/// Where its public keys are.
pub fn jwks_uri() -> String {
    format!("{ISSUER}/jwks.json")
}

/// The issuer with its key pair.
#[derive(Clone)]
pub struct Issuer {
    key: EncodingKey,
    jwks: String,
}

impl std::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Issuer")
    }
}

/// The key pair could not be made, kept or read.
#[derive(Debug, thiserror::Error)]
#[error("the key pair cannot be made or read: {0}")]
pub struct NoKey(String);

impl Issuer {
    /// Reads the key pair at `path`, or makes one there.
    pub fn open(path: &Path) -> Result<Self, NoKey> {
        let told = |error: &dyn std::fmt::Display| NoKey(format!("{}: {error}", path.display()));
        let der = match std::fs::read(path) {
            Ok(der) => der,
            Err(_) => {
                let made = Ed25519KeyPair::generate().map_err(|error| told(&error))?;
                let der = made.to_pkcs8v1().map_err(|error| told(&error))?;
                std::fs::write(path, der.as_ref()).map_err(|error| told(&error))?;
                der.as_ref().to_vec()
            }
        };
        let key = EncodingKey::from_ed_der(&der);
        let mut jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(|error| told(&error))?;
        jwk.common.key_id = Some(KEY_ID.to_owned());
        let jwks = serde_json::to_string(&JwkSet { keys: vec![jwk] }).map_err(|error| told(&error))?;
        Ok(Self { key, jwks })
    }

    pub fn jwks_uri(&self) -> String {
        jwks_uri()
    }

    /// The public keys as a JWK set.
    pub fn jwks(&self) -> String {
        self.jwks.clone()
    }

    /// A token for `subject`, good for so long by the system's clock.
    pub fn token(&self, subject: &str, lifetime: SignedDuration) -> Result<String, NoKey> {
        self.token_of(ISSUER, AUDIENCE, subject, lifetime)
    }

    /// A token with other words in it than an honest issuer would write: for tests of what is refused.
    pub fn token_of(
        &self,
        issuer: &str,
        audience: &str,
        subject: &str,
        lifetime: SignedDuration,
    ) -> Result<String, NoKey> {
        let header = Header { kid: Some(KEY_ID.to_owned()), ..Header::new(Algorithm::EdDSA) };
        // Expiry is checked against real time, whatever the local clock says.
        let now = edge::Clock::System.now();
        let expires = now.saturating_add(lifetime).unwrap_or(now);
        let claims = json!({
            "iss": issuer,
            "aud": audience,
            "sub": subject,
            "iat": now.as_second(),
            "exp": expires.as_second(),
        });
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|error| NoKey(error.to_string()))
    }
}
