//! Ways to bring one parcel to one place: the merchant's table, asked now.

use crate::{currency_of, named};
use axum::extract::{Path, State};
use domain::Money;
use domain::delivery::{DeliveryOption, NoDelivery, Parcel, Service};
use edge::area::place;
use edge::{Check, Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::Key;
use table::delivery::DeliveryRates;

/// Where to, and what. What is not known of the place yet falls to the wider zone: an estimate in the same form.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Wanted {
    /// ISO 3166-1: `DE`.
    #[cfg_attr(feature = "schema", schemars(with = "domain::place::Country"))]
    country: String,
    /// Its code within the country: `CA`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::text::Word>"))]
    region: Option<String>,
    /// The postal code, or its first characters.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::text::Word>"))]
    postal: Option<String>,
    /// Weight of the parcel, packed; 0, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<u64>"))]
    grams: Option<String>,
    /// Value of the goods after discounts, decimal text in the merchant's currency; 0, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Decimal>"))]
    value: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryOptions"))]
pub(crate) struct OptionsView {
    merchant: String,
    /// The cheapest first; empty where nothing can be brought.
    options: Vec<OptionView>,
    /// Why there are none: `no_zone`, `no_service`, `too_heavy`, `too_dear`, `never_open`.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// The same for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryOption"))]
struct OptionView {
    service: Service,
    zone: String,
    price: Amount,
    /// What the price would be if goods of this value did not travel free.
    regular: Amount,
    /// Working days of the merchant, both.
    earliest: String,
    latest: String,
}

fn view(option: DeliveryOption) -> OptionView {
    let DeliveryOption { service, zone, price, regular, earliest, latest } = option;
    OptionView {
        service,
        zone: zone.to_string(),
        price: price.into(),
        regular: regular.into(),
        earliest: earliest.to_string(),
        latest: latest.to_string(),
    }
}

/// The word to branch on; amounts that cannot be compared are no answer.
fn code(nothing: &NoDelivery) -> Result<&'static str, Problem> {
    match nothing {
        NoDelivery::NoZone => Ok("no_zone"),
        NoDelivery::NoService(_) => Ok("no_service"),
        NoDelivery::TooHeavy { .. } => Ok("too_heavy"),
        NoDelivery::TooDear { .. } => Ok("too_dear"),
        NoDelivery::NoRate(_) => Ok("no_exchange_rate"),
        NoDelivery::Calendar(_) => Ok("never_open"),
        NoDelivery::Money(error) => Err(error.clone().into()),
    }
}

/// Where nothing can be brought the answer is 200 with an empty list, a code and a reason. That a merchant does not
/// deliver there is an answer to the question and not a refusal of it: nothing conflicts, the same page shows either,
/// and who asks several merchants for one basket need not tell an error from an answer.
pub(crate) async fn options(
    State(world): State<World>,
    Path(merchant): Path<String>,
    query: Query<Wanted>,
) -> Result<Reply<OptionsView>, Problem> {
    let (merchant, m) = (named(&merchant)?, &query.caller.marketplace);
    let rates = Key::delivery_rates(m, &merchant);
    let (currency, mut read) = currency_of(&world, m, &merchant, std::slice::from_ref(&rates)).await?;
    let rates = read.take::<DeliveryRates>(&rates)?.ok_or_else(|| Problem::not_found("rate table"))?;

    let Wanted { country, region, postal, grams, value } = &query.parameters;
    let mut check = Check::new();
    let to = place(&mut check, country, region.as_deref(), postal.as_deref());
    let grams = grams.as_deref().map_or(Ok(0), str::parse::<u64>);
    if grams.is_err() {
        check.wrong("grams", "range", "want a whole number of grams, 0 or more");
    }
    let amount = |text: &String| Amount { amount: text.clone(), currency: currency.code().to_owned() };
    let value = match value.as_ref().map(amount) {
        Some(amount) => check.money("value", &amount, currency),
        None => Some(Money::zero(currency)),
    };
    check.done()?;
    let (Some(to), Ok(grams), Some(value)) = (to, grams, value) else { return Err(Problem::internal()) };

    let merchant = merchant.to_string();
    Ok(Reply::ok(match rates.value.table.options(&to, Parcel { grams, value }, world.now()) {
        Ok(options) => {
            let options = options.into_iter().map(view).collect();
            OptionsView { merchant, options, code: None, reason: None }
        }
        Err(nothing) => {
            let (code, reason) = (Some(code(&nothing)?), Some(nothing.to_string()));
            OptionsView { merchant, options: Vec::new(), code, reason }
        }
    }))
}
