//! What a replay came to, read back from the table: an operator's look at everything, by pages.

use super::{ReplayError, marketplace_id};
use crate::market::Market;
use domain::id::{MerchantId, PayoutId};
use domain::ledger::MerchantEntry;
use domain::merchant::Merchant;
use domain::merchant_order::MerchantOrder;
use domain::money::decimal_text;
use domain::order::Order;
use domain::payout::{Claimed, Payout, Stage};
use domain::{Currency, Money};
use serde::Serialize;
use std::collections::BTreeMap;
use table::Record;

/// The figures of a history that has travelled; amounts as decimal strings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figures {
    pub orders: u64,
    pub lines: u64,
    pub merchants: u64,
    pub merchant_orders: u64,
    pub multi_merchant_orders: u64,
    pub exceptions: u64,
    /// Of all orders.
    pub items: String,
    pub freight: String,
    pub payments: String,
    /// Of delivered orders.
    pub commission: String,
    pub payouts: String,
    /// Σ debits − Σ credits over the ledger's totals.
    pub ledger_balance: String,
    /// Of this run; 0 where nothing new came in.
    pub orders_per_second: u64,
    pub by_merchant: Vec<MerchantFigures>,
}

/// The same of one merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MerchantFigures {
    pub external_id: String,
    pub orders: u64,
    pub items: String,
    pub freight: String,
    pub commission: String,
    pub payout: String,
}

#[derive(Default)]
struct Sums {
    orders: u64,
    items: i128,
    freight: i128,
    commission: i128,
    payout: i128,
}

/// Visits every value of one kind of the replay's marketplace.
async fn each<R: Record>(market: &Market, mut visit: impl FnMut(R)) -> Result<(), ReplayError> {
    let m = marketplace_id();
    let mut after = None;
    loop {
        let page = market.world.table.scan_records::<R>(after.as_ref()).await?;
        page.items.into_iter().filter(|(of, _)| *of == m).for_each(|(_, value)| visit(value));
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(()),
        }
    }
}

/// Whether a merchant has earned something that no payout has claimed.
pub(super) async fn has_open_entries(market: &Market) -> Result<bool, ReplayError> {
    let mut claimed: BTreeMap<MerchantId, jiff::civil::Date> = BTreeMap::new();
    each::<Claimed>(market, |claim| {
        claimed.insert(claim.merchant, claim.through);
    })
    .await?;
    let mut open = false;
    each::<MerchantEntry>(market, |entry| {
        open |= claimed.get(&entry.merchant).is_none_or(|through| entry.payable_day > *through);
    })
    .await?;
    Ok(open)
}

/// Payouts that the bank has not answered.
pub(super) async fn sent_payouts(market: &Market) -> Result<Vec<PayoutId>, ReplayError> {
    let mut sent = Vec::new();
    each::<Payout>(market, |payout| {
        if let Stage::Sent { .. } = payout.stage {
            sent.push(payout.id);
        }
    })
    .await?;
    Ok(sent)
}

impl Figures {
    /// Reads everything back.
    pub async fn read(market: &Market, currency: Currency) -> Result<Self, ReplayError> {
        let mut sums: BTreeMap<MerchantId, (String, Sums)> = BTreeMap::new();
        each::<Merchant>(market, |merchant| {
            let name = merchant.external_id.map(|id| id.to_string()).unwrap_or_default();
            sums.insert(merchant.id, (name, Sums::default()));
        })
        .await?;
        let text = |minor: i128| decimal_text(minor, currency);
        let (mut orders, mut lines, mut exceptions, mut multi) = (0_u64, 0_u64, 0_u64, 0_u64);
        let (mut items, mut freight, mut payments) = (0_i128, 0_i128, 0_i128);
        let minor =
            |money: Result<Money, domain::MoneyError>| i128::from(money.map_or(0, |money| money.minor));
        each::<Order>(market, |order| {
            orders += 1;
            lines += u64::try_from(order.lines.len()).unwrap_or_default();
            exceptions += u64::from(order.exception.is_some());
            multi += u64::from(order.merchants().len() > 1);
            items += minor(order.items());
            freight += minor(order.delivery_total());
            payments += minor(order.paid());
        })
        .await?;
        let mut merchant_orders = 0_u64;
        each::<MerchantOrder>(market, |part| {
            merchant_orders += 1;
            if let Some((_, sums)) = sums.get_mut(&part.merchant) {
                sums.orders += 1;
                sums.items += part.lines.iter().map(|line| i128::from(line.items.minor)).sum::<i128>();
                let delivery = part.lines.iter().map(|line| i128::from(line.delivery.minor)).sum::<i128>();
                sums.freight += delivery + i128::from(part.delivery.minor);
            }
        })
        .await?;
        each::<MerchantEntry>(market, |entry| {
            if let Some((_, sums)) = sums.get_mut(&entry.merchant) {
                sums.commission += i128::from(entry.fees.minor);
            }
        })
        .await?;
        each::<Payout>(market, |payout| {
            if let (Some((_, sums)), false) =
                (sums.get_mut(&payout.merchant), matches!(payout.stage, Stage::Failed { .. }))
            {
                sums.payout += i128::from(payout.amount.minor);
            }
        })
        .await?;
        let all = |of: fn(&Sums) -> i128| text(sums.values().map(|(_, sums)| of(sums)).sum());
        let mut by_merchant: Vec<MerchantFigures> = sums
            .values()
            .map(|(external_id, sums)| MerchantFigures {
                external_id: external_id.clone(),
                orders: sums.orders,
                items: text(sums.items),
                freight: text(sums.freight),
                commission: text(sums.commission),
                payout: text(sums.payout),
            })
            .collect();
        by_merchant.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        Ok(Self {
            orders,
            lines,
            merchants: u64::try_from(sums.len()).unwrap_or_default(),
            merchant_orders,
            multi_merchant_orders: multi,
            exceptions,
            items: text(items),
            freight: text(freight),
            payments: text(payments),
            commission: all(|sums| sums.commission),
            payouts: all(|sums| sums.payout),
            ledger_balance: text(crate::books::totals_balance(market).await?),
            orders_per_second: 0,
            by_merchant,
        })
    }
}
