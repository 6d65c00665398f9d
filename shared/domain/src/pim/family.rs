//! Families: what a kind of product must say on each channel, and how much of it is said.
//!
//! Completeness is per channel and locale, from the required attributes of the family alone (A3(2)); a value that
//! is the same for all locales or channels counts for each. It is kept as what is missing, so a change updates
//! only what it touches: [`Completeness::after`] is always what [`Completeness::of`] would say, and reads no other
//! attribute. Publishing waits for it.

use crate::currency::Currency;
use crate::pim::attribute::{Attribute, DECLARED_MAX, Flaw, Labels, Place, labels_size};
use crate::pim::history::Diff;
use crate::pim::sheet::{Content, Path};
use crate::text::{Channel, Code, Locale};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Attributes of one family.
pub const ATTRIBUTES_MAX: usize = 500;
/// Locales of one channel.
pub const LOCALES_MAX: usize = 50;

/// What products of one kind say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    pub code: Code,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    pub attributes: BTreeMap<Code, Demand>,
    /// What variants of its products may differ in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub axes: Vec<Code>,
    /// Which attribute is a product's title.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Code>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Code>,
    /// Which attribute names the picture that stands for the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Code>,
}

/// On which channels an attribute must be filled; none: it may be.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Demand {
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub required: BTreeSet<Channel>,
}

/// Where products are shown, and in which languages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PimChannel {
    pub code: Channel,
    pub locales: Vec<Locale>,
    pub currency: Currency,
}

/// The words that a marketplace's products are described with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Model {
    pub attributes: BTreeMap<Code, Attribute>,
    pub families: BTreeMap<Code, Family>,
    pub channels: BTreeMap<Channel, PimChannel>,
    /// The language that others are translated from: the marketplace's own.
    pub source: Option<Locale>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadFamily {
    #[error("a family has 1 to {ATTRIBUTES_MAX} attributes, not {0}")]
    Count(usize),
    #[error("there is no attribute `{0}`")]
    Attribute(Code),
    #[error("`{0}` is no attribute of the family")]
    Foreign(Code),
    #[error("there is no channel `{0}`")]
    Channel(Channel),
    #[error("`{0}` is an axis twice, or differs by locale or channel")]
    Axis(Code),
    #[error("a channel has 1 to {LOCALES_MAX} locales, each once")]
    Locales,
    #[error("its texts have {0} bytes: want at most {DECLARED_MAX}")]
    Large(usize),
}

impl PimChannel {
    pub fn declare(&self) -> Result<(), BadFamily> {
        let once = self.locales.iter().collect::<BTreeSet<_>>().len() == self.locales.len();
        let fits = once && (1..=LOCALES_MAX).contains(&self.locales.len());
        if fits { Ok(()) } else { Err(BadFamily::Locales) }
    }
}

impl Family {
    /// A family that may be declared.
    pub fn declare(&self, model: &Model) -> Result<(), BadFamily> {
        if !(1..=ATTRIBUTES_MAX).contains(&self.attributes.len()) {
            return Err(BadFamily::Count(self.attributes.len()));
        }
        let demand = |(code, demand): (&Code, &Demand)| {
            let channels = demand.required.iter().map(|channel| channel.as_str().len() + 3);
            code.as_str().len() + channels.sum::<usize>() + 20
        };
        let bytes = labels_size(&self.labels) + self.attributes.iter().map(demand).sum::<usize>();
        if bytes > DECLARED_MAX {
            return Err(BadFamily::Large(bytes));
        }
        for (code, demand) in &self.attributes {
            if !model.attributes.contains_key(code) {
                return Err(BadFamily::Attribute(code.clone()));
            }
            let unknown = demand.required.iter().find(|channel| !model.channels.contains_key(channel));
            if let Some(channel) = unknown {
                return Err(BadFamily::Channel(channel.clone()));
            }
        }
        let named = self.axes.iter().chain(&self.label).chain(&self.description).chain(&self.picture);
        if let Some(foreign) = named.into_iter().find(|code| !self.attributes.contains_key(code)) {
            return Err(BadFamily::Foreign(foreign.clone()));
        }
        for (at, axis) in self.axes.iter().enumerate() {
            let scope = model.attributes.get(axis).map(|attribute| attribute.scope).unwrap_or_default();
            if scope.per_locale || scope.per_channel || self.axes.iter().take(at).any(|other| other == axis) {
                return Err(BadFamily::Axis(axis.clone()));
            }
        }
        Ok(())
    }
}

impl Model {
    /// Whether some channel shows what stands at the place.
    pub fn shows(&self, place: &Place) -> Result<(), Flaw> {
        if let Some(channel) = &place.channel {
            let found = self.channels.get(channel).ok_or_else(|| Flaw::Place(channel.to_string()))?;
            let Some(locale) = &place.locale else { return Ok(()) };
            let speaks = found.locales.contains(locale);
            return if speaks { Ok(()) } else { Err(Flaw::Place(format!("{locale} in {channel}"))) };
        }
        let Some(locale) = &place.locale else { return Ok(()) };
        let spoken = self.channels.values().any(|channel| channel.locales.contains(locale));
        if spoken { Ok(()) } else { Err(Flaw::Place(locale.to_string())) }
    }

    /// The family of what is said, if it has one that is known.
    pub fn family_of(&self, content: &Content) -> Option<&Family> {
        self.families.get(&content.family()?)
    }
}

/// How much a product says of what it must, per channel and locale.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Completeness {
    /// By channel and locale. Without a family there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cells: Vec<Cell>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cell {
    pub channel: Channel,
    pub locale: Locale,
    /// How many attributes the family demands there.
    pub required: u16,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub missing: BTreeSet<Code>,
}

/// Why nothing can be published on a channel: what is missing in each of its languages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not complete on {channel} in any language")]
pub struct NotComplete {
    pub channel: Channel,
    pub missing: Vec<(Locale, BTreeSet<Code>)>,
}

impl Cell {
    /// Rounded down, so that only what is complete has a hundred.
    pub fn percent(&self) -> u8 {
        let missing = u32::try_from(self.missing.len()).unwrap_or(u32::MAX);
        let required = u32::from(self.required);
        let filled = required.saturating_sub(missing);
        u8::try_from((filled * 100).checked_div(required).unwrap_or(100)).unwrap_or(100)
    }

    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
}

/// Whether what a channel shows in a language has the attribute: in the product, or else in each of its variants.
fn filled(content: &Content, attribute: &Attribute, at: (&Channel, &Locale), variants: &[u16]) -> bool {
    let place = attribute.scope.place(at.0, at.1);
    let said = |variant| content.value(variant, &attribute.code, &place).is_some();
    said(None) || (!variants.is_empty() && variants.iter().all(|number| said(Some(*number))))
}

impl Completeness {
    /// From scratch.
    pub fn of(content: &Content, model: &Model, variants: &[u16]) -> Self {
        let Some(family) = model.family_of(content) else { return Self::default() };
        let mut cells = Vec::new();
        for (channel, locale) in model.channels.values().flat_map(PimChannel::places) {
            let required = family.attributes.iter().filter(|(_, demand)| demand.required.contains(channel));
            let required: Vec<&Code> = required.map(|(code, _)| code).collect();
            let has = |code: &Code| {
                let attribute = model.attributes.get(code);
                attribute.is_some_and(|attribute| filled(content, attribute, (channel, locale), variants))
            };
            cells.push(Cell {
                channel: channel.clone(),
                locale: locale.clone(),
                required: u16::try_from(required.len()).unwrap_or(u16::MAX),
                missing: required.into_iter().filter(|code| !has(code)).cloned().collect(),
            });
        }
        Self { cells }
    }

    /// After a change whose result is `content`: only what the change touches is looked at. A change of the family is a
    /// new beginning; so are changes of model and variants, which are not in a diff.
    #[must_use]
    pub fn after(mut self, diff: &Diff, content: &Content, model: &Model, variants: &[u16]) -> Self {
        let mut touched: BTreeSet<&Code> = BTreeSet::new();
        for path in diff.paths() {
            match path {
                Path::Family => return Self::of(content, model, variants),
                Path::Value(slot) => {
                    touched.insert(&slot.attribute);
                }
                Path::Assets | Path::Translation(_) => {}
            }
        }
        let Some(family) = model.family_of(content) else { return self };
        for code in touched {
            let (Some(attribute), Some(demand)) = (model.attributes.get(code), family.attributes.get(code))
            else {
                continue;
            };
            for cell in self.cells.iter_mut().filter(|cell| demand.required.contains(&cell.channel)) {
                if filled(content, attribute, (&cell.channel, &cell.locale), variants) {
                    cell.missing.remove(code);
                } else {
                    cell.missing.insert(code.clone());
                }
            }
        }
        self
    }

    pub fn cell(&self, channel: &Channel, locale: &Locale) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.channel == *channel && cell.locale == *locale)
    }

    /// The languages that a channel may show the product in, or why there is none.
    pub fn publishable(&self, channel: &Channel) -> Result<Vec<Locale>, NotComplete> {
        let cells = || self.cells.iter().filter(|cell| cell.channel == *channel);
        let ready: Vec<Locale> =
            cells().filter(|cell| cell.is_complete()).map(|cell| cell.locale.clone()).collect();
        if ready.is_empty() {
            let missing = cells().map(|cell| (cell.locale.clone(), cell.missing.clone())).collect();
            return Err(NotComplete { channel: channel.clone(), missing });
        }
        Ok(ready)
    }
}

impl PimChannel {
    fn places(&self) -> impl Iterator<Item = (&Channel, &Locale)> {
        self.locales.iter().map(|locale| (&self.code, locale))
    }
}

#[cfg(test)]
mod tests;
