//! What buyers send as pictures, drawn anew: nobody trusts a byte of it.
//!
//! The type is what the bytes say, never what the sender says. The header is read first, and what is too large is
//! refused before anything is allocated for it. What is kept is made of pixels alone: turned as its camera was held,
//! and without a word of where and by whom it was taken.

use domain::review::Unusable;
use image::codecs::jpeg::JpegEncoder;
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits, RgbImage, guess_format,
};
use std::io::Cursor;

/// Of the file as it comes.
pub(crate) const BYTES_MAX: usize = 8_000_000;
/// Of either side.
const SIDE_MAX: u32 = 12_000;
const PIXELS_MAX: u64 = 40_000_000;
/// What decoding may take: the largest picture with alpha, once more while it is turned.
const MEMORY_MAX: u64 = 400_000_000;
/// The longer side of what is kept.
const KEPT_MAX: u32 = 2_048;
const QUALITY: u8 = 85;

/// A picture as it is kept.
#[derive(Debug)]
pub(crate) struct Picture {
    pub(crate) jpeg: Vec<u8>,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

fn unusable(error: &ImageError) -> Unusable {
    match error {
        ImageError::Limits(_) => Unusable::TooManyPixels,
        ImageError::Unsupported(_) => Unusable::NotAPicture,
        ImageError::Decoding(_)
        | ImageError::Encoding(_)
        | ImageError::Parameter(_)
        | ImageError::IoError(_) => Unusable::Broken,
    }
}

/// The picture in these bytes, drawn anew.
pub(crate) fn redrawn(bytes: &[u8]) -> Result<Picture, Unusable> {
    if bytes.len() > BYTES_MAX {
        return Err(Unusable::TooManyBytes);
    }
    let format = guess_format(bytes).map_err(|_| Unusable::NotAPicture)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(Unusable::NotAPicture);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    limits.max_image_width = Some(SIDE_MAX);
    limits.max_image_height = Some(SIDE_MAX);
    limits.max_alloc = Some(MEMORY_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|error| unusable(&error))?;
    let (width, height) = decoder.dimensions();
    if width > SIDE_MAX || height > SIDE_MAX || u64::from(width) * u64::from(height) > PIXELS_MAX {
        return Err(Unusable::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(|error| unusable(&error))?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|error| unusable(&error))?;
    picture.apply_orientation(orientation);
    if picture.width().max(picture.height()) > KEPT_MAX {
        picture = picture.thumbnail(KEPT_MAX, KEPT_MAX);
    }
    let pixels = on_white(&picture);
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    pixels.write_with_encoder(encoder).map_err(|error| unusable(&error))?;
    Ok(Picture { jpeg, width: pixels.width(), height: pixels.height() })
}

/// A JPEG has no glass in it: what one can see through lies on white.
fn on_white(picture: &DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.to_rgb8();
    }
    let clear = picture.to_rgba8();
    RgbImage::from_fn(clear.width(), clear.height(), |x, y| {
        let [red, green, blue, alpha] = clear.get_pixel(x, y).0;
        let (alpha, rest) = (u32::from(alpha), 255 - u32::from(alpha));
        let mixed = |part: u8| u8::try_from((u32::from(part) * alpha + 255 * rest) / 255).unwrap_or(u8::MAX);
        image::Rgb([mixed(red), mixed(green), mixed(blue)])
    })
}

#[cfg(test)]
mod tests;
