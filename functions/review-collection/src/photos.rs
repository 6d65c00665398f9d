//! Photos of reviews: sent by their authors straight to the bucket, looked at, drawn anew, and shown.
//!
//! An address to send to is signed for one type and one length and is good for some minutes. What comes lies under
//! `sent/`, where nobody can fetch it, until the bucket's event is handled; what is made of it lies under `shown/` by
//! the digest of its own content, and is fetched by signed addresses. Told twice, the second time finds it judged.

use crate::change::amend;
use crate::picture::{BYTES_MAX, redrawn};
use bucket::{Bucket, File, Found};
use domain::Decision;
use domain::id::{MarketplaceId, ReviewId, sha256_hex};
use domain::review::{PhotoState, Review, Unusable};
use domain::text::Sha256;
use edge::command::Overtaken;
use edge::function::Object;
use edge::{Again, Check, Command, Problem, Reply, World};
use events::Context;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use table::{Commit, Key, Story};

/// So long something can be sent.
const SENT_WITHIN: Duration = Duration::from_secs(600);
/// So long what is shown can be fetched.
const SHOWN_FOR: Duration = Duration::from_secs(3_600);
const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

pub(crate) fn gallery(world: &World) -> Result<Bucket, bucket::Fault> {
    Bucket::of(world, "REVIEW_PHOTOS")
}

/// Where a picture can be fetched.
pub(crate) async fn address(gallery: &Bucket, sha256: &Sha256) -> Result<String, Problem> {
    Ok(gallery.address(&shown_key(sha256.as_str()), SHOWN_FOR).await?.url)
}

fn sent_key(m: &MarketplaceId, review: &ReviewId, number: u8) -> String {
    format!("sent/{m}/{review}/{number}")
}

/// Whose picture lies under a key, in which place.
fn sent_of(key: &str) -> Option<(MarketplaceId, ReviewId, u8)> {
    let mut parts = key.strip_prefix("sent/")?.split('/');
    let of = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    parts.next().is_none().then_some(of)
}

fn shown_key(sha256: &str) -> String {
    format!("shown/{sha256}.jpg")
}

/// A picture that is to be sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SendPhoto"))]
pub(crate) struct PhotoBody {
    /// Its place in the review, 1 to 5.
    number: i64,
    /// `image/jpeg`, `image/png` or `image/webp`.
    content_type: String,
    /// Its bytes, at most 8,000,000.
    length: i64,
}

/// Where to send it with a PUT and these headers; what came of it is seen in the review.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PhotoAddress"))]
pub(crate) struct SendView {
    url: String,
    headers: BTreeMap<String, String>,
    /// In real time, also where the clock of a sandbox has been moved.
    expires_at: String,
}

pub(crate) async fn send(
    world: &World,
    command: &Command<PhotoBody>,
    id: &ReviewId,
) -> Result<Reply<SendView>, Problem> {
    let body = &command.body;
    let mut check = Check::new();
    if !TYPES.contains(&body.content_type.as_str()) {
        check.wrong("content_type", "unknown", format!("want one of {}", TYPES.join(", ")));
    }
    if !usize::try_from(body.length).is_ok_and(|length| (1..=BYTES_MAX).contains(&length)) {
        check.wrong("length", "range", format!("{} is not between 1 and {BYTES_MAX}", body.length));
    }
    let number = u8::try_from(body.number).unwrap_or_default();
    check.done()?;
    amend(world, command, id, |_| Ok(()), |review, _| review.await_photo(number)).await?;
    let key = sent_key(&command.caller.marketplace, id, number);
    let room = gallery(world)?.room(&key, (&body.content_type, body.length), SENT_WITHIN).await?;
    let expires_at = room.expires_at.to_string();
    Ok(Reply::ok(SendView { url: room.url, headers: room.headers, expires_at }))
}

/// Something has come to the bucket. What nobody waits for is thrown away.
pub(crate) async fn arrived(world: World, object: Object) -> Result<(), Again> {
    let Some((m, id, number)) = sent_of(&object.key) else { return Ok(()) };
    let gallery = gallery(&world)?;
    let key = Key::review(&m, &id);
    let held = world.table.load::<Review>(&key).await?;
    let awaited = held.filter(|held| {
        // Whatever would be made of it: this asks only whether it is waited for.
        held.value.judge_photo(number, PhotoState::Awaited) != Decision::Already
    });
    if let Some(held) = awaited {
        let Some(state) = judged(&gallery, &object).await? else { return Ok(()) };
        if let Decision::New(fact) = held.value.judge_photo(number, state) {
            let next = held.value.clone().apply(fact);
            let cause = format!("object:{}", object.key);
            let actor = "system:review-collection".to_owned();
            let context = Context { at: world.now(), actor, cause: cause.clone(), correlation: cause };
            let commit = Commit::new(&m, &context).review(Some(&held), &next, Story::default(), Overtaken);
            commit.send(&world.table).await?;
        }
    }
    Ok(gallery.delete(&object.key).await?)
}

/// What has become of it; none where it is not there any more.
async fn judged(gallery: &Bucket, object: &Object) -> Result<Option<PhotoState>, Again> {
    let refused = |why| Ok(Some(PhotoState::Refused { why }));
    let bytes = match gallery.fetch(&object.key, BYTES_MAX).await? {
        Found::Nothing => return Ok(None),
        Found::TooLarge => return refused(Unusable::TooManyBytes),
        Found::File(bytes) => bytes,
    };
    let picture = match redrawn(&bytes) {
        Ok(picture) => picture,
        Err(why) => return refused(why),
    };
    let sha256 = sha256_hex(&picture.jpeg);
    let file = File { content_type: "image/jpeg", bytes: picture.jpeg, lasting: true, ..File::default() };
    gallery.keep(&shown_key(&sha256), file).await?;
    let sha256 = sha256.parse().map_err(|_| Again::Refused("a digest is none".to_owned()))?;
    Ok(Some(PhotoState::Ready { sha256, width: picture.width, height: picture.height }))
}
