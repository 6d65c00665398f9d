//! Archives: names are counted before one is held, every name is looked at before anything is unpacked, and everything
//! that is unpacked is counted.

use super::text::Text;
use super::{
    ENTRIES_MAX, Parts, RATIO_MAX, Stop, UNPACKED_MAX, Unreadable, WORKBOOK_MAX, csv, json, workbook,
};
use domain::import::Format;
use std::fs::File;
use std::io::{BufReader, Read};
use zip::read::{Config, ZipFileEntry};
use zip::result::ZipError;
use zip::unstable::read::ZipIterable;
use zip::{CompressionMethod, ZipReadOptions};

/// From so many bytes on a file's ratio is looked at: small ones pack well.
const RATIO_FROM: u64 = 1_000_000;
/// What are archives themselves, or may be.
const NESTED: [&str; 12] = ["zip", "gz", "tgz", "tar", "7z", "rar", "bz2", "xz", "zst", "jar", "xlsm", "ods"];

/// A reader that ends where there is more than there should be.
pub(super) struct Counted<R> {
    from: R,
    file: String,
    packed: u64,
    left: u64,
    pub(super) bytes: u64,
}

impl<R: Read> Counted<R> {
    /// Of a file of so many packed bytes, and so many more that may be unpacked.
    pub(super) fn new(from: R, file: &str, packed: u64, left: u64) -> Self {
        Self { from, file: file.to_owned(), packed, left, bytes: 0 }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.bytes = self.bytes.saturating_add(u64::try_from(read).unwrap_or_default());
        let most = self.packed.saturating_mul(RATIO_MAX).max(RATIO_FROM);
        let why = if self.bytes > most {
            format!("it unpacks to more than {RATIO_MAX} times its {} bytes", self.packed)
        } else if self.bytes > self.left {
            format!("everything together unpacks to more than {UNPACKED_MAX} bytes")
        } else {
            return Ok(read);
        };
        let told = Unreadable { file: self.file.clone(), line: None, byte: Some(self.bytes), why };
        Err(std::io::Error::other(told))
    }
}

pub(super) fn broken(parts: &Parts<'_>, error: &ZipError) -> Stop {
    parts.unreadable(None, format!("the archive is damaged ({error}): pack it again"))
}

/// A file of the archive that is read.
struct Entry {
    packed: ZipFileEntry<'static>,
    name: String,
    format: Format,
}

pub(super) fn cut(file: File, parts: &mut Parts<'_>) -> Result<(), Stop> {
    let whole = parts.file.clone();
    let opened = ZipIterable::try_new(BufReader::new(file), Config::default());
    let mut archive = opened.map_err(|_| parts.unreadable(None, "it is no zip archive, or a damaged one"))?;
    if archive.len() > ENTRIES_MAX {
        let why = format!("it has {} files: want at most {ENTRIES_MAX}", archive.len());
        return Err(parts.unreadable(None, why));
    }
    let packed = archive.files().map_err(|error| broken(parts, &error))?;
    let mut entries = Vec::new();
    for entry in packed.by_ref() {
        let entry = entry.map_err(|error| broken(parts, &error))?;
        let name = entry.name().unwrap_or_else(|_| String::from_utf8_lossy(entry.name_raw()));
        let name = shown(&name);
        parts.file.clone_from(&name);
        let safe = entry.enclosed_name().is_some() && !name.starts_with(['/', '\\']) && !name.contains("..");
        let refused = if !safe {
            Some("its name leads out of the archive".to_owned())
        } else if entry.is_symlink() {
            Some("it is a link, and no file".to_owned())
        } else if entry.encrypted() {
            Some("it is encrypted: pack it without a password".to_owned())
        } else if entry.is_dir() {
            continue;
        } else {
            let (known, method) =
                ([CompressionMethod::Stored, CompressionMethod::Deflated], entry.compression());
            let why = || format!("it is packed as {method}: want it stored or deflated");
            (!known.contains(&method)).then(why)
        };
        if let Some(why) = refused {
            return Err(parts.unreadable(None, why));
        }
        // What systems put beside files, and is none of them.
        if name.starts_with("__MACOSX/") || name.ends_with(".DS_Store") {
            continue;
        }
        let format = format_of(&name).map_err(|why| parts.unreadable(None, why))?;
        entries.push(Entry { packed: entry, name, format });
    }
    let mut left = UNPACKED_MAX;
    for Entry { packed: entry, name, format } in entries {
        parts.file.clone_from(&name);
        let bytes = entry.compressed_size();
        let entry = entry.with_reader(packed.reader_mut(), ZipReadOptions::new());
        let entry = entry.map_err(|error| broken(parts, &error))?;
        let mut counted = Counted::new(entry, &name, bytes, left);
        let reader = BufReader::new(&mut counted);
        let done = match format {
            Format::Csv => Text::open(reader, &name).and_then(|text| csv::cut(text, parts)),
            Format::Json => Text::open(reader, &name).and_then(|text| json::cut(text, parts)),
            Format::Jsonl => Text::open(reader, &name).and_then(|text| json::cut_lines(text, parts)),
            Format::Xlsx | Format::Zip => workbook::laid_out(reader.take(WORKBOOK_MAX.saturating_add(1)))
                .and_then(|file| workbook::cut(file, parts)),
        };
        // What the unpacking itself complains of is the archive's matter.
        done.map_err(|stop| match stop {
            Stop::Place(error) => parts.unreadable(None, format!("it cannot be unpacked ({error})")),
            told @ (Stop::Unreadable(_) | Stop::Unheard) => told,
        })?;
        left = left.saturating_sub(counted.bytes);
        parts.flush()?;
    }
    parts.file = whole;
    Ok(())
}

/// A name as it can be told.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(200).collect()
}

fn format_of(name: &str) -> Result<Format, String> {
    let extension = name.rsplit('/').next().unwrap_or_default().rsplit_once('.').map(|(_, rest)| rest);
    let extension = extension.unwrap_or_default().to_ascii_lowercase();
    match extension.as_str() {
        "csv" | "tsv" | "txt" => Ok(Format::Csv),
        "json" => Ok(Format::Json),
        "jsonl" | "ndjson" => Ok(Format::Jsonl),
        "xlsx" => Ok(Format::Xlsx),
        other if NESTED.contains(&other) => Err("it is an archive within the archive".to_owned()),
        _ => Err("it is of no type that is read: want csv, tsv, txt, json, jsonl, ndjson or xlsx".to_owned()),
    }
}
