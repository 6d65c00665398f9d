use super::*;
use crate::tests::{JpegOf, exif, jpeg, png_with, scene, webp_with};
use proptest::prelude::*;
use serde_json::{Value, json};

fn chunk(name: &[u8; 4], body: &[u8], fill: u8) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), fill);
    [&u32::try_from(body.len()).unwrap().to_le_bytes(), name.as_slice(), &body].concat()
}

fn whole(chunks: &[Vec<u8>]) -> Vec<u8> {
    let body = chunks.concat();
    let length = u32::try_from(body.len() + 12).unwrap();
    [b"glTF".as_slice(), &2_u32.to_le_bytes(), &length.to_le_bytes(), &body].concat()
}

fn glb(json: &Value, data: &[u8]) -> Vec<u8> {
    whole(&[chunk(b"JSON", json.to_string().as_bytes(), b' '), chunk(b"BIN\0", data, 0)])
}

/// A triangle, 2 wide and 3 high.
fn triangle() -> Value {
    json!({
        "asset": {"version": "2.0"},
        "buffers": [{"byteLength": 44}],
        "bufferViews": [{"buffer": 0, "byteLength": 36}, {"buffer": 0, "byteOffset": 36, "byteLength": 6}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3", "min": [0, 0, 0], "max": [2, 3, 0]},
            {"bufferView": 1, "componentType": 5123, "count": 3, "type": "SCALAR"},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "nodes": [{"mesh": 0}],
        "scenes": [{"nodes": [0]}],
        "scene": 0,
    })
}

fn changed(pointer: &str, value: Value) -> Vec<u8> {
    let mut json = triangle();
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = json.pointer_mut(parent).unwrap();
    match key.parse::<usize>() {
        Ok(number) => parent[number] = value,
        Err(_) => parent[key] = value,
    }
    glb(&json, &[0; 44])
}

fn refused(bytes: &[u8]) -> String {
    Model::read(bytes).unwrap_err().to_string()
}

#[test]
fn a_model_tells_how_large_it_is() {
    let model = Model::read(&glb(&triangle(), &[0; 44])).unwrap();
    assert_eq!(model.bounds, Bounds { least: [0.0; 3], most: [2.0, 3.0, 0.0] });
    assert_eq!((model.triangles, model.pictures, model.animated), (1, 0, false));
    let nodes = json!([
        {"scale": [0.5, 0.5, 0.5], "children": [1, 2]},
        {"mesh": 0, "translation": [10, 0, 0]},
        // A quarter turn around the upright: what was to the right is now behind.
        {"mesh": 0, "matrix": [0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 4, 1]},
    ]);
    let model = Model::read(&changed("/nodes", nodes)).unwrap();
    assert_eq!(model.bounds, Bounds { least: [0.0, 0.0, 0.0], most: [6.0, 1.5, 2.0] });
    assert_eq!(format!("{:?}", model.bounds.sides()), "[6.0, 1.5, 2.0]");
    let turned = changed("/nodes/0/rotation", json!([0, 0, 1, 0]));
    assert_eq!(Model::read(&turned).unwrap().bounds, Bounds { least: [-2.0, -3.0, 0.0], most: [0.0; 3] });
}

#[test]
fn numbers_that_stand_for_parts_of_one_are_parts_of_one() {
    let accessor = json!({
        "bufferView": 0, "componentType": 5123, "normalized": true, "count": 3, "type": "VEC3",
        "min": [0, 0, 0], "max": [65_535, 0, 0],
    });
    let bounds = Model::read(&changed("/accessors/0", accessor)).unwrap().bounds;
    assert_eq!(bounds, Bounds { least: [0.0; 3], most: [1.0, 0.0, 0.0] });
}

#[test]
fn what_is_wrong_with_a_model_is_said() {
    let mut longer = glb(&triangle(), &[0; 44]);
    longer.push(0);
    let mut older = glb(&triangle(), &[0; 44]);
    older[4] = 1;
    let json = chunk(b"JSON", triangle().to_string().as_bytes(), b' ');
    let odd = [3_u32.to_le_bytes().as_slice(), b"JSON{} "].concat();
    let picture = json!([{"bufferView": 0, "mimeType": "image/png"}]);
    let rows = [
        (
            b"glTF\x02\0\0\0\xff\0\0\0".to_vec(),
            "glTF binary ends at byte 12 in a model, which begins at byte 0: \
            the file is cut off",
        ),
        (
            b"glTF".to_vec(),
            "glTF binary ends at byte 4 in the header, which begins at byte 4: the file is cut off",
        ),
        (older, "glTF binary at byte 4: version 1 is not read; export it as version 2"),
        (whole(&[]), "glTF binary at byte 12: it has no JSON"),
        (
            whole(&[chunk(b"BIN\0", &[], 0), json.clone()]),
            "glTF binary at byte 12: \
            chunk BIN\\x00 stands where it must not",
        ),
        (whole(&[odd]), "glTF binary at byte 12: chunk JSON of 3 bytes does not end at a multiple of 4"),
        (
            whole(&[chunk(b"JSON", b"{]", b' ')]),
            "glTF binary: its JSON: key must be a string at line 1 column 2",
        ),
        (
            whole(&[chunk(b"JSON", b"{}", b' ')]),
            "glTF binary: its JSON: missing field `asset` at line 1 column 2",
        ),
        (whole(&[json]), "glTF binary: buffer 0 wants 44 bytes of 0"),
        (changed("/asset/version", json!("1.0")), "glTF binary: asset version 1.0 is not read"),
        (
            changed("/extensionsRequired", json!(["ACME_holograms"])),
            "glTF binary: it requires \"ACME_holograms\", which viewers do not have",
        ),
        (
            changed("/buffers/0/uri", json!("../../etc/passwd")),
            "glTF binary: buffer 0 lies outside (../../etc/passwd); pack it into the file",
        ),
        (
            changed("/images", json!([{"uri": "https://tracker.example/pixel.png"}])),
            "glTF binary: picture 0 lies outside (https://tracker.example/pixel.png); pack it into the file",
        ),
        (
            changed("/images", picture),
            "glTF binary: picture 0: this is no JPEG, PNG, WebP, GIF, MP4, glTF binary or \
            PDF; it begins with 00 00 00 00 00 00 00 00",
        ),
        (changed("/bufferViews/0/byteLength", json!(45)), "glTF binary: view 0 wants 45 bytes from 0 of 44"),
        (
            changed("/bufferViews/0/byteOffset", json!(usize::MAX)),
            "glTF binary: view 0 wants 36 bytes from 18446744073709551615 of 44",
        ),
        (
            changed("/bufferViews/0/byteStride", json!(3)),
            "glTF binary: view 0 has a stride that is none of 4, 8, … 252",
        ),
        (changed("/bufferViews/0/buffer", json!(7)), "glTF binary: view 0 names buffer 7 of 1"),
        (
            changed("/accessors/0/count", json!(4)),
            "glTF binary: accessor 0 wants 4 items of 12 bytes from 0 of 36",
        ),
        (
            changed("/accessors/0/count", json!(u64::MAX)),
            "glTF binary: accessor 0 wants 18446744073709551615 items of 12 bytes from 0 of 36",
        ),
        (changed("/accessors/0/count", json!(0)), "glTF binary: accessor 0 is empty"),
        (changed("/accessors/0/type", json!("VEC9")), "glTF binary: accessor 0 is of \"VEC9\" of 5126"),
        (changed("/accessors/0/type", json!("VEC2")), "glTF binary: mesh 0 has positions of \"VEC2\""),
        (
            changed("/accessors/0/min", json!(null)),
            "glTF binary: mesh 0 does not tell min and max of its positions",
        ),
        (
            changed("/accessors/0/min", json!([3, 0, 0])),
            "glTF binary: mesh 0 tells min [3.0, 0.0, 0.0] and max [2.0, 3.0, 0.0]",
        ),
        (changed("/meshes/0/primitives/0/indices", json!(9)), "glTF binary: mesh 0 names accessor 9 of 2"),
        (changed("/nodes/0/mesh", json!(1)), "glTF binary: node 0 names mesh 1 of 1"),
        (
            changed("/nodes/0/children", json!([0])),
            "glTF binary: node 0 stands at the top and hangs on another",
        ),
        (changed("/nodes", json!([{"children": [1, 1]}, {"mesh": 0}])), "glTF binary: node 1 hangs on two"),
        (changed("/nodes", json!([{}])), "glTF binary: nothing of it is seen"),
        (changed("/scene", json!(3)), "glTF binary: the file names scene 3 of 1"),
        (changed("/nodes/0/scale", json!([1e308, 1e308, 1e308])), "glTF binary: it has no end"),
        (longer, ""),
    ];
    for (bytes, expected) in rows {
        if expected.is_empty() {
            let ends = bytes.len() - 1;
            assert_eq!(
                refused(&bytes),
                format!("glTF binary at byte {ends}: something stands behind its end")
            );
        } else {
            assert_eq!(refused(&bytes), expected);
        }
    }
    assert_eq!(refused(b"%PDF-1.7"), "PDF is no model; upload glTF binary (.glb)");
}

/// The triangle with a picture on it, and where in its bytes the picture begins.
fn painted(picture: &[u8]) -> (Value, Vec<u8>) {
    let data = [&[0; 44], picture].concat();
    let mut json = triangle();
    json["buffers"][0]["byteLength"] = json!(data.len());
    let view = json!({"buffer": 0, "byteOffset": 44, "byteLength": picture.len()});
    json["bufferViews"].as_array_mut().unwrap().push(view);
    json["images"] = json!([{"bufferView": 2, "mimeType": "image/jpeg"}]);
    (json, data)
}

#[test]
fn pictures_on_a_model_are_measured_like_all_others() {
    let (json, mut data) = painted(&jpeg(&scene(16, 16, 1), &JpegOf::default()));
    assert_eq!(Model::read(&glb(&json, &data)).unwrap().pictures, 1);
    let frame = data.windows(2).rposition(|pair| pair == [0xff, 0xc0]).unwrap();
    data[frame + 5..frame + 9].copy_from_slice(&[0xff; 4]);
    let expected = "glTF binary: picture 0: 65535 × 65535 are 4294836225 pixels, more than 104000000";
    assert_eq!(refused(&glb(&json, &data)), expected);
}

#[test]
fn a_picture_on_a_model_must_not_tell_where_it_was_taken() {
    let (picture, places) = (scene(16, 16, 1), || Some(exif(1)));
    let expected = "glTF binary: picture 0 tells where it was taken (GPS); export it without";
    for file in [
        jpeg(&picture, &JpegOf { exif: places(), ..JpegOf::default() }),
        png_with(&picture, places(), None),
        webp_with(&picture, places(), None),
    ] {
        let (json, data) = painted(&file);
        assert_eq!(refused(&glb(&json, &data)), expected);
    }
    // How it was held is no place.
    let held = Some(b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec());
    let (json, data) = painted(&jpeg(&picture, &JpegOf { exif: held, ..JpegOf::default() }));
    assert_eq!(Model::read(&glb(&json, &data)).unwrap().pictures, 1);
    let words = [jpeg(&picture, &JpegOf::default()), b"<x exif:GPSLatitude='1,2N'/>".to_vec()].concat();
    let (json, data) = painted(&words);
    assert_eq!(refused(&glb(&json, &data)), expected);
}

#[test]
fn a_model_that_ends_anywhere_too_early_or_has_a_flipped_byte_gives_a_word() {
    let whole = glb(&triangle(), &[0; 44]);
    for end in 0..whole.len() {
        assert!(Model::read(&whole[..end]).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        for flip in [0x01, 0x02, 0x10, 0x80, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            drop(Model::read(&bytes));
        }
    }
}

proptest! {
    #[test]
    fn any_numbers_in_a_model_give_a_word(
        place in 0..12_usize,
        number in prop_oneof![any::<u64>().prop_map(|n| json!(n)), (-9..9_i64).prop_map(|n| json!(n)), Just(json!([]))],
    ) {
        let places = [
            "/buffers/0/byteLength", "/bufferViews/0/byteOffset", "/bufferViews/0/byteLength", "/bufferViews/0/buffer",
            "/bufferViews/0/byteStride", "/accessors/0/count", "/accessors/0/byteOffset", "/accessors/0/bufferView",
            "/accessors/0/componentType", "/nodes/0/mesh", "/scenes/0/nodes", "/meshes/0/primitives/0/indices",
        ];
        drop(Model::read(&changed(places[place], number)));
    }
}
