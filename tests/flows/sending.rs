//! Files to signed addresses, over a socket, as a browser sends them.

use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use tests::{Shop, at};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where signed addresses of files lead.
const FILES: &str = "127.0.0.1:8081";

/// Sends a file to an address that was given for it; answers the status.
pub(crate) async fn send_file(shop: &Shop, to: &Value, bytes: &[u8]) -> u16 {
    let headers: BTreeMap<String, String> = serde_json::from_value(to["headers"].clone()).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!("{headers}Content-Length: {}\r\n", bytes.len());
    files(shop, "PUT", at(to, "/url"), &head, bytes).await.0
}

/// What lies at a signed address.
pub(crate) async fn fetch_file(shop: &Shop, url: &str) -> (u16, Vec<u8>) {
    files(shop, "GET", url, "", &[]).await
}

async fn files(shop: &Shop, method: &str, url: &str, head: &str, body: &[u8]) -> (u16, Vec<u8>) {
    let path = url.strip_prefix(&format!("http://{FILES}")).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let cloud = shop.market.cloud.clone();
    let served = tokio::spawn(async move { cloud.serve_aws(listener, axum::Router::new()).await });
    let mut browser = TcpStream::connect(address).await.unwrap();
    let request = format!("{method} {path} HTTP/1.1\r\nHost: {FILES}\r\nConnection: close\r\n{head}\r\n");
    browser.write_all(request.as_bytes()).await.unwrap();
    browser.write_all(body).await.unwrap();
    let mut said = Vec::new();
    browser.read_to_end(&mut said).await.unwrap();
    served.abort();
    let end = said.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&said[9..12]).parse().unwrap();
    (status, said[end + 4..].to_vec())
}

/// Every file below a folder.
pub(crate) fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => found.extend(walk(&path)),
            false => found.push(path.to_string_lossy().into_owned()),
        }
    }
    found
}
