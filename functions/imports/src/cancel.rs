//! An import goes no further. A part that is being written meanwhile may be, and is not counted.

use crate::show::{ImportView, kept, view};
use axum::extract::{Path, State};
use domain::Decision;
use edge::{Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use table::{Commit, Key, Story};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CancelImport {}

pub(crate) async fn cancel(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<CancelImport>,
) -> Result<Reply<ImportView>, Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = kept(&world, m, &command.reach, &id).await?;
            let (import, now) = (&held.value, world.now());
            let decided = import.cancel(now).map_err(Problem::from);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            let as_it_is = || Ok(Reply::ok(view(import)).revision(held.revision()).replayed());
            if command.repeats(&world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let key = Key::import(m, &import.id);
            let decided = command.audited(&world, &key, import.id.as_str(), decided).await?;
            let Decision::New(fact) = decided else { return as_it_is() };
            let next = import.clone().apply(fact.clone());
            let context = command.context(now);
            let story = Story::new([events::import::announce(&next, &fact)]);
            let commit = Commit::new(m, &context).change(&held, &next, next.id.as_str(), story);
            command.remember(commit, now, 200, next.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(&next)).revision(held.next_step()))
        })
        .await
}
