//! What must be true of a marketplace, whatever has happened to it: read from the whole table, and from what people
//! were told.
//!
//! While things are under way: the books balance, no shelf is below nothing, nobody was told what is another's. When
//! all is quiet besides: every order is split once and completely, everybody has paid exactly what the orders say,
//! what was promised to somebody is there, no message is lost, none was sent twice under two names.

use super::Troubled;
use super::crowd::Promise;
use super::stage::{Stage, UNITS, marketplace_id};
use crate::books::Books;
use crate::market::Market;
use domain::id::{CartId, MerchantOrderId, OfferId, OrderId};
use domain::merchant_order::MerchantOrder;
use domain::message::Stage as MessageStage;
use domain::order::{Order, Stage as OrderStage};
use domain::payment::Payment;
use domain::stock::{Bin, Change, Levels};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use table::message::KeptMessage;
use table::outbox::Entry;

/// Everything that the laws are about.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) orders: BTreeMap<OrderId, Order>,
    parts: BTreeMap<String, MerchantOrder>,
    payments: Vec<Payment>,
    bins: Vec<(String, Bin)>,
    /// By the tail of an offer's id.
    received: BTreeMap<String, u64>,
    /// Events of which it is known that nobody could be told.
    untold: BTreeSet<String>,
    /// What was told of each thing, in the order of time: subject, and the line.
    told: Vec<(jiff::Timestamp, String, String)>,
}

impl Whole {
    pub(super) async fn read(market: &Market) -> Result<Self, Troubled> {
        let mut whole = Self::default();
        let mut after = None;
        loop {
            let page = market.world.table.scan_all(after.as_ref()).await?;
            for found in &page.items {
                if let Some((_, order)) = found.read::<Order>()? {
                    whole.orders.insert(order.id.clone(), order);
                }
                if let Some((_, part)) = found.read::<MerchantOrder>()? {
                    whole.parts.insert(part.id.to_string(), part);
                }
                whole.payments.extend(found.read::<Payment>()?.map(|(_, payment)| payment));
                whole.bins.extend(found.stock().map(|(_, offer, bin)| (offer, bin)));
                if let Some((_, message)) = found.read::<KeptMessage>()? {
                    let message = message.message;
                    if matches!(message.stage, MessageStage::NotSent { .. }) {
                        whole.untold.insert(message.event.clone());
                    }
                    let line = format!("{:?} to {:?} is {:?}", message.kind, message.to, message.stage);
                    whole.told.push((message.made_at, message.event, line));
                }
                if let Some(entry) = found.outbox_entry()? {
                    whole.receive(&entry);
                }
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(whole),
            }
        }
    }

    /// What was told of the orders that these sentences name.
    pub(super) fn stories(&self, wrong: &[String]) -> Vec<String> {
        let named = |tail: &str| wrong.iter().any(|sentence| sentence.contains(tail));
        let orders = self.orders.keys().filter(|order| named(order.as_str()));
        let tails: Vec<&str> = orders.map(|order| order.tail()).collect();
        let mut told: Vec<_> = self
            .told
            .iter()
            .filter(|(_, subject, _)| tails.iter().any(|tail| subject.contains(tail)))
            .collect();
        told.sort();
        told.into_iter().map(|(at, subject, line)| format!("{at} {subject} {line}")).collect()
    }

    fn receive(&mut self, entry: &Entry) {
        let names: Vec<&str> = entry.facts.iter().map(|fact| fact.name.as_str()).collect();
        let line = format!("{} {} by {}", entry.step, names.join(" "), entry.context.actor);
        self.told.push((entry.context.at, entry.subject.clone(), line));
        for movement in &entry.movements {
            if let Change::Received { quantity } = movement.change {
                let sum = self.received.entry(movement.offer.tail().to_owned()).or_default();
                *sum = sum.saturating_add(u64::from(quantity));
            }
        }
    }
}

/// What holds at any moment at which no transaction is under way.
pub(super) async fn always(market: &Market, whole: &Whole) -> Result<Vec<String>, Troubled> {
    let mut wrong = below_nothing(whole);
    // The totals of accounts follow by events; what else the books compare was written together.
    let books = Books::check(market).await?;
    wrong.extend(books.faults.into_iter().filter(|fault| !fault.contains("the total of ")));
    Ok(wrong)
}

fn below_nothing(whole: &Whole) -> Vec<String> {
    let mut wrong = Vec::new();
    for (offer, bin) in &whole.bins {
        let levels = bin.levels;
        if levels.on_hand < 0 || levels.allocated < 0 || levels.available < 0 {
            wrong.push(format!("no shelf is below nothing: off_{offer} has {levels:?}"));
        }
    }
    wrong
}

/// What holds when nothing is under way any more; what always holds is in it.
pub(super) async fn quiet(
    market: &Market,
    stage: &Stage,
    whole: &Whole,
    promises: &[Promise],
) -> Result<Vec<String>, Troubled> {
    let books = Books::check(market).await?;
    let mut wrong = below_nothing(whole);
    wrong.extend(books.faults.iter().cloned());
    for (letter, queue) in market.cloud.dead_letters()?.into_iter().map(|letter| (letter.body, letter.queue))
    {
        wrong.push(format!("every event is handled: {queue} has {}", letter.get(..200).unwrap_or(&letter)));
    }
    for order in whole.orders.values() {
        wrong.extend(whole.order(order).into_iter().map(|what| format!("{}: {what}", order.id)));
    }
    wrong.extend(whole.shelves(stage, market.clock.now()));
    wrong.extend(whole.kept(stage, promises));
    wrong.extend(mails(market, whole)?);
    let open =
        whole.orders.values().map(|order| whole.paid(order)).map(|(net, owed)| owed.saturating_sub(net));
    let (open, account) =
        (i128::from(sum(open)), books.accounts.iter().find(|((_, name, _), _)| name == "receivable"));
    let posted = account.map_or(0, |(_, balance)| balance.debits - balance.credits);
    if posted != open {
        wrong.push(format!("what customers owe is on the books: {posted} are, {open} are open"));
    }
    Ok(wrong)
}

impl Whole {
    /// The parts that an order should have, by number.
    fn parts_of(&self, order: &Order) -> Vec<Option<&MerchantOrder>> {
        let count = u8::try_from(order.merchants().len()).unwrap_or(u8::MAX);
        (1..=count).map(|number| self.parts.get(MerchantOrderId::of(&order.id, number).as_str())).collect()
    }

    /// Split once, to the unit and to the cent; paid as it says.
    fn order(&self, order: &Order) -> Vec<String> {
        let mut wrong = Vec::new();
        let parts = self.parts_of(order);
        if parts.iter().any(Option::is_none) {
            return vec!["every order is split: a part is missing".to_owned()];
        }
        let parts: Vec<&MerchantOrder> = parts.into_iter().flatten().collect();
        let units: BTreeSet<(u16, u32)> =
            order.lines.iter().map(|line| (line.number, line.quantity)).collect();
        let lines = parts.iter().flat_map(|part| &part.lines);
        let split: Vec<(u16, u32)> = lines.map(|line| (line.number, line.quantity)).collect();
        if split.len() != units.len() || split.iter().copied().collect::<BTreeSet<_>>() != units {
            wrong.push(format!("every line is in one part: {split:?} of {units:?}"));
        }
        let worth = sum(parts.iter().map(|part| part.worth().map_or(i64::MIN, |worth| worth.minor)));
        let total = order.total().map_or(i64::MAX, |total| total.minor);
        let canceled = order.canceled.map_or(0, |canceled| canceled.minor);
        // Units that were paid back before their part was complete: nobody earns them.
        let early = parts.iter().flat_map(|part| &part.lines).any(|line| line.progress.refunded_early > 0);
        let missing = total.saturating_sub(canceled).saturating_sub(worth);
        if missing != 0 && !(early && (0..=order.refunded.minor).contains(&missing)) {
            wrong.push(format!("Σ parts = order: {worth} and {total} less {canceled} canceled"));
        }
        let (net, owed) = self.paid(order);
        let mut alerts = self.payments_of(order).flat_map(|payment| &payment.alerted);
        if net != owed && alerts.next().is_none() {
            wrong.push(format!(
                "everybody has paid what the orders say, or somebody was told: {net}, not {owed}"
            ));
        }
        wrong
    }

    fn payments_of(&self, order: &Order) -> impl Iterator<Item = &Payment> {
        self.payments.iter().filter(move |payment| payment.order == order.id)
    }

    /// What the customer has paid and not got back, and what that should be.
    fn paid(&self, order: &Order) -> (i64, i64) {
        let net = self.payments_of(order).map(|payment| {
            let back = payment.refunds.iter().filter(|refund| !refund.stray);
            let back = sum(back.map(|refund| refund.amount.minor));
            payment.captured().minor.saturating_sub(payment.stray().minor).saturating_sub(back)
        });
        let total = order.total().map_or(i64::MAX, |total| total.minor);
        let owed = match order.stage {
            OrderStage::AwaitingPayment => 0,
            OrderStage::Paid { .. } | OrderStage::Canceled { .. } => {
                total.saturating_sub(order.refunded.minor)
            }
        };
        (sum(net), owed)
    }

    /// What is promised to parts is what shelves have promised; nothing is held for carts that are long gone.
    fn shelves(&self, stage: &Stage, now: Timestamp) -> Vec<String> {
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
            let free = levels.available.saturating_add(held);
            if levels.on_hand.saturating_sub(levels.allocated) != free {
                wrong.push(format!("units add up: {offer} has {levels:?} and {held} in holds that are over"));
            }
        }
        wrong
    }

    /// Whatever somebody was told is so.
    fn kept(&self, stage: &Stage, promises: &[Promise]) -> Vec<String> {
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

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}

/// Each customer hears of an order once, under one name; or it is known that a letter could not be sent.
fn mails(market: &Market, whole: &Whole) -> Result<Vec<String>, Troubled> {
    let mut names: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for mail in market.cloud.mails()? {
        let about = (mail.to.join(" "), mail.header("Subject"));
        names.entry(about).or_default().insert(mail.header("Message-ID"));
    }
    let mut wrong = Vec::new();
    for order in whole.orders.keys() {
        let subject = format!("Your order {order}");
        let confirmed: usize =
            names.iter().filter(|((_, about), _)| *about == subject).map(|(_, names)| names.len()).sum();
        let untold = confirmed == 0 && whole.untold.contains(&format!("{order}.1"));
        if confirmed != 1 && !untold {
            wrong.push(format!("one message tells of {order}: there are {confirmed}"));
        }
    }
    Ok(wrong)
}

/// The whole table in one text, the same however the SDK has ordered what is in an item: what a run came to.
pub(super) fn trace(market: &Market) -> String {
    let items = market.cloud.items();
    let mut lines: Vec<String> = items.iter().map(Value::to_string).collect();
    lines.sort_unstable();
    let all = format!("{}\n{}", marketplace_id(), lines.join("\n"));
    domain::id::sha256_hex(all.as_bytes())
}
