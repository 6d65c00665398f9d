//! When a buyer is asked about what was delivered: once per line, and reminded once.
//!
//! What is due follows from the order, its part, what was asked and what was answered: a line is asked about some days
//! after its own delivery, never before, and not if it went back, is reviewed, or is too old for an answer. So every
//! message may come twice, late or in any order.

use super::rating::{Policy, later};
use crate::id::{MerchantOrderId, OrderId};
use crate::merchant_order::{MerchantOrder, Shipment};
use crate::order::{Order, Stage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What was asked about the lines of a merchant order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    pub merchant_order: MerchantOrderId,
    pub order: OrderId,
    pub lines: Vec<AskedLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedLine {
    pub line: u16,
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reminded: bool,
}

/// What is to be done about a merchant order now, and when to look again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agenda {
    pub ask: Vec<u16>,
    pub remind: Vec<u16>,
    pub next: Option<Timestamp>,
    /// So long the first of these lines can be answered.
    pub until: Option<Timestamp>,
}

/// When all units of a line that were not canceled have arrived; none before, and none if nothing did or all of it
/// went back.
pub fn delivered_at(part: &MerchantOrder, number: u16) -> Option<Timestamp> {
    let line = part.lines.iter().find(|line| line.number == number)?;
    let progress = line.progress;
    let there =
        progress.delivered > 0 && progress.delivered.saturating_add(progress.canceled) >= line.quantity;
    let kept = progress.refunded < progress.delivered;
    let brings = |shipment: &&Shipment| shipment.lines.iter().any(|units| units.line == number);
    let last = part.shipments.iter().filter(brings).filter_map(|shipment| shipment.delivered_at).max();
    last.filter(|_| there && kept)
}

/// When a line can be reviewed from: as soon as something of it has arrived, whatever became of it then (A4(1)).
pub fn reviewable_since(part: &MerchantOrder, number: u16) -> Option<Timestamp> {
    let brings = |shipment: &&Shipment| shipment.lines.iter().any(|units| units.line == number);
    part.shipments.iter().filter(brings).filter_map(|shipment| shipment.delivered_at).min()
}

/// All of a merchant order's lines, looked at together.
pub fn agenda(
    order: &Order,
    part: &MerchantOrder,
    asked: Option<&Asking>,
    reviewed: &[u16],
    policy: &Policy,
    now: Timestamp,
) -> Agenda {
    let mut agenda = Agenda::default();
    if let Stage::Canceled { .. } = order.stage {
        return agenda;
    }
    for line in &part.lines {
        let Some(delivered) = delivered_at(part, line.number) else { continue };
        let until = policy.answers_until(delivered);
        if reviewed.contains(&line.number) || until <= now {
            continue;
        }
        let category = order.lines.iter().find(|of| of.number == line.number);
        let asks_at = policy.asks_at(category.and_then(|of| of.category.as_ref()), delivered);
        let before = asked.and_then(|asked| asked.lines.iter().find(|before| before.line == line.number));
        let (list, at) = match before {
            None => (&mut agenda.ask, asks_at),
            Some(before) if before.reminded || policy.remind_after_days == 0 => continue,
            Some(before) => (&mut agenda.remind, later(before.at, policy.remind_after_days)),
        };
        if at <= now {
            list.push(line.number);
            agenda.until = [agenda.until, Some(until)].into_iter().flatten().min();
        }
        // What is asked about now is looked at again for its reminder.
        let next = match (at <= now, before.is_none() && policy.remind_after_days > 0) {
            (true, true) => Some(later(now, policy.remind_after_days)),
            (true, false) => None,
            (false, _) => Some(at),
        };
        agenda.next = [agenda.next, next].into_iter().flatten().min();
    }
    agenda
}

impl Asking {
    /// After what the agenda says was done.
    #[must_use]
    pub fn after(
        before: Option<&Self>,
        part: &MerchantOrder,
        order: &OrderId,
        agenda: &Agenda,
        now: Timestamp,
    ) -> Self {
        let (merchant_order, order) = (part.id.clone(), order.clone());
        let mut lines = before.map(|before| before.lines.clone()).unwrap_or_default();
        for line in &mut lines {
            line.reminded |= agenda.remind.contains(&line.line);
        }
        lines.extend(agenda.ask.iter().map(|line| AskedLine { line: *line, at: now, reminded: false }));
        Self { merchant_order, order, lines }
    }
}
