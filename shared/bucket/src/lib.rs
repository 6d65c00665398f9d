//! Files in S3: sent by browsers straight to a bucket, read with a bound, kept under a name, shown at an address.
//!
//! Next door: `edge` tells a function which files have come (`Function::objects`). Absent on purpose: what a file
//! holds, and whose it is; names of files are given by whoever keeps them.
//!
//! An address is signed in real time, for whoever checks it knows no other, also where a sandbox's clock has been
//! moved. A file is read one byte beyond the bound, whatever was said of its length before.

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use edge::world::Unset;
use edge::{Again, Clock, Problem, World};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Write;
use std::time::Duration;

/// What is named by its own content stays as it is.
pub const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// One bucket, as a function may use it.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
}

/// A file as it is kept.
#[derive(Debug, Clone, Default)]
pub struct File<'a> {
    pub content_type: &'a str,
    pub bytes: Vec<u8>,
    /// What it is called where it is saved; shown in the browser all the same.
    pub called: Option<String>,
    /// Whether it is saved only, and never shown in the browser.
    pub saved: bool,
    /// Whether whoever has it may keep it for ever.
    pub lasting: bool,
}

/// Where something can be done with a file for some time, without further proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub url: String,
    /// To be sent along.
    pub headers: BTreeMap<String, String>,
    /// In real time.
    pub expires_at: Timestamp,
}

/// What was found under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    Nothing,
    /// It has more bytes than the bound.
    TooLarge,
    File(Vec<u8>),
}

/// What came of pouring a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Poured {
    Nothing,
    /// It has more bytes than the bound.
    TooLarge,
    All(u64),
}

/// Why a file is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error(transparent)]
    Unset(#[from] Unset),
    /// Another write of the same name is under way.
    #[error("the file is being written by somebody else")]
    Busy,
    #[error("{doing} failed")]
    Call { doing: &'static str, source: Box<dyn Error + Send + Sync> },
}

impl Fault {
    fn call(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Call { doing, source: source.into() }
    }
}

impl From<Fault> for Problem {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Busy => Self::busy(),
            Fault::Unset(_) | Fault::Call { .. } => Self::fault(&fault),
        }
    }
}

impl From<Fault> for Again {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Busy => Self::Busy,
            Fault::Unset(unset) => Self::call("find the bucket", unset),
            Fault::Call { doing, source } => Self::call(doing, source),
        }
    }
}

impl Bucket {
    /// The one that the template names in this variable.
    ///
    /// # Errors
    /// If it names none.
    pub fn of(world: &World, variable: &str) -> Result<Self, Fault> {
        let name = world.variable(variable)?.to_owned();
        let config = aws_sdk_s3::config::Builder::from(&world.aws).force_path_style(true);
        // An address is signed before there is a body to sum.
        let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        Ok(Self { client: Client::from_conf(config.build()), name })
    }

    /// Where a file can be fetched.
    ///
    /// # Errors
    /// If the function has no credentials to sign with.
    pub async fn address(&self, key: &str, good_for: Duration) -> Result<Address, Fault> {
        let (signing, expires_at) = signing(good_for)?;
        let get = self.client.get_object().bucket(&self.name).key(key).presigned(signing).await;
        let get = get.map_err(|error| Fault::call("sign an address", error))?;
        Ok(Address { url: get.uri().to_owned(), headers: BTreeMap::new(), expires_at })
    }

    /// Where a file of this type and length can be sent by a PUT with the headers, and no other.
    ///
    /// # Errors
    /// If the function has no credentials to sign with.
    pub async fn room(
        &self,
        key: &str,
        (content_type, length): (&str, i64),
        good_for: Duration,
    ) -> Result<Address, Fault> {
        let (signing, expires_at) = signing(good_for)?;
        let put = self.client.put_object().bucket(&self.name).key(key);
        let put = put.content_type(content_type).content_length(length).presigned(signing).await;
        let put = put.map_err(|error| Fault::call("sign an address", error))?;
        let headers = put.headers().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Address { url: put.uri().to_owned(), headers, expires_at })
    }

    /// # Errors
    /// If the bucket does not answer.
    pub async fn has(&self, key: &str) -> Result<bool, Fault> {
        match self.client.head_object().bucket(&self.name).key(key).send().await {
            Ok(_) => Ok(true),
            Err(error) if error.raw_response().is_some_and(is_missing) => Ok(false),
            Err(error) => Err(Fault::call("look for a file", error)),
        }
    }

    /// A file of so many bytes at the most.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn fetch(&self, key: &str, most: usize) -> Result<Found, Fault> {
        let get = self.client.get_object().bucket(&self.name).key(key);
        let got = match get.range(format!("bytes=0-{most}")).send().await {
            Ok(got) => got,
            Err(error) if error.raw_response().is_some_and(is_missing) => return Ok(Found::Nothing),
            // Of a file without a byte no range can be had.
            Err(error) if error.code() == Some("InvalidRange") => return Ok(Found::File(Vec::new())),
            Err(error) => return Err(Fault::call("fetch a file", error)),
        };
        let bytes = got.body.collect().await.map_err(|error| Fault::call("read a file", error))?;
        let bytes = bytes.into_bytes();
        Ok(if bytes.len() > most { Found::TooLarge } else { Found::File(bytes.into()) })
    }

    /// As [`fetch`](Self::fetch), piece by piece into a place that is larger than memory; answers how many bytes came.
    ///
    /// # Errors
    /// If the bucket does not answer, or the place does not take it.
    pub async fn fetch_into(&self, key: &str, most: u64, into: &mut impl Write) -> Result<Poured, Fault> {
        let got = match self.client.get_object().bucket(&self.name).key(key).send().await {
            Ok(got) => got,
            Err(error) if error.raw_response().is_some_and(is_missing) => return Ok(Poured::Nothing),
            Err(error) => return Err(Fault::call("fetch a file", error)),
        };
        let (mut body, mut bytes) = (got.body, 0_u64);
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| Fault::call("read a file", error))?;
            bytes = bytes.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if bytes > most {
                return Ok(Poured::TooLarge);
            }
            into.write_all(&piece).map_err(|error| Fault::call("keep what was read", error))?;
        }
        Ok(Poured::All(bytes))
    }

    /// A file in the place of what is there.
    ///
    /// # Errors
    /// If the bucket does not take it.
    pub async fn keep(&self, key: &str, file: File<'_>) -> Result<(), Fault> {
        self.put(key, file, None).await
    }

    /// A file where there is none; what somebody else has put meanwhile stays.
    ///
    /// # Errors
    /// If the bucket does not take it.
    pub async fn keep_first(&self, key: &str, file: File<'_>) -> Result<(), Fault> {
        self.put(key, file, Some("*")).await
    }

    async fn put(&self, key: &str, file: File<'_>, unless: Option<&str>) -> Result<(), Fault> {
        let File { content_type, bytes, called, saved, lasting } = file;
        let put = self.client.put_object().bucket(&self.name).key(key).content_type(content_type);
        let put = put.set_if_none_match(unless.map(str::to_owned)).body(ByteStream::from(bytes));
        let way = if saved { "attachment" } else { "inline" };
        let disposition = called.map(|name| format!("{way}; filename=\"{name}\""));
        let put = put.set_content_disposition(disposition.or_else(|| saved.then(|| way.to_owned())));
        match put.set_cache_control(lasting.then(|| FOR_EVER.to_owned())).send().await {
            Ok(_) => Ok(()),
            Err(error) => match error.code() {
                Some("PreconditionFailed") => Ok(()),
                Some("ConditionalRequestConflict") => Err(Fault::Busy),
                Some(_) | None => Err(Fault::call("keep a file", error)),
            },
        }
    }

    /// It is not there afterwards, whether it was or not.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn delete(&self, key: &str) -> Result<(), Fault> {
        let delete = self.client.delete_object().bucket(&self.name).key(key).send().await;
        delete.map_err(|error| Fault::call("delete a file", error))?;
        Ok(())
    }

    /// Names that begin so, in their order, a thousand at the most: those behind `after`, or the first.
    ///
    /// # Errors
    /// If the bucket does not answer.
    pub async fn names(&self, begins: &str, after: Option<String>) -> Result<Vec<String>, Fault> {
        let list = self.client.list_objects_v2().bucket(&self.name).prefix(begins).set_start_after(after);
        let list = list.send().await.map_err(|error| Fault::call("list files", error))?;
        Ok(list.contents.unwrap_or_default().into_iter().filter_map(|object| object.key).collect())
    }

    /// [`delete`](Self::delete), a thousand at the most.
    ///
    /// # Errors
    /// If the bucket does not answer, or keeps one.
    pub async fn delete_all(&self, keys: &[String]) -> Result<(), Fault> {
        if keys.is_empty() {
            return Ok(());
        }
        let unwritten = |error: BuildError| Fault::call("name files", error);
        let objects = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
        let objects = objects.collect::<Result<Vec<_>, _>>().map_err(unwritten)?;
        let all = Delete::builder().set_objects(Some(objects)).quiet(true).build().map_err(unwritten)?;
        let done = self.client.delete_objects().bucket(&self.name).delete(all).send().await;
        let done = done.map_err(|error| Fault::call("delete files", error))?;
        match done.errors.unwrap_or_default().first() {
            Some(kept) => Err(Fault::call("delete files", format!("{kept:?}"))),
            None => Ok(()),
        }
    }
}

fn is_missing(answer: &aws_sdk_s3::config::http::HttpResponse) -> bool {
    answer.status().as_u16() == 404
}

fn signing(good_for: Duration) -> Result<(PresigningConfig, Timestamp), Fault> {
    let now = Clock::System.now();
    let config = PresigningConfig::builder().start_time(now.into()).expires_in(good_for).build();
    let config = config.map_err(|error| Fault::call("sign an address", error))?;
    let expires = SignedDuration::try_from(good_for).map(|time| now.saturating_add(time));
    let expires = expires.ok().and_then(Result::ok).unwrap_or(now);
    Ok((config, expires))
}
