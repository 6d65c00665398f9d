//! Whether a customer may subscribe to a plan: asked where subscriptions begin, by themselves or with an order, and
//! where one goes over to another plan.

use crate::problem::Problem;
use crate::world::World;
use domain::customer::Stage;
use domain::id::{CustomerId, MarketplaceId, PlanId, SubscriptionId};
use domain::plan::Plan;
use table::Key;
use table::person::CustomerAccount;
use table::subscription::{HadTrial, HasPlan};

/// A plan that a customer may subscribe to, and whether its trial is theirs still.
pub async fn subscribable(
    world: &World,
    m: &MarketplaceId,
    customer: &CustomerId,
    plan: &PlanId,
) -> Result<(Plan, bool), Problem> {
    let (key, account) = (Key::plan(m, plan), Key::customer(m, customer));
    let (has, had) = (Key::has_plan(m, customer, plan), Key::had_trial(m, customer, plan));
    let keys = [&key, &account, &has, &had].map(Clone::clone);
    let mut found = world.table.read(&keys).await?;
    let plan = found.take::<Plan>(&key)?.ok_or_else(|| Problem::not_found("plan"))?.value;
    if plan.closed {
        return Err(plan_closed(&plan));
    }
    let registered = found.take::<CustomerAccount>(&account)?;
    let registered =
        registered.is_some_and(|held| matches!(held.value.customer.stage, Stage::Registered { .. }));
    if !registered {
        let title = "There is no account for this";
        return Err(Problem::new(404, "not_registered", title).with("the customer signs up first"));
    }
    if let Some(has) = found.take::<HasPlan>(&has)? {
        return Err(already_subscribed(&has.value.subscription));
    }
    Ok((plan, found.take::<HadTrial>(&had)?.is_none()))
}

/// There is one subscription of a customer's to a plan, and this is it.
pub fn already_subscribed(has: &SubscriptionId) -> Problem {
    let title = "The customer has this plan already";
    Problem::new(409, "already_subscribed", title).with(format!("change {has} instead"))
}

pub fn plan_closed(plan: &Plan) -> Problem {
    let title = "Nobody can subscribe to this plan any more";
    Problem::new(409, "plan_closed", title).with(format!("{} is closed", plan.name))
}
