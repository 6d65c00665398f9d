//! How a subscription begins and goes on: what time brings to it.

use super::bill::Bill;
use super::{Change, Ended, Means, Next, Refused, Stage, Step, Subscription, Target, Taxes, resume};
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
    let wall = asked.zone.wall(now);
    let trial = asked.trial && terms.trial_days > 0;
    let anchor = if trial { days_later(wall, terms.trial_days)? } else { wall };
    let cycle = Cycle { zone: asked.zone, anchor, interval: terms.interval, first: 0 };
    let until = cycle.boundary(0)?;
    let mut next = Subscription {
        id: asked.id,
        customer: asked.customer,
        plan: terms.plan.clone(),
        version: terms.version,
        quantity: asked.quantity,
        stage: if trial { Stage::Trialing { until } } else { Stage::Active },
        cycle,
        number: 0,
        moved: None,
        covered: None,
        credit: Money::zero(price.currency),
        next: None,
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
    Ok(Step { next, change: Change::Started, document, goods })
}

/// The first invoice is paid.
pub fn activate(held: &Subscription) -> Decision<Step> {
    match held.stage {
        Stage::Incomplete { .. } => {
            let next = Subscription { stage: Stage::Active, ..held.clone() };
            Decision::New(Step { next, change: Change::Activated, document: None, goods: None })
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
    let ended = |why| {
        let next = Subscription {
            stage: Stage::Ended { since: due, why },
            next: None,
            covered: None,
            ..held.clone()
        };
        Step { next, change: Change::Ended, document: None, goods: None }
    };
    let first = match &held.stage {
        Stage::Ended { .. } => return Ok(Renewal::NotDue),
        Stage::Incomplete { .. } => return Ok(Renewal::Due(Box::new(ended(Ended::NeverPaid)))),
        Stage::Paused { .. } => return Ok(Renewal::Due(Box::new(resume(held, terms, taxes, (due, now))?))),
        Stage::Trialing { .. } => true,
        Stage::Active => false,
    };
    let mut next = held.clone();
    next.stage = Stage::Active;
    next.number += u32::from(!first);
    if next.moved.take().is_some() {
        let anchor = next.cycle.zone.wall(due);
        next.cycle = Cycle { anchor, first: next.number, ..next.cycle };
    }
    match next.next.take() {
        Some(Next::Cancel) => return Ok(Renewal::Due(Box::new(ended(Ended::Canceled)))),
        Some(Next::Skip) => {
            next.covered = None;
            let step = Step { next, change: Change::Skipped, document: None, goods: None };
            return Ok(Renewal::Due(Box::new(step)));
        }
        Some(Next::Change(Target { plan, version, quantity })) => {
            next.plan = plan;
            next.version = version;
            next.quantity = quantity;
        }
        None => {}
    }
    if next.cycle.interval != terms.interval {
        // Another rhythm is counted from here.
        let anchor = if first { next.cycle.anchor } else { next.cycle.zone.wall(due) };
        next.cycle = Cycle { anchor, interval: terms.interval, first: next.number, ..next.cycle };
    }
    let period = next.period()?;
    let mut bill = Bill::default();
    if first {
        bill.setup_fee(&next, terms, period, taxes)?;
    }
    bill.charge(&mut next, terms, (period, period.from), taxes)?;
    let document = bill.close(&mut next, Cause::Renewal, (period, now))?;
    let goods = (!terms.gives.goods.is_empty()).then_some(period);
    Ok(Renewal::Due(Box::new(Step { next, change: Change::Renewed, document, goods })))
}
