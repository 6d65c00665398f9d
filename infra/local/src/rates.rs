//! Rates of tax from files that others keep, as sheets for the API.
//!
//! Two files are understood, by the shape of what is in them: `sales_tax_rates.json` of the package sales-tax
//! (countries and regions with what held before, as fractions; a region's rate comes on top of the country's) and
//! `eu_vat_rates_data.json` of the package eu-vat-rates-data (the standard rate of each country today). Where both know
//! a country, the first says what held when, and the second, if it differs, what holds from its own day on.
//!
//! Left out: reduced rates, of which the files do not say what they are for, and what is no country of ISO 3166-1.

use domain::place::Country;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const SALES_TAX: &str = "sales_tax_rates.json";
const UNION: &str = "eu_vat_rates_data.json";
/// The day from which the files' oldest rates are taken to hold.
const LONG_AGO: Date = date(2000, 1, 1);

/// Why a folder has no rates.
#[derive(Debug, thiserror::Error)]
pub enum NoRates {
    #[error("{0} has neither sales_tax_rates.json nor eu_vat_rates_data.json")]
    Nothing(PathBuf),
    #[error("{path}: the file cannot be read")]
    File { path: PathBuf, source: std::io::Error },
    #[error("{path}: this is not what the file should look like")]
    Shape { path: PathBuf, source: serde_json::Error },
    #[error("{0}: a rate is too large to be one")]
    Rate(String),
}

#[derive(Debug, Deserialize)]
struct Taxed {
    rate: serde_json::Number,
    /// Until when another rate held.
    #[serde(default)]
    before: BTreeMap<Timestamp, Taxed>,
    #[serde(default)]
    states: BTreeMap<String, Taxed>,
}

#[derive(Debug, Deserialize)]
struct OfUnion {
    version: Date,
    rates: BTreeMap<String, Standard>,
}

#[derive(Debug, Deserialize)]
struct Standard {
    standard: serde_json::Number,
}

/// What was found: bodies for `POST /v1/tax/rates/{country}/set` by country, and what is no country.
#[derive(Debug, Default, PartialEq)]
pub struct Sheets {
    pub sheets: BTreeMap<String, Value>,
    pub left_out: Vec<String>,
}

/// Reads a folder with one of the files, or both.
pub fn read(folder: &Path) -> Result<Sheets, NoRates> {
    let sales: Option<BTreeMap<String, Taxed>> = file(&folder.join(SALES_TAX))?;
    let union: Option<OfUnion> = file(&folder.join(UNION))?;
    if sales.is_none() && union.is_none() {
        return Err(NoRates::Nothing(folder.to_owned()));
    }
    let mut rows: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (country, taxed) in sales.unwrap_or_default() {
        let of = rows.entry(country.clone()).or_default();
        // A country whose regions alone tax has no row of its own: a sale there asks for the region.
        if taxed.states.is_empty() || percent(&country, &taxed.rate)? != Decimal::ZERO {
            of.extend(history(&country, &taxed, None)?);
        }
        for (region, state) in &taxed.states {
            of.extend(history(&country, state, Some((region, &taxed)))?);
        }
    }
    for (country, Standard { standard }) in union.as_ref().map(|union| &union.rates).into_iter().flatten() {
        let percent = decimal(country, standard)?;
        let of = rows.entry(country.clone()).or_default();
        let known =
            of.iter().rfind(|row| row.get("region").is_none()).and_then(|row| row.get("percent")).cloned();
        if known != Some(json!(percent.to_string())) {
            let from = union.as_ref().filter(|_| known.is_some()).map_or(LONG_AGO, |union| union.version);
            of.push(row(from, percent, None));
        }
    }
    let mut found = Sheets::default();
    for (country, rates) in rows {
        if country.parse::<Country>().is_ok() {
            found.sheets.insert(country, json!({ "rates": rates }));
        } else {
            found.left_out.push(country);
        }
    }
    Ok(found)
}

/// A file's content; none where there is no such file.
fn file<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Option<T>, NoRates> {
    let text = match std::fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(NoRates::File { path: path.to_owned(), source }),
    };
    let read = serde_json::from_slice(&text);
    read.map(Some).map_err(|source| NoRates::Shape { path: path.to_owned(), source })
}

/// The rows of a country, or of a region with the country's rate of the same day under its own.
fn history(country: &str, taxed: &Taxed, region: Option<(&str, &Taxed)>) -> Result<Vec<Value>, NoRates> {
    let whole = region.map(|(_, whole)| whole);
    let changes = taxed.before.keys().chain(whole.into_iter().flat_map(|whole| whole.before.keys()));
    let mut days: Vec<Date> = changes.map(|at| day(*at)).collect();
    days.sort_unstable();
    days.dedup();
    let mut rows = Vec::with_capacity(days.len().saturating_add(1));
    for from in std::iter::once(LONG_AGO).chain(days) {
        let own = percent(country, on(taxed, from))?;
        let under = whole.map_or(Ok(Decimal::ZERO), |whole| percent(country, on(whole, from)))?;
        let both = own.checked_add(under).ok_or_else(|| NoRates::Rate(country.to_owned()))?.normalize();
        rows.push(row(from, both, region.map(|(region, _)| region)));
    }
    Ok(rows)
}

/// The rate that held on a day: that of the first change which was still to come.
fn on(taxed: &Taxed, from: Date) -> &serde_json::Number {
    let held = taxed.before.iter().find(|(until, _)| from < day(**until));
    held.map_or(&taxed.rate, |(_, before)| &before.rate)
}

/// Changes are told as midnight of the country, in UTC: within twelve hours of the day that begins.
fn day(at: Timestamp) -> Date {
    at.saturating_add(12.hours()).unwrap_or(at).to_zoned(TimeZone::UTC).date()
}

fn row(from: Date, percent: Decimal, region: Option<&str>) -> Value {
    let mut row = if percent == Decimal::ZERO {
        json!({ "from": from, "treatment": "outside_scope" })
    } else {
        json!({ "from": from, "treatment": "standard", "percent": percent.to_string() })
    };
    if let (Some(region), Some(row)) = (region, row.as_object_mut()) {
        row.insert("region".to_owned(), json!(region));
    }
    row
}

fn decimal(country: &str, number: &serde_json::Number) -> Result<Decimal, NoRates> {
    let read: Result<Decimal, _> = number.to_string().parse();
    read.map(|decimal| decimal.normalize()).map_err(|_| NoRates::Rate(country.to_owned()))
}

/// A fraction as a percentage.
fn percent(country: &str, fraction: &serde_json::Number) -> Result<Decimal, NoRates> {
    let fraction = decimal(country, fraction)?;
    let percent = fraction.checked_mul(Decimal::ONE_HUNDRED).map(|percent| percent.normalize());
    percent.ok_or_else(|| NoRates::Rate(country.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_and_regions_have_their_history_and_the_newer_file_the_last_word() {
        // Made up, in the shape of the files: a lower rate for half a year; a province on top of its country, which
        // changed later; islands that take the country's rate away; a country whose states alone tax.
        let folder = tempfile::tempdir().unwrap();
        let sales = json!({
            "DE": {"type": "vat", "rate": 0.19, "before": {
                "2020-06-30T22:00:00.000Z": {"type": "vat", "rate": 0.19},
                "2020-12-31T22:00:00.000Z": {"type": "vat", "rate": 0.16},
            }},
            "CA": {"type": "gst", "rate": 0.05, "states": {"NS": {"type": "hst", "rate": 0.09, "before": {
                "2025-04-01T00:00:00.000Z": {"type": "hst", "rate": 0.1},
            }}}},
            "ES": {"type": "vat", "rate": 0.21, "states": {"CE": {"type": "vat", "rate": -0.21}}},
            "US": {"type": "none", "rate": 0, "states": {"CO": {"type": "vat", "rate": 0.029}}},
            "LI": {"type": "vat", "rate": 0.077},
        });
        let union = json!({"version": "2026-09-29", "rates": {
            "DE": {"standard": 19.0}, "LI": {"standard": 8.1}, "ME": {"standard": 21.0}, "XI": {"standard": 20.0},
        }});
        std::fs::write(folder.path().join(SALES_TAX), sales.to_string()).unwrap();
        std::fs::write(folder.path().join(UNION), union.to_string()).unwrap();
        let Sheets { sheets, left_out } = read(folder.path()).unwrap();
        let told = |country: &str| -> Vec<String> {
            let rows = sheets[country]["rates"].as_array().unwrap();
            let text = |row: &Value, name: &str| row[name].as_str().unwrap_or("-").to_owned();
            rows.iter()
                .map(|row| ["from", "region", "percent"].map(|name| text(row, name)).join(" "))
                .collect()
        };
        assert_eq!(told("DE"), ["2000-01-01 - 19", "2020-07-01 - 16", "2021-01-01 - 19"]);
        assert_eq!(told("CA"), ["2000-01-01 - 5", "2000-01-01 NS 15", "2025-04-01 NS 14"]);
        assert_eq!(told("ES"), ["2000-01-01 - 21", "2000-01-01 CE -"]);
        assert_eq!(told("US"), ["2000-01-01 CO 2.9"]);
        assert_eq!(told("LI"), ["2000-01-01 - 7.7", "2026-09-29 - 8.1"]);
        assert_eq!(told("ME"), ["2000-01-01 - 21"]);
        assert_eq!(left_out, ["XI"]);
    }

    #[test]
    fn a_folder_without_rates_and_a_file_of_another_shape_are_told_by_their_path() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(read(folder.path()), Err(NoRates::Nothing(path)) if path == folder.path()));
        std::fs::write(folder.path().join(UNION), "[]").unwrap();
        assert!(matches!(read(folder.path()), Err(NoRates::Shape { path, .. }) if path.ends_with(UNION)));
    }
}
