//! The sheet of rates: one document, set and shown whole.

use axum::extract::State;
use domain::Currency;
use domain::fx::{FxRate, RATES_MAX, Sheet};
use domain::text::Word;
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use events::Announced;
use events::fx::FxRatesChangedV1;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use table::{Key, Story};

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExchangeRates"))]
pub(crate) struct SheetBody {
    /// At most 400. A price is converted by the youngest of its pair that is not of a day to come and at most 7 days
    /// old; a currency that none leads to is not sold in.
    #[cfg_attr(feature = "schema", schemars(length(max = RATES_MAX)))]
    rates: Vec<RateBody>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetExchangeRate"))]
struct RateBody {
    /// What merchants price in (ISO 4217): one unit of this …
    #[cfg_attr(feature = "schema", schemars(with = "Currency"))]
    base: String,
    /// … is `rate` of this, which shoppers pay in.
    #[cfg_attr(feature = "schema", schemars(with = "Currency"))]
    quote: String,
    /// Decimal text, without the margin: `0.9215`.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Decimal"))]
    rate: String,
    /// What you add for the risk; shoppers see it. `2` makes 100 into 102.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Percent>"))]
    margin_percent: Option<String>,
    /// The day it is of.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    as_of: String,
    /// Who says so, like `ECB`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    source: Option<String>,
}

impl RateBody {
    fn of(rate: &FxRate) -> Self {
        Self {
            base: rate.base.to_string(),
            quote: rate.quote.to_string(),
            rate: rate.rate.to_string(),
            margin_percent: Some(rate.margin_percent.to_string()),
            as_of: rate.as_of.to_string(),
            source: rate.source.as_ref().map(ToString::to_string),
        }
    }

    fn read(&self, check: &mut Check, at: &str) -> Option<FxRate> {
        let field = |name: &str| format!("{at}.{name}");
        let base = check.parse::<Currency>(field("base"), &self.base);
        let quote = check.parse::<Currency>(field("quote"), &self.quote);
        let rate = check.parse::<Decimal>(field("rate"), &self.rate);
        let margin = check.maybe::<Decimal>(field("margin_percent"), self.margin_percent.as_deref());
        let as_of = check.parse::<Date>(field("as_of"), &self.as_of);
        let source = check.maybe::<Word>(field("source"), self.source.as_deref());
        let margin_percent = margin.unwrap_or_default().normalize();
        let rate = rate.map(|rate| rate.normalize());
        Some(FxRate { base: base?, quote: quote?, rate: rate?, as_of: as_of?, margin_percent, source })
    }
}

fn view(sheet: &Sheet) -> SheetBody {
    SheetBody { rates: sheet.rates.iter().map(RateBody::of).collect() }
}

/// Where nobody has set rates there are none.
pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<SheetBody>, Problem> {
    let held = world.table.load::<Sheet>(&Key::fx_rates(&query.caller.marketplace)).await?;
    Ok(match held {
        Some(held) => Reply::ok(view(&held.value)).revision(held.revision()),
        None => Reply::ok(view(&Sheet::default())),
    })
}

pub(crate) async fn set_rates(
    State(world): State<World>,
    command: Command<SheetBody>,
) -> Result<Reply<SheetBody>, Problem> {
    let given = &command.body.rates;
    let mut check = Check::new();
    if given.len() > RATES_MAX {
        check.wrong("rates", "range", format!("{} rates are more than {RATES_MAX}", given.len()));
        return Err(check.done().err().unwrap_or_else(Problem::internal));
    }
    let read = |(at, body): (usize, &RateBody)| body.read(&mut check, &format!("rates[{at}]"));
    let rates: Vec<FxRate> = given.iter().enumerate().filter_map(read).collect();
    check.done()?;
    let sheet = Sheet { rates };
    if let Err((row, bad)) = sheet.check() {
        let mut check = Check::new();
        check.wrong(format!("rates[{row}]"), "range", bad);
        check.done()?;
    }
    let story = || Story::new([Announced::of(&FxRatesChangedV1 {})]);
    set(&world, &command, (&sheet, "fx-rates"), story, view).await
}
