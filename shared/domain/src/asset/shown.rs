//! What whoever shows an asset keeps of it, so that a page needs no look at the asset.
//!
//! A copy: `catalog` makes it anew from the assets whenever one of them, or what a product lists, has changed. When it
//! may be shown is asked of the copy itself, so no event has to come in time.

use crate::asset::{Asset, Kind, Media, Rendition, Rights, Size};
use crate::id::{AssetId, ProductId};
use crate::text::{Locale, Text, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is shown of one asset; nothing yet, where its file has not come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    pub asset: AssetId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub alt: BTreeMap<Locale, Text>,
    /// Without their holder, who is nobody's business here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
}

impl Shown {
    pub fn of(asset: &Asset) -> Self {
        let span = |rights: &Rights| Rights { holder: None, ..rights.clone() };
        let rights = asset.rights.as_ref().map(span).filter(|rights| *rights != Rights::default());
        Self { asset: asset.id.clone(), media: asset.media.clone(), alt: asset.alt.clone(), rights }
    }

    /// What may be shown at a moment.
    pub fn at(&self, now: Timestamp) -> Option<&Media> {
        self.media.as_ref().filter(|_| Rights::allow(self.rights.as_ref(), now))
    }
}

/// What a product shows, in its order: of every asset that it lists and that is its keeper's or the marketplace's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gallery {
    pub product: ProductId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<Shown>,
}

/// What lists and letters show of a product: the first of its pictures, in its small sizes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    pub asset: AssetId,
    /// Which of its files.
    pub file: u32,
    pub blur_hash: Word,
    /// Smallest first.
    pub sizes: Vec<Rendition>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rights: Option<Rights>,
}

impl Cover {
    fn of(shown: &Shown) -> Option<Self> {
        let media = shown.media.as_ref()?;
        let picture = match &media.kind {
            Kind::Picture(picture) => picture,
            Kind::Video { .. } | Kind::Model { .. } | Kind::Document { .. } => return None,
        };
        let small = |made: &&Rendition| matches!(made.size, Size::Thumbnail | Size::Card);
        Some(Self {
            asset: shown.asset.clone(),
            file: media.file,
            blur_hash: picture.blur_hash.clone(),
            sizes: picture.renditions.iter().filter(small).cloned().collect(),
            rights: shown.rights.clone(),
        })
    }

    /// Whether it may be shown at a moment.
    pub fn is_shown(&self, now: Timestamp) -> bool {
        Rights::allow(self.rights.as_ref(), now)
    }
}

impl Gallery {
    pub fn blank(product: ProductId) -> Self {
        Self { product, shown: Vec::new() }
    }

    /// The first picture that may be shown now, else the first that may be some day.
    pub fn cover(&self, now: Timestamp) -> Option<Cover> {
        let mut coming = None;
        for cover in self.shown.iter().filter_map(Cover::of) {
            if cover.is_shown(now) {
                return Some(cover);
            }
            let ended = cover.rights.as_ref().is_some_and(|rights| rights.have_ended(now));
            coming = coming.or(Some(cover).filter(|_| !ended));
        }
        coming
    }

    /// What this one shows where `next` is to be shown, with at most `most` assets that come or go: links to assets
    /// are written beside it, and a transaction takes so many.
    #[must_use]
    pub fn step(&self, next: Self, most: usize) -> (Self, Links) {
        let has = |gallery: &Self, id: &AssetId| gallery.shown.iter().any(|shown| shown.asset == *id);
        let ids = |of: &Self, but: &Self| -> Vec<AssetId> {
            of.shown.iter().map(|shown| shown.asset.clone()).filter(|id| !has(but, id)).collect()
        };
        let (mut gone, mut come) = (ids(self, &next), ids(&next, self));
        let late = gone.split_off(gone.len().min(most));
        let later = come.split_off(come.len().min(most.saturating_sub(gone.len())));
        let stays = self.shown.iter().filter(|shown| late.contains(&shown.asset)).cloned();
        let mut shown = next.shown;
        shown.retain(|shown| !later.contains(&shown.asset));
        shown.extend(stays);
        (Self { product: next.product, shown }, Links { come, gone })
    }
}

/// Assets that a product shows from now on, and that it does not show any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    pub come: Vec<AssetId>,
    pub gone: Vec<AssetId>,
}

#[cfg(test)]
mod tests {
    use super::{Gallery, Links, Shown};
    use crate::id::{AssetId, ProductId};
    use std::collections::BTreeMap;

    fn gallery(ids: &[u128]) -> Gallery {
        let shown = |id: &u128| {
            let asset = AssetId::from_bits(*id);
            Shown { asset, media: None, alt: BTreeMap::new(), rights: None }
        };
        Gallery { product: ProductId::from_bits(1), shown: ids.iter().map(shown).collect() }
    }

    #[test]
    fn many_links_change_in_steps_and_the_last_step_shows_what_was_wanted() {
        let ids = |ids: &[u128]| ids.iter().map(|id| AssetId::from_bits(*id)).collect::<Vec<_>>();
        let next = gallery(&[6, 3, 4, 5]);
        let first = gallery(&[1, 2, 3]).step(next.clone(), 3);
        assert_eq!(first, (gallery(&[6, 3]), Links { come: ids(&[6]), gone: ids(&[1, 2]) }));
        let second = first.0.step(next.clone(), 3);
        assert_eq!(second, (next.clone(), Links { come: ids(&[4, 5]), gone: ids(&[]) }));
        assert_eq!(next.step(next.clone(), 3), (next.clone(), Links::default()));
        // What is to go and does not fit yet is still shown, behind the rest.
        let slow = gallery(&[1, 2]).step(next, 1);
        assert_eq!(slow, (gallery(&[2]), Links { come: ids(&[]), gone: ids(&[1]) }));
    }
}
