//! Where payouts lie, how far a merchant's entries are claimed, and the due work that leads to a payout.

use crate::due::{Work, night};
use crate::key::{Key, Place};
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{MarketplaceId, MerchantId, PayoutId};
use domain::marketplace::Marketplace;
use domain::merchant::Merchant;
use domain::merchant_order::{self, Fact, MerchantOrder};
use domain::payout::{Booked, Claimed, Payout, Schedule, Stage, Totals, claw_back, earning};
use domain::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

impl Record for Claimed {
    const KIND: &'static str = "claimed.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::claimed(m, &self.merchant)
    }
}

/// What lists show of a payout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PayoutSummary {
    pub id: PayoutId,
    pub merchant: MerchantId,
    pub status: String,
    pub through: Date,
    pub amount: Money,
    pub created_at: Timestamp,
}

/// The word for a payout's stage in API, lists and filters.
pub fn payout_status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Created => "created",
        Stage::Sent { .. } => "sent",
        Stage::Paid { .. } => "paid",
        Stage::Failed { .. } => "failed",
    }
}

impl Record for Payout {
    const KIND: &'static str = "payout.1";
    type Summary = PayoutSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        // A payout's id is made from its merchant and day, so the form always fits.
        Key::payout(m, &self.id).unwrap_or_else(|| Key::claimed(m, &self.merchant))
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::payout_of_day(m, self.created_at, &self.id)]
    }

    fn summary(&self) -> Option<PayoutSummary> {
        Some(PayoutSummary {
            id: self.id.clone(),
            merchant: self.merchant.clone(),
            status: payout_status(&self.stage).to_owned(),
            through: self.through,
            amount: self.amount,
            created_at: self.created_at,
        })
    }
}

/// What decides when an earning is paid: the marketplace's hold and the merchant's schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PayoutConditions {
    pub hold_days: u16,
    pub schedule: Schedule,
}

/// Entries are summed by pages of this size.
const ENTRIES_AT_ONCE: u16 = 500;

impl Table {
    /// The totals of a merchant's entries with a payable day after the first and up to the second.
    pub async fn earned(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        currency: Currency,
        days: (Date, Date),
    ) -> Result<Totals, Fault> {
        let mut totals = Totals::zero(currency);
        let mut after = None;
        loop {
            let page = self.merchant_entries(m, merchant, days, ENTRIES_AT_ONCE, after.as_ref()).await?;
            for entry in &page.items {
                totals = totals.with(&entry.value)?;
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(totals),
            }
        }
    }

    /// What a change of a part means for its merchant's account: the earning of one that is complete now, or a
    /// claw-back. The run that pays it is due then.
    pub async fn booked(
        &self,
        m: &MarketplaceId,
        (before, after): (&MerchantOrder, &MerchantOrder),
        fact: Option<&Fact>,
        now: Timestamp,
    ) -> Result<Option<Booked>, Fault> {
        let completes = matches!(
            (&before.stage, &after.stage),
            (merchant_order::Stage::Open { .. }, merchant_order::Stage::Delivered { .. })
        );
        let back = match fact {
            Some(fact) => claw_back((before, after), fact, now)?,
            None => None,
        };
        if !completes && back.is_none() {
            return Ok(None);
        }
        let conditions = self.payout_conditions(m, &after.merchant).await?;
        let booked = if back.is_some() { back } else { earning(after, conditions.hold_days, now)? };
        if let Some((entry, _)) = &booked {
            let run = conditions.schedule.run_after(entry.payable_day);
            self.payout_is_due(m, &after.merchant, run).await?;
        }
        Ok(booked)
    }

    /// The conditions that bind an earning committed now.
    pub async fn payout_conditions(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
    ) -> Result<PayoutConditions, Fault> {
        let keys = [Key::marketplace(m), Key::merchant(m, merchant)];
        let [of_marketplace, of_merchant] = &keys;
        let mut found = self.read(&keys).await?;
        let marketplace = found.take::<Marketplace>(of_marketplace)?;
        let merchant = found.take::<Merchant>(of_merchant)?;
        let (Some(marketplace), Some(merchant)) = (marketplace, merchant) else {
            return Err(Fault::Kind { want: Merchant::KIND, found: "nothing".to_owned() });
        };
        let hold_days = marketplace.value.settings.hold_days;
        Ok(PayoutConditions { hold_days, schedule: merchant.value.schedule })
    }

    /// Puts a merchant's payout run on the list of due work. Written before the entry that causes it: a run that finds
    /// nothing is harmless, and no two commits of one merchant meet on this item.
    pub async fn payout_is_due(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        run: Date,
    ) -> Result<(), Fault> {
        let key = Key::due(m, Work::Payout, merchant.as_str(), night(run));
        if self.put.knows(&key) {
            return Ok(());
        }
        self.put_due(&key).await?;
        self.put.learns(key);
        Ok(())
    }

    /// Payouts created from one day to another, newest first.
    pub async fn payouts_of_days(
        &self,
        m: &MarketplaceId,
        days: (Date, Date),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<PayoutSummary>, Fault> {
        self.list_days::<Payout>(m, "PYODAY", days, limit, after).await
    }

    /// How many of a merchant's last hundred payouts are not at their end; older ones have long been answered.
    pub async fn open_payouts(&self, m: &MarketplaceId, merchant: &MerchantId) -> Result<usize, Fault> {
        let page = self.payouts_of_merchant(m, merchant, 100, None).await?;
        let open = page.items.iter().filter(|payout| ["created", "sent"].contains(&payout.status.as_str()));
        Ok(open.count())
    }

    /// A merchant's payouts, newest first.
    pub async fn payouts_of_merchant(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<PayoutSummary>, Fault> {
        let pk = Key::merchant(m, merchant).pk;
        let page = self.records::<Payout>(&pk, ("PYO#", "PYO#~"), limit, after, false).await?;
        let items = page.items.iter().filter_map(|held| held.value.summary()).collect();
        Ok(Page { items, next: page.next })
    }
}
