use super::*;
use crate::Plan;
use crate::tests::{JpegOf, jpeg, made, png_with, scene};
use image::RgbImage;

fn look(bytes: &[u8]) -> Look {
    Look::of(&Picture::open(bytes).unwrap()).unwrap()
}

#[test]
fn a_picture_is_found_again_in_another_size_and_as_another_file() {
    for number in 0..4 {
        let whole = jpeg(&scene(1_500, 1_000, number), &JpegOf::default());
        let first = look(&whole);
        for made in made(&whole, &Plan { zoom: false, ..Plan::PRODUCT }) {
            let again = look(&made.bytes);
            assert!(
                first.is_like(&again),
                "{number}: {:?} {} is {} bits off",
                made.role,
                made.width,
                first.distance(&again)
            );
        }
        let poor =
            look(&jpeg(&scene(1_500, 1_000, number), &JpegOf { quality: Some(30), ..JpegOf::default() }));
        assert!(first.is_like(&poor), "{number}: {} bits off", first.distance(&poor));
        assert!(first.is_like(&look(&png_with(&scene(640, 427, number), None, None))), "{number}");
    }
}

#[test]
fn different_pictures_are_not_taken_for_one() {
    let looks: Vec<Look> =
        (0..12).map(|number| look(&png_with(&scene(300, 200, number), None, None))).collect();
    for (at, one) in looks.iter().enumerate() {
        for other in &looks[at + 1..] {
            assert!(one.distance(other) > ALIKE, "{} bits", one.distance(other));
        }
    }
}

#[test]
fn a_plain_ground_has_no_fingerprint_whatever_noise_is_on_it() {
    let noise =
        RgbImage::from_fn(100, 100, |x, y| image::Rgb([u8::try_from(253 + (x * 7 + y * 3) % 3).unwrap(); 3]));
    assert_eq!(look(&png_with(&noise, None, None)).fingerprint, 0);
    let ramp = RgbImage::from_fn(90, 8, |x, _| image::Rgb([u8::try_from(x * 2).unwrap(); 3]));
    assert_eq!(look(&png_with(&ramp, None, None)).fingerprint, u64::MAX);
}

/// The mean color, as a placeholder's third to sixth characters have it.
fn mean(hash: &str) -> [u32; 3] {
    let digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
    let digit = |c: char| u32::try_from(digits.find(c).unwrap()).unwrap();
    let color = hash[2..6].chars().fold(0, |sum, c| sum * 83 + digit(c));
    [color >> 16, (color >> 8) & 255, color & 255]
}

#[test]
fn a_placeholder_is_short_and_of_its_own_colors() {
    for color in [[255, 0, 0], [12, 200, 99], [255, 255, 255]] {
        let hash = look(&png_with(&RgbImage::from_pixel(30, 20, image::Rgb(color)), None, None)).blur_hash;
        assert_eq!((hash.len(), &hash[..1]), (28, "L"));
        let off = mean(&hash).into_iter().zip(color).map(|(is, want)| is.abs_diff(u32::from(want))).max();
        assert!(off <= Some(1), "{color:?} is {:?}", mean(&hash));
    }
    let upright = RgbImage::from_pixel(20, 30, image::Rgb([255, 0, 0]));
    assert_eq!(&look(&png_with(&upright, None, None)).blur_hash[..1], "T");
}

#[test]
fn a_picture_of_one_pixel_has_a_look() {
    let one = RgbImage::from_pixel(1, 1, image::Rgb([1, 2, 3]));
    assert_eq!(look(&png_with(&one, None, None)).fingerprint, 0);
}
