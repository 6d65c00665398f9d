//! Photos of reviews: sent by their authors straight to the bucket, looked at, drawn anew, and shown.
//!
//! An address to send to is signed for one type and one length and is good for some minutes. What comes lies under
//! `sent/`, where nobody can fetch it, until the bucket's event is handled; what is made of it lies under `shown/` by
//! the digest of its own content, and is fetched by signed addresses. Told twice, the second time finds it judged.

use crate::change::amend;
use crate::picture::{BYTES_MAX, redrawn};
use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use domain::Decision;
use domain::id::{MarketplaceId, ReviewId, sha256_hex};
use domain::review::{PhotoState, Review, Unusable};
use domain::text::Sha256;
use edge::command::Overtaken;
use edge::function::Object;
use edge::{Again, Check, Clock, Command, Problem, Reply, World};
use events::Context;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Duration;
use table::{Commit, Key, Story};

/// So long something can be sent.
const SENT_WITHIN: Duration = Duration::from_secs(600);
/// So long what is shown can be fetched.
const SHOWN_FOR: Duration = Duration::from_secs(3_600);
const TYPES: [&str; 3] = ["image/jpeg", "image/png", "image/webp"];

/// The bucket.
pub(crate) struct Gallery<'a> {
    client: Client,
    bucket: &'a str,
}

fn presigning(good_for: Duration) -> Result<PresigningConfig, Problem> {
    // Signed in real time: who checks it knows no other.
    let config = PresigningConfig::builder().start_time(Clock::System.now().into()).expires_in(good_for);
    config.build().map_err(|error| Problem::fault(&error))
}

impl<'a> Gallery<'a> {
    pub(crate) fn of(world: &'a World) -> Result<Self, Problem> {
        let bucket = world.variable("REVIEW_PHOTOS").map_err(|unset| Problem::fault(&unset))?;
        Ok(Self { client: client(world), bucket })
    }

    /// Where a picture can be fetched.
    pub(crate) async fn address(&self, sha256: &Sha256) -> Result<String, Problem> {
        let get = self.client.get_object().bucket(self.bucket).key(shown_key(sha256.as_str()));
        let get = get.presigned(presigning(SHOWN_FOR)?).await.map_err(|error| Problem::fault(&error))?;
        Ok(get.uri().to_owned())
    }
}

fn client(world: &World) -> Client {
    let config = aws_sdk_s3::config::Builder::from(&world.aws).force_path_style(true);
    // An address is signed before there is a body to sum.
    let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    Client::from_conf(config.build())
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
    let gallery = Gallery::of(world)?;
    let key = sent_key(&command.caller.marketplace, id, number);
    let put = gallery.client.put_object().bucket(gallery.bucket).key(key);
    let put = put.content_type(&body.content_type).content_length(body.length);
    let put = put.presigned(presigning(SENT_WITHIN)?).await.map_err(|error| Problem::fault(&error))?;
    let headers = put.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let good_for = SignedDuration::try_from(SENT_WITHIN).unwrap_or_default();
    let expires = Clock::System.now().saturating_add(good_for).map_err(|error| Problem::fault(&error))?;
    Ok(Reply::ok(SendView { url: put.uri().to_owned(), headers, expires_at: expires.to_string() }))
}

/// Something has come to the bucket. What nobody waits for is thrown away.
pub(crate) async fn arrived(world: World, object: Object) -> Result<(), Again> {
    let Some((m, id, number)) = sent_of(&object.key) else { return Ok(()) };
    let client = client(&world);
    let key = Key::review(&m, &id);
    let held = world.table.load::<Review>(&key).await?;
    let awaited = held.filter(|held| {
        // Whatever would be made of it: this asks only whether it is waited for.
        held.value.judge_photo(number, PhotoState::Awaited) != Decision::Already
    });
    if let Some(held) = awaited {
        let Some(state) = judged(&client, &object).await? else { return Ok(()) };
        if let Decision::New(fact) = held.value.judge_photo(number, state) {
            let next = held.value.clone().apply(fact);
            let cause = format!("object:{}", object.key);
            let actor = "system:review-collection".to_owned();
            let context = Context { at: world.now(), actor, cause: cause.clone(), correlation: cause };
            let commit = Commit::new(&m, &context).review(Some(&held), &next, Story::default(), Overtaken);
            commit.send(&world.table).await?;
        }
    }
    let delete = client.delete_object().bucket(&object.bucket).key(&object.key).send().await;
    delete.map_err(|error| Again::call("delete what was sent", error))?;
    Ok(())
}

/// What has become of it; none where it is not there any more.
async fn judged(client: &Client, object: &Object) -> Result<Option<PhotoState>, Again> {
    let refused = |why| Ok(Some(PhotoState::Refused { why }));
    if usize::try_from(object.size).is_ok_and(|size| size > BYTES_MAX) {
        return refused(Unusable::TooManyBytes);
    }
    // One byte more than allowed, whatever the event has said.
    let get = client.get_object().bucket(&object.bucket).key(&object.key);
    let got = match get.range(format!("bytes=0-{BYTES_MAX}")).send().await {
        Ok(got) => got,
        Err(error) if error.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => {
            return Ok(None);
        }
        Err(error) => return Err(Again::call("fetch what was sent", error)),
    };
    let bytes = got.body.collect().await.map_err(|error| Again::call("read what was sent", error))?;
    let picture = match redrawn(&bytes.into_bytes()) {
        Ok(picture) => picture,
        Err(why) => return refused(why),
    };
    let sha256 = sha256_hex(&picture.jpeg);
    let put = client.put_object().bucket(&object.bucket).key(shown_key(&sha256));
    let put = put.content_type("image/jpeg").cache_control("public, max-age=31536000, immutable");
    let put = put.body(ByteStream::from(picture.jpeg)).send().await;
    put.map_err(|error| Again::call("keep a photo", error))?;
    let sha256 = sha256.parse().map_err(|_| Again::Refused("a digest is none".to_owned()))?;
    Ok(Some(PhotoState::Ready { sha256, width: picture.width, height: picture.height }))
}
