//! A pair of products that may be one, from the moment that it is noticed until somebody has said what it is.
//!
//! Open while something speaks for it; once nothing does, it is gone, and comes again with new evidence. What a person
//! has dismissed stays dismissed, whatever speaks for it later.

use crate::catalog::{Product, Variant};
use crate::id::{DuplicateId, MarketplaceId, ProductId, derive};
use crate::pim::likeness::Evidence;
use crate::text::Reason;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Duplicate {
    pub id: DuplicateId,
    /// The smaller id first.
    pub products: [ProductId; 2],
    /// What speaks for it, or did last.
    pub evidence: Vec<Evidence>,
    pub found_at: Timestamp,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Open,
    /// Nothing speaks for it any more.
    Gone {
        since: Timestamp,
    },
    Dismissed {
        since: Timestamp,
        by: String,
        reason: Reason,
    },
    Merged {
        since: Timestamp,
        by: String,
        kept: ProductId,
    },
}

impl Stage {
    /// Its name at rest and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Gone { .. } => "gone",
            Self::Dismissed { .. } => "dismissed",
            Self::Merged { .. } => "merged",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is {0} already: only what is open can be resolved")]
pub struct Resolved(&'static str);

impl Duplicate {
    /// The id of a pair, whichever of the two comes first.
    pub fn of(m: &MarketplaceId, one: &ProductId, two: &ProductId) -> (DuplicateId, [ProductId; 2]) {
        let [low, high] = if one <= two { [one, two] } else { [two, one] };
        let id = DuplicateId::from_bits(derive(&["duplicate", m.as_str(), low.as_str(), high.as_str()]));
        (id, [low.clone(), high.clone()])
    }

    /// The other one of the pair.
    pub fn other(&self, product: &ProductId) -> &ProductId {
        let [low, high] = &self.products;
        if low == product { high } else { low }
    }

    /// What it is, now that this speaks for it; none where that is nothing new.
    pub fn seen(&self, evidence: Vec<Evidence>, now: Timestamp) -> Option<Self> {
        let next = match (&self.stage, evidence.is_empty()) {
            (Stage::Open, true) => Self { stage: Stage::Gone { since: now }, ..self.clone() },
            (Stage::Open | Stage::Gone { .. }, false) => {
                Self { stage: Stage::Open, evidence, ..self.clone() }
            }
            (Stage::Gone { .. }, true) | (Stage::Dismissed { .. } | Stage::Merged { .. }, _) => return None,
        };
        (next != *self).then_some(next)
    }

    /// What is open, resolved; what is not says so.
    pub fn resolved(&self, stage: Stage) -> Result<Self, Resolved> {
        match &self.stage {
            Stage::Open => Ok(Self { stage, ..self.clone() }),
            before @ (Stage::Gone { .. } | Stage::Dismissed { .. } | Stage::Merged { .. }) => {
                Err(Resolved(before.word()))
            }
        }
    }
}

/// Which variant of what stays each variant of what goes is: the one of the same GTIN, else the one of the same values,
/// where products differ in the same; those that are alone are the same. Others have no place.
pub fn matched(keep: &Product, gone: &Product) -> BTreeMap<u16, u16> {
    let alone = keep.variants.len() == 1 && gone.variants.len() == 1;
    let place = |variant: &Variant| {
        let same = |other: &&Variant| variant.gtin.is_some() && other.gtin == variant.gtin;
        let alike = |other: &&Variant| alone || (keep.axes == gone.axes && other.values == variant.values);
        let found = keep.variants.iter().find(same).or_else(|| keep.variants.iter().find(alike));
        found.map(|found| (variant.number, found.number))
    };
    gone.variants.iter().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ProductStatus, VariantDraft, number_variants};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn pair() -> Duplicate {
        let m = MarketplaceId::from_bits(1);
        let (id, products) = Duplicate::of(&m, &ProductId::from_bits(9), &ProductId::from_bits(3));
        Duplicate { id, products, evidence: gtin("1"), found_at: at(1), stage: Stage::Open }
    }

    fn gtin(gtin: &str) -> Vec<Evidence> {
        vec![Evidence::Gtin { gtin: gtin.to_owned() }]
    }

    #[test]
    fn a_pair_is_one_whichever_comes_first() {
        let m = MarketplaceId::from_bits(1);
        let [three, nine] = [3, 9].map(ProductId::from_bits);
        assert_eq!(Duplicate::of(&m, &three, &nine), Duplicate::of(&m, &nine, &three));
        assert_eq!((pair().other(&three), pair().other(&nine)), (&nine, &three));
    }

    #[test]
    fn it_goes_with_its_evidence_and_comes_again_with_new() {
        let open = pair();
        assert_eq!(open.seen(gtin("1"), at(2)), None);
        let gone = open.seen(Vec::new(), at(2)).unwrap();
        assert_eq!((gone.stage.word(), &gone.evidence), ("gone", &gtin("1")));
        assert_eq!(gone.seen(Vec::new(), at(3)), None);
        let again = gone.seen(gtin("2"), at(3)).unwrap();
        assert_eq!((again.stage.word(), &again.evidence, again.found_at), ("open", &gtin("2"), at(1)));
    }

    #[test]
    fn what_a_person_has_said_stays() {
        let by = || "person:x".to_owned();
        let dismissed = Stage::Dismissed { since: at(2), by: by(), reason: "twins".parse().unwrap() };
        let merged = Stage::Merged { since: at(2), by: by(), kept: ProductId::from_bits(3) };
        for stage in [dismissed, merged] {
            let said = pair().resolved(stage.clone()).unwrap();
            assert_eq!(said.seen(gtin("2"), at(3)), None);
            assert_eq!(said.seen(Vec::new(), at(3)), None);
            let why = said.resolved(stage).unwrap_err().to_string();
            assert_eq!(
                why,
                format!("it is {} already: only what is open can be resolved", said.stage.word())
            );
        }
    }

    fn product(axes: &[&str], variants: &[(&[&str], Option<&str>)]) -> Product {
        let draft = |(values, gtin): &(&[&str], Option<&str>)| VariantDraft {
            number: None,
            values: values.iter().map(|value| value.parse().unwrap()).collect(),
            gtin: gtin.map(|gtin| gtin.parse().unwrap()),
            weight: None,
        };
        Product {
            id: ProductId::from_bits(1),
            merchant: None,
            external_id: None,
            title: "Mug".parse().unwrap(),
            description: None,
            categories: Vec::new(),
            axes: axes.iter().map(|axis| axis.parse().unwrap()).collect(),
            variants: number_variants(&[], variants.iter().map(draft).collect()).unwrap(),
            status: ProductStatus::Active,
            created_at: at(0),
            merged: None,
            cover: None,
        }
    }

    #[test]
    fn variants_are_matched_by_gtin_then_by_values_or_are_alone() {
        let matched = |keep: &Product, gone: &Product| Vec::from_iter(matched(keep, gone));
        let (one, two) = (product(&[], &[(&[], None)]), product(&["size"], &[(&["m"], None)]));
        assert_eq!(matched(&one, &two), [(1, 1)]);
        let keep = product(&["color"], &[(&["red"], Some("4006381333931")), (&["blue"], None)]);
        let gone = product(
            &["color"],
            &[(&["blue"], None), (&["rouge"], Some("4006381333931")), (&["green"], None)],
        );
        assert_eq!(matched(&keep, &gone), [(1, 2), (2, 1)]);
        let other = product(&["farbe"], &[(&["red"], None), (&["blue"], None)]);
        assert_eq!(matched(&keep, &other), []);
    }
}
