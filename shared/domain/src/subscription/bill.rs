//! What a step charges and credits, line by line, and the document that it becomes.

use super::{DOCUMENTS_MAX, Refused, Subscription};
use crate::id::{InvoiceId, PlanId};
use crate::invoice::{Cause, Invoice, Kind, Line, Stage, What};
use crate::money::{Money, MoneyError};
use crate::period::{Period, Proration, Zone, elapsed};
use crate::place::Country;
use crate::plan::Terms;
use crate::tax::{Levy, OwedBy, Policy, Sale};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was charged for time that is not over.
///
/// It keeps what the whole period costs. So what is left of it at a moment is the same amount whether it is charged or
/// credited then, and however often: a change back and forth costs nothing, and no rounding adds up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Covered {
    /// The whole period.
    pub period: Period,
    /// From when on it was charged, where that is later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of the whole period, as priced.
    pub price: Money,
    /// That of the charge: what is credited bears the same.
    pub levy: Levy,
    /// How its time is divided.
    pub proration: Proration,
    /// The number of the document that charged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<u32>,
}

impl Covered {
    pub fn from(&self) -> Timestamp {
        self.since.unwrap_or(self.period.from)
    }
}

/// What it takes to tax a line of a subscription.
#[derive(Debug, Clone, Copy)]
pub struct Taxes<'a> {
    pub policy: &'a Policy,
    /// Where who sells is at home.
    pub seller: Country,
}

impl Taxes<'_> {
    /// What is sold is the marketplace's own service: it owes the tax, unless its customer does.
    fn levy(&self, subscription: &Subscription, terms: &Terms, on: Timestamp) -> Levy {
        let (place, buyer) = (&subscription.place, subscription.tax_id.as_ref());
        let sale = Sale { seller: self.seller, buyer, place, on: subscription.cycle.zone.date(on) };
        let levy = self.policy.levy(&sale, terms.category.as_ref());
        let owed_by = if levy.owed_by == OwedBy::Customer { OwedBy::Customer } else { OwedBy::Marketplace };
        Levy { owed_by, ..levy }
    }
}

/// What of a period's price is for the time from `at` on: all of it at its begin, then what is not used.
fn left(
    price: Money,
    period: Period,
    at: Timestamp,
    (mode, zone): (Proration, &Zone),
) -> Result<Money, MoneyError> {
    if at <= period.from {
        return Ok(price);
    }
    let (part, whole) = elapsed(period, at, mode, zone);
    price.minus(price.fraction(part, whole))
}

/// The lines of one document, and what is covered after it.
#[derive(Debug, Clone, Default)]
pub(super) struct Bill {
    lines: Vec<Line>,
    /// The document that charged what is credited.
    corrects: Option<u32>,
}

impl Bill {
    /// What a document was of.
    pub(super) fn again(document: &Invoice) -> Self {
        Self { lines: document.lines.clone(), corrects: document.corrects }
    }

    /// Credits what is covered from `at` on: the opposite of a charge for that time. What is not prorated is paid for
    /// all of its period, whatever becomes of it, and stays covered.
    pub(super) fn credit(&mut self, of: &mut Subscription, at: Timestamp) -> Result<(), MoneyError> {
        let Some(covered) = of.covered.take_if(|covered| covered.proration != Proration::None) else {
            return Ok(());
        };
        let rest = Period { from: at.max(covered.from()), until: covered.period.until };
        let (price, mode) = (covered.price, covered.proration);
        let amount = left(price, covered.period, rest.from, (mode, &of.cycle.zone))?;
        if amount.minor != 0 {
            self.push(What::Credit, (&of.plan, of.quantity), rest, amount.negated(), &covered.levy)?;
            self.corrects = covered.document;
        }
        Ok(())
    }

    /// Charges from `at` to the end of a period, in full where that is all of it.
    pub(super) fn charge(
        &mut self,
        of: &mut Subscription,
        terms: &Terms,
        (period, at): (Period, Timestamp),
        taxes: &Taxes<'_>,
    ) -> Result<(), Refused> {
        let (price, proration) = (terms.price_of(of.quantity)?, terms.proration);
        let rest = Period { from: at.max(period.from), until: period.until };
        let amount = left(price, period, rest.from, (proration, &of.cycle.zone))?;
        of.covered = None;
        if amount.minor != 0 {
            let levy = taxes.levy(of, terms, rest.from);
            self.push(What::Charge, (&of.plan, of.quantity), rest, amount, &levy)?;
            let since = (rest.from > period.from).then_some(rest.from);
            // The one that these lines become.
            let document = Some(of.documents.saturating_add(1));
            of.covered = Some(Covered { period, since, price, levy, proration, document });
        }
        Ok(())
    }

    pub(super) fn setup_fee(
        &mut self,
        of: &Subscription,
        terms: &Terms,
        period: Period,
        taxes: &Taxes<'_>,
    ) -> Result<(), MoneyError> {
        match terms.setup_fee.filter(|fee| fee.minor != 0) {
            Some(fee) => {
                let levy = taxes.levy(of, terms, period.from);
                self.push(What::SetupFee, (&of.plan, 1), period, fee, &levy)
            }
            None => Ok(()),
        }
    }

    fn push(
        &mut self,
        what: What,
        of: (&PlanId, u32),
        period: Period,
        amount: Money,
        levy: &Levy,
    ) -> Result<(), MoneyError> {
        self.lines.push(Line::of(what, of, period, amount, levy)?);
        Ok(())
    }

    /// The document of these lines, numbered in the subscription; none where there is no line. An invoice takes what
    /// credit there is, a credit note adds to it.
    pub(super) fn close(
        self,
        of: &mut Subscription,
        cause: Cause,
        (period, now): (Period, Timestamp),
    ) -> Result<Option<Invoice>, Refused> {
        if self.lines.is_empty() {
            return Ok(None);
        }
        let zero = Money::zero(of.currency());
        if of.documents >= DOCUMENTS_MAX {
            return Err(Refused::DocumentCount);
        }
        of.documents += 1;
        let mut document = Invoice {
            id: InvoiceId::of(&of.id, of.documents),
            subscription: of.id.clone(),
            customer: of.customer.clone(),
            kind: Kind::Invoice,
            cause,
            period,
            lines: self.lines,
            credit: zero,
            opened_at: now,
            bill_to: of.bill_to.clone(),
            corrects: self.corrects,
            number: None,
            stage: Stage::Open,
        };
        let total = document.total()?;
        document.credit = if total.minor < 0 || total.minor < of.credit.minor { total } else { of.credit };
        of.credit = of.credit.minus(document.credit)?;
        if total.minor < 0 {
            document.kind = Kind::CreditNote;
        }
        if document.due()?.minor == 0 {
            document.stage = Stage::Paid { since: now };
        }
        Ok(Some(document))
    }
}
