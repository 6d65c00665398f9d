//! Money: what gateways were asked for, what banks were told, what subscribers have paid.

use super::{GIVEN, Promise, Whole, sum};
use crate::books::Books;
use crate::market::Market;
use crate::sim::Troubled;
use crate::sim::stage::marketplace_id;
use crate::sim::wire::{Asked, Wire};
use domain::gateway::Method;
use domain::id::{AttemptId, MerchantId, SubscriptionId};
use domain::invoice::{Cause, Invoice, Stage as InvoiceStage};
use domain::ledger::EntryKind;
use domain::merchant_order::Stage as PartStage;
use domain::money::decimal_text;
use domain::payment::{Call, Payment, Refund, State, To};
use domain::payout::{Payout, Stage, claimable_through};
use domain::{Currency, Money};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Cards whose authorizations go well at the sandbox, whether an answer is heard or not.
const TAKEN: [&str; 7] = [
    "tok_approved",
    "tok_timeout_approved",
    "tok_capture_",
    "tok_void_",
    "tok_refund_",
    "tok_hours_",
    "tok_paid",
];
/// What a notice gives as the reason of a no.
const BY_NOTICE: &str = "generic_decline";

/// In each currency an account of this marketplace comes to what these amounts do; or what is wrong.
pub(super) fn on_the_books(
    books: &Books,
    law: &str,
    account: &str,
    amounts: impl Iterator<Item = Money>,
) -> Option<String> {
    let own = marketplace_id();
    let mine = books.accounts.iter().filter(|((m, name, _), _)| *m == own && name == account);
    let posted = mine.map(|((_, _, currency), balance)| (currency.clone(), balance.debits - balance.credits));
    let posted: BTreeMap<String, i128> = posted.filter(|(_, sum)| *sum != 0).collect();
    let mut wanted: BTreeMap<String, i128> = BTreeMap::new();
    for amount in amounts {
        let sum = wanted.entry(amount.currency.to_string()).or_default();
        *sum = sum.saturating_add(amount.minor.into());
    }
    wanted.retain(|_, sum| *sum != 0);
    (posted != wanted).then(|| format!("{law}: {posted:?} are, {wanted:?} should be"))
}

/// What was given back by hand for each cause.
fn by_cause(payment: &Payment) -> BTreeMap<&str, i64> {
    let mut causes = BTreeMap::new();
    // What the system grants by itself has causes with a colon.
    let by_hand = |refund: &&Refund| !refund.stray && !refund.cause.as_str().contains(':');
    for refund in payment.refunds.iter().filter(by_hand) {
        let given: &mut i64 = causes.entry(refund.cause.as_str()).or_default();
        *given = given.saturating_add(refund.amount.minor);
    }
    causes
}

/// What was given back by hand.
pub(super) fn given(payment: &Payment) -> i64 {
    sum(by_cause(payment).into_values())
}

impl Whole {
    /// Gateways were asked for what is on record and nothing else, under each key for one thing.
    pub(super) fn asked(&self, wire: &Wire) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut keys: BTreeMap<String, Asked> = BTreeMap::new();
        for (key, asked) in wire.asked() {
            let first = keys.entry(key.clone()).or_insert_with(|| asked.clone());
            if *first != asked {
                wrong.push(format!("a key is for one call: {key} is for {first:?} and {asked:?}"));
            }
        }
        for (key, asked) in keys {
            let on_record = self.on_record(&key);
            if on_record.as_ref() != Some(&asked) {
                wrong.push(format!(
                    "gateways are asked for what is on record: {key} {asked:?}, {on_record:?}"
                ));
            }
        }
        for payment in &self.payments {
            for (cause, given) in by_cause(payment).into_iter().filter(|(_, given)| *given > GIVEN) {
                wrong.push(format!("a cause is one refund: {} gives {given} for {cause}", payment.id));
            }
        }
        wrong
    }

    /// What a card's gateway has taken stands as taken, unless it has told otherwise by itself.
    pub(super) fn believed(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for payment in self.payments.iter().filter(|payment| payment.invoice.is_none()) {
            let token = payment.token.as_ref().map_or("", |token| token.as_str());
            if !TAKEN.iter().any(|taken| token.starts_with(taken)) {
                continue;
            }
            for attempt in payment.attempts.iter().filter(|attempt| attempt.call == Call::Authorize) {
                if let State::Declined { decline } = &attempt.state
                    && decline.code.as_str() != BY_NOTICE
                {
                    let (id, code) = (&payment.id, &decline.code);
                    wrong.push(format!("what a gateway has taken is taken: {id} with {token} is {code}"));
                }
            }
        }
        wrong
    }

    /// What gateways keep for us, and what is left of vouchers, is what was taken and not sent back, call by call.
    pub(super) fn kept_by_gateways(&self, books: &Books) -> Vec<String> {
        let cards = self.moved(Method::Card);
        let cards = on_the_books(books, "what gateways keep is on the books", "gateway_clearing", cards);
        let vouchers = self.moved(Method::Voucher);
        let vouchers = on_the_books(books, "what vouchers gave is on the books", "vouchers", vouchers);
        cards.into_iter().chain(vouchers).collect()
    }

    /// What calls of a method took, and sent back.
    fn moved(&self, method: Method) -> impl Iterator<Item = Money> {
        let own = self.payments.iter().filter(move |payment| payment.method == method);
        let moved = own.flat_map(|payment| payment.attempts.iter().map(move |one| (payment, one)));
        moved.filter_map(|(payment, one)| match (one.call, &one.state) {
            (Call::Authorize, State::Captured { amount }) => Some(*amount),
            (Call::Capture { .. }, State::Approved { .. }) => Some(one.amount),
            (Call::Refund { refund }, State::Approved { .. }) => {
                let sent = payment.refund(refund).is_some_and(|held| held.way_of(one) == To::Original);
                sent.then(|| one.amount.negated())
            }
            (Call::Authorize | Call::Capture { .. } | Call::Void { .. } | Call::Refund { .. }, _) => None,
        })
    }

    /// What a payment says of one of its calls.
    fn on_record(&self, key: &str) -> Option<Asked> {
        let (id, number) = key.parse::<AttemptId>().ok()?.place()?;
        let payment = self.payments.iter().find(|payment| payment.id == id)?;
        let attempt = payment.attempts.iter().find(|attempt| attempt.number == number)?;
        let call = match attempt.call {
            Call::Authorize => "authorize",
            Call::Capture { .. } => "capture",
            Call::Void { .. } => "void",
            Call::Refund { .. } => "refund",
        };
        // What is released is whatever is left by then.
        let minor = if call == "void" { 0 } else { attempt.amount.minor };
        Some(Asked { call: call.to_owned(), minor })
    }

    /// Merchants have earned what is left of what was delivered, in their own currency, at the frozen rate.
    pub(super) fn earned(&self) -> Vec<String> {
        let mut off: BTreeMap<(&MerchantId, Currency), i64> = BTreeMap::new();
        let mut wrong = Vec::new();
        for part in self.parts.values() {
            if let PartStage::Delivered { .. } = part.stage {
                match part.kept().and_then(|kept| kept.own(part.rate.as_ref())) {
                    Ok(left) => {
                        let sum = off.entry((&part.merchant, left.net.currency)).or_default();
                        *sum = sum.saturating_sub(left.net.minor);
                    }
                    Err(error) => wrong.push(format!("merchants earn what is left: {}: {error}", part.id)),
                }
            }
        }
        for entry in self.entries.iter().filter(|entry| entry.kind != EntryKind::PayoutReturned) {
            let sum = off.entry((&entry.merchant, entry.amount.currency)).or_default();
            *sum = sum.saturating_add(entry.amount.minor);
        }
        let off = off.into_iter().filter(|(_, off)| *off != 0);
        wrong.extend(off.map(|((merchant, currency), off)| {
            format!("merchants earn what is left: {merchant} has {off} minor units of {currency} more")
        }));
        wrong
    }

    /// What was payable a night ago is paid, unless what came since takes it back (A12).
    pub(super) fn all_paid(&self, now: Timestamp) -> Vec<String> {
        let yesterday = now.checked_sub(SignedDuration::from_hours(25)).unwrap_or(now);
        let (through, late) = (claimable_through(now), claimable_through(yesterday));
        let mut open: BTreeMap<&MerchantId, (i64, i64)> = BTreeMap::new();
        for entry in &self.entries {
            let after = self.claimed.get(&entry.merchant).map_or(Date::ZERO, |claimed| claimed.through);
            if after < entry.payable_day && entry.payable_day <= through {
                let (all, old) = open.entry(&entry.merchant).or_default();
                *all = all.saturating_add(entry.amount.minor);
                if entry.payable_day <= late {
                    *old = old.saturating_add(entry.amount.minor);
                }
            }
        }
        let forgotten = open.into_iter().filter(|(_, (all, old))| *all > 0 && *old > 0);
        forgotten.map(|(merchant, open)| format!("what is payable is paid: {merchant} {open:?}")).collect()
    }

    /// Payouts follow each other day by day; each is the sum of the entries of its days.
    pub(super) fn paid_out(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut by_merchant: BTreeMap<&MerchantId, Vec<&Payout>> = BTreeMap::new();
        for payout in &self.payouts {
            by_merchant.entry(&payout.merchant).or_default().push(payout);
        }
        for (merchant, mut payouts) in by_merchant {
            payouts.sort_by_key(|payout| payout.through);
            let mut through = Date::ZERO;
            for payout in payouts {
                if payout.after != through {
                    let id = &payout.id;
                    wrong.push(format!("no day is paid out twice: {id} is after {}", payout.after));
                }
                through = payout.through;
                let own = self.entries.iter().filter(|entry| {
                    entry.merchant == *merchant
                        && (payout.after < entry.payable_day && entry.payable_day <= payout.through)
                });
                let earned = sum(own.map(|entry| entry.amount.minor));
                if earned != payout.amount.minor {
                    let (id, paid) = (&payout.id, payout.amount.minor);
                    wrong.push(format!("a payout is what was earned: {id} pays {paid} of {earned}"));
                }
            }
            let claimed = self.claimed.get(merchant).map(|claimed| claimed.through);
            if claimed != Some(through) {
                wrong.push(format!("what is paid out is claimed: {merchant} {claimed:?}, not {through}"));
            }
        }
        wrong
    }

    /// Banks have an order for each payout, to the cent; what they have not answered is on its way in the books.
    pub(super) fn at_banks(&self, market: &Market, books: &Books) -> Result<Vec<String>, Troubled> {
        let mut wrong = Vec::new();
        let bucket = market.cloud.environment("payout")?.remove("DOCUMENTS").unwrap_or_default();
        let folder = market.cloud.folder().join("s3").join(bucket).join(marketplace_id().as_str());
        for payout in &self.payouts {
            let name = format!("payouts/{}/{}.xml", payout.through, payout.id);
            let file = std::fs::read_to_string(folder.join(&name)).ok();
            let amount = decimal_text(payout.amount.minor.into(), payout.amount.currency);
            let ordered = format!("Ccy=\"{}\">{amount}<", payout.amount.currency);
            if !file.is_some_and(|file| file.contains(&ordered)) {
                wrong.push(format!("banks have an order for each payout: {name} is not there for {amount}"));
            }
        }
        let open = self.payouts.iter().filter(|payout| match payout.stage {
            Stage::Created | Stage::Sent { .. } => true,
            Stage::Paid { .. } | Stage::Failed { .. } => false,
        });
        let open = open.map(|payout| payout.amount.negated());
        let law = "what banks have not answered is in transit";
        wrong.extend(on_the_books(books, law, "payouts_in_transit", open));
        Ok(wrong)
    }

    /// What subscribers owe: open invoices, and what went back of paid ones.
    pub(super) fn invoiced(&self) -> impl Iterator<Item = Money> {
        let open = self.invoices.iter().filter(|invoice| invoice.stage == InvoiceStage::Open);
        let back = self.payments.iter().filter(|payment| payment.invoice.is_some());
        let back = back.flat_map(|payment| &payment.refunds).filter(|refund| !refund.stray);
        // One that cannot be summed is never on the books.
        let due = |invoice: &Invoice| invoice.due().unwrap_or(Money::new(i64::MAX, invoice.credit.currency));
        open.map(due).chain(back.map(|refund| refund.amount))
    }

    /// What has begun is there; each subscription has at most one invoice to pay, and all documents have one number
    /// each, without a gap.
    pub(super) fn subscribed(&self, promises: &[Promise]) -> Vec<String> {
        let mut wrong = Vec::new();
        let known: BTreeSet<&str> = self.subscriptions.iter().map(|one| one.id.as_str()).collect();
        for promise in promises {
            if let Promise::Subscribed { subscription } = promise
                && !known.contains(subscription.as_str())
            {
                wrong.push(format!("what has begun stays: {subscription} is gone"));
            }
        }
        let mut open: BTreeMap<&SubscriptionId, usize> = BTreeMap::new();
        for invoice in self.invoices.iter().filter(|invoice| invoice.stage == InvoiceStage::Open) {
            let count = open.entry(&invoice.subscription).or_default();
            *count = count.saturating_add(1);
        }
        for (subscription, count) in open.into_iter().filter(|(_, count)| *count > 1) {
            wrong.push(format!("nobody owes for two periods: {subscription} has {count} open invoices"));
        }
        let mut charged = BTreeSet::new();
        for invoice in self.invoices.iter().filter(|one| !matches!(one.stage, InvoiceStage::Void { .. })) {
            let period = (&invoice.subscription, invoice.period.from);
            if matches!(invoice.cause, Cause::Start | Cause::Renewal) && !charged.insert(period) {
                wrong.push(format!("a period is charged once: {} is another for {period:?}", invoice.id));
            }
        }
        let mut numbers: Vec<u32> =
            self.invoices.iter().filter_map(|one| one.number).map(|number| number.sequence).collect();
        numbers.sort_unstable();
        let wanted: Vec<u32> = (1..).take(self.invoices.len()).collect();
        if numbers != wanted {
            wrong.push(format!("documents are numbered without a gap: {numbers:?} of {}", wanted.len()));
        }
        wrong
    }
}
