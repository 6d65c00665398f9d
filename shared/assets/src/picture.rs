//! Pixels of a picture as shops show them: upright, in sRGB, eight bits a sample, and nothing beside pixels.
//!
//! What the camera wrote (how it was held, which colors it means) is carried out on the pixels and then forgotten with
//! the rest: place, time, owner and thumbnail are never copied, so they cannot survive.

use crate::header::{BYTES_MAX, Header, PIXELS_MAX, SIDE_MAX, inspect};
use crate::refused::{Bytes, size};
use crate::{Kind, Refused, digest};
use image::codecs::gif::GifDecoder;
use image::codecs::png::PngDecoder;
use image::codecs::webp::WebPDecoder;
use image::metadata::Orientation;
use image::{DynamicImage, GrayImage, ImageDecoder, ImageResult, Limits, RgbImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, Transform8BitExecutor, TransformOptions};
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;

/// A profile of colors is some hundreds of bytes, with tables some hundred thousand.
const PROFILE_MAX: usize = 4_000_000;
/// Beside pixels: palettes, windows of decompression, rows.
const DECODER_MAX: u64 = 16_000_000;

/// What became of the colors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colors {
    /// No profile, or one that means the same.
    Srgb,
    /// From its profile.
    Converted,
    /// Its profile cannot be read, or is not for its pixels; taken for sRGB, as browsers do.
    Assumed,
}

/// A picture, decoded.
#[derive(Debug)]
pub struct Picture {
    /// RGB, or RGBA where something shines through.
    pub(crate) pixels: DynamicImage,
    pub(crate) source: String,
    pub header: Header,
    /// How its camera was held, as EXIF numbers it: 1 is upright.
    pub orientation: u8,
    pub colors: Colors,
}

impl Picture {
    /// The picture in these bytes; of an animation its first frame.
    pub fn open(bytes: &[u8]) -> Result<Self, Refused> {
        let header = inspect(bytes)?;
        let format = header.kind.name();
        // Decoders are others' code on anybody's bytes. One that gives up says no more than an error of its own.
        let decoded = catch_unwind(AssertUnwindSafe(|| decode(bytes, header)));
        let gave_up = |_| Err(Refused::Broken { format, why: "its decoder gave up".to_owned() });
        let Decoded { pixels, profile, orientation } = decoded.unwrap_or_else(gave_up)?;
        let (pixels, colors) = srgb(eight_bits(pixels), profile.as_deref());
        let mut pixels = opaque(pixels);
        let turned = orientation.unwrap_or(Orientation::NoTransforms);
        pixels.apply_orientation(turned);
        Ok(Self { pixels, source: digest(&[bytes]), header, orientation: turned.to_exif(), colors })
    }

    /// Upright.
    pub fn width(&self) -> u32 {
        self.pixels.width()
    }

    pub fn height(&self) -> u32 {
        self.pixels.height()
    }

    pub fn has_alpha(&self) -> bool {
        self.pixels.color().has_alpha()
    }

    /// SHA-256 of the file that it came from.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Row by row: three bytes a pixel, or four with alpha.
    pub fn bytes(&self) -> &[u8] {
        self.pixels.as_bytes()
    }
}

/// Whether a picture that is kept as it came would tell where it was taken: in EXIF's directory of places, or in words.
pub(crate) fn tells_place(bytes: &[u8], kind: Kind) -> bool {
    let input = || Cursor::new(bytes);
    let exif = catch_unwind(|| match kind {
        Kind::Jpeg => {
            let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
            decoder.decode_headers().ok().and_then(|()| decoder.exif().cloned())
        }
        Kind::Png => PngDecoder::new(input()).ok().and_then(|mut png| png.exif_metadata().ok().flatten()),
        Kind::WebP => WebPDecoder::new(input()).ok().and_then(|mut webp| webp.exif_metadata().ok().flatten()),
        Kind::Gif | Kind::Mp4 | Kind::Glb | Kind::Pdf => None,
    });
    let words: &[u8] = b"GPSLatitude";
    exif.ok().flatten().is_some_and(|exif| names_places(&exif))
        || bytes.windows(words.len()).any(|at| at == words)
}

/// Whether the first directory has an entry of places.
fn names_places(exif: &[u8]) -> bool {
    const PLACES: u16 = 0x8825;
    let little = exif.starts_with(b"II");
    let tiff = Bytes { all: exif, format: "EXIF", base: 0 };
    let short = |at: usize| if little { tiff.u16_le(at, "") } else { tiff.u16_be(at, "") };
    let begins = if little { tiff.u32_le(4, "") } else { tiff.u32_be(4, "") };
    let Ok(begins) = begins.map(size) else { return false };
    let entries = usize::from(short(begins).unwrap_or(0));
    let mut tags = (0..entries).map(|entry| short(begins.saturating_add(2 + 12 * entry)));
    tags.any(|tag| tag == Ok(PLACES))
}

struct Decoded {
    pixels: DynamicImage,
    profile: Option<Vec<u8>>,
    orientation: Option<Orientation>,
}

fn decode(bytes: &[u8], header: Header) -> Result<Decoded, Refused> {
    let format = header.kind.name();
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(PIXELS_MAX * 8 + DECODER_MAX);
    let input = Cursor::new(bytes);
    let decoded = match header.kind {
        Kind::Jpeg if header.apart => {
            return apart(bytes).map_err(|error| Refused::Broken { format, why: error.to_string() });
        }
        Kind::Jpeg => return jpeg(bytes).map_err(|error| Refused::Broken { format, why: error.to_string() }),
        Kind::Png => PngDecoder::with_limits(input, limits).and_then(drawn),
        Kind::WebP => WebPDecoder::new(input).and_then(drawn),
        Kind::Gif => GifDecoder::new(input).and_then(drawn),
        Kind::Mp4 | Kind::Glb | Kind::Pdf => {
            return Err(Refused::NotTaken { found: format, why: "is no picture" });
        }
    };
    decoded.map_err(|error| Refused::Broken { format, why: error.to_string() })
}

/// What the header's limits have let in needs no others: sides and pixels are known to fit.
fn drawn(mut decoder: impl ImageDecoder) -> ImageResult<Decoded> {
    let profile = decoder.icc_profile().ok().flatten();
    let orientation = decoder.exif_metadata().ok().flatten();
    let orientation = orientation.and_then(|exif| Orientation::from_exif_chunk(&exif));
    Ok(Decoded { pixels: DynamicImage::from_decoder(decoder)?, profile, orientation })
}

/// Lenient with what stands between headers, as cameras write it, and strict with the picture itself: half a picture
/// with gray below is none.
fn jpeg(bytes: &[u8]) -> Result<Decoded, DecodeErrors> {
    let side = size(SIDE_MAX);
    let options = DecoderOptions::default().set_max_width(side).set_max_height(side).set_strict_mode(false);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers()?;
    let gray = decoder.input_colorspace() == Some(ColorSpace::Luma);
    let options = options.jpeg_set_out_colorspace(if gray { ColorSpace::Luma } else { ColorSpace::RGB });
    decoder.set_options(options.set_strict_mode(true));
    let none = || DecodeErrors::FormatStatic("it has no size");
    let (width, height) = decoder.dimensions().ok_or_else(none)?;
    let [width, height] = [width, height].map(|side| u32::try_from(side).unwrap_or(u32::MAX));
    let mut samples = vec![0; decoder.output_buffer_size().ok_or_else(none)?];
    decoder.decode_into(&mut samples)?;
    let pixels = if gray {
        GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
    };
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok(Decoded { pixels: pixels.ok_or_else(none)?, profile: decoder.icc_profile(), orientation })
}

/// The colors in scans of their own, which `zune-jpeg` up to 0.5.15 draws green where they are coarser than the light.
fn apart(bytes: &[u8]) -> Result<Decoded, jpeg_decoder::Error> {
    let mut decoder = jpeg_decoder::Decoder::new(Cursor::new(bytes));
    let samples = decoder.decode()?;
    let none = || jpeg_decoder::Error::Format("it has no size".to_owned());
    let info = decoder.info().ok_or_else(none)?;
    let (width, height) = (u32::from(info.width), u32::from(info.height));
    let pixels = if info.pixel_format == jpeg_decoder::PixelFormat::L8 {
        GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
    } else {
        RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
    };
    let orientation = decoder.exif_data().and_then(Orientation::from_exif_chunk);
    Ok(Decoded { pixels: pixels.ok_or_else(none)?, profile: decoder.icc_profile(), orientation })
}

/// Sixteen bits are rounded to eight; what has eight stays where it is.
fn eight_bits(pixels: DynamicImage) -> DynamicImage {
    match (pixels.color().channel_count(), pixels.color().has_alpha()) {
        (1, _) => DynamicImage::ImageLuma8(pixels.into_luma8()),
        (_, true) => DynamicImage::ImageRgba8(pixels.into_rgba8()),
        (_, false) => DynamicImage::ImageRgb8(pixels.into_rgb8()),
    }
}

/// So many bytes are converted at once: the profile's working memory, beside the pixels.
const PIECE: usize = 3 * 4 * 4_096;

/// The pixels as sRGB: gray becomes RGB.
fn srgb(mut pixels: DynamicImage, profile: Option<&[u8]>) -> (DynamicImage, Colors) {
    let Some(icc) = profile.filter(|icc| !icc.is_empty()) else { return (in_rgb(pixels), Colors::Srgb) };
    let gray = pixels.color().channel_count() == 1;
    let layout = match (gray, pixels.color().has_alpha()) {
        (true, _) => Layout::Gray,
        (false, true) => Layout::Rgba,
        (false, false) => Layout::Rgb,
    };
    // A profile is others' bytes too.
    let transform = catch_unwind(|| transform(icc, layout)).ok().flatten();
    let Some(transform) = transform else { return (in_rgb(pixels), Colors::Assumed) };
    if gray {
        let (width, height) = (pixels.width(), pixels.height());
        let mut converted = vec![0; pixels.as_bytes().len().saturating_mul(3)];
        if transform.transform(pixels.as_bytes(), &mut converted).is_err() {
            return (in_rgb(pixels), Colors::Assumed);
        }
        let converted = RgbImage::from_raw(width, height, converted).map(DynamicImage::ImageRgb8);
        return converted.map_or_else(|| (in_rgb(pixels), Colors::Assumed), |rgb| (rgb, Colors::Converted));
    }
    if means_srgb(&*transform, pixels.color().has_alpha()) {
        return (pixels, Colors::Srgb);
    }
    let done = match (pixels.as_mut_rgba8(), layout == Layout::Rgba) {
        (Some(rgba), true) => in_place(&*transform, rgba),
        _ => pixels.as_mut_rgb8().is_some_and(|rgb| in_place(&*transform, rgb)),
    };
    (pixels, if done { Colors::Converted } else { Colors::Assumed })
}

/// Piece by piece; the first tells whether any can be.
fn in_place(transform: &Transform8BitExecutor, samples: &mut [u8]) -> bool {
    let mut was = Vec::with_capacity(PIECE);
    samples.chunks_mut(PIECE).all(|piece| {
        was.clear();
        was.extend_from_slice(piece);
        transform.transform(&was, piece).is_ok()
    })
}

fn in_rgb(pixels: DynamicImage) -> DynamicImage {
    if pixels.color().has_alpha() { pixels } else { DynamicImage::ImageRgb8(pixels.into_rgb8()) }
}

fn transform(icc: &[u8], layout: Layout) -> Option<Arc<Transform8BitExecutor>> {
    if icc.len() > PROFILE_MAX.min(BYTES_MAX) {
        return None;
    }
    let profile = ColorProfile::new_from_slice(icc).ok()?;
    let gray = layout == Layout::Gray;
    let (wanted, into) =
        if gray { (DataColorSpace::Gray, Layout::Rgb) } else { (DataColorSpace::Rgb, layout) };
    if profile.color_space != wanted {
        return None;
    }
    let srgb = ColorProfile::new_srgb();
    profile.create_transform_8bit(layout, &srgb, into, TransformOptions::default()).ok()
}

/// Whether a walk through all colors comes out as it went in, but for rounding: most profiles are sRGB's own.
fn means_srgb(transform: &Transform8BitExecutor, alpha: bool) -> bool {
    let steps = [0, 31, 63, 95, 127, 159, 191, 223, 255_u8];
    let mut colors = Vec::new();
    for red in steps {
        for green in steps {
            for blue in steps {
                colors.extend([red, green, blue]);
                colors.extend(alpha.then_some(255));
            }
        }
    }
    let mut seen = vec![0; colors.len()];
    let done = transform.transform(&colors, &mut seen).is_ok();
    done && colors.iter().zip(&seen).all(|(was, is)| was.abs_diff(*is) <= 2)
}

/// An alpha that hides nothing is none.
fn opaque(pixels: DynamicImage) -> DynamicImage {
    let hides = pixels.as_rgba8().is_some_and(|rgba| rgba.pixels().any(|pixel| pixel.0[3] != u8::MAX));
    if hides { pixels } else { DynamicImage::ImageRgb8(pixels.into_rgb8()) }
}

#[cfg(test)]
mod tests;
