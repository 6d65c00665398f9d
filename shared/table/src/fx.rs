//! Where rates of exchange lie: one sheet, read with everything that a cart is priced from.

use crate::Record;
use crate::key::Key;
use domain::fx::Sheet;
use domain::id::MarketplaceId;

impl Record for Sheet {
    const KIND: &'static str = "fx_rates.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::fx_rates(m)
    }
}
