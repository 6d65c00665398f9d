//! A customer's statement: what was invoiced, credited and paid in a time, and what was owed before and after it.
//!
//! Invariant: opening + what happened = closing, per currency. What is owed grows by the whole of an invoice and falls
//! by credit notes and payments, so credit that an invoice takes moves nothing; less than zero, it is credit. Money
//! that came and belongs to no open invoice is not here: it goes back.

use super::{Invoice, Kind, Number, Stage};
use crate::currency::Currency;
use crate::id::InvoiceId;
use crate::money::{Money, MoneyError};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Owed before the time begins.
    pub opening: Money,
    /// In the order of time.
    pub entries: Vec<Entry>,
    /// Owed when it ends.
    pub closing: Money,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub what: What,
    pub document: InvoiceId,
    pub number: Option<Number>,
    /// By which what is owed grows, or falls.
    pub amount: Money,
    /// Owed after it.
    pub balance: Money,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StatementEntryKind"))]
pub enum What {
    Invoice,
    CreditNote,
    Payment,
    Voided,
    WrittenOff,
}

/// What a document has done to what is owed, so far.
fn moves(document: &Invoice) -> Result<Vec<(Timestamp, What, Money)>, MoneyError> {
    let (total, due) = (document.total()?, document.due()?);
    let opened = match document.kind {
        Kind::Invoice => What::Invoice,
        Kind::CreditNote => What::CreditNote,
    };
    let ended = match (document.kind, &document.stage) {
        (_, Stage::Open) | (Kind::CreditNote, Stage::Paid { .. }) => None,
        (Kind::Invoice, Stage::Paid { since }) => Some((*since, What::Payment, due.negated())),
        (_, Stage::Void { since }) => Some((*since, What::Voided, total.negated())),
        (_, Stage::Uncollectible { since }) => Some((*since, What::WrittenOff, due.negated())),
    };
    let all = [Some((document.opened_at, opened, total)), ended].into_iter().flatten();
    Ok(all.filter(|(.., amount)| amount.minor != 0).collect())
}

/// Of all documents of a customer, from a moment on and before another, by currency.
pub fn statement(
    documents: &[Invoice],
    (from, until): (Timestamp, Timestamp),
) -> Result<BTreeMap<Currency, Account>, MoneyError> {
    let mut moved = Vec::new();
    for document in documents {
        moved.extend(moves(document)?.into_iter().map(|(at, what, amount)| (at, document, what, amount)));
    }
    moved.retain(|(at, ..)| *at < until);
    moved.sort_by(|(a, one, what, _), (b, other, with, _)| (a, &one.id, what).cmp(&(b, &other.id, with)));
    let mut accounts = BTreeMap::new();
    for (at, document, what, amount) in moved {
        let zero = Money::zero(amount.currency);
        let new = Account { opening: zero, entries: Vec::new(), closing: zero };
        let account = accounts.entry(amount.currency).or_insert(new);
        account.closing = account.closing.plus(amount)?;
        if at < from {
            account.opening = account.closing;
            continue;
        }
        let (id, number, balance) = (document.id.clone(), document.number, account.closing);
        account.entries.push(Entry { at, what, document: id, number, amount, balance });
    }
    Ok(accounts)
}
