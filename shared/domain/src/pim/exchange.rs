//! Rows of others into patches, and texts for the files of others.
//!
//! A [`Profile`] says which column becomes what, by which steps. A [`Row`] is read once from left to right,
//! everything wrong with it is told by its column, and what comes of it is only a patch: whether that fits is the
//! sheet's matter, and [`Mapped::blame`] leads its complaints back to the column. Cells are texts; numbers of JSON
//! come as texts too, so no float is in between. Texts that a spreadsheet would run are disarmed on their way out
//! ([`disarmed`]).

use crate::currency::Currency;
use crate::id::sha256_hex;
use crate::money::{MAX_MINOR, Money};
use crate::pim::attribute::{
    Attribute, BadAttribute, Flaw, Kind, Labels, Place, Scope, Wrong, decimal, shown,
};
use crate::pim::data::Data;
use crate::pim::measure::Unit;
use crate::pim::sheet::{Cleared, Patch, Path, Slot};
use crate::text::{Code, turns};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub const MAPPINGS_MAX: usize = 500;
/// Steps of one mapping.
pub const STEPS_MAX: usize = 10;

/// How a source's rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    pub code: Code,
    pub mappings: Vec<Mapping>,
    #[serde(default)]
    pub empty: Empty,
}

/// What an empty cell says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EmptyCell"))]
pub enum Empty {
    /// Nothing.
    #[default]
    Keep,
    /// What is there goes away.
    Remove,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportMapping"))]
pub struct Mapping {
    pub from: Source,
    pub to: To,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = STEPS_MAX)))]
    pub steps: Vec<Step>,
    /// A row without it is refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportSource"))]
pub enum Source {
    Column(String),
    /// Every column whose name begins so: each becomes the attribute that the rest of its name says.
    Columns(String),
    Constant(Data),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportTarget"))]
pub enum To {
    Field(Field),
    Family,
    Value {
        attribute: Code,
        #[serde(default)]
        place: Place,
    },
    /// With [`Source::Columns`] alone: `before` and the rest of the column's name are the attribute.
    Named {
        #[serde(default, skip_serializing_if = "String::is_empty")]
        before: String,
        #[serde(default)]
        place: Place,
        /// What such attributes are declared as, where there are none yet: the `kind` of an attribute.
        kind: Kind,
    },
}

/// What a row says beside its sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportField"))]
pub enum Field {
    ExternalId,
    Merchant,
    Sku,
    Title,
    Description,
    Categories,
    Gtin,
    Brand,
    Mpn,
    Price,
    Weight,
    Quantity,
    /// Addresses or names of files, in order.
    Pictures,
    /// Of a translation, as all that follow: the id of its product.
    Product,
    Variant,
    Attribute,
    Channel,
    SourceLocale,
    TargetLocale,
    /// What it says.
    Target,
    /// `draft`, or `done` where the same words still hold.
    Status,
    /// What the row went out with.
    Digest,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportStep"))]
pub enum Step {
    /// Away with blanks at the ends, several in a row, and characters that cannot be shown.
    Trim,
    Lower,
    /// What a code may have: `Printing colors` is `printing_colors`.
    Code,
    /// Into a list; empty parts are left out.
    Split(#[cfg_attr(feature = "schema", schemars(length(min = 1)))] String),
    /// Of a list.
    First,
    /// As many characters as fit.
    Cut(u32),
    /// What stands before, if it is there.
    Without(String),
    /// `1.234,5` is `1234.5`.
    DecimalComma,
    /// `1,234.50` is `1234.5`, `6.0` is `6`, and `1e-06`, as JSON has it, is `0.000001`.
    Number,
    /// The day of a moment, `2009-12-10T00:00:00Z`.
    Day,
    /// A number as a measure.
    Unit(Unit),
    /// A number of minor units as an amount.
    Cents(Currency),
    /// A decimal number as an amount.
    Money(Currency),
    Truth {
        yes: Vec<String>,
        no: Vec<String>,
    },
    Lookup {
        #[cfg_attr(feature = "schema", schemars(extend("propertyNames" = { "minLength": 1 })))]
        table: BTreeMap<String, String>,
        /// What is not in the table stays as it is; else it is wrong.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        or_itself: bool,
    },
}

/// Cells by column. A cell of JSON may be a list.
pub type Row = BTreeMap<String, Data>;

/// What a row came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapped {
    pub fields: BTreeMap<Field, Data>,
    pub patch: Patch,
    columns: BTreeMap<String, String>,
    sources: BTreeMap<Field, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadProfile {
    #[error("a profile has 1 to {MAPPINGS_MAX} mappings, not {0}")]
    Count(usize),
    #[error("mapping {0} has more than {STEPS_MAX} steps, parts a text by nothing, or looks nothing up")]
    Steps(usize),
    #[error(
        "mapping {0}: columns with a beginning become attributes named after them, and nothing else does"
    )]
    Named(usize),
    #[error("mapping {0} goes where mapping {1} goes")]
    Twice(usize, usize),
    #[error("mapping {0}: {1}")]
    Kind(usize, BadAttribute),
}

impl Profile {
    /// A profile that may be kept.
    pub fn check(&self) -> Result<(), BadProfile> {
        if !(1..=MAPPINGS_MAX).contains(&self.mappings.len()) {
            return Err(BadProfile::Count(self.mappings.len()));
        }
        for (at, mapping) in self.mappings.iter().enumerate() {
            let of_nothing = |step: &Step| match step {
                Step::Split(by) => by.is_empty(),
                Step::Lookup { table, .. } => table.contains_key(""),
                Step::Trim
                | Step::Lower
                | Step::Code
                | Step::First
                | Step::Cut(_)
                | Step::Without(_)
                | Step::DecimalComma
                | Step::Number
                | Step::Day
                | Step::Unit(_)
                | Step::Cents(_)
                | Step::Money(_)
                | Step::Truth { .. } => false,
            };
            if mapping.steps.len() > STEPS_MAX || mapping.steps.iter().any(of_nothing) {
                return Err(BadProfile::Steps(at));
            }
            let (many, named) =
                (matches!(mapping.from, Source::Columns(_)), matches!(mapping.to, To::Named { .. }));
            if many != named {
                return Err(BadProfile::Named(at));
            }
            if let To::Named { kind, .. } = &mapping.to {
                kind.declare().map_err(|bad| BadProfile::Kind(at, bad))?;
            }
            let same = self.mappings.iter().take(at).position(|other| !named && other.to == mapping.to);
            if let Some(same) = same {
                return Err(BadProfile::Twice(at, same));
            }
        }
        Ok(())
    }

    /// The row as fields and a patch, or everything that is wrong with it, by column.
    pub fn read(&self, row: &Row) -> Result<Mapped, Vec<Wrong>> {
        let mut mapped = Mapped::default();
        let mut wrongs = Vec::new();
        for mapping in &self.mappings {
            let cells: Vec<(&str, Option<&Data>)> = match &mapping.from {
                Source::Column(column) => vec![(column, row.get(column))],
                Source::Columns(start) => {
                    let named = row.range(start.clone()..).take_while(|(name, _)| name.starts_with(start));
                    named.map(|(name, cell)| (name.as_str(), Some(cell))).collect()
                }
                Source::Constant(data) => vec![("", Some(data))],
            };
            for (column, cell) in cells {
                let made = cell.map_or(Ok(Data::Null), |cell| stepped(cell, &mapping.steps));
                let put = made.and_then(|data| self.put(&mut mapped, mapping, column, data));
                wrongs.extend(put.err().map(|flaw| Wrong::new(column, flaw)));
            }
        }
        if wrongs.is_empty() { Ok(mapped) } else { Err(wrongs) }
    }

    fn put(&self, mapped: &mut Mapped, mapping: &Mapping, column: &str, data: Data) -> Result<(), Flaw> {
        let empty = is_empty(&data);
        if let To::Field(field) = &mapping.to {
            mapped.sources.insert(*field, column.to_owned());
        }
        if empty && mapping.required {
            return Err(Flaw::Required);
        }
        if empty && self.empty == Empty::Keep {
            return Ok(());
        }
        let data = if empty { Data::Null } else { data };
        let path = match &mapping.to {
            To::Field(field) => {
                mapped.fields.insert(*field, data);
                return Ok(());
            }
            To::Family => Path::Family,
            To::Value { attribute, place } => value(attribute.clone(), place),
            To::Named { before, place, .. } => {
                value(code_of(before, column, &mapping.from).ok_or(Flaw::Empty)?, place)
            }
        };
        mapped.columns.insert(path.to_string(), column.to_owned());
        // Two columns may say the same attribute: the one that says something counts.
        let said = mapped.patch.edits.get(&path).is_some_and(|said| *said != Data::Null);
        if !(said && data == Data::Null) {
            mapped.patch.edits.insert(path, data);
        }
        Ok(())
    }

    /// The attributes that the columns of a source are declared as by it.
    pub fn declares<'a>(&self, columns: impl Iterator<Item = &'a str> + Clone) -> BTreeMap<Code, Attribute> {
        let mut declared = BTreeMap::new();
        for mapping in &self.mappings {
            let (Source::Columns(start), To::Named { before, place, kind }) = (&mapping.from, &mapping.to)
            else {
                continue;
            };
            for column in columns.clone().filter(|column| column.starts_with(start)) {
                let Some(code) = code_of(before, column, &mapping.from) else { continue };
                let scope =
                    Scope { per_locale: place.locale.is_some(), per_channel: place.channel.is_some() };
                let (kind, labels) = (kind.clone(), Labels::new());
                let attribute = Attribute { code: code.clone(), kind, scope, labels, group: None };
                declared.entry(code).or_insert(attribute);
            }
        }
        declared
    }
}

impl Mapped {
    /// The column that a complaint of the sheet is about.
    pub fn blame(&self, wrong: &Wrong) -> Option<&str> {
        let within = |path: &str| {
            wrong.at.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let named = self.columns.iter().filter(|(path, _)| within(path));
        named.max_by_key(|(path, _)| path.len()).map(|(_, column)| column.as_str())
    }

    /// The column that a field was read from; a constant's is empty.
    pub fn source(&self, field: Field) -> Option<&str> {
        self.sources.get(&field).map(String::as_str).filter(|column| !column.is_empty())
    }

    /// That all that was said of the product before goes first: for sources that tell everything each time.
    #[must_use]
    pub fn anew(mut self) -> Self {
        self.patch.cleared.insert(Cleared { variant: None, attribute: None });
        self
    }
}

fn value(attribute: Code, place: &Place) -> Path {
    Path::Value(Slot { variant: None, attribute, place: place.clone() })
}

fn is_empty(data: &Data) -> bool {
    match data {
        Data::Null => true,
        Data::Text(text) => text.is_empty(),
        Data::List(items) => items.is_empty(),
        Data::Bool(_) | Data::Whole(_) | Data::Map(_) => false,
    }
}

/// The attribute that a column's name says. A long one ends in a digest of the whole, so that two stay two.
fn code_of(before: &str, column: &str, from: &Source) -> Option<Code> {
    let rest = match from {
        Source::Columns(start) => column.strip_prefix(start.as_str())?,
        Source::Column(_) | Source::Constant(_) => column,
    };
    let rest = slug(rest);
    if rest.is_empty() {
        return None;
    }
    let whole = format!("{before}{rest}");
    if let Ok(code) = whole.parse() {
        return Some(code);
    }
    let digest: String = sha256_hex(whole.as_bytes()).chars().take(8).collect();
    let start: String = whole.chars().take(55).collect();
    format!("{start}_{digest}").parse().ok()
}

/// Letters and digits of ASCII in lower case, the rest as single underscores.
fn slug(text: &str) -> String {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let text: String = text.chars().map(kept).collect();
    text.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

fn stepped(cell: &Data, steps: &[Step]) -> Result<Data, Flaw> {
    let cell = match cell {
        Data::Text(text) => Data::Text(armed(text).to_owned()),
        Data::Null | Data::Bool(_) | Data::Whole(_) | Data::List(_) | Data::Map(_) => cell.clone(),
    };
    steps.iter().try_fold(cell, |data, step| step.take(data))
}

impl Step {
    /// Lists are taken item by item; what is empty stays so.
    fn take(&self, data: Data) -> Result<Data, Flaw> {
        if let (Self::First, Data::List(items)) = (self, &data) {
            return Ok(items.first().cloned().unwrap_or(Data::Null));
        }
        let text = match data {
            Data::List(items) => {
                let items: Result<Vec<Data>, Flaw> = items.into_iter().map(|item| self.take(item)).collect();
                return Ok(Data::List(items?.into_iter().filter(|item| !is_empty(item)).collect()));
            }
            Data::Text(text) => text,
            Data::Whole(number) => number.to_string(),
            Data::Null | Data::Bool(_) | Data::Map(_) => return Ok(data),
        };
        if text.trim().is_empty() { Ok(Data::Null) } else { self.made(text) }
    }

    fn made(&self, text: String) -> Result<Data, Flaw> {
        let number = |text: &str| decimal(text).ok_or_else(|| Flaw::NotANumber(shown(text)));
        Ok(match self {
            Self::Trim => {
                let kept: String = text.chars().filter(|c| c.is_whitespace() || !unshown(*c)).collect();
                Data::Text(kept.split_whitespace().collect::<Vec<_>>().join(" "))
            }
            Self::Lower => Data::Text(text.to_lowercase()),
            Self::Code => Data::Text(slug(&text)),
            Self::Split(by) => {
                let parts = text.split(by.as_str()).map(str::trim).filter(|part| !part.is_empty());
                Data::List(parts.map(Data::text).collect())
            }
            Self::First => Data::Text(text),
            Self::Cut(length) => {
                let length = usize::try_from(*length).unwrap_or(usize::MAX);
                Data::text(text.chars().take(length).collect::<String>().trim_end())
            }
            Self::Without(start) => {
                Data::text(text.strip_prefix(start.as_str()).unwrap_or(&text).trim_start())
            }
            Self::DecimalComma => {
                let plain = grouped(&text, '.', ',').map(|plain| plain.replace(',', "."));
                let number = plain.and_then(|plain| decimal(&plain));
                Data::Text(number.ok_or_else(|| Flaw::NotANumber(shown(&text)))?.to_string())
            }
            Self::Number => {
                let plain = grouped(&text, ',', '.').and_then(|plain| decimal(&plain));
                let number = plain.or_else(|| scientific(&text));
                Data::Text(number.ok_or_else(|| Flaw::NotANumber(shown(&text)))?.to_string())
            }
            Self::Day => {
                let ends = text.len() == 10 || text.as_bytes().get(10) == Some(&b'T');
                let day = text.get(..10).filter(|_| ends).and_then(|day| day.parse::<Date>().ok());
                Data::Text(day.ok_or_else(|| Flaw::Date(shown(&text)))?.to_string())
            }
            Self::Unit(unit) => {
                let amount = Data::Text(number(&text)?.to_string());
                Data::map([("amount", amount), ("unit", Data::text(unit.symbol()))])
            }
            Self::Cents(currency) => {
                let minor =
                    text.parse::<i64>().ok().filter(|minor| minor.unsigned_abs() <= MAX_MINOR.unsigned_abs());
                let minor = minor.ok_or_else(|| Flaw::NotWhole(shown(&text)))?;
                amount(Money::new(minor, *currency))
            }
            Self::Money(currency) => amount(Money::parse(&text, *currency).map_err(Flaw::Money)?),
            Self::Truth { yes, no } => {
                let among =
                    |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(text.trim()));
                match (among(yes), among(no)) {
                    (true, _) => Data::Bool(true),
                    (false, true) => Data::Bool(false),
                    (false, false) => return Err(Flaw::Choice(shown(&text))),
                }
            }
            Self::Lookup { table, or_itself } => match table.get(&text) {
                Some(found) => Data::text(found.as_str()),
                None if *or_itself => Data::Text(text),
                None => return Err(Flaw::Choice(shown(&text))),
            },
        })
    }
}

/// A control character, or a mark that turns the direction of text.
fn unshown(c: char) -> bool {
    c.is_control() || turns(c)
}

/// A number with an exponent, exactly; none where it has more digits than fit.
fn scientific(text: &str) -> Option<Decimal> {
    let (digits, exponent) = text.split_once(['e', 'E'])?;
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= 18)?;
    let power = Decimal::from(10_i64.checked_pow(exponent.unsigned_abs())?);
    let number = decimal(digits)?;
    let shifted = if exponent < 0 { number.checked_div(power)? } else { number.checked_mul(power)? };
    let exact = if exponent < 0 { shifted.checked_mul(power)? } else { shifted.checked_div(power)? };
    (exact == number).then(|| shifted.normalize())
}

/// Digits without their groups of three: `1.234.567,8` with `.` and `,`. None, where groups are not of three.
fn grouped(text: &str, group: char, point: char) -> Option<String> {
    let (whole, rest) = text.split_once(point).map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let mut groups = digits.split(group);
    let first = groups.next()?;
    let mut more = groups.clone().peekable();
    let fits = more.peek().is_none() || (1..=3).contains(&first.len());
    let three = groups.all(|part| part.len() == 3);
    let plain = rest.is_none_or(|rest| !rest.contains(group));
    let whole = whole.replace(group, "");
    (fits && three && plain).then(|| rest.map_or(whole.clone(), |rest| format!("{whole}{point}{rest}")))
}

fn amount(money: Money) -> Data {
    let currency = money.currency.to_string();
    Data::map([("amount", Data::Text(money.decimal().to_string())), ("currency", Data::Text(currency))])
}

/// Whether a spreadsheet would run it: OWASP's list of first characters, their wide forms among them.
fn runs(text: &str) -> bool {
    let first = ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    text.trim_start_matches('\'').starts_with(first)
}

/// A cell that no spreadsheet runs: with a `'` before it where it would. A plain negative number stays one.
pub fn disarmed(text: &str) -> String {
    if runs(text) && decimal(text).is_none() { format!("'{text}") } else { text.to_owned() }
}

/// What a disarmed cell was before.
pub fn armed(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| runs(rest)).unwrap_or(cell)
}

/// A line of a CSV file (RFC 4180), disarmed.
pub fn csv_line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let cell = |text: &str| {
        let text = disarmed(text);
        let plain = !text.contains([',', ';', '"', '\n', '\r', '\t']) && text.trim() == text;
        if plain { text } else { format!("\"{}\"", text.replace('"', "\"\"")) }
    };
    let cells: Vec<String> = cells.into_iter().map(cell).collect();
    format!("{}\r\n", cells.join(","))
}

#[cfg(test)]
mod tests;
