//! API Gateway's HTTP API: a request becomes an event of format 2.0, its answer a response.
//!
//! Owns routing, cross-origin rules and the gateway's own refusals. Absent on purpose: authorizers,
//! throttling and stages other than `$default`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use serde_json::{Map, Value, json};

use super::meter::pieces_of;
use super::template::{ACCOUNT, Cors, REGION, Route};
use super::{Cloud, Inner, routes};

/// API Gateway takes no larger body.
pub(super) const BODY_LIMIT: usize = 10 * 1_024 * 1_024;
/// API Gateway waits no longer for a function.
const PATIENCE: Duration = Duration::from_secs(30);

impl Cloud {
    /// Answers a request as the deployed API would.
    pub async fn http(&self, request: Request<Bytes>) -> Response<Bytes> {
        self.inner.http(request).await
    }
}

impl Inner {
    async fn http(&self, request: Request<Bytes>) -> Response<Bytes> {
        let cors = self.template.cors.as_ref();
        if let Some(shown) = self.shown(&request).await {
            return shown;
        }
        let origin = request.headers().get("origin").cloned();
        if let (Some(cors), Some(origin), &Method::OPTIONS) = (cors, &origin, request.method()) {
            return preflight(cors, origin);
        }
        let mut response =
            if request.body().len() > BODY_LIMIT { too_large() } else { self.route(request).await };
        if let (Some(cors), Some(origin)) = (cors, &origin) {
            share(cors, origin, response.headers_mut());
        }
        response
    }

    async fn route(&self, request: Request<Bytes>) -> Response<Bytes> {
        let (method, path) = (request.method().as_str(), request.uri().path());
        let Some((route, variables)) = routes::find(&self.template.routes, method, path) else {
            return plain(StatusCode::NOT_FOUND, "Not Found");
        };
        let event = self.event(route, variables, &request);
        let sent = request.body().len();
        let patience = self.patience(&route.function, PATIENCE);
        let Ok(answer) = tokio::time::timeout(patience, self.invoke(&route.function, event)).await else {
            return plain(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable");
        };
        let response = match answer {
            Ok(answer) => response(&answer).unwrap_or_else(|| {
                tracing::error!(function = route.function, "the answer is no response");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }),
            Err(error) => {
                tracing::error!(function = route.function, error, "the invocation failed");
                plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
        };
        let answered = response.body().len();
        self.meter.uses(&route.function, |used| {
            used.requests = used.requests.saturating_add(pieces_of(512, sent.saturating_add(answered)));
            used.answered = used.answered.saturating_add(u64::try_from(answered).unwrap_or_default());
        });
        response
    }

    fn event(&self, route: &Route, variables: BTreeMap<String, String>, request: &Request<Bytes>) -> Value {
        let now = self.time.now();
        let query = request.uri().query().unwrap_or_default();
        let headers = joined(request.headers());
        let (body, encoded) = body(request);
        let path = request.uri().path();
        let mut event = json!({
            "version": "2.0",
            "routeKey": route.key,
            "rawPath": path,
            "rawQueryString": query,
            "headers": headers,
            "requestContext": {
                "accountId": ACCOUNT,
                "apiId": "souk",
                "domainName": format!("souk.execute-api.{REGION}.amazonaws.com"),
                "domainPrefix": "souk",
                "http": {
                    "method": request.method().as_str(),
                    "path": path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": "127.0.0.1",
                    "userAgent": headers.get("user-agent").cloned().unwrap_or_else(|| json!("")),
                },
                "requestId": self.next_id(),
                "routeKey": route.key,
                "stage": "$default",
                "time": now.strftime("%d/%b/%Y:%H:%M:%S %z").to_string(),
                "timeEpoch": now.as_millisecond(),
            },
            "isBase64Encoded": encoded,
        });
        let cookies: Vec<&str> = request
            .headers()
            .get_all("cookie")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split("; "))
            .collect();
        let variables: Map<String, Value> =
            variables.into_iter().map(|(name, value)| (name, decoded(&value, false).into())).collect();
        let members = [
            ("cookies", (!cookies.is_empty()).then(|| json!(cookies))),
            ("queryStringParameters", (!query.is_empty()).then(|| Value::Object(parameters(query)))),
            ("pathParameters", (!variables.is_empty()).then_some(Value::Object(variables))),
            ("body", body.map(Value::String)),
        ];
        if let Some(event) = event.as_object_mut() {
            event.extend(members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
        }
        event
    }
}

/// Headers in lower case, repeated ones joined by a comma; cookies have a member of their own.
fn joined(headers: &HeaderMap) -> Map<String, Value> {
    let mut all: BTreeMap<&str, String> = BTreeMap::new();
    for (name, value) in headers.iter().filter(|(name, _)| *name != "cookie") {
        let value = String::from_utf8_lossy(value.as_bytes());
        all.entry(name.as_str())
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.clone().into_owned());
    }
    all.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The query's parameters, repeated ones joined by a comma.
fn parameters(query: &str) -> Map<String, Value> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = decoded(value, true);
        all.entry(decoded(name, true))
            .and_modify(|known| {
                known.push(',');
                known.push_str(&value);
            })
            .or_insert_with(|| value.clone());
    }
    all.into_iter().map(|(name, value)| (name, value.into())).collect()
}

/// Text without its percent encoding; in a query a plus is a space.
pub(super) fn decoded(text: &str, query: bool) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|pair| std::str::from_utf8(pair).ok());
        match (first, hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
                continue;
            }
            (b'+', _) if query => bytes.push(b' '),
            (other, _) => bytes.push(*other),
        }
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The body as text where its type says text, else in base 64.
fn body(request: &Request<Bytes>) -> (Option<String>, bool) {
    if request.body().is_empty() {
        return (None, false);
    }
    let kind =
        request.headers().get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let text = kind.starts_with("text/")
        || kind.ends_with("+json")
        || kind.ends_with("+xml")
        || ["application/json", "application/javascript", "application/xml"].contains(&kind.as_str());
    match std::str::from_utf8(request.body()) {
        Ok(body) if text => (Some(body.to_owned()), false),
        _ => (Some(aws_smithy_types::base64::encode(request.body())), true),
    }
}

/// What a function answered; `None` if the gateway would not understand it.
fn response(answer: &Value) -> Option<Response<Bytes>> {
    let Some(status) = answer.get("statusCode") else {
        // Anything without a status is a body of its own, as the format has it.
        let body = answer.as_str().map_or_else(|| answer.to_string(), str::to_owned);
        return Some(json_response(StatusCode::OK, body));
    };
    let status = StatusCode::from_u16(u16::try_from(status.as_u64()?).ok()?).ok()?;
    let body = match answer.get("body") {
        None | Some(Value::Null) => Bytes::new(),
        Some(Value::String(text)) if answer.get("isBase64Encoded") == Some(&Value::Bool(true)) => {
            Bytes::from(aws_smithy_types::base64::decode(text).ok()?)
        }
        Some(Value::String(text)) => Bytes::from(text.clone()),
        Some(_) => return None,
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = answer.get("headers").and_then(Value::as_object).into_iter().flatten();
    for (name, value) in headers {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let name = HeaderName::try_from(name.as_str()).ok()?;
        response.headers_mut().insert(name, HeaderValue::from_str(&text).ok()?);
    }
    for cookie in answer.get("cookies").and_then(Value::as_array).into_iter().flatten() {
        response.headers_mut().append("set-cookie", HeaderValue::from_str(cookie.as_str()?).ok()?);
    }
    Some(response)
}

fn json_response(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

/// The gateway's own refusals.
fn plain(status: StatusCode, message: &str) -> Response<Bytes> {
    json_response(status, json!({ "message": message }).to_string())
}

pub(super) fn too_large() -> Response<Bytes> {
    let problem = json!({
        "type": "/problems/body-too-large",
        "title": "The body is too large",
        "status": 413,
        "code": "body_too_large",
        "detail": "A request's body has at most 10 MB.",
    });
    let mut response = json_response(StatusCode::PAYLOAD_TOO_LARGE, problem.to_string());
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/problem+json"));
    response
}

/// The gateway answers a preflight itself, even where a route would take it.
pub(super) fn preflight(cors: &Cors, origin: &HeaderValue) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    share(cors, origin, headers);
    if headers.contains_key("access-control-allow-origin") {
        let age = cors.max_age.map(|seconds| seconds.to_string());
        set(headers, "access-control-allow-methods", &cors.methods.join(","));
        set(headers, "access-control-allow-headers", &cors.headers.join(","));
        set(headers, "access-control-max-age", &age.unwrap_or_default());
    }
    response
}

/// The headers of the configuration instead of the function's own, as the gateway does it.
pub(super) fn share(cors: &Cors, origin: &HeaderValue, headers: &mut HeaderMap) {
    let own: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with("access-control-")).cloned().collect();
    own.iter().for_each(|name| {
        headers.remove(name);
    });
    if !knows(cors, origin) {
        return;
    }
    let text = origin.to_str().unwrap_or_default();
    let any = cors.origins.iter().any(|allowed| allowed == "*");
    set(headers, "access-control-allow-origin", if any && !cors.credentials { "*" } else { text });
    set(headers, "access-control-allow-credentials", if cors.credentials { "true" } else { "" });
    set(headers, "access-control-expose-headers", &cors.exposed.join(","));
    if !any {
        headers.append("vary", HeaderValue::from_static("Origin"));
    }
}

/// Whether the rules allow the origin.
pub(super) fn knows(cors: &Cors, origin: &HeaderValue) -> bool {
    let origin = origin.to_str().unwrap_or_default();
    cors.origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))
}

fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let (false, Ok(value)) = (value.is_empty(), HeaderValue::from_str(value)) {
        headers.insert(HeaderName::from_static(name), value);
    }
}
