//! The ledger, checked from its sources: what is derived must equal what it is derived from.
//!
//! Sources are the postings in the outbox items. Checked against them: debits = credits per currency, the projected
//! totals of every account, and every merchant's own entries and payouts against its payable.

use crate::market::Market;
use domain::id::MarketplaceId;
use domain::ledger::{Account, MerchantEntry};
use domain::payout::Payout;
use std::collections::BTreeMap;
use table::Fault;
use table::ledger::Balance;

/// What a check found: the accounts, and every sentence that should be true and is not.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub outbox_items: u64,
    pub postings: u64,
    /// By marketplace, account and currency, from the postings.
    pub accounts: BTreeMap<(MarketplaceId, String, String), Balance>,
    pub faults: Vec<String>,
}

/// The account of all merchants together, as the totals name it.
const PAYABLE: &str = "payable";

fn collective(account: &str) -> String {
    if account.starts_with("payable:") { PAYABLE.to_owned() } else { account.to_owned() }
}

impl Books {
    /// Reads everything; only for an operator's command.
    pub async fn check(market: &Market) -> Result<Self, Fault> {
        let mut books = Self::default();
        let mut payables: BTreeMap<(MarketplaceId, String, String), i128> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = market.world.table.scan_outbox(after.as_ref()).await?;
            for entry in page.items {
                books.outbox_items += 1;
                for posting in &entry.postings {
                    books.postings += 1;
                    for (account, amount) in posting.entries() {
                        let currency = posting.currency().to_string();
                        let name = account.to_string();
                        if let Account::Payable(_) = account {
                            let key = (entry.marketplace.clone(), name.clone(), currency.clone());
                            *payables.entry(key).or_default() -= i128::from(amount.minor);
                        }
                        let key = (entry.marketplace.clone(), collective(&name), currency);
                        books.accounts.entry(key).or_default().enter(amount.minor);
                    }
                }
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        books.balance();
        books.compare_totals(market).await?;
        books.compare_entries(market, payables).await?;
        Ok(books)
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

    async fn compare_totals(&mut self, market: &Market) -> Result<(), Fault> {
        let mut totals: BTreeMap<(MarketplaceId, String, String), Balance> = BTreeMap::new();
        let mut after = None;
        loop {
            let page = market.world.table.scan_totals(after.as_ref()).await?;
            for (m, account, currency, balance) in page.items {
                let sum = totals.entry((m, collective(&account), currency)).or_default();
                sum.debits += balance.debits;
                sum.credits += balance.credits;
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
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
        Ok(())
    }

    /// A merchant's payable = Σ of its entries − Σ of its payouts that were ordered. (A payout that came back is an
    /// entry of its own, so it counts whatever became of it.)
    async fn compare_entries(
        &mut self,
        market: &Market,
        mut payables: BTreeMap<(MarketplaceId, String, String), i128>,
    ) -> Result<(), Fault> {
        let account = |merchant: &domain::id::MerchantId| format!("payable:{merchant}");
        let mut after = None;
        loop {
            let page = market.world.table.scan_records::<MerchantEntry>(after.as_ref()).await?;
            for (m, entry) in page.items {
                let key = (m, account(&entry.merchant), entry.amount.currency.to_string());
                *payables.entry(key).or_default() -= i128::from(entry.amount.minor);
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        let mut after = None;
        loop {
            let page = market.world.table.scan_records::<Payout>(after.as_ref()).await?;
            for (m, payout) in page.items {
                let key = (m, account(&payout.merchant), payout.amount.currency.to_string());
                *payables.entry(key).or_default() += i128::from(payout.amount.minor);
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => break,
            }
        }
        for ((m, account, currency), off) in payables.into_iter().filter(|(_, off)| *off != 0) {
            self.faults
                .push(format!("{m}: {account} and its entries differ by {off} minor units of {currency}"));
        }
        Ok(())
    }
}

/// Σ debits − Σ credits over all projected totals.
pub async fn totals_balance(market: &Market) -> Result<i128, Fault> {
    let mut off = 0;
    let mut after = None;
    loop {
        let page = market.world.table.scan_totals(after.as_ref()).await?;
        off += page.items.iter().map(|(_, _, _, balance)| balance.debits - balance.credits).sum::<i128>();
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(off),
        }
    }
}
