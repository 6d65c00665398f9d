//! One signed call of an AWS service, for services of which a function needs a single operation: the SDK's crate for
//! each takes minutes to compile.
//!
//! Where the configuration brings an HTTP client of its own, as the local cloud's does, the call goes through that.
//! It is never tried again by itself: whoever calls knows what a second one would do.

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_types::SdkConfig;
use http::Request;
use std::time::{Duration, SystemTime};

pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Nobody waits longer for a service.
const PATIENCE: Duration = Duration::from_secs(10);

/// A POST of JSON.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// What the signature is scoped to: `ssm`.
    pub service: &'a str,
    /// What its host begins with, where that is another word.
    pub host: &'a str,
    pub path: &'a str,
    /// `application/x-amz-json-1.1` of the older services.
    pub kind: &'a str,
    /// The operation, where a header names it.
    pub target: Option<&'a str>,
}

/// What came back, whether it is good news or not.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    /// What bad news is called; empty where nothing names it.
    pub error: String,
    pub body: String,
}

/// Newer services name an error in this header, older ones in the body.
const ERROR: &str = "x-amzn-errortype";

impl Answer {
    fn of(status: u16, named: Option<&str>, body: String) -> Self {
        let told = || {
            let body: serde_json::Value = serde_json::from_str(&body).ok()?;
            body.get("__type")?.as_str().map(str::to_owned)
        };
        let named = named.map(str::to_owned).or_else(told).unwrap_or_default();
        // Some put a namespace before the name and an address behind it.
        let name = named.split(':').next().unwrap_or_default();
        let error = name.rsplit('#').next().unwrap_or_default().to_owned();
        Self { status, error, body }
    }
}

impl Call<'_> {
    /// An error means that nobody knows whether it arrived.
    pub async fn send(self, aws: &SdkConfig, body: String) -> Result<Answer, Error> {
        let request = self.signed(aws, body).await?;
        match aws.http_client() {
            Some(client) => through(client, request).await,
            None => over_the_net(request).await,
        }
    }

    async fn signed(self, aws: &SdkConfig, body: String) -> Result<Request<String>, Error> {
        let region = aws.region().ok_or("no region")?.as_ref().to_owned();
        let provider = aws.credentials_provider().ok_or("no credentials")?;
        let identity = provider.provide_credentials().await?.into();
        let host = format!("https://{}.{region}.amazonaws.com", self.host);
        let host = aws.endpoint_url().unwrap_or(&host).trim_end_matches('/');
        let address = format!("{host}{}", self.path);
        let mut request = Request::post(&address).header("content-type", self.kind);
        if let Some(target) = self.target {
            request = request.header("x-amz-target", target);
        }
        let mut request = request.body(body)?;
        let at = SystemTime::from(crate::Clock::System.now());
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&region)
            .name(self.service)
            .time(at)
            .settings(SigningSettings::default())
            .build()?;
        let headers = request.headers().iter();
        let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
        let signed = SignableBody::Bytes(request.body().as_bytes());
        let signable = SignableRequest::new("POST", &address, headers, signed)?;
        let (instructions, _) = sign(signable, &params.into())?.into_parts();
        instructions.apply_to_request_http1x(&mut request);
        Ok(request)
    }
}

async fn over_the_net(request: Request<String>) -> Result<Answer, Error> {
    let client = reqwest::Client::builder().timeout(PATIENCE).build()?;
    let (parts, body) = request.into_parts();
    let answer = client.post(parts.uri.to_string()).headers(parts.headers).body(body).send().await?;
    let status = answer.status().as_u16();
    let named = answer.headers().get(ERROR).and_then(|name| name.to_str().ok()).map(str::to_owned);
    Ok(Answer::of(status, named.as_deref(), answer.text().await?))
}

/// The way of the SDK's own clients, without what they do beside it.
async fn through(client: SharedHttpClient, request: Request<String>) -> Result<Answer, Error> {
    let (parts, body) = request.into_parts();
    let host = parts.uri.authority().map(|host| format!("http://{host}")).unwrap_or_default();
    let request = Request::from_parts(parts, aws_smithy_types::body::SdkBody::from(body));
    let request = std::sync::Mutex::new(Some(HttpRequest::try_from(request)?));
    let operation = Operation::builder()
        .service_name("aws")
        .operation_name("call")
        .http_client(client)
        .endpoint_url(&host)
        .no_auth()
        .no_retry()
        .serializer(move |(): ()| {
            let mut held = request.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            held.take().ok_or_else(|| "a call is sent once".into())
        })
        .deserializer::<_, std::io::Error>(|answer: &HttpResponse| {
            let body = String::from_utf8_lossy(answer.body().bytes().unwrap_or_default()).into_owned();
            Ok(Answer::of(answer.status().as_u16(), answer.headers().get(ERROR), body))
        })
        .build();
    operation.invoke(()).await.map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::Answer;

    #[test]
    fn an_error_is_called_by_its_bare_name_wherever_that_stands() {
        let body = r#"{"__type": "com.amazonaws.ssm#ParameterNotFound", "message": "x"}"#;
        for (named, body, name) in [
            (Some("SendingPausedException"), "{}", "SendingPausedException"),
            (Some("MessageRejected:http://internal.amazon.com/coral/"), body, "MessageRejected"),
            (None, body, "ParameterNotFound"),
            (None, "<html>", ""),
        ] {
            assert_eq!(Answer::of(400, named, body.to_owned()).error, name);
        }
    }
}
