//! What the tables come to: the tax of one line, with the row that says so.

use crate::rates::RateBody;
use crate::rules::{PricesWord, RoundingWord};
use axum::extract::State;
use domain::Money;
use domain::place::Country;
use domain::tax::id::TaxId;
use domain::tax::{Sale, rate_for};
use domain::text::Category;
use edge::{Check, Problem, Query, Reply, World, area};
use events::Amount;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxQuoteOf"))]
pub(crate) struct Of {
    /// Where it goes.
    #[cfg_attr(feature = "schema", schemars(with = "domain::place::Country"))]
    country: String,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::text::Word>"))]
    region: Option<String>,
    /// A postal code, or its first characters.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::text::Word>"))]
    postal: Option<String>,
    /// What it is.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    category: Option<String>,
    /// Where it is sold from; the destination, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Country>"))]
    seller: Option<String>,
    /// The tax id of a business that buys.
    tax_id: Option<String>,
    /// Today in UTC, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    on: Option<String>,
    /// What the line is charged with, decimal text in the marketplace's currency.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Decimal"))]
    amount: String,
    /// Units of the line; 1, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Quantity>"))]
    units: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxQuote"))]
pub(crate) struct QuoteView {
    /// `standard`, `reduced`, `zero_rated`, `exempt`, `reverse_charge`, `outside_scope` or `not_configured`.
    reason: &'static str,
    /// Decimal text.
    percent: String,
    /// Without the tax.
    base: Amount,
    tax: Amount,
    /// What the customer pays.
    total: Amount,
    /// `merchant`, `marketplace` or `customer`.
    owed_by: &'static str,
    prices: PricesWord,
    rounding: RoundingWord,
    /// The row that decided; none where no row is about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<RateBody>,
}

pub(crate) async fn quote(State(world): State<World>, query: Query<Of>) -> Result<Reply<QuoteView>, Problem> {
    let m = &query.caller.marketplace;
    let of = &query.parameters;
    let marketplace = world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))?;
    let mut check = Check::new();
    let place = area::place(&mut check, &of.country, of.region.as_deref(), of.postal.as_deref());
    let category = check.maybe::<Category>("category", of.category.as_deref());
    let seller = check.maybe::<Country>("seller", of.seller.as_deref());
    let on = check.maybe::<Date>("on", of.on.as_deref()).unwrap_or(domain::payout::day(world.now()));
    let amount = Amount { amount: of.amount.clone(), currency: marketplace.value.currency.code().to_owned() };
    let charged = check.money("amount", &amount, marketplace.value.currency);
    let units = match of.units.as_deref().map(str::parse::<i64>) {
        None => Some(1),
        Some(Ok(units)) => check.quantity("units", units),
        Some(Err(_)) => {
            check.wrong("units", "format", "want a whole number");
            None
        }
    };
    let buyer = of.tax_id.as_deref().and_then(|text| {
        let read = place.as_ref().map(|place| TaxId::parse(place.country, text));
        match read? {
            Ok(id) => Some(id),
            Err(error) => {
                check.wrong("tax_id", "format", error);
                None
            }
        }
    });
    check.done()?;
    let (Some(place), Some(charged), Some(units)) = (place, charged, units) else {
        return Err(Problem::internal());
    };
    let policy = world.table.tax_policy(m, place.country).await?;
    let seller = seller.unwrap_or(place.country);
    let sale = Sale { seller, buyer: buyer.as_ref(), place: &place, on };
    let line = policy.line(&sale, category.as_ref(), charged, units)?;
    let total: Money = line.total()?;
    let rate = rate_for(&policy.rates, &place, category.as_ref(), on).map(RateBody::of);
    Ok(Reply::ok(QuoteView {
        reason: line.reason.word(),
        percent: line.percent.to_string(),
        base: line.base.into(),
        tax: line.amount.into(),
        total: total.into(),
        owed_by: line.owed_by.word(),
        prices: PricesWord::of(policy.mode.prices),
        rounding: RoundingWord::of(policy.mode.rounding),
        rate,
    }))
}
