//! Where something goes, and areas that cover such places. Tax rates and delivery zones are rows that name an area.
//!
//! A place is as precise as what is known of it: a whole address, or a country and the first characters of a postal
//! code before there is one. What is not known of it matches no row that asks for it, so an estimate falls to the
//! wider row. The table is ISO 3166-1 alpha-2, 249 officially assigned codes; names of countries are absent on purpose.

use crate::text::Word;
use serde::{Deserialize, Serialize};

const CODES: &str = "\
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV \
    BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES \
    ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE \
    IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY \
    MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU \
    NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM \
    SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE \
    VG VI VN VU WF WS YE YT ZA ZM ZW";

/// Members of the European Union, one territory for value added tax. `XI` and other codes of the tax offices alone are
/// no countries.
const UNION: &str = "\
    AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK";

/// An ISO 3166-1 country. Invariant: the code is in the table above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("enum" = CODES.split(' ').collect::<Vec<_>>()))
)]
pub struct Country([u8; 2]);

/// Why a text is no country.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 3166-1 country: want two capitals like DE")]
pub struct NotACountry(String);

impl Country {
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// Whether goods sold from here to `other` stay in one territory of value added tax.
    pub fn one_tax_territory(&self, other: &Self) -> bool {
        self == other || (self.in_union() && other.in_union())
    }

    pub fn in_union(&self) -> bool {
        UNION.split(' ').any(|code| code == self.code())
    }
}

impl std::str::FromStr for Country {
    type Err = NotACountry;
    fn from_str(text: &str) -> Result<Self, NotACountry> {
        let refuse = || NotACountry(text.chars().take(16).collect());
        let code: [u8; 2] = text.as_bytes().try_into().map_err(|_| refuse())?;
        if CODES.split(' ').any(|known| known == text) { Ok(Self(code)) } else { Err(refuse()) }
    }
}

impl TryFrom<String> for Country {
    type Error = NotACountry;
    fn try_from(text: String) -> Result<Self, NotACountry> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.code().to_owned()
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// What is known of a destination: of an address all of it, for an estimate the country and perhaps the first
/// characters of the postal code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    pub country: Country,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal: Option<Word>,
}

/// A part of the world that a row of a table is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    World,
    Country(Country),
    /// A region by its code: `US`, `CA`.
    Region(Country, Word),
    /// All postal codes of a country that begin so.
    Postal(Country, Word),
}

impl Area {
    pub fn covers(&self, place: &Place) -> bool {
        let known = |known: Option<&Word>| bare(known.map_or("", Word::as_str));
        match self {
            Self::World => true,
            Self::Country(country) => *country == place.country,
            Self::Region(country, region) => {
                *country == place.country && known(place.region.as_ref()) == bare(region.as_str())
            }
            Self::Postal(country, prefix) => {
                *country == place.country && known(place.postal.as_ref()).starts_with(&bare(prefix.as_str()))
            }
        }
    }

    /// Rises as the area gets smaller: of two that cover a place, the higher one is about it.
    pub fn precision(&self) -> usize {
        match self {
            Self::World => 0,
            Self::Country(_) => 1,
            Self::Region(..) => 2,
            Self::Postal(_, prefix) => bare(prefix.as_str()).len().saturating_add(2),
        }
    }
}

/// Of the rows that cover a place those of the smallest area.
pub fn nearest<'a, R>(
    rows: impl IntoIterator<Item = &'a R>,
    areas: impl Fn(&'a R) -> &'a [Area],
    place: &Place,
) -> Vec<&'a R> {
    let of = |row: &'a R| areas(row).iter().filter(|area| area.covers(place)).map(Area::precision).max();
    let covering: Vec<(usize, &R)> = rows.into_iter().filter_map(|row| Some((of(row)?, row))).collect();
    let best = covering.iter().map(|(precision, _)| *precision).max();
    covering.into_iter().filter(|(precision, _)| Some(*precision) == best).map(|(_, row)| row).collect()
}

/// Letters and digits in capitals, with full-width forms as plain ones: how codes are compared, whatever stands
/// between their characters.
pub fn bare(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff10}'..='\u{ff19}' | '\u{ff21}'..='\u{ff3a}' | '\u{ff41}'..='\u{ff5a}' => {
            char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c)
        }
        _ => c,
    };
    text.chars().map(narrow).filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn w(text: &str) -> Word {
        text.parse().unwrap()
    }

    fn place(country: &str, region: Option<&str>, postal: Option<&str>) -> Place {
        Place { country: country.parse().unwrap(), region: region.map(w), postal: postal.map(w) }
    }

    #[test]
    fn a_country_is_one_of_the_249_of_iso_3166() {
        let codes: Vec<&str> = CODES.split(' ').collect();
        assert_eq!(codes.len(), 249);
        assert!(codes.is_sorted());
        assert_eq!(UNION.split(' ').filter(|code| code.parse::<Country>().is_ok()).count(), 27);
        for text in ["", "de", "EU", "UK", "XX", "D ", "DEU", "AD AE", "é"] {
            assert!(text.parse::<Country>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_area_covers_what_is_known_to_lie_in_it() {
        let us: Country = "US".parse().unwrap();
        let (ny, north) = (Area::Region(us, w("NY")), Area::Postal(us, w("128")));
        let (whole, estimate) = (place("US", Some("NY"), Some("12801-1234")), place("US", None, Some("12")));
        assert!(ny.covers(&whole) && north.covers(&whole));
        assert!(!ny.covers(&estimate) && !north.covers(&estimate));
        assert!(Area::Country(us).covers(&estimate) && Area::World.covers(&estimate));
        assert!(!Area::Country(us).covers(&place("CA", None, None)));
        assert!(
            Area::Postal(us, w("128-01")).covers(&whole),
            "what stands between the characters is nothing"
        );
    }

    #[test]
    fn the_smallest_area_is_about_a_place() {
        let es: Country = "ES".parse().unwrap();
        let rows = [
            vec![Area::World],
            vec![Area::Country(es), Area::Country("PT".parse().unwrap())],
            vec![Area::Postal(es, w("35")), Area::Postal(es, w("38"))],
            vec![Area::Postal(es, w("3"))],
        ];
        assert_eq!(nearest(&rows, Vec::as_slice, &place("ES", None, Some("35001"))), [&rows[2]]);
        assert_eq!(nearest(&rows, Vec::as_slice, &place("ES", None, Some("30001"))), [&rows[3]]);
        assert_eq!(nearest(&rows, Vec::as_slice, &place("PT", None, None)), [&rows[1]]);
        assert_eq!(nearest(&rows, Vec::as_slice, &place("JP", None, None)), [&rows[0]]);
    }
}
