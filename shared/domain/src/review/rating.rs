//! What reviews come to: exact counts, their mean, and a merchant's score with all that it is made of.
//!
//! A score is a sum that anybody can redo: parts of 0 to 100 points with whole weights, of what is known of the
//! merchant; then the operator's adjustment, with its reason. No part without anything to go by counts.

use super::Stars;
use crate::text::{Category, Reason, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What an operator may change of asking, checking and rating.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Days from a line's delivery to the question.
    pub ask_after_days: u16,
    /// The same for lines of a category.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub by_category: Vec<(Category, u16)>,
    /// Days from the question to the reminder; 0: none.
    pub remind_after_days: u16,
    /// Days from the delivery on which an answer is taken.
    pub answer_within_days: u16,
    /// What the rules find nothing in is published at once.
    pub publishes_clean: bool,
    /// Words that a person has to look at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Word>,
    /// A first parcel that leaves later than this after the order is late.
    pub late_after_days: u16,
    pub weights: Weights,
}

/// What each part of a score weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RatingWeights"))]
pub struct Weights {
    pub reviews: u16,
    pub shipped_on_time: u16,
    pub not_canceled: u16,
    pub not_disputed: u16,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ask_after_days: 7,
            by_category: Vec::new(),
            remind_after_days: 7,
            answer_within_days: 120,
            publishes_clean: true,
            words: Vec::new(),
            late_after_days: 5,
            weights: Weights { reviews: 60, shipped_on_time: 15, not_canceled: 15, not_disputed: 10 },
        }
    }
}

/// So many days.
pub fn days(many: u16) -> SignedDuration {
    SignedDuration::from_hours(i64::from(many).saturating_mul(24))
}

impl Policy {
    /// When a line of a category is asked about, that arrived at a moment.
    pub fn asks_at(&self, category: Option<&Category>, delivered: Timestamp) -> Timestamp {
        let own = self.by_category.iter().find(|(of, _)| Some(of) == category).map(|(_, days)| *days);
        later(delivered, own.unwrap_or(self.ask_after_days))
    }

    /// Until when an answer is taken about what arrived at a moment.
    pub fn answers_until(&self, delivered: Timestamp) -> Timestamp {
        later(delivered, self.answer_within_days)
    }

    /// Whether a first parcel is late.
    pub fn is_late(&self, placed: Timestamp, shipped: Timestamp) -> bool {
        shipped > later(placed, self.late_after_days)
    }
}

pub(super) fn later(at: Timestamp, many: u16) -> Timestamp {
    at.saturating_add(days(many)).unwrap_or(Timestamp::MAX)
}

/// How many reviews count with which stars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Distribution {
    /// From one star to five.
    pub counts: [u64; 5],
}

impl Distribution {
    pub fn of(&self, stars: Stars) -> u64 {
        self.counts.get(usize::from(stars.number()).saturating_sub(1)).copied().unwrap_or_default()
    }

    pub fn count(&self) -> u64 {
        self.counts.iter().fold(0, |sum, count| sum.saturating_add(*count))
    }

    fn sum(&self) -> u64 {
        let worth = Stars::ALL.iter().map(|stars| u64::from(stars.number()).saturating_mul(self.of(*stars)));
        worth.fold(0, u64::saturating_add)
    }

    /// Hundredths of the mean, the nearest; half up. None of nothing.
    fn mean_hundredths(&self) -> Option<u64> {
        nearest(u128::from(self.sum()).saturating_mul(100), u128::from(self.count()))
    }

    /// `4.33`: two decimals of the exact fraction.
    pub fn mean(&self) -> Option<String> {
        self.mean_hundredths().map(|mean| format!("{}.{:02}", mean / 100, mean % 100))
    }
}

/// `a / b` to the nearest whole, half up; none of zero.
fn nearest(a: u128, b: u128) -> Option<u64> {
    let twice = a.checked_mul(2)?.checked_add(b)?;
    u64::try_from(twice.checked_div(b.checked_mul(2)?)?).ok()
}

/// What is known of how a merchant delivers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Record {
    /// Orders that were paid.
    pub opened: u64,
    /// Orders of which a parcel has left.
    pub shipped: u64,
    /// Of those, how many too late.
    pub late: u64,
    /// Orders of which the merchant could not deliver something.
    pub canceled: u64,
    /// Orders that a buyer has disputed.
    pub disputed: u64,
}

/// An operator's word on a score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// −100 to 100.
    pub points: i16,
    pub reason: Reason,
    pub by: String,
    pub at: Timestamp,
}

/// One part of a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    pub name: &'static str,
    pub weight: u16,
    /// What it was made of: so many …
    pub of: u64,
    /// … of which this many spoke against the merchant; for reviews, the sum of stars.
    pub measured: u64,
    /// 0 to 100; none where there is nothing to go by.
    pub points: Option<u64>,
}

/// A score with everything it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Score {
    pub parts: [Part; 4],
    /// Without the adjustment; none where nothing is known.
    pub computed: Option<u64>,
    /// With it, 0 to 100.
    pub score: Option<u64>,
}

/// The score by these weights.
pub fn score(
    reviews: &Distribution,
    record: &Record,
    weights: &Weights,
    adjustment: Option<&Adjustment>,
) -> Score {
    let spared = |name, weight, of: u64, bad: u64| {
        let good = of.saturating_sub(bad);
        Part {
            name,
            weight,
            of,
            measured: bad,
            points: nearest(u128::from(good).saturating_mul(100), u128::from(of)),
        }
    };
    // One star is nothing, five are everything.
    let (count, sum) = (reviews.count(), reviews.sum());
    let above = u128::from(sum.saturating_sub(count)).saturating_mul(100);
    let stars = nearest(above, u128::from(count).saturating_mul(4));
    let parts = [
        Part { name: "reviews", weight: weights.reviews, of: count, measured: sum, points: stars },
        spared("shipped_on_time", weights.shipped_on_time, record.shipped, record.late),
        spared("not_canceled", weights.not_canceled, record.opened, record.canceled),
        spared("not_disputed", weights.not_disputed, record.opened, record.disputed),
    ];
    let known = parts.iter().filter_map(|part| Some((u128::from(part.weight), u128::from(part.points?))));
    let (weight, worth) = known.fold((0_u128, 0_u128), |(weights, sum), (weight, points)| {
        (weights.saturating_add(weight), sum.saturating_add(weight.saturating_mul(points)))
    });
    let computed = nearest(worth, weight);
    let by = adjustment.map_or(0, |adjustment| i64::from(adjustment.points));
    let adjusted = |points: u64| {
        let sum = i64::try_from(points).unwrap_or(100).saturating_add(by).clamp(0, 100);
        u64::try_from(sum).unwrap_or_default()
    };
    Score { parts, computed, score: computed.map(adjusted) }
}
