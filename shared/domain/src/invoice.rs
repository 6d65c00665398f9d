//! Invoices and credit notes of subscriptions: what was charged for which time, with its tax, and whether it is paid.
//!
//! A document's lines never change. Its number is given afterwards, gapless per legal entity and year
//! ([`Series`]); until then it has an id only. Invariants: subtotal + tax = total, on every document and on credit
//! notes (A13(6)); an invoice's total is zero or more, a credit note's less than zero; what a credit note gives stays
//! with the subscription as credit and pays what comes next, it is not sent back by itself (A13(1)).
//!
//! `open → paid | void | uncollectible`; a credit note is `issued`.

pub mod statement;

use crate::Decision;
use crate::currency::Currency;
use crate::id::{CustomerId, InvoiceId, OrderId, PlanId, SubscriptionId};
use crate::ledger::{Account, Posting, Unbalanced};
use crate::money::{Money, MoneyError};
use crate::payment::{self, Opening, Payment};
use crate::period::Period;
use crate::subscription::Means;
use crate::tax::{Levy, Reason, Rounding};
use crate::text::Word;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    pub id: InvoiceId,
    pub subscription: SubscriptionId,
    pub customer: CustomerId,
    pub kind: Kind,
    pub cause: Cause,
    /// The period that it was made in.
    pub period: Period,
    pub lines: Vec<Line>,
    /// What the subscription's credit has paid of it; of a credit note what it has given: less than zero.
    pub credit: Money,
    pub opened_at: Timestamp,
    /// Whom it is addressed to, by the digest that the recipient is kept under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_to: Option<Word>,
    /// Which document of the subscription charged what this one credits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<Number>,
    pub stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DocumentKind"))]
pub enum Kind {
    Invoice,
    CreditNote,
}

/// Why a document was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DocumentCause"))]
pub enum Cause {
    /// The first charge; its payment is what the subscription begins with.
    Start,
    Renewal,
    /// Another plan or quantity, a pause or its end.
    Change,
    Cancellation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub what: What,
    pub plan: PlanId,
    pub quantity: u32,
    /// The service time that it is for.
    pub period: Period,
    /// Without the tax; less than zero where it is credited.
    pub base: Money,
    pub tax: Money,
    pub percent: Decimal,
    pub reason: Reason,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InvoiceLineKind"))]
pub enum What {
    /// A whole period, or what is left of it.
    Charge,
    /// What was charged and is not used.
    Credit,
    SetupFee,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Open,
    Paid { since: Timestamp },
    Void { since: Timestamp },
    Uncollectible { since: Timestamp },
}

/// A number of a series, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Number {
    pub year: i16,
    pub sequence: u32,
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{:06}", self.year, self.sequence)
    }
}

/// The text is no number of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("want a number such as 2026-000017")]
pub struct NotANumber;

impl std::str::FromStr for Number {
    type Err = NotANumber;

    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (year, sequence) = text.split_once('-').ok_or(NotANumber)?;
        let number = Self {
            year: year.parse().map_err(|_| NotANumber)?,
            sequence: sequence.parse().map_err(|_| NotANumber)?,
        };
        // Only as it is written: no signs, and no other number of zeros.
        if number.to_string() == text { Ok(number) } else { Err(NotANumber) }
    }
}

/// The numbers of one legal entity and year, as far as they are given.
///
/// A number is given when the series that says so is written: [`giving`](Self::giving) names whom the last ones belong
/// to, until those say so themselves. Only then further ones are given. So no crash between the two leaves a gap, and
/// no second try gives a second number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    pub entity: Word,
    pub year: i16,
    pub last: u32,
    /// Who has the last numbers, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub giving: Vec<InvoiceId>,
}

impl Series {
    pub fn new(entity: Word, year: i16) -> Self {
        Self { entity, year, last: 0, giving: Vec::new() }
    }

    /// The series that gives these the next numbers, in their order. What it was giving before has to be done.
    #[must_use]
    pub fn give(&self, to: Vec<InvoiceId>) -> Self {
        let count = u32::try_from(to.len()).unwrap_or(u32::MAX);
        Self { last: self.last.saturating_add(count), giving: to, ..self.clone() }
    }

    /// The last numbers, and whom they belong to.
    pub fn given(&self) -> impl Iterator<Item = (&InvoiceId, Number)> {
        let count = u32::try_from(self.giving.len()).unwrap_or(u32::MAX);
        let first = self.last.saturating_sub(count).saturating_add(1);
        let numbers = (first..=self.last).map(|sequence| Number { year: self.year, sequence });
        self.giving.iter().zip(numbers)
    }
}

impl Line {
    /// A charge, or with a negative amount its opposite.
    pub(crate) fn of(
        what: What,
        (plan, quantity): (&PlanId, u32),
        period: Period,
        amount: Money,
        levy: &Levy,
    ) -> Result<Self, MoneyError> {
        let tax = levy.line(None, amount, (1, Rounding::Line))?;
        let (plan, percent, reason) = (plan.clone(), tax.percent, tax.reason);
        Ok(Self { what, plan, quantity, period, base: tax.base, tax: tax.amount, percent, reason })
    }

    pub fn total(&self) -> Result<Money, MoneyError> {
        self.base.plus(self.tax)
    }
}

impl Invoice {
    pub fn currency(&self) -> Currency {
        self.credit.currency
    }

    pub fn subtotal(&self) -> Result<Money, MoneyError> {
        Money::sum(self.currency(), self.lines.iter().map(|line| line.base))
    }

    pub fn tax(&self) -> Result<Money, MoneyError> {
        Money::sum(self.currency(), self.lines.iter().map(|line| line.tax))
    }

    pub fn total(&self) -> Result<Money, MoneyError> {
        self.subtotal()?.plus(self.tax()?)
    }

    /// With its number; none if it has one, which it keeps.
    #[must_use]
    pub fn numbered(&self, number: Number) -> Option<Self> {
        self.number.is_none().then(|| Self { number: Some(number), ..self.clone() })
    }

    /// The year of its number: that of its date.
    pub fn year(&self) -> i16 {
        self.opened_at.to_zoned(TimeZone::UTC).year()
    }

    /// The document that charged what this one credits.
    pub fn corrected(&self) -> Option<InvoiceId> {
        self.corrects.map(|number| InvoiceId::of(&self.subscription, number))
    }

    /// What is left for a payment.
    pub fn due(&self) -> Result<Money, MoneyError> {
        self.total()?.minus(self.credit)
    }

    /// The sale, or what is taken back of it.
    pub fn posting(&self) -> Result<Posting, Unbalanced> {
        Posting::draft(self.currency())
            .debit(Account::Receivable, self.due()?)
            .debit(Account::SubscriptionCredit, self.credit)
            .credit(Account::Subscriptions, self.subtotal()?)
            .credit(Account::TaxPayable, self.tax()?)
            .close()
    }

    /// The `number`-th payment that it is to be paid by, with its first attempt begun; `off_session`: the customer is
    /// not there.
    pub fn charge(
        &self,
        means: &Means,
        (number, off_session): (u8, bool),
        now: Timestamp,
    ) -> Result<Payment, payment::Refused> {
        let opening = Opening {
            order: OrderId::of_invoice(&self.id),
            cart: None,
            invoice: Some(self.id.clone()),
            off_session,
            number,
            method: means.method,
            gateway: means.gateway.clone(),
            token: means.token.clone(),
            amount: self.due()?,
            part: None,
        };
        let payment = payment::open(opening, now)?;
        Ok(match payment::begin_authorize(&payment, None, now)? {
            Decision::New(begun) => payment.apply(&begun),
            Decision::Already => payment,
        })
    }

    /// After its payment has come to what it has; none where that is no news.
    pub fn paid_by(&self, payment: &Payment, now: Timestamp) -> Result<Option<Self>, MoneyError> {
        let kept = payment.kept();
        let comes = kept.minus(self.due()?)?.minor >= 0;
        let open = self.stage == Stage::Open;
        Ok((open && comes).then(|| Self { stage: Stage::Paid { since: now }, ..self.clone() }))
    }

    /// Nothing came of what it was for: as if it had never been made, and what moves back with it.
    pub fn voided(&self, now: Timestamp) -> Result<Option<(Self, Posting)>, Unbalanced> {
        if self.stage != Stage::Open {
            return Ok(None);
        }
        let posting = Posting::draft(self.currency())
            .credit(Account::Receivable, self.due()?)
            .credit(Account::SubscriptionCredit, self.credit)
            .debit(Account::Subscriptions, self.subtotal()?)
            .debit(Account::TaxPayable, self.tax()?)
            .close()?;
        Ok(Some((Self { stage: Stage::Void { since: now }, ..self.clone() }, posting)))
    }

    /// Nobody will pay it: the service was given, so the sale stays and the money is lost.
    pub fn written_off(&self, now: Timestamp) -> Result<Option<(Self, Posting)>, Unbalanced> {
        if self.stage != Stage::Open {
            return Ok(None);
        }
        let due = self.due()?;
        let posting = Posting::draft(self.currency())
            .debit(Account::BadDebts, due)
            .credit(Account::Receivable, due)
            .close()?;
        Ok(Some((Self { stage: Stage::Uncollectible { since: now }, ..self.clone() }, posting)))
    }

    /// The stable word for API, lists and documents.
    pub fn status(&self) -> &'static str {
        match (&self.stage, self.kind) {
            (Stage::Open, _) => "open",
            (Stage::Paid { .. }, Kind::CreditNote) => "issued",
            (Stage::Paid { .. }, Kind::Invoice) => "paid",
            (Stage::Void { .. }, _) => "void",
            (Stage::Uncollectible { .. }, _) => "uncollectible",
        }
    }
}

#[cfg(test)]
mod tests;
