//! What the bank tells of a payout, through an operator or a system with the scope for it.

use crate::show::PayoutView;
use axum::extract::{Path, State};
use domain::Decision;
use domain::id::PayoutId;
use domain::payout::{Fact, Payout, Told, decide};
use domain::text::Reason;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::payout::announce;
use serde::Deserialize;
use table::{Commit, Key, Story};

type Answer = Result<Reply<PayoutView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ConfirmPayout"))]
pub(crate) struct Confirm {}

pub(crate) async fn confirm(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Confirm>,
) -> Answer {
    change(&world, &id, &command, Told::Paid).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FailPayout"))]
pub(crate) struct Fail {
    /// What the bank said.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn fail(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Fail>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    change(&world, &id, &command, Told::Failed { reason }).await
}

/// One fact of one payout. A failure opens the debt again: an entry of its own and a new due run, in the same commit.
async fn change<T>(world: &World, id: &str, command: &Command<T>, told: Told) -> Answer {
    let m = &command.caller.marketplace;
    let id: PayoutId = id.parse().map_err(|_| Problem::not_found("payout"))?;
    let key = Key::payout(m, &id).ok_or_else(|| Problem::not_found("payout"))?;
    world
        .until_free(|| async {
            let held = world.table.load::<Payout>(&key).await?.ok_or_else(|| Problem::not_found("payout"))?;
            let as_it_is = || Ok(Reply::ok(PayoutView::of(&held.value)).revision(held.revision()).replayed());
            let now = world.now();
            let decided = decide(&held.value, told.clone(), now);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if command.repeats(world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let decided = command.audited(world, &key, id.as_str(), decided).await?;
            let Decision::New(fact) = decided else { return as_it_is() };
            let next = held.value.clone().apply(&fact);
            let context = command.context(now);
            let posting = held.value.posting(&fact).map_err(|error| Problem::fault(&error))?;
            let story = Story::new([announce(&next, &fact)]).posting(posting);
            let mut commit = Commit::new(m, &context).change(&held, &next, next.id.as_str(), story);
            if let Fact::Failed { .. } = fact {
                let entry = next.returned(now);
                let conditions = world.table.payout_conditions(m, &next.merchant).await?;
                let run = conditions.schedule.run_after(entry.payable_day);
                world.table.payout_is_due(m, &next.merchant, run).await?;
                commit = commit.add(&entry, Overtaken);
            }
            command.remember(commit, now, 200, next.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(PayoutView::of(&next)).revision(held.next_step()))
        })
        .await
}
