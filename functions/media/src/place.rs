//! What lies where in the bucket (`edge::shown` names the places): what is sent under `sent/`, which nobody can fetch
//! and which is forgotten after a day; what is shown under `media/`, below its asset and the number of its file.
//!
//! A file's name follows from its content, so whoever has fetched it may keep it for ever.

use bucket::{Bucket, Fault};
use domain::asset::Asset;
use domain::id::{AssetId, MarketplaceId};
use edge::World;
use edge::shown::below;

pub(crate) fn bucket(world: &World) -> Result<Bucket, Fault> {
    Bucket::of(world, "MEDIA")
}

/// Whose file lies under a key, and which.
pub(crate) fn sent_of(key: &str) -> Option<(MarketplaceId, AssetId, u32)> {
    let mut parts = key.strip_prefix("sent/")?.split('/');
    let of = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(of)
}

/// Whose file it is that is shown under a key, and which.
pub(crate) fn asset_of(key: &str) -> Option<(MarketplaceId, AssetId, u32)> {
    let mut parts = key.strip_prefix("media/")?.split('/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Takes away what was made of files that are not shown any more. Whatever comes between is newer, and stays.
pub(crate) async fn tidy(bucket: &Bucket, m: &MarketplaceId, asset: &Asset) -> Result<(), Fault> {
    let below = below(m, &asset.id);
    let mut after = None;
    loop {
        let names = bucket.names(&below, after).await?;
        let kept = |name: &String| asset_of(name).is_some_and(|(_, _, file)| asset.keeps(file));
        let last = names.last().cloned();
        let stale: Vec<String> = names.into_iter().filter(|name| !kept(name)).collect();
        bucket.delete_all(&stale).await?;
        match last {
            Some(last) => after = Some(last),
            None => return Ok(()),
        }
    }
}
