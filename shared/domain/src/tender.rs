//! Tenders: how several payments cover an order, pay its parts as they ship, and get their share of a refund.
//!
//! Stored value comes first, then the rest in the customer's order. Which payment pays which part is fixed with the
//! order and does not depend on what ships first, so a part that never ships releases the money that was meant for it.
//!
//! Invariants: every sum is exact, to the minor unit; no tender gives more than its limit; nothing goes back to a
//! payment beyond what it gave (A9(3)). A total of zero needs no payment (A6(6)).

use crate::currency::Currency;
use crate::gateway::{Capabilities, Method};
use crate::money::{Money, MoneyError};
use crate::payment::Payment;

/// What a customer offers to pay with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tender {
    pub method: Method,
    pub gateway: Capabilities,
    /// The balance of a voucher, or what the customer wants to pay so. None: whatever is left.
    pub limit: Option<Money>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("{missing} of {total} are not covered")]
    Short { total: Money, missing: Money },
    #[error("{asked} is more than the {left} that can be refunded")]
    ExceedsCaptured { asked: Money, left: Money },
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Positions of the tenders in the order in which they are taken.
fn taken_first(tenders: &[Tender]) -> Vec<usize> {
    let (mut first, then): (Vec<usize>, Vec<usize>) =
        (0..tenders.len()).partition(|at| tenders.get(*at).is_some_and(|one| one.method.is_stored_value()));
    first.extend(then);
    first
}

/// What each tender pays of `total`, in the order given. What a voucher is worth beyond it stays on the voucher.
pub fn cover(total: Money, tenders: &[Tender]) -> Result<Vec<Money>, Refused> {
    total.not_negative()?;
    let mut shares = vec![Money::zero(total.currency); tenders.len()];
    let mut missing = total;
    for position in taken_first(tenders) {
        let (Some(tender), Some(share)) = (tenders.get(position), shares.get_mut(position)) else { continue };
        let limit = tender.limit.unwrap_or(missing).not_negative()?;
        *share = if limit.minus(missing)?.minor > 0 { missing } else { limit };
        missing = missing.minus(*share)?;
    }
    if missing.minor > 0 {
        return Err(Refused::Short { total, missing });
    }
    Ok(shares)
}

/// What each payment pays of each part: `parts` by rows, `payments` by columns, both filled in their order. The rows
/// sum to the parts, the columns to the payments, where both have the same total.
pub fn shares(parts: &[Money], payments: &[Money]) -> Result<Vec<Vec<Money>>, MoneyError> {
    let mut left = payments.to_vec();
    let mut rows = Vec::with_capacity(parts.len());
    for part in parts {
        let row = take_in_order(*part, &left)?;
        for (left, taken) in left.iter_mut().zip(&row) {
            *left = left.minus(*taken)?;
        }
        rows.push(row);
    }
    Ok(rows)
}

/// What to capture for a part that is worth less than planned, because units of it were canceled: in the order of the
/// payments, so that the later ones are spared. `planned` is the part's row of [`shares`].
pub fn captures(worth: Money, planned: &[Money]) -> Result<Vec<Money>, Refused> {
    let row = take_in_order(worth, planned)?;
    let missing = worth.minus(Money::sum(worth.currency, row.iter().copied())?)?;
    if missing.minor > 0 { Err(Refused::Short { total: worth, missing }) } else { Ok(row) }
}

fn take_in_order(amount: Money, from: &[Money]) -> Result<Vec<Money>, MoneyError> {
    let mut rest = amount;
    let mut taken = Vec::with_capacity(from.len());
    for have in from {
        let take = if have.minus(rest)?.minor > 0 { rest } else { *have };
        rest = rest.minus(take)?;
        taken.push(take);
    }
    Ok(taken)
}

/// One payment to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// Position of the tender.
    pub tender: usize,
    /// The merchant order that it pays alone, counted from 1; None: whatever the tender pays.
    pub part: Option<u8>,
    pub amount: Money,
}

/// The payments of an order, in the order in which they are taken: one per tender; one per tender and part where the
/// gateway captures only once. Tenders that pay nothing get none. `parts` are the merchant orders' totals.
pub fn plan(parts: &[Money], tenders: &[Tender], currency: Currency) -> Result<Vec<Planned>, Refused> {
    let given = cover(Money::sum(currency, parts.iter().copied())?, tenders)?;
    let order = taken_first(tenders);
    let columns: Vec<Money> = order.iter().filter_map(|position| given.get(*position).copied()).collect();
    let rows = shares(parts, &columns)?;
    let mut planned = Vec::new();
    for (column, position) in order.iter().enumerate() {
        let (Some(tender), Some(amount)) = (tenders.get(*position), given.get(*position)) else { continue };
        if tender.gateway.multi_capture {
            planned.push(Planned { tender: *position, part: None, amount: *amount });
            continue;
        }
        for (part, row) in (1_u8..).zip(&rows) {
            let amount = row.get(column).copied().unwrap_or(Money::zero(currency));
            planned.push(Planned { tender: *position, part: Some(part), amount });
        }
    }
    planned.retain(|one| one.amount.minor > 0);
    Ok(planned)
}

/// What is left to authorize of an order's total, beside what its payments have secured.
pub fn left_to_authorize(total: Money, payments: &[Payment]) -> Result<Money, MoneyError> {
    let secured = Money::sum(total.currency, payments.iter().map(Payment::secured))?;
    let left = total.minus(secured)?;
    Ok(if left.minor < 0 { Money::zero(total.currency) } else { left })
}

/// How much of a refund goes to each payment: in proportion to what it has left of what it gave, largest remainder,
/// first wins ties. `left` are [`Payment::refundable`]. It holds too where the customer takes store credit instead.
pub fn refunds(amount: Money, left: &[Money]) -> Result<Vec<Money>, Refused> {
    amount.not_negative()?;
    let all = Money::sum(amount.currency, left.iter().copied())?;
    if amount.minor > all.minor {
        return Err(Refused::ExceedsCaptured { asked: amount, left: all });
    }
    if all.minor == 0 {
        return Ok(vec![amount; left.len()]);
    }
    // A share of what is left never exceeds it, nor does the next whole unit above.
    let weights: Vec<u64> = left.iter().map(|left| u64::try_from(left.minor).unwrap_or_default()).collect();
    Ok(amount.allocate(&weights))
}

#[cfg(test)]
mod tests;
