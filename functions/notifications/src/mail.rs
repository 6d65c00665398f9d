//! E-mail: a letter becomes MIME, and SES takes it.
//!
//! Nothing of a letter can break its head: names and subjects are one line of plain text before they are encoded, and
//! an address is what `domain::text::Email` lets through.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::id::{MarketplaceId, MessageId};
use domain::text::Email;
use edge::World;
use edge::aws_call::{Answer, Call, Error};
use jiff::Timestamp;
use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;
use mail_builder::headers::url::URL;
use serde_json::{Value, json};

/// More is cut off: a subject is a line.
const SUBJECT_MAX: usize = 200;

/// What one person gets.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: MessageId,
    pub(crate) marketplace: MarketplaceId,
    /// The marketplace's name.
    pub(crate) sender: String,
    pub(crate) to: Email,
    pub(crate) reply_to: Option<Email>,
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
    /// What a mail program posts to if its reader wants no more (RFC 8058).
    pub(crate) unsubscribe: Option<String>,
    pub(crate) at: Timestamp,
}

/// What became of a call.
#[derive(Debug)]
pub(crate) enum Carried {
    /// Under the carrier's reference.
    Taken(String),
    /// It will not take it.
    Refused(String),
    /// It takes nothing at the moment, and has not taken this.
    Later(String),
    /// Nobody knows.
    Unknown(Error),
}

/// A text of one line: what could end a line of a head is a space.
pub(crate) fn line(text: &str) -> String {
    let plain = |c: char| if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') { ' ' } else { c };
    let text: String = text.chars().map(plain).take(SUBJECT_MAX).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What looks like an encoded word (RFC 2047) is none: mail programs would read something else out of it, line ends
/// too.
/// With an invisible space in it, it is text that gets encoded itself.
fn literal(text: &str) -> String {
    line(text).replace("=?", "=\u{200b}?")
}

impl Letter {
    /// Its Message-ID: the same however often it is sent.
    fn message_id(&self, from: &str) -> String {
        let host = from.rsplit_once('@').map_or("localhost", |(_, host)| host);
        format!("{}@{host}", self.id)
    }

    /// The whole of it, as it goes over the wire.
    pub(crate) fn mime(&self, from: &str) -> Result<String, std::io::Error> {
        let mut mail = MessageBuilder::new()
            .message_id(self.message_id(from))
            .date(self.at.as_second())
            .from((literal(&self.sender), from.to_owned()))
            .to(self.to.as_str())
            .subject(literal(&self.subject))
            .header("Auto-Submitted", Raw::new("auto-generated"))
            .text_body(self.text.as_str())
            .html_body(self.html.as_str());
        if let Some(reply_to) = &self.reply_to {
            mail = mail.reply_to(reply_to.as_str());
        }
        if let Some(unsubscribe) = &self.unsubscribe {
            mail = mail
                .header("List-Unsubscribe", URL::new(unsubscribe.as_str()))
                .header("List-Unsubscribe-Post", Raw::new("List-Unsubscribe=One-Click"));
        }
        mail.write_to_string()
    }
}

/// Hands a letter to SES, once. No sender is set: then it is only logged, without its words.
pub(crate) async fn carry(world: &World, letter: &Letter) -> Carried {
    let from = match world.variable("MAIL_FROM") {
        Ok(from) if !from.is_empty() => from,
        Ok(_) | Err(_) => {
            tracing::warn!(message = letter.id.as_str(), "no sender is set: no mail is sent");
            return Carried::Refused("no sender is set".to_owned());
        }
    };
    let raw = match letter.mime(from) {
        Ok(raw) => raw,
        Err(error) => return Carried::Refused(error.to_string()),
    };
    let tag = |name: &str, value: &str| json!({ "Name": name, "Value": value });
    let mut body = json!({
        "FromEmailAddress": from,
        "Destination": { "ToAddresses": [letter.to.as_str()] },
        "Content": { "Raw": { "Data": STANDARD.encode(raw) } },
        // Reports of what becomes of it have these, so that they are told which message they are about.
        "EmailTags": [tag("marketplace", letter.marketplace.as_str()), tag("message", letter.id.as_str())],
    });
    if let Ok(set) = world.variable("MAIL_SET") {
        body["ConfigurationSetName"] = set.into();
    }
    let path = "/v2/email/outbound-emails";
    let call = Call { service: "ses", host: "email", path, kind: "application/json", target: None };
    match call.send(&world.aws, body.to_string()).await {
        Ok(answer) => carried(answer),
        Err(error) => Carried::Unknown(error),
    }
}

/// Only what is wrong with the letter or its address is for good. All else that SES refuses (no permission, no verified
/// sender, a paused or restricted account, a configuration set that is gone, more than it takes) is a fault of the
/// set-up, which somebody repairs: the message waits, at last with the dead letters.
fn carried(Answer { status, error, body }: Answer) -> Carried {
    let said = serde_json::from_str::<Value>(&body).unwrap_or_default();
    let text = |name: &str| said.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let why = format!("{error}: {}", text("message"));
    match (status, error.as_str()) {
        (200..=299, _) => Carried::Taken(text("MessageId")),
        (400..=499, "BadRequestException") => Carried::Refused(why),
        // In the sandbox, and where the sender's domain is not verified, it is called so too.
        (400..=499, "MessageRejected") if !why.contains("not verified") => Carried::Refused(why),
        (400..=499, _) => Carried::Later(why),
        _ => Carried::Unknown(format!("SES answered {status}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(subject: &str, sender: &str) -> Letter {
        Letter {
            id: MessageId::from_bits(7),
            marketplace: MarketplaceId::from_bits(1),
            sender: sender.to_owned(),
            to: "ines@post.example".parse().unwrap(),
            reply_to: Some("help@shop.example".parse().unwrap()),
            subject: subject.to_owned(),
            html: "<p>Grüße</p>".to_owned(),
            text: "Grüße".to_owned(),
            unsubscribe: Some("https://api.example/v1/unsubscribe/t".to_owned()),
            at: "2026-03-02T09:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_letter_has_both_parts_one_message_id_and_a_way_out() {
        let mime = letter("Your order", "Shop").mime("shop@souk.example").unwrap();
        for part in [
            "Message-ID: <msg_00000000000000000000000007@souk.example>\r\n",
            "From: \"Shop\" <shop@souk.example>\r\n",
            "To: <ines@post.example>\r\n",
            "Reply-To: <help@shop.example>\r\n",
            "Subject: Your order\r\n",
            "Date: Mon, 2 Mar 2026 09:00:00 +0000\r\n",
            "List-Unsubscribe: <https://api.example/v1/unsubscribe/t>\r\n",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
            "multipart/alternative",
            "text/plain",
            "text/html",
        ] {
            assert!(mime.contains(part), "{part} is not in\n{mime}");
        }
    }

    #[test]
    fn nothing_in_a_letter_breaks_its_head() {
        for evil in [
            "Hi\r\nBcc: all@evil.example",
            "Hi\nBcc: all@evil.example",
            "Hi\u{2028}Bcc: x",
            "Hi\0\r\n\r\nBody",
        ] {
            let mime = letter(evil, evil).mime("shop@souk.example").unwrap();
            let head = mime.split("\r\n\r\n").next().unwrap();
            assert!(!head.lines().any(|line| line.to_lowercase().starts_with("bcc")), "{head}");
            assert!(!mime.contains("\r\nBody"), "{mime}");
        }
        let word = "=?utf-8?Q?Hi=0D=0ABcc:_all@evil.example?=";
        let mime = letter(word, word).mime("shop@souk.example").unwrap();
        assert!(!mime.contains(word), "{mime}");
        for address in
            ["ines@post.example\r\nBcc: all@evil.example", "a@b.example,c@d.example", "a@b.example>"]
        {
            assert!(address.parse::<Email>().is_err(), "{address}");
        }
    }

    #[test]
    fn what_is_wrong_with_the_letter_is_for_good_and_what_is_wrong_with_the_set_up_is_not() {
        let unverified =
            "Email address is not verified. The following identities failed the check in region EU";
        for (status, error, message, want) in [
            (400, "MessageRejected", "The message contains a virus", "refused"),
            (400, "BadRequestException", "Missing final '@domain'", "refused"),
            (400, "MessageRejected", unverified, "later"),
            (400, "MailFromDomainNotVerifiedException", "No MX record", "later"),
            (400, "AccountSuspendedException", "Restricted", "later"),
            (400, "SendingPausedException", "Paused", "later"),
            (400, "LimitExceededException", "Daily message quota exceeded", "later"),
            (403, "AccessDeniedException", "No policy allows it", "later"),
            (404, "NotFoundException", "Configuration set <set> does not exist", "later"),
            (429, "TooManyRequestsException", "Maximum sending rate exceeded", "later"),
            (500, "InternalFailure", "It failed", "unknown"),
        ] {
            let body = json!({ "message": message }).to_string();
            let carried = match carried(Answer { status, error: error.to_owned(), body }) {
                Carried::Taken(_) => "taken",
                Carried::Refused(_) => "refused",
                Carried::Later(_) => "later",
                Carried::Unknown(_) => "unknown",
            };
            assert_eq!(carried, want, "{error}: {message}");
        }
    }
}
