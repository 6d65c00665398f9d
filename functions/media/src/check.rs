//! What lies in the bucket and is shown nowhere, and what is shown and does not lie there: for whoever runs the
//! deployment. Nobody asks for it on a request or a schedule, for a handled file leaves nothing behind.

use crate::place::{asset_of, bucket};
use domain::asset::{Asset, Kind};
use domain::id::{AssetId, MarketplaceId};
use edge::shown::below_file;
use edge::{Again, World};
use std::collections::BTreeSet;
use table::Key;

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Files that lie there.
    pub files: u64,
    /// Of them, those that no asset keeps.
    pub stray: Vec<String>,
    /// Files that are shown and are not there, of assets of which something is.
    pub lacking: Vec<String>,
}

/// The asset whose files are being looked at.
struct Looked {
    of: (MarketplaceId, AssetId),
    asset: Option<Asset>,
    /// What is shown of it and was not met yet.
    missing: BTreeSet<String>,
}

/// Looks at every file; with `repair`, stray ones are taken away.
///
/// # Errors
/// If bucket or table does not answer.
pub async fn check(world: &World, repair: bool) -> Result<Checked, Again> {
    let bucket = bucket(world)?;
    let mut checked = Checked::default();
    let (mut after, mut looked) = (None::<String>, None::<Looked>);
    loop {
        let names = bucket.names("media/", after).await?;
        let mut stray = Vec::new();
        for name in &names {
            checked.files = checked.files.saturating_add(1);
            let Some((m, id, file)) = asset_of(name) else {
                stray.push(name.clone());
                continue;
            };
            let of = (m, id);
            if looked.as_ref().is_none_or(|looked| looked.of != of) {
                checked.lacking.extend(looked.take().into_iter().flat_map(|before| before.missing));
                looked = Some(look(world, of).await?);
            }
            if let Some(looked) = &mut looked {
                looked.missing.remove(name);
                if !looked.asset.as_ref().is_some_and(|asset| asset.keeps(file)) {
                    stray.push(name.clone());
                }
            }
        }
        if repair {
            bucket.delete_all(&stray).await?;
        }
        checked.stray.extend(stray);
        match names.last() {
            Some(last) => after = Some(last.clone()),
            None => break,
        }
    }
    checked.lacking.extend(looked.into_iter().flat_map(|last| last.missing));
    Ok(checked)
}

async fn look(world: &World, of: (MarketplaceId, AssetId)) -> Result<Looked, Again> {
    let held = world.table.load::<Asset>(&Key::asset(&of.0, &of.1)).await?;
    let asset = held.map(|held| held.value);
    let missing = asset.as_ref().map(|asset| shown(&of.0, asset)).unwrap_or_default();
    Ok(Looked { of, asset, missing })
}

/// The names of what is shown of an asset; of its tiles the manifest, which is put last.
fn shown(m: &MarketplaceId, asset: &Asset) -> BTreeSet<String> {
    let Some(media) = &asset.media else { return BTreeSet::new() };
    let below = below_file(m, &asset.id, media.file);
    let one = |name: &dyn std::fmt::Display, extension: &str| format!("{below}{name}.{extension}");
    match &media.kind {
        Kind::Picture(picture) => {
            let sizes = picture.renditions.iter();
            let sizes =
                sizes.flat_map(|made| [one(&made.webp.sha256, "webp"), one(&made.jpeg.sha256, "jpg")]);
            sizes.chain(picture.zoom.iter().map(|zoom| one(&zoom.name, "dzi"))).collect()
        }
        Kind::Video { shown, .. } => BTreeSet::from([one(&shown.sha256, "mp4")]),
        Kind::Model { shown, .. } => BTreeSet::from([one(&shown.sha256, "glb")]),
        Kind::Document { shown } => BTreeSet::from([one(&shown.sha256, "pdf")]),
    }
}
