//! Addresses as bodies spell them, read into the spelling of their country.

use crate::check::Check;
use domain::address::{Address, Checked, Confidence, Problem as Wrong, RawAddress, What, check};
use serde::{Deserialize, Serialize};

/// An address, as people write one or as its country does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Address"))]
pub struct AddressBody {
    /// ISO 3166-1: `DE`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[A-Za-z]{2}$")))]
    country: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Typed"))]
    name: String,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Typed>"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    /// Street and number and what else stands between name and city, 1 to 4.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<domain::says::Typed>", length(min = 1, max = domain::address::ADDRESS_LINES_MAX))
    )]
    lines: Vec<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Typed>"))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    city: Option<String>,
    /// By its code or name where the country has a list of regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    region: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    postal_code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

impl AddressBody {
    pub fn of(address: Address) -> Self {
        let Address { country, name, company, lines, city, region, postal_code, phone } = address;
        Self {
            country: country.to_string(),
            name: name.to_string(),
            company: company.map(|company| company.to_string()),
            lines: lines.iter().map(ToString::to_string).collect(),
            city: city.map(|city| city.to_string()),
            region: region.map(|region| region.to_string()),
            postal_code: postal_code.map(|code| code.to_string()),
            phone: phone.map(|phone| phone.to_string()),
        }
    }

    /// The address in one spelling, or everything that is wrong with it; fields are named behind `under`.
    pub fn read(&self, into: &mut Check, under: &str) -> Option<Checked> {
        let Self { country, name, company, lines, city, region, postal_code, phone } = self.clone();
        match check(&RawAddress { country, name, company, lines, city, region, postal_code, phone }) {
            Ok(checked) => Some(checked),
            Err(problems) => {
                for Wrong { field, what } in problems {
                    into.wrong(format!("{under}{}", field.word()), code(&what), what);
                }
                None
            }
        }
    }
}

fn code(what: &What) -> &'static str {
    match what {
        What::Missing => "required",
        What::Lines(_) => "range",
        What::Country(_)
        | What::Text(_)
        | What::Direction
        | What::PostalForm { .. }
        | What::Region
        | What::Phone => "format",
    }
}

/// The stable word for how much a check can say.
pub fn confidence(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::VerifiedFormat => "verified_format",
        Confidence::Normalized => "normalized",
        Confidence::UnknownCountryFormat => "unknown_country_format",
    }
}
