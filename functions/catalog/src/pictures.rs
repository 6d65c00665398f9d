//! What products show of their assets: kept beside each, so that a page needs no look at an asset.
//!
//! Whatever happens to an asset, or to what a product lists, the product's gallery is made anew from what is there now:
//! so events may come twice, late and out of order. Who shows an asset is written with the gallery, in one transaction.
//! A gallery that was written is looked at once more, for an asset that changed in between found nobody who shows it.
//! Price: an asset that thousands of products show is thousands of small writes when it changes.

use crate::naming;
use domain::asset::Asset;
use domain::asset::shown::{Gallery, Shown};
use domain::catalog::Product;
use domain::id::{AssetId, MarketplaceId, ProductId, ReviewId};
use domain::pim::data::Data;
use domain::pim::sheet::{Patch, Path, Refused};
use domain::text::{Code, Reason};
use edge::{Again, Overtaken, World};
use events::asset::{AssetChangedV1, AssetDeletedV1, AssetEndedV1, AssetReadyV1};
use events::catalog::{ProductDescribedV1, product_changed};
use events::{Context, Envelope};
use futures::future::try_join_all;
use std::collections::{BTreeMap, BTreeSet};
use table::asset::{AssetUse, User};
use table::seen::Seen;
use table::sheet::Described;
use table::{Commit, Key, Story};

/// Assets that come or go in one transaction, beside gallery, product and story.
const LINKS_MAX: usize = 90;
/// Products that are read at once, and of them made anew.
const PAGE: u16 = 100;
const AT_ONCE: usize = 8;

pub(crate) fn context<T>(world: &World, event: &Envelope<T>) -> Context {
    Context::follows(event, world.now(), "catalog")
}

pub(crate) async fn described(world: World, event: Envelope<ProductDescribedV1>) -> Result<(), Again> {
    let context = context(&world, &event);
    refresh(&world, &event.marketplace, &context, &event.data.product).await
}

pub(crate) async fn ready(world: World, event: Envelope<AssetReadyV1>) -> Result<(), Again> {
    let (asset, review) = (&event.data.asset, event.data.review.as_ref());
    told(&world, &event, asset, review).await
}

pub(crate) async fn changed(world: World, event: Envelope<AssetChangedV1>) -> Result<(), Again> {
    let (asset, review) = (&event.data.asset, event.data.review.as_ref());
    told(&world, &event, asset, review).await
}

pub(crate) async fn ended(world: World, event: Envelope<AssetEndedV1>) -> Result<(), Again> {
    let (asset, review) = (&event.data.asset, event.data.review.as_ref());
    told(&world, &event, asset, review).await
}

pub(crate) async fn deleted(world: World, event: Envelope<AssetDeletedV1>) -> Result<(), Again> {
    let (asset, review) = (&event.data.asset, event.data.review.as_ref());
    told(&world, &event, asset, review).await
}

/// Something has happened to an asset: its name may be that of goods, and whoever shows it shows it as it is now.
/// Photos of reviews are their reviews' business.
async fn told<T>(
    world: &World,
    event: &Envelope<T>,
    asset: &AssetId,
    review: Option<&ReviewId>,
) -> Result<(), Again> {
    if review.is_some() {
        return Ok(());
    }
    let (m, context) = (&event.marketplace, &context(world, event));
    naming::seek(world, m, context, asset).await?;
    let mut after = None;
    loop {
        let page = world.table.asset_products(m, asset, PAGE, after.as_ref()).await?;
        let products: Vec<&ProductId> = page.items.iter().filter_map(product_of).collect();
        for some in products.chunks(AT_ONCE) {
            let anew = some.iter().map(|product| world.until_free(|| refresh(world, m, context, product)));
            try_join_all(anew).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

fn product_of(by: &AssetUse) -> Option<&ProductId> {
    match &by.by {
        User::Product(product) => Some(product),
        User::Review(_) => None,
    }
}

async fn refresh(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    product: &ProductId,
) -> Result<(), Again> {
    while step(world, m, context, product).await? {}
    Ok(())
}

/// Whether a product may show an asset: its keeper's own or the marketplace's; the marketplace's products show all.
fn may_show(product: &Product, asset: &Asset) -> bool {
    let kept = asset.merchant.is_none() || product.merchant.is_none() || asset.merchant == product.merchant;
    kept && asset.review.is_none() && !asset.is_deleted()
}

/// Whether there was something to write; then it is looked at once more.
async fn step(world: &World, m: &MarketplaceId, context: &Context, id: &ProductId) -> Result<bool, Again> {
    let (product, sheet, gallery) = (Key::product(m, id), Key::sheet(m, id), Key::gallery(m, id));
    let mut read = world.table.read(&[product.clone(), sheet, gallery.clone()]).await?;
    let Some(product) = read.take::<Product>(&product)? else { return Ok(false) };
    let gallery = read.take::<Gallery>(&gallery)?;
    let sheet = read.take::<Described>(&Key::sheet(m, &product.value.id))?;
    let seen = Seen::new(product.value.clone(), sheet);
    let listed = seen.sheet.content.assets();
    let keys: Vec<Key> = listed.iter().map(|asset| Key::asset(m, asset)).collect();
    let assets: Vec<Asset> =
        world.table.load_all::<Asset>(&keys).await?.into_iter().map(|held| held.value).collect();
    if assets.iter().any(Asset::is_deleted) {
        let gone = |id: &AssetId| assets.iter().any(|asset| asset.id == *id && asset.is_deleted());
        let left: Vec<AssetId> = listed.into_iter().filter(|id| !gone(id)).collect();
        let commit = relist(world, m, (context, "An asset was deleted"), &seen, &left).await?;
        let commit = commit.map_err(|refused| Again::Refused(refused.to_string()))?;
        commit.send(&world.table).await?;
        return Ok(true);
    }
    let shown = assets.iter().filter(|asset| may_show(&seen.product, asset)).map(Shown::of).collect();
    let before = gallery.as_ref().map_or_else(|| Gallery::blank(id.clone()), |held| held.value.clone());
    let (next, links) = before.step(Gallery { product: id.clone(), shown }, LINKS_MAX);
    let cover = next.cover(context.at);
    if next == before && cover == seen.product.cover {
        return Ok(false);
    }
    let commit: Commit<'_, Overtaken> = Commit::new(m, context);
    let mut commit = match &gallery {
        Some(held) => commit.replace(held, &next),
        None => commit.add(&next, Overtaken),
    };
    for asset in links.come {
        commit = commit.put_any(&AssetUse { asset, by: User::Product(id.clone()), since: context.at });
    }
    for asset in &links.gone {
        commit = commit.delete(Key::asset_of_product(m, asset, id));
    }
    if cover != seen.product.cover {
        let next = Product { cover, ..seen.product.clone() };
        commit = commit.change(&product, &next, id.as_str(), Story::new([product_changed(&next)]));
    }
    commit.send(&world.table).await?;
    Ok(true)
}

/// The transaction with which a product lists these assets, in this order.
pub(crate) async fn relist<'a>(
    world: &World,
    m: &'a MarketplaceId,
    (context, reason): (&'a Context, &str),
    seen: &Seen,
    ids: &[AssetId],
) -> Result<Result<Commit<'a, Overtaken>, Refused>, Again> {
    let listed = ids.iter().map(|id| Data::text(id.as_str())).collect();
    let listed = if ids.is_empty() { Data::Null } else { Data::List(listed) };
    let patch = Patch { edits: BTreeMap::from([(Path::Assets, listed)]), ..Patch::default() };
    let families: Vec<Code> = seen.sheet.content.family().into_iter().collect();
    let model = world.table.model(m, &families, BTreeSet::new()).await?;
    let reason: Option<Reason> = reason.parse().ok();
    Ok(seen.sheet.patch(&patch, &model, &seen.numbers()).map(|sheet| {
        let refusal = (reason.as_ref(), Overtaken);
        seen.rewrite(Commit::new(m, context), context, (sheet, &model), refusal)
    }))
}
