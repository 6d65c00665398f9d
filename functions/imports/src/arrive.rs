//! A file has come to the bucket: it is cut into parts, and the import runs; or it fails, and says why.
//!
//! Told of five times, or sent anew meanwhile, it is one cutting that counts: each has a place of its own, and the
//! commit names it. What others have cut is taken away.

use crate::cut::{self, FILE_MAX, Part, Stop};
use crate::place;
use bucket::{Bucket, File, Poured};
use domain::Decision;
use domain::id::{ImportId, MarketplaceId};
use domain::import::{Fact, Import};
use domain::text::{Text, Word};
use edge::command::Overtaken;
use edge::function::Object;
use edge::{Again, World};
use events::Context;
use futures::future::try_join_all;
use table::{Commit, Key, Story};
use tokio::sync::mpsc;

/// Parts that are put into the bucket at once.
const PUT_AT_ONCE: usize = 8;
/// A reason is no longer.
const WHY_MAX: usize = 500;

/// What came of a file: so many parts, or why it is not taken.
type Outcome = Result<u32, Text>;

pub(crate) async fn arrived(world: World, object: Object) -> Result<(), Again> {
    let Some((m, id)) = place::sent_of(&object.key) else { return Ok(()) };
    let bucket = place::bucket(&world)?;
    let Some(held) = world.table.load::<Import>(&Key::import(&m, &id)).await? else {
        return Ok(bucket.delete(&object.key).await?);
    };
    if held.value.awaits_file() {
        let cut = ImportId::from_bits(world.fresh()).tail().parse::<Word>();
        let cut = cut.map_err(|error| Again::call("name what is cut", error))?;
        if let Some(outcome) = cut_up(&bucket, &m, &held.value, &object.key, &cut).await? {
            world.until_free(|| judge(&world, &object.key, (&m, &id, &cut), outcome.clone())).await?;
        }
    }
    bucket.delete(&object.key).await?;
    match world.table.load::<Import>(&Key::import(&m, &id)).await? {
        Some(held) => Ok(place::tidy(&bucket, &m, &held.value).await?),
        None => Ok(()),
    }
}

/// None where there is no file: somebody else was quicker.
async fn cut_up(
    bucket: &Bucket,
    m: &MarketplaceId,
    import: &Import,
    key: &str,
    cut: &Word,
) -> Result<Option<Outcome>, Again> {
    let below = place::below_cut(m, &import.id, cut);
    let mut file = tempfile::tempfile().map_err(|error| Again::call("make room for the file", error))?;
    match bucket.fetch_into(key, FILE_MAX, &mut file).await? {
        Poured::Nothing => return Ok(None),
        Poured::TooLarge => {
            return Ok(Some(Err(said(&format!("{}: it has more than {FILE_MAX} bytes", import.name))?)));
        }
        Poured::All(_) => {}
    }
    let (put, mut parts) = mpsc::channel::<Part>(PUT_AT_ONCE);
    let (name, format) = (import.name.to_string(), import.format);
    let cutting = tokio::task::spawn_blocking(move || {
        cut::cut(file, &name, format, &mut |part| put.blocking_send(part).is_ok())
    });
    let mut count = 0_u32;
    let mut waiting = Vec::with_capacity(PUT_AT_ONCE);
    loop {
        let part = parts.recv().await;
        let ended = part.is_none();
        if let Some(part) = part {
            let bytes = serde_json::to_vec(&part).map_err(|error| Again::call("write a part", error))?;
            waiting.push((place::part(&below, count), bytes));
            count = count.saturating_add(1);
        }
        if waiting.len() >= PUT_AT_ONCE || ended {
            let keep = |(key, bytes): (String, Vec<u8>)| async move {
                bucket.keep(&key, File { content_type: "application/json", bytes, ..File::default() }).await
            };
            try_join_all(waiting.drain(..).map(keep)).await?;
        }
        if ended {
            break;
        }
    }
    let damaged = || format!("{}: it is damaged: save it anew, or as CSV in UTF-8", import.name);
    Ok(Some(match cutting.await {
        Ok(Ok(())) => Ok(count),
        Ok(Err(Stop::Unreadable(why))) => Err(said(&why.to_string())?),
        Ok(Err(Stop::Place(error))) => return Err(Again::call("read the file", error)),
        Ok(Err(Stop::Unheard)) => return Err(Again::Early("the next part of the file".to_owned())),
        // A reader that fell over its content will do so each time.
        Err(error) if error.is_panic() => Err(said(&damaged())?),
        Err(error) => return Err(Again::call("cut the file", error)),
    }))
}

/// A reason that can be kept and shown.
pub(crate) fn said(why: &str) -> Result<Text, Again> {
    let shown = |c: char| if c.is_control() { ' ' } else { c };
    let why: String = why.chars().map(shown).take(WHY_MAX).collect();
    why.trim().parse().map_err(|error: domain::text::NotAText| Again::call("say why", error))
}

/// What was cut lies there already: only the commit comes again when somebody else writes.
async fn judge(
    world: &World,
    key: &str,
    (m, id, cut): (&MarketplaceId, &ImportId, &Word),
    outcome: Outcome,
) -> Result<(), Again> {
    let Some(held) = world.table.load::<Import>(&Key::import(m, id)).await? else { return Ok(()) };
    let (import, now) = (&held.value, world.now());
    let decision = match outcome {
        _ if !import.awaits_file() => Decision::Already,
        Ok(parts) => import.begin(cut.clone(), parts, now),
        Err(why) => import.fail(why, now),
    };
    let Decision::New(fact) = decision else { return Ok(()) };
    let cause = format!("object:{key}");
    let context = Context { at: now, actor: "system:imports".to_owned(), correlation: cause.clone(), cause };
    commit(world, m, &context, (&held, fact), |commit| commit).await
}

/// A fact of an import, with whatever belongs to it.
pub(crate) async fn commit<'a>(
    world: &World,
    m: &'a MarketplaceId,
    context: &'a Context,
    (held, fact): (&table::Held<Import>, Fact),
    with: impl FnOnce(Commit<'a, Overtaken>) -> Commit<'a, Overtaken>,
) -> Result<(), Again> {
    let next = held.value.clone().apply(fact.clone());
    let story = Story::new([events::import::announce(&next, &fact)]);
    let commit = Commit::new(m, context).change(held, &next, next.id.as_str(), story);
    Ok(with(commit).send(&world.table).await?)
}
