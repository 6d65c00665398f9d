//! What people do in a marketplace, as a seed says: a history of rounds, in each of which they act side by side.

use super::stage::{GIFT, MERCHANTS, SCARCE, TEN};
use fastrand::Rng;
use std::fmt;

/// Offers that shoppers choose from.
pub(super) const OFFERS: usize = 4;
/// The offer that shoppers want more of than there is.
const SCANT: usize = 0;
/// One that there is enough of.
const PLENTY: usize = OFFERS - 1;
/// Customers with accounts.
pub(super) const CUSTOMERS: usize = 2;

/// What a card does at the sandbox: most are good, and of the others the truth comes out one way or the other.
const CARDS: [&str; 24] = [
    "tok_approved",
    "tok_approved",
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
    "tok_unknown",
    "tok_capture_unknown",
    "tok_capture_fault",
    "tok_refund_lost",
    "tok_refund_declined",
    "tok_hours_30",
    "tok_paid",
    TRANSFER,
];

/// What money comes by that is only promised at first.
pub(super) const TRANSFER: &str = "tok_transfer";

/// What a cart is in: most in the marketplace's currency.
const CURRENCIES: [&str; 4] = ["EUR", "EUR", "EUR", "USD"];

/// What a card does at renewals.
const KEPT_CARDS: [&str; 5] = [
    "tok_approved",
    "tok_away_fails_1_insufficient_funds",
    "tok_away_fails_9_insufficient_funds",
    "tok_away_declined_stolen_card",
    "tok_timeout_approved",
];

/// What a second tab of a shopper's does while the first one pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    Closed,
    Pays,
    Edits,
}

/// What becomes of a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    More,
    Pause,
    Resume,
    Cancel,
    OtherCard(&'static str),
    Pay,
}

/// What a merchant does with the endpoint of its system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ear {
    Pause,
    Resume,
    Rotate,
    Remove,
    Replay,
}

/// A cart that somebody fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purchase {
    pub shopper: u32,
    /// The customer whose it is; who has none is a guest.
    pub account: Option<usize>,
    pub lines: Vec<(usize, u32)>,
    pub currency: &'static str,
    /// Pays what store credit and a voucher leave; another one pays where it is declined.
    pub card: &'static str,
    pub voucher: bool,
    pub codes: &'static [&'static str],
    pub leaves: bool,
    pub tab: Tab,
}

/// What one of them does. `pick` chooses among what there is by then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A cart is filled, and paid or left.
    Buy(Purchase),
    /// The customer of a card that wanted a confirmation comes back.
    Confirm { pick: u32 },
    /// The gateway tells something of a payment, whoever asks or waits, perhaps twice at once.
    Told { pick: u32, said: &'static str, twice: bool },
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
    /// An operator gives some of a payment back by hand, for a cause of so many.
    GiveBack { pick: u32, cause: u32 },
    /// An operator goes on without an answer that nobody has.
    GiveUp { pick: u32 },
    /// The gateway tells something of any call of an order's payment.
    Notice { pick: u32, said: &'static str },
    /// An operator sends back what fits nothing, and makes credit of what a card does not take back.
    Settle { pick: u32 },
    /// An operator sets what currencies are worth today.
    Exchange { cents: u32 },
    /// The bank tells what became of a payout.
    Bank { pick: u32, pays: bool },
    /// A customer with an account subscribes.
    Subscribe { customer: usize, card: &'static str },
    /// A customer changes a subscription.
    Change { pick: u32, wish: Wish },
    /// A customer keeps a thing for later, perhaps in two tabs.
    Keep { customer: usize, offer: usize, twice: bool },
    /// A customer wants to know when something can be had again.
    Wait { customer: usize, offer: usize },
    /// A merchant's system hears of its events, or no more.
    Listen { merchant: usize, ear: Ear },
    /// In another marketplace of the same table an order is taken on the phone.
    Elsewhere { number: u32 },
    /// Somebody of that other marketplace tries what is this one's.
    Stranger { pick: u32 },
    /// Goods arrive at a merchant's.
    Receive { offer: usize, units: u32 },
    /// A merchant tries what is another's.
    Spy { pick: u32 },
    /// A queue delivers a message of the past once more.
    Again { pick: u32 },
}

/// What gateways tell of calls that they were asked for.
const NOTICES: [&str; 4] = ["confirm", "confirm", "arrive", "decline"];

/// What gateways tell by themselves.
const SAID: [&str; 6] = ["arrive", "arrive", "confirm", "confirm", "decline", "lapse"];

/// People act within so many milliseconds: at once, within some minutes, within an hour, in a day and a night.
const WITHIN: [u32; 7] = [1_500, 1_500, 1_500, 1_500, 700_000, 3_600_000, 72_000_000];

/// What happens side by side, from so many milliseconds on, and how long nobody acts after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Round {
    pub acts: Vec<(u32, Act)>,
    /// Whether it begins when schedules run.
    pub on_the_dot: bool,
    pub minutes: i64,
}

impl fmt::Debug for Round {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, act) in &self.acts {
            writeln!(f, "  {at:>5} ms  {act:?}")?;
        }
        let dot = if self.on_the_dot { "on the dot, " } else { "" };
        write!(f, "  {dot}then {} min", self.minutes)
    }
}

/// The history of a seed; a round has three acts or more, and fewer than `most`.
pub(super) fn history(seed: u64, rounds: usize, most: usize) -> Vec<Round> {
    let mut dice = Rng::with_seed(seed);
    let mut shopper = 0;
    // Some marketplaces have hundreds of orders: lists have pages, payouts many entries, queues full batches.
    let busy = seed % 4 == 3;
    (0..rounds).map(|number| round(&mut dice, &mut shopper, (number == 0, busy), most)).collect()
}

fn round(dice: &mut Rng, shopper: &mut u32, (first, busy): (bool, bool), most: usize) -> Round {
    let busy = busy && dice.u32(0..3) > 0;
    let acts = match dice.bool() {
        _ if first => opening(dice, shopper, most),
        _ if busy => trade(dice, shopper, most),
        true if dice.u32(0..3) == 0 => sale(dice, shopper),
        true => rush(dice),
        false => day(dice, shopper, most),
    };
    let waits = [0, 0, 1, 6, 16, 45, 180, 1_440, 4 * 1_440];
    let (minutes, on_the_dot) = (dice.choice(waits).unwrap_or_default(), dice.u32(0..4) == 0);
    Round { acts, on_the_dot, minutes }
}

/// At first people buy, so that there is something to act on.
fn opening(dice: &mut Rng, shopper: &mut u32, most: usize) -> Vec<(u32, Act)> {
    let count = dice.usize(2..5);
    let first: Vec<_> = (0..count).map(|_| (dice.u32(0..300), buy(dice, shopper))).collect();
    first.into_iter().chain(day(dice, shopper, most)).collect()
}

/// People act whenever they like, on whatever they like.
fn day(dice: &mut Rng, shopper: &mut u32, most: usize) -> Vec<(u32, Act)> {
    let (count, within) = (dice.usize(3..most.max(4)), dice.choice(WITHIN).unwrap_or(1_500));
    (0..count).map(|_| (dice.u32(0..within), act(dice, shopper))).collect()
}

/// Most people buy, of what there is enough, and merchants keep up with them.
fn trade(dice: &mut Rng, shopper: &mut u32, most: usize) -> Vec<(u32, Act)> {
    let (count, within) = (most.saturating_mul(2), dice.choice(WITHIN).unwrap_or(1_500));
    let mut deal = |dice: &mut Rng| match dice.u32(0..16) {
        0..12 => {
            let mut act = buy(dice, shopper);
            if let Act::Buy(purchase) = &mut act {
                purchase.lines.retain(|(offer, _)| *offer != SCANT);
                if purchase.lines.is_empty() {
                    purchase.lines.push((PLENTY, 1));
                }
            }
            act
        }
        12 => Act::Ship { pick: dice.u32(..), all: true },
        13 => Act::Track { pick: dice.u32(..), lost: false },
        14 => Act::Receive { offer: dice.usize(1..OFFERS), units: 20 },
        _ => act(dice, shopper),
    };
    (0..count).map(|_| (dice.u32(0..within), deal(dice))).collect()
}

/// People meet in the shop: all of them want the code that only few can have.
fn sale(dice: &mut Rng, shopper: &mut u32) -> Vec<(u32, Act)> {
    let (count, wanted) = (dice.usize(4..9), if dice.bool() { SCARCE } else { GIFT });
    (0..count)
        .map(|_| {
            let mut act = buy(dice, shopper);
            if let Act::Buy(purchase) = &mut act {
                purchase.lines.truncate(1);
                (purchase.codes, purchase.leaves) = (wanted, false);
            }
            (0, act)
        })
        .collect()
}

/// People meet: they do something to the same thing, most of them in the same moment.
fn rush(dice: &mut Rng) -> Vec<(u32, Act)> {
    let (count, pick) = (dice.usize(2..7), dice.u32(..));
    (0..count)
        .map(|_| {
            let at = if dice.u32(0..3) == 0 { dice.u32(0..200) } else { 0 };
            (at, meeting(dice, pick))
        })
        .collect()
}

fn meeting(dice: &mut Rng, pick: u32) -> Act {
    match dice.u32(0..33) {
        0..4 => Act::Ship { pick, all: true },
        4..7 => Act::Ship { pick, all: false },
        7..10 => Act::Cancel { pick },
        10..12 => Act::Reject { pick },
        12..15 => Act::Refund { pick },
        15..18 => Act::Track { pick, lost: dice.u32(0..4) == 0 },
        18 => Act::GiveBack { pick, cause: dice.u32(0..2) },
        19 => told(dice, pick),
        20 => Act::Confirm { pick },
        21 => Act::Bank { pick, pays: dice.bool() },
        22 => Act::Change { pick, wish: wish(dice) },
        23..26 => Act::Receive { offer: dice.usize(0..OFFERS), units: dice.u32(1..4) },
        26 => Act::Keep { customer: dice.usize(0..CUSTOMERS), offer: 0, twice: true },
        27..29 => Act::Wait { customer: dice.usize(0..CUSTOMERS), offer: 0 },
        29 => Act::Listen { merchant: 0, ear: ear(dice) },
        30 => notice(dice, pick),
        31 => Act::Settle { pick },
        _ => Act::Again { pick: dice.u32(..) },
    }
}

fn told(dice: &mut Rng, pick: u32) -> Act {
    Act::Told { pick, said: dice.choice(SAID).unwrap_or("arrive"), twice: dice.bool() }
}

fn notice(dice: &mut Rng, pick: u32) -> Act {
    Act::Notice { pick, said: dice.choice(NOTICES).unwrap_or("confirm") }
}

fn ear(dice: &mut Rng) -> Ear {
    dice.choice([Ear::Pause, Ear::Resume, Ear::Rotate, Ear::Remove, Ear::Replay]).unwrap_or(Ear::Resume)
}

fn wish(dice: &mut Rng) -> Wish {
    match dice.u32(0..7) {
        0 => Wish::More,
        1 => Wish::Pause,
        2 => Wish::Resume,
        3 => Wish::Cancel,
        4 => Wish::Pay,
        _ => Wish::OtherCard(dice.choice(KEPT_CARDS).unwrap_or("tok_approved")),
    }
}

fn buy(dice: &mut Rng, shopper: &mut u32) -> Act {
    *shopper = shopper.saturating_add(1);
    // An offer stands once in a cart.
    let mut offers: Vec<usize> = (0..OFFERS).collect();
    dice.shuffle(&mut offers);
    offers.truncate(dice.usize(1..=3));
    let lines = offers.into_iter().map(|offer| (offer, dice.u32(1..=2))).collect();
    let currency = dice.choice(CURRENCIES).unwrap_or("EUR");
    let card = dice.choice(CARDS).unwrap_or("tok_approved");
    let codes = match dice.u32(0..24) {
        0..6 => TEN,
        6 => GIFT,
        _ => &[],
    };
    let leaves = dice.u32(0..8) == 0;
    let tab = match dice.u32(0..6) {
        0 => Tab::Pays,
        1 => Tab::Edits,
        _ => Tab::Closed,
    };
    let account = (dice.u32(0..3) == 0).then(|| dice.usize(0..CUSTOMERS));
    let (shopper, voucher) = (*shopper, dice.u32(0..6) == 0);
    Act::Buy(Purchase { shopper, account, lines, currency, card, voucher, codes, leaves, tab })
}

fn act(dice: &mut Rng, shopper: &mut u32) -> Act {
    let pick = dice.u32(..);
    match dice.u32(0..37) {
        0..9 => buy(dice, shopper),
        9 => Act::Confirm { pick },
        10 => told(dice, pick),
        11..14 => Act::Ship { pick, all: dice.bool() },
        14 => Act::Reject { pick },
        15..17 => Act::Track { pick, lost: dice.u32(0..6) == 0 },
        17 => Act::Cancel { pick },
        18 => Act::Refund { pick },
        19 => Act::Receive { offer: dice.usize(0..OFFERS), units: dice.u32(1..4) },
        20 => Act::Spy { pick },
        21 => Act::GiveBack { pick, cause: dice.u32(0..2) },
        22 => Act::GiveUp { pick },
        23 => Act::Bank { pick, pays: dice.bool() },
        24 => Act::Subscribe {
            customer: dice.usize(0..CUSTOMERS),
            card: dice.choice(KEPT_CARDS).unwrap_or("tok_approved"),
        },
        25 => Act::Change { pick, wish: wish(dice) },
        26 => Act::Elsewhere { number: dice.u32(0..3) },
        27 => Act::Stranger { pick },
        28 => {
            Act::Keep { customer: dice.usize(0..CUSTOMERS), offer: dice.usize(0..OFFERS), twice: dice.bool() }
        }
        29 => Act::Wait { customer: dice.usize(0..CUSTOMERS), offer: dice.usize(0..2) },
        30 => Act::Listen { merchant: dice.usize(0..MERCHANTS.len()), ear: ear(dice) },
        31 => Act::Exchange { cents: dice.u32(0..10) },
        32..34 => notice(dice, pick),
        34 => Act::Settle { pick },
        _ => Act::Again { pick },
    }
}
