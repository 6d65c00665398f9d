//! Where the ledger lies: a merchant's entries as items of their own, the marketplace's accounts as totals.
//!
//! A posting itself lies in the outbox item of its cause; the totals are projected from there, each outbox item once
//! (a mark in the same transaction), sharded by cause so that no partition is hot. Debits and credits are kept apart:
//! Σ debits − Σ credits over all totals is zero or something is lost.

use crate::commit::Commit;
use crate::key::{Key, TOTAL_SHARDS, shard};
use crate::outbox::Entry;
use crate::record::Item;
use crate::{Cursor, Fault, Held, Page, Record, Table, Uncommitted};
use domain::Currency;
use domain::id::{MarketplaceId, MerchantId};
use domain::ledger::{Account, MerchantEntry};
use events::Context;
use futures::future::try_join_all;
use jiff::civil::Date;
use std::collections::BTreeMap;

impl Record for MerchantEntry {
    const KIND: &'static str = "merchant_entry.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::merchant_entry(m, &self.merchant, self.payable_day, self.kind, &self.cause)
    }
}

const TOTAL: &str = "ledger_total.1";
const PROJECTION: &str = "ledger";

/// What stands on one account in one currency, in minor units; never negative each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Balance {
    pub debits: i128,
    pub credits: i128,
}

impl Balance {
    /// Adds a signed amount: debit positive.
    pub fn enter(&mut self, minor: i64) {
        let amount = i128::from(minor.unsigned_abs());
        if minor >= 0 {
            self.debits = self.debits.saturating_add(amount);
        } else {
            self.credits = self.credits.saturating_add(amount);
        }
    }
}

/// The outbox entry was projected before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Projected;

impl Table {
    /// Adds the postings of outbox entries to the totals, each entry exactly once however often it is delivered. One
    /// transaction for many entries, or one by one where a part of them was delivered before, or their totals are too
    /// many for one.
    pub async fn project_postings(&self, entries: &[Entry]) -> Result<(), Uncommitted<()>> {
        // A transaction takes 100 actions and no two on one item: marks and at most a few totals each.
        for batch in entries.chunks(20) {
            match self.project(batch).await {
                Ok(()) => {}
                Err(Uncommitted::Refused(Projected) | Uncommitted::Fault(Fault::TooManyWrites(_))) => {
                    for entry in batch {
                        match self.project(std::slice::from_ref(entry)).await {
                            Ok(()) | Err(Uncommitted::Refused(Projected)) => {}
                            Err(Uncommitted::Busy) => return Err(Uncommitted::Busy),
                            Err(Uncommitted::Fault(fault)) => return Err(fault.into()),
                        }
                    }
                }
                Err(Uncommitted::Busy) => return Err(Uncommitted::Busy),
                Err(Uncommitted::Fault(fault)) => return Err(fault.into()),
            }
        }
        Ok(())
    }

    async fn project(&self, entries: &[Entry]) -> Result<(), Uncommitted<Projected>> {
        let mut by_tenant: BTreeMap<&MarketplaceId, Vec<&Entry>> = BTreeMap::new();
        for entry in entries.iter().filter(|entry| !entry.postings.is_empty()) {
            by_tenant.entry(&entry.marketplace).or_default().push(entry);
        }
        for (m, entries) in by_tenant {
            let Some(first) = entries.first() else { continue };
            let context: &Context = &first.context;
            let shard = shard(&first.subject, TOTAL_SHARDS);
            let mut commit = Commit::new(m, context);
            let mut totals: BTreeMap<(Account, Date, Currency), Balance> = BTreeMap::new();
            for entry in &entries {
                commit = commit.mark(PROJECTION, &entry.id(), Projected);
                let day = domain::payout::day(entry.context.at);
                for posting in &entry.postings {
                    for (account, amount) in posting.entries() {
                        let account = collective(account);
                        totals.entry((account, day, posting.currency())).or_default().enter(amount.minor);
                    }
                }
            }
            for ((account, day, currency), balance) in totals {
                let key = Key::total(m, &account, shard, day, currency.code());
                let sums = vec![("debits", balance.debits), ("credits", balance.credits)];
                commit = commit.count(key, TOTAL, sums);
            }
            commit.send(self).await?;
        }
        Ok(())
    }

    /// What the totals say of an account of the marketplace, by currency.
    pub async fn account(
        &self,
        m: &MarketplaceId,
        account: &Account,
    ) -> Result<BTreeMap<String, Balance>, Fault> {
        let shards = (0..TOTAL_SHARDS).map(|shard| Key::total(m, account, shard, Date::ZERO, "").pk);
        let mut balances: BTreeMap<String, Balance> = BTreeMap::new();
        for (currency, more) in try_join_all(shards.map(|pk| self.totals(pk))).await?.concat() {
            let balance = balances.entry(currency).or_default();
            balance.debits = balance.debits.saturating_add(more.debits);
            balance.credits = balance.credits.saturating_add(more.credits);
        }
        Ok(balances)
    }

    /// The totals of one shard of an account, day by day.
    async fn totals(&self, pk: String) -> Result<Vec<(String, Balance)>, Fault> {
        let (mut totals, mut after) = (Vec::new(), None);
        loop {
            let (items, next) = self.range(&pk, (" ", "~"), 500, after.as_ref(), true).await?;
            totals.extend(items.iter().map(|item| {
                let currency = Key::of_item(item).sk.rsplit('#').next().unwrap_or_default().to_owned();
                (currency, balance_of(item))
            }));
            match next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(totals),
            }
        }
    }

    /// A page of a merchant's entries with `after_day < payable day ≤ through`, oldest first.
    pub async fn merchant_entries(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        (after_day, through): (Date, Date),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<MerchantEntry>>, Fault> {
        let (from, to) = Key::merchant_entries(after_day, through);
        self.records(&Key::merchant(m, merchant).pk, (&from, &to), limit, after, true).await
    }
}

/// What a total's item says: marketplace, account, currency and balance.
pub(crate) fn total_of(item: &Item) -> Option<(MarketplaceId, String, String, Balance)> {
    if item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) != Some(TOTAL) {
        return None;
    }
    let key = Key::of_item(item);
    let account = key.pk.split('#').nth(2).unwrap_or_default().to_owned();
    let currency = key.sk.rsplit('#').next().unwrap_or_default().to_owned();
    Some((Key::marketplace_of(&key.pk)?, account, currency, balance_of(item)))
}

fn balance_of(item: &Item) -> Balance {
    let sum = |name: &str| -> i128 {
        item.get(name).and_then(|v| v.as_n().ok()).and_then(|n| n.parse().ok()).unwrap_or(0)
    };
    Balance { debits: sum("debits"), credits: sum("credits") }
}

/// Merchants have entries of their own; the totals keep all of them in one account.
fn collective(account: &Account) -> Account {
    if let Account::Payable(_) = account { all_payables() } else { account.clone() }
}

/// The collective account that the totals keep for all merchants.
pub fn all_payables() -> Account {
    Account::Payable(MerchantId::from_bits(0))
}
