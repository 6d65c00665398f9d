//! A file has come to the bucket, or an asset is gone.
//!
//! Told twice, or of a file that nobody waits for any more, it changes nothing and leaves nothing behind: whatever was
//! made of a file that is not shown is taken away at the end, each time. A crash before that end has the message come
//! again.

use crate::{made, place};
use bucket::Bucket;
use domain::Decision;
use domain::asset::{Asset, Outcome};
use domain::id::{AssetId, MarketplaceId};
use edge::command::Overtaken;
use edge::function::Object;
use edge::{Again, World};
use events::asset::AssetDeletedV1;
use events::{Context, Envelope};
use table::{Commit, Key, Story};

pub(crate) async fn arrived(world: World, object: Object) -> Result<(), Again> {
    let Some((m, id, file)) = place::sent_of(&object.key) else { return Ok(()) };
    let bucket = place::bucket(&world)?;
    let asset = world.table.load::<Asset>(&Key::asset(&m, &id)).await?;
    if asset.is_some_and(|held| held.value.awaits(file)) {
        let below = place::below_file(&m, &id, file);
        if let Some(outcome) = made::outcome(&bucket, &object.key, file, &below).await? {
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
    let next = held.value.clone().apply(fact.clone());
    let cause = format!("object:{}", object.key);
    let (actor, correlation) = ("system:media".to_owned(), cause.clone());
    let context = Context { at: now, actor, cause, correlation };
    let story = Story::new([events::asset::announce(&next, &fact)]);
    let commit: Commit<'_, Overtaken> = Commit::new(m, &context);
    Ok(commit.change(&held, &next, id.as_str(), story).send(&world.table).await?)
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
