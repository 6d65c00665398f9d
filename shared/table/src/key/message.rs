//! Keys of messages to people: each by itself, found by day and by whom it went to; the rules and texts beside.

use crate::key::{DAY_SHARDS, Index, Key, Place, shard};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MessageId};
use domain::message::Kind;
use domain::text::Sha256;
use jiff::Timestamp;

impl Key {
    pub fn message(m: &MarketplaceId, id: &MessageId) -> Self {
        Self::new(format!("{m}#MSG#{}", id.tail()), "MSG")
    }

    pub fn message_routing(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#MRT"), "MRT")
    }

    /// After `EVT#` in text order, so that a trail does not read it.
    pub fn merchant_contact(m: &MarketplaceId, merchant: &MerchantId) -> Self {
        Self::new(Self::merchant(m, merchant).pk, "TEL")
    }

    /// After `EVT#` in text order, so that a trail does not read it.
    pub fn message_template(m: &MarketplaceId, kind: Kind, locale: &str) -> Self {
        Self::new(format!("{m}#TPL#{}", kind.word()), format!("NOW#{locale}"))
    }

    pub fn template_version(m: &MarketplaceId, kind: Kind, locale: &str, version: u32) -> Self {
        Self::new(format!("{m}#TPL#{}", kind.word()), format!("VER#{locale}#{version:06}"))
    }

    /// The partition of a text's versions, and their bounds there.
    pub(crate) fn template_versions(m: &MarketplaceId, kind: Kind, locale: &str) -> (String, [String; 2]) {
        let bounds = ["", "~"].map(|end| format!("VER#{locale}#{end}"));
        (format!("{m}#TPL#{}", kind.word()), bounds)
    }

    pub fn suppression(m: &MarketplaceId, digest: &Sha256) -> Self {
        Self::new(format!("{m}#SUP#{digest}"), "SUP")
    }
}

impl Place {
    pub(crate) fn message_of_day(m: &MarketplaceId, at: Timestamp, id: &MessageId) -> Self {
        let pk = Self::day_partition(m, "MSGDAY", domain::payout::day(at), shard(id.as_str(), DAY_SHARDS));
        Self::new(Index::Gsi2, pk, at, id.as_str())
    }

    pub(crate) fn message_to_customer(
        m: &MarketplaceId,
        customer: &CustomerId,
        at: Timestamp,
        id: &MessageId,
    ) -> Self {
        Self::new(Index::Gsi1, format!("{m}#CUSMSG#{}", customer.tail()), at, id.as_str())
    }

    pub(crate) fn message_to_merchant(
        m: &MarketplaceId,
        merchant: &MerchantId,
        at: Timestamp,
        id: &MessageId,
    ) -> Self {
        Self::new(Index::Gsi1, format!("{m}#MERMSG#{}", merchant.tail()), at, id.as_str())
    }

    pub(crate) fn suppressed(m: &MarketplaceId, at: Timestamp, digest: &str) -> Self {
        Self::new(Index::Gsi2, format!("{m}#SUPS"), at, digest)
    }
}
