//! What is sold: categories, products with their variants, and merchants' offers of them.
//!
//! A product stands once, however many merchants offer it; price and stock belong to the offer. Invariants: each
//! variant has one value per axis and no two have the same values; a variant's number is never given again, so an
//! offer always means the same thing. Attributes per locale and channel are not here.

use crate::asset::shown::Cover;
use crate::id::{MerchantId, OfferId, ProductId};
use crate::money::Money;
use crate::text::{Category, ExternalId, Location, Name, Sku, Text, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Variants of one product: it is one item.
pub const VARIANTS_MAX: usize = 250;
pub const AXES_MAX: usize = 4;
/// Categories of one product; the first is the one that fees and taxes go by.
pub const CATEGORIES_MAX: usize = 20;
/// Places where one offer's stock lies.
pub const LOCATIONS_MAX: usize = 20;

/// A place in the marketplace's category tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryNode {
    pub handle: Category,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Category>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub id: ProductId,
    /// The merchant that keeps it; none is the marketplace's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    pub title: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<Category>,
    /// What variants differ in, like `color`, `size`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Word>,
    /// At least one.
    pub variants: Vec<Variant>,
    pub status: ProductStatus,
    /// Since when it is known here; what was stored without is older than any.
    #[serde(default)]
    pub created_at: Timestamp,
    /// The first of the pictures that its sheet lists, as lists and letters show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cover: Option<Cover>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Merged>,
}

/// What a product has become: whoever asks for it gets that. It is archived, and stays so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub into: ProductId,
    /// Which variant there each of its own is.
    pub variants: BTreeMap<u16, u16>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Counted from 1, never given again.
    pub number: u16,
    /// One per axis, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gtin: Option<Gtin>,
    /// Packed, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ProductStatus {
    /// Being written; nobody can buy it.
    Draft,
    #[default]
    Active,
    /// Kept for old orders.
    Archived,
}

impl ProductStatus {
    fn is_active(&self) -> bool {
        *self == Self::Active
    }
}

/// One merchant's offer of one variant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub id: OfferId,
    pub merchant: MerchantId,
    /// Unique within the merchant: the id is derived from both.
    pub sku: Sku,
    pub product: ProductId,
    pub variant: u16,
    /// The product's, as it was when the offer was last written: what an order line shows.
    pub title: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Of one unit, packed: the variant's, as it was when the offer was last written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grams: Option<u32>,
    /// The product's, as it was when the offer was last written.
    #[serde(default, skip_serializing_if = "ProductStatus::is_active")]
    pub product_status: ProductStatus,
    /// Of one unit.
    pub price: Money,
    pub status: OfferStatus,
    /// Whether stock is counted; services and downloads need none.
    pub keeps_stock: bool,
    /// The most units that one order may have of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_limit: Option<u32>,
    /// Where stock has ever been; in the order of first receipt.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum OfferStatus {
    Active,
    /// Shown, not sold.
    Paused,
    /// Kept for old orders.
    Archived,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a product has 1 to {VARIANTS_MAX} variants, not {0}")]
    VariantCount(usize),
    #[error("a product has at most {AXES_MAX} axes, each named once")]
    Axes,
    #[error("a product is in at most {CATEGORIES_MAX} categories, each once")]
    Categories,
    #[error("variant {variant} has {values} values for {axes} axes: want one for each")]
    Values { variant: usize, values: usize, axes: usize },
    #[error("variants {0} and {1} have the same values")]
    SameValues(usize, usize),
    #[error("the product has no variant {0}")]
    UnknownVariant(u16),
    #[error("variant {0} is missing: variants stay, because offers and orders name them")]
    MissingVariant(u16),
    #[error("variant {0} is named twice")]
    VariantTwice(u16),
    #[error("the product is archived")]
    Archived,
    #[error("the product has become {0}: change that one")]
    Merged(ProductId),
    #[error("category {0} would lie below itself")]
    Circle(Category),
    #[error("an offer's stock lies in at most {LOCATIONS_MAX} locations")]
    LocationCount,
}

/// A variant as it is asked for; without a number it is a new one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariantDraft {
    pub number: Option<u16>,
    pub values: Vec<Word>,
    pub gtin: Option<Gtin>,
    pub weight: Option<u32>,
}

/// Numbers the variants of a product: known ones keep theirs, new ones go on from `before`, none may be missing.
pub fn number_variants(before: &[Variant], drafts: Vec<VariantDraft>) -> Result<Vec<Variant>, Refused> {
    let mut last = before.iter().map(|variant| variant.number).max().unwrap_or_default();
    let mut variants: Vec<Variant> = Vec::with_capacity(drafts.len());
    for VariantDraft { number, values, gtin, weight } in drafts {
        let number = match number {
            Some(number) if before.iter().all(|known| known.number != number) => {
                return Err(Refused::UnknownVariant(number));
            }
            Some(number) if variants.iter().any(|other| other.number == number) => {
                return Err(Refused::VariantTwice(number));
            }
            Some(number) => number,
            None => {
                last = last.saturating_add(1);
                last
            }
        };
        variants.push(Variant { number, values, gtin, weight });
    }
    let kept = |known: &&Variant| variants.iter().any(|variant| variant.number == known.number);
    match before.iter().find(|known| !kept(known)) {
        Some(gone) => Err(Refused::MissingVariant(gone.number)),
        None => Ok(variants),
    }
}

impl Product {
    /// What stays of it once it is another: an archived product that names the other.
    #[must_use]
    pub fn merged_into(self, into: &ProductId, variants: BTreeMap<u16, u16>) -> Self {
        let merged = Some(Merged { into: into.clone(), variants });
        Self { status: ProductStatus::Archived, merged, ..self }
    }

    /// Whether it can be written: nothing is said any more of what has become another.
    pub fn unmerged(&self) -> Result<(), Refused> {
        self.merged.as_ref().map_or(Ok(()), |merged| Err(Refused::Merged(merged.into.clone())))
    }

    /// What it does not say itself, as another says it; nothing of its own is replaced. `variants` says which of its
    /// own each variant of the other is.
    #[must_use]
    pub fn filled_from(mut self, other: &Self, variants: &BTreeMap<u16, u16>) -> Self {
        self.description = self.description.or_else(|| other.description.clone());
        if self.categories.is_empty() {
            self.categories.clone_from(&other.categories);
        }
        for variant in &mut self.variants {
            let same = |theirs: &&Variant| variants.get(&theirs.number) == Some(&variant.number);
            if let Some(theirs) = other.variants.iter().find(same) {
                variant.gtin = variant.gtin.take().or_else(|| theirs.gtin.clone());
                variant.weight = variant.weight.or(theirs.weight);
            }
        }
        self
    }

    /// The product, shown; what is archived stays so, and what has become another.
    pub fn published(self) -> Result<Self, Refused> {
        self.unmerged()?;
        match self.status {
            ProductStatus::Draft | ProductStatus::Active => {
                Ok(Self { status: ProductStatus::Active, ..self })
            }
            ProductStatus::Archived => Err(Refused::Archived),
        }
    }

    /// The product, if it holds what every product must.
    pub fn checked(self) -> Result<Self, Refused> {
        if !(1..=VARIANTS_MAX).contains(&self.variants.len()) {
            return Err(Refused::VariantCount(self.variants.len()));
        }
        if self.axes.len() > AXES_MAX || has_twice(&self.axes) {
            return Err(Refused::Axes);
        }
        if self.categories.len() > CATEGORIES_MAX || has_twice(&self.categories) {
            return Err(Refused::Categories);
        }
        for (at, variant) in self.variants.iter().enumerate() {
            let (values, axes) = (variant.values.len(), self.axes.len());
            if values != axes {
                return Err(Refused::Values { variant: at + 1, values, axes });
            }
            if let Some(same) = self.variants.iter().take(at).position(|other| other.values == variant.values)
            {
                return Err(Refused::SameValues(same + 1, at + 1));
            }
        }
        Ok(self)
    }

    /// A variant that can be offered.
    pub fn offerable(&self, number: u16) -> Result<&Variant, Refused> {
        self.unmerged()?;
        match self.status {
            ProductStatus::Draft | ProductStatus::Active => {}
            ProductStatus::Archived => return Err(Refused::Archived),
        }
        let found = self.variants.iter().find(|variant| variant.number == number);
        found.ok_or(Refused::UnknownVariant(number))
    }

    /// What a variant is called on an order line: the title, and its values behind it.
    pub fn title_of(&self, variant: &Variant) -> Name {
        let values: Vec<&str> = variant.values.iter().map(Word::as_str).collect();
        let full = format!("{} ({})", self.title, values.join(", "));
        if values.is_empty() { self.title.clone() } else { full.parse().unwrap_or(self.title.clone()) }
    }
}

fn has_twice<T: PartialEq>(items: &[T]) -> bool {
    items.iter().enumerate().any(|(at, item)| items.iter().take(at).any(|other| other == item))
}

impl Offer {
    /// The offer of this product, with all that it has of it as the product is now.
    #[must_use]
    pub fn following(self, product: &Product) -> Self {
        let variant = product.variants.iter().find(|variant| variant.number == self.variant);
        Self {
            product: product.id.clone(),
            title: variant.map_or(self.title, |variant| product.title_of(variant)),
            category: product.categories.first().cloned(),
            grams: variant.and_then(|variant| variant.weight),
            product_status: product.status,
            ..self
        }
    }

    /// Whether it is for sale, as far as it is its merchant's and its product's matter.
    pub fn is_sold(&self) -> bool {
        self.status == OfferStatus::Active && self.product_status == ProductStatus::Active
    }

    /// The offer with a location in its list; none if it is there already.
    pub fn with_location(&self, location: &Location) -> Result<Option<Self>, Refused> {
        if self.locations.contains(location) {
            return Ok(None);
        }
        if self.locations.len() >= LOCATIONS_MAX {
            return Err(Refused::LocationCount);
        }
        let mut offer = self.clone();
        offer.locations.push(location.clone());
        Ok(Some(offer))
    }
}

/// Whether `node` may lie below `parent`, whose own ancestors are given: nothing lies below itself.
pub fn check_parent(node: &Category, parent: &Category, ancestors: &[Category]) -> Result<(), Refused> {
    if node == parent || ancestors.contains(node) {
        return Err(Refused::Circle(node.clone()));
    }
    Ok(())
}

/// A Global Trade Item Number of 8, 12, 13 or 14 digits. Invariant: its check digit is right (GS1 General
/// Specifications, section 7.9: weights 3 and 1 from the right).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("pattern" = "^([0-9]{8}|[0-9]{12,14})$", "format" = "gtin"))
)]
pub struct Gtin(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not a GTIN: want 8, 12, 13 or 14 digits with a check digit that fits")]
pub struct NotAGtin;

impl TryFrom<String> for Gtin {
    type Error = NotAGtin;
    fn try_from(text: String) -> Result<Self, NotAGtin> {
        let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(10)).collect();
        let digits = digits.filter(|digits| matches!(digits.len(), 8 | 12 | 13 | 14)).ok_or(NotAGtin)?;
        let weighted =
            digits.iter().rev().enumerate().map(|(at, digit)| if at % 2 == 1 { digit * 3 } else { *digit });
        if weighted.sum::<u32>() % 10 == 0 { Ok(Self(text)) } else { Err(NotAGtin) }
    }
}

impl std::str::FromStr for Gtin {
    type Err = NotAGtin;
    fn from_str(text: &str) -> Result<Self, NotAGtin> {
        Self::try_from(text.to_owned())
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> Self {
        gtin.0
    }
}

impl std::fmt::Display for Gtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests;
