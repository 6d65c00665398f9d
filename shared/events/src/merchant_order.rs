//! What is told of a merchant order.

use crate::order::Instant;
use crate::stock::StockUnits;
use crate::{Amount, Announced, payloads};
use domain::id::{MerchantId, MerchantOrderId, OrderId, ShipmentId};
use domain::merchant_order::{Fact, MerchantOrder, Stage, Units, movements};
use domain::{Money, MoneyError};

payloads! {
    /// A merchant has a new order; it may ship once it is opened.
    "merchant_order.created.v1" MerchantOrderCreatedV1 {
        merchant_order: MerchantOrderId,
        order: OrderId,
        merchant: MerchantId,
        items: Amount,
        delivery: Amount,
        lines: u32,
    }

    /// The order is paid: accept and ship.
    "merchant_order.opened.v1" MerchantOrderOpenedV1 { merchant_order: MerchantOrderId, merchant: MerchantId }

    /// The merchant takes these lines on.
    "merchant_order.accepted.v1" MerchantOrderAcceptedV1 {
        merchant_order: MerchantOrderId, merchant: MerchantId, lines: Vec<u16>,
    }

    /// The merchant cannot deliver units: `value` goes back to the customer.
    "merchant_order.rejected.v1" MerchantOrderRejectedV1 {
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        rejected_at: Instant,
        lines: Vec<Units>,
        reason: String,
        value: Amount,
        /// Stock that is promised to it no more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        released: Vec<StockUnits>,
    }

    /// Units were canceled with the order: do not ship them.
    "merchant_order.canceled.v1" MerchantOrderCanceledV1 {
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        lines: Vec<Units>,
        reason: String,
        /// Stock that is promised to it no more.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        released: Vec<StockUnits>,
    }

    /// A parcel is on its way to the customer.
    "merchant_order.shipped.v1" MerchantOrderShippedV1 {
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        shipment: ShipmentId,
        carrier: String,
        tracking_number: String,
        lines: Vec<Units>,
        shipped_at: Instant,
    }

    /// A parcel has arrived.
    "shipment.delivered.v1" ShipmentDeliveredV1 {
        shipment: ShipmentId,
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        delivered_at: Instant,
    }

    /// A parcel will not arrive: its units are canceled and `value` goes back to the customer.
    "shipment.lost.v1" ShipmentLostV1 {
        shipment: ShipmentId,
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        lost_at: Instant,
        lines: Vec<Units>,
        value: Amount,
    }

    /// Everything that was not canceled has arrived: the merchant has earned.
    "merchant_order.delivered.v1" MerchantOrderDeliveredV1 {
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        delivered_at: Instant,
        items: Amount,
        delivery: Amount,
        fees: Amount,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withheld: Option<Amount>,
        /// What the marketplace bears of the customer's discounts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supported: Option<Amount>,
        net: Amount,
        /// The net in the merchant's own currency, where that is another.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        settles: Option<Amount>,
    }

    /// Delivered units are paid back; the merchant and the marketplace give back their shares, or never earn them where
    /// other units are still to come.
    "merchant_order.refunded.v1" MerchantOrderRefundedV1 {
        merchant_order: MerchantOrderId,
        merchant: MerchantId,
        lines: Vec<Units>,
        items: Amount,
        delivery: Amount,
        fees: Amount,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withheld: Option<Amount>,
        /// What the marketplace had borne of the customer's discounts.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supported: Option<Amount>,
    }
}

/// The first thing said of a merchant order; one that is born open says that too.
pub fn created(order: &OrderId, part: &MerchantOrder) -> Result<Vec<Announced>, MoneyError> {
    let worth = part.earned()?;
    let (merchant_order, merchant) = (part.id.clone(), part.merchant.clone());
    let opened = matches!(part.stage, Stage::Open { .. })
        .then(|| Announced::of(&MerchantOrderOpenedV1 { merchant_order, merchant }));
    let created = vec![Announced::of(&MerchantOrderCreatedV1 {
        merchant_order: part.id.clone(),
        order: order.clone(),
        merchant: part.merchant.clone(),
        items: worth.items.into(),
        delivery: worth.delivery.into(),
        lines: u32::try_from(part.lines.len()).unwrap_or(u32::MAX),
    })];
    Ok(created.into_iter().chain(opened).collect())
}

fn some(amount: Money) -> Option<Amount> {
    (amount.minor != 0).then(|| amount.into())
}

fn released(before: &MerchantOrder, fact: &Fact) -> Vec<StockUnits> {
    movements(before, fact).into_iter().filter_map(StockUnits::released).collect()
}

/// What each fact is called outside, and the completion that it may bring.
pub fn announce(
    before: &MerchantOrder,
    after: &MerchantOrder,
    fact: &Fact,
) -> Result<Vec<Announced>, MoneyError> {
    let (merchant_order, merchant) = (after.id.clone(), after.merchant.clone());
    let told = match fact.clone() {
        Fact::Opened { .. } => Announced::of(&MerchantOrderOpenedV1 { merchant_order, merchant }),
        Fact::Accepted { lines } => {
            Announced::of(&MerchantOrderAcceptedV1 { merchant_order, merchant, lines })
        }
        Fact::Canceled { at, lines, reason, by_merchant: true } => Announced::of(&MerchantOrderRejectedV1 {
            merchant_order,
            merchant,
            rejected_at: at.into(),
            lines,
            reason: reason.into(),
            value: before.worth()?.minus(after.worth()?)?.into(),
            released: released(before, fact),
        }),
        Fact::Canceled { lines, reason, by_merchant: false, .. } => {
            let (reason, released) = (reason.into(), released(before, fact));
            Announced::of(&MerchantOrderCanceledV1 { merchant_order, merchant, lines, reason, released })
        }
        Fact::Shipped { shipment, .. } => Announced::of(&MerchantOrderShippedV1 {
            merchant_order,
            merchant,
            shipment: shipment.id,
            carrier: shipment.carrier.into(),
            tracking_number: shipment.tracking_number.into(),
            lines: shipment.lines,
            shipped_at: shipment.shipped_at.into(),
        }),
        Fact::Delivered { shipment, at } => {
            let delivered_at = at.into();
            Announced::of(&ShipmentDeliveredV1 { shipment, merchant_order, merchant, delivered_at })
        }
        Fact::Lost { shipment, at } => {
            let lost = before.shipments.iter().find(|held| held.id == shipment);
            Announced::of(&ShipmentLostV1 {
                lines: lost.map(|lost| lost.lines.clone()).unwrap_or_default(),
                shipment,
                merchant_order,
                merchant,
                lost_at: at.into(),
                value: before.worth()?.minus(after.worth()?)?.into(),
            })
        }
        Fact::Refunded { lines, items, delivery, fees, withheld, supported, .. } => {
            Announced::of(&MerchantOrderRefundedV1 {
                merchant_order,
                merchant,
                lines,
                items: items.into(),
                delivery: delivery.into(),
                fees: fees.into(),
                withheld: some(withheld),
                supported: some(supported),
            })
        }
    };
    let mut facts = vec![told];
    if let (Stage::Open { .. }, Stage::Delivered { since }) = (&before.stage, &after.stage) {
        let earned = after.earned()?;
        let rate = after.rate.as_ref();
        let settles = rate.map(|_| Ok::<_, MoneyError>(earned.own(rate)?.net.into())).transpose()?;
        facts.push(Announced::of(&MerchantOrderDeliveredV1 {
            merchant_order: after.id.clone(),
            merchant: after.merchant.clone(),
            delivered_at: (*since).into(),
            items: earned.items.into(),
            delivery: earned.delivery.into(),
            fees: earned.fees.into(),
            withheld: some(earned.withheld),
            supported: some(earned.supported),
            net: earned.net.into(),
            settles,
        }));
    }
    Ok(facts)
}
