//! Pictures that tests make themselves, and what holds for any bytes at all.

use crate::header::inspect;
use crate::{Look, Made, Picture, Plan, Role};
use image::codecs::gif::GifEncoder;
use image::codecs::png::PngEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, Frame, ImageEncoder, Rgb, RgbImage, RgbaImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

/// Smooth, and nowhere the same: no turn and no mirror of it looks like another. The number gives another picture.
pub(crate) fn scene(width: u32, height: u32, number: u32) -> RgbImage {
    let bump = |x: u32, y: u32, at: (u32, u32)| {
        let distance = (x * 256 / width).abs_diff(at.0) + (y * 256 / height).abs_diff(at.1);
        200_u32.saturating_sub(distance * 2)
    };
    let place = |salt: u32| ((number * 97 + salt * 53) % 256, (number * 61 + salt * 131) % 256);
    RgbImage::from_fn(width, height, |x, y| {
        let light = bump(x, y, place(1)) / 2 + bump(x, y, place(2)) / 2;
        let ramp = (x * 40 / width) + (y * 15 / height);
        let mix = |salt: u32| u8::try_from((light + ramp + bump(x, y, place(salt)) / 4).min(255)).unwrap();
        Rgb([mix(3), mix(4), mix(5)])
    })
}

/// What a camera writes beside pixels: how it was held, who owns it, and where it was.
pub(crate) fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0\x03\0".to_vec();
    let mut entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        tiff.extend(tag.to_le_bytes().into_iter().chain(kind.to_le_bytes()).chain(count.to_le_bytes()));
        tiff.extend(value);
    };
    entry(0x0112, 3, 1, [orientation, 0, 0, 0]);
    entry(0x013b, 2, 13, 50_u32.to_le_bytes());
    entry(0x8825, 4, 1, 64_u32.to_le_bytes());
    tiff.extend([0; 4]);
    tiff.extend(b"SECRET-OWNER\0\0");
    // The directory of places: one entry, an area's name behind it.
    tiff.extend(b"\x01\0\x1c\0\x07\0\x0c\0\0\0\x52\0\0\0\0\0\0\0SECRET-PLACE");
    tiff
}

#[derive(Debug, Clone, Default)]
pub(crate) struct JpegOf {
    pub(crate) exif: Option<Vec<u8>>,
    pub(crate) profile: Option<Vec<u8>>,
    pub(crate) progressive: bool,
    pub(crate) quality: Option<u8>,
}

pub(crate) fn jpeg(picture: &RgbImage, of: &JpegOf) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = Encoder::new(&mut bytes, of.quality.unwrap_or(92));
    encoder.set_sampling_factor(SamplingFactor::F_1_1);
    encoder.set_progressive(of.progressive);
    if let Some(exif) = &of.exif {
        encoder.add_exif_metadata(exif).unwrap();
        encoder.add_app_segment(1, b"http://ns.adobe.com/xap/1.0/\0<x>SECRET-XMP</x>".to_vec()).unwrap();
        encoder.add_app_segment(13, b"Photoshop 3.0\0SECRET-IPTC".to_vec()).unwrap();
    }
    if let Some(profile) = &of.profile {
        encoder.add_icc_profile(profile).unwrap();
    }
    let [width, height] = [picture.width(), picture.height()].map(|side| u16::try_from(side).unwrap());
    encoder.encode(picture, width, height, ColorType::Rgb).unwrap();
    bytes
}

pub(crate) fn png(samples: &[u8], width: u32, height: u32, color: ExtendedColorType) -> Vec<u8> {
    let mut bytes = Vec::new();
    PngEncoder::new(&mut bytes).write_image(samples, width, height, color).unwrap();
    bytes
}

pub(crate) fn png_with(picture: &RgbImage, exif: Option<Vec<u8>>, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    exif.into_iter().for_each(|exif| encoder.set_exif_metadata(exif).unwrap());
    profile.into_iter().for_each(|profile| encoder.set_icc_profile(profile).unwrap());
    encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

pub(crate) fn webp_with(picture: &RgbImage, exif: Option<Vec<u8>>, profile: Option<Vec<u8>>) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    exif.into_iter().for_each(|exif| encoder.set_exif_metadata(exif).unwrap());
    profile.into_iter().for_each(|profile| encoder.set_icc_profile(profile).unwrap());
    encoder.write_image(picture, picture.width(), picture.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// Frames of one color each.
pub(crate) fn gif(width: u32, height: u32, colors: &[[u8; 3]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    for [red, green, blue] in colors {
        let frame = RgbaImage::from_pixel(width, height, image::Rgba([*red, *green, *blue, 255]));
        encoder.encode_frame(Frame::new(frame)).unwrap();
    }
    drop(encoder);
    bytes
}

/// The mean difference of a sample, in hundredths.
pub(crate) fn difference(one: &[u8], other: &[u8]) -> u64 {
    assert_eq!(one.len(), other.len(), "pictures of one size");
    let sum: u64 = one.iter().zip(other).map(|(one, other)| u64::from(one.abs_diff(*other))).sum();
    sum * 100 / u64::try_from(one.len()).unwrap()
}

pub(crate) fn made(bytes: &[u8], plan: &Plan) -> Vec<Made> {
    Picture::open(bytes).unwrap().renditions(plan).unwrap().map(Result::unwrap).collect()
}

/// A small file of each kind.
fn small() -> Vec<Vec<u8>> {
    let picture = scene(24, 16, 1);
    let shining: Vec<u8> = (0..=255).cycle().take(24 * 16 * 4).collect();
    let extras = || (Some(exif(6)), Some(moxcms::ColorProfile::new_display_p3().encode().unwrap()));
    let (exif, profile) = extras();
    let progressive =
        JpegOf { progressive: true, exif: exif.clone(), profile: profile.clone(), quality: None };
    vec![
        jpeg(&picture, &JpegOf::default()),
        jpeg(&picture, &progressive),
        png(&shining, 24, 16, ExtendedColorType::Rgba8),
        png_with(&picture, exif.clone(), profile.clone()),
        webp_with(&picture, exif, profile),
        webp::Encoder::from_rgba(&shining, 24, 16).encode_simple(false, 70.0).unwrap().to_vec(),
        gif(24, 16, &[[255, 0, 0], [0, 0, 255]]),
    ]
}

/// All of it: nothing may panic, whatever comes out.
fn through(bytes: &[u8]) -> bool {
    let Ok(picture) = Picture::open(bytes) else { return false };
    Look::of(&picture).unwrap();
    // What is as large as before is made as before.
    if (picture.width(), picture.height()) != (24, 16) {
        picture.renditions(&Plan::PRODUCT).unwrap().for_each(|made| drop(made.unwrap()));
    }
    true
}

#[test]
fn a_file_that_ends_anywhere_too_early_is_refused() {
    for whole in small() {
        assert!(through(&whole));
        for end in 0..whole.len() {
            let cut = inspect(&whole[..end]);
            assert!(cut.is_err(), "{end} of {} bytes: {cut:?}", whole.len());
        }
    }
}

#[test]
fn any_flipped_byte_gives_a_picture_or_a_word() {
    for whole in small() {
        for at in 0..whole.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= flip;
                through(&bytes);
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_behind_any_beginning_give_a_word(
        begins in 0..7_usize,
        kept in 0..64_usize,
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut bytes = small().swap_remove(begins);
        bytes.truncate(kept);
        bytes.extend(rest);
        through(&bytes);
    }
}

#[test]
fn nothing_that_a_camera_wrote_is_in_what_is_made() {
    let picture = scene(1_400, 300, 2);
    let (exif, profile) = (Some(exif(3)), Some(moxcms::ColorProfile::new_display_p3().encode().unwrap()));
    let of = JpegOf { exif: exif.clone(), profile: profile.clone(), ..JpegOf::default() };
    let files = [
        jpeg(&picture, &of),
        png_with(&picture, exif.clone(), profile.clone()),
        webp_with(&picture, exif, profile),
    ];
    let words: [&[u8]; 8] =
        [b"SECRET", b"Exif", b"EXIF", b"ICC_PROFILE", b"ICCP", b"http://ns.adobe", b"acsp", b"Photoshop"];
    for file in files {
        assert!(file.windows(6).any(|window| window == b"SECRET"), "the test sends something to find");
        let all = made(&file, &Plan::PRODUCT);
        assert!(all.iter().any(|made| made.role == Role::Tile));
        for made in all {
            for word in words {
                let found = made.bytes.windows(word.len()).any(|window| window == word);
                assert!(!found, "{} holds {}", made.key, word.escape_ascii());
            }
        }
    }
}

/// Photographs that differ in nothing but how their camera was held: `PHOTOS=FOLDER cargo test -p assets -- --ignored`.
#[test]
#[ignore = "takes a folder of photographs: PHOTOS=FOLDER cargo test --release -p assets -- --ignored photographs"]
fn photographs_in_all_eight_orientations_are_one_picture() {
    let folder = std::path::PathBuf::from(std::env::var_os("PHOTOS").expect("PHOTOS names a folder"));
    for name in ["Landscape", "Portrait"] {
        let open = |number: u8| {
            let path = folder.join(format!("{name}_{number}.jpg"));
            Picture::open(&std::fs::read(&path).expect("the folder has it")).unwrap()
        };
        let small = |picture: &Picture| {
            let (width, height) = (picture.width() / 40, picture.height() / 40);
            crate::renditions::resized(&picture.pixels, width, height, fast_image_resize::FilterType::Box)
                .unwrap()
        };
        let upright = open(1);
        for number in 0..=8 {
            let picture = open(number);
            let wanted = (upright.width(), upright.height(), number.max(1));
            assert_eq!((picture.width(), picture.height(), picture.orientation), wanted, "{name} {number}");
            assert_eq!(
                Look::of(&picture).unwrap().distance(&Look::of(&upright).unwrap()),
                0,
                "{name} {number}"
            );
            // Each has its number written in its middle, and was compressed anew.
            let off = difference(small(&picture).as_bytes(), small(&upright).as_bytes());
            assert!(off < 100, "{name} {number}: {off} hundredths");
        }
    }
}
