//! What a checkout has priced and fixed with an order, beside what a channel tells of one.
//!
//! Invariants: a line's total is the truth (A8(5)); lines, deliveries and their taxes never change after placement
//! (A5(5)). The money of such an order comes through gateways: the order's side of it stays on `receivable`, where the
//! payments' own postings meet it.

use crate::delivery::Service;
use crate::discount::Redemption;
use crate::id::{CartId, MerchantId};
use crate::money::{Money, MoneyError};
use crate::place::Place;
use crate::pricing::Share;
use crate::tax::id::TaxId;
use crate::tax::{Mode, TaxLine};
use serde::{Deserialize, Serialize};

/// How an order was bought.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bought {
    pub cart: CartId,
    /// How its prices and roundings are meant (A8(4)).
    pub mode: Mode,
    /// Where it goes, as far as tax and delivery asked.
    pub to: Place,
    /// The buyer's tax id, as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
    /// One per merchant that brings something.
    pub deliveries: Vec<Delivery>,
    /// Uses of limited codes that it has taken, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redemptions: Vec<Redemption>,
}

/// How one merchant's part is brought, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    pub merchant: MerchantId,
    pub service: Service,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Share>,
    pub taxes: Vec<TaxLine>,
    /// What the customer pays for it.
    pub total: Money,
}

/// What a line came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinePrice {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Share>,
    pub tax: TaxLine,
    /// What the customer pays for it.
    pub total: Money,
}

impl Bought {
    /// Σ of the deliveries; none where nothing is brought.
    pub fn delivery_total(&self) -> Result<Option<Money>, MoneyError> {
        let mut totals = self.deliveries.iter().map(|delivery| delivery.total);
        let Some(first) = totals.next() else { return Ok(None) };
        totals.try_fold(first, Money::plus).map(Some)
    }
}
