//! XLSX: the first sheet, cell by cell. Whoever reads it holds all that it opens with, and each cell whole: so it is
//! unpacked first, and then no more of it is read at a time than may be held.

use super::archive::{Counted, broken};
use super::csv::{bytes_of, header, not_too_wide};
use super::package::{Package, RELATIONS, key};
use super::{
    Broken, COLUMNS_MAX, Cells, Parts, ROW_MAX, Stop, UNPACKED_MAX, WORKBOOK_CELL_MAX, WORKBOOK_MAX,
    WORKBOOK_PARTS_MAX, WORKBOOK_TEXTS_MAX,
};
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, open_workbook_from_rs};
use domain::pim::data::Data;
use domain::pim::exchange::Row;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::rc::Rc;
use zip::read::Config;
use zip::unstable::read::{ZipIterable, ZipIterableFiles};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipReadOptions, ZipWriter};

const DAMAGED: &str = "it is no workbook, or a damaged one: open it and save it as XLSX, or as CSV in UTF-8";

/// A file of which no more is read than is left, until there is more again.
struct Rationed {
    from: File,
    left: Rc<Cell<u64>>,
}

impl Read for Rationed {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(std::io::Error::other("more is read than may be held"));
        }
        let read = (&self.from).take(left).read(buffer)?;
        self.left.set(left.saturating_sub(u64::try_from(read).unwrap_or_default()));
        Ok(read)
    }
}

impl Seek for Rationed {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.from.seek(to)
    }
}

pub(super) fn cut(file: File, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let bytes = file.metadata()?.len();
    if bytes > WORKBOOK_MAX {
        let why = format!("a workbook of {bytes} bytes: want at most {WORKBOOK_MAX}, or send it as CSV");
        return Err(parts.unreadable(None, why));
    }
    let left = Rc::new(Cell::new(WORKBOOK_TEXTS_MAX));
    let from = Rationed { from: unpacked(file, parts)?, left: Rc::clone(&left) };
    let refused = |at: Option<u64>, why: String, parts: &Parts<'_>| {
        parts.unreadable(at, if left.get() == 0 { why } else { DAMAGED.to_owned() })
    };
    let opened = open_workbook_from_rs::<Xlsx<_>, _>(BufReader::new(from));
    let mut workbook = opened.map_err(|_| refused(None, too_many_texts(), parts))?;
    let first = workbook.sheet_names().first().cloned();
    let first = first.ok_or_else(|| parts.unreadable(None, "it has no sheet"))?;
    let unread = |at: u64, parts: &Parts<'_>| {
        let why =
            format!("a cell from here on, with what is before it, has more than {WORKBOOK_CELL_MAX} bytes");
        refused(Some(at).filter(|row| *row > 0), why, parts)
    };
    left.set(WORKBOOK_CELL_MAX);
    let mut reader = workbook.worksheet_cells_reader(&first).map_err(|_| unread(0, parts))?;
    let mut sheet = Sheet { names: None, at: 0, cells: BTreeMap::new(), bytes: 0 };
    loop {
        left.set(WORKBOOK_CELL_MAX);
        let cell = reader.next_cell().map_err(|_| unread(sheet.at, parts))?;
        let Some(cell) = cell else { break };
        let (row, column) = cell.get_position();
        let row = u64::from(row).saturating_add(1);
        if row != sheet.at {
            sheet.end(parts)?;
            sheet.at = row;
        }
        let data = read(cell.get_value());
        let length = data.as_ref().map_or(0, |data| data.as_text().map_or(1, str::len));
        sheet.bytes = sheet.bytes.saturating_add(length);
        if sheet.bytes > ROW_MAX || sheet.cells.len() > COLUMNS_MAX {
            return Err(parts.too_large(row, &format!(", or more than {COLUMNS_MAX} cells")));
        }
        if data != Ok(Data::Null) {
            sheet.cells.insert(column, data);
        }
    }
    sheet.end(parts)
}

fn too_many_texts() -> String {
    format!("its texts are more than {WORKBOOK_TEXTS_MAX} bytes: send it as CSV")
}

/// The same workbook with nothing of it packed, and without what is not read of it, as its pictures: so as many bytes
/// as are read of it are held of it, whatever it calls its parts.
fn unpacked(file: File, parts: &Parts<'_>) -> Result<File, Stop> {
    let damaged = |_| parts.unreadable(None, DAMAGED);
    let mut archive = ZipIterable::try_new(BufReader::new(file), Config::default()).map_err(damaged)?;
    if archive.len() > WORKBOOK_PARTS_MAX {
        let why = format!("it is made of {} parts: want at most {WORKBOOK_PARTS_MAX}", archive.len());
        return Err(parts.unreadable(None, why));
    }
    let mut package = package(archive.files().map_err(damaged)?, parts)?;
    let entries = archive.files().map_err(damaged)?;
    let mut whole = ZipWriter::new(BufWriter::new(tempfile::tempfile()?));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    whole.start_file(RELATIONS, stored).map_err(damaged)?;
    whole.write_all(package.relations().as_bytes())?;
    let mut all = 0_u64;
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(damaged)?;
        let name = entry.name().map_err(damaged)?.into_owned();
        let key = key(&name);
        let opens = package.opens_with(&key);
        if key == RELATIONS || !(opens || key.ends_with(".xml") || key.ends_with(".rels")) {
            continue;
        }
        let (packed, left) = (entry.compressed_size(), UNPACKED_MAX.saturating_sub(all));
        let reader = entry.with_reader(entries.reader_mut(), ZipReadOptions::new());
        let reader = reader.map_err(|error| broken(parts, &error))?;
        let mut counted = Counted::new(reader, &parts.file, packed, left);
        whole.start_file(name, stored).map_err(damaged)?;
        if opens {
            let mut part = Vec::new();
            let most = WORKBOOK_TEXTS_MAX.saturating_add(1);
            let read =
                counted.by_ref().take(most).read_to_end(&mut part).map_err(|error| unread(error, parts))?;
            if u64::try_from(read).unwrap_or(u64::MAX) >= most {
                return Err(parts.unreadable(None, too_many_texts()));
            }
            package.look(&key, &part).map_err(|why| parts.unreadable(None, why))?;
            whole.write_all(&part)?;
        } else {
            std::io::copy(&mut counted, &mut whole).map_err(|error| unread(error, parts))?;
        }
        all = all.saturating_add(counted.bytes);
    }
    let whole = whole.finish().map_err(std::io::Error::from)?;
    Ok(whole.into_inner().map_err(std::io::IntoInnerError::into_error)?)
}

/// What the system does not say is said by the unpacking.
fn unread(error: std::io::Error, parts: &Parts<'_>) -> Stop {
    match Stop::from(error) {
        Stop::Place(error) if error.raw_os_error().is_none() => parts.unreadable(None, DAMAGED),
        told @ (Stop::Place(_) | Stop::Unreadable(_) | Stop::Unheard) => told,
    }
}

/// Where its parts are, as it says.
fn package(entries: &mut ZipIterableFiles<BufReader<File>>, parts: &Parts<'_>) -> Result<Package, Stop> {
    let damaged = |_| parts.unreadable(None, DAMAGED);
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(damaged)?;
        if key(&entry.name().map_err(damaged)?) == RELATIONS {
            let entry = entry.with_reader(entries.reader_mut(), ZipReadOptions::new()).map_err(damaged)?;
            let mut relations = String::new();
            let most = u64::try_from(ROW_MAX).unwrap_or_default();
            entry.take(most).read_to_string(&mut relations).map_err(|error| unread(error, parts))?;
            return Package::of(&relations).ok_or_else(|| parts.unreadable(None, DAMAGED));
        }
    }
    Err(parts.unreadable(None, DAMAGED))
}

struct Sheet {
    /// Of columns, once a row has said them.
    names: Option<Vec<String>>,
    /// The row that is read, counted from 1.
    at: u64,
    cells: BTreeMap<u32, Result<Data, String>>,
    bytes: usize,
}

impl Sheet {
    /// The row is whole.
    fn end(&mut self, parts: &mut Parts<'_>) -> Result<(), Stop> {
        let (cells, bytes) = (std::mem::take(&mut self.cells), std::mem::take(&mut self.bytes));
        let Some(last) = cells.last_key_value().map(|(column, _)| *column) else { return Ok(()) };
        let Some(names) = &self.names else {
            let name = |column| match cells.get(&column) {
                Some(Ok(Data::Text(name))) => name.trim().to_owned(),
                Some(Ok(_) | Err(_)) | None => String::new(),
            };
            // A single cell far to the right would make as many names as there are columns.
            let columns = usize::try_from(last).unwrap_or(usize::MAX).saturating_add(1);
            not_too_wide(columns, self.at, parts)?;
            let names: Vec<String> = (0..=last).map(name).collect();
            header(&names, self.at, parts)?;
            self.names = Some(names);
            return Ok(());
        };
        let mut row = Row::new();
        let mut flaw = None;
        for (column, cell) in cells {
            let name = usize::try_from(column).ok().and_then(|column| names.get(column));
            match (name.filter(|name| !name.is_empty()), cell) {
                (Some(name), Ok(data)) => {
                    row.insert(name.clone(), data);
                }
                (Some(name), Err(error)) => {
                    let (wrong, todo) = (format!("it is the error {error}"), "mend its formula".to_owned());
                    flaw = flaw.or(Some(Broken { column: Some(name.clone()), wrong, todo }));
                }
                (None, Ok(_) | Err(_)) => {
                    let wrong = format!("it has a cell in column {}, which has no name", letters(column));
                    let todo = "name the column in the first row, or empty the cell".to_owned();
                    flaw = flaw.or(Some(Broken { column: None, wrong, todo }));
                }
            }
        }
        // Cells that are left empty are there as such: a profile may take away what they do not say.
        for name in names.iter().filter(|name| !name.is_empty()) {
            row.entry(name.clone()).or_insert(Data::Null);
        }
        let bytes = bytes.saturating_add(bytes_of(names));
        parts.push(self.at, flaw.map_or(Cells::Row(row), Cells::Broken), bytes)
    }
}

/// What a column is called: A to Z, AA and so on.
fn letters(column: u32) -> String {
    let (mut rest, mut letters) = (Some(column), Vec::new());
    while let Some(column) = rest {
        let letter = u8::try_from(column % 26).unwrap_or_default();
        letters.push(char::from(b'A'.saturating_add(letter)));
        rest = (column / 26).checked_sub(1);
    }
    letters.iter().rev().collect()
}

/// Numbers as the shortest text that means them, days as days.
fn read(value: &DataRef<'_>) -> Result<Data, String> {
    Ok(match value {
        DataRef::Int(number) => Data::Text(number.to_string()),
        DataRef::Float(number) => Data::Text(number.to_string()),
        DataRef::String(text) => Data::text(text.as_str()),
        DataRef::SharedString(text) => Data::text(*text),
        DataRef::Bool(truth) => Data::Bool(*truth),
        DataRef::DateTime(moment) => Data::Text(moment_of(moment)),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Data::text(text.as_str()),
        DataRef::Error(error) => return Err(error.to_string()),
        DataRef::Empty => Data::Null,
    })
}

fn moment_of(moment: &ExcelDateTime) -> String {
    let (year, month, day, hour, minute, second, milli) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    let whole = (hour, minute, second, milli) == (0, 0, 0, 0);
    if whole { date } else { format!("{date}T{hour:02}:{minute:02}:{second:02}") }
}

/// A workbook within an archive has to lie where it can be read from any place.
pub(super) fn laid_out(mut from: impl Read) -> Result<File, Stop> {
    let mut file = tempfile::tempfile()?;
    std::io::copy(&mut from, &mut file)?;
    Ok(file)
}
