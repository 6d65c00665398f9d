//! A catalog that comes as a file: asked for, cut into parts, written part after part.
//!
//! Owns a job's life: `awaiting_file → running → done | failed | canceled`. How far it is, is a number of parts; each
//! is counted once, in their order, so that a message that comes again, or late, changes nothing. A job that is at
//! its end stays there. What is wrong with rows is kept for so many of them and only counted after that.
//!
//! Absent on purpose: files, rows and what becomes of them. A part is whatever `imports` has cut.

use crate::Decision;
use crate::id::{ImportId, MerchantId};
use crate::text::{Code, Name, Text, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Refused rows of one job whose flaws are kept; further ones are only counted.
pub const KEPT_MAX: u32 = 1_000;

/// A job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    pub id: ImportId,
    /// Whose products are written; none: those that the rows name, for the operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// Of the file, as its sender calls it.
    pub name: Name,
    pub profile: Code,
    pub of: Of,
    pub format: Format,
    /// Whether everything is decided and nothing written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    pub requested_at: Timestamp,
    /// Who asked: what is written is written by them.
    pub by: String,
    pub stage: Stage,
    #[serde(default)]
    pub counts: Counts,
}

/// What rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportOf"))]
pub enum Of {
    /// With what they say, and an offer where a row has SKU and price.
    #[default]
    Products,
    Categories,
    /// What products say in another language, as an export of translations has it.
    Translations,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportFormat"))]
pub enum Format {
    /// Cells parted by commas, semicolons, tabs or bars, whichever the first line has most of.
    Csv,
    /// The first sheet of a workbook.
    Xlsx,
    /// One array of objects.
    Json,
    /// An object a line.
    Jsonl,
    /// Several of these.
    Zip,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    AwaitingFile {
        since: Timestamp,
    },
    Running {
        since: Timestamp,
        /// What was cut from the file that was told of first; another one is not looked at.
        cut: Word,
        parts: u32,
        /// Parts that are written and counted.
        reached: u32,
    },
    Done {
        since: Timestamp,
    },
    Failed {
        since: Timestamp,
        why: Text,
    },
    Canceled {
        since: Timestamp,
    },
}

impl Stage {
    pub fn word(&self) -> &'static str {
        match self {
            Self::AwaitingFile { .. } => "awaiting_file",
            Self::Running { .. } => "running",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Canceled { .. } => "canceled",
        }
    }

    pub fn is_end(&self) -> bool {
        match self {
            Self::AwaitingFile { .. } | Self::Running { .. } => false,
            Self::Done { .. } | Self::Failed { .. } | Self::Canceled { .. } => true,
        }
    }
}

/// What became of rows. A row that a crash made come again counts as what it was found as then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub rows: u32,
    pub created: u32,
    pub changed: u32,
    pub unchanged: u32,
    pub refused: u32,
}

impl Counts {
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            rows: self.rows.saturating_add(other.rows),
            created: self.created.saturating_add(other.created),
            changed: self.changed.saturating_add(other.changed),
            unchanged: self.unchanged.saturating_add(other.unchanged),
            refused: self.refused.saturating_add(other.refused),
        }
    }

    /// Of so many more refused rows, whose flaws are still kept.
    pub fn room(&self, more: u32) -> u32 {
        KEPT_MAX.saturating_sub(self.refused).min(more)
    }
}

/// What has happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Begun { at: Timestamp, cut: Word, parts: u32 },
    Advanced { at: Timestamp, counts: Counts },
    Failed { at: Timestamp, why: Text },
    Canceled { at: Timestamp },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the import is {0}: it has come to its end")]
    Ended(&'static str),
}

impl Import {
    /// Whether a file is waited for.
    pub fn awaits_file(&self) -> bool {
        matches!(self.stage, Stage::AwaitingFile { .. })
    }

    /// The file is cut into parts. It may have been told of before.
    pub fn begin(&self, cut: Word, parts: u32, now: Timestamp) -> Decision<Fact> {
        if self.awaits_file() {
            Decision::New(Fact::Begun { at: now, cut, parts })
        } else {
            Decision::Already
        }
    }

    /// The part that comes next, if it is this one: `cut` and how many were written before.
    pub fn next_part(&self, reached: u32) -> Option<&Word> {
        match &self.stage {
            Stage::Running { cut, reached: at, .. } if *at == reached => Some(cut),
            Stage::AwaitingFile { .. }
            | Stage::Running { .. }
            | Stage::Done { .. }
            | Stage::Failed { .. }
            | Stage::Canceled { .. } => None,
        }
    }

    /// The part after so many was written.
    pub fn advance(&self, reached: u32, counts: Counts, now: Timestamp) -> Decision<Fact> {
        match self.next_part(reached) {
            Some(_) => Decision::New(Fact::Advanced { at: now, counts }),
            None => Decision::Already,
        }
    }

    /// It cannot go on.
    pub fn fail(&self, why: Text, now: Timestamp) -> Decision<Fact> {
        if self.stage.is_end() { Decision::Already } else { Decision::New(Fact::Failed { at: now, why }) }
    }

    /// What was written stays.
    pub fn cancel(&self, now: Timestamp) -> Result<Decision<Fact>, Refused> {
        match &self.stage {
            Stage::AwaitingFile { .. } | Stage::Running { .. } => {
                Ok(Decision::New(Fact::Canceled { at: now }))
            }
            Stage::Canceled { .. } => Ok(Decision::Already),
            Stage::Done { .. } | Stage::Failed { .. } => Err(Refused::Ended(self.stage.word())),
        }
    }

    #[must_use]
    pub fn apply(self, fact: Fact) -> Self {
        match fact {
            Fact::Begun { at, cut, parts } => {
                Self { stage: Stage::Running { since: at, cut, parts, reached: 0 }, ..self }
            }
            Fact::Advanced { at, counts } => {
                let counts = self.counts.plus(counts);
                let stage = match self.stage {
                    Stage::Running { since, cut, parts, reached } if reached.saturating_add(1) < parts => {
                        Stage::Running { since, cut, parts, reached: reached.saturating_add(1) }
                    }
                    Stage::AwaitingFile { .. }
                    | Stage::Running { .. }
                    | Stage::Done { .. }
                    | Stage::Failed { .. }
                    | Stage::Canceled { .. } => Stage::Done { since: at },
                };
                Self { counts, stage, ..self }
            }
            Fact::Failed { at, why } => Self { stage: Stage::Failed { since: at, why }, ..self },
            Fact::Canceled { at } => Self { stage: Stage::Canceled { since: at }, ..self },
        }
    }
}

/// A row that was refused, and all that is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRow {
    /// Of the archive, or the whole.
    pub file: String,
    /// The row's first line, counted from 1; of a workbook its row.
    pub line: u64,
    pub flaws: Vec<BadCell>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadCell {
    /// None: it is about the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What the cell has, or as much of it as can be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong with it.
    pub wrong: String,
    /// What helps.
    pub todo: String,
}

#[cfg(test)]
mod tests;
