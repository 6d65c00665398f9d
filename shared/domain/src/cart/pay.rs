//! A cart while its payment is on its way, and what comes of it.
//!
//! The draft of the order is kept with the lock: what the customer has agreed to pay is what the order costs, however
//! late the gateways answer and whatever the offers cost by then (A5(5)).

use super::{Cart, Subscribing};
use crate::checkout::Stage;
use crate::discount::Redemption;
use crate::gateway::Decline;
use crate::id::OrderId;
use crate::money::Money;
use crate::order::Order;
use crate::payment::{self, Payment};
use crate::stock::{Allocation, Hold};
use jiff::{SignedDuration, Timestamp};

/// So long stock is held for a checkout; each step of it begins anew.
pub const HELD: SignedDuration = SignedDuration::from_mins(10);
/// So long it is held for a payment of which nobody knows what became: longer than the gateway is asked.
pub const PINNED: SignedDuration = SignedDuration::from_hours(8 * 24);
/// Payments that one cart may try.
pub const PAYMENTS_MAX: u8 = 40;

/// What the payments of a checkout come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The whole total is authorized or captured; or, some of it, promised.
    Secured { promised: bool },
    /// It will not come together: everything is given back, and the cart is free.
    Failed { decline: Option<Decline> },
    /// Somebody has to say something first: a gateway, or the customer.
    Waits,
}

/// Nothing is judged while an outcome is unknown (A9(1)); a decline beside a customer who is still asked decides.
pub fn verdict(total: Money, payments: &[Payment]) -> Verdict {
    let stages: Vec<payment::Stage> = payments.iter().map(Payment::stage).collect();
    let unknown = |stage: &payment::Stage| match stage {
        payment::Stage::Authorizing | payment::Stage::Unknown { .. } => true,
        payment::Stage::Created
        | payment::Stage::RequiresAction { .. }
        | payment::Stage::Promised
        | payment::Stage::Declined { .. }
        | payment::Stage::Authorized { .. }
        | payment::Stage::Captured { .. }
        | payment::Stage::Released => false,
    };
    // What is about to be given back may be gone before its order takes anything of it.
    if stages.iter().any(unknown) || payments.iter().any(Payment::is_being_released) {
        return Verdict::Waits;
    }
    let (mut asked, mut promised) = (false, false);
    for stage in stages {
        match stage {
            payment::Stage::Declined { decline } => return Verdict::Failed { decline },
            payment::Stage::Created | payment::Stage::Released => return Verdict::Failed { decline: None },
            payment::Stage::RequiresAction { .. } => asked = true,
            payment::Stage::Promised => promised = true,
            payment::Stage::Authorizing
            | payment::Stage::Unknown { .. }
            | payment::Stage::Authorized { .. }
            | payment::Stage::Captured { .. } => {}
        }
    }
    let secured = Money::sum(total.currency, payments.iter().map(Payment::secured));
    match secured {
        _ if asked => Verdict::Waits,
        Ok(secured) if secured == total => Verdict::Secured { promised },
        Ok(_) | Err(_) => Verdict::Failed { decline: None },
    }
}

impl Cart {
    /// Whether its stock is held just as it is wanted, and for certain still.
    pub fn is_held(&self, offers: &[crate::catalog::Offer], now: Timestamp) -> bool {
        let wanted = self.wanted(offers);
        let held = |hold: &&Hold| wanted.iter().any(|(offer, _)| offer.id == hold.offer);
        let all = wanted.iter().all(|(offer, units)| {
            let of = self.holds.iter().filter(|hold| hold.offer == offer.id);
            of.fold(0_u32, |sum, hold| sum.saturating_add(hold.quantity)) == *units
        });
        all && self.holds.iter().all(|hold| held(&hold)) && self.held_until.is_some_and(|until| now < until)
    }

    /// With stock that is held for it.
    #[must_use]
    pub fn holding(self, holds: Vec<Hold>, until: Timestamp) -> Self {
        let held_until = (!holds.is_empty()).then_some(until);
        Self { holds, held_until, ..self }
    }

    /// The first attempts of `payments` more payments are made, for this very order.
    #[must_use]
    pub fn paying(
        &self,
        draft: Order,
        payments: u8,
        subscribes: Option<Subscribing>,
        now: Timestamp,
    ) -> Self {
        Self {
            subscribes,
            stage: Stage::Locked { since: now },
            draft: Some(Box::new(draft)),
            payments: self.payments.saturating_add(payments),
            ..self.clone()
        }
    }

    /// With its holds, which may lie elsewhere than before, as what the draft's lines are promised.
    #[must_use]
    pub fn promised(mut self) -> Self {
        for line in self.draft.iter_mut().flat_map(|draft| &mut draft.lines) {
            let of_line = self.holds.iter().filter(|hold| Some(&hold.offer) == line.offer.as_ref());
            line.allocations = line.allocations.is_some().then(|| of_line.map(Allocation::from).collect());
        }
        self
    }

    /// Uses of limited codes that were taken when it was locked, for the order that is on its way.
    pub fn redeemed(&self) -> &[Redemption] {
        self.uses(false)
    }

    /// Those that are taken when the order is placed: of one for which nothing is to be paid, so that no lock is kept.
    pub fn to_redeem(&self) -> &[Redemption] {
        self.uses(true)
    }

    fn uses(&self, for_nothing: bool) -> &[Redemption] {
        let of = |draft: &&Order| draft.total().is_ok_and(|total| (total.minor == 0) == for_nothing);
        self.draft.as_deref().filter(of).map_or(&[], Order::redemptions)
    }

    /// The payment has come to nothing: free to be changed or paid otherwise.
    #[must_use]
    pub fn unpaid(&self) -> Self {
        Self { stage: Stage::Open, draft: None, subscribes: None, ..self.clone() }
    }

    /// It has become its order, and keeps nothing but where that is.
    #[must_use]
    pub fn completed(&self, order: OrderId, now: Timestamp) -> Self {
        let place = crate::place::Place { region: None, postal: None, ..self.estimate.clone() };
        let bare = Self::open(self.id.clone(), self.currency, self.customer.clone(), place, now);
        let (payments, renews, follow_up) = (self.payments, self.renews.clone(), self.follow_up.clone());
        Self { stage: Stage::Completed { order, since: now }, payments, renews, follow_up, ..bare }
    }
}
