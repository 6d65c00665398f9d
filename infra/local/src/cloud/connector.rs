//! The seam: the HTTP connector of the SDK's clients, ending in this process.
//!
//! Everything that functions say to AWS passes [`Inner::aws`], so this is where faults can be put.

use std::sync::{Arc, Weak};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use aws_types::region::Region;
use aws_types::sdk_config::SharedCredentialsProvider;
use axum::body::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;

use super::meter::pieces;
use super::protocol::Answer;
use super::template::REGION;
use super::{Inner, Pace};

/// The key that the local S3 knows; any other client of the AWS side uses it too.
pub(super) const KEY: &str = "souk";

/// An address instead of a name makes S3 clients put the bucket into the path; presigned links work over TCP
/// as well.
pub(super) const ENDPOINT: &str = "http://127.0.0.1:8081";

pub(super) fn config(inner: &Arc<Inner>, label: &str) -> SdkConfig {
    let seam = Seam { inner: Arc::downgrade(inner), label: label.into() };
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .endpoint_url(ENDPOINT)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(KEY, KEY, None, None, "local")))
        .http_client(seam)
        // Nothing stalls within a process; watching for it costs on every call.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .build()
}

/// Weak, because the handlers that hold clients are held by the cloud.
#[derive(Clone)]
struct Seam {
    inner: Weak<Inner>,
    label: Arc<str>,
}

impl std::fmt::Debug for Seam {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Seam({})", self.label)
    }
}

impl HttpClient for Seam {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Seam {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let seam = self.clone();
        HttpConnectorFuture::new(async move {
            let inner =
                seam.inner.upgrade().ok_or_else(|| ConnectorError::io("the local cloud is closed".into()))?;
            let (parts, body) = request.try_into_http1x().map_err(user)?.into_parts();
            let body = body.collect().await.map_err(ConnectorError::io)?.to_bytes();
            // A network would make the caller wait. Without a wait a task keeps its thread until the runtime stops it,
            // some thirty requests later, and then stands behind everybody who does the same.
            if inner.pace == Pace::Parallel {
                tokio::task::yield_now().await;
            }
            let answer = inner.aws(&seam.label, Request::from_parts(parts, body)).await;
            HttpResponse::try_from(answer.map(SdkBody::from)).map_err(user)
        })
    }
}

fn user(error: impl std::error::Error + Send + Sync + 'static) -> ConnectorError {
    ConnectorError::user(Box::new(error))
}

/// The services of the local AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Dynamo,
    Sqs,
    Events,
    Objects,
    Mail,
}

/// The service, told by the scope of the signature, else by the operation's prefix; S3 is what has neither.
fn service(headers: &HeaderMap, target: Option<&str>) -> Service {
    let authorization =
        headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let scope = authorization.split_once("Credential=").and_then(|(_, rest)| rest.split([',', ' ']).next());
    let name = scope.and_then(|scope| scope.split('/').nth(3));
    let prefix = target.and_then(|target| target.split('.').next()).unwrap_or_default();
    match name {
        Some("dynamodb") => Service::Dynamo,
        Some("sqs") => Service::Sqs,
        Some("events") => Service::Events,
        Some("s3") => Service::Objects,
        Some("ses") => Service::Mail,
        Some(_) | None => match prefix {
            "AmazonSQS" => Service::Sqs,
            "AWSEvents" => Service::Events,
            prefix if prefix.starts_with("DynamoDB") => Service::Dynamo,
            _ => Service::Objects,
        },
    }
}

impl Inner {
    /// Answers one request to AWS.
    pub(super) async fn aws(self: &Arc<Self>, label: &str, request: Request<Bytes>) -> Response<Bytes> {
        let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
        let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or_default();
        let service = service(request.headers(), target);
        self.count(label, service, &request);
        let answer = match service {
            Service::Dynamo => {
                let answer = self.dynamo.answer(operation, request.body(), label);
                if super::dynamo::writes(operation) {
                    self.wrote(request.body());
                }
                answer
            }
            Service::Sqs => self.sqs(operation, request.body()).await.unwrap_or_else(failed),
            Service::Events => self.events(operation, request.body(), label).unwrap_or_else(failed),
            Service::Mail => self.mail(&request),
            Service::Objects => return self.objects(request).await,
        };
        respond(answer, &self.next_id())
    }

    /// What the call itself costs; units of the table and events on the bus are counted where they are known.
    fn count(&self, label: &str, service: Service, request: &Request<Bytes>) {
        let one = |count: &mut u64| *count = count.saturating_add(1);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        self.meter.uses(label, |used| {
            one(&mut used.calls);
            match service {
                Service::Dynamo | Service::Events => {}
                Service::Sqs => used.queue = used.queue.saturating_add(pieces(request.body().len())),
                Service::Mail => one(&mut used.mails),
                Service::Objects if reads => one(&mut used.gets),
                Service::Objects => one(&mut used.puts),
            }
        });
    }
}

fn failed(error: super::StoreError) -> Answer {
    tracing::error!(error = &error as &dyn std::error::Error, "the local cloud cannot answer");
    Answer::error(500, "InternalFailure", "The local cloud's store failed.")
}

fn respond(answer: Answer, id: &str) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("content-type", HeaderValue::from_static("application/x-amz-json-1.0"));
    for (name, value) in
        [("x-amzn-requestid", Some(id)), ("x-amzn-query-error", answer.query_error.as_deref())]
    {
        if let Some(Ok(value)) = value.map(HeaderValue::from_str) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
