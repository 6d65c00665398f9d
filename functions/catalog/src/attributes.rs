//! Attributes: what can be said of products, and as which type. An operator's, read by everybody.
//!
//! An attribute stays once it is there, with its type and with whether its values differ by locale or channel: what
//! products say of it must be readable for ever. Labels, bounds and options may change.

use axum::extract::{Path, State};
use domain::pim::attribute::{Attribute, Choice, Column, Kind, Scope, Target};
use domain::pim::measure::{Dimension, Unit};
use domain::text::Code;
use edge::change::set_over;
use edge::labels::{LabelsBody, labels_of, shown};
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::catalog::AttributeChangedV1;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use table::sheet::AttributeSummary;
use table::{Key, Story};

/// What its values are.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AttributeKind"))]
pub(crate) enum KindBody {
    Text {
        /// Characters.
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::pim::attribute::TEXT_MAX)))]
        max: u32,
        /// Whether it may have several lines.
        #[serde(default)]
        lines: bool,
    },
    /// A few tags of HTML; others are taken away.
    RichText {
        #[cfg_attr(feature = "schema", schemars(range(min = 1, max = domain::pim::attribute::RICH_MAX)))]
        max: u32,
    },
    Number {
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(max = domain::pim::attribute::NUMBER_DECIMALS_MAX)))]
        decimals: u8,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Decimal>"))]
        min: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Decimal>"))]
        max: Option<String>,
    },
    Measure {
        dimension: Dimension,
        /// What a bare number is taken in, like `cm`.
        #[cfg_attr(feature = "schema", schemars(with = "Unit"))]
        unit: String,
    },
    Money {},
    Boolean {},
    /// A day.
    Date {},
    /// One of them.
    Option {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::pim::attribute::CHOICES_MAX)))]
        choices: Vec<ChoiceBody>,
    },
    /// Some of them.
    Options {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::pim::attribute::CHOICES_MAX)))]
        choices: Vec<ChoiceBody>,
    },
    /// Rows like those of a size guide.
    Table {
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::pim::attribute::COLUMNS_MAX)))]
        columns: Vec<ColumnBody>,
    },
    Reference {
        to: Target,
    },
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AttributeChoice"))]
pub(crate) struct ChoiceBody {
    #[cfg_attr(feature = "schema", schemars(with = "Code"))]
    code: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
}

/// A text, number, measure, boolean or option.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AttributeColumn"))]
pub(crate) struct ColumnBody {
    #[cfg_attr(feature = "schema", schemars(with = "Code"))]
    code: String,
    kind: KindBody,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
}

/// In what values differ; neither: there is one for all.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AttributeScope"))]
pub(crate) struct ScopeBody {
    per_locale: bool,
    per_channel: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AttributeView {
    code: String,
    kind: KindBody,
    scope: ScopeBody,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

fn choices(choices: &[Choice]) -> Vec<ChoiceBody> {
    let one = |Choice { code, labels }: &Choice| ChoiceBody { code: code.to_string(), labels: shown(labels) };
    choices.iter().map(one).collect()
}

fn kind(of: &Kind) -> KindBody {
    let column = |Column { code, kind: plain, labels }: &Column| ColumnBody {
        code: code.to_string(),
        kind: kind(plain),
        labels: shown(labels),
    };
    match of {
        Kind::Text { max, lines } => KindBody::Text { max: *max, lines: *lines },
        Kind::RichText { max } => KindBody::RichText { max: *max },
        Kind::Number { decimals, min, max } => KindBody::Number {
            decimals: *decimals,
            min: min.as_ref().map(ToString::to_string),
            max: max.as_ref().map(ToString::to_string),
        },
        Kind::Measure { dimension, unit } => {
            KindBody::Measure { dimension: *dimension, unit: unit.symbol().to_owned() }
        }
        Kind::Money => KindBody::Money {},
        Kind::Boolean => KindBody::Boolean {},
        Kind::Date => KindBody::Date {},
        Kind::Option { choices: all } => KindBody::Option { choices: choices(all) },
        Kind::Options { choices: all } => KindBody::Options { choices: choices(all) },
        Kind::Table { columns } => KindBody::Table { columns: columns.iter().map(column).collect() },
        Kind::Reference { to } => KindBody::Reference { to: *to },
    }
}

fn view(attribute: &Attribute) -> AttributeView {
    let Attribute { code, kind: of, scope, labels, group } = attribute;
    AttributeView {
        code: code.to_string(),
        kind: kind(of),
        scope: ScopeBody { per_locale: scope.per_locale, per_channel: scope.per_channel },
        labels: shown(labels),
        group: group.as_ref().map(ToString::to_string),
    }
}

fn read_choices(check: &mut Check, field: &str, bodies: &[ChoiceBody]) -> Vec<Choice> {
    let mut choices = Vec::with_capacity(bodies.len());
    for (at, ChoiceBody { code, labels }) in bodies.iter().enumerate() {
        let at = format!("{field}.choices[{at}]");
        let code = check.parse::<Code>(format!("{at}.code"), code);
        let labels = labels_of(check, &format!("{at}.labels"), labels);
        choices.extend(code.map(|code| Choice { code, labels }));
    }
    choices
}

/// None where something of it is wrong.
fn read_kind(check: &mut Check, field: &str, body: &KindBody) -> Option<Kind> {
    Some(match body {
        KindBody::Text { max, lines } => Kind::Text { max: *max, lines: *lines },
        KindBody::RichText { max } => Kind::RichText { max: *max },
        KindBody::Number { decimals, min, max } => Kind::Number {
            decimals: *decimals,
            min: check.maybe::<Decimal>(format!("{field}.min"), min.as_deref()),
            max: check.maybe::<Decimal>(format!("{field}.max"), max.as_deref()),
        },
        KindBody::Measure { dimension, unit } => {
            let unit = check.parse::<Unit>(format!("{field}.unit"), unit)?;
            Kind::Measure { dimension: *dimension, unit }
        }
        KindBody::Money {} => Kind::Money,
        KindBody::Boolean {} => Kind::Boolean,
        KindBody::Date {} => Kind::Date,
        KindBody::Option { choices } => Kind::Option { choices: read_choices(check, field, choices) },
        KindBody::Options { choices } => Kind::Options { choices: read_choices(check, field, choices) },
        KindBody::Table { columns } => Kind::Table { columns: read_columns(check, field, columns) },
        KindBody::Reference { to } => Kind::Reference { to: *to },
    })
}

fn read_columns(check: &mut Check, field: &str, bodies: &[ColumnBody]) -> Vec<Column> {
    let mut columns = Vec::with_capacity(bodies.len());
    for (at, ColumnBody { code, kind, labels }) in bodies.iter().enumerate() {
        let at = format!("{field}.columns[{at}]");
        let code = check.parse::<Code>(format!("{at}.code"), code);
        let labels = labels_of(check, &format!("{at}.labels"), labels);
        let kind = read_kind(check, &format!("{at}.kind"), kind);
        columns.extend(code.zip(kind).map(|(code, kind)| Column { code, kind, labels }));
    }
    columns
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetAttribute {
    kind: KindBody,
    #[serde(default)]
    scope: ScopeBody,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    /// Where it stands on a page or in a form.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    group: Option<String>,
}

pub(crate) async fn set(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<SetAttribute>,
) -> Result<Reply<AttributeView>, Problem> {
    let SetAttribute { kind, scope, labels, group } = &command.body;
    let mut check = Check::new();
    let code = check.parse::<Code>("code", &code);
    let kind = read_kind(&mut check, "kind", kind);
    let labels = labels_of(&mut check, "labels", labels);
    let group = check.maybe::<Code>("group", group.as_deref());
    check.done()?;
    let (Some(code), Some(kind)) = (code, kind) else { return Err(Problem::internal()) };
    let scope = Scope { per_locale: scope.per_locale, per_channel: scope.per_channel };
    let attribute = Attribute { code, kind, scope, labels, group };
    attribute.declare()?;
    let allow = |before: &Attribute| before.may_become(&attribute).map_err(Problem::from);
    let told = || Story::new([Announced::of(&AttributeChangedV1 { attribute: attribute.code.to_string() })]);
    let subject = format!("attribute-{}", attribute.code);
    set_over(&world, &command, (&attribute, &subject), allow, told, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<AttributeView>, Problem> {
    let code: Code = code.parse().map_err(|_| Problem::not_found("attribute"))?;
    let held = world.table.load::<Attribute>(&Key::attribute(&query.caller.marketplace, &code)).await?;
    let held = held.ok_or_else(|| Problem::not_found("attribute"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct AttributeRow {
    code: String,
    /// The word of its kind.
    is: String,
    scope: ScopeBody,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

fn row(summary: AttributeSummary) -> AttributeRow {
    let AttributeSummary { code, kind, scope, labels, group } = summary;
    AttributeRow {
        code: code.to_string(),
        is: kind,
        scope: ScopeBody { per_locale: scope.per_locale, per_channel: scope.per_channel },
        labels: shown(&labels),
        group: group.map(|group| group.to_string()),
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<AttributeRow>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.attributes(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
