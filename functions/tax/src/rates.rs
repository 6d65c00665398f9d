//! Sheets of rates: one for each country that is sold to, one for the world.

use axum::extract::{Path, State};
use domain::place::{Area, Country};
use domain::tax::table::{BadSheet, ROWS_MAX, Sheet};
use domain::tax::{BadRate, Rate, Treatment};
use domain::text::{Category, Word};
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::tax::TaxRatesChangedV1;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use table::{Key, Story};

/// What the sheet of the world is called in paths.
const WORLD: &str = "world";

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxRate"))]
pub(crate) struct RateBody {
    /// Only this region of the country, by its code: `CA`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    region: Option<String>,
    /// Only postal codes of the country that begin so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    postal: Option<String>,
    /// Only lines of this category; every line, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    category: Option<String>,
    /// The first day; the rate holds until a later row of the same place and category.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Day"))]
    from: String,
    treatment: TreatmentWord,
    /// Decimal text, 0 to 100; where something is taxed, and nowhere else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Percent>"))]
    percent: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxTreatment"))]
enum TreatmentWord {
    Standard,
    Reduced,
    ZeroRated,
    Exempt,
    OutsideScope,
}

impl RateBody {
    pub(crate) fn of(rate: &Rate) -> Self {
        let (treatment, percent) = match rate.treatment {
            Treatment::Standard(percent) => (TreatmentWord::Standard, Some(percent)),
            Treatment::Reduced(percent) => (TreatmentWord::Reduced, Some(percent)),
            Treatment::ZeroRated => (TreatmentWord::ZeroRated, None),
            Treatment::Exempt => (TreatmentWord::Exempt, None),
            Treatment::OutsideScope => (TreatmentWord::OutsideScope, None),
        };
        let (region, postal) = match &rate.area {
            Area::World | Area::Country(_) => (None, None),
            Area::Region(_, region) => (Some(region.to_string()), None),
            Area::Postal(_, postal) => (None, Some(postal.to_string())),
        };
        Self {
            region,
            postal,
            category: rate.category.as_ref().map(ToString::to_string),
            from: rate.from.to_string(),
            treatment,
            percent: percent.map(|percent| percent.to_string()),
        }
    }

    fn read(&self, check: &mut Check, at: &str, country: Option<Country>) -> Option<Rate> {
        let field = |name: &str| format!("{at}.{name}");
        let region = check.maybe::<Word>(field("region"), self.region.as_deref());
        let postal = check.maybe::<Word>(field("postal"), self.postal.as_deref());
        let category = check.maybe::<Category>(field("category"), self.category.as_deref());
        let from = check.parse::<Date>(field("from"), &self.from);
        let percent = check.maybe::<Decimal>(field("percent"), self.percent.as_deref());
        let taxed = matches!(self.treatment, TreatmentWord::Standard | TreatmentWord::Reduced);
        if taxed != self.percent.is_some() {
            let message = if taxed { "what is taxed has a percentage" } else { "only what is taxed has one" };
            check.wrong(field("percent"), if taxed { "required" } else { "conflict" }, message);
        }
        let area = match (country, region, postal) {
            (None, None, None) => Area::World,
            (Some(country), None, None) => Area::Country(country),
            (Some(country), Some(region), None) => Area::Region(country, region),
            (Some(country), None, Some(postal)) => Area::Postal(country, postal),
            (None, _, _) | (Some(_), Some(_), Some(_)) => {
                let message =
                    "a row is about its whole country, one `region` or one `postal`; of the world, all";
                check.wrong(field("region"), "conflict", message);
                return None;
            }
        };
        let percent = percent.unwrap_or_default();
        let treatment = match self.treatment {
            TreatmentWord::Standard => Treatment::Standard(percent),
            TreatmentWord::Reduced => Treatment::Reduced(percent),
            TreatmentWord::ZeroRated => Treatment::ZeroRated,
            TreatmentWord::Exempt => Treatment::Exempt,
            TreatmentWord::OutsideScope => Treatment::OutsideScope,
        };
        Some(Rate { area, category, from: from?, treatment })
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxSheet"))]
pub(crate) struct SheetView {
    /// `world` where no country is meant.
    country: String,
    rates: Vec<RateBody>,
}

fn name(country: Option<Country>) -> String {
    country.map_or_else(|| WORLD.to_owned(), |country| country.to_string())
}

fn view(sheet: &Sheet) -> SheetView {
    SheetView { country: name(sheet.country), rates: sheet.rates.iter().map(RateBody::of).collect() }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TaxSheetRow"))]
pub(crate) struct SheetRow {
    /// `world` where no country is meant.
    country: String,
    /// How many rows it has.
    rates: u32,
}

/// `world`, or a country by its code.
fn country_of(text: &str) -> Result<Option<Country>, Problem> {
    if text == WORLD {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| Problem::not_found("country"))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<SheetRow>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.tax_sheets(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    let row = |held: table::Held<Sheet>| {
        let Sheet { country, rates } = held.value;
        SheetRow { country: name(country), rates: u32::try_from(rates.len()).unwrap_or(u32::MAX) }
    };
    Ok(Reply::ok(Listing::of(page, row)))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(country): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<SheetView>, Problem> {
    let key = Key::tax_sheet(&query.caller.marketplace, country_of(&country)?);
    let held = world.table.load::<Sheet>(&key).await?;
    let held = held.ok_or_else(|| Problem::not_found("sheet of rates"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetTaxSheet"))]
pub(crate) struct SetSheet {
    /// All of them, at most 500; none means that nothing is decided for this country.
    #[cfg_attr(feature = "schema", schemars(length(max = ROWS_MAX)))]
    rates: Vec<RateBody>,
}

/// A whole sheet at once, so that nobody sees half of a change; old days keep their rows.
pub(crate) async fn set_sheet(
    State(world): State<World>,
    Path(country): Path<String>,
    command: Command<SetSheet>,
) -> Result<Reply<SheetView>, Problem> {
    let country = country_of(&country)?;
    let given = &command.body.rates;
    let mut check = Check::new();
    if given.len() > ROWS_MAX {
        check.wrong("rates", "range", BadSheet::Count(given.len()));
        return Err(check.done().err().unwrap_or_else(Problem::internal));
    }
    let read =
        |(position, body): (usize, &RateBody)| body.read(&mut check, &format!("rates[{position}]"), country);
    let rates: Vec<Rate> = given.iter().enumerate().filter_map(read).collect();
    check.done()?;
    let sheet = Sheet { country, rates };
    if let Err(bad) = sheet.check() {
        let mut check = Check::new();
        let row = match &bad {
            BadSheet::Rate(BadRate::Percent { row, .. } | BadRate::Twice { row, .. })
            | BadSheet::Foreign(row) => *row,
            BadSheet::Count(_) => 1,
        };
        let field = format!("rates[{}]", row.saturating_sub(1));
        check.wrong(field, "range", bad);
        check.done()?;
    }
    let story = || {
        Story::new([Announced::of(&TaxRatesChangedV1 {
            country: country.map(|country| country.to_string()),
        })])
    };
    set(&world, &command, (&sheet, &format!("tax-{}", name(country))), story, view).await
}
