//! How a picture looks at a glance: what a page shows until it has come, and a fingerprint to find it again by.

use crate::Picture;
use crate::renditions::{Unmade, resized};
use fast_image_resize::FilterType;
use image::DynamicImage;

/// Enough for both, and the same for a picture in any size.
const GLANCE: u32 = 64;
/// The fingerprint's grid has one column more than bits in a row.
const COLUMNS: u32 = 9;
const ROWS: u32 = 8;
/// A plain ground is equal to itself whatever noise an encoder has left on it: of 255 × 256.
const NOISE: u32 = 2 * 256;
/// Up to so many differing bits two pictures are most likely one.
pub const ALIKE: u32 = 4;

/// A glance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// <https://blurha.sh>: some 30 characters that a browser paints.
    pub blur_hash: String,
    /// One bit per neighboring pair of a grid of 9 × 8: whether it is lighter on the right.
    pub fingerprint: u64,
}

impl Look {
    pub fn of(picture: &Picture) -> Result<Self, Unmade> {
        let (width, height) = (picture.width(), picture.height());
        let glance = resized(&picture.pixels, width.min(GLANCE), height.min(GLANCE), FilterType::Box)?;
        let (across, down) = if width >= height { (4, 3) } else { (3, 4) };
        let (wide, high) = (glance.width(), glance.height());
        let on_white = on_white(&glance);
        let blur_hash =
            blurhash::encode(across, down, wide, high, &on_white).map_err(crate::renditions::unmade)?;
        Ok(Self { blur_hash, fingerprint: fingerprint(&on_white, wide, high) })
    }

    /// In how many of 64 bits two pictures differ.
    pub fn distance(&self, other: &Self) -> u32 {
        (self.fingerprint ^ other.fingerprint).count_ones()
    }

    pub fn is_like(&self, other: &Self) -> bool {
        self.distance(other) <= ALIKE
    }
}

/// RGBA with nothing to see through: a shop's page is white.
fn on_white(pixels: &DynamicImage) -> Vec<u8> {
    let mut rgba = pixels.to_rgba8();
    for pixel in rgba.pixels_mut() {
        let alpha = u32::from(pixel.0[3]);
        for part in &mut pixel.0[..3] {
            let mixed = (u32::from(*part) * alpha + 255 * (255 - alpha) + 127) / 255;
            *part = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
        pixel.0[3] = u8::MAX;
    }
    rgba.into_raw()
}

/// A difference hash: it asks only which side is lighter, so size, quality and a little brightness do not matter.
fn fingerprint(rgba: &[u8], width: u32, height: u32) -> u64 {
    let mut bits = 0;
    for row in 0..ROWS {
        let lights: Vec<u32> = (0..COLUMNS).map(|column| light(rgba, width, height, column, row)).collect();
        for pair in lights.windows(2) {
            let lighter = matches!(pair, [left, right] if *right > left + NOISE);
            bits = (bits << 1) | u64::from(lighter);
        }
    }
    bits
}

/// The mean light of a cell, of 255 × 256. A picture with fewer pixels than cells lends them its nearest.
fn light(rgba: &[u8], width: u32, height: u32, column: u32, row: u32) -> u32 {
    let cells = |number: u32, of: u32, side: u32| {
        let begins = number * side / of;
        begins..((number + 1) * side / of).max(begins + 1)
    };
    let (mut sum, mut count) = (0_u32, 0_u32);
    for y in cells(row, ROWS, height) {
        for x in cells(column, COLUMNS, width) {
            let at = crate::refused::size((y * width + x) * 4);
            if let Some([red, green, blue]) = rgba.get(at..at + 3).and_then(|rgb| rgb.first_chunk()) {
                sum += 54 * u32::from(*red) + 183 * u32::from(*green) + 19 * u32::from(*blue);
                count += 1;
            }
        }
    }
    sum.checked_div(count).unwrap_or_default()
}

#[cfg(test)]
mod tests;
