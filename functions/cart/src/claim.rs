//! The carts of a person who has signed in: one for all devices, and what a guest chose joins it, with the codes that
//! were for the guest's cart alone; what that one holds is free again.

use crate::edit::{Answer, priced};
use axum::extract::{Path, State};
use domain::Money;
use domain::cart::{Cart, Line, Merged, NotSold, Reason, Strategy, Wares, merge};
use domain::discount::Spelling;
use domain::id::{CustomerId, MarketplaceId};
use edge::query::None as NoParameters;
use edge::shopping::AtHand;
use edge::{Command, Overtaken, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::Deserialize;
use table::discount::DiscountCode;
use table::{Commit, Held, Key};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ClaimCart"))]
pub(crate) struct Claim {
    /// What becomes of the lines, where the account has a cart already: `larger` (all offers, of each the larger
    /// quantity), `sum` (quantities are added), `guest` (only the guest's lines) or `account` (only the account's);
    /// `larger`, if not said.
    strategy: Strategy,
}

/// The cart that the caller's devices share.
pub(crate) async fn current(State(world): State<World>, query: Query<NoParameters>) -> Answer {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let current = world.table.current_cart(m, &customer).await?;
    let held = world.table.shared_cart(m, current.as_ref(), world.now()).await?;
    let held = held.ok_or_else(|| Problem::not_found("current cart"))?;
    Ok(Reply::ok(priced(&world, m, &held.value).await?).revision(held.revision()))
}

/// A guest who has signed in takes the cart along. Who has it already keeps it.
pub(crate) async fn claim(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Claim>,
) -> Answer {
    let customer = command.caller.customer()?;
    world.until_free(|| attempt(&world, &id, &command, &customer)).await
}

async fn attempt(world: &World, id: &str, command: &Command<Claim>, customer: &CustomerId) -> Answer {
    let (m, now) = (&command.caller.marketplace, world.now());
    let guest = AtHand::even_merged(world, &command.caller, id).await?.cart;
    if guest.value.renews.is_some() {
        return Err(Problem::not_found("cart"));
    }
    if let Some(merged) = &guest.value.merged {
        return found_again(world, m, (&guest.value, merged), customer).await;
    }
    if guest.value.customer.as_ref() == Some(customer) {
        let view = priced(world, m, &guest.value).await?;
        return Ok(Reply::ok(view).revision(guest.revision()).replayed());
    }
    let current = world.table.current_cart(m, customer).await?;
    let account = world.table.shared_cart(m, current.as_ref(), now).await?;
    if let Some(account) = account.as_ref().filter(|held| !held.value.lines.is_empty()) {
        return joined(world, command, account, &guest, now).await;
    }
    guest.value.stage.must_be_open()?;
    let next = Cart { customer: Some(customer.clone()), ..guest.value.clone() };
    // The account may have agreed to what the guest has not.
    let next = world.table.followed(m, next, now).await?;
    let context = command.context(now);
    let commit = Commit::new(m, &context).replace(&guest, &next);
    let mut commit = commit.share_cart(current.as_ref(), customer, &next.id, Overtaken);
    if let Some(empty) = &account {
        // What another device puts into it meanwhile is joined, not left behind.
        commit = commit.replace(empty, &empty.value);
    }
    commit.send(&world.table).await?;
    Ok(Reply::ok(priced(world, m, &next).await?).revision(guest.next_step()))
}

/// Both carts in one transaction: no line is ever in two of them.
async fn joined(
    world: &World,
    command: &Command<Claim>,
    account: &Held<Cart>,
    guest: &Held<Cart>,
    now: Timestamp,
) -> Answer {
    let m = &command.caller.marketplace;
    let offers: Vec<_> = guest.value.lines.iter().map(|line| line.offer.clone()).collect();
    let wares = world.table.wares_and_stock(m, &account.value, &offers, now).await?;
    let price = |line: &Line| offered(&wares, &account.value, line, now);
    let (next, left) = merge(&account.value, &guest.value, command.body.strategy, price, now)?;
    let next = world.table.followed(m, next, now).await?;
    let context = command.context(now);
    let mut commit: Commit<'_, Overtaken> =
        Commit::new(m, &context).replace(account, &next).replace(guest, &left);
    // As many as a cart has at the most.
    let codes = guest.value.codes.iter().map(|code| Key::discount_code(m, &Spelling::of(code)));
    let codes = world.table.load_all::<DiscountCode>(&codes.collect::<Vec<_>>()).await?;
    for code in codes.iter().filter(|code| code.value.bound_to.as_ref() == Some(&guest.value.id)) {
        let moved = DiscountCode { bound_to: Some(next.id.clone()), ..code.value.clone() };
        commit = commit.replace(code, &moved);
    }
    commit.send(&world.table).await?;
    release(world, m, &left).await?;
    let view = priced(world, m, &next).await?.merged(left.merged.as_deref());
    Ok(Reply::ok(view).revision(account.next_step()))
}

/// What a unit costs in the cart that goes on, if it can be bought.
fn offered(wares: &Wares, cart: &Cart, line: &Line, now: Timestamp) -> Result<Money, Reason> {
    wares.sold_at(&line.offer, cart, now).map_err(|not| match not {
        NotSold::Unknown(_) | NotSold::Unavailable(_) => Reason::Unavailable,
        NotSold::NoRate(_) => Reason::NoExchangeRate,
    })
}

/// What the guest's cart holds is there for the one that it has joined, as for everybody. A repeat finds what a crash
/// has left held.
async fn release(world: &World, m: &MarketplaceId, left: &Cart) -> Result<(), Problem> {
    let holds = left.held_until.is_some_and(|until| world.now() < until);
    if holds { Ok(world.table.release(m, &left.id, &left.holds).await?) } else { Ok(()) }
}

/// A repeat: the cart that the guest's has become a part of, with what was told then.
async fn found_again(
    world: &World,
    m: &MarketplaceId,
    (left, merged): (&Cart, &Merged),
    customer: &CustomerId,
) -> Answer {
    let none = || Problem::not_found("cart");
    let held = world.table.load_live::<Cart>(&Key::cart(m, &merged.into), world.now()).await?;
    let held = held.filter(|held| held.value.customer.as_ref() == Some(customer)).ok_or_else(none)?;
    release(world, m, left).await?;
    let view = priced(world, m, &held.value).await?.merged(Some(merged));
    Ok(Reply::ok(view).revision(held.revision()).replayed())
}
