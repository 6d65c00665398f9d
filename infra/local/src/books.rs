//! The ledger, checked from its sources: what is derived must equal what it is derived from.
//!
//! Sources are the postings and movements in the outbox items. Checked against them: debits = credits per currency, the
//! projected totals of every account, every merchant's own entries and payouts against its payable, and the levels of
//! every stock item, customers' store credit, and what subscriptions are owed and owe.

use crate::market::Market;
use domain::Money;
use domain::credit::StoreCredit;
use domain::id::{InvoiceId, MarketplaceId, MerchantId, OrderId, PaymentId, SubscriptionId};
use domain::invoice::{Invoice, Kind, Line, Stage as InvoiceStage};
use domain::ledger::{Account, MerchantEntry};
use domain::payment::Payment;
use domain::payout::Payout;
use domain::stock::{Levels, Movement};
use domain::subscription::Subscription;
use std::collections::BTreeMap;
use table::Fault;
use table::ledger::Balance;
use table::list::Found;
use table::outbox::Entry;

/// What a check found: the accounts, and every sentence that should be true and is not.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub outbox_items: u64,
    pub postings: u64,
    pub movements: u64,
    /// By marketplace, account and currency, from the postings.
    pub accounts: BTreeMap<(MarketplaceId, String, String), Balance>,
    pub faults: Vec<String>,
}

const SUBSCRIPTION_CREDIT: &str = "subscription_credit";
const RECEIVABLE: &str = "receivable";

/// What may be found in an item of a subscription's.
type Recurring = (
    Option<(MarketplaceId, Subscription)>,
    Option<(MarketplaceId, Invoice)>,
    Option<(MarketplaceId, Payment)>,
);

/// Whether a story is that of an invoice, or of a payment of one: that is of an order named after the invoice, whose
/// tail is a subscription's and six digits.
fn of_invoice(subject: &str) -> bool {
    let named = |order: OrderId| order.tail().len() == SubscriptionId::from_bits(0).tail().len() + 6;
    let order = subject.parse::<PaymentId>().ok().and_then(|payment| payment.place()).map(|(order, _)| order);
    subject.parse::<InvoiceId>().is_ok() || order.is_some_and(named)
}

/// The account of all merchants together, as the totals name it.
const PAYABLE: &str = "payable";

fn collective(account: &str) -> String {
    if account.starts_with("payable:") { PAYABLE.to_owned() } else { account.to_owned() }
}

/// A check under way.
#[derive(Debug, Default)]
pub(crate) struct Audit {
    books: Books,
    derived: Derived,
}

impl Audit {
    /// One item more.
    pub(crate) fn take(&mut self, found: &Found) -> Result<(), Fault> {
        let Self { books, derived } = self;
        if let Some(entry) = found.outbox_entry()? {
            books.enter(&entry, derived);
        }
        if let Some((m, account, currency, balance)) = found.ledger_total() {
            let sum = derived.totals.entry((m, collective(&account), currency)).or_default();
            sum.debits += balance.debits;
            sum.credits += balance.credits;
        }
        if let Some((m, offer, bin)) = found.stock() {
            let place = (m, offer, bin.location.to_string());
            let held = bin.holds.values().map(|held| i64::from(held.quantity)).sum();
            let held = Levels { available: held, ..Levels::default() };
            let (_, there) = derived.stock.entry(place).or_default();
            *there = there.plus(bin.levels).plus(held);
        }
        if let Some((m, entry)) = found.read::<MerchantEntry>()? {
            derived.owe(m, &entry.merchant, entry.amount, -1);
        }
        if let Some((m, credit)) = found.read::<StoreCredit>()? {
            let key = (m, credit.balance.currency.to_string());
            *derived.credit.entry(key).or_default() += i128::from(credit.balance.minor);
            if credit.held.minor < 0 || credit.balance.minor < credit.held.minor {
                books.faults.push(format!("{credit:?} is promised more than once"));
            }
        }
        books.enter_recurring(derived, (found.read()?, found.read()?, found.read()?));
        if let Some((m, payout)) = found.read::<Payout>()? {
            derived.owe(m, &payout.merchant, payout.amount, 1);
        }
        Ok(())
    }

    /// Everything was there.
    pub(crate) fn closed(self) -> Books {
        let Self { mut books, mut derived } = self;
        books.balance();
        books.compare_totals(&derived);
        books.compare_entries(&derived);
        books.compare_stock(&derived);
        books.compare_recurring(&mut derived);
        books.compare_credit(derived);
        books
    }
}

impl Books {
    /// Reads everything in one pass; only for an operator's command.
    pub async fn check(market: &Market) -> Result<Self, Fault> {
        let mut audit = Audit::default();
        let mut after = None;
        loop {
            let page = market.world.table.scan_all(after.as_ref()).await?;
            for found in &page.items {
                audit.take(found)?;
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(audit.closed()),
            }
        }
    }

    /// Subscriptions, their documents, and the payments of those. A document is whole (A13(6)), and says of its stage
    /// what its payments do.
    fn enter_recurring(&mut self, derived: &mut Derived, found: Recurring) {
        let (subscription, document, payment) = found;
        if let Some((m, Subscription { credit, .. })) = subscription {
            *derived.recurring(m, credit, SUBSCRIPTION_CREDIT) += i128::from(credit.minor);
        }
        if let Some((m, document)) = document {
            let of_lines = |line: &Line| line.total().map(|total| total.minor).unwrap_or_default();
            let lines: i64 = document.lines.iter().map(of_lines).sum();
            let sums = [document.subtotal(), document.tax(), document.total(), document.due()];
            let [subtotal, tax, total, due] = sums.map(|sum| sum.map(|sum| sum.minor).unwrap_or_default());
            let note = document.kind == Kind::CreditNote;
            if subtotal.saturating_add(tax) != total || lines != total || due < 0 || note != (total < 0) {
                self.faults.push(format!("{m}: the sums of {} are off: {document:?}", document.id));
            }
            if document.stage == InvoiceStage::Open {
                *derived.recurring(m.clone(), document.credit, RECEIVABLE) += i128::from(due);
            }
            let paid = matches!(document.stage, InvoiceStage::Paid { .. });
            let (wanted, _) = derived.paid.entry((m, document.id)).or_default();
            *wanted = if paid { i128::from(due) } else { 0 };
        }
        if let Some((m, payment)) = payment
            && let Some(invoice) = &payment.invoice
        {
            let (_, captured) = derived.paid.entry((m.clone(), invoice.clone())).or_default();
            *captured += i128::from(payment.kept().minor);
            let back =
                payment.refunds.iter().filter(|refund| !refund.stray).map(|refund| refund.amount.minor);
            *derived.recurring(m, payment.amount, RECEIVABLE) += i128::from(back.sum::<i64>());
        }
    }

    /// What subscriptions have as credit is what the marketplace owes them; what their open invoices come to is what it
    /// is owed; and an invoice that is paid was paid once.
    fn compare_recurring(&mut self, derived: &mut Derived) {
        for ((m, account, currency), balance) in &self.accounts {
            if account == SUBSCRIPTION_CREDIT {
                let key = (m.clone(), SUBSCRIPTION_CREDIT, currency.clone());
                *derived.recurring.entry(key).or_default() += balance.debits - balance.credits;
            }
        }
        for ((m, account, currency), off) in derived.recurring.iter().filter(|(_, off)| **off != 0) {
            self.faults.push(format!(
                "{m}: subscriptions and their {account} differ by {off} minor units of {currency}"
            ));
        }
        for ((m, invoice), (wanted, captured)) in derived.paid.iter().filter(|(_, (a, b))| a != b) {
            self.faults.push(format!("{m}: {invoice} is paid with {wanted}, its payments have {captured}"));
        }
    }

    fn enter(&mut self, entry: &Entry, derived: &mut Derived) {
        self.outbox_items += 1;
        for Movement { offer, location, change, .. } in &entry.movements {
            self.movements += 1;
            let place = (entry.marketplace.clone(), offer.tail().to_owned(), location.to_string());
            let (moved, _) = derived.stock.entry(place).or_default();
            *moved = moved.plus(change.effect());
        }
        for posting in &entry.postings {
            self.postings += 1;
            for (account, amount) in posting.entries() {
                // Where invoices and their payments meet; orders and theirs meet there too.
                if *account == Account::Receivable && of_invoice(&entry.subject) {
                    *derived.recurring(entry.marketplace.clone(), amount, RECEIVABLE) -=
                        i128::from(amount.minor);
                }
                if let Account::Payable(merchant) = account {
                    derived.owe(entry.marketplace.clone(), merchant, amount, -1);
                }
                let account = collective(&account.to_string());
                let key = (entry.marketplace.clone(), account, posting.currency().to_string());
                self.accounts.entry(key).or_default().enter(amount.minor);
            }
        }
    }

    /// Debits = credits, per marketplace and currency (A12(6)).
    fn balance(&mut self) {
        let mut sums: BTreeMap<(MarketplaceId, String), i128> = BTreeMap::new();
        for ((m, _, currency), balance) in &self.accounts {
            *sums.entry((m.clone(), currency.clone())).or_default() += balance.debits - balance.credits;
        }
        for ((m, currency), off) in sums.into_iter().filter(|(_, off)| *off != 0) {
            self.faults.push(format!("{m}: debits and credits in {currency} differ by {off} minor units"));
        }
    }

    fn compare_totals(&mut self, derived: &Derived) {
        let totals = &derived.totals;
        let mut names: Vec<_> = self.accounts.keys().chain(totals.keys()).cloned().collect();
        names.sort();
        names.dedup();
        for name in names {
            let posted = self.accounts.get(&name).copied().unwrap_or_default();
            let total = totals.get(&name).copied().unwrap_or_default();
            if posted != total {
                let (m, account, currency) = name;
                self.faults.push(format!(
                    "{m}: the total of {account} in {currency} is {total:?}, its postings sum to {posted:?}"
                ));
            }
        }
    }

    /// A merchant's payable = Σ of its entries − Σ of its payouts that were ordered. (A payout that came back is an
    /// entry of its own, so it counts whatever became of it.)
    fn compare_entries(&mut self, derived: &Derived) {
        for ((m, merchant, currency), off) in derived.payables.iter().filter(|(_, off)| **off != 0) {
            self.faults.push(format!(
                "{m}: the payable of {merchant} and its entries differ by {off} minor units of {currency}"
            ));
        }
    }
}

impl Books {
    /// The levels of a location's bins, with what carts hold given back, are the sum of its movements.
    fn compare_stock(&mut self, derived: &Derived) {
        for ((m, offer, location), (moved, there)) in derived.stock.iter().filter(|(_, (a, b))| a != b) {
            self.faults.push(format!(
                "{m}: the stock of off_{offer} at {location} is {there:?}, its movements sum to {moved:?}"
            ));
        }
    }
}

impl Books {
    /// What customers have is what the marketplace owes them.
    fn compare_credit(&mut self, mut derived: Derived) {
        for ((m, account, currency), balance) in &self.accounts {
            if account == Account::StoreCredit.word() {
                let owed = balance.debits - balance.credits;
                *derived.credit.entry((m.clone(), currency.clone())).or_default() += owed;
            }
        }
        for ((m, currency), off) in derived.credit.into_iter().filter(|(_, off)| *off != 0) {
            self.faults.push(format!(
                "{m}: customers' store credit and the account of it differ by {off} minor units of {currency}"
            ));
        }
    }
}

/// What the sources should equal.
#[derive(Debug, Default)]
struct Derived {
    /// The projected totals.
    totals: BTreeMap<(MarketplaceId, String, String), Balance>,
    /// What merchants are owed by the postings, less their entries, plus their payouts: zero.
    payables: BTreeMap<(MarketplaceId, MerchantId, String), i128>,
    /// By marketplace, offer and location: the sum of the movements, and what the bins say.
    stock: BTreeMap<(MarketplaceId, String, String), (Levels, Levels)>,
    /// By marketplace and currency: the sum of the balances.
    credit: BTreeMap<(MarketplaceId, String), i128>,
    /// By marketplace, account and currency: what subscriptions and invoices say, less what was posted. Zero.
    recurring: BTreeMap<(MarketplaceId, &'static str, String), i128>,
    /// What invoices were paid with, and what their payments have kept.
    paid: BTreeMap<(MarketplaceId, InvoiceId), (i128, i128)>,
}

impl Derived {
    fn recurring(&mut self, m: MarketplaceId, of: Money, account: &'static str) -> &mut i128 {
        self.recurring.entry((m, account, of.currency.to_string())).or_default()
    }

    fn owe(&mut self, m: MarketplaceId, merchant: &MerchantId, amount: Money, sign: i128) {
        let key = (m, merchant.clone(), amount.currency.to_string());
        *self.payables.entry(key).or_default() += sign * i128::from(amount.minor);
    }
}
