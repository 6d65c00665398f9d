//! Holds of carts: each one conditional update of one stock item (A7(1)). What to write is `domain::stock::hold`'s.
//!
//! A failed condition brings the item as it is, nothing is lost by having presumed. A call that comes twice finds what
//! it wants there already. What a process has seen of hot offers it remembers, so that it does not presume in vain.

use super::{Bin, keys_of, read, whole_millis};
use crate::key::Key;
use crate::{Fault, Loaded, Table, number};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::catalog::Offer;
use domain::id::{CartId, MarketplaceId, OfferId};
use domain::stock::bin::is_crowded;
use domain::stock::hold::{HOLDS_MAX, Hold, Plan, Short, Step, is_certain, plan, presume};
use futures::future::BoxFuture;
use futures::stream::{StreamExt, iter};
use jiff::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// So many items are written at once.
const AT_ONCE: usize = 16;
/// How often one hold reads and plans; each time it fails, another has succeeded.
const ROUNDS: usize = 16;
/// So many expired holds in an item are taken away, though nobody needs their units.
const UNTIDY: usize = 8;
/// How often one hold may find an item in use before the table is busy.
const BUSY_MAX: usize = 3;

/// First bins that this process has seen to be hot: how many more there are, and whether presuming was in vain. What is
/// wrong in it costs a read or a write, never more.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hot(Arc<Mutex<HashMap<Key, (u8, bool)>>>);

/// So many are remembered, then it begins anew.
const REMEMBERED: usize = 10_000;

impl Hot {
    fn known(&self) -> MutexGuard<'_, HashMap<Key, (u8, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, key: &Key) -> (u8, bool) {
        self.known().get(key).copied().unwrap_or_default()
    }

    fn note(&self, key: Key, note: impl FnOnce(&mut (u8, bool))) {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        note(known.entry(key).or_default());
    }

    /// It was not in vain this time.
    fn presumes(&self, key: &Key) {
        if let Some((_, vain)) = self.known().get_mut(key) {
            *vain = false;
        }
    }

    pub(crate) fn learns(&self, key: Key, more: u8) {
        self.note(key, |(known, _)| *known = more.max(*known));
    }
}

/// Who holds, and how long.
#[derive(Clone, Copy)]
struct Ask<'a> {
    m: &'a MarketplaceId,
    cart: &'a CartId,
    until: Timestamp,
    now: Timestamp,
}

/// What came of one offer: what the cart held of it before, and what it holds now.
type Answer = (Vec<Hold>, Result<Result<Vec<Hold>, Short>, Fault>);

/// What came of one write: the item as it is now; or why not, and the item as it is.
enum Written {
    Done(Bin),
    Refused(Option<Bin>),
    Busy,
}

/// What came of a round of writes.
enum Walked {
    Done(Vec<Hold>),
    /// With the item as it is.
    Refused(Option<Bin>),
    Busy,
}

impl Table {
    /// Holds for a cart all of `wanted` until `until`, in place of what it holds already (`before`: what the last call
    /// answered). The other answer names every offer that cannot be had; then nothing new stays held. Offers that keep
    /// no stock need no hold.
    pub async fn hold(
        &self,
        m: &MarketplaceId,
        cart: &CartId,
        wanted: &[(&Offer, u32)],
        before: &[Hold],
        until: Timestamp,
        now: Timestamp,
    ) -> Result<Result<Vec<Hold>, Vec<Short>>, Fault> {
        let ask = Ask { m, cart, until: whole_millis(until), now: whole_millis(now) };
        // A7(2): demand is summed first.
        let mut sums: BTreeMap<&OfferId, (&Offer, u32)> = BTreeMap::new();
        for (offer, quantity) in wanted.iter().filter(|(offer, _)| offer.keeps_stock) {
            let (_, sum) = sums.entry(&offer.id).or_insert((offer, 0));
            *sum = sum.saturating_add(*quantity);
        }
        let of =
            |id: &OfferId| -> Vec<Hold> { before.iter().filter(|hold| hold.offer == *id).cloned().collect() };
        // Boxed and in a list: a closure that is held across a wait makes a future that cannot change threads.
        let mut asked: Vec<BoxFuture<'_, Answer>> = Vec::with_capacity(sums.len());
        for (offer, quantity) in sums.values() {
            let (mine, quantity) = (of(&offer.id), *quantity);
            asked.push(Box::pin(async move {
                let held = self.hold_offer(ask, offer, quantity, &mine).await;
                (mine, held)
            }));
        }
        let answers: Vec<Answer> = iter(asked).buffer_unordered(AT_ONCE).collect().await;
        if answers.iter().all(|(_, held)| matches!(held, Ok(Ok(_)))) {
            let left: Vec<Hold> =
                before.iter().filter(|hold| !sums.contains_key(&hold.offer)).cloned().collect();
            self.release(m, cart, &left).await?;
            let held = answers.into_iter().filter_map(|(_, held)| held.ok()?.ok());
            let mut held: Vec<Hold> = held.flatten().collect();
            held.sort_by(|a, b| (&a.offer, &a.location, a.bin).cmp(&(&b.offer, &b.location, b.bin)));
            return Ok(Ok(held));
        }
        let (mut short, mut fault) = (Vec::new(), None);
        let mut back: Vec<BoxFuture<'_, ()>> = Vec::new();
        for (mine, held) in &answers {
            if let Ok(Ok(held)) = held {
                back.push(Box::pin(self.undo(ask, held, mine)));
            }
        }
        let _undone: Vec<()> = iter(back).buffer_unordered(AT_ONCE).collect().await;
        for (_, held) in answers {
            match held {
                Ok(Ok(_)) => {}
                Ok(Err(missing)) => short.push(missing),
                Err(error) => fault = Some(error),
            }
        }
        short.sort_by(|a, b| a.offer.cmp(&b.offer));
        fault.map_or(Ok(Err(short)), Err)
    }

    /// Gives back what a cart holds. What is gone already is gone.
    pub async fn release(&self, m: &MarketplaceId, cart: &CartId, holds: &[Hold]) -> Result<(), Fault> {
        let ask = Ask { m, cart, until: Timestamp::UNIX_EPOCH, now: Timestamp::UNIX_EPOCH };
        let mut back: Vec<BoxFuture<'_, Result<(), Fault>>> = Vec::with_capacity(holds.len());
        for hold in holds {
            back.push(Box::pin(self.give_back(ask, hold, 0)));
        }
        let released: Vec<_> = iter(back).buffer_unordered(AT_ONCE).collect().await;
        released.into_iter().collect()
    }

    /// Brings one hold down to `to`, whatever its quantity is by now.
    async fn give_back(&self, ask: Ask<'_>, hold: &Hold, to: u32) -> Result<(), Fault> {
        let mut from = hold.quantity;
        for _ in 0..ROUNDS {
            if from <= to {
                return Ok(());
            }
            let (location, bin) = (hold.location.clone(), hold.bin);
            let step = Step { location, bin, from, to, drops: Vec::new() };
            match self.write_step(ask, &hold.offer, &step).await? {
                Written::Done(_) => return Ok(()),
                Written::Refused(there) => from = there.map_or(0, |bin| bin.own(ask.cart)),
                Written::Busy => {}
            }
        }
        Err(Fault::Busy)
    }

    /// Brings what was newly taken of an offer back to what there was before. If it cannot, time does.
    async fn undo(&self, ask: Ask<'_>, held: &[Hold], before: &[Hold]) {
        for hold in held {
            let same = |other: &&Hold| other.location == hold.location && other.bin == hold.bin;
            let to = before.iter().find(same).map_or(0, |hold| hold.quantity);
            let _given_back = self.give_back(ask, hold, to).await;
        }
    }

    async fn hold_offer(
        &self,
        ask: Ask<'_>,
        offer: &Offer,
        wanted: u32,
        before: &[Hold],
    ) -> Result<Result<Vec<Hold>, Short>, Fault> {
        let mut dirty = false;
        let held = self.rounds(ask, offer, wanted, before, &mut dirty).await;
        if dirty && !matches!(held, Ok(Ok(_))) {
            self.undo_all(ask, offer, before).await?;
        }
        held
    }

    /// Plans and writes until it is done or certain. `dirty`: something may have been taken, though not all.
    async fn rounds(
        &self,
        ask: Ask<'_>,
        offer: &Offer,
        wanted: u32,
        before: &[Hold],
        dirty: &mut bool,
    ) -> Result<Result<Vec<Hold>, Short>, Fault> {
        let first = offer.locations.first().map(|place| Key::stock(ask.m, &offer.id, place, 0));
        let (more, vain) = first.as_ref().map(|key| self.hot.of(key)).unwrap_or_default();
        let presumed = presume(before, &offer.locations, more, ask.cart, ask.now);
        let mut presumed = presumed.filter(|_| !before.is_empty() || !vain);
        let (mut known, mut last, mut busy): (_, Option<Vec<Bin>>, usize) = (None, None, 0);
        for _ in 0..ROUNDS {
            let guessed = presumed.is_some();
            let bins = match presumed.take().or(known.take()) {
                Some(bins) => bins,
                None => self.read_bins(ask.m, offer).await?,
            };
            let steps = match plan(&bins, ask.cart, wanted, ask.now) {
                Plan::Steps(steps) => steps,
                Plan::Short { could } if is_certain(last.as_deref(), &bins) => {
                    return Ok(Err(Short { offer: offer.id.clone(), wanted, available: could }));
                }
                Plan::Short { .. } => {
                    last = Some(bins);
                    continue;
                }
                Plan::NoRoom => {
                    self.make_room(ask, offer, &bins).await;
                    return Err(Fault::Busy);
                }
            };
            last = None;
            // Until a walk has come to its end, what has become of its writes is not known.
            let clean = !std::mem::replace(dirty, true);
            match self.walk(ask, offer, &steps, busy > 1).await? {
                Walked::Done(held) => {
                    first.iter().for_each(|first| self.hot.presumes(first));
                    return Ok(Ok(held));
                }
                Walked::Refused(there) => {
                    *dirty = !clean || steps.len() > 1;
                    // The only item there is: that was a reading.
                    let whole = |bin: &Bin| offer.locations.len() == 1 && bin.number == 0 && bin.more == 0;
                    known = there.filter(whole).map(|bin| vec![bin]);
                }
                Walked::Busy if busy >= BUSY_MAX => return Err(Fault::Busy),
                Walked::Busy => busy = busy.saturating_add(1),
            }
            if let (true, Some(first)) = (guessed, &first) {
                self.hot.note(first.clone(), |(_, vain)| *vain = true);
            }
        }
        Err(Fault::Busy)
    }

    /// As [`undo`](Self::undo), of whatever the cart is found to hold.
    async fn undo_all(&self, ask: Ask<'_>, offer: &Offer, before: &[Hold]) -> Result<(), Fault> {
        let bins = self.read_bins(ask.m, offer).await?;
        let hold = |bin: &Bin| {
            let (offer, location, bin, quantity) =
                (offer.id.clone(), bin.location.clone(), bin.number, bin.own(ask.cart));
            Hold { offer, location, bin, quantity }
        };
        let held: Vec<Hold> = bins.iter().map(hold).filter(|hold| hold.quantity > 0).collect();
        self.undo(ask, &held, before).await;
        Ok(())
    }

    async fn read_bins(&self, m: &MarketplaceId, offer: &Offer) -> Result<Vec<Bin>, Fault> {
        let mut keys = keys_of(m, [offer]);
        // Those that are known to be there in the same call.
        for (place, first) in offer.locations.iter().zip(keys.clone()) {
            let (more, _) = self.hot.of(&first);
            keys.extend((1..=more).map(|bin| Key::stock(m, &offer.id, place, bin)));
        }
        let read = if keys.is_empty() { Loaded::default() } else { self.read(&keys).await? };
        Ok(self.whole_stock(m, read, [offer]).await?.bins(m, offer))
    }

    /// One write after the other, so that more is taken before anything is given back.
    async fn walk(
        &self,
        ask: Ask<'_>,
        offer: &Offer,
        steps: &[Step],
        in_the_way: bool,
    ) -> Result<Walked, Fault> {
        let mut held = Vec::new();
        for step in steps {
            match self.write_step(ask, &offer.id, step).await? {
                Written::Done(bin) => {
                    self.look_after(ask, &offer.id, bin, in_the_way).await;
                    let Step { location, bin, to: quantity, .. } = step.clone();
                    held.push(Hold { offer: offer.id.clone(), location, bin, quantity });
                }
                Written::Refused(there) => return Ok(Walked::Refused(there)),
                Written::Busy => return Ok(Walked::Busy),
            }
        }
        held.retain(|hold| hold.quantity > 0);
        Ok(Walked::Done(held))
    }

    /// What the one who wrote an item last does for those who come: if it fails, the next one does it.
    async fn look_after(&self, ask: Ask<'_>, offer: &OfferId, bin: Bin, in_the_way: bool) {
        if bin.more > 0 {
            self.hot.learns(Key::stock(ask.m, offer, &bin.location, 0), bin.more);
        }
        let bin = match bin.expired(Some(ask.cart), ask.now).len() {
            0..UNTIDY => bin,
            _ => match self.without_expired(ask.m, offer, bin.clone(), ask.now).await {
                Ok(bin) => bin,
                Err(_) => bin,
            },
        };
        if is_crowded(&bin, in_the_way, ask.now) {
            let _spread = self.spread(ask.m, offer, &bin).await;
        }
    }

    /// Every item of an offer is full of live holds.
    async fn make_room(&self, ask: Ask<'_>, offer: &Offer, bins: &[Bin]) {
        for first in bins.iter().filter(|bin| is_crowded(bin, true, ask.now)) {
            let _spread = self.spread(ask.m, &offer.id, first).await;
        }
    }

    /// An item with its expired holds taken away; as it is, if somebody else writes it.
    pub(super) async fn without_expired(
        &self,
        m: &MarketplaceId,
        offer: &OfferId,
        bin: Bin,
        now: Timestamp,
    ) -> Result<Bin, Fault> {
        let drops = bin.expired(None, now);
        if drops.is_empty() {
            return Ok(bin);
        }
        let mut update = Rewrite::default();
        update.drop(&drops, now);
        let key = Key::stock(m, offer, &bin.location, bin.number);
        match self.rewrite(&key, update).await? {
            Written::Done(bin) | Written::Refused(Some(bin)) => Ok(bin),
            Written::Refused(None) | Written::Busy => Ok(bin),
        }
    }

    async fn write_step(&self, ask: Ask<'_>, offer: &OfferId, step: &Step) -> Result<Written, Fault> {
        let key = Key::stock(ask.m, offer, &step.location, step.bin);
        self.rewrite(&key, Rewrite::of(step, ask)).await
    }

    async fn rewrite(&self, key: &Key, mut rewrite: Rewrite) -> Result<Written, Fault> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.name)
            .set_key(Some(key.item()))
            .update_expression(rewrite.expression())
            .condition_expression(rewrite.conditions.join(" AND "))
            .set_expression_attribute_names(Some(rewrite.names))
            .set_expression_attribute_values(Some(rewrite.values))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        match sent {
            Ok(answer) => match answer.attributes.as_ref().and_then(read) {
                Some(bin) => Ok(Written::Done(bin)),
                None => {
                    Err(Fault::Kind { want: super::KIND, found: "an item that does not read".to_owned() })
                }
            },
            Err(SdkError::ServiceError(error)) if error.err().is_conditional_check_failed_exception() => {
                let mut there = None;
                if let UpdateItemError::ConditionalCheckFailedException(refused) = error.into_err() {
                    there = refused.item.as_ref().and_then(read);
                }
                Ok(Written::Refused(there))
            }
            Err(error) => {
                let fault = Fault::call("write a hold", error);
                if matches!(fault, Fault::Busy) { Ok(Written::Busy) } else { Err(fault) }
            }
        }
    }
}

/// An update of a stock item, word by word.
#[derive(Debug, Default)]
struct Rewrite {
    names: HashMap<String, String>,
    values: HashMap<String, AttributeValue>,
    sets: Vec<String>,
    removes: Vec<String>,
    conditions: Vec<String>,
    /// By how much `available` changes.
    by: i64,
}

impl Rewrite {
    fn of(step: &Step, ask: Ask<'_>) -> Self {
        let mut update = Self::default();
        update.names.insert("#cart".to_owned(), ask.cart.to_string());
        update.drop(&step.drops, ask.now);
        let more = i64::from(step.to).saturating_sub(i64::from(step.from));
        let need = more.saturating_sub(update.by);
        update.by = need.saturating_neg();
        if step.from == 0 {
            update.conditions.push("attribute_not_exists(holds.#cart)".to_owned());
            if step.drops.is_empty() {
                update.conditions.push("size(holds) < :room".to_owned());
                update.values.insert(":room".to_owned(), number(HOLDS_MAX));
            }
        } else {
            update.names.insert("#quantity".to_owned(), "quantity".to_owned());
            update.conditions.push("holds.#cart.#quantity = :from".to_owned());
            update.values.insert(":from".to_owned(), number(step.from));
        }
        if more > 0 {
            update.conditions.push("available >= :need".to_owned());
            update.values.insert(":need".to_owned(), number(need));
        }
        if step.to == 0 {
            update.removes.push("holds.#cart".to_owned());
        } else {
            let hold = [("quantity", number(step.to)), ("until", number(ask.until.as_millisecond()))];
            let hold = hold.map(|(name, value)| (name.to_owned(), value)).into();
            update.sets.push("holds.#cart = :hold".to_owned());
            update.values.insert(":hold".to_owned(), AttributeValue::M(hold));
        }
        update
    }

    /// Takes expired holds away and gives their units back; they must be as they were seen.
    fn drop(&mut self, drops: &[(CartId, domain::stock::Held)], now: Timestamp) {
        if drops.is_empty() {
            return;
        }
        self.names.insert("#quantity".to_owned(), "quantity".to_owned());
        self.names.insert("#until".to_owned(), "until".to_owned());
        self.values.insert(":now".to_owned(), number(now.as_millisecond()));
        for (at, (cart, held)) in drops.iter().enumerate() {
            self.names.insert(format!("#x{at}"), cart.to_string());
            self.values.insert(format!(":x{at}"), number(held.quantity));
            self.removes.push(format!("holds.#x{at}"));
            self.conditions.push(format!("holds.#x{at}.#quantity = :x{at} AND holds.#x{at}.#until < :now"));
            self.by = self.by.saturating_add(i64::from(held.quantity));
        }
    }

    fn expression(&mut self) -> String {
        self.values.insert(":by".to_owned(), number(self.by));
        self.values.insert(":one".to_owned(), number(1));
        let clause = |word: &str, parts: &[String]| match parts {
            [] => String::new(),
            parts => format!("{word} {} ", parts.join(", ")),
        };
        let (sets, removes) = (clause("SET", &self.sets), clause("REMOVE", &self.removes));
        format!("{sets}{removes}ADD available :by, revision :one")
    }
}

#[cfg(test)]
mod tests;
