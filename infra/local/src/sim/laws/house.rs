//! The table as a whole, queues, work that is due, and letters.

use super::Whole;
use crate::cloud::CloudError;
use crate::market::Market;
use crate::sim::Troubled;
use crate::sim::seam::EARS;
use crate::sim::stage::{Stage, elsewhere_id, marketplace_id};
use domain::id::OrderId;
use domain::message::{Nature, NotSent, Stage as MessageStage};
use domain::order::Order;
use domain::webhook::State;
use events::Envelope;
use events::audience::merchant_of;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use table::Record;

/// Clocks are not further apart than this.
const APART: SignedDuration = SignedDuration::from_secs(5);
/// Nobody sends a letter for longer.
const AT_IT: SignedDuration = SignedDuration::from_hours(1);
/// Nightly work may wait for the next night.
const LATE: SignedDuration = SignedDuration::from_hours(25);

/// The whole table in one text, the same however the SDK has ordered what is in an item: what a run came to.
pub(in crate::sim) fn trace(market: &Market) -> Result<String, CloudError> {
    let items = market.cloud.items()?;
    let ordered = |item: &String| serde_json::from_str::<Value>(item).unwrap_or_default().to_string();
    let mut lines: Vec<String> = items.iter().map(ordered).collect();
    lines.sort_unstable();
    Ok(domain::id::sha256_hex(lines.join("\n").as_bytes()))
}

/// The orders of this marketplace, by id.
pub(in crate::sim) fn orders(market: &Market) -> Result<BTreeSet<OrderId>, CloudError> {
    let own = format!("{}#", marketplace_id());
    let order = |item: &String| {
        let item: Value = serde_json::from_str(item).ok()?;
        let text = |path: &str| item.pointer(path)?.as_str();
        let is_own = text("/PK/S")?.starts_with(&own) && text("/kind/S")? == Order::KIND;
        is_own.then(|| text("/value/M/id/S")?.parse().ok()).flatten()
    };
    let items = market.cloud.items()?;
    Ok(items.iter().filter(|item| item.contains(Order::KIND)).filter_map(order).collect())
}

/// Every item is of one marketplace, or of none.
pub(super) fn apart(market: &Market) -> Result<Vec<String>, CloudError> {
    let (own, other) = (marketplace_id().to_string(), elsewhere_id().to_string());
    let mixed = market.cloud.items()?.into_iter().filter(|item| item.contains(&own) && item.contains(&other));
    Ok(mixed.map(|item| format!("nothing of one marketplace names another: {item}")).collect())
}

/// No message is lost, none waits, and what was due is done.
pub(super) async fn at_rest(market: &Market) -> Result<Vec<String>, Troubled> {
    let mut wrong = Vec::new();
    for letter in market.cloud.dead_letters()? {
        let body = letter.body.get(..200).unwrap_or(&letter.body);
        wrong.push(format!("every event is handled: {} has {body}", letter.queue));
    }
    let settled = market.cloud.settle().await?;
    if settled.waiting > 0 || settled.stuck_streams > 0 {
        wrong.push(format!("no message waits at rest: {settled:?}"));
    }
    let now = market.clock.now();
    for item in market.cloud.items()?.iter().filter(|item| item.contains("DUE#")) {
        let item: Value = serde_json::from_str(item).unwrap_or_default();
        let key = |name: &str| {
            item.pointer(&format!("/{name}/S")).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (part, sort) = (key("PK"), key("SK"));
        let due = sort.split_once('#').and_then(|(minute, _)| minute.parse::<Timestamp>().ok());
        if part.starts_with("DUE#") && due.is_some_and(|due| now.duration_since(due) > LATE) {
            wrong.push(format!("what is due is done: {part} {sort}"));
        }
    }
    Ok(wrong)
}

impl Whole {
    /// Each customer hears of an order once, under one name, or it is known that a letter could not be sent; and no
    /// letter is without its message, nor a message that was sent without its letter.
    pub(super) fn mails(&self, market: &Market) -> Result<Vec<String>, Troubled> {
        let mut names: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
        let mut copies: BTreeMap<String, usize> = BTreeMap::new();
        let id = |header: &str| {
            let (id, _) = header.trim_start_matches('<').split_once('@')?;
            Some(id.to_owned())
        };
        for mail in market.cloud.mails()? {
            let about = (mail.to.join(" "), mail.header("Subject"));
            let name = mail.header("Message-ID");
            let count = copies.entry(id(&name).unwrap_or_default()).or_default();
            *count = count.saturating_add(1);
            names.entry(about).or_default().insert(name);
        }
        let mut wrong = Vec::new();
        for message in &self.messages {
            // Of one of which nobody knows whether it has gone, and that somebody needs, there may be a second copy.
            let most = match message.kind.nature() {
                Nature::Service => 2,
                Nature::Courtesy | Nature::Marketing => 1,
            };
            let sent = copies.get(message.id.as_str()).copied().unwrap_or_default();
            if sent > most {
                wrong.push(format!("no message is sent twice: {} was sent {sent} times", message.id));
            }
        }
        for order in self.orders.keys() {
            let subject = format!("Your order {order}");
            let confirmed: usize =
                names.iter().filter(|((_, about), _)| *about == subject).map(|(_, names)| names.len()).sum();
            let untold = confirmed == 0 && self.untold.contains(&format!("{order}.1"));
            if confirmed != 1 && !untold {
                wrong.push(format!("one message tells of {order}: there are {confirmed}"));
            }
        }
        let sent: BTreeSet<String> = copies.into_keys().collect();
        let known: BTreeSet<&str> = self.messages.iter().map(|message| message.id.as_str()).collect();
        for message in &self.messages {
            let told = match message.stage {
                MessageStage::Sent { .. } => sent.contains(message.id.as_str()),
                MessageStage::Waiting { .. } => false,
                // Somebody may be at it.
                MessageStage::Begun { since, .. } => market.clock.now().duration_since(since) < AT_IT,
                // Whether it has gone nobody knows; or nobody may be told. Nothing here cannot be written or carried.
                MessageStage::NotSent { why, .. } => !matches!(why, NotSent::Template | NotSent::Refused),
            };
            if !told {
                wrong.push(format!("every letter has its end: {} is {:?}", message.id, message.stage));
            }
        }
        for stray in sent.iter().filter(|id| !known.contains(id.as_str())) {
            wrong.push(format!("no letter is without its message: {stray}"));
        }
        Ok(wrong)
    }

    /// Whoever listens is told of each event, under one name; or it is known that this did not go well. A merchant
    /// hears of its own, and of nobody else.
    pub(super) fn webhooks(&self, stage: &Stage, heard: &[(webhooks::Sent, u16)]) -> Vec<String> {
        let mut wrong = Vec::new();
        for (own, address) in stage.merchants.iter().zip(EARS) {
            let others = || stage.merchants.iter().filter(|other| *other != own);
            let to = heard.iter().filter(|(sent, _)| sent.address == address);
            let strange = to.filter(|(sent, _)| others().any(|other| sent.body.contains(other.as_str())));
            wrong.extend(strange.map(|(sent, _)| format!("a merchant hears of its own: {}", sent.body)));
        }
        let well = heard.iter().filter(|(_, code)| *code == 200).map(|(sent, _)| sent.id.as_str());
        let well: BTreeSet<&str> = well.collect();
        let mut bodies: BTreeMap<&str, &str> = BTreeMap::new();
        for (sent, _) in heard {
            if *bodies.entry(&sent.id).or_insert(&sent.body) != sent.body {
                wrong.push(format!("a webhook's name is for one text: {} has two", sent.id));
            }
        }
        let kept: BTreeMap<_, _> =
            self.deliveries.iter().map(|one| ((&one.endpoint, one.event.as_str()), one)).collect();
        for endpoint in self.endpoints.iter().filter(|endpoint| endpoint.listens()) {
            for Envelope { id: event, name, at, data, .. } in &self.events {
                let own = endpoint.merchant.is_none() || endpoint.merchant == merchant_of(name, data);
                let before = at.duration_since(endpoint.created_at) < APART;
                if !own || before || !endpoint.events.iter().any(|pattern| pattern.wants(name)) {
                    continue;
                }
                let told = kept.get(&(&endpoint.id, event.as_str()));
                let is_well = told.is_some_and(|told| match told.state {
                    State::Delivered { .. } => well.contains(told.id.as_str()),
                    State::Waiting { .. } | State::Failed { .. } => true,
                    State::Calling { .. } => false,
                });
                if !is_well {
                    let (address, told) = (&endpoint.address, told.map(|told| told.state));
                    wrong.push(format!("whoever listens is told: {address} of {event} {name}: {told:?}"));
                }
            }
        }
        wrong
    }
}
