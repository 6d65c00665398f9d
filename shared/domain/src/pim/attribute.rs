//! Attributes: what can be said of products, as which type, and where it has values.
//!
//! Invariant: what [`Attribute::check`] lets through is in one spelling (numbers without idle zeros, options in their
//! declared order, formatted text cleaned), so equal values are equal bytes. A value stands at a [`Place`] that the
//! scope of its attribute has, and at no other. What is wrong is told with its place and what was wanted.

use crate::id::{AssetId, ProductId};
use crate::money::{Money, MoneyError};
use crate::pim::data::{Data, Shape};
use crate::pim::measure::{Dimension, Unit};
use crate::pim::rich;
use crate::text::{Category, Channel, Code, Locale, Name, turns};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Characters of a text value.
pub const TEXT_MAX: u32 = 10_000;
/// Characters of a formatted text, tags included.
pub const RICH_MAX: u32 = 30_000;
/// Of a number.
pub const NUMBER_DECIMALS_MAX: u8 = 9;
pub const CHOICES_MAX: usize = 1_000;
/// Options that one value has.
pub const CHOSEN_MAX: usize = 100;
pub const COLUMNS_MAX: usize = 20;
pub const ROWS_MAX: usize = 200;
/// Bytes of codes and labels of one attribute: it is one item.
pub const DECLARED_MAX: usize = 200_000;

/// What something is called in several languages.
pub type Labels = BTreeMap<Locale, Name>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    pub code: Code,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Scope::is_everywhere")]
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    /// Where it stands on a page or in a form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Code>,
}

/// In what its values differ. Neither: there is one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Scope {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub per_locale: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub per_channel: bool,
}

impl Scope {
    fn is_everywhere(&self) -> bool {
        *self == Self::default()
    }

    /// Where the value lies that a channel shows in a language.
    pub fn place(self, channel: &Channel, locale: &Locale) -> Place {
        Place {
            locale: self.per_locale.then(|| locale.clone()),
            channel: self.per_channel.then(|| channel.clone()),
        }
    }
}

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AttributePlace"))]
pub struct Place {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportedKind"))]
pub enum Kind {
    Text {
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = TEXT_MAX)))]
        max: u32,
        /// Whether it may have several lines.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        lines: bool,
    },
    /// A few tags of HTML.
    RichText {
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = RICH_MAX)))]
        max: u32,
    },
    Number {
        #[cfg_attr(feature = "schema", schemars(range(max = NUMBER_DECIMALS_MAX)))]
        decimals: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<crate::says::Decimal>"))]
        min: Option<Decimal>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<crate::says::Decimal>"))]
        max: Option<Decimal>,
    },
    Measure {
        dimension: Dimension,
        /// What a bare number is taken in.
        unit: Unit,
    },
    Money,
    Boolean,
    Date,
    Option {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = CHOICES_MAX)))]
        choices: Vec<Choice>,
    },
    Options {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = CHOICES_MAX)))]
        choices: Vec<Choice>,
    },
    /// Rows like those of a size guide.
    Table {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = COLUMNS_MAX)))]
        columns: Vec<Column>,
    },
    Reference {
        to: Target,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportedChoice"))]
pub struct Choice {
    pub code: Code,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ImportedColumn"))]
pub struct Column {
    pub code: Code,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReferenceTarget"))]
pub enum Target {
    Product,
    Category,
    Asset,
}

/// What is wrong, and where: `values/color/de/web`, `rows/2/width`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub at: String,
    pub flaw: Flaw,
}

impl std::error::Error for Wrong {}

impl std::fmt::Display for Wrong {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.at.is_empty() { write!(f, "{}", self.flaw) } else { write!(f, "{}: {}", self.at, self.flaw) }
    }
}

impl Wrong {
    pub fn new(at: impl Into<String>, flaw: Flaw) -> Self {
        Self { at: at.into(), flaw }
    }

    /// The same, seen from one level up.
    #[must_use]
    pub fn under(self, above: &str) -> Self {
        let at = if self.at.is_empty() { above.to_owned() } else { format!("{above}/{}", self.at) };
        Self { at, ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    #[error("it is {is}: want {want}")]
    Type { want: &'static str, is: Shape },
    #[error("it is {was}, and cannot become {is}")]
    TypeChange { was: Shape, is: Shape },
    #[error("it is empty: leave it out, or say null to remove it")]
    Empty,
    #[error("it is missing, and a row without it is not taken")]
    Required,
    #[error("it has {length} characters: want at most {max}")]
    Long { length: usize, max: u32 },
    #[error("it has a control character, a mark that turns the direction of text, or a blank at an end")]
    Unprintable,
    #[error("`{0}` is no decimal number like 12.5")]
    NotANumber(String),
    #[error("`{0}` is no whole number of the smallest units: say `money` where amounts have a point")]
    NotWhole(String),
    #[error("{number} has more decimals than {max}")]
    Decimals { number: Decimal, max: u8 },
    #[error("{number} is below {min}")]
    Below { number: Decimal, min: Decimal },
    #[error("{number} is above {max}")]
    Above { number: Decimal, max: Decimal },
    #[error("`{unit}` is no unit of it: want one of {units}")]
    Unit { unit: String, units: String },
    #[error("`{0}` is no currency")]
    Currency(String),
    #[error(transparent)]
    Money(MoneyError),
    #[error("`{0}` is no day like 2026-11-26")]
    Date(String),
    #[error("`{0}` is none of its options")]
    Choice(String),
    #[error("`{0}` is there twice")]
    Twice(String),
    #[error("there are {count}: want at most {max}")]
    Count { count: usize, max: usize },
    #[error("there is no `{0}` here")]
    Unknown(String),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{id}` does not name {want}")]
    Reference { id: String, want: &'static str },
    #[error("there is no attribute `{0}`")]
    Attribute(Code),
    #[error("it has {is}: its values are {want}")]
    Scope { is: &'static str, want: &'static str },
    #[error("no channel shows it: there is no `{0}`")]
    Place(String),
    #[error("{0}")]
    Name(String),
    #[error("variants are numbered from 1, not `{0}`")]
    Variant(String),
}

/// Why an attribute cannot be declared so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadAttribute {
    #[error("a text has 1 to {0} characters at the most")]
    Length(u32),
    #[error("a number has at most {NUMBER_DECIMALS_MAX} decimals, and its smallest is not above its largest")]
    Number,
    #[error("{unit} does not measure that")]
    Unit { unit: Unit },
    #[error("want 1 to {CHOICES_MAX} options, each once")]
    Choices,
    #[error("want 1 to {COLUMNS_MAX} columns, each once")]
    Columns,
    #[error("column {0} is a text, number, measure, truth or option, and nothing else")]
    Column(Code),
    #[error("its texts have {0} bytes: want at most {DECLARED_MAX}")]
    Large(usize),
    #[error("it is {is} and stays so: what products say of it could not be read as {want}")]
    Fixed { is: &'static str, want: &'static str },
    #[error("whether its values differ by locale or channel stays as it was declared")]
    ScopeFixed,
}

impl Attribute {
    /// An attribute that may be declared.
    pub fn declare(&self) -> Result<(), BadAttribute> {
        let bytes = labels_size(&self.labels).saturating_add(self.kind.texts_size());
        if bytes > DECLARED_MAX { Err(BadAttribute::Large(bytes)) } else { self.kind.declare() }
    }

    /// Whether it may be declared anew as `next`: what products say of it must still mean the same, so type and scope
    /// stay. Bounds and options may change; they bind what is said from then on.
    pub fn may_become(&self, next: &Self) -> Result<(), BadAttribute> {
        if self.scope != next.scope {
            return Err(BadAttribute::ScopeFixed);
        }
        let same = match (&self.kind, &next.kind) {
            (Kind::Measure { dimension: is, .. }, Kind::Measure { dimension: want, .. }) => is == want,
            (Kind::Reference { to: is }, Kind::Reference { to: want }) => is == want,
            (is, want) => std::mem::discriminant(is) == std::mem::discriminant(want),
        };
        let fixed = || BadAttribute::Fixed { is: self.kind.word(), want: next.kind.word() };
        if same { Ok(()) } else { Err(fixed()) }
    }

    /// The value in its one spelling.
    pub fn check(&self, data: &Data) -> Result<Data, Wrong> {
        self.kind.check(data)
    }

    /// Whether its values stand at such places.
    pub fn fit(&self, place: &Place) -> Result<(), Flaw> {
        let Scope { per_locale, per_channel } = self.scope;
        match (per_locale, place.locale.is_some()) {
            (true, false) => return Err(Flaw::Scope { is: "no locale", want: "per locale" }),
            (false, true) => return Err(Flaw::Scope { is: "a locale", want: "the same in all locales" }),
            (true, true) | (false, false) => {}
        }
        match (per_channel, place.channel.is_some()) {
            (true, false) => Err(Flaw::Scope { is: "no channel", want: "per channel" }),
            (false, true) => Err(Flaw::Scope { is: "a channel", want: "the same in all channels" }),
            (true, true) | (false, false) => Ok(()),
        }
    }
}

/// Bytes of what something is called.
pub(crate) fn labels_size(labels: &Labels) -> usize {
    labels.iter().map(|(locale, name)| locale.as_str().len() + name.as_str().len() + 4).sum()
}

impl Kind {
    /// Its name at rest and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text { .. } => "text",
            Self::RichText { .. } => "rich_text",
            Self::Number { .. } => "number",
            Self::Measure { .. } => "measure",
            Self::Money => "money",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Option { .. } => "option",
            Self::Options { .. } => "options",
            Self::Table { .. } => "table",
            Self::Reference { .. } => "reference",
        }
    }

    /// Bytes of the codes and labels in it, about.
    fn texts_size(&self) -> usize {
        let named = |code: &Code, labels: &Labels| code.as_str().len() + labels_size(labels) + 30;
        match self {
            Self::Option { choices } | Self::Options { choices } => {
                choices.iter().map(|choice| named(&choice.code, &choice.labels)).sum()
            }
            Self::Table { columns } => {
                let column = |column: &Column| named(&column.code, &column.labels) + column.kind.texts_size();
                columns.iter().map(column).sum()
            }
            Self::Text { .. }
            | Self::RichText { .. }
            | Self::Number { .. }
            | Self::Measure { .. }
            | Self::Money
            | Self::Boolean
            | Self::Date
            | Self::Reference { .. } => 0,
        }
    }

    /// Values that may be declared.
    pub fn declare(&self) -> Result<(), BadAttribute> {
        let once = |codes: Vec<&Code>, max: usize| {
            !codes.is_empty()
                && codes.len() <= max
                && codes.iter().collect::<BTreeSet<_>>().len() == codes.len()
        };
        let fits = |fits: bool, bad: BadAttribute| if fits { Ok(()) } else { Err(bad) };
        match self {
            Self::Text { max, .. } => fits((1..=TEXT_MAX).contains(max), BadAttribute::Length(TEXT_MAX)),
            Self::RichText { max } => fits((1..=RICH_MAX).contains(max), BadAttribute::Length(RICH_MAX)),
            Self::Number { decimals, min, max } => {
                let ordered = min.zip(*max).is_none_or(|(min, max)| min <= max);
                fits(*decimals <= NUMBER_DECIMALS_MAX && ordered, BadAttribute::Number)
            }
            Self::Measure { dimension, unit } => {
                fits(unit.dimension() == *dimension, BadAttribute::Unit { unit: *unit })
            }
            Self::Option { choices } | Self::Options { choices } => {
                let codes = choices.iter().map(|choice| &choice.code).collect();
                fits(once(codes, CHOICES_MAX), BadAttribute::Choices)
            }
            Self::Table { columns } => {
                let codes = columns.iter().map(|column| &column.code).collect();
                fits(once(codes, COLUMNS_MAX), BadAttribute::Columns)?;
                columns.iter().try_for_each(|column| {
                    fits(column.kind.is_plain(), BadAttribute::Column(column.code.clone()))?;
                    column.kind.declare()
                })
            }
            Self::Money | Self::Boolean | Self::Date | Self::Reference { .. } => Ok(()),
        }
    }

    fn is_plain(&self) -> bool {
        match self {
            Self::Text { .. }
            | Self::Number { .. }
            | Self::Measure { .. }
            | Self::Boolean
            | Self::Option { .. } => true,
            Self::RichText { .. }
            | Self::Money
            | Self::Date
            | Self::Options { .. }
            | Self::Table { .. }
            | Self::Reference { .. } => false,
        }
    }

    /// The value in its one spelling.
    pub fn check(&self, data: &Data) -> Result<Data, Wrong> {
        let here = |flaw| Wrong::new("", flaw);
        match self {
            Self::Text { max, lines } => plain(data, *max, *lines).map_err(here),
            Self::RichText { max } => formatted(data, *max).map_err(here),
            Self::Number { decimals, min, max } => {
                let number = read_number(data).map_err(here)?;
                within(number, *decimals, *min, *max).map_err(here)?;
                Ok(Data::Text(number.to_string()))
            }
            Self::Measure { dimension, unit } => measured(data, *dimension, *unit),
            Self::Money => money(data),
            Self::Boolean => match data {
                Data::Bool(_) => Ok(data.clone()),
                Data::Null | Data::Whole(_) | Data::Text(_) | Data::List(_) | Data::Map(_) => {
                    Err(here(Flaw::Type { want: "true or false", is: data.shape() }))
                }
            },
            Self::Date => {
                let text = text_of(data, "a day").map_err(here)?;
                let day = text.parse::<Date>().ok().filter(|_| text.len() == 10);
                let day = day.ok_or_else(|| here(Flaw::Date(shown(text))))?;
                Ok(Data::Text(day.to_string()))
            }
            Self::Option { choices } => {
                let text = text_of(data, "an option's code").map_err(here)?;
                place_of(choices, text).map_err(here)?;
                Ok(data.clone())
            }
            Self::Options { choices } => chosen(data, choices),
            Self::Table { columns } => rows(data, columns),
            Self::Reference { to } => refer(data, *to).map_err(here),
        }
    }
}

/// As much of a text as a complaint repeats.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

fn text_of<'a>(data: &'a Data, want: &'static str) -> Result<&'a str, Flaw> {
    data.as_text().ok_or(Flaw::Type { want, is: data.shape() })
}

fn plain(data: &Data, max: u32, lines: bool) -> Result<Data, Flaw> {
    let text = text_of(data, "a text")?;
    fits(text, max)?;
    let odd = |c: char| (c.is_control() && !(lines && matches!(c, '\n' | '\t'))) || turns(c);
    if text.contains(odd) || text.trim() != text {
        return Err(Flaw::Unprintable);
    }
    Ok(data.clone())
}

fn formatted(data: &Data, max: u32) -> Result<Data, Flaw> {
    let cleaned = rich::clean(text_of(data, "a text")?);
    if rich::is_blank(&cleaned) {
        return Err(Flaw::Empty);
    }
    fits(&cleaned, max)?;
    Ok(Data::Text(cleaned))
}

fn fits(text: &str, max: u32) -> Result<(), Flaw> {
    let length = text.chars().count();
    if length == 0 {
        return Err(Flaw::Empty);
    }
    if u32::try_from(length).is_ok_and(|length| length <= max) {
        Ok(())
    } else {
        Err(Flaw::Long { length, max })
    }
}

/// A number as JSON has whole ones, or a decimal text.
pub(crate) fn read_number(data: &Data) -> Result<Decimal, Flaw> {
    match data {
        Data::Whole(number) => Ok(Decimal::from(*number)),
        Data::Text(text) => decimal(text).ok_or_else(|| Flaw::NotANumber(shown(text))),
        Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) => {
            Err(Flaw::Type { want: "a number", is: data.shape() })
        }
    }
}

/// Digits with at most one point in them, a minus before; no exponent, no groups.
pub(crate) fn decimal(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let digit = |c: char| c.is_ascii_digit();
    let plain = digits.starts_with(digit)
        && digits.ends_with(digit)
        && digits.chars().all(|c| digit(c) || c == '.')
        && digits.matches('.').count() <= 1
        && digits.len() <= 28;
    let number = plain.then(|| Decimal::from_str_exact(text).ok()).flatten()?;
    Some(if number.is_zero() { Decimal::ZERO } else { number.normalize() })
}

fn within(number: Decimal, decimals: u8, min: Option<Decimal>, max: Option<Decimal>) -> Result<(), Flaw> {
    if number.scale() > u32::from(decimals) {
        return Err(Flaw::Decimals { number, max: decimals });
    }
    if let Some(min) = min.filter(|min| number < *min) {
        return Err(Flaw::Below { number, min });
    }
    if let Some(max) = max.filter(|max| number > *max) {
        return Err(Flaw::Above { number, max });
    }
    Ok(())
}

/// The parts of an object, none missing and none more.
fn parts<'a, const N: usize>(
    data: &'a Data,
    names: [&'static str; N],
    want: &'static str,
) -> Result<[&'a Data; N], Wrong> {
    let map = data.as_map().ok_or_else(|| Wrong::new("", Flaw::Type { want, is: data.shape() }))?;
    if let Some(odd) = map.keys().find(|name| !names.contains(&name.as_str())) {
        return Err(Wrong::new("", Flaw::Unknown(shown(odd))));
    }
    if let Some(missing) = names.iter().find(|name| !map.contains_key(**name)) {
        return Err(Wrong::new("", Flaw::Missing(missing)));
    }
    Ok(names.map(|name| map.get(name).unwrap_or(&Data::Null)))
}

fn measured(data: &Data, dimension: Dimension, default: Unit) -> Result<Data, Wrong> {
    let (amount, unit) = match data {
        Data::Whole(_) | Data::Text(_) => (read_number(data).map_err(|flaw| Wrong::new("", flaw))?, default),
        Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) => {
            let [amount, unit] = parts(data, ["amount", "unit"], "an object of amount and unit")?;
            let amount = read_number(amount).map_err(|flaw| Wrong::new("amount", flaw))?;
            let text = text_of(unit, "a unit").map_err(|flaw| Wrong::new("unit", flaw))?;
            let unit = text.parse::<Unit>().ok().filter(|unit| unit.dimension() == dimension);
            let units = || Unit::all(dimension).map(Unit::symbol).collect::<Vec<_>>().join(", ");
            let unknown = || Wrong::new("unit", Flaw::Unit { unit: shown(text), units: units() });
            (amount, unit.ok_or_else(unknown)?)
        }
    };
    Ok(Data::map([("amount", Data::Text(amount.to_string())), ("unit", Data::text(unit.symbol()))]))
}

fn money(data: &Data) -> Result<Data, Wrong> {
    let [amount, currency] = parts(data, ["amount", "currency"], "an object of amount and currency")?;
    let code = text_of(currency, "a currency").map_err(|flaw| Wrong::new("currency", flaw))?;
    let known = code.parse().map_err(|_| Wrong::new("currency", Flaw::Currency(shown(code))))?;
    let amount = match amount {
        Data::Whole(number) => number.to_string(),
        Data::Null | Data::Bool(_) | Data::Text(_) | Data::List(_) | Data::Map(_) => {
            text_of(amount, "an amount").map_err(|flaw| Wrong::new("amount", flaw))?.to_owned()
        }
    };
    let money = Money::parse(&amount, known).map_err(|why| Wrong::new("amount", Flaw::Money(why)))?;
    Ok(Data::map([("amount", Data::Text(money.decimal().to_string())), ("currency", Data::text(code))]))
}

/// Where a code stands among the choices.
fn place_of(choices: &[Choice], code: &str) -> Result<usize, Flaw> {
    let found = choices.iter().position(|choice| choice.code.as_str() == code);
    found.ok_or_else(|| Flaw::Choice(shown(code)))
}

fn chosen(data: &Data, choices: &[Choice]) -> Result<Data, Wrong> {
    let list = data.as_list().ok_or(Flaw::Type { want: "an array of codes", is: data.shape() });
    let list = list.map_err(|flaw| Wrong::new("", flaw))?;
    bounded(list.len(), CHOSEN_MAX)?;
    let mut places = BTreeMap::new();
    for (at, item) in list.iter().enumerate() {
        let wrong = |flaw| Wrong::new(at.to_string(), flaw);
        let code = text_of(item, "an option's code").map_err(wrong)?;
        if places.insert(place_of(choices, code).map_err(wrong)?, item.clone()).is_some() {
            return Err(wrong(Flaw::Twice(shown(code))));
        }
    }
    Ok(Data::List(places.into_values().collect()))
}

fn bounded(count: usize, max: usize) -> Result<(), Wrong> {
    match count {
        0 => Err(Wrong::new("", Flaw::Empty)),
        count if count > max => Err(Wrong::new("", Flaw::Count { count, max })),
        _ => Ok(()),
    }
}

fn rows(data: &Data, columns: &[Column]) -> Result<Data, Wrong> {
    let list = data.as_list().ok_or(Flaw::Type { want: "an array of rows", is: data.shape() });
    let list = list.map_err(|flaw| Wrong::new("", flaw))?;
    bounded(list.len(), ROWS_MAX)?;
    let mut checked = Vec::with_capacity(list.len());
    for (at, row) in list.iter().enumerate() {
        let at = at.to_string();
        let cells = row.as_map().ok_or(Flaw::Type { want: "an object of cells", is: row.shape() });
        let cells = cells.map_err(|flaw| Wrong::new(at.clone(), flaw))?;
        if cells.is_empty() {
            return Err(Wrong::new(at, Flaw::Empty));
        }
        let mut kept = BTreeMap::new();
        for (name, cell) in cells {
            let column = columns.iter().find(|column| column.code.as_str() == name);
            let column = column.ok_or_else(|| Wrong::new(at.clone(), Flaw::Unknown(shown(name))))?;
            let cell = column.kind.check(cell).map_err(|wrong| wrong.under(name).under(&at))?;
            kept.insert(name.clone(), cell);
        }
        checked.push(Data::Map(kept));
    }
    Ok(Data::List(checked))
}

fn refer(data: &Data, to: Target) -> Result<Data, Flaw> {
    let id = text_of(data, "an id")?;
    let (fits, want) = match to {
        Target::Product => (id.parse::<ProductId>().is_ok(), "a product"),
        Target::Category => (id.parse::<Category>().is_ok(), "a category"),
        Target::Asset => (id.parse::<AssetId>().is_ok(), "an asset"),
    };
    if fits { Ok(data.clone()) } else { Err(Flaw::Reference { id: shown(id), want }) }
}

#[cfg(test)]
mod tests;
