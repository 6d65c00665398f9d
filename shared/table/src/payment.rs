//! Where payments lie, and how their facts are committed.
//!
//! A payment lies in its order's partition, so that order, parts and payments are one query. A fact that tells and
//! moves nothing, such as a call that begins, is written without a story. Due work of a payment is put before the
//! commit that causes it.

use crate::due::Work;
use crate::key::{Key, Place};
use crate::list::List;
use crate::order::WholeOrder;
use crate::record::from_item;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::Money;
use domain::gateway::{Capabilities, Method};
use domain::id::{MarketplaceId, OrderId, PaymentId};
use domain::ledger::Posting;
use domain::merchant_order::MerchantOrder;
use domain::order::Order;
use domain::payment::{Fact, Payment, Stage, concerns_order, next_look};
use domain::text::Word;
use events::payment::announce;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// What lists show of a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentSummary {
    pub id: PaymentId,
    pub order: OrderId,
    pub method: Method,
    pub gateway: Word,
    pub status: String,
    pub amount: Money,
    pub created_at: Timestamp,
    /// What a person has to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
}

/// The word for a payment's stage in API and lists.
pub fn payment_status(stage: &Stage) -> &'static str {
    match stage {
        Stage::Created => "created",
        Stage::Authorizing => "authorizing",
        Stage::RequiresAction { .. } => "requires_action",
        Stage::Unknown { .. } => "unknown",
        Stage::Promised => "promised",
        Stage::Declined { .. } => "declined",
        Stage::Authorized { .. } => "authorized",
        Stage::Captured { .. } => "captured",
        Stage::Released => "released",
    }
}

/// As lists show it.
pub fn payment_summary(payment: &Payment) -> PaymentSummary {
    PaymentSummary {
        id: payment.id.clone(),
        order: payment.order.clone(),
        method: payment.method,
        gateway: payment.gateway.clone(),
        status: payment_status(&payment.stage()).to_owned(),
        amount: payment.amount,
        created_at: payment.created_at,
        alerts: payment.alerts().map(|alert| alert.word().to_owned()).collect(),
    }
}

impl Record for Payment {
    const KIND: &'static str = "payment.1";
    type Summary = PaymentSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        // A payment's id is made from its order, so the form always fits.
        Key::payment(m, &self.id).unwrap_or_else(|| Key::order(m, &self.order))
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let alerted = self.alerts().next().is_some();
        alerted.then(|| Place::payment_alert(m, self.created_at, &self.id)).into_iter().collect()
    }

    /// None where no list shows it: the item of every payment stays small.
    fn summary(&self) -> Option<PaymentSummary> {
        self.alerts().next().is_some().then(|| payment_summary(self))
    }
}

/// An order with its parts and payments, as one query reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaidOrder {
    pub whole: WholeOrder,
    /// In the order of their numbers.
    pub payments: Vec<Held<Payment>>,
}

/// So many payments are read at once; an order has far fewer.
const PAYMENTS_AT_ONCE: u16 = 100;

impl Table {
    /// All payments of an order in the order of their numbers, strongly consistent: one query.
    pub async fn payments(&self, m: &MarketplaceId, order: &OrderId) -> Result<Vec<Held<Payment>>, Fault> {
        let pk = Key::order(m, order).pk;
        let mut payments = Vec::new();
        let mut after = None;
        loop {
            let page =
                self.records::<Payment>(&pk, Key::PAYMENTS, PAYMENTS_AT_ONCE, after.as_ref(), true).await?;
            payments.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(payments),
            }
        }
    }

    /// The order with its parts and payments, strongly consistent; one query, where they fit a page.
    pub async fn paid_order(&self, m: &MarketplaceId, id: &OrderId) -> Result<Option<PaidOrder>, Fault> {
        let pk = Key::order(m, id).pk;
        let (mut order, mut parts, mut payments, mut after) = (None, Vec::new(), Vec::new(), None);
        loop {
            let (items, next) =
                self.range(&pk, Key::WITH_PAYMENTS, PAYMENTS_AT_ONCE, after.as_ref(), true).await?;
            for item in items {
                match item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) {
                    Some(Order::KIND) => order = Some(from_item::<Order>(item)?),
                    Some(Payment::KIND) => payments.push(from_item::<Payment>(item)?),
                    _ => parts.push(from_item::<MerchantOrder>(item)?),
                }
            }
            if next.is_none() {
                return Ok(order.map(|order| PaidOrder { whole: WholeOrder { order, parts }, payments }));
            }
            after = next;
        }
    }

    /// Payments that a person has to look at, newest first.
    pub async fn alerted_payments(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<PaymentSummary>, Fault> {
        let none = PaymentId::of(&OrderId::from_bits(0), 0);
        let list = List::of(Place::payment_alert(m, Timestamp::UNIX_EPOCH, &none));
        self.list::<Payment>(&list, limit, after).await
    }

    /// Puts the next look at a payment on the list of due work, before the commit that changes it so; nothing where the
    /// look is the same as before. Where its order may have waited for what is new it is looked at now besides. Costs
    /// one write unit; [`Commit::due`] costs two and is all or nothing.
    pub async fn payment_will_be_due(
        &self,
        m: &MarketplaceId,
        (before, after): (Option<&Payment>, &Payment),
        gateway: Capabilities,
        now: Timestamp,
    ) -> Result<(), Fault> {
        if before.is_some_and(|before| concerns_order(before, after)) {
            self.put_due(&Key::due(m, Work::Payment, after.id.as_str(), now)).await?;
        }
        match look_that_is_new((before, after), gateway, now) {
            Some(at) => self.put_due(&Key::due(m, Work::Payment, after.id.as_str(), at)).await,
            None => Ok(()),
        }
    }
}

/// When the payment is looked at next, if that differs from before: the due work that a commit of it needs.
pub fn look_that_is_new(
    (before, after): (Option<&Payment>, &Payment),
    gateway: Capabilities,
    now: Timestamp,
) -> Option<Timestamp> {
    let next = next_look(after, gateway, now)?;
    let was = before.and_then(|before| next_look(before, gateway, now));
    (was != Some(next) || next <= now).then_some(next)
}

impl<'a, C: Debug> Commit<'a, C> {
    /// A payment that is new, mostly with its first attempt begun: nothing is told of it yet.
    pub fn open_payment(self, payment: &Payment, taken: C) -> Self {
        self.add(payment, taken)
    }

    /// Facts of a held payment, in their order, with all that they tell and move; answers the payment after them.
    pub fn payment(self, held: &Held<Payment>, facts: &[Fact]) -> Result<(Self, Payment), Fault> {
        self.payment_with(held, facts, Story::default())
    }

    /// The same, and what else is told and moved with it: that its invoice is paid.
    pub fn payment_with(
        self,
        held: &Held<Payment>,
        facts: &[Fact],
        mut story: Story,
    ) -> Result<(Self, Payment), Fault> {
        let mut next = held.value.clone();
        for fact in facts {
            let posting: Posting = next.posting(fact)?;
            let after = next.clone().apply(fact);
            story.facts.extend(announce(&next, &after, fact));
            story = story.posting(posting);
            next = after;
        }
        let told = !story.facts.is_empty() || !story.postings.is_empty();
        let commit = match told {
            true => self.change(held, &next, next.id.as_str(), story),
            false => self.replace(held, &next),
        };
        Ok((commit, next))
    }
}
