//! What is said, as people of a place read it: measures in their units, amounts in their currency.
//!
//! A converted amount carries what it was and the rate that it came by, with its day and where it comes from; where
//! there is no rate it stays what it was. What is kept stays as it was said.

use crate::currency::Currency;
use crate::fx::{FxRate, find};
use crate::money::Money;
use crate::pim::attribute::{Kind, decimal};
use crate::pim::data::Data;
use crate::pim::measure::{Measure, Unit};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Decimals of a converted measure.
const DECIMALS: u32 = 2;

/// What people measure with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MeasureSystem"))]
pub enum System {
    Metric,
    Imperial,
}

impl std::str::FromStr for System {
    type Err = NoSystem;
    fn from_str(text: &str) -> Result<Self, NoSystem> {
        match text {
            "metric" => Ok(Self::Metric),
            "imperial" => Ok(Self::Imperial),
            other => Err(NoSystem(other.chars().take(16).collect())),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no system of units: want `metric` or `imperial`")]
pub struct NoSystem(String);

/// How somebody wants to read it; none of either: as it was said.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    pub system: Option<System>,
    pub currency: Option<Currency>,
    pub rates: &'a [FxRate],
    pub on: Date,
}

impl Reading<'_> {
    /// A value of an attribute or of a column.
    pub fn read(&self, kind: &Kind, data: &Data) -> Data {
        let read = match kind {
            Kind::Measure { .. } => self.measure(data),
            Kind::Money => self.money(data),
            Kind::Table { columns } => data.as_list().map(|rows| {
                let kinds: BTreeMap<&str, &Kind> =
                    columns.iter().map(|column| (column.code.as_str(), &column.kind)).collect();
                let cell = |(name, data): (&String, &Data)| {
                    let read = kinds.get(name.as_str()).map(|kind| self.read(kind, data));
                    (name.clone(), read.unwrap_or_else(|| data.clone()))
                };
                let row = |row: &Data| match row.as_map() {
                    Some(cells) => Data::Map(cells.iter().map(cell).collect()),
                    None => row.clone(),
                };
                Data::List(rows.iter().map(row).collect())
            }),
            Kind::Text { .. }
            | Kind::RichText { .. }
            | Kind::Number { .. }
            | Kind::Boolean
            | Kind::Date
            | Kind::Option { .. }
            | Kind::Options { .. }
            | Kind::Reference { .. } => None,
        };
        read.unwrap_or_else(|| data.clone())
    }

    fn measure(&self, data: &Data) -> Option<Data> {
        let map = data.as_map()?;
        let unit: Unit = map.get("unit")?.as_text()?.parse().ok()?;
        let to = unit.of(self.system?);
        let amount = decimal(map.get("amount")?.as_text()?)?;
        let made = Measure { amount, unit }.convert(to).ok().filter(|_| to != unit)?.rounded(DECIMALS);
        Some(Data::map([
            ("amount", Data::text(made.amount.to_string())),
            ("unit", Data::text(made.unit.symbol())),
        ]))
    }

    fn money(&self, data: &Data) -> Option<Data> {
        let map = data.as_map()?;
        let own: Currency = map.get("currency")?.as_text()?.parse().ok()?;
        let wanted = self.currency.filter(|wanted| *wanted != own)?;
        let original = Money::parse(map.get("amount")?.as_text()?, own).ok()?;
        let converted = find(self.rates, own, wanted, self.on).ok()?.convert(original).ok()?;
        let amount = |money: Money| {
            let currency = Data::text(money.currency.code());
            [("amount", Data::text(money.decimal().to_string())), ("currency", currency)]
        };
        let FxRate { rate, as_of, source, .. } = &converted.rate;
        let by = Data::map([
            ("rate", Data::text(rate.to_string())),
            ("as_of", Data::text(as_of.to_string())),
            ("source", source.as_ref().map_or(Data::Null, |source| Data::text(source.as_str()))),
        ]);
        let mut read: BTreeMap<String, Data> =
            amount(converted.amount).into_iter().map(|(name, data)| (name.to_owned(), data)).collect();
        read.insert("original".to_owned(), Data::map(amount(original)));
        read.insert("by".to_owned(), by.without_nulls());
        Some(Data::Map(read))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn json(text: &str) -> Data {
        serde_json::from_str(text).unwrap()
    }

    fn kind(text: &str) -> Kind {
        serde_json::from_str(text).unwrap()
    }

    fn rates() -> Vec<FxRate> {
        vec![FxRate {
            base: "EUR".parse().unwrap(),
            quote: "USD".parse().unwrap(),
            rate: "1.10".parse().unwrap(),
            as_of: date(2026, 3, 2),
            margin_percent: "0".parse().unwrap(),
            source: Some("ECB".parse().unwrap()),
        }]
    }

    fn read(system: Option<&str>, currency: Option<&str>, of: &str, data: &str) -> Data {
        let rates = rates();
        let (system, currency) =
            (system.map(|one| one.parse().unwrap()), currency.map(|one| one.parse().unwrap()));
        Reading { system, currency, rates: &rates, on: date(2026, 3, 4) }.read(&kind(of), &json(data))
    }

    const LENGTH: &str = r#"{"is":"measure","dimension":"length","unit":"cm"}"#;

    #[test]
    fn measures_are_read_in_the_units_of_a_system_and_back() {
        let cm = r#"{"amount":"70.5","unit":"cm"}"#;
        let inches = r#"{"amount":"27.76","unit":"in"}"#;
        assert_eq!(read(Some("imperial"), None, LENGTH, cm), json(inches), "70.5 / 2.54 = 27.7559…");
        assert_eq!(read(Some("metric"), None, LENGTH, cm), json(cm));
        assert_eq!(read(Some("metric"), None, LENGTH, inches), json(r#"{"amount":"70.51","unit":"cm"}"#));
        assert_eq!(read(None, None, LENGTH, cm), json(cm));
        let energy = r#"{"is":"measure","dimension":"energy","unit":"kJ"}"#;
        let joule = r#"{"amount":"10","unit":"kJ"}"#;
        assert_eq!(read(Some("imperial"), None, energy, joule), json(joule), "both systems have it");
    }

    #[test]
    fn an_amount_is_read_in_another_currency_with_its_rate_day_and_source() {
        let money = r#"{"is":"money"}"#;
        let ten = r#"{"amount":"10.00","currency":"EUR"}"#;
        assert_eq!(
            read(None, Some("USD"), money, ten),
            json(
                r#"{"amount":"11.00","currency":"USD","original":{"amount":"10.00","currency":"EUR"},
                    "by":{"rate":"1.10","as_of":"2026-03-02","source":"ECB"}}"#
            )
        );
        assert_eq!(read(None, Some("EUR"), money, ten), json(ten));
        assert_eq!(read(None, Some("CHF"), money, ten), json(ten), "there is no rate");
    }

    #[test]
    fn a_size_guide_is_read_cell_by_cell() {
        let guide = r#"{"is":"table","columns":[{"code":"size","kind":{"is":"text","max":5}},
            {"code":"chest","kind":{"is":"measure","dimension":"length","unit":"cm"}}]}"#;
        assert_eq!(
            read(
                Some("imperial"),
                None,
                guide,
                r#"[{"size":"m","chest":{"amount":"100","unit":"cm"}},{"size":"l"}]"#
            ),
            json(r#"[{"size":"m","chest":{"amount":"39.37","unit":"in"}},{"size":"l"}]"#)
        );
    }

    #[test]
    fn a_word_that_is_no_system_says_so() {
        let told = "US".parse::<System>().unwrap_err().to_string();
        assert_eq!(told, "`US` is no system of units: want `metric` or `imperial`");
    }
}
