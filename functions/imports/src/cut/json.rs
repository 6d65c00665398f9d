//! JSON: one array of objects, or an object a line. Row by row, so that the whole is never held; numbers as the texts
//! that they are in the file.

use super::text::Text;
use super::{Broken, COLUMNS_MAX, Cells, Parts, ROW_MAX, Stop};
use domain::pim::data::Data;
use domain::pim::exchange::Row;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::io::Read;

/// Arrays and objects within each other.
const DEPTH_MAX: usize = 16;
/// Bytes of the columns that the objects of one row make: their names grow with each level, and come with each value.
const SPREAD_MAX: usize = 4 * ROW_MAX;
/// What a value takes besides its text.
const BESIDES: usize = 8;
const NO_OBJECT: &str = "want an object, like {\"id\": \"7\"}";

fn blanks<R: Read>(text: &mut Text<R>) -> Result<Option<u8>, Stop> {
    while text.peek()?.is_some_and(|byte| byte.is_ascii_whitespace()) {
        text.next()?;
    }
    text.peek()
}

pub(super) fn cut<R: Read>(mut text: Text<R>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    match blanks(&mut text)? {
        Some(b'[') => text.next()?,
        Some(b'{') => {
            let why = "it begins with an object: want one array of objects, or send it as `jsonl`";
            return Err(parts.unreadable(Some(text.line), why));
        }
        Some(_) | None => return Err(parts.unreadable(Some(text.line), "it begins with no array")),
    };
    let mut first = true;
    loop {
        match blanks(&mut text)? {
            Some(b']') => break,
            Some(b',') if !first => {
                text.next()?;
            }
            Some(_) if first => {}
            Some(_) => return Err(parts.unreadable(Some(text.line), "want a comma between two rows")),
            None => return Err(parts.unreadable(Some(text.line), "it ends before its array does")),
        }
        if first && blanks(&mut text)? == Some(b',') {
            return Err(parts.unreadable(Some(text.line), "there is a comma before the first row"));
        }
        first = false;
        blanks(&mut text)?;
        let line = text.line;
        let bytes = value(&mut text, parts)?;
        push(line, &bytes, parts)?;
    }
    text.next()?;
    match blanks(&mut text)? {
        Some(_) => Err(parts.unreadable(Some(text.line), "something stands behind the array")),
        None => Ok(()),
    }
}

/// The bytes of one value, whatever is between its ends.
fn value<R: Read>(text: &mut Text<R>, parts: &Parts<'_>) -> Result<Vec<u8>, Stop> {
    let line = text.line;
    let (mut bytes, mut depth, mut quoted, mut escaped) = (Vec::new(), 0_usize, false, false);
    loop {
        let Some(byte) = text.peek()? else {
            let why = "it ends in the middle of a row that begins here";
            return Err(parts.unreadable(Some(line), why));
        };
        let opens = !quoted && matches!(byte, b'{' | b'[');
        let closes = !quoted && matches!(byte, b'}' | b']');
        // A value that is neither object nor array ends before what stands behind it.
        if depth == 0 && !quoted && !opens && (closes || byte == b',' || byte.is_ascii_whitespace()) {
            if bytes.is_empty() {
                return Err(parts.unreadable(Some(line), "a row is missing between two commas"));
            }
            return Ok(bytes);
        }
        match byte {
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && byte == b'\\' && !escaped;
        bytes.push(byte);
        text.next()?;
        if bytes.len() > ROW_MAX {
            return Err(parts.too_large(line, ": is something never closed?"));
        }
        if opens {
            depth = depth.saturating_add(1);
        }
        if closes {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return Ok(bytes);
            }
        }
    }
}

pub(super) fn cut_lines<R: Read>(mut text: Text<R>, parts: &mut Parts<'_>) -> Result<(), Stop> {
    while blanks(&mut text)?.is_some() {
        let (line, mut bytes) = (text.line, Vec::new());
        while let Some(byte) = text.next()?.filter(|byte| *byte != b'\n') {
            bytes.push(byte);
            if bytes.len() > ROW_MAX {
                return Err(parts.too_large(line, ""));
            }
        }
        push(line, &bytes, parts)?;
    }
    Ok(())
}

/// A row counts as what is held of it: many small values, and the columns they make, are more than their bytes.
fn push(line: u64, bytes: &[u8], parts: &mut Parts<'_>) -> Result<(), Stop> {
    let cells = row(bytes, line);
    let held = match &cells {
        Cells::Row(row) => row.iter().map(|(name, data)| name.len().saturating_add(weight(data))).sum(),
        Cells::Broken(_) => 0,
    };
    parts.push(line, cells, bytes.len().max(held))
}

fn row(bytes: &[u8], line: u64) -> Cells {
    let read = match serde_json::from_slice::<BTreeMap<String, &RawValue>>(bytes) {
        Ok(read) => read,
        Err(error) => {
            if error.is_data() {
                return Broken::row("it is no object", NO_OBJECT);
            }
            let told = error.to_string();
            let what = told.split(" at line ").next().unwrap_or_default().to_owned();
            let below = u64::try_from(error.line()).unwrap_or_default().saturating_sub(1);
            let (line, column) = (line.saturating_add(below), error.column());
            let wrong = format!("it is no JSON: {what} in line {line}, column {column}");
            return Broken::row(wrong, "write it as a JSON library does");
        }
    };
    if read.len() > COLUMNS_MAX {
        return too_wide(read.len());
    }
    let mut row = Row::new();
    let mut left = SPREAD_MAX;
    for (name, raw) in read {
        let data = match data(raw.get(), 0) {
            Ok(data) => data,
            Err(odd) => return Broken::row(format!("`{name:.80}` has {odd}"), "leave it out"),
        };
        if spread(&mut row, &mut left, &name, &data).is_none() {
            let wrong = format!("the objects in `{name:.80}` make columns of more than {SPREAD_MAX} bytes");
            return Broken::row(wrong, "shorten the names, or leave out what is not needed");
        }
        row.insert(name, data);
        if row.len() > COLUMNS_MAX {
            return too_wide(row.len());
        }
    }
    Cells::Row(row)
}

fn too_wide(columns: usize) -> Cells {
    let wrong =
        format!("it makes {columns} columns, with what is within its objects: want at most {COLUMNS_MAX}");
    Broken::row(wrong, "leave out what is not needed")
}

/// What is within an object is a column too: `size.width`; of a list of them, the list of what each has there. None
/// where that takes more than is left: nothing of it is made before it is counted.
fn spread(row: &mut Row, left: &mut usize, name: &str, data: &Data) -> Option<()> {
    let named = |left: &mut usize, part: &str, data: &Data| {
        let bytes = name.len().saturating_add(part.len()).saturating_add(weight(data));
        *left = left.checked_sub(bytes)?;
        Some(format!("{name}.{part}"))
    };
    match data {
        Data::Map(parts) => {
            for (part, data) in parts {
                let name = named(left, part, data)?;
                spread(row, left, &name, data)?;
                row.insert(name, data.clone());
            }
        }
        Data::List(items) => {
            let mut lists: BTreeMap<String, Vec<Data>> = BTreeMap::new();
            for (part, data) in items.iter().filter_map(Data::as_map).flatten() {
                lists.entry(named(left, part, data)?).or_default().push(data.clone());
            }
            row.extend(lists.into_iter().map(|(name, items)| (name, Data::List(items))));
        }
        Data::Null | Data::Bool(_) | Data::Whole(_) | Data::Text(_) => {}
    }
    Some(())
}

/// What a value takes, more or less.
fn weight(data: &Data) -> usize {
    let within = match data {
        Data::Null | Data::Bool(_) | Data::Whole(_) => 0,
        Data::Text(text) => text.len(),
        Data::List(items) => items.iter().map(weight).sum(),
        Data::Map(parts) => parts.iter().map(|(name, data)| name.len().saturating_add(weight(data))).sum(),
    };
    within.saturating_add(BESIDES)
}

#[derive(Debug, thiserror::Error)]
enum Odd {
    #[error("values within each other, more than {DEPTH_MAX} deep")]
    Deep,
    #[error("a value whose name is empty")]
    Nameless,
    #[error("what is no JSON")]
    NoJson(#[from] serde_json::Error),
}

fn data(raw: &str, depth: usize) -> Result<Data, Odd> {
    if depth > DEPTH_MAX {
        return Err(Odd::Deep);
    }
    let inner = |raw: &RawValue| data(raw.get(), depth.saturating_add(1));
    Ok(match raw.as_bytes().first() {
        Some(b'"') => Data::Text(serde_json::from_str(raw)?),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw)?;
            Data::List(items.into_iter().map(inner).collect::<Result<_, _>>()?)
        }
        Some(b'{') => {
            let parts: BTreeMap<String, &RawValue> = serde_json::from_str(raw)?;
            if parts.contains_key("") {
                return Err(Odd::Nameless);
            }
            let part = |(name, raw): (String, &RawValue)| Ok::<_, Odd>((name, inner(raw)?));
            Data::Map(parts.into_iter().map(part).collect::<Result<_, _>>()?)
        }
        Some(b't') => Data::Bool(true),
        Some(b'f') => Data::Bool(false),
        Some(b'n') | None => Data::Null,
        Some(_) => Data::Text(raw.to_owned()),
    })
}
