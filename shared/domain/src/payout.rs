//! Payouts: from a merchant's payable entries to money in its bank.
//!
//! Entries lie under their payable day and are never rewritten. A payout claims a range of days by moving one date,
//! `claimed_through`, and is named by (merchant, last day): a retry finds its own claim (A12(3)). A day is only claimed
//! an hour after it has ended, and an entry's payable day is at least the day after its commit, so no entry can appear
//! in a claimed range.
//!
//! `created → sent → paid | failed`. Failure, even after success, reopens the debt as a new entry (A12(5)); a balance
//! of zero or less stays unclaimed and nets with what comes (A12(4)). Days are UTC.

use crate::Decision;
use crate::id::{MerchantId, PayoutId};
use crate::ledger::{Account, EntryKind, MerchantEntry, Posting, Unbalanced};
use crate::merchant::{Iban, PayoutAccount};
use crate::merchant_order::{self, Earned, MerchantOrder};
use crate::money::{Money, MoneyError};
use crate::text::{Name, Reason, Word};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};

/// A month has no more days.
const DAYS_MAX: usize = 31;

/// When a merchant is paid. The run of a day claims up to the day before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "every", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Schedule {
    /// With braces: serde would let other members stand beside a bare word.
    Day {},
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    Week {
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 7)))]
        weekday: i8,
    },
    /// The last day of a shorter month stands in for 29 to 31.
    Month {
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 31)))]
        day: i8,
    },
    /// Several days of the month.
    Days {
        #[cfg_attr(
            feature = "schema",
            schemars(length(min = 1, max = DAYS_MAX), inner(range(min = 1, max = 31)))
        )]
        days: Vec<i8>,
    },
}

/// Why a schedule is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSchedule {
    #[error("{0} is no weekday: want 1 (Monday) to 7 (Sunday)")]
    Weekday(i8),
    #[error("{0} is no day of a month: want 1 to 31")]
    Day(i8),
    #[error("a schedule of chosen days names at least one")]
    NoDay,
    #[error("a schedule names at most {DAYS_MAX} days of the month, not {0}")]
    DayCount(usize),
}

impl Schedule {
    /// A schedule that has a next run.
    pub fn check(&self) -> Result<(), BadSchedule> {
        let day_of_month = |day: &i8| (1..=31).contains(day).then_some(()).ok_or(BadSchedule::Day(*day));
        match self {
            Self::Day {} => Ok(()),
            Self::Week { weekday } if (1..=7).contains(weekday) => Ok(()),
            Self::Week { weekday } => Err(BadSchedule::Weekday(*weekday)),
            Self::Month { day } => day_of_month(day),
            Self::Days { days } if days.is_empty() => Err(BadSchedule::NoDay),
            Self::Days { days } if days.len() > DAYS_MAX => Err(BadSchedule::DayCount(days.len())),
            Self::Days { days } => days.iter().try_for_each(day_of_month),
        }
    }

    /// Whether payouts run on `date`.
    pub fn runs_on(&self, date: Date) -> bool {
        let on = |day: &i8| date.day() == (*day).min(date.days_in_month());
        match self {
            Self::Day {} => true,
            Self::Week { weekday } => date.weekday().to_monday_one_offset() == *weekday,
            Self::Month { day } => on(day),
            Self::Days { days } => days.iter().any(on),
        }
    }

    /// The first run day after `date`: what is payable on `date` is claimed there.
    pub fn run_after(&self, date: Date) -> Date {
        let next = date.series(1.day()).skip(1).take(62).find(|day| self.runs_on(*day));
        next.unwrap_or_else(|| date.saturating_add(1.day()))
    }
}

/// The UTC day of a moment.
pub fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// When an earning becomes payable: after the hold, and not before the day after its commit, so that no entry appears
/// in a range that may be claimed already.
pub fn payable_day(delivered_at: Timestamp, hold_days: u16, commit: Timestamp) -> Date {
    let held = day(delivered_at).saturating_add(i64::from(hold_days).days());
    held.max(day(commit).saturating_add(1.day()))
}

/// What a change of a part puts on its merchant's account, and the movements of money that only the part knows.
pub type Booked = (MerchantEntry, Vec<Posting>);

/// The earning of a merchant order that is complete. None while it is not.
pub fn earning(part: &MerchantOrder, hold_days: u16, now: Timestamp) -> Result<Option<Booked>, Unbalanced> {
    let merchant_order::Stage::Delivered { since } = part.stage else { return Ok(None) };
    let earned = part.earned()?;
    let own = earned.own(part.rate.as_ref())?;
    let entry = MerchantEntry {
        payable_day: payable_day(since, hold_days, now),
        cause: part.id.as_str().to_owned(),
        kind: EntryKind::Earning,
        ..entry(part, own, now)
    };
    let postings = [earned.posting(part)?].into_iter().chain(earned.conversion(&own, part)?);
    Ok(Some((entry, postings.collect())))
}

/// What a refund of delivered units takes back from the merchant, at the rate of its earning; nothing for any other
/// fact, nor where nothing was earned yet. `after` is the part with the refund in it: its count of refunded units makes
/// each claw-back's name unique. The customer's side is the order's posting.
pub fn claw_back(
    (before, after): (&MerchantOrder, &MerchantOrder),
    fact: &merchant_order::Fact,
    now: Timestamp,
) -> Result<Option<Booked>, Unbalanced> {
    let merchant_order::Fact::Refunded { .. } = fact else { return Ok(None) };
    let merchant_order::Stage::Delivered { .. } = after.stage else { return Ok(None) };
    let units: u64 = after.lines.iter().map(|line| u64::from(line.progress.refunded)).sum();
    let (was, is, rate) = (before.kept()?, after.kept()?, after.rate.as_ref());
    // What is left is converted, not what goes: so the whole, taken back piece by piece, is what was earned.
    let (gone, own) = (is.minus(was)?, is.own(rate)?.minus(was.own(rate)?)?);
    let entry = MerchantEntry {
        payable_day: day(now).saturating_add(1.day()),
        cause: format!("{}-{units}", after.id),
        kind: EntryKind::Refund,
        ..entry(after, own, now)
    };
    Ok(Some((entry, gone.conversion(&own, after)?.into_iter().collect())))
}

fn entry(part: &MerchantOrder, own: Earned, at: Timestamp) -> MerchantEntry {
    let some = |amount: Money| (amount.minor != 0).then_some(amount);
    MerchantEntry {
        merchant: part.merchant.clone(),
        payable_day: day(at),
        cause: String::new(),
        kind: EntryKind::Earning,
        amount: own.net,
        items: own.items,
        delivery: own.delivery,
        fees: own.fees,
        withheld: some(own.withheld),
        supported: some(own.supported),
        at,
    }
}

/// The last day whose range may be claimed at `now`: it ended at least an hour ago.
pub fn claimable_through(now: Timestamp) -> Date {
    day(now.saturating_sub(1.hour()).unwrap_or(now)).saturating_sub(1.day())
}

/// How far a merchant's entries are claimed. One small item, changed only by claims.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claimed {
    pub merchant: MerchantId,
    /// All entries up to this day belong to a payout.
    pub through: Date,
}

impl Claimed {
    /// Nothing is claimed yet.
    pub fn nothing(merchant: MerchantId) -> Self {
        Self { merchant, through: Date::ZERO }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payout {
    pub id: PayoutId,
    pub merchant: MerchantId,
    /// The last day claimed before; this payout's range begins the day after.
    pub after: Date,
    pub through: Date,
    pub amount: Money,
    pub totals: Totals,
    pub created_at: Timestamp,
    /// Where it goes, as the account stood at the claim.
    pub holder: Name,
    pub iban: Iban,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Created,
    /// The bank has the order; `reference` is what we called the file.
    Sent {
        since: Timestamp,
        reference: Word,
    },
    Paid {
        since: Timestamp,
    },
    Failed {
        since: Timestamp,
        reason: Reason,
    },
}

/// What a range of entries sums to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub entries: u64,
    /// Earnings in the range.
    pub orders: u64,
    pub items: Money,
    pub delivery: Money,
    pub fees: Money,
    /// Tax that the marketplace owes in the merchant's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Money>,
    /// What the marketplace bears of the customers' discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported: Option<Money>,
    pub net: Money,
}

impl Totals {
    pub fn zero(currency: crate::Currency) -> Self {
        let zero = Money::zero(currency);
        let (items, delivery, fees, net) = (zero, zero, zero, zero);
        Self { entries: 0, orders: 0, items, delivery, fees, withheld: None, supported: None, net }
    }

    /// The totals with one more entry.
    pub fn with(self, entry: &MerchantEntry) -> Result<Self, MoneyError> {
        let plus = |sum: Option<Money>, more: Option<Money>| match (sum, more) {
            (Some(sum), Some(more)) => sum.plus(more).map(Some),
            (sum, more) => Ok(sum.or(more)),
        };
        Ok(Self {
            entries: self.entries.saturating_add(1),
            orders: self.orders.saturating_add(u64::from(entry.kind == EntryKind::Earning)),
            items: self.items.plus(entry.items)?,
            delivery: self.delivery.plus(entry.delivery)?,
            fees: self.fees.plus(entry.fees)?,
            withheld: plus(self.withheld, entry.withheld)?,
            supported: plus(self.supported, entry.supported)?,
            net: self.net.plus(entry.amount)?,
        })
    }
}

/// What a due run comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    New {
        payout: Box<Payout>,
        claimed: Claimed,
        posting: Posting,
    },
    /// Nothing more than zero to pay; it stays unclaimed and nets with what comes.
    Nothing {
        balance: Money,
    },
    /// There is something to pay and no active account (A2(5)).
    NoAccount {
        balance: Money,
    },
}

/// Claims the days after `claimed.through` up to `through`, whose entries sum to `totals`.
pub fn claim(
    claimed: &Claimed,
    account: &PayoutAccount,
    totals: Totals,
    through: Date,
    now: Timestamp,
) -> Result<Claim, Unbalanced> {
    if totals.net.minor <= 0 || through <= claimed.through {
        return Ok(Claim::Nothing { balance: totals.net });
    }
    let (holder, iban) = match account {
        PayoutAccount::Active { holder, iban } => (holder.clone(), iban.clone()),
        PayoutAccount::Missing | PayoutAccount::Pending { .. } | PayoutAccount::Blocked { .. } => {
            return Ok(Claim::NoAccount { balance: totals.net });
        }
    };
    let merchant = claimed.merchant.clone();
    let posting = Posting::draft(totals.net.currency)
        .debit(Account::Payable(merchant.clone()), totals.net)
        .credit(Account::PayoutsInTransit, totals.net)
        .close()?;
    let payout = Payout {
        id: PayoutId::of(&merchant, through),
        merchant: merchant.clone(),
        after: claimed.through,
        through,
        amount: totals.net,
        totals,
        created_at: now,
        holder,
        iban,
        stage: Stage::Created,
    };
    Ok(Claim::New { payout: Box::new(payout), claimed: Claimed { merchant, through }, posting })
}

/// What is told of a payout by us or by the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    Sent { reference: Word },
    Paid,
    Failed { reason: Reason },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    Sent {
        at: Timestamp,
        reference: Word,
    },
    Paid {
        at: Timestamp,
    },
    /// `after_success`: the money had been reported as paid.
    Failed {
        at: Timestamp,
        reason: Reason,
        after_success: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the payout is not sent yet: the bank has nothing to say of it")]
    NotSent,
    #[error("the payout has failed; its amount is open again and goes with the next payout")]
    Failed,
}

impl Payout {
    /// The only place that changes a payout.
    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        self.stage = match fact.clone() {
            Fact::Sent { at, reference } => Stage::Sent { since: at, reference },
            Fact::Paid { at } => Stage::Paid { since: at },
            Fact::Failed { at, reason, .. } => Stage::Failed { since: at, reason },
        };
        self
    }

    /// The movement of money that a fact is; sending moves none.
    pub fn posting(&self, fact: &Fact) -> Result<Posting, Unbalanced> {
        let draft = Posting::draft(self.amount.currency);
        let payable = Account::Payable(self.merchant.clone());
        match fact {
            Fact::Sent { .. } => draft,
            Fact::Paid { .. } => {
                draft.debit(Account::PayoutsInTransit, self.amount).credit(Account::Cash, self.amount)
            }
            Fact::Failed { after_success: false, .. } => {
                draft.debit(Account::PayoutsInTransit, self.amount).credit(payable, self.amount)
            }
            Fact::Failed { after_success: true, .. } => {
                draft.debit(Account::Cash, self.amount).credit(payable, self.amount)
            }
        }
        .close()
    }

    /// The debt that a failure reopens.
    pub fn returned(&self, now: Timestamp) -> MerchantEntry {
        let zero = Money::zero(self.amount.currency);
        MerchantEntry {
            merchant: self.merchant.clone(),
            payable_day: day(now).saturating_add(1.day()),
            cause: self.id.as_str().to_owned(),
            kind: EntryKind::PayoutReturned,
            amount: self.amount,
            items: zero,
            delivery: zero,
            fees: zero,
            withheld: None,
            supported: None,
            at: now,
        }
    }
}

/// The next fact. A repeat is no news; what contradicts an end is refused.
pub fn decide(payout: &Payout, told: Told, now: Timestamp) -> Result<Decision<Fact>, Refused> {
    use Decision::{Already, New};
    match (&payout.stage, told) {
        (Stage::Created, Told::Sent { reference }) => Ok(New(Fact::Sent { at: now, reference })),
        (Stage::Sent { .. } | Stage::Paid { .. } | Stage::Failed { .. }, Told::Sent { .. }) => Ok(Already),

        (Stage::Created, Told::Paid) => Err(Refused::NotSent),
        (Stage::Sent { .. }, Told::Paid) => Ok(New(Fact::Paid { at: now })),
        (Stage::Paid { .. }, Told::Paid) => Ok(Already),
        (Stage::Failed { .. }, Told::Paid) => Err(Refused::Failed),

        // Its file may be at the bank already: a debt that is opened again now would be paid twice.
        (Stage::Created, Told::Failed { .. }) => Err(Refused::NotSent),
        (Stage::Sent { .. }, Told::Failed { reason }) => {
            Ok(New(Fact::Failed { at: now, reason, after_success: false }))
        }
        (Stage::Paid { .. }, Told::Failed { reason }) => {
            Ok(New(Fact::Failed { at: now, reason, after_success: true }))
        }
        (Stage::Failed { .. }, Told::Failed { .. }) => Ok(Already),
    }
}

#[cfg(test)]
mod tests;
