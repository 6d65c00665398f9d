//! What must be true of a marketplace, whatever has happened to it: read from the whole table, and from what people
//! were told.
//!
//! While things are under way: the books balance, no shelf is below nothing, no code is used by more orders than it is
//! for, nobody was told what is another's, nothing of one marketplace names another, gateways were asked for what is on
//! record, and payouts pay each entry once. When all is quiet besides: every order is split once and completely,
//! everybody has paid exactly what the orders say, units add up, what was promised to somebody is there, no message is
//! lost or waits, no work is left undone, none was sent twice under two names.
//!
//! `laws/goods.rs` units · `laws/money.rs` gateways, payouts, subscriptions · `laws/house.rs` the whole table, queues,
//! letters · `laws/wishes.rs` lists, and who waits

mod goods;
mod house;
mod money;
mod wishes;

pub(super) use house::{orders, trace};

use super::Troubled;
use super::crowd::{GIVEN, Promise};
use super::seam::Seam;
use super::stage::{Stage, marketplace_id};
use super::wire::Wire;
use crate::books::{Audit, Books};
use crate::market::Market;
use domain::Money;
use domain::cart::Cart;
use domain::discount::Grant;
use domain::id::{MerchantId, MerchantOrderId, OrderId};
use domain::invoice::Invoice;
use domain::ledger::MerchantEntry;
use domain::merchant_order::MerchantOrder;
use domain::message::{Message, Stage as MessageStage};
use domain::order::{Order, Stage as OrderStage};
use domain::payment::{Alert, Payment};
use domain::payout::{Claimed, Payout};
use domain::stock::{Bin, Change};
use domain::subscription::Subscription;
use domain::webhook::{Delivery, Endpoint};
use domain::wish_list::WishList;
use events::Envelope;
use std::collections::{BTreeMap, BTreeSet};
use table::discount::DiscountCode;
use table::message::KeptMessage;
use table::outbox::Entry;
use table::wish_list::Waiting;

/// Everything that the laws are about.
#[derive(Debug, Default)]
pub(super) struct Whole {
    books: Books,
    pub(super) orders: BTreeMap<OrderId, Order>,
    /// Of the other marketplace.
    elsewhere: Vec<Order>,
    parts: BTreeMap<String, MerchantOrder>,
    payments: Vec<Payment>,
    bins: Vec<(String, Bin)>,
    /// By the tail of an offer's id.
    received: BTreeMap<String, u64>,
    entries: Vec<MerchantEntry>,
    payouts: Vec<Payout>,
    claimed: BTreeMap<MerchantId, Claimed>,
    subscriptions: Vec<Subscription>,
    invoices: Vec<Invoice>,
    messages: Vec<Message>,
    endpoints: Vec<Endpoint>,
    deliveries: Vec<Delivery>,
    /// Carts for which a use of a code is taken.
    redeeming: Vec<Cart>,
    codes: Vec<Grant>,
    /// Counted uses, by the name of the code as it is compared.
    uses: BTreeMap<String, u64>,
    lists: Vec<WishList>,
    waiting: Vec<Waiting>,
    /// Every event of this marketplace.
    events: Vec<Envelope>,
    /// Events of which it is known that nobody could be told.
    untold: BTreeSet<String>,
    /// What was told of each thing, in the order of time: subject, and the line.
    told: Vec<(jiff::Timestamp, String, String)>,
}

impl Whole {
    pub(super) async fn read(market: &Market) -> Result<Self, Troubled> {
        let (mut whole, mut audit) = (Self::default(), Audit::default());
        let mut after = None;
        loop {
            let page = market.world.table.scan_all(after.as_ref()).await?;
            for found in &page.items {
                audit.take(found)?;
                whole.take(found)?;
            }
            match page.next {
                Some(cursor) => after = Some(cursor),
                None => return Ok(Self { books: audit.closed(), ..whole }),
            }
        }
    }

    /// Of the other marketplace only its orders, and what lies on its shelves.
    fn take(&mut self, found: &table::list::Found) -> Result<(), table::Fault> {
        let own = marketplace_id();
        self.bins.extend(found.stock().map(|(_, offer, bin)| (offer, bin)));
        match found.read::<Order>()? {
            Some((m, order)) if m == own => {
                self.orders.insert(order.id.clone(), order);
            }
            Some((_, order)) => self.elsewhere.push(order),
            None => {}
        }
        if let Some((_, part)) = found.read::<MerchantOrder>()? {
            self.parts.insert(part.id.to_string(), part);
        }
        self.payments.extend(found.read::<Payment>()?.map(|(_, payment)| payment));
        self.entries.extend(found.read::<MerchantEntry>()?.map(|(_, entry)| entry));
        self.payouts.extend(found.read::<Payout>()?.map(|(_, payout)| payout));
        self.subscriptions.extend(found.read::<Subscription>()?.map(|(_, subscription)| subscription));
        self.invoices.extend(found.read::<Invoice>()?.map(|(_, invoice)| invoice));
        if let Some((_, claimed)) = found.read::<Claimed>()? {
            self.claimed.insert(claimed.merchant.clone(), claimed);
        }
        if let Some((_, KeptMessage { message, .. })) = found.read::<KeptMessage>()? {
            if matches!(message.stage, MessageStage::NotSent { .. }) {
                self.untold.insert(message.event.clone());
            }
            let line = format!("{:?} to {:?} is {:?}", message.kind, message.to, message.stage);
            self.told.push((message.made_at, message.event.clone(), line));
            self.messages.push(message);
        }
        let carts = found.read::<Cart>()?.map(|(_, cart)| cart);
        self.redeeming.extend(carts.filter(|cart| !cart.redeemed().is_empty()));
        self.codes.extend(found.read::<DiscountCode>()?.map(|(_, code)| code.grant));
        self.uses.extend(found.uses_of_code());
        self.lists.extend(found.read::<WishList>()?.map(|(_, list)| list));
        self.waiting.extend(found.read::<Waiting>()?.map(|(_, waiting)| waiting));
        self.endpoints.extend(found.read::<Endpoint>()?.map(|(_, endpoint)| endpoint));
        self.deliveries.extend(found.read::<Delivery>()?.map(|(_, delivery)| delivery));
        if let Some(entry) = found.outbox_entry()? {
            if entry.marketplace == own {
                self.events.extend(entry.envelopes());
            }
            self.receive(&entry);
        }
        Ok(())
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
        let told = told.into_iter().map(|(at, subject, line)| format!("{at} {subject} {line}"));
        let payments = self.payments.iter().filter(|one| tails.contains(&one.order.tail()));
        let calls = payments.flat_map(|one| one.attempts.iter().map(move |attempt| (&one.id, attempt)));
        let calls = calls.map(|(id, attempt)| {
            let ended = if attempt.lapsed { ", lapsed" } else { "" };
            let (at, number, call, state) = (attempt.at, attempt.number, attempt.call, &attempt.state);
            format!("{at} {id} call {number} {call:?}: {state:?} at {:?}{ended}", attempt.told_at)
        });
        told.chain(calls).collect()
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
pub(super) fn always(market: &Market, whole: &Whole, wire: &Wire) -> Result<Vec<String>, Troubled> {
    let mut wrong = ever(market, whole, wire)?;
    // The totals of accounts follow by events; what else the books compare was written together.
    let faults = whole.books.faults.iter().filter(|fault| !fault.contains("the total of "));
    wrong.extend(faults.cloned());
    Ok(wrong)
}

fn ever(market: &Market, whole: &Whole, wire: &Wire) -> Result<Vec<String>, Troubled> {
    let mut wrong = whole.asked(wire);
    wrong.extend(whole.paid_out());
    wrong.extend(whole.redeemed());
    wrong.extend(house::apart(market)?);
    for (offer, bin) in &whole.bins {
        let levels = bin.levels;
        if levels.on_hand < 0 || levels.allocated < 0 || levels.available < 0 {
            wrong.push(format!("no shelf is below nothing: off_{offer} has {levels:?}"));
        }
    }
    Ok(wrong)
}

/// What holds when nothing is under way any more; what always holds is in it.
pub(super) async fn quiet(
    market: &Market,
    stage: &Stage,
    whole: &Whole,
    promises: &[Promise],
    (seam, wire): (&Seam, &Wire),
) -> Result<Vec<String>, Troubled> {
    let books = &whole.books;
    let mut wrong = ever(market, whole, wire)?;
    wrong.extend(books.faults.iter().cloned());
    wrong.extend(house::at_rest(market).await?);
    for order in whole.orders.values() {
        wrong.extend(whole.order(order).into_iter().map(|what| format!("{}: {what}", order.id)));
    }
    for order in &whole.elsewhere {
        wrong.extend(whole.split(order).into_iter().map(|what| format!("{} elsewhere: {what}", order.id)));
    }
    wrong.extend(whole.shelves(stage, market.clock.now()));
    wrong.extend(whole.kept(stage, promises));
    wrong.extend(whole.mails(market)?);
    wrong.extend(whole.webhooks(stage, &seam.heard()));
    wrong.extend(whole.wishes(stage, promises));
    wrong.extend(whole.at_banks(market, books)?);
    wrong.extend(whole.kept_by_gateways(books));
    wrong.extend(whole.earned());
    wrong.extend(whole.all_paid(market.clock.now()));
    wrong.extend(whole.subscribed(promises));
    wrong.extend(whole.believed());
    let open = whole.orders.values().map(|order| {
        let (net, owed) = whole.paid(order);
        Money::new(owed.saturating_sub(net), order.currency)
    });
    // A voucher's gateway may have taken its money while nobody knows yet what becomes of the card beside it.
    let early = whole
        .payments
        .iter()
        .filter(|payment| payment.invoice.is_none() && !whole.orders.contains_key(&payment.order));
    let early = early.map(|payment| Money::new(net(payment).saturating_neg(), payment.amount.currency));
    let open = open.chain(early).chain(whole.invoiced());
    wrong.extend(money::on_the_books(books, "what customers owe is on the books", "receivable", open));
    Ok(wrong)
}

impl Whole {
    /// The parts that an order should have, by number.
    fn parts_of(&self, order: &Order) -> Vec<Option<&MerchantOrder>> {
        let count = u8::try_from(order.merchants().len()).unwrap_or(u8::MAX);
        (1..=count).map(|number| self.parts.get(MerchantOrderId::of(&order.id, number).as_str())).collect()
    }

    /// Split once, each line to its merchant, to the unit and to the cent.
    fn split(&self, order: &Order) -> Vec<String> {
        let mut wrong = Vec::new();
        let parts = self.parts_of(order);
        if parts.iter().any(Option::is_none) {
            return vec!["every order is split: a part is missing".to_owned()];
        }
        let parts: Vec<&MerchantOrder> = parts.into_iter().flatten().collect();
        let all = self.parts.keys().filter(|id| id.contains(order.id.tail())).count();
        if all != parts.len() {
            wrong.push(format!("every order is split once: it has {all} parts, not {}", parts.len()));
        }
        for part in &parts {
            let whose =
                |number| order.lines.iter().find(|line| line.number == number).map(|line| &line.merchant);
            for line in part.lines.iter().filter(|line| whose(line.number) != Some(&part.merchant)) {
                wrong.push(format!(
                    "every line is its merchant's: {} has line {}",
                    part.merchant, line.number
                ));
            }
        }
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
        wrong
    }

    /// Split, and paid as it says.
    fn order(&self, order: &Order) -> Vec<String> {
        let mut wrong = self.split(order);
        let (net, owed) = self.paid(order);
        // By hand somebody may have given back more than was due.
        let given = sum(self.payments_of(order).map(money::given));
        let mut alerts = self.payments_of(order).flat_map(Payment::alerts);
        let told = |alert: &Alert| match alert {
            Alert::NotFinalized
            | Alert::Unresolved { .. }
            | Alert::Expiring { .. }
            | Alert::CaptureFailed { .. } => true,
            Alert::RefundFailed { .. }
            | Alert::RefundedTwice { .. }
            | Alert::Missing { .. }
            | Alert::Stray { .. } => false,
        };
        let missing = match order.stage {
            // What a bank has promised comes when it comes.
            OrderStage::AwaitingPayment => net == owed,
            OrderStage::Paid { .. } | OrderStage::Canceled { .. } => net < owed.saturating_sub(given).max(0),
        };
        if net > owed || missing && !alerts.any(told) {
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
        let net = self.payments_of(order).map(net);
        let total = order.total().map_or(i64::MAX, |total| total.minor);
        // What was canceled before it was paid is no refund.
        let canceled = order.canceled.map_or(0, |canceled| canceled.minor);
        (sum(net), total.saturating_sub(order.refunded.minor.max(canceled)))
    }
}

/// What a payment keeps of what was taken.
fn net(payment: &Payment) -> i64 {
    let back = payment.refunds.iter().filter(|refund| !refund.stray);
    payment.kept().minor.saturating_sub(sum(back.map(|refund| refund.amount.minor)))
}

fn sum(amounts: impl Iterator<Item = i64>) -> i64 {
    amounts.fold(0, i64::saturating_add)
}
