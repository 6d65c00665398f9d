//! What was bought as a guest goes to the account: the order, and who has ordered, sealed anew under the account's key.
//!
//! Whoever has the signed link to the order's page, or the cart that it was, has bought it: nobody else knows them.

use crate::orders::CustomerOrderView;
use axum::extract::State;
use domain::Decision;
use domain::customer::Person;
use domain::id::{CartId, CustomerId, MarketplaceId, OrderId};
use domain::order::{Order, claim as decide};
use edge::sealed::{data_key, is_order_page, seal, unseal};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::order::announce;
use serde::Deserialize;
use table::person::{Moving, OrderPerson};
use table::{Commit, Held, Key, Story};

type Answer = Result<Reply<CustomerOrderView>, Problem>;

/// The order with the signature of its link, or the cart that it was.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ClaimOrder {
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::OrderId>"))]
    order: Option<String>,
    /// From the link to the order's page.
    signature: Option<String>,
    cart: Option<String>,
}

/// How somebody shows to have bought it.
enum Proof {
    Link(String),
    Cart(CartId),
}

impl ClaimOrder {
    /// An id that cannot be one names nothing.
    fn read(&self) -> Result<(OrderId, Proof), Problem> {
        let none = || Problem::not_found("order");
        match (&self.order, &self.signature, &self.cart) {
            (Some(order), Some(signature), None) => {
                Ok((order.parse().map_err(|_| none())?, Proof::Link(signature.clone())))
            }
            (None, None, Some(cart)) => {
                let cart: CartId = cart.parse().map_err(|_| none())?;
                Ok((OrderId::of_cart(&cart), Proof::Cart(cart)))
            }
            (Some(_) | None, Some(_) | None, Some(_) | None) => {
                let mut check = Check::new();
                check.wrong("order", "required", "say either `order` and `signature`, or `cart`");
                Err(check.done().err().unwrap_or_else(Problem::internal))
            }
        }
    }
}

fn has_bought(order: &Order, proof: &Proof) -> bool {
    order.bought.as_ref().is_some_and(|bought| match proof {
        Proof::Link(signature) => is_order_page(&order.id, &bought.cart, signature),
        Proof::Cart(cart) => bought.cart == *cart,
    })
}

pub(crate) async fn claim(State(world): State<World>, command: Command<ClaimOrder>) -> Answer {
    let (id, proof) = command.body.read()?;
    world.until_free(|| attempt(&world, &command, &id, &proof)).await
}

async fn attempt(world: &World, command: &Command<ClaimOrder>, id: &OrderId, proof: &Proof) -> Answer {
    let (m, customer, now) = (&command.caller.marketplace, command.caller.customer()?, world.now());
    let held = world.table.load::<Order>(&Key::order(m, id)).await?;
    let held = held.filter(|held| has_bought(&held.value, proof));
    let held = held.ok_or_else(|| Problem::not_found("order"))?;
    let decided = decide(&held.value, &customer)?;
    let repeats = command.repeats(world, held.revision(), decided != Decision::Already).await?;
    let Decision::New(decided) = decided.clone() else {
        return Ok(Reply::ok(CustomerOrderView::of(&held.value)?).revision(held.revision()).replayed());
    };
    if repeats {
        return Err(Problem::busy());
    }
    let next = held.value.clone().apply(&decided.fact);
    let story = Story::new(announce(&held.value, &next, &decided));
    let context = command.context(now);
    let commit = Commit::new(m, &context).change(&held, &next, id.as_str(), story);
    let commit = move_person(world, m, commit, &held, &customer).await?;
    command.remember(commit, now, 200, id.as_str(), Overtaken).send(&world.table).await?;
    Ok(Reply::ok(CustomerOrderView::of(&next)?).revision(held.next_step()))
}

/// Who has ordered can be read with the account's key from now on, and with no other: the guest's is gone. Where the
/// guest was erased nothing is left to move.
async fn move_person<'a>(
    world: &World,
    m: &MarketplaceId,
    commit: Commit<'a, Overtaken>,
    order: &Held<Order>,
    customer: &CustomerId,
) -> Result<Commit<'a, Overtaken>, Problem> {
    let Some(guest) = &order.value.customer else { return Ok(commit) };
    let id = &order.value.id;
    let Moving { person, from, to } = world.table.order_person_between(m, id, (guest, customer)).await?;
    let (Some(held), Some(from)) = (person, from) else { return Ok(commit) };
    let Some(person) = unseal::<Person>(&from, id.as_str(), &held.value.sealed) else { return Ok(commit) };
    let (commit, key) = match to {
        Some(key) => (commit, key),
        None => {
            let key = data_key(world, customer).map_err(|error| Problem::fault(&error))?;
            (commit.add(&key, Overtaken), key)
        }
    };
    let sealed = seal(world, &key, id.as_str(), &person)?;
    let moved = OrderPerson { order: id.clone(), customer: customer.clone(), sealed };
    Ok(commit.replace(&held, &moved).delete(Key::data_key(m, guest)))
}
