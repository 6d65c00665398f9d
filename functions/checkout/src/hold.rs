//! `hold`: the shopper has come to the checkout, and nobody else takes what is in the cart for ten minutes.

use crate::show::CheckoutView;
use axum::extract::{Path, State};
use domain::cart::{Cart, HELD, Wares};
use domain::id::MarketplaceId;
use edge::shopping::AtHand;
use edge::{Command, Problem, Reply, World};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "HoldStock"))]
pub(crate) struct Hold {}

/// Asking again begins the ten minutes anew. What cannot be had is told on its line; then nothing is held.
pub(crate) async fn hold(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Hold>,
) -> Result<Reply<CheckoutView>, Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = AtHand::of(&world, &command.caller, &id).await?.cart;
            let now = world.now();
            held.value.stage.must_be_open()?;
            let mut wares = world.table.wares(m, &held.value).await?;
            let next = taking(&world, m, held.value.clone(), &mut wares, HELD, now).await?;
            let revision = world.table.put(m, Some(&held), &next).await?;
            Ok(Reply::ok(CheckoutView::of(&next, Some(&wares), &[], now)?).revision(revision))
        })
        .await
}

/// The cart with its stock held for so long; without, where it cannot be had: `wares` say then what could.
pub(crate) async fn taking(
    world: &World,
    m: &MarketplaceId,
    cart: Cart,
    wares: &mut Wares,
    time: SignedDuration,
    now: Timestamp,
) -> Result<Cart, Problem> {
    let until = now.saturating_add(time).unwrap_or(now);
    let wanted = cart.wanted(&wares.offers);
    match world.table.hold(m, &cart.id, &wanted, &cart.holds, until, now).await? {
        Ok(holds) => Ok(cart.holding(holds, until)),
        Err(short) => {
            world.table.release(m, &cart.id, &cart.holds).await?;
            wares.available = short.into_iter().map(|short| (short.offer, short.available)).collect();
            Ok(cart.holding(Vec::new(), now))
        }
    }
}
