//! What became of a mail after SES took it: bounces and complaints, as SES tells the account's event bus of them.
//!
//! A mailbox that is not there and a reader who complains are left alone from then on; the message keeps what was said
//! of it. Which message it is stands in the tags that it was sent with. A report changes something only where there is
//! such a message and its address is among those that the report names, so one that is forged or misled does nothing.

use crate::stop::left_alone;
use domain::id::{MarketplaceId, MessageId};
use domain::message::{Message, Report, Reported, Suppression, digest_of, leave_alone, reported};
use domain::text::Email;
use edge::{Again, Overtaken, World};
use events::Context;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;
use table::message::KeptMessage;
use table::{Commit, Key};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    mail: Mail,
    #[serde(default)]
    bounce: Option<Bounce>,
    #[serde(default)]
    complaint: Option<Complaint>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mail {
    message_id: String,
    timestamp: Timestamp,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Bounce {
    feedback_id: String,
    bounce_type: String,
    bounced_recipients: Vec<Whom>,
    timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Complaint {
    feedback_id: String,
    #[serde(default)]
    complaint_feedback_type: Option<String>,
    complained_recipients: Vec<Whom>,
    timestamp: Timestamp,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whom {
    email_address: String,
}

/// What is said, of whom, and the carrier's name of the report.
struct Said {
    what: Reported,
    whom: Vec<Whom>,
    at: Timestamp,
    feedback: String,
}

impl Told {
    fn said(self) -> (Mail, Option<Said>) {
        let bounce = self.bounce.map(|bounce| Said {
            what: Reported::Bounced { permanent: bounce.bounce_type == "Permanent" },
            whom: bounce.bounced_recipients,
            at: bounce.timestamp,
            feedback: bounce.feedback_id,
        });
        let complaint = self.complaint.filter(Complaint::is_one).map(|complaint| Said {
            what: Reported::Complained,
            whom: complaint.complained_recipients,
            at: complaint.timestamp,
            feedback: complaint.feedback_id,
        });
        (self.mail, bounce.or(complaint))
    }
}

impl Complaint {
    /// Feedback loops also say that a mail is welcome, or that its signature does not hold.
    fn is_one(&self) -> bool {
        !matches!(self.complaint_feedback_type.as_deref(), Some("not-spam" | "auth-failure"))
    }
}

impl Mail {
    fn tag<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.tags.get(name)?.first()?.parse().ok()
    }
}

fn is_of(message: &Message, whom: &[Whom]) -> bool {
    let digests = whom.iter().filter_map(|whom| digest_of(&whom.email_address.parse::<Email>().ok()?));
    digests.into_iter().any(|digest| digest == message.digest)
}

/// Told twice, or in another order than it came about, it comes to the same.
pub(crate) async fn told(world: World, event: Value) -> Result<(), Again> {
    let told: Told = serde_json::from_value(event).map_err(Again::Unreadable)?;
    let (mail, said) = told.said();
    let (Some(m), Some(id), Some(said)) =
        (mail.tag::<MarketplaceId>("marketplace"), mail.tag::<MessageId>("message"), said)
    else {
        return Ok(());
    };
    let Some(held) = world.table.load::<KeptMessage>(&Key::message(&m, &id)).await? else { return Ok(()) };
    let message = &held.value.message;
    if !is_of(message, &said.whom) {
        tracing::warn!(message = id.as_str(), "a report names other addresses than its message");
        return Ok(());
    }
    let Said { what, at, feedback, .. } = said;
    let cause = format!("ses:{feedback}");
    let actor = "system:notifications".to_owned();
    let context = Context { at: world.now(), actor, cause: cause.clone(), correlation: cause };
    let report = Report { what, at, reference: mail.message_id, taken_at: mail.timestamp };
    let mut commit = Commit::new(&m, &context);
    if let Some(message) = reported(message, &report) {
        commit = commit.replace(&held, &KeptMessage { message, ..held.value.clone() });
    }
    if let Some(why) = what.suppresses() {
        let fresh = Suppression { digest: message.digest.clone(), why, at };
        let known = world.table.load::<Suppression>(&Key::suppression(&m, &fresh.digest)).await?;
        if let Some(next) = leave_alone(known.as_ref().map(|known| &known.value), fresh) {
            commit = left_alone(commit, known.as_ref(), &next, Overtaken);
        }
    }
    Ok(commit.send(&world.table).await?)
}
