//! Functions that run outside: their invocations go to a runner over HTTP, as `aws lambda invoke` would send them.
//!
//! The runner is `cargo lambda watch`, which builds a function anew when its source changes. AWS's time-outs do not
//! hold for such a function: it may be building, or stand at a breakpoint.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::connector::{ENDPOINT, KEY};
use super::template::REGION;
use super::{Cloud, CloudError, Handler};

/// A build takes minutes; whoever stands at a breakpoint for longer is not waited for.
pub(super) const PATIENCE: Duration = Duration::from_secs(900);

impl Cloud {
    /// From now on a function's invocations, of whatever kind, go to the runner at an address such as
    /// `http://127.0.0.1:9000`.
    ///
    /// # Errors
    /// If the template has no such function.
    pub fn watch(&self, function: &str, runner: &str) -> Result<(), CloudError> {
        self.environment(function)?;
        let address = format!("{runner}/2015-03-31/functions/{function}/invocations");
        let client = reqwest::Client::new();
        let handler: Handler = Arc::new(move |event| {
            let (client, address) = (client.clone(), address.clone());
            Box::pin(async move { forward(&client, &address, &event).await })
        });
        self.inner.outside(function);
        self.register(function, handler);
        Ok(())
    }

    /// The environment in which a function outside finds this cloud: its own variables, and what AWS's clients read.
    ///
    /// # Errors
    /// If the template has no such function.
    pub fn environment_outside(&self, function: &str) -> Result<BTreeMap<String, String>, CloudError> {
        let mut all = self.environment(function)?;
        let of_clients = [
            ("AWS_ENDPOINT_URL", ENDPOINT),
            ("AWS_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", KEY),
            ("AWS_SECRET_ACCESS_KEY", KEY),
        ];
        all.extend(of_clients.map(|(name, value)| (name.to_owned(), value.to_owned())));
        Ok(all)
    }
}

async fn forward(client: &reqwest::Client, address: &str, event: &Value) -> Result<Value, String> {
    let asked = client.post(address).body(event.to_string()).send().await;
    let answer = asked.map_err(|error| {
        let hint = if error.is_connect() { "; is `cargo lambda watch` running?" } else { "" };
        format!("{address} does not answer{hint} ({error})")
    })?;
    let failed = !answer.status().is_success() || answer.headers().contains_key("x-amz-function-error");
    let text =
        answer.text().await.map_err(|error| format!("{address} stopped within its answer ({error})"))?;
    if failed {
        return Err(text);
    }
    if text.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&text).map_err(|error| format!("{address} answered no JSON: {error}"))
}
