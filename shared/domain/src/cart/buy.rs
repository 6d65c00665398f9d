//! A cart becomes an order: every price, tax and fee as it is now, and never again (A5(5), A12(2)).

use super::{Cart, Line, Quote, Wares};
use crate::commission::{Rule, freeze};
use crate::fx::FxError;
use crate::id::{CustomerId, OrderId, sha256_hex};
use crate::money::{Money, MoneyError};
use crate::order::{self, Bought, Delivery, Intake, LinePrice, Order};
use crate::pricing::{PricedLine, PricedMerchant};
use crate::stock::{Allocation, Hold};
use crate::text::{Channel, NotAText};
use jiff::Timestamp;

/// Orders of carts come from here.
const CHANNEL: &str = "storefront";

/// What it takes beside the cart.
#[derive(Debug, Clone, Copy)]
pub struct Buy<'a> {
    pub wares: &'a Wares,
    pub quote: &'a Quote,
    /// Fee rules of the marketplace; a merchant's own come first.
    pub commission: &'a [Rule],
    pub holds: &'a [Hold],
    pub now: Timestamp,
}

/// Why no order comes of a cart that has passed the gate. None of it is the shopper's doing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBought {
    #[error("line {0} has no price or nothing is known of its offer or its merchant")]
    Line(u16),
    #[error("{total} are to be paid and the order is worth {worth}")]
    Total { total: Money, worth: Money },
    #[error(transparent)]
    Order(#[from] order::Refused),
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error(transparent)]
    Fx(#[from] FxError),
    #[error(transparent)]
    Text(#[from] NotAText),
}

impl Cart {
    /// The order that this cart becomes. Σ of its parts = the total that was shown (A10(1)).
    pub fn buy(&self, buy: &Buy<'_>) -> Result<Order, NotBought> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for (number, line) in (1_u16..).zip(&self.lines) {
            let priced = buy.quote.priced.lines.iter().find(|priced| priced.number == line.number);
            let priced = priced.ok_or(NotBought::Line(line.number))?;
            lines.push(self.order_line(number, line, priced, buy)?);
        }
        let channel: Channel = CHANNEL.parse()?;
        let parts = buy.quote.priced.merchants.iter();
        let fingerprint = sha256_hex(self.id.as_str().as_bytes()).chars().take(16).collect();
        let order = Order::place(Intake {
            id: OrderId::of_cart(&self.id),
            channel,
            external_id: None,
            customer: Some(self.customer.clone().unwrap_or_else(|| CustomerId::of_guest(&self.id))),
            currency: self.currency,
            placed_at: buy.now,
            lines,
            delivery: Money::zero(self.currency),
            payments: Vec::new(),
            fingerprint,
            bought: Some(Bought {
                cart: self.id.clone(),
                mode: buy.quote.priced.mode,
                to: self.place(),
                tax_id: self.tax_id.clone(),
                deliveries: buy.quote.priced.merchants.iter().filter_map(delivery).collect(),
                redemptions: buy.wares.grants.redeemed(&buy.quote.granted),
            }),
            rates: parts.filter_map(|part| Some((part.merchant.clone(), part.rate.clone()?))).collect(),
        })?;
        let (total, worth) = (buy.quote.priced.totals.total, order.total()?);
        if total == worth { Ok(order) } else { Err(NotBought::Total { total, worth }) }
    }

    fn order_line(
        &self,
        number: u16,
        line: &Line,
        priced: &PricedLine,
        buy: &Buy<'_>,
    ) -> Result<order::Line, NotBought> {
        let missing = NotBought::Line(line.number);
        let (offer, merchant) = match (buy.wares.offer(&line.offer), buy.wares.merchant(&line.merchant)) {
            (Some(offer), Some(merchant)) => (offer, merchant),
            (Some(_) | None, Some(_) | None) => return Err(missing),
        };
        // Fees are on what the merchant gets for its goods: what the customer pays, and what the marketplace adds.
        let supported = order::supported(&priced.discounts)?;
        let gets = supported.map_or(Ok(priced.total), |supported| priced.total.plus(supported))?;
        let rules = merchant.commission.iter().chain(buy.commission);
        let convert = |fixed| match buy.wares.price(fixed, self, buy.now) {
            Ok(price) => Ok(price.amount()),
            // Less than half of the smallest coin there is.
            Err(FxError::Vanishes { .. }) => Ok(Money::zero(self.currency)),
            Err(error) => Err(NotBought::Fx(error)),
        };
        let fees = freeze(rules, offer.category.as_ref(), gets, line.quantity, convert)?;
        let held = buy.holds.iter().filter(|hold| hold.offer == line.offer);
        let allocations = offer.keeps_stock.then(|| held.map(Allocation::from).collect());
        Ok(order::Line {
            number,
            merchant: line.merchant.clone(),
            sku: offer.sku.clone(),
            offer: Some(offer.id.clone()),
            title: Some(offer.title.clone()),
            category: offer.category.clone(),
            quantity: line.quantity,
            allocations,
            unit_price: priced.price.amount(),
            delivery: Money::zero(self.currency),
            fees,
            priced: Some(LinePrice {
                discounts: priced.discounts.clone(),
                tax: priced.tax.clone(),
                total: priced.total,
            }),
        })
    }
}

fn delivery(part: &PricedMerchant) -> Option<Delivery> {
    let delivery = part.delivery.as_ref()?;
    Some(Delivery {
        merchant: part.merchant.clone(),
        service: delivery.service,
        discounts: delivery.discounts.clone(),
        taxes: delivery.taxes.clone(),
        total: delivery.total,
    })
}
