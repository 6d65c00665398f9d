//! How large a picture would be: read from its header and its parts, before a decoder sees it.
//!
//! Peak memory of what follows is 12 bytes a pixel at most: a PNG of 16 bits with alpha holds 8 and then 4 of what it
//! becomes; a progressive JPEG without subsampling 6 of coefficients and 3 of pixels, and 6 where it is turned.
//! With [`PIXELS_MAX`] that is 1,248 MB, beside it the file of 25 MB: the function needs 1,769 MB, which is also where
//! Lambda gives one whole processor. Measured with 104 megapixels: such a PNG 1,255 MB, such a JPEG 941 MB.

use crate::refused::{Bytes, size};
use crate::{Kind, Refused, sniff};

/// Of the file as it comes.
pub const BYTES_MAX: usize = 25_000_000;
/// Of either side.
pub const SIDE_MAX: u32 = 30_000;
/// A camera of medium format fits.
pub const PIXELS_MAX: u64 = 104_000_000;
/// Of an animation only the first frame is shown; one of more than this is a video.
pub const FRAMES_MAX: u64 = 300;
/// A progressive JPEG has about ten; each is a walk over all pixels.
pub const SCANS_MAX: u64 = 40;

/// What a picture says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    /// As stored, before it is turned upright.
    pub width: u32,
    pub height: u32,
    pub frames: u64,
    /// Of a JPEG, or one.
    pub scans: u64,
    /// A JPEG that is not progressive and yet has its colors in scans of their own.
    pub apart: bool,
}

/// Reads the parts of a picture and measures it against the limits. Decodes nothing and allocates nothing for it.
pub fn inspect(bytes: &[u8]) -> Result<Header, Refused> {
    if bytes.len() > BYTES_MAX {
        let [bytes, most] = [bytes.len(), BYTES_MAX].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
        return Err(Refused::TooManyBytes { bytes, most });
    }
    let kind = sniff(bytes)?;
    let part = Bytes { all: bytes, format: kind.name(), base: 0 };
    match kind {
        Kind::Jpeg => jpeg(part),
        Kind::Png => png(part),
        Kind::Gif => gif(part),
        Kind::WebP => webp(part),
        Kind::Mp4 | Kind::Glb | Kind::Pdf => {
            Err(Refused::NotTaken { found: kind.name(), why: "is no picture; upload JPEG, PNG, WebP or GIF" })
        }
    }
}

/// Sides and their product, as soon as they are known: nothing more of the file is read when they are too large.
fn sides(bytes: Bytes<'_>, at: usize, width: u32, height: u32) -> Result<(), Refused> {
    if width == 0 || height == 0 {
        return Err(bytes.broken(at, format!("{width} × {height} pixels are no picture")));
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels > PIXELS_MAX {
        return Err(Refused::TooManyPixels { width, height, pixels, most: PIXELS_MAX });
    }
    if width > SIDE_MAX || height > SIDE_MAX {
        return Err(Refused::TooLong { width, height, most: SIDE_MAX });
    }
    Ok(())
}

fn at_most(what: &'static str, count: u64, most: u64) -> Result<(), Refused> {
    if count > most { Err(Refused::TooMany { what, count, most }) } else { Ok(()) }
}

fn jpeg(bytes: Bytes<'_>) -> Result<Header, Refused> {
    let (mut at, mut frame, mut scans) = (2_usize, None, 0_u64);
    loop {
        // What stands between two segments is passed over, as every decoder does.
        while bytes.byte(at, "the next segment")? != 0xff {
            at += 1;
        }
        while bytes.byte(at, "the next segment")? == 0xff {
            at += 1;
        }
        let (begins, marker) = (at - 1, bytes.byte(at, "a segment")?);
        at += 1;
        match marker {
            0x00 | 0x01 | 0xd0..=0xd8 => continue,
            0xd9 => break,
            _ => {}
        }
        let part = format!("segment {marker:02X}");
        let length = usize::from(bytes.u16_be(at, &part)?);
        if length < 2 {
            return Err(bytes.broken(begins, format!("{part} says a length of {length}")));
        }
        bytes.take(at, length, &part)?;
        match marker {
            0xc0..=0xc2 => {
                if frame.is_some() {
                    return Err(bytes.broken(begins, "a second frame header"));
                }
                if bytes.byte(at + 2, &part)? != 8 {
                    return Err(bytes.broken(begins, "samples of other than 8 bits are not read"));
                }
                if bytes.byte(at + 7, &part)? == 4 {
                    let (found, why) = ("A JPEG of inks (CMYK)", "is for printers; export it as sRGB");
                    return Err(Refused::NotTaken { found, why });
                }
                let height = u32::from(bytes.u16_be(at + 3, &part)?);
                let width = u32::from(bytes.u16_be(at + 5, &part)?);
                sides(bytes, begins, width, height)?;
                frame = Some((width, height, marker == 0xc2));
            }
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => {
                return Err(bytes.broken(begins, "lossless, hierarchical and arithmetic JPEG are not read"));
            }
            0xda => {
                scans += 1;
                at_most("scans", scans, SCANS_MAX)?;
                at = scan_ends(bytes.all, at + length).ok_or_else(|| bytes.cut_off(begins, "a scan"))?;
                continue;
            }
            _ => {}
        }
        at += length;
    }
    match frame {
        Some((width, height, progressive)) if scans > 0 => {
            Ok(Header { kind: Kind::Jpeg, width, height, frames: 1, scans, apart: scans > 1 && !progressive })
        }
        _ => Err(bytes.broken(at, "it ends without a picture")),
    }
}

/// Where the next segment begins: a marker that is neither a stuffed byte nor a restart.
fn scan_ends(all: &[u8], from: usize) -> Option<usize> {
    let scan = all.get(from..)?;
    let marker = |pair: &[u8]| matches!(pair, [0xff, byte] if !matches!(byte, 0x00 | 0xd0..=0xd7 | 0xff));
    scan.windows(2).position(marker).map(|found| from + found)
}

fn png(bytes: Bytes<'_>) -> Result<Header, Refused> {
    let (mut at, mut frames, mut data) = (8_usize, 0_u64, false);
    let first = bytes.take(at, 25, "the header")?;
    if first.get(4..8) != Some(b"IHDR") {
        return Err(bytes.broken(at, "the first chunk is not IHDR"));
    }
    let (width, height) = (bytes.u32_be(at + 8, "the header")?, bytes.u32_be(at + 12, "the header")?);
    sides(bytes, at, width, height)?;
    loop {
        let length = size(bytes.u32_be(at, "the next chunk")?);
        let name = bytes.take(at + 4, 4, "the next chunk")?;
        let part = format!("chunk {}", name.escape_ascii());
        let whole = length.checked_add(12).ok_or_else(|| bytes.cut_off(at, &part))?;
        bytes.take(at, whole, &part)?;
        match name {
            b"IEND" => break,
            b"IDAT" => data = true,
            b"acTL" => frames = frames.max(u64::from(bytes.u32_be(at + 8, &part)?)),
            _ => {}
        }
        at_most("frames", frames, FRAMES_MAX)?;
        at += whole;
    }
    if !data {
        return Err(bytes.broken(at, "it ends without a picture"));
    }
    Ok(Header { kind: Kind::Png, width, height, frames: frames.max(1), scans: 1, apart: false })
}

fn gif(bytes: Bytes<'_>) -> Result<Header, Refused> {
    let word = |at: usize, part: &str| bytes.u16_le(at, part).map(u32::from);
    let table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 3_usize << ((flags & 7) + 1) };
    let (width, height) = (word(6, "the header")?, word(8, "the header")?);
    sides(bytes, 6, width, height)?;
    let colors = table(bytes.byte(10, "the header")?);
    bytes.take(13, colors, "the table of colors")?;
    let (mut at, mut frames) = (13 + colors, 0_u64);
    loop {
        let begins = at;
        match bytes.byte(at, "the next block")? {
            0x3b => break,
            0x21 => at += 2,
            0x2c => {
                frames += 1;
                at_most("frames", frames, FRAMES_MAX)?;
                sides(bytes, at, word(at + 5, "a frame")?, word(at + 7, "a frame")?)?;
                let colors = table(bytes.byte(at + 9, "a frame")?);
                // The colors, and the byte that says how wide codes are.
                bytes.take(at + 10, colors + 1, "a frame")?;
                at += 11 + colors;
            }
            other => return Err(bytes.broken(at, format!("a block of type {other:02X}"))),
        }
        loop {
            let length =
                usize::from(bytes.byte(at, "a block").map_err(|_| bytes.cut_off(begins, "a block"))?);
            bytes.take(at, length + 1, "a block").map_err(|_| bytes.cut_off(begins, "a block"))?;
            at += length + 1;
            if length == 0 {
                break;
            }
        }
    }
    if frames == 0 {
        return Err(bytes.broken(at, "it ends without a picture"));
    }
    Ok(Header { kind: Kind::Gif, width, height, frames, scans: 1, apart: false })
}

fn webp(bytes: Bytes<'_>) -> Result<Header, Refused> {
    let ends = size(bytes.u32_le(4, "the header")?).saturating_add(8);
    let (mut at, mut frames, mut canvas) = (12_usize, 0_u64, None);
    while at < ends {
        let name = bytes.take(at, 4, "the next chunk")?;
        let part = format!("chunk {}", name.escape_ascii());
        let length = size(bytes.u32_le(at + 4, &part)?);
        let body = bytes.take(at + 8, length, &part)?;
        let found = match name {
            b"VP8X" => Some((bytes.u24_le(at + 12, &part)? + 1, bytes.u24_le(at + 15, &part)? + 1)),
            b"ANMF" => Some((bytes.u24_le(at + 14, &part)? + 1, bytes.u24_le(at + 17, &part)? + 1)),
            b"VP8L" => {
                let packed = bytes.u32_le(at + 9, &part)?;
                Some(((packed & 0x3fff) + 1, ((packed >> 14) & 0x3fff) + 1))
            }
            b"VP8 " if body.get(3..6) == Some(&[0x9d, 0x01, 0x2a]) => {
                let side = |at: usize| bytes.u16_le(at, &part).map(|side| u32::from(side & 0x3fff));
                Some((side(at + 14)?, side(at + 16)?))
            }
            b"VP8 " => return Err(bytes.broken(at, "the picture does not begin with a key frame")),
            _ => None,
        };
        if name == b"ANMF" || (name.starts_with(b"VP8") && name != b"VP8X") {
            frames += 1;
            at_most("frames", frames, FRAMES_MAX)?;
        }
        if let Some((width, height)) = found {
            sides(bytes, at, width, height)?;
            let (wide, high) = *canvas.get_or_insert((width, height));
            if width > wide || height > high {
                let why = format!("{width} × {height} pixels on a canvas of {wide} × {high}");
                return Err(bytes.broken(at, why));
            }
        }
        // Chunks begin at even places; the last may be without its filling.
        at = at.saturating_add(8).saturating_add(length).saturating_add(length & 1);
    }
    match canvas {
        Some((width, height)) if frames > 0 => {
            Ok(Header { kind: Kind::WebP, width, height, frames, scans: 1, apart: false })
        }
        _ => Err(bytes.broken(at, "it ends without a picture")),
    }
}

#[cfg(test)]
mod tests;
