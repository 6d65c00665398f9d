//! A merchant's rate table: seen by everyone, set as a whole by the merchant.

use crate::{currency_of, named};
use axum::extract::{Path, State};
use domain::delivery::{BadTable, Calendar, Price, Rate, RateTable, Service, Zone};
use domain::text::Word;
use domain::{Currency, Money};
use edge::change::set as set_one;
use edge::query::None as NoParameters;
use edge::{AreaBody, Check, Command, Problem, Query, Reply, World};
use events::delivery::DeliveryRatesChangedV1;
use events::{Amount, Announced};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use table::delivery::DeliveryRates;
use table::{Key, Story};

/// What keeps a table an item that is read in no time.
const ZONES_MAX: usize = 50;
const AREAS_MAX: usize = 200;
const RATES_MAX: usize = 3;
const BANDS_MAX: usize = 50;
const CLOSED_MAX: usize = 100;
const WEEK: usize = 7;
/// Of the whole in bytes, about half of what DynamoDB takes: no table is full of everything.
const BYTES_MAX: usize = 200_000;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryRates"))]
pub(crate) struct RatesView {
    merchant: String,
    calendar: CalendarBody,
    zones: Vec<ZoneBody>,
}

fn view(rates: &DeliveryRates) -> RatesView {
    let DeliveryRates { merchant, table } = rates;
    RatesView {
        merchant: merchant.to_string(),
        calendar: CalendarBody::of(&table.calendar),
        zones: table.zones.iter().map(ZoneBody::of).collect(),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "SetDeliveryRates"))]
pub(crate) struct SetRates {
    calendar: CalendarBody,
    /// At most 50. The smallest area that covers a place decides which zone it lies in.
    #[cfg_attr(feature = "schema", schemars(length(max = ZONES_MAX)))]
    zones: Vec<ZoneBody>,
}

/// When the merchant hands parcels over.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryCalendar"))]
struct CalendarBody {
    /// As the IANA database names it: `Europe/Berlin`.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    time_zone: String,
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = WEEK), inner(range(min = 1, max = 7))))]
    working_days: Vec<i8>,
    /// Days on which nobody works all the same, at most 100.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<domain::says::Day>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = CLOSED_MAX)))]
    closed: Vec<String>,
    /// 0 to 24: what is ordered before this hour of a working day is begun on that day.
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 24)))]
    cut_off_hour: i8,
    /// Working days between the beginning and the handing over.
    handling_days: u8,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryZone"))]
struct ZoneBody {
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    name: String,
    /// 1 to 200.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = AREAS_MAX)))]
    areas: Vec<AreaBody>,
    /// One for each service at most; a zone without any is one that nothing is brought to.
    #[cfg_attr(feature = "schema", schemars(length(max = RATES_MAX)))]
    rates: Vec<RateBody>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryRate"))]
struct RateBody {
    service: Service,
    price: PriceBody,
    /// Goods of this value or more travel free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    free_from: Option<Amount>,
    /// Working days on the way, from the fastest to the slowest.
    transit_days: [u8; 2],
}

/// Exactly one of them. Bands rise and go up to and including their limit; beyond the last one the service is not
/// offered.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryPrice"))]
struct PriceBody {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    flat: Option<Amount>,
    /// At most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = BANDS_MAX)))]
    by_weight: Option<Vec<WeightBand>>,
    /// At most 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = BANDS_MAX)))]
    by_value: Option<Vec<ValueBand>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct WeightBand {
    up_to_grams: u64,
    price: Amount,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ValueBand {
    /// Of the goods.
    up_to: Amount,
    price: Amount,
}

/// As many as there may be; whoever gives more is told so.
fn up_to<'a, T>(check: &mut Check, field: &str, items: &'a [T], max: usize) -> &'a [T] {
    if items.len() > max {
        check.wrong(field, "range", format!("{} are more than {max}", items.len()));
    }
    items.get(..max).unwrap_or(items)
}

/// The member that a table is refused for, and the code of that.
fn blamed(error: &BadTable) -> (&'static str, &'static str) {
    match error {
        BadTable::TimeZone(_) => ("time_zone", "unknown"),
        BadTable::Weekday(_) => ("working_days", "range"),
        BadTable::NeverOpen => ("working_days", "required"),
        BadTable::CutOff(_) => ("cut_off_hour", "range"),
        BadTable::Twice { .. } => ("service", "twice"),
        BadTable::SameName(_) => ("name", "twice"),
        BadTable::SameArea { .. } => ("areas", "twice"),
        BadTable::Transit(_) => ("transit_days", "range"),
        BadTable::Bands(_) => ("price", "not_rising"),
        BadTable::Price { .. } => ("price", "amount"),
    }
}

/// What the domain says of a table that is fine but for one value. A table is refused for the first thing that is wrong
/// with it: asked value by value it tells of all of them.
fn fine(check: &mut Check, field: impl Fn(&str) -> String, table: &RateTable) -> bool {
    let Err(error) = table.check() else { return true };
    let (member, code) = blamed(&error);
    check.wrong(field(member), code, error);
    false
}

/// A calendar with which nothing is wrong.
fn every_day() -> Calendar {
    let (time_zone, working_days) = ("UTC".to_owned(), vec![1]);
    Calendar { time_zone, working_days, closed: Vec::new(), cut_off_hour: 0, handling_days: 0 }
}

impl SetRates {
    /// The table, or everything that is wrong with it.
    fn read(&self, currency: Currency) -> Result<RateTable, Problem> {
        let mut check = Check::new();
        let calendar = self.calendar.read(&mut check);
        let mut zones = Vec::new();
        for (n, zone) in up_to(&mut check, "zones", &self.zones, ZONES_MAX).iter().enumerate() {
            zones.extend(zone.read(&mut check, &format!("zones[{n}]"), currency));
        }
        let table = RateTable { calendar, zones };
        let bytes = serde_json::to_string(&table).map_err(|error| Problem::fault(&error))?.len();
        if bytes > BYTES_MAX {
            check.wrong("zones", "size", format!("the table has {bytes} bytes, more than {BYTES_MAX}"));
        }
        check.done()?;
        // What is wrong between zones shows once each of them is fine.
        let mut check = Check::new();
        fine(&mut check, |member| format!("zones.{member}"), &table);
        check.done()?;
        Ok(table)
    }
}

impl CalendarBody {
    fn of(calendar: &Calendar) -> Self {
        let Calendar { time_zone, working_days, closed, cut_off_hour, handling_days } = calendar.clone();
        let closed = closed.iter().map(ToString::to_string).collect();
        Self { time_zone, working_days, closed, cut_off_hour, handling_days }
    }

    fn read(&self, check: &mut Check) -> Calendar {
        let at = |member: &str| format!("calendar.{member}");
        let with = |calendar| RateTable { calendar, zones: Vec::new() };
        if check.parse::<Word>(at("time_zone"), &self.time_zone).is_some() {
            fine(check, at, &with(Calendar { time_zone: self.time_zone.clone(), ..every_day() }));
        }
        let working_days = up_to(check, &at("working_days"), &self.working_days, WEEK).to_vec();
        if working_days.is_empty() {
            fine(check, at, &with(Calendar { working_days: Vec::new(), ..every_day() }));
        }
        for (n, day) in working_days.iter().enumerate() {
            let of_day = |member: &str| format!("calendar.{member}[{n}]");
            fine(check, of_day, &with(Calendar { working_days: vec![*day], ..every_day() }));
        }
        let closed = up_to(check, &at("closed"), &self.closed, CLOSED_MAX);
        let closed = check.all::<Date>(&at("closed"), closed);
        fine(check, at, &with(Calendar { cut_off_hour: self.cut_off_hour, ..every_day() }));
        let Self { time_zone, cut_off_hour, handling_days, .. } = self.clone();
        Calendar { time_zone, working_days, closed, cut_off_hour, handling_days }
    }
}

impl ZoneBody {
    fn of(zone: &Zone) -> Self {
        Self {
            name: zone.name.to_string(),
            areas: zone.areas.iter().map(AreaBody::of).collect(),
            rates: zone.rates.iter().map(RateBody::of).collect(),
        }
    }

    fn read(&self, check: &mut Check, under: &str, currency: Currency) -> Option<Zone> {
        let at = |member: &str| format!("{under}.{member}");
        let name = check.parse::<Word>(at("name"), &self.name);
        if self.areas.is_empty() {
            check.wrong(at("areas"), "required", "name an area; one without a country is the world");
        }
        let mut areas = Vec::new();
        for (n, area) in up_to(check, &at("areas"), &self.areas, AREAS_MAX).iter().enumerate() {
            areas.extend(area.read(check, &format!("{under}.areas[{n}]")));
        }
        // A name that is refused is shown so in what else is told.
        let shown = name.clone().or_else(|| "?".parse().ok())?;
        let with = |rates| {
            let zone = Zone { name: shown.clone(), areas: Vec::new(), rates };
            RateTable { calendar: every_day(), zones: vec![zone] }
        };
        let (mut rates, mut services) = (Vec::new(), Vec::<Rate>::new());
        for (n, body) in up_to(check, &at("rates"), &self.rates, RATES_MAX).iter().enumerate() {
            let at = |member: &str| format!("{under}.rates[{n}].{member}");
            let free = Price::Flat(Money::zero(currency));
            let plain = Rate { service: body.service, price: free, free_from: None, transit_days: (0, 0) };
            let together = [services.as_slice(), std::slice::from_ref(&plain)].concat();
            if fine(check, at, &with(together)) {
                services.push(plain.clone());
            }
            let price = body.price.read(check, &at("price"), currency);
            if let Some(price) = &price {
                fine(check, at, &with(vec![Rate { price: price.clone(), ..plain.clone() }]));
            }
            let free_from = body.free_from.as_ref();
            let free_from = free_from.and_then(|amount| check.money(at("free_from"), amount, currency));
            let transit_days = body.transit_days.into();
            fine(check, at, &with(vec![Rate { transit_days, ..plain.clone() }]));
            rates.extend(price.map(|price| Rate { price, free_from, transit_days, ..plain }));
        }
        Some(Zone { name: name?, areas, rates })
    }
}

impl RateBody {
    fn of(rate: &Rate) -> Self {
        Self {
            service: rate.service,
            price: PriceBody::of(&rate.price),
            free_from: rate.free_from.map(Amount::from),
            transit_days: rate.transit_days.into(),
        }
    }
}

impl PriceBody {
    fn of(price: &Price) -> Self {
        match price {
            Price::Flat(price) => Self { flat: Some((*price).into()), ..Self::default() },
            Price::Weight(bands) => {
                let band = |(grams, price): &(u64, Money)| WeightBand {
                    up_to_grams: *grams,
                    price: (*price).into(),
                };
                Self { by_weight: Some(bands.iter().map(band).collect()), ..Self::default() }
            }
            Price::Value(bands) => {
                let band = |(limit, price): &(Money, Money)| ValueBand {
                    up_to: (*limit).into(),
                    price: (*price).into(),
                };
                Self { by_value: Some(bands.iter().map(band).collect()), ..Self::default() }
            }
        }
    }

    fn read(&self, check: &mut Check, under: &str, currency: Currency) -> Option<Price> {
        match (&self.flat, &self.by_weight, &self.by_value) {
            (Some(price), None, None) => {
                check.money(format!("{under}.flat"), price, currency).map(Price::Flat)
            }
            (None, Some(bands), None) => {
                let read = |check: &mut Check, at: &str, band: &WeightBand| {
                    Some((band.up_to_grams, check.money(format!("{at}.price"), &band.price, currency)?))
                };
                all(check, &format!("{under}.by_weight"), bands, read).map(Price::Weight)
            }
            (None, None, Some(bands)) => {
                let read = |check: &mut Check, at: &str, band: &ValueBand| {
                    let limit = check.money(format!("{at}.up_to"), &band.up_to, currency);
                    limit.zip(check.money(format!("{at}.price"), &band.price, currency))
                };
                all(check, &format!("{under}.by_value"), bands, read).map(Price::Value)
            }
            (None, None, None) => {
                check.wrong(under, "required", "give one of `flat`, `by_weight` and `by_value`");
                None
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                check.wrong(under, "conflict", "give only one of `flat`, `by_weight` and `by_value`");
                None
            }
        }
    }
}

/// The bands, if all of them can be read and there is one.
fn all<B, T>(
    check: &mut Check,
    field: &str,
    bands: &[B],
    read: impl Fn(&mut Check, &str, &B) -> Option<T>,
) -> Option<Vec<T>> {
    if bands.is_empty() {
        check.wrong(field, "required", "give a band");
        return None;
    }
    let bands = up_to(check, field, bands, BANDS_MAX);
    let read: Vec<Option<T>> =
        bands.iter().enumerate().map(|(n, band)| read(check, &format!("{field}[{n}]"), band)).collect();
    read.into_iter().collect()
}

pub(crate) async fn show(
    State(world): State<World>,
    Path(merchant): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<RatesView>, Problem> {
    let key = Key::delivery_rates(&query.caller.marketplace, &named(&merchant)?);
    let held = world.table.load::<DeliveryRates>(&key).await?;
    let held = held.ok_or_else(|| Problem::not_found("rate table"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

pub(crate) async fn set(
    State(world): State<World>,
    Path(merchant): Path<String>,
    command: Command<SetRates>,
) -> Result<Reply<RatesView>, Problem> {
    let (merchant, m) = (named(&merchant)?, &command.caller.marketplace);
    if !command.reach.covers(&merchant) {
        return Err(Problem::not_found("merchant"));
    }
    let (currency, _) = currency_of(&world, m, &merchant, &[]).await?;
    let table = command.body.read(currency)?;
    // The merchant's own changes are counted apart from those of its table.
    let id = format!("{merchant}-delivery");
    let told = Announced::of(&DeliveryRatesChangedV1 { merchant: merchant.clone() });
    let rates = DeliveryRates { merchant, table };
    set_one(&world, &command, (&rates, &id), || Story::new([told.clone()]), view).await
}
