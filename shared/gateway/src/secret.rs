//! A secret of the environment: the value itself where a person passes it locally, else the name of an SSM parameter.
//!
//! CloudFormation cannot put a SecureString into a function's environment, so the function reads it, once, by the one
//! call `GetParameter` ([`edge::aws_call`]).

use aws_types::SdkConfig;
use edge::aws_call::{Call, Error};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What this process has read, by name: a secret is changed by new sandboxes.
static READ: Mutex<BTreeMap<String, Arc<str>>> = Mutex::new(BTreeMap::new());

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
    let call = Call {
        service: "ssm",
        host: "ssm",
        path: "/",
        kind: "application/x-amz-json-1.1",
        target: Some("AmazonSSM.GetParameter"),
    };
    let body = serde_json::json!({ "Name": name, "WithDecryption": true }).to_string();
    let answer = call.send(aws, body).await?;
    if answer.status != 200 {
        return Err(format!("SSM answered {}", answer.status).into());
    }
    let answer: Answer = serde_json::from_str(&answer.body)?;
    Ok(answer.parameter.value)
}
