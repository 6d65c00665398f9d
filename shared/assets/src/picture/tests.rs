use super::*;
use crate::tests::{JpegOf, difference, exif, gif, jpeg, png, png_with, scene, webp_with};
use image::imageops::{flip_horizontal, flip_vertical, rotate90, rotate180, rotate270};
use image::{ExtendedColorType, Rgb};

/// The pixels that a camera stores for an upright picture when it is held so.
fn held(upright: &RgbImage, orientation: u8) -> RgbImage {
    match orientation {
        2 => flip_horizontal(upright),
        3 => rotate180(upright),
        4 => flip_vertical(upright),
        5 => flip_horizontal(&rotate90(upright)),
        6 => rotate270(upright),
        7 => flip_vertical(&rotate90(upright)),
        8 => rotate90(upright),
        _ => upright.clone(),
    }
}

fn refused(bytes: &[u8]) -> String {
    Picture::open(bytes).unwrap_err().to_string()
}

#[test]
fn all_eight_orientations_come_out_upright() {
    let upright = scene(160, 96, 3);
    for orientation in 1..=8 {
        let (stored, tag) = (held(&upright, orientation), Some(exif(orientation)));
        let of = JpegOf { exif: tag.clone(), ..JpegOf::default() };
        for (bytes, most) in [
            (jpeg(&stored, &of), 150),
            (jpeg(&stored, &JpegOf { progressive: true, ..of }), 150),
            (png_with(&stored, tag.clone(), None), 0),
            (webp_with(&stored, tag, None), 0),
        ] {
            let picture = Picture::open(&bytes).unwrap();
            assert_eq!((picture.width(), picture.height()), (160, 96), "{orientation}");
            assert_eq!(picture.orientation, orientation);
            let off = difference(picture.bytes(), &upright);
            assert!(off <= most, "{:?} {orientation}: {off} hundredths", picture.header.kind);
        }
        if orientation != 1 && held(&upright, orientation).dimensions() == upright.dimensions() {
            let unturned = difference(&held(&upright, orientation), &upright);
            assert!(unturned > 1_000, "the test would see it: {orientation}, {unturned}");
        }
    }
}

#[test]
fn an_orientation_that_is_none_is_upright() {
    for orientation in [0, 9, 255] {
        let bytes = jpeg(&scene(16, 8, 1), &JpegOf { exif: Some(exif(orientation)), ..JpegOf::default() });
        let picture = Picture::open(&bytes).unwrap();
        assert_eq!((picture.width(), picture.height(), picture.orientation), (16, 8, 1));
    }
    let of = JpegOf { exif: Some(b"II*\0\xff\xff\xff\xff".to_vec()), ..JpegOf::default() };
    assert_eq!(Picture::open(&jpeg(&scene(16, 8, 1), &of)).unwrap().orientation, 1);
}

#[test]
fn colors_of_a_profile_become_those_of_srgb() {
    let p3 = ColorProfile::new_display_p3().encode().unwrap();
    let adobe = ColorProfile::new_adobe_rgb().encode().unwrap();
    // By the primaries and curves of both, computed apart.
    let rows = [
        ([200, 100, 50], &p3, [215, 93, 31]),
        ([100, 150, 120], &p3, [83, 152, 118]),
        ([60, 90, 200], &p3, [50, 91, 207]),
        ([200, 100, 50], &adobe, [227, 100, 42]),
        ([100, 150, 120], &adobe, [66, 151, 119]),
        ([60, 90, 200], &adobe, [36, 90, 204]),
    ];
    for (sent, profile, expected) in rows {
        let plain = RgbImage::from_pixel(16, 16, Rgb(sent));
        for bytes in
            [png_with(&plain, None, Some(profile.clone())), webp_with(&plain, None, Some(profile.clone()))]
        {
            let picture = Picture::open(&bytes).unwrap();
            assert_eq!(picture.colors, Colors::Converted);
            let found = &picture.bytes()[..3];
            let off = found.iter().zip(expected).map(|(is, want)| is.abs_diff(want)).max();
            assert!(off <= Some(1), "{sent:?} is {found:?}, not {expected:?}");
        }
        let of = JpegOf { profile: Some(profile.clone()), quality: Some(100), ..JpegOf::default() };
        let picture = Picture::open(&jpeg(&plain, &of)).unwrap();
        let off = picture.bytes()[..3].iter().zip(expected).map(|(is, want)| is.abs_diff(want)).max();
        assert!(picture.colors == Colors::Converted && off <= Some(3), "{:?}", &picture.bytes()[..3]);
    }
}

#[test]
fn a_profile_of_srgb_changes_nothing_and_a_broken_one_is_passed_over() {
    let picture = scene(32, 32, 4);
    let srgb = ColorProfile::new_srgb().encode().unwrap();
    let mut cut = srgb.clone();
    cut.truncate(100);
    let gray = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
    for (profile, colors) in [
        (srgb, Colors::Srgb),
        (cut, Colors::Assumed),
        (gray, Colors::Assumed),
        (vec![7; 500], Colors::Assumed),
    ] {
        let opened = Picture::open(&png_with(&picture, None, Some(profile))).unwrap();
        assert_eq!(opened.colors, colors);
        assert_eq!(opened.bytes(), picture.as_raw().as_slice());
    }
}

#[test]
fn sixteen_bits_and_gray_become_rgb_of_eight() {
    let deep: Vec<u8> = [0_u16, 65_535, 32_896, 257].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
    let picture = Picture::open(&png(&deep, 4, 1, ExtendedColorType::L16)).unwrap();
    assert_eq!(picture.bytes(), [0, 0, 0, 255, 255, 255, 128, 128, 128, 1, 1, 1]);
    let deep: Vec<u8> =
        [65_535_u16, 32_896, 257, 65_535].iter().flat_map(|sample| sample.to_ne_bytes()).collect();
    let picture = Picture::open(&png(&deep, 1, 1, ExtendedColorType::Rgba16)).unwrap();
    assert_eq!((picture.bytes(), picture.has_alpha()), ([255, 128, 1].as_slice(), false));
    let clear = Picture::open(&png(&[9, 8, 7, 0], 1, 1, ExtendedColorType::Rgba8)).unwrap();
    assert_eq!((clear.bytes(), clear.has_alpha()), ([9, 8, 7, 0].as_slice(), true));
}

#[test]
fn of_an_animation_the_first_frame_is_shown() {
    let picture = Picture::open(&gif(3, 2, &[[255, 0, 0], [0, 0, 255]])).unwrap();
    assert_eq!((picture.header.frames, picture.bytes()), (2, [255, 0, 0].repeat(6).as_slice()));
    let config = webp::WebPConfig::new().unwrap();
    let frames = [[255, 0, 0], [0, 0, 255]].map(|color| color.repeat(64 * 64));
    let mut encoder = webp::AnimEncoder::new(64, 64, &config);
    for (frame, at) in frames.iter().zip([0, 100]) {
        encoder.add_frame(webp::AnimFrame::from_rgb(frame, 64, 64, at));
    }
    let picture = Picture::open(&encoder.try_encode().unwrap()).unwrap();
    assert_eq!((picture.header.frames, picture.width(), picture.height()), (2, 64, 64));
    assert!(matches!(picture.bytes(), [250..=255, 0..=5, 0..=5, ..]), "{:?}", &picture.bytes()[..4]);
}

#[test]
fn every_way_to_write_a_jpeg_gives_the_same_picture() {
    for (width, height) in [(64, 48), (65, 49), (131, 77), (17, 130), (8, 8), (1, 1)] {
        let picture = scene(width, height, 6);
        for sampling in ["1_1", "2_1", "1_2", "2_2"] {
            for layout in ["plain", "progressive", "apart"] {
                let bytes = written(&picture, sampling, layout);
                let opened = Picture::open(&bytes).unwrap();
                assert_eq!(opened.header.apart, layout == "apart");
                let off = difference(opened.bytes(), &picture);
                // Few pixels with colors of half their number are off by three; scans read wrongly by thirty.
                assert!(off <= 400, "{width} × {height} {sampling} {layout}: {off} hundredths");
            }
        }
    }
}

fn written(picture: &RgbImage, sampling: &str, layout: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 95);
    encoder.set_sampling_factor(match sampling {
        "2_1" => jpeg_encoder::SamplingFactor::F_2_1,
        "1_2" => jpeg_encoder::SamplingFactor::F_1_2,
        "2_2" => jpeg_encoder::SamplingFactor::F_2_2,
        _ => jpeg_encoder::SamplingFactor::F_1_1,
    });
    encoder.set_progressive(layout == "progressive");
    encoder.set_optimized_huffman_tables(layout == "apart");
    let [width, height] = [picture.width(), picture.height()].map(|side| u16::try_from(side).unwrap());
    encoder.encode(picture, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

#[test]
fn pixels_that_are_not_what_was_written_are_no_picture() {
    let mut bytes = png_with(&scene(200, 200, 5), None, None);
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0xff;
    assert!(refused(&bytes).starts_with("PNG: Format error decoding Png: "), "{}", refused(&bytes));
}

#[test]
fn what_a_file_is_called_does_not_matter_and_what_it_is_not_is_said() {
    assert_eq!(refused(b"<svg onload='alert(1)'/>"), "SVG may carry script; upload PNG or WebP");
    assert_eq!(refused(b"glTF"), "glTF binary is no picture; upload JPEG, PNG, WebP or GIF");
    assert_eq!(refused(b""), "the file is empty");
}
