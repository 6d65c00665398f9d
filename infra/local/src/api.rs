//! Calls through the front door: the same HTTP API that a storefront calls, without a socket.

use crate::cloud::Cloud;
use http::{Method, Request, StatusCode};
use serde_json::Value;

/// A client of the local API with one principal.
#[derive(Debug, Clone)]
pub struct Api {
    cloud: Cloud,
    bearer: String,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Answer {
    /// What it is an answer to: method and path.
    pub asked: String,
    pub status: StatusCode,
    pub headers: http::HeaderMap,
    pub body: Value,
}

impl Answer {
    /// A text in the body, by JSON pointer; empty if it is not there.
    pub fn text(&self, pointer: &str) -> &str {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// The body of a success, or what the API said instead.
    pub fn ok(self) -> Result<Value, Refusal> {
        if self.status.is_success() {
            Ok(self.body)
        } else {
            Err(Refusal { asked: self.asked, status: self.status, body: self.body })
        }
    }
}

/// The API refused what a command needs.
#[derive(Debug, thiserror::Error)]
#[error("the API answered {status} to {asked}: {body}")]
pub struct Refusal {
    pub asked: String,
    pub status: StatusCode,
    pub body: Value,
}

impl Api {
    /// With a token, an API key or a publishable key.
    pub fn new(cloud: &Cloud, bearer: impl Into<String>) -> Self {
        Self { cloud: cloud.clone(), bearer: bearer.into() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, "").await
    }

    /// `key` is the idempotency key; empty sends none.
    pub async fn post(&self, path: &str, body: &Value, key: &str) -> Answer {
        self.send(Method::POST, path, Some(body.to_string()), key).await
    }

    /// Any request, for what is not well-formed too.
    pub async fn send(&self, method: Method, path: &str, body: Option<String>, key: &str) -> Answer {
        let key = Some(("idempotency-key", key)).filter(|(_, key)| !key.is_empty());
        self.send_with(method, path, &body.unwrap_or_default(), key.as_slice()).await
    }

    /// The same with any headers.
    pub async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let asked = format!("{method} {path}");
        let mut request = Request::builder().method(method).uri(path).header("host", "127.0.0.1:8080");
        if self.bearer.starts_with("pk_") {
            request = request.header("souk-key", &self.bearer);
        } else if !self.bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {}", self.bearer));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header("content-type", "application/json");
        let request = match request.body(body.to_owned().into()) {
            Ok(request) => request,
            Err(error) => {
                let (status, body) = (StatusCode::BAD_REQUEST, Value::String(error.to_string()));
                return Answer { asked, status, headers: http::HeaderMap::new(), body };
            }
        };
        let (parts, body) = self.cloud.http(request).await.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Answer { asked, status: parts.status, headers: parts.headers, body }
    }
}
