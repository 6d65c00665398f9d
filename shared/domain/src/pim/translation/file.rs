//! Translations of many products in one file: a row per text, with its source beside it, out and back.
//!
//! A row carries two digests: of its source, and of what the translation said when it went out. So what comes back is
//! taken only where both still hold, or where it is said already; a row that nobody has touched says nothing, however
//! late it comes. What is no text (numbers, options, tables) is in no such file.

use super::{Incoming, NotTaken, Status, rows, source_digest, status, take_row};
use crate::catalog::Product;
use crate::pim::attribute::{Attribute, Flaw, Kind, Wrong};
use crate::pim::data::Data;
use crate::pim::exchange::{Empty, Field, Mapping, Profile, Source, To, csv_line};
use crate::pim::family::Model;
use crate::pim::sheet::{Content, Path, Refused, Sheet, Slot};
use crate::text::{Channel, Code, Locale};

/// What the profile is called that is there from the start, and reads such files.
pub const PROFILE: &str = "translations";
/// In the place of a digest, where nothing was said.
const NOTHING: &str = "none";

/// Columns in their order, and what each is on its way in; the others are for people.
pub const COLUMNS: [(&str, Option<Field>); 12] = [
    ("product", Some(Field::Product)),
    ("external_id", None),
    ("title", None),
    ("variant", Some(Field::Variant)),
    ("attribute", Some(Field::Attribute)),
    ("channel", Some(Field::Channel)),
    ("source_locale", Some(Field::SourceLocale)),
    ("source", None),
    ("target_locale", Some(Field::TargetLocale)),
    ("target", Some(Field::Target)),
    ("status", Some(Field::Status)),
    ("digest", Some(Field::Digest)),
];

/// A row, in the order of [`COLUMNS`].
pub type Cells = [String; 12];

/// How the rows of such a file are read, unless operators say otherwise.
pub fn profile(code: Code) -> Profile {
    let mapping = |(column, field): (&str, Option<Field>)| {
        field.map(|field| Mapping {
            from: Source::Column(column.to_owned()),
            to: To::Field(field),
            steps: Vec::new(),
            required: matches!(
                field,
                Field::Product | Field::Attribute | Field::SourceLocale | Field::TargetLocale | Field::Digest
            ),
        })
    };
    Profile { code, mappings: COLUMNS.into_iter().filter_map(mapping).collect(), empty: Empty::Keep }
}

/// Which rows of a product a file has.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    pub from: &'a Locale,
    pub to: &'a Locale,
    /// What it shows: its own texts, and those that are the same in all channels.
    pub channel: &'a Channel,
    /// None named: all.
    pub attributes: &'a [Code],
    /// What is done and what is a draft, too; else only what is missing or stale.
    pub all: bool,
}

/// The head of a CSV file.
pub fn csv_head() -> String {
    csv_line(COLUMNS.map(|(name, _)| name))
}

impl Which<'_> {
    /// The rows of a product, in the order of what it says.
    pub fn rows(&self, product: &Product, content: &Content, model: &Model) -> Vec<Cells> {
        let mut found = Vec::new();
        for row in rows(content, self.from, self.to) {
            let (Path::Value(slot), Some(source)) = (&row.path, row.source.as_text()) else { continue };
            if !self.has(slot, row.status) || !is_words(model.attributes.get(&slot.attribute)) {
                continue;
            }
            if let Some(number) = slot.variant
                && !product.variants.iter().any(|variant| variant.number == number)
            {
                continue;
            }
            let digests = Digests { of: row.of, was: row.target.as_ref().map(Data::digest) };
            found.push([
                product.id.to_string(),
                product.external_id.as_ref().map(ToString::to_string).unwrap_or_default(),
                product.title.to_string(),
                slot.variant.map(|number| number.to_string()).unwrap_or_default(),
                slot.attribute.to_string(),
                slot.place.channel.as_ref().map(ToString::to_string).unwrap_or_default(),
                self.from.to_string(),
                source.to_owned(),
                self.to.to_string(),
                row.target.as_ref().and_then(Data::as_text).unwrap_or_default().to_owned(),
                row.status.word().to_owned(),
                digests.to_string(),
            ]);
        }
        found
    }

    fn has(&self, slot: &Slot, status: Status) -> bool {
        let open = match status {
            Status::Missing | Status::Stale => true,
            Status::Draft | Status::Done => self.all,
        };
        let shown = slot.place.channel.as_ref().is_none_or(|channel| channel == self.channel);
        open && shown && (self.attributes.is_empty() || self.attributes.contains(&slot.attribute))
    }
}

fn is_words(attribute: Option<&Attribute>) -> bool {
    attribute.is_some_and(|attribute| matches!(attribute.kind, Kind::Text { .. } | Kind::RichText { .. }))
}

/// What a row went out with. As text: `<of>-<was>`, which no spreadsheet takes for a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Of the source.
    pub of: String,
    /// Of what the translation said; none: it said nothing.
    pub was: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no digest as the row went out with")]
pub struct NoDigests;

impl std::fmt::Display for Digests {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.of, self.was.as_deref().unwrap_or(NOTHING))
    }
}

impl std::str::FromStr for Digests {
    type Err = NoDigests;
    fn from_str(text: &str) -> Result<Self, NoDigests> {
        let digest = |text: &str| text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (of, was) = text.split_once('-').ok_or(NoDigests)?;
        let was = Some(was.to_owned()).filter(|was| was != NOTHING);
        if digest(of) && was.as_deref().is_none_or(digest) {
            Ok(Self { of: of.to_owned(), was })
        } else {
            Err(NoDigests)
        }
    }
}

/// A row that has come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Where the translation stands, or will.
    pub slot: Slot,
    pub from: Locale,
    pub digests: Digests,
    /// None takes the translation away.
    pub target: Option<String>,
    /// Only a draft is one, and only `done` says of the same words that they still hold.
    pub status: Option<Status>,
}

/// What became of a row that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Took {
    /// There was no translation before.
    Created,
    Changed,
    /// It says what is said already, or nothing.
    Same,
}

/// The sheet with the rows that can be taken, as one version, and what became of each, in their order.
pub fn take_back(
    sheet: &Sheet,
    rows: &[Returned],
    model: &Model,
    variants: &[u16],
) -> Result<(Sheet, Vec<Result<Took, NotTaken>>), Refused> {
    let mut taken = sheet.clone();
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        outcomes.push(row.back(&taken, model, variants).map(|(next, took)| {
            taken = next;
            took
        }));
    }
    Ok((sheet.next(taken.content)?, outcomes))
}

impl Returned {
    fn back(&self, sheet: &Sheet, model: &Model, variants: &[u16]) -> Result<(Sheet, Took), NotTaken> {
        let (slot, path) = (&self.slot, Path::Value(self.slot.clone()));
        if slot.place.locale.as_ref().is_none_or(|to| *to == self.from) {
            return Err(NotTaken::NoTarget);
        }
        let wrong = |flaw| NotTaken::Refused(Refused::Wrong(vec![Wrong::new(path.to_string(), flaw)]));
        let attribute = model.attributes.get(&slot.attribute);
        let attribute = attribute.ok_or_else(|| wrong(Flaw::Attribute(slot.attribute.clone())))?;
        model.shows(&slot.place).map_err(wrong)?;
        match source_digest(&sheet.content, slot, &self.from) {
            None => return Err(NotTaken::Gone),
            Some(now) if now != self.digests.of => return Err(NotTaken::Changed),
            Some(_) => {}
        }
        let there = sheet.content.get(&path);
        let target = self.target.as_deref().map(|text| spelled(text, attribute));
        let holds = self.status == Some(Status::Done) && status(&sheet.content, slot) != Status::Done;
        if there == target.as_ref() {
            if target.is_none() || !holds {
                return Ok((sheet.clone(), Took::Same));
            }
        } else if target.as_ref().map(Data::digest) == self.digests.was {
            return Ok((sheet.clone(), Took::Same));
        } else if there.map(Data::digest) != self.digests.was {
            return Err(NotTaken::Overtaken);
        }
        let took = if there.is_none() { Took::Created } else { Took::Changed };
        let row = Incoming {
            path,
            of: self.digests.of.clone(),
            was: self.digests.was.clone(),
            target: target.unwrap_or(Data::Null),
            done: self.status != Some(Status::Draft),
        };
        Ok((take_row(sheet, &row, &self.from, model, variants)?, took))
    }
}

/// In the one spelling of the attribute, if it has any. Programs add blanks and line ends of their own, which a plain
/// text never has.
fn spelled(text: &str, attribute: &Attribute) -> Data {
    let data = match attribute.kind {
        Kind::Text { .. } => Data::Text(text.trim().replace("\r\n", "\n")),
        Kind::RichText { .. }
        | Kind::Number { .. }
        | Kind::Measure { .. }
        | Kind::Money
        | Kind::Boolean
        | Kind::Date
        | Kind::Option { .. }
        | Kind::Options { .. }
        | Kind::Table { .. }
        | Kind::Reference { .. } => Data::text(text),
    };
    attribute.check(&data).unwrap_or(data)
}

#[cfg(test)]
mod tests;
