//! Where a merchant's delivery rates lie: one item, read and written as a whole.

use crate::{Key, Record};
use domain::delivery::RateTable;
use domain::id::{MarketplaceId, MerchantId};
use serde::{Deserialize, Serialize};

/// A rate table, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryRates {
    pub merchant: MerchantId,
    pub table: RateTable,
}

impl Record for DeliveryRates {
    const KIND: &'static str = "delivery_rates.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::delivery_rates(m, &self.merchant)
    }
}
