//! The contract's words for texts whose types are other crates'. Nothing is ever made of them.

use crate::order::QUANTITY_MAX;
use crate::text::{Locale, Name};
use schemars::JsonSchema;
use std::collections::BTreeMap;

/// A moment, as RFC 3339 writes it.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("format" = "date-time"))]
pub enum Moment {}

/// A day: `2026-11-23`.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("format" = "date"))]
pub enum Day {}

/// A month: `2026-11`.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^20[0-9]{2}-(0[1-9]|1[0-2])$"))]
pub enum Month {}

/// A decimal number, as text so that it is exact.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = r"^-?[0-9]{1,18}(\.[0-9]{1,8})?$"))]
pub enum Decimal {}

/// Percent, as a decimal number from 0 to 100.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$"))]
pub enum Percent {}

/// Percent that are taken off: more than 0, at most 100.
#[derive(Debug, JsonSchema)]
#[schemars(
    with = "String",
    extend(
        "pattern" = concat!(
            r"^(100(\.0{1,4})?|([1-9][0-9]?|0[1-9])(\.[0-9]{1,4})?",
            r"|00?\.([1-9][0-9]{0,3}|0[1-9][0-9]{0,2}|00[1-9][0-9]?|000[1-9]))$"
        )
    )
)]
pub enum PercentOff {}

/// Units of something: 1 to a million.
#[derive(Debug, JsonSchema)]
#[schemars(with = "u32", extend("minimum" = 1, "maximum" = QUANTITY_MAX))]
pub enum Quantity {}

/// Words as people type them; blanks at the ends and double ones are taken away.
#[derive(Debug, JsonSchema)]
#[schemars(
    with = "String",
    extend(
        "maxLength" = 200,
        "pattern" = r"^[^\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
    )
)]
pub enum Typed {}

/// The number of a variant, as a member's name.
#[derive(Debug, JsonSchema)]
#[schemars(with = "String", extend("pattern" = "^[1-9][0-9]?$"))]
pub enum VariantNumber {}

/// What something is called, by language.
pub type Labels = BTreeMap<Locale, Name>;
