//! Collections as requests and answers have them.

use domain::id::ProductId;
use domain::pim::attribute::Place;
use domain::pim::collection::{Collection, Condition, LISTED_MAX, Members, Must, Order, Rule, Test};
use domain::pim::data::Data;
use domain::pim::measure::Unit;
use domain::text::{Channel, Code, Locale};
use edge::Check;
use edge::labels::{LabelsBody, labels_of, shown};
use events::Amount;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::str::FromStr;

/// What is in a collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CollectionMembers"))]
pub(crate) enum MembersBody {
    /// These products.
    Hand {
        #[cfg_attr(feature = "schema", schemars(with = "Vec<ProductId>"))]
        #[cfg_attr(feature = "schema", schemars(length(max = domain::pim::collection::CHOSEN_MAX)))]
        products: Vec<String>,
    },
    /// Whatever the rule holds for.
    Rule {
        must: Must,
        #[cfg_attr(
            feature = "schema",
            schemars(length(min = 1, max = domain::pim::collection::CONDITIONS_MAX))
        )]
        conditions: Vec<ConditionBody>,
    },
}

/// What a rule asks of a product.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "on", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CollectionCondition"))]
pub(crate) enum ConditionBody {
    /// It is in one of them, or below it.
    Category {
        #[cfg_attr(feature = "schema", schemars(with = "Vec<domain::text::Category>"))]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LISTED_MAX)))]
        any: Vec<String>,
    },
    /// It says something for the attribute; one of these values; or a number or measure between two.
    Attribute {
        #[cfg_attr(feature = "schema", schemars(with = "Code"))]
        attribute: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<Locale>"))]
        locale: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<Channel>"))]
        channel: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LISTED_MAX)))]
        any: Option<Vec<Data>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Decimal>"))]
        min: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Decimal>"))]
        max: Option<String>,
        /// What `min` and `max` are in, where the attribute is a measure.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<Unit>"))]
        unit: Option<String>,
    },
    /// The attribute `brand` says one of these.
    Brand {
        #[cfg_attr(feature = "schema", schemars(with = "Vec<domain::text::Word>"))]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LISTED_MAX)))]
        any: Vec<String>,
    },
    /// The lowest price of its offers in that currency, both ends included.
    Price {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        min: Option<Amount>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max: Option<Amount>,
    },
    /// One of them offers it.
    Merchant {
        #[cfg_attr(feature = "schema", schemars(with = "Vec<domain::id::MerchantId>"))]
        #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LISTED_MAX)))]
        any: Vec<String>,
    },
    /// It has been known since then, and before that.
    Created {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
        from: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
        until: Option<String>,
    },
    /// It has not been known for longer than so many days.
    New {
        #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
        days: u16,
    },
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Collection"))]
pub(crate) struct CollectionView {
    code: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    members: MembersBody,
    order: Order,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    until: Option<String>,
    /// Whether shoppers see it now.
    on: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetCollection {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    members: MembersBody,
    /// `chosen` is the order in which they were chosen; a rule's is then by title.
    order: Order,
    /// Since when it is on; always, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    from: Option<String>,
    /// From then on it is not on any more.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    until: Option<String>,
}

impl SetCollection {
    pub(crate) fn read(&self, check: &mut Check, code: &str) -> Option<Collection> {
        let code = check.parse::<Code>("code", code);
        let labels = labels_of(check, "labels", &self.labels);
        let members = self.members.read(check, "members");
        let from = check.maybe::<Timestamp>("from", self.from.as_deref());
        let until = check.maybe::<Timestamp>("until", self.until.as_deref());
        Some(Collection { code: code?, labels, members: members?, order: self.order, from, until })
    }
}

impl MembersBody {
    pub(crate) fn read(&self, check: &mut Check, field: &str) -> Option<Members> {
        match self {
            Self::Hand { products } => {
                Some(Members::Chosen(check.all::<ProductId>(&format!("{field}.products"), products)))
            }
            Self::Rule { must, conditions } => {
                let read = |(at, condition): (usize, &ConditionBody)| {
                    condition.read(check, &format!("{field}.conditions[{at}]"))
                };
                let conditions: Vec<Condition> = conditions.iter().enumerate().filter_map(read).collect();
                Some(Members::Rule(Rule { must: *must, conditions }))
            }
        }
    }

    fn of(members: &Members) -> Self {
        match members {
            Members::Chosen(products) => {
                Self::Hand { products: products.iter().map(ToString::to_string).collect() }
            }
            Members::Rule(Rule { must, conditions }) => {
                Self::Rule { must: *must, conditions: conditions.iter().map(ConditionBody::of).collect() }
            }
        }
    }
}

fn texts<T: ToString>(any: &BTreeSet<T>) -> Vec<String> {
    any.iter().map(ToString::to_string).collect()
}

/// More than a condition lists is too much, also where something is listed twice.
fn few(check: &mut Check, field: &str, count: usize) {
    if count > LISTED_MAX {
        check.wrong(field, "range", format!("{count} are more than {LISTED_MAX}"));
    }
}

fn listed<T: FromStr<Err: Display> + Ord>(check: &mut Check, field: &str, texts: &[String]) -> BTreeSet<T> {
    few(check, field, texts.len());
    check.all(field, texts).into_iter().collect()
}

impl ConditionBody {
    fn read(&self, check: &mut Check, at: &str) -> Option<Condition> {
        let any_of = format!("{at}.any");
        Some(match self {
            Self::Category { any } => Condition::Category { any: listed(check, &any_of, any) },
            Self::Brand { any } => Condition::Brand { any: listed(check, &any_of, any) },
            Self::Merchant { any } => Condition::Merchant { any: listed(check, &any_of, any) },
            Self::Attribute { attribute, locale, channel, any, min, max, unit } => {
                let attribute = check.parse::<Code>(format!("{at}.attribute"), attribute);
                let locale = check.maybe::<Locale>(format!("{at}.locale"), locale.as_deref());
                let channel = check.maybe::<Channel>(format!("{at}.channel"), channel.as_deref());
                let bounds = (min.as_deref(), max.as_deref(), unit.as_deref());
                let test = test(check, at, any.as_deref(), bounds);
                Condition::Attribute { attribute: attribute?, place: Place { locale, channel }, test: test? }
            }
            Self::Price { min, max } => {
                let mut money = |name: &str, amount: &Option<Amount>| {
                    amount.as_ref().and_then(|amount| check.any_money(&format!("{at}.{name}"), amount))
                };
                Condition::Price { min: money("min", min), max: money("max", max) }
            }
            Self::Created { from, until } => Condition::Created {
                from: check.maybe::<Timestamp>(format!("{at}.from"), from.as_deref()),
                until: check.maybe::<Timestamp>(format!("{at}.until"), until.as_deref()),
            },
            Self::New { days } => Condition::New { days: *days },
        })
    }

    fn of(condition: &Condition) -> Self {
        let text = |moment: &Option<Timestamp>| moment.map(|moment| moment.to_string());
        match condition {
            Condition::Category { any } => Self::Category { any: texts(any) },
            Condition::Brand { any } => Self::Brand { any: texts(any) },
            Condition::Merchant { any } => Self::Merchant { any: texts(any) },
            Condition::Attribute { attribute, place: Place { locale, channel }, test } => {
                let decimal = |number: &Option<Decimal>| number.map(|number| number.to_string());
                let (any, min, max, unit) = match test {
                    Test::Filled => (None, None, None, None),
                    Test::Any(any) => (Some(any.iter().cloned().collect()), None, None, None),
                    Test::Between { min, max, unit } => {
                        (None, decimal(min), decimal(max), unit.map(|unit| unit.to_string()))
                    }
                };
                let attribute = attribute.to_string();
                let locale = locale.as_ref().map(ToString::to_string);
                let channel = channel.as_ref().map(ToString::to_string);
                Self::Attribute { attribute, locale, channel, any, min, max, unit }
            }
            Condition::Price { min, max } => {
                Self::Price { min: min.map(Amount::from), max: max.map(Amount::from) }
            }
            Condition::Created { from, until } => Self::Created { from: text(from), until: text(until) },
            Condition::New { days } => Self::New { days: *days },
        }
    }
}

/// What an attribute must say: nothing named is "anything".
fn test(
    check: &mut Check,
    at: &str,
    any: Option<&[Data]>,
    (min, max, unit): (Option<&str>, Option<&str>, Option<&str>),
) -> Option<Test> {
    match (any, min.or(max).or(unit)) {
        (Some(_), Some(_)) => {
            check.wrong(at, "one_of", "want `any`, or `min` and `max`, and not both");
            None
        }
        (Some(any), None) => {
            few(check, &format!("{at}.any"), any.len());
            Some(Test::Any(any.iter().cloned().collect()))
        }
        (None, None) => Some(Test::Filled),
        (None, Some(_)) => Some(Test::Between {
            min: check.maybe::<Decimal>(format!("{at}.min"), min),
            max: check.maybe::<Decimal>(format!("{at}.max"), max),
            unit: check.maybe::<Unit>(format!("{at}.unit"), unit),
        }),
    }
}

pub(crate) fn view(collection: &Collection, now: Timestamp) -> CollectionView {
    let Collection { code, labels, members, order, from, until } = collection;
    CollectionView {
        code: code.to_string(),
        labels: shown(labels),
        members: MembersBody::of(members),
        order: *order,
        from: from.map(|from| from.to_string()),
        until: until.map(|until| until.to_string()),
        on: collection.is_on(now),
    }
}
