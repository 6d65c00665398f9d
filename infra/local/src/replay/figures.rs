//! What a replay came to, read back from the table: an operator's look at everything, by pages.

use super::{ReplayError, marketplace_id};
use crate::market::Market;
use domain::id::{MarketplaceId, MerchantId, PayoutId};
use domain::ledger::MerchantEntry;
use domain::merchant::Merchant;
use domain::merchant_order::MerchantOrder;
use domain::money::decimal_text;
use domain::order::Order;
use domain::payment::Payment;
use domain::payout::{Payout, Stage};
use domain::review::Review;
use domain::{Currency, Money};
use rust_decimal::Decimal;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use table::Record;

/// No payout is older.
const FIRST_DAY: jiff::civil::Date = jiff::civil::date(2016, 1, 1);

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
    /// How many orders got each score.
    pub ratings: BTreeMap<u8, u64>,
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
    /// Orders that somebody gave a score for, and the mean of those: two decimals, half away from zero.
    pub ratings: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean_rating: Option<String>,
}

#[derive(Default)]
struct Sums {
    /// Scores, and what they sum to.
    ratings: (u64, u64),
    orders: u64,
    items: i128,
    freight: i128,
    commission: i128,
    payout: i128,
}

/// Payouts that the bank has not answered, from the list that an operator reads.
pub(super) async fn sent_payouts(market: &Market) -> Result<Vec<PayoutId>, ReplayError> {
    let (m, today) = (marketplace_id(), domain::payout::day(market.clock.now()));
    let (mut sent, mut after) = (Vec::new(), None);
    loop {
        let days = (FIRST_DAY, today);
        let page = market.world.table.payouts_of_days(&m, days, 100, after.as_ref()).await?;
        sent.extend(page.items.into_iter().filter(|payout| payout.status == "sent").map(|payout| payout.id));
        match page.next {
            Some(cursor) => after = Some(cursor),
            None => return Ok(sent),
        }
    }
}

/// Everything of the replay's marketplace that figures are made of, in one pass over the table.
#[derive(Default)]
struct Whole {
    merchants: Vec<Merchant>,
    orders: Vec<Order>,
    parts: Vec<MerchantOrder>,
    customers_payments: Vec<Payment>,
    entries: Vec<MerchantEntry>,
    payouts: Vec<Payout>,
    reviews: Vec<Review>,
    balance: i128,
}

impl Whole {
    async fn read(market: &Market) -> Result<Self, ReplayError> {
        let m = marketplace_id();
        let mut whole = Self::default();
        let mut after = None;
        loop {
            let page = market.world.table.scan_all(after.as_ref()).await?;
            for found in &page.items {
                whole.merchants.extend(of(&m, found.read()?));
                whole.orders.extend(of(&m, found.read()?));
                whole.parts.extend(of(&m, found.read()?));
                whole.customers_payments.extend(of(&m, found.read()?));
                whole.entries.extend(of(&m, found.read()?));
                whole.payouts.extend(of(&m, found.read()?));
                whole.reviews.extend(of(&m, found.read()?));
                if let Some((_, _, _, total)) = found.ledger_total() {
                    whole.balance += total.debits - total.credits;
                }
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(whole),
            }
        }
    }
}

fn mean((count, sum): (u64, u64)) -> Option<String> {
    let mean = Decimal::from(sum).checked_div(count.into())?;
    let rounded = mean.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    Some(format!("{rounded:.2}"))
}

fn of<R: Record>(m: &MarketplaceId, found: Option<(MarketplaceId, R)>) -> Option<R> {
    found.filter(|(of, _)| of == m).map(|(_, value)| value)
}

impl Figures {
    /// Reads everything back.
    pub async fn read(market: &Market, currency: Currency) -> Result<Self, ReplayError> {
        let whole = Whole::read(market).await?;
        let text = |minor: i128| decimal_text(minor, currency);
        let minor =
            |money: Result<Money, domain::MoneyError>| i128::from(money.map_or(0, |money| money.minor));
        let count = |n: usize| u64::try_from(n).unwrap_or_default();
        let mut sums: BTreeMap<MerchantId, (String, Sums)> = BTreeMap::new();
        for merchant in whole.merchants {
            let name = merchant.external_id.map(|id| id.to_string()).unwrap_or_default();
            sums.insert(merchant.id, (name, Sums::default()));
        }
        for part in &whole.parts {
            let Some((_, sums)) = sums.get_mut(&part.merchant) else { continue };
            sums.orders += 1;
            sums.items += part.lines.iter().map(|line| i128::from(line.items.minor)).sum::<i128>();
            let delivery = part.lines.iter().map(|line| i128::from(line.delivery.minor)).sum::<i128>();
            sums.freight += delivery + i128::from(part.delivery.minor);
        }
        for entry in &whole.entries {
            let Some((_, sums)) = sums.get_mut(&entry.merchant) else { continue };
            sums.commission += i128::from(entry.fees.minor);
        }
        for payout in whole.payouts.iter().filter(|payout| !matches!(payout.stage, Stage::Failed { .. })) {
            let Some((_, sums)) = sums.get_mut(&payout.merchant) else { continue };
            sums.payout += i128::from(payout.amount.minor);
        }
        // Once for the order, and once for each of its merchants.
        let (mut ratings, mut rated) = (BTreeMap::new(), BTreeSet::new());
        for review in whole.reviews.iter().filter(|review| review.is_published()) {
            let stars = review.stars.number();
            if rated.insert(&review.order) {
                *ratings.entry(stars).or_default() += 1;
            }
            let Some((_, sums)) = sums.get_mut(&review.merchant) else { continue };
            sums.ratings = (sums.ratings.0 + 1, sums.ratings.1 + u64::from(stars));
        }
        let orders = &whole.orders;
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
                ratings: sums.ratings.0,
                mean_rating: mean(sums.ratings),
            })
            .collect();
        by_merchant.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        let money = |of: fn(&Order) -> Result<Money, domain::MoneyError>| {
            text(orders.iter().map(|order| minor(of(order))).sum())
        };
        // What a channel has told of its orders, and what gateways have captured of the others.
        let told = orders.iter().filter(|order| order.bought.is_none());
        let promised: i128 = told.map(|order| minor(order.paid())).sum();
        let captured = whole.customers_payments.iter().map(|payment| i128::from(payment.captured().minor));
        let captured: i128 = captured.sum();
        Ok(Self {
            orders: count(orders.len()),
            lines: count(orders.iter().map(|order| order.lines.len()).sum()),
            merchants: count(sums.len()),
            merchant_orders: count(whole.parts.len()),
            multi_merchant_orders: count(orders.iter().filter(|order| order.merchants().len() > 1).count()),
            exceptions: count(orders.iter().filter(|order| order.exception.is_some()).count()),
            items: money(Order::items),
            freight: money(Order::delivery_total),
            payments: text(promised + captured),
            commission: all(|sums| sums.commission),
            payouts: all(|sums| sums.payout),
            ledger_balance: text(whole.balance),
            ratings,
            orders_per_second: 0,
            by_merchant,
        })
    }
}
