//! Reminders of carts that were left: when one is written, when none is, and what came of it.
//!
//! A cart is left once its shopper can be written to, has agreed to that, and has not touched it for the first step's
//! delay. What follows is a sequence, a step at a time. It is the person's ([`FollowUp`]): only the [`Newest`] cart is
//! ever looked at, so whoever opens another is followed there and not here. [`look`] is the whole decision.
//!
//! Invariants: a step is written once; nothing is written to whoever has ordered, emptied the cart, or takes the
//! consent back (A16(1), A16(2)); nobody gets more than the cap. Who is held out gets nothing, and is counted all the
//! same, so that what reminders bring is a difference and not a guess.

use crate::cart::Cart;
use crate::checkout::Stage as CartStage;
use crate::id::{CartId, CustomerId, FollowUpId, MarketplaceId, OrderId, derive};
use crate::message::digest_of;
use crate::period::Zone;
use crate::pricing::Benefit;
use crate::text::{Email, Sha256, Word};
use jiff::civil::Time;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Steps of a sequence.
pub const STEPS_MAX: usize = 6;
/// The longest that a step may wait: a cart is forgotten after thirty days.
pub const DELAY_MAX: SignedDuration = SignedDuration::from_hours(28 * 24);
/// The most reminders to one person, …
pub const MESSAGES_MAX: u8 = 30;
/// … and the most days that they are counted over.
pub const MESSAGE_DAYS_MAX: u16 = 365;
/// The most days within which an order counts as recovered.
pub const ATTRIBUTED_DAYS_MAX: u16 = 60;
/// The most hours that the code of a reminder is good for.
pub const VALID_HOURS_MAX: u16 = 720;
/// A cart whose payment is on its way is looked at again after this, then after twice as long, and so on.
const LOCKED: SignedDuration = SignedDuration::from_hours(1);
/// Reminders of before that are kept of a person: more than any cap counts.
const KEPT: usize = 30;

/// How a marketplace reminds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// By their delays, rising; none: nobody is reminded.
    pub steps: Vec<Step>,
    /// Of a hundred left carts so many get no reminder.
    pub hold_out_percent: u8,
    /// When nobody is written to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Quiet>,
    /// Whose clock counts where the shopper's is not known.
    pub zone: Zone,
    pub cap: Cap,
    /// An order within so many days after the first step counts as recovered.
    pub attributed_days: u16,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Minutes since the last edit.
    pub after: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incentive: Option<Incentive>,
}

/// A code for this one cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incentive {
    pub benefit: Benefit,
    pub valid_hours: u16,
}

/// By the clock on the recipient's wall; `until` may be before `from`: then it is over night.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quiet {
    pub from: Time,
    pub until: Time,
}

/// So many reminders of all carts of a person in so many days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cap {
    pub messages: u8,
    pub days: u16,
}

/// Why nobody can remind so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPolicy {
    #[error("{0} steps: want at most {STEPS_MAX}")]
    Steps(usize),
    #[error("step {at} comes after {after} minutes: want more than the step before, at most 28 days")]
    Delay { at: usize, after: u32 },
    #[error("step {at}: {why}")]
    Incentive { at: usize, why: &'static str },
    #[error("{0} percent are held out: want 0 to 100")]
    HoldOut(u8),
    #[error("quiet from {0} until {0} is the whole day")]
    Quiet(Time),
    #[error("{messages} reminders in {days} days: want 1 to 30 in 1 to 365 days")]
    Cap { messages: u8, days: u16 },
    #[error("{0} days after it an order still counts: want 1 to 60")]
    Attributed(u16),
}

impl Policy {
    /// What a marketplace begins with: after an hour, a day and three days, the last with 5 percent off for three days;
    /// quiet from nine in the evening to eight in the morning; four reminders a week; a week for an order to count.
    pub fn first() -> Self {
        let step = |hours: u32| Step { after: hours.saturating_mul(60), incentive: None };
        let incentive = Incentive { benefit: Benefit::Percent(Decimal::from(5)), valid_hours: 72 };
        Self {
            steps: vec![step(1), step(24), Step { incentive: Some(incentive), ..step(72) }],
            hold_out_percent: 0,
            quiet: Some(Quiet { from: Time::constant(21, 0, 0, 0), until: Time::constant(8, 0, 0, 0) }),
            zone: Zone::utc(),
            cap: Cap { messages: 4, days: 7 },
            attributed_days: 7,
        }
    }

    /// A policy that may be kept.
    pub fn check(&self) -> Result<(), BadPolicy> {
        if self.steps.len() > STEPS_MAX {
            return Err(BadPolicy::Steps(self.steps.len()));
        }
        let mut before = 0;
        for (at, step) in self.steps.iter().enumerate() {
            if step.after <= before || step.delay() > DELAY_MAX {
                return Err(BadPolicy::Delay { at, after: step.after });
            }
            before = step.after;
            if let Some(why) = step.incentive.as_ref().and_then(Incentive::wrong) {
                return Err(BadPolicy::Incentive { at, why });
            }
        }
        if self.hold_out_percent > 100 {
            return Err(BadPolicy::HoldOut(self.hold_out_percent));
        }
        if let Some(quiet) = self.quiet.filter(|quiet| quiet.from == quiet.until) {
            return Err(BadPolicy::Quiet(quiet.from));
        }
        let Cap { messages, days } = self.cap;
        if !(1..=MESSAGES_MAX).contains(&messages) || !(1..=MESSAGE_DAYS_MAX).contains(&days) {
            return Err(BadPolicy::Cap { messages, days });
        }
        if !(1..=ATTRIBUTED_DAYS_MAX).contains(&self.attributed_days) {
            return Err(BadPolicy::Attributed(self.attributed_days));
        }
        Ok(())
    }

    /// When a cart that is edited at `now` is looked at first; never, where nobody is reminded.
    pub fn first_look(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.steps.first()?.delay()).ok()
    }

    /// Up to when an order counts as recovered.
    pub fn attributed_until(&self, began: Timestamp) -> Timestamp {
        let days = SignedDuration::from_hours(i64::from(self.attributed_days).saturating_mul(24));
        began.saturating_add(days).unwrap_or(Timestamp::MAX)
    }

    /// The end of the quiet hours that `now` falls into.
    fn quiet_until(&self, now: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let Quiet { from, until } = self.quiet?;
        let wall = zone.wall(now);
        let time = wall.time();
        let within = if from < until { from <= time && time < until } else { from <= time || time < until };
        let today = wall.date();
        let day = if time < until { today } else { today.tomorrow().ok()? };
        // An end that the clock leaps over comes as much later as it leaps.
        zone.moment(day.to_datetime(until)).ok().filter(|_| within)
    }
}

impl Step {
    fn delay(&self) -> SignedDuration {
        SignedDuration::from_mins(i64::from(self.after))
    }
}

impl Incentive {
    fn wrong(&self) -> Option<&'static str> {
        let holds = match &self.benefit {
            Benefit::Percent(percent) => *percent > Decimal::ZERO && *percent <= Decimal::ONE_HUNDRED,
            Benefit::Amount(amount) => amount.minor > 0,
            Benefit::FreeDelivery => true,
        };
        if !holds {
            return Some("it takes nothing off, or more than everything");
        }
        (!(1..=VALID_HOURS_MAX).contains(&self.valid_hours)).then_some("its code is good for 1 to 720 hours")
    }
}

impl FollowUpId {
    /// Of whoever reads this mailbox.
    pub fn of(m: &MarketplaceId, email: &Email) -> Self {
        let mailbox = digest_of(email).map(|digest| digest.to_string()).unwrap_or_default();
        Self::from_bits(derive(&["follow-up", m.as_str(), &mailbox]))
    }
}

/// A person whose carts are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUp {
    pub id: FollowUpId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The cart that is followed now: the newest that was left.
    pub cart: CartId,
    pub arm: Arm,
    pub began_at: Timestamp,
    /// Steps of this cart that were written, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Written>,
    pub stage: Stage,
    /// When reminders of carts before this one were written, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Timestamp>,
}

/// A reminder that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub at: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Word>,
}

/// Who gets reminders and who does not, by chance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderArm"))]
pub enum Arm {
    Reminded,
    HeldOut,
}

impl Arm {
    /// Follows from the cart, so that every look comes to the same.
    fn of(cart: &CartId, hold_out_percent: u8) -> Self {
        let drawn = derive(&["hold-out", cart.as_str()]) % 100;
        if drawn < u128::from(hold_out_percent) { Self::HeldOut } else { Self::Reminded }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Reminded => "reminded",
            Self::HeldOut => "held_out",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Open,
    Stopped { why: Stop, since: Timestamp },
    Recovered { order: OrderId, since: Timestamp },
}

/// Why nothing more is written of a cart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderStop"))]
pub enum Stop {
    /// It has become an order.
    Ordered,
    /// Nothing is in it any more.
    Empty,
    /// No consent, or it was taken back, or the mailbox does not want or take our messages.
    NotWanted,
}

/// The newest cart that a person can be written to about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Newest {
    pub follow_up: FollowUpId,
    pub cart: CartId,
    /// Whose account has a say in whether it is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The digest of the mailbox, for whoever asks whether it is to be left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mailbox: Option<Sha256>,
    pub at: Timestamp,
}

impl Newest {
    /// Of a cart that is followed; none where there is nobody to follow.
    pub fn of(cart: &Cart, now: Timestamp) -> Option<Self> {
        let email = cart.contact.as_ref().and_then(|contact| contact.email.as_ref());
        Some(Self {
            follow_up: cart.follow_up.clone()?,
            cart: cart.id.clone(),
            customer: cart.customer.clone(),
            mailbox: email.and_then(digest_of),
            at: now,
        })
    }
}

/// What a look at a cart comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Nothing is to be done, now or later.
    Over,
    /// Look again then.
    Later(Timestamp),
    /// What is kept of an open sequence changes, and nothing is written.
    Ends(FollowUp),
    Write(Box<Write>),
}

/// A reminder to be written, or the beginning of a sequence that is held out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// As it is afterwards, without the code.
    pub next: FollowUp,
    /// None for who is held out.
    pub step: Option<usize>,
    pub incentive: Option<Incentive>,
    /// When the step after it falls due.
    pub then: Option<Timestamp>,
}

/// What is known when a cart is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub cart: &'a Cart,
    pub held: Option<&'a FollowUp>,
    /// Whether the person may be written to at this moment.
    pub wanted: bool,
}

/// What is to be done about a cart that was left. Asking twice does nothing twice: steps are counted.
pub fn look(policy: &Policy, seen: Seen<'_>, now: Timestamp) -> Look {
    let Seen { cart, held, wanted } = seen;
    let Some(id) = cart.follow_up.clone().filter(|_| cart.renews.is_none()) else { return Look::Over };
    let own = held.filter(|held| held.cart == cart.id);
    let stop = |why: Stop| match own {
        Some(own) if own.stage == Stage::Open => {
            Look::Ends(FollowUp { stage: Stage::Stopped { why, since: now }, ..own.clone() })
        }
        Some(_) | None => Look::Over,
    };
    match &cart.stage {
        CartStage::Completed { .. } => return stop(Stop::Ordered),
        CartStage::Locked { since } => return Look::Later(twice_as_long(*since, now)),
        CartStage::Open => {}
    }
    if cart.lines.is_empty() {
        return stop(Stop::Empty);
    }
    if !wanted {
        return stop(Stop::NotWanted);
    }
    let next = match own {
        Some(own) => match own.stage {
            // A cart that was empty, or whose person had said no, is there again.
            Stage::Open | Stage::Stopped { .. } => FollowUp { stage: Stage::Open, ..own.clone() },
            Stage::Recovered { .. } => return Look::Over,
        },
        None => FollowUp {
            id,
            customer: cart.customer.clone(),
            cart: cart.id.clone(),
            arm: Arm::of(&cart.id, policy.hold_out_percent),
            began_at: now,
            written: Vec::new(),
            stage: Stage::Open,
            before: held.map(FollowUp::reminders).unwrap_or_default(),
        },
    };
    due(policy, cart, next, own.is_some(), now)
}

/// The step that is due, if it is.
fn due(policy: &Policy, cart: &Cart, next: FollowUp, known: bool, now: Timestamp) -> Look {
    let number = next.written.len();
    let Some(step) = policy.steps.get(number) else { return Look::Over };
    if known && next.arm == Arm::HeldOut {
        return Look::Over;
    }
    // Idle since the last edit; and no two steps closer than they are meant to be, however late a look comes.
    let idle = cart.edited_at.saturating_add(step.delay()).unwrap_or(Timestamp::MAX);
    let before = number.checked_sub(1).and_then(|before| policy.steps.get(before));
    let apart = before.zip(next.written.last()).map(|(before, last)| {
        let gap = step.delay().saturating_sub(before.delay());
        last.at.saturating_add(gap).unwrap_or(Timestamp::MAX)
    });
    let at = apart.map_or(idle, |apart| apart.max(idle));
    if now < at {
        return Look::Later(at);
    }
    if next.arm == Arm::HeldOut {
        return Look::Write(Box::new(Write { next, step: None, incentive: None, then: None }));
    }
    let zone = cart.zone.as_ref().unwrap_or(&policy.zone);
    if let Some(end) = policy.quiet_until(now, zone) {
        return Look::Later(end);
    }
    if let Some(free) = over_the_cap(policy.cap, &next.reminders(), now) {
        return Look::Later(free);
    }
    let (incentive, then) = (step.incentive.clone(), policy.steps.get(number.saturating_add(1)));
    let then = then.and_then(|then| now.checked_add(then.delay().saturating_sub(step.delay())).ok());
    let mut next = next;
    next.written.push(Written { at: now, code: None });
    Look::Write(Box::new(Write { next, step: Some(number), incentive, then }))
}

/// The next look at what has waited since then. It does not depend on when the last one came: so the looks of a message
/// that comes twice are one from then on.
fn twice_as_long(since: Timestamp, now: Timestamp) -> Timestamp {
    let doubled = std::iter::successors(Some(LOCKED), |wait| wait.checked_add(*wait));
    let mut looks = doubled.map(|wait| since.saturating_add(wait).unwrap_or(Timestamp::MAX));
    looks.find(|at| now < *at).unwrap_or(Timestamp::MAX)
}

/// When the next reminder may be written, if not now.
fn over_the_cap(cap: Cap, reminders: &[Timestamp], now: Timestamp) -> Option<Timestamp> {
    let days = SignedDuration::from_hours(i64::from(cap.days).saturating_mul(24));
    let leaves = |at: &Timestamp| at.saturating_add(days).unwrap_or(Timestamp::MAX);
    let counted: Vec<Timestamp> = reminders.iter().map(leaves).filter(|leaves| now < *leaves).collect();
    let over = counted.len().checked_sub(usize::from(cap.messages))?;
    counted.get(over).copied()
}

impl FollowUp {
    /// When reminders were written to this person, of any cart, oldest first.
    fn reminders(&self) -> Vec<Timestamp> {
        let all = self.before.iter().copied().chain(self.written.iter().map(|written| written.at));
        let all: Vec<Timestamp> = all.collect();
        all.get(all.len().saturating_sub(KEPT)..).unwrap_or_default().to_vec()
    }

    /// Its last step with the code that was made for it.
    #[must_use]
    pub fn with_code(mut self, code: Word) -> Self {
        if let Some(last) = self.written.last_mut() {
            last.code = Some(code);
        }
        self
    }

    /// An order of the cart that is followed: recovered, if it came in time after the first step.
    pub fn ordered(&self, policy: &Policy, cart: &CartId, order: &OrderId, at: Timestamp) -> Option<Self> {
        let counts = self.cart == *cart
            && self.began_at <= at
            && at <= policy.attributed_until(self.began_at)
            && !matches!(self.stage, Stage::Recovered { .. });
        let stage = Stage::Recovered { order: order.clone(), since: at };
        counts.then(|| Self { stage, ..self.clone() })
    }
}

#[cfg(test)]
mod tests;
