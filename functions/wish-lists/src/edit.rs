//! Making and changing wish lists: one put each.

use crate::show::{Sold, WishListView, at_hand, shown};
use axum::extract::{Path, State};
use domain::id::{OfferId, WishListId};
use domain::text::Name;
use domain::wish_list::{ITEMS_MAX, Refused, WishList};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use serde::Deserialize;
use table::Commit;

type Answer = Result<Reply<WishListView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OpenWishList {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
}

/// What is absent stays as it is. Things go out first, then others come in.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct EditWishList {
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    name: Option<String>,
    /// Offers; one that is on the list gets so many more.
    #[cfg_attr(feature = "schema", schemars(length(max = ITEMS_MAX)))]
    add: Vec<WishBody>,
    /// Items by their numbers.
    #[cfg_attr(feature = "schema", schemars(length(max = ITEMS_MAX)))]
    remove: Vec<u32>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AddToWishList"))]
struct WishBody {
    #[cfg_attr(feature = "schema", schemars(with = "OfferId"))]
    offer: String,
    /// 1 to a million; 1, if not said.
    #[serde(default = "one")]
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: i64,
}

fn one() -> i64 {
    1
}

pub(crate) async fn open(State(world): State<World>, command: Command<OpenWishList>) -> Answer {
    let m = &command.caller.marketplace;
    let shopper = command.caller.shopper()?;
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &command.body.name);
    check.done()?;
    let Some(name) = name else { return Err(Problem::internal()) };
    world
        .until_free(|| async {
            if let Some(asked) = command.before(&world, true).await? {
                let held = at_hand(&world, &command.caller, &asked.resource).await?;
                let view = shown(&world, m, &held.value, true).await?;
                return Ok(Reply::ok(view).revision(held.revision()).replayed());
            }
            let id = world.unguessable().map_err(|error| Problem::fault(&error))?;
            let now = world.now();
            let id = WishListId::from_bits(id);
            let list = WishList::new(id, shopper.customer().cloned(), name.clone(), now);
            let context = command.context(now);
            let commit = Commit::new(m, &context).add(&list, Overtaken);
            command.remember(commit, now, 201, list.id.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::created(shown(&world, m, &list, true).await?).revision(1))
        })
        .await
}

pub(crate) async fn edit(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<EditWishList>,
) -> Answer {
    let EditWishList { name, add, remove } = &command.body;
    if add.len().max(remove.len()) > ITEMS_MAX {
        return Err(Refused::ItemCount.into());
    }
    let mut check = Check::new();
    let name = check.maybe::<Name>("name", name.as_deref());
    let mut wanted: Vec<(OfferId, u32)> = Vec::with_capacity(add.len());
    for (at, WishBody { offer, quantity }) in add.iter().enumerate() {
        let offer = check.parse::<OfferId>(format!("add[{at}].offer"), offer);
        let quantity = check.quantity(format!("add[{at}].quantity"), *quantity);
        wanted.extend(offer.zip(quantity));
    }
    check.done()?;
    let (world, wanted, name) = (&world, &wanted, &name);
    let m = &command.caller.marketplace;
    let decide = |list: WishList| async move {
        let now = world.now();
        let mut next = WishList { name: name.clone().unwrap_or(list.name.clone()), ..list };
        for number in remove {
            next = next.without(*number, now)?;
        }
        let offers: Vec<OfferId> = wanted.iter().map(|(offer, _)| offer.clone()).collect();
        let sold = Sold::of(world, m, &offers).await?;
        let mut check = Check::new();
        for (at, (offer, quantity)) in wanted.iter().enumerate() {
            match sold.offer(offer) {
                Some(offer) => next = next.add(offer, *quantity, now)?,
                None => {
                    check.wrong(
                        format!("add[{at}].offer"),
                        "unavailable",
                        format!("{offer} is not for sale"),
                    );
                }
            }
        }
        check.done()?;
        Ok(next)
    };
    changed(world, &id, &command, decide).await
}

/// The common way of a change of a list alone; a repeat of the request finds it done.
pub(crate) async fn changed<T, Deciding>(
    world: &World,
    id: &str,
    command: &Command<T>,
    decide: impl Fn(WishList) -> Deciding,
) -> Answer
where
    Deciding: Future<Output = Result<WishList, Problem>>,
{
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = at_hand(world, &command.caller, id).await?;
            let decided = decide(held.value.clone()).await;
            let differs = decided.as_ref().is_ok_and(|next| *next != held.value);
            let next = match command.repeats(world, held.revision(), differs).await? {
                true => None,
                false => Some(decided?).filter(|next| *next != held.value),
            };
            let Some(next) = next else {
                let view = shown(world, m, &held.value, true).await?;
                return Ok(Reply::ok(view).revision(held.revision()).replayed());
            };
            let now = world.now();
            let context = command.context(now);
            let commit = Commit::new(m, &context).replace(&held, &next);
            command.remember(commit, now, 200, id, Overtaken).send(&world.table).await?;
            Ok(Reply::ok(shown(world, m, &next, true).await?).revision(held.next_step()))
        })
        .await
}
