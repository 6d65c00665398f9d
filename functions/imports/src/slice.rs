//! The next part of an import is written, then counted, and brings the one after it.
//!
//! A crash in between has the same part come again: what it has written is found as it is. A message of a part that is
//! counted, or of an import that has ended, changes nothing.

use crate::arrive::{commit, said};
use crate::cut::{BYTES_OF_PART, Part, ROW_MAX};
use crate::place;
use crate::rows::{Job, Written, write};
use bucket::Found;
use domain::Decision;
use domain::id::{ImportId, MarketplaceId};
use domain::import::{Fact, Import};
use domain::pim::exchange::Profile;
use edge::command::Overtaken;
use edge::{Again, World};
use events::import::ImportAdvancedV1;
use events::{Context, Envelope};
use table::import::{BadRowOfImport, ProfileOfImport};
use table::{Held, Key};

/// A part as it lies in the bucket; names of columns stand in it with every row.
const PART_MAX: usize = 8 * (BYTES_OF_PART + ROW_MAX);

pub(crate) async fn advanced(world: World, event: Envelope<ImportAdvancedV1>) -> Result<(), Again> {
    let (m, id, reached) = (&event.marketplace, &event.data.import, event.data.reached);
    let Some(held) = world.table.load::<Import>(&Key::import(m, id)).await? else { return Ok(()) };
    let import = &held.value;
    let bucket = place::bucket(&world)?;
    let Some(cut) = import.next_part(reached) else {
        return if import.stage.is_end() { Ok(place::tidy(&bucket, m, import).await?) } else { Ok(()) };
    };
    let context = Context::follows(&event, world.now(), "imports");
    let key = place::part(&place::below_cut(m, id, cut), reached);
    let part = match bucket.fetch(&key, PART_MAX).await? {
        Found::File(bytes) => serde_json::from_slice::<Part>(&bytes).map_err(Again::Unreadable)?,
        Found::Nothing | Found::TooLarge => {
            let why = format!("{}: what was cut from it is not there any more: send it again", import.name);
            let why = said(&why)?;
            let fact = |import: &Import| import.fail(why.clone(), context.at);
            return settle(&world, (m, id), &context, fact, &Written::default()).await;
        }
    };
    let profile = profile_of(&world, m, id).await?;
    // What is written is written by whoever asked for it.
    let by = Context { actor: import.by.clone(), ..context.clone() };
    let job = Job { world: &world, m, import, profile: &profile, context: &by };
    let written = write(&job, part).await?;
    let fact = |import: &Import| import.advance(reached, written.counts, context.at);
    settle(&world, (m, id), &context, fact, &written).await?;
    match world.table.load::<Import>(&Key::import(m, id)).await? {
        Some(held) if held.value.stage.is_end() => Ok(place::tidy(&bucket, m, &held.value).await?),
        Some(_) | None => Ok(()),
    }
}

async fn profile_of(world: &World, m: &MarketplaceId, id: &ImportId) -> Result<Profile, Again> {
    let held = world.table.load::<ProfileOfImport>(&Key::profile_of_import(m, id)).await?;
    held.map(|held| held.value.profile).ok_or_else(|| Again::Early(format!("the profile of {id}")))
}

/// Only this comes again when somebody else writes the import: what was counted stays counted.
async fn settle(
    world: &World,
    (m, id): (&MarketplaceId, &ImportId),
    context: &Context,
    decide: impl Fn(&Import) -> Decision<Fact>,
    written: &Written,
) -> Result<(), Again> {
    let decide = &decide;
    world
        .until_free(|| async move {
            let held: Option<Held<Import>> = world.table.load(&Key::import(m, id)).await?;
            let Some(held) = held else { return Ok(()) };
            let Decision::New(fact) = decide(&held.value) else { return Ok(()) };
            let counts = held.value.counts;
            let kept = counts.room(u32::try_from(written.bad.len()).unwrap_or(u32::MAX));
            let numbers = counts.refused.saturating_add(1)..;
            let bad = written.bad.iter().take(usize::try_from(kept).unwrap_or_default());
            let bad: Vec<BadRowOfImport> = numbers
                .zip(bad)
                .map(|(number, row)| {
                    let (import, row) = (id.clone(), row.clone());
                    BadRowOfImport { import, number, found_at: context.at, row }
                })
                .collect();
            let with = |commit| {
                bad.iter().fold(commit, |commit: table::Commit<'_, _>, row| commit.add(row, Overtaken))
            };
            commit(world, m, context, (&held, fact), with).await
        })
        .await
}
