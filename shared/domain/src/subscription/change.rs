//! What people do to a subscription. Everything is a [`Step`]; a preview is one that nobody commits.

use super::bill::Bill;
use super::{
    Change, Covered, Ended, Means, Next, Refused, Stage, Step, Subscription, Target, Taxes, warns_at,
};
use crate::Decision;
use crate::id::InvoiceId;
use crate::invoice::{self, Cause, Invoice};
use crate::period::{Cycle, Interval, OutOfTime, Proration};
use crate::place::Place;
use crate::plan::{Kind, Terms};
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
    /// What it is an agreement on from now on.
    pub(super) fn aim(&mut self, target: Target) {
        let Target { plan, version, quantity } = target;
        (self.plan, self.version, self.quantity) = (plan, version, quantity);
    }

    /// The period of this number begins at a moment, and those after it are counted from there.
    pub(super) fn begin(&mut self, number: u32, at: Timestamp, interval: Interval) -> Result<(), OutOfTime> {
        self.cycle = Cycle::from_moment(self.cycle.zone.clone(), at, interval, number)?;
        (self.number, self.moved) = (number, None);
        Ok(())
    }

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
            Stage::Trialing { .. } | Stage::Active if self.sending.is_some() => Err(Refused::Sending),
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
        let begun = match self.stage {
            Stage::Active => self.period()?.from,
            Stage::Paused { since, .. } => since,
            Stage::Incomplete { .. } | Stage::Trialing { .. } | Stage::Ended { .. } => oldest,
        };
        let before = at < begun && as_of.is_some();
        if at > now || at < oldest || before {
            return Err(Refused::AsOf(at));
        }
        Ok(self.covered.as_ref().map_or(begun, |covered| begun.max(covered.from())).max(at))
    }
}

/// Another plan, version or quantity. Now: what is covered and not used is credited, the rest of the period charged;
/// another interval begins a period of its own. Without proration, of the old or the new, nothing is credited or
/// charged before the next period. At the period's end: only noted. What it is already withdraws what waits.
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
            Some(Next::Change(_) | Next::Skip) => Decision::New(bare(next, Change::ChangeWithdrawn)),
            Some(Next::Cancel) | None => Decision::Already,
        });
    }
    if held.next == Some(Next::Skip) {
        return Err(Refused::ChangeWaits);
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
    next.next = None;
    if let Stage::Trialing { .. } = held.stage {
        next.cycle.interval = terms.interval;
        next.aim(target);
        return Ok(Decision::New(bare(next, Change::Changed)));
    }
    let document = change_now(&mut next, (terms, target), taxes, (at, now))?;
    Ok(Decision::New(Step { next, change: Change::Changed, document, goods: None }))
}

/// The change that waits is not made: its customer has come to have that plan by another subscription.
pub fn forgo_change(held: &Subscription) -> Step {
    bare(Subscription { next: None, ..held.clone() }, Change::ChangeWithdrawn)
}

/// What a change of the running period credits and charges.
fn change_now(
    next: &mut Subscription,
    (terms, target): (&Terms, Target),
    taxes: &Taxes<'_>,
    (at, now): (Timestamp, Timestamp),
) -> Result<Option<Invoice>, Refused> {
    // The end of a period that a delivery has moved is no measure of what a service costs.
    let stretched = next.moved.is_some() && terms.gives.kind() != Kind::Product;
    let own_period = terms.interval != next.cycle.interval || stretched;
    let unprorated = next.covered.as_ref().is_some_and(|covered| covered.proration == Proration::None);
    if own_period && unprorated {
        return Err(Refused::NoProration);
    }
    if !own_period && (unprorated || terms.proration == Proration::None) {
        // What is paid is paid: nothing of it is credited later either.
        if let Some(covered) = &mut next.covered {
            covered.proration = Proration::None;
        }
        next.aim(target);
        return Ok(None);
    }
    let mut bill = Bill::default();
    bill.credit(next, at)?;
    next.aim(target);
    if own_period {
        next.begin(next.number + 1, at, terms.interval)?;
    }
    let period = next.period()?;
    bill.charge(next, terms, (period, at), taxes)?;
    bill.close(next, Cause::Change, (period, now))
}

/// Nothing is given and nothing charged until a date, or until somebody resumes it. What is covered is credited;
/// without proration it stays paid.
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

/// Goes on at `at`: what is left of the period that runs by then is charged, and the bill day stays. Without proration,
/// or where something is sent, a whole period begins at once if the one that was paused is over.
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
    let mut next = Subscription { stage: Stage::Active, ..held.clone() };
    let (sends, whole) = (!terms.gives.goods.is_empty(), terms.proration == Proration::None);
    let over = held.period()?.until <= at;
    if over {
        next.number = held.cycle.number_at(at, held.number)?.max(held.number + 1);
        let within = next.cycle.boundary(next.number)? < at;
        if held.moved.is_some() || ((sends || whole) && within) {
            next.begin(next.number, at, held.cycle.interval)?;
        }
    }
    let period = next.period()?;
    let mut bill = Bill::default();
    // What was not prorated is still paid.
    if over || (held.covered.is_none() && !whole) {
        bill.charge(&mut next, terms, (period, at), taxes)?;
    }
    let goods = (sends && over).then_some(period);
    let document = bill.close(&mut next, Cause::Change, (period, now))?;
    Ok(Step { next, change: Change::Resumed, document, goods }.sending(now))
}

/// Ends it: with the period, or at once with what is covered credited; an invoice that is still `owed` is then
/// [given up](give_up). Asked again it has ended.
pub fn cancel(
    held: &Subscription,
    owed: Option<&Invoice>,
    when: When,
    now: Timestamp,
) -> Result<Decision<Step>, Refused> {
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
            if let Some(owed) = owed {
                return give_up(held, owed, Ended::Canceled, (at, now)).map(Decision::New);
            }
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
    bare(Subscription { stage, next: None, covered: None, sending: None, ..held.clone() }, Change::Ended)
}

/// It is over at `at`, and an open invoice will not be paid. Part of that may have been paid with what was left of an
/// earlier charge, or with credit: that pays for what was used. Where it suffices, a document of the same lines and of
/// the credit for what was not used takes the invoice's place, which is voided, and what is over is credit. Otherwise
/// there is no document, and the invoice is written off.
pub fn give_up(
    held: &Subscription,
    owed: &Invoice,
    why: Ended,
    (at, now): (Timestamp, Timestamp),
) -> Result<Step, Refused> {
    let lost = end(held, why, at);
    let of = |covered: &Covered| covered.document.map(|number| InvoiceId::of(&held.id, number));
    if held.covered.as_ref().and_then(of).as_ref() != Some(&owed.id) {
        return Ok(lost);
    }
    let mut next = held.clone();
    next.credit = next.credit.plus(owed.credit)?;
    let mut bill = Bill::again(owed);
    bill.credit(&mut next, at)?;
    let document = bill.close(&mut next, Cause::Cancellation, (owed.period, now))?;
    Ok(match document.filter(|document| document.stage != invoice::Stage::Open) {
        Some(document) => Step { document: Some(document), ..end(&next, why, at) },
        None => lost,
    })
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

/// The next delivery does not come; what else the plan gives goes on and is charged.
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

/// The next delivery, and those after it, are counted from another day. Only where goods are all that the plan gives:
/// anything else would be given for longer at the same price.
pub fn deliver_on(
    held: &Subscription,
    terms: &Terms,
    day: Timestamp,
    now: Timestamp,
) -> Result<Decision<Step>, Refused> {
    if terms.gives.kind() != Kind::Product {
        return Err(Refused::NoGoods);
    }
    held.must_run(now)?;
    if held.next == Some(Next::Cancel) {
        return Err(Refused::EndsSoon);
    }
    if held.due_at()? == Some(day) {
        return Ok(Decision::Already);
    }
    let trial = matches!(held.stage, Stage::Trialing { .. });
    let coming = if trial { held.number } else { held.number + 1 };
    if day <= now || day > held.cycle.boundary(coming + 1)? {
        return Err(Refused::DeliveryDay(day));
    }
    let mut next = held.clone();
    if trial {
        next.stage = Stage::Trialing { until: day, warns_at: warns_at(now, day) };
        next.begin(coming, day, held.cycle.interval)?;
    } else {
        next.moved = (day != held.cycle.boundary(coming)?).then_some(day);
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
    // Goods that waited for it are ordered at once.
    let goods = next.resent();
    Ok(Decision::New(match goods {
        Some(step) => Step { change: Change::PaymentMethodSet, ..step },
        None => bare(next, Change::PaymentMethodSet),
    }))
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
        let news = self.restricted.is_some() != since.is_some();
        if !news || matches!(self.stage, Stage::Ended { .. }) {
            return Decision::Already;
        }
        let change = if since.is_some() { Change::Restricted } else { Change::Restored };
        Decision::New(bare(Self { restricted: since, ..self.clone() }, change))
    }
}
