//! `order.placed.v1`: perhaps of a cart that had been left.

use domain::cart::Cart;
use domain::order::Order;
use domain::reminder::{FollowUp, Newest};
use edge::{Again, World};
use events::cart::CartRecoveredV1;
use events::order::OrderPlacedV1;
use events::{Announced, Context, Envelope};
use table::follow_up::Recovered;
use table::{Commit, Held, Key, Story, Uncommitted};

/// The order is counted already.
#[derive(Debug)]
struct Counted;

/// Of most orders three glances are all: nobody follows whoever has ordered.
pub(crate) async fn placed(world: World, event: Envelope<OrderPlacedV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let order = Key::order(m, &event.data.order);
    let order = world.table.glance(std::slice::from_ref(&order)).await?.take::<Order>(&order)?;
    let order = order.ok_or_else(|| Again::Early(event.data.order.to_string()))?.value;
    let Some(bought) = &order.bought else { return Ok(()) };
    let cart = Key::cart(m, &bought.cart);
    let cart = world.table.glance(std::slice::from_ref(&cart)).await?.take::<Cart>(&cart)?;
    let Some(id) = cart.and_then(|held| held.value.follow_up) else { return Ok(()) };
    let newest = Key::newest_cart(m, &id);
    let newest = world.table.glance(std::slice::from_ref(&newest)).await?.take::<Newest>(&newest)?;
    let Some(Held { value: newest, .. }) = newest else { return Ok(()) };
    if newest.cart != bought.cart && newest.at <= order.placed_at {
        // Who orders by a cart that nobody may remind of is not reminded of the one before either (A16(2)).
        let bought = Newest { cart: bought.cart.clone(), at: order.placed_at, ..newest };
        world.table.cart_is_newest(m, &bought).await?;
    }
    let Some(held) = world.table.load::<FollowUp>(&Key::follow_up(m, &id)).await? else { return Ok(()) };
    let policy = world.table.reminder_policy(m).await?;
    let (before, at) = (&held.value, order.placed_at);
    let Some(next) = before.ordered(&policy, &bought.cart, &order.id, at) else { return Ok(()) };
    let total = order.total()?;
    let reminders = u8::try_from(before.written.len()).unwrap_or(u8::MAX);
    let recovered = Recovered {
        order: order.id.clone(),
        follow_up: id,
        customer: before.customer.clone(),
        arm: before.arm,
        reminders,
        code: before.written.last().and_then(|written| written.code.clone()),
        total,
        began_at: before.began_at,
        at,
    };
    let told = CartRecoveredV1 {
        follow_up: before.id.clone(),
        order: order.id.clone(),
        arm: before.arm,
        reminders,
        total: total.into(),
    };
    let context = Context::follows(&event, world.now(), "abandoned-cart");
    let story = Story::new([Announced::of(&told)]);
    let commit = Commit::new(m, &context).recovered(&held, &next, &recovered, story, Counted);
    match commit.send(&world.table).await {
        Ok(()) | Err(Uncommitted::Refused(Counted)) => Ok(()),
        Err(other) => Err(other.into()),
    }
}
