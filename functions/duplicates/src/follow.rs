//! A product has become another: its offers follow, those that come late too.

use crate::look::context;
use domain::catalog::{Offer, Product};
use domain::id::{MarketplaceId, OfferId};
use edge::command::Overtaken;
use edge::{Again, World};
use events::catalog::{OfferCreatedV1, ProductMergedV1, offer_changed};
use events::{Context, Envelope};
use table::collection::Placement;
use table::{Commit, Key, Story};

/// Offers of one query.
const PAGE: u16 = 100;

pub(crate) async fn merged(world: World, event: Envelope<ProductMergedV1>) -> Result<(), Again> {
    let (m, product, context) = (&event.marketplace, &event.data.product, &context(&world, &event));
    // The index may not know of the youngest yet.
    let placed = world.table.load::<Placement>(&Key::placement(m, product)).await?;
    for offer in placed.map(|held| held.value.offers).unwrap_or_default() {
        follow(&world, m, &offer, context).await?;
    }
    let mut after = None;
    loop {
        let page = world.table.offers_of_product(m, product, PAGE, after.as_ref()).await?;
        for row in page.items {
            follow(&world, m, &row.id, context).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// It may be of a product that became another while the offer was being made.
pub(crate) async fn offered(world: World, event: Envelope<OfferCreatedV1>) -> Result<(), Again> {
    follow(&world, &event.marketplace, &event.data.offer, &context(&world, &event)).await
}

/// An offer is of what its product has become; nothing where that is itself.
async fn follow(world: &World, m: &MarketplaceId, id: &OfferId, context: &Context) -> Result<(), Again> {
    let step = || async {
        let Some(held) = world.table.load::<Offer>(&Key::offer(m, id)).await? else { return Ok(false) };
        let product = world.table.load::<Product>(&Key::product(m, &held.value.product)).await?;
        let Some(merged) = product.and_then(|held| held.value.merged) else { return Ok(false) };
        let into = world.table.load::<Product>(&Key::product(m, &merged.into)).await?;
        let Some(into) = into.map(|held| held.value) else {
            return Err(Again::Refused(format!("{} is not there", merged.into)));
        };
        let number = merged.variants.get(&held.value.variant).copied();
        let variant = into.variants.iter().find(|variant| Some(variant.number) == number);
        let Some(variant) = variant else {
            return Err(Again::Refused(format!(
                "{} of {id} has no place in {}",
                held.value.variant, into.id
            )));
        };
        let next = Offer {
            product: into.id.clone(),
            variant: variant.number,
            title: into.title_of(variant),
            category: into.categories.first().cloned(),
            grams: variant.weight,
            ..held.value.clone()
        };
        let commit: Commit<'_, Overtaken> = Commit::new(m, context);
        let story = Story::new([offer_changed(&next)]);
        commit.change(&held, &next, id.as_str(), story).send(&world.table).await?;
        Ok(true)
    };
    // What it has become may itself have become another.
    world
        .until_free(|| async {
            while step().await? {}
            Ok(())
        })
        .await
}
