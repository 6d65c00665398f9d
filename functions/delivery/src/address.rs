//! Addresses: what a country wants in one, and whether one is as its country writes it.
//!
//! Nothing is kept: an address is personal, and whoever asks has it already.

use axum::extract::{Path, State};
use domain::address::{Checked, Field, format};
use domain::place::Country;
use edge::address::{AddressBody, confidence};
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use serde::Serialize;

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
    let mut check = Check::new();
    let checked = command.body.read(&mut check, "");
    check.done()?;
    let Checked { address, confidence: how } = checked.ok_or_else(Problem::internal)?;
    Ok(Reply::ok(CheckedView { address: AddressBody::of(address), confidence: confidence(how) }))
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
