//! Showing a list to others: by a link that its owner can close.

use crate::edit::changed;
use crate::show::{WishListView, at_hand, shown};
use axum::extract::{Path, State};
use domain::id::WishListId;
use domain::marketplace::Marketplace;
use domain::wish_list::WishList;
use edge::links::{self, Link, Purpose};
use edge::query::None as NoParameters;
use edge::{Command, Problem, Query, Reply, World};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use table::Key;

/// So long a link is good, unless it is closed.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(365 * 24);

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShareWishList"))]
pub(crate) struct Share {}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UnshareWishList"))]
pub(crate) struct Unshare {}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WishListLink"))]
pub(crate) struct LinkView {
    /// For `/v1/shared-wish-lists/{token}`.
    token: String,
    /// The storefront's page, where the marketplace has named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    good_until: String,
}

pub(crate) async fn share(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Share>,
) -> Result<Reply<LinkView>, Problem> {
    let m = &command.caller.marketplace;
    let now = world.now();
    changed(&world, &id, &command, |list| async move { Ok(list.sharing(now)) }).await?;
    let held = at_hand(&world, &command.caller, &id).await?;
    let until = held.value.edited_at.saturating_add(GOOD_FOR).unwrap_or(jiff::Timestamp::MAX);
    let about = format!("{}:{}", held.value.id, held.value.share);
    let link = Link { purpose: Purpose::WishList, about, until };
    let token = link.sign(&world, m).await?;
    let marketplace = world.table.load::<Marketplace>(&Key::marketplace(m)).await?;
    let storefront = marketplace.and_then(|held| held.value.settings.storefront);
    let url = storefront.map(|address| links::address(address.as_str(), Purpose::WishList, &token));
    Ok(Reply::ok(LinkView { token, url, good_until: until.to_string() }).revision(held.revision()))
}

pub(crate) async fn unshare(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Unshare>,
) -> Result<Reply<WishListView>, Problem> {
    let now = world.now();
    changed(
        &world,
        &id,
        &command,
        |list| async move { Ok(if list.shared { list.private(now) } else { list }) },
    )
    .await
}

/// A link that was closed is a 404, as a forged one is.
pub(crate) async fn shared(
    State(world): State<World>,
    Path(token): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<WishListView>, Problem> {
    let (m, none) = (&query.caller.marketplace, || Problem::not_found("wish list"));
    let link = Link::open(&world, m, Purpose::WishList, &token).await?;
    let (id, number) = link.about.split_once(':').ok_or_else(none)?;
    let id: WishListId = id.parse().map_err(|_| none())?;
    let held = world.table.load_live::<WishList>(&Key::wish_list(m, &id), world.now()).await?;
    let open = |list: &WishList| list.shared && number.parse() == Ok(list.share);
    let held = held.filter(|held| open(&held.value)).ok_or_else(none)?;
    Ok(Reply::ok(shown(&world, m, &held.value, false).await?))
}
