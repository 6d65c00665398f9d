//! MP4: how long, how large, in which codecs, from its boxes. Nothing is decoded and its pictures are not read.
//!
//! What a camera wrote beside pictures and sound (place, owner, model, times) is found here and blanked in place by
//! [`Video::blank`]: a box keeps its length and becomes `free`, so no offset moves. A track of camera data lies among
//! the pictures and cannot be blanked: such a video is refused.

use crate::refused::{Bytes, size};
use crate::{Kind, Refused, sniff};
use std::io::{self, Read, Seek, SeekFrom, Write};

/// Of the index; an hour has about two million bytes.
const INDEX_MAX: u64 = 32_000_000;
/// An hour in fragments of a second has 7,200.
const BOXES_MAX: u64 = 20_000;
const TRACKS_MAX: u64 = 16;
const SIDE_MAX: u32 = 16_384;
/// Tracks that hold nothing but what is shown, heard and read, and its numbers.
const TRACKS: [&[u8; 4]; 8] = [b"vide", b"soun", b"text", b"sbtl", b"subt", b"clcp", b"hint", b"tmcd"];

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum Unread {
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error("the file cannot be read")]
    Io(#[from] io::Error),
}

/// A film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Video {
    pub millis: u64,
    /// As it is shown: a telephone held upright films upright.
    pub width: u32,
    pub height: u32,
    /// By its four characters: `avc1` is H.264, `hvc1` and `hev1` are H.265, `av01` is AV1.
    pub codec: String,
    pub sound: Option<String>,
    /// It begins to play before it has come: its index lies in front.
    pub fast_start: bool,
    private: Vec<Blank>,
}

/// What is overwritten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blank {
    /// A box with a header of so many bytes.
    Box {
        at: u64,
        header: u64,
        length: u64,
    },
    Zeros {
        at: u64,
        length: u64,
    },
}

/// A box in memory: where it begins, and its body.
#[derive(Clone, Copy)]
struct Found<'a> {
    name: [u8; 4],
    at: u64,
    header: u64,
    body: Bytes<'a>,
}

impl Video {
    /// Read from its boxes; what lies between them is passed over.
    pub fn read(file: &mut (impl Read + Seek)) -> Result<Self, Unread> {
        let ends = file.seek(SeekFrom::End(0))?;
        let mut begins = vec![0; size(u32::try_from(ends.min(4_096)).unwrap_or(0))];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut begins)?;
        let kind = sniff(&begins)?;
        if kind != Kind::Mp4 {
            return Err(Refused::NotTaken { found: kind.name(), why: "is no video; upload MP4" }.into());
        }
        let (mut at, mut boxes, mut index, mut films, mut private) = (0, 0, None, false, Vec::new());
        let mut fast_start = false;
        while at < ends {
            boxes += 1;
            at_most("boxes", boxes, BOXES_MAX)?;
            let (name, header, length) = top_box(file, at, ends)?;
            match &name {
                b"moov" if index.is_some() => return Err(broken(at, "a second index").into()),
                b"moov" => {
                    at_most("bytes of its index", length, INDEX_MAX)?;
                    let mut body = vec![0; size(u32::try_from(length - header).unwrap_or(0))];
                    file.read_exact(&mut body)?;
                    (index, fast_start) = (Some((at + header, body)), !films);
                }
                b"mdat" => films = true,
                b"udta" | b"meta" | b"uuid" => private.push(Blank::Box { at, header, length }),
                _ => {}
            }
            at += length;
        }
        let (base, all) = index.ok_or_else(|| broken(ends, "it ends without its index (moov)"))?;
        let video = of_index(Bytes { all: &all, format: Kind::Mp4.name(), base }, private)?;
        Ok(Self { fast_start, ..video })
    }

    /// Whether every browser plays it: H.264 with AAC, or without sound.
    pub fn plays_everywhere(&self) -> bool {
        matches!(self.codec.as_str(), "avc1" | "avc3")
            && self.sound.as_deref().is_none_or(|sound| sound == "mp4a")
    }

    /// Overwrites what a camera wrote beside pictures and sound; done twice, it changes nothing more.
    pub fn blank(&self, file: &mut (impl Write + Seek)) -> io::Result<()> {
        for blank in &self.private {
            let (from, length) = match blank {
                Blank::Zeros { at, length } => (*at, *length),
                Blank::Box { at, header, length } => {
                    file.seek(SeekFrom::Start(at + 4))?;
                    file.write_all(b"free")?;
                    (at + header, length - header)
                }
            };
            file.seek(SeekFrom::Start(from))?;
            io::copy(&mut io::repeat(0).take(length), file)?;
        }
        file.flush()
    }
}

fn broken(at: u64, why: impl Into<String>) -> Refused {
    Refused::BrokenAt { format: Kind::Mp4.name(), at, why: why.into() }
}

fn at_most(what: &'static str, count: u64, most: u64) -> Result<(), Refused> {
    if count > most { Err(Refused::TooMany { what, count, most }) } else { Ok(()) }
}

/// Name, length of its header and whole length of the box at a place of the file.
fn top_box(file: &mut (impl Read + Seek), at: u64, ends: u64) -> Result<([u8; 4], u64, u64), Unread> {
    let mut start = Vec::new();
    file.seek(SeekFrom::Start(at))?;
    file.take(16).read_to_end(&mut start)?;
    let bytes = Bytes { all: &start, format: Kind::Mp4.name(), base: at };
    let (name, header, length) = box_header(bytes, 0, ends - at)?;
    file.seek(SeekFrom::Start(at + header))?;
    Ok((name, header, length))
}

/// Of the box at a place, with `room` bytes up to where it must end.
fn box_header(bytes: Bytes<'_>, at: usize, room: u64) -> Result<([u8; 4], u64, u64), Refused> {
    let part = "the next box";
    let length = bytes.u32_be(at, part)?;
    let mut name = [0; 4];
    name.copy_from_slice(bytes.take(at + 4, 4, part)?);
    let (header, length) = match length {
        0 => (8, room),
        1 => (16, bytes.u64_be(at + 8, part)?),
        length => (8, u64::from(length)),
    };
    let called = name.escape_ascii();
    if length < header {
        return Err(bytes.broken(at, format!("box {called} says a length of {length}")));
    }
    if length > room {
        let ends = bytes.place(at).saturating_add(room);
        let part = format!("box {called}");
        return Err(Refused::CutOff { format: bytes.format, part, at: bytes.place(at), ends });
    }
    Ok((name, header, length))
}

/// The boxes in a body.
fn boxes<'a>(body: Bytes<'a>) -> Result<Vec<Found<'a>>, Refused> {
    let (mut at, mut found) = (0, Vec::new());
    while at < body.all.len() {
        let room = u64::try_from(body.all.len() - at).unwrap_or(u64::MAX);
        // Four zeros end a list of user data.
        if room < 8 {
            break;
        }
        let (name, header, length) = box_header(body, at, room)?;
        let [head, whole] = [header, length].map(|length| usize::try_from(length).unwrap_or(usize::MAX));
        let all = body.take(at + head, whole - head, "a box")?;
        let inner = Bytes { all, base: body.place(at + head), ..body };
        found.push(Found { name, at: body.place(at), header, body: inner });
        at_most("boxes", u64::try_from(found.len()).unwrap_or(u64::MAX), BOXES_MAX)?;
        at += whole;
    }
    Ok(found)
}

fn one<'a>(boxes: &[Found<'a>], name: &[u8; 4], of: Bytes<'_>) -> Result<Bytes<'a>, Refused> {
    let found = boxes.iter().find(|found| found.name == *name);
    found.map(|found| found.body).ok_or_else(|| of.broken(0, format!("no box {}", name.escape_ascii())))
}

/// What nobody needs to see a film.
fn beside(boxes: &[Found<'_>]) -> impl Iterator<Item = Blank> {
    let beside = boxes.iter().filter(|found| matches!(&found.name, b"udta" | b"meta" | b"uuid"));
    beside.map(|found| {
        let body = u64::try_from(found.body.all.len()).unwrap_or(0);
        Blank::Box { at: found.at, header: found.header, length: found.header + body }
    })
}

/// When it was made and changed: eight bytes, or sixteen in version 1.
fn times(header: Bytes<'_>) -> Result<(bool, Blank), Refused> {
    let long = header.byte(0, "a header")? == 1;
    let length = if long { 16 } else { 8 };
    header.take(4, length, "a header")?;
    Ok((long, Blank::Zeros { at: header.place(4), length: if long { 16 } else { 8 } }))
}

fn of_index(index: Bytes<'_>, mut private: Vec<Blank>) -> Result<Video, Refused> {
    let all = boxes(index)?;
    private.extend(beside(&all));
    let header = one(&all, b"mvhd", index)?;
    let (long, made) = times(header)?;
    private.push(made);
    let part = "box mvhd";
    let (scale, length) = if long {
        (header.u32_be(20, part)?, header.u64_be(24, part)?)
    } else {
        (header.u32_be(12, part)?, u64::from(header.u32_be(16, part)?))
    };
    let length = if length == 0 { fragments(&all)? } else { length };
    let millis = u128::from(length) * 1_000;
    let Some(millis) = millis.checked_div(u128::from(scale)).and_then(|millis| u64::try_from(millis).ok())
    else {
        return Err(header.broken(12, format!("a time scale of {scale}")));
    };
    if millis == 0 {
        return Err(header.broken(16, "it does not say how long it is; export it with its index in front"));
    }
    let (mut film, mut sound, mut tracks) = (None, None, 0);
    for track in all.iter().filter(|found| &found.name == b"trak") {
        tracks += 1;
        at_most("tracks", tracks, TRACKS_MAX)?;
        let Track { kind, codec, width, height } = track_of(track.body, &mut private)?;
        match &kind {
            b"vide" if film.is_none() => film = Some((codec, width, height)),
            b"soun" if sound.is_none() => sound = Some(codec),
            kind if TRACKS.contains(&kind) => {}
            _ => {
                let found = "A track of camera data";
                return Err(Refused::NotTaken {
                    found,
                    why: "may tell where it was filmed; export the video anew",
                });
            }
        }
    }
    let (codec, width, height) = film.ok_or_else(|| index.broken(0, "no track of pictures"))?;
    if width == 0 || height == 0 {
        return Err(index.broken(0, format!("{width} × {height} pixels are no film")));
    }
    if width > SIDE_MAX || height > SIDE_MAX {
        return Err(Refused::TooLong { width, height, most: SIDE_MAX });
    }
    Ok(Video { millis, width, height, codec, sound, fast_start: false, private })
}

/// How long a film in fragments is, where it says so in front.
fn fragments(index: &[Found<'_>]) -> Result<u64, Refused> {
    let Some(extends) = index.iter().find(|found| &found.name == b"mvex") else { return Ok(0) };
    let extends = boxes(extends.body)?;
    let Some(header) = extends.iter().find(|found| &found.name == b"mehd") else { return Ok(0) };
    let (header, part) = (header.body, "box mehd");
    if header.byte(0, part)? == 1 { header.u64_be(4, part) } else { header.u32_be(4, part).map(u64::from) }
}

struct Track {
    kind: [u8; 4],
    codec: String,
    width: u32,
    height: u32,
}

fn track_of(track: Bytes<'_>, private: &mut Vec<Blank>) -> Result<Track, Refused> {
    let all = boxes(track)?;
    private.extend(beside(&all));
    let header = one(&all, b"tkhd", track)?;
    let (long, made) = times(header)?;
    private.push(made);
    let (matrix, part) = (if long { 52 } else { 40 }, "box tkhd");
    // Whole pixels of a number with sixteen bits behind its point.
    let side = |at: usize| header.u32_be(matrix + at, part).map(|side| side >> 16);
    let (mut width, mut height) = (side(36)?, side(40)?);
    // A quarter turn: the first and the fifth number are zero.
    if header.u32_be(matrix, part)? == 0 && header.u32_be(matrix + 16, part)? == 0 {
        (width, height) = (height, width);
    }
    let media = one(&all, b"mdia", track)?;
    let all = boxes(media)?;
    private.push(times(one(&all, b"mdhd", media)?)?.1);
    let mut kind = [0; 4];
    kind.copy_from_slice(one(&all, b"hdlr", media)?.take(8, 4, "box hdlr")?);
    let info = one(&all, b"minf", media)?;
    let samples = one(&boxes(info)?, b"stbl", info)?;
    let kinds = one(&boxes(samples)?, b"stsd", samples)?;
    let codec = kinds.take(12, 4, "box stsd")?.escape_ascii().to_string();
    Ok(Track { kind, codec, width, height })
}

#[cfg(test)]
mod tests;
