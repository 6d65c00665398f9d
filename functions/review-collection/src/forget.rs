//! Whose a review is: `order.claimed.v1`, it goes along with its order to the account; `customer.erased.v1`, what a
//! person has said of goods stays, and says no more who it was.

use domain::customer::Stage;
use domain::id::{CustomerId, ReviewId};
use domain::order::Order;
use domain::review::{Fact, Review};
use edge::command::Overtaken;
use edge::{Again, World};
use events::customer::CustomerErasedV1;
use events::order::OrderClaimedV1;
use events::{Context, Envelope};
use table::person::CustomerAccount;
use table::{Commit, Cursor, Key, Story};

/// Reviews that are looked at together.
const AT_ONCE: u16 = 50;

/// An erasure may be heard of first, and finds nothing: so the account is looked at once the reviews are its own.
pub(crate) async fn claimed(world: World, event: Envelope<OrderClaimedV1>) -> Result<(), Again> {
    let (m, OrderClaimedV1 { order: id, customer, from }) = (&event.marketplace, &event.data);
    let order = world.table.load::<Order>(&Key::order(m, id)).await?;
    let order = order.ok_or_else(|| Again::Early(id.to_string()))?.value;
    let reviews = order.lines.iter().map(|line| Key::review(m, &ReviewId::of(id, line.number)));
    let reviews: Vec<Key> = reviews.collect();
    let claims = |review: &Review| {
        let guests = review.customer == *from;
        guests.then(|| Fact::Claimed { customer: customer.clone() })
    };
    for held in world.table.load_all::<Review>(&reviews).await? {
        let key = Key::review(m, &held.value.id);
        world.until_free(|| amend(&world, &event, &key, claims)).await?;
    }
    let account = world.table.load::<CustomerAccount>(&Key::customer(m, customer)).await?;
    let erased = account.is_some_and(|held| matches!(held.value.customer.stage, Stage::Erased { .. }));
    for key in reviews.iter().filter(|_| erased) {
        world.until_free(|| amend(&world, &event, key, |review| unnamed(review, customer))).await?;
    }
    Ok(())
}

pub(crate) async fn erased(world: World, event: Envelope<CustomerErasedV1>) -> Result<(), Again> {
    let customer: &CustomerId = &event.data.customer;
    let mut after: Option<Cursor> = None;
    loop {
        let page =
            world.table.reviews_of_customer(&event.marketplace, customer, AT_ONCE, after.as_ref()).await?;
        for row in &page.items {
            let key = Key::review(&event.marketplace, &row.id);
            world.until_free(|| amend(&world, &event, &key, |review| unnamed(review, customer))).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// None where it is another's by now, or says nobody's name.
fn unnamed(review: &Review, customer: &CustomerId) -> Option<Fact> {
    let own = review.customer.as_ref() == Some(customer);
    (own && review.name.is_some()).then_some(Fact::Unnamed)
}

async fn amend<P>(
    world: &World,
    event: &Envelope<P>,
    key: &Key,
    decide: impl Fn(&Review) -> Option<Fact>,
) -> Result<(), Again> {
    let Some(held) = world.table.load::<Review>(key).await? else { return Ok(()) };
    let Some(fact) = decide(&held.value) else { return Ok(()) };
    let next = held.value.clone().apply(fact);
    let context = Context::follows(event, world.now(), "review-collection");
    let commit = Commit::new(&event.marketplace, &context);
    Ok(commit.review(Some(&held), &next, Story::default(), Overtaken).send(&world.table).await?)
}
