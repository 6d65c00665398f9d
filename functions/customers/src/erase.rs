//! A person is forgotten: the data key is gone, and with it whatever was sealed; orders stay with amounts and ids.

use crate::not_registered;
use crate::profile::CustomerView;
use axum::extract::{Path, State};
use domain::Decision;
use domain::customer::{Customer, erase};
use domain::id::CustomerId;
use edge::{Command, Overtaken, Problem, Reply, World};
use events::customer::announce;
use serde::Deserialize;
use table::discount::Agreements;
use table::person::CustomerAccount;
use table::{Commit, Key, Story};

type Answer = Result<Reply<CustomerView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "EraseCustomer"))]
pub(crate) struct Erase {}

pub(crate) async fn me(State(world): State<World>, command: Command<Erase>) -> Answer {
    let id = command.caller.customer()?;
    attempt(&world, &id, &command, not_registered).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Erase>,
) -> Answer {
    let unknown = || Problem::not_found("customer");
    let id: CustomerId = id.parse().map_err(|_| unknown())?;
    attempt(&world, &id, &command, unknown).await
}

/// The account stays behind without a word in it, so that the steps of its story go on if the person comes back.
async fn attempt(
    world: &World,
    id: &CustomerId,
    command: &Command<Erase>,
    unknown: impl Fn() -> Problem,
) -> Answer {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let (account, key) = world.table.customer_account(m, id).await?;
            if account.is_none() && key.is_none() {
                return Err(unknown());
            }
            let (customer, now) = (account.as_ref().map(|held| &held.value.customer), world.now());
            let revision = account.as_ref().map_or(0, table::Held::revision);
            let decided = erase(customer, key.is_some(), now);
            let repeats = command.repeats(world, revision, decided != Decision::Already).await?;
            let Decision::New(fact) = decided.clone() else {
                let view = CustomerView::without_profile(id, customer);
                return Ok(Reply::ok(view).revision(revision).replayed());
            };
            if repeats {
                // This very request has erased what was there before; what came since is another's to erase.
                let view = CustomerView::without_profile(id, customer);
                return Ok(Reply::ok(view).revision(revision).replayed());
            }
            let before = customer.cloned().unwrap_or_else(|| Customer::registered(id.clone(), now));
            let next = CustomerAccount { customer: before.apply(&fact), sealed: None };
            let (context, story) = (command.context(now), Story::new([announce(id, &fact)]));
            let commit = Commit::new(m, &context);
            let commit = match &account {
                Some(held) => commit.change(held, &next, id.as_str(), story),
                None => commit.begin(&next, id.as_str(), story, Overtaken),
            };
            let commit = commit.delete(Key::data_key(m, id));
            // Whoever comes back starts anew: nothing is agreed with the person any more.
            let agreed = world.table.load::<Agreements>(&Key::agreements(m, id)).await?;
            let none = Agreements { customer: id.clone(), grants: Vec::new() };
            let commit = match agreed.as_ref().filter(|held| held.value != none) {
                Some(held) => commit.replace(held, &none),
                None => commit,
            };
            command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
            let view = CustomerView::without_profile(id, Some(&next.customer));
            Ok(Reply::ok(view).revision(revision.saturating_add(1)))
        })
        .await
}
