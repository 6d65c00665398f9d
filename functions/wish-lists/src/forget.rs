//! `customer.erased.v1`: what a person wished for, showed to others and waited for is forgotten.
//!
//! What is younger than the erasure is of whoever has signed up again since, and stays.

use domain::wish_list::WishList;
use edge::{Again, Overtaken, World};
use events::customer::CustomerErasedV1;
use events::{Context, Envelope};
use table::{Commit, Cursor, Key};

/// So many go together.
const AT_ONCE: u16 = 50;

pub(crate) async fn erased(world: World, event: Envelope<CustomerErasedV1>) -> Result<(), Again> {
    lists(&world, &event).await?;
    waits(&world, &event).await
}

async fn lists(world: &World, event: &Envelope<CustomerErasedV1>) -> Result<(), Again> {
    let (m, customer) = (&event.marketplace, &event.data.customer);
    let mut after: Option<Cursor> = None;
    loop {
        let page = world.table.wish_lists_of(m, customer, AT_ONCE, after.as_ref()).await?;
        let keys: Vec<Key> = page.items.iter().map(|row| Key::wish_list(m, &row.id)).collect();
        let found = world.table.load_all::<WishList>(&keys).await?;
        let old = found.into_iter().filter(|held| held.value.edited_at <= event.at);
        gone(world, event, old.map(|held| Key::wish_list(m, &held.value.id)).collect()).await?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn waits(world: &World, event: &Envelope<CustomerErasedV1>) -> Result<(), Again> {
    let (m, customer) = (&event.marketplace, &event.data.customer);
    let mut after: Option<Cursor> = None;
    loop {
        let page = world.table.waits_of(m, customer, AT_ONCE, after.as_ref()).await?;
        let old = page.items.iter().filter(|waiting| waiting.since <= event.at);
        gone(world, event, old.map(|waiting| Key::waiting(m, &waiting.offer, customer)).collect()).await?;
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

async fn gone(world: &World, event: &Envelope<CustomerErasedV1>, keys: Vec<Key>) -> Result<(), Again> {
    if keys.is_empty() {
        return Ok(());
    }
    let context = Context::follows(event, world.now(), "wish-lists");
    let commit: Commit<'_, Overtaken> = Commit::new(&event.marketplace, &context);
    Ok(keys.into_iter().fold(commit, Commit::delete).send(&world.table).await?)
}
