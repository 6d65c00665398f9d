//! The marketplace's rules of asking, checking and rating, and a merchant's score with everything it is made of.

use axum::extract::{Path, State};
use domain::id::MerchantId;
use domain::merchant::Merchant;
use domain::review::rating::{Adjustment, Part, Policy, Score, Weights, score};
use domain::text::{Category, Reason, Word};
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Overtaken, Problem, Query, Reply, World};
use events::Announced;
use events::review::{ReviewPolicyChangedV1, rating_changed};
use serde::{Deserialize, Serialize};
use table::review::{RatingAdjustment, ReviewPolicy, Reviewed};
use table::{Commit, Key, Story};

/// The most days that a rule may name.
const DAYS_MAX: i64 = 730;
/// What a score may be adjusted by, either way.
const POINTS_MAX: i16 = 100;
const WORDS_MAX: usize = 500;
const CATEGORIES_MAX: usize = 200;

/// Days for lines of a category.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CategoryDays"))]
pub(crate) struct CategoryDays {
    #[cfg_attr(feature = "schema", schemars(with = "Category"))]
    category: String,
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = DAYS_MAX)))]
    days: i64,
}

/// Rules of asking, checking and rating; they bind what happens from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReviewPolicy"))]
pub(crate) struct PolicyBody {
    /// Days from a line's delivery to the question.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = DAYS_MAX)))]
    ask_after_days: i64,
    /// The same for lines of a category.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = CATEGORIES_MAX)))]
    by_category: Vec<CategoryDays>,
    /// Days from the question to the one reminder; 0: none.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = DAYS_MAX)))]
    remind_after_days: i64,
    /// Days from the delivery on which is asked at all.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = DAYS_MAX)))]
    answer_within_days: i64,
    /// Whether a review that the rules find nothing in is published at once.
    publishes_clean: bool,
    /// Words that a person has to look at, in any case.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = WORDS_MAX)))]
    words: Vec<String>,
    /// A first parcel that leaves later than this after the order is late.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = DAYS_MAX)))]
    late_after_days: i64,
    /// What each part of a merchant's score weighs.
    weights: Weights,
}

fn body(policy: &Policy) -> PolicyBody {
    let days = |(category, days): &(Category, u16)| CategoryDays {
        category: category.to_string(),
        days: i64::from(*days),
    };
    PolicyBody {
        ask_after_days: policy.ask_after_days.into(),
        by_category: policy.by_category.iter().map(days).collect(),
        remind_after_days: policy.remind_after_days.into(),
        answer_within_days: policy.answer_within_days.into(),
        publishes_clean: policy.publishes_clean,
        words: policy.words.iter().map(ToString::to_string).collect(),
        late_after_days: policy.late_after_days.into(),
        weights: policy.weights,
    }
}

fn days(check: &mut Check, field: impl std::fmt::Display, days: i64) -> u16 {
    if !(0..=DAYS_MAX).contains(&days) {
        check.wrong(field, "range", format!("{days} is not between 0 and {DAYS_MAX}"));
    }
    u16::try_from(days).unwrap_or_default()
}

impl PolicyBody {
    fn read(&self) -> Result<Policy, Problem> {
        let mut check = Check::new();
        let mut by_category = Vec::new();
        for (at, row) in self.by_category.iter().enumerate() {
            let field = |name: &str| format!("by_category[{at}].{name}");
            let category = check.parse::<Category>(field("category"), &row.category);
            let days = days(&mut check, field("days"), row.days);
            by_category.extend(category.map(|category| (category, days)));
        }
        let words = check.all::<Word>("words", &self.words);
        let Weights { reviews, shipped_on_time, not_canceled, not_disputed } = self.weights;
        if [reviews, shipped_on_time, not_canceled, not_disputed].iter().all(|weight| *weight == 0) {
            check.wrong("weights", "range", "something has to weigh");
        }
        if self.words.len() > WORDS_MAX {
            check.wrong("words", "count", format!("at most {WORDS_MAX}"));
        }
        if self.by_category.len() > CATEGORIES_MAX {
            check.wrong("by_category", "count", format!("at most {CATEGORIES_MAX}"));
        }
        let policy = Policy {
            ask_after_days: days(&mut check, "ask_after_days", self.ask_after_days),
            by_category,
            remind_after_days: days(&mut check, "remind_after_days", self.remind_after_days),
            answer_within_days: days(&mut check, "answer_within_days", self.answer_within_days),
            publishes_clean: self.publishes_clean,
            words,
            late_after_days: days(&mut check, "late_after_days", self.late_after_days),
            weights: self.weights,
        };
        check.done()?;
        Ok(policy)
    }
}

pub(crate) async fn policy(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<PolicyBody>, Problem> {
    let (policy, version) = world.table.review_policy(&query.caller.marketplace).await?;
    Ok(Reply::ok(body(&policy)).revision(version))
}

pub(crate) async fn set_policy(
    State(world): State<World>,
    command: Command<PolicyBody>,
) -> Result<Reply<PolicyBody>, Problem> {
    let policy = ReviewPolicy { policy: command.body.read()? };
    let (_, version) = world.table.review_policy(&command.caller.marketplace).await?;
    let told = || {
        let version = version.saturating_add(1);
        Story::new([Announced::of(&ReviewPolicyChangedV1 { version })])
    };
    set(&world, &command, (&policy, "reviews"), told, |set| body(&set.policy)).await
}

/// A part of a score.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ScorePart"))]
pub(crate) struct PartView {
    /// `reviews`, `shipped_on_time`, `not_canceled` or `not_disputed`.
    name: &'static str,
    weight: u16,
    /// Made of so many reviews or orders …
    of: u64,
    /// … of which this many spoke against the merchant; of reviews, the sum of their stars.
    measured: u64,
    /// 0 to 100; absent where there is nothing to go by, and then it does not weigh.
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<u64>,
}

/// What an operator has added or taken away.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ScoreAdjustment"))]
pub(crate) struct AdjustmentView {
    points: i64,
    reason: String,
    by: String,
    at: String,
}

/// A merchant's score, so that anybody can reckon it again.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantScore"))]
pub(crate) struct ScoreView {
    merchant: String,
    /// 0 to 100; absent where nothing is known yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    score: Option<u64>,
    /// The parts' weighted mean, before the adjustment.
    #[serde(skip_serializing_if = "Option::is_none")]
    computed: Option<u64>,
    parts: Vec<PartView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    adjustment: Option<AdjustmentView>,
    /// Which version of the rules it was reckoned by; 0: those that nobody has set.
    rules: u64,
}

fn part(part: &Part) -> PartView {
    let Part { name, weight, of, measured, points } = *part;
    PartView { name, weight, of, measured, points }
}

async fn reckoned(
    world: &World,
    m: &domain::id::MarketplaceId,
    merchant: &MerchantId,
    adjustment: Option<&Adjustment>,
) -> Result<ScoreView, Problem> {
    let reviews = world.table.distribution(m, &Reviewed::Merchant(merchant.clone())).await?;
    let conduct = world.table.conduct(m, merchant).await?;
    let (policy, rules) = world.table.review_policy(m).await?;
    let Score { parts, computed, score } = score(&reviews, &conduct, &policy.weights, adjustment);
    let adjustment = adjustment.map(|adjustment| AdjustmentView {
        points: adjustment.points.into(),
        reason: adjustment.reason.to_string(),
        by: adjustment.by.clone(),
        at: adjustment.at.to_string(),
    });
    let parts = parts.iter().map(part).collect();
    Ok(ScoreView { merchant: merchant.to_string(), score, computed, parts, adjustment, rules })
}

fn none() -> Problem {
    Problem::not_found("merchant")
}

pub(crate) async fn merchant_score(
    State(world): State<World>,
    Path(merchant): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ScoreView>, Problem> {
    let m = &query.caller.marketplace;
    let merchant: MerchantId = merchant.parse().map_err(|_| none())?;
    if !query.reach.covers(&merchant) {
        return Err(none());
    }
    let (own, adjusted) = (Key::merchant(m, &merchant), Key::rating_adjustment(m, &merchant));
    let mut read = world.table.read(&[own.clone(), adjusted.clone()]).await?;
    read.take::<Merchant>(&own)?.ok_or_else(none)?;
    let held = read.take::<RatingAdjustment>(&adjusted)?;
    let revision = held.as_ref().map_or(0, table::Held::revision);
    let adjustment = held.and_then(|held| held.value.adjustment);
    Ok(Reply::ok(reckoned(&world, m, &merchant, adjustment.as_ref()).await?).revision(revision))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AdjustScore"))]
pub(crate) struct Adjust {
    /// −100 to 100, in the place of what was adjusted before; 0 takes that back.
    #[cfg_attr(feature = "schema", schemars(range(min = -POINTS_MAX, max = POINTS_MAX)))]
    points: i64,
    /// Kept, and shown to the merchant.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn adjust(
    State(world): State<World>,
    Path(merchant): Path<String>,
    command: Command<Adjust>,
) -> Result<Reply<ScoreView>, Problem> {
    let m = &command.caller.marketplace;
    let merchant: MerchantId = merchant.parse().map_err(|_| none())?;
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    let points =
        i16::try_from(command.body.points).ok().filter(|points| (-POINTS_MAX..=POINTS_MAX).contains(points));
    if points.is_none() {
        let message = format!("{} is not between -{POINTS_MAX} and {POINTS_MAX}", command.body.points);
        check.wrong("points", "range", message);
    }
    check.done()?;
    let (Some(reason), Some(points)) = (reason, points) else { return Err(Problem::internal()) };
    world.table.load::<Merchant>(&Key::merchant(m, &merchant)).await?.ok_or_else(none)?;
    let key = Key::rating_adjustment(m, &merchant);
    let (held, replayed) = world
        .until_free(|| async {
            let held = world.table.load::<RatingAdjustment>(&key).await?;
            let now = world.now();
            let before = held.as_ref().and_then(|held| held.value.adjustment.clone());
            let same = before.as_ref().is_some_and(|one| one.points == points && one.reason == reason);
            let revision = held.as_ref().map_or(0, table::Held::revision);
            if command.repeats(&world, revision, !same).await? || same {
                return Ok::<_, Problem>((before, true));
            }
            let (reason, by) = (reason.clone(), command.caller.actor.clone());
            let adjustment = Some(Adjustment { points, reason, by, at: now });
            let next = RatingAdjustment { merchant: merchant.clone(), adjustment: adjustment.clone() };
            let context = command.context(now);
            let (id, story) =
                (format!("rating-{merchant}"), Story::new([rating_changed(&merchant, "adjustment")]));
            let commit = Commit::new(m, &context);
            let commit = match &held {
                Some(held) => commit.change(held, &next, &id, story),
                None => commit.begin(&next, &id, story, Overtaken),
            };
            command.remember(commit, now, 200, &id, Overtaken).send(&world.table).await?;
            Ok((adjustment, false))
        })
        .await?;
    let reply = Reply::ok(reckoned(&world, m, &merchant, held.as_ref()).await?);
    Ok(if replayed { reply.replayed() } else { reply })
}
