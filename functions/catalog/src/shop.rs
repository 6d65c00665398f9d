//! What guests see of the catalog: active products, and who sells them; no drafts, and no number but the price.

use axum::extract::{Path, State};
use domain::Currency;
use domain::asset::shown::Gallery;
use domain::catalog::{Offer, Product, ProductStatus};
use domain::id::{MarketplaceId, ProductId};
use domain::merchant::Merchant;
use domain::text::{Category, Name};
use edge::query::{None as NoParameters, Paging};
use edge::shown::{CoverView, Front, MediaView};
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use futures::future::join;
use jiff::Timestamp;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use table::catalog::{OfferSummary, ProductSummary};
use table::stock::keys_at;
use table::{Key, Loaded};

/// Offers of one product that are looked at.
const OFFERS_MAX: usize = 250;
/// Offers of one query.
const PAGE: u16 = 100;
/// A product became another, and that another: so far an id leads.
const MERGES_MAX: usize = 10;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShopProductRow"))]
pub(crate) struct ShopRow {
    id: String,
    title: String,
    /// How many.
    variants: u16,
    /// The first of its pictures.
    #[serde(skip_serializing_if = "Option::is_none")]
    cover: Option<CoverView>,
}

fn row(front: &Front, m: &MarketplaceId, now: Timestamp, summary: ProductSummary) -> ShopRow {
    let ProductSummary { id, title, variants, status: _, cover } = summary;
    let cover = front.cover(m, cover.as_ref(), now);
    ShopRow { id: id.to_string(), title: title.to_string(), variants, cover }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShopProduct"))]
pub(crate) struct ShopView {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    categories: Vec<String>,
    axes: Vec<String>,
    variants: Vec<ShopVariant>,
    /// Pictures, films, models and documents, in their order.
    media: Vec<MediaView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ShopVariant {
    number: u16,
    /// One per axis, in their order.
    values: Vec<String>,
    /// What can be put into a cart, the cheapest first, prices in the marketplace's currency before others; empty
    /// where nobody sells it now.
    offers: Vec<ShopOffer>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct ShopOffer {
    id: String,
    merchant: String,
    merchant_name: String,
    sku: String,
    price: Amount,
    /// Whether one could be had now.
    available: bool,
}

/// Products that are for sale. A page is short where others lie between them.
pub(crate) async fn list(
    State(world): State<World>,
    query: Query<crate::products::Which>,
) -> Result<Reply<Listing<ShopRow>>, Problem> {
    let which = &query.parameters;
    let mut check = Check::new();
    let Paging { limit, after } = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let category = check.maybe::<Category>("category", which.category.as_deref());
    check.done()?;
    let m = &query.caller.marketplace;
    let mut page = world.table.products(m, category.as_ref(), limit, after.as_ref()).await?;
    page.items.retain(|product| product.status == ProductStatus::Active);
    let front = Front::of(&world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
    Ok(Reply::ok(Listing::of(page, |summary| row(&front, m, world.now(), summary))))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ShopView>, Problem> {
    let m = &query.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    // Who offers it is looked for meanwhile: once more only for what was merged.
    let beside = |product: &ProductId| vec![Key::gallery(m, product)];
    let (found, offers) = join(became(&world, m, id.clone(), beside), offered(&world, m, &id)).await;
    let (product, mut read) = found?;
    let offers = if product.id == id { offers? } else { offered(&world, m, &product.id).await? };
    let gallery = read.take::<Gallery>(&Key::gallery(m, &product.id))?;
    let gallery = gallery.map(|held| held.value.shown).unwrap_or_default();
    let front = Front::of(&world, "MEDIA_ADDRESS").map_err(|unset| Problem::fault(&unset))?;
    let sold = sold(&world, m, offers).await?;
    let variant = |variant: &domain::catalog::Variant| {
        let offers = sold.iter().filter(|sold| sold.offer.variant == variant.number).map(Sold::view);
        ShopVariant {
            number: variant.number,
            values: variant.values.iter().map(ToString::to_string).collect(),
            offers: offers.collect(),
        }
    };
    Ok(Reply::ok(ShopView {
        id: product.id.to_string(),
        title: product.title.to_string(),
        description: product.description.as_ref().map(ToString::to_string),
        categories: product.categories.iter().map(ToString::to_string).collect(),
        axes: product.axes.iter().map(ToString::to_string).collect(),
        variants: product.variants.iter().map(variant).collect(),
        media: front.shown(m, &gallery, world.now()),
    }))
}

/// The product of an id, or what that has become, with what was read beside it: whoever kept the address of one that
/// was merged sees the other.
pub(crate) async fn became(
    world: &World,
    m: &MarketplaceId,
    mut id: ProductId,
    beside: impl Fn(&ProductId) -> Vec<Key>,
) -> Result<(Product, Loaded), Problem> {
    for _ in 0..MERGES_MAX {
        let (product, mut keys) = (Key::product(m, &id), beside(&id));
        keys.push(product.clone());
        let mut read = world.table.read(&keys).await?;
        let Some(held) = read.take::<Product>(&product)? else { break };
        match held.value {
            Product { merged: Some(merged), .. } => id = merged.into,
            product @ Product { status: ProductStatus::Active, .. } => return Ok((product, read)),
            Product { .. } => break,
        }
    }
    Err(Problem::not_found("product"))
}

struct Sold {
    offer: Offer,
    by: Name,
    available: bool,
}

impl Sold {
    fn view(&self) -> ShopOffer {
        let Self { offer, by, available } = self;
        ShopOffer {
            id: offer.id.to_string(),
            merchant: offer.merchant.to_string(),
            merchant_name: by.to_string(),
            sku: offer.sku.to_string(),
            price: offer.price.into(),
            available: *available,
        }
    }
}

/// What can be bought of a product, the cheapest first. Offers come with their merchants and their stock, in one batch
/// read: the index has said where all of it lies, the table says what it is. Only what is sold fast is asked for again.
async fn sold(world: &World, m: &MarketplaceId, found: Vec<OfferSummary>) -> Result<Vec<Sold>, Problem> {
    let (mut keys, now) = (Vec::new(), world.now());
    for OfferSummary { id, merchant, locations, .. } in &found {
        keys.extend([Key::offer(m, id), Key::merchant(m, merchant)]);
        keys.extend(keys_at(m, id, locations));
    }
    let mut read = world.table.read(&keys).await?;
    let (mut offers, mut sellers) = (Vec::with_capacity(found.len()), BTreeMap::new());
    for OfferSummary { id, merchant, .. } in found {
        offers.extend(read.take::<Offer>(&Key::offer(m, &id))?.map(|held| held.value));
        if let Some(held) = read.take::<Merchant>(&Key::merchant(m, &merchant))? {
            sellers.insert(merchant, held.value);
        }
    }
    sellers.retain(|_, seller| seller.takes_orders(now).is_ok());
    offers.retain(|offer| offer.is_sold() && sellers.contains_key(&offer.merchant));
    let currencies: BTreeSet<Currency> = offers.iter().map(|offer| offer.price.currency).collect();
    // Where all prices are in one currency it is no matter which.
    let home = if currencies.len() > 1 { world.table.marketplace(m).await? } else { None };
    let home = home.map(|held| held.value.currency);
    offers.sort_by(|one, two| (one.price.rank(home), &one.id).cmp(&(two.price.rank(home), &two.id)));
    let stock = world.table.whole_stock(m, read, &offers).await?;
    let sold = offers.into_iter().filter_map(|offer| {
        let by = sellers.get(&offer.merchant)?.name.clone();
        let available = stock.available(m, &offer, None, now).is_none_or(|left| left > 0);
        Some(Sold { offer, by, available })
    });
    Ok(sold.collect())
}

/// Who offers a product.
async fn offered(
    world: &World,
    m: &MarketplaceId,
    product: &ProductId,
) -> Result<Vec<OfferSummary>, Problem> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = world.table.offers_of_product(m, product, PAGE, after.as_ref()).await?;
        found.extend(page.items);
        after = page.next;
        if after.is_none() || found.len() >= OFFERS_MAX {
            found.truncate(OFFERS_MAX);
            return Ok(found);
        }
    }
}
