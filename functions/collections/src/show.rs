//! Collections and what is in them, for operators and for those who shop.

use crate::spell::{CollectionView, view};
use axum::extract::{Path, State};
use domain::id::MarketplaceId;
use domain::pim::collection::Collection;
use domain::text::Code;
use edge::labels::{LabelsBody, shown};
use edge::query::{None as NoParameters, Paging};
use edge::shown::{CoverView, Front};
use edge::{Listing, PageOf, Problem, Query, Reply, World};
use events::Amount;
use serde::Serialize;
use table::collection::{MemberSummary, Named};
use table::{Held, Key};

/// The collection that a code names now.
pub(crate) async fn named(
    world: &World,
    m: &MarketplaceId,
    code: &str,
) -> Result<(Collection, Held<Named>), Problem> {
    let missing = || Problem::not_found("collection");
    let code: Code = code.parse().map_err(|_| missing())?;
    let held = world.table.load::<Named>(&Key::collection(m, &code)).await?.ok_or_else(missing)?;
    Ok((held.value.collection.clone().ok_or_else(missing)?, held))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<CollectionView>>, Problem> {
    let Paging { limit, after } = query.parameters.read()?;
    let page = world.table.collections_page(&query.caller.marketplace, limit, after.as_ref()).await?;
    let now = world.now();
    Ok(Reply::ok(Listing::of(page, |collection| view(&collection, now))))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CollectionView>, Problem> {
    let (collection, held) = named(&world, &query.caller.marketplace, &code).await?;
    Ok(Reply::ok(view(&collection, world.now())).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CollectionProduct"))]
pub(crate) struct ProductRow {
    id: String,
    title: String,
    /// How many.
    variants: u16,
    /// The lowest of its offers, in the marketplace's currency if one has it; absent where nobody sells it now.
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cover: Option<CoverView>,
}

/// What has left only because time went by is not shown, however late TTL takes it away: a page may be short.
async fn page(
    world: &World,
    m: &MarketplaceId,
    collection: &Collection,
    Paging { limit, after }: Paging,
) -> Result<Reply<Listing<ProductRow>>, Problem> {
    let mut page = world.table.collection_products(m, &collection.code, limit, after.as_ref()).await?;
    let now = world.now();
    page.items.retain(|member| member.until.is_none_or(|until| now < until));
    let front = Front::of(world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
    let row = |MemberSummary { product, shown, until: _ }: MemberSummary| ProductRow {
        id: product.to_string(),
        title: shown.title.to_string(),
        variants: shown.variants,
        price: shown.price.map(Amount::from),
        cover: front.cover(m, shown.cover.as_ref(), now),
    };
    Ok(Reply::ok(Listing::of(page, row)))
}

pub(crate) async fn products(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ProductRow>>, Problem> {
    let (m, paging) = (&query.caller.marketplace, query.parameters.read()?);
    let (collection, _) = named(&world, m, &code).await?;
    page(&world, m, &collection, paging).await
}

pub(crate) async fn shop_products(
    State(world): State<World>,
    Path(code): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ProductRow>>, Problem> {
    let (m, paging) = (&query.caller.marketplace, query.parameters.read()?);
    let (collection, _) = named(&world, m, &code).await?;
    if !collection.is_on(world.now()) {
        return Err(Problem::not_found("collection"));
    }
    page(&world, m, &collection, paging).await
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShopCollection"))]
pub(crate) struct ShopCollection {
    code: String,
    labels: LabelsBody,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

/// A page is short where others lie between them.
pub(crate) async fn shop_list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ShopCollection>>, Problem> {
    let Paging { limit, after } = query.parameters.read()?;
    let mut page = world.table.collections_page(&query.caller.marketplace, limit, after.as_ref()).await?;
    let now = world.now();
    page.items.retain(|collection| collection.is_on(now));
    let show = |Collection { code, labels, until, .. }: Collection| ShopCollection {
        code: code.to_string(),
        labels: shown(&labels),
        until: until.map(|until| until.to_string()),
    };
    Ok(Reply::ok(Listing::of(page, show)))
}
