//! What became of an order, for its payments: the captures, releases and refunds that are due now.
//!
//! A function of the state alone: it is asked after everything that happens to a part, so that neither the order nor
//! the repetition of events makes a difference. What each payment pays of each part is fixed with the order
//! ([`crate::tender`]); a part is captured once, when its last unsent unit has left or was canceled; what is captured
//! and no longer owed goes back to those who paid that part, in proportion to what is known to be left of each.
//!
//! Only payments that the order knows of count. Absent on purpose: tries that failed (the payment's own agenda) and
//! money that fits nothing (a person's decision).

use crate::id::MerchantOrderId;
use crate::merchant_order::MerchantOrder;
use crate::money::{Money, MoneyError};
use crate::order::{Order, split};
use crate::payment::{Attempt, Payment, State, To};
use crate::tender::{self, Refused};
use crate::text::Word;

/// One thing to do; `payment` is a position in the list that was asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// The goods have left. `last`: nothing else will be taken from this payment.
    Capture { payment: usize, part: u8, amount: Money, last: bool },
    /// Nothing more of it ships: what is left of the authorization goes.
    Void { payment: usize, authorization: u16 },
    /// Captured and no longer owed. The cause is the same for the same money.
    Grant { payment: usize, cause: Word, amount: Money, to: To },
    /// All that it was to pay is canceled; or the rest of it is, or went back before it was paid; or it has lapsed.
    Close { payment: usize },
}

/// Ends the cause of what becomes store credit, wherever a person sends it later.
const CREDIT: &str = "c";

/// How far a part has come, as its money sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Units may still ship.
    ToCome,
    Ready,
    Canceled,
}

struct Part {
    id: MerchantOrderId,
    number: u8,
    progress: Progress,
    /// What the customer owes for it now.
    owed: Money,
    /// Of what goes back, what the customer takes as store credit.
    credited: Money,
}

impl Part {
    /// Whether anything is owed for it. What becomes store credit has to be paid first.
    fn may_be_paid(&self) -> bool {
        self.owed.minor > 0 || self.credited.minor > 0
    }
}

/// `parts` are all merchant orders of the order, as they are; none before the split.
pub fn due(order: &Order, parts: &[MerchantOrder], payments: &[Payment]) -> Result<Vec<Due>, Refused> {
    let planned = split(order)?;
    let worth: Vec<Money> = planned.iter().map(MerchantOrder::worth).collect::<Result<_, _>>()?;
    let parts = if parts.is_empty() { &planned } else { parts };
    let parts: Vec<Part> =
        (1_u8..).zip(parts).map(|(number, part)| of(number, part)).collect::<Result<_, _>>()?;
    let rows = rows(&worth, payments)?;
    let mut due = Vec::new();
    grants(&parts, &rows, payments, &mut due)?;
    captures(&parts, &rows, payments, &mut due)?;
    for (position, payment) in payments.iter().enumerate().filter(|(_, payment)| payment.finalized) {
        let busy = due.iter().any(|due| matches!(due, Due::Capture { payment, .. } if *payment == position));
        if busy || payment.pending() > 0 || payment.closed.is_some() {
            continue;
        }
        let pays = |part: &&Part| share(&rows, part, position).is_some_and(|share| share.minor > 0);
        let concerned: Vec<Progress> = parts.iter().filter(pays).map(|part| part.progress).collect();
        // A capture that failed is tried no more once its goods came back: whoever was told of it need not look.
        let failed = payment.captures().into_iter().filter(|(_, one)| !one.state.is_success());
        let owed = |number| parts.iter().any(|part| part.number == number && part.may_be_paid());
        let (wanted, returned): (Vec<_>, Vec<_>) = failed.partition(|(number, _)| owed(*number));
        if concerned.iter().all(|progress| *progress == Progress::Canceled) {
            due.push(Due::Close { payment: position });
        } else if wanted.is_empty() && !concerned.contains(&Progress::ToCome) {
            if !returned.is_empty() {
                due.push(Due::Close { payment: position });
            } else if let Some(held) = payment.in_force() {
                due.push(Due::Void { payment: position, authorization: held.number });
            } else if payment.lapsed_early().is_some() {
                // It has gone by itself, and nobody need get another one.
                due.push(Due::Close { payment: position });
            }
        }
    }
    Ok(due)
}

fn of(number: u8, part: &MerchantOrder) -> Result<Part, MoneyError> {
    let progress = match () {
        () if part.is_canceled() => Progress::Canceled,
        () if part.lines.iter().all(|line| line.to_ship() == 0) => Progress::Ready,
        () => Progress::ToCome,
    };
    let credited = part.credited.unwrap_or(Money::zero(part.currency));
    Ok(Part { id: part.id.clone(), number, progress, owed: part.owed()?, credited })
}

/// What each payment pays of each part: parts by rows, payments by columns. One that pays a part alone pays no other.
fn rows(worth: &[Money], payments: &[Payment]) -> Result<Vec<Vec<Money>>, MoneyError> {
    let known = |payment: &Payment| {
        if payment.finalized { payment.amount } else { Money { minor: 0, ..payment.amount } }
    };
    let mut left: Vec<Money> = payments.iter().map(known).collect();
    let mut rows = Vec::with_capacity(worth.len());
    for (number, worth) in (1_u8..).zip(worth) {
        let mut rest = *worth;
        let mut row = Vec::with_capacity(payments.len());
        for (payment, left) in payments.iter().zip(&mut left) {
            let pays = payment.part.is_none_or(|own| own == number);
            let most = if pays { *left } else { Money { minor: 0, ..*left } };
            let take = if most.minus(rest)?.minor > 0 { rest } else { most };
            rest = rest.minus(take)?;
            *left = left.minus(take)?;
            row.push(take);
        }
        rows.push(row);
    }
    Ok(rows)
}

fn share(rows: &[Vec<Money>], part: &Part, payment: usize) -> Option<Money> {
    rows.get(usize::from(part.number).checked_sub(1)?)?.get(payment).copied()
}

impl Payment {
    /// The try that counts for each part: the one that went well, else the last.
    fn captures(&self) -> Vec<(u8, &Attempt)> {
        let mut counts: Vec<(u8, &Attempt)> = Vec::new();
        for attempt in &self.attempts {
            let Some(part) = attempt.captures() else { continue };
            match counts.iter_mut().find(|(of, _)| *of == part) {
                Some((_, held)) if held.state.is_success() => {}
                Some((_, held)) => *held = attempt,
                None => counts.push((part, attempt)),
            }
        }
        counts
    }

    fn capture_of(&self, part: u8) -> Option<&Attempt> {
        self.captures().into_iter().find(|(of, _)| *of == part).map(|(_, attempt)| attempt)
    }

    /// Whether the money came along, without captures of ours.
    fn came_along(&self) -> bool {
        self.attempts.iter().any(|one| matches!(one.state, State::Captured { .. }))
    }
}

fn captures(
    parts: &[Part],
    rows: &[Vec<Money>],
    payments: &[Payment],
    due: &mut Vec<Due>,
) -> Result<(), Refused> {
    for part in parts.iter().filter(|part| part.progress == Progress::Ready) {
        // What becomes store credit is taken first, however late this is looked at: the customer has asked for it so.
        let mut rest = part.owed.plus(part.credited)?;
        for (position, payment) in payments.iter().enumerate() {
            let Some(share) = share(rows, part, position).filter(|share| share.minor > 0) else { continue };
            let taken = match payment.capture_of(part.number) {
                Some(begun) => begun.amount,
                None => {
                    if share.minus(rest)?.minor > 0 {
                        rest
                    } else {
                        share
                    }
                }
            };
            let fresh = payment.capture_of(part.number).is_none() && !payment.came_along();
            rest = Money { minor: rest.minus(taken)?.minor.max(0), ..rest };
            if !fresh || taken.minor <= 0 || payment.closed.is_some() {
                continue;
            }
            due.push(Due::Capture { payment: position, part: part.number, amount: taken, last: false });
        }
    }
    // The last one that a payment will see takes the authorization with it: every other one is through by then.
    for (position, payment) in payments.iter().enumerate() {
        let taken = |part: &Part| payment.capture_of(part.number).is_some_and(|one| one.state.is_success());
        let to_come = |part: &&Part| {
            let pays = share(rows, part, position).is_some_and(|share| share.minor > 0);
            let owed = part.progress == Progress::ToCome || part.may_be_paid();
            pays && owed && !taken(part)
        };
        if parts.iter().filter(to_come).count() > 1 {
            continue;
        }
        let mut own = due.iter_mut().rev().filter_map(|due| match due {
            Due::Capture { payment, last, .. } if *payment == position => Some(last),
            Due::Capture { .. } | Due::Void { .. } | Due::Grant { .. } | Due::Close { .. } => None,
        });
        if let Some(last) = own.next() {
            *last = true;
        }
    }
    Ok(())
}

/// What is known to have been taken of each payment for a part: its capture, or its share of what came along, filled in
/// the order of the parts, in minor units.
fn taken(part: &Part, rows: &[Vec<Money>], position: usize, payment: &Payment) -> i64 {
    if payment.came_along() {
        let before = rows.iter().take(usize::from(part.number).saturating_sub(1));
        let before = before.filter_map(|row| row.get(position)).map(|share| share.minor).sum::<i64>();
        let own = share(rows, part, position).map_or(0, |share| share.minor);
        return payment.kept().minor.saturating_sub(before).clamp(0, own);
    }
    let capture = payment.capture_of(part.number).filter(|one| one.state.is_success());
    capture.map_or(0, |one| one.amount.minor)
}

fn grants(
    parts: &[Part],
    rows: &[Vec<Money>],
    payments: &[Payment],
    due: &mut Vec<Due>,
) -> Result<(), Refused> {
    // What one part is given is not given to the next.
    let mut left: Vec<i64> = payments.iter().map(|payment| payment.refundable().minor).collect();
    for part in parts {
        let prefix = format!("{}:", part.id);
        let given = |payment: &Payment| {
            let own = payment.refunds.iter().filter(|refund| refund.cause.as_str().starts_with(&prefix));
            own.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor))
        };
        // A capture whose outcome is open counts as nothing: what the others gave beyond what is owed need not wait for
        // an answer that may never come.
        let known = payments.iter().enumerate().filter(|(_, payment)| payment.finalized);
        let paid: Vec<(usize, i64)> = known
            .map(|(at, payment)| (at, taken(part, rows, at, payment).saturating_sub(given(payment))))
            .collect();
        let kept = paid.iter().map(|(_, minor)| *minor).sum::<i64>();
        let excess = kept.saturating_sub(part.owed.minor);
        if excess <= 0 {
            continue;
        }
        let mut able: Vec<Money> = paid
            .iter()
            .map(|(at, minor)| {
                let able = left.get(*at).map_or(0, |left| (*minor).min(*left)).max(0);
                Money { minor: able, ..part.owed }
            })
            .collect();
        let amount = excess.min(able.iter().map(|able| able.minor).sum());
        let mut before = payments.iter().map(given).sum::<i64>();
        let as_credit = payments.iter().flat_map(|payment| &payment.refunds).filter(|refund| {
            let cause = refund.cause.as_str();
            cause.starts_with(&prefix) && cause.ends_with(CREDIT)
        });
        let as_credit = as_credit.map(|refund| refund.amount.minor).sum::<i64>();
        let credit = part.credited.minor.saturating_sub(as_credit).clamp(0, amount);
        let back = [(credit, To::StoreCredit, CREDIT), (amount.saturating_sub(credit), To::Original, "")];
        for (amount, to, mark) in back.into_iter().filter(|(amount, ..)| *amount > 0) {
            let Ok(cause) = format!("{prefix}{before}{mark}").parse::<Word>() else { continue };
            let shares = tender::refunds(Money { minor: amount, ..part.owed }, &able)?;
            for (((at, _), able), share) in paid.iter().zip(&mut able).zip(shares) {
                if share.minor <= 0 {
                    continue;
                }
                able.minor = able.minor.saturating_sub(share.minor);
                if let Some(left) = left.get_mut(*at) {
                    *left = left.saturating_sub(share.minor);
                }
                due.push(Due::Grant { payment: *at, cause: cause.clone(), amount: share, to });
            }
            before = before.saturating_add(amount);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
