//! What people do in a marketplace, as a seed says: a history of rounds, in each of which they act side by side.

use fastrand::Rng;
use std::fmt;

/// Offers that shoppers choose from.
pub(super) const OFFERS: usize = 4;

/// What a card does at the sandbox: most are good, and of the others the truth comes out one way or the other.
const CARDS: [&str; 14] = [
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_approved",
    "tok_timeout_approved",
    "tok_timeout_lost",
    "tok_timeout_declined",
    "tok_declined_insufficient_funds",
    "tok_action",
    "tok_capture_timeout",
    "tok_capture_lost",
    "tok_void_timeout",
    "tok_refund_timeout",
];

/// What one of them does. `pick` chooses among what there is by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A guest fills a cart, and pays it or leaves it.
    Buy { shopper: u32, lines: Vec<(usize, u32)>, card: &'static str, code: bool, leaves: bool },
    /// The customer of a card that wanted a confirmation comes back.
    Confirm { pick: u32 },
    /// The bank tells that the money has come, whoever waits for it.
    Arrives { pick: u32 },
    /// A merchant packs what is left of a part, or one unit of it.
    Ship { pick: u32, all: bool },
    /// A merchant cannot deliver a unit.
    Reject { pick: u32 },
    /// A carrier tells that a parcel has arrived, or is lost.
    Track { pick: u32, lost: bool },
    /// An operator cancels what is not shipped.
    Cancel { pick: u32 },
    /// An operator pays a delivered unit back.
    Refund { pick: u32 },
    /// Goods arrive at a merchant's.
    Receive { offer: usize, units: u32 },
    /// A merchant tries what is another's.
    Spy { pick: u32 },
    /// A queue delivers a message of the past once more.
    Again { pick: u32 },
}

/// What happens side by side, from so many milliseconds on, and how long it is quiet after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Round {
    pub acts: Vec<(u32, Act)>,
    pub minutes: i64,
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, act) in &self.acts {
            writeln!(f, "  {at:>5} ms  {act:?}")?;
        }
        write!(f, "  then {} min", self.minutes)
    }
}

/// The history of a seed; a round has three acts or more, and fewer than `most`.
pub(super) fn history(seed: u64, rounds: usize, most: usize) -> Vec<Round> {
    let mut dice = Rng::with_seed(seed);
    let mut shopper = 0;
    (0..rounds).map(|_| round(&mut dice, &mut shopper, most)).collect()
}

fn round(dice: &mut Rng, shopper: &mut u32, most: usize) -> Round {
    let count = dice.usize(3..most.max(4));
    let acts = (0..count).map(|_| (dice.u32(0..1_500), act(dice, shopper))).collect();
    let waits = [0, 0, 1, 6, 16, 45, 180, 1_440];
    Round { acts, minutes: dice.choice(waits).unwrap_or_default() }
}

fn act(dice: &mut Rng, shopper: &mut u32) -> Act {
    let pick = dice.u32(..);
    match dice.u32(0..20) {
        0..7 => {
            *shopper = shopper.saturating_add(1);
            // An offer stands once in a cart.
            let mut offers: Vec<usize> = (0..OFFERS).collect();
            dice.shuffle(&mut offers);
            offers.truncate(dice.usize(1..=3));
            let lines = offers.into_iter().map(|offer| (offer, dice.u32(1..=2))).collect();
            let card = dice.choice(CARDS).unwrap_or("tok_approved");
            let (code, leaves) = (dice.u32(0..4) == 0, dice.u32(0..8) == 0);
            Act::Buy { shopper: *shopper, lines, card, code, leaves }
        }
        7 => Act::Confirm { pick },
        8 => Act::Arrives { pick },
        9..12 => Act::Ship { pick, all: dice.bool() },
        12 => Act::Reject { pick },
        13..15 => Act::Track { pick, lost: dice.u32(0..6) == 0 },
        15 => Act::Cancel { pick },
        16 => Act::Refund { pick },
        17 => Act::Receive { offer: dice.usize(0..OFFERS), units: dice.u32(1..4) },
        18 => Act::Spy { pick },
        _ => Act::Again { pick },
    }
}
