//! The cloud's time: somebody else's clock, asked and moved.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

/// How a cloud knows the time and moves it. The clock itself belongs to whoever opens the cloud.
#[derive(Clone)]
pub struct Time {
    now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    advance: Arc<dyn Fn(SignedDuration) + Send + Sync>,
}

impl std::fmt::Debug for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Time({})", self.now())
    }
}

impl Time {
    /// A clock that is asked by `now` and moved by `advance`.
    #[must_use]
    pub fn new(
        now: Arc<dyn Fn() -> Timestamp + Send + Sync>,
        advance: Arc<dyn Fn(SignedDuration) + Send + Sync>,
    ) -> Self {
        Self { now, advance }
    }

    /// A clock that stands still unless it is moved.
    #[must_use]
    pub fn standing(start: Timestamp) -> Self {
        let shown = Arc::new(Mutex::new(start));
        let moved = Arc::clone(&shown);
        Self::new(
            Arc::new(move || *shown.lock().unwrap_or_else(PoisonError::into_inner)),
            Arc::new(move |by| {
                let mut time = moved.lock().unwrap_or_else(PoisonError::into_inner);
                *time = time.saturating_add(by).unwrap_or(*time);
            }),
        )
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.now)()
    }

    pub(super) fn millis(&self) -> i64 {
        self.now().as_millisecond()
    }

    /// Moves on to a time, never back.
    pub(super) fn advance_to(&self, millis: i64) {
        let missing = millis.saturating_sub(self.millis());
        if missing > 0 {
            (self.advance)(SignedDuration::from_millis(missing));
        }
    }
}
