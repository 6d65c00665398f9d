//! Agreements: what single customers have without typing anything, all of a customer's in one item.

use crate::grant::{GrantBody, known_merchants};
use axum::extract::{Path, State};
use domain::customer::Stage;
use domain::discount::{AGREEMENTS_MAX, named_twice};
use domain::id::{CustomerId, MarketplaceId};
use edge::change::set;
use edge::query::None as NoParameters;
use edge::{Check, Command, Problem, Query, Reply, World};
use events::Announced;
use events::discount::DiscountAgreementsChangedV1;
use serde::{Deserialize, Serialize};
use table::discount::Agreements;
use table::person::CustomerAccount;
use table::{Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Agreements"))]
pub(crate) struct AgreementsView {
    customer: String,
    /// In the order in which they apply.
    agreements: Vec<GrantBody>,
}

fn view(agreed: &Agreements) -> AgreementsView {
    let agreements = agreed.grants.iter().map(GrantBody::of).collect();
    AgreementsView { customer: agreed.customer.to_string(), agreements }
}

/// The customer that a path names, who has an account: nobody else can be agreed with.
async fn registered(world: &World, m: &MarketplaceId, text: &str) -> Result<CustomerId, Problem> {
    let unknown = || Problem::not_found("customer");
    let id: CustomerId = text.parse().map_err(|_| unknown())?;
    let account = world.table.load::<CustomerAccount>(&Key::customer(m, &id)).await?;
    match account.ok_or_else(unknown)?.value.customer.stage {
        Stage::Registered { .. } => Ok(id),
        Stage::Erased { .. } => Err(unknown()),
    }
}

pub(crate) async fn show(
    State(world): State<World>,
    Path(customer): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<AgreementsView>, Problem> {
    let m = &query.caller.marketplace;
    let customer = registered(&world, m, &customer).await?;
    let held = world.table.load::<Agreements>(&Key::agreements(m, &customer)).await?;
    Ok(match held {
        Some(held) => Reply::ok(view(&held.value)).revision(held.revision()),
        None => Reply::ok(view(&Agreements { customer, grants: Vec::new() })).revision(0),
    })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetAgreements {
    /// All of them in the order in which they apply, at most 10; who is left out is ended.
    #[cfg_attr(feature = "schema", schemars(length(max = AGREEMENTS_MAX)))]
    agreements: Vec<GrantBody>,
}

pub(crate) async fn set_agreements(
    State(world): State<World>,
    Path(customer): Path<String>,
    command: Command<SetAgreements>,
) -> Result<Reply<AgreementsView>, Problem> {
    let m = &command.caller.marketplace;
    let given = &command.body.agreements;
    let mut check = Check::new();
    if given.len() > AGREEMENTS_MAX {
        let why = format!("a customer has at most {AGREEMENTS_MAX} agreements, not {}", given.len());
        check.wrong("agreements", "range", why);
        check.done()?;
        return Err(Problem::internal());
    }
    let field = |at: usize, name: &str| format!("agreements[{at}].{name}");
    let read = |(at, body): (usize, &GrantBody)| body.read(&mut check, &field(at, ""));
    let grants: Vec<_> = given.iter().enumerate().filter_map(read).collect();
    if let Some(at) = grants.iter().position(|grant| grant.usage_limit.is_some()) {
        let why = "an agreement is one customer's: only a code is for so many orders";
        check.wrong(field(at, "usage_limit"), "conflict", why);
    }
    check.done()?;
    if let Some(at) = named_twice(&grants) {
        let mut check = Check::new();
        check.wrong(field(at, "name"), "conflict", "another agreement has this name");
        check.done()?;
    }
    known_merchants(&world, m, &grants, |at| field(at, "merchant")).await?;
    let customer = registered(&world, m, &customer).await?;
    let id = format!("discount-agreements-{customer}");
    let story = || Story::new([Announced::of(&DiscountAgreementsChangedV1 { customer: customer.clone() })]);
    let agreed = Agreements { customer: customer.clone(), grants };
    set(&world, &command, (&agreed, &id), story, view).await
}
