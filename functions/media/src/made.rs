//! What becomes of a file: what it is by its content, and what is made of it, put where it is shown.
//!
//! Memory: the bytes of the file, its pixels, and a handful of what is made of them; the limits are those of `assets`.

use assets::{Look, Made, Plan, Refused, Role, sniff};
use bucket::{Bucket, File as Put, Found};
use domain::asset::{File, Kind, Media, Outcome, Picture, Rendition, Size, Unusable, Zoom};
use domain::id::sha256_hex;
use domain::text::{Sha256, Text};
use edge::Again;
use futures::future::try_join_all;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::io::Cursor;
use std::str::FromStr;

/// What is taken, and how many bytes of it.
pub(crate) const TAKEN: [(&str, usize); 7] = [
    ("image/jpeg", assets::header::BYTES_MAX),
    ("image/png", assets::header::BYTES_MAX),
    ("image/webp", assets::header::BYTES_MAX),
    ("image/gif", assets::header::BYTES_MAX),
    ("video/mp4", VIDEO_MAX),
    ("model/gltf-binary", assets::model::BYTES_MAX),
    ("application/pdf", DOCUMENT_MAX),
];
/// A film of some minutes; it is held in memory beside its copy.
pub(crate) const VIDEO_MAX: usize = 200_000_000;
const DOCUMENT_MAX: usize = 25_000_000;
/// Files that are put at once; tiles are some kilobytes each.
const AT_ONCE: usize = 16;
/// So much of a refusal's words is kept.
const SAID_MAX: usize = 500;

/// Where what is made of a file goes.
struct Shelf<'a> {
    bucket: &'a Bucket,
    below: &'a str,
}

/// What has become of the file; none where it is not there any more. A photo is a picture that does not move.
pub(crate) async fn outcome(
    bucket: &Bucket,
    sent: &str,
    (file, photo): (u32, bool),
    below: &str,
) -> Result<Option<Outcome>, Again> {
    let bytes = match bucket.fetch(sent, VIDEO_MAX).await? {
        Found::Nothing => return Ok(None),
        Found::TooLarge => {
            let said = format!("more than {VIDEO_MAX} bytes");
            return Ok(Some(Err((Unusable::TooLarge, text(&said)?))));
        }
        Found::File(bytes) => bytes,
    };
    let (sha256, length) = (word(&sha256_hex(&bytes))?, count(bytes.len()));
    let shelf = Shelf { bucket, below };
    Ok(Some(match shelf.take(bytes, photo).await? {
        Ok(kind) => Ok(Media { file, sha256, bytes: length, kind }),
        Err(refused) => Err((unusable(&refused), text(&refused.to_string())?)),
    }))
}

impl Shelf<'_> {
    async fn take(&self, bytes: Vec<u8>, photo: bool) -> Result<Result<Kind, Refused>, Again> {
        let kind = match sniff(&bytes) {
            Ok(kind) => kind,
            Err(refused) => return Ok(Err(refused)),
        };
        let is_photo = matches!(kind, assets::Kind::Jpeg | assets::Kind::Png | assets::Kind::WebP);
        if photo && !is_photo {
            let (found, why) = (kind.content_type(), "is no photo");
            return Ok(Err(Refused::NotTaken { found, why }));
        }
        match kind {
            assets::Kind::Jpeg | assets::Kind::Png | assets::Kind::WebP | assets::Kind::Gif => {
                self.picture(bytes).await
            }
            assets::Kind::Mp4 => self.video(bytes).await,
            assets::Kind::Glb => self.model(bytes).await,
            assets::Kind::Pdf => self.document(bytes).await,
        }
    }

    async fn picture(&self, bytes: Vec<u8>) -> Result<Result<Kind, Refused>, Again> {
        let picture = match assets::Picture::open(&bytes) {
            Ok(picture) => picture,
            Err(refused) => return Ok(Err(refused)),
        };
        // From here on there are pixels.
        drop(bytes);
        let plan = Plan::PRODUCT;
        let look = Look::of(&picture).map_err(unmade)?;
        let (width, height) = (picture.width(), picture.height());
        let zoom = picture.zoom_key(&plan);
        let (mut sizes, mut tiles, mut tiled) = (BTreeMap::new(), 0_u32, 0_u64);
        let mut all = picture.renditions(&plan).map_err(unmade)?;
        loop {
            let some: Vec<Made> = all.by_ref().take(AT_ONCE).collect::<Result<_, _>>().map_err(unmade)?;
            if some.is_empty() {
                break;
            }
            for made in &some {
                match made.role {
                    Role::Thumbnail => size(&mut sizes, Size::Thumbnail, made)?,
                    Role::Card => size(&mut sizes, Size::Card, made)?,
                    Role::Page => size(&mut sizes, Size::Page, made)?,
                    Role::Tile => {
                        tiles = tiles.saturating_add(1);
                        tiled = tiled.saturating_add(count(made.bytes.len()));
                    }
                    Role::Zoom => {}
                }
            }
            // The manifest comes last: where it lies, all tiles do.
            let (manifest, rest): (Vec<_>, Vec<_>) =
                some.into_iter().partition(|made| made.role == Role::Zoom);
            try_join_all(rest.into_iter().map(|made| self.put(made.key, made.content_type, made.bytes)))
                .await?;
            for made in manifest {
                self.put(made.key, made.content_type, made.bytes).await?;
            }
        }
        let renditions = sizes.into_values().map(|(webp, jpeg, width, height, size)| {
            let files = webp.zip(jpeg).ok_or_else(|| Again::Refused("a size lacks a format".to_owned()));
            files.map(|(webp, jpeg)| Rendition { size, width, height, webp, jpeg })
        });
        let renditions = renditions.collect::<Result<Vec<_>, _>>()?;
        let name = zoom.as_deref().map(|key| word::<Sha256>(key.trim_end_matches(".dzi"))).transpose()?;
        Ok(Ok(Kind::Picture(Picture {
            width,
            height,
            blur_hash: word(&look.blur_hash)?,
            likeness: look.fingerprint,
            renditions,
            zoom: name.map(|name| Zoom { name, tiles, bytes: tiled }),
        })))
    }

    async fn video(&self, mut bytes: Vec<u8>) -> Result<Result<Kind, Refused>, Again> {
        let unread = |error| Again::call("read a film", error);
        let video = match assets::video::Video::read(&mut Cursor::new(&bytes)) {
            Ok(video) => video,
            Err(assets::video::Unread::Refused(refused)) => return Ok(Err(refused)),
            Err(assets::video::Unread::Io(error)) => return Err(unread(error)),
        };
        // Where and by whom it was filmed is nobody's business.
        video.blank(&mut Cursor::new(&mut bytes)).map_err(unread)?;
        let codec = word(&video.codec)?;
        let shown = self.keep(bytes, assets::Kind::Mp4, false).await?;
        let (width, height) = (video.width, video.height);
        Ok(Ok(Kind::Video { milliseconds: video.millis, width, height, codec, shown }))
    }

    async fn model(&self, bytes: Vec<u8>) -> Result<Result<Kind, Refused>, Again> {
        let model = match assets::model::Model::read(&bytes) {
            Ok(model) => model,
            Err(refused) => return Ok(Err(refused)),
        };
        let (Some(lowest), Some(highest)) = (corner(model.bounds.least), corner(model.bounds.most)) else {
            let why = "its corners lie beyond any room".to_owned();
            return Ok(Err(Refused::Broken { format: assets::Kind::Glb.name(), why }));
        };
        let shown = self.keep(bytes, assets::Kind::Glb, false).await?;
        Ok(Ok(Kind::Model { lowest, highest, shown }))
    }

    async fn document(&self, bytes: Vec<u8>) -> Result<Result<Kind, Refused>, Again> {
        if bytes.len() > DOCUMENT_MAX {
            let (bytes, most) = (count(bytes.len()), count(DOCUMENT_MAX));
            return Ok(Err(Refused::TooManyBytes { bytes, most }));
        }
        // Whatever it can do, it does not do it on our page.
        let shown = self.keep(bytes, assets::Kind::Pdf, true).await?;
        Ok(Ok(Kind::Document { shown }))
    }

    /// A whole file under the digest of its content.
    async fn keep(&self, bytes: Vec<u8>, kind: assets::Kind, saved: bool) -> Result<File, Again> {
        let file = File { sha256: word(&sha256_hex(&bytes))?, bytes: count(bytes.len()) };
        let key = format!("{}{}.{}", self.below, file.sha256, kind.extension());
        let content_type = kind.content_type();
        self.bucket.keep(&key, Put { content_type, bytes, saved, lasting: true, called: None }).await?;
        Ok(file)
    }

    async fn put(&self, name: String, content_type: &str, bytes: Vec<u8>) -> Result<(), Again> {
        let file = Put { content_type, bytes, lasting: true, ..Put::default() };
        Ok(self.bucket.keep(&format!("{}{name}", self.below), file).await?)
    }
}

/// WebP, JPEG, width, height and which size they are of.
type Formats = (Option<File>, Option<File>, u32, u32, Size);

fn size(sizes: &mut BTreeMap<Size, Formats>, size: Size, made: &Made) -> Result<(), Again> {
    let digest = made.key.split('.').next().unwrap_or_default();
    let file = File { sha256: word(digest)?, bytes: count(made.bytes.len()) };
    let row = sizes.entry(size).or_insert((None, None, made.width, made.height, size));
    if made.content_type == assets::Kind::WebP.content_type() {
        row.0 = Some(file);
    } else {
        row.1 = Some(file);
    }
    Ok(())
}

/// To a tenth of a millimeter.
fn corner(place: [f64; 3]) -> Option<[Decimal; 3]> {
    let [x, y, z] = place.map(|part| Decimal::try_from(part).ok().map(|part| part.round_dp(4).normalize()));
    Some([x?, y?, z?])
}

fn unusable(refused: &Refused) -> Unusable {
    match refused {
        Refused::TooManyBytes { .. } => Unusable::TooLarge,
        Refused::TooLong { .. } | Refused::TooManyPixels { .. } | Refused::TooMany { .. } => {
            Unusable::TooManyPixels
        }
        Refused::Unknown { .. } | Refused::NotTaken { .. } => Unusable::UnknownType,
        Refused::Empty | Refused::CutOff { .. } | Refused::BrokenAt { .. } | Refused::Broken { .. } => {
            Unusable::Broken
        }
    }
}

/// What a decoder said may hold anything of the file.
fn text(said: &str) -> Result<Text, Again> {
    let plain = said.chars().map(|c| if c.is_control() { ' ' } else { c });
    let plain: String = plain.take(SAID_MAX).collect();
    word(plain.trim())
}

/// What follows from the file itself and is known to fit.
fn word<T: FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Again> {
    text.parse().map_err(|error| Again::Refused(format!("`{text:.80}`: {error}")))
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn unmade(error: assets::renditions::Unmade) -> Again {
    Again::Refused(error.to_string())
}
