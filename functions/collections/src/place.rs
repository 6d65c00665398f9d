//! A product, or a collection, has changed: which products are in which collections now.
//!
//! Whoever changes something here looks again until there is nothing to change, all of it read strongly. So of two that
//! look at the same time, at different states, the last one to write sees what the other has seen: nothing is lost,
//! however events come.

use crate::facts::{Seen, Tree};
use domain::catalog::ProductStatus;
use domain::id::{MarketplaceId, OfferId, ProductId};
use domain::pim::collection::{Collection, Condition, Members};
use domain::text::Code;
use edge::command::Overtaken;
use edge::{Again, World};
use events::catalog::{
    CategoryChangedV1, CollectionChangedV1, OfferChangedV1, OfferCreatedV1, ProductChangedV1,
    ProductCreatedV1, ProductDescribedV1,
};
use events::merchant::MerchantStatusChangedV1;
use events::{Context, Envelope};
use futures::future::try_join_all;
use jiff::Timestamp;
use std::collections::BTreeMap;
use table::collection::{Member, Placement, Shown, Stand};
use table::{Commit, Cursor, Fault, Key, Page};

/// Products of one reading.
const READING: u16 = 100;
/// Products that are looked at at once.
const AT_ONCE: usize = 16;

fn context<T>(world: &World, event: &Envelope<T>) -> Context {
    Context::follows(event, world.now(), "collections")
}

/// Sees that a product is in the collections that it belongs to, and in no other.
async fn look(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    (product, offer): (&ProductId, Option<&OfferId>),
) -> Result<(), Again> {
    world
        .until_free(|| async {
            while correct(world, m, context, (product, offer)).await? {}
            Ok(())
        })
        .await
}

/// Whether there was something to change.
async fn correct(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    (product, offer): (&ProductId, Option<&OfferId>),
) -> Result<bool, Again> {
    let collections = world.table.collections(m).await?;
    let Some(seen) = Seen::load(world, m, product, offer, &mut Tree::default()).await? else {
        return Ok(false);
    };
    let next = placed(&seen, &collections, context.at);
    let nowhere = next.collections.is_empty() && next.offers.is_empty();
    let before = seen.placement.as_ref().map(|held| &held.value);
    if before == Some(&next) || (before.is_none() && nowhere) {
        return Ok(false);
    }
    let commit: Commit<'_, Overtaken> = Commit::new(m, context);
    let mut commit = match &seen.placement {
        Some(held) => commit.replace(held, &next),
        None => commit.add(&next, Overtaken),
    };
    let nothing = BTreeMap::new();
    let was = before.map_or(&nothing, |before| &before.collections);
    let same = before.is_some_and(|before| before.shown == next.shown);
    for code in was.keys().filter(|code| !next.collections.contains_key(*code)) {
        commit = commit.delete(Key::collection_member(m, code, product));
    }
    for (code, stand) in
        next.collections.iter().filter(|(code, stand)| !same || was.get(*code) != Some(*stand))
    {
        let (collection, product, stand) = (code.clone(), product.clone(), stand.clone());
        let shown = next.shown.clone();
        commit = match shown {
            Some(shown) => commit.put_any(&Member { collection, product, stand, shown }),
            None => commit,
        };
    }
    commit.send(&world.table).await?;
    Ok(true)
}

/// Where a product belongs at a moment. What is a draft or archived belongs nowhere.
fn placed(seen: &Seen, collections: &[Collection], at: Timestamp) -> Placement {
    let (product, offers) = (seen.product.id.clone(), seen.offers.clone());
    if seen.product.status != ProductStatus::Active {
        return Placement { product, offers, shown: None, collections: BTreeMap::new() };
    }
    let facts = seen.facts();
    let stand = |collection: &Collection| {
        let (place, until) = (collection.place(&facts), collection.leaves_at(&facts, at));
        (collection.code.clone(), Stand { place, until })
    };
    let within = collections.iter().filter(|collection| collection.has(&facts, at));
    let collections: BTreeMap<Code, Stand> = within.map(stand).collect();
    // Where it is shown nowhere, nothing is kept of how it would be.
    let shown = (!collections.is_empty()).then(|| Shown {
        title: seen.product.title.clone(),
        variants: u16::try_from(seen.product.variants.len()).unwrap_or(u16::MAX),
        price: facts.prices.first().copied(),
        cover: seen.product.cover.clone(),
    });
    Placement { product, offers, shown, collections }
}

async fn look_at_all(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    products: &[ProductId],
) -> Result<(), Again> {
    for some in products.chunks(AT_ONCE) {
        try_join_all(some.iter().map(|product| look(world, m, context, (product, None)))).await?;
    }
    Ok(())
}

/// Every product of a list, page by page.
async fn look_through<Reading>(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    page: impl Fn(Option<Cursor>) -> Reading,
) -> Result<(), Again>
where
    Reading: Future<Output = Result<Page<ProductId>, Fault>>,
{
    let mut after = None;
    loop {
        let some = page(after).await?;
        look_at_all(world, m, context, &some.items).await?;
        match some.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn look_at_every(world: &World, m: &MarketplaceId, context: &Context) -> Result<(), Again> {
    let page = |after: Option<Cursor>| async move {
        let page = world.table.products(m, None, READING, after.as_ref()).await?;
        Ok(Page { items: page.items.into_iter().map(|row| row.id).collect(), next: page.next })
    };
    look_through(world, m, context, page).await
}

/// Those that were in it, then those that may be in it now.
pub(crate) async fn collection_changed(
    world: World,
    event: Envelope<CollectionChangedV1>,
) -> Result<(), Again> {
    let (m, context) = (&event.marketplace, &context(&world, &event));
    let Ok(code) = event.data.collection.parse::<Code>() else {
        return Err(Again::Refused(format!("`{}` is no collection", event.data.collection)));
    };
    let (table, code) = (&world.table, &code);
    let page = |after: Option<Cursor>| async move {
        table.collection_members(m, code, READING, after.as_ref()).await
    };
    look_through(&world, m, context, page).await?;
    let collections = world.table.collections(m).await?;
    match collections.into_iter().find(|collection| collection.code == *code).map(|found| found.members) {
        None => Ok(()),
        Some(Members::Chosen(products)) => look_at_all(&world, m, context, &products).await,
        Some(Members::Rule(_)) => look_at_every(&world, m, context).await,
    }
}

pub(crate) async fn product_created(world: World, event: Envelope<ProductCreatedV1>) -> Result<(), Again> {
    look(&world, &event.marketplace, &context(&world, &event), (&event.data.product, None)).await
}

pub(crate) async fn product_changed(world: World, event: Envelope<ProductChangedV1>) -> Result<(), Again> {
    look(&world, &event.marketplace, &context(&world, &event), (&event.data.product, None)).await
}

pub(crate) async fn product_described(
    world: World,
    event: Envelope<ProductDescribedV1>,
) -> Result<(), Again> {
    look(&world, &event.marketplace, &context(&world, &event), (&event.data.product, None)).await
}

pub(crate) async fn offer_created(world: World, event: Envelope<OfferCreatedV1>) -> Result<(), Again> {
    let OfferCreatedV1 { product, offer, .. } = &event.data;
    look(&world, &event.marketplace, &context(&world, &event), (product, Some(offer))).await
}

pub(crate) async fn offer_changed(world: World, event: Envelope<OfferChangedV1>) -> Result<(), Again> {
    let OfferChangedV1 { product, offer, .. } = &event.data;
    look(&world, &event.marketplace, &context(&world, &event), (product, Some(offer))).await
}

/// Whether a merchant's offers count has changed, so the prices of all that it offers may have.
pub(crate) async fn merchant_changed(
    world: World,
    event: Envelope<MerchantStatusChangedV1>,
) -> Result<(), Again> {
    let (m, context, merchant) = (&event.marketplace, &context(&world, &event), &event.data.merchant);
    let table = &world.table;
    let page = |after: Option<Cursor>| async move {
        let page = table.offers_of_merchant(m, merchant, READING, after.as_ref()).await?;
        Ok(Page { items: page.items.into_iter().map(|row| row.product).collect(), next: page.next })
    };
    look_through(&world, m, context, page).await
}

/// A category that is new has no products yet. One that lies elsewhere now takes along all below it, which no list
/// names; where no rule asks for categories that is nobody's concern.
pub(crate) async fn category_changed(world: World, event: Envelope<CategoryChangedV1>) -> Result<(), Again> {
    let m = &event.marketplace;
    let asks = |collection: &Collection| match &collection.members {
        Members::Rule(rule) => rule.conditions.iter().any(|one| matches!(one, Condition::Category { .. })),
        Members::Chosen(_) => false,
    };
    if event.step == 1 || !world.table.collections(m).await?.iter().any(asks) {
        return Ok(());
    }
    look_at_every(&world, m, &context(&world, &event)).await
}
