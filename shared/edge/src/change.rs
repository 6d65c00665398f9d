//! One thing made or changed by a request: load, decide, look for a repeat, commit, answer; again while others write.
//!
//! [`create`] makes a thing, [`change`] changes one that is there, [`set`] puts one whether it is there or not.
//! For requests whose whole effect is one thing and its story. What touches several things commits by itself.

use crate::command::{Command, Overtaken, Reply};
use crate::problem::Problem;
use crate::world::World;
use serde::Serialize;
use table::{Commit, Key, Record, Story, Uncommitted};

/// A thing that a request makes: its value, its id and the first things said of it.
#[derive(Debug)]
pub struct Fresh<R> {
    pub thing: R,
    pub id: String,
    pub story: Story,
}

/// Makes a thing; a repeat of the request answers the one that was made. `taken` is what it means that the thing is
/// there already without having been asked for under this key.
pub async fn create<T, R: Record, V: Serialize, Making>(
    world: &World,
    command: &Command<T>,
    key_of: impl Fn(&str) -> Option<Key>,
    make: impl Fn() -> Making,
    taken: impl Fn(&R) -> Problem,
    show: impl Fn(&R) -> V,
) -> Result<Reply<V>, Problem>
where
    Making: Future<Output = Result<Fresh<R>, Problem>>,
{
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let made = make().await;
            if let Some(asked) = command.before(world, made.is_ok()).await? {
                let key = key_of(&asked.resource).ok_or_else(Problem::internal)?;
                let held = world.table.load::<R>(&key).await?.ok_or_else(Problem::busy)?;
                return Ok(Reply::ok(show(&held.value)).revision(held.revision()).replayed());
            }
            let Fresh { thing, id, story } = made?;
            let now = world.now();
            let context = command.context(now);
            // The record of the request comes first: the first refusal counts, and a repeat is not another thing.
            let commit = command.remember(Commit::new(m, &context), now, 201, &id, Made::Before);
            match commit.begin(&thing, &id, story, Made::Taken).send(&world.table).await {
                Ok(()) => Ok(Reply::created(show(&thing)).revision(1)),
                Err(Uncommitted::Refused(Made::Taken)) => Err(taken(&thing)),
                Err(Uncommitted::Refused(Made::Before) | Uncommitted::Busy) => Err(Problem::busy()),
                Err(Uncommitted::Fault(fault)) => Err(fault.into()),
            }
        })
        .await
}

#[derive(Debug)]
enum Made {
    /// By this very request, a moment ago.
    Before,
    Taken,
}

/// Changes a thing, if the request has seen it as it is (`If-Match`); `decide` answers none where it is so already.
pub async fn change<T, R: Record + Clone, V: Serialize, Deciding>(
    world: &World,
    command: &Command<T>,
    (key, id, what): (&Key, &str, &str),
    decide: impl Fn(R) -> Deciding,
    show: impl Fn(&R) -> V,
) -> Result<Reply<V>, Problem>
where
    Deciding: Future<Output = Result<Option<(R, Story)>, Problem>>,
{
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = world.table.load::<R>(key).await?.ok_or_else(|| Problem::not_found(what))?;
            let as_it_is = || Ok(Reply::ok(show(&held.value)).revision(held.revision()).replayed());
            let decided = decide(held.value.clone()).await;
            if command.repeats(world, held.revision(), matches!(decided, Ok(Some(_)))).await? {
                return as_it_is();
            }
            let Some((next, story)) = decided? else { return as_it_is() };
            let now = world.now();
            let context = command.context(now);
            let commit = Commit::new(m, &context).change(&held, &next, id, story);
            command.remember(commit, now, 200, id, Overtaken).send(&world.table).await?;
            Ok(Reply::ok(show(&next)).revision(held.next_step()))
        })
        .await
}

/// Puts a thing in the place of what is there, if anything is; what is so already is answered as it is.
pub async fn set<T, R: Record + PartialEq, V: Serialize>(
    world: &World,
    command: &Command<T>,
    (thing, id): (&R, &str),
    story: impl Fn() -> Story,
    show: impl Fn(&R) -> V,
) -> Result<Reply<V>, Problem> {
    set_over(world, command, (thing, id), |_| Ok(()), story, show).await
}

/// As [`set`], where `allow` looks at what would be replaced.
pub async fn set_over<T, R: Record + PartialEq, V: Serialize>(
    world: &World,
    command: &Command<T>,
    (thing, id): (&R, &str),
    allow: impl Fn(&R) -> Result<(), Problem>,
    story: impl Fn() -> Story,
    show: impl Fn(&R) -> V,
) -> Result<Reply<V>, Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = world.table.load::<R>(&thing.key(m)).await?;
            let revision = held.as_ref().map_or(0, |held| held.revision());
            let same = held.as_ref().is_some_and(|held| held.value == *thing);
            let allowed = held.as_ref().map_or(Ok(()), |held| allow(&held.value));
            let repeats = command.repeats(world, revision, !same && allowed.is_ok()).await?;
            if !repeats {
                allowed?;
            }
            if let Some(held) = held.as_ref().filter(|_| same || repeats) {
                return Ok(Reply::ok(show(&held.value)).revision(revision).replayed());
            }
            let now = world.now();
            let context = command.context(now);
            let commit = match &held {
                Some(held) => Commit::new(m, &context).change(held, thing, id, story()),
                None => Commit::new(m, &context).begin(thing, id, story(), Overtaken),
            };
            command.remember(commit, now, 200, id, Overtaken).send(&world.table).await?;
            Ok(Reply::ok(show(thing)).revision(revision.saturating_add(1)))
        })
        .await
}
