//! A file that is named like goods becomes one of their pictures: `SKU_01.jpg` (`domain::asset::naming`).
//!
//! Looked for are the keeper's offer of that SKU and its product of that external id; only a product of the same keeper
//! is written, what others keep is proposed. Asset and goods may come in any order: an asset that finds nothing is put
//! under its names before it looks once more, and whoever brings goods looks there afterwards, so one of the two finds
//! the other.

use crate::follow;
use crate::pictures::{context, relist};
use domain::asset::Asset;
use domain::asset::naming::{Match, NamedAsset, Rank, Unlinked, named, stand};
use domain::catalog::{Offer, Product};
use domain::id::{AssetId, MarketplaceId, MerchantId, OfferId, ProductId};
use edge::{Again, Overtaken, World};
use events::catalog::{OfferCreatedV1, ProductCreatedV1};
use events::{Context, Envelope};
use table::asset::AssetWaits;
use table::seen::Seen;
use table::{Commit, Held, Key, Story};

/// Waiting assets that are read at once.
const PAGE: u16 = 100;

pub(crate) async fn offered(world: World, event: Envelope<OfferCreatedV1>) -> Result<(), Again> {
    follow::offered(&world, &event).await?;
    let (context, offer) = (context(&world, &event), &event.data);
    come(&world, &event.marketplace, &context, Some(&offer.merchant), &offer.sku).await
}

pub(crate) async fn created(world: World, event: Envelope<ProductCreatedV1>) -> Result<(), Again> {
    let (m, context) = (&event.marketplace, context(&world, &event));
    let Some(held) = world.table.load::<Product>(&Key::product(m, &event.data.product)).await? else {
        return Ok(());
    };
    let Product { merchant, external_id, .. } = held.value;
    match external_id {
        Some(name) => come(&world, m, &context, merchant.as_ref(), name.as_str()).await,
        None => Ok(()),
    }
}

/// Goods of this name have come: what waits for them is looked at again.
async fn come(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    keeper: Option<&MerchantId>,
    name: &str,
) -> Result<(), Again> {
    let mut after = None;
    loop {
        let page = world.table.assets_waiting_for(m, keeper, name, PAGE, after.as_ref()).await?;
        for waits in &page.items {
            world.until_free(|| seek(world, m, context, &waits.asset)).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// An asset, and what came of its name until now.
struct Found {
    asset: Asset,
    before: Option<Held<NamedAsset>>,
}

/// Links an asset to the goods that it is named after, once and for all; or has it wait for them.
pub(crate) async fn seek(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    id: &AssetId,
) -> Result<(), Again> {
    while attempt(world, m, context, id).await? {}
    Ok(())
}

/// Whether it waits only from now on, so that what came in between has to be looked for.
async fn attempt(world: &World, m: &MarketplaceId, context: &Context, id: &AssetId) -> Result<bool, Again> {
    let (asset, name) = (Key::asset(m, id), Key::asset_name(m, id));
    let mut read = world.table.read(&[asset.clone(), name.clone()]).await?;
    let before = read.take::<NamedAsset>(&name)?;
    let Some(asset) = read.take::<Asset>(&asset)?.map(|held| held.value) else { return Ok(false) };
    let found = Found { asset, before };
    let linked = found.before.as_ref().is_some_and(|before| before.value.is_linked());
    if linked || found.asset.review.is_some() || (found.asset.media.is_none() && found.before.is_none()) {
        return Ok(false);
    }
    let named = named(found.asset.name.as_str()).filter(|_| !found.asset.is_deleted());
    let candidates = named.map(|named| named.candidates()).unwrap_or_default();
    let names: Vec<String> = candidates.iter().map(|(name, _)| (*name).to_owned()).collect();
    let mut matched = Match::Waiting { names: names.clone() };
    for (product, place) in found.called(world, m, &candidates).await? {
        let Some(seen) = Seen::load(&world.table, m, &product).await? else { continue };
        // What has become another product is that one.
        let (product, seen) = match seen.product.merged.clone() {
            Some(merged) => match Seen::load(&world.table, m, &merged.into).await? {
                Some(seen) => (merged.into, seen),
                None => continue,
            },
            None => (product, seen),
        };
        if seen.product.merchant != found.asset.merchant {
            matched = Match::Unlinked { names: names.clone(), product, why: Unlinked::NotKept };
            continue;
        }
        let rank = Rank { place, name: found.asset.name.to_string() };
        let listed = found.listed(world, m, &seen).await?;
        let ids = stand(&listed, id, &rank);
        match relist(world, m, (context, "A file is named so"), &seen, &ids).await? {
            Ok(commit) => {
                let commit = found.record(m, commit, Match::Linked { product, rank });
                commit.send(&world.table).await?;
                return Ok(false);
            }
            Err(_) => {
                matched = Match::Unlinked { names: names.clone(), product, why: Unlinked::Full };
                break;
            }
        }
    }
    let known = found.before.as_ref().is_some_and(|before| before.value.matched == matched);
    if known || (names.is_empty() && found.before.is_none()) {
        return Ok(false);
    }
    found.record(m, Commit::new(m, context), matched).send(&world.table).await?;
    Ok(true)
}

impl Found {
    /// Products that the keeper calls so, or offers under such a SKU, the likeliest first.
    async fn called(
        &self,
        world: &World,
        m: &MarketplaceId,
        candidates: &[(&str, u16)],
    ) -> Result<Vec<(ProductId, u16)>, Again> {
        let keeper = self.asset.merchant.as_ref();
        let offer = |name: &str| Some(Key::offer(m, &OfferId::of(m, keeper?, name)));
        let product = |name: &str| ProductId::named(m, keeper, name);
        let offers = candidates.iter().filter_map(|(name, _)| offer(name));
        let products = candidates.iter().map(|(name, _)| Key::product(m, &product(name)));
        let mut read = world.table.read(&offers.chain(products).collect::<Vec<Key>>()).await?;
        let mut called = Vec::new();
        for (name, place) in candidates {
            if let Some(key) = offer(name) {
                let offer = read.take::<Offer>(&key)?;
                called.extend(offer.map(|held| (held.value.product, *place)));
            }
            let own = read.take::<Product>(&Key::product(m, &product(name)))?;
            called.extend(own.map(|held| (held.value.id, *place)));
        }
        Ok(called)
    }

    /// What a product lists, with the places of what was linked there by name.
    async fn listed(
        &self,
        world: &World,
        m: &MarketplaceId,
        seen: &Seen,
    ) -> Result<Vec<(AssetId, Option<Rank>)>, Again> {
        let ids = seen.sheet.content.assets();
        let keys: Vec<Key> = ids.iter().map(|id| Key::asset_name(m, id)).collect();
        let mut read = world.table.read(&keys).await?;
        let mut listed = Vec::with_capacity(ids.len());
        for (id, key) in ids.into_iter().zip(&keys) {
            let named = read.take::<NamedAsset>(key)?.map(|held| held.value.matched);
            let rank = match named {
                Some(Match::Linked { product, rank }) if product == seen.product.id => Some(rank),
                Some(Match::Linked { .. } | Match::Waiting { .. } | Match::Unlinked { .. }) | None => None,
            };
            listed.push((id, rank));
        }
        Ok(listed)
    }

    /// What came of its name, told; and where it is found by its names, or is not any more.
    fn record<'a>(
        &self,
        m: &MarketplaceId,
        commit: Commit<'a, Overtaken>,
        matched: Match,
    ) -> Commit<'a, Overtaken> {
        let (asset, merchant) = (self.asset.id.clone(), self.asset.merchant.clone());
        let next = NamedAsset { asset: asset.clone(), merchant: merchant.clone(), matched };
        let before = self.before.as_ref().map(|held| held.value.waits_for()).unwrap_or_default();
        let fact = events::asset::named(&next);
        // A name that is none of goods any more is nobody's news.
        let story = if next.tells() { Story::new([fact]) } else { Story::default() };
        let subject = format!("{asset}-name");
        let mut commit = match &self.before {
            Some(held) if story.facts.is_empty() => commit.replace(held, &next),
            Some(held) => commit.change(held, &next, &subject, story),
            None => commit.begin(&next, &subject, story, Overtaken),
        };
        for name in next.waits_for().iter().filter(|name| !before.contains(name)) {
            let (asset, merchant, name) = (asset.clone(), merchant.clone(), name.clone());
            commit = commit.put_any(&AssetWaits { asset, merchant, name });
        }
        for name in before.iter().filter(|name| !next.waits_for().contains(name)) {
            commit = commit.delete(Key::asset_waits(m, merchant.as_ref(), name, &asset));
        }
        commit
    }
}
