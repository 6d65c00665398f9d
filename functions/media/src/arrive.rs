//! A file has come to the bucket, the rights of an asset begin or end, or it is gone.
//!
//! Told twice, or of a file that nobody waits for any more, it changes nothing and leaves nothing behind: whatever was
//! made of a file that is not shown is taken away at the end, each time. A crash before that end has the message come
//! again.

use crate::change::rights_due;
use crate::{made, place};
use bucket::Bucket;
use domain::Decision;
use domain::asset::{Asset, Fact, Outcome};
use domain::id::{AssetId, MarketplaceId};
use edge::command::Overtaken;
use edge::function::Object;
use edge::shown::below_file;
use edge::{Again, World};
use events::asset::{AssetDeletedV1, AssetRightsDueV1};
use events::{Context, Envelope};
use table::{Commit, Held, Key, Story};

pub(crate) async fn arrived(world: World, object: Object) -> Result<(), Again> {
    let Some((m, id, file)) = place::sent_of(&object.key) else { return Ok(()) };
    let bucket = place::bucket(&world)?;
    let asset = world.table.load::<Asset>(&Key::asset(&m, &id)).await?;
    if let Some(held) = asset.filter(|held| held.value.awaits(file)) {
        let photo = held.value.review.is_some();
        let below = below_file(&m, &id, file);
        if let Some(outcome) = made::outcome(&bucket, &object.key, (file, photo), &below).await? {
            world.until_free(|| judge(&world, &object, (&m, &id, file), outcome.clone())).await?;
        }
    }
    bucket.delete(&object.key).await?;
    tidy(&world, &bucket, &m, &id).await
}

/// What was made of the file lies there already: only the commit comes again when somebody else writes.
async fn judge(
    world: &World,
    object: &Object,
    (m, id, file): (&MarketplaceId, &AssetId, u32),
    outcome: Outcome,
) -> Result<(), Again> {
    let Some(held) = world.table.load::<Asset>(&Key::asset(m, id)).await? else { return Ok(()) };
    let now = world.now();
    let Decision::New(fact) = held.value.judge(file, outcome, now) else { return Ok(()) };
    let cause = format!("object:{}", object.key);
    let (actor, correlation) = ("system:media".to_owned(), cause.clone());
    record(world, m, &held, fact, Context { at: now, actor, cause, correlation }).await
}

async fn record(
    world: &World,
    m: &MarketplaceId,
    held: &Held<Asset>,
    fact: Fact,
    context: Context,
) -> Result<(), Again> {
    let next = held.value.clone().apply(fact.clone());
    let story = Story::new([events::asset::announce(&next, &fact)]);
    let commit: Commit<'_, Overtaken> = Commit::new(m, &context);
    let commit = commit.change(held, &next, next.id.as_str(), story);
    // Of a file that is there now the rights may begin or end, or have ended before it came.
    let commit = match fact {
        Fact::FileReady { .. } => rights_due(commit, &next),
        Fact::FileAwaited { .. }
        | Fact::FileRefused { .. }
        | Fact::Described { .. }
        | Fact::RightsBegan
        | Fact::RightsEnded { .. }
        | Fact::Deleted { .. } => commit,
    };
    Ok(commit.send(&world.table).await?)
}

/// Rights begin or end: what is shown is told of anew, what is not shown any more is gone.
pub(crate) async fn rights(world: World, event: Envelope<AssetRightsDueV1>) -> Result<(), Again> {
    let (m, id) = (&event.marketplace, &event.data.asset);
    let Some(held) = world.table.load::<Asset>(&Key::asset(m, id)).await? else { return Ok(()) };
    let now = world.now();
    let due = held.value.rights_due(now);
    // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
    if due == Decision::Already && held.value.rights_due(event.at) != Decision::Already {
        return Err(Again::Early(id.to_string()));
    }
    if let Decision::New(fact) = due {
        record(&world, m, &held, fact, Context::follows(&event, now, "media")).await?;
    }
    tidy(&world, &place::bucket(&world)?, m, id).await
}

async fn tidy(world: &World, bucket: &Bucket, m: &MarketplaceId, id: &AssetId) -> Result<(), Again> {
    match world.table.load::<Asset>(&Key::asset(m, id)).await? {
        Some(held) => Ok(place::tidy(bucket, m, &held.value).await?),
        None => Ok(()),
    }
}

pub(crate) async fn deleted(world: World, event: Envelope<AssetDeletedV1>) -> Result<(), Again> {
    let bucket = place::bucket(&world)?;
    tidy(&world, &bucket, &event.marketplace, &event.data.asset).await
}
