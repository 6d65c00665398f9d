//! What a payment's attempts come to: sums, stages and books. Nothing here is stored.
//!
//! Sums saturate: a payment's amounts are far below the rim, and a wrong sum must not stop what has happened.

use super::{Attempt, Call, Payment, Refund, RefundStage, Stage, State, To, Waits, next_ask};
use crate::credit::Share;
use crate::gateway::{Class, Method};
use crate::ledger::Account;
use crate::money::Money;
use crate::text::Word;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

impl Refund {
    /// Where one of its attempts brings the money: before it was redirected that was another way.
    pub fn way_of(&self, attempt: &Attempt) -> To {
        if attempt.number > self.tries_after { self.to } else { To::Original }
    }
}

impl Payment {
    pub fn attempt(&self, number: u16) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.number == number)
    }

    pub fn refund(&self, number: u16) -> Option<&Refund> {
        self.refunds.iter().find(|refund| refund.number == number)
    }

    /// The attempt that the gateway calls so.
    pub fn attempt_called(&self, reference: &Word) -> Option<&Attempt> {
        self.attempts.iter().find(|attempt| attempt.reference.as_ref() == Some(reference))
    }

    pub(super) fn authorizations(&self) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.is_authorize())
    }

    pub(super) fn on(&self, authorization: u16) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| attempt.is_on(authorization))
    }

    /// Lapsed, voided, or captured for the last time.
    pub(super) fn is_over(&self, authorization: &Attempt) -> bool {
        let ends = |attempt: &Attempt| match attempt.call {
            Call::Void { .. } => true,
            Call::Capture { last, .. } => last,
            Call::Authorize | Call::Refund { .. } => false,
        };
        authorization.lapsed || self.on(authorization.number).any(|on| on.state.is_success() && ends(on))
    }

    pub(super) fn captured_on(&self, authorization: &Attempt) -> i64 {
        let along = if let State::Captured { amount } = authorization.state { amount.minor } else { 0 };
        let captures = self.on(authorization.number).filter(|on| on.is_capture() && on.state.is_success());
        captures.fold(along, |sum, capture| sum.saturating_add(capture.amount.minor))
    }

    /// Captures whose outcome is open: they may have taken the money.
    pub(crate) fn pending(&self) -> i64 {
        let captures = self.attempts.iter().filter(|attempt| attempt.is_capture() && attempt.state.is_open());
        captures.fold(0, |sum, capture| sum.saturating_add(capture.amount.minor))
    }

    /// An authorization that can still be captured from.
    pub(super) fn is_live(&self, authorization: &Attempt) -> bool {
        matches!(authorization.state, State::Approved { .. })
            && !self.is_over(authorization)
            && self.captured_on(authorization) < authorization.amount.minor
    }

    /// Authorizations that came to nothing.
    pub fn failures(&self) -> u16 {
        let failed = |one: &&Attempt| matches!(one.state, State::Declined { .. } | State::GivenUp { .. });
        u16::try_from(self.authorizations().filter(failed).count()).unwrap_or(u16::MAX)
    }

    /// How often its customer has stood in the way, or a bank: authorizations that came to nothing, or wait for a
    /// confirmation; and what the last of them means.
    pub fn setbacks(&self) -> (u16, Option<Class>) {
        let class = |one: &Attempt| match &one.state {
            State::Declined { decline } => Some(decline.class),
            State::GivenUp { .. } => Some(Class::Fault),
            // While nobody is there to confirm, it is as if another means of payment were needed.
            State::Open { waits: Waits::Customer { .. }, .. } => Some(Class::Hard),
            State::Open { waits: Waits::Answer | Waits::Question, .. }
            | State::Promised
            | State::Approved { .. }
            | State::Captured { .. } => None,
        };
        let (count, last) = self
            .authorizations()
            .filter_map(class)
            .fold((0_u16, None), |(count, _), class| (count.saturating_add(1), Some(class)));
        (count, last)
    }

    /// Whether something has gone wrong: an attempt failed, waits for the customer, or nobody can say what became of
    /// it. Time may have gone by.
    pub fn in_trouble(&self) -> bool {
        let quiet = |one: &Attempt| matches!(one.state, State::Open { waits: Waits::Answer, .. });
        self.number() > 1 || self.attempts.len() > 1 || !self.attempts.iter().all(quiet)
    }

    /// Its number in the order or invoice, counted from 1.
    pub fn number(&self) -> u8 {
        self.id.place().map_or(1, |(_, number)| number)
    }

    /// The authorization that captures are taken from: the newest live one. An older one beside it is too much.
    pub fn in_force(&self) -> Option<&Attempt> {
        self.authorizations().rev().find(|authorization| self.is_live(authorization))
    }

    /// The authorization that has ended, or was used up, though its order still counts on it, with nothing in its
    /// place.
    pub(crate) fn lapsed_early(&self) -> Option<&Attempt> {
        let wanted = self.finalized && self.invoice.is_none() && self.closed.is_none();
        if !wanted || self.in_force().is_some() || self.uncaptured().minor == 0 {
            return None;
        }
        let approved = |one: &&Attempt| matches!(one.state, State::Approved { .. });
        let last =
            self.authorizations().rev().find(approved).filter(|one| one.lapsed || self.is_short(one))?;
        Some(last).filter(|last| !self.is_given_up(last))
    }

    /// Whether nothing more is wanted of an authorization: it was to be voided, or captured for the last time.
    fn is_given_up(&self, authorization: &Attempt) -> bool {
        let gives_up = |on: &Attempt| match on.call {
            Call::Void { .. } => true,
            Call::Capture { last, .. } => last && on.state.is_success(),
            Call::Authorize | Call::Refund { .. } => false,
        };
        self.on(authorization.number).any(gives_up)
    }

    /// Whether the authorization in force is about to be given back: nobody can count on it.
    pub fn is_being_released(&self) -> bool {
        let voids = |on: &Attempt| matches!(on.call, Call::Void { .. }) && on.state.is_open();
        self.in_force().is_some_and(|held| self.on(held.number).any(voids))
    }

    /// What its order counts on and will not come by itself: of a transfer that was declined, has ended, or was too
    /// little.
    pub fn missing(&self) -> Money {
        let wanted = self.finalized && self.invoice.is_none() && self.closed.is_none();
        let held = |one: &Attempt| match one.state {
            State::Approved { .. } => true,
            State::Promised | State::Open { .. } => !self.is_over(one),
            State::GivenUp { .. } | State::Declined { .. } | State::Captured { .. } => self.is_given_up(one),
        };
        let waits = !wanted || self.authorizations().any(held);
        if waits { self.money(0) } else { self.uncaptured() }
    }

    /// The authorization that bars another one: nobody knows yet what became of it.
    pub fn open_authorization(&self) -> Option<&Attempt> {
        self.authorizations().find(|attempt| attempt.state.is_open() && !self.is_over(attempt))
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money { minor, ..self.amount }
    }

    /// Everything that was taken from the customer.
    pub fn captured(&self) -> Money {
        self.money(self.authorizations().fold(0, |sum, one| sum.saturating_add(self.captured_on(one))))
    }

    /// What was captured and fits: no more than its amount, of each merchant order once.
    pub fn kept(&self) -> Money {
        let fits = self.closed.map_or(self.amount, |closed| closed.kept);
        self.money(self.captured().minor.saturating_sub(self.captured_twice()).min(fits.minor))
    }

    /// What of its amount was not taken.
    pub fn uncaptured(&self) -> Money {
        self.money(self.amount.minor.saturating_sub(self.kept().minor))
    }

    /// What was captured and fits nothing; it goes back when somebody approves.
    pub fn stray(&self) -> Money {
        self.money(self.captured().minor.saturating_sub(self.kept().minor))
    }

    /// What captures took of a merchant order beside another that has taken it: one was given up, or not received, and
    /// has arrived after all.
    fn captured_twice(&self) -> i64 {
        let (mut largest, mut twice) = (BTreeMap::new(), 0_i64);
        for one in self.attempts.iter().filter(|one| one.state.is_success()) {
            let Some(part) = one.captures() else { continue };
            let held = largest.entry(part).or_insert(0);
            twice = twice.saturating_add(one.amount.minor.min(*held));
            *held = one.amount.minor.max(*held);
        }
        twice
    }

    /// Whether an authorization has too little room for what is to come, because captures took from it twice.
    pub(super) fn is_short(&self, authorization: &Attempt) -> bool {
        let room = authorization.amount.minor.saturating_sub(self.captured_on(authorization));
        self.closed.is_none() && !self.is_given_up(authorization) && room < self.uncaptured().minor
    }

    pub(super) fn granted(&self, stray: bool) -> i64 {
        let refunds = self.refunds.iter().filter(|refund| refund.stray == stray);
        refunds.fold(0, |sum, refund| sum.saturating_add(refund.amount.minor))
    }

    /// What may still be granted as a refund of the order's.
    pub fn refundable(&self) -> Money {
        self.money(self.kept().minor.saturating_sub(self.granted(false)))
    }

    /// The stray money that nobody has approved to send back.
    pub fn awaits_approval(&self) -> Money {
        self.money(self.stray().minor.saturating_sub(self.granted(true)))
    }

    /// What may still be captured.
    pub fn left(&self) -> Money {
        let room = self.in_force().map_or(0, |held| held.amount.minor.saturating_sub(self.captured_on(held)));
        let left = room.min(self.uncaptured().minor).saturating_sub(self.pending()).max(0);
        self.money(if self.closed.is_some() { 0 } else { left })
    }

    /// What of its amount is authorized, promised or captured.
    pub fn secured(&self) -> Money {
        let kept = self.kept();
        if self.closed.is_some() {
            return kept;
        }
        let promised = |one: &Attempt| matches!(one.state, State::Promised) && !self.is_over(one);
        if self.authorizations().any(promised) {
            return self.amount;
        }
        let secured = kept.minor.saturating_add(self.pending()).saturating_add(self.left().minor);
        self.money(secured.min(self.amount.minor))
    }

    pub fn stage(&self) -> Stage {
        let captured = self.captured();
        if let Some(held) = self.in_force() {
            let until = held.expires_at();
            return Stage::Authorized { until, captured };
        }
        let last = self.open_authorization().or_else(|| self.authorizations().next_back());
        match last {
            _ if captured.minor > 0 => Stage::Captured { amount: captured },
            None => Stage::Created,
            Some(one) if self.is_over(one) => Stage::Released,
            Some(one) => match &one.state {
                State::Open { waits: Waits::Answer, .. } => Stage::Authorizing,
                State::Open { waits: Waits::Customer { url }, .. } => {
                    Stage::RequiresAction { url: url.clone() }
                }
                State::Open { waits: Waits::Question, asked } => {
                    Stage::Unknown { asked: asked.times, next_ask: next_ask(*asked) }
                }
                State::Promised => Stage::Promised,
                State::GivenUp { .. } => Stage::Declined { decline: None },
                State::Declined { decline } => Stage::Declined { decline: Some(decline.clone()) },
                State::Approved { .. } | State::Captured { .. } => Stage::Released,
            },
        }
    }

    pub(super) fn attempts_of(&self, refund: u16) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.iter().filter(move |attempt| attempt.call == Call::Refund { refund })
    }

    pub fn refund_stage(&self, refund: &Refund) -> RefundStage {
        let done = self.arrived(refund).first().copied();
        let Some(last) = done.or_else(|| self.attempts_of(refund.number).next_back()) else {
            return RefundStage::Granted;
        };
        match &last.state {
            State::Open { waits: Waits::Answer, .. } => RefundStage::Executing,
            State::Open { waits: Waits::Question | Waits::Customer { .. }, .. } | State::Promised => {
                RefundStage::Unknown
            }
            State::GivenUp { .. } => RefundStage::Failed { decline: None },
            State::Declined { decline } => RefundStage::Failed { decline: Some(decline.clone()) },
            State::Approved { .. } | State::Captured { .. } => {
                RefundStage::Executed { since: last.told_at.unwrap_or(last.at) }
            }
        }
    }

    /// How long the customer has waited for the money, or had to.
    pub fn refund_age(&self, refund: &Refund, now: Timestamp) -> SignedDuration {
        let stage = self.refund_stage(refund);
        let end = if let RefundStage::Executed { since } = stage { since } else { now };
        end.duration_since(refund.at)
    }

    /// The attempts that have brought a refund to its customer, the first that was heard of first: one, unless another
    /// that was given up, or not received, has arrived after all.
    pub fn arrived(&self, refund: &Refund) -> Vec<&Attempt> {
        let mut arrived: Vec<&Attempt> =
            self.attempts_of(refund.number).filter(|one| one.state.is_success()).collect();
        arrived.sort_by_key(|one| one.told_at);
        arrived
    }

    pub(super) fn executed(&self, to: To) -> i64 {
        let ways = self.refunds.iter().flat_map(|refund| {
            let ways = self.arrived(refund).into_iter().map(|one| refund.way_of(one));
            ways.map(|way| (way, refund.amount.minor))
        });
        ways.filter(|(way, _)| *way == to).fold(0, |sum, (_, minor)| sum.saturating_add(minor))
    }

    /// What the payment comes to for its customer's store credit: what its refunds have given; and where it is paid
    /// with credit, what it has taken or may still take.
    pub fn credit(&self) -> Share {
        let given = self.executed(To::StoreCredit);
        if self.method != Method::StoreCredit {
            return Share { given: self.money(given), held: self.money(0) };
        }
        let asked = self.open_authorization().filter(|_| self.closed.is_none());
        let asked = asked.map_or(0, |one| one.amount.minor);
        let held = asked.saturating_add(self.left().minor).saturating_add(self.pending());
        let back = given.saturating_add(self.executed(To::Original));
        Share { given: self.money(back.saturating_sub(self.captured().minor)), held: self.money(held) }
    }

    /// What the payment has moved so far, debits positive. `receivable` is where it meets its order: the order debits
    /// the sale and credits what it gives back there.
    pub(super) fn books(&self) -> [(Account, i64); 4] {
        let (captured, stray, kept) = (self.captured().minor, self.stray().minor, self.kept().minor);
        let (granted, original) = (self.granted(false), self.executed(To::Original));
        let credit = self.executed(To::StoreCredit);
        let money = match self.method {
            Method::Card | Method::Wallet | Method::Bnpl => Account::GatewayClearing,
            Method::BankTransfer => Account::Cash,
            Method::Voucher => Account::Vouchers,
            Method::StoreCredit => Account::StoreCredit,
        };
        let owed = stray.saturating_add(granted).saturating_sub(original).saturating_sub(credit);
        [
            (money, captured.saturating_sub(original)),
            (Account::Receivable, granted.saturating_sub(kept)),
            (Account::RefundsPayable, owed.saturating_neg()),
            (Account::StoreCredit, credit.saturating_neg()),
        ]
    }
}
