//! XLSX: the first sheet, cell by cell. Its texts alone are held; how much they are is counted before.

use super::archive::{Counted, broken};
use super::csv::{bytes_of, header, not_too_wide};
use super::{
    Broken, COLUMNS_MAX, Cells, Parts, ROW_MAX, Stop, UNPACKED_MAX, WORKBOOK_MAX, WORKBOOK_TEXTS_MAX,
};
use calamine::{DataRef, ExcelDateTime, Reader, Xlsx, open_workbook_from_rs};
use domain::pim::data::Data;
use domain::pim::exchange::Row;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use zip::ZipArchive;

const DAMAGED: &str = "it is no workbook, or a damaged one: open it and save it as XLSX, or as CSV in UTF-8";

pub(super) fn cut(mut file: File, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let bytes = file.metadata()?.len();
    if bytes > WORKBOOK_MAX {
        let why = format!("a workbook of {bytes} bytes: want at most {WORKBOOK_MAX}, or send it as CSV");
        return Err(parts.unreadable(None, why));
    }
    weigh(&mut file, parts)?;
    file.seek(SeekFrom::Start(0))?;
    let damaged = |parts: &Parts<'_>| parts.unreadable(None, DAMAGED);
    let opened = open_workbook_from_rs::<Xlsx<_>, _>(BufReader::new(file));
    let mut workbook = opened.map_err(|_| damaged(parts))?;
    let first = workbook.sheet_names().first().cloned();
    let first = first.ok_or_else(|| parts.unreadable(None, "it has no sheet"))?;
    let mut reader = workbook.worksheet_cells_reader(&first).map_err(|_| damaged(parts))?;
    let mut sheet = Sheet { names: None, at: 0, cells: BTreeMap::new(), bytes: 0 };
    loop {
        let cell = reader.next_cell().map_err(|_| parts.unreadable(Some(sheet.at), DAMAGED))?;
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

/// Everything in it is unpacked once, so that it is known what there is before anything of it is held.
fn weigh(file: &mut File, parts: &Parts<'_>) -> Result<(), Stop> {
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(|_| parts.unreadable(None, DAMAGED))?;
    let (mut all, mut texts) = (0_u64, 0_u64);
    for number in 0..archive.len() {
        let entry = archive.by_index(number).map_err(|error| broken(parts, &error))?;
        let held = |name: &str| name.ends_with(".xml") && !name.contains("worksheets/");
        let is_text = entry.name().is_ok_and(|name| held(&name));
        let packed = entry.compressed_size();
        let left = UNPACKED_MAX.saturating_sub(all);
        let mut counted = Counted::new(entry, &parts.file, packed, left);
        std::io::copy(&mut counted, &mut std::io::sink()).map_err(|error| match Stop::from(error) {
            Stop::Place(_) => parts.unreadable(None, DAMAGED),
            told @ (Stop::Unreadable(_) | Stop::Unheard) => told,
        })?;
        all = all.saturating_add(counted.bytes);
        texts = texts.saturating_add(if is_text { counted.bytes } else { 0 });
    }
    if texts > WORKBOOK_TEXTS_MAX {
        let why =
            format!("its texts are {texts} bytes: want at most {WORKBOOK_TEXTS_MAX}, or send it as CSV");
        return Err(parts.unreadable(None, why));
    }
    Ok(())
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
