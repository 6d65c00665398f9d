//! Translations: which value was made from which, and whether that still says the same.
//!
//! Beside a translated value lies a digest of the source that it was made from ([`Path::Translation`]); it is stale as
//! soon as the source has another digest, without anybody marking it (so no change can forget to). Rows for translators
//! carry the digest there and back, and a row whose source has changed since is refused. Those of many products are
//! one [`file`].

pub mod file;

use crate::pim::attribute::{Place, shown};
use crate::pim::data::Data;
use crate::pim::family::Model;
use crate::pim::history::Diff;
use crate::pim::sheet::{Content, Patch, Path, Refused, Sheet, Slot};
use crate::text::Locale;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What a value was translated from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translated {
    pub from: Locale,
    /// Of the source's value, as it was.
    pub of: String,
    /// Whether somebody stands by it; else it is a draft.
    pub done: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TranslationStatus"))]
pub enum Status {
    Missing,
    Draft,
    /// What follows no source is done.
    Done,
    /// Its source says something else by now, or nothing.
    Stale,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no status of a translation")]
pub struct NotAStatus(String);

impl Status {
    /// Its name in the API and in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Draft => "draft",
            Self::Done => "done",
            Self::Stale => "stale",
        }
    }
}

impl std::str::FromStr for Status {
    type Err = NotAStatus;
    fn from_str(text: &str) -> Result<Self, NotAStatus> {
        let all = [Self::Missing, Self::Draft, Self::Done, Self::Stale];
        let named = all.into_iter().find(|status| status.word().eq_ignore_ascii_case(text));
        named.ok_or_else(|| NotAStatus(shown(text)))
    }
}

/// A value and its translation, side by side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Where the translation stands, or will.
    pub path: Path,
    pub source: Data,
    /// The digest of the source: it comes back with the translation.
    pub of: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Data>,
    pub status: Status,
}

/// A row that comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incoming {
    pub path: Path,
    pub of: String,
    /// The digest of what the translation said when the row went out; none: it said nothing.
    pub was: Option<String>,
    pub target: Data,
    pub done: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    #[error("it is no value in another language than the source")]
    NoTarget,
    #[error("its source is gone")]
    Gone,
    #[error("its source has changed since: fetch the row again")]
    Changed,
    #[error("the translation says something else by now than when the row went out")]
    Overtaken,
    #[error(transparent)]
    Refused(Refused),
}

impl Translated {
    fn keep(&self) -> Data {
        Data::map([
            ("from", Data::text(self.from.as_str())),
            ("of", Data::text(self.of.as_str())),
            ("done", Data::Bool(self.done)),
        ])
    }

    fn kept(data: &Data) -> Option<Self> {
        let map = data.as_map()?;
        Some(Self {
            from: map.get("from")?.as_text()?.parse().ok()?,
            of: map.get("of")?.as_text()?.to_owned(),
            done: map.get("done") == Some(&Data::Bool(true)),
        })
    }
}

/// The value of the same name in another language.
fn within(slot: &Slot, locale: &Locale) -> Slot {
    Slot { place: Place { locale: Some(locale.clone()), ..slot.place.clone() }, ..slot.clone() }
}

fn source_digest(content: &Content, target: &Slot, from: &Locale) -> Option<String> {
    content.get(&Path::Value(within(target, from))).map(Data::digest)
}

/// How it stands with a value that may be a translation.
pub fn status(content: &Content, target: &Slot) -> Status {
    if content.get(&Path::Value(target.clone())).is_none() {
        return Status::Missing;
    }
    let made = content.get(&Path::Translation(target.clone())).and_then(Translated::kept);
    match made {
        None => Status::Done,
        Some(made) if source_digest(content, target, &made.from).as_ref() != Some(&made.of) => Status::Stale,
        Some(made) if made.done => Status::Done,
        Some(_) => Status::Draft,
    }
}

/// All values that no longer say what their sources say.
pub fn stale(content: &Content) -> BTreeSet<Slot> {
    let slots = content.values().map(|(slot, _)| slot);
    slots.filter(|slot| status(content, slot) == Status::Stale).cloned().collect()
}

/// All that is said in one language, beside what is said in the other.
pub fn rows(content: &Content, from: &Locale, to: &Locale) -> Vec<Row> {
    let sources = content.values().filter(|(slot, _)| slot.place.locale.as_ref() == Some(from));
    let row = |(slot, source): (&Slot, &Data)| {
        let target = within(slot, to);
        Row {
            source: source.clone(),
            of: source.digest(),
            target: content.get(&Path::Value(target.clone())).cloned(),
            status: status(content, &target),
            path: Path::Value(target),
        }
    };
    sources.map(row).collect()
}

/// The sheet with the rows that can be taken, and why each other one was not, by its number from 0.
pub fn take(
    sheet: &Sheet,
    rows: &[Incoming],
    from: &Locale,
    model: &Model,
    variants: &[u16],
) -> Result<(Sheet, Vec<(usize, NotTaken)>), Refused> {
    let mut taken = sheet.clone();
    let mut refused = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        match take_row(&taken, row, from, model, variants) {
            Ok(next) => taken = next,
            Err(why) => refused.push((at, why)),
        }
    }
    Ok((sheet.next(taken.content)?, refused))
}

fn take_row(
    sheet: &Sheet,
    row: &Incoming,
    from: &Locale,
    model: &Model,
    variants: &[u16],
) -> Result<Sheet, NotTaken> {
    let slot = match &row.path {
        Path::Value(slot) => slot,
        Path::Family | Path::Assets | Path::Translation(_) => return Err(NotTaken::NoTarget),
    };
    if slot.place.locale.as_ref().is_none_or(|to| to == from) {
        return Err(NotTaken::NoTarget);
    }
    let now = source_digest(&sheet.content, slot, from).ok_or(NotTaken::Gone)?;
    if now != row.of {
        return Err(NotTaken::Changed);
    }
    let there = sheet.content.get(&row.path);
    if there.is_some_and(|there| *there != row.target) && there.map(Data::digest) != row.was {
        return Err(NotTaken::Overtaken);
    }
    let made = Translated { from: from.clone(), of: now, done: row.done };
    let mut patch = Patch::default();
    if row.target != Data::Null {
        patch.edits.insert(Path::Translation(slot.clone()), made.keep());
    }
    patch.edits.insert(row.path.clone(), row.target.clone());
    sheet.patch(&patch, model, variants).map_err(NotTaken::Refused)
}

/// What was written by hand in other languages than the source's was written with the source in view: it is done, and
/// follows the source from now on. To be called on every edit by hand, before it is kept.
pub fn follow(before: &Sheet, after: Sheet, source: &Locale) -> Result<Sheet, Refused> {
    let diff = Diff::between(&before.content, &after.content);
    let mut content = after.content.clone();
    for step in diff.steps().iter().filter(|step| step.after.is_some()) {
        let slot = match &step.path {
            Path::Value(slot) if slot.place.locale.as_ref().is_some_and(|locale| locale != source) => slot,
            Path::Value(_) | Path::Family | Path::Assets | Path::Translation(_) => continue,
        };
        if let Some(of) = source_digest(&content, slot, source) {
            let made = Translated { from: source.clone(), of, done: true };
            content.set(Path::Translation(slot.clone()), Some(made.keep()));
        }
    }
    before.next(content)
}

#[cfg(test)]
mod tests;
