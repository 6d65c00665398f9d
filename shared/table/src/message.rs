//! Messages to people as they are kept, and what they are written by: rules, contacts, texts, addresses to leave alone.

use crate::key::{Key, Place};
use crate::list::List;
use crate::person::Sealed;
use crate::{Cursor, Fault, Held, Page, Record, Table};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MessageId};
use domain::message::{
    Because, Bounce, Channel, Contact, KEPT, Kind, Message, Recipient, Routing, Stage, Suppression,
};
use domain::text::Locale;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

/// What was said, in plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub subject: String,
    pub text: String,
}

/// A message and its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptMessage {
    pub message: Message,
    /// To a customer: under the customer's data key, so that an erasure takes them away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
    /// To merchants and operators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<Words>,
}

/// What lists show of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSummary {
    pub id: MessageId,
    pub kind: Kind,
    pub channel: Channel,
    pub to: Recipient,
    pub event: String,
    pub of: String,
    pub because: Because,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consent: Option<Timestamp>,
    pub made_at: Timestamp,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounced: Option<Bounce>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complained_at: Option<Timestamp>,
}

impl Record for KeptMessage {
    const KIND: &'static str = "message.1";
    type Summary = MessageSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::message(m, &self.message.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let Message { id, to, made_at, .. } = &self.message;
        let whose = match to {
            Recipient::Customer { customer } => Some(Place::message_to_customer(m, customer, *made_at, id)),
            Recipient::Merchant { merchant } => Some(Place::message_to_merchant(m, merchant, *made_at, id)),
            Recipient::Guest | Recipient::Operators => None,
        };
        std::iter::once(Place::message_of_day(m, *made_at, id)).chain(whose).collect()
    }

    fn summary(&self) -> Option<MessageSummary> {
        let Message {
            id,
            kind,
            channel,
            to,
            event,
            of,
            because,
            consent,
            made_at,
            stage,
            bounced,
            complained_at,
            ..
        } = self.message.clone();
        Some(MessageSummary {
            id,
            kind,
            channel,
            to,
            event,
            of,
            because,
            consent,
            made_at,
            stage,
            bounced,
            complained_at,
        })
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.message.made_at.checked_add(KEPT).ok()
    }
}

/// A marketplace's rules of who gets which message by which way, in its own place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRouting {
    pub routing: Routing,
}

impl Record for MessageRouting {
    const KIND: &'static str = "message_routing.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::message_routing(m)
    }
}

/// Where a merchant reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantContact {
    pub merchant: MerchantId,
    pub contact: Contact,
}

impl Record for MerchantContact {
    const KIND: &'static str = "merchant_contact.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::merchant_contact(m, &self.merchant)
    }
}

/// A marketplace's own text of a kind in a language: the one in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTemplate {
    pub kind: Kind,
    pub locale: Locale,
    pub version: u32,
    /// None: the platform's own is in force again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    pub at: Timestamp,
    /// Who saved it, as events name their actors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// What a template is made of. HTML is what the markup was compiled to when it was saved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    pub subject: String,
    pub mjml: String,
    pub html: String,
    pub text: String,
}

impl Record for MessageTemplate {
    const KIND: &'static str = "message_template.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::message_template(m, self.kind, self.locale.as_str())
    }
}

/// A version as it was saved; never changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TemplateVersion {
    pub template: MessageTemplate,
}

impl Record for TemplateVersion {
    const KIND: &'static str = "template_version.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        let MessageTemplate { kind, locale, version, .. } = &self.template;
        Key::template_version(m, *kind, locale.as_str(), *version)
    }
}

impl Record for Suppression {
    const KIND: &'static str = "suppression.1";
    type Summary = Self;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::suppression(m, &self.digest)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::suppressed(m, self.at, self.digest.as_str())]
    }

    fn summary(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Table {
    /// A marketplace's messages from `to` back to `from`, the last first.
    pub async fn messages(
        &self,
        m: &MarketplaceId,
        days: (Date, Date),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MessageSummary>, Fault> {
        self.list_days::<KeptMessage>(m, "MSGDAY", days, limit, after).await
    }

    /// What a customer was written, the last first.
    pub async fn messages_to_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MessageSummary>, Fault> {
        let place = Place::message_to_customer(m, customer, Timestamp::UNIX_EPOCH, &MessageId::from_bits(0));
        self.list::<KeptMessage>(&List::of(place), limit, after).await
    }

    /// What a merchant was written, the last first.
    pub async fn messages_to_merchant(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MessageSummary>, Fault> {
        let place = Place::message_to_merchant(m, merchant, Timestamp::UNIX_EPOCH, &MessageId::from_bits(0));
        self.list::<KeptMessage>(&List::of(place), limit, after).await
    }

    /// The versions of a text, the newest first.
    pub async fn template_versions(
        &self,
        m: &MarketplaceId,
        (kind, locale): (Kind, &Locale),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<TemplateVersion>>, Fault> {
        let (pk, [from, to]) = Key::template_versions(m, kind, locale.as_str());
        self.records(&pk, (&from, &to), limit, after, false).await
    }

    /// Addresses that are not written to, the last first.
    pub async fn suppressions(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Suppression>, Fault> {
        let place = Place::suppressed(m, Timestamp::UNIX_EPOCH, "");
        self.list::<Suppression>(&List::of(place), limit, after).await
    }
}
