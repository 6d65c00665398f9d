//! Keys of reminders: by person, with the newest cart beside; recovered orders by month.

use crate::key::{Index, Key, Place, shard};
use domain::Currency;
use domain::id::{FollowUpId, MarketplaceId, OrderId};
use jiff::Timestamp;

impl Key {
    pub fn follow_up(m: &MarketplaceId, id: &FollowUpId) -> Self {
        Self::new(format!("{m}#FLW#{}", id.tail()), "FLW")
    }

    pub fn newest_cart(m: &MarketplaceId, id: &FollowUpId) -> Self {
        Self::new(Self::follow_up(m, id).pk, "NEW")
    }

    pub fn reminder_policy(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#RMP"), "RMP")
    }

    /// After the order's payments in text order, so that no reader of those reads it.
    pub fn recovered(m: &MarketplaceId, order: &OrderId) -> Self {
        Self::new(Self::order(m, order).pk, "RCV")
    }

    pub(crate) fn reminder_month(m: &MarketplaceId, began: Timestamp, shard: u8) -> String {
        format!("{m}#RMM#{}#{shard}", began.strftime("%Y-%m"))
    }

    /// What came of the sequences that began in a month, by the arm; a part of it, so that writes spread.
    pub(crate) fn reminder_figures(
        m: &MarketplaceId,
        began: Timestamp,
        (id, shards): (&FollowUpId, u8),
        (arm, currency): (&str, Currency),
    ) -> Self {
        let shard = shard(id.as_str(), shards);
        Self::new(Self::reminder_month(m, began, shard), format!("{arm}#{currency}"))
    }
}

impl Place {
    /// Sequences that began in a month, by when they did.
    pub(crate) fn follow_up(m: &MarketplaceId, began: Timestamp, id: &FollowUpId) -> Self {
        let pk = format!("{m}#FLWS#{}", began.strftime("%Y-%m"));
        Self::new(Index::Gsi2, pk, began, id.as_str())
    }

    /// Orders of carts that were left, by the month in which they were placed.
    pub(crate) fn recovered(m: &MarketplaceId, at: Timestamp, order: &OrderId) -> Self {
        let pk = format!("{m}#RCVD#{}", at.strftime("%Y-%m"));
        Self::new(Index::Gsi2, pk, at, order.as_str())
    }
}
