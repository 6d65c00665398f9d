//! `subscription.goods_due.v1`: what a subscription sends for a period is ordered, by a cart of its own.
//!
//! The same steps as of a shopper's cart, at the prices of the day: its stock is held first, then it is paid with what
//! the subscription is paid with, then it is placed. Nobody edits this cart, and its id follows from the period, so a
//! period has one order. What came of it is told to the subscription in the transaction that decides it.

use crate::conclude::{Going, conclude};
use crate::confirm::again;
use crate::hold::taking;
use crate::pay::{Begun, Means, Paying, begin, charge};
use domain::Decision;
use domain::cart::{Add, Cart, Contact, Edit, HELD};
use domain::checkout::Stage;
use domain::customer::Profile;
use domain::id::{CartId, MarketplaceId, OfferId, OrderId, SubscriptionId};
use domain::marketplace::Marketplace;
use domain::plan::Terms;
use domain::subscription::{NotSent, Sending, Subscription, not_sent, sent};
use domain::tender::Tender;
use edge::sealed::unseal;
use edge::shopping::AtHand;
use edge::{Again, Overtaken, Problem, World};
use events::subscription::SubscriptionGoodsDueV1;
use events::{Context, Envelope};
use gateway::{Gateway, Gateways};
use std::fmt::Debug;
use table::invoice::Recipient;
use table::person::{CustomerAccount, DataKey};
use table::{Commit, Held, Key};

enum Ordering {
    /// Nothing is to be ordered any more, or it is known already that it cannot be.
    Over,
    /// Payment is on its way, begun before.
    Under(CartId),
    Going(Box<Going>),
}

pub(crate) async fn goods_due(world: World, event: Envelope<SubscriptionGoodsDueV1>) -> Result<(), Again> {
    let (m, gateways) = (&event.marketplace, Gateways::of(&world));
    let context = Context::follows(&event, world.now(), "checkout");
    let at = (m, &context);
    let ordered = async {
        match world.until_free(|| order(&world, &gateways, at, &event.data)).await? {
            Ordering::Over => Ok(()),
            Ordering::Under(cart) => conclude(&world, m, &context, &cart, None, &[]).await.map(|_| ()),
            Ordering::Going(going) => charge(&world, &gateways, at, *going).await.map(|_| ()),
        }
    };
    ordered.await.map_err(|problem: Problem| again(&problem))
}

/// Steps 1 and 2 of the checkout, for the goods of a period.
async fn order(
    world: &World,
    gateways: &Gateways,
    (m, context): (&MarketplaceId, &Context),
    due: &SubscriptionGoodsDueV1,
) -> Result<Ordering, Problem> {
    let Some((held, terms)) = world.table.sending(m, &due.subscription).await? else {
        return Ok(Ordering::Over);
    };
    let subscription = &held.value;
    let wanted = |sending: &Sending| sending.number == due.number && sending.retry_at.is_none();
    let Some(sending) = subscription.sending.as_ref().filter(|sending| wanted(sending)) else {
        return Ok(Ordering::Over);
    };
    let known = Known::read(world, m, (subscription, sending), &due.cart).await?;
    match known.cart.as_ref().map(|cart| &cart.value.stage) {
        Some(Stage::Completed { .. }) => return Ok(Ordering::Over),
        Some(Stage::Locked { .. }) => return Ok(Ordering::Under(due.cart.clone())),
        Some(Stage::Open) | None => {}
    }
    let unavailable = async || {
        let (renews, why) = ((&due.subscription, due.number), Some(NotSent::Unavailable));
        let commit = told(world, m, Commit::new(m, context), renews, why, Overtaken).await?;
        commit.send(&world.table).await?;
        Ok(Ordering::Over)
    };
    let Some(cart) = filled(world, m, (subscription, &terms), &known).await? else {
        return unavailable().await;
    };
    let revision = world.table.put(m, known.cart.as_ref(), &cart).await?;
    let cart = Held::written(cart, revision);
    let hand = AtHand { cart, marketplace: known.marketplace, data_key: known.data_key };
    let off_session = !sending.first;
    let means = means(gateways, subscription);
    let paying = Paying { hand, expected: None, means, credit: None, off_session, subscribes: None };
    match begin(world, gateways, (m, context), paying).await {
        Ok(Begun::Going(going)) => Ok(Ordering::Going(going)),
        Ok(Begun::Over(_)) => Ok(Ordering::Over),
        // Too many payments were tried, the gateway is gone, not even a fee can be converted today: it waits as for
        // goods that are not there, and ends as that does. What is held for it is free when its time is over.
        Err(problem) if problem.is_refusal() => unavailable().await,
        Err(problem) => Err(problem),
    }
}

/// What the table knows beside subscription and goods.
struct Known {
    marketplace: Marketplace,
    /// As an earlier try has left it.
    cart: Option<Held<Cart>>,
    /// Payments that were tried.
    payments: u8,
    data_key: Option<DataKey>,
    contact: Option<Contact>,
    recipient: Option<Recipient>,
}

impl Known {
    async fn read(
        world: &World,
        m: &MarketplaceId,
        (subscription, sending): (&Subscription, &Sending),
        id: &CartId,
    ) -> Result<Self, Problem> {
        let customer = &subscription.customer;
        let (own, cart) = (Key::marketplace(m), Key::cart(m, id));
        let (account, data_key) = (Key::customer(m, customer), Key::data_key(m, customer));
        let bill_to = subscription.bill_to.as_ref();
        let recipient = bill_to.map(|digest| Key::recipient(m, &subscription.id, digest.as_str()));
        let keys = [&own, &cart, &account, &data_key].into_iter().chain(&recipient).cloned();
        let mut read = world.table.read(&keys.collect::<Vec<_>>()).await?;
        let marketplace = read.take::<Marketplace>(&own)?;
        let data_key = read.take::<DataKey>(&data_key)?.map(|held| held.value);
        let sealed = read.take::<CustomerAccount>(&account)?.and_then(|held| held.value.sealed);
        let profile = sealed.zip(data_key.as_ref());
        let profile = profile.and_then(|(sealed, key)| unseal::<Profile>(key, customer.as_str(), &sealed));
        let contact = profile.map(|profile| Contact {
            email: Some(profile.email),
            phone: profile.phone,
            agreed_at: None,
        });
        let recipient = recipient.map(|key| read.take::<Recipient>(&key)).transpose()?.flatten();
        let cart = read.take::<Cart>(&cart)?;
        let payments = match &cart {
            Some(held) => held.value.payments,
            // The last try may be so long ago that its cart is forgotten; payments are not.
            None if sending.tries > 0 => {
                let last = world.table.payments(m, &OrderId::of_cart(id)).await?.pop();
                last.map_or(0, |held| held.value.number())
            }
            None => 0,
        };
        Ok(Self {
            marketplace: marketplace.ok_or_else(|| Problem::not_found("marketplace"))?.value,
            cart,
            payments,
            data_key,
            contact,
            recipient: recipient.map(|held| held.value),
        })
    }
}

/// The cart with all that the plan sends, its stock held and the cheapest delivery chosen; none where something of it
/// cannot be had, or cannot be brought there.
async fn filled(
    world: &World,
    m: &MarketplaceId,
    (subscription, terms): (&Subscription, &Terms),
    known: &Known,
) -> Result<Option<Cart>, Problem> {
    let now = world.now();
    let (Some(contact), Some(recipient)) = (&known.contact, &known.recipient) else { return Ok(None) };
    let goods = &terms.gives.goods;
    let offers = goods.iter().map(|one| OfferId::of(m, &one.merchant, one.sku.as_str()));
    let offers: Vec<OfferId> = offers.collect();
    let before = known.cart.as_ref().map(|held| &held.value);
    let bare = Cart::renewing(subscription, (before, known.payments), now);
    let wares = world.table.wares_and_stock(m, &bare, &offers, now).await?;
    let mut add = Vec::with_capacity(goods.len());
    for (one, offer) in goods.iter().zip(&offers) {
        let Some(found) = wares.offer(offer) else { return Ok(None) };
        // Without a rate of today it is not for sale.
        let Ok(price) = wares.price(found.price, &bare, now) else { return Ok(None) };
        let quantity = one.quantity.saturating_mul(subscription.quantity);
        let (offer, merchant) = (offer.clone(), one.merchant.clone());
        add.push(Add { offer, merchant, price: price.amount(), quantity });
    }
    let edit = Edit {
        add,
        contact: Some(contact.clone()),
        address: Some(recipient.address.clone()),
        tax_id: Some(recipient.tax_id.clone()),
        ..Edit::default()
    };
    let Ok(cart) = bare.edit(edit, now) else { return Ok(None) };
    let mut wares = world.table.wares(m, &cart).await?;
    let services = cart.quote(&wares, now)?.cheapest();
    let cart = Cart { services, ..cart };
    let cart = taking(world, m, cart, &mut wares, HELD, now).await?;
    let quote = cart.quote(&wares, now)?;
    let total = quote.priced.totals.total;
    if cart.gate(&quote, total).unmet().is_empty() {
        return Ok(Some(cart));
    }
    world.table.release(m, &cart.id, &cart.holds).await?;
    Ok(None)
}

/// What the subscription is paid with. Where its gateway is gone, or nothing is known yet, the gate does not open.
fn means(gateways: &Gateways, subscription: &Subscription) -> Vec<Means> {
    let means = &subscription.means;
    let found = gateways.find(means.gateway.as_str()).map(Gateway::capabilities);
    let tender = found.map(|gateway| Tender { method: means.method, gateway, limit: None });
    let paid = tender.map(|tender| Means { tender, name: means.gateway.clone(), token: means.token.clone() });
    paid.into_iter().collect()
}

/// Whether whoever a cart is of still wants its goods: a subscription that sends them, or a shopper.
pub(crate) async fn is_awaited(world: &World, m: &MarketplaceId, cart: &Cart) -> Result<bool, table::Fault> {
    let Some((id, number)) = &cart.renews else { return Ok(true) };
    let sending = world.table.sending(m, id).await?;
    Ok(sending.is_some_and(|(held, _)| held.value.sending.is_some_and(|sending| sending.number == *number)))
}

/// Tells the subscription that a cart is of what became of its goods: ordered, or why not. First what time brings next,
/// for the look at its period may have come and gone meanwhile.
pub(crate) async fn tell<'a, C: Debug + Clone>(
    world: &World,
    m: &MarketplaceId,
    commit: Commit<'a, C>,
    (cart, failed): (&Cart, Option<NotSent>),
    taken: C,
) -> Result<Commit<'a, C>, Problem> {
    match &cart.renews {
        Some((id, number)) => told(world, m, commit, (id, *number), failed, taken).await,
        None => Ok(commit),
    }
}

/// An order that nobody awaits any more is not placed: busy, and the next look finds that out as any does.
async fn told<'a, C: Debug + Clone>(
    world: &World,
    m: &MarketplaceId,
    commit: Commit<'a, C>,
    (id, number): (&SubscriptionId, u32),
    failed: Option<NotSent>,
    taken: C,
) -> Result<Commit<'a, C>, Problem> {
    let decided = world.table.sending(m, id).await?.map(|(held, terms)| {
        let decided = match failed {
            None => sent(&held.value, number),
            Some(why) => not_sent(&held.value, number, why, &terms.dunning, world.now()),
        };
        (held, decided)
    });
    let Some((held, Decision::New(step))) = decided else {
        return if failed.is_some() { Ok(commit) } else { Err(Problem::busy()) };
    };
    if let Some(at) = step.next.due_at()? {
        world.table.subscription_is_due(m, id, at).await?;
    }
    Ok(commit.subscription(m, Some(&held), &step, taken)?)
}
