//! Where files lie in the bucket: what is sent under `sent/`, and what was cut from it under `parts/`, below the import
//! and a name that every cutting has for itself. Both go when they are not needed any more; what a crash leaves
//! behind, the bucket forgets by itself.

use bucket::{Bucket, Fault};
use domain::id::{ImportId, MarketplaceId};
use domain::import::{Import, Stage};
use domain::text::Word;
use edge::World;

pub(crate) fn bucket(world: &World) -> Result<Bucket, Fault> {
    Bucket::of(world, "IMPORTS")
}

pub(crate) fn sent(m: &MarketplaceId, import: &ImportId) -> String {
    format!("sent/{m}/{import}")
}

/// Whose file lies under a key.
pub(crate) fn sent_of(key: &str) -> Option<(MarketplaceId, ImportId)> {
    let (m, import) = key.strip_prefix("sent/")?.split_once('/')?;
    Some((m.parse().ok()?, import.parse().ok()?))
}

fn below(m: &MarketplaceId, import: &ImportId) -> String {
    format!("parts/{m}/{import}/")
}

/// What was cut from a file by one cutting.
pub(crate) fn below_cut(m: &MarketplaceId, import: &ImportId, cut: &Word) -> String {
    format!("{}{cut}/", below(m, import))
}

/// A part, counted from 0.
pub(crate) fn part(below: &str, number: u32) -> String {
    format!("{below}{number:07}.json")
}

/// Takes away what an import does not need any more: all that was cut by others than the one that counts, and
/// everything once it has ended.
pub(crate) async fn tidy(bucket: &Bucket, m: &MarketplaceId, import: &Import) -> Result<(), Fault> {
    let kept = match &import.stage {
        Stage::AwaitingFile { .. } => return Ok(()),
        Stage::Running { cut, .. } => Some(below_cut(m, &import.id, cut)),
        Stage::Done { .. } | Stage::Failed { .. } | Stage::Canceled { .. } => None,
    };
    let (below, mut after) = (below(m, &import.id), None);
    loop {
        let names = bucket.names(&below, after).await?;
        let Some(last) = names.last().cloned() else { return Ok(()) };
        let needed = |name: &String| kept.as_ref().is_some_and(|kept| name.starts_with(kept));
        let stale: Vec<String> = names.into_iter().filter(|name| !needed(name)).collect();
        bucket.delete_all(&stale).await?;
        after = Some(last);
    }
}
