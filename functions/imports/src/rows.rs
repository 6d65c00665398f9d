//! A part's rows, read by the profile and handed to whatever they are of; and what is wrong with those that are not
//! taken, cell by cell.

use crate::cut::{Broken, Cells, Line, Part};
use crate::{products, translations, tree};
use domain::id::MarketplaceId;
use domain::import::{BadCell, BadRow, Counts, Import, Of};
use domain::pim::attribute::{Flaw, Wrong};
use domain::pim::data::Data;
use domain::pim::exchange::{Mapped, Profile, Row};
use edge::{Again, World};
use events::Context;

/// Flaws that are told of one row.
const FLAWS_MAX: usize = 20;
/// Characters of a cell that are shown.
const VALUE_MAX: usize = 80;
/// Of a column's name, and of what is wrong: a part's flaws are items of a transaction, whatever a file says.
const NAME_MAX: usize = 200;
const WRONG_MAX: usize = 600;

/// What a part is written for, and as whom.
pub(crate) struct Job<'a> {
    pub(crate) world: &'a World,
    pub(crate) m: &'a MarketplaceId,
    pub(crate) import: &'a Import,
    pub(crate) profile: &'a Profile,
    pub(crate) context: &'a Context,
}

/// What became of a part's rows.
#[derive(Debug, Default)]
pub(crate) struct Written {
    pub(crate) counts: Counts,
    /// In the order of the file.
    pub(crate) bad: Vec<BadRow>,
}

/// What became of a row that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Created,
    Changed,
    Unchanged,
}

/// A row as the profile reads it.
pub(crate) struct Said {
    pub(crate) row: Row,
    pub(crate) mapped: Mapped,
}

/// What became of each row, in their order; or all that is wrong with it.
pub(crate) type Outcome = Result<What, Vec<BadCell>>;

pub(crate) async fn write(job: &Job<'_>, part: Part) -> Result<Written, Again> {
    let Part { file, rows } = part;
    let (mut lines, mut said) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for Line { line, cells } in rows {
        lines.push(line);
        said.push(read(job.profile, cells));
    }
    let outcomes = match job.import.of {
        Of::Products => products::write(job, said).await?,
        Of::Categories => tree::write(job, said).await?,
        Of::Translations => translations::write(job, said).await?,
    };
    let mut written = Written::default();
    for (line, outcome) in lines.into_iter().zip(outcomes) {
        let one = Counts { rows: 1, ..Counts::default() };
        let counts = match outcome {
            Ok(What::Created) => Counts { created: 1, ..one },
            Ok(What::Changed) => Counts { changed: 1, ..one },
            Ok(What::Unchanged) => Counts { unchanged: 1, ..one },
            Err(mut flaws) => {
                flaws.truncate(FLAWS_MAX);
                written.bad.push(BadRow { file: file.clone(), line, flaws });
                Counts { refused: 1, ..one }
            }
        };
        written.counts = written.counts.plus(counts);
    }
    Ok(written)
}

fn read(profile: &Profile, cells: Cells) -> Result<Said, Vec<BadCell>> {
    match cells {
        Cells::Broken(Broken { column, wrong, todo }) => {
            let column = column.map(|column| short(&column, NAME_MAX));
            Err(vec![BadCell { column, value: None, wrong: short(&wrong, WRONG_MAX), todo }])
        }
        Cells::Row(row) => match profile.read(&row) {
            Ok(mapped) => Ok(Said { row, mapped }),
            Err(wrongs) => Err(wrongs.iter().map(|wrong| flaw(&row, Some(&wrong.at), &wrong.flaw)).collect()),
        },
    }
}

/// What is wrong with a cell.
pub(crate) fn flaw(row: &Row, column: Option<&str>, flaw: &Flaw) -> BadCell {
    bad(row, column, flaw.to_string(), todo(flaw))
}

pub(crate) fn bad(row: &Row, column: Option<&str>, wrong: impl Into<String>, todo: &str) -> BadCell {
    let column = column.filter(|column| !column.is_empty());
    let value = column.and_then(|column| row.get(column)).map(value);
    let column = column.map(|column| short(column, NAME_MAX));
    BadCell { column, value, wrong: short(&wrong.into(), WRONG_MAX), todo: todo.to_owned() }
}

fn value(data: &Data) -> String {
    let text = match data {
        Data::Text(text) => text.clone(),
        Data::Null | Data::Bool(_) | Data::Whole(_) | Data::List(_) | Data::Map(_) => {
            serde_json::to_string(data).unwrap_or_default()
        }
    };
    short(&text, VALUE_MAX)
}

/// What a person reads of a text that a file may make as long as a row.
fn short(text: &str, most: usize) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(most).collect();
    if text.chars().count() > most { format!("{shown}…") } else { shown }
}

/// What a sheet complains of, led back to its column; without one it is about the row, and names the place.
pub(crate) fn blamed(said: &Said, wrong: &Wrong) -> BadCell {
    match said.mapped.blame(wrong) {
        Some(column) => flaw(&said.row, Some(column), &wrong.flaw),
        None => bad(&said.row, None, wrong.to_string(), todo(&wrong.flaw)),
    }
}

fn todo(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::Required | Flaw::Empty | Flaw::Missing(_) => "fill the cell",
        Flaw::Long { .. } => "shorten it, or give its mapping the step `cut`",
        Flaw::Unprintable => "give its mapping the step `trim`",
        Flaw::NotANumber(_) => "write a plain number, or give its mapping `number` or `decimal_comma`",
        Flaw::NotWhole(_) => "write a whole number, or give its mapping `money`",
        Flaw::Decimals { .. } | Flaw::Below { .. } | Flaw::Above { .. } => {
            "correct it, or allow for it in the attribute"
        }
        Flaw::Unit { .. } | Flaw::Currency(_) | Flaw::Money(_) => "correct it, or its mapping's step",
        Flaw::Date(_) => "write it as a day like 2026-11-26",
        Flaw::Choice(_) => "add it to the attribute's options, or give its mapping a `lookup`",
        Flaw::Attribute(_) => "declare the attribute, or take the column out of the profile",
        Flaw::Scope { .. } | Flaw::Place(_) => "correct the place in the profile, or the sales channels",
        Flaw::Type { .. }
        | Flaw::TypeChange { .. }
        | Flaw::Twice(_)
        | Flaw::Count { .. }
        | Flaw::Unknown(_)
        | Flaw::Reference { .. }
        | Flaw::Name(_)
        | Flaw::Variant(_) => "correct the cell",
    }
}
