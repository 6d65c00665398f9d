//! S3: objects in a folder, one folder per bucket, and their events on the default bus.

use std::path::Path;
use std::sync::Arc;

use axum::body::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use s3s::auth::SimpleAuth;
use s3s::service::{S3Service, S3ServiceBuilder};
use serde_json::json;

use super::connector::KEY;
use super::template::{Bucket, Shown};
use super::{CloudError, Inner};

/// The served folder.
pub(super) struct Objects {
    service: S3Service,
    /// The same for whoever asks, for what distributions show.
    open: S3Service,
}

impl Objects {
    pub(super) fn open(folder: &Path, buckets: &[Bucket]) -> Result<Self, CloudError> {
        let unusable = |error| CloudError::Folder(folder.to_owned(), error);
        std::fs::create_dir_all(folder).map_err(unusable)?;
        for bucket in buckets {
            std::fs::create_dir_all(folder.join(&bucket.name)).map_err(unusable)?;
        }
        let files =
            || s3s_fs::FileSystem::new(folder).map_err(|error| CloudError::Objects(format!("{error:?}")));
        let mut builder = S3ServiceBuilder::new(files()?);
        builder.set_auth(SimpleAuth::from_single(KEY, KEY));
        Ok(Self { service: builder.build(), open: S3ServiceBuilder::new(files()?).build() })
    }
}

impl Inner {
    /// Answers one request to S3.
    pub(super) async fn objects(self: &Arc<Self>, mut request: Request<Bytes>) -> Response<Bytes> {
        let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
        if let Some(host) = authority.and_then(|authority| HeaderValue::from_str(&authority).ok()) {
            // A client without a socket leaves the host to the address, but signs it.
            request.headers_mut().entry("host").or_insert(host);
        }
        let created = created(&request);
        let size = request.body().len();
        let answer = match self.objects.service.call(request.map(s3s::Body::from)).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(error = ?error, "S3 cannot answer");
                return unavailable();
            }
        };
        let (parts, body) = answer.into_parts();
        let Ok(body) = body.collect().await else { return unavailable() };
        let response = Response::from_parts(parts, body.to_bytes());
        if let Some((bucket, key)) = created
            && response.status().is_success()
        {
            self.tell_created(&bucket, &key, size, &response);
        }
        response
    }

    /// What a distribution answers, where it shows this path: the file as its bucket has it.
    pub(super) async fn shown(&self, request: &Request<Bytes>) -> Option<Response<Bytes>> {
        let path = request.uri().path();
        let name = path.strip_prefix('/')?;
        let is_shown =
            |shown: &&Shown| self.template.fronts.contains(&shown.bucket) && name.starts_with(&shown.begins);
        let shown = self.template.shown.iter().find(is_shown)?;
        let climbs = super::gateway::decoded(name, false).split('/').any(|part| part == "..");
        if climbs || !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::FORBIDDEN;
            return Some(response);
        }
        let mut asked = Request::builder().method(request.method()).uri(format!("/{}{path}", shown.bucket));
        for known in ["range", "if-none-match", "if-modified-since"] {
            asked = match request.headers().get(known) {
                Some(value) => asked.header(known, value),
                None => asked,
            };
        }
        let asked = asked.header("host", "127.0.0.1").body(s3s::Body::from(Bytes::new())).ok()?;
        let answer = match self.objects.open.call(asked).await {
            Ok(answer) => answer,
            Err(error) => {
                tracing::error!(error = ?error, "what is shown cannot be fetched");
                return Some(unavailable());
            }
        };
        let (mut parts, body) = answer.into_parts();
        let Ok(body) = body.collect().await else { return Some(unavailable()) };
        parts.headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
        parts.headers.insert("access-control-allow-origin", HeaderValue::from_static("*"));
        Some(Response::from_parts(parts, body.to_bytes()))
    }

    fn tell_created(&self, bucket: &str, key: &str, size: usize, response: &Response<Bytes>) {
        if !self.template.buckets.iter().any(|known| known.notifies && known.name == bucket) {
            return;
        }
        let etag = response.headers().get("etag").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let detail = json!({
            "version": "0",
            "bucket": { "name": bucket },
            "object": {
                "key": key, "size": size, "etag": etag.trim_matches('"'), "sequencer": self.next_id(),
            },
            "request-id": self.next_id(),
            "requester": super::template::ACCOUNT,
            "reason": "PutObject",
        });
        if let Err(error) =
            self.announce("Object Created", "aws.s3", &format!("arn:aws:s3:::{bucket}"), &detail)
        {
            tracing::error!(error = &error as &dyn std::error::Error, "an object's event is lost");
        }
    }
}

/// The bucket and key that a plain upload creates.
fn created(request: &Request<Bytes>) -> Option<(String, String)> {
    let query = request.uri().query().unwrap_or_default();
    let part = query.split('&').any(|pair| {
        let name = pair.split('=').next().unwrap_or_default();
        matches!(name, "uploadId" | "partNumber" | "tagging" | "acl")
    });
    if request.method() != Method::PUT || part {
        return None;
    }
    let (bucket, key) = request.uri().path().strip_prefix('/')?.split_once('/')?;
    (!key.is_empty()).then(|| (bucket.to_owned(), super::gateway::decoded(key, false)))
}

fn unavailable() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    response
}
