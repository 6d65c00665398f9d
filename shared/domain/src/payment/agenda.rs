//! What time brings to a payment: questions to the gateway, renewals, releases, retries, and what a person must see.
//!
//! The schedule reads the [`agenda`]: what is due before now is done, the earliest of the rest is when to look again.
//! What would be refused is not on it, or the look for its sake would hide every later one. Absent on purpose: a refund
//! that nobody granted (A9(5)).

use super::{
    Attempt, Call, Fact, Payment, Refund, RefundStage, Refused, State, Waits, alert, begin_authorize,
    begin_capture, begin_refund, begin_void,
};
use crate::Decision;
use crate::gateway::{Capabilities, Class};
use crate::money::Money;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// After the call, then after each question: 5 minutes, 1 hour after the call, then daily five times.
const WAITS: [SignedDuration; 7] = [
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(55),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(24),
    SignedDuration::from_hours(24),
];

/// A customer who has not confirmed by then has gone; the cart must not be pinned for days.
const ACTION_LIMIT: SignedDuration = SignedDuration::from_mins(30);
/// A customer who was not there has to hear of it first; less than the days that the gateway is asked for.
const ACTION_LIMIT_AWAY: SignedDuration = SignedDuration::from_hours(72);
/// An authorization is renewed so long before it ends, or at half its time where that is later.
const RENEW_BEFORE: SignedDuration = SignedDuration::from_hours(24);
/// Money without its order for so long is shown to a person.
const FINALIZE_LIMIT: SignedDuration = SignedDuration::from_mins(15);
/// What failed by no fault of the customer's is tried so often, an hour apart.
const TRIES: usize = 3;
const RETRY_AFTER: SignedDuration = SignedDuration::from_hours(1);

/// How often the gateway was asked, and when last (or when it was called).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub times: u8,
    pub last: Timestamp,
}

impl Asked {
    pub fn never(called: Timestamp) -> Self {
        Self { times: 0, last: called }
    }
}

/// When the gateway is asked next. None: it was asked for five days, an operator decides.
pub fn next_ask(asked: Asked) -> Option<Timestamp> {
    WAITS.get(usize::from(asked.times)).map(|wait| later(asked.last, *wait))
}

fn later(at: Timestamp, by: SignedDuration) -> Timestamp {
    at.saturating_add(by).unwrap_or(at)
}

/// What the schedule does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Duty {
    /// `ask` is the number of the question, told back with the answer.
    Ask {
        attempt: u16,
        ask: u8,
    },
    Void {
        authorization: u16,
    },
    /// Another authorization before this one ends, or in its place.
    Renew {
        authorization: u16,
    },
    /// A capture that failed is begun again.
    Capture {
        attempt: u16,
    },
    Refund {
        refund: u16,
    },
    /// The order is told of its money again.
    Finalize,
    Alert(Alert),
}

/// What a person must see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "alert", rename_all = "snake_case")]
pub enum Alert {
    /// The gateway could not say for five days.
    Unresolved {
        attempt: u16,
    },
    NotFinalized,
    /// The authorization ends, has ended or has too little room, and cannot be renewed.
    Expiring {
        authorization: u16,
    },
    CaptureFailed {
        attempt: u16,
    },
    RefundFailed {
        refund: u16,
    },
    /// A call that was given up, or not received, has arrived after all: the customer has it twice.
    RefundedTwice {
        refund: u16,
    },
    /// A transfer that the order counts on was declined, has ended, or was too little.
    Missing {
        amount: Money,
    },
    /// Money that fits nothing goes back when somebody approves.
    Stray {
        amount: Money,
    },
}

/// When the authorization should be renewed. None: it does not end.
pub(super) fn renew_at(authorization: &Attempt) -> Option<Timestamp> {
    let ends = authorization.expires_at()?;
    let half = SignedDuration::from_secs(ends.duration_since(authorization.at).as_secs() / 2);
    Some(later(authorization.at, half).max(later(ends, -RENEW_BEFORE)))
}

/// When to try again after these tries: at once (`first`) without one, later after a fault, never after a decline.
fn retry_at(tries: &[&Attempt], first: Timestamp) -> Option<Timestamp> {
    match tries.last().map(|last| (&last.state, last.told_at.unwrap_or(last.at))) {
        None => Some(first),
        Some((State::Declined { decline }, at)) if decline.class == Class::Fault && tries.len() < TRIES => {
            Some(later(at, RETRY_AFTER))
        }
        Some(_) => None,
    }
}

impl Alert {
    /// Its word in events and answers.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Unresolved { .. } => "unresolved",
            Self::NotFinalized => "not_finalized",
            Self::Expiring { .. } => "expiring",
            Self::CaptureFailed { .. } => "capture_failed",
            Self::RefundFailed { .. } => "refund_failed",
            Self::RefundedTwice { .. } => "refunded_twice",
            Self::Missing { .. } => "missing",
            Self::Stray { .. } => "stray",
        }
    }
}

impl Payment {
    /// The alerts that were told and are still true: a person has to look.
    pub fn alerts(&self) -> impl Iterator<Item = &Alert> {
        self.alerted.iter().filter(|alert| self.still(alert))
    }

    fn still(&self, alert: &Alert) -> bool {
        match alert {
            Alert::Unresolved { attempt } => self.attempt(*attempt).is_some_and(|one| one.state.is_open()),
            Alert::NotFinalized => !self.finalized && self.closed.is_none(),
            Alert::Expiring { authorization } => {
                let holds = self.in_force().or_else(|| self.lapsed_early());
                holds.is_some_and(|held| held.number == *authorization)
            }
            Alert::CaptureFailed { attempt } => {
                let of = self.attempt(*attempt).and_then(Attempt::captures);
                // Another try has not taken it yet.
                let taken = |one: &Attempt| {
                    matches!(one.state, State::Captured { .. })
                        || one.captures() == of && one.state.is_success()
                };
                self.closed.is_none() && !self.attempts.iter().any(taken)
            }
            Alert::RefundFailed { refund } => {
                let failed = |held: &Refund| matches!(self.refund_stage(held), RefundStage::Failed { .. });
                self.refund(*refund).is_some_and(failed)
            }
            Alert::RefundedTwice { refund } => {
                self.refund(*refund).is_some_and(|refund| self.arrived(refund).len() > 1)
            }
            Alert::Missing { amount } => *amount == self.missing(),
            Alert::Stray { amount } => *amount == self.awaits_approval(),
        }
    }
}

/// The step of a duty. The gateway is asked, and the order told again, without one: nothing new.
pub fn take_up(payment: &Payment, duty: &Duty, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match duty {
        Duty::Ask { .. } | Duty::Finalize => Ok(Decision::Already),
        Duty::Void { authorization } => begin_void(payment, *authorization, now),
        Duty::Renew { .. } => begin_authorize(payment, None, now),
        Duty::Capture { attempt } => match payment.attempt(*attempt).map(|one| (&one.call, one.amount)) {
            Some((Call::Capture { part, last, .. }, amount)) => {
                begin_capture(payment, *part, amount, *last, now)
            }
            Some((Call::Authorize | Call::Void { .. } | Call::Refund { .. }, _)) | None => {
                Err(Refused::NoAttempt(*attempt))
            }
        },
        Duty::Refund { refund } => begin_refund(payment, *refund, now),
        Duty::Alert(what) => Ok(alert(payment, what.clone(), now)),
    }
}

/// Whether its order may have waited for what is new: a call that had come to nothing has gone well after all, or
/// another authorization holds. It is looked at at once, or nobody would do what that makes possible, or due.
pub fn concerns_order(before: &Payment, after: &Payment) -> bool {
    let wanted = after.finalized && after.invoice.is_none() && after.closed.is_none();
    let late = |one: &Attempt| match before.attempt(one.number).map(|was| &was.state) {
        Some(State::GivenUp { .. } | State::Declined { .. }) => !matches!(one.call, Call::Refund { .. }),
        // Whoever has called or asks goes on by itself; after the last question nobody does.
        Some(State::Open { asked, .. }) => one.is_authorize() || next_ask(*asked).is_none(),
        Some(State::Promised | State::Approved { .. } | State::Captured { .. }) | None => false,
    };
    wanted && before.finalized && after.attempts.iter().any(|one| one.state.is_success() && late(one))
}

/// When the payment is looked at next; what is due by now counts as now, unless its time is over. None: nothing will
/// happen by itself. That its order is told again goes along with the alert that it did not listen.
pub fn next_look(payment: &Payment, gateway: Capabilities, now: Timestamp) -> Option<Timestamp> {
    let agenda = agenda(payment, gateway).into_iter().map(|(at, duty)| (at.max(now), duty));
    let able = agenda.filter(|(at, duty)| *duty != Duty::Finalize && take_up(payment, duty, *at).is_ok());
    able.map(|(at, _)| at).min()
}

/// Everything that is due some time if nothing else happens, the earliest first. An alert that was told is none.
pub fn agenda(payment: &Payment, gateway: Capabilities) -> Vec<(Timestamp, Duty)> {
    let mut due = Vec::new();
    due.extend(payment.attempts.iter().filter_map(|attempt| question(payment, attempt)));
    releases(payment, &mut due);
    renewal(payment, gateway, &mut due);
    captures(payment, &mut due);
    refunds(payment, &mut due);
    let brings = |one: &&Attempt| payment.is_live(one) || payment.captured_on(one) > 0;
    let first = payment.authorizations().filter(brings).filter_map(|one| one.told_at).min();
    if let (false, None, Some(first)) = (payment.finalized, payment.closed, first) {
        due.push((first, Duty::Finalize));
        due.push((later(first, FINALIZE_LIMIT), Duty::Alert(Alert::NotFinalized)));
    }
    let news = payment.attempts.iter().filter_map(|attempt| attempt.told_at).max();
    let news = news.unwrap_or(payment.created_at);
    let (missing, stray) = (payment.missing(), payment.awaits_approval());
    if missing.minor > 0 {
        due.push((news, Duty::Alert(Alert::Missing { amount: missing })));
    }
    if stray.minor > 0 {
        due.push((news, Duty::Alert(Alert::Stray { amount: stray })));
    }
    due.retain(|(_, duty)| !matches!(duty, Duty::Alert(alert) if payment.alerted.contains(alert)));
    due.sort_by_key(|(at, _)| *at);
    due
}

fn question(payment: &Payment, attempt: &Attempt) -> Option<(Timestamp, Duty)> {
    let State::Open { asked, .. } = attempt.state else { return None };
    if attempt.is_authorize() && payment.is_over(attempt) {
        return None;
    }
    let (number, ask) = (attempt.number, asked.times.saturating_add(1));
    Some(match next_ask(asked) {
        Some(at) => (at, Duty::Ask { attempt: number, ask }),
        None => (asked.last, Duty::Alert(Alert::Unresolved { attempt: number })),
    })
}

/// Authorizations that are too much, and customers who have gone.
fn releases(payment: &Payment, due: &mut Vec<(Timestamp, Duty)>) {
    let kept = payment.in_force().filter(|_| payment.closed.is_none() && payment.left().minor > 0);
    let busy = |one: &Attempt| payment.on(one.number).any(|on| on.state.is_open());
    let held = kept.map(|held| held.number);
    for one in payment.authorizations().filter(|one| !payment.is_over(one) && !busy(one)) {
        let first = match (&one.state, payment.closed) {
            (State::Approved { .. }, _) if payment.is_live(one) && held != Some(one.number) => {
                Some(one.told_at.unwrap_or(one.at))
            }
            (State::Promised, Some(closed)) => Some(closed.at),
            (State::Open { waits: Waits::Customer { .. }, .. }, None) => {
                let away = payment.invoice.is_some() && payment.is_off_session(one);
                Some(later(one.at, if away { ACTION_LIMIT_AWAY } else { ACTION_LIMIT }))
            }
            (State::Open { waits: Waits::Customer { .. }, .. }, Some(closed)) => Some(closed.at),
            (
                State::Approved { .. }
                | State::Promised
                | State::Open { waits: Waits::Answer | Waits::Question, .. }
                | State::GivenUp { .. }
                | State::Declined { .. }
                | State::Captured { .. },
                _,
            ) => None,
        };
        let tries: Vec<&Attempt> =
            payment.on(one.number).filter(|on| matches!(on.call, Call::Void { .. })).collect();
        let at = first.and_then(|first| retry_at(&tries, first));
        let at = at.filter(|at| begin_void(payment, one.number, *at).is_ok());
        due.extend(at.map(|at| (at, Duty::Void { authorization: one.number })));
    }
}

fn renewal(payment: &Payment, gateway: Capabilities, due: &mut Vec<(Timestamp, Duty)>) {
    // An open capture may have taken its share already; what is left is renewed when that is known.
    if payment.pending() > 0 || payment.open_authorization().is_some() {
        return;
    }
    let ends = match payment.in_force() {
        Some(held) if payment.is_short(held) => Some((held, held.told_at.unwrap_or(held.at))),
        Some(held) => renew_at(held).filter(|_| payment.left().minor > 0).map(|at| (held, at)),
        None => payment.lapsed_early().map(|lapsed| (lapsed, lapsed.told_at.unwrap_or(lapsed.at))),
    };
    let Some((held, at)) = ends else { return };
    let authorization = held.number;
    // A newer one that was declined earlier was a second try and no renewal.
    let renews = |one: &&Attempt| one.number > authorization && one.at >= at;
    let tries: Vec<&Attempt> = payment.authorizations().filter(renews).collect();
    let able = |at: &Timestamp| gateway.renewal && begin_authorize(payment, None, *at).is_ok();
    due.push(match retry_at(&tries, at).filter(able) {
        Some(at) => (at, Duty::Renew { authorization }),
        None => (at, Duty::Alert(Alert::Expiring { authorization })),
    });
}

/// Goods have left: their money must come.
fn captures(payment: &Payment, due: &mut Vec<(Timestamp, Duty)>) {
    let parts = payment.attempts.iter().filter_map(|attempt| Some((attempt.captures()?, attempt)));
    let mut parts: Vec<(u8, &Attempt)> = parts.collect();
    parts.sort_by_key(|(part, attempt)| (*part, attempt.number));
    for tries in parts.chunk_by(|(one, _), (other, _)| one == other) {
        let tries: Vec<&Attempt> = tries.iter().map(|(_, attempt)| *attempt).collect();
        let Some(last) = tries.last().copied() else { continue };
        if payment.closed.is_some() || tries.iter().any(|one| one.state.is_open() || one.state.is_success()) {
            continue;
        }
        let told = last.told_at.unwrap_or(last.at);
        // Another authorization is another chance for what was declined; not for what may have been taken.
        let given_up = tries.iter().any(|one| matches!(one.state, State::GivenUp { .. }));
        let (tries, first) = match payment.in_force().filter(|_| !given_up) {
            Some(held) => {
                let of_this = tries.into_iter().filter(|one| one.is_on(held.number)).collect();
                (of_this, held.told_at.unwrap_or(held.at).max(told))
            }
            None => (tries, told),
        };
        let (again, failed) = (
            Duty::Capture { attempt: last.number },
            Duty::Alert(Alert::CaptureFailed { attempt: last.number }),
        );
        let Some(at) = retry_at(&tries, first) else {
            due.push((told, failed));
            continue;
        };
        match take_up(payment, &again, at) {
            Ok(Decision::New(_)) => {
                due.push((at, again));
                // Nobody was there in time to try again.
                let ends = payment.in_force().and_then(Attempt::expires_at);
                due.extend(ends.map(|ends| (ends, failed)));
            }
            // It came along, or something else is under way: that has its own end.
            Ok(Decision::Already)
            | Err(
                Refused::UnderWay(_)
                | Refused::Unknown(_)
                | Refused::WaitsForCustomer(_)
                | Refused::WaitsForTransfer(_),
            ) => {}
            Err(_) => due.push((at, failed)),
        }
    }
}

fn refunds(payment: &Payment, due: &mut Vec<(Timestamp, Duty)>) {
    for refund in &payment.refunds {
        match payment.refund_stage(refund) {
            RefundStage::Granted | RefundStage::Failed { .. } => {}
            RefundStage::Executed { .. } => {
                let again = payment.arrived(refund).get(1).map(|one| one.told_at.unwrap_or(one.at));
                let twice = Duty::Alert(Alert::RefundedTwice { refund: refund.number });
                due.extend(again.map(|at| (at, twice)));
                continue;
            }
            RefundStage::Executing | RefundStage::Unknown => continue,
        }
        let tries = payment.attempts_of(refund.number).filter(|one| one.number > refund.tries_after);
        let tries: Vec<&Attempt> = tries.collect();
        let able = |at: &Timestamp| begin_refund(payment, refund.number, *at).is_ok();
        due.push(match retry_at(&tries, refund.at).filter(able) {
            Some(at) => (at, Duty::Refund { refund: refund.number }),
            None => {
                let news = tries.iter().filter_map(|one| one.told_at).max();
                (news.unwrap_or(refund.at), Duty::Alert(Alert::RefundFailed { refund: refund.number }))
            }
        });
    }
}
