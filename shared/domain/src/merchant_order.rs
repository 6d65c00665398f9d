//! A merchant order: one merchant's part of an order, from acceptance to its earning.
//!
//! Owns acceptance, rejection, shipments and delivery, and which stock is promised to each line. Money moves once, when
//! the part is complete: it becomes one earning (A12(3)). Refunds to the customer are the order's.
//!
//! `awaiting_payment → open → delivered | canceled`. What counts is kept per line in units:
//! shipped + canceled ≤ quantity, delivered ≤ shipped, refunded ≤ delivered. Units of a lost parcel are canceled.

mod earned;
pub use earned::Earned;

use crate::Decision;
use crate::currency::Currency;
use crate::fx::FxRate;
use crate::id::{MerchantId, MerchantOrderId, OfferId, ShipmentId, derive};
use crate::money::{Money, MoneyError};
use crate::payment::To;
use crate::stock::{Allocation, Change, Movement, SHELVES_MAX, Shelves, allocated, take_first};
use crate::text::{Reason, Sku, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Parcels of one part; enough for every unit of a common order.
pub const SHIPMENTS_MAX: usize = 200;
/// Lines in all parcels of a part, so that it stays far below what one item may hold.
pub const PACKED_MAX: usize = 2_000;

/// So long after the delivery of a part its merchant still sees whom it went to: as long as goods usually come back.
pub const RECIPIENT_SHOWN: SignedDuration = SignedDuration::from_hours(14 * 24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantOrder {
    pub id: MerchantOrderId,
    pub merchant: MerchantId,
    pub currency: Currency,
    pub placed_at: Timestamp,
    pub lines: Vec<Line>,
    /// This part's share of the order's own delivery cost, beside that of the lines.
    pub delivery: Money,
    /// The share is paid back with the last unit of a complete part, by a refund with delivery.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub delivery_refunded: bool,
    /// Of what was paid back, what the customer takes as store credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credited: Option<Money>,
    /// Tax in `delivery` that the marketplace owes in the merchant's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_withheld: Option<Money>,
    /// What the marketplace pays of the delivery, the customer having a discount on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery_supported: Option<Money>,
    /// Frozen at placement, where the merchant settles in another currency: from its own to the order's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<FxRate>,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shipments: Vec<Shipment>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The line's number in the order.
    pub number: u16,
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    pub quantity: u32,
    /// Stock that waits for this line; none where no stock is kept. Shipping uses it up, canceling gives it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Vec<Allocation>>,
    /// Totals of the whole quantity; a part of it is [`Money::share`].
    pub items: Money,
    pub delivery: Money,
    pub fees: Money,
    /// Tax in `items` that the marketplace owes in the merchant's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Money>,
    /// What the marketplace pays of the items, the customer having a discount on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported: Option<Money>,
    #[serde(default, skip_serializing_if = "Progress::is_none")]
    pub progress: Progress,
}

/// How far the units of a line have come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub shipped: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub canceled: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub refunded: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delivery_refunded: bool,
    /// Of `refunded`, those before the part was complete: nobody earns them.
    #[serde(skip_serializing_if = "is_zero")]
    pub refunded_early: u32,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delivery_refunded_early: bool,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Progress {
    fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    AwaitingPayment,
    /// Paid: may be accepted and shipped.
    Open {
        since: Timestamp,
    },
    /// Everything that was not canceled has arrived; the earning is made.
    Delivered {
        since: Timestamp,
    },
    Canceled {
        since: Timestamp,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    pub id: ShipmentId,
    pub carrier: Word,
    pub tracking_number: Word,
    pub lines: Vec<Units>,
    pub shipped_at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivered_at: Option<Timestamp>,
    /// It will not arrive: its units are canceled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost_at: Option<Timestamp>,
}

/// So many units of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Units {
    pub line: u16,
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub quantity: u32,
}

/// Stock that is promised to a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineAllocation {
    pub line: u16,
    pub allocation: Allocation,
}

/// What happened to a merchant order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Opened {
        at: Timestamp,
    },
    Accepted {
        lines: Vec<u16>,
    },
    /// `whole`: nothing is left, neither to ship nor shipped.
    Canceled {
        at: Timestamp,
        lines: Vec<Units>,
        reason: Reason,
        by_merchant: bool,
    },
    /// `allocated`: what was short at placement and was found when the parcel was packed.
    Shipped {
        shipment: Shipment,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        allocated: Vec<LineAllocation>,
    },
    Delivered {
        shipment: ShipmentId,
        at: Timestamp,
    },
    Lost {
        shipment: ShipmentId,
        at: Timestamp,
    },
    Refunded {
        lines: Vec<Units>,
        items: Money,
        delivery: Money,
        fees: Money,
        withheld: Money,
        supported: Money,
        with_delivery: bool,
        to: To,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the merchant order is not paid yet")]
    AwaitingPayment,
    #[error("the merchant order is canceled")]
    Canceled,
    #[error("the merchant order is delivered")]
    Delivered,
    #[error("no line is named")]
    NoLine,
    #[error("the merchant order has no line {0}")]
    UnknownLine(u16),
    #[error("line {0} is named twice: name it once with the sum")]
    LineTwice(u16),
    #[error("line {line} has {left} units left, not {asked}")]
    Units { line: u16, asked: u32, left: u32 },
    #[error("there is no shipment {0}")]
    UnknownShipment(ShipmentId),
    #[error("shipment {0} has this carrier and tracking number with other lines")]
    ShipmentDiffers(ShipmentId),
    #[error("line {line} is {short} units short of stock: receive them first, or reject them")]
    OutOfStock { line: u16, short: u32 },
    #[error("a merchant order has at most {SHIPMENTS_MAX} shipments with {PACKED_MAX} lines in all")]
    ShipmentCount,
    #[error("the lines lie on {0} shelves: ship those of at most {SHELVES_MAX} at once")]
    Shelves(usize),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl MerchantOrder {
    /// Whether the merchant needs to know whom it ships to: not before the part is paid, not long after its delivery.
    pub fn shows_recipient(&self, now: Timestamp) -> bool {
        match &self.stage {
            Stage::Open { .. } => true,
            Stage::Delivered { since } => now.duration_since(*since) < RECIPIENT_SHOWN,
            Stage::AwaitingPayment | Stage::Canceled { .. } => false,
        }
    }

    /// Items and delivery of what is not canceled. Σ over the parts of an order with nothing canceled = its total.
    pub fn worth(&self) -> Result<Money, MoneyError> {
        Ok(self.earned()?.gross)
    }

    pub fn is_canceled(&self) -> bool {
        self.lines.iter().all(|line| line.progress.canceled == line.quantity)
    }

    /// Nothing left to ship or on its way, and something has arrived.
    fn is_complete(&self) -> bool {
        !self.is_canceled()
            && self.lines.iter().all(|line| line.progress.delivered + line.progress.canceled == line.quantity)
    }

    /// The only place that changes a merchant order. It cannot fail: the deciding is over.
    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        match fact {
            Fact::Opened { at } => self.stage = Stage::Open { since: *at },
            Fact::Accepted { lines } => {
                for line in self.lines.iter_mut().filter(|line| lines.contains(&line.number)) {
                    line.progress.accepted = true;
                }
            }
            Fact::Canceled { at, lines, .. } => {
                let _released = self.release(lines);
                self.count(lines, |progress| &mut progress.canceled);
                self.end_if_over(*at);
            }
            Fact::Shipped { shipment, allocated } => {
                let _used = self.use_up(&shipment.lines, allocated);
                self.count(&shipment.lines, |progress| &mut progress.shipped);
                self.shipments.push(shipment.clone());
            }
            Fact::Delivered { shipment, at } => {
                let found = self.shipments.iter_mut().find(|held| held.id == *shipment);
                let lines = found.map(|held| {
                    held.delivered_at = Some(*at);
                    held.lines.clone()
                });
                self.count(&lines.unwrap_or_default(), |progress| &mut progress.delivered);
                self.end_if_over(*at);
            }
            Fact::Lost { shipment, at } => {
                let found = self.shipments.iter_mut().find(|held| held.id == *shipment);
                let lines = found.map(|held| {
                    held.lost_at = Some(*at);
                    held.lines.clone()
                });
                let lines = lines.unwrap_or_default();
                self.count(&lines, |progress| &mut progress.canceled);
                for (units, line) in self.named(&lines) {
                    line.progress.shipped = line.progress.shipped.saturating_sub(units.quantity);
                }
                self.end_if_over(*at);
            }
            Fact::Refunded { lines, with_delivery, items, delivery, to, .. } => {
                if let To::StoreCredit = to {
                    let before = self.credited.map_or(0, |credited| credited.minor);
                    let more = items.minor.saturating_add(delivery.minor);
                    self.credited = Some(Money { minor: before.saturating_add(more), ..*items });
                }
                let early = matches!(self.stage, Stage::Open { .. });
                self.count(lines, |progress| &mut progress.refunded);
                if early {
                    self.count(lines, |progress| &mut progress.refunded_early);
                }
                let named = |number: u16| lines.iter().any(|units| units.line == number);
                for line in self.lines.iter_mut().filter(|line| *with_delivery && named(line.number)) {
                    line.progress.delivery_refunded_early |= early && !line.progress.delivery_refunded;
                    line.progress.delivery_refunded = true;
                }
                self.delivery_refunded |= *with_delivery && self.is_refunded();
            }
        }
        self
    }

    fn end_if_over(&mut self, at: Timestamp) {
        if self.is_canceled() {
            self.stage = Stage::Canceled { since: at };
        } else if self.is_complete() {
            self.stage = Stage::Delivered { since: self.last_delivery().unwrap_or(at) };
        }
    }

    /// Takes the stock of shipped units, after what was found for them.
    fn use_up(&mut self, lines: &[Units], found: &[LineAllocation]) -> Vec<Movement> {
        let mut movements = Vec::new();
        for LineAllocation { line, allocation } in found {
            if let Some(line) = self.lines.iter_mut().find(|held| held.number == *line)
                && let Some(held) = &mut line.allocations
            {
                held.push(allocation.clone());
                let (change, allocation) = (|quantity| Change::Allocated { quantity }, allocation.clone());
                movements
                    .extend(line.offer.iter().map(|offer| Movement::of(offer, allocation.clone(), change)));
            }
        }
        for (units, line) in self.named(lines) {
            let taken = line.allocations.as_mut().map(|held| take_first(held, units.quantity));
            let change = |quantity| Change::Shipped { quantity };
            movements.extend(line.movements(taken, change));
        }
        movements
    }

    /// Gives back the stock of canceled units: first those that have none, then the last promised.
    fn release(&mut self, lines: &[Units]) -> Vec<Movement> {
        let mut movements = Vec::new();
        for (units, line) in self.named(lines) {
            let short = line.short();
            let taken = line.allocations.as_mut().map(|held| {
                held.reverse();
                let taken = take_first(held, units.quantity.saturating_sub(short));
                held.reverse();
                taken
            });
            movements.extend(line.movements(taken, |quantity| Change::Released { quantity }));
        }
        movements
    }

    fn named<'a>(&'a mut self, lines: &'a [Units]) -> impl Iterator<Item = (&'a Units, &'a mut Line)> {
        self.lines.iter_mut().filter_map(move |line| {
            let units = lines.iter().find(|units| units.line == line.number)?;
            Some((units, line))
        })
    }

    fn is_refunded(&self) -> bool {
        self.lines.iter().all(|line| line.progress.refunded + line.progress.canceled == line.quantity)
    }

    fn last_delivery(&self) -> Option<Timestamp> {
        self.shipments.iter().filter_map(|shipment| shipment.delivered_at).max()
    }

    fn count(&mut self, lines: &[Units], counter: fn(&mut Progress) -> &mut u32) {
        for units in lines {
            if let Some(line) = self.lines.iter_mut().find(|line| line.number == units.line) {
                let count = counter(&mut line.progress);
                *count = count.saturating_add(units.quantity);
            }
        }
    }

    /// Each line once, at least one, and no more units than `left` says.
    fn check(&self, lines: &[Units], left: fn(&Line) -> u32) -> Result<(), Refused> {
        if lines.is_empty() {
            return Err(Refused::NoLine);
        }
        for (position, units) in lines.iter().enumerate() {
            if lines.iter().take(position).any(|other| other.line == units.line) {
                return Err(Refused::LineTwice(units.line));
            }
            let found = self.lines.iter().find(|line| line.number == units.line);
            let left = left(found.ok_or(Refused::UnknownLine(units.line))?);
            if units.quantity == 0 || units.quantity > left {
                return Err(Refused::Units { line: units.line, asked: units.quantity, left });
            }
        }
        Ok(())
    }

    fn must_be_open(&self) -> Result<Timestamp, Refused> {
        match &self.stage {
            Stage::Open { since } => Ok(*since),
            Stage::AwaitingPayment => Err(Refused::AwaitingPayment),
            Stage::Delivered { .. } => Err(Refused::Delivered),
            Stage::Canceled { .. } => Err(Refused::Canceled),
        }
    }
}

impl Line {
    /// Units to ship that no stock is promised to; none where no stock is kept.
    pub fn short(&self) -> u32 {
        let held = self.allocations.as_ref();
        held.map_or(0, |held| self.to_ship().saturating_sub(allocated(held)))
    }

    fn movements(&self, taken: Option<Vec<Allocation>>, change: fn(u32) -> Change) -> Vec<Movement> {
        let taken = taken.into_iter().flatten();
        let moved = |offer| taken.clone().map(move |one| Movement::of(offer, one, change));
        self.offer.iter().flat_map(moved).collect()
    }

    /// Units neither shipped nor canceled.
    pub fn to_ship(&self) -> u32 {
        self.quantity.saturating_sub(self.progress.shipped).saturating_sub(self.progress.canceled)
    }
}

/// The stock that a fact moves, from the state before it.
pub fn movements(before: &MerchantOrder, fact: &Fact) -> Vec<Movement> {
    let mut part = before.clone();
    match fact {
        Fact::Canceled { lines, .. } => part.release(lines),
        Fact::Shipped { shipment, allocated } => part.use_up(&shipment.lines, allocated),
        Fact::Opened { .. }
        | Fact::Accepted { .. }
        | Fact::Delivered { .. }
        | Fact::Lost { .. }
        | Fact::Refunded { .. } => Vec::new(),
    }
}

/// The order is paid. What has happened cannot be refused; a part beyond that stage has it behind it.
pub fn open(part: &MerchantOrder, at: Timestamp) -> Decision<Fact> {
    match part.stage {
        Stage::AwaitingPayment => Decision::New(Fact::Opened { at }),
        Stage::Open { .. } | Stage::Delivered { .. } | Stage::Canceled { .. } => Decision::Already,
    }
}

/// The merchant takes lines on. None named means all.
pub fn accept(part: &MerchantOrder, lines: &[u16]) -> Result<Decision<Fact>, Refused> {
    part.must_be_open()?;
    if let Some(unknown) = lines.iter().find(|number| part.lines.iter().all(|line| line.number != **number)) {
        return Err(Refused::UnknownLine(*unknown));
    }
    let fresh: Vec<u16> = part
        .lines
        .iter()
        .filter(|line| (lines.is_empty() || lines.contains(&line.number)) && !line.progress.accepted)
        .map(|line| line.number)
        .collect();
    if fresh.is_empty() { Ok(Decision::Already) } else { Ok(Decision::New(Fact::Accepted { lines: fresh })) }
}

/// The merchant cannot deliver units; the customer gets the money back.
pub fn reject(
    part: &MerchantOrder,
    lines: Vec<Units>,
    reason: Reason,
    at: Timestamp,
) -> Result<Fact, Refused> {
    let since = part.must_be_open()?;
    part.check(&lines, Line::to_ship)?;
    Ok(Fact::Canceled { at: at.max(since), lines, reason, by_merchant: true })
}

/// What an order's cancellation means for a part: everything not shipped, or nothing.
pub fn cancel_rest(part: &MerchantOrder, reason: &Reason, at: Timestamp) -> Result<Option<Fact>, Refused> {
    let rest = part.lines.iter().filter(|line| line.to_ship() > 0);
    let lines: Vec<Units> = rest.map(|line| Units { line: line.number, quantity: line.to_ship() }).collect();
    let (reason, by_merchant) = (reason.clone(), false);
    Ok((!lines.is_empty()).then_some(Fact::Canceled { at, lines, reason, by_merchant }))
}

/// A parcel leaves. The same carrier and tracking number name the same shipment, so a repeat is no news. Units that
/// were short take what is on the `shelves` now; what is on none cannot leave.
pub fn ship(
    part: &MerchantOrder,
    carrier: Word,
    tracking_number: Word,
    lines: Vec<Units>,
    mut shelves: Shelves,
    at: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    let id = ShipmentId::from_bits(derive(&[
        "shipment",
        part.id.as_str(),
        carrier.as_str(),
        tracking_number.as_str(),
    ]));
    if let Some(held) = part.shipments.iter().find(|held| held.id == id) {
        let sorted = |lines: &[Units]| {
            let mut lines = lines.to_vec();
            lines.sort_by_key(|units| units.line);
            lines
        };
        return if sorted(&held.lines) == sorted(&lines) || lines.is_empty() {
            Ok(Decision::Already)
        } else {
            Err(Refused::ShipmentDiffers(id))
        };
    }
    let since = part.must_be_open()?;
    // No line named means all that is left.
    let all = || {
        let rest = part.lines.iter().filter(|line| line.to_ship() > 0);
        rest.map(|line| Units { line: line.number, quantity: line.to_ship() }).collect()
    };
    let lines = if lines.is_empty() { all() } else { lines };
    part.check(&lines, Line::to_ship)?;
    let packed = part.shipments.iter().map(|shipment| shipment.lines.len()).sum::<usize>();
    if part.shipments.len() >= SHIPMENTS_MAX || packed.saturating_add(lines.len()) > PACKED_MAX {
        return Err(Refused::ShipmentCount);
    }
    let found = find_stock(part, &lines, &mut shelves)?;
    let shipped_at = at.max(since);
    let shipment =
        Shipment { id, carrier, tracking_number, lines, shipped_at, delivered_at: None, lost_at: None };
    let fact = Fact::Shipped { shipment, allocated: found };
    let moved = movements(part, &fact);
    let places: BTreeSet<_> = moved.iter().map(|moved| (&moved.offer, &moved.location, moved.bin)).collect();
    if places.len() > SHELVES_MAX {
        return Err(Refused::Shelves(places.len()));
    }
    Ok(Decision::New(fact))
}

/// Stock for units that leave and had none.
fn find_stock(
    part: &MerchantOrder,
    lines: &[Units],
    shelves: &mut Shelves,
) -> Result<Vec<LineAllocation>, Refused> {
    let mut found = Vec::new();
    for units in lines {
        let line = part.lines.iter().find(|line| line.number == units.line);
        let Some((line, offer, held)) =
            line.and_then(|line| Some((line, line.offer.as_ref()?, line.allocations.as_ref()?)))
        else {
            continue;
        };
        let missing = units.quantity.saturating_sub(allocated(held));
        let taken = shelves.allocate(offer, missing);
        if allocated(&taken) < missing {
            let short = missing.saturating_sub(allocated(&taken));
            return Err(Refused::OutOfStock { line: line.number, short });
        }
        found.extend(taken.into_iter().map(|allocation| LineAllocation { line: line.number, allocation }));
    }
    Ok(found)
}

/// What a carrier says of a shipment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tracking {
    InTransit,
    Delivered,
    /// It will not arrive; the customer is paid back.
    Lost,
}

/// A carrier's message finds its place whenever it comes: a late "in transit" changes nothing (A11(4)). What has
/// arrived cannot be lost, and what is lost and paid back has not arrived: the first word on a parcel's end holds.
pub fn track(
    part: &MerchantOrder,
    shipment: &ShipmentId,
    status: Tracking,
    at: Timestamp,
) -> Result<Decision<Fact>, Refused> {
    let held = part.shipments.iter().find(|held| held.id == *shipment);
    let held = held.ok_or_else(|| Refused::UnknownShipment(shipment.clone()))?;
    if held.delivered_at.is_some() || held.lost_at.is_some() {
        return Ok(Decision::Already);
    }
    let (shipment, at) = (shipment.clone(), at.max(held.shipped_at));
    Ok(match status {
        Tracking::InTransit => Decision::Already,
        Tracking::Delivered => Decision::New(Fact::Delivered { shipment, at }),
        Tracking::Lost => Decision::New(Fact::Lost { shipment, at }),
    })
}

/// What is to be refunded of a delivered part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundLines {
    pub lines: Vec<Units>,
    /// The delivery cost of the named lines too.
    pub delivery: bool,
    pub to: To,
    pub reason: Reason,
}

/// Units that have arrived and are paid back, with the fees that the marketplace gives back on them. While other units
/// are still to come nothing is earned yet: what is paid back then never will be.
pub fn refund(part: &MerchantOrder, request: RefundLines) -> Result<Fact, Refused> {
    match part.stage {
        Stage::Open { .. } | Stage::Delivered { .. } => {}
        Stage::AwaitingPayment => return Err(Refused::AwaitingPayment),
        Stage::Canceled { .. } => return Err(Refused::Canceled),
    }
    let RefundLines { lines, delivery: with_delivery, to, .. } = request;
    part.check(&lines, |line| line.progress.delivered.saturating_sub(line.progress.refunded))?;
    // The canceled units came first in the count of shares, then the refunded ones in their order; with the last unit
    // goes the part's own delivery.
    let of = |gone: Earned| Fact::Refunded {
        lines: lines.clone(),
        items: gone.items,
        delivery: gone.delivery,
        fees: gone.fees,
        withheld: gone.withheld,
        supported: gone.supported,
        with_delivery,
        to,
    };
    let after = part.clone().apply(&of(Earned::zero(part.currency)));
    Ok(of(part.kept()?.minus(after.kept()?)?))
}

#[cfg(test)]
mod tests;
