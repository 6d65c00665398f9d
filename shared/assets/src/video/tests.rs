use super::*;
use proptest::prelude::*;
use std::io::Cursor;

fn boxed(name: &[u8; 4], parts: &[Vec<u8>]) -> Vec<u8> {
    let body = parts.concat();
    [&u32::try_from(body.len() + 8).unwrap().to_be_bytes(), name.as_slice(), &body].concat()
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_be_bytes()).collect()
}

const UPRIGHT: [u32; 9] = [0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000];
const QUARTER: [u32; 9] = [0, 0x1_0000, 0, 0xffff_0000, 0, 0, 0, 0, 0x4000_0000];

fn track(kind: &[u8; 4], codec: &[u8; 4], side: (u32, u32), matrix: [u32; 9]) -> Vec<u8> {
    let head = words(&[0, 77, 78, 1, 0, 9_000, 0, 0, 0, 0]);
    let header = boxed(b"tkhd", &[head, words(&matrix), words(&[side.0 << 16, side.1 << 16])]);
    let entry = boxed(codec, &[vec![0; 70]]);
    let samples = boxed(b"stbl", &[boxed(b"stsd", &[words(&[0, 1]), entry])]);
    let handler = boxed(b"hdlr", &[words(&[0, 0]), kind.to_vec(), vec![0; 13]]);
    let media =
        [boxed(b"mdhd", &[words(&[0, 77, 78, 1_000, 9_000, 0])]), handler, boxed(b"minf", &[samples])];
    boxed(b"trak", &[header, boxed(b"mdia", &media), boxed(b"udta", &[b"SECRET-TRACK".to_vec()])])
}

fn header(scale: u32, length: u32) -> Vec<u8> {
    boxed(b"mvhd", &[words(&[0, 77, 78, scale, length]), vec![0; 80]])
}

fn kind() -> Vec<u8> {
    boxed(b"ftyp", &[b"isom\0\0\0\0isommp42".to_vec()])
}

/// With its index at the end, as cameras write it.
fn film(index: &[Vec<u8>]) -> Vec<u8> {
    [kind(), boxed(b"mdat", &[vec![1; 40]]), boxed(b"moov", index)].concat()
}

fn usual() -> Vec<u8> {
    let place = boxed(b"udta", &[boxed(b"\xa9xyz", &[b"SECRET-PLACE".to_vec()])]);
    let tracks = [track(b"vide", b"avc1", (1_920, 1_080), QUARTER), track(b"soun", b"mp4a", (0, 0), UPRIGHT)];
    film(&[header(600, 5_430), tracks.concat(), place])
}

fn read(bytes: &[u8]) -> Result<Video, String> {
    Video::read(&mut Cursor::new(bytes)).map_err(|unread| unread.to_string())
}

#[test]
fn a_film_tells_length_size_and_codecs() {
    let video = read(&usual()).unwrap();
    assert_eq!((video.millis, video.width, video.height), (9_050, 1_080, 1_920), "held upright");
    assert_eq!((video.codec.as_str(), video.sound.as_deref()), ("avc1", Some("mp4a")));
    assert!(!video.fast_start && video.plays_everywhere());
    let silent = boxed(b"moov", &[header(1_000, 1), track(b"vide", b"hvc1", (640, 480), UPRIGHT)]);
    let video = read(&[kind(), silent, boxed(b"mdat", &[])].concat()).unwrap();
    assert_eq!((video.millis, video.width, video.height, video.sound.clone()), (1, 640, 480, None));
    assert!(video.fast_start && !video.plays_everywhere());
}

#[test]
fn version_one_and_fragments_are_read_too() {
    let long = boxed(b"mvhd", &[words(&[0x0100_0000, 0, 7, 0, 7, 1_000, 1, 0]), vec![0; 80]]);
    let film_track = track(b"vide", b"av01", (64, 64), UPRIGHT);
    assert_eq!(read(&film(&[long, film_track.clone()])).unwrap().millis, 4_294_967_296);
    let fragments = boxed(b"mvex", &[boxed(b"mehd", &[words(&[0, 2_500])])]);
    assert_eq!(read(&film(&[header(1_000, 0), film_track, fragments])).unwrap().millis, 2_500);
}

#[test]
fn what_a_camera_wrote_is_blanked_and_no_offset_moves() {
    let bytes = [usual(), boxed(b"uuid", &[b"SECRET-XMP".to_vec()])].concat();
    let video = read(&bytes).unwrap();
    let mut blanked = Cursor::new(bytes.clone());
    video.blank(&mut blanked).unwrap();
    let blanked = blanked.into_inner();
    assert_eq!(blanked.len(), bytes.len());
    assert!(!blanked.windows(6).any(|window| window == b"SECRET"));
    assert!(!blanked.windows(8).any(|window| window == words(&[77, 78])), "nor when it was filmed");
    let again = read(&blanked).unwrap();
    let facts =
        |video: &Video| (video.millis, video.width, video.height, video.codec.clone(), video.sound.clone());
    assert_eq!(facts(&again), facts(&video));
    let mut twice = Cursor::new(blanked.clone());
    again.blank(&mut twice).unwrap();
    assert_eq!(twice.into_inner(), blanked);
}

#[test]
fn what_is_wrong_with_a_film_is_said_with_its_place() {
    let film_track = || track(b"vide", b"avc1", (64, 64), UPRIGHT);
    let giant = [words(&[1]), b"mdat".to_vec(), vec![0xff; 8]].concat();
    let short = [words(&[7]), b"mdat".to_vec()].concat();
    let many: Vec<u8> = (0..17).flat_map(|_| film_track()).collect();
    let rows = [
        ([kind(), boxed(b"mdat", &[])].concat(), "MP4 at byte 32: it ends without its index (moov)"),
        (
            [kind(), giant].concat(),
            "MP4 ends at byte 40 in box mdat, which begins at byte 24: the file is cut off",
        ),
        ([kind(), short].concat(), "MP4 at byte 24: box mdat says a length of 7"),
        (film(&[header(0, 1), film_track()]), "MP4 at byte 100: a time scale of 0"),
        (
            film(&[header(1, 0), film_track()]),
            "MP4 at byte 104: it does not say how long it is; export it with its index in front",
        ),
        (film(&[header(1, 1)]), "MP4 at byte 80: no track of pictures"),
        (film(&[film_track()]), "MP4 at byte 80: no box mvhd"),
        (film(&[header(1, 1), boxed(b"trak", &[])]), "MP4 at byte 196: no box tkhd"),
        (
            film(&[header(1, 1), track(b"vide", b"avc1", (0, 9), UPRIGHT)]),
            "MP4 at byte 80: 0 × 9 pixels are no film",
        ),
        (
            film(&[header(1, 1), track(b"vide", b"avc1", (20_000, 9), UPRIGHT)]),
            "20000 × 9 pixels: a side is longer than 16384",
        ),
        (
            film(&[header(1, 1), film_track(), track(b"meta", b"gpmd", (0, 0), UPRIGHT)]),
            "A track of camera data may tell where it was filmed; export the video anew",
        ),
        (film(&[header(1, 1), many]), "17 tracks are more than 16"),
        ([kind(), boxed(b"free", &[]).repeat(20_000)].concat(), "20001 boxes are more than 20000"),
        (
            [film(&[header(1, 1), film_track()]), boxed(b"moov", &[])].concat(),
            "MP4 at byte 491: a second index",
        ),
        (b"\x89PNG\r\n\x1a\n".to_vec(), "PNG is no video; upload MP4"),
        (vec![], "the file is empty"),
    ];
    for (bytes, expected) in rows {
        assert_eq!(read(&bytes).unwrap_err(), expected);
    }
}

#[test]
fn an_index_larger_than_any_is_not_read() {
    // A file with a hole: nothing of it is in memory.
    struct Hole(Cursor<Vec<u8>>, u64);
    impl Read for Hole {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    impl Seek for Hole {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            if to == SeekFrom::End(0) { Ok(self.1) } else { self.0.seek(to) }
        }
    }
    let start =
        [kind(), words(&[1]), b"moov".to_vec(), 4_000_000_000_u64.to_be_bytes().to_vec(), vec![0; 4_096]];
    let refused = Video::read(&mut Hole(Cursor::new(start.concat()), 4_000_000_024)).unwrap_err();
    assert_eq!(refused.to_string(), "4000000000 bytes of its index are more than 32000000");
}

#[test]
fn a_film_that_ends_anywhere_too_early_or_has_a_flipped_byte_gives_a_word() {
    let whole = usual();
    for end in 0..whole.len() {
        assert!(read(&whole[..end]).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        for flip in [0x01, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            if let Ok(video) = read(&bytes) {
                video.blank(&mut Cursor::new(bytes)).unwrap();
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_behind_the_beginning_of_a_film_give_a_word(rest in prop::collection::vec(any::<u8>(), 0..300)) {
        drop(read(&[kind(), rest.clone()].concat()));
        drop(read(&film(&[header(1, 1), rest])));
    }
}
