//! A file's rows, read once from its front to its end, in parts of so many.
//!
//! `text.rs` bytes that are UTF-8, or are not taken · `csv.rs`, `json.rs`, `workbook.rs` rows of a format ·
//! `package.rs` what a workbook opens with · `archive.rs` files of an archive. Invariants: nothing is held but the part
//! that is being cut and one row, whatever the file has; whatever is unpacked is counted as it comes, whatever a header
//! says of it. What is wrong with a row is told with its line and the rest is read; what is wrong with a file ends it.
//!
//! CSV is read by hand and not by a crate: lines are told exactly, a quote that is never closed is told where it
//! opens, and a row has a bound. That is smaller than what would have to stand around one.

mod archive;
mod csv;
mod json;
mod package;
mod text;
mod workbook;

use domain::import::Format;
use domain::pim::exchange::Row;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};

/// Bytes of a file as it is sent.
pub const FILE_MAX: u64 = 200_000_000;
/// Bytes of a workbook as it is sent: its texts are held while it is read.
pub const WORKBOOK_MAX: u64 = 20_000_000;
/// Bytes of a workbook's texts, unpacked, and of all else that is read of it before its first cell is.
pub const WORKBOOK_TEXTS_MAX: u64 = 20_000_000;
/// What is made of a workbook's styles and sheets: each takes as much as the longest tag.
pub const WORKBOOK_STYLES_MAX: usize = 150_000_000;
/// Bytes of one cell as it is written, and of the empty rows before it: a million of them are some fifty megabytes.
pub const WORKBOOK_CELL_MAX: u64 = 64_000_000;
/// Parts that a workbook is made of: sheets, pictures and what belongs to them.
pub const WORKBOOK_PARTS_MAX: usize = 10_000;
/// Bytes of all that is unpacked from a file.
pub const UNPACKED_MAX: u64 = 1_000_000_000;
/// So many times its packed bytes a file may unpack to, once it has a megabyte.
pub const RATIO_MAX: u64 = 200;
pub const ENTRIES_MAX: usize = 1_000;
/// Bytes of one row.
pub const ROW_MAX: usize = 1_000_000;
pub const ROWS_MAX: u64 = 2_000_000;
pub const COLUMNS_MAX: usize = 10_000;
/// Rows of a part: with what is wrong with each of them a part is one transaction.
pub const ROWS_OF_PART: usize = 90;
/// Bytes of a part, more or less.
pub const BYTES_OF_PART: usize = 2_000_000;

/// Rows that are written together; all of one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Of the archive, or the whole.
    pub file: String,
    pub rows: Vec<Line>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counted from 1; of a workbook its row.
    pub line: u64,
    pub cells: Cells,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cells {
    Row(Row),
    Broken(Broken),
}

/// A row that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Broken {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    pub wrong: String,
    pub todo: String,
}

impl Broken {
    fn row(wrong: impl Into<String>, todo: impl Into<String>) -> Cells {
        Cells::Broken(Self { column: None, wrong: wrong.into(), todo: todo.into() })
    }
}

/// Why a file is not taken, and where that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub file: String,
    pub line: Option<u64>,
    /// Counted from 1.
    pub byte: Option<u64>,
    pub why: String,
}

impl std::error::Error for Unreadable {}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file)?;
        match (self.line, self.byte) {
            (Some(line), Some(byte)) => write!(f, ", line {line}, byte {byte}")?,
            (Some(line), None) => write!(f, ", line {line}")?,
            (None, Some(byte)) => write!(f, ", byte {byte}")?,
            (None, None) => {}
        }
        write!(f, ": {}", self.why)
    }
}

/// Why cutting ends before the file does.
#[derive(Debug)]
pub enum Stop {
    Unreadable(Unreadable),
    /// Nobody takes the parts any more.
    Unheard,
    /// The place that the file lies in does not answer.
    Place(std::io::Error),
}

impl From<std::io::Error> for Stop {
    /// What the readers here refuse comes through readers of others.
    fn from(error: std::io::Error) -> Self {
        let told = error.get_ref().and_then(|inner| inner.downcast_ref::<Unreadable>()).cloned();
        told.map_or(Self::Place(error), Self::Unreadable)
    }
}

/// The parts as they come: `put` answers whether anybody takes them.
struct Parts<'a> {
    put: &'a mut dyn FnMut(Part) -> bool,
    /// The file that is read.
    file: String,
    rows: Vec<Line>,
    bytes: usize,
    all: u64,
}

impl Parts<'_> {
    fn unreadable(&self, line: Option<u64>, why: impl Into<String>) -> Stop {
        Stop::Unreadable(Unreadable { file: self.file.clone(), line, byte: None, why: why.into() })
    }

    /// A row of so many bytes.
    fn push(&mut self, line: u64, cells: Cells, bytes: usize) -> Result<(), Stop> {
        self.all = self.all.saturating_add(1);
        if self.all > ROWS_MAX {
            return Err(self.unreadable(Some(line), format!("there are more than {ROWS_MAX} rows")));
        }
        if !self.rows.is_empty() && self.bytes.saturating_add(bytes) > BYTES_OF_PART {
            self.flush()?;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.rows.push(Line { line, cells });
        if self.rows.len() >= ROWS_OF_PART { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), Stop> {
        if self.rows.is_empty() {
            return Ok(());
        }
        self.bytes = 0;
        let part = Part { file: self.file.clone(), rows: std::mem::take(&mut self.rows) };
        if (self.put)(part) { Ok(()) } else { Err(Stop::Unheard) }
    }

    fn too_large(&self, line: u64, hint: &str) -> Stop {
        self.unreadable(Some(line), format!("a row begins here that has more than {ROW_MAX} bytes{hint}"))
    }
}

/// Cuts a file that is called so into parts. Waits for the file's place, and for whoever takes the parts.
///
/// # Errors
/// If it cannot be read as what it is said to be, as a whole.
pub fn cut(file: File, name: &str, format: Format, put: &mut dyn FnMut(Part) -> bool) -> Result<(), Stop> {
    let mut parts = Parts { put, file: name.to_owned(), rows: Vec::new(), bytes: 0, all: 0 };
    let mut file = file;
    file.seek(SeekFrom::Start(0))?;
    match format {
        Format::Zip => archive::cut(file, &mut parts)?,
        Format::Xlsx => workbook::cut(file, &mut parts)?,
        Format::Csv => csv::cut(text::Text::open(BufReader::new(file), name)?, &mut parts)?,
        Format::Json => json::cut(text::Text::open(BufReader::new(file), name)?, &mut parts)?,
        Format::Jsonl => json::cut_lines(text::Text::open(BufReader::new(file), name)?, &mut parts)?,
    }
    parts.flush()?;
    if parts.all == 0 { Err(parts.unreadable(None, "it has no rows")) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
