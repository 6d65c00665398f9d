//! A secret of the environment: the value itself where a person passes it locally, else the name of an SSM parameter.
//!
//! CloudFormation cannot put a SecureString into a function's environment, so the function reads it, once, by the one
//! call `GetParameter`, signed here: the SDK's crate for SSM takes minutes to compile for it.

use aws_credential_types::provider::ProvideCredentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_types::SdkConfig;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What this process has read, by name: a secret is changed by new sandboxes.
static READ: Mutex<BTreeMap<String, Arc<str>>> = Mutex::new(BTreeMap::new());

type Error = Box<dyn std::error::Error + Send + Sync>;

#[derive(Clone)]
pub struct Secret {
    text: Arc<str>,
    aws: Arc<SdkConfig>,
}

/// Never shown.
impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// What SSM answers.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Parameter")]
    parameter: Parameter,
}

#[derive(Deserialize)]
struct Parameter {
    #[serde(rename = "Value")]
    value: String,
}

impl Secret {
    /// `/souk/stripe-key` names a parameter, anything else is the secret.
    pub fn new(text: &str, aws: &SdkConfig) -> Self {
        Self { text: text.into(), aws: Arc::new(aws.clone()) }
    }

    /// None where it is not to be had; logged, and tried again with the next call.
    pub async fn value(&self) -> Option<Arc<str>> {
        if !self.text.starts_with('/') {
            return Some(Arc::clone(&self.text)).filter(|text| !text.is_empty());
        }
        let name: &str = &self.text;
        if let Some(known) = READ.lock().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Some(Arc::clone(known));
        }
        match parameter(&self.aws, name).await {
            Ok(value) => {
                let value: Arc<str> = value.into();
                let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
                read.insert(name.to_owned(), Arc::clone(&value));
                Some(value)
            }
            Err(error) => {
                tracing::error!(error = edge::chain(error.as_ref()), name, "no SSM parameter");
                None
            }
        }
    }
}

async fn parameter(aws: &SdkConfig, name: &str) -> Result<String, Error> {
    let region = aws.region().ok_or("no region")?.as_ref().to_owned();
    let provider = aws.credentials_provider().ok_or("no credentials")?;
    let identity = provider.provide_credentials().await?.into();
    let address = format!("https://ssm.{region}.amazonaws.com/");
    let body = serde_json::json!({ "Name": name, "WithDecryption": true }).to_string();
    let mut request = http::Request::post(&address)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AmazonSSM.GetParameter")
        .body(body.clone())?;
    let at = std::time::SystemTime::from(edge::Clock::System.now());
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("ssm")
        .time(at)
        .settings(SigningSettings::default())
        .build()?;
    let headers = request.headers().iter();
    let headers = headers.filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new("POST", &address, headers, SignableBody::Bytes(body.as_bytes()))?;
    let (instructions, _) = sign(signable, &params.into())?.into_parts();
    instructions.apply_to_request_http1x(&mut request);
    let client = reqwest::Client::builder().timeout(crate::PATIENCE).build()?;
    let (parts, body) = request.into_parts();
    let answer = client.post(&address).headers(parts.headers).body(body).send().await?.error_for_status()?;
    let answer: Answer = serde_json::from_str(&answer.text().await?)?;
    Ok(answer.parameter.value)
}
