//! Where files lie in the bucket: what is sent under `sent/`, which nobody can fetch and which is forgotten after a
//! day; what is shown under `media/`, below its asset and the number of its file.
//!
//! A file's name follows from its content, so whoever has fetched it may keep it for ever.

use bucket::{Bucket, Fault};
use domain::asset::{Asset, Media};
use domain::id::{AssetId, MarketplaceId};
use edge::World;
use edge::world::Unset;

pub(crate) fn bucket(world: &World) -> Result<Bucket, Fault> {
    Bucket::of(world, "MEDIA")
}

/// Where everybody fetches what is shown.
pub(crate) fn front(world: &World) -> Result<String, Unset> {
    Ok(world.variable("MEDIA_ADDRESS")?.trim_end_matches('/').to_owned())
}

pub(crate) fn sent(m: &MarketplaceId, asset: &AssetId, file: u32) -> String {
    format!("sent/{m}/{asset}/{file}")
}

/// Whose file lies under a key, and which.
pub(crate) fn sent_of(key: &str) -> Option<(MarketplaceId, AssetId, u32)> {
    let mut parts = key.strip_prefix("sent/")?.split('/');
    let of = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(of)
}

/// Everything that was made of an asset's files.
fn below(m: &MarketplaceId, asset: &AssetId) -> String {
    format!("media/{m}/{asset}/")
}

/// Everything that was made of one of them.
pub(crate) fn below_file(m: &MarketplaceId, asset: &AssetId, file: u32) -> String {
    format!("{}{file}/", below(m, asset))
}

/// Whose file it is that is shown under a key, and which.
pub(crate) fn asset_of(key: &str) -> Option<(MarketplaceId, AssetId, u32)> {
    let mut parts = key.strip_prefix("media/")?.split('/');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Where what is shown is fetched.
#[derive(Debug, Clone)]
pub(crate) struct Shelf {
    below: String,
}

impl Shelf {
    pub(crate) fn of(front: &str, m: &MarketplaceId, asset: &Asset, media: &Media) -> Self {
        Self::at(front, m, &asset.id, media.file)
    }

    pub(crate) fn at(front: &str, m: &MarketplaceId, asset: &AssetId, file: u32) -> Self {
        Self { below: format!("{front}/{}", below_file(m, asset, file)) }
    }

    pub(crate) fn address(&self, name: impl std::fmt::Display, extension: &str) -> String {
        format!("{}{name}.{extension}", self.below)
    }
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
