use super::*;
use crate::tests::{JpegOf, gif, jpeg, png_with, scene, webp_with};

fn answer(bytes: &[u8]) -> String {
    inspect(bytes).map_or_else(
        |refused| format!("{}: {refused}", refused.code()),
        |Header { width, height, frames, scans, .. }| format!("{width} × {height}, {frames}, {scans}"),
    )
}

/// A PNG without a single right checksum: headers are read before anything is believed.
fn png_of(width: u32, height: u32, chunks: &[(&[u8; 4], &[u8])]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut header = width.to_be_bytes().to_vec();
    header.extend(height.to_be_bytes());
    header.extend([8, 6, 0, 0, 0]);
    for (name, data) in [(b"IHDR", header.as_slice())].into_iter().chain(chunks.iter().copied()) {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(name.iter().chain(data).chain(&[0; 4]));
    }
    bytes
}

fn webp_of(chunks: &[(&[u8; 4], Vec<u8>)]) -> Vec<u8> {
    let mut body = b"WEBP".to_vec();
    for (name, data) in chunks {
        body.extend(name.iter().chain(&u32::try_from(data.len()).unwrap().to_le_bytes()).chain(data));
        body.extend(vec![0; data.len() % 2]);
    }
    let mut bytes = b"RIFF".to_vec();
    bytes.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
    bytes.extend(body);
    bytes
}

fn u24(number: u32) -> Vec<u8> {
    number.to_le_bytes()[..3].to_vec()
}

/// A frame of an animation, its picture left out.
fn frame(width: u32, height: u32) -> Vec<u8> {
    [u24(0), u24(0), u24(width - 1), u24(height - 1), u24(40), vec![0]].concat()
}

fn canvas(width: u32, height: u32) -> Vec<u8> {
    [vec![2, 0, 0, 0], u24(width - 1), u24(height - 1)].concat()
}

fn jpeg_of(segments: &[(u8, &[u8])]) -> Vec<u8> {
    let mut bytes = b"\xff\xd8".to_vec();
    for (marker, data) in segments {
        bytes.extend([0xff, *marker]);
        if *marker != 0xd9 {
            bytes.extend(u16::try_from(data.len() + 2).unwrap().to_be_bytes());
        }
        bytes.extend(*data);
    }
    bytes
}

#[test]
fn a_header_tells_size_frames_and_scans() {
    let picture = scene(40, 30, 1);
    assert_eq!(answer(&jpeg(&picture, &JpegOf::default())), "40 × 30, 1, 1");
    let scans = inspect(&jpeg(&picture, &JpegOf { progressive: true, ..JpegOf::default() })).unwrap().scans;
    assert!((2..=SCANS_MAX).contains(&scans), "{scans}");
    assert_eq!(answer(&png_with(&picture, None, None)), "40 × 30, 1, 1");
    assert_eq!(answer(&webp_with(&picture, Some(vec![1, 2, 3]), None)), "40 × 30, 1, 1");
    let lossy = webp::Encoder::from_rgb(&picture, 40, 30).encode_simple(false, 80.0).unwrap();
    assert_eq!(answer(&lossy), "40 × 30, 1, 1");
    assert_eq!(answer(&gif(40, 30, &[[1, 2, 3], [9, 9, 9], [0, 0, 0]])), "40 × 30, 3, 1");
}

#[test]
fn a_bomb_is_refused_by_its_header_with_the_figure() {
    let frames = 1_000_000_u32.to_be_bytes();
    let animated: Vec<_> =
        [(b"VP8X", canvas(9, 9))].into_iter().chain((0..301).map(|_| (b"ANMF", frame(9, 9)))).collect();
    let jpeg_frame = [8, 0xff, 0xff, 0xff, 0xff, 1, 1, 0x11, 0];
    let mut giant = gif(2, 2, &[[0, 0, 0]]);
    giant[6..10].copy_from_slice(&[0xff; 4]);
    let scan: (u8, &[u8]) = (0xda, &[1, 1, 0, 0, 0, 0]);
    let small_frame = [8, 0, 9, 0, 9, 1, 1, 0x11, 0];
    let scans: Vec<_> = [(0xc2, small_frame.as_slice())].into_iter().chain([scan; 41]).collect();
    let rows = [
        (
            png_of(100_000, 100_000, &[]),
            "too-many-pixels: 100000 × 100000 are 10000000000 pixels, more than 104000000",
        ),
        (png_of(60_000, 1, &[]), "too-many-pixels: 60000 × 1 pixels: a side is longer than 30000"),
        (png_of(9, 9, &[(b"acTL", &frames)]), "too-many-parts: 1000000 frames are more than 300"),
        (png_of(0, 9, &[]), "broken: PNG at byte 8: 0 × 9 pixels are no picture"),
        (
            jpeg_of(&[(0xc0, &jpeg_frame)]),
            "too-many-pixels: 65535 × 65535 are 4294836225 pixels, more than 104000000",
        ),
        (jpeg_of(&scans), "too-many-parts: 41 scans are more than 40"),
        (giant, "too-many-pixels: 65535 × 65535 are 4294836225 pixels, more than 104000000"),
        (gif(1, 1, &[[7, 7, 7]; 301]), "too-many-parts: 301 frames are more than 300"),
        (
            webp_of(&[(b"VP8X", canvas(16_777_216, 16_777_216))]),
            "too-many-pixels: 16777216 × 16777216 are 281474976710656 pixels, more than 104000000",
        ),
        (webp_of(&animated), "too-many-parts: 301 frames are more than 300"),
        (
            webp_of(&[(b"VP8X", canvas(9, 9)), (b"ANMF", frame(9, 10))]),
            "broken: WebP at byte 30: 9 × 10 pixels on a canvas of 9 × 9",
        ),
    ];
    for (bytes, expected) in rows {
        assert_eq!(answer(&bytes), expected);
        assert!(bytes.len() < 20_000, "a bomb is small");
    }
    let large = vec![0xff; BYTES_MAX + 1];
    assert_eq!(answer(&large), "too-many-bytes: 25000001 bytes are more than 25000000");
}

#[test]
fn what_is_cut_off_or_broken_says_where() {
    let frame = [8, 0, 9, 0, 9, 1, 1, 0x11, 0];
    let inks = [8, 0, 9, 0, 9, 4, 1, 0x11, 0];
    let twelve = [12, 0, 9, 0, 9, 1, 1, 0x11, 0];
    let scan = [1, 1, 0, 0, 0, 0];
    let mut cut_gif = gif(4, 4, &[[1, 1, 1]]);
    cut_gif.pop();
    let rows = [
        (
            jpeg_of(&[(0xc0, &frame), (0xda, &scan)]),
            "cut-off: JPEG ends at byte 25 in a scan, \
            which begins at byte 15: the file is cut off",
        ),
        (
            jpeg_of(&[(0xe1, &[0; 40])])[..30].to_vec(),
            "cut-off: JPEG ends at byte 30 in segment E1, \
            which begins at byte 4: the file is cut off",
        ),
        (jpeg_of(&[(0xd9, &[])]), "broken: JPEG at byte 4: it ends without a picture"),
        (jpeg_of(&[(0xc0, &frame), (0xc0, &frame)]), "broken: JPEG at byte 15: a second frame header"),
        (
            jpeg_of(&[(0xc3, &frame)]),
            "broken: JPEG at byte 2: lossless, hierarchical and arithmetic JPEG are not read",
        ),
        (jpeg_of(&[(0xc1, &twelve)]), "broken: JPEG at byte 2: samples of other than 8 bits are not read"),
        (
            jpeg_of(&[(0xc0, &inks)]),
            "type-not-taken: A JPEG of inks (CMYK) is for printers; export it as sRGB",
        ),
        (b"\xff\xd8\xff\xe0\x00\x01".to_vec(), "broken: JPEG at byte 2: segment E0 says a length of 1"),
        (
            png_of(9, 9, &[(b"IDAT", &[0; 90])])[..99].to_vec(),
            "cut-off: PNG ends at byte 99 in chunk IDAT, \
            which begins at byte 33: the file is cut off",
        ),
        (
            png_of(9, 9, &[(b"IDAT", &[0; 9])]),
            "cut-off: PNG ends at byte 54 in the next chunk, \
            which begins at byte 54: the file is cut off",
        ),
        (png_of(9, 9, &[(b"IEND", &[])]), "broken: PNG at byte 33: it ends without a picture"),
        (
            cut_gif,
            "cut-off: GIF ends at byte 50 in the next block, which begins at byte 50: the file is cut off",
        ),
        (webp_of(&[(b"VP8X", canvas(9, 9))]), "broken: WebP at byte 30: it ends without a picture"),
        (
            webp_of(&[(b"VP8 ", vec![0; 10])]),
            "broken: WebP at byte 12: the picture does not begin with a key frame",
        ),
        (b"%PDF-1.7".to_vec(), "type-not-taken: PDF is no picture; upload JPEG, PNG, WebP or GIF"),
    ];
    for (bytes, expected) in rows {
        assert_eq!(answer(&bytes), expected);
    }
}

#[test]
fn what_stands_behind_a_jpeg_does_not_matter() {
    let mut bytes = jpeg(&scene(40, 30, 1), &JpegOf::default());
    bytes.extend(b"\0\0\0\x18ftypisom a film that a phone has put behind its picture");
    assert_eq!(answer(&bytes), "40 × 30, 1, 1");
}
