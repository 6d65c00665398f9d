//! What is made of a picture: three sizes as WebP and JPEG, and tiles to zoom into, in the layout of Deep Zoom.
//!
//! A size lies under the digest of its own bytes, so it can be cached for ever. Tiles are found by their place and have
//! no names of their own: theirs is the digest of the file they come from and of how they are made.
//! They come one by one, and whoever takes them lets them go before the next: beside the pixels of two levels nothing
//! lies in memory. The manifest comes last: where it lies, all its tiles do.

use crate::{Picture, digest};
use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use image::{DynamicImage, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::collections::VecDeque;
use webp::WebPConfig;

/// Tiles begin so far apart; each reaches [`OVERLAP`] into its neighbors and is 512 pixels wide within a picture.
pub const TILE: u32 = 510;
pub const OVERLAP: u32 = 1;
/// Goes into the names of tiles: raise it when they are made in another way, and no cache shows old beside new.
const TILES_AS_OF: &str = "deep zoom, 510 + 1, as of 1";
const JPEG_QUALITY: u8 = 82;
const TILE_QUALITY: u8 = 80;
const WEBP_QUALITY: u8 = 80;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Thumbnail,
    Card,
    Page,
    Tile,
    /// The manifest of the tiles.
    Zoom,
}

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// From the largest to the smallest: each is made from the one before. The number is the longer side.
    pub sizes: &'static [(Role, u32)],
    pub zoom: bool,
}

impl Plan {
    pub const PRODUCT: Self =
        Self { sizes: &[(Role::Page, 1_200), (Role::Card, 480), (Role::Thumbnail, 160)], zoom: true };
    /// Of a buyer's review: looked at, not zoomed into.
    pub const REVIEW: Self = Self { sizes: &[(Role::Page, 1_200), (Role::Thumbnail, 160)], zoom: false };

    /// Up to this side a page shows all there is, and there is nothing to zoom into.
    fn shown(&self) -> u32 {
        self.sizes.iter().map(|(_, side)| *side).max().unwrap_or(0)
    }
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub role: Role,
    pub key: String,
    pub content_type: &'static str,
    pub width: u32,
    pub height: u32,
    pub bytes: Vec<u8>,
}

/// An encoder's or a scaler's word; no picture that was opened has led to one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a rendition cannot be made: {0}")]
pub struct Unmade(String);

pub(crate) fn unmade(error: impl std::fmt::Debug) -> Unmade {
    Unmade(format!("{error:?}"))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Jpeg,
    WebP,
}

impl Format {
    fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::WebP => "webp",
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }
}

/// All files of a picture, one after the other.
#[derive(Debug)]
pub struct Renditions {
    ready: VecDeque<Made>,
    zoom: Option<Pyramid>,
}

impl Picture {
    /// Where the manifest of the tiles will lie, before anything is made; none where a page shows the whole picture.
    pub fn zoom_key(&self, plan: &Plan) -> Option<String> {
        self.zooms(plan).then(|| format!("{}.dzi", pyramid_name(&self.source)))
    }

    fn zooms(&self, plan: &Plan) -> bool {
        plan.zoom && self.width().max(self.height()) > plan.shown()
    }

    /// Everything of a plan. The sizes come first: a shop has something to show while tiles are still made.
    pub fn renditions(self, plan: &Plan) -> Result<Renditions, Unmade> {
        let mut ready = VecDeque::new();
        let mut larger: Option<DynamicImage> = None;
        for (role, side) in plan.sizes {
            let made = scaled(larger.as_ref().unwrap_or(&self.pixels), *side)?;
            for format in [Format::WebP, Format::Jpeg] {
                let bytes = encoded(&made, format, JPEG_QUALITY)?;
                ready.push_back(Made {
                    role: *role,
                    key: format!("{}.{}", digest(&[&bytes]), format.extension()),
                    content_type: format.content_type(),
                    width: made.width(),
                    height: made.height(),
                    bytes,
                });
            }
            larger = Some(made);
        }
        let zoom = self.zooms(plan).then(|| Pyramid::of(self));
        Ok(Renditions { ready, zoom })
    }
}

impl Iterator for Renditions {
    type Item = Result<Made, Unmade>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(made) = self.ready.pop_front() {
            return Some(Ok(made));
        }
        let next = self.zoom.as_mut()?.next();
        if !matches!(next, Some(Ok(_))) {
            self.zoom = None;
        }
        next
    }
}

fn pyramid_name(source: &str) -> String {
    digest(&[source.as_bytes(), TILES_AS_OF.as_bytes()])
}

/// Levels of half the size each, cut into tiles; the largest level has the highest number, and level 0 is one pixel.
#[derive(Debug)]
struct Pyramid {
    name: String,
    format: Format,
    width: u32,
    height: u32,
    /// None when only the manifest is left.
    at: Option<Place>,
    /// The pixels of the level.
    pixels: DynamicImage,
    told: bool,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    level: u32,
    column: u32,
    row: u32,
}

impl Pyramid {
    fn of(picture: Picture) -> Self {
        let (width, height) = (picture.width(), picture.height());
        let level = u32::BITS - (width.max(height) - 1).leading_zeros();
        // A JPEG has no alpha; a WebP of full size takes five times as long, so only who needs it pays.
        let format = if picture.has_alpha() { Format::WebP } else { Format::Jpeg };
        let name = pyramid_name(&picture.source);
        let at = Some(Place { level, column: 0, row: 0 });
        Self { name, format, width, height, at, pixels: picture.pixels, told: false }
    }

    fn next(&mut self) -> Option<Result<Made, Unmade>> {
        let Some(place) = self.at else {
            return (!std::mem::replace(&mut self.told, true)).then(|| Ok(self.manifest()));
        };
        let tile = self.tile(place);
        Some(self.step(place).and(tile))
    }

    /// From left to right, from top to bottom, and on to the level below.
    fn step(&mut self, place: Place) -> Result<(), Unmade> {
        let Place { level, column, row } = place;
        self.at = if (column + 1) * TILE < self.pixels.width() {
            Some(Place { level, column: column + 1, row })
        } else if (row + 1) * TILE < self.pixels.height() {
            Some(Place { level, column: 0, row: row + 1 })
        } else if let Some(level) = level.checked_sub(1) {
            let [width, height] = [self.pixels.width(), self.pixels.height()].map(|side| side.div_ceil(2));
            self.pixels = resized(&self.pixels, width, height, FilterType::Box)?;
            Some(Place { level, column: 0, row: 0 })
        } else {
            None
        };
        Ok(())
    }

    fn tile(&self, place: Place) -> Result<Made, Unmade> {
        let range = |number: u32, side: u32| {
            let begins = (number * TILE).saturating_sub(OVERLAP);
            (begins, ((number + 1) * TILE + OVERLAP).min(side) - begins)
        };
        let (x, width) = range(place.column, self.pixels.width());
        let (y, height) = range(place.row, self.pixels.height());
        let cut = self.pixels.crop_imm(x, y, width, height);
        let (name, extension) = (&self.name, self.format.extension());
        let key = format!("{name}_files/{}/{}_{}.{extension}", place.level, place.column, place.row);
        let bytes = encoded(&cut, self.format, TILE_QUALITY)?;
        Ok(Made { role: Role::Tile, key, content_type: self.format.content_type(), width, height, bytes })
    }

    fn manifest(&self) -> Made {
        let (width, height, format) = (self.width, self.height, self.format.extension());
        let xml = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" Format=\"{format}\" \
             Overlap=\"{OVERLAP}\" TileSize=\"{TILE}\">\
             <Size Width=\"{width}\" Height=\"{height}\"/></Image>\n"
        );
        let key = format!("{}.dzi", self.name);
        Made {
            role: Role::Zoom,
            key,
            content_type: "application/xml",
            width,
            height,
            bytes: xml.into_bytes(),
        }
    }
}

/// The longer side becomes this; a picture is never enlarged.
fn scaled(pixels: &DynamicImage, side: u32) -> Result<DynamicImage, Unmade> {
    let (width, height) = (pixels.width(), pixels.height());
    let longer = width.max(height);
    if longer <= side {
        return Ok(pixels.clone());
    }
    // Rounded to the nearest, and nothing vanishes.
    let fit = |one: u32| {
        let fitted = (u64::from(one) * u64::from(side) + u64::from(longer) / 2) / u64::from(longer);
        u32::try_from(fitted).unwrap_or(side).max(1)
    };
    resized(pixels, fit(width), fit(height), FilterType::Lanczos3)
}

/// Alpha is multiplied into the colors while they are mixed, so what is hidden does not shine through at edges.
pub(crate) fn resized(
    pixels: &DynamicImage,
    width: u32,
    height: u32,
    filter: FilterType,
) -> Result<DynamicImage, Unmade> {
    let alpha = pixels.color().has_alpha();
    let samples = if alpha { PixelType::U8x4 } else { PixelType::U8x3 };
    let from = ImageRef::new(pixels.width(), pixels.height(), pixels.as_bytes(), samples).map_err(unmade)?;
    let mut into = Image::new(width, height, samples);
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(filter)).use_alpha(alpha);
    Resizer::new().resize(&from, &mut into, &options).map_err(unmade)?;
    let into = into.into_vec();
    let made = if alpha {
        RgbaImage::from_raw(width, height, into).map(DynamicImage::ImageRgba8)
    } else {
        RgbImage::from_raw(width, height, into).map(DynamicImage::ImageRgb8)
    };
    made.ok_or_else(|| Unmade("its size is wrong".to_owned()))
}

fn encoded(pixels: &DynamicImage, format: Format, quality: u8) -> Result<Vec<u8>, Unmade> {
    match format {
        Format::Jpeg => jpeg(pixels, quality),
        Format::WebP => webp(pixels),
    }
}

/// With the standard's own tables. The encoder's better ones save some percent and lay the colors out in scans of
/// their own, which a decoder in wide use draws green.
fn jpeg(pixels: &DynamicImage, quality: u8) -> Result<Vec<u8>, Unmade> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(SamplingFactor::F_2_2);
    let [width, height] = [pixels.width(), pixels.height()].map(u16::try_from);
    let (width, height) = (width.map_err(unmade)?, height.map_err(unmade)?);
    match pixels.as_rgba8() {
        Some(clear) => encoder.encode(&on_white(clear), width, height, ColorType::Rgb),
        None => encoder.encode(pixels.as_bytes(), width, height, ColorType::Rgb),
    }
    .map_err(unmade)?;
    Ok(bytes)
}

fn webp(pixels: &DynamicImage) -> Result<Vec<u8>, Unmade> {
    let (width, height, bytes) = (pixels.width(), pixels.height(), pixels.as_bytes());
    let encoder = if pixels.color().has_alpha() {
        webp::Encoder::from_rgba(bytes, width, height)
    } else {
        webp::Encoder::from_rgb(bytes, width, height)
    };
    let mut config = WebPConfig::new().map_err(unmade)?;
    config.quality = f32::from(WEBP_QUALITY);
    config.method = 4;
    encoder.encode_advanced(&config).map(|made| made.to_vec()).map_err(unmade)
}

/// A JPEG has no glass in it: what one can see through lies on white.
fn on_white(clear: &RgbaImage) -> Vec<u8> {
    let mixed = |part: u8, alpha: u8| {
        let sum = u32::from(part) * u32::from(alpha) + 255 * (255 - u32::from(alpha));
        u8::try_from((sum + 127) / 255).unwrap_or(u8::MAX)
    };
    clear.pixels().flat_map(|pixel| [0, 1, 2].map(|part| mixed(pixel.0[part], pixel.0[3]))).collect()
}

#[cfg(test)]
mod tests;
