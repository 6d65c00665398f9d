//! What buyers say of what was delivered.
//!
//! Owns a review from its writing to its end: `pending → published | rejected`, `withdrawn` by its author at any time.
//! One review per delivered line (A4(1)), named by it: whoever writes again changes it. Only what is published counts
//! (A4(3)), whatever its stars: rules look at words, never at stars. The merchant's reply is given once and never
//! overwritten (A4(2)); an edit keeps what it said before.
//!
//! [`ask`] when buyers are asked · [`check`] rules before a person looks · [`rating`] what it all comes to.

pub mod ask;
pub mod check;
pub mod rating;

use crate::Decision;
use crate::asset::shown::Shown;
use crate::asset::{self, Asset};
use crate::id::{AssetId, CustomerId, MerchantId, MerchantOrderId, OfferId, OrderId, ProductId, ReviewId};
use crate::text::{Name, Opinion, PersonName, Reason};
use jiff::Timestamp;
use rating::Policy;
use serde::{Deserialize, Serialize};

/// Pictures of one review.
pub const PHOTOS_MAX: u8 = 5;
/// Edits of a reply that are kept.
pub const EDITS_MAX: usize = 20;

/// One to five.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "u8", extend("minimum" = 1, "maximum" = 5))
)]
pub struct Stars(u8);

/// A number that is none of stars.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("want 1 to 5 stars")]
pub struct NotStars;

impl Stars {
    pub const ALL: [Self; 5] = [Self(5), Self(4), Self(3), Self(2), Self(1)];

    pub fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Stars {
    type Error = NotStars;
    fn try_from(number: u8) -> Result<Self, NotStars> {
        if (1..=5).contains(&number) { Ok(Self(number)) } else { Err(NotStars) }
    }
}

impl From<Stars> for u8 {
    fn from(stars: Stars) -> u8 {
        stars.0
    }
}

impl std::str::FromStr for Stars {
    type Err = NotStars;
    fn from_str(text: &str) -> Result<Self, NotStars> {
        text.parse::<u8>().map_err(|_| NotStars)?.try_into()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    pub id: ReviewId,
    pub order: OrderId,
    pub merchant_order: MerchantOrderId,
    pub merchant: MerchantId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// What the goods were called when they were bought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Name>,
    pub delivered_at: Timestamp,
    /// When it was written first.
    pub submitted_at: Timestamp,
    pub stars: Stars,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Opinion>,
    /// As whom its author wants to be seen; nobody's name, if none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<PersonName>,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub photos: Vec<Photo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reply>,
    /// Shoppers whom it has helped.
    #[serde(default)]
    pub helpful: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// A person has to look at it: for these causes.
    Pending {
        causes: Vec<Cause>,
    },
    Published {
        since: Timestamp,
    },
    Rejected {
        since: Timestamp,
        reasons: Vec<Cause>,
        /// What the operator says to the author.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Reason>,
    },
    Withdrawn {
        since: Timestamp,
        /// It was rejected before, or waited after that.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        rejected: bool,
    },
}

/// Why a review waits, or was rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReviewCause"))]
pub enum Cause {
    /// A word of the marketplace's list.
    Word,
    Link,
    /// A mail address or a telephone number.
    Contact,
    /// An account or card number.
    PersonalData,
    /// It was rejected, and its author has written it anew.
    Rewritten,
    /// Every review is looked at here.
    Always,
    Abuse,
    OffTopic,
    Advertising,
    Unlawful,
}

/// A picture of the goods, by its place in the review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Photo {
    /// Counted from 1.
    pub number: u8,
    /// The marketplace's asset that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset: Option<AssetId>,
    pub state: PhotoState,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum PhotoState {
    /// It may be sent, or is being looked at.
    Awaited,
    /// Looked at and drawn anew: what is shown of its asset.
    Shown {
        shown: Box<Shown>,
    },
    Refused {
        why: Unusable,
    },
    /// From before photos were assets: it is gone with the bucket that it lay in, and another may be sent.
    #[serde(rename = "ready")]
    Lost {},
}

/// Why a picture is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PhotoRefusal"))]
pub enum Unusable {
    #[error("the file is larger than allowed")]
    TooManyBytes,
    #[error("the picture has more pixels than allowed")]
    TooManyPixels,
    #[error("it is no JPEG, PNG or WebP")]
    NotAPicture,
    #[error("the picture cannot be read")]
    Broken,
}

impl From<asset::Unusable> for Unusable {
    fn from(unusable: asset::Unusable) -> Self {
        match unusable {
            asset::Unusable::TooLarge => Self::TooManyBytes,
            asset::Unusable::TooManyPixels => Self::TooManyPixels,
            asset::Unusable::UnknownType => Self::NotAPicture,
            asset::Unusable::Broken => Self::Broken,
        }
    }
}

/// The merchant's answer, for everybody to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reply {
    pub text: Opinion,
    pub at: Timestamp,
    /// Who wrote it last.
    pub by: String,
    /// What it said before, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Said>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    pub text: Opinion,
    pub at: Timestamp,
    pub by: String,
}

/// What an author has to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub stars: Stars,
    pub text: Option<Opinion>,
    pub name: Option<PersonName>,
}

/// What happened to a review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    Written {
        written: Written,
        stage: Stage,
    },
    Published {
        at: Timestamp,
    },
    Rejected {
        at: Timestamp,
        reasons: Vec<Cause>,
        note: Option<Reason>,
    },
    Withdrawn {
        at: Timestamp,
        rejected: bool,
    },
    Replied {
        reply: Said,
    },
    ReplyEdited {
        reply: Said,
    },
    Helped,
    /// Its order, and so it, belongs to an account now.
    Claimed {
        customer: CustomerId,
    },
    /// Its author is forgotten.
    Unnamed,
    PhotoAwaited {
        number: u8,
        asset: AssetId,
    },
    PhotoJudged {
        number: u8,
        state: PhotoState,
    },
    /// Its asset is gone: another may take its place.
    PhotoGone {
        number: u8,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("its author has withdrawn it")]
    Withdrawn,
    #[error("it is not published")]
    NotPublished,
    #[error("the merchant has replied: the reply can be edited, not replaced")]
    Replied,
    #[error("there is no reply yet")]
    NoReply,
    #[error("the reply was edited {EDITS_MAX} times")]
    TooManyEdits,
    #[error("a review has places for {PHOTOS_MAX} photos")]
    NoPlace,
    #[error("there is a photo in this place")]
    PlaceTaken,
}

impl Review {
    pub fn is_published(&self) -> bool {
        self.counts().is_some()
    }

    /// The stars that it counts with, while it counts (A4(3)).
    pub fn counts(&self) -> Option<Stars> {
        match self.stage {
            Stage::Published { .. } => Some(self.stars),
            Stage::Pending { .. } | Stage::Rejected { .. } | Stage::Withdrawn { .. } => None,
        }
    }

    /// Whether a person has rejected it and none has published it since.
    fn was_rejected(&self) -> bool {
        match &self.stage {
            Stage::Rejected { .. } | Stage::Withdrawn { rejected: true, .. } => true,
            Stage::Pending { causes } => causes.contains(&Cause::Rewritten),
            Stage::Published { .. } | Stage::Withdrawn { rejected: false, .. } => false,
        }
    }

    /// What its author has written, as it stands.
    pub fn written(&self) -> Written {
        Written { stars: self.stars, text: self.text.clone(), name: self.name.clone() }
    }

    /// Written anew by its author: looked at like a new one. What was rejected is never published by itself.
    pub fn write(&self, written: Written, policy: &Policy, now: Timestamp) -> Decision<Fact> {
        let withdrawn = matches!(self.stage, Stage::Withdrawn { .. });
        if self.written() == written && !withdrawn {
            return Decision::Already;
        }
        let stage = match (&self.stage, first_stage(&written, policy, now)) {
            _ if self.was_rejected() => {
                let mut causes = check::causes(&written, policy);
                causes.push(Cause::Rewritten);
                Stage::Pending { causes }
            }
            // It stays where it was in the lists.
            (Stage::Published { since }, Stage::Published { .. }) => Stage::Published { since: *since },
            (_, stage) => stage,
        };
        Decision::New(Fact::Written { written, stage })
    }

    pub fn publish(&self, now: Timestamp) -> Result<Decision<Fact>, Refused> {
        match self.stage {
            Stage::Published { .. } => Ok(Decision::Already),
            Stage::Withdrawn { .. } => Err(Refused::Withdrawn),
            Stage::Pending { .. } | Stage::Rejected { .. } => Ok(Decision::New(Fact::Published { at: now })),
        }
    }

    pub fn reject(
        &self,
        reasons: Vec<Cause>,
        note: Option<Reason>,
        now: Timestamp,
    ) -> Result<Decision<Fact>, Refused> {
        match &self.stage {
            Stage::Withdrawn { .. } => Err(Refused::Withdrawn),
            Stage::Rejected { reasons: same, note: noted, .. } if *same == reasons && *noted == note => {
                Ok(Decision::Already)
            }
            Stage::Pending { .. } | Stage::Published { .. } | Stage::Rejected { .. } => {
                Ok(Decision::New(Fact::Rejected { at: now, reasons, note }))
            }
        }
    }

    pub fn withdraw(&self, now: Timestamp) -> Decision<Fact> {
        match self.stage {
            Stage::Withdrawn { .. } => Decision::Already,
            Stage::Pending { .. } | Stage::Published { .. } | Stage::Rejected { .. } => {
                Decision::New(Fact::Withdrawn { at: now, rejected: self.was_rejected() })
            }
        }
    }

    /// The first word of the merchant; another one is refused, whoever says it (A4(2)).
    pub fn answer(&self, said: Said) -> Result<Decision<Fact>, Refused> {
        match &self.reply {
            Some(reply) if reply.text == said.text => Ok(Decision::Already),
            Some(_) => Err(Refused::Replied),
            None if !self.is_published() => Err(Refused::NotPublished),
            None => Ok(Decision::New(Fact::Replied { reply: said })),
        }
    }

    pub fn edit_reply(&self, said: Said) -> Result<Decision<Fact>, Refused> {
        match &self.reply {
            None => Err(Refused::NoReply),
            Some(reply) if reply.text == said.text => Ok(Decision::Already),
            Some(reply) if reply.before.len() >= EDITS_MAX => Err(Refused::TooManyEdits),
            Some(_) => Ok(Decision::New(Fact::ReplyEdited { reply: said })),
        }
    }

    /// One shopper more; that it is one, a mark beside the review knows.
    pub fn help(&self) -> Result<Fact, Refused> {
        if self.is_published() { Ok(Fact::Helped) } else { Err(Refused::NotPublished) }
    }

    /// A picture may be sent to a place of the review that has none, or had one that was refused; `fresh` is its asset
    /// where there was none.
    pub fn await_photo(&self, number: u8, fresh: &AssetId) -> Result<Decision<Fact>, Refused> {
        if let Stage::Withdrawn { .. } = self.stage {
            return Err(Refused::Withdrawn);
        }
        if !(1..=PHOTOS_MAX).contains(&number) {
            return Err(Refused::NoPlace);
        }
        let known = self.photo(number).map(|photo| (&photo.state, &photo.asset));
        let asset = match known {
            Some((PhotoState::Awaited, Some(_))) => return Ok(Decision::Already),
            Some((PhotoState::Shown { .. }, _)) => return Err(Refused::PlaceTaken),
            Some((PhotoState::Refused { .. }, Some(asset))) => asset,
            Some((PhotoState::Awaited | PhotoState::Refused { .. } | PhotoState::Lost {}, _)) | None => fresh,
        };
        Ok(Decision::New(Fact::PhotoAwaited { number, asset: asset.clone() }))
    }

    pub fn photo(&self, number: u8) -> Option<&Photo> {
        self.photos.iter().find(|photo| photo.number == number)
    }

    /// What has become of an asset, as it is now. One that is none of its photos (any more) changes nothing.
    pub fn settle_photo(&self, asset: &Asset) -> Decision<Fact> {
        let photo = self.photos.iter().find(|photo| photo.asset.as_ref() == Some(&asset.id));
        let Some(Photo { number, state: before, .. }) = photo else { return Decision::Already };
        let number = *number;
        let state = match (&asset.stage, &asset.media) {
            (asset::Stage::Deleted { .. } | asset::Stage::Ended { .. }, _) => {
                return Decision::New(Fact::PhotoGone { number });
            }
            (_, Some(_)) => PhotoState::Shown { shown: Box::new(Shown::of(asset)) },
            (asset::Stage::Refused { why, .. }, None) => PhotoState::Refused { why: (*why).into() },
            (asset::Stage::Awaited { .. } | asset::Stage::Ready { .. }, None) => PhotoState::Awaited,
        };
        if state == *before { Decision::Already } else { Decision::New(Fact::PhotoJudged { number, state }) }
    }

    #[must_use]
    pub fn apply(mut self, fact: Fact) -> Self {
        match fact {
            Fact::Written { written: Written { stars, text, name }, stage } => {
                Self { stars, text, name, stage, ..self }
            }
            Fact::Published { at } => Self { stage: Stage::Published { since: at }, ..self },
            Fact::Rejected { at, reasons, note } => {
                Self { stage: Stage::Rejected { since: at, reasons, note }, ..self }
            }
            Fact::Withdrawn { at, rejected } => {
                Self { stage: Stage::Withdrawn { since: at, rejected }, ..self }
            }
            Fact::Replied { reply: Said { text, at, by } } => {
                Self { reply: Some(Reply { text, at, by, before: Vec::new() }), ..self }
            }
            Fact::ReplyEdited { reply: Said { text, at, by } } => {
                let reply = self.reply.take().map(|Reply { text: old, at: then, by: whose, mut before }| {
                    before.push(Said { text: old, at: then, by: whose });
                    Reply { text, at, by, before }
                });
                Self { reply, ..self }
            }
            Fact::Helped => Self { helpful: self.helpful.saturating_add(1), ..self },
            Fact::Claimed { customer } => Self { customer: Some(customer), ..self },
            Fact::Unnamed => Self { name: None, ..self },
            Fact::PhotoAwaited { number, asset } => {
                self.photos.retain(|photo| photo.number != number);
                self.photos.push(Photo { number, asset: Some(asset), state: PhotoState::Awaited });
                self.photos.sort_by_key(|photo| photo.number);
                self
            }
            Fact::PhotoJudged { number, state } => {
                for photo in self.photos.iter_mut().filter(|photo| photo.number == number) {
                    photo.state = state.clone();
                }
                self
            }
            Fact::PhotoGone { number } => {
                self.photos.retain(|photo| photo.number != number);
                self
            }
        }
    }
}

/// Where a review begins: published, if the rules find nothing.
pub fn first_stage(written: &Written, policy: &Policy, now: Timestamp) -> Stage {
    let causes = check::causes(written, policy);
    if causes.is_empty() { Stage::Published { since: now } } else { Stage::Pending { causes } }
}

/// How the counts of stars move with a change: what counted before counts no more, what counts now does.
pub fn moved(before: Option<&Review>, after: &Review) -> Vec<(Stars, i8)> {
    match (before.and_then(Review::counts), after.counts()) {
        (Some(was), Some(is)) if was == is => Vec::new(),
        (was, is) => was.map(|was| (was, -1)).into_iter().chain(is.map(|is| (is, 1))).collect(),
    }
}

#[cfg(test)]
mod tests;
