//! A small text from an address: an issuer's public keys, the local cloud's clock. The one HTTP client in a function.

use std::time::Duration;

/// Nobody's request waits longer for somebody else's text.
const PATIENCE: Duration = Duration::from_secs(5);

/// The text was not to be had.
#[derive(Debug, thiserror::Error)]
#[error("{address} cannot be read")]
pub struct Unread {
    address: String,
    source: reqwest::Error,
}

/// Reads it. The client is made for the call: a function that is asked with API keys only never makes one.
pub async fn text(address: &str) -> Result<String, Unread> {
    let read = async {
        let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
        client.get(address).send().await?.error_for_status()?.text().await
    };
    read.await.map_err(|source| Unread { address: address.to_owned(), source })
}
