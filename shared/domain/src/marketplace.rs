//! The tenant: one marketplace with its currency and settings. Owns no money and no order.

use crate::commission::Rule;
use crate::currency::Currency;
use crate::id::MarketplaceId;
use crate::merchant::Requirement;
use crate::money::Money;
use crate::text::{Name, Sha256, WebAddress};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marketplace {
    pub id: MarketplaceId,
    pub name: Name,
    /// Of its books, fees and settings. Carts may be in others that a rate is known of; channels bring orders in it.
    pub currency: Currency,
    /// BCP 47 tag for texts without a locale of their own.
    pub locale: String,
    pub settings: Settings,
    /// What merchants must accept: the document that is effective and the one that comes next.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub merchant_terms: Vec<Document>,
}

/// A text that people accept, known by its hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    pub url: WebAddress,
    pub sha256: Sha256,
    /// From then on it binds, and whoever has not accepted it is asked.
    pub effective_at: Timestamp,
}

impl Marketplace {
    /// The document that binds merchants at `now`: the last that became effective.
    pub fn terms_at(&self, now: Timestamp) -> Option<&Document> {
        let effective = self.merchant_terms.iter().filter(|document| document.effective_at <= now);
        effective.max_by_key(|document| document.effective_at)
    }

    /// The document that will bind merchants.
    pub fn terms_after(&self, now: Timestamp) -> Option<&Document> {
        self.merchant_terms.iter().find(|document| document.effective_at > now)
    }

    /// With a document that is effective at `now` or later, in the place of any other that was to come.
    #[must_use]
    pub fn with_terms(self, document: Document, now: Timestamp) -> Self {
        let effective = self.terms_at(now).filter(|_| document.effective_at > now).cloned();
        Self { merchant_terms: effective.into_iter().chain([document]).collect(), ..self }
    }
}

/// What an operator may change at any time; it binds what is committed afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Days between delivery and the day an earning becomes payable.
    pub hold_days: u16,
    /// Fee rules for all merchants; a merchant's own come first.
    pub commission: Vec<Rule>,
    /// Days that an order waits for its payment before it is canceled; 0: for ever.
    #[serde(default = "Settings::unpaid_days")]
    pub unpaid_days: u16,
    /// A merchant's balance below minus this raises `merchant.balance_critical.v1`.
    pub critical_balance: Money,
    /// What a merchant must have done before it is approved, beside accepting the terms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requirements: Vec<Requirement>,
    /// Where links in messages lead: the storefront's own address; the API's, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storefront: Option<WebAddress>,
}

impl Settings {
    /// A week, time for a transfer.
    fn unpaid_days() -> u16 {
        7
    }

    /// What a marketplace begins with where nothing else is said: two weeks for returns, no fees, and word of every
    /// merchant who owes anything.
    pub fn first(currency: Currency) -> Self {
        let (commission, critical_balance) = (Vec::new(), Money::zero(currency));
        let (unpaid_days, requirements) = (Self::unpaid_days(), Vec::new());
        Self { hold_days: 14, commission, unpaid_days, critical_balance, requirements, storefront: None }
    }
}
