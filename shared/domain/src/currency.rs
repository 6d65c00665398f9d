//! Currencies: an ISO 4217 code that knows its exponent.
//!
//! The table is ISO 4217 list one, published 2024-06-25 by the maintenance agency: every code with a
//! minor unit. Funds, metals and test codes without one cannot carry an amount and are absent on purpose.

use serde::{Deserialize, Serialize};

/// Codes by number of decimals.
const EXPONENTS: &[(u8, &[&str])] = &[
    (
        0,
        &[
            "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV",
            "XAF", "XOF", "XPF",
        ],
    ),
    (
        2,
        &[
            "AED", "AFN", "ALL", "AMD", "ANG", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
            "BMD", "BND", "BOB", "BOV", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHE", "CHF",
            "CHW", "CNY", "COP", "COU", "CRC", "CUC", "CUP", "CVE", "CZK", "DKK", "DOP", "DZD", "EGP", "ERN",
            "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ", "GYD", "HKD", "HNL", "HTG",
            "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD", "KZT", "LAK", "LBP",
            "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK",
            "MXN", "MXV", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP",
            "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE",
            "SOS", "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD",
            "TZS", "UAH", "USD", "USN", "UYU", "UZS", "VED", "VES", "WST", "XCD", "YER", "ZAR", "ZMW", "ZWG",
        ],
    ),
    (3, &["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]),
    (4, &["CLF", "UYW"]),
];

/// An ISO 4217 currency. Invariant: the code is in the table above.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("enum" = codes()))
)]
pub struct Currency {
    code: [u8; 3],
    exponent: u8,
}

/// Why a text is no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an ISO 4217 currency with a minor unit: want three capitals like EUR")]
pub struct NotACurrency(String);

impl Currency {
    /// The ISO 4217 code.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.code).unwrap_or_default()
    }

    /// Decimals of the minor unit: JPY 0, EUR 2, KWD 3.
    pub fn exponent(self) -> u8 {
        self.exponent
    }
}

/// All of them, in the order of the alphabet.
#[cfg(feature = "schema")]
fn codes() -> std::collections::BTreeSet<&'static str> {
    EXPONENTS.iter().flat_map(|(_, codes)| codes.iter().copied()).collect()
}

impl std::str::FromStr for Currency {
    type Err = NotACurrency;
    fn from_str(text: &str) -> Result<Self, NotACurrency> {
        let refuse = || NotACurrency(text.chars().take(16).collect());
        let code: [u8; 3] = text.as_bytes().try_into().map_err(|_| refuse())?;
        let (exponent, _) =
            EXPONENTS.iter().find(|(_, codes)| codes.binary_search(&text).is_ok()).ok_or_else(refuse)?;
        Ok(Self { code, exponent: *exponent })
    }
}

impl TryFrom<String> for Currency {
    type Error = NotACurrency;
    fn try_from(text: String) -> Result<Self, NotACurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl std::fmt::Display for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_list_is_sorted_so_that_the_search_finds_all() {
        for (_, codes) in EXPONENTS {
            assert!(codes.is_sorted());
        }
    }

    #[test]
    fn a_currency_knows_its_exponent() {
        for (code, exponent) in [("JPY", 0), ("EUR", 2), ("BRL", 2), ("KWD", 3), ("CLF", 4)] {
            assert_eq!(code.parse::<Currency>().unwrap().exponent(), exponent);
        }
    }

    #[test]
    fn what_is_no_currency_is_refused_with_its_text() {
        for text in ["", "eur", "EURO", "XAU", "ZZZ", "€€€"] {
            assert!(text.parse::<Currency>().is_err(), "{text}");
        }
    }
}
