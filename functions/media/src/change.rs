//! What is done with an asset: another name, words and rights, deletion; and how any change of one is committed.

use crate::show::{AssetView, kept, view};
use axum::extract::{Path, State};
use domain::Decision;
use domain::asset::{Asset, Fact, Rights};
use domain::text::{Locale, Name, Text};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use jiff::Timestamp;
use serde::Deserialize;
use std::collections::BTreeMap;
use table::due::Work;
use table::{Commit, Key, Story};

/// Changes an asset that the caller may see; answers it as it is afterwards, and as which revision.
pub(crate) async fn change<T>(
    world: &World,
    command: &Command<T>,
    id: &str,
    decide: impl Fn(&Asset) -> Result<Decision<Fact>, Problem>,
) -> Result<(Asset, Reply<AssetView>), Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = kept(world, m, &command.reach, id).await?;
            let (asset, key) = (&held.value, Key::asset(m, &held.value.id));
            let decided = decide(asset);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            let repeats = command.repeats(world, held.revision(), ahead).await?;
            let as_it_is = || {
                let reply = Reply::ok(view(world, m, asset)?).revision(held.revision()).replayed();
                Ok((asset.clone(), reply))
            };
            if repeats {
                return as_it_is();
            }
            let decided = command.audited(world, &key, asset.id.as_str(), decided).await?;
            let Decision::New(fact) = decided else { return as_it_is() };
            let next = asset.clone().apply(fact.clone());
            let now = world.now();
            let context = command.context(now);
            let story = Story::new([events::asset::announce(&next, &fact)]);
            let commit = Commit::new(m, &context).change(&held, &next, next.id.as_str(), story);
            let commit = rights_due(commit, &next);
            let commit = command.remember(commit, now, 200, next.id.as_str(), Overtaken);
            commit.send(&world.table).await?;
            let reply = Reply::ok(view(world, m, &next)?).revision(held.next_step());
            Ok((next, reply))
        })
        .await
}

/// When its rights begin and end it is looked at again. Work that is put twice is found done.
pub(crate) fn rights_due<'a, C: std::fmt::Debug>(commit: Commit<'a, C>, asset: &Asset) -> Commit<'a, C> {
    let rights = asset.rights.as_ref().filter(|_| asset.media.is_some());
    let moments = rights.into_iter().flat_map(|rights| [rights.from, rights.until]).flatten();
    moments.fold(commit, |commit, at| commit.due(Work::Rights, asset.id.as_str(), at))
}

/// What is not said stays.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ChangeAsset"))]
pub(crate) struct Describe {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    name: Option<String>,
    /// What it shows, in words, by language; null takes a language away.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Locale, Option<Text>>"))]
    alt: BTreeMap<String, Option<String>>,
    /// All of them; none, if it is empty.
    #[serde(default)]
    rights: Option<RightsBody>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetRights"))]
struct RightsBody {
    #[serde(default)]
    holder: Option<String>,
    /// Before this moment it is not shown.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    since: Option<String>,
    /// From this moment on it is not shown, and soon what was made of its file is gone for good: then another has
    /// to be sent.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    until: Option<String>,
}

fn alt(check: &mut Check, body: &Describe) -> Vec<(Locale, Option<Text>)> {
    let mut read = Vec::new();
    for (tag, words) in &body.alt {
        let locale = check.parse::<Locale>(format!("alt.{tag}"), tag);
        let words = words.as_ref().map(|words| check.parse::<Text>(format!("alt.{tag}"), words));
        match (locale, words) {
            (Some(locale), Some(Some(words))) => read.push((locale, Some(words))),
            (Some(locale), None) => read.push((locale, None)),
            (Some(_) | None, Some(_) | None) => {}
        }
    }
    read
}

pub(crate) async fn describe(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Describe>,
) -> Result<Reply<AssetView>, Problem> {
    let body = &command.body;
    // Looked at only once it is known that the asset is the caller's.
    let decide = |before: &Asset| {
        let mut check = Check::new();
        let name = check.maybe::<Name>("name", body.name.as_deref());
        let words = alt(&mut check, body);
        let rights = body.rights.as_ref().map(|rights| Rights {
            holder: check.maybe("rights.holder", rights.holder.as_deref()),
            from: check.maybe::<Timestamp>("rights.since", rights.since.as_deref()),
            until: check.maybe::<Timestamp>("rights.until", rights.until.as_deref()),
        });
        check.done()?;
        let mut alt = before.alt.clone();
        for (locale, words) in words {
            match words {
                Some(words) => alt.insert(locale, words),
                None => alt.remove(&locale),
            };
        }
        let rights = match rights {
            Some(rights) => Some(rights).filter(|rights| *rights != Rights::default()),
            None => before.rights.clone(),
        };
        Ok(before.describe(name.unwrap_or_else(|| before.name.clone()), alt, rights)?)
    };
    Ok(change(&world, &command, &id, decide).await?.1)
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeleteAsset"))]
pub(crate) struct Delete {
    /// Also where it is shown: it is shown no more, and products do not list it any more.
    #[serde(default)]
    force: bool,
}

/// So many who show it are counted.
const COUNTED: u16 = 100;

/// What is shown somewhere stays, unless it is said that it is to go from there too.
pub(crate) async fn delete(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Delete>,
) -> Result<Reply<AssetView>, Problem> {
    let m = &command.caller.marketplace;
    let held = kept(&world, m, &command.reach, &id).await?;
    let shown = if command.body.force || held.value.is_deleted() {
        0
    } else {
        world.table.asset_uses(m, &held.value.id, COUNTED, None).await?.items.len()
    };
    let decide = |before: &Asset| {
        if shown > 0 && !before.is_deleted() {
            let or_more = if shown >= usize::from(COUNTED) { " or more" } else { "" };
            return Err(Problem::new(409, "asset_shown", "The asset is shown")
                .with(format!("in {shown} places{or_more}: take it from there, or delete it with `force`"))
                .member("places", shown.into()));
        }
        Ok(before.delete(world.now()))
    };
    Ok(change(&world, &command, &id, decide).await?.1)
}
