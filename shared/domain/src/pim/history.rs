//! Changes of what is said: who, when, why, and from what to what.
//!
//! A [`Diff`] names paths with their values before and after, so it can be taken back as well as made. [`restore`]
//! takes back all changes since a version: what is said is then equal to that version byte for byte, and is a new
//! version of its own (A3(5)); nothing of the history goes away. A change may wait for its time; if what it was to
//! replace has become something else meanwhile, it says so and does nothing.

use crate::pim::data::{Data, enclosed, text_size};
use crate::pim::sheet::{Content, Path, Refused, Sheet};
use crate::text::Reason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// One path that a change touches. None: there is nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    pub path: Path,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Data>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Data>,
}

/// By path, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Diff(Vec<Step>);

/// One version, and how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The version that it made.
    pub version: u32,
    pub at: Timestamp,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    pub diff: Diff,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unrestorable {
    #[error("version {0} is not there: versions go from 0 to the current one")]
    Version(u32),
    #[error("the change that made version {0} is missing")]
    Gap(u32),
    #[error("{path} is not what version {version} left there")]
    Broken { version: u32, path: Path },
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Diff {
    pub fn between(before: &Content, after: &Content) -> Self {
        let paths: BTreeSet<&Path> = before.iter().chain(after.iter()).map(|(path, _)| path).collect();
        let step = |path: &Path| Step {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        };
        Self(paths.into_iter().map(step).filter(|step| step.before != step.after).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|step| &step.path)
    }

    /// Bytes of its JSON.
    pub fn size(&self) -> usize {
        let part =
            |name: &str, data: &Option<Data>| data.as_ref().map(|data| text_size(name) + 1 + data.size());
        enclosed(self.0.iter().map(|step| {
            let path = text_size("path") + 1 + text_size(&step.path.to_string());
            let sides = part("before", &step.before).into_iter().chain(part("after", &step.after));
            enclosed(std::iter::once(path).chain(sides))
        }))
    }

    pub fn apply(&self, content: &mut Content) {
        for step in &self.0 {
            content.set(step.path.clone(), step.after.clone());
        }
    }

    pub fn revert(&self, content: &mut Content) {
        for step in &self.0 {
            content.set(step.path.clone(), step.before.clone());
        }
    }
}

impl Change {
    /// What made `after` of `before`; nothing, where nothing is different.
    pub fn of(
        before: &Sheet,
        after: &Sheet,
        at: Timestamp,
        by: &str,
        reason: Option<Reason>,
    ) -> Option<Self> {
        let diff = Diff::between(&before.content, &after.content);
        let change = Self { version: after.version, at, by: by.to_owned(), reason, diff };
        (!change.diff.is_empty()).then_some(change)
    }
}

/// The sheet that says again what it said in `version`. `newer` are the changes since then, in any order; others do not
/// matter. Where nothing is different, it stays the version that it is.
pub fn restore(current: &Sheet, version: u32, newer: &[Change]) -> Result<Sheet, Unrestorable> {
    if version > current.version {
        return Err(Unrestorable::Version(version));
    }
    let mut content = current.content.clone();
    for made in ((version + 1)..=current.version).rev() {
        let change = newer.iter().find(|change| change.version == made).ok_or(Unrestorable::Gap(made))?;
        let broken = change.diff.0.iter().find(|step| content.get(&step.path) != step.after.as_ref());
        if let Some(step) = broken {
            return Err(Unrestorable::Broken { version: made, path: step.path.clone() });
        }
        change.diff.revert(&mut content);
    }
    Ok(current.next(content)?)
}

/// A change that waits for its time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    pub due: Timestamp,
    pub by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Against what was said when it was planned.
    pub diff: Diff,
}

/// What a change was to replace has become something else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub path: Path,
    pub expected: Option<Data>,
    pub found: Option<Data>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotNow {
    #[error("it is due at {0}")]
    Early(Timestamp),
    #[error("{} of what it was to replace has changed meanwhile, first: {}", .0.len(),
        .0.first().map(|conflict| conflict.path.to_string()).unwrap_or_default())]
    Conflicts(Vec<Conflict>),
    #[error(transparent)]
    Refused(#[from] Refused),
}

impl Scheduled {
    /// The sheet after it, or all its conflicts. What is as wanted already is none.
    pub fn perform(&self, current: &Sheet, now: Timestamp) -> Result<Sheet, NotNow> {
        if now < self.due {
            return Err(NotNow::Early(self.due));
        }
        let conflicts = self.conflicts(current);
        if !conflicts.is_empty() {
            return Err(NotNow::Conflicts(conflicts));
        }
        let mut content = current.content.clone();
        self.diff.apply(&mut content);
        Ok(current.next(content)?)
    }

    /// What it would meet now: a preview.
    pub fn conflicts(&self, current: &Sheet) -> Vec<Conflict> {
        let conflict = |step: &Step| {
            let found = current.content.get(&step.path);
            let fits = found == step.before.as_ref() || found == step.after.as_ref();
            let told =
                || Conflict { path: step.path.clone(), expected: step.before.clone(), found: found.cloned() };
            (!fits).then(told)
        };
        self.diff.0.iter().filter_map(conflict).collect()
    }
}

#[cfg(test)]
mod tests;
