//! What an operator edits: the rules of the marketplace, and a sheet of rates for each country and one for the world.
//!
//! A sale loads the rules and two sheets, that of its destination and that of the world: together they are its
//! [`Policy`](super::Policy).

use super::{BadRate, Deemed, DeliveryTax, Mode, Policy, Prices, Rate, Rounding, check};
use crate::place::{Area, Country};
use serde::{Deserialize, Serialize};

/// Rows of one sheet; a sale reads two sheets.
pub const ROWS_MAX: usize = 500;
/// Areas for which the marketplace is the supplier.
pub const DEEMED_MAX: usize = 100;

/// What holds for every sale, whatever its rates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    pub mode: Mode,
    pub delivery: DeliveryTax,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deemed: Vec<Deemed>,
    /// Whether businesses of other member states buy net.
    pub reverse_charge: bool,
}

impl Rules {
    /// Where nobody has decided yet: shown prices are what is paid, a line is rounded once, delivery follows the goods.
    pub fn first() -> Self {
        let mode = Mode { prices: Prices::Included, rounding: Rounding::Line };
        Self { mode, delivery: DeliveryTax::Goods, deemed: Vec::new(), reverse_charge: true }
    }

    /// The policy of a sale, from the sheets that may be about it.
    pub fn with(self, sheets: impl IntoIterator<Item = Sheet>) -> Policy {
        let rates = sheets.into_iter().flat_map(|sheet| sheet.rates).collect();
        let Self { mode, delivery, deemed, reverse_charge } = self;
        Policy { rates, mode, delivery, deemed, reverse_charge }
    }
}

/// The rates of one country, or of the world. Invariant, kept by [`Sheet::check`]: its rows are about nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// None is the sheet of the world.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    pub rates: Vec<Rate>,
}

/// Why a sheet is refused; rows are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadSheet {
    #[error("a sheet has at most {ROWS_MAX} rows, not {0}")]
    Count(usize),
    #[error("row {0} is about another country than its sheet")]
    Foreign(usize),
    #[error(transparent)]
    Rate(#[from] BadRate),
}

impl Sheet {
    /// A sheet that may be stored.
    pub fn check(&self) -> Result<(), BadSheet> {
        if self.rates.len() > ROWS_MAX {
            return Err(BadSheet::Count(self.rates.len()));
        }
        let foreign = |rate: &Rate| match &rate.area {
            Area::World => self.country.is_some(),
            Area::Country(country) | Area::Region(country, _) | Area::Postal(country, _) => {
                self.country != Some(*country)
            }
        };
        if let Some(row) = self.rates.iter().position(foreign) {
            return Err(BadSheet::Foreign(row.saturating_add(1)));
        }
        Ok(check(&self.rates)?)
    }
}
