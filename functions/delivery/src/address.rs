//! Addresses: what a country wants in one, and whether one is as its country writes it.
//!
//! Nothing is kept: an address is personal, and whoever asks has it already.

use axum::extract::{Path, State};
use domain::address::{
    Address, Checked, Confidence, Field, Problem as Wrong, RawAddress, What, check, format,
};
use domain::place::Country;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};

/// An address, as people write one or as its country does.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Address"))]
pub(crate) struct AddressBody {
    /// ISO 3166-1: `DE`.
    country: String,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    /// Street and number and what else stands between name and city, 1 to 4.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 4)))]
    lines: Vec<String>,
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
    fn of(address: Address) -> Self {
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

    fn raw(&self) -> RawAddress {
        let Self { country, name, company, lines, city, region, postal_code, phone } = self.clone();
        RawAddress { country, name, company, lines, city, region, postal_code, phone }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CheckedAddress"))]
pub(crate) struct CheckedView {
    /// In the spelling of its country.
    address: AddressBody,
    /// `verified_format`: given just so; `normalized`: blanks, case or the spelling of a code were changed;
    /// `unknown_country_format`: only limits were checked. Whether a house stands there is not known.
    confidence: &'static str,
}

/// An address that cannot be one in its country is refused with everything that is wrong with it.
pub(crate) async fn check_address(
    _world: State<World>,
    command: Command<AddressBody>,
) -> Result<Reply<CheckedView>, Problem> {
    match check(&command.body.raw()) {
        Ok(Checked { address, confidence }) => {
            let confidence = match confidence {
                Confidence::VerifiedFormat => "verified_format",
                Confidence::Normalized => "normalized",
                Confidence::UnknownCountryFormat => "unknown_country_format",
            };
            Ok(Reply::ok(CheckedView { address: AddressBody::of(address), confidence }))
        }
        Err(problems) => {
            let mut check = Check::new();
            for Wrong { field, what } in problems {
                let code = match what {
                    What::Missing => "required",
                    What::Lines(_) => "range",
                    What::Country(_)
                    | What::Text(_)
                    | What::Direction
                    | What::PostalForm { .. }
                    | What::Region
                    | What::Phone => "format",
                };
                check.wrong(field.word(), code, what);
            }
            Err(check.done().err().unwrap_or_else(Problem::internal))
        }
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AddressFormat"))]
pub(crate) struct FormatView {
    country: String,
    /// Whether the country's format is known here; if not, anything within limits is taken.
    known: bool,
    /// The members of an address that must be there.
    required: Vec<&'static str>,
    /// Forms of its postal codes: `#` a digit, `?` a letter, `*` either; none where any text will do.
    postal_forms: Vec<&'static str>,
}

/// What a form asks for before there is an address.
pub(crate) async fn show_format(
    _world: State<World>,
    Path(country): Path<String>,
    _query: Query<NoParameters>,
) -> Result<Reply<FormatView>, Problem> {
    let country: Country = country.parse().map_err(|_| Problem::not_found("country"))?;
    let format = format::of(country);
    let wants = |of: fn(&format::Format) -> bool| format.as_ref().is_some_and(of);
    let fields = [
        (Field::Country, true),
        (Field::Name, true),
        (Field::Lines, true),
        (Field::City, wants(|format| format.city)),
        (Field::Region, wants(|format| format.region)),
        (Field::PostalCode, wants(|format| format.postal)),
    ];
    let forms = format.as_ref().map_or("", |format| format.postal_forms);
    Ok(Reply::ok(FormatView {
        country: country.to_string(),
        known: format.is_some(),
        required: fields.iter().filter(|(_, wanted)| *wanted).map(|(field, _)| field.word()).collect(),
        postal_forms: forms.split('|').filter(|form| !form.is_empty()).collect(),
    }))
}
