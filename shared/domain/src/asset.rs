//! Files that a storefront shows: pictures, films, models of goods.
//!
//! Owns an asset from the permission to send its file to its deletion: `awaited → ready | refused`, awaited again
//! whenever another file is to take its place, `ended` with its rights, `deleted` at any time and for good. Files are
//! counted: what comes late, after a newer one was asked for, changes nothing. While a newer file is awaited, or was
//! refused, the one before is shown. Invariants: what is shown was looked at and made anew by us, never as it was sent;
//! nothing is shown before its rights have begun or once they have ended; what was made of a file lies apart from what
//! was made of any other, so that it goes alone.
//!
//! [`shown`] what whoever shows an asset keeps of it · [`naming`] whose picture a file is by its name.
//! Absent on purpose: bytes. What a file holds is `media`'s to find out; here it is what was found.

pub mod naming;
pub mod shown;

use crate::Decision;
use crate::id::{AssetId, MerchantId, ReviewId};
use crate::text::{Locale, Name, Sha256, Text, Word};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Languages in which one asset is described.
pub const LOCALES_MAX: usize = 50;
/// Bytes of all these descriptions: products keep them beside each of their pictures, and are one item.
pub const WORDS_MAX: usize = 2_500;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    pub id: AssetId,
    /// The merchant that keeps it; none is the marketplace's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// The review that it is a photo of, and its place there: a buyer's, which nobody lists or links.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<(ReviewId, u8)>,
    pub created_at: Timestamp,
    /// Of the file, as its keeper calls it.
    pub name: Name,
    /// The newest file that was asked for, counted from 1.
    pub file: u32,
    pub stage: Stage,
    /// What is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// What it shows, in words, for who does not see it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alt: BTreeMap<Locale, Text>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
}

/// Of the newest file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// It may be sent, or is being looked at.
    Awaited {
        since: Timestamp,
    },
    Ready {
        since: Timestamp,
    },
    Refused {
        since: Timestamp,
        why: Unusable,
        /// What exactly, with the figure or the place.
        said: Text,
    },
    /// Its rights have ended, and what was made of its file is gone; another may be sent.
    Ended {
        since: Timestamp,
    },
    Deleted {
        since: Timestamp,
    },
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetRefusal"))]
pub enum Unusable {
    /// More bytes than allowed.
    TooLarge,
    /// More pixels or frames than allowed.
    TooManyPixels,
    /// It is of no type that is taken.
    UnknownType,
    /// It ends early, or contradicts itself.
    Broken,
}

/// Whose it is, and when it may be shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rights {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holder: Option<Name>,
    /// Before then it is not shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// From then on it is not shown any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Rights {
    pub fn have_begun(&self, now: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= now)
    }

    pub fn have_ended(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }

    /// Whether something may be shown at a moment; what nobody says anything of always may.
    pub fn allow(rights: Option<&Self>, now: Timestamp) -> bool {
        rights.is_none_or(|rights| rights.have_begun(now) && !rights.have_ended(now))
    }
}

/// What a file came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Media {
    /// Which file it was.
    pub file: u32,
    /// Of the file as it was sent.
    pub sha256: Sha256,
    pub bytes: u64,
    pub kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Kind {
    Picture(Picture),
    /// Kept as it is; its picture for before it runs is another asset.
    Video {
        milliseconds: u64,
        width: u32,
        height: u32,
        codec: Word,
        shown: File,
    },
    /// A glTF binary; the corners of the box around it, in meters.
    Model {
        lowest: [Decimal; 3],
        highest: [Decimal; 3],
        shown: File,
    },
    /// A PDF beside a product; nothing is made of it.
    Document {
        shown: File,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Picture {
    /// Upright, in pixels.
    pub width: u32,
    pub height: u32,
    /// Colors to show until it is there (BlurHash).
    pub blur_hash: Word,
    /// Alike for pictures that look alike: few bits differ.
    pub likeness: u64,
    /// Smallest first; each size as WebP and as JPEG.
    pub renditions: Vec<Rendition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zoom: Option<Zoom>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetSize"))]
pub enum Size {
    Thumbnail,
    Card,
    Page,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    pub size: Size,
    pub width: u32,
    pub height: u32,
    pub webp: File,
    pub jpeg: File,
}

/// A file that is fetched: its name is the digest of its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    pub sha256: Sha256,
    pub bytes: u64,
}

/// Tiles in the layout of Deep Zoom, whose manifest says their size and format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zoom {
    /// What manifest and tiles are called: a digest of the file and of how tiles are made.
    pub name: Sha256,
    pub tiles: u32,
    /// Of all tiles.
    pub bytes: u64,
}

/// What somebody wants of an asset that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("the asset is deleted, for good")]
    Deleted,
    #[error("an asset is described in at most {LOCALES_MAX} languages")]
    Locales,
    #[error("the descriptions of an asset have at most {WORDS_MAX} bytes in all, not {0}")]
    Words(usize),
    #[error("its rights would end before they begin")]
    Rights,
}

/// What has happened to an asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Another file may be sent, which is to take the place of what there is.
    FileAwaited {
        at: Timestamp,
    },
    FileReady {
        at: Timestamp,
        media: Media,
    },
    FileRefused {
        at: Timestamp,
        why: Unusable,
        said: Text,
    },
    Described {
        name: Name,
        alt: BTreeMap<Locale, Text>,
        rights: Option<Rights>,
    },
    /// From now on it may be shown.
    RightsBegan,
    RightsEnded {
        at: Timestamp,
    },
    Deleted {
        at: Timestamp,
    },
}

/// What a file came to, or why it is not taken.
pub type Outcome = Result<Media, (Unusable, Text)>;

impl Asset {
    /// One whose first file may be sent.
    pub fn begin(id: AssetId, merchant: Option<MerchantId>, name: Name, now: Timestamp) -> Self {
        let (stage, alt) = (Stage::Awaited { since: now }, BTreeMap::new());
        let (review, media, rights) = (None, None, None);
        Self { id, merchant, review, created_at: now, name, file: 1, stage, media, alt, rights }
    }

    /// A photo of a review, whose file may be sent.
    pub fn of_review(id: AssetId, (review, number): (ReviewId, u8), name: Name, now: Timestamp) -> Self {
        Self { review: Some((review, number)), ..Self::begin(id, None, name, now) }
    }

    pub fn is_deleted(&self) -> bool {
        match self.stage {
            Stage::Deleted { .. } => true,
            Stage::Awaited { .. } | Stage::Ready { .. } | Stage::Refused { .. } | Stage::Ended { .. } => {
                false
            }
        }
    }

    fn alive(&self) -> Result<(), Refused> {
        if self.is_deleted() { Err(Refused::Deleted) } else { Ok(()) }
    }

    /// Another file may be sent; until it is there the one before is shown.
    pub fn replace(&self, now: Timestamp) -> Result<Fact, Refused> {
        self.alive()?;
        Ok(Fact::FileAwaited { at: now })
    }

    /// Whether anybody waits for a file.
    pub fn awaits(&self, file: u32) -> bool {
        self.file == file && matches!(self.stage, Stage::Awaited { .. })
    }

    /// Whether what was made of a file is kept: it is shown, or is being made, or is newer than anything known here.
    pub fn keeps(&self, file: u32) -> bool {
        let shown = self.media.as_ref().is_some_and(|media| media.file == file);
        self.alive().is_ok() && (shown || self.awaits(file) || file > self.file)
    }

    /// What has become of a file that was sent. One that nobody waits for (any more) changes nothing.
    pub fn judge(&self, file: u32, outcome: Outcome, now: Timestamp) -> Decision<Fact> {
        if !self.awaits(file) {
            return Decision::Already;
        }
        Decision::New(match outcome {
            Ok(media) => Fact::FileReady { at: now, media },
            Err((why, said)) => Fact::FileRefused { at: now, why, said },
        })
    }

    /// Its name, words and rights, all of them at once.
    pub fn describe(
        &self,
        name: Name,
        alt: BTreeMap<Locale, Text>,
        rights: Option<Rights>,
    ) -> Result<Decision<Fact>, Refused> {
        self.alive()?;
        if alt.len() > LOCALES_MAX {
            return Err(Refused::Locales);
        }
        let words = alt.values().map(|words| words.as_str().len()).sum();
        if words > WORDS_MAX {
            return Err(Refused::Words(words));
        }
        let span = rights.as_ref().map(|rights| (rights.from, rights.until));
        if matches!(span, Some((Some(from), Some(until))) if until <= from) {
            return Err(Refused::Rights);
        }
        let same = (&self.name, &self.alt, &self.rights) == (&name, &alt, &rights);
        Ok(if same { Decision::Already } else { Decision::New(Fact::Described { name, alt, rights }) })
    }

    pub fn delete(&self, now: Timestamp) -> Decision<Fact> {
        if self.is_deleted() { Decision::Already } else { Decision::New(Fact::Deleted { at: now }) }
    }

    /// What the time has brought, where rights begin or end: once they have ended, what was made of its file goes.
    pub fn rights_due(&self, now: Timestamp) -> Decision<Fact> {
        let rights = self.rights.as_ref().filter(|_| self.media.is_some());
        match rights {
            Some(rights) if rights.have_ended(now) => Decision::New(Fact::RightsEnded { at: now }),
            Some(rights) if rights.from.is_some() && rights.have_begun(now) => {
                Decision::New(Fact::RightsBegan)
            }
            Some(_) | None => Decision::Already,
        }
    }

    #[must_use]
    pub fn apply(self, fact: Fact) -> Self {
        match fact {
            Fact::FileAwaited { at } => {
                Self { file: self.file.saturating_add(1), stage: Stage::Awaited { since: at }, ..self }
            }
            Fact::FileReady { at, media } => {
                Self { stage: Stage::Ready { since: at }, media: Some(media), ..self }
            }
            Fact::FileRefused { at, why, said } => {
                Self { stage: Stage::Refused { since: at, why, said }, ..self }
            }
            Fact::Described { name, alt, rights } => Self { name, alt, rights, ..self },
            Fact::RightsBegan => self,
            // A newer file that is awaited still is.
            Fact::RightsEnded { at } => {
                let stage = match self.stage {
                    Stage::Ready { .. } => Stage::Ended { since: at },
                    other @ (Stage::Awaited { .. }
                    | Stage::Refused { .. }
                    | Stage::Ended { .. }
                    | Stage::Deleted { .. }) => other,
                };
                Self { stage, media: None, ..self }
            }
            // Its words and rights may name people: what is left says that there was one.
            Fact::Deleted { at } => Self {
                stage: Stage::Deleted { since: at },
                media: None,
                alt: BTreeMap::new(),
                rights: None,
                ..self
            },
        }
    }

    /// What may be shown at a moment.
    pub fn shown(&self, now: Timestamp) -> Option<&Media> {
        self.media.as_ref().filter(|_| Rights::allow(self.rights.as_ref(), now))
    }

    /// What it shows, in the first of these languages that it is described in.
    pub fn words(&self, locales: &[Locale]) -> Option<&Text> {
        locales.iter().find_map(|locale| self.alt.get(locale))
    }
}

#[cfg(test)]
mod tests;
