//! Keys of changes that wait for their time.

use crate::key::{Index, Key, Place};
use domain::id::{MarketplaceId, MerchantId, ProductId, ScheduledChangeId};
use jiff::Timestamp;

impl Key {
    pub fn scheduled_change(m: &MarketplaceId, id: &ScheduledChangeId) -> Self {
        Self::new(format!("{m}#SCG#{}", id.tail()), "SCG")
    }
}

impl Place {
    /// By when they are due.
    pub(crate) fn scheduled_of(m: &MarketplaceId, product: &ProductId, due: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi1, format!("{m}#PRDSCG#{}", product.tail()), due, id)
    }

    pub(crate) fn scheduled_by(m: &MarketplaceId, merchant: &MerchantId, due: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi2, format!("{m}#MERSCG#{}", merchant.tail()), due, id)
    }

    /// Sparse: those that wait.
    pub(crate) fn waiting_change(m: &MarketplaceId, due: Timestamp, id: &str) -> Self {
        Self::new(Index::Gsi3, format!("{m}#SCGWAIT"), due, id)
    }
}
