//! What a file is. Its content says so, never its name or what its sender calls it.

use crate::Refused;

/// What is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Jpeg,
    Png,
    WebP,
    Gif,
    Mp4,
    /// glTF binary.
    Glb,
    /// A document beside a product; nothing is made of it, and it is given out as a download only.
    Pdf,
}

impl Kind {
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Gif => "image/gif",
            Self::Mp4 => "video/mp4",
            Self::Glb => "model/gltf-binary",
            Self::Pdf => "application/pdf",
        }
    }

    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Gif => "gif",
            Self::Mp4 => "mp4",
            Self::Glb => "glb",
            Self::Pdf => "pdf",
        }
    }

    /// As errors call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Mp4 => "MP4",
            Self::Glb => "glTF binary",
            Self::Pdf => "PDF",
        }
    }

    pub fn is_picture(self) -> bool {
        match self {
            Self::Jpeg | Self::Png | Self::WebP | Self::Gif => true,
            Self::Mp4 | Self::Glb | Self::Pdf => false,
        }
    }
}

/// So much of a text is searched for what it is.
const TEXT_SEARCHED: usize = 4_096;
/// Brands of ISO media that players of MP4 take.
const MP4_BRANDS: [&[u8; 4]; 12] = [
    b"isom", b"iso2", b"iso3", b"iso4", b"iso5", b"iso6", b"mp41", b"mp42", b"avc1", b"M4V ", b"dash",
    b"av01",
];

fn not_taken(found: &'static str, why: &'static str) -> Refused {
    Refused::NotTaken { found, why }
}

/// What these bytes are. The beginning is enough; 4 KB are never too few.
pub fn sniff(bytes: &[u8]) -> Result<Kind, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    let begins = |with: &[u8]| bytes.starts_with(with);
    let at = |from: usize, with: &[u8]| bytes.get(from..).is_some_and(|rest| rest.starts_with(with));
    if begins(b"\xff\xd8\xff") {
        return Ok(Kind::Jpeg);
    }
    if begins(b"\x89PNG\r\n\x1a\n") {
        return Ok(Kind::Png);
    }
    if begins(b"RIFF") && at(8, b"WEBP") {
        return Ok(Kind::WebP);
    }
    if begins(b"GIF87a") || begins(b"GIF89a") {
        return Ok(Kind::Gif);
    }
    if begins(b"glTF") {
        return Ok(Kind::Glb);
    }
    if begins(b"%PDF-") {
        return Ok(Kind::Pdf);
    }
    if at(4, b"ftyp") {
        return iso_media(bytes);
    }
    Err(others(bytes))
}

/// One container, many formats: the brand tells.
fn iso_media(bytes: &[u8]) -> Result<Kind, Refused> {
    let major = bytes.get(8..12).unwrap_or_default();
    match major {
        b"avif" | b"avis" => return Err(not_taken("AVIF", "is not read here; upload JPEG, PNG or WebP")),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"mif1" | b"msf1" => {
            return Err(not_taken("HEIC", "is not shown by every browser; export it as JPEG"));
        }
        b"qt  " => return Err(not_taken("QuickTime", "is not played by every browser; export it as MP4")),
        _ => {}
    }
    let box_ends =
        bytes.get(..4).map_or(0, |size| size.iter().fold(0_usize, |sum, b| (sum << 8) | usize::from(*b)));
    let brands = bytes.get(16..box_ends.min(bytes.len())).unwrap_or_default();
    let mut brands = brands.chunks_exact(4).chain([major]);
    if brands.any(|brand| MP4_BRANDS.iter().any(|known| known.as_slice() == brand)) {
        return Ok(Kind::Mp4);
    }
    Err(not_taken("This kind of ISO media", "is not MP4; export it as MP4"))
}

/// Formats that are known and not taken get a word on what to do; the rest is shown as it begins.
fn others(bytes: &[u8]) -> Refused {
    let begins = |with: &[u8]| bytes.starts_with(with);
    if begins(b"II*\0") || begins(b"MM\0*") {
        return not_taken("TIFF", "is not shown by browsers; export it as JPEG or PNG");
    }
    if begins(b"BM") && bytes.get(6..10) == Some(&[0; 4]) {
        return not_taken("BMP", "is not taken; export it as PNG");
    }
    if begins(b"\x1a\x45\xdf\xa3") {
        return not_taken("WebM or Matroska", "is not played by every browser; export it as MP4");
    }
    if begins(b"\x1f\x8b") {
        return not_taken("A gzip file (SVGZ?)", "is not opened; upload what is in it, as PNG or WebP");
    }
    if begins(b"PK\x03\x04") {
        return not_taken("A ZIP archive", "is not opened here; upload what is in it");
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = text.get(..TEXT_SEARCHED).unwrap_or(text);
    // UTF-16 is the same text with zeros in it.
    let text: Vec<u8> = text.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    let has = |word: &[u8]| text.windows(word.len()).any(|window| window == word);
    if has(b"<svg") || has(b"<!doctype svg") {
        return not_taken("SVG", "may carry script; upload PNG or WebP");
    }
    if has(b"<html") || has(b"<!doctype html") {
        return not_taken("HTML", "is a page and no picture");
    }
    if text.trim_ascii_start().starts_with(b"{") && has(b"\"asset\"") {
        return not_taken("glTF as text", "leaves its parts outside; export it as glTF binary (.glb)");
    }
    let begins: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Refused::Unknown { begins: begins.join(" ") }
}

#[cfg(test)]
mod tests;
