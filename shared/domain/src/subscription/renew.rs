//! How a subscription begins and goes on: what time brings to it.

use super::bill::Bill;
use super::{Change, Ended, Means, Next, Refused, Stage, Step, Subscription, Taxes, end, resume, warns_at};
use crate::Decision;
use crate::id::{CustomerId, SubscriptionId};
use crate::invoice::Cause;
use crate::money::Money;
use crate::period::{Cycle, Zone, days_later};
use crate::place::Place;
use crate::plan::Terms;
use crate::tax::id::TaxId;
use crate::text::Word;
use jiff::Timestamp;

/// What a customer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    pub id: SubscriptionId,
    pub customer: CustomerId,
    pub quantity: u32,
    pub zone: Zone,
    pub place: Place,
    pub tax_id: Option<TaxId>,
    pub bill_to: Option<Word>,
    pub means: Means,
    /// Whether the plan's trial is for this customer: once.
    pub trial: bool,
}

/// What time has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// Not yet: a message that came early or twice, a clock that was set back.
    NotDue,
    Due(Box<Step>),
}

/// Begins with a trial, or with the first charge; that one is incomplete until it is paid.
pub fn start(asked: Start, terms: &Terms, taxes: &Taxes<'_>, now: Timestamp) -> Result<Step, Refused> {
    let price = terms.price_of(asked.quantity)?;
    let trial = asked.trial && terms.trial_days > 0;
    let cycle = if trial {
        let anchor = days_later(asked.zone.wall(now), terms.trial_days)?;
        Cycle::from_wall(asked.zone, anchor, terms.interval)
    } else {
        Cycle::from_moment(asked.zone, now, terms.interval, 0)?
    };
    let until = cycle.boundary(0)?;
    let mut next = Subscription {
        id: asked.id,
        customer: asked.customer,
        plan: terms.plan.clone(),
        version: terms.version,
        quantity: asked.quantity,
        stage: if trial { Stage::Trialing { until, warns_at: warns_at(now, until) } } else { Stage::Active },
        cycle,
        number: 0,
        moved: None,
        covered: None,
        credit: Money::zero(price.currency),
        next: None,
        sending: None,
        means: asked.means,
        place: asked.place,
        tax_id: asked.tax_id,
        bill_to: asked.bill_to,
        documents: 0,
        restricted: None,
    };
    if trial {
        return Ok(Step { next, change: Change::Started, document: None, goods: None });
    }
    let period = next.period()?;
    let mut bill = Bill::default();
    bill.setup_fee(&next, terms, period, taxes)?;
    bill.charge(&mut next, terms, (period, period.from), taxes)?;
    let document = bill.close(&mut next, Cause::Start, (period, now))?;
    if document.as_ref().is_some_and(|document| document.stage == crate::invoice::Stage::Open) {
        next.stage = Stage::Incomplete { since: now };
    }
    let goods = (!terms.gives.goods.is_empty()).then_some(period);
    Ok(Step { next, change: Change::Started, document, goods }.sending(now))
}

/// The first invoice is paid.
pub fn activate(held: &Subscription) -> Decision<Step> {
    match held.stage {
        Stage::Incomplete { .. } if held.sending.as_ref().is_some_and(|sending| sending.first) => {
            Decision::Already
        }
        Stage::Incomplete { .. } => {
            let next = Subscription { stage: Stage::Active, ..held.clone() };
            let goods = held.sending.as_ref().and_then(|_| held.period().ok());
            Decision::New(Step { next, change: Change::Activated, document: None, goods })
        }
        Stage::Trialing { .. } | Stage::Active | Stage::Paused { .. } | Stage::Ended { .. } => {
            Decision::Already
        }
    }
}

/// One period more, if its time has come, on the terms of [`Subscription::renews_as`]: charged in full, once. One at a
/// time: whoever was away for three periods gets three invoices.
pub fn renew(
    held: &Subscription,
    terms: &Terms,
    taxes: &Taxes<'_>,
    now: Timestamp,
) -> Result<Renewal, Refused> {
    let Some(due) = held.due_at()?.filter(|due| *due <= now) else { return Ok(Renewal::NotDue) };
    let ended = |why| Renewal::Due(Box::new(end(held, why, due)));
    let first = match &held.stage {
        Stage::Ended { .. } => return Ok(Renewal::NotDue),
        Stage::Incomplete { .. } => return Ok(ended(Ended::NeverPaid)),
        Stage::Paused { .. } => return Ok(Renewal::Due(Box::new(resume(held, terms, taxes, (due, now))?))),
        Stage::Trialing { .. } => true,
        Stage::Active => false,
    };
    if let Some(sending) = &held.sending {
        let until = held.period()?.until;
        // A try that is under way is told first: it may be paid.
        if held.next == Some(Next::Cancel) && until <= now && sending.retry_at.is_some() {
            return Ok(Renewal::Due(Box::new(end(held, Ended::Canceled, until))));
        }
        let again = held.resent().map(|step| Renewal::Due(Box::new(step)));
        return Ok(again.unwrap_or(Renewal::NotDue));
    }
    let mut next = Subscription { stage: Stage::Active, ..held.clone() };
    next.number += u32::from(!first);
    let waits = next.next.take();
    let skipped = waits == Some(Next::Skip);
    match waits {
        Some(Next::Cancel) => return Ok(ended(Ended::Canceled)),
        Some(Next::Change(target)) => next.aim(target),
        Some(Next::Skip) | None => {}
    }
    if first {
        next.cycle.interval = terms.interval;
    } else if held.moved.is_some() || held.cycle.interval != terms.interval {
        next.begin(next.number, due, terms.interval)?;
    }
    let period = next.period()?;
    let mut bill = Bill::default();
    if first {
        bill.setup_fee(&next, terms, period, taxes)?;
    }
    bill.charge(&mut next, terms, (period, period.from), taxes)?;
    let document = bill.close(&mut next, Cause::Renewal, (period, now))?;
    let change = if skipped { Change::Skipped } else { Change::Renewed };
    let goods = (!skipped && !terms.gives.goods.is_empty()).then_some(period);
    Ok(Renewal::Due(Box::new(Step { next, change, document, goods }.sending(now))))
}
