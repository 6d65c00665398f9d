//! A request that changes something: who asks, what exactly, and whether it was asked before.
//!
//! Idempotency (decisions of the house): the key is (marketplace, principal, method, path, key); the record holds the
//! body's digest, the status and the resource, and is written in the transaction of the effect. Refusals are not kept.

use crate::identity::{Caller, Reach};
use crate::objects;
use crate::precondition::Precondition;
use crate::problem::Problem;
use crate::routes::{Admitted, TraceId};
use crate::world::World;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use domain::id::sha256_hex;
use events::Context;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use lambda_http::request::RequestContext;
use serde::{Serialize, de::DeserializeOwned};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use table::access::Asked;
use table::audit::Refusal;
use table::{Commit, Key};

/// The most bytes of a body; larger ones are a 413.
const BODY_MAX: usize = 1_000_000;
/// Idempotency records live a day longer than the field's promise of 24 hours.
const KEPT: SignedDuration = SignedDuration::from_hours(48);

/// A request with a body, read: whoever handles it need not look at HTTP any more.
#[derive(Debug, Clone)]
pub struct Command<T> {
    pub caller: Caller,
    /// Whose objects the operation's scope lets the caller change.
    pub reach: Reach,
    pub body: T,
    /// The request's own id; heads the chain of causes.
    pub request: String,
    /// SHA-256 of the body's bytes.
    pub digest: String,
    /// Method and path, as refusals keep it.
    action: String,
    asked: Option<String>,
    precondition: Precondition,
    /// Whether it is a PATCH, which says what it has seen.
    patches: bool,
    /// Whether it was tried once, without a look for an earlier answer.
    tried: Arc<AtomicBool>,
}

impl<T> Command<T> {
    /// The context of what this request causes.
    pub fn context(&self, now: Timestamp) -> Context {
        let (actor, request) = (self.caller.actor.clone(), self.request.clone());
        Context { at: now, actor, cause: request.clone(), correlation: request }
    }

    /// Whether a request for a change was asked before, so that the thing is answered as it is; if not, whether the
    /// caller has seen it at its current revision (a repeat names the revision that it was made for).
    ///
    /// `ahead`: the change would go ahead. Then nothing is read at first: the record of the request, written with its
    /// effect, is what tells a repeat, and only who was overtaken there has to look.
    pub async fn repeats(&self, world: &World, revision: u64, ahead: bool) -> Result<bool, Problem> {
        let seen = self.if_match(revision);
        if self.before(world, ahead && seen.is_ok()).await?.is_some() {
            return Ok(true);
        }
        seen.map(|()| false)
    }

    /// [`asked_before`](Self::asked_before), but for a first try that would go ahead.
    pub async fn before(&self, world: &World, ahead: bool) -> Result<Option<Asked>, Problem> {
        let again = self.tried.swap(true, Ordering::Relaxed);
        if ahead && !again && self.asked.is_some() { Ok(None) } else { self.asked_before(world).await }
    }

    /// Whether the caller has seen the thing at its current revision: a PATCH must say so, others may.
    pub fn if_match(&self, current: u64) -> Result<(), Problem> {
        self.precondition.holds(current)
    }

    /// What was decided of a thing that lies with `whole`. A refusal by its state leaves a record there before it is
    /// answered (A1(3)); if that cannot be written, the caller hears of the fault instead.
    pub async fn audited<D, R: Into<Problem>>(
        &self,
        world: &World,
        whole: &Key,
        subject: &str,
        decided: Result<D, R>,
    ) -> Result<D, Problem> {
        let problem = match decided {
            Ok(decided) => return Ok(decided),
            Err(refused) => refused.into(),
        };
        if problem.status == 409 {
            let refusal = Refusal {
                subject: subject.to_owned(),
                at: world.now(),
                actor: self.caller.actor.clone(),
                request: self.request.clone(),
                action: self.action.clone(),
                code: problem.code.to_owned(),
                why: problem.detail.as_deref().unwrap_or(problem.title).to_owned(),
            };
            world.table.keep_refusal(whole, &refusal).await?;
        }
        Err(problem)
    }

    /// What was made or changed when this was asked before; a systems' request must carry a key. A record that has
    /// expired says nothing, also where it is still there: the write takes its place.
    pub async fn asked_before(&self, world: &World) -> Result<Option<Asked>, Problem> {
        let Some(digest) = &self.asked else {
            // Who patches what it has seen finds it changed when it asks again; a POST may change it twice.
            if self.caller.is_system() && !self.patches {
                return Err(Problem::new(400, "idempotency_key_missing", "An Idempotency-Key is required")
                    .with(
                        "requests with an API key carry an `Idempotency-Key` header, so that a retry is safe",
                    ));
            }
            return Ok(None);
        };
        let key = Key::idempotency(&self.caller.marketplace, digest);
        match world.table.load_live::<Asked>(&key, world.now()).await?.map(|held| held.value) {
            Some(asked) if asked.body != self.digest => Err(Problem::key_reused()),
            before => Ok(before),
        }
    }

    /// Digests of the request's idempotency key and of its body, for a thing that knows its last requests itself.
    pub fn key_and_body(&self) -> Option<(&str, &str)> {
        self.asked.as_deref().map(|key| (key, self.digest.as_str()))
    }

    /// Adds the record of this request to its effect, if it carried a key.
    pub fn remember<'a, C: std::fmt::Debug>(
        &self,
        commit: Commit<'a, C>,
        now: Timestamp,
        status: u16,
        resource: &str,
        taken: C,
    ) -> Commit<'a, C> {
        let Some(digest) = self.asked.clone() else { return commit };
        let asked = Asked { digest, body: self.digest.clone(), status, resource: resource.to_owned() };
        commit.add_until(&asked, now.saturating_add(KEPT).unwrap_or(Timestamp::MAX), taken)
    }
}

impl<T: DeserializeOwned + Send> FromRequest<World> for Command<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &World) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Admitted { caller, reach } = Admitted::of(&mut parts.extensions)?;
        let TraceId(request) = parts.extensions.remove().ok_or_else(Problem::internal)?;
        let precondition = Precondition::of(&parts.method, &parts.headers)?;
        let patches = parts.method == Method::PATCH;
        let (body, digest) = read_body(body).await?;
        let action = format!("{} {}", parts.method, parts.uri.path());
        let asked = match idempotency_key(&parts.headers)? {
            Some(key) => {
                must_be_own(&caller, parts.uri.path(), key)?;
                let path = [caller.actor.as_str(), parts.method.as_str(), parts.uri.path(), key].join("\n");
                Some(sha256_hex(path.as_bytes()))
            }
            None => None,
        };
        let tried = Arc::default();
        Ok(Self { caller, reach, body, request, digest, action, asked, precondition, patches, tried })
    }
}

/// So long is a guest's key for what is made anew: as long as a UUID without its dashes.
const GUESTS_KEY: usize = 32;

/// Guests have no name that would keep their keys apart. Where the path names nothing of theirs either, the key alone
/// is what tells one's cart from another's: it must be one that nobody guesses.
fn must_be_own(caller: &Caller, path: &str, key: &str) -> Result<(), Problem> {
    let makes = path.matches('/').count() == 2;
    if !makes || key.len() >= GUESTS_KEY || !caller.is_guest() {
        return Ok(());
    }
    Err(Problem::new(400, "idempotency_key_malformed", "The Idempotency-Key cannot be used")
        .with(format!("a guest's is one that nobody guesses, as a UUID: at least {GUESTS_KEY} characters")))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    match value.to_str() {
        Ok(key) if (1..=255).contains(&key.len()) && !key.contains('\t') => Ok(Some(key)),
        Ok(_) | Err(_) => {
            Err(Problem::new(400, "idempotency_key_malformed", "The Idempotency-Key cannot be used")
                .with("want 1 to 255 visible ASCII characters"))
        }
    }
}

/// A JSON body, and the SHA-256 of its bytes; none at all is an empty object.
pub async fn read_body<T: DeserializeOwned>(body: axum::body::Body) -> Result<(T, String), Problem> {
    let bytes = axum::body::to_bytes(body, BODY_MAX).await.map_err(|_| {
        Problem::new(413, "body_too_large", "The body is too large").with(format!("at most {BODY_MAX} bytes"))
    })?;
    let given = if bytes.is_empty() { b"{}".as_slice() } else { &bytes };
    Ok((objects::from_slice(given).map_err(Problem::malformed)?, sha256_hex(&bytes)))
}

/// The id that the API gave the request, or a fresh one.
pub(crate) fn request_id(world: &World, extensions: &http::Extensions) -> String {
    let given = match extensions.get::<RequestContext>() {
        Some(RequestContext::ApiGatewayV2(context)) => context.request_id.clone(),
        _ => None,
    };
    given.unwrap_or_else(|| format!("{:032x}", world.fresh()))
}

/// Another request was there first: the idempotency key, the fresh id or the entry is taken. What it did is found at
/// the next look, so this is "busy, try again" and never an answer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overtaken;

impl From<Overtaken> for Problem {
    fn from(_: Overtaken) -> Self {
        Self::busy()
    }
}

/// An answer: a representation, its revision as ETag, and whether it repeats an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply<T> {
    status: u16,
    body: T,
    revision: Option<u64>,
    replayed: bool,
}

impl<T: Serialize> Reply<T> {
    pub fn ok(body: T) -> Self {
        Self { status: 200, body, revision: None, replayed: false }
    }

    pub fn created(body: T) -> Self {
        Self { status: 201, ..Self::ok(body) }
    }

    /// Taken in; what comes of it is to be asked for.
    pub fn accepted(body: T) -> Self {
        Self { status: 202, ..Self::ok(body) }
    }

    #[must_use]
    pub fn revision(self, revision: u64) -> Self {
        Self { revision: Some(revision), ..self }
    }

    /// The same answer with more in its body, unless it repeats an earlier one.
    #[must_use]
    pub fn map_new(self, more: impl FnOnce(T) -> T) -> Self {
        if self.replayed { self } else { Self { body: more(self.body), ..self } }
    }

    /// The same with another representation of the same thing.
    #[must_use]
    pub fn with(self, body: T) -> Self {
        Self { body, ..self }
    }

    /// The same as the answer of a request that makes something, unless it repeats an earlier one.
    #[must_use]
    pub fn making(self) -> Self {
        if self.replayed { self } else { Self { status: 201, ..self } }
    }

    /// The answer to a request that was asked before.
    #[must_use]
    pub fn replayed(self) -> Self {
        Self { status: 200, replayed: true, ..self }
    }
}

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let body = match serde_json::to_string(&self.body) {
            Ok(body) => body,
            Err(error) => return Problem::fault(&error).into_response(),
        };
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let etag = self.revision.and_then(|revision| HeaderValue::from_str(&format!("\"{revision}\"")).ok());
        if let Some(etag) = etag {
            headers.insert(header::ETAG, etag);
        }
        if self.replayed {
            headers.insert("idempotent-replayed", HeaderValue::from_static("true"));
        }
        response
    }
}
