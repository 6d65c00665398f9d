//! A link from a reminder opens the cart again, on any device.
//!
//! A guest's cart is opened itself, and so is the caller's own. Another customer's is not: whoever has the link gets
//! what was chosen, in a cart of the own, and nothing of the person. Its code moves along, for it is good for one cart;
//! so nothing is copied of a cart that is being paid.

use crate::edit::{Answer, priced};
use axum::extract::{Path, State};
use domain::cart::{Cart, Edit};
use domain::checkout::Stage;
use domain::discount::Spelling;
use domain::id::{CartId, derive};
use domain::reminder::{FollowUp, Newest};
use domain::text::Word;
use edge::identity::Shopper;
use edge::links::{Link, Purpose};
use edge::shopping::not_merged;
use edge::{Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use table::discount::DiscountCode;
use table::{Commit, Held, Key};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OpenCartLink"))]
pub(crate) struct Open {}

/// A forged link finds nothing; one whose time is over, or whose cart was ordered, says so.
pub(crate) async fn restore(
    State(world): State<World>,
    Path(token): Path<String>,
    command: Command<Open>,
) -> Answer {
    let m = &command.caller.marketplace;
    let shopper = command.caller.shopper()?;
    let link = Link::open(&world, m, Purpose::Cart, &token).await?;
    let id: CartId = link.about.parse().map_err(|_| Problem::not_found("cart"))?;
    world.until_free(|| attempt(&world, &command, &id, (&token, &shopper))).await
}

async fn attempt(
    world: &World,
    command: &Command<Open>,
    id: &CartId,
    (token, shopper): (&str, &Shopper),
) -> Answer {
    let (m, now) = (&command.caller.marketplace, world.now());
    let held = world.table.load_live::<Cart>(&Key::cart(m, id), now).await?;
    let held = held.ok_or_else(|| Problem::not_found("cart"))?;
    if let Stage::Completed { .. } = held.value.stage {
        return Err(Problem::new(410, "cart_completed", "The cart was ordered")
            .with("the link was to a cart that has become an order since"));
    }
    not_merged(&held.value)?;
    let follow_up = match &held.value.follow_up {
        Some(id) => world.table.load::<FollowUp>(&Key::follow_up(m, id)).await?,
        None => None,
    };
    let follow_up = follow_up.filter(|follow_up| follow_up.value.cart == *id);
    let code =
        follow_up.as_ref().and_then(|held| held.value.written.iter().rev().find_map(|w| w.code.clone()));
    if shopper.may_see(held.value.customer.as_ref()) {
        return itself(world, command, &held, code).await;
    }
    let copy = CartId::from_bits(derive(&["restored", token]));
    if let Some(copy) = world.table.load_live::<Cart>(&Key::cart(m, &copy), now).await? {
        let own = shopper.may_see(copy.value.customer.as_ref());
        let copy = Some(copy).filter(|_| own).ok_or_else(|| Problem::not_found("cart"))?;
        let view = priced(world, m, &copy.value).await?;
        return Ok(Reply::ok(view).revision(copy.revision()).replayed());
    }
    held.value.stage.must_be_open()?;
    let copy = with_code(&held.value.restored(copy, shopper.customer().cloned(), now), code.as_ref(), now)?;
    let context = command.context(now);
    let mut commit = Commit::new(m, &context).add(&copy, Overtaken);
    if let Some(follow_up) = &follow_up {
        let moved = FollowUp { cart: copy.id.clone(), ..follow_up.value.clone() };
        let newest = Newest::of(&held.value, now).ok_or_else(Problem::internal)?;
        let newest = Newest { cart: copy.id.clone(), customer: copy.customer.clone(), ..newest };
        commit = commit.replace(follow_up, &moved).put_any(&newest);
    }
    if let Some(code) = code {
        let known = world.table.load::<DiscountCode>(&Key::discount_code(m, &Spelling::of(&code))).await?;
        if let Some(known) = known.filter(|known| known.value.bound_to.as_ref() == Some(id)) {
            let moved = DiscountCode { bound_to: Some(copy.id.clone()), ..known.value.clone() };
            // Whoever begins to pay the first cart meanwhile has another price to agree to.
            commit = commit.replace(&known, &moved).replace(&held, &held.value);
        }
    }
    commit.send(&world.table).await?;
    Ok(Reply::ok(priced(world, m, &copy).await?).revision(1))
}

/// With the code that its reminder brought.
async fn itself(world: &World, command: &Command<Open>, held: &Held<Cart>, code: Option<Word>) -> Answer {
    let (m, now) = (&command.caller.marketplace, world.now());
    let free = held.value.stage == Stage::Open;
    let missing = code.filter(|code| free && !held.value.codes.contains(code));
    let next = with_code(&held.value, missing.as_ref(), now)?;
    if next.codes == held.value.codes {
        let view = priced(world, m, &held.value).await?;
        return Ok(Reply::ok(view).revision(held.revision()).replayed());
    }
    let revision = world.table.put(m, Some(held), &next).await?;
    Ok(Reply::ok(priced(world, m, &next).await?).revision(revision))
}

/// A cart that is full of codes goes on without.
fn with_code(cart: &Cart, code: Option<&Word>, now: jiff::Timestamp) -> Result<Cart, Problem> {
    let Some(code) = code.filter(|_| cart.codes.len() < domain::discount::CODES_MAX) else {
        return Ok(cart.clone());
    };
    Ok(cart.edit(Edit { codes_in: vec![code.clone()], ..Edit::default() }, now)?)
}
