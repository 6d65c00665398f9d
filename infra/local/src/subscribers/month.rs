//! What a month came to, from the table as it is at its end; and whether the ledger says the same.

use super::NoDemonstration;
use domain::Currency;
use domain::dunning::{Case, Stage as CaseStage};
use domain::id::{PlanId, SubscriptionId};
use domain::invoice::{Invoice, Kind, Stage as InvoiceStage};
use domain::ledger::Account;
use domain::plan::Terms;
use domain::subscription::{Ended, Stage, Subscription};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use table::list::Found;
use table::{Fault, Table};

/// Who is there at the end of a month, and what has happened in it. Money is in minor units of one currency.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Month {
    /// `2026-01`.
    pub month: String,
    /// Everybody who has subscribed so far: trialing, active, in dunning, paused, or ended by now.
    pub subscribed: usize,
    pub trialing: usize,
    /// Paying, and nothing is wrong.
    pub active: usize,
    /// A payment has failed and may still come.
    pub in_dunning: usize,
    pub paused: usize,
    pub ended: usize,
    /// In the month.
    pub joined: usize,
    pub recovered: usize,
    pub churned: usize,
    /// Of those who have churned, so many because they did not pay.
    pub unpaid: usize,
    pub mrr: i64,
    /// Totals with tax.
    pub invoiced: i64,
    pub collected: i64,
    pub credit_notes: i64,
    /// Invoices that nobody will pay.
    pub written_off: i64,
    /// Σ debits − Σ credits of all accounts.
    pub ledger: i64,
}

/// Everything that figures are made of.
#[derive(Debug, Default)]
struct Seen {
    subscriptions: Vec<Subscription>,
    documents: Vec<Invoice>,
    cases: Vec<Case>,
    terms: BTreeMap<(PlanId, u32), Terms>,
    /// Debits − credits, by account.
    accounts: BTreeMap<String, i128>,
}

impl Seen {
    async fn read(table: &Table, currency: Currency) -> Result<Self, Fault> {
        let (mut seen, mut after) = (Self::default(), None);
        loop {
            let page = table.scan_all(after.as_ref()).await?;
            for found in &page.items {
                seen.note(found, currency)?;
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(seen),
            }
        }
    }

    fn note(&mut self, found: &Found, currency: Currency) -> Result<(), Fault> {
        self.subscriptions.extend(found.read::<Subscription>()?.map(|(_, one)| one));
        self.documents.extend(found.read::<Invoice>()?.map(|(_, one)| one));
        self.cases.extend(found.read::<Case>()?.map(|(_, one)| one));
        let terms = found.read::<Terms>()?;
        self.terms.extend(terms.map(|(_, one)| ((one.plan.clone(), one.version), one)));
        if let Some((_, account, of, balance)) = found.ledger_total()
            && of == currency.to_string()
        {
            *self.accounts.entry(account).or_default() += balance.debits - balance.credits;
        }
        Ok(())
    }
}

/// A month's figures, and every sentence that should be true at its end and is not.
pub(super) async fn month(
    table: &Table,
    (currency, subscribed_before): (Currency, usize),
    (from, until): (Timestamp, Timestamp),
) -> Result<(Month, Vec<String>), NoDemonstration> {
    let seen = Seen::read(table, currency).await?;
    let of = |at: Timestamp| from <= at && at < until;
    let mut month = Month { month: from.strftime("%Y-%m").to_string(), ..Month::default() };
    month.people(&seen, of)?;
    month.joined = month.subscribed.saturating_sub(subscribed_before);
    month.money(&seen, of)?;
    let wrong = month.wrong(&seen)?;
    Ok((month, wrong))
}

impl Month {
    fn people(&mut self, seen: &Seen, of: impl Fn(Timestamp) -> bool) -> Result<(), NoDemonstration> {
        let open = seen.cases.iter().filter(|case| case.is_open());
        let failing: BTreeSet<&SubscriptionId> = open.map(|case| &case.subscription).collect();
        self.subscribed = seen.subscriptions.len();
        for one in &seen.subscriptions {
            match &one.stage {
                // Nothing is paid yet.
                Stage::Incomplete { .. } | Stage::Trialing { .. } => self.trialing += 1,
                Stage::Active if failing.contains(&one.id) => self.in_dunning += 1,
                Stage::Active => self.active += 1,
                Stage::Paused { .. } => self.paused += 1,
                Stage::Ended { since, why } => {
                    self.ended += 1;
                    self.churned += usize::from(of(*since));
                    self.unpaid += usize::from(of(*since) && *why == Ended::Unpaid);
                }
            }
            if let Some(terms) = seen.terms.get(&(one.plan.clone(), one.version)) {
                self.mrr += one.monthly(terms)?.minor;
            }
        }
        let recovered = |case: &&Case| matches!(case.stage, CaseStage::Recovered { since } if of(since));
        self.recovered = seen.cases.iter().filter(recovered).count();
        Ok(())
    }

    fn money(&mut self, seen: &Seen, of: impl Fn(Timestamp) -> bool) -> Result<(), NoDemonstration> {
        for document in &seen.documents {
            let (total, due) = (document.total()?.minor, document.due()?.minor);
            let void = matches!(document.stage, InvoiceStage::Void { .. });
            let opened = if of(document.opened_at) && !void { total } else { 0 };
            match document.kind {
                Kind::CreditNote => self.credit_notes += opened,
                Kind::Invoice => self.invoiced += opened,
            }
            match document.stage {
                InvoiceStage::Paid { since } if of(since) => self.collected += due,
                InvoiceStage::Uncollectible { since } if of(since) => self.written_off += due,
                InvoiceStage::Open
                | InvoiceStage::Paid { .. }
                | InvoiceStage::Void { .. }
                | InvoiceStage::Uncollectible { .. } => {}
            }
        }
        let all: i128 = seen.accounts.values().sum();
        self.ledger = i64::try_from(all).unwrap_or(i64::MAX);
        Ok(())
    }

    /// People and documents, from the opening on, against each other and against the accounts.
    fn wrong(&self, seen: &Seen) -> Result<Vec<String>, NoDemonstration> {
        let (mut sold, mut collected, mut open, mut lost) = (0, 0, 0, 0);
        for document in &seen.documents {
            let (total, due) = (document.total()?.minor, document.due()?.minor);
            match document.stage {
                InvoiceStage::Void { .. } => continue,
                InvoiceStage::Open => open += i128::from(due),
                InvoiceStage::Paid { .. } => collected += i128::from(due),
                InvoiceStage::Uncollectible { .. } => lost += i128::from(due),
            }
            sold += i128::from(total);
        }
        let credit: i128 = seen.subscriptions.iter().map(|one| i128::from(one.credit.minor)).sum();
        let account = |account: &Account| seen.accounts.get(account.word()).copied().unwrap_or_default();
        let revenue = account(&Account::Subscriptions) + account(&Account::TaxPayable);
        let there = self.trialing + self.active + self.in_dunning + self.paused + self.ended;
        let sentences = [
            ("all accounts together are", i128::from(self.ledger), 0),
            ("revenue and tax, against the documents, are", revenue, -sold),
            (
                "what gateways hold, against the paid invoices, is",
                account(&Account::GatewayClearing),
                collected,
            ),
            ("receivable, against the open invoices, is", account(&Account::Receivable), open),
            ("bad debts, against the invoices written off, are", account(&Account::BadDebts), lost),
            ("credit, against the subscriptions, is", account(&Account::SubscriptionCredit), -credit),
            ("those who have subscribed are", self.subscribed as i128, there as i128),
        ];
        let off = sentences.iter().filter(|(_, is, should)| is != should);
        Ok(off.map(|(what, is, should)| format!("{}: {what} {is} instead of {should}", self.month)).collect())
    }
}
