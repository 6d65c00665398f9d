//! glTF binary: whether a model is whole and holds together, and how large it is, in meters.
//!
//! Header, chunks and JSON are read; every number that names another thing must name one that is there, and every view
//! must lie within its buffer, so a viewer never reads outside. Bounds come from the least and largest positions that
//! the file itself must tell (`min`, `max`), moved by its nodes. Pictures in it are measured like all others,
//! and one that tells where it was taken is refused.
//! Absent on purpose: what lies outside the file (it is refused), animation, skins and materials (a viewer's matter).
#![allow(clippy::float_arithmetic, reason = "places in space are no money")]

mod space;

use crate::header::inspect;
use crate::picture::tells_place;
use crate::refused::{Bytes, size};
use crate::{Kind, Refused, sniff};
use serde::Deserialize;
pub use space::Bounds;
use std::collections::BTreeMap;

/// Of the file: what a telephone loads over the air.
pub const BYTES_MAX: usize = 50_000_000;
const JSON_MAX: usize = 8_000_000;
const NODES_MAX: usize = 20_000;
/// What common viewers have; a model that requires another is not seen.
const EXTENSIONS: [&str; 10] = [
    "EXT_mesh_gpu_instancing",
    "EXT_meshopt_compression",
    "EXT_texture_webp",
    "KHR_draco_mesh_compression",
    "KHR_lights_punctual",
    "KHR_mesh_quantization",
    "KHR_texture_basisu",
    "KHR_texture_transform",
    "KHR_materials_unlit",
    "KHR_materials_variants",
];
const FLOAT: u32 = 5_126;

/// A model.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub bounds: Bounds,
    pub triangles: u64,
    pub pictures: usize,
    pub animated: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Gltf {
    asset: Asset,
    #[serde(default)]
    extensions_required: Vec<String>,
    #[serde(default)]
    buffers: Vec<Buffer>,
    #[serde(default)]
    buffer_views: Vec<View>,
    #[serde(default)]
    accessors: Vec<Accessor>,
    #[serde(default)]
    meshes: Vec<Mesh>,
    #[serde(default)]
    nodes: Vec<Node>,
    #[serde(default)]
    scenes: Vec<Scene>,
    scene: Option<usize>,
    #[serde(default)]
    images: Vec<Image>,
    #[serde(default)]
    animations: Vec<serde::de::IgnoredAny>,
}

#[derive(Debug, Deserialize)]
struct Asset {
    version: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Buffer {
    byte_length: usize,
    uri: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    buffer: usize,
    #[serde(default)]
    byte_offset: usize,
    byte_length: usize,
    byte_stride: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accessor {
    buffer_view: Option<usize>,
    #[serde(default)]
    byte_offset: usize,
    component_type: u32,
    count: usize,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    normalized: bool,
    min: Option<Vec<f64>>,
    max: Option<Vec<f64>>,
    sparse: Option<Sparse>,
}

#[derive(Debug, Deserialize)]
struct Sparse {
    count: usize,
    indices: Part,
    values: Part,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    buffer_view: usize,
}

#[derive(Debug, Deserialize)]
struct Mesh {
    primitives: Vec<Primitive>,
}

#[derive(Debug, Deserialize)]
struct Primitive {
    attributes: BTreeMap<String, usize>,
    indices: Option<usize>,
    mode: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Node {
    #[serde(default)]
    children: Vec<usize>,
    mesh: Option<usize>,
    matrix: Option<[f64; 16]>,
    translation: Option<[f64; 3]>,
    rotation: Option<[f64; 4]>,
    scale: Option<[f64; 3]>,
}

#[derive(Debug, Deserialize)]
struct Scene {
    #[serde(default)]
    nodes: Vec<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    uri: Option<String>,
    buffer_view: Option<usize>,
    mime_type: Option<String>,
}

fn broken(why: impl Into<String>) -> Refused {
    Refused::Broken { format: Kind::Glb.name(), why: why.into() }
}

/// The thing of a number, or who asks for one that is not there.
fn of<'a, T>(all: &'a [T], number: usize, what: &str, who: &str) -> Result<&'a T, Refused> {
    let missing = || broken(format!("{who} names {what} {number} of {}", all.len()));
    all.get(number).ok_or_else(missing)
}

impl Model {
    pub fn read(file: &[u8]) -> Result<Self, Refused> {
        if file.len() > BYTES_MAX {
            let [bytes, most] = [file.len(), BYTES_MAX].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
            return Err(Refused::TooManyBytes { bytes, most });
        }
        let kind = sniff(file)?;
        if kind != Kind::Glb {
            return Err(Refused::NotTaken {
                found: kind.name(),
                why: "is no model; upload glTF binary (.glb)",
            });
        }
        let (json, data) = chunks(Bytes { all: file, format: kind.name(), base: 0 })?;
        let gltf: Gltf =
            serde_json::from_slice(json).map_err(|error| broken(format!("its JSON: {error}")))?;
        gltf.check(data)?;
        let bounds = space::bounds(&gltf)?;
        let triangles = gltf.meshes.iter().flat_map(|mesh| &mesh.primitives).map(|part| gltf.triangles(part));
        Ok(Self {
            bounds,
            triangles: triangles.fold(0, u64::saturating_add),
            pictures: gltf.images.len(),
            animated: !gltf.animations.is_empty(),
        })
    }
}

/// The JSON, and the bytes beside it.
fn chunks(bytes: Bytes<'_>) -> Result<(&[u8], &[u8]), Refused> {
    let (version, length) = (bytes.u32_le(4, "the header")?, size(bytes.u32_le(8, "the header")?));
    if version != 2 {
        return Err(bytes.broken(4, format!("version {version} is not read; export it as version 2")));
    }
    if length > bytes.all.len() {
        return Err(bytes.cut_off(0, "a model"));
    }
    if length < bytes.all.len() {
        return Err(bytes.broken(length, "something stands behind its end"));
    }
    let (mut at, mut json, mut data) = (12, None, None);
    while at < length {
        let count = size(bytes.u32_le(at, "the next chunk")?);
        let name = bytes.take(at + 4, 4, "the next chunk")?;
        let part = format!("chunk {}", name.escape_ascii());
        let body = bytes.take(at + 8, count, &part)?;
        if !count.is_multiple_of(4) {
            return Err(bytes.broken(at, format!("{part} of {count} bytes does not end at a multiple of 4")));
        }
        match (name, json, data) {
            (b"JSON", None, None) if count > JSON_MAX => {
                let [count, most] = [count, JSON_MAX].map(|count| u64::try_from(count).unwrap_or(u64::MAX));
                return Err(Refused::TooMany { what: "bytes of JSON", count, most });
            }
            (b"JSON", None, None) => json = Some(body),
            (b"BIN\0", Some(_), None) => data = Some(body),
            (_, None, _) | (b"JSON" | b"BIN\0", ..) => {
                return Err(bytes.broken(at, format!("{part} stands where it must not")));
            }
            // Others may follow, and are passed over.
            _ => {}
        }
        at += 8 + count;
    }
    let json = json.ok_or_else(|| bytes.broken(12, "it has no JSON"))?;
    Ok((json, data.unwrap_or_default()))
}

impl Gltf {
    fn check(&self, data: &[u8]) -> Result<(), Refused> {
        if !self.asset.version.starts_with("2.") {
            return Err(broken(format!("asset version {} is not read", self.asset.version)));
        }
        let known =
            |name: &&String| EXTENSIONS.contains(&name.as_str()) || name.starts_with("KHR_materials_");
        if let Some(name) = self.extensions_required.iter().find(|name| !known(name)) {
            return Err(broken(format!("it requires {name:?}, which viewers do not have")));
        }
        for (number, buffer) in self.buffers.iter().enumerate() {
            if let Some(uri) = &buffer.uri {
                let uri: String = uri.chars().take(40).collect();
                return Err(broken(format!("buffer {number} lies outside ({uri}); pack it into the file")));
            }
            // Others are filled by decompression.
            let compressed = self.extensions_required.iter().any(|name| name == "EXT_meshopt_compression");
            if (number > 0 && !compressed) || (number == 0 && buffer.byte_length > data.len()) {
                let (wants, has) = (buffer.byte_length, if number == 0 { data.len() } else { 0 });
                return Err(broken(format!("buffer {number} wants {wants} bytes of {has}")));
            }
        }
        self.views()?;
        for (number, accessor) in self.accessors.iter().enumerate() {
            self.accessor(number, accessor)?;
        }
        self.primitives()?;
        self.pictures(data)
    }

    fn views(&self) -> Result<(), Refused> {
        for (number, view) in self.buffer_views.iter().enumerate() {
            let who = format!("view {number}");
            let whole = of(&self.buffers, view.buffer, "buffer", &who)?.byte_length;
            if view.byte_offset.checked_add(view.byte_length).is_none_or(|ends| ends > whole) {
                let (from, count) = (view.byte_offset, view.byte_length);
                return Err(broken(format!("{who} wants {count} bytes from {from} of {whole}")));
            }
            if view
                .byte_stride
                .is_some_and(|stride| !(4..=252).contains(&stride) || !stride.is_multiple_of(4))
            {
                return Err(broken(format!("{who} has a stride that is none of 4, 8, … 252")));
            }
        }
        Ok(())
    }

    fn accessor(&self, number: usize, accessor: &Accessor) -> Result<(), Refused> {
        let who = format!("accessor {number}");
        let item = accessor.item().ok_or_else(|| {
            broken(format!("{who} is of {:?} of {}", accessor.kind, accessor.component_type))
        })?;
        if accessor.count == 0 {
            return Err(broken(format!("{who} is empty")));
        }
        if let Some(sparse) = &accessor.sparse {
            of(&self.buffer_views, sparse.indices.buffer_view, "view", &who)?;
            of(&self.buffer_views, sparse.values.buffer_view, "view", &who)?;
            if sparse.count > accessor.count {
                return Err(broken(format!("{who} changes {} of {} items", sparse.count, accessor.count)));
            }
        }
        let Some(view) = accessor.buffer_view else { return Ok(()) };
        let view = of(&self.buffer_views, view, "view", &who)?;
        let stride = view.byte_stride.unwrap_or(item);
        let ends = stride.checked_mul(accessor.count - 1).and_then(|last| last.checked_add(item));
        let ends = ends.and_then(|ends| ends.checked_add(accessor.byte_offset));
        if ends.is_none_or(|ends| ends > view.byte_length) {
            let (count, from) = (accessor.count, accessor.byte_offset);
            let whole = view.byte_length;
            return Err(broken(format!("{who} wants {count} items of {item} bytes from {from} of {whole}")));
        }
        Ok(())
    }

    fn primitives(&self) -> Result<(), Refused> {
        for (number, mesh) in self.meshes.iter().enumerate() {
            let who = format!("mesh {number}");
            for primitive in &mesh.primitives {
                for accessor in primitive.attributes.values().chain(&primitive.indices) {
                    of(&self.accessors, *accessor, "accessor", &who)?;
                }
                if primitive.mode.is_some_and(|mode| mode > 6) {
                    return Err(broken(format!("{who} is drawn in no known mode")));
                }
            }
        }
        Ok(())
    }

    /// The pictures on it: within, and as large as pictures may be.
    fn pictures(&self, data: &[u8]) -> Result<(), Refused> {
        for (number, image) in self.images.iter().enumerate() {
            let who = format!("picture {number}");
            let Some(view) = image.buffer_view else {
                let uri: String = image.uri.iter().flat_map(|uri| uri.chars()).take(40).collect();
                return Err(broken(format!("{who} lies outside ({uri}); pack it into the file")));
            };
            let view = of(&self.buffer_views, view, "view", &who)?;
            let ends = view.byte_offset.saturating_add(view.byte_length);
            let bytes = data.get(view.byte_offset..ends).filter(|_| view.buffer == 0).unwrap_or_default();
            // A texture for graphics cards is no picture of ours.
            if image.mime_type.as_deref() == Some("image/ktx2") {
                continue;
            }
            let header = inspect(bytes).map_err(|refused| broken(format!("{who}: {refused}")))?;
            // A model is given out as it came, and its pictures with it.
            if tells_place(bytes, header.kind) {
                return Err(broken(format!("{who} tells where it was taken (GPS); export it without")));
            }
        }
        Ok(())
    }

    fn triangles(&self, primitive: &Primitive) -> u64 {
        let corners = primitive.indices.or_else(|| primitive.attributes.get("POSITION").copied());
        let count = corners.and_then(|number| self.accessors.get(number)).map_or(0, |found| found.count);
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        match primitive.mode {
            None | Some(4) => count / 3,
            Some(5 | 6) => count.saturating_sub(2),
            Some(_) => 0,
        }
    }
}

impl Accessor {
    /// Bytes of one item; columns of a matrix begin at multiples of four.
    fn item(&self) -> Option<usize> {
        let one = match self.component_type {
            5_120 | 5_121 => 1,
            5_122 | 5_123 => 2,
            5_125 | FLOAT => 4,
            _ => return None,
        };
        let column = |rows: usize| (rows * one).next_multiple_of(4) * rows;
        Some(match self.kind.as_str() {
            "SCALAR" => one,
            "VEC2" => 2 * one,
            "VEC3" => 3 * one,
            "VEC4" => 4 * one,
            "MAT2" => column(2),
            "MAT3" => column(3),
            "MAT4" => column(4),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
