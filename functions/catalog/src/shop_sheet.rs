//! What a product says, as a channel shows it in a language, in the units and the currency of whoever reads it.

use crate::shop::became;
use axum::extract::{Path, State};
use domain::Currency;
use domain::fx;
use domain::id::ProductId;
use domain::payout::day;
use domain::pim::attribute::{Attribute, Choice, Kind, Labels};
use domain::pim::data::Data;
use domain::pim::family::Model;
use domain::pim::local::{Reading, System};
use domain::pim::sheet::{Content, Path as At, Slot};
use domain::text::{Channel, Code, Locale};
use edge::{Check, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use table::Key;
use table::sheet::Described;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Reader {
    /// The sales channel that shows it.
    #[cfg_attr(feature = "schema", schemars(with = "Channel"))]
    channel: String,
    /// One of the channel's languages.
    #[cfg_attr(feature = "schema", schemars(with = "Locale"))]
    locale: String,
    /// `metric` or `imperial`; as it was said, if neither.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::pim::local::System>"))]
    units: Option<String>,
    /// Amounts are converted into it by the marketplace's rates.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Currency>"))]
    currency: Option<String>,
}

/// One thing that a product says.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SpokenValue {
    attribute: String,
    /// In the language, or the attribute's code.
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// Options as the words of the language. A converted amount has `original` and `by`: rate, day and source.
    data: Data,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SpokenSheet {
    product: String,
    channel: String,
    locale: String,
    values: Vec<SpokenValue>,
    /// What variants say otherwise, by their number.
    variants: BTreeMap<String, Vec<SpokenValue>>,
}

/// Who reads it, and how.
struct Asked {
    channel: Channel,
    locale: Locale,
    system: Option<System>,
    currency: Option<Currency>,
}

fn read(parameters: &Reader, model: &Model) -> Result<Asked, Problem> {
    let mut check = Check::new();
    let channel = check.parse::<Channel>("channel", &parameters.channel);
    let locale = check.parse::<Locale>("locale", &parameters.locale);
    let system = check.maybe::<System>("units", parameters.units.as_deref());
    let currency = check.maybe::<Currency>("currency", parameters.currency.as_deref());
    if let Some(channel) = &channel {
        match model.channels.get(channel) {
            None => check.wrong("channel", "unknown", format!("there is no sales channel `{channel}`")),
            Some(found) => {
                if let Some(locale) = locale.as_ref().filter(|locale| !found.locales.contains(locale)) {
                    check.wrong("locale", "unknown", format!("`{channel}` does not speak {locale}"));
                }
            }
        }
    }
    check.done()?;
    let (Some(channel), Some(locale)) = (channel, locale) else { return Err(Problem::internal()) };
    Ok(Asked { channel, locale, system, currency })
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<Reader>,
) -> Result<Reply<SpokenSheet>, Problem> {
    let m = &query.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let rates = Key::fx_rates(m);
    let beside = |product: &ProductId| vec![Key::sheet(m, product), rates.clone()];
    let (product, mut found) = became(&world, m, id, beside).await?;
    let sheet = Key::sheet(m, &product.id);
    let content = found.take::<Described>(&sheet)?.map(|held| held.value.sheet.content).unwrap_or_default();
    let rates = found.take::<fx::Sheet>(&rates)?.map(|held| held.value.rates).unwrap_or_default();
    let said: BTreeSet<Code> = content.values().map(|(slot, _)| slot.attribute.clone()).collect();
    let model = world.table.model(m, &[], said).await?;
    let asked = read(&query.parameters, &model)?;
    let reading =
        Reading { system: asked.system, currency: asked.currency, rates: &rates, on: day(world.now()) };
    let (model, content) = (&model, &content);
    let speak = |variant: Option<u16>| spoken(content, model, &asked, &reading, variant);
    let numbers = product.variants.iter().map(|variant| variant.number);
    let variants = numbers.map(|number| (number.to_string(), speak(Some(number))));
    Ok(Reply::ok(SpokenSheet {
        product: product.id.to_string(),
        channel: asked.channel.to_string(),
        locale: asked.locale.to_string(),
        values: speak(None),
        variants: variants.filter(|(_, values)| !values.is_empty()).collect(),
    }))
}

/// All that is said there, attribute by attribute.
fn spoken(
    content: &Content,
    model: &Model,
    asked: &Asked,
    reading: &Reading<'_>,
    variant: Option<u16>,
) -> Vec<SpokenValue> {
    let value = |attribute: &Attribute| {
        let place = attribute.scope.place(&asked.channel, &asked.locale);
        let slot = Slot { variant, attribute: attribute.code.clone(), place };
        let data = content.get(&At::Value(slot))?;
        Some(SpokenValue {
            attribute: attribute.code.to_string(),
            label: word(&attribute.labels, &attribute.code, &asked.locale),
            group: attribute.group.as_ref().map(ToString::to_string),
            data: named(&attribute.kind, &reading.read(&attribute.kind, data), &asked.locale),
        })
    };
    model.attributes.values().filter_map(value).collect()
}

/// What something is called in a language, or its code.
fn word(labels: &Labels, code: &Code, locale: &Locale) -> String {
    labels.get(locale).map_or_else(|| code.to_string(), ToString::to_string)
}

/// Options by their names.
fn named(kind: &Kind, data: &Data, locale: &Locale) -> Data {
    let name = |choices: &[Choice], data: &Data| {
        let chosen = choices.iter().find(|choice| data.as_text() == Some(choice.code.as_str()));
        chosen.map_or_else(|| data.clone(), |choice| Data::text(word(&choice.labels, &choice.code, locale)))
    };
    match (kind, data) {
        (Kind::Option { choices }, data) => name(choices, data),
        (Kind::Options { choices }, Data::List(chosen)) => {
            Data::List(chosen.iter().map(|one| name(choices, one)).collect())
        }
        (
            Kind::Options { .. }
            | Kind::Text { .. }
            | Kind::RichText { .. }
            | Kind::Number { .. }
            | Kind::Measure { .. }
            | Kind::Money
            | Kind::Boolean
            | Kind::Date
            | Kind::Table { .. }
            | Kind::Reference { .. },
            data,
        ) => data.clone(),
    }
}
