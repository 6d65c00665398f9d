//! Holds: how a cart gets its units off the shelf for a while, or hears for certain that they are not there.
//!
//! | | |
//! |---|---|
//! | 1 | presume: where the cart's hold lies, or the only place where it can; the write itself finds out |
//! | 2 | read every bin of the offer, if that was wrong |
//! | 3 | plan: the writes that bring what is held to what is wanted, each good for one stock item by itself |
//! | 4 | judge: too little is an answer only where two successive readings are the same; else read again |
//!
//! Invariants: a hold of a cart is a target, so the same again changes nothing but its end; more is taken before
//! anything is given back; no more expired holds are dropped than the units need. Absent on purpose: a sweeper.

use super::bin::{self, Bin, Held};
use crate::id::{CartId, OfferId, derive};
use crate::text::Location;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// A stock item keeps no more holds than this: it is written whole, and paid for by size, with each of them.
pub const HOLDS_MAX: usize = 100;

/// Units of an offer that a cart holds in one bin.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    pub offer: OfferId,
    pub location: Location,
    #[serde(default, skip_serializing_if = "bin::is_first")]
    pub bin: u8,
    pub quantity: u32,
}

/// An offer of which a cart cannot have what it wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Short {
    pub offer: OfferId,
    pub wanted: u32,
    /// What it could have.
    pub available: u32,
}

/// A change of what a cart holds in one bin: one write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    pub location: Location,
    pub bin: u8,
    pub from: u32,
    pub to: u32,
    /// Expired holds of others whose units are taken.
    pub drops: Vec<(CartId, Held)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    Steps(Vec<Step>),
    Short {
        could: u32,
    },
    /// The units are there, but no item with room for one more hold.
    NoRoom,
}

/// What the planner sees of one bin.
struct Seen<'a> {
    bin: &'a Bin,
    own: u32,
    /// What the cart could hold here, its own included.
    could: u32,
    room: bool,
}

fn see<'a>(bin: &'a Bin, cart: &CartId, now: Timestamp) -> Seen<'a> {
    let own = bin.own(cart);
    let free = u32::try_from(bin.free(Some(cart), now).max(0)).unwrap_or(u32::MAX);
    let room = own > 0 || bin.holds.len() < HOLDS_MAX || !bin.expired(Some(cart), now).is_empty();
    Seen { bin, own, could: own.saturating_add(free), room }
}

fn sum<'a>(seen: impl Iterator<Item = &'a Seen<'a>>, of: fn(&Seen<'_>) -> u32) -> u32 {
    seen.fold(0, |sum, one| sum.saturating_add(of(one)))
}

/// The writes that make a cart hold `wanted` units, from a reading of all bins of an offer.
pub fn plan(bins: &[Bin], cart: &CartId, wanted: u32, now: Timestamp) -> Plan {
    let seen: Vec<Seen<'_>> = bins.iter().map(|bin| see(bin, cart, now)).collect();
    if sum(seen.iter(), |one| one.own) == wanted {
        let kept = seen.iter().filter(|one| one.own > 0).map(|one| step(one, one.own, cart, now));
        return Plan::Steps(kept.collect());
    }
    let could = sum(seen.iter(), |one| one.could);
    if could < wanted {
        return Plan::Short { could };
    }
    if sum(seen.iter().filter(|one| one.room), |one| one.could) < wanted {
        return Plan::NoRoom;
    }
    let targets = choose(&seen, cart, wanted);
    let changed = seen.iter().zip(targets).filter(|(one, to)| one.own > 0 || *to > 0);
    let mut steps: Vec<Step> = changed.map(|(one, to)| step(one, to, cart, now)).collect();
    steps.sort_by_key(|step| step.to < step.from);
    Plan::Steps(steps)
}

fn step(seen: &Seen<'_>, to: u32, cart: &CartId, now: Timestamp) -> Step {
    let (bin, from) = (seen.bin, seen.own);
    let mut there = bin.levels.available;
    let mut full = from == 0 && bin.holds.len() >= HOLDS_MAX;
    let mut drops = Vec::new();
    for (of, held) in bin.expired(Some(cart), now) {
        if there >= i64::from(to.saturating_sub(from)) && !full {
            break;
        }
        there = there.saturating_add(i64::from(held.quantity));
        full = false;
        drops.push((of, held));
    }
    if to <= from {
        drops.clear();
    }
    Step { location: bin.location.clone(), bin: bin.number, from, to, drops }
}

/// How much to hold in which bin: all at one location where one has all (where the cart holds some, else the fullest),
/// and there all in one bin where one has all: where the cart holds some, else the one that its name falls on, so that
/// carts which come together do not meet.
fn choose(seen: &[Seen<'_>], cart: &CartId, wanted: u32) -> Vec<u32> {
    let mut locations: BTreeMap<&Location, (u32, u32)> = BTreeMap::new();
    for one in seen.iter().filter(|one| one.room) {
        let (could, own) = locations.entry(&one.bin.location).or_default();
        *could = could.saturating_add(one.could);
        *own = own.saturating_add(one.own);
    }
    let mut order: Vec<_> = locations.into_iter().collect();
    order.sort_by_key(|(name, (could, own))| {
        (Reverse(*could >= wanted), Reverse(*own), Reverse(*could), name.as_str())
    });
    let mut targets = vec![0; seen.len()];
    let mut left = wanted;
    for (location, _) in order {
        let here = seen.iter().enumerate().filter(|(_, one)| one.room && one.bin.location == *location);
        let mut here: Vec<(usize, &Seen<'_>)> = here.collect();
        let enough: Vec<_> = here.iter().filter(|(_, one)| one.could >= left).copied().collect();
        let own = enough.iter().copied().find(|(_, one)| one.own > 0);
        if let Some(bin) = own.or_else(|| enough.get(turn(cart, enough.len())).copied()) {
            here = vec![bin];
        }
        here.sort_by_key(|(_, one)| (Reverse(one.own), Reverse(one.could), one.bin.number));
        for (at, one) in here {
            let part = one.could.min(left);
            left = left.saturating_sub(part);
            if let Some(target) = targets.get_mut(at) {
                *target = part;
            }
        }
    }
    targets
}

/// Which of so many a cart's name falls on.
pub fn turn(cart: &CartId, of: usize) -> usize {
    let of = u128::try_from(of).unwrap_or(u128::MAX).max(1);
    usize::try_from(derive(&["bin", cart.as_str()]) % of).unwrap_or_default()
}

/// What may be taken for true before anything is read: what the cart held last lies there still; else that the only
/// place has enough. None where nothing can be presumed.
pub fn presume(
    held: &[Hold],
    locations: &[Location],
    more: u8,
    cart: &CartId,
    now: Timestamp,
) -> Option<Vec<Bin>> {
    let plenty = |location: &Location, number| {
        let mut bin = Bin::empty(location.clone(), number);
        bin.levels.available = i64::from(u32::MAX);
        bin
    };
    if held.is_empty() {
        let [only] = locations else { return None };
        let number = turn(cart, usize::from(more).saturating_add(1));
        return Some(vec![plenty(only, u8::try_from(number).unwrap_or_default())]);
    }
    let bin = |hold: &Hold| {
        let mut bin = plenty(&hold.location, hold.bin);
        bin.holds.insert(cart.clone(), Held { quantity: hold.quantity, until: now });
        bin
    };
    Some(held.iter().map(bin).collect())
}

/// Whether a reading says what was there at one moment: it is of one item, or the one before it was the same, so that
/// nothing has moved from a bin already read to one that was not.
pub fn is_certain(before: Option<&[Bin]>, now: &[Bin]) -> bool {
    fn revisions(bins: &[Bin]) -> Vec<(&Location, u8, u64)> {
        bins.iter().map(|bin| (&bin.location, bin.number, bin.revision)).collect()
    }
    now.len() <= 1 || before.is_some_and(|before| revisions(before) == revisions(now))
}

#[cfg(test)]
mod tests;
