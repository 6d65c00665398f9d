//! Units of measures and their conversion, metric and imperial.
//!
//! A unit is its dimension's base unit times an exact fraction, and an offset for temperatures. Sources: NIST Special
//! Publication 811 (2008), appendix B, where factors in bold are exact; the international yard and pound (1 in =
//! 2.54 cm, 1 lb = 0.45359237 kg), the US gallon of 231 in³, the imperial gallon of 4.54609 l, the IT British thermal
//! unit, the thermochemical calorie, the horsepower of 550 ft·lbf/s. Symbols keep their case: mW is not MW. Months and
//! years are absent on purpose: they have no fixed length.

use crate::pim::local::System;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Serialize};

/// The most decimals that a measure is shown with.
pub const DECIMALS_MAX: u32 = 12;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Dimension {
    Length,
    Mass,
    Volume,
    Area,
    Temperature,
    Power,
    Energy,
    Frequency,
    DataSize,
    Time,
    Speed,
    Pressure,
    Voltage,
    Current,
    Charge,
    Angle,
    SoundLevel,
    Brightness,
    LuminousFlux,
    PixelCount,
}

#[derive(Debug, PartialEq, Eq)]
struct Row {
    symbol: &'static str,
    dimension: Dimension,
    /// Base units of one of it: `factor / parts`; the factor is a mantissa and its decimals.
    factor: (i64, u32),
    parts: i64,
    /// Added before the factor applies, in hundredths: temperatures alone.
    offset: i64,
    /// What people of the other system use in its stead; itself where both use it.
    other: &'static str,
}

const fn row(
    symbol: &'static str,
    dimension: Dimension,
    factor: (i64, u32),
    parts: i64,
    other: &'static str,
) -> Row {
    Row { symbol, dimension, factor, parts, offset: 0, other }
}

const fn degrees(symbol: &'static str, factor: i64, parts: i64, offset: i64, other: &'static str) -> Row {
    Row { symbol, dimension: Dimension::Temperature, factor: (factor, 0), parts, offset, other }
}

#[rustfmt::skip]
static UNITS: &[Row] = &{
    use Dimension::*;
    [
        row("mm", Length, (1, 3), 1, "in"), row("cm", Length, (1, 2), 1, "in"),
        row("dm", Length, (1, 1), 1, "in"),
        row("m", Length, (1, 0), 1, "ft"), row("km", Length, (1000, 0), 1, "mi"),
        row("in", Length, (254, 4), 1, "cm"), row("ft", Length, (3048, 4), 1, "m"),
        row("yd", Length, (9144, 4), 1, "m"), row("mi", Length, (1_609_344, 3), 1, "km"),
        row("mg", Mass, (1, 6), 1, "oz"), row("g", Mass, (1, 3), 1, "oz"), row("kg", Mass, (1, 0), 1, "lb"),
        row("t", Mass, (1000, 0), 1, "lb"), row("oz", Mass, (28_349_523_125, 12), 1, "g"),
        row("lb", Mass, (45_359_237, 8), 1, "kg"), row("st", Mass, (635_029_318, 8), 1, "kg"),
        row("ml", Volume, (1, 3), 1, "fl_oz"), row("cl", Volume, (1, 2), 1, "fl_oz"),
        row("dl", Volume, (1, 1), 1, "fl_oz"), row("l", Volume, (1, 0), 1, "gal"),
        row("cm3", Volume, (1, 3), 1, "in3"), row("m3", Volume, (1000, 0), 1, "ft3"),
        row("in3", Volume, (16_387_064, 9), 1, "cm3"), row("ft3", Volume, (28_316_846_592, 9), 1, "m3"),
        row("fl_oz", Volume, (295_735_295_625, 13), 1, "ml"), row("pt", Volume, (473_176_473, 9), 1, "l"),
        row("qt", Volume, (946_352_946, 9), 1, "l"), row("gal", Volume, (3_785_411_784, 9), 1, "l"),
        row("imp_fl_oz", Volume, (284_130_625, 10), 1, "ml"), row("imp_pt", Volume, (56_826_125, 8), 1, "l"),
        row("imp_gal", Volume, (454_609, 5), 1, "l"),
        row("mm2", Area, (1, 6), 1, "in2"), row("cm2", Area, (1, 4), 1, "in2"),
        row("m2", Area, (1, 0), 1, "ft2"),
        row("ha", Area, (10_000, 0), 1, "ac"), row("km2", Area, (1_000_000, 0), 1, "mi2"),
        row("in2", Area, (64_516, 8), 1, "cm2"), row("ft2", Area, (9_290_304, 8), 1, "m2"),
        row("yd2", Area, (83_612_736, 8), 1, "m2"), row("ac", Area, (40_468_564_224, 7), 1, "ha"),
        row("mi2", Area, (2_589_988_110_336, 6), 1, "km2"),
        degrees("K", 1, 1, 0, "F"), degrees("C", 1, 1, 27_315, "F"), degrees("F", 5, 9, 45_967, "C"),
        row("mW", Power, (1, 3), 1, "mW"), row("W", Power, (1, 0), 1, "W"),
        row("kW", Power, (1000, 0), 1, "hp"),
        row("MW", Power, (1_000_000, 0), 1, "hp"), row("PS", Power, (73_549_875, 5), 1, "hp"),
        row("hp", Power, (74_569_987_158_227_022, 14), 1, "kW"),
        row("BTU/h", Power, (105_505_585_262, 8), 3600, "W"),
        row("J", Energy, (1, 0), 1, "J"), row("kJ", Energy, (1000, 0), 1, "kcal"),
        row("MJ", Energy, (1_000_000, 0), 1, "BTU"), row("Wh", Energy, (3600, 0), 1, "Wh"),
        row("kWh", Energy, (3_600_000, 0), 1, "kWh"), row("cal", Energy, (4184, 3), 1, "J"),
        row("kcal", Energy, (4184, 0), 1, "kJ"), row("BTU", Energy, (105_505_585_262, 8), 1, "kJ"),
        row("Hz", Frequency, (1, 0), 1, "Hz"), row("kHz", Frequency, (1000, 0), 1, "kHz"),
        row("MHz", Frequency, (1_000_000, 0), 1, "MHz"), row("GHz", Frequency, (1_000_000_000, 0), 1, "GHz"),
        row("rpm", Frequency, (1, 0), 60, "rpm"),
        row("bit", DataSize, (1, 0), 8, "bit"), row("B", DataSize, (1, 0), 1, "B"),
        row("kB", DataSize, (1000, 0), 1, "kB"), row("MB", DataSize, (1_000_000, 0), 1, "MB"),
        row("GB", DataSize, (1_000_000_000, 0), 1, "GB"),
        row("TB", DataSize, (1_000_000_000_000, 0), 1, "TB"),
        row("KiB", DataSize, (1 << 10, 0), 1, "KiB"), row("MiB", DataSize, (1 << 20, 0), 1, "MiB"),
        row("GiB", DataSize, (1 << 30, 0), 1, "GiB"), row("TiB", DataSize, (1 << 40, 0), 1, "TiB"),
        row("ms", Time, (1, 3), 1, "ms"), row("s", Time, (1, 0), 1, "s"), row("min", Time, (60, 0), 1, "min"),
        row("h", Time, (3600, 0), 1, "h"), row("d", Time, (86_400, 0), 1, "d"),
        row("week", Time, (604_800, 0), 1, "week"),
        row("m/s", Speed, (1, 0), 1, "mph"), row("km/h", Speed, (5, 0), 18, "mph"),
        row("mph", Speed, (44_704, 5), 1, "km/h"), row("kn", Speed, (1852, 0), 3600, "kn"),
        row("Pa", Pressure, (1, 0), 1, "psi"), row("hPa", Pressure, (100, 0), 1, "psi"),
        row("kPa", Pressure, (1000, 0), 1, "psi"), row("bar", Pressure, (100_000, 0), 1, "psi"),
        row("psi", Pressure, (44_482_216_152_605, 5), 64_516, "bar"),
        row("mV", Voltage, (1, 3), 1, "mV"), row("V", Voltage, (1, 0), 1, "V"),
        row("kV", Voltage, (1000, 0), 1, "kV"),
        row("mA", Current, (1, 3), 1, "mA"), row("A", Current, (1, 0), 1, "A"),
        row("mAh", Charge, (1, 3), 1, "mAh"), row("Ah", Charge, (1, 0), 1, "Ah"),
        row("deg", Angle, (1, 0), 1, "deg"), row("dB", SoundLevel, (1, 0), 1, "dB"),
        row("cd/m2", Brightness, (1, 0), 1, "cd/m2"), row("lm", LuminousFlux, (1, 0), 1, "lm"),
        row("px", PixelCount, (1, 0), 1, "px"), row("MP", PixelCount, (1_000_000, 0), 1, "MP"),
    ]
};

/// What only one of the systems has.
const IMPERIAL: [&str; 27] = [
    "in",
    "ft",
    "yd",
    "mi",
    "oz",
    "lb",
    "st",
    "in3",
    "ft3",
    "fl_oz",
    "pt",
    "qt",
    "gal",
    "imp_fl_oz",
    "imp_pt",
    "imp_gal",
    "in2",
    "ft2",
    "yd2",
    "ac",
    "mi2",
    "F",
    "hp",
    "BTU/h",
    "BTU",
    "mph",
    "psi",
];

/// A unit of the table, by its symbol.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(
        rename = "MeasureUnit", with = "String",
        extend("enum" = UNITS.iter().map(|row| row.symbol).collect::<Vec<_>>())
    )
)]
pub struct Unit(&'static Row);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAMeasure {
    #[error("`{0}` is no unit that we know")]
    Unit(String),
    #[error("{from} is no {to}: they measure different things")]
    Dimension { from: Unit, to: Unit },
    #[error("the amount does not fit")]
    Overflow,
}

impl Unit {
    pub fn symbol(self) -> &'static str {
        self.0.symbol
    }

    pub fn dimension(self) -> Dimension {
        self.0.dimension
    }

    /// What people of the other system use in its stead; itself where both use it.
    #[must_use]
    pub fn other(self) -> Self {
        UNITS.iter().find(|row| row.symbol == self.0.other).map_or(self, Self)
    }

    /// The same thing as people of a system measure it; itself where both do.
    #[must_use]
    pub fn of(self, system: System) -> Self {
        let other = self.other();
        match system {
            System::Metric if self.is_imperial() => other,
            System::Imperial if other.is_imperial() => other,
            System::Metric | System::Imperial => self,
        }
    }

    fn is_imperial(self) -> bool {
        IMPERIAL.contains(&self.symbol())
    }

    pub fn all(dimension: Dimension) -> impl Iterator<Item = Self> {
        UNITS.iter().filter(move |row| row.dimension == dimension).map(Self)
    }

    fn factor(self) -> Decimal {
        Decimal::new(self.0.factor.0, self.0.factor.1)
    }

    fn parts(self) -> Decimal {
        Decimal::from(self.0.parts)
    }

    fn offset(self) -> Decimal {
        Decimal::new(self.0.offset, 2)
    }
}

impl std::str::FromStr for Unit {
    type Err = NotAMeasure;
    fn from_str(text: &str) -> Result<Self, NotAMeasure> {
        let found = UNITS.iter().find(|row| row.symbol == text).map(Self);
        found.ok_or_else(|| NotAMeasure::Unit(text.chars().take(16).collect()))
    }
}

impl TryFrom<String> for Unit {
    type Error = NotAMeasure;
    fn try_from(text: String) -> Result<Self, NotAMeasure> {
        text.parse()
    }
}

impl From<Unit> for String {
    fn from(unit: Unit) -> Self {
        unit.symbol().to_owned()
    }
}

impl std::fmt::Display for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.symbol())
    }
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.symbol())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measure {
    pub amount: Decimal,
    pub unit: Unit,
}

impl Measure {
    /// The same in another unit. There is one division, the last step: where it ends, the result is exact; elsewhere it
    /// has the 28 digits of a `Decimal`, the last one rounded.
    pub fn convert(self, to: Unit) -> Result<Self, NotAMeasure> {
        let from = self.unit;
        if from.dimension() != to.dimension() {
            return Err(NotAMeasure::Dimension { from, to });
        }
        if from == to {
            return Ok(self);
        }
        let amount = || {
            let over = from.factor().checked_mul(to.parts())?.normalize();
            let under = from.parts().checked_mul(to.factor())?.normalize();
            let shifted = self.amount.checked_add(from.offset())?;
            let converted = match shifted.checked_mul(over) {
                Some(product) => product.checked_div(under)?,
                None => shifted.checked_mul(over.checked_div(under)?)?,
            };
            converted.checked_sub(to.offset())
        };
        Ok(Self { amount: amount().ok_or(NotAMeasure::Overflow)?.normalize(), unit: to })
    }

    /// With so many decimals at the most, half-up (away from zero at the midpoint), as money is.
    #[must_use]
    pub fn rounded(self, decimals: u32) -> Self {
        let decimals = decimals.min(DECIMALS_MAX);
        let amount = self.amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        Self { amount: amount.normalize(), ..self }
    }
}

impl std::fmt::Display for Measure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount, self.unit)
    }
}

#[cfg(test)]
mod tests;
