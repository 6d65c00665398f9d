//! The split of an order into one merchant order per merchant.
//!
//! A pure function of the order, so whoever needs the parts first makes the same ones: the split of a placed order, or
//! a cancellation that comes before it. Invariant: Σ of the parts = the order, to the last minor unit (A10(1)).

use super::{Order, Stage};
use crate::id::MerchantOrderId;
use crate::merchant_order::{self, MerchantOrder};
use crate::money::{Money, MoneyError};
use crate::pricing::{BorneBy, Share};
use crate::tax::{OwedBy, TaxLine};

/// One part per merchant, in the order of first lines. The order's own delivery cost is allocated by item value with
/// largest remainder; what a checkout has fixed for a merchant's delivery is that merchant's. Parts of a paid order are
/// open at once.
pub fn split(order: &Order) -> Result<Vec<MerchantOrder>, MoneyError> {
    let merchants = order.merchants();
    let mut parts = Vec::with_capacity(merchants.len());
    for (number, merchant) in (1_u8..).zip(&merchants) {
        let mut lines = Vec::new();
        for line in order.lines.iter().filter(|line| line.merchant == **merchant) {
            lines.push(merchant_order::Line {
                number: line.number,
                sku: line.sku.clone(),
                offer: line.offer.clone(),
                quantity: line.quantity,
                allocations: line.allocations.clone(),
                items: line.items()?,
                delivery: line.delivery,
                fees: line.fee_total()?,
                withheld: withheld(line.priced.iter().map(|priced| &priced.tax))?,
                supported: supported(line.priced.iter().flat_map(|priced| &priced.discounts))?,
                progress: merchant_order::Progress::default(),
            });
        }
        parts.push(MerchantOrder {
            id: MerchantOrderId::of(&order.id, number),
            merchant: (*merchant).clone(),
            currency: order.currency,
            placed_at: order.placed_at,
            lines,
            delivery: Money::zero(order.currency),
            delivery_refunded: false,
            credited: None,
            delivery_withheld: None,
            delivery_supported: None,
            rate: order.rate_of(merchant).cloned(),
            stage: match order.stage {
                Stage::AwaitingPayment | Stage::Canceled { .. } => merchant_order::Stage::AwaitingPayment,
                Stage::Paid { since } => merchant_order::Stage::Open { since },
            },
            shipments: Vec::new(),
        });
    }
    let weight = |part: &MerchantOrder| {
        part.lines.iter().map(|line| u64::try_from(line.items.minor).unwrap_or_default()).sum::<u64>()
    };
    let weights: Vec<u64> = parts.iter().map(weight).collect();
    for (part, share) in parts.iter_mut().zip(order.delivery.allocate(&weights)) {
        part.delivery = share;
        let bought = order.bought.iter().flat_map(|bought| &bought.deliveries);
        for delivery in bought.filter(|delivery| delivery.merchant == part.merchant) {
            part.delivery = part.delivery.plus(delivery.total)?;
            part.delivery_withheld = withheld(&delivery.taxes)?;
            part.delivery_supported = supported(&delivery.discounts)?;
        }
    }
    Ok(parts)
}

/// The tax that the marketplace owes in the merchant's place, if it owes any.
fn withheld<'a>(taxes: impl IntoIterator<Item = &'a TaxLine>) -> Result<Option<Money>, MoneyError> {
    some(taxes.into_iter().filter_map(|tax| match tax.owed_by {
        OwedBy::Marketplace => Some(tax.amount),
        OwedBy::Merchant | OwedBy::Customer => None,
    }))
}

/// What the marketplace bears of the discounts, if it bears any.
pub(crate) fn supported<'a>(
    discounts: impl IntoIterator<Item = &'a Share>,
) -> Result<Option<Money>, MoneyError> {
    some(discounts.into_iter().filter_map(|share| match share.borne_by {
        BorneBy::Marketplace => Some(share.amount),
        BorneBy::Merchant => None,
    }))
}

/// Their sum; none where it is nothing.
fn some(amounts: impl Iterator<Item = Money>) -> Result<Option<Money>, MoneyError> {
    let mut sum: Option<Money> = None;
    for amount in amounts.filter(|amount| amount.minor != 0) {
        sum = Some(sum.map_or(Ok(amount), |sum| sum.plus(amount))?);
    }
    Ok(sum)
}
