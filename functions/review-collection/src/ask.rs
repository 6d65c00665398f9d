//! When buyers are asked: after each line's own delivery, some days later, and once more if nobody answers.
//!
//! Every look decides anew from what is there (`domain::review::ask`). So an event may come twice, late or before
//! another, and a due item may find nothing to do.

use domain::id::{MarketplaceId, MerchantOrderId, OrderId, ReviewId};
use domain::merchant_order::MerchantOrder;
use domain::order::Order;
use domain::review::Review;
use domain::review::ask::{Agenda, Asking, agenda};
use edge::command::Overtaken;
use edge::{Again, World};
use events::merchant_order::{MerchantOrderDeliveredV1, ShipmentDeliveredV1};
use events::review::{ReviewRequestDueV1, ReviewRequestedV1};
use events::{Announced, Context, Envelope};
use table::review::ReviewPolicy;
use table::{Commit, Held, Key, Story};

/// A parcel has arrived: its lines are asked about in some days.
pub(crate) async fn arrived(world: World, event: Envelope<ShipmentDeliveredV1>) -> Result<(), Again> {
    look(&world, &event, &event.data.merchant_order).await.map(|_| ())
}

/// The last units were canceled after others had arrived, or the last parcel is there.
pub(crate) async fn complete(world: World, event: Envelope<MerchantOrderDeliveredV1>) -> Result<(), Again> {
    look(&world, &event, &event.data.merchant_order).await.map(|_| ())
}

pub(crate) fn payload(part: &str) -> Option<ReviewRequestDueV1> {
    let merchant_order: MerchantOrderId = part.parse().ok()?;
    let (order, _) = merchant_order.place()?;
    Some(ReviewRequestDueV1 { order, merchant_order })
}

pub(crate) async fn due(world: World, event: Envelope<ReviewRequestDueV1>) -> Result<(), Again> {
    let next = look(&world, &event, &event.data.merchant_order).await?.next;
    // The clock here is behind that of whoever sent the message: it comes again, or nothing would.
    match next.filter(|at| world.now() < *at && *at <= event.at) {
        Some(_) => Err(Again::Early(event.data.merchant_order.to_string())),
        None => Ok(()),
    }
}

/// All that a look needs.
struct Scene {
    order: Order,
    part: MerchantOrder,
    asked: Option<Held<Asking>>,
    agenda: Agenda,
}

async fn look<P>(world: &World, event: &Envelope<P>, id: &MerchantOrderId) -> Result<Agenda, Again> {
    let m = &event.marketplace;
    let scene = scene(world, m, id).await?;
    // Before the commit: a look that finds nothing is harmless, and nothing would be worse.
    if let Some(at) = scene.agenda.next {
        world.table.review_is_due(m, id, at).await?;
    }
    let agenda = scene.agenda.clone();
    if !agenda.ask.is_empty() || !agenda.remind.is_empty() {
        let context = Context::follows(event, world.now(), "review-collection");
        ask(world, m, &context, &scene).await?;
    }
    Ok(agenda)
}

async fn scene(world: &World, m: &MarketplaceId, id: &MerchantOrderId) -> Result<Scene, Again> {
    let early = || Again::Early(id.to_string());
    let (order, _) = id.place().ok_or_else(|| Again::Refused(format!("`{id}` has no order")))?;
    let whole = world.table.whole_order(m, &order).await?.ok_or_else(early)?;
    let part = whole.parts.into_iter().find(|part| part.value.id == *id).ok_or_else(early)?.value;
    let order = whole.order.value;
    if order.customer.is_none() {
        // Nobody is known who could be asked.
        return Ok(Scene { order, part, asked: None, agenda: Agenda::default() });
    }
    let reviews: Vec<(u16, Key)> = part
        .lines
        .iter()
        .map(|line| (line.number, Key::review(m, &ReviewId::of(&order.id, line.number))))
        .collect();
    let (policy, asking) = (Key::review_policy(m), Key::asking(m, id));
    let keys = reviews.iter().map(|(_, key)| key.clone()).chain([policy.clone()]).chain(asking.clone());
    let mut read = world.table.read(&keys.collect::<Vec<_>>()).await?;
    let mut reviewed = Vec::new();
    for (line, key) in &reviews {
        reviewed.extend(read.take::<Review>(key)?.map(|_| *line));
    }
    let policy = read.take::<ReviewPolicy>(&policy)?.map(|held| held.value.policy).unwrap_or_default();
    let asked = asking.map(|key| read.take::<Asking>(&key)).transpose()?.flatten();
    let before = asked.as_ref().map(|held| &held.value);
    let agenda = agenda(&order, &part, before, &reviewed, &policy, world.now());
    Ok(Scene { order, part, asked, agenda })
}

async fn ask(world: &World, m: &MarketplaceId, context: &Context, scene: &Scene) -> Result<(), Again> {
    let Scene { order, part, asked, agenda } = scene;
    let before = asked.as_ref().map(|held| &held.value);
    let next = Asking::after(before, part, &order.id, agenda, world.now());
    let until = agenda.until.unwrap_or_else(|| world.now());
    let told = |lines: &[u16], reminder: bool| {
        (!lines.is_empty()).then(|| {
            Announced::of(&ReviewRequestedV1 {
                order: order.id.clone(),
                merchant_order: part.id.clone(),
                merchant: part.merchant.clone(),
                customer: order.customer.clone(),
                lines: lines.to_vec(),
                reviews: named(&order.id, lines),
                reminder,
                until: until.into(),
            })
        })
    };
    let story = Story::new(told(&agenda.ask, false).into_iter().chain(told(&agenda.remind, true)));
    let subject = format!("asking-{}", part.id);
    let commit = Commit::new(m, context);
    let commit = match asked {
        Some(held) => commit.change(held, &next, &subject, story),
        None => commit.begin(&next, &subject, story, Overtaken),
    };
    Ok(commit.send(&world.table).await?)
}

fn named(order: &OrderId, lines: &[u16]) -> Vec<ReviewId> {
    lines.iter().map(|line| ReviewId::of(order, *line)).collect()
}
