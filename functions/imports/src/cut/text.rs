//! Bytes as UTF-8: what is UTF-8 already, with its mark or without, and UTF-16 with its mark. Anything else is told
//! with line and byte.

use super::{Stop, Unreadable};
use std::io::Read;

const CHUNK: usize = 64 * 1024;
const SAVE: &str = "save it as UTF-8 and send it again";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Utf8,
    Utf16 { big: bool },
}

/// A file byte by byte, each of them part of a text that is right.
pub(super) struct Text<R> {
    from: R,
    file: String,
    encoding: Encoding,
    /// Read and not yet decoded; what it begins with, counted from 0.
    raw: Vec<u8>,
    raw_at: u64,
    ended: bool,
    decoded: Vec<u8>,
    at: usize,
    /// Of the byte that comes next, counted from 1.
    pub(super) line: u64,
    /// Line ends among what was decoded.
    lines: u64,
}

impl<R: Read> Text<R> {
    pub(super) fn open(from: R, file: &str) -> Result<Self, Stop> {
        let mut text = Self {
            from,
            file: file.to_owned(),
            encoding: Encoding::Utf8,
            raw: Vec::new(),
            raw_at: 0,
            ended: false,
            decoded: Vec::new(),
            at: 0,
            line: 1,
            lines: 0,
        };
        while text.raw.len() < 8 && !text.ended {
            text.pull()?;
        }
        let (encoding, mark) = match text.raw.as_slice() {
            [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
            [0xff, 0xfe, ..] => (Encoding::Utf16 { big: false }, 2),
            [0xfe, 0xff, ..] => (Encoding::Utf16 { big: true }, 2),
            [b'P', b'K', 3 | 5, 4 | 6, ..] => {
                return Err(text.wrong(0, "it is an archive or a workbook and no text: say so as its format"));
            }
            [0xd0, 0xcf, 0x11, 0xe0, ..] => {
                return Err(text.wrong(0, "it is a workbook of an old kind: save it as XLSX or CSV"));
            }
            _ => (Encoding::Utf8, 0),
        };
        text.encoding = encoding;
        text.consume(mark);
        Ok(text)
    }

    fn pull(&mut self) -> Result<(), Stop> {
        let before = self.raw.len();
        self.raw.resize(before.saturating_add(CHUNK), 0);
        let read = self.from.read(self.raw.get_mut(before..).unwrap_or_default());
        self.raw.truncate(before.saturating_add(*read.as_ref().unwrap_or(&0)));
        self.ended = read? == 0;
        Ok(())
    }

    fn consume(&mut self, bytes: usize) {
        self.raw.drain(..bytes);
        self.raw_at = self.raw_at.saturating_add(u64::try_from(bytes).unwrap_or_default());
    }

    fn wrong(&self, at: usize, why: &str) -> Stop {
        let byte = self.raw_at.saturating_add(u64::try_from(at).unwrap_or_default()).saturating_add(1);
        let line = Some(self.lines.saturating_add(1));
        let (file, why) = (self.file.clone(), why.to_owned());
        Stop::Unreadable(Unreadable { file, line, byte: Some(byte), why })
    }

    fn decode(&mut self) -> Result<(), Stop> {
        self.decoded.clear();
        self.at = 0;
        match self.encoding {
            Encoding::Utf8 => self.decode_utf8(),
            Encoding::Utf16 { big } => self.decode_utf16(big),
        }
    }

    fn count_lines(&mut self, upto: usize) {
        let ends = self.raw.iter().take(upto).filter(|byte| **byte == b'\n').count();
        self.lines = self.lines.saturating_add(u64::try_from(ends).unwrap_or_default());
    }

    fn decode_utf8(&mut self) -> Result<(), Stop> {
        let (fits, broken) = match std::str::from_utf8(&self.raw) {
            Ok(_) => (self.raw.len(), false),
            Err(error) => (error.valid_up_to(), error.error_len().is_some() || self.ended),
        };
        let nul = self.raw.iter().take(fits).position(|byte| *byte == 0);
        if let Some(at) = nul.or(broken.then_some(fits)) {
            self.count_lines(at);
            let what = if nul.is_some() { "a NUL" } else { "a byte that is no UTF-8" };
            return Err(self.wrong(at, &format!("there is {what}: {SAVE}")));
        }
        self.count_lines(fits);
        self.decoded.extend(self.raw.iter().take(fits));
        self.consume(fits);
        Ok(())
    }

    fn decode_utf16(&mut self, big: bool) -> Result<(), Stop> {
        let unit = |pair: &[u8]| match *pair {
            [a, b] if big => u16::from_be_bytes([a, b]),
            [a, b] => u16::from_le_bytes([a, b]),
            _ => 0,
        };
        let units: Vec<u16> = self.raw.chunks_exact(2).map(unit).collect();
        let (mut at, mut out) = (0_usize, String::new());
        let mut rest = units.iter().copied().peekable();
        let mut broken = None;
        while let Some(first) = rest.next() {
            let pair = [first, rest.peek().copied().unwrap_or_default()];
            let high = (0xd800..0xdc00).contains(&first);
            if high && rest.peek().is_none() && !self.ended {
                break;
            }
            let wanted = if high { 2 } else { 1 };
            match char::decode_utf16(pair.iter().copied().take(wanted)).next() {
                Some(Ok(c)) if c != '\0' => out.push(c),
                Some(Ok(_) | Err(_)) | None => {
                    broken = Some(at);
                    break;
                }
            }
            if high {
                rest.next();
            }
            at = at.saturating_add(wanted.saturating_mul(2));
        }
        let odd = self.ended && self.raw.len() % 2 == 1;
        let ends = out.bytes().filter(|byte| *byte == b'\n').count();
        self.lines = self.lines.saturating_add(u64::try_from(ends).unwrap_or_default());
        if let Some(at) = broken.or(odd.then_some(at)) {
            return Err(self.wrong(at, &format!("there is half a character of UTF-16, or a NUL: {SAVE}")));
        }
        self.decoded = out.into_bytes();
        self.consume(at);
        Ok(())
    }

    /// What comes next, and stays.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Stop> {
        while self.at >= self.decoded.len() {
            if self.ended && self.raw.is_empty() {
                return Ok(None);
            }
            if !self.ended {
                self.pull()?;
            }
            self.decode()?;
        }
        Ok(self.decoded.get(self.at).copied())
    }

    pub(super) fn next(&mut self) -> Result<Option<u8>, Stop> {
        let byte = self.peek()?;
        if byte.is_some() {
            self.at = self.at.saturating_add(1);
        }
        if byte == Some(b'\n') {
            self.line = self.line.saturating_add(1);
        }
        Ok(byte)
    }

    /// The first line, as much of it as is at hand: what delimiters it has.
    pub(super) fn first_line(&mut self) -> Result<&[u8], Stop> {
        self.peek()?;
        let rest = self.decoded.get(self.at..).unwrap_or_default();
        Ok(rest.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default())
    }
}
