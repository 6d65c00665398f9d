//! How wish lists are shown: with what is new of each thing since it came in.

use axum::extract::{Path, State};
use domain::catalog::Offer;
use domain::id::{MarketplaceId, MerchantId, OfferId};
use domain::merchant::Merchant;
use domain::wish_list::{Item, Notice, WishList};
use edge::query::None as NoParameters;
use edge::{Caller, Listing, PageOf, Problem, Query, Reply, World};
use events::Amount;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use table::wish_list::WishListSummary;
use table::{Fault, Held, Key};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WishListRow"))]
pub(crate) struct WishListRow {
    id: String,
    name: String,
    items: u16,
    shared: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WishList"))]
pub(crate) struct WishListView {
    /// Whoever knows a guest's list's id has the list: keep it like a secret. None for whom it is shown to.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    name: String,
    items: Vec<WishView>,
    /// Whether there is a link that others see it with.
    shared: bool,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WishListItem"))]
struct WishView {
    item: u32,
    offer: String,
    merchant: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    quantity: u32,
    added_at: String,
    /// What one costs now; none where nobody sells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Amount>,
    /// What one cost when it came in.
    price_then: Amount,
    /// What is new since then: `cheaper_now`, `dearer_now`, `insufficient_stock` or `unavailable`.
    notices: Vec<&'static str>,
    /// How many could be had, where that is fewer than wished.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<WishListRow>>, Problem> {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let paging = query.parameters.read()?;
    let page = world.table.wish_lists_of(m, &customer, paging.limit, paging.after.as_ref()).await?;
    let row = |WishListSummary { id, name, items, shared }| WishListRow {
        id: id.to_string(),
        name: name.to_string(),
        items,
        shared,
    };
    Ok(Reply::ok(Listing::of(page, row)))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<WishListView>, Problem> {
    let held = at_hand(&world, &query.caller, &id).await?;
    let view = shown(&world, &query.caller.marketplace, &held.value, true).await?;
    Ok(Reply::ok(view).revision(held.revision()))
}

/// The list, if it is the caller's.
pub(crate) async fn at_hand(world: &World, caller: &Caller, id: &str) -> Result<Held<WishList>, Problem> {
    let none = || Problem::not_found("wish list");
    let key = Key::wish_list(&caller.marketplace, &id.parse().map_err(|_| none())?);
    let held = world.table.load_live::<WishList>(&key, world.now()).await?.ok_or_else(none)?;
    let own = caller.shopper()?.may_see(held.value.customer.as_ref());
    if own { Ok(held) } else { Err(none()) }
}

/// What is for sale now of what a list, or a request, names.
pub(crate) struct Sold {
    offers: BTreeMap<OfferId, Offer>,
    available: BTreeMap<OfferId, u32>,
}

impl Sold {
    /// In two batch reads: offers, then their merchants and stock.
    pub(crate) async fn of(world: &World, m: &MarketplaceId, offers: &[OfferId]) -> Result<Self, Fault> {
        let keys: Vec<Key> = offers.iter().map(|offer| Key::offer(m, offer)).collect();
        let found = world.table.load_all::<Offer>(&keys).await?;
        let found: Vec<Offer> = found.into_iter().map(|held| held.value).collect();
        let sellers: BTreeSet<&MerchantId> = found.iter().map(|offer| &offer.merchant).collect();
        let sellers: Vec<Key> = sellers.into_iter().map(|merchant| Key::merchant(m, merchant)).collect();
        let sellers = world.table.load_all::<Merchant>(&sellers).await?;
        let now = world.now();
        let available = world.table.available(m, &found, None, now).await?;
        let sells = |offer: &Offer| {
            let seller = sellers.iter().find(|held| held.value.id == offer.merchant);
            let open = seller.is_some_and(|held| held.value.takes_orders(now).is_ok());
            open && offer.is_sold()
        };
        let offers = found.into_iter().filter(sells).map(|offer| (offer.id.clone(), offer)).collect();
        Ok(Self { offers, available })
    }

    pub(crate) fn offer(&self, id: &OfferId) -> Option<&Offer> {
        self.offers.get(id)
    }

    /// What is for sale and there.
    pub(crate) fn to_be_had(&self, id: &OfferId) -> Option<&Offer> {
        let there = self.available.get(id).is_none_or(|units| *units > 0);
        self.offer(id).filter(|_| there)
    }

    fn view(&self, item: &Item) -> WishView {
        let offer = self.offer(&item.offer);
        let notices = item.notices(offer, self.available.get(&item.offer).copied());
        let available = notices.iter().find_map(|notice| match notice {
            Notice::InsufficientStock { available } => Some(*available),
            Notice::CheaperNow { .. } | Notice::DearerNow { .. } | Notice::Unavailable => None,
        });
        WishView {
            item: item.number,
            offer: item.offer.to_string(),
            merchant: item.merchant.to_string(),
            product: offer.map(|offer| offer.product.to_string()),
            title: offer.map(|offer| offer.title.to_string()),
            quantity: item.quantity,
            added_at: item.added_at.to_string(),
            price: offer.map(|offer| offer.price.into()),
            price_then: item.price.into(),
            notices: notices.iter().map(word).collect(),
            available,
        }
    }
}

fn word(notice: &Notice) -> &'static str {
    match notice {
        Notice::CheaperNow { .. } => "cheaper_now",
        Notice::DearerNow { .. } => "dearer_now",
        Notice::Unavailable => "unavailable",
        Notice::InsufficientStock { .. } => "insufficient_stock",
    }
}

/// For its owner with its id, for others without.
pub(crate) async fn shown(
    world: &World,
    m: &MarketplaceId,
    list: &WishList,
    own: bool,
) -> Result<WishListView, Problem> {
    let offers: Vec<OfferId> = list.items.iter().map(|item| item.offer.clone()).collect();
    let sold = Sold::of(world, m, &offers).await?;
    Ok(WishListView {
        id: own.then(|| list.id.to_string()),
        name: list.name.to_string(),
        items: list.items.iter().map(|item| sold.view(item)).collect(),
        shared: list.shared,
    })
}
