//! What a product says, as requests and answers have it.

use crate::Problem;
use domain::pim::data::Data;
use domain::pim::sheet::Patch;
#[cfg(feature = "schema")]
use domain::{
    id::AssetId,
    text::{Channel, Code, Locale, Reason},
};
use serde::{Deserialize, Deserializer, Serialize};
use std::collections::BTreeMap;

/// A value, and where it stands.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SheetValue {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
    pub locale: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Channel>"))]
    pub channel: Option<String>,
    pub data: Data,
}

/// By attribute.
pub type Values = BTreeMap<String, Vec<SheetValue>>;

#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VariantSheet {
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Code, Vec<SheetValue>>"))]
    pub values: Values,
}

/// Absent is unchanged; whatever is there is said, null too.
fn said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Data>, D::Error> {
    Data::deserialize(deserializer).map(Some)
}

/// Objects merge, scalars and arrays are replaced, null removes; another type is refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ChangeSheet {
    /// Why; the history keeps it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Reason>"))]
    pub reason: Option<String>,
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    family: Option<Data>,
    /// All of them, in their order.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<AssetId>>"))]
    assets: Option<Data>,
    /// By attribute; those that are not named stay. Null takes away all of an attribute, `data: null` one.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Code, Option<Vec<ChangeValue>>>"))]
    values: Option<Data>,
    /// By number. Null takes away all that a variant says otherwise.
    #[serde(default, deserialize_with = "said")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<domain::says::VariantNumber, Option<ChangeVariant>>")
    )]
    variants: Option<Data>,
}

/// What the contract says of a variant in a change; it is read as [`Data`].
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ChangeVariantSheet", deny_unknown_fields)]
#[expect(dead_code, reason = "nothing is made of it")]
struct ChangeVariant {
    /// By attribute, as those of the product.
    #[schemars(default)]
    values: BTreeMap<Code, Option<Vec<ChangeValue>>>,
}

/// A value, and where it stands. Null takes it away.
#[cfg(feature = "schema")]
#[derive(schemars::JsonSchema)]
#[schemars(rename = "ChangeSheetValue", deny_unknown_fields)]
#[expect(dead_code, reason = "nothing is made of it")]
struct ChangeValue {
    locale: Option<Locale>,
    channel: Option<Channel>,
    data: Data,
}

impl ChangeSheet {
    pub fn patch(&self) -> Result<Patch, Problem> {
        let parts = [
            ("family", &self.family),
            ("assets", &self.assets),
            ("values", &self.values),
            ("variants", &self.variants),
        ];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part.clone()?)));
        Ok(Patch::read(&Data::Map(parts.collect()))?)
    }
}
