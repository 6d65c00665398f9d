//! What an edit does for reminders: next to nothing. A cart is put on the list of due work once its shopper can be
//! written to, and again only after a look; what becomes of it then is `abandoned-cart`'s.

use domain::cart::Cart;
use domain::id::MarketplaceId;
use domain::reminder::Newest;
use edge::{Problem, World};
use jiff::Timestamp;

/// The cart as it is to be kept. What is due lies there before it, so that a crash between the two leads to a look that
/// finds nothing.
pub(crate) async fn follow(
    world: &World,
    m: &MarketplaceId,
    cart: Cart,
    now: Timestamp,
) -> Result<Cart, Problem> {
    let cart = cart.followed(m);
    let pending = cart.look_at.is_some_and(|at| now < at);
    let newest = Newest::of(&cart, now).filter(|_| cart.may_be_followed() && !pending);
    let Some(newest) = newest else { return Ok(cart) };
    let Some(at) = world.table.reminder_policy(m).await?.first_look(now) else { return Ok(cart) };
    world.table.cart_is_followed(m, &newest, at).await?;
    Ok(Cart { look_at: Some(at), ..cart })
}
