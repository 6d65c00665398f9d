//! The cloud over TCP: the API for browsers, the AWS side for the CLI and for watched functions.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use serde_json::json;
use tokio::net::TcpListener;

use super::template::{Bucket, Cors};
use super::{Cloud, CloudError, gateway};

/// The largest body of the AWS side; DynamoDB's own limit.
const AWS_LIMIT: usize = 16 * 1_024 * 1_024;
/// Of a file; S3 itself takes 5 GB at once.
const FILE_LIMIT: usize = 256 * 1_024 * 1_024;

impl Cloud {
    /// Serves the HTTP API until the task ends. `beside` are routes of whoever runs the cloud, which are no part of
    /// the API.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve_api(&self, listener: TcpListener, beside: Router) -> Result<(), CloudError> {
        let router = Router::new().fallback(api).with_state(self.clone());
        axum::serve(listener, beside.merge(router)).await.map_err(CloudError::Listener)
    }

    /// Serves the AWS side until the task ends; the service is told by the signature's scope. `control` are routes
    /// of whoever runs the cloud, which no service has.
    ///
    /// # Errors
    /// If the listener fails.
    pub async fn serve_aws(&self, listener: TcpListener, control: Router) -> Result<(), CloudError> {
        let router = Router::new().fallback(aws).with_state(self.clone());
        axum::serve(listener, control.merge(router)).await.map_err(CloudError::Listener)
    }
}

async fn api(State(cloud): State<Cloud>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, gateway::BODY_LIMIT).collect().await else {
        return gateway::too_large().map(Body::from);
    };
    cloud.http(Request::from_parts(parts, body.to_bytes())).await.map(Body::from)
}

async fn aws(State(cloud): State<Cloud>, request: Request<Body>) -> Response<Body> {
    if request.method() == Method::GET && request.uri().path() == "/_souk/clock" {
        let now = json!({ "now": cloud.time().now().to_string() });
        return Response::new(Body::from(now.to_string()));
    }
    let (parts, body) = request.into_parts();
    let limit = if bucket(&cloud, &parts).is_some() { FILE_LIMIT } else { AWS_LIMIT };
    let Ok(body) = Limited::new(body, limit).collect().await else {
        let mut response = Response::new(Bytes::new());
        *response.status_mut() = StatusCode::PAYLOAD_TOO_LARGE;
        return response.map(Body::from);
    };
    let shared = shared(&cloud, &parts);
    if let (Some((cors, origin)), &Method::OPTIONS) = (&shared, &parts.method) {
        return gateway::preflight(cors, origin).map(Body::from);
    }
    let label = label(&parts.headers);
    let mut response = cloud.inner.aws(&label, Request::from_parts(parts, body.to_bytes())).await;
    if let Some((cors, origin)) = &shared {
        gateway::share(cors, origin, response.headers_mut());
    }
    response.map(Body::from)
}

/// The rules under which a browser may use the bucket in the path.
fn shared(cloud: &Cloud, parts: &Parts) -> Option<(Cors, HeaderValue)> {
    let origin = parts.headers.get("origin")?;
    let cors = bucket(cloud, parts)?.cors.iter().find(|cors| gateway::knows(cors, origin))?;
    Some((cors.clone(), origin.clone()))
}

/// The bucket in the path.
fn bucket<'a>(cloud: &'a Cloud, parts: &Parts) -> Option<&'a Bucket> {
    let name = parts.uri.path().trim_start_matches('/').split('/').next()?;
    cloud.template().buckets.iter().find(|bucket| bucket.name == name)
}

/// Who calls: a watched function says so in its user agent's application id.
fn label(headers: &http::HeaderMap) -> String {
    let agent = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let app = agent.split(' ').find_map(|part| part.strip_prefix("app/"));
    app.unwrap_or("(tcp)").to_owned()
}
