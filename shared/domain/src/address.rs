//! Postal addresses: checked against the format of their country, written in one spelling, with a stated confidence.
//!
//! Whether a house stands there is not known here. Names and lines are what people say they are: any script, any
//! mark, kept as given up to blanks; control characters and the marks that turn the direction of text are refused.
//! [`format`] holds the facts of each country; one that is not in the table takes anything within limits.

pub mod format;

use crate::place::{Country, Place};
use crate::text::{Name, NotAText, Word, turns};
use serde::{Deserialize, Serialize};

/// Lines between name and city.
pub const ADDRESS_LINES_MAX: usize = 4;

/// An address that passed [`check`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub country: Country,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub company: Option<Name>,
    pub lines: Vec<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<Name>,
    /// By its code where the country has a list of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<Word>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Word>,
}

/// What is given, before any check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RawAddress {
    pub country: String,
    pub name: String,
    pub company: Option<String>,
    pub lines: Vec<String>,
    pub city: Option<String>,
    pub region: Option<String>,
    pub postal_code: Option<String>,
    pub phone: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    pub address: Address,
    pub confidence: Confidence,
}

/// How much the check can say, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Given just as its country writes it.
    VerifiedFormat,
    /// It fits its country's format after blanks, case or the spelling of a code were changed.
    Normalized,
    /// The format of the country is not known here; only limits were checked.
    UnknownCountryFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Country,
    Name,
    Company,
    Lines,
    City,
    Region,
    PostalCode,
    Phone,
}

impl Field {
    /// The stable word for API and form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Name => "name",
            Self::Company => "company",
            Self::Lines => "lines",
            Self::City => "city",
            Self::Region => "region",
            Self::PostalCode => "postal_code",
            Self::Phone => "phone",
        }
    }
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {what}", field.word())]
pub struct Problem {
    pub field: Field,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    #[error("it is missing")]
    Missing,
    #[error(transparent)]
    Country(#[from] crate::place::NotACountry),
    #[error(transparent)]
    Text(#[from] NotAText),
    #[error("it has a mark that turns the direction of text")]
    Direction,
    #[error("it has {0} lines: want at most {ADDRESS_LINES_MAX}")]
    Lines(usize),
    #[error("it is not of the form {forms} (# a digit, ? a letter, * either)")]
    PostalForm { forms: &'static str },
    #[error("it is no region of the country: want its code or its name")]
    Region,
    #[error("it is no telephone number: want 4 to 20 digits, a + before them if international")]
    Phone,
}

impl Address {
    /// What tax and delivery need to know.
    pub fn place(&self) -> Place {
        Place { country: self.country, region: self.region.clone(), postal: self.postal_code.clone() }
    }
}

/// The address in one spelling, or everything that is wrong with it.
pub fn check(raw: &RawAddress) -> Result<Checked, Vec<Problem>> {
    let mut desk = Desk { problems: Vec::new(), changed: false };
    let country = match raw.country.trim().to_uppercase().parse::<Country>() {
        Ok(country) => Some(country),
        Err(_) if raw.country.trim().is_empty() => desk.refuse(Field::Country, What::Missing),
        Err(error) => desk.refuse(Field::Country, error.into()),
    };
    desk.changed |= country.is_some_and(|country| country.code() != raw.country);
    let format = country.and_then(format::of);
    let needs = |of: fn(&format::Format) -> bool| format.as_ref().is_some_and(of);

    let name = desk.text(Field::Name, Some(&raw.name), true);
    let company = desk.text(Field::Company, raw.company.as_deref(), false);
    let lines = desk.lines(&raw.lines);
    let city = desk.text(Field::City, raw.city.as_deref(), needs(|format| format.city));
    let region = desk.text::<Word>(Field::Region, raw.region.as_deref(), needs(|format| format.region));
    let region = desk.respell(Field::Region, region, |text| match format {
        Some(format) => format.region(text).ok_or(What::Region),
        None => Ok(text.to_owned()),
    });
    let postal =
        desk.text::<Word>(Field::PostalCode, raw.postal_code.as_deref(), needs(|format| format.postal));
    let postal_code = desk.respell(Field::PostalCode, postal, |text| match (format, country) {
        (Some(format), Some(country)) if !format.postal_forms.is_empty() => {
            format.postal(country, text).ok_or(What::PostalForm { forms: format.postal_forms })
        }
        (Some(_) | None, _) => Ok(text.to_owned()),
    });
    let phone = desk.text::<Word>(Field::Phone, raw.phone.as_deref(), false);
    let phone = desk.respell(Field::Phone, phone, dialable);

    let (Some(country), Some(name), true) = (country, name, desk.problems.is_empty()) else {
        return Err(desk.problems);
    };
    let confidence = match (format, desk.changed) {
        (None, _) => Confidence::UnknownCountryFormat,
        (Some(_), true) => Confidence::Normalized,
        (Some(_), false) => Confidence::VerifiedFormat,
    };
    let address = Address { country, name, company, lines, city, region, postal_code, phone };
    Ok(Checked { address, confidence })
}

/// A telephone number in one spelling.
pub fn phone(text: &str) -> Result<Word, What> {
    Ok(dialable(text.trim())?.parse()?)
}

/// Digits, and the `+` of an international number; what people write between them is dropped.
fn dialable(text: &str) -> Result<String, What> {
    let plus = if text.starts_with('+') { "+" } else { "" };
    let between = |c: char| matches!(c, ' ' | '-' | '.' | '/' | '(' | ')');
    let digits: String = text.chars().skip(plus.len()).filter(|c| !between(*c)).collect();
    let fits = (4..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    if fits { Ok(format!("{plus}{digits}")) } else { Err(What::Phone) }
}

/// What has been found so far.
struct Desk {
    problems: Vec<Problem>,
    changed: bool,
}

impl Desk {
    fn refuse<T>(&mut self, field: Field, what: What) -> Option<T> {
        self.problems.push(Problem { field, what });
        None
    }

    /// A text without blanks at its ends and with single ones inside. Blank is as good as missing.
    fn text<T: TryFrom<String, Error = NotAText>>(
        &mut self,
        field: Field,
        given: Option<&str>,
        required: bool,
    ) -> Option<T> {
        let given = given.unwrap_or_default();
        let tidy = given.trim().split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        if tidy.is_empty() {
            return if required { self.refuse(field, What::Missing) } else { None };
        }
        self.changed |= tidy != given;
        if tidy.contains(turns) {
            return self.refuse(field, What::Direction);
        }
        match T::try_from(tidy) {
            Ok(text) => Some(text),
            Err(error) => self.refuse(field, error.into()),
        }
    }

    fn lines(&mut self, given: &[String]) -> Vec<Name> {
        let lines: Vec<Name> =
            given.iter().filter_map(|line| self.text(Field::Lines, Some(line), false)).collect();
        self.changed |= lines.len() != given.len();
        if given.iter().all(|line| line.trim().is_empty()) {
            self.refuse::<()>(Field::Lines, What::Missing);
        }
        if lines.len() > ADDRESS_LINES_MAX {
            self.refuse::<()>(Field::Lines, What::Lines(lines.len()));
        }
        lines
    }

    /// A code in the one spelling that its country has for it.
    fn respell(
        &mut self,
        field: Field,
        given: Option<Word>,
        spell: impl Fn(&str) -> Result<String, What>,
    ) -> Option<Word> {
        let given = given?;
        match spell(given.as_str()).and_then(|text| Ok(text.parse::<Word>()?)) {
            Ok(word) => {
                self.changed |= word != given;
                Some(word)
            }
            Err(what) => self.refuse(field, what),
        }
    }
}

#[cfg(test)]
mod tests;
