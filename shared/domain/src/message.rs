//! Messages to people: what is written to whom by which way, and who must not be written to.
//!
//! `begun → sent | not sent`, and `begun → waiting → begun` while a carrier takes nothing. A message is named by
//! (event, recipient, channel), so an event that comes again writes nothing again. Invariants: nothing that needs a
//! consent is begun without one, and the message keeps the moment at which it was given (A16(1)); a message of whose
//! call nobody knows the outcome is sent once more if it is a service to its reader, and never if it is not.

use crate::id::{CustomerId, MerchantId, MessageId, derive, sha256_hex};
use crate::text::{Email, Locale, Sha256, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A call takes less: whoever finds a message begun before that finds one whose outcome nobody knows.
pub const IN_FLIGHT: SignedDuration = SignedDuration::from_secs(60);
/// Messages are kept so long.
pub const KEPT: SignedDuration = SignedDuration::from_hours(400 * 24);
/// The most rules of a marketplace, and of a merchant.
pub const RULES_MAX: usize = 60;

/// What a message is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageKind"))]
pub enum Kind {
    OrderConfirmed,
    Shipped,
    Delivered,
    Canceled,
    Refunded,
    PaymentProblem,
    Dunning,
    TrialEnding,
    CartReminder,
    ReviewRequest,
    ReviewReply,
    BackInStock,
    MerchantInvited,
    MerchantApproved,
    MerchantOrder,
    Payout,
    BalanceCritical,
    WebhookSuspended,
}

/// Why a kind may be written at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// A part of what was bought or agreed.
    Service,
    /// Asked about what was bought, or told of what its reader waits for: until the reader says stop.
    Courtesy,
    /// Only with a consent that stands when it is sent.
    Marketing,
}

/// Whom a message is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageReader"))]
pub enum Reader {
    Customer,
    Merchant,
    Operators,
}

impl Kind {
    pub const ALL: [Self; 18] = [
        Self::OrderConfirmed,
        Self::Shipped,
        Self::Delivered,
        Self::Canceled,
        Self::Refunded,
        Self::PaymentProblem,
        Self::Dunning,
        Self::TrialEnding,
        Self::CartReminder,
        Self::ReviewRequest,
        Self::ReviewReply,
        Self::BackInStock,
        Self::MerchantInvited,
        Self::MerchantApproved,
        Self::MerchantOrder,
        Self::Payout,
        Self::BalanceCritical,
        Self::WebhookSuspended,
    ];

    /// Its word in keys, paths and templates.
    pub fn word(self) -> &'static str {
        match self {
            Self::OrderConfirmed => "order_confirmed",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Canceled => "canceled",
            Self::Refunded => "refunded",
            Self::PaymentProblem => "payment_problem",
            Self::Dunning => "dunning",
            Self::TrialEnding => "trial_ending",
            Self::CartReminder => "cart_reminder",
            Self::ReviewRequest => "review_request",
            Self::ReviewReply => "review_reply",
            Self::BackInStock => "back_in_stock",
            Self::MerchantInvited => "merchant_invited",
            Self::MerchantApproved => "merchant_approved",
            Self::MerchantOrder => "merchant_order",
            Self::Payout => "payout",
            Self::BalanceCritical => "balance_critical",
            Self::WebhookSuspended => "webhook_suspended",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub fn nature(self) -> Nature {
        match self {
            Self::OrderConfirmed
            | Self::Shipped
            | Self::Delivered
            | Self::Canceled
            | Self::Refunded
            | Self::PaymentProblem
            | Self::Dunning
            | Self::TrialEnding
            | Self::ReviewReply
            | Self::MerchantInvited
            | Self::MerchantApproved
            | Self::MerchantOrder
            | Self::Payout
            | Self::BalanceCritical
            | Self::WebhookSuspended => Nature::Service,
            Self::ReviewRequest | Self::BackInStock => Nature::Courtesy,
            Self::CartReminder => Nature::Marketing,
        }
    }

    /// Who may read it, and who does where nothing else is said.
    pub fn readers(self) -> (&'static [Reader], &'static [Reader]) {
        const CUSTOMER: &[Reader] = &[Reader::Customer];
        const MERCHANT: &[Reader] = &[Reader::Merchant];
        const BOTH: &[Reader] = &[Reader::Merchant, Reader::Operators];
        match self {
            Self::OrderConfirmed
            | Self::Shipped
            | Self::Delivered
            | Self::Canceled
            | Self::Refunded
            | Self::PaymentProblem
            | Self::Dunning
            | Self::TrialEnding
            | Self::CartReminder
            | Self::ReviewRequest
            | Self::ReviewReply
            | Self::BackInStock => (CUSTOMER, CUSTOMER),
            Self::MerchantInvited | Self::MerchantApproved | Self::MerchantOrder | Self::Payout => {
                (BOTH, MERCHANT)
            }
            Self::BalanceCritical | Self::WebhookSuspended => (BOTH, BOTH),
        }
    }
}

/// The way that a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageChannel"))]
pub enum Channel {
    Email,
    Sms,
    Push,
}

impl Channel {
    pub fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

/// By which ways a kind goes to a reader; none: it is not written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    pub kind: Kind,
    pub reader: Reader,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<Channel>,
}

/// How a marketplace writes to people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routing {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
    /// Where operators read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operators: Vec<Email>,
    /// Where answers go; none is where the marketplace's mail comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Email>,
}

/// Where a merchant reads, and what of its own it wants.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<Rule>,
}

/// Which rule a message was written by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MessageRule"))]
pub enum Because {
    /// Nobody has said anything else.
    Default,
    Marketplace,
    Merchant,
}

/// By which ways a kind goes to a reader, and who says so: the merchant before the marketplace.
pub fn channels(
    kind: Kind,
    reader: Reader,
    marketplace: &Routing,
    merchant: Option<&Contact>,
) -> (Vec<Channel>, Because) {
    let said = |rules: &[Rule]| {
        let mut named = rules.iter().filter(|rule| rule.kind == kind && rule.reader == reader);
        named.next_back().map(|rule| rule.channels.clone())
    };
    let merchant = merchant.filter(|_| reader == Reader::Merchant);
    if let Some(channels) = merchant.and_then(|contact| said(&contact.rules)) {
        return (channels, Because::Merchant);
    }
    if let Some(channels) = said(&marketplace.rules) {
        return (channels, Because::Marketplace);
    }
    let (_, first) = kind.readers();
    let channels = if first.contains(&reader) { vec![Channel::Email] } else { Vec::new() };
    (channels, Because::Default)
}

/// An address that is not written to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    /// Of the address: it is told by its digest, and never named.
    pub digest: Sha256,
    pub why: Suppressed,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SuppressionReason"))]
pub enum Suppressed {
    /// Nobody is there.
    Bounced,
    /// Its reader has called a message unwanted.
    Complained,
    /// By the link in a message: service goes on.
    Unsubscribed,
    /// An operator has said so.
    ByHand,
}

impl Suppressed {
    /// What weighs more stays, whichever is heard of first.
    fn weight(self) -> u8 {
        match self {
            Self::Unsubscribed => 0,
            Self::Bounced => 1,
            Self::Complained => 2,
            Self::ByHand => 3,
        }
    }
}

/// What is kept of an address after one more reason to leave it alone; none if it is so already. Of two stops by a
/// reader the later counts, because a consent in between has lifted the first.
pub fn leave_alone(held: Option<&Suppression>, fresh: Suppression) -> Option<Suppression> {
    let Some(held) = held else { return Some(fresh) };
    let again = fresh.why == Suppressed::Unsubscribed && fresh.why == held.why && fresh.at > held.at;
    (again || fresh.why.weight() > held.why.weight()).then_some(fresh)
}

/// What an address is told by: the same for all its spellings.
pub fn digest_of(email: &Email) -> Option<Sha256> {
    sha256_hex(email.as_str().to_lowercase().as_bytes()).parse().ok()
}

/// What a reader has said of messages of marketing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub given: bool,
    pub at: Timestamp,
}

/// Why nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NotWritten"))]
pub enum NotSent {
    NoConsent,
    Bounced,
    Complained,
    Unsubscribed,
    ByHand,
    /// The carrier of messages does not take it.
    Refused,
    /// Nobody knows whether it went, and it is not one to be sent twice.
    Unknown,
    /// What it was to tell of has gone on before a carrier took it.
    Over,
    /// The template cannot be filled in.
    Template,
}

/// Whether somebody may be written to, at the moment of sending; answers the consent that it rests on (A16(1)).
pub fn may_write(
    kind: Kind,
    said: Option<Said>,
    suppression: Option<&Suppression>,
) -> Result<Option<Timestamp>, NotSent> {
    let nature = kind.nature();
    match suppression.map(|suppression| (suppression.why, suppression.at)) {
        Some((Suppressed::Bounced, _)) => return Err(NotSent::Bounced),
        Some((Suppressed::Complained, _)) => return Err(NotSent::Complained),
        Some((Suppressed::ByHand, _)) => return Err(NotSent::ByHand),
        // A yes of later is worth more than the stop of before.
        Some((Suppressed::Unsubscribed, at)) if nature != Nature::Service => {
            if !said.is_some_and(|said| said.given && said.at > at) {
                return Err(NotSent::Unsubscribed);
            }
        }
        Some((Suppressed::Unsubscribed, _)) | None => {}
    }
    match (nature, said) {
        (Nature::Marketing, Some(Said { given: true, at })) => Ok(Some(at)),
        (Nature::Marketing, Some(Said { given: false, .. }) | None) => Err(NotSent::NoConsent),
        (Nature::Courtesy | Nature::Service, Some(_) | None) => Ok(None),
    }
}

/// Who a message went to. Not the address: that lies sealed, if at all.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "who", rename_all = "snake_case")]
pub enum Recipient {
    Customer {
        customer: CustomerId,
    },
    /// Of a cart, without an account and without an order.
    Guest,
    Merchant {
        merchant: MerchantId,
    },
    Operators,
}

/// A message as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub kind: Kind,
    pub channel: Channel,
    pub to: Recipient,
    /// Of the address that it went to.
    pub digest: Sha256,
    /// Id and name of what it tells of.
    pub event: String,
    pub of: String,
    pub because: Because,
    /// When its reader agreed to it, where it needs that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Timestamp>,
    pub locale: Word,
    /// 0 is the one that comes with the platform.
    pub template: u32,
    pub made_at: Timestamp,
    pub stage: Stage,
    /// It came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounced: Option<Bounce>,
    /// When its reader called it unwanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounce {
    pub at: Timestamp,
    /// Nobody is there; if not, nobody could be reached this time.
    pub permanent: bool,
}

/// What a carrier says of a message that it had taken. Reports come more than once and in any order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    pub what: Reported,
    pub at: Timestamp,
    /// The carrier's name of the message, and when it took it.
    pub reference: String,
    pub taken_at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reported {
    Bounced { permanent: bool },
    Complained,
}

impl Reported {
    /// Why its address is left alone from now on; a mailbox that is full today is not.
    pub fn suppresses(self) -> Option<Suppressed> {
        match self {
            Self::Bounced { permanent: true } => Some(Suppressed::Bounced),
            Self::Bounced { permanent: false } => None,
            Self::Complained => Some(Suppressed::Complained),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// The carrier takes nothing at the moment, and has not taken this.
    Waiting {
        since: Timestamp,
    },
    /// It is on its way to the carrier for the `tries`th time, or nobody knows.
    Begun {
        since: Timestamp,
        tries: u8,
    },
    Sent {
        since: Timestamp,
        /// The carrier's.
        reference: String,
    },
    NotSent {
        since: Timestamp,
        why: NotSent,
    },
}

impl MessageId {
    /// One per event, reader's address and channel: so an event that comes again writes nothing again.
    pub fn of(event: &str, digest: &Sha256, channel: Channel) -> Self {
        Self::from_bits(derive(&["message", event, digest.as_str(), channel.word()]))
    }
}

/// What is to be done with a message that is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It has come to its end.
    Nothing,
    /// Somebody may be at it.
    Wait,
    /// Under the same id, so that carriers and readers know it again.
    SendAgain(Message),
    GiveUp(Message),
}

/// An event that came again, or a crash in between: nobody knows whether it went.
pub fn again(message: &Message, now: Timestamp) -> Next {
    let with = |stage| Message { stage, ..message.clone() };
    let (since, tries) = match message.stage {
        Stage::Begun { since, tries } => (since, tries),
        Stage::Waiting { .. } => return Next::SendAgain(with(Stage::Begun { since: now, tries: 1 })),
        Stage::Sent { .. } | Stage::NotSent { .. } => return Next::Nothing,
    };
    if now.duration_since(since) < IN_FLIGHT {
        return Next::Wait;
    }
    match (message.kind.nature(), tries) {
        (Nature::Service, 0 | 1) => Next::SendAgain(with(Stage::Begun { since: now, tries: 2 })),
        (Nature::Service | Nature::Courtesy | Nature::Marketing, _) => {
            Next::GiveUp(with(Stage::NotSent { since: now, why: NotSent::Unknown }))
        }
    }
}

/// An event that came again when what it tells of has gone on: nothing more is sent of it.
pub fn over(message: &Message, now: Timestamp) -> Next {
    let why = match message.stage {
        Stage::Waiting { .. } => NotSent::Over,
        Stage::Begun { since, .. } if now.duration_since(since) < IN_FLIGHT => return Next::Wait,
        Stage::Begun { .. } => NotSent::Unknown,
        Stage::Sent { .. } | Stage::NotSent { .. } => return Next::Nothing,
    };
    Next::GiveUp(Message { stage: Stage::NotSent { since: now, why }, ..message.clone() })
}

/// A message after a report of its carrier; none if that says nothing new. Who reports of a message has taken it: one
/// of which nobody knew whether it went has gone.
pub fn reported(message: &Message, report: &Report) -> Option<Message> {
    let mut next = message.clone();
    match report.what {
        Reported::Bounced { permanent } => {
            let fresh = Bounce { at: report.at, permanent };
            let held = message.bounced.filter(|held| held.permanent || !permanent);
            next.bounced = Some(held.unwrap_or(fresh));
        }
        Reported::Complained => next.complained_at = message.complained_at.or(Some(report.at)),
    }
    let sent = || Stage::Sent { since: report.taken_at, reference: report.reference.clone() };
    next.stage = match &message.stage {
        Stage::Waiting { .. } | Stage::Begun { .. } => sent(),
        Stage::NotSent { why: NotSent::Unknown, .. } => sent(),
        Stage::NotSent { .. } | Stage::Sent { .. } => message.stage.clone(),
    };
    (next != *message).then_some(next)
}

/// Tags that are tried for a text, the nearest first: `de-AT`, `de`, the marketplace's, `en`.
pub fn locales(reader: Option<&str>, marketplace: &str) -> Vec<String> {
    let mut tried: Vec<String> = Vec::new();
    for tag in reader.into_iter().chain([marketplace, "en"]) {
        let mut tag = tag;
        loop {
            if !tried.iter().any(|before| before == tag) {
                tried.push(tag.to_owned());
            }
            match tag.rsplit_once('-') {
                Some((wider, _)) => tag = wider,
                None => break,
            }
        }
    }
    tried
}

#[cfg(test)]
mod tests;
