//! Duplicates: which products may be one, and how two become one.
//!
//! Candidates are found by equal [`keys`]: a GTIN, brand with the maker's part number, a band of a picture's hash.
//! A band is a piece of the hash: of two hashes that differ in at most N bits one of N + 1 pieces is the same, so
//! every such pair meets; what meets is then compared. Of a merge one product stays, and nothing that it says is
//! overwritten.

use crate::catalog::Gtin;
use crate::pim::data::Data;
use crate::pim::sheet::{ASSETS_MAX, Content, Path, Refused, Sheet, Slot};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The most bits by which pictures of the same thing may differ.
pub const DISTANCE_MAX: u32 = 15;

/// What a product is recognized by.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Traits {
    pub gtins: Vec<Gtin>,
    pub brand: Option<String>,
    /// The maker's part number.
    pub mpn: Option<String>,
    /// Hashes of its pictures, alike where pictures look alike.
    pub pictures: Vec<u64>,
}

/// Why two products may be one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Evidence {
    Gtin { gtin: String },
    Part { brand: String, mpn: String },
    Picture { distance: u32 },
}

/// A GTIN in 14 digits; none where the number is a shop's or a company's own (GS1 General Specifications, section 1.4:
/// prefixes of restricted circulation, coupons), so that equal numbers mean nothing.
pub fn gtin14(gtin: &Gtin) -> Option<String> {
    let text = gtin.to_string();
    let padded = format!("{text:0>14}");
    let prefix: u16 = padded.get(1..4)?.parse().ok()?;
    let own = match text.len() {
        8 => text.starts_with(['0', '2']),
        _ => matches!(prefix, 20..=29 | 40..=49 | 50..=59 | 200..=299 | 980..=999),
    };
    let nothing = padded.bytes().all(|digit| digit == b'0');
    (!own && !nothing).then_some(padded)
}

/// Letters and digits alone, in lower case: `HP-61 XL` is `hp61xl`.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn part(traits: &Traits) -> Option<(String, String)> {
    let (brand, mpn) = (plain(traits.brand.as_deref()?), plain(traits.mpn.as_deref()?));
    (!brand.is_empty() && mpn.chars().count() >= 3).then_some((brand, mpn))
}

/// The pieces of a hash, by which all that differ from it in at most `distance` bits are found.
pub fn bands(hash: u64, distance: u32) -> Vec<String> {
    let pieces = distance.min(DISTANCE_MAX) + 1;
    let edge = |piece: u32| 64 * piece / pieces;
    let band = |piece: u32| {
        let (low, high) = (edge(piece), edge(piece + 1));
        let mask = u64::MAX >> (64 - (high - low));
        format!("picture:{pieces}:{piece}:{:x}", (hash >> low) & mask)
    };
    (0..pieces).map(band).collect()
}

/// By which a product is looked up, and looks others up.
pub fn keys(traits: &Traits, distance: u32) -> BTreeSet<String> {
    let gtins = traits.gtins.iter().filter_map(gtin14).map(|gtin| format!("gtin:{gtin}"));
    let part = part(traits).map(|(brand, mpn)| format!("part:{brand}:{mpn}"));
    let pictures = traits.pictures.iter().filter(|hash| is_telling(**hash));
    gtins.chain(part).chain(pictures.flat_map(|hash| bands(*hash, distance))).collect()
}

/// A hash of a blank picture is like that of any other blank picture.
fn is_telling(hash: u64) -> bool {
    hash != 0 && hash != u64::MAX
}

/// What speaks for two products being one; nothing, if none does.
pub fn compare(one: &Traits, two: &Traits, distance: u32) -> Vec<Evidence> {
    let gtins = |traits: &Traits| traits.gtins.iter().filter_map(gtin14).collect::<BTreeSet<_>>();
    let shared = gtins(one).intersection(&gtins(two)).cloned().collect::<Vec<_>>();
    let gtins = shared.into_iter().map(|gtin| Evidence::Gtin { gtin });
    let parts = part(one).filter(|made| part(two).as_ref() == Some(made));
    let parts = parts.map(|(brand, mpn)| Evidence::Part { brand, mpn });
    let telling = |traits: &Traits| {
        traits.pictures.iter().copied().filter(|hash| is_telling(*hash)).collect::<Vec<_>>()
    };
    let others = telling(two);
    let nearest = telling(one)
        .iter()
        .flat_map(|hash| others.iter().map(move |other| (hash ^ other).count_ones()))
        .min()
        .filter(|nearest| *nearest <= distance.min(DISTANCE_MAX));
    gtins.chain(parts).chain(nearest.map(|distance| Evidence::Picture { distance })).collect()
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unmergeable {
    #[error("a product cannot be merged into itself")]
    Itself,
    #[error("variant {0} of what goes has no place in what stays")]
    Variant(u16),
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// What is said of one product of two. `numbers` says which variant of what stays each variant of what goes is.
pub fn merge(keep: &Sheet, gone: &Sheet, numbers: &BTreeMap<u16, u16>) -> Result<Sheet, Unmergeable> {
    if keep.product == gone.product {
        return Err(Unmergeable::Itself);
    }
    let mut content = keep.content.clone();
    for (path, data) in gone.content.iter() {
        let path = match path {
            Path::Family => Path::Family,
            Path::Assets => continue,
            Path::Value(slot) => Path::Value(moved(slot, numbers)?),
            // It goes with its value, if that is taken.
            Path::Translation(slot) => {
                let slot = moved(slot, numbers)?;
                if keep.content.get(&Path::Value(slot.clone())).is_some() {
                    continue;
                }
                Path::Translation(slot)
            }
        };
        if content.get(&path).is_none() {
            content.set(path, Some(data.clone()));
        }
    }
    content.set(Path::Assets, assets(&keep.content, &gone.content));
    Ok(keep.next(content)?)
}

fn moved(slot: &Slot, numbers: &BTreeMap<u16, u16>) -> Result<Slot, Unmergeable> {
    let number = |number: u16| numbers.get(&number).copied().ok_or(Unmergeable::Variant(number));
    Ok(Slot { variant: slot.variant.map(number).transpose()?, ..slot.clone() })
}

/// What stays first, then what is new, as many as a product may have.
fn assets(keep: &Content, gone: &Content) -> Option<Data> {
    let mut ids = keep.assets();
    for id in gone.assets() {
        if !ids.contains(&id) && ids.len() < ASSETS_MAX {
            ids.push(id);
        }
    }
    (!ids.is_empty()).then(|| Data::List(ids.iter().map(|id| Data::text(id.as_str())).collect()))
}

#[cfg(test)]
mod tests;
