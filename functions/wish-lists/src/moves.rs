//! From a list into a cart and back: one transaction of both, so that a thing is in exactly one of them.

use crate::show::{WishListView, at_hand, shown};
use axum::extract::{Path, State};
use domain::cart::Cart;
use domain::catalog::Offer;
use domain::id::OfferId;
use domain::order::LINES_MAX;
use domain::wish_list::{Refused, WishList};
use edge::shopping::AtHand;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use table::{Commit, Key};

type Answer = Result<Reply<WishListView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MoveToCart"))]
pub(crate) struct ToCart {
    #[cfg_attr(feature = "schema", schemars(with = "domain::id::CartId"))]
    cart: String,
    /// By their numbers on the list.
    #[cfg_attr(feature = "schema", schemars(length(max = LINES_MAX)))]
    items: Vec<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MoveFromCart"))]
pub(crate) struct FromCart {
    #[cfg_attr(feature = "schema", schemars(with = "domain::id::CartId"))]
    cart: String,
    /// By their numbers in the cart.
    #[cfg_attr(feature = "schema", schemars(length(max = LINES_MAX)))]
    lines: Vec<u16>,
}

/// What cannot be bought stays on the list, and the whole request is refused.
pub(crate) async fn to_cart(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ToCart>,
) -> Answer {
    let (m, ToCart { cart, items }) = (&command.caller.marketplace, &command.body);
    if items.len() > LINES_MAX {
        return Err(Refused::ItemCount.into());
    }
    let world = &world;
    let decide = |list: WishList, cart: Cart| async move {
        let now = world.now();
        let wished = list.items.iter().filter(|item| items.contains(&item.number));
        let offers: Vec<OfferId> = wished.map(|item| item.offer.clone()).collect();
        let wares = world.table.wares_and_stock(m, &cart, &offers, now).await?;
        let mut check = Check::new();
        let mut wanted = Vec::with_capacity(items.len());
        for (at, number) in items.iter().enumerate() {
            let item = list.items.iter().find(|item| item.number == *number);
            let item = item.ok_or(Refused::NoItem(*number))?;
            match wares.sold_at(&item.offer, &cart, now) {
                Ok(price) => wanted.push((*number, price)),
                Err(why) => check.wrong(format!("items[{at}]"), "unavailable", why),
            }
        }
        check.done()?;
        Ok(list.to_cart(&cart, &wanted, now)?)
    };
    moved(world, &id, cart, &command, decide).await
}

pub(crate) async fn from_cart(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<FromCart>,
) -> Answer {
    let (m, FromCart { cart, lines }) = (&command.caller.marketplace, &command.body);
    if lines.len() > LINES_MAX {
        return Err(Refused::ItemCount.into());
    }
    let world = &world;
    let decide = |list: WishList, cart: Cart| async move {
        let keys = cart.lines.iter().filter(|line| lines.contains(&line.number));
        let keys: Vec<Key> = keys.map(|line| Key::offer(m, &line.offer)).collect();
        let offers = world.table.load_all::<Offer>(&keys).await?;
        let offers: Vec<Offer> = offers.into_iter().map(|held| held.value).collect();
        Ok(list.from_cart(&cart, lines, &offers, world.now())?)
    };
    moved(world, &id, cart, &command, decide).await
}

/// Both are the caller's; a repeat of the request finds it done.
async fn moved<T, Deciding>(
    world: &World,
    id: &str,
    cart: &str,
    command: &Command<T>,
    decide: impl Fn(WishList, Cart) -> Deciding,
) -> Answer
where
    Deciding: Future<Output = Result<(WishList, Cart), Problem>>,
{
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let list = at_hand(world, &command.caller, id).await?;
            let cart = AtHand::of(world, &command.caller, cart).await?.cart;
            let decided = decide(list.value.clone(), cart.value.clone()).await;
            if command.repeats(world, list.revision(), decided.is_ok()).await? {
                let view = shown(world, m, &list.value, true).await?;
                return Ok(Reply::ok(view).revision(list.revision()).replayed());
            }
            let (next, filled) = decided?;
            let now = world.now();
            let filled = world.table.followed(m, filled, now).await?;
            let context = command.context(now);
            let commit = Commit::new(m, &context).replace(&list, &next).replace(&cart, &filled);
            command.remember(commit, now, 200, id, Overtaken).send(&world.table).await?;
            Ok(Reply::ok(shown(world, m, &next, true).await?).revision(list.next_step()))
        })
        .await
}
