//! SES: mail is kept as files, one per message, and goes nowhere.

use axum::body::Bytes;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Request;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

mod read;
mod report;

use super::protocol::Answer;
use super::{Cloud, CloudError, Inner};
pub use report::Returned;
use report::Sent;

/// What becomes of a call that sends mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is refused for good.
    Refused,
    /// It is asked to come later.
    Throttled,
    /// The function may not send mail.
    NotAllowed,
    /// The account sends nothing at the moment.
    Paused,
    /// It fails, and nothing is sent.
    Failed,
    /// The mail is sent, and the answer is lost.
    NotHeard,
}

/// A mail as it lies in the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mail {
    /// Of its file; text order is the order of sending.
    pub name: String,
    pub to: Vec<String>,
    pub raw: String,
}

impl Mail {
    /// A line of its head; empty where there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> String {
        read::header(&self.raw, name)
    }

    #[must_use]
    pub fn text(&self) -> String {
        read::part(&self.raw, "text/plain")
    }

    #[must_use]
    pub fn html(&self) -> String {
        read::part(&self.raw, "text/html")
    }
}

/// The folder, and what calls to come will meet.
pub(super) struct Mails {
    folder: PathBuf,
    fates: Mutex<VecDeque<Fate>>,
    /// Mails in the folder; held while one is added, so that no two have one number.
    sent: Mutex<usize>,
}

impl Mails {
    pub(super) fn open(folder: &Path) -> Result<Self, CloudError> {
        std::fs::create_dir_all(folder).map_err(|error| CloudError::Folder(folder.to_owned(), error))?;
        let mails = Self { folder: folder.to_owned(), fates: Mutex::default(), sent: Mutex::default() };
        let sent = mails.names().map_err(|error| CloudError::Folder(folder.to_owned(), error))?.len();
        *mails.sent() = sent;
        Ok(mails)
    }

    fn sent(&self) -> std::sync::MutexGuard<'_, usize> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fates(&self) -> std::sync::MutexGuard<'_, VecDeque<Fate>> {
        self.fates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(&self) -> std::io::Result<Vec<String>> {
        let files = std::fs::read_dir(&self.folder)?;
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut names: Vec<String> = names.filter(|name| name.ends_with(".eml")).collect();
        names.sort();
        Ok(names)
    }

    /// One more file, and beside it how it was sent.
    fn keep(&self, mail: &Sent, raw: &[u8]) -> std::io::Result<()> {
        let mut sent = self.sent();
        let number = sent.saturating_add(1);
        let whom = mail.to.first().map(String::as_str).unwrap_or_default();
        let whom: String = whom.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let name = self.folder.join(format!("{number:06}-{whom:.60}.eml"));
        std::fs::write(name.with_extension("json"), serde_json::to_vec(mail)?)?;
        std::fs::write(name, raw)?;
        *sent = number;
        Ok(())
    }

    /// How a mail was sent.
    fn how(&self, name: &str) -> Option<Sent> {
        let known = self.names().ok()?.into_iter().find(|known| known == name)?;
        let text = std::fs::read(self.folder.join(known).with_extension("json")).ok()?;
        serde_json::from_slice(&text).ok()
    }
}

impl Cloud {
    /// What was sent, the first first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn mails(&self) -> Result<Vec<Mail>, CloudError> {
        let mails = &self.inner.mails;
        let unusable = |error| CloudError::Folder(mails.folder.clone(), error);
        let read = |name: String| {
            let raw = std::fs::read(mails.folder.join(&name)).map_err(unusable)?;
            let raw = String::from_utf8_lossy(&raw).into_owned();
            let to = read::header(&raw, "To");
            let to = to.split(',').map(|one| one.trim_matches([' ', '<', '>']).to_owned()).collect();
            Ok(Mail { name, to, raw })
        };
        mails.names().map_err(unusable)?.into_iter().map(read).collect()
    }

    /// How many were sent.
    #[must_use]
    pub fn mails_sent(&self) -> usize {
        *self.inner.mails.sent()
    }

    /// What the next calls that send mail will meet, one after the other; then all goes well again.
    pub fn trouble_mail(&self, fates: impl IntoIterator<Item = Fate>) {
        self.inner.mails.fates().extend(fates);
    }
}

impl Inner {
    /// Answers `SendEmail` of SES v2 with raw content, and nothing else.
    pub(super) fn mail(self: &Arc<Self>, request: &Request<Bytes>) -> Answer {
        if request.uri().path() != "/v2/email/outbound-emails" {
            return Answer::error(
                404,
                "NotFoundException",
                "The local SES sends mail and does nothing else.",
            );
        }
        let body: Value = serde_json::from_slice(request.body()).unwrap_or_default();
        let to = body.pointer("/Destination/ToAddresses").and_then(Value::as_array).into_iter().flatten();
        let to: Vec<String> = to.filter_map(|address| Some(address.as_str()?.to_owned())).collect();
        let raw = body.pointer("/Content/Raw/Data").and_then(Value::as_str);
        let Some(raw) = raw.and_then(|raw| STANDARD.decode(raw).ok()).filter(|_| !to.is_empty()) else {
            return Answer::error(
                400,
                "BadRequestException",
                "The local SES wants raw content and an address.",
            );
        };
        let fate = self.mails.fates().pop_front();
        match fate {
            Some(Fate::Refused) => {
                return Answer::error(400, "MessageRejected", "The address is on a list.");
            }
            Some(Fate::Throttled) => return Answer::error(429, "TooManyRequestsException", "Come later."),
            Some(Fate::NotAllowed) => {
                return Answer::error(403, "AccessDeniedException", "No policy allows it.");
            }
            Some(Fate::Paused) => return Answer::error(400, "SendingPausedException", "Sending is paused."),
            Some(Fate::Failed) => return Answer::error(500, "InternalFailure", "It failed."),
            Some(Fate::NotHeard) | None => {}
        }
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::to_owned);
        let set = text("ConfigurationSetName");
        if let Some(set) = set.as_ref().filter(|set| !self.template.mail_sets.contains(set)) {
            let words = format!("Configuration set <{set}> does not exist.");
            return Answer::error(404, "NotFoundException", &words);
        }
        let sent = Sent {
            id: self.next_id(),
            at: self.time.now(),
            from: text("FromEmailAddress").unwrap_or_default(),
            to,
            set,
            tags: body.get("EmailTags").and_then(Value::as_array).cloned().unwrap_or_default(),
        };
        let kept =
            self.mails.keep(&sent, &raw).map_err(|error| CloudError::Folder(self.folder.clone(), error));
        if let Err(error) = kept.and_then(|()| self.simulated(&sent)) {
            tracing::error!(error = &error as &dyn std::error::Error, "the mail is not kept");
            return Answer::error(500, "InternalFailure", "The local cloud's folder failed.");
        }
        match fate {
            Some(Fate::NotHeard) => Answer::error(500, "InternalFailure", "The answer is lost."),
            Some(Fate::Refused | Fate::Throttled | Fate::NotAllowed | Fate::Paused | Fate::Failed) | None => {
                Answer::json(&json!({ "MessageId": sent.id }))
            }
        }
    }
}
