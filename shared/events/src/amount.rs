//! Money as the outside sees it: a decimal string with its currency. API and events share it.

use domain::{Currency, Money, MoneyError};
use serde::{Deserialize, Serialize};

/// Money as a decimal string with its currency, like 19.99 USD.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Amount {
    /// Decimal, with as many decimals as the currency has.
    pub amount: String,
    /// ISO 4217.
    pub currency: String,
}

impl Amount {
    /// The exact money, if the amount is of `currency`.
    pub fn money(&self, currency: Currency) -> Result<Money, String> {
        if self.currency != currency.code() {
            return Err(format!("`{}` is not the currency that is asked for ({currency})", self.currency));
        }
        Money::parse(&self.amount, currency).map_err(|error: MoneyError| error.to_string())
    }
}

impl From<Money> for Amount {
    fn from(money: Money) -> Self {
        Self { amount: money.decimal().to_string(), currency: money.currency.code().to_owned() }
    }
}
