//! Whose picture a file is, by its name: `SKU_01.jpg`, `SKU-2.png`, `SKU.front.webp`, `SKU.jpg`.
//!
//! The place is a number or a view at the end, behind `_`, `-`, `.` or a space. What is left is the SKU as it stands.
//! A SKU may itself end so (`TEE-12`): the whole name is looked up first, then what [`named`] made of it.
//!
//! A file whose name is nobody's yet waits: what it may be called finds it when a product or an offer of that name
//! comes. Linked once, it is never linked again, so what its keeper takes away by hand stays away.

use crate::id::{AssetId, MerchantId, ProductId};
use serde::{Deserialize, Serialize};

/// The views that a place can be called by, in the order in which they are shown.
const VIEWS: [(&str, u16); 9] = [
    ("main", 1),
    ("front", 1),
    ("back", 2),
    ("left", 3),
    ("right", 4),
    ("top", 5),
    ("bottom", 6),
    ("side", 7),
    ("detail", 8),
];
const PLACE_MAX: u16 = 99;
const NAME_MAX: usize = 255;

/// A file's name, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<'a> {
    /// The name without its type: a SKU that ends in a number is this.
    pub whole: &'a str,
    pub sku: &'a str,
    /// Its place among the SKU's pictures, 1 to 99; none where the name does not say.
    pub place: Option<u16>,
}

impl<'a> Named<'a> {
    /// What the SKU may be, with the picture's place there, the likeliest first. A name that says no place is that of
    /// the first picture.
    pub fn candidates(&self) -> Vec<(&'a str, u16)> {
        let parted = self.place.map(|place| (self.sku, place));
        std::iter::once((self.whole, 0)).chain(parted).collect()
    }
}

/// Where a picture stands among those that were linked by their names: by its place, then by name and age.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rank {
    pub place: u16,
    pub name: String,
}

/// An asset whose name may be that of goods, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedAsset {
    pub asset: AssetId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub matched: Match,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Match {
    /// Nothing is called so yet.
    Waiting {
        names: Vec<String>,
    },
    /// Goods are called so, and it does not become theirs.
    Unlinked {
        names: Vec<String>,
        product: ProductId,
        why: Unlinked,
    },
    Linked {
        product: ProductId,
        rank: Rank,
    },
}

/// Why a picture does not become that of goods of its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AssetUnlinked"))]
pub enum Unlinked {
    /// Another keeps the product: what it says is proposed.
    NotKept,
    /// The product has as many pictures as it can.
    Full,
}

impl NamedAsset {
    /// What finds it when goods of that name come.
    pub fn waits_for(&self) -> &[String] {
        match &self.matched {
            Match::Waiting { names } | Match::Unlinked { names, .. } => names,
            Match::Linked { .. } => &[],
        }
    }

    pub fn is_linked(&self) -> bool {
        match &self.matched {
            Match::Linked { .. } => true,
            Match::Waiting { .. } | Match::Unlinked { .. } => false,
        }
    }

    /// Whether there is anything to say of it: a file that has been given another name may be named after nothing.
    pub fn tells(&self) -> bool {
        self.is_linked() || !self.waits_for().is_empty()
    }
}

/// The assets of a product with one more, at its place among those that were linked by name; what stands there by
/// hand stays as it stands. In whatever order pictures come, they end in the same.
pub fn stand(listed: &[(AssetId, Option<Rank>)], asset: &AssetId, rank: &Rank) -> Vec<AssetId> {
    let mut ids: Vec<AssetId> = listed.iter().map(|(id, _)| id.clone()).collect();
    if ids.contains(asset) {
        return ids;
    }
    let later = |(id, other): &(AssetId, Option<Rank>)| {
        other.as_ref().is_some_and(|other| (other, id) > (rank, asset))
    };
    let at = listed.iter().position(later).unwrap_or(listed.len());
    ids.insert(at, asset.clone());
    ids
}

/// What a name says; none where it cannot be a SKU's.
pub fn named(name: &str) -> Option<Named<'_>> {
    if name.len() > NAME_MAX || name.chars().any(char::is_control) {
        return None;
    }
    // Folders of an archive say nothing, whichever way they lean.
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let (whole, extension) = file.rsplit_once('.')?;
    let type_like =
        (1..=4).contains(&extension.len()) && extension.chars().all(|c| c.is_ascii_alphanumeric());
    let whole = whole.trim();
    if !type_like || whole.is_empty() || whole.starts_with('.') {
        return None;
    }
    let split = whole.rfind(['_', '-', '.', ' ']).and_then(|at| whole.split_at_checked(at));
    let split = split.and_then(|(sku, rest)| Some((sku, place(rest.get(1..)?)?)));
    Some(match split {
        Some((sku, place)) if !sku.trim().is_empty() => Named { whole, sku: sku.trim(), place: Some(place) },
        _ => Named { whole, sku: whole, place: None },
    })
}

fn place(text: &str) -> Option<u16> {
    if !text.is_empty() && text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok().filter(|place| (1..=PLACE_MAX).contains(place));
    }
    VIEWS.iter().find(|(view, _)| text.eq_ignore_ascii_case(view)).map(|(_, place)| *place)
}

#[cfg(test)]
mod tests {
    use super::{Rank, named, stand};
    use crate::id::AssetId;

    #[test]
    fn a_name_says_whose_picture_it_is_and_where_it_stands() {
        let rows = [
            ("TEE_01.jpg", Some(("TEE", Some(1)))),
            ("TEE-2.png", Some(("TEE", Some(2)))),
            ("TEE.front.webp", Some(("TEE", Some(1)))),
            ("TEE BACK.JPG", Some(("TEE", Some(2)))),
            ("TEE.jpg", Some(("TEE", None))),
            ("TEE-RED-XL_003.jpeg", Some(("TEE-RED-XL", Some(3)))),
            ("TEE-RED.jpg", Some(("TEE-RED", None))),
            ("TEE_99.jpg", Some(("TEE", Some(99)))),
            ("TEE_100.jpg", Some(("TEE_100", None))),
            ("TEE_0.jpg", Some(("TEE_0", None))),
            ("TEE_0001.jpg", Some(("TEE_0001", None))),
            ("TEE_-1.jpg", Some(("TEE_", Some(1)))),
            ("_01.jpg", Some(("_01", None))),
            ("4006381333931_02.jpg", Some(("4006381333931", Some(2)))),
            ("photos/2026/TEE_detail.png", Some(("TEE", Some(8)))),
            ("..\\..\\TEE_01.jpg", Some(("TEE", Some(1)))),
            ("Tasse-größe_4.png", Some(("Tasse-größe", Some(4)))),
            (" TEE _1.glb", Some(("TEE", Some(1)))),
            ("TEE", None),
            ("TEE.", None),
            (".jpg", None),
            (".hidden.jpg", None),
            ("", None),
            ("TEE\n_01.jpg", None),
            ("TEE.backup-of-today", None),
        ];
        for (name, expected) in rows {
            let found = named(name).map(|found| (found.sku, found.place));
            assert_eq!(found, expected, "{name:?}");
        }
    }

    #[test]
    fn a_sku_that_ends_in_a_number_is_the_whole_name() {
        let found = named("TEE-12.jpg").map(|found| (found.whole, found.sku, found.place));
        assert_eq!(found, Some(("TEE-12", "TEE", Some(12))));
    }

    #[test]
    fn a_name_longer_than_any_file_system_takes_is_nobodys() {
        assert_eq!(named(&format!("{}.jpg", "a".repeat(252))), None);
        assert!(named(&format!("{}.jpg", "a".repeat(251))).is_some());
    }

    #[test]
    fn pictures_end_in_one_order_in_whatever_order_they_come_and_hands_are_heeded() {
        let rank = |place: u16| Rank { place, name: format!("TEE_{place:02}.jpg") };
        let id = |place: u16| AssetId::from_bits(u128::from(place) + 100);
        let come = |order: [u16; 4]| {
            let mut listed: Vec<(AssetId, Option<Rank>)> = Vec::new();
            for place in order {
                let stood = stand(&listed, &id(place), &rank(place));
                let of = |id: AssetId| (0..9).find(|place| id == AssetId::from_bits(place + 100));
                listed = stood
                    .into_iter()
                    .map(|id| (id.clone(), of(id).and_then(|place| Some(rank(u16::try_from(place).ok()?)))))
                    .collect();
            }
            listed.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
        };
        let wanted = [0, 1, 2, 3].map(id).to_vec();
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
            assert_eq!(come(order), wanted, "{order:?}");
        }
        // What was put first by hand stays first, and a repeat changes nothing.
        let hand = AssetId::from_bits(7);
        let listed = [(hand.clone(), None), (id(1), Some(rank(1))), (id(3), Some(rank(3)))];
        let stood = stand(&listed, &id(2), &rank(2));
        assert_eq!(stood, [hand.clone(), id(1), id(2), id(3)]);
        assert_eq!(stand(&listed, &id(3), &rank(3)), [hand, id(1), id(3)]);
    }

    #[test]
    fn the_whole_name_is_looked_up_first_and_a_name_without_a_place_is_the_first_picture() {
        let of = |name| {
            named(name).map(|found| {
                found.candidates().into_iter().map(|(sku, place)| (sku.to_owned(), place)).collect::<Vec<_>>()
            })
        };
        let pairs =
            |pairs: &[(&str, u16)]| Some(pairs.iter().map(|(sku, at)| ((*sku).to_owned(), *at)).collect());
        assert_eq!(of("TEE-12.jpg"), pairs(&[("TEE-12", 0), ("TEE", 12)]));
        assert_eq!(of("TEE.jpg"), pairs(&[("TEE", 0)]));
    }
}
