//! Offers: what a merchant sells, under which SKU and for how much.

use axum::extract::{Path, State};
use domain::Money;
use domain::catalog::{Offer, OfferStatus, Product};
use domain::id::{MarketplaceId, MerchantId, OfferId, ProductId};
use domain::merchant::Merchant;
use domain::text::Sku;
use edge::change::{Fresh, change as change_one, create as create_one};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Command, Listing, Problem, Query, Reply, World};
use events::Amount;
use events::catalog::{offer_changed, offer_created};
use serde::{Deserialize, Serialize};
use table::catalog::OfferSummary;
use table::{Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OfferView {
    id: String,
    merchant: String,
    sku: String,
    product: String,
    variant: u16,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    price: Amount,
    status: OfferStatus,
    keeps_stock: bool,
    /// The most units that one order may have of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_limit: Option<u32>,
}

fn view(offer: &Offer) -> OfferView {
    OfferView {
        id: offer.id.to_string(),
        merchant: offer.merchant.to_string(),
        sku: offer.sku.to_string(),
        product: offer.product.to_string(),
        variant: offer.variant,
        title: offer.title.to_string(),
        category: offer.category.as_ref().map(ToString::to_string),
        price: offer.price.into(),
        status: offer.status,
        keeps_stock: offer.keeps_stock,
        order_limit: offer.order_limit,
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CreateOffer {
    /// Whose; a member of one merchant may leave it out.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "ProductId"))]
    product: String,
    /// The variant's number; 1 if not said.
    #[serde(default)]
    variant: Option<u16>,
    /// Unique within the merchant.
    #[cfg_attr(feature = "schema", schemars(with = "Sku"))]
    sku: String,
    /// Of one unit.
    price: Amount,
    #[serde(default)]
    status: Option<OfferStatus>,
    /// False for what is never out of stock; true if not said.
    #[serde(default)]
    keeps_stock: Option<bool>,
    /// The most units that one order may have of it, 1 to a million; no limit but the million, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Quantity>"))]
    order_limit: Option<i64>,
}

/// What an offer is decided on.
struct Sources {
    product: Option<Product>,
    merchant: Option<Merchant>,
    currency: domain::Currency,
}

async fn load(
    world: &World,
    m: &MarketplaceId,
    product: &ProductId,
    merchant: Option<&MerchantId>,
) -> Result<Sources, Problem> {
    let (own, product) = (Key::marketplace(m), Key::product(m, product));
    let merchant = merchant.map(|merchant| Key::merchant(m, merchant));
    let keys: Vec<Key> = [own.clone(), product.clone()].into_iter().chain(merchant.clone()).collect();
    let mut read = world.table.read(&keys).await?;
    let marketplace = read.take::<domain::marketplace::Marketplace>(&own)?;
    let merchant = match &merchant {
        Some(key) => read.take(key)?,
        None => None,
    };
    let merchant: Option<Merchant> = merchant.map(|held| held.value);
    let own = marketplace.ok_or_else(|| Problem::not_found("marketplace"))?.value.currency;
    Ok(Sources {
        product: read.take(&product)?.map(|held| held.value),
        currency: merchant.as_ref().map_or(own, |merchant| merchant.settles_in(own)),
        merchant,
    })
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<CreateOffer>,
) -> Result<Reply<OfferView>, Problem> {
    let reach = command.reach.clone();
    let m = &command.caller.marketplace;
    let key = |id: &str| Some(Key::offer(m, &id.parse().ok()?));
    let make = || async {
        let offer = read(&world, m, &reach, &command.body).await?;
        let (id, story) = (offer.id.to_string(), Story::new([offer_created(&offer)]));
        Ok(Fresh { thing: offer, id, story })
    };
    let taken = |offer: &Offer| {
        Problem::new(409, "sku_taken", "The merchant has an offer of this SKU")
            .with(format!("`{}` is {}", offer.sku, offer.id))
    };
    create_one(&world, &command, key, make, taken, view).await
}

/// From words to an offer: every bad value is told at once.
async fn read(world: &World, m: &MarketplaceId, reach: &Reach, body: &CreateOffer) -> Result<Offer, Problem> {
    let mut check = Check::new();
    let merchant = reach.whose(&mut check, body.merchant.as_deref())?;
    let product = check.parse::<ProductId>("product", &body.product);
    let sku = check.parse::<Sku>("sku", &body.sku);
    let unknown = ProductId::from_bits(0);
    let sources = load(world, m, product.as_ref().unwrap_or(&unknown), merchant.as_ref()).await?;
    if let (Some(merchant), None) = (&merchant, &sources.merchant) {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    if let (Some(product), None) = (&product, &sources.product) {
        check.wrong("product", "unknown", format!("there is no product {product}"));
    }
    let price = check.money("price", &body.price, sources.currency);
    let order_limit = body.order_limit.and_then(|limit| check.quantity("order_limit", limit));
    check.done()?;
    let (Some(merchant), Some(product), Some(sku), Some(price)) = (merchant, sources.product, sku, price)
    else {
        return Err(Problem::internal());
    };
    let variant = product.offerable(body.variant.unwrap_or(1))?;
    Ok(Offer {
        id: OfferId::of(m, &merchant, sku.as_str()),
        merchant,
        sku,
        product: product.id.clone(),
        variant: variant.number,
        title: product.title_of(variant),
        category: product.categories.first().cloned(),
        grams: variant.weight,
        product_status: product.status,
        price,
        status: body.status.unwrap_or(OfferStatus::Active),
        keeps_stock: body.keeps_stock.unwrap_or(true),
        order_limit,
        locations: Vec::new(),
    })
}

/// What is absent stays as it is. What the offer has of its product is taken from there anew.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ChangeOffer {
    #[serde(default)]
    price: Option<Amount>,
    #[serde(default)]
    status: Option<OfferStatus>,
    /// The most units that one order may have of it; 0 takes the limit away.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 0, max = domain::order::QUANTITY_MAX)))]
    order_limit: Option<i64>,
}

pub(crate) async fn change(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ChangeOffer>,
) -> Result<Reply<OfferView>, Problem> {
    let reach = command.reach.clone();
    let m = &command.caller.marketplace;
    let id: OfferId = id.parse().map_err(|_| Problem::not_found("offer"))?;
    let body = &command.body;
    let (world, reach) = (&world, &reach);
    let decide = |offer: Offer| async move {
        if !reach.covers(&offer.merchant) {
            return Err(Problem::not_found("offer"));
        }
        let sources = load(world, m, &offer.product, None).await?;
        let currency = offer.price.currency;
        let mut check = Check::new();
        let price = match &body.price {
            Some(price) => check.money("price", price, currency),
            None => None::<Money>,
        };
        let limit = body.order_limit.filter(|limit| *limit != 0);
        let limit = limit.and_then(|limit| check.quantity("order_limit", limit));
        check.done()?;
        let mut next = match &sources.product {
            Some(product) => offer.clone().following(product),
            None => offer.clone(),
        };
        next.order_limit = if body.order_limit.is_some() { limit } else { offer.order_limit };
        next.price = price.unwrap_or(offer.price);
        next.status = body.status.unwrap_or(offer.status);
        Ok((next != offer).then(|| (next.clone(), Story::new([offer_changed(&next)]))))
    };
    let key = Key::offer(m, &id);
    change_one(world, &command, (&key, id.as_str(), "offer"), decide, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<OfferView>, Problem> {
    let reach = query.reach.clone();
    let id: OfferId = id.parse().map_err(|_| Problem::not_found("offer"))?;
    let held = world.table.load::<Offer>(&Key::offer(&query.caller.marketplace, &id)).await?;
    let held = held.filter(|held| reach.covers(&held.value.merchant));
    let held = held.ok_or_else(|| Problem::not_found("offer"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OfferRow {
    id: String,
    merchant: String,
    sku: String,
    product: String,
    variant: u16,
    title: String,
    price: Amount,
    status: OfferStatus,
}

fn row(summary: OfferSummary) -> OfferRow {
    let OfferSummary { id, merchant, sku, product, variant, title, price, status, .. } = summary;
    OfferRow {
        id: id.to_string(),
        merchant: merchant.to_string(),
        sku: sku.to_string(),
        product: product.to_string(),
        variant,
        title: title.to_string(),
        price: price.into(),
        status,
    }
}

/// Of a product, for operators; of a merchant; a merchant's SKU names one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    #[cfg_attr(feature = "schema", schemars(with = "Option<ProductId>"))]
    product: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<Sku>"))]
    sku: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<OfferRow>>, Problem> {
    let reach = query.reach.clone();
    let m = &query.caller.marketplace;
    let which = &query.parameters;
    let mut check = Check::new();
    let Paging { limit, after } = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let product = check.maybe::<ProductId>("product", which.product.as_deref());
    let sku = check.maybe::<Sku>("sku", which.sku.as_deref());
    let merchant = match (&product, &which.merchant) {
        (Some(_), None) if reach == Reach::All => None,
        (Some(_) | None, named) => reach.whose(&mut check, named.as_deref())?,
    };
    check.done()?;
    let page = match (product, merchant, sku) {
        (_, Some(merchant), Some(sku)) => {
            let id = OfferId::of(m, &merchant, sku.as_str());
            let held = world.table.load::<Offer>(&Key::offer(m, &id)).await?;
            let items = held.and_then(|held| table::Record::summary(&held.value)).into_iter().collect();
            table::Page { items, next: None }
        }
        (None, Some(merchant), None) => {
            world.table.offers_of_merchant(m, &merchant, limit, after.as_ref()).await?
        }
        (Some(product), merchant, _) => {
            let mut page = world.table.offers_of_product(m, &product, limit, after.as_ref()).await?;
            page.items.retain(|offer| merchant.as_ref().is_none_or(|merchant| offer.merchant == *merchant));
            page
        }
        (None, None, _) => return Err(Problem::internal()),
    };
    Ok(Reply::ok(Listing::of(page, row)))
}
