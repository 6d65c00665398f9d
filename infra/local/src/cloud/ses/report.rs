//! What becomes of mail after it was taken: bounces and complaints, told to the default bus as SES tells them.
//!
//! Nothing leaves this machine, so nothing comes back by itself: SES's own simulator addresses bounce and complain here
//! too, and whoever tries things out may say it of any mail that was sent under a set that is told of.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::cloud::template::{ACCOUNT, arn};
use crate::cloud::{Cloud, CloudError, Inner};

/// Addresses of SES's mailbox simulator, and what comes of mail to them.
const SIMULATED: [(&str, Returned); 2] = [
    ("bounce@simulator.amazonses.com", Returned::Bounced),
    ("complaint@simulator.amazonses.com", Returned::Complained),
];

/// What is said of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// There is no such mailbox.
    Bounced,
    /// It could not be delivered this time.
    BouncedForNow,
    /// Its reader has called it unwanted.
    Complained,
}

/// How a mail was sent, kept beside it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Sent {
    pub(super) id: String,
    pub(super) at: Timestamp,
    pub(super) from: String,
    pub(super) to: Vec<String>,
    pub(super) set: Option<String>,
    /// As they were given: `Name` and `Value` of each.
    pub(super) tags: Vec<Value>,
}

impl Sent {
    /// Its tags as SES tells them: lists of values by name, with those of its own.
    fn tags(&self) -> Value {
        let mut all = Map::new();
        let own = self.set.iter().map(|set| ("ses:configuration-set", set.as_str()));
        let text = |tag: &'_ Value, member: &str| tag.get(member).and_then(Value::as_str).map(str::to_owned);
        for (name, value) in own {
            all.insert(name.to_owned(), json!([value]));
        }
        for tag in &self.tags {
            if let (Some(name), Some(value)) = (text(tag, "Name"), text(tag, "Value")) {
                all.insert(name, json!([value]));
            }
        }
        Value::Object(all)
    }
}

impl Returned {
    fn kind(self) -> &'static str {
        match self {
            Self::Bounced | Self::BouncedForNow => "bounce",
            Self::Complained => "complaint",
        }
    }

    fn detail_type(self) -> &'static str {
        match self {
            Self::Bounced | Self::BouncedForNow => "Email Bounced",
            Self::Complained => "Email Complaint Received",
        }
    }

    fn detail(self, sent: &Sent, at: Timestamp, id: &str) -> Value {
        let mail = json!({
            "timestamp": sent.at.to_string(),
            "source": sent.from,
            "sendingAccountId": ACCOUNT,
            "messageId": sent.id,
            "destination": sent.to,
            "headersTruncated": false,
            "headers": [],
            "commonHeaders": { "from": [sent.from], "to": sent.to },
            "tags": sent.tags(),
        });
        let bounce = |kind: &str, sub: &str, status: &str| {
            let recipient = |to: &String| {
                let said = format!("smtp; 550 {status}");
                json!({ "emailAddress": to, "action": "failed", "status": status, "diagnosticCode": said })
            };
            json!({
                "feedbackId": id,
                "bounceType": kind,
                "bounceSubType": sub,
                "bouncedRecipients": sent.to.iter().map(recipient).collect::<Vec<_>>(),
                "timestamp": at.to_string(),
                "reportingMTA": "dns; localhost",
            })
        };
        match self {
            Self::Bounced => {
                let bounce = bounce("Permanent", "General", "5.1.1");
                json!({ "eventType": "Bounce", "bounce": bounce, "mail": mail })
            }
            Self::BouncedForNow => {
                let bounce = bounce("Transient", "MailboxFull", "4.2.2");
                json!({ "eventType": "Bounce", "bounce": bounce, "mail": mail })
            }
            Self::Complained => {
                let recipient = |to: &String| json!({ "emailAddress": to });
                let complaint = json!({
                    "feedbackId": id,
                    "complaintFeedbackType": "abuse",
                    "complaintSubType": null,
                    "complainedRecipients": sent.to.iter().map(recipient).collect::<Vec<_>>(),
                    "timestamp": at.to_string(),
                    "arrivalDate": at.to_string(),
                    "userAgent": "the local cloud",
                });
                json!({ "eventType": "Complaint", "complaint": complaint, "mail": mail })
            }
        }
    }
}

impl Cloud {
    /// Tells what has become of a mail, by its name; not, where the template says that nobody is told.
    ///
    /// # Errors
    /// If there is no such mail, or the store fails.
    pub fn report_mail(&self, name: &str, what: Returned) -> Result<(), CloudError> {
        let sent = self.inner.mails.how(name).ok_or_else(|| CloudError::NoSuch(format!("mail {name}")))?;
        self.inner.returned(&sent, what)
    }
}

impl Inner {
    pub(super) fn simulated(&self, sent: &Sent) -> Result<(), CloudError> {
        let simulated = SIMULATED.iter().filter(|(address, _)| sent.to.iter().any(|to| to == address));
        simulated.map(|(_, what)| *what).try_for_each(|what| self.returned(sent, what))
    }

    fn returned(&self, sent: &Sent, what: Returned) -> Result<(), CloudError> {
        let Some(set) = &sent.set else { return Ok(()) };
        let told = |kinds: &[String]| kinds.iter().any(|kind| kind == what.kind());
        let heard = self.template.mail_reports.iter().any(|of| of.set == *set && told(&of.kinds));
        if heard {
            let resource = arn("ses", &format!("configuration-set/{set}"));
            let detail = what.detail(sent, self.time.now(), &self.next_id());
            self.announce(what.detail_type(), "aws.ses", &resource, &detail)?;
        }
        Ok(())
    }
}
