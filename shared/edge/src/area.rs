//! Areas and places as bodies and queries spell them: rows of tax and delivery name an area, a destination is a place.

use crate::check::Check;
use domain::place::{Area, Country, Place};
use domain::text::Word;
use serde::{Deserialize, Serialize};

/// Nothing is the world; a country is all of it, or one region, or the postal codes that begin so.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Area"))]
pub struct AreaBody {
    /// ISO 3166-1: `DE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Country>"))]
    country: Option<String>,
    /// Its code within the country: `CA`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    region: Option<String>,
    /// The first characters of postal codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    postal: Option<String>,
}

impl AreaBody {
    pub fn of(area: &Area) -> Self {
        let (country, region, postal) = match area {
            Area::World => (None, None, None),
            Area::Country(country) => (Some(country), None, None),
            Area::Region(country, region) => (Some(country), Some(region), None),
            Area::Postal(country, postal) => (Some(country), None, Some(postal)),
        };
        Self {
            country: country.map(ToString::to_string),
            region: region.map(ToString::to_string),
            postal: postal.map(ToString::to_string),
        }
    }

    /// The area, or what is wrong with it under `field`.
    pub fn read(&self, check: &mut Check, field: &str) -> Option<Area> {
        let at = |name: &str| format!("{field}.{name}");
        let country = check.maybe::<Country>(at("country"), self.country.as_deref());
        let region = check.maybe::<Word>(at("region"), self.region.as_deref());
        let postal = check.maybe::<Word>(at("postal"), self.postal.as_deref());
        if self.country.is_none() && (self.region.is_some() || self.postal.is_some()) {
            check.wrong(at("country"), "required", "a region or postal code is one of a country");
        }
        if self.region.is_some() && self.postal.is_some() {
            check.wrong(at("postal"), "conflict", "give either `region` or `postal`");
        }
        match (country, region, postal) {
            (None, _, _) => self.country.is_none().then_some(Area::World),
            (Some(country), None, None) => Some(Area::Country(country)),
            (Some(country), Some(region), _) => Some(Area::Region(country, region)),
            (Some(country), None, Some(postal)) => Some(Area::Postal(country, postal)),
        }
    }
}

/// Where something goes, as precisely as it is known: a country, its region, the beginning of a postal code.
pub fn place(check: &mut Check, country: &str, region: Option<&str>, postal: Option<&str>) -> Option<Place> {
    let country = check.parse::<Country>("country", country);
    let region = check.maybe::<Word>("region", region);
    let postal = check.maybe::<Word>("postal", postal);
    Some(Place { country: country?, region, postal })
}
