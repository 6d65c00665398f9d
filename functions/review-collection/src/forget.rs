//! `customer.erased.v1`: what a person has said of goods stays, and says no more who it was.

use domain::id::CustomerId;
use domain::review::{Fact, Review};
use edge::command::Overtaken;
use edge::{Again, World};
use events::customer::CustomerErasedV1;
use events::{Context, Envelope};
use table::{Commit, Cursor, Key, Story};

/// Reviews that are looked at together.
const AT_ONCE: u16 = 50;

pub(crate) async fn erased(world: World, event: Envelope<CustomerErasedV1>) -> Result<(), Again> {
    let customer: &CustomerId = &event.data.customer;
    let mut after: Option<Cursor> = None;
    loop {
        let page =
            world.table.reviews_of_customer(&event.marketplace, customer, AT_ONCE, after.as_ref()).await?;
        for row in &page.items {
            let key = Key::review(&event.marketplace, &row.id);
            world.until_free(|| unnamed(&world, &event, &key)).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn unnamed(world: &World, event: &Envelope<CustomerErasedV1>, key: &Key) -> Result<(), Again> {
    let Some(held) = world.table.load::<Review>(key).await? else { return Ok(()) };
    if held.value.name.is_none() {
        return Ok(());
    }
    let next = held.value.clone().apply(Fact::Unnamed);
    let context = Context::follows(event, world.now(), "review-collection");
    let commit = Commit::new(&event.marketplace, &context);
    Ok(commit.review(Some(&held), &next, Story::default(), Overtaken).send(&world.table).await?)
}
