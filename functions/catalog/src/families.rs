//! Families: what products of one kind say, and must say where. An operator's, read by everybody.

use axum::extract::{Path, State};
use domain::pim::family::{Demand, Family};
use domain::text::{Channel, Code};
use edge::change::set;
use edge::labels::{LabelsBody, labels_of, shown};
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::catalog::FamilyChangedV1;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use table::sheet::FamilySummary;
use table::{Key, Story};

/// What a family wants of an attribute.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "FamilyDemand"))]
pub(crate) struct DemandBody {
    /// The sales channels on which it must be filled; none: it may be.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Channel>"))]
    required: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct FamilyView {
    code: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    /// By code.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Code, DemandBody>"))]
    attributes: BTreeMap<String, DemandBody>,
    axes: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    picture: Option<String>,
}

fn view(family: &Family) -> FamilyView {
    let Family { code, labels, attributes, axes, label, description, picture } = family;
    let named = |code: &Option<Code>| code.as_ref().map(ToString::to_string);
    let demand = |(code, demand): (&Code, &Demand)| {
        let required = demand.required.iter().map(ToString::to_string).collect();
        (code.to_string(), DemandBody { required })
    };
    FamilyView {
        code: code.to_string(),
        labels: shown(labels),
        attributes: attributes.iter().map(demand).collect(),
        axes: axes.iter().map(ToString::to_string).collect(),
        label: named(label),
        description: named(description),
        picture: named(picture),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetFamily {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    /// By code; at least one.
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<Code, DemandBody>"))]
    #[cfg_attr(
        feature = "schema",
        schemars(extend("minProperties" = 1, "maxProperties" = domain::pim::family::ATTRIBUTES_MAX))
    )]
    attributes: BTreeMap<String, DemandBody>,
    /// What variants of its products may differ in.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Code>"))]
    axes: Vec<String>,
    /// Which attribute is a product's title.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    label: Option<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    description: Option<String>,
    /// Which attribute names the picture that stands for the product.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Code>"))]
    picture: Option<String>,
}

fn read(check: &mut Check, code: &str, body: &SetFamily) -> Option<Family> {
    let code = check.parse::<Code>("code", code);
    let mut attributes = BTreeMap::new();
    for (name, DemandBody { required }) in &body.attributes {
        let at = format!("attributes.{name:.70}");
        let channels = check.all::<Channel>(&format!("{at}.required"), required);
        let name = check.parse::<Code>(&at, name);
        attributes.extend(name.map(|name| (name, Demand { required: channels.into_iter().collect() })));
    }
    let labels = labels_of(check, "labels", &body.labels);
    let axes = check.all::<Code>("axes", &body.axes);
    let mut named = |field: &str, code: &Option<String>| check.maybe::<Code>(field, code.as_deref());
    let label = named("label", &body.label);
    let description = named("description", &body.description);
    let picture = named("picture", &body.picture);
    Some(Family { code: code?, labels, attributes, axes, label, description, picture })
}

pub(crate) async fn set_one(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<SetFamily>,
) -> Result<Reply<FamilyView>, Problem> {
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let family = read(&mut check, &code, &command.body);
    check.done()?;
    let Some(family) = family else { return Err(Problem::internal()) };
    // Attributes and channels stay once they are there, so what is looked at here is still so at the commit.
    let model = world.table.model(m, &[], family.attributes.keys().cloned().collect()).await?;
    family.declare(&model)?;
    let told = || Story::new([Announced::of(&FamilyChangedV1 { family: family.code.to_string() })]);
    let subject = format!("family-{}", family.code);
    set(&world, &command, (&family, &subject), told, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<FamilyView>, Problem> {
    let code: Code = code.parse().map_err(|_| Problem::not_found("family"))?;
    let held = world.table.load::<Family>(&Key::family(&query.caller.marketplace, &code)).await?;
    let held = held.ok_or_else(|| Problem::not_found("family"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct FamilyRow {
    code: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Labels"))]
    labels: LabelsBody,
    /// How many.
    attributes: u16,
}

fn row(summary: FamilySummary) -> FamilyRow {
    let FamilySummary { code, labels, attributes } = summary;
    FamilyRow { code: code.to_string(), labels: shown(&labels), attributes }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<FamilyRow>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.families(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
