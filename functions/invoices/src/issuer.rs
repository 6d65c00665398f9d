//! The legal entity that issues the documents: what they show of it, and where the marketplace's own service is sold
//! from for the tax.

use axum::extract::State;
use domain::place::Country;
use domain::text::Name;
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use events::Announced;
use events::invoice::InvoiceIssuerChangedV1;
use serde::{Deserialize, Serialize};
use table::invoice::Issuer;
use table::{Key, Story};

/// Lines of an address, its country left out.
const LINES_MAX: usize = 6;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InvoiceIssuer"))]
pub(crate) struct IssuerBody {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// Street, city and what else stands on a letter, 1 to 6.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = LINES_MAX)))]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Name>"))]
    lines: Vec<String>,
    /// ISO 3166-1, where it is taxed: `DE`.
    #[cfg_attr(feature = "schema", schemars(with = "Country"))]
    country: String,
    /// As documents show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    tax_id: Option<String>,
}

impl IssuerBody {
    fn of(issuer: &Issuer) -> Self {
        Self {
            name: issuer.name.to_string(),
            lines: issuer.lines.iter().map(ToString::to_string).collect(),
            country: issuer.country.to_string(),
            tax_id: issuer.tax_id.as_ref().map(ToString::to_string),
        }
    }

    fn read(&self) -> Result<Issuer, Problem> {
        let mut check = Check::new();
        let name = check.parse::<Name>("name", &self.name);
        if !(1..=LINES_MAX).contains(&self.lines.len()) {
            check.wrong("lines", "range", format!("want 1 to {LINES_MAX} lines"));
        }
        let lines = check.all::<Name>("lines", self.lines.get(..LINES_MAX).unwrap_or(&self.lines));
        let country = check.parse::<Country>("country", &self.country);
        let tax_id = check.maybe::<Name>("tax_id", self.tax_id.as_deref());
        check.done()?;
        let (Some(name), Some(country)) = (name, country) else { return Err(Problem::internal()) };
        Ok(Issuer { name, lines, country, tax_id })
    }
}

pub(crate) async fn show(
    State(world): State<World>,
    query: Query<NoParameters>,
) -> Result<Reply<IssuerBody>, Problem> {
    let held = world.table.load::<Issuer>(&Key::issuer_of_invoices(&query.caller.marketplace)).await?;
    let held = held.ok_or_else(|| Problem::not_found("issuer: nobody is set yet"))?;
    Ok(Reply::ok(IssuerBody::of(&held.value)).revision(held.revision()))
}

pub(crate) async fn set_issuer(
    State(world): State<World>,
    command: Command<IssuerBody>,
) -> Result<Reply<IssuerBody>, Problem> {
    let issuer = command.body.read()?;
    let country = issuer.country.to_string();
    let story = || Story::new([Announced::of(&InvoiceIssuerChangedV1 { country: country.clone() })]);
    set(&world, &command, (&issuer, "issuer"), story, IssuerBody::of).await
}
