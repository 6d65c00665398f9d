use super::*;
use crate::tests::{JpegOf, difference, jpeg, made, png, png_with, scene};
use image::ExtendedColorType;
use std::collections::BTreeMap;

fn sizes(all: &[Made]) -> Vec<(Role, &str, u32, u32)> {
    let sizes = all.iter().filter(|made| !matches!(made.role, Role::Tile | Role::Zoom));
    sizes.map(|made| (made.role, made.content_type, made.width, made.height)).collect()
}

#[test]
fn a_picture_has_three_sizes_in_two_formats() {
    let all = made(&jpeg(&scene(2_000, 1_500, 1), &JpegOf::default()), &Plan::PRODUCT);
    let expected = [
        (Role::Page, "image/webp", 1_200, 900),
        (Role::Page, "image/jpeg", 1_200, 900),
        (Role::Card, "image/webp", 480, 360),
        (Role::Card, "image/jpeg", 480, 360),
        (Role::Thumbnail, "image/webp", 160, 120),
        (Role::Thumbnail, "image/jpeg", 160, 120),
    ];
    assert_eq!(sizes(&all), expected);
    for made in all.iter().filter(|made| made.role != Role::Zoom) {
        let again = Picture::open(&made.bytes).unwrap();
        assert_eq!((again.width(), again.height()), (made.width, made.height), "{}", made.key);
        assert_eq!(again.header.kind.content_type(), made.content_type);
    }
}

#[test]
fn a_picture_is_never_enlarged_and_nothing_vanishes() {
    let all = made(&png_with(&scene(300, 200, 1), None, None), &Plan::PRODUCT);
    let widths: Vec<u32> = all.iter().map(|made| made.width).collect();
    assert_eq!(widths, [300, 300, 300, 300, 160, 160], "and there is nothing to zoom into");
    let all = made(&png_with(&scene(3_000, 2, 1), None, None), &Plan::PRODUCT);
    let last: Vec<_> = sizes(&all).into_iter().rev().take(1).collect();
    assert_eq!(last, [(Role::Thumbnail, "image/jpeg", 160, 1)]);
}

#[test]
fn the_same_bytes_make_the_same_files_under_the_same_keys() {
    let bytes = jpeg(&scene(1_300, 700, 2), &JpegOf::default());
    let (once, again) = (made(&bytes, &Plan::PRODUCT), made(&bytes, &Plan::PRODUCT));
    assert_eq!(once, again);
    for made in once.iter().filter(|made| !matches!(made.role, Role::Tile | Role::Zoom)) {
        let extension = if made.content_type == "image/webp" { "webp" } else { "jpg" };
        assert_eq!(made.key, format!("{}.{extension}", digest(&[&made.bytes])));
    }
    let picture = Picture::open(&bytes).unwrap();
    let zoom = picture.zoom_key(&Plan::PRODUCT).unwrap();
    assert_eq!(once.last().map(|made| &made.key), Some(&zoom), "the manifest comes last");
    assert_eq!(picture.zoom_key(&Plan::REVIEW), None);
    let other = Picture::open(&jpeg(&scene(1_300, 700, 3), &JpegOf::default())).unwrap();
    assert_ne!(other.zoom_key(&Plan::PRODUCT).unwrap(), zoom);
}

#[test]
fn tiles_have_the_layout_of_deep_zoom() {
    let all = made(&jpeg(&scene(1_300, 700, 2), &JpegOf::default()), &Plan::PRODUCT);
    let manifest = all.last().unwrap();
    let name = manifest.key.strip_suffix(".dzi").unwrap();
    assert_eq!(
        String::from_utf8(manifest.bytes.clone()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Image xmlns=\"http://schemas.microsoft.com/deepzoom/2008\" Format=\"jpg\" Overlap=\"1\" TileSize=\"510\">\
         <Size Width=\"1300\" Height=\"700\"/></Image>\n"
    );
    let tiles = all.iter().filter(|made| made.role == Role::Tile);
    let tiles: Vec<String> = tiles
        .map(|made| {
            let place = made.key.strip_prefix(&format!("{name}_files/")).unwrap();
            format!("{place} {} × {}", made.width, made.height)
        })
        .collect();
    let expected = [
        "11/0_0.jpg 511 × 511",
        "11/1_0.jpg 512 × 511",
        "11/2_0.jpg 281 × 511",
        "11/0_1.jpg 511 × 191",
        "11/1_1.jpg 512 × 191",
        "11/2_1.jpg 281 × 191",
        "10/0_0.jpg 511 × 350",
        "10/1_0.jpg 141 × 350",
        "9/0_0.jpg 325 × 175",
        "8/0_0.jpg 163 × 88",
        "7/0_0.jpg 82 × 44",
        "6/0_0.jpg 41 × 22",
        "5/0_0.jpg 21 × 11",
        "4/0_0.jpg 11 × 6",
        "3/0_0.jpg 6 × 3",
        "2/0_0.jpg 3 × 2",
        "1/0_0.jpg 2 × 1",
        "0/0_0.jpg 1 × 1",
    ];
    assert_eq!(tiles, expected);
}

#[test]
fn tiles_laid_side_by_side_are_the_picture() {
    let whole = scene(1_300, 700, 2);
    let all = made(&png_with(&whole, None, None), &Plan::PRODUCT);
    let tiles = all.iter().filter(|made| made.key.contains("_files/11/"));
    let mut laid = RgbImage::new(1_300, 700);
    for tile in tiles {
        let place = tile.key.rsplit_once('/').unwrap().1.strip_suffix(".jpg").unwrap();
        let (column, row) = place.split_once('_').unwrap();
        let begins =
            |number: &str| i64::from((number.parse::<u32>().unwrap() * TILE).saturating_sub(OVERLAP));
        let pixels =
            RgbImage::from_raw(tile.width, tile.height, Picture::open(&tile.bytes).unwrap().bytes().to_vec());
        image::imageops::replace(&mut laid, &pixels.unwrap(), begins(column), begins(row));
    }
    let off = difference(&laid, &whole);
    assert!(off < 150, "{off} hundredths");
}

#[test]
fn glass_stays_glass_in_webp_and_lies_on_white_in_jpeg() {
    let half: Vec<u8> = (0..64 * 64).flat_map(|at| [255, 0, 0, if at % 64 < 32 { 255 } else { 0 }]).collect();
    let all = made(&png(&half, 64, 64, ExtendedColorType::Rgba8), &Plan::PRODUCT);
    let by: BTreeMap<&str, &Made> = all.iter().map(|made| (made.content_type, made)).collect();
    let webp = Picture::open(&by["image/webp"].bytes).unwrap();
    assert!(webp.has_alpha());
    assert_eq!((webp.bytes()[3], webp.bytes()[63 * 4 + 3]), (255, 0));
    let jpeg = Picture::open(&by["image/jpeg"].bytes).unwrap();
    let (left, right) = (&jpeg.bytes()[..3], &jpeg.bytes()[63 * 3..64 * 3]);
    assert!(
        matches!((left, right), ([250..=255, 0..=5, 0..=5], [250..=255, 250..=255, 250..=255])),
        "{left:?} {right:?}"
    );
}

#[test]
fn what_is_hidden_does_not_shine_through_at_edges() {
    // Black that nobody sees beside white: mixed without its alpha it would leave a gray rim.
    let pixels: Vec<u8> = (0..400 * 400)
        .flat_map(|at: u32| if at % 400 < 201 { [255, 255, 255, 255] } else { [0, 0, 0, 0] })
        .collect();
    let picture = Picture::open(&png(&pixels, 400, 400, ExtendedColorType::Rgba8)).unwrap();
    let small = resized(&picture.pixels, 100, 100, FilterType::Lanczos3).unwrap();
    let seen = small.as_rgba8().unwrap().pixels().filter(|pixel| pixel.0[3] > 8);
    let darkest = seen.map(|pixel| pixel.0[0]).min();
    assert!(darkest >= Some(250), "{darkest:?}");
}

#[test]
fn tiles_of_a_picture_with_alpha_are_webp() {
    let pixels: Vec<u8> =
        (0..1_250 * 10).flat_map(|at: u32| [0, 0, 255, u8::try_from(at % 200).unwrap()]).collect();
    let all = made(&png(&pixels, 1_250, 10, ExtendedColorType::Rgba8), &Plan::PRODUCT);
    assert!(all.iter().filter(|made| made.role == Role::Tile).all(|tile| tile.key.ends_with(".webp")));
    let manifest = String::from_utf8(all.last().unwrap().bytes.clone()).unwrap();
    assert!(manifest.contains("Format=\"webp\""));
}
