//! What people do to a subscription. Everything is a [`Step`]; a preview is one that nobody commits.

use super::bill::Bill;
use super::{Change, Ended, Means, Next, Refused, Stage, Step, Subscription, Target, Taxes};
use crate::Decision;
use crate::invoice::Cause;
use crate::money::Money;
use crate::period::{Cycle, Proration};
use crate::place::Place;
use crate::plan::Terms;
use crate::tax::id::TaxId;
use crate::text::Word;
use jiff::{SignedDuration, Timestamp};

/// So old may the moment be that a change is reckoned from: as long as somebody looks at its preview.
const AS_OF: SignedDuration = SignedDuration::from_mins(15);

/// When a change holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Reckoned from this moment; a preview says which, so that the change is what was shown.
    Now(Option<Timestamp>),
    PeriodEnd,
}

fn bare(next: Subscription, change: Change) -> Step {
    Step { next, change, document: None, goods: None }
}

impl Subscription {
    fn must_not_have_ended(&self) -> Result<(), Refused> {
        match self.stage {
            Stage::Ended { .. } => Err(Refused::Ended),
            Stage::Incomplete { .. } | Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {
                Ok(())
            }
        }
    }

    /// Trialing or active, and no renewal overdue.
    fn must_run(&self, now: Timestamp) -> Result<(), Refused> {
        match self.stage {
            Stage::Incomplete { .. } => Err(Refused::Incomplete),
            Stage::Paused { .. } => Err(Refused::Paused),
            Stage::Ended { .. } => Err(Refused::Ended),
            Stage::Trialing { .. } | Stage::Active => match self.due_at()? {
                Some(due) if due <= now => Err(Refused::RenewalDue),
                Some(_) | None => Ok(()),
            },
        }
    }

    /// The moment that a change is reckoned from. Never before what it would take back: a clock that was set back must
    /// not credit more than was charged.
    fn moment(&self, as_of: Option<Timestamp>, now: Timestamp) -> Result<Timestamp, Refused> {
        let at = as_of.unwrap_or(now);
        let oldest = now.saturating_sub(AS_OF).unwrap_or(now);
        if at > now || at < oldest {
            return Err(Refused::AsOf(at));
        }
        let begun = self.covered.as_ref().map(|covered| covered.period.from);
        Ok(begun.map_or(at, |begun| at.max(begun)))
    }
}

/// Another plan, version or quantity. Now: what is covered and not used is credited, the rest of the period charged;
/// another interval begins a period of its own. Without proration nothing is charged before the next period. At the
/// period's end: only noted. What it is already withdraws a change that waits.
pub fn change(
    held: &Subscription,
    (terms, quantity): (&Terms, u32),
    when: When,
    taxes: &Taxes<'_>,
    now: Timestamp,
) -> Result<Decision<Step>, Refused> {
    held.must_run(now)?;
    if held.next == Some(Next::Cancel) {
        return Err(Refused::EndsSoon);
    }
    let price = terms.price_of(quantity)?;
    if price.currency != held.currency() {
        return Err(Refused::Currency { has: held.currency(), wanted: price.currency });
    }
    let target = Target { plan: terms.plan.clone(), version: terms.version, quantity };
    let mut next = held.clone();
    if target == held.target() {
        return Ok(match next.next.take() {
            Some(Next::Change(_)) => Decision::New(bare(next, Change::ChangeWithdrawn)),
            Some(Next::Cancel | Next::Skip) | None => Decision::Already,
        });
    }
    let When::Now(as_of) = when else {
        let waits = Some(Next::Change(target));
        if held.next == waits {
            return Ok(Decision::Already);
        }
        next.next = waits;
        return Ok(Decision::New(bare(next, Change::ChangeScheduled)));
    };
    let at = held.moment(as_of, now)?;
    let Target { plan, version, quantity } = target;
    let trial = matches!(held.stage, Stage::Trialing { .. });
    let mut bill = Bill::default();
    let unprorated = held.covered.as_ref().is_some_and(|covered| covered.proration == Proration::None);
    if !trial && !unprorated {
        bill.credit(&mut next, at)?;
    }
    if let Some(Next::Change(_)) = next.next {
        next.next = None;
    }
    (next.plan, next.version, next.quantity) = (plan, version, quantity);
    if trial {
        next.cycle.interval = terms.interval;
        return Ok(Decision::New(bare(next, Change::Changed)));
    }
    if terms.interval != held.cycle.interval {
        if unprorated {
            return Err(Refused::NoProration);
        }
        next.number += 1;
        next.moved = None;
        let anchor = next.cycle.zone.wall(at);
        next.cycle = Cycle { anchor, interval: terms.interval, first: next.number, ..next.cycle };
        let period = next.period()?;
        bill.charge(&mut next, terms, (period, period.from), taxes)?;
    } else if unprorated || terms.proration == Proration::None {
        // What is paid is paid: nothing of it is credited later, and nothing new is charged before the next period.
        next.covered = None;
    } else {
        let period = next.period()?;
        bill.charge(&mut next, terms, (period, at), taxes)?;
    }
    let period = next.period()?;
    let document = bill.close(&mut next, Cause::Change, (period, now))?;
    Ok(Decision::New(Step { next, change: Change::Changed, document, goods: None }))
}

/// Nothing is given and nothing charged until a date, or until somebody resumes it. What is covered is credited.
pub fn pause(
    held: &Subscription,
    until: Option<Timestamp>,
    as_of: Option<Timestamp>,
    now: Timestamp,
) -> Result<Decision<Step>, Refused> {
    if let Stage::Paused { since, until: before } = held.stage {
        return match until {
            _ if until == before => Ok(Decision::Already),
            Some(until) if until <= now => Err(Refused::PauseEnd(until)),
            Some(_) | None => {
                let next = Subscription { stage: Stage::Paused { since, until }, ..held.clone() };
                Ok(Decision::New(bare(next, Change::Paused)))
            }
        };
    }
    held.must_run(now)?;
    match held.next {
        Some(Next::Cancel) => return Err(Refused::EndsSoon),
        Some(Next::Change(_) | Next::Skip) => return Err(Refused::ChangeWaits),
        None => {}
    }
    if let Stage::Trialing { .. } = held.stage {
        return Err(Refused::Trialing);
    }
    if let Some(until) = until.filter(|until| *until <= now) {
        return Err(Refused::PauseEnd(until));
    }
    let at = held.moment(as_of, now)?;
    let mut next = held.clone();
    let mut bill = Bill::default();
    bill.credit(&mut next, at)?;
    next.stage = Stage::Paused { since: at, until };
    let document = bill.close(&mut next, Cause::Change, (held.period()?, now))?;
    Ok(Decision::New(Step { next, change: Change::Paused, document, goods: None }))
}

/// Goes on at `at`: what is left of the period that runs by then is charged, and the bill day stays. Without proration
/// a whole period begins at once.
pub fn resume(
    held: &Subscription,
    terms: &Terms,
    taxes: &Taxes<'_>,
    (at, now): (Timestamp, Timestamp),
) -> Result<Step, Refused> {
    let Stage::Paused { since, .. } = held.stage else {
        held.must_not_have_ended()?;
        return Err(Refused::NotPaused);
    };
    let at = at.max(since);
    let mut next = held.clone();
    next.stage = Stage::Active;
    let mut bill = Bill::default();
    next.number = held.cycle.number_at(at, held.number)?;
    let mut period = next.period()?;
    let goods = !terms.gives.goods.is_empty();
    if (terms.proration == Proration::None || goods) && next.number > held.number && at > period.from {
        let anchor = next.cycle.zone.wall(at);
        next.cycle = Cycle { anchor, first: next.number, ..next.cycle };
        period = next.period()?;
        bill.charge(&mut next, terms, (period, period.from), taxes)?;
    } else if terms.proration != Proration::None || next.number > held.number {
        bill.charge(&mut next, terms, (period, at), taxes)?;
    }
    let goods = (goods && next.number > held.number).then_some(period);
    let document = bill.close(&mut next, Cause::Change, (period, now))?;
    Ok(Step { next, change: Change::Resumed, document, goods })
}

/// Ends it: with the period, or at once with what is covered credited. Asked again it has ended.
pub fn cancel(held: &Subscription, when: When, now: Timestamp) -> Result<Decision<Step>, Refused> {
    match held.stage {
        Stage::Ended { .. } => return Ok(Decision::Already),
        Stage::Incomplete { .. } => return Ok(Decision::New(end(held, Ended::Canceled, now))),
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } => {}
    }
    let paused = matches!(held.stage, Stage::Paused { .. });
    match when {
        When::PeriodEnd if !paused => {
            if held.next == Some(Next::Cancel) {
                return Ok(Decision::Already);
            }
            let next = Subscription { next: Some(Next::Cancel), ..held.clone() };
            Ok(Decision::New(bare(next, Change::CancellationScheduled)))
        }
        When::Now(_) | When::PeriodEnd => {
            let as_of = if let When::Now(as_of) = when { as_of } else { None };
            let at = held.moment(as_of, now)?;
            let mut next = held.clone();
            let mut bill = Bill::default();
            bill.credit(&mut next, at)?;
            let document = bill.close(&mut next, Cause::Cancellation, (held.period()?, now))?;
            let ended = end(&next, Ended::Canceled, at);
            Ok(Decision::New(Step { document, ..ended }))
        }
    }
}

/// It is over, whatever was covered.
pub fn end(held: &Subscription, why: Ended, at: Timestamp) -> Step {
    let stage = Stage::Ended { since: at, why };
    bare(Subscription { stage, next: None, covered: None, ..held.clone() }, Change::Ended)
}

/// A cancellation that waits for the end of the period is taken back.
pub fn uncancel(held: &Subscription, now: Timestamp) -> Result<Step, Refused> {
    held.must_not_have_ended()?;
    if held.next != Some(Next::Cancel) {
        return Err(Refused::NotCanceled);
    }
    held.must_run(now)?;
    Ok(bare(Subscription { next: None, ..held.clone() }, Change::CancellationWithdrawn))
}

/// The next delivery does not come, and is not charged.
pub fn skip(held: &Subscription, terms: &Terms, now: Timestamp) -> Result<Decision<Step>, Refused> {
    if terms.gives.goods.is_empty() {
        return Err(Refused::NoGoods);
    }
    held.must_run(now)?;
    match held.next {
        Some(Next::Skip) => Ok(Decision::Already),
        Some(Next::Cancel) => Err(Refused::EndsSoon),
        Some(Next::Change(_)) => Err(Refused::ChangeWaits),
        None => {
            let next = Subscription { next: Some(Next::Skip), ..held.clone() };
            Ok(Decision::New(bare(next, Change::SkipScheduled)))
        }
    }
}

/// The next delivery, and those after it, are counted from another day.
pub fn deliver_on(
    held: &Subscription,
    terms: &Terms,
    day: Timestamp,
    now: Timestamp,
) -> Result<Decision<Step>, Refused> {
    if terms.gives.goods.is_empty() || held.covered.is_some() {
        return Err(Refused::NoGoods);
    }
    held.must_run(now)?;
    if held.due_at()? == Some(day) {
        return Ok(Decision::Already);
    }
    let latest = held.cycle.boundary(held.number.saturating_add(2))?;
    if day <= now || day > latest {
        return Err(Refused::DeliveryDay(day));
    }
    let mut next = held.clone();
    match &mut next.stage {
        Stage::Trialing { until } => {
            *until = day;
            next.cycle.anchor = next.cycle.zone.wall(day);
        }
        Stage::Incomplete { .. } | Stage::Active | Stage::Paused { .. } | Stage::Ended { .. } => {
            next.moved = Some(day);
        }
    }
    Ok(Decision::New(bare(next, Change::DeliveryMoved)))
}

/// What renewals are paid with from now on.
pub fn set_means(held: &Subscription, means: Means) -> Result<Decision<Step>, Refused> {
    held.must_not_have_ended()?;
    if held.means == means {
        return Ok(Decision::Already);
    }
    let next = Subscription { means, ..held.clone() };
    Ok(Decision::New(bare(next, Change::PaymentMethodSet)))
}

/// Where it is taxed, and whom its invoices are addressed to, from the next charge on.
pub fn set_place(
    held: &Subscription,
    (place, tax_id, bill_to): (Place, Option<TaxId>, Option<Word>),
) -> Result<Decision<Step>, Refused> {
    held.must_not_have_ended()?;
    let next = Subscription { place, tax_id, bill_to, ..held.clone() };
    if next == *held { Ok(Decision::Already) } else { Ok(Decision::New(bare(next, Change::AddressSet))) }
}

impl Subscription {
    /// It is not paid and not given; or paid, and given again.
    pub fn restrict(&self, since: Option<Timestamp>) -> Decision<Step> {
        if self.restricted == since || matches!(self.stage, Stage::Ended { .. }) {
            return Decision::Already;
        }
        let change = if since.is_some() { Change::Restricted } else { Change::Restored };
        Decision::New(bare(Self { restricted: since, ..self.clone() }, change))
    }

    /// The credit goes elsewhere: what it was.
    #[must_use]
    pub fn without_credit(&self) -> (Self, Money) {
        (Self { credit: Money::zero(self.currency()), ..self.clone() }, self.credit)
    }
}
