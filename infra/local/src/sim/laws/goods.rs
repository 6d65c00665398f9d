//! Units: what is on shelves, held, promised and sent, uses of codes; and what people were told of all that.

use super::Whole;
use crate::sim::crowd::Promise;
use crate::sim::stage::{Stage, UNITS};
use domain::cart::Cart;
use domain::discount::Spelling;
use domain::id::{CartId, OfferId, OrderId};
use domain::merchant_order::MerchantOrder;
use domain::order::Order;
use domain::stock::Levels;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Units of an offer that have left in parcels, whatever became of those.
fn units_sent(part: &MerchantOrder, offer: &OfferId) -> u64 {
    let own = part.lines.iter().filter(|line| line.offer.as_ref() == Some(offer)).map(|line| line.number);
    let own: Vec<u16> = own.collect();
    let units = part.shipments.iter().flat_map(|parcel| &parcel.lines);
    units.filter(|units| own.contains(&units.line)).map(|units| u64::from(units.quantity)).sum()
}

impl Whole {
    /// A code's limit is never exceeded, and what is counted are the orders and the carts that have it.
    pub(super) fn redeemed(&self) -> Vec<String> {
        let mut have: BTreeMap<String, u64> = BTreeMap::new();
        let of_orders = self.orders.values().flat_map(Order::redemptions);
        for one in of_orders.chain(self.redeeming.iter().flat_map(Cart::redeemed)) {
            let count = have.entry(Spelling::of(&one.code).as_str().to_owned()).or_default();
            *count = count.saturating_add(1);
        }
        let mut wrong = Vec::new();
        for code in &self.codes {
            let count = |of: &BTreeMap<String, u64>| of.get(Spelling::of(&code.name).as_str()).copied();
            let (have, counted) = (count(&have).unwrap_or_default(), count(&self.uses).unwrap_or_default());
            let limit = code.usage_limit.map_or(u64::MAX, |limit| limit.get().into());
            if have != counted || have > limit {
                wrong.push(format!(
                    "a code is for so many orders: {} is counted {counted} times, {have} have it",
                    code.name
                ));
            }
        }
        wrong
    }

    /// What is promised to parts is what shelves have promised; nothing is held for carts that are long gone.
    pub(super) fn shelves(&self, stage: &Stage, now: Timestamp) -> Vec<String> {
        let mut wrong = Vec::new();
        for (_, offer) in &stage.offers {
            let Ok(id) = offer.parse::<OfferId>() else { continue };
            let bins = self.bins.iter().filter(|(of, _)| of == id.tail()).map(|(_, bin)| bin);
            let (mut levels, mut held) = (Levels::default(), 0_i64);
            for bin in bins {
                levels = levels.plus(bin.levels);
                held = bin.holds.values().fold(held, |sum, hold| sum.saturating_add(hold.quantity.into()));
                // A bank that has asked the customer, or says nothing, keeps the goods for its cart.
                let paying = |cart: &CartId| {
                    self.payments.iter().any(|of| of.cart.as_ref() == Some(cart) && !of.finalized)
                };
                let over = bin.holds.iter().find(|(cart, hold)| hold.until > now && !paying(cart));
                wrong.extend(over.map(|(cart, hold)| {
                    format!("no hold outlives its cart: {offer} for {cart} until {}", hold.until)
                }));
            }
            let lines = self.parts.values().flat_map(|part| &part.lines);
            let lines = lines.filter(|line| line.offer.as_ref() == Some(&id));
            let promised: u64 = lines
                .flat_map(|line| line.allocations.iter().flatten())
                .map(|allocation| u64::from(allocation.quantity))
                .sum();
            if i64::try_from(promised) != Ok(levels.allocated) {
                wrong.push(format!(
                    "no unit is promised twice: {offer} has {} allocated, parts wait for {promised}",
                    levels.allocated
                ));
            }
            let sent = self.parts.values().map(|part| units_sent(part, &id));
            let gone = sent.fold(0, u64::saturating_add);
            let received = self.received.get(id.tail()).copied().unwrap_or_default();
            if i64::try_from(received.saturating_sub(gone)) != Ok(levels.on_hand) {
                wrong.push(format!(
                    "units add up: {offer} received {received} and shipped {gone}, {} are there",
                    levels.on_hand
                ));
            }
            let free = levels.available.saturating_add(held);
            if levels.on_hand.saturating_sub(levels.allocated) != free {
                wrong.push(format!("units add up: {offer} has {levels:?} and {held} in holds that are over"));
            }
        }
        wrong
    }

    /// Whatever somebody was told is so.
    pub(super) fn kept(&self, stage: &Stage, promises: &[Promise]) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut received: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
        for promise in promises {
            match promise {
                Promise::Placed { order, total } => {
                    let placed = self.orders.get(order).and_then(|order| order.total().ok());
                    let placed = placed
                        .map(|placed| domain::money::decimal_text(placed.minor.into(), placed.currency));
                    if placed.as_ref() != Some(total) {
                        wrong.push(format!("what is placed stays: {order} for {total} is {placed:?}"));
                    }
                }
                Promise::Shipped { part, shipment } => {
                    let part = self.parts.get(part);
                    if !part.is_some_and(|part| part.shipments.iter().any(|one| one.id.as_str() == shipment))
                    {
                        wrong.push(format!("what is shipped stays: {shipment} is gone"));
                    }
                }
                Promise::Edited { cart, units } => {
                    let order = cart.parse::<CartId>().map(|cart| OrderId::of_cart(&cart));
                    let order = order.ok().and_then(|order| self.orders.get(&order));
                    // The unit costs something, and is no part of what somebody agreed to pay; or it costs nothing.
                    let agreed = |order: &Order| {
                        let ordered: u32 = order.lines.iter().map(|line| line.quantity).sum();
                        ordered == *units && order.total().is_ok_and(|total| total.minor == 0)
                    };
                    if order.is_some_and(|order| !agreed(order)) {
                        wrong.push(format!(
                            "an order is what its cart was: {cart} was ordered without a unit"
                        ));
                    }
                }
                Promise::Subscribed { .. } | Promise::Wished { .. } | Promise::Waits { .. } => {}
                Promise::Received { offer, units, heard } => {
                    let (least, most) = received.entry(*offer).or_default();
                    let units = u64::from(*units);
                    *least = least.saturating_add(if *heard { units } else { 0 });
                    *most = most.saturating_add(units);
                }
            }
        }
        for (place, (_, offer)) in stage.offers.iter().enumerate() {
            let Ok(id) = offer.parse::<OfferId>() else { continue };
            let (least, most) = received.get(&place).copied().unwrap_or_default();
            let first = UNITS.get(place).copied().map_or(0, u64::from);
            let [least, most] = [least, most].map(|sum| sum.saturating_add(first));
            let found = self.received.get(id.tail()).copied().unwrap_or_default();
            if !(least..=most).contains(&found) {
                wrong.push(format!(
                    "what is asked twice is done once: {offer} received {found}, not {least} to {most}"
                ));
            }
        }
        wrong
    }
}
