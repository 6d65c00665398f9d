//! What is done with an endpoint: another secret, pause, resume, remove.

use crate::endpoints::{EndpointView, has_room, owned, view};
use axum::extract::{Path, State};
use domain::Decision;
use domain::webhook::Endpoint;
use edge::{Command, Overtaken, Problem, Reply, World, signed};
use serde::Deserialize;
use table::webhook::Listeners;
use table::{Commit, Key, Story};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WebhookStep"))]
pub(crate) struct Nothing {}

type Answer = Result<Reply<EndpointView>, Problem>;

/// Also of one that is suspended: that it is was told when it came to be.
pub(crate) fn told(endpoint: &Endpoint, rotated: bool) -> Story {
    Story::new([events::webhook::changed(endpoint, rotated)])
}

/// Changes an endpoint, and its place among those that listen.
pub(crate) async fn change<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    decide: impl Fn(Endpoint) -> Result<Decision<Endpoint>, Problem>,
    rotated: bool,
) -> Answer {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = owned(world, m, &command.reach, id).await?;
            let as_it_is = || Ok(Reply::ok(view(&held.value)).revision(held.revision()).replayed());
            let decided = decide(held.value.clone());
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if command.repeats(world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let Decision::New(next) = decided? else { return as_it_is() };
            let key = Key::webhook_listeners(m, next.merchant.as_ref());
            let listeners = world.table.load::<Listeners>(&key).await?;
            has_room(listeners.as_ref().map(|held| &held.value), &next)?;
            let now = world.now();
            let context = command.context(now);
            let story = told(&next, rotated);
            let commit = Commit::new(m, &context);
            let commit = commit.webhook_endpoint(Some(&held), &next, &listeners, story, || Overtaken);
            let commit = command.remember(commit, now, 200, next.id.as_str(), Overtaken);
            commit.send(&world.table).await?;
            Ok(Reply::ok(view(&next)).revision(held.next_step()))
        })
        .await
}

pub(crate) async fn rotate(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Answer {
    let secret = signed::secret(&world).map_err(|error| Problem::fault(&error))?;
    let decide = |before: Endpoint| Ok(Decision::New(before.rotated(secret.clone(), world.now())));
    let changed = change(&world, &id, &command, decide, true).await?;
    Ok(changed.map_new(|view| view.with(&secret)))
}

pub(crate) async fn pause(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Answer {
    change(&world, &id, &command, |before| Ok(before.pause()), false).await
}

pub(crate) async fn resume(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Answer {
    change(&world, &id, &command, |before| Ok(before.resume()), false).await
}

pub(crate) async fn remove(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Nothing>,
) -> Answer {
    change(&world, &id, &command, |before| Ok(before.remove(world.now())), false).await
}
