//! The steps of a payment: what may begin, and what is told.

use super::agenda::renew_at;
use super::{
    ATTEMPTS_MAX, AUTHORIZATIONS_MAX, Alert, Asked, Attempt, Call, Fact, Payment, REFUNDS_BY_HAND_MAX,
    REFUNDS_MAX, Refund, RefundStage, Refused, State, To, Waits, next_ask,
};
use crate::Decision;
use crate::gateway::{Class, GatewayToken, Method, Outcome};
use crate::id::{CartId, InvoiceId, OrderId, PaymentId};
use crate::money::{Money, MoneyError};
use crate::text::{Reason, Word};
use jiff::Timestamp;

/// A payment as [`crate::tender`] has planned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    pub order: OrderId,
    pub cart: Option<CartId>,
    pub invoice: Option<InvoiceId>,
    pub off_session: bool,
    /// Counted from 1 in the order.
    pub number: u8,
    pub method: Method,
    pub gateway: Word,
    pub token: Option<GatewayToken>,
    pub amount: Money,
    pub part: Option<u8>,
}

/// A payment that nothing was tried with yet.
pub fn open(opening: Opening, now: Timestamp) -> Result<Payment, Refused> {
    let Opening { order, cart, invoice, off_session, number, method, gateway, token, amount, part } = opening;
    if amount.minor <= 0 {
        return Err(Refused::NoAmount);
    }
    Ok(Payment {
        id: PaymentId::of(&order, number),
        order,
        cart,
        // An invoice's payment is told in one transaction with the invoice.
        finalized: invoice.is_some(),
        invoice,
        off_session,
        method,
        gateway,
        token,
        amount,
        part,
        created_at: now,
        attempts: Vec::new(),
        refunds: Vec::new(),
        closed: None,
        alerted: Vec::new(),
    })
}

/// Why nothing like an open attempt may begin beside it.
fn barred_by(attempt: &Attempt) -> Refused {
    match &attempt.state {
        State::Open { waits: Waits::Customer { .. }, .. } => Refused::WaitsForCustomer(attempt.number),
        State::Open { waits: Waits::Question, .. } => Refused::Unknown(attempt.number),
        State::Promised => Refused::WaitsForTransfer(attempt.number),
        State::Open { waits: Waits::Answer, .. }
        | State::GivenUp { .. }
        | State::Declined { .. }
        | State::Approved { .. }
        | State::Captured { .. } => Refused::UnderWay(attempt.number),
    }
}

impl Payment {
    fn must_be_wanted(&self) -> Result<(), Refused> {
        if self.closed.is_some() { Err(Refused::Closed) } else { Ok(()) }
    }

    /// Refuses while an attempt of this kind is open (A9(1)).
    fn must_be_settled(&self, kind: impl Fn(&Attempt) -> bool) -> Result<(), Refused> {
        let open = self.attempts.iter().find(|attempt| kind(attempt) && attempt.state.is_open());
        open.map_or(Ok(()), |attempt| Err(barred_by(attempt)))
    }

    fn begin(
        &self,
        call: Call,
        amount: Money,
        token: Option<GatewayToken>,
        now: Timestamp,
    ) -> Result<Decision<Fact>, Refused> {
        let last = self.attempts.last().map_or(0, |attempt| attempt.number);
        if self.attempts.len() >= ATTEMPTS_MAX {
            return Err(Refused::AttemptCount);
        }
        let attempt = Attempt {
            number: last.saturating_add(1),
            call,
            amount,
            at: now,
            reference: None,
            state: State::Open { waits: Waits::Answer, asked: Asked::never(now) },
            told_at: None,
            lapsed: false,
            contradicted: false,
            attended: false,
        };
        Ok(Decision::New(Fact::Begun { attempt, token }))
    }
}

/// The same with the customer there, who can confirm it.
#[must_use]
pub fn attended(begun: Decision<Fact>) -> Decision<Fact> {
    match begun {
        Decision::New(Fact::Begun { attempt, token }) => {
            Decision::New(Fact::Begun { attempt: Attempt { attended: true, ..attempt }, token })
        }
        other @ (Decision::New(_) | Decision::Already) => other,
    }
}

/// Asks for what is not captured yet: the first time, after a decline (with another token where it was for good), or
/// again when the authorization in force is about to end or has too little room. One that is good enough is no news.
pub fn begin_authorize(
    payment: &Payment,
    token: Option<GatewayToken>,
    now: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    payment.must_be_wanted()?;
    if let Some(open) = payment.open_authorization() {
        return Err(barred_by(open));
    }
    let rest = payment.uncaptured();
    let holds = |held: &Attempt| renew_at(held).is_none_or(|at| now < at) && !payment.is_short(held);
    if rest.minor <= 0 || payment.in_force().is_some_and(holds) {
        return Ok(Decision::Already);
    }
    payment.must_be_settled(Attempt::is_capture)?;
    let last = payment.authorizations().next_back().map(|last| &last.state);
    let for_good = matches!(last, Some(State::Declined { decline }) if decline.class == Class::Hard);
    if for_good && (token.is_none() || token == payment.token) {
        return Err(Refused::DeclinedForGood);
    }
    if payment.authorizations().count() >= AUTHORIZATIONS_MAX {
        return Err(Refused::AttemptCount);
    }
    payment.begin(Call::Authorize, rest, token, now)
}

/// Takes what the merchant order `part` costs, once. What came along with the authorization needs no capture.
pub fn begin_capture(
    payment: &Payment,
    part: u8,
    amount: Money,
    last: bool,
    now: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    payment.must_be_wanted()?;
    if amount.minor <= 0 {
        return Err(Refused::NoAmount);
    }
    if let Some(own) = payment.part.filter(|own| *own != part) {
        return Err(Refused::OtherPart(own));
    }
    let of_part = |attempt: &Attempt| matches!(attempt.call, Call::Capture { part: of, .. } if of == part);
    payment.must_be_settled(of_part)?;
    if let Some(done) = payment.attempts.iter().find(|one| of_part(one) && one.state.is_success()) {
        let captured = done.amount;
        let differs = Refused::CaptureDiffers { part, captured, asked: amount };
        return if captured == amount { Ok(Decision::Already) } else { Err(differs) };
    }
    if payment.authorizations().any(|one| matches!(one.state, State::Captured { .. })) {
        return Ok(Decision::Already);
    }
    if let Some(open) = payment.open_authorization() {
        return Err(barred_by(open));
    }
    let held = payment.in_force().ok_or(Refused::NotAuthorized)?;
    // What ends the authorization and what takes from it never run side by side.
    let ends = |one: &Attempt| matches!(one.call, Call::Void { .. } | Call::Capture { last: true, .. });
    payment.must_be_settled(|one| one.is_on(held.number) && (last || ends(one)))?;
    if let Some(ended) = held.expires_at().filter(|ends| *ends <= now) {
        return Err(Refused::Expired(ended));
    }
    let left = payment.left();
    if amount.minus(left)?.minor > 0 {
        return Err(Refused::ExceedsAuthorized { asked: amount, left });
    }
    payment.begin(Call::Capture { authorization: held.number, part, last }, amount, None, now)
}

/// Gives up what an authorization may still take: nothing more ships, another one holds, the customer has gone.
pub fn begin_void(payment: &Payment, authorization: u16, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    let held = payment.attempt(authorization).filter(|held| held.is_authorize());
    let held = held.ok_or(Refused::NoAttempt(authorization))?;
    payment.must_be_settled(|attempt| attempt.is_on(authorization))?;
    let ends = match &held.state {
        State::Open { waits: Waits::Answer | Waits::Question, .. } if !held.lapsed => {
            return Err(barred_by(held));
        }
        State::Open { .. } | State::Promised => !payment.is_over(held),
        State::Approved { .. } => payment.is_live(held),
        State::GivenUp { .. } | State::Declined { .. } | State::Captured { .. } => false,
    };
    if !ends {
        return Ok(Decision::Already);
    }
    let rest = held.amount.minor.saturating_sub(payment.captured_on(held));
    payment.begin(Call::Void { authorization }, Money { minor: rest, ..held.amount }, None, now)
}

/// A refund to be granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub cause: Word,
    pub amount: Money,
    pub to: To,
    pub reason: Reason,
    pub by: String,
    /// Approves the return of money that fits nothing.
    pub stray: bool,
}

/// Somebody decides by hand that money goes back, as [`grant`] has it.
pub fn grant_by_hand(payment: &Payment, asked: Grant, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match grant(payment, asked, now)? {
        Decision::New(_) if payment.refunds.len() >= REFUNDS_BY_HAND_MAX => Err(Refused::RefundCount),
        decision @ (Decision::New(_) | Decision::Already) => Ok(decision),
    }
}

/// It is decided that money goes back. It is executed apart, by [`begin_refund`].
pub fn grant(payment: &Payment, grant: Grant, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    let Grant { cause, amount, to, reason, by, stray } = grant;
    let same = payment.refunds.iter().filter(|refund| refund.cause == cause).map(|refund| refund.amount);
    let granted = Money::sum(payment.amount.currency, same)?;
    if granted.minor > 0 {
        let differs = Refused::RefundDiffers { granted, asked: amount };
        return if granted == amount { Ok(Decision::Already) } else { Err(differs) };
    }
    if amount.minor <= 0 {
        return Err(Refused::NoAmount);
    }
    let left = if stray { payment.awaits_approval() } else { payment.refundable() };
    if amount.minus(left)?.minor > 0 {
        return Err(Refused::ExceedsCaptured { asked: amount, left });
    }
    // The order's money came first, what fits nothing came last.
    let mut sources: Vec<&Attempt> = payment.authorizations().collect();
    if stray {
        sources.reverse();
    }
    let (mut refunds, mut rest) = (Vec::new(), amount.minor);
    let mut number = payment.refunds.last().map_or(0, |refund| refund.number);
    for source in sources {
        let given = payment.refunds.iter().filter(|refund| refund.authorization == source.number);
        let given = given.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor));
        let take = payment.captured_on(source).saturating_sub(given).min(rest);
        if take <= 0 {
            continue;
        }
        rest = rest.saturating_sub(take);
        number = number.saturating_add(1);
        refunds.push(Refund {
            number,
            cause: cause.clone(),
            authorization: source.number,
            amount: Money { minor: take, ..amount },
            to,
            reason: reason.clone(),
            by: by.clone(),
            at: now,
            stray,
            tries_after: 0,
        });
    }
    if payment.refunds.len().saturating_add(refunds.len()) > REFUNDS_MAX {
        return Err(Refused::RefundCount);
    }
    Ok(Decision::New(Fact::Granted { refunds }))
}

fn refund_of(payment: &Payment, number: u16) -> Result<(&Refund, RefundStage), Refused> {
    let refund = payment.refund(number).ok_or(Refused::NoRefund(number))?;
    payment.must_be_settled(|attempt| attempt.call == Call::Refund { refund: number })?;
    Ok((refund, payment.refund_stage(refund)))
}

/// Sends a granted refund on its way, for the first time or after it failed.
pub fn begin_refund(payment: &Payment, refund: u16, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match refund_of(payment, refund)? {
        (_, RefundStage::Executed { .. }) => Ok(Decision::Already),
        (
            held,
            RefundStage::Granted | RefundStage::Executing | RefundStage::Unknown | RefundStage::Failed { .. },
        ) => payment.begin(Call::Refund { refund }, held.amount, None, now),
    }
}

/// Where the original method takes nothing back, the customer gets store credit.
pub fn redirect(payment: &Payment, refund: u16, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    match refund_of(payment, refund)? {
        (Refund { to: To::StoreCredit, .. }, _) => Ok(Decision::Already),
        (_, RefundStage::Executed { .. }) => Err(Refused::Executed),
        (
            _,
            RefundStage::Granted | RefundStage::Executing | RefundStage::Unknown | RefundStage::Failed { .. },
        ) => Ok(Decision::New(Fact::Redirected { refund, at: now })),
    }
}

/// What is told of an attempt, by response, webhook or question number `ask`. It cannot be refused; an error means
/// that it is not this payment's. News is what changes something.
pub fn settle(
    payment: &Payment,
    attempt: u16,
    outcome: Outcome,
    ask: Option<u8>,
    now: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    payment.attempt(attempt).ok_or(Refused::NoAttempt(attempt))?;
    if let Outcome::Captured { amount, .. } = &outcome
        && amount.currency != payment.amount.currency
    {
        let (left, right) = (payment.amount.currency, amount.currency);
        return Err(MoneyError::Mixed { left, right }.into());
    }
    let fact = Fact::Told { attempt, outcome, ask, at: now };
    let changes = payment.clone().apply(&fact) != *payment;
    Ok(if changes { Decision::New(fact) } else { Decision::Already })
}

/// An operator goes on without an answer, after the last question. If the money comes all the same it finds its
/// place, or awaits approval to go back.
pub fn give_up(
    payment: &Payment,
    attempt: u16,
    reason: Reason,
    by: String,
    now: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    let held = payment.attempt(attempt).ok_or(Refused::NoAttempt(attempt))?;
    match &held.state {
        State::Open { asked, .. } if next_ask(*asked).is_some() => Err(Refused::StillAsked(attempt)),
        State::Promised => Err(Refused::WaitsForTransfer(attempt)),
        State::Open { .. } => Ok(Decision::New(Fact::GivenUp { attempt, reason, by, at: now })),
        State::GivenUp { .. } | State::Declined { .. } | State::Approved { .. } | State::Captured { .. } => {
            Ok(Decision::Already)
        }
    }
}

/// The order has taken note of its money, or of the promise of it.
pub fn finalize(payment: &Payment, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    payment.must_be_wanted()?;
    if payment.finalized {
        return Ok(Decision::Already);
    }
    if payment.secured().minor == 0 {
        Err(Refused::NotAuthorized)
    } else {
        Ok(Decision::New(Fact::Finalized { at: now }))
    }
}

/// Nothing more is wanted. Gives nothing back by itself: what is authorized gets due for a void, what comes from now
/// on, or came without its order ever knowing, awaits approval.
pub fn close(payment: &Payment, now: Timestamp) -> Decision<Fact> {
    if payment.closed.is_some() { Decision::Already } else { Decision::New(Fact::Closed { at: now }) }
}

/// A person is told, once.
pub fn alert(payment: &Payment, alert: Alert, now: Timestamp) -> Decision<Fact> {
    if payment.alerted.contains(&alert) {
        Decision::Already
    } else {
        Decision::New(Fact::Alerted { alert, at: now })
    }
}
