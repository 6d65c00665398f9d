//! Delivery as a merchant offers it: a table of zones, services and prices, and what it comes to for one basket.
//!
//! The zone with the smallest area that covers the destination is the one that counts, so a zone for the islands takes
//! them out of the zone for the country. What a zone does not offer is not offered; an answer is never an empty list
//! without its reason. Dates count the merchant's own working days from its own clock. Prices are in the merchant's
//! currency; [`crate::fx`] converts what is shown.
//!
//! Absent on purpose: live rates of carriers and places of pickup.

use crate::fx::FxError;
use crate::money::{Money, MoneyError};
use crate::place::{Area, Place, nearest};
use crate::text::Word;
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What one merchant offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RateTable {
    pub calendar: Calendar,
    pub zones: Vec<Zone>,
}

/// When a merchant hands parcels over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// As the IANA database names it: `Europe/Berlin`.
    pub time_zone: String,
    /// 1 = Monday … 7 = Sunday (ISO 8601).
    pub working_days: Vec<i8>,
    /// Days on which nobody works all the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closed: Vec<Date>,
    /// What is ordered before this hour of a working day is begun on that day.
    pub cut_off_hour: i8,
    /// Working days between the beginning and the handing over.
    pub handling_days: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Zone {
    pub name: Word,
    pub areas: Vec<Area>,
    pub rates: Vec<Rate>,
}

/// One service into a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub service: Service,
    pub price: Price,
    /// Goods of this value or more travel free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub free_from: Option<Money>,
    /// Working days on the way, from the fastest to the slowest.
    pub transit_days: (u8, u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DeliveryService"))]
pub enum Service {
    Standard,
    Express,
    /// The customer comes for it.
    Pickup,
}

impl Service {
    /// The stable word for API and documents.
    pub fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Express => "express",
            Self::Pickup => "pickup",
        }
    }
}

/// Bands go up to and including their limit; beyond the last one the service is not offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Price {
    Flat(Money),
    /// By grams.
    Weight(Vec<(u64, Money)>),
    /// By the value of the goods.
    Value(Vec<(Money, Money)>),
}

/// What is to be brought from one merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parcel {
    pub grams: u64,
    /// Of the goods after discounts, in the merchant's currency.
    pub value: Money,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryOption {
    pub service: Service,
    pub zone: Word,
    pub price: Money,
    /// What the price would be without `free_from`.
    pub regular: Money,
    pub earliest: Date,
    pub latest: Date,
}

/// Why nothing can be brought.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDelivery {
    #[error("the merchant does not deliver there")]
    NoZone,
    #[error("{grams} g are too heavy for every service to zone {zone}")]
    TooHeavy { grams: u64, zone: Word },
    #[error("goods of {value} are worth too much for every service to zone {zone}")]
    TooDear { value: Money, zone: Word },
    #[error("zone {0} has no service")]
    NoService(Word),
    #[error("{0}: its prices cannot be shown in another currency")]
    NoRate(FxError),
    #[error(transparent)]
    Calendar(#[from] BadTable),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// Why a table is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadTable {
    #[error("`{0}` is no time zone of the IANA database")]
    TimeZone(String),
    #[error("{0} is no weekday: want 1 (Monday) to 7 (Sunday)")]
    Weekday(i8),
    #[error("no day within a year is a working day")]
    NeverOpen,
    #[error("{0} is no hour of the day: want 0 to 24")]
    CutOff(i8),
    #[error("zone {0}: its bands do not rise")]
    Bands(Word),
    #[error("zone {zone}: {} stands there twice", service.word())]
    Twice { zone: Word, service: Service },
    #[error("zone {0}: the fastest way takes longer than the slowest")]
    Transit(Word),
    #[error("there are two zones {0}")]
    SameName(Word),
    #[error("zone {zone} has an area that zone {first} has already")]
    SameArea { zone: Word, first: Word },
    #[error("zone {zone}: {source}")]
    Price { zone: Word, source: MoneyError },
}

impl RateTable {
    /// A table that may be stored: its calendar has working days, no area lies in two zones, its bands rise, its prices
    /// are of one currency.
    pub fn check(&self) -> Result<(), BadTable> {
        self.calendar.check()?;
        let (mut one, mut areas, mut names) = (None, BTreeMap::new(), BTreeSet::new());
        for zone in &self.zones {
            if !names.insert(&zone.name) {
                return Err(BadTable::SameName(zone.name.clone()));
            }
            for area in &zone.areas {
                if let Some(first) = areas.insert(area, &zone.name) {
                    let (zone, first) = (zone.name.clone(), first.clone());
                    return Err(BadTable::SameArea { zone, first });
                }
            }
            for (at, rate) in zone.rates.iter().enumerate() {
                if zone.rates.iter().take(at).any(|other| other.service == rate.service) {
                    return Err(BadTable::Twice { zone: zone.name.clone(), service: rate.service });
                }
                if rate.transit_days.0 > rate.transit_days.1 {
                    return Err(BadTable::Transit(zone.name.clone()));
                }
                if !rate.price.rises() {
                    return Err(BadTable::Bands(zone.name.clone()));
                }
                for amount in rate.price.amounts().chain(rate.free_from) {
                    let first = *one.get_or_insert(amount);
                    let fits = amount.not_negative().and_then(|amount| amount.plus(first));
                    fits.map_err(|source| BadTable::Price { zone: zone.name.clone(), source })?;
                }
            }
        }
        Ok(())
    }

    /// Every way to bring a parcel to a place, the cheapest first. A place that is known by country and postal prefix
    /// alone gets an estimate in the same form. Never an empty list.
    pub fn options(
        &self,
        to: &Place,
        parcel: Parcel,
        now: Timestamp,
    ) -> Result<Vec<DeliveryOption>, NoDelivery> {
        let zone = nearest(&self.zones, |zone| &zone.areas, to).into_iter().next();
        let zone = zone.ok_or(NoDelivery::NoZone)?;
        let begun = self.calendar.handed_over(now)?;
        let mut options = Vec::with_capacity(zone.rates.len());
        let mut refused = NoDelivery::NoService(zone.name.clone());
        for rate in &zone.rates {
            let Some(regular) = rate.price.of(parcel)? else {
                refused = rate.price.refusal(parcel, &zone.name);
                continue;
            };
            let free = match rate.free_from {
                Some(from) => parcel.value.minus(from)?.minor >= 0,
                None => false,
            };
            options.push(DeliveryOption {
                service: rate.service,
                zone: zone.name.clone(),
                price: if free { Money::zero(regular.currency) } else { regular },
                regular,
                earliest: self.calendar.after(begun, rate.transit_days.0)?,
                latest: self.calendar.after(begun, rate.transit_days.1)?,
            });
        }
        options.sort_by_key(|option| (option.price.minor, option.latest, option.service));
        if options.is_empty() { Err(refused) } else { Ok(options) }
    }

    /// When a parcel by a service arrives that is ordered now; none where the table does not say.
    pub fn expected(&self, to: &Place, service: Service, now: Timestamp) -> Option<(Date, Date)> {
        let zone = nearest(&self.zones, |zone| &zone.areas, to).into_iter().next()?;
        let rate = zone.rates.iter().find(|rate| rate.service == service)?;
        let begun = self.calendar.handed_over(now).ok()?;
        let after = |days| self.calendar.after(begun, days).ok();
        Some((after(rate.transit_days.0)?, after(rate.transit_days.1)?))
    }
}

impl Calendar {
    fn check(&self) -> Result<(), BadTable> {
        let zone = TimeZone::get(&self.time_zone);
        zone.map_err(|_| BadTable::TimeZone(self.time_zone.clone()))?;
        if let Some(day) = self.working_days.iter().find(|day| !(1..=7).contains(*day)) {
            return Err(BadTable::Weekday(*day));
        }
        if self.working_days.is_empty() {
            return Err(BadTable::NeverOpen);
        }
        if (0..=24).contains(&self.cut_off_hour) { Ok(()) } else { Err(BadTable::CutOff(self.cut_off_hour)) }
    }

    fn works_on(&self, day: Date) -> bool {
        self.working_days.contains(&day.weekday().to_monday_one_offset()) && !self.closed.contains(&day)
    }

    /// The `days`-th working day after `day`; for none the first one from `day` on.
    fn after(&self, day: Date, days: u8) -> Result<Date, BadTable> {
        let from = if days == 0 { day } else { day.saturating_add(1.day()) };
        let mut open =
            from.series(1.day()).take(366 + 7 * usize::from(days)).filter(|day| self.works_on(*day));
        open.nth(usize::from(days.saturating_sub(1))).ok_or(BadTable::NeverOpen)
    }

    /// The day on which what is ordered now leaves the merchant.
    fn handed_over(&self, now: Timestamp) -> Result<Date, BadTable> {
        let zone = TimeZone::get(&self.time_zone);
        let here = now.to_zoned(zone.map_err(|_| BadTable::TimeZone(self.time_zone.clone()))?);
        let late = here.hour() >= self.cut_off_hour;
        let begun = self.after(here.date(), u8::from(late))?;
        self.after(begun, self.handling_days)
    }
}

impl Price {
    fn of(&self, parcel: Parcel) -> Result<Option<Money>, MoneyError> {
        match self {
            Self::Flat(price) => Ok(Some(*price)),
            Self::Weight(bands) => {
                Ok(bands.iter().find(|(limit, _)| parcel.grams <= *limit).map(|(_, price)| *price))
            }
            Self::Value(bands) => {
                for (limit, price) in bands {
                    if limit.minus(parcel.value)?.minor >= 0 {
                        return Ok(Some(*price));
                    }
                }
                Ok(None)
            }
        }
    }

    fn refusal(&self, parcel: Parcel, zone: &Word) -> NoDelivery {
        match self {
            Self::Flat(_) => NoDelivery::NoService(zone.clone()),
            Self::Weight(_) => NoDelivery::TooHeavy { grams: parcel.grams, zone: zone.clone() },
            Self::Value(_) => NoDelivery::TooDear { value: parcel.value, zone: zone.clone() },
        }
    }

    fn rises(&self) -> bool {
        match self {
            Self::Flat(_) => true,
            Self::Weight(bands) => {
                !bands.is_empty() && bands.iter().zip(bands.iter().skip(1)).all(|(low, high)| low.0 < high.0)
            }
            Self::Value(bands) => {
                let mut pairs = bands.iter().zip(bands.iter().skip(1));
                !bands.is_empty() && pairs.all(|(low, high)| low.0.minor < high.0.minor)
            }
        }
    }

    /// Every amount that stands in it.
    fn amounts(&self) -> Box<dyn Iterator<Item = Money> + '_> {
        match self {
            Self::Flat(price) => Box::new(std::iter::once(*price)),
            Self::Weight(bands) => Box::new(bands.iter().map(|(_, price)| *price)),
            Self::Value(bands) => Box::new(bands.iter().flat_map(|(limit, price)| [*limit, *price])),
        }
    }
}

#[cfg(test)]
mod tests;
