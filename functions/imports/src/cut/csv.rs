//! CSV (RFC 4180), as spreadsheets write it: any of four delimiters, any line ends, blank lines between.

use super::text::Text;
use super::{Broken, COLUMNS_MAX, Cells, Parts, ROW_MAX, Stop};
use domain::pim::data::Data;
use std::io::Read;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// One line of the file, or several, where a cell has line ends.
struct Record {
    line: u64,
    cells: Vec<String>,
    bytes: usize,
    /// Something stands behind a closing quote.
    loose: bool,
}

/// The delimiter that stands most often in the first line, outside of quotes.
fn delimiter(line: &[u8]) -> u8 {
    let mut counts = [0_usize; 4];
    let mut quoted = false;
    for byte in line {
        quoted ^= *byte == b'"';
        for (count, one) in counts.iter_mut().zip(DELIMITERS) {
            if !quoted && *byte == one {
                *count = count.saturating_add(1);
            }
        }
    }
    let most = counts.iter().max().copied().unwrap_or_default();
    counts.iter().zip(DELIMITERS).find(|(count, _)| **count == most).map_or(b',', |(_, one)| one)
}

pub(super) fn cut<R: Read>(mut text: Text<R>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let by = delimiter(text.first_line()?);
    let Some(head) = record(&mut text, by, parts)? else { return Ok(()) };
    let names: Vec<String> = head.cells.iter().map(|name| name.trim().to_owned()).collect();
    header(&names, head.line, parts)?;
    let named = bytes_of(&names);
    while let Some(Record { line, cells, bytes, loose }) = record(&mut text, by, parts)? {
        let cells = if loose {
            Broken::row("a cell goes on behind its closing quote", "double the quotes within a quoted cell")
        } else if cells.len() != names.len() {
            let (is, want) = (cells.len(), names.len());
            let wrong = format!("it has {is} cells, and the header has {want}");
            Broken::row(wrong, "put cells that have delimiters or line ends in quotes")
        } else {
            let cells = names.iter().zip(cells).filter(|(name, _)| !name.is_empty());
            Cells::Row(cells.map(|(name, cell)| (name.clone(), Data::Text(cell))).collect())
        };
        parts.push(line, cells, bytes.saturating_add(named))?;
    }
    Ok(())
}

/// What the names take in each row of a part.
pub(super) fn bytes_of(names: &[String]) -> usize {
    names.iter().map(|name| name.len().saturating_add(6)).sum()
}

/// Neither a header nor what is held of it is wider than this.
pub(super) fn not_too_wide(columns: usize, line: u64, parts: &Parts<'_>) -> Result<(), Stop> {
    if columns > COLUMNS_MAX {
        let why = format!("it has {columns} columns: want at most {COLUMNS_MAX}");
        return Err(parts.unreadable(Some(line), why));
    }
    Ok(())
}

/// Every column has a name of its own, or none: then it is left out.
pub(super) fn header(names: &[String], line: u64, parts: &Parts<'_>) -> Result<(), Stop> {
    not_too_wide(names.len(), line, parts)?;
    let mut sorted: Vec<&String> = names.iter().filter(|name| !name.is_empty()).collect();
    sorted.sort_unstable();
    match sorted.windows(2).find(|pair| pair.first() == pair.last()).and_then(|pair| pair.first()) {
        Some(twice) => Err(parts.unreadable(Some(line), format!("there are two columns `{twice:.80}`"))),
        None if sorted.is_empty() => Err(parts.unreadable(Some(line), "no column has a name")),
        None => Ok(()),
    }
}

/// The next line that is not blank.
fn record<R: Read>(text: &mut Text<R>, by: u8, parts: &Parts<'_>) -> Result<Option<Record>, Stop> {
    while let Some(b'\r' | b'\n') = text.peek()? {
        text.next()?;
    }
    if text.peek()?.is_none() {
        return Ok(None);
    }
    let mut record = Record { line: text.line, cells: Vec::new(), bytes: 0, loose: false };
    loop {
        let mut cell = Vec::new();
        let quoted = text.peek()? == Some(b'"');
        if quoted {
            quoted_cell(text, &mut cell, parts)?;
        }
        while let Some(byte) = text.peek()?.filter(|byte| *byte != by && !matches!(byte, b'\r' | b'\n')) {
            record.loose |= quoted;
            cell.push(byte);
            text.next()?;
            if cell.len() > ROW_MAX {
                return Err(parts.too_large(record.line, ""));
            }
        }
        record.bytes = record.bytes.saturating_add(cell.len()).saturating_add(1);
        if record.bytes > ROW_MAX {
            return Err(parts.too_large(record.line, ""));
        }
        record.cells.push(String::from_utf8(cell).unwrap_or_default());
        match text.next()? {
            Some(byte) if byte == by => {}
            Some(b'\r') if text.peek()? == Some(b'\n') => {
                text.next()?;
                return Ok(Some(record));
            }
            Some(b'\r') => {
                text.line = text.line.saturating_add(1);
                return Ok(Some(record));
            }
            Some(_) | None => return Ok(Some(record)),
        }
    }
}

/// From an opening quote behind the closing one; two of them are one of the cell.
fn quoted_cell<R: Read>(text: &mut Text<R>, cell: &mut Vec<u8>, parts: &Parts<'_>) -> Result<(), Stop> {
    let line = text.line;
    text.next()?;
    loop {
        match text.next()? {
            None => return Err(parts.unreadable(Some(line), "a quote opens here and is never closed")),
            Some(b'"') if text.peek()? == Some(b'"') => {
                text.next()?;
                cell.push(b'"');
            }
            Some(b'"') => return Ok(()),
            Some(byte) => cell.push(byte),
        }
        if cell.len() > ROW_MAX {
            return Err(parts.too_large(line, ": is its quote never closed?"));
        }
    }
}
