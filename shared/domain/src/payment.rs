//! A payment: an order's money by one method, from its authorization to captures and refunds.
//!
//! 1. Every call to a gateway is an [`Attempt`]: `begin_*` commits it, its id is the idempotency key of the call.
//! 2. `settle` takes what is told of it, by response, webhook or question. What has happened cannot be refused.
//! 3. The [`Stage`] and all sums are derived from the attempts and never stored.
//!
//! Tellings are joined, so that neither their order nor their repetition makes a difference (A9(4)): the one further
//! right holds, and of two captured amounts the larger.
//! `in flight < unknown < waits for the customer < promised < given up < declined < approved < captured`
//! So success after an unknown outcome, or even after a decline, wins; a decline after success is ignored, but of a
//! refund: it has come back, and is owed again. Where both were told the attempt is `contradicted`.
//!
//! Invariants: while an attempt is open none of the same kind begins (A9(1)); Σ captures ≤ their authorization,
//! Σ refunds ≤ captured (A9(3)); money goes back only where somebody granted it (A9(5)). Money that fits nothing,
//! because the payment is closed, or more than its amount came, or a merchant order's twice, is a refund that awaits
//! approval.
//! Absent on purpose: how many payments an order has and who pays which part ([`crate::tender`]), and the call itself.

mod agenda;
mod steps;
mod sums;
pub use agenda::{Alert, Asked, Duty, agenda, concerns_order, next_ask, next_look, take_up};
pub use steps::{
    Grant, Opening, alert, attended, begin_authorize, begin_capture, begin_refund, begin_void, close,
    finalize, give_up, grant, grant_by_hand, open, redirect, settle,
};

use crate::gateway::{Decline, GatewayToken, Method, Outcome, Request};
use crate::id::{AttemptId, CartId, InvoiceId, OrderId, PaymentId};
use crate::ledger::{Posting, Unbalanced};
use crate::money::{Money, MoneyError};
use crate::text::{Reason, WebAddress, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Calls of one payment; an item holds them all.
pub const ATTEMPTS_MAX: usize = 400;
/// Authorizations of one payment, renewals included: nobody tries stolen cards here.
pub const AUTHORIZATIONS_MAX: usize = 10;
/// Refunds of one payment: what becomes of its goods has as much room again as what somebody gives by hand.
pub const REFUNDS_MAX: usize = 200;
pub const REFUNDS_BY_HAND_MAX: usize = 100;
/// So long a call may be under way: as long as a function runs at the most.
const CALLED: SignedDuration = SignedDuration::from_secs(60);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub id: PaymentId,
    pub order: OrderId,
    /// The cart whose checkout waits for it, or has waited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cart: Option<CartId>,
    /// The invoice that it pays alone, and no order: captured along with its authorization, in one transaction with the
    /// invoice, so that the invoice always knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<InvoiceId>,
    /// Its customer is not there, but for attempts that say so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_session: bool,
    pub method: Method,
    pub gateway: Word,
    /// That of the last authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<GatewayToken>,
    pub amount: Money,
    /// The merchant order that it pays alone, where the gateway captures once per authorization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<u8>,
    pub created_at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refunds: Vec<Refund>,
    /// The order knows of the money.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub finalized: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Closed>,
    /// What a person was told to look at; each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerted: Vec<Alert>,
}

/// Nothing more is wanted of the payment: its order is canceled or paid otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub at: Timestamp,
    /// What was captured for the order until then; more fits nothing.
    pub kept: Money,
}

/// One call to the gateway, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counted from 1 in the payment.
    pub number: u16,
    pub call: Call,
    pub amount: Money,
    pub at: Timestamp,
    /// What the gateway calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Word>,
    pub state: State,
    /// When the state was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    /// The authorization has ended at the gateway; what was captured stays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lapsed: bool,
    /// Both success and decline were told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub contradicted: bool,
    /// The customer has come, though the payment was begun without.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub attended: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
pub enum Call {
    Authorize,
    /// What the merchant order `part` is worth. `last`: the rest of the authorization is released.
    Capture {
        authorization: u16,
        part: u8,
        last: bool,
    },
    Void {
        authorization: u16,
    },
    Refund {
        refund: u16,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum State {
    /// Nothing is certain; the gateway is asked.
    Open {
        waits: Waits,
        asked: Asked,
    },
    /// A bank transfer is announced.
    Promised,
    /// The gateway could not say, and a person has decided to go on without an answer.
    GivenUp {
        by: String,
        reason: Reason,
    },
    Declined {
        decline: Decline,
    },
    Approved {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// The money came along with the authorization.
    Captured {
        amount: Money,
    },
}

/// What an open attempt waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
pub enum Waits {
    /// The answer to the call.
    Answer,
    /// There was none, or one that said nothing.
    Question,
    Customer {
        url: WebAddress,
    },
}

/// Money to go back, granted by somebody; executed when an attempt for it is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refund {
    /// Counted from 1 in the payment.
    pub number: u16,
    /// What it is for; a grant for the same cause is the same grant.
    pub cause: Word,
    /// The attempt whose captured money goes back.
    pub authorization: u16,
    pub amount: Money,
    pub to: To,
    pub reason: Reason,
    pub by: String,
    pub at: Timestamp,
    /// Of money that fitted nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stray: bool,
    /// Attempts up to this one were made before it was redirected, and say nothing of the new way.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub tries_after: u16,
}

fn is_zero(count: &u16) -> bool {
    *count == 0
}

/// Where a refund goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum To {
    Original,
    StoreCredit,
}

/// Where the payment stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Created,
    Authorizing,
    RequiresAction {
        url: WebAddress,
    },
    /// Without a next question it is for an operator to decide.
    Unknown {
        asked: u8,
        next_ask: Option<Timestamp>,
    },
    Promised,
    /// None: given up without an answer.
    Declined {
        decline: Option<Decline>,
    },
    Authorized {
        until: Option<Timestamp>,
        captured: Money,
    },
    Captured {
        amount: Money,
    },
    /// Voided or lapsed, with nothing captured.
    Released,
}

/// Where a refund stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum RefundStage {
    Granted,
    Executing,
    Unknown,
    Executed {
        since: Timestamp,
    },
    /// May be tried again, or redirected to store credit.
    Failed {
        decline: Option<Decline>,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Begun {
        attempt: Attempt,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        token: Option<GatewayToken>,
    },
    /// `ask`: the outcome answers our question of that number.
    Told {
        attempt: u16,
        outcome: Outcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ask: Option<u8>,
        at: Timestamp,
    },
    GivenUp {
        attempt: u16,
        reason: Reason,
        by: String,
        at: Timestamp,
    },
    /// One refund for each authorization that the money comes from.
    Granted {
        refunds: Vec<Refund>,
    },
    Redirected {
        refund: u16,
        at: Timestamp,
    },
    Finalized {
        at: Timestamp,
    },
    Closed {
        at: Timestamp,
    },
    /// A person is told to look at it.
    Alerted {
        alert: Alert,
        at: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a payment is of more than zero")]
    NoAmount,
    #[error("the payment is closed: its order is canceled or paid otherwise")]
    Closed,
    #[error("attempt {0} is under way")]
    UnderWay(u16),
    #[error("the outcome of attempt {0} is unknown: the gateway will be asked before anything else happens")]
    Unknown(u16),
    #[error("attempt {0} waits for the customer: it is confirmed or voided first")]
    WaitsForCustomer(u16),
    #[error("attempt {0} waits for a transfer: it arrives or is voided first")]
    WaitsForTransfer(u16),
    #[error("this means of payment was declined for good: take another one")]
    DeclinedForGood,
    #[error("the payment has no authorization")]
    NotAuthorized,
    #[error("the authorization ended at {0}: renew it first")]
    Expired(Timestamp),
    #[error("{asked} is more than the {left} that can be captured")]
    ExceedsAuthorized { asked: Money, left: Money },
    #[error("this payment is for merchant order {0} alone")]
    OtherPart(u8),
    #[error("{captured} is captured for merchant order {part}, not {asked}")]
    CaptureDiffers { part: u8, captured: Money, asked: Money },
    #[error("{asked} is more than the {left} that can be refunded")]
    ExceedsCaptured { asked: Money, left: Money },
    #[error("{granted} is granted for this cause, not {asked}")]
    RefundDiffers { granted: Money, asked: Money },
    #[error("the payment has no attempt {0} of this kind")]
    NoAttempt(u16),
    #[error("the payment has no refund {0}")]
    NoRefund(u16),
    #[error("the refund is executed")]
    Executed,
    #[error("store credit needs an account: a guest's order is claimed first")]
    NoAccount,
    #[error("the gateway is still being asked what became of attempt {0}")]
    StillAsked(u16),
    #[error("a payment has at most {ATTEMPTS_MAX} attempts, {AUTHORIZATIONS_MAX} of them authorizations")]
    AttemptCount,
    #[error("a payment has at most {REFUNDS_MAX} refunds, by hand no more than {REFUNDS_BY_HAND_MAX}")]
    RefundCount,
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl State {
    /// The order of the join, but for refunds; what is told with a lower or the same rank changes nothing.
    fn rank(&self) -> (u8, i64) {
        match self {
            Self::Open { waits: Waits::Answer, .. } => (0, 0),
            Self::Open { waits: Waits::Question, .. } => (1, 0),
            Self::Open { waits: Waits::Customer { .. }, .. } => (2, 0),
            Self::Promised => (3, 0),
            Self::GivenUp { .. } => (4, 0),
            Self::Declined { .. } => (5, 0),
            Self::Approved { expires_at } => (6, expires_at.map_or(0, Timestamp::as_second)),
            Self::Captured { amount } => (7, amount.minor),
        }
    }

    pub(crate) fn is_success(&self) -> bool {
        self.rank().0 >= 6
    }

    pub fn is_open(&self) -> bool {
        self.rank().0 <= 3
    }
}

impl Attempt {
    pub fn id(&self, payment: &PaymentId) -> AttemptId {
        AttemptId::of(payment, self.number)
    }

    /// Whether its call may still be under way. Nobody asks what became of it then: a gateway that has not heard of it
    /// yet says that it never came.
    pub fn is_under_way(&self, now: Timestamp) -> bool {
        let over = self.at.saturating_add(CALLED).unwrap_or(self.at);
        matches!(self.state, State::Open { waits: Waits::Answer, .. }) && now < over
    }

    fn is_authorize(&self) -> bool {
        matches!(self.call, Call::Authorize)
    }

    /// The authorization that it captures from or voids.
    fn is_on(&self, authorization: u16) -> bool {
        match self.call {
            Call::Capture { authorization: on, .. } | Call::Void { authorization: on } => on == authorization,
            Call::Authorize | Call::Refund { .. } => false,
        }
    }

    fn expires_at(&self) -> Option<Timestamp> {
        if let State::Approved { expires_at } = self.state { expires_at } else { None }
    }

    fn is_capture(&self) -> bool {
        self.captures().is_some()
    }

    /// The merchant order that it captures.
    pub(crate) fn captures(&self) -> Option<u8> {
        match self.call {
            Call::Capture { part, .. } => Some(part),
            Call::Authorize | Call::Void { .. } | Call::Refund { .. } => None,
        }
    }

    /// The state that an outcome tells. Only an authorization waits for a customer or a transfer, lapses, or brings
    /// money along; of another call such words say that nothing is certain yet, or nothing new.
    fn told(&self, outcome: &Outcome) -> Option<(State, Option<Word>)> {
        let asked = if let State::Open { asked, .. } = &self.state { *asked } else { Asked::never(self.at) };
        let open = |waits| State::Open { waits, asked };
        Some(match (outcome.clone(), self.is_authorize()) {
            (Outcome::Unknown, _) => (open(Waits::Question), None),
            (Outcome::RequiresAction { reference, .. } | Outcome::Promised { reference }, false) => {
                (open(Waits::Question), Some(reference))
            }
            (Outcome::RequiresAction { reference, url }, true) => {
                (open(Waits::Customer { url }), Some(reference))
            }
            (Outcome::Promised { reference }, true) => (State::Promised, Some(reference)),
            (Outcome::Approved { reference, expires_at }, true) => {
                (State::Approved { expires_at }, Some(reference))
            }
            (Outcome::Approved { reference, .. } | Outcome::Captured { reference, .. }, false) => {
                (State::Approved { expires_at: None }, Some(reference))
            }
            (Outcome::Captured { reference, amount }, true) => (State::Captured { amount }, Some(reference)),
            (Outcome::Declined { decline }, _) => (State::Declined { decline }, None),
            (Outcome::Lapsed, _) => return None,
        })
    }

    /// The order of the join. A refund that had left may come back; one that was said not to have come may have left.
    fn rank(&self, state: &State) -> (u8, i64) {
        let came_back = matches!(
            (&self.call, state),
            (Call::Refund { .. }, State::Declined { decline }) if !decline.is_not_received()
        );
        if came_back { (8, 0) } else { state.rank() }
    }

    /// Joins what is told to what is known.
    fn tell(&mut self, outcome: &Outcome, ask: Option<u8>, at: Timestamp) {
        self.lapsed |= *outcome == Outcome::Lapsed && self.is_authorize();
        if let (State::Open { asked, .. }, Some(ask)) = (&mut self.state, ask)
            && ask > asked.times
        {
            *asked = Asked { times: ask, last: at };
        }
        let Some((told, reference)) = self.told(outcome) else { return };
        if self.reference.is_none() {
            self.reference = reference;
        }
        let declined = |state: &State| matches!(state, State::Declined { .. });
        self.contradicted |=
            (declined(&self.state) && told.is_success()) || (self.state.is_success() && declined(&told));
        if self.rank(&told) > self.rank(&self.state) {
            self.state = told;
            self.told_at = Some(at);
        }
    }
}

impl Payment {
    /// Whether an authorization was asked for while its customer was not there.
    fn is_off_session(&self, attempt: &Attempt) -> bool {
        let before = |one: &Attempt| one.number < attempt.number && one.state.is_success();
        let alone = self.off_session || self.authorizations().any(before);
        alone && !attempt.attended
    }

    /// The call that a committed attempt is. None where the gateway has not named what it acts on.
    pub fn request(&self, attempt: &Attempt) -> Option<Request> {
        let (key, amount) = (attempt.id(&self.id), attempt.amount);
        let named = |number: u16| self.attempt(number).and_then(|one| one.reference.clone());
        Some(match attempt.call {
            Call::Authorize => {
                let (order, method, token) = (self.order.clone(), self.method, self.token.clone());
                let off_session = self.is_off_session(attempt);
                let capture = self.invoice.is_some();
                Request::Authorize { key, order, method, token, amount, off_session, capture }
            }
            Call::Capture { authorization, last, .. } => {
                Request::Capture { key, authorization: named(authorization)?, amount, last }
            }
            Call::Void { authorization } => Request::Void { key, authorization: named(authorization)? },
            Call::Refund { refund } => {
                let refund = self.refund(refund)?;
                match refund.to {
                    To::Original => {
                        Request::Refund { key, authorization: named(refund.authorization)?, amount }
                    }
                    To::StoreCredit => Request::Credit { key, order: self.order.clone(), amount },
                }
            }
        })
    }

    /// The question what became of an attempt. None as for [`request`](Self::request).
    pub fn question(&self, attempt: &Attempt) -> Option<Request> {
        let about = Box::new(self.request(attempt)?);
        Some(Request::Ask { reference: attempt.reference.clone(), about, called: attempt.at })
    }

    /// The only place that changes a payment. It cannot fail: the deciding is over.
    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        match fact {
            Fact::Begun { attempt, token } => {
                self.attempts.push(attempt.clone());
                if token.is_some() {
                    self.token.clone_from(token);
                }
            }
            Fact::Told { attempt, outcome, ask, at } => {
                if let Some(held) = self.attempts.iter_mut().find(|held| held.number == *attempt) {
                    held.tell(outcome, *ask, *at);
                }
            }
            Fact::GivenUp { attempt, reason, by, at } => {
                if let Some(held) = self.attempts.iter_mut().find(|held| held.number == *attempt) {
                    held.state = State::GivenUp { by: by.clone(), reason: reason.clone() };
                    held.told_at = Some(*at);
                }
            }
            Fact::Granted { refunds } => self.refunds.extend_from_slice(refunds),
            Fact::Redirected { refund, .. } => {
                if let Some(held) = self.refunds.iter_mut().find(|held| held.number == *refund) {
                    held.to = To::StoreCredit;
                    held.tries_after = self.attempts.last().map_or(0, |last| last.number);
                }
            }
            Fact::Finalized { .. } => self.finalized = true,
            Fact::Closed { at } => {
                // Money that its order never knew of fits nothing, but for what was granted as the order's.
                let known = if self.finalized { self.kept().minor } else { 0 };
                let fits = known.max(self.granted(false));
                self.closed = Some(Closed { at: *at, kept: self.money(fits) });
            }
            Fact::Alerted { alert, .. } => self.alerted.push(alert.clone()),
        }
        self
    }

    /// The movement of money that a fact is: the difference that it makes. Authorizations and voids move none.
    pub fn posting(&self, fact: &Fact) -> Result<Posting, Unbalanced> {
        let after = self.clone().apply(fact);
        let moved = self.books().into_iter().zip(after.books());
        let draft = moved.fold(Posting::draft(self.amount.currency), |draft, ((account, was), (_, is))| {
            draft.debit(account, self.money(is.saturating_sub(was)))
        });
        draft.close()
    }
}

#[cfg(test)]
pub(crate) mod tests;
