//! One call of a receiver: signed, short, and never an error.
//!
//! Bounded in every direction: ten seconds in all, one connection, no redirection, no proxy, a kilobyte of the answer.

use crate::guard::{Forbidden, Guarded, LookUp, Net, by_the_system};
use domain::webhook::{Answer, Delivery, Endpoint, Trouble, Try};
use edge::{Clock, World, signed};
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use jiff::{SignedDuration, Timestamp};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};
use std::error::Error;
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// A receiver that has not taken a message by then has not taken it.
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// So much of an answer is kept.
const ANSWER_MAX: usize = 1_024;

/// Who calls receivers; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Receivers {
    pub(crate) net: Net,
    way: Way,
    patience: Duration,
}

type Making = Box<dyn FnOnce() -> Option<Client> + Send>;

/// How a message gets to its receiver.
#[derive(Clone)]
enum Way {
    /// None where no client can be made, such as where there are no root certificates. Made with the first message:
    /// to read the certificates takes longer than all else of a start, and most that starts sends nothing.
    Net(Arc<LazyLock<Option<Client>, Making>>),
    /// Receivers that somebody plays in this process, on clocks that stand: a socket would have its own time.
    Played(Played),
}

impl fmt::Debug for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Net(_) => "net",
            Self::Played(_) => "played",
        })
    }
}

/// What comes to a receiver.
#[derive(Debug, Clone)]
pub struct Sent {
    pub address: String,
    /// That of Standard Webhooks: the same however often it is sent.
    pub id: String,
    pub body: String,
}

/// Plays the receivers: answers with a status.
pub type Played = Arc<dyn Fn(Sent) -> BoxFuture<'static, u16> + Send + Sync>;

/// What a call has come to.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) call: Try,
    /// What the receiver has asked for.
    pub(crate) retry_after: Option<SignedDuration>,
}

impl Receivers {
    pub(crate) fn of(world: &World) -> Self {
        Self::resolving(Net::of(world), by_the_system())
    }

    pub(crate) fn resolving(net: Net, look_up: LookUp) -> Self {
        let make = move || {
            let client = Client::builder()
                .dns_resolver(Guarded { net, look_up })
                .redirect(Policy::none())
                .referer(false)
                .no_proxy()
                .https_only(net == Net::Public)
                .connect_timeout(CONNECT_PATIENCE)
                // A connection that a sandbox has slept over is a failed try.
                .pool_max_idle_per_host(0)
                .build();
            let client = client.inspect_err(|error| {
                tracing::error!(error = edge::chain(error), "no client for webhooks");
            });
            client.ok()
        };
        Self { net, way: Way::Net(Arc::new(LazyLock::new(Box::new(make)))), patience: PATIENCE }
    }

    pub(crate) fn played(net: Net, by: Played) -> Self {
        Self { net, way: Way::Played(by), patience: PATIENCE }
    }

    /// Sends a message to an endpoint.
    pub(crate) async fn call(&self, now: Timestamp, endpoint: &Endpoint, delivery: &Delivery) -> Heard {
        let begun = Instant::now();
        // Signatures are judged by real time, wherever our own clock stands.
        let signed_at = Clock::System.now();
        let secrets = endpoint.secrets(now);
        let headers = signed::headers(&secrets, delivery.id.as_str(), signed_at, delivery.body.as_bytes());
        let (answer, retry_after) = self.send(&endpoint.address, headers, &delivery.body, signed_at).await;
        let milliseconds = u32::try_from(begun.elapsed().as_millis()).unwrap_or(u32::MAX);
        Heard { call: Try { at: now, answer, milliseconds }, retry_after }
    }

    async fn send(
        &self,
        address: &str,
        headers: [(&'static str, String); 3],
        body: &str,
        now: Timestamp,
    ) -> (Answer, Option<SignedDuration>) {
        let none = |trouble| (Answer::None(trouble), None);
        let deadline = Instant::now() + self.patience;
        let client = match &self.way {
            Way::Net(client) => match LazyLock::force(client) {
                Some(client) => client,
                None => return none(Trouble::NoConnection),
            },
            Way::Played(by) => {
                let [(_, id), ..] = headers;
                let sent = Sent { address: address.to_owned(), id, body: body.to_owned() };
                return match timeout_at(deadline, by(sent)).await {
                    Ok(code) => (Answer::Status { code, body: String::new() }, None),
                    Err(_) => none(Trouble::TimedOut),
                };
            }
        };
        // The address was judged when it was kept; what is kept may be older than today's rules.
        let Ok(url) = self.net.read(address) else { return none(Trouble::AddressRefused) };
        let mut request = client
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, "Souk-Webhooks/1")
            .body(body.to_owned());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        match timeout_at(deadline, request.send()).await {
            Err(_) => none(Trouble::TimedOut),
            Ok(Err(error)) => none(trouble(&error)),
            Ok(Ok(mut answer)) => {
                let code = answer.status().as_u16();
                let retry_after = retry_after(&answer, now);
                let mut body = Vec::new();
                // The status is the answer; a body that does not end is none of it.
                let _late = timeout_at(deadline, begin_of(&mut answer, &mut body)).await;
                let body = String::from_utf8_lossy(&body).into_owned();
                (Answer::Status { code, body }, retry_after)
            }
        }
    }
}

async fn begin_of(answer: &mut Response, body: &mut Vec<u8>) {
    while body.len() < ANSWER_MAX {
        let Ok(Some(chunk)) = answer.chunk().await else { return };
        body.extend_from_slice(&chunk);
        body.truncate(ANSWER_MAX);
    }
}

/// Seconds, or a date.
fn retry_after(answer: &Response, now: Timestamp) -> Option<SignedDuration> {
    let text = answer.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let seconds = text.parse::<u32>().ok().map(|seconds| SignedDuration::from_secs(i64::from(seconds)));
    let until = || {
        let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(at.duration_since(now).max(SignedDuration::ZERO))
    };
    seconds.or_else(until)
}

fn trouble(error: &reqwest::Error) -> Trouble {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Forbidden>() {
            return Trouble::AddressRefused;
        }
        cause = error.source();
    }
    match error {
        error if error.is_timeout() => Trouble::TimedOut,
        error if error.is_connect() => Trouble::NoConnection,
        _ => Trouble::NoAnswer,
    }
}

#[cfg(test)]
mod tests;
