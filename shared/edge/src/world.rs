//! What a handler may reach: the table, time, fresh ids, the SDK's configuration and the function's environment.
//!
//! Time and randomness are values here, so that a test or a simulation can choose them.

use crate::clock::{self, Clock};
use crate::identity::{Keys, Storefronts};
use domain::id::derive;
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use table::Table;

/// Where fresh ids come from.
#[derive(Debug, Clone)]
enum Fresh {
    /// UUID v7: sorted by time, random otherwise.
    Random,
    /// 1, 2, 3, … for tests.
    Counted(Arc<AtomicI64>),
    /// What a seed says, secrets too: a simulation that is run again is the same.
    Drawn { seed: u64, drawn: Arc<AtomicU64> },
}

/// The system has no random bytes to give.
#[derive(Debug, thiserror::Error)]
#[error("no random bytes for a secret")]
pub struct NoSecret;

/// Everything a handler needs, cheap to clone.
#[derive(Debug, Clone)]
pub struct World {
    pub table: Table,
    pub clock: Clock,
    /// For the SDK clients of the few functions that need more than the table.
    pub aws: aws_types::SdkConfig,
    pub keys: Keys,
    pub(crate) storefronts: Storefronts,
    environment: Arc<BTreeMap<String, String>>,
    fresh: Fresh,
}

/// The environment lacks something that the template sets.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set; infra/template.yaml sets it")]
pub struct Unset(String);

impl World {
    /// From the environment that the template gives a function on AWS.
    pub async fn from_env() -> Result<Self, Unset> {
        let aws = aws_config::load_defaults(aws_config::BehaviorVersion::v2026_01_12()).await;
        let environment: BTreeMap<String, String> = std::env::vars().collect();
        let clock = environment.get(clock::VARIABLE).map_or(Clock::System, |address| Clock::served(address));
        let world = Self::new(aws, environment, clock, Keys::over_https())?;
        world.table.warm().await;
        Ok(world)
    }

    /// From a given configuration: the local cloud and tests.
    pub fn new(
        aws: aws_types::SdkConfig,
        environment: BTreeMap<String, String>,
        clock: Clock,
        keys: Keys,
    ) -> Result<Self, Unset> {
        let name = environment.get("TABLE").ok_or_else(|| Unset("TABLE".to_owned()))?;
        let table = Table::new(aws_sdk_dynamodb::Client::new(&aws), name);
        let environment = Arc::new(environment);
        let storefronts = Storefronts::default();
        Ok(Self { table, clock, aws, keys, storefronts, environment, fresh: Fresh::Random })
    }

    /// The same world with ids 1, 2, 3, … for tests that show them.
    #[must_use]
    pub fn with_counted_ids(mut self) -> Self {
        self.fresh = Fresh::Counted(Arc::new(AtomicI64::new(0)));
        self
    }

    /// The same world whose every random number a seed says; worlds that count together draw from one row.
    #[must_use]
    pub fn with_drawn_ids(mut self, seed: u64, drawn: Arc<AtomicU64>) -> Self {
        self.fresh = Fresh::Drawn { seed, drawn };
        self
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// 128 bits that no other call gets.
    pub fn fresh(&self) -> u128 {
        match &self.fresh {
            Fresh::Random => {
                let now = self.now();
                let seconds = u64::try_from(now.as_second()).unwrap_or_default();
                let nanos = u32::try_from(now.subsec_nanosecond()).unwrap_or_default();
                uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, seconds, nanos)).as_u128()
            }
            Fresh::Counted(last) => {
                u128::try_from(last.fetch_add(1, Ordering::SeqCst).saturating_add(1)).unwrap_or_default()
            }
            Fresh::Drawn { seed, drawn } => draw(*seed, drawn),
        }
    }

    /// 128 random bits that nobody can guess: whoever knows the id that is made of them may use the thing.
    pub fn unguessable(&self) -> Result<u128, NoSecret> {
        self.random().map(u128::from_be_bytes)
    }

    /// Random bytes of the system, for keys and nonces.
    pub(crate) fn random<const N: usize>(&self) -> Result<[u8; N], NoSecret> {
        let mut random = [0_u8; N];
        if let Fresh::Drawn { seed, drawn } = &self.fresh {
            for piece in random.chunks_mut(16) {
                let bytes = draw(*seed, drawn).to_be_bytes();
                piece.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
            }
            return Ok(random);
        }
        aws_lc_rs::rand::fill(&mut random).map_err(|_| NoSecret)?;
        Ok(random)
    }

    /// A secret: 256 random bits behind a prefix, `sk_` for an API key. Shown once, kept as a digest only.
    pub fn secret(&self, prefix: &str) -> Result<String, NoSecret> {
        let digits: String = self.random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{prefix}{digits}"))
    }

    /// A value that the template sets for this function.
    pub fn variable(&self, name: &str) -> Result<&str, Unset> {
        self.environment.get(name).map(String::as_str).ok_or_else(|| Unset(name.to_owned()))
    }

    /// Tries again while the table is busy: seven times with growing, jittered pauses, some two seconds in all, then
    /// the caller's busy.
    pub async fn until_free<T, E, F, Fut>(&self, mut attempt: F) -> Result<T, E>
    where
        E: MaybeBusy,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        for pause in [10_u64, 25, 60, 150, 300, 600] {
            match attempt().await {
                Err(error) if error.is_busy() => {
                    let jitter = u64::try_from(self.fresh() % u128::from(pause)).unwrap_or_default();
                    tokio::time::sleep(std::time::Duration::from_millis(pause.saturating_add(jitter))).await;
                }
                done => return done,
            }
        }
        attempt().await
    }
}

/// The next number of a row.
fn draw(seed: u64, drawn: &AtomicU64) -> u128 {
    let number = drawn.fetch_add(1, Ordering::SeqCst);
    derive(&["drawn", &seed.to_string(), &number.to_string()])
}

/// An error that may mean "load again, decide again".
pub trait MaybeBusy {
    fn is_busy(&self) -> bool;
}
