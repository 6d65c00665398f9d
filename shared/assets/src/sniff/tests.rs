use super::*;

fn answer(bytes: &[u8]) -> String {
    sniff(bytes).map_or_else(|refused| refused.to_string(), |kind| kind.content_type().to_owned())
}

#[test]
fn the_content_says_what_a_file_is() {
    let rows: [(&[u8], &str); 27] = [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"glTF\x02\0\0\0", "model/gltf-binary"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "video/mp4"),
        (b"\0\0\0\x14ftypXXXX\0\0\0\0mp42", "video/mp4"),
        (b"\0\0\0\x14ftypXXXX\0\0\0\0YYYYmp42", "This kind of ISO media is not MP4; export it as MP4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "QuickTime is not played by every browser; export it as MP4"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC is not shown by every browser; export it as JPEG"),
        (b"\0\0\0\x18ftypavif\0\0\0\0avifmif1", "AVIF is not read here; upload JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG may carry script; upload PNG or WebP"),
        (b"\xef\xbb\xbf <?xml version='1.0'?><!-- a --><SVG>", "SVG may carry script; upload PNG or WebP"),
        (b"\xff\xfe<\0s\0v\0g\0>\0", "SVG may carry script; upload PNG or WebP"),
        (b"<!DOCTYPE html><script>", "HTML is a page and no picture"),
        (b"\x1f\x8b\x08", "A gzip file (SVGZ?) is not opened; upload what is in it, as PNG or WebP"),
        (b"PK\x03\x04", "A ZIP archive is not opened here; upload what is in it"),
        (b"II*\0", "TIFF is not shown by browsers; export it as JPEG or PNG"),
        (b"BM\0\0\0\0\0\0\0\0", "BMP is not taken; export it as PNG"),
        (b"\x1a\x45\xdf\xa3", "WebM or Matroska is not played by every browser; export it as MP4"),
        (
            b" {\"asset\":{\"version\":\"2.0\"}}",
            "glTF as text leaves its parts outside; export it as glTF binary (.glb)",
        ),
        (b"", "the file is empty"),
        (b"hello", "this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or PDF; it begins with 68 65 6c 6c 6f"),
        (b"\xff\xd8", "this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or PDF; it begins with ff d8"),
        (
            b"RIFF\0\0\0\0WAVEfmt ",
            "this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or PDF; it begins with 52 49 46 46 00 00 00 00",
        ),
        (
            b"BM is a text",
            "this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or PDF; \
            it begins with 42 4d 20 69 73 20 61 20",
        ),
    ];
    for (bytes, expected) in rows {
        assert_eq!(answer(bytes), expected, "{}", bytes.escape_ascii());
    }
}

#[test]
fn a_picture_may_have_words_in_it() {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.extend(b"<svg><script>");
    assert_eq!(answer(&bytes), "image/png");
}
