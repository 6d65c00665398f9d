//! The tenant: one marketplace with its currency and settings. Owns no money and no order.

use crate::commission::Rule;
use crate::currency::Currency;
use crate::id::MarketplaceId;
use crate::money::Money;
use crate::text::Name;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marketplace {
    pub id: MarketplaceId,
    pub name: Name,
    /// Orders of another currency are refused.
    pub currency: Currency,
    /// BCP 47 tag for texts without a locale of their own.
    pub locale: String,
    pub settings: Settings,
}

/// What an operator may change at any time; it binds what is committed afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Days between delivery and the day an earning becomes payable.
    pub hold_days: u16,
    /// Fee rules for all merchants; a merchant's own come first.
    pub commission: Vec<Rule>,
    /// A merchant's balance below minus this raises `merchant.balance_critical.v1`.
    pub critical_balance: Money,
}

impl Settings {
    /// What a marketplace begins with where nothing else is said: two weeks for returns, no fees, and word of every
    /// merchant who owes anything.
    pub fn first(currency: Currency) -> Self {
        Self { hold_days: 14, commission: Vec::new(), critical_balance: Money::zero(currency) }
    }
}
