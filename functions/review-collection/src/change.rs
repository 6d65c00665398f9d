//! One review changed by a request: load, decide, look for a repeat, commit with the counts that move.

use crate::photos;
use domain::Decision;
use domain::id::ReviewId;
use domain::review::{Fact, Refused, Review};
use edge::{Command, Overtaken, Problem, World};
use events::review::{published, rating_changed, rejected, replied, submitted, withdrawn};
use jiff::Timestamp;
use table::{Commit, Held, Key, Story};

/// What each fact is called outside, and whether it moves the merchant's rating. A new fact does not compile until it
/// has a name here.
pub(crate) fn story(before: Option<&Review>, after: &Review, fact: &Fact) -> Story {
    let newly = after.is_published() && !before.is_some_and(Review::is_published);
    let mut facts = match fact {
        Fact::Written { .. } => vec![submitted(after)],
        Fact::Published { .. } => Vec::new(),
        Fact::Rejected { reasons, .. } => vec![rejected(after, reasons)],
        Fact::Withdrawn { .. } => vec![withdrawn(after)],
        Fact::Replied { .. } => vec![replied(after, false)],
        Fact::ReplyEdited { .. } => vec![replied(after, true)],
        Fact::Helped
        | Fact::Claimed { .. }
        | Fact::Unnamed
        | Fact::PhotoAwaited { .. }
        | Fact::PhotoJudged { .. }
        | Fact::PhotoGone { .. } => Vec::new(),
    };
    if newly {
        facts.push(published(after));
    }
    if before.and_then(Review::counts) != after.counts() {
        facts.push(rating_changed(&after.merchant, "review"));
    }
    Story::new(facts)
}

/// The review after the change, and whether it was so already; `may` says whose it is.
pub(crate) async fn amend<T>(
    world: &World,
    command: &Command<T>,
    id: &ReviewId,
    may: impl Fn(&Review) -> Result<(), Problem>,
    decide: impl Fn(&Review, Timestamp) -> Result<Decision<Fact>, Refused>,
) -> Result<(Held<Review>, bool), Problem> {
    let m = &command.caller.marketplace;
    let key = Key::review(m, id);
    world
        .until_free(|| async {
            let held = world.table.load::<Review>(&key).await?.ok_or_else(|| Problem::not_found("review"))?;
            may(&held.value)?;
            let now = world.now();
            let decided = decide(&held.value, now);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if command.repeats(world, held.revision(), ahead).await? {
                return Ok((held, true));
            }
            let fact = match command.audited(world, &key, id.as_str(), decided).await? {
                Decision::Already => return Ok((held, true)),
                Decision::New(fact) => fact,
            };
            let next = held.value.clone().apply(fact.clone());
            let context = command.context(now);
            let story = story(Some(&held.value), &next, &fact);
            let mut commit = Commit::new(m, &context).review(Some(&held), &next, story, Overtaken);
            if let Fact::Withdrawn { .. } = fact {
                commit = photos::take_back(world, m, commit, &held.value, now).await?;
            }
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            Ok((Held::written(next, held.next_step()), false))
        })
        .await
}
