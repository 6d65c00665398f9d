//! Webhooks: addresses at which operators and merchants want to hear of events, and what became of each message.
//!
//! ```text
//! endpoint:  active ⇄ paused      active, paused → suspended → active      any → removed
//! delivery:  calling → delivered
//!            calling → waiting → calling …      nine tries more within four days, then failed
//!            calling → failed                   gone; or nobody is to be called any more
//!            failed, delivered → calling        replayed
//! ```
//!
//! Invariants: a call begins with a claim that lies in the table, so two messages about one delivery make one call; a
//! claim that nobody has ended is good for a minute and then another's. Whatever happens, the delivery's id is the
//! message's, so its receiver can tell a repeat. Absent on purpose: an order among messages, and what is in them.

use crate::Decision;
use crate::id::{MerchantId, WebhookDeliveryId, WebhookEndpointId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Endpoints that one owner may have: each event is held against all of them.
pub const ENDPOINTS_MAX: usize = 10;
/// Patterns of one endpoint.
pub const PATTERNS_MAX: usize = 50;
/// After a change of the secret both sign for so long.
const BOTH_SIGN: SignedDuration = SignedDuration::from_hours(24);
/// An endpoint that has done nothing but fail for so long is suspended.
const PATIENCE: SignedDuration = SignedDuration::from_hours(5 * 24);
/// Whoever has begun a call has ended it after so long, or will never.
const CLAIM: SignedDuration = SignedDuration::from_secs(60);
/// How long after a failed try the next one comes, in minutes.
const PAUSES: [i64; 9] = [1, 5, 30, 120, 300, 600, 840, 1200, 1440];
/// A receiver may ask for more time, but not for more than this.
const RETRY_AFTER_MAX: SignedDuration = SignedDuration::from_hours(24);
/// Tries that the log keeps, the last ones.
const TRIES_KEPT: usize = 12;
/// A delivery is forgotten after so long.
const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Which events are wanted: one (`order.paid.v1`), all whose names begin so (`order.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "EventPattern",
        with = "String",
        extend(
            "maxLength" = 100,
            "pattern" = r"^(\*|[a-z0-9_]+(\.[a-z0-9_]+)?\.\*|[a-z0-9_]+(\.[a-z0-9_]+){2})$"
        )
    )
)]
pub struct Pattern(String);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("want an event's name, its beginning up to a point and `*`, or `*`")]
pub struct NotAPattern;

impl Pattern {
    pub fn wants(&self, name: &str) -> bool {
        match self.0.strip_suffix('*') {
            Some(beginning) => name.starts_with(beginning),
            None => name == self.0,
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Pattern {
    type Error = NotAPattern;

    fn try_from(text: String) -> Result<Self, NotAPattern> {
        let word = |word: &str| {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
            !word.is_empty() && word.bytes().all(fits)
        };
        let parts: Vec<&str> = text.split('.').collect();
        let fits = match parts.as_slice() {
            ["*"] => true,
            [thing, "*"] => word(thing),
            [thing, fact, "*"] => word(thing) && word(fact),
            [thing, fact, version] => word(thing) && word(fact) && word(version),
            _ => false,
        };
        if fits && text.len() <= 100 { Ok(Self(text)) } else { Err(NotAPattern) }
    }
}

impl std::str::FromStr for Pattern {
    type Err = NotAPattern;

    fn from_str(text: &str) -> Result<Self, NotAPattern> {
        Self::try_from(text.to_owned())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0
    }
}

/// Where somebody wants to hear of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    pub id: WebhookEndpointId,
    /// Whose it is; the marketplace's own, if none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub address: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    pub events: Vec<Pattern>,
    pub stage: Stage,
    /// What messages are signed with.
    pub secret: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<EarlierSecret>,
    /// Since when every try has failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<Timestamp>,
    pub created_at: Timestamp,
}

/// The secret before the last change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EarlierSecret {
    pub secret: String,
    /// It signs along until then.
    pub until: Timestamp,
}

/// Whether anything is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Stage {
    Active,
    /// By its owner; what happens meanwhile is kept as failed, to be replayed.
    Paused,
    /// By us; what happens meanwhile is not kept.
    Suspended {
        since: Timestamp,
        reason: Suspension,
    },
    Removed {
        at: Timestamp,
    },
}

/// Why an endpoint was suspended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Suspension {
    /// The receiver has answered 410: it wants no more.
    Gone,
    /// Nothing but failures for five days.
    Failing,
}

impl Endpoint {
    /// Where it lies, for messages: what follows a host in an address may be a secret of the receiver's.
    pub fn host(&self) -> &str {
        let rest = self.address.split_once("://").map_or(self.address.as_str(), |(_, rest)| rest);
        rest.split(['/', '?', '#']).next().unwrap_or_default()
    }

    /// Whether events are held against it.
    pub fn listens(&self) -> bool {
        match self.stage {
            Stage::Active | Stage::Paused => true,
            Stage::Suspended { .. } | Stage::Removed { .. } => false,
        }
    }

    pub fn is_removed(&self) -> bool {
        match self.stage {
            Stage::Removed { .. } => true,
            Stage::Active | Stage::Paused | Stage::Suspended { .. } => false,
        }
    }

    /// What signs a message now, the newest first.
    pub fn secrets(&self, now: Timestamp) -> Vec<&str> {
        let earlier = self.earlier.iter().filter(|earlier| now < earlier.until);
        std::iter::once(self.secret.as_str()).chain(earlier.map(|earlier| earlier.secret.as_str())).collect()
    }

    /// With another secret. The one before signs along for a day; one from before that no more.
    #[must_use]
    pub fn rotated(self, secret: String, now: Timestamp) -> Self {
        let earlier = EarlierSecret { secret: self.secret, until: now + BOTH_SIGN };
        Self { secret, earlier: Some(earlier), ..self }
    }

    pub fn pause(self) -> Decision<Self> {
        match self.stage {
            Stage::Active => Decision::New(Self { stage: Stage::Paused, ..self }),
            Stage::Paused | Stage::Suspended { .. } | Stage::Removed { .. } => Decision::Already,
        }
    }

    /// Sends again, with a clean slate.
    pub fn resume(self) -> Decision<Self> {
        match self.stage {
            Stage::Paused | Stage::Suspended { .. } => {
                Decision::New(Self { stage: Stage::Active, failing_since: None, ..self })
            }
            Stage::Active | Stage::Removed { .. } => Decision::Already,
        }
    }

    /// For good: it is shown to nobody, and its secrets are gone.
    pub fn remove(self, now: Timestamp) -> Decision<Self> {
        match self.stage {
            Stage::Active | Stage::Paused | Stage::Suspended { .. } => {
                let stage = Stage::Removed { at: now };
                Decision::New(Self { stage, secret: String::new(), earlier: None, ..self })
            }
            Stage::Removed { .. } => Decision::Already,
        }
    }

    /// What a try means for it.
    pub fn heard(self, verdict: Verdict, now: Timestamp) -> Decision<Self> {
        if !self.listens() {
            return Decision::Already;
        }
        let suspended = |reason| Stage::Suspended { since: now, reason };
        match (verdict, self.failing_since) {
            (Verdict::Taken, None) => Decision::Already,
            (Verdict::Taken, Some(_)) => Decision::New(Self { failing_since: None, ..self }),
            (Verdict::Gone, _) => Decision::New(Self { stage: suspended(Suspension::Gone), ..self }),
            (Verdict::Not, None) => Decision::New(Self { failing_since: Some(now), ..self }),
            (Verdict::Not, Some(since)) if now.duration_since(since) >= PATIENCE => {
                Decision::New(Self { stage: suspended(Suspension::Failing), ..self })
            }
            (Verdict::Not, Some(_)) => Decision::Already,
        }
    }
}

/// What a try comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Taken,
    Gone,
    Not,
}

/// Why there was no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Trouble {
    /// Its host has an address that is not the public net's: nobody was called.
    AddressRefused,
    /// It did not answer within ten seconds.
    TimedOut,
    /// No connection came about, or none that could be trusted.
    NoConnection,
    /// The connection ended before an answer.
    NoAnswer,
}

/// One call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Try {
    pub at: Timestamp,
    pub answer: Answer,
    pub milliseconds: u32,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    Status {
        code: u16,
        /// The first kilobyte.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        body: String,
    },
    None(Trouble),
}

impl Answer {
    /// Only a 2xx takes a message; a redirection leads nowhere.
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::Status { code: 200..=299, .. } => Verdict::Taken,
            Self::Status { code: 410, .. } => Verdict::Gone,
            Self::Status { .. } | Self::None(_) => Verdict::Not,
        }
    }
}

/// One message to one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub id: WebhookDeliveryId,
    pub endpoint: WebhookEndpointId,
    /// The event's own id.
    pub event: String,
    /// The event's name.
    pub name: String,
    /// The very text that is signed and sent.
    pub body: String,
    /// Tried by hand to see whether it arrives: never again by itself, and it says nothing about the endpoint.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trial: bool,
    pub created_at: Timestamp,
    pub state: State,
    /// The last tries, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tries: Vec<Try>,
}

/// How far a delivery is; `tried` counts since it was made or replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Somebody is calling; nobody else does before `until`.
    Calling {
        until: Timestamp,
        tried: u16,
    },
    /// The next try comes at `at`.
    Waiting {
        at: Timestamp,
        tried: u16,
    },
    Delivered {
        at: Timestamp,
    },
    Failed {
        at: Timestamp,
        why: Why,
    },
}

/// Why nothing more is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Why {
    /// It was tried often enough.
    Exhausted,
    /// The receiver wants no more.
    Gone,
    /// The endpoint was paused when it was due.
    Paused,
    /// The endpoint was suspended when it was due.
    Suspended,
    /// There is no endpoint any more.
    Removed,
}

/// Whether a delivery may be called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// With this claim, once it is kept.
    Call(Delivery),
    /// Another is calling, or may be: look again.
    Taken,
    /// Its time has not come.
    Early(Timestamp),
    Over,
}

impl Delivery {
    /// A message that is called at once: its maker has the claim.
    pub fn new(endpoint: &Endpoint, event: &str, name: &str, body: String, now: Timestamp) -> Self {
        let id = WebhookDeliveryId::of(&endpoint.id, event);
        let (endpoint, event, name) = (endpoint.id.clone(), event.to_owned(), name.to_owned());
        let state = State::Calling { until: now + CLAIM, tried: 0 };
        Self { id, endpoint, event, name, body, trial: false, created_at: now, state, tries: Vec::new() }
    }

    pub fn expires_at(&self) -> Timestamp {
        self.created_at + KEPT
    }

    /// The status of the last answer, if the last try had one.
    pub fn last_code(&self) -> Option<u16> {
        match self.tries.last()?.answer {
            Answer::Status { code, .. } => Some(code),
            Answer::None(_) => None,
        }
    }

    /// Who may call it.
    pub fn turn(&self, now: Timestamp) -> Turn {
        let claimed =
            |tried| Turn::Call(Self { state: State::Calling { until: now + CLAIM, tried }, ..self.clone() });
        match self.state {
            State::Calling { until, .. } if now < until => Turn::Taken,
            State::Waiting { at, .. } if now < at => Turn::Early(at),
            State::Calling { tried, .. } | State::Waiting { tried, .. } => claimed(tried),
            State::Delivered { .. } | State::Failed { .. } => Turn::Over,
        }
    }

    /// Not called, because of its endpoint.
    pub fn held_back(self, stage: &Stage, now: Timestamp) -> Option<Self> {
        let why = match stage {
            Stage::Active => return None,
            Stage::Paused => Why::Paused,
            Stage::Suspended { .. } => Why::Suspended,
            Stage::Removed { .. } => Why::Removed,
        };
        Some(Self { state: State::Failed { at: now, why }, ..self })
    }

    /// What a call has come to. `retry_after` is what the receiver asks for: heeded where it is more than our own
    /// pause, up to a day.
    #[must_use]
    pub fn answered(self, call: Try, retry_after: Option<SignedDuration>, now: Timestamp) -> Self {
        let tried = match self.state {
            State::Calling { tried, .. } | State::Waiting { tried, .. } => tried,
            State::Delivered { .. } | State::Failed { .. } => 0,
        };
        let pause = PAUSES.get(usize::from(tried)).filter(|_| !self.trial);
        let state = match (call.answer.verdict(), pause) {
            (Verdict::Taken, _) => State::Delivered { at: now },
            (Verdict::Gone, _) => State::Failed { at: now, why: Why::Gone },
            (Verdict::Not, None) => State::Failed { at: now, why: Why::Exhausted },
            (Verdict::Not, Some(minutes)) => {
                let asked = retry_after.map_or(SignedDuration::ZERO, |asked| asked.min(RETRY_AFTER_MAX));
                let at = now + SignedDuration::from_mins(*minutes).max(asked);
                State::Waiting { at, tried: tried.saturating_add(1) }
            }
        };
        let mut tries = self.tries;
        tries.push(call);
        let surplus = tries.len().saturating_sub(TRIES_KEPT);
        tries.drain(..surplus);
        Self { state, tries, ..self }
    }

    /// To be tried again from `at` on, as if it were new; not while it is under way, as it is until its caller's claim
    /// is over.
    pub fn replay(self, at: Timestamp) -> Decision<Self> {
        let under_way = match self.state {
            State::Delivered { .. } | State::Failed { .. } => false,
            State::Calling { until, .. } => at < until,
            State::Waiting { .. } => true,
        };
        if under_way {
            return Decision::Already;
        }
        Decision::New(Self { state: State::Waiting { at, tried: 0 }, ..self })
    }
}

#[cfg(test)]
mod tests;
