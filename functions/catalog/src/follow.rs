//! Offers follow their product: what they are called, taxed as and weigh, whether it is shown, and what it has become.
//!
//! An offer is made what its product says by now, which is read after the offer: so events may come twice, late and
//! out of order, and who has read an older product finds that the offer has changed since, and looks again.
//! Price: for the moment until then carts see the product as it was, for they read offers alone.

use crate::pictures::context;
use domain::catalog::{Merged, Offer, Product};
use domain::id::{MarketplaceId, OfferId, ProductId};
use edge::{Again, Overtaken, World};
use events::catalog::{OfferCreatedV1, ProductChangedV1, offer_changed};
use events::{Context, Envelope};
use futures::future::try_join_all;
use std::collections::BTreeSet;
use table::collection::Placement;
use table::{Commit, Key, Story};

/// Offers of one query, and of them written at once.
const PAGE: u16 = 100;
const AT_ONCE: usize = 8;

pub(crate) async fn changed(world: World, event: Envelope<ProductChangedV1>) -> Result<(), Again> {
    let (m, product, context) = (&event.marketplace, &event.data.product, &context(&world, &event));
    // The index may not know of the youngest yet.
    let placed = world.table.load::<Placement>(&Key::placement(m, product)).await?;
    let placed = placed.map(|held| held.value.offers).unwrap_or_default();
    all(&world, m, context, (product, &placed)).await?;
    let mut after = None;
    loop {
        let page = world.table.offers_of_product(m, product, PAGE, after.as_ref()).await?;
        let others = page.items.into_iter().map(|row| row.id).filter(|id| !placed.contains(id));
        all(&world, m, context, (product, &others.collect())).await?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Its product may have changed, or become another, while the offer was being made.
pub(crate) async fn offered(world: &World, event: &Envelope<OfferCreatedV1>) -> Result<(), Again> {
    follow(world, &event.marketplace, &context(world, event), &event.data.offer).await
}

/// Those of them that are not as their product is.
async fn all(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    (product, offers): (&ProductId, &BTreeSet<OfferId>),
) -> Result<(), Again> {
    if offers.is_empty() {
        return Ok(());
    }
    let keys: Vec<Key> = offers.iter().map(|offer| Key::offer(m, offer)).collect();
    let offers = world.table.load_all::<Offer>(&keys).await?;
    let Some(product) = world.table.load::<Product>(&Key::product(m, product)).await? else { return Ok(()) };
    let product = product.value;
    let own = offers.into_iter().map(|held| held.value).filter(|offer| offer.product == product.id);
    let behind = own.filter(|offer| product.merged.is_some() || offer.clone().following(&product) != *offer);
    let behind: Vec<OfferId> = behind.map(|offer| offer.id).collect();
    for some in behind.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|offer| follow(world, m, context, offer))).await?;
    }
    Ok(())
}

async fn follow(world: &World, m: &MarketplaceId, context: &Context, id: &OfferId) -> Result<(), Again> {
    // What its product has become may itself have become another.
    world
        .until_free(|| async {
            while step(world, m, context, id).await? {}
            Ok(())
        })
        .await
}

/// Whether the offer is another product's now, which may have become another, too.
async fn step(world: &World, m: &MarketplaceId, context: &Context, id: &OfferId) -> Result<bool, Again> {
    let Some(held) = world.table.load::<Offer>(&Key::offer(m, id)).await? else { return Ok(false) };
    let product = world.table.load::<Product>(&Key::product(m, &held.value.product)).await?;
    let Some(product) = product.map(|held| held.value) else { return Ok(false) };
    let next = match &product.merged {
        Some(merged) => moved(world, m, &held.value, merged).await?,
        None => held.value.clone().following(&product),
    };
    if next == held.value {
        return Ok(false);
    }
    let commit: Commit<'_, Overtaken> = Commit::new(m, context);
    let story = Story::new([offer_changed(&next)]);
    commit.change(&held, &next, id.as_str(), story).send(&world.table).await?;
    Ok(product.merged.is_some())
}

/// The offer, of what its product has become.
async fn moved(world: &World, m: &MarketplaceId, offer: &Offer, merged: &Merged) -> Result<Offer, Again> {
    let into = world.table.load::<Product>(&Key::product(m, &merged.into)).await?;
    let Some(into) = into.map(|held| held.value) else {
        return Err(Again::Refused(format!("{} is not there", merged.into)));
    };
    let number = merged.variants.get(&offer.variant).copied();
    match number.filter(|number| into.variants.iter().any(|variant| variant.number == *number)) {
        Some(variant) => Ok(Offer { variant, ..offer.clone() }.following(&into)),
        None => Err(Again::Refused(format!("{} of {} has no place in {}", offer.variant, offer.id, into.id))),
    }
}
