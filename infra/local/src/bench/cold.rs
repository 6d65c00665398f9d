//! How fast a function starts: from the start of its process to its first question for work, beside an empty one.
//!
//! The Lambda runtime's side is a listener on the loopback that never has work; the AWS side is the same one, which
//! answers the one call of the start with nothing. What is measured is our part of a cold start: not the sandbox, not
//! the network.
//!
//! What our own code may add is held against the least that a function with a table is: one that makes its client.

use super::{Measured, micros, percentile, thousandths};
use crate::market::{Market, NotOpen};
use axum::Router;
use axum::routing::{any, get};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::Notify;

/// Runs of each binary; the first one, which reads it from the disk, does not count.
const RUNS: usize = 15;
/// A function that has not asked for work by then never will.
const PATIENCE: Duration = Duration::from_secs(20);

/// Microseconds that a function may take longer than one that makes the table's client only.
pub const MOST: u64 = 3_000;

/// One binary's figures, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Start {
    pub name: String,
    pub bytes: u64,
    pub fastest: u64,
    pub median: u64,
}

/// What the starts came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cold {
    pub empty: Start,
    /// Makes the table's client and nothing else.
    pub client: Start,
    pub functions: Vec<Start>,
}

impl Cold {
    fn is_over(&self, start: &Start) -> bool {
        start.median > self.client.median.saturating_add(MOST)
    }
}

impl Measured for Cold {
    const NAME: &'static str = "cold";

    fn table(&self) -> Vec<String> {
        let head = format!(
            "{:<18} {:>9} {:>10} {:>10} {:>13} {:>14}",
            "function", "binary", "fastest", "median", "above empty", "above client"
        );
        let line = |start: &Start| {
            let above = |other: &Start| millis(start.median.saturating_sub(other.median));
            let (tenths, flag) =
                (start.bytes.div_euclid(100_000), if self.is_over(start) { "  OVER" } else { "" });
            format!(
                "{:<18} {:>9} {:>10} {:>10} {:>13} {:>14}{flag}",
                start.name,
                format!("{}.{} MB", tenths.div_euclid(10), tenths.rem_euclid(10)),
                millis(start.fastest),
                millis(start.median),
                above(&self.empty),
                above(&self.client),
            )
        };
        let mut lines = vec![
            "From the start of the process to the first question for work, on this machine:\n".to_owned(),
            head,
        ];
        lines.extend([&self.empty, &self.client].into_iter().chain(&self.functions).map(line));
        let over = self.functions.iter().filter(|start| self.is_over(start)).count();
        let (most, of) = (millis(MOST), self.functions.len());
        lines.push(format!("\n{over} of {of} functions are more than {most} above the client alone"));
        lines
    }

    fn wrong(&self) -> Vec<String> {
        let over = self.functions.iter().filter(|start| self.is_over(start));
        let above = |start: &Start| millis(start.median.saturating_sub(self.client.median));
        over.map(|start| format!("{} starts {} after the client alone", start.name, above(start))).collect()
    }
}

fn millis(micros: u64) -> String {
    format!("{} ms", thousandths(micros))
}

/// Why a start cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum NotStarted {
    #[error(transparent)]
    Market(#[from] NotOpen),
    #[error(transparent)]
    Cloud(#[from] crate::cloud::CloudError),
    #[error("the loopback cannot be listened on")]
    Listener(#[source] std::io::Error),
    #[error("{binary} cannot be started; is it built?")]
    Binary { binary: String, source: std::io::Error },
    #[error("{0} does not ask for work")]
    Silent(String),
}

/// The two sides of AWS that a starting function talks to.
struct Sides {
    address: String,
    asked: Arc<Notify>,
}

impl Sides {
    async fn open() -> Result<Self, NotStarted> {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(NotStarted::Listener)?;
        let address = listener.local_addr().map_err(NotStarted::Listener)?.to_string();
        let asked = Arc::new(Notify::new());
        let bell = Arc::clone(&asked);
        let next = move || {
            bell.notify_one();
            std::future::pending::<()>()
        };
        let nothing = || async { ([("content-type", "application/x-amz-json-1.0")], "{}") };
        let routes = Router::new().route("/2018-06-01/runtime/invocation/next", get(next));
        let routes = routes.fallback(any(nothing));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Ok(Self { address, asked })
    }

    /// What a sandbox's environment says, beside the function's own variables.
    fn environment(&self, name: &str) -> [(String, String); 5] {
        [
            ("AWS_LAMBDA_RUNTIME_API", self.address.clone()),
            ("AWS_LAMBDA_FUNCTION_NAME", name.to_owned()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
            ("AWS_ENDPOINT_URL", format!("http://{}", self.address)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }
}

/// Measures every function in a folder of release binaries, and those in its `examples` that do nothing.
pub async fn cold(binaries: &Path) -> Result<Cold, NotStarted> {
    let start = jiff::Timestamp::UNIX_EPOCH;
    let market = Market::in_memory(start, crate::cloud::Pace::Ordered).await?;
    let sides = Sides::open().await?;
    let empty = measure(&sides, "(empty)", &binaries.join("examples/empty"), BTreeMap::new()).await?;
    let variables = market.cloud.environment_outside("order-split")?;
    let client = measure(&sides, "(client)", &binaries.join("examples/client"), variables).await?;
    let mut functions = Vec::new();
    for (name, _) in crate::market::functions() {
        let variables = market.cloud.environment_outside(name)?;
        functions.push(measure(&sides, name, &binaries.join(name), variables).await?);
    }
    Ok(Cold { empty, client, functions })
}

async fn measure(
    sides: &Sides,
    name: &str,
    binary: &Path,
    mut variables: BTreeMap<String, String>,
) -> Result<Start, NotStarted> {
    variables.extend(sides.environment(name));
    let refuse = |source| NotStarted::Binary { binary: binary.display().to_string(), source };
    let bytes = std::fs::metadata(binary).map_err(refuse)?.len();
    let mut times = Vec::with_capacity(RUNS);
    for run in 0..=RUNS {
        let began = Instant::now();
        let mut child = Command::new(binary)
            .env_clear()
            .envs(&variables)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(refuse)?;
        let asked = tokio::time::timeout(PATIENCE, sides.asked.notified()).await;
        let took = micros(began.elapsed());
        child.kill().await.map_err(refuse)?;
        asked.map_err(|_| NotStarted::Silent(name.to_owned()))?;
        if run > 0 {
            times.push(took);
        }
    }
    times.sort_unstable();
    let (fastest, median) = (percentile(&times, 0), percentile(&times, 50));
    Ok(Start { name: name.to_owned(), bytes, fastest, median })
}
