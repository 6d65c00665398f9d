use super::*;
use image::ImageEncoder;
use image::codecs::png::PngEncoder;

/// Red above, blue below.
fn flag(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |_, y| {
        image::Rgb(if y < height / 2 { [255, 0, 0] } else { [0, 0, 255] })
    })
}

fn encoded(picture: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A chunk of a PNG, with its length and its sum.
fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
    let mut body = kind.to_vec();
    body.extend_from_slice(data);
    let mut crc = u32::MAX;
    for byte in &body {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let length = u32::try_from(data.len()).unwrap().to_be_bytes();
    [length.to_vec(), body, (!crc).to_be_bytes().to_vec()].concat()
}

fn png_of(width: u32, height: u32) -> Vec<u8> {
    let header = [width.to_be_bytes().to_vec(), height.to_be_bytes().to_vec(), vec![8, 6, 0, 0, 0]].concat();
    let signature = b"\x89PNG\r\n\x1a\n".to_vec();
    [signature, chunk(b"IHDR", &header), chunk(b"IDAT", &[0x78, 0x9c, 3, 0, 0, 0, 0, 1]), chunk(b"IEND", &[])]
        .concat()
}

/// An EXIF block that says how the camera was held, and where.
fn exif(orientation: u8) -> Vec<u8> {
    let mut block = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x02".to_vec();
    block.extend_from_slice(&[1, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0]);
    block.extend_from_slice(&[0x82, 0x98, 0, 2, 0, 0, 0, 4, b'b', b'e', b'n', 0]);
    block.extend_from_slice(&[0, 0, 0, 0]);
    block
}

fn jpeg_with_exif(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif(orientation)[6..].to_vec()).unwrap();
    picture.write_with_encoder(encoder).unwrap();
    bytes
}

#[test]
fn a_picture_is_drawn_anew_from_any_of_the_three_types() {
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
        let picture = redrawn(&encoded(&DynamicImage::ImageRgb8(flag(40, 20)), format)).unwrap();
        assert_eq!((picture.width, picture.height), (40, 20), "{format:?}");
        assert_eq!(guess_format(&picture.jpeg).unwrap(), ImageFormat::Jpeg);
    }
}

#[test]
fn a_picture_is_turned_as_its_camera_was_held_and_nothing_of_the_camera_is_left() {
    let sent = jpeg_with_exif(&flag(40, 20), 6);
    assert!(sent.windows(4).any(|bytes| bytes == b"Exif"));
    let picture = redrawn(&sent).unwrap();
    assert_eq!((picture.width, picture.height), (20, 40));
    assert!(!picture.jpeg.windows(4).any(|bytes| bytes == b"Exif" || bytes[..3] == *b"ben"));
    // A quarter to the right: what was above is on the right.
    let drawn = image::load_from_memory(&picture.jpeg).unwrap().to_rgb8();
    let [red, _, blue] = drawn.get_pixel(17, 20).0;
    assert!(red > 200 && blue < 60, "{red} {blue}");
}

#[test]
fn a_header_of_ten_gigapixels_is_refused_before_anything_is_allocated() {
    for (width, height) in
        [(100_000, 100_000), (12_001, 1), (1, 12_001), (12_000, 12_000), (u32::MAX, u32::MAX)]
    {
        let refused = redrawn(&png_of(width, height)).map(|_| ());
        let huge = [Err(Unusable::TooManyPixels), Err(Unusable::Broken)];
        assert!(huge.contains(&refused), "{width}×{height}: {refused:?}");
    }
    assert_eq!(redrawn(&png_of(100_000, 100_000)).map(|_| ()), Err(Unusable::TooManyPixels));
}

#[test]
fn what_is_no_picture_or_a_broken_one_is_refused() {
    for (bytes, why) in [
        (b"".to_vec(), Unusable::NotAPicture),
        (b"<svg onload=alert(1)>".to_vec(), Unusable::NotAPicture),
        (b"GIF89a\x01\0\x01\0".to_vec(), Unusable::NotAPicture),
        (png_of(10, 10), Unusable::Broken),
        (b"\xff\xd8\xff\xe0 and then nothing".to_vec(), Unusable::Broken),
        (vec![0; BYTES_MAX + 1], Unusable::TooManyBytes),
    ] {
        assert_eq!(redrawn(&bytes).map(|_| ()), Err(why));
    }
    let mut cut = encoded(&DynamicImage::ImageRgb8(flag(400, 200)), ImageFormat::Png);
    cut.truncate(cut.len() / 2);
    assert_eq!(redrawn(&cut).map(|_| ()), Err(Unusable::Broken));
}

#[test]
fn what_one_can_see_through_lies_on_white_and_what_is_large_is_made_smaller() {
    let glass = image::RgbaImage::from_pixel(8, 8, image::Rgba([0, 0, 0, 0]));
    let mut bytes = Vec::new();
    let color = image::ExtendedColorType::Rgba8;
    PngEncoder::new(&mut bytes).write_image(&glass, 8, 8, color).unwrap();
    let picture = redrawn(&bytes).unwrap();
    let white = image::load_from_memory(&picture.jpeg).unwrap().to_rgb8().get_pixel(4, 4).0;
    assert!(white.iter().all(|part| *part > 250), "{white:?}");
    let large = redrawn(&encoded(&DynamicImage::ImageRgb8(flag(4096, 1024)), ImageFormat::Jpeg)).unwrap();
    assert_eq!((large.width, large.height), (2048, 512));
}
