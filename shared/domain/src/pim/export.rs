//! What leaves for a channel: one row per offer, as the channel shows it in one language, and a job that makes the
//! file; or, by the same job, what translators are to say there in that language.
//!
//! `waiting → done | failed`. A channel takes only what says enough for it: what its family demands there, and for
//! Google what [`crate::pim::feed`] demands. What is left out is told with its reasons.

use crate::catalog::{Offer, Product, Variant};
use crate::id::{ExportId, MerchantId, OfferId, ProductId};
use crate::money::Money;
use crate::pim::attribute::{Kind, Place};
use crate::pim::data::Data;
use crate::pim::exchange::csv_line;
use crate::pim::family::{Completeness, Model};
use crate::pim::feed::{Availability, Condition, Draft, Item};
use crate::pim::rich;
use crate::pim::sheet::Content;
use crate::text::{Channel, Code, Locale, Text, WebAddress};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Attributes of one export.
pub const ATTRIBUTES_MAX: usize = 100;
/// What the attributes are called by which products of one maker are told apart.
const BRAND: &str = "brand";
const PART: &str = "mpn";

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExportFormat"))]
pub enum Format {
    Csv,
    JsonLines,
    /// An RSS feed for Google Merchant Center.
    GoogleXml,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    pub id: ExportId,
    /// Whose offers; none: everybody's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub channel: Channel,
    pub locale: Locale,
    pub format: Format,
    /// Beside what every row has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<Code>,
    /// Only what is different from that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<ExportId>,
    /// Not what is for sale, but what is to be translated into the locale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translations: Option<Translations>,
    pub asked_at: Timestamp,
    pub stage: Stage,
}

/// Which translations a file has: [`crate::pim::translation::file`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Translations {
    /// The language of the source.
    pub from: Locale,
    /// What is done and what is a draft, too; else only what is missing or stale.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Waiting,
    Done { since: Timestamp, counts: Counts },
    Failed { since: Timestamp, why: Text },
}

impl Stage {
    /// Its name at rest and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Rows of the file that say something.
    pub set: u64,
    /// Rows that say that something is there no more.
    pub removed: u64,
    /// What is as it was in the export before.
    pub unchanged: u64,
    /// What the channel does not take.
    pub left_out: u64,
    pub bytes: u64,
}

/// An offer with all that is said of it.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub product: &'a Product,
    pub content: &'a Content,
    pub offer: &'a Offer,
    /// In the channel's currency.
    pub price: Money,
    pub available: bool,
    pub link: Option<&'a WebAddress>,
    /// Addresses, the first stands for it.
    pub pictures: &'a [String],
}

/// One offer on a channel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    pub id: OfferId,
    pub product: ProductId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    pub variant: u16,
    pub merchant: MerchantId,
    pub sku: String,
    pub title: String,
    /// Without tags.
    pub description: String,
    pub categories: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gtin: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub brand: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mpn: Option<String>,
    pub price: String,
    pub currency: String,
    pub available: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    pub pictures: Vec<String>,
    pub values: BTreeMap<Code, Data>,
}

/// What every row of a CSV file has, in its order; the attributes follow.
const COLUMNS: [&str; 18] = [
    "change",
    "id",
    "product",
    "external_id",
    "variant",
    "merchant",
    "sku",
    "title",
    "description",
    "categories",
    "gtin",
    "brand",
    "mpn",
    "price",
    "currency",
    "available",
    "link",
    "pictures",
];

/// How a channel shows what it is given.
#[derive(Debug, Clone, Copy)]
pub struct Shows<'a> {
    pub model: &'a Model,
    pub channel: &'a Channel,
    pub locale: &'a Locale,
    pub attributes: &'a [Code],
}

impl Shows<'_> {
    /// What is said there: a variant's own word before the product's.
    fn says<'c>(&self, content: &'c Content, variant: u16, code: &Code) -> Option<&'c Data> {
        let scope = self.model.attributes.get(code)?.scope;
        let place: Place = scope.place(self.channel, self.locale);
        content.value(Some(variant), code, &place)
    }

    /// Without tags, where it may have some.
    fn text(&self, content: &Content, variant: u16, code: Option<&Code>) -> Option<String> {
        let text = self.says(content, variant, code?)?.as_text()?;
        let kind = self.model.attributes.get(code?).map(|attribute| &attribute.kind);
        let tagged = matches!(kind, Some(Kind::RichText { .. }));
        Some(if tagged { rich::words(text) } else { text.to_owned() })
    }

    /// The row, or what is missing: attributes that the family demands there.
    pub fn row(&self, subject: Subject<'_>) -> Result<Row, Vec<Code>> {
        let Subject { product, content, offer, price, available, link, pictures } = subject;
        let numbers: Vec<u16> = product.variants.iter().map(|variant| variant.number).collect();
        let completeness = Completeness::of(content, self.model, &numbers);
        if let Some(cell) = completeness.cell(self.channel, self.locale).filter(|cell| !cell.is_complete()) {
            return Err(cell.missing.iter().cloned().collect());
        }
        let family = self.model.family_of(content);
        let number = offer.variant;
        let text = |code: Option<&Code>| self.text(content, number, code);
        let named = |name: &str| text(name.parse().ok().as_ref());
        let variant = product.variants.iter().find(|variant| variant.number == number);
        let said = text(family.and_then(|family| family.label.as_ref()));
        let title = said.map_or_else(|| offer.title.to_string(), |said| with_values(said, variant));
        let description = text(family.and_then(|family| family.description.as_ref()));
        let own = || product.description.as_ref().map(ToString::to_string).unwrap_or_default();
        let value = |code: &Code| Some((code.clone(), self.says(content, number, code)?.clone()));
        Ok(Row {
            id: offer.id.clone(),
            product: product.id.clone(),
            external_id: product.external_id.as_ref().map(ToString::to_string),
            variant: number,
            merchant: offer.merchant.clone(),
            sku: offer.sku.to_string(),
            title,
            description: description.unwrap_or_else(own),
            categories: product.categories.iter().map(ToString::to_string).collect(),
            gtin: variant.and_then(|variant| variant.gtin.as_ref()).map(ToString::to_string),
            brand: named(BRAND),
            mpn: named(PART),
            price: price.decimal().to_string(),
            currency: price.currency.to_string(),
            available,
            link: link.map(ToString::to_string),
            pictures: pictures.to_vec(),
            values: self.attributes.iter().filter_map(value).collect(),
        })
    }
}

/// As on an order line: the values of a variant stand behind the title.
fn with_values(title: String, variant: Option<&Variant>) -> String {
    let values: Vec<&str> = variant
        .map(|variant| variant.values.iter().map(|value| value.as_str()).collect())
        .unwrap_or_default();
    if values.is_empty() { title } else { format!("{title} ({})", values.join(", ")) }
}

/// The head of a CSV file.
pub fn csv_head(attributes: &[Code]) -> String {
    csv_line(COLUMNS.into_iter().chain(attributes.iter().map(Code::as_str)))
}

/// That an offer is there no more.
pub fn csv_removed(id: &str, attributes: &[Code]) -> String {
    let rest = COLUMNS.len().saturating_sub(2).saturating_add(attributes.len());
    csv_line(["removed", id].into_iter().chain(std::iter::repeat_n("", rest)))
}

impl Row {
    /// A line of a CSV file; several in one cell stand apart by `|`.
    pub fn csv(&self, attributes: &[Code]) -> String {
        let or_nothing = |text: &Option<String>| text.clone().unwrap_or_default();
        let cells = [
            "set".to_owned(),
            self.id.to_string(),
            self.product.to_string(),
            or_nothing(&self.external_id),
            self.variant.to_string(),
            self.merchant.to_string(),
            self.sku.clone(),
            self.title.clone(),
            self.description.clone(),
            self.categories.join("|"),
            or_nothing(&self.gtin),
            or_nothing(&self.brand),
            or_nothing(&self.mpn),
            self.price.clone(),
            self.currency.clone(),
            self.available.to_string(),
            or_nothing(&self.link),
            self.pictures.join("|"),
        ];
        let value = |code: &Code| self.values.get(code).map(cell).unwrap_or_default();
        let cells: Vec<String> = cells.into_iter().chain(attributes.iter().map(value)).collect();
        csv_line(cells.iter().map(String::as_str))
    }

    /// The row as Google wants it, or what is wrong with it for Google: field and reason.
    pub fn google(&self, price: Money) -> Result<Item, Vec<(String, String)>> {
        let address = |text: &String| text.parse::<WebAddress>().ok();
        let draft = Draft {
            id: self.id.to_string(),
            title: self.title.clone(),
            description: self.description.clone(),
            link: self.link.as_ref().and_then(address),
            pictures: self.pictures.iter().filter_map(address).collect(),
            availability: Some(if self.available { Availability::InStock } else { Availability::OutOfStock }),
            price: Some(price),
            brand: self.brand.clone(),
            gtin: self.gtin.as_ref().and_then(|gtin| gtin.parse().ok()),
            mpn: self.mpn.clone(),
            condition: Some(Condition::New),
            unnumbered: false,
        };
        let told = |(field, lack): (crate::pim::feed::Field, crate::pim::feed::Lack)| {
            (field.word().to_owned(), lack.to_string())
        };
        draft.check().map_err(|lacks| lacks.into_iter().map(told).collect())
    }
}

/// A value in one cell.
fn cell(data: &Data) -> String {
    if let Some(text) = data.as_text() {
        return text.to_owned();
    }
    if let Some(list) = data.as_list() {
        return list.iter().map(cell).collect::<Vec<_>>().join("|");
    }
    if let Some(map) = data.as_map() {
        let part = |name: &str| map.get(name).and_then(Data::as_text);
        if let Some((amount, unit)) = part("amount").zip(part("unit").or(part("currency"))) {
            return format!("{amount} {unit}");
        }
        return map.iter().map(|(name, data)| format!("{name}={}", cell(data))).collect::<Vec<_>>().join(";");
    }
    match data {
        Data::Bool(truth) => truth.to_string(),
        Data::Whole(number) => number.to_string(),
        Data::Null | Data::Text(_) | Data::List(_) | Data::Map(_) => String::new(),
    }
}

#[cfg(test)]
mod tests;
