//! Where "now" comes from. Time is a value here, so that a test, a simulation or the local cloud can choose it.

use crate::fetch::{self, Unread};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// The environment variable with the address of the local cloud's clock. Nothing on AWS sets it.
pub const VARIABLE: &str = "SOUK_CLOCK";

/// On AWS the system's clock; in the local cloud one that can be moved.
#[derive(Debug, Clone)]
pub enum Clock {
    System,
    /// The system's clock plus so many milliseconds.
    Shifted(Arc<AtomicI64>),
    /// The same for a function in a process of its own: the local cloud says the time when it is asked.
    Served {
        address: Arc<str>,
        shift: Arc<AtomicI64>,
    },
    /// Stands still until it is advanced: milliseconds since 1970.
    Manual(Arc<AtomicI64>),
    /// Goes wrong by so much beside another one, as clocks of two machines do.
    Apart(Arc<Self>, SignedDuration),
}

/// The local cloud's clock does not answer.
#[derive(Debug, thiserror::Error)]
pub enum NoClock {
    #[error("the clock of the local cloud does not answer; is `cargo souk` running?")]
    Silent(#[from] Unread),
    #[error("the clock of the local cloud says no time")]
    Unreadable(#[from] serde_json::Error),
}

/// What the local cloud says.
#[derive(Deserialize)]
struct Told {
    now: Timestamp,
}

impl Clock {
    /// Stands at `at` until it is advanced.
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_millisecond())))
    }

    /// Runs with the system, `shift` apart from it.
    pub fn shifted(shift: SignedDuration) -> Self {
        Self::Shifted(Arc::new(AtomicI64::new(i64::try_from(shift.as_millis()).unwrap_or_default())))
    }

    /// Runs with the local cloud's, from the first [`refresh`](Self::refresh) on.
    pub fn served(address: &str) -> Self {
        Self::Served { address: address.into(), shift: Arc::default() }
    }

    /// Before each invocation: asks the local cloud how far its clock has been moved. The others know by themselves.
    pub async fn refresh(&self) -> Result<(), NoClock> {
        let Self::Served { address, shift } = self else { return Ok(()) };
        let told: Told = serde_json::from_str(&fetch::text(address).await?)?;
        let moved = told.now.as_millisecond().saturating_sub(system().as_millisecond());
        shift.store(moved, Ordering::SeqCst);
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        let at = |millis: i64| Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX);
        match self {
            Self::System => system(),
            Self::Shifted(shift) | Self::Served { shift, .. } => {
                at(system().as_millisecond().saturating_add(shift.load(Ordering::SeqCst)))
            }
            Self::Manual(stands) => at(stands.load(Ordering::SeqCst)),
            Self::Apart(from, by) => from.now().checked_add(*by).unwrap_or(Timestamp::MAX),
        }
    }

    /// A clock that is wrong by so much; whoever moves this one moves it too.
    #[must_use]
    pub fn apart(&self, by: SignedDuration) -> Self {
        Self::Apart(Arc::new(self.clone()), by)
    }

    /// Moves time on; a clock of somebody else's cannot be moved and stays.
    pub fn advance(&self, by: SignedDuration) {
        let millis = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        match self {
            Self::System | Self::Served { .. } | Self::Apart(..) => {}
            Self::Shifted(held) | Self::Manual(held) => {
                held.fetch_add(millis, Ordering::SeqCst);
            }
        }
    }

    /// How far it is moved from the system's clock, for keeping.
    pub fn shift(&self) -> SignedDuration {
        match self {
            Self::System | Self::Manual(_) | Self::Apart(..) => SignedDuration::ZERO,
            Self::Shifted(shift) | Self::Served { shift, .. } => {
                SignedDuration::from_millis(shift.load(Ordering::SeqCst))
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where the system's clock is read")]
fn system() -> Timestamp {
    Timestamp::now()
}
