//! What is told of tax.

use crate::payloads;

payloads! {
    /// How prices and roundings are meant has changed, or who owes the tax; placed orders keep what they have.
    "tax.rules_changed.v1" TaxRulesChangedV1 {}

    /// The rates of a country are new, or those of the world where none is named.
    "tax.rates_changed.v1" TaxRatesChangedV1 {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<String>,
    }
}
