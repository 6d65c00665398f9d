//! A trial that is about to end: its customer is told before anything is charged.

use super::{Next, Stage, Subscription};
use jiff::{SignedDuration, Timestamp};

const DAY: SignedDuration = SignedDuration::from_hours(24);
/// So long before its end a trial is told of.
const NOTICE: SignedDuration = SignedDuration::from_hours(3 * 24);

/// When a trial that is free from `from` to `until` is told of: three days before its end; where it has fewer than nine
/// days, when a third of it is left; never where it has fewer than two, whose beginning is still in mind. Days are
/// counted to the nearest, because a change of clocks makes some an hour shorter.
pub fn warns_at(from: Timestamp, until: Timestamp) -> Option<Timestamp> {
    let length = until.duration_since(from);
    let days = length.saturating_add(DAY / 2).as_hours() / 24;
    let notice = match days {
        ..2 => return None,
        2..9 => length / 3,
        9.. => NOTICE,
    };
    until.checked_sub(notice).ok()
}

impl Subscription {
    /// When its trial is told of.
    pub fn warns_at(&self) -> Option<Timestamp> {
        match self.stage {
            Stage::Trialing { warns_at, .. } => warns_at,
            Stage::Incomplete { .. } | Stage::Active | Stage::Paused { .. } | Stage::Ended { .. } => None,
        }
    }

    /// The end of the trial, where it is to be told of now. Whoever has canceled knows it; whoever takes that back
    /// after the notice would have come has just seen the date.
    pub fn ends_its_trial(&self, now: Timestamp) -> Option<Timestamp> {
        match self.stage {
            Stage::Trialing { until, warns_at: Some(at) } if at <= now && now < until => {
                (self.next != Some(Next::Cancel)).then_some(until)
            }
            Stage::Trialing { .. }
            | Stage::Incomplete { .. }
            | Stage::Active
            | Stage::Paused { .. }
            | Stage::Ended { .. } => None,
        }
    }
}
